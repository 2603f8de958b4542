//! Changing the store: what is promised goes through the journal, everything else into the database
//! at once, with all of the journal before it.
//!
//! Who promises holds the writers' lock over one write and one sync. A half of the journal enters
//! the database without that lock, so that nobody waits for it until the other half is full too.

use super::{
	journal::Journal,
	rows::{Moving, Recent, Row, Rows},
	set_mark, Committed, Finished, ReceiptStore, Stored, RECEIPTS, REPORTS,
};
use crate::{
	errors::{database, StoreError},
	ledger::{Call, Key},
};
use codec::Encode;
use millrace_primitives::EpochIndex;
use redb::{ReadableDatabase, WriteTransaction};
use std::{
	collections::BTreeMap,
	mem,
	sync::{Arc, MutexGuard, PoisonError, RwLockReadGuard},
};

/// What belongs to whoever changes anything.
pub(super) struct Writer {
	pub(super) journal: Journal,
	/// False while something is written, and forever once that failed: what the disk has is not
	/// known then, and only a restart finds out.
	is_sound: bool,
	/// Bodies that made room and were not told of, by epoch.
	pushed_out: BTreeMap<EpochIndex, u64>,
}

impl Writer {
	/// With an empty journal, and bodies that were not told of.
	pub(super) fn new(journal: Journal, pushed_out: BTreeMap<EpochIndex, u64>) -> Self {
		Self {
			journal,
			is_sound: true,
			pushed_out,
		}
	}

	/// Writes something, unless an earlier attempt failed.
	fn soundly<T>(
		&mut self,
		work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
	) -> Result<T, StoreError> {
		if !mem::replace(&mut self.is_sound, false) {
			return Err(StoreError::Stopped);
		}
		let outcome = work(self)?;
		self.is_sound = true;
		Ok(outcome)
	}

	fn count(&mut self, pushed_out: BTreeMap<EpochIndex, u64>) {
		for (epoch, bodies) in pushed_out {
			*self.pushed_out.entry(epoch).or_insert(0) += bodies;
		}
	}
}

impl ReceiptStore {
	/// Stores receipts, and with them the calls that run below them, whole or not at all. They are
	/// on disk when this returns. The first receipt of a number is the only one. Waits for the
	/// database only when that falls behind, or where the batch is longer than half of the journal.
	pub fn commit(
		&self,
		finished: Vec<Finished>,
		open_below: &[Arc<Call>],
	) -> Result<Committed, StoreError> {
		let open: Vec<_> = open_below
			.iter()
			.map(|call| (call.key(), call.encode()))
			.collect();
		let most = Rows::most_bytes(&finished, &open);
		let mut writer = self.writer();
		if !writer.journal.fits_a_half(most) {
			drop(writer);
			return self.commit_through(finished, open);
		}
		while !writer.journal.fits(most) && !self.turn(&mut writer) {
			drop(writer);
			self.relieve()?;
			writer = self.writer();
		}
		let (outcomes, rows) = self.sort_out(finished, open)?;
		if !rows.is_empty() {
			writer.soundly(|writer| {
				writer.journal.append(&rows.payload())?;
				self.recent_mut(|recent| recent.young.add(rows));
				Ok(())
			})?;
		}
		Ok(self.committed(&mut writer, outcomes))
	}

	/// Stores in the database itself what is too long for the journal.
	fn commit_through(
		&self,
		finished: Vec<Finished>,
		open: Vec<(Key, Vec<u8>)>,
	) -> Result<Committed, StoreError> {
		let _mover = self.mover()?;
		let mut writer = self.writer();
		let (outcomes, rows) = self.sort_out(finished, open)?;
		if !rows.is_empty() {
			let apply =
				|transaction: &WriteTransaction| rows.apply(transaction, self.max_body_bytes);
			let pushed_out = writer.soundly(|writer| self.write_through(writer, apply))?;
			writer.count(pushed_out);
		}
		Ok(self.committed(&mut writer, outcomes))
	}

	/// What becomes of each receipt, and what there is to store.
	fn sort_out(
		&self,
		finished: Vec<Finished>,
		open: Vec<(Key, Vec<u8>)>,
	) -> Result<(Vec<Stored>, Rows), StoreError> {
		let recent = self.recent();
		let read = self.database.begin_read().map_err(database)?;
		let reports = read.open_table(REPORTS).map_err(database)?;
		let receipts = read.open_table(RECEIPTS).map_err(database)?;
		// A batch is of one epoch, or of two.
		let mut last: Option<(EpochIndex, bool)> = None;
		let mut is_reported = |epoch: EpochIndex| -> Result<bool, StoreError> {
			if let Some((_, known)) = last.filter(|(last, _)| *last == epoch) {
				return Ok(known);
			}
			let found = reports.get(epoch).map_err(database)?.is_some();
			last = Some((epoch, found));
			Ok(found)
		};
		let mut outcomes = Vec::with_capacity(finished.len());
		let mut rows = Rows::default();
		for Finished {
			call,
			receipt,
			body,
		} in finished
		{
			let key = call.key();
			let outcome = if is_reported(call.epoch)? {
				Stored::Late
			} else if rows.receipts.contains_key(&key)
				|| recent.receipt(&key).is_some()
				|| receipts.get(key).map_err(database)?.is_some()
			{
				Stored::Taken
			} else {
				rows.receipts.insert(key, Row { receipt, body });
				Stored::Durable
			};
			outcomes.push(outcome);
		}
		for (key, call) in open {
			if !is_reported(key.0)? {
				rows.open.insert(key, call);
			}
		}
		Ok((outcomes, rows))
	}

