//! Benchmarks over the whole runtime: which pallets have them, and the scenes that ours play in.

#![warn(missing_docs, unreachable_pub)]

use crate::{
	configs::{anchor::AnchorVoters, consensus::MaxValidators},
	parameters::{dynamic_params::capacity, RuntimeParameters},
	seated_keys,
	validators::KeyOwners,
	AccountId, AllPalletsWithSystem, Anchor, Balances, Capacity, DeveloperRewards, Emission,
	Epochs, Governed, Market, Multisig, Preimage, Providers, Proxy, Receipts, Runtime,
	RuntimeHoldReason, RuntimeOrigin, Scheduler, Session, SessionKeys, Signature, Sudo, System,
	TxPause, Utility, Validators,
};
use alloc::{format, string::String, vec::Vec};
use codec::Decode;
use frame_benchmarking::{account, BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{
	fungible::{Mutate, MutateHold},
	Get, KeyOwnerProofSystem, StorageInfo, StorageInfoTrait, WhitelistedStorageKeys,
};
use frame_system::RawOrigin;
use frame_system_benchmarking::Pallet as SystemBench;
use millrace_primitives::{
	anchor::{VoterKey, VoterSignature},
	epoch::EpochInfo,
	peer::{key_proof, Endpoint, PeerId, PeerSignature},
	traits::EpochClock,
	views::CommitmentStatus,
	Balance, DealId, EpochIndex, FLT, H256,
};
use pallet_anchor::Voters;
use pallet_capacity::{
	ActiveStakes, Commitment, Commitments, Earnings, HoldReason, Ledgers, TotalActiveStake,
};
use pallet_epochs::{Current, Draws, Infos, LastTick, Previous, Seeds, Starts, Tick, RING_SLOTS};
use pallet_market::benchmarking::{spec, terms};
use sp_core::{crypto::KeyTypeId, ecdsa, ed25519, sr25519};
use sp_io::{
	crypto::{
		ecdsa_generate, ecdsa_sign, ed25519_generate, ed25519_sign, sr25519_generate, sr25519_sign,
	},
	hashing::keccak_256,
};
use sp_runtime::{traits::OpaqueKeys, Perbill};

frame_benchmarking::define_benchmarks!(
	[pallet_epochs, Epochs]
	[pallet_providers, Providers]
	[pallet_capacity, Capacity]
	[pallet_market, Market]
	[pallet_receipts, Receipts]
	[pallet_validators, Validators]
	[pallet_governed, Governed]
	[pallet_emission, Emission]
	[pallet_developer_rewards, DeveloperRewards]
	[pallet_anchor, Anchor]
	[frame_system, SystemBench::<Runtime>]
	[pallet_balances, Balances]
	[pallet_multisig, Multisig]
	[pallet_preimage, Preimage]
	[pallet_proxy, Proxy]
	[pallet_scheduler, Scheduler]
	[pallet_sudo, Sudo]
	[pallet_tx_pause, TxPause]
	[pallet_utility, Utility]
);

impl frame_system_benchmarking::Config for Runtime {}

/// Which benchmarks there are, and what is known of the storage that they touch.
pub(crate) fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
	let mut list = Vec::<BenchmarkList>::new();
	list_benchmarks!(list, extra);
	(list, AllPalletsWithSystem::storage_info())
}

/// Runs the benchmark that is asked for.
pub(crate) fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
	let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
	let mut batches = Vec::<BenchmarkBatch>::new();
	let params = (&config, &whitelist);
	add_benchmarks!(params, batches);
	Ok(batches)
}

/// Where the keystore has the keys of peers.
const KEYS: KeyTypeId = KeyTypeId(*b"mrbm");

/// Sets the scenes for benchmarks of Millrace's pallets.
#[derive(Debug)]
pub struct Scene;

impl pallet_capacity::BenchmarkHelper<AccountId> for Scene {
	fn register_peer(provider: &AccountId) -> PeerId {
		register(provider, 0)
	}

	fn sign(peer: PeerId, hash: H256) -> PeerSignature {
		sign(peer, hash)
	}

	fn set_clock(epoch: EpochIndex, position: u32) {
		set_clock(epoch, position);
	}
}

impl pallet_market::benchmarking::BenchmarkHelper<AccountId> for Scene {
	fn peer(provider: &AccountId, index: u32, units: u32) -> PeerId {
		let peer = register(provider, index);
		commit(provider, peer, units);
		peer
	}

	fn sign(peer: PeerId, message: H256) -> PeerSignature {
		sign(peer, message)
	}

	fn close_epoch() {
		let EpochInfo { index, lengths, .. } = <Epochs as EpochClock>::current();
		set_clock(index.saturating_add(1), lengths.close_position());
		let peers: Vec<_> = Commitments::<Runtime>::iter_keys().collect();
		for peer in peers {
			Commitments::<Runtime>::mutate(peer, |row| {
				if let Some(row) = row {
					row.next_to_settle = index.saturating_add(1);
				}
			});
		}
	}
}

