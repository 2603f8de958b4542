//! A challenge, step by step: commit, reveal, conclude. Each step begins with what the chain says
//! now, so that it can be taken again after any death of the process.

use crate::{
	inspect::{is_authentic, receipts_of},
	records::{is_of, End, Stage, Suspicion},
	shared::{charge_code, Fault, Shared},
};
use millrace_client::{calls, AccountId, Included, ReadError, SubmitError, View};
use millrace_primitives::{
	challenge::{commitment, CaseId, CaseView, Charge, Evidence, OffenceKind},
	peer::PeerId,
	BlockNumber, EpochIndex,
};

/// Blocks until something that is not due is looked at again.
const PAUSE: BlockNumber = 8;
/// Blocks until a commitment that was refused is made again: each attempt costs its fee.
const REFUSED: BlockNumber = 32;

/// What is to be done about a case that was revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
	/// Nothing before this block. Whether the bond is still held.
	Wait { until: BlockNumber, bonded: bool },
	/// The peer did not show the leaf in time.
	CloseShow,
	/// Its time is over.
	Conclude,
	/// It is over.
	Over(End),
}

impl Shared {
	/// Takes the next step of a challenge. The block at which it goes on; `None` when it is over.
	pub(crate) async fn press(
		&self,
		view: &View,
		case: CaseId,
	) -> Result<Option<BlockNumber>, Fault> {
		let read = self.store.with(move |records| records.suspicion(&case));
		let Some(mut suspicion) = read.await? else {
			return Ok(None);
		};
		let now = view.block().number;
		let next = now.saturating_add(1);
		match suspicion.stage {
			Stage::Waiting => {
				// Whoever gave us the receipt may be a block ahead.
				if view.epoch().await?.info.index < case.epoch {
					return Ok(Some(next));
				}
				if let Some(end) = self.hopeless(view, &case).await? {
					self.enter(&mut suspicion, Stage::Over(end)).await?;
					return Ok(None);
				}
				if is_unreported(view, &case).await? || !self.take_bond() {
					return Ok(Some(next));
				}
				// The salt is on disk before anybody hears of the commitment.
				self.enter(&mut suspicion, Stage::Committing).await?;
				self.commit(view, &mut suspicion).await
			}
			Stage::Committing => self.commit(view, &mut suspicion).await,
			Stage::Committed(block) => self.reveal(view, &mut suspicion, block).await,
			// The view may be older than the block of the reveal.
			Stage::Revealed { since, .. } if now < since => Ok(Some(since)),
			Stage::Revealed { since, .. } => self.conclude(view, &mut suspicion, since).await,
			Stage::Forgotten(until) => self.forget(view, &mut suspicion, until).await,
			Stage::Over(_) => Ok(None),
		}
	}

	/// Why a challenge would come to nothing, as far as the chain can say.
	async fn hopeless(&self, view: &View, case: &CaseId) -> Result<Option<End>, Fault> {
		let case = *case;
		let evidence = self.store.with(move |records| records.evidence(&case));
		let Some(evidence) = evidence.await? else {
			return Ok(Some(End::Unfounded));
		};
		for signed in receipts_of(&evidence) {
			if !is_authentic(view, signed).await? {
				return Ok(Some(End::Unfounded));
			}
		}
		let (status, rules) = (view.epoch().await?, self.rules(view).await?);
		let Some(commitment) = view.commitment(case.peer).await? else {
			return Ok(Some(End::Late));
		};
		if status.info.index > rules.last_epoch(&case, commitment.terms.challenge_epochs) {
			return Ok(Some(End::Late));
		}
		// Whoever commits now is behind everybody whose reveal is on the chain.
		Ok(standing(&view.cases(case.peer).await?, &case).then_some(End::Moot))
	}

	async fn commit(
		&self,
		view: &View,
		suspicion: &mut Suspicion,
	) -> Result<Option<BlockNumber>, Fault> {
		let (case, genesis) = (suspicion.case, view.genesis());
		let hash = commitment(genesis, &self.account, &case, suspicion.salt);
		let sent = self.chain.submit(&self.key, calls::receipts::commit(hash));
		let now = view.block().number;
		let block = match sent.await {
			Ok(included) => included.number,
			// It was in a block before this process came to know of it.
			Err(SubmitError::Dispatch { error, .. }) if error == "AlreadyCommitted" => now,
			Err(error @ (SubmitError::Dispatch { .. } | SubmitError::Refused { .. })) => {
				tracing::warn!(peer = %case.peer, %error, "the chain does not take a commitment");
				self.enter(suspicion, Stage::Waiting).await?;
				return Ok(Some(now.saturating_add(REFUSED)));
			}
			// Whether it happened is not known: the same one is sent again.
			Err(error) => return Err(error.into()),
		};
		self.enter(suspicion, Stage::Committed(block)).await?;
		let rules = self.rules(view).await?;
		Ok(Some(block.saturating_add(rules.reveal_after_blocks)))
	}

