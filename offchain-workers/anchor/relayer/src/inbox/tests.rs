//! What is voted on, and an anchor that goes back behind what it had said.

use super::*;
use crate::{
	contract::Call,
	evm::{abi, hex_bytes, small_quantity, Reads, RpcError, Transport},
};
use futures::future::BoxFuture;
use millrace_primitives::{
	anchor::{AnchorAllowances, AnchorBounds, Attestation},
	H256,
};
use serde_json::json;
use std::sync::{Arc, Mutex};

fn mark(nonce: u64) -> InboxMark {
	InboxMark {
		nonce,
		acc: H256::zero(),
	}
}

fn status(taken: u64, attested: &[u64], votable: u64) -> AnchorStatus {
	AnchorStatus {
		anchor: None,
		genesis: H256::zero(),
		next_nonce: 0,
		there: 0,
		parked: 0,
		taken: mark(taken),
		attested: attested
			.iter()
			.map(|nonce| Attestation {
				mark: mark(*nonce),
				epoch: 0,
				block: 0,
			})
			.collect(),
		votable,
		round: 0,
		session: 0,
		voters: 4,
		quorum: 3,
		forced: 0,
		overdue_since: None,
		paused_until: None,
		allowances: AnchorAllowances {
			epoch: 0,
			withdrawn: 0,
			withdrawable: 0,
			released: 0,
			releasable: 0,
		},
		bounds: AnchorBounds {
			min_withdrawal: 0,
			message_fee: 0,
			byte_fee: 0,
			deliver_blocks: 0,
		},
	}
}

fn tally(nonce: u64) -> TallyView {
	TallyView {
		nonce,
		votes: Vec::new(),
	}
}

#[test]
fn the_newest_place_is_voted_on_that_can_be() {
	assert_eq!(places(&status(0, &[], 32), 5, &[]), [5]);
	assert_eq!(places(&status(0, &[], 32), 40, &[]), [32]);
	assert_eq!(places(&status(5, &[], 37), 5, &[]), [0u64; 0]);
	assert_eq!(places(&status(0, &[5], 37), 5, &[]), [0u64; 0]);
}

#[test]
fn places_of_others_are_voted_on_as_far_as_they_are_seen() {
	let tallies = [tally(3), tally(7), tally(9), tally(5)];
	assert_eq!(places(&status(3, &[4], 36), 8, &tallies), [8, 7, 5]);
	let many: Vec<TallyView> = (1..30).map(tally).collect();
	assert_eq!(places(&status(0, &[], 32), 30, &many).len(), MAX_VOTES);
}

/// An anchor of a test. Its inbox has as many messages as there are accumulators.
#[derive(Debug, Default)]
struct State {
	finalized: u64,
	/// Byte of all blocks' hashes.
	hash: u8,
	/// Bytes of the accumulators behind the first message, the second, and so on.
	accumulators: Vec<u8>,
}

#[derive(Debug, Default)]
struct Anchor(Mutex<State>);

impl Anchor {
	fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
		change(&mut self.0.lock().expect("nobody panics with it"))
	}
}

impl State {
	fn block(&self, number: u64) -> Value {
		let hash = format!("0x{}", hex::encode([self.hash; 32]));
		json!({ "number": format!("{number:#x}"), "hash": hash, "timestamp": "0x1" })
	}

	fn accumulator(&self, nonce: usize) -> H256 {
		let byte = nonce.checked_sub(1).map(|place| self.accumulators[place]);
		H256::repeat_byte(byte.unwrap_or_default())
	}

	fn call(&self, data: &[u8]) -> Value {
		let count = self.accumulators.len();
		let answer = if data == Call::Status.encode() {
			let number = |value: usize| abi::Value::number(value as u64);
			abi::encode(&[
				number(0),
				abi::Value::hash(H256::zero()),
				number(1),
				number(count),
				abi::Value::hash(self.accumulator(count)),
				number(0),
				number(0),
			])
		} else {
			let asked = |nonce: &usize| data == Call::AccumulatorAt(*nonce as u64).encode();
			let nonce = (0..=count).find(asked).expect("nobody asks anything else");
			abi::encode(&[abi::Value::hash(self.accumulator(nonce))])
		};
		json!(format!("0x{}", hex::encode(answer)))
	}
}

impl Transport for Anchor {
	fn name(&self) -> &str {
		"anchor"
	}

	fn request<'a>(
		&'a self,
		method: &'a str,
		params: Value,
	) -> BoxFuture<'a, Result<Value, RpcError>> {
		let answer = self.with(|state| match (method, params[0].as_str()) {
			("eth_getBlockByNumber", Some("finalized")) => state.block(state.finalized),
			("eth_getBlockByNumber", _) => {
				state.block(small_quantity(&params[0]).expect("a number is asked for"))
			}
			("eth_call", _) => state.call(&hex_bytes(&params[0]["data"]).expect("a call has data")),
			other => panic!("nobody asks {other:?}"),
		});
		Box::pin(async { Ok(answer) })
	}
}

