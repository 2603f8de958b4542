//! Invariants of the market.

use crate::{pallet::*, types::*};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use millrace_primitives::{
	market::{DealSpec, DealStatus, Worker, WorkerStatus},
	peer::PeerId,
	traits::{EpochClock, PeerRegistry},
	Balance, DealId,
};
use sp_runtime::DispatchError;

/// What should be held of each account: escrow, deal deposits, offer deposits, bonds.
type Totals<AccountId> = BTreeMap<AccountId, [Balance; 4]>;

impl<T: Config> Pallet<T> {
	/// 1. The pot holds exactly the escrow and closing deposits of all deals, and no other account
	///    holds any; it has the existential deposit besides. What is held of any account for the
	///    other reasons is the sum of its deals' deposits, of its offers' deposits, of its workers'
	///    bonds.
	/// 2. A deal has a specification and an entry under its owner, and the other way round; its
	///    counts of workers, its rate and what is pledged are those of its workers' rows. A deal
	///    that is ending has only workers that its last epoch may owe something, and counts none of
	///    them as live. Workers are what was ordered, at no higher price, and never more of one
	///    provider; live ones alone hold a bond.
	/// 3. The queue holds exactly the active deals with fewer live workers than their target, and
	///    each of them lists exactly its assigned workers, once. One that sleeps has no place in the
	///    book. Active deals alone exclude peers, each once.
	/// 4. Deals and peers agree on who works for whom; seats count the workers of a provider. Only
	///    of a peer that works for a deal is it noted what it reported, of an epoch that is over.
	/// 5. The units that are taken of a peer are those of its workers in active deals, and those at
	///    work in the next epoch are those of the live ones. The peer is registered. No load of
	///    nothing is kept.
	/// 6. The book holds exactly the standing offers with free proven units, regions count the
	///    offers, and no offer has lapsed too often. An offer is of a peer of its provider, and has an
	///    index of its own that was given.
	pub(crate) fn do_try_state() -> Result<(), DispatchError> {
		let mut held = Totals::<T::AccountId>::new();
		Self::check_deals(&mut held)?;
		Self::check_workers(&mut held)?;
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
			let [escrow, deal_deposits, offer_deposits, bonds] =
				held.get(&who).copied().unwrap_or_default();
			for (reason, amount) in [
				(HoldReason::Escrow, escrow),
				(HoldReason::DealDeposit, deal_deposits),
				(HoldReason::OfferDeposit, offer_deposits),
				(HoldReason::WorkerBond, bonds),
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
				deal.target == spec.target_workers,
				"a deal looks for the workers that were ordered"
			);
			ensure!(
				DealsOf::<T>::contains_key(&deal.owner, key),
				"an owner lists its deals"
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
				deal.workers <= deal.target,
				"a deal has no more workers than it wants"
			);
			match deal.status {
				DealStatus::Active => Self::check_active(id, &deal, &workers)?,
				DealStatus::Ending { last } => {
					ensure!(
						workers.iter().all(|worker| worker.is_due(last)),
						"a deal that is ending has no worker that is owed nothing"
					);
					ensure!(
						last <= now
							&& (deal.live, deal.pledged) == (0, 0)
							&& deal.rate == AtStarts::default(),
						"a deal that is ending counts no workers as live"
					);
					ensure!(
						!Unfilled::<T>::contains_key(key) && !Exclusions::<T>::contains_key(id),
						"a deal that is ending looks for nobody"
					);
				}
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
			let bond = match worker.status {
				WorkerStatus::Live { since } => {
					ensure!(
						since <= now.saturating_add(1),
						"a live worker is paid from the next epoch on"
					);
					spec.worker_bond
				}
				WorkerStatus::Assigned { .. } => 0,
			};
			ensure!(worker.bond == bond, "live workers alone hold a bond");
		}
		Ok(())
	}

