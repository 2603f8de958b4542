//! Anything in any order, against a model of five numbers.

use crate::{mock::*, Error};
use frame_support::traits::UnfilteredDispatchable;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
	Fee(u128),
	Len(u32),
	Window(u32),
	Epoch,
}

fn op() -> impl Strategy<Value = Op> {
	prop_oneof![
		3 => prop_oneof![0u128..110, Just(u128::MAX)].prop_map(Op::Fee),
		3 => prop_oneof![0u32..40, 990u32..1_010].prop_map(Op::Len),
		3 => prop_oneof![0u32..40, 490u32..510].prop_map(Op::Window),
		2 => Just(Op::Epoch),
	]
}

/// What a value should meet with, told without the pallet.
fn verdict<N: PartialOrd>(value: N, least: N, most: N, fits: bool) -> Option<Error<Test>> {
	if value < least {
		Some(Error::BelowLeast)
	} else if value > most {
		Some(Error::AboveMost)
	} else {
		(!fits).then_some(Error::Contradicts)
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn what_was_voted_is_in_force_from_the_next_epoch_on_and_not_before(
		ops in prop::collection::vec(op(), 1..60)
	) {
		build().execute_with(|| {
			let (mut wanted, mut forced) = (voted(), in_force());
			for op in ops {
				let (fee_now, len_now, window_now) = wanted;
				let (parameter, error, next) = match op {
					Op::Epoch => {
						next_epoch();
						forced = wanted;
						assert_eq!((voted(), in_force()), (wanted, forced));
						Governed::do_try_state().unwrap();
						continue;
					}
					Op::Fee(value) => (
						fee(value),
						verdict(value, 0, 100, true),
						(value, len_now, window_now),
					),
					Op::Len(value) => (
						len(value),
						verdict(value, 10, 1_000, window_now < value),
						(fee_now, value, window_now),
					),
					Op::Window(value) => (
						window(value),
						verdict(value, 1, 500, value < len_now),
						(fee_now, len_now, value),
					),
				};
				let call = crate::Call::<Test>::set { parameter };
				let done = call.dispatch_bypass_filter(RuntimeOrigin::root());
				match error {
					Some(error) => assert_eq!(done.unwrap_err().error, error.into()),
					None => {
						done.unwrap();
						wanted = next;
					}
				}
				assert_eq!((voted(), in_force()), (wanted, forced));
				Governed::do_try_state().unwrap();
			}
		});
	}
}
