//! RandomX memory shared by all threads, and one machine per thread.

mod ffi;

use crate::{config::Mode, error::ProverError};
use millrace_primitives::H256;
use randomx_rs::RandomXFlag;
use std::{
	ffi::c_ulong,
	ptr::{self, NonNull},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	thread,
};

/// Dataset items that a thread fills at a time: 4 MiB, well under a second, so that a task that is
/// superseded does not hold the processor for long.
const ITEMS_PER_STEP: c_ulong = 65_536;

/// What a machine reads: the cache in light mode, the dataset in fast mode.
///
/// Written by [`Memory::build`] only; afterwards it is read by any number of machines.
#[derive(Debug)]
pub(crate) struct Memory {
	key: H256,
	flags: RandomXFlag,
	cache: Option<CacheHandle>,
	dataset: Option<DatasetHandle>,
}

#[derive(Debug)]
struct CacheHandle(NonNull<ffi::Cache>);

#[derive(Debug)]
struct DatasetHandle(NonNull<ffi::Dataset>);

// SAFETY: RandomX allows a cache to be read by several threads, and one thread to release what
// another allocated. It is written by `init_cache` only, which ends before a handle is shared.
unsafe impl Send for CacheHandle {}
// SAFETY: see `Send`.
unsafe impl Sync for CacheHandle {}
// SAFETY: RandomX allows several threads to initialise disjoint ranges of a dataset and, after
// that, to read it. `fill` alone writes, gives out disjoint ranges and joins its threads.
unsafe impl Send for DatasetHandle {}
// SAFETY: see `Send`.
unsafe impl Sync for DatasetHandle {}

impl Drop for CacheHandle {
	fn drop(&mut self) {
		// SAFETY: the handle is the only owner and every machine that reads it keeps the memory.
		unsafe { ffi::randomx_release_cache(self.0.as_ptr()) }
	}
}

impl Drop for DatasetHandle {
	fn drop(&mut self) {
		// SAFETY: as for the cache.
		unsafe { ffi::randomx_release_dataset(self.0.as_ptr()) }
	}
}

impl Memory {
	/// Fills the memory of a key with all threads. `superseded` is asked now and then and ends
	/// the work early.
	pub(crate) fn build(
		key: H256,
		mode: Mode,
		threads: usize,
		superseded: &(dyn Fn() -> bool + Sync),
	) -> Result<Arc<Self>, ProverError> {
		let mut failure = ProverError::Memory("a machine");
		for flags in flag_choices() {
			if superseded() {
				return Err(ProverError::Superseded);
			}
			let Some(cache) = allocate_cache(key, flags) else {
				failure = ProverError::Memory("the cache");
				continue;
			};
			let light = Arc::new(Self {
				key,
				flags,
				cache: Some(cache),
				dataset: None,
			});
			// A system that forbids executable memory shows itself here, before minutes are
			// spent on a dataset.
			if Machine::new(light.clone()).is_err() {
				continue;
			}
			if mode == Mode::Light {
				return Ok(light);
			}
			let Some(cache) = Arc::into_inner(light).and_then(|memory| memory.cache) else {
				continue;
			};
			let dataset = fill(&cache, threads, superseded)?;
			let flags = flags | RandomXFlag::FLAG_FULL_MEM;
			return Ok(Arc::new(Self {
				key,
				flags,
				cache: None,
				dataset: Some(dataset),
			}));
		}
		Err(failure)
	}

	/// The key that it was filled with.
	pub(crate) fn key(&self) -> H256 {
		self.key
	}
}

/// Compiled machines first, then such that never map a page writable and executable at once, then
/// interpreted ones.
fn flag_choices() -> [RandomXFlag; 3] {
	let best = RandomXFlag::get_recommended_flags();
	[
		best,
		best | RandomXFlag::FLAG_SECURE,
		best & !RandomXFlag::FLAG_JIT,
	]
}

fn allocate_cache(key: H256, flags: RandomXFlag) -> Option<CacheHandle> {
	// SAFETY: any combination of flags may be asked for; null is the answer where it is refused.
	let cache = unsafe { ffi::randomx_alloc_cache(flags.bits()) };
	let cache = CacheHandle(NonNull::new(cache)?);
	// SAFETY: the cache is allocated and nobody else knows of it; the key outlives the call.
	unsafe { ffi::randomx_init_cache(cache.0.as_ptr(), key.0.as_ptr().cast(), key.0.len()) };
	Some(cache)
}

