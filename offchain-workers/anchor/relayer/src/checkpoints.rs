//! Which checkpoint the contract lacks, and when it is submitted.
//!
//! Everything follows from two states: what validators have signed, and where the contract stands. So
//! nothing is remembered that a restart could lose, and whatever somebody else has submitted is not
//! submitted again. A contract that is sessions behind gets one checkpoint for each of them, in order.

use crate::{
	contract::{Call, Handover, Status, Submission},
	evm::Address,
	metrics::{Alarm, Metrics},
	ours::{self, Authorities, OursError, SignedBlock},
	relay::Sides,
	sender::{Progress, SendError, Sender},
	turns::{rank, Turn},
	RelayConfig, RelayError,
};
use millrace_client::{Chain, View};
use millrace_primitives::{BlockNumber, U256};
use std::time::Duration;
use tokio::time::Instant;

/// The call that brings a checkpoint.
const SUBMIT: &str = "submit";
/// Pause between two looks at the account's coins, while nothing is paid.
const FUNDS_EVERY: Duration = Duration::from_secs(600);

/// A checkpoint that the contract would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
	/// The block.
	pub block: BlockNumber,
	/// The set that signed it.
	pub set: Authorities,
	/// What is submitted.
	pub submission: Submission,
	/// Sessions that the contract is behind, this one included.
	pub sets_behind: u64,
}

/// The next checkpoint that a contract would take which stands there; `None` if it has the newest.
pub async fn candidate(chain: &Chain, status: &Status) -> Result<Option<Candidate>, OursError> {
	let Some(newest) = ours::newest(chain).await? else {
		return Ok(None);
	};
	let sets_behind = newest.signed.commitment.set.saturating_sub(status.set_id);
	if newest.number <= status.latest_block {
		return Ok(None);
	}
	let block = match sets_behind {
		0 | 1 => newest,
		// Sets follow each other one by one: the first that is missing signs its first block at least.
		_ => first_of(chain, status, newest.number).await?,
	};
	let set = ours::signers_of(chain, &block).await?;
	let handover = match block.signed.commitment.set == status.set_id {
		true => None,
		false => {
			let (_, proven) = ours::leaf(chain, block.number, block.number).await?;
			Some(Handover {
				leaf: proven.raw,
				proof: proven.proof,
			})
		}
	};
	let signed = block.signed.right(&set.addresses);
	if !signed.has_quorum(&set.addresses) {
		tracing::warn!(
			block = block.number,
			"a block is kept with too few signatures"
		);
		return Ok(None);
	}
	Ok(Some(Candidate {
		block: block.number,
		submission: Submission::new(&signed, set.addresses.clone(), handover),
		set,
		sets_behind,
	}))
}

async fn first_of(
	chain: &Chain,
	status: &Status,
	known: BlockNumber,
) -> Result<SignedBlock, OursError> {
	let set = status.set_id.saturating_add(1);
	let after = status.latest_block.saturating_add(1);
	let first = ours::first_block_of(chain, set, after, known).await?;
	ours::signed(chain, first)
		.await?
		.ok_or(OursError::NoSignatures(first))
}

/// Why a checkpoint is submitted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
	/// Another set has taken over.
	Handover,
	/// Somebody waits for a message.
	Message,
	/// The last one is old.
	Heartbeat,
}

/// Submits checkpoints.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
	turn: Turn,
	/// Block of the first message that was seen to wait.
	waits_from: Option<BlockNumber>,
	failed_alarm: bool,
	/// When the account's coins were looked at.
	funds_at: Option<Instant>,
	/// What the last checkpoint of this relayer cost.
	cost: Option<U256>,
}

impl Checkpoints {
	/// Does what is to be done at a finalised block. `own` are the addresses of this node's validators.
	pub(crate) async fn tick(
		&mut self,
		sides: &Sides,
		sender: Option<&mut Sender>,
		own: &[Address],
		config: &RelayConfig,
		metrics: &Metrics,
	) -> Result<(), RelayError> {
		let Sides {
			view,
			status,
			age_seconds,
			..
		} = sides;
		let lag = view.block().number.saturating_sub(status.latest_block);
		metrics.checkpoint_block.set(status.latest_block.into());
		metrics.lag_blocks.set(lag.into());
		metrics
			.set_id
			.set(i64::try_from(status.set_id).unwrap_or(i64::MAX));
		metrics.set_alarm(Alarm::Frozen, status.frozen);
		if status.frozen {
			// One that was sent before may be in a block all the same.
			return match sender.filter(|sender| sender.is_sending(SUBMIT)) {
				Some(sender) => self.attend(sender, metrics).await,
				None => Ok(()),
			};
		}
		let found = candidate(view.chain(), status).await?;
		let behind = found.as_ref().map_or(0, |found| found.sets_behind);
		metrics
			.sets_behind
			.set(i64::try_from(behind).unwrap_or(i64::MAX));
		let Some(sender) = sender else {
			return Ok(());
		};
		self.count_funds(sender, metrics).await;
		if sender.is_busy() && !sender.is_sending(SUBMIT) {
			return Ok(());
		}
		let reason = match &found {
			Some(found) => {
				self.reason(view, status, found, *age_seconds, config)
					.await?
			}
			None => None,
		};
		let (Some(found), Some(reason)) = (found, reason) else {
			self.turn.rest();
			// What was sent before may still be on its way.
			return self.attend(sender, metrics).await;
		};
		let seed = [&status.root.0[..], &status.set_id.to_le_bytes()].concat();
		let place = rank(&seed, own, &found.set.addresses);
		if !self
			.turn
			.has_come(&seed, place, config.stagger(), Instant::now())
		{
			return Ok(());
		}
		if !sender.is_busy() {
			tracing::info!(
				block = found.block,
				set = found.set.id,
				?reason,
				"submitting a checkpoint"
			);
		}
		let outcome = sender.send(&Call::Submit(found.submission)).await;
		self.settle(outcome, sender, metrics).await
	}

