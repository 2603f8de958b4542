//! Calls through the daemon's own parts, with a real guest and without a chain.

mod common;

use bytes::Bytes;
use common::{
	assignment, duties, first_key, in_process, limits, package, snapshot, world, world_of, World,
	DEAL, EPOCH, GENESIS, MODULE,
};
use futures::future::BoxFuture;
use millrace_client::{verify_peer_signature, PeerKeypair};
use millrace_executor::{CallOutput, ModuleInfo};
use millrace_primitives::{
	effects::{effect_hash, EffectRecord, Transcript},
	execution::{CallStatus, Request, SignedReceipt, UNVERIFIED},
	DealId,
};
use millrace_sandbox::{GuestCall, GuestError, Guests, PrepareError, Protection};
use millrace_worker::{
	birth::Birth,
	calls::{Answer, Calls, Dates},
	errors::Refusal,
	ledger::Call,
	receipts::ReceiptStore,
	report::{Capacity, Tally},
	Limits,
};
use std::{
	collections::BTreeSet,
	path::Path,
	sync::{
		atomic::{AtomicUsize, Ordering},
		mpsc, Arc, Mutex,
	},
	time::Duration,
};
use tokio::{sync::Semaphore, time::sleep};

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

/// The call that a stored receipt is of.
fn kept(world: &World, seq: u32) -> Call {
	let body = world.store.body((EPOCH, seq)).expect("reads");
	body.expect("kept").call
}

