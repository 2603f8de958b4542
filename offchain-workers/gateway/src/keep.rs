//! Receipts of the calls that went through this gateway: for the deals' owners, for whoever watches,
//! and for the question whether a worker has reported them.
//!
//! Keeping them is beside the way of an answer: a receipt waits in a bounded channel, a thread stores
//! what has come together in one transaction, and what finds no room is counted and dropped.

mod sample;

use crate::metrics::Metrics;
use anyhow::Context;
use codec::{DecodeAll, Encode};
use millrace_primitives::{
	effects::Transcript,
	execution::{empty_transcript, Request, SignedReceipt},
	peer::PeerId,
	DealId, EpochIndex, H256,
};
use millrace_watcher::Received;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use sample::Samples;
use std::{
	collections::BTreeMap,
	fmt, fs, io,
	path::Path,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	thread,
	time::Duration,
};
use tokio::sync::mpsc;

/// Number → signed receipt, in the order in which they came.
const RECEIPTS: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("receipts");
/// (deal, number).
const DEALS: TableDefinition<'static, (u64, u64), ()> = TableDefinition::new("deals");
/// The next number, and the bytes of all rows.
const META: TableDefinition<'static, &'static str, u64> = TableDefinition::new("meta");
/// The chain.
const CHAIN: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("chain");

const NEXT: &str = "next";
const BYTES: &str = "bytes";
const GENESIS: &str = "genesis";
/// Bytes that a receipt counts with besides its own.
const ROW_BYTES: u64 = 64;
/// Memory that the database may use for pages.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Receipts that wait for the thread.
const QUEUE: usize = 4_096;
/// Most receipts in one transaction.
const BATCH: usize = 2_048;
/// Time in which receipts come together: a gateway that is killed loses what came in it.
const LINGER: Duration = Duration::from_millis(50);
/// Most rows that are looked at, at the start, for receipts of the last epochs.
const RECALLED: usize = 100_000;

/// Hands receipts to the thread.
#[derive(Clone, Debug)]
pub struct Keeper {
	sender: Option<mpsc::Sender<Received>>,
	metrics: Arc<Metrics>,
}

impl Keeper {
	/// Keeps none.
	pub fn none(metrics: Arc<Metrics>) -> Self {
		Self {
			sender: None,
			metrics,
		}
	}

	/// Starts the thread. It ends when every keeper is dropped. Each receipt is handed on to a watcher,
	/// if there is one that has room.
	pub fn start(
		store: Arc<KeptReceipts>,
		watcher: Option<mpsc::Sender<Received>>,
		metrics: Arc<Metrics>,
	) -> io::Result<(Self, thread::JoinHandle<()>)> {
		let (sender, mut receiver) = mpsc::channel::<Received>(QUEUE);
		let counted = metrics.clone();
		let thread = thread::Builder::new()
			.name("receipts".into())
			.spawn(move || {
				while let Some(first) = receiver.blocking_recv() {
					thread::sleep(LINGER);
					let mut batch = vec![first];
					while batch.len() < BATCH {
						let Ok(next) = receiver.try_recv() else { break };
						batch.push(next);
					}
					take_in(&store, batch, watcher.as_ref(), &counted);
				}
			})?;
		let keeper = Self {
			sender: Some(sender),
			metrics,
		};
		Ok((keeper, thread))
	}

	/// Keeps a receipt that the worker signed for this request. Never waits.
	pub fn keep(&self, receipt: SignedReceipt, request: &Request) {
		let Some(sender) = &self.sender else { return };
		let Ok(place) = sender.try_reserve() else {
			self.metrics.dropped_receipts.inc();
			return;
		};
		let without_effects = receipt.receipt.transcript == empty_transcript();
		place.send(Received {
			transcript: without_effects.then(Transcript::default),
			request: request.clone(),
			receipt,
		});
	}
}

fn take_in(
	store: &KeptReceipts,
	batch: Vec<Received>,
	watcher: Option<&mpsc::Sender<Received>>,
	metrics: &Metrics,
) {
	let receipts: Vec<&SignedReceipt> = batch.iter().map(|received| &received.receipt).collect();
	let count = receipts.len() as u64;
	match store.add(&receipts) {
		Ok(()) => metrics.kept_receipts.inc_by(count),
		Err(error) => {
			// Calls are answered all the same.
			tracing::error!("receipts are not kept: {error:#}");
			metrics.dropped_receipts.inc_by(count);
		}
	}
	let Some(watcher) = watcher else { return };
	for received in batch {
		if watcher.try_send(received).is_err() {
			metrics.unwatched_receipts.inc();
		}
	}
}

