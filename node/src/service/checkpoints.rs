//! The tasks behind checkpoints: BEEFY voting, and the upkeep of the range that it signs.

use super::{network::Beefy as BeefyNetwork, Backend, Client};
use millrace_primitives::checkpoint::CHAIN_ENTRY;
use millrace_runtime::{
	opaque::{Block, Header},
	Hash,
};
use mmr_gadget::MmrGadget;
use sc_chain_spec::ChainType;
use sc_consensus_beefy::{BeefyNetworkParams, BeefyParams, BeefyRPCLinks, BeefyVoterLinks};
use sc_network::service::traits::NetworkService;
use sc_network_sync::SyncingService;
use sc_service::{Configuration, TaskManager};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::{ApiExt, ApiRef, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_consensus_beefy::{
	ecdsa_crypto::AuthorityId as BeefyId, mmr::MmrRootProvider, Payload, PayloadProvider,
};
use sp_keystore::KeystorePtr;
use std::{marker::PhantomData, sync::Arc};
use substrate_prometheus_endpoint::Registry;

/// Least distance of two checkpoints within a session, in blocks. A later one covers all that an
/// earlier one does: more of them cost votes and bring nothing but time.
const DISTANCE_BLOCKS: u32 = 8;

/// The same on development chains, where people and tests wait for them.
const SHORT_DISTANCE_BLOCKS: u32 = 2;

/// What voting and the RPC share.
pub(crate) type RpcLinks = BeefyRPCLinks<Block, BeefyId>;

/// What import and voting share.
pub(super) type VoterLinks = BeefyVoterLinks<Block, BeefyId>;

/// What validators sign of a block: the chain that it is of, and the root of the range.
#[derive(Clone)]
struct Payloads {
	genesis: Hash,
	roots: MmrRootProvider<Block, Client>,
}

impl PayloadProvider<Block> for Payloads {
	fn payload(&self, header: &Header) -> Option<Payload> {
		let root = self.roots.payload(header)?;
		Some(with_chain(root, self.genesis))
	}
}

/// Adds the entry that says for which chain a commitment is.
fn with_chain(root: Payload, genesis: Hash) -> Payload {
	root.push_raw(CHAIN_ENTRY, genesis.as_bytes().to_vec())
}

/// The runtime as voting calls it. Two votes of one validator for one block are reported by a transaction,
/// for which a call needs a pool; voting on finality brings one along, the SDK's voting on checkpoints does
/// not, so that its reports would fail.
struct Reporter {
	client: Arc<Client>,
	transactions: OffchainTransactionPoolFactory<Block>,
}

impl ProvideRuntimeApi<Block> for Reporter {
	type Api = <Client as ProvideRuntimeApi<Block>>::Api;

	fn runtime_api(&self) -> ApiRef<'_, Self::Api> {
		let mut api = self.client.runtime_api();
		let best = self.client.info().best_hash;
		api.register_extension(self.transactions.offchain_transaction_pool(best));
		api
	}
}

/// What the tasks need.
pub(super) struct Checkpoints {
	/// The client.
	pub(super) client: Arc<Client>,
	/// Its database.
	pub(super) backend: Arc<Backend>,
	/// Holds the BEEFY key; `None`: follow only.
	pub(super) keystore: Option<KeystorePtr>,
	/// What import and voting share.
	pub(super) links: VoterLinks,
	/// Peers.
	pub(super) network: Arc<dyn NetworkService>,
	/// Tells whether the node is still catching up.
	pub(super) sync: Arc<SyncingService<Block>>,
	/// The protocols.
	pub(super) protocols: BeefyNetwork,
	/// Where reports of false votes go.
	pub(super) transactions: OffchainTransactionPoolFactory<Block>,
	/// What the node was told.
	pub(super) settings: Settings,
	/// Metrics.
	pub(super) registry: Option<Registry>,
}

/// What the tasks take from the node's configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
	/// Least distance of two checkpoints within a session, in blocks.
	distance_blocks: u32,
	/// Whether blocks write their leaves beside the state.
	indexing: bool,
}

impl Settings {
	/// Of a node's configuration. Says in the log if it cannot prove what was checkpointed.
	pub(super) fn of(config: &Configuration) -> Self {
		let indexing = config.offchain_worker.indexing_enabled;
		if !indexing {
			log::warn!(
				"Offchain indexing is off: this node has no proofs for the anchor of the blocks that \
				 it imports from now on, not even when it is turned on later."
			);
		}
		if config.network.sync_mode.is_warp() || config.network.sync_mode.light_state() {
			log::warn!(
				"This node does not execute old blocks, so that it will have no proofs of them for \
				 the anchor. A validator, or a node behind a relayer, wants --sync full."
			);
		}
		Self {
			distance_blocks: distance_blocks(&config.chain_spec.chain_type()),
			indexing,
		}
	}
}

