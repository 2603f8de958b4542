//! Checkpoints: what validators sign for an anchor, and which votes are an offence.
//!
//! The range of all blocks grows by a leaf with each one; validators sign its root with the keys of
//! BEEFY. What stands in a leaf, byte for byte, is what the contracts of the anchor read.

use super::consensus::{MaxValidators, ReportLongevity};
use crate::{
	validators::{KeyOwners, CHECKPOINTS_PROVABLE},
	BeefyMmrLeaf, BlockNumber, Epochs, Offences, Runtime, RuntimeCall,
};
use frame_support::{
	parameter_types,
	traits::{ConstU32, ConstU64, Contains, KeyOwnerProofSystem},
};
use millrace_primitives::{
	checkpoint::{self, CHAIN_ENTRY},
	traits::EpochClock,
};
use sp_consensus_beefy::{ecdsa_crypto::AuthorityId as BeefyId, mmr::MmrLeafVersion, Commitment};
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::Keccak256;

/// Sets whose sessions are known by their ids: more than those of which something can be proven.
const SETS_KNOWN: u64 = 480;

const _: () = assert!(
	SETS_KNOWN > CHECKPOINTS_PROVABLE as u64,
	"whatever can be proven must find the session of its set"
);

parameter_types! {
	/// Form of the leaves: the only one that the contracts read.
	pub LeafVersion: MmrLeafVersion = MmrLeafVersion::default();
}

impl pallet_mmr::Config for Runtime {
	const INDEXING_PREFIX: &'static [u8] = sp_mmr_primitives::INDEXING_PREFIX;
	type Hashing = Keccak256;
	type LeafData = BeefyMmrLeaf;
	type OnNewRoot = pallet_beefy_mmr::DepositBeefyDigest<Runtime>;
	type BlockHashProvider = pallet_mmr::DefaultBlockHashProvider<Runtime>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
}

impl pallet_beefy::Config for Runtime {
	type BeefyId = BeefyId;
	type MaxAuthorities = MaxValidators;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<SETS_KNOWN>;
	type OnNewValidatorSet = BeefyMmrLeaf;
	type AncestryHelper = BeefyMmrLeaf;
	type WeightInfo = ();
	type KeyOwnerProof = <KeyOwners as KeyOwnerProofSystem<(KeyTypeId, BeefyId)>>::Proof;
	type EquivocationReportSystem =
		pallet_beefy::EquivocationReportSystem<Self, Offences, KeyOwners, ReportLongevity>;
}

impl pallet_beefy_mmr::Config for Runtime {
	type LeafVersion = LeafVersion;
	type BeefyAuthorityToMerkleLeaf = pallet_beefy_mmr::BeefyEcdsaToEthereum;
	type LeafExtra = checkpoint::LeafExtra;
	type BeefyDataProvider = pallet_anchor::LeafExtra<Runtime>;
	type WeightInfo = ();
}

/// Closes reports of votes that are not for this chain.
///
/// The SDK compares two votes of one key for one block and set, and nothing in them says of which
/// chain it is but our own entry. Whoever validates here and on another chain with one key signs both:
/// that is unwise, and no offence, since no anchor of this chain believes the other vote.
#[derive(Debug)]
pub struct VotesForThisChain;

impl Contains<RuntimeCall> for VotesForThisChain {
	fn contains(call: &RuntimeCall) -> bool {
		use pallet_beefy::Call as Beefy;
		let RuntimeCall::Beefy(call) = call else {
			return true;
		};
		match call {
			Beefy::report_double_voting {
				equivocation_proof, ..
			}
			| Beefy::report_double_voting_unsigned {
				equivocation_proof, ..
			} => {
				is_for_this_chain(&equivocation_proof.first.commitment)
					&& is_for_this_chain(&equivocation_proof.second.commitment)
			}
			Beefy::report_fork_voting {
				equivocation_proof, ..
			}
			| Beefy::report_fork_voting_unsigned {
				equivocation_proof, ..
			} => is_for_this_chain(&equivocation_proof.vote.commitment),
			Beefy::report_future_block_voting {
				equivocation_proof, ..
			}
			| Beefy::report_future_block_voting_unsigned {
				equivocation_proof, ..
			} => is_for_this_chain(&equivocation_proof.vote.commitment),
			_ => true,
		}
	}
}

/// Whether a commitment names this chain.
fn is_for_this_chain(commitment: &Commitment<BlockNumber>) -> bool {
	let genesis = <Epochs as EpochClock>::genesis();
	commitment
		.payload
		.get_all_raw(&CHAIN_ENTRY)
		.any(|entry| entry.as_slice() == genesis.as_bytes())
}

#[cfg(test)]
mod tests;
