//! Calls through the daemon's own parts, with a real guest and without a chain.

mod common;

use common::{duties, first_key, limits, package, world, world_of, DEAL, EPOCH, GENESIS, MODULE};
use millrace_client::{verify_peer_signature, PeerKeypair};
use millrace_primitives::execution::{CallStatus, Request, SignedReceipt};
use millrace_worker::{
	birth::Birth,
	calls::{Answer, Calls, Dates},
	errors::Refusal,
	ledger::Call,
	receipts::ReceiptStore,
	report::{Capacity, Tally},
	Limits,
};
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};
use tokio::time::sleep;

fn request(number: usize) -> Request {
	Request {
		method: "GET".into(),
		path: format!("/{number}"),
		..Request::default()
	}
}

/// What a chain at block 115 says of a key to a directory that was there from the beginning.
fn dates(key_since: u32) -> Dates {
	let duties = duties([0; 32], package(MODULE));
	Dates::new(115, &duties, key_since, Birth { epoch: 0, ms: 0 })
}

/// Waits until everything that used the directory has let go of it.
async fn let_go(dir: &Path) {
	while ReceiptStore::open(dir, GENESIS, first_key().id(), 1 << 20).is_err() {
		sleep(Duration::from_millis(50)).await;
	}
}

/// Makes three calls of which the second one never ends, as a kill leaves them.
async fn interrupt(dir: &Path) -> Arc<Call> {
	let world = world(dir, limits()).await;
	let begun = one(&world.calls, 0).await.expect("an answer");
	assert_eq!(begun.receipt.receipt.seq, 0);
	let (call, _) = world.store.body((EPOCH, 0)).expect("reads").expect("kept");
	let call = world.ledger.begin(Call {
		request: request(1),
		..call
	});
	let last = one(&world.calls, 2).await.expect("an answer");
	assert_eq!(last.receipt.receipt.seq, 2);
	call.expect("the epoch is open")
}

