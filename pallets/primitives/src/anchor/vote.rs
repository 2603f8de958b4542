//! Votes of validators on what the contract's inbox holds.

use super::AnchorId;
use crate::{hash::tagged, validators::SessionIndex, H256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A validator's BEEFY key: compressed, of secp256k1.
pub type VoterKey = [u8; 33];
/// Signature of it: r, s and v, over the BLAKE2 hash of what is signed, as `ecdsa_sign` of a keystore
/// makes it.
pub type VoterSignature = [u8; 65];

/// What a validator says: so many messages are in the inbox, as the anchor's finalised state has it, and
/// this is the accumulator over them.
///
/// The accumulator of a number is the same for ever. So a vote names no block of the anchor that others
/// would have to name, too, and who has signed two accumulators for one number has lied.
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
pub struct Vote {
	/// How often the inbox was set anew by governance: what was said before does not count against
	/// what is said after.
	pub round: u32,
	/// Session in which it is signed, by a key of that session.
	pub session: SessionIndex,
	/// Number of messages.
	pub nonce: u64,
	/// Accumulator over them.
	pub acc: H256,
	/// The anchor's finalised block in which the voter read it.
	pub epoch: u64,
}

impl Vote {
	/// What is signed.
	pub fn hash(&self, genesis: H256, anchor: &AnchorId) -> H256 {
		tagged("millrace/anchor-vote/v1", &(genesis, anchor, self))
	}

	/// Whether nobody can say both and be honest.
	pub fn conflicts_with(&self, other: &Self) -> bool {
		self.round == other.round && self.nonce == other.nonce && self.acc != other.acc
	}
}

/// A vote as evidence.
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
pub struct SignedVote {
	/// What was said.
	pub vote: Vote,
	/// Its signature.
	pub signature: VoterSignature,
}

/// Votes that decide, of so many voters: with a third of them false, two different decisions cannot come
/// about. The contracts count checkpoints' signatures alike.
pub fn quorum(voters: u32) -> u32 {
	voters.saturating_sub(voters.saturating_sub(1) / 3)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::anchor::H160;

	#[test]
	fn two_quorums_share_more_than_a_third() {
		let quorums: Vec<u32> = [0, 1, 2, 3, 4, 7, 100].map(quorum).to_vec();
		assert_eq!(quorums, [0, 1, 2, 3, 3, 5, 67]);
		for voters in 1..=300u32 {
			let false_ones = (voters - 1) / 3;
			assert!(2 * quorum(voters) - voters > false_ones);
			assert!(voters - false_ones >= quorum(voters));
		}
	}

	#[test]
	fn votes_conflict_by_the_accumulator_alone() {
		let vote = Vote {
			round: 0,
			session: 3,
			nonce: 5,
			acc: H256::repeat_byte(1),
			epoch: 90,
		};
		let acc = H256::repeat_byte(2);
		assert!(vote.conflicts_with(&Vote { acc, ..vote }));
		assert!(vote.conflicts_with(&Vote {
			acc,
			session: 4,
			epoch: 7,
			..vote
		}));
		assert!(!vote.conflicts_with(&Vote { epoch: 91, ..vote }));
		assert!(!vote.conflicts_with(&Vote {
			acc,
			nonce: 6,
			..vote
		}));
		assert!(!vote.conflicts_with(&Vote {
			acc,
			round: 1,
			..vote
		}));
	}

	#[test]
	fn a_vote_is_of_one_chain_and_one_contract() {
		let vote = Vote {
			round: 0,
			session: 0,
			nonce: 1,
			acc: H256::zero(),
			epoch: 0,
		};
		let anchor = AnchorId {
			chain_id: 314,
			contract: H160::zero(),
		};
		let other = AnchorId {
			chain_id: 314_159,
			..anchor
		};
		let genesis = H256::repeat_byte(7);
		assert_ne!(vote.hash(genesis, &anchor), vote.hash(genesis, &other));
		assert_ne!(
			vote.hash(genesis, &anchor),
			vote.hash(H256::zero(), &anchor)
		);
	}
}
