//! A runtime around the pallet: a clock that tests set, voters with real keys, and what the contract's inbox
//! holds.
#![allow(
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use crate::{self as pallet_anchor, AnchorParams, Call, Conflict, Voters};
use frame_support::{
	derive_impl,
	dispatch::{DispatchResult, DispatchResultWithPostInfo, RawOrigin},
	parameter_types,
	traits::{Authorize, ConstU128, ConstU64, Hooks},
	weights::{IdentityFee, Weight, WeightMeter},
	PalletId,
};
use frame_system::EnsureRoot;
use millrace_primitives::{
	anchor::{
		accumulate,
		messages::{ForcedData, Incoming},
		AnchorId, InboxMark, SignedVote, Vote, VoterKey, H160,
	},
	epoch::{EpochInfo, EpochLengths, Phase},
	traits::EpochClock,
	validators::SessionIndex,
	Balance, BlockNumber, EpochIndex, H256,
};
use sp_core::{ecdsa, Pair};
use sp_runtime::{
	traits::Dispatchable,
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
	BuildStorage,
};

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Anchor: pallet_anchor,
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
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
}

parameter_types! {
	pub const PotId: PalletId = PalletId(*b"mr/anchr");
	pub(crate) static CurrentEpoch: EpochIndex = 3;
	pub(crate) static CurrentSession: SessionIndex = 5;
	/// Seeds of the voters' keys, in their order.
	pub(crate) static Seats: Vec<u8> = vec![1, 2, 3, 4];
	pub(crate) static Punished: Vec<(u64, Conflict, Option<u64>)> = Vec::new();
	/// Messages in the contract's inbox.
	pub(crate) static Inbox: Vec<Vec<u8>> = Vec::new();
}

impl pallet_anchor::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type PotId = PotId;
	type Clock = MockClock;
	type Time = ConstU64<TIME>;
	type Voters = MockVoters;
	type PauseOrigin = EnsureRoot<u64>;
	type WeightToFee = IdentityFee<Balance>;
	type ByteFee = ConstU128<BYTE_FEE>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockVoters;
}

pub(crate) const ALICE: u64 = 1;
pub(crate) const BOB: u64 = 2;
/// What each account begins with.
pub(crate) const ENDOWMENT: Balance = 1_000_000_000_000_000;
pub(crate) const EXISTENTIAL_DEPOSIT: Balance = 10;
/// What a byte of a forced message costs.
pub(crate) const BYTE_FEE: Balance = 1_000;
/// Time of the last block.
pub(crate) const TIME: u64 = 1_700_000_000_123;
/// The contract.
pub(crate) const ANCHOR: AnchorId = AnchorId {
	chain_id: 31_337,
	contract: H160([0xcc; 20]),
};
/// An address on the anchor.
pub(crate) const EVE: H160 = H160([0xee; 20]);

