//! Reading the store. Single rows are looked up among the recent ones first, then in the database.
//! What reads whole tables lets the database catch up before.

use super::{
	decode, Body, ReceiptStore, BIRTH, BODIES, BODY_VERSION, META, OPEN, PRIVATE, RECEIPTS, REPORTS,
};
use crate::{
	access::PrivateDeals,
	birth::Birth,
	errors::{database, StoreError},
	ledger::{Call, Key},
	report::StoredReport,
};
use millrace_primitives::{
	execution::SignedReceipt,
	merkle::{Path as MerklePath, Tree},
	report::Report,
	EpochIndex, H256,
};
use redb::{ReadableDatabase, ReadableTable};
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::{Arc, PoisonError},
};

/// Trees that are kept in memory: the epoch just reported and the one before. A tree of a million
/// receipts takes 64 MiB.
const KEPT_TREES: usize = 2;

impl ReceiptStore {
	/// When the directory was made; `None` if that was not noted yet.
	pub fn birth(&self) -> Result<Option<Birth>, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let meta = read.open_table(META).map_err(database)?;
		let stored = meta.get(BIRTH).map_err(database)?;
		stored
			.map(|bytes| decode("birth", bytes.value()))
			.transpose()
	}

	/// Deals that are not open, or once were not, of which receipts may be kept.
	pub(crate) fn private_deals(&self) -> Result<PrivateDeals, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let table = read.open_table(PRIVATE).map_err(database)?;
		let mut deals = PrivateDeals::new();
		for entry in table.iter().map_err(database)? {
			let (deal, row) = entry.map_err(database)?;
			deals.insert(deal.value(), decode("private deal", row.value())?);
		}
		Ok(deals)
	}

	/// First number of an epoch that was never stored, neither with a receipt nor as an open call.
	pub fn next_seq(&self, epoch: EpochIndex) -> Result<u32, StoreError> {
		let mut next = self.recent().next_seq(epoch);
		let read = self.database.begin_read().map_err(database)?;
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
		self.settle()?;
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
		if let Some(row) = self.recent().receipt(&key) {
			return decode("receipt", &row.receipt).map(Some);
		}
		let read = self.database.begin_read().map_err(database)?;
		let receipts = read.open_table(RECEIPTS).map_err(database)?;
		let stored = receipts.get(key).map_err(database)?;
		stored
			.map(|bytes| decode("receipt", bytes.value()))
			.transpose()
	}

	/// What is kept of a call, unless the byte bound pushed it out.
	pub fn body(&self, key: Key) -> Result<Option<Body>, StoreError> {
		if let Some(row) = self.recent().receipt(&key) {
			return decode_body(&row.body).map(Some);
		}
		let read = self.database.begin_read().map_err(database)?;
		let bodies = read.open_table(BODIES).map_err(database)?;
		let stored = bodies.get(key).map_err(database)?;
		stored.map(|bytes| decode_body(bytes.value())).transpose()
	}

	/// Numbers of the receipts of an epoch that have these hashes. Reads all of the epoch.
	pub fn find(
		&self,
		epoch: EpochIndex,
		hashes: &BTreeSet<H256>,
	) -> Result<BTreeMap<H256, u32>, StoreError> {
		self.settle()?;
		let read = self.database.begin_read().map_err(database)?;
		let receipts = read.open_table(RECEIPTS).map_err(database)?;
		let mut found = BTreeMap::new();
		let all = receipts
			.range((epoch, 0)..=(epoch, u32::MAX))
			.map_err(database)?;
		for entry in all {
			let (key, value) = entry.map_err(database)?;
			let receipt: SignedReceipt = decode("receipt", value.value())?;
			let hash = receipt.receipt.hash();
			if hashes.contains(&hash) {
				found.insert(hash, key.value().1);
			}
			if found.len() == hashes.len() {
				break;
			}
		}
		Ok(found)
	}

	/// The call of an epoch that used the least gas, among those of which the request is kept.
	pub fn cheapest_call(&self, epoch: EpochIndex) -> Result<Option<Call>, StoreError> {
		self.settle()?;
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
		Ok(self.body(key)?.map(|body| body.call))
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
		// The report's own transaction brought all of them into the database.
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
}

fn decode_body(bytes: &[u8]) -> Result<Body, StoreError> {
	match bytes.split_first() {
		Some((&BODY_VERSION, body)) => decode("call", body),
		_ => Err(StoreError::Damaged("call")),
	}
}
