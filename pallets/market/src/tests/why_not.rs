//! Why offers are not taken, and why a deal looks for none.

use crate::{mock::*, Book, BookKey, Content, Reason};
use frame_support::assert_ok;
use millrace_primitives::{
	market::{DealSpec, OfferTerms},
	peer::PeerId,
	views::{Subject, WhyNot, MAX_QUOTED_OFFERS},
	DealId, CPU_V1, H256,
};

fn of_deal(deal: DealId, peer: Option<PeerId>) -> WhyNot {
	Market::why_not(Subject::Deal(deal), peer)
}

fn content(deal: DealId) -> Option<Content> {
	let why = of_deal(deal, None);
	// Whom one asks about makes no difference to it.
	assert_eq!(of_deal(deal, Some(peer_id(99))).content, why.content);
	why.content
}

/// The first reason against a peer for a deal.
fn reason(deal: DealId, peer: PeerId) -> Option<Reason> {
	let why = of_deal(deal, Some(peer));
	assert_eq!((why.looked_at, why.truncated), (1, false));
	assert_eq!(why.eligible == 0, why.reasons.len() == 1);
	why.reasons.first().map(|(reason, _)| *reason)
}

fn stop(deal: DealId) {
	assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
}

#[test]
fn reasons_are_counted_over_all_offers_whether_or_not_they_are_in_the_book() {
	build_and_execute(|| {
		let elsewhere = OfferTerms {
			region: 2,
			..terms(3)
		};
		let unable = OfferTerms {
			capabilities: 0b100,
			..terms(4)
		};
		offer(1, PROVIDER, 4, 9);
		offer(2, PROVIDER, 4, 8);
		offer_with(3, PROVIDER, 4, unable);
		offer_with(4, PROVIDER, 4, elsewhere);
		offer(5, PROVIDER, 4, 10);
		offer(6, PROVIDER, 0, 2);
		offer(7, PROVIDER, 0, 3);
		let order = DealSpec {
			regions: vec![1].try_into().expect("one fits"),
			capabilities: 0b011,
			..spec(1, 9)
		};
		let expected = WhyNot {
			looked_at: 7,
			truncated: false,
			eligible: 2,
			reasons: vec![
				(Reason::Unproven, 2),
				(Reason::OtherRegion, 1),
				(Reason::AboveCeiling, 1),
				(Reason::Capabilities, 1),
			],
			content: None,
		};
		assert_eq!(
			Market::why_not(Subject::Spec(order.clone()), None),
			expected
		);
		// A deal that looks gets the same answer.
		let deal = create(order, 18);
		assert_eq!(of_deal(deal, None), expected);
	});
}

#[test]
fn a_deal_knows_its_workers_and_whom_it_excludes() {
	build_and_execute(|| {
		let (first, second) = (offer(1, PROVIDER, 4, 5), offer(2, PROVIDER, 4, 6));
		let third = offer(3, PROVIDER + 1, 4, 7);
		let order = DealSpec {
			max_workers_per_provider: 1,
			..spec(2, 9)
		};
		let deal = create(order, 90);
		run_matcher();
		assert_eq!(workers(deal), vec![first, third]);
		assert_eq!(reason(deal, first), Some(Reason::AlreadyWorks));
		assert_eq!(reason(deal, second), Some(Reason::ProviderLimit));
		assert_eq!(content(deal), Some(Content::Filled));
		at(7, 0);
		let origin = || RuntimeOrigin::signed(STRANGER);
		assert_ok!(Market::release_worker(origin(), deal, first));
		assert_eq!(reason(deal, first), Some(Reason::Excluded));
		assert_eq!(reason(deal, second), None);
		assert_eq!(content(deal), None);
		// For others it is as good as before.
		assert_eq!(why_not(spec(1, 9), first), None);
	});
}

#[test]
fn whoever_has_given_notice_is_not_taken_by_the_deal_that_it_leaves() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 9, 9);
		at(6, 0);
		drain(peer, deal);
		// The deal looks for another in the meantime.
		assert_eq!(content(deal), None);
		assert_eq!(reason(deal, peer), Some(Reason::AlreadyWorks));
		at_rest_of(8);
		let origin = RuntimeOrigin::signed(STRANGER);
		assert_ok!(Market::release_worker(origin, deal, peer));
		assert_eq!(reason(deal, peer), Some(Reason::Excluded));
		// For others it is as good as before.
		assert_eq!(why_not(spec(1, 9), peer), None);
	});
}

#[test]
fn every_reason_of_a_deal_that_looks_for_nobody_has_a_name() {
	build_and_execute(|| {
		assert_eq!(content(0), Some(Content::UnknownDeal));
		assert_eq!(of_deal(0, None).looked_at, 0);

		let stopped = create(spec(1, 9), 18);
		assert_eq!(content(stopped), None);
		stop(stopped);
		assert_eq!(content(stopped), Some(Content::NotActive));

		let short = DealSpec {
			term_epochs: Some(1),
			..spec(1, 9)
		};
		let short = create(short, 18);
		assert_eq!(content(short), None);
		at(6, 0);
		assert_eq!(content(short), Some(Content::TermOver));
	});
}

#[test]
fn a_deal_that_cannot_pay_one_more_says_so() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deal = create(spec(2, 10), 40);
		run_matcher();
		go_live(peer, deal);
		at(6, 0);
		assert_eq!(content(deal), None);
		// Three epochs may be owed by now, and the next one.
		at(7, 0);
		assert_eq!(content(deal), Some(Content::EscrowTooLow));
		assert_ok!(Market::top_up(RuntimeOrigin::signed(STRANGER), deal, 10));
		assert_eq!(content(deal), None);
	});
}

#[test]
fn a_search_stops_at_its_bound_and_says_so() {
	new_test_ext().execute_with(|| {
		let last = offer(1, PROVIDER, 4, 9);
		let row = |n: u32| {
			let key = BookKey::new(CPU_V1, 1, (5, 100 + u64::from(n)));
			Book::<Test>::insert(key, PeerId(H256::from_low_u64_be(n.into())));
		};
		// Rows of peers without an offer, all of them cheaper than the one that has it.
		(1..MAX_QUOTED_OFFERS).for_each(row);
		let why = || Market::why_not(Subject::Spec(spec(1, 9)), None);
		let quote = || Market::quote(spec(1, 9), 0);
		assert_eq!(
			(why().looked_at, why().truncated),
			(MAX_QUOTED_OFFERS, false)
		);
		assert_eq!(why().eligible, 1);
		assert_eq!(quote().workers[0].peer, last);
		assert!(!quote().truncated);
		row(MAX_QUOTED_OFFERS);
		assert_eq!(
			(why().looked_at, why().truncated),
			(MAX_QUOTED_OFFERS, true)
		);
		assert_eq!(why().eligible, 0);
		assert!(quote().workers.is_empty() && quote().truncated);
	});
}
