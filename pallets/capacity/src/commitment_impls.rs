//! The life of a commitment: creation, stake, end of the bond.

use crate::{
	types::{CapacityParams, Commitment, Terms},
	Audits, Commitments, Config, Credited, Error, Event, HoldReason, Pallet, Params,
};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Weight},
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use millrace_primitives::{
	capacity::MAX_UNITS,
	peer::PeerId,
	traits::{EpochClock, PeerRegistry, PeerUse},
	views::{CommitmentStatus, CommitmentView},
	Balance,
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_create(
		who: T::AccountId,
		peer: PeerId,
		units: u32,
		duration_epochs: u32,
	) -> DispatchResult {
		let provider = T::Peers::provider_of(peer).ok_or(Error::<T>::UnknownPeer)?;
		ensure!(provider == who, Error::<T>::NotProvider);
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

		let deadline = T::Clock::current()
			.index
			.saturating_add(params.pending_epochs);
		let commitment = Commitment {
			provider: provider.clone(),
			units,
			duration_epochs,
			terms: Terms {
				stake_per_unit: params.stake_per_unit,
				slash_rate: params.slash_rate,
				unbonding_epochs: params.unbonding_epochs,
				challenge_epochs: params.challenge_epochs,
			},
			status: CommitmentStatus::Pending { deadline },
			stake: 0,
			slashed: 0,
			rewarded: 0,
			next_to_settle: 0,
			score: 0,
			reported: None,
			proven: 0,
		};
		ensure!(
			commitment.committed_stake().is_some(),
			Error::<T>::StakeTooLarge
		);
		Commitments::<T>::insert(peer, commitment);
		Self::deposit_event(Event::CommitmentCreated {
			peer,
			provider,
			units,
			deadline,
		});
		Ok(())
	}

	pub(crate) fn do_stake(who: T::AccountId, peer: PeerId) -> DispatchResult {
		let mut commitment = Commitments::<T>::get(peer).ok_or(Error::<T>::NoCommitment)?;
		ensure!(commitment.provider == who, Error::<T>::NotProvider);
		let CommitmentStatus::Pending { deadline } = commitment.status else {
			return Err(Error::<T>::NotPending.into());
		};
		let current = T::Clock::current().index;
		ensure!(current <= deadline, Error::<T>::Lapsed);

		let amount = commitment
			.committed_stake()
			.ok_or(Error::<T>::StakeTooLarge)?;
		T::Currency::hold(&HoldReason::Stake.into(), &who, amount)?;
		let start = current.saturating_add(1);
		let end = start.saturating_add(commitment.duration_epochs);
		commitment.status = CommitmentStatus::Active { start, end };
		commitment.stake = amount;
		commitment.next_to_settle = start;
		Commitments::<T>::insert(peer, commitment);
		Self::deposit_event(Event::Staked {
			peer,
			amount,
			start,
			end,
		});
		Ok(())
	}

	pub(crate) fn do_cancel(who: T::AccountId, peer: PeerId) -> DispatchResult {
		let commitment = Commitments::<T>::get(peer).ok_or(Error::<T>::NoCommitment)?;
		let CommitmentStatus::Pending { deadline } = commitment.status else {
			return Err(Error::<T>::NotPending.into());
		};
		ensure!(
			commitment.provider == who || T::Clock::current().index > deadline,
			Error::<T>::NotLapsed
		);
		Commitments::<T>::remove(peer);
		Self::deposit_event(Event::CommitmentCancelled { peer });
		Ok(())
	}

	pub(crate) fn do_withdraw(peer: PeerId) -> DispatchResult {
		let commitment = Commitments::<T>::get(peer).ok_or(Error::<T>::NoCommitment)?;
		let CommitmentStatus::Unbonding { until, .. } = commitment.status else {
			return Err(Error::<T>::StillActive.into());
		};
		// A report is taken in the epoch after the one it tells of, and can be challenged from then.
		let answerable = commitment.reported.map_or(0, |outcome| {
			outcome
				.epoch
				.saturating_add(1)
				.saturating_add(commitment.terms.challenge_epochs)
				.saturating_add(2)
		});
		let current = T::Clock::current().index;
		ensure!(current >= until.max(answerable), Error::<T>::StillBonded);

		let Commitment {
			provider,
			stake: amount,
			..
		} = commitment;
		T::Currency::release(
			&HoldReason::Stake.into(),
			&provider,
			amount,
			Precision::Exact,
		)?;
		Commitments::<T>::remove(peer);
		Self::deposit_event(Event::StakeWithdrawn {
			peer,
			provider,
			amount,
		});
		Ok(())
	}

	pub(crate) fn do_set_params(params: CapacityParams) -> DispatchResult {
		ensure!(params.is_valid(), Error::<T>::BadParams);
		Params::<T>::put(params);
		Self::deposit_event(Event::ParamsSet { params });
		Ok(())
	}

	/// A peer's commitment as clients see it.
	pub fn commitment(peer: PeerId) -> Option<CommitmentView<T::AccountId>> {
		Commitments::<T>::get(peer).map(|commitment| CommitmentView {
			peer,
			provider: commitment.provider,
			units: commitment.units,
			stake: commitment.stake,
			slashed: commitment.slashed,
			status: commitment.status,
			next_to_settle: commitment.next_to_settle,
			rewarded: commitment.rewarded,
		})
	}

	/// Reward that an account was credited with.
	pub fn credited(account: &T::AccountId) -> Balance {
		Credited::<T>::get(account)
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
