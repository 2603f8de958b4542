//! Changes of an offer's terms.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResultWithPostInfo};
use millrace_primitives::{
	market::{OfferTerms, Worker, WorkerStatus},
	peer::PeerId,
	DealId, CPU_V1,
};

fn update(who: u64, peer: PeerId, terms: OfferTerms) -> DispatchResultWithPostInfo {
	Market::update_offer(RuntimeOrigin::signed(who), peer, terms)
}

fn release(deal: DealId, peer: PeerId) -> DispatchResultWithPostInfo {
	Market::release_worker(RuntimeOrigin::signed(STRANGER), deal, peer)
}

fn worker(deal: DealId, peer: PeerId) -> Worker {
	Workers::<Test>::get(deal, peer).expect("it works")
}

fn book() -> Vec<(BookKey, PeerId)> {
	Book::<Test>::iter().collect()
}

#[test]
fn a_raise_is_notice_to_all_live_workers_and_to_nobody_else() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deals: Vec<_> = (0..4).map(|_| create(spec(1, 20), 400)).collect();
		run_matcher();
		let (live, assigned, stopped) = (&deals[..2], deals[2], deals[3]);
		live.iter().for_each(|deal| go_live(peer, *deal));
		go_live(peer, stopped);
		at(6, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), stopped));
		let weight = update(PROVIDER, peer, terms(11)).expect("all is right");
		let expected = <() as WeightInfo>::update_offer(4);
		assert_eq!(weight.actual_weight, Some(expected));
		for deal in live {
			System::assert_has_event(
				Event::<Test>::WorkerDraining {
					deal: *deal,
					peer,
					last: 7,
					notice: Notice::Raise,
				}
				.into(),
			);
			let status = WorkerStatus::Draining { since: 6, last: 7 };
			let worker = worker(*deal, peer);
			assert_eq!((worker.status, worker.ask), (status, 10));
		}
		System::assert_last_event(
			Event::<Test>::OfferUpdated {
				peer,
				offer: 1,
				ask: 11,
			}
			.into(),
		);
		let status = WorkerStatus::Live { since: 6 };
		assert_eq!(worker(stopped, peer).status, status);
		// The unit of the deal that ends is free; who gave notice for another price is kept from none.
		let place = BookKey::new(CPU_V1, 1, (11, 1));
		assert_eq!(book(), vec![(place, peer)]);
		assert_eq!(Exclusions::<Test>::iter().count(), 0);

		// The one that is not live yet keeps its price.
		go_live(peer, assigned);
		let kept = worker(assigned, peer);
		assert_eq!(
			(kept.status, kept.ask),
			(WorkerStatus::Live { since: 7 }, 10)
		);
		at_rest_of(8);
		assert_ok!(release(live[0], peer));
		run_matcher();
		assert_eq!(worker(live[0], peer).ask, 11);
	});
}

#[test]
fn a_raise_moves_the_offer_in_the_book_at_once_and_leaves_the_dearer_workers_alone() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 20);
		let dear = create(spec(1, 20), 400);
		run_matcher();
		go_live(peer, dear);
		assert_ok!(update(PROVIDER, peer, terms(10)));
		let cheap = create(spec(1, 20), 400);
		run_matcher();
		go_live(peer, cheap);
		at(6, 0);
		let status_of = |deal| worker(deal, peer).status;
		let leaves = WorkerStatus::Draining { since: 6, last: 7 };
		for (ask, status) in [
			// No more than what the one pays, and more than the other does.
			(20, WorkerStatus::Live { since: 6 }),
			(21, leaves),
		] {
			assert_ok!(update(PROVIDER, peer, terms(ask)));
			assert_eq!((status_of(dear), status_of(cheap)), (status, leaves));
			assert_eq!(book(), vec![(BookKey::new(CPU_V1, 1, (ask, 1)), peer)]);
		}
	});
}

#[test]
fn other_changes_of_an_offer_move_it_in_the_book_and_disturb_no_worker() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		let elsewhere = OfferTerms {
			region: 2,
			..terms(8)
		};
		let weight = update(PROVIDER, peer, elsewhere).expect("all is right");
		let expected = <() as WeightInfo>::update_offer(0);
		assert_eq!(weight.actual_weight, Some(expected));
		let kept = worker(deal, peer);
		assert_eq!(
			(kept.status, kept.ask),
			(WorkerStatus::Live { since: 6 }, 10)
		);
		assert_eq!(book(), vec![(BookKey::new(CPU_V1, 2, (8, 1)), peer)]);
		let regions = KnownRegions::<Test>::get(CPU_V1).into_inner();
		assert_eq!(regions, vec![(2, 1)]);
		// The same ask is no raise either.
		assert_ok!(update(PROVIDER, peer, terms(8)));
		assert_eq!(worker(deal, peer), kept);
		assert_ok!(Market::withdraw_offer(
			RuntimeOrigin::signed(PROVIDER),
			peer
		));
		assert_eq!(Book::<Test>::iter().count(), 0);
		assert_eq!(KnownRegions::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_deal_that_sleeps_sees_an_offer_that_has_become_cheaper() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 10);
		let deal = create(spec(1, 9), 90);
		run_matcher();
		assert_ok!(update(PROVIDER, peer, terms(9)));
		System::set_block_number(System::block_number() + RETRY_BLOCKS);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
		assert_eq!(worker(deal, peer).ask, 9);
	});
}

#[test]
fn every_bad_update_has_its_own_error() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 9);
		let bad = |terms| update(PROVIDER, peer, terms);
		assert_noop!(
			update(PROVIDER, peer_id(2), terms(9)),
			Error::<Test>::NoOffer
		);
		assert_noop!(
			update(PROVIDER + 1, peer, terms(9)),
			Error::<Test>::NotProvider
		);
		let other = OfferTerms {
			class: CPU_V1 + 1,
			..terms(9)
		};
		assert_noop!(bad(other), Error::<Test>::ClassChanged);
		let nowhere = OfferTerms {
			region: 64,
			..terms(9)
		};
		assert_noop!(bad(nowhere), Error::<Test>::UnknownRegion);
		assert_noop!(bad(terms(1)), Error::<Test>::PriceBelowMinimum);
	});
}
