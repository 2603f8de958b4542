//! Calls of the DeveloperRewards pallet: programmes of rewards, claims, and what they lock.

use super::Call;
use crate::AccountId;
use millrace_primitives::{Balance, BlockNumber, H256};

const PALLET: &str = "DeveloperRewards";
/// Signatures of sr25519 keys among those that accounts can have.
const SR25519: u8 = 1;

/// Begins a programme, by root: the root of its tree, how many rewards it has, what they are together,
/// and the last block in which one can be claimed.
pub fn start(root: H256, rewards: u32, total: Balance, ends: BlockNumber) -> Call {
	Call::new(PALLET, "start", (root, rewards, total, ends))
}

/// Claims a reward of the signer, who pays a fee for it.
pub fn claim(index: u32, amount: Balance, path: &[H256]) -> Call {
	Call::new(PALLET, "claim", (index, amount, path))
}

/// Claims a reward of an account without a fee; `signature` is the account's, by an sr25519 key, over
/// [`millrace_primitives::rewards::claim_hash`].
pub fn claim_for(
	account: &AccountId,
	index: u32,
	amount: Balance,
	path: &[H256],
	signature: [u8; 64],
) -> Call {
	let args = (account, index, amount, path, (SR25519, signature));
	Call::new(PALLET, "claim_for", args)
}

/// Takes away an account's locks that are over, without a fee.
pub fn release(account: &AccountId) -> Call {
	Call::new(PALLET, "release", account)
}

/// Ends a programme whose last block has passed.
pub fn end() -> Call {
	Call::new(PALLET, "end", ())
}

/// Sweeps a part of what is kept of a programme that was ended.
pub fn sweep() -> Call {
	Call::new(PALLET, "sweep", ())
}