async fn one(calls: &Arc<Calls>, number: usize) -> Result<Answer, Refusal> {
	calls.execute(calls.admit(DEAL)?, request(number)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_calls_are_numbered_without_gap_and_stay() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let callers: Vec<_> = (0..60)
		.map(|number| {
			let calls = world.calls.clone();
			tokio::spawn(async move { one(&calls, number).await })
		})
		.collect();
	let mut seen = BTreeSet::new();
	for caller in callers {
		let answer = caller.await.expect("no panic").expect("an answer");
		let SignedReceipt { receipt, signature } = &answer.receipt;
		assert_eq!(
			(receipt.status, receipt.epoch, receipt.block),
			(CallStatus::Exited(0), 5, 110)
		);
		let key = world.identity.key.public();
		assert!(verify_peer_signature(&key, receipt.hash(), signature));
		let stored = world.store.receipt((EPOCH, receipt.seq)).expect("reads");
		assert_eq!(
			stored.as_ref(),
			Some(&answer.receipt),
			"stored before it is answered"
		);
		seen.insert(receipt.seq);
	}
	assert_eq!(seen, (0..60).collect::<BTreeSet<u32>>());
	assert_eq!(world.ledger.open_calls(EPOCH), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_interrupted_is_completed_after_a_restart() {
	let dir = tempfile::tempdir().expect("a directory");
	let interrupted = interrupt(dir.path()).await;
	assert_eq!(interrupted.seq, 1);
	let_go(dir.path()).await;
	let world = world(dir.path(), limits()).await;
	assert_eq!(world.ledger.open_calls(EPOCH), 1);
	world.calls.recover(&dates(1)).await;
	assert_eq!(world.ledger.open_calls(EPOCH), 0);
	let receipt = world
		.store
		.receipt((EPOCH, 1))
		.expect("reads")
		.expect("completed")
		.receipt;
	assert_eq!(receipt.request, request(1).hash());
	assert_eq!(
		one(&world.calls, 3)
			.await
			.expect("an answer")
			.receipt
			.receipt
			.seq,
		3
	);
	let make = |tally: Tally| tally.into_report(EPOCH, &Capacity::none());
	assert_eq!(
		world
			.store
			.report_once(EPOCH, make)
			.expect("stores")
			.report
			.receipts,
		4
	);
	// And nothing enters the epoch from then on.
	assert_eq!(one(&world.calls, 4).await.err(), Some(Refusal::EpochEnded));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_call_is_signed_where_the_new_key_counts() {
	let dir = tempfile::tempdir().expect("a directory");
	let interrupted = interrupt(dir.path()).await;
	let_go(dir.path()).await;
	let old = first_key();
	let new = PeerKeypair::from_seed([10; 32], Some(old.id()));
	let world = world_of(dir.path(), limits(), new, MODULE).await;
	world.calls.recover(&dates(112)).await;
	assert_eq!(world.ledger.open_calls(EPOCH), 0);
	let receipt = |seq| {
		let stored = world.store.receipt((EPOCH, seq)).expect("reads");
		stored.expect("every number has a receipt")
	};
	let recovered = receipt(1);
	assert_eq!(interrupted.block, 110);
	assert_eq!(recovered.receipt.block, 112);
	assert_eq!(recovered.receipt.request, request(1).hash());
	let (call, _) = world.store.body((EPOCH, 1)).expect("reads").expect("kept");
	assert_eq!(call.clock_ms, interrupted.clock_ms + 2_000);
	// Each receipt is signed by the key that counted at its block.
	let new = world.identity.key.public();
	for (seq, block, key) in [
		(0, 110, old.public()),
		(1, 112, new),
		(2, 110, old.public()),
	] {
		let SignedReceipt { receipt, signature } = receipt(seq);
		assert_eq!(receipt.block, block);
		assert!(verify_peer_signature(&key, receipt.hash(), &signature));
	}
	let make = |tally: Tally| tally.into_report(EPOCH, &Capacity::none());
	let report = world.store.report_once(EPOCH, make).expect("stores").report;
	assert_eq!(report.receipts, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_no_key_can_sign_leaves_a_gap() {
	let dir = tempfile::tempdir().expect("a directory");
	interrupt(dir.path()).await;
	let_go(dir.path()).await;
	let new = PeerKeypair::from_seed([10; 32], Some(first_key().id()));
	let world = world_of(dir.path(), limits(), new, MODULE).await;
	world.calls.recover(&dates(116)).await;
	// Nobody waits for it any more, and its number stays free.
	assert_eq!(world.ledger.open_calls(EPOCH), 0);
	assert_eq!(world.store.receipt((EPOCH, 1)).expect("reads"), None);
	assert_eq!(world.store.next_seq(EPOCH).expect("reads"), 3);
	let mut lost = 0;
	let report = world.store.report_once(EPOCH, |tally| {
		lost = tally.lost;
		tally.into_report(EPOCH, &Capacity::none())
	});
	assert_eq!((report.expect("stores").report.receipts, lost), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_end_is_replaced_by_one_that_can() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	one(&world.calls, 0).await.expect("an answer");
	let (call, _) = world.store.body((EPOCH, 0)).expect("reads").expect("kept");
	let stuck = world
		.ledger
		.begin(Call {
			request: request(1),
			..call
		})
		.expect("open");
	one(&world.calls, 2).await.expect("an answer");
	world.ledger.abandon(stuck.key(), false);
	world.calls.recover(&dates(1)).await;
	let filled = world
		.store
		.receipt(stuck.key())
		.expect("reads")
		.expect("filled")
		.receipt;
	assert_eq!(filled.seq, 1);
	assert!([request(0).hash(), request(2).hash()].contains(&filled.request));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_more_than_there_are_places_is_refused() {
	let dir = tempfile::tempdir().expect("a directory");
	let few = Limits {
		concurrent_calls: 1,
		queued_calls: 1,
		..Limits::default()
	};
	let world = world(dir.path(), few).await;
	let first = world.calls.admit(DEAL).expect("a place");
	let _second = world.calls.admit(DEAL).expect("a place");
	assert_eq!(world.calls.admit(DEAL).err(), Some(Refusal::Busy));
	drop(first);
	assert!(world.calls.admit(DEAL).is_ok());
}
