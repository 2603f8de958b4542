//! The place of one seed: its cache, filled once, and a machine for each kind of caller.

use crate::{
	statistics::{Counts, Live},
	Caller,
};
use millrace_randomx::{Cache, Machine, Unavailable};
use std::{
	sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
	time::Instant,
};

/// What machines are made over.
pub(crate) trait Memory: Sized {
	/// A machine.
	type Machine;

	/// Makes one.
	fn machine(&self) -> Result<Self::Machine, Unavailable>;
	/// A machine's hash of an input.
	fn hash(machine: &mut Self::Machine, input: &[u8]) -> [u8; 32];
}

impl Memory for Arc<Cache> {
	type Machine = Machine;

	fn machine(&self) -> Result<Machine, Unavailable> {
		Machine::light(self.clone())
	}

	fn hash(machine: &mut Machine, input: &[u8]) -> [u8; 32] {
		machine.hash(input)
	}
}

/// A seed and, once it is filled, its memory.
pub(crate) struct Slot<T: Memory> {
	key: [u8; 32],
	filled: OnceLock<Filled<T>>,
	/// Held by whoever fills.
	filling: Mutex<()>,
}

struct Filled<T: Memory> {
	// Machines read the memory and are dropped before it.
	machines: [Mutex<Option<T::Machine>>; Caller::COUNT],
	memory: T,
	_live: Live,
}

impl<T: Memory> Slot<T> {
	/// The place of a key, not filled.
	pub(crate) fn new(key: [u8; 32]) -> Self {
		Self {
			key,
			filled: OnceLock::new(),
			filling: Mutex::new(()),
		}
	}

	/// Its key.
	pub(crate) fn key(&self) -> [u8; 32] {
		self.key
	}

	/// Whether it can be hashed under without waiting.
	pub(crate) fn is_filled(&self) -> bool {
		self.filled.get().is_some()
	}

	/// Fills it unless it is filled. Whoever comes meanwhile waits for the same fill; whoever finds
	/// nobody at it says so with `first` and does it.
	pub(crate) fn fill(
		&self,
		make: impl FnOnce([u8; 32]) -> Result<T, Unavailable>,
		counts: &Counts,
		first: impl FnOnce(),
	) -> Result<(), Unavailable> {
		if self.is_filled() {
			return Ok(());
		}
		let _filling = lock(&self.filling);
		if self.is_filled() {
			return Ok(());
		}
		first();
		let begun = Instant::now();
		let memory = make(self.key)?;
		let filled = Filled {
			machines: Default::default(),
			memory,
			_live: counts.filled(begun.elapsed()),
		};
		// Nobody else fills, so there is nothing that could be refused.
		let _ = self.filled.set(filled);
		Ok(())
	}

	/// The hash of an input on the machine of this kind of caller; `None` if it is not filled.
	pub(crate) fn hash(
		&self,
		caller: Caller,
		input: &[u8],
	) -> Result<Option<[u8; 32]>, Unavailable> {
		let Some(filled) = self.filled.get() else {
			return Ok(None);
		};
		let mut held = lock(&filled.machines[caller.index()]);
		let machine = match held.take() {
			Some(machine) => machine,
			None => filled.memory.machine()?,
		};
		Ok(Some(T::hash(held.insert(machine), input)))
	}
}

// What the mutexes guard is whole at every point where a panic could leave them.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
