//! Receipts on disk, and everything that must agree with them: calls that run, reports, the deals
//! that were ready.
//!
//! Whatever a client sees was stored here before: in the journal, which takes a batch with one
//! write and one sync. While one half of the journal fills, what is in the other half enters the
//! database, in one transaction; until then it is in memory too, for readers. Every other change is
//! made in a transaction that stores all of the journal first. A report is stored in the same file,
//! and a receipt is refused once its epoch's report is: whoever decides either holds the one lock
//! of writers.

mod journal;
mod read;
mod rows;
mod write;

use crate::{
	access::PrivateDeals,
	birth::Birth,
	errors::{database, StoreError},
	ledger::Call,
	report::{StoredReport, Tally},
};
use codec::{Decode, Encode};
use journal::Journal;
use millrace_primitives::{
	effects::Transcript, execution::SignedReceipt, merkle::Tree, peer::PeerId, DealId, EpochIndex,
	H256,
};
use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};
use rows::{body_bytes, set_body_bytes, Recent, Rows};
use std::{
	collections::BTreeMap,
	fmt, io,
	path::Path,
	sync::{Arc, Mutex, RwLock},
};
use tracing::info;
use write::Writer;

type Records = TableDefinition<'static, (u32, u32), &'static [u8]>;

/// (epoch, seq) → signed receipt.
const RECEIPTS: Records = TableDefinition::new("receipts");
/// (epoch, seq) → version, call, transcript and response, for challengers.
const BODIES: Records = TableDefinition::new("bodies");
/// (epoch, seq) → a call that ran when a receipt above it was stored.
const OPEN: Records = TableDefinition::new("open_calls");
/// Epoch → report.
const REPORTS: TableDefinition<u32, &[u8]> = TableDefinition::new("reports");
/// (epoch, deal): the peer stood ready for the deal in the epoch.
const READY: TableDefinition<(u32, u64), ()> = TableDefinition::new("ready_deals");
/// Deal → last epoch, access: of deals that are not open, or once were not.
const PRIVATE: TableDefinition<u64, &[u8]> = TableDefinition::new("private_deals");
/// What the file belongs to, and sums.
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

const IDENTITY: &str = "identity";
const BIRTH: &str = "birth";
const BODY_BYTES: &str = "body_bytes";
/// Key of the journal, and number of the last record that the tables have.
const JOURNAL: &str = "journal";
/// How the rows of [`BODIES`] are encoded.
const BODY_VERSION: u8 = 1;
/// Memory that the database may use for pages.
const CACHE_BYTES: usize = 64 * 1024 * 1024;
/// Blocks of the journal: what it holds is in memory too and is read at a start. A half of it holds
/// two thousand small calls that come many at a time, or five hundred that come one by one.
const JOURNAL_BLOCKS: usize = 1_024;

/// A call that ended, as it is stored. It is encoded where the call ran, so that whoever stores the
/// receipts of many need not.
#[derive(Clone, Debug)]
pub struct Finished {
	/// The call.
	pub call: Arc<Call>,
	receipt: Vec<u8>,
	body: Vec<u8>,
}

impl Finished {
	/// A call with its receipt, what the guest wrote and what it was told from outside.
	pub fn new(
		call: Arc<Call>,
		receipt: &SignedReceipt,
		response: &[u8],
		transcript: &Transcript,
	) -> Self {
		let body = (BODY_VERSION, &*call, transcript, response).encode();
		Self {
			receipt: receipt.encode(),
			body,
			call,
		}
	}
}

/// What is kept of a call beside its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
pub struct Body {
	/// The call.
	pub call: Call,
	/// What the guest was told from outside.
	pub transcript: Transcript,
	/// What it wrote.
	pub response: Vec<u8>,
}

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
	/// What became of each receipt, in their order.
	pub outcomes: Vec<Stored>,
	/// Bodies that made room for younger ones since the commit before, by epoch. Nobody can be
	/// shown them any more.
	pub pushed_out: BTreeMap<EpochIndex, u64>,
	/// Whether half of the journal is full, for [`ReceiptStore::relieve`].
	pub half_full: bool,
}

/// What became of a receipt that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
	/// It is on disk.
	Durable,
	/// Its epoch's report is made; it must be shown to nobody.
	Late,
	/// Its number has a receipt already, which stays; it must be shown to nobody.
	Taken,
}

