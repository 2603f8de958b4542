//! A worker that is killed over its calls: no client sees an error, no receipt that a client has
//! seen is lost, no solution either, and nothing is paid twice.

use millrace_client::View;
use millrace_e2e::{
	deal::specification,
	eventually, guests,
	load::{Load, Seen},
	network::account,
	provider::{settle, EPOCHS},
	receipts::reported,
	until, Deal, Gateway, Network, Peer, Provider,
};
use millrace_primitives::EpochIndex;
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{sleep, Instant};

/// Time between two calls.
const PERIOD: Duration = Duration::from_millis(125);
/// Time for which calls go on without the killed worker.
const ALONE: Duration = Duration::from_millis(1_500);
/// Solutions may be lost that are younger than this.
const DURABLE: Duration = Duration::from_millis(1_100);
/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 30;
/// Latest position of an epoch in which there is time for a kill and a restart.
const EARLY: u32 = 10;
/// Longest wait for anything that takes part of an epoch.
const SHORT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_loses_no_call_no_receipt_no_solution_and_no_pay() {
	let network = Network::quick(EPOCH_BLOCKS).await;
	// Two units each: one works for the deal, the other one is idle, so that both kinds are proven.
	let provider = Provider::register(&network, "//Bob", 2, 2).await;
	let mut workers = provider.start_workers(&network).await;
	let gateway = Gateway::start(&network).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	let client = account("//Charlie");
	let deal = Deal::create(&network, &client, &specification(&package, 2), 40).await;
	settle(&network, &provider.ids(), provider.first_epoch).await;
	deal.until_live(&network, 2, EARLY).await;

	let load = Load::start(&network.http, gateway.deal(deal.id), PERIOD);
	let victim = &provider.peers[0];
	eventually("both workers have answered", SHORT, async || {
		let peers: BTreeSet<_> = load
			.seen()
			.iter()
			.map(|seen| seen.receipt.receipt.peer)
			.collect();
		match peers.len() {
			2 => Ok(()),
			_ => Err(format!("only {peers:?}")),
		}
	})
	.await;
	let epoch = until_all_solutions(&network, victim).await;
	sleep(DURABLE).await;

	workers[0].kill().await;
	let killed = Instant::now();
	sleep(ALONE).await;
	workers[0] = victim.start_worker();
	victim.until_healthy(&network, &mut workers[0]).await;
	the_solutions_are_still_there(&network, victim, epoch).await;
	let restarted = Instant::now();
	eventually("the worker answers calls again", SHORT, async || {
		let seen = load.seen();
		let again = seen
			.iter()
			.any(|seen| seen.at > restarted && is_of(seen, victim));
		again
			.then_some(())
			.ok_or_else(|| format!("{} calls are answered", seen.len()))
	})
	.await;
	let seen = load.finish().await;
	assert!(seen.len() >= 30, "only {} calls were made", seen.len());
	let between = |seen: &&Seen| seen.at > killed && seen.at < killed + ALONE;
	let alone: Vec<&Seen> = seen.iter().filter(between).collect();
	assert!(
		alone.len() >= 8,
		"calls went on without it: {}",
		alone.len()
	);
	// An answer may have been under way when the worker was killed; none can come a second later.
	let late = killed + Duration::from_secs(1);
	assert!(alone
		.iter()
		.all(|seen| seen.at < late || !is_of(seen, victim)));

	every_receipt_is_reported(&network, &provider, &deal, &seen).await;
}

fn is_of(seen: &Seen, peer: &Peer) -> bool {
	seen.receipt.receipt.peer == peer.id()
}

/// Waits until a worker has found everything that it owes, early enough in an epoch that it can be
/// started again in the same one.
async fn until_all_solutions(network: &Network, peer: &Peer) -> EpochIndex {
	let what = "all solutions are found early in an epoch";
	until(&network.chain, what, EPOCHS, async |view: &View| {
		let status = view.epoch().await?;
		let health = peer.health(network).await.unwrap_or_default();
		let epoch = status.info.index;
		Ok((status.position <= EARLY && complete(&health, epoch)).then_some(epoch))
	})
	.await
}

/// Four solutions of an idle unit and one of a busy one.
fn complete(health: &Value, epoch: EpochIndex) -> bool {
	let solutions = &health["prover"];
	solutions["epoch"] == epoch && solutions["owed"] == 5 && solutions["found"] == 5
}

/// All of them are read from disk: the worker has not computed a single hash since its start.
async fn the_solutions_are_still_there(network: &Network, peer: &Peer, epoch: EpochIndex) {
	let health = eventually("the worker knows what it has found", SHORT, async || {
		let health = peer.health(network).await?;
		match health["prover"]["owed"].as_u64() {
			Some(1..) => Ok(health),
			_ => Err(health.to_string()),
		}
	})
	.await;
	let hashes = peer
		.metric(network, "millrace_worker_prover_hashes_total")
		.await;
	assert!(
		complete(&health, epoch),
		"after the restart in epoch {epoch}: {health}"
	);
	assert_eq!(hashes, 0.0, "solutions were looked for again: {health}");
}

/// After the settlement: each number from 0 on is in the report, each receipt that a client has is
/// the one under its number, and both workers are paid for each epoch once.
pub(crate) async fn every_receipt_is_reported(
	network: &Network,
	provider: &Provider,
	deal: &Deal,
	seen: &[Seen],
) {
	let epochs: BTreeSet<EpochIndex> = seen.iter().map(|seen| seen.receipt.receipt.epoch).collect();
	let last = *epochs.last().expect("there were calls");
	let view = settle(network, &provider.ids(), last).await;
	let mut found = 0;
	for epoch in epochs {
		for peer in &provider.peers {
			let own = |seen: &&Seen| is_of(seen, peer) && seen.receipt.receipt.epoch == epoch;
			let own: Vec<&Seen> = seen.iter().filter(own).collect();
			let Some((report, all)) = reported(network, &view, peer, epoch).await else {
				assert!(own.is_empty(), "{} receipts are not reported", own.len());
				continue;
			};
			assert_eq!(
				(report.proven_idle, report.proven_busy),
				(1, 1),
				"{report:?}"
			);
			let served: Vec<u64> = report.served.iter().map(|served| served.deal).collect();
			assert_eq!(served, [deal.id]);
			for seen in own {
				let seq = seen.receipt.receipt.seq as usize;
				assert_eq!(
					all.get(seq),
					Some(&seen.receipt),
					"a client holds number {seq}"
				);
				found += 1;
			}
		}
	}
	assert_eq!(
		found,
		seen.len(),
		"every receipt that a client has is reported"
	);
	let numbers: BTreeSet<_> = seen
		.iter()
		.map(|seen| &seen.receipt.receipt)
		.map(|receipt| (receipt.peer, receipt.epoch, receipt.seq))
		.collect();
	assert_eq!(numbers.len(), seen.len(), "no number was given twice");

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
}
