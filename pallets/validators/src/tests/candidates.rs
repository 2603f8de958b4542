//! The list: who comes, who goes, and where each stands.

use crate::{mock::*, Banned, Candidates, Error, Event, LeaveReason, Standing, MAX_CANDIDATES};
use frame_support::{assert_noop, assert_ok, assert_storage_noop};
use millrace_primitives::{governance::Contradiction, Balance};
use sp_runtime::{DispatchError, Perbill};

/// Candidates in their order.
fn list() -> Vec<u64> {
	Candidates::<Test>::get()
		.into_iter()
		.map(|row| row.who)
		.collect()
}

#[test]
fn candidates_stand_by_stake_and_older_ones_first() {
	ExtBuilder::default().build_and_execute(|| {
		stand(1, 20);
		stand(2, 30);
		stand(3, 20);
		rotate();
		stand(4, 20);
		stand(5, 40);
		assert_eq!(list(), vec![5, 2, 1, 3, 4]);
	});
}

#[test]
fn a_stake_that_changes_moves_its_candidate() {
	ExtBuilder::default().build_and_execute(|| {
		stand(1, 20);
		rotate();
		stand(2, 30);
		rotate();
		stand(3, 40);
		set_stake(1, 50);
		assert_eq!(list(), vec![1, 3, 2]);
		set_stake(3, 30);
		assert_eq!(list(), vec![1, 2, 3], "the older one stands first");
		set_stake(1, 30);
		assert_eq!(list(), vec![1, 2, 3]);
		set_stake(1, 1);
		assert_eq!(list(), vec![2, 3, 1], "under the least, but on the list");
		assert_eq!(Candidates::<Test>::get()[2].stake, 1);
	});
}

#[test]
fn who_has_no_stake_left_is_off_the_list() {
	ExtBuilder::default().build_and_execute(|| {
		stand(1, 20);
		stand(2, 30);
		set_stake(2, 0);
		assert_eq!(list(), vec![1]);
		assert!(!Standing::<Test>::contains_key(2));
		assert_eq!(
			events().last(),
			Some(&Event::CandidateLeft {
				who: 2,
				reason: LeaveReason::TooLittleStake,
			})
		);
		set_stake(2, 30);
		assert_eq!(list(), vec![1], "it must stand again");
		assert_ok!(Validators::validate(signed(2)));
		assert_eq!(list(), vec![2, 1]);
	});
}

#[test]
fn the_stake_of_others_changes_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		stand(1, 20);
		assert_storage_noop!(set_stake(2, 1_000));
		assert_storage_noop!(set_stake(2, 0));
	});
}

#[test]
fn a_candidate_needs_stake_and_keys_and_stands_once() {
	ExtBuilder::default().build_and_execute(|| {
		set_stake(1, MIN - 1);
		assert_noop!(Validators::validate(signed(1)), Error::<Test>::StakeTooLow);
		set_stake(1, MIN);
		assert_noop!(Validators::validate(signed(1)), Error::<Test>::NoKeys);
		give_keys(1);
		assert_ok!(Validators::validate(signed(1)));
		assert_eq!(
			events(),
			vec![Event::CandidateEntered { who: 1, stake: MIN }]
		);
		assert_noop!(
			Validators::validate(signed(1)),
			Error::<Test>::AlreadyCandidate
		);
	});
}

#[test]
fn a_full_list_takes_only_those_with_more_stake() {
	ExtBuilder::default().build_and_execute(|| {
		for who in 1..=u64::from(MAX_CANDIDATES) {
			stand(who, 100 + Balance::from(who));
		}
		let newcomer = 1_000;
		give_keys(newcomer);
		set_stake(newcomer, 101);
		assert_noop!(
			Validators::validate(signed(newcomer)),
			Error::<Test>::ListFull
		);
		set_stake(newcomer, 102);
		assert_ok!(Validators::validate(signed(newcomer)));
		assert_eq!(list().len(), 200);
		assert_eq!(list().last(), Some(&newcomer), "2 has as much and is older");
		assert!(!Standing::<Test>::contains_key(1));
		let reported = events();
		assert_eq!(
			reported[reported.len() - 2..],
			[
				Event::CandidateOutbid { who: 1 },
				Event::CandidateEntered {
					who: newcomer,
					stake: 102,
				},
			]
		);
		assert_noop!(Validators::validate(signed(1)), Error::<Test>::ListFull);
		Validators::do_try_state().unwrap();
	});
}

