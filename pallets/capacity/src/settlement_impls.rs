//! Settlement: each closed epoch of a commitment is judged once, in order, and for good.
//!
//! A step always settles everything that is closed, in at most four pieces: the one epoch that was
//! reported, a run of silence, an agreed change, another run of silence. Each is settled in closed
//! form, so that a step costs the same for one epoch and for a thousand. Before them it takes what the
//! provider's equivocations cost, if there are any that the commitment has not paid for, and the
//! audit of its last report, if an offence ended the commitment before that was settled.

use crate::{
	rules, Amnesties, Amnesty, Audits, CommitmentOf, Commitments, Config, EpochRow, Error, Event,
	Outcome, Pallet, Params, SlashReason, WeightInfo, MAX_PARTS,
};
use frame_support::{
	defensive,
	dispatch::WithPostDispatchInfo,
	ensure,
	pallet_prelude::{DispatchResultWithPostInfo, Weight},
	traits::Get,
};
use millrace_primitives::{
	audit::AuditStatus,
	commitment::MAX_STAKERS,
	peer::PeerId,
	traits::{Capacity, EpochClock, OnStake, WorkLedger, MAX_EQUIVOCATIONS},
	views::CommitmentStatus,
	Balance, EpochIndex,
};

/// What one step of settlement came to.
#[derive(Debug)]
pub(crate) struct Step {
	/// Epochs that it settled.
	pub(crate) epochs: u32,
	/// Equivocations of the provider that it looked at.
	pub(crate) equivocations: u32,
	/// Whether it took what the last report of a commitment that is over costs.
	voided: bool,
	/// The epoch that the market is told of, and whether its report is void.
	told: Option<(EpochIndex, bool)>,
	/// Whether the commitment has failed, if it is over with it.
	over: Option<bool>,
	/// Weight that it took.
	pub(crate) weight: Weight,
}

impl Step {
	/// Whether there was nothing to settle, and nothing has changed.
	pub(crate) fn is_idle(&self) -> bool {
		self.epochs == 0 && self.equivocations == 0 && !self.voided
	}
}

/// What one piece of a step came to.
struct Piece {
	/// Epochs that it settled.
	epochs: u32,
	/// Whether the commitment has failed by it.
	failed: bool,
	/// Weight that it took beyond [`WeightInfo::settle`].
	weight: Weight,
}

impl<T: Config> Pallet<T> {
	/// Settles a peer for whoever calls, and refuses where there is nothing to settle.
	pub(crate) fn do_settle(peer: PeerId, who: T::AccountId) -> DispatchResultWithPostInfo {
		ensure!(
			Commitments::<T>::contains_key(peer),
			Error::<T>::NoCommitment.with_weight(Self::idle_weight())
		);
		let step = Self::settle_closed(peer, Some(&who));
		ensure!(
			!step.is_idle(),
			Error::<T>::NothingToSettle.with_weight(step.weight)
		);
		Ok(Some(step.weight).into())
	}

	/// Settles every closed epoch of a peer, after its provider's equivocations: those are charged to
	/// the stake as it stands before another change.
	///
	/// Of what burns at once, `pusher` has its bounty, unless it is one of the stakers.
	pub(crate) fn settle_closed(peer: PeerId, pusher: Option<&T::AccountId>) -> Step {
		let Some(mut commitment) = Commitments::<T>::get(peer) else {
			return Self::idle_step();
		};
		let mut step = Self::settle_commitment(peer, &mut commitment, pusher);
		if !step.is_idle() {
			Commitments::<T>::insert(peer, commitment);
			Self::tell_market(peer, &mut step);
		}
		step
	}

