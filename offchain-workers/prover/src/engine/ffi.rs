//! The C interface of RandomX.
//!
//! `randomx-rs` brings the library and links it. Its own types cannot be shared between threads and
//! build the dataset on one thread only, so the functions are declared here once more.

use std::ffi::{c_uint, c_ulong, c_void};

// Links the library; nothing of the crate's Rust side is needed here.
use randomx_rs as _;

/// A cache: what a dataset or a light machine reads.
#[repr(C)]
pub(super) struct Cache {
	_opaque: [u8; 0],
}

/// A dataset: what a fast machine reads.
#[repr(C)]
pub(super) struct Dataset {
	_opaque: [u8; 0],
}

/// A machine: computes one hash at a time.
#[repr(C)]
pub(super) struct Machine {
	_opaque: [u8; 0],
}

extern "C" {
	pub(super) fn randomx_alloc_cache(flags: c_uint) -> *mut Cache;
	pub(super) fn randomx_init_cache(cache: *mut Cache, key: *const c_void, key_size: usize);
	pub(super) fn randomx_release_cache(cache: *mut Cache);
	pub(super) fn randomx_alloc_dataset(flags: c_uint) -> *mut Dataset;
	pub(super) fn randomx_dataset_item_count() -> c_ulong;
	pub(super) fn randomx_init_dataset(
		dataset: *mut Dataset,
		cache: *mut Cache,
		start_item: c_ulong,
		item_count: c_ulong,
	);
	pub(super) fn randomx_release_dataset(dataset: *mut Dataset);
	pub(super) fn randomx_create_vm(
		flags: c_uint,
		cache: *mut Cache,
		dataset: *mut Dataset,
	) -> *mut Machine;
	pub(super) fn randomx_destroy_vm(machine: *mut Machine);
	pub(super) fn randomx_calculate_hash(
		machine: *mut Machine,
		input: *const c_void,
		input_size: usize,
		output: *mut c_void,
	);
}
