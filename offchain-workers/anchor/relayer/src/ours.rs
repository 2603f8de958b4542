//! The chain's side: blocks that validators signed, the sets that sign, proofs.

use crate::{
	commitment::{address_of, Commitment, CommitmentError, Signed},
	evm::Address,
	leaf::{Leaf, ProvenLeaf},
};
use millrace_client::{checkpoints::CheckpointSet, Chain, ReadError};
use millrace_primitives::{BlockNumber, H256};

/// Blocks below the last finalised one in which a signed one is looked for, where the node does not say.
const LOOK_BACK: BlockNumber = 64;

/// Why the chain's side is not known.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OursError {
	/// The node cannot be read.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// What it keeps with a block is no signed commitment.
	#[error("block {block}: {reason}")]
	Commitment {
		/// The block.
		block: BlockNumber,
		/// What is wrong.
		reason: CommitmentError,
	},
	/// A leaf or its proof has another form.
	#[error("the node proves the leaf of block {0} in another form; node and this tool are of different versions")]
	Leaf(BlockNumber),
	/// A session's first block has no signatures here.
	#[error(
		"this node has no signatures of block {0}, the first of a session: ask another node, one that has \
		 imported every block"
	)]
	NoSignatures(BlockNumber),
	/// A set is not known any more.
	#[error("this node does not know who is in set {0} any more; ask an archive node")]
	NoSet(u64),
}

impl OursError {
	/// Whether the same may succeed later.
	pub fn is_transient(&self) -> bool {
		matches!(self, Self::Read(error) if error.is_transient())
	}
}

/// A block that validators signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBlock {
	/// Its number.
	pub number: BlockNumber,
	/// The commitment with its signatures.
	pub signed: Signed,
}

/// A set with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities {
	/// BEEFY's id of it.
	pub id: u64,
	/// Its keys, in its order.
	pub keys: Vec<[u8; 33]>,
	/// Their addresses.
	pub addresses: Vec<Address>,
}

impl From<CheckpointSet> for Authorities {
	fn from(set: CheckpointSet) -> Self {
		Self {
			id: set.id,
			addresses: set.keys.iter().map(address_of).collect(),
			keys: set.keys,
		}
	}
}

/// The leaf of a block with its proof by the range of another.
pub async fn leaf(
	chain: &Chain,
	block: BlockNumber,
	root_block: BlockNumber,
) -> Result<(Leaf, ProvenLeaf), OursError> {
	let answer = chain.leaf_proof(block, root_block).await?;
	let proven = ProvenLeaf::read(&answer.leaves, &answer.proof).ok_or(OursError::Leaf(block))?;
	let leaf = Leaf::read(&proven.raw).ok_or(OursError::Leaf(block))?;
	Ok((leaf, proven))
}

/// MMR root of a block.
pub async fn root(chain: &Chain, block: BlockNumber) -> Result<H256, OursError> {
	let (_, proven) = leaf(chain, block, block).await?;
	proven.root().ok_or(OursError::Leaf(block))
}

/// What validators signed of a block, if this node has it.
pub async fn signed(chain: &Chain, block: BlockNumber) -> Result<Option<SignedBlock>, OursError> {
	let hash = chain.hash_of(block).await?;
	let Some(bytes) = chain.signed_commitment(hash).await? else {
		return Ok(None);
	};
	let commitment = |reason| OursError::Commitment { block, reason };
	let signed = Signed::read(&bytes).map_err(commitment)?;
	Ok(Some(SignedBlock {
		number: block,
		signed,
	}))
}

/// The last block that validators signed.
pub async fn newest(chain: &Chain) -> Result<Option<SignedBlock>, OursError> {
	if let Some(hash) = chain.last_signed().await? {
		let number = chain.at(hash).await?.block().number;
		if let Some(found) = signed(chain, number).await? {
			return Ok(Some(found));
		}
	}
	// A node that has just started does not say.
	let last = chain.latest().await?.block().number;
	for number in (last.saturating_sub(LOOK_BACK).max(1)..=last).rev() {
		if let Some(found) = signed(chain, number).await? {
			return Ok(Some(found));
		}
	}
	Ok(None)
}

/// First block that a set signs: of those after `after` and up to `known`, which a later set signs.
///
/// Leaves are never forgotten, states are, and every leaf names the set after its own. So the block is found
/// by halving, at any age.
pub async fn first_block_of(
	chain: &Chain,
	set: u64,
	after: BlockNumber,
	known: BlockNumber,
) -> Result<BlockNumber, OursError> {
	let (mut low, mut high) = (after.max(1), known);
	while low < high {
		let middle = low + (high - low) / 2;
		let (leaf, _) = leaf(chain, middle, known).await?;
		if leaf.next.id > set {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	Ok(low)
}

/// Who is in a set, whose first block is known.
pub async fn authorities(
	chain: &Chain,
	set: u64,
	first_block: BlockNumber,
) -> Result<Authorities, OursError> {
	let hash = chain.hash_of(first_block).await?;
	let named = match chain.set_named_by(hash).await? {
		Some(named) => Some(named),
		// The chain's first set is named by no header; nor is that of a block in the middle of a session.
		None => match chain.at(hash).await?.checkpoint_set().await {
			Ok(found) => found,
			Err(ReadError::Refused { .. } | ReadError::UnknownBlock(_)) => None,
			Err(error) => return Err(error.into()),
		},
	};
	match named {
		Some(named) if named.id == set => Ok(named.into()),
		_ => Err(OursError::NoSet(set)),
	}
}

/// Who signed a block: the set of the session that it is in.
pub async fn signers_of(chain: &Chain, block: &SignedBlock) -> Result<Authorities, OursError> {
	let Commitment { set, .. } = block.signed.commitment;
	match authorities(chain, set, block.number).await {
		Err(OursError::NoSet(_)) => {
			let first = first_block_of(chain, set, 0, block.number).await?;
			authorities(chain, set, first).await
		}
		outcome => outcome,
	}
}
