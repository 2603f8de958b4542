//! Weights of `pallet_epochs`, measured: written by `millrace-node benchmark pallet`, not by hand.
//!
//! Processor: AMD EPYC. Date: 2026-11-22. Steps: 10, repetitions: 15.
//! Analysis: MedianSlopes, by frame-benchmarking-cli 64.0.0.
//!
//! Proof sizes are left out: blocks of a chain of its own travel without proofs.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(
	unused_imports,
	unused_variables,
	reason = "not every benchmark touches storage or depends on its component"
)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weight functions of `pallet_epochs`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_epochs::WeightInfo for WeightInfo<T> {
	/// Storage: `Epochs::LastTick` (r:1 w:1)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Proof: `Babe::AuthorVrfRandomness` (`max_values`: Some(1), `max_size`: Some(33), added: 528, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::DrawFold` (r:0 w:1)
	/// Proof: `Epochs::DrawFold` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
	fn tick() -> Weight {
		// Shortest execution: 14_892_000 picoseconds.
		Weight::from_parts(16_534_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Timing::SlotMs` (r:1 w:0)
	/// Proof: `Timing::SlotMs` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::PendingLengths` (r:1 w:1)
	/// Proof: `Epochs::PendingLengths` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:1)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::SeedFold` (r:1 w:0)
	/// Proof: `Epochs::SeedFold` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Previous` (r:0 w:1)
	/// Proof: `Epochs::Previous` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Infos` (r:0 w:1)
	/// Proof: `Epochs::Infos` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Starts` (r:0 w:1)
	/// Proof: `Epochs::Starts` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Seeds` (r:0 w:1)
	/// Proof: `Epochs::Seeds` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	fn start_epoch() -> Weight {
		// Shortest execution: 15_694_000 picoseconds.
		Weight::from_parts(23_465_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	/// Storage: `Epochs::DrawFold` (r:1 w:0)
	/// Proof: `Epochs::DrawFold` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Draws` (r:0 w:1)
	/// Proof: `Epochs::Draws` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	fn finish_draw() -> Weight {
		// Shortest execution: 5_237_000 picoseconds.
		Weight::from_parts(6_720_000, 0)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
}
