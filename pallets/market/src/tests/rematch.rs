//! Rematch: a filled deal moves to cheaper workers, and is served in every epoch on the way.

use crate::{mock::*, *};
use frame_support::{assert_ok, weights::WeightMeter};
use millrace_primitives::{
	market::{DealSpec, OfferTerms, ProviderFilter, Worker, WorkerStatus},
	peer::PeerId,
	traits::{Capacity, WorkLedger},
	Balance, DealId, EpochIndex,
};
use sp_runtime::Perbill;

/// Where it is known who missed its report.
const ANSWER: u32 = LENGTHS.report_window + LENGTHS.fold_window;

/// An order for so many workers that moves to whoever is cheaper by a tenth.
fn moving_spec(target: u32, ceiling: Balance) -> DealSpec<u64> {
	DealSpec {
		rematch: Some(Perbill::from_percent(10)),
		..spec(target, ceiling)
	}
}

fn row(deal: DealId) -> Deal<u64> {
	Market::deal_of(deal).expect("it stands")
}

fn worker(deal: DealId, peer: PeerId) -> Worker {
	Workers::<Test>::get(deal, peer).expect("it works")
}

fn patrol() {
	Market::run_patrol(&mut WeightMeter::new());
}

/// A deal of an order, whose workers are live, one for each ask, since epoch 6.
fn live(order: DealSpec<u64>, escrow: Balance, asks: &[Balance]) -> (DealId, Vec<PeerId>) {
	let peers: Vec<_> = (1..)
		.zip(asks)
		.map(|(n, ask)| offer(n, PROVIDER, 1, *ask))
		.collect();
	let deal = create(order, escrow);
	run_matcher();
	peers.iter().for_each(|peer| go_live(*peer, deal));
	(deal, peers)
}

/// A deal with one worker at 100, and one that takes over from it at an ask, in epoch 7.
fn begun(ask: Balance) -> (DealId, PeerId, PeerId) {
	let (deal, peers) = live(moving_spec(1, 100), 900, &[100]);
	let cheap = offer(9, PROVIDER + 1, 1, ask);
	at(7, ANSWER);
	patrol();
	assert_eq!(row(deal).moving, Some(peers[0]));
	(deal, peers[0], cheap)
}

fn begins(deal: DealId, from: PeerId, to: PeerId) -> RuntimeEvent {
	Event::<Test>::RematchBegun { deal, from, to }.into()
}

fn notice_of_rematch(deal: DealId, peer: PeerId, last: EpochIndex) -> RuntimeEvent {
	let notice = Notice::Rematch;
	Event::<Test>::WorkerDraining {
		deal,
		peer,
		last,
		notice,
	}
	.into()
}

#[test]
fn a_deal_moves_to_a_cheaper_worker_and_no_epoch_lies_between() {
	build_and_execute(|| {
		let (deal, dear, cheap) = begun(90);
		System::assert_has_event(begins(deal, dear, cheap));
		assert_eq!((row(deal).workers, row(deal).live), (2, 1));
		// Whoever is to leave serves on, and is told nothing before the other is live.
		assert_eq!(worker(deal, dear).status, WorkerStatus::Live { since: 6 });
		at(8, 3);
		assert_ok!(Market::do_try_state());
		go_live(cheap, deal);
		System::assert_last_event(notice_of_rematch(deal, dear, 9));
		assert_eq!((row(deal).moving, row(deal).live), (None, 1));
		assert!(!Unfilled::<Test>::contains_key(DealKey::from(deal)));
		let rate = row(deal).rate;
		assert_eq!([8, 9, 10].map(|epoch| rate.at(epoch)), [100, 190, 90]);
		assert_ok!(Market::do_try_state());

		// Both are paid for epoch 9, and the cheaper one alone for all after it.
		for (epoch, peers) in [(9, vec![dear, cheap]), (10, vec![cheap])] {
			let before = row(deal).escrow;
			at(epoch + 1, 0);
			peers.iter().for_each(|peer| report(*peer, epoch, &[deal]));
			at_rest_of(epoch + 1);
			for peer in &peers {
				Market::on_settled(*peer, epoch, false);
			}
			patrol();
			assert_eq!(before - row(deal).escrow, rate.at(epoch));
		}
		assert_eq!(workers(deal), vec![cheap]);
		// Nobody is at fault.
		assert!(Exclusions::<Test>::get(deal).is_empty());
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
	});
}

