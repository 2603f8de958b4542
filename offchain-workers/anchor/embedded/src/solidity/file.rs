//! What the chain's own code made: the file beside the contracts, which a test of the crate
//! `millrace-anchor-vectors` compares with that code.

use super::range;
use millrace_anchor::{
	commitment::Signed,
	contract::{AuthoritySet, Handover, Submission},
	evm::{keccak, Address},
};
use millrace_primitives::{BlockNumber, H256};
use serde::Deserialize;
use std::sync::LazyLock;

/// The file.
pub(super) static FILE: LazyLock<File> = LazyLock::new(|| {
	let text = include_str!("../../../contracts/vectors/chain.json");
	serde_json::from_str(text).expect("vectors are JSON")
});

#[derive(Deserialize)]
pub(super) struct File {
	pub(super) genesis: H256,
	pub(super) authorities: Authorities,
	/// The sets of sessions, by their ids.
	pub(super) sets: Vec<Set>,
	pub(super) range: Range,
	pub(super) checkpoints: Vec<Checkpoint>,
	pub(super) outboxes: Vec<Outbox>,
}

#[derive(Deserialize)]
pub(super) struct Authorities {
	pub(super) addresses: Vec<Address>,
	/// Of the set of the first one, the first two, and so on.
	pub(super) roots: Vec<H256>,
}

#[derive(Deserialize)]
pub(super) struct Set {
	#[serde(flatten)]
	pub(super) set: AuthoritySet,
	pub(super) addresses: Vec<Address>,
}

#[derive(Deserialize)]
pub(super) struct Range {
	/// From block 1 on.
	pub(super) blocks: Vec<Block>,
	pub(super) proofs: Vec<LeafProof>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Block {
	pub(super) number: BlockNumber,
	pub(super) next_set: usize,
	pub(super) outbox_root: H256,
	pub(super) time: u64,
	pub(super) leaf: Bytes,
	pub(super) root: H256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LeafProof {
	pub(super) block: usize,
	pub(super) root_block: usize,
	pub(super) leaf_index: u64,
	pub(super) leaf_count: u64,
	pub(super) items: Vec<H256>,
}

#[derive(Deserialize)]
pub(super) struct Checkpoint {
	pub(super) block: BlockNumber,
	pub(super) set: u64,
	pub(super) root: H256,
	pub(super) commitment: Bytes,
	pub(super) digest: H256,
	/// What a node keeps with the block.
	pub(super) justification: Bytes,
}

#[derive(Deserialize)]
pub(super) struct Outbox {
	pub(super) messages: Vec<Bytes>,
	pub(super) root: H256,
	pub(super) proofs: Vec<MessageProof>,
}

#[derive(Deserialize)]
pub(super) struct MessageProof {
	pub(super) index: u32,
	pub(super) count: u32,
	pub(super) items: Vec<H256>,
}

/// Bytes, which the file has in hexadecimal.
#[derive(Deserialize)]
pub(super) struct Bytes(#[serde(with = "millrace_primitives::hex_text")] pub(super) Vec<u8>);

impl File {
	/// Hashes of the leaves up to a block.
	pub(super) fn leaves(&self, block: BlockNumber) -> Vec<H256> {
		let blocks = self.range.blocks[..block as usize].iter();
		blocks.map(|block| keccak(&block.leaf.0)).collect()
	}

	/// What is submitted of a checkpoint; `first` if no other is of its set.
	pub(super) fn submission(&self, checkpoint: &Checkpoint, first: bool) -> Submission {
		let signed = Signed::read(&checkpoint.justification.0).expect("a node keeps it so");
		let place = checkpoint.block as usize - 1;
		let handover = first.then(|| Handover {
			leaf: self.range.blocks[place].leaf.0.clone(),
			proof: range::proof(&self.leaves(checkpoint.block), place),
		});
		let set = &self.sets[checkpoint.set as usize];
		Submission::new(&signed, set.addresses.clone(), handover)
	}
}
