//! # Receipts
//!
//! Keeps a ring of report hashes for each peer, and the receipts that audits opened, so that
//! anybody can check a receipt against the chain for as long as it can be challenged. Looks at
//! opened receipts and says whether what they claim can be true.
//!
//! ## Bounds
//!
//! Both storage maps are rings of [`RING`] slots for each peer, overwritten as epochs pass and cleared
//! when the peer is removed. Nothing else here iterates but over the two receipts of an answer.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
	missing_debug_implementations,
	reason = "storage types that the macros generate are never values"
)]
#![cfg_attr(
	not(test),
	warn(
		clippy::arithmetic_side_effects,
		clippy::indexing_slicing,
		clippy::unwrap_used
	)
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod ledger_impls;
#[cfg(test)]
mod mock;
mod opening_impls;
pub mod runtime_api;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Epochs that are remembered for each peer: more than the longest challenge period, 60 epochs.
pub const RING: u32 = 64;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		peer::PeerId,
		traits::{EpochClock, PeerRegistry, WorkInspector},
		views::ReportRecord,
		EpochIndex,
	};

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// Epochs and their seeds.
		type Clock: EpochClock;

		/// Keys of peers.
		type Peers: PeerRegistry<Self::AccountId>;

		/// Knows who works for which deal on which terms.
		type Work: WorkInspector;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;

		/// Sets the scene for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper;
	}

	/// Hash of each peer's report of an epoch, by epoch modulo [`RING`]. Paid for by the deposit of
	/// the peer, and gone with it. Names of peers are hashes already, so they are not hashed again.
	#[pallet::storage]
	pub type Ring<T: Config> =
		StorageDoubleMap<_, Identity, PeerId, Twox64Concat, u32, ReportRecord, OptionQuery>;

	/// Receipts that each peer opened in its audit of an epoch, by epoch modulo [`RING`]. Paid for by
	/// the deposit of the peer, and gone with it.
	#[pallet::storage]
	pub type Opened<T: Config> =
		StorageDoubleMap<_, Identity, PeerId, Twox64Concat, u32, Opening, OptionQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A peer opened receipts in an audit, and the chain keeps them.
		ReceiptsOpened {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// How many are kept.
			kept: u32,
		},
		/// A peer opened receipts in an audit that do not hold.
		OpeningRefused {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// What did not hold first.
			reason: OpeningError,
		},
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(
				RING.is_power_of_two(),
				"slots must not jump where the epoch overflows"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}
}
