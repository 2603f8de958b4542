//! Money: holds, the pot with all escrow, payments for served epochs, and the ledger of units that
//! capacity asks.

use crate::{pallet::*, types::*, weights::WeightInfo};
use alloc::vec::Vec;
use frame_support::{
	defensive, ensure,
	pallet_prelude::DispatchResult,
	storage::with_storage_layer,
	traits::{
		fungible::{Inspect, MutateHold},
		tokens::{Fortitude, Precision, Preservation, Restriction},
		Get,
	},
	weights::Weight,
	BoundedVec,
};
use millrace_primitives::{
	market::Worker,
	peer::PeerId,
	report::{Served, MAX_DEALS_PER_PEER},
	traits::{PeerRegistry, WorkLedger},
	Balance, DealId, EpochIndex, Gas,
};
use sp_runtime::{traits::AccountIdConversion, DispatchError};

/// What one deal is charged for one epoch of one worker.
#[derive(Default)]
struct Charge {
	/// To its provider.
	paid: Balance,
	burnt: Balance,
	/// Whether its vouchers were asked.
	by_gas: bool,
}

impl<T: Config> Pallet<T> {
	/// The account on which the escrow and closing deposit of every deal stand. Genesis endows it
	/// with the existential deposit, so that it can hold any amount, however small.
	pub fn pot() -> T::AccountId {
		T::PotId::get().into_account_truncating()
	}

	/// What the pallet cannot do without at genesis.
	pub(crate) fn check_genesis(params: &MarketParams) {
		// A chain without any FLT has no deals either.
		let endowed = T::Currency::balance(&Self::pot()) >= T::Currency::minimum_balance();
		assert!(
			endowed || T::Currency::total_issuance() == 0,
			"genesis must endow the market's pot with the existential deposit",
		);
		assert!(
			Self::keeps_owners(params),
			"a deal's deposit must not be below the existential deposit",
		);
		assert!(
			params.is_valid(),
			"the market's parameters contradict each other",
		);
	}

	/// Whether a deal's deposit keeps its owner's account in being, so that the escrow has somewhere
	/// to go back to.
	pub(crate) fn keeps_owners(params: &MarketParams) -> bool {
		params.deal_deposit >= T::Currency::minimum_balance()
	}

	/// Whether parameters make sense, together and in this runtime.
	pub fn accepts(params: &MarketParams) -> bool {
		params.is_valid() && Self::keeps_owners(params)
	}

	/// Balance that is neither locked nor needed to keep the account.
	pub(crate) fn spendable(who: &T::AccountId) -> Balance {
		T::Currency::reducible_balance(who, Preservation::Preserve, Fortitude::Polite)
	}

