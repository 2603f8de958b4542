//! Settlement: misses, voids, rewards, failure, and the lazy kind of each.

use super::*;
use crate::{refusal, Commitments, Credited, Error, Event, Outcome};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{traits::Capacity as _, views::CommitmentStatus, FLT};
use sp_runtime::DispatchResult;

fn anybody() -> RuntimeOrigin {
	RuntimeOrigin::signed(STRANGER)
}

/// Anybody settles the n-th peer, whatever it weighs.
fn settle(n: u8) -> DispatchResult {
	match Capacity::settle(anybody(), peer(n)) {
		Ok(_) => Ok(()),
		Err(failed) => Err(failed.error),
	}
}

/// The first peer proves all of so many units of an epoch and passes its audit.
fn prove(epoch: EpochIndex, units: u32) {
	go_to(epoch + 1, 0);
	let done = work(1, epoch, units, 0);
	send(report_call(1, done.report.clone())).expect("the report is due");
	go_to_answers(epoch);
	send(answer_call(1, answer(1, &done))).expect("the answer is due");
}

#[test]
fn a_served_epoch_is_rewarded_once_it_is_closed() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		prove(1, 4);
		assert_noop!(settle(1), Error::<Test>::NothingToSettle);
		close(1);
		events();
		assert!(!Capacity::is_settled(peer(1)));
		assert_eq!(Capacity::proven_units(peer(1)), 0);
		assert_ok!(Capacity::settle(anybody(), peer(1)));
		assert!(Capacity::is_settled(peer(1)));
		assert_eq!(Capacity::proven_units(peer(1)), 4);

		// A quarter of the pool of 10 FLT is more than 1.1 FLT, the most that a unit gets.
		let rewarded = 4 * FLT * 11 / 10;
		assert_eq!(Credited::<Test>::get(PROVIDER), rewarded);
		assert_eq!(
			events(),
			vec![Event::EpochSettled {
				peer: peer(1),
				epoch: 1,
				missed: 0,
				slashed: 0,
				rewarded,
				void: false
			}]
		);
		assert_eq!(
			WorkCalls::get().last(),
			Some(&WorkCall::Settled {
				peer: peer(1),
				epoch: 1,
				void: false
			})
		);
		assert_noop!(settle(1), Error::<Test>::NothingToSettle);
		assert_noop!(settle(9), Error::<Test>::NoCommitment);
	});
}

#[test]
fn units_stay_proven_until_the_next_epoch_is_settled() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		prove(1, 4);
		close(1);
		assert_ok!(settle(1));
		prove(2, 3);
		close(2);
		// Closed and not settled: what was proven before still counts, and is known to be old.
		assert!(!Capacity::is_settled(peer(1)));
		assert_eq!(Capacity::proven_units(peer(1)), 4);
		assert_ok!(settle(1));
		assert!(Capacity::is_settled(peer(1)));
		assert_eq!(Capacity::proven_units(peer(1)), 3);

		close(3);
		assert_eq!(Capacity::proven_units(peer(1)), 3);
		assert_ok!(settle(1));
		assert_eq!(Capacity::proven_units(peer(1)), 0);
	});
}

#[test]
fn the_pool_is_shared_by_idle_units() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 15);
		commit(2, 15);
		BusyUnits::mutate(|busy| busy.insert(peer(2), 10));
		go_to(2, 0);
		let done = [work(1, 1, 15, 0), work(2, 1, 5, 10)];
		for (n, done) in (1..).zip(&done) {
			send(report_call(n, done.report.clone())).expect("the report is due");
		}
		go_to_answers(1);
		for (n, done) in (1..).zip(&done) {
			send(answer_call(n, answer(n, done))).expect("the answer is due");
		}
		close(1);
		assert_ok!(Capacity::settle(anybody(), peer(1)));
		assert_ok!(Capacity::settle(anybody(), peer(2)));
		let rewarded = |n| Capacity::commitment(peer(n)).expect("it stands").rewarded;
		assert_eq!(rewarded(1), 15 * FLT / 2);
		assert_eq!(rewarded(2), 5 * FLT / 2);
		assert_eq!(Capacity::proven_units(peer(2)), 15);
	});
}

#[test]
fn a_missed_unit_burns_its_part_of_the_stake() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		prove(1, 3);
		close(1);
		let issuance = Balances::total_issuance();
		assert_ok!(Capacity::settle(anybody(), peer(1)));
		let commitment = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(commitment.slashed, 10 * FLT);
		assert_eq!(commitment.stake, 3_990 * FLT);
		assert_eq!(Balances::total_issuance(), issuance - 10 * FLT);
		assert_eq!(commitment.rewarded, 3 * FLT * 11 / 10);
	});
}

