//! The first set, and how long it stays.

use crate::{mock::*, Bootstrapped, Event, Genesis, Planned, ValidatorsParams};

#[test]
fn the_genesis_set_stays_until_enough_is_at_stake() {
	ExtBuilder::default()
		.bootstrap_stake(100)
		.build_and_execute(|| {
			assert_eq!(planned(), GENESIS);
			stand(1, 99);
			for _ in 0..5 {
				assert_eq!(rotate_by(1), GENESIS);
			}
			assert!(!Bootstrapped::<Test>::get());
			// One candidate among many providers does not get the chain for itself.
			set_stake(2, 1_000);
			assert_eq!(rotate_by(1), GENESIS);
			assert!(!Bootstrapped::<Test>::get());
			set_stake(2, 0);
			set_stake(1, 100);
			assert_eq!(rotate_by(1), vec![1, 102, 103, 104]);
			assert!(events().contains(&Event::Bootstrapped {
				standing_stake: 100
			}));
			assert!(events().contains(&Event::SeatsPlanned {
				session: 8,
				seats: 4,
				entered: 1,
				left: 1,
			}));
			assert!(events().contains(&Event::SeatGained { who: 1, session: 8 }));
		});
}

#[test]
fn stake_that_leaves_does_not_bring_genesis_back() {
	ExtBuilder::default()
		.bootstrap_stake(100)
		.build_and_execute(|| {
			for who in 1..=4 {
				stand(who, 25);
			}
			rotate_by(4);
			assert_eq!(planned(), vec![1, 2, 3, 4]);
			for who in 1..=4 {
				set_stake(who, 0);
			}
			assert_eq!(
				rotate_by(5),
				vec![1, 2, 3, 4],
				"nobody is there to replace them"
			);
			assert!(Bootstrapped::<Test>::get());
		});
}

#[test]
fn a_session_without_candidates_keeps_the_genesis_set() {
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!(rotate_by(10), GENESIS);
		assert!(Bootstrapped::<Test>::get(), "no stake is asked for");
		assert!(lost().is_empty());
	});
}

#[test]
fn stakes_of_genesis_accounts_that_never_stood_unseat_nobody() {
	ExtBuilder::default()
		.genesis((1..=12).collect())
		.build_and_execute(|| {
			for who in 1..=12 {
				set_stake(who, 50);
			}
			assert_eq!(rotate_by(10), (1..=12).collect::<Vec<_>>());
		});
}

#[test]
fn nothing_is_planned_before_genesis_is_complete() {
	ExtBuilder::default()
		.genesis(Vec::new())
		.build_and_execute(|| {
			assert_eq!(Validators::plan(0), None);
			assert_eq!(Planned::<Test>::get(), None);
			assert!(!Bootstrapped::<Test>::get());
		});
}

#[test]
fn genesis_takes_the_seats_of_the_session_pallet() {
	let params = ValidatorsParams {
		bootstrap_stake: 7,
		..Default::default()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		assert_eq!(crate::Params::<Test>::get(), params);
		assert_eq!(Genesis::<Test>::get().into_inner(), GENESIS);
		assert_eq!(Planned::<Test>::get().map(|(session, _)| session), Some(1));
	});
}

#[test]
#[should_panic(expected = "validators' parameters contradict each other")]
fn genesis_wants_parameters_that_make_sense() {
	ExtBuilder::default().max_validators(101).build();
}

#[test]
fn parameters_are_written_as_in_chain_specifications() {
	let params = ValidatorsParams {
		min_seat_stake: 7,
		..Default::default()
	};
	let genesis = crate::GenesisConfig::<Test> {
		params,
		..Default::default()
	};
	let json = serde_json::to_value(&genesis).unwrap();
	assert_eq!(
		json,
		serde_json::json!({ "params": {
			"maxValidators": 100,
			"minSeatStake": "7",
			"bootstrapStake": "1000000000000000000000000",
			"seatsPerChange": 6,
			"leastAuthored": 500_000_000,
		} })
	);
}
