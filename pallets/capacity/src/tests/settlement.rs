//! Settlement: what reported epochs cost and bring, failure, bounties, and that it does not matter who
//! looks when.

use super::*;
use crate::{
	refusal, rules::SILENT_EPOCHS, Audits, CapacityParams, Change, Commitments, Delegations, Error,
	Event, Ledgers, Outcome, Rounds, WaitingSlashes, WeightInfo,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	audit::{Audit, AuditStatus},
	commitment::RoundKind,
	traits::Capacity as _,
	views::CommitmentStatus,
	Balance, FLT,
};
use proptest::prelude::*;
use sp_runtime::DispatchResult;

fn settle_by(who: u64, n: u8) -> DispatchResult {
	match Capacity::settle(RuntimeOrigin::signed(who), peer(n)) {
		Ok(_) => Ok(()),
		Err(failed) => Err(failed.error),
	}
}

/// The provider settles the n-th peer, and so without a bounty.
fn settle(n: u8) -> DispatchResult {
	settle_by(PROVIDER, n)
}

fn withdraw(n: u8) -> DispatchResult {
	match Capacity::withdraw(RuntimeOrigin::signed(PROVIDER), peer(n)) {
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
		assert_ok!(settle(1));
		assert!(Capacity::is_settled(peer(1)));
		assert_eq!(Capacity::proven_units(peer(1)), 4);

		// A quarter of the pool of 10 FLT is more than 1.1 FLT, the most that a unit gets.
		let rewarded = 4 * FLT * 11 / 10;
		let commitment = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(commitment.rewarded, rewarded);
		assert_eq!(
			events(),
			vec![Event::EpochSettled {
				peer: peer(1),
				epoch: 1,
				missed: 0,
				excused: false,
				slashed: 0,
				waiting: 0,
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
fn a_missed_unit_burns_its_part_of_the_stake() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		prove(1, 3);
		close(1);
		let issuance = Balances::total_issuance();
		assert_ok!(settle(1));
		let commitment = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(commitment.slashed, 10 * FLT);
		assert_eq!(commitment.stake, 3_990 * FLT);
		assert_eq!(staked(PROVIDER), 3_990 * FLT);
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
		assert_ok!(settle(1));
		// A hundredth of each unit's stake, and 5 % of 4,000 FLT, which wait.
		assert_eq!(
			events(),
			vec![
				Event::SlashWaits {
					peer: peer(1),
					slash: 0,
					epoch: 1,
					amount: 200 * FLT,
					due: 4
				},
				Event::EpochSettled {
					peer: peer(1),
					epoch: 1,
					missed: 4,
					excused: false,
					slashed: 40 * FLT,
					waiting: 200 * FLT,
					rewarded: 0,
					void: true
				}
			]
		);
		let commitment = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(
			(commitment.stake, commitment.slashed, commitment.waiting),
			(3_760 * FLT, 240 * FLT, 200 * FLT)
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
fn a_void_report_whose_totals_are_forgotten_costs_everything() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		go_to(2, 0);
		assert_ok!(send(report_call(1, claim(1, 4, 0))));
		close(1);
		jump(1_026);
		assert_eq!(Capacity::row(1), None);
		assert_ok!(settle(1));
		let commitment = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(
			(commitment.stake, commitment.waiting),
			(0, 3_960 * FLT),
			"waiting must not be cheaper than any answer"
		);
	});
}

#[test]
fn a_report_settles_what_is_closed() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		prove(1, 4);
		prove(2, 4);
		let commitment = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(commitment.next_to_settle, 2);
		assert_eq!(commitment.rewarded, 4 * FLT * 11 / 10);
	});
}

