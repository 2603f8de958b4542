//! The chains that a node can start from by name.
//!
//! `dev` has one validator and a sudo key, `local` four validators and none. Both run fast: slots
//! of one second, epochs of twenty blocks. `testnet` is the mainnet but for its people: the supply is
//! divided and locked as there, lengths and parameters are the mainnet's, and nobody has a sudo key.

#![warn(missing_docs, unreachable_pub)]

use crate::{
	allocation::{self, Grant, SUPPLY},
	AccountId, Balance, PresetBytes, SessionKeys,
};
use alloc::{string::ToString, vec::Vec};
use hex_literal::hex;
use millrace_primitives::{
	anchor::{AnchorId, H160},
	capacity::WorkRates,
	epoch::EpochLengths,
	FLT, U256,
};
use pallet_anchor::AnchorParams;
use pallet_capacity::CapacityParams;
use pallet_market::MarketParams;
use pallet_receipts::ReceiptsParams;
use pallet_validators::ValidatorsParams;
use serde_json::{json, Value};
use sp_consensus_babe::AuthorityId as BabeId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::ecdsa;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::Perbill;

/// Primary slots for a quarter of the time, secondary ones with a VRF for the rest: every block
/// has a VRF output, which audits need.
pub const BABE_CONFIG: sp_consensus_babe::BabeEpochConfiguration =
	sp_consensus_babe::BabeEpochConfiguration {
		c: (1, 4),
		allowed_slots: sp_consensus_babe::AllowedSlots::PrimaryAndSecondaryVRFSlots,
	};

/// Name of the preset of test networks.
pub const TESTNET: &str = "testnet";
/// What each account of a development chain is given, in the place of team, backers and ecosystem;
/// the treasury has what pots leave of the rest.
const ENDOWMENT: Balance = 100_000_000 * FLT;

/// Epochs of twenty blocks: six to report in, two for the draw, eight to answer in.
const FAST_EPOCHS: EpochLengths = EpochLengths {
	len: 20,
	report_window: 6,
	fold_window: 2,
	answer_window: 8,
};

/// The protocol's numbers for development chains, where they differ from the mainnet's.
fn fast_capacity() -> CapacityParams {
	CapacityParams {
		slash_rate: Perbill::from_percent(1),
		min_duration_epochs: 5,
		unbonding_epochs: 8,
		challenge_epochs: 4,
		slash_delay_epochs: 2,
		notice_epochs: 2,
		vesting_epochs: 30,
		rates: WorkRates { idle: 4, busy: 1 },
		// Light mode takes some 36 ms a hash: four solutions of four tries each are 0.6 s of one
		// core, so that a whole network fits on a small machine that does other things besides.
		target_reference: U256::MAX >> 2,
		..Default::default()
	}
}

/// Compressed public keys of the well-known ECDSA development keys.
const BEEFY_KEYS: [[u8; 33]; 4] = [
	hex!("020a1091341fe5664bfa1782d5e04779689068c916b04cb365ec3153755684d9a1"),
	hex!("0390084fdbf27d2b79d26a4f13f0ccd982cb755a661969143c37cbc49ef5b91f27"),
	hex!("0389411795514af1627765eceffcbd002719f031604fadd7d188e2dc585b4e1afb"),
	hex!("03bc9d0ca094bd5b8b3225d7651eac5d18c1c04bf8ae8f8b263eebca4e1410ed0c"),
];

