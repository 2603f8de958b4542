//! Four validators on this machine: finality goes on when one of them is killed, and it catches up
//! when it comes back.
//!
//! A part of the test of [`crate::equivocation`], which waits for a session meanwhile.

use millrace_e2e::{eventually, Node, Rpc};
use millrace_primitives::H256;
use serde_json::{json, Value};
use std::time::Duration;

/// Longest wait until a network has found together, or for some more finalised blocks.
const START: Duration = Duration::from_secs(120);

/// Waits until four validators know each other and have finalised the same blocks.
pub(super) async fn until_together(rpcs: &[Rpc]) {
	for rpc in rpcs {
		eventually("a validator has three peers", START, async || {
			let health = rpc.result("system_health", json!([])).await;
			match health["peers"].as_u64() {
				Some(3..) => Ok(()),
				_ => Err(health.to_string()),
			}
		})
		.await;
	}
	let height = until_finalized(rpcs, 5).await;
	assert_one_chain(rpcs, height).await;
}

/// Kills one of four validators: finality goes on without it, and it catches up. It must not be the
/// first one, through which the others found each other.
pub(super) async fn finality_goes_on_without_one_and_it_catches_up(
	victim: &mut Node,
	rest: &[Rpc],
) {
	let back = victim.rpc();
	victim.kill().await;
	let error = back.try_call("system_health", json!([])).await;
	assert!(error.is_err(), "a killed node does not answer: {error:?}");
	let killed_at = highest(rest).await;
	// More than what may have been voted for by all four before.
	let height = until_finalized(rest, killed_at + 10).await;
	assert_one_chain(rest, height).await;
	let authors = authors(&rest[0], killed_at + 1, height).await;
	assert!(authors.len() >= 2, "several validators author: {authors:?}");

	victim.restart();
	victim.until_up().await;
	let all = [rest, &[back][..]].concat();
	let present = highest(rest).await;
	let height = until_finalized(&all, present + 5).await;
	assert_one_chain(&all, height).await;
	// What was final before the kill is final on all of them still.
	assert_one_chain(&all, killed_at).await;
}

/// Waits until all nodes have finalised a height; gives it back.
async fn until_finalized(rpcs: &[Rpc], height: u32) -> u32 {
	let what = format!("{} nodes have finalised block {height}", rpcs.len());
	eventually(&what, START, async || {
		let mut heights = Vec::new();
		for rpc in rpcs {
			heights.push(rpc.finalized_number().await);
		}
		match heights.iter().all(|found| *found >= height) {
			true => Ok(()),
			false => Err(format!("they are at {heights:?}")),
		}
	})
	.await;
	height
}

async fn highest(rpcs: &[Rpc]) -> u32 {
	let mut highest = 0;
	for rpc in rpcs {
		highest = highest.max(rpc.finalized_number().await);
	}
	highest
}

/// All nodes have the same block at a height.
async fn assert_one_chain(rpcs: &[Rpc], height: u32) {
	let mut hashes: Vec<Option<H256>> = Vec::new();
	for rpc in rpcs {
		hashes.push(rpc.block_hash(height).await);
	}
	assert!(hashes[0].is_some(), "block {height} is there");
	assert!(
		hashes.iter().all(|hash| *hash == hashes[0]),
		"at {height}: {hashes:?}"
	);
}

/// Who authored the blocks of a range: the index in BABE's pre-digest.
async fn authors(rpc: &Rpc, from: u32, to: u32) -> std::collections::BTreeSet<u32> {
	let mut authors = std::collections::BTreeSet::new();
	for number in from..=to {
		let hash = rpc.block_hash(number).await.expect("the block is final");
		let header = rpc.result("chain_getHeader", json!([hash])).await;
		let logs = header["digest"]["logs"]
			.as_array()
			.cloned()
			.unwrap_or_default();
		let author = logs.iter().find_map(babe_author);
		authors.insert(author.unwrap_or_else(|| panic!("block {number} has no author: {header}")));
	}
	authors
}

/// A pre-runtime digest (6) of BABE: engine, length, kind of slot, then the author's index.
fn babe_author(log: &Value) -> Option<u32> {
	let bytes = hex::decode(log.as_str()?.strip_prefix("0x")?).ok()?;
	let item = bytes.strip_prefix(b"\x06BABE")?;
	// The item is longer than 63 bytes, so its length takes two.
	let index = item.get(3..7)?.try_into().ok()?;
	Some(u32::from_le_bytes(index))
}
