//! Slashes that wait: `millrace peer slashes` and `apply-slash`.

use super::epoch;
use crate::{
	commands::deal::missing_event,
	context::Context,
	errors::{CliError, Result},
	ui,
};
use millrace_client::{amounts, calls};
use millrace_primitives::{commitment::SlashId, peer::PeerId, Balance};
use serde_json::json;

/// Fields of `SlashApplied`: peer, slash, burnt, to the reporter, to whoever pushed it.
type Applied = (PeerId, SlashId, Balance, Balance, Balance);

/// Lists the slashes of a peer that wait.
pub(super) async fn list(context: &Context, peer: PeerId) -> Result<()> {
	let view = context.chain().await?.latest().await?;
	let slashes = view.slashes(peer).await?;
	if slashes.is_empty() && view.peer(peer).await?.is_none() {
		let message = format!("no peer {peer} is registered");
		return Err(CliError::not_found("peer_unknown", message));
	}
	context.emit(&json!({ "peer": peer, "slashes": slashes }), || {
		let rows = slashes.iter().map(|slash| {
			vec![
				slash.slash.to_string(),
				epoch(slash.epoch),
				amounts::format(slash.amount),
				epoch(slash.due),
			]
		});
		ui::table(["slash", "for", "amount", "can be applied from"], rows)
	})
}

/// Lets one of them happen.
pub(super) async fn apply(context: &Context, peer: PeerId, slash: SlashId) -> Result<()> {
	let chain = context.chain().await?;
	let call = calls::capacity::apply_slash(peer, slash);
	let included = context.submit(&chain, call).await?;
	let (_, _, burnt, reporter, bounty): Applied = included
		.find("Capacity", "SlashApplied")
		.ok_or_else(|| missing_event("SlashApplied"))?;
	let value = json!({
		"peer": peer,
		"slash": slash,
		"block": included.block,
		"burnt": burnt.to_string(),
		"reporter": reporter.to_string(),
		"bounty": bounty.to_string(),
	});
	context.emit(&value, || {
		ui::pairs([
			("burnt", amounts::format(burnt)),
			("to its reporter", amounts::format(reporter)),
			("bounty", amounts::format(bounty)),
		])
	})
}
