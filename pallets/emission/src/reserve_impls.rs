//! What the reserve gives to capacity: pools that are promised, and rewards that are paid.

use crate::{schedule, Config, Paid, Pallet, Pools, Reserve, WeightInfo};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Weight},
	traits::{
		fungible::{Inspect, Mutate},
		tokens::Preservation,
		Get,
	},
};
use millrace_primitives::{traits::Emission, Balance, EpochIndex};
use sp_runtime::{traits::AccountIdConversion, DispatchError, TokenError};

impl<T: Config> Pallet<T> {
	/// Account of the reserve.
	pub fn pot() -> T::AccountId {
		T::PotId::get().into_account_truncating()
	}

	/// Most that the schedule gives to an epoch.
	pub fn scheduled(epoch: EpochIndex) -> Balance {
		schedule::of_epoch(Reserve::<T>::get(), epoch)
	}

	/// What the reserve has left. FLT that others have sent to its account is none of it.
	pub fn left() -> Balance {
		Reserve::<T>::get().saturating_sub(Paid::<T>::get())
	}

	/// What of the reserve no pool had yet, less what keeps its account.
	pub fn unpromised() -> Balance {
		Reserve::<T>::get()
			.saturating_sub(Pools::<T>::get())
			.saturating_sub(T::Currency::minimum_balance())
	}
}

impl<T: Config> Emission<T::AccountId> for Pallet<T> {
	type Error = DispatchError;

	fn limit(epoch: EpochIndex) -> Balance {
		Self::scheduled(epoch)
			.min(T::Ceiling::get())
			.min(Self::unpromised())
	}

	fn promise(pool: Balance) {
		Pools::<T>::mutate(|pools| *pools = pools.saturating_add(pool));
	}

	fn pay(who: &T::AccountId, amount: Balance) -> DispatchResult {
		// Out of reach: rewards are parts of pools.
		ensure!(amount <= Self::promised(), TokenError::FundsUnavailable);
		T::Currency::transfer(&Self::pot(), who, amount, Preservation::Preserve)?;
		Paid::<T>::mutate(|paid| *paid = paid.saturating_add(amount));
		Ok(())
	}

	fn promised() -> Balance {
		Pools::<T>::get().saturating_sub(Paid::<T>::get())
	}

	fn weight() -> Weight {
		T::WeightInfo::promise()
	}

	fn pay_weight() -> Weight {
		T::WeightInfo::pay()
	}
}
