//! Probes that are not answered: what the worker is still paid, who takes its place, and when its bond
//! is forfeited.

use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	pallet_prelude::DispatchResult,
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	market::{DealStatus, WorkerStatus},
	peer::PeerId,
	traits::{WorkInspector, WorkLedger},
	DealId, EpochIndex,
};

/// Behind the deadline of a probe of the first block of an epoch.
const OVER: u32 = PROBE_BLOCKS + 1;

fn fail(deal: DealId, peer: PeerId) -> DispatchResult {
	Market::fail_probe(RuntimeOrigin::signed(CLIENT), deal, peer)
}

fn row(deal: DealId) -> Deal<u64> {
	Market::deal_of(deal).expect("it stands")
}

fn status(deal: DealId, peer: PeerId) -> WorkerStatus {
	Workers::<Test>::get(deal, peer)
		.expect("its row stands")
		.status
}

fn is_queued(deal: DealId) -> bool {
	Unfilled::<Test>::contains_key(DealKey::from(deal))
}

fn failed(deal: DealId, peer: PeerId, last: EpochIndex, forfeits: bool) -> RuntimeEvent {
	Event::<Test>::ProbeFailed {
		deal,
		peer,
		prober: STRANGER,
		last,
		forfeits,
	}
	.into()
}

/// A live worker that did not answer a probe of an epoch's first block.
fn silent_in(epoch: EpochIndex) -> (DealId, PeerId) {
	let (deal, peer) = live_deal(1, 10, 9);
	at(epoch, 0);
	probe(STRANGER, deal, peer);
	at(epoch, OVER);
	(deal, peer)
}

#[test]
fn who_does_not_answer_is_replaced_and_paid_for_what_it_served_before() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, 0);
		report(peer, 6, &[deal]);
		probe(STRANGER, deal, peer);
		at(7, PROBE_BLOCKS);
		assert_noop!(fail(deal, peer), Error::<Test>::ProbePending);
		at(7, OVER);
		assert_ok!(fail(deal, peer));
		System::assert_last_event(failed(deal, peer, 6, false));
		assert_eq!(held(HoldReason::Probe, STRANGER), 0);
		assert_eq!(Balances::free_balance(STRANGER), FUNDS);
		assert_eq!(
			status(deal, peer),
			WorkerStatus::Draining { since: 6, last: 6 }
		);
		assert_eq!(Exclusions::<Test>::get(deal).to_vec(), vec![(peer, 10)]);
		assert_eq!(Offers::<Test>::get(peer).map(|offer| offer.lapses), Some(1));
		// Another one takes its place at once.
		assert!(is_queued(deal));
		let spare = offer(2, PROVIDER + 1, 1, 10);
		run_matcher();
		assert_eq!(workers(deal), vec![peer, spare]);
		assert_noop!(fail(deal, peer), Error::<Test>::NotProbed);

		at_rest_of(7);
		Market::on_settled(peer, 6, false);
		assert_eq!((row(deal).escrow, row(deal).paid), (80, 9));
		let release = || Market::release_worker(RuntimeOrigin::signed(STRANGER), deal, peer);
		assert_noop!(release(), Error::<Test>::NotOverdue);
		at(8, 0);
		report(peer, 7, &[deal]);
		at_rest_of(8);
		Market::on_settled(peer, 7, false);
		assert_eq!(row(deal).escrow, 80);
		assert_ok!(release());
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		assert_eq!(workers(deal), vec![spare]);
		assert_eq!(ProbeRecords::<Test>::iter().count(), 0);
	});
}

#[test]
fn the_chain_decides_without_anybody() {
	for offset in [0, 1] {
		build_and_execute(|| {
			let (deal, peer) = silent_in(6);
			let block = System::block_number();
			at(6, OVER - 1);
			Market::on_poll(block - 1, &mut WeightMeter::new());
			assert_eq!(Probes::<Test>::iter().count(), 1);
			// Whoever goes first in this block leaves the other room for it.
			at(6, OVER + offset);
			let mut meter = WeightMeter::new();
			Market::on_poll(block + offset, &mut meter);
			assert!(meter.consumed().all_lte(Market::poll_limit()));
			System::assert_has_event(failed(deal, peer, 5, false));
			assert_eq!(OpenProbes::<Test>::iter().count(), 0);
		});
	}
}

#[test]
fn the_last_block_of_a_probe_ends_with_another_worker() {
	// Whoever goes first in that block, the patrol or the matcher.
	for position in [0, 1] {
		build_and_execute(|| {
			let (deal, peer) = live_deal(1, 10, 9);
			let spare = offer(2, PROVIDER + 1, 1, 10);
			at(6, position);
			probe(STRANGER, deal, peer);
			let rest = Market::poll_limit();
			at(6, position + PROBE_BLOCKS - 1);
			Market::on_idle(System::block_number(), rest);
			at(6, position + PROBE_BLOCKS);
			let block = System::block_number();
			// Transactions of the block can still answer it.
			Market::on_poll(block, &mut WeightMeter::new());
			assert_noop!(fail(deal, peer), Error::<Test>::ProbePending);
			assert_eq!(workers(deal), vec![peer]);
			assert!(Market::on_idle(block, rest).all_lte(rest));
			System::assert_has_event(failed(deal, peer, 5, false));
			assert_eq!(workers(deal), vec![peer, spare]);
		});
	}
}

