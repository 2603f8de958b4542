//! What the check of the invariants sees.

use crate::{
	mock::*, Authored, Banned, Candidates, Planned, Records, Seats, SessionStarts, Standing,
	Written,
};
use frame_support::{assert_ok, storage::with_transaction};
use sp_runtime::{DispatchError, TransactionOutcome};

/// Breaks something, looks at what is seen of it, and mends it.
fn is_seen(message: &'static str, breaks: impl FnOnce()) {
	assert_ok!(Validators::do_try_state());
	let undone = with_transaction(|| -> TransactionOutcome<Result<(), DispatchError>> {
		breaks();
		assert_eq!(Validators::do_try_state(), Err(message.into()));
		TransactionOutcome::Rollback(Ok(()))
	});
	assert_ok!(undone);
	assert_ok!(Validators::do_try_state());
}

#[test]
fn broken_state_is_seen() {
	ExtBuilder::default().build_and_execute(|| {
		stand(1, 30);
		stand(2, 20);
		Validators::on_equivocation(&3, sp_runtime::Perbill::from_percent(1), 0);
		is_seen("the list of candidates is not sorted", || {
			Candidates::<Test>::mutate(|list| list.sort_by_key(|row| row.who == 1));
		});
		is_seen("a candidate's stake is not its active stake", || {
			Candidates::<Test>::mutate(|list| list.iter_mut().for_each(|row| row.stake = 20));
		});
		is_seen("a candidate that is not known to stand", || {
			Standing::<Test>::remove(2);
		});
		is_seen("an account stands that is on no list", || {
			Standing::<Test>::insert(3, ());
		});
		is_seen("a candidate that is banned", || {
			Banned::<Test>::insert(1, 1);
		});
		is_seen("nobody has a seat", || {
			Planned::<Test>::put((1u32, Seats::<u64>::default()));
		});
		is_seen("an account has two seats", || {
			Planned::<Test>::put((1u32, Seats::truncate_from(vec![1u64, 2, 1])));
		});
		is_seen("a session is planned too early", || {
			Planned::<Test>::mutate(|planned| {
				if let Some((session, _)) = planned {
					*session += 1;
				}
			});
		});
		is_seen("more blocks have an author than were written", || {
			Authored::<Test>::insert(1, 2);
			Written::<Test>::put(1);
		});
		is_seen("a serial number that was not given yet", || {
			Records::<Test>::mutate(3, |record| {
				if let Some(record) = record {
					record.next = 0;
				}
			});
		});
		is_seen("a session's start stands in another's slot", || {
			SessionStarts::<Test>::insert(3, (2, 0));
		});
	});
}
