//! Setting a parameter.

use crate::{mock::*, Error, Event, Waiting};
use frame_support::{
	assert_noop, assert_ok,
	traits::{dynamic_params::AggregatedKeyValue, UnfilteredDispatchable},
};
use sp_runtime::DispatchError;

/// As a referendum does it.
fn set(parameter: RuntimeParameters) -> frame_support::pallet_prelude::DispatchResult {
	Governed::set(RuntimeOrigin::root(), parameter)
}

#[test]
fn a_value_is_taken_from_its_least_to_its_most() {
	build_and_execute(|| {
		for (parameter, error) in [
			(fee(101), Error::<Test>::AboveMost),
			(fee(u128::MAX), Error::<Test>::AboveMost),
			(len(9), Error::<Test>::BelowLeast),
			(len(1_001), Error::<Test>::AboveMost),
			(window(0), Error::<Test>::BelowLeast),
			(window(501), Error::<Test>::AboveMost),
		] {
			assert_noop!(set(parameter), error);
		}
		for parameter in [
			fee(0),
			fee(100),
			len(1_000),
			window(500),
			window(1),
			len(10),
		] {
			assert_ok!(set(parameter));
		}
		assert_eq!(voted(), (100, 10, 1));
	});
}

#[test]
fn values_must_fit_each_other() {
	build_and_execute(|| {
		assert_noop!(set(window(20)), Error::<Test>::Contradicts);
		// In the other order it is possible.
		assert_ok!(set(len(30)));
		assert_ok!(set(window(20)));
		assert_noop!(set(len(20)), Error::<Test>::Contradicts);
		assert_eq!(voted(), (10, 30, 20));
	});
}

#[test]
fn a_parameter_always_has_a_value() {
	build_and_execute(|| {
		let nothing = RuntimeParameters::Fees(dynamic_params::fees::Parameters::Fee(
			dynamic_params::fees::Fee,
			None,
		));
		assert_noop!(set(nothing), Error::<Test>::NoValue);
	});
}

#[test]
fn who_may_set_a_parameter_depends_on_it() {
	build_and_execute(|| {
		let treasurer = RuntimeOrigin::signed(TREASURER);
		assert_ok!(Governed::set(treasurer.clone(), fee(3)));
		assert_noop!(Governed::set(treasurer, len(30)), DispatchError::BadOrigin);
		for stranger in [RuntimeOrigin::signed(2), RuntimeOrigin::none()] {
			assert_noop!(Governed::set(stranger, fee(4)), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn nothing_goes_round_the_bounds() {
	build_and_execute(|| {
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::signed(TREASURER)] {
			let call = pallet_parameters::Call::<Test>::set_parameter { key_value: fee(3) };
			let done = call.dispatch_bypass_filter(origin);
			assert_eq!(done.unwrap_err().error, DispatchError::BadOrigin);
		}
	});
}

#[test]
fn a_value_is_voted_at_once_and_told_with_the_one_before() {
	build_and_execute(|| {
		assert_ok!(set(fee(3)));
		assert_eq!(voted().0, 3);
		assert_eq!(in_force().0, 10);
		assert_eq!(Waiting::<Test>::get(), 1);
		let (key, new) = fee(3).into_parts();
		let (_, old) = fee(10).into_parts();
		let new = new.unwrap();
		assert_eq!(events(), vec![Event::Set { key, old, new }]);
	});
}

#[test]
fn what_must_be_known_before_an_epoch_is_told_at_once() {
	build_and_execute(|| {
		assert_ok!(set(window(7)));
		assert_eq!(Announced::get(), Some(7));
		assert_noop!(set(window(20)), Error::<Test>::Contradicts);
		assert_eq!(Announced::get(), Some(7));
	});
}
