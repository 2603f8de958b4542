//! JSON-RPC methods beside those that every Substrate node has.
//!
//! Ours are `epochs_*`, `capacity_*`, `market_*`, `receipts_*` and `validators_*`: runtime APIs as
//! JSON, read at the last finalised block unless a block hash is given; and `anchor_*`, which the
//! relayer beside a validator asks. The others come with the SDK.

mod anchor;
mod capacity;
mod chain;
mod epochs;
mod error;
mod market;
mod receipts;
mod subscriptions;
mod validators;

pub(crate) use subscriptions::Subscriptions;

use crate::service::{Backend, Client, Pool, RpcLinks, SelectChain};
use anchor::{Anchor, AnchorRpcServer};
use capacity::{Capacity, CapacityRpcServer};
use chain::Chain;
use epochs::{Epochs, EpochsRpcServer};
use jsonrpsee::RpcModule;
use market::{Market, MarketRpcServer};
use millrace_runtime::{opaque::Block, AccountId, BlockNumber, Hash, Nonce};
use mmr_rpc::{Mmr, MmrApiServer};
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use receipts::{Receipts, ReceiptsRpcServer};
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_beefy_rpc::{Beefy, BeefyApiServer};
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
use sp_consensus_beefy::ecdsa_crypto::AuthorityId as BeefyId;
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};
use validators::{Validators, ValidatorsRpcServer};

/// What the methods read.
pub(crate) struct Deps {
	/// The client.
	pub(crate) client: Arc<Client>,
	/// Transactions that wait.
	pub(crate) pool: Arc<Pool>,
	/// What subscriptions share. There is one module for the network and one inside the process.
	pub(crate) subscriptions: Subscriptions,
	/// The chain's specification.
	pub(crate) chain_spec: Box<dyn sc_chain_spec::ChainSpec>,
	/// The node's session keys.
	pub(crate) keystore: KeystorePtr,
	/// Picks the best chain.
	pub(crate) select_chain: SelectChain,
	/// Answers about sessions.
	pub(crate) babe_worker: BabeWorkerHandle<Block>,
	/// State of the rounds.
	pub(crate) voter_state: SharedVoterState,
	/// Who votes.
	pub(crate) authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	/// Justifications as they come.
	pub(crate) justifications: GrandpaJustificationStream<Block>,
	/// Proofs of finality.
	pub(crate) finality_proofs: Arc<FinalityProofProvider<Backend, Block>>,
	/// Checkpoints as they come.
	pub(crate) checkpoints: RpcLinks,
	/// Leaves of the range that checkpoints are roots of.
	pub(crate) leaves: Leaves,
}

/// The database's room beside the state.
type Leaves = <Backend as sc_client_api::Backend<Block>>::OffchainStorage;

/// All methods that this node adds.
pub(crate) fn create(
	deps: &Deps,
	executor: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
	let mut module = RpcModule::new(());
	let chain = Chain::new(
		deps.client.clone(),
		deps.subscriptions.clone(),
		executor.clone(),
	);
	module.merge(Epochs::new(chain.clone()).into_rpc())?;
	module.merge(Capacity::new(chain.clone()).into_rpc())?;
	module.merge(Market::new(chain.clone()).into_rpc())?;
	module.merge(Receipts::new(chain.clone()).into_rpc())?;
	module.merge(Anchor::new(chain.clone(), deps.keystore.clone()).into_rpc())?;
	module.merge(Validators::new(chain).into_rpc())?;

	let system = System::<Pool, Client, Block>::new(deps.client.clone(), deps.pool.clone());
	module.merge(SystemApiServer::<Hash, AccountId, Nonce>::into_rpc(system))?;
	let payment = TransactionPayment::<Client, Block>::new(deps.client.clone());
	module.merge(TransactionPaymentApiServer::<Hash, _>::into_rpc(payment))?;
	module.merge(
		Babe::new(
			deps.client.clone(),
			deps.babe_worker.clone(),
			deps.keystore.clone(),
			deps.select_chain.clone(),
		)
		.into_rpc(),
	)?;
	module.merge(
		Beefy::<Block, BeefyId>::new(
			deps.checkpoints.from_voter_justif_stream.clone(),
			deps.checkpoints.from_voter_best_beefy_stream.clone(),
			executor.clone(),
		)?
		.into_rpc(),
	)?;
	let mmr = Mmr::<Client, (Block, Hash), Leaves>::new(deps.client.clone(), deps.leaves.clone());
	module.merge(MmrApiServer::<Hash, BlockNumber, Hash>::into_rpc(mmr))?;
	module.merge(
		Grandpa::new(
			executor,
			deps.authority_set.clone(),
			deps.voter_state.clone(),
			deps.justifications.clone(),
			deps.finality_proofs.clone(),
		)
		.into_rpc(),
	)?;
	module.merge(
		SyncState::new(
			deps.chain_spec.cloned_box(),
			deps.client.clone(),
			deps.authority_set.clone(),
			deps.babe_worker.clone(),
		)?
		.into_rpc(),
	)?;
	Ok(module)
}
