//! Pools that forget, fill up and get dearer.

use super::*;
use crate::evm::{Reads, Transport};
use futures::future::BoxFuture;
use serde_json::{json, Value};
use std::sync::{Arc, Mutex};

/// A pool and a chain of a test.
#[derive(Debug, Default)]
struct State {
	/// Price below which the pool takes nothing.
	floor: u64,
	/// Raw transactions that it took.
	taken: Vec<String>,
	/// Transactions of the account before them.
	before: u64,
	/// Whether the last one is in a block.
	mined: bool,
	/// Whether its receipt is not told yet.
	hidden: bool,
	/// What the contract says to everything.
	revert: Option<&'static str>,
	balance: u64,
}

#[derive(Debug, Default)]
struct Pool(Mutex<State>);

impl Pool {
	fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
		change(&mut self.0.lock().expect("nobody panics with it"))
	}
}

fn refused(message: &str, revert: Option<&str>) -> RpcError {
	RpcError::Refused {
		server: "s".into(),
		method: "m".into(),
		code: 3,
		message: message.into(),
		revert: revert.map(|digits| hex::decode(digits).expect("it is hexadecimal")),
	}
}

impl Transport for Pool {
	fn name(&self) -> &str {
		"pool"
	}

	fn request<'a>(
		&'a self,
		method: &'a str,
		params: Value,
	) -> BoxFuture<'a, Result<Value, RpcError>> {
		let answer = self.with(|state| match method {
			"eth_call" => match state.revert {
				Some(digits) => Err(refused("reverted", Some(digits))),
				None => Ok(json!("0x")),
			},
			"eth_estimateGas" => Ok(json!("0x64")),
			"eth_getBlockByNumber" => Ok(json!({ "baseFeePerGas": "0xa" })),
			"eth_maxPriorityFeePerGas" => Ok(json!("0x1")),
			"eth_getTransactionCount" => {
				let nonce = state.before + u64::from(state.mined);
				Ok(json!(format!("{nonce:#x}")))
			}
			"eth_getBalance" => Ok(json!(format!("{:#x}", state.balance))),
			"eth_sendRawTransaction" => {
				let offered = 21 + 6 * state.taken.len() as u64;
				if state.taken.is_empty() && offered < state.floor {
					state.floor -= 5;
					return Err(refused("replacement transaction underpriced", None));
				}
				let raw = params[0].as_str().unwrap_or_default().to_string();
				state.taken.push(raw);
				Ok(json!("0x"))
			}
			"eth_getTransactionReceipt" => match state.mined && !state.hidden {
				true => Ok(json!({"status": "0x1", "blockNumber": "0x2", "gasUsed": "0x60"})),
				false => Ok(Value::Null),
			},
			other => panic!("nobody asks {other}"),
		});
		Box::pin(async { answer })
	}
}

fn sender(pool: &Arc<Pool>, max: u64) -> Sender {
	let reads = Reads::new(vec![pool.clone() as Arc<dyn Transport>], 1);
	let key = AnchorKey::development(1).expect("there is one");
	let rules = SendRules {
		chain_id: 31_337,
		limits: FeeLimits { max: max.into() },
		bump_after: Duration::ZERO,
		max_bytes: 1_000,
	};
	Sender::new(Contract::new(reads, Address([9; 20])), key, rules)
}

fn pool(balance: u64) -> Arc<Pool> {
	let pool = Arc::new(Pool::default());
	pool.with(|state| state.balance = balance);
	pool
}

#[tokio::test]
async fn what_waits_is_replaced_by_a_dearer_one_until_it_is_in_a_block() {
	let pool = pool(1_000_000);
	let mut sender = sender(&pool, 1_000);
	let call = Call::Getter("status");
	assert_eq!(
		sender.send(&call).await.expect("it is sent"),
		Progress::Waiting
	);
	assert_eq!(
		sender.send(&call).await.expect("it is replaced"),
		Progress::Waiting
	);
	let (first, second) = pool.with(|state| (state.taken[0].clone(), state.taken[1].clone()));
	assert_ne!(first, second, "another price");
	pool.with(|state| state.mined = true);
	let done = sender.send(&call).await.expect("it is in a block");
	assert!(
		matches!(done, Progress::Done(Receipt { block: 2, .. })),
		"{done:?}"
	);
	assert!(!sender.is_busy());
}

