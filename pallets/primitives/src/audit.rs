//! Audits: which leaves of a report a drawn peer must open, and the answer that opens them.

use crate::{
	execution::SignedReceipt, hash, merkle::Path, peer::PeerId, report::Report, EpochIndex, H256,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// `q`: solution leaves that a drawn peer opens.
pub const SOLUTIONS_PER_AUDIT: u32 = 3;
/// Receipt leaves that a drawn peer opens.
pub const RECEIPTS_PER_AUDIT: u32 = 2;

/// Leaves of the solution tree that the draw asks for, ascending and distinct.
///
/// With fewer leaves than the audit opens, all of them.
pub fn drawn_solutions(draw: H256, peer: PeerId, leaves: u64) -> Vec<u64> {
	drawn(
		"millrace/audit-solution/v1",
		draw,
		peer,
		leaves,
		SOLUTIONS_PER_AUDIT,
	)
}

/// Leaves of the receipt tree that the draw asks for, ascending and distinct.
pub fn drawn_receipts(draw: H256, peer: PeerId, leaves: u64) -> Vec<u64> {
	drawn(
		"millrace/audit-receipt/v1",
		draw,
		peer,
		leaves,
		RECEIPTS_PER_AUDIT,
	)
}

/// Floyd's sampling: each set of `take` indices is equally likely, in exactly `take` steps.
fn drawn(tag: &str, draw: H256, peer: PeerId, leaves: u64, take: u32) -> Vec<u64> {
	let take = leaves.min(u64::from(take));
	let mut chosen: Vec<u64> = Vec::new();
	for step in 0..take {
		let upper = leaves.saturating_sub(take).saturating_add(step);
		let pick = hash::below(
			hash::tagged(tag, &(draw, peer, step)),
			upper.saturating_add(1),
		);
		chosen.push(if chosen.contains(&pick) { upper } else { pick });
	}
	chosen.sort_unstable();
	chosen
}

/// One leaf of the solution tree.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SolutionOpening {
	/// The leaf: the nonce that solves its unit's k-th puzzle.
	pub nonce: u64,
	/// Path to the report's `proofs_root`.
	pub path: Path,
}

/// One leaf of the receipt tree.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ReceiptOpening {
	/// The receipt whose hash is the leaf.
	pub receipt: SignedReceipt,
	/// Path to the report's `receipts_root`.
	pub path: Path,
}

/// Everything that a drawn peer owes, in the order of [`drawn_solutions`] and
/// [`drawn_receipts`].
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct AuditAnswer {
	/// The report, of which the chain kept the hash.
	pub report: Report,
	/// The drawn solutions.
	pub solutions: BoundedVec<SolutionOpening, ConstU32<SOLUTIONS_PER_AUDIT>>,
	/// The drawn receipts.
	pub receipts: BoundedVec<ReceiptOpening, ConstU32<RECEIPTS_PER_AUDIT>>,
}

impl AuditAnswer {
	/// What the peer's key signs.
	pub fn hash(&self, genesis: H256, peer: PeerId) -> H256 {
		hash::tagged("millrace/audit-answer/v1", &(genesis, peer, self))
	}
}

/// State of the audit that a peer was last drawn for.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum AuditStatus {
	/// Drawn, to be answered before the epoch closes; unanswered it counts as failed.
	Open,
	/// Answered, and everything that was opened holds.
	Passed,
	/// Answered, and something that was opened does not hold.
	Failed,
}

/// An audit of one peer.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Audit {
	/// The epoch whose report was drawn.
	pub epoch: EpochIndex,
	/// Where it stands.
	pub status: AuditStatus,
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	proptest! {
		#[test]
		fn draws_are_distinct_ascending_and_in_range(seed in any::<u64>(), leaves in 0u64..100) {
			let draw = hash::blake2_256(&seed.to_le_bytes());
			let solutions = drawn_solutions(draw, PeerId::default(), leaves);
			prop_assert_eq!(solutions.len() as u64, leaves.min(3));
			prop_assert!(solutions.windows(2).all(|pair| pair[0] < pair[1]));
			prop_assert!(solutions.iter().all(|index| *index < leaves));
			prop_assert_eq!(drawn_receipts(draw, PeerId::default(), leaves).len() as u64, leaves.min(2));
		}
	}

	#[test]
	fn every_leaf_is_drawn_about_equally_often() {
		let mut hits = [0u32; 8];
		for round in 0u32..8_000 {
			let draw = hash::blake2_256(&round.to_le_bytes());
			for index in drawn_solutions(draw, PeerId::default(), 8) {
				hits[index as usize] += 1;
			}
		}
		// 3/8 of 8,000 is 3,000; five standard deviations of that binomial are 217.
		assert!(
			hits.iter().all(|count| count.abs_diff(3_000) < 217),
			"{hits:?}"
		);
	}
}
