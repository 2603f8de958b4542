//! Receipts as anybody can check them.

use crate::{Network, Peer};
use millrace_client::{receipts, ReceiptProof, View};
use millrace_primitives::{execution::SignedReceipt, report::Report, EpochIndex};

/// Asks a worker for the proof of a receipt; the error is status and code.
pub async fn proof(
	network: &Network,
	peer: &Peer,
	epoch: EpochIndex,
	seq: u32,
) -> Result<ReceiptProof, (u16, String)> {
	let url = format!("{}/receipts/{epoch}/{seq}", peer.url);
	let answer = network.http.get(&url).await.expect("the worker answers");
	match answer.status {
		200 => Ok(serde_json::from_slice(&answer.body).expect("that is a proof")),
		_ => Err(answer.error()),
	}
}

/// The report of a peer that answered calls in an epoch, and all its receipts, each checked against
/// the chain: none is missing from 0 up to what the chain knows of. Nothing if there were no calls.
pub async fn reported(
	network: &Network,
	view: &View,
	peer: &Peer,
	epoch: EpochIndex,
) -> Option<(Report, Vec<SignedReceipt>)> {
	let first = match proof(network, peer, epoch, 0).await {
		Ok(first) => first,
		Err(error) => {
			assert_eq!(
				error,
				(404, "receipt_unknown".into()),
				"{} epoch {epoch}",
				peer.id()
			);
			return None;
		}
	};
	let report = first.report;
	let mut all = Vec::new();
	for seq in 0..report.receipts {
		let proof = proof(network, peer, epoch, seq).await;
		let proof = proof.unwrap_or_else(|error| panic!("{seq} of epoch {epoch}: {error:?}"));
		assert_eq!(proof.report, report, "there is one report of an epoch");
		let receipt = &proof.receipt.receipt;
		assert_eq!(
			(receipt.seq, receipt.epoch, receipt.peer),
			(seq, epoch, peer.id())
		);
		receipts::verify(view, &proof)
			.await
			.unwrap_or_else(|error| panic!("{seq} of epoch {epoch}: {error}"));
		all.push(proof.receipt);
	}
	let beyond = proof(network, peer, epoch, report.receipts).await;
	assert_eq!(
		beyond.expect_err("that is one more"),
		(404, "receipt_unknown".into())
	);
	let gas: u64 = all.iter().map(|signed| signed.receipt.gas).sum();
	let calls: u32 = report.served.iter().map(|served| served.calls).sum();
	let billed: u64 = report.served.iter().map(|served| served.gas).sum();
	assert_eq!(
		(calls, billed),
		(report.receipts, gas),
		"calls and gas are those of the receipts"
	);
	Some((report, all))
}
