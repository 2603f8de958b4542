//! A call that is asked of a worker over the chain is answered there by its daemon, like any other call.

use crate::one_worker::Scene;
use millrace_client::{calls, AccountId};
use millrace_e2e::{events::fields, network::account, Deal};
use millrace_primitives::{
	execution::SignedReceipt,
	peer::PeerId,
	probe::{probe_request, ProbeBody},
	Balance, DealId, FLT,
};
use serde_json::{json, Value};
use std::time::Duration;

/// Longest wait for what takes a few blocks.
const MINUTE: Duration = Duration::from_secs(60);
/// Blocks in which a probe is answered. They are half as long as on the named chain, so that there
/// are twice as many.
const PROBE_BLOCKS: u32 = 12;
/// Latest position in an epoch at which the worker is asked, so that all that follows is in that epoch.
const EARLY: u32 = 8;

/// The market's part of the genesis.
pub(crate) fn parameters() -> Value {
	json!({ "params": { "probeBlocks": PROBE_BLOCKS } })
}

/// Asks the worker of a deal that is open to everybody.
pub(crate) async fn is_answered(scene: &Scene, deal: &Deal) {
	let Scene {
		events,
		provider,
		network,
		..
	} = scene;
	let peer = provider.ids()[0];
	deal.until_live(network, 1, EARLY).await;

	let body = b"asked over the chain".to_vec();
	let body = ProbeBody::try_from(body).expect("it is short");
	let (prober, probe) = (account("//Eve"), calls::market::probe(deal.id, peer, &body));
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
	let mut assignments = assignments.iter();
	let own = assignments.find(|assignment| assignment.deal == deal.id);
	assert_eq!(own.expect("it serves the deal").probe, None);
}