#[test]
fn an_unanswered_audit_voids_the_epoch_and_costs_more_than_missing_it() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		go_to(2, 0);
		assert_ok!(send(report_call(1, claim(1, 4, 0))));
		close(1);
		events();
		assert_ok!(Capacity::settle(anybody(), peer(1)));
		// 5 % of 4,000 FLT, and a hundredth of each unit's stake.
		assert_eq!(
			events(),
			vec![Event::EpochSettled {
				peer: peer(1),
				epoch: 1,
				missed: 4,
				slashed: 240 * FLT,
				rewarded: 0,
				void: true
			}]
		);
		assert_eq!(Capacity::proven_units(peer(1)), 0);
		assert_eq!(
			WorkCalls::get().last(),
			Some(&WorkCall::Settled {
				peer: peer(1),
				epoch: 1,
				void: true
			})
		);
	});
}

#[test]
fn a_report_settles_what_is_closed() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		prove(1, 4);
		prove(2, 4);
		assert_eq!(
			Capacity::commitment(peer(1))
				.expect("it stands")
				.next_to_settle,
			2
		);
		assert_eq!(Credited::<Test>::get(PROVIDER), 4 * FLT * 11 / 10);
	});
}

#[test]
fn silence_fails_a_commitment_after_forty_epochs() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		close(STEP);
		assert_ok!(Capacity::settle(anybody(), peer(1)));
		let commitment = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(
			commitment.status,
			CommitmentStatus::Unbonding {
				until: STEP + 1 + 8,
				failed: true
			}
		);
		// 40 epochs at 1 % of 2,000 FLT.
		assert_eq!(commitment.slashed, 800 * FLT);
		assert_eq!(
			WorkCalls::get().last(),
			Some(&WorkCall::Over { peer: peer(1) })
		);
	});
}

#[test]
fn thirty_nine_silent_epochs_are_survived() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		close(STEP - 1);
		assert_ok!(Capacity::settle(anybody(), peer(1)));
		let status = Capacity::commitment(peer(1)).expect("it stands").status;
		assert!(matches!(status, CommitmentStatus::Active { .. }));
	});
}

#[test]
fn a_report_after_a_long_silence_finds_the_commitment_failed() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		prove(1, 2);
		go_to(60, 0);
		let before = WorkCalls::get().len();
		// The chain does not know yet that it failed, so the report is taken and proves nothing.
		assert_ok!(send(report_call(1, claim(59, 2, 0))));
		let commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
		assert!(matches!(
			commitment.status,
			CommitmentStatus::Unbonding { failed: true, .. }
		));
		assert_eq!(commitment.next_to_settle, 42);
		assert_eq!(
			commitment.reported,
			Some(Outcome {
				epoch: 59,
				idle: 0,
				busy: 0
			})
		);
		assert_eq!(
			Capacity::row(59).expect("the epoch is remembered").reports,
			0
		);
		let calls = WorkCalls::get().split_off(before);
		assert!(!calls
			.iter()
			.any(|call| matches!(call, WorkCall::Reported { .. })));
	});
}

#[test]
fn a_stake_answers_for_a_report_that_found_the_commitment_failed() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		go_to(60, 0);
		let late = claim(59, 2, 0);
		assert_ok!(send(report_call(1, late.clone())));
		// It failed with epoch 40, so that its unbonding is over by now.
		assert_eq!(
			Capacity::commitment(peer(1)).expect("it stands").status,
			CommitmentStatus::Unbonding {
				until: 49,
				failed: true
			}
		);
		assert_eq!(send(report_call(1, late)), refused(refusal::NO_COMMITMENT));

		// Reported in epoch 60, challenged within 4, and two more.
		go_to(65, 19);
		assert_noop!(
			Capacity::withdraw(anybody(), peer(1)),
			Error::<Test>::StillBonded
		);
		go_to(66, 0);
		assert_ok!(Capacity::withdraw(anybody(), peer(1)));
		assert_eq!(Balances::free_balance(PROVIDER), ENDOWMENT - 800 * FLT);
	});
}

#[test]
fn half_of_the_stake_gone_fails_a_commitment() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 1);
		// Each unanswered audit costs 6 % of the stake: nine are more than half.
		for epoch in 1..=9 {
			go_to(epoch + 1, 0);
			assert_ok!(send(report_call(1, claim(epoch, 1, 0))));
		}
		close(9);
		assert_ok!(Capacity::settle(anybody(), peer(1)));
		let commitment = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(commitment.slashed, 540 * FLT);
		assert!(matches!(
			commitment.status,
			CommitmentStatus::Unbonding { failed: true, .. }
		));
	});
}

#[test]
fn a_failed_stake_is_withdrawn_after_unbonding_and_what_is_left_is_whole() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		close(STEP);
		assert_ok!(Capacity::settle(anybody(), peer(1)));
		go_to(STEP + 8, 0);
		assert_noop!(
			Capacity::withdraw(anybody(), peer(1)),
			Error::<Test>::StillBonded
		);
		go_to(STEP + 9, 0);
		assert_ok!(Capacity::withdraw(anybody(), peer(1)));
		assert_eq!(Balances::free_balance(PROVIDER), ENDOWMENT - 800 * FLT);
		assert_eq!(Commitments::<Test>::get(peer(1)), None);
	});
}
