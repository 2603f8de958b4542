//! Deals that found too few offers: when they are walked again.

use crate::{mock::*, DealKey, Sleep, Unfilled, WeightInfo, RETRY_BLOCKS};
use frame_support::{assert_ok, weights::WeightMeter};
use millrace_primitives::{BlockNumber, DealId};

fn asleep(deal: DealId) -> Option<Sleep> {
	let vacancy = Unfilled::<Test>::get(DealKey::from(deal)).expect("it lacks workers");
	vacancy.asleep
}

/// Blocks pass; the epoch stays, as on a chain with long ones.
fn pass(blocks: BlockNumber) {
	System::set_block_number(System::block_number() + blocks);
}

/// A deal that has found nobody.
fn sleeping() -> DealId {
	let deal = create(spec(1, 9), 18);
	run_matcher();
	assert!(asleep(deal).is_some());
	deal
}

#[test]
fn a_deal_rests_for_some_blocks_whatever_enters_the_book() {
	build_and_execute(|| {
		let deal = sleeping();
		let peer = offer(1, PROVIDER, 1, 9);
		run_matcher();
		pass(RETRY_BLOCKS - 1);
		run_matcher();
		assert_eq!(workers(deal), vec![]);
		pass(1);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
	});
}

#[test]
fn a_book_that_has_not_grown_wakes_nobody() {
	build_and_execute(|| {
		let deal = sleeping();
		let before = asleep(deal);
		pass(10 * RETRY_BLOCKS);
		run_matcher();
		assert_eq!(asleep(deal), before);
	});
}

#[test]
fn a_new_epoch_wakes_everybody() {
	build_and_execute(|| {
		let deal = sleeping();
		let peer = offer(1, PROVIDER, 1, 9);
		at(6, 0);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
	});
}

#[test]
fn whoever_pays_wakes_a_deal_at_once() {
	build_and_execute(|| {
		let deals = [sleeping(), sleeping()];
		let first = offer(1, PROVIDER, 1, 9);
		let second = offer(2, PROVIDER, 1, 9);
		let stranger = || RuntimeOrigin::signed(STRANGER);
		assert_ok!(Market::match_deal(stranger(), deals[0]));
		assert_eq!(workers(deals[0]), vec![first]);
		assert_ok!(Market::top_up(stranger(), deals[1], 1));
		run_matcher();
		assert_eq!(workers(deals[1]), vec![second]);
	});
}

#[test]
fn a_walk_remembers_the_book_that_it_began_with() {
	build_and_execute(|| {
		for index in 1..4 {
			let mut terms = terms(5);
			terms.capabilities = 0;
			offer_with(index, PROVIDER, 1, terms);
		}
		let mut wanted = spec(1, 9);
		wanted.capabilities = 1;
		let deal = create(wanted, 18);
		let one_look =
			<() as WeightInfo>::visit() + <() as WeightInfo>::walk(1) + <() as WeightInfo>::look();
		Market::run_matcher(&mut WeightMeter::with_limit(one_look));
		// It enters behind the walk, which goes on and finds nobody.
		let peer = offer(4, PROVIDER, 1, 2);
		run_matcher();
		assert_eq!(workers(deal), vec![]);
		pass(RETRY_BLOCKS);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
	});
}

#[test]
fn a_deal_that_a_walk_frees_of_a_worker_is_walked_again_at_once() {
	build_and_execute(|| {
		let first = offer(1, PROVIDER, 4, 5);
		let mut wanted = spec(2, 9);
		wanted.max_workers_per_provider = 1;
		let deal = create(wanted, 360);
		run_matcher();
		go_live(first, deal);
		// Cheaper, but of a provider that has its worker in the deal.
		let second = offer(2, PROVIDER, 4, 3);
		at(6, 0);
		leave_unsettled(first, 5);
		end_with_settlement(first);
		// The walk passes the second offer, and settles the first one's peer away.
		run_matcher();
		assert_eq!(workers(deal), vec![]);
		assert_eq!(asleep(deal), None);
		run_matcher();
		assert_eq!(workers(deal), vec![second]);
	});
}
