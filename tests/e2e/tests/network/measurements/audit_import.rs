//! Time in which a node takes in blocks with audit answers.

use super::{import_ms, miner::Miner, serve, until_it_follows, Served, LOG_IMPORTS, SHORT};
use futures::future::join_all;
use millrace_client::{calls, Call, View};
use millrace_e2e::{
	eventually, guests,
	load::Load,
	measure::{median, percentile},
	network::folder,
	provider::EPOCHS,
	rpc::duty,
	spec, until, Network, Node, Provider, Rpc,
};
use millrace_primitives::{
	audit::AuditAnswer, epoch::EpochLengths, peer::PeerId, report::Report, EpochIndex, H256,
};
use serde_json::json;
use std::time::Duration;
use subxt::Metadata;
use tokio::time::sleep;

/// Audits whose blocks are measured, one an epoch.
const AUDITS: EpochIndex = 5;
/// Time between calls while audits are measured: enough receipts for each to open two.
const PERIOD: Duration = Duration::from_secs(1);
/// Answers that one block is to hold.
const TOGETHER: usize = 4;
/// Blocks with so many that are measured, one an epoch at most.
const BLOCKS: usize = 5;
/// Epochs in which that many must be found.
const TRIED: EpochIndex = 12;
/// Time between slots, as on the mainnet: four answers fit into a block of half of it.
const SLOT_MS: u64 = 3_000;
/// Short epochs of it, with two blocks in which nobody is drawn any more.
const LENGTHS: EpochLengths = EpochLengths {
	len: 14,
	report_window: 3,
	fold_window: 1,
	answer_window: 6,
};
/// Longest wait for the pool to have seen a block.
const BLOCK: Duration = Duration::from_secs(3);
/// Pause between two looks at the best block.
const PAUSE: Duration = Duration::from_millis(50);
/// Blocks whose import waited for a RandomX cache.
const COLD_FILLS: &str = "millrace_randomx_cold_fills_total";

/// Time in which a node that does not author takes in a block with an audit answer, from the first
/// look at its header to the end of its import: verification, execution and writing.
///
/// The node gets its blocks from the network and has RandomX caches filled ahead, as any node that
/// follows the chain. Each answer opens three solutions, which the import hashes again, and two
/// receipts. Times are differences of the time stamps in the node's log, to the millisecond. Blocks
/// of the same epochs that carry nothing but the time stamp are measured for comparison.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_audit_import() {
	let network = Network::dev().await;
	let follower = follow(&network, "dev").await;
	// Two units: one works for the deal, the other one is idle and owes four solutions.
	let served = serve(&network, 2, guests::echo()).await;
	let load = Load::start(&network.http, served.gateway.deal(served.deal.id), PERIOD);
	let last = served.epoch + AUDITS - 1;
	let (view, start, length) = until(
		&network.chain,
		"the answers are final",
		EPOCHS,
		async |view: &View| {
			let status = view.epoch().await?;
			let over = status.info.index > last + 1;
			let info = status.info;
			Ok(over.then(|| (view.clone(), info.start, info.lengths.len)))
		},
	)
	.await;
	load.finish().await;
	every_answer_holds(&served, &view, last).await;

	let metadata = network.rpc.metadata().await;
	let mark = answer_mark(&metadata, served.provider.peers[0].id());
	until_final(&follower, start).await;
	let log = follower.log();
	let (mut answers, mut empty) = (Vec::new(), Vec::new());
	for number in start - AUDITS * length..start {
		let hash = network.rpc.block_hash(number).await;
		let hash = hash.expect("the block is final");
		let transactions = network.rpc.transactions(hash).await;
		let found = transactions.iter().any(|text| text.contains(&mark));
		if found {
			answers.push(import_ms(&log, number, hash));
		} else if transactions.len() == 1 {
			empty.push(import_ms(&log, number, hash));
		}
	}
	assert_eq!(answers.len(), AUDITS as usize, "one answer an epoch");
	println!(
		"{{\"measure\":\"audit_import\",\"answers\":{},\"p50_ms\":{:.0},\"max_ms\":{:.0},\
		\"empty_blocks\":{},\"empty_p50_ms\":{:.0}}}",
		answers.len(),
		median(&answers),
		percentile(&answers, 100),
		empty.len(),
		median(&empty),
	);
}

