//! What clients and relayers see of the anchor at one block.

use super::{AnchorId, H160};
use crate::{validators::SessionIndex, Balance, BlockNumber, EpochIndex, H256};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A place in the contract's inbox: so many messages, and the accumulator over them.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InboxMark {
	/// Number of messages; also the number of the next one.
	pub nonce: u64,
	/// Accumulator over them.
	pub acc: H256,
}

/// A place in the inbox that a quorum of validators has seen.
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
pub struct Attestation {
	/// The place.
	pub mark: InboxMark,
	/// A finalised block of the anchor of which at least one honest voter says as much.
	pub epoch: u64,
	/// Block here in which the quorum was reached.
	pub block: BlockNumber,
}

/// One validator's vote on a place.
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
pub struct CastVote {
	/// Its number in the present set.
	pub voter: u32,
	/// Accumulator that it signed first.
	pub acc: H256,
	/// The anchor's finalised block in which it read that.
	pub epoch: u64,
	/// Whether it has signed another accumulator since.
	pub conflicted: bool,
}

/// The votes on a place for which there is no quorum yet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TallyView {
	/// Number of messages that is voted on.
	pub nonce: u64,
	/// The votes so far of the present session.
	pub votes: Vec<CastVote>,
}

/// How much FLT may go each way in an epoch, and how much has gone in the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AnchorAllowances {
	/// The epoch.
	pub epoch: EpochIndex,
	/// FLT that was sent to the anchor in it.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub withdrawn: Balance,
	/// Most that may be.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub withdrawable: Balance,
	/// FLT that was unlocked in it.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub released: Balance,
	/// Most that may be.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub releasable: Balance,
}

/// What a message to the anchor takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AnchorBounds {
	/// Least FLT of a withdrawal.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub min_withdrawal: Balance,
	/// Burnt for each message, besides the transaction's fee.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub message_fee: Balance,
	/// Burnt for each byte that a message carries for a contract.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub byte_fee: Balance,
	/// Blocks after its attestation in which a message must be delivered.
	pub deliver_blocks: BlockNumber,
}

/// Where the chain stands with its anchor, in one picture of one block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AnchorStatus {
	/// The contract; nothing is sent or taken before it is named.
	pub anchor: Option<AnchorId>,
	/// Hash of block 0, as all messages have it.
	pub genesis: H256,
	/// Number of the next message to the anchor.
	pub next_nonce: u64,
	/// FLT that is there, or on its way there or back without being delivered here.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub there: Balance,
	/// FLT of deposits and forced messages that are delivered and wait to be unlocked.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub parked: Balance,
	/// Messages from the anchor that were delivered.
	pub taken: InboxMark,
	/// Places beyond that a quorum has seen, the nearest first: a delivery must reach one of them.
	pub attested: Vec<Attestation>,
	/// Last number that can be voted on at present.
	pub votable: u64,
	/// What a vote must name as round.
	pub round: u32,
	/// What a vote must name as session.
	pub session: SessionIndex,
	/// Validators that vote.
	pub voters: u32,
	/// Votes that decide.
	pub quorum: u32,
	/// Forced messages that wait for their turn.
	pub forced: u32,
	/// Block since which attested messages are late; `None`: nothing is late.
	pub overdue_since: Option<BlockNumber>,
	/// Last block of the pause; `None`: nothing is paused.
	pub paused_until: Option<BlockNumber>,
	/// What may go each way in this epoch.
	pub allowances: AnchorAllowances,
	/// What a message takes.
	pub bounds: AnchorBounds,
}

/// A message to the anchor, with what its proof needs of its block.
///
/// The root stands in the leaf of the block after: `mmr_generateProof` is asked for block `block` + 1.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OutboxEntry {
	/// Number of the message.
	pub nonce: u64,
	/// Its bytes. Their Keccak hash is its id.
	#[cfg_attr(feature = "serde", serde(with = "crate::hex_text"))]
	pub message: Vec<u8>,
	/// Block in which it was sent.
	pub block: BlockNumber,
	/// Its place among the messages of that block.
	pub index: u32,
	/// How many these are.
	pub count: u32,
	/// Siblings on the way to the root, the lowest first.
	pub path: Vec<H256>,
	/// Root over the messages of the block.
	pub root: H256,
}

/// FLT of a deposit that waits to be unlocked.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ParkedView<AccountId> {
	/// Number of the deposit's message.
	pub nonce: u64,
	/// Whom it is for.
	pub recipient: AccountId,
	/// How much.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub amount: Balance,
}

/// A forced message that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ForcedView {
	/// Number of the message.
	pub nonce: u64,
	/// Address that sent it.
	pub sender: H160,
	/// FLT that came with it.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub fee: Balance,
	/// Its bytes: a SCALE-encoded call.
	#[cfg_attr(feature = "serde", serde(with = "crate::hex_text"))]
	pub data: Vec<u8>,
}

#[cfg(all(test, feature = "serde"))]
mod tests {
	use super::*;

	#[test]
	fn messages_are_hexadecimal_in_json() {
		let entry = OutboxEntry {
			nonce: 3,
			message: [0xab, 1].to_vec(),
			block: 5,
			index: 0,
			count: 1,
			path: Vec::new(),
			root: H256::zero(),
		};
		let json = serde_json::to_value(&entry).unwrap();
		assert_eq!(json["message"], "0xab01");
		assert_eq!(
			serde_json::from_value::<OutboxEntry>(json.clone()).unwrap(),
			entry
		);
		let mut wrong = json;
		wrong["message"] = "ab01".into();
		assert!(serde_json::from_value::<OutboxEntry>(wrong).is_err());
	}
}
