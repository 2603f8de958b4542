//! What the pallet stores.

use crate::rules;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use millrace_primitives::{
	capacity::{Difficulty, WorkRates},
	commitment::{Invited, RoundKind, StakerTerms, MAX_DELEGATORS, MAX_STAKERS},
	peer::PeerId,
	Balance, EpochIndex, H256, U256,
};
use scale_info::TypeInfo;

pub use crate::{amnesty::Amnesty, commitment::Commitment, params::CapacityParams};

/// Longest challenge period: the receipts' ring remembers 64 epochs of reports, and a report is
/// answered for from the epoch after it on.
pub const MAX_CHALLENGE_EPOCHS: u32 = 60;
/// Changes of one commitment keep this distance besides the challenge period, so that an epoch that
/// can still be charged has at most one change behind it.
pub const CHANGE_MARGIN_EPOCHS: u32 = 3;
/// Most stakes that one slash takes from: the provider's, the delegators', and those of all who
/// left with the last renewal.
pub const MAX_PARTS: u32 = 16;
/// Most slashes of one commitment that wait. Each takes a twentieth of what is committed or all that
/// it may take, so that there are never more than 43.
pub const MAX_WAITING_SLASHES: u32 = 64;
/// Most buckets of a ledger: thirty periods that vest, the present one, and one to spare.
pub const MAX_BUCKETS: u32 = 32;

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

/// A staker's money in a commitment.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Part {
	/// What slashes have left of it.
	pub left: Balance,
	/// What was signed for: the share in the rewards.
	pub share: Balance,
	/// Of `left`, what came with the last change: it does not answer for epochs before.
	pub added: Balance,
	/// Rewards under one unit of FLT that the ledger has not yet, in 2^-128.
	pub dust: u128,
}

impl Part {
	/// A stake that has just come.
	pub fn new(amount: Balance) -> Self {
		Self {
			left: amount,
			share: amount,
			added: 0,
			dust: 0,
		}
	}
}

/// A delegator's stake.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Stake<AccountId> {
	/// Who.
	pub staker: AccountId,
	/// How much.
	pub part: Part,
}

/// The stakes of a commitment's delegators.
pub type Stakes<AccountId> = BoundedVec<Stake<AccountId>, ConstU32<MAX_DELEGATORS>>;

/// The stake of one that left.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Leaver<AccountId> {
	/// Who.
	pub staker: AccountId,
	/// What slashes have left.
	pub left: Balance,
}

/// Stakes that the last renewal did not keep, which still answer for the time before it.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Leaving<AccountId> {
	/// First epoch in which they no longer stood.
	pub at: EpochIndex,
	/// First epoch in which they can be withdrawn.
	pub until: EpochIndex,
	/// The stakes.
	pub rows: BoundedVec<Leaver<AccountId>, ConstU32<MAX_STAKERS>>,
}

/// What one staker signed in a round.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Pledge<AccountId> {
	/// Who.
	pub staker: AccountId,
	/// Of its stake in the commitment, what stays (renewal).
	pub keep: Balance,
	/// What it has on hold for this round.
	pub add: Balance,
}

/// A round of stake: the only way in which stake comes to a commitment.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Round<AccountId> {
	/// What stakers sign.
	pub terms: StakerTerms,
	/// Last epoch in which stake can come.
	pub deadline: EpochIndex,
	/// Stake that it needs.
	pub needed: Balance,
	/// Of this, what only the provider can bring.
	pub reserved: Balance,
	/// The provider's deposit; 0 once the round is full.
	pub deposit: Balance,
	/// Who may stake besides the provider; empty: anybody.
	pub invited: Invited<AccountId>,
	/// What was signed, in the order of the signatures.
	pub pledges: BoundedVec<Pledge<AccountId>, ConstU32<MAX_STAKERS>>,
}

/// A round that is full and takes effect when settlement reaches it.
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
pub struct Change {
	/// What it is.
	pub kind: RoundKind,
	/// First epoch under it.
	pub at: EpochIndex,
	/// Units from then on.
	pub units: u32,
	/// First epoch that is not owed then.
	pub end: EpochIndex,
}

