//! How soon a withdrawal can be claimed on the anchor: a measurement that is run by scripts/bench.sh.

use crate::anchored::{Anchored, HOLDER};
use millrace_e2e::measure::median;
use millrace_primitives::FLT;
use std::time::Instant;

/// Withdrawals, one after the other.
const WITHDRAWALS: u32 = 5;

/// From before a withdrawal is sent to behind the block of the anchor in which its FLT is minted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_anchor_claimable() {
	let mut anchored = Anchored::start().await;
	let mut seconds = Vec::new();
	for _ in 0..WITHDRAWALS {
		let begun = Instant::now();
		let nonce = anchored.withdraw("1 FLT").await.nonce.to_string();
		let claim = ["anchor", "claim", &nonce, "--wait", "120"];
		let claim = [&claim[..], &["--anchor-key", HOLDER]].concat();
		let claimed = anchored.anchor_tool(&claim).await.succeeded().json();
		seconds.push(begun.elapsed().as_secs_f64());
		assert_eq!(claimed["minted"], FLT.to_string(), "to the unit");
		anchored.relay.assert_running();
	}
	let slowest = seconds.iter().copied().fold(0.0, f64::max);
	println!(
		r#"{{"measure":"anchor_claimable","withdrawals":{WITHDRAWALS},"p50_seconds":{:.1},"max_seconds":{slowest:.1}}}"#,
		median(&seconds),
	);
}
