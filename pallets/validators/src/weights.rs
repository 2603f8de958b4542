//! Weights: time of computation as estimated by hand, and the database's reads and writes.
//!
//! Each function has a benchmark of its name, so that measured weights can take the place of these.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Reading, sorting into and writing the list of candidates at its bound, in picoseconds.
const LIST: u64 = 40_000_000;

/// Weights of the pallet's calls, and of what the runtime wires.
pub trait WeightInfo {
	/// `validate`, into a full list.
	fn validate() -> Weight;
	/// `chill`, from a full list.
	fn chill() -> Weight;
	/// `purge_keys`, with what the session pallet does.
	fn purge_keys() -> Weight;
	/// A candidate's stake changes, in a full list.
	fn on_stake() -> Weight;
	/// An account's equivocations and the serial number of its next one.
	fn since() -> Weight;
	/// Planning a session with so many candidates and all seats taken.
	fn plan(candidates: u32) -> Weight;
	/// The end of a session with so many seats.
	fn close_session(seats: u32) -> Weight;
	/// A block's author is noted.
	fn note_author() -> Weight;
	/// An account equivocated, without what reporting it costs.
	fn on_equivocation() -> Weight;
}

/// Time and the database together.
fn cost(db: RuntimeDbWeight, ref_time: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(ref_time, 0).saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weight_functions {
	($db:expr) => {
		fn validate() -> Weight {
			cost($db, LIST.saturating_add(20_000_000), 7, 4)
		}
		fn chill() -> Weight {
			cost($db, LIST, 2, 2)
		}
		fn purge_keys() -> Weight {
			// Four keys have an owner each.
			cost($db, 60_000_000, 12, 8)
		}
		fn on_stake() -> Weight {
			cost($db, LIST, 2, 1)
		}
		fn since() -> Weight {
			cost($db, 15_000_000, 1, 0)
		}
		fn plan(candidates: u32) -> Weight {
			// Keys and ban of each candidate; keys, ban, stake and standing of each seat.
			let each = cost($db, 10_000_000, 2, 0).saturating_mul(candidates.into());
			cost($db, 2_000_000_000, 410, 4).saturating_add(each)
		}
		fn close_session(seats: u32) -> Weight {
			// Blocks, silence and standing of each.
			let each = cost($db, 30_000_000, 3, 3).saturating_mul(seats.into());
			cost($db, LIST, 7, 3).saturating_add(each)
		}
		fn note_author() -> Weight {
			cost($db, 10_000_000, 2, 2)
		}
		fn on_equivocation() -> Weight {
			cost($db, LIST.saturating_add(40_000_000), 9, 5)
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
