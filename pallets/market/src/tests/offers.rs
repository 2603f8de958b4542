//! Offers, and the order of the book.

use crate::{mock::*, Book, BookKey, Error, Event, HoldReason, KnownRegions, Offers};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	market::OfferTerms,
	peer::PeerId,
	traits::{Capacity, PeerUse},
	Balance, DealId, CPU_V1,
};
use proptest::prelude::*;

fn post(provider: u64, index: u8, terms: OfferTerms) -> sp_runtime::DispatchResult {
	Market::post_offer(RuntimeOrigin::signed(provider), peer_id(index), terms)
}

#[test]
fn an_offer_holds_its_deposit_and_gives_it_back() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 9);
		assert_eq!(held(HoldReason::OfferDeposit, PROVIDER), OFFER_DEPOSIT);
		assert!(Market::in_use(peer));
		assert_eq!(Book::<Test>::iter().count(), 1);

		assert_ok!(Market::withdraw_offer(
			RuntimeOrigin::signed(PROVIDER),
			peer
		));
		assert_eq!(held(HoldReason::OfferDeposit, PROVIDER), 0);
		assert_eq!(Balances::free_balance(PROVIDER), FUNDS);
		assert!(!Market::in_use(peer));
		assert_eq!(Offers::<Test>::iter().count(), 0);
		assert_eq!(Book::<Test>::iter().count(), 0);
		assert_eq!(KnownRegions::<Test>::iter().count(), 0);
	});
}

#[test]
fn every_bad_offer_has_its_own_error() {
	build_and_execute(|| {
		assert_noop!(post(PROVIDER, 1, terms(9)), Error::<Test>::UnknownPeer);
		let peer = register(1, PROVIDER, 4);
		assert_noop!(post(PROVIDER + 1, 1, terms(9)), Error::<Test>::NotProvider);
		assert_noop!(
			post(PROVIDER, 1, terms(1)),
			Error::<Test>::PriceBelowMinimum
		);
		let other = OfferTerms {
			class: CPU_V1 + 1,
			..terms(9)
		};
		assert_noop!(post(PROVIDER, 1, other), Error::<Test>::UnknownClass);
		assert_ok!(post(PROVIDER, 1, terms(9)));
		assert_noop!(post(PROVIDER, 1, terms(9)), Error::<Test>::OfferExists);

		let withdraw = |who| Market::withdraw_offer(RuntimeOrigin::signed(who), peer);
		assert_noop!(withdraw(PROVIDER + 1), Error::<Test>::NotProvider);
		assert_ok!(withdraw(PROVIDER));
		assert_noop!(withdraw(PROVIDER), Error::<Test>::NoOffer);

		let poor = 99;
		register(2, poor, 4);
		assert_noop!(post(poor, 2, terms(9)), Error::<Test>::FundsTooLow);
	});
}

/// A grid that is coarser than the mock's.
fn grid_of(tick: Balance) {
	let coarse = crate::MarketParams {
		ask_tick: tick,
		..params()
	};
	assert_ok!(Market::apply_params(coarse));
}

#[test]
fn a_new_ask_is_a_multiple_of_the_tick() {
	build_and_execute(|| {
		grid_of(5);
		register(1, PROVIDER, 4);
		for between in [4, 6, 9, 11, Balance::MAX - 1] {
			let refused = post(PROVIDER, 1, terms(between));
			assert_noop!(refused, Error::<Test>::AskOffTick);
		}
		// What is too low at all is told first.
		assert_noop!(
			post(PROVIDER, 1, terms(1)),
			Error::<Test>::PriceBelowMinimum
		);
		assert_ok!(post(PROVIDER, 1, terms(10)));
	});
}

#[test]
fn an_offer_keeps_its_ask_when_the_grid_changes() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 9);
		grid_of(5);
		let update = |terms| Market::update_offer(RuntimeOrigin::signed(PROVIDER), peer, terms);
		let open = OfferTerms {
			max_worker_bond: 77,
			..terms(9)
		};
		assert_ok!(update(open));
		assert_eq!(
			Offers::<Test>::get(peer).map(|offer| offer.terms),
			Some(open)
		);
		assert_noop!(update(terms(8)), Error::<Test>::AskOffTick);
		assert_noop!(update(terms(11)), Error::<Test>::AskOffTick);
		assert_ok!(update(terms(10)));
		assert_noop!(update(terms(9)), Error::<Test>::AskOffTick);
	});
}

#[test]
fn a_grid_without_distance_is_refused() {
	build_and_execute(|| {
		let none = crate::MarketParams {
			ask_tick: 0,
			..params()
		};
		assert!(Market::apply_params(none).is_err());
	});
}

#[test]
fn offers_in_odd_regions_keep_nobody_out() {
	build_and_execute(|| {
		for region in 0..64u16 {
			offer_with(region as u8, PROVIDER, 1, OfferTerms { region, ..terms(9) });
		}
		register(200, PROVIDER, 1);
		for region in [64, u16::MAX] {
			let terms = OfferTerms { region, ..terms(9) };
			assert_noop!(post(PROVIDER, 200, terms), Error::<Test>::UnknownRegion);
		}
		let last = OfferTerms {
			region: 63,
			..terms(9)
		};
		assert_ok!(post(PROVIDER, 200, last));
		assert_eq!(KnownRegions::<Test>::get(CPU_V1).len(), 64);
	});
}

