//! Locked FLT: what goes into the pot, what comes out, and how much of either in an epoch.

use crate::{
	AnchorParams, Config, Deposit, Error, Event, Flow, Flows, HoldReason, Ledger, Locked, Pallet,
	Params, Parked,
};
use frame_support::{
	defensive, ensure,
	pallet_prelude::DispatchResult,
	storage::with_storage_layer,
	traits::{
		fungible::{Inspect, Mutate, MutateHold},
		tokens::{Fortitude, Precision, Preservation, Restriction},
		Get,
	},
};
use millrace_primitives::{traits::EpochClock, Balance};
use sp_runtime::traits::AccountIdConversion;

impl<T: Config> Pallet<T> {
	/// The account on which all locked FLT stands. Genesis endows it with the existential deposit, so
	/// that it can hold any amount, however small.
	pub fn pot() -> T::AccountId {
		T::PotId::get().into_account_truncating()
	}

	/// What the pallet cannot do without at genesis.
	pub(crate) fn check_genesis(params: &AnchorParams) {
		assert!(
			params.is_valid(),
			"the anchor's parameters contradict each other"
		);
		// A chain without any FLT locks none either.
		let endowed = T::Currency::balance(&Self::pot()) >= T::Currency::minimum_balance();
		assert!(
			endowed || T::Currency::total_issuance() == 0,
			"genesis must endow the anchor's pot with the existential deposit",
		);
	}

	/// What has gone each way in the present epoch.
	pub(crate) fn flow() -> Flow {
		let epoch = T::Clock::current().index;
		let flow = Flows::<T>::get();
		if flow.epoch == epoch {
			flow
		} else {
			Flow {
				epoch,
				..Default::default()
			}
		}
	}

	/// Burns what a message costs.
	pub(crate) fn burn_fee(who: &T::AccountId, fee: Balance) -> DispatchResult {
		if fee == 0 {
			return Ok(());
		}
		ensure!(Self::spendable(who) >= fee, Error::<T>::FundsTooLow);
		T::Currency::burn_from(
			who,
			fee,
			Preservation::Preserve,
			Precision::Exact,
			Fortitude::Polite,
		)
		.map(|_| ())
	}

	/// Moves FLT into the pot, to be minted on the anchor. It must leave its owner's account: what is
	/// held on it counts towards its locks, and so would free as much locked balance to be spent.
	pub(crate) fn lock(who: &T::AccountId, amount: Balance) -> DispatchResult {
		let mut flow = Self::flow();
		flow.withdrawn = flow
			.withdrawn
			.checked_add(amount)
			.filter(|sum| *sum <= Params::<T>::get().withdraw_per_epoch)
			.ok_or(Error::<T>::OutflowLimit)?;
		ensure!(Self::spendable(who) >= amount, Error::<T>::FundsTooLow);
		T::Currency::transfer_and_hold(
			&HoldReason::Locked.into(),
			who,
			&Self::pot(),
			amount,
			Precision::Exact,
			Preservation::Preserve,
			Fortitude::Polite,
		)?;
		Ledger::<T>::try_mutate(|locked| -> DispatchResult {
			locked.there = locked
				.there
				.checked_add(amount)
				.ok_or(Error::<T>::Arithmetic)?;
			Ok(())
		})?;
		Flows::<T>::put(flow);
		Ok(())
	}

	/// A message says that an amount was burnt on the anchor: it is here now. False if not so much can
	/// have been there.
	pub(crate) fn park(amount: Balance) -> bool {
		Ledger::<T>::mutate(|locked| {
			let moved = locked
				.there
				.checked_sub(amount)
				.zip(locked.parked.checked_add(amount));
			if let Some((there, parked)) = moved {
				*locked = Locked { there, parked };
			}
			moved.is_some()
		})
	}

	/// Unlocks FLT that has arrived, as far as this epoch's limit and the account admit it. What is
	/// left waits under the message's number.
	pub(crate) fn credit(nonce: u64, recipient: T::AccountId, amount: Balance) {
		let paid = amount.min(Self::releasable());
		let paid = match Self::unlock(&recipient, paid) {
			Ok(()) => paid,
			Err(_) => 0,
		};
		if paid > 0 {
			Self::deposit_event(Event::DepositReleased {
				nonce,
				recipient: recipient.clone(),
				amount: paid,
			});
		}
		let amount = amount.saturating_sub(paid);
		if amount > 0 {
			Self::deposit_event(Event::DepositParked {
				nonce,
				recipient: recipient.clone(),
				amount,
			});
			Parked::<T>::insert(nonce, Deposit { recipient, amount });
		}
	}

	pub(crate) fn do_release(nonce: u64) -> DispatchResult {
		ensure!(!Self::is_paused(), Error::<T>::Paused);
		let Deposit { recipient, amount } = Parked::<T>::get(nonce).ok_or(Error::<T>::NotParked)?;
		let paid = amount.min(Self::releasable());
		ensure!(paid > 0, Error::<T>::InflowLimit);
		Self::unlock(&recipient, paid).map_err(|_| Error::<T>::CannotReceive)?;
		let left = amount.saturating_sub(paid);
		if left == 0 {
			Parked::<T>::remove(nonce);
		} else {
			let amount = left;
			let recipient = recipient.clone();
			Parked::<T>::insert(nonce, Deposit { recipient, amount });
		}
		Self::deposit_event(Event::DepositReleased {
			nonce,
			recipient,
			amount: paid,
		});
		Ok(())
	}

	/// Burns FLT that has arrived: what a forced message costs.
	pub(crate) fn burn_parked(amount: Balance) {
		if amount == 0 {
			return;
		}
		let burnt = with_storage_layer(|| -> DispatchResult {
			Self::unpark(amount)?;
			T::Currency::burn_held(
				&HoldReason::Locked.into(),
				&Self::pot(),
				amount,
				Precision::Exact,
				Fortitude::Force,
			)
			.map(|_| ())
		});
		if let Err(error) = burnt {
			defensive!("the pot holds all that is locked", error);
		}
	}

	/// What can still be unlocked in this epoch; nothing while the pallet is paused.
	fn releasable() -> Balance {
		if Self::is_paused() {
			return 0;
		}
		Params::<T>::get()
			.release_per_epoch
			.saturating_sub(Self::flow().released)
	}

	/// Pays an amount out of the pot, all of it or nothing.
	fn unlock(recipient: &T::AccountId, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		with_storage_layer(|| {
			Self::unpark(amount)?;
			T::Currency::transfer_on_hold(
				&HoldReason::Locked.into(),
				&Self::pot(),
				recipient,
				amount,
				Precision::Exact,
				Restriction::Free,
				Fortitude::Force,
			)?;
			let mut flow = Self::flow();
			flow.released = flow.released.saturating_add(amount);
			Flows::<T>::put(flow);
			Ok(())
		})
	}

	fn unpark(amount: Balance) -> DispatchResult {
		Ledger::<T>::try_mutate(|locked| {
			locked.parked = locked
				.parked
				.checked_sub(amount)
				.ok_or(Error::<T>::Arithmetic)?;
			Ok(())
		})
	}

	/// Balance that is neither locked nor needed to keep the account.
	fn spendable(who: &T::AccountId) -> Balance {
		T::Currency::reducible_balance(who, Preservation::Preserve, Fortitude::Polite)
	}
}
