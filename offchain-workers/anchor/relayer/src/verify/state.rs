//! Values of the chain's state, by nodes of its tree: what a node answers to `state_getReadProof`.
//!
//! The tree is the SDK's, of both versions: of sixteen branches, hashed by BLAKE2, values of more than 32
//! bytes beside it.

use codec::{Compact, Decode};
use millrace_primitives::{hash::blake2_256, H256};
use std::collections::HashMap;

/// Most nibbles of a part of a key: as the SDK has it.
const MAX_NIBBLES: usize = 65_535;

/// Why nodes prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
	/// A node on the way is not among them.
	#[error("a node on the way from the state's root is missing: the proof is of another state, or cut off")]
	Missing,
	/// A node is encoded in another way.
	#[error("a node of the proof is not one of a state's tree")]
	Form,
}

/// What stands at a node.
struct Node<'a> {
	/// The part of the key that leads past it.
	partial: Vec<u8>,
	value: Option<Stored<'a>>,
	/// Encoded references to the nodes below it, each at its nibble.
	children: [Option<&'a [u8]>; 16],
}

enum Stored<'a> {
	Inline(&'a [u8]),
	Hashed([u8; 32]),
}

/// The value under a key in the state with this root; `None` if it is proven that there is none.
pub(super) fn read(
	root: H256,
	nodes: &[Vec<u8>],
	key: &[u8],
) -> Result<Option<Vec<u8>>, StateError> {
	let by_hash: HashMap<[u8; 32], &[u8]> = nodes
		.iter()
		.map(|node| (blake2_256(node).0, node.as_slice()))
		.collect();
	let find = |hash: &[u8; 32]| by_hash.get(hash).copied().ok_or(StateError::Missing);
	let nibbles: Vec<u8> = key
		.iter()
		.flat_map(|byte| [byte >> 4, byte & 0x0f])
		.collect();
	let mut rest = nibbles.as_slice();
	let mut encoded = find(&root.0)?;
	loop {
		let Some(node) = Node::read(encoded).ok_or(StateError::Form)? else {
			return Ok(None);
		};
		let Some(behind) = rest.strip_prefix(node.partial.as_slice()) else {
			return Ok(None);
		};
		let Some((nibble, below)) = behind.split_first() else {
			return match node.value {
				None => Ok(None),
				Some(Stored::Inline(value)) => Ok(Some(value.to_vec())),
				Some(Stored::Hashed(hash)) => Ok(Some(find(&hash)?.to_vec())),
			};
		};
		let child = node.children.get(usize::from(*nibble)).copied().flatten();
		let Some(child) = child else {
			return Ok(None);
		};
		// A small node stands in the place of its hash.
		encoded = match <&[u8; 32]>::try_from(child) {
			Ok(hash) => find(hash)?,
			Err(_) => child,
		};
		rest = below;
	}
}

impl<'a> Node<'a> {
	/// Reads a node; the empty one is none.
	fn read(encoded: &'a [u8]) -> Option<Option<Self>> {
		let input = &mut &encoded[..];
		let first = u8::decode(input).ok()?;
		let (is_branch, has_value, is_hashed, prefix_bits) = match first {
			0 => return input.is_empty().then_some(None),
			_ if first >> 6 == 0b01 => (false, true, false, 2),
			_ if first >> 6 == 0b10 => (true, false, false, 2),
			_ if first >> 6 == 0b11 => (true, true, false, 2),
			_ if first >> 5 == 0b001 => (false, true, true, 3),
			_ if first >> 4 == 0b0001 => (true, true, true, 4),
			_ => return None,
		};
		let partial = partial(first, prefix_bits, input)?;
		let bitmap = match is_branch {
			true => u16::decode(input).ok()?,
			false => 0,
		};
		let value = match (has_value, is_hashed) {
			(false, _) => None,
			(true, true) => Some(Stored::Hashed(<[u8; 32]>::decode(input).ok()?)),
			(true, false) => Some(Stored::Inline(counted(input)?)),
		};
		let mut children = [None; 16];
		for (index, child) in children.iter_mut().enumerate() {
			if (bitmap >> index) & 1 == 1 {
				*child = Some(counted(input)?);
			}
		}
		Some(Some(Self {
			partial,
			value,
			children,
		}))
	}
}

