//! Calls that are made again: by the workers' engine, and by the chain's judge where it differs.

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use millrace_client::PeerKeypair;
use millrace_executor::{CallOutput, EngineConfig, ModuleInfo};
use millrace_primitives::{
	challenge::Evidence,
	effects::Transcript,
	execution::{
		package_hash, response_hash, CallStatus, CallTerms, Receipt, Request, SignedReceipt,
		ARBITRATION_GAS,
	},
	market::{Abi, CallLimits, Hosts, Package},
	replay::ReplayOutcome,
	DealId, H256,
};
use millrace_sandbox::{GuestCall, GuestError, Guests, InProcess, PrepareError, Protection};
use millrace_watcher::{Material, Verdict};
use std::{collections::BTreeSet, sync::Arc};

const GENESIS: H256 = H256::repeat_byte(1);

/// A guest that writes what it reads.
const ECHO: &str = r#"(module
	(import "wasi_snapshot_preview1" "fd_read"
		(func $read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_write"
		(func $write (param i32 i32 i32 i32) (result i32)))
	(memory (export "memory") 1)
	(func (export "_start")
		(i32.store (i32.const 0) (i32.const 64))
		(i32.store (i32.const 4) (i32.const 1024))
		(drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
		(i32.store (i32.const 4) (i32.load (i32.const 8)))
		(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

fn guests() -> InProcess {
	let config = EngineConfig {
		max_concurrent_calls: 1,
		..EngineConfig::default()
	};
	InProcess::new(config).expect("the engine starts")
}

/// A call of a guest with a receipt that claims this response.
fn material(package: &[u8], response: &[u8], gas: u64) -> Material {
	let described = Package {
		hash: package_hash(package),
		size: package.len() as u32,
		links: Default::default(),
		abi: Abi::default(),
	};
	let limits = CallLimits {
		gas: 10_000_000,
		memory_bytes: 1 << 20,
		request_bytes: 1024,
		response_bytes: 1024,
	};
	let terms = CallTerms::new(3, &described, limits, Hosts::default());
	let request = Request {
		method: "POST".into(),
		path: "/".into(),
		body: b"hello".to_vec(),
		..Default::default()
	};
	let key = PeerKeypair::from_seed([1; 32], None);
	let receipt = Receipt {
		genesis: GENESIS,
		seed: H256::zero(),
		deal: 3,
		peer: key.id(),
		epoch: 4,
		seq: 5,
		package: described.hash,
		profile: terms.profile,
		terms: terms.hash(GENESIS),
		request: request.hash(),
		response: response_hash(response),
		transcript: Transcript::default().hash(),
		status: CallStatus::Exited(0),
		gas,
		block: 90,
	};
	Material {
		receipt: SignedReceipt {
			signature: key.sign_hash(receipt.hash()),
			receipt,
		},
		terms,
		package: Bytes::copy_from_slice(package),
		request,
		transcript: Transcript::default(),
		clock_ms: 1_000_000,
	}
}

fn echo() -> Vec<u8> {
	wat::parse_str(ECHO).expect("that is a module")
}

/// What the guest really takes, told by the judge of a receipt that claims too much.
async fn true_gas(package: &[u8]) -> u64 {
	match material(package, b"hello", 9_999_999).judge().await {
		Verdict::False(ReplayOutcome::Ended { gas, .. }) => gas,
		other => panic!("the call ends, and takes less: {other:?}"),
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_receipt_is_true() {
	let package = echo();
	let honest = material(&package, b"hello", true_gas(&package).await);
	assert!(honest.is_complete());
	assert_eq!(honest.check(&guests()).await, Verdict::True);
	assert_eq!(honest.judge().await, Verdict::True);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_response_or_more_gas_is_false_and_can_be_proven() {
	let package = echo();
	let gas = true_gas(&package).await;
	let (hello, other) = (&b"hello"[..], &b"other"[..]);
	for (response, gas) in [(other, gas), (hello, gas + 1), (hello, gas - 1)] {
		let lie = material(&package, response, gas);
		let verdict = lie.check(&guests()).await;
		assert!(matches!(verdict, Verdict::False(_)), "{verdict}");
		let evidence = lie.evidence().expect("it is small");
		let Evidence::Replay { package: shown, .. } = evidence else {
			panic!("that is proven by a replay");
		};
		assert_eq!(shown.into_inner(), package);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn no_receipt_of_what_cannot_run_is_true() {
	let library = wat::parse_str("(module)").expect("that is a module");
	let lie = material(&library, b"", 10);
	let verdict = lie.check(&guests()).await;
	assert_eq!(verdict, Verdict::False(ReplayOutcome::PackageInvalid));
}

#[tokio::test]
async fn what_the_chain_does_not_run_is_not_judged() {
	let package = echo();
	let dear = material(&package, b"hello", ARBITRATION_GAS + 1);
	assert!(matches!(dear.judge().await, Verdict::Unknown(_)));
	assert!(dear.evidence().is_none());
	let mut long = material(&package, b"hello", 10);
	long.request.body = vec![0; 1025];
	assert!(long.evidence().is_none());
	assert!(!long.is_complete());
}

/// Guests whose engine is wrong about everything, or gives no answer.
#[derive(Debug)]
struct Wrong {
	fails: bool,
}

impl Guests for Wrong {
	fn prepare(&self, package: Bytes) -> BoxFuture<'_, Result<ModuleInfo, PrepareError>> {
		async move { Ok(millrace_executor::validate(&package).expect("it can run")) }.boxed()
	}

	fn call(&self, _: GuestCall) -> BoxFuture<'_, Result<CallOutput, GuestError>> {
		let fails = self.fails;
		async move {
			match fails {
				true => Err(GuestError::Busy),
				false => Ok(CallOutput {
					status: CallStatus::Trapped,
					response: Vec::new(),
					stderr: Vec::new(),
					gas: 1,
					transcript: Transcript::default(),
				}),
			}
		}
		.boxed()
	}

	fn keep(&self, _: &BTreeSet<DealId>) {}

	fn describe(&self) -> Protection {
		Protection::None
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_wrong_costs_nobody_a_bond() {
	let package = echo();
	let gas = true_gas(&package).await;
	for fails in [false, true] {
		let guests: Arc<dyn Guests> = Arc::new(Wrong { fails });
		let honest = material(&package, b"hello", gas);
		assert_eq!(honest.check(&*guests).await, Verdict::True);
		let lie = material(&package, b"other", gas);
		let verdict = lie.check(&*guests).await;
		assert!(matches!(verdict, Verdict::False(_)), "{verdict}");
	}
}
