//! The bytes of messages to the chain, wherever they can be found.
//!
//! Events have them, and servers leave events out at times. So whatever is found is checked against the
//! contract's accumulator, the next server is asked where one has too little, and what was seen in
//! transactions stands in for what no server tells.

use crate::contract::{read_deposit, read_forced, ANCHOR};
use crate::evm::{
	abi::{decode, Kind, Value as Abi},
	Address, Reads, Transport,
};
use millrace_primitives::{
	anchor::{
		accumulate,
		messages::{ForcedData, Incoming},
		AnchorId, InboxMark, H160,
	},
	Balance, H256,
};
use serde_json::{json, Value};
use std::collections::{BTreeMap, VecDeque};

/// Blocks that one question covers: what Filecoin's servers take is a little more.
const WINDOW: u64 = 2_000;
/// Windows that are gone through for one message: two months of Filecoin.
const MAX_WINDOWS: u64 = 90;
/// Transactions that are remembered.
const SEEN: usize = 4_096;

/// What transactions to the contract were seen to leave in its inbox, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
	left: VecDeque<Left>,
}

/// What one transaction may have left.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Left {
	Deposit {
		sender: Address,
		recipient: [u8; 32],
		amount: Balance,
	},
	Forced {
		sender: Address,
		data: ForcedData,
	},
}

impl Seen {
	/// Remembers a transaction, if it leaves something in the inbox.
	pub(crate) fn note(&mut self, sender: Address, data: &[u8]) {
		let deposit = read_deposit(data).map(|(recipient, amount)| Left::Deposit {
			sender,
			recipient,
			amount,
		});
		let forced = || {
			let data = read_forced(data)?.try_into().ok()?;
			Some(Left::Forced { sender, data })
		};
		let Some(left) = deposit.or_else(forced) else {
			return;
		};
		// The same may stand for several messages: their numbers tell them apart.
		if self.left.contains(&left) {
			return;
		}
		if self.left.len() >= SEEN {
			self.left.pop_front();
		}
		self.left.push_back(left);
	}

	/// The message behind a place, if one that was seen leads to an accumulator.
	fn message(
		&self,
		inbox: &Inbox,
		place: InboxMark,
		force_fee: Balance,
		acc: H256,
	) -> Option<Vec<u8>> {
		self.left.iter().find_map(|left| {
			let incoming = match left {
				Left::Deposit {
					sender,
					recipient,
					amount,
				} => Incoming::Deposit {
					sender: H160(sender.0),
					recipient: *recipient,
					amount: *amount,
				},
				Left::Forced { sender, data } => Incoming::Forced {
					sender: H160(sender.0),
					fee: force_fee,
					data: data.clone(),
				},
			};
			let bytes = incoming.bytes(inbox.genesis, &inbox.anchor, place.nonce);
			(accumulate(place.acc, &bytes) == acc).then_some(bytes)
		})
	}
}

/// Whose messages they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inbox {
	/// Hash of the chain's first block.
	pub(crate) genesis: H256,
	/// The contract.
	pub(crate) anchor: AnchorId,
	/// Block in which it was deployed.
	pub(crate) deployed_at: u64,
}

/// Why messages are not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreimageError {
	/// No server tells one of them.
	#[error(
		"no server tells message {nonce} of the inbox; add one that keeps events since it was sent"
	)]
	Missing {
		/// Its number.
		nonce: u64,
	},
	/// They do not lead to where they should.
	#[error("the messages up to {nonce} do not lead to the accumulator that is attested")]
	OtherAccumulator {
		/// The number.
		nonce: u64,
	},
}

/// Messages from one place to another, checked.
///
/// `accumulators` are those behind each message, as the contract's state at a final block has them: by them
/// one message can be told from another without its neighbours.
pub(crate) async fn between(
	reads: &Reads,
	inbox: &Inbox,
	from: InboxMark,
	accumulators: &[H256],
	final_block: u64,
	seen: &Seen,
	force_fee: Balance,
) -> Result<Vec<Vec<u8>>, PreimageError> {
	let mut places = Vec::with_capacity(accumulators.len());
	let mut place = from;
	for acc in accumulators {
		places.push((place, *acc));
		place = InboxMark {
			nonce: place.nonce.saturating_add(1),
			acc: *acc,
		};
	}
	let mut found: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
	for (place, acc) in &places {
		if let Some(message) = seen.message(inbox, *place, force_fee, *acc) {
			found.insert(place.nonce, message);
		}
	}
	for server in reads.servers() {
		if found.len() == places.len() {
			break;
		}
		by_events(&**server, inbox, &places, final_block, &mut found).await;
	}
	let mut messages = Vec::with_capacity(places.len());
	let mut acc = from.acc;
	for (place, _) in &places {
		let nonce = place.nonce;
		let message = found
			.remove(&nonce)
			.ok_or(PreimageError::Missing { nonce })?;
		acc = accumulate(acc, &message);
		messages.push(message);
	}
	match accumulators.last() {
		Some(last) if *last != acc => Err(PreimageError::OtherAccumulator { nonce: place.nonce }),
		_ => Ok(messages),
	}
}

/// Looks through a server's events, from the newest on back, until all is found or there is nothing more.
async fn by_events(
	server: &dyn Transport,
	inbox: &Inbox,
	places: &[(InboxMark, H256)],
	final_block: u64,
	found: &mut BTreeMap<u64, Vec<u8>>,
) {
	let topic = format!("0x{}", hex::encode(ANCHOR.event("Enqueued")));
	let contract = Address(inbox.anchor.contract.0);
	let mut to = final_block;
	for _ in 0..MAX_WINDOWS {
		let wanted: Vec<String> = places
			.iter()
			.filter(|(place, _)| !found.contains_key(&place.nonce))
			.map(|(place, _)| format!("{:#066x}", place.nonce))
			.collect();
		if wanted.is_empty() {
			return;
		}
		let from = to.saturating_sub(WINDOW - 1).max(inbox.deployed_at);
		let filter = json!({
			"address": contract,
			"topics": [topic, wanted],
			"fromBlock": format!("{from:#x}"),
			"toBlock": format!("{to:#x}"),
		});
		let events = match server.request("eth_getLogs", json!([filter])).await {
			Ok(Value::Array(events)) => events,
			Ok(_) => return,
			Err(error) => {
				tracing::debug!(%error, "a server tells no events");
				return;
			}
		};
		for event in &events {
			if let Some((nonce, message)) = message_of(event) {
				let place = places.iter().find(|(place, _)| place.nonce == nonce);
				let right =
					place.is_some_and(|(place, acc)| accumulate(place.acc, &message) == *acc);
				if right {
					found.insert(nonce, message);
				}
			}
		}
		if from <= inbox.deployed_at {
			return;
		}
		to = from.saturating_sub(1);
	}
}

/// The number and the bytes of a message, out of its event.
fn message_of(event: &Value) -> Option<(u64, Vec<u8>)> {
	let topics = event.get("topics")?.as_array()?;
	let nonce = crate::evm::hex_hash(topics.get(1)?)?;
	let nonce = Abi::hash(nonce).as_u64()?;
	let data = crate::evm::hex_bytes(event.get("data")?)?;
	let values = decode(&[Kind::Word, Kind::Bytes], &data).ok()?;
	let message = values.get(1)?.as_bytes()?.to_vec();
	Some((nonce, message))
}

#[cfg(test)]
mod tests;
