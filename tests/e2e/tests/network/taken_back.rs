//! An anchor takes back what was in its blocks and not final: a checkpoint comes again by itself, and what was
//! claimed can be claimed again, and is paid once.

use crate::anchored::{quick_relay, Anchored, Sent};
use millrace_e2e::{network::free_ports, Anvil, Network};
use millrace_primitives::FLT;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// The anchor's blocks are final when they are thirty behind its head: so many seconds pass before nothing can be
/// taken back any more.
const ANVIL_SLOTS: u64 = 15;
/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 30;
/// Slots of a session: the set does not change in a test, so that checkpoints come for messages alone.
const SESSION_SLOTS: u64 = 2_000;
/// Longest time of a block of the anchor that is being made.
const UNDER_WAY: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_is_taken_back_comes_again_and_a_claim_is_paid_once() {
	let sessions = json!({ "timing": { "sessionSlots": SESSION_SLOTS } });
	let (network, _) = Network::quick_with(EPOCH_BLOCKS, &sessions).await;
	let anvil = Anvil::start(network.folder(), ANVIL_SLOTS).await;
	let url = anvil.url.clone();
	let [metrics] = free_ports();
	let settings = quick_relay(network.folder(), metrics);
	let options = ["--config", settings.as_str()];
	let mut anchored = Anchored::on(network, anvil, url, &options).await;

	let sent = anchored.withdraw("100 FLT").await;
	a_checkpoint_comes_again(&anchored, sent).await;
	anchored.relay.assert_running();
	a_claim_is_paid_once(&anchored, sent).await;
}

/// The one that covers a withdrawal, as it is on the anchor first.
async fn a_checkpoint_comes_again(anchored: &Anchored, sent: Sent) {
	let accepted = anchored.until_covered(sent.block).await;
	take_back_from(&anchored.anchor, accepted.last_epoch).await;
	let status = anchored.status().await.expect("the anchor answers");
	assert!(status.latest_block <= sent.block, "{status:?}");
	assert!(status.root.is_zero(), "it was the first: {status:?}");

	anchored.anchor.resume().await;
	let again = anchored.until_covered(sent.block).await;
	assert!(
		again.latest_block >= accepted.latest_block,
		"{again:?} behind {accepted:?}"
	);
}

/// The claim is taken back with the proof that it is due, and then alone.
async fn a_claim_is_paid_once(anchored: &Anchored, sent: Sent) {
	let anvil = &anchored.anchor;
	let paid = async || -> u64 {
		let claimed = anchored.claim(sent.nonce).await.succeeded().json();
		let hundred = (100 * FLT).to_string();
		assert_eq!(claimed["minted"], hundred, "{claimed}");
		assert_eq!(claimed["balance"], hundred, "{claimed}");
		claimed["epoch"].as_u64().expect("a number")
	};
	let proven_behind = anvil.head().await;
	paid().await;
	take_back_from(anvil, proven_behind + 1).await;
	assert_eq!(anchored.both_sides().await, (0, 100 * FLT));
	anvil.resume().await;

	let block = paid().await;
	take_back_from(anvil, block).await;
	assert_eq!(anchored.both_sides().await, (0, 100 * FLT));
	anvil.resume().await;

	paid().await;
	let more = anchored.claim(sent.nonce).await.error();
	assert_eq!(more, (3, "NothingToClaim".into()));
	assert_eq!(anchored.both_sides().await, (100 * FLT, 100 * FLT));
}

/// Takes back all blocks from one on, which is not final. There is no other one until the anchor resumes.
async fn take_back_from(anvil: &Anvil, block: u64) {
	anvil.pause().await;
	sleep(UNDER_WAY).await;
	let last_final = anvil.finalized().await;
	assert!(last_final < block, "block {last_final} is final");
	let head = anvil.head().await;
	anvil.take_back(head + 1 - block).await;
	assert_eq!(anvil.head().await, head, "others are in their place");
}
