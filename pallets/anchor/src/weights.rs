//! Weights: time of computation as estimated by hand, and the database's reads and writes.
//!
//! Each function has a benchmark of its name, so that measured weights can take the place of these.

use crate::MAX_BATCH;
use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// One verification of an ECDSA signature, in picoseconds.
const SIGNATURE: u64 = 120_000_000;
/// A byte that is hashed by Keccak within the runtime, in picoseconds.
const HASHED_BYTE: u64 = 12_000;

/// Weights of the pallet's calls and hooks, without what it asks of validators' keys.
pub trait WeightInfo {
	/// `on_initialize`, and `on_finalize` over a full block of messages.
	fn on_initialize() -> Weight;
	/// Looking whether a forced message waits.
	fn look_for_forced() -> Weight;
	/// A forced message, without its call.
	fn run_forced() -> Weight;
	/// `withdraw`.
	fn withdraw() -> Weight;
	/// `send`, of the longest message.
	fn send() -> Weight;
	/// Authorisation of `vote`.
	fn authorize_vote() -> Weight;
	/// `vote`, where it decides and the votes on all other numbers go.
	fn vote() -> Weight;
	/// Authorisation of `deliver` of so many bytes.
	fn authorize_deliver(b: u32) -> Weight;
	/// `deliver` of so many messages, without hashing them.
	fn deliver(n: u32) -> Weight;
	/// `release`.
	fn release() -> Weight;
	/// `report_conflict`, without proof and punishment.
	fn report_conflict() -> Weight;
	/// `pause` and `resume`.
	fn pause() -> Weight;
	/// `set_anchor`.
	fn set_anchor() -> Weight;
	/// `set_inbox`.
	fn set_inbox() -> Weight;
}

/// Time and the database together.
fn cost(db: RuntimeDbWeight, ref_time: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(ref_time, 0).saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weight_functions {
	($db:expr) => {
		fn on_initialize() -> Weight {
			// Two nodes of 64 bytes for each of the messages.
			cost($db, HASHED_BYTE.saturating_mul(64 * 128), 6, 3)
		}
		fn look_for_forced() -> Weight {
			cost($db, 3_000_000, 2, 0)
		}
		fn run_forced() -> Weight {
			cost($db, 150_000_000, 12, 9)
		}
		fn withdraw() -> Weight {
			cost($db, 140_000_000, 13, 9)
		}
		fn send() -> Weight {
			cost($db, 80_000_000, 8, 5)
		}
		fn authorize_vote() -> Weight {
			cost($db, SIGNATURE, 7, 0)
		}
		fn vote() -> Weight {
			cost($db, 60_000_000, 6, u64::from(MAX_BATCH).saturating_add(3))
		}
		fn authorize_deliver(b: u32) -> Weight {
			let time = u64::from(b).saturating_mul(HASHED_BYTE);
			cost($db, time.saturating_add(20_000_000), 6, 0)
		}
		fn deliver(n: u32) -> Weight {
			let n = u64::from(n);
			let time = n.saturating_mul(110_000_000).saturating_add(40_000_000);
			// Of each message the recipient, its row, its bit, and the pot's holds.
			let reads = n.saturating_mul(4).saturating_add(12);
			let writes = n.saturating_mul(4).saturating_add(9);
			cost($db, time, reads, writes)
		}
		fn release() -> Weight {
			cost($db, 110_000_000, 9, 6)
		}
		fn report_conflict() -> Weight {
			cost($db, SIGNATURE.saturating_mul(2), 2, 0)
		}
		fn pause() -> Weight {
			cost($db, 10_000_000, 2, 1)
		}
		fn set_anchor() -> Weight {
			cost($db, 20_000_000, 5, u64::from(MAX_BATCH).saturating_add(5))
		}
		fn set_inbox() -> Weight {
			cost($db, 20_000_000, 3, u64::from(MAX_BATCH).saturating_add(4))
		}
	};
}

/// Weights with the runtime's database.
#[derive(Debug)]
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	weight_functions!(T::DbWeight::get());
}

impl WeightInfo for () {
	weight_functions!(RocksDbWeight::get());
}
