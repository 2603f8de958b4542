//! The patrol: what happens once an epoch without anybody's call, and in steps that fit.

use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::DispatchResultWithPostInfo,
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	market::DealStatus,
	peer::PeerId,
	traits::{Capacity, WorkLedger},
	Balance, DealId, EpochIndex,
};

/// Where it is known who missed its report.
const ANSWER: u32 = LENGTHS.report_window + LENGTHS.fold_window;

fn row(deal: DealId) -> Deal<u64> {
	Market::deal_of(deal).expect("it stands")
}

fn released(deal: DealId, peer: PeerId, reason: ReleaseReason) -> RuntimeEvent {
	Event::<Test>::WorkerReleased { deal, peer, reason }.into()
}

fn patrol() {
	Market::run_patrol(&mut WeightMeter::new());
}

/// Enough for finishing with one deal, finding the next and seeing to one worker, and not to two;
/// what it took.
fn one_step() -> Weight {
	let visit = <() as WeightInfo>::patrol_visit();
	let worker = <() as WeightInfo>::patrol_worker() + MockCapacity::settle_weight();
	let limit = visit + <() as WeightInfo>::patrol_deal(0) + visit + worker;
	let mut meter = WeightMeter::with_limit(limit);
	Market::run_patrol(&mut meter);
	meter.consumed()
}

/// So many deals of two workers each, which are the same peers and did not report epoch 6.
fn silent_deals(deals: u32) -> (Vec<DealId>, [PeerId; 2]) {
	let peers = [1, 2].map(|index| offer(index, PROVIDER + u64::from(index), 9, 10));
	let deals: Vec<_> = (0..deals).map(|_| create(spec(2, 10), 180)).collect();
	run_matcher();
	for deal in &deals {
		peers.iter().for_each(|peer| go_live(*peer, *deal));
	}
	peers.iter().for_each(|peer| miss(*peer, 6));
	(deals, peers)
}

fn left(deals: &[DealId]) -> usize {
	deals.iter().map(|deal| workers(*deal).len()).sum()
}

#[test]
fn the_lost_are_taken_out_as_soon_as_they_are_known_and_without_a_bounty() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		miss(peer, 6);
		for position in [0, LENGTHS.report_window, ANSWER - 1] {
			at(7, position);
			patrol();
			assert_eq!(workers(deal), vec![peer]);
		}
		at(7, ANSWER);
		patrol();
		assert_eq!(workers(deal), vec![]);
		System::assert_has_event(
			Event::<Test>::BondForfeited {
				deal,
				peer,
				bounty: 0,
				to_escrow: 10,
				burnt: 90,
			}
			.into(),
		);
		System::assert_last_event(released(deal, peer, ReleaseReason::Lost));
		assert!(PatrolPlace::<Test>::get().done);
	});
}

#[test]
fn whoever_reported_stays() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, 0);
		report(peer, 6, &[deal]);
		at(7, ANSWER);
		patrol();
		assert_eq!(workers(deal), vec![peer]);
		assert_eq!(row(deal).status, DealStatus::Active);
	});
}

#[test]
fn notice_that_is_served_is_paid_and_over() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(6, 0);
		drain(peer, deal);
		at(8, 0);
		report(peer, 7, &[deal]);
		// Epoch 7 is its last, and not closed yet.
		at(8, ANSWER);
		patrol();
		assert_eq!(workers(deal), vec![peer]);
		at(9, ANSWER);
		leave_unsettled(peer, 7);
		patrol();
		System::assert_last_event(released(deal, peer, ReleaseReason::Drained));
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		assert_eq!(Balances::free_balance(PROVIDER), FUNDS - OFFER_DEPOSIT + 9);
		assert_eq!(row(deal).escrow, 80);
	});
}

/// Serves an epoch of a deal, which is paid at the rest of the one after.
fn serve(peer: PeerId, deal: DealId, epoch: EpochIndex) {
	at_rest_of(epoch + 1);
	report_and_settle(peer, epoch, &[deal]);
}

fn release(deal: DealId, peer: PeerId) -> DispatchResultWithPostInfo {
	Market::release_worker(RuntimeOrigin::signed(STRANGER), deal, peer)
}

/// A deal that nobody ends, whose worker has left: what comes of it is the client's alone.
fn ends_without_its_worker(deal: DealId, peer: PeerId, cost: Balance) {
	System::assert_last_event(released(deal, peer, ReleaseReason::DealOver));
	assert_eq!(workers(deal), vec![]);
	assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
	assert_eq!(Book::<Test>::iter().count(), 1);
	// It is looked for nobody else.
	run_matcher();
	assert_eq!(workers(deal), vec![]);
	assert_ok!(Market::do_try_state());
	let who = || RuntimeOrigin::signed(STRANGER);
	assert_ok!(Market::stop(who(), deal));
	at_rest_of(Epoch::get() + 1);
	assert_ok!(Market::close(who(), deal));
	assert_eq!(Balances::free_balance(CLIENT), FUNDS - cost);
	assert_eq!(in_pot(), 0);
}

