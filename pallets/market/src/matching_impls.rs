//! Matching: the cheapest eligible offers win, ties by age.
//!
//! Deals that lack workers stand in a queue; each visit walks the book on from where the deal's
//! last one stopped and looks at a bounded number of offers, so no deal can delay another. Where
//! weight runs out, the next block goes on. The same walk and the same test serve quotes.

use crate::{pallet::*, types::*, weights::WeightInfo};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{
	defensive,
	dispatch::DispatchClass,
	ensure,
	pallet_prelude::DispatchResult,
	storage::{with_storage_layer, PrefixIterator},
	traits::Get,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	market::{DealSpec, DealStatus, ProviderFilter, Region, ResourceClass, MAX_WORKERS},
	peer::PeerId,
	report::MAX_DEALS_PER_PEER,
	traits::{Capacity, EpochClock},
	Balance, DealId,
};
use sp_runtime::{DispatchError, Perbill, SaturatedConversion};

/// Share of a block's weight that the matcher and the patrol may take on poll.
const POLL_SHARE: Perbill = Perbill::from_percent(10);
/// Settlements and releases that one `match_deal` pays for.
const STEPS_PER_MATCH: u64 = 4;

/// One row of the book, read as far as the next offer.
struct Row {
	of: (ResourceClass, Region),
	rest: PrefixIterator<(BookKey, PeerId)>,
	next: Option<(BookKey, PeerId)>,
}

impl Row {
	fn advance(&mut self) -> Option<(BookKey, PeerId)> {
		let of = self.of;
		let next = self.rest.next().filter(|(key, _)| key.row() == of);
		core::mem::replace(&mut self.next, next)
	}
}

/// A walk over several rows of the book in the order of ask and age.
pub(crate) struct Walk {
	rows: Vec<Row>,
}

impl Walk {
	/// Begins behind a place.
	pub(crate) fn new<T: Config>(
		class: ResourceClass,
		regions: &[Region],
		after: Option<BookPlace>,
	) -> Self {
		let rows = regions.iter().map(|region| {
			// No offer has the index 0, so this key lies before all of the row.
			let start = BookKey::new(class, *region, after.unwrap_or_default());
			let rest = Book::<T>::iter_from(Book::<T>::hashed_key_for(start));
			let mut row = Row {
				of: (class, *region),
				rest,
				next: None,
			};
			row.advance();
			row
		});
		Self {
			rows: rows.collect(),
		}
	}
}

impl Iterator for Walk {
	type Item = (BookPlace, PeerId);

	fn next(&mut self) -> Option<Self::Item> {
		let place = |row: &Row| row.next.as_ref().map(|(key, _)| key.place());
		let cheapest = self
			.rows
			.iter_mut()
			.filter(|row| row.next.is_some())
			.min_by_key(|row| place(row))?;
		cheapest.advance().map(|(key, peer)| (key.place(), peer))
	}
}

/// What offers are measured by: a deal's specification, or one that is only asked about.
pub(crate) struct Order<'a, AccountId> {
	/// The deal, if there is one already.
	pub(crate) deal: Option<DealId>,
	/// What is looked for.
	pub(crate) spec: &'a DealSpec<AccountId>,
	/// Workers of each provider that were found besides those of the deal.
	pub(crate) found: BTreeMap<AccountId, u32>,
	/// Peers that were assigned to the deal before and did not go live.
	barred: Vec<PeerId>,
}

impl<'a, AccountId> Order<'a, AccountId> {
	/// A specification that is only asked about.
	pub(crate) fn inquiry(spec: &'a DealSpec<AccountId>) -> Self {
		Self {
			deal: None,
			spec,
			found: BTreeMap::new(),
			barred: Vec::new(),
		}
	}
}

/// How a visit of a deal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
	/// The next deal has its turn.
	Over,
	/// The weight ran out after something was done.
	Interrupted,
	/// The weight ran out before anything was done: the deal comes first next time.
	NotBegun,
}

