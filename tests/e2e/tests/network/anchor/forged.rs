//! Three of four validators sign a block that there is not.

use super::scene::Scene;
use codec::Encode;
use millrace_anchor::{
	commitment::{address_of, BeefySignature, Commitment, Signed},
	contract::{Call, Submission},
	evm::{Address, AnchorKey, Fees, Transaction},
	ours,
};
use millrace_client::Chain;
use millrace_primitives::H256;
use serde_json::json;
use sp_consensus_beefy::{ecdsa_crypto::AuthorityId, test_utils::Keyring};

/// Gas of a transaction that fails all the same.
const GAS: u64 = 1_000_000;

/// Signs another root of a block that validators have signed, and shows it to the contract, which takes no
/// block that it has had. The transaction fails, and stands in a block of the anchor.
pub(super) async fn submit_fork(scene: &Scene, chain: &Chain, block: u32) {
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
	let submission = Submission::new(&fork, set.addresses, None);
	let contract = chain.latest().await.expect("the node is up").anchor().await;
	let contract = contract
		.expect("it can be read")
		.anchor
		.expect("it is named")
		.contract;
	let transaction = Transaction {
		chain_id: 31_337,
		nonce: 0,
		fees: Fees {
			priority: 1_000_000_000u64.into(),
			max: 100_000_000_000u64.into(),
		},
		gas: GAS,
		to: Some(Address(contract.0)),
		data: Call::Submit(submission).encode(),
	};
	let key = AnchorKey::development(9).expect("there is one");
	let raw = transaction.sign(&key).expect("it is signed").raw;
	let raw = format!("0x{}", hex::encode(raw));
	scene
		.anvil
		.result("eth_sendRawTransaction", json!([raw]))
		.await;
}
