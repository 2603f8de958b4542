//! What a provider must do next: what nobody does for it, and where a worker is late with what it
//! should have done by itself.

use crate::errors::Result;
use millrace_client::{amounts, AccountId, View};
use millrace_primitives::{
	audit::{Audit, AuditStatus},
	commitment::{EarningsView, RoundKind, RoundView},
	epoch::{EpochStatus, Phase},
	market::WorkerStatus,
	peer::PeerId,
	views::{CommitmentStatus, CommitmentView, PeerView},
	Balance, DealId, EpochIndex,
};
use serde::Serialize;

/// Epochs before the end of a commitment from which on it is pointed to: a week of hours, which is the
/// notice that delegators have of a higher commission.
const END_IS_NEAR: u32 = 168;
/// Score, in thousandths of the limit, from which on it is pointed to.
const SCORE_IS_HIGH: u32 = 500;
/// Epochs without settlement after which a worker counts as silent: a report in each epoch settles the
/// one before the last.
const SILENT_EPOCHS: u32 = 3;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Step {
	/// The peer that it is about; none: the account.
	pub(super) peer: Option<PeerId>,
	/// Machine-readable name.
	pub(super) code: &'static str,
	/// What there is, in words.
	pub(super) why: String,
	/// What does it, with capitals where something is to be filled in.
	pub(super) command: String,
	/// Last epoch in which it helps.
	pub(super) until: Option<EpochIndex>,
}

/// A deal that a peer is to go live in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Awaited {
	deal: DealId,
	deadline: EpochIndex,
	bond: Balance,
}

/// Where a peer stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
	peer: PeerId,
	endpoint: String,
	epoch: EpochStatus,
	/// The commitment, if there is one.
	pub(super) commitment: Option<CommitmentView<AccountId>>,
	round: Option<RoundView<AccountId>>,
	has_offer: bool,
	report_due: bool,
	audit: Option<Audit>,
	owes_evidence: bool,
	awaited: Vec<Awaited>,
	/// What its provider can still spend.
	spendable: Balance,
}

impl Standing {
	/// Reads it.
	pub(super) async fn read(
		view: &View,
		peer: &PeerView<AccountId>,
		spendable: Balance,
	) -> Result<Self> {
		let id = peer.peer;
		let duties = view.duties(id).await?;
		let owed = view.owed_evidence(id).await?;
		let mut awaited = Vec::new();
		for assignment in &duties.assignments {
			let WorkerStatus::Assigned { deadline } = assignment.worker.status else {
				continue;
			};
			let deal = assignment.deal;
			let bond = view.deal(deal).await?.map(|deal| deal.spec.worker_bond);
			awaited.push(Awaited {
				deal,
				deadline,
				bond: bond.unwrap_or(0),
			});
		}
		Ok(Self {
			peer: id,
			endpoint: String::from_utf8_lossy(&peer.endpoint).into_owned(),
			epoch: duties.epoch,
			commitment: view.commitment(id).await?,
			round: view.round(id).await?,
			has_offer: view.offer(id).await?.is_some(),
			report_due: duties.report_due,
			audit: duties.audit,
			owes_evidence: !owed.show.is_empty() || owed.post.is_some(),
			awaited,
			spendable,
		})
	}

	/// What is to be done about it, the most pressing first.
	pub(super) fn steps(&self) -> Vec<Step> {
		let mut steps = self.of_worker();
		steps.extend(self.of_bonds());
		steps.extend(self.of_round());
		steps.extend(self.of_commitment());
		steps
	}

	fn now(&self) -> EpochIndex {
		self.epoch.info.index
	}

	fn step(&self, code: &'static str, why: String, command: String) -> Step {
		Step {
			peer: Some(self.peer),
			code,
			why,
			command,
			until: None,
		}
	}

	/// The same of a worker that should have done something: it is up to who runs the machine.
	fn see_to_it(&self, code: &'static str, why: String) -> Step {
		let health = format!("{}/healthz", self.endpoint.trim_end_matches('/'));
		self.step(code, why, format!("curl -s {health}"))
	}

	fn of_worker(&self) -> Vec<Step> {
		let mut steps = Vec::new();
		let (now, position, lengths) = (self.now(), self.epoch.position, self.epoch.info.lengths);
		if self.report_due && position.saturating_mul(2) >= lengths.report_window {
			let why = format!(
				"epoch {} is not reported, and half of the time for it is over: see that the worker runs",
				now.saturating_sub(1)
			);
			let step = self.see_to_it("report_missing", why);
			steps.push(until(step, now));
		}
		let blocks_left = lengths.close_position().saturating_sub(position);
		let is_open = |audit: &Audit| {
			audit.status == AuditStatus::Open && audit.epoch.saturating_add(1) == now
		};
		if self.audit.as_ref().is_some_and(is_open)
			&& blocks_left <= lengths.answer_window / 4
			&& self.epoch.phase == Phase::Answer
		{
			let why = "an audit is not answered, and the time for it is nearly over".into();
			steps.push(until(self.see_to_it("audit_missing", why), now));
		}
		if self.owes_evidence {
			let why =
				"somebody asks for evidence of a receipt: the worker shows it while it runs, and \
				 without it 5 % of the stake goes"
					.into();
			steps.push(self.see_to_it("evidence_owed", why));
		}
		for awaited in self.awaited.iter().filter(|row| row.deadline <= now) {
			let why = format!(
				"deal {} gives it up at the end of this epoch: the worker is not live in it",
				awaited.deal
			);
			let step = self.see_to_it("not_live", why);
			steps.push(until(step, awaited.deadline));
		}
		steps
	}

