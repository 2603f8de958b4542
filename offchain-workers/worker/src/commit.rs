//! The one thread that stores receipts, and one that brings them from the journal into the
//! database.
//!
//! Bringing a batch to disk takes about as long whatever it holds, so every receipt that arrives
//! while one commit runs enters the next: the more calls, the more receipts a commit. Where many calls
//! are on their way, the thread waits a moment for theirs, too: what the disk costs the processor is
//! then shared by more of them. A receipt of a worker that is not busy waits for no other.
//!
//! The second thread is woken when half of the journal is full, and looks every second besides.

use crate::{
	errors::StoreError,
	ledger::{Key, Ledger},
	metrics::Metrics,
	receipts::{Committed, Finished, ReceiptStore, Stored},
};
use millrace_primitives::EpochIndex;
use std::{
	collections::BTreeMap,
	io,
	sync::{
		mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
		Arc,
	},
	thread,
	time::{Duration, Instant},
};
use tokio::sync::{oneshot, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Most receipts in a commit: bounds its time and memory.
const BATCH: usize = 256;
/// Calls on their way from which on a commit waits for more of them.
const CROWD: i64 = 16;
/// How long it waits: little beside the time that a call takes in such a crowd. Of 0.7, 1 and 2 ms this
/// gave the most calls a second.
const GATHER: Duration = Duration::from_millis(1);
/// Receipts that wait for the thread; a call that ends then waits for a place.
const QUEUE: usize = 1_024;
/// A receipt is in the database after about so long, even if the journal has room.
const LOOK: Duration = Duration::from_secs(1);

struct Job {
	finished: Finished,
	reply: oneshot::Sender<Stored>,
	/// Free again when the receipt is answered.
	place: OwnedSemaphorePermit,
}

/// Hands receipts to the thread.
#[derive(Clone, Debug)]
pub struct Committer {
	sender: mpsc::Sender<Job>,
	places: Arc<Semaphore>,
}

impl Committer {
	/// Starts the threads. They end when every committer is dropped, with everything in the
	/// database, or when the disk fails. `failed` is cancelled in any case: from then on nothing
	/// may be answered any more.
	pub fn start(
		store: Arc<ReceiptStore>,
		ledger: Arc<Ledger>,
		metrics: Metrics,
		failed: CancellationToken,
	) -> io::Result<(Self, thread::JoinHandle<()>)> {
		let (sender, receiver) = mpsc::channel();
		// One wish to be relieved is as good as many.
		let (wishes, wished) = mpsc::sync_channel(1);
		let (source, ended) = (store.clone(), failed.clone());
		let settling = thread::Builder::new()
			.name("settling".into())
			.spawn(move || {
				let ended = ended.drop_guard();
				match settle(&source, &wished) {
					// The other thread waits for it, and says so itself.
					Ok(()) => drop(ended.disarm()),
					Err(error) => error!("receipts do not enter the database: {error}"),
				}
			})?;
		let thread = thread::Builder::new()
			.name("receipts".into())
			.spawn(move || {
				// Whatever ends the thread, a panic included, must end the daemon with it.
				let _ended = failed.drop_guard();
				let keeper = Keeper {
					store,
					ledger,
					metrics,
					wishes,
				};
				if let Err(error) = keeper.keep(&receiver) {
					error!("receipts cannot be stored: {error}");
					return;
				}
				drop(keeper);
				if settling.join().is_err() {
					error!("the thread that brings receipts into the database failed");
				}
			})?;
		let places = Arc::new(Semaphore::new(QUEUE));
		Ok((Self { sender, places }, thread))
	}

	/// Stores a receipt. `None` when the daemon is about to stop: whether the receipt is stored is
	/// not known then, and it must be shown to nobody.
	pub async fn store(&self, finished: Finished) -> Option<Stored> {
		let place = self.places.clone().acquire_owned().await.ok()?;
		let (reply, answer) = oneshot::channel();
		let job = Job {
			finished,
			reply,
			place,
		};
		self.sender.send(job).ok()?;
		answer.await.ok()
	}
}

/// Brings receipts into the database until nobody can wish it any more.
fn settle(store: &ReceiptStore, wished: &Receiver<()>) -> Result<(), StoreError> {
	loop {
		match wished.recv_timeout(LOOK) {
			Ok(()) => store.relieve()?,
			Err(RecvTimeoutError::Timeout) => store.settle()?,
			Err(RecvTimeoutError::Disconnected) => return store.settle(),
		}
	}
}

/// What the thread works with.
struct Keeper {
	store: Arc<ReceiptStore>,
	ledger: Arc<Ledger>,
	metrics: Metrics,
	/// Wakes the thread that brings receipts into the database.
	wishes: SyncSender<()>,
}

impl Keeper {
	/// Stores what arrives, until every committer is dropped or the disk fails.
	fn keep(&self, receiver: &Receiver<Job>) -> Result<(), StoreError> {
		let mut said = None;
		while let Ok(first) = receiver.recv() {
			if self.metrics.open_calls.get() >= CROWD {
				// Asleep, so that each that comes need not wake it.
				thread::sleep(GATHER);
			}
			let mut batch = vec![first];
			batch.extend(receiver.try_iter().take(BATCH - 1));
			self.metrics.commit_receipts.observe(batch.len() as f64);
			if self.commit(batch, &mut said)? {
				// Fails if the wish is known already, or if the other thread has failed: then the
				// store takes nothing any more.
				let _ = self.wishes.try_send(());
			}
		}
		Ok(())
	}

	/// Stores a batch, then answers those who wait for it; whether half of the journal is full.
	/// `said`: the last epoch whose bodies were said to make room.
	fn commit(&self, batch: Vec<Job>, said: &mut Option<EpochIndex>) -> Result<bool, StoreError> {
		let started = Instant::now();
		let keys: Vec<Key> = batch.iter().map(|job| job.finished.call.key()).collect();
		let below = self.ledger.unwritten_below(&keys);
		let (finished, replies): (Vec<_>, Vec<_>) = batch
			.into_iter()
			.map(|job| (job.finished, (job.reply, job.place)))
			.unzip();
		let Committed {
			outcomes,
			pushed_out,
			half_full,
		} = self.store.commit(finished, &below)?;
		self.metrics
			.commit_seconds
			.observe(started.elapsed().as_secs_f64());
		tell(pushed_out, said, &self.metrics);
		self.ledger.written(&below);
		self.ledger.close(&keys);
		for ((reply, _place), outcome) in replies.into_iter().zip(outcomes) {
			// Who does not wait any more has no use for the answer; the receipt counts all the
			// same.
			let _ = reply.send(outcome);
		}
		Ok(half_full)
	}
}

/// Counts bodies that made room, and says it once an epoch: whoever cannot show what an opened
/// receipt was made of pays for it.
fn tell(pushed_out: BTreeMap<EpochIndex, u64>, said: &mut Option<EpochIndex>, metrics: &Metrics) {
	for (epoch, bodies) in pushed_out {
		metrics.bodies_pushed_out.inc_by(bodies);
		if said.is_none_or(|last| last < epoch) {
			*said = Some(epoch);
			warn!(
				epoch,
				"requests of this epoch make room for younger ones before its challenge period is \
				 over, and cannot be shown to challengers any more, which may cost 5 % of the stake; \
				 raise limits.stored_bytes"
			);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		ledger::tests::call,
		receipts::tests::{finished, open},
	};
	use futures::future::join_all;
	use std::path::Path;

	fn parts(dir: &Path) -> (Arc<ReceiptStore>, Arc<Ledger>, Metrics) {
		let ledger = Arc::new(Ledger::default());
		ledger.open_epoch(5, 0);
		let metrics = Metrics::new().expect("the names are distinct");
		(Arc::new(open(dir)), ledger, metrics)
	}

	fn start(dir: &Path) -> (Arc<ReceiptStore>, Arc<Ledger>, Committer, CancellationToken) {
		let (store, ledger, metrics) = parts(dir);
		let failed = CancellationToken::new();
		let started = Committer::start(store.clone(), ledger.clone(), metrics, failed.clone());
		let (committer, _) = started.expect("the thread starts");
		(store, ledger, committer, failed)
	}

	#[tokio::test]
	async fn nobody_is_answered_when_the_disk_is_full() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, ledger, committer, failed) = start(dir.path());
		let first = ledger.begin(call(5, 1)).expect("open");
		let stored = committer.store(finished(&first, b"one")).await;
		assert_eq!(stored, Some(Stored::Durable));
		store.fill_disk();
		let second = ledger.begin(call(5, 1)).expect("open");
		assert_eq!(committer.store(finished(&second, b"two")).await, None);
		failed.cancelled().await;
		assert_eq!(store.receipt(second.key()).expect("reads"), None);
		assert_eq!(ledger.open_calls(5), 1);
		// Nor is anybody from then on.
		let third = ledger.begin(call(5, 1)).expect("open");
		assert_eq!(committer.store(finished(&third, b"three")).await, None);
		// What was promised before can still be shown.
		assert!(store.receipt(first.key()).expect("reads").is_some());
	}

	#[tokio::test]
	async fn the_end_leaves_everything_in_the_database() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, ledger, committer, failed) = start(dir.path());
		let calls = [0, 1, 2].map(|_| ledger.begin(call(5, 1)).expect("open"));
		for call in &calls {
			let stored = committer.store(finished(call, b"x")).await;
			assert_eq!(stored, Some(Stored::Durable));
		}
		assert!(!failed.is_cancelled());
		drop(committer);
		failed.cancelled().await;
		assert!(store.is_settled());
		// Both threads have let go of it.
		drop(Arc::into_inner(store).expect("nobody else has it"));
		let store = open(dir.path());
		for call in &calls {
			assert!(store.receipt(call.key()).expect("reads").is_some());
		}
	}

	#[tokio::test]
	async fn a_crowd_shares_its_commits() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, ledger, metrics) = parts(dir.path());
		let failed = CancellationToken::new();
		let started = Committer::start(store, ledger.clone(), metrics.clone(), failed);
		let (committer, _) = started.expect("the threads start");
		metrics.open_calls.set(CROWD);
		let stored = (0..CROWD).map(|_| {
			let call = ledger.begin(call(5, 1)).expect("open");
			let committer = &committer;
			async move { committer.store(finished(&call, b"x")).await }
		});
		let stored = join_all(stored).await;
		assert_eq!(stored, [Some(Stored::Durable); CROWD as usize]);
		let commits = metrics.commit_receipts.get_sample_count();
		assert!(commits < CROWD as u64 / 2, "{commits}");
	}

	#[tokio::test]
	async fn the_database_catches_up_before_the_journal_is_full() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, ledger, committer, _) = start(dir.path());
		let call = ledger.begin(call(5, 1)).expect("open");
		committer.store(finished(&call, b"one")).await;
		let settled = async {
			while !store.is_settled() {
				tokio::time::sleep(LOOK / 10).await;
			}
		};
		let in_time = tokio::time::timeout(30 * LOOK, settled).await;
		in_time.expect("the thread settles");
		assert!(store.receipt(call.key()).expect("reads").is_some());
	}
}
