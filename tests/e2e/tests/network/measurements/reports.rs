//! Reports that a real node takes in: full blocks of them, each of a peer with eight live deals.

use super::{
	import_ms,
	prepared::prepare,
	scene::{Group, Machine, LENGTHS, REPORTED},
	LOG_IMPORTS, SHORT,
};
use codec::{Compact, Decode};
use futures::future::join_all;
use millrace_client::calls;
use millrace_e2e::{
	eventually,
	measure::{median, percentile},
	network::{folder, subcommand_of_node},
	rpc::duty,
	Node, Rpc,
};
use millrace_primitives::H256;
use millrace_runtime::Runtime;
use serde_json::json;
use std::{collections::HashSet, time::Duration};

/// Providers, each with machines of its own.
const PROVIDERS: usize = 15;
/// Machines of each: a unit is idle, the others are at work.
const MACHINES: Group = Group {
	peers: 240,
	units: 9,
	deals: 8,
};
/// Clients that hand reports in at the same time.
const CLIENTS: usize = 32;
/// Times that the blocks are imported.
const IMPORTS: usize = 5;
/// Part of a block's weight from which on it counts as full, in hundredths.
const FULL: u64 = 90;
/// Full blocks that there must be.
const FULL_BLOCKS: usize = 3;
/// Time between the blocks of the mainnet, in seconds.
const SLOT: f64 = 3.0;
/// Longest wait for the end of the report window.
const WINDOW: Duration = Duration::from_secs(120);

/// A block that was exported.
struct Block {
	number: u32,
	hash: H256,
	reports: usize,
	weight: u64,
}

/// Reports a second that a node can take in: full blocks of them are written by one node, exported,
/// and imported by another one that has no network, no pool and no author beside it.
///
/// Each report settles the epoch before with eight deals. Times are differences of the time stamps
/// in the importing node's log, to the millisecond.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_reports() {
	let folder = folder();
	let prepared = prepare(folder.path(), &[MACHINES; PROVIDERS]);
	let chain = prepared.spec.display().to_string();
	let chain = ["--chain", &chain];
	let options = [&chain[..], &["--dev"]].concat();
	let mut node = Node::start(folder.path(), "node", &options);
	node.until_up().await;
	let rpc = node.rpc();
	let reports = signed(&rpc, &prepared.peers).await;

	// Before the first block the epoch to report is not over, and the pool may look at the block
	// before the best one.
	at_height(&rpc, 2, SHORT).await;
	let part = reports.len().div_ceil(CLIENTS);
	let clients = reports.chunks(part).map(|part| hand_in(&rpc, part));
	join_all(clients).await;
	let last = LENGTHS.report_window;
	at_height(&rpc, last + 1, WINDOW).await;
	let blocks = blocks_of(&rpc, &reports, last).await;
	node.kill().await;

	let file = folder.path().join("blocks").display().to_string();
	let to = last.to_string();
	let export = ["export-blocks", "--binary", "--to", &to, &file];
	node.command(&export).await.succeeded();
	let import = [&["import-blocks", "--binary", &file][..], &LOG_IMPORTS].concat();
	let mut logs = Vec::new();
	for number in 0..IMPORTS {
		let name = format!("import-{number}");
		let ran = subcommand_of_node(folder.path(), &name, &chain, &import).await;
		logs.push(ran.succeeded().stderr);
	}

	let limit = <Runtime as frame_system::Config>::BlockWeights::get().max_block;
	let is_full = |block: &&Block| block.weight >= limit.ref_time() / 100 * FULL;
	let full: Vec<&Block> = blocks.iter().filter(is_full).collect();
	let (mut times, mut each) = (Vec::new(), Vec::new());
	for block in &full {
		for log in &logs {
			let time = import_ms(log, block.number, block.hash);
			times.push(time);
			each.push(time / block.reports as f64);
		}
	}
	assert!(
		full.len() >= FULL_BLOCKS,
		"only {} blocks were full: {:?}",
		full.len(),
		blocks
			.iter()
			.map(|block| (block.number, block.reports, block.weight))
			.collect::<Vec<_>>()
	);
	let counts: Vec<f64> = full.iter().map(|block| block.reports as f64).collect();
	let (count, time) = (median(&counts), median(&times));
	println!(
		"{{\"measure\":\"reports\",\"full_blocks\":{},\"reports_per_block\":{count:.0},\
		\"per_second\":{:.1},\"import_p50_ms\":{time:.0},\"import_max_ms\":{:.0},\
		\"import_ms_per_report\":{:.3}}}",
		full.len(),
		count / SLOT.max(time / 1e3),
		percentile(&times, 100),
		median(&each),
	);
}

/// The peers' reports, as they are sent.
async fn signed(rpc: &Rpc, peers: &[Machine]) -> Vec<Vec<u8>> {
	let genesis = rpc.block_hash(0).await.expect("a chain has a genesis");
	let metadata = rpc.metadata().await;
	peers
		.iter()
		.map(|machine| {
			let (key, report) = (&machine.key, machine.report(REPORTED));
			let signature = key.sign_hash(report.hash(genesis, key.id()));
			let call = calls::capacity::report(key.id(), &report, signature);
			duty(&metadata, &call, 0)
		})
		.collect()
}

async fn hand_in(rpc: &Rpc, reports: &[Vec<u8>]) {
	for report in reports {
		let taken = rpc.submit(report).await;
		taken.unwrap_or_else(|fault| panic!("a report was refused: {fault:?}"));
	}
}

/// Waits until the best block has a height.
async fn at_height(rpc: &Rpc, height: u32, limit: Duration) {
	let what = format!("block {height}");
	eventually(&what, limit, async || {
		match rpc.number(rpc.best().await).await {
			number if number >= height => Ok(()),
			number => Err(format!("the best block is {number}")),
		}
	})
	.await;
}

/// The blocks up to a height; every report stands once in them.
async fn blocks_of(rpc: &Rpc, reports: &[Vec<u8>], last: u32) -> Vec<Block> {
	let text = |bytes: &Vec<u8>| format!("0x{}", hex::encode(bytes));
	let mut missing: HashSet<String> = reports.iter().map(text).collect();
	let mut blocks = Vec::new();
	for number in 1..=last {
		let hash = rpc.block_hash(number).await.expect("the block is there");
		let transactions = rpc.transactions(hash).await;
		let found = transactions
			.iter()
			.filter(|text| missing.remove(text.as_str()))
			.count();
		// The time stamp comes besides.
		assert_eq!(transactions.len(), found + 1, "in block {number}");
		blocks.push(Block {
			number,
			hash,
			reports: found,
			weight: weight(rpc, hash).await,
		});
	}
	assert!(missing.is_empty(), "{} reports are missing", missing.len());
	blocks
}

/// Picoseconds that all transactions and hooks took of a block.
async fn weight(rpc: &Rpc, block: H256) -> u64 {
	// twox_128("System"), twox_128("BlockWeight").
	let key = "0x26aa394eea5630e07c48ae0c9558cef734abf5cb34d6244378cddbf18e849d96";
	let found = rpc.result("state_getStorage", json!([key, block])).await;
	let text = found.as_str().unwrap_or_default();
	let bytes = hex::decode(text.trim_start_matches("0x")).expect("that is hexadecimal");
	// Of ordinary transactions, of duties, and of what must be done.
	type Weight = (Compact<u64>, Compact<u64>);
	let classes = <[Weight; 3]>::decode(&mut &bytes[..]).expect("three classes are kept");
	classes.iter().map(|(time, _)| time.0).sum()
}
