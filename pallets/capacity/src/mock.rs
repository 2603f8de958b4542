//! A runtime around the pallet: a clock that tests set, peers with real keys, blake2 for RandomX, a
//! market and a receipts' ledger that take notes.
#![allow(
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use crate::{
	self as pallet_capacity, CapacityParams, Commitments, Delegations, Departures, Rounds,
	WaitingSlashes,
};
use frame_support::{
	derive_impl, ord_parameter_types,
	pallet_prelude::{DispatchResult, DispatchResultWithPostInfo},
	parameter_types,
	traits::{fungible::Mutate, ConstU128, Hooks, UnfilteredDispatchable},
	weights::{IdentityFee, Weight, WeightMeter},
};
use frame_system::{EnsureSignedBy, RawOrigin};
use millrace_primitives::{
	audit::ReceiptOpening,
	capacity::WorkRates,
	commitment::{Invited, StakeOffer},
	epoch::{EpochInfo, EpochLengths, Phase},
	hash,
	peer::{PeerId, PeerKey, PeerSignature},
	report::{Report, Served},
	traits::{
		Emission, EpochClock, Equivocations, OnEpoch, OnStake, PeerRegistry, RandomX,
		ReceiptLedger, WorkLedger, MAX_EQUIVOCATIONS,
	},
	views::CommitmentStatus,
	Balance, BlockNumber, EpochIndex, FLT, H256, U256,
};
use sp_core::{ed25519, Pair};
use sp_runtime::{BuildStorage, DispatchError, Perbill, TokenError};
use std::collections::{BTreeMap, BTreeSet};

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Capacity: pallet_capacity,
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

impl pallet_capacity::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = MockClock;
	type Peers = MockPeers;
	type Receipts = MockReceipts;
	type Work = MockWork;
	type RandomX = MockRandomX;
	type Emission = MockEmission;
	type OnStake = MockStake;
	type Equivocations = MockStake;
	type CancelOrigin = EnsureSignedBy<Governor, u64>;
	type WeightToFee = IdentityFee<Balance>;
	type RoundDeposit = ConstU128<ROUND_DEPOSIT>;
	type LedgerDeposit = ConstU128<LEDGER_DEPOSIT>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockPeers;
}

/// The dev preset's lengths.
pub(crate) const LENGTHS: EpochLengths = EpochLengths {
	len: 20,
	report_window: 6,
	fold_window: 2,
	answer_window: 8,
};
/// Balance of each account at genesis.
pub(crate) const ENDOWMENT: Balance = 1_000_000 * FLT;
/// Owner of all peers, unless a test registers others.
pub(crate) const PROVIDER: u64 = 1;
/// An account without peers.
pub(crate) const STRANGER: u64 = 2;
/// The first of seven accounts that are rich, too.
pub(crate) const DELEGATOR: u64 = 3;
/// Who may cancel slashes.
pub(crate) const GOVERNOR: u64 = 99;
/// Deposit of a round.
pub(crate) const ROUND_DEPOSIT: Balance = 10 * FLT;
/// Deposit of a ledger.
pub(crate) const LEDGER_DEPOSIT: Balance = FLT;
/// Epochs of a commitment as tests make it.
pub(crate) const DURATION: u32 = 100;
/// Most that the market takes for an epoch or an end.
pub(crate) const WORK_BOUND: Weight = Weight::from_parts(90_000_000_000, 0);
/// What the market takes for an epoch without a report.
pub(crate) const LOOK: Weight = Weight::from_parts(600_000_000, 0);
/// What the market takes for an epoch with a report, unless a test says otherwise.
pub(crate) const PAYMENT: Weight = Weight::from_parts(5_000_000_000, 0);
/// What the market takes for the end of a commitment, unless a test says otherwise.
pub(crate) const ENDING: Weight = Weight::from_parts(40_000_000_000, 0);

/// A call that the market received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WorkCall {
	Reported {
		peer: PeerId,
		epoch: EpochIndex,
		served: Vec<Served>,
	},
	Settled {
		peer: PeerId,
		epoch: EpochIndex,
		void: bool,
	},
	Over {
		peer: PeerId,
		failed: bool,
	},
}

