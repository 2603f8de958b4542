//! Offences that other pallets find: what stood in the epoch pays, and nothing else.

use super::{renewal::renewed, rounds::grown, *};
use crate::{CapacityParams, Delegations, Departures, Error, Event, HoldReason, WaitingSlashes};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use millrace_primitives::{
	traits::{Offence, StakeSlasher},
	FLT,
};
use sp_runtime::Perbill;

fn offence(epoch: EpochIndex, percent: u32) -> Offence<u64> {
	Offence {
		epoch,
		part: Perbill::from_percent(percent),
		fails: false,
		reporter: None,
	}
}

fn commit_ten() {
	commit_with(
		1,
		10,
		10,
		&[(DELEGATOR, 5_000 * FLT), (DELEGATOR + 1, 3_000 * FLT)],
		0,
	);
}

fn issuance() -> Balance {
	<Balances as Inspect<u64>>::total_issuance()
}

/// What is left of the provider's part, of the delegators' stakes, and of those that leave.
fn left() -> (Balance, Vec<Balance>, Vec<Balance>) {
	let stakes = Delegations::<Test>::get(peer(1));
	let leaving = Departures::<Test>::get(peer(1)).map(|leaving| leaving.rows);
	(
		commitment(1).own.left / FLT,
		stakes.iter().map(|stake| stake.part.left / FLT).collect(),
		leaving.iter().flatten().map(|row| row.left / FLT).collect(),
	)
}

#[test]
fn a_small_offence_burns_at_once_and_rewards_its_reporter() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(2);
		let before = issuance();
		let offence = Offence {
			reporter: Some((STRANGER, Perbill::from_percent(30))),
			..offence(1, 3)
		};
		events();
		assert_eq!(Capacity::slash(peer(1), offence), 300 * FLT);
		let charged = Event::OffenceCharged {
			peer: peer(1),
			epoch: 1,
			amount: 300 * FLT,
		};
		assert_eq!(events(), vec![charged]);
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT + 90 * FLT);
		assert_eq!(issuance(), before - 210 * FLT);
		assert_eq!(held(PROVIDER, HoldReason::Stake), 1_700 * FLT);
		assert!(commitment(1).is_active());
		assert_eq!(commitment(1).slashed, 300 * FLT);
		assert_eq!(WaitingSlashes::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_twentieth_waits_and_its_reporter_waits_with_it() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(2);
		let offence = Offence {
			reporter: Some((STRANGER, Perbill::from_percent(30))),
			..offence(1, 5)
		};
		assert_eq!(Capacity::slash(peer(1), offence), 500 * FLT);
		assert!(commitment(1).is_active());
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT);
		jump(4);
		let before = issuance();
		assert_ok!(Capacity::apply_slash(signed(PROVIDER), peer(1), 0));
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT + 150 * FLT);
		assert_eq!(issuance(), before - 350 * FLT);
	});
}

#[test]
fn a_reporter_never_gets_more_than_the_provider_pays() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(2);
		assert_eq!(Capacity::slash(peer(1), offence(1, 19)), 1_900 * FLT);
		let reported = |percent| Offence {
			reporter: Some((STRANGER, Perbill::from_percent(30))),
			..offence(1, percent)
		};
		let reward = |slash| {
			let row = WaitingSlashes::<Test>::get(peer(1), slash).expect("it waits");
			row.reporter
		};
		// 100 FLT are left of the provider's part, and a third of the slash would be 300.
		assert_eq!(Capacity::slash(peer(1), reported(10)), 1_000 * FLT);
		assert_eq!(reward(1), Some((STRANGER, 100 * FLT)));
		// Nothing is left of it, and only delegators pay.
		assert_eq!(Capacity::slash(peer(1), reported(10)), 1_000 * FLT);
		assert_eq!(reward(2), Some((STRANGER, 0)));
		let before = issuance();
		assert_eq!(Capacity::slash(peer(1), reported(4)), 400 * FLT);
		assert_eq!(issuance(), before - 400 * FLT);
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT);
	});
}

