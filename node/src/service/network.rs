//! The network: block and transaction gossip, warp sync, and GRANDPA's own protocol.

use super::{Backend, Client, Pool, SelectChain};
use millrace_runtime::{opaque::Block, Hash};
use sc_consensus::DefaultImportQueue;
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

	let grandpa_protocol = sc_consensus_grandpa::protocol_standard_name(
		&client.info().genesis_hash,
		&config.chain_spec,
	);
	let (grandpa_config, grandpa_notifications) =
		sc_consensus_grandpa::grandpa_peers_set_config::<Block, N>(
			grandpa_protocol.clone(),
			metrics.clone(),
			net_config.peer_store_handle(),
		);
	net_config.add_notification_protocol(grandpa_config);

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
	})
}
