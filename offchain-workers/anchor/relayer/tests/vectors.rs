//! What is read and computed here is what the chain's own code makes: the file beside the contracts says so.

use millrace_anchor::{
	commitment::{authority_set, Commitment, Signed},
	evm::{keccak, Address},
	leaf::{Leaf, LeafProof, ProvenLeaf},
	tree::{self, Path},
};
use millrace_primitives::H256;
use serde_json::Value;
use std::path::PathBuf;

fn vectors() -> Value {
	let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contracts/vectors/chain.json");
	let text = std::fs::read_to_string(&path)
		.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
	serde_json::from_str(&text).expect("vectors are JSON")
}

fn bytes(value: &Value) -> Vec<u8> {
	let text = value.as_str().expect("text");
	hex::decode(text.trim_start_matches("0x")).expect("hexadecimal")
}

fn hash(value: &Value) -> H256 {
	H256(bytes(value).try_into().expect("32 bytes"))
}

fn number(value: &Value) -> u64 {
	value.as_u64().expect("a number")
}

fn list(value: &Value) -> &[Value] {
	let list = value.as_array().expect("a list");
	assert!(!list.is_empty(), "there is something to compare");
	list
}

fn addresses(set: &Value) -> Vec<Address> {
	let address = |text: &Value| Address(bytes(text).try_into().expect("20 bytes"));
	list(&set["addresses"]).iter().map(address).collect()
}

#[test]
fn sets_have_the_roots_that_leaves_name() {
	let vectors = vectors();
	for set in list(&vectors["sets"]) {
		let computed = authority_set(number(&set["id"]), &addresses(set));
		assert_eq!(u64::from(computed.len), number(&set["len"]));
		assert_eq!(computed.root, hash(&set["root"]));
	}
}

#[test]
fn the_first_validators_have_the_roots_of_the_chain_however_many_they_are() {
	let vectors = vectors();
	let all = addresses(&vectors["authorities"]);
	let roots = list(&vectors["authorities"]["roots"]);
	assert_eq!(roots.len(), all.len());
	for (count, root) in (1..).zip(roots) {
		assert_eq!(authority_set(0, &all[..count]).root, hash(root), "{count}");
	}
}

#[test]
fn what_a_node_keeps_is_read_and_its_signatures_are_right() {
	let vectors = vectors();
	let sets = list(&vectors["sets"]);
	for checkpoint in list(&vectors["checkpoints"]) {
		let signed = Signed::read(&bytes(&checkpoint["justification"])).expect("it is one");
		let raw = bytes(&checkpoint["commitment"]);
		assert_eq!(Commitment::read(&raw), Ok(signed.commitment));
		assert_eq!(signed.commitment.encode(), raw);
		assert_eq!(signed.commitment.digest(), hash(&checkpoint["digest"]));
		assert_eq!(signed.commitment.root, hash(&checkpoint["root"]));
		assert_eq!(signed.commitment.genesis, hash(&vectors["genesis"]));
		let id = number(&checkpoint["set"]);
		let set = sets
			.iter()
			.find(|set| number(&set["id"]) == id)
			.expect("the set is there");
		let expected: Vec<usize> = list(&checkpoint["signatures"])
			.iter()
			.map(|signature| number(&signature["index"]) as usize)
			.collect();
		assert_eq!(signed.signers(&addresses(set)), expected);
		assert!(signed.has_quorum(&addresses(set)));
	}
}

#[test]
fn leaves_are_read_and_proofs_lead_to_their_roots() {
	let vectors = vectors();
	let blocks = list(&vectors["range"]["blocks"]);
	for block in blocks {
		let leaf = Leaf::read(&bytes(&block["leaf"])).expect("it is one");
		assert_eq!(u64::from(leaf.parent) + 1, number(&block["number"]));
		assert_eq!(leaf.parent_hash, hash(&block["parentHash"]));
		assert_eq!(leaf.next.id, number(&block["nextSet"]));
		assert_eq!(leaf.outbox, hash(&block["outboxRoot"]));
		assert_eq!(leaf.time_ms, number(&block["time"]));
	}
	let of = |value: &Value| &blocks[number(value) as usize - 1];
	for proof in list(&vectors["range"]["proofs"]) {
		let items = proof["items"].as_array().expect("a list");
		let computed = LeafProof {
			leaf_index: number(&proof["leafIndex"]),
			leaf_count: number(&proof["leafCount"]),
			items: items.iter().map(hash).collect(),
		};
		let leaf = keccak(&bytes(&of(&proof["block"])["leaf"]));
		let root = hash(&of(&proof["rootBlock"])["root"]);
		assert_eq!(computed.root_of(leaf), Some(root), "{proof}");
	}
	let answer = &vectors["range"]["answer"];
	let read = ProvenLeaf::read(&bytes(&answer["leaves"]), &bytes(&answer["proof"]));
	let read = read.expect("a node answers so");
	assert_eq!(read.raw, bytes(&of(&answer["block"])["leaf"]));
	assert_eq!(read.root(), Some(hash(&of(&answer["rootBlock"])["root"])));
}

#[test]
fn messages_have_the_roots_and_paths_of_the_chain() {
	for outbox in list(&vectors()["outboxes"]) {
		let messages: Vec<Vec<u8>> = outbox["messages"]
			.as_array()
			.expect("a list")
			.iter()
			.map(bytes)
			.collect();
		let root = hash(&outbox["root"]);
		assert_eq!(tree::root(&messages), root);
		for proof in outbox["proofs"].as_array().expect("a list") {
			let index = number(&proof["index"]) as usize;
			let path = Path {
				index: index as u32,
				count: number(&proof["count"]) as u32,
				items: proof["items"]
					.as_array()
					.expect("a list")
					.iter()
					.map(hash)
					.collect(),
			};
			assert_eq!(path.root_of(keccak(&messages[index])), Some(root));
		}
	}
}
