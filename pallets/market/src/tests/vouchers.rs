//! Deals that are billed by gas: vouchers, and what is paid by them.

use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	pallet_prelude::{
		Authorize, InvalidTransaction, TransactionSource, TransactionValidityError,
		ValidTransaction,
	},
};
use millrace_primitives::{
	billing::{Redeemed, Voucher},
	market::split_payment,
	peer::{PeerId, PeerSignature},
	traits::WorkLedger,
	Balance, DealId, EpochIndex, Gas,
};
use sp_runtime::DispatchError;

const FULL_GAS: Gas = 300;
const ASK: Balance = 100;
/// Workers that go live at the beginning are paid from this epoch on.
const SINCE: EpochIndex = 6;

/// A deal that is billed by gas, with its worker, which is live.
fn billed(epochs: Balance) -> (DealId, PeerId) {
	let peer = offer(1, PROVIDER, 4, ASK);
	let deal = create(by_gas(spec(1, ASK), FULL_GAS), ASK * epochs);
	run_matcher();
	go_live(peer, deal);
	(deal, peer)
}

fn authorize(
	peer: PeerId,
	deal: DealId,
	voucher: Voucher,
	signature: PeerSignature,
) -> Result<ValidTransaction, TransactionValidityError> {
	let call = RuntimeCall::Market(Call::redeem {
		peer,
		deal,
		voucher,
		signature,
	});
	let answer = call
		.authorize(TransactionSource::External)
		.expect("it is a duty");
	answer.map(|(validity, _)| validity)
}

fn refusal_of(peer: PeerId, deal: DealId, voucher: Voucher, signature: PeerSignature) -> u8 {
	match authorize(peer, deal, voucher, signature) {
		Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) => code,
		other => panic!("{other:?}"),
	}
}

/// What becomes of a voucher that the client has signed, brought by the worker.
fn offered(deal: DealId, cumulative: Gas) -> Result<ValidTransaction, u8> {
	let (peer, voucher) = (
		peer_id(1),
		voucher(VOUCHER_KEY, deal, peer_id(1), SINCE, cumulative),
	);
	let signature = redeem_signature(1, deal, SINCE, cumulative);
	match authorize(peer, deal, voucher, signature) {
		Ok(validity) => Ok(validity),
		Err(_) => Err(refusal_of(peer, deal, voucher, signature)),
	}
}

/// What is drawn from a deal's escrow when an epoch is settled in which so much gas was reported.
fn drawn(deal: DealId, peer: PeerId, epoch: EpochIndex, gas: Gas) -> Balance {
	let escrow = || Market::deal_of(deal).expect("it stands").escrow;
	let before = escrow();
	at_rest_of(epoch + 1);
	report_gas(peer, epoch, &[(deal, gas)]);
	Market::on_settled(peer, epoch, false);
	before - escrow()
}

fn redeemed(deal: DealId, peer: PeerId) -> Option<(Gas, Gas)> {
	Vouchers::<Test>::get(deal, peer).map(|row| (row.cumulative, row.billed))
}

#[test]
fn an_epoch_costs_the_part_of_its_price_that_its_gas_is_of_the_whole() {
	build_and_execute(|| {
		let (deal, peer) = billed(9);
		let before = Balances::free_balance(PROVIDER);
		at(7, 0);
		redeem(peer, deal, 10_000);
		assert_eq!(drawn(deal, peer, 6, 100), 33);
		let (paid, burnt) = split_payment(33);
		assert_eq!(Balances::free_balance(PROVIDER), before + paid);
		System::assert_has_event(
			Event::<Test>::ReportPaid {
				peer,
				epoch: 6,
				paid,
				burnt,
			}
			.into(),
		);
		assert_eq!(drawn(deal, peer, 7, 299), 99);
		assert_eq!(drawn(deal, peer, 8, 300), ASK);
		// More costs no more, and is billed all the same.
		assert_eq!(drawn(deal, peer, 9, 900), ASK);
		assert_eq!(redeemed(deal, peer), Some((10_000, 1_599)));
		// Standing ready costs nothing, nor does gas below a unit.
		assert_eq!((drawn(deal, peer, 10, 0), drawn(deal, peer, 11, 2)), (0, 0));
		assert_eq!(redeemed(deal, peer), Some((10_000, 1_601)));
	});
}

