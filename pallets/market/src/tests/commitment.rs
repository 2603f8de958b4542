//! What happens to workers whose peer's commitment is over.

use crate::{mock::*, Event, HoldReason, Loads, PeerDeals, ReleaseReason, Reported};
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
		Market::on_commitment_over(peer);

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
		Market::on_commitment_over(peer);
		assert_eq!(workers(deal), vec![]);
		// Nobody is left whom the closing deposit could be owed to.
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(Balances::free_balance(CLIENT), FUNDS);
	});
}
