//! Receipts against the chain: whether a call that a client paid for stands in what the peer
//! reported, as it was handed over.

use crate::{error::ReadError, keys::verify_peer_signature, view::View};
use millrace_primitives::{
	execution::SignedReceipt,
	merkle::{self, Path},
	peer::PeerId,
	report::Report,
	EpochIndex,
};
use serde::{Deserialize, Serialize};

/// A receipt with the report that it stands in. In JSON each field is SCALE in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptProof {
	/// The report, of which the chain keeps the hash.
	#[serde(with = "hex_scale")]
	pub report: Report,
	/// The receipt.
	#[serde(with = "hex_scale")]
	pub receipt: SignedReceipt,
	/// Path from the receipt to the report's `receipts_root`.
	#[serde(with = "hex_scale")]
	pub path: Path,
}

/// Why a receipt does not hold.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VerifyError {
	/// The chain could not be read.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// The receipt is of another chain or fork.
	#[error("the receipt is of another chain")]
	OtherChain,
	/// The receipt carries another seed than its epoch has.
	#[error("the receipt's seed is not that of epoch {0}: it was made on another fork")]
	OtherSeed(EpochIndex),
	/// The chain does not remember the epoch any more.
	#[error("the chain does not remember epoch {0} any more")]
	Forgotten(EpochIndex),
	/// Receipt and report are of different epochs.
	#[error("the receipt is of epoch {receipt}, the report of epoch {report}")]
	OtherEpoch {
		/// The receipt's epoch.
		receipt: EpochIndex,
		/// The report's.
		report: EpochIndex,
	},
	/// The chain has no report of the peer for the epoch.
	#[error("peer {peer} has not reported epoch {epoch}")]
	NotReported {
		/// The peer.
		peer: PeerId,
		/// The epoch.
		epoch: EpochIndex,
	},
	/// The chain has another report.
	#[error("the peer reported something else to the chain")]
	OtherReport,
	/// The report does not contain the receipt at its place.
	#[error("the report does not contain the receipt at place {0}")]
	NotInReport(u32),
	/// There was no such peer, or the chain has forgotten its key.
	#[error("the chain knows no key that peer {0} had at the receipt's block")]
	UnknownPeer(PeerId),
	/// The signature is not the peer's.
	#[error("the receipt is not signed by the peer's key")]
	BadSignature,
}

impl VerifyError {
	/// Its name for machines.
	pub fn code(&self) -> &'static str {
		match self {
			Self::Read(_) => "chain_unreadable",
			Self::OtherChain => "receipt_other_chain",
			Self::OtherSeed(_) => "receipt_other_seed",
			Self::Forgotten(_) => "epoch_forgotten",
			Self::OtherEpoch { .. } => "receipt_other_epoch",
			Self::NotReported { .. } => "not_reported",
			Self::OtherReport => "other_report",
			Self::NotInReport(_) => "not_in_report",
			Self::UnknownPeer(_) => "peer_unknown",
			Self::BadSignature => "receipt_bad_signature",
		}
	}
}

/// Checks everything that the chain can say about a receipt: its chain, fork and epoch, the
/// peer's signature, and its place in the report that the peer sent. All of it is read at the
/// view's block, so that any node can answer, and a key that was rotated since counts as well.
pub async fn verify(view: &View, proof: &ReceiptProof) -> Result<(), VerifyError> {
	let receipt = &proof.receipt.receipt;
	if receipt.genesis != view.genesis() {
		return Err(VerifyError::OtherChain);
	}
	let seed = view
		.seed(receipt.epoch)
		.await?
		.ok_or(VerifyError::Forgotten(receipt.epoch))?;
	if receipt.seed != seed {
		return Err(VerifyError::OtherSeed(receipt.epoch));
	}
	let key = view
		.key_at(receipt.peer, receipt.block)
		.await?
		.ok_or(VerifyError::UnknownPeer(receipt.peer))?;
	if !verify_peer_signature(&key, receipt.hash(), &proof.receipt.signature) {
		return Err(VerifyError::BadSignature);
	}
	let record = view.report(receipt.peer, receipt.epoch).await?;
	let record = record
		.filter(|record| record.epoch == receipt.epoch)
		.ok_or(VerifyError::NotReported {
			peer: receipt.peer,
			epoch: receipt.epoch,
		})?;
	if record.hash != proof.report.hash(view.genesis(), receipt.peer) {
		return Err(VerifyError::OtherReport);
	}
	stands_in_report(proof)
}

