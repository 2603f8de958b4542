//! Withdrawal: when stake is free again, who gets how much of it, and what stands in the way.

use super::{renewal::renewed, *};
use crate::{Delegations, Departures, Error, Event, HoldReason, WeightInfo};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use millrace_primitives::{
	traits::{Offence, PeerUse, StakeSlasher},
	FLT,
};
use sp_runtime::Perbill;
use std::collections::BTreeSet;

/// Ten units of the first peer that owe epochs 1 to 5, which nobody reports: 1,500 FLT of the
/// provider's part are left then. Over in epoch 6 for whoever looks, and free in epoch 14.
fn ended() {
	commit_with(
		1,
		10,
		5,
		&[(DELEGATOR, 5_000 * FLT), (DELEGATOR + 1, 3_000 * FLT)],
		0,
	);
	pass(5);
	assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
}

fn withdraw(who: u64) -> DispatchResult {
	plain(Capacity::withdraw(signed(who), peer(1)))
}

fn offend(epoch: EpochIndex, percent: u32, fails: bool) -> Balance {
	let offence = Offence {
		epoch,
		part: Perbill::from_percent(percent),
		fails,
		reporter: None,
	};
	Capacity::slash(peer(1), offence)
}

fn free(who: u64) -> Balance {
	Balances::free_balance(who)
}

#[test]
fn each_owner_is_paid_alone_and_whoever_pushes_out_of_all() {
	ExtBuilder::default().build_and_execute(|| {
		ended();
		jump(14);
		let issued = <Balances as Inspect<u64>>::total_issuance();
		events();
		assert_ok!(withdraw(STRANGER));
		let bounty = 2 * Balance::from(<() as WeightInfo>::withdraw(3).ref_time());
		assert!(0 < bounty && bounty < 95 * FLT);
		// In proportion, rounded down.
		let cut = |stake: Balance| bounty * stake / 9_500;
		let cuts = [1_500, 5_000, 3_000].map(cut);
		let paid: Balance = cuts.iter().sum();
		assert_eq!(free(STRANGER), ENDOWMENT + paid);
		// Nobody earned anything, so that ledgers close and give their deposits back.
		assert_eq!(free(PROVIDER), ENDOWMENT - 500 * FLT - cuts[0]);
		assert_eq!(free(DELEGATOR), ENDOWMENT - cuts[1]);
		assert_eq!(free(DELEGATOR + 1), ENDOWMENT - cuts[2]);
		let withdrawn = |staker: u64, stake: Balance, cut: Balance| -> Event<Test> {
			Event::StakeWithdrawn {
				peer: peer(1),
				staker,
				amount: stake * FLT - cut,
			}
		};
		assert_eq!(
			events(),
			vec![
				withdrawn(PROVIDER, 1_500, cuts[0]),
				withdrawn(DELEGATOR, 5_000, cuts[1]),
				withdrawn(DELEGATOR + 1, 3_000, cuts[2]),
				Event::BountyPaid {
					peer: peer(1),
					pusher: STRANGER,
					amount: paid
				},
				Event::CommitmentRemoved { peer: peer(1) },
			]
		);
		assert_eq!(<Balances as Inspect<u64>>::total_issuance(), issued);
		assert!(!Capacity::in_use(peer(1)));
		assert!(Delegations::<Test>::get(peer(1)).is_empty());
		for who in [PROVIDER, DELEGATOR, DELEGATOR + 1] {
			assert_eq!(held(who, HoldReason::Stake), 0);
			assert_eq!(held(who, HoldReason::Deposit), 0);
		}
		assert_noop!(withdraw(STRANGER), Error::<Test>::NoCommitment);
	});
}

#[test]
fn an_owner_that_withdraws_takes_nothing_of_the_others() {
	for who in [PROVIDER, DELEGATOR, DELEGATOR + 1] {
		ExtBuilder::default().build_and_execute(|| {
			ended();
			jump(14);
			assert_ok!(withdraw(who));
			assert_eq!(free(PROVIDER), ENDOWMENT - 500 * FLT);
			assert_eq!(free(DELEGATOR), ENDOWMENT);
			assert_eq!(free(DELEGATOR + 1), ENDOWMENT);
		});
	}
}

#[test]
fn what_binds_is_not_withdrawn() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(withdraw(PROVIDER), Error::<Test>::NoCommitment);
		let created = Capacity::create(signed(PROVIDER), peer(1), 1, 5, shared(50, 0));
		assert_ok!(created);
		assert_noop!(withdraw(PROVIDER), Error::<Test>::StillActive);
		assert_ok!(pledge(PROVIDER, 1, 0, 1_000 * FLT));
		jump(6);
		assert_noop!(withdraw(PROVIDER), Error::<Test>::StillActive);
		// A withdrawal finds out by itself that the commitment is over.
		close_quickly(5);
		assert_noop!(withdraw(PROVIDER), Error::<Test>::StillBonded);
	});
}

