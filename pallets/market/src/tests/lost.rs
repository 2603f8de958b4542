//! Lost workers: who did not report its deal forfeits its bond, and another takes its place.

use crate::{mock::*, *};
use frame_support::{assert_err, assert_noop, assert_ok, dispatch::DispatchResultWithPostInfo};
use millrace_primitives::{
	market::{DealSpec, DealStatus},
	peer::PeerId,
	traits::{Capacity as _, WorkLedger},
	Balance, DealId,
};

/// Where it is known who missed its report.
const ANSWER: u32 = LENGTHS.report_window + LENGTHS.fold_window;

fn replace(who: u64, deal: DealId, peer: PeerId) -> DispatchResultWithPostInfo {
	Market::replace(RuntimeOrigin::signed(who), deal, peer)
}

fn row(deal: DealId) -> Deal<u64> {
	Market::deal_of(deal).expect("it stands")
}

fn is_queued(deal: DealId) -> bool {
	Unfilled::<Test>::contains_key(DealKey::from(deal))
}

/// A live worker that missed its first epoch, which is known by now.
fn silent(order: DealSpec<u64>) -> (DealId, PeerId) {
	let peer = offer(1, PROVIDER, 4, 10);
	let deal = create(order, 90);
	run_matcher();
	go_live(peer, deal);
	miss(peer, 6);
	at(7, ANSWER);
	(deal, peer)
}

fn forfeited(deal: DealId, peer: PeerId, parts: [Balance; 3]) -> RuntimeEvent {
	let [bounty, to_escrow, burnt] = parts;
	Event::<Test>::BondForfeited {
		deal,
		peer,
		bounty,
		to_escrow,
		burnt,
	}
	.into()
}

fn released(deal: DealId, peer: PeerId, reason: ReleaseReason) -> RuntimeEvent {
	Event::<Test>::WorkerReleased { deal, peer, reason }.into()
}

#[test]
fn who_did_not_report_forfeits_its_bond_and_the_deal_looks_for_another() {
	build_and_execute(|| {
		let (deal, peer) = silent(spec(1, 10));
		let spare = offer(2, PROVIDER + 1, 1, 10);
		let (issued, escrowed) = (Balances::total_issuance(), in_pot());
		assert!(!is_queued(deal));
		assert_ok!(replace(STRANGER, deal, peer));

		System::assert_has_event(forfeited(deal, peer, [1, 10, 89]));
		System::assert_last_event(released(deal, peer, ReleaseReason::Lost));
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT - 100
		);
		assert_eq!(Balances::free_balance(STRANGER), FUNDS + 1);
		assert_eq!(Balances::total_issuance(), issued - 89);
		assert_eq!((row(deal).escrow, in_pot()), (100, escrowed + 10));
		// In epoch 7, and for three epochs.
		assert_eq!(Exclusions::<Test>::get(deal).to_vec(), vec![(peer, 10)]);
		let lapsed = Offers::<Test>::get(peer).expect("it stands").lapses;
		assert_eq!(lapsed, 1);
		assert!(is_queued(deal));
		run_matcher();
		assert_eq!(workers(deal), vec![spare]);
	});
}

#[test]
fn nobody_is_lost_before_its_time() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 3);
		let lost = || replace(STRANGER, deal, peer);
		miss(peer, 5);
		miss(peer, 6);
		// It is paid from epoch 6 on.
		at(6, ANSWER);
		assert_noop!(lost(), Error::<Test>::NotLost);
		// The report of 6 can still be sent.
		at(7, LENGTHS.report_window - 1);
		assert_noop!(lost(), Error::<Test>::NotLost);
		at(7, ANSWER);
		assert_noop!(
			replace(STRANGER, deal + 1, peer),
			Error::<Test>::UnknownDeal
		);
		assert_noop!(
			replace(STRANGER, deal, peer_id(2)),
			Error::<Test>::NotAssigned
		);
		assert_ok!(lost());
		assert_noop!(lost(), Error::<Test>::NotAssigned);
	});
}

#[test]
fn who_reported_or_is_not_live_yet_is_not_lost() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 3);
		let assigned = offer(2, PROVIDER, 1, 9);
		let other = create(spec(1, 9), 18);
		run_matcher();
		assert_eq!(workers(other), vec![assigned]);
		miss(assigned, 6);
		at(7, 0);
		report(peer, 6, &[deal]);
		at(7, ANSWER);
		assert_noop!(replace(STRANGER, deal, peer), Error::<Test>::NotLost);
		assert_noop!(replace(STRANGER, other, assigned), Error::<Test>::NotLost);
		at_rest_of(7);
		Market::on_settled(peer, 6, false);
		assert_noop!(replace(STRANGER, deal, peer), Error::<Test>::NotLost);
	});
}

