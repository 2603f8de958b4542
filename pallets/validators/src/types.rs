//! What the pallet stores.

use crate::{MAX_VALIDATORS, MIN_SEATS_PER_CHANGE};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use millrace_primitives::{
	traits::MAX_EQUIVOCATIONS, validators::SessionIndex, Balance, EpochIndex, FLT,
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Perbill;

/// Parameters that governance sets. They count from the next planned session on.
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValidatorsParams {
	/// Most seats.
	pub max_validators: u32,
	/// Least active stake of a candidate and of a seat.
	#[serde(with = "millrace_primitives::decimal")]
	pub min_seat_stake: Balance,
	/// Active stake of all candidates who could sit, from which on stake decides about seats.
	#[serde(with = "millrace_primitives::decimal")]
	pub bootstrap_stake: Balance,
	/// One of so many seats can change in a session.
	pub seats_per_change: u32,
	/// Part of the blocks expected of it under which a seat is silent, if chance does not explain it.
	pub least_authored: Perbill,
}

impl ValidatorsParams {
	/// Whether the parameters make sense together.
	pub fn is_valid(&self) -> bool {
		self.max_validators > 0
			&& self.max_validators <= MAX_VALIDATORS
			&& self.min_seat_stake > 0
			&& self.seats_per_change >= MIN_SEATS_PER_CHANGE
			&& self.least_authored < Perbill::one()
	}
}

impl Default for ValidatorsParams {
	/// The mainnet's.
	fn default() -> Self {
		Self {
			max_validators: MAX_VALIDATORS,
			min_seat_stake: FLT.saturating_mul(10_000),
			bootstrap_stake: FLT.saturating_mul(1_000_000),
			seats_per_change: 6,
			least_authored: Perbill::from_percent(50),
		}
	}
}

/// Accounts with a seat each.
pub type Seats<AccountId> = BoundedVec<AccountId, ConstU32<MAX_VALIDATORS>>;

/// An account that wants a seat.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Candidate<AccountId> {
	/// The account.
	pub who: AccountId,
	/// Its active stake.
	pub stake: Balance,
	/// Session in which it began to stand.
	pub since: SessionIndex,
}

impl<AccountId> Candidate<AccountId> {
	/// Whether it stands above another: more stake, or as much and not later.
	pub fn is_above(&self, other: &Self) -> bool {
		self.stake > other.stake || (self.stake == other.stake && self.since <= other.since)
	}
}

/// Why an account is not on the list any more, or loses its seat.
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
pub enum LeaveReason {
	/// It stands no longer as a candidate.
	Chilled,
	/// It equivocated.
	Equivocated,
	/// It has no session keys.
	NoKeys,
	/// It wrote too few blocks.
	Silent,
	/// Others have so much more stake that nothing is left for it.
	Outbid,
	/// Its stake is under the least that a seat needs.
	TooLittleStake,
}

impl LeaveReason {
	/// The lower, the sooner a seat is lost for it.
	pub fn rank(self) -> u8 {
		match self {
			Self::Equivocated => 0,
			Self::NoKeys => 1,
			Self::Chilled => 2,
			Self::Silent => 3,
			Self::Outbid | Self::TooLittleStake => 4,
		}
	}

	/// Whether the seat is lost for what its holder did, not for what others have.
	pub fn is_own(self) -> bool {
		!matches!(self, Self::Outbid | Self::TooLittleStake)
	}
}

/// One equivocation that an account answers for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Entry {
	/// Counts the account's equivocations.
	pub serial: u32,
	/// Session in which it happened.
	pub session: SessionIndex,
	/// Epoch in which that session began: stake that came later is spared.
	pub epoch: EpochIndex,
	/// Part that it takes of the stake that is left.
	pub part: Perbill,
}

/// What an account answers for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Record {
	/// Serial number of the next equivocation.
	pub next: u32,
	/// Worst fraction of each session that can still be reported.
	pub worst: BoundedVec<(SessionIndex, Perbill), ConstU32<MAX_EQUIVOCATIONS>>,
	/// The last equivocations, oldest first.
	pub entries: BoundedVec<Entry, ConstU32<MAX_EQUIVOCATIONS>>,
}
