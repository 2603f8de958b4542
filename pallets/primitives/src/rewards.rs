//! Developer rewards: the tree that a programme is known by, and what a claim is signed over.

use crate::{hash, Balance, BlockNumber, H256};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// Most rewards of a programme. It bounds the path of a claim, and how long it takes to sweep what is
/// kept of a programme that is over.
pub const MAX_REWARDS: u32 = 1 << 19;

/// Content of a reward's leaf. The tag comes first, so that no leaf is of the length of two hashes.
pub fn leaf<AccountId: Encode>(index: u32, account: &AccountId, amount: Balance) -> Vec<u8> {
	let mut bytes = b"millrace/reward/v1"[..].encode();
	(index, account, amount).encode_to(&mut bytes);
	bytes
}

/// What an account signs to be paid its reward without a fee. The programme's number and root are part
/// of it: a signature counts for one programme of one chain.
pub fn claim_hash<AccountId: Encode>(
	genesis: H256,
	programme: u32,
	root: H256,
	index: u32,
	account: &AccountId,
	amount: Balance,
) -> H256 {
	hash::tagged(
		"millrace/reward-claim/v1",
		&(genesis, programme, root, index, account, amount),
	)
}

/// A programme of rewards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProgrammeView {
	/// Its number, counted from 0.
	pub number: u32,
	/// Root of the tree over its rewards.
	pub root: H256,
	/// Rewards in the tree.
	pub rewards: u32,
	/// Most that is paid for all of them.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub total: Balance,
	/// What was paid.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub paid: Balance,
	/// Rewards that were claimed.
	pub claims: u32,
	/// Last block in which one can be claimed.
	pub ends: BlockNumber,
}

/// How developer rewards stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RewardsView {
	/// The present block.
	pub block: BlockNumber,
	/// The programme that stands: rewards of it can be claimed, or it waits to be ended.
	pub programme: Option<ProgrammeView>,
	/// What the pot has to pay with.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub pot: Balance,
	/// Blocks for which a claimed reward is locked.
	pub lock_blocks: BlockNumber,
	/// Whether rows of the programme before are still to be swept.
	pub sweeping: bool,
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::merkle::{path_length, MAX_PATH};

	#[test]
	fn a_leaf_is_longer_than_two_hashes_and_tells_every_field() {
		let account = [7u8; 32];
		let one = leaf(1, &account, 2);
		assert_eq!(one.len(), 1 + 18 + 4 + 32 + 16);
		assert_ne!(one.len(), 64);
		assert_ne!(one, leaf(2, &account, 2));
		assert_ne!(one, leaf(1, &[8u8; 32], 2));
		assert_ne!(one, leaf(1, &account, 3));
	}

	#[test]
	fn a_signature_is_for_one_reward_of_one_programme_of_one_chain() {
		let (genesis, root) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let account = [7u8; 32];
		let hash = claim_hash(genesis, 0, root, 1, &account, 5);
		assert_ne!(hash, claim_hash(root, 0, root, 1, &account, 5));
		assert_ne!(hash, claim_hash(genesis, 1, root, 1, &account, 5));
		assert_ne!(hash, claim_hash(genesis, 0, genesis, 1, &account, 5));
		assert_ne!(hash, claim_hash(genesis, 0, root, 2, &account, 5));
		assert_ne!(hash, claim_hash(genesis, 0, root, 1, &[8u8; 32], 5));
		assert_ne!(hash, claim_hash(genesis, 0, root, 1, &account, 6));
	}

	#[test]
	fn the_longest_path_fits() {
		let longest = path_length(MAX_REWARDS.into(), 0);
		assert!(longest.is_some_and(|length| length <= MAX_PATH));
	}
}
