//! What others ask: deals, assignments, and the neighbours' narrow views.

use crate::{pallet::*, types::*, weights::WeightInfo};
use alloc::vec::Vec;
use frame_support::weights::Weight;
use millrace_primitives::{
	execution::CallTerms,
	market::Worker,
	packages::NoTerms,
	peer::{Endpoint, PeerId, PeerKey},
	traits::{EpochClock, PeerUse, WorkInspector},
	views::{Assignment, DealView, OfferView, WorkerView, MAX_DEALS_PAGE},
	BlockNumber, DealId, EpochIndex, H256,
};

impl<T: Config> Pallet<T> {
	/// The offer of a peer, whether it is in the book or not.
	pub fn offer_view(peer: PeerId) -> Option<OfferView> {
		Self::settle_first(peer);
		let offer = Offers::<T>::get(peer)?;
		Some(OfferView {
			offer: offer.id,
			peer,
			terms: offer.terms,
			free_units: Self::free_units(peer),
		})
	}

	/// The workers of a deal.
	pub fn worker_rows(deal: DealId) -> Vec<Worker> {
		Self::workers_of(deal)
	}

	/// A deal. `locate` tells a peer's endpoint and present key; a worker that it does not know is
	/// left out.
	pub fn deal_view(
		id: DealId,
		locate: impl Fn(PeerId) -> Option<(Endpoint, PeerKey)>,
	) -> Option<DealView<T::AccountId>> {
		let deal = Self::deal_of(id)?;
		let spec = Specs::<T>::get(id)?;
		let workers = Self::workers_of(id);
		let paid_until = Self::paid_until(id, &deal, &workers);
		let workers = workers
			.into_iter()
			.filter_map(|worker| {
				let (endpoint, key) = locate(worker.peer)?;
				Some(WorkerView {
					worker,
					endpoint,
					key,
				})
			})
			.collect();
		Some(DealView {
			deal: id,
			owner: deal.owner,
			heir: deal.heir,
			spec,
			status: deal.status,
			created: deal.created,
			escrow: deal.escrow,
			closing_deposit: deal.closing_deposit,
			grace: deal.grace,
			terms: deal.terms,
			paid: deal.paid,
			burnt: deal.burnt,
			paid_until,
			workers,
			profile: deal.profile,
			packages: Packages::<T>::get(id),
		})
	}

	/// Indices of the deals from `from` on, of one owner or of all, at most a page of them.
	pub fn deal_ids(owner: Option<T::AccountId>, from: DealId, limit: u32) -> Vec<DealId> {
		let page = limit.min(MAX_DEALS_PAGE) as usize;
		// Keys are read from behind a start, which is why the one before is needed.
		let before = from.checked_sub(1).map(DealKey::from);
		match (owner, before) {
			(Some(owner), Some(before)) => {
				let key = DealsOf::<T>::hashed_key_for(&owner, before);
				DealsOf::<T>::iter_key_prefix_from(&owner, key)
					.take(page)
					.map(|key| key.id())
					.collect()
			}
			(Some(owner), None) => DealsOf::<T>::iter_key_prefix(&owner)
				.take(page)
				.map(|key| key.id())
				.collect(),
			(None, Some(before)) => {
				let key = Deals::<T>::hashed_key_for(before);
				Deals::<T>::iter_keys_from(key)
					.take(page)
					.map(|key| key.id())
					.collect()
			}
			(None, None) => Deals::<T>::iter_keys()
				.take(page)
				.map(|key| key.id())
				.collect(),
		}
	}

	/// A page of deals; see [`Self::deal_ids`] and [`Self::deal_view`].
	pub fn deal_views(
		owner: Option<T::AccountId>,
		from: DealId,
		limit: u32,
		locate: impl Fn(PeerId) -> Option<(Endpoint, PeerKey)>,
	) -> Vec<DealView<T::AccountId>> {
		Self::deal_ids(owner, from, limit)
			.into_iter()
			.filter_map(|id| Self::deal_view(id, &locate))
			.collect()
	}

	/// The deals that a peer works for.
	pub fn assignments(peer: PeerId) -> Vec<Assignment> {
		let now = T::Epochs::current().index;
		PeerDeals::<T>::get(peer)
			.into_iter()
			.filter_map(|id| {
				let deal = Self::deal_of(id)?;
				let spec = Specs::<T>::get(id)?;
				let worker = Workers::<T>::get(id, peer)?;
				Some(Assignment {
					deal: id,
					worker,
					package: spec.package,
					limits: spec.limits,
					status: deal.status,
					paid_until: Self::paid_until(id, &deal, &Self::workers_of(id)),
					hosts: spec.hosts,
					profile: deal.profile,
					packages: Packages::<T>::get(id).from_epoch(now),
					access: spec.access,
					rate: spec.rate,
					billing: spec.billing,
					redeemed: Vouchers::<T>::get(id, peer).unwrap_or_default(),
					probe: Self::probe_view(id, &worker),
				})
			})
			.collect()
	}
}

impl<T: Config> WorkInspector for Pallet<T> {
	/// True for every epoch from the one in which it went live, of which it is paid no part, to the
	/// deal's last: also for those that its escrow or term no longer pays, and that in which it failed a
	/// probe. What a worker did that has left is remembered.
	fn is_worker(peer: PeerId, deal: DealId, epoch: EpochIndex) -> bool {
		let serves =
			|worker: Worker| worker.serves(epoch) || Self::served_unpaid(deal, &worker, epoch);
		let works = Workers::<T>::get(deal, peer).is_some_and(serves)
			&& Self::deal_of(deal).is_some_and(|deal| deal.covers(epoch));
		works || Self::has_worked(peer, deal, epoch)
	}

	fn call_terms(
		deal: DealId,
		package: H256,
		epoch: EpochIndex,
		block: BlockNumber,
	) -> Result<CallTerms, NoTerms> {
		let profile = Self::deal_of(deal).ok_or(NoTerms::Unknown)?.profile;
		let spec = Specs::<T>::get(deal).ok_or(NoTerms::Unknown)?;
		let present = CallTerms::frozen(deal, &spec.package, profile, spec.limits, spec.hosts);
		Packages::<T>::get(deal).terms(&present, package, epoch, block)
	}
}

impl<T: Config> PeerUse for Pallet<T> {
	fn in_use(peer: PeerId) -> bool {
		Offers::<T>::contains_key(peer) || PeerDeals::<T>::contains_key(peer)
	}

	fn forget(peer: PeerId) {
		Self::forget_dues(peer);
		PastWorks::<T>::remove(peer);
	}

	fn weight() -> Weight {
		T::WeightInfo::peer_use()
	}
}