/// Development accounts that validate, in order.
const VALIDATORS: [(Sr25519Keyring, Ed25519Keyring); 4] = [
	(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
	(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
	(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
	(Sr25519Keyring::Dave, Ed25519Keyring::Dave),
];

/// Development accounts that hold FLT.
const ENDOWED: [Sr25519Keyring; 6] = [
	Sr25519Keyring::Alice,
	Sr25519Keyring::Bob,
	Sr25519Keyring::Charlie,
	Sr25519Keyring::Dave,
	Sr25519Keyring::Eve,
	Sr25519Keyring::Ferdie,
];

/// A seat for one unit's stake, as soon as there is stake of four units.
fn fast_validators() -> ValidatorsParams {
	ValidatorsParams {
		min_seat_stake: 100 * FLT,
		bootstrap_stake: 400 * FLT,
		..Default::default()
	}
}

/// Challenges that are decided within an epoch, for a bond that development accounts do not feel.
fn fast_receipts() -> ReceiptsParams {
	ReceiptsParams {
		bond: FLT,
		reveal_within_blocks: 16,
		contest_blocks: 8,
		show_blocks: 8,
		post_blocks: 10,
		..Default::default()
	}
}

/// Exclusions and probes that are over within an epoch or a few.
fn fast_market() -> MarketParams {
	MarketParams {
		exclusion_epochs: 3,
		probe_blocks: 6,
		..Default::default()
	}
}

/// Late deliveries that show within an epoch or two.
fn fast_anchor() -> AnchorParams {
	AnchorParams {
		deliver_blocks: 30,
		max_pause_blocks: 1_200,
		..Default::default()
	}
}

/// The first contract that the first well-known account of a development anchor deploys.
const DEV_ANCHOR: AnchorId = AnchorId {
	chain_id: 31_337,
	contract: H160(hex!("5fbdb2315678afecb367f032d93f642f64180aa3")),
};

/// Session keys of the first `count` development validators.
fn session_keys(count: usize) -> Vec<(AccountId, AccountId, SessionKeys)> {
	VALIDATORS
		.iter()
		.zip(BEEFY_KEYS)
		.take(count)
		.map(|((sr25519, ed25519), beefy)| {
			let account = sr25519.to_account_id();
			let keys = SessionKeys {
				babe: BabeId::from(sr25519.public()),
				grandpa: GrandpaId::from(ed25519.public()),
				beefy: ecdsa::Public::from_raw(beefy).into(),
			};
			(account.clone(), account, keys)
		})
		.collect()
}

/// Accounts of the first `count` development validators.
pub(crate) fn validator_accounts(count: usize) -> Vec<AccountId> {
	VALIDATORS
		.iter()
		.take(count)
		.map(|(sr25519, _)| sr25519.to_account_id())
		.collect()
}

/// Accounts with what they have.
fn balances(grants: &[Grant]) -> Vec<(AccountId, Balance)> {
	grants
		.iter()
		.map(|grant| (grant.account.clone(), grant.amount))
		.collect()
}

/// Genesis of a test network.
fn test_network(validators: usize) -> Value {
	let grants = allocation::with_development_keys(&validator_accounts(validators));
	let schedules: Vec<_> = grants.iter().filter_map(Grant::schedule).collect();
	json!({
		"balances": { "balances": balances(&grants) },
		"vesting": { "vesting": schedules },
		"babe": { "epochConfig": BABE_CONFIG },
		"session": { "keys": session_keys(validators) },
	})
}

/// Genesis of a fast chain.
fn fast_chain(validators: usize, sudo: Option<AccountId>) -> Value {
	let mut balances = balances(&allocation::pots());
	balances.extend(ENDOWED.map(|key| (key.to_account_id(), ENDOWMENT)));
	let given = balances
		.iter()
		.fold(0, |sum: Balance, (_, balance)| sum.saturating_add(*balance));
	balances.push((crate::Treasury::account_id(), SUPPLY.saturating_sub(given)));
	json!({
		"balances": { "balances": balances },
		"timing": { "slotMs": 1_000, "sessionSlots": 60, "governanceHourBlocks": 1 },
		"babe": { "epochConfig": BABE_CONFIG },
		"session": { "keys": session_keys(validators) },
		"sudo": { "key": sudo },
		"epochs": { "lengths": FAST_EPOCHS },
		"capacity": { "params": fast_capacity() },
		"market": { "params": fast_market() },
		"receipts": { "params": fast_receipts() },
		"validators": { "params": fast_validators() },
		"anchor": { "params": fast_anchor(), "anchor": DEV_ANCHOR },
	})
}

/// The preset of that name.
pub fn get(id: &PresetId) -> Option<PresetBytes> {
	let preset = match id.as_ref() {
		sp_genesis_builder::DEV_RUNTIME_PRESET => {
			fast_chain(1, Some(Sr25519Keyring::Alice.to_account_id()))
		}
		sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET => fast_chain(4, None),
		TESTNET => test_network(4),
		_ => return None,
	};
	Some(preset.to_string().into_bytes())
}

/// Names of all presets.
pub fn names() -> Vec<PresetId> {
	[
		sp_genesis_builder::DEV_RUNTIME_PRESET,
		sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
		TESTNET,
	]
	.map(PresetId::from)
	.to_vec()
}