#[test]
fn a_report_without_a_deal_is_none_for_that_deal() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deals = [create(spec(1, 10), 90), create(spec(1, 10), 90)];
		run_matcher();
		deals.iter().for_each(|deal| go_live(peer, *deal));
		// A peer reports once, so that nobody has to wait.
		at(7, 2);
		report(peer, 6, &deals[..1]);
		assert_noop!(replace(STRANGER, deals[0], peer), Error::<Test>::NotLost);
		assert_ok!(replace(STRANGER, deals[1], peer));
		System::assert_last_event(released(deals[1], peer, ReleaseReason::Lost));
		at_rest_of(7);
		Market::on_settled(peer, 6, false);
		assert_eq!(row(deals[0]).escrow, 80);
		assert_eq!(workers(deals[0]), vec![peer]);
	});
}

#[test]
fn a_report_of_nothing_leaves_every_deal_out_until_it_is_settled() {
	for settled in [false, true] {
		build_and_execute(|| {
			let (deal, peer) = live_deal(1, 10, 3);
			at_rest_of(7);
			report(peer, 6, &[]);
			if settled {
				// What it reported is not known any more; it was not paid.
				Market::on_settled(peer, 6, false);
				assert_noop!(replace(STRANGER, deal, peer), Error::<Test>::NotLost);
			} else {
				assert_ok!(replace(STRANGER, deal, peer));
			}
			assert_eq!(Reported::<Test>::iter().count(), 0);
		});
	}
}

#[test]
fn a_lost_worker_is_paid_first_what_it_is_owed() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 3);
		at(7, 0);
		report(peer, 6, &[deal]);
		at(8, ANSWER);
		leave_unsettled(peer, 6);
		miss(peer, 7);
		let done = replace(STRANGER, deal, peer).expect("it is lost");
		let settled = <() as WeightInfo>::on_settled(1);
		let expected = <() as WeightInfo>::replace() + settled;
		assert_eq!(done.actual_weight, Some(expected));
		assert!(expected.all_lte(Market::replace_weight()));
		// Nine of ten, and not the bond.
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT - 100 + 9
		);
		assert_eq!(row(deal).escrow, 20 + 10);
	});
}

#[test]
fn a_worker_is_not_lost_while_its_peer_has_more_to_settle() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(9, ANSWER);
		leave_unsettled(peer, 6);
		leave_unsettled(peer, 7);
		miss(peer, 8);
		assert_err!(
			replace(STRANGER, deal, peer),
			Error::<Test>::WorkersNotSettled
		);
		assert_eq!(workers(deal), vec![peer]);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 100);
		// Whatever a call that fails has settled is undone with it.
		MockCapacity::settle(peer);
		assert_ok!(replace(STRANGER, deal, peer));
		assert_eq!(workers(deal), vec![]);
	});
}

#[test]
fn a_commitment_that_fails_on_the_way_takes_its_workers_along() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(8, ANSWER);
		leave_unsettled(peer, 6);
		fail_with_settlement(peer);
		miss(peer, 7);
		assert_ok!(replace(STRANGER, deal, peer));
		// The settlement did it, and has no bounty to give.
		System::assert_has_event(forfeited(deal, peer, [0, 10, 90]));
		System::assert_last_event(released(deal, peer, ReleaseReason::CommitmentFailed));
		assert_eq!(Balances::free_balance(STRANGER), FUNDS);
	});
}

#[test]
fn nobody_is_paid_for_pointing_to_its_own_peer() {
	build_and_execute(|| {
		let (deal, peer) = silent(spec(1, 10));
		assert_ok!(replace(PROVIDER, deal, peer));
		System::assert_has_event(forfeited(deal, peer, [0, 10, 90]));
	});
}