#[test]
fn a_step_settles_a_report_silence_a_change_and_silence_and_tells_the_market_once() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		prove(1, 4);
		let provider = RuntimeOrigin::signed(PROVIDER);
		assert_ok!(Capacity::grow(
			provider.clone(),
			peer(1),
			2,
			Default::default()
		));
		let terms = Rounds::<Test>::get(peer(1)).expect("it is open").terms;
		assert_ok!(Capacity::stake(provider, peer(1), terms, 0, 2_000 * FLT));
		close(9);
		events();
		WorkCalls::set(Vec::new());
		assert_ok!(settle(1));
		let change = Change {
			kind: RoundKind::Growth,
			at: 3,
			units: 6,
			end: 101,
		};
		assert_eq!(
			events(),
			vec![
				Event::EpochSettled {
					peer: peer(1),
					epoch: 1,
					missed: 0,
					excused: false,
					slashed: 0,
					waiting: 0,
					rewarded: 4 * FLT * 11 / 10,
					void: false
				},
				// Four units miss a hundredth each.
				Event::SilenceSettled {
					peer: peer(1),
					first: 2,
					last: 2,
					excused: 0,
					slashed: 40 * FLT
				},
				Event::ChangeApplied {
					peer: peer(1),
					change
				},
				// Seven epochs of six units.
				Event::SilenceSettled {
					peer: peer(1),
					first: 3,
					last: 9,
					excused: 0,
					slashed: 420 * FLT
				}
			]
		);
		assert_eq!(
			WorkCalls::get(),
			vec![WorkCall::Settled {
				peer: peer(1),
				epoch: 1,
				void: false
			}]
		);
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
		assert_eq!(
			calls,
			vec![
				WorkCall::Settled {
					peer: peer(1),
					epoch: 1,
					void: false
				},
				WorkCall::Over {
					peer: peer(1),
					failed: true
				}
			]
		);
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

		// Its end became known in epoch 60: whatever was signed until then can be challenged within
		// 4 epochs, and three more.
		go_to(66, 19);
		assert_noop!(withdraw(1), Error::<Test>::StillBonded);
		go_to(67, 0);
		assert_ok!(withdraw(1));
		assert_eq!(Balances::free_balance(PROVIDER), ENDOWMENT - 800 * FLT);
	});
}

#[test]
fn half_of_the_stake_gone_fails_a_commitment() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 1);
		// Each unanswered audit costs 6 % of the stake: nine are more than half, with those that
		// still wait.
		for epoch in 1..=9 {
			go_to(epoch + 1, 0);
			let status = Capacity::commitment(peer(1)).expect("it stands").status;
			assert!(matches!(status, CommitmentStatus::Active { .. }));
			assert_ok!(send(report_call(1, claim(epoch, 1, 0))));
		}
		close(9);
		assert_ok!(settle(1));
		let commitment = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!(
			(commitment.slashed, commitment.waiting),
			(540 * FLT, 450 * FLT)
		);
		assert_eq!(
			commitment.status,
			CommitmentStatus::Unbonding {
				until: 18,
				failed: true
			}
		);
	});
}

#[test]
fn whoever_pushes_gets_a_bounty_out_of_the_misses_unless_it_has_a_stake() {
	for (pusher, pays) in [(STRANGER, true), (PROVIDER, false), (DELEGATOR, false)] {
		ExtBuilder::default().build_and_execute(|| {
			commit_with(1, 4, DURATION, &[(DELEGATOR, 2_000 * FLT)], 0);
			close(3);
			events();
			let issuance = Balances::total_issuance();
			let before = Balances::free_balance(pusher);
			assert_ok!(settle_by(pusher, 1));

			// Twice the fee, which is far below a hundredth of 120 FLT.
			let fee = Balance::from(<() as WeightInfo>::settle().ref_time());
			let bounty = if pays { 2 * fee } else { 0 };
			assert_eq!(Balances::free_balance(pusher), before + bounty);
			assert_eq!(Balances::total_issuance(), issuance - (120 * FLT - bounty));
			let paid = Event::BountyPaid {
				peer: peer(1),
				pusher,
				amount: bounty,
			};
			assert_eq!(events().contains(&paid), pays);
			// The delegator pays for no miss.
			assert_eq!(staked(DELEGATOR), 2_000 * FLT);
		});
	}
}

/// All that settlements write of the first peer and its owners, but for when somebody looked.
type Picture = (
	crate::Commitment<u64>,
	Vec<(u64, Balance, Balance, u128)>,
	Vec<(EpochIndex, Vec<(u64, Balance)>)>,
	Vec<(Balance, Vec<(EpochIndex, Balance)>)>,
);

