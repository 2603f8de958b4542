//! Invariants of the market.

use crate::{pallet::*, types::*};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use millrace_primitives::{
	market::{DealSpec, DealStatus, Worker, WorkerStatus, MAX_WORKERS},
	peer::PeerId,
	traits::{EpochClock, PeerRegistry},
	Balance, DealId, EpochIndex,
};
use sp_runtime::DispatchError;

/// What should be held of each account: escrow, deal deposits, offer deposits, bonds of workers and of
/// probes.
type Totals<AccountId> = BTreeMap<AccountId, [Balance; 5]>;

/// Units of a peer as its workers' rows tell of them.
#[derive(Default, PartialEq)]
struct Units {
	/// Taken by deals that are not ending.
	taken: u32,
	/// Paid for in the epoch before.
	before: u32,
	/// Paid for in the present epoch.
	current: u32,
	/// At work in the next epoch.
	next: u32,
	/// At work in the one after that.
	later: u32,
}

impl Units {
	fn add(&mut self, worker: &Worker, status: DealStatus, now: EpochIndex) {
		let end = match status {
			DealStatus::Active | DealStatus::Grace => None,
			DealStatus::Ending { last } => Some(last),
		};
		let next = now.saturating_add(1);
		let serves = |epoch| worker.is_due(epoch) && end.is_none_or(|last| epoch <= last);
		for (sum, counts) in [
			(&mut self.taken, end.is_none()),
			(&mut self.before, serves(now.saturating_sub(1))),
			(&mut self.current, serves(now)),
			(&mut self.next, serves(next)),
			(&mut self.later, serves(next.saturating_add(1))),
		] {
			if counts {
				*sum = sum.saturating_add(worker.units);
			}
		}
	}

	/// Whether a load is of these units. What left its deal in this epoch or the one before counts
	/// in it on until that is over.
	fn is_load(&self, mut load: Load, now: EpochIndex) -> bool {
		load.at_work.roll(now);
		let at_work = load.at_work;
		(self.taken, self.next, self.later) == (load.taken, at_work.next, at_work.later)
			&& self.current <= at_work.current
			&& self.before <= at_work.before
	}
}

impl<T: Config> Pallet<T> {
	/// 1. The pot holds exactly the escrow and closing deposits of all deals, and no other account
	///    holds any; it has the existential deposit besides. What is held of any account for the
	///    other reasons is the sum of its deals' deposits, of its offers' deposits, of its workers'
	///    bonds.
	/// 2. A deal has a specification and an entry under its owner, and the other way round; its
	///    counts of workers, its rate and what is pledged are those of its workers' rows. It has no
	///    more workers than it wants, besides those that have notice and one that takes over from the
	///    dearest, and never more than a deal can have. A deal that is ending has only workers that its last epoch may owe something, and
	///    counts none of them. Workers are what was ordered, at no higher price, and never more of
	///    one provider; live and draining ones alone hold a bond. Notice is of one epoch at most.
	/// 3. An active deal can pay for an early end, besides what an earlier grace may still draw. A
	///    deal in grace has a span that has begun or is about to, within its term, and has only
	///    workers that are paid.
	/// 4. The queue holds exactly the active deals with fewer live workers than their target, or that
	///    wait for a cheaper one, and each of them lists exactly its assigned workers, once. One that sleeps has no place in the
	///    book. Deals that are not ending alone exclude peers, each once.
	/// 5. Deals and peers agree on who works for whom; seats count the workers of a provider. Only
	///    of a peer that works for a deal is it noted what it reported, of an epoch that is over.
	/// 6. The units that are taken of a peer are those of its workers in deals that are not ending;
	///    those at work in the next epochs are those of the ones that serve them, and no unit is paid
	///    for that was not at work. The peer is registered. No load of nothing is kept.
	/// 7. The book holds exactly the standing offers with free proven units, regions count the offers,
	///    and no offer has lapsed too often. An offer is of a peer of its provider, and has an index of
	///    its own that was given.
	/// 8. A deal is billed as it was ordered. Vouchers are of workers that are paid, in deals that are
	///    billed by gas; no more is billed than they are for.
	/// 9. Matcher and patrol have come to deals that there were, and the patrol to no later epoch.
	/// 10. Deals alone remember packages, of which each counted up to a later epoch than the one
	///     before, no later than the next one. The present package counts since a block that was.
	/// 11. What is held of probers is for open probes, each of which stands in the queue. Probes are
	///     remembered of workers alone, and failed ones of deals that go on.
	/// 12. Of peers that there are it is remembered what they left, in epochs that began; with the deals
	///     that they work for, what may be opened of it is no more than a report holds.
	pub fn do_try_state() -> Result<(), DispatchError> {
		let mut held = Totals::<T::AccountId>::new();
		Self::check_deals(&mut held)?;
		Self::check_workers(&mut held)?;
		Self::check_vouchers()?;
		Self::check_packages()?;
		Self::check_probes(&mut held)?;
		Self::check_past_work()?;
		Self::check_offers(&mut held)?;
		Self::check_holds(&held)
	}

