//! Solutions on disk.
//!
//! One thread writes. It gathers what is found and commits at the latest [`BATCH`] after the first
//! of a batch, so that a killed process loses no older solution. A solution is never replaced:
//! what a report proved can be opened again, nonce by nonce.

use crate::{
	error::{store as failed, ProverError},
	task::{Proofs, Task},
};
use codec::{Decode, Encode};
use millrace_primitives::{
	capacity::{WorkRates, BUSY_UNITS},
	EpochIndex,
};
use redb::{
	Database, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};
use std::{
	path::Path,
	sync::{
		mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
		Arc,
	},
	thread::{self, JoinHandle},
	time::{Duration, Instant},
};
use tracing::{error, warn};

/// (epoch, unit, k) → nonce.
const SOLUTIONS: TableDefinition<(u32, u32, u32), u64> = TableDefinition::new("solutions");
/// Epoch → the encoded task that its solutions solve.
const TASKS: TableDefinition<u32, &[u8]> = TableDefinition::new("tasks");

/// Longest time between a find and its commit, apart from the commit itself.
const BATCH: Duration = Duration::from_millis(300);
/// Pause before a failed commit is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Finds that wait for the writer; a thread that finds more waits for the disk.
const QUEUE: usize = 1_024;
/// Epochs that are kept besides the present one: the last is reported and audited during it.
const KEPT_EPOCHS: u32 = 3;
/// Memory that the database may use for pages.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// One found solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Find {
	pub(crate) epoch: EpochIndex,
	pub(crate) unit: u32,
	pub(crate) k: u32,
	pub(crate) nonce: u64,
}

enum Message {
	Find(Find),
	Begin(Task, SyncSender<Result<Vec<(u32, u32)>, ProverError>>),
	Flush(SyncSender<Result<(), ProverError>>),
	Stop,
}

/// The store and its writer.
pub(crate) struct Store {
	database: Arc<Database>,
	sender: SyncSender<Message>,
	writer: Option<JoinHandle<()>>,
}

impl Store {
	/// Opens the store in a directory and starts its writer.
	pub(crate) fn open(dir: &Path) -> Result<Self, ProverError> {
		std::fs::create_dir_all(dir).map_err(|source| ProverError::Directory {
			dir: dir.to_path_buf(),
			source,
		})?;
		let database = Database::builder()
			.set_cache_size(CACHE_BYTES)
			.create(dir.join("solutions.redb"))
			.map_err(failed)?;
		// Readers may then rely on both tables.
		let transaction = database.begin_write().map_err(failed)?;
		transaction.open_table(SOLUTIONS).map_err(failed)?;
		transaction.open_table(TASKS).map_err(failed)?;
		transaction.commit().map_err(failed)?;

		let database = Arc::new(database);
		let (sender, receiver) = mpsc::sync_channel(QUEUE);
		let writer = Writer {
			database: database.clone(),
			pending: Vec::new(),
			deadline: None,
		};
		let writer = thread::Builder::new()
			.name("prover-store".into())
			.spawn(move || writer.run(&receiver))
			.map_err(ProverError::Thread)?;
		Ok(Self {
			database,
			sender,
			writer: Some(writer),
		})
	}

	/// Hands a find to the writer; waits when the disk is behind.
	pub(crate) fn add(&self, find: Find) -> Result<(), ProverError> {
		self.sender
			.send(Message::Find(find))
			.map_err(|_| ProverError::Stopped)
	}

	/// Makes a task the present one and returns the (unit, k) that are solved already.
	///
	/// Solutions of the epoch that solve another task are dropped, as are old epochs.
	pub(crate) fn begin(&self, task: &Task) -> Result<Vec<(u32, u32)>, ProverError> {
		let (reply, answer) = mpsc::sync_channel(1);
		self.sender
			.send(Message::Begin(task.clone(), reply))
			.map_err(|_| ProverError::Stopped)?;
		answer.recv().map_err(|_| ProverError::Stopped)?
	}

