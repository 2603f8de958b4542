//! Promises and payments.

use crate::{
	mock::{
		run, with_reserve, Balances, Ceiling, Emission, Test, EXISTENTIAL_DEPOSIT, NEW, RESERVE,
		REST, RICH,
	},
	Paid, Pools, Reserve, Supply,
};
use frame_support::{
	assert_noop, assert_ok,
	traits::{
		fungible::{Inspect, Mutate},
		tokens::Preservation,
	},
};
use millrace_primitives::{traits::Emission as _, Balance, FLT};
use sp_runtime::TokenError;

fn issuance() -> Balance {
	<Balances as Inspect<u64>>::total_issuance()
}

#[test]
fn the_reserve_is_what_its_account_has_at_genesis() {
	run(|| {
		assert_eq!(Reserve::<Test>::get(), RESERVE);
		assert_eq!(Supply::<Test>::get(), RESERVE + REST);
		assert_eq!((Emission::left(), Emission::promised()), (RESERVE, 0));
	});
}

#[test]
fn an_epoch_has_the_least_of_schedule_ceiling_and_what_is_left() {
	run(|| {
		let scheduled = 60_000_000 * FLT / 8_766;
		assert_eq!(Emission::limit(0), scheduled);
		Ceiling::set(1_000 * FLT);
		assert_eq!(Emission::limit(0), 1_000 * FLT);
		// A vote lifts nothing above the schedule.
		Ceiling::set(scheduled + 1);
		assert_eq!(Emission::limit(0), scheduled);

		Emission::promise(RESERVE - EXISTENTIAL_DEPOSIT - 7);
		assert_eq!((Emission::unpromised(), Emission::limit(0)), (7, 7));
		Emission::promise(7);
		assert_eq!(Emission::limit(0), 0);
	});
}

#[test]
fn a_payment_moves_flt_and_makes_none() {
	run(|| {
		Emission::promise(100 * FLT);
		let all = issuance();
		assert_ok!(Emission::pay(&NEW, 60 * FLT));
		assert_eq!(Balances::free_balance(NEW), 60 * FLT);
		assert_eq!(Balances::free_balance(Emission::pot()), RESERVE - 60 * FLT);
		assert_eq!(issuance(), all);
		assert_eq!(Emission::left(), RESERVE - 60 * FLT);
		assert_eq!(Emission::promised(), 40 * FLT);
		assert_eq!(
			(Pools::<Test>::get(), Paid::<Test>::get()),
			(100 * FLT, 60 * FLT)
		);
	});
}

#[test]
fn nothing_is_paid_that_was_not_promised() {
	run(|| {
		assert_noop!(Emission::pay(&NEW, FLT), TokenError::FundsUnavailable);
		Emission::promise(FLT);
		assert_noop!(Emission::pay(&NEW, FLT + 1), TokenError::FundsUnavailable);
		assert_ok!(Emission::pay(&NEW, FLT));
		assert_noop!(Emission::pay(&NEW, 1), TokenError::FundsUnavailable);
	});
}

#[test]
fn a_payment_that_nobody_can_take_changes_nothing() {
	run(|| {
		Emission::promise(FLT);
		let least = EXISTENTIAL_DEPOSIT - 1;
		assert_noop!(Emission::pay(&NEW, least), TokenError::BelowMinimum);
		assert_eq!(Emission::promised(), FLT);
	});
}

#[test]
fn everything_that_can_be_promised_can_be_paid() {
	run(|| {
		let all = Emission::unpromised();
		Emission::promise(all);
		assert_ok!(Emission::pay(&NEW, all));
		// What keeps the account stays.
		assert_eq!(Balances::free_balance(Emission::pot()), EXISTENTIAL_DEPOSIT);
		assert_eq!((Emission::promised(), Emission::unpromised()), (0, 0));
	});
}

#[test]
fn what_others_send_to_the_account_is_no_reserve() {
	run(|| {
		let pot = Emission::pot();
		assert_ok!(<Balances as Mutate<u64>>::transfer(
			&RICH,
			&pot,
			FLT,
			Preservation::Preserve
		));
		assert_eq!(Emission::left(), RESERVE);
		assert_eq!(Emission::unpromised(), RESERVE - EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn a_chain_without_reserve_rewards_nobody() {
	with_reserve(0).execute_with(|| {
		assert_eq!((Reserve::<Test>::get(), Emission::limit(0)), (0, 0));
		Emission::do_try_state().expect("the invariants hold");
	});
}
