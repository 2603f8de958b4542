//! Deals that look for more workers, or for fewer.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResultWithPostInfo};
use millrace_primitives::{
	market::{DealStatus, WorkerStatus, MAX_WORKERS},
	peer::PeerId,
	Balance, DealId, EpochIndex,
};

fn resize(deal: DealId, min: u32, target: u32) -> DispatchResultWithPostInfo {
	Market::resize(RuntimeOrigin::signed(CLIENT), deal, min, target)
}

fn row(deal: DealId) -> Deal<u64> {
	Market::deal_of(deal).expect("it stands")
}

/// The workers that have notice, in the order of their offers' age.
fn draining(deal: DealId) -> Vec<PeerId> {
	let has_notice = |peer: &PeerId| {
		let worker = Workers::<Test>::get(deal, peer).expect("it works");
		matches!(worker.status, WorkerStatus::Draining { .. })
	};
	workers(deal).into_iter().filter(has_notice).collect()
}

/// A deal with a live worker at each of the asks, and their peers.
fn live_at(asks: &[Balance], escrow: Balance) -> (DealId, Vec<PeerId>) {
	let peers: Vec<_> = (0u8..)
		.zip(asks)
		.map(|(index, ask)| offer(index, PROVIDER + u64::from(index), 1, *ask))
		.collect();
	let ceiling = asks.iter().copied().max().expect("there is one");
	let deal = create(spec(asks.len() as u32, ceiling), escrow);
	run_matcher();
	peers.iter().for_each(|peer| go_live(*peer, deal));
	(deal, peers)
}

fn serve(peers: &[PeerId], deal: DealId, epoch: EpochIndex) {
	at_rest_of(epoch + 1);
	for peer in peers {
		report_and_settle(*peer, epoch, &[deal]);
	}
}

#[test]
fn more_workers_raise_the_closing_deposit_and_are_looked_for() {
	build_and_execute(|| {
		let (deal, peers) = live_at(&[10], 90);
		assert_eq!(Unfilled::<Test>::iter().count(), 0);
		let second = offer(7, PROVIDER + 7, 1, 10);
		let before = Balances::free_balance(CLIENT);
		assert_ok!(resize(deal, 2, 3));
		System::assert_last_event(
			Event::<Test>::DealResized {
				deal,
				min_workers: 2,
				target_workers: 3,
				added: 20,
			}
			.into(),
		);
		assert_eq!(Balances::free_balance(CLIENT), before - 20);
		assert_eq!((row(deal).closing_deposit, in_pot()), (30, 120));
		let ordered = Specs::<Test>::get(deal).expect("it stands");
		assert_eq!((ordered.min_workers, ordered.target_workers), (2, 3));
		run_matcher();
		assert_eq!(workers(deal), vec![peers[0], second]);
	});
}

#[test]
fn a_deal_that_sleeps_wakes_when_it_is_resized() {
	build_and_execute(|| {
		offer(1, PROVIDER, 1, 10);
		let deal = create(spec(2, 10), 90);
		run_matcher();
		let asleep = || {
			let vacancy = Unfilled::<Test>::get(DealKey::from(deal)).expect("it lacks one");
			vacancy.asleep.is_some()
		};
		assert!(asleep());
		assert_ok!(resize(deal, 1, 3));
		assert!(!asleep());
	});
}

#[test]
fn a_wrong_size_is_refused() {
	build_and_execute(|| {
		let deal = create(spec(1, 10_000_000), 20_000_000);
		for (min, target) in [(0, 1), (2, 1), (1, MAX_WORKERS + 1), (0, 0)] {
			assert_noop!(resize(deal, min, target), Error::<Test>::WorkersOutOfRange);
		}
		assert_noop!(resize(deal + 1, 1, 1), Error::<Test>::UnknownDeal);
		assert_noop!(
			Market::resize(RuntimeOrigin::signed(STRANGER), deal, 1, 2),
			Error::<Test>::NotOwner
		);
		assert_noop!(resize(deal, 1, MAX_WORKERS), Error::<Test>::FundsTooLow);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert_noop!(resize(deal, 1, 1), Error::<Test>::DealEnding);
	});
}

