//! Weights of `pallet_validators`, measured: written by `millrace-node benchmark pallet`, not by hand.
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

/// Weight functions of `pallet_validators`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_validators::WeightInfo for WeightInfo<T> {
	/// Storage: `Validators::Banned` (r:1 w:1)
	/// Proof: `Validators::Banned` (`max_values`: None, `max_size`: Some(52), added: 2527, mode: `MaxEncodedLen`)
	/// Storage: `Session::CurrentIndex` (r:1 w:0)
	/// Proof: `Session::CurrentIndex` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Validators::Standing` (r:1 w:2)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ActiveStakes` (r:1 w:0)
	/// Proof: `Capacity::ActiveStakes` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Params` (r:1 w:0)
	/// Proof: `Validators::Params` (`max_values`: Some(1), `max_size`: Some(44), added: 539, mode: `MaxEncodedLen`)
	/// Storage: `Session::NextKeys` (r:1 w:0)
	/// Proof: `Session::NextKeys` (`max_values`: None, `max_size`: None, mode: `Measured`)
	/// Storage: `Validators::Candidates` (r:1 w:1)
	/// Proof: `Validators::Candidates` (`max_values`: Some(1), `max_size`: Some(10402), added: 10897, mode: `MaxEncodedLen`)
	fn validate() -> Weight {
		// Shortest execution: 77_465_000 picoseconds.
		Weight::from_parts(100_529_000, 0)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Validators::Standing` (r:1 w:1)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Candidates` (r:1 w:1)
	/// Proof: `Validators::Candidates` (`max_values`: Some(1), `max_size`: Some(10402), added: 10897, mode: `MaxEncodedLen`)
	fn chill() -> Weight {
		// Shortest execution: 50_445_000 picoseconds.
		Weight::from_parts(71_837_000, 0)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Validators::Standing` (r:1 w:0)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Planned` (r:1 w:0)
	/// Proof: `Validators::Planned` (`max_values`: Some(1), `max_size`: Some(3206), added: 3701, mode: `MaxEncodedLen`)
	/// Storage: `Session::QueuedKeys` (r:1 w:0)
	/// Proof: `Session::QueuedKeys` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Session::Validators` (r:1 w:0)
	/// Proof: `Session::Validators` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Session::NextKeys` (r:1 w:1)
	/// Proof: `Session::NextKeys` (`max_values`: None, `max_size`: None, mode: `Measured`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Session::ExternallySetKeys` (r:1 w:0)
	/// Proof: `Session::ExternallySetKeys` (`max_values`: None, `max_size`: None, mode: `Measured`)
	/// Storage: `Session::KeyOwner` (r:0 w:3)
	/// Proof: `Session::KeyOwner` (`max_values`: None, `max_size`: None, mode: `Measured`)
	fn purge_keys() -> Weight {
		// Shortest execution: 102_943_000 picoseconds.
		Weight::from_parts(134_770_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	/// Storage: `Validators::Standing` (r:1 w:0)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Candidates` (r:1 w:1)
	/// Proof: `Validators::Candidates` (`max_values`: Some(1), `max_size`: Some(10402), added: 10897, mode: `MaxEncodedLen`)
	fn on_stake() -> Weight {
		// Shortest execution: 38_037_000 picoseconds.
		Weight::from_parts(43_104_000, 0)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Validators::Records` (r:1 w:0)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	fn since() -> Weight {
		// Shortest execution: 7_661_000 picoseconds.
		Weight::from_parts(8_553_000, 0)
			.saturating_add(T::DbWeight::get().reads(1))
	}
	/// Storage: `Validators::Genesis` (r:1 w:0)
	/// Proof: `Validators::Genesis` (`max_values`: Some(1), `max_size`: Some(3202), added: 3697, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Params` (r:1 w:0)
	/// Proof: `Validators::Params` (`max_values`: Some(1), `max_size`: Some(44), added: 539, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Bootstrapped` (r:1 w:0)
	/// Proof: `Validators::Bootstrapped` (`max_values`: Some(1), `max_size`: Some(1), added: 496, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Planned` (r:1 w:1)
	/// Proof: `Validators::Planned` (`max_values`: Some(1), `max_size`: Some(3206), added: 3701, mode: `MaxEncodedLen`)
	/// Storage: `Validators::SitOut` (r:1 w:1)
	/// Proof: `Validators::SitOut` (`max_values`: Some(1), `max_size`: Some(3202), added: 3697, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Candidates` (r:1 w:0)
	/// Proof: `Validators::Candidates` (`max_values`: Some(1), `max_size`: Some(10402), added: 10897, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Banned` (r:300 w:0)
	/// Proof: `Validators::Banned` (`max_values`: None, `max_size`: Some(52), added: 2527, mode: `MaxEncodedLen`)
	/// Storage: `Session::NextKeys` (r:300 w:0)
	/// Proof: `Session::NextKeys` (`max_values`: None, `max_size`: None, mode: `Measured`)
	/// Storage: `Capacity::TotalActiveStake` (r:1 w:0)
	/// Proof: `Capacity::TotalActiveStake` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::ActiveStakes` (r:100 w:0)
	/// Proof: `Capacity::ActiveStakes` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// The component `c` was measured from 1 to 200.
	fn plan(c: u32, ) -> Weight {
		// Shortest execution: 740_547_000 picoseconds.
		Weight::from_parts(814_440_977, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(6_072_022, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(307))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(c.into())))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Validators::Authored` (r:101 w:100)
	/// Proof: `Validators::Authored` (`max_values`: None, `max_size`: Some(52), added: 2527, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Silent` (r:101 w:100)
	/// Proof: `Validators::Silent` (`max_values`: None, `max_size`: Some(52), added: 2527, mode: `MaxEncodedLen`)
	/// Storage: `Session::Validators` (r:1 w:0)
	/// Proof: `Session::Validators` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Validators::Written` (r:1 w:1)
	/// Proof: `Validators::Written` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Bootstrapped` (r:1 w:0)
	/// Proof: `Validators::Bootstrapped` (`max_values`: Some(1), `max_size`: Some(1), added: 496, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Params` (r:1 w:0)
	/// Proof: `Validators::Params` (`max_values`: Some(1), `max_size`: Some(44), added: 539, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Standing` (r:100 w:100)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Candidates` (r:1 w:1)
	/// Proof: `Validators::Candidates` (`max_values`: Some(1), `max_size`: Some(10402), added: 10897, mode: `MaxEncodedLen`)
	/// Storage: `Validators::SitOut` (r:0 w:1)
	/// Proof: `Validators::SitOut` (`max_values`: Some(1), `max_size`: Some(3202), added: 3697, mode: `MaxEncodedLen`)
	/// The component `s` was measured from 1 to 100.
	fn close_session(s: u32, ) -> Weight {
		// Shortest execution: 84_115_000 picoseconds.
		Weight::from_parts(97_300_272, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(17_544_527, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(3))
			.saturating_add(T::DbWeight::get().writes((3_u64).saturating_mul(s.into())))
	}
	/// Storage: `Validators::Authored` (r:1 w:1)
	/// Proof: `Validators::Authored` (`max_values`: None, `max_size`: Some(52), added: 2527, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Written` (r:1 w:1)
	/// Proof: `Validators::Written` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn note_author() -> Weight {
		// Shortest execution: 5_798_000 picoseconds.
		Weight::from_parts(6_650_000, 0)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Session::CurrentIndex` (r:1 w:0)
	/// Proof: `Session::CurrentIndex` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Validators::Records` (r:1 w:1)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	/// Storage: `Validators::SessionStarts` (r:1 w:0)
	/// Proof: `Validators::SessionStarts` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Standing` (r:1 w:1)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Candidates` (r:1 w:1)
	/// Proof: `Validators::Candidates` (`max_values`: Some(1), `max_size`: Some(10402), added: 10897, mode: `MaxEncodedLen`)
	/// Storage: `Session::DisabledValidators` (r:1 w:1)
	/// Proof: `Session::DisabledValidators` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Session::Validators` (r:1 w:0)
	/// Proof: `Session::Validators` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Validators::Banned` (r:0 w:1)
	/// Proof: `Validators::Banned` (`max_values`: None, `max_size`: Some(52), added: 2527, mode: `MaxEncodedLen`)
	fn on_equivocation() -> Weight {
		// Shortest execution: 102_352_000 picoseconds.
		Weight::from_parts(113_809_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(5))
	}
}