#[test]
fn only_free_proven_units_stand_in_the_book() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 0, 9);
		assert_eq!(Book::<Test>::iter().count(), 0);
		// The next settlement sees them.
		leave_unsettled_with(peer, 4, 1);
		assert_eq!(Book::<Test>::iter().count(), 0);
		MockCapacity::settle(peer);
		assert_eq!(Book::<Test>::iter().count(), 1);
		// Taken, they leave it.
		create(spec(1, 9), 18);
		run_matcher();
		assert_eq!(Book::<Test>::iter().count(), 0);
	});
}

/// Lets assignments of a peer run out, at the start of an epoch.
fn lapse(peer: PeerId, deals: &[DealId]) {
	for deal in deals {
		let origin = RuntimeOrigin::signed(STRANGER);
		assert_ok!(Market::release_worker(origin, *deal, peer));
	}
}

fn order(deals: u32) -> Vec<DealId> {
	let ids = (0..deals).map(|_| create(spec(1, 9), 1_000)).collect();
	run_matcher();
	ids
}

fn lapses(peer: PeerId) -> Option<u32> {
	Offers::<Test>::get(peer).map(|offer| offer.lapses)
}

#[test]
fn three_assignments_in_a_row_that_come_to_nothing_close_the_offer() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 9);
		let deals = order(3);
		at(7, 0);
		lapse(peer, &deals[..2]);
		assert_eq!(lapses(peer), Some(2));
		lapse(peer, &deals[2..]);
		System::assert_last_event(Event::<Test>::OfferClosed { peer, offer: 1 }.into());
		assert_eq!(lapses(peer), None);
		assert_eq!(Balances::free_balance(PROVIDER), FUNDS);
		assert_eq!(Book::<Test>::iter().count(), 0);
		assert_eq!(KnownRegions::<Test>::iter().count(), 0);
		assert!(!Market::in_use(peer));
		// Whoever is back posts it again.
		assert_ok!(post(PROVIDER, 1, terms(9)));
		assert_eq!(lapses(peer), Some(0));
		assert_eq!(Book::<Test>::iter().count(), 1);
	});
}

#[test]
fn going_live_ends_the_row_and_a_missing_bond_goes_on_with_it() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 9);
		let first = order(2);
		at(7, 0);
		lapse(peer, &first);
		go_live(peer, order(1)[0]);
		assert_eq!(lapses(peer), Some(0));
		let second = order(2);
		at(9, 0);
		lapse(peer, &second);
		assert_eq!(lapses(peer), Some(2));
		let third = order(1)[0];
		let rest = Balances::free_balance(PROVIDER);
		let away = RuntimeOrigin::signed(PROVIDER);
		assert_ok!(Balances::transfer_keep_alive(away, STRANGER, rest - 50));
		go_live(peer, third);
		assert_eq!(lapses(peer), None);
		assert_eq!(held(HoldReason::OfferDeposit, PROVIDER), 0);
	});
}

#[test]
fn an_assignment_counts_for_the_offer_that_it_was_taken_from() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 9);
		let deals = order(1);
		assert_ok!(Market::withdraw_offer(
			RuntimeOrigin::signed(PROVIDER),
			peer
		));
		assert_ok!(post(PROVIDER, 1, terms(9)));
		at(7, 0);
		lapse(peer, &deals);
		assert_eq!(lapses(peer), Some(0));
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(32))]

	#[test]
	fn raw_key_order_is_the_order_of_region_price_and_age(
		offers in proptest::collection::vec((0u16..4, 2u128..1_000_000_000_000), 1..40),
	) {
		build_and_execute(|| {
			let mut expected = Vec::new();
			for (index, (region, ask)) in offers.iter().enumerate() {
				let terms = OfferTerms { region: *region, ..terms(*ask) };
				let peer = offer_with(index as u8, PROVIDER, 1, terms);
				let id = Offers::<Test>::get(peer).expect("just posted").id;
				expected.push((*region, *ask, id, peer));
			}
			expected.sort();
			let book: Vec<_> = Book::<Test>::iter().collect();
			let raw: Vec<_> = book.iter().map(|(key, _)| key.encode()).collect();
			assert!(raw.windows(2).all(|pair| pair[0] < pair[1]));
			let expected: Vec<_> = expected
				.into_iter()
				.map(|(region, ask, id, peer)| (BookKey::new(CPU_V1, region, (ask, id)), peer))
				.collect();
			assert_eq!(book, expected);
		});
	}
}

#[test]
fn an_offer_keeps_how_often_it_may_lapse() {
	build_and_execute(|| {
		let before = offer(1, PROVIDER, 4, 9);
		let strict = crate::MarketParams {
			max_lapses: 1,
			..params()
		};
		assert_ok!(Market::apply_params(strict));
		let deals = order(2);
		at(7, 0);
		lapse(before, &deals);
		assert_eq!(lapses(before), Some(2));
	});
}

#[test]
fn an_offer_that_may_not_lapse_is_closed_at_the_first_time() {
	build_and_execute(|| {
		let strict = crate::MarketParams {
			max_lapses: 1,
			..params()
		};
		assert_ok!(Market::apply_params(strict));
		let peer = offer(1, PROVIDER, 4, 9);
		let deals = order(1);
		at(7, 0);
		lapse(peer, &deals);
		assert_eq!(lapses(peer), None);
	});
}
