//! Weights of `pallet_anchor`, measured: written by `millrace-node benchmark pallet`, not by hand.
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

/// Weight functions of `pallet_anchor`.
#[derive(Debug)]
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_anchor::WeightInfo for WeightInfo<T> {
	/// Storage: `Anchor::Pending` (r:1 w:1)
	/// Proof: `Anchor::Pending` (`max_values`: Some(1), `max_size`: Some(2050), added: 2545, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::OutboxRoot` (r:1 w:1)
	/// Proof: `Anchor::OutboxRoot` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::OverdueSince` (r:1 w:1)
	/// Proof: `Anchor::OverdueSince` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::PausedUntil` (r:1 w:0)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Attested` (r:1 w:0)
	/// Proof: `Anchor::Attested` (`max_values`: Some(1), `max_size`: Some(1665), added: 2160, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Params` (r:1 w:0)
	/// Proof: `Anchor::Params` (`max_values`: Some(1), `max_size`: Some(88), added: 583, mode: `MaxEncodedLen`)
	fn on_initialize() -> Weight {
		// Shortest execution: 52_398_000 picoseconds.
		Weight::from_parts(53_990_000, 0)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Anchor::PausedUntil` (r:1 w:0)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::ForcedQueue` (r:1 w:0)
	/// Proof: `Anchor::ForcedQueue` (`max_values`: Some(1), `max_size`: Some(514), added: 1009, mode: `MaxEncodedLen`)
	fn look_for_forced() -> Weight {
		// Shortest execution: 3_194_000 picoseconds.
		Weight::from_parts(3_666_000, 0)
			.saturating_add(T::DbWeight::get().reads(2))
	}
	/// Storage: `Anchor::Forced` (r:1 w:1)
	/// Proof: `Anchor::Forced` (`max_values`: None, `max_size`: Some(4150), added: 6625, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::ForcedQueue` (r:1 w:1)
	/// Proof: `Anchor::ForcedQueue` (`max_values`: Some(1), `max_size`: Some(514), added: 1009, mode: `MaxEncodedLen`)
	/// Storage: `Governed::Params` (r:1 w:0)
	/// Proof: `Governed::Params` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Ledger` (r:1 w:1)
	/// Proof: `Anchor::Ledger` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Anchor` (r:1 w:0)
	/// Proof: `Anchor::Anchor` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::PausedUntil` (r:1 w:0)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Params` (r:1 w:0)
	/// Proof: `Anchor::Params` (`max_values`: Some(1), `max_size`: Some(88), added: 583, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Flows` (r:1 w:1)
	/// Proof: `Anchor::Flows` (`max_values`: Some(1), `max_size`: Some(36), added: 531, mode: `MaxEncodedLen`)
	fn run_forced() -> Weight {
		// Shortest execution: 101_160_000 picoseconds.
		Weight::from_parts(107_639_000, 0)
			.saturating_add(T::DbWeight::get().reads(12))
			.saturating_add(T::DbWeight::get().writes(7))
	}
	/// Storage: `Anchor::Params` (r:1 w:0)
	/// Proof: `Anchor::Params` (`max_values`: Some(1), `max_size`: Some(88), added: 583, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::PausedUntil` (r:1 w:0)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Anchor` (r:1 w:0)
	/// Proof: `Anchor::Anchor` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::NextNonce` (r:1 w:1)
	/// Proof: `Anchor::NextNonce` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Pending` (r:1 w:1)
	/// Proof: `Anchor::Pending` (`max_values`: Some(1), `max_size`: Some(2050), added: 2545, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Flows` (r:1 w:1)
	/// Proof: `Anchor::Flows` (`max_values`: Some(1), `max_size`: Some(36), added: 531, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Ledger` (r:1 w:1)
	/// Proof: `Anchor::Ledger` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Sent` (r:0 w:1)
	/// Proof: `Anchor::Sent` (`max_values`: None, `max_size`: Some(1103), added: 3578, mode: `MaxEncodedLen`)
	fn withdraw() -> Weight {
		// Shortest execution: 103_103_000 picoseconds.
		Weight::from_parts(110_374_000, 0)
			.saturating_add(T::DbWeight::get().reads(12))
			.saturating_add(T::DbWeight::get().writes(8))
	}
	/// Storage: `Anchor::Params` (r:1 w:0)
	/// Proof: `Anchor::Params` (`max_values`: Some(1), `max_size`: Some(88), added: 583, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::PausedUntil` (r:1 w:0)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Anchor` (r:1 w:0)
	/// Proof: `Anchor::Anchor` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::NextNonce` (r:1 w:1)
	/// Proof: `Anchor::NextNonce` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Pending` (r:1 w:1)
	/// Proof: `Anchor::Pending` (`max_values`: Some(1), `max_size`: Some(2050), added: 2545, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Sent` (r:0 w:1)
	/// Proof: `Anchor::Sent` (`max_values`: None, `max_size`: Some(1103), added: 3578, mode: `MaxEncodedLen`)
	fn send() -> Weight {
		// Shortest execution: 59_238_000 picoseconds.
		Weight::from_parts(63_124_000, 0)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Anchor::Anchor` (r:1 w:0)
	/// Proof: `Anchor::Anchor` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::PausedUntil` (r:1 w:0)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Round` (r:1 w:0)
	/// Proof: `Anchor::Round` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Session::CurrentIndex` (r:1 w:0)
	/// Proof: `Session::CurrentIndex` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Anchor::Attested` (r:1 w:0)
	/// Proof: `Anchor::Attested` (`max_values`: Some(1), `max_size`: Some(1665), added: 2160, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Taken` (r:1 w:0)
	/// Proof: `Anchor::Taken` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Votes` (r:1 w:0)
	/// Proof: `Anchor::Votes` (`max_values`: None, `max_size`: Some(4526), added: 7001, mode: `MaxEncodedLen`)
	/// Storage: UNKNOWN KEY `0x88dcde934c658227ee1dfafcd6e1690300118d60d59b3bb668a022ccf9aabe3b` (r:1 w:0)
	/// Proof: UNKNOWN KEY `0x88dcde934c658227ee1dfafcd6e1690300118d60d59b3bb668a022ccf9aabe3b` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_vote() -> Weight {
		// Shortest execution: 104_615_000 picoseconds.
		Weight::from_parts(112_697_000, 0)
			.saturating_add(T::DbWeight::get().reads(9))
	}
	/// Storage: UNKNOWN KEY `0x88dcde934c658227ee1dfafcd6e1690300118d60d59b3bb668a022ccf9aabe3b` (r:1 w:0)
	/// Proof: UNKNOWN KEY `0x88dcde934c658227ee1dfafcd6e1690300118d60d59b3bb668a022ccf9aabe3b` (r:1 w:0)
	/// Storage: `Session::CurrentIndex` (r:1 w:0)
	/// Proof: `Session::CurrentIndex` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Anchor::Round` (r:1 w:0)
	/// Proof: `Anchor::Round` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Votes` (r:1 w:32)
	/// Proof: `Anchor::Votes` (`max_values`: None, `max_size`: Some(4526), added: 7001, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Attested` (r:1 w:1)
	/// Proof: `Anchor::Attested` (`max_values`: Some(1), `max_size`: Some(1665), added: 2160, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Taken` (r:1 w:0)
	/// Proof: `Anchor::Taken` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	fn vote() -> Weight {
		// Shortest execution: 127_860_000 picoseconds.
		Weight::from_parts(136_122_000, 0)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(33))
	}
	/// Storage: `Anchor::Anchor` (r:1 w:0)
	/// Proof: `Anchor::Anchor` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::PausedUntil` (r:1 w:0)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::ForcedQueue` (r:1 w:0)
	/// Proof: `Anchor::ForcedQueue` (`max_values`: Some(1), `max_size`: Some(514), added: 1009, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Taken` (r:1 w:0)
	/// Proof: `Anchor::Taken` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Attested` (r:1 w:0)
	/// Proof: `Anchor::Attested` (`max_values`: Some(1), `max_size`: Some(1665), added: 2160, mode: `MaxEncodedLen`)
	/// The component `b` was measured from 4000 to 134000.
	fn authorize_deliver(b: u32, ) -> Weight {
		// Shortest execution: 24_366_000 picoseconds.
		Weight::from_parts(3_944_697, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(4_278, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `Anchor::Anchor` (r:1 w:0)
	/// Proof: `Anchor::Anchor` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::PausedUntil` (r:1 w:0)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::ForcedQueue` (r:1 w:0)
	/// Proof: `Anchor::ForcedQueue` (`max_values`: Some(1), `max_size`: Some(514), added: 1009, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Taken` (r:1 w:1)
	/// Proof: `Anchor::Taken` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Attested` (r:1 w:1)
	/// Proof: `Anchor::Attested` (`max_values`: Some(1), `max_size`: Some(1665), added: 2160, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Counted` (r:1 w:1)
	/// Proof: `Anchor::Counted` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Ledger` (r:1 w:1)
	/// Proof: `Anchor::Ledger` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Params` (r:1 w:0)
	/// Proof: `Anchor::Params` (`max_values`: Some(1), `max_size`: Some(88), added: 583, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Flows` (r:1 w:1)
	/// Proof: `Anchor::Flows` (`max_values`: Some(1), `max_size`: Some(36), added: 531, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:33 w:33)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::OverdueSince` (r:1 w:0)
	/// Proof: `Anchor::OverdueSince` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// The component `n` was measured from 1 to 32.
	fn deliver(n: u32, ) -> Weight {
		// Shortest execution: 83_133_000 picoseconds.
		Weight::from_parts(36_842_950, 0)
			// Standard error: 0.
			.saturating_add(Weight::from_parts(56_725_050, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(14))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(7))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
	}
	/// Storage: `Anchor::PausedUntil` (r:1 w:0)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Parked` (r:1 w:1)
	/// Proof: `Anchor::Parked` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Params` (r:1 w:0)
	/// Proof: `Anchor::Params` (`max_values`: Some(1), `max_size`: Some(88), added: 583, mode: `MaxEncodedLen`)
	/// Storage: `Epochs::Current` (r:1 w:0)
	/// Proof: `Epochs::Current` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Flows` (r:1 w:1)
	/// Proof: `Anchor::Flows` (`max_values`: Some(1), `max_size`: Some(36), added: 531, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Ledger` (r:1 w:1)
	/// Proof: `Anchor::Ledger` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(319), added: 2794, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:2 w:2)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	fn release() -> Weight {
		// Shortest execution: 67_741_000 picoseconds.
		Weight::from_parts(73_488_000, 0)
			.saturating_add(T::DbWeight::get().reads(9))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	/// Storage: `Anchor::Anchor` (r:1 w:0)
	/// Proof: `Anchor::Anchor` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Session::CurrentIndex` (r:1 w:0)
	/// Proof: `Session::CurrentIndex` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: UNKNOWN KEY `0x88dcde934c658227ee1dfafcd6e1690300118d60d59b3bb668a022ccf9aabe3b` (r:1 w:0)
	/// Proof: UNKNOWN KEY `0x88dcde934c658227ee1dfafcd6e1690300118d60d59b3bb668a022ccf9aabe3b` (r:1 w:0)
	/// Storage: `Session::Validators` (r:1 w:0)
	/// Proof: `Session::Validators` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Offences::ConcurrentReportsIndex` (r:1 w:1)
	/// Proof: `Offences::ConcurrentReportsIndex` (`max_values`: None, `max_size`: None, mode: `Measured`)
	/// Storage: `Offences::Reports` (r:1 w:1)
	/// Proof: `Offences::Reports` (`max_values`: None, `max_size`: None, mode: `Measured`)
	/// Storage: `Validators::Records` (r:1 w:1)
	/// Proof: `Validators::Records` (`max_values`: None, `max_size`: Some(246), added: 2721, mode: `MaxEncodedLen`)
	/// Storage: `Validators::SessionStarts` (r:1 w:0)
	/// Proof: `Validators::SessionStarts` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
	/// Storage: `Validators::Standing` (r:1 w:0)
	/// Proof: `Validators::Standing` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Session::DisabledValidators` (r:1 w:1)
	/// Proof: `Session::DisabledValidators` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `Validators::Banned` (r:0 w:1)
	/// Proof: `Validators::Banned` (`max_values`: None, `max_size`: Some(52), added: 2527, mode: `MaxEncodedLen`)
	fn report_conflict() -> Weight {
		// Shortest execution: 1_751_095_000 picoseconds.
		Weight::from_parts(1_892_814_000, 0)
			.saturating_add(T::DbWeight::get().reads(11))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// Storage: `Anchor::Params` (r:1 w:0)
	/// Proof: `Anchor::Params` (`max_values`: Some(1), `max_size`: Some(88), added: 583, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::PausedUntil` (r:0 w:1)
	/// Proof: `Anchor::PausedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn pause() -> Weight {
		// Shortest execution: 7_572_000 picoseconds.
		Weight::from_parts(10_315_000, 0)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Anchor::NextNonce` (r:1 w:0)
	/// Proof: `Anchor::NextNonce` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Attested` (r:1 w:1)
	/// Proof: `Anchor::Attested` (`max_values`: Some(1), `max_size`: Some(1665), added: 2160, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Taken` (r:1 w:1)
	/// Proof: `Anchor::Taken` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Round` (r:1 w:1)
	/// Proof: `Anchor::Round` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Anchor` (r:0 w:1)
	/// Proof: `Anchor::Anchor` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Votes` (r:0 w:32)
	/// Proof: `Anchor::Votes` (`max_values`: None, `max_size`: Some(4526), added: 7001, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::OverdueSince` (r:0 w:1)
	/// Proof: `Anchor::OverdueSince` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn set_anchor() -> Weight {
		// Shortest execution: 53_389_000 picoseconds.
		Weight::from_parts(85_046_000, 0)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(37))
	}
	/// Storage: `Anchor::Anchor` (r:1 w:0)
	/// Proof: `Anchor::Anchor` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Taken` (r:1 w:1)
	/// Proof: `Anchor::Taken` (`max_values`: Some(1), `max_size`: Some(40), added: 535, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Round` (r:1 w:1)
	/// Proof: `Anchor::Round` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Votes` (r:0 w:32)
	/// Proof: `Anchor::Votes` (`max_values`: None, `max_size`: Some(4526), added: 7001, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::Attested` (r:0 w:1)
	/// Proof: `Anchor::Attested` (`max_values`: Some(1), `max_size`: Some(1665), added: 2160, mode: `MaxEncodedLen`)
	/// Storage: `Anchor::OverdueSince` (r:0 w:1)
	/// Proof: `Anchor::OverdueSince` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn set_inbox() -> Weight {
		// Shortest execution: 55_533_000 picoseconds.
		Weight::from_parts(87_760_000, 0)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(36))
	}
}