	/// Holds an amount of unlocked balance on its owner's account: what comes back in the end.
	pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		ensure!(Self::spendable(who) >= amount, Error::<T>::FundsTooLow);
		T::Currency::hold(&reason.into(), who, amount)
	}

	/// Releases exactly an amount that is held.
	pub(crate) fn release(
		reason: HoldReason,
		who: &T::AccountId,
		amount: Balance,
	) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		T::Currency::release(&reason.into(), who, amount, Precision::Exact).map(|_| ())
	}

	/// Moves an amount of unlocked balance into the pot. It must leave the account: what is held on
	/// it counts towards its locks, and so would free as much locked balance to be spent.
	pub(crate) fn take_escrow(from: &T::AccountId, amount: Balance) -> DispatchResult {
		ensure!(Self::spendable(from) >= amount, Error::<T>::FundsTooLow);
		T::Currency::transfer_and_hold(
			&HoldReason::Escrow.into(),
			from,
			&Self::pot(),
			amount,
			Precision::Exact,
			Preservation::Preserve,
			Fortitude::Polite,
		)
		.map(|_| ())
	}

	/// Pays an amount out of the pot.
	pub(crate) fn pay_out(to: &T::AccountId, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		T::Currency::transfer_on_hold(
			&HoldReason::Escrow.into(),
			&Self::pot(),
			to,
			amount,
			Precision::Exact,
			Restriction::Free,
			Fortitude::Force,
		)
		.map(|_| ())
	}

	/// Burns an amount of what is in the pot.
	fn burn_from_pot(amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		T::Currency::burn_held(
			&HoldReason::Escrow.into(),
			&Self::pot(),
			amount,
			Precision::Exact,
			Fortitude::Force,
		)
		.map(|_| ())
	}

	/// Books an amount as paid by a deal: the provider's part and the burnt one. The caller takes it
	/// off the deal's escrow or closing deposit, and out of the pot.
	fn book(
		deal: &mut Deal<T::AccountId>,
		amount: Balance,
	) -> Result<(Balance, Balance), DispatchError> {
		let (paid, burnt) = deal.terms.split(amount);
		deal.paid = deal.paid.checked_add(paid).ok_or(Error::<T>::Arithmetic)?;
		deal.burnt = deal
			.burnt
			.checked_add(burnt)
			.ok_or(Error::<T>::Arithmetic)?;
		Ok((paid, burnt))
	}

	/// Pays the served epoch of all deals of a report at once: each deal is charged for itself, then
	/// their sum leaves the pot. How many of them are billed by gas.
	fn pay_epoch(
		peer: PeerId,
		epoch: EpochIndex,
		deals: &[(DealId, Gas)],
	) -> Result<u32, DispatchError> {
		let provider = T::Peers::provider_of(peer).ok_or(Error::<T>::UnknownPeer)?;
		let (mut to_provider, mut to_burn, mut by_gas) = (0, 0, 0u32);
		for (id, gas) in deals {
			// Each deal stands alone: none can keep another from being paid.
			let charge = Self::charge_epoch(*id, peer, epoch, *gas).unwrap_or_else(|error| {
				defensive!("an escrow covers its dues", error);
				Charge {
					by_gas: true,
					..Default::default()
				}
			});
			to_provider = charge
				.paid
				.checked_add(to_provider)
				.ok_or(Error::<T>::Arithmetic)?;
			to_burn = charge
				.burnt
				.checked_add(to_burn)
				.ok_or(Error::<T>::Arithmetic)?;
			by_gas = by_gas.saturating_add(charge.by_gas.into());
		}
		Self::pay_out(&provider, to_provider)?;
		Self::burn_from_pot(to_burn)?;
		if to_provider > 0 || to_burn > 0 {
			Self::deposit_event(Event::ReportPaid {
				peer,
				epoch,
				paid: to_provider,
				burnt: to_burn,
			});
		}
		Ok(by_gas)
	}

	/// Charges one deal for a served epoch in which so much gas was reported, or what it still has for
	/// it. Writes nothing when it fails.
	fn charge_epoch(
		id: DealId,
		peer: PeerId,
		epoch: EpochIndex,
		gas: Gas,
	) -> Result<Charge, DispatchError> {
		let key = DealKey::from(id);
		let Some(worker) = Workers::<T>::get(id, peer) else {
			return Ok(Charge::default());
		};
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		if !worker.is_due(epoch) || !deal.pays(epoch) {
			return Ok(Charge::default());
		}
		let in_grace = deal.is_in_grace(epoch);
		let price = match in_grace {
			true => Self::price_in_grace(&deal, &worker),
			false => worker.epoch_price(),
		};
		let (due, redeemed) = Self::bill(id, &deal, peer, price, gas);
		let source = match in_grace {
			true => &mut deal.closing_deposit,
			false => &mut deal.escrow,
		};
		let amount = due.min(*source);
		*source = source.checked_sub(amount).ok_or(Error::<T>::Arithmetic)?;
		let (paid, burnt) = Self::book(&mut deal, amount)?;
		if let Some(redeemed) = redeemed {
			Vouchers::<T>::insert(id, peer, redeemed);
		}
		if amount > 0 {
			Deals::<T>::insert(key, &deal);
		}
		Ok(Charge {
			paid,
			burnt,
			by_gas: deal.full_gas.is_some(),
		})
	}

	/// Pays a worker of a deal that ended early one epoch from what is left of the closing deposit. The
	/// caller stores the deal.
	pub(crate) fn pay_closing(
		id: DealId,
		deal: &mut Deal<T::AccountId>,
		worker: &Worker,
	) -> DispatchResult {
		let provider = T::Peers::provider_of(worker.peer).ok_or(Error::<T>::UnknownPeer)?;
		let amount = worker.epoch_price().min(deal.closing_deposit);
		if amount == 0 {
			return Ok(());
		}
		let (paid, burnt) = Self::book(deal, amount)?;
		Self::pay_out(&provider, paid)?;
		Self::burn_from_pot(burnt)?;
		deal.closing_deposit = deal
			.closing_deposit
			.checked_sub(amount)
			.ok_or(Error::<T>::Arithmetic)?;
		Self::deposit_event(Event::ClosingPaid {
			deal: id,
			peer: worker.peer,
			paid,
			burnt,
		});
		Ok(())
	}

	/// Weight of paying for so many deals, of which some are billed by gas.
	fn settled_weight(deals: u32, by_gas: u32) -> Weight {
		let vouchers = T::WeightInfo::on_settled_by_gas(by_gas)
			.saturating_sub(T::WeightInfo::on_settled(by_gas));
		T::WeightInfo::on_settled(deals).saturating_add(vouchers)
	}

	/// How many deals a list has.
	pub(crate) fn count(deals: &DealList) -> u32 {
		u32::try_from(deals.len()).unwrap_or(MAX_DEALS_PER_PEER)
	}

	/// Forgets what only matters as long as a peer may be owed something.
	pub(crate) fn forget_dues(peer: PeerId) {
		Loads::<T>::remove(peer);
		Reported::<T>::remove(peer);
	}

	/// Ends one worker of a commitment that is over, by the peer's fault if it has failed.
	fn end_with_commitment(id: DealId, peer: PeerId, failed: bool) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		if failed && !Self::has_served(&deal, &worker) {
			let reason = ReleaseReason::CommitmentFailed;
			Self::expel(id, &mut deal, worker, reason, None)?;
		} else {
			Self::remove_worker(id, &mut deal, &worker, ReleaseReason::CommitmentOver)?;
		}
		Deals::<T>::insert(key, deal);
		Ok(())
	}
}