	/// What [`Self::settle_closed`] does to a commitment. The caller stores it and then tells the
	/// market, which may ask about the peer; unless the step is idle.
	pub(crate) fn settle_commitment(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		pusher: Option<&T::AccountId>,
	) -> Step {
		let equivocations = Self::take_equivocations(peer, commitment, pusher);
		let voided = Self::void_last_report(peer, commitment);
		let closed = T::Clock::last_closed().filter(|_| commitment.is_active());
		let is_due = |next: EpochIndex| closed.filter(|last| next <= *last);
		if equivocations == 0 && voided.is_none() && is_due(commitment.next_to_settle).is_none() {
			return Self::idle_step();
		}
		let amnesty = Amnesties::<T>::get();
		let (mut epochs, mut weight) = (0u32, T::WeightInfo::settle());
		weight.saturating_accrue(voided.unwrap_or_default());
		let (mut told, mut over) = (None, None);
		if equivocations > 0 {
			weight.saturating_accrue(Self::equivocations_weight(equivocations));
			over = (commitment.is_active() && commitment.is_short()).then_some(true);
		}

		while let (None, Some(last)) = (over, is_due(commitment.next_to_settle)) {
			let first = commitment.next_to_settle;
			let piece = if let Some(outcome) = commitment.outcome(first) {
				let (piece, void) =
					Self::settle_reported(peer, commitment, outcome, &amnesty, pusher);
				told = Some((first, void));
				piece
			} else {
				Self::settle_silence(peer, commitment, last, &amnesty, pusher)
			};
			epochs = epochs.saturating_add(piece.epochs);
			weight.saturating_accrue(piece.weight);
			if piece.epochs == 0 {
				defensive!("an epoch that is owed can be settled");
				break;
			}

			let next = commitment.next_to_settle;
			if piece.failed {
				over = Some(true);
				continue;
			}
			if commitment.change.is_some_and(|change| change.at <= next) {
				// A change that is void leaves everything as it was.
				let _ = Self::apply_change(peer, commitment);
				weight.saturating_accrue(T::WeightInfo::change(MAX_PARTS));
			}
			if end_of(commitment) <= next {
				over = Some(false);
			}
		}

		let settled = commitment.next_to_settle.saturating_sub(1);
		if let Some(failed) = over {
			weight.saturating_accrue(T::WeightInfo::conclude());
			weight.saturating_accrue(Self::flush_weight(commitment));
			Self::conclude(peer, commitment, failed);
		} else if epochs > 0
			&& rules::period_of(settled, commitment.terms.vesting_epochs)
				> commitment.accrual.period
		{
			// The period is over, so nothing more comes to it.
			weight.saturating_accrue(Self::flush_weight(commitment));
			Self::flush(peer, commitment);
		}
		Step {
			epochs,
			equivocations,
			voided: voided.is_some(),
			told: (epochs > 0).then_some(told.unwrap_or((settled, false))),
			over,
			weight,
		}
	}

	/// Tells the market what a step came to, whose commitment is stored; the step takes that weight
	/// too.
	pub(crate) fn tell_market(peer: PeerId, step: &mut Step) {
		let mut weight = step.weight;
		if let Some((epoch, void)) = step.told {
			let market = T::Work::on_settled(peer, epoch, void);
			weight.saturating_accrue(market.saturating_sub(Self::told_weight()));
		}
		if let Some(failed) = step.over {
			weight.saturating_accrue(T::Work::on_commitment_over(peer, failed));
		}
		step.weight = weight.min(Self::settlement_weight());
	}

	/// A step for which there was nothing to do.
	fn idle_step() -> Step {
		Step {
			epochs: 0,
			equivocations: 0,
			voided: false,
			told: None,
			over: None,
			weight: Self::idle_weight(),
		}
	}

