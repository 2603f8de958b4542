//! Deals whose term or escrow is used up.

use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};

#[test]
fn the_owner_stops_a_deal_whose_escrow_cannot_pay_the_next_epoch_for_nothing() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 2);
		let stop = |who| Market::stop(RuntimeOrigin::signed(who), deal);
		// Two epochs from epoch 6 on are paid: 6 and 7.
		assert_eq!(Market::assignments(peer)[0].paid_until, 7);
		at(7, 0);
		// Others have to leave it the time of its grace.
		assert_noop!(stop(STRANGER), Error::<Test>::NotOwner);
		assert_ok!(stop(CLIENT));
		System::assert_last_event(
			Event::<Test>::DealStopped {
				deal,
				last: 7,
				early: false,
			}
			.into(),
		);
		report_and_settle(peer, 6, &[deal]);
		at_rest_of(8);
		report_and_settle(peer, 7, &[deal]);
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		// The closing deposit comes back whole.
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 2_000);
	});
}

#[test]
fn unserved_epochs_prolong_a_deal_and_a_top_up_does() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 2);
		let paid_until = || Market::assignments(peer)[0].paid_until;
		at_rest_of(7);
		// Epoch 6 is closed and nothing of it was paid.
		assert_eq!(paid_until(), 8);
		assert_ok!(Market::top_up(RuntimeOrigin::signed(STRANGER), deal, 1_999));
		assert_eq!(paid_until(), 9);
		assert_noop!(
			Market::stop(RuntimeOrigin::signed(STRANGER), deal),
			Error::<Test>::NotOwner
		);
	});
}

#[test]
fn a_deal_is_over_with_its_term() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let mut spec = spec(1, 10);
		spec.term_epochs = Some(2);
		let deal = create(spec, 100);
		run_matcher();
		go_live(peer, deal);
		at(6, 0);
		assert_noop!(
			Market::stop(RuntimeOrigin::signed(STRANGER), deal),
			Error::<Test>::NotOwner
		);
		at(7, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(STRANGER), deal));
		at_rest_of(8);
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS);
	});
}

#[test]
fn a_deal_that_cannot_pay_takes_no_workers() {
	build_and_execute(|| {
		let (_, first) = live_deal(1, 1_000, 2);
		// A second worker is wanted only when the first has used the escrow up.
		let mut wanted = spec(2, 1_000);
		wanted.max_workers_per_provider = 1;
		let deal = create(wanted, 4_000);
		run_matcher();
		go_live(first, deal);
		for epoch in 6..10 {
			at_rest_of(epoch + 1);
			report_and_settle(first, epoch, &[deal]);
		}
		offer(2, PROVIDER + 1, 4, 1_000);
		run_matcher();
		assert_eq!(workers(deal), vec![first]);
		assert_ok!(Market::top_up(RuntimeOrigin::signed(CLIENT), deal, 9_000));
		run_matcher();
		assert_eq!(workers(deal).len(), 2);
	});
}

#[test]
fn a_deal_whose_term_ends_with_this_epoch_takes_nobody() {
	build_and_execute(|| {
		let mut wanted = spec(1, 10);
		wanted.term_epochs = Some(1);
		let deal = create(wanted, 100);
		at(6, 0);
		offer(1, PROVIDER, 1, 10);
		run_matcher();
		assert_eq!(workers(deal), vec![]);
		assert_ok!(Market::stop(RuntimeOrigin::signed(STRANGER), deal));
	});
}

#[test]
fn assigned_workers_and_open_dues_count_against_the_escrow() {
	build_and_execute(|| {
		let first = offer(1, PROVIDER, 1, 10);
		let deal = create(spec(3, 10), 60);
		run_matcher();
		go_live(first, deal);
		for epoch in 6..9 {
			at_rest_of(epoch + 1);
			report_and_settle(first, epoch, &[deal]);
		}
		offer(2, PROVIDER + 1, 1, 10);
		offer(3, PROVIDER + 2, 1, 10);
		let top_up = |amount| {
			assert_ok!(Market::top_up(RuntimeOrigin::signed(CLIENT), deal, amount));
			run_matcher();
			workers(deal).len()
		};
		// 30 are left. Epoch 9 is open, epoch 8 might not be settled, and in epoch 10 the first
		// worker and another are to be paid: 40.
		run_matcher();
		assert_eq!(workers(deal), vec![first]);
		assert_eq!(top_up(9), 1);
		assert_eq!(top_up(1), 2);
		// The one that is assigned will be owed 10 of them.
		assert_eq!(top_up(9), 2);
		assert_eq!(top_up(1), 3);
	});
}

#[test]
fn a_worker_costs_nothing_for_the_epochs_before_its_first() {
	build_and_execute(|| {
		let cheap = offer(1, PROVIDER, 1, 2);
		let deal = create(spec(2, 1_000), 4_000);
		run_matcher();
		go_live(cheap, deal);
		at(8, 0);
		let dear = offer(2, PROVIDER + 1, 1, 1_000);
		run_matcher();
		go_live(dear, deal);
		// Epochs 7 and 8 are open at 2 each; of 3,996 three more at 1,002 are paid.
		assert_eq!(Market::assignments(dear)[0].paid_until, 11);
		assert_noop!(
			Market::stop(RuntimeOrigin::signed(STRANGER), deal),
			Error::<Test>::NotOwner
		);
	});
}