	async fn reveal(
		&self,
		view: &View,
		suspicion: &mut Suspicion,
		committed: BlockNumber,
	) -> Result<Option<BlockNumber>, Fault> {
		let (case, now) = (suspicion.case, view.block().number);
		let rules = self.rules(view).await?;
		let opens = committed.saturating_add(rules.reveal_after_blocks);
		// What is sent now stands in a later block than the last final one.
		if now < opens {
			return Ok(Some(opens));
		}
		let closes = committed.saturating_add(rules.reveal_within_blocks);
		let evidence = self.store.with(move |records| records.evidence(&case));
		let evidence = evidence.await?;
		let (Some(evidence), false) = (evidence, now > closes) else {
			self.enter(suspicion, Stage::Forgotten(closes)).await?;
			return Ok(Some(closes.max(now).saturating_add(1)));
		};
		let call = calls::receipts::reveal(&case, suspicion.salt, Some(&evidence));
		match self.chain.submit(&self.key, call).await {
			Ok(included) => self.revealed(suspicion, &evidence, &included).await,
			Err(SubmitError::Dispatch { error, .. }) if is_too_soon(&error) => {
				Ok(Some(now.saturating_add(1)))
			}
			// It was in a block before this process came to know of it.
			Err(SubmitError::Dispatch { error, .. }) if error == "NoCommit" => {
				let stage = Stage::Revealed {
					since: now.saturating_add(1),
					bonded: case.charge == Charge::Omitted,
				};
				self.enter(suspicion, stage).await?;
				Ok(Some(now.saturating_add(1)))
			}
			Err(error @ SubmitError::Dispatch { .. }) => {
				tracing::error!(peer = %case.peer, %error, "the chain does not take what is proven");
				self.enter(suspicion, Stage::Forgotten(closes)).await?;
				Ok(Some(closes.max(now).saturating_add(1)))
			}
			Err(error @ SubmitError::Refused { .. }) => {
				tracing::warn!(peer = %case.peer, %error, "a reveal was refused");
				Ok(Some(now.saturating_add(1)))
			}
			// Whether it happened is not known: the same one is sent again.
			Err(error) => Err(error.into()),
		}
	}

	/// Reads from the events of a reveal what became of it.
	async fn revealed(
		&self,
		suspicion: &mut Suspicion,
		evidence: &Evidence,
		included: &Included,
	) -> Result<Option<BlockNumber>, Fault> {
		let said = |name: &str| {
			let mut events = included.events.iter();
			events.any(|event| event.pallet == "Receipts" && event.name == name)
		};
		let stage = if said("ChallengeRefuted") {
			Stage::Over(End::Lost)
		} else if said("ChallengeMoot") {
			Stage::Over(End::Moot)
		} else if said("ChallengeInconclusive") {
			Stage::Over(End::Inconclusive)
		} else {
			// A claim of omission holds its bond until the peer's time to refute it is over.
			let claim = matches!(evidence, Evidence::Omitted { .. });
			Stage::Revealed {
				since: included.number,
				bonded: claim && !said("ChallengeProven"),
			}
		};
		self.enter(suspicion, stage).await?;
		match stage {
			Stage::Over(_) => Ok(None),
			_ => Ok(Some(included.number)),
		}
	}

	async fn conclude(
		&self,
		view: &View,
		suspicion: &mut Suspicion,
		since: BlockNumber,
	) -> Result<Option<BlockNumber>, Fault> {
		let (case, now) = (suspicion.case, view.block().number);
		let next = Some(now.saturating_add(1));
		let call = match turn(&view.cases(case.peer).await?, &case, &self.account, now) {
			Turn::Wait { until, bonded } => {
				let stage = Stage::Revealed { since, bonded };
				if suspicion.stage != stage {
					self.enter(suspicion, stage).await?;
				}
				return Ok(Some(until.max(now.saturating_add(1))));
			}
			Turn::CloseShow => calls::receipts::close_show(case.peer, case.subject),
			Turn::Conclude => calls::receipts::conclude(case.peer, case.epoch, case.charge.kind()),
			Turn::Over(end) => {
				if end == End::Won {
					let slash = (case.peer, case.epoch, now);
					self.store
						.with(move |records| records.add_slash(slash))
						.await?;
				}
				self.enter(suspicion, Stage::Over(end)).await?;
				return Ok(None);
			}
		};
		match self.chain.submit(&self.key, call).await {
			Ok(_) => Ok(next),
			// Anybody may do it, and somebody has, or it is a block too early.
			Err(SubmitError::Dispatch { error, .. }) => {
				tracing::debug!(peer = %case.peer, %error, "a case was not concluded now");
				Ok(Some(now.saturating_add(2)))
			}
			Err(error) => Err(error.into()),
		}
	}

