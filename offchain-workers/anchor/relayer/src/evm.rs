//! What any EVM understands: addresses, the ABI, signed transactions and JSON-RPC.
//!
//! Written here rather than taken from a library of Ethereum's, because it is little: one contract is
//! spoken to, by a handful of methods, and none of it decides anything that the contract does not check.

pub mod abi;
mod address;
mod fees;
mod key;
mod reads;
mod rlp;
mod rpc;
mod transaction;

pub use address::{Address, AddressError};
pub use fees::{FeeLimits, Fees};
pub use key::{AnchorKey, AnchorKeyError};
pub use reads::{AnchorBlock, Reads, ReadsError};
pub use rpc::{Rpc, RpcError, Transport};
pub(crate) use transaction::{hex_bytes, hex_hash, small_quantity};
pub use transaction::{Receipt, SignedTransaction, Transaction};

use millrace_primitives::H256;

/// Keccak-256, which everything on an EVM is hashed by.
pub fn keccak(bytes: &[u8]) -> H256 {
	H256(sp_crypto_hashing::keccak_256(bytes))
}

/// Keccak-256 of two nodes of a tree.
pub fn keccak_pair(left: H256, right: H256) -> H256 {
	keccak(&[left.0, right.0].concat())
}
