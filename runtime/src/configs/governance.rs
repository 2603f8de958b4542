//! Referenda on three tracks, the treasury they spend from, and the two emergency brakes.

use super::{
	money::deposit,
	system::{AlwaysAllowed, NeverPaused},
};
use crate::{
	AccountId, Balance, Balances, BlockNumber, OriginCaller, Preimage, Referenda, Runtime,
	RuntimeCall, RuntimeEvent, RuntimeHoldReason, RuntimeOrigin, Scheduler, System, Treasury,
};
use alloc::borrow::Cow;
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
use pallet_referenda::{Curve, Track, TrackInfo};
use sp_runtime::{str_array as name, traits::IdentityLookup, FixedI64, Perbill, Permill};

/// Blocks of an hour on the mainnet.
const HOURS: BlockNumber = 1_200;
/// Blocks of a day on the mainnet.
const DAYS: BlockNumber = 24 * HOURS;

/// Origins that only a referendum of their track gives.
#[frame_support::pallet]
#[allow(missing_docs, reason = "the macros generate undocumented items")]
pub mod origins {
	use frame_support::pallet_prelude::*;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::origin]
	#[derive(
		Clone,
		Copy,
		Debug,
		PartialEq,
		Eq,
		Encode,
		Decode,
		DecodeWithMemTracking,
		MaxEncodedLen,
		TypeInfo,
	)]
	pub enum Origin {
		/// Spends from the treasury.
		Treasurer,
		/// Brings emergency measures: pauses, cancels.
		Emergency,
	}

	macro_rules! ensure_origin {
		($(#[$doc:meta])* $name:ident, $variant:ident) => {
			$(#[$doc])*
			#[derive(Debug)]
			pub struct $name;

			impl<O: OriginTrait + From<Origin>> EnsureOrigin<O> for $name
			where
				for<'a> &'a O::PalletsOrigin: TryInto<&'a Origin>,
			{
				type Success = ();

				fn try_origin(o: O) -> Result<(), O> {
					let given = matches!(o.caller().try_into(), Ok(Origin::$variant));
					given.then_some(()).ok_or(o)
				}

				#[cfg(feature = "runtime-benchmarks")]
				fn try_successful_origin() -> Result<O, ()> {
					Ok(O::from(Origin::$variant))
				}
			}
		};
	}

	use frame_support::traits::OriginTrait;
	ensure_origin!(
		/// The treasurer's track.
		EnsureTreasurer, Treasurer
	);
	ensure_origin!(
		/// The emergency track.
		EnsureEmergency, Emergency
	);
}

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

const fn percent(x: i32) -> FixedI64 {
	FixedI64::from_rational(x as u128, 100)
}

/// Approval falls from all to half of the votes over the decision period.
const APPROVAL: Curve = Curve::make_reciprocal(4, 28, percent(80), percent(50), percent(100));
/// Support falls from half of the supply to nothing.
const BROAD_SUPPORT: Curve = Curve::make_linear(28, 28, percent(0), percent(50));
/// Support falls fast, so that money matters need not wait for half of the supply.
const QUICK_SUPPORT: Curve = Curve::make_reciprocal(8, 28, percent(1), percent(0), percent(50));
/// Emergencies ask for near unanimity and are decided within hours.
const EMERGENCY_APPROVAL: Curve =
	Curve::make_reciprocal(16, 28 * 24, percent(96), percent(66), percent(100));

/// The tracks: root changes anything, the treasurer spends, emergency brakes.
#[derive(Debug)]
pub struct Tracks;

impl pallet_referenda::TracksInfo<Balance, BlockNumber> for Tracks {
	type Id = u16;
	type RuntimeOrigin = OriginCaller;

	fn tracks() -> impl Iterator<Item = Cow<'static, Track<u16, Balance, BlockNumber>>> {
		const TRACKS: [Track<u16, Balance, BlockNumber>; 3] = [
			Track {
				id: 0,
				info: TrackInfo {
					name: name("root"),
					max_deciding: 2,
					decision_deposit: 10_000 * FLT,
					prepare_period: 2 * HOURS,
					decision_period: 14 * DAYS,
					confirm_period: DAYS,
					min_enactment_period: DAYS,
					min_approval: APPROVAL,
					min_support: BROAD_SUPPORT,
				},
			},
			Track {
				id: 1,
				info: TrackInfo {
					name: name("treasurer"),
					max_deciding: 10,
					decision_deposit: 1_000 * FLT,
					prepare_period: 2 * HOURS,
					decision_period: 14 * DAYS,
					confirm_period: DAYS,
					min_enactment_period: DAYS,
					min_approval: APPROVAL,
					min_support: QUICK_SUPPORT,
				},
			},
			Track {
				id: 2,
				info: TrackInfo {
					name: name("emergency"),
					max_deciding: 5,
					decision_deposit: 5_000 * FLT,
					prepare_period: 20,
					decision_period: DAYS,
					confirm_period: HOURS / 2,
					min_enactment_period: 20,
					min_approval: EMERGENCY_APPROVAL,
					min_support: QUICK_SUPPORT,
				},
			},
		];
		TRACKS.into_iter().map(Cow::Owned)
	}

	fn track_for(origin: &OriginCaller) -> Result<u16, ()> {
		match origin {
			OriginCaller::system(frame_system::RawOrigin::Root) => Ok(0),
			OriginCaller::GovernanceOrigins(origins::Origin::Treasurer) => Ok(1),
			OriginCaller::GovernanceOrigins(origins::Origin::Emergency) => Ok(2),
			_ => Err(()),
		}
	}
}

parameter_types! {
	/// Held for a referendum from its submission on.
	pub const SubmissionDeposit: Balance = 100 * FLT;
	/// Blocks after which a referendum that was not decided on is dropped.
	pub const UndecidingTimeout: BlockNumber = 14 * DAYS;
	/// Blocks to which alarms of referenda are rounded.
	pub const AlarmInterval: BlockNumber = 1;
	/// Blocks that conviction locks a vote for, times its multiplier.
	pub const VoteLockingPeriod: BlockNumber = 7 * DAYS;
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
	type WeightInfo = pallet_conviction_voting::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type Polls = Referenda;
	type MaxTurnout =
		frame_support::traits::tokens::currency::ActiveIssuanceOf<Balances, AccountId>;
	type MaxVotes = ConstU32<512>;
	type VoteLockingPeriod = VoteLockingPeriod;
	type BlockNumberProvider = System;
	type VotingHooks = ();
}

parameter_types! {
	/// Names the treasury's account.
	pub const TreasuryPalletId: PalletId = PalletId(*b"mr/trsry");
	/// The treasury's account.
	pub TreasuryAccount: AccountId = Treasury::account_id();
	/// Blocks between the treasury's payments of approved proposals.
	pub const SpendPeriod: BlockNumber = DAYS;
	/// Blocks in which an approved spend can be claimed.
	pub const PayoutPeriod: BlockNumber = 30 * DAYS;
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
	/// Blocks of safe mode.
	pub const EnterDuration: BlockNumber = 4 * HOURS;
	/// Blocks by which safe mode is made longer.
	pub const ExtendDuration: BlockNumber = 2 * HOURS;
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
