//! RandomX caches of nodes: no block at the head of the chain waits for one, RPC calls neither fill
//! nor push one out, and old blocks are still executed.

use futures::{stream, StreamExt};
use millrace_client::{calls, View};
use millrace_e2e::{
	eventually,
	network::{folder, quick_chain},
	provider::{assert_audited, settle, EPOCHS},
	until, Network, Node, Provider, Rpc,
};
use millrace_primitives::{
	audit::AuditAnswer, epoch::Phase, peer::PeerId, report::Report, EpochIndex, H256,
};
use serde_json::json;
use std::time::Duration;

/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 24;
/// Longest wait for anything that takes no epoch.
const SHORT: Duration = Duration::from_secs(60);
/// Calls that are made of a node, and how many at a time.
const CALLS: usize = 200;
const AT_A_TIME: usize = 16;
/// Solutions that an answer opens.
const SOLUTIONS: f64 = 3.0;
/// What executes a transaction on top of a block.
const APPLY: &str = "BlockBuilder_apply_extrinsic";

const CACHES: &str = "millrace_randomx_caches";
const FILLS: &str = "millrace_randomx_fills_total";
const COLD_FILLS: &str = "millrace_randomx_cold_fills_total";
const HASHES: &str = "millrace_randomx_hashes_total";
const REFUSED: &str = "millrace_randomx_refused_total";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_block_waits_for_a_cache_and_rpc_calls_touch_none() {
	let folder = folder();
	let spec = quick_chain(folder.path(), EPOCH_BLOCKS);
	let chain = ["--chain", spec.as_str()];
	// Calls are made at blocks whose state others would have forgotten.
	let archive = [
		"--dev",
		"--state-pruning",
		"archive",
		"--blocks-pruning",
		"archive",
	];
	let node = Node::metered(folder.path(), "node", &[&chain[..], &archive].concat());
	let network = Network::around(folder, node).await;
	let address = network.node.address().await;
	let options = [&chain[..], &["--bootnodes", address.as_str()]].concat();
	let mut follower = Node::metered(network.folder(), "follower", &options);
	follower.until_up().await;
	let provider = Provider::register(&network, "//Bob", 1, 1).await;
	let _workers = provider.start_workers(&network).await;
	let (peer, first) = (provider.peers[0].id(), provider.first_epoch);

	// Two audits are answered and imported.
	let view = settle(&network, &[peer], first + 1).await;
	assert_audited(&view, peer, first + 1).await;
	until_at(&follower, &view).await;
	for node in [&network.node, &follower] {
		assert_eq!(node.metric(COLD_FILLS).await, 0.0);
		assert!(node.metric(HASHES).await >= 2.0 * SOLUTIONS);
		until_two_caches(node).await;
	}
	rpc_calls_neither_fill_nor_evict(&network, &view, peer, first + 3).await;

	// Killed where an answer may come at any block.
	let what = "audits are being answered";
	let epoch = until(&network.chain, what, EPOCHS, async |view: &View| {
		let status = view.epoch().await?;
		Ok((status.phase == Phase::Answer).then_some(status.info.index))
	})
	.await;
	follower.kill().await;
	follower.restart();
	follower.until_up().await;
	let view = settle(&network, &[peer], epoch - 1).await;
	assert_audited(&view, peer, epoch - 1).await;
	until_at(&follower, &view).await;
	let cold = follower.metric(COLD_FILLS).await;
	assert!(cold <= 2.0, "{cold} blocks have waited after the restart");

	// From the next epoch on it is as if nothing had happened.
	let view = settle(&network, &[peer], epoch).await;
	assert_audited(&view, peer, epoch).await;
	until_at(&follower, &view).await;
	assert_eq!(follower.metric(COLD_FILLS).await, cold);
	assert_eq!(network.node.metric(COLD_FILLS).await, 0.0);
	until_two_caches(&follower).await;

	// A node that comes late executes all answers again, under seeds that are long over.
	let mut late = Node::metered(network.folder(), "late", &options);
	late.until_up().await;
	eventually("the late node has caught up", SHORT, async || {
		let caches = late.metric(CACHES).await;
		assert!(caches <= 3.0, "{caches} caches");
		at(&late, &view).await
	})
	.await;
	assert!(late.metric(HASHES).await >= 4.0 * SOLUTIONS);
}

