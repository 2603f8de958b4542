//! Weights of `pallet_market`, measured: written by `millrace-node benchmark pallet`, not by hand.
//!
//! Processor: AMD EPYC. Date: 2026-11-21. Steps: 10, repetitions: 15.
//! Analysis: MedianSlopes, by frame-benchmarking-cli 64.0.0.
//!
//! Proof sizes are left out: blocks of a chain of its own travel without proofs.
//!
//! What is marked as an estimate was not measured yet, but summed up from what it reads and writes, with
//! the time of the most similar measured ones.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(
	unused_imports,
	unused_variables,
	reason = "not every benchmark touches storage or depends on its component"
)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weight functions of `pallet_market`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_market::WeightInfo for WeightInfo<T> {
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:1 w:1)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	/// Storage: `Market::Params` (r:1 w:0)
	/// Proof: `Market::Params` (`max_values`: Some(1), `max_size`: Some(64), added: 559, mode: `MaxEncodedLen`)
	/// Storage: `Market::KnownRegions` (r:1 w:1)
	/// Proof: `Market::KnownRegions` (`max_values`: None, `max_size`: Some(396), added: 2871, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `Market::LastOffer` (r:1 w:1)
	/// Proof: `Market::LastOffer` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Market::Book` (r:1 w:1)
	/// Proof: `Market::Book` (`max_values`: None, `max_size`: Some(60), added: 2535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(409), added: 2884, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:0)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::BookVersion` (r:1 w:1)
	/// Proof: `Market::BookVersion` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	fn post_offer() -> Weight {
		// Shortest execution: 109_645_000 picoseconds.
		Weight::from_parts(202_919_000, 0)
			.saturating_add(T::DbWeight::get().reads(11))
			.saturating_add(T::DbWeight::get().writes(7))
	}
	/// Storage: `Market::Offers` (r:1 w:1)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `Market::KnownRegions` (r:1 w:1)
	/// Proof: `Market::KnownRegions` (`max_values`: None, `max_size`: Some(396), added: 2871, mode: `MaxEncodedLen`)
	/// Storage: `Market::Book` (r:0 w:1)
	/// Proof: `Market::Book` (`max_values`: None, `max_size`: Some(60), added: 2535, mode: `MaxEncodedLen`)
	fn withdraw_offer() -> Weight {
		// Shortest execution: 75_731_000 picoseconds.
		Weight::from_parts(132_718_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// Storage: `Market::Params` (r:1 w:0)
	/// Proof: `Market::Params` (`max_values`: Some(1), `max_size`: Some(64), added: 559, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Market::NextDeal` (r:1 w:1)
	/// Proof: `Market::NextDeal` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `Market::DealsOf` (r:0 w:1)
	/// Proof: `Market::DealsOf` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `Market::Specs` (r:0 w:1)
	/// Proof: `Market::Specs` (`max_values`: None, `max_size`: Some(2212), added: 4687, mode: `MaxEncodedLen`)
	/// Storage: `Market::Deals` (r:0 w:1)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Market::Unfilled` (r:0 w:1)
	/// Proof: `Market::Unfilled` (`max_values`: None, `max_size`: Some(9276), added: 11751, mode: `MaxEncodedLen`)
	fn create_deal() -> Weight {
		// Shortest execution: 134_882_000 picoseconds.
		Weight::from_parts(225_010_000, 0)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(9))
	}
	/// Storage: `Market::Deals` (r:1 w:1)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `Market::Unfilled` (r:1 w:1)
	/// Proof: `Market::Unfilled` (`max_values`: None, `max_size`: Some(9276), added: 11751, mode: `MaxEncodedLen`)
	fn top_up() -> Weight {
		// Shortest execution: 78_016_000 picoseconds.
		Weight::from_parts(128_430_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// Storage: `Market::Deals` (r:1 w:1)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Market::Workers` (r:257 w:256)
	/// Proof: `Market::Workers` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Peers` (r:256 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:257 w:257)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:257 w:257)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Market::Seats` (r:256 w:256)
	/// Proof: `Market::Seats` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::PeerDeals` (r:256 w:256)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// Storage: `Market::Unfilled` (r:1 w:1)
	/// Proof: `Market::Unfilled` (`max_values`: None, `max_size`: Some(9276), added: 11751, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:256 w:256)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:256 w:0)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	/// Storage: `Market::Book` (r:256 w:0)
	/// Proof: `Market::Book` (`max_values`: None, `max_size`: Some(60), added: 2535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:256 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(409), added: 2884, mode: `MaxEncodedLen`)
	/// Storage: `Market::BookVersion` (r:1 w:1)
	/// Proof: `Market::BookVersion` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Market::Reported` (r:0 w:256)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(566), added: 3041, mode: `MaxEncodedLen`)
	/// Storage: `Market::Exclusions` (r:0 w:1)
	/// Proof: `Market::Exclusions` (`max_values`: None, `max_size`: Some(9234), added: 11709, mode: `MaxEncodedLen`)
	/// The component `w` was measured from 0 to 256.
	fn stop(w: u32, ) -> Weight {
		// Shortest execution: 35_978_000 picoseconds.
		Weight::from_parts(690_096_105, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(236_488_176, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().reads((11_u64).saturating_mul(w.into())))
			.saturating_add(T::DbWeight::get().writes(6))
			.saturating_add(T::DbWeight::get().writes((9_u64).saturating_mul(w.into())))
	}
	/// Storage: `Market::Workers` (r:1 w:1)
	/// Proof: `Market::Workers` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	/// Storage: `Market::Specs` (r:1 w:0)
	/// Proof: `Market::Specs` (`max_values`: None, `max_size`: Some(2212), added: 4687, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Market::Deals` (r:1 w:1)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:1)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::Unfilled` (r:1 w:1)
	/// Proof: `Market::Unfilled` (`max_values`: None, `max_size`: Some(9276), added: 11751, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:1 w:1)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	fn go_live() -> Weight {
		// Shortest execution: 130_624_000 picoseconds.
		Weight::from_parts(330_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(13))
			.saturating_add(T::DbWeight::get().writes(9))
	}
	/// Storage: `Providers::Keys` (r:1 w:0)
	/// Proof: `Providers::Keys` (`max_values`: None, `max_size`: Some(361), added: 2836, mode: `MaxEncodedLen`)
	/// Storage: `Market::Deals` (r:1 w:0)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Market::Workers` (r:1 w:0)
	/// Proof: `Market::Workers` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Market::Specs` (r:1 w:0)
	/// Proof: `Market::Specs` (`max_values`: None, `max_size`: Some(2212), added: 4687, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:0)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	fn authorize_go_live() -> Weight {
		// Shortest execution: 100_298_000 picoseconds.
		Weight::from_parts(151_613_000, 0)
			.saturating_add(T::DbWeight::get().reads(9))
	}
	/// Storage: `Market::Deals` (r:1 w:1)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Market::Workers` (r:1 w:1)
	/// Proof: `Market::Workers` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Market::Seats` (r:1 w:1)
	/// Proof: `Market::Seats` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::PeerDeals` (r:1 w:1)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// Storage: `Market::Unfilled` (r:1 w:1)
	/// Proof: `Market::Unfilled` (`max_values`: None, `max_size`: Some(9276), added: 11751, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:1)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:1 w:1)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	/// Storage: `Market::Book` (r:1 w:1)
	/// Proof: `Market::Book` (`max_values`: None, `max_size`: Some(60), added: 2535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(409), added: 2884, mode: `MaxEncodedLen`)
	/// Storage: `Market::BookVersion` (r:1 w:1)
	/// Proof: `Market::BookVersion` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Market::Params` (r:1 w:0)
	/// Proof: `Market::Params` (`max_values`: Some(1), `max_size`: Some(64), added: 559, mode: `MaxEncodedLen`)
	/// Storage: `Market::Exclusions` (r:1 w:1)
	/// Proof: `Market::Exclusions` (`max_values`: None, `max_size`: Some(9234), added: 11709, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `Market::KnownRegions` (r:1 w:1)
	/// Proof: `Market::KnownRegions` (`max_values`: None, `max_size`: Some(396), added: 2871, mode: `MaxEncodedLen`)
	/// Storage: `Market::Reported` (r:0 w:1)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(566), added: 3041, mode: `MaxEncodedLen`)
	fn release_worker() -> Weight {
		// Shortest execution: 165_720_000 picoseconds.
		Weight::from_parts(267_169_000, 0)
			.saturating_add(T::DbWeight::get().reads(18))
			.saturating_add(T::DbWeight::get().writes(16))
	}
	/// Storage: `Market::Deals` (r:1 w:1)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Market::Workers` (r:257 w:256)
	/// Proof: `Market::Workers` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:256 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(409), added: 2884, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Peers` (r:256 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:258 w:258)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:258 w:258)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Market::Seats` (r:256 w:256)
	/// Proof: `Market::Seats` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::PeerDeals` (r:256 w:256)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// Storage: `Market::Reported` (r:0 w:256)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(566), added: 3041, mode: `MaxEncodedLen`)
	/// Storage: `Market::DealsOf` (r:0 w:1)
	/// Proof: `Market::DealsOf` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `Market::Specs` (r:0 w:1)
	/// Proof: `Market::Specs` (`max_values`: None, `max_size`: Some(2212), added: 4687, mode: `MaxEncodedLen`)
	/// The component `w` was measured from 0 to 256.
	fn close(w: u32, ) -> Weight {
		// Shortest execution: 243_736_000 picoseconds.
		Weight::from_parts(332_762_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(264_571_919, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().reads((7_u64).saturating_mul(w.into())))
			.saturating_add(T::DbWeight::get().writes(8))
			.saturating_add(T::DbWeight::get().writes((8_u64).saturating_mul(w.into())))
	}
	/// Storage: `Market::Deals` (r:1 w:0)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Market::Unfilled` (r:1 w:1)
	/// Proof: `Market::Unfilled` (`max_values`: None, `max_size`: Some(9276), added: 11751, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Market::BookVersion` (r:1 w:0)
	/// Proof: `Market::BookVersion` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Market::Specs` (r:1 w:0)
	/// Proof: `Market::Specs` (`max_values`: None, `max_size`: Some(2212), added: 4687, mode: `MaxEncodedLen`)
	/// Storage: `Market::KnownRegions` (r:1 w:0)
	/// Proof: `Market::KnownRegions` (`max_values`: None, `max_size`: Some(396), added: 2871, mode: `MaxEncodedLen`)
	/// Storage: `Market::Exclusions` (r:1 w:0)
	/// Proof: `Market::Exclusions` (`max_values`: None, `max_size`: Some(9234), added: 11709, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	fn match_deal() -> Weight {
		// Shortest execution: 38_562_000 picoseconds.
		Weight::from_parts(63_679_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// An estimate: `post_offer` in another region, and of each deal the worker, the row and the place in the queue.
	fn update_offer(d: u32, ) -> Weight {
		Weight::from_parts(200_000_000, 0)
			.saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(12))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(d.into())))
			.saturating_add(T::DbWeight::get().writes(9))
			.saturating_add(T::DbWeight::get().writes((3_u64).saturating_mul(d.into())))
	}
	/// An estimate: `go_live` without the bond, and an exclusion.
	fn drain() -> Weight {
		Weight::from_parts(200_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// An estimate: `authorize_go_live` without the bond.
	fn authorize_drain() -> Weight {
		Weight::from_parts(152_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(7))
	}
	/// An estimate: the worker is looked up, and one row is written.
	fn redeem() -> Weight {
		Weight::from_parts(60_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// An estimate: `authorize_drain` with a second signature.
	fn authorize_redeem() -> Weight {
		Weight::from_parts(280_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(7))
	}
	/// An estimate: `release_worker` without the lapse.
	fn end_worker() -> Weight {
		Weight::from_parts(250_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(16))
			.saturating_add(T::DbWeight::get().writes(14))
	}
	/// An estimate: `release_worker`, what was missed or reported, the parameters, and the bond, of which
	/// each part moves.
	fn replace() -> Weight {
		Weight::from_parts(450_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(26))
			.saturating_add(T::DbWeight::get().writes(20))
	}
	/// An estimate: `top_up` by its owner, and each worker leaves as in `stop`, without pay.
	fn resize(w: u32, ) -> Weight {
		Weight::from_parts(250_000_000, 0)
			.saturating_add(Weight::from_parts(150_000_000, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(12))
			.saturating_add(T::DbWeight::get().reads((10_u64).saturating_mul(w.into())))
			.saturating_add(T::DbWeight::get().writes(9))
			.saturating_add(T::DbWeight::get().writes((10_u64).saturating_mul(w.into())))
	}
	/// An estimate: the deal alone.
	fn name_heir() -> Weight {
		Weight::from_parts(40_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// An estimate: two deposits as in `create_deal`, and two lists of deals.
	fn take_deal() -> Weight {
		Weight::from_parts(200_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(7))
	}
	/// An estimate: as `name_heir`, with a specification and a history that are read and written.
	fn update_package() -> Weight {
		Weight::from_parts(100_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// An estimate: as `patrol_deal`, and a bond is held and three rows are written.
	fn probe(w: u32, ) -> Weight {
		Weight::from_parts(220_000_000, 0)
			.saturating_add(Weight::from_parts(15_000_000, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(12))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(w.into())))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// An estimate: a hold is parted, and two rows are removed.
	fn answer_probe() -> Weight {
		Weight::from_parts(200_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(7))
	}
	/// An estimate: `authorize_drain`, with the deal's terms and the clock's blocks and seeds.
	fn authorize_answer_probe() -> Weight {
		Weight::from_parts(190_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(14))
	}
	/// An estimate: `replace`, with a hold that is released and rows of the probe.
	fn fail_probe() -> Weight {
		Weight::from_parts(500_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(30))
			.saturating_add(T::DbWeight::get().writes(25))
	}
	/// An estimate: the clock, and the first row of a map.
	fn probe_visit() -> Weight {
		Weight::from_parts(12_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(3))
	}
	/// An estimate: of each deal its probe.
	fn on_drawn(d: u32, ) -> Weight {
		Weight::from_parts(15_000_000, 0)
			.saturating_add(Weight::from_parts(6_000_000, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().reads(d.into()))
	}
	/// An estimate: as `name_heir`, with a specification that is read and written.
	fn set_access() -> Weight {
		Weight::from_parts(60_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// An estimate: each worker leaves as in `stop`, without pay, after what it reported is read.
	fn begin_grace(w: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 0)
			.saturating_add(Weight::from_parts(150_000_000, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().reads((11_u64).saturating_mul(w.into())))
			.saturating_add(T::DbWeight::get().writes(5))
			.saturating_add(T::DbWeight::get().writes((10_u64).saturating_mul(w.into())))
	}
	/// Storage: `Market::Cursor` (r:1 w:1)
	/// Proof: `Market::Cursor` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Market::Unfilled` (r:2 w:0)
	/// Proof: `Market::Unfilled` (`max_values`: None, `max_size`: Some(9276), added: 11751, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Market::BookVersion` (r:1 w:0)
	/// Proof: `Market::BookVersion` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	fn visit() -> Weight {
		// Shortest execution: 19_286_000 picoseconds.
		Weight::from_parts(25_397_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Market::KnownRegions` (r:1 w:0)
	/// Proof: `Market::KnownRegions` (`max_values`: None, `max_size`: Some(396), added: 2871, mode: `MaxEncodedLen`)
	/// Storage: `Market::Book` (r:128 w:0)
	/// Proof: `Market::Book` (`max_values`: None, `max_size`: Some(60), added: 2535, mode: `MaxEncodedLen`)
	/// The component `r` was measured from 1 to 64.
	fn walk(r: u32, ) -> Weight {
		// Shortest execution: 22_572_000 picoseconds.
		Weight::from_parts(11_376_285, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(13_343_714, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(r.into())))
	}
	/// Storage: `Market::Unfilled` (r:1 w:1)
	/// Proof: `Market::Unfilled` (`max_values`: None, `max_size`: Some(9276), added: 11751, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Market::BookVersion` (r:1 w:0)
	/// Proof: `Market::BookVersion` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Market::Specs` (r:1 w:0)
	/// Proof: `Market::Specs` (`max_values`: None, `max_size`: Some(2212), added: 4687, mode: `MaxEncodedLen`)
	/// Storage: `Market::KnownRegions` (r:1 w:0)
	/// Proof: `Market::KnownRegions` (`max_values`: None, `max_size`: Some(396), added: 2871, mode: `MaxEncodedLen`)
	/// Storage: `Market::Book` (r:2 w:0)
	/// Proof: `Market::Book` (`max_values`: None, `max_size`: Some(60), added: 2535, mode: `MaxEncodedLen`)
	/// Storage: `Market::Exclusions` (r:1 w:0)
	/// Proof: `Market::Exclusions` (`max_values`: None, `max_size`: Some(9234), added: 11709, mode: `MaxEncodedLen`)
	/// Storage: `Market::Deals` (r:1 w:1)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(409), added: 2884, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:1 w:0)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:0)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Market::PeerDeals` (r:1 w:1)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// Storage: `Market::Seats` (r:1 w:1)
	/// Proof: `Market::Seats` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:1)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::Params` (r:1 w:0)
	/// Proof: `Market::Params` (`max_values`: Some(1), `max_size`: Some(64), added: 559, mode: `MaxEncodedLen`)
	/// Storage: `Market::Workers` (r:0 w:1)
	/// Proof: `Market::Workers` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	fn look() -> Weight {
		// Shortest execution: 140_513_000 picoseconds.
		Weight::from_parts(235_500_000, 0)
			.saturating_add(T::DbWeight::get().reads(17))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	/// An estimate: `visit`, which finds the next of a queue as well.
	fn patrol_visit() -> Weight {
		Weight::from_parts(30_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// An estimate: `replace`, after the next worker is found.
	fn patrol_worker() -> Weight {
		Weight::from_parts(480_000_000, 0)
			.saturating_add(T::DbWeight::get().reads(29))
			.saturating_add(T::DbWeight::get().writes(20))
	}
	/// An estimate: of each worker its row and what it reported.
	fn patrol_deal(w: u32, ) -> Weight {
		Weight::from_parts(60_000_000, 0)
			.saturating_add(Weight::from_parts(15_000_000, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(w.into())))
	}
	/// Storage: `Market::PeerDeals` (r:1 w:0)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// Storage: `Market::Reported` (r:0 w:1)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(566), added: 3041, mode: `MaxEncodedLen`)
	/// The component `d` was measured from 0 to 64.
	fn on_report(d: u32, ) -> Weight {
		// Shortest execution: 6_682_000 picoseconds.
		Weight::from_parts(14_828_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(199_642, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Market::Reported` (r:1 w:1)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(566), added: 3041, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Market::Workers` (r:64 w:0)
	/// Proof: `Market::Workers` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	/// Storage: `Market::Deals` (r:64 w:64)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:1)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:1 w:0)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	/// Storage: `Market::Book` (r:1 w:0)
	/// Proof: `Market::Book` (`max_values`: None, `max_size`: Some(60), added: 2535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(409), added: 2884, mode: `MaxEncodedLen`)
	/// The component `d` was measured from 0 to 64.
	fn on_settled(d: u32, ) -> Weight {
		// Shortest execution: 30_818_000 picoseconds.
		Weight::from_parts(135_542_142, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(14_170_857, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(10))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(d.into())))
			.saturating_add(T::DbWeight::get().writes(5))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(d.into())))
	}
	/// An estimate: `on_settled`, with a voucher for each deal.
	fn on_settled_by_gas(d: u32, ) -> Weight {
		Weight::from_parts(135_542_142, 0)
			.saturating_add(Weight::from_parts(18_000_000, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(10))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(d.into())))
			.saturating_add(T::DbWeight::get().writes(5))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(d.into())))
	}
	/// Storage: `Market::PeerDeals` (r:1 w:1)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// Storage: `Market::Deals` (r:64 w:64)
	/// Proof: `Market::Deals` (`max_values`: None, `max_size`: Some(215), added: 2690, mode: `MaxEncodedLen`)
	/// Storage: `Market::Workers` (r:64 w:64)
	/// Proof: `Market::Workers` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Market::Seats` (r:64 w:64)
	/// Proof: `Market::Seats` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Market::Unfilled` (r:64 w:64)
	/// Proof: `Market::Unfilled` (`max_values`: None, `max_size`: Some(9276), added: 11751, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:1)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:1 w:0)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	/// Storage: `Market::Book` (r:1 w:1)
	/// Proof: `Market::Book` (`max_values`: None, `max_size`: Some(60), added: 2535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(409), added: 2884, mode: `MaxEncodedLen`)
	/// Storage: `Market::BookVersion` (r:1 w:1)
	/// Proof: `Market::BookVersion` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(247), added: 2722, mode: `MaxEncodedLen`)
	/// Storage: `Market::Reported` (r:0 w:1)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(566), added: 3041, mode: `MaxEncodedLen`)
	/// The component `d` was measured from 0 to 64.
	/// An estimate: it was measured without the bonds, whose parts go to the pot and burn, and without
	/// exclusions.
	fn on_commitment_over(d: u32, ) -> Weight {
		// Shortest execution: 27_642_000 picoseconds.
		Weight::from_parts(38_677_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(200_000_000, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(13))
			.saturating_add(T::DbWeight::get().reads((5_u64).saturating_mul(d.into())))
			.saturating_add(T::DbWeight::get().writes(8))
			.saturating_add(T::DbWeight::get().writes((7_u64).saturating_mul(d.into())))
	}
	/// Storage: `Market::Offers` (r:1 w:0)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(152), added: 2627, mode: `MaxEncodedLen`)
	/// Storage: `Market::Reported` (r:0 w:1)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(566), added: 3041, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:0 w:1)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(68), added: 2543, mode: `MaxEncodedLen`)
	fn peer_use() -> Weight {
		// Shortest execution: 11_321_000 picoseconds.
		Weight::from_parts(13_926_000, 0)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(2))
	}
}
