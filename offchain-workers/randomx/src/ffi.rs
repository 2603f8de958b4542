//! The C interface of RandomX, and what of the C library's floating-point control it needs.
//!
//! `randomx-rs` brings the library and links it. Its own types cannot be shared between threads,
//! fill a dataset on one thread only and take a null machine for a machine, so the functions are
//! declared here once more.

use std::ffi::{c_int, c_uint, c_ulong, c_void};

// Links the library; nothing of the crate's Rust side is needed here.
use randomx_rs as _;

/// Memory in pages that the system has reserved (`vm.nr_hugepages`).
pub(crate) const LARGE_PAGES: c_uint = 1;
/// A machine over a dataset.
pub(crate) const FULL_MEM: c_uint = 4;
/// Compiled programs.
pub(crate) const JIT: c_uint = 8;
/// Compiled programs in pages that are never writable and executable at once.
pub(crate) const SECURE: c_uint = 16;

/// A cache: what a dataset or a light machine reads.
#[repr(C)]
pub(crate) struct Cache {
	_opaque: [u8; 0],
}

/// A dataset: what a fast machine reads.
#[repr(C)]
pub(crate) struct Dataset {
	_opaque: [u8; 0],
}

/// A machine: computes one hash at a time.
#[repr(C)]
pub(crate) struct Machine {
	_opaque: [u8; 0],
}

/// A thread's floating-point environment. C's `fenv_t` has at most 32 bytes where RandomX runs.
#[repr(C, align(16))]
pub(crate) struct Environment([u8; 64]);

impl Environment {
	/// One that says nothing yet.
	pub(crate) const fn unset() -> Self {
		Self([0; 64])
	}
}

extern "C" {
	pub(crate) fn randomx_get_flags() -> c_uint;
	pub(crate) fn randomx_alloc_cache(flags: c_uint) -> *mut Cache;
	pub(crate) fn randomx_init_cache(cache: *mut Cache, key: *const c_void, key_size: usize);
	pub(crate) fn randomx_release_cache(cache: *mut Cache);
	pub(crate) fn randomx_alloc_dataset(flags: c_uint) -> *mut Dataset;
	pub(crate) fn randomx_dataset_item_count() -> c_ulong;
	pub(crate) fn randomx_init_dataset(
		dataset: *mut Dataset,
		cache: *mut Cache,
		start_item: c_ulong,
		item_count: c_ulong,
	);
	pub(crate) fn randomx_get_dataset_memory(dataset: *mut Dataset) -> *mut c_void;
	pub(crate) fn randomx_release_dataset(dataset: *mut Dataset);
	pub(crate) fn randomx_create_vm(
		flags: c_uint,
		cache: *mut Cache,
		dataset: *mut Dataset,
	) -> *mut Machine;
	pub(crate) fn randomx_destroy_vm(machine: *mut Machine);
	pub(crate) fn randomx_calculate_hash(
		machine: *mut Machine,
		input: *const c_void,
		input_size: usize,
		output: *mut c_void,
	);
	pub(crate) fn randomx_calculate_hash_first(
		machine: *mut Machine,
		input: *const c_void,
		input_size: usize,
	);
	pub(crate) fn randomx_calculate_hash_next(
		machine: *mut Machine,
		next_input: *const c_void,
		next_input_size: usize,
		output: *mut c_void,
	);
	pub(crate) fn randomx_calculate_hash_last(machine: *mut Machine, output: *mut c_void);
}

#[link(name = "m")]
extern "C" {
	pub(crate) fn fegetenv(environment: *mut Environment) -> c_int;
	pub(crate) fn fesetenv(environment: *const Environment) -> c_int;
}

/// What the library recommends for this processor, without a word on how programs run.
pub(crate) fn processor_flags() -> c_uint {
	// SAFETY: asks the processor, and touches nothing.
	unsafe { randomx_get_flags() & !(JIT | SECURE) }
}

/// Whether the library can compile programs for this processor.
pub(crate) fn has_compiler() -> bool {
	// SAFETY: see above.
	unsafe { randomx_get_flags() & JIT != 0 }
}
