//! Offers, and the order of the book.

use crate::{mock::*, Book, BookKey, Error, HoldReason, KnownRegions, Offers};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{market::OfferTerms, traits::PeerUse, CPU_V1};
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

#[test]
fn a_class_stands_in_a_bounded_number_of_regions() {
	build_and_execute(|| {
		for region in 0..64u16 {
			offer_with(region as u8, PROVIDER, 1, OfferTerms { region, ..terms(9) });
		}
		register(200, PROVIDER, 1);
		let one_more = OfferTerms {
			region: 64,
			..terms(9)
		};
		assert_noop!(post(PROVIDER, 200, one_more), Error::<Test>::TooManyRegions);
		assert_ok!(post(
			PROVIDER,
			200,
			OfferTerms {
				region: 63,
				..terms(9)
			}
		));
	});
}

#[test]
fn only_free_proven_units_stand_in_the_book() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 0, 9);
		assert_eq!(Book::<Test>::iter().count(), 0);
		// The next settlement sees them.
		set_units(peer, 1);
		report_and_settle(peer, 4, &[]);
		assert_eq!(Book::<Test>::iter().count(), 1);
		// Taken, they leave it.
		create(spec(1, 9), 18);
		run_matcher();
		assert_eq!(Book::<Test>::iter().count(), 0);
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
