//! Weights: time of computation as estimated by hand, and the database's reads and writes.
//!
//! Each function has a benchmark of its name, so that measured weights can take the place of these.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};
use millrace_primitives::audit::SOLUTIONS_PER_AUDIT;

/// One ed25519 verification, in picoseconds.
const SIGNATURE: u64 = 60_000_000;
/// One RandomX hash in light mode, in picoseconds: 36 ms as measured, and a fifth.
const RANDOMX: u64 = 43_000_000_000;

/// Weights of the pallet's calls and hooks, without those of the pallets that it calls.
pub trait WeightInfo {
	/// `create`.
	fn create() -> Weight;
	/// `stake`.
	fn stake() -> Weight;
	/// `cancel`.
	fn cancel() -> Weight;
	/// Authorisation of a report.
	fn authorize_report() -> Weight;
	/// A report that lists so many deals.
	fn report(served: u32) -> Weight;
	/// Authorisation of an answer to an audit.
	fn authorize_answer() -> Weight;
	/// An answer to an audit, with all its solutions.
	fn answer_audit() -> Weight;
	/// Settlement of so many epochs of one commitment, with what the market does about an epoch
	/// without a report.
	fn settle(epochs: u32) -> Weight;
	/// `withdraw`.
	fn withdraw() -> Weight;
	/// `set_params`.
	fn set_params() -> Weight;
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

macro_rules! weight_functions {
	($db:expr) => {
		fn create() -> Weight {
			cost($db, 25_000_000, 4, 1)
		}
		fn stake() -> Weight {
			cost($db, 60_000_000, 4, 3)
		}
		fn cancel() -> Weight {
			cost($db, 20_000_000, 2, 1)
		}
		fn authorize_report() -> Weight {
			cost($db, SIGNATURE, 8, 0)
		}
		fn report(served: u32) -> Weight {
			let encoding = u64::from(served).saturating_mul(100_000);
			cost($db, encoding.saturating_add(50_000_000), 8, 4)
		}
		fn authorize_answer() -> Weight {
			cost($db, SIGNATURE, 6, 0)
		}
		fn answer_audit() -> Weight {
			let hashes = RANDOMX.saturating_mul(u64::from(SOLUTIONS_PER_AUDIT));
			cost($db, hashes.saturating_add(100_000_000), 6, 1)
		}
		fn settle(epochs: u32) -> Weight {
			// The commitment, its audit, the epoch's totals, the hold, the account and the issuance
			// are read for each epoch, and the market's notes; all but the audit and the totals are
			// written.
			let epoch = cost($db, 80_000_000, 7, 5).saturating_mul(epochs.into());
			cost($db, 10_000_000, 5, 0).saturating_add(epoch)
		}
		fn withdraw() -> Weight {
			cost($db, 60_000_000, 4, 3)
		}
		fn set_params() -> Weight {
			cost($db, 10_000_000, 0, 1)
		}
		fn on_epoch_start() -> Weight {
			cost($db, 15_000_000, 4, 1)
		}
		fn on_draw() -> Weight {
			cost($db, 10_000_000, 2, 2)
		}
		fn on_poll() -> Weight {
			cost($db, 5_000_000, 4, 1)
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
