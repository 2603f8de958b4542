//! What the pallet stores.

use crate::{rules, MAX_AUDITS};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{
	capacity::{WorkRates, MAX_UNITS},
	merkle::MAX_PATH,
	peer::PeerId,
	views::CommitmentStatus,
	Balance, EpochIndex, FLT, H256, U256,
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Perbill;

/// Longest challenge period: the receipts' ring remembers 64 epochs of reports, and a report is
/// answered for from the epoch after it on.
pub const MAX_CHALLENGE_EPOCHS: u32 = 60;

/// Most solutions of a peer: the path to each must fit into the answer to an audit.
const MAX_LEAVES: u64 = 1 << MAX_PATH;

/// Parameters that governance sets. Those of a commitment freeze at its creation, those of an epoch
/// at its start.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct CapacityParams {
	/// Stake of one unit.
	#[serde(with = "millrace_primitives::decimal")]
	pub stake_per_unit: Balance,
	/// Part of a unit's stake that a missed epoch costs.
	pub slash_rate: Perbill,
	/// Shortest commitment in epochs.
	pub min_duration_epochs: u32,
	/// Longest commitment in epochs.
	pub max_duration_epochs: u32,
	/// Epochs that a commitment waits for its stake, besides the one that it was created in.
	pub pending_epochs: u32,
	/// Epochs between the end of a commitment and the return of its stake.
	pub unbonding_epochs: u32,
	/// Epochs in which a report can be challenged.
	pub challenge_epochs: u32,
	/// Reports that are audited in an epoch, if there are as many.
	pub audits_per_epoch: u32,
	/// Solutions that units owe; not more for a whole peer than paths can lead to.
	pub rates: WorkRates,
	/// Target of the class's reference machine; targets stay within ×/÷ 2 of it.
	pub target_reference: U256,
	/// Reward of a unit and epoch that the pool moves towards.
	#[serde(with = "millrace_primitives::decimal")]
	pub reward_target_per_unit: Balance,
	/// Smallest pool of an epoch, which is also the first one.
	#[serde(with = "millrace_primitives::decimal")]
	pub pool_floor: Balance,
	/// Largest pool of an epoch: the emission schedule's bound.
	#[serde(with = "millrace_primitives::decimal")]
	pub pool_ceiling: Balance,
}

impl CapacityParams {
	/// Whether the parameters make sense together.
	pub fn is_valid(&self) -> bool {
		let answerable = self.challenge_epochs.saturating_add(2);
		self.stake_per_unit > 0 &&
			self.min_duration_epochs > 0 &&
			self.min_duration_epochs <= self.max_duration_epochs &&
			self.pending_epochs > 0 &&
			self.challenge_epochs <= MAX_CHALLENGE_EPOCHS &&
			self.unbonding_epochs > answerable &&
			self.audits_per_epoch <= MAX_AUDITS &&
			self.rates.idle > 0 &&
			self.rates.busy > 0 &&
			self.rates.leaves(MAX_UNITS, 0) <= MAX_LEAVES &&
			self.rates.leaves(0, MAX_UNITS) <= MAX_LEAVES &&
			self.target_reference > U256::one() &&
			// A hundredth of the pool, by which it moves, must not be nothing.
			self.pool_floor >= 100 &&
			self.pool_floor <= self.pool_ceiling
	}
}

impl Default for CapacityParams {
	/// The mainnet's.
	fn default() -> Self {
		Self {
			stake_per_unit: FLT.saturating_mul(100),
			slash_rate: Perbill::from_parts(1_000_000),
			min_duration_epochs: 720,
			max_duration_epochs: 17_520,
			pending_epochs: 2,
			unbonding_epochs: 504,
			challenge_epochs: 24,
			audits_per_epoch: 200,
			rates: WorkRates { idle: 32, busy: 4 },
			// 32 solutions in half an hour at 2.7 ms a hash take 20,833 tries each.
			target_reference: U256::MAX
				.checked_div(U256::from(20_833u32))
				.unwrap_or(U256::MAX),
			reward_target_per_unit: FLT.saturating_div(100),
			pool_floor: FLT,
			pool_ceiling: FLT.saturating_mul(1_000),
		}
	}
}

