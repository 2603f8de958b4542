//! Servers that leave events out, or tell false ones.

use super::*;
use crate::{
	contract::Call,
	evm::{abi::encode, RpcError},
};
use futures::future::BoxFuture;
use std::sync::Arc;

/// A server that tells these events, whatever is asked.
#[derive(Debug)]
struct Server(Vec<Value>);

impl Transport for Server {
	fn name(&self) -> &str {
		"server"
	}

	fn request<'a>(&'a self, method: &'a str, _: Value) -> BoxFuture<'a, Result<Value, RpcError>> {
		assert_eq!(method, "eth_getLogs");
		let events = Value::Array(self.0.clone());
		Box::pin(async { Ok(events) })
	}
}

const FEE: Balance = 9;

fn inbox() -> Inbox {
	Inbox {
		genesis: H256::repeat_byte(1),
		anchor: AnchorId {
			chain_id: 31_337,
			contract: H160::repeat_byte(2),
		},
		deployed_at: 0,
	}
}

fn sender() -> Address {
	Address([3; 20])
}

/// The messages of a test: two deposits, and a forced one between them.
fn messages() -> Vec<Vec<u8>> {
	let deposit = |amount| Incoming::Deposit {
		sender: H160(sender().0),
		recipient: [4; 32],
		amount,
	};
	let forced = Incoming::Forced {
		sender: H160(sender().0),
		fee: FEE,
		data: ForcedData::truncate_from(vec![5, 6]),
	};
	let bytes = |(nonce, incoming): (u64, Incoming)| {
		incoming.bytes(inbox().genesis, &inbox().anchor, nonce)
	};
	(0..)
		.zip([deposit(1), forced, deposit(2)])
		.map(bytes)
		.collect()
}

fn accumulators(messages: &[Vec<u8>]) -> Vec<H256> {
	messages
		.iter()
		.scan(H256::zero(), |acc, message| {
			*acc = accumulate(*acc, message);
			Some(*acc)
		})
		.collect()
}

fn event(nonce: u64, message: &[u8]) -> Value {
	let data = encode(&[Abi::hash(H256::zero()), Abi::Bytes(message.to_vec())]);
	json!({
		"topics": ["0x00", format!("{nonce:#066x}")],
		"data": format!("0x{}", hex::encode(data)),
	})
}

async fn found(servers: Vec<Vec<Value>>, seen: &Seen) -> Result<Vec<Vec<u8>>, PreimageError> {
	let servers = servers
		.into_iter()
		.map(|events| Arc::new(Server(events)) as Arc<dyn Transport>);
	let reads = Reads::new(servers.collect(), 1);
	let accumulators = accumulators(&messages());
	let from = InboxMark::default();
	between(&reads, &inbox(), from, &accumulators, 10, seen, FEE).await
}

#[tokio::test]
async fn what_one_server_leaves_out_another_tells() {
	let all = messages();
	let first = vec![event(0, &all[0])];
	let second = vec![event(1, &all[1]), event(2, &all[2])];
	let empty = Vec::new();
	let found = found(vec![empty, first, second], &Seen::default()).await;
	assert_eq!(found, Ok(all));
}

#[tokio::test]
async fn a_false_message_is_not_taken_and_a_missing_one_is_named() {
	let all = messages();
	let lies = vec![event(0, &all[1]), event(1, &all[1]), event(2, &all[2])];
	let found = found(vec![lies], &Seen::default()).await;
	assert_eq!(found, Err(PreimageError::Missing { nonce: 0 }));
}

#[tokio::test]
async fn transactions_that_were_seen_stand_in_for_events() {
	let mut seen = Seen::default();
	let calls = [
		Call::Deposit {
			recipient: [4; 32],
			amount: 7,
		},
		Call::Deposit {
			recipient: [4; 32],
			amount: 2,
		},
		Call::ForceInclude(vec![5, 6]),
		Call::Status,
		Call::Deposit {
			recipient: [4; 32],
			amount: 1,
		},
	];
	for call in calls {
		seen.note(sender(), &call.encode());
	}
	assert_eq!(seen.left.len(), 4, "what leaves nothing is not remembered");
	assert_eq!(found(vec![Vec::new()], &seen).await, Ok(messages()));
}