fn fill(
	cache: &CacheHandle,
	threads: usize,
	superseded: &(dyn Fn() -> bool + Sync),
) -> Result<DatasetHandle, ProverError> {
	// SAFETY: no large pages are asked for; null is the answer where memory is short.
	let dataset = unsafe { ffi::randomx_alloc_dataset(RandomXFlag::FLAG_DEFAULT.bits()) };
	let dataset = DatasetHandle(NonNull::new(dataset).ok_or(ProverError::Memory("the dataset"))?);
	// SAFETY: a constant of the library.
	let items = unsafe { ffi::randomx_dataset_item_count() };
	let next = AtomicU64::new(0);
	let work = || {
		// The handles are taken whole, since it is them and not their pointers that are shared.
		let (cache, dataset) = (cache, &dataset);
		while !superseded() {
			let start = next.fetch_add(ITEMS_PER_STEP, Ordering::Relaxed);
			if start >= items {
				break;
			}
			let count = ITEMS_PER_STEP.min(items - start);
			// SAFETY: the range lies inside the dataset and no other thread is given it; the
			// cache is initialised.
			unsafe {
				ffi::randomx_init_dataset(dataset.0.as_ptr(), cache.0.as_ptr(), start, count);
			}
		}
	};
	thread::scope(|scope| {
		for _ in 1..threads {
			scope.spawn(&work);
		}
		work();
	});
	// A dataset with gaps gives hashes that nobody else computes.
	if next.load(Ordering::Relaxed) < items || superseded() {
		return Err(ProverError::Superseded);
	}
	Ok(dataset)
}

/// A RandomX machine: belongs to one thread.
#[derive(Debug)]
pub(crate) struct Machine {
	machine: NonNull<ffi::Machine>,
	/// What the machine reads must live as long as it does.
	_memory: Arc<Memory>,
}

impl Machine {
	/// A machine over the memory.
	pub(crate) fn new(memory: Arc<Memory>) -> Result<Self, ProverError> {
		let cache = memory
			.cache
			.as_ref()
			.map_or(ptr::null_mut(), |cache| cache.0.as_ptr());
		let dataset = memory
			.dataset
			.as_ref()
			.map_or(ptr::null_mut(), |dataset| dataset.0.as_ptr());
		// SAFETY: light memory has a cache, fast memory a dataset and the flag for it; both are
		// initialised and kept by `_memory`.
		let machine = unsafe { ffi::randomx_create_vm(memory.flags.bits(), cache, dataset) };
		let machine = NonNull::new(machine).ok_or(ProverError::Memory("a machine"))?;
		Ok(Self {
			machine,
			_memory: memory,
		})
	}

	/// The hash of an input.
	pub(crate) fn hash(&mut self, input: &[u8]) -> [u8; 32] {
		let mut hash = [0u8; 32];
		// SAFETY: the machine is exclusively borrowed, the input is readable for its length and
		// the output has RandomX's 32 bytes.
		unsafe {
			ffi::randomx_calculate_hash(
				self.machine.as_ptr(),
				input.as_ptr().cast(),
				input.len(),
				hash.as_mut_ptr().cast(),
			);
		}
		hash
	}
}

impl Drop for Machine {
	fn drop(&mut self) {
		// SAFETY: created by `new` and owned by nobody else.
		unsafe { ffi::randomx_destroy_vm(self.machine.as_ptr()) }
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use randomx_rs::{RandomXCache, RandomXVM};

	#[test]
	fn light_hashes_are_those_of_randomx() {
		let key = H256::repeat_byte(7);
		let memory = Memory::build(key, Mode::Light, 1, &|| false).expect("light memory fits");
		assert_eq!(memory.key(), key);
		let flags = RandomXFlag::get_recommended_flags();
		let cache = RandomXCache::new(flags, key.as_bytes()).expect("a second cache fits");
		let other = RandomXVM::new(flags, Some(cache), None).expect("a machine fits");
		let mut one = Machine::new(memory.clone()).expect("a machine fits");
		let two = thread::spawn(move || {
			Machine::new(memory)
				.expect("a machine fits")
				.hash(b"from another thread")
		});
		assert_eq!(
			one.hash(b"input").to_vec(),
			other
				.calculate_hash(b"input")
				.expect("the input is not empty")
		);
		assert_eq!(
			two.join().expect("the thread ends").to_vec(),
			other
				.calculate_hash(b"from another thread")
				.expect("the input is not empty")
		);
	}

	#[test]
	fn building_ends_when_superseded() {
		let result = Memory::build(H256::zero(), Mode::Fast, 2, &|| true);
		assert!(matches!(result, Err(ProverError::Superseded)));
	}
}