impl pallet_receipts::BenchmarkHelper for Scene {
	fn worker() -> (PeerId, DealId) {
		set_clock(0, 0);
		let provider: AccountId = account("provider", 0, 0);
		let owner: AccountId = account("owner", 0, 0);
		for who in [&provider, &owner] {
			Balances::mint_into(who, FLT.saturating_mul(1_000)).expect("anybody can be given FLT");
		}
		let peer = register(&provider, 0);
		commit(&provider, peer, 1);

		let owner = RuntimeOrigin::signed(owner);
		let deal = pallet_market::NextDeal::<Runtime>::get();
		Market::post_offer(RuntimeOrigin::signed(provider), peer, terms(1))
			.expect("the terms are good");
		Market::create_deal(owner.clone(), spec::<Runtime>(1), FLT.saturating_mul(10))
			.expect("the specification is good");
		Market::match_deal(owner, deal).expect("the deal lacks a worker");
		Market::go_live(
			RawOrigin::<AccountId>::Authorized.into(),
			peer,
			deal,
			[0; 64],
		)
		.expect("the offer was taken");

		let lengths = <Epochs as EpochClock>::current().lengths;
		set_clock(2, lengths.report_window.saturating_add(lengths.fold_window));
		(peer, deal)
	}

	fn package() -> H256 {
		spec::<Runtime>(1).package.hash
	}

	fn sign(peer: PeerId, hash: H256) -> PeerSignature {
		sign(peer, hash)
	}
}

impl pallet_validators::BenchmarkHelper<AccountId> for Scene {
	fn candidate(index: u32, stake: Balance) -> AccountId {
		let who: AccountId = account("candidate", index, 0);
		let held = crate::configs::consensus::SessionKeyDeposit::get();
		Balances::mint_into(&who, held.saturating_add(FLT)).expect("anybody can be given FLT");
		let reason = RuntimeHoldReason::Session(pallet_session::HoldReason::Keys);
		Balances::hold(&reason, &who, held).expect("the candidate was just given as much");
		System::inc_consumers(&who).expect("the account is there");
		set_keys(&who);
		ActiveStakes::<Runtime>::insert(&who, stake);
		TotalActiveStake::<Runtime>::mutate(|sum| *sum = sum.saturating_add(stake));
		who
	}

	fn seat(count: u32) -> Vec<AccountId> {
		let seats: Vec<AccountId> = (0..count).map(|index| account("seat", index, 0)).collect();
		let queued: Vec<_> = seats
			.iter()
			.map(|who| (who.clone(), set_keys(who)))
			.collect();
		pallet_session::QueuedKeys::<Runtime>::put(queued);
		pallet_session::Validators::<Runtime>::put(&seats);
		seats
	}
}

impl pallet_developer_rewards::BenchmarkHelper<AccountId, Signature> for Scene {
	fn signer() -> AccountId {
		let key = sr25519_generate(KEYS, Some(b"//rewarded".to_vec()));
		AccountId::new(key.0)
	}

	fn sign(signer: &AccountId, message: &[u8]) -> Signature {
		let key = sr25519::Public::from_raw(signer.clone().into());
		let signature = sr25519_sign(KEYS, &key, message);
		Signature::Sr25519(signature.expect("the keystore made the key"))
	}
}

impl pallet_governed::BenchmarkHelper<RuntimeParameters> for Scene {
	fn parameter() -> RuntimeParameters {
		let dearer = FLT.saturating_mul(150);
		RuntimeParameters::Capacity(capacity::Parameters::StakePerUnit(
			capacity::StakePerUnit,
			Some(dearer),
		))
	}
}

impl pallet_anchor::BenchmarkHelper<sp_session::MembershipProof> for Scene {
	fn voters() -> Vec<VoterKey> {
		let seats =
			<Self as pallet_validators::BenchmarkHelper<AccountId>>::seat(MaxValidators::get());
		let keys: Vec<(AccountId, SessionKeys)> = (0u32..)
			.zip(seats)
			.map(|(index, who)| {
				let key = ecdsa_generate(KEYS, Some(format!("//voter{index}").into_bytes()));
				let account: &[u8; 32] = who.as_ref();
				let bytes = [&account[..], &account[..], &key.0[..]].concat();
				let keys = SessionKeys::decode(&mut &bytes[..]).expect("any bytes are keys");
				(who, keys)
			})
			.collect();
		seated_keys::put(Session::current_index(), keys);
		AnchorVoters::seated()
			.into_iter()
			.map(|(_, key)| key)
			.collect()
	}

	fn sign(key: &VoterKey, hash: H256) -> VoterSignature {
		ecdsa_sign(KEYS, &ecdsa::Public::from_raw(*key), hash.as_bytes())
			.expect("the keystore made the key")
			.0
	}

