//! Receipts and open calls on their way to the database: a batch, and what was promised since the
//! database was last written.

use super::{decode, Finished, BODIES, BODY_BYTES, META, OPEN, RECEIPTS};
use crate::{
	errors::{database, StoreError},
	ledger::Key,
};
use codec::{Decode, Encode};
use millrace_primitives::{EpochIndex, H256};
use redb::{ReadableTable, WriteTransaction};
use std::{collections::BTreeMap, sync::Arc};

/// How rows are encoded in the journal.
const VERSION: u8 = 1;
/// Bytes of a key in the journal.
const KEY_BYTES: usize = 8;
/// Most bytes that say how long something is.
const LENGTH_BYTES: usize = 5;

/// What is stored of a call that ended, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Row {
	pub(super) receipt: Vec<u8>,
	pub(super) body: Vec<u8>,
}

/// Rows of tables, by (epoch, seq).
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Rows {
	pub(super) receipts: BTreeMap<Key, Row>,
	/// Calls without a receipt.
	pub(super) open: BTreeMap<Key, Vec<u8>>,
}

impl Rows {
	/// Whether there is nothing to store.
	pub(super) fn is_empty(&self) -> bool {
		self.receipts.is_empty() && self.open.is_empty()
	}

	/// Bytes that the payload of a batch has at most.
	pub(super) fn most_bytes(finished: &[Finished], open: &[(Key, Vec<u8>)]) -> usize {
		let receipts = finished.iter().map(|finished| {
			KEY_BYTES + 2 * LENGTH_BYTES + finished.receipt.len() + finished.body.len()
		});
		let open = open
			.iter()
			.map(|(_, call)| KEY_BYTES + LENGTH_BYTES + call.len());
		1 + 2 * LENGTH_BYTES + receipts.chain(open).sum::<usize>()
	}

	/// What the journal keeps of a batch.
	pub(super) fn payload(&self) -> impl Encode + '_ {
		(VERSION, self)
	}

	/// The batch of a payload.
	pub(super) fn from_payload(payload: &[u8]) -> Result<Self, StoreError> {
		match payload.split_first() {
			Some((&VERSION, rows)) => decode("journal", rows),
			_ => Err(StoreError::Damaged("journal")),
		}
	}

	/// Adds a batch that was made after these rows.
	pub(super) fn add(&mut self, later: Self) {
		if !self.open.is_empty() {
			for key in later.receipts.keys() {
				self.open.remove(key);
			}
		}
		// One by one: to append would build all of the tree anew.
		self.receipts.extend(later.receipts);
		self.open.extend(later.open);
	}

	/// First number of an epoch above all of these rows.
	pub(super) fn next_seq(&self, epoch: EpochIndex) -> u32 {
		let all = (epoch, 0)..=(epoch, u32::MAX);
		let receipt = self.receipts.range(all.clone()).next_back();
		let open = self.open.range(all).next_back();
		let last = receipt
			.map(|(key, _)| key.1)
			.max(open.map(|(key, _)| key.1));
		last.map_or(0, |seq| seq.saturating_add(1))
	}

	/// Writes the rows into the tables. Bodies beyond the byte bound make room, the oldest first;
	/// by epoch, how many did.
	pub(super) fn apply(
		&self,
		transaction: &WriteTransaction,
		max_body_bytes: u64,
	) -> Result<BTreeMap<EpochIndex, u64>, StoreError> {
		let mut pushed_out = BTreeMap::new();
		if self.is_empty() {
			return Ok(pushed_out);
		}
		let mut receipts = transaction.open_table(RECEIPTS).map_err(database)?;
		let mut bodies = transaction.open_table(BODIES).map_err(database)?;
		let mut open = transaction.open_table(OPEN).map_err(database)?;
		let mut total = body_bytes(transaction)?;
		for (key, Row { receipt, body }) in &self.receipts {
			total = total.saturating_add(body.len() as u64);
			receipts
				.insert(*key, receipt.as_slice())
				.map_err(database)?;
			bodies.insert(*key, body.as_slice()).map_err(database)?;
			open.remove(*key).map_err(database)?;
		}
		for (key, call) in &self.open {
			open.insert(*key, call.as_slice()).map_err(database)?;
		}
		while total > max_body_bytes {
			let Some((key, oldest)) = bodies.pop_first().map_err(database)? else {
				break;
			};
			total = total.saturating_sub(oldest.value().len() as u64);
			*pushed_out.entry(key.value().0).or_insert(0) += 1;
		}
		set_body_bytes(transaction, total)?;
		Ok(pushed_out)
	}
}

/// What the journal has and the database has not.
#[derive(Default)]
pub(super) struct Recent {
	/// What is in the half that is written.
	pub(super) young: Rows,
	/// What is in the other half, which is free without it.
	pub(super) moving: Option<Arc<Moving>>,
}

/// A half of the journal on its way to the database.
pub(super) struct Moving {
	/// What is in it.
	pub(super) rows: Rows,
	/// What the database must note when it has the rows.
	pub(super) mark: (H256, u64),
}

impl Recent {
	/// Whether the database has everything.
	pub(super) fn is_empty(&self) -> bool {
		self.parts().all(Rows::is_empty)
	}

	/// The rows, the older ones first.
	pub(super) fn parts(&self) -> impl Iterator<Item = &Rows> {
		let moving = self.moving.as_deref().map(|moving| &moving.rows);
		moving.into_iter().chain([&self.young])
	}

	/// What is stored of a call that ended.
	pub(super) fn receipt(&self, key: &Key) -> Option<&Row> {
		self.parts().find_map(|rows| rows.receipts.get(key))
	}

	/// First number of an epoch above all of these rows.
	pub(super) fn next_seq(&self, epoch: EpochIndex) -> u32 {
		let parts = self.parts().map(|rows| rows.next_seq(epoch));
		parts.max().unwrap_or(0)
	}
}

/// Bytes of all bodies in the database.
pub(super) fn body_bytes(transaction: &WriteTransaction) -> Result<u64, StoreError> {
	let meta = transaction.open_table(META).map_err(database)?;
	let stored = meta.get(BODY_BYTES).map_err(database)?;
	stored.map_or(Ok(0), |bytes| decode("sum", bytes.value()))
}

/// Notes the bytes of all bodies in the database.
pub(super) fn set_body_bytes(transaction: &WriteTransaction, bytes: u64) -> Result<(), StoreError> {
	let mut meta = transaction.open_table(META).map_err(database)?;
	meta.insert(BODY_BYTES, bytes.encode().as_slice())
		.map_err(database)?;
	Ok(())
}
