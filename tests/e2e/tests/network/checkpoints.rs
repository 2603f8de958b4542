//! Four validators, two on each of the networks' implementations, sign checkpoints through three
//! changes of the set: the first block of each session, two entries, a quorum. They go on with one
//! of the four dead, stop with two, and make up for what was left out.

use codec::{Decode, Encode};
use millrace_e2e::{eventually, network::folder, spec, validator::Nodes, Rpc};
use millrace_primitives::{checkpoint::CHAIN_ENTRY, H256};
use serde_json::json;
use sp_consensus_beefy::{
	ecdsa_crypto::{AuthorityId, Signature},
	known_payloads::MMR_ROOT_ID,
	test_utils::Keyring,
	SignedCommitment, ValidatorSet, VersionedFinalityProof,
};
use std::time::Duration;

/// Milliseconds of a slot.
const SLOT_MS: u64 = 600;
/// Slots of a session: 9 s.
const SESSION_SLOTS: u64 = 15;
/// Longest wait for a few sessions, on a busy machine.
const WAIT: Duration = Duration::from_secs(300);
/// Signatures that four need.
const QUORUM: usize = 3;

type Signed = SignedCommitment<u32, Signature>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_are_signed_through_changes_of_the_set_and_deaths_of_validators() {
	let folder = folder();
	let patch = json!({ "timing": { "slotMs": SLOT_MS, "sessionSlots": SESSION_SLOTS } });
	let spec = spec::patched(folder.path(), "local", "checkpoints", &patch);
	let spec = spec::built(&spec).display().to_string();
	let mut nodes = Nodes::of(folder.path(), &spec);
	let older = "--network-backend=libp2p";
	let alice = nodes.validator("alice", &["--alice"]).await;
	let bob = nodes.validator("bob", &["--bob", older]).await;
	let mut charlie = nodes.validator("charlie", &["--charlie"]).await;
	let mut dave = nodes.validator("dave", &["--dave", older]).await;
	let (one, two) = (alice.rpc(), bob.rpc());

	until_set_signs(&one, 3).await;
	let signed = all_signed(&one).await;
	every_session_is_there(&signed);
	each_says_what_the_chain_says(&one, &signed).await;
	both_prove_the_same(&[&one, &two], &signed).await;

	dave.kill().await;
	let set = last_set(&one).await + 2;
	until_set_signs(&one, set).await;
	charlie.kill().await;
	// What they still had in common may come yet.
	tokio::time::sleep(Duration::from_millis(4 * SLOT_MS)).await;
	let stopped = last_set(&one).await;
	tokio::time::sleep(Duration::from_millis(2 * SLOT_MS * SESSION_SLOTS)).await;
	assert_eq!(last_set(&one).await, stopped, "two of four");
	for node in [&mut charlie, &mut dave] {
		node.restart();
		node.until_up().await;
	}
	until_set_signs(&one, stopped + 2).await;
	let signed = all_signed(&one).await;
	every_session_is_there(&signed);
	each_says_what_the_chain_says(&one, &signed).await;
}

/// Waits until a set has signed a block that a node knows of.
async fn until_set_signs(rpc: &Rpc, set: u64) {
	let what = format!("set {set} has signed");
	eventually(&what, WAIT, async || match last_set(rpc).await {
		found if found >= set => Ok(()),
		found => Err(format!("set {found} was the last to")),
	})
	.await;
}

/// The last set that signed a block that a node knows of.
async fn last_set(rpc: &Rpc) -> u64 {
	for number in (1..=rpc.finalized_number().await).rev() {
		if let Some(signed) = signed_at(rpc, number).await {
			return signed.commitment.validator_set_id;
		}
	}
	0
}

/// All that a node keeps with its finalised blocks, in their order.
async fn all_signed(rpc: &Rpc) -> Vec<Signed> {
	let mut all = Vec::new();
	for number in 1..=rpc.finalized_number().await {
		all.extend(signed_at(rpc, number).await);
	}
	all
}

/// The checkpoint that a node keeps with a finalised block.
async fn signed_at(rpc: &Rpc, number: u32) -> Option<Signed> {
	let hash = rpc.block_hash(number).await.expect("the block is final");
	let block = rpc.result("chain_getBlock", json!([hash])).await;
	let list: Option<Vec<([u8; 4], Vec<u8>)>> =
		serde_json::from_value(block["justifications"].clone()).expect("that is their form");
	let (_, bytes) = list?.into_iter().find(|(engine, _)| engine == b"BEEF")?;
	let VersionedFinalityProof::V1(signed) =
		Decode::decode(&mut &bytes[..]).expect("BEEFY's are of this form");
	Some(signed)
}

