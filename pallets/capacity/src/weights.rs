//! Weights: time of computation as estimated by hand, and the database's reads and writes.
//!
//! Each function has a benchmark of its name, so that measured weights can take the place of these.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// One ed25519 verification, in picoseconds.
const SIGNATURE: u64 = 60_000_000;
/// One RandomX hash in light mode, in picoseconds: 36 ms as measured, and a fifth.
const RANDOMX: u64 = 43_000_000_000;

/// Weights of the pallet's calls and hooks, and of the parts that settlements are made of, without
/// those of the pallets that it calls.
pub trait WeightInfo {
	/// `create`.
	fn create() -> Weight;
	/// `stake` of a round that is not full by it, without a settlement.
	fn stake() -> Weight;
	/// A round of so many stakers takes effect, or is agreed to.
	fn agree(stakers: u32) -> Weight;
	/// `cancel` of a round with so many pledges, without a settlement.
	fn cancel(pledges: u32) -> Weight;
	/// `grow`, without a settlement.
	fn grow() -> Weight;
	/// `extend`, without a settlement.
	fn extend() -> Weight;
	/// Authorisation of a report.
	fn authorize_report() -> Weight;
	/// A report that lists so many deals.
	fn report(served: u32) -> Weight;
	/// Authorisation of an answer to an audit.
	fn authorize_answer() -> Weight;
	/// An answer to an audit, without its RandomX hashes.
	fn answer_checks() -> Weight;
	/// One RandomX hash, under a key whose cache is filled.
	fn randomx_hash() -> Weight;
	/// A settlement that costs no stake and brings nothing to ledgers.
	fn settle() -> Weight;
	/// A slash that burns, of so many stakers.
	fn slash(stakers: u32) -> Weight;
	/// A slash that waits, of so many stakers.
	fn wait_slash(stakers: u32) -> Weight;
	/// An agreed change with so many stakes, before and after, comes into effect.
	fn change(stakers: u32) -> Weight;
	/// Rewards come to the ledgers of so many stakers.
	fn flush(stakers: u32) -> Weight;
	/// A commitment is over, without a flush.
	fn conclude() -> Weight;
	/// `withdraw` of so many stakes, without a settlement.
	fn withdraw(stakers: u32) -> Weight;
	/// `claim` of a ledger with so many buckets.
	fn claim(buckets: u32) -> Weight;
	/// `apply_slash` of so many parts.
	fn apply_slash(parts: u32) -> Weight;
	/// `cancel_slash` of so many parts.
	fn cancel_slash(parts: u32) -> Weight;
	/// The start of an epoch.
	fn on_epoch_start() -> Weight;
	/// The start of a draw.
	fn on_draw() -> Weight;
	/// What a block costs without anything to draw.
	fn on_poll() -> Weight;
	/// One entry of a draw: a search by halving, and the entry's audit.
	fn draw_attempt() -> Weight;
}

/// Time and the database together.
fn cost(db: RuntimeDbWeight, ref_time: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(ref_time, 0).saturating_add(db.reads_writes(reads, writes))
}

/// A base, and as much again for each of a number of things.
fn cost_each(base: Weight, each: Weight, number: u32) -> Weight {
	base.saturating_add(each.saturating_mul(number.into()))
}

macro_rules! weight_functions {
	($db:expr) => {
		fn create() -> Weight {
			// The peer's owner, key and commitment, the parameters, the clock and the deposit.
			cost($db, 60_000_000, 7, 4)
		}
		fn stake() -> Weight {
			// The commitment, the round, the stakes, the ledger, the account and its holds.
			cost($db, 70_000_000, 8, 5)
		}
		fn agree(stakers: u32) -> Weight {
			let base = cost($db, 50_000_000, 7, 8);
			cost_each(base, cost($db, 3_000_000, 0, 0), stakers)
		}
		fn cancel(pledges: u32) -> Weight {
			let base = cost($db, 60_000_000, 7, 5);
			cost_each(base, cost($db, 55_000_000, 3, 3), pledges)
		}
		fn grow() -> Weight {
			cost($db, 60_000_000, 8, 3)
		}
		fn extend() -> Weight {
			cost($db, 60_000_000, 8, 3)
		}
		fn authorize_report() -> Weight {
			cost($db, SIGNATURE, 8, 0)
		}
		fn report(served: u32) -> Weight {
			let base = cost($db, 50_000_000, 8, 4);
			cost_each(base, cost($db, 100_000, 0, 0), served)
		}
		fn authorize_answer() -> Weight {
			cost($db, SIGNATURE, 6, 0)
		}
		fn answer_checks() -> Weight {
			// Three paths of 32 hashes, besides what is read.
			cost($db, 100_000_000, 6, 1)
		}
		fn randomx_hash() -> Weight {
			cost($db, RANDOMX, 0, 0)
		}
		fn settle() -> Weight {
			// The commitment, its audit, its provider's equivocations, the epoch's totals, the
			// amnesty, the clock; a thousand bits of the amnesty are looked at.
			cost($db, 40_000_000, 9, 1)
		}
		fn slash(stakers: u32) -> Weight {
			// The leaving stakes, the delegators', the issuance, what is active, the parameters and
			// the pusher.
			let base = cost($db, 40_000_000, 7, 5);
			cost_each(base, cost($db, 35_000_000, 2, 2), stakers)
		}
		fn wait_slash(stakers: u32) -> Weight {
			let base = cost($db, 40_000_000, 6, 6);
			cost_each(base, cost($db, 2_000_000, 0, 0), stakers)
		}
		fn change(stakers: u32) -> Weight {
			// The round, the stakes and those that leave, with a flush and what leavers had before.
			let base = cost($db, 60_000_000, 7, 7);
			cost_each(base, cost($db, 60_000_000, 4, 4), stakers)
		}
		fn flush(stakers: u32) -> Weight {
			let base = cost($db, 10_000_000, 1, 1);
			cost_each(base, cost($db, 12_000_000, 1, 1), stakers)
		}
		fn conclude() -> Weight {
			cost($db, 15_000_000, 2, 2)
		}
		fn withdraw(stakers: u32) -> Weight {
			let base = cost($db, 60_000_000, 9, 6);
			cost_each(base, cost($db, 90_000_000, 3, 3), stakers)
		}
		fn claim(buckets: u32) -> Weight {
			let base = cost($db, 60_000_000, 5, 4);
			cost_each(base, cost($db, 300_000, 0, 0), buckets)
		}
		fn apply_slash(parts: u32) -> Weight {
			let base = cost($db, 50_000_000, 7, 5);
			cost_each(base, cost($db, 60_000_000, 2, 2), parts)
		}
		fn cancel_slash(parts: u32) -> Weight {
			let base = cost($db, 30_000_000, 2, 2);
			cost_each(base, cost($db, 45_000_000, 2, 2), parts)
		}
		fn on_epoch_start() -> Weight {
			cost($db, 15_000_000, 5, 1)
		}
		fn on_draw() -> Weight {
			cost($db, 20_000_000, 4, 3)
		}
		fn on_poll() -> Weight {
			cost($db, 5_000_000, 4, 2)
		}
		fn draw_attempt() -> Weight {
			cost($db, 40_000_000, 34, 1)
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
