//! Messages from the anchor: what is delivered, and what is not.

use crate::{mock::*, refusal, Event, Forced, Parked, Taken, FORCED_PER_BLOCK, MAX_FORCED};
use frame_support::assert_ok;
use millrace_primitives::anchor::{
	messages::{Incoming, Unreadable},
	AnchorId, InboxMark,
};

#[test]
fn a_deposit_that_is_attested_is_paid() {
	build_and_execute(|| {
		lock(1_000);
		let issuance = Balances::total_issuance();
		deposit(BOB, 400);
		deposit(77, 600);
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT + 400);
		assert_eq!(free(77), 600, "an account that was not there");
		assert_eq!(Balances::total_issuance(), issuance);
		let status = Anchor::status();
		assert_eq!((status.there, status.parked), (0, 0));
		assert_eq!(status.taken, mark());
		assert_eq!(status.allowances.released, 1_000);
		assert!(status.attested.is_empty());
		assert!(events().contains(&Event::Delivered { first: 0, count: 2 }));
		assert!(events().contains(&Event::DepositReleased {
			nonce: 0,
			recipient: BOB,
			amount: 400
		}));
	});
}

#[test]
fn what_is_not_attested_is_not_delivered() {
	build_and_execute(|| {
		lock(1_000);
		deposit(BOB, 100);
		deposit(BOB, 200);
		assert_eq!(deliver(1), Err(refusal::NOT_ATTESTED));
		attest(2);
		assert_eq!(deliver(1), Err(refusal::NOT_ATTESTED), "no place is there");
		assert_eq!(deliver_these(vec![]), Err(refusal::NOT_ATTESTED));
		let [first, second] = [0, 1].map(|nonce: usize| Inbox::get()[nonce].clone());
		let swapped = vec![second.clone(), first.clone()];
		assert_eq!(deliver_these(swapped), Err(refusal::NOT_ATTESTED));
		let mut altered = second.clone();
		altered[136] ^= 1;
		assert_eq!(
			deliver_these(vec![first.clone(), altered]),
			Err(refusal::NOT_ATTESTED)
		);
		assert_ok!(deliver_these(vec![first.clone(), second.clone()]));
		assert_eq!(
			deliver_these(vec![first, second]),
			Err(refusal::NOT_ATTESTED),
			"each once"
		);
		assert_eq!(free(BOB), ENDOWMENT + 300);
	});
}

#[test]
fn a_part_can_be_delivered_up_to_any_attested_place() {
	build_and_execute(|| {
		lock(1_000);
		for amount in [100, 200, 300] {
			deposit(BOB, amount);
		}
		attest(1);
		attest(3);
		assert_eq!(deliver(2), Err(refusal::NOT_ATTESTED));
		assert_ok!(deliver(1));
		assert_eq!(free(BOB), ENDOWMENT + 100);
		assert_eq!(Anchor::status().attested.len(), 1);
		assert_ok!(deliver(2));
		assert_eq!(free(BOB), ENDOWMENT + 600);
	});
}

#[test]
fn both_places_at_once_are_as_good() {
	build_and_execute(|| {
		lock(1_000);
		deposit(BOB, 100);
		deposit(BOB, 200);
		attest(1);
		attest(2);
		assert_ok!(deliver(2));
		assert!(Anchor::status().attested.is_empty());
		assert_eq!(Anchor::status().taken.nonce, 2);
	});
}

