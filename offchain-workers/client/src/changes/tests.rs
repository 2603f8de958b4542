//! Subscriptions over connections that break, and to nodes that refuse.

use super::*;
use codec::Encode;
use jsonrpsee::{
	server::{RpcModule, Server, ServerHandle, SubscriptionMessage},
	types::ErrorObjectOwned,
};
use millrace_primitives::H256;
use serde_json::{json, Value};
use std::net::SocketAddr;

/// Longest wait for a value, reconnection included.
const SHORT: Duration = Duration::from_secs(30);
/// How our node refuses one subscription too many.
const FULL: i32 = 7006;

/// A node that tells these numbers to whoever subscribes, or takes no subscription where there are
/// none.
async fn node(address: SocketAddr, numbers: &'static [u32]) -> (SocketAddr, ServerHandle) {
	let mut module = RpcModule::new(());
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
		.register_subscription(
			"test_subscribe",
			"test_told",
			"test_unsubscribe",
			move |_, pending, _, _| async move {
				if numbers.is_empty() {
					let full = ErrorObjectOwned::owned(FULL, "all are taken", None::<()>);
					pending.reject(full).await;
					return;
				}
				let Ok(sink) = pending.accept().await else {
					return;
				};
				for number in numbers {
					let message = SubscriptionMessage::from_json(number).expect("it is JSON");
					if sink.send(message).await.is_err() {
						return;
					}
				}
				sink.closed().await;
			},
		)
		.expect("the name is free");
	let server = Server::builder()
		.build(address)
		.await
		.expect("the address is free");
	let address = server.local_addr().expect("it is bound");
	(address, server.start(module))
}

fn answer(value: Value) -> Result<Value, ErrorObjectOwned> {
	Ok(value)
}

async fn numbers_of(address: SocketAddr) -> Changes<u32> {
	let chain = Chain::connect(&format!("ws://{address}"))
		.await
		.expect("the node answers");
	chain.changes(Topic {
		subscribe: "test_subscribe",
		unsubscribe: "test_unsubscribe",
		params: rpc_params![],
	})
}

async fn next(numbers: &mut Changes<u32>) -> Option<Result<u32, ReadError>> {
	timeout(SHORT, numbers.next())
		.await
		.expect("a value comes in time")
}

fn any_port() -> SocketAddr {
	SocketAddr::from(([127, 0, 0, 1], 0))
}

#[tokio::test]
async fn a_node_that_comes_back_is_heard_again_and_repeats_nothing() {
	let (address, first) = node(any_port(), &[1, 2]).await;
	let mut numbers = numbers_of(address).await;
	for expected in [1, 2] {
		let told = next(&mut numbers).await;
		assert!(
			matches!(told, Some(Ok(number)) if number == expected),
			"{told:?}"
		);
	}
	first.stop().expect("it runs");
	first.stopped().await;
	// The value that stands is told to whoever subscribes; here it was known.
	let (_, _second) = node(address, &[2, 3]).await;
	let told = next(&mut numbers).await;
	assert!(matches!(told, Some(Ok(3))), "{told:?}");
}

#[tokio::test]
async fn a_refusal_is_told_once_and_ends_the_stream() {
	let (address, _node) = node(any_port(), &[]).await;
	let mut numbers = numbers_of(address).await;
	let told = next(&mut numbers).await;
	let Some(Err(ReadError::Refused { what, reason })) = &told else {
		panic!("{told:?}");
	};
	assert_eq!(what, "test_subscribe");
	assert!(reason.contains("all are taken"), "{reason}");
	assert!(next(&mut numbers).await.is_none());
}
