//! Payments for served epochs, exact to the unit.

use crate::{mock::*, Event, HoldReason, Reported, WeightInfo};
use frame_support::{assert_ok, traits::fungible::Inspect};
use millrace_primitives::{
	market::split_payment,
	peer::PeerId,
	report::Served,
	traits::{WorkInspector, WorkLedger},
	Balance, DealId,
};
use proptest::prelude::*;

fn escrow(deal: DealId) -> Balance {
	Market::deal_of(deal).expect("it stands").escrow
}

#[test]
fn a_reported_epoch_is_paid_once_and_two_per_cent_burn() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 3);
		let issued = Balances::total_issuance();
		let before = Balances::free_balance(PROVIDER);
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		System::assert_has_event(
			Event::<Test>::ReportPaid {
				peer,
				epoch: 6,
				paid: 980,
				burnt: 20,
			}
			.into(),
		);
		assert_eq!(Balances::free_balance(PROVIDER), before + 980);
		assert_eq!(Balances::total_issuance(), issued - 20);
		assert_eq!(escrow(deal), 2_000);
		assert_eq!(in_pot(), 3_000);
		// Settled again, nothing is left to pay.
		Market::on_settled(peer, 6, false);
		assert_eq!(escrow(deal), 2_000);
		assert_eq!(Reported::<Test>::iter().count(), 0);
	});
}

#[test]
fn what_is_not_reported_void_or_not_due_is_not_paid() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 3);
		// Before its first paid epoch.
		report_and_settle(peer, 5, &[deal]);
		// Not reported at all, and reported without the deal.
		Market::on_settled(peer, 6, false);
		report_and_settle(peer, 7, &[]);
		// Reported, but void.
		report(peer, 8, &[deal]);
		Market::on_settled(peer, 8, true);
		assert_eq!(Reported::<Test>::iter().count(), 0);
		// Reported by a peer that does not work for it.
		let other = register(2, PROVIDER, 4);
		report_and_settle(other, 8, &[deal]);
		assert_eq!(escrow(deal), 3_000);
		// A report of one epoch does not pay another.
		report(peer, 9, &[deal]);
		Market::on_settled(peer, 8, false);
		assert_eq!(escrow(deal), 3_000);
		Market::on_settled(peer, 9, false);
		assert_eq!(escrow(deal), 2_000);
	});
}

#[test]
fn a_deal_listed_twice_is_paid_once() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 3);
		report_and_settle(peer, 6, &[deal, deal]);
		assert_eq!(escrow(deal), 2_000);
	});
}

#[test]
fn dues_never_exceed_the_escrow() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 2);
		for epoch in 6..10 {
			report_and_settle(peer, epoch, &[deal]);
		}
		assert_eq!(escrow(deal), 0);
		// The closing deposit is not touched.
		assert_eq!(in_pot(), 1_000);
	});
}

#[test]
fn a_term_is_paid_to_its_last_epoch() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let mut spec = spec(1, 10);
		spec.term_epochs = Some(2);
		let deal = create(spec, 100);
		run_matcher();
		go_live(peer, deal);
		for epoch in 6..10 {
			at_rest_of(epoch + 1);
			report_and_settle(peer, epoch, &[deal]);
		}
		// Created in epoch 5: epochs 6 and 7.
		assert_eq!(escrow(deal), 80);
		assert!(Market::is_worker(peer, deal, 8));
	});
}

/// A peer that is live in a deal for each of the escrows, at 10 an epoch.
fn live_in(escrows: &[Balance]) -> (PeerId, Vec<DealId>) {
	let peer = offer(1, PROVIDER, 4, 10);
	let deals: Vec<_> = escrows
		.iter()
		.map(|escrow| create(spec(1, 10), *escrow))
		.collect();
	run_matcher();
	deals.iter().for_each(|deal| go_live(peer, *deal));
	(peer, deals)
}

#[test]
fn all_deals_of_a_report_are_paid_in_one_transfer() {
	build_and_execute(|| {
		let (peer, deals) = live_in(&[90, 90, 90]);
		let issued = Balances::total_issuance();
		let (before, escrowed) = (Balances::free_balance(PROVIDER), in_pot());
		at_rest_of(7);
		System::reset_events();
		report_and_settle(peer, 6, &deals);
		// The burn of each payment is rounded up for itself: 3 × 1, not 2 % of 30.
		assert_eq!(Balances::free_balance(PROVIDER), before + 27);
		assert_eq!(Balances::total_issuance(), issued - 3);
		assert_eq!(in_pot(), escrowed - 30);
		let moves = System::read_events_for_pallet::<pallet_balances::Event<Test>>();
		let transfers = moves
			.iter()
			.filter(|event| matches!(event, pallet_balances::Event::TransferOnHold { .. }));
		assert_eq!(transfers.count(), 1);
		let burns = moves
			.iter()
			.filter(|event| matches!(event, pallet_balances::Event::BurnedHeld { .. }));
		assert_eq!(burns.count(), 1);
		for deal in deals {
			let row = Market::deal_of(deal).expect("it stands");
			assert_eq!((row.escrow, row.paid, row.burnt), (80, 9, 1));
		}
		let told = System::read_events_for_pallet::<Event<Test>>();
		let paid = Event::ReportPaid {
			peer,
			epoch: 6,
			paid: 27,
			burnt: 3,
		};
		assert_eq!(told, vec![paid]);
	});
}