	fn check_holds(held: &Totals<T::AccountId>) -> Result<(), DispatchError> {
		ensure!(
			T::Currency::balance(&Self::pot()) >= T::Currency::minimum_balance(),
			"the pot has the existential deposit"
		);
		let mut accounts: BTreeSet<T::AccountId> = held.keys().cloned().collect();
		accounts.extend(frame_system::Account::<T>::iter_keys());
		for who in accounts {
			let [escrow, deal_deposits, offer_deposits, bonds, probes] =
				held.get(&who).copied().unwrap_or_default();
			for (reason, amount) in [
				(HoldReason::Escrow, escrow),
				(HoldReason::DealDeposit, deal_deposits),
				(HoldReason::OfferDeposit, offer_deposits),
				(HoldReason::WorkerBond, bonds),
				(HoldReason::Probe, probes),
			] {
				ensure!(
					T::Currency::balance_on_hold(&reason.into(), &who) == amount,
					"holds are the ledgers"
				);
			}
		}
		Ok(())
	}

	fn check_deals(held: &mut Totals<T::AccountId>) -> Result<(), DispatchError> {
		let now = T::Epochs::current().index;
		for (key, deal) in Deals::<T>::iter() {
			let id = key.id();
			let spec = Specs::<T>::get(id).ok_or("a deal has a specification")?;
			ensure!(
				id < NextDeal::<T>::get() && deal.created <= now,
				"a deal has an index that was given"
			);
			ensure!(
				Self::check_access(&spec.access, spec.rate).is_ok(),
				"who may call a deal can be told"
			);
			ensure!(
				deal.target == spec.target_workers,
				"a deal looks for the workers that were ordered"
			);
			ensure!(
				DealsOf::<T>::contains_key(&deal.owner, key),
				"an owner lists its deals"
			);
			ensure!(
				deal.full_gas == spec.billing.full_gas(),
				"a deal is billed as it was ordered"
			);
			let [escrow, ..] = held.entry(Self::pot()).or_default();
			*escrow = escrow
				.saturating_add(deal.escrow)
				.saturating_add(deal.closing_deposit);
			let [_, deposit, ..] = held.entry(deal.owner.clone()).or_default();
			*deposit = deposit.saturating_add(deal.deposit);

			let workers = Self::workers_of(id);
			Self::check_orders(&spec, &workers)?;
			ensure!(
				workers.len() == deal.workers as usize,
				"a deal counts its workers"
			);
			ensure!(
				deal.workers <= MAX_WORKERS
					&& (matches!(deal.status, DealStatus::Ending { .. })
						|| deal.workers.saturating_sub(deal.draining)
							<= deal.target.saturating_add(deal.moving.is_some().into())),
				"a deal has no more workers than it wants, and one that is to take over a place"
			);
			ensure!(
				deal.grace.is_none_or(|span| span.from <= span.until
					&& span.until.saturating_sub(span.from) < deal.terms.grace_epochs
					&& deal.term_end.is_none_or(|end| span.until <= end)),
				"a grace is short and within the term"
			);
			match deal.status {
				DealStatus::Active => {
					Self::check_counts(&deal, &workers)?;
					Self::check_active(id, &deal, &spec, &workers)?;
				}
				DealStatus::Grace => {
					Self::check_counts(&deal, &workers)?;
					Self::check_grace(id, &deal, &workers)?;
				}
				DealStatus::Ending { last } => Self::check_ending(id, &deal, &workers, last)?,
			}
		}
		let deals = Deals::<T>::iter_keys().count();
		ensure!(
			Specs::<T>::iter_keys().count() == deals,
			"a specification has a deal"
		);
		ensure!(
			DealsOf::<T>::iter_keys().count() == deals,
			"owners list deals only"
		);
		ensure!(
			Unfilled::<T>::iter_keys().all(|key| Deals::<T>::contains_key(key)),
			"the queue holds deals only"
		);
		ensure!(
			Exclusions::<T>::iter_keys().all(|id| Deals::<T>::contains_key(DealKey::from(id))),
			"deals alone exclude peers"
		);
		for excluded in Exclusions::<T>::iter_values() {
			let peers: BTreeSet<PeerId> = excluded.iter().map(|(peer, _)| *peer).collect();
			ensure!(peers.len() == excluded.len(), "a deal excludes a peer once");
		}
		ensure!(
			Cursor::<T>::get().is_none_or(|last| last < NextDeal::<T>::get()),
			"the matcher visited a deal"
		);
		let patrol = PatrolPlace::<T>::get();
		ensure!(
			patrol.epoch <= now
				&& [patrol.after, patrol.priced]
					.into_iter()
					.flatten()
					.all(|last| last < NextDeal::<T>::get()),
			"the patrol visited a deal, and in an epoch that began"
		);
		Ok(())
	}

