//! Rematch: a filled deal whose owner wants that moves to cheaper workers, one at a time.
//!
//! Once an epoch, after its patrol, such a deal is held against the book, by the walk and the test that
//! the matcher uses. Whoever is found is assigned beyond the target. Once it is live the dearest worker
//! gets notice, so that no epoch lies between the two.

use crate::{matching_impls::Walk, pallet::*, types::*, weights::WeightInfo};
use core::cmp::Reverse;
use frame_support::{
	defensive,
	pallet_prelude::DispatchResult,
	storage::with_storage_layer,
	traits::Get,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	market::{DealSpec, DealStatus, Worker, WorkerStatus, MAX_WORKERS},
	peer::PeerId,
	traits::{Capacity, EpochClock},
	Balance, DealId,
};
use sp_runtime::{PerThing, Perbill};

impl<T: Config> Pallet<T> {
	/// Weight of the largest step of a search for a cheaper worker: finding the dearest one, and looking
	/// at one offer.
	pub(crate) fn search_step_weight(workers: u32) -> Weight {
		T::DbWeight::get()
			.reads(2)
			.saturating_add(T::WeightInfo::patrol_deal(workers))
			.saturating_add(T::WeightInfo::walk(MAX_KNOWN_REGIONS))
			.saturating_add(T::WeightInfo::look())
			.saturating_add(T::Capacity::settle_weight())
	}

	/// Holds deals against the book, on from where that stopped, until all were or the weight has run out.
	pub(crate) fn compare_prices(place: &mut Patrol, meter: &mut WeightMeter) {
		while !place.all_priced {
			if meter.try_consume(T::WeightInfo::patrol_visit()).is_err() {
				return;
			}
			let Some(id) = Self::deal_after(place.priced) else {
				place.all_priced = true;
				return;
			};
			if !Self::see_to_price(id, &mut place.search, meter) {
				return;
			}
			(place.priced, place.search) = (Some(id), None);
		}
	}

	/// Looks for a cheaper worker for a deal that wants one and lacks nobody; false if the weight has
	/// run out before. It looks at a bounded number of offers, the cheapest first.
	pub(crate) fn see_to_price(
		id: DealId,
		place: &mut Option<BookSearch>,
		meter: &mut WeightMeter,
	) -> bool {
		// The deal, and what was ordered.
		if meter.try_consume(T::DbWeight::get().reads(2)).is_err() {
			return false;
		}
		let Some(deal) = Self::deal_of(id).filter(|deal| Self::is_settled_down(deal)) else {
			return true;
		};
		let Some(spec) = Specs::<T>::get(id) else {
			return true;
		};
		let Some(part) = spec.rematch else {
			return true;
		};
		// All of it, so that whatever is begun comes to its first offer at least.
		if !meter.can_consume(Self::search_step_weight(deal.workers)) {
			return false;
		}
		meter.consume(T::WeightInfo::patrol_deal(deal.workers));
		let Some(dearest) = Self::dearest_live(id) else {
			return true;
		};
		let regions = Self::regions_of(&spec);
		let count = u32::try_from(regions.len()).unwrap_or(MAX_KNOWN_REGIONS);
		meter.consume(T::WeightInfo::walk(count));

		let most = Self::cheap_enough(part, dearest.ask);
		let begun = place.filter(|search| search.deal == id);
		let mut looks = begun.map_or(0, |search| search.looks);
		let walk = Walk::new::<T>(spec.class, &regions, begun.map(|search| search.after));
		let order = Self::order_of(id, &spec);
		for (at, peer) in walk {
			if at.0 > most || looks >= MAX_LOOKS_PER_VISIT {
				break;
			}
			let Some(left) = Self::begin_look(id, peer, meter) else {
				return false;
			};
			looks = looks.saturating_add(1);
			*place = Some(BookSearch {
				deal: id,
				after: at,
				looks,
			});
			// One that left by its settlement left the deal a place that is free.
			if left {
				break;
			}
			let Ok((offer, _)) = Self::consider(&order, peer) else {
				continue;
			};
			// Whatever comes behind this one costs no less.
			if Self::affords_move(id, &spec, offer.terms.ask) {
				let moves: DispatchResult = with_storage_layer(|| {
					Self::begin_move(id, dearest.peer, peer, &offer, order.spec.units_per_worker)
				});
				if let Err(error) = moves {
					defensive!("an eligible offer can always be taken", error);
				}
			}
			break;
		}
		true
	}

