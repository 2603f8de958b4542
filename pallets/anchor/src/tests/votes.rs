//! Votes on what the contract's inbox holds.

use crate::{mock::*, refusal, Attested, Call, Event, Votes, MAX_BATCH};
use frame_support::{assert_ok, traits::Authorize};
use millrace_primitives::{
	anchor::{Attestation, InboxMark, SignedVote, Vote},
	H256,
};
use sp_runtime::transaction_validity::TransactionSource;

fn fill(messages: u64) {
	for _ in 0..messages {
		deposit(BOB, 1);
	}
}

#[test]
fn a_quorum_attests() {
	build_and_execute(|| {
		fill(2);
		let epochs = [40, 10, 30];
		for (voter, epoch) in (0..).zip(epochs) {
			assert!(Attested::<Test>::get().is_empty());
			let vote = Vote {
				epoch,
				..vote_on(2, acc(2))
			};
			assert_ok!(cast(voter, vote));
		}
		let attested = Attestation {
			mark: InboxMark {
				nonce: 2,
				acc: acc(2),
			},
			// The second of three: one of them may lie.
			epoch: 30,
			block: 1,
		};
		assert_eq!(Anchor::status().attested, [attested]);
		assert_eq!(Votes::<Test>::iter().count(), 0);
		assert!(events().contains(&Event::InboxAttested {
			nonce: 2,
			acc: acc(2),
			epoch: 30
		}));
		assert_eq!(cast(3, vote_on(2, acc(2))), Err(refusal::NOT_VOTABLE));
	});
}

#[test]
fn votes_on_different_accumulators_do_not_add_up() {
	build_and_execute(|| {
		fill(1);
		assert_ok!(cast(0, vote_on(1, acc(1))));
		assert_ok!(cast(1, vote_on(1, H256::repeat_byte(9))));
		assert_ok!(cast(2, vote_on(1, acc(1))));
		assert!(Attested::<Test>::get().is_empty());
		assert_eq!(Anchor::tallies()[0].votes.len(), 3);
		assert_ok!(cast(3, vote_on(1, acc(1))));
		assert_eq!(Anchor::status().attested[0].mark.acc, acc(1));
		assert!(Punished::get().is_empty(), "nobody has signed two");
	});
}

#[test]
fn voters_who_see_different_numbers_meet() {
	build_and_execute(|| {
		fill(7);
		for (voter, nonce) in (0..).zip([5, 7, 6, 3]) {
			assert_ok!(cast(voter, vote_on(nonce, acc(nonce))));
		}
		let open: Vec<_> = Anchor::tallies()
			.into_iter()
			.map(|tally| tally.nonce)
			.collect();
		assert_eq!(open, [3, 5, 6, 7]);
		// Whoever has seen more votes on what others have voted on.
		assert_ok!(cast(1, vote_on(5, acc(5))));
		assert_ok!(cast(2, vote_on(5, acc(5))));
		assert_eq!(Anchor::status().attested[0].mark.nonce, 5);
		let open: Vec<_> = Anchor::tallies()
			.into_iter()
			.map(|tally| tally.nonce)
			.collect();
		assert_eq!(open, [6, 7], "what is behind is forgotten");
		// They go on from there.
		for voter in [0, 2] {
			assert_ok!(cast(voter, vote_on(7, acc(7))));
		}
		assert_eq!(Anchor::status().attested.len(), 2);
		assert_eq!(Votes::<Test>::iter().count(), 0);
	});
}

#[test]
fn numbers_that_are_too_far_ahead_wait() {
	build_and_execute(|| {
		fill(u64::from(MAX_BATCH) + 1);
		let last = u64::from(MAX_BATCH);
		assert_eq!(Anchor::status().votable, last);
		assert_eq!(cast(0, vote_on(0, H256::zero())), Err(refusal::NOT_VOTABLE));
		assert_eq!(
			cast(0, vote_on(last + 1, acc(last + 1))),
			Err(refusal::NOT_VOTABLE)
		);
		assert_ok!(cast(0, vote_on(last, acc(last))));
	});
}

#[test]
fn only_a_voters_own_word_on_this_session_counts() {
	build_and_execute(|| {
		fill(1);
		let vote = vote_on(1, acc(1));
		assert_eq!(
			send_vote(1, sign(1, vote)),
			Err(refusal::BAD_SIGNATURE),
			"seed 1 has place 0"
		);
		assert_eq!(send_vote(9, sign(1, vote)), Err(refusal::NO_VOTER));
		let mut altered = sign(1, vote);
		altered.vote.epoch += 1;
		assert_eq!(send_vote(0, altered), Err(refusal::BAD_SIGNATURE));
		let other_session = Vote { session: 4, ..vote };
		assert_eq!(cast(0, other_session), Err(refusal::OTHER_SESSION));
		let other_round = Vote { round: 1, ..vote };
		assert_eq!(cast(0, other_round), Err(refusal::OTHER_SESSION));
		crate::Anchor::<Test>::kill();
		assert_eq!(cast(0, vote), Err(refusal::NO_ANCHOR));
	});
}

#[test]
fn a_vote_counts_once() {
	build_and_execute(|| {
		fill(1);
		let vote = vote_on(1, acc(1));
		assert_ok!(cast(0, vote));
		assert_eq!(cast(0, vote), Err(refusal::ALREADY_VOTED));
		let later = Vote {
			epoch: 2_000,
			..vote
		};
		assert_eq!(cast(0, later), Err(refusal::ALREADY_VOTED));
		assert_eq!(Anchor::tallies()[0].votes.len(), 1);
	});
}

#[test]
fn a_pool_has_one_place_for_what_a_voter_says_of_a_number() {
	build_and_execute(|| {
		fill(1);
		let place = |acc: H256| {
			let SignedVote { vote, signature } = sign(1, vote_on(1, acc));
			let call = Call::<Test>::vote {
				voter: 0,
				vote,
				signature,
			};
			let authorised = call.authorize(TransactionSource::External);
			let (valid, _) = authorised.expect("it is a duty").expect("it may enter");
			valid.provides
		};
		let [lie, another] = [9, 8].map(H256::repeat_byte);
		let first = place(acc(1));
		assert_eq!(place(lie), first);
		assert_ok!(cast(0, vote_on(1, acc(1))));
		// What contradicts the chain is wanted in a block, once.
		let second = place(lie);
		assert_ne!(second, first);
		assert_eq!(place(another), second);
	});
}

#[test]
fn a_new_session_votes_anew() {
	build_and_execute(|| {
		fill(1);
		for voter in [0, 1] {
			assert_ok!(cast(voter, vote_on(1, acc(1))));
		}
		CurrentSession::set(6);
		Seats::set(vec![4, 5, 6, 7]);
		assert!(Anchor::tallies().is_empty());
		for voter in [0, 1] {
			assert_ok!(cast(voter, vote_on(1, acc(1))));
		}
		assert!(Attested::<Test>::get().is_empty(), "two of the present set");
		assert_ok!(cast(2, vote_on(1, acc(1))));
		assert_eq!(Anchor::status().attested[0].mark.nonce, 1);
	});
}

#[test]
fn one_voter_alone_decides_and_none_decides_nothing() {
	build_and_execute(|| {
		fill(1);
		Seats::set(Vec::new());
		assert_eq!(
			send_vote(0, sign(1, vote_on(1, acc(1)))),
			Err(refusal::NO_VOTER)
		);
		assert_eq!(Anchor::status().quorum, 0);
		Seats::set(vec![1]);
		assert_ok!(cast(0, vote_on(1, acc(1))));
		assert_eq!(Anchor::status().attested.len(), 1);
	});
}
