//! Duties pay no fee, so the pool refuses those that cannot be: every code that it has for it, and
//! what lets the same duty pass.

use super::scene::{
	account, answer, answered, asked, by, commit, deal, done, duty, endow, genesis_hash, go_live,
	go_to, going_live, hand_in, key, now, offering, on_dev_chain, order, pass_audit, peer, pooled,
	refusal_of, register, report, reported, sign, tick, ALICE, BOB,
};
use millrace_client::calls::{self, Call};
use millrace_primitives::{
	billing::{redeem_hash, voucher_hash, Billing, Voucher},
	execution::{empty_transcript, response_hash, CallStatus, Receipt, SignedReceipt},
	market::{drain_hash, OfferTerms, GAS_BILLED},
	peer::PeerSignature,
	probe::probe_request,
	report::Report,
	traits::{EpochClock, WorkInspector},
	DealId, EpochIndex, FLT,
};
use millrace_runtime::{AccountId, Balances, Epochs, Market, Runtime, RuntimeCall, System};
use pallet_anchor::refusal as of_anchor;
use pallet_capacity::refusal as of_capacity;
use pallet_developer_rewards::refusal as of_rewards;
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

#[test]
fn redemptions_are_refused_by_their_own_codes() {
	on_dev_chain(|| {
		offering(ALICE, 1, 1);
		let terms = OfferTerms {
			capabilities: GAS_BILLED,
			..asked()
		};
		done(
			by(ALICE),
			pallet_market::Call::<Runtime>::update_offer {
				peer: peer(1),
				terms,
			},
		);
		let mut order = order(1, 1);
		order.capabilities = GAS_BILLED;
		order.billing = Billing::Gas {
			full_gas: 10,
			voucher_key: key(2),
		};
		let deal = deal(order);
		let since = now().0 + 1;
		// The second machine's key stands for the client's.
		let voucher = |n, cumulative| Voucher {
			cumulative,
			signature: sign(
				n,
				voucher_hash(genesis_hash(), deal, peer(1), since, cumulative),
			),
		};
		let redeem = |n, voucher: Voucher| {
			let message = redeem_hash(genesis_hash(), peer(1), deal, since, voucher.cumulative);
			calls::market::redeem(peer(1), deal, voucher, sign(n, message))
		};
		let good = redeem(1, voucher(2, 9));
		assert_eq!(refusal_of(&good), of_market::NOT_ASSIGNED);
		done(by(BOB), pallet_market::Call::<Runtime>::match_deal { deal });
		assert_eq!(refusal_of(&good), of_market::NOT_LIVE);
		go_live(1, deal);
		let unknown = calls::market::redeem(peer(9), deal, voucher(2, 9), [0; 64]);
		assert_eq!(refusal_of(&unknown), of_market::UNKNOWN_PEER);
		let forged = redeem(2, voucher(2, 9));
		assert_eq!(refusal_of(&forged), of_market::BAD_SIGNATURE);
		let own = redeem(1, voucher(1, 9));
		assert_eq!(refusal_of(&own), of_market::BAD_VOUCHER);
		let nothing = redeem(1, voucher(2, 0));
		assert_eq!(refusal_of(&nothing), of_market::NO_MORE_GAS);

		assert!(pooled(&good).is_ok());
		let redeemed = pallet_market::Call::<Runtime>::redeem {
			peer: peer(1),
			deal,
			voucher: voucher(2, 9),
			signature: [0; 64],
		};
		done(duty(), redeemed);
		let higher = redeem(1, voucher(2, 10));
		assert_eq!(refusal_of(&higher), of_market::REDEEMED_ALREADY);
	});
}

#[test]
fn a_deal_of_reserved_units_takes_no_vouchers() {
	on_dev_chain(|| {
		offering(ALICE, 1, 1);
		let deal = deal(order(1, 1));
		done(by(BOB), pallet_market::Call::<Runtime>::match_deal { deal });
		go_live(1, deal);
		let voucher = Voucher {
			cumulative: 1,
			signature: [0; 64],
		};
		let call = calls::market::redeem(peer(1), deal, voucher, [0; 64]);
		assert_eq!(refusal_of(&call), of_market::NOT_BILLED_BY_GAS);
	});
}

