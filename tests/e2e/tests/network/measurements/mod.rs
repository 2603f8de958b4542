//! Measurements over real processes: `scripts/bench.sh` runs them. Each prints one JSON line.

mod adjudication;
mod audit_import;
mod invocation;
mod miner;
mod prepared;
mod reports;
mod scene;

use millrace_e2e::{
	deal::specification, eventually, network::account, provider::settle, Deal, Gateway, Network,
	Node, Process, Provider,
};
use millrace_primitives::{execution::MAX_MEMORY_BYTES, EpochIndex, H256};
use std::time::Duration;

/// Gas of a call: more than a thumbnail of the photo takes.
const GAS: u64 = 8_000_000_000;
/// Latest position of an epoch from which it still sees plenty of calls.
const EARLY: u32 = 10;
/// Longest wait for anything that takes no epoch.
const SHORT: Duration = Duration::from_secs(60);
/// What a node logs so that [`import_ms`] can read it.
const LOG_IMPORTS: [&str; 2] = ["--log", "sync::import-queue=trace"];

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
	serve_with_gas(network, units, module, GAS).await
}

/// The same, with so much gas for each call.
async fn serve_with_gas(network: &Network, units: u32, module: Vec<u8>, gas: u64) -> Served {
	let provider = Provider::register(network, "//Bob", 1, units).await;
	let workers = provider.start_workers(network).await;
	let gateway = Gateway::start(network).await;
	let package = gateway.upload(&network.http, module).await;
	let mut spec = specification(&package, 1);
	spec.limits.gas = gas;
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

/// Waits until a node that follows the chain has its first block.
async fn until_it_follows(follower: &mut Node) {
	follower.until_up().await;
	let rpc = follower.rpc();
	eventually("the other node follows", SHORT, async || {
		match rpc.number(rpc.best().await).await {
			0 => Err("it has no block yet".to_string()),
			_ => Ok(()),
		}
	})
	.await;
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