	/// That workers are what was ordered.
	fn check_orders(
		spec: &DealSpec<T::AccountId>,
		workers: &[Worker],
	) -> Result<(), DispatchError> {
		let now = T::Epochs::current().index;
		for worker in workers {
			ensure!(
				worker.units == spec.units_per_worker && worker.ask <= spec.price_ceiling,
				"a worker has the units and the price that were ordered"
			);
			ensure!(
				worker.offer <= LastOffer::<T>::get(),
				"a worker was taken from an offer"
			);
			let next = now.saturating_add(1);
			let (first, last) = match worker.status {
				WorkerStatus::Assigned { .. } => {
					ensure!(worker.bond == 0, "an assigned worker holds no bond");
					continue;
				}
				WorkerStatus::Live { since } => (since, since),
				WorkerStatus::Draining { since, last } => (since, last),
			};
			ensure!(
				first <= next,
				"a live worker is paid from the next epoch on"
			);
			// One that failed a probe in its first epoch is paid for none.
			ensure!(
				first <= last.saturating_add(1) && last <= now.saturating_add(NOTICE_EPOCHS),
				"a draining worker serves no longer than its notice"
			);
			let may_be_forfeited = matches!(worker.status, WorkerStatus::Draining { .. });
			ensure!(
				worker.bond == spec.worker_bond || (worker.bond == 0 && may_be_forfeited),
				"live workers hold the bond, and draining ones that did not forfeit it"
			);
		}
		Ok(())
	}

