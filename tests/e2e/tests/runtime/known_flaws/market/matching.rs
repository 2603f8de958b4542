//! What users of other markets complain of where offers and orders meet.

use super::{due, has, price, serve, view, workers, Call};
use crate::errors::{
	refuses,
	scene::{
		account, asked, by, deal, done, go_live, go_to, next_block, offering, on_dev_chain, order,
		paid, peer, register, ALICE, BOB, EVE,
	},
};
use frame_support::traits::fungible::InspectHold;
use millrace_primitives::{
	market::{DealSpec, OfferTerms, HTTP_OUT},
	peer::PeerId,
	views::{Reason, Subject},
	FLT,
};
use millrace_runtime::{Balances, Market, Runtime};
use pallet_market::{Book, HoldReason, Params};

/// There, machines are listed and get no orders, orders get no machines, and nobody learns why. Here the
/// chain names what stands between an order and an offer, before anything is paid and while it waits; once
/// the last of it is mended they are matched without a call.
#[test]
fn known_flaw_an_offer_is_listed_and_never_matched() {
	on_dev_chain(|| {
		offering(ALICE, 1, 1);
		let mend = |terms| {
			let peer = peer(1);
			done(by(ALICE), Call::update_offer { peer, terms });
		};
		let mut terms = OfferTerms {
			ask: 3 * price(),
			..asked()
		};
		mend(terms);
		let spec = DealSpec {
			regions: vec![7].try_into().expect("one fits"),
			capabilities: HTTP_OUT,
			worker_bond: 2 * FLT,
			..order(1, 1)
		};
		let why = Market::why_not(Subject::Spec(spec.clone()), None);
		assert_eq!((why.looked_at, why.eligible), (1, 0));
		assert_eq!(why.reasons, [(Reason::OtherRegion, 1)]);
		assert!(Market::quote(spec.clone(), FLT).workers.is_empty());

		let deal = deal(spec);
		next_block();
		let against = || {
			let why = Market::why_not(Subject::Deal(deal), Some(peer(1)));
			assert_eq!((why.looked_at, why.content), (1, None));
			why.reasons
		};
		assert_eq!(against(), [(Reason::OtherRegion, 1)]);
		terms.region = 7;
		mend(terms);
		assert_eq!(against(), [(Reason::AboveCeiling, 1)]);
		terms.ask = 2 * price();
		mend(terms);
		assert_eq!(against(), [(Reason::Capabilities, 1)]);
		terms.capabilities = HTTP_OUT;
		mend(terms);
		assert_eq!(against(), [(Reason::Bond, 1)]);
		terms.max_worker_bond = 2 * FLT;
		mend(terms);
		assert!(against().is_empty());

		assert!(workers(deal).is_empty());
		go_to(3, 0);
		assert_eq!(workers(deal), [peer(1)]);
		assert_eq!(view(deal).escrow, FLT);
	});
}

/// There, a job whose machine never says that it takes it stays with that machine for ever. Here an
/// assignment lapses by itself and the next machine has it; nobody has lost anything, and the machine that
/// was silent is there for others.
#[test]
fn known_flaw_a_match_is_never_acknowledged() {
	on_dev_chain(|| {
		let provider = has(ALICE);
		offering(ALICE, 2, 1);
		let silent = deal(order(1, 1));
		done(by(EVE), Call::match_deal { deal: silent });
		serve(2, &[(1, &[]), (2, &[])]);
		assert_eq!(workers(silent), [peer(1)]);
		serve(3, &[(1, &[]), (2, &[])]);
		assert_eq!(workers(silent), [peer(2)]);
		assert_eq!((view(silent).escrow, paid(silent)), (FLT, 0));
		let other = deal(order(1, 1));
		done(by(EVE), Call::match_deal { deal: other });
		assert_eq!(workers(other), [peer(1)]);

		go_live(1, other);
		go_live(2, silent);
		serve(4, &[(1, &[]), (2, &[])]);
		serve(5, &[(1, &[other]), (2, &[silent])]);
		assert_eq!((paid(other), paid(silent)), (due(price()), due(price())));
		assert_eq!(has(ALICE), provider + 2 * due(price()));
	});
}

/// There, lists are full of offers behind which there is nothing. Here each is of a machine that has signed
/// for its owner, one of each, and holds a deposit; what has proven no units is in nobody's way, however
/// old and cheap it is.
#[test]
fn known_flaw_offers_are_spam() {
	on_dev_chain(|| {
		let had = has(EVE);
		let deposits = || {
			let reason = HoldReason::OfferDeposit.into();
			Balances::balance_on_hold(&reason, &account(EVE))
		};
		let post = |n| Call::post_offer {
			peer: peer(n),
			terms: asked(),
		};
		refuses!(Market::UnknownPeer, by(EVE), post(11));
		for n in 11..=18 {
			register(EVE, n);
			refuses!(Market::NotProvider, by(BOB), post(n));
			done(by(EVE), post(n));
			refuses!(Market::OfferExists, by(EVE), post(n));
		}
		assert_eq!(deposits(), 8 * Params::<Runtime>::get().offer_deposit);

		offering(ALICE, 1, 1);
		let book: Vec<PeerId> = Book::<Runtime>::iter_values().collect();
		assert_eq!(book, [peer(1)]);
		let quote = Market::quote(order(1, 1), FLT);
		assert_eq!((quote.looked_at, quote.truncated), (1, false));
		let deal = deal(order(1, 1));
		done(by(EVE), Call::match_deal { deal });
		assert_eq!(workers(deal), [peer(1)]);
		for n in 11..=18 {
			done(by(EVE), Call::withdraw_offer { peer: peer(n) });
		}
		assert_eq!((deposits(), has(EVE)), (0, had));
	});
}

/// There, whoever looks for workers again is refused because it is too early. Here anybody may have a deal
/// matched in every block, as often as it lacks workers, and the next epoch does it without anybody.
#[test]
fn known_flaw_it_is_too_early_to_rematch() {
	on_dev_chain(|| {
		offering(ALICE, 3, 1);
		for n in [2, 3] {
			done(by(ALICE), Call::withdraw_offer { peer: peer(n) });
		}
		let post = |n| {
			let (peer, terms) = (peer(n), asked());
			done(by(ALICE), Call::post_offer { peer, terms });
		};
		let deal = deal(order(3, 3));
		let look = || done(by(EVE), Call::match_deal { deal });
		look();
		assert_eq!(workers(deal), [peer(1)]);
		next_block();
		look();
		look();
		assert_eq!(workers(deal), [peer(1)]);
		post(2);
		look();
		assert_eq!(workers(deal).len(), 2);
		post(3);
		go_to(3, 0);
		assert_eq!(workers(deal).len(), 3);
		assert_eq!(view(deal).escrow, FLT);
	});
}
