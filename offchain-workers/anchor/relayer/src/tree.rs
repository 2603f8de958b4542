//! Paths to Keccak roots, of the messages of a block and of authorities. The tree is the chain's own; see
//! [`millrace_primitives::anchor::tree`].

use crate::evm::keccak;
use millrace_primitives::{
	anchor::{tree, OutboxEntry},
	H256,
};
use serde::{Deserialize, Serialize};

/// Path of one leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
	/// Its place.
	pub index: u32,
	/// How many leaves there are.
	pub count: u32,
	/// Siblings, from the lowest row up.
	pub items: Vec<H256>,
}

/// Root over leaves; zeros if there are none.
pub fn root<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> H256 {
	let hashes = leaves.into_iter().map(|leaf| keccak(leaf.as_ref()));
	tree::root(&hashes.collect::<Vec<_>>())
}

impl Path {
	/// The root that this path leads to from a hash; `None` if it is longer or shorter than its place asks
	/// for.
	pub fn root_of(&self, leaf: H256) -> Option<H256> {
		tree::root_of(leaf, self.index, self.count, &self.items)
	}
}

impl From<&OutboxEntry> for Path {
	fn from(entry: &OutboxEntry) -> Self {
		Self {
			index: entry.index,
			count: entry.count,
			items: entry.path.clone(),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_root_is_over_hashes_and_a_path_leads_to_it() {
		let [a, b, c] = [b"a", b"b", b"c"];
		let pair = tree::node(keccak(a), keccak(b));
		let expected = tree::node(pair, keccak(c));
		assert_eq!(root([a, b, c]), expected);
		let path = Path {
			index: 2,
			count: 3,
			items: vec![pair],
		};
		assert_eq!(path.root_of(keccak(c)), Some(expected));
		assert_eq!(root::<[u8; 1]>([]), H256::zero());
	}
}
