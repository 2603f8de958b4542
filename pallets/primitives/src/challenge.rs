//! Challenges: what a peer can be charged with, how it is shown, and what the peer answers.

use crate::{
	effects::MAX_TRANSCRIPT_BYTES,
	execution::{CallTerms, SignedReceipt, MAX_PACKAGE_BYTES, MAX_REQUEST_RECORD},
	hash,
	merkle::Path,
	peer::PeerId,
	report::Report,
	BlockNumber, EpochIndex, H256,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a peer is charged with.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
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
pub enum Charge {
	/// A receipt is seen to be false: by [`crate::execution::Receipt::fits_terms`], by its block or
	/// by its leaf.
	Inspection,
	/// A call has another result when it is run again.
	Replay,
	/// A receipt was signed and not reported.
	Omitted,
	/// Two receipts were signed under one number.
	DoubleSeq,
}

impl Charge {
	/// What it is punished as. A peer is punished once per epoch and kind.
	pub fn kind(self) -> OffenceKind {
		match self {
			Self::Inspection | Self::Replay => OffenceKind::Fraud,
			Self::Omitted | Self::DoubleSeq => OffenceKind::Omission,
		}
	}
}

/// Kinds of offences, each with a penalty of its own.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
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
pub enum OffenceKind {
	/// A receipt that is false.
	Fraud,
	/// A receipt that the report leaves out, or that shares its number.
	Omission,
	/// Data that were demanded and not posted.
	Withholding,
}

/// Names a case.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CaseId {
	/// The accused.
	pub peer: PeerId,
	/// Epoch of the receipt.
	pub epoch: EpochIndex,
	/// The charge.
	pub charge: Charge,
	/// The receipt's hash; of [`Charge::DoubleSeq`] the smaller of both.
	pub subject: H256,
}

/// What a challenger commits to: nobody can tell the case from it, nobody else can use it.
pub fn commitment<AccountId: Encode>(
	genesis: H256,
	who: &AccountId,
	case: &CaseId,
	salt: H256,
) -> H256 {
	hash::tagged("millrace/challenge/v1", &(genesis, who, case, salt))
}

/// Where a report holds a receipt.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct LeafProof {
	/// The report, of which the chain kept the hash.
	pub report: Report,
	/// The leaf at which the receipt stands.
	pub index: u32,
	/// Path to the report's `receipts_root`.
	pub path: Path,
}

/// What proves a charge.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Evidence {
	/// Of [`Charge::Inspection`].
	Inspection {
		/// The receipt.
		receipt: SignedReceipt,
		/// Where the report holds it, if that is what is wrong.
		leaf: Option<LeafProof>,
	},
	/// Of [`Charge::Replay`].
	Replay {
		/// The receipt.
		receipt: SignedReceipt,
		/// What its `terms` are the hash of.
		terms: CallTerms,
		/// The package.
		package: BoundedVec<u8, ConstU32<MAX_PACKAGE_BYTES>>,
		/// The request, SCALE-encoded.
		request: BoundedVec<u8, ConstU32<MAX_REQUEST_RECORD>>,
		/// The transcript, SCALE-encoded.
		transcript: BoundedVec<u8, ConstU32<MAX_TRANSCRIPT_BYTES>>,
	},
	/// Of [`Charge::Omitted`].
	Omitted {
		/// The receipt.
		receipt: SignedReceipt,
		/// The report, of which the chain kept the hash.
		report: Report,
	},
	/// Of [`Charge::DoubleSeq`].
	DoubleSeq {
		/// One receipt.
		first: SignedReceipt,
		/// Another of the same number.
		second: SignedReceipt,
	},
}

/// A peer's answer to [`Charge::Omitted`].
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Shown {
	/// The report, of which the chain kept the hash.
	pub report: Report,
	/// Path of the receipt's leaf to the report's `receipts_root`.
	pub path: Path,
}

