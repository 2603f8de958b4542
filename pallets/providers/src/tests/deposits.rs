//! Deposits come back to the unit.

use crate::{mock::*, HoldReason, Peers, Providers};
use frame_support::{assert_ok, traits::fungible::InspectHold};
use millrace_primitives::Balance;
use proptest::prelude::*;

fn held(reason: HoldReason, who: u64) -> Balance {
	Balances::balance_on_hold(&reason.into(), &who)
}

fn all_held(who: u64) -> (Balance, Balance) {
	(
		held(HoldReason::ProviderDeposit, who),
		held(HoldReason::PeerDeposit, who),
	)
}

#[test]
fn deposits_are_held_and_released() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		assert_eq!(all_held(ALICE), (100, 0));
		register_peer(ALICE, 1);
		register_peer(ALICE, 2);
		assert_eq!(all_held(ALICE), (100, 20));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - 120);
		assert_ok!(Registry::remove_peer(signed(ALICE), peer(1)));
		assert_eq!(all_held(ALICE), (100, 10));
		assert_ok!(Registry::remove_peer(signed(ALICE), peer(2)));
		assert_ok!(Registry::remove_provider(signed(ALICE)));
		assert_eq!(all_held(ALICE), (0, 0));
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
	});
}

#[test]
fn what_comes_back_is_what_was_held() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		register_peer(ALICE, 1);
		ProviderDepositAmount::set(7);
		PeerDepositAmount::set(3_000);
		register_peer(ALICE, 2);
		assert_eq!(all_held(ALICE), (100, 3_010));
		assert_ok!(Registry::remove_peer(signed(ALICE), peer(1)));
		assert_eq!(all_held(ALICE), (100, 3_000));
		assert_ok!(Registry::remove_peer(signed(ALICE), peer(2)));
		assert_ok!(Registry::remove_provider(signed(ALICE)));
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
	});
}

#[test]
fn who_cannot_pay_registers_nothing() {
	ExtBuilder.build_and_execute(|| {
		assert!(Registry::register_provider(signed(POOR), Default::default()).is_err());
		assert_eq!(Providers::<Test>::get(POOR), None);
		ProviderDepositAmount::set(45);
		register_provider(POOR);
		assert!(Registry::register_peer(
			signed(POOR),
			key(1),
			proof(1, POOR),
			endpoint("http://a")
		)
		.is_err());
		assert_eq!(Peers::<Test>::get(peer(1)), None);
		assert_eq!(all_held(POOR), (45, 0));
	});
}

#[test]
fn rotation_and_endpoints_cost_no_deposit() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		let peer = register_peer(ALICE, 1);
		System::set_block_number(2);
		assert_ok!(Registry::rotate_key(
			signed(ALICE),
			peer,
			key(2),
			proof(2, ALICE)
		));
		assert_ok!(Registry::set_endpoint(
			signed(ALICE),
			peer,
			endpoint("http://b")
		));
		assert_eq!(all_held(ALICE), (100, 10));
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(32))]

	/// Whatever is tried in whatever order, holds match the records after every step and money
	/// only moves between an account's free and held balance.
	#[test]
	fn holds_match_the_records(
		steps in prop::collection::vec((0u8..5, 1u64..4, 0u16..4, 1u128..60), 1..60),
	) {
		ExtBuilder.build_and_execute(|| {
			let total = |who: u64| Balances::free_balance(who) + all_held(who).0 + all_held(who).1;
			let before = [ALICE, BOB, POOR].map(total);
			for (at, (action, who, seed, deposit)) in steps.into_iter().enumerate() {
				System::set_block_number(at as u32 + 1);
				ProviderDepositAmount::set(deposit);
				PeerDepositAmount::set(deposit / 2);
				// A refused call changes nothing, which the invariants show.
				let _ = match action {
					0 => Registry::register_provider(signed(who), Default::default()),
					1 => Registry::remove_provider(signed(who)),
					2 => Registry::register_peer(
						signed(who),
						key(seed),
						proof(seed, who),
						endpoint("http://a"),
					),
					3 => Registry::rotate_key(signed(who), peer(seed), key(4), proof(4, who)),
					_ => Registry::remove_peer(signed(who), peer(seed)),
				};
				Registry::do_try_state().unwrap();
				assert_eq!([ALICE, BOB, POOR].map(total), before);
			}
		});
	}
}
