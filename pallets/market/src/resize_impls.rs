//! Resizing: a deal looks for more workers, or for fewer.

use crate::{pallet::*, types::*, weights::WeightInfo};
use alloc::vec::Vec;
use core::cmp::Reverse;
use frame_support::{ensure, weights::Weight};
use millrace_primitives::{
	market::{DealStatus, Worker, WorkerStatus},
	DealId,
};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// Changes how many workers a deal looks for; the weight that it took.
	pub(crate) fn do_resize(
		who: T::AccountId,
		id: DealId,
		min_workers: u32,
		target_workers: u32,
	) -> Result<Weight, DispatchError> {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		match deal.status {
			DealStatus::Active => {}
			DealStatus::Grace => return Err(Error::<T>::DealInGrace.into()),
			DealStatus::Ending { .. } => return Err(Error::<T>::DealEnding.into()),
		}
		ensure!(who == deal.owner, Error::<T>::NotOwner);
		Self::check_workers_wanted(min_workers, target_workers)?;
		let weight = T::WeightInfo::resize(deal.workers);
		// Whoever was to take over a place might be one too many; the matcher may find it again.
		Self::call_off_move(id, &mut deal)?;
		let mut spec = Specs::<T>::get(id).ok_or(Error::<T>::UnknownDeal)?;
		(spec.min_workers, spec.target_workers) = (min_workers, target_workers);

		// The deposit only ever grows: whoever leaves now may still be owed an early end.
		let workers = Self::workers_of(id);
		let added = Self::missing_deposit(id, &deal, &workers, spec.epoch_price_ceiling())?;
		if added > 0 {
			Self::take_escrow(&who, added)?;
		}
		deal.closing_deposit = deal
			.closing_deposit
			.checked_add(added)
			.ok_or(Error::<T>::Arithmetic)?;
		Specs::<T>::insert(id, spec);

		let staying = deal.workers.saturating_sub(deal.draining);
		for worker in Self::dearest(workers, staying.saturating_sub(target_workers)) {
			if let WorkerStatus::Assigned { .. } = worker.status {
				Self::remove_worker(id, &mut deal, &worker, ReleaseReason::Ended)?;
			} else {
				Self::give_notice(id, &mut deal, &worker, Notice::Owner)?;
			}
		}
		// Only now: until then the queue still lists the assigned workers that stay.
		deal.target = target_workers;
		Self::wake(id, &deal);
		Deals::<T>::insert(key, deal);
		Self::deposit_event(Event::DealResized {
			deal: id,
			min_workers,
			target_workers,
			added,
		});
		Ok(weight)
	}

	/// So many of those workers that have no notice yet, the dearest first and among equals the youngest
	/// first: the reverse of the order in which the matcher takes.
	fn dearest(mut workers: Vec<Worker>, count: u32) -> impl Iterator<Item = Worker> {
		workers.retain(|worker| !matches!(worker.status, WorkerStatus::Draining { .. }));
		workers.sort_by_key(|worker| Reverse((worker.ask, worker.offer)));
		workers.into_iter().take(count as usize)
	}
}