#[test]
fn who_chills_is_off_the_list_and_may_come_back() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(Validators::chill(signed(1)), Error::<Test>::NotCandidate);
		stand(1, 20);
		stand(2, 20);
		assert_ok!(Validators::chill(signed(1)));
		assert_eq!(list(), vec![2]);
		assert_eq!(
			events().last(),
			Some(&Event::CandidateLeft {
				who: 1,
				reason: LeaveReason::Chilled,
			})
		);
		assert_noop!(Validators::chill(signed(1)), Error::<Test>::NotCandidate);
		rotate();
		assert_ok!(Validators::validate(signed(1)));
		assert_eq!(list(), vec![2, 1], "its place is that of a newcomer");
	});
}

#[test]
fn a_ban_keeps_from_standing_until_it_ends() {
	ExtBuilder::default().build_and_execute(|| {
		stand(1, 20);
		Validators::on_equivocation(&1, Perbill::from_percent(1), 0);
		assert_eq!(list(), Vec::<u64>::new());
		for _ in 0..24 {
			assert_noop!(Validators::validate(signed(1)), Error::<Test>::Banned);
			rotate();
		}
		assert_ok!(Validators::validate(signed(1)));
		assert_eq!(list(), vec![1]);
		assert_eq!(Banned::<Test>::get(1), None);
	});
}

#[test]
fn keys_come_back_once_nothing_stands_on_them() {
	ExtBuilder::default().build_and_execute(|| {
		stand(1, 20);
		assert_noop!(
			Validators::purge_keys(signed(1)),
			Error::<Test>::IsCandidate
		);
		rotate_by(1);
		assert!(planned().contains(&1));
		assert_ok!(Validators::chill(signed(1)));
		assert_noop!(
			Validators::purge_keys(signed(1)),
			Error::<Test>::StillSeated
		);
		rotate_by(1);
		assert!(!planned().contains(&1), "three others stay");
		assert!(Seated::get().contains(&1));
		assert_noop!(
			Validators::purge_keys(signed(1)),
			Error::<Test>::StillSeated
		);
		rotate_by(1);
		assert_ok!(Validators::purge_keys(signed(1)));
		assert_eq!(events().last(), Some(&Event::KeysPurged { who: 1 }));
		assert!(!Keyed::get().contains(&1));
		assert_noop!(Validators::purge_keys(signed(1)), Error::<Test>::NoKeys);
	});
}

#[test]
fn calls_want_their_origins_and_parameters_that_make_sense() {
	ExtBuilder::default().build_and_execute(|| {
		let params = crate::ValidatorsParams::default();
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(
				Validators::validate(origin.clone()),
				DispatchError::BadOrigin
			);
			assert_noop!(Validators::chill(origin.clone()), DispatchError::BadOrigin);
			assert_noop!(Validators::purge_keys(origin), DispatchError::BadOrigin);
		}
		let wrong = [
			crate::ValidatorsParams {
				max_validators: 0,
				..params
			},
			crate::ValidatorsParams {
				max_validators: 101,
				..params
			},
			crate::ValidatorsParams {
				min_seat_stake: 0,
				..params
			},
			crate::ValidatorsParams {
				seats_per_change: 3,
				..params
			},
			crate::ValidatorsParams {
				least_authored: sp_runtime::Perbill::one(),
				..params
			},
		];
		for params in wrong {
			assert_noop!(Validators::apply_params(params), Contradiction);
		}
		assert_ok!(Validators::apply_params(params));
		assert_eq!(events().last(), Some(&Event::ParamsSet { params }));
		assert_eq!(crate::Params::<Test>::get(), params);
	});
}
