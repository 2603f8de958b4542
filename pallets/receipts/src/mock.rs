//! A runtime around the pallet: a clock that tests set, peers with real keys, a market of one deal, stakes
//! that pay at once, and a judge that says what it is told.
#![allow(
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use crate::{self as pallet_receipts, ReceiptsParams};
use frame_support::{
	derive_impl,
	migrations::MultiStepMigrator,
	parameter_types,
	traits::{
		fungible::Mutate,
		tokens::{Fortitude, Precision, Preservation},
		ConstU128, Hooks,
	},
	weights::{constants::WEIGHT_REF_TIME_PER_SECOND, IdentityFee, Weight},
};
use frame_system::limits::BlockWeights;
use millrace_primitives::{
	effects::Transcript,
	epoch::{EpochInfo, EpochLengths, Phase},
	execution::{
		package_hash, response_hash, CallStatus, CallTerms, ProfileId, Receipt, Request,
		SignedReceipt, PROFILE_V1,
	},
	hash,
	market::{Abi, CallLimits, Package},
	packages::{NoTerms, PackageHistory, PastPackage},
	peer::{PeerId, PeerKey},
	replay::{ReplayInput, ReplayOutcome, Replayed},
	traits::{
		DealClients, EpochClock, Offence, PeerRegistry, Replayer, StakeSlasher, WorkInspector,
	},
	Balance, BlockNumber, DealId, EpochIndex, Gas, FLT, H256,
};
use sp_core::{ed25519, Pair};
use sp_runtime::{BuildStorage, Perbill};
use std::collections::BTreeMap;

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Receipts: pallet_receipts,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
	type BlockWeights = Weights;
	type MultiBlockMigrator = Migrator;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<1>;
	type AccountStore = System;
}

impl pallet_receipts::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = MockClock;
	type Peers = MockPeers;
	type Work = MockWork;
	type Clients = MockWork;
	type Slasher = MockStake;
	type Replayer = MockJudge;
	type WeightToFee = IdentityFee<Balance>;
	type ByteFee = ConstU128<BYTE_FEE>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockPeers;
}

/// Owner of all peers.
pub(crate) const PROVIDER: u64 = 1;
/// Whose stake stands behind the provider's.
pub(crate) const DELEGATOR: u64 = 2;
/// Accounts that challenge.
pub(crate) const ALICE: u64 = 3;
pub(crate) const BOB: u64 = 4;
/// An account that pushes what is due.
pub(crate) const STRANGER: u64 = 5;
/// What each account begins with.
pub(crate) const ENDOWMENT: Balance = 100_000 * FLT;
/// What a byte costs: the mainnet's.
pub(crate) const BYTE_FEE: Balance = FLT / 1_000_000;
/// What is committed for a peer: a fifth of it is the provider's.
pub(crate) const STAKE: Balance = 1_000 * FLT;
/// Epochs in which a report can be challenged.
pub(crate) const CHALLENGE_EPOCHS: EpochIndex = 4;
/// What a slash weighs.
pub(crate) const SLASH_WEIGHT: Weight = Weight::from_parts(7_000_000, 0);

/// The deal that the peer works for.
pub(crate) const DEAL: DealId = 5;
/// Most gas of its calls.
pub(crate) const MOST_GAS: Gas = 1_000;
/// First block at which the peer's key counts.
pub(crate) const KEY_SINCE: BlockNumber = 25;
/// The deal's package.
pub(crate) const PACKAGE: &[u8] = b"\0asm";

const LENGTHS: EpochLengths = EpochLengths {
	len: 20,
	report_window: 6,
	fold_window: 2,
	answer_window: 8,
};

/// What answers for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stake {
	/// What is left of the provider's, in its free balance.
	pub own: Balance,
	/// What is left of the delegator's.
	pub others: Balance,
	/// First epoch that it answers for.
	pub began: EpochIndex,
}

