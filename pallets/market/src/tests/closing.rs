//! Stopping and closing a deal, and what is left of it: nothing.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	market::DealStatus,
	packages::NoTerms,
	traits::{Capacity, PeerUse, WorkInspector, WorkLedger},
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
		assert_eq!(call_terms(deal), Err(NoTerms::Unknown));
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
fn a_live_worker_that_never_served_is_paid_the_closing_epoch_at_the_stop() {
	build_and_execute(|| {
		let issued = Balances::total_issuance();
		let live = offer(1, PROVIDER, 1, 1_000);
		let assigned = offer(2, PROVIDER + 1, 1, 1_001);
		let deal = create(spec(2, 1_001), 4_004);
		run_matcher();
		go_live(live, deal);
		// Both were matched in this epoch: no epoch of theirs is paid from the escrow.
		assert_ok!(stop(CLIENT, deal));
		System::assert_has_event(
			Event::<Test>::ClosingPaid {
				deal,
				peer: live,
				paid: 980,
				burnt: 20,
			}
			.into(),
		);
		assert_eq!(workers(deal), vec![]);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		assert_eq!(Market::busy_units(live, 6), 0);
		assert!(Market::in_use(assigned));
		assert_eq!(in_pot(), 4_004 + 2_002 - 1_000);

		assert_ok!(close(deal));
		System::assert_last_event(
			Event::<Test>::DealClosed {
				deal,
				paid: 980,
				burnt: 20,
				refunded: 5_006,
			}
			.into(),
		);
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 1_000);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT + 980
		);
		assert_eq!(
			Balances::free_balance(PROVIDER + 1),
			FUNDS - OFFER_DEPOSIT,
			"whoever was only assigned has kept nothing ready"
		);
		assert_eq!(Balances::total_issuance(), issued - 20);
	});
}

#[test]
fn what_a_stop_costs_does_not_depend_on_who_settled_before() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 2);
		at_rest_of(7);
		report(peer, 6, &[deal]);
		leave_unsettled(peer, 6);
		// Epoch 6 is owed 1,000 of the 2,000 although nobody has settled it, and epoch 7 the rest.
		assert_eq!(Market::assignments(peer)[0].paid_until, 7);
		let weight = stop(CLIENT, deal).expect("it stands").actual_weight;
		let expected = <() as WeightInfo>::stop(1) + <() as WeightInfo>::on_settled(1);
		assert_eq!(weight, Some(expected));
		let row = Market::deal_of(deal).expect("it stands");
		assert_eq!((row.escrow, row.paid, row.early), (1_000, 980, false));

		at_rest_of(8);
		report_and_settle(peer, 7, &[deal]);
		assert_ok!(close(deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 2_000);
	});
}

#[test]
fn a_stop_settles_a_few_workers_and_names_it_when_they_are_many() {
	build_and_execute(|| {
		let peers: Vec<_> = (0..5).map(|index| offer(index, PROVIDER, 1, 10)).collect();
		let deal = create(spec(5, 10), 1_000);
		run_matcher();
		peers.iter().for_each(|peer| go_live(*peer, deal));
		at_rest_of(7);
		peers.iter().for_each(|peer| leave_unsettled(*peer, 6));
		assert_noop!(stop(CLIENT, deal), Error::<Test>::WorkersNotSettled);
		MockCapacity::settle(peers[0]);
		// One that one step does not bring up to date is too many as well.
		leave_unsettled(peers[1], 7);
		assert_noop!(stop(CLIENT, deal), Error::<Test>::WorkersNotSettled);
		MockCapacity::settle(peers[1]);
		assert_ok!(stop(CLIENT, deal));
	});
}

#[test]
fn a_worker_that_a_stop_finds_to_be_over_is_paid_no_closing_epoch() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at_rest_of(7);
		leave_unsettled(peer, 6);
		end_with_settlement(peer);
		assert_ok!(stop(CLIENT, deal));
		assert_eq!(workers(deal), vec![]);
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
		// It serves the second one already in what is left of epoch 6.
		assert!(!Market::is_worker(peer, second, 5) && Market::is_worker(peer, second, 6));
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
		MockCapacity::settle(peers[0]);
		let weight = close(deal).expect("the rest is settled").actual_weight;
		// What the four settlements really took, not their bound.
		let settled = <() as WeightInfo>::on_settled(1).saturating_mul(4);
		assert_eq!(weight, Some(<() as WeightInfo>::close(5) + settled));
		// Epoch 6 and the closing epoch of five workers at 10, the burn of each rounded up.
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 100);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - 5 * OFFER_DEPOSIT + 10 * 9
		);
	});
}

#[test]
fn what_is_remembered_of_a_peer_goes_with_its_last_deal_or_with_itself() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, 0);
		assert_ok!(stop(CLIENT, deal));
		at_rest_of(8);
		report_and_settle(peer, 7, &[deal]);
		// The deal is over, but as long as it is not closed a report may list it.
		at(9, 2);
		report(peer, 8, &[deal]);
		assert_eq!(Reported::<Test>::iter().count(), 1);
		assert_ok!(close(deal));
		assert_eq!(Reported::<Test>::iter().count(), 0);
		assert_ok!(Market::withdraw_offer(
			RuntimeOrigin::signed(PROVIDER),
			peer
		));
		assert!(!Market::in_use(peer));
		assert_eq!(Loads::<Test>::iter().count(), 1);
		assert_eq!(PastWorks::<Test>::iter().count(), 1);
		Market::forget(peer);
		assert_eq!(Loads::<Test>::iter().count(), 0);
		assert_eq!(PastWorks::<Test>::iter().count(), 0);
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
		for account in [CLIENT, PROVIDER, PROVIDER + 1, Market::pot()] {
			assert_eq!(Balances::reserved_balance(account), 0);
		}
		assert_eq!(
			Balances::free_balance(Market::pot()),
			EXISTENTIAL_DEPOSIT,
			"the pot keeps its own"
		);
	});
}