fn distance_blocks(chain: &ChainType) -> u32 {
	match chain {
		ChainType::Development | ChainType::Local => SHORT_DISTANCE_BLOCKS,
		_ => DISTANCE_BLOCKS,
	}
}

/// Starts voting, or following the votes, and the upkeep of the range.
pub(super) fn start_checkpoints(task_manager: &TaskManager, parts: Checkpoints) {
	let Checkpoints {
		client,
		backend,
		keystore,
		links,
		network,
		sync,
		protocols,
		transactions,
		settings,
		registry,
	} = parts;
	let payloads = Payloads {
		genesis: client.info().genesis_hash,
		roots: MmrRootProvider::new(client.clone()),
	};
	let reporter = Reporter {
		client: client.clone(),
		transactions,
	};
	let is_authority = keystore.is_some();
	let voter =
		sc_consensus_beefy::start_beefy_gadget::<_, _, _, _, _, _, _, BeefyId>(BeefyParams {
			client: client.clone(),
			backend: backend.clone(),
			payload_provider: payloads,
			runtime: Arc::new(reporter),
			key_store: keystore,
			network_params: BeefyNetworkParams {
				network: Arc::new(network),
				sync,
				notification_service: protocols.notifications,
				gossip_protocol_name: protocols.gossip,
				justifications_protocol_name: protocols.requests.protocol_name(),
				_phantom: PhantomData,
			},
			min_block_delta: settings.distance_blocks,
			prometheus_registry: registry,
			links,
			on_demand_justifications_handler: protocols.requests,
			is_authority,
		});
	// Essential: without a third of the voters no checkpoint is made, so that nobody may be down unseen.
	task_manager
		.spawn_essential_handle()
		.spawn_blocking("beefy-voter", None, voter);

	if settings.indexing {
		let prefix = sp_mmr_primitives::INDEXING_PREFIX.to_vec();
		// Essential: without it, proofs fail one day for leaves whose blocks are long forgotten.
		task_manager.spawn_essential_handle().spawn_blocking(
			"mmr-upkeep",
			None,
			MmrGadget::<Block, Backend, Client>::start(client, backend, prefix),
		);
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{cli::Cli, service::partial};
	use clap::Parser;
	use sc_cli::SubstrateCli;
	use sp_consensus_beefy::{
		known_payloads::MMR_ROOT_ID,
		test_utils::{signed_vote, Keyring},
		BeefyApi, DoubleVotingProof,
	};

	#[test]
	fn two_votes_for_a_block_can_be_reported_by_voting() {
		let tokio = sc_cli::build_runtime().expect("there are threads");
		let cli = Cli::parse_from(["millrace-node", "--dev"]);
		let config = cli
			.create_configuration(&cli.run, tokio.handle().clone())
			.expect("the options are right");
		let parts = partial(&config).expect("a development chain begins");
		let reporter = Reporter {
			client: parts.client.clone(),
			transactions: OffchainTransactionPoolFactory::new(parts.pool.clone()),
		};
		let genesis = parts.client.info().genesis_hash;
		let [first, second] = [1, 2].map(|byte| {
			let root = Payload::from_single_entry(MMR_ROOT_ID, vec![byte; 32]);
			signed_vote(1, with_chain(root, genesis), 0, &Keyring::<BeefyId>::Alice)
		});
		let owner = reporter
			.runtime_api()
			.generate_key_ownership_proof(genesis, 0, first.id.clone())
			.expect("the runtime answers")
			.expect("the key has a seat");
		// Whether the pool takes it is the pool's affair. Without one the call itself fails.
		let proof = DoubleVotingProof { first, second };
		let reported = reporter
			.runtime_api()
			.submit_report_double_voting_unsigned_extrinsic(genesis, proof, owner);
		assert!(reported.is_ok(), "{reported:?}");
		drop(parts);
		tokio.shutdown_background();
	}

	#[test]
	fn a_payload_has_two_entries_in_their_order() {
		let [genesis, root] = [1, 2].map(Hash::repeat_byte);
		let only_root = Payload::from_single_entry(MMR_ROOT_ID, root.as_bytes().to_vec());
		let payload = with_chain(only_root, genesis);
		let expected = Payload::from_single_entry(CHAIN_ENTRY, genesis.as_bytes().to_vec())
			.push_raw(MMR_ROOT_ID, root.as_bytes().to_vec());
		assert_eq!(payload, expected);
		assert_eq!(payload.get_raw(&CHAIN_ENTRY), Some(&vec![1; 32]));
		assert_eq!(payload.get_raw(&MMR_ROOT_ID), Some(&vec![2; 32]));
	}

	#[test]
	fn checkpoints_are_closer_on_development_chains() {
		let blocks = [
			ChainType::Development,
			ChainType::Local,
			ChainType::Live,
			ChainType::Custom("Testnet".into()),
		]
		.map(|chain| distance_blocks(&chain));
		assert_eq!(blocks, [2, 2, 8, 8]);
	}
}