impl Visit {
	fn out_of_weight(progressed: bool) -> Self {
		if progressed {
			Self::Interrupted
		} else {
			Self::NotBegun
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Most weight that the matcher and the patrol together take of a block on poll.
	pub(crate) fn poll_limit() -> Weight {
		let most = T::BlockWeights::get().max_block;
		Weight::from_parts(
			POLL_SHARE.mul_floor(most.ref_time()),
			POLL_SHARE.mul_floor(most.proof_size()),
		)
	}

	/// What must fit into a block: otherwise matcher or patrol could stand still for ever before a step
	/// that never fits, and a call that is dearer than a block could never be made.
	pub(crate) fn check_weights() {
		assert!(
			Self::step_weight().all_lte(Self::poll_limit()),
			"one step of the matcher must fit into its share of a block",
		);
		assert!(
			Self::patrol_step_weight().all_lte(Self::poll_limit()),
			"one step of the patrol must fit into its share of a block",
		);
		let decision = T::WeightInfo::probe_visit().saturating_add(T::WeightInfo::fail_probe());
		assert!(
			decision.all_lte(Self::poll_limit()),
			"deciding a probe must fit into the patrol's share of a block",
		);
		let limits = T::BlockWeights::get();
		let largest = limits.get(DispatchClass::Normal).max_extrinsic;
		for weight in [
			Self::stop_weight(),
			Self::close_weight(),
			Self::match_deal_weight(),
			Self::top_up_weight(),
			T::WeightInfo::resize(MAX_WORKERS),
			Self::release_weight(),
			Self::replace_weight(),
			T::WeightInfo::update_offer(MAX_DEALS_PER_PEER),
			T::WeightInfo::probe(MAX_WORKERS),
		] {
			assert!(
				weight.all_lte(largest.unwrap_or(limits.max_block)),
				"every call must fit into a block",
			);
		}
	}

	/// Weight of the largest step that a visit can begin with.
	pub(crate) fn step_weight() -> Weight {
		T::WeightInfo::visit()
			.saturating_add(T::WeightInfo::release_worker())
			.saturating_add(T::WeightInfo::walk(MAX_KNOWN_REGIONS))
			.saturating_add(T::WeightInfo::look())
			.saturating_add(T::Capacity::settle_weight())
	}

	/// Most weight that one `match_deal` takes.
	pub(crate) fn match_deal_weight() -> Weight {
		let looks = T::WeightInfo::look().saturating_mul(MAX_LOOKS_PER_VISIT.into());
		T::WeightInfo::match_deal()
			.saturating_add(Self::step_weight().saturating_mul(STEPS_PER_MATCH))
			.saturating_add(looks)
	}

	/// Goes once through the queue with so much weight, and tells how much it took.
	pub(crate) fn match_within(limit: Weight) -> Weight {
		let mut meter = WeightMeter::with_limit(limit);
		Self::run_matcher(&mut meter);
		meter.consumed()
	}

	/// Goes once through the queue, from the deal after the one that was visited last.
	pub(crate) fn run_matcher(meter: &mut WeightMeter) {
		let start = Cursor::<T>::get();
		let (mut last, mut wrapped) = (start, start.is_none());
		while meter.try_consume(T::WeightInfo::visit()).is_ok() {
			let mut next = Self::unfilled_after(last);
			if next.is_none() && !wrapped {
				(last, wrapped) = (None, true);
				next = Self::unfilled_after(last);
			}
			let Some(next) = next else { break };
			if wrapped && start.is_some_and(|start| next > start) {
				break;
			}
			let visit = Self::visit(next, false, meter);
			if visit == Visit::NotBegun {
				break;
			}
			last = Some(next);
			if visit == Visit::Interrupted {
				break;
			}
		}
		if last != start {
			Cursor::<T>::set(last);
		}
	}

	/// The next deal of the queue.
	fn unfilled_after(last: Option<DealId>) -> Option<DealId> {
		let mut keys = match last {
			Some(last) => {
				let key = Unfilled::<T>::hashed_key_for(DealKey::from(last));
				Unfilled::<T>::iter_keys_from(key)
			}
			None => Unfilled::<T>::iter_keys(),
		};
		keys.next().map(|key| key.id())
	}

	pub(crate) fn do_match_deal(id: DealId) -> Result<Weight, DispatchError> {
		let key = DealKey::from(id);
		ensure!(Deals::<T>::contains_key(key), Error::<T>::UnknownDeal);
		ensure!(Unfilled::<T>::contains_key(key), Error::<T>::DealIsFilled);
		let spent = T::WeightInfo::match_deal().saturating_add(T::WeightInfo::visit());
		let mut meter = WeightMeter::with_consumed_and_limit(spent, Self::match_deal_weight());
		Self::visit(id, true, &mut meter);
		Ok(meter.consumed())
	}

	/// Gives up the overdue workers of a deal and looks for new ones. `forced`: even asleep.
	pub(crate) fn visit(id: DealId, forced: bool, meter: &mut WeightMeter) -> Visit {
		let key = DealKey::from(id);
		let Some(vacancy) = Unfilled::<T>::get(key) else {
			return Visit::Over;
		};
		let present = Self::present();
		let sleeps = vacancy
			.asleep
			.is_some_and(|asleep| !asleep.is_over(&present));
		if sleeps && !forced {
			return Visit::Over;
		}
		let now = present.epoch;
		let mut progressed = false;
		for peer in vacancy.overdue(now) {
			if meter.try_consume(T::WeightInfo::release_worker()).is_err() {
				return Visit::out_of_weight(progressed);
			}
			let released: DispatchResult =
				with_storage_layer(|| Self::give_up(id, peer, ReleaseReason::NotLive));
			if let Err(error) = released {
				defensive!("an overdue worker can always be given up", error);
			}
			progressed = true;
		}
		Self::fill(id, progressed, meter)
	}

	/// Walks the book for a deal until it is filled, its turn is over or the weight runs out.
	fn fill(id: DealId, mut progressed: bool, meter: &mut WeightMeter) -> Visit {
		let key = DealKey::from(id);
		let Some(spec) = Specs::<T>::get(id) else {
			return Visit::Over;
		};
		let Some(vacancy) = Unfilled::<T>::get(key) else {
			return Visit::Over;
		};
		let mut after = vacancy.after;
		let present = Self::present();
		let (version, epoch) = match after {
			Some(_) => (vacancy.version, vacancy.epoch),
			None => (present.version, present.epoch),
		};
		let regions = Self::regions_of(&spec);
		let count = u32::try_from(regions.len()).unwrap_or(u32::MAX);
		if meter.try_consume(T::WeightInfo::walk(count)).is_err() {
			return Visit::out_of_weight(progressed);
		}
		let mut walk = Walk::new::<T>(spec.class, &regions, after);
		let order = Self::order_of(id, &spec);
		let mut looks = 0u32;
		let mut short = None;
		let (visit, asleep) = loop {
			if let Err(content) = Self::sought(id, &spec) {
				short = present.short.filter(|_| content == Content::EscrowTooLow);
				break (Visit::Over, true);
			}
			if looks >= MAX_LOOKS_PER_VISIT {
				break (Visit::Over, false);
			}
			let Some((place, peer)) = walk.next() else {
				break (Visit::Over, true);
			};
			if place.0 > spec.price_ceiling {
				break (Visit::Over, true);
			}
			let Some(left) = Self::begin_look(id, peer, meter) else {
				break (Visit::out_of_weight(progressed), false);
			};
			progressed = true;
			if left {
				// The deal is open again, also to offers that this walk has passed.
				after = None;
				break (Visit::Over, false);
			}
			looks = looks.saturating_add(1);
			after = Some(place);
			Self::try_take(id, &order, peer);
		};
		Unfilled::<T>::mutate_exists(key, |vacancy| {
			if let Some(vacancy) = vacancy {
				vacancy.after = after.filter(|_| !asleep);
				(vacancy.version, vacancy.epoch) = (version, epoch);
				vacancy.asleep = asleep.then_some(Sleep {
					epoch,
					version,
					short,
					..present
				});
			}
		});
		visit
	}

	/// What time it is, and for which book.
	fn present() -> Sleep {
		Sleep {
			epoch: T::Epochs::current().index,
			block: frame_system::Pallet::<T>::block_number().saturated_into(),
			version: BookVersion::<T>::get(),
			short: Some(Self::first_open()),
		}
	}

	/// What offers are measured by for a deal that stands.
	pub(crate) fn order_of(id: DealId, spec: &DealSpec<T::AccountId>) -> Order<'_, T::AccountId> {
		Order {
			deal: Some(id),
			barred: Self::barred(id),
			..Order::inquiry(spec)
		}
	}

	/// Peers that may not be matched to a deal in this epoch.
	fn barred(id: DealId) -> Vec<PeerId> {
		let now = T::Epochs::current().index;
		Exclusions::<T>::get(id)
			.into_iter()
			.filter(|(_, end)| *end > now)
			.map(|(peer, _)| peer)
			.collect()
	}

	/// Settles a peer so that a deal can look at it, and consumes what that and the look take: whether
	/// the peer has left the deal by it; `None` if the weight might not suffice.
	pub(crate) fn begin_look(id: DealId, peer: PeerId, meter: &mut WeightMeter) -> Option<bool> {
		let settled = T::Capacity::is_settled(peer);
		let settlement = match settled {
			true => Weight::zero(),
			false => T::Capacity::settle_weight(),
		};
		if !meter.can_consume(T::WeightInfo::look().saturating_add(settlement)) {
			return None;
		}
		meter.consume(T::WeightInfo::look());
		if settled {
			return Some(false);
		}
		let works = || PeerDeals::<T>::get(peer).contains(&id);
		let worked = works();
		meter.consume(T::Capacity::settle(peer));
		Some(worked && !works())
	}

	/// Takes an offer if it fits.
	fn try_take(id: DealId, order: &Order<T::AccountId>, peer: PeerId) {
		let Ok((offer, _)) = Self::consider(order, peer) else {
			return;
		};
		let units = order.spec.units_per_worker;
		let assigned: DispatchResult = with_storage_layer(|| Self::assign(id, peer, &offer, units));
		if let Err(error) = assigned {
			defensive!("an eligible offer can always be taken", error);
		}
	}

	/// Settles the closed epochs of a peer, so that what is proven is up to date.
	pub(crate) fn settle_first(peer: PeerId) {
		if !T::Capacity::is_settled(peer) {
			T::Capacity::settle(peer);
		}
	}

	/// Whether a deal lacks a worker and could pay one from the next epoch on, or the first reason why
	/// it looks for none. Those that leave with notice are replaced while they still serve.
	pub(crate) fn sought(id: DealId, spec: &DealSpec<T::AccountId>) -> Result<(), Content> {
		let deal = Self::deal_of(id).ok_or(Content::UnknownDeal)?;
		ensure!(deal.status == DealStatus::Active, Content::NotActive);
		let staying = deal.workers.saturating_sub(deal.draining);
		ensure!(staying < deal.target, Content::Filled);
		ensure!(deal.workers < MAX_WORKERS, Content::Full);
		let now = T::Epochs::current().index;
		ensure!(!deal.is_term_over(now), Content::TermOver);
		let price = spec
			.price_ceiling
			.saturating_mul(Balance::from(spec.units_per_worker));
		let ceiling = spec.epoch_price_ceiling().unwrap_or(Balance::MAX);
		ensure!(deal.has_room(price, ceiling, now), Content::Full);
		ensure!(
			deal.affords(price, Self::first_open(), now),
			Content::EscrowTooLow
		);
		Ok(())
	}

	/// The rows of the book that a specification may take from, each once.
	pub(crate) fn regions_of(spec: &DealSpec<T::AccountId>) -> Vec<Region> {
		KnownRegions::<T>::get(spec.class)
			.into_iter()
			.map(|(region, _)| region)
			.filter(|region| spec.regions.is_empty() || spec.regions.contains(region))
			.collect()
	}

	/// Whether a peer's offer can be taken: the offer and its free proven units, or the first
	/// reason against it.
	pub(crate) fn consider(
		order: &Order<T::AccountId>,
		peer: PeerId,
	) -> Result<(Offer<T::AccountId>, u32), Reason> {
		let spec = order.spec;
		let offer = Offers::<T>::get(peer).ok_or(Reason::NoOffer)?;
		let terms = &offer.terms;
		let regions = &spec.regions;
		ensure!(terms.class == spec.class, Reason::OtherClass);
		ensure!(
			regions.is_empty() || regions.contains(&terms.region),
			Reason::OtherRegion
		);
		ensure!(terms.ask <= spec.price_ceiling, Reason::AboveCeiling);
		ensure!(
			terms.capabilities & spec.capabilities == spec.capabilities,
			Reason::Capabilities
		);
		ensure!(
			terms.max_worker_bond >= spec.worker_bond
				&& Self::spendable(&offer.provider) >= spec.worker_bond,
			Reason::Bond
		);
		let wanted = match &spec.providers {
			ProviderFilter::Any => true,
			ProviderFilter::Allow(listed) => listed.contains(&offer.provider),
			ProviderFilter::Deny(listed) => !listed.contains(&offer.provider),
		};
		ensure!(wanted, Reason::ProviderFilter);
		let deals = PeerDeals::<T>::get(peer);
		let mut seats = order.found.get(&offer.provider).copied().unwrap_or(0);
		if let Some(id) = order.deal {
			ensure!(!deals.contains(&id), Reason::AlreadyWorks);
			seats = seats.saturating_add(Seats::<T>::get(id, &offer.provider));
		}
		ensure!(seats < spec.max_workers_per_provider, Reason::ProviderLimit);
		ensure!(Self::has_room(peer, &deals), Reason::TooManyDeals);
		ensure!(!order.barred.contains(&peer), Reason::Excluded);
		let is_proven = T::Capacity::is_settled(peer) && T::Capacity::proven_units(peer) > 0;
		ensure!(is_proven, Reason::Unproven);
		let free = Self::free_units(peer);
		ensure!(free >= spec.units_per_worker, Reason::TooFewUnits);
		Ok((offer, free))
	}
}