#[test]
fn the_part_is_of_the_dearest_workers_price_and_rounded_against_a_move() {
	for (part, ask, most) in [
		(0, 100, 99),
		(10, 100, 90),
		(10, 99, 89),
		(10, 9, 8),
		(50, 3, 1),
		(100, 100, 0),
	] {
		let part = Perbill::from_percent(part);
		assert_eq!(Market::cheap_enough(part, ask), most, "{part:?} of {ask}");
	}
	for (ask, moves) in [(90, true), (91, false)] {
		build_and_execute(|| {
			let (deal, _) = live(moving_spec(1, 100), 900, &[100]);
			offer(9, PROVIDER, 1, ask);
			at(7, ANSWER);
			patrol();
			assert_eq!(row(deal).moving.is_some(), moves);
		});
	}
}

#[test]
fn who_did_not_order_it_keeps_its_workers() {
	build_and_execute(|| {
		let (deal, peers) = live(spec(1, 100), 900, &[100]);
		offer(9, PROVIDER, 1, 2);
		at(7, ANSWER);
		patrol();
		assert!(PatrolPlace::<Test>::get().all_priced);
		assert_eq!(workers(deal), peers);
	});
}

#[test]
fn the_dearest_goes_first_among_equals_the_youngest_and_one_at_a_time() {
	build_and_execute(|| {
		let (deal, peers) = live(moving_spec(3, 100), 9_000, &[50, 100, 100]);
		let cheap = [8, 9].map(|index| offer(index, PROVIDER, 1, 40));
		at(7, ANSWER);
		patrol();
		assert_eq!(row(deal).moving, Some(peers[2]));
		// Of the cheapest offers the oldest.
		assert!(matches!(
			worker(deal, cheap[0]).status,
			WorkerStatus::Assigned { .. }
		));
		go_live(cheap[0], deal);
		// As long as one leaves, no other has to.
		for epoch in [8, 9] {
			at(epoch, ANSWER);
			patrol();
			assert_eq!(row(deal).moving, None);
		}
		at_rest_of(9);
		assert_ok!(Market::release_worker(
			RuntimeOrigin::signed(STRANGER),
			deal,
			peers[2]
		));
		at(10, ANSWER);
		patrol();
		assert_eq!(row(deal).moving, Some(peers[1]));
	});
}

#[test]
fn whoever_does_not_go_live_lapses_and_the_deal_stays_as_it_was() {
	build_and_execute(|| {
		let (deal, dear, cheap) = begun(50);
		at(9, 0);
		run_matcher();
		assert_eq!(workers(deal), vec![dear]);
		System::assert_last_event(
			Event::<Test>::WorkerReleased {
				deal,
				peer: cheap,
				reason: ReleaseReason::NotLive,
			}
			.into(),
		);
		assert_eq!(worker(deal, dear).status, WorkerStatus::Live { since: 6 });
		assert_eq!((row(deal).moving, row(deal).pledged), (None, 0));
		assert!(!Unfilled::<Test>::contains_key(DealKey::from(deal)));
		// It failed this deal, so that the next search passes it over.
		at(9, ANSWER);
		patrol();
		assert_eq!(row(deal).moving, None);
	});
}

#[test]
fn without_a_matcher_anybody_lets_it_lapse() {
	build_and_execute(|| {
		let (deal, dear, cheap) = begun(50);
		at(9, 0);
		assert_ok!(Market::release_worker(
			RuntimeOrigin::signed(STRANGER),
			deal,
			cheap
		));
		assert_eq!((workers(deal), row(deal).moving), (vec![dear], None));
	});
}

#[test]
fn the_matcher_takes_nobody_else_for_a_place_that_is_taken_over() {
	build_and_execute(|| {
		let (deal, ..) = begun(50);
		offer(8, PROVIDER + 2, 1, 2);
		assert_ok!(Market::match_deal(RuntimeOrigin::signed(STRANGER), deal));
		run_matcher();
		assert_eq!(row(deal).workers, 2);
		assert_ok!(Market::top_up(RuntimeOrigin::signed(STRANGER), deal, 100));
		run_matcher();
		assert_eq!(row(deal).workers, 2);
		assert!(row(deal).moving.is_some());
	});
}

#[test]
fn a_place_that_falls_free_is_the_cheaper_ones() {
	// The one that was to make room, and another one.
	for leaves in [0, 1] {
		build_and_execute(|| {
			let (deal, peers) = live(moving_spec(2, 100), 9_000, &[100, 80]);
			let cheap = offer(9, PROVIDER + 1, 1, 50);
			at(7, ANSWER);
			patrol();
			assert_eq!(row(deal).moving, Some(peers[0]));
			drain(peers[leaves], deal);
			assert_eq!(row(deal).moving, None);
			run_matcher();
			// It is enough for the place.
			assert_eq!(row(deal).workers, 3);
			go_live(cheap, deal);
			let stays = worker(deal, peers[1 - leaves]).status;
			assert_eq!(stays, WorkerStatus::Live { since: 6 });
			assert_eq!((row(deal).live, row(deal).draining), (2, 1));
		});
	}
}

