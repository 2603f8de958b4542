//! A runtime of the real pallets. RandomX, VRF outputs and the session pallet are played.
#![allow(
	missing_docs,
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use frame_support::{
	derive_impl, parameter_types,
	traits::{fungible::Mutate, ConstU128, ConstU32, ConstU64},
	weights::{
		constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND},
		Weight, WeightToFee,
	},
	PalletId,
};
use frame_system::{limits::BlockWeights, EnsureRoot};
use millrace_primitives::{
	execution::ProfileId,
	replay::{ReplayInput, Replayed},
	traits::{Emission, RandomX, Replayer},
	validators::SessionIndex,
	Balance, EpochIndex, FLT, H256,
};
use sp_runtime::{DispatchError, DispatchResult, Perbill};

type Block = frame_system::mocking::MockBlockU32<Runtime>;

frame_support::construct_runtime!(
	pub enum Runtime {
		System: frame_system,
		Balances: pallet_balances,
		Epochs: pallet_epochs,
		Providers: pallet_providers,
		Capacity: pallet_capacity,
		Market: pallet_market,
		Receipts: pallet_receipts,
		Validators: pallet_validators,
	}
);

/// Least that an account holds.
pub const EXISTENTIAL_DEPOSIT: Balance = FLT / 1_000;
/// Held for a peer, about as the mainnet holds it.
const PEER_DEPOSIT: Balance = 39 * FLT;
/// Held for a provider or a ledger.
const SMALL_DEPOSIT: Balance = FLT / 10;

parameter_types! {
	/// The mainnet's blocks: how many audits can be answered depends on them, and on its database.
	pub MainnetBlocks: BlockWeights = BlockWeights::with_sensible_defaults(
		Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND * 3 / 2, 10 * 1024 * 1024),
		Perbill::from_percent(75),
	);
	pub const PotId: PalletId = PalletId(*b"mr/escrw");
	/// Output of the block before; `None` where its slot was left empty.
	pub static VrfOutput: Option<[u8; 32]> = None;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Runtime {
	type Block = Block;
	type BlockWeights = MainnetBlocks;
	type DbWeight = ParityDbWeight;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Runtime {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
}

impl pallet_epochs::Config for Runtime {
	type VrfOutput = VrfOutput;
	type Time = ConstU64<1_700_000_000_000>;
	type SlotDuration = ConstU64<3_000>;
	type Hooks = Capacity;
	type WeightInfo = pallet_epochs::weights::SubstrateWeight<Self>;
}

impl pallet_providers::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = Epochs;
	type PeerUse = (Capacity, (Market, Receipts));
	type ProviderDeposit = ConstU128<SMALL_DEPOSIT>;
	type PeerDeposit = ConstU128<PEER_DEPOSIT>;
	type AnswerableSince = ConstU32<1>;
	type WeightInfo = pallet_providers::weights::SubstrateWeight<Self>;
}

impl pallet_capacity::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = Epochs;
	type Peers = Providers;
	type Receipts = Receipts;
	type Work = Market;
	type RandomX = NamedWork;
	type Emission = EndlessReserve;
	type OnStake = Validators;
	type Equivocations = Validators;
	type CancelOrigin = EnsureRoot<u64>;
	type WeightToFee = WeightPrice;
	type RoundDeposit = ConstU128<FLT>;
	type LedgerDeposit = ConstU128<SMALL_DEPOSIT>;
	type WeightInfo = pallet_capacity::weights::SubstrateWeight<Self>;
}

impl pallet_market::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type PotId = PotId;
	type Epochs = Epochs;
	type Peers = Providers;
	type Capacity = Capacity;
	type WeightToFee = WeightPrice;
	type WeightInfo = pallet_market::weights::SubstrateWeight<Self>;
}

impl pallet_receipts::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = Epochs;
	type Peers = Providers;
	type Work = Market;
	type Clients = Market;
	type Slasher = Capacity;
	type Replayer = NoReplays;
	type WeightToFee = WeightPrice;
	type ByteFee = ConstU128<1_000_000_000_000>;
	type WeightInfo = pallet_receipts::weights::SubstrateWeight<Self>;
}

impl pallet_validators::Config for Runtime {
	type Sessions = NoSessions;
	type Stakes = CapacityStakes;
	type Clock = Epochs;
	type WeightInfo = pallet_validators::weights::SubstrateWeight<Self>;
}

/// Fee for computation, as the mainnet has it by default.
pub struct WeightPrice;

impl WeightToFee for WeightPrice {
	type Balance = Balance;

	fn weight_to_fee(weight: &Weight) -> Balance {
		Balance::from(weight.ref_time()).saturating_mul(10_000_000)
	}
}

/// Nonce of a leaf that was worked for.
pub const WORKED: u64 = 1;
/// Nonce of a leaf that was not.
pub const FAKED: u64 = 0;

/// In place of RandomX: a nonce says whether it was worked for. So a proof costs what the pallet
/// takes for it, and nothing else.
pub struct NamedWork;

impl RandomX for NamedWork {
	fn hash(_: H256, input: Vec<u8>) -> Option<[u8; 32]> {
		// The nonce is the input's last eight bytes.
		let worked = input.ends_with(&WORKED.to_le_bytes());
		Some(if worked { [0; 32] } else { [0xff; 32] })
	}
}

/// A reserve that never ends and a schedule that never binds: rewards are as large as they can be, and
/// so is what a cheat saves.
pub struct EndlessReserve;

impl Emission<u64> for EndlessReserve {
	type Error = DispatchError;

	fn limit(_: EpochIndex) -> Balance {
		1_000_000_000 * FLT
	}
	fn promise(_: Balance) {}
	fn pay(who: &u64, amount: Balance) -> DispatchResult {
		Balances::mint_into(who, amount)?;
		Ok(())
	}
	fn promised() -> Balance {
		Balance::MAX
	}
	fn weight() -> Weight {
		Weight::zero()
	}
	fn pay_weight() -> Weight {
		Weight::zero()
	}
}

/// Nobody calls a function here, so nothing is run again.
pub struct NoReplays;

impl Replayer for NoReplays {
	fn replay(_: ProfileId, _: &[u8], _: &ReplayInput) -> Option<Replayed> {
		None
	}
}

/// What validators ask of capacity.
pub struct CapacityStakes;

impl pallet_validators::Stakes<u64> for CapacityStakes {
	fn active(provider: &u64) -> Balance {
		pallet_capacity::ActiveStakes::<Runtime>::get(provider)
	}
	fn total() -> Balance {
		pallet_capacity::TotalActiveStake::<Runtime>::get()
	}
}

/// Sessions that never turn: nobody validates here.
pub struct NoSessions;

impl pallet_validators::Sessions<u64> for NoSessions {
	fn current() -> SessionIndex {
		0
	}
	fn seated() -> Vec<u64> {
		Vec::new()
	}
	fn queued() -> Vec<u64> {
		Vec::new()
	}
	fn keys(_: &u64) -> Option<Vec<u8>> {
		None
	}
	fn has_keys(_: &u64) -> bool {
		false
	}
	fn purge_keys(_: &u64) -> DispatchResult {
		Ok(())
	}
	fn disable(_: &u64, _: Perbill) {}
	fn is_disabled(_: &u64) -> bool {
		false
	}
}
