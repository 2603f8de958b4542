//! Binary Merkle trees over BLAKE2b-256, in the shape of RFC 6962.
//!
//! Leaves and inner nodes are hashed in domains of their own (a first byte of 0 or 1), so an inner
//! node never passes for a leaf. A proof is checked against the number of leaves: a path that is
//! longer or shorter than the tree's shape asks for is refused, whatever it hashes to.

use crate::{hash::blake2_256, H256};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};

/// Most nodes a path may have: enough for 2^32 leaves.
pub const MAX_PATH: u32 = 32;

/// Sibling hashes from the leaf up to the root.
pub type Path = BoundedVec<H256, ConstU32<MAX_PATH>>;

/// Root of a tree without leaves.
pub fn empty_root() -> H256 {
	blake2_256(&[0xff])
}

/// Hash of a leaf's content.
pub fn leaf_hash(data: &[u8]) -> H256 {
	let mut bytes = Vec::with_capacity(data.len().saturating_add(1));
	bytes.push(0);
	bytes.extend_from_slice(data);
	blake2_256(&bytes)
}

fn node_hash(left: &H256, right: &H256) -> H256 {
	let mut bytes = [1u8; 65];
	bytes[1..33].copy_from_slice(&left.0);
	bytes[33..].copy_from_slice(&right.0);
	blake2_256(&bytes)
}

/// Number of siblings on the path of the leaf at `index` in a tree of `count` leaves: the length
/// that [`verify`] asks for. `None` where there is no such leaf.
pub fn path_length(count: u64, index: u64) -> Option<u32> {
	let (mut position, mut last) = (index, count.checked_sub(1)?);
	if position > last {
		return None;
	}
	let mut length = 0u32;
	while last > 0 {
		if position % 2 == 1 || position < last {
			length = length.saturating_add(1);
		}
		position /= 2;
		last /= 2;
	}
	Some(length)
}

/// Whether `path` leads from the leaf at `index` to `root` in a tree of `count` leaves.
///
/// On each level a node either has a sibling, or is the last one of an odd row and moves up as it
/// is; which of the two follows from `index` and `count` alone, so the path's length is fixed.
pub fn verify(root: H256, count: u64, index: u64, leaf: &[u8], path: &[H256]) -> bool {
	if index >= count {
		return false;
	}
	let (mut hash, mut position, mut last) = (leaf_hash(leaf), index, count.saturating_sub(1));
	let mut siblings = path.iter();
	while last > 0 {
		if position % 2 == 1 {
			let Some(sibling) = siblings.next() else {
				return false;
			};
			hash = node_hash(sibling, &hash);
		} else if position < last {
			let Some(sibling) = siblings.next() else {
				return false;
			};
			hash = node_hash(&hash, sibling);
		}
		position /= 2;
		last /= 2;
	}
	siblings.next().is_none() && hash == root
}

/// A whole tree, kept by whoever must open leaves of it later.
#[derive(Clone, Debug)]
pub struct Tree {
	/// Rows from the leaves (first) to the root (last); empty without leaves.
	rows: Vec<Vec<H256>>,
}

impl Tree {
	/// Builds the tree over the given leaf contents.
	pub fn new<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Self {
		let mut row: Vec<H256> = leaves
			.into_iter()
			.map(|leaf| leaf_hash(leaf.as_ref()))
			.collect();
		let mut rows = Vec::new();
		while row.len() > 1 {
			let above = row
				.chunks(2)
				.map(|pair| match pair {
					[left, right] => node_hash(left, right),
					rest => rest.first().copied().unwrap_or_default(),
				})
				.collect();
			rows.push(core::mem::replace(&mut row, above));
		}
		if !row.is_empty() {
			rows.push(row);
		}
		Self { rows }
	}

	/// Number of leaves.
	pub fn count(&self) -> u64 {
		self.rows.first().map_or(0, |row| row.len() as u64)
	}

	/// The root, or [`empty_root`] without leaves.
	pub fn root(&self) -> H256 {
		self.rows
			.last()
			.and_then(|row| row.first())
			.copied()
			.unwrap_or_else(empty_root)
	}

	/// The path that [`verify`] takes for the leaf at `index`; `None` past the last leaf.
	pub fn path(&self, index: u64) -> Option<Path> {
		if index >= self.count() {
			return None;
		}
		let mut position = usize::try_from(index).ok()?;
		let mut path = Vec::new();
		for row in &self.rows {
			path.extend(row.get(position ^ 1));
			position /= 2;
		}
		Path::try_from(path).ok()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn tree(count: u64) -> Tree {
		Tree::new((0..count).map(u64::to_le_bytes))
	}

	#[test]
	fn an_empty_tree_has_a_root_of_its_own_and_no_paths() {
		assert_eq!(tree(0).root(), empty_root());
		assert_eq!(tree(0).path(0), None);
		assert!(!verify(empty_root(), 0, 0, &[], &[]));
	}

	#[test]
	fn an_inner_node_is_no_leaf() {
		let whole = tree(4);
		let inner: Vec<u8> = [whole.rows[0][0].0, whole.rows[0][1].0]
			.into_iter()
			.flatten()
			.collect();
		let above = [whole.rows[1][1]];
		assert!(!verify(whole.root(), 2, 0, &inner, &above));
	}

	#[test]
	fn the_longest_path_fits_and_leaves_that_are_not_there_have_none() {
		assert_eq!(path_length(1 << MAX_PATH, 0), Some(MAX_PATH));
		assert_eq!(path_length(1, 0), Some(0));
		assert_eq!(path_length(1, 1), None);
		assert_eq!(path_length(0, 0), None);
		assert_eq!(path_length(u64::MAX, u64::MAX), None);
	}

	proptest! {
		#[test]
		fn lengths_of_paths_follow_from_the_shape(count in 0u64..300, index in 0u64..310) {
			let length = tree(count).path(index).map(|path| path.len() as u32);
			prop_assert_eq!(path_length(count, index), length);
		}

		#[test]
		fn every_leaf_opens_and_nothing_else_does(
			count in 1u64..200, pick in any::<u64>(), other in any::<u64>(), claimed in 1u64..400,
		) {
			let tree = tree(count);
			let index = pick % count;
			let leaf = index.to_le_bytes();
			let path = tree.path(index).expect("index is below count");
			prop_assert!(verify(tree.root(), count, index, &leaf, &path));

			let wrong = other % count;
			if wrong != index {
				prop_assert!(!verify(tree.root(), count, wrong, &leaf, &path));
			}
			let mut longer = path.to_vec();
			longer.push(H256::zero());
			prop_assert!(!verify(tree.root(), count, index, &leaf, &longer));
			if let Some((_, shorter)) = path.split_last() {
				prop_assert!(!verify(tree.root(), count, index, &leaf, shorter));
			}
			// Another count only passes where it leaves the shape of the path as it is.
			if verify(tree.root(), claimed, index, &leaf, &path) {
				prop_assert!(index < claimed);
			}
		}
	}
}
