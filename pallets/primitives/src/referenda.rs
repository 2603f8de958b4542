//! Referenda: what clients see of proposals, of those who vote, and of what the votes lock.

use crate::{Balance, BlockNumber, H256};
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

/// Index of a referendum, never used twice.
pub type ReferendumIndex = u32;
/// Number of a track.
pub type TrackId = u16;

/// Most referenda in one page.
pub const MAX_REFERENDA_PAGE: u32 = 100;
/// Most bytes of a proposal that a view has: of a whole runtime its beginning alone.
pub const MAX_SHOWN_CALL: u32 = 4 * 1024;

/// A track: what referenda of one origin take.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TrackView {
	/// Its number.
	pub id: TrackId,
	/// Its name.
	pub name: String,
	/// The origin that it gives, SCALE-encoded as a submission names it.
	#[cfg_attr(feature = "serde", serde(with = "crate::hex_text"))]
	pub origin: Vec<u8>,
	/// Held for a referendum before it is decided on.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub decision_deposit: Balance,
	/// Most referenda that are decided on at once.
	pub max_deciding: u32,
	/// Those that are now.
	pub deciding: u32,
	/// Blocks from the submission to the decision at the earliest.
	pub prepare_blocks: BlockNumber,
	/// Blocks of the decision.
	pub decision_blocks: BlockNumber,
	/// Blocks for which both thresholds must be met.
	pub confirm_blocks: BlockNumber,
	/// Least blocks from the approval to the enactment.
	pub enactment_blocks: BlockNumber,
}

/// What every referendum and vote is under.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VotingRules {
	/// Referenda so far, and with it the index of the next one.
	pub referenda: ReferendumIndex,
	/// Held for a referendum from its submission on.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub submission_deposit: Balance,
	/// Blocks after which a referendum that nobody decides on is dropped.
	pub undecided_blocks: BlockNumber,
	/// Blocks that a vote of single conviction stays locked for behind a referendum that it won.
	pub lock_blocks: BlockNumber,
	/// The tracks, by number.
	pub tracks: Vec<TrackView>,
}

/// Where a referendum stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum ReferendumPhase {
	/// Waits for its decision deposit; dropped without it.
	NeedsDeposit {
		/// Block in which it is dropped.
		until: BlockNumber,
	},
	/// Can be voted on; its decision has not begun.
	Preparing {
		/// Block in which it can begin.
		until: BlockNumber,
	},
	/// Waits because its track decides on as many as it may.
	Queued {
		/// Its place, from 1 on; more votes move it up.
		place: u32,
	},
	/// Is decided on, and misses a threshold.
	Deciding {
		/// Block in which the decision began.
		since: BlockNumber,
		/// Block in which it is rejected if nothing changes.
		until: BlockNumber,
	},
	/// Meets both thresholds.
	Confirming {
		/// Block in which the decision began.
		since: BlockNumber,
		/// Block in which it is approved if nothing changes.
		until: BlockNumber,
	},
	/// Approved.
	Approved {
		/// Block in which it was.
		at: BlockNumber,
		/// Block in which its proposal is to be enacted; `None` once that is over.
		enacts: Option<BlockNumber>,
	},
	/// Rejected.
	Rejected {
		/// Block in which it was.
		at: BlockNumber,
	},
	/// Cancelled; the deposits can be taken back.
	Cancelled {
		/// Block in which it was.
		at: BlockNumber,
	},
	/// Dropped, because its decision never began.
	TimedOut {
		/// Block in which it was.
		at: BlockNumber,
	},
	/// Cancelled, with the loss of the deposits.
	Killed {
		/// Block in which it was.
		at: BlockNumber,
	},
}

impl ReferendumPhase {
	/// Whether it can be voted on.
	pub fn is_ongoing(&self) -> bool {
		matches!(
			self,
			Self::NeedsDeposit { .. }
				| Self::Preparing { .. }
				| Self::Queued { .. }
				| Self::Deciding { .. }
				| Self::Confirming { .. }
		)
	}
}

/// A deposit that stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DepositView<AccountId> {
	/// Who made it.
	pub who: AccountId,
	/// How much.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub amount: Balance,
}

/// When a proposal is to be enacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum Enactment {
	/// In this block.
	At(BlockNumber),
	/// So many blocks after the approval.
	After(BlockNumber),
}

/// The votes on a referendum, and what they must come to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TallyView {
	/// Votes in favour, weighed by conviction.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub ayes: Balance,
	/// Votes against, weighed by conviction.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub nays: Balance,
	/// FLT that votes in favour or abstains, not weighed.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub support: Balance,
	/// All FLT that could vote.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub electorate: Balance,
	/// Part of the weighed votes that is in favour.
	pub approval: Perbill,
	/// What that must be at this block of the decision.
	pub approval_needed: Perbill,
	/// Support as a part of the electorate.
	pub supported: Perbill,
	/// What that must be at this block of the decision.
	pub support_needed: Perbill,
	/// Block from which on these very votes would meet both thresholds, which fall as the decision
	/// goes on. `None`: they never would, or no decision has begun.
	pub passes_from: Option<BlockNumber>,
}

impl TallyView {
	/// Whether both thresholds are met at this block.
	pub fn passes(&self) -> bool {
		self.approval >= self.approval_needed && self.supported >= self.support_needed
	}
}

