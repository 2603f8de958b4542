//! What the check of the invariants sees.

use crate::{mock::*, Params, Waiting};
use frame_support::{
	assert_ok, storage::with_transaction, traits::dynamic_params::AggregatedKeyValue,
};
use sp_runtime::{DispatchError, TransactionOutcome};

/// Breaks something, looks at what is seen of it, and mends it.
fn is_seen(message: &'static str, breaks: impl FnOnce()) {
	assert_ok!(Governed::do_try_state());
	let undone = with_transaction(|| -> TransactionOutcome<Result<(), DispatchError>> {
		breaks();
		assert_eq!(Governed::do_try_state(), Err(message.into()));
		TransactionOutcome::Rollback(Ok(()))
	});
	assert_ok!(undone);
	assert_ok!(Governed::do_try_state());
}

/// Writes a voted value, past all checks.
fn write(parameter: RuntimeParameters) {
	let (key, value) = parameter.into_parts();
	pallet_parameters::Parameters::<Test>::set(key, value);
}

#[test]
fn broken_state_is_seen() {
	build_and_execute(|| {
		is_seen("a group waits that is none", || Waiting::<Test>::put(4));
		is_seen("a voted value lies out of its bounds", || write(fee(101)));
		is_seen("voted values do not fit each other", || write(window(20)));
		let stuck = "what was voted is not in force, and does not wait";
		is_seen(stuck, || write(window(7)));
		is_seen(stuck, || Params::<Test>::put(11u128));
	});
}
