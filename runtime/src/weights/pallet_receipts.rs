//! Weights of `pallet_receipts`, measured: written by `millrace-node benchmark pallet`, not by hand.
//!
//! Processor: AMD EPYC. Date: 2026-11-21. Steps: 10, repetitions: 15.
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

/// Weight functions of `pallet_receipts`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_receipts::WeightInfo for WeightInfo<T> {
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Seeds` (r:1 w:0)
	/// Proof: `Epochs::Seeds` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Previous` (r:1 w:0)
	/// Proof: `Epochs::Previous` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Keys` (r:1 w:0)
	/// Proof: `Providers::Keys` (`max_values`: None, `max_size`: Some(361), added: 2836, mode: `MaxEncodedLen`)
	/// Storage: `Market::Workers` (r:1 w:0)
	/// Proof: `Market::Workers` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	/// Storage: `Market::Deals` (r:1 w:0)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Market::Specs` (r:1 w:0)
	/// Proof: `Market::Specs` (`max_values`: None, `max_size`: Some(2212), added: 4687, mode: `MaxEncodedLen`)
	/// Storage: `Receipts::Opened` (r:0 w:1)
	/// Proof: `Receipts::Opened` (`max_values`: None, `max_size`: Some(699), added: 3174, mode: `MaxEncodedLen`)
	fn open() -> Weight {
		// Shortest execution: 247_823_000 picoseconds.
		Weight::from_parts(373_868_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Receipts::Ring` (r:64 w:64)
	/// Proof: `Receipts::Ring` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Receipts::Opened` (r:64 w:64)
	/// Proof: `Receipts::Opened` (`max_values`: None, `max_size`: Some(699), added: 3174, mode: `MaxEncodedLen`)
	fn forget() -> Weight {
		// Shortest execution: 143_878_000 picoseconds.
		Weight::from_parts(236_121_000, 0)
			.saturating_add(T::DbWeight::get().reads(128))
			.saturating_add(T::DbWeight::get().writes(128))
	}
}