#[test]
fn the_dearest_get_notice_and_among_equals_the_youngest() {
	build_and_execute(|| {
		let (deal, peers) = live_at(&[10, 20, 20, 15], 900);
		at(6, 0);
		assert_ok!(resize(deal, 1, 3));
		assert_eq!(draining(deal), vec![peers[2]]);
		System::assert_has_event(
			Event::<Test>::WorkerDraining {
				deal,
				peer: peers[2],
				last: 7,
				notice: Notice::Owner,
			}
			.into(),
		);
		// It may come back when more are wanted.
		assert_eq!(Exclusions::<Test>::iter().count(), 0);
		// Three are wanted and three stay.
		assert_eq!(Unfilled::<Test>::iter().count(), 0);
		assert_ok!(Market::do_try_state());
		assert_ok!(resize(deal, 1, 1));
		assert_eq!(draining(deal), vec![peers[1], peers[2], peers[3]]);
		assert_eq!((row(deal).live, row(deal).draining), (1, 3));
		assert_eq!(Unfilled::<Test>::iter().count(), 0);
	});
}

#[test]
fn whoever_has_notice_is_paid_until_it_leaves() {
	build_and_execute(|| {
		let (deal, peers) = live_at(&[1_000, 1_000], 9_000);
		at(6, 0);
		assert_ok!(resize(deal, 1, 1));
		for epoch in 6..9 {
			serve(&peers, deal, epoch);
		}
		// Two in epochs 6 and 7, one in epoch 8.
		assert_eq!(row(deal).escrow, 4_000);
		let release = Market::release_worker(RuntimeOrigin::signed(STRANGER), deal, peers[1]);
		assert_ok!(release);
		assert_eq!(workers(deal), vec![peers[0]]);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER + 1), 0);
	});
}

#[test]
fn an_assigned_worker_that_is_too_many_leaves_at_once() {
	build_and_execute(|| {
		let cheap = offer(1, PROVIDER, 1, 10);
		let dear = offer(2, PROVIDER + 1, 1, 20);
		let deal = create(spec(2, 20), 90);
		run_matcher();
		go_live(cheap, deal);
		assert_ok!(resize(deal, 1, 1));
		System::assert_has_event(
			Event::<Test>::WorkerReleased {
				deal,
				peer: dear,
				reason: ReleaseReason::Ended,
			}
			.into(),
		);
		assert_eq!((workers(deal), draining(deal)), (vec![cheap], vec![]));
		assert_eq!(row(deal).pledged, 0);
		assert_eq!(Unfilled::<Test>::iter().count(), 0);
		// It did nothing wrong: it may be taken again.
		assert_ok!(resize(deal, 1, 2));
		run_matcher();
		assert_eq!(workers(deal), vec![cheap, dear]);
	});
}

