//! When what was set comes into force.

use crate::{mock::*, Event, Waiting, WeightInfo};
use frame_support::assert_ok;

fn set(parameter: RuntimeParameters) {
	assert_ok!(Governed::set(RuntimeOrigin::root(), parameter));
}

#[test]
fn a_value_is_in_force_from_the_next_epoch_on() {
	build_and_execute(|| {
		set(fee(3));
		set(len(40));
		assert_eq!(in_force(), (10, 20, 5));
		System::reset_events();
		next_epoch();
		assert_eq!(in_force(), (3, 40, 5));
		assert_eq!(Waiting::<Test>::get(), 0);
		assert_eq!(
			events(),
			vec![Event::Applied { group: 0 }, Event::Applied { group: 1 }]
		);
	});
}

#[test]
fn the_last_of_two_values_counts() {
	build_and_execute(|| {
		set(fee(3));
		set(fee(4));
		next_epoch();
		assert_eq!(in_force().0, 4);
	});
}

#[test]
fn an_epoch_in_which_nothing_was_set_costs_a_look() {
	build_and_execute(|| {
		assert_eq!(next_epoch(), <() as WeightInfo>::look());
		assert!(events().is_empty());
		set(len(40));
		set(window(6));
		// The group counts once.
		let weight = <() as WeightInfo>::look().saturating_add(<() as WeightInfo>::apply());
		assert_eq!(next_epoch(), weight);
		assert_eq!(next_epoch(), <() as WeightInfo>::look());
	});
}

#[test]
fn what_makes_no_sense_any_more_is_discarded() {
	build_and_execute(|| {
		set(window(7));
		set(fee(3));
		Stubborn::set(true);
		System::reset_events();
		next_epoch();
		assert_eq!(in_force(), (3, 20, 5));
		assert_eq!(voted(), (3, 20, 5));
		assert_eq!(
			events(),
			vec![Event::Applied { group: 0 }, Event::Discarded { group: 1 }]
		);
	});
}

#[test]
fn genesis_votes_for_what_is_in_force() {
	build().execute_with(|| {
		assert_eq!(in_force(), (10, 20, 5));
		// Not the value of the runtime's code, which is 0.
		assert_eq!(voted(), (10, 20, 5));
		Governed::do_try_state().unwrap();
	});
}

#[test]
#[should_panic(expected = "out of its bounds")]
fn a_genesis_out_of_bounds_is_refused() {
	build_with_fee(101);
}

#[test]
fn values_of_another_way_become_the_voted_ones() {
	build_and_execute(|| {
		set(fee(3));
		InForce::set(&(50, 10));
		Governed::read_in_force();
		assert_eq!(voted(), (10, 50, 10));
		assert_eq!(Waiting::<Test>::get(), 0);
	});
}
