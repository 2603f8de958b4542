//! A receipt down to a checkpoint, without any connection: receipt, report, state, range, checkpoint.
//!
//! [`fetch`] gathers what is needed from a node, which need not be trusted; [`Bundle::check`] computes every
//! step again. What is left to ask is one thing: whether the anchor has this root for this block, or, without
//! an anchor, whether the set that signed it is the chain's.

mod state;

pub use state::StateError;

use crate::{
	commitment::{address_of, authority_set, Signed},
	contract::AuthoritySet,
	evm::{hex_bytes, keccak, Address},
	leaf::{Leaf, LeafProof, ProvenLeaf},
	ours::{self, OursError},
};
use codec::{Compact, Decode, DecodeAll};
use millrace_client::{
	receipts::{self, ReceiptProof, VerifyError},
	storage, verify_peer_signature, Chain,
};
use millrace_primitives::{
	hash::blake2_256, peer::PeerKey, views::ReportRecord, BlockNumber, EpochIndex, H256,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything by which a receipt is checked. Bytes are hexadecimal in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
	/// The receipt in its report.
	pub receipt: ReceiptProof,
	/// Header of the block whose state has the report.
	#[serde(with = "millrace_primitives::hex_text")]
	pub header: Vec<u8>,
	/// Nodes of that state.
	pub state: Vec<HexBytes>,
	/// Leaf of the block after it.
	#[serde(with = "millrace_primitives::hex_text")]
	pub leaf: Vec<u8>,
	/// Proof of the leaf by the checkpoint's root.
	pub proof: LeafProof,
	/// Block of the checkpoint.
	pub root_block: BlockNumber,
	/// What validators signed of that block, if the node has it.
	#[serde(default)]
	pub signed: Option<SignedCheckpoint>,
}

/// A checkpoint with its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCheckpoint {
	/// As a node keeps it.
	#[serde(with = "millrace_primitives::hex_text")]
	pub justification: Vec<u8>,
	/// Keys of the whole set, in its order.
	pub keys: Vec<HexBytes>,
}

/// Bytes that are hexadecimal in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HexBytes(#[serde(with = "millrace_primitives::hex_text")] pub Vec<u8>);

/// What a bundle comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
	/// Block whose state has the report.
	pub block: BlockNumber,
	/// Its hash.
	pub hash: H256,
	/// Hash of the report.
	pub report: H256,
	/// Block of the checkpoint.
	pub root_block: BlockNumber,
	/// The root that the anchor must have for it.
	pub root: H256,
	/// Who signed it, if that was checked.
	pub signed: Option<CheckedSignatures>,
}

/// Signatures that were checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedSignatures {
	/// The set, as the anchor names it.
	pub set: AuthoritySet,
	/// How many of it signed.
	pub signers: u32,
}