#[test]
fn stake_answers_until_the_end_was_known() {
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 10, 5, &[(DELEGATOR, 5_000 * FLT)], 0);
		jump(30);
		assert_noop!(withdraw(STRANGER), Error::<Test>::StillBonded);
		assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
		let view = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(view.withdrawable, Some(37));
		go_to(36, 19);
		assert_noop!(withdraw(PROVIDER), Error::<Test>::StillBonded);
		go_to(37, 0);
		assert_ok!(withdraw(PROVIDER));
	});
}

#[test]
fn stake_stays_for_as_long_as_it_can_be_charged() {
	ExtBuilder::default().build_and_execute(|| {
		let until = |epoch| <Capacity as StakeSlasher<u64>>::answers_until(peer(1), epoch);
		assert_eq!(until(1), None);
		ended();
		assert_eq!(until(0), None);
		let view = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(view.withdrawable, Some(14));
		for epoch in 1..=5 {
			// The report is taken in the epoch after, and four epochs are for challenges.
			assert_eq!(until(epoch), Some(epoch + 5));
			assert!(epoch + 5 < 14);
		}
		jump(14);
		assert_ok!(withdraw(PROVIDER));
		assert_eq!(until(1), None);
	});
}

#[test]
fn a_case_that_is_open_keeps_the_stake() {
	ExtBuilder::default().build_and_execute(|| {
		ended();
		jump(14);
		OpenCases::set(BTreeSet::from([peer(1)]));
		assert_noop!(withdraw(PROVIDER), Error::<Test>::StillBonded);
		OpenCases::set(BTreeSet::new());
		assert_ok!(withdraw(PROVIDER));
	});
}

#[test]
fn slashes_that_wait_come_first() {
	ExtBuilder::default().build_and_execute(|| {
		ended();
		jump(13);
		assert_eq!(offend(5, 20, false), 2_000 * FLT);
		jump(14);
		assert_noop!(withdraw(PROVIDER), Error::<Test>::SlashesWait);
		jump(15);
		assert_noop!(withdraw(PROVIDER), Error::<Test>::SlashesWait);
		assert_ok!(Capacity::apply_slash(signed(PROVIDER), peer(1), 0));
		assert_ok!(withdraw(PROVIDER));
		// 1,500 FLT of the provider, and 500 of the delegators, 5 to 3.
		assert_eq!(free(PROVIDER), ENDOWMENT - 2_000 * FLT);
		assert_eq!(free(DELEGATOR), ENDOWMENT - 312_500 * FLT / 1_000);
		assert_eq!(free(DELEGATOR + 1), ENDOWMENT - 187_500 * FLT / 1_000);
	});
}

#[test]
fn who_left_before_the_end_need_not_wait_for_it() {
	ExtBuilder::default().build_and_execute(|| {
		renewed();
		jump(15);
		offend(14, 1, true);
		let view = Capacity::commitment(peer(1)).expect("it stands");
		// Epochs 11 to 13 are settled; what is left then unbonds for eight.
		assert_eq!(view.withdrawable, Some(22));
		jump(18);
		assert_noop!(withdraw(DELEGATOR), Error::<Test>::StillBonded);
		jump(19);
		let before = free(DELEGATOR + 1);
		assert_ok!(withdraw(DELEGATOR));
		assert_eq!(free(DELEGATOR + 1), before + 3_000 * FLT);
		assert_eq!(Departures::<Test>::get(peer(1)), None);
		assert_noop!(withdraw(DELEGATOR), Error::<Test>::StillBonded);
		jump(22);
		assert_ok!(withdraw(DELEGATOR));
		assert_eq!(held(DELEGATOR, HoldReason::Stake), 0);
		assert_eq!(held(DELEGATOR + 2, HoldReason::Stake), 0);
	});
}

#[test]
fn all_stakes_go_together_where_nobody_looked_before() {
	ExtBuilder::default().build_and_execute(|| {
		renewed();
		jump(15);
		offend(14, 1, true);
		jump(22);
		let before = free(DELEGATOR);
		let (kept, left) = (4_000, 1_000);
		assert_ok!(withdraw(DELEGATOR));
		assert_eq!(free(DELEGATOR), before + (kept + left) * FLT);
		assert_eq!(Departures::<Test>::get(peer(1)), None);
		assert_eq!(places(DELEGATOR), 0);
	});
}
