//! Calls of the anchor, and reports of votes on checkpoints.

use codec::Encode;
use frame_support::BoundedVec;
use millrace_client::{
	calls::{self, anchor::CheckpointVote, Call},
	checkpoints,
};
use millrace_primitives::{
	anchor::{messages::MessageData, AnchorId, InboxMark, SignedVote, Vote, H160},
	H256,
};
use millrace_runtime::{Header, Runtime, RuntimeCall};
use pallet_mmr::primitives::AncestryProof;
use serde_json::json;
use sp_consensus_beefy::{
	known_payloads::MMR_ROOT_ID,
	test_utils::{signed_vote, Keyring},
	ForkVotingProof, FutureBlockVotingProof, Payload,
};
use sp_runtime::traits::Header as _;
use sp_session::MembershipProof;

/// A validator's word on what the inbox holds.
pub(super) fn signed(acc: u8) -> SignedVote {
	SignedVote {
		vote: Vote {
			round: 1,
			session: 2,
			nonce: 1 << 40,
			acc: H256::repeat_byte(acc),
			epoch: 1 << 41,
		},
		signature: [acc; 65],
	}
}

/// Messages of the anchor, in their order.
pub(super) fn messages() -> Vec<Vec<u8>> {
	vec![vec![7; 137], vec![8; 4_000]]
}

fn owner() -> MembershipProof {
	MembershipProof {
		session: 3,
		trie_nodes: vec![vec![1, 2], vec![3; 70]],
		validator_count: 4,
	}
}

/// Every call of the anchor that the client builds, with the same call as the runtime knows it.
pub(super) fn pairs() -> Vec<(Call, RuntimeCall)> {
	type Anchor = pallet_anchor::Call<Runtime>;
	let address = H160::repeat_byte(1);
	let (first, second) = (signed(1), signed(2));
	let batch = messages().into_iter().map(BoundedVec::truncate_from);
	let anchor = AnchorId {
		chain_id: 31_337,
		contract: address,
	};
	let mark = InboxMark {
		nonce: 1 << 40,
		acc: H256::repeat_byte(3),
	};
	let mut pairs: Vec<(Call, RuntimeCall)> = [
		(
			calls::anchor::withdraw(address, u128::MAX),
			Anchor::withdraw {
				recipient: address,
				amount: u128::MAX,
			},
		),
		(
			calls::anchor::send(address, b"some bytes"),
			Anchor::send {
				target: address,
				data: MessageData::truncate_from(b"some bytes".to_vec()),
			},
		),
		(
			calls::anchor::vote(9, &first.vote, &first.signature),
			Anchor::vote {
				voter: 9,
				vote: first.vote,
				signature: first.signature,
			},
		),
		(
			calls::anchor::deliver(&messages()),
			Anchor::deliver {
				messages: BoundedVec::truncate_from(batch.collect()),
			},
		),
		(
			calls::anchor::release(1 << 40),
			Anchor::release { nonce: 1 << 40 },
		),
		(
			calls::anchor::report_conflict([2; 33], &first, &second, &owner().encode()),
			Anchor::report_conflict {
				key: [2; 33],
				first,
				second,
				proof: owner(),
			},
		),
		(calls::anchor::pause(600), Anchor::pause { blocks: 600 }),
		(calls::anchor::resume(), Anchor::resume {}),
		(
			calls::anchor::set_anchor(&anchor),
			Anchor::set_anchor { anchor },
		),
		(calls::anchor::set_inbox(&mark), Anchor::set_inbox { mark }),
	]
	.map(|(built, call)| (built, RuntimeCall::Anchor(call)))
	.to_vec();
	pairs.extend(reports());
	pairs
}

/// Reports of votes on checkpoints.
fn reports() -> [(Call, RuntimeCall); 2] {
	type Beefy = pallet_beefy::Call<Runtime>;
	let payload = Payload::from_single_entry(MMR_ROOT_ID, vec![5; 32]);
	let vote = signed_vote(6u32, payload, 7, &Keyring::Alice);
	let known = CheckpointVote {
		commitment: vote.commitment.encode(),
		key: vote.id.encode().try_into().expect("a key has 33 bytes"),
		signature: vote
			.signature
			.encode()
			.try_into()
			.expect("a signature has 65 bytes"),
	};
	let header = Header::new(
		8,
		Default::default(),
		Default::default(),
		H256::repeat_byte(9),
		Default::default(),
	);
	let (peak, item) = (H256::repeat_byte(10), H256::repeat_byte(11));
	let ancestry: checkpoints::AncestryProof = serde_json::from_value(json!({
		"prev_peaks": [peak],
		"prev_leaf_count": 6,
		"leaf_count": 8,
		"items": [[3, item]],
	}))
	.expect("that is what a node answers");
	let owned = owner().encode();
	[
		(
			calls::anchor::report_fork_voting(&known, &ancestry, &header.encode(), &owned),
			RuntimeCall::Beefy(Beefy::report_fork_voting {
				equivocation_proof: Box::new(ForkVotingProof {
					vote: vote.clone(),
					ancestry_proof: AncestryProof {
						prev_peaks: vec![peak],
						prev_leaf_count: 6,
						leaf_count: 8,
						items: vec![(3, item)],
					},
					header,
				}),
				key_owner_proof: owner(),
			}),
		),
		(
			calls::anchor::report_future_block_voting(&known, &owned),
			RuntimeCall::Beefy(Beefy::report_future_block_voting {
				equivocation_proof: Box::new(FutureBlockVotingProof { vote }),
				key_owner_proof: owner(),
			}),
		),
	]
}
