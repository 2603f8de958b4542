//! Weights of the clock: execution times stated for the reference machine, database accesses at
//! the runtime's price.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// Weights that the clock needs.
pub trait WeightInfo {
	/// Every block: folding the output of the one before and moving on, and the look at the time of
	/// the first epoch at the block's end.
	fn tick() -> Weight;
	/// Besides, in the first block of an epoch; without what the hooks do.
	fn start_epoch() -> Weight;
	/// Besides, in the first block after a draw's window; without what the hooks do.
	fn finish_draw() -> Weight;
}

/// Weights at the database prices of the runtime.
#[derive(Debug)]
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn tick() -> Weight {
		tick(T::DbWeight::get())
	}
	fn start_epoch() -> Weight {
		start_epoch(T::DbWeight::get())
	}
	fn finish_draw() -> Weight {
		finish_draw(T::DbWeight::get())
	}
}

impl WeightInfo for () {
	fn tick() -> Weight {
		tick(ParityDbWeight::get())
	}
	fn start_epoch() -> Weight {
		start_epoch(ParityDbWeight::get())
	}
	fn finish_draw() -> Weight {
		finish_draw(ParityDbWeight::get())
	}
}

/// Reads `LastTick`, the migrator's cursor, `Current` twice, the VRF output, the genesis hash and
/// both folds; writes `LastTick` and both folds.
fn tick(db: RuntimeDbWeight) -> Weight {
	Weight::from_parts(25_000_000, 0).saturating_add(db.reads_writes(8, 3))
}

/// Reads `Current`, `PendingLengths`, time, slot time and `SeedFold`; writes `Previous`,
/// `Current`, `PendingLengths` and a slot of `Seeds`, of `Starts` and of `Infos` each.
fn start_epoch(db: RuntimeDbWeight) -> Weight {
	Weight::from_parts(20_000_000, 0).saturating_add(db.reads_writes(6, 6))
}

/// Reads `DrawFold`; writes a slot of `Draws`.
fn finish_draw(db: RuntimeDbWeight) -> Weight {
	Weight::from_parts(10_000_000, 0).saturating_add(db.reads_writes(1, 1))
}
