//! The network: block and transaction gossip, warp sync, and the protocols of GRANDPA and BEEFY.

use super::{Backend, Client, Pool, SelectChain};
use millrace_runtime::{opaque::Block, Hash};
use sc_consensus::DefaultImportQueue;
use sc_consensus_beefy::communication::{
	beefy_peers_set_config, request_response::BeefyJustifsRequestHandler,
};
use sc_consensus_grandpa::{warp_proof, LinkHalf};
use sc_network::{
	config::FullNetworkConfiguration, service::traits::NetworkService, NetworkBackend,
	NotificationService, ProtocolName,
};
use sc_network_sync::SyncingService;
use sc_network_transactions::TransactionsHandlerController;
use sc_service::{BuildNetworkParams, Configuration, TaskManager, WarpSyncConfig};
use sc_utils::mpsc::TracingUnboundedSender;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// The running network's handles.
pub(super) struct Network {
	/// Peers and protocols.
	pub(super) service: Arc<dyn NetworkService>,
	/// Block synchronisation.
	pub(super) sync: Arc<SyncingService<Block>>,
	/// Questions of the system RPC.
	pub(super) system_rpc: TracingUnboundedSender<sc_rpc::system::Request<Block>>,
	/// Transaction gossip.
	pub(super) transactions: TransactionsHandlerController<Hash>,
	/// Name of GRANDPA's protocol on this chain.
	pub(super) grandpa_protocol: ProtocolName,
	/// Messages of that protocol.
	pub(super) grandpa_notifications: Box<dyn NotificationService>,
	/// The same of checkpoints.
	pub(super) beefy: Beefy,
}

/// Protocols of checkpoints.
pub(super) struct Beefy {
	/// Name of the votes' protocol on this chain.
	pub(super) gossip: ProtocolName,
	/// Messages of that protocol.
	pub(super) notifications: Box<dyn NotificationService>,
	/// Answers others who ask for a checkpoint's signatures.
	pub(super) requests: BeefyJustifsRequestHandler<Block, Client>,
}

/// Starts it.
pub(super) fn start<N>(
	config: &Configuration,
	client: &Arc<Client>,
	backend: &Arc<Backend>,
	pool: &Arc<Pool>,
	task_manager: &TaskManager,
	grandpa_link: &LinkHalf<Block, Client, SelectChain>,
	import_queue: DefaultImportQueue<Block>,
) -> Result<Network, sc_service::Error>
where
	N: NetworkBackend<Block, Hash>,
{
	let registry = config.prometheus_registry();
	let metrics = N::register_notification_metrics(registry);
	let mut net_config =
		FullNetworkConfiguration::<Block, Hash, N>::new(&config.network, registry.cloned());

	let genesis = client.info().genesis_hash;
	let grandpa_protocol =
		sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
	let (grandpa_config, grandpa_notifications) =
		sc_consensus_grandpa::grandpa_peers_set_config::<Block, N>(
			grandpa_protocol.clone(),
			metrics.clone(),
			net_config.peer_store_handle(),
		);
	net_config.add_notification_protocol(grandpa_config);

	let fork = config.chain_spec.fork_id();
	let beefy_gossip = sc_consensus_beefy::gossip_protocol_name(genesis, fork);
	let (beefy_config, beefy_notifications) = beefy_peers_set_config::<Block, N>(
		beefy_gossip.clone(),
		metrics.clone(),
		net_config.peer_store_handle(),
	);
	net_config.add_notification_protocol(beefy_config);
	let (beefy_requests, beefy_requests_config) =
		BeefyJustifsRequestHandler::new::<_, N>(genesis, fork, client.clone(), registry.cloned());
	net_config.add_request_response_protocol(beefy_requests_config);

	let warp_sync = Arc::new(warp_proof::NetworkProvider::new(
		backend.clone(),
		grandpa_link.shared_authority_set().clone(),
		Vec::new(),
	));
	// The last part serves IPFS, which indexes storage transactions: this chain has none.
	let (service, system_rpc, transactions, sync, _) =
		sc_service::build_network(BuildNetworkParams {
			config,
			net_config,
			client: client.clone(),
			transaction_pool: pool.clone(),
			spawn_handle: task_manager.spawn_handle(),
			spawn_essential_handle: task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;

	Ok(Network {
		service,
		sync,
		system_rpc,
		transactions,
		grandpa_protocol,
		grandpa_notifications,
		beefy: Beefy {
			gossip: beefy_gossip,
			notifications: beefy_notifications,
			requests: beefy_requests,
		},
	})
}
