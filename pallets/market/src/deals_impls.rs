//! Deals from their order to their closing.

use crate::{pallet::*, types::*, weights::WeightInfo};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{ensure, pallet_prelude::DispatchResult, weights::Weight};
use millrace_primitives::{
	capacity::MAX_UNITS,
	execution::{
		CallTerms, MAX_MEMORY_BYTES, MAX_PACKAGE_BYTES, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES,
	},
	governance::Contradiction,
	market::{
		is_host, CallLimits, DealSpec, DealStatus, Package, Worker, GAS_BILLED, HTTP_OUT,
		MAX_WORKERS,
	},
	traits::{Capacity, EpochClock},
	Balance, DealId, EpochIndex,
};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// A deal's row.
	pub(crate) fn deal_of(id: DealId) -> Option<Deal<T::AccountId>> {
		Deals::<T>::get(DealKey::from(id))
	}

	/// First epoch that is not closed yet.
	pub(crate) fn first_open() -> EpochIndex {
		T::Epochs::last_closed().map_or(0, |last| last.saturating_add(1))
	}

	/// All workers of a deal, at most [`MAX_WORKERS`].
	pub(crate) fn workers_of(id: DealId) -> Vec<Worker> {
		Workers::<T>::iter_prefix_values(id).collect()
	}

	pub(crate) fn do_create_deal(
		owner: T::AccountId,
		spec: DealSpec<T::AccountId>,
		escrow: Balance,
	) -> DispatchResult {
		let params = Params::<T>::get();
		let epoch_price = Self::check_spec(&spec, &params)?;
		let least = epoch_price
			.checked_mul(params.min_escrow_epochs.into())
			.ok_or(Error::<T>::PriceOverflow)?;
		ensure!(escrow >= least, Error::<T>::EscrowTooSmall);
		let into_pot = escrow
			.checked_add(epoch_price)
			.ok_or(Error::<T>::PriceOverflow)?;
		let created = T::Epochs::current().index;
		let term_end = match spec.term_epochs {
			Some(0) => return Err(Error::<T>::TermOutOfRange.into()),
			Some(epochs) => Some(
				created
					.checked_add(epochs)
					.ok_or(Error::<T>::TermOutOfRange)?,
			),
			None => None,
		};

		let id = NextDeal::<T>::get();
		NextDeal::<T>::put(id.checked_add(1).ok_or(Error::<T>::Arithmetic)?);
		Self::take_escrow(&owner, into_pot)?;
		Self::hold(HoldReason::DealDeposit, &owner, params.deal_deposit)?;
		let deal = Deal {
			owner: owner.clone(),
			heir: None,
			status: DealStatus::Active,
			early: false,
			created,
			term_end,
			target: spec.target_workers,
			workers: 0,
			live: 0,
			draining: 0,
			rate: AtStarts::default(),
			pledged: 0,
			moving: None,
			escrow,
			closing_deposit: epoch_price,
			grace: None,
			terms: params.terms(),
			deposit: params.deal_deposit,
			paid: 0,
			burnt: 0,
			profile: CallTerms::new(id, &spec.package, spec.limits, spec.hosts.clone()).profile,
			full_gas: spec.billing.full_gas(),
		};
		let key = DealKey::from(id);
		Deals::<T>::insert(key, deal);
		Specs::<T>::insert(id, spec);
		DealsOf::<T>::insert(&owner, key, ());
		Unfilled::<T>::insert(key, Vacancy::default());
		Self::deposit_event(Event::DealCreated {
			deal: id,
			owner,
			escrow,
			closing_deposit: epoch_price,
		});
		Ok(())
	}

	/// Checks everything that can be wrong with an order; the price of an epoch at the ceiling.
	fn check_spec(
		spec: &DealSpec<T::AccountId>,
		params: &MarketParams,
	) -> Result<Balance, DispatchError> {
		ensure!(Self::is_known_class(spec.class), Error::<T>::UnknownClass);
		ensure!(spec.units_per_worker > 0, Error::<T>::UnitsZero);
		ensure!(spec.units_per_worker <= MAX_UNITS, Error::<T>::TooManyUnits);
		Self::check_workers_wanted(spec.min_workers, spec.target_workers)?;
		ensure!(
			spec.max_workers_per_provider > 0,
			Error::<T>::WorkersOutOfRange
		);
		ensure!(
			spec.price_ceiling >= params.min_price,
			Error::<T>::PriceBelowMinimum
		);
		ensure!(
			spec.regions.iter().copied().all(Self::is_known_region),
			Error::<T>::UnknownRegion
		);
		Self::check_limits(&spec.limits, params)?;
		Self::check_package(&spec.package)?;
		Self::check_hosts(spec)?;
		Self::check_access(&spec.access, spec.rate)?;
		Self::check_billing(spec)?;
		Ok(spec
			.epoch_price_ceiling()
			.ok_or(Error::<T>::PriceOverflow)?)
	}

	/// Checks how many workers a deal looks for.
	pub(crate) fn check_workers_wanted(min: u32, target: u32) -> DispatchResult {
		ensure!(
			min > 0 && min <= target && target <= MAX_WORKERS,
			Error::<T>::WorkersOutOfRange
		);
		Ok(())
	}

	fn check_limits(limits: &CallLimits, params: &MarketParams) -> DispatchResult {
		ensure!(
			limits.gas > 0 && limits.memory_bytes > 0 && limits.response_bytes > 0,
			Error::<T>::LimitsZero
		);
		ensure!(
			limits.gas <= params.max_call_gas
				&& limits.memory_bytes <= MAX_MEMORY_BYTES
				&& limits.request_bytes <= MAX_REQUEST_BYTES
				&& limits.response_bytes <= MAX_RESPONSE_BYTES,
			Error::<T>::LimitsTooHigh
		);
		Ok(())
	}

	/// Checks what is known of a package without having it.
	pub(crate) fn check_package(package: &Package) -> DispatchResult {
		ensure!(package.size > 0, Error::<T>::PackageEmpty);
		ensure!(
			package.size <= MAX_PACKAGE_BYTES,
			Error::<T>::PackageTooLarge
		);
		ensure!(!package.links.is_empty(), Error::<T>::NoLinks);
		let is_url = |link: &[u8]| {
			(link.starts_with(b"http://") || link.starts_with(b"https://"))
				&& link.iter().all(u8::is_ascii_graphic)
		};
		ensure!(
			package.links.iter().all(|link| is_url(link.as_slice())),
			Error::<T>::BadLink
		);
		Ok(())
	}

	/// Only a worker that has the capability asks hosts, so nobody can order them without it.
	fn check_hosts(spec: &DealSpec<T::AccountId>) -> DispatchResult {
		ensure!(
			spec.hosts.is_empty() || spec.capabilities & HTTP_OUT == HTTP_OUT,
			Error::<T>::HostsNeedCapability
		);
		let mut seen = BTreeSet::new();
		ensure!(
			spec.hosts
				.iter()
				.all(|host| is_host(host) && seen.insert(host.as_slice())),
			Error::<T>::BadHost
		);
		Ok(())
	}

	/// Only a worker that has the capability takes vouchers, so nobody can order them without it.
	fn check_billing(spec: &DealSpec<T::AccountId>) -> DispatchResult {
		let Some(full_gas) = spec.billing.full_gas() else {
			return Ok(());
		};
		ensure!(full_gas > 0, Error::<T>::FullGasZero);
		ensure!(
			spec.capabilities & GAS_BILLED == GAS_BILLED,
			Error::<T>::BillingNeedsCapability
		);
		Ok(())
	}

	/// Weight of `top_up` at its bound, which is that of a deal in grace.
	pub(crate) fn top_up_weight() -> Weight {
		T::WeightInfo::top_up().saturating_add(T::WeightInfo::begin_grace(MAX_WORKERS))
	}

	/// Adds escrow to a deal, and ends its grace; the weight that it took.
	pub(crate) fn do_top_up(
		who: T::AccountId,
		id: DealId,
		amount: Balance,
	) -> Result<Weight, DispatchError> {
		ensure!(amount > 0, Error::<T>::AmountZero);
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let in_grace = match deal.status {
			DealStatus::Active => false,
			DealStatus::Grace => true,
			DealStatus::Ending { .. } => return Err(Error::<T>::DealEnding.into()),
		};
		let mut weight = T::WeightInfo::top_up();
		Self::take_escrow(&who, amount)?;
		if in_grace {
			// It reads of each worker what beginning a grace does.
			weight.saturating_accrue(T::WeightInfo::begin_grace(deal.workers));
			Self::end_grace(id, &mut deal, amount)?;
		} else {
			deal.escrow = deal
				.escrow
				.checked_add(amount)
				.ok_or(Error::<T>::Arithmetic)?;
		}
		// What it could not afford before it may afford now.
		Self::wake(id, &deal);
		Deals::<T>::insert(key, deal);
		Self::deposit_event(Event::DealToppedUp {
			deal: id,
			from: who,
			amount,
		});
		if in_grace {
			let from = T::Epochs::current().index.saturating_add(1);
			Self::deposit_event(Event::GraceEnded { deal: id, from });
		}
		Ok(weight)
	}

	/// Lets the matcher visit a deal that lacks live workers, even if it is asleep, and no other.
	pub(crate) fn wake(id: DealId, deal: &Deal<T::AccountId>) {
		Unfilled::<T>::mutate_exists(DealKey::from(id), |vacancy| {
			*vacancy = deal.is_queued().then(|| Vacancy {
				asleep: None,
				..vacancy.take().unwrap_or_default()
			});
		});
	}

	/// Weight of `stop` at its bound.
	pub(crate) fn stop_weight() -> Weight {
		T::WeightInfo::stop(MAX_WORKERS).saturating_add(Self::settlements_weight())
	}

	/// Gives a deal its last epoch; the weight that it took.
	pub(crate) fn do_stop(who: T::AccountId, id: DealId) -> Result<Weight, DispatchError> {
		let key = DealKey::from(id);
		let deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let is_ending = matches!(deal.status, DealStatus::Ending { .. });
		ensure!(!is_ending, Error::<T>::DealEnding);
		let weight = T::WeightInfo::stop(deal.workers).saturating_add(Self::settle_workers(id)?);

		// Settlements pay from the deal and may end workers: only now is it as it will be stopped,
		// and nothing is owed any more for a closed epoch.
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let last = T::Epochs::current().index;
		let first_open = Self::first_open();
		let paid_until = deal.paid_until(0, first_open, last);
		let expired = paid_until <= last;
		let had_its_time = deal.status == DealStatus::Grace || deal.is_term_over(last);
		ensure!(
			(expired && had_its_time) || who == deal.owner,
			Error::<T>::NotOwner
		);
		for worker in Self::workers_of(id) {
			let may_be_owed = (first_open..=last).any(|epoch| worker.is_due(epoch));
			if may_be_owed || Self::failed_in(id, worker.peer) >= Some(first_open) {
				// Its row stays for what it is still owed, or answers for; its units are free for
				// others, who begin in the next epoch at the earliest.
				Self::give_back_units(&worker);
				continue;
			}
			if !expired && Self::loses_by_end(&worker, last) {
				// It was kept from other deals and will be paid for no epoch.
				Self::pay_closing(id, &mut deal, &worker)?;
			}
			Self::remove_worker(id, &mut deal, &worker, ReleaseReason::DealStopped)?;
		}
		if expired && deal.status == DealStatus::Grace {
			// Nothing is due after grace, however late the stop comes; but until then its workers were
			// workers, and what they signed stays honest.
			deal.term_end = Some(paid_until);
		}
		deal.status = DealStatus::Ending { last };
		deal.early = !expired;
		(deal.live, deal.draining) = (0, 0);
		deal.rate = AtStarts::default();
		Deals::<T>::insert(key, deal);
		Unfilled::<T>::remove(key);
		Exclusions::<T>::remove(id);
		Failures::<T>::remove(id);
		Self::deposit_event(Event::DealStopped {
			deal: id,
			last,
			early: !expired,
		});
		Ok(weight)
	}

	/// Whether a worker would be paid for the epoch after the last one of its deal.
	fn loses_by_end(worker: &Worker, last: EpochIndex) -> bool {
		worker.is_due(last.saturating_add(1))
	}

	/// Weight of `close` at its bound.
	pub(crate) fn close_weight() -> Weight {
		T::WeightInfo::close(MAX_WORKERS).saturating_add(Self::settlements_weight())
	}

	/// Weight of the settlements that one `stop` or `close` makes itself, at their bound.
	fn settlements_weight() -> Weight {
		T::Capacity::settle_weight().saturating_mul(MAX_SETTLED_PER_CLOSE.into())
	}

	/// Ends what a stopped deal began; the weight that it took.
	pub(crate) fn do_close(id: DealId) -> Result<Weight, DispatchError> {
		let key = DealKey::from(id);
		let deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let DealStatus::Ending { last } = deal.status else {
			return Err(Error::<T>::DealActive.into());
		};
		let closed = T::Epochs::last_closed().is_some_and(|closed| closed >= last);
		ensure!(deal.workers == 0 || closed, Error::<T>::LastEpochOpen);
		let weight = T::WeightInfo::close(deal.workers).saturating_add(Self::settle_workers(id)?);

		// Settlements pay from the deal and may end workers: only now is it as it will be closed.
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		for worker in Self::workers_of(id) {
			if deal.early && Self::loses_by_end(&worker, last) {
				Self::pay_closing(id, &mut deal, &worker)?;
			}
			Self::remove_worker(id, &mut deal, &worker, ReleaseReason::DealClosed)?;
		}
		let refunded = deal
			.escrow
			.checked_add(deal.closing_deposit)
			.ok_or(Error::<T>::Arithmetic)?;
		// The deal deposit has kept the owner's account in being, so it can take any amount.
		Self::pay_out(&deal.owner, refunded)?;
		Self::release(HoldReason::DealDeposit, &deal.owner, deal.deposit)?;
		Deals::<T>::remove(key);
		Specs::<T>::remove(id);
		Packages::<T>::remove(id);
		DealsOf::<T>::remove(&deal.owner, key);
		Self::deposit_event(Event::DealClosed {
			deal: id,
			paid: deal.paid,
			burnt: deal.burnt,
			refunded,
		});
		Ok(weight)
	}

	/// Settles the workers of a deal that may be owed a closed epoch and that nobody settled, as
	/// long as they are few; the weight that it took.
	fn settle_workers(id: DealId) -> Result<Weight, DispatchError> {
		let mut weight = Weight::zero();
		let Some(last_closed) = T::Epochs::last_closed() else {
			return Ok(weight);
		};
		let unsettled: Vec<_> = Self::workers_of(id)
			.into_iter()
			.filter(|worker| worker.began_by(last_closed) && !T::Capacity::is_settled(worker.peer))
			.collect();
		ensure!(
			unsettled.len() as u64 <= u64::from(MAX_SETTLED_PER_CLOSE),
			Error::<T>::WorkersNotSettled
		);
		for worker in unsettled {
			weight.saturating_accrue(T::Capacity::settle(worker.peer));
			// Its commitment may have ended on the way, and with it the worker.
			let done = T::Capacity::is_settled(worker.peer)
				|| !Workers::<T>::contains_key(id, worker.peer);
			ensure!(done, Error::<T>::WorkersNotSettled);
		}
		Ok(weight)
	}

	/// The epoch for which a worker's peer has reported a deal and that is closed, but not settled.
	pub(crate) fn unsettled_epoch(
		id: DealId,
		worker: &Worker,
		first_open: EpochIndex,
	) -> Option<EpochIndex> {
		Reported::<T>::get(worker.peer)
			.filter(|(epoch, listed)| *epoch < first_open && Self::is_listed(listed, id))
			.map(|(epoch, _)| epoch)
			.filter(|epoch| worker.is_due(*epoch))
	}

	/// Last epoch that a deal with these workers pays for, by its escrow or in grace. Reads what each
	/// of them reported.
	pub(crate) fn paid_until(
		id: DealId,
		deal: &Deal<T::AccountId>,
		workers: &[Worker],
	) -> EpochIndex {
		let first_open = Self::first_open();
		let owes = |epoch: EpochIndex| deal.pays(epoch) && !deal.is_in_grace(epoch);
		let unsettled = workers
			.iter()
			.filter(|worker| Self::unsettled_epoch(id, worker, first_open).is_some_and(owes))
			.fold(0, |sum: Balance, worker| {
				sum.saturating_add(worker.epoch_price())
			});
		deal.paid_until(unsettled, first_open, T::Epochs::current().index)
	}

	/// Sets the parameters for records made from now on.
	pub fn apply_params(params: MarketParams) -> Result<(), Contradiction> {
		ensure!(Self::accepts(&params), Contradiction);
		Params::<T>::put(&params);
		Self::deposit_event(Event::ParamsSet { params });
		Ok(())
	}
}
