//! Weights: time of computation as estimated by hand, and the database's reads and writes.
//!
//! Each function has a benchmark of its name, so that measured weights can take the place of these.
//! What a replay takes is not among them: it is reckoned from gas and bytes, see `replay_weight`.

use crate::RING;
use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};
use millrace_primitives::audit::RECEIPTS_PER_AUDIT;

/// One ed25519 verification, in picoseconds.
const SIGNATURE: u64 = 60_000_000;
/// Hashes of a report and along a path of 32 nodes, in picoseconds.
const PATH: u64 = 40_000_000;

/// Weights of the pallet's calls, and of what it does for others, without those of the pallets that it
/// calls.
pub trait WeightInfo {
	/// Inspection of all the receipts that an audit opens.
	fn open() -> Weight;
	/// Clearing the full rings of a peer that is removed.
	fn forget() -> Weight;
	/// `commit`.
	fn commit() -> Weight;
	/// `reveal` of anything but a replay, at its dearest.
	fn reveal() -> Weight;
	/// `reveal` of a replay, without the replay and without reading what it needs.
	fn reveal_replay() -> Weight;
	/// `conclude`, without the slash.
	fn conclude() -> Weight;
	/// `forget_commit`.
	fn forget_commit() -> Weight;
	/// Authorisation of `show`.
	fn authorize_show() -> Weight;
	/// `show`.
	fn show() -> Weight;
	/// `close_show`.
	fn close_show() -> Weight;
	/// `demand`.
	fn demand() -> Weight;
	/// Authorisation of `post`, without reading the data.
	fn authorize_post() -> Weight;
	/// `post`, without the data.
	fn post() -> Weight;
	/// `expire_demand`, without a slash.
	fn expire_demand() -> Weight;
}

/// Time and the database together.
fn cost(db: RuntimeDbWeight, ref_time: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(ref_time, 0).saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weight_functions {
	($db:expr) => {
		fn open() -> Weight {
			// Of each receipt the seed, both epochs, the key, the worker or what is remembered of it,
			// its deal and the deal's terms.
			let receipts = u64::from(RECEIPTS_PER_AUDIT);
			let time = receipts.saturating_mul(SIGNATURE.saturating_add(PATH));
			// Besides, the deal's packages, access and owner.
			cost($db, time, receipts.saturating_mul(12), 2)
		}
		fn forget() -> Weight {
			// Reports, openings and their clients, answers, and cases of two kinds.
			let rows = u64::from(RING).saturating_mul(6);
			cost($db, rows.saturating_mul(2_000_000), rows, rows)
		}
		fn commit() -> Weight {
			cost($db, 50_000_000, 6, 4)
		}
		fn reveal() -> Weight {
			// Two signatures and a path, which no charge needs together.
			let time = SIGNATURE.saturating_mul(2).saturating_add(PATH);
			cost($db, time.saturating_add(80_000_000), 23, 7)
		}
		fn reveal_replay() -> Weight {
			cost($db, SIGNATURE.saturating_add(120_000_000), 22, 9)
		}
		fn conclude() -> Weight {
			cost($db, 40_000_000, 4, 2)
		}
		fn forget_commit() -> Weight {
			cost($db, 60_000_000, 6, 4)
		}
		fn authorize_show() -> Weight {
			cost($db, SIGNATURE.saturating_add(PATH), 6, 0)
		}
		fn show() -> Weight {
			cost($db, 90_000_000, 8, 7)
		}
		fn close_show() -> Weight {
			cost($db, 60_000_000, 9, 6)
		}
		fn demand() -> Weight {
			cost($db, 75_000_000, 13, 5)
		}
		fn authorize_post() -> Weight {
			cost($db, SIGNATURE, 5, 0)
		}
		fn post() -> Weight {
			cost($db, 80_000_000, 8, 7)
		}
		fn expire_demand() -> Weight {
			cost($db, 80_000_000, 9, 8)
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
