//! Weights of `pallet_providers`, measured: written by `millrace-node benchmark pallet`, not by hand.
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

/// Weight functions of `pallet_providers`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_providers::WeightInfo for WeightInfo<T> {
	/// Storage: `Providers::Providers` (r:1 w:1)
	/// Proof: `Providers::Providers` (`max_values`: None, `max_size`: Some(130), added: 2605, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	fn register_provider() -> Weight {
		// Shortest execution: 51_116_000 picoseconds.
		Weight::from_parts(57_275_000, 0)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Providers::Providers` (r:1 w:1)
	/// Proof: `Providers::Providers` (`max_values`: None, `max_size`: Some(130), added: 2605, mode: `MaxEncodedLen`)
	/// Storage: `Providers::PeersOf` (r:1 w:0)
	/// Proof: `Providers::PeersOf` (`max_values`: None, `max_size`: Some(8242), added: 10717, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	fn remove_provider() -> Weight {
		// Shortest execution: 45_768_000 picoseconds.
		Weight::from_parts(50_435_000, 0)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Providers::Providers` (r:1 w:0)
	/// Proof: `Providers::Providers` (`max_values`: None, `max_size`: Some(130), added: 2605, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Peers` (r:1 w:1)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Providers::KeyOwners` (r:1 w:1)
	/// Proof: `Providers::KeyOwners` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Providers::PeersOf` (r:1 w:1)
	/// Proof: `Providers::PeersOf` (`max_values`: None, `max_size`: Some(8242), added: 10717, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Keys` (r:1 w:1)
	/// Proof: `Providers::Keys` (`max_values`: None, `max_size`: Some(361), added: 2836, mode: `MaxEncodedLen`)
	fn register_peer() -> Weight {
		// Shortest execution: 125_666_000 picoseconds.
		Weight::from_parts(147_068_000, 0)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// Storage: `Providers::Peers` (r:1 w:1)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	fn set_endpoint() -> Weight {
		// Shortest execution: 14_311_000 picoseconds.
		Weight::from_parts(19_039_000, 0)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Providers::Peers` (r:1 w:0)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Providers::KeyOwners` (r:1 w:8)
	/// Proof: `Providers::KeyOwners` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Starts` (r:1 w:0)
	/// Proof: `Epochs::Starts` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Keys` (r:1 w:1)
	/// Proof: `Providers::Keys` (`max_values`: None, `max_size`: Some(361), added: 2836, mode: `MaxEncodedLen`)
	fn rotate_key() -> Weight {
		// Shortest execution: 87_059_000 picoseconds.
		Weight::from_parts(102_442_000, 0)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(9))
	}
	/// Storage: `Providers::Peers` (r:1 w:1)
	/// Proof: `Providers::Peers` (`max_values`: None, `max_size`: Some(338), added: 2813, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Commitments` (r:1 w:0)
	/// Proof: `Capacity::Commitments` (`max_values`: None, `max_size`: Some(417), added: 2892, mode: `MaxEncodedLen`)
	/// Storage: `Market::Offers` (r:1 w:0)
	/// Proof: `Market::Offers` (`max_values`: None, `max_size`: Some(156), added: 2631, mode: `MaxEncodedLen`)
	/// Storage: `Market::PeerDeals` (r:1 w:0)
	/// Proof: `Market::PeerDeals` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// Storage: `Receipts::OpenCases` (r:1 w:0)
	/// Proof: `Receipts::OpenCases` (`max_values`: None, `max_size`: Some(36), added: 2511, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `Providers::Keys` (r:1 w:1)
	/// Proof: `Providers::Keys` (`max_values`: None, `max_size`: Some(361), added: 2836, mode: `MaxEncodedLen`)
	/// Storage: `Providers::PeersOf` (r:1 w:1)
	/// Proof: `Providers::PeersOf` (`max_values`: None, `max_size`: Some(8242), added: 10717, mode: `MaxEncodedLen`)
	/// Storage: `Providers::KeyOwners` (r:0 w:8)
	/// Proof: `Providers::KeyOwners` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Capacity::Audits` (r:0 w:1)
	/// Proof: `Capacity::Audits` (`max_values`: None, `max_size`: Some(37), added: 2512, mode: `MaxEncodedLen`)
	/// Storage: `Market::Reported` (r:0 w:1)
	/// Proof: `Market::Reported` (`max_values`: None, `max_size`: Some(1078), added: 3553, mode: `MaxEncodedLen`)
	/// Storage: `Market::PastWorks` (r:0 w:1)
	/// Proof: `Market::PastWorks` (`max_values`: None, `max_size`: Some(1074), added: 3549, mode: `MaxEncodedLen`)
	/// Storage: `Market::Loads` (r:0 w:1)
	/// Proof: `Market::Loads` (`max_values`: None, `max_size`: Some(72), added: 2547, mode: `MaxEncodedLen`)
	fn remove_peer() -> Weight {
		// Shortest execution: 154_629_000 picoseconds.
		Weight::from_parts(179_546_000, 0)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(16))
	}
}
