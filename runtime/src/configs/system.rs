//! Blocks, accounts' tools and what may be called when.

use super::{checkpoints::VotesForThisChain, supply::NoForeignLocks};
use crate::{
	AccountId, Balance, Balances, Block, BlockNumber, Hash, Nonce, PalletInfo, Runtime,
	RuntimeCall, RuntimeEvent, RuntimeOrigin, RuntimeTask, SafeMode, System, TxPause, VERSION,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	derive_impl,
	dispatch::DispatchClass,
	parameter_types,
	traits::{ConstU32, Contains, InsideBoth, InstanceFilter},
	weights::{
		constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND},
		Weight,
	},
};
use frame_system::limits::{BlockLength, BlockWeights};
use scale_info::TypeInfo;
use sp_runtime::{traits::BlakeTwo256, Perbill};
use sp_version::RuntimeVersion;

mod brakes;

pub use brakes::{AlwaysAllowed, NeverPaused};

/// Part of a block that ordinary transactions may fill; duties have the rest to themselves.
const NORMAL_RATIO: Perbill = Perbill::from_percent(75);
/// Longest block.
const MAX_BLOCK_BYTES: u32 = 5 * 1024 * 1024;
/// Half of a slot of three seconds to compute in: the other half carries the block to the rest.
/// README.md tells why the shorter slots of development chains do not change it, and what the second
/// dimension is for: it counts a block's length and what the SDK's pallets read.
const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(
	WEIGHT_REF_TIME_PER_SECOND * 3 / 2,
	2 * MAX_BLOCK_BYTES as u64,
);

parameter_types! {
	/// Blocks whose hashes the state keeps.
	pub const BlockHashCount: BlockNumber = 2_400;
	/// Version of this runtime.
	pub const Version: RuntimeVersion = VERSION;
	/// What may be computed in a block.
	pub RuntimeBlockWeights: BlockWeights =
		BlockWeights::with_sensible_defaults(MAXIMUM_BLOCK_WEIGHT, NORMAL_RATIO);
	/// How long a block may be.
	pub RuntimeBlockLength: BlockLength =
		BlockLength::builder()
			.max_length(MAX_BLOCK_BYTES)
			.modify_max_length_for_class(DispatchClass::Normal, |bytes| {
				*bytes = NORMAL_RATIO * MAX_BLOCK_BYTES
			})
			.build();
	/// What addresses begin with.
	pub const SS58Prefix: u16 = 42;
}

/// Closes the session pallet's own way to purge session keys: it would take a seated validator out of
/// the set at once. The way out is `Validators.purge_keys`, for whoever neither stands nor sits.
#[derive(Debug)]
pub struct KeysStay;

impl Contains<RuntimeCall> for KeysStay {
	fn contains(call: &RuntimeCall) -> bool {
		!matches!(
			call,
			RuntimeCall::Session(pallet_session::Call::purge_keys { .. })
		)
	}
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type Block = Block;
	type BlockWeights = RuntimeBlockWeights;
	type BlockLength = RuntimeBlockLength;
	type AccountId = AccountId;
	type Nonce = Nonce;
	type Hash = Hash;
	type BlockHashCount = BlockHashCount;
	type DbWeight = ParityDbWeight;
	type Version = Version;
	type AccountData = pallet_balances::AccountData<Balance>;
	type SS58Prefix = SS58Prefix;
	type MaxConsumers = ConstU32<16>;
	type SingleBlockMigrations = crate::migrations::Migrations;
	type BaseCallFilter = InsideBoth<
		KeysStay,
		InsideBoth<NoForeignLocks, InsideBoth<VotesForThisChain, InsideBoth<SafeMode, TxPause>>>,
	>;
}

impl pallet_utility::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = crate::OriginCaller;
	type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// Held for an account's list of proxies.
	pub const ProxyDepositBase: Balance = super::money::deposit(1, 8);
	/// Held for each proxy.
	pub const ProxyDepositFactor: Balance = super::money::deposit(0, 33);
	/// Held for a proxy's list of announcements.
	pub const AnnouncementDepositBase: Balance = super::money::deposit(1, 8);
	/// Held for each announcement.
	pub const AnnouncementDepositFactor: Balance = super::money::deposit(0, 66);
	/// Held for a call of several signatories.
	pub const MultisigDepositBase: Balance = super::money::deposit(1, 88);
	/// Held for each of them.
	pub const MultisigDepositFactor: Balance = super::money::deposit(0, 32);
}

/// What a proxy may do for an account.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ProxyType {
	/// Everything.
	#[default]
	Any,
	/// Vote and delegate votes.
	Governance,
	/// Run a provider's machines: endpoints, offers that ask for no bond, settlement. Moves no
	/// stake, and cannot put another key in the place of the owner's.
	Operator,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			Self::Any => true,
			Self::Governance => matches!(
				call,
				RuntimeCall::ConvictionVoting(_) | RuntimeCall::Referenda(_)
			),
			Self::Operator => {
				matches!(
					call,
					RuntimeCall::Providers(pallet_providers::Call::set_endpoint { .. })
						| RuntimeCall::Market(pallet_market::Call::withdraw_offer { .. })
						| RuntimeCall::Capacity(pallet_capacity::Call::settle { .. })
				) || matches!(
					call,
					RuntimeCall::Market(pallet_market::Call::post_offer { terms, .. })
						if terms.max_worker_bond == 0
				)
			}
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		*self == Self::Any || self == other
	}
}

impl pallet_proxy::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type ProxyType = ProxyType;
	type ProxyDepositBase = ProxyDepositBase;
	type ProxyDepositFactor = ProxyDepositFactor;
	type MaxProxies = ConstU32<32>;
	type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
	type MaxPending = ConstU32<32>;
	type CallHasher = BlakeTwo256;
	type AnnouncementDepositBase = AnnouncementDepositBase;
	type AnnouncementDepositFactor = AnnouncementDepositFactor;
	type BlockNumberProvider = System;
}

impl pallet_multisig::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type DepositBase = MultisigDepositBase;
	type DepositFactor = MultisigDepositFactor;
	type MaxSignatories = ConstU32<100>;
	type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
	type BlockNumberProvider = System;
}

#[cfg(test)]
mod tests;
