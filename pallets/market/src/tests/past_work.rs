//! Workers that have left are remembered, so that what they signed is judged as a worker's.

use crate::{mock::*, *};
use frame_support::assert_ok;
use millrace_primitives::{
	peer::PeerId,
	report::MAX_DEALS_PER_PEER,
	traits::{PeerUse, WorkInspector, WorkLedger},
	DealId, EpochIndex,
};

fn stop(deal: DealId) {
	assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
}

/// Epochs from 4 on in which a peer counts as a worker.
fn worked(peer: PeerId, deal: DealId) -> Vec<EpochIndex> {
	(4..12)
		.filter(|epoch| Market::is_worker(peer, deal, *epoch))
		.collect()
}

fn remembered(peer: PeerId) -> Vec<PastWork> {
	PastWorks::<Test>::get(peer).into_inner()
}

#[test]
fn whoever_is_lost_was_a_worker_until_then() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		miss(peer, 6);
		at(7, LENGTHS.report_window + LENGTHS.fold_window);
		assert_ok!(Market::replace(RuntimeOrigin::signed(STRANGER), deal, peer));
		assert_eq!(workers(deal), vec![]);
		// The receipts of epoch 7 are reported and opened in the next one.
		assert_eq!(worked(peer, deal), [5, 6, 7]);
		assert!(!Market::is_worker(peer, deal + 1, 6));
		assert!(!Market::is_worker(peer_id(2), deal, 6));
	});
}

#[test]
fn a_commitment_that_fails_does_not_make_a_fraud_of_its_peer() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, 3);
		fail_commitment(peer);
		assert!(!PeerDeals::<Test>::contains_key(peer));
		assert_eq!(Reported::<Test>::iter().count(), 0);
		assert_eq!(worked(peer, deal), [5, 6, 7]);
	});
}

#[test]
fn a_stop_in_the_epoch_of_going_live_leaves_the_receipts_true() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		stop(deal);
		assert_eq!(workers(deal), vec![]);
		assert_eq!(worked(peer, deal), [5]);
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(worked(peer, deal), [5]);
	});
}

#[test]
fn what_is_remembered_of_a_worker_ends_with_its_last_epoch() {
	// By notice.
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		drain(peer, deal);
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		assert_ok!(Market::release_worker(
			RuntimeOrigin::signed(STRANGER),
			deal,
			peer
		));
		assert_eq!(worked(peer, deal), [5, 6]);
	});
	// With the deal.
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(6, 0);
		stop(deal);
		at(9, 0);
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(worked(peer, deal), [5, 6]);
	});
}

#[test]
fn whoever_never_went_live_is_not_remembered() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deal = create(spec(1, 10), 20);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
		stop(deal);
		assert_eq!(PastWorks::<Test>::iter().count(), 0);
	});
}

#[test]
fn work_is_forgotten_after_the_challenge_period() {
	build_and_execute(|| {
		let (first, peer) = live_deal(1, 10, 9);
		stop(first);
		let again = |epoch| {
			at(epoch, 0);
			let deal = create(spec(1, 10), 20);
			run_matcher();
			go_live(peer, deal);
			stop(deal);
			let left = remembered(peer);
			left.iter().map(|past| past.deal).collect::<Vec<_>>()
		};
		// Four epochs, and two more.
		assert_eq!(again(11), [first, first + 1]);
		assert_eq!(again(12), [first + 1, first + 2]);
	});
}

#[test]
fn a_peer_takes_no_more_deals_than_can_be_remembered_until_they_are_audited() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 200, 9);
		let deals: Vec<_> = (0..MAX_DEALS_PER_PEER)
			.map(|_| create(spec(1, 9), 18))
			.collect();
		run_matcher();
		for deal in &deals {
			go_live(peer, *deal);
			stop(*deal);
		}
		assert_eq!(remembered(peer).len(), MAX_DEALS_PER_PEER as usize);
		assert!(!PeerDeals::<Test>::contains_key(peer));
		// Receipts of epoch 5 are opened in epoch 6.
		for epoch in [5, 6] {
			at(epoch, 1);
			assert_eq!(why_not(spec(1, 9), peer), Some(Reason::TooManyDeals));
		}
		// Nothing can be opened any more: what ended first makes room.
		at(7, 0);
		assert_eq!(why_not(spec(1, 9), peer), None);
		let next = create(spec(1, 9), 18);
		run_matcher();
		go_live(peer, next);
		stop(next);
		assert_eq!(remembered(peer).len(), MAX_DEALS_PER_PEER as usize);
		assert!(Market::is_worker(peer, next, 7));
		assert!(!Market::is_worker(peer, deals[0], 5));
		assert!(Market::is_worker(peer, deals[1], 5));
	});
}

#[test]
fn the_memory_goes_with_the_peer() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		stop(deal);
		Market::on_commitment_over(peer, false);
		assert_eq!(PastWorks::<Test>::iter().count(), 1);
		// It keeps nobody from leaving.
		assert_ok!(Market::withdraw_offer(
			RuntimeOrigin::signed(PROVIDER),
			peer
		));
		assert!(!Market::in_use(peer));
		Market::forget(peer);
		assert_eq!(PastWorks::<Test>::iter().count(), 0);
		assert!(worked(peer, deal).is_empty());
	});
}