impl<T: Config> WorkLedger for Pallet<T> {
	fn busy_units(peer: PeerId, epoch: EpochIndex) -> u32 {
		Loads::<T>::get(peer).at_work.at(epoch)
	}

	fn on_report(peer: PeerId, epoch: EpochIndex, served: &[Served]) {
		let deals = PeerDeals::<T>::get(peer);
		let mut listed: Vec<(DealId, Gas)> = served
			.iter()
			.map(|part| (part.deal, part.gas))
			.filter(|(deal, _)| deals.contains(deal))
			.collect();
		// Reports are ordered, so one that lists a deal twice would be seen to here.
		listed.dedup_by_key(|(deal, _)| *deal);
		// Also one that lists none is noted: whoever works and is left out of it is lost.
		if !deals.is_empty() {
			Reported::<T>::insert(peer, (epoch, BoundedVec::truncate_from(listed)));
		}
	}

	fn on_settled(peer: PeerId, epoch: EpochIndex, void: bool) -> Weight {
		// Epochs are settled in order and before the next report, so an older one is stale.
		let reported = Reported::<T>::mutate_exists(peer, |reported| {
			let settles = reported.as_ref().is_some_and(|(of, _)| *of <= epoch);
			if settles {
				reported.take()
			} else {
				None
			}
		});
		let served = reported.filter(|(of, _)| *of == epoch && !void);
		let deals = served.map(|(_, deals)| deals).unwrap_or_default();
		let listed = u32::try_from(deals.len()).unwrap_or(MAX_DEALS_PER_PEER);
		let mut by_gas = 0;
		if !deals.is_empty() {
			by_gas = with_storage_layer(|| Self::pay_epoch(peer, epoch, &deals)).unwrap_or_else(
				|error| {
					defensive!("the pot holds every escrow", error);
					listed
				},
			);
		}
		if Self::with_load(peer, |_| Some(())).is_err() {
			defensive!("a load can always move on");
		}
		Self::refresh_book(peer);
		Self::settled_weight(listed, by_gas)
	}

	fn on_commitment_over(peer: PeerId, failed: bool) -> Weight {
		let deals = PeerDeals::<T>::get(peer);
		let weight = T::WeightInfo::on_commitment_over(Self::count(&deals));
		for deal in deals {
			let ended: DispatchResult =
				with_storage_layer(|| Self::end_with_commitment(deal, peer, failed));
			if let Err(error) = ended {
				defensive!("a worker can always end", error);
			}
		}
		// Nothing is owed any more. What it signed may still be opened.
		Self::forget_dues(peer);
		Self::refresh_book(peer);
		weight
	}

	fn on_drawn(peer: PeerId) -> Weight {
		Self::fail_one_of(peer)
	}

	fn on_report_weight(served: u32) -> Weight {
		T::WeightInfo::on_report(served)
	}

	fn on_settled_weight() -> Weight {
		Self::settled_weight(MAX_DEALS_PER_PEER, MAX_DEALS_PER_PEER)
			.max(T::WeightInfo::on_commitment_over(MAX_DEALS_PER_PEER))
	}

	fn on_drawn_weight() -> Weight {
		T::WeightInfo::on_drawn(MAX_DEALS_PER_PEER).saturating_add(T::WeightInfo::fail_probe())
	}
}
