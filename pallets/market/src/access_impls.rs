//! Access: who may call a deal, and how often. The chain checks and keeps the rule; gateways and
//! workers apply it.

use crate::{pallet::*, types::DealKey};
use frame_support::{ensure, pallet_prelude::DispatchResult};
use millrace_primitives::{
	access::{Access, RateLimit},
	market::DealStatus,
	traits::DealClients,
	DealId,
};

impl<T: Config> Pallet<T> {
	/// Checks that somebody may call, and that calls can be counted.
	pub(crate) fn check_access(access: &Access, rate: Option<RateLimit>) -> DispatchResult {
		ensure!(access.is_valid(), Error::<T>::BadAccess);
		ensure!(
			rate.is_none_or(|rate| rate.is_valid()),
			Error::<T>::RateOutOfRange
		);
		Ok(())
	}

	/// Changes who may call a deal, and how often. A deal in grace is served, so it may change, too.
	pub(crate) fn do_set_access(
		who: T::AccountId,
		id: DealId,
		access: Access,
		rate: Option<RateLimit>,
	) -> DispatchResult {
		let deal = Deals::<T>::get(DealKey::from(id)).ok_or(Error::<T>::UnknownDeal)?;
		let is_ending = matches!(deal.status, DealStatus::Ending { .. });
		ensure!(!is_ending, Error::<T>::DealEnding);
		ensure!(who == deal.owner, Error::<T>::NotOwner);
		Self::check_access(&access, rate)?;
		let mut spec = Specs::<T>::get(id).ok_or(Error::<T>::UnknownDeal)?;
		(spec.access, spec.rate) = (access, rate);
		Specs::<T>::insert(id, spec);
		Self::deposit_event(Event::AccessSet { deal: id });
		Ok(())
	}
}

impl<T: Config> DealClients<T::AccountId> for Pallet<T> {
	fn private_client(deal: DealId) -> Option<T::AccountId> {
		let spec = Specs::<T>::get(deal)?;
		if spec.access.is_open() {
			return None;
		}
		Some(Self::deal_of(deal)?.owner)
	}
}
