//! Deals whose term or escrow is used up.

use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};

#[test]
fn anybody_stops_a_deal_whose_escrow_cannot_pay_the_next_epoch() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 2);
		let stop = || Market::stop(RuntimeOrigin::signed(STRANGER), deal);
		// Two epochs from epoch 6 on are paid: 6 and 7.
		assert_eq!(Market::assignments(peer)[0].paid_until, 7);
		at(6, 19);
		assert_noop!(stop(), Error::<Test>::NotOwner);
		at(7, 0);
		assert_ok!(stop());
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