	/// Gets back what is left of a bond whose evidence the chain did not take.
	async fn forget(
		&self,
		view: &View,
		suspicion: &mut Suspicion,
		until: BlockNumber,
	) -> Result<Option<BlockNumber>, Fault> {
		let (case, now) = (suspicion.case, view.block().number);
		if now <= until {
			return Ok(Some(until.saturating_add(1)));
		}
		let hash = commitment(view.genesis(), &self.account, &case, suspicion.salt);
		let call = calls::receipts::forget_commit(&self.account, hash);
		match self.chain.submit(&self.key, call).await {
			Ok(_) => {}
			// Blocks of migrations make the window longer.
			Err(SubmitError::Dispatch { error, .. }) if is_too_soon(&error) => {
				return Ok(Some(now.saturating_add(PAUSE)));
			}
			Err(SubmitError::Dispatch { error, .. }) => {
				tracing::debug!(%error, "a commitment is gone already");
			}
			Err(error) => return Err(error.into()),
		}
		self.enter(suspicion, Stage::Over(End::Refused)).await?;
		Ok(None)
	}

	/// Brings a challenge to a stage, on disk first.
	async fn enter(&self, suspicion: &mut Suspicion, stage: Stage) -> Result<(), Fault> {
		let before = suspicion.stage;
		suspicion.stage = stage;
		let stored = suspicion.clone();
		self.store
			.with(move |records| records.set_suspicion(&stored))
			.await?;
		if before.is_bonded() && !stage.is_bonded() {
			self.end_bond();
		}
		let case = suspicion.case;
		let charge = charge_code(case.charge);
		tracing::info!(peer = %case.peer, epoch = case.epoch, charge, ?stage, "a challenge goes on");
		if let Stage::Over(end) = stage {
			self.metrics
				.challenges
				.with_label_values(&[end.code()])
				.inc();
		}
		Ok(())
	}

	/// Applies slashes of a peer for an epoch that are due. The block at which to look again; `None`
	/// when none waits.
	pub(crate) async fn apply_slashes(
		&self,
		view: &View,
		peer: PeerId,
		epoch: EpochIndex,
	) -> Result<Option<BlockNumber>, Fault> {
		let now = view.block().number;
		let status = view.epoch().await?;
		let mut waiting = view.slashes(peer).await?;
		waiting.retain(|slash| slash.epoch == epoch);
		if waiting.is_empty() {
			self.store
				.with(move |records| records.end_slash(peer, epoch))
				.await?;
			return Ok(None);
		}
		waiting.retain(|slash| slash.due <= status.info.index);
		for slash in waiting {
			let call = calls::capacity::apply_slash(peer, slash.slash);
			match self.chain.submit(&self.key, call).await {
				Ok(_) => tracing::info!(%peer, epoch, "a slash was applied"),
				// Anybody may do it, and somebody has.
				Err(SubmitError::Dispatch { error, .. }) => {
					tracing::debug!(%peer, %error, "a slash was not applied");
				}
				Err(error) => return Err(error.into()),
			}
		}
		Ok(Some(now.saturating_add(PAUSE)))
	}

	/// Whether the peer is charged already for what it did in the epoch.
	pub(crate) async fn is_charged(&self, view: &View, case: &CaseId) -> Result<bool, ReadError> {
		Ok(standing(&view.cases(case.peer).await?, case))
	}
}

/// Whether the chain would not take the case yet: it charges nobody for numbers that were not
/// reported. Whoever commits before pays for it.
async fn is_unreported(view: &View, case: &CaseId) -> Result<bool, ReadError> {
	if case.charge.kind() != OffenceKind::Omission {
		return Ok(false);
	}
	let record = view.report(case.peer, case.epoch).await?;
	Ok(record.is_none_or(|record| record.epoch != case.epoch))
}

/// Whether a case stands that leaves none of this kind of offence and epoch. Claims that the peer
/// can still refute leave others.
fn standing(cases: &[CaseView<AccountId>], case: &CaseId) -> bool {
	cases.iter().any(|other| {
		let same = is_of(&other.case, case.peer, case.epoch, case.charge.kind());
		same && (other.proven || other.case == *case)
	})
}

/// What is to be done about a case that was revealed.
fn turn(
	cases: &[CaseView<AccountId>],
	case: &CaseId,
	account: &AccountId,
	now: BlockNumber,
) -> Turn {
	let kind = case.charge.kind();
	let mut same = cases
		.iter()
		.filter(|other| is_of(&other.case, case.peer, case.epoch, kind));
	// Of one receipt it is one case, in whichever way it was proven to be false first.
	let Some(found) = same
		.clone()
		.find(|other| other.case.subject == case.subject)
	else {
		let other = same.any(|other| other.proven);
		return Turn::Over(if other { End::Moot } else { End::Lost });
	};
	let leads = found.leader == *account;
	match (found.proven, found.concluded) {
		(_, true) if leads => Turn::Over(End::Won),
		(_, true) => Turn::Over(End::Left),
		(true, false) if !leads => Turn::Over(End::Left),
		(proven, false) if now < found.concludes => Turn::Wait {
			until: found.concludes,
			bonded: !proven && leads,
		},
		(true, false) => Turn::Conclude,
		(false, false) => Turn::CloseShow,
	}
}

/// Whether the same can succeed in a later block.
fn is_too_soon(error: &str) -> bool {
	matches!(
		error,
		"BlockTaken" | "TooEarly" | "TooManyShows" | "OlderCaseOpen" | "StillRevealable"
	)
}

#[cfg(test)]
mod tests;