	fn check_active(
		id: DealId,
		deal: &Deal<T::AccountId>,
		workers: &[Worker],
	) -> Result<(), DispatchError> {
		let (live, assigned): (Vec<&Worker>, Vec<&Worker>) = workers
			.iter()
			.partition(|worker| matches!(worker.status, WorkerStatus::Live { .. }));
		ensure!(
			live.len() == deal.live as usize,
			"a deal counts its live workers"
		);
		let price = |sum: Balance, worker: &&Worker| sum.saturating_add(worker.epoch_price());
		ensure!(
			assigned.iter().fold(0, price) == deal.pledged,
			"what is pledged is the price of the assigned workers"
		);
		let now = T::Epochs::current().index;
		let mut rate = deal.rate;
		rate.roll(now);
		for epoch in now.saturating_sub(1)..=now.saturating_add(1) {
			let due = live.iter().filter(|worker| worker.is_due(epoch));
			ensure!(
				due.fold(0, price) == rate.at(epoch),
				"the rate of an epoch is the price of the workers that are paid for it"
			);
		}
		let vacancy = Unfilled::<T>::get(DealKey::from(id));
		ensure!(
			vacancy.is_some() == (deal.live < deal.target),
			"the queue holds the deals that lack live workers"
		);
		let vacancy = vacancy.unwrap_or_default();
		ensure!(
			vacancy.asleep.is_none() || vacancy.after.is_none(),
			"a deal that sleeps has no place in the book"
		);
		ensure!(
			vacancy.asleep.is_none_or(|asleep| asleep.epoch <= now),
			"a deal fell asleep before"
		);
		let listed = vacancy.assigned;
		let waits = |(peer, deadline): &(PeerId, u32)| {
			let status = WorkerStatus::Assigned {
				deadline: *deadline,
			};
			assigned
				.iter()
				.any(|worker| worker.peer == *peer && worker.status == status)
		};
		let peers: BTreeSet<PeerId> = listed.iter().map(|(peer, _)| *peer).collect();
		ensure!(
			listed.len() == assigned.len()
				&& peers.len() == listed.len()
				&& listed.iter().all(waits),
			"a vacancy lists the assigned workers"
		);
		Ok(())
	}

	fn check_workers(held: &mut Totals<T::AccountId>) -> Result<(), DispatchError> {
		let mut units = BTreeMap::<PeerId, (u32, u32)>::new();
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
			let [.., bond] = held.entry(provider.clone()).or_default();
			*bond = bond.saturating_add(worker.bond);
			let count = seats.entry((id, provider)).or_default();
			*count = count.saturating_add(1);
			if deal.status == DealStatus::Active {
				let (taken, at_work) = units.entry(peer).or_default();
				*taken = taken.saturating_add(worker.units);
				if let WorkerStatus::Live { .. } = worker.status {
					*at_work = at_work.saturating_add(worker.units);
				}
			}
			rows = rows.saturating_add(1);
		}
		let mut listed = 0usize;
		for deals in PeerDeals::<T>::iter_values() {
			ensure!(
				Self::is_list(&deals),
				"a peer lists deals, and each of them once"
			);
			listed = listed.saturating_add(deals.len());
		}
		ensure!(listed == rows, "peers list deals that they work for");
		let now = T::Epochs::current().index;
		for (peer, (epoch, deals)) in Reported::<T>::iter() {
			ensure!(
				PeerDeals::<T>::contains_key(peer),
				"reports are noted of peers that work"
			);
			ensure!(
				epoch < now && Self::is_list(&deals),
				"a report is of an epoch that is over, and lists deals once"
			);
		}
		for (peer, load) in Loads::<T>::iter() {
			ensure!(
				(load.taken, load.at_work.next) == units.remove(&peer).unwrap_or_default(),
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
		ensure!(units.is_empty(), "every worker's units are taken");
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

	/// Whether there is something in a list, and nothing twice.
	fn is_list(deals: &DealList) -> bool {
		let distinct: BTreeSet<&DealId> = deals.iter().collect();
		!deals.is_empty() && distinct.len() == deals.len()
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
				offer.lapses < MAX_LAPSES,
				"an offer that lapsed too often is closed"
			);
			let [_, _, deposit, _] = held.entry(offer.provider).or_default();
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
