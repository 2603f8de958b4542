//! A commitment as it is stored, and what can be read off it.

use crate::{rules, Accrual, Change, Outcome, Part};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{
	commitment::CommitmentTerms, views::CommitmentStatus, Balance, EpochIndex,
};
use scale_info::TypeInfo;

/// A peer's promise, backed by stake.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Commitment<AccountId> {
	/// Owner of the peer.
	pub provider: AccountId,
	/// Units promised.
	pub units: u32,
	/// What was agreed to.
	pub terms: CommitmentTerms,
	/// Where it stands.
	pub status: CommitmentStatus,
	/// The provider's own stake, first in line for slashes.
	pub own: Part,
	/// What is left of all delegators' stakes together.
	pub others: Balance,
	/// Shares of all together.
	pub shares: Balance,
	/// Stake that slashes took so far, those that wait included.
	pub slashed: Balance,
	/// Of this, what waits.
	pub waiting: Balance,
	/// Number of slashes that wait.
	pub waiting_slashes: u32,
	/// Rewards so far.
	pub rewarded: Balance,
	/// Rewards that no ledger has yet.
	pub accrual: Accrual,
	/// First epoch that is not settled: the frontier.
	pub next_to_settle: EpochIndex,
	/// Failure score.
	pub score: rules::Score,
	/// The last report. All before it are settled, so that one is enough.
	pub reported: Option<Outcome>,
	/// Units proven, and not voided, in the epoch that was settled last.
	pub proven: u32,
	/// The change that was agreed to, until the frontier reaches it.
	pub change: Option<Change>,
	/// First epoch of the present stake, once there was a change.
	pub changed: Option<EpochIndex>,
	/// What was committed before that change.
	pub committed_before: Balance,
	/// Epoch in which the end became known; 0 while there is none.
	pub known_over: EpochIndex,
	/// First epoch that was owed; 0 while it waits for its stake.
	pub began: EpochIndex,
	/// First equivocation of the provider that it has not paid for.
	pub equivocations: u32,
}

impl<AccountId> Commitment<AccountId> {
	/// One that waits for its stake.
	pub fn pending(
		provider: AccountId,
		units: u32,
		terms: CommitmentTerms,
		deadline: EpochIndex,
	) -> Self {
		Self {
			provider,
			units,
			terms,
			status: CommitmentStatus::Pending { deadline },
			own: Part::default(),
			others: 0,
			shares: 0,
			slashed: 0,
			waiting: 0,
			waiting_slashes: 0,
			rewarded: 0,
			accrual: Accrual::default(),
			next_to_settle: 0,
			score: rules::Score::default(),
			reported: None,
			proven: 0,
			change: None,
			changed: None,
			committed_before: 0,
			known_over: 0,
			began: 0,
			equivocations: 0,
		}
	}

	/// The stake as committed: what slashes are measured by. That it is a balance is checked before
	/// units and terms get here.
	pub fn committed(&self) -> Balance {
		self.terms
			.stake_per_unit
			.saturating_mul(Balance::from(self.units))
	}

	/// Stake that is left.
	pub fn left(&self) -> Balance {
		self.own.left.saturating_add(self.others)
	}

	/// Own part under which the commitment fails.
	pub fn own_floor(&self) -> Balance {
		self.terms.own_floor.mul_ceil(self.committed())
	}

	/// Stake of all together at which the commitment fails.
	pub fn stake_floor(&self) -> Balance {
		self.terms.stake_floor.mul_floor(self.committed())
	}

	/// Whether it binds.
	pub fn is_active(&self) -> bool {
		matches!(self.status, CommitmentStatus::Active { .. })
	}

	/// Units that are owed in an epoch from the frontier on.
	pub fn units_at(&self, epoch: EpochIndex) -> u32 {
		self.change
			.filter(|change| change.at <= epoch)
			.map_or(self.units, |change| change.units)
	}

	/// First epoch that an active commitment does not owe, with the change that was agreed to.
	pub fn end_at(&self) -> Option<EpochIndex> {
		let CommitmentStatus::Active { end, .. } = self.status else {
			return None;
		};
		Some(self.change.map_or(end, |change| change.end))
	}

	/// Whether the commitment owes work for an epoch.
	pub fn owes(&self, epoch: EpochIndex) -> bool {
		let CommitmentStatus::Active { start, .. } = self.status else {
			return false;
		};
		start <= epoch && self.end_at().is_some_and(|end| epoch < end)
	}

	/// What the last report claimed, if it was the epoch's.
	pub fn outcome(&self, epoch: EpochIndex) -> Option<Outcome> {
		self.reported.filter(|outcome| outcome.epoch == epoch)
	}

	/// Whether too little stake is left to go on: the provider's own is under its floor, or no more
	/// is there than the floor of all together.
	pub fn is_short(&self) -> bool {
		self.own.left < self.own_floor() || self.left() <= self.stake_floor()
	}

	/// Whether it stood in an epoch, so that its stake answers for it. Stake that unbonds answers for
	/// later epochs, too.
	pub fn stood_in(&self, epoch: EpochIndex) -> bool {
		!matches!(self.status, CommitmentStatus::Pending { .. }) && self.began <= epoch
	}

	/// What was committed in an epoch, but for a change that is not in effect.
	pub fn committed_in(&self, epoch: EpochIndex) -> Balance {
		if self.changed.is_some_and(|at| epoch < at) {
			self.committed_before
		} else {
			self.committed()
		}
	}

	/// First epoch in which the stake can be withdrawn, once the commitment is over.
	///
	/// Besides the unbonding, whatever was signed until the end was known must have been answerable
	/// for the whole challenge period, and so must the last report.
	pub fn withdrawable(&self) -> Option<EpochIndex> {
		let CommitmentStatus::Unbonding { until, .. } = self.status else {
			return None;
		};
		let challenge = self.terms.challenge_epochs;
		let known = self.known_over.saturating_add(challenge).saturating_add(3);
		// A report is taken in the epoch after the one it tells of, and can be challenged from then.
		let answerable = self.reported.map_or(0, |outcome| {
			let taken = outcome.epoch.saturating_add(1);
			taken.saturating_add(challenge).saturating_add(2)
		});
		Some(until.max(known).max(answerable))
	}
}
