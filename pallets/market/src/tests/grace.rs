//! Deals whose escrow is used up: half the price out of the closing deposit, for two epochs at most.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResultWithPostInfo};
use millrace_primitives::{
	market::DealStatus,
	peer::PeerId,
	traits::{Capacity, WorkInspector, WorkLedger},
	Balance, DealId, EpochIndex,
};
use sp_runtime::Perbill;

fn begin(deal: DealId) -> DispatchResultWithPostInfo {
	Market::begin_grace(RuntimeOrigin::signed(STRANGER), deal)
}

fn top_up(deal: DealId, amount: Balance) -> DispatchResultWithPostInfo {
	Market::top_up(RuntimeOrigin::signed(STRANGER), deal, amount)
}

fn stop(who: u64, deal: DealId) -> DispatchResultWithPostInfo {
	Market::stop(RuntimeOrigin::signed(who), deal)
}

fn close(deal: DealId) -> DispatchResultWithPostInfo {
	Market::close(RuntimeOrigin::signed(STRANGER), deal)
}

fn row(deal: DealId) -> Deal<u64> {
	Market::deal_of(deal).expect("it stands")
}

/// What is left of escrow and closing deposit.
fn left(deal: DealId) -> (Balance, Balance) {
	(row(deal).escrow, row(deal).closing_deposit)
}

fn span(from: EpochIndex, until: EpochIndex) -> Option<GraceSpan> {
	Some(GraceSpan { from, until })
}

/// Serves an epoch of a deal, and settles it in the rest of the next one.
fn serve(peer: PeerId, deal: DealId, epoch: EpochIndex) {
	at_rest_of(epoch + 1);
	report_and_settle(peer, epoch, &[deal]);
}

/// A deal of one worker whose escrow paid epoch 6 and will pay 7: it is in grace in 8 and 9.
fn in_grace(ask: Balance) -> (DealId, PeerId) {
	let (deal, peer) = live_deal(1, ask, 2);
	serve(peer, deal, 6);
	assert_ok!(begin(deal));
	(deal, peer)
}

#[test]
fn a_deal_without_escrow_pays_two_epochs_at_half_the_price_and_ends() {
	build_and_execute(|| {
		let issued = Balances::total_issuance();
		let (deal, peer) = live_deal(1, 1_000, 2);
		at(6, 19);
		assert_noop!(begin(deal), Error::<Test>::EscrowLasts);
		assert_noop!(begin(deal + 1), Error::<Test>::UnknownDeal);
		at(7, 0);
		assert_eq!(Market::assignments(peer)[0].paid_until, 7);
		assert_ok!(begin(deal));
		System::assert_last_event(
			Event::<Test>::GraceBegun {
				deal,
				from: 8,
				until: 9,
			}
			.into(),
		);
		assert_eq!(
			(row(deal).status, row(deal).grace),
			(DealStatus::Grace, span(8, 9))
		);
		assert_eq!(Market::assignments(peer)[0].paid_until, 9);
		assert_noop!(begin(deal), Error::<Test>::DealInGrace);
		assert_noop!(
			Market::resize(RuntimeOrigin::signed(CLIENT), deal, 1, 2),
			Error::<Test>::DealInGrace
		);
		assert_ok!(Market::do_try_state());

		serve(peer, deal, 6);
		serve(peer, deal, 7);
		assert_eq!(left(deal), (0, 1_000));
		assert_noop!(stop(STRANGER, deal), Error::<Test>::NotOwner);
		serve(peer, deal, 8);
		assert_eq!(left(deal), (0, 500));
		assert_ok!(stop(STRANGER, deal));
		System::assert_last_event(
			Event::<Test>::DealStopped {
				deal,
				last: 9,
				early: false,
			}
			.into(),
		);
		assert_noop!(begin(deal), Error::<Test>::DealEnding);
		assert_ok!(Market::do_try_state());
		serve(peer, deal, 9);
		assert_eq!(left(deal), (0, 0));
		assert_ok!(close(deal));
		// 3,000 in all, of which 2 % burn.
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 3_000);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT + 2_940
		);
		assert_eq!(Balances::total_issuance(), issued - 60);
		assert_eq!(in_pot(), 0);
	});
}

#[test]
fn half_of_an_odd_price_is_rounded_down() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(7);
		serve(peer, deal, 7);
		serve(peer, deal, 8);
		assert_eq!(left(deal), (0, 4));
		assert_ok!(stop(STRANGER, deal));
		serve(peer, deal, 9);
		assert_ok!(close(deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 7 - 7 - 3 - 3);
	});
}