#[test]
fn probes_are_decided_oldest_first_and_as_far_as_the_weight_goes() {
	build_and_execute(|| {
		// Each order takes the newest offer alone.
		let deals = [(1, 10), (2, 9), (3, 8)].map(|(index, ask)| live_deal(index, ask, 9));
		for (position, (deal, peer)) in (0..).zip(&deals) {
			at(6, position);
			probe(STRANGER, *deal, *peer);
		}
		at(6, OVER + 2);
		let visit = <() as WeightInfo>::probe_visit();
		let step = visit + <() as WeightInfo>::fail_probe();
		let decide = |limit: Weight| {
			let mut meter = WeightMeter::with_limit(limit);
			Market::fail_overdue(Market::moment(), &mut meter);
			assert!(meter.consumed().all_lte(limit));
			Probes::<Test>::iter().count()
		};
		assert_eq!(decide(Weight::zero()), 3);
		assert_eq!(decide(visit), 3);
		assert_eq!(decide(step), 2);
		assert!(!Probes::<Test>::contains_key(deals[0].0, deals[0].1));
		assert_eq!(decide(step + step), 0);
	});
}

#[test]
fn the_second_failure_costs_the_bond_unless_the_first_is_long_ago() {
	for (again, forfeits) in [(10, true), (11, true), (12, false)] {
		build_and_execute(|| {
			let (deal, peer) = silent_in(6);
			assert_ok!(fail(deal, peer));
			at_rest_of(7);
			assert_ok!(Market::release_worker(
				RuntimeOrigin::signed(STRANGER),
				deal,
				peer
			));
			// It is excluded for three epochs, and the failure remembered for six.
			at(again - 1, 0);
			run_matcher();
			go_live(peer, deal);
			at(again, 0);
			probe(STRANGER, deal, peer);
			at(again, OVER);
			let issued = Balances::total_issuance();
			assert_ok!(fail(deal, peer));
			System::assert_last_event(failed(deal, peer, again - 1, forfeits));
			let burnt = if forfeits { 90 } else { 0 };
			assert_eq!(Balances::total_issuance(), issued - burnt);
			let escrow = if forfeits { 100 } else { 90 };
			assert_eq!(row(deal).escrow, escrow);
			let bond = if forfeits { 0 } else { 100 };
			assert_eq!(held(HoldReason::WorkerBond, PROVIDER), bond);
		});
	}
}

#[test]
fn the_report_of_the_epoch_is_audited_as_a_workers() {
	build_and_execute(|| {
		let (deal, peer) = silent_in(7);
		let is_worker = |epoch| Market::is_worker(peer, deal, epoch);
		assert_ok!(fail(deal, peer));
		// It may have answered calls until now.
		assert!(is_worker(5) && is_worker(6) && is_worker(7));
		assert!(!is_worker(4) && !is_worker(8));
		// But it does not do so any more.
		assert!(!Workers::<Test>::get(deal, peer).is_some_and(|worker| worker.is_due(7)));
		at(8, 0);
		assert!(is_worker(7));
	});
}

#[test]
fn an_epoch_that_was_not_reported_costs_the_bond_as_ever() {
	build_and_execute(|| {
		let (deal, peer) = silent_in(7);
		miss(peer, 6);
		assert_ok!(fail(deal, peer));
		assert_ok!(Market::replace(RuntimeOrigin::signed(STRANGER), deal, peer));
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		assert_eq!(workers(deal), vec![]);
	});
	// That of the failed probe costs none.
	build_and_execute(|| {
		let (deal, peer) = silent_in(6);
		assert_ok!(fail(deal, peer));
		miss(peer, 6);
		at(7, LENGTHS.report_window + LENGTHS.fold_window);
		assert_noop!(
			Market::replace(RuntimeOrigin::signed(STRANGER), deal, peer),
			Error::<Test>::NotLost
		);
	});
}

#[test]
fn a_probe_over_a_border_costs_the_pay_from_its_own_epoch_on() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, LENGTHS.len - 1);
		probe(STRANGER, deal, peer);
		at(8, 0);
		report(peer, 7, &[deal]);
		at(8, PROBE_BLOCKS);
		assert_ok!(fail(deal, peer));
		System::assert_last_event(failed(deal, peer, 6, false));
		assert!(Market::is_worker(peer, deal, 8));
		at_rest_of(8);
		Market::on_settled(peer, 7, false);
		assert_eq!(row(deal).escrow, 90);
	});
}

