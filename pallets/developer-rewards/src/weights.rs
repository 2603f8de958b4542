//! Weights: time of computation as estimated by hand, and the database's reads and writes.
//!
//! Each function has a benchmark of its name, so that measured weights can take the place of these.
//! What an account's schedules take is an estimate after pallet-vesting's own weights.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// One sr25519 verification, in picoseconds.
const SIGNATURE: u64 = 60_000_000;
/// Hashes along a path of 19 nodes, in picoseconds.
const PATH: u64 = 20_000_000;
/// Going through all schedules of an account, and setting its lock, in picoseconds.
const SCHEDULES: u64 = 50_000_000;

/// Weights of the pallet's calls.
pub trait WeightInfo {
	/// `start`.
	fn start() -> Weight;
	/// `claim`, by an account with as many schedules as there can be.
	fn claim() -> Weight;
	/// Authorisation of `claim_for`.
	fn authorize_claim_for() -> Weight;
	/// `claim_for`.
	fn claim_for() -> Weight;
	/// Authorisation of `release`.
	fn authorize_release() -> Weight;
	/// `release`, of an account with as many schedules as there can be.
	fn release() -> Weight;
	/// `end`.
	fn end() -> Weight;
	/// Sweeping so many rows.
	fn sweep(rows: u32) -> Weight;
}

/// Time and the database together.
fn cost(db: RuntimeDbWeight, ref_time: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(ref_time, 0).saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weight_functions {
	($db:expr) => {
		fn start() -> Weight {
			cost($db, 25_000_000, 4, 2)
		}
		fn claim() -> Weight {
			// Programme, row, both accounts, the account's schedules, locks and freezes.
			let time = PATH.saturating_add(SCHEDULES).saturating_add(80_000_000);
			cost($db, time, 8, 6)
		}
		fn authorize_claim_for() -> Weight {
			// Either of two forms of the message may be what was signed.
			let time = PATH.saturating_add(SIGNATURE.saturating_mul(2));
			cost($db, time.saturating_add(20_000_000), 5, 0)
		}
		fn claim_for() -> Weight {
			let time = PATH.saturating_add(SCHEDULES).saturating_add(80_000_000);
			cost($db, time, 8, 6)
		}
		fn authorize_release() -> Weight {
			cost($db, 15_000_000, 1, 0)
		}
		fn release() -> Weight {
			cost($db, SCHEDULES.saturating_add(20_000_000), 4, 4)
		}
		fn end() -> Weight {
			cost($db, 60_000_000, 3, 4)
		}
		fn sweep(rows: u32) -> Weight {
			let rows = u64::from(rows);
			let time = rows.saturating_mul(2_000_000).saturating_add(10_000_000);
			cost($db, time, 1, rows.saturating_add(1))
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
	weight_functions!(ParityDbWeight::get());
}
