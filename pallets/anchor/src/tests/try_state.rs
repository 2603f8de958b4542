//! Each broken invariant is seen.

use crate::{
	mock::*, Attested, Counted, Flows, Forced, ForcedQueue, Ledger, NextNonce, Parked, Sent, Votes,
};
use frame_support::traits::{
	fungible::MutateHold,
	tokens::{Fortitude, Precision},
};

/// A chain with something of everything is sound; then something breaks.
fn broken(by: impl FnOnce(), says: &'static str) {
	new_test_ext().execute_with(|| {
		lock(10_000);
		next_block();
		lock(500);
		lock(600);
		deposit(77, 1);
		deposit(BOB, 100);
		force(50, vec![1]);
		attest(3);
		deliver(3).unwrap();
		deposit(BOB, 1);
		deposit(BOB, 1);
		attest(4);
		cast(0, vote_on(5, acc(5))).unwrap();
		Anchor::do_try_state().unwrap();
		by();
		let error = Anchor::do_try_state().unwrap_err();
		assert_eq!(error, says.into());
	});
}

#[test]
fn locked_flt_is_on_hold_in_the_pot() {
	let says = "the pot does not hold what is locked";
	broken(
		|| {
			let reason = crate::HoldReason::Locked.into();
			let pot = Anchor::pot();
			Balances::burn_held(&reason, &pot, 1, Precision::Exact, Fortitude::Force).unwrap();
		},
		says,
	);
	broken(|| Ledger::<Test>::mutate(|locked| locked.there += 1), says);
}

#[test]
fn what_has_arrived_is_what_waits() {
	let says = "what has arrived is not what waits";
	broken(|| Parked::<Test>::remove(0), says);
	broken(
		|| {
			Ledger::<Test>::mutate(|locked| {
				locked.there -= 1;
				locked.parked += 1;
			})
		},
		says,
	);
}

#[test]
fn messages_are_kept_in_their_places() {
	broken(
		|| Sent::<Test>::remove(1),
		"more is locked than was ever sent",
	);
	broken(
		|| NextNonce::<Test>::put(4),
		"as many messages are kept as numbers were given",
	);
	broken(
		|| Sent::<Test>::mutate(2, |sent| sent.as_mut().unwrap().index = 0),
		"a message is not at its place in its block",
	);
}

#[test]
fn votes_and_attested_places_are_ahead() {
	broken(
		|| Attested::<Test>::mutate(|places| places[0].mark.nonce = 3),
		"attested places do not ascend, or reach too far",
	);
	broken(
		|| {
			let tally = Votes::<Test>::take(5).unwrap();
			Votes::<Test>::insert(4, tally);
		},
		"votes on a number that is not voted on",
	);
	broken(
		|| {
			Votes::<Test>::mutate(5, |tally| {
				let votes = &mut tally.as_mut().unwrap().votes;
				let twice = votes[0];
				votes.try_push(twice).unwrap();
			})
		},
		"no votes, or two of one voter",
	);
}

#[test]
fn what_waits_is_known_once() {
	broken(
		|| ForcedQueue::<Test>::kill(),
		"the queue and its messages do not agree",
	);
	broken(
		|| {
			let message = Forced::<Test>::get(2).unwrap();
			Forced::<Test>::remove(2);
			Forced::<Test>::insert(9, message);
		},
		"the queue and its messages do not agree",
	);
	broken(
		|| Counted::<Test>::remove(0),
		"a deposit waits that has not counted",
	);
}

#[test]
fn there_is_a_contract_and_no_flow_to_come() {
	broken(
		|| crate::Anchor::<Test>::kill(),
		"messages without a contract",
	);
	broken(
		|| Flows::<Test>::mutate(|flow| flow.epoch = 99),
		"flows of an epoch to come",
	);
}
