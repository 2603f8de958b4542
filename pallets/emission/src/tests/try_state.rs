//! Each invariant finds what breaks it.

use crate::{
	mock::{new_ext, Balances, Emission, Test, RESERVE, RICH},
	Paid, Pools,
};
use frame_support::traits::fungible::Mutate;
use millrace_primitives::{traits::Emission as _, FLT};
use sp_runtime::TryRuntimeError;

fn finds(message: &'static str, breaks: impl FnOnce()) {
	new_ext().execute_with(|| {
		breaks();
		assert_eq!(
			Emission::do_try_state(),
			Err(TryRuntimeError::Other(message))
		);
	});
}

#[test]
fn promises_beyond_the_reserve() {
	// What keeps the account cannot be promised.
	finds("more was promised than there is", || {
		Emission::promise(RESERVE);
	});
}

#[test]
fn payments_beyond_the_promises() {
	finds("more was paid than was promised", || {
		Pools::<Test>::put(FLT);
		Paid::<Test>::put(FLT + 1);
	});
}

#[test]
fn an_account_that_lacks_something() {
	finds(
		"the account of the reserve has less than what is left",
		|| {
			let pot = Emission::pot();
			Balances::set_balance(&pot, RESERVE - 1);
		},
	);
}

#[test]
fn flt_that_was_made() {
	finds("there is more FLT than at genesis", || {
		Balances::mint_into(&RICH, 1).expect("there is room");
	});
}
