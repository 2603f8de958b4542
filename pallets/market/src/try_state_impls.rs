//! Invariants of the market.

use crate::{pallet::*, types::*};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use millrace_primitives::{
	market::{DealStatus, WorkerStatus},
	peer::PeerId,
	traits::PeerRegistry,
	Balance, DealId,
};
use sp_runtime::DispatchError;

type Totals<AccountId> = BTreeMap<AccountId, [Balance; 4]>;

impl<T: Config> Pallet<T> {
	/// 1. What is held for each reason on an account is the sum of its escrows and closing
	///    deposits, of its deals' deposits, of its offers' deposits, of its workers' bonds.
	/// 2. A deal has a specification and an entry under its owner, and the other way round; its
	///    counts of workers and its rate are those of its workers' rows.
	/// 3. The queue holds exactly the active deals with fewer live workers than their target, and
	///    each of them lists exactly its assigned workers.
	/// 4. Deals and peers agree on who works for whom; seats count the workers of a provider.
	/// 5. The units that are taken of a peer are those of its workers in active deals.
	/// 6. Every entry of the book is the key of a standing offer, and regions count the offers.
	pub(crate) fn do_try_state() -> Result<(), DispatchError> {
		let mut held = Totals::<T::AccountId>::new();
		Self::check_deals(&mut held)?;
		Self::check_workers(&mut held)?;
		Self::check_offers(&mut held)?;
		for (who, [escrow, deal_deposit, offer_deposit, bond]) in held {
			let expected = [
				(HoldReason::Escrow, escrow),
				(HoldReason::DealDeposit, deal_deposit),
				(HoldReason::OfferDeposit, offer_deposit),
				(HoldReason::WorkerBond, bond),
			];
			for (reason, amount) in expected {
				ensure!(
					T::Currency::balance_on_hold(&reason.into(), &who) == amount,
					"holds are the ledgers"
				);
			}
		}
		Ok(())
	}

	fn check_deals(held: &mut Totals<T::AccountId>) -> Result<(), DispatchError> {
		for (key, deal) in Deals::<T>::iter() {
			let id = key.id();
			ensure!(Specs::<T>::contains_key(id), "a deal has a specification");
			ensure!(
				DealsOf::<T>::contains_key(&deal.owner, key),
				"an owner lists its deals"
			);
			let [escrow, deposit, ..] = held.entry(deal.owner.clone()).or_default();
			*escrow = escrow
				.saturating_add(deal.escrow)
				.saturating_add(deal.closing_deposit);
			*deposit = deposit.saturating_add(deal.deposit);

			let workers = Self::workers_of(id);
			ensure!(
				workers.len() == deal.workers as usize,
				"a deal counts its workers"
			);
			ensure!(
				deal.workers <= deal.target,
				"a deal has no more workers than it wants"
			);
			let active = deal.status == DealStatus::Active;
			let vacancy = Unfilled::<T>::get(key);
			ensure!(
				vacancy.is_some() == (active && deal.live < deal.target),
				"the queue holds the deals that lack live workers"
			);
			if !active {
				continue;
			}
			let is_live = |status| matches!(status, WorkerStatus::Live { .. });
			let live = workers.iter().filter(|worker| is_live(worker.status));
			ensure!(
				live.clone().count() == deal.live as usize,
				"a deal counts its live workers"
			);
			let rate = live.fold(0u128, |sum, worker| {
				sum.saturating_add(worker.epoch_price())
			});
			ensure!(
				rate == deal.rate,
				"the rate is the price of the live workers"
			);
			let assigned = vacancy.map_or(0, |vacancy| vacancy.assigned.len());
			ensure!(
				workers.len() == assigned.saturating_add(deal.live as usize),
				"a vacancy lists the assigned workers"
			);
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
		Ok(())
	}

	fn check_workers(held: &mut Totals<T::AccountId>) -> Result<(), DispatchError> {
		let mut taken = BTreeMap::<PeerId, u32>::new();
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
				let units = taken.entry(peer).or_default();
				*units = units.saturating_add(worker.units);
			}
			rows = rows.saturating_add(1);
		}
		let listed = PeerDeals::<T>::iter_values()
			.map(|deals| deals.len())
			.sum::<usize>();
		ensure!(listed == rows, "peers list deals that they work for");
		for (peer, load) in Loads::<T>::iter() {
			ensure!(
				load.taken == taken.remove(&peer).unwrap_or(0),
				"the units taken are those of workers"
			);
		}
		ensure!(taken.is_empty(), "every worker's units are taken");
		let counted = Seats::<T>::iter().count();
		ensure!(counted == seats.len(), "seats are of workers");
		for ((id, provider), count) in seats {
			ensure!(
				Seats::<T>::get(id, provider) == count,
				"seats count workers"
			);
		}
		Ok(())
	}

	fn check_offers(held: &mut Totals<T::AccountId>) -> Result<(), DispatchError> {
		let mut regions = BTreeMap::<(u16, u16), u32>::new();
		for offer in Offers::<T>::iter_values() {
			let [_, _, deposit, _] = held.entry(offer.provider).or_default();
			*deposit = deposit.saturating_add(offer.deposit);
			let count = regions
				.entry((offer.terms.class, offer.terms.region))
				.or_default();
			*count = count.saturating_add(1);
		}
		for (key, peer) in Book::<T>::iter() {
			let stands = Offers::<T>::get(peer).is_some_and(|offer: Offer<_>| offer.key() == key);
			ensure!(stands, "the book holds standing offers");
		}
		for (class, known) in KnownRegions::<T>::iter() {
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
