//! Settlement: each closed epoch of a commitment is judged once, in order, and for good.

use crate::{
	rules, Audits, Commitment, Commitments, Config, Credited, Error, Event, HoldReason, Pallet,
	WeightInfo, MAX_SETTLED_PER_STEP,
};
use frame_support::{
	defensive,
	dispatch::WithPostDispatchInfo,
	ensure,
	pallet_prelude::{DispatchResultWithPostInfo, Weight},
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision},
		DefensiveSaturating,
	},
};
use millrace_primitives::{
	audit::AuditStatus,
	peer::PeerId,
	traits::{Capacity, EpochClock, WorkLedger},
	views::CommitmentStatus,
	Balance, EpochIndex,
};

/// What an epoch comes to for one commitment.
#[derive(Debug)]
struct Verdict {
	/// Units proven, and not voided.
	proven: u32,
	/// Units owed and not proven.
	missed: u32,
	/// Stake to burn, if so much is left.
	slash: Balance,
	/// Reward to credit.
	reward: Balance,
	/// Whether the report counts for nothing.
	void: bool,
}

/// What one step of settlement came to.
#[derive(Debug)]
pub(crate) struct Step {
	/// Epochs that it settled.
	epochs: u32,
	/// Weight that it took.
	pub(crate) weight: Weight,
}

impl<T: Config> Pallet<T> {
	/// Settles a peer for whoever calls, and refuses where there is nothing to settle.
	pub(crate) fn do_settle(peer: PeerId) -> DispatchResultWithPostInfo {
		ensure!(
			Commitments::<T>::contains_key(peer),
			Error::<T>::NoCommitment.with_weight(Self::settlement_weight(0))
		);
		let step = Self::settle_closed(peer, MAX_SETTLED_PER_STEP);
		ensure!(
			step.epochs > 0,
			Error::<T>::NothingToSettle.with_weight(step.weight)
		);
		Ok(Some(step.weight).into())
	}

	/// Settles closed epochs of a peer, but not more than so many.
	pub(crate) fn settle_closed(peer: PeerId, most: u32) -> Step {
		let last_closed = T::Clock::last_closed();
		let (mut epochs, mut work) = (0u32, Weight::zero());
		while epochs < most {
			let Some(took) = last_closed.and_then(|last| Self::settle_next(peer, last)) else {
				break;
			};
			epochs = epochs.saturating_add(1);
			work.saturating_accrue(took);
		}
		// What the market does about an epoch without a report is a part of `WeightInfo::settle`.
		// It is counted here again, which over a long backlog must not come to more than the bound.
		let weight = T::WeightInfo::settle(epochs)
			.saturating_add(work)
			.min(Self::settlement_weight(epochs));
		Step { epochs, weight }
	}

	/// Settles the next epoch of a peer, if there is one and it is closed. The weight that the
	/// market took.
	fn settle_next(peer: PeerId, last_closed: EpochIndex) -> Option<Weight> {
		let mut commitment = Commitments::<T>::get(peer)?;
		let CommitmentStatus::Active { end, .. } = commitment.status else {
			return None;
		};
		let epoch = commitment.next_to_settle;
		if epoch > last_closed {
			return None;
		}

		let verdict = Self::judge(peer, &commitment, epoch);
		let slashed = Self::slash(&mut commitment, verdict.slash);
		Self::credit(&mut commitment, verdict.reward);
		commitment.score = rules::next_score(commitment.score, verdict.missed, commitment.units);
		commitment.proven = verdict.proven;
		commitment.next_to_settle = epoch.saturating_add(1);

		let committed = commitment.committed_stake().unwrap_or(Balance::MAX);
		let failed = rules::has_failed(commitment.score, commitment.slashed, committed);
		let over = failed || commitment.next_to_settle >= end;
		if over {
			let until = commitment
				.next_to_settle
				.saturating_add(commitment.terms.unbonding_epochs);
			commitment.status = CommitmentStatus::Unbonding { until, failed };
			commitment.proven = 0;
		}
		// Written before the market is told, which may ask about the peer.
		Commitments::<T>::insert(peer, commitment);

		Self::deposit_event(Event::EpochSettled {
			peer,
			epoch,
			missed: verdict.missed,
			slashed,
			rewarded: verdict.reward,
			void: verdict.void,
		});
		let mut took = T::Work::on_settled(peer, epoch, verdict.void);
		if over {
			Self::deposit_event(Event::CommitmentEnded { peer, failed });
			took.saturating_accrue(T::Work::on_commitment_over(peer));
		}
		Some(took)
	}

