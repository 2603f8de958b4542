//! Pauses, and what governance sets.

use crate::{mock::*, refusal, AnchorParams, Error, Event, Votes};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	anchor::{messages::MessageData, AnchorId, InboxMark, H160},
	governance::Contradiction,
};
use sp_runtime::DispatchError::BadOrigin;

#[test]
fn a_pause_stops_both_directions_and_ends_by_itself() {
	build_and_execute(|| {
		lock(1_000);
		deposit(77, 1);
		bring_all();
		deposit(BOB, 100);
		deposit(BOB, 100);
		attest(2);
		assert_ok!(Anchor::pause(RuntimeOrigin::root(), 5));
		assert_eq!(Anchor::status().paused_until, Some(6));
		blocks(5);
		assert_noop!(
			Anchor::withdraw(signed(ALICE), EVE, 1_000),
			Error::<Test>::Paused
		);
		assert_noop!(
			Anchor::send(signed(ALICE), EVE, MessageData::default()),
			Error::<Test>::Paused
		);
		assert_noop!(Anchor::release(signed(ALICE), 0), Error::<Test>::Paused);
		assert_eq!(cast(0, vote_on(3, acc(3))), Err(refusal::PAUSED));
		assert_eq!(deliver(1), Err(refusal::PAUSED));
		next_block();
		assert_eq!(Anchor::status().paused_until, None);
		assert_ok!(deliver(1));
		assert_ok!(cast(0, vote_on(3, acc(3))));
		assert_ok!(Anchor::withdraw(signed(ALICE), EVE, 1_000));
	});
}

#[test]
fn what_is_late_in_a_pause_is_not_held_against_anybody() {
	build_and_execute(|| {
		lock(1_000);
		deposit(BOB, 100);
		attest(1);
		assert_ok!(Anchor::pause(RuntimeOrigin::root(), 50));
		blocks(50);
		assert_eq!(Anchor::status().overdue_since, None);
		assert_ok!(Anchor::resume(RuntimeOrigin::root()));
		assert_ok!(deliver(1));
	});
}

#[test]
fn pauses_are_bounded_and_for_those_who_may() {
	build_and_execute(|| {
		assert_noop!(Anchor::pause(signed(ALICE), 1), BadOrigin);
		assert_noop!(Anchor::resume(signed(ALICE)), BadOrigin);
		assert_noop!(
			Anchor::resume(RuntimeOrigin::root()),
			Error::<Test>::NotPaused
		);
		assert_noop!(
			Anchor::pause(RuntimeOrigin::root(), 51),
			Error::<Test>::PauseTooLong
		);
		assert_ok!(Anchor::pause(RuntimeOrigin::root(), 50));
		// A shorter one takes its place.
		assert_ok!(Anchor::pause(RuntimeOrigin::root(), 2));
		assert_eq!(Anchor::status().paused_until, Some(3));
		assert_ok!(Anchor::resume(RuntimeOrigin::root()));
		assert!(!Anchor::is_paused());
		assert_eq!(events().last(), Some(&Event::Resumed));
	});
}

#[test]
fn the_contract_is_fixed_as_soon_as_anything_went_through_it() {
	build_and_execute(|| {
		let other = AnchorId {
			contract: H160::repeat_byte(5),
			..ANCHOR
		};
		let set = |anchor| Anchor::set_anchor(RuntimeOrigin::root(), anchor);
		assert_noop!(Anchor::set_anchor(signed(ALICE), other), BadOrigin);
		let nowhere = AnchorId {
			contract: H160::zero(),
			..ANCHOR
		};
		assert_noop!(set(nowhere), Error::<Test>::ZeroAddress);
		deposit(BOB, 1);
		assert_ok!(cast(0, vote_on(1, acc(1))));
		assert_ok!(set(other));
		assert_eq!(Anchor::status().anchor, Some(other));
		assert_eq!(Votes::<Test>::iter().count(), 0);
		assert_ok!(set(ANCHOR));
		lock(1_000);
		assert_noop!(set(other), Error::<Test>::AnchorInUse);
	});
}

#[test]
fn a_contract_whose_inbox_is_attested_is_in_use() {
	build_and_execute(|| {
		deposit(BOB, 1);
		attest(1);
		assert_noop!(
			Anchor::set_anchor(RuntimeOrigin::root(), ANCHOR),
			Error::<Test>::AnchorInUse
		);
	});
}

#[test]
fn an_inbox_that_nobody_can_deliver_is_set_anew() {
	build_and_execute(|| {
		lock(1_000);
		deposit(BOB, 100);
		// The anchor takes back what was final, and what was attested is no more.
		let lost = millrace_primitives::H256::repeat_byte(9);
		for voter in 0..3 {
			assert_ok!(cast(voter, vote_on(1, lost)));
		}
		deposit(BOB, 200);
		assert_ok!(cast(3, vote_on(2, acc(2))));
		assert_eq!(deliver(1), Err(refusal::NOT_ATTESTED));
		blocks(20);
		assert!(Anchor::status().overdue_since.is_some());

		assert_noop!(
			Anchor::set_inbox(signed(ALICE), InboxMark::default()),
			BadOrigin
		);
		assert_ok!(Anchor::set_inbox(
			RuntimeOrigin::root(),
			InboxMark::default()
		));
		let status = Anchor::status();
		assert_eq!((status.round, status.overdue_since), (1, None));
		assert!(status.attested.is_empty());
		assert_eq!(Votes::<Test>::iter().count(), 0);
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT + 300);
		// What was said in another round is not held against anybody.
		assert!(Punished::get().is_empty());
	});
}

#[test]
fn an_inbox_can_be_set_on() {
	build_and_execute(|| {
		lock(1_000);
		deposit(BOB, 100);
		deposit(BOB, 200);
		let mark = InboxMark {
			nonce: 1,
			acc: acc(1),
		};
		assert_ok!(Anchor::set_inbox(RuntimeOrigin::root(), mark));
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT + 200);
	});
}

#[test]
fn parameters_that_contradict_each_other_are_refused() {
	build_and_execute(|| {
		let bad = [
			AnchorParams {
				min_withdrawal: 0,
				..params()
			},
			AnchorParams {
				withdraw_per_epoch: 99,
				..params()
			},
			AnchorParams {
				release_per_epoch: 0,
				..params()
			},
			AnchorParams {
				deliver_blocks: 0,
				..params()
			},
			AnchorParams {
				max_pause_blocks: 0,
				..params()
			},
			AnchorParams {
				deliver_blocks: u32::MAX,
				..params()
			},
		];
		for params in bad {
			assert_noop!(Anchor::apply_params(params), Contradiction);
		}
		let free_of_charge = AnchorParams {
			message_fee: 0,
			byte_fee: 0,
			..params()
		};
		assert_ok!(Anchor::apply_params(free_of_charge));
		let set = Event::ParamsSet {
			params: free_of_charge,
		};
		assert_eq!(events(), vec![set]);
		lock(1_000);
		assert_eq!(free(ALICE), ENDOWMENT - 1_000);
	});
}
