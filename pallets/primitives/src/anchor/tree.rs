//! The tree over the messages of a block: the SDK's `binary_merkle_tree` over Keccak, from hashes of
//! leaves. The last of an odd row goes up as it is.
//!
//! Leaves are hashed as nodes are. What keeps them apart is length: a node is the hash of 64 bytes, and
//! no message has as many.

use super::keccak;
use crate::H256;
use alloc::vec::Vec;

/// A node over two others.
pub fn node(left: H256, right: H256) -> H256 {
	let mut bytes = [0u8; 64];
	let (first, second) = bytes.split_at_mut(32);
	first.copy_from_slice(left.as_bytes());
	second.copy_from_slice(right.as_bytes());
	keccak(&bytes)
}

/// The row above.
fn above(row: &[H256]) -> Vec<H256> {
	row.chunks(2)
		.filter_map(|pair| match pair {
			[left, right] => Some(node(*left, *right)),
			[last] => Some(*last),
			_ => None,
		})
		.collect()
}

/// Root over hashes of leaves; zeros if there are none.
pub fn root(leaves: &[H256]) -> H256 {
	let mut row = leaves.to_vec();
	while row.len() > 1 {
		row = above(&row);
	}
	row.first().copied().unwrap_or_default()
}

/// Siblings of a leaf on its way to the root, the lowest first; `None` where there is no such leaf.
pub fn path(leaves: &[H256], index: u32) -> Option<Vec<H256>> {
	let mut place = usize::try_from(index).ok()?;
	leaves.get(place)?;
	let mut items = Vec::new();
	let mut row = leaves.to_vec();
	while row.len() > 1 {
		items.extend(row.get(place ^ 1));
		row = above(&row);
		place >>= 1;
	}
	Some(items)
}

/// The root to which a path leads from the hash of a leaf; `None` if the path has not the length that
/// the leaf's place asks for.
pub fn root_of(leaf: H256, index: u32, count: u32, path: &[H256]) -> Option<H256> {
	if index >= count {
		return None;
	}
	let (mut place, mut width, mut hash) = (index, count, leaf);
	let mut items = path.iter();
	while width > 1 {
		if place & 1 == 1 {
			hash = node(*items.next()?, hash);
		} else if place.saturating_add(1) < width {
			hash = node(hash, *items.next()?);
		}
		place >>= 1;
		width = width.div_ceil(2);
	}
	items.next().is_none().then_some(hash)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn leaves(count: u32) -> Vec<H256> {
		(0..count).map(|i| keccak(&i.to_le_bytes())).collect()
	}

	#[test]
	fn the_root_of_none_is_zero_and_that_of_one_its_hash() {
		assert_eq!(root(&[]), H256::zero());
		let one = leaves(1);
		assert_eq!(root(&one), one[0]);
		let three = leaves(3);
		assert_eq!(root(&three), node(node(three[0], three[1]), three[2]));
	}

	#[test]
	fn every_path_leads_to_the_root_and_no_other_does() {
		for count in 1..40 {
			let all = leaves(count);
			for index in 0..count {
				let leaf = all[index as usize];
				let items = path(&all, index).unwrap();
				assert_eq!(root_of(leaf, index, count, &items), Some(root(&all)));
				let longer = [&items[..], &[H256::zero()]].concat();
				assert_eq!(root_of(leaf, index, count, &longer), None);
				if let Some((_, shorter)) = items.split_last() {
					assert_eq!(root_of(leaf, index, count, shorter), None);
				}
				assert_ne!(
					root_of(H256::zero(), index, count, &items),
					Some(root(&all))
				);
			}
			assert_eq!(path(&all, count), None);
			assert_eq!(root_of(all[0], count, count, &[]), None);
		}
	}
}
