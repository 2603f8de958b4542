//! Duties pay no fee, so the pool refuses those that cannot be: every code that it has for it, and
//! what lets the same duty pass.

use super::scene::{
	account, answer, answered, by, commit, deal, done, duty, endow, genesis_hash, go_live, go_to,
	going_live, hand_in, now, offering, on_dev_chain, order, pass_audit, peer, pooled, refusal_of,
	register, report, reported, sign, tick, ALICE, BOB,
};
use millrace_client::calls::{self, Call};
use millrace_primitives::{
	market::drain_hash, peer::PeerSignature, report::Report, DealId, EpochIndex, FLT,
};
use millrace_runtime::{AccountId, Balances, Runtime, RuntimeCall};
use pallet_capacity::refusal as of_capacity;
use pallet_market::refusal as of_market;
use pallet_receipts::refusal as of_receipts;
use std::collections::BTreeSet;

#[test]
fn reports_are_refused_by_their_own_codes() {
	on_dev_chain(|| {
		commit(ALICE, 1, 2, 6);
		register(ALICE, 2);
		go_to(2, 0);
		let good = report(2, 0, &[1], &[]);
		assert_eq!(refusal_of(&reported(9, &good)), of_capacity::UNKNOWN_PEER);
		assert_eq!(refusal_of(&reported(2, &good)), of_capacity::NO_COMMITMENT);
		for epoch in [0, 2] {
			let other = Report {
				epoch,
				..good.clone()
			};
			assert_eq!(refusal_of(&reported(1, &other)), of_capacity::WRONG_EPOCH);
		}
		for (idle, busy) in [(3, 0), (2, 1)] {
			let boast = report(idle, busy, &[1], &[]);
			let code = refusal_of(&reported(1, &boast));
			assert_eq!(code, of_capacity::TOO_MANY_UNITS);
		}
		for deals in [[1, 1], [2, 1]] {
			let unordered = report(2, 0, &[1], &deals);
			let code = refusal_of(&reported(1, &unordered));
			assert_eq!(code, of_capacity::BAD_REPORT);
		}
		let forged = calls::capacity::report(peer(1), &good, sign(2, peer(1).0));
		assert_eq!(refusal_of(&forged), of_capacity::BAD_SIGNATURE);

		hand_in(1, &good);
		let code = refusal_of(&reported(1, &good));
		assert_eq!(code, of_capacity::ALREADY_SENT);
		go_to(2, 6);
		let code = refusal_of(&reported(1, &good));
		assert_eq!(code, of_capacity::WINDOW_CLOSED);
	});
}

#[test]
fn answers_are_refused_by_their_own_codes() {
	on_dev_chain(|| {
		let nonces: Vec<u64> = (0..4).collect();
		for n in [1, 2] {
			commit(ALICE, n, 1, 6);
		}
		go_to(2, 0);
		let report = report(1, 0, &nonces, &[]);
		hand_in(1, &report);
		go_to(2, 8);
		let good = answer(1, &report, &nonces);
		assert!(pooled(&answered(1, &good)).is_ok());
		assert_eq!(refusal_of(&answered(9, &good)), of_capacity::UNKNOWN_PEER);
		// It has reported nothing, so nothing of it could be drawn.
		assert_eq!(refusal_of(&answered(2, &good)), of_capacity::NOT_DRAWN);
		let mut of_now = good.clone();
		of_now.report.epoch = now().0;
		let code = refusal_of(&answered(1, &of_now));
		assert_eq!(code, of_capacity::WRONG_EPOCH);
		let forged = calls::capacity::answer_audit(peer(1), &good, sign(2, peer(1).0));
		assert_eq!(refusal_of(&forged), of_capacity::BAD_SIGNATURE);

		pass_audit(1);
		let code = refusal_of(&answered(1, &good));
		assert_eq!(code, of_capacity::ALREADY_SENT);
		go_to(2, 16);
		let code = refusal_of(&answered(1, &good));
		assert_eq!(code, of_capacity::WINDOW_CLOSED);
	});
}

/// The n-th machine says that it goes live.
fn live(n: u16, deal: DealId) -> Call {
	calls::market::go_live(peer(n), deal, going_live(n, deal))
}

