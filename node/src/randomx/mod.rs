//! RandomX in the node: caches of the current seeds, and what is told of them and of replays.

mod metrics;
mod service;

use crate::service::Client;
use sc_service::TaskManager;
use std::sync::Arc;
use substrate_prometheus_endpoint::Registry;

const LOG_TARGET: &str = "randomx";

/// Names the current seeds to the host functions and goes on to do so, keeping their caches filled,
/// on a thread of its own.
///
/// To be called before the node gets its first block: a block that needs a cache then waits at most
/// for a fill that has begun.
pub(crate) fn start(
	client: &Arc<Client>,
	task_manager: &TaskManager,
	registry: Option<&Registry>,
) -> Result<(), sc_service::Error> {
	match millrace_host::statistics().interpreted {
		true => log::warn!(
			target: LOG_TARGET,
			"RandomX is interpreted, seven times slower: no executable memory may be had, or an option \
			says so. A block with four audit answers takes seconds: do not validate so.",
		),
		false => log::debug!(target: LOG_TARGET, "RandomX is compiled"),
	}
	if let Some(registry) = registry {
		metrics::register(registry)?;
	}
	let mut seeds = service::Seeds::new(client.clone());
	seeds.admit();
	task_manager
		.spawn_handle()
		.spawn_blocking("randomx-cache", None, seeds.run());
	Ok(())
}
