//! Weights: time of computation as measured or bounded by hand, and the database's reads and writes.

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
	/// What the database costs.
	fn db() -> RuntimeDbWeight;

	/// `create`.
	fn create() -> Weight {
		Self::with_db(25_000_000, 4, 1)
	}

	/// `stake`.
	fn stake() -> Weight {
		Self::with_db(60_000_000, 4, 3)
	}

	/// `cancel`.
	fn cancel() -> Weight {
		Self::with_db(20_000_000, 2, 1)
	}

	/// Authorisation of a report.
	fn authorize_report() -> Weight {
		Self::with_db(SIGNATURE, 8, 0)
	}

	/// A report that lists so many deals.
	fn report(served: u32) -> Weight {
		let encoding = u64::from(served).saturating_mul(100_000);
		Self::with_db(50_000_000u64.saturating_add(encoding), 8, 4)
	}

	/// Authorisation of an answer to an audit.
	fn authorize_answer() -> Weight {
		Self::with_db(SIGNATURE, 6, 0)
	}

	/// An answer to an audit, with all its solutions.
	fn answer_audit() -> Weight {
		let hashes = RANDOMX.saturating_mul(u64::from(SOLUTIONS_PER_AUDIT));
		Self::with_db(hashes.saturating_add(100_000_000), 6, 1)
	}

	/// Settlement of so many epochs of one commitment.
	fn settle(epochs: u32) -> Weight {
		let epochs = u64::from(epochs);
		// The commitment, its audit, the epoch's totals, the hold, the account and the issuance are
		// read for each epoch, and the market's notes; all but the audit and the totals are written.
		Self::with_db(
			epochs.saturating_mul(80_000_000),
			epochs.saturating_mul(7),
			0,
		)
		.saturating_add(Self::with_db(10_000_000, 5, epochs.saturating_mul(5)))
	}

	/// `withdraw`.
	fn withdraw() -> Weight {
		Self::with_db(60_000_000, 4, 3)
	}

	/// `set_params`.
	fn set_params() -> Weight {
		Self::with_db(10_000_000, 0, 1)
	}

	/// The start of an epoch.
	fn on_epoch_start() -> Weight {
		Self::with_db(15_000_000, 4, 1)
	}

	/// The start of a draw.
	fn on_draw() -> Weight {
		Self::with_db(10_000_000, 2, 2)
	}

	/// What a block costs without anything to draw.
	fn on_poll() -> Weight {
		Self::with_db(5_000_000, 4, 1)
	}

	/// One entry of a draw: a search by halving, and the entry's audit.
	fn draw_attempt() -> Weight {
		Self::with_db(40_000_000, 34, 1)
	}

	/// Time and the database together.
	fn with_db(ref_time: u64, reads: u64, writes: u64) -> Weight {
		Weight::from_parts(ref_time, 0).saturating_add(Self::db().reads_writes(reads, writes))
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
