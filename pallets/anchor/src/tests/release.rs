//! Deposits that cannot be paid at once.

use crate::{mock::*, Error, Event, Parked};
use frame_support::{assert_noop, assert_ok};

#[test]
fn no_more_comes_back_in_an_epoch_than_may() {
	build_and_execute(|| {
		lock(1_000_000);
		deposit(BOB, 400_000);
		deposit(BOB, 300_000);
		deposit(BOB, 50);
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT + 500_000, "the second one in part");
		let parked: Vec<_> = Anchor::parked(0, 10)
			.into_iter()
			.map(|row| (row.nonce, row.amount))
			.collect();
		assert_eq!(parked, [(1, 200_000), (2, 50)]);
		assert_eq!(Anchor::status().parked, 200_050);
		assert_noop!(
			Anchor::release(signed(ALICE), 2),
			Error::<Test>::InflowLimit
		);
		CurrentEpoch::set(4);
		// In any order.
		assert_ok!(Anchor::release(signed(ALICE), 2));
		assert_ok!(Anchor::release(signed(ALICE), 1));
		assert_eq!(free(BOB), ENDOWMENT + 700_050);
		assert_noop!(Anchor::release(signed(ALICE), 1), Error::<Test>::NotParked);
		assert_eq!(Anchor::status().parked, 0);
	});
}

#[test]
fn a_large_deposit_is_paid_in_parts() {
	build_and_execute(|| {
		let most = 1_000_000;
		lock(most);
		CurrentEpoch::set(4);
		lock(most);
		deposit(BOB, 1_200_000);
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT + 500_000);
		CurrentEpoch::set(5);
		assert_ok!(Anchor::release(signed(BOB), 0));
		assert_eq!(free(BOB), ENDOWMENT + 1_000_000);
		assert_noop!(Anchor::release(signed(BOB), 0), Error::<Test>::InflowLimit);
		CurrentEpoch::set(6);
		assert_ok!(Anchor::release(signed(BOB), 0));
		assert_eq!(free(BOB), ENDOWMENT + 1_200_000);
		assert!(Parked::<Test>::get(0).is_none());
	});
}

#[test]
fn an_account_that_cannot_be_takes_it_once_it_is() {
	build_and_execute(|| {
		lock(1_000);
		deposit(77, EXISTENTIAL_DEPOSIT - 1);
		deposit(BOB, 100);
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT + 100, "nobody waits for it");
		assert!(events().contains(&Event::DepositParked {
			nonce: 0,
			recipient: 77,
			amount: EXISTENTIAL_DEPOSIT - 1
		}));
		assert_noop!(
			Anchor::release(signed(ALICE), 0),
			Error::<Test>::CannotReceive
		);
		assert_ok!(Balances::transfer_allow_death(
			signed(ALICE),
			77,
			EXISTENTIAL_DEPOSIT
		));
		assert_ok!(Anchor::release(signed(ALICE), 0));
		assert_eq!(free(77), 2 * EXISTENTIAL_DEPOSIT - 1);
	});
}

#[test]
fn a_deposit_for_the_pot_itself_is_its_own_and_backs_nothing() {
	build_and_execute(|| {
		lock(1_000);
		deposit(Anchor::pot(), 300);
		bring_all();
		assert_eq!(free(Anchor::pot()), EXISTENTIAL_DEPOSIT + 300);
		assert_eq!(Anchor::status().there, 700);
	});
}

#[test]
fn gifts_to_the_pot_are_no_locked_flt() {
	build_and_execute(|| {
		lock(1_000);
		assert_ok!(Balances::transfer_allow_death(
			signed(BOB),
			Anchor::pot(),
			500
		));
		deposit(BOB, 1_001);
		bring_all();
		assert_eq!(Anchor::status().there, 1_000, "more than was sent");
		assert!(Anchor::is_paused());
	});
}

#[test]
fn a_view_of_waiting_deposits_is_ordered_and_bounded() {
	build_and_execute(|| {
		lock(1_000);
		for _ in 0..5 {
			deposit(77, 1);
		}
		bring_all();
		let nonces = |from, limit| -> Vec<u64> {
			Anchor::parked(from, limit)
				.into_iter()
				.map(|row| row.nonce)
				.collect()
		};
		assert_eq!(nonces(0, 100), [0, 1, 2, 3, 4]);
		assert_eq!(nonces(2, 2), [2, 3]);
		assert!(nonces(5, 100).is_empty());
	});
}
