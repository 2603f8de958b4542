//! Requests over HTTP, at the gateway and at the worker.

use super::{Scene, MINUTE, TIGHT};
use millrace_client::View;
use millrace_e2e::{eventually, provider::EPOCHS, until};
use millrace_primitives::{execution::CallStatus, market::WorkerStatus, EpochIndex};

/// Requests that reach no guest, at the gateway and at the worker.
pub(super) async fn requests_are_refused(scene: &Scene) {
	let (gateway, worker) = (&scene.gateway.url, &scene.provider.peers[0].url);
	for door in [gateway, worker] {
		let get = |path: &str| format!("{door}{path}");
		assert_eq!(
			scene.get(&get("/deals/999")).await,
			(404, "deal_unknown".into())
		);
		assert_eq!(
			scene.get(&get("/deals/x")).await,
			(400, "bad_request".into())
		);
		assert_eq!(scene.get(&get("/nothing")).await, (404, "not_found".into()));
		let wrong = scene.call(&get("/healthz"), "x").await.error();
		assert_eq!(wrong, (405, "method_not_allowed".into()));
	}
	for door in scene.doors(scene.odd.id) {
		let long = "c".repeat(TIGHT.request_bytes as usize + 1);
		let answer = scene.call(&door, &long).await;
		assert_eq!(answer.error(), (413, "body_too_large".into()), "{door}");
		assert!(answer.receipt().is_none());
		let just = "c".repeat(TIGHT.request_bytes as usize);
		let answer = scene.call(&door, &just).await;
		assert_eq!(
			(answer.status, &answer.body[..]),
			(200, just.as_bytes()),
			"{door}"
		);
	}
	let [public, own] = scene.doors(scene.cheap.id);
	assert_eq!(scene.get(&public).await, (503, "no_worker".into()));
	assert_eq!(scene.get(&own).await, (404, "deal_unknown".into()));
	let receipts = |rest: &str| format!("{worker}/receipts/{rest}");
	assert_eq!(
		scene.get(&receipts("one/0")).await,
		(400, "bad_request".into())
	);
	assert_eq!(
		scene.get(&receipts("9999/0")).await,
		(404, "not_reported".into())
	);
}

/// What guests do wrong is answered with a signed receipt that says so.
pub(super) async fn guests_fail_with_a_receipt(scene: &Scene) {
	for door in scene.doors(scene.odd.id) {
		for (letter, code, header, status) in [
			("t", "guest_trapped", "trapped", CallStatus::Trapped),
			("g", "guest_out_of_gas", "out_of_gas", CallStatus::OutOfGas),
			(
				"s",
				"guest_stack_overflow",
				"stack_overflow",
				CallStatus::StackOverflow,
			),
			(
				"e",
				"response_too_large",
				"response_too_large",
				CallStatus::ResponseTooLarge,
			),
			("q", "guest_failed", "exited:3", CallStatus::Exited(3)),
			// A mebibyte has sixteen pages, and the guest gets not one more.
			("m", "guest_failed", "exited:16", CallStatus::Exited(16)),
		] {
			let answer = scene.call(&door, letter).await;
			assert_eq!(answer.error(), (502, code.into()), "{door} {letter}");
			assert_eq!(answer.header("x-millrace-status"), header);
			let receipt = answer.receipt().expect("a failure has its receipt").receipt;
			assert_eq!(receipt.status, status);
			assert_eq!(answer.header("x-millrace-gas"), receipt.gas.to_string());
			assert!(receipt.gas > 0 && receipt.gas <= TIGHT.gas, "{receipt:?}");
			if status == CallStatus::OutOfGas {
				assert_eq!(receipt.gas, TIGHT.gas, "all of it is used");
			}
			if letter == "q" {
				assert_eq!(answer.header("x-millrace-stderr"), "this guest gives up%0A");
			}
		}
	}
}

/// A stopped deal ends with its epoch; one whose escrow is used up is served in grace, and then no
/// more.
pub(super) async fn deals_without_money_or_time_are_not_served(scene: &Scene) {
	let (network, short) = (&scene.network, &scene.short);
	let view = network.chain.latest().await.expect("the node is up");
	let since: Vec<EpochIndex> = short
		.view(&view)
		.await
		.workers
		.iter()
		.filter_map(|row| match row.worker.status {
			WorkerStatus::Live { since } => Some(since),
			WorkerStatus::Assigned { .. } | WorkerStatus::Draining { .. } => None,
		})
		.collect();
	assert_eq!(since.len(), 1, "one worker is live");
	let what = "the two epochs that the short deal has escrow for are over";
	until(&network.chain, what, EPOCHS, async |view: &View| {
		Ok((view.epoch().await?.info.index >= since[0] + 2).then_some(()))
	})
	.await;
	for door in scene.doors(short.id) {
		eventually(&format!("{door} serves in grace"), MINUTE, async || {
			let answer = scene.call(&door, "call").await;
			match (answer.status, answer.receipt()) {
				(200, Some(_)) => Ok(()),
				_ => Err(format!("{:?}", answer.error())),
			}
		})
		.await;
	}
	let what = "its grace is over";
	until(&network.chain, what, EPOCHS, async |view: &View| {
		Ok((view.epoch().await?.info.index >= since[0] + 4).then_some(()))
	})
	.await;
	let error = (410, "deal_ended".to_string());
	for deal in [scene.odd.id, short.id] {
		for door in scene.doors(deal) {
			eventually(&format!("{door} answers {error:?}"), MINUTE, async || {
				let found = scene.call(&door, "call").await.error();
				match found == error {
					true => Ok(()),
					false => Err(format!("it answers {found:?}")),
				}
			})
			.await;
		}
	}
	let short = short.id.to_string();
	scene.tool_fails(&["invoke", &short], 1, "deal_ended").await;
	let late = ["--key", "//Eve", "deal", "top-up", &short, "1 FLT"];
	scene.tool_fails(&late, 3, "DealEnding").await;
}
