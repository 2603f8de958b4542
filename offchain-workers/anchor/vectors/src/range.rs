//! Blocks, their leaves, the range over them and its proofs.

use crate::{genesis, named, outbox, text, AuthoritySet};
use codec::Encode;
use frame_support::traits::Hooks;
use millrace_primitives::BlockNumber;
use millrace_runtime::{BeefyMmrLeaf, Mmr, Runtime, System};
use pallet_anchor::OutboxRoot;
use pallet_beefy_mmr::BeefyNextAuthorities;
use serde::Serialize;
use sp_core::{
	offchain::{testing::TestOffchainExt, OffchainDbExt},
	H256,
};
use sp_io::TestExternalities;
use sp_mmr_primitives::{EncodableOpaqueLeaf, LeafDataProvider};

/// Blocks of the chain.
const BLOCKS: BlockNumber = 40;
/// The first block of a session has a number that this divides.
const SESSION_BLOCKS: BlockNumber = 10;
/// Time of block 0, in milliseconds.
const BEGINNING_MS: u64 = 1_700_000_000_000;
/// Time between blocks, in milliseconds.
const SLOT_MS: u64 = 3_000;
/// Up to this block, every leaf is proven by every root.
const ALL_PROVEN: BlockNumber = 16;
/// Later blocks by whose roots some leaves are proven.
const SOME_PROVEN: [BlockNumber; 4] = [31, 32, 33, 40];

/// Blocks and the range over them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Range {
	/// Blocks from the first on.
	pub blocks: Vec<Block>,
	/// Proofs of leaves.
	pub proofs: Vec<LeafProof>,
	/// What a node answers that is asked for one of them.
	pub answer: Answer,
}

/// A block, as far as the range knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
	/// Its number.
	pub number: BlockNumber,
	/// Hash of the block before.
	pub parent_hash: String,
	/// Id of the set that the leaf names.
	pub next_set: u64,
	/// Root of the messages of the block before.
	pub outbox_root: String,
	/// Time of the block before, in milliseconds.
	pub time: u64,
	/// The leaf.
	pub leaf: String,
	/// Root of the range with this leaf.
	pub root: String,
}

/// Proof of a leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeafProof {
	/// Block whose leaf it is.
	pub block: BlockNumber,
	/// Block by whose root it is proven.
	pub root_block: BlockNumber,
	/// Index of the leaf.
	pub leaf_index: u64,
	/// Leaves under the root.
	pub leaf_count: u64,
	/// Hashes on the way.
	pub items: Vec<String>,
}

/// What `mmr_generateProof` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
	/// Block whose leaf is asked for.
	pub block: BlockNumber,
	/// Block by whose root it is to be proven.
	pub root_block: BlockNumber,
	/// The answer's `leaves`.
	pub leaves: String,
	/// The answer's `proof`.
	pub proof: String,
}

/// The chain, whose leaves can be proven.
pub(crate) struct Chain {
	pub(crate) vectors: Range,
	roots: Vec<H256>,
}

impl Chain {
	pub(crate) fn make(sets: &[AuthoritySet]) -> Self {
		let mut externalities = TestExternalities::default();
		let (blocks, roots) =
			externalities.execute_with(|| (1..=BLOCKS).map(|number| author(number, sets)).unzip());
		externalities.persist_offchain_overlay();
		let (offchain, _) = TestOffchainExt::with_offchain_db(externalities.offchain_db());
		externalities.register_extension(OffchainDbExt::new(offchain));
		let vectors = externalities.execute_with(|| Range {
			blocks,
			proofs: proven()
				.map(|(block, root_block)| proof(block, root_block))
				.collect(),
			answer: answer(SESSION_BLOCKS, SESSION_BLOCKS + 3),
		});
		Self { vectors, roots }
	}

	/// Root of the range with the leaf of a block.
	pub(crate) fn root(&self, block: BlockNumber) -> H256 {
		self.roots[block as usize - 1]
	}
}

/// Hash of a block.
fn hash(number: BlockNumber) -> H256 {
	match number {
		0 => genesis(),
		_ => named(&format!("vectors/block {number}")),
	}
}

/// A block begins, as far as the range knows of it.
fn author(number: BlockNumber, sets: &[AuthoritySet]) -> (Block, H256) {
	let parent = number - 1;
	let outbox_root = outbox::of_block(parent);
	let time = BEGINNING_MS + SLOT_MS * u64::from(parent);
	// Sets count sessions, and a leaf names the set after its own session's.
	let session = (number / SESSION_BLOCKS) as usize;
	let next = sets.get(session + 1).unwrap_or(&sets[sets.len() - 1]);

	System::initialize(&number, &hash(parent), &Default::default());
	pallet_timestamp::Now::<Runtime>::put(time);
	OutboxRoot::<Runtime>::put(outbox_root);
	BeefyNextAuthorities::<Runtime>::put(next.known.clone());
	let leaf = <BeefyMmrLeaf as LeafDataProvider>::leaf_data();
	Mmr::on_initialize(number);
	let root = Mmr::mmr_root();
	let block = Block {
		number,
		parent_hash: text(hash(parent)),
		next_set: next.id,
		outbox_root: text(outbox_root),
		time,
		leaf: text(leaf.encode()),
		root: text(root),
	};
	(block, root)
}

/// Which leaf is proven by the root of which block.
fn proven() -> impl Iterator<Item = (BlockNumber, BlockNumber)> {
	let all = (1..=ALL_PROVEN).flat_map(|known| (1..=known).map(move |block| (block, known)));
	let some = SOME_PROVEN.into_iter().flat_map(|known| {
		[1, known / 2, known - 2, known - 1, known]
			.into_iter()
			.map(move |block| (block, known))
	});
	all.chain(some)
}

fn proof(block: BlockNumber, root_block: BlockNumber) -> LeafProof {
	let (_, proof) =
		Mmr::generate_proof(vec![block], Some(root_block)).expect("all leaves are kept");
	LeafProof {
		block,
		root_block,
		leaf_index: proof.leaf_indices[0],
		leaf_count: proof.leaf_count,
		items: proof.items.iter().map(text).collect(),
	}
}

fn answer(block: BlockNumber, root_block: BlockNumber) -> Answer {
	let (leaves, proof) =
		Mmr::generate_proof(vec![block], Some(root_block)).expect("all leaves are kept");
	let leaves: Vec<_> = leaves.iter().map(EncodableOpaqueLeaf::from_leaf).collect();
	Answer {
		block,
		root_block,
		leaves: text(leaves.encode()),
		proof: text(proof.encode()),
	}
}