#[test]
fn workers_that_go_live_are_refused_by_their_own_codes() {
	on_dev_chain(|| {
		// A provider that can be made poor.
		let provider = "//Provider";
		endow(provider, 1_000 * FLT);
		offering(provider, 2, 1);
		let mut bonded = order(1, 1);
		bonded.worker_bond = FLT;
		let (first, second) = (deal(bonded), deal(order(1, 1)));
		for deal in [first, second] {
			done(by(BOB), pallet_market::Call::<Runtime>::match_deal { deal });
		}
		let workers: Vec<u16> = [first, second]
			.into_iter()
			.map(|deal| {
				let works =
					|n: &u16| pallet_market::Workers::<Runtime>::contains_key(deal, peer(*n));
				[1, 2]
					.into_iter()
					.find(works)
					.expect("a machine is assigned")
			})
			.collect();
		let (one, other) = (workers[0], workers[1]);

		let unknown = calls::market::go_live(peer(9), first, [0; 64]);
		assert_eq!(refusal_of(&unknown), of_market::UNKNOWN_PEER);
		let elsewhere = calls::market::go_live(peer(one), second, [0; 64]);
		assert_eq!(refusal_of(&elsewhere), of_market::NOT_ASSIGNED);
		let forged = calls::market::go_live(peer(one), first, sign(other, peer(one).0));
		assert_eq!(refusal_of(&forged), of_market::BAD_SIGNATURE);
		assert!(pooled(&live(one, first)).is_ok());

		let value = Balances::free_balance(account(provider)) - FLT / 2;
		let spent = pallet_balances::Call::transfer_allow_death {
			dest: AccountId::from([9; 32]).into(),
			value,
		};
		done(by(provider), RuntimeCall::Balances(spent));
		let code = refusal_of(&live(one, first));
		assert_eq!(code, of_market::BOND_UNAVAILABLE);

		let signed = live(other, second);
		go_live(other, second);
		assert_eq!(refusal_of(&signed), of_market::ALREADY_LIVE);
		// Whoever is late is refused even before the matcher comes by.
		let late = live(one, first);
		while now().0 < 4 {
			tick();
		}
		assert_eq!(refusal_of(&late), of_market::DEADLINE_PASSED);
	});
}

/// What the n-th machine signs to leave a deal in which it is paid from an epoch on.
fn leaving(n: u16, deal: DealId, since: EpochIndex) -> PeerSignature {
	sign(n, drain_hash(genesis_hash(), peer(n), deal, since))
}

#[test]
fn notices_are_refused_by_their_own_codes() {
	on_dev_chain(|| {
		offering(ALICE, 1, 1);
		let deal = deal(order(1, 1));
		let drain = |signature| calls::market::drain(peer(1), deal, signature);
		let since = now().0 + 1;
		let signature = leaving(1, deal, since);
		let unknown = calls::market::drain(peer(9), deal, signature);
		assert_eq!(refusal_of(&unknown), of_market::UNKNOWN_PEER);
		let good = drain(signature);
		assert_eq!(refusal_of(&good), of_market::NOT_ASSIGNED);
		done(by(BOB), pallet_market::Call::<Runtime>::match_deal { deal });
		assert_eq!(refusal_of(&good), of_market::NOT_LIVE);
		go_live(1, deal);
		let forged = drain(leaving(2, deal, since));
		assert_eq!(refusal_of(&forged), of_market::BAD_SIGNATURE);
		let of_another_time = drain(leaving(1, deal, since - 1));
		let code = refusal_of(&of_another_time);
		assert_eq!(code, of_market::BAD_SIGNATURE);

		assert!(pooled(&good).is_ok());
		let peer = peer(1);
		let notice = pallet_market::Call::<Runtime>::drain {
			peer,
			deal,
			signature,
		};
		done(duty(), notice);
		assert_eq!(refusal_of(&good), of_market::ALREADY_DRAINING);
	});
}

/// Workers tell from a code alone what became of a duty.
#[test]
fn no_two_refusals_share_a_code() {
	let codes = [
		of_capacity::UNKNOWN_PEER,
		of_capacity::BAD_SIGNATURE,
		of_capacity::WRONG_EPOCH,
		of_capacity::WINDOW_CLOSED,
		of_capacity::ALREADY_SENT,
		of_capacity::NO_COMMITMENT,
		of_capacity::NOT_DRAWN,
		of_capacity::TOO_MANY_UNITS,
		of_capacity::BAD_REPORT,
		of_market::UNKNOWN_PEER,
		of_market::BAD_SIGNATURE,
		of_market::NOT_ASSIGNED,
		of_market::DEADLINE_PASSED,
		of_market::ALREADY_LIVE,
		of_market::BOND_UNAVAILABLE,
		of_market::NOT_LIVE,
		of_market::ALREADY_DRAINING,
		of_receipts::UNKNOWN_PEER,
		of_receipts::BAD_SIGNATURE,
		of_receipts::NOT_ASKED,
		of_receipts::WINDOW_CLOSED,
		of_receipts::OTHER_REPORT,
		of_receipts::BAD_PATH,
		of_receipts::TOO_LARGE,
		of_receipts::OTHER_DATA,
	];
	let distinct: BTreeSet<u8> = codes.into_iter().collect();
	assert_eq!(distinct.len(), codes.len());
}
