//! Bodies of blocks, as a node serves them.

use jsonrpsee::{
	server::{RpcModule, Server, ServerHandle},
	types::ErrorObjectOwned,
};
use millrace_client::{Chain, ReadError};
use millrace_primitives::H256;
use serde_json::{json, Value};

const GENESIS: H256 = H256::repeat_byte(1);
const BLOCK: H256 = H256::repeat_byte(2);
/// Height of the block that the node has.
const HEIGHT: u64 = 7;

fn answer(value: Value) -> Result<Value, ErrorObjectOwned> {
	Ok(value)
}

/// A node of a chain with one block behind the first. It runs as long as the handle is kept.
async fn node() -> (Chain, ServerHandle) {
	let mut module = RpcModule::new(());
	let header = json!({
		"parentHash": GENESIS,
		"number": "0x7",
		"stateRoot": H256::zero(),
		"extrinsicsRoot": H256::zero(),
		"digest": { "logs": [] },
	});
	module
		.register_method("chain_getFinalizedHead", |_, _, _| answer(json!(BLOCK)))
		.expect("the name is free");
	module
		.register_method("chain_getBlockHash", |params, _, _| {
			let (number,): (u64,) = params.parse()?;
			answer(match number {
				0 => json!(GENESIS),
				HEIGHT => json!(BLOCK),
				// A node that is about to drop it.
				6 => json!(H256::repeat_byte(6)),
				_ => Value::Null,
			})
		})
		.expect("the name is free");
	module
		.register_method("chain_getBlock", move |params, _, _| {
			let (hash,): (H256,) = params.parse()?;
			if hash != BLOCK {
				return answer(Value::Null);
			}
			answer(json!({
				"block": { "header": header, "extrinsics": ["0x0c010203", "0x", "0xff"] },
				"justifications": null,
			}))
		})
		.expect("the name is free");
	module
		.register_method("state_call", |_, _, _| {
			// The version begins with the specification's name.
			answer(json!(format!("0x20{}", hex::encode("millrace"))))
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

#[tokio::test]
async fn a_body_is_what_stands_in_the_block() {
	let (chain, _node) = node().await;
	let body = chain.block_body(7).await.expect("the node has the block");
	assert_eq!(body, [vec![0x0c, 1, 2, 3], vec![], vec![0xff]]);
}

#[tokio::test]
async fn a_block_that_the_node_does_not_have_is_named() {
	let (chain, _node) = node().await;
	for number in [6, 8] {
		let outcome = chain.block_body(number).await;
		assert!(
			matches!(&outcome, Err(ReadError::UnknownBlock(name)) if *name == number.to_string()),
			"{outcome:?}"
		);
	}
}