#[test]
fn an_offence_can_end_a_commitment() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(2);
		let offence = Offence {
			fails: true,
			..offence(1, 1)
		};
		assert_eq!(Capacity::slash(peer(1), offence.clone()), 100 * FLT);
		assert!(!commitment(1).is_active());
		let over = WorkCall::Over {
			peer: peer(1),
			failed: true,
		};
		assert_eq!(WorkCalls::get().last(), Some(&over));
		assert_eq!(StakeCalls::get().last(), Some(&(PROVIDER, 0)));

		// What unbonds answers as well, and the market is told once.
		assert_eq!(Capacity::slash(peer(1), offence), 100 * FLT);
		let told = WorkCalls::get().into_iter().filter(|call| *call == over);
		assert_eq!(told.count(), 1);
		assert_eq!(left().0, 1_800);
	});
}

/// Ten units whose report of epoch 1 is faked, and which an offence ends before that is audited.
fn ended_by_an_offence() {
	commit(1, 10);
	jump(2);
	assert_ok!(duty(report_call(1, claim(1, 10, 0))));
	let offence = Offence {
		fails: true,
		..offence(1, 1)
	};
	assert_eq!(Capacity::slash(peer(1), offence), 100 * FLT);
	assert!(!commitment(1).is_active());
	assert_noop!(settle(), Error::<Test>::NothingToSettle);
	close_quickly(1);
}

fn settle() -> DispatchResult {
	plain(Capacity::settle(signed(STRANGER), peer(1)))
}

#[test]
fn an_offence_rids_nobody_of_an_audit() {
	ExtBuilder::default().build_and_execute(|| {
		ended_by_an_offence();
		jump(9);
		let withdraw = |who| {
			let call = Call::<Test>::withdraw { peer: peer(1) };
			plain(call.dispatch_bypass_filter(signed(who)))
		};
		assert_noop!(withdraw(PROVIDER), Error::<Test>::SlashesWait);
		WorkCalls::set(Vec::new());
		events();
		assert_ok!(settle());
		// A twentieth of 10,000 FLT: the chance was one, and three times the savings are less.
		let waits = Event::SlashWaits {
			peer: peer(1),
			slash: 0,
			epoch: 1,
			amount: 500 * FLT,
			due: 11,
		};
		assert_eq!(events(), vec![waits]);
		assert_eq!(WorkCalls::get(), vec![]);
		assert_eq!(left().0, 9_400);
		assert_ok!(Capacity::do_try_state());
		assert_noop!(settle(), Error::<Test>::NothingToSettle);

		jump(11);
		assert_ok!(Capacity::apply_slash(signed(PROVIDER), peer(1), 0));
		assert_ok!(withdraw(PROVIDER));
		assert_eq!(Balances::free_balance(PROVIDER), ENDOWMENT - 600 * FLT);
	});
}

#[test]
fn an_audit_that_is_passed_after_an_offence_costs_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		ended_by_an_offence();
		let status = AuditStatus::Passed;
		Audits::<Test>::insert(peer(1), Audit { epoch: 1, status });
		assert_noop!(settle(), Error::<Test>::NothingToSettle);
		jump(9);
		assert_ok!(Capacity::withdraw(signed(PROVIDER), peer(1)));
		assert_eq!(Balances::free_balance(PROVIDER), ENDOWMENT - 100 * FLT);
	});
}

