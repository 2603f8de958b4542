//! The node's parts and how they are put together.
//!
//! [`partial`] makes what subcommands need; [`full`] adds network, RPC, authoring and finality.

mod checkpoints;
mod consensus;
mod network;
mod partial;

pub(crate) use checkpoints::RpcLinks;
pub(crate) use partial::{partial, Partial};

use crate::{executor::Executor, randomx, rpc};
use checkpoints::{start_checkpoints, Checkpoints, Settings};
use consensus::{start_authoring, start_voting, Authoring, Voting};
use futures::FutureExt;
use millrace_runtime::{opaque::Block, Hash, RuntimeApi};
use network::Network;
use sc_client_api::Backend as _;
use sc_consensus_grandpa::{FinalityProofProvider, SharedVoterState};
use sc_network::{service::traits::NetworkService, NetworkBackend};
use sc_rpc::SubscriptionTaskExecutor;
use sc_service::{Configuration, SpawnTasksParams, TaskManager};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use std::sync::Arc;

/// Host functions of the runtime: the SDK's and ours.
#[cfg(not(feature = "runtime-benchmarks"))]
pub(crate) type HostFunctions = (sp_io::SubstrateHostFunctions, millrace_host::HostFunctions);
/// Host functions of a runtime that can be measured: it asks for those of benchmarks besides.
#[cfg(feature = "runtime-benchmarks")]
pub(crate) type HostFunctions = (
	sp_io::SubstrateHostFunctions,
	frame_benchmarking::benchmarking::HostFunctions,
	millrace_host::HostFunctions,
);
/// Client of the chain that this node keeps.
pub(crate) type Client = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// Its database.
pub(crate) type Backend = sc_service::TFullBackend<Block>;
/// Rule by which it picks the best chain; BABE weighs the chains that it sees.
pub(crate) type SelectChain = sc_consensus::LongestChain<Backend, Block>;
/// Transactions that wait for a block.
pub(crate) type Pool = sc_transaction_pool::TransactionPoolHandle<Block, Client>;

/// Starts a node over a network backend.
pub(crate) fn full<N>(config: Configuration) -> Result<TaskManager, sc_service::Error>
where
	N: NetworkBackend<Block, Hash>,
{
	let Partial {
		client,
		backend,
		mut task_manager,
		keystore,
		select_chain,
		import_queue,
		pool,
		babe,
		grandpa_link,
		beefy_voter,
		beefy_rpc,
		mut telemetry,
	} = partial(&config)?;

	// Before the first block comes.
	randomx::start(&client, &task_manager, config.prometheus_registry())?;
	let Network {
		service,
		sync,
		system_rpc,
		transactions,
		grandpa_protocol,
		grandpa_notifications,
		beefy: beefy_protocols,
	} = network::start::<N>(
		&config,
		&client,
		&backend,
		&pool,
		&task_manager,
		&grandpa_link,
		import_queue,
	)?;

	if config.offchain_worker.enabled {
		start_offchain_workers(
			&config,
			&client,
			&backend,
			&pool,
			&keystore,
			&service,
			&task_manager,
		)?;
	}

	let voter_state = SharedVoterState::empty();
	let rpc_builder = {
		let deps = rpc::Deps {
			client: client.clone(),
			pool: pool.clone(),
			subscriptions: rpc::Subscriptions::start(&client, &task_manager),
			chain_spec: config.chain_spec.cloned_box(),
			keystore: keystore.clone(),
			select_chain: select_chain.clone(),
			babe_worker: babe.worker.clone(),
			voter_state: voter_state.clone(),
			authority_set: grandpa_link.shared_authority_set().clone(),
			justifications: grandpa_link.justification_stream(),
			finality_proofs: FinalityProofProvider::new_for_service(
				backend.clone(),
				Some(grandpa_link.shared_authority_set().clone()),
			),
			checkpoints: beefy_rpc,
			leaves: backend
				.offchain_storage()
				.ok_or("the database has no room beside the state, where leaves are kept")?,
		};
		Box::new(move |executor: SubscriptionTaskExecutor| {
			rpc::create(&deps, executor).map_err(sc_service::Error::Application)
		})
	};

	let role = config.role;
	let name = config.network.node_name.clone();
	let force_authoring = config.force_authoring;
	let vote = !config.disable_grandpa;
	let registry = config.prometheus_registry().cloned();
	let checkpoint_settings = Settings::of(&config);

	sc_service::spawn_tasks(SpawnTasksParams {
		config,
		client: client.clone(),
		backend: backend.clone(),
		task_manager: &mut task_manager,
		keystore: keystore.clone(),
		transaction_pool: pool.clone(),
		rpc_builder,
		network: service.clone(),
		system_rpc_tx: system_rpc,
		tx_handler_controller: transactions,
		sync_service: sync.clone(),
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	let telemetry = telemetry.as_ref().map(|telemetry| telemetry.handle());
	// Without a key the node only follows what the others vote.
	let voting_keys = role.is_authority().then(|| keystore.clone());
	start_checkpoints(
		&task_manager,
		Checkpoints {
			client: client.clone(),
			backend,
			keystore: voting_keys.clone(),
			links: beefy_voter,
			network: service.clone(),
			sync: sync.clone(),
			protocols: beefy_protocols,
			transactions: OffchainTransactionPoolFactory::new(pool.clone()),
			settings: checkpoint_settings,
			registry: registry.clone(),
		},
	);
	if role.is_authority() {
		start_authoring(
			&task_manager,
			Authoring {
				client,
				pool: pool.clone(),
				keystore,
				select_chain,
				block_import: babe.block_import,
				link: babe.link,
				sync: sync.clone(),
				force: force_authoring,
				registry: registry.clone(),
				telemetry: telemetry.clone(),
			},
		)?;
	}
	if vote {
		start_voting(
			&task_manager,
			Voting {
				role,
				name,
				keystore: voting_keys,
				link: grandpa_link,
				network: service,
				sync,
				protocol: grandpa_protocol,
				notifications: grandpa_notifications,
				voter_state,
				transactions: OffchainTransactionPoolFactory::new(pool),
				registry,
				telemetry,
			},
		)?;
	}
	Ok(task_manager)
}

// Without HTTP: nothing in the runtime asks the outside world.
fn start_offchain_workers(
	config: &Configuration,
	client: &Arc<Client>,
	backend: &Arc<Backend>,
	pool: &Arc<Pool>,
	keystore: &sp_keystore::KeystorePtr,
	network: &Arc<dyn NetworkService>,
	task_manager: &TaskManager,
) -> Result<(), sc_service::Error> {
	let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
		runtime_api_provider: client.clone(),
		keystore: Some(keystore.clone()),
		offchain_db: backend.offchain_storage(),
		transaction_pool: Some(OffchainTransactionPoolFactory::new(pool.clone())),
		network_provider: Arc::new(network.clone()),
		is_validator: config.role.is_authority(),
		enable_http_requests: false,
		custom_extensions: |_| Vec::new(),
	})?;
	task_manager.spawn_handle().spawn(
		"offchain-workers-runner",
		Some("offchain-worker"),
		workers
			.run(client.clone(), task_manager.spawn_handle())
			.boxed(),
	);
	Ok(())
}