parameter_types! {
	pub(crate) static CurrentEpoch: EpochIndex = 0;
	pub(crate) static Position: u32 = 0;
	pub(crate) static Registered: BTreeMap<PeerId, (u64, PeerKey)> = BTreeMap::new();
	pub(crate) static BusyUnits: BTreeMap<PeerId, u32> = BTreeMap::new();
	pub(crate) static WorkCalls: Vec<WorkCall> = Vec::new();
	/// Peers of which the market was told that they are audited.
	pub(crate) static ToldDrawn: Vec<PeerId> = Vec::new();
	pub(crate) static PaymentWeight: Weight = PAYMENT;
	pub(crate) static EndingWeight: Weight = ENDING;
	pub(crate) static ReportHashes: BTreeMap<(PeerId, EpochIndex), H256> = BTreeMap::new();
	pub(crate) static ReceiptsHold: bool = true;
	pub(crate) static PollWeight: Weight = Weight::MAX;
	pub(crate) static OpenCases: BTreeSet<PeerId> = BTreeSet::new();
	pub(crate) static StakeCalls: Vec<(u64, Balance)> = Vec::new();
	pub(crate) static Equivocated: BTreeMap<u64, Vec<(EpochIndex, Perbill)>> = BTreeMap::new();
	pub(crate) static EmissionLimit: Balance = 1_000 * FLT;
	/// What pools have promised and nobody was paid yet.
	pub(crate) static Promised: Balance = 0;
}

ord_parameter_types! {
	pub const Governor: u64 = GOVERNOR;
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
		Position::get()
	}
	fn phase() -> Phase {
		LENGTHS.phase(Position::get())
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
	fn provider_of(peer: PeerId) -> Option<u64> {
		Registered::get().get(&peer).map(|(owner, _)| *owner)
	}
	fn key_at(peer: PeerId, _: BlockNumber) -> Option<PeerKey> {
		Registered::get().get(&peer).map(|(_, key)| *key)
	}
}

pub struct MockWork;

impl MockWork {
	fn note(call: WorkCall) {
		WorkCalls::mutate(|calls| calls.push(call));
	}

	fn has_report(peer: PeerId, epoch: EpochIndex) -> bool {
		WorkCalls::get().iter().any(|call| {
			matches!(
				call,
				WorkCall::Reported { peer: by, epoch: of, .. } if (*by, *of) == (peer, epoch)
			)
		})
	}
}

impl WorkLedger for MockWork {
	fn busy_units(peer: PeerId, _: EpochIndex) -> u32 {
		BusyUnits::get().get(&peer).copied().unwrap_or(0)
	}
	fn on_report(peer: PeerId, epoch: EpochIndex, served: &[Served]) {
		Self::note(WorkCall::Reported {
			peer,
			epoch,
			served: served.to_vec(),
		});
	}
	fn on_settled(peer: PeerId, epoch: EpochIndex, void: bool) -> Weight {
		Self::note(WorkCall::Settled { peer, epoch, void });
		if Self::has_report(peer, epoch) {
			PaymentWeight::get()
		} else {
			LOOK
		}
	}
	fn on_commitment_over(peer: PeerId, failed: bool) -> Weight {
		Self::note(WorkCall::Over { peer, failed });
		EndingWeight::get()
	}
	fn on_drawn(peer: PeerId) -> Weight {
		ToldDrawn::mutate(|told| told.push(peer));
		Weight::zero()
	}
	fn on_report_weight(served: u32) -> Weight {
		Weight::from_parts(u64::from(served).saturating_mul(1_000_000), 0)
	}
	fn on_settled_weight() -> Weight {
		WORK_BOUND
	}
}

pub struct MockReceipts;

impl ReceiptLedger for MockReceipts {
	fn on_report(peer: PeerId, epoch: EpochIndex, report: H256) {
		ReportHashes::mutate(|hashes| hashes.insert((peer, epoch), report));
	}
	fn report_hash(peer: PeerId, epoch: EpochIndex) -> Option<H256> {
		ReportHashes::get().get(&(peer, epoch)).copied()
	}
	fn open(_: PeerId, _: &Report, _: H256, _: &[ReceiptOpening]) -> bool {
		ReceiptsHold::get()
	}
	fn open_weight() -> Weight {
		Weight::from_parts(1_000, 0)
	}
	fn has_open_case(peer: PeerId) -> bool {
		OpenCases::get().contains(&peer)
	}
}

pub struct MockStake;

