//! `millrace gov status`: where referenda stand, and what became of those that were approved.

use super::{get, tracks::name_of, value};
use crate::{context::Context, errors::Result, ui};
use clap::Args;
use millrace_client::{amounts, calls::CallText, AccountId, Chain, Outcome, View};
use millrace_primitives::{
	referenda::{
		OngoingView, ReferendumIndex, ReferendumPhase, ReferendumView, TallyView, VotingRules,
		MAX_REFERENDA_PAGE,
	},
	Balance, BlockNumber,
};
use serde_json::{json, Value};
use sp_arithmetic::Perbill;

/// Options of `gov status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
	/// The referendum; those that go on without it.
	referendum: Option<ReferendumIndex>,
	/// Also those that are over.
	#[arg(long, conflicts_with = "referendum")]
	all: bool,
	/// Of the latest so many.
	#[arg(
		long,
		default_value_t = MAX_REFERENDA_PAGE,
		value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_REFERENDA_PAGE)),
		conflicts_with = "referendum"
	)]
	limit: u32,
}

/// Shows one or all.
pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<()> {
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let rules = view.voting_rules().await?;
	match args.referendum {
		Some(referendum) => {
			let found = get(&view, referendum).await?;
			let told = Told::of(&chain, &view, &rules, found).await?;
			context.emit(&told.json(&rules), || told.describe(&rules))
		}
		None => list(context, &chain, &view, &rules, args).await,
	}
}

async fn list(
	context: &Context,
	chain: &Chain,
	view: &View,
	rules: &VotingRules,
	args: &StatusArgs,
) -> Result<()> {
	let from = rules.referenda.saturating_sub(args.limit);
	let mut all = Vec::new();
	for found in view.referenda(from, args.limit).await? {
		if args.all || found.phase.is_ongoing() {
			all.push(Told::without_outcome(chain, view, found).await?);
		}
	}
	let rows: Vec<_> = all.iter().map(|told| told.json(rules)).collect();
	context.emit(&json!({ "referenda": rows }), || {
		let rows = all.iter().map(|told| {
			vec![
				told.view.referendum.to_string(),
				told.track(rules),
				phase_name(&told.view.phase).to_string(),
				told.proposal
					.as_ref()
					.map_or_else(String::new, Proposed::describe),
				told.next(),
			]
		});
		ui::table(["referendum", "track", "phase", "proposal", "next"], rows)
	})
}

/// Everything that is told of a referendum.
struct Told {
	view: ReferendumView<AccountId>,
	/// The block that it is told of.
	head: BlockNumber,
	proposal: Option<Proposed>,
	outcome: Option<Outcome>,
}

/// What a referendum proposes.
struct Proposed {
	text: Option<CallText>,
	/// The parameter that it sets, with the value as people write it.
	parameter: Option<(String, String)>,
	/// What is known where the call itself is not.
	otherwise: &'static str,
}

impl Proposed {
	async fn of(chain: &Chain, view: &View, ongoing: &OngoingView) -> Result<Self> {
		let text = chain.describe_call(&ongoing.call).await?;
		let sets = text
			.as_ref()
			.is_some_and(|text| text.to_string() == "Governed.set");
		let argument = ongoing.call.get(2..).unwrap_or_default();
		let parameters = match sets {
			true => view.parameters().await?,
			false => Vec::new(),
		};
		let parameter = parameters.iter().find_map(|info| {
			let value = value::in_argument(info, argument)?;
			Some((info.name.clone(), value::format(info, value)))
		});
		Ok(Self {
			text,
			parameter,
			otherwise: match (ongoing.has_preimage, ongoing.call.is_empty()) {
				(false, _) => "a call that nobody has given to the chain yet",
				(true, true) => "a long call",
				(true, false) => "a call that this runtime does not have",
			},
		})
	}

