//! Commitments: what stakers sign, and what clients see of it.

use crate::{Balance, EpochIndex};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

/// Most accounts that put stake behind one commitment: the provider and the delegators.
pub const MAX_STAKERS: u32 = 8;
/// Most delegators of a commitment; the provider has a place of its own.
pub const MAX_DELEGATORS: u32 = MAX_STAKERS - 1;

/// Index of a slash that waits, never used twice.
pub type SlashId = u64;
/// Accounts that alone may stake besides the provider; empty: anybody may.
pub type Invited<AccountId> = BoundedVec<AccountId, ConstU32<MAX_DELEGATORS>>;

/// What a round of stake is for.
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
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum RoundKind {
	/// A new commitment.
	Start,
	/// More units of one that stands.
	Growth,
	/// More epochs of one that stands.
	Renewal,
}

/// What both sides of a commitment agree to; frozen in it.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CommitmentTerms {
	/// Stake of one unit.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub stake_per_unit: Balance,
	/// Part of a unit's stake that a missed epoch costs.
	pub slash_rate: Perbill,
	/// Part of the stake that the provider brings itself, at least.
	pub own_part: Perbill,
	/// The commitment fails when the provider's own part is under this part of what is committed.
	pub own_floor: Perbill,
	/// Part of the delegators' rewards that goes to the provider.
	pub commission: Perbill,
	/// Epochs between the end and the return of the stake.
	pub unbonding_epochs: u32,
	/// Epochs in which a report can be challenged.
	pub challenge_epochs: u32,
	/// Epochs that a slash of 5 % or more waits.
	pub slash_delay_epochs: u32,
	/// Epochs over which a reward vests.
	pub vesting_epochs: u32,
	/// The commitment fails when no more than this part of what is committed is left.
	pub stake_floor: Perbill,
	/// Least part of what is committed that an audit costs which is failed or not answered.
	pub least_audit_slash: Perbill,
}

/// What a staker signs: the call is refused if the round's terms are others.
///
/// Of a growth, the units are all that there are after it, the duration is 0, the end the present
/// one and the terms the commitment's own.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StakerTerms {
	/// What the round is for.
	pub kind: RoundKind,
	/// Units of the whole commitment under these terms.
	pub units: u32,
	/// Epochs that are added: from the epoch after the round is full (start), from `end`
	/// (renewal); 0 for growth.
	pub duration_epochs: u32,
	/// First epoch that is not owed, as the commitment stands; 0 for a start.
	pub end: EpochIndex,
	/// The rest.
	pub terms: CommitmentTerms,
}

/// What a provider offers to those who stake with it.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StakeOffer<AccountId> {
	/// [`CommitmentTerms::own_part`].
	pub own_part: Perbill,
	/// [`CommitmentTerms::commission`].
	pub commission: Perbill,
	/// Who may stake.
	pub invited: Invited<AccountId>,
}

/// One staker's part in a commitment, in a round, or on its way out of one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StakeView<AccountId> {
	/// The staker.
	pub staker: AccountId,
	/// Stake that is left.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub left: Balance,
	/// Share in the rewards, as signed.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub share: Balance,
}

/// A round that waits for stake, or that is full and waits for its epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RoundView<AccountId> {
	/// What stakers sign.
	pub terms: StakerTerms,
	/// Last epoch in which stake can come.
	pub deadline: EpochIndex,
	/// Stake that the round needs.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub needed: Balance,
	/// Stake that was pledged so far.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub pledged: Balance,
	/// Of what is needed, what only the provider can bring.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub reserved: Balance,
	/// Whether it is full and takes effect.
	pub agreed: bool,
	/// Least that a new delegator must bring now; `None`: no place is free for one.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal::option"))]
	pub least: Option<Balance>,
	/// Most that delegators can bring now.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub room: Balance,
	/// Of that, what a renewal keeps until its last epoch for those who have a stake and have not
	/// signed: a new delegator can bring the rest.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub kept: Balance,
	/// Who may stake besides the provider; empty: anybody may.
	pub invited: Vec<AccountId>,
	/// What was pledged, by whom.
	pub pledges: Vec<StakeView<AccountId>>,
}

/// A round that is full and takes effect later.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ChangeView {
	/// First epoch under it.
	pub at: EpochIndex,
	/// Units from then on.
	pub units: u32,
	/// First epoch that is not owed then.
	pub end: EpochIndex,
}

/// A slash that waits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SlashView {
	/// Its index.
	pub slash: SlashId,
	/// The epoch that it is for.
	pub epoch: EpochIndex,
	/// First epoch in which it can be applied.
	pub due: EpochIndex,
	/// What it takes.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub amount: Balance,
}

/// Rewards of one period, which vest together.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BucketView {
	/// First epoch after the rewards' period.
	pub start: EpochIndex,
	/// Epochs over which they vest from there.
	pub epochs: u32,
	/// What was earned.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub amount: Balance,
	/// What of it was claimed.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub taken: Balance,
}

/// What an account earned by its stakes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EarningsView {
	/// What `claim` would pay now.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub claimable: Balance,
	/// What is not vested yet.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub vesting: Balance,
	/// Held for the ledger as long as it is needed.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub deposit: Balance,
	/// Stakes and pledges of the account.
	pub places: u32,
	/// What vests, oldest first.
	pub buckets: Vec<BucketView>,
}

#[cfg(all(test, feature = "serde"))]
mod tests {
	use super::*;

	fn round(least: Option<Balance>) -> RoundView<u64> {
		let terms = CommitmentTerms {
			stake_per_unit: 100,
			slash_rate: Perbill::from_percent(1),
			own_part: Perbill::from_percent(20),
			own_floor: Perbill::from_percent(10),
			commission: Perbill::from_percent(5),
			unbonding_epochs: 8,
			challenge_epochs: 4,
			slash_delay_epochs: 2,
			vesting_epochs: 30,
			stake_floor: Perbill::from_percent(50),
			least_audit_slash: Perbill::from_percent(5),
		};
		RoundView {
			terms: StakerTerms {
				kind: RoundKind::Start,
				units: 2,
				duration_epochs: 20,
				end: 0,
				terms,
			},
			deadline: 3,
			needed: 200,
			pledged: 40,
			reserved: 40,
			agreed: false,
			least,
			room: 160,
			kept: 0,
			invited: Vec::new(),
			pledges: Vec::new(),
		}
	}

	#[test]
	fn a_round_reads_back_from_json_with_and_without_a_free_place() {
		for least in [Some(1_u128 << 100), None] {
			let json = serde_json::to_value(round(least)).unwrap();
			assert_eq!(json["terms"]["kind"], "start");
			assert_eq!(json["needed"], "200");
			assert_eq!(
				json["least"].as_str().map(ToOwned::to_owned),
				least.map(|amount| amount.to_string())
			);
			assert_eq!(
				serde_json::from_value::<RoundView<u64>>(json).unwrap(),
				round(least)
			);
		}
		let mut wrong = serde_json::to_value(round(None)).unwrap();
		wrong["least"] = 5.into();
		assert!(serde_json::from_value::<RoundView<u64>>(wrong).is_err());
	}
}
