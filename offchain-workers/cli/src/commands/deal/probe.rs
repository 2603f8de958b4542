//! `millrace deal probe` and `fail-probe`: calls that are asked of a worker over the chain.

use super::changes::submit_and_show;
use crate::{
	arguments,
	context::Context,
	errors::{CliError, Result},
	ui,
};
use clap::Args;
use millrace_client::{amounts, calls, AccountId};
use millrace_primitives::{
	peer::PeerId,
	probe::{Moment, ProbeBody, MAX_PROBE_BYTES},
	Balance, DealId,
};
use serde_json::json;

/// Fields of `ProbeMade`: deal, peer, prober, bond, deadline.
type Made = (DealId, PeerId, AccountId, Balance, Moment);

/// Options of `deal probe`.
#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
	/// The deal.
	deal: DealId,
	/// Peer id or key file.
	#[arg(value_parser = arguments::peer)]
	peer: PeerId,
	/// Body of the request, which everybody can read on the chain; at most 4 KiB.
	#[arg(long, default_value = "")]
	body: String,
}

/// Options of `deal fail-probe`.
#[derive(Debug, Args)]
pub(crate) struct FailProbeArgs {
	/// The deal.
	deal: DealId,
	/// Peer id or key file.
	#[arg(value_parser = arguments::peer)]
	peer: PeerId,
}

/// Asks a call of a worker.
pub(super) async fn probe(context: &Context, args: ProbeArgs) -> Result<()> {
	let ProbeArgs { deal, peer, body } = args;
	let body = read_body(body)?;
	let chain = context.chain().await?;
	let call = calls::market::probe(deal, peer, &body);
	let included = context.submit(&chain, call).await?;
	let made: Option<Made> = included.find("Market", "ProbeMade");
	let (.., bond, deadline) = made.ok_or_else(|| {
		CliError::new(
			crate::errors::Kind::Failure,
			"not_encoded",
			"the chain does not say what became of the probe",
		)
		.hint("node and this tool are of different versions")
	})?;
	let value = json!({
		"deal": deal,
		"peer": peer,
		"block": included.block,
		"bond": bond.to_string(),
		"deadline": deadline,
	});
	context.emit(&value, || {
		let Moment { epoch, position } = deadline;
		ui::pairs([
			("asked", format!("{peer} in deal {deal}")),
			("bond", amounts::format(bond)),
			("until", format!("block {position} of epoch {epoch}")),
		])
	})
}

/// Decides a probe whose time is over, and shows the deal as it is then.
pub(super) async fn fail_probe(context: &Context, args: FailProbeArgs) -> Result<()> {
	let FailProbeArgs { deal, peer } = args;
	submit_and_show(context, deal, calls::market::fail_probe(deal, peer)).await
}

fn read_body(text: String) -> Result<ProbeBody> {
	text.into_bytes().try_into().map_err(|_| {
		let message = format!("--body is longer than {MAX_PROBE_BYTES} bytes");
		CliError::usage("body_too_large", message).hint("ask less: it lies on the chain")
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_body_is_as_long_as_the_chain_takes_it() {
		let longest = "x".repeat(MAX_PROBE_BYTES as usize);
		let body = read_body(longest.clone()).expect("it fits");
		assert_eq!(body.len(), longest.len());
		let error = read_body(format!("{longest}x")).expect_err("it is too long");
		assert_eq!(error.code, "body_too_large");
	}
}
