//! Notice: a live worker serves the present epoch and the next one, and leaves without fault. While it
//! does, another one is looked for, so that no epoch lies between them.

use crate::{pallet::*, refusal, types::*, weights::WeightInfo};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchResult, InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction, Weight,
	},
};
use millrace_primitives::{
	market::{drain_hash, DealStatus, OfferTerms, Worker, WorkerStatus},
	peer::{PeerId, PeerSignature},
	traits::{Capacity, EpochClock, PeerRegistry},
	Balance, DealId,
};
use sp_runtime::{DispatchError, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// Gives a live worker of a deal that is not ending notice: the next epoch is its last one. The
	/// caller stores the deal.
	pub(crate) fn give_notice(
		id: DealId,
		deal: &mut Deal<T::AccountId>,
		worker: &Worker,
		notice: Notice,
	) -> DispatchResult {
		let WorkerStatus::Live { since } = worker.status else {
			return Err(Error::<T>::NotLive.into());
		};
		let (peer, now) = (worker.peer, T::Epochs::current().index);
		let last = now
			.checked_add(NOTICE_EPOCHS)
			.ok_or(Error::<T>::Arithmetic)?;
		deal.live = deal.live.checked_sub(1).ok_or(Error::<T>::Arithmetic)?;
		deal.draining = deal.draining.checked_add(1).ok_or(Error::<T>::Arithmetic)?;
		deal.rate.roll(now);
		deal.rate
			.end(worker.epoch_price())
			.ok_or(Error::<T>::Arithmetic)?;
		Self::with_load(peer, |load| load.at_work.end(worker.units))?;
		let status = WorkerStatus::Draining { since, last };
		Workers::<T>::insert(id, peer, Worker { status, ..*worker });
		Self::requeue(id, deal, None);
		Self::deposit_event(Event::WorkerDraining {
			deal: id,
			peer,
			last,
			notice,
		});
		Ok(())
	}

	/// Whether the time of a worker with notice, or of its deal, is over, so that it can go once its peer
	/// is settled. One of a deal that is ending stays until the deal is closed, as the others do, for what
	/// it may be owed then. One that failed a probe stays until its report of that epoch is audited, too.
	pub(crate) fn may_leave(id: DealId, deal: &Deal<T::AccountId>, worker: &Worker) -> bool {
		let last = match worker.status {
			WorkerStatus::Assigned { .. } => None,
			WorkerStatus::Live { .. } => deal.last_epoch(),
			WorkerStatus::Draining { last, .. } => Some(last),
		};
		let Some(last) = last else {
			return false;
		};
		let ending = matches!(deal.status, DealStatus::Ending { .. });
		let is_over = |closed| {
			closed >= last && Self::failed_in(id, worker.peer).is_none_or(|failed| closed >= failed)
		};
		!ending && T::Epochs::last_closed().is_some_and(is_over)
	}

	/// Lets a worker go whose time is over, after everything that it is owed is settled; the weight of that
	/// settlement.
	pub(crate) fn release_served(id: DealId, peer: PeerId) -> Result<Weight, DispatchError> {
		let key = DealKey::from(id);
		let deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		ensure!(Self::may_leave(id, &deal, &worker), Error::<T>::NotOverdue);
		let weight = if T::Capacity::is_settled(peer) {
			Weight::zero()
		} else {
			T::Capacity::settle(peer)
		};

		// The settlement pays from the deal and may end the peer's commitment, and with it the worker.
		let Some(worker) = Workers::<T>::get(id, peer) else {
			return Ok(weight);
		};
		ensure!(T::Capacity::is_settled(peer), Error::<T>::WorkersNotSettled);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let reason = match worker.status {
			WorkerStatus::Draining { .. } => ReleaseReason::Drained,
			_ => ReleaseReason::DealOver,
		};
		Self::remove_worker(id, &mut deal, &worker, reason)?;
		Deals::<T>::insert(key, deal);
		Ok(weight)
	}

	/// Changes an offer's terms; the weight that it took.
	pub(crate) fn do_update_offer(
		who: T::AccountId,
		peer: PeerId,
		terms: OfferTerms,
	) -> Result<Weight, DispatchError> {
		let mut offer = Offers::<T>::get(peer).ok_or(Error::<T>::NoOffer)?;
		ensure!(offer.provider == who, Error::<T>::NotProvider);
		ensure!(terms.class == offer.terms.class, Error::<T>::ClassChanged);
		Self::check_terms(&terms)?;
		let (id, before) = (offer.id, offer.terms);
		// What stands keeps its ask when a vote has changed the grid.
		if terms.ask != before.ask {
			Self::check_tick(terms.ask)?;
		}

		Book::<T>::remove(offer.key());
		if terms.region != before.region {
			Self::leave_region(before.class, before.region);
			Self::enter_region(terms.class, terms.region)?;
		}
		offer.terms = terms;
		Offers::<T>::insert(peer, offer);
		let mut looked_at = 0;
		if terms.ask > before.ask {
			let deals = PeerDeals::<T>::get(peer);
			looked_at = Self::count(&deals);
			for deal in deals {
				Self::give_notice_of_raise(deal, peer, terms.ask)?;
			}
		}
		// It stands at another place, or offers something else: whoever sleeps may want it.
		Self::refresh_book(peer);
		Self::deposit_event(Event::OfferUpdated {
			peer,
			offer: id,
			ask: terms.ask,
		});
		Ok(T::WeightInfo::update_offer(looked_at))
	}

	/// Gives a worker notice because its peer's ask is raised above its own, if it is live in a deal
	/// that goes on. One that is as dear already has no reason to leave.
	fn give_notice_of_raise(id: DealId, peer: PeerId, ask: Balance) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		let ending = matches!(deal.status, DealStatus::Ending { .. });
		let is_live = matches!(worker.status, WorkerStatus::Live { .. });
		if ending || !is_live || worker.ask >= ask {
			return Ok(());
		}
		Self::give_notice(id, &mut deal, &worker, Notice::Raise)?;
		Deals::<T>::insert(key, deal);
		Ok(())
	}

	/// Whether a notice may enter a block now. The signature is checked last, as it costs most.
	pub(crate) fn authorize_drain(
		_source: TransactionSource,
		peer: &PeerId,
		deal: &DealId,
		signature: &PeerSignature,
	) -> TransactionValidityWithRefund {
		let refuse =
			|code: u8| -> TransactionValidityError { InvalidTransaction::Custom(code).into() };
		let block = frame_system::Pallet::<T>::block_number().saturated_into();
		let key = T::Peers::key_at(*peer, block).ok_or(refuse(refusal::UNKNOWN_PEER))?;
		let goes_on = Self::deal_of(*deal)
			.is_some_and(|deal| !matches!(deal.status, DealStatus::Ending { .. }));
		let worker = Workers::<T>::get(deal, peer)
			.filter(|_| goes_on)
			.ok_or(refuse(refusal::NOT_ASSIGNED))?;
		let since = match worker.status {
			WorkerStatus::Live { since } => since,
			WorkerStatus::Assigned { .. } => return Err(refuse(refusal::NOT_LIVE)),
			WorkerStatus::Draining { .. } => return Err(refuse(refusal::ALREADY_DRAINING)),
		};
		let message = drain_hash(T::Epochs::genesis(), *peer, *deal, since);
		if !Self::is_signed_by(key, message, signature) {
			return Err(refuse(refusal::BAD_SIGNATURE));
		}
		// In another epoch the notice would be for another last one: whoever still wants that sends it
		// again.
		let now = T::Epochs::current();
		let blocks_left =
			u64::from(now.lengths.len).saturating_sub(u64::from(T::Epochs::position()));
		let validity = ValidTransaction {
			priority: u64::MAX,
			requires: Default::default(),
			provides: alloc::vec![("millrace-duty", peer, "drain", deal, since).encode()],
			longevity: blocks_left.max(1),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// A worker whose notice was authorised drains, and the deal does not take its peer again at once.
	pub(crate) fn do_drain(peer: PeerId, id: DealId) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		Self::give_notice(id, &mut deal, &worker, Notice::Peer)?;
		Deals::<T>::insert(key, deal);
		Self::exclude(id, peer);
		Ok(())
	}

	/// Ends one worker for the deal's owner: with notice if it is live, else at once. The owner wants
	/// another one, so that the deal does not take this peer again for a while.
	pub(crate) fn do_end_worker(who: T::AccountId, id: DealId, peer: PeerId) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let ending = matches!(deal.status, DealStatus::Ending { .. });
		ensure!(!ending, Error::<T>::DealEnding);
		ensure!(who == deal.owner, Error::<T>::NotOwner);
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		if let WorkerStatus::Assigned { .. } = worker.status {
			Self::remove_worker(id, &mut deal, &worker, ReleaseReason::Ended)?;
		} else {
			Self::give_notice(id, &mut deal, &worker, Notice::Owner)?;
		}
		Deals::<T>::insert(key, deal);
		Self::exclude(id, peer);
		Ok(())
	}
}