#[test]
fn a_worker_with_notice_leaves_sooner() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, 0);
		drain(peer, deal);
		probe(STRANGER, deal, peer);
		at(7, OVER);
		assert_ok!(fail(deal, peer));
		assert_eq!(
			status(deal, peer),
			WorkerStatus::Draining { since: 6, last: 6 }
		);
		assert_eq!((row(deal).live, row(deal).draining), (0, 1));
	});
}

#[test]
fn a_worker_of_a_deal_that_is_ending_loses_its_last_epoch() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, 0);
		report(peer, 6, &[deal]);
		probe(STRANGER, deal, peer);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		at(7, OVER);
		assert_ok!(fail(deal, peer));
		System::assert_has_event(failed(deal, peer, 6, false));
		assert_eq!(Exclusions::<Test>::iter().count(), 0);
		assert_eq!(Failures::<Test>::iter().count(), 0);
		at_rest_of(7);
		Market::on_settled(peer, 6, false);
		at(8, 0);
		report(peer, 7, &[deal]);
		at_rest_of(8);
		Market::on_settled(peer, 7, false);
		// Nor has it the closing deposit's epoch.
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 10);
	});
}

#[test]
fn a_deal_that_is_stopped_keeps_who_failed_until_its_report_is_audited() {
	build_and_execute(|| {
		let (deal, peer) = silent_in(6);
		assert_ok!(fail(deal, peer));
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert!(Market::is_worker(peer, deal, 6));
		assert_eq!(row(deal).status, DealStatus::Ending { last: 6 });
		at_rest_of(7);
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
	});
}

#[test]
fn a_probe_of_a_worker_that_has_left_is_dropped() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, 0);
		report(peer, 6, &[deal]);
		probe(STRANGER, deal, peer);
		Market::on_commitment_over(peer, false);
		assert_eq!(workers(deal), vec![]);
		// Nobody has to wait for its deadline.
		assert_ok!(fail(deal, peer));
		System::assert_last_event(
			Event::<Test>::ProbeDropped {
				deal,
				peer,
				prober: STRANGER,
			}
			.into(),
		);
		assert_eq!(Balances::free_balance(STRANGER), FUNDS);
		assert_eq!(Exclusions::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_probe_is_of_one_assignment() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, LENGTHS.len - 2);
		probe(STRANGER, deal, peer);
		Market::on_commitment_over(peer, false);
		// It comes back, and is live before the deadline of the probe.
		run_matcher();
		go_live(peer, deal);
		at(8, PROBE_BLOCKS);
		assert_eq!(Market::assignments(peer)[0].probe, None);
		Market::fail_overdue(Market::moment(), &mut WeightMeter::new());
		assert_eq!(Probes::<Test>::iter().count(), 0);
		assert_eq!(status(deal, peer), WorkerStatus::Live { since: 8 });
		assert_eq!(held(HoldReason::Probe, STRANGER), 0);
	});
}

#[test]
fn a_deal_that_is_gone_gives_the_bond_back() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(6, 0);
		probe(STRANGER, deal, peer);
		Market::on_commitment_over(peer, false);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		at(6, OVER);
		Market::fail_overdue(Market::moment(), &mut WeightMeter::new());
		assert_eq!(Probes::<Test>::iter().count(), 0);
		assert_eq!(OpenProbes::<Test>::iter().count(), 0);
		assert_eq!(Balances::free_balance(STRANGER), FUNDS);
	});
}

#[test]
fn the_third_failure_in_a_row_closes_the_offer() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deals: Vec<_> = (0..3).map(|_| create(spec(1, 10), 90)).collect();
		run_matcher();
		deals.iter().for_each(|deal| go_live(peer, *deal));
		at(6, 0);
		deals.iter().for_each(|deal| probe(STRANGER, *deal, peer));
		at(6, OVER);
		Market::fail_overdue(Market::moment(), &mut WeightMeter::new());
		assert!(!Offers::<Test>::contains_key(peer));
		assert_eq!(held(HoldReason::OfferDeposit, PROVIDER), 0);
	});
}

#[test]
fn whoever_is_audited_answers_for_one_probe_that_is_over() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deals: Vec<_> = (0..3).map(|_| create(spec(1, 10), 90)).collect();
		run_matcher();
		deals.iter().for_each(|deal| go_live(peer, *deal));
		at(6, 0);
		deals[1..]
			.iter()
			.for_each(|deal| probe(STRANGER, *deal, peer));
		let drawn = || {
			let took = Market::on_drawn(peer);
			assert!(took.all_lte(Market::on_drawn_weight()));
			Probes::<Test>::iter().count()
		};
		at(6, PROBE_BLOCKS);
		assert_eq!(drawn(), 2);
		at(6, OVER);
		assert_eq!(drawn(), 1);
		System::assert_has_event(failed(deals[1], peer, 5, false));
		assert!(Probes::<Test>::contains_key(deals[2], peer));
		// One that works for nobody owes nothing.
		assert!(Market::on_drawn(peer_id(9)).all_lte(Market::on_drawn_weight()));
	});
}