#[test]
fn a_cheaper_worker_that_is_not_live_yet_stays_and_is_waited_for() {
	build_and_execute(|| {
		let (deal, peers) = live_at(&[20, 20, 20], 900);
		assert_ok!(resize(deal, 1, 4));
		let cheap = offer(7, PROVIDER + 7, 1, 10);
		run_matcher();
		assert_ok!(resize(deal, 1, 2));
		assert_eq!(draining(deal), vec![peers[1], peers[2]]);
		let vacancy = Unfilled::<Test>::get(DealKey::from(deal)).expect("one is not live");
		assert_eq!(vacancy.assigned.to_vec(), vec![(cheap, 6)]);
		assert_ok!(Market::do_try_state());
		go_live(cheap, deal);
		assert_eq!(Unfilled::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_deposit_that_is_there_already_is_not_taken_again() {
	build_and_execute(|| {
		let (deal, _) = live_at(&[10, 10], 90);
		let before = in_pot();
		for target in [1, 2, 1, 2] {
			assert_ok!(resize(deal, 1, target));
		}
		assert_eq!((row(deal).closing_deposit, in_pot()), (20, before));
		assert_ok!(resize(deal, 1, 3));
		assert_eq!((row(deal).closing_deposit, in_pot()), (30, before + 10));
	});
}

#[test]
fn what_grace_may_still_draw_is_no_deposit_for_more_workers() {
	build_and_execute(|| {
		let (deal, peers) = live_at(&[1_000], 2_000);
		serve(&peers, deal, 6);
		assert_ok!(Market::begin_grace(RuntimeOrigin::signed(STRANGER), deal));
		serve(&peers, deal, 7);
		// Epoch 8 is open, and costs half.
		assert_ok!(Market::top_up(RuntimeOrigin::signed(STRANGER), deal, 1_500));
		assert_eq!(row(deal).closing_deposit, 1_500);
		assert_ok!(resize(deal, 1, 2));
		assert_eq!(row(deal).closing_deposit, 2_500);
		serve(&peers, deal, 8);
		assert_eq!(row(deal).closing_deposit, 2_000);
	});
}

#[test]
fn a_deal_that_shrank_and_stops_early_owes_all_that_lose_by_it() {
	build_and_execute(|| {
		let (deal, peers) = live_at(&[1_000, 1_000], 9_000);
		at(6, 0);
		assert_ok!(resize(deal, 1, 1));
		// Epoch 7 would have been paid to both.
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert_ok!(Market::do_try_state());
		serve(&peers, deal, 6);
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 4_000);
		for index in [0, 1] {
			assert_eq!(
				Balances::free_balance(PROVIDER + index),
				FUNDS - OFFER_DEPOSIT + 1_960
			);
		}
		assert_eq!(in_pot(), 0);
	});
}

#[test]
fn whoever_would_have_left_anyway_is_owed_nothing_for_an_early_stop() {
	build_and_execute(|| {
		let (deal, peers) = live_at(&[1_000, 1_000], 9_000);
		at(6, 0);
		assert_ok!(resize(deal, 1, 1));
		at(7, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		for epoch in 6..8 {
			serve(&peers, deal, epoch);
		}
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		// Both in epochs 6 and 7, and one closing epoch.
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 5_000);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT + 2_940
		);
		assert_eq!(
			Balances::free_balance(PROVIDER + 1),
			FUNDS - OFFER_DEPOSIT + 1_960
		);
	});
}

#[test]
fn a_last_epoch_that_is_open_is_paid_although_the_deal_stops_after_it() {
	build_and_execute(|| {
		let (deal, peers) = live_at(&[1_000, 1_000], 9_000);
		at(6, 0);
		assert_ok!(resize(deal, 1, 1));
		serve(&peers, deal, 6);
		at(8, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(row(deal).status, DealStatus::Ending { last: 8 });
		assert_eq!(workers(deal), peers);
		assert_ok!(Market::do_try_state());
		for epoch in 7..9 {
			serve(&peers, deal, epoch);
		}
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		// Both in epochs 6 and 7, one in epoch 8 and its closing epoch.
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 6_000);
		assert_eq!(
			Balances::free_balance(PROVIDER + 1),
			FUNDS - OFFER_DEPOSIT + 1_960
		);
	});
}

#[test]
fn a_stop_settles_whoever_has_left_before_it_takes_its_row() {
	build_and_execute(|| {
		let (deal, peers) = live_at(&[1_000, 1_000], 9_000);
		at(6, 0);
		assert_ok!(resize(deal, 1, 1));
		serve(&peers, deal, 6);
		at_rest_of(8);
		report(peers[1], 7, &[deal]);
		leave_unsettled(peers[1], 7);
		at_rest_of(9);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(workers(deal), vec![peers[0]]);
		assert_eq!(
			Balances::free_balance(PROVIDER + 1),
			FUNDS - OFFER_DEPOSIT + 1_960
		);
	});
}