/// Makes three calls of which the second one never ends, as a kill leaves them.
async fn interrupt(dir: &Path) -> Arc<Call> {
	let world = world(dir, limits()).await;
	let begun = one(&world.calls, 0).await.expect("an answer");
	assert_eq!(begun.receipt.receipt.seq, 0);
	let call = kept(&world, 0);
	let call = world.ledger.begin(Call {
		request: Arc::new(request(1)),
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
async fn a_receipt_keeps_to_the_terms_of_its_deal() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let answer = one(&world.calls, 0).await.expect("an answer");
	let terms = duties([0; 32], package(MODULE)).assignments[0].terms();
	assert!(answer.receipt.receipt.fits_terms(GENESIS, &terms));
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
	let call = kept(&world, 1);
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
	let call = kept(&world, 0);
	let stuck = world
		.ledger
		.begin(Call {
			request: Arc::new(request(1)),
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

/// Runs guests as told.
#[derive(Debug)]
struct Told {
	inner: Arc<dyn Guests>,
	/// Calls that began.
	begun: AtomicUsize,
	/// Calls wait for a permit of it each.
	may_end: Semaphore,
	/// What happens to the next calls, the last one first, before they run.
	fails: Mutex<Vec<GuestError>>,
	/// Told by every guest.
	transcript: Transcript,
}

impl Told {
	fn new(fails: Vec<GuestError>) -> Arc<Self> {
		Arc::new(Self {
			inner: in_process(4),
			begun: AtomicUsize::new(0),
			may_end: Semaphore::new(Semaphore::MAX_PERMITS),
			fails: Mutex::new(fails),
			transcript: Transcript::default(),
		})
	}

	/// Waits until so many calls have begun.
	async fn begun(&self, calls: usize) {
		while self.begun.load(Ordering::SeqCst) < calls {
			sleep(Duration::from_millis(5)).await;
		}
	}
}

impl Guests for Told {
	fn prepare(&self, package: Bytes) -> BoxFuture<'_, Result<ModuleInfo, PrepareError>> {
		self.inner.prepare(package)
	}

	fn call(&self, call: GuestCall) -> BoxFuture<'_, Result<CallOutput, GuestError>> {
		Box::pin(async move {
			self.begun.fetch_add(1, Ordering::SeqCst);
			let permit = self.may_end.acquire().await.expect("never closed");
			permit.forget();
			let fails = self.fails.lock().expect("nobody panics").pop();
			if let Some(error) = fails {
				return Err(error);
			}
			let output = self.inner.call(call).await?;
			Ok(CallOutput {
				transcript: self.transcript.clone(),
				..output
			})
		})
	}

	fn keep(&self, deals: &BTreeSet<DealId>) {
		self.inner.keep(deals);
	}

	fn describe(&self) -> Protection {
		self.inner.describe()
	}
}

async fn world_with(dir: &Path, limits: Limits, guests: Arc<Told>) -> World {
	let deals = [DEAL, DEAL + 1].map(|deal| (assignment(deal, package(MODULE)), MODULE.to_vec()));
	World::open(dir, limits, first_key(), guests, deals.to_vec()).await
}

fn spawn(world: &World, deal: DealId) -> tokio::task::JoinHandle<Result<Answer, Refusal>> {
	let calls = world.calls.clone();
	tokio::spawn(async move { calls.execute(calls.admit(deal)?, request(0)).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_turn_ends_with_the_guest() {
	let dir = tempfile::tempdir().expect("a directory");
	let guests = Told::new(Vec::new());
	let one = Limits {
		concurrent_calls: 1,
		..limits()
	};
	let world = world_with(dir.path(), one, guests.clone()).await;
	// The disk is busy: nothing is stored until this transaction ends.
	let (end, wait) = mpsc::channel::<()>();
	let (began, beginning) = mpsc::channel::<()>();
	let store = world.store.clone();
	let disk = std::thread::spawn(move || {
		store.report_once(EPOCH - 1, |tally| {
			began.send(()).expect("somebody waits");
			// Ends, too, when the test has failed.
			let _ = wait.recv_timeout(Duration::from_secs(60));
			tally.into_report(EPOCH - 1, &Capacity::none())
		})
	});
	beginning.recv().expect("it begins");
	let waiting: Vec<_> = (0..5).map(|_| spawn(&world, DEAL)).collect();
	tokio::time::timeout(Duration::from_secs(30), guests.begun(5))
		.await
		.expect("no guest waits for the receipt of another");
	assert_eq!(world.store.next_seq(EPOCH).expect("reads"), 0);
	end.send(()).expect("it waits");
	disk.join().expect("no panic").expect("stores");
	for answer in waiting {
		answer.await.expect("no panic").expect("an answer");
	}
	assert_eq!(world.store.next_seq(EPOCH).expect("reads"), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_whose_guests_do_not_end_holds_up_itself_alone() {
	let dir = tempfile::tempdir().expect("a directory");
	let mut guests = Told::new(Vec::new());
	// Only as many calls end as are let.
	Arc::get_mut(&mut guests).expect("it is ours alone").may_end = Semaphore::new(0);
	let few = Limits {
		concurrent_calls: 2,
		calls_per_unit: 1,
		queued_calls: 8,
		queued_calls_per_deal: 2,
		..limits()
	};
	let world = world_with(dir.path(), few, guests.clone()).await;
	let stuck: Vec<_> = (0..3).map(|_| spawn(&world, DEAL)).collect();
	guests.begun(1).await;
	while world.calls.request_bytes(DEAL).is_ok() {
		sleep(Duration::from_millis(5)).await;
	}
	assert_eq!(world.calls.request_bytes(DEAL), Err(Refusal::Busy));
	assert_eq!(world.calls.admit(DEAL).err(), Some(Refusal::Busy));
	// The first call of the other deal begins beside the one that is stuck.
	let other = spawn(&world, DEAL + 1);
	guests.begun(2).await;
	assert_eq!(world.ledger.open_calls(EPOCH), 2, "who waits has no number");
	guests.may_end.add_permits(4);
	for call in stuck.into_iter().chain([other]) {
		call.await.expect("no panic").expect("an answer");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_takes_its_call_along_only_while_it_waits() {
	let dir = tempfile::tempdir().expect("a directory");
	let mut guests = Told::new(Vec::new());
	Arc::get_mut(&mut guests).expect("it is ours alone").may_end = Semaphore::new(0);
	let one = Limits {
		concurrent_calls: 1,
		..limits()
	};
	let world = world_with(dir.path(), one, guests.clone()).await;
	let runs = spawn(&world, DEAL);
	guests.begun(1).await;
	let waits = spawn(&world, DEAL);
	while world.metrics.open_calls.get() < 2 {
		sleep(Duration::from_millis(5)).await;
	}
	for client in [runs, waits] {
		client.abort();
		assert!(client.await.expect_err("it has left").is_cancelled());
	}
	// What runs keeps its place until its receipt is stored.
	assert_eq!(world.metrics.open_calls.get(), 1);
	guests.may_end.add_permits(2);
	while world.metrics.open_calls.get() > 0 {
		sleep(Duration::from_millis(5)).await;
	}
	assert_eq!(guests.begun.load(Ordering::SeqCst), 1);
	assert_eq!(world.ledger.open_calls(EPOCH), 0);
	assert_eq!(world.store.next_seq(EPOCH).expect("reads"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_cannot_be_made_again_is_told() {
	let dir = tempfile::tempdir().expect("a directory");
	let guests = Told::new(vec![GuestError::NotPrepared, GuestError::NotPrepared]);
	let world = world_with(dir.path(), limits(), guests.clone()).await;
	let told = one(&world.calls, 0).await.err();
	assert!(
		matches!(told, Some(Refusal::PackageUnavailable(_))),
		"{told:?}"
	);
	assert_eq!(guests.begun.load(Ordering::SeqCst), 2);
	// Its number is open until somebody fills its place.
	world.calls.recover(&dates(1)).await;
	assert_eq!(world.ledger.open_calls(EPOCH), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_made_room_is_made_again_and_the_call_has_one_number() {
	let dir = tempfile::tempdir().expect("a directory");
	let guests = Told::new(vec![GuestError::NotPrepared]);
	let world = world_with(dir.path(), limits(), guests.clone()).await;
	let answer = one(&world.calls, 0).await.expect("an answer");
	assert_eq!(answer.receipt.receipt.seq, 0);
	assert_eq!(guests.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn host_trouble_is_never_signed() {
	let crashed = || GuestError::Crashed("signal 9".into());
	let slow = GuestError::TimedOut(Duration::from_secs(1));
	for (error, told, is_run_again) in [
		(crashed(), Refusal::Internal, true),
		(GuestError::Host("none".into()), Refusal::Internal, true),
		(slow, Refusal::CallTimeout, false),
	] {
		let dir = tempfile::tempdir().expect("a directory");
		let guests = Told::new(vec![error]);
		let world = world_with(dir.path(), limits(), guests.clone()).await;
		assert_eq!(one(&world.calls, 0).await.err(), Some(told));
		assert_eq!(world.store.next_seq(EPOCH).expect("reads"), 0);
		// Its number is open until somebody fills its place.
		assert_eq!(world.ledger.open_calls(EPOCH), 1);
		world.calls.recover(&dates(1)).await;
		let stored = world.store.receipt((EPOCH, 0)).expect("reads");
		assert_eq!(stored.is_some(), is_run_again);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_whose_processes_fail_rests() {
	let dir = tempfile::tempdir().expect("a directory");
	let guests = Told::new(vec![GuestError::Busy]);
	let world = world_with(dir.path(), limits(), guests).await;
	assert_eq!(one(&world.calls, 0).await.err(), Some(Refusal::Busy));
	// No further number is spent on it, and the other deal is served.
	assert_eq!(world.calls.admit(DEAL).err(), Some(Refusal::Busy));
	assert_eq!(world.ledger.open_calls(EPOCH), 1);
	let other = spawn(&world, DEAL + 1).await.expect("no panic");
	assert_eq!(other.expect("an answer").receipt.receipt.seq, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_was_told_is_in_its_receipt() {
	let dir = tempfile::tempdir().expect("a directory");
	let transcript = Transcript(vec![EffectRecord {
		request: effect_hash(b"asked"),
		reply: b"told".to_vec(),
	}]);
	let mut guests = Told::new(Vec::new());
	Arc::get_mut(&mut guests)
		.expect("it is ours alone")
		.transcript = transcript.clone();
	let world = world_with(dir.path(), limits(), guests).await;
	let answer = one(&world.calls, 0).await.expect("an answer");
	assert_eq!(answer.receipt.receipt.transcript, transcript.hash());
	let body = world.store.body((EPOCH, 0)).expect("reads").expect("kept");
	assert_eq!(body.transcript, transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_beyond_what_the_chain_replays_is_marked() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let mut deal = assignment(DEAL, package(MODULE));
	deal.limits.gas = u64::MAX;
	// As the chain has kept it.
	deal.profile |= UNVERIFIED;
	let terms = deal.terms();
	assert!(!terms.is_verifiable());
	let block = snapshot(&world.identity, vec![deal]);
	world.snapshots.send_replace(Some(block));
	let answer = one(&world.calls, 0).await.expect("an answer");
	assert!(answer.receipt.receipt.fits_terms(GENESIS, &terms));
	assert_eq!(answer.receipt.receipt.profile, terms.profile);
}
