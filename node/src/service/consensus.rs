//! The tasks that make the chain go on: BABE authoring and GRANDPA voting.

use super::{
	partial::{inherents, BlockImport, JUSTIFICATION_PERIOD_BLOCKS},
	Client, Pool, SelectChain,
};
use millrace_runtime::{opaque::Block, BlockNumber};
use sc_basic_authorship::ProposerFactory;
use sc_consensus_babe::{BabeLink, BabeParams, SlotProportion};
use sc_consensus_grandpa::{
	BeforeBestBlockBy, GrandpaParams, LinkHalf, SharedVoterState,
	ThreeQuartersOfTheUnfinalizedChain, VotingRulesBuilder,
};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{
	config::Role, service::traits::NetworkService, NotificationService, ProtocolName,
};
use sc_network_sync::SyncingService;
use sc_service::TaskManager;
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;
use std::{sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

/// Part of a slot in which a block is filled. The other half is for the others to fetch and
/// execute it before the next slot, full blocks with audits included.
const PROPOSAL_PART: f32 = 0.5;

/// How long a vote is expected to travel.
const GOSSIP: Duration = Duration::from_millis(333);

/// Blocks that a vote on finality is behind the best one. Whoever has not got the newest block yet has its
/// parent.
const VOTES_BEHIND: BlockNumber = 1;

/// What authoring needs.
pub(super) struct Authoring {
	/// The client.
	pub(super) client: Arc<Client>,
	/// Transactions to choose from, duties first by their priority.
	pub(super) pool: Arc<Pool>,
	/// Holds the BABE key.
	pub(super) keystore: KeystorePtr,
	/// Picks the parent.
	pub(super) select_chain: SelectChain,
	/// Where blocks go.
	pub(super) block_import: BlockImport,
	/// What authoring and import share.
	pub(super) link: BabeLink<Block>,
	/// Tells whether the node is still catching up.
	pub(super) sync: Arc<SyncingService<Block>>,
	/// Author without peers.
	pub(super) force: bool,
	/// Metrics.
	pub(super) registry: Option<Registry>,
	/// Telemetry.
	pub(super) telemetry: Option<TelemetryHandle>,
}

/// Starts authoring.
pub(super) fn start_authoring(
	task_manager: &TaskManager,
	parts: Authoring,
) -> Result<(), sc_service::Error> {
	let env = ProposerFactory::new(
		task_manager.spawn_handle(),
		parts.client.clone(),
		parts.pool,
		parts.registry.as_ref(),
		parts.telemetry.clone(),
	);
	let slot_duration = parts.link.config().slot_duration();
	let babe = sc_consensus_babe::start_babe(BabeParams {
		keystore: parts.keystore,
		client: parts.client,
		select_chain: parts.select_chain,
		env,
		block_import: parts.block_import,
		sync_oracle: parts.sync.clone(),
		justification_sync_link: parts.sync,
		create_inherent_data_providers: inherents(slot_duration),
		force_authoring: parts.force,
		// A chain that does not finalise grows slower, so that its end stays within reach.
		backoff_authoring_blocks: Some(
			BackoffAuthoringOnFinalizedHeadLagging::<BlockNumber>::default(),
		),
		babe_link: parts.link,
		block_proposal_slot_portion: SlotProportion::new(PROPOSAL_PART),
		// After empty slots a block may take longer: one heavy block must not stop the chain.
		max_block_proposal_slot_portion: None,
		telemetry: parts.telemetry,
	})?;
	// Essential: a validator that cannot author should be seen to be down.
	task_manager.spawn_essential_handle().spawn_blocking(
		"babe-proposer",
		Some("block-authoring"),
		babe,
	);
	Ok(())
}

/// What voting needs.
pub(super) struct Voting {
	/// Validator or not.
	pub(super) role: Role,
	/// Name of the node in logs of others.
	pub(super) name: String,
	/// Holds the GRANDPA key; `None`: follow only.
	pub(super) keystore: Option<KeystorePtr>,
	/// What voting and import share.
	pub(super) link: LinkHalf<Block, Client, SelectChain>,
	/// Peers.
	pub(super) network: Arc<dyn NetworkService>,
	/// Asks for blocks that votes name.
	pub(super) sync: Arc<SyncingService<Block>>,
	/// Name of the protocol.
	pub(super) protocol: ProtocolName,
	/// Its messages.
	pub(super) notifications: Box<dyn NotificationService>,
	/// What the RPC shows of rounds.
	pub(super) voter_state: SharedVoterState,
	/// Where reports of equivocations go.
	pub(super) transactions: OffchainTransactionPoolFactory<Block>,
	/// Metrics.
	pub(super) registry: Option<Registry>,
	/// Telemetry.
	pub(super) telemetry: Option<TelemetryHandle>,
}

/// Starts voting, or following the votes.
pub(super) fn start_voting(
	task_manager: &TaskManager,
	parts: Voting,
) -> Result<(), sc_service::Error> {
	let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
		config: sc_consensus_grandpa::Config {
			gossip_duration: GOSSIP,
			justification_generation_period: JUSTIFICATION_PERIOD_BLOCKS,
			observer_enabled: false,
			local_role: parts.role,
			name: Some(parts.name),
			keystore: parts.keystore,
			telemetry: parts.telemetry.clone(),
			protocol_name: parts.protocol,
		},
		link: parts.link,
		network: parts.network,
		sync: parts.sync,
		notification_service: parts.notifications,
		voting_rule: VotingRulesBuilder::new()
			.add(BeforeBestBlockBy(VOTES_BEHIND))
			.add(ThreeQuartersOfTheUnfinalizedChain)
			.build(),
		prometheus_registry: parts.registry,
		shared_voter_state: parts.voter_state,
		telemetry: parts.telemetry,
		offchain_tx_pool_factory: parts.transactions,
	})?;
	// Essential: a node whose voter is gone would never finalise again.
	task_manager
		.spawn_essential_handle()
		.spawn_blocking("grandpa-voter", None, voter);
	Ok(())
}
