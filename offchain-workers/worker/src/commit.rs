//! Stores receipts, many with one commit, and brings them from the journal into the database.
//!
//! Who has a receipt to store while nobody stores any does it itself, on the thread on which it is: a
//! call that is alone waits for the disk and for no other thread. Bringing a batch to disk takes about
//! as long whatever it holds, so every receipt that arrives while one commit runs enters the next,
//! which the same thread makes: the more calls, the more receipts a commit. Who only leaves a receipt
//! goes on at once. Where many calls are on their way, a moment is waited for theirs, too: what the
//! disk costs the processor is then shared by more of them. A receipt of a worker that is not busy
//! waits for no other.
//!
//! What the journal holds enters the database on a thread of its own, which is woken when half of it
//! is full, and looks every second besides.

use crate::{
	errors::StoreError,
	ledger::{Key, Ledger},
	metrics::Metrics,
	receipts::{Committed, Finished, ReceiptStore, Stored},
};
use millrace_primitives::EpochIndex;
use std::{
	collections::{BTreeMap, VecDeque},
	fmt, io, mem,
	sync::{
		mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
		Arc, Mutex, MutexGuard, PoisonError,
	},
	thread,
	time::{Duration, Instant},
};
use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Most receipts in a commit: bounds its time and memory.
const BATCH: usize = 256;
/// Calls on their way from which on a commit waits for more of them.
const CROWD: i64 = 16;
/// How long it waits: little beside the time that a call takes in such a crowd. Of 0.7, 1 and 2 ms this
/// gave the most calls a second.
const GATHER: Duration = Duration::from_millis(1);
/// A receipt is in the database after about so long, even if the journal has room.
const LOOK: Duration = Duration::from_secs(1);

/// A receipt to be stored, and what is done then.
struct Job {
	finished: Finished,
	then: Box<dyn FnOnce(Stored) + Send>,
}

/// Stores receipts.
#[derive(Clone)]
pub struct Committer {
	shared: Arc<Shared>,
}

struct Shared {
	queue: Mutex<Queue>,
	/// Cancelled when nothing may be answered any more.
	failed: CancellationToken,
}

struct Queue {
	/// No more than there are calls under way: each keeps its place in the gates until it is answered.
	jobs: VecDeque<Job>,
	/// Taken by whoever stores receipts. Once that has failed, it never comes back.
	keeper: Option<Keeper>,
}

impl fmt::Debug for Committer {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Committer").finish_non_exhaustive()
	}
}

impl Committer {
	/// Starts the thread that brings receipts into the database. It ends when every committer is
	/// dropped, with everything in the database, or when the disk fails. `failed` is cancelled in any
	/// case: from then on nothing may be answered any more.
	pub fn start(
		store: Arc<ReceiptStore>,
		ledger: Arc<Ledger>,
		metrics: Metrics,
		failed: CancellationToken,
	) -> io::Result<Self> {
		// One wish to be relieved is as good as many.
		let (wishes, wished) = mpsc::sync_channel(1);
		let (source, ended) = (store.clone(), failed.clone());
		thread::Builder::new()
			.name("settling".into())
			.spawn(move || {
				// Whatever ends the thread, a panic included, must end the daemon with it.
				let _ended = ended.drop_guard();
				if let Err(error) = settle(&source, &wished) {
					error!("receipts do not enter the database: {error}");
				}
				// Who hears of the end finds nobody at the store.
				drop(source);
			})?;
		let keeper = Keeper {
			store,
			ledger,
			metrics,
			wishes,
			said: None,
		};
		let queue = Mutex::new(Queue {
			jobs: VecDeque::new(),
			keeper: Some(keeper),
		});
		let shared = Arc::new(Shared { queue, failed });
		Ok(Self { shared })
	}

	/// Stores a receipt, and then calls `then`, here or on another thread. `then` is dropped when the
	/// daemon is about to stop: whether the receipt is stored is not known in that case, and it must
	/// be shown to nobody.
	///
	/// Blocks while this thread stores receipts, which it does until none is left. If it is one of a
	/// runtime, that must have several threads; another one does its work meanwhile.
	pub fn store(&self, finished: Finished, then: impl FnOnce(Stored) + Send + 'static) {
		let mut queue = self.shared.queue();
		// Looked at with the queue, which is emptied after this is cancelled.
		if self.shared.failed.is_cancelled() {
			return;
		}
		queue.jobs.push_back(Job {
			finished,
			then: Box::new(then),
		});
		let keeper = queue.keeper.take();
		drop(queue);
		if let Some(keeper) = keeper {
			block_in_place(|| self.shared.keep(keeper));
		}
	}
}