	/// Settles the epoch at the frontier, which was reported: what it came to, and whether the
	/// report counts for nothing.
	fn settle_reported(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		outcome: Outcome,
		amnesty: &Amnesty,
		pusher: Option<&T::AccountId>,
	) -> (Piece, bool) {
		let epoch = outcome.epoch;
		let (terms, units) = (commitment.terms, commitment.units);
		let row = Self::row(epoch);
		let excused = amnesty.is_excused(epoch);
		let void = Self::is_void(peer, epoch);
		let proven = if void { 0 } else { outcome.proven() };
		let missed = units.saturating_sub(proven);
		let mut weight = Weight::zero();

		let mut slashed = 0;
		if missed > 0 && !excused {
			let due = rules::miss_slash(&terms, missed);
			weight.saturating_accrue(Self::slash_weight_of(commitment));
			slashed = Self::slash_now(peer, commitment, due, pusher);
		}
		let mut waiting = 0;
		if void {
			weight.saturating_accrue(Self::wait_slash_weight_of(commitment));
			waiting = Self::charge_audit(peer, commitment, outcome, row);
		}
		commitment.score = if excused {
			let before = epoch.saturating_sub(1);
			commitment.score.aged(before, epoch)
		} else {
			commitment.score.after_epoch(epoch, missed, units)
		};

		let rewarded = match row {
			Some(row) if !void => row
				.reward_per_unit()
				.saturating_mul(Balance::from(outcome.idle)),
			_ => 0,
		};
		if rewarded > 0 {
			weight.saturating_accrue(Self::credit(peer, commitment, epoch, rewarded));
		}
		commitment.proven = proven;
		commitment.next_to_settle = epoch.saturating_add(1);
		Self::deposit_event(Event::EpochSettled {
			peer,
			epoch,
			missed,
			excused,
			slashed,
			waiting,
			rewarded,
			void,
		});
		let piece = Piece {
			epochs: 1,
			failed: commitment.score.is_over(epoch) || commitment.is_short(),
			weight,
		};
		(piece, void)
	}

	/// Takes what the last report of a commitment costs that an offence ended before the report's
	/// epoch was settled, if its audit was not passed: nobody shall get rid of an audit by failing for
	/// less. The weight, if there was something to take; the report proves nothing from then on.
	fn void_last_report(peer: PeerId, commitment: &mut CommitmentOf<T>) -> Option<Weight> {
		if !matches!(commitment.status, CommitmentStatus::Unbonding { .. }) {
			return None;
		}
		let next = commitment.next_to_settle;
		let outcome = commitment
			.reported
			.filter(|outcome| outcome.epoch >= next && outcome.proven() > 0)?;
		let epoch = outcome.epoch;
		if T::Clock::last_closed().is_none_or(|last| last < epoch) || !Self::is_void(peer, epoch) {
			return None;
		}
		let weight = Self::wait_slash_weight_of(commitment);
		Self::charge_audit(peer, commitment, outcome, Self::row(epoch));
		commitment.reported = Some(Outcome {
			epoch,
			idle: 0,
			busy: 0,
		});
		Some(weight)
	}

	/// Whether the report of an epoch that is closed counts for nothing: an audit that is still open
	/// was not answered.
	fn is_void(peer: PeerId, epoch: EpochIndex) -> bool {
		Audits::<T>::get(peer)
			.is_some_and(|audit| audit.epoch == epoch && audit.status != AuditStatus::Passed)
	}

	/// Takes what a report costs whose audit was not passed, which waits; how much that is.
	fn charge_audit(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		outcome: Outcome,
		row: Option<EpochRow>,
	) -> Balance {
		// Waiting until the totals are forgotten must not be cheaper than any answer.
		let due = row.map_or(Balance::MAX, |row| {
			rules::audit_slash(&commitment.terms, commitment.units, &row, outcome.proven())
		});
		let (reason, epoch) = (SlashReason::Audit, outcome.epoch);
		Self::slash_later(peer, commitment, reason, epoch, due, None)
	}

	/// Settles the epochs from the frontier on that were not reported: up to `last`, to an agreed
	/// change, to the end, or to the one that fails the commitment.
	fn settle_silence(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		last: EpochIndex,
		amnesty: &Amnesty,
		pusher: Option<&T::AccountId>,
	) -> Piece {
		let first = commitment.next_to_settle;
		let bound = commitment
			.change
			.map_or(EpochIndex::MAX, |change| change.at)
			.min(end_of(commitment));
		let purse = rules::Purse {
			own: commitment.own.left,
			others: commitment.others,
			stake_floor: commitment.stake_floor(),
			floor: commitment.own_floor(),
			each: rules::miss_slash(&commitment.terms, commitment.units),
		};
		let until = last.min(bound.saturating_sub(1));
		let silence = rules::silence(first, until, commitment.score, &purse, |epoch| {
			amnesty.is_excused(epoch)
		});

		let mut weight = Weight::zero();
		let mut slashed = 0;
		if silence.slash > 0 {
			weight = Self::slash_weight_of(commitment);
			slashed = Self::slash_now(peer, commitment, silence.slash, pusher);
		}
		commitment.score = silence.score;
		commitment.proven = 0;
		commitment.next_to_settle = first.saturating_add(silence.epochs);
		Self::deposit_event(Event::SilenceSettled {
			peer,
			first,
			last: commitment.next_to_settle.saturating_sub(1),
			excused: silence.excused,
			slashed,
		});
		Piece {
			epochs: silence.epochs,
			failed: silence.failed,
			weight,
		}
	}

