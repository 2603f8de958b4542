//! # Epochs
//!
//! The clock that everything else in Millrace goes by, and the randomness that comes with it.
//!
//! ## Time
//!
//! An epoch is a number of *counted* blocks. A block in which a multi-block migration runs holds
//! inherents only, so nobody could send a report or an answer in it: it counts in no window, and
//! its VRF output is folded into nothing. [`EpochInfo`] freezes when its epoch starts; new lengths
//! count from the next start on.
//!
//! ## Randomness
//!
//! The seed of an epoch folds the VRF outputs of the last `B` counted blocks of the epoch before;
//! the draw over the reports of an epoch folds the `B` counted blocks after the window in which
//! they were taken. Both begin with the genesis hash and the epoch, so that two forks or two
//! epochs never share one. An author knows its own output early, so a single one is never used:
//! who holds the last `t` slots of a window chooses among `2^t` folds by leaving slots empty.
//!
//! ## Liveness
//!
//! The clock ticks in `on_initialize` of every block and needs no transaction. A block without an
//! output folds zero, so a window always closes.

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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod clock_impls;
#[cfg(test)]
mod mock;
pub mod runtime_api;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

use millrace_primitives::{
	epoch::{EpochInfo, EpochLengths},
	traits::OnEpoch,
	BlockNumber, EpochIndex, H256,
};

pub use pallet::*;
pub use types::Tick;
pub use weights::WeightInfo;

/// Epochs whose seeds, draws, first blocks and lengths are remembered: the challenge period with
/// room to spare.
pub const RING_SLOTS: u32 = 64;

/// Lengths that a chain has when its genesis names none: an hour of 3 s slots.
pub const DEFAULT_LENGTHS: EpochLengths = EpochLengths {
	len: 1_200,
	report_window: 120,
	fold_window: 16,
	answer_window: 900,
};

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use sp_runtime::SaturatedConversion;

	/// The epoch clock.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What the clock needs of the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>, Hash = H256> {
		/// VRF output of the block before the one that is executed.
		type VrfOutput: Get<Option<[u8; 32]>>;

		/// Timestamp in milliseconds since 1970: in `on_initialize` that of the block before, in
		/// `on_finalize` the block's own.
		type Time: Get<u64>;

		/// Time between slots in milliseconds.
		type SlotDuration: Get<u64>;

		/// Told when an epoch starts and when a draw is known.
		type Hooks: OnEpoch;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;
	}

	/// Epoch 0 of a chain whose genesis says nothing. The metadata show it, so it reads nothing.
	#[pallet::type_value]
	pub fn FirstEpoch<T: Config>() -> EpochInfo {
		Pallet::<T>::first_epoch(DEFAULT_LENGTHS, 0)
	}

	/// The epoch of this block. One value, written once an epoch.
	#[pallet::storage]
	pub type Current<T: Config> = StorageValue<_, EpochInfo, ValueQuery, FirstEpoch<T>>;

	/// The epoch before, whose reports are taken in this one. One value, written once an epoch.
	#[pallet::storage]
	pub type Previous<T: Config> = StorageValue<_, EpochInfo>;

	/// Where the clock stood when it last ticked; empty before the first counted block.
	#[pallet::storage]
	pub type LastTick<T: Config> = StorageValue<_, Tick>;

	/// Lengths that count from the next epoch on. Set by governance, gone at the next start.
	#[pallet::storage]
	pub type PendingLengths<T: Config> = StorageValue<_, EpochLengths>;

	/// Fold of this epoch's last window so far: the next epoch's seed when it is full.
	#[pallet::storage]
	pub type SeedFold<T: Config> = StorageValue<_, H256, ValueQuery>;

	/// Fold of the window after the reports so far: the draw over them when it is full.
	#[pallet::storage]
	pub type DrawFold<T: Config> = StorageValue<_, H256, ValueQuery>;

	/// Seeds by epoch modulo [`RING_SLOTS`], with the epoch they are of. A ring that is
	/// overwritten, so nobody has to pay for its room.
	#[pallet::storage]
	pub type Seeds<T: Config> = StorageMap<_, Identity, u32, (EpochIndex, H256)>;

	/// Draws by reported epoch modulo [`RING_SLOTS`], with the epoch they are of. A ring like
	/// [`Seeds`].
	#[pallet::storage]
	pub type Draws<T: Config> = StorageMap<_, Identity, u32, (EpochIndex, H256)>;

	/// First blocks by epoch modulo [`RING_SLOTS`], with the epoch they are of. A ring like
	/// [`Seeds`].
	#[pallet::storage]
	pub type Starts<T: Config> = StorageMap<_, Identity, u32, (EpochIndex, BlockNumber)>;

	/// Epochs as they were frozen, by epoch modulo [`RING_SLOTS`]: the clock of a guest whose call
	/// is judged long after it is reckoned from them. A ring like [`Seeds`].
	#[pallet::storage]
	pub type Infos<T: Config> = StorageMap<_, Identity, u32, EpochInfo>;

	/// The clock's lengths at genesis.
	#[derive(frame_support::DebugNoBound)]
	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// Lengths of the first epochs.
		pub lengths: EpochLengths,
		/// The runtime.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				lengths: DEFAULT_LENGTHS,
				_config: PhantomData,
			}
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(
				self.lengths.fits(),
				"R + B + A + 2 must fit into an epoch, none of them 0, and A at least 2"
			);
			Current::<T>::put(Pallet::<T>::first_epoch(
				self.lengths,
				T::SlotDuration::get(),
			));
		}
	}

	/// What the clock reports.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An epoch started.
		EpochStarted {
			/// Its index.
			index: EpochIndex,
			/// Its first block.
			start: BlockNumber,
			/// Its seed.
			seed: H256,
		},
		/// The draw over the reports of an epoch became known.
		DrawFolded {
			/// The reported epoch.
			epoch: EpochIndex,
			/// The draw.
			draw: H256,
		},
		/// New lengths were set for the epochs after the present one.
		LengthsScheduled {
			/// The lengths.
			lengths: EpochLengths,
		},
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			Self::tick(now.saturated_into())
		}

		fn on_finalize(_: BlockNumberFor<T>) {
			Self::date_first_epoch();
		}

		fn integrity_test() {
			assert!(
				DEFAULT_LENGTHS.fits(),
				"a chain without lengths in its genesis must start"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}
}
