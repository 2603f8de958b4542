//! Keeps RandomX caches filled, so that no block waits for one.
//!
//! Filling the cache of a seed takes about a second. The seed of an epoch is known in its first
//! block and first hashed under in the answers to the next epoch's audits: time enough to fill the
//! cache here, on a thread of its own, instead of while a block is imported or authored.

use crate::service::Client;
use futures::StreamExt;
use millrace_primitives::{epoch::EpochStatus, H256};
use millrace_runtime::Hash;
use pallet_epochs::runtime_api::EpochsApi;
use sc_client_api::BlockchainEvents;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

const LOG_TARGET: &str = "randomx";

/// Follows the best chain and fills the caches of each new seed and of the one before. Blocks its
/// thread while it fills.
pub(crate) async fn run(client: Arc<Client>) {
	let mut blocks = client.import_notification_stream();
	let mut filled = None;
	fill_at(&client, client.info().best_hash, &mut filled);
	while let Some(block) = blocks.next().await {
		if block.is_new_best {
			fill_at(&client, block.hash, &mut filled);
		}
	}
}

fn fill_at(client: &Client, at: Hash, filled: &mut Option<H256>) {
	let Some(status) = status(client, at) else {
		return;
	};
	if *filled == Some(status.seed) {
		return;
	}
	// Held already, unless the node has just started or two forks took turns.
	if let Some(previous) = previous_seed(client, &status) {
		fill(previous);
	}
	fill(status.seed);
	*filled = Some(status.seed);
}

fn status(client: &Client, at: Hash) -> Option<EpochStatus> {
	client
		.runtime_api()
		.status(at)
		.inspect_err(|error| log::debug!(target: LOG_TARGET, "No seed at {at:?}: {error}"))
		.ok()
}

// The state of the epoch's last block says it; a node that has pruned that state fills the cache
// when the first answer comes.
fn previous_seed(client: &Client, status: &EpochStatus) -> Option<H256> {
	let last_block = status
		.info
		.start
		.checked_sub(1)
		.filter(|number| *number > 0)?;
	let hash = client.hash(last_block).ok().flatten()?;
	Some(self::status(client, hash)?.seed)
}

fn fill(seed: H256) {
	if seed.is_zero() {
		return;
	}
	match millrace_host::warm(seed) {
		Ok(()) => log::debug!(target: LOG_TARGET, "Cache filled for seed {seed:?}"),
		Err(error) => log::error!(target: LOG_TARGET, "{error}"),
	}
}
