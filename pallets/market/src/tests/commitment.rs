//! What happens to workers whose peer's commitment is over.

use crate::{mock::*, Event, Exclusions, HoldReason, Loads, PeerDeals, ReleaseReason, Reported};
use frame_support::assert_ok;
use millrace_primitives::traits::WorkLedger;

#[test]
fn the_workers_end_and_the_deals_look_for_others() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deals = [create(spec(1, 10), 90), create(spec(1, 10), 90)];
		run_matcher();
		go_live(peer, deals[0]);
		at(6, 0);
		report(peer, 5, &deals);
		set_units(peer, 0);
		Market::on_commitment_over(peer, false);

		for deal in deals {
			System::assert_has_event(
				Event::<Test>::WorkerReleased {
					deal,
					peer,
					reason: ReleaseReason::CommitmentOver,
				}
				.into(),
			);
			assert_eq!(workers(deal), vec![]);
		}
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		assert_eq!(PeerDeals::<Test>::iter().count(), 0);
		assert_eq!(Loads::<Test>::iter().count(), 0);
		assert_eq!(Reported::<Test>::iter().count(), 0);
		assert_eq!(Market::busy_units(peer, 6), 0);

		let other = offer(2, PROVIDER + 1, 4, 10);
		run_matcher();
		for deal in deals {
			assert_eq!(workers(deal), vec![other]);
		}
	});
}

#[test]
fn a_deal_that_is_ending_goes_on_without_the_worker() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		Market::on_commitment_over(peer, false);
		assert_eq!(workers(deal), vec![]);
		// Nobody is left whom the closing deposit could be owed to.
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS);
	});
}

#[test]
fn a_failed_commitment_costs_the_bonds() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deals = [create(spec(1, 10), 90), create(spec(1, 10), 90)];
		run_matcher();
		go_live(peer, deals[0]);
		at(6, 0);
		let issued = Balances::total_issuance();
		let escrowed = in_pot();
		fail_commitment(peer);

		for deal in deals {
			System::assert_has_event(
				Event::<Test>::WorkerReleased {
					deal,
					peer,
					reason: ReleaseReason::CommitmentFailed,
				}
				.into(),
			);
			assert_eq!(workers(deal), vec![]);
			assert_eq!(Exclusions::<Test>::get(deal).to_vec(), vec![(peer, 9)]);
		}
		// Nobody had to point to it. Only the live one holds a bond, of which its client gets an
		// epoch's price.
		System::assert_has_event(
			Event::<Test>::BondForfeited {
				deal: deals[0],
				peer,
				bounty: 0,
				to_escrow: 10,
				burnt: 90,
			}
			.into(),
		);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT - 100
		);
		assert_eq!(Balances::total_issuance(), issued - 90);
		assert_eq!(in_pot(), escrowed + 10);
		assert_eq!(Market::deal_of(deals[0]).expect("it stands").escrow, 100);
	});
}

#[test]
fn a_failure_costs_nothing_where_all_is_served() {
	// The deal has ended, or the worker has had notice.
	for ends in [true, false] {
		build_and_execute(|| {
			let (deal, peer) = live_deal(1, 10, 9);
			at(6, 0);
			if ends {
				at(7, 0);
				assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
			} else {
				drain(peer, deal);
			}
			at_rest_of(7);
			report_and_settle(peer, 6, &[deal]);
			at_rest_of(8);
			report_and_settle(peer, 7, &[deal]);
			fail_commitment(peer);
			System::assert_last_event(
				Event::<Test>::WorkerReleased {
					deal,
					peer,
					reason: ReleaseReason::CommitmentOver,
				}
				.into(),
			);
			assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
			let paid = 2 * 9;
			assert_eq!(
				Balances::free_balance(PROVIDER),
				FUNDS - OFFER_DEPOSIT + paid
			);
		});
	}
}

#[test]
fn a_failure_before_the_last_epoch_is_served_costs_the_bond() {
	for ends in [true, false] {
		build_and_execute(|| {
			let (deal, peer) = live_deal(1, 10, 9);
			at(7, 0);
			if ends {
				assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
			} else {
				drain(peer, deal);
			}
			at_rest_of(7);
			report_and_settle(peer, 6, &[deal]);
			fail_commitment(peer);
			assert_eq!(
				Balances::free_balance(PROVIDER),
				FUNDS - OFFER_DEPOSIT - 100 + 9
			);
			// Who leaves a deal that is ending is not kept from it.
			let excluded = Exclusions::<Test>::get(deal);
			assert_eq!(excluded.is_empty(), ends);
		});
	}
}
