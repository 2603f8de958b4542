//! Claims that accounts sign and pay for: once each, to the unit, locked for two months.

use crate::{mock::*, Error, Event, Standing};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{merkle::Path, Balance, H256};
use proptest::prelude::*;

#[test]
fn a_reward_is_paid_once_to_the_unit_and_locked_whole() {
	let list = List::new(&[(1, 100), (2, 200), (3, 300)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(list.claim(1), Error::<Test>::NoProgramme);
		assert_ok!(start(list.terms(500)));
		assert_ok!(list.claim(1));
		System::assert_last_event(
			Event::<Test>::Claimed {
				number: 0,
				index: 1,
				account: 2,
				amount: 200,
				locked_until: 1 + LOCK,
			}
			.into(),
		);
		assert_eq!(Balances::free_balance(2), 200);
		assert_eq!(spendable(2), 0);
		assert_noop!(list.claim(1), Error::<Test>::ClaimedAlready);
		assert_eq!(Rewards::payable(), POT - 200);
		let programme = Standing::<Test>::get().unwrap();
		assert_eq!((programme.paid, programme.claims), (200, 1));

		// Locked in its last block too; free in the next one, when somebody asks.
		go_to(1 + LOCK);
		assert_ok!(Vesting::vest_other(signed(STRANGER), 2));
		assert_eq!(spendable(2), 0);
		go_to(2 + LOCK);
		assert_ok!(Vesting::vest_other(signed(STRANGER), 2));
		assert_eq!(spendable(2), 200);
	});
}

#[test]
fn only_what_the_list_says_is_paid() {
	let list = List::new(&[(1, 100), (2, 200), (3, 300)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(start(list.terms(500)));
		let path = |index| list.path(index);
		let refused = |who, index, amount: Balance, path: Path| {
			assert_noop!(
				Rewards::claim(signed(who), index, amount, path),
				Error::<Test>::NotInTree
			);
		};
		refused(2, 0, 100, path(0));
		refused(1, 0, 101, path(0));
		refused(1, 1, 100, path(0));
		refused(1, 0, 100, path(1));
		refused(1, 3, 100, path(0));
		refused(1, 0, 100, Path::default());
		let mut longer = path(0).to_vec();
		longer.push(H256::zero());
		refused(1, 0, 100, longer.try_into().unwrap());
		assert_ok!(list.claim(0));
	});
}

#[test]
fn a_claim_is_in_time_up_to_the_last_block() {
	let list = List::new(&[(1, 100), (2, 200)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(start(list.terms(500)));
		go_to(500);
		assert_ok!(list.claim(0));
		go_to(501);
		assert_noop!(list.claim(1), Error::<Test>::ProgrammeOver);
	});
}

#[test]
fn a_list_that_promises_more_than_its_total_pays_its_total() {
	let list = List::new(&[(1, 100), (2, 200)]);
	ExtBuilder::default().build_and_execute(|| {
		let mut terms = list.terms(500);
		terms.total = 250;
		assert_ok!(start(terms));
		assert_ok!(list.claim(1));
		assert_noop!(list.claim(0), Error::<Test>::PoolExhausted);
	});
}

#[test]
fn an_account_with_all_its_locks_waits_until_one_is_over() {
	let rewards: Vec<(u64, Balance)> = (0..4).map(|n| (1, 100 + n)).collect();
	let list = List::new(&rewards);
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(start(list.terms(500)));
		for index in 0..MOST_LOCKS {
			assert_ok!(list.claim(index));
		}
		assert_noop!(list.claim(3), Error::<Test>::TooManyLocks);
		// Locks that are over take no room, though nobody has taken them away.
		go_to(2 + LOCK);
		assert_ok!(list.claim(3));
		assert_eq!(spendable(1), 100 + 101 + 102);
	});
}

#[test]
fn a_reward_that_no_account_can_begin_with_needs_one_that_exists() {
	let list = List::new(&[(1, EXISTENTIAL_DEPOSIT - 1), (2, 0)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(start(list.terms(500)));
		assert_noop!(list.claim(0), Error::<Test>::NotPayable);
		assert_noop!(list.claim(1), Error::<Test>::NotPayable);
		assert_ok!(Balances::transfer_allow_death(
			signed(STRANGER),
			1,
			EXISTENTIAL_DEPOSIT
		));
		assert_ok!(list.claim(0));
	});
}

#[test]
fn the_pot_keeps_its_existential_deposit() {
	let list = List::new(&[(1, POT)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(start(list.terms(500)));
		assert_ok!(list.claim(0));
		let left = Balances::free_balance(Rewards::pot());
		assert_eq!(left, EXISTENTIAL_DEPOSIT);
		assert_eq!(Rewards::payable(), 0);
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	/// Whatever the list and the order of claims: each reward is paid once, and to nobody else.
	#[test]
	fn every_list_is_paid_once_and_whole(
		amounts in prop::collection::vec(EXISTENTIAL_DEPOSIT..1_000, 1..60),
		order in prop::collection::vec(any::<prop::sample::Index>(), 120),
	) {
		let rewards: Vec<(u64, Balance)> = (1u64..).zip(amounts).collect();
		let list = List::new(&rewards);
		ExtBuilder::default().build_and_execute(|| {
			start(list.terms(500)).unwrap();
			let mut claimed = std::collections::BTreeSet::new();
			for pick in order {
				let index = pick.index(rewards.len()) as u32;
				assert_eq!(list.claim(index).is_ok(), claimed.insert(index));
				let thief = Rewards::claim(
					signed(STRANGER), index, rewards[index as usize].1, list.path(index),
				);
				assert_eq!(thief, Err(error(Error::NotInTree)));
			}
			for (index, (account, amount)) in (0u32..).zip(&rewards) {
				let expected = if claimed.contains(&index) { *amount } else { 0 };
				assert_eq!(Balances::free_balance(account), expected);
				assert_eq!(spendable(*account), 0);
			}
		});
	}
}
