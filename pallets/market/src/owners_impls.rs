//! Change of owner: the old one names the new one, who takes the deal over and brings the deposit.

use crate::{pallet::*, types::DealKey};
use frame_support::{ensure, pallet_prelude::DispatchResult};
use millrace_primitives::DealId;

impl<T: Config> Pallet<T> {
	/// Names who may take a deal over, or nobody.
	pub(crate) fn do_name_heir(
		who: T::AccountId,
		id: DealId,
		heir: Option<T::AccountId>,
	) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		ensure!(who == deal.owner, Error::<T>::NotOwner);
		deal.heir = heir.clone();
		Deals::<T>::insert(key, deal);
		Self::deposit_event(Event::HeirNamed { deal: id, heir });
		Ok(())
	}

	/// Makes a deal that of whom its owner has named.
	pub(crate) fn do_take_deal(who: T::AccountId, id: DealId) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		ensure!(deal.heir.as_ref() == Some(&who), Error::<T>::NotHeir);
		// Held first of the new owner: the deposit keeps its account in being for what comes back.
		Self::hold(HoldReason::DealDeposit, &who, deal.deposit)?;
		Self::release(HoldReason::DealDeposit, &deal.owner, deal.deposit)?;
		DealsOf::<T>::remove(&deal.owner, key);
		DealsOf::<T>::insert(&who, key, ());
		let from = core::mem::replace(&mut deal.owner, who.clone());
		deal.heir = None;
		Deals::<T>::insert(key, deal);
		Self::deposit_event(Event::OwnerChanged {
			deal: id,
			from,
			to: who,
		});
		Ok(())
	}
}
