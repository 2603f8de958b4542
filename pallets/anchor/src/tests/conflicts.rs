//! Voters that sign two accumulators for one number.

use crate::{mock::*, refusal, Conflict, Error, Event};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use millrace_primitives::{anchor::Vote, H256};

fn lie() -> H256 {
	H256::repeat_byte(9)
}

fn conflict(session: u32) -> Conflict {
	Conflict {
		session,
		round: 0,
		nonce: 1,
		voters: 4,
	}
}

#[test]
fn a_second_accumulator_on_chain_is_punished_at_once_and_once() {
	build_and_execute(|| {
		deposit(BOB, 1);
		assert_ok!(cast(0, vote_on(1, acc(1))));
		assert_ok!(cast(0, vote_on(1, lie())));
		assert_eq!(Punished::get(), [(account_of_seat(1), conflict(5), None)]);
		assert!(events().contains(&Event::VotesConflicted {
			who: account_of_seat(1),
			nonce: 1
		}));
		let third = vote_on(1, H256::repeat_byte(8));
		assert_eq!(cast(0, third), Err(refusal::ALREADY_VOTED));
		assert_eq!(cast(0, vote_on(1, lie())), Err(refusal::ALREADY_VOTED));
		// What it said first counts still, as a quorum bears so many.
		for voter in [1, 2] {
			assert_ok!(cast(voter, vote_on(1, acc(1))));
		}
		assert_eq!(Anchor::status().attested.len(), 1);
	});
}

#[test]
fn a_conflict_is_reported_by_the_votes_themselves() {
	build_and_execute(|| {
		let first = sign(2, vote_on(1, acc(1)));
		let second = sign(
			2,
			Vote {
				epoch: 7,
				..vote_on(1, lie())
			},
		);
		let report = || Anchor::report_conflict(signed(BOB), key(2), first, second, 5);
		let paid = report().unwrap().pays_fee;
		assert_eq!(paid, Pays::No);
		assert_eq!(
			Punished::get(),
			[(account_of_seat(2), conflict(5), Some(BOB))]
		);
		assert_noop!(report(), Error::<Test>::KnownConflict);
	});
}

#[test]
fn a_conflict_over_sessions_is_of_the_later_one() {
	build_and_execute(|| {
		let before = sign(
			2,
			Vote {
				session: 3,
				..vote_on(1, acc(1))
			},
		);
		let after = sign(2, vote_on(1, lie()));
		let of = |proof| Anchor::report_conflict(signed(BOB), key(2), before, after, proof);
		assert_noop!(of(3), Error::<Test>::NoVoter);
		assert_ok!(of(5));
		assert_eq!(Punished::get()[0].1, conflict(5));
	});
}

#[test]
fn what_is_no_conflict_is_refused() {
	build_and_execute(|| {
		let honest = vote_on(1, acc(1));
		let report = |first, second| Anchor::report_conflict(signed(BOB), key(2), first, second, 5);
		let no_conflict = [
			Vote { epoch: 2, ..honest },
			Vote {
				session: 4,
				..honest
			},
			Vote {
				nonce: 2,
				acc: lie(),
				..honest
			},
			Vote {
				round: 1,
				acc: lie(),
				..honest
			},
		];
		for vote in no_conflict {
			assert_noop!(
				report(sign(2, honest), sign(2, vote)),
				Error::<Test>::NoConflict
			);
		}
		let false_vote = Vote {
			acc: lie(),
			..honest
		};
		assert_noop!(
			report(sign(2, honest), sign(3, false_vote)),
			Error::<Test>::BadSignature
		);
		assert_noop!(
			report(sign(3, honest), sign(3, false_vote)),
			Error::<Test>::BadSignature
		);
		let stranger =
			Anchor::report_conflict(signed(BOB), key(9), sign(9, honest), sign(9, false_vote), 5);
		assert_noop!(stranger, Error::<Test>::NoVoter);
		assert!(Punished::get().is_empty());
	});
}

#[test]
fn a_pause_saves_nobody() {
	build_and_execute(|| {
		assert_ok!(Anchor::pause(RuntimeOrigin::root(), 10));
		let (first, second) = (sign(2, vote_on(1, acc(1))), sign(2, vote_on(1, lie())));
		assert_ok!(Anchor::report_conflict(
			signed(BOB),
			key(2),
			first,
			second,
			5
		));
	});
}
