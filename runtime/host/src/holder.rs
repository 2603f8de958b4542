//! The process's machines: at most two keys, which are all that the chain asks for at a time.
//!
//! Audits of epoch e are answered in epoch e+1, when work for seed e+1 is already going on: the
//! seeds of the present epoch and of the one before cover what a node executes. The key that was
//! used longest ago makes room for a third one, as on a fork or while old blocks are synced.

use crate::machine::{Machine, Unavailable};
use millrace_primitives::H256;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const KEYS: usize = 2;

static HOLDER: Holder = Holder::new();

/// Hash under a key; fills the key's cache first if it is not held.
pub(crate) fn hash(key: [u8; 32], input: &[u8]) -> Result<[u8; 32], Unavailable> {
	HOLDER.slot(key).with(|machine| machine.hash(input))?
}

/// Fills the cache of a key, unless it is held: about a second of one core, so for a thread that
/// may block. Hashes under the other key go on meanwhile.
pub fn warm(key: H256) -> Result<(), Unavailable> {
	HOLDER.slot(key.0).with(|_| ())
}

/// Keys and their machines, the one that was used last in front.
struct Holder {
	slots: Mutex<Vec<Arc<Slot>>>,
}

/// A key, and its machine from its first use on.
struct Slot {
	key: [u8; 32],
	machine: Mutex<Option<Machine>>,
}

impl Holder {
	const fn new() -> Self {
		Self {
			slots: Mutex::new(Vec::new()),
		}
	}

	// Only the list is locked here. A machine that leaves it lives until its last user is done.
	fn slot(&self, key: [u8; 32]) -> Arc<Slot> {
		let mut slots = lock(&self.slots);
		let slot = match slots.iter().position(|slot| slot.key == key) {
			Some(index) => slots.remove(index),
			None => Arc::new(Slot {
				key,
				machine: Mutex::new(None),
			}),
		};
		slots.insert(0, slot.clone());
		slots.truncate(KEYS);
		slot
	}
}

impl Slot {
	fn with<R>(&self, run: impl FnOnce(&mut Machine) -> R) -> Result<R, Unavailable> {
		let mut machine = lock(&self.machine);
		let held = match machine.take() {
			Some(held) => held,
			None => Machine::new(&self.key)?,
		};
		Ok(run(machine.insert(held)))
	}
}

// What the mutexes guard is whole at every point where a panic could leave them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn held(holder: &Holder) -> Vec<u8> {
		lock(&holder.slots).iter().map(|slot| slot.key[0]).collect()
	}

	#[test]
	fn the_key_used_longest_ago_makes_room() {
		let holder = Holder::new();
		let first = holder.slot([1; 32]);
		holder.slot([2; 32]);
		assert!(Arc::ptr_eq(&first, &holder.slot([1; 32])));
		holder.slot([3; 32]);
		assert_eq!(held(&holder), [3, 1]);
		assert!(!Arc::ptr_eq(&holder.slot([2; 32]), &first));
		assert_eq!(held(&holder), [2, 3]);
	}

	#[test]
	fn threads_share_a_machine() {
		let holder = Arc::new(Holder::new());
		let threads: Vec<_> = (0..4)
			.map(|_| {
				let holder = holder.clone();
				std::thread::spawn(move || {
					let slot = holder.slot([9; 32]);
					slot.with(|machine| machine.hash(b"input").expect("the input is not empty"))
						.expect("the machine runs here")
				})
			})
			.collect();
		let mut hashes: Vec<_> = threads
			.into_iter()
			.map(|thread| thread.join().expect("no thread panics"))
			.collect();
		hashes.dedup();
		assert_eq!(hashes.len(), 1);
	}
}
