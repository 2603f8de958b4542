//! Weights: time of computation as bounded by hand, and the database's reads and writes.

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
	/// What the database costs.
	fn db() -> RuntimeDbWeight;

	/// Inspection of all the receipts that an audit opens.
	fn open() -> Weight {
		// For each the seed, both epochs, the key, the worker and the deal; one write for all.
		let receipts = u64::from(RECEIPTS_PER_AUDIT);
		Weight::from_parts(receipts.saturating_mul(RECEIPT), 0)
			.saturating_add(Self::db().reads_writes(receipts.saturating_mul(8), 1))
	}
}

/// Weights with the runtime's database.
#[derive(Debug)]
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn db() -> RuntimeDbWeight {
		T::DbWeight::get()
	}
}

impl WeightInfo for () {
	fn db() -> RuntimeDbWeight {
		RocksDbWeight::get()
	}
}
