//! Whether workers report what they signed: after the reports of an epoch are in, some receipts of
//! each worker are looked for in its report.
//!
//! A worker that has left one out is told of here, in the log and the figures: to challenge it takes an
//! account, and is what a watcher does.

use crate::App;
use millrace_client::web::Reach;
use millrace_primitives::{execution::SignedReceipt, peer::PeerId, H256};
use millrace_watcher::{look_in_report, Reported, Sources, Web};
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Looks for receipts of one epoch in the reports that stand at a block.
pub(crate) async fn check(
	app: Arc<App>,
	block: H256,
	sample: BTreeMap<PeerId, Vec<SignedReceipt>>,
	cancel: CancellationToken,
) {
	let reach = match app.config.limits.allow_private_endpoints {
		true => Reach::Anywhere,
		false => Reach::Public,
	};
	let sources = Sources::new(app.chain.clone(), Web::new(reach));
	for receipt in sample.values().flatten() {
		tokio::select! {
			() = cancel.cancelled() => return,
			() = check_one(&app, &sources, block, receipt) => {},
		}
	}
}

async fn check_one(app: &App, sources: &Sources, block: H256, signed: &SignedReceipt) {
	let looked = async {
		let view = app.chain.at(block).await?;
		look_in_report(&view, sources, signed).await
	};
	let receipt = &signed.receipt;
	let (peer, epoch, seq) = (receipt.peer, receipt.epoch, receipt.seq);
	let outcome = match looked.await {
		Ok(reported) => outcome(&reported),
		Err(error) => {
			tracing::warn!(%peer, epoch, seq, %error, "a receipt was not looked for");
			return;
		}
	};
	app.metrics
		.checked_receipts
		.with_label_values(&[outcome])
		.inc();
	match outcome {
		REPORTED => {}
		OMITTED => tracing::warn!(
			%peer,
			epoch,
			seq,
			deal = receipt.deal,
			"a worker has left a receipt out of its report; a gateway with [watch] challenges it"
		),
		_ => tracing::info!(%peer, epoch, seq, outcome, "a receipt is not shown in a report"),
	}
}

const REPORTED: &str = "reported";
const OMITTED: &str = "omitted";

/// What came of it, in figures.
fn outcome(reported: &Reported) -> &'static str {
	match reported {
		Reported::Stands => REPORTED,
		Reported::LeftOut(_) => OMITTED,
		Reported::NoReport => "unreported",
		Reported::Unproven(_) | Reported::Unknown => "unproven",
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::verify::tests::sign;
	use millrace_client::PeerKeypair;
	use millrace_primitives::{
		challenge::Evidence,
		execution::{CallStatus, Request},
		report::Report,
	};

	#[test]
	fn only_what_is_proven_is_an_omission() {
		let key = PeerKeypair::from_seed([1; 32], None);
		let receipt = sign(&key, &Request::default(), b"", CallStatus::Exited(0));
		let report = Report::empty(4);
		let left_out = Evidence::Omitted {
			receipt,
			report: report.clone(),
		};
		for (reported, expected) in [
			(Reported::Stands, "reported"),
			(Reported::LeftOut(Box::new(left_out)), "omitted"),
			(Reported::NoReport, "unreported"),
			(Reported::Unproven(Box::new(report)), "unproven"),
			(Reported::Unknown, "unproven"),
		] {
			assert_eq!(outcome(&reported), expected);
		}
	}
}
