//! Duties on their way to the chain.
//!
//! A duty is sent again at every finalised block until the chain shows it, so nothing is retried
//! here, and a pool that forgets, as that of a node that was restarted, has it again with the next
//! block. The same bytes sent twice are harmless. The pool looks at later blocks than the daemon: when
//! a duty is done there and not final yet, its refusal is the normal case and no trouble. Going live is
//! sent at best blocks, which the pool may not have come to, or which were taken back.

use crate::metrics::Metrics;
use millrace_client::{calls::Call, Chain, DutySent, SubmitError};
use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};

/// Longest time that handing a duty to the node may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The runtime's refusal of whoever goes live in a deal that it does not know the peer in.
const NOT_ASSIGNED: u8 = 12;
/// Duties that are remembered; only log lines depend on it.
const REMEMBERED: usize = 256;

/// What a duty is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
	/// The report of an epoch.
	Report,
	/// The answer to the audit of an epoch's report.
	Audit,
	/// Readiness for a deal.
	GoLive,
	/// A voucher of a deal that is billed by gas.
	Redeem,
	/// The answer to a probe.
	Probe,
	/// A leaf that refutes a charge of omission.
	Show,
	/// Data that were demanded.
	Post,
}

impl Kind {
	fn name(self) -> &'static str {
		match self {
			Self::Report => "report",
			Self::Audit => "audit",
			Self::GoLive => "go_live",
			Self::Redeem => "redeem",
			Self::Probe => "answer_probe",
			Self::Show => "show",
			Self::Post => "post",
		}
	}
}

/// What is remembered of a duty.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
	/// It is being handed over: each is at most once at a time.
	sending: bool,
	/// A pool has taken it.
	taken: bool,
}

/// Duties by kind and epoch or deal.
type Book = BTreeMap<(Kind, u64), Known>;

/// Sends duties beside the daemon's other work.
#[derive(Clone, Debug)]
pub struct Outbox {
	chain: Chain,
	book: Arc<Mutex<Book>>,
	tasks: TaskTracker,
	cancel: CancellationToken,
	metrics: Metrics,
}

impl Outbox {
	/// An empty outbox.
	pub fn new(
		chain: Chain,
		tasks: TaskTracker,
		cancel: CancellationToken,
		metrics: Metrics,
	) -> Self {
		Self {
			chain,
			book: Arc::default(),
			tasks,
			cancel,
			metrics,
		}
	}

	/// Sends a duty, unless it is being sent. `number` is the epoch or deal that it is about, or stands
	/// for the receipt.
	pub fn send(&self, kind: Kind, number: u64, call: Call) {
		let book = self.book.clone();
		{
			let mut book = lock(&book);
			if book.len() >= REMEMBERED {
				book.retain(|_, known| known.sending);
			}
			let known = book.entry((kind, number)).or_default();
			if known.sending {
				return;
			}
			known.sending = true;
		}
		let (chain, cancel, metrics) = (
			self.chain.clone(),
			self.cancel.clone(),
			self.metrics.clone(),
		);
		self.tasks.spawn(async move {
			tokio::select! {
				() = cancel.cancelled() => {},
				outcome = timeout(PATIENCE, chain.submit_duty(call)) => {
					let known = lock(&book).get(&(kind, number)).copied().unwrap_or_default();
					let outcome = note(kind, number, outcome.ok(), known.taken);
					metrics.duties.with_label_values(&[kind.name(), outcome]).inc();
					if let Some(known) = lock(&book).get_mut(&(kind, number)) {
						known.taken |= matches!(outcome, "accepted" | "known");
					}
				},
			}
			if let Some(known) = lock(&book).get_mut(&(kind, number)) {
				known.sending = false;
			}
		});
	}
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
	// Each change is one of a whole entry.
	book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs what became of a duty and returns the metric's label for it. `taken` says whether a pool had
/// taken it before.
fn note(
	kind: Kind,
	number: u64,
	outcome: Option<Result<DutySent, SubmitError>>,
	taken: bool,
) -> &'static str {
	let duty = kind.name();
	match outcome {
		Some(Ok(DutySent::Accepted(hash))) => {
			info!(duty, number, ?hash, "a duty is in the pool");
			"accepted"
		}
		Some(Ok(DutySent::Already)) => {
			debug!(duty, number, "a duty is known already");
			"known"
		}
		// Its window closes, or its deal ends, between the block that holds it and finality.
		Some(Err(SubmitError::Refused { code, reason })) if taken => {
			info!(
				duty,
				number,
				?code,
				"a duty that was taken is refused now: {reason}"
			);
			"known"
		}
		Some(Err(SubmitError::Refused {
			code: Some(NOT_ASSIGNED),
			..
		})) if kind == Kind::GoLive => {
			info!(
				number,
				"the pool knows nothing of the assignment yet, or not any more"
			);
			"refused"
		}
		Some(Err(SubmitError::Refused { code, reason })) => {
			warn!(duty, number, ?code, "a duty was refused: {reason}");
			"refused"
		}
		Some(Err(error)) => {
			warn!(duty, number, "a duty was not sent: {error}");
			"failed"
		}
		None => {
			warn!(
				duty,
				number, "a duty was not sent: the node does not answer"
			);
			"failed"
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn refused(kind: Kind, code: Option<u8>, taken: bool) -> &'static str {
		let reason = "custom".into();
		let outcome = Some(Err(SubmitError::Refused { code, reason }));
		note(kind, 5, outcome, taken)
	}

	#[test]
	fn a_refusal_of_what_is_done_is_no_trouble() {
		// The report window closed after the block that holds the report.
		assert_eq!(refused(Kind::Report, Some(4), true), "known");
		assert_eq!(refused(Kind::GoLive, None, true), "known");
		let already = Some(Ok(DutySent::Already));
		assert_eq!(note(Kind::Report, 5, already, false), "known");
	}

	#[test]
	fn a_refusal_of_what_was_never_taken_is_trouble() {
		assert_eq!(refused(Kind::Report, Some(4), false), "refused");
		assert_eq!(refused(Kind::GoLive, Some(13), false), "refused");
		assert_eq!(note(Kind::Audit, 5, None, true), "failed");
	}
}