#[test]
fn a_deal_without_escrow_keeps_no_other_from_being_paid() {
	build_and_execute(|| {
		let (peer, deals) = live_in(&[20, 25, 90]);
		let before = Balances::free_balance(PROVIDER);
		for epoch in 6..9 {
			at_rest_of(epoch + 1);
			report_and_settle(peer, epoch, &deals);
		}
		// What is left of the second pays half of its third epoch.
		let left: Vec<_> = deals.iter().map(|deal| escrow(*deal)).collect();
		assert_eq!(left, vec![0, 0, 60]);
		// 2 + 2 + 3 whole epochs at 9 of 10, and 5 of which 1 burns.
		assert_eq!(Balances::free_balance(PROVIDER), before + 7 * 9 + 4);
	});
}

#[test]
fn a_settlement_weighs_what_it_pays() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deals: Vec<_> = (0..3).map(|_| create(spec(1, 10), 90)).collect();
		run_matcher();
		deals.iter().for_each(|deal| go_live(peer, *deal));
		report(peer, 6, &deals[..2]);
		assert_eq!(
			Market::on_settled(peer, 6, false),
			<() as WeightInfo>::on_settled(2)
		);
		report(peer, 7, &deals);
		assert_eq!(
			Market::on_settled(peer, 7, true),
			<() as WeightInfo>::on_settled(0)
		);
		assert_eq!(
			Market::on_commitment_over(peer, false),
			<() as WeightInfo>::on_commitment_over(3)
		);
	});
}

#[test]
fn reports_are_bounded_by_what_the_peer_works_for() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 3);
		at(7, 0);
		let served: Vec<_> = (0..64)
			.map(|deal| Served {
				deal,
				calls: 1,
				gas: 1,
			})
			.collect();
		Market::on_report(peer, 6, &served);
		let (_, listed) = Reported::<Test>::get(peer).expect("it was noted");
		assert_eq!(listed.to_vec(), vec![(deal, 1)]);
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	/// Whatever is reported, voided, topped up and stopped: what was escrowed is what is paid,
	/// burnt and refunded, on the ledger and on the accounts.
	#[test]
	fn escrowed_is_paid_burnt_and_refunded(
		asks in proptest::collection::vec(2u128..5_000, 1..5),
		spare in 0u128..3,
		epochs in proptest::collection::vec((0u8..32, 0u8..32, 0u128..700), 1..9),
		odd in 0u128..997,
	) {
		build_and_execute(|| {
			let issued = Balances::total_issuance();
			let peers: Vec<_> = asks
				.iter()
				.enumerate()
				.map(|(index, ask)| {
					offer(index as u8, PROVIDER + index as u64, 1, *ask)
				})
				.collect();
			let ceiling = 5_000;
			let target = asks.len() as u32;
			let price = ceiling * asks.len() as u128;
			let mut escrowed = price * (2 + spare) + odd;
			let deal = create(spec(target, ceiling), escrowed);
			escrowed += price;
			run_matcher();
			for peer in &peers {
				go_live(*peer, deal);
			}
			let mut expected_paid = 0;
			let mut expected_burnt = 0;
			let mut last = 5;
			for (step, (reports, voids, top_up)) in epochs.iter().enumerate() {
				let epoch = 6 + step as u32;
				last = epoch + 1;
				at_rest_of(last);
				if *top_up > 0 {
					assert_ok!(Market::top_up(RuntimeOrigin::signed(STRANGER), deal, *top_up));
					escrowed += *top_up;
				}
				for (index, peer) in peers.iter().enumerate() {
					let bit = 1u8 << index;
					let before = escrow(deal);
					if reports & bit != 0 {
						report(*peer, epoch, &[deal]);
					}
					Market::on_settled(*peer, epoch, voids & bit != 0);
					if reports & bit != 0 && voids & bit == 0 {
						let (paid, burnt) = split_payment(asks[index].min(before));
						expected_paid += paid;
						expected_burnt += burnt;
					}
				}
				assert_ok!(Market::do_try_state());
			}
			let row = Market::deal_of(deal).expect("it stands");
			let expired = Market::paid_until(deal, &row, &Market::worker_rows(deal)) <= last;
			assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
			assert_ok!(Market::do_try_state());
			at_rest_of(last + 1);
			assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
			if !expired {
				for ask in &asks {
					let (paid, burnt) = split_payment(*ask);
					expected_paid += paid;
					expected_burnt += burnt;
				}
			}
			let refunded = escrowed - expected_paid - expected_burnt;
			System::assert_last_event(
				Event::<Test>::DealClosed {
					deal,
					paid: expected_paid,
					burnt: expected_burnt,
					refunded,
				}
				.into(),
			);
			assert_eq!(in_pot(), 0);
			assert_eq!(held(HoldReason::DealDeposit, CLIENT), 0);
			assert_eq!(Balances::total_issuance(), issued - expected_burnt);
			let earned: Balance = (0..asks.len() as u64)
				.map(|index| Balances::total_balance(&(PROVIDER + index)) - FUNDS)
				.sum();
			assert_eq!(earned, expected_paid);
		});
	}
}
