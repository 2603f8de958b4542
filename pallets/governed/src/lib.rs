//! # Governed parameters
//!
//! Every parameter of the protocol that a vote can change, set by one call and in force from the next
//! epoch on. The README tells the way of a value from a referendum to its effect.
//!
//! The pallet knows no parameter itself. The runtime's [`ParameterTable`] knows their bounds, how they
//! must fit each other and who has them in force; the voted values stand in pallet-parameters, whose own
//! call nobody may make, so that nothing goes round the bounds.
//!
//! ## Contract
//!
//! - A value that is out of its bounds, or does not fit the others, changes nothing and says so.
//! - What was set in an epoch is in force from the first block of the next one on, before anything else
//!   hears of that epoch. Records that stand keep what they froze.
//! - An epoch's start costs one read, and for each group that waits one application. There are at most
//!   [`MAX_GROUPS`] groups, and a group waits once however often it was set.

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
mod impls;
#[cfg(test)]
mod mock;
pub mod runtime_api;
mod table;
#[cfg(test)]
mod tests;
pub mod weights;

use frame_support::traits::dynamic_params::AggregatedKeyValue;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use table::{GroupIndex, OutOfBounds, ParameterTable, MAX_GROUPS};
pub use weights::WeightInfo;

/// A parameter with its value, or without.
pub type ParameterOf<T> = <T as pallet_parameters::Config>::RuntimeParameters;
/// Key of a parameter.
pub type KeyOf<T> = <ParameterOf<T> as AggregatedKeyValue>::Key;
/// A parameter's value.
pub type ValueOf<T> = <ParameterOf<T> as AggregatedKeyValue>::Value;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{pallet_prelude::*, traits::EnsureOriginWithArg};
	use frame_system::pallet_prelude::*;

	/// Parameters by vote.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What the pallet needs of the runtime.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>> + pallet_parameters::Config
	{
		/// Who may set a parameter.
		type SetOrigin: EnsureOriginWithArg<Self::RuntimeOrigin, KeyOf<Self>>;

		/// What the runtime knows of its parameters.
		type Table: ParameterTable<Key = KeyOf<Self>, Value = ValueOf<Self>>;

		/// Values in force of the parameters that no other pallet has.
		type OwnParams: Parameter + MaxEncodedLen + Default + MaybeSerializeDeserialize;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;

		/// Names parameters for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper<ParameterOf<Self>>;
	}

	/// Values in force of the parameters that no other pallet has. One value, written when they change.
	#[pallet::storage]
	pub type Params<T: Config> = StorageValue<_, T::OwnParams, ValueQuery>;

	/// Groups of which something was voted that is not in force yet: a bit for each. Written by `set`,
	/// gone when the next epoch starts.
	#[pallet::storage]
	pub type Waiting<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// What the chain begins with.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound, frame_support::DebugNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Values of the parameters that no other pallet has.
		pub params: T::OwnParams,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Params::<T>::put(&self.params);
			Pallet::<T>::read_in_force();
			Pallet::<T>::check_genesis();
		}
	}

	/// What the pallet reports.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A parameter was set. It is in force from the next epoch on.
		Set {
			/// Which one.
			key: KeyOf<T>,
			/// What was voted before; nothing if the runtime's own value was left as it is.
			old: Option<ValueOf<T>>,
			/// What is voted now.
			new: ValueOf<T>,
		},
		/// The voted values of a group came into force.
		Applied {
			/// The group.
			group: GroupIndex,
		},
		/// The voted values of a group make no sense any more, since the runtime has changed. Those in
		/// force stay, and are what counts as voted.
		Discarded {
			/// The group.
			group: GroupIndex,
		},
	}

	/// Why the call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The value is under the least that the parameter takes. `GovernanceApi_parameters` tells the
		/// bounds.
		BelowLeast,
		/// The value is over the most that the parameter takes. `GovernanceApi_parameters` tells the
		/// bounds.
		AboveMost,
		/// The value does not fit the other parameters as they were voted, such as a window that is
		/// longer than its epoch. Set the others first, or all together in an order in which each step
		/// makes sense.
		Contradicts,
		/// No value was named. A parameter always has one: name the one it shall have.
		NoValue,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			Self::check_integrity();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Sets a parameter, from the next epoch on.
		///
		/// ## Dispatch origin
		///
		/// Root, or a referendum of the parameter's track.
		///
		/// ## Errors
		///
		/// - [`Error::NoValue`]: no value was named.
		/// - [`Error::BelowLeast`], [`Error::AboveMost`]: the value is out of the parameter's bounds.
		/// - [`Error::Contradicts`]: it does not fit the other parameters.
		///
		/// ## Events
		///
		/// - [`Event::Set`].
		#[pallet::call_index(0)]
		#[pallet::weight((<T as Config>::WeightInfo::set(), DispatchClass::Operational))]
		pub fn set(origin: OriginFor<T>, parameter: ParameterOf<T>) -> DispatchResult {
			let (key, value) = parameter.into_parts();
			T::SetOrigin::ensure_origin(origin, &key)?;
			Self::do_set(key, value)
		}
	}
}
