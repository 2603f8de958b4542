//! Views that daemons and clients read.

use crate::{mock::*, DealKey, Deals};
use millrace_primitives::{
	execution::{CallTerms, ARBITRATION_GAS, PROFILE_V1, UNVERIFIED},
	market::{DealSpec, DealStatus, WorkerStatus},
	peer::Endpoint,
};

#[test]
fn a_deal_is_seen_with_its_workers() {
	build_and_execute(|| {
		let (id, peer) = live_deal(1, 10, 9);
		let endpoint = Endpoint::try_from(b"http://one.example".to_vec()).expect("short");
		let view = Market::deal_view(id, |_| Some((endpoint.clone(), [3; 32]))).expect("it stands");
		assert_eq!((view.deal, view.owner, view.created), (id, CLIENT, 5));
		assert_eq!((view.escrow, view.closing_deposit), (90, 10));
		assert_eq!((view.paid, view.burnt, view.paid_until), (0, 0, 14));
		assert_eq!(view.workers.len(), 1);
		assert_eq!(view.workers[0].worker.peer, peer);
		assert_eq!(view.workers[0].endpoint, endpoint);
		assert!(Market::deal_view(id, |_| None)
			.expect("it stands")
			.workers
			.is_empty());
		assert!(Market::deal_view(id + 1, |_| None).is_none());
		assert_eq!(Market::deal_views(None, 0, 10, |_| None).len(), 1);
		let terms = call_terms(id).expect("it stands");
		let spec = view.spec;
		assert_eq!(
			terms,
			CallTerms::new(id, &spec.package, spec.limits, spec.hosts)
		);
		assert!(terms.is_verifiable());
		// What a worker signs is what the chain judges by.
		let assignments = Market::assignments(peer);
		assert_eq!(assignments[0].terms(), terms);
	});
}

#[test]
fn a_deal_keeps_the_profile_of_its_creation() {
	build_and_execute(|| {
		let (id, peer) = live_deal(1, 10, 9);
		// As if the chain replayed less when it was created.
		let profile = PROFILE_V1 | UNVERIFIED;
		Deals::<Test>::mutate(DealKey::from(id), |deal| {
			deal.as_mut().expect("it stands").profile = profile;
		});
		let terms = call_terms(id).expect("it stands");
		assert!(terms.is_verifiable());
		assert_eq!(terms.profile, profile);
		assert_eq!(Market::assignments(peer)[0].terms(), terms);
		let view = Market::deal_view(id, |_| None).expect("it stands");
		assert_eq!(view.call_terms(), terms);
		// Orders of today are not touched by it.
		let next = create(spec(1, 10), 90);
		let terms = call_terms(next).expect("it stands");
		assert_eq!(terms.profile, PROFILE_V1);
	});
}

#[test]
fn a_peer_sees_what_it_is_assigned_to() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deal = create(spec(1, 10), 90);
		assert!(Market::assignments(peer).is_empty());
		run_matcher();
		let assignments = Market::assignments(peer);
		assert_eq!(assignments.len(), 1);
		assert_eq!(assignments[0].deal, deal);
		assert_eq!(assignments[0].status, DealStatus::Active);
		assert_eq!(
			assignments[0].worker.status,
			WorkerStatus::Assigned { deadline: 6 }
		);
	});
}

#[test]
fn a_quote_says_whether_the_chain_can_replay_every_call() {
	build_and_execute(|| {
		let mut order = spec(1, 10);
		order.limits.gas = ARBITRATION_GAS;
		assert!(Market::quote(order.clone(), 0).verifiable);
		order.limits.gas += 1;
		assert!(!Market::quote(order, 0).verifiable);
	});
}

#[test]
fn a_quote_names_the_escrow_that_is_asked_for() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 7);
		let quote = Market::quote(spec(2, 10), 40);
		assert_eq!((quote.min_escrow, quote.closing_deposit), (40, 20));
		assert_eq!(
			(quote.epoch_price, quote.looked_at, quote.truncated),
			(7, 1, false)
		);
		assert_eq!(quote.workers[0].peer, peer);
		assert_eq!(quote.workers[0].free_units, 4);
		assert_eq!(quote.paid_epochs, Some(5));
	});
}

#[test]
fn a_quote_says_for_how_many_epochs_an_escrow_lasts() {
	build_and_execute(|| {
		// Nobody would be paid.
		assert_eq!(Market::quote(spec(1, 10), 40).paid_epochs, None);
		offer(1, PROVIDER, 4, 7);
		offer(2, PROVIDER, 4, 9);
		let epochs = |target, escrow, term_epochs| {
			let order = DealSpec {
				term_epochs,
				..spec(target, 10)
			};
			Market::quote(order, escrow).paid_epochs
		};
		assert_eq!(epochs(1, 6, None), Some(0));
		assert_eq!(epochs(1, 7, None), Some(1));
		assert_eq!(epochs(2, 47, None), Some(2));
		assert_eq!(epochs(2, 48, None), Some(3));
		assert_eq!(epochs(2, 48, Some(2)), Some(2));
		assert_eq!(epochs(2, 48, Some(4)), Some(3));
		assert_eq!(epochs(1, u128::MAX, None), Some(u32::MAX));
	});
}

#[test]
fn the_epochs_that_were_quoted_are_those_that_are_paid() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 7);
		let order = spec(1, 10);
		let quoted = Market::quote(order.clone(), 24)
			.paid_epochs
			.expect("it pays");
		let deal = create(order, 24);
		run_matcher();
		go_live(peer, deal);
		let view = Market::deal_view(deal, |_| None).expect("it stands");
		// It is paid from the epoch after going live.
		assert_eq!(view.paid_until, Epoch::get() + quoted);
	});
}