	/// Looks after a checkpoint that was sent.
	async fn attend(&mut self, sender: &mut Sender, metrics: &Metrics) -> Result<(), RelayError> {
		let outcome = sender.attend().await;
		let outcome = outcome.map(|progress| progress.unwrap_or(Progress::Waiting));
		self.settle(outcome, sender, metrics).await
	}

	/// Tells now and then what the account has: a validator's turn may be days away.
	async fn count_funds(&mut self, sender: &Sender, metrics: &Metrics) {
		if self.funds_at.is_some_and(|at| at.elapsed() < FUNDS_EVERY) {
			return;
		}
		let balance = match sender.contract().reads().balance(sender.account()).await {
			Ok(balance) => balance,
			Err(error) => {
				tracing::debug!(%error, "the account's coins cannot be read");
				return;
			}
		};
		self.funds_at = Some(Instant::now());
		metrics.funds.set(coins(balance));
		if let Some(runway) = self.cost.and_then(|cost| balance.checked_div(cost)) {
			metrics.runway_checkpoints.set(to_float(runway));
		}
		if !self.failed_alarm {
			metrics.set_alarm(Alarm::Funds, balance.is_zero());
		}
	}

	/// Why it should be now, if it should.
	async fn reason(
		&mut self,
		view: &View,
		status: &Status,
		found: &Candidate,
		age_seconds: u64,
		config: &RelayConfig,
	) -> Result<Option<Reason>, RelayError> {
		if found.sets_behind > 0 {
			return Ok(Some(Reason::Handover));
		}
		if self.message_waits(view, status, found.block).await? {
			return Ok(Some(Reason::Message));
		}
		let old = age_seconds >= config.heartbeat().as_secs();
		Ok(old.then_some(Reason::Heartbeat))
	}

	/// Whether a message waits that this block would prove. The leaf of the block after its own does.
	async fn message_waits(
		&mut self,
		view: &View,
		status: &Status,
		block: BlockNumber,
	) -> Result<bool, RelayError> {
		// A contract that has no root yet, or none any more, proves nothing, whatever block it begins at.
		let has_root = !status.root.is_zero();
		let is_proven = |sent: BlockNumber| has_root && sent < status.latest_block;
		if self.waits_from.is_none_or(is_proven) {
			let next = view.anchor().await?.next_nonce;
			let last = match next.checked_sub(1) {
				Some(last) => view.anchor_message(last).await?,
				None => None,
			};
			let sent = last.map(|entry| entry.block);
			self.waits_from = sent.filter(|sent| !is_proven(*sent));
		}
		Ok(self.waits_from.is_some_and(|sent| sent < block))
	}

	/// Counts what became of a transaction.
	async fn settle(
		&mut self,
		outcome: Result<Progress, SendError>,
		sender: &Sender,
		metrics: &Metrics,
	) -> Result<(), RelayError> {
		let count = |outcome: &str| {
			metrics
				.transactions
				.with_label_values(&[SUBMIT, outcome])
				.inc();
		};
		match &outcome {
			Err(SendError::Funds { .. }) => metrics.set_alarm(Alarm::Funds, true),
			Err(SendError::FeeLimit { .. }) => metrics.set_alarm(Alarm::FeeLimit, true),
			Ok(Progress::Done(_)) => {
				metrics.set_alarm(Alarm::Funds, false);
				metrics.set_alarm(Alarm::FeeLimit, false);
			}
			_ => {}
		}
		match outcome {
			Ok(Progress::Waiting) => {}
			Ok(Progress::Done(receipt)) => {
				count("done");
				tracing::info!(
					epoch = receipt.block,
					gas = receipt.gas,
					"a checkpoint is accepted"
				);
				self.cost = Some(receipt.price.saturating_mul(receipt.gas.into()));
				self.funds_at = None;
				self.count_funds(sender, metrics).await;
			}
			// Whoever loses a race sees that what was wanted has happened.
			Ok(Progress::Failed(_) | Progress::Replaced) => count("lost"),
			Ok(Progress::Refused(refusal)) => {
				count("refused");
				match refusal.name.as_str() {
					"StaleBlock" | "RetiredSet" => tracing::debug!(%refusal, "somebody was faster"),
					_ => tracing::warn!(%refusal, "the contract does not take a checkpoint"),
				}
			}
			Err(error @ (SendError::Funds { .. } | SendError::FeeLimit { .. })) => {
				count("unpaid");
				if !std::mem::replace(&mut self.failed_alarm, true) {
					tracing::error!(%error, "no checkpoint can be paid for");
				}
				return Ok(());
			}
			Err(error) => return Err(error.into()),
		}
		self.failed_alarm = false;
		Ok(())
	}
}

/// Coins as people count them, to some digits: for figures alone.
fn coins(amount: U256) -> f64 {
	let micro = amount / U256::exp10(12);
	match micro > U256::from(u64::MAX) {
		true => f64::MAX,
		false => to_float(micro) / 1e6,
	}
}

fn to_float(number: U256) -> f64 {
	u64::try_from(number).map_or(f64::MAX, |number| number as f64)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn coins_are_shown_as_people_count_them() {
		assert_eq!(coins(U256::exp10(18)), 1.0);
		assert_eq!(coins(U256::exp10(16) * 25), 0.25);
		assert_eq!(coins(U256::MAX), f64::MAX);
	}
}