#[test]
fn gas_without_a_voucher_is_not_paid() {
	build_and_execute(|| {
		let (deal, peer) = billed(9);
		assert_eq!(drawn(deal, peer, 6, 300), 0);
		assert_eq!(redeemed(deal, peer), None);
		redeem(peer, deal, 150);
		// What was settled before the voucher stays unpaid; it is for one epoch's gas at most once.
		assert_eq!(drawn(deal, peer, 7, 90), 30);
		assert_eq!(drawn(deal, peer, 8, 300), 20);
		assert_eq!(drawn(deal, peer, 9, 300), 0);
		assert_eq!(redeemed(deal, peer), Some((150, 150)));
		redeem(peer, deal, 450);
		assert_eq!(drawn(deal, peer, 10, 300), ASK);
	});
}

#[test]
fn a_voucher_counts_for_what_is_settled_after_it() {
	build_and_execute(|| {
		let (deal, peer) = billed(9);
		at(7, 1);
		report_gas(peer, 6, &[(deal, 300)]);
		at(7, 5);
		redeem(peer, deal, 300);
		at_rest_of(7);
		Market::on_settled(peer, 6, false);
		assert_eq!(redeemed(deal, peer), Some((300, 300)));
	});
}

#[test]
fn a_void_epoch_bills_nothing() {
	build_and_execute(|| {
		let (deal, peer) = billed(9);
		at(7, 0);
		redeem(peer, deal, 300);
		report_gas(peer, 6, &[(deal, 300)]);
		at_rest_of(7);
		Market::on_settled(peer, 6, true);
		assert_eq!(redeemed(deal, peer), Some((300, 0)));
		assert_eq!(Market::deal_of(deal).map(|deal| deal.escrow), Some(900));
	});
}

#[test]
fn the_escrow_keeps_whole_prices_and_less_is_drawn() {
	build_and_execute(|| {
		let (deal, peer) = billed(3);
		let until = || {
			let view = Market::deal_view(deal, |_| None);
			view.expect("it stands").paid_until
		};
		assert_eq!(until(), 8);
		at(7, 0);
		redeem(peer, deal, 30);
		assert_eq!(drawn(deal, peer, 6, 30), 10);
		// 290 are left: the present epoch, the next one, and no third.
		assert_eq!(until(), 8);
		at_rest_of(8);
		Market::on_settled(peer, 7, false);
		assert_eq!(until(), 9);
	});
}

#[test]
fn an_epoch_in_grace_costs_half_of_it() {
	build_and_execute(|| {
		let (deal, peer) = billed(2);
		at(7, 0);
		redeem(peer, deal, 10_000);
		assert_eq!(drawn(deal, peer, 6, 300), ASK);
		assert_eq!(drawn(deal, peer, 7, 299), 99);
		assert_ok!(Market::begin_grace(RuntimeOrigin::signed(STRANGER), deal));
		let closing = || Market::deal_of(deal).expect("it stands").closing_deposit;
		assert_eq!(closing(), ASK);
		// The present epoch is not in grace; one unit is left for it.
		assert_eq!(drawn(deal, peer, 8, 300), 1);
		assert_eq!(drawn(deal, peer, 9, 100), 0);
		assert_eq!(closing(), ASK - 16);
	});
}

