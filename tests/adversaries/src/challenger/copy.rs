//! Copying: whoever reveals shows everybody what it has found. Who copies it has committed later.

use super::{told, Challenger, PATIENCE};
use crate::fetch::Fetch;
use anyhow::{Context, Result};
use codec::{Decode, Encode};
use millrace_primitives::{
	challenge::{CaseId, Evidence},
	peer::PeerId,
	H256,
};
use serde_json::{json, Value};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Index of `reveal` among the calls of its pallet.
const REVEAL: u8 = 1;
/// Pause between two looks at the pool: many to a block.
const LOOK: Duration = Duration::from_millis(25);
/// Blocks before the first look that are read, too: a busy machine starts a program late.
const BEFORE: u64 = 16;

/// Challenges what the next reveal against a peer shows.
pub(super) async fn copy(challenger: &Challenger, rpc: &str, peer: PeerId) -> Result<Value> {
	let (case, evidence) = timeout(PATIENCE, seen(rpc, peer))
		.await
		.context("nobody has revealed anything")??;
	let included = challenger.press(&case, evidence.as_ref()).await?;
	Ok(told(&included))
}

/// Waits for a reveal: in the pool, or else in a block. Every block is read, also where blocks come
/// faster than looks.
async fn seen(rpc: &str, peer: PeerId) -> Result<(CaseId, Option<Evidence>)> {
	let fetch = Fetch::new();
	let mut next = None;
	loop {
		let pending = fetch
			.rpc(rpc, "author_pendingExtrinsics", json!([]))
			.await?;
		if let Some(found) = among(&pending, peer) {
			return Ok(found);
		}
		let best = height(&fetch.rpc(rpc, "chain_getHeader", json!([])).await?)?;
		let first = next.unwrap_or(best.saturating_sub(BEFORE));
		for number in first..=best {
			let hash = fetch
				.rpc(rpc, "chain_getBlockHash", json!([number]))
				.await?;
			let block = fetch.rpc(rpc, "chain_getBlock", json!([hash])).await?;
			if let Some(found) = among(&block["block"]["extrinsics"], peer) {
				return Ok(found);
			}
		}
		next = Some(best.saturating_add(1));
		sleep(LOOK).await;
	}
}

/// Height of a block by its header.
fn height(header: &Value) -> Result<u64> {
	let text = header["number"].as_str().context("a header has a number")?;
	Ok(u64::from_str_radix(text.trim_start_matches("0x"), 16)?)
}

/// What one of these transactions, in hexadecimal, reveals about a peer.
fn among(transactions: &Value, peer: PeerId) -> Option<(CaseId, Option<Evidence>)> {
	let texts = transactions.as_array().into_iter().flatten();
	texts
		.filter_map(Value::as_str)
		.filter_map(|text| hex::decode(text.trim_start_matches("0x")).ok())
		.find_map(|transaction| revealed(&transaction, peer))
}

/// What a transaction reveals about a peer, if it does. A call stands at the end of its transaction:
/// its index, then its arguments, of which the first begins with the peer.
fn revealed(transaction: &[u8], peer: PeerId) -> Option<(CaseId, Option<Evidence>)> {
	let name = peer.encode();
	(1..transaction.len()).find_map(|start| {
		let mut rest = transaction.get(start..)?;
		let is_reveal = transaction.get(start - 1) == Some(&REVEAL);
		if !is_reveal || !rest.starts_with(&name) {
			return None;
		}
		let (case, _, evidence) = <(CaseId, H256, Option<Evidence>)>::decode(&mut rest).ok()?;
		rest.is_empty().then_some((case, evidence))
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::challenge::Charge;

	#[test]
	fn a_reveal_is_read_from_a_transaction() {
		let peer = PeerId(H256::repeat_byte(7));
		let case = CaseId {
			peer,
			epoch: 4,
			charge: Charge::Replay,
			subject: H256::repeat_byte(9),
		};
		let transaction = |index: u8| {
			let mut bytes = vec![0x84, 0, 1, 2, 3, 44, index];
			(case, H256::zero(), Option::<Evidence>::None).encode_to(&mut bytes);
			bytes
		};
		assert_eq!(revealed(&transaction(REVEAL), peer), Some((case, None)));
		assert_eq!(revealed(&transaction(REVEAL), PeerId::default()), None);
		// Another call about the same peer, and one that goes on behind.
		assert_eq!(revealed(&transaction(REVEAL + 1), peer), None);
		let longer = [transaction(REVEAL), vec![0]].concat();
		assert_eq!(revealed(&longer, peer), None);
		assert_eq!(revealed(&[], peer), None);

		let text = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
		let list = json!([text(&longer), "no", text(&transaction(REVEAL))]);
		assert_eq!(among(&list, peer), Some((case, None)));
		assert_eq!(among(&Value::Null, peer), None);
	}

	#[test]
	fn a_height_is_read_from_a_header() {
		let read = |number: &str| height(&json!({ "number": number })).ok();
		assert_eq!(
			(read("0x1a"), read("0x"), read("x")),
			(Some(26), None, None)
		);
		assert!(height(&Value::Null).is_err());
	}
}