impl Shared {
	/// Stores what is in the queue until it is empty, or until the disk fails.
	fn keep(&self, mut keeper: Keeper) {
		// Whatever ends this before, a panic included, must end the daemon with it.
		let mut end = End {
			shared: self,
			is_early: true,
		};
		loop {
			keeper.gather();
			let mut queue = self.queue();
			let most = queue.jobs.len().min(BATCH);
			let batch: Vec<_> = queue.jobs.drain(..most).collect();
			drop(queue);
			if let Err(error) = keeper.commit(batch) {
				error!("receipts cannot be stored: {error}");
				return;
			}
			let mut queue = self.queue();
			if queue.jobs.is_empty() {
				queue.keeper = Some(keeper);
				end.is_early = false;
				return;
			}
		}
	}

	fn queue(&self) -> MutexGuard<'_, Queue> {
		// Each change is one insertion or removal.
		self.queue.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// The end of somebody's turn to store.
struct End<'a> {
	shared: &'a Shared,
	/// Nobody will have the next turn.
	is_early: bool,
}

impl Drop for End<'_> {
	fn drop(&mut self) {
		if self.is_early {
			self.shared.failed.cancel();
			// Dropped without the lock: whoever waits for these learns of it.
			let left = mem::take(&mut self.shared.queue().jobs);
			drop(left);
		}
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

/// What belongs to whoever stores receipts.
struct Keeper {
	store: Arc<ReceiptStore>,
	ledger: Arc<Ledger>,
	metrics: Metrics,
	/// Wakes the thread that brings receipts into the database.
	wishes: SyncSender<()>,
	/// The last epoch whose bodies were said to make room.
	said: Option<EpochIndex>,
}

impl Keeper {
	/// Waits for more receipts if many calls are on their way.
	fn gather(&self) {
		if self.metrics.open_calls.get() >= CROWD {
			thread::sleep(GATHER);
		}
	}

	/// Stores a batch, then tells those who wait for it.
	fn commit(&mut self, batch: Vec<Job>) -> Result<(), StoreError> {
		let started = Instant::now();
		self.metrics.commit_receipts.observe(batch.len() as f64);
		let keys: Vec<Key> = batch.iter().map(|job| job.finished.call.key()).collect();
		let below = self.ledger.unwritten_below(&keys);
		let (finished, waiting): (Vec<_>, Vec<_>) = batch
			.into_iter()
			.map(|job| (job.finished, job.then))
			.unzip();
		let Committed {
			outcomes,
			pushed_out,
			half_full,
		} = self.store.commit(finished, &below)?;
		self.metrics
			.commit_seconds
			.observe(started.elapsed().as_secs_f64());
		tell(pushed_out, &mut self.said, &self.metrics);
		self.ledger.written(&below);
		self.ledger.close(&keys);
		if half_full {
			// Fails if the wish is known already, or if the other thread has failed: then the store
			// takes nothing any more.
			let _ = self.wishes.try_send(());
		}
		for (then, outcome) in waiting.into_iter().zip(outcomes) {
			then(outcome);
		}
		Ok(())
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
	use tokio::sync::oneshot;

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
		let committer = started.expect("the thread starts");
		(store, ledger, committer, failed)
	}

	/// What becomes of a receipt; `None`: nobody is told.
	async fn stored(committer: &Committer, finished: Finished) -> Option<Stored> {
		let (told, heard) = oneshot::channel();
		committer.store(finished, move |stored| {
			let _ = told.send(stored);
		});
		heard.await.ok()
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn nobody_is_answered_when_the_disk_is_full() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, ledger, committer, failed) = start(dir.path());
		let first = ledger.begin(call(5, 1)).expect("open");
		let durable = stored(&committer, finished(&first, b"one")).await;
		assert_eq!(durable, Some(Stored::Durable));
		store.fill_disk();
		let second = ledger.begin(call(5, 1)).expect("open");
		assert_eq!(stored(&committer, finished(&second, b"two")).await, None);
		failed.cancelled().await;
		assert_eq!(store.receipt(second.key()).expect("reads"), None);
		assert_eq!(ledger.open_calls(5), 1);
		// Nor is anybody from then on.
		let third = ledger.begin(call(5, 1)).expect("open");
		assert_eq!(stored(&committer, finished(&third, b"three")).await, None);
		// What was promised before can still be shown.
		assert!(store.receipt(first.key()).expect("reads").is_some());
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn the_end_leaves_everything_in_the_database() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, ledger, committer, failed) = start(dir.path());
		let calls = [0, 1, 2].map(|_| ledger.begin(call(5, 1)).expect("open"));
		for call in &calls {
			let durable = stored(&committer, finished(call, b"x")).await;
			assert_eq!(durable, Some(Stored::Durable));
		}
		assert!(!failed.is_cancelled());
		drop(committer);
		failed.cancelled().await;
		assert!(store.is_settled());
		// The thread has let go of it.
		drop(Arc::into_inner(store).expect("nobody else has it"));
		let store = open(dir.path());
		for call in &calls {
			assert!(store.receipt(call.key()).expect("reads").is_some());
		}
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn a_crowd_shares_its_commits() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, ledger, metrics) = parts(dir.path());
		let failed = CancellationToken::new();
		let started = Committer::start(store, ledger.clone(), metrics.clone(), failed);
		let committer = started.expect("the thread starts");
		metrics.open_calls.set(CROWD);
		let crowd = (0..CROWD).map(|_| {
			let call = ledger.begin(call(5, 1)).expect("open");
			let committer = committer.clone();
			tokio::spawn(async move { stored(&committer, finished(&call, b"x")).await })
		});
		let crowd: Vec<_> = crowd.collect();
		for durable in join_all(crowd).await {
			assert_eq!(durable.expect("no panic"), Some(Stored::Durable));
		}
		let commits = metrics.commit_receipts.get_sample_count();
		assert!(commits < CROWD as u64 / 2, "{commits}");
	}

	#[test]
	fn who_stores_goes_on_with_what_arrives_meanwhile() {
		let dir = tempfile::tempdir().expect("a directory");
		let (_store, ledger, committer, failed) = start(dir.path());
		let first = ledger.begin(call(5, 1)).expect("open");
		let second = ledger.begin(call(5, 1)).expect("open");
		let (told, heard) = mpsc::channel();
		let again = committer.clone();
		// No runtime is needed, nor another thread.
		committer.store(finished(&first, b"one"), move |stored| {
			let told_first = told.clone();
			again.store(finished(&second, b"two"), move |stored| {
				told.send((2, stored)).expect("somebody hears");
			});
			// The other one is only left here.
			told_first.send((1, stored)).expect("somebody hears");
		});
		let durable = Stored::Durable;
		assert_eq!(
			heard.try_iter().collect::<Vec<_>>(),
			[(1, durable), (2, durable)]
		);
		assert_eq!(ledger.open_calls(5), 0);
		assert!(!failed.is_cancelled());
	}

	#[test]
	fn who_panics_while_it_stores_ends_the_daemon() {
		let dir = tempfile::tempdir().expect("a directory");
		let (_store, ledger, committer, failed) = start(dir.path());
		let [first, second, third] = [0, 1, 2].map(|_| ledger.begin(call(5, 1)).expect("open"));
		let (told, heard) = mpsc::channel();
		let (again, waits) = (committer.clone(), told.clone());
		let panics = committer.clone();
		let thread = thread::spawn(move || {
			panics.store(finished(&first, b"one"), move |_| {
				again.store(finished(&second, b"two"), move |_| {
					let _ = waits.send(());
				});
				panic!("on purpose");
			});
		});
		assert!(thread.join().is_err());
		assert!(failed.is_cancelled());
		committer.store(finished(&third, b"three"), move |_| {
			let _ = told.send(());
		});
		// Whoever waited has been let go of, and so is whoever comes.
		assert!(heard.recv().is_err());
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn the_database_catches_up_before_the_journal_is_full() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, ledger, committer, _) = start(dir.path());
		let call = ledger.begin(call(5, 1)).expect("open");
		stored(&committer, finished(&call, b"one")).await;
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