	/// Returns when everything that was added before is on disk.
	pub(crate) fn flush(&self) -> Result<(), ProverError> {
		let (reply, answer) = mpsc::sync_channel(1);
		self.sender
			.send(Message::Flush(reply))
			.map_err(|_| ProverError::Stopped)?;
		answer.recv().map_err(|_| ProverError::Stopped)?
	}

	/// What is proven of an epoch, from disk. Nothing for an epoch that is not stored.
	pub(crate) fn proofs(&self, epoch: EpochIndex) -> Result<Proofs, ProverError> {
		let transaction = self.database.begin_read().map_err(failed)?;
		let tasks = transaction.open_table(TASKS).map_err(failed)?;
		let Some(task) = tasks.get(epoch).map_err(failed)? else {
			return Ok(Proofs::default());
		};
		let task = decode(epoch, task.value())?;
		let table = transaction.open_table(SOLUTIONS).map_err(failed)?;
		let mut nonces = Vec::new();
		let proven_idle = prefix(&table, epoch, 0, task.idle, task.rates.idle, &mut nonces)?;
		let proven_busy = prefix(
			&table,
			epoch,
			BUSY_UNITS,
			task.busy,
			task.rates.busy,
			&mut nonces,
		)?;
		Ok(Proofs {
			proven_idle,
			proven_busy,
			nonces,
		})
	}

	/// The nonces that prove so many units of an epoch; `None` when one is missing.
	pub(crate) fn nonces(
		&self,
		epoch: EpochIndex,
		rates: WorkRates,
		idle: u32,
		busy: u32,
	) -> Result<Option<Vec<u64>>, ProverError> {
		let transaction = self.database.begin_read().map_err(failed)?;
		let table = transaction.open_table(SOLUTIONS).map_err(failed)?;
		let mut nonces = Vec::new();
		let found_idle = prefix(&table, epoch, 0, idle, rates.idle, &mut nonces)?;
		let found_busy = prefix(&table, epoch, BUSY_UNITS, busy, rates.busy, &mut nonces)?;
		Ok((found_idle == idle && found_busy == busy).then_some(nonces))
	}
}

impl Drop for Store {
	fn drop(&mut self) {
		// A writer that is gone needs no message.
		let _ = self.sender.send(Message::Stop);
		if let Some(writer) = self.writer.take() {
			let _ = writer.join();
		}
	}
}

/// Appends the nonces of the complete units that begin with `first`; returns their number.
fn prefix(
	table: &ReadOnlyTable<(u32, u32, u32), u64>,
	epoch: EpochIndex,
	first: u32,
	units: u32,
	rate: u32,
	nonces: &mut Vec<u64>,
) -> Result<u32, ProverError> {
	if rate == 0 {
		return Ok(0);
	}
	for number in 0..units {
		let complete = nonces.len();
		for k in 0..rate {
			match table
				.get((epoch, first.saturating_add(number), k))
				.map_err(failed)?
			{
				Some(nonce) => nonces.push(nonce.value()),
				None => {
					nonces.truncate(complete);
					return Ok(number);
				}
			}
		}
	}
	Ok(units)
}

fn decode(epoch: EpochIndex, mut bytes: &[u8]) -> Result<Task, ProverError> {
	Task::decode(&mut bytes).map_err(|_| ProverError::DamagedTask(epoch))
}

struct Writer {
	database: Arc<Database>,
	/// Finds that are not committed; at most one per puzzle of a task, whatever the disk does.
	pending: Vec<Find>,
	deadline: Option<Instant>,
}

