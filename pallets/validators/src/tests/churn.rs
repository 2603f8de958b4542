//! Sets change slowly, whatever happens to stakes.

use crate::{mock::*, rules::changes, Params};
use millrace_primitives::Balance;
use proptest::prelude::*;

/// Accounts of the test.
const ACCOUNTS: u64 = 60;

proptest! {
	#![proptest_config(ProptestConfig::with_cases(4))]

	#[test]
	fn a_sixth_of_the_seats_changes_at_most(
		sessions in prop::collection::vec(
			prop::collection::vec((1..=ACCOUNTS, 0u128..300, prop::bool::weighted(0.1)), 0..12),
			200,
		),
	) {
		ExtBuilder::default().max_validators(30).build_and_execute(|| {
			for session in sessions {
				for (who, stake, silent) in session {
					give_keys(who);
					set_stake(who, stake);
					// Refused, where there is too little stake, or it stands already.
					let _ = Validators::validate(signed(who));
					if !silent {
						write(who, 5);
					}
				}
				let before = planned();
				let after = rotate();
				let most = changes(before.len(), &Params::<Test>::get());
				let entered: Vec<_> = after.iter().filter(|who| !before.contains(who)).collect();
				let left = before.iter().filter(|who| !after.contains(who)).count();
				assert!(entered.len() <= most, "{} of {}", entered.len(), before.len());
				assert!(left <= most, "{left} of {}", before.len());
				assert!(after.len() >= 3);
				assert!(after.len() <= 30);
				let params = Params::<Test>::get();
				let stakes = StakeOf::get();
				let stake = |who: &u64| -> Balance { stakes.get(who).copied().unwrap_or(0) };
				assert!(entered.iter().all(|who| stake(who) >= params.min_seat_stake));
				Validators::do_try_state().unwrap();
			}
		});
	}
}
