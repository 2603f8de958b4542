//! What validators sign for an anchor, as far as the SDK leaves it to a chain.
//!
//! A commitment of BEEFY names a block, an authority set and entries by names of two letters. Ours has
//! exactly two: the hash of block 0 under [`CHAIN_ENTRY`], and the root of the Merkle mountain range
//! under the SDK's own name. Without the first, a signature for one chain would count on every other
//! whose validators have the same keys.

use crate::H256;

/// Name of the entry that holds the hash of block 0.
pub const CHAIN_ENTRY: [u8; 2] = *b"ch";

/// What a leaf of the range has besides what the SDK puts there: the Keccak root of the messages that
/// the block before sent to the anchor, and the time of that block in milliseconds.
pub type LeafExtra = (H256, u64);