/// A slash, and what was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slash {
	pub peer: PeerId,
	pub offence: Offence<u64>,
	pub amount: Balance,
}

parameter_types! {
	/// Half of a slot of three seconds.
	pub Weights: BlockWeights = BlockWeights::with_sensible_defaults(
		Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND * 3 / 2, u64::MAX),
		Perbill::from_percent(75),
	);
}

parameter_types! {
	pub(crate) static CurrentEpoch: EpochIndex = 2;
	pub(crate) static DealStands: bool = true;
	/// What the deal ran before its package.
	pub(crate) static History: PackageHistory = PackageHistory::default();
	/// Owner of the deal, while not everybody may call it.
	pub(crate) static PrivateTo: Option<u64> = None;
	pub(crate) static Migrating: bool = false;
	/// Peers that work for the deal, with their keys.
	pub(crate) static Registered: Vec<(PeerId, PeerKey)> = Vec::new();
	/// Keys that count no more since a block.
	pub(crate) static Rotated: BTreeMap<PeerId, (BlockNumber, PeerKey)> = BTreeMap::new();
	pub(crate) static StakesOf: BTreeMap<PeerId, Stake> = BTreeMap::new();
	pub(crate) static Slashes: Vec<Slash> = Vec::new();
	/// What the judge says, if not that all is as in the receipt of the fixtures.
	pub(crate) static Outcome: Option<ReplayOutcome> = None;
	/// Gas that the judge spends.
	pub(crate) static Spent: Gas = MOST_GAS;
	/// What it was asked.
	pub(crate) static Replays: Vec<(ProfileId, Vec<u8>, ReplayInput)> = Vec::new();
}

pub struct Migrator;

impl MultiStepMigrator for Migrator {
	fn ongoing() -> bool {
		Migrating::get()
	}
	fn step() -> Weight {
		Weight::zero()
	}
}

pub struct MockClock;

impl MockClock {
	fn at(index: EpochIndex) -> EpochInfo {
		EpochInfo {
			index,
			start: 1 + index * LENGTHS.len,
			start_ms: u64::from(index) * 20_000,
			slot_ms: 1_000,
			lengths: LENGTHS,
		}
	}
}

