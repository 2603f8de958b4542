//! Keeps the caches of current seeds filled, so that no block waits for one.
//!
//! Filling the cache of a seed takes about a second. The seed of an epoch is known in its first
//! block and first hashed under in the answers to the next epoch's audits: time enough to fill the
//! cache here, on a thread of its own, instead of while a block is imported or authored.

use super::LOG_TARGET;
use crate::service::Client;
use futures::{FutureExt, StreamExt};
use millrace_primitives::H256;
use millrace_runtime::{opaque::Block, Hash};
use pallet_epochs::runtime_api::EpochsApi;
use sc_client_api::{BlockchainEvents, ImportNotifications};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::{sync::Arc, time::Duration};
use tokio::time::{interval, MissedTickBehavior};

/// Time between two looks for a cache that nobody needs.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Time after which nobody needs a cache that is not current.
const IDLE: Duration = Duration::from_secs(600);

/// The current seeds, as the best chain has them.
pub(super) struct Seeds {
	client: Arc<Client>,
	imports: ImportNotifications<Block>,
	/// That of the present epoch, and that of the one before if there is one.
	current: Vec<H256>,
}

impl Seeds {
	/// Listens to blocks from now on.
	pub(super) fn new(client: Arc<Client>) -> Self {
		Self {
			imports: client.import_notification_stream(),
			client,
			current: Vec::new(),
		}
	}

	/// Follows the best chain. Blocks its thread while it fills.
	pub(super) async fn run(mut self) {
		self.fill();
		let mut tidy = interval(TIDY_EVERY);
		tidy.set_missed_tick_behavior(MissedTickBehavior::Delay);
		loop {
			tokio::select! {
				block = self.imports.next() => {
					if block.is_none() {
						return;
					}
					// After a fill many may have come, of which only the last one counts.
					while self.imports.next().now_or_never().flatten().is_some() {}
					if self.admit() {
						self.fill();
					}
				},
				_ = tidy.tick() => {
					millrace_host::tidy(IDLE);
					// There may have been no memory for one.
					self.fill();
				},
			}
		}
	}

	/// Reads the seeds at the best block and admits them; whether they have changed.
	pub(super) fn admit(&mut self) -> bool {
		let best = self.client.info().best_hash;
		let Some(seeds) = self.read(best) else {
			return false;
		};
		if seeds == self.current {
			return false;
		}
		millrace_host::admit(&seeds);
		self.current = seeds;
		true
	}

	// Answers of the epoch before come first, those of the present one an epoch later.
	fn fill(&self) {
		for seed in self.current.iter().rev() {
			if let Err(error) = millrace_host::warm(*seed) {
				log::error!(target: LOG_TARGET, "{error}");
			}
		}
	}

	fn read(&self, at: Hash) -> Option<Vec<H256>> {
		let unread = |error: &sp_api::ApiError| {
			log::debug!(target: LOG_TARGET, "No seed at {at:?}: {error}");
		};
		let api = self.client.runtime_api();
		let status = api.status(at).inspect_err(unread).ok()?;
		let before = status.info.index.checked_sub(1);
		let before = before.and_then(|epoch| api.seed(at, epoch).inspect_err(unread).ok()?);
		let mut seeds = vec![status.seed];
		seeds.extend(before);
		// The chain's first seed may not be known yet.
		seeds.retain(|seed| !seed.is_zero());
		Some(seeds)
	}
}