#[test]
fn whoever_is_lost_on_the_way_leaves_the_cheaper_one_in_its_place() {
	build_and_execute(|| {
		let (deal, dear, cheap) = begun(50);
		miss(dear, 7);
		at(8, ANSWER);
		patrol();
		assert_eq!((workers(deal), row(deal).moving), (vec![cheap], None));
		go_live(cheap, deal);
		assert_eq!((row(deal).live, row(deal).draining), (1, 0));
	});
}

#[test]
fn the_owner_can_refuse_the_cheaper_one() {
	build_and_execute(|| {
		let (deal, dear, cheap) = begun(50);
		assert_ok!(Market::end_worker(
			RuntimeOrigin::signed(CLIENT),
			deal,
			cheap
		));
		assert_eq!((workers(deal), row(deal).moving), (vec![dear], None));
		at(8, ANSWER);
		patrol();
		assert_eq!(row(deal).moving, None);
	});
}

#[test]
fn a_new_size_lets_the_cheaper_one_go() {
	for target in [1, 2] {
		build_and_execute(|| {
			let (deal, dear, cheap) = begun(50);
			assert_ok!(Market::resize(
				RuntimeOrigin::signed(CLIENT),
				deal,
				1,
				target
			));
			assert_eq!((workers(deal), row(deal).moving), (vec![dear], None));
			run_matcher();
			// Who looks for more finds it again.
			let found = if target == 2 {
				vec![dear, cheap]
			} else {
				vec![dear]
			};
			assert_eq!(workers(deal), found);
		});
	}
}