/// The first machine's receipt of a call in this block, of the body that probes bring here.
fn called(deal: DealId) -> Receipt {
	let (epoch, block) = (now().0, System::block_number());
	let package = order(1, 1).package.hash;
	let terms = Market::call_terms(deal, package, epoch, block).expect("the deal stands");
	Receipt {
		genesis: genesis_hash(),
		seed: Epochs::seed(epoch).expect("the epoch has begun"),
		deal,
		peer: peer(1),
		epoch,
		seq: 0,
		package,
		profile: terms.profile,
		terms: terms.hash(genesis_hash()),
		request: probe_request(b"").hash(),
		response: response_hash(b""),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 1,
		block,
	}
}

#[test]
fn answers_to_probes_are_refused_by_their_own_codes() {
	on_dev_chain(|| {
		offering(ALICE, 1, 1);
		let deal = deal(order(1, 1));
		done(by(BOB), pallet_market::Call::<Runtime>::match_deal { deal });
		go_live(1, deal);
		go_to(3, 0);
		let answer = |n, receipt: Receipt| {
			let signature = sign(n, receipt.hash());
			calls::market::answer_probe(peer(1), deal, &SignedReceipt { receipt, signature })
		};
		let good = called(deal);
		let code = refusal_of(&answer(1, good.clone()));
		assert_eq!(code, of_market::NOT_PROBED);
		let probe = pallet_market::Call::<Runtime>::probe {
			deal,
			peer: peer(1),
			body: Default::default(),
		};
		done(by(BOB), probe);
		assert!(pooled(&answer(1, good.clone())).is_ok());
		let unasked = Receipt {
			request: probe_request(b"another").hash(),
			..good.clone()
		};
		let code = refusal_of(&answer(1, unasked));
		assert_eq!(code, of_market::OTHER_RECEIPT);
		let false_gas = Receipt {
			gas: u64::MAX,
			..good.clone()
		};
		let code = refusal_of(&answer(1, false_gas));
		assert_eq!(code, of_market::RECEIPT_IS_FALSE);
		let code = refusal_of(&answer(2, good.clone()));
		assert_eq!(code, of_market::BAD_SIGNATURE);
		// Whoever is late is refused even before the chain decides.
		while now() < (3, 7) {
			tick();
		}
		assert_eq!(refusal_of(&answer(1, good)), of_market::PROBE_OVER);
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
		of_market::NOT_BILLED_BY_GAS,
		of_market::REDEEMED_ALREADY,
		of_market::NO_MORE_GAS,
		of_market::BAD_VOUCHER,
		of_market::NOT_PROBED,
		of_market::PROBE_OVER,
		of_market::OTHER_RECEIPT,
		of_market::RECEIPT_IS_FALSE,
		of_receipts::UNKNOWN_PEER,
		of_receipts::BAD_SIGNATURE,
		of_receipts::NOT_ASKED,
		of_receipts::WINDOW_CLOSED,
		of_receipts::OTHER_REPORT,
		of_receipts::BAD_PATH,
		of_receipts::TOO_LARGE,
		of_receipts::OTHER_DATA,
		of_rewards::NO_PROGRAMME,
		of_rewards::PROGRAMME_OVER,
		of_rewards::NOT_IN_TREE,
		of_rewards::CLAIMED_ALREADY,
		of_rewards::POOL_EXHAUSTED,
		of_rewards::TOO_MANY_LOCKS,
		of_rewards::NOT_PAYABLE,
		of_rewards::BAD_SIGNATURE,
		of_rewards::NOTHING_TO_RELEASE,
		of_anchor::NO_ANCHOR,
		of_anchor::PAUSED,
		of_anchor::OTHER_SESSION,
		of_anchor::NOT_VOTABLE,
		of_anchor::NO_VOTER,
		of_anchor::BAD_SIGNATURE,
		of_anchor::ALREADY_VOTED,
		of_anchor::NOT_ATTESTED,
		of_anchor::QUEUE_FULL,
	];
	let distinct: BTreeSet<u8> = codes.into_iter().collect();
	assert_eq!(distinct.len(), codes.len());
}