/// Has the peer's last answer up to a view executed again and again, in an epoch from this one on,
/// when its seed is over: no cache is filled or lost by it.
async fn rpc_calls_neither_fill_nor_evict(
	network: &Network,
	view: &View,
	peer: PeerId,
	epoch: EpochIndex,
) {
	let node = &network.node;
	let (answer, parent) = answer_of(network, view, peer).await;

	// On a slow machine they may last into the next epoch, whose cache is filled; then once more.
	for _ in 0..3 {
		// Its seed is over, those of the present are filled, and the next answer is yet to come.
		let what = "an early block of a later epoch";
		until(&network.chain, what, EPOCHS, async |view: &View| {
			let status = view.epoch().await?;
			let early = (3..=7).contains(&status.position);
			Ok((early && status.info.index >= epoch).then_some(()))
		})
		.await;
		until_two_caches(node).await;
		let begun = epoch_at_best(&network.rpc).await;
		let fills = node.metric(FILLS).await;
		execute_again_and_again(network, &answer, parent).await;
		let after = (node.metric(FILLS).await, node.metric(CACHES).await);
		if epoch_at_best(&network.rpc).await == begun {
			assert_eq!(after, (fills, 2.0));
			return;
		}
	}
	panic!("{CALLS} calls take longer than what is left of an epoch");
}

async fn epoch_at_best(rpc: &Rpc) -> EpochIndex {
	rpc.epoch(rpc.best().await).await.info.index
}

/// Has a transaction executed on top of a block by each method that there is; none is hashed for.
async fn execute_again_and_again(network: &Network, answer: &str, parent: H256) {
	let node = &network.node;
	let refused = node.metric(REFUSED).await;
	let params = json!([APPLY, answer, parent]);
	let outcomes: Vec<_> = stream::iter(0..CALLS)
		.map(|_| {
			let (rpc, params) = (network.rpc.clone(), params.clone());
			async move { rpc.result("state_call", params).await }
		})
		.buffer_unordered(AT_A_TIME)
		.collect()
		.await;
	for outcome in outcomes {
		let text = outcome.as_str().unwrap_or_default().to_string();
		assert!(text.starts_with("0x00"), "it was not executed: {text}");
	}
	let params = json!([parent, APPLY, answer]);
	let outcome = network.rpc.result("archive_v1_call", params).await;
	assert_eq!(outcome["success"], true, "{outcome}");
	let more = node.metric(REFUSED).await - refused;
	assert!(more >= CALLS as f64 + 1.0, "only {more} calls were refused");
}

/// The last answer of a peer up to a block, as it stands in its block, and that block's parent.
async fn answer_of(network: &Network, view: &View, peer: PeerId) -> (String, H256) {
	let empty = AuditAnswer {
		report: Report::empty(0),
		solutions: Default::default(),
		receipts: Default::default(),
	};
	let call = calls::capacity::answer_audit(peer, &empty, [0; 64]);
	let metadata = network.rpc.metadata().await;
	let mut mark = call.encode(&metadata).expect("the runtime has answers");
	// Indices of pallet and call, then the peer.
	mark.truncate(2 + 32);
	let mark = hex::encode(mark);
	for number in (1..=view.block().number).rev() {
		let block = network.rpc.block_hash(number).await;
		let block = block.expect("the block is final");
		let found = network.rpc.transactions(block).await;
		if let Some(answer) = found.into_iter().find(|text| text.contains(&mark)) {
			let parent = network.rpc.block_hash(number - 1).await;
			return (answer, parent.expect("the block is final"));
		}
	}
	panic!("no block has an answer of {peer}");
}

async fn until_two_caches(node: &Node) {
	// While the cache of a new epoch is filled there is one only.
	eventually("two caches are filled", SHORT, async || {
		let caches = node.metric(CACHES).await;
		(caches == 2.0)
			.then_some(())
			.ok_or_else(|| format!("there are {caches}"))
	})
	.await;
}

/// Waits until a node has finalised what a view shows.
async fn until_at(node: &Node, view: &View) {
	eventually("the other node has followed", SHORT, async || {
		at(node, view).await
	})
	.await;
}

async fn at(node: &Node, view: &View) -> Result<(), String> {
	match node.rpc().finalized_number().await {
		height if height >= view.block().number => Ok(()),
		height => Err(format!("it is at {height}")),
	}
}
