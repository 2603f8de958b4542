//! Measurements over real processes: `scripts/bench.sh bench` runs them. Each prints one JSON line.

use bytes::Bytes;
use http::Method;
use millrace_client::{calls, View};
use millrace_e2e::{
	binaries,
	deal::specification,
	eventually, guests,
	http::Answer,
	load::Load,
	measure::{median, ms, percentile},
	network::account,
	provider::{settle, EPOCHS},
	until, Deal, Gateway, Http, Network, Node, Process, Provider,
};
use millrace_primitives::{
	audit::AuditAnswer, execution::MAX_MEMORY_BYTES, report::Report, EpochIndex, H256,
};
use std::time::{Duration, Instant};

/// Rounds of calls; what is printed are medians over them.
const ROUNDS: usize = 5;
/// Calls of a round at each door.
const CALLS: usize = 200;
/// Audits whose blocks are measured, one an epoch.
const AUDITS: EpochIndex = 5;
/// Gas of a call: more than a thumbnail of the photo takes.
const GAS: u64 = 8_000_000_000;
/// Time between calls while audits are measured: enough receipts for each to open two.
const PERIOD: Duration = Duration::from_secs(1);
/// Latest position of an epoch from which it still sees plenty of calls.
const EARLY: u32 = 10;
/// Longest wait for anything that takes no epoch.
const SHORT: Duration = Duration::from_secs(60);

/// A provider with one worker, a gateway and a deal that the worker is paid for.
struct Served {
	provider: Provider,
	gateway: Gateway,
	deal: Deal,
	/// First paid epoch that was seen.
	epoch: EpochIndex,
	_workers: Vec<Process>,
}

async fn serve(network: &Network, units: u32, module: Vec<u8>) -> Served {
	let provider = Provider::register(network, "//Bob", 1, units).await;
	let workers = provider.start_workers(network).await;
	let gateway = Gateway::start(network).await;
	let package = gateway.upload(&network.http, module).await;
	let mut spec = specification(&package, 1);
	spec.limits.gas = GAS;
	spec.limits.memory_bytes = MAX_MEMORY_BYTES;
	let deal = Deal::create(network, &account("//Charlie"), &spec, 60).await;
	settle(network, &provider.ids(), provider.first_epoch).await;
	let epoch = deal.until_live(network, 1, EARLY).await;
	Served {
		provider,
		gateway,
		deal,
		epoch,
		_workers: workers,
	}
}

/// Latency of calls: a client on the same machine posts the photo to the thumbnail function, one
/// call after the other over a kept connection, in turns at the worker and through the gateway.
///
/// A call begins with the request and ends with the last byte of the response; the guest's run and
/// the receipt, which is on disk before the answer is sent, are inside. The network goes on meanwhile:
/// node, prover and gateway share the machine with the calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_invocation() {
	let network = Network::dev().await;
	let module = std::fs::read(binaries::guest("thumbnail")).expect("it can be read");
	let served = serve(&network, 1, module).await;
	let photo = std::fs::read(binaries::sample("photo.png")).expect("it can be read");
	let photo = Bytes::from(photo);
	let id = served.deal.id;
	let doors = [
		format!("{}/deals/{id}", served.provider.peers[0].url),
		served.gateway.deal(id),
	];

	let mut expected = None;
	for door in &doors {
		let answer = eventually("calls are answered", SHORT, async || {
			let answer = post(&network.http, door, &photo).await?;
			match answer.status {
				200 => Ok(answer),
				_ => Err(format!("{:?}", answer.error())),
			}
		})
		.await;
		let first = expected.get_or_insert(answer.body.clone());
		assert_eq!(*first, answer.body, "both doors lead to one function");
	}

	// By door, then by round.
	let (mut p50, mut p99) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
	for _ in 0..ROUNDS {
		let mut times = [Vec::new(), Vec::new()];
		for _ in 0..CALLS {
			for (door, times) in doors.iter().zip(&mut times) {
				let begun = Instant::now();
				let answer = post(&network.http, door, &photo).await;
				times.push(ms(begun.elapsed()));
				let answer = answer.expect("the door answers");
				assert_eq!(answer.status, 200, "{:?}", answer.error());
				assert_eq!(Some(&answer.body), expected.as_ref());
				assert!(answer.receipt().is_some(), "{:?}", answer.headers);
			}
		}
		for (door, times) in times.iter().enumerate() {
			p50[door].push(percentile(times, 50));
			p99[door].push(percentile(times, 99));
		}
	}
	println!(
		"{{\"measure\":\"invocation\",\"rounds\":{ROUNDS},\"calls\":{CALLS},\
		\"worker_p50_ms\":{:.2},\"worker_p99_ms\":{:.2},\
		\"gateway_p50_ms\":{:.2},\"gateway_p99_ms\":{:.2}}}",
		median(&p50[0]),
		median(&p99[0]),
		median(&p50[1]),
		median(&p99[1]),
	);
}

