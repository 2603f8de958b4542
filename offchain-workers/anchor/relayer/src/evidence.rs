//! Signatures that the contract's events show.
//!
//! Transactions to the contract show what they brought, and stand in its blocks. What came to it through
//! another contract does not, so it tells in events whatever it has found to be signed. Nothing of an event
//! is believed: signatures prove themselves, by keys that this node knows from its own chain. A server
//! that leaves events out hides them from nobody who asks another one, so each is asked by itself, and for
//! the last blocks again, since events may come later than their block.

use crate::{
	commitment::{unpacked, Commitment, Signed, WORD},
	contract::{read_signed, Contract, SignedPart, ANCHOR},
	evm::{small_quantity, Address, ReadsError, RpcError, Transport},
};
use futures::future::join_all;
use millrace_primitives::H256;
use serde_json::{json, Value};
use std::{cmp::Reverse, collections::BTreeMap};

/// Blocks that one question goes on by: little enough for every server.
const WINDOW: u64 = 200;
/// Blocks that are asked for again with the next ones.
const AGAIN: u64 = 20;
/// Blocks behind the head that a server is asked for at most, at first and however long it was away: 23
/// hours of Filecoin's, since public servers look back a day and refuse what is older.
const MOST_BEHIND: u64 = 2_760;
/// Commitments that are taken from one answer: more than the sets that a contract knows sign honestly.
const COMMITMENTS: usize = 1_024;

/// What one server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
	/// Its place among the servers.
	pub(crate) server: usize,
	/// What was signed, that with the most signatures first. No commitment is there twice.
	pub(crate) told: Vec<Told>,
	/// Block that it is asked for next.
	next: u64,
}

/// A commitment with signatures, as a server tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
	/// What was signed.
	pub(crate) commitment: Commitment,
	/// Parts of the same bitmap, each once.
	parts: Vec<SignedPart>,
}

/// How far the servers were asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
	/// Block that each is asked for next, by its place; of one that was not asked yet there is none.
	next: BTreeMap<usize, u64>,
	/// Blocks that a question goes on by, for each that was asked: fewer than [`WINDOW`] where it failed.
	/// Servers refuse answers that are too long, and events can be made as many as somebody pays for.
	width: BTreeMap<usize, u64>,
	/// A block that is asked for besides.
	besides: Option<u64>,
}

impl Evidence {
	/// Has a block of the anchor looked at with the next question, however old it is.
	pub(crate) fn look_at(&mut self, block: u64) {
		self.besides = Some(block);
	}

	/// Asks all servers for what is new. Fails if none of them answers.
	pub(crate) async fn ask(
		&mut self,
		contract: &Contract,
		genesis: H256,
	) -> Result<Vec<Answer>, ReadsError> {
		let known = &*self;
		let servers = contract.reads().servers().iter().enumerate();
		let asked = servers
			.map(|(place, server)| known.ask_one(place, &**server, contract.address(), genesis));
		let outcomes = join_all(asked).await;
		let mut all = Vec::new();
		let mut failed = None;
		for (place, outcome) in outcomes.into_iter().enumerate() {
			let width = self.width.entry(place).or_insert(WINDOW);
			match outcome {
				Ok(answer) => {
					*width = width.saturating_mul(2).min(WINDOW);
					all.push(answer);
				}
				Err(error) => {
					*width = (*width / 2).max(1);
					tracing::debug!(%error, "a server tells no events");
					failed = Some(error);
				}
			}
		}
		match failed {
			Some(error) if all.is_empty() => Err(error.into()),
			_ => Ok(all),
		}
	}

	/// What a server has shown was looked at.
	pub(crate) fn settle(&mut self, answer: &Answer) {
		self.next.insert(answer.server, answer.next);
		self.besides = None;
	}

	async fn ask_one(
		&self,
		place: usize,
		server: &dyn Transport,
		contract: Address,
		genesis: H256,
	) -> Result<Answer, RpcError> {
		// Its own: what it does not have yet it has no events of.
		let method = "eth_blockNumber";
		let head = server.request(method, json!([])).await?;
		let head = small_quantity(&head).ok_or_else(|| malformed(server, method))?;
		let known = self.next.get(&place).copied();
		let width = self.width.get(&place).copied().unwrap_or(WINDOW);
		let (from, to) = blocks(known, head, width);
		let mut events = match from <= to {
			true => events(server, contract, from, to).await?,
			false => Vec::new(),
		};
		if let Some(block) = self.besides {
			events.extend(events_of(server, contract, block).await);
		}
		let parts = events
			.iter()
			.filter_map(|event| read_signed(event, genesis));
		Ok(Answer {
			server: place,
			told: together(parts),
			next: to.saturating_add(1),
		})
	}
}

