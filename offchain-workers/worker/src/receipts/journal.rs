//! What was promised and is not in the database yet, in a file that is written in turns: one half,
//! then the other.
//!
//! The file has a fixed length, and every block of it was written once, so that a record costs one
//! write and one sync and nothing besides. A record begins with a block of its own and is synced
//! before the next one is begun: no write touches what was promised before, until the database has
//! it. While a half enters the database, records go to the other one; whoever turns back to a half
//! knows that the database has it.
//!
//! A record counts if its checksum fits and the database notes a lower number: numbers never come
//! back, so that what is left of an earlier round counts for nothing. The checksum is made with a
//! key that changes whenever the file is opened and that nobody outside knows: the bytes of a
//! request come to lie in the file too, and must not pass for a record there.

use crate::errors::StoreError;
use codec::Encode;
use millrace_primitives::H256;
use sp_crypto_hashing::twox_64;
use std::{
	collections::BTreeMap,
	ffi::OsString,
	fs::{self, File},
	io::{self, Write},
	ops::Range,
	os::unix::fs::FileExt,
	path::Path,
};

/// What a disk may spoil of its own when power fails during a write.
const BLOCK: usize = 4_096;
/// Place of the checksum, as long as the key, which lies there while the checksum is made.
const SEAL: Range<usize> = 0..32;
/// Place of the number.
const NUMBER: Range<usize> = 32..40;
/// Place of the payload's length.
const LENGTH: Range<usize> = 40..48;
/// Bytes before the payload.
const HEADER: usize = LENGTH.end;

/// The file. Every record of the half that is written was synced, and those of the other half,
/// until the database has them.
pub(super) struct Journal {
	file: File,
	key: H256,
	/// Blocks of a half.
	half: usize,
	/// First block of the half that is written.
	begin: usize,
	/// The next record's first block.
	next: usize,
	/// Number of the last record.
	last: u64,
	/// Memory of the last record, for the next one.
	buffer: Vec<u8>,
}

impl Journal {
	/// The journal of so many blocks at a path, empty: whatever it holds was made with another key.
	pub(super) fn open(path: &Path, blocks: usize, key: H256) -> Result<Self, StoreError> {
		let file = File::options().write(true).open(path);
		Ok(Self::over(file.map_err(StoreError::Journal)?, blocks, key))
	}

	/// An empty journal over a file.
	pub(super) fn over(file: File, blocks: usize, key: H256) -> Self {
		Self {
			file,
			key,
			half: blocks / 2,
			begin: 0,
			next: 0,
			last: 0,
			buffer: Vec::new(),
		}
	}

	/// Whether the half that is written has room for a payload of so many bytes.
	pub(super) fn fits(&self, bytes: usize) -> bool {
		blocks_of(bytes) <= (self.begin + self.half).saturating_sub(self.next)
	}

	/// Whether an empty half has.
	pub(super) fn fits_a_half(&self, bytes: usize) -> bool {
		blocks_of(bytes) <= self.half
	}

	/// Writes a payload that fits. It is on disk when this returns. After an error, nothing is
	/// known of it, and nothing may be written any more.
	pub(super) fn append(&mut self, payload: &impl Encode) -> Result<(), StoreError> {
		let number = self.last.saturating_add(1);
		let record = &mut self.buffer;
		record.clear();
		record.resize(HEADER, 0);
		payload.encode_to(record);
		let length = record.len() - HEADER;
		let blocks = blocks_of(length);
		debug_assert!(blocks <= self.begin + self.half - self.next);
		record[NUMBER].copy_from_slice(&number.to_le_bytes());
		record[LENGTH].copy_from_slice(&(length as u64).to_le_bytes());
		let seal = seal(record, &self.key);
		record[SEAL].copy_from_slice(&seal);
		// Whole blocks: nothing has to be read to write them.
		record.resize(blocks * BLOCK, 0);
		let written = self
			.file
			.write_all_at(record, (self.next * BLOCK) as u64)
			.and_then(|()| self.file.sync_data());
		written.map_err(StoreError::Journal)?;
		self.next += blocks;
		self.last = number;
		Ok(())
	}

