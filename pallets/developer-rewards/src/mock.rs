//! A runtime around the pallet: real balances and real vesting schedules.

#![allow(
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use crate::{self as pallet_developer_rewards, Call, Error, NewProgramme, VestingLocks};
use frame_support::{
	derive_impl, parameter_types,
	traits::{Hooks, WithdrawReasons},
	weights::Weight,
	PalletId,
};
use millrace_primitives::{
	merkle::{Path, Tree},
	rewards, Balance, BlockNumber, H256,
};
use sp_runtime::{
	testing::{TestSignature, UintAuthorityId},
	traits::ConvertInto,
	transaction_validity::{
		InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
	},
	BuildStorage,
};

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Vesting: pallet_vesting,
		Rewards: pallet_developer_rewards,
	}
);

/// Least that an account holds.
pub(crate) const EXISTENTIAL_DEPOSIT: Balance = 5;
/// What the pot has, beside that.
pub(crate) const POT: Balance = 1_000_000;
/// Blocks for which a reward is locked.
pub(crate) const LOCK: BlockNumber = 100;
/// Blocks of the longest programme.
pub(crate) const LONGEST: BlockNumber = 1_000;
/// Most schedules of an account.
pub(crate) const MOST_LOCKS: u32 = 3;
/// What the mock calls its chain.
pub(crate) const GENESIS: H256 = H256([9; 32]);
/// Gets what is not claimed.
pub(crate) const TREASURY: u64 = 900;
/// Somebody without a reward, who is rich.
pub(crate) const STRANGER: u64 = 901;

parameter_types! {
	pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
	pub const MinVestedTransfer: Balance = 1;
	pub UnvestedFunds: WithdrawReasons =
		WithdrawReasons::except(WithdrawReasons::TRANSFER | WithdrawReasons::RESERVE);
	pub const Genesis: H256 = GENESIS;
	pub const Treasury: u64 = TREASURY;
	pub const PotId: PalletId = PalletId(*b"mr/devrw");
	pub const LockBlocks: BlockNumber = LOCK;
	pub const LongestProgramme: BlockNumber = LONGEST;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
}

impl pallet_vesting::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type BlockNumberToBalance = ConvertInto;
	type MinVestedTransfer = MinVestedTransfer;
	type WeightInfo = ();
	type UnvestedFundsAllowedWithdrawReasons = UnvestedFunds;
	type BlockNumberProvider = System;
	const MAX_VESTING_SCHEDULES: u32 = MOST_LOCKS;
}

impl pallet_developer_rewards::Config for Test {
	type Currency = Balances;
	type Locks = VestingLocks<Test>;
	type Signature = TestSignature;
	type Signer = UintAuthorityId;
	type Genesis = Genesis;
	type Treasury = Treasury;
	type PotId = PotId;
	type LockBlocks = LockBlocks;
	type LongestProgramme = LongestProgramme;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockSigner;
}

/// Signs for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct MockSigner;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<u64, TestSignature> for MockSigner {
	fn signer() -> u64 {
		1
	}
	fn sign(signer: &u64, message: &[u8]) -> TestSignature {
		TestSignature(*signer, message.to_vec())
	}
}

/// A chain whose pot is filled.
#[derive(Default)]
pub(crate) struct ExtBuilder {
	programme: Option<NewProgramme>,
}

impl ExtBuilder {
	pub(crate) fn programme(mut self, programme: NewProgramme) -> Self {
		self.programme = Some(programme);
		self
	}

	pub(crate) fn build(self) -> sp_io::TestExternalities {
		let mut storage = frame_system::GenesisConfig::<Test>::default()
			.build_storage()
			.unwrap();
		pallet_balances::GenesisConfig::<Test> {
			balances: vec![
				(Rewards::pot(), POT + EXISTENTIAL_DEPOSIT),
				(TREASURY, EXISTENTIAL_DEPOSIT),
				(STRANGER, 1_000_000),
			],
			..Default::default()
		}
		.assimilate_storage(&mut storage)
		.unwrap();
		pallet_developer_rewards::GenesisConfig::<Test> {
			programme: self.programme,
			..Default::default()
		}
		.assimilate_storage(&mut storage)
		.unwrap();
		let mut ext = sp_io::TestExternalities::from(storage);
		ext.execute_with(|| System::set_block_number(1));
		ext
	}