	/// Weight of finding that there is nothing to settle.
	fn idle_weight() -> Weight {
		// The commitment, the provider's equivocations, the amnesty, and the clock's epoch, lengths
		// and position.
		T::DbWeight::get().reads(6)
	}

	/// Weight of a slash that burns, for the stakers that there may be.
	fn slash_weight_of(commitment: &CommitmentOf<T>) -> Weight {
		let stakers = if commitment.others > 0 {
			MAX_STAKERS
		} else {
			1
		};
		T::WeightInfo::slash(stakers).saturating_add(T::OnStake::weight())
	}

	/// Weight of a slash that waits, for the stakers that there may be.
	fn wait_slash_weight_of(commitment: &CommitmentOf<T>) -> Weight {
		let stakers = if commitment.others > 0 {
			MAX_STAKERS
		} else {
			1
		};
		T::WeightInfo::wait_slash(stakers).saturating_add(T::OnStake::weight())
	}

	/// What the weights of a settlement and of the market's part in it both have, since a settlement is
	/// measured with a market that has nothing to pay: the work that was reported and the peer's load
	/// are read and written, its offer is read.
	fn told_weight() -> Weight {
		T::DbWeight::get().reads_writes(3, 2)
	}

	/// Weight of a settlement at its bound: the reported epoch costs misses and an audit, silence
	/// before and after a change costs misses, and the provider has equivocated as often as is told
	/// apart.
	pub(crate) fn settlement_weight() -> Weight {
		T::WeightInfo::settle()
			.saturating_add(Self::equivocations_weight(MAX_EQUIVOCATIONS))
			.saturating_add(T::WeightInfo::slash(MAX_STAKERS).saturating_mul(3))
			.saturating_add(T::WeightInfo::wait_slash(MAX_STAKERS))
			.saturating_add(T::WeightInfo::change(MAX_PARTS))
			.saturating_add(T::WeightInfo::flush(MAX_STAKERS).saturating_mul(2))
			.saturating_add(T::WeightInfo::conclude())
			.saturating_add(T::Work::on_settled_weight().saturating_mul(2))
			.saturating_add(T::OnStake::weight().saturating_mul(6))
	}
}

/// First epoch that an active commitment does not owe as it stands, without a change to come.
fn end_of<AccountId>(commitment: &crate::Commitment<AccountId>) -> EpochIndex {
	match commitment.status {
		CommitmentStatus::Active { end, .. } => end,
		_ => 0,
	}
}

impl<T: Config> Capacity for Pallet<T> {
	fn settle(peer: PeerId) -> Weight {
		Self::settle_closed(peer, None).weight
	}

	fn is_settled(peer: PeerId) -> bool {
		let (Some(commitment), Some(last_closed)) =
			(Commitments::<T>::get(peer), T::Clock::last_closed())
		else {
			return true;
		};
		!commitment.is_active() || commitment.next_to_settle > last_closed
	}

	fn proven_units(peer: PeerId) -> u32 {
		Commitments::<T>::get(peer).map_or(0, |commitment| commitment.proven)
	}

	fn settle_weight() -> Weight {
		Self::settlement_weight()
	}

	fn challenge_epochs() -> EpochIndex {
		Params::<T>::get().challenge_epochs
	}

	fn missed(peer: PeerId, epoch: EpochIndex) -> bool {
		// Judged when the draw is known, and so behind the window; until then it may be excused.
		let amnesty = Amnesties::<T>::get();
		if amnesty.latest < epoch || amnesty.is_excused(epoch) {
			return false;
		}
		// Only the last report is kept, which tells nothing of the epochs before its own.
		Commitments::<T>::get(peer).is_some_and(|commitment| {
			let is_silent = commitment
				.reported
				.is_none_or(|outcome| outcome.epoch < epoch);
			is_silent && commitment.owes(epoch)
		})
	}
}
