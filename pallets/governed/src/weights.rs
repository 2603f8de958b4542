//! Weights: time of computation as estimated by hand, by analogy with the measured weights of the
//! pallets whose parameters are set; the database's reads and writes are counted.
//!
//! Each function has a benchmark of its name, so that measured weights can take the place of these.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Parameters of the largest group: each is a row to read.
const ROWS: u64 = 32;
/// Rows besides that a check looks at: the lengths of epochs, a session's slots, and what is in force.
const CHECKED: u64 = 6;

/// Weights of the pallet's call, and of what it does when an epoch starts.
pub trait WeightInfo {
	/// `set`, of a parameter of the largest group.
	fn set() -> Weight;
	/// An epoch starts and no group waits.
	fn look() -> Weight;
	/// One group, at most the largest one, comes into force.
	fn apply() -> Weight;
}

/// Time and the database together.
fn cost(db: RuntimeDbWeight, ref_time: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(ref_time, 0).saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weight_functions {
	($db:expr) => {
		fn set() -> Weight {
			// Writes the row, the groups that wait, and what is announced.
			cost(
				$db,
				80_000_000,
				ROWS.saturating_add(CHECKED).saturating_add(2),
				3,
			)
		}
		fn look() -> Weight {
			cost($db, 5_000_000, 1, 0)
		}
		fn apply() -> Weight {
			// Writes the values in force and the groups that wait.
			cost($db, 60_000_000, ROWS.saturating_add(CHECKED), 2)
		}
	};
}

/// Weights at the database prices of the runtime.
#[derive(Debug)]
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	weight_functions!(T::DbWeight::get());
}

impl WeightInfo for () {
	weight_functions!(RocksDbWeight::get());
}