#[test]
fn an_epoch_in_grace_that_is_not_served_costs_nothing() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		serve(peer, deal, 7);
		at_rest_of(9);
		report(peer, 8, &[deal]);
		Market::on_settled(peer, 8, true);
		assert_ok!(stop(STRANGER, deal));
		at_rest_of(10);
		assert_ok!(close(deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 2_000);
	});
}

#[test]
fn escrow_that_comes_before_grace_does_undoes_it() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		// Of the escrow that is left epoch 7 is owed.
		assert_noop!(top_up(deal, 999), Error::<Test>::GraceTooLittle);
		assert_ok!(top_up(deal, 1_000));
		System::assert_last_event(Event::<Test>::GraceEnded { deal, from: 8 }.into());
		assert_eq!(
			(row(deal).status, row(deal).grace),
			(DealStatus::Active, None)
		);
		assert_eq!(Market::assignments(peer)[0].paid_until, 8);
		assert_ok!(Market::do_try_state());
		serve(peer, deal, 7);
		serve(peer, deal, 8);
		assert_eq!(left(deal), (0, 1_000));
	});
}

#[test]
fn grace_ends_halfway_when_the_deposit_is_restored() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		at(8, 0);
		// Epoch 7 is owed what the escrow has, epoch 8 half a price, and epoch 9 is to be paid.
		assert_noop!(top_up(deal, 1_499), Error::<Test>::GraceTooLittle);
		assert_ok!(top_up(deal, 1_500));
		assert_eq!(
			(row(deal).status, row(deal).grace),
			(DealStatus::Active, span(8, 8))
		);
		assert_eq!(left(deal), (2_000, 1_500));
		assert_eq!(Market::assignments(peer)[0].paid_until, 9);
		assert_ok!(Market::do_try_state());
		serve(peer, deal, 7);
		assert_eq!(left(deal), (1_000, 1_500));
		serve(peer, deal, 8);
		assert_eq!(left(deal), (1_000, 1_000));
		serve(peer, deal, 9);
		assert_eq!(left(deal), (0, 1_000));
		assert_ok!(stop(CLIENT, deal));
		at_rest_of(11);
		assert_ok!(close(deal));
		// Epochs 6, 7 and 9, and half of 8.
		let spent = Balances::free_balance(CLIENT) + Balances::free_balance(STRANGER);
		assert_eq!(2 * FUNDS - spent, 3_500);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT + 3_430
		);
	});
}

#[test]
fn grace_that_ends_in_its_last_epoch_is_followed_by_another_one_at_the_earliest() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		serve(peer, deal, 7);
		serve(peer, deal, 8);
		// 500 are left, and as much is owed for epoch 9.
		assert_noop!(top_up(deal, 1_999), Error::<Test>::GraceTooLittle);
		assert_ok!(top_up(deal, 2_000));
		assert_eq!((left(deal), row(deal).grace), ((1_000, 1_500), span(8, 9)));
		assert_noop!(begin(deal), Error::<Test>::EscrowLasts);

		at(10, 0);
		// Epoch 9 is not closed yet, and then not settled.
		assert_noop!(begin(deal), Error::<Test>::GraceNotSettled);
		at_rest_of(10);
		report(peer, 9, &[deal]);
		leave_unsettled(peer, 9);
		assert_noop!(begin(deal), Error::<Test>::GraceNotSettled);
		MockCapacity::settle(peer);
		assert_eq!(left(deal), (1_000, 1_000));
		assert_ok!(begin(deal));
		assert_eq!(row(deal).grace, span(11, 12));
		for epoch in 10..12 {
			serve(peer, deal, epoch);
		}
		assert_ok!(stop(STRANGER, deal));
		serve(peer, deal, 12);
		assert_ok!(close(deal));
		// Epochs 6, 7 and 10, and half of 8, 9, 11 and 12: nothing is left of either.
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 3_000);
		assert_eq!(Balances::free_balance(STRANGER), FUNDS - 2_000);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT + 4_900
		);
		assert_eq!(in_pot(), 0);
	});
}

