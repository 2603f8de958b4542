//! Deposits of referenda, and what the treasury pays: `millrace gov deposit`, `refund`, `payout`.

use super::{get, status};
use crate::{
	arguments,
	context::Context,
	errors::{CliError, Result},
	ui,
};
use clap::Args;
use millrace_client::{amounts, calls, AccountId};
use millrace_primitives::{
	referenda::{ReferendumIndex, ReferendumPhase, ReferendumView},
	Balance, H256,
};
use serde_json::json;

/// Fields of `DecisionDepositPlaced`: referendum, who, amount.
pub(super) type Placed = (ReferendumIndex, AccountId, Balance);

/// Options of `gov refund`.
#[derive(Debug, Args)]
pub(crate) struct RefundArgs {
	/// The referendum.
	referendum: ReferendumIndex,
	/// Take the proposed call back too, with the deposit for its bytes: its hash, as `gov propose` told
	/// it. Only who gave the call can.
	#[arg(long, value_name = "HASH", value_parser = arguments::hash)]
	preimage: Option<H256>,
}

/// Places the deposit for a decision.
pub(super) async fn place(context: &Context, referendum: ReferendumIndex) -> Result<()> {
	let chain = context.chain().await?;
	let call = calls::governance::place_decision_deposit(referendum);
	let included = context.submit(&chain, call).await?;
	let amount = included
		.find::<Placed>("Referenda", "DecisionDepositPlaced")
		.map(|(_, _, amount)| amount);
	let view = chain.at(included.block).await?;
	let next = status::next(&get(&view, referendum).await?, view.block().number);
	let value = json!({
		"referendum": referendum,
		"block": included.block,
		"deposit": amount.map(|amount| amount.to_string()),
		"next": next,
	});
	context.emit(&value, || {
		ui::pairs([
			("referendum", referendum.to_string()),
			("deposit", amounts::format(amount.unwrap_or_default())),
			("next", next),
		])
	})
}

/// Which deposits of a referendum can be given back: that of its submission, that of its decision.
pub(super) fn refundable(view: &ReferendumView<AccountId>) -> (bool, bool) {
	let submission = matches!(
		view.phase,
		ReferendumPhase::Approved { .. } | ReferendumPhase::Cancelled { .. }
	);
	(
		submission && view.submission_deposit.is_some(),
		!view.phase.is_ongoing() && view.decision_deposit.is_some(),
	)
}

/// Gives deposits back.
pub(super) async fn refund(context: &Context, args: &RefundArgs) -> Result<()> {
	let referendum = args.referendum;
	let chain = context.chain().await?;
	let found = get(&chain.latest().await?, referendum).await?;
	let (submission, decision) = refundable(&found);
	let mut batch = Vec::new();
	if submission {
		batch.push(calls::governance::refund_submission_deposit(referendum));
	}
	if decision {
		batch.push(calls::governance::refund_decision_deposit(referendum));
	}
	batch.extend(args.preimage.map(calls::governance::unnote_preimage));
	if batch.is_empty() {
		let phase = status::phase_name(&found.phase);
		let message = format!("no deposit of referendum {referendum} can be given back: {phase}");
		return Err(CliError::not_found("no_deposit", message)
			.hint("that for a submission comes back if it is approved or cancelled alone"));
	}
	let included = context
		.submit(&chain, calls::utility::batch_all(batch))
		.await?;
	let submission = found.submission_deposit.filter(|_| submission);
	let decision = found.decision_deposit.filter(|_| decision);
	let value = json!({
		"referendum": referendum,
		"block": included.block,
		"submission_deposit": submission,
		"decision_deposit": decision,
		"preimage": args.preimage,
	});
	context.emit(&value, || {
		let rows = [("submission", &submission), ("decision", &decision)];
		let mut rows: Vec<_> = rows
			.into_iter()
			.filter_map(|(name, deposit)| {
				let deposit = deposit.as_ref()?;
				let amount = amounts::format(deposit.amount);
				Some((name, format!("{amount} to {}", deposit.who)))
			})
			.collect();
		rows.extend(args.preimage.map(|hash| ("preimage", format!("{hash:?}"))));
		ui::pairs(rows)
	})
}

/// Pays a spend out.
pub(super) async fn payout(context: &Context, spend: u32) -> Result<()> {
	let chain = context.chain().await?;
	let included = context
		.submit(&chain, calls::governance::payout(spend))
		.await?;
	let value = json!({ "spend": spend, "block": included.block });
	context.emit(&value, || format!("spend {spend} is paid out"))
}
