//! Millrace's own pallets, and how they know each other.

use super::money::deposit;
use crate::{
	timing, Babe, Balance, Balances, BlockNumber, Capacity, Epochs, Market, Providers, Receipts,
	Runtime, RuntimeHoldReason, Timestamp,
};
use frame_support::{parameter_types, traits::Get};
use millrace_primitives::traits::EpochClock;

/// VRF output of the block before: pallet-babe writes it when that block ends.
#[derive(Debug)]
pub struct LastVrfOutput;

impl Get<Option<[u8; 32]>> for LastVrfOutput {
	fn get() -> Option<[u8; 32]> {
		Babe::author_vrf_randomness()
	}
}

/// Timestamp of the block before, in milliseconds: at the start of a block its own is not set yet.
#[derive(Debug)]
pub struct LastTimestamp;

impl Get<u64> for LastTimestamp {
	fn get() -> u64 {
		Timestamp::get()
	}
}

/// Blocks for which a replaced key is remembered: the challenge period, two epochs to report and
/// be audited in, and one because an epoch has begun.
#[derive(Debug)]
pub struct KeyMemory;

impl Get<BlockNumber> for KeyMemory {
	fn get() -> BlockNumber {
		let epochs = pallet_capacity::Params::<Runtime>::get()
			.challenge_epochs
			.saturating_add(3);
		<Epochs as EpochClock>::current()
			.lengths
			.len
			.saturating_mul(epochs)
	}
}

parameter_types! {
	pub const ProviderDeposit: Balance = deposit(1, 256);
	// Peer, keys, and the rings of reports and opened receipts.
	pub const PeerDeposit: Balance = deposit(64, 8_192);
}

impl pallet_epochs::Config for Runtime {
	type VrfOutput = LastVrfOutput;
	type Time = LastTimestamp;
	type SlotDuration = timing::SlotDuration<Runtime>;
	type Hooks = Capacity;
	type WeightInfo = pallet_epochs::weights::SubstrateWeight<Runtime>;
}

impl pallet_providers::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = Epochs;
	type PeerUse = (Capacity, Market);
	type ProviderDeposit = ProviderDeposit;
	type PeerDeposit = PeerDeposit;
	type KeyMemory = KeyMemory;
	type WeightInfo = pallet_providers::weights::SubstrateWeight<Runtime>;
}

impl pallet_capacity::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = Epochs;
	type Peers = Providers;
	type Receipts = Receipts;
	type Work = Market;
	type RandomX = millrace_host::Native;
	type WeightInfo = pallet_capacity::weights::SubstrateWeight<Runtime>;
}

impl pallet_market::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Epochs = Epochs;
	type Peers = Providers;
	type Capacity = Capacity;
	type WeightInfo = pallet_market::weights::SubstrateWeight<Runtime>;
}

impl pallet_receipts::Config for Runtime {
	type Clock = Epochs;
	type Peers = Providers;
	type Work = Market;
	type WeightInfo = pallet_receipts::weights::SubstrateWeight<Runtime>;
}
