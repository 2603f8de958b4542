//! A chain's state in a table, without a trie.
//!
//! A search reads and writes state some billion times, and never asks for its root. The SDK's own
//! externalities take three times as long: they look everything up in a tree of changes, and what is
//! not there in a trie besides.

use codec::{Compact, Decode, Encode};
use sp_core::storage::{ChildInfo, StateVersion, Storage, TrackedStorageKey};
use sp_externalities::{Extension, ExtensionStore, Externalities, MultiRemovalResults};
use std::{
	any::{Any, TypeId},
	collections::{BTreeSet, HashMap},
	ops::Bound,
};

/// The state of one chain.
#[derive(Debug, Default)]
pub struct Memory {
	values: HashMap<Vec<u8>, Vec<u8>>,
	/// All keys in order, for those who go from one to the next.
	keys: BTreeSet<Vec<u8>>,
	/// What keys had before they were changed, as long as a transaction is open.
	changed: Vec<(Vec<u8>, Option<Vec<u8>>)>,
	/// How much had been changed when each open transaction began.
	begun: Vec<usize>,
}

impl Memory {
	/// The state that a chain begins with.
	pub fn new(genesis: Storage) -> Self {
		Self {
			keys: genesis.top.keys().cloned().collect(),
			values: genesis.top.into_iter().collect(),
			..Self::default()
		}
	}

	/// Runs something on it.
	pub fn execute<R>(&mut self, run: impl FnOnce() -> R) -> R {
		sp_externalities::set_and_run_with_externalities(self, run)
	}

	/// Puts a value in place, or takes it away; what was there before.
	fn place(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
		let Some(value) = value else {
			let before = self.values.remove(&key)?;
			self.keys.remove(&key);
			return Some(before);
		};
		if let Some(present) = self.values.get_mut(&key) {
			return Some(std::mem::replace(present, value));
		}
		self.keys.insert(key.clone());
		self.values.insert(key, value)
	}

	fn after(&self, bound: Bound<&[u8]>) -> Option<&Vec<u8>> {
		let range = (bound, Bound::<&[u8]>::Unbounded);
		self.keys.range::<[u8], _>(range).next()
	}
}

/// Adds an encoded item to an encoded vector.
fn append(vector: &mut Vec<u8>, item: &[u8]) {
	let mut rest = &vector[..];
	// What is no vector becomes one, as the SDK has it.
	let (number, prefix) = match Compact::<u32>::decode(&mut rest) {
		Ok(number) => (number.0, vector.len() - rest.len()),
		Err(_) => (0, vector.len()),
	};
	let longer = Compact(number + 1).encode();
	vector.splice(..prefix, longer);
	vector.extend_from_slice(item);
}

impl Externalities for Memory {
	fn set_offchain_storage(&mut self, _: &[u8], _: Option<&[u8]>) {}

	fn storage(&mut self, key: &[u8]) -> Option<Vec<u8>> {
		self.values.get(key).cloned()
	}

	fn exists_storage(&mut self, key: &[u8]) -> bool {
		self.values.contains_key(key)
	}

	fn next_storage_key(&mut self, key: &[u8]) -> Option<Vec<u8>> {
		self.after(Bound::Excluded(key)).cloned()
	}

	fn place_storage(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
		if self.begun.is_empty() {
			self.place(key, value);
		} else {
			let before = self.place(key.clone(), value);
			self.changed.push((key, before));
		}
	}

	fn storage_append(&mut self, key: Vec<u8>, value: Vec<u8>) {
		if self.begun.is_empty() {
			if let Some(vector) = self.values.get_mut(&key) {
				return append(vector, &value);
			}
		}
		let mut vector = self.values.get(&key).cloned().unwrap_or_default();
		append(&mut vector, &value);
		self.place_storage(key, Some(vector));
	}

	fn clear_prefix(
		&mut self,
		prefix: &[u8],
		_: Option<u32>,
		_: Option<&[u8]>,
	) -> MultiRemovalResults {
		let mut removed = 0;
		while let Some(key) = self.after(Bound::Included(prefix)).cloned() {
			if !key.starts_with(prefix) {
				break;
			}
			self.place_storage(key, None);
			removed += 1;
		}
		MultiRemovalResults {
			maybe_cursor: None,
			backend: removed,
			unique: removed,
			loops: removed,
		}
	}

	fn storage_start_transaction(&mut self) {
		self.begun.push(self.changed.len());
	}

	fn storage_rollback_transaction(&mut self) -> Result<(), ()> {
		let begun = self.begun.pop().ok_or(())?;
		while self.changed.len() > begun {
			if let Some((key, before)) = self.changed.pop() {
				self.place(key, before);
			}
		}
		Ok(())
	}

	fn storage_commit_transaction(&mut self) -> Result<(), ()> {
		self.begun.pop().ok_or(())?;
		// What is in an outer transaction can still be taken back with that one.
		if self.begun.is_empty() {
			self.changed.clear();
		}
		Ok(())
	}

	// No pallet here asks for what follows.

	fn storage_hash(&mut self, _: &[u8]) -> Option<Vec<u8>> {
		unimplemented!("hashes of values")
	}

	fn child_storage_hash(&mut self, _: &ChildInfo, _: &[u8]) -> Option<Vec<u8>> {
		unimplemented!("child storage")
	}

	fn child_storage(&mut self, _: &ChildInfo, _: &[u8]) -> Option<Vec<u8>> {
		unimplemented!("child storage")
	}