/// The blocks that a server with this head is asked for, going on by so many: none if the first is above the
/// last.
fn blocks(known: Option<u64>, head: u64, width: u64) -> (u64, u64) {
	let begin = head.saturating_sub(MOST_BEHIND);
	let next = match known {
		// Its head went back farther than one block or two: it has another chain now.
		Some(next) if next > head.saturating_add(AGAIN) => begin,
		// Nothing is new.
		Some(next) if next > head => return (next, next.saturating_sub(1)),
		Some(next) => next.max(begin),
		None => begin,
	};
	let more = width.saturating_sub(1);
	let to = head.min(next.saturating_add(more));
	(next.saturating_sub(AGAIN.min(more)), to)
}

/// What a server tells of some blocks.
async fn events(
	server: &dyn Transport,
	contract: Address,
	from: u64,
	to: u64,
) -> Result<Vec<Value>, RpcError> {
	let method = "eth_getLogs";
	let filter = json!({
		"address": contract,
		"topics": [format!("0x{}", hex::encode(ANCHOR.event("Signed")))],
		"fromBlock": format!("{from:#x}"),
		"toBlock": format!("{to:#x}"),
	});
	match server.request(method, json!([filter])).await? {
		Value::Array(events) => Ok(events),
		_ => Err(malformed(server, method)),
	}
}

/// What a server tells of one block; it may not have it any more.
async fn events_of(server: &dyn Transport, contract: Address, block: u64) -> Vec<Value> {
	match events(server, contract, block, block).await {
		Ok(events) => events,
		Err(error) => {
			tracing::debug!(%error, block, "a server tells no events of a block");
			Vec::new()
		}
	}
}

fn malformed(server: &dyn Transport, method: &str) -> RpcError {
	RpcError::Malformed {
		server: server.name().into(),
		method: method.into(),
		reason: "that is no such answer".into(),
	}
}

/// Puts parts together. Of each commitment that with the most signatures is taken, and of all commitments
/// those: one with a quorum can do harm, and whoever has a single key can have as many reported as he likes,
/// as often as he likes.
fn together(parts: impl Iterator<Item = SignedPart>) -> Vec<Told> {
	let mut all: BTreeMap<_, BTreeMap<usize, SignedPart>> = BTreeMap::new();
	for part in parts {
		let key = (part.commitment.encode(), part.bitmap.clone());
		all.entry(key).or_default().insert(part.first, part);
	}
	let mut most: BTreeMap<Vec<u8>, Told> = BTreeMap::new();
	for ((name, _), parts) in all {
		let parts: Vec<SignedPart> = parts.into_values().collect();
		let Some(commitment) = parts.first().map(|part| part.commitment) else {
			continue;
		};
		let told = Told { commitment, parts };
		let known = most.get(&name);
		if known.is_none_or(|known| known.count() < told.count()) {
			most.insert(name, told);
		}
	}
	let mut all: Vec<Told> = most.into_values().collect();
	all.sort_by_key(|told| Reverse(told.count()));
	if all.len() > COMMITMENTS {
		tracing::warn!("a server tells of more commitments than are looked at");
		all.truncate(COMMITMENTS);
	}
	all
}

impl Told {
	/// Its signatures at their places; `None` if it has none.
	pub(crate) fn signed(&self) -> Option<Signed> {
		placed(&self.parts)
	}

	fn count(&self) -> usize {
		self.parts.iter().map(|part| part.signatures.len()).sum()
	}
}

/// The signatures of one commitment at their places. Parts that are not there leave their places empty.
fn placed(parts: &[SignedPart]) -> Option<Signed> {
	let SignedPart {
		commitment, bitmap, ..
	} = parts.first()?;
	let bit = |place: &usize| {
		let word = bitmap.get(place / WORD);
		word.is_some_and(|word| word.bit(place % WORD))
	};
	let places: Vec<usize> = (0..bitmap.len().saturating_mul(WORD)).filter(bit).collect();
	let mut signatures = vec![None; places.last()?.saturating_add(1)];
	for part in parts {
		let places = places.get(part.first..).unwrap_or_default();
		for (place, pair) in places.iter().zip(&part.signatures) {
			if let Some(signature) = signatures.get_mut(*place) {
				*signature = Some(unpacked(pair));
			}
		}
	}
	Some(Signed {
		commitment: *commitment,
		signatures,
	})
}

#[cfg(test)]
mod tests;