/// A relayer with two servers that say the same, and where the chain stands.
struct Relayer {
	anchor: Arc<Anchor>,
	contract: Contract,
	inbox: InboxRelay,
	ours: AnchorStatus,
	config: RelayConfig,
	metrics: Metrics,
}

impl Relayer {
	/// Messages with these accumulators are at the anchor, and the chain has taken so many of them.
	fn new(accumulators: &[u8], taken: usize) -> Self {
		let anchor = Arc::new(Anchor::default());
		let acc = anchor.with(|state| {
			state.finalized = 20;
			state.hash = 1;
			state.accumulators = accumulators.to_vec();
			state.accumulator(taken)
		});
		let servers = [anchor.clone(), anchor.clone()].map(|server| server as Arc<dyn Transport>);
		let mut ours = status(taken as u64, &[], 32);
		ours.taken.acc = acc;
		Self {
			anchor,
			contract: Contract::new(Reads::new(servers.to_vec(), 2), Address::default()),
			inbox: InboxRelay::default(),
			ours,
			config: RelayConfig::of(vec!["http://a:1".into(), "http://b:1".into()]),
			metrics: Metrics::new().expect("the names are distinct and valid"),
		}
	}

	/// Looks once: whether anything could be voted on then. The alarm is raised where nothing can.
	async fn sees(&mut self) -> bool {
		let looked = self
			.inbox
			.look(&self.contract, &self.ours, &self.config, &self.metrics)
			.await
			.expect("the servers answer alike");
		let is_raised = self.metrics.is_raised(Alarm::Regressed);
		assert_eq!(looked.is_none(), is_raised);
		looked.is_some()
	}
}

#[tokio::test]
async fn an_anchor_that_takes_back_what_was_final_is_not_voted_on_until_a_new_round() {
	let mut relayer = Relayer::new(&[1, 2, 3], 2);
	assert!(relayer.sees().await);
	relayer.anchor.with(|state| state.finalized = 21);
	assert!(relayer.sees().await, "it goes on");

	// Whether it is as high as before, higher, or lower.
	relayer.anchor.with(|state| state.hash = 2);
	for finalized in [21, 25, 18] {
		relayer.anchor.with(|state| state.finalized = finalized);
		assert!(!relayer.sees().await, "{finalized}");
	}

	// Governance has set the inbox: from then on, what is final now counts.
	relayer.ours.round += 1;
	assert!(relayer.sees().await);
	relayer.anchor.with(|state| state.hash = 3);
	assert!(!relayer.sees().await, "the new round has a past of its own");
}

#[tokio::test]
async fn an_inbox_that_the_chain_took_otherwise_is_not_voted_on_until_a_new_round() {
	// The place that the chain stands at is behind the newest one, or is the newest one.
	for taken in [2, 3] {
		let mut relayer = Relayer::new(&[1, 2, 3], taken);
		assert!(relayer.sees().await);
		relayer
			.anchor
			.with(|state| state.accumulators = vec![1, 8, 9]);
		assert!(!relayer.sees().await, "after {taken} messages");

		relayer.ours.round += 1;
		assert!(!relayer.sees().await, "a round alone heals nothing");
		relayer.ours.taken.acc = relayer.anchor.with(|state| state.accumulator(taken));
		assert!(relayer.sees().await);
	}
	// Nothing was taken, and yet there is an accumulator of it.
	let mut relayer = Relayer::new(&[1], 0);
	assert!(relayer.sees().await);
	relayer.ours.taken.acc = H256::repeat_byte(1);
	assert!(!relayer.sees().await);
}

#[tokio::test]
async fn an_inbox_that_is_shorter_than_what_was_taken_is_late_and_then_wrong() {
	let mut relayer = Relayer::new(&[1, 2, 3], 3);
	relayer.anchor.with(|state| state.accumulators = vec![1, 2]);
	assert!(relayer.sees().await, "servers may be behind others");
	relayer.config.alarm_seconds = 0;
	assert!(!relayer.sees().await, "and not for so long");
	relayer
		.anchor
		.with(|state| state.accumulators = vec![1, 2, 3]);
	assert!(relayer.sees().await);
}

#[test]
fn what_one_server_says_alone_is_not_voted_on_and_somebody_is_told() {
	let metrics = Metrics::new().expect("the names are distinct and valid");
	let one = RelayConfig::of(vec!["http://a:1".into()]);
	let two = RelayConfig::of(vec!["http://a:1".into(), "http://b:1".into()]);
	assert!(!may_vote(&one, 314, &metrics));
	assert!(metrics.is_raised(Alarm::FewServers));
	assert!(may_vote(&two, 314, &metrics));
	assert!(!metrics.is_raised(Alarm::FewServers));
	assert!(may_vote(&one, crate::LOCAL_CHAIN, &metrics));
	assert!(!metrics.is_raised(Alarm::FewServers));
}
