//! Reports: the one transaction a peer sends per epoch, over everything it did.

use crate::{hash, merkle, peer::PeerId, DealId, EpochIndex, Gas, H256};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most deals that a peer serves at once: they all stand in its report.
pub const MAX_DEALS_PER_PEER: u32 = 64;

/// What a peer did for one deal in an epoch. Listing a deal without calls says "I stood ready".
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
pub struct Served {
	/// The deal.
	pub deal: DealId,
	/// Calls answered with a receipt.
	pub calls: u32,
	/// Gas of those calls.
	pub gas: Gas,
}

/// Capacity and execution proofs of one peer for one epoch.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Report {
	/// The epoch that is reported.
	pub epoch: EpochIndex,
	/// Idle units for which every owed solution was found.
	pub proven_idle: u32,
	/// Units at work for which every owed solution was found.
	pub proven_busy: u32,
	/// Merkle root over the nonces, see [`crate::capacity::WorkRates::leaf`] for the order.
	pub proofs_root: H256,
	/// Merkle root over the receipts' hashes, in order of their seq.
	pub receipts_root: H256,
	/// Number of receipts.
	pub receipts: u32,
	/// Every deal served, in ascending order of deal.
	pub served: BoundedVec<Served, ConstU32<MAX_DEALS_PER_PEER>>,
}

impl Report {
	/// A report of nothing for an epoch.
	pub fn empty(epoch: EpochIndex) -> Self {
		Self {
			epoch,
			proven_idle: 0,
			proven_busy: 0,
			proofs_root: merkle::empty_root(),
			receipts_root: merkle::empty_root(),
			receipts: 0,
			served: BoundedVec::new(),
		}
	}

	/// What the peer's key signs, and what the chain keeps of the report.
	pub fn hash(&self, genesis: H256, peer: PeerId) -> H256 {
		hash::tagged("millrace/report/v1", &(genesis, peer, self))
	}

	/// Whether the list of deals is strictly ascending: none twice.
	pub fn is_ordered(&self) -> bool {
		self.served.windows(2).all(|pair| match pair {
			[first, second] => first.deal < second.deal,
			_ => true,
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn served(deal: DealId) -> Served {
		Served {
			deal,
			calls: 0,
			gas: 0,
		}
	}

	#[test]
	fn a_report_is_bound_to_its_chain_and_peer() {
		let report = Report::empty(4);
		let hash = report.hash(H256::zero(), PeerId::default());
		assert_ne!(hash, report.hash(H256::repeat_byte(1), PeerId::default()));
		assert_ne!(
			hash,
			report.hash(H256::zero(), PeerId(H256::repeat_byte(1)))
		);
		assert_ne!(hash, Report::empty(5).hash(H256::zero(), PeerId::default()));
	}

	#[test]
	fn a_deal_listed_twice_is_seen() {
		let mut report = Report::empty(0);
		report.served = vec![served(1), served(2)].try_into().expect("two fit");
		assert!(report.is_ordered());
		report.served = vec![served(2), served(2)].try_into().expect("two fit");
		assert!(!report.is_ordered());
	}
}