async fn post(http: &Http, url: &str, photo: &Bytes) -> Result<Answer, String> {
	http.send(Method::POST, url, "image/png", photo.clone())
		.await
}

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
	let follower = follow(&network).await;
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

	let mark = hex::encode(answer_mark(&network, &served).await);
	eventually(
		"the other node has followed",
		SHORT,
		async || match follower.rpc().finalized_number().await {
			height if height >= start => Ok(()),
			height => Err(format!("it is at {height}")),
		},
	)
	.await;
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

/// A second node, which only follows the chain and logs each import.
async fn follow(network: &Network) -> Node {
	let address = network.node.address().await;
	let options = [
		"--chain",
		"dev",
		"--bootnodes",
		&address,
		"--log",
		"sync::import-queue=trace",
	];
	let mut follower = Node::start(network.folder(), "follower", &options);
	follower.until_up().await;
	let rpc = follower.rpc();
	eventually("the other node follows", SHORT, async || {
		match rpc.number(rpc.best().await).await {
			0 => Err("it has no block yet".to_string()),
			_ => Ok(()),
		}
	})
	.await;
	follower
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

/// Bytes that the transaction of every answer of the peer holds, and no other: the indices of pallet
/// and call, then the peer.
async fn answer_mark(network: &Network, served: &Served) -> Vec<u8> {
	let peer = served.provider.peers[0].id();
	let answer = AuditAnswer {
		report: Report::empty(0),
		solutions: Default::default(),
		receipts: Default::default(),
	};
	let call = calls::capacity::answer_audit(peer, &answer, [0; 64]);
	let metadata = network.rpc.metadata().await;
	let mut bytes = call.encode(&metadata).expect("the runtime has answers");
	bytes.truncate(2 + 32);
	bytes
}

/// Milliseconds between the two lines of a node's log that frame the import of a block.
fn import_ms(log: &str, number: u32, hash: H256) -> f64 {
	// A hash is logged by its first and last bytes.
	let begins = format!("Block {number} ({hash}) has ");
	let ends = format!("Block imported successfully Some({number}) ({hash})");
	let mut begun = None;
	for line in log.lines() {
		if line.contains(&begins) {
			begun = time_of_day_ms(line);
		} else if line.contains(&ends) {
			let (Some(begun), Some(ended)) = (begun, time_of_day_ms(line)) else {
				break;
			};
			// Midnight may lie between the two.
			return f64::from((ended + DAY_MS - begun) % DAY_MS);
		}
	}
	panic!("the log does not show the import of block {number}");
}

const DAY_MS: u32 = 24 * 60 * 60 * 1_000;

/// The time in `2000-01-01 12:34:56.789 …`.
fn time_of_day_ms(line: &str) -> Option<u32> {
	let (clock, fraction) = line.split_whitespace().nth(1)?.split_once('.')?;
	let mut seconds = 0;
	for part in clock.split(':') {
		seconds = seconds * 60 + part.parse::<u32>().ok()?;
	}
	Some(seconds * 1_000 + fraction.parse::<u32>().ok()?)
}

#[test]
fn imports_are_read_from_a_log() {
	let hash = H256::repeat_byte(0xab);
	let log = format!(
		"2026-01-01 23:59:58.100 TRACE main sync::import-queue: Block 7 ({hash}) has 2 logs (…)\n\
		2026-01-01 23:59:59.900 TRACE main sync::import-queue: Block 7 ({hash}) has 2 logs (…)\n\
		2026-01-02 00:00:00.025 TRACE main sync::import-queue: \
		Block imported successfully Some(7) ({hash})\n"
	);
	assert_eq!(import_ms(&log, 7, hash), 125.0);
}
