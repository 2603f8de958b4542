//! What the tool prints to prove a message is what the chain says, and what the contract takes.

use crate::anchored::{Anchored, LIMIT};
use millrace_anchor::{
	contract::{ContractError, ANCHOR},
	evm::{
		abi::{encode, Value as Word},
		keccak, Address, AnchorKey,
	},
	leaf::{Leaf, LeafProof},
	tree::Path,
	Contract,
};
use millrace_e2e::eventually;
use millrace_primitives::{FLT, H256};
use serde::de::DeserializeOwned;
use serde_json::{json, Value};

/// Number of the anchor's development key that receives the withdrawal.
const RECIPIENT: usize = 1;
/// That of one that neither chain nor withdrawal knows.
const STRANGER: usize = 8;
/// FLT that is withdrawn.
const AMOUNT: u128 = 2;

/// Withdraws to the anchor, so that there is a message to prove; its number.
pub(super) async fn withdraw(anchored: &Anchored) -> u64 {
	let amount = format!("{AMOUNT} FLT");
	let to = development(RECIPIENT).to_string();
	let withdraw = [
		"anchor", "withdraw", &amount, "--to", &to, "--key", "//Dave",
	];
	let told = anchored.tool(&withdraw).await.succeeded().json();
	told["nonce"].as_u64().expect("a number")
}

/// Has it proven: every part is the chain's, leads to a root that the contract has, and is taken by both
/// functions that take proofs; whoever has it can use it.
pub(super) async fn is_taken(anchored: &Anchored, nonce: u64) {
	let number = nonce.to_string();
	let ask = ["anchor", "proof", &number];
	let told = eventually("a checkpoint covers the message", LIMIT, async || {
		let ran = anchored.anchor_tool(&ask).await;
		match ran.status {
			0 => Ok(ran.json()),
			_ => Err(format!("{ran:?}")),
		}
	})
	.await;
	let view = anchored.network.chain.latest().await;
	let view = view.expect("the node is up");
	let entry = view.anchor_message(nonce).await.expect("it can be read");
	let entry = entry.expect("it was sent");
	let contract = anchored.contract.clone();

	let message = bytes(&told["message"]);
	assert_eq!(message, entry.message);
	let id: H256 = part(&told["id"]);
	assert_eq!(id, keccak(&message));
	let path: Path = part(&told["path"]);
	assert_eq!(path, Path::from(&entry));
	let raw = bytes(&told["leaf"]);
	let leaf = Leaf::read(&raw).expect("that is a leaf");
	assert_eq!((leaf.parent, leaf.outbox), (entry.block, entry.root));
	assert_eq!(path.root_of(id), Some(leaf.outbox));
	let proof: LeafProof = part(&told["proof"]);
	let root_block: u32 = part(&told["root_block"]);
	let head = contract.reads().head().await.expect("the anchor answers");
	let root = contract.root_at(root_block, head).await;
	let root = root.expect("the contract has it");
	assert_eq!(proof.root_of(keccak(&raw)), Some(root));

	// As a contract asks that takes messages.
	let verify = |message: &[u8]| {
		let hashes = |list: &[H256]| Word::list(list.iter().copied().map(Word::hash));
		let arguments = [
			Word::Bytes(message.to_vec()),
			Word::Tuple(vec![
				Word::number(path.index),
				Word::number(path.count),
				hashes(&path.items),
			]),
			Word::Bytes(raw.clone()),
			Word::Tuple(vec![
				Word::number(proof.leaf_index),
				Word::number(proof.leaf_count),
				hashes(&proof.items),
			]),
			Word::number(root_block),
		];
		[&ANCHOR.function("verifyMessage")[..], &encode(&arguments)].concat()
	};
	assert_eq!(answer(&contract, &verify(&message)).await, Ok(id));
	let mut more = message.clone();
	*more.last_mut().expect("it has bytes") ^= 1;
	let refused = answer(&contract, &verify(&more)).await;
	assert_eq!(refused, Err("MessageNotProven".into()), "another amount");

	// A stranger proves the withdrawal by what was printed, and its recipient claims it.
	let withdraw = bytes(&told["withdraw"]);
	assert_eq!(answer(&contract, &withdraw).await, Ok(id));
	prove(anchored, &contract, &told["withdraw"]).await;
	let key = format!("dev:{RECIPIENT}");
	let claim = ["anchor", "claim", &number, "--anchor-key", &key];
	let claimed = anchored.anchor_tool(&claim).await.succeeded().json();
	assert_eq!(claimed["minted"], (AMOUNT * FLT).to_string());
	let refused = answer(&contract, &withdraw).await;
	assert_eq!(refused, Err("AlreadyWithdrawn".into()));

	// What there is no proof of, and what is not the chain's anchor.
	let next = (nonce + 1).to_string();
	let unknown = ["anchor", "proof", &next];
	let unknown = anchored.anchor_tool(&unknown).await.error();
	assert_eq!(unknown, (4, "message_unknown".into()));
	let nowhere = anchored.tool(&ask).await.error();
	assert_eq!(nowhere, (2, "no_anchor".into()));
	let other = format!("0x{}", "11".repeat(20));
	let elsewhere = ["anchor", "proof", &number, "--contract", &other];
	let elsewhere = anchored.anchor_tool(&elsewhere).await.error();
	assert_eq!(elsewhere, (6, "other_anchor".into()));
}

/// Sends the call as it was printed, for an account that has nothing to do with it.
async fn prove(anchored: &Anchored, contract: &Contract, call: &Value) {
	let anvil = &anchored.anchor;
	let from = development(STRANGER);
	let sent = json!([{ "from": from, "to": contract.address(), "data": call }]);
	let hash = anvil.result("eth_sendTransaction", sent).await;
	eventually("the withdrawal is proven", LIMIT, async || {
		let receipt = anvil
			.result("eth_getTransactionReceipt", json!([hash]))
			.await;
		match receipt["status"].as_str() {
			Some("0x1") => Ok(()),
			_ => Err(receipt.to_string()),
		}
	})
	.await;
}

/// The word that the contract answers to anybody, or the name of its error.
async fn answer(contract: &Contract, data: &[u8]) -> Result<H256, String> {
	let reads = contract.reads();
	let called = reads
		.call(Address::default(), contract.address(), data)
		.await;
	match called.map_err(ContractError::of) {
		Ok(word) => Ok(H256(word.try_into().expect("it answers a word"))),
		Err(ContractError::Refused(refusal)) => Err(refusal.name),
		Err(error) => Err(error.to_string()),
	}
}

fn development(number: usize) -> Address {
	let key = AnchorKey::development(number).expect("there are ten");
	key.address()
}

fn part<T: DeserializeOwned>(value: &Value) -> T {
	serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn bytes(value: &Value) -> Vec<u8> {
	let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
	hex::decode(digits.expect("bytes as text")).expect("hexadecimal digits")
}
