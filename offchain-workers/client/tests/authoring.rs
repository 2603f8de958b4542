//! Session keys of a node: made for an account, and refused to strangers.

use codec::Encode;
use jsonrpsee::{
	server::{RpcModule, Server, ServerHandle},
	types::ErrorObjectOwned,
};
use millrace_client::{AccountId, Chain, ReadError};
use millrace_primitives::H256;
use serde_json::{json, Value};
use std::sync::{
	atomic::{AtomicU32, Ordering},
	Arc,
};

const OWNER: AccountId = subxt::utils::AccountId32([7; 32]);

/// A node that makes keys, or says that this is not for strangers. It counts how often it is asked.
async fn node(safe: bool) -> (Chain, ServerHandle, Arc<AtomicU32>) {
	let asked = Arc::new(AtomicU32::new(0));
	let mut module = RpcModule::new(asked.clone());
	for name in ["chain_getFinalizedHead", "chain_getBlockHash"] {
		module
			.register_method(name, |_, _, _| answer(json!(H256::zero())))
			.expect("the name is free");
	}
	module
		.register_method("state_call", |_, _, _| {
			answer(json!(format!("0x{}", hex::encode("millrace".encode()))))
		})
		.expect("the name is free");
	module
		.register_method("author_rotateKeysWithOwner", move |params, asked, _| {
			asked.fetch_add(1, Ordering::SeqCst);
			let owner: String = params.one()?;
			if safe {
				return Err(unsafe_call());
			}
			answer(json!({ "keys": owner, "proof": "0x0102" }))
		})
		.expect("the name is free");
	module
		.register_method("author_hasSessionKeys", move |params, _, _| {
			let keys: String = params.one()?;
			if safe {
				return Err(unsafe_call());
			}
			answer(json!(keys == "0x0a0b"))
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
	(chain, handle, asked)
}

fn answer(value: Value) -> Result<Value, ErrorObjectOwned> {
	Ok(value)
}

fn unsafe_call() -> ErrorObjectOwned {
	let text = "RPC call is unsafe to be called externally";
	ErrorObjectOwned::owned(-32601, text, None::<()>)
}

#[tokio::test]
async fn keys_are_made_for_an_account() {
	let (chain, _node, asked) = node(false).await;
	let made = chain.rotate_keys(&OWNER).await.expect("it makes keys");
	assert_eq!((made.keys, made.proof), (OWNER.0.to_vec(), vec![1, 2]));
	assert_eq!(asked.load(Ordering::SeqCst), 1);
	assert!(chain.has_keys(&[10, 11]).await.expect("it answers"));
	assert!(!chain.has_keys(&[10, 12]).await.expect("it answers"));
}

#[tokio::test]
async fn a_safe_node_refuses_and_the_error_says_why() {
	let (chain, _node, _) = node(true).await;
	let errors: [ReadError; 2] = [
		chain.rotate_keys(&OWNER).await.expect_err("it refuses"),
		chain.has_keys(&[10, 11]).await.expect_err("it refuses"),
	];
	for error in errors {
		assert!(error.is_unsafe_rpc(), "{error}");
	}
}

#[tokio::test]
async fn a_lost_connection_is_no_reason_to_make_keys_again() {
	let (chain, node, asked) = node(false).await;
	node.stop().expect("it runs");
	node.stopped().await;
	let error = chain.rotate_keys(&OWNER).await.expect_err("it is gone");
	assert!(error.is_transient(), "{error}");
	assert_eq!(asked.load(Ordering::SeqCst), 0);
}