#[test]
fn the_deposit_is_restored_for_what_is_reported_and_not_settled() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		serve(peer, deal, 7);
		at_rest_of(9);
		report(peer, 8, &[deal]);
		leave_unsettled(peer, 8);
		// Half for epoch 8, half for epoch 9, and epoch 10.
		assert_noop!(top_up(deal, 1_999), Error::<Test>::GraceTooLittle);
		assert_ok!(top_up(deal, 2_000));
		MockCapacity::settle(peer);
		serve(peer, deal, 9);
		assert_eq!(left(deal), (1_000, 1_000));
	});
}

#[test]
fn the_deposit_is_not_restored_for_what_was_not_served() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		serve(peer, deal, 7);
		at_rest_of(9);
		assert_noop!(top_up(deal, 1_499), Error::<Test>::GraceTooLittle);
		assert_ok!(top_up(deal, 1_500));
		assert_eq!(left(deal), (1_000, 1_500));
	});
}

#[test]
fn after_its_last_epoch_grace_is_over_for_good() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		serve(peer, deal, 7);
		serve(peer, deal, 8);
		at(10, 3);
		assert_noop!(top_up(deal, 9_000), Error::<Test>::DealEnding);
		// However late it is stopped, nothing is paid for what was served after grace; but whoever
		// served it was a worker.
		assert_ok!(stop(STRANGER, deal));
		assert_eq!(row(deal).status, DealStatus::Ending { last: 10 });
		assert!(Market::is_worker(peer, deal, 10));
		assert!(!Market::is_worker(peer, deal, 11));
		assert_ok!(Market::do_try_state());
		serve(peer, deal, 9);
		assert_eq!(left(deal), (0, 0));
		serve(peer, deal, 10);
		assert_ok!(close(deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 3_000);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT + 2_940
		);
	});
}

#[test]
fn what_is_served_after_grace_is_not_paid_while_nobody_stops_the_deal() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(14);
		for epoch in 7..13 {
			serve(peer, deal, epoch);
		}
		assert_eq!(left(deal), (0, 0));
		// Epochs 6 and 7, and half of 8 and 9.
		assert_eq!(row(deal).paid + row(deal).burnt, 3 * 14);
		assert!(Market::is_worker(peer, deal, 12));
	});
}

#[test]
fn an_early_stop_before_grace_costs_what_it_always_does() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		assert_noop!(stop(STRANGER, deal), Error::<Test>::NotOwner);
		assert_ok!(stop(CLIENT, deal));
		assert!(row(deal).early);
		serve(peer, deal, 7);
		assert_ok!(close(deal));
		// Epochs 6 and 7, and the closing epoch.
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 3_000);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT + 2_940
		);
	});
}

#[test]
fn an_early_stop_in_grace_pays_what_is_left_of_the_deposit() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		serve(peer, deal, 7);
		assert_noop!(stop(STRANGER, deal), Error::<Test>::NotOwner);
		assert_ok!(stop(CLIENT, deal));
		System::assert_last_event(
			Event::<Test>::DealStopped {
				deal,
				last: 8,
				early: true,
			}
			.into(),
		);
		assert_ok!(Market::do_try_state());
		serve(peer, deal, 8);
		assert_eq!(left(deal), (0, 500));
		System::reset_events();
		assert_ok!(close(deal));
		System::assert_has_event(
			Event::<Test>::ClosingPaid {
				deal,
				peer,
				paid: 490,
				burnt: 10,
			}
			.into(),
		);
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 3_000);
	});
}

#[test]
fn a_term_cuts_grace_short() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let mut wanted = spec(1, 10);
		// Created in epoch 5: the last one is 8.
		wanted.term_epochs = Some(3);
		let deal = create(wanted, 20);
		run_matcher();
		go_live(peer, deal);
		serve(peer, deal, 6);
		assert_ok!(begin(deal));
		assert_eq!(row(deal).grace, span(8, 8));
		serve(peer, deal, 7);
		// There is no epoch to be paid any more.
		assert_noop!(top_up(deal, 1_000), Error::<Test>::DealEnding);
		assert_ok!(stop(STRANGER, deal));
		assert!(!row(deal).early);
		serve(peer, deal, 8);
		assert_ok!(close(deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 25);
	});
}

