//! Workers: assigned by the matcher, live by their own duty, gone in the end.

use crate::{pallet::*, refusal, types::*, weights::WeightInfo};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchResult, InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction, Weight,
	},
	storage::with_storage_layer,
};
use millrace_primitives::{
	market::{go_live_hash, DealStatus, Worker, WorkerStatus},
	peer::{PeerId, PeerKey, PeerSignature},
	traits::{Capacity, EpochClock, PeerRegistry},
	DealId, EpochIndex, H256,
};
use sp_core::ed25519;
use sp_runtime::{DispatchError, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// Makes a peer a worker of a deal at its offer's ask.
	pub(crate) fn assign(
		id: DealId,
		peer: PeerId,
		offer: &Offer<T::AccountId>,
		units: u32,
	) -> DispatchResult {
		let key = DealKey::from(id);
		let now = T::Epochs::current().index;
		let deadline = now.saturating_add(Params::<T>::get().assignment_epochs);
		let ask = offer.terms.ask;
		let worker = Worker {
			peer,
			offer: offer.id,
			ask,
			units,
			bond: 0,
			status: WorkerStatus::Assigned { deadline },
		};
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		deal.workers = deal.workers.checked_add(1).ok_or(Error::<T>::Arithmetic)?;
		deal.pledged = deal
			.pledged
			.checked_add(worker.epoch_price())
			.ok_or(Error::<T>::Arithmetic)?;
		Deals::<T>::insert(key, deal);
		Workers::<T>::insert(id, peer, worker);
		Seats::<T>::mutate(id, &offer.provider, |seats| {
			*seats = seats.saturating_add(1)
		});
		PeerDeals::<T>::try_mutate(peer, |deals| deals.try_push(id))
			.map_err(|_| Error::<T>::Arithmetic)?;
		Unfilled::<T>::mutate(key, |vacancy| {
			vacancy
				.get_or_insert_with(Vacancy::default)
				.assigned
				.try_push((peer, deadline))
		})
		.map_err(|_| Error::<T>::Arithmetic)?;
		Self::with_load(peer, |load| {
			load.taken = load.taken.checked_add(units)?;
			Some(())
		})?;
		Self::refresh_book(peer);
		Self::deposit_event(Event::WorkerMatched {
			deal: id,
			peer,
			ask,
		});
		Ok(())
	}

	/// Takes a worker out of a deal and releases what is left of its bond. The caller stores the deal.
	pub(crate) fn remove_worker(
		id: DealId,
		deal: &mut Deal<T::AccountId>,
		worker: &Worker,
		reason: ReleaseReason,
	) -> DispatchResult {
		let peer = worker.peer;
		let provider = T::Peers::provider_of(peer).ok_or(Error::<T>::UnknownPeer)?;
		Self::remember_work(id, deal, worker);
		Workers::<T>::remove(id, peer);
		Vouchers::<T>::remove(id, peer);
		// An open probe of it is dropped at its deadline, or sooner by a call.
		ProbeRecords::<T>::remove(id, peer);
		Seats::<T>::mutate_exists(id, &provider, |seats| {
			*seats = seats
				.and_then(|seats| seats.checked_sub(1))
				.filter(|seats| *seats > 0);
		});
		let works_on = PeerDeals::<T>::mutate_exists(peer, |deals| {
			*deals = deals.take().and_then(|mut deals| {
				deals.retain(|deal| *deal != id);
				(!deals.is_empty()).then_some(deals)
			});
			deals.is_some()
		});
		if !works_on {
			// Nobody is left who could pay for what it reported.
			Reported::<T>::remove(peer);
		}
		deal.workers = deal.workers.checked_sub(1).ok_or(Error::<T>::Arithmetic)?;
		// A deal that is ending has given its units back already.
		if !matches!(deal.status, DealStatus::Ending { .. }) {
			Self::take_price(deal, worker).ok_or(Error::<T>::Arithmetic)?;
			Self::requeue(id, deal, Some(peer));
			Self::give_back_units(worker);
		}
		Self::release(HoldReason::WorkerBond, &provider, worker.bond)?;
		Self::deposit_event(Event::WorkerReleased {
			deal: id,
			peer,
			reason,
		});
		Ok(())
	}

	/// Takes a worker that leaves a deal which goes on off what the deal is to pay.
	fn take_price(deal: &mut Deal<T::AccountId>, worker: &Worker) -> Option<()> {
		let price = worker.epoch_price();
		deal.rate.roll(T::Epochs::current().index);
		match worker.status {
			WorkerStatus::Live { since } => {
				deal.live = deal.live.checked_sub(1)?;
				deal.rate.take(price, since, None)
			}
			WorkerStatus::Draining { since, last } => {
				deal.draining = deal.draining.checked_sub(1)?;
				deal.rate.take(price, since, Some(last))
			}
			WorkerStatus::Assigned { .. } => {
				deal.pledged = deal.pledged.checked_sub(price)?;
				Some(())
			}
		}
	}

	/// Frees the units of a worker from the next epoch on. In the present one they stay at work: what
	/// the peer owes for an epoch is what stood at its start.
	pub(crate) fn give_back_units(worker: &Worker) {
		let next = T::Epochs::current().index.saturating_add(1);
		let units = worker.units;
		let freed = Self::with_load(worker.peer, |load| {
			load.taken = load.taken.checked_sub(units)?;
			match worker.status {
				WorkerStatus::Assigned { .. } => Some(()),
				WorkerStatus::Live { .. } => load.at_work.take(units, next, None),
				WorkerStatus::Draining { last, .. } => load.at_work.take(units, next, Some(last)),
			}
		});
		if freed.is_err() {
			frame_support::defensive!("units that are given back were taken before");
		}
		Self::refresh_book(worker.peer);
		Self::note_more_units();
	}

	/// Changes a peer's load as of the present epoch; forgets it once it is idle.
	pub(crate) fn with_load(
		peer: PeerId,
		change: impl FnOnce(&mut Load) -> Option<()>,
	) -> DispatchResult {
		Loads::<T>::try_mutate_exists(peer, |stored| -> DispatchResult {
			let mut load = stored.unwrap_or_default();
			load.at_work.roll(T::Epochs::current().index);
			change(&mut load).ok_or(Error::<T>::Arithmetic)?;
			*stored = (!load.is_idle()).then_some(load);
			Ok(())
		})
	}

	/// Puts a deal of which a worker has left or got notice into the queue, to be walked from the cheapest
	/// offer; or takes it out, if it lacks no live workers or looks for none. `left`: who has left it.
	pub(crate) fn requeue(id: DealId, deal: &mut Deal<T::AccountId>, left: Option<PeerId>) {
		let key = DealKey::from(id);
		// Either the cheaper one has left, or there is a free place for it.
		deal.moving = None;
		if !deal.is_queued() {
			Unfilled::<T>::remove(key);
			return;
		}
		Unfilled::<T>::mutate(key, |vacancy| {
			let vacancy = vacancy.get_or_insert_with(Vacancy::default);
			vacancy
				.assigned
				.retain(|(assigned, _)| Some(*assigned) != left);
			vacancy.after = None;
			vacancy.asleep = None;
		});
	}

	/// Keeps a peer from being matched to a deal for a while.
	pub(crate) fn exclude(id: DealId, peer: PeerId) {
		let now = T::Epochs::current().index;
		let until = now.saturating_add(Params::<T>::get().exclusion_epochs);
		Exclusions::<T>::mutate(id, |excluded| {
			excluded.retain(|(other, end)| *end > now && *other != peer);
			if excluded.is_full() {
				excluded.remove(0);
			}
			let pushed = excluded.try_push((peer, until));
			frame_support::defensive_assert!(pushed.is_ok(), "room was made before");
		});
	}

	/// Ends an assignment that came to nothing.
	pub(crate) fn give_up(id: DealId, peer: PeerId, reason: ReleaseReason) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		Self::remove_worker(id, &mut deal, &worker, reason)?;
		Deals::<T>::insert(key, deal);
		Self::exclude(id, peer);
		Self::note_lapse(peer, worker.offer)
	}

	/// Weight of `release_worker` at its bound.
	pub(crate) fn release_weight() -> Weight {
		T::WeightInfo::release_worker().saturating_add(T::Capacity::settle_weight())
	}

	/// Takes out a worker whose time is over; the weight that it took.
	pub(crate) fn do_release_worker(id: DealId, peer: PeerId) -> Result<Weight, DispatchError> {
		let deal = Self::deal_of(id).ok_or(Error::<T>::UnknownDeal)?;
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		let settlement = match worker.status {
			WorkerStatus::Assigned { deadline } => {
				let now = T::Epochs::current().index;
				ensure!(now > deadline, Error::<T>::NotOverdue);
				Self::give_up(id, peer, ReleaseReason::NotLive)?;
				Weight::zero()
			}
			WorkerStatus::Live { .. } if deal.last_epoch().is_none() => {
				return Err(Error::<T>::NotAssigned.into());
			}
			WorkerStatus::Live { .. } | WorkerStatus::Draining { .. } => {
				Self::release_served(id, peer)?
			}
		};
		Ok(T::WeightInfo::release_worker().saturating_add(settlement))
	}

	/// Whether a peer's key signed a message.
	pub(crate) fn is_signed_by(key: PeerKey, message: H256, signature: &PeerSignature) -> bool {
		sp_io::crypto::ed25519_verify(
			&ed25519::Signature::from_raw(*signature),
			message.as_bytes(),
			&ed25519::Public::from_raw(key),
		)
	}

	/// Whether a go-live may enter a block now. The signature is checked last, as it costs most.
	pub(crate) fn authorize_go_live(
		_source: TransactionSource,
		peer: &PeerId,
		deal: &DealId,
		signature: &PeerSignature,
	) -> TransactionValidityWithRefund {
		let refuse =
			|code: u8| -> TransactionValidityError { InvalidTransaction::Custom(code).into() };
		let block = frame_system::Pallet::<T>::block_number().saturated_into();
		let key = T::Peers::key_at(*peer, block).ok_or(refuse(refusal::UNKNOWN_PEER))?;
		let active = Self::deal_of(*deal).is_some_and(|deal| deal.status == DealStatus::Active);
		let worker = Workers::<T>::get(deal, peer)
			.filter(|_| active)
			.ok_or(refuse(refusal::NOT_ASSIGNED))?;
		let WorkerStatus::Assigned { deadline } = worker.status else {
			return Err(refuse(refusal::ALREADY_LIVE));
		};
		let now = T::Epochs::current();
		if now.index > deadline {
			return Err(refuse(refusal::DEADLINE_PASSED));
		}
		// Otherwise whoever has nothing at stake could fill blocks for nothing.
		let bond = Specs::<T>::get(deal).map_or(0, |spec| spec.worker_bond);
		let provider = T::Peers::provider_of(*peer).ok_or(refuse(refusal::UNKNOWN_PEER))?;
		if Self::spendable(&provider) < bond {
			return Err(refuse(refusal::BOND_UNAVAILABLE));
		}
		let message = go_live_hash(T::Epochs::genesis(), *peer, *deal, deadline);
		if !Self::is_signed_by(key, message, signature) {
			return Err(refuse(refusal::BAD_SIGNATURE));
		}
		let epochs_left = u64::from(deadline.saturating_sub(now.index).saturating_add(1));
		let blocks_left = epochs_left
			.saturating_mul(u64::from(now.lengths.len))
			.saturating_sub(u64::from(T::Epochs::position()));
		let validity = ValidTransaction {
			priority: u64::MAX,
			requires: Default::default(),
			provides: alloc::vec![("millrace-duty", peer, "go-live", deal, deadline).encode()],
			longevity: blocks_left.max(1),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// An authorised worker goes live, if its provider can bring the bond.
	pub(crate) fn do_go_live(peer: PeerId, id: DealId) -> DispatchResult {
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		ensure!(
			matches!(worker.status, WorkerStatus::Assigned { .. }),
			Error::<T>::NotAssigned
		);
		let bond = Specs::<T>::get(id)
			.ok_or(Error::<T>::UnknownDeal)?
			.worker_bond;
		let provider = T::Peers::provider_of(peer).ok_or(Error::<T>::UnknownPeer)?;
		let held: DispatchResult =
			with_storage_layer(|| Self::hold(HoldReason::WorkerBond, &provider, bond));
		if held.is_err() {
			return Self::give_up(id, peer, ReleaseReason::BondUnavailable);
		}
		let since = Self::make_live(id, Worker { bond, ..worker })?;
		Self::note_live(peer, worker.offer);
		Self::deposit_event(Event::WorkerLive {
			deal: id,
			peer,
			since,
		});
		Self::finish_move(id)
	}

	/// Turns an assigned worker into a live one; the first epoch that it is paid for.
	fn make_live(id: DealId, mut worker: Worker) -> Result<EpochIndex, DispatchError> {
		let (key, peer) = (DealKey::from(id), worker.peer);
		let since = T::Epochs::current()
			.index
			.checked_add(1)
			.ok_or(Error::<T>::Arithmetic)?;
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		worker.status = WorkerStatus::Live { since };
		let price = worker.epoch_price();
		deal.pledged = deal
			.pledged
			.checked_sub(price)
			.ok_or(Error::<T>::Arithmetic)?;
		deal.rate.roll(T::Epochs::current().index);
		deal.rate.begin(price).ok_or(Error::<T>::Arithmetic)?;
		deal.live = deal.live.checked_add(1).ok_or(Error::<T>::Arithmetic)?;
		let filled = deal.live >= deal.target;
		Self::with_load(peer, |load| load.at_work.begin(worker.units))?;
		Workers::<T>::insert(id, peer, worker);
		Deals::<T>::insert(key, deal);
		Unfilled::<T>::mutate_exists(key, |vacancy| {
			*vacancy = vacancy.take().filter(|_| !filled).map(|mut vacancy| {
				vacancy.assigned.retain(|(assigned, _)| *assigned != peer);
				vacancy
			});
		});
		Ok(since)
	}
}