	fn next_child_storage_key(&mut self, _: &ChildInfo, _: &[u8]) -> Option<Vec<u8>> {
		unimplemented!("child storage")
	}

	fn kill_child_storage(
		&mut self,
		_: &ChildInfo,
		_: Option<u32>,
		_: Option<&[u8]>,
	) -> MultiRemovalResults {
		unimplemented!("child storage")
	}

	fn clear_child_prefix(
		&mut self,
		_: &ChildInfo,
		_: &[u8],
		_: Option<u32>,
		_: Option<&[u8]>,
	) -> MultiRemovalResults {
		unimplemented!("child storage")
	}

	fn place_child_storage(&mut self, _: &ChildInfo, _: Vec<u8>, _: Option<Vec<u8>>) {
		unimplemented!("child storage")
	}

	fn storage_root(&mut self, _: StateVersion) -> Vec<u8> {
		unimplemented!("the state's root")
	}

	fn child_storage_root(&mut self, _: &ChildInfo, _: StateVersion) -> Vec<u8> {
		unimplemented!("child storage")
	}

	fn wipe(&mut self) {
		unimplemented!("benchmarks")
	}

	fn commit(&mut self) {
		unimplemented!("benchmarks")
	}

	fn read_write_count(&self) -> (u32, u32, u32, u32) {
		unimplemented!("benchmarks")
	}

	fn reset_read_write_count(&mut self) {
		unimplemented!("benchmarks")
	}

	fn get_whitelist(&self) -> Vec<TrackedStorageKey> {
		unimplemented!("benchmarks")
	}

	fn set_whitelist(&mut self, _: Vec<TrackedStorageKey>) {
		unimplemented!("benchmarks")
	}

	fn get_read_and_written_keys(&self) -> Vec<(Vec<u8>, u32, u32, bool)> {
		unimplemented!("benchmarks")
	}
}

impl ExtensionStore for Memory {
	fn extension_by_type_id(&mut self, _: TypeId) -> Option<&mut dyn Any> {
		None
	}

	fn register_extension_with_type_id(
		&mut self,
		_: TypeId,
		_: Box<dyn Extension>,
	) -> Result<(), sp_externalities::Error> {
		Err(sp_externalities::Error::ExtensionsAreNotSupported)
	}

	fn deregister_extension_by_type_id(
		&mut self,
		_: TypeId,
	) -> Result<(), sp_externalities::Error> {
		Err(sp_externalities::Error::ExtensionsAreNotSupported)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::work::Dice;
	use sp_io::{storage, TestExternalities};

	/// Some thousand operations in an order of chance; everything that could be seen of them.
	fn operations(seed: u64) -> Vec<Option<Vec<u8>>> {
		let mut dice = Dice::new(seed, 0, 0);
		let mut seen = Vec::new();
		let mut open = 0;
		for step in 0..4_000u32 {
			let mut below = |limit: f64| (dice.part() * limit) as u8;
			let key = [b'k', below(3.0), below(6.0)];
			let vector = [b'v', below(2.0)];
			match below(12.0) {
				0..=2 => storage::set(&key, &step.encode()),
				3 => storage::clear(&key),
				4..=6 => storage::append(&vector, step.encode()),
				7 => storage::clear(&vector),
				8 if open < 4 => {
					storage::start_transaction();
					open += 1;
				}
				9 if open > 0 => {
					storage::rollback_transaction();
					open -= 1;
				}
				10 if open > 0 => {
					storage::commit_transaction();
					open -= 1;
				}
				_ => {}
			}
			seen.push(storage::get(&key).map(|value| value.to_vec()));
			seen.push(storage::get(&vector).map(|value| value.to_vec()));
			seen.push(storage::next_key(&key));
			seen.push(storage::exists(&key).then(Vec::new));
		}
		for _ in 0..open {
			storage::commit_transaction();
		}
		let mut key = b"k".to_vec();
		while let Some(next) = storage::next_key(&key) {
			seen.push(storage::get(&next).map(|value| value.to_vec()));
			key = next;
		}
		seen
	}

	#[test]
	fn it_does_what_the_sdks_externalities_do() {
		for seed in 1..=8 {
			let theirs = TestExternalities::default().execute_with(|| operations(seed));
			let ours = Memory::default().execute(|| operations(seed));
			// Not `assert_eq`, which would print all of both.
			assert!(ours == theirs, "they differ with seed {seed}");
		}
	}

	#[test]
	fn a_prefix_is_cleared_and_comes_back_with_its_transaction() {
		let mut memory = Memory::default();
		for key in [&b"a"[..], b"b", b"b1", b"b2", b"c"] {
			memory.set_storage(key.to_vec(), vec![1]);
		}
		memory.storage_start_transaction();
		assert_eq!(memory.clear_prefix(b"b", None, None).unique, 3);
		assert_eq!(memory.next_storage_key(b"a"), Some(b"c".to_vec()));
		assert_eq!(memory.storage_rollback_transaction(), Ok(()));
		assert_eq!(memory.next_storage_key(b"b1"), Some(b"b2".to_vec()));
		assert_eq!(memory.storage_rollback_transaction(), Err(()));
	}

	#[test]
	fn a_vector_grows_where_its_length_takes_more_bytes() {
		let mut vector = Vec::new();
		let mut expected: Vec<u16> = Vec::new();
		for item in 0..20_000u16 {
			append(&mut vector, &item.encode());
			expected.push(item);
			if item % 1_000 == 63 {
				assert_eq!(vector, expected.encode());
			}
		}
		assert_eq!(vector, expected.encode());
	}
}
