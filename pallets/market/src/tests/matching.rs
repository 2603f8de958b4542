//! Matching: the cheapest eligible offers win, as a naive matcher would choose them.

use crate::{mock::*, Cursor, Error, Reason, Unfilled, WeightInfo};
use frame_support::{
	assert_noop, assert_ok,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	market::{DealSpec, OfferTerms, ProviderFilter},
	peer::PeerId,
	traits::Capacity,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
struct Candidate {
	provider: u64,
	units: u32,
	terms: OfferTerms,
}

fn candidate() -> impl Strategy<Value = Candidate> {
	(
		0..PROVIDERS,
		0u32..5,
		0u16..4,
		2u128..20,
		0u64..8,
		0u128..200,
	)
		.prop_map(
			|(provider, units, region, ask, capabilities, max_worker_bond)| Candidate {
				provider: PROVIDER + provider,
				units,
				terms: OfferTerms {
					region,
					capabilities,
					max_worker_bond,
					..terms(ask)
				},
			},
		)
}

fn filter() -> impl Strategy<Value = ProviderFilter<u64>> {
	let listed = proptest::collection::vec(PROVIDER..PROVIDER + PROVIDERS, 0..4);
	(0..3, listed).prop_map(|(kind, listed)| match kind {
		0 => ProviderFilter::Any,
		1 => ProviderFilter::Allow(listed.try_into().expect("four fit")),
		_ => ProviderFilter::Deny(listed.try_into().expect("four fit")),
	})
}

fn order() -> impl Strategy<Value = DealSpec<u64>> {
	let regions = proptest::collection::vec(0u16..4, 0..3);
	(
		(1u32..6, 1u32..4, 1u32..4),
		2u128..20,
		0u64..8,
		0u128..200,
		regions,
		filter(),
	)
		.prop_map(
			|((target, units, per_provider), ceiling, capabilities, bond, regions, providers)| {
				DealSpec {
					units_per_worker: units,
					max_workers_per_provider: per_provider,
					capabilities,
					worker_bond: bond,
					regions: regions.try_into().expect("three fit"),
					providers,
					..spec(target, ceiling)
				}
			},
		)
}

/// Sorts everything and takes what fits: the rule without a book.
fn naive(offers: &[(PeerId, Candidate)], spec: &DealSpec<u64>) -> Vec<PeerId> {
	let mut sorted: Vec<_> = offers.iter().enumerate().collect();
	sorted.sort_by_key(|(age, (_, offer))| (offer.terms.ask, *age));
	let mut seats = BTreeMap::<u64, u32>::new();
	let mut taken = Vec::new();
	for (_, (peer, offer)) in sorted {
		let listed = match &spec.providers {
			ProviderFilter::Any => true,
			ProviderFilter::Allow(listed) => listed.contains(&offer.provider),
			ProviderFilter::Deny(listed) => !listed.contains(&offer.provider),
		};
		let seat = seats.entry(offer.provider).or_default();
		let fits = listed
			&& offer.terms.ask <= spec.price_ceiling
			&& (spec.regions.is_empty() || spec.regions.contains(&offer.terms.region))
			&& offer.terms.capabilities & spec.capabilities == spec.capabilities
			&& offer.terms.max_worker_bond >= spec.worker_bond
			&& offer.units >= spec.units_per_worker
			&& *seat < spec.max_workers_per_provider;
		if fits && taken.len() < spec.target_workers as usize {
			*seat += 1;
			taken.push(*peer);
		}
	}
	taken
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(96))]

	#[test]
	fn what_is_matched_is_what_was_quoted_and_what_a_naive_matcher_takes(
		candidates in proptest::collection::vec(candidate(), 0..24),
		spec in order(),
	) {
		build_and_execute(|| {
			let offers: Vec<_> = candidates
				.into_iter()
				.enumerate()
				.map(|(index, offer)| {
					let index = index as u8;
					(offer_with(index, offer.provider, offer.units, offer.terms), offer)
				})
				.collect();
			let expected = naive(&offers, &spec);
			let quote = Market::quote(spec.clone(), 1_000);
			let quoted: Vec<_> = quote.workers.iter().map(|offer| offer.peer).collect();
			assert_eq!(quoted, expected);
			assert!(!quote.truncated);
			let paid = quote.paid_epochs.map(u128::from);
			assert_eq!(paid, 1_000u128.checked_div(quote.epoch_price));
			assert!(quote.workers.windows(2).all(|pair| {
				(pair[0].terms.ask, pair[0].offer) < (pair[1].terms.ask, pair[1].offer)
			}));

			let deal = create(spec.clone(), quote.min_escrow);
			run_matcher();
			let mut matched = Market::worker_rows(deal);
			matched.sort_by_key(|worker| (worker.ask, worker.offer));
			let price: u128 = matched.iter().map(|worker| worker.epoch_price()).sum();
			assert_eq!(price, quote.epoch_price);
			let matched: Vec<_> = matched.into_iter().map(|worker| worker.peer).collect();
			assert_eq!(matched, expected);
		});
	}
}

