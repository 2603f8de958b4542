//! Duties on their way to the chain.
//!
//! A duty is sent again at every finalised block until the chain shows it, so nothing is retried
//! here; the same bytes sent twice are harmless.

use crate::metrics::Metrics;
use millrace_client::{calls::Call, Chain, DutySent, SubmitError};
use std::{
	collections::BTreeSet,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};

/// Longest time that handing a duty to the node may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a duty is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
	/// The report of an epoch.
	Report,
	/// The answer to the audit of an epoch's report.
	Audit,
	/// Readiness for a deal.
	GoLive,
}

impl Kind {
	fn name(self) -> &'static str {
		match self {
			Self::Report => "report",
			Self::Audit => "audit",
			Self::GoLive => "go_live",
		}
	}
}

/// Sends duties beside the daemon's other work.
#[derive(Clone, Debug)]
pub struct Outbox {
	chain: Chain,
	/// Duties that are being handed over, by epoch or deal: each at most once at a time.
	sending: Arc<Mutex<BTreeSet<(Kind, u64)>>>,
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
			sending: Arc::default(),
			tasks,
			cancel,
			metrics,
		}
	}

	/// Sends a duty, unless it is being sent. `number` is the epoch or deal that it is about.
	pub fn send(&self, kind: Kind, number: u64, call: Call) {
		let sending = self.sending.clone();
		if !sending
			.lock()
			.unwrap_or_else(PoisonError::into_inner)
			.insert((kind, number))
		{
			return;
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
					let outcome = note(kind, number, outcome.ok());
					metrics.duties.with_label_values(&[kind.name(), outcome]).inc();
				},
			}
			sending
				.lock()
				.unwrap_or_else(PoisonError::into_inner)
				.remove(&(kind, number));
		});
	}
}

/// Logs what became of a duty and returns the metric's label for it.
fn note(kind: Kind, number: u64, outcome: Option<Result<DutySent, SubmitError>>) -> &'static str {
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