pub(crate) fn params() -> AnchorParams {
	AnchorParams {
		min_withdrawal: 100,
		withdraw_per_epoch: 1_000_000,
		release_per_epoch: 500_000,
		message_fee: 7,
		byte_fee: 2,
		deliver_blocks: 10,
		max_pause_blocks: 50,
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

/// Voters whose account is their seed and 100.
pub struct MockVoters;

impl Voters<u64> for MockVoters {
	/// The session that it is of.
	type Proof = SessionIndex;

	fn session() -> SessionIndex {
		CurrentSession::get()
	}
	fn seated() -> Vec<(u64, VoterKey)> {
		Seats::get()
			.into_iter()
			.map(|seed| (account_of_seat(seed), key(seed)))
			.collect()
	}
	fn owner(key: &VoterKey, session: SessionIndex, proof: SessionIndex) -> Option<(u64, u32)> {
		let seats = Self::seated();
		let who = seats.iter().find(|(_, other)| other == key)?.0;
		(session == proof).then_some((who, seats.len() as u32))
	}
	fn punish(who: u64, conflict: Conflict, reporter: Option<u64>) -> bool {
		let known = Punished::get()
			.iter()
			.any(|(other, of, _)| *other == who && *of == conflict);
		Punished::mutate(|all| all.push((who, conflict, reporter)));
		!known
	}
	fn seated_weight() -> Weight {
		Weight::from_parts(1_000, 0)
	}
	fn owner_weight() -> Weight {
		Weight::from_parts(2_000, 0)
	}
	fn punish_weight() -> Weight {
		Weight::from_parts(3_000, 0)
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<SessionIndex> for MockVoters {
	fn voters() -> Vec<VoterKey> {
		Seats::set((1..=crate::MAX_VOTERS as u8).collect());
		Self::seated().into_iter().map(|(_, key)| key).collect()
	}
	fn sign(key: &VoterKey, hash: H256) -> millrace_primitives::anchor::VoterSignature {
		let seed = Seats::get()
			.into_iter()
			.find(|seed| self::key(*seed) == *key)
			.expect("voters have these keys");
		pair(seed).sign(hash.as_bytes()).0
	}
	fn prove(_: &VoterKey) -> SessionIndex {
		CurrentSession::get()
	}
}

pub(crate) fn account_of_seat(seed: u8) -> u64 {
	100 + u64::from(seed)
}

pub(crate) fn pair(seed: u8) -> ecdsa::Pair {
	ecdsa::Pair::from_seed(&[seed; 32])
}

pub(crate) fn key(seed: u8) -> VoterKey {
	pair(seed).public().0
}

/// A chain in block 1 that knows its anchor.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	CurrentEpoch::set(3);
	CurrentSession::set(5);
	Seats::set(vec![1, 2, 3, 4]);
	Punished::set(Vec::new());
	Inbox::set(Vec::new());
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: vec![
				(ALICE, ENDOWMENT),
				(BOB, ENDOWMENT),
				(Anchor::pot(), EXISTENTIAL_DEPOSIT),
			],
			..Default::default()
		},
		anchor: pallet_anchor::GenesisConfig {
			params: params(),
			anchor: Some(ANCHOR),
			..Default::default()
		},
		..Default::default()
	}
	.build_storage()
	.expect("the configuration is sound");
	let mut ext = sp_io::TestExternalities::new(storage);
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs a test and then the invariants.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		Anchor::do_try_state().unwrap();
	});
}

/// Ends this block and begins the next one.
pub(crate) fn next_block() {
	Anchor::on_finalize(System::block_number());
	System::set_block_number(System::block_number() + 1);
	Anchor::on_initialize(System::block_number());
	Anchor::on_poll(System::block_number(), &mut WeightMeter::new());
}

/// Goes on by so many blocks.
pub(crate) fn blocks(count: BlockNumber) {
	(0..count).for_each(|_| next_block());
}

pub(crate) fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// An account as messages have it.
pub(crate) fn bytes_of(who: u64) -> [u8; 32] {
	let mut bytes = [0; 32];
	bytes[..8].copy_from_slice(&who.to_le_bytes());
	bytes
}

/// Somebody on the anchor sends a message to the chain.
pub(crate) fn enqueue(message: Incoming) -> u64 {
	let nonce = Inbox::get().len() as u64;
	enqueue_bytes(message.bytes(MockClock::genesis(), &ANCHOR, nonce))
}

/// The contract's inbox takes any bytes, as only a broken contract does.
pub(crate) fn enqueue_bytes(message: Vec<u8>) -> u64 {
	Inbox::mutate(|inbox| inbox.push(message));
	Inbox::get().len() as u64 - 1
}

/// Somebody on the anchor burns FLT for an account.
pub(crate) fn deposit(recipient: u64, amount: Balance) -> u64 {
	enqueue(Incoming::Deposit {
		sender: EVE,
		recipient: bytes_of(recipient),
		amount,
	})
}

/// Somebody on the anchor forces bytes.
pub(crate) fn force(fee: Balance, data: Vec<u8>) -> u64 {
	enqueue(Incoming::Forced {
		sender: EVE,
		fee,
		data: ForcedData::truncate_from(data),
	})
}

