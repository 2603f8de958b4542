//! A chain of nothing but balances and the reserve.
#![allow(
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use crate as pallet_emission;
use frame_support::{derive_impl, parameter_types, traits::ConstU128, PalletId};
use millrace_primitives::{Balance, FLT};
use sp_runtime::BuildStorage;

type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Emission: pallet_emission,
	}
);

/// Least that an account holds.
pub(crate) const EXISTENTIAL_DEPOSIT: Balance = 1_000;
/// What the reserve has at genesis.
pub(crate) const RESERVE: Balance = 300_000_000 * FLT;
/// What all others have.
pub(crate) const REST: Balance = 700_000_000 * FLT;
/// Who has it.
pub(crate) const RICH: u64 = 1;
/// An account that there is not yet.
pub(crate) const NEW: u64 = 2;

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
	pub const PotId: PalletId = PalletId(*b"mr/emssn");
	/// Never binds, unless a test says otherwise.
	pub static Ceiling: Balance = Balance::MAX;
}

impl pallet_emission::Config for Test {
	type Currency = Balances;
	type PotId = PotId;
	type Ceiling = Ceiling;
	type WeightInfo = ();
}

/// A chain in its first block.
pub(crate) fn new_ext() -> sp_io::TestExternalities {
	with_reserve(RESERVE)
}

/// A chain whose reserve has so much.
pub(crate) fn with_reserve(reserve: Balance) -> sp_io::TestExternalities {
	Ceiling::set(Balance::MAX);
	let mut balances = vec![(RICH, REST)];
	if reserve > 0 {
		balances.push((Emission::pot(), reserve));
	}
	let mut storage = frame_system::GenesisConfig::<Test>::default()
		.build_storage()
		.expect("the system's genesis builds");
	pallet_balances::GenesisConfig::<Test> {
		balances,
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.expect("the balances' genesis builds");
	pallet_emission::GenesisConfig::<Test>::default()
		.assimilate_storage(&mut storage)
		.expect("the pallet's genesis builds");
	let mut ext = sp_io::TestExternalities::new(storage);
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs a test and checks the pallet's invariants at its end.
pub(crate) fn run(test: impl FnOnce()) {
	new_ext().execute_with(|| {
		test();
		Emission::do_try_state().expect("the invariants hold");
	});
}
