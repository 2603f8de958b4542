//! The parameters that governance sets.

use crate::{types::MAX_CHALLENGE_EPOCHS, MAX_AUDITS};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{
	capacity::{WorkRates, MAX_UNITS},
	commitment::CommitmentTerms,
	merkle::MAX_PATH,
	Balance, FLT, U256,
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Perbill;

/// Most solutions of a peer: the path to each must fit into the answer to an audit.
const MAX_LEAVES: u64 = 1 << MAX_PATH;
/// Longest periods that parameters may name, so that no sum of epochs overflows.
const MAX_PERIOD_EPOCHS: u32 = 1 << 20;
/// A twentieth of what is committed: slashes from here on wait.
const SLASH_THAT_WAITS: Perbill = Perbill::from_percent(5);
/// Most epochs in a row that an amnesty can excuse.
pub(crate) const MAX_AMNESTY_EPOCHS: u32 = 16;
/// Largest part of what is moved that a bounty may be: whoever pushes must not live of it.
const MAX_BOUNTY: Perbill = Perbill::from_percent(10);

/// Parameters that governance sets. Those of a commitment freeze at its creation and with each
/// renewal, those of an epoch at its start.
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
	/// Epochs that a round waits for its stake, besides the one that it was opened in.
	pub pending_epochs: u32,
	/// Epochs between the end of a commitment and the return of its stake.
	pub unbonding_epochs: u32,
	/// Epochs in which a report can be challenged.
	pub challenge_epochs: u32,
	/// Least reports that are audited in an epoch, if there are as many.
	pub audits_per_epoch: u32,
	/// Solutions that units owe; not more for a whole peer than paths can lead to.
	pub rates: WorkRates,
	/// Target of the class's reference machine; targets stay within ×/÷ 2 of it.
	pub target_reference: U256,
	/// Reward of a unit and epoch that the pool moves towards.
	#[serde(with = "millrace_primitives::decimal")]
	pub reward_target_per_unit: Balance,
	/// Pool of an epoch below which it does not aim, and which is also the first one; the schedule
	/// of emission may force it lower.
	#[serde(with = "millrace_primitives::decimal")]
	pub pool_floor: Balance,
	/// Least part of the stake that providers bring themselves.
	pub min_own_part: Perbill,
	/// A commitment fails when the provider's own part is under this part of what is committed.
	pub own_floor: Perbill,
	/// Epochs that a slash of a twentieth or more of what is committed waits.
	pub slash_delay_epochs: u32,
	/// Epochs before the end of a commitment until which a renewal can raise the commission.
	pub notice_epochs: u32,
	/// Epochs over which a reward vests.
	pub vesting_epochs: u32,
	/// Most epochs in a row that cost no misses because too much of the network was missing; 0: none.
	pub amnesty_epochs: u32,
	/// Part of the units of the last ordinary epoch below which those of another one excuse it.
	pub amnesty_part: Perbill,
	/// A commitment fails when no more than this part of what is committed is left.
	pub stake_floor: Perbill,
	/// Least part of what is committed that an audit costs which is failed or not answered.
	pub least_audit_slash: Perbill,
	/// Part of the pool by which it moves in an epoch at most.
	pub pool_step: Perbill,
	/// Part of the target by which the reward of a unit can be above it.
	pub reward_headroom: Perbill,
	/// Fees of the work that a bounty for it is at most.
	pub bounty_fees: u32,
	/// Part of what is moved that a bounty for moving it is at most.
	pub bounty_part: Perbill,
}

impl CapacityParams {
	/// Whether the parameters make sense together.
	pub fn is_valid(&self) -> bool {
		let answerable = self.challenge_epochs.saturating_add(2);
		self.stake_per_unit > 0
			&& self.min_duration_epochs > 0
			&& self.min_duration_epochs <= self.max_duration_epochs
			&& self.max_duration_epochs <= MAX_PERIOD_EPOCHS
			&& self.pending_epochs > 0
			&& self.challenge_epochs <= MAX_CHALLENGE_EPOCHS
			&& self.unbonding_epochs > answerable
			&& self.unbonding_epochs <= MAX_PERIOD_EPOCHS
			&& self.audits_per_epoch <= MAX_AUDITS
			&& self.rates.idle > 0
			&& self.rates.busy > 0
			&& self.rates.leaves(MAX_UNITS, 0) <= MAX_LEAVES
			&& self.rates.leaves(0, MAX_UNITS) <= MAX_LEAVES
			&& self.target_reference > U256::one()
			// What the pool moves by must not be nothing.
			&& self.pool_step.mul_floor(self.pool_floor) > 0
			// Misses burn at once, and wholly from the own part of a commitment that lives.
			&& self.slash_rate < SLASH_THAT_WAITS
			&& self.slash_rate <= self.own_floor
			&& self.own_floor < self.min_own_part
			// Whoever waits for its stake sees before whether a slash takes it.
			&& self.slash_delay_epochs < self.unbonding_epochs
			&& self.vesting_epochs > 0
			&& self.vesting_epochs <= MAX_PERIOD_EPOCHS
			&& self.amnesty_epochs <= MAX_AMNESTY_EPOCHS
			&& self.amnesty_part < Perbill::one()
			&& self.stake_floor < Perbill::one()
			// Slashes that wait are rows, so that none may be small.
			&& self.least_audit_slash >= SLASH_THAT_WAITS
			&& self.bounty_part <= MAX_BOUNTY
	}

	/// The terms of a commitment that is made under these parameters.
	pub fn terms(&self, own_part: Perbill, commission: Perbill) -> CommitmentTerms {
		CommitmentTerms {
			stake_per_unit: self.stake_per_unit,
			slash_rate: self.slash_rate,
			own_part,
			own_floor: self.own_floor,
			commission,
			unbonding_epochs: self.unbonding_epochs,
			challenge_epochs: self.challenge_epochs,
			slash_delay_epochs: self.slash_delay_epochs,
			vesting_epochs: self.vesting_epochs,
			stake_floor: self.stake_floor,
			least_audit_slash: self.least_audit_slash,
		}
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
			min_own_part: Perbill::from_percent(20),
			own_floor: Perbill::from_percent(10),
			slash_delay_epochs: 24,
			notice_epochs: 168,
			vesting_epochs: 2_160,
			amnesty_epochs: 4,
			// Two thirds, rounded down.
			amnesty_part: Perbill::from_parts(666_666_666),
			stake_floor: Perbill::from_percent(50),
			least_audit_slash: Perbill::from_percent(5),
			pool_step: Perbill::from_percent(1),
			reward_headroom: Perbill::from_percent(10),
			bounty_fees: 2,
			bounty_part: Perbill::from_percent(1),
		}
	}
}