/// Each set signed, one after the other, from the first block on.
fn every_session_is_there(signed: &[Signed]) {
	let mut next = 0;
	let mut height = 0;
	for checkpoint in signed {
		let commitment = &checkpoint.commitment;
		assert!(commitment.block_number > height, "heights ascend");
		height = commitment.block_number;
		let set = commitment.validator_set_id;
		assert!(
			set == next || set + 1 == next,
			"set {set} comes after {next}"
		);
		next = set + 1;
	}
	assert_eq!(signed[0].commitment.block_number, 1);
}

/// Two entries, the chain's own root, and enough signatures of those who sit.
async fn each_says_what_the_chain_says(rpc: &Rpc, signed: &[Signed]) {
	let genesis = rpc.block_hash(0).await.expect("there is a first block");
	let keys: [AuthorityId; 4] = [
		Keyring::Alice,
		Keyring::Bob,
		Keyring::Charlie,
		Keyring::Dave,
	]
	.map(|who: Keyring<AuthorityId>| who.public());
	let mut set_before = 0;
	for checkpoint in signed {
		let commitment = &checkpoint.commitment;
		let number = commitment.block_number;
		if commitment.validator_set_id > set_before {
			set_before = commitment.validator_set_id;
			assert!(
				begins_session(rpc, number).await,
				"set {set_before} at {number}"
			);
		}
		assert_eq!(commitment.encode().len(), 83, "{commitment:?}");
		let entry = |name| commitment.payload.get_decoded::<H256>(name);
		assert_eq!(entry(&CHAIN_ENTRY), Some(genesis));
		assert_eq!(entry(&MMR_ROOT_ID), Some(root_at(rpc, number).await));
		let set = ValidatorSet::new(keys.clone(), commitment.validator_set_id);
		let set = set.expect("four are some");
		let valid = checkpoint.verify_signatures(number, &set);
		let valid = valid.expect("the set is the block's").len();
		assert_eq!(valid, checkpoint.signature_count(), "at {number}");
		assert!(valid >= QUORUM, "{valid} signed {number}");
	}
}

/// Logs of a block that are BEEFY's: consensus digests (4) and the engine come before them.
async fn logs(rpc: &Rpc, number: u32) -> Vec<String> {
	let hash = rpc.block_hash(number).await.expect("the block is final");
	let header = rpc.result("chain_getHeader", json!([hash])).await;
	let logs = header["digest"]["logs"]
		.as_array()
		.expect("logs are a list");
	let prefix = format!("0x04{}", hex::encode("BEEF"));
	let bodies = logs
		.iter()
		.filter_map(|log| log.as_str()?.strip_prefix(&*prefix));
	bodies.map(str::to_string).collect()
}

/// Whether a block names a new set: kind 1, of 142 bytes for four.
async fn begins_session(rpc: &Rpc, number: u32) -> bool {
	let logs = logs(rpc, number).await;
	logs.iter().any(|log| log.starts_with("390201"))
}

/// Root of the range at a block, as the header states it: kind 3, of 33 bytes.
async fn root_at(rpc: &Rpc, number: u32) -> H256 {
	let logs = logs(rpc, number).await;
	let root = logs
		.iter()
		.find_map(|log| log.strip_prefix("8403"))
		.unwrap_or_else(|| panic!("block {number} states no root: {logs:?}"));
	let bytes: [u8; 32] = hex::decode(root)
		.ok()
		.and_then(|bytes| bytes.try_into().ok())
		.expect("a root has 32 bytes");
	bytes.into()
}

/// Two nodes answer a proof of an early leaf by a late root alike, and it holds.
async fn both_prove_the_same(rpcs: &[&Rpc], signed: &[Signed]) {
	let last = &signed.last().expect("some are signed").commitment;
	let first = &signed[1].commitment;
	let root = root_at(rpcs[0], last.block_number).await;
	let mut answers = Vec::new();
	for rpc in rpcs {
		let at = rpcs[0].block_hash(last.block_number).await;
		let asked = json!([[first.block_number], last.block_number, at]);
		let answer = eventually("a node proves a leaf", WAIT, async || {
			let answer = rpc.call("mmr_generateProof", asked.clone()).await;
			answer.map_err(|fault| fault.message)
		})
		.await;
		let holds = json!([root, answer.clone()]);
		let holds = rpc.result("mmr_verifyProofStateless", holds).await;
		assert_eq!(holds, true);
		answers.push(answer);
	}
	assert_eq!(answers[0], answers[1]);
	let wrong = json!([H256::repeat_byte(1), answers[0].clone()]);
	let refused = rpcs[0].call("mmr_verifyProofStateless", wrong).await;
	assert!(refused.is_err(), "{refused:?}");
}
