//! The chains that a node can start from by name.

use codec::Decode;
use millrace_client::AccountKey;
use millrace_primitives::{anchor::AnchorId, epoch::EpochInfo, Balance, FLT};
use millrace_runtime::{
	allocation::{with_development_keys, Share, MONTH_BLOCKS, SUPPLY},
	genesis_presets, RuntimeGenesisConfig,
};
use pallet_anchor::AnchorParams;
use pallet_capacity::CapacityParams;
use pallet_receipts::ReceiptsParams;
use pallet_validators::ValidatorsParams;
use serde_json::Value;
use sp_core::{ecdsa, ed25519, sr25519, storage::Storage, Pair};
use sp_crypto_hashing::{blake2_128, twox_128};
use sp_runtime::{AccountId32, BuildStorage};

/// Names of the development validators, in order.
const VALIDATORS: [&str; 4] = ["//Alice", "//Bob", "//Charlie", "//Dave"];

/// Genesis storage of a preset, built as a node builds it: the preset over the defaults.
pub(crate) fn genesis(preset: &str) -> Storage {
	let patch = genesis_presets::get(&preset.into()).expect("the preset is there");
	let patch: Value = serde_json::from_slice(&patch).expect("a preset is JSON");
	let mut config =
		serde_json::to_value(RuntimeGenesisConfig::default()).expect("defaults are plain data");
	merge(&mut config, patch);
	let config: RuntimeGenesisConfig =
		serde_json::from_value(config).expect("the preset has the form of a genesis");
	config.build_storage().expect("the preset builds")
}

/// A merge patch as in RFC 7396, without removals.
fn merge(target: &mut Value, patch: Value) {
	match (target, patch) {
		(Value::Object(target), Value::Object(patch)) => {
			for (key, value) in patch {
				merge(target.entry(key).or_insert(Value::Null), value);
			}
		}
		(target, patch) => *target = patch,
	}
}

