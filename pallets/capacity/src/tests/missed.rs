//! Who has missed its report: what the market takes workers out for.

use super::*;
use crate::CapacityParams;
use frame_support::assert_ok;
use millrace_primitives::{
	traits::{Capacity as _, Offence, StakeSlasher},
	EpochIndex,
};
use sp_runtime::Perbill;

fn missed(n: u8, epoch: EpochIndex) -> bool {
	Capacity::missed(peer(n), epoch)
}

#[test]
fn a_report_is_missed_once_its_window_is_over_and_the_epoch_judged() {
	ExtBuilder::default().peers(3).build_and_execute(|| {
		commit(1, 4);
		commit(2, 4);
		go_to(2, 0);
		assert_ok!(send(report_call(2, claim(1, 4, 0))));
		assert!(!missed(1, 1), "it can still be sent");
		go_to(2, LENGTHS.report_window);
		assert!(!missed(1, 1), "it may still be excused");
		go_to_answers(1);
		assert!(missed(1, 1));
		// The second reported, the third owes nothing, and nobody owed anything for epoch 0.
		assert!(!missed(2, 1) && !missed(3, 1));
		assert!(!missed(1, 0));
		// Nor has the present epoch been missed yet.
		assert!(!missed(1, 2));
		// Settlement changes nothing.
		close(1);
		assert_ok!(Capacity::settle(signed(STRANGER), peer(1)));
		assert!(missed(1, 1));
	});
}

#[test]
fn nobody_has_missed_an_epoch_that_is_excused() {
	let params = CapacityParams {
		amnesty_epochs: 4,
		..params()
	};
	ExtBuilder::default()
		.peers(3)
		.params(params)
		.build_and_execute(|| {
			for (n, units) in [(1, 4), (2, 4), (3, 1)] {
				commit(n, units);
			}
			jump(2);
			assert!(!amnesty::pass(&[(1, 4), (2, 4)], &[]));
			assert!(missed(3, 1));
			assert!(amnesty::pass(&[(3, 1)], &[]));
			assert!(!missed(1, 2) && !missed(2, 2));
		});
}

#[test]
fn what_was_before_the_last_report_is_not_known_any_more() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		jump(3);
		assert!(missed(1, 1));
		assert_ok!(duty(report_call(1, claim(2, 4, 0))));
		assert!(!missed(1, 1) && !missed(1, 2));
	});
}

#[test]
fn a_commitment_that_is_over_owes_no_report() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		pass(1);
		assert!(missed(1, 1));
		let offence = Offence {
			epoch: 1,
			part: Perbill::from_percent(1),
			fails: true,
			reporter: None,
		};
		Capacity::slash(peer(1), offence);
		assert!(!missed(1, 1));
	});
}