/// What the peer's key signs to show a leaf.
pub fn shown_hash(genesis: H256, case: &CaseId, shown: &Shown) -> H256 {
	hash::tagged("millrace/shown/v1", &(genesis, case, shown))
}

/// Data of an opened receipt that can be demanded.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
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
pub enum Wanted {
	/// The package that ran.
	Package,
	/// The request, SCALE-encoded.
	Request,
	/// The transcript, SCALE-encoded.
	Transcript,
}

/// What the peer's key signs to post demanded data. `data`: what the receipt names them by.
pub fn posted_hash(
	genesis: H256,
	peer: PeerId,
	epoch: EpochIndex,
	seq: u32,
	wanted: Wanted,
	data: H256,
) -> H256 {
	hash::tagged(
		"millrace/posted/v1",
		&(genesis, peer, epoch, seq, wanted, data),
	)
}

/// What a peer owes to challengers, at one block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OwedEvidence {
	/// Charges of omission that it can refute by a leaf.
	pub show: Vec<CaseId>,
	/// The demand to answer next: epoch and number of the receipt, what is wanted, what it must
	/// hash to, and bytes that are paid for.
	pub post: Option<(EpochIndex, u32, Wanted, H256, u32)>,
}

/// A case that stands against a peer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CaseView<AccountId> {
	/// The case.
	pub case: CaseId,
	/// Block of its first reveal.
	pub first_reveal: BlockNumber,
	/// First block at which it can be concluded.
	pub concludes: BlockNumber,
	/// Whose commitment is the earliest of those that were revealed.
	pub leader: AccountId,
	/// Whether it is proven.
	pub proven: bool,
	/// Whether it is over.
	pub concluded: bool,
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::execution::tests::{receipt, terms};
	use codec::DecodeAll;

	fn case() -> CaseId {
		CaseId {
			peer: PeerId(H256::repeat_byte(1)),
			epoch: 2,
			charge: Charge::Replay,
			subject: H256::repeat_byte(3),
		}
	}

	fn signed() -> SignedReceipt {
		SignedReceipt {
			receipt: receipt(),
			signature: [4; 64],
		}
	}

	fn distinct(hashes: &[H256]) -> bool {
		let set: alloc::collections::BTreeSet<_> = hashes.iter().collect();
		set.len() == hashes.len()
	}

	#[test]
	fn a_commitment_is_for_one_chain_account_case_and_salt() {
		let commit = |genesis, who: u64, case: CaseId, salt| {
			commitment(
				H256::repeat_byte(genesis),
				&who,
				&case,
				H256::repeat_byte(salt),
			)
		};
		let one = commit(1, 2, case(), 3);
		assert_eq!(one, commit(1, 2, case(), 3));
		let others = [
			CaseId {
				peer: PeerId::default(),
				..case()
			},
			CaseId { epoch: 3, ..case() },
			CaseId {
				charge: Charge::Inspection,
				..case()
			},
			CaseId {
				subject: H256::zero(),
				..case()
			},
		]
		.map(|other| commit(1, 2, other, 3));
		let mut all = vec![
			one,
			commit(0, 2, case(), 3),
			commit(1, 0, case(), 3),
			commit(1, 2, case(), 0),
		];
		all.extend(others);
		assert!(distinct(&all));
	}

	#[test]
	fn what_is_shown_and_posted_is_for_one_case_and_datum() {
		let shown = Shown {
			report: Report::empty(2),
			path: Path::default(),
		};
		let genesis = H256::repeat_byte(1);
		let other_case = CaseId { epoch: 3, ..case() };
		let other_shown = Shown {
			report: Report::empty(3),
			..shown.clone()
		};
		let posted = |genesis, peer, epoch, seq, wanted, data| {
			let (genesis, peer) = (H256::repeat_byte(genesis), H256::repeat_byte(peer));
			let data = H256::repeat_byte(data);
			posted_hash(genesis, PeerId(peer), epoch, seq, wanted, data)
		};
		assert!(distinct(&[
			shown_hash(genesis, &case(), &shown),
			shown_hash(H256::zero(), &case(), &shown),
			shown_hash(genesis, &other_case, &shown),
			shown_hash(genesis, &case(), &other_shown),
			posted(1, 2, 3, 4, Wanted::Package, 5),
			posted(0, 2, 3, 4, Wanted::Package, 5),
			posted(1, 0, 3, 4, Wanted::Package, 5),
			posted(1, 2, 0, 4, Wanted::Package, 5),
			posted(1, 2, 3, 0, Wanted::Package, 5),
			posted(1, 2, 3, 4, Wanted::Request, 5),
			posted(1, 2, 3, 4, Wanted::Transcript, 5),
			posted(1, 2, 3, 4, Wanted::Package, 0),
		]));
	}

	#[test]
	fn false_receipts_are_fraud_and_missing_ones_are_not() {
		for (charge, kind) in [
			(Charge::Inspection, OffenceKind::Fraud),
			(Charge::Replay, OffenceKind::Fraud),
			(Charge::Omitted, OffenceKind::Omission),
			(Charge::DoubleSeq, OffenceKind::Omission),
		] {
			assert_eq!(charge.kind(), kind);
		}
	}

	#[test]
	fn evidence_comes_back_as_it_was() {
		let report = Report::empty(2);
		let leaf = LeafProof {
			report: report.clone(),
			index: 1,
			path: vec![H256::repeat_byte(5)].try_into().expect("one fits"),
		};
		for evidence in [
			Evidence::Inspection {
				receipt: signed(),
				leaf: None,
			},
			Evidence::Inspection {
				receipt: signed(),
				leaf: Some(leaf),
			},
			Evidence::Replay {
				receipt: signed(),
				terms: terms(),
				package: vec![1; 3].try_into().expect("they fit"),
				request: vec![2; 4].try_into().expect("they fit"),
				transcript: vec![0].try_into().expect("it fits"),
			},
			Evidence::Omitted {
				receipt: signed(),
				report,
			},
			Evidence::DoubleSeq {
				first: signed(),
				second: signed(),
			},
		] {
			assert!(evidence.encoded_size() <= Evidence::max_encoded_len());
			assert_eq!(
				Evidence::decode_all(&mut &evidence.encode()[..]),
				Ok(evidence.clone())
			);
		}
	}

	#[test]
	fn evidence_beyond_its_bounds_is_not_read() {
		let replay = |package: usize, request: usize, transcript: usize| {
			// As the enum encodes, without the bounds of its fields.
			let mut bytes = vec![1];
			(signed(), terms()).encode_to(&mut bytes);
			(
				vec![0u8; package],
				vec![0u8; request],
				vec![0u8; transcript],
			)
				.encode_to(&mut bytes);
			Evidence::decode_all(&mut &bytes[..])
		};
		let most = [MAX_PACKAGE_BYTES, MAX_REQUEST_RECORD, MAX_TRANSCRIPT_BYTES];
		let [package, request, transcript] = most.map(|bytes| bytes as usize);
		assert!(replay(package, request, transcript).is_ok());
		assert!(replay(package + 1, request, transcript).is_err());
		assert!(replay(package, request + 1, transcript).is_err());
		assert!(replay(package, request, transcript + 1).is_err());
	}

	#[test]
	fn what_is_owed_comes_back_as_it_was() {
		let owed = OwedEvidence {
			show: vec![case()],
			post: Some((1, 2, Wanted::Request, H256::repeat_byte(3), 4)),
		};
		assert_eq!(
			OwedEvidence::decode_all(&mut &owed.encode()[..]),
			Ok(owed.clone())
		);
		let view = CaseView {
			case: case(),
			first_reveal: 1,
			concludes: 2,
			leader: 3u64,
			proven: true,
			concluded: false,
		};
		assert_eq!(
			CaseView::decode_all(&mut &view.encode()[..]),
			Ok(view.clone())
		);
	}
}