/// A referendum that can be voted on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OngoingView {
	/// Its track.
	pub track: TrackId,
	/// Block of its submission.
	pub submitted: BlockNumber,
	/// When its proposal is to be enacted, if that is not before the track's least.
	pub enactment: Enactment,
	/// Hash of the proposed call.
	pub proposal: H256,
	/// Bytes of the proposed call, if that is known.
	pub proposal_bytes: Option<u32>,
	/// Whether the chain has the call. Without it, nothing can be enacted.
	pub has_preimage: bool,
	/// The call, or its first [`MAX_SHOWN_CALL`] bytes; empty where the chain does not have it, and in
	/// a page also where it does not stand in the referendum itself.
	#[cfg_attr(feature = "serde", serde(with = "crate::hex_text"))]
	pub call: Vec<u8>,
	/// The votes.
	pub tally: TallyView,
}

/// A referendum.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReferendumView<AccountId> {
	/// Its index.
	pub referendum: ReferendumIndex,
	/// Where it stands.
	pub phase: ReferendumPhase,
	/// What it is about and how the votes stand, for as long as it can be voted on.
	pub ongoing: Option<OngoingView>,
	/// The deposit of who submitted it, until it is taken back.
	pub submission_deposit: Option<DepositView<AccountId>>,
	/// The deposit for its decision, until it is taken back.
	pub decision_deposit: Option<DepositView<AccountId>>,
}

/// What an account votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum Ballot {
	/// For one side, with conviction.
	Side {
		/// Whether in favour.
		aye: bool,
		/// From 0, a tenth of a vote, to 6 votes for each FLT.
		conviction: u8,
		/// FLT that votes.
		#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
		balance: Balance,
	},
	/// Split, without conviction.
	Split {
		/// FLT in favour.
		#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
		aye: Balance,
		/// FLT against.
		#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
		nay: Balance,
		/// FLT that abstains.
		#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
		abstain: Balance,
	},
}

/// What keeps a vote's FLT locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum VoteLock {
	/// The referendum is not over.
	Ongoing,
	/// It won, with conviction.
	Until(BlockNumber),
	/// Nothing: the vote need only be taken away.
	Free,
}

/// A vote of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VoteView {
	/// What it is on.
	pub referendum: ReferendumIndex,
	/// Track of that.
	pub track: TrackId,
	/// What it says.
	pub ballot: Ballot,
	/// What keeps it locked.
	pub lock: VoteLock,
}

/// A delegation of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DelegationView<AccountId> {
	/// Track on which another account votes with it.
	pub track: TrackId,
	/// That account.
	pub to: AccountId,
	/// From 0 to 6.
	pub conviction: u8,
	/// FLT that votes.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub balance: Balance,
}

/// What one track locks of an account. The locks of several tracks lie over one another: the largest
/// counts, not their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TrackLock {
	/// The track.
	pub track: TrackId,
	/// What it locks until it is asked to look again.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub locked: Balance,
	/// What it must lock at this block.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub needed: Balance,
	/// Of that, what votes and delegations of the past lock.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub past: Balance,
	/// First block in which these lock nothing more.
	pub past_until: BlockNumber,
}

/// How an account votes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VotingView<AccountId> {
	/// Its votes.
	pub votes: Vec<VoteView>,
	/// Its delegations.
	pub delegations: Vec<DelegationView<AccountId>>,
	/// What they lock.
	pub locks: Vec<TrackLock>,
}

#[cfg(all(test, feature = "serde"))]
mod tests {
	use super::*;

	#[test]
	fn views_are_written_as_people_read_them() {
		let vote = VoteView {
			referendum: 3,
			track: 2,
			ballot: Ballot::Side {
				aye: true,
				conviction: 1,
				balance: 1_u128 << 100,
			},
			lock: VoteLock::Until(7),
		};
		let json = serde_json::to_value(vote).unwrap();
		assert_eq!(
			json["ballot"]["side"]["balance"],
			"1267650600228229401496703205376"
		);
		assert_eq!(json["lock"]["until"], 7);
		assert_eq!(serde_json::from_value::<VoteView>(json).unwrap(), vote);

		let track = TrackView {
			id: 2,
			name: "parameters".into(),
			origin: [57, 2].to_vec(),
			decision_deposit: 5,
			max_deciding: 1,
			deciding: 0,
			prepare_blocks: 1,
			decision_blocks: 2,
			confirm_blocks: 3,
			enactment_blocks: 4,
		};
		let json = serde_json::to_value(&track).unwrap();
		assert_eq!(json["origin"], "0x3902");
		assert_eq!(serde_json::from_value::<TrackView>(json).unwrap(), track);
	}

	#[test]
	fn a_referendum_passes_where_both_thresholds_are_met() {
		let tally = |approval, supported| TallyView {
			ayes: 1,
			nays: 1,
			support: 1,
			electorate: 4,
			approval: Perbill::from_percent(approval),
			approval_needed: Perbill::from_percent(50),
			supported: Perbill::from_percent(supported),
			support_needed: Perbill::from_percent(25),
			passes_from: None,
		};
		assert!(tally(50, 25).passes());
		assert!(!tally(49, 100).passes());
		assert!(!tally(100, 24).passes());
	}
}