	/// That a deal that is not ending counts its workers, and what they cost.
	fn check_counts(deal: &Deal<T::AccountId>, workers: &[Worker]) -> Result<(), DispatchError> {
		let (mut live, mut draining) = (0u32, 0u32);
		let mut pledged: Balance = 0;
		for worker in workers {
			match worker.status {
				WorkerStatus::Assigned { .. } => {
					pledged = pledged.saturating_add(worker.epoch_price());
				}
				WorkerStatus::Live { .. } => live = live.saturating_add(1),
				WorkerStatus::Draining { .. } => draining = draining.saturating_add(1),
			}
		}
		ensure!(deal.live == live, "a deal counts its live workers");
		ensure!(
			deal.draining == draining,
			"a deal counts its draining workers"
		);
		ensure!(
			deal.pledged == pledged,
			"what is pledged is the price of the assigned workers"
		);
		let now = T::Epochs::current().index;
		let mut rate = deal.rate;
		rate.roll(now);
		for epoch in now.saturating_sub(1)..=now.saturating_add(2) {
			let due = workers.iter().filter(|worker| worker.is_due(epoch));
			let price = due.fold(0, |sum: Balance, worker| {
				sum.saturating_add(worker.epoch_price())
			});
			ensure!(
				price == rate.at(epoch),
				"the rate of an epoch is the price of the workers that are paid for it"
			);
		}
		Ok(())
	}

	fn check_active(
		id: DealId,
		deal: &Deal<T::AccountId>,
		spec: &DealSpec<T::AccountId>,
		workers: &[Worker],
	) -> Result<(), DispatchError> {
		let now = T::Epochs::current().index;
		ensure!(
			deal.grace.is_none_or(|span| span.until <= now),
			"the grace of an active deal is over"
		);
		ensure!(
			spec.epoch_price_ceiling()
				.is_some_and(|price| price <= deal.closing_deposit),
			"an active deal can pay for an early end"
		);
		let vacancy = Unfilled::<T>::get(DealKey::from(id));
		ensure!(
			vacancy.is_some() == deal.is_queued(),
			"the queue holds the deals that lack live workers or wait for a cheaper one"
		);
		Self::check_move(deal, spec, workers)?;
		let vacancy = vacancy.unwrap_or_default();
		ensure!(
			vacancy.asleep.is_none() || vacancy.after.is_none(),
			"a deal that sleeps has no place in the book"
		);
		ensure!(
			vacancy.asleep.is_none_or(|asleep| asleep.epoch <= now),
			"a deal fell asleep before"
		);
		let assigned: BTreeMap<PeerId, EpochIndex> = workers
			.iter()
			.filter_map(|worker| match worker.status {
				WorkerStatus::Assigned { deadline } => Some((worker.peer, deadline)),
				WorkerStatus::Live { .. } | WorkerStatus::Draining { .. } => None,
			})
			.collect();
		let listed: BTreeMap<PeerId, EpochIndex> = vacancy.assigned.iter().copied().collect();
		ensure!(
			listed.len() == vacancy.assigned.len() && listed == assigned,
			"a vacancy lists the assigned workers"
		);
		Ok(())
	}

	fn check_grace(
		id: DealId,
		deal: &Deal<T::AccountId>,
		workers: &[Worker],
	) -> Result<(), DispatchError> {
		let now = T::Epochs::current().index;
		ensure!(
			deal.grace
				.is_some_and(|span| span.from <= now.saturating_add(1)),
			"a deal in grace tells since when"
		);
		ensure!(
			workers
				.iter()
				.all(|worker| !matches!(worker.status, WorkerStatus::Assigned { .. })),
			"nobody waits to work for a deal in grace"
		);
		ensure!(
			!Unfilled::<T>::contains_key(DealKey::from(id)) && deal.moving.is_none(),
			"a deal in grace looks for nobody"
		);
		Ok(())
	}

	fn check_ending(
		id: DealId,
		deal: &Deal<T::AccountId>,
		workers: &[Worker],
		last: EpochIndex,
	) -> Result<(), DispatchError> {
		ensure!(
			workers.iter().all(|worker| worker.began_by(last)),
			"a deal that is ending has no worker that is owed nothing"
		);
		ensure!(
			last <= T::Epochs::current().index
				&& (deal.live, deal.draining, deal.pledged) == (0, 0, 0)
				&& deal.rate == AtStarts::default()
				&& deal.moving.is_none(),
			"a deal that is ending counts no workers"
		);
		ensure!(
			!Unfilled::<T>::contains_key(DealKey::from(id)) && !Exclusions::<T>::contains_key(id),
			"a deal that is ending looks for nobody"
		);
		Ok(())
	}