#[tokio::test]
async fn a_receipt_that_comes_behind_the_nonce_is_waited_for() {
	let pool = pool(1_000_000);
	let mut sender = sender(&pool, 1_000);
	let call = Call::Getter("status");
	sender.send(&call).await.expect("it is sent");
	assert!(sender.is_sending("status") && !sender.is_sending("submit"));
	pool.with(|state| (state.mined, state.hidden) = (true, true));
	let waits = sender.send(&call).await.expect("it can be asked for");
	assert_eq!(waits, Progress::Waiting);
	assert_eq!(
		pool.with(|state| state.taken.len()),
		1,
		"it is not sent again"
	);
	pool.with(|state| state.hidden = false);
	let done = sender.send(&call).await.expect("it is told");
	assert!(matches!(done, Progress::Done(_)), "{done:?}");
}

#[tokio::test]
async fn what_waits_behind_a_gap_for_long_is_forgotten_and_the_gap_is_filled() {
	let pool = pool(1_000_000);
	pool.with(|state| state.before = 5);
	let mut sender = sender(&pool, 1_000);
	let call = Call::Getter("status");
	sender.send(&call).await.expect("it is sent");
	// The anchor takes back the account's transaction before it.
	pool.with(|state| state.before = 4);
	sender.rules.bump_after = Duration::from_secs(60);
	let waits = sender.attend().await.expect("it can be asked for");
	assert_eq!(waits, Some(Progress::Waiting), "a server may be behind");
	assert_eq!(
		pool.with(|state| state.taken.len()),
		1,
		"a price is no help"
	);

	sender.rules.bump_after = Duration::ZERO;
	let forgotten = sender.attend().await.expect("it can be asked for");
	assert_eq!(forgotten, Some(Progress::Replaced));
	sender.send(&call).await.expect("it is sent anew");
	let pending = sender.pending.as_ref().expect("it waits");
	assert_eq!(pending.transaction.nonce, 4);
}

#[tokio::test]
async fn nothing_is_sent_while_the_base_fee_is_above_the_limit() {
	let pool = pool(1_000_000);
	let error = sender(&pool, 9).send(&Call::Status).await;
	assert!(
		matches!(error, Err(SendError::FeeLimit { .. })),
		"{error:?}"
	);
	assert!(pool.with(|state| state.taken.is_empty()));
}

#[tokio::test]
async fn the_limit_ends_raising_and_what_waits_goes_on_waiting() {
	let pool = pool(1_000_000);
	let mut sender = sender(&pool, 25);
	let call = Call::Getter("status");
	sender.send(&call).await.expect("it is sent");
	let error = sender
		.send(&call)
		.await
		.expect_err("26 % more is over the limit");
	assert!(matches!(error, SendError::FeeLimit { .. }), "{error}");
	assert!(sender.is_busy());
	assert_eq!(pool.with(|state| state.taken.len()), 1);
}

#[tokio::test]
async fn a_transaction_from_before_a_restart_is_outbid() {
	let pool = pool(1_000_000);
	pool.with(|state| state.floor = 35);
	let mut sender = sender(&pool, 1_000);
	sender
		.send(&Call::Getter("status"))
		.await
		.expect("it is sent for more");
	assert_eq!(pool.with(|state| state.taken.len()), 1);
}

#[tokio::test]
async fn what_the_contract_would_refuse_costs_nothing() {
	let pool = pool(1_000_000);
	// ClientFrozen().
	let selector = hex::encode(&crate::evm::keccak(b"ClientFrozen()").0[..4]);
	pool.with(|state| state.revert = Some(Box::leak(selector.into_boxed_str())));
	let refused = sender(&pool, 1_000).send(&Call::Status).await;
	let Ok(Progress::Refused(refusal)) = refused else {
		panic!("{refused:?}");
	};
	assert_eq!(refusal.name, "ClientFrozen");
	assert!(pool.with(|state| state.taken.is_empty()));
}

#[tokio::test]
async fn an_account_without_coins_is_named() {
	let pool = pool(2_624);
	let error = sender(&pool, 1_000).send(&Call::Status).await;
	// 125 gas at 21 each.
	let Err(SendError::Funds { has, needed, .. }) = error else {
		panic!("{error:?}");
	};
	assert_eq!((has, needed), (2_624.into(), 2_625.into()));
}

#[tokio::test]
async fn what_is_too_long_for_the_anchor_is_not_sent() {
	let pool = pool(1_000_000);
	let call = Call::ForceInclude(vec![1; 1_000]);
	let error = sender(&pool, 1_000).send(&call).await;
	assert!(matches!(error, Err(SendError::TooLong { .. })), "{error:?}");
	assert!(pool.with(|state| state.taken.is_empty()));
}