#[test]
fn the_client_gets_no_more_than_the_bond_and_no_more_than_one_epoch() {
	// The bond, and where it goes; of none there is nothing to tell.
	let cases: [(Balance, Option<[Balance; 3]>); 5] = [
		(0, None),
		(7, Some([0, 7, 0])),
		(10, Some([0, 10, 0])),
		(100, Some([1, 10, 89])),
		(1_000, Some([10, 10, 980])),
	];
	for (worker_bond, parts) in cases {
		build_and_execute(|| {
			let order = DealSpec {
				worker_bond,
				..spec(1, 10)
			};
			let (deal, peer) = silent(order);
			let issued = Balances::total_issuance();
			System::reset_events();
			assert_ok!(replace(STRANGER, deal, peer));
			System::assert_last_event(released(deal, peer, ReleaseReason::Lost));
			let told = System::read_events_for_pallet::<Event<Test>>()
				.into_iter()
				.find(|event| matches!(event, Event::BondForfeited { .. }));
			assert_eq!(
				told.map(RuntimeEvent::from),
				parts.map(|parts| forfeited(deal, peer, parts))
			);
			let [bounty, to_escrow, burnt] = parts.unwrap_or_default();
			assert_eq!(bounty + to_escrow + burnt, worker_bond);
			assert_eq!(row(deal).escrow, 90 + to_escrow);
			assert_eq!(Balances::total_issuance(), issued - burnt);
			assert_eq!(Balances::free_balance(STRANGER), FUNDS + bounty);
			assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		});
	}
}

#[test]
fn the_third_fault_in_a_row_closes_the_offer() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deals: Vec<_> = (0..3).map(|_| create(spec(1, 10), 90)).collect();
		run_matcher();
		deals.iter().for_each(|deal| go_live(peer, *deal));
		miss(peer, 6);
		at(7, ANSWER);
		for deal in &deals {
			assert!(Offers::<Test>::contains_key(peer));
			assert_ok!(replace(STRANGER, *deal, peer));
		}
		assert!(!Offers::<Test>::contains_key(peer));
		assert_eq!(held(HoldReason::OfferDeposit, PROVIDER), 0);
		assert_eq!(Loads::<Test>::get(peer).taken, 0);
	});
}

#[test]
fn a_deal_that_is_ending_gets_its_part_and_looks_for_nobody() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(6, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		miss(peer, 6);
		at(7, ANSWER);
		assert_ok!(replace(STRANGER, deal, peer));
		System::assert_has_event(forfeited(deal, peer, [1, 10, 89]));
		assert_eq!(Exclusions::<Test>::iter().count(), 0);
		assert!(!is_queued(deal));
		// It is not owed the early end either.
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS + 10);
	});
}

#[test]
fn nobody_loses_a_bond_for_an_epoch_that_would_not_have_been_paid() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 2);
		for epoch in [6, 7] {
			at_rest_of(epoch + 1);
			report_and_settle(peer, epoch, &[deal]);
		}
		assert_eq!(row(deal).escrow, 0);
		miss(peer, 8);
		at(9, ANSWER);
		assert_noop!(replace(STRANGER, deal, peer), Error::<Test>::NotLost);
	});
	// Or whose last pay is on its way.
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 2);
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		at(8, 0);
		report(peer, 7, &[deal]);
		at(9, ANSWER);
		leave_unsettled(peer, 7);
		miss(peer, 8);
		assert_err!(replace(STRANGER, deal, peer), Error::<Test>::NotLost);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 100);
	});
	// Or lies behind the term.
	for (missed, lost) in [(7, true), (8, false)] {
		build_and_execute(|| {
			let peer = offer(1, PROVIDER, 4, 10);
			let order = DealSpec {
				term_epochs: Some(2),
				..spec(1, 10)
			};
			let deal = create(order, 90);
			run_matcher();
			go_live(peer, deal);
			miss(peer, missed);
			at(missed + 1, ANSWER);
			assert_eq!(replace(STRANGER, deal, peer).is_ok(), lost);
		});
	}
}

#[test]
fn notice_lasts_to_its_last_epoch() {
	for (missed, lost) in [(6, true), (7, true), (8, false)] {
		build_and_execute(|| {
			let (deal, peer) = live_deal(1, 10, 9);
			at(6, 0);
			drain(peer, deal);
			miss(peer, missed);
			at(missed + 1, ANSWER);
			assert_eq!(replace(STRANGER, deal, peer).is_ok(), lost);
			assert_eq!(row(deal).draining, u32::from(!lost));
			let bond = if lost { 0 } else { 100 };
			assert_eq!(held(HoldReason::WorkerBond, PROVIDER), bond);
		});
	}
}

#[test]
fn grace_is_served_as_before() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 2);
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		assert_ok!(Market::begin_grace(RuntimeOrigin::signed(STRANGER), deal));
		at_rest_of(8);
		report_and_settle(peer, 7, &[deal]);
		assert_eq!((row(deal).escrow, row(deal).closing_deposit), (0, 10));
		miss(peer, 8);
		at(9, ANSWER);
		assert_ok!(replace(STRANGER, deal, peer));
		System::assert_has_event(forfeited(deal, peer, [1, 10, 89]));
		assert_eq!(row(deal).status, DealStatus::Grace);
		assert!(!is_queued(deal));
	});
}
