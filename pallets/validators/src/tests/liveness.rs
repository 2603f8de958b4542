//! Who is found silent, and what it costs.

use crate::{
	mock::*, rules::is_silent, Authored, Event, LeaveReason, Silent, SitOut, Standing, Written,
};
use frame_support::{assert_ok, dispatch::DispatchClass};
use sp_runtime::Perbill;

#[test]
fn silence_is_what_chance_does_not_explain() {
	let table = [
		// Nothing at all says something from seven blocks on.
		(0, 0, false),
		(0, 6, false),
		(0, 7, true),
		(0, 12, true),
		(0, 1_200, true),
		// Of few blocks, half proves nothing.
		(1, 12, false),
		(5, 12, false),
		(1, 20, true),
		(4, 20, true),
		(5, 20, false),
		// Of many, half is what counts.
		(49, 100, true),
		(50, 100, false),
		(599, 1_200, true),
		(600, 1_200, false),
		(u32::MAX, u32::MAX, false),
		(0, u32::MAX, true),
	];
	for (authored, expected, silent) in table {
		assert_eq!(
			is_silent(authored, expected, Perbill::from_percent(50)),
			silent,
			"{authored} of {expected}"
		);
	}
	// Who may write less is silent later, and never at nothing asked.
	assert!(!is_silent(20, 100, Perbill::from_percent(20)));
	assert!(is_silent(19, 100, Perbill::from_percent(20)));
	assert!(!is_silent(0, 100, Perbill::zero()));
}

#[test]
fn who_wrote_how_much_is_counted_and_weighed() {
	ExtBuilder::default().build_and_execute(|| {
		let before = System::block_weight();
		write(101, 2);
		write(102, 1);
		assert_eq!(Authored::<Test>::get(101), 2);
		assert_eq!(Authored::<Test>::get(102), 1);
		assert_eq!(Written::<Test>::get(), 3);
		let charged = <() as crate::WeightInfo>::note_author().saturating_mul(3);
		let expected = before.get(DispatchClass::Mandatory).saturating_add(charged);
		assert_eq!(
			*System::block_weight().get(DispatchClass::Mandatory),
			expected
		);
		rotate();
		assert_eq!(Authored::<Test>::iter().count(), 0);
		assert_eq!(Written::<Test>::get(), 0);
	});
}

#[test]
fn a_silent_seat_sits_out_the_next_plan() {
	ExtBuilder::default()
		.genesis((1..=4).collect())
		.build_and_execute(|| {
			for who in 1..=4 {
				stand(who, 50);
			}
			rotate_by(1);
			write_all_but(&[2], 20);
			assert_eq!(rotate(), vec![1, 3, 4]);
			assert!(events().contains(&Event::FoundSilent {
				who: 2,
				session: 1,
				authored: 0,
				expected: 15,
			}));
			assert!(events().contains(&Event::SeatLost {
				who: 2,
				session: 3,
				reason: LeaveReason::Silent,
			}));
			assert_eq!(Silent::<Test>::get(2), 1);
			assert!(Standing::<Test>::contains_key(2), "it is still a candidate");
			// It still sits in the session that was planned before, and writes again.
			assert!(Seated::get().contains(&2));
			assert_eq!(rotate_by(1), vec![1, 3, 4, 2], "one session was all");
			assert_eq!(Silent::<Test>::get(2), 0);
			assert_eq!(lost(), vec![(2, LeaveReason::Silent)]);
		});
}

#[test]
fn two_silent_sessions_end_a_candidacy() {
	ExtBuilder::default()
		.genesis((1..=4).collect())
		.build_and_execute(|| {
			for who in 1..=4 {
				stand(who, 50);
			}
			rotate_by(1);
			for _ in 0..2 {
				write_all_but(&[2], 20);
				rotate();
			}
			assert_eq!(Silent::<Test>::get(2), 2);
			assert!(!Standing::<Test>::contains_key(2));
			assert!(events().contains(&Event::CandidateLeft {
				who: 2,
				reason: LeaveReason::Silent,
			}));
			assert_eq!(
				rotate_by(3),
				vec![1, 3, 4],
				"it does not come back by itself"
			);
			assert_eq!(Silent::<Test>::iter().count(), 0);
			assert_ok!(Validators::validate(signed(2)));
			assert_eq!(rotate_by(1), vec![1, 3, 4, 2]);
		});
}

#[test]
fn the_most_silent_go_first() {
	ExtBuilder::default()
		.genesis((1..=8).collect())
		.build_and_execute(|| {
			for who in 1..=8 {
				stand(who, 50);
			}
			rotate_by(1);
			write_all_but(&[3, 5, 7], 40);
			write(3, 2);
			write(5, 1);
			write(7, 1);
			let seats = rotate();
			assert_eq!(lost(), vec![(5, LeaveReason::Silent)]);
			assert_eq!(seats, vec![1, 2, 3, 4, 6, 7, 8]);
			assert!(
				SitOut::<Test>::get().is_empty(),
				"a plan takes it into account once"
			);
		});
}

#[test]
fn the_floor_keeps_silent_seats() {
	ExtBuilder::default()
		.genesis(vec![1, 2, 3])
		.build_and_execute(|| {
			for who in 1..=3 {
				stand(who, 50);
			}
			rotate_by(1);
			for _ in 0..3 {
				write_all_but(&[2], 20);
				assert_eq!(rotate(), vec![1, 2, 3]);
			}
			assert_eq!(Silent::<Test>::get(2), 3);
		});
}

#[test]
fn nobody_is_judged_before_stake_decides() {
	ExtBuilder::default()
		.bootstrap_stake(100)
		.build_and_execute(|| {
			for _ in 0..3 {
				write_all_but(&[102], 20);
				rotate();
			}
			assert_eq!(Silent::<Test>::iter().count(), 0);
			assert!(events().is_empty());
			// The session in which enough comes is the first that counts after it.
			stand(1, 100);
			write_all_but(&[102], 20);
			rotate();
			assert_eq!(Silent::<Test>::iter().count(), 0);
			write_all_but(&[102], 20);
			rotate();
			assert_eq!(Silent::<Test>::get(102), 1);
		});
}

#[test]
fn a_network_that_stands_still_judges_nobody() {
	ExtBuilder::default().build_and_execute(|| {
		rotate();
		write(101, 20);
		rotate();
		assert_eq!(
			Silent::<Test>::iter().count(),
			0,
			"five were expected of each"
		);
	});
}
