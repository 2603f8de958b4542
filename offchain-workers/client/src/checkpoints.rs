//! What a node knows of checkpoints: blocks that validators signed for an anchor, the sets that sign, and
//! proofs by the range of all blocks.

use crate::{
	chain::{lost, refused, Chain, REQUEST_TIMEOUT},
	error::ReadError,
};
use codec::{DecodeAll, Encode};
use millrace_primitives::{BlockNumber, H256};
use serde::{de::DeserializeOwned, Deserialize};
use subxt::{config::substrate::DigestItem, rpcs::client::RpcParams};
use tokio::time::timeout;

/// Name of BEEFY among engines of consensus.
const ENGINE: [u8; 4] = *b"BEEF";
/// Number of the log by which a session's first block names the set that signs from there on.
const AUTHORITIES_CHANGE: u8 = 1;

/// A set of validators that signs checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointSet {
	/// Its id: one more in each session.
	pub id: u64,
	/// Its keys, compressed, in its order.
	pub keys: Vec<[u8; 33]>,
}

/// A leaf of the range with its proof, as `mmr_generateProof` answers: SCALE, with lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedLeafProof {
	/// A list of one leaf.
	pub leaves: Vec<u8>,
	/// Its proof.
	pub proof: Vec<u8>,
}

/// Proof that one state of the range grew out of another, in the runtime's encoding.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Deserialize)]
pub struct AncestryProof {
	prev_peaks: Vec<H256>,
	prev_leaf_count: u64,
	leaf_count: u64,
	items: Vec<(u64, H256)>,
}

#[derive(Deserialize)]
struct Answer {
	leaves: String,
	proof: String,
}

impl Chain {
	/// Hash of the finalised block of a height.
	pub async fn hash_of(&self, number: BlockNumber) -> Result<H256, ReadError> {
		self.block_hash(number).await
	}

	/// The last block that validators signed, if the node has seen one since it started.
	pub async fn last_signed(&self) -> Result<Option<H256>, ReadError> {
		match self.ask("beefy_getFinalizedHead", Vec::new()).await {
			Ok(hash) => Ok(Some(hash)),
			// It says so until the first round is over.
			Err(ReadError::Refused { reason, .. }) if reason.contains("not ready") => Ok(None),
			Err(error) => Err(error),
		}
	}

	/// The signed commitment that the node keeps with a block, as it is encoded.
	pub async fn signed_commitment(&self, block: H256) -> Result<Option<Vec<u8>>, ReadError> {
		let details = self
			.request("a block's justifications", |methods| async move {
				methods.chain_get_block(Some(block)).await
			})
			.await?
			.ok_or_else(|| ReadError::UnknownBlock(format!("{block:?}")))?;
		let mut justifications = details.justifications.into_iter().flatten();
		Ok(justifications
			.find(|(engine, _)| *engine == ENGINE)
			.map(|(_, bytes)| bytes))
	}

	/// The set that a block names in its header: that of the session which it is the first block of.
	/// Headers are kept for ever, also where states are not.
	pub async fn set_named_by(&self, block: H256) -> Result<Option<CheckpointSet>, ReadError> {
		let header = self.header(block).await?;
		for item in header.digest.logs {
			let DigestItem::Consensus(ENGINE, bytes) = item else {
				continue;
			};
			let Some((&AUTHORITIES_CHANGE, rest)) = bytes.split_first() else {
				continue;
			};
			let (keys, id) =
				<(Vec<[u8; 33]>, u64)>::decode_all(&mut &rest[..]).map_err(|error| {
					ReadError::Undecodable {
						what: "the set in a header".into(),
						reason: error.to_string(),
					}
				})?;
			return Ok(Some(CheckpointSet { id, keys }));
		}
		Ok(None)
	}

	/// Nodes of the state's tree by which the values under these keys are proven at a block.
	pub async fn state_proof(
		&self,
		block: H256,
		keys: &[Vec<u8>],
	) -> Result<Vec<Vec<u8>>, ReadError> {
		let proof = self
			.request("a proof of the state", |methods| async move {
				let keys = keys.iter().map(Vec::as_slice);
				methods.state_get_read_proof(keys, Some(block)).await
			})
			.await?;
		Ok(proof.proof.into_iter().map(|bytes| bytes.0).collect())
	}

	/// A block's header as the runtime encodes it.
	pub async fn header_bytes(&self, block: H256) -> Result<Vec<u8>, ReadError> {
		Ok(self.header(block).await?.encode())
	}

	/// The leaf of a block with its proof by the range of `root_block`, which is not earlier.
	pub async fn leaf_proof(
		&self,
		block: BlockNumber,
		root_block: BlockNumber,
	) -> Result<EncodedLeafProof, ReadError> {
		let params = vec![json(&[block]), json(&root_block)];
		let answer: Answer = self.ask("mmr_generateProof", params).await?;
		let bytes = |text: &str| {
			let digits = text.strip_prefix("0x").unwrap_or(text);
			hex::decode(digits).map_err(|error| ReadError::Undecodable {
				what: "mmr_generateProof".into(),
				reason: error.to_string(),
			})
		};
		Ok(EncodedLeafProof {
			leaves: bytes(&answer.leaves)?,
			proof: bytes(&answer.proof)?,
		})
	}

	/// Proof that the range of `root_block` grew out of that of `block`.
	pub async fn ancestry_proof(
		&self,
		block: BlockNumber,
		root_block: BlockNumber,
	) -> Result<AncestryProof, ReadError> {
		let params = vec![json(&block), json(&root_block)];
		self.ask("mmr_generateAncestryProof", params).await
	}

	async fn header(&self, block: H256) -> Result<crate::chain::Header, ReadError> {
		self.request("a block's header", |methods| async move {
			methods.chain_get_header(Some(block)).await
		})
		.await?
		.ok_or_else(|| ReadError::UnknownBlock(format!("{block:?}")))
	}

	/// Calls a method of the node that has no function here. It may be called twice, if the connection
	/// breaks.
	pub async fn ask<T: DeserializeOwned>(
		&self,
		method: &str,
		params: Vec<serde_json::Value>,
	) -> Result<T, ReadError> {
		let mut reason = String::new();
		for _ in 0..2 {
			let link = self.link().await?;
			let mut given = RpcParams::new();
			for param in &params {
				given.push(param).map_err(|error| refused(method, &error))?;
			}
			let request = link.rpc.request::<T>(method, given);
			reason = match timeout(REQUEST_TIMEOUT, request).await {
				Ok(Ok(answer)) => return Ok(answer),
				Ok(Err(error)) if !lost(&error) => return Err(refused(method, &error)),
				Ok(Err(error)) => error.to_string(),
				Err(_) => "no answer in time".to_string(),
			};
			link.give_up();
		}
		Err(ReadError::Lost(reason))
	}
}

/// A number, or a list of them.
fn json<T: serde::Serialize + ?Sized>(value: &T) -> serde_json::Value {
	serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_ancestry_proof_is_encoded_in_the_runtimes_order() {
		let zero = format!("0x{}", "00".repeat(32));
		let proof: AncestryProof = serde_json::from_value(serde_json::json!({
			"prev_peaks": [zero],
			"prev_leaf_count": 1,
			"leaf_count": 2,
			"items": [[3, zero]],
		}))
		.expect("that is what a node answers");
		let expected = (vec![H256::zero()], 1u64, 2u64, vec![(3u64, H256::zero())]);
		assert_eq!(proof.encode(), expected.encode());
	}
}
