//! A runtime around the pallet: sessions that turn by hand as the session pallet turns them, stakes
//! and keys that tests set.
#![allow(
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use crate::{self as pallet_validators, LeaveReason, Planned, ValidatorsParams};
use frame_support::{derive_impl, pallet_prelude::DispatchResult, parameter_types};
use millrace_primitives::{
	epoch::{EpochInfo, EpochLengths, Phase},
	traits::{EpochClock, OnStake},
	validators::SessionIndex,
	Balance, EpochIndex, H256,
};
use sp_runtime::{BuildStorage, Perbill};
use std::collections::{BTreeMap, BTreeSet};

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Validators: pallet_validators,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

impl pallet_validators::Config for Test {
	type Sessions = MockSessions;
	type Stakes = MockStakes;
	type Clock = MockClock;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockSessions;
}

/// Validators of genesis, unless a test names others.
pub(crate) const GENESIS: [u64; 4] = [101, 102, 103, 104];
/// Least stake of a seat.
pub(crate) const MIN: Balance = 10;

parameter_types! {
	pub(crate) static CurrentEpoch: EpochIndex = 0;
	pub(crate) static CurrentSession: SessionIndex = 0;
	pub(crate) static Seated: Vec<u64> = Vec::new();
	pub(crate) static Queued: Vec<u64> = Vec::new();
	pub(crate) static Keyed: BTreeSet<u64> = BTreeSet::new();
	pub(crate) static Disabled: Vec<(u64, Perbill)> = Vec::new();
	pub(crate) static StakeOf: BTreeMap<u64, Balance> = BTreeMap::new();
}

/// What the session pallet knows.
pub struct MockSessions;

impl crate::Sessions<u64> for MockSessions {
	fn current() -> SessionIndex {
		CurrentSession::get()
	}
	fn seated() -> Vec<u64> {
		Seated::get()
	}
	fn queued() -> Vec<u64> {
		Queued::get()
	}
	fn keys(who: &u64) -> Option<Vec<u8>> {
		Keyed::get()
			.contains(who)
			.then(|| who.to_le_bytes().to_vec())
	}
	fn has_keys(who: &u64) -> bool {
		Keyed::get().contains(who)
	}
	fn purge_keys(who: &u64) -> DispatchResult {
		Keyed::mutate(|keys| keys.remove(who));
		Ok(())
	}
	fn disable(who: &u64, severity: Perbill) {
		Disabled::mutate(|all| all.push((*who, severity)));
	}
	fn is_disabled(who: &u64) -> bool {
		Disabled::get().iter().any(|(disabled, _)| disabled == who)
	}
}

/// What capacity knows.
pub struct MockStakes;

impl crate::Stakes<u64> for MockStakes {
	fn active(provider: &u64) -> Balance {
		StakeOf::get().get(provider).copied().unwrap_or_default()
	}
	fn total() -> Balance {
		StakeOf::get().values().sum()
	}
}

/// A clock that tests set.
pub struct MockClock;

impl EpochClock for MockClock {
	fn current() -> EpochInfo {
		EpochInfo {
			index: CurrentEpoch::get(),
			start: 1,
			start_ms: 0,
			slot_ms: 1_000,
			lengths: EpochLengths {
				len: 20,
				report_window: 6,
				fold_window: 2,
				answer_window: 8,
			},
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
		H256::repeat_byte(7)
	}
}

/// A chain with its genesis set in sessions 0 and 1.
pub(crate) struct ExtBuilder {
	genesis: Vec<u64>,
	params: ValidatorsParams,
}

impl Default for ExtBuilder {
	/// Stake decides from the first planned session on.
	fn default() -> Self {
		Self {
			genesis: GENESIS.to_vec(),
			params: ValidatorsParams {
				max_validators: 100,
				min_seat_stake: MIN,
				bootstrap_stake: 0,
				..Default::default()
			},
		}
	}
}

impl ExtBuilder {
	pub(crate) fn genesis(mut self, genesis: Vec<u64>) -> Self {
		self.genesis = genesis;
		self
	}

	pub(crate) fn params(mut self, params: ValidatorsParams) -> Self {
		self.params = params;
		self
	}

	pub(crate) fn max_validators(mut self, seats: u32) -> Self {
		self.params.max_validators = seats;
		self
	}