/// The store.
pub struct ReceiptStore {
	database: Database,
	/// Held by whoever writes into the database, and taken before the writers' lock.
	mover: Mutex<()>,
	writer: Mutex<Writer>,
	/// What the journal has and the database has not. It changes under the writers' lock only, so
	/// that readers of a row look here first, then into the database: they miss nothing on its way.
	recent: RwLock<Recent>,
	max_body_bytes: u64,
	trees: Mutex<Vec<(EpochIndex, Arc<Tree>)>>,
}

impl fmt::Debug for ReceiptStore {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("ReceiptStore").finish_non_exhaustive()
	}
}

impl ReceiptStore {
	/// Opens the store of a chain and peer in a directory.
	pub fn open(
		dir: &Path,
		genesis: H256,
		peer: PeerId,
		max_body_bytes: u64,
	) -> Result<Self, StoreError> {
		Self::open_with(dir, genesis, peer, max_body_bytes, JOURNAL_BLOCKS)
	}

	fn open_with(
		dir: &Path,
		genesis: H256,
		peer: PeerId,
		max_body_bytes: u64,
		blocks: usize,
	) -> Result<Self, StoreError> {
		std::fs::create_dir_all(dir).map_err(|source| StoreError::Directory {
			path: dir.to_path_buf(),
			source,
		})?;
		let file = Database::builder()
			.set_cache_size(CACHE_BYTES)
			.create(dir.join("receipts.redb"))
			.map_err(database)?;
		let transaction = file.begin_write().map_err(database)?;
		make_tables(&transaction)?;
		identify(&transaction, &(genesis, peer).encode())?;
		let path = dir.join("receipts.journal");
		let mut rows = Rows::default();
		match mark(&transaction)? {
			Some(mark) => {
				for payload in journal::read(&path, blocks, mark)? {
					rows.add(Rows::from_payload(&payload)?);
				}
			}
			// The database is new, or from before there was a journal.
			None => journal::create(&path, blocks)?,
		}
		if !rows.is_empty() {
			let receipts = rows.receipts.len();
			info!(
				receipts,
				"the journal has receipts that the database has not"
			);
		}
		let pushed_out = rows.apply(&transaction, max_body_bytes)?;
		let mut key = H256::zero();
		getrandom::fill(&mut key.0)
			.map_err(|error| StoreError::Journal(io::Error::other(error.to_string())))?;
		// With the new key, the journal is empty in the same instant in which the tables have it
		// all.
		set_mark(&transaction, (key, 0))?;
		transaction.commit().map_err(database)?;
		Ok(Self {
			database: file,
			mover: Mutex::default(),
			writer: Mutex::new(Writer::new(Journal::open(&path, blocks, key)?, pushed_out)),
			recent: RwLock::default(),
			max_body_bytes,
			trees: Mutex::default(),
		})
	}

	/// Notes when the directory was made, or what counts as that.
	pub fn set_birth(&self, birth: Birth) -> Result<(), StoreError> {
		self.write(|transaction| {
			let mut meta = transaction.open_table(META).map_err(database)?;
			meta.insert(BIRTH, birth.encode().as_slice())
				.map_err(database)?;
			Ok(())
		})
	}

	/// Notes that the peer stands ready for deals in an epoch.
	pub fn set_ready(&self, epoch: EpochIndex, deals: &[DealId]) -> Result<(), StoreError> {
		self.write(|transaction| {
			let mut ready = transaction.open_table(READY).map_err(database)?;
			for deal in deals {
				ready.insert((epoch, *deal), ()).map_err(database)?;
			}
			Ok(())
		})
	}

	/// Notes who may have what calls of deals were of.
	pub(crate) fn set_private(&self, deals: &PrivateDeals) -> Result<(), StoreError> {
		self.write(|transaction| {
			let mut private = transaction.open_table(PRIVATE).map_err(database)?;
			for (deal, row) in deals {
				private
					.insert(*deal, row.encode().as_slice())
					.map_err(database)?;
			}
			Ok(())
		})
	}

