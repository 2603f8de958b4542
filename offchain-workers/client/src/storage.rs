//! Keys of the few storage items that are read directly.

use crate::AccountId;
use millrace_primitives::{peer::PeerId, EpochIndex};
use sp_crypto_hashing::{blake2_128, twox_128, twox_64};

/// Slots of the rings of the pallets Epochs and Receipts.
const RING_SLOTS: u32 = 64;

/// Key of an item without keys of its own.
fn item(pallet: &str, name: &str) -> Vec<u8> {
	[twox_128(pallet.as_bytes()), twox_128(name.as_bytes())].concat()
}

/// Key of an account's entry in a map with the hasher `Blake2_128Concat`.
fn of_account(pallet: &str, name: &str, account: &AccountId) -> Vec<u8> {
	let mut key = item(pallet, name);
	key.extend(blake2_128(&account.0));
	key.extend(account.0);
	key
}

pub(crate) fn account(account: &AccountId) -> Vec<u8> {
	of_account("System", "Account", account)
}

pub(crate) fn holds(account: &AccountId) -> Vec<u8> {
	of_account("Balances", "Holds", account)
}

pub(crate) fn total_issuance() -> Vec<u8> {
	item("Balances", "TotalIssuance")
}

/// The slot that an epoch's seed is kept in, under its plain number.
pub(crate) fn seed(epoch: EpochIndex) -> Vec<u8> {
	let mut key = item("Epochs", "Seeds");
	key.extend((epoch % RING_SLOTS).to_le_bytes());
	key
}

/// The slot that a peer's report of an epoch is kept in, as the record that a view answers.
pub fn report(peer: PeerId, epoch: EpochIndex) -> Vec<u8> {
	let slot = (epoch % RING_SLOTS).to_le_bytes();
	let mut key = item("Receipts", "Ring");
	key.extend(peer.0 .0);
	key.extend(twox_64(&slot));
	key.extend(slot);
	key
}

/// The keys of a peer, each with the blocks in which it counts.
pub fn peer_keys(peer: PeerId) -> Vec<u8> {
	let mut key = item("Providers", "Keys");
	key.extend(peer.0 .0);
	key
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn keys_are_those_that_every_substrate_client_uses() {
		let key = account(&AccountId::from([0; 32]));
		assert_eq!(
			hex::encode(&key[..32]),
			"26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9",
		);
		assert_eq!(key.len(), 32 + 16 + 32);
		assert_eq!(
			hex::encode(total_issuance()),
			"c2261276cc9d1f8598ea4b6a74b15c2f57c875e4cff74148e4628f264b974c80",
		);
	}

	#[test]
	fn reports_lie_in_a_ring_and_names_of_peers_are_not_hashed() {
		let peer = PeerId(millrace_primitives::H256::repeat_byte(7));
		let key = report(peer, 3);
		assert_eq!(key, report(peer, 3 + RING_SLOTS));
		assert_eq!(key.len(), 32 + 32 + 8 + 4);
		assert_eq!(key[32..64], [7; 32]);
		assert_eq!(peer_keys(peer).len(), 32 + 32);
	}

	#[test]
	fn seeds_lie_in_a_ring() {
		assert_eq!(seed(3), seed(3 + RING_SLOTS));
		assert!(seed(3).ends_with(&[3, 0, 0, 0]));
	}
}
