//! A chain of balances and the registry, with the genesis hash and peers' use by hand.
#![allow(
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use crate as pallet_providers;
use frame_support::{derive_impl, parameter_types, traits::ConstU128, weights::Weight};
use millrace_primitives::{
	epoch::{EpochInfo, EpochLengths, Phase},
	peer::{key_proof, Endpoint, PeerId, PeerKey, PeerSignature},
	traits::{EpochClock, PeerUse},
	Balance, BlockNumber, EpochIndex, H256,
};
use sp_core::{ed25519, Pair};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::BuildStorage;

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Registry: pallet_providers,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<1>;
	type AccountStore = System;
}

impl pallet_providers::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = StoppedClock;
	type PeerUse = UsedPeers;
	type ProviderDeposit = ProviderDepositAmount;
	type PeerDeposit = PeerDepositAmount;
	type AnswerableSince = AnswerableSince;
	type WeightInfo = ();
}

parameter_types! {
	pub static Genesis: H256 = H256([7; 32]);
	pub static InUse: Vec<PeerId> = Vec::new();
	pub static ProviderDepositAmount: Balance = 100;
	pub static PeerDepositAmount: Balance = 10;
	pub static KeyMemoryBlocks: BlockNumber = 100;
	pub static Forgotten: Vec<PeerId> = Vec::new();
	pub AnswerableSince: BlockNumber =
		System::block_number().saturating_sub(KeyMemoryBlocks::get());
}

/// A clock of which the registry asks the genesis hash alone.
pub struct StoppedClock;

impl EpochClock for StoppedClock {
	fn current() -> EpochInfo {
		let lengths = EpochLengths {
			len: 20,
			report_window: 6,
			fold_window: 2,
			answer_window: 8,
		};
		EpochInfo {
			index: 0,
			start: 1,
			start_ms: 0,
			slot_ms: 1_000,
			lengths,
		}
	}
	fn previous() -> Option<EpochInfo> {
		None
	}
	fn position() -> u32 {
		0
	}
	fn phase() -> Phase {
		Phase::Report
	}
	fn seed(_: EpochIndex) -> Option<H256> {
		None
	}
	fn draw(_: EpochIndex) -> Option<H256> {
		None
	}
	fn genesis() -> H256 {
		Genesis::get()
	}
}

pub struct UsedPeers;

impl PeerUse for UsedPeers {
	fn in_use(peer: PeerId) -> bool {
		InUse::get().contains(&peer)
	}
	fn forget(peer: PeerId) {
		Forgotten::mutate(|peers| peers.push(peer));
	}
	fn weight() -> Weight {
		USE_WEIGHT
	}
}

/// Weight of what others do when a peer is removed.
pub(crate) const USE_WEIGHT: Weight = Weight::from_parts(1_234_567, 89);

pub(crate) const ALICE: u64 = 1;
pub(crate) const BOB: u64 = 2;
/// An account that cannot pay for a provider.
pub(crate) const POOR: u64 = 3;
pub(crate) const FUNDS: Balance = 1_000_000;

pub(crate) struct ExtBuilder;

impl ExtBuilder {
	pub(crate) fn build(self) -> sp_io::TestExternalities {
		Genesis::take();
		InUse::take();
		ProviderDepositAmount::take();
		PeerDepositAmount::take();
		KeyMemoryBlocks::take();
		Forgotten::take();
		let mut storage = frame_system::GenesisConfig::<Test>::default()
			.build_storage()
			.unwrap();
		pallet_balances::GenesisConfig::<Test> {
			balances: vec![(ALICE, FUNDS), (BOB, FUNDS), (POOR, 50)],
			..Default::default()
		}
		.assimilate_storage(&mut storage)
		.unwrap();
		let mut ext = sp_io::TestExternalities::from(storage);
		// Benchmarks sign on the host's side.
		ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
		ext.execute_with(|| System::set_block_number(1));
		ext
	}

	pub(crate) fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			Registry::do_try_state().unwrap();
		});
	}
}

fn pair(seed: u16) -> ed25519::Pair {
	let mut bytes = [1; 32];
	bytes[..2].copy_from_slice(&seed.to_le_bytes());
	ed25519::Pair::from_seed(&bytes)
}

pub(crate) fn key(seed: u16) -> PeerKey {
	pair(seed).public().0
}

/// The peer that a key names.
pub(crate) fn peer(seed: u16) -> PeerId {
	PeerId::from_key(&key(seed))
}

pub(crate) fn proof(seed: u16, provider: u64) -> PeerSignature {
	proof_for(Genesis::get(), seed, provider)
}

/// A proof for a chain.
pub(crate) fn proof_for(genesis: H256, seed: u16, provider: u64) -> PeerSignature {
	pair(seed).sign(key_proof(genesis, &provider).as_bytes()).0
}

pub(crate) fn endpoint(url: &str) -> Endpoint {
	Endpoint::try_from(url.as_bytes().to_vec()).unwrap()
}

pub(crate) fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

pub(crate) fn register_provider(who: u64) {
	Registry::register_provider(signed(who), Default::default()).unwrap();
}

/// Registers a peer of a provider that exists.
pub(crate) fn register_peer(who: u64, seed: u16) -> PeerId {
	let url = endpoint("https://peer.example:8443/");
	Registry::register_peer(signed(who), key(seed), proof(seed, who), url).unwrap();
	peer(seed)
}

/// Events of the registry so far.
pub(crate) fn events() -> Vec<pallet_providers::Event<Test>> {
	System::read_events_for_pallet::<pallet_providers::Event<Test>>()
}