	fn describe(&self) -> String {
		if let Some((name, value)) = &self.parameter {
			return format!("{name} = {value}");
		}
		match &self.text {
			None => self.otherwise.into(),
			Some(text) => match &text.arguments {
				None => text.to_string(),
				Some(arguments) => {
					let arguments: Vec<_> = arguments
						.iter()
						.map(|(name, value)| format!("{name}: {value}"))
						.collect();
					format!("{text}({})", arguments.join(", "))
				}
			},
		}
	}

	fn json(&self, ongoing: &OngoingView) -> Value {
		let arguments = self.text.as_ref().and_then(|text| text.arguments.clone());
		let arguments = arguments.map(|all| {
			let all = all
				.into_iter()
				.map(|(name, value)| (name, Value::from(value)));
			Value::Object(all.collect())
		});
		let parameter = self.parameter.as_ref();
		json!({
			"hash": ongoing.proposal,
			"bytes": ongoing.proposal_bytes,
			"has_preimage": ongoing.has_preimage,
			"call": self.text.as_ref().map(CallText::to_string),
			"arguments": arguments,
			"parameter": parameter.map(|(name, value)| json!({ "name": name, "value": value })),
		})
	}
}

impl Told {
	async fn of(
		chain: &Chain,
		view: &View,
		rules: &VotingRules,
		found: ReferendumView<AccountId>,
	) -> Result<Self> {
		let outcome = match found.phase {
			ReferendumPhase::Approved { at, enacts: None } => {
				Some(chain.enactment(found.referendum, at, rules).await?)
			}
			_ => None,
		};
		let told = Self::without_outcome(chain, view, found).await?;
		Ok(Self { outcome, ..told })
	}

	async fn without_outcome(
		chain: &Chain,
		view: &View,
		found: ReferendumView<AccountId>,
	) -> Result<Self> {
		let proposal = match &found.ongoing {
			Some(ongoing) => Some(Proposed::of(chain, view, ongoing).await?),
			None => None,
		};
		Ok(Self {
			view: found,
			head: view.block().number,
			proposal,
			outcome: None,
		})
	}

	fn track(&self, rules: &VotingRules) -> String {
		let ongoing = self.view.ongoing.as_ref();
		ongoing.map_or_else(String::new, |ongoing| name_of(rules, ongoing.track))
	}

	fn next(&self) -> String {
		next(&self.view, self.head)
	}

	fn json(&self, rules: &VotingRules) -> Value {
		let view = &self.view;
		let ongoing = view.ongoing.as_ref();
		let proposal = self.proposal.as_ref().zip(ongoing);
		let track = ongoing.map(|ongoing| name_of(rules, ongoing.track));
		json!({
			"referendum": view.referendum,
			"block": self.head,
			"track": track,
			"phase": view.phase,
			"ongoing": view.phase.is_ongoing(),
			"next": self.next(),
			"changes": changes(&view.phase),
			"submitted": ongoing.map(|ongoing| ongoing.submitted),
			"proposal": proposal.map(|(proposal, ongoing)| proposal.json(ongoing)),
			"tally": ongoing.map(|ongoing| &ongoing.tally),
			"missing": ongoing.map(|ongoing| Missing::of(&ongoing.tally).json()),
			"submission_deposit": view.submission_deposit,
			"decision_deposit": view.decision_deposit,
			"enactment": self.enactment(),
		})
	}

	/// What became of what was approved, as JSON.
	fn enactment(&self) -> Value {
		let ReferendumPhase::Approved { enacts, .. } = self.view.phase else {
			return Value::Null;
		};
		match (&self.outcome, enacts) {
			(_, Some(block)) => json!({ "state": "waits", "block": block }),
			(Some(Outcome::Done { block, spends }), None) => {
				json!({ "state": "done", "block": block, "spends": spends })
			}
			(
				Some(Outcome::Failed {
					block,
					pallet,
					error,
					docs,
				}),
				None,
			) => json!({
				"state": "failed",
				"block": block,
				"error": format!("{pallet}.{error}"),
				"docs": docs,
			}),
			(Some(Outcome::NoPreimage { block }), None) => {
				json!({ "state": "no_preimage", "block": block })
			}
			(Some(Outcome::TooHeavy { block }), None) => {
				json!({ "state": "too_heavy", "block": block })
			}
			(Some(Outcome::Forgotten), None) => json!({ "state": "forgotten" }),
			// In a list it is not looked for.
			(None, None) => Value::Null,
		}
	}