impl OnStake<u64> for MockStake {
	fn on_active_stake(provider: &u64, active: Balance) {
		StakeCalls::mutate(|calls| calls.push((*provider, active)));
	}
	fn weight() -> Weight {
		Weight::zero()
	}
}

impl Equivocations<u64> for MockStake {
	fn next(provider: &u64) -> u32 {
		let all = Equivocated::get().remove(provider);
		all.map_or(0, |all| all.len() as u32)
	}
	fn since(provider: &u64, from: u32) -> Vec<(EpochIndex, Perbill)> {
		let all = Equivocated::get().remove(provider).unwrap_or_default();
		let most = MAX_EQUIVOCATIONS as usize;
		all.into_iter().skip(from as usize).take(most).collect()
	}
	fn weight() -> Weight {
		Weight::from_parts(2_000_000, 0)
	}
}

/// A reserve that makes what it pays, so that the issuance tells how much that is.
pub struct MockEmission;

impl Emission<u64> for MockEmission {
	type Error = DispatchError;

	fn limit(_: EpochIndex) -> Balance {
		EmissionLimit::get()
	}
	fn promise(pool: Balance) {
		Promised::mutate(|promised| *promised += pool);
	}
	fn pay(who: &u64, amount: Balance) -> DispatchResult {
		let left = Promised::get().checked_sub(amount);
		let left = left.ok_or(TokenError::FundsUnavailable)?;
		Balances::mint_into(who, amount)?;
		Promised::set(left);
		Ok(())
	}
	fn promised() -> Balance {
		Promised::get()
	}
	fn weight() -> Weight {
		Weight::zero()
	}
	fn pay_weight() -> Weight {
		Weight::zero()
	}
}

/// A provider equivocated in an epoch, which costs it so many percent.
pub(crate) fn equivocate(provider: u64, epoch: EpochIndex, percent: u32) {
	let part = Perbill::from_percent(percent);
	Equivocated::mutate(|all| all.entry(provider).or_default().push((epoch, part)));
}

pub struct MockRandomX;

impl RandomX for MockRandomX {
	fn hash(key: H256, input: Vec<u8>) -> Option<[u8; 32]> {
		Some(hash::tagged("mock/randomx", &(key, input)).0)
	}
}

/// The key pair of the n-th peer.
pub(crate) fn pair(n: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[n; 32])
}

/// The name of the n-th peer.
pub(crate) fn peer(n: u8) -> PeerId {
	PeerId::from_key(&pair(n).public().0)
}

/// The n-th peer's signature.
pub(crate) fn sign(n: u8, hash: H256) -> PeerSignature {
	pair(n).sign(hash.as_bytes()).0
}

/// Parameters with small numbers; a solution takes about four tries.
pub(crate) fn params() -> CapacityParams {
	CapacityParams {
		stake_per_unit: 1_000 * FLT,
		slash_rate: Perbill::from_percent(1),
		min_duration_epochs: 5,
		max_duration_epochs: 1_000,
		pending_epochs: 2,
		unbonding_epochs: 8,
		challenge_epochs: 4,
		audits_per_epoch: 20,
		rates: WorkRates { idle: 4, busy: 1 },
		target_reference: U256::MAX / 4,
		reward_target_per_unit: FLT,
		pool_floor: 10 * FLT,
		min_own_part: Perbill::from_percent(20),
		own_floor: Perbill::from_percent(10),
		slash_delay_epochs: 2,
		notice_epochs: 2,
		vesting_epochs: 30,
		amnesty_epochs: 0,
		..Default::default()
	}
}

/// Builds a chain at the first block of epoch 0.
pub(crate) struct ExtBuilder {
	peers: u8,
	params: CapacityParams,
}

impl Default for ExtBuilder {
	fn default() -> Self {
		Self {
			peers: 1,
			params: params(),
		}
	}
}

impl ExtBuilder {
	/// So many registered peers, numbered from 1, all of [`PROVIDER`].
	pub(crate) fn peers(self, peers: u8) -> Self {
		Self { peers, ..self }
	}

	/// Other parameters.
	pub(crate) fn params(self, params: CapacityParams) -> Self {
		Self { params, ..self }
	}

