//! What the pallet stores, and what it asks of validators.

use crate::{MAX_BATCH, MAX_VOTERS};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	pallet_prelude::{ConstU32, Parameter},
	weights::Weight,
	BoundedVec,
};
use millrace_primitives::{
	anchor::{
		messages::{ForcedData, Outgoing},
		CastVote, VoterKey, H160, MAX_INCOMING_BYTES,
	},
	validators::SessionIndex,
	Balance, BlockNumber, EpochIndex,
};
use scale_info::TypeInfo;

/// Messages from the anchor that are delivered at once, as the contract wrote them.
pub type Batch = BoundedVec<BoundedVec<u8, ConstU32<MAX_INCOMING_BYTES>>, ConstU32<MAX_BATCH>>;

/// A validator that signed two accumulators for one number.
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
pub struct Conflict {
	/// Session in which it signed the later one.
	pub session: SessionIndex,
	/// Round of both.
	pub round: u32,
	/// Number of messages that both are about.
	pub nonce: u64,
	/// Validators of that session.
	pub voters: u32,
}

/// What the pallet asks of validators and their keys.
pub trait Voters<AccountId> {
	/// Shows whose key it was in a session.
	type Proof: Parameter;

	/// The present session.
	fn session() -> SessionIndex;
	/// Validators of the present session with the keys that they vote with, in their order: at most
	/// [`MAX_VOTERS`].
	fn seated() -> Vec<(AccountId, VoterKey)>;
	/// Whose key it was in a session, and how many validators that had, if the proof is of that
	/// session.
	fn owner(key: &VoterKey, session: SessionIndex, proof: Self::Proof)
		-> Option<(AccountId, u32)>;
	/// Punishes whoever signed a conflict. False if it was known.
	fn punish(who: AccountId, conflict: Conflict, reporter: Option<AccountId>) -> bool;
	/// Weight of [`Self::seated`].
	fn seated_weight() -> Weight;
	/// Weight of [`Self::owner`].
	fn owner_weight() -> Weight;
	/// Weight of [`Self::punish`].
	fn punish_weight() -> Weight;
}

/// FLT that is locked in the pot, by where it is.
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
pub struct Locked {
	/// Minted on the anchor, on its way there, or burnt there and not delivered here.
	pub there: Balance,
	/// Delivered here and not yet unlocked.
	pub parked: Balance,
}

/// What has gone each way in an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Flow {
	/// The epoch.
	pub epoch: EpochIndex,
	/// FLT that was locked in it.
	pub withdrawn: Balance,
	/// FLT that was unlocked in it.
	pub released: Balance,
}

/// A message to the anchor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct SentMessage {
	/// Block in which it was sent.
	pub block: BlockNumber,
	/// Its place among the messages of that block, whose numbers follow each other.
	pub index: u32,
	/// What it says.
	pub outgoing: Outgoing,
}

/// Votes on one place of the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Tally {
	/// Session whose validators they are from: those of another are worth nothing.
	pub session: SessionIndex,
	/// Round in which they were cast.
	pub round: u32,
	/// The votes.
	pub votes: BoundedVec<CastVote, ConstU32<MAX_VOTERS>>,
}

/// A deposit that waits to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Deposit<AccountId> {
	/// Whom it is for.
	pub recipient: AccountId,
	/// How much.
	pub amount: Balance,
}

/// A forced message that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ForcedMessage {
	/// Address on the anchor that sent it.
	pub sender: H160,
	/// FLT that came with it.
	pub fee: Balance,
	/// A SCALE-encoded call.
	pub data: ForcedData,
}

/// Why a forced call was not made.
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
pub enum ForcedRefusal {
	/// The bytes are no call of this runtime, or one that goes too deep.
	NoCall,
	/// The call could take more of a block than forced calls may.
	TooHeavy,
	/// The fee does not pay for the call.
	FeeTooLow,
}
