//! Any history of epochs, votes and payments: the reserve is never overdrawn, and FLT never made.

use crate::{
	mock::{new_ext, Balances, Ceiling, Emission, RESERVE},
	schedule::EPOCHS_PER_YEAR,
};
use frame_support::traits::fungible::Inspect;
use millrace_primitives::{traits::Emission as _, Balance, FLT};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Op {
	/// So many epochs pass; the pool of the last takes so many percent of what it may.
	Epoch { passed: u32, percent: u128 },
	/// Governance sets the ceiling, in FLT.
	Vote(u32),
	/// So many percent of what is promised are paid to an account.
	Pay { who: u64, percent: u128 },
}

fn op() -> impl Strategy<Value = Op> {
	prop_oneof![
		4 => (1..3 * EPOCHS_PER_YEAR, 0..=100u128)
			.prop_map(|(passed, percent)| Op::Epoch { passed, percent }),
		1 => (0..20_000u32).prop_map(Op::Vote),
		3 => (1..9u64, 0..=120u128).prop_map(|(who, percent)| Op::Pay { who, percent }),
	]
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn what_was_paid_and_what_is_left_are_the_reserve(ops in prop::collection::vec(op(), 1..80)) {
		new_ext().execute_with(|| {
			let supply = <Balances as Inspect<u64>>::total_issuance();
			let (mut epoch, mut pools, mut paid): (u32, Balance, Balance) = (0, 0, 0);
			for op in ops {
				match op {
					Op::Epoch { passed, percent } => {
						epoch = epoch.saturating_add(passed);
						let limit = Emission::limit(epoch);
						assert!(limit <= Ceiling::get());
						assert!(limit <= Emission::scheduled(epoch));
						let pool = limit * percent / 100;
						Emission::promise(pool);
						pools += pool;
					}
					Op::Vote(flt) => Ceiling::set(Balance::from(flt) * FLT),
					Op::Pay { who, percent } => {
						let amount = Emission::promised() * percent / 100;
						let had = Balances::free_balance(who);
						match Emission::pay(&who, amount) {
							Ok(()) => {
								paid += amount;
								assert_eq!(Balances::free_balance(who), had + amount);
							}
							// Too much, or too little for an account that there is not.
							Err(_) => assert!(percent > 100 || had + amount < 1_000),
						}
					}
				}
				assert_eq!(Emission::promised(), pools - paid);
				assert_eq!(Balances::free_balance(Emission::pot()), RESERVE - paid);
				assert_eq!(<Balances as Inspect<u64>>::total_issuance(), supply);
				Emission::do_try_state().expect("the invariants hold");
			}
		});
	}
}
