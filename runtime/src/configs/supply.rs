//! The supply: FLT that is locked and unlocks by the block, and the reserve that capacity is rewarded
//! from.

use crate::{
	parameters::EmissionPerEpoch, weights, AccountId, Balance, Balances, Runtime, RuntimeCall,
	RuntimeEvent, System,
};
use frame_support::{
	parameter_types,
	traits::{Contains, WithdrawReasons},
	PalletId,
};
use millrace_primitives::FLT;
use sp_runtime::traits::{AccountIdConversion, ConvertInto};

parameter_types! {
	/// Least that root locks in somebody's account: a schedule takes one of its few places.
	pub const MinVestedTransfer: Balance = FLT;
	/// What is locked is not spent, for whatever reason; not even on fees. Holds are no spending, so it
	/// can be staked.
	pub UnvestedFundsAllowedWithdrawReasons: WithdrawReasons = WithdrawReasons::empty();
	/// Names the account of the reserve that capacity is rewarded from.
	pub const ReservePotId: PalletId = PalletId(*b"mr/emssn");
	/// Where the treasury's part that unlocks later stands. It cannot stand in the treasury's own
	/// account: that pays approved proposals as if none of it were locked, and what it could not take
	/// from the account would be made. Root moves what has unlocked.
	pub TreasurySavings: AccountId = PalletId(*b"mr/trsvg").into_account_truncating();
}

impl pallet_vesting::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type BlockNumberToBalance = ConvertInto;
	type MinVestedTransfer = MinVestedTransfer;
	type WeightInfo = pallet_vesting::weights::SubstrateWeight<Runtime>;
	type UnvestedFundsAllowedWithdrawReasons = UnvestedFundsAllowedWithdrawReasons;
	type BlockNumberProvider = System;
	const MAX_VESTING_SCHEDULES: u32 = 28;
}

/// Closes `vested_transfer`. An account has few places for schedules, and what it claims needs one:
/// nobody may fill them for it. Root still can, with `force_vested_transfer`.
#[derive(Debug)]
pub struct NoForeignLocks;

impl Contains<RuntimeCall> for NoForeignLocks {
	fn contains(call: &RuntimeCall) -> bool {
		!matches!(
			call,
			RuntimeCall::Vesting(pallet_vesting::Call::vested_transfer { .. })
		)
	}
}

impl pallet_emission::Config for Runtime {
	type Currency = Balances;
	type PotId = ReservePotId;
	type Ceiling = EmissionPerEpoch;
	type WeightInfo = weights::pallet_emission::WeightInfo<Runtime>;
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{allocation::Share, Emission, RuntimeOrigin, Vesting};
	use frame_support::{
		assert_noop,
		traits::{fungible::Mutate, VestingSchedule},
	};
	use millrace_primitives::traits::Emission as _;
	use pallet_vesting::VestingInfo;
	use sp_runtime::{traits::Dispatchable, MultiAddress};

	fn account(n: u8) -> AccountId {
		AccountId::new([n; 32])
	}

	#[test]
	fn the_schedule_binds_until_a_vote_asks_for_less() {
		sp_io::TestExternalities::default().execute_with(|| {
			assert_eq!(Emission::limit(0), 0, "nothing comes of no reserve");
			pallet_emission::Reserve::<Runtime>::put(Share::Capacity.amount());
			assert_eq!(Emission::limit(0), Emission::scheduled(0));
			assert_eq!(Emission::limit(0), 60_000_000 * FLT / 8_766);
		});
	}

	#[test]
	fn nobody_but_root_locks_flt_in_the_account_of_another() {
		sp_io::TestExternalities::default().execute_with(|| {
			let (from, to) = (account(1), account(2));
			Balances::mint_into(&from, 10 * FLT).unwrap();
			let schedule = VestingInfo::new(FLT, FLT, 1_000);
			let call = RuntimeCall::Vesting(pallet_vesting::Call::vested_transfer {
				target: MultiAddress::Id(to.clone()),
				schedule,
			});
			assert_noop!(
				call.dispatch(RuntimeOrigin::signed(from.clone())),
				frame_system::Error::<Runtime>::CallFiltered
			);
			let call = RuntimeCall::Vesting(pallet_vesting::Call::force_vested_transfer {
				source: MultiAddress::Id(from),
				target: MultiAddress::Id(to.clone()),
				schedule,
			});
			call.dispatch(RuntimeOrigin::root()).unwrap();
			let schedules = pallet_vesting::Vesting::<Runtime>::get(to).unwrap();
			assert_eq!(schedules.to_vec(), [schedule]);
		});
	}

	#[test]
	fn whoever_is_locked_out_of_all_can_be_unlocked_by_another() {
		sp_io::TestExternalities::default().execute_with(|| {
			let (poor, other) = (account(1), account(2));
			Balances::mint_into(&poor, FLT).unwrap();
			Balances::mint_into(&other, FLT).unwrap();
			System::set_block_number(1);
			Vesting::add_vesting_schedule(&poor, FLT, FLT, 10).unwrap();
			assert_eq!(Balances::usable_balance(&poor), 0);
			System::set_block_number(11);
			let call = RuntimeCall::Vesting(pallet_vesting::Call::vest_other {
				target: MultiAddress::Id(poor.clone()),
			});
			call.dispatch(RuntimeOrigin::signed(other)).unwrap();
			assert!(Balances::usable_balance(&poor) > 0);
			assert!(pallet_vesting::Vesting::<Runtime>::get(poor).is_none());
		});
	}
}
