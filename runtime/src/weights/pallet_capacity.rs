//! Weights of `pallet_capacity`, measured: written by `millrace-node benchmark pallet`, not by hand.
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

/// Weight functions of `pallet_capacity`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_capacity::WeightInfo for WeightInfo<T> {
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Rounds` (r:0 w:1)
	/// Proof: `Capacity::Rounds` (`max_values`: None, `max_size`: Some(891), added: 3366, mode: `MaxEncodedLen`)
	fn create() -> Weight {
		// Shortest execution: 73_519_000 picoseconds.
		Weight::from_parts(84_986_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Rounds` (r:1 w:1)
	/// Proof: `Capacity::Rounds` (`max_values`: None, `max_size`: Some(891), added: 3366, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Ledgers` (r:1 w:1)
	/// Proof: `Capacity::Ledgers` (`max_values`: None, `max_size`: Some(1365), added: 3840, mode: `MaxEncodedLen`)
	fn stake() -> Weight {
		// Shortest execution: 116_833_000 picoseconds.
		Weight::from_parts(131_745_000, 0)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Rounds` (r:1 w:1)
	/// Proof: `Capacity::Rounds` (`max_values`: None, `max_size`: Some(891), added: 3366, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Ledgers` (r:1 w:1)
	/// Proof: `Capacity::Ledgers` (`max_values`: None, `max_size`: Some(1365), added: 3840, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Records` (r:1 w:0)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ActiveStakes` (r:1 w:1)
	/// Proof: `Capacity::ActiveStakes` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::TotalActiveStake` (r:1 w:1)
	/// Proof: `Capacity::TotalActiveStake` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Standing` (r:1 w:0)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Delegations` (r:0 w:1)
	/// Proof: `Capacity::Delegations` (`max_values`: None, `max_size`: Some(705), added: 3180, mode: `MaxEncodedLen`)
	/// The component `s` was measured from 1 to 8.
	fn agree(s: u32, ) -> Weight {
		// Shortest execution: 159_407_000 picoseconds.
		Weight::from_parts(237_303_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(1_275_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(11))
			.saturating_add(T::DbWeight::get().writes(9))
	}
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Records` (r:1 w:0)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Rounds` (r:1 w:1)
	/// Proof: `Capacity::Rounds` (`max_values`: None, `max_size`: Some(891), added: 3366, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Governed::Params` (r:1 w:0)
	/// Proof: `Governed::Params` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:8 w:8)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:8 w:8)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Ledgers` (r:8 w:8)
	/// Proof: `Capacity::Ledgers` (`max_values`: None, `max_size`: Some(1365), added: 3840, mode: `MaxEncodedLen`)
	/// The component `p` was measured from 0 to 8.
	fn cancel(p: u32, ) -> Weight {
		// Shortest execution: 118_165_000 picoseconds.
		Weight::from_parts(127_379_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(45_277_000, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(p.into())))
			.saturating_add(T::DbWeight::get().writes(1))
			.saturating_add(T::DbWeight::get().writes((3_u64).saturating_mul(p.into())))
	}
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Records` (r:1 w:0)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Rounds` (r:1 w:1)
	/// Proof: `Capacity::Rounds` (`max_values`: None, `max_size`: Some(891), added: 3366, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	fn grow() -> Weight {
		// Shortest execution: 88_962_000 picoseconds.
		Weight::from_parts(97_345_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Records` (r:1 w:0)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Rounds` (r:1 w:1)
	/// Proof: `Capacity::Rounds` (`max_values`: None, `max_size`: Some(891), added: 3366, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	fn extend() -> Weight {
		// Shortest execution: 89_683_000 picoseconds.
		Weight::from_parts(102_121_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Providers::Keys` (r:1 w:0)
	/// Proof: `Providers::Keys` (`max_values`: None, `max_size`: Some(361), added: 2836, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:0)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(72), added: 2547, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_report() -> Weight {
		// Shortest execution: 81_251_000 picoseconds.
		Weight::from_parts(92_337_000, 0)
			.saturating_add(T::DbWeight::get().reads(6))
	}
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Records` (r:1 w:0)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:0)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(72), added: 2547, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::EpochRows` (r:1 w:1)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// Storage: `Market::PeerDeals` (r:1 w:0)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ReportList` (r:0 w:1)
	/// Proof: `Capacity::ReportList` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `Receipts::Ring` (r:0 w:1)
	/// Proof: `Receipts::Ring` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// The component `s` was measured from 0 to 64.
	fn report(s: u32, ) -> Weight {
		// Shortest execution: 55_332_000 picoseconds.
		Weight::from_parts(67_366_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(175_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(8))
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
		// Shortest execution: 110_523_000 picoseconds.
		Weight::from_parts(162_611_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Receipts::Ring` (r:1 w:0)
	/// Proof: `Receipts::Ring` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::EpochRows` (r:1 w:0)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Seeds` (r:1 w:0)
	/// Proof: `Epochs::Seeds` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Draws` (r:1 w:0)
	/// Proof: `Epochs::Draws` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Audits` (r:0 w:1)
	/// Proof: `Capacity::Audits` (`max_values`: None, `max_size`: Some(37), added: 2512, mode: `MaxEncodedLen`)
	fn answer_checks() -> Weight {
		// Shortest execution: 151_024_000 picoseconds.
		Weight::from_parts(183_241_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn randomx_hash() -> Weight {
		// Shortest execution: 24_249_848_000 picoseconds.
		Weight::from_parts(28_809_133_000, 0)
	}
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Records` (r:1 w:0)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Amnesties` (r:1 w:0)
	/// Proof: `Capacity::Amnesties` (`max_values`: Some(1), `max_size`: Some(144), added: 639, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::EpochRows` (r:1 w:0)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Audits` (r:1 w:0)
	/// Proof: `Capacity::Audits` (`max_values`: None, `max_size`: Some(37), added: 2512, mode: `MaxEncodedLen`)
	/// Storage: `Market::Reported` (r:1 w:1)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(1078), added: 3553, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:1 w:1)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(72), added: 2547, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:1 w:0)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(156), added: 2631, mode: `MaxEncodedLen`)
	fn settle() -> Weight {
		// Shortest execution: 71_906_000 picoseconds.
		Weight::from_parts(121_600_000, 0)
			.saturating_add(T::DbWeight::get().reads(10))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Capacity::Delegations` (r:1 w:1)
	/// Proof: `Capacity::Delegations` (`max_values`: None, `max_size`: Some(705), added: 3180, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Departures` (r:1 w:0)
	/// Proof: `Capacity::Departures` (`max_values`: None, `max_size`: Some(425), added: 2900, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ActiveStakes` (r:1 w:1)
	/// Proof: `Capacity::ActiveStakes` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::TotalActiveStake` (r:1 w:1)
	/// Proof: `Capacity::TotalActiveStake` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Standing` (r:1 w:0)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Governed::Params` (r:1 w:0)
	/// Proof: `Governed::Params` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:8 w:8)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:8 w:8)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// The component `s` was measured from 1 to 8.
	fn slash(s: u32, ) -> Weight {
		// Shortest execution: 88_922_000 picoseconds.
		Weight::from_parts(84_655_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(31_006_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(3))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(s.into())))
	}
	/// Storage: `Capacity::Departures` (r:1 w:0)
	/// Proof: `Capacity::Departures` (`max_values`: None, `max_size`: Some(425), added: 2900, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Delegations` (r:1 w:1)
	/// Proof: `Capacity::Delegations` (`max_values`: None, `max_size`: Some(705), added: 3180, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ActiveStakes` (r:1 w:1)
	/// Proof: `Capacity::ActiveStakes` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::TotalActiveStake` (r:1 w:1)
	/// Proof: `Capacity::TotalActiveStake` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Standing` (r:1 w:0)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::NextSlash` (r:1 w:1)
	/// Proof: `Capacity::NextSlash` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::WaitingSlashes` (r:0 w:1)
	/// Proof: `Capacity::WaitingSlashes` (`max_values`: None, `max_size`: Some(875), added: 3350, mode: `MaxEncodedLen`)
	/// The component `s` was measured from 1 to 8.
	fn wait_slash(s: u32, ) -> Weight {
		// Shortest execution: 27_511_000 picoseconds.
		Weight::from_parts(46_134_166, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(2_258_166, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// Storage: `Capacity::Rounds` (r:1 w:1)
	/// Proof: `Capacity::Rounds` (`max_values`: None, `max_size`: Some(891), added: 3366, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Delegations` (r:1 w:1)
	/// Proof: `Capacity::Delegations` (`max_values`: None, `max_size`: Some(705), added: 3180, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Ledgers` (r:16 w:16)
	/// Proof: `Capacity::Ledgers` (`max_values`: None, `max_size`: Some(1365), added: 3840, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Departures` (r:1 w:1)
	/// Proof: `Capacity::Departures` (`max_values`: None, `max_size`: Some(425), added: 2900, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Governed::Params` (r:1 w:0)
	/// Proof: `Governed::Params` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:8 w:8)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:8 w:8)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// The component `s` was measured from 1 to 16.
	fn change(s: u32, ) -> Weight {
		// Shortest execution: 117_434_000 picoseconds.
		Weight::from_parts(77_556_600, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(44_620_200, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(3))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(s.into())))
	}
	/// Storage: `Capacity::Delegations` (r:1 w:1)
	/// Proof: `Capacity::Delegations` (`max_values`: None, `max_size`: Some(705), added: 3180, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Ledgers` (r:8 w:8)
	/// Proof: `Capacity::Ledgers` (`max_values`: None, `max_size`: Some(1365), added: 3840, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// The component `s` was measured from 1 to 8.
	fn flush(s: u32, ) -> Weight {
		// Shortest execution: 11_687_000 picoseconds.
		Weight::from_parts(10_762_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(6_443_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(1))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(s.into())))
	}
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ActiveStakes` (r:1 w:1)
	/// Proof: `Capacity::ActiveStakes` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::TotalActiveStake` (r:1 w:1)
	/// Proof: `Capacity::TotalActiveStake` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Standing` (r:1 w:0)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	fn conclude() -> Weight {
		// Shortest execution: 22_142_000 picoseconds.
		Weight::from_parts(28_782_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Records` (r:1 w:0)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Departures` (r:1 w:1)
	/// Proof: `Capacity::Departures` (`max_values`: None, `max_size`: Some(425), added: 2900, mode: `MaxEncodedLen`)
	/// Storage: `Receipts::OpenCases` (r:1 w:0)
	/// Proof: `Receipts::OpenCases` (`max_values`: None, `max_size`: Some(36), added: 2511, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Rounds` (r:1 w:0)
	/// Proof: `Capacity::Rounds` (`max_values`: None, `max_size`: Some(891), added: 3366, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Delegations` (r:1 w:1)
	/// Proof: `Capacity::Delegations` (`max_values`: None, `max_size`: Some(705), added: 3180, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Governed::Params` (r:1 w:0)
	/// Proof: `Governed::Params` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:16 w:16)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:16 w:16)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Ledgers` (r:16 w:16)
	/// Proof: `Capacity::Ledgers` (`max_values`: None, `max_size`: Some(1365), added: 3840, mode: `MaxEncodedLen`)
	/// The component `s` was measured from 1 to 16.
	fn withdraw(s: u32, ) -> Weight {
		// Shortest execution: 175_379_000 picoseconds.
		Weight::from_parts(84_241_500, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(171_277_500, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(10))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(3))
			.saturating_add(T::DbWeight::get().writes((3_u64).saturating_mul(s.into())))
	}
	/// Storage: `Capacity::Ledgers` (r:1 w:1)
	/// Proof: `Capacity::Ledgers` (`max_values`: None, `max_size`: Some(1365), added: 3840, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Emission::Pools` (r:1 w:0)
	/// Proof: `Emission::Pools` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Emission::Paid` (r:1 w:1)
	/// Proof: `Emission::Paid` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// The component `b` was measured from 1 to 32.
	fn claim(b: u32, ) -> Weight {
		// Shortest execution: 63_875_000 picoseconds.
		Weight::from_parts(95_659_058, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(296_352, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Capacity::WaitingSlashes` (r:1 w:1)
	/// Proof: `Capacity::WaitingSlashes` (`max_values`: None, `max_size`: Some(875), added: 3350, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Governed::Params` (r:1 w:0)
	/// Proof: `Governed::Params` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:16 w:16)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:18 w:18)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// The component `p` was measured from 1 to 16.
	fn apply_slash(p: u32, ) -> Weight {
		// Shortest execution: 136_201_000 picoseconds.
		Weight::from_parts(146_345_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(31_166_500, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(p.into())))
			.saturating_add(T::DbWeight::get().writes(4))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(p.into())))
	}
	/// Storage: `Capacity::WaitingSlashes` (r:1 w:1)
	/// Proof: `Capacity::WaitingSlashes` (`max_values`: None, `max_size`: Some(875), added: 3350, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:1)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:16 w:16)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:16 w:16)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// The component `p` was measured from 1 to 16.
	fn cancel_slash(p: u32, ) -> Weight {
		// Shortest execution: 60_890_000 picoseconds.
		Weight::from_parts(43_009_000, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(50_650_000, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(p.into())))
			.saturating_add(T::DbWeight::get().writes(2))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(p.into())))
	}
	/// Storage: `Capacity::EpochRows` (r:3 w:1)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Emission::Reserve` (r:1 w:0)
	/// Proof: `Emission::Reserve` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Governed::Params` (r:1 w:0)
	/// Proof: `Governed::Params` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
	/// Storage: `Emission::Pools` (r:1 w:1)
	/// Proof: `Emission::Pools` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	fn on_epoch_start() -> Weight {
		// Shortest execution: 20_671_000 picoseconds.
		Weight::from_parts(26_248_000, 0)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Capacity::EpochRows` (r:1 w:1)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Params` (r:1 w:0)
	/// Proof: `Capacity::Params` (`max_values`: Some(1), `max_size`: Some(168), added: 663, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Amnesties` (r:1 w:1)
	/// Proof: `Capacity::Amnesties` (`max_values`: Some(1), `max_size`: Some(144), added: 639, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::OngoingDraw` (r:0 w:1)
	/// Proof: `Capacity::OngoingDraw` (`max_values`: Some(1), `max_size`: Some(44), added: 539, mode: `MaxEncodedLen`)
	fn on_draw() -> Weight {
		// Shortest execution: 18_547_000 picoseconds.
		Weight::from_parts(25_959_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Capacity::OngoingDraw` (r:1 w:1)
	/// Proof: `Capacity::OngoingDraw` (`max_values`: Some(1), `max_size`: Some(44), added: 539, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::EpochRows` (r:1 w:1)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	fn on_poll() -> Weight {
		// Shortest execution: 13_010_000 picoseconds.
		Weight::from_parts(17_445_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Capacity::OngoingDraw` (r:1 w:1)
	/// Proof: `Capacity::OngoingDraw` (`max_values`: Some(1), `max_size`: Some(44), added: 539, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::EpochRows` (r:1 w:1)
	/// Proof: `Capacity::EpochRows` (`max_values`: None, `max_size`: Some(213), added: 2688, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::LastTick` (r:1 w:0)
	/// Proof: `Epochs::LastTick` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ReportList` (r:16 w:0)
	/// Proof: `Capacity::ReportList` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Audits` (r:1 w:1)
	/// Proof: `Capacity::Audits` (`max_values`: None, `max_size`: Some(37), added: 2512, mode: `MaxEncodedLen`)
	/// Storage: `Market::PeerDeals` (r:1 w:0)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	fn draw_attempt() -> Weight {
		// Shortest execution: 309_950_000 picoseconds.
		Weight::from_parts(346_794_000, 0)
			.saturating_add(T::DbWeight::get().reads(22))
			.saturating_add(T::DbWeight::get().writes(3))
	}
}
