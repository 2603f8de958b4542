//! Probes that were not answered. The epoch of such a probe and those after it are not paid, and the
//! deal looks for another worker at once. What was served before is paid as ever, so the worker's row
//! stays until that is settled, as that of one with notice does.
//!
//! Open probes stand in a queue by their deadlines, so that each is decided soon after its own,
//! without anybody's call: at the end of its last block, if there is weight left then, and the deal
//! finds another worker in that very block.

use crate::{pallet::*, types::*, weights::WeightInfo};
use frame_support::{
	defensive, ensure,
	pallet_prelude::DispatchResult,
	storage::with_storage_layer,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	market::{DealStatus, Worker, WorkerStatus},
	peer::PeerId,
	probe::Moment,
	traits::EpochClock,
	DealId, EpochIndex,
};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// Decides a probe whose deadline lies before `end`, or whose worker has left.
	pub(crate) fn do_fail_probe(id: DealId, peer: PeerId, end: Moment) -> DispatchResult {
		let probe = Probes::<T>::get(id, peer).ok_or(Error::<T>::NotProbed)?;
		let worker = Workers::<T>::get(id, peer).filter(|row| Self::is_probed(&probe, row));
		let is_over = probe.deadline < end;
		ensure!(is_over || worker.is_none(), Error::<T>::ProbePending);
		Self::take_probe(id, peer).ok_or(Error::<T>::NotProbed)?;
		Self::release(HoldReason::Probe, &probe.prober, probe.bond)?;
		match worker {
			Some(worker) => Self::fail(id, worker, probe),
			None => {
				Self::deposit_event(Event::ProbeDropped {
					deal: id,
					peer,
					prober: probe.prober,
				});
				Ok(())
			}
		}
	}

	/// Ends the pay of a worker with the epoch before a probe, and lets its deal look for another.
	fn fail(id: DealId, mut worker: Worker, probe: Probe<T::AccountId>) -> DispatchResult {
		let (key, peer) = (DealKey::from(id), worker.peer);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let goes_on = !matches!(deal.status, DealStatus::Ending { .. });
		let forfeits = goes_on && Self::note_failure(id, peer);
		if forfeits {
			Self::forfeit(id, &mut deal, &worker, None)?;
			worker.bond = 0;
		}
		let last = Self::end_pay(id, &mut deal, worker, probe.epoch)?;
		Deals::<T>::insert(key, deal);
		let now = T::Epochs::current().index;
		// Until now it may have answered calls, which it reports, and for which it answers as a worker.
		ProbeRecords::<T>::mutate(id, peer, |record| record.failed = Some(now));
		if goes_on {
			Self::exclude(id, peer);
		}
		Self::deposit_event(Event::ProbeFailed {
			deal: id,
			peer,
			prober: probe.prober,
			last,
			forfeits,
		});
		Self::note_lapse(peer, worker.offer)
	}

	/// Notes that a peer failed a deal's probe; whether it had before, and not long ago.
	fn note_failure(id: DealId, peer: PeerId) -> bool {
		let now = T::Epochs::current().index;
		let memory = Params::<T>::get()
			.exclusion_epochs
			.saturating_mul(FAILURE_MEMORY);
		Failures::<T>::mutate(id, |failed| {
			failed.retain(|(_, end)| *end > now);
			let known = failed.iter().any(|(other, _)| *other == peer);
			failed.retain(|(other, _)| *other != peer);
			if failed.is_full() {
				failed.remove(0);
			}
			let pushed = failed.try_push((peer, now.saturating_add(memory)));
			frame_support::defensive_assert!(pushed.is_ok(), "room was made before");
			known
		})
	}

	/// Takes a worker off what its deal pays from an epoch on, which was one of its own; its last paid
	/// epoch, which may be the one before its first. The caller stores the deal.
	fn end_pay(
		id: DealId,
		deal: &mut Deal<T::AccountId>,
		worker: Worker,
		from: EpochIndex,
	) -> Result<EpochIndex, DispatchError> {
		let (since, before) = match worker.status {
			WorkerStatus::Live { since } => (since, None),
			WorkerStatus::Draining { since, last } => (since, Some(last)),
			WorkerStatus::Assigned { .. } => return Err(Error::<T>::NotLive.into()),
		};
		let (peer, price, now) = (
			worker.peer,
			worker.epoch_price(),
			T::Epochs::current().index,
		);
		let last = from.checked_sub(1).ok_or(Error::<T>::Arithmetic)?;
		let status = WorkerStatus::Draining { since, last };
		Workers::<T>::insert(id, peer, Worker { status, ..worker });
		// A deal that is ending counts its workers no longer, and has given their units back.
		if matches!(deal.status, DealStatus::Ending { .. }) {
			return Ok(last);
		}
		deal.rate.roll(now);
		deal.rate
			.take(price, from, before)
			.ok_or(Error::<T>::Arithmetic)?;
		if before.is_none() {
			deal.live = deal.live.checked_sub(1).ok_or(Error::<T>::Arithmetic)?;
			deal.draining = deal.draining.checked_add(1).ok_or(Error::<T>::Arithmetic)?;
			Self::requeue(id, deal, None);
		}
		// In the present epoch they stay at work: what the peer owes for it stood at its start.
		let next = now.saturating_add(1);
		Self::with_load(peer, |load| load.at_work.take(worker.units, next, before))?;
		Ok(last)
	}

	/// The epoch in which a worker failed a probe.
	pub(crate) fn failed_in(id: DealId, peer: PeerId) -> Option<EpochIndex> {
		ProbeRecords::<T>::get(id, peer).failed
	}

	/// Whether a worker failed a probe in an epoch or after it, and may have answered calls in it.
	pub(crate) fn served_unpaid(id: DealId, worker: &Worker, epoch: EpochIndex) -> bool {
		worker.began_by(epoch) && Self::failed_in(id, worker.peer).is_some_and(|last| epoch <= last)
	}

	/// Decides probes whose deadline lies before `end`, oldest first, until none is left or the weight
	/// has run out; how many.
	pub(crate) fn fail_overdue(end: Moment, meter: &mut WeightMeter) -> u32 {
		let mut decided = 0u32;
		while meter.try_consume(T::WeightInfo::probe_visit()).is_ok() {
			let next = OpenProbes::<T>::iter_keys().next();
			let Some(key) = next.filter(|key| key.deadline() < end) else {
				break;
			};
			if meter.try_consume(T::WeightInfo::fail_probe()).is_err() {
				break;
			}
			let (id, peer) = key.worker();
			if !Self::decide(id, peer, end) {
				// It must not stand in the way of all others.
				OpenProbes::<T>::remove(key);
			}
			decided = decided.saturating_add(1);
		}
		decided
	}

	/// Decides a probe whose deadline lies before `end`; false where that fails, which it never should.
	fn decide(id: DealId, peer: PeerId, end: Moment) -> bool {
		let decided: DispatchResult = with_storage_layer(|| Self::do_fail_probe(id, peer, end));
		match decided {
			Ok(()) => true,
			Err(error) => {
				defensive!("a probe whose time is over can be decided", error);
				false
			}
		}
	}

	/// A peer is audited: of its deals that ask it in vain, the first is told so. The weight that it took.
	pub(crate) fn fail_one_of(peer: PeerId) -> Weight {
		let deals = PeerDeals::<T>::get(peer);
		let look = T::WeightInfo::on_drawn(Self::count(&deals));
		let now = Self::moment();
		let is_overdue =
			|id: &DealId| Probes::<T>::get(id, peer).is_some_and(|probe| probe.deadline < now);
		let Some(id) = deals.into_iter().find(is_overdue) else {
			return look;
		};
		Self::decide(id, peer, now);
		look.saturating_add(T::WeightInfo::fail_probe())
	}
}