/// Why a bundle does not hold.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
	/// The receipt does not stand in its report.
	#[error(transparent)]
	Receipt(#[from] VerifyError),
	/// A header is encoded in another way.
	#[error("that is no header of a block")]
	Header,
	/// The state is not proven.
	#[error("the state: {0}")]
	State(#[from] StateError),
	/// What stands in the state is not what a receipt needs.
	#[error("the state of block {block} has no {what}")]
	NotInState {
		/// What was looked for.
		what: &'static str,
		/// The block.
		block: BlockNumber,
	},
	/// The leaf is of another block.
	#[error("the leaf names block {found:?}, and the header is of {expected:?}")]
	OtherBlock {
		/// The header's hash.
		expected: H256,
		/// What the leaf names.
		found: H256,
	},
	/// The leaf, or its proof, has another form.
	#[error("the leaf of the range, or its proof, has another form")]
	Leaf,
	/// The signatures are of another checkpoint.
	#[error("the signatures are of another checkpoint: {0}")]
	OtherCheckpoint(&'static str),
	/// Too few have signed.
	#[error("{signers} of {authorities} authorities signed, and {required} must")]
	NoQuorum {
		/// How many signed.
		signers: usize,
		/// How many there are.
		authorities: usize,
		/// How many must.
		required: usize,
	},
}

impl Bundle {
	/// Computes every step again.
	pub fn check(&self) -> Result<Checked, BundleError> {
		receipts::stands_in_report(&self.receipt)?;
		let (block, state_root) = header(&self.header).ok_or(BundleError::Header)?;
		let report = self.check_state(block, state_root)?;

		let hash = blake2_256(&self.header);
		let leaf = Leaf::read(&self.leaf).ok_or(BundleError::Leaf)?;
		if leaf.parent_hash != hash {
			return Err(BundleError::OtherBlock {
				expected: hash,
				found: leaf.parent_hash,
			});
		}
		let root = self
			.proof
			.root_of(keccak(&self.leaf))
			.ok_or(BundleError::Leaf)?;
		let signed = match &self.signed {
			Some(signed) => Some(self.check_signatures(signed, root)?),
			None => None,
		};
		Ok(Checked {
			block,
			hash,
			report,
			root_block: self.root_block,
			root,
			signed,
		})
	}

	/// The report in the state, and the key that signed the receipt.
	fn check_state(&self, block: BlockNumber, root: H256) -> Result<H256, BundleError> {
		let receipt = &self.receipt.receipt.receipt;
		let nodes: Vec<Vec<u8>> = self.state.iter().map(|node| node.0.clone()).collect();
		let read = |key: &[u8], what: &'static str| -> Result<Vec<u8>, BundleError> {
			let value = state::read(root, &nodes, key)?;
			value.ok_or(BundleError::NotInState { what, block })
		};
		let raw = read(&storage::peer_keys(receipt.peer), "key of the peer")?;
		let key = key_at(&raw, receipt.block).ok_or(VerifyError::UnknownPeer(receipt.peer))?;
		if !verify_peer_signature(&key, receipt.hash(), &self.receipt.receipt.signature) {
			return Err(VerifyError::BadSignature.into());
		}
		let raw = read(
			&storage::report(receipt.peer, receipt.epoch),
			"report of the epoch",
		)?;
		let record = ReportRecord::decode_all(&mut &raw[..]).ok();
		let record = record
			.filter(|record| record.epoch == receipt.epoch)
			.ok_or(VerifyError::NotReported {
				peer: receipt.peer,
				epoch: receipt.epoch,
			})?;
		let report = self.receipt.report.hash(receipt.genesis, receipt.peer);
		match report == record.hash {
			true => Ok(report),
			false => Err(VerifyError::OtherReport.into()),
		}
	}

	fn check_signatures(
		&self,
		checkpoint: &SignedCheckpoint,
		root: H256,
	) -> Result<CheckedSignatures, BundleError> {
		let other = BundleError::OtherCheckpoint;
		let signed = Signed::read(&checkpoint.justification).map_err(|_| other("its form"))?;
		let commitment = signed.commitment;
		if commitment.root != root {
			return Err(other("its root"));
		}
		if commitment.block != self.root_block {
			return Err(other("its block"));
		}
		if commitment.genesis != self.receipt.receipt.receipt.genesis {
			return Err(other("its chain"));
		}
		let address = |key: &HexBytes| -> Option<Address> {
			let key: &[u8; 33] = key.0.as_slice().try_into().ok()?;
			Some(address_of(key))
		};
		let addresses: Option<Vec<Address>> = checkpoint.keys.iter().map(address).collect();
		let addresses = addresses.ok_or(other("its keys"))?;
		let signers = signed.signers(&addresses).len();
		if !signed.has_quorum(&addresses) {
			return Err(BundleError::NoQuorum {
				signers,
				authorities: addresses.len(),
				required: crate::commitment::required(addresses.len()),
			});
		}
		Ok(CheckedSignatures {
			set: authority_set(commitment.set, &addresses),
			signers: u32::try_from(signers).unwrap_or(u32::MAX),
		})
	}
}

/// Gathers what a receipt is checked by, for a checkpoint of a block. The state of the block before it must
/// be there still, and have the report.
pub async fn fetch(
	chain: &Chain,
	receipt: ReceiptProof,
	root_block: BlockNumber,
) -> Result<Bundle, OursError> {
	let fields = &receipt.receipt.receipt;
	let block = root_block.saturating_sub(1);
	let hash = chain.hash_of(block).await?;
	let keys = [
		storage::peer_keys(fields.peer),
		storage::report(fields.peer, fields.epoch),
	];
	let nodes = chain.state_proof(hash, &keys).await?;
	let (_, ProvenLeaf { raw, proof }) = ours::leaf(chain, root_block, root_block).await?;
	let signed = match ours::signed(chain, root_block).await? {
		Some(signed) => {
			let set = ours::signers_of(chain, &signed).await?;
			let root_hash = chain.hash_of(root_block).await?;
			chain
				.signed_commitment(root_hash)
				.await?
				.map(|justification| SignedCheckpoint {
					justification,
					keys: set.keys.iter().map(|key| HexBytes(key.to_vec())).collect(),
				})
		}
		None => None,
	};
	Ok(Bundle {
		receipt,
		header: chain.header_bytes(hash).await?,
		state: nodes.into_iter().map(HexBytes).collect(),
		leaf: raw,
		proof,
		root_block,
		signed,
	})
}

/// What a server of the anchor answered to `rootAt`, as it stands in a file: the word alone, or the whole
/// object of JSON-RPC.
pub fn answered_root(answer: &Value) -> Option<H256> {
	let word = answer.get("result").unwrap_or(answer);
	let bytes: [u8; 32] = hex_bytes(word)?.try_into().ok()?;
	Some(H256(bytes))
}

/// Number and state root of a header.
fn header(raw: &[u8]) -> Option<(BlockNumber, H256)> {
	let input = &mut &raw[..];
	let _parent = <[u8; 32]>::decode(input).ok()?;
	let Compact(number) = Compact::<u32>::decode(input).ok()?;
	let state_root = <[u8; 32]>::decode(input).ok()?;
	Some((number, H256(state_root)))
}

/// The key that counted at a block, of those that the state keeps of a peer.
fn key_at(raw: &[u8], block: BlockNumber) -> Option<PeerKey> {
	type Interval = (PeerKey, BlockNumber, Option<BlockNumber>);
	let intervals = Vec::<Interval>::decode_all(&mut &raw[..]).ok()?;
	intervals
		.into_iter()
		.find(|(_, since, until)| *since <= block && until.is_none_or(|until| block <= until))
		.map(|(key, ..)| key)
}

/// Epoch of a receipt, for who has to wait for its report.
pub fn epoch_of(receipt: &ReceiptProof) -> EpochIndex {
	receipt.receipt.receipt.epoch
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use serde_json::json;

	#[test]
	fn a_header_begins_with_parent_number_and_state() {
		let raw = ([1u8; 32], Compact(70_000u32), [2u8; 32], [3u8; 32]).encode();
		assert_eq!(header(&raw), Some((70_000, H256::repeat_byte(2))));
		assert_eq!(header(&raw[..40]), None);
	}

	#[test]
	fn the_key_is_that_of_the_receipts_block() {
		let raw = vec![([1u8; 32], 0u32, Some(9u32)), ([2u8; 32], 10, None)].encode();
		assert_eq!(key_at(&raw, 9), Some([1; 32]));
		assert_eq!(key_at(&raw, 10), Some([2; 32]));
		assert_eq!(key_at(&[], 10), None);
	}

	#[test]
	fn an_answer_is_read_alone_or_in_its_object() {
		let word = format!("0x{}", "07".repeat(32));
		let root = Some(H256::repeat_byte(7));
		assert_eq!(answered_root(&json!(word)), root);
		let object = json!({"jsonrpc": "2.0", "id": 1, "result": word});
		assert_eq!(answered_root(&object), root);
		assert_eq!(answered_root(&json!({"error": {"code": 3}})), None);
	}
}