#[test]
fn whoever_served_a_grace_to_its_end_is_free_without_anybody() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 2);
		at(7, ANSWER);
		patrol();
		assert_eq!(row(deal).grace, Some(GraceSpan { from: 8, until: 9 }));
		for epoch in 6..9 {
			serve(peer, deal, epoch);
		}
		// The last epoch is over, and may still be reported.
		at(10, ANSWER);
		patrol();
		assert_eq!(workers(deal), vec![peer]);
		assert_noop!(release(deal, peer), Error::<Test>::NotOverdue);
		serve(peer, deal, 9);
		at(11, ANSWER);
		patrol();
		// Two epochs, and two at half the price.
		ends_without_its_worker(deal, peer, 30);
	});
}

#[test]
fn whoever_served_a_term_to_its_end_is_free_without_anybody() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let mut spec = spec(1, 10);
		spec.term_epochs = Some(2);
		let deal = create(spec, 100);
		run_matcher();
		go_live(peer, deal);
		serve(peer, deal, 6);
		at(8, ANSWER);
		patrol();
		assert_eq!(workers(deal), vec![peer]);
		serve(peer, deal, 7);
		at(9, ANSWER);
		patrol();
		ends_without_its_worker(deal, peer, 20);
	});
}

#[test]
fn anybody_frees_whoever_served_to_the_end_before_the_patrol_does() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 2);
		let (lasting, other) = live_deal(2, 9, 90);
		at(7, ANSWER);
		patrol();
		for epoch in 6..9 {
			serve(peer, deal, epoch);
		}
		at_rest_of(10);
		report(peer, 9, &[deal]);
		leave_unsettled(peer, 9);
		// It is settled first, so that it has all that it is owed.
		assert_ok!(release(deal, peer));
		assert_noop!(release(lasting, other), Error::<Test>::NotAssigned);
	});
}

#[test]
fn a_deal_without_escrow_for_another_epoch_enters_grace() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 2);
		let (lasting, _) = live_deal(2, 9, 3);
		at(7, ANSWER);
		patrol();
		assert_eq!(workers(deal), vec![peer]);
		assert_eq!(row(deal).status, DealStatus::Grace);
		System::assert_last_event(
			Event::<Test>::GraceBegun {
				deal,
				from: 8,
				until: 9,
			}
			.into(),
		);
		assert_eq!(row(lasting).status, DealStatus::Active);
		// Once it is in grace there is nothing more to begin.
		at(8, ANSWER);
		patrol();
		let span = row(deal).grace.expect("it has begun");
		assert_eq!((span.from, span.until), (8, 9));
	});
}

#[test]
fn whoever_is_not_live_leaves_before_grace_begins() {
	build_and_execute(|| {
		let live = [1, 2].map(|index| offer(index, PROVIDER, 1, 100));
		let deal = create(spec(3, 100), 700);
		run_matcher();
		live.iter().for_each(|peer| go_live(*peer, deal));
		let report_by_all = |epoch| live.iter().for_each(|peer| report(*peer, epoch, &[deal]));
		at(7, 0);
		report_by_all(6);
		// The escrow covers epochs 6 to 8 of both, and one more worker in epoch 8.
		at_rest_of(7);
		let assigned = offer(3, PROVIDER, 1, 2);
		run_matcher();
		assert_eq!(workers(deal).len(), 3);
		at(8, 0);
		for peer in live {
			Market::on_settled(peer, 6, false);
		}
		report_by_all(7);
		at(8, ANSWER);
		patrol();
		System::assert_has_event(released(deal, assigned, ReleaseReason::Ended));
		assert_eq!(workers(deal), live.to_vec());
		assert_eq!(row(deal).status, DealStatus::Grace);
		assert_eq!(row(deal).pledged, 0);
	});
}

#[test]
fn it_goes_on_where_the_weight_ran_out() {
	build_and_execute(|| {
		let (deals, _) = silent_deals(3);
		at(7, ANSWER);
		for step in 1..=6 {
			let took = one_step();
			assert!(took.all_gte(<() as WeightInfo>::patrol_worker()));
			assert_eq!(left(&deals), 6 - step);
			assert_ok!(Market::do_try_state());
		}
		assert!(!PatrolPlace::<Test>::get().done);
		one_step();
		assert!(PatrolPlace::<Test>::get().done);
		// There is nothing more to do but to see that.
		assert_eq!(one_step(), <() as WeightInfo>::patrol_visit());
	});
}

