//! Receipts on disk, and everything that must agree with them: calls that run, reports, the deals
//! that were ready.
//!
//! Whatever a client sees was committed here before. A report is stored in the same file, and a
//! receipt is refused once its epoch's report is: both are decided inside write transactions, of
//! which there is one at a time.

use crate::{
	birth::Birth,
	errors::{database, StoreError},
	ledger::{Call, Key},
	report::{StoredReport, Tally},
};
use bytes::Bytes;
use codec::{Decode, Encode};
use millrace_primitives::{
	execution::SignedReceipt,
	merkle::{Path as MerklePath, Tree},
	peer::PeerId,
	report::Report,
	DealId, EpochIndex, H256,
};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::{
	fmt,
	path::Path,
	sync::{Arc, Mutex, PoisonError},
};

type Records = TableDefinition<'static, (u32, u32), &'static [u8]>;

/// (epoch, seq) → signed receipt.
const RECEIPTS: Records = TableDefinition::new("receipts");
/// (epoch, seq) → call and response, for challengers.
const BODIES: Records = TableDefinition::new("bodies");
/// (epoch, seq) → a call that ran when a receipt above it was stored.
const OPEN: Records = TableDefinition::new("open_calls");
/// Epoch → report.
const REPORTS: TableDefinition<u32, &[u8]> = TableDefinition::new("reports");
/// (epoch, deal): the peer stood ready for the deal in the epoch.
const READY: TableDefinition<(u32, u64), ()> = TableDefinition::new("ready_deals");
/// What the file belongs to, and sums.
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

const IDENTITY: &str = "identity";
const BIRTH: &str = "birth";
const BODY_BYTES: &str = "body_bytes";
/// Memory that the database may use for pages.
const CACHE_BYTES: usize = 64 * 1024 * 1024;
/// Trees that are kept in memory: the epoch just reported and the one before. A tree of a million
/// receipts takes 64 MiB.
const KEPT_TREES: usize = 2;

