//! Weights of `pallet_capacity`, measured: written by `millrace-node benchmark pallet`, not by hand.
//!
//! Processor: AMD EPYC. Date: 2026-11-21. Steps: 10, repetitions: 15.
//! Analysis: MinSquares, by frame-benchmarking-cli 64.0.0.
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

/// Weight functions of `pallet_capacity`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_capacity::WeightInfo for WeightInfo<T> {
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(186), added: 2661, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(132), added: 627, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	fn create() -> Weight {
		// Shortest execution: 29_836_000 picoseconds.
		Weight::from_parts(38_181_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(186), added: 2661, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(229), added: 2704, mode: `MaxEncodedLen`)
	fn stake() -> Weight {
		// Shortest execution: 77_264_000 picoseconds.
		Weight::from_parts(81_412_000, 0)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(186), added: 2661, mode: `MaxEncodedLen`)
	fn cancel() -> Weight {
		// Shortest execution: 17_493_000 picoseconds.
		Weight::from_parts(21_180_000, 0)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Providers::Keys` (r:1 w:0)
	/// Proof: `Providers::Keys` (`max_values`: None, `max_size`: Some(361), added: 2836, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(186), added: 2661, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:0)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_report() -> Weight {
		// Shortest execution: 100_508_000 picoseconds.
		Weight::from_parts(130_123_000, 0)
			.saturating_add(T::DbWeight::get().reads(6))
	}
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(186), added: 2661, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::EpochRows` (r:1 w:1)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:0)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::PeerDeals` (r:1 w:0)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ReportList` (r:0 w:1)
	/// Proof: `Capacity::ReportList` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `Receipts::Ring` (r:0 w:1)
	/// Proof: `Receipts::Ring` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// The component `s` was measured from 0 to 64.
	fn report(s: u32, ) -> Weight {
		// Shortest execution: 65_082_000 picoseconds.
		Weight::from_parts(96_159_538, 0)
			// Standard error: 29_252.
			.saturating_add(Weight::from_parts(426_752, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Providers::Keys` (r:1 w:0)
	/// Proof: `Providers::Keys` (`max_values`: None, `max_size`: Some(361), added: 2836, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Audits` (r:1 w:0)
	/// Proof: `Capacity::Audits` (`max_values`: None, `max_size`: Some(37), added: 2512, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_answer() -> Weight {
		// Shortest execution: 112_149_000 picoseconds.
		Weight::from_parts(158_836_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Receipts::Ring` (r:1 w:0)
	/// Proof: `Receipts::Ring` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::EpochRows` (r:1 w:0)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Seeds` (r:1 w:0)
	/// Proof: `Epochs::Seeds` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Draws` (r:1 w:0)
	/// Proof: `Epochs::Draws` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Audits` (r:0 w:1)
	/// Proof: `Capacity::Audits` (`max_values`: None, `max_size`: Some(37), added: 2512, mode: `MaxEncodedLen`)
	fn answer_audit() -> Weight {
		// Shortest execution: 71_608_835_000 picoseconds.
		Weight::from_parts(80_405_254_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(186), added: 2661, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(229), added: 2704, mode: `MaxEncodedLen`)
	/// Storage: `Market::Reported` (r:1 w:1)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(566), added: 3041, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:1)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:1 w:0)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	/// Storage: `Market::PeerDeals` (r:1 w:0)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// The component `n` was measured from 1 to 40.
	fn settle(n: u32, ) -> Weight {
		// Shortest execution: 73_647_000 picoseconds.
		Weight::from_parts(38_725_421, 0)
			// Standard error: 129_194.
			.saturating_add(Weight::from_parts(38_508_349, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(186), added: 2661, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(229), added: 2704, mode: `MaxEncodedLen`)
	fn withdraw() -> Weight {
		// Shortest execution: 67_626_000 picoseconds.
		Weight::from_parts(70_121_000, 0)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Capacity::Params` (r:0 w:1)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(132), added: 627, mode: `MaxEncodedLen`)
	fn set_params() -> Weight {
		// Shortest execution: 9_327_000 picoseconds.
		Weight::from_parts(10_289_000, 0)
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Capacity::EpochRows` (r:3 w:1)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(132), added: 627, mode: `MaxEncodedLen`)
	fn on_epoch_start() -> Weight {
		// Shortest execution: 14_747_000 picoseconds.
		Weight::from_parts(15_869_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Capacity::EpochRows` (r:1 w:1)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::OngoingDraw` (r:0 w:1)
	/// Proof: `Capacity::OngoingDraw` (`max_values`: Some(1), `max_size`: Some(44), added: 539, mode: `MaxEncodedLen`)
	fn on_draw() -> Weight {
		// Shortest execution: 16_000_000 picoseconds.
		Weight::from_parts(17_393_000, 0)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Capacity::OngoingDraw` (r:1 w:1)
	/// Proof: `Capacity::OngoingDraw` (`max_values`: Some(1), `max_size`: Some(44), added: 539, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::EpochRows` (r:1 w:0)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	fn on_poll() -> Weight {
		// Shortest execution: 13_585_000 picoseconds.
		Weight::from_parts(15_038_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Capacity::OngoingDraw` (r:1 w:1)
	/// Proof: `Capacity::OngoingDraw` (`max_values`: Some(1), `max_size`: Some(44), added: 539, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::EpochRows` (r:1 w:0)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ReportList` (r:16 w:0)
	/// Proof: `Capacity::ReportList` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Audits` (r:1 w:1)
	/// Proof: `Capacity::Audits` (`max_values`: None, `max_size`: Some(37), added: 2512, mode: `MaxEncodedLen`)
	fn draw_attempt() -> Weight {
		// Shortest execution: 302_385_000 picoseconds.
		Weight::from_parts(321_661_000, 0)
			.saturating_add(T::DbWeight::get().reads(21))
			.saturating_add(T::DbWeight::get().writes(2))
	}
}