	fn prove(key: &VoterKey) -> sp_session::MembershipProof {
		KeyOwners::prove((sp_consensus_beefy::KEY_TYPE, *key)).expect("the key has a seat")
	}
}

/// Gives an account session keys of its own, which nobody signs with.
fn set_keys(who: &AccountId) -> SessionKeys {
	let bytes: &[u8; 32] = who.as_ref();
	// Two keys of 32 bytes and one of 33.
	let bytes = [&bytes[..], &bytes[..], &bytes[..], &[0][..]].concat();
	let keys = SessionKeys::decode(&mut &bytes[..]).expect("any bytes are keys");
	for id in SessionKeys::key_ids() {
		let key = (*id, keys.get_raw(*id).to_vec());
		pallet_session::KeyOwner::<Runtime>::insert(key, who);
	}
	pallet_session::NextKeys::<Runtime>::insert(who, &keys);
	keys
}

/// Registers a peer under a key of its number, and its provider before, if it is none yet.
fn register(provider: &AccountId, index: u32) -> PeerId {
	let origin = RuntimeOrigin::signed(provider.clone());
	if !pallet_providers::Providers::<Runtime>::contains_key(provider) {
		Providers::register_provider(origin.clone(), Default::default())
			.expect("benchmarks make their accounts rich");
	}
	let key = ed25519_generate(KEYS, Some(format!("//peer{index}").into_bytes()));
	let proof = signature(&key, key_proof(<Epochs as EpochClock>::genesis(), provider));
	let endpoint = Endpoint::truncate_from(b"https://peer.example".to_vec());
	Providers::register_peer(origin, key.0, proof, endpoint)
		.expect("no peer has this number, and the provider is rich");
	PeerId::from_key(&key.0)
}

/// Gives a peer a commitment of so many units, staked by its provider alone, all of them proven and
/// every closed epoch settled.
fn commit(provider: &AccountId, peer: PeerId, units: u32) {
	let params = pallet_capacity::Params::<Runtime>::get();
	let terms = params.terms(Perbill::one(), Perbill::zero());
	let mut commitment = Commitment::pending(provider.clone(), units, terms, 0);
	let stake = commitment.committed();
	Balances::mint_into(provider, stake).expect("anybody can be given FLT");
	Balances::hold(
		&RuntimeHoldReason::Capacity(HoldReason::Stake),
		provider,
		stake,
	)
	.expect("the provider was just given as much");
	commitment.status = CommitmentStatus::Active {
		start: 0,
		end: EpochIndex::MAX,
	};
	commitment.own.left = stake;
	commitment.own.share = stake;
	commitment.shares = stake;
	commitment.proven = units;
	commitment.next_to_settle =
		<Epochs as EpochClock>::last_closed().map_or(0, |last| last.saturating_add(1));
	Commitments::<Runtime>::insert(peer, commitment);
	ActiveStakes::<Runtime>::mutate(provider, |sum| *sum = sum.saturating_add(stake));
	TotalActiveStake::<Runtime>::mutate(|sum| *sum = sum.saturating_add(stake));
	Ledgers::<Runtime>::mutate(provider, |ledger| {
		let ledger = ledger.get_or_insert_with(Earnings::default);
		ledger.places = ledger.places.saturating_add(1);
	});
}

/// Signature of a peer's present key.
fn sign(peer: PeerId, hash: H256) -> PeerSignature {
	let view = Providers::peer(peer).expect("benchmarks sign for peers that they registered");
	signature(&ed25519::Public::from_raw(view.key), hash)
}

fn signature(key: &ed25519::Public, message: H256) -> PeerSignature {
	ed25519_sign(KEYS, key, message.as_bytes())
		.expect("the keystore made the key")
		.0
}

/// Puts the clock, and with it the number of the block, on a position of an epoch, with the seeds of
/// it and of the one before, and the draw over the latter's reports.
fn set_clock(epoch: EpochIndex, position: u32) {
	let present = <Epochs as EpochClock>::current();
	let info = |index: EpochIndex| EpochInfo {
		index,
		start: index.saturating_mul(present.lengths.len).saturating_add(1),
		..present
	};
	let before = epoch.checked_sub(1);
	Current::<Runtime>::put(info(epoch));
	Previous::<Runtime>::set(before.map(info));
	LastTick::<Runtime>::put(Tick {
		position,
		counted: true,
	});
	for known in before.into_iter().chain([epoch]) {
		let slot = known % RING_SLOTS;
		Seeds::<Runtime>::insert(slot, (known, H256(keccak_256(&known.to_le_bytes()))));
		Starts::<Runtime>::insert(slot, (known, info(known).start));
		Infos::<Runtime>::insert(slot, info(known));
	}
	if let Some(drawn) = before {
		Draws::<Runtime>::insert(drawn % RING_SLOTS, (drawn, H256::repeat_byte(1)));
	}
	System::set_block_number(info(epoch).start.saturating_add(position));
}
