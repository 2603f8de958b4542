//! Runtime APIs: what nodes and daemons read at a block.

use crate::{
	validators::{is_of_this_session, KeyOwners},
	AccountId, Anchor, Babe, Balance, Beefy, BeefyMmrLeaf, Block, Capacity, DeveloperRewards,
	Epochs, Executive, Governed, Grandpa, InherentDataExt, Market, Mmr, Nonce, Providers, Receipts,
	Runtime, RuntimeCall, RuntimeGenesisConfig, SessionKeys, System, TransactionPayment,
	Validators, VERSION,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	genesis_builder_helper::{build_state, get_preset},
	traits::KeyOwnerProofSystem,
	weights::Weight,
};
use millrace_primitives::{
	anchor::{AnchorStatus, ForcedView, OutboxEntry, ParkedView, TallyView, VoterKey, H160},
	challenge::{CaseView, OwedEvidence, Wanted},
	commitment::{EarningsView, RoundView, SlashView, StakerTerms},
	epoch::EpochStatus,
	execution::SignedReceipt,
	governance::ParameterInfo,
	market::DealSpec,
	peer::{Endpoint, PeerId, PeerKey},
	referenda::{ReferendumIndex, ReferendumView, VotingRules, VotingView},
	rewards::RewardsView,
	traits::{EpochClock, PeerRegistry},
	validators::{ValidatorView, ValidatorsView},
	views::{
		Assignment, CommitmentView, DealView, OfferView, PeerDuties, PeerView, Quote, ReportRecord,
		Subject, WhyNot,
	},
	BlockNumber, DealId, EpochIndex, H256,
};
use sp_api::impl_runtime_apis;
use sp_consensus_babe::AuthorityId as BabeId;
use sp_consensus_beefy::{
	ecdsa_crypto::{AuthorityId as BeefyId, Signature as BeefySignature},
	mmr::BeefyAuthoritySet,
};
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::{crypto::KeyTypeId, OpaqueMetadata};
use sp_mmr_primitives::{AncestryProof, EncodableOpaqueLeaf, LeafIndex, LeafProof};
use sp_runtime::{
	traits::{Block as BlockT, NumberFor},
	transaction_validity::{TransactionSource, TransactionValidity},
	ApplyExtrinsicResult, OpaqueValue, Perbill,
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

sp_api::decl_runtime_apis! {
	/// Everything that a peer owes, in one picture of one block.
	pub trait DutiesApi {
		/// What the peer must do.
		fn duties(peer: PeerId) -> PeerDuties;
	}
}

/// Puts together what a peer owes from the pallets that each know a part.
fn duties(peer: PeerId) -> PeerDuties {
	let epoch = Epochs::status();
	let previous = <Epochs as EpochClock>::previous();
	PeerDuties {
		genesis: <Epochs as EpochClock>::genesis(),
		epoch,
		previous,
		key: <Providers as PeerRegistry<AccountId>>::key_at(peer, System::block_number()),
		work: Capacity::work_of(peer, epoch.info.index),
		previous_work: previous.and_then(|info| Capacity::work_of(peer, info.index)),
		report_due: Capacity::report_due(peer),
		audit: Capacity::audit_of(peer),
		assignments: Market::assignments(peer),
	}
}

/// Where a peer serves and which key signs for it: what only the registry knows.
fn locate(peer: PeerId) -> Option<(Endpoint, PeerKey)> {
	Providers::peer(peer).map(|view| (view.endpoint, view.key))
}

impl_runtime_apis! {
	impl sp_api::Core<Block> for Runtime {
		fn version() -> RuntimeVersion {
			VERSION
		}
		fn execute_block(block: <Block as BlockT>::LazyBlock) {
			Executive::execute_block(block);
		}
		fn initialize_block(
			header: &<Block as BlockT>::Header,
		) -> sp_runtime::ExtrinsicInclusionMode {
			Executive::initialize_block(header)
		}
	}

	impl sp_api::Metadata<Block> for Runtime {
		fn metadata() -> OpaqueMetadata {
			OpaqueMetadata::new(Runtime::metadata().into())
		}
		fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
			Runtime::metadata_at_version(version)
		}
		fn metadata_versions() -> Vec<u32> {
			Runtime::metadata_versions()
		}
	}

	impl sp_block_builder::BlockBuilder<Block> for Runtime {
		fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
			Executive::apply_extrinsic(extrinsic)
		}
		fn finalize_block() -> <Block as BlockT>::Header {
			Executive::finalize_block()
		}
		fn inherent_extrinsics(
			data: sp_inherents::InherentData,
		) -> Vec<<Block as BlockT>::Extrinsic> {
			data.create_extrinsics()
		}
		fn check_inherents(
			block: <Block as BlockT>::LazyBlock,
			data: sp_inherents::InherentData,
		) -> sp_inherents::CheckInherentsResult {
			data.check_extrinsics(&block)
		}
	}

	impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
		fn validate_transaction(
			source: TransactionSource,
			tx: <Block as BlockT>::Extrinsic,
			block_hash: <Block as BlockT>::Hash,
		) -> TransactionValidity {
			Executive::validate_transaction(source, tx, block_hash)
		}
	}

	impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
		fn offchain_worker(header: &<Block as BlockT>::Header) {
			Executive::offchain_worker(header)
		}
	}

	impl sp_session::SessionKeys<Block> for Runtime {
		fn generate_session_keys(
			owner: Vec<u8>,
			seed: Option<Vec<u8>>,
		) -> OpaqueGeneratedSessionKeys {
			SessionKeys::generate(&owner, seed).into()
		}
		fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
			SessionKeys::decode_into_raw_public_keys(&encoded)
		}
	}

	impl sp_consensus_babe::BabeApi<Block> for Runtime {
		fn configuration() -> sp_consensus_babe::BabeConfiguration {
			let config = Babe::epoch_config().unwrap_or(crate::genesis_presets::BABE_CONFIG);
			sp_consensus_babe::BabeConfiguration {
				slot_duration: Babe::slot_duration(),
				epoch_length: crate::timing::SessionSlots::<Runtime>::get(),
				c: config.c,
				authorities: Babe::authorities().to_vec(),
				randomness: Babe::randomness(),
				allowed_slots: config.allowed_slots,
			}
		}
		fn current_epoch_start() -> sp_consensus_babe::Slot {
			Babe::current_epoch_start()
		}
		fn current_epoch() -> sp_consensus_babe::Epoch {
			Babe::current_epoch()
		}
		fn next_epoch() -> sp_consensus_babe::Epoch {
			Babe::next_epoch()
		}
		fn generate_key_ownership_proof(
			slot: sp_consensus_babe::Slot,
			authority_id: BabeId,
		) -> Option<sp_consensus_babe::OpaqueKeyOwnershipProof> {
			// A proof of another session than the slot's would be refused. Of its first block, the
			// parent is of the one before: without a proof there, the node asks at its best block.
			if !is_of_this_session(slot) {
				return None;
			}
			KeyOwners::prove((sp_consensus_babe::KEY_TYPE, authority_id))
				.map(|proof| proof.encode())
				.map(sp_consensus_babe::OpaqueKeyOwnershipProof::new)
		}
		fn submit_report_equivocation_unsigned_extrinsic(
			equivocation_proof: sp_consensus_babe::EquivocationProof<<Block as BlockT>::Header>,
			key_owner_proof: sp_consensus_babe::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			let key_owner_proof = key_owner_proof.decode()?;
			Babe::submit_unsigned_equivocation_report(equivocation_proof, key_owner_proof)
		}
	}

	impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
		fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
			Grandpa::grandpa_authorities()
		}
		fn current_set_id() -> sp_consensus_grandpa::SetId {
			pallet_grandpa::CurrentSetId::<Runtime>::get()
		}
		fn submit_report_equivocation_unsigned_extrinsic(
			equivocation_proof: sp_consensus_grandpa::EquivocationProof<
				<Block as BlockT>::Hash,
				NumberFor<Block>,
			>,
			key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			let key_owner_proof = key_owner_proof.decode()?;
			Grandpa::submit_unsigned_equivocation_report(equivocation_proof, key_owner_proof)
		}
		fn generate_key_ownership_proof(
			_set_id: sp_consensus_grandpa::SetId,
			authority_id: GrandpaId,
		) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
			KeyOwners::prove((sp_consensus_grandpa::KEY_TYPE, authority_id))
				.map(|proof| proof.encode())
				.map(sp_consensus_grandpa::OpaqueKeyOwnershipProof::new)
		}
	}

	impl sp_consensus_beefy::BeefyApi<Block, BeefyId> for Runtime {
		fn beefy_genesis() -> Option<BlockNumber> {
			pallet_beefy::GenesisBlock::<Runtime>::get()
		}
		fn validator_set() -> Option<sp_consensus_beefy::ValidatorSet<BeefyId>> {
			Beefy::validator_set()
		}
		fn submit_report_double_voting_unsigned_extrinsic(
			equivocation_proof: sp_consensus_beefy::DoubleVotingProof<
				NumberFor<Block>,
				BeefyId,
				BeefySignature,
			>,
			key_owner_proof: sp_consensus_beefy::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			let key_owner_proof = key_owner_proof.decode()?;
			Beefy::submit_unsigned_double_voting_report(equivocation_proof, key_owner_proof)
		}
		fn submit_report_fork_voting_unsigned_extrinsic(
			equivocation_proof: sp_consensus_beefy::ForkVotingProof<
				<Block as BlockT>::Header,
				BeefyId,
				OpaqueValue,
			>,
			key_owner_proof: sp_consensus_beefy::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			let equivocation_proof = equivocation_proof.try_into()?;
			let key_owner_proof = key_owner_proof.decode()?;
			Beefy::submit_unsigned_fork_voting_report(equivocation_proof, key_owner_proof)
		}
		fn submit_report_future_block_voting_unsigned_extrinsic(
			equivocation_proof: sp_consensus_beefy::FutureBlockVotingProof<
				NumberFor<Block>,
				BeefyId,
			>,
			key_owner_proof: sp_consensus_beefy::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			let key_owner_proof = key_owner_proof.decode()?;
			Beefy::submit_unsigned_future_block_voting_report(equivocation_proof, key_owner_proof)
		}
		fn generate_key_ownership_proof(
			_set_id: sp_consensus_beefy::ValidatorSetId,
			authority_id: BeefyId,
		) -> Option<sp_consensus_beefy::OpaqueKeyOwnershipProof> {
			KeyOwners::prove((sp_consensus_beefy::KEY_TYPE, authority_id))
				.map(|proof| proof.encode())
				.map(sp_consensus_beefy::OpaqueKeyOwnershipProof::new)
		}
	}

	impl sp_mmr_primitives::MmrApi<Block, H256, BlockNumber> for Runtime {
		fn mmr_root() -> Result<H256, sp_mmr_primitives::Error> {
			Ok(Mmr::mmr_root())
		}
		fn mmr_leaf_count() -> Result<LeafIndex, sp_mmr_primitives::Error> {
			Ok(Mmr::mmr_leaves())
		}
		fn generate_proof(
			block_numbers: Vec<BlockNumber>,
			best_known_block_number: Option<BlockNumber>,
		) -> Result<(Vec<EncodableOpaqueLeaf>, LeafProof<H256>), sp_mmr_primitives::Error> {
			let (leaves, proof) = Mmr::generate_proof(block_numbers, best_known_block_number)?;
			let leaves = leaves.iter().map(EncodableOpaqueLeaf::from_leaf).collect();
			Ok((leaves, proof))
		}
		fn generate_ancestry_proof(
			prev_block_number: BlockNumber,
			best_known_block_number: Option<BlockNumber>,
		) -> Result<AncestryProof<H256>, sp_mmr_primitives::Error> {
			Mmr::generate_ancestry_proof(prev_block_number, best_known_block_number)
		}
		fn verify_proof(
			leaves: Vec<EncodableOpaqueLeaf>,
			proof: LeafProof<H256>,
		) -> Result<(), sp_mmr_primitives::Error> {
			let leaves = leaves
				.into_iter()
				.map(|leaf| leaf.into_opaque_leaf().try_decode())
				.collect::<Option<Vec<_>>>()
				.ok_or(sp_mmr_primitives::Error::Verify)?;
			Mmr::verify_leaves(leaves, proof)
		}
		fn verify_proof_stateless(
			root: H256,
			leaves: Vec<EncodableOpaqueLeaf>,
			proof: LeafProof<H256>,
		) -> Result<(), sp_mmr_primitives::Error> {
			type Hashing = <Runtime as pallet_mmr::Config>::Hashing;
			let nodes = leaves
				.into_iter()
				.map(|leaf| sp_mmr_primitives::DataOrHash::Data(leaf.into_opaque_leaf()))
				.collect();
			pallet_mmr::verify_leaves_proof::<Hashing, _>(root, nodes, proof)
		}
	}

	impl pallet_beefy_mmr::BeefyMmrApi<Block, H256> for Runtime {
		fn authority_set_proof() -> BeefyAuthoritySet<H256> {
			BeefyMmrLeaf::authority_set_proof()
		}
		fn next_authority_set_proof() -> BeefyAuthoritySet<H256> {
			BeefyMmrLeaf::next_authority_set_proof()
		}
	}

	impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
		fn account_nonce(account: AccountId) -> Nonce {
			System::account_nonce(account)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
		for Runtime
	{
		fn query_info(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_info(uxt, len)
		}
		fn query_fee_details(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> pallet_transaction_payment::FeeDetails<Balance> {
			TransactionPayment::query_fee_details(uxt, len)
		}
		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}
		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<
		Block, Balance, RuntimeCall,
	> for Runtime {
		fn query_call_info(
			call: RuntimeCall,
			len: u32,
		) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_call_info(call, len)
		}
		fn query_call_fee_details(
			call: RuntimeCall,
			len: u32,
		) -> pallet_transaction_payment::FeeDetails<Balance> {
			TransactionPayment::query_call_fee_details(call, len)
		}
		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}
		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	#[api_version(2)]
	impl pallet_epochs::runtime_api::EpochsApi<Block> for Runtime {
		fn status() -> EpochStatus {
			Epochs::status()
		}
		fn seed(epoch: EpochIndex) -> Option<H256> {
			<Epochs as EpochClock>::seed(epoch)
		}
	}

	impl pallet_providers::runtime_api::ProvidersApi<Block, AccountId> for Runtime {
		fn peer(peer: PeerId) -> Option<PeerView<AccountId>> {
			Providers::peer(peer)
		}
		fn peers_of(provider: AccountId) -> Vec<PeerView<AccountId>> {
			Providers::peers_of(&provider)
		}
		fn key_at(peer: PeerId, block: BlockNumber) -> Option<PeerKey> {
			<Providers as PeerRegistry<AccountId>>::key_at(peer, block)
		}
	}

	impl pallet_capacity::runtime_api::CapacityApi<Block, AccountId> for Runtime {
		fn commitment(peer: PeerId) -> Option<CommitmentView<AccountId>> {
			Capacity::commitment(peer)
		}
		fn round(peer: PeerId) -> Option<RoundView<AccountId>> {
			Capacity::round(peer)
		}
		fn start_terms(
			units: u32,
			duration_epochs: u32,
			own_part: Perbill,
			commission: Perbill,
		) -> StakerTerms {
			Capacity::start_terms(units, duration_epochs, own_part, commission)
		}
		fn growth_terms(peer: PeerId, more_units: u32) -> Option<StakerTerms> {
			Capacity::growth_terms(peer, more_units)
		}
		fn renewal_terms(
			peer: PeerId,
			duration_epochs: u32,
			own_part: Perbill,
			commission: Perbill,
		) -> Option<StakerTerms> {
			Capacity::renewal_terms(peer, duration_epochs, own_part, commission)
		}
		fn slashes(peer: PeerId) -> Vec<SlashView> {
			Capacity::slashes(peer)
		}
		fn earnings(account: AccountId) -> EarningsView {
			Capacity::earnings(&account)
		}
		fn active_stake(account: AccountId) -> Balance {
			pallet_capacity::ActiveStakes::<Runtime>::get(account)
		}
	}

	impl pallet_market::runtime_api::MarketApi<Block, AccountId> for Runtime {
		fn quote(spec: DealSpec<AccountId>, escrow: Balance) -> Quote {
			Market::quote(spec, escrow)
		}
		fn offer(peer: PeerId) -> Option<OfferView> {
			Market::offer_view(peer)
		}
		fn deal(deal: DealId) -> Option<DealView<AccountId>> {
			Market::deal_view(deal, locate)
		}
		fn deals(
			owner: Option<AccountId>,
			from: DealId,
			limit: u32,
		) -> Vec<DealView<AccountId>> {
			Market::deal_views(owner, from, limit, locate)
		}
		fn assignments(peer: PeerId) -> Vec<Assignment> {
			Market::assignments(peer)
		}
		fn why_not(subject: Subject<AccountId>, peer: Option<PeerId>) -> WhyNot {
			Market::why_not(subject, peer)
		}
		fn probe_bond() -> Balance {
			pallet_market::Params::<Runtime>::get().probe_bond
		}
	}

	impl pallet_receipts::runtime_api::ReceiptsApi<Block, AccountId> for Runtime {
		fn report(peer: PeerId, epoch: EpochIndex) -> Option<ReportRecord> {
			Receipts::report(peer, epoch)
		}
		fn opened(peer: PeerId, epoch: EpochIndex) -> Vec<SignedReceipt> {
			Receipts::opened(peer, epoch)
		}
		fn owed_evidence(peer: PeerId) -> OwedEvidence {
			Receipts::owed_evidence(peer)
		}
		fn cases(peer: PeerId) -> Vec<CaseView<AccountId>> {
			Receipts::cases(peer)
		}
		fn demands(peer: PeerId) -> Vec<(EpochIndex, u32, Wanted, BlockNumber)> {
			Receipts::demands(peer)
		}
		fn posted(package: H256) -> Option<BlockNumber> {
			Receipts::posted(package)
		}
		fn params() -> pallet_receipts::ReceiptsParams {
			Receipts::params()
		}
	}

	impl pallet_validators::runtime_api::ValidatorsApi<Block, AccountId> for Runtime {
		fn validators() -> ValidatorsView<AccountId> {
			Validators::validators()
		}
		fn validator(account: AccountId) -> ValidatorView {
			Validators::validator(&account)
		}
	}

	impl pallet_developer_rewards::runtime_api::DeveloperRewardsApi<Block, AccountId> for Runtime {
		fn rewards() -> RewardsView {
			DeveloperRewards::rewards()
		}
		fn is_claimed(index: u32) -> bool {
			DeveloperRewards::is_claimed(index)
		}
		fn is_releasable(account: AccountId) -> bool {
			DeveloperRewards::is_releasable(&account)
		}
	}

	impl pallet_governed::runtime_api::GovernanceApi<Block> for Runtime {
		fn parameters() -> Vec<ParameterInfo> {
			Governed::parameters()
		}
	}

	impl crate::referenda::ReferendaApi<Block> for Runtime {
		fn rules() -> VotingRules {
			crate::referenda::rules()
		}
		fn referendum(index: ReferendumIndex) -> Option<ReferendumView<AccountId>> {
			crate::referenda::referendum(index)
		}
		fn referenda(from: ReferendumIndex, limit: u32) -> Vec<ReferendumView<AccountId>> {
			crate::referenda::referenda(from, limit)
		}
		fn voting(account: AccountId) -> VotingView<AccountId> {
			crate::referenda::voting(account)
		}
		fn has_preimage(hash: H256) -> bool {
			crate::referenda::has_preimage(hash)
		}
	}

	impl pallet_anchor::runtime_api::AnchorApi<Block, AccountId> for Runtime {
		fn status() -> AnchorStatus {
			Anchor::status()
		}
		fn message(nonce: u64) -> Option<OutboxEntry> {
			Anchor::message(nonce)
		}
		fn messages(from: u64, limit: u32) -> Vec<OutboxEntry> {
			Anchor::messages(from, limit)
		}
		fn tallies() -> Vec<TallyView> {
			Anchor::tallies()
		}
		fn voter(key: VoterKey) -> Option<u32> {
			Anchor::voter(key)
		}
		fn parked(from: u64, limit: u32) -> Vec<ParkedView<AccountId>> {
			Anchor::parked(from, limit)
		}
		fn forced() -> Vec<ForcedView> {
			Anchor::forced()
		}
		fn account_of(address: H160) -> Option<AccountId> {
			Anchor::account_of(address)
		}
		fn params() -> pallet_anchor::AnchorParams {
			Anchor::params()
		}
	}

	impl crate::apis::DutiesApi<Block> for Runtime {
		fn duties(peer: PeerId) -> PeerDuties {
			duties(peer)
		}
	}

	impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
		fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
			build_state::<RuntimeGenesisConfig>(config)
		}
		fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
			get_preset::<RuntimeGenesisConfig>(id, crate::genesis_presets::get)
		}
		fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
			crate::genesis_presets::names()
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	impl frame_benchmarking::Benchmark<Block> for Runtime {
		fn benchmark_metadata(
			extra: bool,
		) -> (
			Vec<frame_benchmarking::BenchmarkList>,
			Vec<frame_support::traits::StorageInfo>,
		) {
			crate::benchmarking::metadata(extra)
		}
		fn dispatch_benchmark(
			config: frame_benchmarking::BenchmarkConfig,
		) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
			crate::benchmarking::dispatch(config)
		}
	}

	#[cfg(feature = "try-runtime")]
	impl frame_try_runtime::TryRuntime<Block> for Runtime {
		fn on_runtime_upgrade(
			checks: frame_try_runtime::UpgradeCheckSelect,
		) -> (Weight, Weight) {
			let weight = Executive::try_runtime_upgrade(checks)
				.expect("an upgrade that breaks an invariant must not pass its trial");
			(
				weight,
				crate::configs::system::RuntimeBlockWeights::get().max_block,
			)
		}
		fn execute_block(
			block: <Block as BlockT>::LazyBlock,
			state_root_check: bool,
			signature_check: bool,
			select: frame_try_runtime::TryStateSelect,
		) -> Weight {
			Executive::try_execute_block(block, state_root_check, signature_check, select)
				.expect("a block that breaks an invariant must not pass its trial")
		}
	}
}