	fn committed(&self, writer: &mut Writer, outcomes: Vec<Stored>) -> Committed {
		Committed {
			outcomes,
			pushed_out: mem::take(&mut writer.pushed_out),
			half_full: self.recent().moving.is_some(),
		}
	}

	/// Brings the full half of the journal into the database, if there is one. Whoever stores
	/// receipts goes on meanwhile.
	pub fn relieve(&self) -> Result<(), StoreError> {
		let _mover = self.mover()?;
		self.move_half()
	}

	/// Brings into the database whatever was promised before this was called. Whoever stores
	/// receipts goes on meanwhile.
	pub fn settle(&self) -> Result<(), StoreError> {
		if self.recent().is_empty() {
			return Ok(());
		}
		let _mover = self.mover()?;
		self.move_half()?;
		let mut writer = self.writer();
		if !self.recent().young.is_empty() {
			// If somebody else has turned meanwhile, what is young now was promised later.
			self.turn(&mut writer);
		}
		drop(writer);
		self.move_half()
	}

	/// Goes on in the other half of the journal; false when the database does not have that half
	/// yet.
	fn turn(&self, writer: &mut Writer) -> bool {
		self.recent_mut(|recent| {
			if recent.moving.is_some() {
				return false;
			}
			recent.moving = Some(Arc::new(Moving {
				rows: mem::take(&mut recent.young),
				mark: writer.journal.mark(),
			}));
			writer.journal.turn();
			true
		})
	}

	/// Needs the lock of whoever writes into the database.
	fn move_half(&self) -> Result<(), StoreError> {
		let Some(moving) = self.recent().moving.clone() else {
			return Ok(());
		};
		if !self.writer().is_sound {
			return Err(StoreError::Stopped);
		}
		let move_rows = || -> Result<_, StoreError> {
			let transaction = self.database.begin_write().map_err(database)?;
			let pushed_out = moving.rows.apply(&transaction, self.max_body_bytes)?;
			set_mark(&transaction, moving.mark)?;
			transaction.commit().map_err(database)?;
			Ok(pushed_out)
		};
		let moved = move_rows();
		let mut writer = self.writer();
		match moved {
			Ok(pushed_out) => {
				writer.count(pushed_out);
				self.recent_mut(|recent| recent.moving = None);
				Ok(())
			}
			Err(error) => {
				writer.is_sound = false;
				Err(error)
			}
		}
	}

	/// Makes a change, and stores it durably together with everything that came before it.
	pub(super) fn write<T>(
		&self,
		change: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
	) -> Result<T, StoreError> {
		let _mover = self.mover()?;
		let mut writer = self.writer();
		writer.soundly(|writer| self.write_through(writer, change))
	}

	/// Needs the lock of whoever writes into the database.
	fn write_through<T>(
		&self,
		writer: &mut Writer,
		change: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
	) -> Result<T, StoreError> {
		let transaction = self.database.begin_write().map_err(database)?;
		let recent = self.recent();
		for rows in recent.parts() {
			writer.count(rows.apply(&transaction, self.max_body_bytes)?);
		}
		drop(recent);
		set_mark(&transaction, writer.journal.mark())?;
		let outcome = change(&transaction)?;
		transaction.commit().map_err(database)?;
		writer.journal.recycle();
		// Freed when readers are past it.
		drop(self.recent_mut(mem::take));
		Ok(outcome)
	}

	/// The lock of whoever writes into the database. Who panicked with it may have left the disk in
	/// a state that is not known.
	fn mover(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
		self.mover.lock().map_err(|_| StoreError::Stopped)
	}

	pub(super) fn writer(&self) -> MutexGuard<'_, Writer> {
		// Whoever panicked while something was written has left a mark of it.
		self.writer.lock().unwrap_or_else(PoisonError::into_inner)
	}

	pub(super) fn recent(&self) -> RwLockReadGuard<'_, Recent> {
		// Each change adds or removes all of a batch.
		self.recent.read().unwrap_or_else(PoisonError::into_inner)
	}

	fn recent_mut<T>(&self, change: impl FnOnce(&mut Recent) -> T) -> T {
		let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
		change(&mut recent)
	}
}
