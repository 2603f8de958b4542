//! A runtime around the pallet: a clock that tests set, peers with real keys, and a market of one deal.
#![allow(
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use crate as pallet_receipts;
use frame_support::{derive_impl, parameter_types};
use millrace_primitives::{
	epoch::{EpochInfo, EpochLengths, Phase},
	hash,
	peer::{PeerId, PeerKey},
	traits::{EpochClock, PeerRegistry, WorkInspector},
	BlockNumber, DealId, EpochIndex, Gas, H256,
};
use sp_core::{ed25519, Pair};
use sp_runtime::BuildStorage;

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Receipts: pallet_receipts,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

impl pallet_receipts::Config for Test {
	type Clock = MockClock;
	type Peers = MockPeers;
	type Work = MockWork;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockPeers;
}

/// The deal that the peer works for.
pub(crate) const DEAL: DealId = 5;
/// Most gas of its calls.
pub(crate) const MOST_GAS: Gas = 1_000;
/// First block at which the peer's key counts.
pub(crate) const KEY_SINCE: BlockNumber = 25;

const LENGTHS: EpochLengths = EpochLengths {
	len: 20,
	report_window: 6,
	fold_window: 2,
	answer_window: 8,
};

parameter_types! {
	pub(crate) static CurrentEpoch: EpochIndex = 2;
	pub(crate) static DealStands: bool = true;
	/// Peers that work for the deal, with their keys.
	pub(crate) static Registered: Vec<(PeerId, PeerKey)> = Vec::new();
}

pub struct MockClock;

impl MockClock {
	fn info(index: EpochIndex) -> EpochInfo {
		let start = 1 + index * LENGTHS.len;
		EpochInfo {
			index,
			start,
			start_ms: 0,
			slot_ms: 1_000,
			lengths: LENGTHS,
		}
	}
}

impl EpochClock for MockClock {
	fn current() -> EpochInfo {
		Self::info(CurrentEpoch::get())
	}
	fn previous() -> Option<EpochInfo> {
		CurrentEpoch::get().checked_sub(1).map(Self::info)
	}
	fn position() -> u32 {
		8
	}
	fn phase() -> Phase {
		Phase::Answer
	}
	fn seed(epoch: EpochIndex) -> Option<H256> {
		Some(hash::tagged("mock/seed", &epoch))
	}
	fn draw(epoch: EpochIndex) -> Option<H256> {
		Some(hash::tagged("mock/draw", &epoch))
	}
	fn genesis() -> H256 {
		H256::repeat_byte(7)
	}
}

pub struct MockPeers;

impl PeerRegistry<u64> for MockPeers {
	fn provider_of(asked: PeerId) -> Option<u64> {
		(asked == other() || registered_key(asked).is_some()).then_some(1)
	}
	fn key_at(asked: PeerId, block: BlockNumber) -> Option<PeerKey> {
		registered_key(asked).filter(|_| block >= KEY_SINCE)
	}
}

pub struct MockWork;

impl WorkInspector for MockWork {
	fn is_worker(asked: PeerId, deal: DealId, epoch: EpochIndex) -> bool {
		registered_key(asked).is_some() && deal == DEAL && epoch >= 1
	}
	fn call_terms(deal: DealId) -> Option<(H256, Gas)> {
		(deal == DEAL && DealStands::get()).then(|| (package(), MOST_GAS))
	}
}

fn registered_key(asked: PeerId) -> Option<PeerKey> {
	let registered = Registered::get();
	let found = registered.iter().find(|(peer, _)| *peer == asked);
	found.map(|(_, key)| *key)
}

/// Registers a peer by its key.
pub(crate) fn register(pair: &ed25519::Pair) -> PeerId {
	let key = pair.public().0;
	let peer = PeerId::from_key(&key);
	Registered::mutate(|registered| registered.push((peer, key)));
	peer
}

/// The peer's key pair.
pub(crate) fn pair() -> ed25519::Pair {
	ed25519::Pair::from_seed(&[1; 32])
}

/// The peer.
pub(crate) fn peer() -> PeerId {
	PeerId::from_key(&pair().public().0)
}

/// Another registered peer, whose key is not known here.
pub(crate) fn other() -> PeerId {
	PeerId(H256::repeat_byte(8))
}

/// The deal's package.
pub(crate) fn package() -> H256 {
	H256::repeat_byte(3)
}

/// A chain in an answer window of epoch 2, in which epoch 1 is audited.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	CurrentEpoch::set(2);
	DealStands::set(true);
	Registered::set(Vec::new());
	register(&pair());
	let storage = frame_system::GenesisConfig::<Test>::default()
		.build_storage()
		.expect("the system's genesis builds");
	let mut ext = sp_io::TestExternalities::new(storage);
	ext.execute_with(|| System::set_block_number(49));
	ext
}

/// Runs a test on such a chain and checks the pallet's invariants at its end.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		Receipts::do_try_state().expect("the invariants hold");
	});
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for MockPeers {
	fn worker() -> (PeerId, DealId) {
		CurrentEpoch::set(2);
		(peer(), DEAL)
	}
	fn sign(_: PeerId, hash: H256) -> millrace_primitives::peer::PeerSignature {
		pair().sign(hash.as_bytes()).0
	}
}
