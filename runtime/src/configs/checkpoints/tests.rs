use super::*;
use crate::{AccountId, AllPalletsWithSystem, System};
use codec::Encode;
use frame_support::traits::PalletsInfoAccess;
use hex_literal::hex;
use pallet_beefy_mmr::BeefyNextAuthorities;
use sp_consensus_beefy::{
	mmr::BeefyAuthoritySet,
	test_utils::{signed_vote, Keyring},
	DoubleVotingProof, FutureBlockVotingProof, Payload,
};
use sp_core::H256;
use sp_mmr_primitives::LeafDataProvider;
use sp_session::MembershipProof;

/// Hash of block 0 in these tests.
const GENESIS: H256 = H256::repeat_byte(7);

type Calls = pallet_beefy::Call<Runtime>;
type Vote = sp_consensus_beefy::VoteMessage<
	BlockNumber,
	BeefyId,
	sp_consensus_beefy::ecdsa_crypto::Signature,
>;

/// A vote of Alice's for a block, with a root and an entry for a chain.
fn vote(chain: Option<H256>, root: u8) -> Vote {
	let payload = Payload::from_single_entry(*b"mh", H256::repeat_byte(root).encode());
	let payload = match chain {
		Some(chain) => payload.push_raw(CHAIN_ENTRY, chain.encode()),
		None => payload,
	};
	signed_vote(9, payload, 3, &Keyring::Alice)
}

fn proof() -> MembershipProof {
	MembershipProof {
		session: 3,
		trie_nodes: Vec::new(),
		validator_count: 4,
	}
}

/// Whether a report of two votes, signed and not, comes as far as the pallet.
fn two_votes_pass(first: Vote, second: Vote) -> bool {
	let both = DoubleVotingProof { first, second };
	let signed = Calls::report_double_voting {
		equivocation_proof: Box::new(both.clone()),
		key_owner_proof: proof(),
	};
	let unsigned = Calls::report_double_voting_unsigned {
		equivocation_proof: Box::new(both),
		key_owner_proof: proof(),
	};
	let [signed, unsigned] =
		[signed, unsigned].map(|call| VotesForThisChain::contains(&call.into()));
	assert_eq!(signed, unsigned);
	signed
}

/// The same of a vote for a block that is to come.
fn future_vote_passes(vote: Vote) -> bool {
	let early = FutureBlockVotingProof { vote };
	let signed = Calls::report_future_block_voting {
		equivocation_proof: Box::new(early.clone()),
		key_owner_proof: proof(),
	};
	let unsigned = Calls::report_future_block_voting_unsigned {
		equivocation_proof: Box::new(early),
		key_owner_proof: proof(),
	};
	let [signed, unsigned] =
		[signed, unsigned].map(|call| VotesForThisChain::contains(&call.into()));
	assert_eq!(signed, unsigned);
	signed
}

#[test]
fn a_leaf_has_the_bytes_that_the_contracts_read() {
	sp_io::TestExternalities::default().execute_with(|| {
		System::set_block_number(0x0506_0707);
		System::initialize(&0x0506_0708, &H256::repeat_byte(1), &Default::default());
		pallet_timestamp::Now::<Runtime>::put(0x1112_1314_1516_1718u64);
		BeefyNextAuthorities::<Runtime>::put(BeefyAuthoritySet {
			id: 0x0102_0304_0506_0708,
			len: 0x0102_0304,
			keyset_commitment: H256::repeat_byte(2),
		});
		let expected = [
			&hex!("00")[..],
			&hex!("07070605"),
			&[1; 32],
			&hex!("0807060504030201"),
			&hex!("04030201"),
			&[2; 32],
			// Nothing was sent in the block before.
			&[0; 32],
			&hex!("1817161514131211"),
		]
		.concat();
		let leaf = <BeefyMmrLeaf as LeafDataProvider>::leaf_data().encode();
		assert_eq!(leaf.len(), 121);
		assert_eq!(leaf, expected);
	});
}

/// Else the commitment for a session's first block, which is signed in any case, could not show which
/// set follows its own.
#[test]
fn sessions_turn_before_the_leaf_is_made_and_messages_are_kept_until_then() {
	let order: Vec<_> = AllPalletsWithSystem::infos()
		.into_iter()
		.map(|pallet| pallet.name)
		.collect();
	let place = |name: &str| {
		let found = order.iter().position(|other| *other == name);
		found.unwrap_or_else(|| panic!("there is no {name}"))
	};
	assert!(place("Session") < place("Mmr"));
	assert!(place("Mmr") < place("Anchor"));
}

#[test]
fn a_vote_for_another_chain_is_no_offence_here() {
	sp_io::TestExternalities::default().execute_with(|| {
		frame_system::BlockHash::<Runtime>::insert(0u32, GENESIS);
		let ours = |root| vote(Some(GENESIS), root);
		let theirs = vote(Some(H256::repeat_byte(8)), 2);
		let nobodys = vote(None, 2);
		assert!(two_votes_pass(ours(1), ours(2)));
		assert!(!two_votes_pass(ours(1), theirs.clone()));
		assert!(!two_votes_pass(theirs.clone(), ours(1)));
		assert!(!two_votes_pass(ours(1), nobodys.clone()));
		assert!(future_vote_passes(ours(1)));
		assert!(!future_vote_passes(theirs));
		assert!(!future_vote_passes(nobodys));
		let other = Calls::set_new_genesis { delay_in_blocks: 1 };
		assert!(VotesForThisChain::contains(&other.into()));
		let transfer = crate::RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
		assert!(VotesForThisChain::contains(&transfer));
	});
}

#[test]
fn reports_of_votes_pass_whatever_is_paused() {
	use crate::configs::system::{AlwaysAllowed, NeverPaused};
	use frame_support::{traits::GetCallMetadata, BoundedVec};
	let report = Calls::report_double_voting {
		equivocation_proof: Box::new(DoubleVotingProof {
			first: vote(Some(GENESIS), 1),
			second: vote(Some(GENESIS), 2),
		}),
		key_owner_proof: proof(),
	};
	let call = RuntimeCall::from(report);
	assert!(AlwaysAllowed::contains(&call));
	let names = call.get_call_metadata();
	let bounded = |name: &str| BoundedVec::truncate_from(name.as_bytes().to_vec());
	let name = (bounded(names.pallet_name), bounded(names.function_name));
	assert!(NeverPaused::contains(&name));
}

/// A key is set with a signature by it, so that it is a point; one that is none would have no address
/// in the list that the contracts read.
#[test]
fn a_key_without_a_point_cannot_be_proven_to_be_ones_own() {
	use sp_core::Pair;
	use sp_runtime::traits::OpaqueKeys;
	let owner = AccountId::new([3; 32]).encode();
	let mut externalities = sp_io::TestExternalities::default();
	let keystore = sp_keystore::testing::MemoryKeystore::new();
	externalities.register_extension(sp_keystore::KeystoreExt::new(keystore));
	externalities.execute_with(|| {
		let made = crate::SessionKeys::generate(&owner, None);
		let proof = made.proof.encode();
		assert!(made.keys.ownership_proof_is_valid(&owner, &proof));
		let mut keys = made.keys;
		keys.beefy = sp_core::ecdsa::Public::from_raw([0xff; 33]).into();
		assert!(!keys.ownership_proof_is_valid(&owner, &proof));
		keys.beefy = sp_core::ecdsa::Pair::from_seed(&[1; 32]).public().into();
		assert!(!keys.ownership_proof_is_valid(&owner, &proof));
	});
}
