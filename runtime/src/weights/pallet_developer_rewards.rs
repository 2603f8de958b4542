//! Weights of `pallet_developer_rewards`, measured: written by `millrace-node benchmark pallet`, not by hand.
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

/// Weight functions of `pallet_developer_rewards`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_developer_rewards::WeightInfo for WeightInfo<T> {
	/// Storage: `DeveloperRewards::Standing` (r:1 w:1)
	/// Proof: `DeveloperRewards::Standing` (`max_values`: Some(1), `max_size`: Some(80), added: 575, mode: `MaxEncodedLen`)
	/// Storage: `DeveloperRewards::Leftovers` (r:1 w:0)
	/// Proof: `DeveloperRewards::Leftovers` (`max_values`: Some(1), `max_size`: Some(12), added: 507, mode: `MaxEncodedLen`)
	/// Storage: `Timing::GovernanceHourBlocks` (r:1 w:0)
	/// Proof: `Timing::GovernanceHourBlocks` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:0)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `DeveloperRewards::NextNumber` (r:1 w:1)
	/// Proof: `DeveloperRewards::NextNumber` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn start() -> Weight {
		// Shortest execution: 15_262_000 picoseconds.
		Weight::from_parts(17_726_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `DeveloperRewards::Standing` (r:1 w:1)
	/// Proof: `DeveloperRewards::Standing` (`max_values`: Some(1), `max_size`: Some(80), added: 575, mode: `MaxEncodedLen`)
	/// Storage: `DeveloperRewards::Claimed` (r:1 w:1)
	/// Proof: `DeveloperRewards::Claimed` (`max_values`: None, `max_size`: Some(136), added: 2611, mode: `MaxEncodedLen`)
	/// Storage: `Vesting::Vesting` (r:1 w:1)
	/// Proof: `Vesting::Vesting` (`max_values`: None, `max_size`: Some(1057), added: 3532, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Timing::GovernanceHourBlocks` (r:1 w:0)
	/// Proof: `Timing::GovernanceHourBlocks` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Locks` (r:1 w:1)
	/// Proof: `Balances::Locks` (`max_values`: None, `max_size`: Some(1299), added: 3774, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Freezes` (r:1 w:0)
	/// Proof: `Balances::Freezes` (`max_values`: None, `max_size`: Some(49), added: 2524, mode: `MaxEncodedLen`)
	fn claim() -> Weight {
		// Shortest execution: 125_677_000 picoseconds.
		Weight::from_parts(134_419_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	/// Storage: `DeveloperRewards::Standing` (r:1 w:0)
	/// Proof: `DeveloperRewards::Standing` (`max_values`: Some(1), `max_size`: Some(80), added: 575, mode: `MaxEncodedLen`)
	/// Storage: `DeveloperRewards::Claimed` (r:1 w:0)
	/// Proof: `DeveloperRewards::Claimed` (`max_values`: None, `max_size`: Some(136), added: 2611, mode: `MaxEncodedLen`)
	/// Storage: `Vesting::Vesting` (r:1 w:0)
	/// Proof: `Vesting::Vesting` (`max_values`: None, `max_size`: Some(1057), added: 3532, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:0)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_claim_for() -> Weight {
		// Shortest execution: 125_456_000 picoseconds.
		Weight::from_parts(165_325_000, 0)
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `DeveloperRewards::Standing` (r:1 w:1)
	/// Proof: `DeveloperRewards::Standing` (`max_values`: Some(1), `max_size`: Some(80), added: 575, mode: `MaxEncodedLen`)
	/// Storage: `DeveloperRewards::Claimed` (r:1 w:1)
	/// Proof: `DeveloperRewards::Claimed` (`max_values`: None, `max_size`: Some(136), added: 2611, mode: `MaxEncodedLen`)
	/// Storage: `Vesting::Vesting` (r:1 w:1)
	/// Proof: `Vesting::Vesting` (`max_values`: None, `max_size`: Some(1057), added: 3532, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Timing::GovernanceHourBlocks` (r:1 w:0)
	/// Proof: `Timing::GovernanceHourBlocks` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Locks` (r:1 w:1)
	/// Proof: `Balances::Locks` (`max_values`: None, `max_size`: Some(1299), added: 3774, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Freezes` (r:1 w:0)
	/// Proof: `Balances::Freezes` (`max_values`: None, `max_size`: Some(49), added: 2524, mode: `MaxEncodedLen`)
	fn claim_for() -> Weight {
		// Shortest execution: 128_420_000 picoseconds.
		Weight::from_parts(145_946_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	/// Storage: `Vesting::Vesting` (r:1 w:0)
	/// Proof: `Vesting::Vesting` (`max_values`: None, `max_size`: Some(1057), added: 3532, mode: `MaxEncodedLen`)
	fn authorize_release() -> Weight {
		// Shortest execution: 6_940_000 picoseconds.
		Weight::from_parts(8_112_000, 0)
			.saturating_add(T::DbWeight::get().reads(1))
	}
	/// Storage: `Vesting::Vesting` (r:1 w:1)
	/// Proof: `Vesting::Vesting` (`max_values`: None, `max_size`: Some(1057), added: 3532, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Locks` (r:1 w:1)
	/// Proof: `Balances::Locks` (`max_values`: None, `max_size`: Some(1299), added: 3774, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Freezes` (r:1 w:0)
	/// Proof: `Balances::Freezes` (`max_values`: None, `max_size`: Some(49), added: 2524, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	fn release() -> Weight {
		// Shortest execution: 42_583_000 picoseconds.
		Weight::from_parts(52_218_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `DeveloperRewards::Standing` (r:1 w:1)
	/// Proof: `DeveloperRewards::Standing` (`max_values`: Some(1), `max_size`: Some(80), added: 575, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `DeveloperRewards::Leftovers` (r:0 w:1)
	/// Proof: `DeveloperRewards::Leftovers` (`max_values`: Some(1), `max_size`: Some(12), added: 507, mode: `MaxEncodedLen`)
	fn end() -> Weight {
		// Shortest execution: 53_159_000 picoseconds.
		Weight::from_parts(57_475_000, 0)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `DeveloperRewards::Leftovers` (r:1 w:1)
	/// Proof: `DeveloperRewards::Leftovers` (`max_values`: Some(1), `max_size`: Some(12), added: 507, mode: `MaxEncodedLen`)
	/// Storage: `DeveloperRewards::Claimed` (r:0 w:64)
	/// Proof: `DeveloperRewards::Claimed` (`max_values`: None, `max_size`: Some(136), added: 2611, mode: `MaxEncodedLen`)
	/// The component `r` was measured from 1 to 64.
	fn sweep(r: u32, ) -> Weight {
		// Shortest execution: 5_649_000 picoseconds.
		Weight::from_parts(6_312_685, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(1_106_514, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(r.into())))
	}
}
