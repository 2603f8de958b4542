//! What the invariants see.

use super::*;
use crate::{
	Answered, Answers, Cases, Commits, CommitsOf, Demands, OpenCases, OpenDemandCount, OpenDemands,
	Posted, ReplayedAt, Shows, ShowsOf,
};

/// A chain on which everything that can stand stands.
fn scene() {
	let (report, _) = report(&[receipt(0), receipt(1)]);
	open(&[receipt(0), receipt(1)]);
	let (case, evidence) = overbilled();
	assert_ok!(challenge(ALICE, case, evidence));
	let (case, evidence) = omitted(receipt(0), &report);
	assert_ok!(challenge(ALICE, case, evidence));
	let (epoch, wanted) = (1, Wanted::Request);
	assert_ok!(Receipts::demand(by(BOB), peer(), epoch, 1, wanted));
	commit(BOB, case);
	Receipts::do_try_state().expect("nothing is wrong yet");
}

/// Asserts that a change of the scene is seen.
fn assert_seen(change: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		scene();
		change();
		assert!(Receipts::do_try_state().is_err());
	});
}

#[test]
fn holds_are_the_sums_of_the_records() {
	assert_seen(|| {
		let mut row = Commits::<Test>::iter().next().expect("one stands");
		row.2.bond -= 1;
		Commits::<Test>::insert(row.0, row.1, row.2);
	});
	assert_seen(|| {
		let subject = receipt(0).hash();
		Shows::<Test>::mutate(peer(), subject, |show| {
			show.as_mut().expect("it stands").bond += 1;
		});
	});
	assert_seen(|| {
		Demands::<Test>::mutate(peer(), (1, 1, Wanted::Request), |demand| {
			demand.as_mut().expect("it stands").who = ALICE;
		});
	});
}

#[test]
fn numbers_are_those_of_the_records() {
	assert_seen(|| CommitsOf::<Test>::insert(BOB, 2));
	assert_seen(|| CommitsOf::<Test>::insert(STRANGER, 0));
	assert_seen(|| ShowsOf::<Test>::remove(peer()));
	assert_seen(|| OpenDemands::<Test>::put(OpenDemandCount::default()));
	assert_seen(|| OpenCases::<Test>::insert(peer(), 2));
	assert_seen(|| OpenCases::<Test>::insert(other(), 0));
}

#[test]
fn cases_stand_where_they_belong() {
	let fraud = (1, OffenceKind::Fraud);
	let case = move || Cases::<Test>::get(peer(), fraud).expect("it stands");
	assert_seen(move || Cases::<Test>::insert(peer(), (2, OffenceKind::Fraud), case()));
	assert_seen(move || Cases::<Test>::insert(peer(), (1, OffenceKind::Omission), case()));
	assert_seen(move || {
		let concluded = crate::Case {
			concluded: true,
			..case()
		};
		Cases::<Test>::insert(peer(), fraud, concluded);
	});
	assert_seen(move || {
		let late = crate::Case {
			committed: case().proven,
			..case()
		};
		Cases::<Test>::insert(peer(), fraud, late);
	});
}

#[test]
fn what_is_open_has_stake_behind_it() {
	assert_seen(|| StakesOf::mutate(|stakes| stakes.clear()));
	assert_seen(|| Registered::set(Vec::new()));
}

#[test]
fn answers_stand_where_they_belong() {
	let answers = |seq| Answers {
		epoch: 1,
		withheld: false,
		data: vec![(seq, Wanted::Request)].try_into().expect("one fits"),
	};
	assert_seen(|| Answered::<Test>::insert(peer(), 2, answers(0)));
	// What is demanded was not answered.
	assert_seen(|| Answered::<Test>::insert(peer(), 1, answers(1)));
	assert_seen(|| {
		let empty = Answers {
			data: Default::default(),
			..answers(0)
		};
		Answered::<Test>::insert(peer(), 1, empty);
	});
	new_test_ext().execute_with(|| {
		scene();
		Answered::<Test>::insert(peer(), 1, answers(0));
		Receipts::do_try_state().expect("that may be");
	});
}

#[test]
fn nothing_was_done_in_a_block_to_come() {
	let later = || System::block_number() + 1;
	assert_seen(|| Posted::<Test>::insert(H256::zero(), later()));
	assert_seen(|| ReplayedAt::<Test>::put(later()));
}

#[test]
fn parameters_make_sense() {
	assert_seen(|| Params::<Test>::mutate(|params| params.bond = 0));
}