	/// What the database must note when it has everything that was appended.
	pub(super) fn mark(&self) -> (H256, u64) {
		(self.key, self.last)
	}

	/// Goes on in the other half: the database has everything that was there.
	pub(super) fn turn(&mut self) {
		self.begin = self.half - self.begin;
		self.next = self.begin;
	}

	/// Begins the half again: the database has everything that was appended.
	pub(super) fn recycle(&mut self) {
		self.next = self.begin;
	}
}

/// Blocks of a record whose payload has so many bytes.
fn blocks_of(bytes: usize) -> usize {
	bytes.saturating_add(HEADER).div_ceil(BLOCK)
}

/// Makes an empty journal of so many blocks, whatever was there before.
pub(super) fn create(path: &Path, blocks: usize) -> Result<(), StoreError> {
	let make = || -> io::Result<()> {
		let mut name = OsString::from(path);
		name.push(".new");
		// Zeros are written rather than skipped: blocks that never were would be made by the first
		// records, and cost each of them a second write.
		let mut file = File::create(&name)?;
		file.write_all(&vec![0; blocks * BLOCK])?;
		file.sync_all()?;
		fs::rename(&name, path)?;
		match path.parent() {
			Some(folder) => File::open(folder)?.sync_all(),
			None => Ok(()),
		}
	};
	make().map_err(StoreError::Journal)
}

/// The payloads behind the one that the database has last, in their order.
pub(super) fn read(
	path: &Path,
	blocks: usize,
	(key, settled): (H256, u64),
) -> Result<Vec<Vec<u8>>, StoreError> {
	let damaged = || StoreError::Damaged("journal");
	let length = match fs::metadata(path) {
		Ok(found) => found.len(),
		// It was there when the database was last written.
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged()),
		Err(error) => return Err(StoreError::Journal(error)),
	};
	if length != (blocks * BLOCK) as u64 {
		return Err(damaged());
	}
	let mut bytes = fs::read(path).map_err(StoreError::Journal)?;
	scan(&mut bytes, &key, settled).ok_or_else(damaged)
}

/// The payloads behind the record `settled`, in their order; `None` where one is missing that
/// others follow. Such a one was synced before, so that a crash does not explain it.
fn scan(bytes: &mut [u8], key: &H256, settled: u64) -> Option<Vec<Vec<u8>>> {
	let mut found = BTreeMap::new();
	for at in (0..bytes.len()).step_by(BLOCK) {
		if let Some((number, place)) = record(bytes, at, key) {
			if number > settled {
				found.insert(number, place);
			}
		}
	}
	let mut payloads = Vec::with_capacity(found.len());
	let mut before = settled;
	for (number, place) in found {
		if before.checked_add(1) != Some(number) {
			return None;
		}
		before = number;
		payloads.push(bytes.get(place)?.to_vec());
	}
	Some(payloads)
}

/// The record that begins at a place: its number, and where its payload lies.
fn record(bytes: &mut [u8], at: usize, key: &H256) -> Option<(u64, Range<usize>)> {
	let begin = at.checked_add(HEADER)?;
	let header = bytes.get(at..begin)?;
	let number = u64::from_le_bytes(header[NUMBER].try_into().ok()?);
	let length = u64::from_le_bytes(header[LENGTH].try_into().ok()?);
	let end = begin.checked_add(usize::try_from(length).ok()?)?;
	let record = bytes.get_mut(at..end)?;
	let mut found = [0; SEAL.end];
	found.copy_from_slice(&record[SEAL]);
	let is_whole = seal(record, key) == found;
	record[SEAL].copy_from_slice(&found);
	is_whole.then_some((number, begin..end))
}

/// The checksum of a record, as it stands where the key stood.
fn seal(record: &mut [u8], key: &H256) -> [u8; SEAL.end] {
	record[SEAL].copy_from_slice(&key.0);
	let mut seal = [0; SEAL.end];
	seal[..8].copy_from_slice(&twox_64(record));
	seal
}

#[cfg(test)]
mod tests;
