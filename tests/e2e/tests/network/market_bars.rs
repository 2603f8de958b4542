//! How soon a deal serves, and what clients notice when one of its workers dies: measurements that are run
//! by scripts/bench.sh.

use millrace_client::View;
use millrace_e2e::{
	deal::specification,
	eventually, guests,
	load::{call, Load},
	measure::{median, ms},
	network::{account, little_work},
	provider::{settle, ASK, EPOCHS, TERMS, TICK},
	Deal, Gateway, Network, Provider,
};
use millrace_primitives::market::OfferTerms;
use std::{collections::BTreeSet, time::Duration};
use tokio::{
	join,
	time::{sleep, Instant},
};

/// Deals that are ordered one after the other.
const DEALS: u32 = 5;
/// Time between two attempts to call.
const RETRY: Duration = Duration::from_millis(50);
/// Fifty calls a second.
const PERIOD: Duration = Duration::from_millis(20);
/// Time for which calls go on before the kill, and after it.
const BEFORE: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_secs(15);
/// Longest wait for what takes a few blocks.
const SHORT: Duration = Duration::from_secs(60);
/// Latest position in an epoch at which a worker is killed, so that all that follows is in that epoch.
const EARLY: u32 = 4;
/// Blocks in which a probe is answered, on development chains.
const PROBE_BLOCKS: u32 = 6;
/// Networks in which a worker is killed, of which the worst counts.
const KILLS: u32 = 5;
/// Blocks of an epoch of a quick chain.
const EPOCH_BLOCKS: u32 = 30;

/// From the block that made a deal's creation final to the first call that is answered through the
/// gateway, in blocks of the development chain, with capacity at hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_market_first_call() {
	let network = Network::dev().await;
	let provider = Provider::register(&network, "//Bob", 1, DEALS + 1).await;
	let _workers = provider.start_workers(&network).await;
	let gateway = Gateway::start(&network).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	settle(&network, &provider.ids(), provider.first_epoch).await;

	let client = account("//Charlie");
	let spec = specification(&package, 1);
	let slot = slot_ms(&network.chain.latest().await.expect("the node is up")).await;
	let mut blocks = Vec::new();
	for _ in 0..DEALS {
		// It is final once this returns.
		let deal = Deal::create(&network, &client, &spec, 20).await;
		let (begun, url) = (Instant::now(), gateway.deal(deal.id));
		while call(&network.http, &url, "first").await.is_err() {
			assert!(begun.elapsed() < SHORT, "no call is answered");
			sleep(RETRY).await;
		}
		blocks.push(ms(begun.elapsed()) / slot);
	}
	let slowest = blocks.iter().copied().fold(0.0, f64::max);
	println!(
		r#"{{"measure":"market_first_call","deals":{DEALS},"p50_blocks":{:.2},"max_blocks":{slowest:.2}}}"#,
		median(&blocks),
	);
}

async fn slot_ms(view: &View) -> f64 {
	let status = view.epoch().await.expect("the clock can be read");
	f64::from(u32::try_from(status.info.slot_ms).expect("a slot is short"))
}

/// Errors that clients see of fifty calls a second when one of two workers is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_market_killed() {
	let mut calls = 0;
	let mut errors = Vec::new();
	for _ in 0..KILLS {
		let (seen, failed) = killed().await;
		calls += seen;
		errors.extend(failed);
	}
	println!(
		r#"{{"measure":"market_killed","kills":{KILLS},"calls":{calls},"errors":{}}}"#,
		errors.len(),
	);
	assert!(errors.is_empty(), "{errors:#?}");
}

/// How many calls were made of a deal with two workers while one was killed, and which failed.
async fn killed() -> (usize, Vec<String>) {
	let (network, _) = Network::quick_with(EPOCH_BLOCKS, &little_work()).await;
	let provider = Provider::register(&network, "//Bob", 2, 2).await;
	let mut workers = provider.start_workers(&network).await;
	let gateway = Gateway::start(&network).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	settle(&network, &provider.ids(), provider.first_epoch).await;
	let client = account("//Charlie");
	let deal = Deal::create(&network, &client, &specification(&package, 2), 40).await;
	let url = gateway.deal(deal.id);
	eventually("both workers answer", EPOCHS, async || {
		let mut peers = BTreeSet::new();
		for number in 0..8 {
			let signed = call(&network.http, &url, &format!("warm {number}")).await?;
			peers.insert(signed.receipt.peer);
		}
		match peers.len() {
			2 => Ok(()),
			_ => Err(format!("only {peers:?}")),
		}
	})
	.await;

	let load = Load::start(&network.http, url, PERIOD);
	sleep(BEFORE).await;
	workers[0].kill().await;
	sleep(AFTER).await;
	let (seen, failed) = load.outcome().await;
	(seen.len() + failed.len(), failed)
}

/// Time until calls are answered again when a deal's only worker is killed and another offer stands: the
/// gateway notices, probes, and follows the chain to the next worker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_market_spare() {
	let mut blocks = Vec::new();
	for _ in 0..KILLS {
		blocks.push(replaced().await);
	}
	let slowest = blocks.iter().copied().fold(0.0, f64::max);
	println!(
		r#"{{"measure":"market_spare","kills":{KILLS},"p50_blocks":{:.2},"max_blocks":{slowest:.2},"probe_blocks":{PROBE_BLOCKS},"beyond":{:.2}}}"#,
		median(&blocks),
		slowest - f64::from(PROBE_BLOCKS),
	);
}

/// Blocks in which nobody answers after a deal's only worker was killed.
async fn replaced() -> f64 {
	let network = Network::dev().await;
	let dearer = OfferTerms {
		ask: ASK + TICK,
		..TERMS
	};
	let (first, spare) = join!(
		Provider::register(&network, "//Bob", 1, 2),
		Provider::offering(&network, "//Eve", 1, 2, dearer),
	);
	let (mut workers, _spare) = join!(first.start_workers(&network), spare.start_workers(&network));
	let gateway = Gateway::probing(&network, "//Ferdie").await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	let peers = [first.ids(), spare.ids()].concat();
	settle(&network, &peers, first.first_epoch.max(spare.first_epoch)).await;
	let client = account("//Charlie");
	let deal = Deal::create(&network, &client, &specification(&package, 1), 40).await;
	let url = gateway.deal(deal.id);
	deal.until_live(&network, 1, EARLY).await;
	let before = call(&network.http, &url, "before").await;
	let served = before.expect("the worker serves").receipt.peer;
	assert_eq!(served, first.peers[0].id(), "the cheapest one serves");

	let slot = slot_ms(&network.chain.latest().await.expect("the node is up")).await;
	workers[0].kill().await;
	let begun = Instant::now();
	let again = loop {
		match call(&network.http, &url, "again").await {
			Ok(signed) => break signed,
			Err(error) => assert!(begun.elapsed() < SHORT, "{error}"),
		}
		sleep(RETRY).await;
	};
	assert_eq!(again.receipt.peer, spare.peers[0].id());
	ms(begun.elapsed()) / slot
}
