//! Probes: calls that are asked of the peer over the chain. Each is run as any call is, numbered,
//! receipted and reported; its receipt goes to the chain, and is sent again at every block until the
//! chain has it.

use crate::{calls::Calls, errors::Refusal};
use millrace_primitives::{
	execution::SignedReceipt, probe::probe_request, views::Assignment, BlockNumber, DealId,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// Tries to find a place in a queue that is full, before the next block is waited for.
const TRIES: u32 = 10;
/// Pause between them.
const PAUSE: Duration = Duration::from_millis(200);

/// A probe: its deal, and the block that it was made in.
type Asked = (DealId, BlockNumber);
/// Probes whose calls run, and the answers of those that have.
type Book = BTreeMap<Asked, Option<SignedReceipt>>;

/// Sends an answer to the chain.
pub type Sender = dyn Fn(DealId, SignedReceipt) + Send + Sync;

/// The answers to probes that are open. Forgetting them is harmless: the call is made again.
#[derive(Clone, Debug, Default)]
pub struct Answers {
	book: Arc<Mutex<Book>>,
}

impl Answers {
	/// Runs what is asked of the peer and does not run yet, and sends the answers that are there. What
	/// is asked no more is forgotten.
	pub fn give(
		&self,
		calls: &Arc<Calls>,
		tasks: &TaskTracker,
		assignments: &[Assignment],
		send: Arc<Sender>,
	) {
		let asked = |assignment: &Assignment| {
			let probe = assignment.probe.as_ref()?;
			Some(((assignment.deal, probe.at), probe.body.clone()))
		};
		let open: Vec<_> = assignments.iter().filter_map(asked).collect();
		let keys: BTreeSet<Asked> = open.iter().map(|(key, _)| *key).collect();
		self.lock().retain(|key, _| keys.contains(key));
		for (key, body) in open {
			let known = self.lock().get(&key).cloned();
			match known {
				Some(Some(receipt)) => send(key.0, receipt),
				// Its call runs.
				Some(None) => {}
				None => {
					self.lock().insert(key, None);
					let (own, calls, send) = (self.clone(), calls.clone(), send.clone());
					tasks.spawn(async move { own.answer(&calls, key, body, send).await });
				}
			}
		}
	}

	async fn answer(&self, calls: &Arc<Calls>, key: Asked, body: Vec<u8>, send: Arc<Sender>) {
		let deal = key.0;
		match run(calls, deal, &body).await {
			Ok(receipt) => {
				info!(deal, seq = receipt.receipt.seq, "a probe is answered");
				self.lock().insert(key, Some(receipt.clone()));
				send(deal, receipt);
			}
			Err(refusal) => {
				warn!(
					deal,
					"a probe is not answered yet, which costs the pay of the epoch if it stays so: \
					 {refusal}"
				);
				self.lock().remove(&key);
			}
		}
	}

	fn lock(&self) -> MutexGuard<'_, Book> {
		// Each change is one of a whole entry.
		self.book.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Makes the call; where the queue is full it waits for a place for a while.
async fn run(calls: &Arc<Calls>, deal: DealId, body: &[u8]) -> Result<SignedReceipt, Refusal> {
	let mut tries = TRIES;
	loop {
		let outcome = match calls.admit(deal) {
			Ok(admission) => calls.execute(admission, probe_request(body)).await,
			Err(refusal) => Err(refusal),
		};
		tries = tries.saturating_sub(1);
		match outcome {
			Ok(answer) => return Ok(answer.receipt),
			Err(Refusal::Busy) if tries > 0 => sleep(PAUSE).await,
			Err(refusal) => return Err(refusal),
		}
	}
}