	fn check_workers(held: &mut Totals<T::AccountId>) -> Result<(), DispatchError> {
		let now = T::Epochs::current().index;
		let mut units = BTreeMap::<PeerId, Units>::new();
		let mut seats = BTreeMap::<(DealId, T::AccountId), u32>::new();
		let mut rows = 0usize;
		for (id, peer, worker) in Workers::<T>::iter() {
			let deal = Self::deal_of(id).ok_or("a worker has a deal")?;
			let provider = T::Peers::provider_of(peer).ok_or("a worker has a provider")?;
			ensure!(worker.peer == peer, "a worker stands under its peer");
			ensure!(
				PeerDeals::<T>::get(peer).contains(&id),
				"a peer lists its deals"
			);
			let [_, _, _, bond, _] = held.entry(provider.clone()).or_default();
			*bond = bond.saturating_add(worker.bond);
			let count = seats.entry((id, provider)).or_default();
			*count = count.saturating_add(1);
			units
				.entry(peer)
				.or_default()
				.add(&worker, deal.status, now);
			rows = rows.saturating_add(1);
		}
		let mut listed = 0usize;
		for deals in PeerDeals::<T>::iter_values() {
			ensure!(
				!deals.is_empty() && Self::is_list(deals.iter()),
				"a peer lists deals, and each of them once"
			);
			listed = listed.saturating_add(deals.len());
		}
		ensure!(listed == rows, "peers list deals that they work for");
		for (peer, (epoch, deals)) in Reported::<T>::iter() {
			ensure!(
				PeerDeals::<T>::contains_key(peer),
				"reports are noted of peers that work"
			);
			ensure!(
				epoch < now && Self::is_list(deals.iter().map(|(deal, _)| deal)),
				"a report is of an epoch that is over, and lists deals once"
			);
		}
		for (peer, load) in Loads::<T>::iter() {
			let of_workers = units.remove(&peer).unwrap_or_default();
			ensure!(
				of_workers.is_load(load, now),
				"the units taken and at work are those of workers"
			);
			ensure!(
				!load.is_idle() && load.at_work.epoch <= now,
				"a load is of units, as of an epoch that began"
			);
			ensure!(
				T::Peers::provider_of(peer).is_some(),
				"nothing is remembered of a peer that was removed"
			);
		}
		ensure!(
			units.into_values().all(|units| units == Units::default()),
			"every worker's units are those of a load"
		);
		let counted = Seats::<T>::iter().count();
		ensure!(counted == seats.len(), "seats are of workers");
		for ((id, provider), count) in seats {
			ensure!(
				Seats::<T>::get(id, provider) == count,
				"seats count workers"
			);
			ensure!(
				Specs::<T>::get(id).is_some_and(|spec| count <= spec.max_workers_per_provider),
				"a provider has no more workers than were ordered of one"
			);
		}
		Ok(())
	}