#[test]
fn without_weight_for_a_whole_step_nothing_is_begun() {
	build_and_execute(|| {
		let (deals, _) = silent_deals(1);
		at(7, ANSWER);
		let worker = <() as WeightInfo>::patrol_worker() + MockCapacity::settle_weight();
		let visit = <() as WeightInfo>::patrol_visit();
		for limit in [Weight::zero(), visit, worker, visit + worker.div(2)] {
			let mut meter = WeightMeter::with_limit(limit);
			Market::run_patrol(&mut meter);
			assert!(meter.consumed().all_lte(visit));
			assert_eq!(left(&deals), 2);
		}
		one_step();
		assert_eq!(left(&deals), 1);
	});
}

#[test]
fn it_comes_once_an_epoch_and_then_anew() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, ANSWER);
		patrol();
		assert!(PatrolPlace::<Test>::get().done);
		// Whatever is found out later is for the next epoch's, or for whoever says so.
		miss(peer, 6);
		at(7, LENGTHS.len - 1);
		patrol();
		assert_eq!(workers(deal), vec![peer]);
		miss(peer, 7);
		at(8, ANSWER);
		patrol();
		assert_eq!(workers(deal), vec![]);
	});
}

#[test]
fn a_patrol_that_did_not_finish_begins_with_the_oldest_deal_again() {
	build_and_execute(|| {
		let (deals, peers) = silent_deals(2);
		at(7, ANSWER);
		one_step();
		one_step();
		assert_eq!(left(&deals[..1]), 0);
		// The first deal has a worker again, which misses its first epoch.
		let spare = offer(3, PROVIDER, 1, 10);
		run_matcher();
		assert_eq!(workers(deals[0]), vec![spare]);
		go_live(spare, deals[0]);
		miss(spare, 8);
		peers.iter().for_each(|peer| miss(*peer, 8));
		at(9, ANSWER);
		one_step();
		assert_eq!((left(&deals[..1]), left(&deals[1..])), (0, 2));
	});
}

#[test]
fn a_deal_that_closes_on_the_way_hides_no_worker_of_the_next() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deals = [create(spec(1, 10), 90), create(spec(1, 10), 90)];
		run_matcher();
		deals.iter().for_each(|deal| go_live(peer, *deal));
		miss(peer, 6);
		at(7, ANSWER);
		one_step();
		assert_eq!(workers(deals[0]), vec![]);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deals[0]));
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deals[0]));
		one_step();
		assert_eq!(workers(deals[1]), vec![]);
	});
}

#[test]
fn who_has_more_to_settle_is_seen_to_again() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		leave_unsettled(peer, 6);
		leave_unsettled(peer, 7);
		miss(peer, 8);
		miss(peer, 9);
		at(9, ANSWER);
		patrol();
		assert_eq!(workers(deal), vec![peer]);
		assert_eq!(take_settled().len(), 1);
		at(10, ANSWER);
		patrol();
		assert_eq!(workers(deal), vec![]);
	});
}

#[test]
fn patrol_and_matcher_take_turns_at_going_first() {
	for (position, at_once) in [(ANSWER, false), (ANSWER + 1, true)] {
		build_and_execute(|| {
			let (deal, peer) = live_deal(1, 10, 9);
			let spare = offer(2, PROVIDER + 1, 1, 10);
			miss(peer, 6);
			at(7, position);
			let block = System::block_number();
			assert_eq!(block.is_multiple_of(2), at_once);
			let mut meter = WeightMeter::new();
			Market::on_poll(block, &mut meter);
			assert!(meter.consumed().all_lte(Market::poll_limit()));
			let expected = if at_once { vec![spare] } else { vec![] };
			assert_eq!(workers(deal), expected);
			// What is left of the block is for the same work.
			let rest = Market::poll_limit();
			assert!(Market::on_idle(block, rest).all_lte(rest));
			assert_eq!(workers(deal), vec![spare]);
		});
	}
}

#[test]
fn whoever_goes_first_leaves_the_other_what_it_does_not_take() {
	build_and_execute(|| {
		let (deals, _) = silent_deals(1);
		let patrol_first = ANSWER + 1;
		at(7, patrol_first);
		let limit = <() as WeightInfo>::probe_visit()
			+ <() as WeightInfo>::patrol_visit()
			+ <() as WeightInfo>::patrol_worker()
			+ MockCapacity::settle_weight();
		let took = Market::work_within(limit, Market::moment());
		assert!(took.all_lte(limit));
		assert_eq!(left(&deals), 1);
		// The matcher looked at the deal that has lost one.
		let matched = <() as WeightInfo>::visit() + <() as WeightInfo>::walk(1);
		let patrolled = <() as WeightInfo>::patrol_visit() + <() as WeightInfo>::patrol_worker();
		assert!(took.all_gte(patrolled + matched));
	});
}