fn picture() -> Picture {
	let mut commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
	commitment.known_over = 0;
	if !commitment.is_active() {
		// A report is taken until somebody has seen the end.
		commitment.reported = None;
	}
	let stakes = Delegations::<Test>::get(peer(1));
	let stakes = stakes
		.iter()
		.map(|stake| {
			let part = stake.part;
			(stake.staker, part.left, part.share, part.dust)
		})
		.collect();
	let mut waiting: Vec<_> = WaitingSlashes::<Test>::iter_prefix(peer(1)).collect();
	waiting.sort_by_key(|(slash, _)| *slash);
	let waiting = waiting
		.into_iter()
		.map(|(_, row)| (row.epoch, row.parts.into_inner()))
		.collect();
	let ledgers = [PROVIDER, DELEGATOR, DELEGATOR + 1]
		.map(|who| {
			let ledger = Ledgers::<Test>::get(who).unwrap_or_default();
			let buckets = ledger.buckets.iter();
			let buckets = buckets.map(|bucket| (bucket.start, bucket.amount));
			(ledger.free, buckets.collect())
		})
		.to_vec();
	(commitment, stakes, waiting, ledgers)
}

/// Lives through epochs: 0 is silence, 1 a report whose audit is not answered, n > 1 a report of
/// n − 1 units that holds. Settles after each that `looks` says, and in the end.
fn live(deeds: &[u8], looks: impl Fn(usize) -> bool) -> Picture {
	let mut found = None;
	// No ledger runs out of buckets, so that none is emptied for another.
	let params = CapacityParams {
		vesting_epochs: 90,
		..params()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		let stakes = [(DELEGATOR, 3_001 * FLT + 7), (DELEGATOR + 1, 1_999 * FLT)];
		commit_with(1, 7, 60, &stakes, 13);
		jump(2);
		for (index, deed) in deeds.iter().enumerate() {
			let epoch = CurrentEpoch::get() - 1;
			if *deed > 0 && Commitments::<Test>::get(peer(1)).is_some_and(|row| row.owes(epoch)) {
				let units = u32::from(deed.saturating_sub(1).clamp(1, 7));
				duty(report_call(1, claim(epoch, units, 0))).expect("a report never fails");
			}
			close_quickly(epoch);
			if *deed > 1 && Audits::<Test>::get(peer(1)).is_some_and(|audit| audit.epoch == epoch) {
				let status = AuditStatus::Passed;
				Audits::<Test>::insert(peer(1), Audit { epoch, status });
			}
			if looks(index) {
				let _ = settle(1);
			}
			jump(epoch + 2);
		}
		let _ = settle(1);
		found = Some(picture());
	});
	found.expect("it ran")
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	/// Path independence: when somebody looks changes nothing but when slashes fall due and until
	/// when a known end keeps the stake.
	#[test]
	fn it_does_not_matter_who_settles_when(
		deeds in prop::collection::vec(prop_oneof![2 => 0u8..2, 3 => 2u8..9], 1..75),
		looks in any::<u64>(),
	) {
		let each = live(&deeds, |_| true);
		let some = live(&deeds, |index| (looks >> (index % 64)) & 1 == 1);
		let once = live(&deeds, |_| false);
		prop_assert_eq!(&each, &some);
		prop_assert_eq!(&each, &once);
	}
}

#[test]
fn silence_fails_a_commitment_after_forty_epochs_and_not_before() {
	for (epochs, fails) in [(SILENT_EPOCHS - 1, false), (SILENT_EPOCHS, true)] {
		ExtBuilder::default().build_and_execute(|| {
			commit(1, 2);
			close(epochs);
			assert_ok!(settle(1));
			let commitment = Capacity::commitment(peer(1)).expect("it stands");
			// Each at 1 % of 2,000 FLT.
			assert_eq!(commitment.slashed, Balance::from(epochs) * 20 * FLT);
			let status = if fails {
				CommitmentStatus::Unbonding {
					until: epochs + 1 + 8,
					failed: true,
				}
			} else {
				CommitmentStatus::Active { start: 1, end: 101 }
			};
			assert_eq!(commitment.status, status);
			let over = WorkCall::Over {
				peer: peer(1),
				failed: true,
			};
			assert_eq!(WorkCalls::get().last() == Some(&over), fails);
		});
	}
}