/// The same with four answers in one block, at the mainnet's slots.
///
/// Four peers of one unit hand their answers in together, right after a block: each opens three
/// solutions and no receipts. No import waits for a cache.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_audit_import_four() {
	let folder = folder();
	let patch = json!({ "timing": { "slotMs": SLOT_MS }, "epochs": { "lengths": LENGTHS } });
	let chain = spec::patched(folder.path(), "dev", "four", &patch);
	let chain = chain.display().to_string();
	let node = Node::start(folder.path(), "node", &["--dev", "--chain", &chain]);
	let network = Network::around(folder, node).await;
	let follower = follow(&network, &chain).await;
	let provider = Provider::register(&network, "//Bob", TOGETHER, 1).await;
	let (full, empty) = mine(&network, &provider).await;

	let last = full.last().map_or(0, |(number, _)| *number);
	until_final(&follower, last).await;
	let view = network.chain.latest().await.expect("the node is up");
	for peer in provider.ids() {
		let commitment = view.commitment(peer).await.expect("it can be read");
		let commitment = commitment.expect("it is committed");
		assert_eq!(commitment.slashed, 0, "of {peer}");
	}
	let cold = follower.metric(COLD_FILLS).await;
	assert_eq!(cold, 0.0, "imports have waited for a cache");
	let log = follower.log();
	let time = |(number, hash): &(u32, H256)| import_ms(&log, *number, *hash);
	let answers: Vec<f64> = full.iter().map(time).collect();
	let empty: Vec<f64> = empty.iter().map(time).collect();
	let (p50, nothing) = (median(&answers), median(&empty));
	println!(
		"{{\"measure\":\"audit_import_4\",\"blocks\":{},\"p50_ms\":{p50:.0},\"max_ms\":{:.0},\
		\"empty_blocks\":{},\"empty_p50_ms\":{nothing:.0},\"ms_per_answer\":{:.1}}}",
		answers.len(),
		percentile(&answers, 100),
		empty.len(),
		(p50 - nothing) / TOGETHER as f64,
	);
}

/// Does what all peers of a provider owe, until enough blocks hold an answer of each. Gives those, and
/// the ones that hold nothing but the time stamp.
async fn mine(network: &Network, provider: &Provider) -> (Vec<(u32, H256)>, Vec<(u32, H256)>) {
	let (rpc, chain) = (&network.rpc, &network.chain);
	let metadata = &rpc.metadata().await;
	let peers = provider.ids().into_iter();
	let marks: Vec<String> = peers.map(|peer| answer_mark(metadata, peer)).collect();
	let mut miners: Vec<Miner<'_>> = provider
		.peers
		.iter()
		.map(|peer| Miner::start(network.folder(), &peer.key))
		.collect();
	let (mut full, mut empty, mut last) = (Vec::new(), Vec::new(), H256::zero());
	while full.len() < BLOCKS {
		sleep(PAUSE).await;
		let best = rpc.best().await;
		if best == last {
			continue;
		}
		last = best;
		let view = chain.at(best).await.expect("the block is there");
		let duties = miners.iter_mut().map(|miner| miner.due(&view));
		let due: Vec<_> = join_all(duties).await.into_iter().flatten().collect();
		let sent = due.iter().map(|call| hand_in(rpc, metadata, call));
		join_all(sent).await;

		let transactions = rpc.transactions(best).await;
		let is_there = |mark: &String| transactions.iter().any(|text| text.contains(mark));
		let block = (view.block().number, best);
		if marks.iter().all(is_there) {
			full.push(block);
		} else if transactions.len() == 1 {
			empty.push(block);
		}
		let status = view.epoch().await.expect("the clock can be read");
		assert!(
			status.info.index <= provider.first_epoch + TRIED,
			"only {} blocks held {TOGETHER} answers",
			full.len()
		);
	}
	(full, empty)
}

/// Hands a duty in. The pool may look at the block before the best one for a moment, and refuses it as
/// long as it does; other bytes are another transaction to it.
async fn hand_in(rpc: &Rpc, metadata: &Metadata, call: &Call) {
	let mut nonce = 0;
	eventually("a duty is taken", BLOCK, async || {
		nonce += 1;
		let sent = rpc.submit(&duty(metadata, call, nonce)).await;
		sent.map_err(|fault| format!("{fault:?}"))
	})
	.await;
}

/// A second node, which only follows the chain and logs each import.
async fn follow(network: &Network, chain: &str) -> Node {
	let address = network.node.address().await;
	let options = [
		&["--chain", chain, "--bootnodes", &address][..],
		&LOG_IMPORTS,
	];
	let mut follower = Node::metered(network.folder(), "follower", &options.concat());
	until_it_follows(&mut follower).await;
	follower
}

/// Waits until a node has finalised a block.
async fn until_final(node: &Node, number: u32) {
	eventually("the other node has followed", SHORT, async || {
		match node.rpc().finalized_number().await {
			height if height >= number => Ok(()),
			height => Err(format!("it is at {height}")),
		}
	})
	.await;
}

/// What is measured was whole: each audit opened two receipts, and none failed.
async fn every_answer_holds(served: &Served, view: &View, last: EpochIndex) {
	let peer = served.provider.peers[0].id();
	for epoch in served.epoch..=last {
		let opened = view.opened(peer, epoch).await.expect("it can be read");
		assert_eq!(opened.len(), 2, "receipts opened of epoch {epoch}");
	}
	let commitment = view.commitment(peer).await.expect("it can be read");
	assert_eq!(commitment.expect("it is committed").slashed, 0);
}

/// What the transaction of every answer of a peer holds as hexadecimal, and no other: the indices of
/// pallet and call, then the peer.
fn answer_mark(metadata: &Metadata, peer: PeerId) -> String {
	let answer = AuditAnswer {
		report: Report::empty(0),
		solutions: Default::default(),
		receipts: Default::default(),
	};
	let call = calls::capacity::answer_audit(peer, &answer, [0; 64]);
	let mut bytes = call.encode(metadata).expect("the runtime has answers");
	bytes.truncate(2 + 32);
	hex::encode(bytes)
}
