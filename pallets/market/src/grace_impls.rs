//! Grace: what becomes of a deal whose escrow cannot pay the next epoch.
//!
//! Its workers stay for some more epochs at most, at a part of their price out of the closing deposit:
//! how many and which the deal froze when it was made, so that the deposit covers them all. Until then
//! anybody can restore the deposit and bring escrow; else the deal is stopped.

use crate::{pallet::*, types::*, weights::WeightInfo};
use frame_support::{ensure, pallet_prelude::DispatchResult, weights::Weight};
use millrace_primitives::{
	market::{DealStatus, Worker, WorkerStatus},
	traits::EpochClock,
	Balance, DealId, EpochIndex,
};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// What an epoch of a worker in grace costs, rounded down.
	pub(crate) fn price_in_grace(deal: &Deal<T::AccountId>, worker: &Worker) -> Balance {
		deal.terms.in_grace(worker.epoch_price())
	}

	/// Begins the grace of an active deal whose escrow is used up; the weight that it took.
	pub(crate) fn do_begin_grace(id: DealId) -> Result<Weight, DispatchError> {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		match deal.status {
			DealStatus::Active => {}
			DealStatus::Grace => return Err(Error::<T>::DealInGrace.into()),
			DealStatus::Ending { .. } => return Err(Error::<T>::DealEnding.into()),
		}
		let weight = T::WeightInfo::begin_grace(deal.workers);
		let now = T::Epochs::current().index;
		let workers = Self::workers_of(id);
		ensure!(
			Self::is_used_up(id, &deal, &workers, now),
			Error::<T>::EscrowLasts
		);
		ensure!(
			Self::is_grace_settled(id, &deal, &workers),
			Error::<T>::GraceNotSettled
		);
		let from = now.checked_add(1).ok_or(Error::<T>::Arithmetic)?;
		let until = now
			.checked_add(deal.terms.grace_epochs)
			.ok_or(Error::<T>::Arithmetic)?;
		let until = deal.term_end.map_or(until, |end| until.min(end));
		for worker in &workers {
			if let WorkerStatus::Assigned { .. } = worker.status {
				Self::remove_worker(id, &mut deal, worker, ReleaseReason::Ended)?;
			}
		}
		deal.status = DealStatus::Grace;
		deal.grace = Some(GraceSpan { from, until });
		Deals::<T>::insert(key, deal);
		Unfilled::<T>::remove(key);
		Self::deposit_event(Event::GraceBegun {
			deal: id,
			from,
			until,
		});
		Ok(weight)
	}

	/// Whether the escrow of an active deal cannot pay its workers for the next epoch, besides all that
	/// may still be owed. A deal without any for it needs no escrow, and so no grace.
	pub(crate) fn is_used_up(
		id: DealId,
		deal: &Deal<T::AccountId>,
		workers: &[Worker],
		now: EpochIndex,
	) -> bool {
		let mut rate = deal.rate;
		rate.roll(now);
		!deal.is_term_over(now) && rate.next > 0 && Self::paid_until(id, deal, workers) <= now
	}

	/// Whether nothing can be owed any more for the last grace, so that it can be forgotten.
	pub(crate) fn is_grace_settled(
		id: DealId,
		deal: &Deal<T::AccountId>,
		workers: &[Worker],
	) -> bool {
		let Some(span) = deal.grace else {
			return true;
		};
		let first_open = Self::first_open();
		let owes = |worker: &Worker| {
			Self::unsettled_epoch(id, worker, first_open).is_some_and(|epoch| span.contains(epoch))
		};
		span.until < first_open && !workers.iter().any(owes)
	}

	/// The most that the closing deposit still owes for epochs in grace: for closed ones that are
	/// reported and not settled, and for open ones, as if all workers reported them.
	pub(crate) fn grace_dues(id: DealId, deal: &Deal<T::AccountId>, workers: &[Worker]) -> Balance {
		let Some(span) = deal.grace else {
			return 0;
		};
		let (first_open, now) = (Self::first_open(), T::Epochs::current().index);
		let is_due = |worker: &Worker, epoch: EpochIndex| {
			worker.is_due(epoch) && deal.is_in_grace(epoch) && deal.pays(epoch)
		};
		let mut sum: Balance = 0;
		for worker in workers {
			let unsettled = Self::unsettled_epoch(id, worker, first_open);
			let open = first_open.max(span.from)..=now.min(span.until);
			for epoch in unsettled.into_iter().chain(open) {
				if is_due(worker, epoch) {
					sum = sum.saturating_add(Self::price_in_grace(deal, worker));
				}
			}
		}
		sum
	}

	/// Makes a deal in grace active again with an amount that has come into the pot: it restores the
	/// closing deposit first, and the escrow must then pay the next epoch. The caller stores the deal.
	pub(crate) fn end_grace(
		id: DealId,
		deal: &mut Deal<T::AccountId>,
		amount: Balance,
	) -> DispatchResult {
		let now = T::Epochs::current().index;
		let span = deal.grace.ok_or(Error::<T>::Arithmetic)?;
		// Later on nobody has to serve any more, and whoever was left has been told so.
		ensure!(
			now <= span.until && !deal.is_term_over(now),
			Error::<T>::DealEnding
		);
		let workers = Self::workers_of(id);
		let spec = Specs::<T>::get(id).ok_or(Error::<T>::UnknownDeal)?;
		deal.status = DealStatus::Active;
		// What has begun stays at that price, also where it is not settled yet.
		deal.grace = (span.from <= now).then_some(GraceSpan { until: now, ..span });
		let missing = Self::missing_deposit(id, deal, &workers, spec.epoch_price_ceiling())?;
		let rest = amount
			.checked_sub(missing)
			.ok_or(Error::<T>::GraceTooLittle)?;
		deal.closing_deposit = deal
			.closing_deposit
			.checked_add(missing)
			.ok_or(Error::<T>::Arithmetic)?;
		deal.escrow = deal
			.escrow
			.checked_add(rest)
			.ok_or(Error::<T>::Arithmetic)?;
		ensure!(
			Self::paid_until(id, deal, &workers) > now,
			Error::<T>::GraceTooLittle
		);
		Ok(())
	}

	/// What the closing deposit lacks of one epoch at the ceiling, besides what it still owes for epochs
	/// in grace.
	pub(crate) fn missing_deposit(
		id: DealId,
		deal: &Deal<T::AccountId>,
		workers: &[Worker],
		ceiling: Option<Balance>,
	) -> Result<Balance, DispatchError> {
		let wanted = ceiling
			.and_then(|price| price.checked_add(Self::grace_dues(id, deal, workers)))
			.ok_or(Error::<T>::PriceOverflow)?;
		Ok(wanted.saturating_sub(deal.closing_deposit))
	}
}
