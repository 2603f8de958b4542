//! What is on disk: the tipsets with their messages.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Tipsets by their numbers.
const TIPSETS: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("tipsets");

/// A tipset as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
	/// Its time, in seconds.
	pub(crate) time: u64,
	/// Its messages.
	#[serde(with = "messages")]
	pub(crate) messages: Vec<Vec<u8>>,
}

/// Why the disk is of no use.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// The database fails.
	#[error("the anchor's database: {0}")]
	Database(Box<redb::Error>),
	/// Something in it cannot be read.
	#[error("tipset {0} in the anchor's database cannot be read")]
	Unreadable(u64),
}

fn database<E: Into<redb::Error>>(error: E) -> StoreError {
	StoreError::Database(Box::new(error.into()))
}

/// The database.
#[derive(Debug)]
pub struct Store {
	database: Database,
}

impl Store {
	/// Opens it, or makes a new one.
	pub fn open(path: &Path) -> Result<Self, StoreError> {
		let opened = Database::create(path).map_err(database)?;
		let write = opened.begin_write().map_err(database)?;
		// So that it can be read before anything is in it.
		write.open_table(TIPSETS).map_err(database)?;
		write.commit().map_err(database)?;
		Ok(Self { database: opened })
	}

	/// All tipsets, in their order.
	pub(crate) fn tipsets(&self) -> Result<Vec<(u64, Kept)>, StoreError> {
		let read = self.database.begin_read().map_err(database)?;
		let table = read.open_table(TIPSETS).map_err(database)?;
		let mut all = Vec::new();
		for row in table.iter().map_err(database)? {
			let (number, bytes) = row.map_err(database)?;
			let number = number.value();
			let kept = serde_json::from_slice(bytes.value());
			all.push((number, kept.map_err(|_| StoreError::Unreadable(number))?));
		}
		Ok(all)
	}

	/// Keeps a tipset.
	pub(crate) fn keep(&self, number: u64, kept: &Kept) -> Result<(), StoreError> {
		let bytes = serde_json::to_vec(kept).map_err(|_| StoreError::Unreadable(number))?;
		let write = self.database.begin_write().map_err(database)?;
		{
			let mut table = write.open_table(TIPSETS).map_err(database)?;
			table.insert(number, bytes.as_slice()).map_err(database)?;
		}
		write.commit().map_err(database)?;
		Ok(())
	}
}

/// Serde helper: messages as hexadecimal.
mod messages {
	use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};

	pub(super) fn serialize<S: Serializer>(
		messages: &[Vec<u8>],
		serializer: S,
	) -> Result<S::Ok, S::Error> {
		let texts: Vec<String> = messages.iter().map(hex::encode).collect();
		texts.serialize(serializer)
	}

	pub(super) fn deserialize<'de, D: Deserializer<'de>>(
		deserializer: D,
	) -> Result<Vec<Vec<u8>>, D::Error> {
		let texts = Vec::<String>::deserialize(deserializer)?;
		texts
			.iter()
			.map(|text| hex::decode(text).map_err(D::Error::custom))
			.collect()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_was_kept_is_there_again() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("anchor.redb");
		let kept = Kept {
			time: 7,
			messages: vec![vec![1, 2], Vec::new()],
		};
		{
			let store = Store::open(&path).expect("it is made");
			assert!(store.tipsets().expect("it is read").is_empty());
			store.keep(3, &kept).expect("it is written");
		}
		let store = Store::open(&path).expect("it is opened");
		assert_eq!(store.tipsets().expect("it is read"), [(3, kept)]);
	}
}