	pub(crate) fn min_seat_stake(mut self, stake: Balance) -> Self {
		self.params.min_seat_stake = stake;
		self
	}

	pub(crate) fn bootstrap_stake(mut self, stake: Balance) -> Self {
		self.params.bootstrap_stake = stake;
		self
	}

	pub(crate) fn build(self) -> sp_io::TestExternalities {
		CurrentEpoch::set(0);
		CurrentSession::set(0);
		Seated::set(self.genesis.clone());
		Queued::set(self.genesis.clone());
		Keyed::set(self.genesis.iter().copied().collect());
		Disabled::set(Vec::new());
		StakeOf::set(BTreeMap::new());
		let mut storage = frame_system::GenesisConfig::<Test>::default()
			.build_storage()
			.unwrap();
		pallet_validators::GenesisConfig::<Test> {
			params: self.params,
			..Default::default()
		}
		.assimilate_storage(&mut storage)
		.unwrap();
		let mut ext = sp_io::TestExternalities::from(storage);
		ext.execute_with(|| {
			System::set_block_number(1);
			Validators::open_session(0);
		});
		ext
	}

	pub(crate) fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			Validators::do_try_state().unwrap();
		});
	}
}

pub(crate) fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// Changes an active stake, as capacity does.
pub(crate) fn set_stake(who: u64, stake: Balance) {
	StakeOf::mutate(|stakes| {
		stakes.remove(&who);
		if stake > 0 {
			stakes.insert(who, stake);
		}
	});
	<Validators as OnStake<u64>>::on_active_stake(&who, stake);
}

pub(crate) fn give_keys(who: u64) {
	Keyed::mutate(|keys| keys.insert(who));
}

/// Makes an account a candidate.
pub(crate) fn stand(who: u64, stake: Balance) {
	give_keys(who);
	set_stake(who, stake);
	Validators::validate(signed(who)).unwrap();
}

/// The account writes so many blocks.
pub(crate) fn write(who: u64, blocks: u32) {
	for _ in 0..blocks {
		Validators::note_author(who);
	}
}

/// Every seat writes so many blocks, but those that are named.
pub(crate) fn write_all_but(silent: &[u64], blocks: u32) {
	for who in Seated::get() {
		if !silent.contains(&who) {
			write(who, blocks);
		}
	}
}

/// Ends a session and begins the next, in the order of the session pallet. Seats of the session
/// that was planned.
pub(crate) fn rotate() -> Vec<u64> {
	let ended = CurrentSession::get();
	Validators::close_session(ended);
	Seated::set(Queued::get());
	Disabled::set(Vec::new());
	CurrentSession::set(ended + 1);
	Validators::open_session(ended + 1);
	let planned = Validators::plan(ended + 2).unwrap_or_else(Seated::get);
	let keyed = Keyed::get();
	Queued::set(
		planned
			.iter()
			.copied()
			.filter(|who| keyed.contains(who))
			.collect(),
	);
	planned
}

/// Rotates so many times, while all seats write.
pub(crate) fn rotate_by(sessions: u32) -> Vec<u64> {
	for _ in 0..sessions {
		write_all_but(&[], 10);
		rotate();
	}
	planned()
}

/// The set that was planned last.
pub(crate) fn planned() -> Vec<u64> {
	Planned::<Test>::get().map_or_else(Vec::new, |(_, seats)| seats.into_inner())
}

/// Events of the pallet so far.
pub(crate) fn events() -> Vec<pallet_validators::Event<Test>> {
	System::read_events_for_pallet::<pallet_validators::Event<Test>>()
}

/// Seats that were lost so far, with the reasons.
pub(crate) fn lost() -> Vec<(u64, LeaveReason)> {
	events()
		.into_iter()
		.filter_map(|event| match event {
			pallet_validators::Event::SeatLost { who, reason, .. } => Some((who, reason)),
			_ => None,
		})
		.collect()
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<u64> for MockSessions {
	fn candidate(index: u32, stake: Balance) -> u64 {
		let who = 1_000_000 + u64::from(index);
		give_keys(who);
		StakeOf::mutate(|stakes| stakes.insert(who, stake));
		who
	}
	fn seat(count: u32) -> Vec<u64> {
		let seats: Vec<u64> = (1..=count).map(u64::from).collect();
		seats.iter().for_each(|who| give_keys(*who));
		Seated::set(seats.clone());
		Queued::set(seats.clone());
		seats
	}
}