#[test]
fn a_deal_whose_term_or_workers_are_gone_has_no_grace() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let mut wanted = spec(1, 10);
		wanted.term_epochs = Some(2);
		let short = create(wanted, 20);
		run_matcher();
		go_live(peer, short);
		let empty = create(spec(1, 9), 18);
		serve(peer, short, 6);
		assert_noop!(begin(short), Error::<Test>::EscrowLasts);
		assert_ok!(stop(STRANGER, short));
		at(50, 0);
		assert_noop!(begin(empty), Error::<Test>::EscrowLasts);
		assert_noop!(stop(STRANGER, empty), Error::<Test>::NotOwner);
	});
}

#[test]
fn nobody_is_looked_for_in_grace() {
	build_and_execute(|| {
		let patient = MarketParams {
			assignment_epochs: 10,
			..params()
		};
		assert_ok!(Market::apply_params(patient));
		let first = offer(1, PROVIDER, 1, 10);
		let deal = create(spec(2, 10), 40);
		run_matcher();
		go_live(first, deal);
		at(6, 0);
		let second = offer(2, PROVIDER + 1, 1, 10);
		run_matcher();
		assert_eq!(workers(deal), vec![first, second]);
		for epoch in 6..9 {
			serve(first, deal, epoch);
		}
		assert_ok!(begin(deal));
		// Whoever only waited leaves without fault.
		System::assert_has_event(
			Event::<Test>::WorkerReleased {
				deal,
				peer: second,
				reason: ReleaseReason::Ended,
			}
			.into(),
		);
		assert_eq!(workers(deal), vec![first]);
		assert_eq!(Exclusions::<Test>::iter().count(), 0);
		assert_eq!(Unfilled::<Test>::iter().count(), 0);
		assert_ok!(Market::do_try_state());
		run_matcher();
		assert_eq!(workers(deal), vec![first]);

		assert_ok!(top_up(deal, 100));
		assert_eq!(Unfilled::<Test>::iter().count(), 1);
		run_matcher();
		assert_eq!(workers(deal), vec![first, second]);
	});
}

#[test]
fn a_worker_that_drains_in_grace_is_paid_its_half() {
	build_and_execute(|| {
		let (deal, peer) = in_grace(1_000);
		drain(peer, deal);
		assert_ok!(Market::do_try_state());
		serve(peer, deal, 7);
		serve(peer, deal, 8);
		assert_eq!(left(deal), (0, 500));
		// It was asked to serve epoch 8 and no more.
		serve(peer, deal, 9);
		assert_eq!(left(deal), (0, 500));
		assert_ok!(stop(STRANGER, deal));
		at_rest_of(11);
		assert_ok!(close(deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 2_500);
	});
}

#[test]
fn a_top_up_weighs_what_it_reads() {
	build_and_execute(|| {
		let (deal, _) = live_deal(1, 1_000, 2);
		let weight = |amount| top_up(deal, amount).expect("it stands").actual_weight;
		let plain = <() as WeightInfo>::top_up();
		assert_eq!(weight(1), Some(plain));
		at(7, 0);
		assert_ok!(begin(deal));
		let in_grace = plain + <() as WeightInfo>::begin_grace(1);
		assert_eq!(weight(5_000), Some(in_grace));
	});
}

/// A fifth of a payment burns, and grace is twice as long at half of what it pays.
fn other_terms() -> MarketParams {
	MarketParams {
		payment_burn: Perbill::from_percent(20),
		grace_epochs: 4,
		grace_price: Perbill::from_percent(25),
		..params()
	}
}

#[test]
fn a_deal_keeps_the_grace_and_the_burn_that_it_was_made_under() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 2);
		assert_ok!(Market::apply_params(other_terms()));
		serve(peer, deal, 6);
		assert_ok!(begin(deal));
		assert_eq!(row(deal).grace, span(8, 9));
		serve(peer, deal, 7);
		serve(peer, deal, 8);
		assert_eq!(left(deal), (0, 500));
		// Two epochs and a half, of which 2 % burn.
		assert_eq!((row(deal).paid, row(deal).burnt), (2_450, 50));
	});
}

#[test]
fn a_deal_that_is_made_after_a_vote_has_the_grace_that_was_voted() {
	build_and_execute(|| {
		assert_ok!(Market::apply_params(other_terms()));
		let (deal, peer) = in_grace(1_000);
		assert_eq!(row(deal).grace, span(8, 11));
		serve(peer, deal, 7);
		serve(peer, deal, 8);
		assert_eq!(left(deal), (0, 750));
		// Two epochs and a quarter, of which a fifth burns.
		assert_eq!((row(deal).paid, row(deal).burnt), (1_800, 450));
	});
}
