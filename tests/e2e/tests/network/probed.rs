//! A call that is asked of a worker over the chain is answered there by its daemon, like any other call.

use millrace_client::{calls, AccountId, View};
use millrace_e2e::{
	deal::specification,
	events::fields,
	guests,
	network::{account, little_work},
	provider::{settle, EPOCHS},
	until, Deal, Events, Gateway, Network, Provider,
};
use millrace_primitives::{
	execution::SignedReceipt,
	peer::PeerId,
	probe::{probe_request, ProbeBody},
	Balance, DealId, FLT,
};
use serde_json::json;
use std::time::Duration;

/// Longest wait for what takes a few blocks.
const MINUTE: Duration = Duration::from_secs(60);
/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 26;
/// Blocks in which a probe is answered. They are half as long as on the named chain, so that there
/// are twice as many.
const PROBE_BLOCKS: u32 = 12;
/// Latest position in an epoch at which the worker is asked, so that all that follows is in that epoch.
const EARLY: u32 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_answers_what_it_is_asked_over_the_chain() {
	let mut genesis = little_work();
	genesis["market"] = json!({ "params": { "probeBlocks": PROBE_BLOCKS } });
	let (network, _) = Network::quick_with(EPOCH_BLOCKS, &genesis).await;
	let events = Events::open(&network.chain, 1);
	let provider = Provider::register(&network, "//Bob", 1, 1).await;
	let _workers = provider.start_workers(&network).await;
	let gateway = Gateway::start(&network).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	settle(&network, &provider.ids(), provider.first_epoch).await;
	let spec = specification(&package, 1);
	let deal = Deal::create(&network, &account("//Charlie"), &spec, 20).await;
	let peer = provider.ids()[0];
	until(
		&network.chain,
		"the worker is paid",
		EPOCHS,
		async |view: &View| {
			let status = view.epoch().await?;
			let rows = view.deal(deal.id).await?.map(|deal| deal.workers);
			let mut workers = rows.iter().flatten().map(|row| row.worker);
			let is_due = workers.any(|worker| worker.is_due(status.info.index));
			Ok((is_due && status.position <= EARLY).then_some(()))
		},
	)
	.await;

	let body = b"asked over the chain".to_vec();
	let body = ProbeBody::try_from(body).expect("it is short");
	let (prober, probe) = (
		account("//Dave"),
		calls::market::probe(deal.id, peer, &body),
	);
	let included = network.chain.submit(&prober, probe).await;
	let made = included.expect("the worker can be asked").number;
	type Answered = (DealId, PeerId, AccountId, SignedReceipt, Balance, Balance);
	let (_, answered) = events
		.until("the probe is answered", MINUTE, |event| {
			fields::<Answered>(event, "Market", "ProbeAnswered")
		})
		.await;
	let (of, by, asked_by, SignedReceipt { receipt, .. }, paid, burnt) = answered;
	assert_eq!((of, by, asked_by), (deal.id, peer, prober.account()));
	assert_eq!((paid, burnt), (FLT / 2, FLT / 2));
	assert_eq!(receipt.request, probe_request(&body).hash());
	assert_eq!((receipt.deal, receipt.peer), (deal.id, peer));
	assert!(receipt.status.is_success() && receipt.block >= made);
	// It stays, and nobody asks it any more.
	let view = network.chain.latest().await.expect("the node is up");
	let assignments = view.assignments(peer).await.expect("it can be read");
	assert_eq!(assignments.len(), 1);
	assert_eq!(assignments[0].probe, None);
}