impl EpochClock for MockClock {
	fn current() -> EpochInfo {
		Self::at(CurrentEpoch::get())
	}
	fn previous() -> Option<EpochInfo> {
		CurrentEpoch::get().checked_sub(1).map(Self::at)
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
	fn info(epoch: EpochIndex) -> Option<EpochInfo> {
		(epoch <= CurrentEpoch::get()).then(|| Self::at(epoch))
	}
}

pub struct MockPeers;

impl PeerRegistry<u64> for MockPeers {
	fn provider_of(asked: PeerId) -> Option<u64> {
		(asked == other() || registered_key(asked).is_some()).then_some(PROVIDER)
	}
	fn key_at(asked: PeerId, block: BlockNumber) -> Option<PeerKey> {
		let first = registered_key(asked).filter(|_| block >= KEY_SINCE)?;
		let rotated = Rotated::get();
		let later = rotated.get(&asked).filter(|(since, _)| block >= *since);
		Some(later.map_or(first, |(_, key)| *key))
	}
}

pub struct MockWork;

impl WorkInspector for MockWork {
	fn is_worker(asked: PeerId, deal: DealId, epoch: EpochIndex) -> bool {
		registered_key(asked).is_some() && deal == DEAL && epoch >= 1
	}
	fn call_terms(
		deal: DealId,
		package: H256,
		epoch: EpochIndex,
		block: BlockNumber,
	) -> Result<CallTerms, NoTerms> {
		match deal == DEAL && DealStands::get() {
			true => History::get().terms(&terms(), package, epoch, block),
			false => Err(NoTerms::Unknown),
		}
	}
}

impl DealClients<u64> for MockWork {
	fn private_client(deal: DealId) -> Option<u64> {
		PrivateTo::get().filter(|_| deal == DEAL && DealStands::get())
	}
}

/// Stakes are free balance, and pay at once; otherwise as the capacity pallet has it.
pub struct MockStake;

impl StakeSlasher<u64> for MockStake {
	fn slash(peer: PeerId, offence: Offence<u64>) -> Balance {
		let mut stakes = StakesOf::get();
		let Some(stake) = stakes
			.get_mut(&peer)
			.filter(|stake| stake.began <= offence.epoch)
		else {
			return 0;
		};
		let due = offence.part.mul_ceil(STAKE);
		let own = due.min(stake.own);
		let others = (due - own).min(stake.others);
		(stake.own, stake.others) = (stake.own - own, stake.others - others);
		for (who, part) in [(PROVIDER, own), (DELEGATOR, others)] {
			Balances::burn_from(
				&who,
				part,
				Preservation::Expendable,
				Precision::Exact,
				Fortitude::Force,
			)
			.expect("stakes are there");
		}
		let amount = own + others;
		if let Some((reporter, part)) = offence.reporter {
			let reward = part.mul_floor(amount).min(own);
			Balances::mint_into(&reporter, reward).expect("there is room");
		}
		StakesOf::set(stakes);
		let slash = Slash {
			peer,
			offence,
			amount,
		};
		Slashes::mutate(|slashes| slashes.push(slash));
		amount
	}
	fn answers_until(peer: PeerId, epoch: EpochIndex) -> Option<EpochIndex> {
		let stakes = StakesOf::get();
		let stake = stakes.get(&peer)?;
		(stake.began <= epoch).then_some(epoch + 1 + CHALLENGE_EPOCHS)
	}
	fn slash_weight() -> Weight {
		SLASH_WEIGHT
	}
}

pub struct MockJudge;

impl Replayer for MockJudge {
	fn replay(profile: ProfileId, package: &[u8], input: &ReplayInput) -> Option<Replayed> {
		Replays::mutate(|replays| replays.push((profile, package.to_vec(), input.clone())));
		let outcome = if package.len() == 1 {
			ReplayOutcome::PackageInvalid
		} else {
			Outcome::get().unwrap_or_else(true_outcome)
		};
		let gas = Spent::get();
		Some(Replayed { outcome, gas })
	}
}

/// How the call of the fixtures ends.
pub(crate) fn true_outcome() -> ReplayOutcome {
	let Receipt {
		status,
		response,
		gas,
		..
	} = receipt(0);
	ReplayOutcome::Ended {
		status,
		response,
		gas,
	}
}

/// Has the deal updated at a block: what it ran before counts to the end of an epoch. Terms of that.
pub(crate) fn update(since: BlockNumber, until: EpochIndex) -> CallTerms {
	let past = PastPackage {
		hash: package_hash(b"before"),
		size: 6,
		profile: PROFILE_V1,
		from: 0,
		until,
	};
	History::set(PackageHistory {
		since,
		past: vec![past].try_into().expect("one fits"),
		forgotten: None,
	});
	CallTerms {
		package: past.hash,
		package_bytes: past.size,
		..terms()
	}
}

/// Terms of the deal, whether it stands or not.
pub(crate) fn terms() -> CallTerms {
	let package = Package {
		hash: package(),
		size: 4,
		links: Default::default(),
		abi: Abi::default(),
	};
	let limits = CallLimits {
		gas: MOST_GAS,
		memory_bytes: 65_536,
		request_bytes: 1_024,
		response_bytes: 1_024,
	};
	CallTerms::new(DEAL, &package, limits, Default::default())
}

/// What is asked in the fixtures.
pub(crate) fn request() -> Request {
	Request {
		method: "GET".into(),
		path: "/".into(),
		body: b"body".to_vec(),
		..Default::default()
	}
}

/// The peer's honest receipt of epoch 1.
pub(crate) fn receipt(seq: u32) -> Receipt {
	receipt_of(peer(), 1, seq)
}

/// An honest receipt of a peer and epoch.
pub(crate) fn receipt_of(peer: PeerId, epoch: EpochIndex, seq: u32) -> Receipt {
	Receipt {
		genesis: MockClock::genesis(),
		seed: MockClock::seed(epoch).expect("the mock knows all seeds"),
		deal: DEAL,
		peer,
		epoch,
		seq,
		package: package(),
		profile: PROFILE_V1,
		terms: terms().hash(MockClock::genesis()),
		request: request().hash(),
		response: response_hash(b"out"),
		transcript: Transcript::default().hash(),
		status: CallStatus::Exited(0),
		gas: MOST_GAS,
		// Where the key counts also in the first of these epochs.
		block: 1 + epoch * LENGTHS.len + 9,
	}
}

/// A receipt with its peer's signature.
pub(crate) fn sign(receipt: Receipt) -> SignedReceipt {
	sign_by(&pair(), receipt)
}

/// A receipt with somebody's signature.
pub(crate) fn sign_by(pair: &ed25519::Pair, receipt: Receipt) -> SignedReceipt {
	let signature = pair.sign(receipt.hash().as_bytes()).0;
	SignedReceipt { receipt, signature }
}

fn registered_key(asked: PeerId) -> Option<PeerKey> {
	let registered = Registered::get();
	let found = registered.iter().find(|(peer, _)| *peer == asked);
	found.map(|(_, key)| *key)
}

/// Registers a peer by its key, with stake.
pub(crate) fn register(pair: &ed25519::Pair) -> PeerId {
	let key = pair.public().0;
	let peer = PeerId::from_key(&key);
	Registered::mutate(|registered| registered.push((peer, key)));
	let stake = Stake {
		own: STAKE / 5,
		others: STAKE / 5 * 4,
		began: 0,
	};
	StakesOf::mutate(|stakes| stakes.insert(peer, stake));
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

/// Hash of the deal's package.
pub(crate) fn package() -> H256 {
	package_hash(PACKAGE)
}

/// Parameters of development chains, with a bond that shows every part of it.
pub(crate) fn params() -> ReceiptsParams {
	ReceiptsParams {
		bond: 10 * FLT + 1,
		reveal_within_blocks: 16,
		contest_blocks: 8,
		show_blocks: 8,
		post_blocks: 10,
		..Default::default()
	}
}

/// A chain in an answer window of epoch 2, in which epoch 1 is audited.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	CurrentEpoch::set(2);
	DealStands::set(true);
	History::set(PackageHistory::default());
	PrivateTo::set(None);
	Migrating::set(false);
	Registered::set(Vec::new());
	Rotated::set(BTreeMap::new());
	StakesOf::set(BTreeMap::new());
	Slashes::set(Vec::new());
	Outcome::set(None);
	Spent::set(MOST_GAS);
	Replays::set(Vec::new());
	register(&pair());
	let mut storage = frame_system::GenesisConfig::<Test>::default()
		.build_storage()
		.expect("the system's genesis builds");
	pallet_balances::GenesisConfig::<Test> {
		balances: (PROVIDER..=STRANGER)
			.map(|account| (account, ENDOWMENT))
			.collect(),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.expect("the balances' genesis builds");
	pallet_receipts::GenesisConfig::<Test> {
		params: params(),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.expect("the pallet's genesis builds");
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

/// So many blocks on, all of the same epoch.
pub(crate) fn pass(blocks: BlockNumber) {
	for _ in 0..blocks {
		System::set_block_number(System::block_number() + 1);
		Receipts::on_initialize(System::block_number());
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for MockPeers {
	fn worker() -> (PeerId, DealId) {
		CurrentEpoch::set(2);
		(peer(), DEAL)
	}
	fn package() -> H256 {
		package()
	}
	fn sign(_: PeerId, hash: H256) -> millrace_primitives::peer::PeerSignature {
		pair().sign(hash.as_bytes()).0
	}
}
