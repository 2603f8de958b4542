//! What users of other markets complain of where money is concerned.

use super::{
	bonds, due, hand_in_all, has, ordered, price, serve, two_paid_epochs, view, workers, Call,
};
use crate::errors::{
	refuses,
	scene::{
		asked, by, commit, deal, done, duty, genesis_hash, go_live, go_to, hand_in, key, offering,
		on_dev_chain, order, paid, pass_audit, peer, report, sign, ALICE, BOB, CHARLIE, DAVE, EVE,
	},
};
use frame_support::traits::fungible::Inspect;
use millrace_primitives::{
	billing::{redeem_hash, voucher_hash, Billing, Voucher},
	market::{DealSpec, DealStatus, OfferTerms, GAS_BILLED},
	report::{Report, Served},
	views::GraceSpan,
	Balance, FLT,
};
use millrace_runtime::{AccountId, Balances, Market, Runtime};

/// There, a deal is destroyed in the moment in which its money is used up, and nobody was told. Here
/// anybody sees from the first block on how far the escrow reaches; workers then stay for two epochs at
/// half their price, and who brings escrow until then goes on with the same ones.
#[test]
fn known_flaw_zero_funds_kill_the_deal_without_warning() {
	on_dev_chain(|| {
		let (provider, stranger) = (has(ALICE), has(EVE));
		let deal = two_paid_epochs(0);
		assert_eq!(view(deal).paid_until, 4);
		serve(2, &[(1, &[])]);
		assert_eq!(view(deal).status, DealStatus::Active);
		serve(3, &[(1, &[deal])]);
		let (from, until) = (5, 6);
		assert_eq!(view(deal).status, DealStatus::Grace);
		assert_eq!(view(deal).grace, Some(GraceSpan { from, until }));
		assert_eq!(view(deal).paid_until, until);
		serve(4, &[(1, &[deal])]);
		assert_eq!((view(deal).escrow, paid(deal)), (0, 2 * due(price())));

		// Epoch 5 has begun, at half the price: that much is missing of the deposit.
		let top_up = |amount| Call::top_up { deal, amount };
		let half = price() / 2;
		refuses!(Market::GraceTooLittle, by(EVE), top_up(half + price() - 1));
		let amount = half + 10 * price();
		done(by(EVE), top_up(amount));
		assert_eq!(has(EVE), stranger - amount);
		assert_eq!(view(deal).status, DealStatus::Active);
		serve(5, &[(1, &[deal])]);
		serve(6, &[(1, &[deal])]);
		assert_eq!(workers(deal), [peer(1)]);
		let row = view(deal);
		assert_eq!((row.escrow, row.closing_deposit), (9 * price(), price()));
		assert_eq!(paid(deal), 3 * due(price()) + due(half));
		assert_eq!(has(ALICE), provider + paid(deal));
	});
}

/// There, a machine computes on when nobody pays any more. Here it knows its last paid epoch before; behind
/// it nothing is asked of it, its bond comes back and its unit is free, although nobody stops the deal.
#[test]
fn known_flaw_a_worker_works_unpaid() {
	on_dev_chain(|| {
		let (provider, client, bond) = (has(ALICE), has(BOB), 3 * price());
		let deal = two_paid_epochs(bond);
		serve(2, &[(1, &[])]);
		for epoch in 3..=6 {
			serve(epoch, &[(1, &[deal])]);
		}
		let all = 2 * due(price()) + 2 * due(price() / 2);
		assert_eq!(paid(deal), all);

		// Grace is over, and nobody has come. Its machine leaves the deal out of its report.
		let told: Vec<_> = Market::assignments(peer(1))
			.into_iter()
			.map(|assignment| (assignment.deal, assignment.paid_until))
			.collect();
		assert_eq!(told, [(deal, 6)]);
		serve(7, &[(1, &[])]);
		assert_eq!((workers(deal), bonds(ALICE)), (vec![], 0));
		// Anybody ends what its client has left.
		done(by(EVE), Call::stop { deal });
		serve(8, &[(1, &[])]);
		assert_eq!(crate::known_flaws::owed(1), (1, 0));
		done(by(EVE), Call::close { deal });
		assert_eq!(has(ALICE), provider + all);
		assert_eq!(has(BOB), client - 3 * price());
	});
}

/// There, a client that is gone when the last bill comes does not pay it, and a bill that is not accepted
/// in time lapses. Here the chain has the money before the work is done; nobody gets it back before the
/// last epoch is settled; and nobody's consent is needed, however late that is.
#[test]
fn known_flaw_the_final_invoice_is_unpaid() {
	on_dev_chain(|| {
		let (provider, client) = (has(ALICE), has(BOB));
		offering(ALICE, 1, 1);
		let deal = deal(order(1, 1));
		done(by(EVE), Call::match_deal { deal });
		go_live(1, deal);
		serve(2, &[(1, &[])]);
		serve(3, &[(1, &[deal])]);
		done(by(BOB), Call::stop { deal });
		refuses!(Market::LastEpochOpen, by(BOB), Call::close { deal });

		// The last epoch is reported and audited, and then nobody does anything.
		hand_in_all(4, &[(1, &[deal])]);
		go_to(7, 16);
		assert_eq!(paid(deal), due(price()));
		done(by(EVE), Call::close { deal });
		// The third one is for the early end.
		assert_eq!(has(ALICE), provider + 3 * due(price()));
		assert_eq!(has(BOB), client - 3 * price());
	});
}