	/// Bonds of deals that wait for it, in the order of their deadlines, as far as they are not there.
	fn of_bonds(&self) -> Option<Step> {
		let bonds = self.awaited.iter().map(|row| row.bond);
		let needed = bonds.fold(0, Balance::saturating_add);
		let missing = needed.saturating_sub(self.spendable);
		if missing == 0 {
			return None;
		}
		let deals: Vec<String> = self
			.awaited
			.iter()
			.map(|row| row.deal.to_string())
			.collect();
		let why = format!(
			"{} more must be unlocked in the account for worker bonds (deal {})",
			amounts::format(missing),
			deals.join(", ")
		);
		let command = "send FLT to the provider's account".into();
		let step = self.step("bond_missing", why, command);
		let first = self.awaited.iter().map(|row| row.deadline).min();
		Some(until(step, first.unwrap_or_default()))
	}

	fn of_round(&self) -> Option<Step> {
		let round = self.round.as_ref().filter(|round| !round.agreed)?;
		let what = match round.terms.kind {
			RoundKind::Start => "commitment",
			RoundKind::Growth => "growth",
			RoundKind::Renewal => "extension",
		};
		if round.deadline < self.now() {
			let why = format!("the {what} did not get all its stake in time: take it back");
			let command = format!("millrace peer cancel {}", self.peer);
			return Some(self.step("round_lapsed", why, command));
		}
		let missing = amounts::format(round.needed.saturating_sub(round.pledged));
		let why = format!("the {what} needs {missing} more, from you or others");
		let command = format!("millrace peer stake {} --amount \"{missing}\"", self.peer);
		let step = self.step("stake_missing", why, command);
		Some(until(step, round.deadline))
	}

	fn of_commitment(&self) -> Vec<Step> {
		let (peer, now) = (self.peer, self.now());
		let Some(commitment) = &self.commitment else {
			let why = "it has committed no capacity".into();
			let command = format!("millrace peer commit {peer} --units UNITS --epochs EPOCHS");
			return vec![self.step("no_commitment", why, command)];
		};
		match commitment.status {
			// Its round says what is missing.
			CommitmentStatus::Pending { .. } => Vec::new(),
			CommitmentStatus::Active { start, end } => self.of_active(commitment, start, end),
			CommitmentStatus::Unbonding { .. } => match commitment.withdrawable {
				Some(first) if first <= now => {
					let why = "the commitment is over and its stake is free".into();
					let command = format!("millrace peer withdraw {peer}");
					vec![self.step("withdrawable", why, command)]
				}
				_ => Vec::new(),
			},
		}
	}

	fn of_active(
		&self,
		commitment: &CommitmentView<AccountId>,
		start: EpochIndex,
		end: EpochIndex,
	) -> Vec<Step> {
		let (peer, now) = (self.peer, self.now());
		let is_closed = match self.epoch.phase {
			Phase::Rest => end <= now,
			Phase::Report | Phase::Draw | Phase::Answer => end < now,
		};
		if is_closed {
			let why = "the commitment has ended: settle its last epochs".into();
			let command = format!("millrace peer settle {peer}");
			return vec![self.step("ended", why, command)];
		}
		let mut steps = Vec::new();
		let settled_before = commitment.next_to_settle.max(start);
		if now.saturating_sub(settled_before) >= SILENT_EPOCHS {
			let why = format!(
				"nothing of it is settled since epoch {settled_before}: see that the worker runs"
			);
			steps.push(self.see_to_it("silent", why));
		}
		if commitment.score_permille >= SCORE_IS_HIGH {
			let why = format!(
				"its failure score is at {} % of the limit, at which the commitment fails",
				commitment.score_permille / 10
			);
			steps.push(self.see_to_it("failing", why));
		}
		if !self.has_offer {
			let why = "it has no offer, so no deal can take it".into();
			let command = format!("millrace offer post {peer} --ask \"AMOUNT FLT\"");
			steps.push(self.step("no_offer", why, command));
		}
		let extended = self
			.round
			.as_ref()
			.is_some_and(|round| round.terms.kind == RoundKind::Renewal);
		let change = commitment.change.as_ref();
		let lasts_until = change.map_or(end, |change| change.end);
		if !extended && now < lasts_until && lasts_until.saturating_sub(now) <= END_IS_NEAR {
			let last = lasts_until.saturating_sub(1);
			let why = format!("epoch {last} is the last of its commitment: extend it, or leave");
			let command = format!("millrace peer extend {peer} --epochs EPOCHS");
			steps.push(until(self.step("ends_soon", why, command), last));
		}
		steps
	}
}

/// What is to be done about the account. A staker that provides nothing has nothing to register.
pub(super) fn of_account(registered: bool, peers: usize, earnings: &EarningsView) -> Vec<Step> {
	let step = |code, why: String, command: &str| Step {
		peer: None,
		code,
		why,
		command: command.into(),
		until: None,
	};
	let mut steps = Vec::new();
	let stakes = earnings.places > 0 || !earnings.buckets.is_empty();
	if !registered && !stakes {
		let why = "the account is not registered as a provider".into();
		steps.push(step(
			"not_registered",
			why,
			"millrace provider register NAME",
		));
	}
	if registered && peers == 0 {
		let why = "no machine is registered".into();
		let command = "millrace peer register --peer-key FILE --endpoint URL";
		steps.push(step("no_peer", why, command));
	}
	if earnings.claimable > 0 {
		let why = format!("{} can be claimed", amounts::format(earnings.claimable));
		steps.push(step("claimable", why, "millrace provider claim"));
	}
	steps
}

fn until(step: Step, last: EpochIndex) -> Step {
	Step {
		until: Some(last),
		..step
	}
}

#[cfg(test)]
mod tests;