#[test]
fn a_redemption_is_good_once_an_epoch_and_for_more_gas_each_time() {
	build_and_execute(|| {
		let (deal, peer) = billed(9);
		at(7, 5);
		let validity = offered(deal, 100).expect("all is right");
		assert_eq!((validity.priority, validity.longevity), (u64::MAX, 15));
		assert!(validity.propagate && validity.requires.is_empty());
		// Another voucher of the same epoch stands for the same place.
		assert_eq!(
			offered(deal, 200).map(|other| other.provides),
			Ok(validity.provides.clone())
		);
		assert_eq!(offered(deal, 0), Err(refusal::NO_MORE_GAS));
		redeem(peer, deal, 100);
		System::assert_last_event(
			Event::<Test>::VoucherRedeemed {
				deal,
				peer,
				cumulative: 100,
			}
			.into(),
		);
		assert_eq!(offered(deal, 200), Err(refusal::REDEEMED_ALREADY));
		at(8, 0);
		assert_eq!(offered(deal, 100), Err(refusal::NO_MORE_GAS));
		let next = offered(deal, 101).expect("it is more");
		assert_ne!(next.provides, validity.provides);
	});
}

#[test]
fn a_redemption_is_signed_by_the_peer_and_its_voucher_by_the_client() {
	build_and_execute(|| {
		let (deal, peer) = billed(9);
		register(2, PROVIDER, 4);
		at(7, 0);
		let right = voucher(VOUCHER_KEY, deal, peer, SINCE, 9);
		let signed = redeem_signature(1, deal, SINCE, 9);
		assert!(authorize(peer, deal, right, signed).is_ok());
		// By another peer, of another assignment or sum.
		for signature in [
			redeem_signature(2, deal, SINCE, 9),
			redeem_signature(1, deal, SINCE + 1, 9),
			redeem_signature(1, deal, SINCE, 8),
			redeem_signature(1, deal + 1, SINCE, 9),
			drain_signature(1, deal, SINCE),
		] {
			let code = refusal_of(peer, deal, right, signature);
			assert_eq!(code, refusal::BAD_SIGNATURE);
		}
		// By the peer itself, for another peer, assignment, deal or sum.
		for (signer, of, by, since, gas) in [
			(1, deal, peer, SINCE, 9),
			(VOUCHER_KEY, deal, peer_id(2), SINCE, 9),
			(VOUCHER_KEY, deal, peer, SINCE - 1, 9),
			(VOUCHER_KEY, deal + 1, peer, SINCE, 9),
			(VOUCHER_KEY, deal, peer, SINCE, 8),
		] {
			let signature = voucher(signer, of, by, since, gas).signature;
			let other = Voucher {
				cumulative: 9,
				signature,
			};
			assert_eq!(refusal_of(peer, deal, other, signed), refusal::BAD_VOUCHER);
		}
	});
}

#[test]
fn only_a_paid_worker_of_a_deal_that_is_billed_by_gas_redeems() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, ASK);
		let deal = create(by_gas(spec(1, ASK), FULL_GAS), ASK * 3);
		assert_eq!(offered(deal, 9), Err(refusal::NOT_ASSIGNED));
		run_matcher();
		assert_eq!(offered(deal, 9), Err(refusal::NOT_LIVE));
		go_live(peer, deal);
		assert!(offered(deal, 9).is_ok());
		let stranger = register(2, PROVIDER, 1);
		let word = voucher(VOUCHER_KEY, deal, stranger, SINCE, 9);
		let signature = redeem_signature(2, deal, SINCE, 9);
		let code = refusal_of(stranger, deal, word, signature);
		assert_eq!(code, refusal::NOT_ASSIGNED);
		let nobody = refusal_of(peer_id(3), deal, word, signature);
		assert_eq!(nobody, refusal::UNKNOWN_PEER);

		let reserved = create(spec(1, ASK), ASK * 3);
		run_matcher();
		go_live(peer, reserved);
		assert_eq!(offered(reserved, 9), Err(refusal::NOT_BILLED_BY_GAS));
		// Whoever has notice, and whose deal is ending, has epochs to be paid for.
		drain(peer, deal);
		assert!(offered(deal, 9).is_ok());
		at(7, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert!(offered(deal, 9).is_ok());
		let by_account = Market::redeem(
			RuntimeOrigin::signed(PROVIDER),
			peer,
			deal,
			voucher(VOUCHER_KEY, deal, peer, SINCE, 9),
			redeem_signature(1, deal, SINCE, 9),
		);
		assert_eq!(by_account, Err(DispatchError::BadOrigin));
	});
}

