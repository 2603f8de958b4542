//! A deal whose package is updated under load: no call fails, each receipt names the package that ran,
//! and in the end it is the new one.

use millrace_client::{calls, View};
use millrace_e2e::{
	deal::specification,
	eventually, guests,
	load::{Load, Seen},
	network::account,
	provider::{settle, EPOCHS},
	until, Deal, Gateway, Network, Provider,
};
use millrace_primitives::{peer::PeerId, EpochIndex, H256};
use std::{collections::BTreeSet, time::Duration};

/// Time between two calls.
const PERIOD: Duration = Duration::from_millis(100);
/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 30;
/// Latest position of an epoch in which the update is sent.
const EARLY: u32 = 10;
/// Longest wait for anything that takes part of an epoch.
const SHORT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_is_updated_under_load_and_no_client_sees_an_error() {
	let network = Network::quick(EPOCH_BLOCKS).await;
	let provider = Provider::register(&network, "//Bob", 2, 2).await;
	let _workers = provider.start_workers(&network).await;
	let gateway = Gateway::start(&network).await;
	let [old, new] = [
		gateway.upload(&network.http, guests::echo()).await,
		gateway.upload(&network.http, guests::echo_again()).await,
	];
	assert_ne!(old.hash, new.hash);
	let client = account("//Charlie");
	let deal = Deal::create(&network, &client, &specification(&old, 2), 40).await;
	settle(&network, &provider.ids(), provider.first_epoch).await;
	deal.until_live(&network, 2, EARLY).await;

	let load = Load::start(&network.http, gateway.deal(deal.id), PERIOD);
	until_both_answer_with(&load, old.hash).await;
	let package = specification(&new, 2).package;
	network
		.chain
		.submit(&client, calls::market::update_package(deal.id, &package))
		.await
		.expect("the client can update its deal");
	until_both_answer_with(&load, new.hash).await;

	// Until the old one counts no more, and a little beyond.
	let latest = network.chain.latest().await.expect("the node is up");
	let packages = deal.view(&latest).await.packages;
	let past = packages.past.first().expect("the old one is remembered");
	assert_eq!(past.hash, old.hash);
	let after = past.until + 1;
	until_epoch(&network, after).await;
	eventually(
		"calls are answered without the old one",
		SHORT,
		async || {
			let seen = load.seen();
			let late = seen.iter().any(|seen| seen.receipt.receipt.epoch >= after);
			late.then_some(())
				.ok_or_else(|| format!("{} calls are answered", seen.len()))
		},
	)
	.await;
	// Fails if one of them did.
	let seen = load.finish().await;

	let view = network.chain.latest().await.expect("the node is up");
	for Seen { receipt, .. } in &seen {
		let receipt = &receipt.receipt;
		let terms = view.call_terms(receipt).await.expect("it can be read");
		let terms = terms.unwrap_or_else(|why| panic!("{why:?}: {receipt:?}"));
		assert!(receipt.fits_terms(receipt.genesis, &terms), "{receipt:?}");
		match receipt.package == new.hash {
			true => assert!(receipt.block >= packages.since, "{receipt:?}"),
			false => assert!(receipt.epoch < after, "{receipt:?}"),
		}
	}
}

/// Waits until two workers have answered a call with a package.
async fn until_both_answer_with(load: &Load, package: H256) {
	eventually("both workers answer with a package", SHORT, async || {
		let peers: BTreeSet<PeerId> = load
			.seen()
			.iter()
			.map(|seen| &seen.receipt.receipt)
			.filter(|receipt| receipt.package == package)
			.map(|receipt| receipt.peer)
			.collect();
		match peers.len() {
			2 => Ok(()),
			_ => Err(format!("only {peers:?}")),
		}
	})
	.await;
}

async fn until_epoch(network: &Network, epoch: EpochIndex) {
	let what = format!("epoch {epoch} has begun");
	until(&network.chain, &what, EPOCHS, async |view: &View| {
		let present = view.epoch().await?.info.index;
		Ok((present >= epoch).then_some(()))
	})
	.await;
}
