//! Leaves of the chain's mountain range, and proofs of them.

use crate::{
	contract::AuthoritySet,
	evm::{keccak, keccak_pair},
};
use codec::{Compact, Decode};
use millrace_primitives::{BlockNumber, H256};
use serde::{Deserialize, Serialize};

/// Bytes of a leaf of version 0.
pub const LEAF_BYTES: usize = 121;

/// A leaf, decoded: that of block N tells of block N − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
	/// Number of the block before.
	pub parent: BlockNumber,
	/// Its hash.
	pub parent_hash: H256,
	/// The set after the present one.
	pub next: AuthoritySet,
	/// Root over the messages of the block before.
	pub outbox: H256,
	/// Its time, in milliseconds.
	pub time_ms: u64,
}

impl Leaf {
	/// Reads the bytes of a leaf; `None` if they are none of version 0.
	pub fn read(raw: &[u8]) -> Option<Self> {
		if raw.len() != LEAF_BYTES {
			return None;
		}
		let input = &mut &raw[..];
		let version = u8::decode(input).ok()?;
		let parent = u32::decode(input).ok()?;
		let parent_hash = H256(<[u8; 32]>::decode(input).ok()?);
		let next = AuthoritySet {
			id: u64::decode(input).ok()?,
			len: u32::decode(input).ok()?,
			root: H256(<[u8; 32]>::decode(input).ok()?),
		};
		let outbox = H256(<[u8; 32]>::decode(input).ok()?);
		let time_ms = u64::decode(input).ok()?;
		(version == 0).then_some(Self {
			parent,
			parent_hash,
			next,
			outbox,
			time_ms,
		})
	}
}

/// Proof of one leaf, item for item as `pallet-mmr` makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafProof {
	/// Its place.
	pub leaf_index: u64,
	/// Leaves of the range that it is proven by.
	pub leaf_count: u64,
	/// The peaks to the left, the siblings on the way up to the leaf's own peak, and the peaks to the right,
	/// bagged into one.
	pub items: Vec<H256>,
}

/// A leaf with its proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvenLeaf {
	/// Its bytes.
	pub raw: Vec<u8>,
	/// The proof.
	pub proof: LeafProof,
}

impl ProvenLeaf {
	/// Reads what `mmr_generateProof` answers for one block.
	pub fn read(leaves: &[u8], proof: &[u8]) -> Option<Self> {
		let input = &mut &leaves[..];
		let Compact(count) = Compact::<u32>::decode(input).ok()?;
		let raw = Vec::<u8>::decode(input).ok()?;
		if count != 1 || !input.is_empty() {
			return None;
		}
		let input = &mut &proof[..];
		let indices = Vec::<u64>::decode(input).ok()?;
		let leaf_count = u64::decode(input).ok()?;
		let items = Vec::<[u8; 32]>::decode(input).ok()?;
		let [leaf_index] = indices[..] else {
			return None;
		};
		input.is_empty().then(|| Self {
			raw,
			proof: LeafProof {
				leaf_index,
				leaf_count,
				items: items.into_iter().map(H256).collect(),
			},
		})
	}

	/// The root of the range that it is proven to be in.
	pub fn root(&self) -> Option<H256> {
		self.proof.root_of(keccak(&self.raw))
	}
}

impl LeafProof {
	/// The root that this proof leads to from a hash; `None` if it is longer or shorter than its place asks
	/// for. The same steps as the contract's.
	pub fn root_of(&self, leaf: H256) -> Option<H256> {
		let count = self.leaf_count;
		let mut index = self.leaf_index;
		if index >= count {
			return None;
		}
		// Each bit of the number of leaves is a peak, the highest first.
		let (mut left, mut height) = (0usize, 63u32);
		loop {
			let size = 1u64 << height;
			if count & size != 0 {
				if index < size {
					break;
				}
				index -= size;
				left += 1;
			}
			height = height.checked_sub(1)?;
		}
		let right = count & ((1u64 << height) - 1) != 0;
		let siblings = left + height as usize;
		if self.items.len() != siblings + usize::from(right) {
			return None;
		}
		let mut hash = leaf;
		for (step, sibling) in self.items.get(left..siblings)?.iter().enumerate() {
			hash = match (index >> step) & 1 {
				1 => keccak_pair(*sibling, hash),
				_ => keccak_pair(hash, *sibling),
			};
		}
		if let (true, Some(bagged)) = (right, self.items.last()) {
			hash = keccak_pair(*bagged, hash);
		}
		for peak in self.items.get(..left)?.iter().rev() {
			hash = keccak_pair(hash, *peak);
		}
		Some(hash)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;

	#[test]
	fn a_leaf_is_121_bytes_in_their_places() {
		let next = (7u64, 4u32, [1u8; 32]);
		let raw = (0u8, 8u32, [2u8; 32], next, ([3u8; 32], 9u64)).encode();
		assert_eq!(raw.len(), LEAF_BYTES);
		let leaf = Leaf::read(&raw).expect("it is one");
		assert_eq!((leaf.parent, leaf.next.id, leaf.next.len), (8, 7, 4));
		assert_eq!(leaf.parent_hash, H256::repeat_byte(2));
		assert_eq!((leaf.outbox, leaf.time_ms), (H256::repeat_byte(3), 9));
		let later = [&[0x20], &raw[1..]].concat();
		assert_eq!(Leaf::read(&later), None);
		assert_eq!(Leaf::read(&raw[1..]), None);
	}

	#[test]
	fn a_nodes_answer_is_read_without_the_lengths_around_it() {
		let raw = vec![5u8; LEAF_BYTES];
		let leaves = vec![raw.clone()].encode();
		let proof = (vec![6u64], 9u64, vec![[7u8; 32]]).encode();
		let proven = ProvenLeaf::read(&leaves, &proof).expect("it is one");
		assert_eq!(proven.raw, raw);
		assert_eq!((proven.proof.leaf_index, proven.proof.leaf_count), (6, 9));
		let two = vec![raw.clone(), raw].encode();
		assert_eq!(ProvenLeaf::read(&two, &proof), None);
	}

	#[test]
	fn proofs_of_small_ranges_lead_to_their_roots() {
		let leaf = |index: u8| keccak(&[index]);
		let [a, b, c] = [0, 1, 2].map(leaf);
		let proof = |leaf_index, leaf_count, items: &[H256]| LeafProof {
			leaf_index,
			leaf_count,
			items: items.to_vec(),
		};
		assert_eq!(proof(0, 1, &[]).root_of(a), Some(a));
		let pair = keccak_pair(a, b);
		assert_eq!(proof(1, 2, &[a]).root_of(b), Some(pair));
		// Of two peaks the right one comes first.
		let root = keccak_pair(c, pair);
		assert_eq!(proof(0, 3, &[b, c]).root_of(a), Some(root));
		assert_eq!(proof(2, 3, &[pair]).root_of(c), Some(root));
		for wrong in [
			proof(3, 3, &[pair]),
			proof(2, 3, &[]),
			proof(2, 3, &[pair, a]),
		] {
			assert_eq!(wrong.root_of(c), None, "{wrong:?}");
		}
	}
}
