//! Stopping and closing a deal, and what is left of it: nothing.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	market::DealStatus,
	traits::{PeerUse, WorkInspector, WorkLedger},
	DealId,
};

fn stop(who: u64, deal: DealId) -> frame_support::dispatch::DispatchResultWithPostInfo {
	Market::stop(RuntimeOrigin::signed(who), deal)
}

fn close(deal: DealId) -> frame_support::dispatch::DispatchResultWithPostInfo {
	Market::close(RuntimeOrigin::signed(STRANGER), deal)
}

#[test]
fn an_early_stop_costs_one_epoch_of_the_closing_deposit() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		assert_noop!(close(deal), Error::<Test>::DealActive);
		assert_noop!(stop(STRANGER, deal), Error::<Test>::NotOwner);
		assert_noop!(stop(CLIENT, deal + 1), Error::<Test>::UnknownDeal);
		assert_ok!(stop(CLIENT, deal));
		assert_noop!(stop(CLIENT, deal), Error::<Test>::DealEnding);
		let row = Market::deal_of(deal).expect("it stands");
		assert_eq!(
			(row.status, row.early),
			(DealStatus::Ending { last: 7 }, true)
		);
		assert!(Market::is_worker(peer, deal, 7));
		assert!(!Market::is_worker(peer, deal, 8));

		assert_noop!(close(deal), Error::<Test>::LastEpochOpen);
		at(9, 0);
		report_and_settle(peer, 7, &[deal]);
		assert_ok!(close(deal));
		// Epochs 6 and 7 and the closing epoch: 3 × 1,000, of which 2 % burn.
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 3_000);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT + 2_940
		);
		assert_noop!(close(deal), Error::<Test>::UnknownDeal);
		assert_eq!(Market::call_terms(deal), None);
	});
}

#[test]
fn epochs_after_the_last_are_not_paid() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at(6, 0);
		assert_ok!(stop(CLIENT, deal));
		for epoch in 6..9 {
			report_and_settle(peer, epoch, &[deal]);
		}
		assert_eq!(Market::deal_of(deal).expect("it stands").escrow, 8_000);
	});
}

#[test]
fn workers_that_never_served_leave_at_the_stop() {
	build_and_execute(|| {
		let live = offer(1, PROVIDER, 1, 10);
		let assigned = offer(2, PROVIDER, 1, 10);
		let deal = create(spec(2, 10), 40);
		run_matcher();
		go_live(live, deal);
		// Both were matched in this epoch: no epoch of theirs was paid for.
		assert_ok!(stop(CLIENT, deal));
		assert_eq!(workers(deal), vec![]);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		assert_eq!(Market::busy_units(live, 6), 0);
		assert!(Market::in_use(assigned));
		assert_ok!(close(deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS);
	});
}

#[test]
fn the_units_of_a_stopped_deal_are_free_for_the_next_epoch() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 10);
		let first = create(spec(1, 10), 90);
		let second = create(spec(1, 10), 90);
		run_matcher();
		go_live(peer, first);
		assert_eq!(workers(second), vec![]);
		at(6, 3);
		assert_ok!(stop(CLIENT, first));
		run_matcher();
		go_live(peer, second);
		// The first deal until the end of epoch 6, the second from epoch 7 on.
		assert_eq!(
			(Market::busy_units(peer, 6), Market::busy_units(peer, 7)),
			(1, 1)
		);
		assert!(Market::is_worker(peer, first, 6) && !Market::is_worker(peer, first, 7));
		assert!(!Market::is_worker(peer, second, 6) && Market::is_worker(peer, second, 7));
	});
}

#[test]
fn closing_settles_a_few_workers_and_names_it_when_they_are_many() {
	build_and_execute(|| {
		let count = 5u8;
		let peers: Vec<_> = (0..count)
			.map(|index| offer(index, PROVIDER, 1, 10))
			.collect();
		let deal = create(spec(5, 10), 1_000);
		run_matcher();
		peers.iter().for_each(|peer| go_live(*peer, deal));
		at(6, 0);
		assert_ok!(stop(CLIENT, deal));
		at_rest_of(7);
		for peer in &peers {
			report(*peer, 6, &[deal]);
			leave_unsettled(*peer, 6);
		}
		assert_noop!(close(deal), Error::<Test>::WorkersNotSettled);
		use millrace_primitives::traits::Capacity;
		MockCapacity::settle(peers[0]);
		assert_ok!(close(deal));
		// Epoch 6 and the closing epoch of five workers at 10, the burn of each rounded up.
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 100);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - 5 * OFFER_DEPOSIT + 10 * 9
		);
	});
}

#[test]
fn nothing_is_left_when_everything_is_gone() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		let other = offer(2, PROVIDER + 1, 1, 10);
		at(7, 0);
		assert_ok!(stop(CLIENT, deal));
		at_rest_of(8);
		report_and_settle(peer, 7, &[deal]);
		assert_ok!(close(deal));
		assert_ok!(Market::withdraw_offer(
			RuntimeOrigin::signed(PROVIDER),
			peer
		));
		assert_ok!(Market::withdraw_offer(
			RuntimeOrigin::signed(PROVIDER + 1),
			other
		));
		run_matcher();
		// What was at work is remembered until no report can ask for it.
		at(10, 0);
		Market::on_settled(peer, 8, false);
		assert!(!Market::in_use(peer));

		assert_eq!(Offers::<Test>::iter().count(), 0);
		assert_eq!(Book::<Test>::iter().count(), 0);
		assert_eq!(KnownRegions::<Test>::iter().count(), 0);
		assert_eq!(Deals::<Test>::iter().count(), 0);
		assert_eq!(Specs::<Test>::iter().count(), 0);
		assert_eq!(DealsOf::<Test>::iter().count(), 0);
		assert_eq!(Workers::<Test>::iter().count(), 0);
		assert_eq!(Seats::<Test>::iter().count(), 0);
		assert_eq!(PeerDeals::<Test>::iter().count(), 0);
		assert_eq!(Loads::<Test>::iter().count(), 0);
		assert_eq!(Exclusions::<Test>::iter().count(), 0);
		assert_eq!(Unfilled::<Test>::iter().count(), 0);
		assert_eq!(Reported::<Test>::iter().count(), 0);
		assert_eq!(Cursor::<Test>::get(), None);
		for account in [CLIENT, PROVIDER, PROVIDER + 1] {
			assert_eq!(Balances::reserved_balance(account), 0);
		}
	});
}