	/// The report of an epoch: the stored one, or what `make` gives, which is stored. From then on
	/// no receipt enters the epoch.
	pub fn report_once(
		&self,
		epoch: EpochIndex,
		make: impl FnOnce(Tally) -> StoredReport,
	) -> Result<StoredReport, StoreError> {
		self.write(|transaction| {
			let mut reports = transaction.open_table(REPORTS).map_err(database)?;
			let stored = match reports.get(epoch).map_err(database)? {
				Some(bytes) => Some(decode("report", bytes.value())?),
				None => None,
			};
			if let Some(report) = stored {
				return Ok(report);
			}
			let mut tally = Tally::default();
			let receipts = transaction.open_table(RECEIPTS).map_err(database)?;
			let all = receipts
				.range((epoch, 0)..=(epoch, u32::MAX))
				.map_err(database)?;
			for entry in all {
				let (key, value) = entry.map_err(database)?;
				// A gap ends the tree: a receipt above it has no leaf of its number.
				if key.value().1 != tally.receipts() {
					tally.lost += 1;
					continue;
				}
				tally.add(&decode::<SignedReceipt>("receipt", value.value())?.receipt);
			}
			let ready = transaction.open_table(READY).map_err(database)?;
			for entry in ready
				.range((epoch, 0)..=(epoch, u64::MAX))
				.map_err(database)?
			{
				tally.ready.push(entry.map_err(database)?.0.value().1);
			}
			let report = make(tally);
			reports
				.insert(epoch, report.encode().as_slice())
				.map_err(database)?;
			Ok(report)
		})
	}

	/// Drops everything of epochs before `oldest`.
	pub fn prune(&self, oldest: EpochIndex) -> Result<(), StoreError> {
		self.write(|transaction| {
			let old = (0u32, 0u32)..(oldest, 0u32);
			for table in [RECEIPTS, OPEN] {
				let mut table = transaction.open_table(table).map_err(database)?;
				table
					.retain_in(old.clone(), |_, _| false)
					.map_err(database)?;
			}
			let mut freed = 0u64;
			{
				let mut bodies = transaction.open_table(BODIES).map_err(database)?;
				bodies
					.retain_in(old, |_, body| {
						freed = freed.saturating_add(body.len() as u64);
						false
					})
					.map_err(database)?;
			}
			let mut reports = transaction.open_table(REPORTS).map_err(database)?;
			reports
				.retain_in(0..oldest, |_, _| false)
				.map_err(database)?;
			let mut ready = transaction.open_table(READY).map_err(database)?;
			ready
				.retain_in((0u32, 0u64)..(oldest, 0u64), |_, _| false)
				.map_err(database)?;
			let mut private = transaction.open_table(PRIVATE).map_err(database)?;
			// A row that cannot be read is kept: it may be of a deal that is not for everybody.
			private
				.retain(|_, mut row| {
					EpochIndex::decode(&mut row).map_or(true, |last| last >= oldest)
				})
				.map_err(database)?;
			set_body_bytes(transaction, body_bytes(transaction)?.saturating_sub(freed))
		})
	}
}

/// Makes the tables, so that readers may rely on every one.
fn make_tables(transaction: &WriteTransaction) -> Result<(), StoreError> {
	transaction.open_table(RECEIPTS).map_err(database)?;
	transaction.open_table(BODIES).map_err(database)?;
	transaction.open_table(OPEN).map_err(database)?;
	transaction.open_table(REPORTS).map_err(database)?;
	transaction.open_table(READY).map_err(database)?;
	transaction.open_table(PRIVATE).map_err(database)?;
	transaction.open_table(META).map_err(database)?;
	Ok(())
}

/// Checks whose the database is; a new one is given to whoever asks.
fn identify(transaction: &WriteTransaction, identity: &[u8]) -> Result<(), StoreError> {
	let mut meta = transaction.open_table(META).map_err(database)?;
	let is_known = match meta.get(IDENTITY).map_err(database)? {
		Some(stored) if stored.value() != identity => return Err(StoreError::OtherIdentity),
		stored => stored.is_some(),
	};
	if !is_known {
		meta.insert(IDENTITY, identity).map_err(database)?;
	}
	Ok(())
}

/// Key of the journal, and number of the last record that the tables have.
fn mark(transaction: &WriteTransaction) -> Result<Option<(H256, u64)>, StoreError> {
	let meta = transaction.open_table(META).map_err(database)?;
	let stored = meta.get(JOURNAL).map_err(database)?;
	stored
		.map(|bytes| decode("journal", bytes.value()))
		.transpose()
}

fn set_mark(transaction: &WriteTransaction, mark: (H256, u64)) -> Result<(), StoreError> {
	let mut meta = transaction.open_table(META).map_err(database)?;
	meta.insert(JOURNAL, mark.encode().as_slice())
		.map_err(database)?;
	Ok(())
}

fn decode<T: Decode>(what: &'static str, mut bytes: &[u8]) -> Result<T, StoreError> {
	T::decode(&mut bytes).map_err(|_| StoreError::Damaged(what))
}

#[cfg(test)]
pub(crate) mod tests;
