//! Three of four validators sign a block that there is not.

use super::scene::{Scene, SHORT};
use codec::Encode;
use millrace_anchor::{
	commitment::{address_of, BeefySignature, Commitment, Signed},
	contract::{Call, Submission},
	evm::{Address, AnchorKey, Fees, Transaction},
	ours,
};
use millrace_client::Chain;
use millrace_e2e::eventually;
use millrace_primitives::H256;
use serde_json::{json, Value};
use sp_consensus_beefy::{ecdsa_crypto::AuthorityId, test_utils::Keyring};

/// Gas of a transaction that fails all the same.
const GAS: u64 = 1_000_000;
/// Code of a contract that calls the address in the first word of its input with the rest of it.
const FORWARDER: &str = "60278060093d393df3\
	602036038060206000376000600091600060006000355af16025573d600060003e3d6000fd5b00";

/// Another root of a block that validators have signed, signed by three of them, beside what all signed.
struct Forged {
	truth: Signed,
	fork: Signed,
	addresses: Vec<Address>,
	contract: Address,
}

/// Shows the contract a fork of a block that it has had, which it does not take. The transaction fails, and
/// stands in a block of the anchor.
pub(super) async fn submit_fork(scene: &Scene, chain: &Chain, block: u32) {
	let forged = forge(chain, block).await;
	let submission = Submission::new(&forged.fork, forged.addresses, None);
	let data = Call::Submit(submission).encode();
	send(scene, 0, Some(forged.contract), data).await;
}

/// Reports a fork through another contract, so that no transaction to the contract itself shows it.
pub(super) async fn report_fork_through_another(scene: &Scene, chain: &Chain, block: u32) {
	let forged = forge(chain, block).await;
	let code = hex::decode(FORWARDER).expect("it is hexadecimal");
	let hash = send(scene, 0, None, code).await;
	let forwarder = eventually("there is another contract", SHORT, async || {
		let receipt = scene
			.anvil
			.result("eth_getTransactionReceipt", json!([hash]))
			.await;
		let address = receipt["contractAddress"].as_str().map(str::to_lowercase);
		let address = address.and_then(|address| address.parse::<Address>().ok());
		address.ok_or_else(|| receipt.to_string())
	})
	.await;
	let report = Call::ReportDoubleSign {
		first: forged.truth.right(&forged.addresses).form(),
		second: forged.fork.form(),
		authorities: forged.addresses,
	};
	let data = [&[0u8; 12][..], &forged.contract.0, &report.encode()].concat();
	send(scene, 1, Some(forwarder), data).await;
}

async fn forge(chain: &Chain, block: u32) -> Forged {
	let signed = ours::signed(chain, block).await.expect("it can be read");
	let signed = signed.expect("it was signed");
	let set = ours::signers_of(chain, &signed)
		.await
		.expect("the set is known");
	let commitment = Commitment {
		root: H256::repeat_byte(0xfa),
		..signed.signed.commitment
	};
	let mut signatures: Vec<Option<BeefySignature>> = vec![None; set.addresses.len()];
	let signers = [
		Keyring::<AuthorityId>::Alice,
		Keyring::<AuthorityId>::Bob,
		Keyring::<AuthorityId>::Charlie,
	];
	for signer in signers {
		let key: [u8; 33] = signer.public().encode().try_into().expect("a key");
		let place = set
			.addresses
			.iter()
			.position(|known| *known == address_of(&key));
		let signature = signer.sign(&commitment.encode()).encode();
		let place = place.expect("they are the development chain's validators");
		signatures[place] = Some(signature.try_into().expect("a signature"));
	}
	let fork = Signed {
		commitment,
		signatures,
	};
	assert!(fork.has_quorum(&set.addresses), "the signatures are right");
	let contract = chain.latest().await.expect("the node is up").anchor().await;
	let contract = contract
		.expect("it can be read")
		.anchor
		.expect("it is named")
		.contract;
	Forged {
		truth: signed.signed,
		fork,
		addresses: set.addresses,
		contract: Address(contract.0),
	}
}

/// Sends a transaction of an account that sends nothing else; its hash.
async fn send(scene: &Scene, nonce: u64, to: Option<Address>, data: Vec<u8>) -> Value {
	let transaction = Transaction {
		chain_id: 31_337,
		nonce,
		fees: Fees {
			priority: 1_000_000_000u64.into(),
			max: 100_000_000_000u64.into(),
		},
		gas: GAS,
		to,
		data,
	};
	let key = AnchorKey::development(9).expect("there is one");
	let raw = transaction.sign(&key).expect("it is signed").raw;
	let raw = format!("0x{}", hex::encode(raw));
	scene
		.anvil
		.result("eth_sendRawTransaction", json!([raw]))
		.await
}