#[test]
fn a_stop_and_grace_end_a_move() {
	build_and_execute(|| {
		let (deal, _, cheap) = begun(50);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert!(!workers(deal).contains(&cheap));
		assert_eq!(row(deal).moving, None);
	});
	build_and_execute(|| {
		let (deal, dear, _) = begun(50);
		let set_escrow = |escrow| {
			Deals::<Test>::mutate(DealKey::from(deal), |stored| {
				stored.as_mut().expect("it stands").escrow = escrow;
			});
		};
		set_escrow(0);
		assert_ok!(Market::begin_grace(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!((workers(deal), row(deal).moving), (vec![dear], None));
		set_escrow(900);
	});
}

#[test]
fn a_move_begins_only_where_the_overlap_is_affordable() {
	// Five epochs at 100: the one that is closed, as if none of it were paid, and 6 to 9. Two at 50.
	let least = 5 * 100 + 2 * 50;
	for (escrow, moves) in [(least, true), (least - 1, false)] {
		build_and_execute(|| {
			let (deal, _) = live(moving_spec(1, 100), escrow, &[100]);
			offer(9, PROVIDER, 1, 50);
			at(7, ANSWER);
			patrol();
			assert_eq!(row(deal).moving.is_some(), moves, "with {escrow}");
		});
	}
}

#[test]
fn a_move_begins_only_where_the_term_reaches_beyond_the_overlap() {
	for (term, moves) in [(4, false), (5, true)] {
		build_and_execute(|| {
			let order = DealSpec {
				term_epochs: Some(term),
				..moving_spec(1, 100)
			};
			let (deal, _) = live(order, 900, &[100]);
			offer(9, PROVIDER, 1, 50);
			// Created in epoch 5, so that the term ends with epoch 9 or 10.
			at(7, ANSWER);
			patrol();
			assert_eq!(row(deal).moving.is_some(), moves, "of {term}");
		});
	}
}

#[test]
fn the_test_of_an_offer_is_the_matchers() {
	build_and_execute(|| {
		let order = DealSpec {
			max_workers_per_provider: 1,
			worker_bond: 100,
			providers: ProviderFilter::Deny(vec![PROVIDER + 5].try_into().expect("one fits")),
			..moving_spec(1, 100)
		};
		let (deal, _) = live(order, 900, &[100]);
		// Of the same provider, of one that is denied, without the bond, without a free unit.
		offer(2, PROVIDER, 1, 2);
		offer(3, PROVIDER + 5, 1, 3);
		let stingy = OfferTerms {
			max_worker_bond: 99,
			..terms(4)
		};
		offer_with(4, PROVIDER + 1, 1, stingy);
		offer(5, PROVIDER + 1, 0, 5);
		let fits = offer(6, PROVIDER + 2, 1, 60);
		at(7, ANSWER);
		patrol();
		assert!(workers(deal).contains(&fits));
	});
}

#[test]
fn an_offer_that_is_not_settled_is_settled_before_it_is_looked_at() {
	build_and_execute(|| {
		let (deal, _) = live(moving_spec(1, 100), 900, &[100]);
		let cheap = offer(9, PROVIDER + 1, 1, 50);
		leave_unsettled_with(cheap, 6, 0);
		at_rest_of(7);
		patrol();
		assert!(MockCapacity::is_settled(cheap));
		assert_eq!(row(deal).moving, None, "it proved nothing");
	});
}

/// A search goes on where the weight ran out, each step looks at one offer at least, and after 64 it is
/// over for the epoch.
#[test]
fn a_search_is_bounded_and_goes_on_where_the_weight_ran_out() {
	build_and_execute(|| {
		let (deal, _) = live(moving_spec(1, 100), 900, &[100]);
		// Too small for the deal's bond.
		let stingy = OfferTerms {
			max_worker_bond: 1,
			..terms(3)
		};
		for index in 10..10 + MAX_LOOKS_PER_VISIT as u8 {
			offer_with(index, PROVIDER + 1, 1, stingy);
		}
		let fits = offer(9, PROVIDER + 2, 1, 60);
		at(7, ANSWER);
		// Enough for what a search begins with, and for a few offers more in each block.
		let visits = <() as WeightInfo>::patrol_visit().saturating_mul(2);
		let few = <() as WeightInfo>::look().saturating_mul(2);
		let limit = Market::search_step_weight(1)
			.saturating_add(visits)
			.saturating_add(few);
		let (mut blocks, mut looks) = (0, 0);
		while !PatrolPlace::<Test>::get().all_priced {
			let mut meter = WeightMeter::with_limit(limit);
			Market::run_patrol(&mut meter);
			let seen = PatrolPlace::<Test>::get()
				.search
				.map_or(looks, |search| search.looks);
			assert!(seen > looks || PatrolPlace::<Test>::get().all_priced || blocks == 0);
			assert!(seen <= MAX_LOOKS_PER_VISIT);
			(looks, blocks) = (seen, blocks + 1);
			assert!(blocks <= MAX_LOOKS_PER_VISIT + 2);
			assert_ok!(Market::do_try_state());
		}
		assert!(blocks > 1, "it was interrupted");
		assert_eq!(row(deal).moving, None);
		// With one less in its way it is found in the next epoch.
		assert_ok!(Market::withdraw_offer(
			RuntimeOrigin::signed(PROVIDER + 1),
			peer_id(10)
		));
		at(8, ANSWER);
		patrol();
		assert!(workers(deal).contains(&fits));
	});
}

#[test]
fn the_search_comes_after_the_patrol_of_all_deals() {
	build_and_execute(|| {
		let (deal, peers) = live(moving_spec(1, 100), 900, &[100]);
		let (lost, silent) = live_deal(2, 200, 9);
		miss(silent, 6);
		offer(9, PROVIDER, 1, 50);
		at(7, ANSWER);
		// Enough for one worker and what finishes its deal.
		let limit = <() as WeightInfo>::patrol_visit()
			.saturating_add(<() as WeightInfo>::patrol_deal(1))
			.saturating_mul(3)
			.saturating_add(<() as WeightInfo>::patrol_worker())
			.saturating_add(MockCapacity::settle_weight());
		let mut blocks = 0;
		while !PatrolPlace::<Test>::get().done {
			assert_eq!(row(deal).moving, None);
			Market::run_patrol(&mut WeightMeter::with_limit(limit));
			blocks += 1;
		}
		assert!(blocks > 1 && workers(lost).is_empty());
		patrol();
		assert_eq!(row(deal).moving, Some(peers[0]));
	});
}

#[test]
fn a_deal_is_held_against_the_book_once_an_epoch() {
	build_and_execute(|| {
		let (deal, peers) = live(moving_spec(1, 100), 900, &[100]);
		at(7, ANSWER);
		patrol();
		assert!(PatrolPlace::<Test>::get().all_priced);
		offer(9, PROVIDER, 1, 50);
		at_rest_of(7);
		patrol();
		assert_eq!(row(deal).moving, None);
		at(8, ANSWER);
		patrol();
		assert_eq!(row(deal).moving, Some(peers[0]));
	});
}