#[test]
fn every_reason_against_an_offer_has_a_name() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 2, 9);
		let why = |change: fn(&mut DealSpec<u64>)| {
			let mut spec = spec(1, 9);
			change(&mut spec);
			why_not(spec, peer)
		};
		assert_eq!(why(|_| {}), None);
		assert_eq!(why(|spec| spec.class = 2), Some(Reason::OtherClass));
		assert_eq!(
			why(|spec| spec.regions = vec![2].try_into().expect("one fits")),
			Some(Reason::OtherRegion)
		);
		assert_eq!(
			why(|spec| spec.price_ceiling = 8),
			Some(Reason::AboveCeiling)
		);
		assert_eq!(
			why(|spec| spec.capabilities = 0b1000),
			Some(Reason::Capabilities)
		);
		assert_eq!(why(|spec| spec.worker_bond = 1_001), Some(Reason::Bond));
		assert_eq!(
			why(|spec| spec.providers = ProviderFilter::Allow(Default::default())),
			Some(Reason::ProviderFilter)
		);
		assert_eq!(
			why(|spec| spec.units_per_worker = 3),
			Some(Reason::TooFewUnits)
		);
		set_units(peer, 0);
		assert_eq!(why(|_| {}), Some(Reason::Unproven));
		assert_eq!(why_not(spec(1, 9), peer_id(2)), Some(Reason::NoOffer));
	});
}

#[test]
fn a_peer_works_for_as_many_deals_as_one_report_holds() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 100, 9);
		for _ in 0..64 {
			create(spec(1, 9), 18);
		}
		run_matcher();
		assert_eq!(why_not(spec(1, 9), peer), Some(Reason::TooManyDeals));
		let one_more = create(spec(1, 9), 18);
		run_matcher();
		assert_eq!(workers(one_more), vec![]);
	});
}

#[test]
fn a_peer_that_proves_nothing_any_more_leaves_the_book() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 9);
		leave_unsettled_with(peer, 4, 0);
		let deal = create(spec(1, 9), 18);
		run_matcher();
		assert_eq!(workers(deal), vec![]);
		assert_eq!(crate::Book::<Test>::iter().count(), 0);
	});
}

#[test]
fn an_offer_stays_in_the_book_until_it_is_known_what_was_proven() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 9);
		leave_unsettled(peer, 3);
		leave_unsettled(peer, 4);
		let deal = create(spec(1, 9), 18);
		// One look settles one of the two epochs.
		run_matcher();
		assert_eq!(workers(deal), vec![]);
		assert_eq!(crate::Book::<Test>::iter().count(), 1);
		assert_ok!(Market::match_deal(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!(workers(deal), vec![peer]);
	});
}

#[test]
fn what_is_not_settled_counts_as_unproven() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 9);
		(0..3).for_each(|epoch| leave_unsettled(peer, epoch));
		for expected in [Some(Reason::Unproven), Some(Reason::Unproven), None] {
			assert_eq!(why_not(spec(1, 9), peer), expected);
		}
	});
}

#[test]
fn a_peer_is_settled_before_it_is_looked_at() {
	build_and_execute(|| {
		let (earning, peer) = live_deal(1, 10, 4);
		at_rest_of(7);
		report(peer, 6, &[earning]);
		leave_unsettled(peer, 6);
		create(spec(1, 10), 20);
		run_matcher();
		assert_eq!(Market::deal_of(earning).expect("it stands").escrow, 30);
	});
}

#[test]
fn a_settlement_consumes_what_it_took_and_begins_only_with_its_bound() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 9);
		leave_unsettled(peer, 4);
		let deal = create(spec(1, 9), 18);
		let before =
			<() as WeightInfo>::visit() + <() as WeightInfo>::walk(1) + <() as WeightInfo>::look();
		let bound = before + MockCapacity::settle_weight();
		let mut meter = WeightMeter::with_limit(bound - Weight::from_parts(1, 0));
		Market::run_matcher(&mut meter);
		assert!(!MockCapacity::is_settled(peer));

		let mut meter = WeightMeter::with_limit(bound);
		Market::run_matcher(&mut meter);
		assert_eq!(workers(deal), vec![peer]);
		// Besides, it looked for the deal after this one.
		let settled = <() as WeightInfo>::on_settled(0) + <() as WeightInfo>::visit();
		assert_eq!(meter.consumed(), before + settled);
	});
}

#[test]
fn a_provider_without_the_bond_is_not_matched() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 9);
		let away = FUNDS - OFFER_DEPOSIT - EXISTENTIAL_DEPOSIT - 99;
		let provider = RuntimeOrigin::signed(PROVIDER);
		assert_ok!(Balances::transfer_keep_alive(provider, STRANGER, away));
		assert_eq!(why_not(spec(1, 9), peer), Some(Reason::Bond));
		let stranger = RuntimeOrigin::signed(STRANGER);
		assert_ok!(Balances::transfer_keep_alive(stranger, PROVIDER, 1));
		assert_eq!(why_not(spec(1, 9), peer), None);
	});
}

#[test]
fn anybody_lets_a_deal_be_matched_for_a_fee() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 9);
		let deal = create(spec(1, 9), 18);
		let origin = || RuntimeOrigin::signed(STRANGER);
		assert_ok!(Market::match_deal(origin(), deal));
		assert_eq!(workers(deal), vec![peer]);
		assert_noop!(
			Market::match_deal(origin(), deal + 1),
			Error::<Test>::UnknownDeal
		);
		go_live(peer, deal);
		assert_noop!(
			Market::match_deal(origin(), deal),
			Error::<Test>::DealIsFilled
		);
	});
}

#[test]
fn the_cursor_goes_when_the_queue_is_empty() {
	build_and_execute(|| {
		let (_, _) = live_deal(1, 9, 2);
		run_matcher();
		assert_eq!(Unfilled::<Test>::iter().count(), 0);
		assert_eq!(Cursor::<Test>::get(), None);
	});
}