/// The contract's accumulator over so many messages.
pub(crate) fn acc(nonce: u64) -> H256 {
	Inbox::get()
		.iter()
		.take(nonce as usize)
		.fold(H256::zero(), |acc, message| accumulate(acc, message))
}

/// What is in the contract's inbox.
pub(crate) fn mark() -> InboxMark {
	let nonce = Inbox::get().len() as u64;
	InboxMark {
		nonce,
		acc: acc(nonce),
	}
}

/// A vote as it would be signed now.
pub(crate) fn vote_on(nonce: u64, acc: H256) -> Vote {
	Vote {
		round: Anchor::status().round,
		session: CurrentSession::get(),
		nonce,
		acc,
		epoch: 1_000,
	}
}

/// A seat signs a vote.
pub(crate) fn sign(seed: u8, vote: Vote) -> SignedVote {
	let hash = vote.hash(MockClock::genesis(), &ANCHOR);
	SignedVote {
		vote,
		signature: pair(seed).sign(hash.as_bytes()).0,
	}
}

/// Sends a duty through its authorisation. The code with which it is refused.
pub(crate) fn duty(call: Call<Test>) -> Result<(), u8> {
	let authorised = call
		.authorize(TransactionSource::External)
		.expect("the call is a duty");
	match authorised {
		Ok(_) => {}
		Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) => {
			return Err(code)
		}
		Err(other) => panic!("{other:?}"),
	}
	dispatch(call).expect("what is authorised succeeds");
	Ok(())
}

fn dispatch(call: Call<Test>) -> DispatchResultWithPostInfo {
	RuntimeCall::Anchor(call).dispatch(RawOrigin::<u64>::Authorized.into())
}

/// The voter at a place signs with the key of that place, and sends.
pub(crate) fn cast(voter: u32, vote: Vote) -> Result<(), u8> {
	let seed = Seats::get()[voter as usize];
	send_vote(voter, sign(seed, vote))
}

pub(crate) fn send_vote(voter: u32, signed: SignedVote) -> Result<(), u8> {
	duty(Call::vote {
		voter,
		vote: signed.vote,
		signature: signed.signature,
	})
}

/// A quorum of voters attests so many messages of the contract.
pub(crate) fn attest(nonce: u64) {
	let needed = Anchor::status().quorum;
	for voter in 0..needed {
		cast(voter, vote_on(nonce, acc(nonce))).expect("nobody has voted on it");
	}
}

/// Delivers messages of the contract from the first that is not taken on, so many.
pub(crate) fn deliver(count: usize) -> Result<(), u8> {
	let first = Anchor::status().taken.nonce as usize;
	let messages: Vec<_> = Inbox::get().into_iter().skip(first).take(count).collect();
	deliver_these(messages)
}

pub(crate) fn deliver_these(messages: Vec<Vec<u8>>) -> Result<(), u8> {
	let messages: Vec<_> = messages
		.into_iter()
		.map(|message| message.try_into().expect("the contract bounds messages"))
		.collect();
	duty(Call::deliver {
		messages: messages.try_into().expect("votes bound the batch"),
	})
}

/// Attests and delivers all that the contract's inbox holds.
pub(crate) fn bring_all() {
	let count = mark().nonce - Anchor::status().taken.nonce;
	attest(mark().nonce);
	deliver(count as usize).expect("it is attested");
}

/// An account sends FLT to an address on the anchor, all of it or nothing.
pub(crate) fn withdraw(who: u64, recipient: H160, amount: Balance) -> DispatchResult {
	RuntimeCall::Anchor(Call::withdraw { recipient, amount })
		.dispatch(signed(who))
		.map(|_| ())
		.map_err(|error| error.error)
}

/// Alice sends FLT to the anchor, so that there is some.
pub(crate) fn lock(amount: Balance) {
	withdraw(ALICE, EVE, amount).expect("Alice is rich");
}

pub(crate) fn free(who: u64) -> Balance {
	Balances::free_balance(who)
}

/// Events of the pallet so far.
pub(crate) fn events() -> Vec<pallet_anchor::Event<Test>> {
	System::read_events_for_pallet::<pallet_anchor::Event<Test>>()
}