#[test]
fn odd_messages_are_skipped_and_those_behind_go_on() {
	build_and_execute(|| {
		lock(1_000);
		let good = |nonce, anchor: &AnchorId| {
			Incoming::Deposit {
				sender: EVE,
				recipient: bytes_of(BOB),
				amount: 100,
			}
			.bytes(
				<MockClock as millrace_primitives::traits::EpochClock>::genesis(),
				anchor,
				nonce,
			)
		};
		let elsewhere = AnchorId {
			chain_id: 1,
			..ANCHOR
		};
		enqueue_bytes(good(0, &elsewhere));
		enqueue_bytes(good(9, &ANCHOR));
		enqueue_bytes(vec![]);
		let mut unknown = good(3, &ANCHOR);
		unknown[0] = 0x55;
		enqueue_bytes(unknown);
		deposit(BOB, 500);
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT + 500);
		let skipped: Vec<_> = events()
			.into_iter()
			.filter_map(|event| match event {
				Event::MessageSkipped { nonce, reason } => Some((nonce, reason)),
				_ => None,
			})
			.collect();
		assert_eq!(
			skipped,
			[
				(0, Some(Unreadable::Header)),
				(1, Some(Unreadable::Nonce)),
				(2, Some(Unreadable::Length)),
				(3, Some(Unreadable::Kind)),
			]
		);
	});
}

#[test]
fn more_than_can_be_there_stops_everything() {
	build_and_execute(|| {
		lock(1_000);
		deposit(BOB, 300);
		deposit(BOB, 701);
		deposit(BOB, 100);
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT + 300);
		assert!(events().contains(&Event::Unbacked {
			nonce: 1,
			amount: 701,
			there: 700
		}));
		// What is behind it has arrived, and is not paid before somebody has looked.
		assert_eq!(Parked::<Test>::get(2).unwrap().amount, 100);
		let status = Anchor::status();
		assert_eq!((status.there, status.parked), (600, 100));
		assert_eq!(status.paused_until, Some(51));
		blocks(51);
		assert_eq!(Anchor::status().paused_until, None);
		assert_ok!(Anchor::release(signed(ALICE), 2));
		assert_eq!(free(BOB), ENDOWMENT + 400);
	});
}

#[test]
fn late_messages_are_seen_to_be_late() {
	build_and_execute(|| {
		lock(1_000);
		deposit(BOB, 100);
		attest(1);
		blocks(10);
		assert_eq!(Anchor::status().overdue_since, None);
		next_block();
		assert_eq!(Anchor::status().overdue_since, Some(12));
		blocks(3);
		let told = events()
			.iter()
			.filter(|event| matches!(event, Event::InboxOverdue { .. }))
			.count();
		assert_eq!(told, 1);
		assert_ok!(deliver(1));
		assert_eq!(Anchor::status().overdue_since, None);
		assert!(events().contains(&Event::InboxCaughtUp { since: 12 }));
	});
}

#[test]
fn a_full_queue_lets_batches_wait_until_it_has_room() {
	build_and_execute(|| {
		lock(1_000);
		for _ in 0..2 {
			for _ in 0..crate::MAX_BATCH {
				force(0, vec![1]);
			}
			bring_all();
		}
		assert_eq!(Anchor::status().forced, MAX_FORCED);
		force(0, vec![1]);
		deposit(BOB, 100);
		attest(mark().nonce);
		assert_eq!(deliver(2), Err(refusal::QUEUE_FULL));
		next_block();
		assert_eq!(Anchor::status().forced, MAX_FORCED - FORCED_PER_BLOCK);
		assert_ok!(deliver(2));
		assert_eq!(free(BOB), ENDOWMENT + 100);
		blocks(MAX_FORCED / FORCED_PER_BLOCK);
		assert_eq!(Forced::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_number_counts_once_even_if_the_inbox_is_set_back() {
	build_and_execute(|| {
		lock(1_000);
		deposit(BOB, 100);
		force(50, vec![1]);
		bring_all();
		assert_ok!(Anchor::set_inbox(
			RuntimeOrigin::root(),
			InboxMark::default()
		));
		assert_eq!(Taken::<Test>::get(), InboxMark::default());
		deposit(BOB, 200);
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT + 300);
		let skipped = events()
			.iter()
			.filter(|event| matches!(event, Event::MessageSkipped { reason: None, .. }))
			.count();
		assert_eq!(skipped, 2);
		assert_eq!(Anchor::status().forced, 1);
	});
}

#[test]
fn without_a_contract_nothing_is_delivered() {
	build_and_execute(|| {
		crate::Anchor::<Test>::kill();
		assert_eq!(deliver_these(vec![vec![1]]), Err(refusal::NO_ANCHOR));
	});
}
