//! Where contract and chain stand with each other.

use super::Servers;
use crate::{context::Context, errors::Result, ui};
use millrace_anchor::ours;
use millrace_client::amounts;
use serde_json::json;

/// Shows it.
pub(super) async fn status(context: &Context, servers: &Servers) -> Result<()> {
	let chain = context.chain().await?;
	let opened = servers.open(&chain).await?;
	let contract = &opened.contract;
	let view = chain.latest().await?;
	let ours = view.anchor().await?;
	let theirs = contract.status().await?;
	let sets = contract.authority_sets().await?;
	let final_block = contract.reads().finalized().await?;
	let signed = ours::newest(&chain).await?;
	let signed_block = signed.as_ref().map(|signed| signed.number);
	let set = signed.as_ref().map(|signed| signed.signed.commitment.set);
	let age = contract.reads().age(theirs.last_epoch).await.ok();
	let minted = contract.flt_balance(None).await?;
	let outflow = contract.number("outflowAvailable").await?;
	let lag = view.block().number.saturating_sub(theirs.latest_block);
	let behind = set.map(|set| set.saturating_sub(theirs.set_id));
	let payer = match &opened.sender {
		Some(sender) => {
			let balance = contract.reads().balance(sender.account()).await?;
			Some((sender.account(), balance.to_string()))
		}
		None => None,
	};
	let value = json!({
		"contract": {
			"address": contract.address(),
			"chain_id": opened.chain_id,
			"status": theirs,
			"sets": sets,
			"minted": minted.to_string(),
			"outflow_available": outflow.to_string(),
		},
		"chain": ours,
		"finalized_block": view.block().number,
		"finalized_epoch": final_block.number,
		"signed_block": signed_block,
		"set_id": set,
		"lag_blocks": lag,
		"sets_behind": behind,
		"checkpoint_age_seconds": age,
		"payer": payer.as_ref().map(|(account, balance)| json!({
			"address": account,
			"balance": balance,
		})),
	});
	context.emit(&value, || {
		let known = |number: Option<u64>| number.map_or("unknown".into(), |n| n.to_string());
		let waiting = theirs.nonce.saturating_sub(ours.taken.nonce);
		let mut rows = vec![
			(
				"contract",
				format!("{} on chain {}", contract.address(), opened.chain_id),
			),
			(
				"state",
				if theirs.frozen {
					"FROZEN".into()
				} else {
					"works".into()
				},
			),
			(
				"last checkpoint",
				format!(
					"block {}, {lag} blocks behind, {} s old",
					theirs.latest_block,
					known(age)
				),
			),
			(
				"set",
				format!("{}; the chain is in {}", theirs.set_id, known(set)),
			),
			(
				"signed up to",
				signed_block.map_or("nothing yet".into(), |block| format!("block {block}")),
			),
			(
				"sent to the anchor",
				format!("{} messages", ours.next_nonce),
			),
			(
				"from the anchor",
				format!("{} messages, {waiting} not taken yet", theirs.nonce),
			),
			("FLT there", amounts::format(minted)),
			("locked here for it", amounts::format(ours.there)),
			("can be minted now", amounts::format(outflow)),
		];
		if let Some(block) = ours.overdue_since {
			rows.push(("OVERDUE", format!("messages are late since block {block}")));
		}
		if let Some(block) = ours.paused_until {
			rows.push(("PAUSED", format!("until block {block}")));
		}
		if let Some((account, balance)) = &payer {
			rows.push((
				"pays",
				format!("{account} with {balance} of the smallest coin"),
			));
		}
		ui::pairs(rows)
	})
}
