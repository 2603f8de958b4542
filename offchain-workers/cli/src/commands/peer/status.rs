//! `millrace peer status`: a machine, its commitment and what it owes.

use super::epoch;
use crate::{
	context::Context,
	errors::{CliError, Result},
	ui,
};
use millrace_client::{amounts, AccountId};
use millrace_primitives::{
	commitment::{RoundKind, RoundView, StakeView},
	market::WorkerStatus,
	peer::PeerId,
	views::{CommitmentStatus, CommitmentView, PeerDuties},
	H256,
};
use serde_json::json;

/// A name and what is shown beside it.
type Row = (&'static str, String);

/// Shows it at the last finalised block.
pub(super) async fn show(context: &Context, peer: PeerId) -> Result<()> {
	let view = context.chain().await?.latest().await?;
	let registered = view.peer(peer).await?.ok_or_else(|| {
		CliError::not_found("peer_unknown", format!("no peer {peer} is registered"))
	})?;
	let commitment = view.commitment(peer).await?;
	let round = view.round(peer).await?;
	let duties = view.duties(peer).await?;
	let endpoint = String::from_utf8_lossy(&registered.endpoint).into_owned();
	let value = json!({
		"peer": peer,
		"provider": registered.provider,
		"key": H256(registered.key),
		"endpoint": endpoint,
		"commitment": commitment,
		"round": round,
		"duties": duties,
	});
	context.emit(&value, || {
		let mut rows = vec![
			("peer", peer.to_string()),
			("provider", registered.provider.to_string()),
			("endpoint", endpoint.clone()),
			("key", format!("{:?}", H256(registered.key))),
			("epoch", duties.epoch.info.index.to_string()),
		];
		match &commitment {
			Some(commitment) => rows.extend(of_commitment(commitment)),
			None => rows.push(("commitment", "none".into())),
		}
		rows.extend(round.as_ref().map(of_round));
		rows.extend(of_duties(&duties));
		ui::pairs(rows)
	})
}

fn of_commitment(commitment: &CommitmentView<AccountId>) -> Vec<Row> {
	let mut rows = vec![
		("commitment", describe(&commitment.status)),
		("units", commitment.units.to_string()),
		("stake", amounts::format(commitment.stake)),
		("own stake", amounts::format(commitment.own)),
		("slashed", amounts::format(commitment.slashed)),
		("rewarded", amounts::format(commitment.rewarded)),
		("settled before", epoch(commitment.next_to_settle)),
		("failure score", score(commitment.score_permille)),
	];
	if commitment.waiting > 0 {
		let waiting = amounts::format(commitment.waiting);
		rows.push(("of the slashes wait", waiting));
	}
	for delegator in &commitment.delegators {
		rows.push(("delegated", stake(delegator)));
	}
	if !commitment.delegators.is_empty() {
		let commission = format!("{:?} of delegators' rewards", commitment.terms.commission);
		rows.push(("commission", commission));
	}
	for leaver in &commitment.leaving {
		rows.push(("leaving", stake(leaver)));
	}
	if let Some(change) = &commitment.change {
		let units = format!("{} units up to {}", change.units, epoch(change.end));
		rows.push(("agreed", format!("{units}, from {} on", epoch(change.at))));
	}
	if let Some(first) = commitment.withdrawable {
		rows.push(("withdrawable", format!("from {} on", epoch(first))));
	}
	rows
}

fn of_round(round: &RoundView<AccountId>) -> Row {
	let what = match round.terms.kind {
		RoundKind::Start => "start",
		RoundKind::Growth => "growth",
		RoundKind::Renewal => "extension",
	};
	if round.agreed {
		return ("round", format!("{what}: has all its stake"));
	}
	let missing = amounts::format(round.needed.saturating_sub(round.pledged));
	let deadline = epoch(round.deadline);
	let text = format!("{what}: {missing} is missing until the end of {deadline}");
	("round", text)
}

fn of_duties(duties: &PeerDuties) -> Vec<Row> {
	let mut rows = Vec::new();
	if let Some(work) = &duties.work {
		let solutions = work.rates.leaves(work.idle, work.busy);
		let (idle, busy) = (work.idle, work.busy);
		let owed = format!("{idle} idle, {busy} busy: {solutions} solutions");
		rows.push(("owes", owed));
	}
	if let Some(audit) = &duties.audit {
		let text = format!("{:?} ({})", audit.status, epoch(audit.epoch));
		rows.push(("audit", text));
	}
	for assignment in &duties.assignments {
		let state = match assignment.worker.status {
			WorkerStatus::Assigned { deadline } => format!("to go live by {}", epoch(deadline)),
			WorkerStatus::Live { since } => format!("live, paid from {}", epoch(since)),
			WorkerStatus::Draining { last, .. } => format!("leaves after {}", epoch(last)),
		};
		rows.push(("deal", format!("{} {state}", assignment.deal)));
	}
	rows
}

fn stake(view: &StakeView<AccountId>) -> String {
	format!("{} by {}", amounts::format(view.left), view.staker)
}

/// A failure score as a part of the limit.
fn score(permille: u32) -> String {
	format!("{}.{}% of the limit", permille / 10, permille % 10)
}

/// Where a commitment stands, in words.
pub(crate) fn describe(status: &CommitmentStatus) -> String {
	match status {
		CommitmentStatus::Pending { deadline } => {
			format!("waits for its stake until {}", epoch(*deadline))
		}
		CommitmentStatus::Active { start, end } => {
			format!("active from {} up to {}", epoch(*start), epoch(*end))
		}
		CommitmentStatus::Unbonding { until, failed } => {
			let how = if *failed { "failed" } else { "ended" };
			format!("{how}; unbonding until {}", epoch(*until))
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_score_is_shown_to_the_thousandth() {
		assert_eq!(score(0), "0.0% of the limit");
		assert_eq!(score(42), "4.2% of the limit");
		assert_eq!(score(1_000), "100.0% of the limit");
	}

	#[test]
	fn a_commitment_that_is_over_says_how() {
		for (failed, how) in [(false, "ended"), (true, "failed")] {
			let status = CommitmentStatus::Unbonding { until: 7, failed };
			assert_eq!(describe(&status), format!("{how}; unbonding until epoch 7"));
		}
	}
}