	pub(crate) fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			let issuance = Balances::total_issuance();
			test();
			Rewards::do_try_state().unwrap();
			assert_eq!(Balances::total_issuance(), issuance, "made or burnt");
		});
	}
}

/// A list of rewards with its tree.
#[derive(Clone, Debug)]
pub(crate) struct List {
	pub(crate) rewards: Vec<(u64, Balance)>,
	tree: Tree,
}

impl List {
	pub(crate) fn new(rewards: &[(u64, Balance)]) -> Self {
		let leaves = (0u32..)
			.zip(rewards)
			.map(|(index, (account, amount))| rewards::leaf(index, account, *amount));
		Self {
			rewards: rewards.to_vec(),
			tree: Tree::new(leaves),
		}
	}

	/// A programme that pays all of it, up to and with a block.
	pub(crate) fn terms(&self, ends: BlockNumber) -> NewProgramme {
		NewProgramme {
			root: self.tree.root(),
			rewards: self.rewards.len() as u32,
			total: self.rewards.iter().map(|(_, amount)| amount).sum(),
			ends,
		}
	}

	pub(crate) fn path(&self, index: u32) -> Path {
		self.tree.path(index.into()).expect("it is in the list")
	}

	/// The signed claim of a reward.
	pub(crate) fn claim(&self, index: u32) -> Result<(), sp_runtime::DispatchError> {
		let (account, amount) = self.rewards[index as usize];
		Rewards::claim(signed(account), index, amount, self.path(index))
	}

	/// What the account of a reward signs to be paid without a fee.
	pub(crate) fn hash(&self, number: u32, index: u32) -> H256 {
		let (account, amount) = self.rewards[index as usize];
		rewards::claim_hash(GENESIS, number, self.tree.root(), index, &account, amount)
	}

	/// The free claim of a reward in a programme of this number.
	pub(crate) fn free_claim(&self, number: u32, index: u32) -> Call<Test> {
		let (account, amount) = self.rewards[index as usize];
		let hash = self.hash(number, index);
		Call::claim_for {
			account,
			index,
			amount,
			path: self.path(index),
			signature: TestSignature(account, hash.as_bytes().to_vec()),
		}
	}
}

pub(crate) fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

pub(crate) fn start(terms: NewProgramme) -> Result<(), sp_runtime::DispatchError> {
	Rewards::start(RuntimeOrigin::root(), terms)
}

/// What the pool says of a free transaction.
pub(crate) fn authorize(call: &Call<Test>) -> Result<ValidTransaction, u8> {
	use frame_support::pallet_prelude::Authorize;
	let answer = RuntimeCall::Rewards(call.clone())
		.authorize(TransactionSource::External)
		.expect("it can be authorised");
	match answer {
		Ok((validity, _)) => Ok(validity),
		Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) => Err(code),
		Err(other) => panic!("{other:?}"),
	}
}

/// A free transaction as a block has it: authorised, then dispatched, which must not fail.
pub(crate) fn free(call: Call<Test>) -> Result<(), u8> {
	use frame_system::RawOrigin;
	use sp_runtime::traits::Dispatchable;
	authorize(&call)?;
	let outcome = RuntimeCall::Rewards(call).dispatch(RawOrigin::Authorized.into());
	assert!(outcome.is_ok(), "authorised and refused: {outcome:?}");
	Ok(())
}

/// On to a block. Idle blocks sweep only where a test says so.
pub(crate) fn go_to(block: BlockNumber) {
	System::set_block_number(block);
}

/// An idle block's hook.
pub(crate) fn idle(remaining: Weight) -> Weight {
	Rewards::on_idle(System::block_number(), remaining)
}

/// What an account can spend.
pub(crate) fn spendable(who: u64) -> Balance {
	use frame_support::traits::{
		fungible::Inspect,
		tokens::{Fortitude, Preservation},
	};
	Balances::reducible_balance(&who, Preservation::Expendable, Fortitude::Polite)
}

/// An error as a call returns it.
pub(crate) fn error(error: Error<Test>) -> sp_runtime::DispatchError {
	error.into()
}