	/// Runs a test and checks the pallet's invariants at its end.
	pub(crate) fn build_and_execute(self, test: impl FnOnce()) {
		CurrentEpoch::set(0);
		Position::set(0);
		BusyUnits::set(BTreeMap::new());
		WorkCalls::set(Vec::new());
		PaymentWeight::set(PAYMENT);
		EndingWeight::set(ENDING);
		ReportHashes::set(BTreeMap::new());
		ReceiptsHold::set(true);
		PollWeight::set(Weight::MAX);
		OpenCases::set(BTreeSet::new());
		StakeCalls::set(Vec::new());
		Equivocated::set(BTreeMap::new());
		EmissionLimit::set(1_000 * FLT);
		Promised::set(0);
		Registered::set(
			(1..=self.peers)
				.map(|n| (peer(n), (PROVIDER, pair(n).public().0)))
				.collect(),
		);

		let mut storage = frame_system::GenesisConfig::<Test>::default()
			.build_storage()
			.expect("the system's genesis builds");
		pallet_balances::GenesisConfig::<Test> {
			balances: (PROVIDER..DELEGATOR + 7)
				.map(|account| (account, ENDOWMENT))
				.collect(),
			..Default::default()
		}
		.assimilate_storage(&mut storage)
		.expect("the balances' genesis builds");
		pallet_capacity::GenesisConfig::<Test> {
			params: self.params,
			..Default::default()
		}
		.assimilate_storage(&mut storage)
		.expect("the pallet's genesis builds");

		let mut ext = sp_io::TestExternalities::new(storage);
		ext.execute_with(|| {
			System::set_block_number(1);
			test();
			Capacity::do_try_state().expect("the invariants hold");
		});
	}
}

/// One block on, with all hooks.
pub(crate) fn next_block() {
	System::set_block_number(System::block_number() + 1);
	if Position::get() + 1 < LENGTHS.len {
		Position::set(Position::get() + 1);
	} else {
		CurrentEpoch::set(CurrentEpoch::get() + 1);
		Position::set(0);
		Capacity::on_epoch_start(&MockClock::current());
	}
	if let (Some(ended), true) = (
		CurrentEpoch::get().checked_sub(1),
		Position::get() == LENGTHS.report_window + LENGTHS.fold_window,
	) {
		let draw = MockClock::draw(ended).expect("the mock knows all draws");
		Capacity::on_draw(ended, draw);
	}
	Capacity::on_poll(
		System::block_number(),
		&mut WeightMeter::with_limit(PollWeight::get()),
	);
}

/// On to a position of an epoch.
pub(crate) fn go_to(epoch: EpochIndex, position: u32) {
	while (CurrentEpoch::get(), Position::get()) < (epoch, position) {
		next_block();
	}
}

/// On to the first block of the answer window in which `epoch` is audited.
pub(crate) fn go_to_answers(epoch: EpochIndex) {
	go_to(epoch + 1, LENGTHS.report_window + LENGTHS.fold_window);
}

/// On to the first block in which `epoch` is closed.
pub(crate) fn close(epoch: EpochIndex) {
	go_to(epoch + 1, LENGTHS.close_position());
}

/// Epochs pass with their borders, draws and one block of drawing each, and nothing else; ends at the
/// first block of an epoch.
pub(crate) fn jump(epoch: EpochIndex) {
	while CurrentEpoch::get() < epoch {
		let draws = LENGTHS.report_window + LENGTHS.fold_window;
		if let (Some(ended), true) = (CurrentEpoch::get().checked_sub(1), Position::get() < draws) {
			draw_quickly(ended);
		}
		CurrentEpoch::set(CurrentEpoch::get() + 1);
		Position::set(0);
		System::set_block_number(MockClock::current().start);
		Capacity::on_epoch_start(&MockClock::current());
	}
}

/// From the first block of the epoch after it: draws and closes an epoch.
pub(crate) fn close_quickly(epoch: EpochIndex) {
	assert_eq!((CurrentEpoch::get(), Position::get()), (epoch + 1, 0));
	draw_quickly(epoch);
	Position::set(LENGTHS.close_position());
	System::set_block_number(MockClock::current().start + LENGTHS.close_position());
}

fn draw_quickly(ended: EpochIndex) {
	Position::set(LENGTHS.report_window + LENGTHS.fold_window);
	System::set_block_number(MockClock::current().start + Position::get());
	let draw = MockClock::draw(ended).expect("the mock knows all draws");
	Capacity::on_draw(ended, draw);
	Capacity::on_poll(
		System::block_number(),
		&mut WeightMeter::with_limit(PollWeight::get()),
	);
}