/// There, what is owed is rounded whenever somebody looks, and the fractions are gone. Here gas that is no
/// whole part of an epoch is rounded once, in favour of the client's escrow: to the unit everything is
/// paid, burnt or given back.
#[test]
fn known_flaw_fractions_are_lost_in_rounding() {
	on_dev_chain(|| {
		let issued = <Balances as Inspect<AccountId>>::total_issuance;
		let (provider, client, all) = (has(ALICE), has(BOB), issued());
		offering(ALICE, 1, 1);
		let terms = OfferTerms {
			capabilities: GAS_BILLED,
			..asked()
		};
		let peer = peer(1);
		done(by(ALICE), Call::update_offer { peer, terms });
		let full_gas = 7;
		// The second machine's key stands for the client's.
		let deal = deal(DealSpec {
			capabilities: GAS_BILLED,
			billing: Billing::Gas {
				full_gas,
				voucher_key: key(2),
			},
			..order(1, 1)
		});
		done(by(EVE), Call::match_deal { deal });
		go_live(1, deal);
		serve(2, &[(1, &[])]);
		let (since, cumulative) = (3, 6);
		let voucher = voucher_hash(genesis_hash(), deal, peer, since, cumulative);
		let redemption = redeem_hash(genesis_hash(), peer, deal, since, cumulative);
		done(
			duty(),
			Call::redeem {
				peer,
				deal,
				voucher: Voucher {
					cumulative,
					signature: sign(2, voucher),
				},
				signature: sign(1, redemption),
			},
		);

		let (mut to_provider, mut burnt) = (0, 0);
		for (epoch, gas) in [(3, 1), (4, 2), (5, 3)] {
			go_to(epoch + 1, 0);
			let served = Served {
				deal,
				calls: 1,
				gas,
			};
			let of_gas = Report {
				served: vec![served].try_into().expect("one fits"),
				..report(0, 1, &[0], &[])
			};
			hand_in(1, &of_gas);
			go_to(epoch + 1, 8);
			pass_audit(1);
			go_to(epoch + 1, 16);
			done(by(EVE), pallet_capacity::Call::<Runtime>::settle { peer });

			let whole = price() * Balance::from(gas);
			assert_ne!(whole % Balance::from(full_gas), 0);
			let share = whole / Balance::from(full_gas);
			let burn = (2 * share).div_ceil(100);
			to_provider += share - burn;
			burnt += burn;
			let row = view(deal);
			assert_eq!((row.paid, row.burnt), (to_provider, burnt));
			assert_eq!(row.escrow, FLT - to_provider - burnt);
		}

		// An early end costs a whole epoch.
		done(by(BOB), Call::stop { deal });
		go_to(7, 16);
		done(by(EVE), Call::close { deal });
		to_provider += due(price());
		burnt += price() - due(price());
		assert_eq!(has(ALICE), provider + to_provider);
		assert_eq!(has(BOB), client - to_provider - burnt);
		assert_eq!(issued(), all - burnt);
	});
}

/// There, what is left of an account that is overdrawn goes to whoever stands first. Here workers whom the
/// escrow cannot all pay for an epoch are paid the same part of their price, out of a deposit that was made
/// for it, and what is left of the escrow goes back.
#[test]
fn known_flaw_an_overdraft_pays_whoever_comes_first() {
	on_dev_chain(|| {
		let providers = [ALICE, CHARLIE, DAVE];
		let (before, client) = (providers.map(has), has(BOB));
		for (n, owner) in (1..).zip(providers) {
			commit(owner, n, 1, 100);
		}
		serve(1, &[(1, &[]), (2, &[]), (3, &[])]);
		for (n, owner) in (1..).zip(providers) {
			let (peer, terms) = (peer(n), asked());
			done(by(owner), Call::post_offer { peer, terms });
		}
		// Two epochs of three workers, and two of the three prices of another one.
		let spec = DealSpec {
			price_ceiling: price(),
			..order(3, 1)
		};
		let deal = ordered(spec, 8 * price());
		done(by(EVE), Call::match_deal { deal });
		for n in 1..=3 {
			go_live(n, deal);
		}
		serve(2, &[(1, &[]), (2, &[]), (3, &[])]);
		let listed = [deal];
		for epoch in 3..=5 {
			serve(epoch, &[1, 2, 3].map(|n| (n, &listed[..])));
		}
		done(by(EVE), Call::stop { deal });
		serve(6, &[1, 2, 3].map(|n| (n, &listed[..])));
		assert_eq!(view(deal).escrow, 2 * price());
		done(by(EVE), Call::close { deal });
		let each = 2 * due(price()) + 2 * due(price() / 2);
		assert_eq!(providers.map(has), before.map(|had| had + each));
		assert_eq!(has(BOB), client - 9 * price());
	});
}
