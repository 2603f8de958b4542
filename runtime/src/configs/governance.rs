//! Referenda, the treasury that they spend from, and the two emergency brakes. The tracks stand in
//! [`tracks`], what they take in [`periods`]; docs/governance.md tells how a vote goes.

use super::{
	money::deposit,
	system::{AlwaysAllowed, NeverPaused},
};
use crate::{
	weights::voting::WithoutProofs, AccountId, Balance, Balances, BlockNumber, OriginCaller,
	Preimage, Referenda, Runtime, RuntimeCall, RuntimeEvent, RuntimeHoldReason, RuntimeOrigin,
	Scheduler, System, Treasury,
};
use frame_support::{
	parameter_types,
	traits::{
		fungible::HoldConsideration,
		tokens::{PayFromAccount, UnityAssetBalanceConversion},
		ConstU32, EitherOf, EqualPrivilegeOnly, LinearStoragePrice,
	},
	weights::Weight,
	PalletId,
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess, EnsureSigned};
use millrace_primitives::FLT;
use sp_runtime::{traits::IdentityLookup, Perbill, Permill};

pub mod electorate;
pub mod origins;
pub mod periods;
pub mod tracks;

use periods::{
	EnterDuration, ExtendDuration, PayoutPeriod, SpendPeriod, UndecidingTimeout, VoteLockingPeriod,
};
use tracks::Tracks;

impl origins::Config for Runtime {}

/// Root, or a referendum of the emergency track.
pub(crate) type RootOrEmergency = EitherOf<EnsureRoot<AccountId>, origins::EnsureEmergency>;

parameter_types! {
	/// Why FLT is held for a preimage.
	pub const PreimageHoldReason: RuntimeHoldReason =
		RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
	/// Held for each preimage.
	pub const PreimageBaseDeposit: Balance = deposit(2, 64);
	/// Held for each byte of a preimage.
	pub const PreimageByteDeposit: Balance = deposit(0, 1);
	/// Most weight of what is scheduled for a block: looking up the longest preimage alone takes most
	/// of a block's proof.
	pub MaximumSchedulerWeight: Weight = Perbill::from_percent(80) *
		super::system::RuntimeBlockWeights::get().max_block;
}

impl pallet_preimage::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type ManagerOrigin = EnsureRoot<AccountId>;
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		PreimageHoldReason,
		LinearStoragePrice<PreimageBaseDeposit, PreimageByteDeposit, Balance>,
	>;
}

impl pallet_scheduler::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeOrigin = RuntimeOrigin;
	type PalletsOrigin = OriginCaller;
	type RuntimeCall = RuntimeCall;
	type MaximumWeight = MaximumSchedulerWeight;
	type ScheduleOrigin = EnsureRoot<AccountId>;
	type OriginPrivilegeCmp = EqualPrivilegeOnly;
	type MaxScheduledPerBlock = ConstU32<50>;
	type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
	type Preimages = Preimage;
	type BlockNumberProvider = System;
}

parameter_types! {
	/// Held for a referendum from its submission on.
	pub const SubmissionDeposit: Balance = 100 * FLT;
	/// Blocks to which alarms of referenda are rounded.
	pub const AlarmInterval: BlockNumber = 1;
}

impl pallet_referenda::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
	type Scheduler = Scheduler;
	type Currency = Balances;
	type SubmitOrigin = frame_support::traits::AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
	type CancelOrigin = RootOrEmergency;
	type KillOrigin = EnsureRoot<AccountId>;
	type Slash = Treasury;
	type Votes = Balance;
	type Tally = pallet_conviction_voting::TallyOf<Runtime>;
	type SubmissionDeposit = SubmissionDeposit;
	type MaxQueued = ConstU32<100>;
	type UndecidingTimeout = UndecidingTimeout;
	type AlarmInterval = AlarmInterval;
	type Tracks = Tracks;
	type Preimages = Preimage;
	type BlockNumberProvider = System;
}

impl pallet_conviction_voting::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = WithoutProofs<pallet_conviction_voting::weights::SubstrateWeight<Runtime>>;
	type Currency = Balances;
	type Polls = Referenda;
	type MaxTurnout = electorate::Electorate;
	type MaxVotes = ConstU32<64>;
	type VoteLockingPeriod = VoteLockingPeriod;
	type BlockNumberProvider = System;
	type VotingHooks = ();
}

parameter_types! {
	/// Names the treasury's account.
	pub const TreasuryPalletId: PalletId = PalletId(*b"mr/trsry");
	/// The treasury's account.
	pub TreasuryAccount: AccountId = Treasury::account_id();
	/// The treasury burns nothing of what it does not spend.
	pub const NoBurn: Permill = Permill::zero();
	/// Most that root spends at once: anything.
	pub const MaxSpend: Balance = Balance::MAX;
	/// Most that a referendum of the treasurer's track spends at once.
	pub const MaxTreasurerSpend: Balance = 1_000_000 * FLT;
}

impl pallet_treasury::Config for Runtime {
	type Currency = Balances;
	type RejectOrigin = EitherOf<EnsureRoot<AccountId>, origins::EnsureTreasurer>;
	type RuntimeEvent = RuntimeEvent;
	type SpendPeriod = SpendPeriod;
	type Burn = NoBurn;
	type PalletId = TreasuryPalletId;
	type BurnDestination = ();
	type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
	type SpendFunds = ();
	type MaxApprovals = ConstU32<100>;
	type SpendOrigin = EitherOf<
		EnsureRootWithSuccess<AccountId, MaxSpend>,
		frame_system::EnsureWithSuccess<origins::EnsureTreasurer, AccountId, MaxTreasurerSpend>,
	>;
	type AssetKind = ();
	type Beneficiary = AccountId;
	type BeneficiaryLookup = IdentityLookup<AccountId>;
	type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
	type BalanceConverter = UnityAssetBalanceConversion;
	type PayoutPeriod = PayoutPeriod;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
	type BlockNumberProvider = System;
}

parameter_types! {
	/// Nobody brakes the chain by deposit: only a vote does.
	pub const NoDeposit: Option<Balance> = None;
	/// There are no deposits of safe mode to release.
	pub const ReleaseDelay: Option<BlockNumber> = None;
}

impl pallet_safe_mode::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WhitelistedCalls = AlwaysAllowed;
	type EnterDuration = EnterDuration;
	type ExtendDuration = ExtendDuration;
	type EnterDepositAmount = NoDeposit;
	type ExtendDepositAmount = NoDeposit;
	type ForceEnterOrigin =
		frame_system::EnsureWithSuccess<RootOrEmergency, AccountId, EnterDuration>;
	type ForceExtendOrigin =
		frame_system::EnsureWithSuccess<RootOrEmergency, AccountId, ExtendDuration>;
	type ForceExitOrigin = RootOrEmergency;
	type ForceDepositOrigin = EnsureRoot<AccountId>;
	type Notify = ();
	type ReleaseDelay = ReleaseDelay;
	type WeightInfo = pallet_safe_mode::weights::SubstrateWeight<Runtime>;
}

impl pallet_tx_pause::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PauseOrigin = RootOrEmergency;
	type UnpauseOrigin = RootOrEmergency;
	type WhitelistedCalls = NeverPaused;
	type MaxNameLen = ConstU32<256>;
	type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
}

impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}
