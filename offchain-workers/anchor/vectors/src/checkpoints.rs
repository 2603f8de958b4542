//! Commitments, with the signatures of those who may sign them.

use crate::{authorities, authorities::Validator, genesis, range::Chain, text};
use codec::Encode;
use millrace_primitives::{checkpoint::CHAIN_ENTRY, BlockNumber};
use serde::Serialize;
use sp_consensus_beefy::{
	ecdsa_crypto, known_payloads::MMR_ROOT_ID, Commitment, Payload, SignedCommitment,
	ValidatorSetId, VersionedFinalityProof,
};
use sp_crypto_hashing::keccak_256;

/// Blocks that are committed to, and by which set: the first of each session, which is signed in any
/// case, and one within a session.
const COMMITTED: [(BlockNumber, ValidatorSetId); 4] = [(10, 1), (20, 2), (25, 2), (30, 3)];

/// A commitment and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
	/// The block.
	pub block: BlockNumber,
	/// Id of the set.
	pub set: ValidatorSetId,
	/// Root of the range.
	pub root: String,
	/// The commitment.
	pub commitment: String,
	/// What is signed: its Keccak hash.
	pub digest: String,
	/// As few signatures as are enough.
	pub signatures: Vec<Signature>,
	/// All of it, as nodes hand it on and keep it with the block.
	pub justification: String,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
	/// Place of the signer in the set.
	pub index: usize,
	/// The signature: r, s, and which of two points it is.
	pub signature: String,
}

/// Makes them.
pub(crate) fn of(all: &[Validator], chain: &Chain) -> Vec<Checkpoint> {
	COMMITTED
		.into_iter()
		.map(|(block, set)| checkpoint(authorities::members(all, set), chain, block, set))
		.collect()
}

fn checkpoint(
	members: &[Validator],
	chain: &Chain,
	block: BlockNumber,
	set: ValidatorSetId,
) -> Checkpoint {
	let root = chain.root(block);
	let payload = Payload::from_single_entry(MMR_ROOT_ID, root.encode())
		.push_raw(CHAIN_ENTRY, genesis().encode());
	let commitment = Commitment {
		payload,
		block_number: block,
		validator_set_id: set,
	};
	let bytes = commitment.encode();
	// The first third may be away.
	let away = (members.len() - 1) / 3;
	let signatures: Vec<Option<ecdsa_crypto::Signature>> = members
		.iter()
		.enumerate()
		.map(|(index, member)| (index >= away).then(|| member.sign(&bytes).into()))
		.collect();
	let listed = signatures
		.iter()
		.enumerate()
		.filter_map(|(index, signature)| {
			let signature = text(signature.as_ref()?.encode());
			Some(Signature { index, signature })
		})
		.collect();
	let justification = VersionedFinalityProof::V1(SignedCommitment {
		commitment,
		signatures,
	});
	Checkpoint {
		block,
		set,
		root: text(root),
		commitment: text(&bytes),
		digest: text(keccak_256(&bytes)),
		signatures: listed,
		justification: text(justification.encode()),
	}
}
