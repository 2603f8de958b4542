//! The chain's mountain range over hashes of leaves, with its roots and proofs.

use super::file::FILE;
use millrace_anchor::leaf::LeafProof;
use millrace_primitives::{anchor::tree, H256};
use std::ops::Range;

/// Leaves below each peak, from the left: each bit of their number is a peak.
fn peaks(leaves: usize) -> Vec<Range<usize>> {
	let mut start = 0;
	let sizes = (0..usize::BITS).rev().map(|bit| 1usize << bit);
	sizes
		.filter(|size| leaves & *size != 0)
		.map(|size| {
			let peak = start..start + size;
			start = peak.end;
			peak
		})
		.collect()
}

fn peak_roots(leaves: &[H256]) -> Vec<H256> {
	let peaks = peaks(leaves.len()).into_iter();
	peaks.map(|peak| tree::root(&leaves[peak])).collect()
}

/// One hash for several peaks: from the right, the right one first.
fn bag(peaks: &[H256]) -> Option<H256> {
	let (last, rest) = peaks.split_last()?;
	let bagged = rest.iter().rev();
	Some(bagged.fold(*last, |right, left| tree::node(right, *left)))
}

/// Root of a range.
pub(super) fn root(leaves: &[H256]) -> H256 {
	bag(&peak_roots(leaves)).expect("there are leaves")
}

/// Proof of one of its leaves.
pub(super) fn proof(leaves: &[H256], index: usize) -> LeafProof {
	let roots = peak_roots(leaves);
	let (place, peak) = peaks(leaves.len())
		.into_iter()
		.enumerate()
		.find(|(_, peak)| peak.contains(&index))
		.expect("there is such a leaf");
	let within = u32::try_from(index - peak.start).expect("ranges are short");
	let path = tree::path(&leaves[peak], within).expect("the leaf is below the peak");
	let left = roots[..place].iter().copied();
	LeafProof {
		leaf_index: index as u64,
		leaf_count: leaves.len() as u64,
		items: left.chain(path).chain(bag(&roots[place + 1..])).collect(),
	}
}

#[test]
fn roots_and_proofs_are_those_of_the_chain() {
	for block in &FILE.range.blocks {
		assert_eq!(root(&FILE.leaves(block.number)), block.root);
	}
	for known in &FILE.range.proofs {
		let leaves = FILE.leaves(known.root_block as u32);
		let made = proof(&leaves, known.block - 1);
		assert_eq!(made.leaf_index, known.leaf_index);
		assert_eq!(made.leaf_count, known.leaf_count);
		assert_eq!(
			made.items, known.items,
			"{} by {}",
			known.block, known.root_block
		);
	}
}