/// What both sides of a commitment agreed to at its creation.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Terms {
	/// [`CapacityParams::stake_per_unit`].
	pub stake_per_unit: Balance,
	/// [`CapacityParams::slash_rate`].
	pub slash_rate: Perbill,
	/// [`CapacityParams::unbonding_epochs`].
	pub unbonding_epochs: u32,
	/// [`CapacityParams::challenge_epochs`].
	pub challenge_epochs: u32,
}

/// What a report claimed.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Outcome {
	/// The epoch.
	pub epoch: EpochIndex,
	/// Idle units proven.
	pub idle: u32,
	/// Units at work proven.
	pub busy: u32,
}

impl Outcome {
	/// All units proven.
	pub fn proven(&self) -> u32 {
		self.idle.saturating_add(self.busy)
	}
}

/// A peer's promise, backed by stake.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Commitment<AccountId> {
	/// Owner of the peer, and of the stake.
	pub provider: AccountId,
	/// Units promised.
	pub units: u32,
	/// Epochs promised.
	pub duration_epochs: u32,
	/// What was agreed to.
	pub terms: Terms,
	/// Where it stands.
	pub status: CommitmentStatus,
	/// Stake that is left.
	pub stake: Balance,
	/// Stake that burnt.
	pub slashed: Balance,
	/// Reward credited so far.
	pub rewarded: Balance,
	/// First epoch that is not settled.
	pub next_to_settle: EpochIndex,
	/// Failure score, see [`rules::next_score`].
	pub score: u64,
	/// The last report. All before it are settled, so that one is enough.
	pub reported: Option<Outcome>,
	/// Units proven, and not voided, in the epoch that was settled last.
	pub proven: u32,
}

impl<AccountId> Commitment<AccountId> {
	/// The stake as committed: what slashes are measured by.
	pub fn committed_stake(&self) -> Option<Balance> {
		self.terms
			.stake_per_unit
			.checked_mul(Balance::from(self.units))
	}

	/// Whether the commitment owes work for an epoch.
	pub fn owes(&self, epoch: EpochIndex) -> bool {
		matches!(
			self.status,
			CommitmentStatus::Active { start, end } if start <= epoch && epoch < end
		)
	}

	/// What the last report claimed, if it was the epoch's.
	pub fn outcome(&self, epoch: EpochIndex) -> Option<Outcome> {
		self.reported.filter(|outcome| outcome.epoch == epoch)
	}
}

/// Totals of one epoch over all peers.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct EpochRow {
	/// The epoch.
	pub epoch: EpochIndex,
	/// Its target.
	pub target: U256,
	/// Solutions that its units owe.
	pub rates: WorkRates,
	/// Its pool of rewards.
	pub pool: Balance,
	/// Most that a unit is rewarded with.
	pub max_reward_per_unit: Balance,
	/// Audits that are drawn; before the draw, those that would be.
	pub audits: u32,
	/// Reports that proved at least one unit: the length of the epoch's list.
	pub reports: u32,
	/// Units that they proved.
	pub units: u64,
	/// Idle ones among them.
	pub idle: u64,
	/// Solutions that the peers which reported owed.
	pub leaves_owed: u64,
	/// Solutions that they proved.
	pub leaves_proven: u64,
}

impl EpochRow {
	/// What a proven idle unit is rewarded with.
	pub fn reward_per_unit(&self) -> Balance {
		rules::reward_per_unit(self.pool, self.idle, self.max_reward_per_unit)
	}
}

/// An entry of an epoch's list of reports.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Listed {
	/// The peer.
	pub peer: PeerId,
	/// Units proven by it and by all before it in the list.
	pub running_total: u64,
}

/// A draw that goes on over several blocks.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Draw {
	/// The epoch whose reports are drawn from.
	pub epoch: EpochIndex,
	/// Randomness.
	pub draw: H256,
	/// Entries looked at.
	pub attempts: u32,
	/// Peers drawn.
	pub drawn: u32,
}

/// What did not hold in the answer to an audit.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum AuditFailure {
	/// The report is not the one that the chain kept the hash of.
	OtherReport,
	/// More or fewer solutions were opened than drawn.
	SolutionCount,
	/// A solution does not lead to the report's root at the drawn index.
	SolutionPath,
	/// A solution does not meet the epoch's target.
	SolutionWork,
	/// A receipt does not hold; the receipts pallet says why.
	Receipt,
}
