//! Receipts against a node that has dropped the state of all blocks but the newest.

use codec::{Decode, Encode};
use jsonrpsee::{
	server::{RpcModule, Server, ServerHandle},
	types::{ErrorObjectOwned, Params},
};
use millrace_client::{receipts, Chain, PeerKeypair, ReceiptProof, VerifyError};
use millrace_primitives::{
	execution::{empty_transcript, CallStatus, Receipt, SignedReceipt, PROFILE_V1},
	merkle::Tree,
	peer::{PeerId, PeerKey},
	report::Report,
	views::ReportRecord,
	BlockNumber, EpochIndex, H256,
};
use serde_json::{json, Value};

const GENESIS: H256 = H256::repeat_byte(1);
const HEAD: H256 = H256::repeat_byte(2);
const SEED: H256 = H256::repeat_byte(3);
const EPOCH: EpochIndex = 4;
/// Block at which the peer's second key came into force.
const ROTATED: BlockNumber = 100;

fn first_key() -> PeerKeypair {
	PeerKeypair::from_seed([1; 32], None)
}

fn second_key() -> PeerKeypair {
	PeerKeypair::from_seed([2; 32], Some(first_key().id()))
}

/// A receipt of a block, signed by a key, and the report that it stands in alone.
fn proof(key: &PeerKeypair, block: BlockNumber) -> ReceiptProof {
	let receipt = Receipt {
		genesis: GENESIS,
		seed: SEED,
		deal: 1,
		peer: key.id(),
		epoch: EPOCH,
		seq: 0,
		package: H256::zero(),
		profile: PROFILE_V1,
		terms: H256::zero(),
		request: H256::zero(),
		response: H256::zero(),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 10,
		block,
	};
	let tree = Tree::new([receipt.hash()]);
	let mut report = Report::empty(EPOCH);
	report.receipts = 1;
	report.receipts_root = tree.root();
	ReceiptProof {
		report,
		receipt: SignedReceipt {
			signature: key.sign_hash(receipt.hash()),
			receipt,
		},
		path: tree.path(0).expect("there is one leaf"),
	}
}

fn scale(value: impl Encode) -> String {
	format!("0x{}", hex::encode(value.encode()))
}

/// What nodes say when they are asked for state that they have dropped.
fn discarded() -> ErrorObjectOwned {
	ErrorObjectOwned::owned(4003, "UnknownBlock: State already discarded", None::<()>)
}

fn state_call(params: &Params<'_>, reported: H256) -> Result<String, ErrorObjectOwned> {
	let (name, arguments, at): (String, String, Option<H256>) = params.parse()?;
	if at != Some(HEAD) {
		return Err(discarded());
	}
	let arguments = hex::decode(arguments.trim_start_matches("0x")).expect("they are hexadecimal");
	let answer = match name.as_str() {
		"Core_version" => scale("millrace"),
		"ProvidersApi_key_at" => {
			let (peer, block) = <(PeerId, BlockNumber)>::decode(&mut &arguments[..])
				.expect("a peer and a block are asked for");
			let key: Option<PeerKey> = match block {
				_ if peer != first_key().id() => None,
				..ROTATED => Some(first_key().public()),
				_ => Some(second_key().public()),
			};
			scale(key)
		}
		"ReceiptsApi_report" => scale(Some(ReportRecord {
			epoch: EPOCH,
			hash: reported,
		})),
		other => panic!("nobody should ask for {other}"),
	};
	Ok(answer)
}

/// A node whose chain has one report. It runs as long as the handle is kept.
async fn node(reported: H256) -> (Chain, ServerHandle) {
	let mut module = RpcModule::new(reported);
	let header = json!({
		"parentHash": H256::zero(),
		"number": "0x12c",
		"stateRoot": H256::zero(),
		"extrinsicsRoot": H256::zero(),
		"digest": { "logs": [] },
	});
	module
		.register_method("chain_getFinalizedHead", |_, _, _| answer(json!(HEAD)))
		.expect("the name is free");
	module
		.register_method("chain_getBlockHash", |_, _, _| answer(json!(GENESIS)))
		.expect("the name is free");
	module
		.register_method("chain_getHeader", move |_, _, _| answer(header.clone()))
		.expect("the name is free");
	module
		.register_method("state_getStorage", |params, _, _| {
			let (_, at): (String, Option<H256>) = params.parse()?;
			if at == Some(HEAD) {
				return answer(json!(scale((EPOCH, SEED))));
			}
			Err(discarded())
		})
		.expect("the name is free");
	module
		.register_method("state_call", |params, reported, _| {
			state_call(&params, *reported)
		})
		.expect("the name is free");
	let server = Server::builder()
		.build("127.0.0.1:0")
		.await
		.expect("there is a free port");
	let address = server.local_addr().expect("it is bound");
	let handle = server.start(module);
	let chain = Chain::connect(&format!("ws://{address}"))
		.await
		.expect("the node answers");
	(chain, handle)
}

fn answer(value: Value) -> Result<Value, ErrorObjectOwned> {
	Ok(value)
}

async fn verified(proof: ReceiptProof) -> Result<(), VerifyError> {
	let reported = proof.report.hash(GENESIS, proof.receipt.receipt.peer);
	let (chain, _node) = node(reported).await;
	let view = chain.latest().await.expect("the node answers");
	receipts::verify(&view, &proof).await
}

#[tokio::test]
async fn a_receipt_holds_after_its_key_was_rotated() {
	let outcome = verified(proof(&first_key(), ROTATED - 1)).await;
	assert!(outcome.is_ok(), "{outcome:?}");
	let outcome = verified(proof(&second_key(), ROTATED)).await;
	assert!(outcome.is_ok(), "{outcome:?}");
}

#[tokio::test]
async fn a_key_signs_in_its_own_time_alone() {
	for (key, block) in [(second_key(), ROTATED - 1), (first_key(), ROTATED)] {
		let outcome = verified(proof(&key, block)).await;
		assert!(
			matches!(outcome, Err(VerifyError::BadSignature)),
			"{block}: {outcome:?}"
		);
	}
}

#[tokio::test]
async fn a_peer_whose_key_is_not_known_is_named() {
	let stranger = PeerKeypair::from_seed([3; 32], None);
	let outcome = verified(proof(&stranger, ROTATED)).await;
	assert!(
		matches!(outcome, Err(VerifyError::UnknownPeer(peer)) if peer == stranger.id()),
		"{outcome:?}"
	);
}
