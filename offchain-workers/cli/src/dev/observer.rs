//! What happens beside the flow: audits and the distance of finality, seen at every finalised
//! block.

use super::rpc::Rpc;
use futures::StreamExt;
use millrace_client::{Chain, View};
use millrace_primitives::{audit::AuditStatus, peer::PeerId, EpochIndex};
use std::{
	collections::BTreeSet,
	sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinHandle;

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
	/// Audits that passed.
	pub(crate) passed: BTreeSet<(PeerId, EpochIndex)>,
	/// Audits that failed.
	pub(crate) failed: BTreeSet<(PeerId, EpochIndex)>,
	/// Distances between the best and the last finalised block.
	lags: Vec<u32>,
}

/// Watches in the background until it is dropped.
#[derive(Debug)]
pub(crate) struct Observer {
	seen: Arc<Mutex<Seen>>,
	task: JoinHandle<()>,
}

impl Observer {
	/// Begins to watch.
	pub(crate) fn start(chain: Chain, rpc: Rpc, peers: Vec<PeerId>) -> Self {
		let seen = Arc::new(Mutex::new(Seen::default()));
		let shared = seen.clone();
		let task = tokio::spawn(async move {
			let mut blocks = chain.finalized();
			while let Some(block) = blocks.next().await {
				if let Ok(best) = rpc.best_number().await {
					lock(&shared).lags.push(best.saturating_sub(block.number));
				}
				if let Ok(view) = chain.at(block.hash).await {
					look(&shared, &view, &peers).await;
				}
			}
		});
		Self { seen, task }
	}

	/// What was seen so far.
	pub(crate) fn seen(&self) -> Seen {
		lock(&self.seen).clone()
	}
}

impl Drop for Observer {
	fn drop(&mut self) {
		self.task.abort();
	}
}

impl Seen {
	/// The median distance.
	pub(crate) fn median_lag(&self) -> u32 {
		let mut lags = self.lags.clone();
		lags.sort_unstable();
		lags.get(lags.len() / 2).copied().unwrap_or_default()
	}
}

/// Notes the audits as they stand. An audit's outcome stands until the peer is drawn again, an epoch
/// later, so that a block that was missed costs nothing.
async fn look(seen: &Mutex<Seen>, view: &View, peers: &[PeerId]) {
	for peer in peers {
		let Ok(duties) = view.duties(*peer).await else {
			continue;
		};
		let Some(audit) = duties.audit else { continue };
		let mut seen = lock(seen);
		match audit.status {
			AuditStatus::Passed => seen.passed.insert((*peer, audit.epoch)),
			AuditStatus::Failed => seen.failed.insert((*peer, audit.epoch)),
			AuditStatus::Open => continue,
		};
	}
}

/// Whoever panicked while it held the lock left a set that is still one.
fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
	seen.lock().unwrap_or_else(PoisonError::into_inner)
}