/// An offer of a provider that brings all stake itself.
pub(crate) fn solo() -> StakeOffer<u64> {
	shared(100, 0)
}

/// An offer to whoever wants to stake, in percent.
pub(crate) fn shared(own_part: u32, commission: u32) -> StakeOffer<u64> {
	StakeOffer {
		own_part: Perbill::from_percent(own_part),
		commission: Perbill::from_percent(commission),
		invited: Invited::default(),
	}
}

/// A commitment of the n-th peer, staked by its provider alone: [`DURATION`] from the next epoch on.
pub(crate) fn commit(n: u8, units: u32) {
	commit_with(n, units, DURATION, &[], 0);
}

/// A commitment of the n-th peer to which delegators bring so much, in their order, and its provider
/// the rest; the commission is in percent. It owes from the next epoch on.
pub(crate) fn commit_with(
	n: u8,
	units: u32,
	duration: u32,
	delegators: &[(u64, Balance)],
	commission: u32,
) {
	let (provider, _) = Registered::get()[&peer(n)];
	let needed = pallet_capacity::Params::<Test>::get().stake_per_unit * Balance::from(units);
	let others: Balance = delegators.iter().map(|(_, amount)| amount).sum();
	let own = needed - others;
	let offer = StakeOffer {
		own_part: Perbill::from_rational(own, needed),
		..shared(0, commission)
	};
	let origin = RuntimeOrigin::signed;
	let (own_part, commission) = (offer.own_part, offer.commission);
	let terms = Capacity::start_terms(units, duration, own_part, commission);
	Capacity::create(origin(provider), peer(n), units, duration, offer).expect("the peer is free");
	Capacity::stake(origin(provider), peer(n), terms, 0, own).expect("the provider is rich");
	for (delegator, amount) in delegators {
		Capacity::stake(origin(*delegator), peer(n), terms, 0, *amount)
			.expect("the delegator is rich, and brings enough for its place");
	}
}

/// Dispatches a duty without its signature.
pub(crate) fn duty(call: pallet_capacity::Call<Test>) -> DispatchResultWithPostInfo {
	call.dispatch_bypass_filter(RawOrigin::Authorized.into())
}

/// What must be on hold of an account: stakes, pledges, stakes that leave, parts of waiting slashes.
pub(crate) fn staked(who: u64) -> Balance {
	let commitments = Commitments::<Test>::iter_values().filter(|commitment| {
		commitment.provider == who && !matches!(commitment.status, CommitmentStatus::Pending { .. })
	});
	let own: Balance = commitments.map(|commitment| commitment.own.left).sum();
	let delegated: Balance = Delegations::<Test>::iter_values()
		.flatten()
		.filter(|stake| stake.staker == who)
		.map(|stake| stake.part.left)
		.sum();
	let leaving: Balance = Departures::<Test>::iter_values()
		.flat_map(|leaving| leaving.rows)
		.filter(|row| row.staker == who)
		.map(|row| row.left)
		.sum();
	let pledged: Balance = Rounds::<Test>::iter_values()
		.flat_map(|round| round.pledges)
		.filter(|pledge| pledge.staker == who)
		.map(|pledge| pledge.add)
		.sum();
	let waiting: Balance = WaitingSlashes::<Test>::iter_values()
		.flat_map(|slash| slash.parts)
		.filter(|(payer, _)| *payer == who)
		.map(|(_, part)| part)
		.sum();
	own + delegated + leaving + pledged + waiting
}

/// All events of the pallet since the last look.
pub(crate) fn events() -> Vec<pallet_capacity::Event<Test>> {
	let events = System::read_events_for_pallet::<pallet_capacity::Event<Test>>();
	System::reset_events();
	events
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<u64> for MockPeers {
	fn register_peer(provider: &u64) -> PeerId {
		Registered::mutate(|peers| peers.insert(peer(9), (*provider, pair(9).public().0)));
		peer(9)
	}
	fn sign(_: PeerId, hash: H256) -> PeerSignature {
		sign(9, hash)
	}
	fn set_clock(epoch: EpochIndex, position: u32) {
		CurrentEpoch::set(epoch);
		Position::set(position);
	}
}
