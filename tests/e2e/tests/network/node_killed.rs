//! A node that is killed in the middle of an epoch and comes back: its worker serves on, reports,
//! answers its audit and is paid as if nothing had happened.

use millrace_client::View;
use millrace_e2e::{
	deal::specification,
	guests,
	load::call,
	network::account,
	provider::{assert_audited, settle},
	receipts::reported,
	until, Deal, Gateway, Network, Provider,
};
use millrace_primitives::execution::SignedReceipt;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Time for which the node is away: less than a worker takes calls without news of the chain.
const AWAY: Duration = Duration::from_secs(4);
/// Blocks of an epoch, of half a second each: the worker has time to find the node again in the
/// window for answers.
const EPOCH_BLOCKS: u32 = 28;
/// Longest wait for a part of an epoch.
const SHORT: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_costs_its_worker_nothing() {
	let mut network = Network::quick(EPOCH_BLOCKS).await;
	let provider = Provider::register(&network, "//Bob", 1, 2).await;
	let mut workers = provider.start_workers(&network).await;
	let gateway = Gateway::start(&network).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	let spec = specification(&package, 1);
	let deal = Deal::create(&network, &account("//Charlie"), &spec, 40).await;
	settle(&network, &provider.ids(), provider.first_epoch).await;
	let epoch = deal.until_live(&network, 1, 5).await;
	let peer = &provider.peers[0];
	let (public, own) = (
		gateway.deal(deal.id),
		format!("{}/deals/{}", peer.url, deal.id),
	);

	let mut receipts = calls(&network, &public, "before").await;
	// As the window begins in which the audit of the epoch before is answered.
	let before = until(
		&network.chain,
		"the middle of the epoch",
		SHORT,
		async |view: &View| {
			let status = view.epoch().await?;
			assert_eq!(status.info.index, epoch, "the epoch is over already");
			Ok((status.position >= 7).then(|| view.block()))
		},
	)
	.await;

	network.node.kill().await;
	receipts.extend(calls(&network, &own, "while the node is away").await);
	sleep(AWAY).await;
	workers[0].assert_running();
	network.node.restart();
	network.node.until_up().await;

	// The same chain goes on: what was final stays so.
	let found = network.rpc.block_hash(before.number).await;
	assert_eq!(
		found,
		Some(before.hash),
		"block {} was final",
		before.number
	);
	until(
		&network.chain,
		"finality goes on",
		SHORT,
		async |view: &View| Ok((view.block().number > before.number + 2).then_some(())),
	)
	.await;
	receipts.push(first_call(&network, &public).await);
	receipts.extend(calls(&network, &public, "after").await);

	let last = receipts
		.iter()
		.map(|signed| signed.receipt.epoch)
		.max()
		.unwrap_or(epoch);
	let view = settle(&network, &provider.ids(), last).await;
	assert!(
		receipts.iter().any(|signed| signed.receipt.epoch == epoch),
		"{epoch} {last}"
	);
	let mut found = 0;
	// A live worker answers in the epoch before its first paid one, too, and numbers a call by the
	// last block that it has seen: the first one may bear that epoch yet.
	for asked in epoch - 1..=last {
		let Some((report, all)) = reported(&network, &view, peer, asked).await else {
			continue;
		};
		assert!(
			asked < epoch || (report.proven_idle, report.proven_busy) == (1, 1),
			"{report:?}"
		);
		let own = receipts
			.iter()
			.filter(|signed| signed.receipt.epoch == asked);
		for signed in own {
			let seq = signed.receipt.seq as usize;
			assert_eq!(all.get(seq), Some(signed), "a client holds number {seq}");
			found += 1;
		}
	}
	assert_eq!(
		found,
		receipts.len(),
		"every receipt that a client has is reported"
	);

	let paid = deal.assert_paid_by_the_rules(&view).await;
	let balance = view
		.balance(&provider.account.account())
		.await
		.expect("it has one");
	assert_eq!(
		balance.total() - provider.balance,
		paid,
		"what the provider has got"
	);
	let commitment = view
		.commitment(peer.id())
		.await
		.expect("it can be read")
		.expect("it is committed");
	assert!(commitment.rewarded > 0, "the idle unit is rewarded");
	assert_audited(&view, peer.id(), last).await;
}

/// A call, made again for a while: the worker may still look for its node.
async fn first_call(network: &Network, url: &str) -> SignedReceipt {
	let begun = Instant::now();
	loop {
		match call(&network.http, url, "call first").await {
			Ok(receipt) => return receipt,
			Err(error) => {
				let looks = error.contains("chain_unreachable") && begun.elapsed() < SHORT;
				assert!(looks, "{error}");
				sleep(Duration::from_millis(200)).await;
			}
		}
	}
}

/// Three calls, all of them answered.
async fn calls(network: &Network, url: &str, when: &str) -> Vec<SignedReceipt> {
	let mut receipts = Vec::new();
	for number in 0..3 {
		let answer = call(&network.http, url, &format!("call {number} {when}")).await;
		receipts.push(answer.unwrap_or_else(|error| panic!("{when}: {error}")));
	}
	receipts
}