fn key(pallet: &str, item: &str) -> Vec<u8> {
	[twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat()
}

fn read<T: Decode>(storage: &Storage, key: &[u8]) -> Option<T> {
	let bytes = storage.top.get(key)?;
	Some(T::decode(&mut &bytes[..]).expect("it decodes as what it is"))
}

/// Everything that an account owns, from the fixed layout of accounts: nonce and three counters, then
/// free, reserved, frozen, flags.
fn owned(storage: &Storage, account: [u8; 32]) -> Balance {
	let key = [
		&key("System", "Account")[..],
		&blake2_128(&account),
		&account,
	]
	.concat();
	type Account = ([u32; 4], Balance, Balance, Balance, u128);
	read::<Account>(storage, &key).map_or(0, |account| account.1 + account.2)
}

fn account(name: &str) -> [u8; 32] {
	AccountKey::from_suri(name)
		.expect("that is a development name")
		.account()
		.0
}

#[test]
fn every_preset_begins_with_exactly_a_billion() {
	assert_eq!(SUPPLY, 1_000_000_000 * FLT);
	let names = genesis_presets::names();
	assert_eq!(names, ["development", "local_testnet", "testnet"]);
	for name in names {
		let storage = genesis(&name);
		let issuance = read::<Balance>(&storage, &key("Balances", "TotalIssuance"));
		assert_eq!(issuance, Some(SUPPLY), "{name}");
		let prefix = key("System", "Account");
		let accounts = storage.top.keys().filter(|key| key.starts_with(&prefix));
		let all: Balance = accounts
			.map(|key| {
				let account = key[key.len() - 32..]
					.try_into()
					.expect("32 bytes are an account");
				owned(&storage, account)
			})
			.sum();
		assert_eq!(all, SUPPLY, "{name}: the accounts together");
		let pots: [(AccountId32, Balance); 4] = [
			(millrace_runtime::Market::pot(), FLT / 1_000),
			(millrace_runtime::Anchor::pot(), FLT / 1_000),
			(millrace_runtime::Emission::pot(), Share::Capacity.amount()),
			(
				millrace_runtime::DeveloperRewards::pot(),
				Share::DeveloperRewards.amount(),
			),
		];
		for (pot, amount) in pots {
			assert_eq!(owned(&storage, pot.into()), amount, "a pot of {name}");
		}
		let reserve = read::<Balance>(&storage, &key("Emission", "Reserve"));
		assert_eq!(reserve, Some(Share::Capacity.amount()), "{name}");
		let supply = read::<Balance>(&storage, &key("Emission", "Supply"));
		assert_eq!(supply, Some(SUPPLY), "{name}");
	}
}

#[test]
fn development_accounts_are_rich_and_free() {
	for preset in ["development", "local_testnet"] {
		let storage = genesis(preset);
		for name in [
			"//Alice",
			"//Bob",
			"//Charlie",
			"//Dave",
			"//Eve",
			"//Ferdie",
		] {
			assert_eq!(owned(&storage, account(name)), 100_000_000 * FLT, "{name}");
		}
		let prefix = key("Vesting", "Vesting");
		let locked = storage.top.keys().any(|key| key.starts_with(&prefix));
		assert!(!locked, "{preset}");
	}
}

/// Each grant of the allocation stands in its account, and what is locked of it has its schedule.
#[test]
fn the_testnet_has_the_documented_allocation() {
	let storage = genesis("testnet");
	let validators = VALIDATORS.map(|name| AccountId32::new(account(name)));
	let mut schedules = 0;
	for grant in with_development_keys(&validators) {
		let who: [u8; 32] = grant.account.into();
		assert_eq!(owned(&storage, who), grant.amount, "{:?}", grant.share);
		let key = [&key("Vesting", "Vesting")[..], &blake2_128(&who), &who].concat();
		// What is locked, how much of it unlocks in a block, and from which block on.
		let found = read::<Vec<(Balance, Balance, u32)>>(&storage, &key);
		let unlocking = grant.share.unlocking().filter(|_| grant.locked > 0);
		let expected = unlocking.map(|unlocking| {
			schedules += 1;
			let blocks = unlocking.over_months * MONTH_BLOCKS;
			let each = grant.locked / Balance::from(blocks);
			vec![(grant.locked, each, unlocking.after_months * MONTH_BLOCKS)]
		});
		assert_eq!(found, expected, "{:?}", grant.share);
	}
	assert_eq!(schedules, 6);
}

#[test]
fn the_testnet_runs_like_the_mainnet() {
	let storage = genesis("testnet");
	let first = read::<EpochInfo>(&storage, &key("Epochs", "Current"));
	let first = first.expect("genesis has an epoch");
	assert_eq!((first.slot_ms, first.lengths.len), (3_000, 1_200));
	// Months of the allocation are thirty days of such blocks.
	assert_eq!(MONTH_BLOCKS * 3, 30 * 24 * 3_600);
	let params = read::<CapacityParams>(&storage, &key("Capacity", "Params"));
	assert_eq!(params, Some(CapacityParams::default()));
	let params = read::<ReceiptsParams>(&storage, &key("Receipts", "Params"));
	assert_eq!(params, Some(ReceiptsParams::default()));
	let params = read::<ValidatorsParams>(&storage, &key("Validators", "Params"));
	assert_eq!(params, Some(ValidatorsParams::default()));
	let params = read::<AnchorParams>(&storage, &key("Anchor", "Params"));
	assert_eq!(params, Some(AnchorParams::default()));
	// Whoever starts a network deploys the contracts, and root names them.
	assert_eq!(read::<AnchorId>(&storage, &key("Anchor", "Anchor")), None);
}

#[test]
fn only_the_dev_chain_has_a_sudo_key() {
	let key = key("Sudo", "Key");
	for name in genesis_presets::names() {
		let expected = (name == "development").then(|| account("//Alice"));
		assert_eq!(read::<[u8; 32]>(&genesis(&name), &key), expected, "{name}");
	}
}

#[test]
fn unknown_presets_are_none() {
	for name in ["", "mainnet", "dev"] {
		assert!(genesis_presets::get(&name.into()).is_none(), "{name}");
	}
}

#[test]
fn validators_hold_the_three_keys_of_their_names() {
	for (preset, validators) in [
		("development", &VALIDATORS[..1]),
		("local_testnet", &VALIDATORS[..]),
		("testnet", &VALIDATORS[..]),
	] {
		let storage = genesis(preset);
		let found = read::<Vec<[u8; 32]>>(&storage, &key("Session", "Validators"));
		let found = found.expect("a chain has validators");
		let expected: Vec<[u8; 32]> = validators.iter().map(|name| account(name)).collect();
		assert_eq!(found, expected, "{preset}");

		let prefix = key("Session", "NextKeys");
		let keys: Vec<_> = storage
			.top
			.iter()
			.filter(|(key, _)| key.starts_with(&prefix))
			.collect();
		assert_eq!(keys.len(), validators.len(), "{preset}");
		for name in validators {
			let (_, value) = keys
				.iter()
				.find(|(key, _)| key.ends_with(&account(name)))
				.unwrap_or_else(|| panic!("{name} has no session keys"));
			let babe = sr25519::Pair::from_string(name, None)
				.expect("that is a name")
				.public();
			let grandpa = ed25519::Pair::from_string(name, None)
				.expect("that is a name")
				.public();
			let beefy = ecdsa::Pair::from_string(name, None)
				.expect("that is a name")
				.public();
			let bytes = |key: &dyn AsRef<[u8]>| key.as_ref().to_vec();
			let expected = [bytes(&babe), bytes(&grandpa), bytes(&beefy)].concat();
			assert_eq!(
				hex::encode(value),
				hex::encode(expected),
				"keys of {name} in {preset}"
			);
		}
	}
}

#[test]
fn both_chains_are_fast() {
	for preset in ["development", "local_testnet"] {
		let storage = genesis(preset);
		let first = read::<EpochInfo>(&storage, &key("Epochs", "Current"));
		let first = first.expect("genesis has an epoch");
		let lengths = first.lengths;
		assert_eq!(
			(first.index, first.start, first.slot_ms),
			(0, 1, 1_000),
			"{preset}"
		);
		assert_eq!(
			(
				lengths.len,
				lengths.report_window,
				lengths.fold_window,
				lengths.answer_window
			),
			(20, 6, 2, 8),
			"{preset}"
		);
		// A vote takes minutes.
		let hour = read::<u32>(&storage, &key("Timing", "GovernanceHourBlocks"));
		assert_eq!(hour, Some(1), "{preset}");
	}
}

/// What takes days or weeks on the mainnet can be seen to its end on a development chain.
#[test]
fn stakes_move_within_minutes() {
	for preset in ["development", "local_testnet"] {
		let storage = genesis(preset);
		let params = read::<CapacityParams>(&storage, &key("Capacity", "Params"));
		let params = params.expect("genesis has them");
		assert!(params.is_valid(), "{preset}");
		let periods = [
			params.min_duration_epochs,
			params.pending_epochs,
			params.unbonding_epochs,
			params.challenge_epochs,
			params.slash_delay_epochs,
			params.notice_epochs,
			params.vesting_epochs,
		];
		assert_eq!(periods, [5, 2, 8, 4, 2, 2, 30], "{preset}");

		let params = read::<ValidatorsParams>(&storage, &key("Validators", "Params"));
		let params = params.expect("genesis has them");
		assert!(params.is_valid(), "{preset}");
		let stakes = (params.min_seat_stake, params.bootstrap_stake);
		assert_eq!(stakes, (100 * FLT, 400 * FLT), "{preset}");
	}
}

/// A challenge is over before the epoch in which it was made: watchers, and tests, can wait for it.
#[test]
fn challenges_are_decided_within_an_epoch() {
	for preset in ["development", "local_testnet"] {
		let storage = genesis(preset);
		let params = read::<ReceiptsParams>(&storage, &key("Receipts", "Params"));
		let params = params.expect("genesis has them");
		assert!(params.is_valid(), "{preset}");
		assert_eq!(params.bond, FLT, "{preset}");
		let windows = [
			params.reveal_after_blocks,
			params.reveal_within_blocks,
			params.contest_blocks,
			params.show_blocks,
			params.post_blocks,
		];
		assert_eq!(windows, [2, 16, 8, 8, 10], "{preset}");
		// What an offence costs is the mainnet's.
		let mainnet = ReceiptsParams::default();
		assert_eq!(
			[params.fraud, params.omission, params.withholding],
			[mainnet.fraud, mainnet.omission, mainnet.withholding],
			"{preset}"
		);
	}
}
