//! Weights: time of computation as bounded by hand, and the database's reads and writes.

use crate::RING;
use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};
use millrace_primitives::audit::RECEIPTS_PER_AUDIT;

/// One receipt: an ed25519 verification and a path of 32 hashes, in picoseconds.
const RECEIPT: u64 = 100_000_000;

/// Weights of what this pallet does for others; it has no calls.
pub trait WeightInfo {
	/// Inspection of all the receipts that an audit opens.
	fn open() -> Weight;
	/// Clearing the full rings of a peer that is removed.
	fn forget() -> Weight;
}

/// Weights with the runtime's database.
#[derive(Debug)]
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn open() -> Weight {
		open(T::DbWeight::get())
	}
	fn forget() -> Weight {
		forget(T::DbWeight::get())
	}
}

impl WeightInfo for () {
	fn open() -> Weight {
		open(RocksDbWeight::get())
	}
	fn forget() -> Weight {
		forget(RocksDbWeight::get())
	}
}

/// Reads for each receipt the seed, both epochs, the key, the worker, its deal and the deal's terms;
/// writes all of them at once.
fn open(db: RuntimeDbWeight) -> Weight {
	let receipts = u64::from(RECEIPTS_PER_AUDIT);
	Weight::from_parts(receipts.saturating_mul(RECEIPT), 0)
		.saturating_add(db.reads_writes(receipts.saturating_mul(8), 1))
}

/// Finds and removes the rows of two rings.
fn forget(db: RuntimeDbWeight) -> Weight {
	let rows = u64::from(RING).saturating_mul(2);
	Weight::from_parts(rows.saturating_mul(2_000_000), 0)
		.saturating_add(db.reads_writes(rows, rows))
}
