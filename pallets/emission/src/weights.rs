//! Weights: time of computation as estimated by hand, and the database's reads and writes.
//!
//! Each function has a benchmark of its name, so that measured weights can take the place of these.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of what capacity asks for.
pub trait WeightInfo {
	/// The limit of an epoch is asked for, and its pool promised.
	fn promise() -> Weight;
	/// A reward is paid.
	fn pay() -> Weight;
}

/// Time and the database together.
fn cost(db: RuntimeDbWeight, ref_time: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(ref_time, 0).saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weight_functions {
	($db:expr) => {
		fn promise() -> Weight {
			// The reserve, the pools, and the parameter.
			cost($db, 20_000_000, 3, 1)
		}
		fn pay() -> Weight {
			// What was promised and paid, and both accounts.
			cost($db, 60_000_000, 4, 3)
		}
	};
}

/// Weights with the runtime's database.
#[derive(Debug)]
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	weight_functions!(<T as frame_system::Config>::DbWeight::get());
}

// For tests.
impl WeightInfo for () {
	weight_functions!(RocksDbWeight::get());
}