impl Writer {
	fn run(mut self, receiver: &Receiver<Message>) {
		loop {
			let message = match self.deadline {
				None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
				Some(deadline) => {
					receiver.recv_timeout(deadline.saturating_duration_since(Instant::now()))
				}
			};
			match message {
				Ok(Message::Find(find)) => {
					self.pending.push(find);
					self.deadline.get_or_insert_with(|| Instant::now() + BATCH);
				}
				// A caller that no longer waits needs no answer.
				Ok(Message::Begin(task, reply)) => drop(reply.send(self.begin(&task))),
				Ok(Message::Flush(reply)) => drop(reply.send(self.commit())),
				Err(RecvTimeoutError::Timeout) => {}
				Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => {
					if let Err(error) = self.commit() {
						error!(lost = self.pending.len(), "solutions are lost: {error}");
					}
					return;
				}
			}
			// Looked at after every message, so that a flood of finds cannot put it off.
			if self
				.deadline
				.is_some_and(|deadline| deadline <= Instant::now())
			{
				if let Err(error) = self.commit() {
					error!(
						waiting = self.pending.len(),
						"solutions are not written: {error}"
					);
					self.deadline = Some(Instant::now() + RETRY);
				}
			}
		}
	}

	/// Writes everything that is pending, durably.
	fn commit(&mut self) -> Result<(), ProverError> {
		if !self.pending.is_empty() {
			let transaction = self.database.begin_write().map_err(failed)?;
			write(&transaction, &self.pending)?;
			transaction.commit().map_err(failed)?;
			self.pending.clear();
		}
		self.deadline = None;
		Ok(())
	}

	fn begin(&mut self, task: &Task) -> Result<Vec<(u32, u32)>, ProverError> {
		self.commit()?;
		let transaction = self.database.begin_write().map_err(failed)?;
		let mut solved = Vec::new();
		{
			let mut tasks = transaction.open_table(TASKS).map_err(failed)?;
			let mut solutions = transaction.open_table(SOLUTIONS).map_err(failed)?;
			let stored = tasks
				.get(task.epoch)
				.map_err(failed)?
				.map(|stored| decode(task.epoch, stored.value()));
			let resumed = match stored {
				Some(Ok(stored)) => stored.shares_solutions(task),
				Some(Err(_)) => false,
				None => true,
			};
			if !resumed {
				warn!(
					epoch = task.epoch,
					"solutions of another task of this epoch are dropped"
				);
			}
			// Later epochs are those of a chain that was reset.
			let oldest = task.epoch.saturating_sub(KEPT_EPOCHS);
			let kept = |epoch: u32| {
				epoch >= oldest && epoch <= task.epoch && (resumed || epoch != task.epoch)
			};
			solutions
				.retain(|(epoch, _, _), _| kept(epoch))
				.map_err(failed)?;
			tasks.retain(|epoch, _| kept(epoch)).map_err(failed)?;
			tasks
				.insert(task.epoch, task.encode().as_slice())
				.map_err(failed)?;
			let all = (task.epoch, 0, 0)..=(task.epoch, u32::MAX, u32::MAX);
			for entry in solutions.range(all).map_err(failed)? {
				let (_, unit, k) = entry.map_err(failed)?.0.value();
				solved.push((unit, k));
			}
		}
		transaction.commit().map_err(failed)?;
		Ok(solved)
	}
}