	/// Judges an epoch, changing nothing.
	fn judge(peer: PeerId, commitment: &Commitment<T::AccountId>, epoch: EpochIndex) -> Verdict {
		let (units, terms) = (commitment.units, &commitment.terms);
		let missed_all = rules::miss_slash(terms, units);
		let Some(outcome) = commitment.outcome(epoch) else {
			return Verdict {
				proven: 0,
				missed: units,
				slash: missed_all,
				reward: 0,
				void: false,
			};
		};
		// The epoch is closed, so an audit that is still open was not answered.
		let void = Audits::<T>::get(peer)
			.is_some_and(|audit| audit.epoch == epoch && audit.status != AuditStatus::Passed);
		let row = Self::row(epoch);
		if void {
			// Waiting until the totals are forgotten must not be cheaper than any answer.
			let audit_slash = row.map_or(Balance::MAX, |row| {
				rules::audit_slash(terms, units, &row, outcome.proven())
			});
			let slash = audit_slash.saturating_add(missed_all);
			return Verdict {
				proven: 0,
				missed: units,
				slash,
				reward: 0,
				void,
			};
		}
		let missed = units.saturating_sub(outcome.proven());
		Verdict {
			proven: outcome.proven(),
			missed,
			slash: rules::miss_slash(terms, missed),
			reward: row.map_or(0, |row| {
				row.reward_per_unit()
					.saturating_mul(Balance::from(outcome.idle))
			}),
			void,
		}
	}

	/// Burns stake, as much as is left, and says how much that was.
	fn slash(commitment: &mut Commitment<T::AccountId>, amount: Balance) -> Balance {
		let due = amount.min(commitment.stake);
		if due == 0 {
			return 0;
		}
		// Forced, so that no lock or vote on the account stands against a slash.
		let burnt = T::Currency::burn_held(
			&HoldReason::Stake.into(),
			&commitment.provider,
			due,
			Precision::Exact,
			Fortitude::Force,
		)
		.unwrap_or_else(|error| {
			defensive!("the stake is held", error);
			0
		});
		commitment.stake = commitment.stake.defensive_saturating_sub(burnt);
		commitment.slashed = commitment.slashed.defensive_saturating_add(burnt);
		burnt
	}

	/// Credits a reward to the provider.
	fn credit(commitment: &mut Commitment<T::AccountId>, reward: Balance) {
		if reward > 0 {
			commitment.rewarded = commitment.rewarded.defensive_saturating_add(reward);
			Credited::<T>::mutate(&commitment.provider, |credited| {
				*credited = credited.defensive_saturating_add(reward);
			});
		}
	}

	/// Weight of settling so many epochs of one peer, at its bound.
	///
	/// At most one of them was reported and is paid for, and at most one is the commitment's last;
	/// for all others the market only finds that there is nothing to pay.
	pub(crate) fn settlement_weight(epochs: u32) -> Weight {
		let own = T::WeightInfo::settle(epochs);
		if epochs == 0 {
			return own;
		}
		own.saturating_add(T::Work::on_settled_weight().saturating_mul(2))
	}
}

impl<T: Config> Capacity for Pallet<T> {
	fn settle(peer: PeerId) -> Weight {
		Self::settle_closed(peer, MAX_SETTLED_PER_STEP).weight
	}

	fn is_settled(peer: PeerId) -> bool {
		let (Some(commitment), Some(last_closed)) =
			(Commitments::<T>::get(peer), T::Clock::last_closed())
		else {
			return true;
		};
		!matches!(commitment.status, CommitmentStatus::Active { .. })
			|| commitment.next_to_settle > last_closed
	}

	fn proven_units(peer: PeerId) -> u32 {
		Commitments::<T>::get(peer).map_or(0, |commitment| commitment.proven)
	}

	fn settle_weight() -> Weight {
		Self::settlement_weight(MAX_SETTLED_PER_STEP)
	}
}