#[test]
fn whoever_came_with_a_growth_does_not_answer_for_the_time_before() {
	ExtBuilder::default().build_and_execute(|| {
		grown();
		pass(2);
		assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
		assert_eq!(left(), (2_800, vec![6_000, 3_000, 3_000], vec![]));
		// Half of the 10,000 FLT of epoch 2: 1,800 of the provider's old part, and the rest of the
		// delegators' old stakes.
		assert_eq!(Capacity::slash(peer(1), offence(2, 50)), 5_000 * FLT);
		assert_eq!(left(), (1_000, vec![4_000, 1_800, 3_000], vec![]));
		// All that is there answers for epoch 3, of which 15,000 FLT were committed: 1,000 FLT of the
		// provider, and of three delegators a part each that does not divide and is rounded up.
		assert_eq!(Capacity::slash(peer(1), offence(3, 20)), 3_000 * FLT + 2);
		let lost = 2_000 * FLT;
		let all = 8_800;
		let now: Vec<_> = Delegations::<Test>::get(peer(1))
			.into_iter()
			.map(|stake| stake.part.left)
			.collect();
		let after = |stake: Balance| stake * FLT - (lost * stake).div_ceil(all);
		assert_eq!(now, vec![after(4_000), after(1_800), after(3_000)]);
		assert_eq!(left().0, 0);
	});
}

#[test]
fn whoever_left_answers_for_the_time_before_alone() {
	ExtBuilder::default().build_and_execute(|| {
		renewed();
		assert_eq!(left(), (2_750, vec![4_000, 4_250], vec![1_000, 3_000]));
		jump(12);
		// 30 % of the 10,000 FLT of epoch 10: the provider's old 2,000, and an eighth of what the
		// delegators had then; what came with the renewal is spared.
		assert_eq!(Capacity::slash(peer(1), offence(10, 30)), 3_000 * FLT);
		assert_eq!(left(), (750, vec![3_500, 4_250], vec![875, 2_625]));
		// 5 % of the 11,000 FLT of epoch 11.
		assert_eq!(Capacity::slash(peer(1), offence(11, 5)), 550 * FLT);
		assert_eq!(left(), (200, vec![3_500, 4_250], vec![875, 2_625]));
		// Their parts wait under the same hold.
		assert_eq!(held(DELEGATOR + 1, HoldReason::Stake), 3_000 * FLT);
		assert_eq!(staked(DELEGATOR + 1), 3_000 * FLT);
		jump(14);
		assert_ok!(Capacity::apply_slash(signed(PROVIDER), peer(1), 0));
		assert_eq!(held(DELEGATOR + 1, HoldReason::Stake), 2_625 * FLT);
	});
}

#[test]
fn nothing_is_taken_where_nothing_stood() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		assert_eq!(Capacity::slash(peer(2), offence(0, 50)), 0);
		let offer = shared(20, 0);
		assert_ok!(Capacity::create(signed(PROVIDER), peer(2), 1, 10, offer));
		assert_ok!(pledge(PROVIDER, 2, 0, 200 * FLT));
		assert_eq!(Capacity::slash(peer(2), offence(0, 50)), 0);
		assert_eq!(held(PROVIDER, HoldReason::Stake), 200 * FLT);

		jump(2);
		commit_ten();
		assert_eq!(Capacity::slash(peer(1), offence(2, 50)), 0);
		assert_eq!(Capacity::slash(peer(1), offence(3, 0)), 0);
		assert_eq!(left(), (2_000, vec![5_000, 3_000], vec![]));
		assert_eq!(Capacity::slash(peer(1), offence(3, 50)), 5_000 * FLT);
	});
}

#[test]
fn a_commitment_fails_at_the_floor_that_it_was_made_under() {
	let strict = CapacityParams {
		stake_floor: Perbill::from_percent(90),
		..params()
	};
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		assert_ok!(Capacity::apply_params(strict));
		jump(2);
		assert_eq!(Capacity::slash(peer(1), offence(1, 10)), 1_000 * FLT);
		assert!(commitment(1).is_active());
	});
	ExtBuilder::default().params(strict).build_and_execute(|| {
		commit_ten();
		jump(2);
		assert_eq!(Capacity::slash(peer(1), offence(1, 9)), 900 * FLT);
		assert!(commitment(1).is_active());
		assert_eq!(Capacity::slash(peer(1), offence(1, 1)), 100 * FLT);
		assert!(!commitment(1).is_active());
	});
}