	fn describe(&self, rules: &VotingRules) -> String {
		let view = &self.view;
		let mut rows = vec![
			("referendum", view.referendum.to_string()),
			("phase", phase_name(&view.phase).to_string()),
		];
		if let Some(ongoing) = &view.ongoing {
			rows.push(("track", name_of(rules, ongoing.track)));
			let proposal = self.proposal.as_ref();
			rows.push((
				"proposal",
				proposal.map_or_else(String::new, Proposed::describe),
			));
			if !ongoing.has_preimage {
				let hash = ongoing.proposal;
				rows.push((
					"preimage",
					format!("{hash:?} is not there: nothing can be enacted"),
				));
			}
			rows.push(("submitted", format!("block {}", ongoing.submitted)));
			rows.extend(of_tally(&ongoing.tally));
		}
		for (name, deposit) in [
			("submission deposit", &view.submission_deposit),
			("decision deposit", &view.decision_deposit),
		] {
			if let Some(deposit) = deposit {
				let amount = amounts::format(deposit.amount);
				rows.push((name, format!("{amount} of {}", deposit.who)));
			}
		}
		rows.extend(
			self.outcome
				.as_ref()
				.map(|outcome| ("enactment", of_outcome(outcome))),
		);
		rows.push(("next", self.next()));
		ui::pairs(rows)
	}
}

fn of_tally(tally: &TallyView) -> Vec<(&'static str, String)> {
	let Missing { ayes, support } = Missing::of(tally);
	let mut rows = vec![
		(
			"votes",
			format!(
				"{} in favour, {} against, with conviction",
				amounts::format(tally.ayes),
				amounts::format(tally.nays)
			),
		),
		(
			"approval",
			format!(
				"{:?} of {:?} needed now",
				tally.approval, tally.approval_needed
			),
		),
		(
			"support",
			format!(
				"{:?} of {:?} needed now: {} of {}",
				tally.supported,
				tally.support_needed,
				amounts::format(tally.support),
				amounts::format(tally.electorate)
			),
		),
	];
	match ayes {
		Some(0) => {}
		Some(ayes) => rows.push((
			"missing",
			format!("{} in favour, with conviction", amounts::format(ayes)),
		)),
		None => rows.push(("missing", "a lower threshold: somebody is against".into())),
	}
	if support > 0 {
		rows.push((
			"missing",
			format!("{} of support", amounts::format(support)),
		));
	}
	rows
}

/// What a referendum misses at this block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Missing {
	/// Votes in favour, weighed by conviction; `None`: no number of them is enough.
	ayes: Option<Balance>,
	/// FLT that votes in favour or abstains.
	support: Balance,
}

impl Missing {
	fn of(tally: &TallyView) -> Self {
		let support = tally
			.support_needed
			.mul_ceil(tally.electorate)
			.saturating_sub(tally.support);
		let needed = u128::from(tally.approval_needed.deconstruct());
		let rest = u128::from(Perbill::one().deconstruct()).saturating_sub(needed);
		let ayes = match (tally.approval >= tally.approval_needed, rest, tally.nays) {
			(true, ..) => Some(0),
			(false, 0, nays) if nays > 0 => None,
			(false, 0, _) => Some(1),
			(false, rest, nays) => {
				let total = nays.saturating_mul(needed).div_ceil(rest);
				Some(total.saturating_sub(tally.ayes).max(1))
			}
		};
		Self { ayes, support }
	}

	fn json(&self) -> Value {
		json!({
			"ayes": self.ayes.map(|ayes| ayes.to_string()),
			"support": self.support.to_string(),
		})
	}
}

