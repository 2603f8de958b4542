//! The Millrace runtime: what the chain does, put together from the SDK's pallets and our own.
//!
//! Configuration stands in [`configs`], one file per group; what clients read in `apis`; the chains
//! that a node can start from in [`genesis_presets`]. README.md tells what a newcomer would ask.

#![cfg_attr(not(feature = "std"), no_std)]
// The modules in which we write ourselves turn both lints on again.
#![allow(
	missing_docs,
	unreachable_pub,
	reason = "the macros below and in `apis` expand to public items without documentation"
)]
// The runtime macros expand to deep types.
#![recursion_limit = "512"]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

pub mod allocation;
mod apis;
pub use apis::RuntimeApi;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
pub mod configs;
pub mod genesis_presets;
pub mod migrations;
pub mod parameters;
pub mod referenda;
mod seated_keys;
pub mod timing;
pub mod validators;
pub mod weights;

pub use millrace_primitives::{Balance, BlockNumber};

use alloc::vec::Vec;
use sp_runtime::{
	generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

/// Signature of an account: sr25519, ed25519 or ecdsa.
pub type Signature = MultiSignature;
/// An account, named by its public key.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Number of transactions that an account has sent.
pub type Nonce = u32;
/// Hash of a block or of state.
pub type Hash = sp_core::H256;
/// An account in a transaction.
pub type Address = MultiAddress<AccountId, ()>;
/// Block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// Block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// Transaction as it stands in a block.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// What surrounds a transaction. [`frame_system::AuthorizeCall`] admits duties by their content;
/// clients that build them by hand rely on this order.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckEra<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

/// Runs blocks.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

/// Types that the node needs without knowing the runtime's own.
pub mod opaque {
	use super::{generic, BlakeTwo256, BlockNumber};
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// Block header.
	pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
	/// Block with transactions that the node does not look into.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
}

impl_opaque_keys! {
	/// Keys of a validator.
	pub struct SessionKeys {
		/// Block production.
		pub babe: Babe,
		/// Finality.
		pub grandpa: Grandpa,
		/// Checkpoints.
		pub beefy: Beefy,
	}
}

/// Version of this runtime.
#[cfg(not(feature = "upgrade-rehearsal"))]
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: alloc::borrow::Cow::Borrowed("millrace"),
	impl_name: alloc::borrow::Cow::Borrowed("millrace"),
	authoring_version: 1,
	spec_version: 1,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

/// Version of the runtime that upgrades are rehearsed with. The macro reads it as it is written here.
#[cfg(feature = "upgrade-rehearsal")]
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: alloc::borrow::Cow::Borrowed("millrace"),
	impl_name: alloc::borrow::Cow::Borrowed("millrace"),
	authoring_version: 1,
	spec_version: 2,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	// The order is that of hooks: the clock stands behind block production and before all that
	// reads it.
	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Runtime>;
	#[runtime::pallet_index(1)]
	pub type Timing = crate::timing::Pallet<Runtime>;
	#[runtime::pallet_index(2)]
	pub type Timestamp = pallet_timestamp::Pallet<Runtime>;
	#[runtime::pallet_index(3)]
	pub type Babe = pallet_babe::Pallet<Runtime>;
	#[runtime::pallet_index(4)]
	pub type Authorship = pallet_authorship::Pallet<Runtime>;
	#[runtime::pallet_index(5)]
	pub type Offences = pallet_offences::Pallet<Runtime>;
	#[runtime::pallet_index(6)]
	pub type Historical = pallet_session::historical::Pallet<Runtime>;
	#[runtime::pallet_index(7)]
	pub type Session = pallet_session::Pallet<Runtime>;
	#[runtime::pallet_index(8)]
	pub type Grandpa = pallet_grandpa::Pallet<Runtime>;
	// Behind sessions: the leaf of a session's first block names the set that follows.
	#[runtime::pallet_index(16)]
	pub type Mmr = pallet_mmr::Pallet<Runtime>;
	#[runtime::pallet_index(17)]
	pub type Beefy = pallet_beefy::Pallet<Runtime>;
	#[runtime::pallet_index(18)]
	pub type BeefyMmrLeaf = pallet_beefy_mmr::Pallet<Runtime>;

	#[runtime::pallet_index(10)]
	pub type Balances = pallet_balances::Pallet<Runtime>;
	#[runtime::pallet_index(11)]
	pub type TransactionPayment = pallet_transaction_payment::Pallet<Runtime>;
	#[runtime::pallet_index(12)]
	pub type Parameters = pallet_parameters::Pallet<Runtime>;
	#[runtime::pallet_index(13)]
	pub type Vesting = pallet_vesting::Pallet<Runtime>;
	#[runtime::pallet_index(14)]
	pub type Emission = pallet_emission::Pallet<Runtime>;
	#[runtime::pallet_index(15)]
	pub type DeveloperRewards = pallet_developer_rewards::Pallet<Runtime>;

	#[runtime::pallet_index(20)]
	pub type Epochs = pallet_epochs::Pallet<Runtime>;
	#[runtime::pallet_index(21)]
	pub type Providers = pallet_providers::Pallet<Runtime>;
	#[runtime::pallet_index(22)]
	pub type Capacity = pallet_capacity::Pallet<Runtime>;
	#[runtime::pallet_index(23)]
	pub type Market = pallet_market::Pallet<Runtime>;
	#[runtime::pallet_index(24)]
	pub type Receipts = pallet_receipts::Pallet<Runtime>;
	#[runtime::pallet_index(25)]
	pub type Validators = pallet_validators::Pallet<Runtime>;
	#[runtime::pallet_index(26)]
	pub type Anchor = pallet_anchor::Pallet<Runtime>;

	#[runtime::pallet_index(40)]
	pub type Utility = pallet_utility::Pallet<Runtime>;
	#[runtime::pallet_index(41)]
	pub type Proxy = pallet_proxy::Pallet<Runtime>;
	#[runtime::pallet_index(42)]
	pub type Multisig = pallet_multisig::Pallet<Runtime>;

	#[runtime::pallet_index(50)]
	pub type Preimage = pallet_preimage::Pallet<Runtime>;
	#[runtime::pallet_index(51)]
	pub type Scheduler = pallet_scheduler::Pallet<Runtime>;
	#[runtime::pallet_index(52)]
	pub type Referenda = pallet_referenda::Pallet<Runtime>;
	#[runtime::pallet_index(53)]
	pub type ConvictionVoting = pallet_conviction_voting::Pallet<Runtime>;
	#[runtime::pallet_index(54)]
	pub type Treasury = pallet_treasury::Pallet<Runtime>;
	#[runtime::pallet_index(55)]
	pub type SafeMode = pallet_safe_mode::Pallet<Runtime>;
	#[runtime::pallet_index(56)]
	pub type TxPause = pallet_tx_pause::Pallet<Runtime>;
	#[runtime::pallet_index(57)]
	pub type GovernanceOrigins = crate::configs::governance::origins::Pallet<Runtime>;
	// Its genesis reads what the pallets above have in force.
	#[runtime::pallet_index(58)]
	pub type Governed = pallet_governed::Pallet<Runtime>;

	/// Without a key in any preset but `dev`, where nothing can call it.
	#[runtime::pallet_index(99)]
	pub type Sudo = pallet_sudo::Pallet<Runtime>;
}

impl<LocalCall> frame_system::offchain::CreateTransactionBase<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	type Extrinsic = UncheckedExtrinsic;
	type RuntimeCall = RuntimeCall;
}

/// Reports of equivocation are sent by validators as bare transactions.
impl<LocalCall> frame_system::offchain::CreateBare<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
		UncheckedExtrinsic::new_bare(call)
	}
}

/// Bytes of a genesis preset.
pub type PresetBytes = Vec<u8>;
