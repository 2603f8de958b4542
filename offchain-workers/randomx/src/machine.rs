//! Machines, which compute hashes.

use crate::{
	ffi::{self, Environment},
	pages::{self, Pages, HUGE_BYTES},
	Cache, Code, Dataset, Unavailable,
};
use std::{
	ffi::c_uint,
	ptr::{self, NonNull},
	sync::Arc,
};

/// Memory of a machine's scratchpad: one huge page.
const SCRATCHPAD_BYTES: usize = HUGE_BYTES;

/// Belongs to one thread at a time (`Send`, not `Sync`).
#[derive(Debug)]
pub struct Machine {
	machine: NonNull<ffi::Machine>,
	// What the machine reads must live as long as it does.
	_cache: Option<Arc<Cache>>,
	_dataset: Option<Arc<Dataset>>,
}

// SAFETY: what the pointer leads to is heap memory that belongs to no thread. RandomX keeps nothing
// by thread but the floating-point environment, which is restored before each call returns. The
// memory that machines share is `Send` and `Sync` by its own types.
unsafe impl Send for Machine {}

impl Drop for Machine {
	fn drop(&mut self) {
		// SAFETY: created by `create`, owned by nobody else, and what it reads is still there.
		unsafe { ffi::randomx_destroy_vm(self.machine.as_ptr()) }
	}
}

impl Machine {
	/// A machine over a cache, with 2 MiB of its own.
	pub fn light(cache: Arc<Cache>) -> Result<Self, Unavailable> {
		// SAFETY: the cache is filled and kept by the machine; a light machine asks for no dataset.
		let machine = unsafe {
			create(
				cache.code(),
				cache.wanted(),
				0,
				cache.as_ptr(),
				ptr::null_mut(),
			)
		}?;
		Ok(Self {
			machine,
			_cache: Some(cache),
			_dataset: None,
		})
	}

	/// A machine over a dataset, with 2 MiB of its own. The dataset must be filled.
	pub fn fast(dataset: Arc<Dataset>) -> Result<Self, Unavailable> {
		let filled = dataset.filled();
		let filled = filled.ok_or(Unavailable("a machine over an empty dataset"))?;
		// SAFETY: the dataset is filled, kept by the machine, and cannot be written while others
		// share it; a fast machine asks for no cache.
		let machine = unsafe {
			create(
				dataset.code(),
				dataset.wanted(),
				ffi::FULL_MEM,
				ptr::null_mut(),
				filled,
			)
		}?;
		Ok(Self {
			machine,
			_cache: None,
			_dataset: Some(dataset),
		})
	}

	/// The hash of an input.
	pub fn hash(&mut self, input: &[u8]) -> [u8; 32] {
		let mut hash = [0; 32];
		let _environment = Kept::now();
		// SAFETY: the machine is exclusively borrowed, the input is readable for its length and the
		// output has RandomX's 32 bytes.
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

	/// Begins a row of hashes, of which each is begun while the one before it ends.
	pub fn row(&mut self, first: &[u8]) -> Row<'_> {
		let _environment = Kept::now();
		// SAFETY: as for `hash`; the input is not kept.
		unsafe {
			ffi::randomx_calculate_hash_first(
				self.machine.as_ptr(),
				first.as_ptr().cast(),
				first.len(),
			);
		}
		Row { machine: self }
	}
}

/// A machine that has begun a hash. Whenever it is dropped, the machine can be used as before.
///
/// The library's functions for rows leave the thread's rounding mode changed; here each call
/// restores the floating-point environment that it found.
#[derive(Debug)]
pub struct Row<'m> {
	machine: &'m mut Machine,
}

impl Row<'_> {
	/// The hash of the input before, and begins with this one.
	pub fn next(&mut self, input: &[u8]) -> [u8; 32] {
		let mut hash = [0; 32];
		let _environment = Kept::now();
		// SAFETY: as for `Machine::hash`; a hash is begun.
		unsafe {
			ffi::randomx_calculate_hash_next(
				self.machine.machine.as_ptr(),
				input.as_ptr().cast(),
				input.len(),
				hash.as_mut_ptr().cast(),
			);
		}
		hash
	}

	/// The hash of the last input.
	pub fn last(self) -> [u8; 32] {
		let mut hash = [0; 32];
		let _environment = Kept::now();
		// SAFETY: as for `Machine::hash`; a hash is begun.
		unsafe {
			ffi::randomx_calculate_hash_last(
				self.machine.machine.as_ptr(),
				hash.as_mut_ptr().cast(),
			);
		}
		hash
	}
}

/// Makes a machine.
///
/// # Safety
///
/// `code` must be allowed. Without `FULL_MEM` the cache must be filled, with it the dataset; both
/// must outlive the machine and stay unwritten.
unsafe fn create(
	code: Code,
	wanted: Pages,
	kind: c_uint,
	cache: *mut ffi::Cache,
	dataset: *mut ffi::Dataset,
) -> Result<NonNull<ffi::Machine>, Unavailable> {
	let flags = ffi::processor_flags() | code.flags() | kind;
	if wanted == Pages::Reserved && pages::reserved_fit(SCRATCHPAD_BYTES) {
		// SAFETY: by the caller; null is the answer where there is no such memory.
		let machine = unsafe { ffi::randomx_create_vm(flags | ffi::LARGE_PAGES, cache, dataset) };
		if let Some(machine) = NonNull::new(machine) {
			return Ok(machine);
		}
	}
	// SAFETY: by the caller; null is the answer where memory is short.
	let machine = unsafe { ffi::randomx_create_vm(flags, cache, dataset) };
	NonNull::new(machine).ok_or(Unavailable("a machine"))
}

/// The thread's floating-point environment, restored at the end of a scope.
struct Kept(Environment);

impl Kept {
	fn now() -> Self {
		let mut environment = Environment::unset();
		// SAFETY: there is room for what C stores.
		unsafe { ffi::fegetenv(&mut environment) };
		Self(environment)
	}
}

impl Drop for Kept {
	fn drop(&mut self) {
		// SAFETY: stored by `fegetenv` of the same thread: the value never leaves its function.
		unsafe { ffi::fesetenv(&self.0) };
	}
}