	/// Whether a deal has all that it wants, nobody comes or leaves, and one more would fit.
	fn is_settled_down(deal: &Deal<T::AccountId>) -> bool {
		deal.status == DealStatus::Active
			&& deal.live >= deal.target
			&& deal.workers == deal.live
			&& deal.workers < MAX_WORKERS
	}

	/// The dearest live worker of a deal, among equals the youngest: as the matcher would not have taken
	/// it before the others.
	fn dearest_live(id: DealId) -> Option<Worker> {
		Self::workers_of(id)
			.into_iter()
			.filter(|worker| matches!(worker.status, WorkerStatus::Live { .. }))
			.min_by_key(|worker| Reverse((worker.ask, worker.offer)))
	}

	/// The highest ask that is cheaper than another one by a part of it, and cheaper at all.
	pub(crate) fn cheap_enough(part: Perbill, ask: Balance) -> Balance {
		part.left_from_one()
			.mul_floor(ask)
			.min(ask.saturating_sub(1))
	}

	/// Whether the escrow of a deal pays for the time in which two serve in one place.
	fn affords_move(id: DealId, spec: &DealSpec<T::AccountId>, ask: Balance) -> bool {
		let price = ask.saturating_mul(Balance::from(spec.units_per_worker));
		let now = T::Epochs::current().index;
		Self::deal_of(id).is_some_and(|deal| deal.affords_overlap(price, Self::first_open(), now))
	}

	/// Assigns a cheaper worker, which takes over from another one once it is live.
	pub(crate) fn begin_move(
		id: DealId,
		from: PeerId,
		to: PeerId,
		offer: &Offer<T::AccountId>,
		units: u32,
	) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		deal.moving = Some(from);
		Deals::<T>::insert(key, deal);
		Self::deposit_event(Event::RematchBegun { deal: id, from, to });
		Self::assign(id, to, offer, units)
	}

	/// Gives notice to whoever a worker that has gone live takes over from, if it is meant to.
	pub(crate) fn finish_move(id: DealId) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let Some(from) = deal.moving.take() else {
			return Ok(());
		};
		let worker = Workers::<T>::get(id, from).ok_or(Error::<T>::NotAssigned)?;
		Self::give_notice(id, &mut deal, &worker, Notice::Rematch)?;
		Deals::<T>::insert(key, deal);
		Ok(())
	}

	/// Lets whoever was to take over a place go, if there is one. The caller stores the deal.
	pub(crate) fn call_off_move(id: DealId, deal: &mut Deal<T::AccountId>) -> DispatchResult {
		if deal.moving.is_none() {
			return Ok(());
		}
		let is_assigned = |worker: &Worker| matches!(worker.status, WorkerStatus::Assigned { .. });
		let Some(worker) = Self::workers_of(id).into_iter().find(is_assigned) else {
			return Ok(());
		};
		Self::remove_worker(id, deal, &worker, ReleaseReason::Ended)
	}

	/// That a deal which waits for a cheaper worker has all that it wants, and one besides.
	#[cfg(any(feature = "std", feature = "try-runtime"))]
	pub(crate) fn check_move(
		deal: &Deal<T::AccountId>,
		spec: &DealSpec<T::AccountId>,
		workers: &[Worker],
	) -> DispatchResult {
		let Some(from) = deal.moving else {
			return Ok(());
		};
		frame_support::ensure!(
			deal.live == deal.target && deal.workers == deal.live.saturating_add(1),
			"a deal that moves is filled, and one is assigned besides"
		);
		let price = |worker: &&Worker| (worker.ask, worker.peer == from);
		let assigned = |worker: &&Worker| matches!(worker.status, WorkerStatus::Assigned { .. });
		let leaves = workers.iter().find(|worker| worker.peer == from);
		let comes = workers.iter().find(assigned);
		frame_support::ensure!(
			spec.rematch.is_some()
				&& leaves.is_some_and(|worker| matches!(worker.status, WorkerStatus::Live { .. }))
				&& leaves.is_some_and(|left| comes.is_some_and(|new| new.ask < left.ask))
				&& workers.iter().max_by_key(price).map(|worker| worker.peer) == Some(from),
			"the dearest live worker makes room for a cheaper one"
		);
		Ok(())
	}
}
