//! The pot: escrow leaves its owner's account, and comes back to it whatever has become of that.

use crate::{mock::*, HoldReason};
use frame_support::{
	assert_ok,
	traits::{fungible::Inspect, LockableCurrency, WithdrawReasons},
};
use millrace_primitives::Balance;
use sp_runtime::BuildStorage;

fn transfer(from: u64, to: u64, amount: Balance) -> sp_runtime::DispatchResult {
	Balances::transfer_allow_death(RuntimeOrigin::signed(from), to, amount)
}

#[test]
fn locked_balance_is_never_spent_by_way_of_escrow() {
	build_and_execute(|| {
		let locked = FUNDS - 3_000;
		Balances::set_lock(*b"vesting ", &CLIENT, locked, WithdrawReasons::all());
		// Escrow of two epochs and a closing deposit of one, at 900 each.
		let (deal, peer) = live_deal(1, 900, 2);
		// What is left unlocked can be spent, and not a unit more: nothing that went into the pot
		// counts towards the lock.
		assert!(transfer(CLIENT, STRANGER, 301).is_err());
		assert_ok!(transfer(CLIENT, STRANGER, 300));
		assert_eq!(Balances::total_balance(&CLIENT), locked);

		for epoch in [6, 7] {
			at_rest_of(epoch + 1);
			report_and_settle(peer, epoch, &[deal]);
		}
		assert_eq!(Market::deal_of(deal).expect("it stands").escrow, 0);
		assert_eq!(Balances::total_balance(&CLIENT), locked);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		at_rest_of(9);
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(Balances::total_balance(&CLIENT), locked + 900);
	});
}

#[test]
fn what_is_locked_cannot_be_escrowed_and_locks_stop_no_payment() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 3);
		Balances::set_lock(*b"voting  ", &CLIENT, Balance::MAX, WithdrawReasons::all());
		report_and_settle(peer, 6, &[deal]);
		assert_eq!(Market::deal_of(deal).expect("it stands").escrow, 2_000);
		let create = Market::create_deal(RuntimeOrigin::signed(CLIENT), spec(1, 10), 20);
		assert!(create.is_err());
		assert!(Market::top_up(RuntimeOrigin::signed(CLIENT), deal, 1).is_err());
	});
}

#[test]
fn an_owner_that_has_nothing_else_gets_everything_back() {
	build_and_execute(|| {
		let owner = 50;
		// Escrow, closing deposit, deal deposit, and what keeps the account.
		let all = 20 + 10 + DEAL_DEPOSIT + EXISTENTIAL_DEPOSIT;
		assert_ok!(transfer(STRANGER, owner, all));
		let deal = crate::NextDeal::<Test>::get();
		assert_ok!(Market::create_deal(
			RuntimeOrigin::signed(owner),
			spec(1, 10),
			20
		));
		assert_eq!(Balances::free_balance(owner), EXISTENTIAL_DEPOSIT);
		// The deal deposit keeps the account in being for the refund.
		assert!(transfer(owner, STRANGER, EXISTENTIAL_DEPOSIT).is_err());
		assert!(transfer(owner, STRANGER, 1).is_err());
		assert_ok!(Market::stop(RuntimeOrigin::signed(owner), deal));
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!(Balances::free_balance(owner), all);
		assert_ok!(transfer(owner, STRANGER, all));
		assert_eq!(Balances::free_balance(STRANGER), FUNDS);
	});
}

#[test]
fn a_remainder_below_the_existential_deposit_is_not_lost() {
	build_and_execute(|| {
		let issued = Balances::total_issuance();
		let (deal, peer) = live_deal(1, 10, 2);
		// 21 in all: two epochs, and a single unit for the third.
		assert_ok!(Market::top_up(RuntimeOrigin::signed(STRANGER), deal, 1));
		for epoch in 6..9 {
			at_rest_of(epoch + 1);
			report_and_settle(peer, epoch, &[deal]);
		}
		// Two payments of 10 and one of 1, each of which burns one.
		assert_eq!(Balances::total_issuance(), issued - 3);
		assert_eq!(in_pot(), 10);
		assert_eq!(Balances::free_balance(Market::pot()), EXISTENTIAL_DEPOSIT);
		assert_eq!(held(HoldReason::Escrow, CLIENT), 0);
	});
}

#[test]
fn what_is_sent_to_the_pot_is_nobodys_escrow() {
	build_and_execute(|| {
		live_deal(1, 10, 2);
		assert_ok!(transfer(STRANGER, Market::pot(), 77));
		assert_eq!(in_pot(), 30);
	});
}

#[test]
#[should_panic(expected = "must endow the market's pot")]
fn a_genesis_that_does_not_endow_the_pot_is_refused() {
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: vec![(1, 1_000)],
			..Default::default()
		},
		market: crate::GenesisConfig {
			params: params(),
			..Default::default()
		},
		..Default::default()
	};
	let _ = genesis.build_storage();
}

#[test]
#[should_panic(expected = "must not be below the existential deposit")]
fn a_genesis_with_a_worthless_deal_deposit_is_refused() {
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: vec![(Market::pot(), EXISTENTIAL_DEPOSIT)],
			..Default::default()
		},
		market: crate::GenesisConfig {
			params: crate::MarketParams {
				deal_deposit: 0,
				..params()
			},
			..Default::default()
		},
		..Default::default()
	};
	let _ = genesis.build_storage();
}
