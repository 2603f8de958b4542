//! Weights of `pallet_governed`, measured: written by `millrace-node benchmark pallet`, not by hand.
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

/// Weight functions of `pallet_governed`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_governed::WeightInfo for WeightInfo<T> {
	/// Storage: `Parameters::Parameters` (r:30 w:1)
	/// Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(52), added: 2527, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Timing::SessionSlots` (r:1 w:0)
	/// Proof: `Timing::SessionSlots` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Governed::Waiting` (r:1 w:1)
	/// Proof: `Governed::Waiting` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn set() -> Weight {
		// Shortest execution: 158_766_000 picoseconds.
		Weight::from_parts(167_738_000, 0)
			.saturating_add(T::DbWeight::get().reads(34))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Governed::Waiting` (r:1 w:0)
	/// Proof: `Governed::Waiting` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn look() -> Weight {
		// Shortest execution: 1_612_000 picoseconds.
		Weight::from_parts(1_883_000, 0)
			.saturating_add(T::DbWeight::get().reads(1))
	}
	/// Storage: `Governed::Waiting` (r:1 w:1)
	/// Proof: `Governed::Waiting` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:1)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Parameters::Parameters` (r:26 w:0)
	/// Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(52), added: 2527, mode: `MaxEncodedLen`)
	fn apply() -> Weight {
		// Shortest execution: 96_333_000 picoseconds.
		Weight::from_parts(100_569_000, 0)
			.saturating_add(T::DbWeight::get().reads(28))
			.saturating_add(T::DbWeight::get().writes(2))
	}
}
