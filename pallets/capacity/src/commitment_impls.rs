//! The life of a commitment: creation, the end, withdrawal; and what several parts of the pallet
//! share.

use crate::{
	ActiveStakes, Audits, CapacityParams, CommitmentOf, Commitments, Config, Delegations,
	Departures, Error, Event, HoldReason, Leaving, Pallet, Params, Rounds, TotalActiveStake,
	WeightInfo, MAX_PARTS,
};
use alloc::{vec, vec::Vec};
use frame_support::{
	defensive,
	dispatch::WithPostDispatchInfo,
	ensure,
	pallet_prelude::{DispatchResult, DispatchResultWithPostInfo, Weight},
	traits::{fungible::MutateHold, tokens::Precision, DefensiveSaturating, Get},
};
use millrace_primitives::{
	capacity::MAX_UNITS,
	commitment::{CommitmentTerms, RoundKind, StakeOffer, StakerTerms},
	governance::Contradiction,
	peer::PeerId,
	traits::{EpochClock, OnStake, PeerRegistry, PeerUse, ReceiptLedger},
	views::CommitmentStatus,
	Balance, EpochIndex, U256,
};
use sp_runtime::{DispatchError, Perbill};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_create(
		who: T::AccountId,
		peer: PeerId,
		units: u32,
		duration_epochs: u32,
		offer: StakeOffer<T::AccountId>,
	) -> DispatchResult {
		Self::ensure_provider(peer, &who)?;
		ensure!(
			!Commitments::<T>::contains_key(peer),
			Error::<T>::AlreadyCommitted
		);
		ensure!(
			(1..=MAX_UNITS).contains(&units),
			Error::<T>::UnitsOutOfRange
		);
		let params = Params::<T>::get();
		ensure!(
			(params.min_duration_epochs..=params.max_duration_epochs).contains(&duration_epochs),
			Error::<T>::DurationOutOfRange
		);
		ensure!(
			offer.own_part >= params.min_own_part,
			Error::<T>::OwnPartOutOfRange
		);

		let terms = Self::start_terms(units, duration_epochs, offer.own_part, offer.commission);
		let needed = Self::committed_by(&terms)?;
		let reserved = offer.own_part.mul_ceil(needed);
		let deadline = T::Clock::current()
			.index
			.saturating_add(params.pending_epochs);
		let commitment = CommitmentOf::<T>::pending(who.clone(), units, terms.terms, deadline);
		Commitments::<T>::insert(peer, commitment);
		Self::deposit_event(Event::CommitmentCreated {
			peer,
			provider: who.clone(),
			units,
			deadline,
		});
		Self::open_round(peer, &who, terms, needed, reserved, deadline, offer.invited)
	}

	/// Refuses whoever is not the provider of a peer.
	pub(crate) fn ensure_provider(peer: PeerId, who: &T::AccountId) -> DispatchResult {
		let provider = T::Peers::provider_of(peer).ok_or(Error::<T>::UnknownPeer)?;
		ensure!(provider == *who, Error::<T>::NotProvider);
		Ok(())
	}

	/// What stakers sign of a new commitment.
	pub fn start_terms(
		units: u32,
		duration_epochs: u32,
		own_part: Perbill,
		commission: Perbill,
	) -> StakerTerms {
		Self::terms_for(
			RoundKind::Start,
			units,
			duration_epochs,
			0,
			Params::<T>::get().terms(own_part, commission),
		)
	}

	/// What stakers of a round sign, in one place for the rounds and for those who ask beforehand.
	pub(crate) fn terms_for(
		kind: RoundKind,
		units: u32,
		duration_epochs: u32,
		end: EpochIndex,
		terms: CommitmentTerms,
	) -> StakerTerms {
		StakerTerms {
			kind,
			units,
			duration_epochs,
			end,
			terms,
		}
	}

	/// Stake of all units under these terms.
	pub(crate) fn committed_by(terms: &StakerTerms) -> Result<Balance, Error<T>> {
		terms
			.terms
			.stake_per_unit
			.checked_mul(Balance::from(terms.units))
			.ok_or(Error::<T>::StakeTooLarge)
	}

	/// Runs a call that adds to its weight what it does, and says at the end what it was.
	pub(crate) fn weighed(
		mut weight: Weight,
		call: impl FnOnce(&mut Weight) -> DispatchResult,
	) -> DispatchResultWithPostInfo {
		match call(&mut weight) {
			Ok(()) => Ok(Some(weight).into()),
			Err(error) => Err(error.with_weight(weight)),
		}
	}

	/// A peer's commitment, with all its closed epochs settled and its provider's equivocations paid.
	pub(crate) fn settled(
		peer: PeerId,
		pusher: Option<&T::AccountId>,
		weight: &mut Weight,
	) -> Option<CommitmentOf<T>> {
		let commitment = Commitments::<T>::get(peer)?;
		if matches!(commitment.status, CommitmentStatus::Pending { .. }) {
			return Some(commitment);
		}
		let step = Self::settle_closed(peer, pusher);
		weight.saturating_accrue(step.weight);
		Commitments::<T>::get(peer)
	}

	/// Ends an active commitment at the frontier. The caller stores it and tells the market.
	pub(crate) fn conclude(peer: PeerId, commitment: &mut CommitmentOf<T>, failed: bool) {
		Self::flush(peer, commitment);
		let until = commitment
			.next_to_settle
			.saturating_add(commitment.terms.unbonding_epochs);
		commitment.status = CommitmentStatus::Unbonding { until, failed };
		commitment.known_over = T::Clock::current().index;
		commitment.proven = 0;
		commitment.change = None;
		Self::move_active_stake(&commitment.provider, commitment.left(), 0);
		Self::deposit_event(Event::CommitmentEnded { peer, failed });
	}

	/// The stake behind an active commitment of the provider was `before` and is `after`.
	pub(crate) fn move_active_stake(provider: &T::AccountId, before: Balance, after: Balance) {
		if before == after {
			return;
		}
		let moved = |sum: Balance| {
			sum.defensive_saturating_sub(before)
				.defensive_saturating_add(after)
		};
		let active = moved(ActiveStakes::<T>::get(provider));
		if active == 0 {
			ActiveStakes::<T>::remove(provider);
		} else {
			ActiveStakes::<T>::insert(provider, active);
		}
		TotalActiveStake::<T>::mutate(|total| *total = moved(*total));
		T::OnStake::on_active_stake(provider, active);
	}

	pub(crate) fn do_withdraw(who: T::AccountId, peer: PeerId) -> DispatchResultWithPostInfo {
		Self::weighed(T::WeightInfo::withdraw(0), |weight| {
			let rows = Self::withdraw_due(&who, peer, weight)?;
			let paid = T::WeightInfo::withdraw(rows).saturating_sub(T::WeightInfo::withdraw(0));
			weight.saturating_accrue(paid);
			Ok(())
		})
	}

	/// Pays out every stake of a peer that is due; how many those were.
	fn withdraw_due(
		who: &T::AccountId,
		peer: PeerId,
		weight: &mut Weight,
	) -> Result<u32, DispatchError> {
		let mut commitment =
			Self::settled(peer, Some(who), weight).ok_or(Error::<T>::NoCommitment)?;
		let current = T::Clock::current().index;
		let leaving = Departures::<T>::get(peer);
		let (left, stays): (Option<Leaving<_>>, Option<Leaving<_>>) = match leaving {
			Some(leaving) if current >= leaving.until => (Some(leaving), None),
			leaving => (None, leaving),
		};

		let Some(withdrawable) = commitment.withdrawable() else {
			let left = left.ok_or(Error::<T>::StillActive)?;
			return Ok(Self::pay_leavers(who, peer, &commitment, left));
		};
		let answers = current < withdrawable || stays.is_some() || T::Receipts::has_open_case(peer);
		let bond = if answers {
			Some(Error::<T>::StillBonded)
		} else if commitment.waiting_slashes != 0 {
			Some(Error::<T>::SlashesWait)
		} else if Rounds::<T>::contains_key(peer) {
			Some(Error::<T>::RoundOpen)
		} else {
			None
		};
		if let Some(error) = bond {
			// Whoever left before the end need not wait for what the others wait for.
			let left = left.ok_or(error)?;
			return Ok(Self::pay_leavers(who, peer, &commitment, left));
		}

		Self::flush(peer, &mut commitment);
		let mut rows = vec![(commitment.provider.clone(), commitment.own.left)];
		let stakes = Delegations::<T>::take(peer);
		rows.extend(
			stakes
				.into_iter()
				.map(|stake| (stake.staker, stake.part.left)),
		);
		rows.extend(Self::rows_of(left));
		Departures::<T>::remove(peer);
		Commitments::<T>::remove(peer);
		let paid = Self::pay_out(who, peer, &rows);
		Self::deposit_event(Event::CommitmentRemoved { peer });
		Ok(paid)
	}

	/// Pays out the stakes that left with the last renewal; how many those were.
	fn pay_leavers(
		who: &T::AccountId,
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		leaving: Leaving<T::AccountId>,
	) -> u32 {
		let rows = Self::rows_of(Some(leaving));
		Departures::<T>::remove(peer);
		if Self::is_owner(peer, commitment, who) {
			return Self::pay_each(peer, &rows, None);
		}
		Self::pay_out(who, peer, &rows)
	}

	fn rows_of(leaving: Option<Leaving<T::AccountId>>) -> Vec<(T::AccountId, Balance)> {
		leaving
			.into_iter()
			.flat_map(|leaving| leaving.rows)
			.map(|row| (row.staker, row.left))
			.collect()
	}

	/// Frees stakes, with a bounty for the caller unless one of them is its own.
	fn pay_out(who: &T::AccountId, peer: PeerId, rows: &[(T::AccountId, Balance)]) -> u32 {
		let owner = rows.iter().any(|(staker, _)| staker == who);
		Self::pay_each(peer, rows, (!owner).then_some(who))
	}

	/// Frees stakes, each alone, and takes the pusher's bounty out of them in proportion.
	pub(crate) fn pay_each(
		peer: PeerId,
		rows: &[(T::AccountId, Balance)],
		pusher: Option<&T::AccountId>,
	) -> u32 {
		let number = u32::try_from(rows.len()).unwrap_or(MAX_PARTS);
		let all = rows
			.iter()
			.fold(0, |sum: Balance, (_, amount)| sum.saturating_add(*amount));
		let bounty = Self::bounty(T::WeightInfo::withdraw(number), all);
		let mut paid: Balance = 0;
		for (staker, left) in rows {
			let cut = pusher.map_or(0, |pusher| {
				let cut = Self::cut_of(bounty, *left, all);
				Self::give(HoldReason::Stake, staker, pusher, cut)
			});
			paid = paid.saturating_add(cut);
			let amount = left.saturating_sub(cut);
			Self::release(HoldReason::Stake, staker, amount);
			Self::leave_place(staker);
			if amount > 0 {
				Self::deposit_event(Event::StakeWithdrawn {
					peer,
					staker: staker.clone(),
					amount,
				});
			}
		}
		if let (Some(pusher), true) = (pusher, paid > 0) {
			Self::deposit_event(Event::BountyPaid {
				peer,
				pusher: pusher.clone(),
				amount: paid,
			});
		}
		number
	}

	/// A stake's part of a bounty, rounded down.
	fn cut_of(bounty: Balance, stake: Balance, all: Balance) -> Balance {
		U256::from(bounty)
			.saturating_mul(U256::from(stake))
			.checked_div(U256::from(all))
			.and_then(|cut| Balance::try_from(cut).ok())
			.unwrap_or(0)
	}

	/// Frees what is on hold. That it is on hold is what `try_state` checks.
	pub(crate) fn release(reason: HoldReason, who: &T::AccountId, amount: Balance) {
		if amount == 0 {
			return;
		}
		if let Err(error) = T::Currency::release(&reason.into(), who, amount, Precision::Exact) {
			defensive!("what is on hold can be released", error);
		}
	}

	/// Sets the parameters for commitments and renewals to come and, where they are an epoch's, from the
	/// next epoch that starts on. Nothing that stands changes its terms.
	pub fn apply_params(params: CapacityParams) -> Result<(), Contradiction> {
		ensure!(params.is_valid(), Contradiction);
		Params::<T>::put(params);
		Self::deposit_event(Event::ParamsSet { params });
		Ok(())
	}

	/// Weight of a withdrawal at its bound.
	pub(crate) fn withdraw_weight() -> Weight {
		T::WeightInfo::withdraw(MAX_PARTS).saturating_add(Self::settlement_weight())
	}
}

impl<T: Config> PeerUse for Pallet<T> {
	fn in_use(peer: PeerId) -> bool {
		Commitments::<T>::contains_key(peer)
	}

	fn forget(peer: PeerId) {
		Audits::<T>::remove(peer);
	}

	fn weight() -> Weight {
		T::DbWeight::get().reads_writes(1, 1)
	}
}