fn write(transaction: &WriteTransaction, finds: &[Find]) -> Result<(), ProverError> {
	let mut table = transaction.open_table(SOLUTIONS).map_err(failed)?;
	for find in finds {
		let key = (find.epoch, find.unit, find.k);
		if table.get(key).map_err(failed)?.is_none() {
			table.insert(key, find.nonce).map_err(failed)?;
		}
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{peer::PeerId, H256, U256};

	fn task(epoch: u32) -> Task {
		Task {
			epoch,
			key: H256::repeat_byte(1),
			genesis: H256::zero(),
			peer: PeerId::default(),
			target: U256::MAX,
			rates: WorkRates { idle: 2, busy: 1 },
			idle: 2,
			busy: 1,
		}
	}

	fn add(store: &Store, epoch: u32, entries: &[(u32, u32)]) {
		for (unit, k) in entries {
			let nonce = u64::from(unit % BUSY_UNITS) * 10 + u64::from(*k);
			store
				.add(Find {
					epoch,
					unit: *unit,
					k: *k,
					nonce,
				})
				.expect("the writer runs");
		}
		store.flush().expect("the disk works");
	}

	#[test]
	fn complete_units_are_proven_in_order() {
		let dir = tempfile::tempdir().expect("a directory");
		let store = Store::open(dir.path()).expect("opens");
		store.begin(&task(5)).expect("begins");
		add(&store, 5, &[(0, 1), (0, 0), (1, 1), (BUSY_UNITS, 0)]);
		let proofs = store.proofs(5).expect("reads");
		assert_eq!(
			proofs,
			Proofs {
				proven_idle: 1,
				proven_busy: 1,
				nonces: vec![0, 1, 0]
			}
		);
		add(&store, 5, &[(1, 0)]);
		assert_eq!(
			store.proofs(5).expect("reads").nonces,
			vec![0, 1, 10, 11, 0]
		);
		// What was reported before can still be opened, and nothing else can.
		let rates = task(5).rates;
		assert_eq!(
			store.nonces(5, rates, 1, 1).expect("reads"),
			Some(vec![0, 1, 0])
		);
		assert_eq!(store.nonces(5, rates, 3, 0).expect("reads"), None);
	}

	#[test]
	fn a_solution_is_never_replaced() {
		let dir = tempfile::tempdir().expect("a directory");
		let store = Store::open(dir.path()).expect("opens");
		store.begin(&task(5)).expect("begins");
		add(&store, 5, &[(BUSY_UNITS, 0)]);
		store
			.add(Find {
				epoch: 5,
				unit: BUSY_UNITS,
				k: 0,
				nonce: 99,
			})
			.expect("the writer runs");
		store.flush().expect("the disk works");
		assert_eq!(store.proofs(5).expect("reads").nonces, vec![0]);
	}

	#[test]
	fn another_task_of_the_epoch_drops_what_solved_the_first() {
		let dir = tempfile::tempdir().expect("a directory");
		let store = Store::open(dir.path()).expect("opens");
		store.begin(&task(5)).expect("begins");
		add(&store, 5, &[(0, 0), (0, 1)]);
		// More units, same puzzle: kept.
		let grown = Task { idle: 9, ..task(5) };
		assert_eq!(store.begin(&grown).expect("begins"), vec![(0, 0), (0, 1)]);
		let other = Task {
			key: H256::repeat_byte(2),
			..task(5)
		};
		assert_eq!(store.begin(&other).expect("begins"), vec![]);
		assert_eq!(store.proofs(5).expect("reads"), Proofs::default());
	}

	#[test]
	fn epochs_that_are_not_near_are_pruned() {
		let dir = tempfile::tempdir().expect("a directory");
		let store = Store::open(dir.path()).expect("opens");
		for epoch in [5, 7] {
			store.begin(&task(epoch)).expect("begins");
			add(&store, epoch, &[(0, 0), (0, 1)]);
		}
		store.begin(&task(9)).expect("begins");
		assert_eq!(store.proofs(5).expect("reads"), Proofs::default());
		assert_eq!(store.proofs(7).expect("reads").proven_idle, 1);
		// A chain that was reset: the epochs to come are not those that were.
		store.begin(&task(6)).expect("begins");
		assert_eq!(store.proofs(7).expect("reads"), Proofs::default());
		assert_eq!(store.proofs(100).expect("reads"), Proofs::default());
	}

	#[test]
	fn finds_reach_the_disk_within_a_second_without_being_asked() {
		let dir = tempfile::tempdir().expect("a directory");
		let store = Store::open(dir.path()).expect("opens");
		store.begin(&task(5)).expect("begins");
		store
			.add(Find {
				epoch: 5,
				unit: 0,
				k: 0,
				nonce: 1,
			})
			.expect("the writer runs");
		store
			.add(Find {
				epoch: 5,
				unit: 0,
				k: 1,
				nonce: 2,
			})
			.expect("the writer runs");
		let start = Instant::now();
		while store.proofs(5).expect("reads").proven_idle == 0 {
			assert!(
				start.elapsed() < Duration::from_secs(1),
				"not committed in time"
			);
			thread::sleep(Duration::from_millis(20));
		}
	}
}