/// The part that needs no chain: the receipt's place in the report.
pub fn stands_in_report(proof: &ReceiptProof) -> Result<(), VerifyError> {
	let (receipt, report) = (&proof.receipt.receipt, &proof.report);
	if report.epoch != receipt.epoch {
		return Err(VerifyError::OtherEpoch {
			receipt: receipt.epoch,
			report: report.epoch,
		});
	}
	let leaf = receipt.hash();
	let (count, index) = (u64::from(report.receipts), u64::from(receipt.seq));
	match merkle::verify(
		report.receipts_root,
		count,
		index,
		leaf.as_bytes(),
		&proof.path,
	) {
		true => Ok(()),
		false => Err(VerifyError::NotInReport(receipt.seq)),
	}
}

/// Serde helper: a value as SCALE in hexadecimal.
mod hex_scale {
	use codec::{Decode, DecodeAll, Encode};
	use serde::{de::Error, Deserialize, Deserializer, Serializer};

	pub(super) fn serialize<T: Encode, S: Serializer>(
		value: &T,
		serializer: S,
	) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&format!("0x{}", hex::encode(value.encode())))
	}

	pub(super) fn deserialize<'de, T: Decode, D: Deserializer<'de>>(
		deserializer: D,
	) -> Result<T, D::Error> {
		let text = String::deserialize(deserializer)?;
		let bytes = hex::decode(text.trim_start_matches("0x")).map_err(D::Error::custom)?;
		T::decode_all(&mut &bytes[..]).map_err(D::Error::custom)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::keys::PeerKeypair;
	use millrace_primitives::{
		execution::{empty_transcript, CallStatus, Receipt, PROFILE_V1},
		merkle::Tree,
		H256,
	};

	fn receipts(count: u32) -> Vec<SignedReceipt> {
		let key = PeerKeypair::from_seed([1; 32], None);
		(0..count)
			.map(|seq| {
				let receipt = Receipt {
					genesis: H256::zero(),
					seed: H256::zero(),
					deal: 1,
					peer: key.id(),
					epoch: 4,
					seq,
					package: H256::zero(),
					profile: PROFILE_V1,
					terms: H256::zero(),
					request: H256::zero(),
					response: H256::zero(),
					transcript: empty_transcript(),
					status: CallStatus::Exited(0),
					gas: 10,
					block: 90,
				};
				let signature = key.sign_hash(receipt.hash());
				SignedReceipt { receipt, signature }
			})
			.collect()
	}

	fn proof(index: usize) -> ReceiptProof {
		let receipts = receipts(5);
		let tree = Tree::new(receipts.iter().map(|signed| signed.receipt.hash()));
		let mut report = Report::empty(4);
		report.receipts = 5;
		report.receipts_root = tree.root();
		let path = tree.path(index as u64).expect("there are five");
		ReceiptProof {
			report,
			receipt: receipts[index].clone(),
			path,
		}
	}

	#[test]
	fn a_reported_receipt_stands_at_its_place() {
		for index in 0..5 {
			assert!(stands_in_report(&proof(index)).is_ok());
		}
	}

	#[test]
	fn a_receipt_that_was_changed_afterwards_does_not() {
		let mut changed = proof(2);
		changed.receipt.receipt.gas += 1;
		assert!(matches!(
			stands_in_report(&changed),
			Err(VerifyError::NotInReport(2))
		));
		let mut moved = proof(2);
		moved.path = proof(3).path;
		assert!(matches!(
			stands_in_report(&moved),
			Err(VerifyError::NotInReport(2))
		));
		let mut late = proof(2);
		late.report.epoch = 5;
		assert!(matches!(
			stands_in_report(&late),
			Err(VerifyError::OtherEpoch { .. })
		));
	}

	#[test]
	fn a_proof_comes_back_from_its_json() {
		let proof = proof(1);
		let json = serde_json::to_string(&proof).expect("it is plain data");
		assert!(json.starts_with("{\"report\":\"0x"), "{json}");
		assert_eq!(
			serde_json::from_str::<ReceiptProof>(&json).expect("it reads back"),
			proof
		);
		assert!(serde_json::from_str::<ReceiptProof>("{\"report\":\"0x00\"}").is_err());
	}
}