/// Nibbles of a part of a key. The first stands alone in its byte where they are odd.
fn partial(first: u8, prefix_bits: u32, input: &mut &[u8]) -> Option<Vec<u8>> {
	let most = usize::from(u8::MAX >> prefix_bits);
	let mut count = usize::from(first) & most;
	if count == most {
		count -= 1;
		loop {
			let more = usize::from(u8::decode(input).ok()?);
			if more < 255 {
				count += more + 1;
				break;
			}
			count += 255;
			if count > MAX_NIBBLES {
				return None;
			}
		}
	}
	let bytes = take(input, count.div_ceil(2))?;
	let mut nibbles: Vec<u8> = bytes
		.iter()
		.flat_map(|byte| [byte >> 4, byte & 0x0f])
		.collect();
	if count % 2 == 1 {
		let padding = nibbles.remove(0);
		if padding != 0 {
			return None;
		}
	}
	Some(nibbles)
}

/// Bytes behind their number.
fn counted<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
	let Compact(count) = Compact::<u32>::decode(input).ok()?;
	take(input, usize::try_from(count).ok()?)
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
	let (taken, rest) = input.split_at_checked(count)?;
	*input = rest;
	Some(taken)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use sp_core::Blake2Hasher;
	use sp_trie::{trie_types::TrieDBMutBuilderV1, MemoryDB, TrieMut};
	use std::collections::BTreeMap;

	/// The SDK's own tree of these entries: its root and all of its nodes.
	fn tree(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> (H256, Vec<Vec<u8>>) {
		let mut db: MemoryDB<Blake2Hasher> = Default::default();
		let mut root = Default::default();
		{
			let mut trie = TrieDBMutBuilderV1::<Blake2Hasher>::new(&mut db, &mut root).build();
			for (key, value) in entries {
				trie.insert(key, value).expect("it is in memory");
			}
		}
		let nodes = db.drain().into_values().map(|(node, _)| node).collect();
		(root, nodes)
	}

	proptest! {
		#[test]
		fn what_the_sdk_stores_is_read(
			entries in proptest::collection::btree_map(
				proptest::collection::vec(0u8..4, 1..6),
				proptest::collection::vec(any::<u8>(), 1..80),
				1..40,
			),
			other in proptest::collection::vec(0u8..4, 1..6),
		) {
			let (root, nodes) = tree(&entries);
			for key in entries.keys().chain([&other]) {
				let expected = entries.get(key).cloned();
				prop_assert_eq!(read(root, &nodes, key), Ok(expected));
			}
		}

		#[test]
		fn no_bytes_make_reading_panic(node in proptest::collection::vec(any::<u8>(), 0..100)) {
			let root = blake2_256(&node);
			let _ = read(root, &[node], &[1, 2, 3]);
		}
	}

	#[test]
	fn a_proof_that_is_cut_off_is_told_from_one_that_there_is_nothing() {
		let entries: BTreeMap<Vec<u8>, Vec<u8>> = (0..50u8)
			.map(|key| (vec![key, 1, 2], vec![key; 40]))
			.collect();
		let (root, nodes) = tree(&entries);
		assert_eq!(read(root, &nodes, &[7, 1, 2]), Ok(Some(vec![7; 40])));
		assert_eq!(read(root, &nodes, &[7, 1]), Ok(None));
		assert_eq!(read(root, &nodes, &[99, 1, 2]), Ok(None));
		let value = blake2_256(&[7; 40]);
		let is_kept = |node: &Vec<u8>| blake2_256(node) != value;
		let cut: Vec<Vec<u8>> = nodes.into_iter().filter(is_kept).collect();
		assert_eq!(read(root, &cut, &[7, 1, 2]), Err(StateError::Missing));
		assert_eq!(read(root, &[], &[7, 1, 2]), Err(StateError::Missing));
	}
}