	/// Whether nothing stands in a list twice.
	fn is_list<'a>(mut deals: impl Iterator<Item = &'a DealId>) -> bool {
		let mut distinct = BTreeSet::new();
		deals.all(|deal| distinct.insert(deal))
	}

	fn check_vouchers() -> Result<(), DispatchError> {
		let now = T::Epochs::current().index;
		for (id, peer, redeemed) in Vouchers::<T>::iter() {
			ensure!(
				Workers::<T>::get(id, peer)
					.is_some_and(|worker| !matches!(worker.status, WorkerStatus::Assigned { .. })),
				"vouchers are of workers that are paid"
			);
			ensure!(
				Self::deal_of(id).is_some_and(|deal| deal.full_gas.is_some()),
				"vouchers are of deals that are billed by gas"
			);
			ensure!(
				redeemed.billed <= redeemed.cumulative && redeemed.epoch <= now,
				"no more is billed than vouchers are for, and they were redeemed before"
			);
		}
		Ok(())
	}

	fn check_probes(held: &mut Totals<T::AccountId>) -> Result<(), DispatchError> {
		let now = T::Epochs::current().index;
		let mut open = 0usize;
		for (id, peer, probe) in Probes::<T>::iter() {
			ensure!(
				OpenProbes::<T>::contains_key(ProbeKey::new(probe.deadline, id, peer)),
				"an open probe stands in the queue"
			);
			ensure!(
				id < NextDeal::<T>::get() && probe.epoch <= now && probe.since <= probe.epoch,
				"a probe is of a worker that was paid"
			);
			let [.., bond] = held.entry(probe.prober).or_default();
			*bond = bond.saturating_add(probe.bond);
			open = open.saturating_add(1);
		}
		ensure!(
			OpenProbes::<T>::iter_keys().count() == open,
			"the queue holds open probes only"
		);
		for (id, peer, record) in ProbeRecords::<T>::iter() {
			ensure!(
				record.epoch <= now && record.failed.is_none_or(|epoch| epoch <= now),
				"probes are remembered of epochs that began"
			);
			let worker = Workers::<T>::get(id, peer).ok_or("probes are remembered of workers")?;
			let drains = matches!(worker.status, WorkerStatus::Draining { .. });
			ensure!(
				record.failed.is_none() || drains,
				"who failed a probe is on its way out"
			);
		}
		for (id, failed) in Failures::<T>::iter() {
			ensure!(
				Self::deal_of(id)
					.is_some_and(|deal| !matches!(deal.status, DealStatus::Ending { .. })),
				"deals that go on alone remember failures"
			);
			let peers: BTreeSet<PeerId> = failed.iter().map(|(peer, _)| *peer).collect();
			ensure!(peers.len() == failed.len(), "a deal remembers a peer once");
		}
		Ok(())
	}

	fn check_offers(held: &mut Totals<T::AccountId>) -> Result<(), DispatchError> {
		let mut regions = BTreeMap::<(u16, u16), u32>::new();
		let mut free = 0usize;
		let mut indices = BTreeSet::new();
		for (peer, offer) in Offers::<T>::iter() {
			ensure!(
				T::Peers::provider_of(peer).as_ref() == Some(&offer.provider),
				"an offer is of a peer of its provider"
			);
			ensure!(
				(1..=LastOffer::<T>::get()).contains(&offer.id) && indices.insert(offer.id),
				"an offer has an index of its own that was given"
			);
			let stands = Book::<T>::get(offer.key());
			let offered = (Self::free_units(peer) > 0).then_some(peer);
			ensure!(
				stands == offered,
				"the book holds the offers with free proven units"
			);
			free = free.saturating_add(usize::from(offered.is_some()));
			ensure!(
				offer.lapses < offer.max_lapses,
				"an offer that lapsed too often is closed"
			);
			let [_, _, deposit, ..] = held.entry(offer.provider).or_default();
			*deposit = deposit.saturating_add(offer.deposit);
			let count = regions
				.entry((offer.terms.class, offer.terms.region))
				.or_default();
			*count = count.saturating_add(1);
		}
		ensure!(
			Book::<T>::iter_keys().count() == free,
			"the book holds standing offers only"
		);
		for (class, known) in KnownRegions::<T>::iter() {
			ensure!(!known.is_empty(), "an empty list of regions is kept");
			for (region, offers) in known {
				ensure!(
					regions.remove(&(class, region)) == Some(offers),
					"a region counts its offers"
				);
			}
		}
		ensure!(regions.is_empty(), "every offer's region is known");
		Ok(())
	}
}