/// Rewards of the present vesting period that the owners' ledgers have not yet.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Accrual {
	/// The period, see [`rules::period_of`].
	pub period: u32,
	/// Reward of one unit of share, in 2^-128.
	pub per_share: U256,
	/// What did not divide by the shares, in 2^-128.
	pub carry: Balance,
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
	/// Where the target has settled.
	pub settled: U256,
	/// Solutions that its units owe.
	pub rates: WorkRates,
	/// Its pool of rewards.
	pub pool: Balance,
	/// What did not divide two epochs before, and is shared with the pool.
	pub carried: Balance,
	/// Most that a unit is rewarded with.
	pub max_reward_per_unit: Balance,
	/// Stake of a unit, as commitments had it that were created when the epoch began.
	pub stake_per_unit: Balance,
	/// Cost of a miss, likewise.
	pub miss_cost: Balance,
	/// Audits that are planned; before the draw, the least.
	pub audits: u32,
	/// Peers drawn so far.
	pub drawn: u32,
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
	/// Whether the epoch costs no misses.
	pub excused: bool,
}

impl EpochRow {
	/// What a proven idle unit is rewarded with.
	pub fn reward_per_unit(&self) -> Balance {
		rules::reward_per_unit(self.shared(), self.idle, self.max_reward_per_unit)
	}

	/// What does not divide by the idle units; nothing where the most that a unit can get is less
	/// than its share.
	pub fn dust(&self) -> Balance {
		let idle = Balance::from(self.idle);
		match self.shared().checked_div(idle) {
			Some(share) if share <= self.max_reward_per_unit => {
				self.shared().checked_rem(idle).unwrap_or(0)
			}
			_ => 0,
		}
	}

	fn shared(&self) -> Balance {
		self.pool.saturating_add(self.carried)
	}

	/// How hard its solutions are.
	pub fn difficulty(&self) -> Difficulty {
		Difficulty {
			target: self.target,
			settled: self.settled,
		}
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

/// What a slash that waits is for.
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
pub enum SlashReason {
	/// An audit was failed or not answered.
	Audit,
	/// Another pallet found an offence.
	Offence,
}

/// A slash that waits: it has left the stake, and is still on hold.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct WaitingSlash<AccountId> {
	/// The epoch that it is for.
	pub epoch: EpochIndex,
	/// First epoch in which it can be applied.
	pub due: EpochIndex,
	/// What for.
	pub reason: SlashReason,
	/// Who pays how much, the provider first.
	pub parts: BoundedVec<(AccountId, Balance), ConstU32<MAX_PARTS>>,
	/// Who is rewarded out of it, and with how much.
	pub reporter: Option<(AccountId, Balance)>,
}

impl<AccountId> WaitingSlash<AccountId> {
	/// All parts together.
	pub fn amount(&self) -> Balance {
		self.parts
			.iter()
			.fold(0, |sum: Balance, (_, part)| sum.saturating_add(*part))
	}
}

/// Rewards of one vesting period.
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
pub struct Bucket {
	/// First epoch after the period: they vest from here.
	pub start: EpochIndex,
	/// Epochs over which they vest.
	pub epochs: u32,
	/// What was earned.
	pub amount: Balance,
	/// What of it was claimed.
	pub taken: Balance,
}

/// What an account earned by its stakes, in whatever commitments.
#[derive(
	Clone,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Earnings {
	/// What is held of the account for this ledger.
	pub deposit: Balance,
	/// Pledges, stakes and leaving stakes of the account: as long as there are any, the ledger stays.
	pub places: u32,
	/// Vested and not claimed, of buckets that are gone.
	pub free: Balance,
	/// What vests, by start and length.
	pub buckets: BoundedVec<Bucket, ConstU32<MAX_BUCKETS>>,
}

/// What did not hold in an answer that was judged.
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
	/// A solution does not meet the epoch's target.
	SolutionWork,
	/// A receipt does not hold; the receipts pallet says why.
	Receipt,
}