/// The receipts on disk. Those that came first make room for new ones.
pub struct KeptReceipts {
	database: Database,
	max_bytes: u64,
	samples: Mutex<Samples>,
}

impl fmt::Debug for KeptReceipts {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("KeptReceipts").finish_non_exhaustive()
	}
}

impl KeptReceipts {
	/// Opens the receipts of a chain in a directory, which is made.
	pub fn open(dir: &Path, genesis: H256, max_bytes: u64) -> anyhow::Result<Self> {
		fs::create_dir_all(dir)?;
		let database = Database::builder()
			.set_cache_size(CACHE_BYTES)
			.create(dir.join("receipts.redb"))?;
		let transaction = database.begin_write()?;
		{
			// Readers may then rely on every table.
			transaction.open_table(RECEIPTS)?;
			transaction.open_table(DEALS)?;
			transaction.open_table(META)?;
			let mut chain = transaction.open_table(CHAIN)?;
			let known = chain
				.get(GENESIS)?
				.map(|stored| stored.value() == genesis.as_bytes());
			match known {
				Some(true) => {}
				Some(false) => {
					anyhow::bail!("the receipts are of another chain; name another directory")
				}
				None => drop(chain.insert(GENESIS, genesis.as_bytes())?),
			}
		}
		transaction.commit()?;
		let kept = Self {
			database,
			max_bytes,
			samples: Mutex::default(),
		};
		kept.recall()?;
		Ok(kept)
	}

	/// Samples what was kept of the last epochs before the restart.
	fn recall(&self) -> anyhow::Result<()> {
		let read = self.database.begin_read()?;
		let all = read.open_table(RECEIPTS)?;
		let mut samples = self.samples();
		for entry in all.iter()?.rev().take(RECALLED) {
			let receipt = decode(entry?.1.value())?;
			if !samples.add(&receipt) {
				break;
			}
		}
		Ok(())
	}

	/// Stores receipts durably.
	fn add(&self, receipts: &[&SignedReceipt]) -> anyhow::Result<()> {
		let transaction = self.database.begin_write()?;
		{
			let mut all = transaction.open_table(RECEIPTS)?;
			let mut deals = transaction.open_table(DEALS)?;
			let mut meta = transaction.open_table(META)?;
			let mut next = meta.get(NEXT)?.map_or(0, |number| number.value());
			let mut bytes = meta.get(BYTES)?.map_or(0, |bytes| bytes.value());
			for receipt in receipts {
				let row = receipt.encode();
				bytes = bytes.saturating_add(cost(&row));
				all.insert(next, row.as_slice())?;
				deals.insert((receipt.receipt.deal, next), ())?;
				next = next.checked_add(1).context("the numbers are used up")?;
			}
			while bytes > self.max_bytes {
				let Some((number, row)) = all.pop_first()? else {
					break;
				};
				bytes = bytes.saturating_sub(cost(row.value()));
				let deal = decode(row.value())?.receipt.deal;
				deals.remove((deal, number.value()))?;
			}
			meta.insert(NEXT, next)?;
			meta.insert(BYTES, bytes)?;
		}
		transaction.commit()?;
		let mut samples = self.samples();
		for receipt in receipts {
			samples.add(receipt);
		}
		Ok(())
	}

	/// Receipts of a deal with their numbers, from a number on, in ascending order.
	pub fn of_deal(
		&self,
		deal: DealId,
		from: u64,
		most: usize,
	) -> anyhow::Result<Vec<(u64, SignedReceipt)>> {
		let read = self.database.begin_read()?;
		let deals = read.open_table(DEALS)?;
		let all = read.open_table(RECEIPTS)?;
		let mut found = Vec::new();
		for entry in deals.range((deal, from)..=(deal, u64::MAX))?.take(most) {
			let (_, number) = entry?.0.value();
			if let Some(row) = all.get(number)? {
				found.push((number, decode(row.value())?));
			}
		}
		Ok(found)
	}

	/// Some receipts of each peer in an epoch, chosen so that nobody can tell which; they are given
	/// once.
	pub fn take_sample(&self, epoch: EpochIndex) -> BTreeMap<PeerId, Vec<SignedReceipt>> {
		self.samples().take(epoch)
	}

	fn samples(&self) -> MutexGuard<'_, Samples> {
		// A sample that a panic left half changed is one all the same.
		self.samples.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

fn cost(row: &[u8]) -> u64 {
	ROW_BYTES.saturating_add(row.len() as u64)
}

fn decode(mut row: &[u8]) -> anyhow::Result<SignedReceipt> {
	SignedReceipt::decode_all(&mut row).context("a kept receipt cannot be read")
}

#[cfg(test)]
mod tests;
