//! The anchor: what chain, relayers and clients must agree on about the contracts that take the
//! chain's checkpoints, and about the messages that go both ways.
//!
//! The contracts' README says the same of the other side, byte for byte. Hashes are Keccak-256 here,
//! because they are checked by an EVM.

use crate::{hash::tagged, H256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

pub mod messages;
pub mod tree;
mod views;
mod vote;

pub use primitive_types::H160;
pub use views::{
	AnchorAllowances, AnchorBounds, AnchorStatus, Attestation, CastVote, ForcedView, InboxMark,
	OutboxEntry, ParkedView, TallyView,
};
pub use vote::{quorum, SignedVote, Vote, VoterKey, VoterSignature};

/// Most bytes that a message to a contract carries.
pub const MAX_DATA_BYTES: u32 = 1_024;
/// Most bytes of a forced message that the chain takes. The contracts must not be deployed with more.
pub const MAX_FORCED_BYTES: u32 = 4_096;
/// Most bytes of a message from the anchor: header, sender, fee and the longest forced message.
pub const MAX_INCOMING_BYTES: u32 = 69 + 20 + 16 + MAX_FORCED_BYTES;
/// Most messages from the anchor that are voted on, and delivered, at once.
pub const MAX_BATCH: u32 = 32;
/// Most messages to the anchor in a block.
pub const MAX_OUTGOING_PER_BLOCK: u32 = 64;

/// The contract that the chain is anchored in.
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
#[cfg_attr(
	feature = "serde",
	serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub struct AnchorId {
	/// Chain id of the anchor, as its opcode `CHAINID` has it.
	pub chain_id: u64,
	/// Address of the contract `Anchor`.
	pub contract: H160,
}

impl AnchorId {
	/// The 32 bytes of the account here that belongs to an address there: FLT that is deposited for it,
	/// and calls that the address forces in, are this account's. Nobody has its key.
	pub fn account_of(&self, address: H160) -> [u8; 32] {
		tagged("millrace/anchor-account/v1", &(self, address)).0
	}
}

/// Keccak-256.
pub fn keccak(data: &[u8]) -> H256 {
	H256(sp_crypto_hashing::keccak_256(data))
}

/// Accumulator of the inbox behind one more message.
pub fn accumulate(acc: H256, message: &[u8]) -> H256 {
	tree::node(acc, keccak(message))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn accounts_differ_by_address_chain_and_contract() {
		let anchor = AnchorId {
			chain_id: 31_337,
			contract: H160::repeat_byte(1),
		};
		let other_chain = AnchorId {
			chain_id: 1,
			..anchor
		};
		let other_contract = AnchorId {
			contract: H160::repeat_byte(2),
			..anchor
		};
		let (one, two) = (H160::repeat_byte(8), H160::repeat_byte(9));
		let all = [
			anchor.account_of(one),
			anchor.account_of(two),
			other_chain.account_of(one),
			other_contract.account_of(one),
		];
		let different: std::collections::BTreeSet<_> = all.iter().collect();
		assert_eq!(different.len(), all.len());
	}

	#[test]
	fn the_accumulator_is_of_hashes_in_their_order() {
		let after =
			|first: &[u8], second: &[u8]| accumulate(accumulate(H256::zero(), first), second);
		assert_eq!(
			accumulate(H256::zero(), b"a"),
			keccak(&[&[0; 32][..], keccak(b"a").as_bytes()].concat())
		);
		assert_ne!(after(b"a", b"b"), after(b"b", b"a"));
	}
}
