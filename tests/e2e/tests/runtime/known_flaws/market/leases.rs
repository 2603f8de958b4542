//! What users of other markets complain of where machines are bound to deals.

use super::{
	bonds, due, hand_in_all, has, price, serve, two_paid_epochs, unstaked, view, workers, Call,
};
use crate::errors::{
	refuses,
	scene::{
		by, deal, done, duty, genesis_hash, go_live, go_to, offering, on_dev_chain, order, paid,
		peer, sign, ALICE, BOB, EVE,
	},
};
use millrace_primitives::{
	market::{drain_hash, DealSpec},
	views::{Reason, Subject},
	FLT,
};
use millrace_runtime::Market;

/// There, what has no money left stays on the machines, and keeps them from whoever would pay. Here the chain
/// takes it off when its last epoch is settled, and anybody ends it before, in the last epoch of its grace; the
/// units are another deal's from the next one on, so that none is lost.
#[test]
fn known_flaw_leases_outlive_their_escrow() {
	on_dev_chain(|| {
		let (provider, client) = (has(ALICE), has(BOB));
		let old = two_paid_epochs(0);
		serve(2, &[(1, &[])]);
		for epoch in 3..=4 {
			serve(epoch, &[(1, &[old])]);
		}
		// One epoch of grace is still to come.
		refuses!(Market::NotOwner, by(EVE), Call::stop { deal: old });
		serve(5, &[(1, &[old])]);
		let next = deal(order(1, 1));
		done(by(EVE), Call::match_deal { deal: next });
		let why = Market::why_not(Subject::Deal(next), Some(peer(1)));
		assert_eq!(why.reasons, [(Reason::TooFewUnits, 1)]);

		done(by(EVE), Call::stop { deal: old });
		done(by(EVE), Call::match_deal { deal: next });
		assert_eq!(workers(next), [peer(1)]);
		go_live(1, next);
		serve(6, &[(1, &[old])]);
		done(by(EVE), Call::close { deal: old });
		let paid_by_old = 2 * due(price()) + 2 * due(price() / 2);
		assert_eq!(has(ALICE), provider + paid_by_old);
		// All of the old one is used up; what the next one has is in the pot.
		let next_has = view(next).escrow + view(next).closing_deposit;
		assert_eq!(has(BOB), client - 3 * price() - next_has);
		serve(7, &[(1, &[next])]);
		assert_eq!(paid(next), due(price()));
		assert_eq!(has(ALICE), provider + paid_by_old + due(price()));
	});
}

/// There, a machine that has vanished stays in the books of its clients, and they pay for it or wait. Here
/// the chain takes it out by itself as soon as it has missed a report; its bond makes up for the epoch, and
/// another one has its place.
#[test]
fn known_flaw_leases_dangle() {
	on_dev_chain(|| {
		offering(ALICE, 4, 1);
		let (had, bond) = (unstaked(ALICE), 3 * price());
		let deal = deal(DealSpec {
			worker_bond: bond,
			..order(1, 1)
		});
		done(by(EVE), Call::match_deal { deal });
		assert_eq!(workers(deal), [peer(1)]);
		go_live(1, deal);
		assert_eq!(bonds(ALICE), bond);
		serve(2, &[(1, &[]), (2, &[]), (3, &[]), (4, &[])]);
		serve(3, &[(1, &[deal]), (2, &[]), (3, &[]), (4, &[])]);
		assert_eq!(view(deal).escrow, FLT - price());

		// Now it is away, and nobody calls anything for the deal.
		serve(4, &[(2, &[]), (3, &[]), (4, &[])]);
		assert_eq!(workers(deal), [peer(2)]);
		assert_eq!(bonds(ALICE), 0);
		assert_eq!(paid(deal), due(price()));
		// One price of the bond has made good what the escrow had paid; the rest is burnt.
		assert_eq!(view(deal).escrow, FLT);
		assert_eq!(unstaked(ALICE), had + due(price()) - bond);
		go_live(2, deal);
		serve(5, &[(2, &[]), (3, &[]), (4, &[])]);
		serve(6, &[(2, &[deal]), (3, &[]), (4, &[])]);
		assert_eq!(paid(deal), 2 * due(price()));
		assert_eq!(unstaked(ALICE), had + 2 * due(price()) - bond);
	});
}

/// There, an outage of what steers the machines closes all that runs on them. Here an epoch in which the
/// network was silent is not paid and takes nothing else: no worker, no bond, no stake.
#[test]
fn known_flaw_an_outage_closes_all_leases() {
	on_dev_chain(|| {
		let (provider, bond) = (has(ALICE), 3 * price());
		offering(ALICE, 3, 1);
		let deal = deal(DealSpec {
			worker_bond: bond,
			..order(3, 3)
		});
		done(by(EVE), Call::match_deal { deal });
		for n in 1..=3 {
			go_live(n, deal);
		}
		serve(2, &[(1, &[]), (2, &[]), (3, &[])]);
		let live = workers(deal);
		assert_eq!(live.len(), 3);

		go_to(4, 16);
		assert_eq!(workers(deal), live);
		let listed = [deal];
		serve(4, &[1, 2, 3].map(|n| (n, &listed[..])));
		assert_eq!((workers(deal), bonds(ALICE)), (live, 3 * bond));
		assert_eq!(paid(deal), 3 * due(price()));
		assert_eq!(view(deal).escrow, FLT - 3 * price());
		assert_eq!(has(ALICE), provider + 3 * due(price()));
	});
}

/// There, what was staked for a job stays locked when the other side falls silent, and so does the worker.
/// Here whoever wants to leave says so; it is paid to the end, and the chain gives its bond back and lets it
/// go without a call of anybody.
#[test]
fn known_flaw_stakes_are_stuck() {
	on_dev_chain(|| {
		let (provider, bond) = (has(ALICE), 3 * price());
		offering(ALICE, 1, 1);
		let deal = deal(DealSpec {
			worker_bond: bond,
			..order(1, 1)
		});
		done(by(EVE), Call::match_deal { deal });
		go_live(1, deal);
		serve(2, &[(1, &[])]);
		let peer = peer(1);
		done(by(ALICE), Call::withdraw_offer { peer });
		let signature = sign(1, drain_hash(genesis_hash(), peer, deal, 3));
		done(
			duty(),
			Call::drain {
				peer,
				deal,
				signature,
			},
		);
		hand_in_all(3, &[(1, &[deal])]);
		hand_in_all(4, &[(1, &[deal])]);
		assert_eq!((workers(deal), bonds(ALICE)), (vec![peer], bond));
		go_to(6, 8);
		assert!(workers(deal).is_empty());
		assert_eq!(bonds(ALICE), 0);
		assert_eq!(paid(deal), 2 * due(price()));
		assert_eq!(has(ALICE), provider + 2 * due(price()));
	});
}
