//! What is done at best blocks, which may still be taken back: packages are made ready, and the peer goes
//! live in the deals that wait for it. Finality runs some blocks behind, and a client waits meanwhile.
//!
//! Both are harmless where the block is taken back: a package that nobody needs is unloaded, and a message
//! that no deal waits for is refused. Each is compared with the newest block anew, so nothing has to be
//! undone. Whom the peer serves, and so every receipt, is for finalised blocks alone to say: see
//! [`crate::snapshot`].

use crate::{
	calls::Identity,
	duties::{Kind, Outbox},
	packages::Packages,
	snapshot::Snapshot,
	staged,
};
use futures::StreamExt;
use millrace_client::{
	calls::{self, Call},
	Block, Chain, ReadError,
};
use millrace_primitives::{
	market::{go_live_hash, WorkerStatus},
	views::PeerDuties,
	BlockNumber, DealId,
};
use std::{sync::Arc, time::Duration};
use tokio::{
	sync::watch,
	time::{sleep_until, Instant},
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// Least time between two reads. A block takes longer; a node that catches up imports many at once, of
/// which the newest counts.
const PACE: Duration = Duration::from_millis(200);
/// Time after which messages are sent once more at one block: the node's pool may come to the block after
/// the daemon, and the next one should hold them.
const AGAIN: Duration = Duration::from_millis(300);

/// What the daemon does before it is certain.
#[derive(Clone, Debug)]
pub struct Ahead {
	identity: Identity,
	packages: Arc<Packages>,
}

impl Ahead {
	/// For a peer and its packages.
	pub fn new(identity: Identity, packages: Arc<Packages>) -> Self {
		Self { identity, packages }
	}

	/// Follows best blocks until it is cancelled, from the first finalised one on that `settled` shows.
	/// Each is one request to the node, and there is one at a time.
	pub async fn run(
		self,
		chain: Chain,
		outbox: Outbox,
		mut settled: watch::Receiver<Option<Arc<Snapshot>>>,
		cancel: CancellationToken,
	) {
		// Before it the data directory is not compared with the chain.
		while settled.borrow().is_none() {
			tokio::select! {
				() = cancel.cancelled() => return,
				changed = settled.changed() => {
					if changed.is_err() {
						return;
					}
				}
			}
		}
		let mut heads = chain.best();
		let mut seen: Option<PeerDuties> = None;
		let mut next_read = Instant::now();
		let mut again: Option<Instant> = None;
		loop {
			let head = tokio::select! {
				() = cancel.cancelled() => return,
				head = async {
					sleep_until(next_read).await;
					heads.next().await
				} => match head {
					Some(head) => Some(head),
					None => return,
				},
				() = self.packages.loaded() => None,
				() = sleep_until(again.unwrap_or(next_read)), if again.is_some() => {
					again = None;
					None
				}
			};
			let Some(head) = head else {
				self.act(seen.as_ref(), &outbox);
				continue;
			};
			let read = tokio::select! {
				() = cancel.cancelled() => return,
				read = self.read(&chain, head) => read,
			};
			next_read = Instant::now() + PACE;
			match read {
				Ok(duties) => {
					self.prepare(head.number, &duties);
					self.act(Some(&duties), &outbox);
					seen = Some(duties);
					again = Some(Instant::now() + AGAIN);
				}
				// The finalised ones tell of a node that is away.
				Err(error) => debug!(block = head.number, "a best block was not read: {error}"),
			}
		}
	}

	async fn read(&self, chain: &Chain, head: Block) -> Result<PeerDuties, ReadError> {
		chain.view(head).duties(self.identity.peer).await
	}

	fn act(&self, duties: Option<&PeerDuties>, outbox: &Outbox) {
		if let Some(duties) = duties {
			self.go_live(duties, |deal, call| outbox.send(Kind::GoLive, deal, call));
		}
	}

	/// Has the packages made ready that the peer needs if a block stays.
	pub fn prepare(&self, block: BlockNumber, duties: &PeerDuties) {
		// To see what stands, and for nobody else.
		let snapshot = Snapshot::new(block, duties, &self.identity.key.public());
		let wanted = staged::wanted(&snapshot, |hash| self.packages.ready(hash).is_ok());
		self.packages.want_ahead(&wanted.iter().collect::<Vec<_>>());
	}

	/// Goes live in the deals that wait for it and whose package can be called.
	pub fn go_live(&self, duties: &PeerDuties, send: impl Fn(DealId, Call)) {
		for assignment in &duties.assignments {
			let WorkerStatus::Assigned { deadline } = assignment.worker.status else {
				continue;
			};
			let in_time = duties.epoch.info.index <= deadline;
			if in_time && self.packages.ready(assignment.package.hash).is_ok() {
				let Identity { genesis, peer, key } = &self.identity;
				let deal = assignment.deal;
				let signature = key.sign_hash(go_live_hash(*genesis, *peer, deal, deadline));
				send(deal, calls::market::go_live(*peer, deal, signature));
			}
		}
	}
}
