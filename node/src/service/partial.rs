//! What a subcommand needs that touches the database: client, transaction pool, import queue.

use super::{
	checkpoints::{RpcLinks, VoterLinks},
	Backend, Client, Pool, SelectChain,
};
use crate::executor::Executor;
use millrace_runtime::{opaque::Block, Hash, RuntimeApi};
use sc_consensus::DefaultImportQueue;
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, ImportQueueParams};
use sc_consensus_beefy::{beefy_block_import_and_links, import::BeefyBlockImport};
use sc_consensus_grandpa::{GrandpaBlockImport, GrandpaPruningFilter, LinkHalf};
use sc_service::{Configuration, TaskManager};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::{
	inherents::{BabeCreateInherentDataProviders, InherentDataProvider as BabeSlot},
	SlotDuration,
};
use sp_consensus_beefy::{ecdsa_crypto::AuthorityId as BeefyId, BEEFY_ENGINE_ID};
use sp_keystore::KeystorePtr;
use sp_runtime::Justifications;
use std::sync::Arc;

/// Blocks between justifications that are kept when a chain is synced.
pub(super) const JUSTIFICATION_PERIOD_BLOCKS: u32 = 512;

/// Messages to telemetry that may wait; more are dropped.
const TELEMETRY_BUFFER: usize = 16;

/// Finality's part of block import.
type Grandpa = GrandpaBlockImport<Backend, Block, Client, SelectChain>;
/// Checkpoints' part, which takes their signatures out of a block before finality sees it.
type Checkpointed = BeefyBlockImport<Block, Backend, Client, Grandpa, BeefyId>;
/// The whole of block import: BABE's checks around checkpoints' around finality's around the client.
pub(super) type BlockImport = BabeBlockImport<
	Block,
	Client,
	Checkpointed,
	BabeCreateInherentDataProviders<Block>,
	SelectChain,
>;

/// Authoring's half of the node.
pub(crate) struct Babe {
	/// Where authored blocks go.
	pub(super) block_import: BlockImport,
	/// What authoring and import share.
	pub(super) link: BabeLink<Block>,
	/// Answers about sessions.
	pub(super) worker: BabeWorkerHandle<Block>,
}

/// The parts that exist without a network.
pub(crate) struct Partial {
	/// The client.
	pub(crate) client: Arc<Client>,
	/// Its database.
	pub(crate) backend: Arc<Backend>,
	/// Owner of all background tasks.
	pub(crate) task_manager: TaskManager,
	/// The node's session keys.
	pub(crate) keystore: KeystorePtr,
	/// Picks the best chain.
	pub(crate) select_chain: SelectChain,
	/// Checks and imports blocks of others.
	pub(crate) import_queue: DefaultImportQueue<Block>,
	/// Transactions that wait.
	pub(crate) pool: Arc<Pool>,
	/// Authoring's half.
	pub(crate) babe: Babe,
	/// Finality's half.
	pub(crate) grandpa_link: LinkHalf<Block, Client, SelectChain>,
	/// What import and voting on checkpoints share.
	pub(super) beefy_voter: VoterLinks,
	/// What voting on checkpoints and the RPC share.
	pub(super) beefy_rpc: RpcLinks,
	/// Telemetry, if the configuration names an endpoint.
	pub(crate) telemetry: Option<Telemetry>,
}

/// Opens the database and makes the parts around it.
pub(crate) fn partial(config: &Configuration) -> Result<Partial, sc_service::Error> {
	let telemetry = telemetry(config)?;
	let executor = Executor::configured(&config.executor);
	let (client, backend, keystore, task_manager) =
		sc_service::new_full_parts::<Block, RuntimeApi, _>(
			config,
			telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
			executor,
			// Warp sync proves itself by justifications, and a contract that is sessions behind catches up by
			// the signatures of each session's first block: pruning must leave both.
			vec![Arc::new(GrandpaPruningFilter), Arc::new(is_signed)],
		)?;
	let client = Arc::new(client);
	let telemetry = telemetry.map(|(worker, telemetry)| {
		task_manager
			.spawn_handle()
			.spawn("telemetry", None, worker.run());
		telemetry
	});
	let handle = telemetry.as_ref().map(|telemetry| telemetry.handle());

	let select_chain = SelectChain::new(backend.clone());
	let pool = Arc::new(
		sc_transaction_pool::Builder::new(
			task_manager.spawn_essential_handle(),
			client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry())
		.build(),
	);

	let (grandpa, grandpa_link) = sc_consensus_grandpa::block_import(
		client.clone(),
		JUSTIFICATION_PERIOD_BLOCKS,
		&client,
		select_chain.clone(),
		handle.clone(),
	)?;
	let (checkpointed, beefy_voter, beefy_rpc) = beefy_block_import_and_links(
		grandpa.clone(),
		backend.clone(),
		client.clone(),
		config.prometheus_registry().cloned(),
	);
	let babe_config = sc_consensus_babe::configuration(&*client)?;
	let slot_duration = babe_config.slot_duration();
	let (block_import, link) = sc_consensus_babe::block_import(
		babe_config,
		checkpointed,
		client.clone(),
		inherents(slot_duration),
		select_chain.clone(),
		OffchainTransactionPoolFactory::new(pool.clone()),
	)?;
	let (import_queue, worker) = sc_consensus_babe::import_queue(ImportQueueParams {
		link: link.clone(),
		block_import: block_import.clone(),
		justification_import: Some(Box::new(grandpa)),
		client: client.clone(),
		slot_duration,
		spawner: &task_manager.spawn_essential_handle(),
		registry: config.prometheus_registry(),
		telemetry: handle,
	})?;

	Ok(Partial {
		client,
		backend,
		task_manager,
		keystore: keystore.keystore(),
		select_chain,
		import_queue,
		pool,
		babe: Babe {
			block_import,
			link,
			worker,
		},
		grandpa_link,
		beefy_voter,
		beefy_rpc,
		telemetry,
	})
}

/// Whether validators have signed a block for the anchor. Nobody can make these signatures a second time.
fn is_signed(justifications: &Justifications) -> bool {
	justifications.get(BEEFY_ENGINE_ID).is_some()
}

/// What every block states about its time: the slot and the author's clock.
pub(super) fn inherents(slot_duration: SlotDuration) -> BabeCreateInherentDataProviders<Block> {
	Arc::new(move |_parent: Hash, _: ()| async move {
		let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
		let slot = BabeSlot::from_timestamp_and_slot_duration(*timestamp, slot_duration);
		Ok::<_, Box<dyn std::error::Error + Send + Sync>>((slot, timestamp))
	})
}

fn telemetry(
	config: &Configuration,
) -> Result<Option<(TelemetryWorker, Telemetry)>, sc_telemetry::Error> {
	config
		.telemetry_endpoints
		.clone()
		.filter(|endpoints| !endpoints.is_empty())
		.map(|endpoints| -> Result<_, sc_telemetry::Error> {
			let worker = TelemetryWorker::new(TELEMETRY_BUFFER)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Ok((worker, telemetry))
		})
		.transpose()
}

#[cfg(test)]
mod tests {
	use super::*;
	use sc_service::PruningFilter;

	#[test]
	fn blocks_that_were_signed_for_the_anchor_are_kept() {
		let filter: Arc<dyn PruningFilter> = Arc::new(is_signed);
		let of_finality = (*b"FRNK", vec![1]);
		let mut justifications = Justifications::from(of_finality);
		assert!(!filter.should_retain(&justifications));
		assert!(justifications.append((BEEFY_ENGINE_ID, vec![2])));
		assert!(filter.should_retain(&justifications));
	}
}