#[test]
fn an_offer_that_does_not_take_such_deals_is_passed_over() {
	build_and_execute(|| {
		let mut plain = terms(ASK / 2);
		plain.capabilities = !2;
		let cheap = offer_with(2, PROVIDER, 4, plain);
		let peer = offer(1, PROVIDER, 4, ASK);
		let order = by_gas(spec(1, ASK), FULL_GAS);
		assert_eq!(why_not(order.clone(), cheap), Some(Reason::Capabilities));
		let deal = create(order, ASK * 3);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
	});
}

#[test]
fn vouchers_go_with_the_worker_and_are_worth_nothing_when_it_comes_back() {
	build_and_execute(|| {
		let (deal, peer) = billed(20);
		at(7, 0);
		redeem(peer, deal, 300);
		assert_eq!(drawn(deal, peer, 6, 300), ASK);
		// Its provider raises the ask and lowers it again: it may come back at once.
		for ask in [ASK + 1, ASK] {
			let origin = RuntimeOrigin::signed(PROVIDER);
			assert_ok!(Market::update_offer(origin, peer, terms(ask)));
		}
		at_rest_of(9);
		assert_ok!(Market::release_worker(
			RuntimeOrigin::signed(STRANGER),
			deal,
			peer
		));
		assert_eq!(redeemed(deal, peer), None);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
		go_live(peer, deal);
		at(11, 0);
		// The old voucher named the epoch from which on the peer was paid then.
		let old = voucher(VOUCHER_KEY, deal, peer, SINCE, 300);
		for since in [SINCE, 10] {
			let signature = redeem_signature(1, deal, since, 300);
			let code = refusal_of(peer, deal, old, signature);
			let expected = match since {
				SINCE => refusal::BAD_SIGNATURE,
				_ => refusal::BAD_VOUCHER,
			};
			assert_eq!(code, expected);
		}
		let new = voucher(VOUCHER_KEY, deal, peer, 10, 5);
		assert!(authorize(peer, deal, new, redeem_signature(1, deal, 10, 5)).is_ok());
	});
}

#[test]
fn a_closed_deal_leaves_no_vouchers_and_gives_back_what_was_not_used() {
	build_and_execute(|| {
		let before = Balances::free_balance(CLIENT);
		let (deal, peer) = billed(3);
		at(7, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		redeem(peer, deal, 150);
		assert_eq!(drawn(deal, peer, 6, 150), 50);
		at_rest_of(8);
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!(Vouchers::<Test>::iter().count(), 0);
		// The early end costs the closing deposit's epoch, as of any deal.
		assert_eq!(Balances::free_balance(CLIENT), before - 50 - ASK);
		assert_eq!(in_pot(), 0);
	});
}

#[test]
fn a_voucher_of_nobody_is_not_noted() {
	build_and_execute(|| {
		let (deal, _) = billed(3);
		let nothing = Voucher {
			cumulative: 1,
			signature: [0; 64],
		};
		assert_noop!(
			Market::redeem(
				frame_system::RawOrigin::Authorized.into(),
				peer_id(2),
				deal,
				nothing,
				[0; 64]
			),
			Error::<Test>::NotAssigned
		);
		let nobodys = Redeemed {
			cumulative: 1,
			..Default::default()
		};
		Vouchers::<Test>::insert(deal, peer_id(2), nobodys);
		assert!(Market::do_try_state().is_err());
		Vouchers::<Test>::remove(deal, peer_id(2));
	});
}
