//! The patrol: once an epoch, as soon as it is known who missed its report, every deal is visited and
//! each of its workers seen to. Whoever is lost is taken out, whoever has served its notice, or its deal to
//! the end of grace or term, is let go, and a deal without escrow enters grace, without anybody's call. After that, deals whose owners want
//! it are held against the book.
//!
//! It goes on where the last block stopped, within a deal as well. Older deals come first: who orders
//! many keeps none waiting that stood before. Whatever it does not come to within the epoch anybody
//! can do by a call.

use crate::{pallet::*, types::*, weights::WeightInfo};
use frame_support::{
	defensive,
	pallet_prelude::DispatchResult,
	storage::with_storage_layer,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	epoch::Phase,
	market::{DealStatus, WorkerStatus, MAX_WORKERS},
	peer::PeerId,
	probe::Moment,
	traits::{Capacity, EpochClock},
	DealId,
};
use sp_runtime::{DispatchError, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// Patrols and matches with so much weight, and tells how much it took. Probes whose deadline lies
	/// before `end` are decided with the patrol.
	///
	/// Patrol and matcher take turns, a block each, at going first, and whoever does may take all of
	/// it: so each has half of what there is over time, also where the largest step of one leaves no
	/// room for a step of the other. Where the matcher has been and a probe was decided after it, it
	/// goes once more with what is left: whoever lost its only worker should not wait for a block.
	pub(crate) fn work_within(limit: Weight, end: Moment) -> Weight {
		let patrol = |limit: Weight| {
			let mut meter = WeightMeter::with_limit(limit);
			let decided = Self::fail_overdue(end, &mut meter);
			Self::run_patrol(&mut meter);
			(meter.consumed(), decided > 0)
		};
		let block: u64 = frame_system::Pallet::<T>::block_number().saturated_into();
		if block.is_multiple_of(2) {
			let (patrolled, _) = patrol(limit);
			let matched = Self::match_within(limit.saturating_sub(patrolled));
			return patrolled.saturating_add(matched);
		}
		let matched = Self::match_within(limit);
		let (patrolled, decided) = patrol(limit.saturating_sub(matched));
		let spent = matched.saturating_add(patrolled);
		match decided {
			true => spent.saturating_add(Self::match_within(limit.saturating_sub(spent))),
			false => spent,
		}
	}

	/// Weight of the largest step of the patrol, with finding the deal that it is of.
	pub(crate) fn patrol_step_weight() -> Weight {
		let last = Self::grace_step_weight(MAX_WORKERS);
		let search = Self::search_step_weight(MAX_WORKERS);
		let step = Self::worker_step_weight().max(last).max(search);
		T::WeightInfo::patrol_visit().saturating_add(step)
	}

	/// Weight of seeing to one worker.
	fn worker_step_weight() -> Weight {
		T::WeightInfo::patrol_worker().saturating_add(T::Capacity::settle_weight())
	}

	/// Weight of seeing to a deal after its workers, of which one is assigned. Whether its escrow lasts
	/// is looked at again by what begins its grace.
	fn grace_step_weight(workers: u32) -> Weight {
		T::WeightInfo::patrol_deal(workers)
			.saturating_mul(2)
			.saturating_add(T::WeightInfo::release_worker())
			.saturating_add(T::WeightInfo::begin_grace(0))
	}

	/// Patrols on from where it stopped, until it is done for the epoch or the weight has run out.
	pub(crate) fn run_patrol(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::patrol_visit()).is_err() {
			return;
		}
		// Before that nobody has missed anything, and what is due is not known.
		if !matches!(T::Epochs::phase(), Phase::Answer | Phase::Rest) {
			return;
		}
		let now = T::Epochs::current().index;
		let stored = PatrolPlace::<T>::get();
		let mut place = stored;
		if stored.epoch != now {
			place = Patrol {
				epoch: now,
				..Patrol::default()
			};
		}
		while !place.done {
			let Some(id) = Self::deal_after(place.after) else {
				place.done = true;
				break;
			};
			if !Self::patrol_deal(id, &mut place, meter) {
				break;
			}
			place.after = Some(id);
			place.worker = None;
			if meter.try_consume(T::WeightInfo::patrol_visit()).is_err() {
				break;
			}
		}
		// What saves money comes after all that keeps deals served.
		if place.done {
			Self::compare_prices(&mut place, meter);
		}
		if place != stored {
			PatrolPlace::<T>::put(place);
		}
	}

	/// The next deal, in the order of creation.
	pub(crate) fn deal_after(last: Option<DealId>) -> Option<DealId> {
		let mut keys = match last {
			Some(last) => {
				Deals::<T>::iter_keys_from(Deals::<T>::hashed_key_for(DealKey::from(last)))
			}
			None => Deals::<T>::iter_keys(),
		};
		keys.next().map(|key| key.id())
	}

	/// The next worker of a deal, also behind one that has left.
	pub(crate) fn worker_after(id: DealId, last: Option<PeerId>) -> Option<PeerId> {
		let mut peers = match last {
			Some(last) => {
				Workers::<T>::iter_key_prefix_from(id, Workers::<T>::hashed_key_for(id, last))
			}
			None => Workers::<T>::iter_key_prefix(id),
		};
		peers.next()
	}

	/// Sees to the workers of a deal, then to the deal; false if the weight has run out before.
	fn patrol_deal(id: DealId, place: &mut Patrol, meter: &mut WeightMeter) -> bool {
		loop {
			if !meter.can_consume(Self::worker_step_weight()) {
				return false;
			}
			// The deal whose visit had begun may be gone, and this one be the next.
			let last = place.worker.filter(|(of, _)| *of == id);
			let Some(peer) = Self::worker_after(id, last.map(|(_, peer)| peer)) else {
				break;
			};
			meter.consume(T::WeightInfo::patrol_worker());
			meter.consume(Self::see_to_worker(id, peer));
			place.worker = Some((id, peer));
		}
		Self::see_to_escrow(id, meter)
	}

	/// Takes a worker out that is lost or has served to the end; the weight of settling it.
	pub(crate) fn see_to_worker(id: DealId, peer: PeerId) -> Weight {
		let (Some(deal), Some(worker)) = (Self::deal_of(id), Workers::<T>::get(id, peer)) else {
			return Weight::zero();
		};
		let may_leave = Self::may_leave(id, &deal, &worker);
		if !may_leave && !Self::is_lost(id, &deal, &worker) {
			return Weight::zero();
		}
		// Kept whatever comes of the rest.
		let settlement = Self::settle_weighed(peer);
		let stays = Workers::<T>::contains_key(id, peer) && T::Capacity::is_settled(peer);
		if !stays {
			// It left with its commitment; or it has more to settle, and is seen to again.
			return settlement;
		}
		let seen_to: DispatchResult = with_storage_layer(|| {
			if may_leave {
				Self::release_served(id, peer).map(|_| ())
			} else {
				Self::lose(id, peer, None)
			}
		});
		match seen_to {
			Ok(()) => {}
			// What it was still owed has used the escrow up.
			Err(error) if error == DispatchError::from(Error::<T>::NotLost) => {}
			Err(error) => {
				defensive!("a worker whose time is over can leave", error);
			}
		}
		settlement
	}

	/// Begins the grace of a deal that has no escrow for another epoch; false if the weight has run out
	/// before.
	///
	/// Those that are not live yet leave one by one before it, since beginning it lets all of them go
	/// at once, which might never fit.
	fn see_to_escrow(id: DealId, meter: &mut WeightMeter) -> bool {
		let Some(deal) = Self::deal_of(id).filter(|deal| deal.status == DealStatus::Active) else {
			return true;
		};
		if !meter.can_consume(Self::grace_step_weight(deal.workers)) {
			return false;
		}
		let look = T::WeightInfo::patrol_deal(deal.workers);
		meter.consume(look);
		let workers = Self::workers_of(id);
		let now = T::Epochs::current().index;
		let due = Self::is_used_up(id, &deal, &workers, now)
			&& Self::is_grace_settled(id, &deal, &workers);
		if !due {
			return true;
		}
		for worker in workers {
			if !matches!(worker.status, WorkerStatus::Assigned { .. }) {
				continue;
			}
			if meter.try_consume(T::WeightInfo::release_worker()).is_err() {
				return false;
			}
			let left: DispatchResult = with_storage_layer(|| Self::let_go(id, worker.peer));
			if let Err(error) = left {
				defensive!("a worker that is not live can leave", error);
			}
		}
		let rest = look.saturating_add(T::WeightInfo::begin_grace(0));
		if meter.try_consume(rest).is_err() {
			return false;
		}
		let begun: Result<Weight, DispatchError> = with_storage_layer(|| Self::do_begin_grace(id));
		if let Err(error) = begun {
			defensive!("grace was due", error);
		}
		true
	}

	/// Takes out a worker that is not live, for which a deal has no escrow.
	fn let_go(id: DealId, peer: PeerId) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		Self::remove_worker(id, &mut deal, &worker, ReleaseReason::Ended)?;
		Deals::<T>::insert(key, deal);
		Ok(())
	}
}
