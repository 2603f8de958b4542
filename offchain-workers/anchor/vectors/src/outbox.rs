//! Messages of blocks, and proofs of them.

use crate::text;
use binary_merkle_tree::{merkle_proof, merkle_root};
use millrace_primitives::BlockNumber;
use serde::Serialize;
use sp_core::H256;
use sp_runtime::traits::Keccak256;

/// Most messages of a block.
const MOST: u32 = 20;
/// Bytes that all messages begin with.
const HEADER_BYTES: usize = 69;

/// Messages of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outbox {
	/// The messages, in their order.
	pub messages: Vec<String>,
	/// Root of the tree over them.
	pub root: String,
	/// Proof of each.
	pub proofs: Vec<OutboxProof>,
}

/// Proof of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxProof {
	/// Its place.
	pub index: u32,
	/// Messages of its block.
	pub count: u32,
	/// Hashes on the way.
	pub items: Vec<String>,
}

/// So many messages: zeros in the place of a header, and the message's place.
fn messages(count: u32) -> Vec<Vec<u8>> {
	(0..count)
		.map(|index| [&[0; HEADER_BYTES][..], &index.to_le_bytes()].concat())
		.collect()
}

/// Root of a block of the chain, every third of which sends messages.
pub(crate) fn of_block(number: BlockNumber) -> H256 {
	let count = if number % 3 == 0 { number % MOST } else { 0 };
	merkle_root::<Keccak256, _>(messages(count))
}

/// Blocks of no message, one, two, and so on.
pub(crate) fn outboxes() -> Vec<Outbox> {
	(0..=MOST)
		.map(|count| {
			let messages = messages(count);
			let proofs = (0..count)
				.map(|index| {
					let proof = merkle_proof::<Keccak256, _, _>(&messages, index);
					OutboxProof {
						index: proof.leaf_index,
						count: proof.number_of_leaves,
						items: proof.proof.iter().map(text).collect(),
					}
				})
				.collect();
			Outbox {
				root: text(merkle_root::<Keccak256, _>(&messages)),
				messages: messages.iter().map(text).collect(),
				proofs,
			}
		})
		.collect()
}
