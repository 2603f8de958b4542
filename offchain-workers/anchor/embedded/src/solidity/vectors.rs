//! What the chain's own code makes, byte for byte: authority sets, commitments, leaves, their proofs, and
//! messages with theirs.

use super::{
	client::{addresses, validators, Client},
	file::FILE,
	range, Machine,
};
use millrace_anchor::{
	commitment::required,
	contract::{Artefact, Call},
	evm::{
		abi::{encode, Value},
		keccak, Address,
	},
};
use millrace_primitives::H256;
use std::sync::LazyLock;

/// The contract that opens the libraries to tests.
static VECTORS: LazyLock<Artefact> =
	LazyLock::new(|| Artefact::read(include_str!("../../../contracts/artefacts/Vectors.json")));

/// The libraries, deployed.
struct Libraries {
	machine: Machine,
	address: Address,
}

impl Libraries {
	fn new() -> Self {
		let mut machine = Machine::new();
		let address = machine.deploy(VECTORS.bytecode.clone());
		Self { machine, address }
	}

	/// The bytes that a function answers.
	fn ask(&self, name: &str, arguments: &[Value]) -> Vec<u8> {
		let data = [&VECTORS.function(name)[..], &encode(arguments)].concat();
		self.machine
			.ask(self.address, data)
			.unwrap_or_else(|refusal| panic!("{name}: {refusal}"))
	}

	/// The root to which a leaf's proof leads.
	fn range_root(&self, leaf: H256, index: u64, count: u64, items: &[H256]) -> Vec<u8> {
		let proof = Value::Tuple(vec![
			Value::number(index),
			Value::number(count),
			hashes(items),
		]);
		self.ask("rangeRoot", &[Value::hash(leaf), proof])
	}
}

fn hashes(items: &[H256]) -> Value {
	Value::list(items.iter().copied().map(Value::hash))
}

#[test]
fn the_addresses_of_validators_are_those_of_the_chain() {
	assert_eq!(FILE.authorities.addresses.len(), 300);
	assert_eq!(addresses(validators()), FILE.authorities.addresses);
}

#[test]
fn the_root_of_every_set_of_1_to_300_authorities_is_that_of_the_chain() {
	let libraries = Libraries::new();
	let all = &FILE.authorities.addresses;
	let roots = &FILE.authorities.roots;
	assert_eq!((all.len(), roots.len()), (300, 300));
	for (count, root) in (1..).zip(roots) {
		let list = Value::list(all[..count].iter().copied().map(Value::address));
		assert_eq!(
			libraries.ask("authorityRoot", &[list]),
			root.0,
			"of {count}"
		);
	}
}

#[test]
fn the_quorum_of_every_set_of_1_to_300_authorities_is_the_relayers() {
	let libraries = Libraries::new();
	for count in 1..=300 {
		let answer = libraries.ask("required", &[Value::number(count)]);
		let expected = encode(&[Value::number(required(count))]);
		assert_eq!(answer, expected, "of {count}");
	}
}

#[test]
fn commitments_of_the_chain_are_read() {
	let libraries = Libraries::new();
	assert_eq!(FILE.checkpoints.len(), 4);
	for checkpoint in &FILE.checkpoints {
		let raw = &checkpoint.commitment.0;
		assert_eq!(raw.len(), 83);
		assert_eq!(keccak(raw), checkpoint.digest);
		let expected = encode(&[
			Value::hash(FILE.genesis),
			Value::hash(checkpoint.root),
			Value::number(checkpoint.block),
			Value::number(checkpoint.set),
		]);
		let answer = libraries.ask("commitment", &[Value::Bytes(raw.clone())]);
		assert_eq!(answer, expected, "of block {}", checkpoint.block);
	}
}

#[test]
fn leaves_of_the_chain_are_read() {
	let libraries = Libraries::new();
	assert_eq!(FILE.range.blocks.len(), 40);
	for block in &FILE.range.blocks {
		let next = FILE.sets[block.next_set].set;
		let expected = encode(&[
			Value::number(block.number - 1),
			Value::number(next.id),
			Value::number(next.len),
			Value::hash(next.root),
			Value::hash(block.outbox_root),
			Value::number(block.time),
		]);
		let answer = libraries.ask("leaf", &[Value::Bytes(block.leaf.0.clone())]);
		assert_eq!(answer, expected, "of block {}", block.number);
	}
}

#[test]
fn leaves_are_proven_as_the_chain_proves_them() {
	let libraries = Libraries::new();
	assert!(FILE.range.proofs.len() > 100);
	for proof in &FILE.range.proofs {
		let leaf = keccak(&FILE.range.blocks[proof.block - 1].leaf.0);
		let root = FILE.range.blocks[proof.root_block - 1].root;
		let answer = libraries.range_root(leaf, proof.leaf_index, proof.leaf_count, &proof.items);
		assert_eq!(answer, root.0, "{} by {}", proof.block, proof.root_block);
	}
}

#[test]
fn every_leaf_of_ranges_of_1_to_40_leaves_is_proven_and_some_of_a_long_one() {
	let libraries = Libraries::new();
	let leaves: Vec<H256> = (0..5_000u32).map(|i| keccak(&i.to_le_bytes())).collect();
	let short = (1..=40).flat_map(|count| (0..count).map(move |index| (index, count)));
	let long = [
		(0, 5_000),
		(4_095, 4_999),
		(4_096, 4_999),
		(4_998, 4_999),
		(2_047, 4_096),
		(4_999, 5_000),
	];
	for (index, count) in short.chain(long) {
		let proof = range::proof(&leaves[..count], index);
		let (place, all) = (proof.leaf_index, proof.leaf_count);
		let answer = libraries.range_root(leaves[index], place, all, &proof.items);
		assert_eq!(
			answer,
			range::root(&leaves[..count]).0,
			"{index} of {count}"
		);
	}
}

#[test]
fn messages_are_proven_as_the_chain_proves_them() {
	let libraries = Libraries::new();
	for (count, outbox) in FILE.outboxes.iter().enumerate() {
		assert_eq!((outbox.messages.len(), outbox.proofs.len()), (count, count));
		for proof in &outbox.proofs {
			let message = keccak(&outbox.messages[proof.index as usize].0);
			let path = Value::Tuple(vec![
				Value::number(proof.index),
				Value::number(proof.count),
				hashes(&proof.items),
			]);
			let answer = libraries.ask("outboxRoot", &[Value::hash(message), path]);
			assert_eq!(answer, outbox.root.0, "{} of {count}", proof.index);
		}
	}
	assert_eq!(FILE.outboxes.len(), 21);
	assert_eq!(FILE.outboxes[0].root, H256::zero());
}

#[test]
fn a_client_follows_what_the_sets_of_the_chain_signed_through_three_handovers() {
	let mut client = Client::of_file();
	let mut current = 0;
	for checkpoint in &FILE.checkpoints {
		let submission = FILE.submission(checkpoint, checkpoint.set != current);
		client.send(&Call::Submit(submission));
		current = checkpoint.set;
		let root = client.ask(&Call::RootAt(checkpoint.block));
		assert_eq!(root, checkpoint.root.0);
		// Block, root and set come first.
		let status = client.ask(&Call::Status);
		let expected = encode(&[
			Value::number(checkpoint.block),
			Value::hash(checkpoint.root),
			Value::number(checkpoint.set),
		]);
		assert_eq!(status[..expected.len()], expected);
	}
	assert_eq!(current, 3);
}
