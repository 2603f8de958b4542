//! The one thread that stores receipts.
//!
//! A durable commit costs a few milliseconds whatever it holds, so every receipt that arrives
//! while one commit runs enters the next: the more calls, the more receipts a commit.

use crate::{
	errors::StoreError,
	ledger::{Key, Ledger},
	metrics::Metrics,
	receipts::{Finished, ReceiptStore, Stored},
};
use std::{io, sync::Arc, thread};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::error;

/// Most receipts in a commit: bounds its time and memory.
const BATCH: usize = 256;
/// Receipts that wait for the thread; a call that ends then waits for a place.
const QUEUE: usize = 256;

struct Job {
	finished: Finished,
	reply: oneshot::Sender<Stored>,
}

/// Hands receipts to the thread.
#[derive(Clone, Debug)]
pub struct Committer {
	sender: mpsc::Sender<Job>,
}

impl Committer {
	/// Starts the thread. It ends when every committer is dropped or the disk fails, always with
	/// `failed` cancelled: from then on nothing may be answered any more.
	pub fn start(
		store: Arc<ReceiptStore>,
		ledger: Arc<Ledger>,
		metrics: Metrics,
		failed: CancellationToken,
	) -> io::Result<(Self, thread::JoinHandle<()>)> {
		let (sender, mut receiver) = mpsc::channel::<Job>(QUEUE);
		let thread = thread::Builder::new()
			.name("receipts".into())
			.spawn(move || {
				// Whatever ends the thread, a panic included, must end the daemon with it.
				let _ended = failed.drop_guard();
				while let Some(first) = receiver.blocking_recv() {
					let mut batch = vec![first];
					while batch.len() < BATCH {
						let Ok(job) = receiver.try_recv() else { break };
						batch.push(job);
					}
					metrics.commit_receipts.observe(batch.len() as f64);
					if let Err(error) = commit(&store, &ledger, batch) {
						error!("receipts cannot be stored: {error}");
						return;
					}
				}
			})?;
		Ok((Self { sender }, thread))
	}

	/// Stores a receipt. `None` when the daemon is about to stop: whether the receipt is stored is
	/// not known then, and it must be shown to nobody.
	pub async fn store(&self, finished: Finished) -> Option<Stored> {
		let (reply, answer) = oneshot::channel();
		self.sender.send(Job { finished, reply }).await.ok()?;
		answer.await.ok()
	}
}

fn commit(store: &ReceiptStore, ledger: &Ledger, batch: Vec<Job>) -> Result<(), StoreError> {
	let (finished, replies): (Vec<_>, Vec<_>) = batch
		.into_iter()
		.map(|job| (job.finished, job.reply))
		.unzip();
	let keys: Vec<Key> = finished
		.iter()
		.map(|finished| finished.call.key())
		.collect();
	let below = ledger.unwritten_below(&keys);
	let outcomes = store.commit(&finished, &below)?;
	ledger.written(&below);
	ledger.close(&keys);
	for (reply, outcome) in replies.into_iter().zip(outcomes) {
		// Who does not wait any more has no use for the answer; the receipt counts all the same.
		let _ = reply.send(outcome);
	}
	Ok(())
}