/// A call that ended.
#[derive(Clone, Debug)]
pub struct Finished {
	/// The call.
	pub call: Arc<Call>,
	/// Its receipt.
	pub receipt: SignedReceipt,
	/// What the guest wrote.
	pub response: Bytes,
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
		std::fs::create_dir_all(dir).map_err(|source| StoreError::Directory {
			path: dir.to_path_buf(),
			source,
		})?;
		let file = Database::builder()
			.set_cache_size(CACHE_BYTES)
			.create(dir.join("receipts.redb"))
			.map_err(database)?;
		let store = Self {
			database: file,
			max_body_bytes,
			trees: Mutex::default(),
		};
		store.write(|transaction| {
			// Readers may then rely on every table.
			transaction.open_table(RECEIPTS).map_err(database)?;
			transaction.open_table(BODIES).map_err(database)?;
			transaction.open_table(OPEN).map_err(database)?;
			transaction.open_table(REPORTS).map_err(database)?;
			transaction.open_table(READY).map_err(database)?;
			let identity = (genesis, peer).encode();
			let mut meta = transaction.open_table(META).map_err(database)?;
			let known = match meta.get(IDENTITY).map_err(database)? {
				Some(stored) if stored.value() != identity => {
					return Err(StoreError::OtherIdentity)
				}
				Some(_) => true,
				None => false,
			};
			if !known {
				meta.insert(IDENTITY, identity.as_slice())
					.map_err(database)?;
			}
			Ok(())
		})?;
		Ok(store)
	}

	/// When the directory was made; `None` if that was not noted yet.
	pub fn birth(&self) -> Result<Option<Birth>, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let meta = read.open_table(META).map_err(database)?;
		let stored = meta.get(BIRTH).map_err(database)?;
		stored
			.map(|bytes| decode("birth", bytes.value()))
			.transpose()
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

	/// Stores receipts, and with them the calls that run below them, in one durable commit. The first
	/// receipt of a number is the only one.
	pub fn commit(
		&self,
		finished: &[Finished],
		open_below: &[Arc<Call>],
	) -> Result<Vec<Stored>, StoreError> {
		self.write(|transaction| {
			let reports = transaction.open_table(REPORTS).map_err(database)?;
			let mut receipts = transaction.open_table(RECEIPTS).map_err(database)?;
			let mut bodies = transaction.open_table(BODIES).map_err(database)?;
			let mut open = transaction.open_table(OPEN).map_err(database)?;
			let mut added = 0u64;
			let mut outcomes = Vec::with_capacity(finished.len());
			for Finished {
				call,
				receipt,
				response,
			} in finished
			{
				if reports.get(call.epoch).map_err(database)?.is_some() {
					outcomes.push(Stored::Late);
					continue;
				}
				if receipts.get(call.key()).map_err(database)?.is_some() {
					outcomes.push(Stored::Taken);
					continue;
				}
				let body = (&**call, &response[..]).encode();
				added = added.saturating_add(body.len() as u64);
				receipts
					.insert(call.key(), receipt.encode().as_slice())
					.map_err(database)?;
				bodies
					.insert(call.key(), body.as_slice())
					.map_err(database)?;
				open.remove(call.key()).map_err(database)?;
				outcomes.push(Stored::Durable);
			}
			for call in open_below {
				if reports.get(call.epoch).map_err(database)?.is_none() {
					open.insert(call.key(), call.encode().as_slice())
						.map_err(database)?;
				}
			}
			let mut total = body_bytes(transaction)?.saturating_add(added);
			while total > self.max_body_bytes {
				let Some((_, oldest)) = bodies.pop_first().map_err(database)? else {
					break;
				};
				total = total.saturating_sub(oldest.value().len() as u64);
			}
			set_body_bytes(transaction, total)?;
			Ok(outcomes)
		})
	}

	/// First number of an epoch that was never stored, neither with a receipt nor as an open call.
	pub fn next_seq(&self, epoch: EpochIndex) -> Result<u32, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let mut next = 0u32;
		for table in [RECEIPTS, OPEN] {
			let table = read.open_table(table).map_err(database)?;
			let last = table
				.range((epoch, 0)..=(epoch, u32::MAX))
				.map_err(database)?
				.next_back();
			if let Some(entry) = last {
				let (_, seq) = entry.map_err(database)?.0.value();
				next = next.max(seq.saturating_add(1));
			}
		}
		Ok(next)
	}

	/// Calls that ran when the process died, of epochs without a report.
	pub fn open_calls(&self) -> Result<Vec<Call>, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let table = read.open_table(OPEN).map_err(database)?;
		let reports = read.open_table(REPORTS).map_err(database)?;
		let mut calls = Vec::new();
		for entry in table.iter().map_err(database)? {
			let call: Call = decode("call", entry.map_err(database)?.1.value())?;
			if reports.get(call.epoch).map_err(database)?.is_none() {
				calls.push(call);
			}
		}
		Ok(calls)
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

	/// The report of an epoch, if it was made.
	pub fn report(&self, epoch: EpochIndex) -> Result<Option<StoredReport>, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let reports = read.open_table(REPORTS).map_err(database)?;
		let stored = reports.get(epoch).map_err(database)?;
		stored
			.map(|bytes| decode("report", bytes.value()))
			.transpose()
	}

	/// A receipt.
	pub fn receipt(&self, key: Key) -> Result<Option<SignedReceipt>, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let receipts = read.open_table(RECEIPTS).map_err(database)?;
		let stored = receipts.get(key).map_err(database)?;
		stored
			.map(|bytes| decode("receipt", bytes.value()))
			.transpose()
	}

	/// Call and response of a receipt, unless the byte bound pushed them out.
	pub fn body(&self, key: Key) -> Result<Option<(Call, Vec<u8>)>, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let bodies = read.open_table(BODIES).map_err(database)?;
		let stored = bodies.get(key).map_err(database)?;
		stored
			.map(|bytes| decode("call", bytes.value()))
			.transpose()
	}

	/// The call of an epoch that used the least gas, among those of which the request is kept.
	pub fn cheapest_call(&self, epoch: EpochIndex) -> Result<Option<Call>, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let receipts = read.open_table(RECEIPTS).map_err(database)?;
		let bodies = read.open_table(BODIES).map_err(database)?;
		let mut cheapest = None;
		for entry in bodies
			.range((epoch, 0)..=(epoch, u32::MAX))
			.map_err(database)?
		{
			let key = entry.map_err(database)?.0.value();
			let Some(receipt) = receipts.get(key).map_err(database)? else {
				continue;
			};
			let gas = decode::<SignedReceipt>("receipt", receipt.value())?
				.receipt
				.gas;
			if cheapest.is_none_or(|(least, _)| gas < least) {
				cheapest = Some((gas, key));
			}
		}
		let Some((_, key)) = cheapest else {
			return Ok(None);
		};
		Ok(self.body(key)?.map(|(call, _)| call))
	}

	/// A receipt of a reported epoch with its path to the report's root; `None` for a number that
	/// the report does not have.
	pub fn proof(
		&self,
		report: &Report,
		seq: u32,
	) -> Result<Option<(SignedReceipt, MerklePath)>, StoreError> {
		if seq >= report.receipts {
			return Ok(None);
		}
		let tree = self.tree(report)?;
		let receipt = self.receipt((report.epoch, seq))?;
		Ok(receipt.zip(tree.path(u64::from(seq))))
	}

	fn tree(&self, report: &Report) -> Result<Arc<Tree>, StoreError> {
		let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some((_, tree)) = trees.iter().find(|(epoch, _)| *epoch == report.epoch) {
			return Ok(tree.clone());
		}
		let read = self.database.begin_read().map_err(database)?;
		let receipts = read.open_table(RECEIPTS).map_err(database)?;
		let mut leaves = Vec::with_capacity(report.receipts as usize);
		let reported = (report.epoch, 0)..(report.epoch, report.receipts);
		for entry in receipts.range(reported).map_err(database)? {
			let receipt: SignedReceipt = decode("receipt", entry.map_err(database)?.1.value())?;
			leaves.push(receipt.receipt.hash());
		}
		let tree = Arc::new(Tree::new(leaves));
		if trees.len() >= KEPT_TREES {
			trees.remove(0);
		}
		trees.push((report.epoch, tree.clone()));
		Ok(tree)
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
			set_body_bytes(transaction, body_bytes(transaction)?.saturating_sub(freed))
		})
	}

	/// Runs a change and commits it durably; an error leaves everything as it was.
	fn write<T>(
		&self,
		change: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
	) -> Result<T, StoreError> {
		let transaction = self.database.begin_write().map_err(database)?;
		let outcome = change(&transaction)?;
		transaction.commit().map_err(database)?;
		Ok(outcome)
	}
}

fn body_bytes(transaction: &WriteTransaction) -> Result<u64, StoreError> {
	let meta = transaction.open_table(META).map_err(database)?;
	let stored = meta.get(BODY_BYTES).map_err(database)?;
	stored.map_or(Ok(0), |bytes| decode("sum", bytes.value()))
}

fn set_body_bytes(transaction: &WriteTransaction, bytes: u64) -> Result<(), StoreError> {
	let mut meta = transaction.open_table(META).map_err(database)?;
	meta.insert(BODY_BYTES, bytes.encode().as_slice())
		.map_err(database)?;
	Ok(())
}

fn decode<T: Decode>(what: &'static str, mut bytes: &[u8]) -> Result<T, StoreError> {
	T::decode(&mut bytes).map_err(|_| StoreError::Damaged(what))
}

#[cfg(test)]
mod tests;