/// One word for a phase.
pub(super) fn phase_name(phase: &ReferendumPhase) -> &'static str {
	match phase {
		ReferendumPhase::NeedsDeposit { .. } => "needs deposit",
		ReferendumPhase::Preparing { .. } => "preparing",
		ReferendumPhase::Queued { .. } => "queued",
		ReferendumPhase::Deciding { .. } => "deciding",
		ReferendumPhase::Confirming { .. } => "confirming",
		ReferendumPhase::Approved { .. } => "approved",
		ReferendumPhase::Rejected { .. } => "rejected",
		ReferendumPhase::Cancelled { .. } => "cancelled",
		ReferendumPhase::TimedOut { .. } => "timed out",
		ReferendumPhase::Killed { .. } => "killed",
	}
}

/// Block in which a phase ends if nobody votes otherwise.
fn changes(phase: &ReferendumPhase) -> Option<BlockNumber> {
	match phase {
		ReferendumPhase::NeedsDeposit { until }
		| ReferendumPhase::Preparing { until }
		| ReferendumPhase::Deciding { until, .. }
		| ReferendumPhase::Confirming { until, .. } => Some(*until),
		ReferendumPhase::Approved { enacts, .. } => *enacts,
		ReferendumPhase::Queued { .. }
		| ReferendumPhase::Rejected { .. }
		| ReferendumPhase::Cancelled { .. }
		| ReferendumPhase::TimedOut { .. }
		| ReferendumPhase::Killed { .. } => None,
	}
}

/// What comes next, and in how many blocks.
pub(super) fn next(view: &ReferendumView<AccountId>, head: BlockNumber) -> String {
	let at = |block: BlockNumber| match block.saturating_sub(head) {
		0 | 1 => "in the next block".to_string(),
		left => format!("in block {block}, in {left} blocks"),
	};
	let referendum = view.referendum;
	let tally = view.ongoing.as_ref().map(|ongoing| &ongoing.tally);
	match view.phase {
		ReferendumPhase::NeedsDeposit { until } => format!(
			"needs its deposit, `millrace gov deposit {referendum}`; without it dropped {}",
			at(until)
		),
		ReferendumPhase::Preparing { until } => format!("its decision begins {}", at(until)),
		ReferendumPhase::Queued { place } => {
			format!("waits for room on its track, at place {place}; more votes move it up")
		}
		ReferendumPhase::Deciding { until, .. } => {
			match tally.and_then(|tally| tally.passes_from) {
				Some(from) if from <= until => {
					format!("with these votes its confirmation begins {}", at(from))
				}
				_ => format!("rejected {}, unless votes change", at(until)),
			}
		}
		ReferendumPhase::Confirming { until, .. } => {
			format!("approved {}, unless votes change", at(until))
		}
		ReferendumPhase::Approved {
			enacts: Some(block),
			..
		} => format!("enacted {}", at(block)),
		_ if refundable(view) => {
			format!("over; `millrace gov refund {referendum}` gives the deposits back")
		}
		_ => "over".into(),
	}
}

/// Whether a deposit can be given back.
fn refundable(view: &ReferendumView<AccountId>) -> bool {
	let (submission, decision) = super::deposits::refundable(view);
	submission || decision
}

fn of_outcome(outcome: &Outcome) -> String {
	match outcome {
		Outcome::Done { block, spends } if spends.is_empty() => format!("done in block {block}"),
		Outcome::Done { block, spends } => {
			let commands: Vec<_> = spends
				.iter()
				.map(|spend| format!("`millrace gov payout {spend}`"))
				.collect();
			format!("done in block {block}; paid out by {}", commands.join(", "))
		}
		Outcome::Failed {
			block,
			pallet,
			error,
			docs,
		} => format!("FAILED in block {block}, and changed nothing: {pallet}.{error}: {docs}"),
		Outcome::NoPreimage { block } => {
			format!("FAILED in block {block}: nobody had given the call to the chain")
		}
		Outcome::TooHeavy { block } => {
			format!("FAILED in block {block}: the call is too heavy for any block")
		}
		Outcome::Forgotten => {
			"over; this node has dropped the state that tells how, ask one that keeps all".into()
		}
	}
}

#[cfg(test)]
mod tests;
