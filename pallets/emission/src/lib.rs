//! # Emission
//!
//! FLT is never made: capacity is rewarded from a reserve that genesis has filled. This pallet keeps
//! the reserve's account, says by a schedule how much of it the pool of an epoch can have, and pays
//! what capacity owes. The README tells the schedule in numbers.
//!
//! The pallet has no calls, and nobody has a key of the account. Capacity is the only one that takes
//! from it, through [`Emission`](millrace_primitives::traits::Emission).
//!
//! ## Safety
//!
//! - All pools together are less than the reserve, whatever is voted: a vote can lower the limit of an
//!   epoch and never lift it above the schedule.
//! - What is paid was a part of some pool, so that nobody's reward can meet an empty account.
//! - There is never more FLT than at genesis.
//!
//! ## Bounds
//!
//! Four values and one account, whatever the number of epochs.

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
#[cfg(test)]
mod mock;
mod reserve_impls;
pub mod schedule;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{self, Inspect},
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::Balance;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// FLT.
		type Currency: fungible::Mutate<Self::AccountId, Balance = Balance>;

		/// Names the reserve's account.
		#[pallet::constant]
		type PotId: Get<PalletId>;

		/// Most that governance lets the pool of an epoch be.
		type Ceiling: Get<Balance>;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;
	}

	/// What the reserve had at genesis.
	#[pallet::storage]
	pub type Reserve<T: Config> = StorageValue<_, Balance, ValueQuery>;

	/// All FLT that there was at genesis. There is never more.
	#[pallet::storage]
	pub type Supply<T: Config> = StorageValue<_, Balance, ValueQuery>;

	/// All pools so far: what of the reserve was ever promised.
	#[pallet::storage]
	pub type Pools<T: Config> = StorageValue<_, Balance, ValueQuery>;

	/// What was paid of it.
	#[pallet::storage]
	pub type Paid<T: Config> = StorageValue<_, Balance, ValueQuery>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound, frame_support::DebugNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Binds the configuration to its runtime.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		/// The reserve is what the account has, so this pallet stands behind the balances.
		fn build(&self) {
			let reserve = T::Currency::balance(&Pallet::<T>::pot());
			Reserve::<T>::put(reserve);
			Supply::<T>::put(T::Currency::total_issuance());
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}
}
