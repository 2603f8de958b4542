//! Flaws of proofs, misses and failure.

use super::*;
use crate::{
	refusal, Audits, CapacityParams, EpochRows, Event, ReportList, WeightInfo, REMEMBERED_EPOCHS,
};
use frame_support::traits::StorageInfoTrait;
use millrace_primitives::traits::{Offence, StakeSlasher};
use sp_runtime::Perbill;

#[test]
fn known_flaw_proofs_are_verified_one_by_one() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 900);
		go_to(2, 0);
		// 3,600 solutions, and not a tenth of what hashing one of them takes.
		let done = duty(report_call(1, claim(1, 900, 0))).expect("a report never fails");
		let took = done.actual_weight.expect("a report is weighed");
		let hash = <() as WeightInfo>::randomx_hash();
		assert!(took.ref_time() < hash.ref_time() / 10);
	});
}

#[test]
fn known_flaw_a_cache_per_unit() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 3);
		commit(2, 5);
		go_to(1, 0);
		// One RandomX key for all units of all peers; they differ in the input.
		let owed = |n| Capacity::work_of(peer(n), 1).expect("it owes work");
		assert_eq!(owed(1).seed, owed(2).seed);
		let input = |n, unit| {
			let puzzle = Puzzle {
				genesis: MockClock::genesis(),
				peer: peer(n),
				unit,
				k: 0,
			};
			puzzle.input(7)
		};
		assert_ne!(input(1, 0), input(1, 1));
		assert_ne!(input(1, 0), input(2, 0));
	});
}

#[test]
fn known_flaw_replay_maps_grow_for_ever() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 2);
		commit(2, 2);
		jump(2);
		for _ in 0..30 {
			pass(&[(1, 2), (2, 2)], &[]);
			assert!(ReportList::<Test>::iter_keys().count() <= 4);
			assert_eq!(Audits::<Test>::iter_keys().count(), 2);
		}
		jump(2 * REMEMBERED_EPOCHS);
		assert_eq!(
			EpochRows::<Test>::iter_keys().count(),
			REMEMBERED_EPOCHS as usize
		);
		assert!(ReportList::<Test>::iter_keys().count() <= 4);
	});
}

#[test]
fn known_flaw_lists_without_bound() {
	let infos = <Capacity as StorageInfoTrait>::storage_info();
	assert!(infos.len() >= 15);
	for info in infos {
		let name = String::from_utf8_lossy(&info.storage_name).into_owned();
		assert!(info.max_size.is_some(), "{name} has no bound");
	}
}

#[test]
fn known_flaw_slash_cap_measured_on_the_rest() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 10);
		go_to(2, 0);
		let tenth = || Offence {
			epoch: 1,
			part: Perbill::from_percent(10),
			fails: false,
			reporter: None,
		};
		// Each costs a tenth of what is committed, not of what is left; the fifth is the end, and
		// whatever is left still answers, to the last unit.
		for number in 1..=10u32 {
			assert_eq!(Capacity::slash(peer(1), tenth()), 1_000 * FLT);
			assert_eq!(commitment(1).is_active(), number < 5);
		}
		assert_eq!(Capacity::slash(peer(1), tenth()), 0);
		assert_eq!(commitment(1).left(), 0);
	});
}

#[test]
fn known_flaw_a_gap_charges_a_proven_epoch() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		jump(2);
		pass(&[(1, 4)], &[]);
		jump(6);
		events();
		pass(&[(1, 4)], &[]);
		settle(1);
		let charged: Vec<_> = events()
			.into_iter()
			.filter_map(|event| match event {
				Event::EpochSettled { epoch, slashed, .. } => Some((epoch, epoch, slashed)),
				Event::SilenceSettled {
					first,
					last,
					slashed,
					..
				} => Some((first, last, slashed)),
				_ => None,
			})
			.collect();
		assert_eq!(
			charged,
			vec![(1, 1, 0), (2, 4, 120 * FLT), (5, 5, 0)],
			"only the three silent epochs cost"
		);
	});
}

#[test]
fn known_flaw_siblings_hide_misses() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 8);
		commit(2, 4);
		jump(2);
		// The provider's other peer proves all, and so do three of four units.
		pass(&[(1, 8), (2, 3)], &[]);
		settle(1);
		settle(2);
		assert_eq!(
			(commitment(1).slashed, commitment(2).slashed),
			(0, 10 * FLT)
		);
		assert!(commitment(2).score.0 > 0);
		assert_eq!(commitment(1).score.0, 0);
	});
}

#[test]
fn known_flaw_failure_ignores_later_success() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		jump(22);
		settle(1);
		let after_twenty = commitment(1).score.permille(20);
		for _ in 0..24 {
			pass(&[(1, 4)], &[]);
		}
		settle(1);
		let halved = commitment(1)
			.score
			.permille(commitment(1).next_to_settle - 1);
		assert!(
			halved.abs_diff(after_twenty / 2) <= 15,
			"{after_twenty} {halved}"
		);
		// Twenty more would be forty in all, which fails only whoever misses them in a row.
		jump(CurrentEpoch::get() + 20);
		settle(1);
		assert!(commitment(1).is_active());
	});
}

#[test]
fn known_flaw_failure_counts_for_life() {
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 4, 450, &[], 0);
		jump(2);
		let mut worst = 0;
		// One epoch in ten is missed, forty in all, which in a row would be failure.
		for epoch in 1..=400u32 {
			if epoch.is_multiple_of(10) {
				jump(epoch + 2);
			} else {
				pass(&[(1, 4)], &[]);
			}
			settle(1);
			worst = worst.max(commitment(1).score.permille(epoch));
		}
		assert!(commitment(1).is_active());
		assert_eq!(commitment(1).slashed, 40 * 40 * FLT);
		assert!(worst < 250, "{worst}");
	});
}

#[test]
fn known_flaw_excess_proofs_revert_the_rest() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		go_to(2, 0);
		// Refused before it is included, so that nothing is spent and the right one still counts.
		assert_eq!(
			send(report_call(1, claim(1, 5, 0))),
			refused(refusal::TOO_MANY_UNITS)
		);
		assert_ok!(send(report_call(1, claim(1, 4, 0))));
		assert_eq!(Capacity::row(1).expect("it is remembered").units, 4);
	});
}

#[test]
fn known_flaw_the_last_submitter_grinds_the_seed() {
	let seeds = |reports: bool| {
		let mut found = Vec::new();
		ExtBuilder::default().peers(2).build_and_execute(|| {
			commit(1, 2);
			commit(2, 2);
			jump(2);
			for epoch in 1..6 {
				if reports {
					pass(&[(1, 2), (2, epoch % 3)], &[]);
				} else {
					jump(epoch + 2);
				}
				let owed = Capacity::work_of(peer(1), epoch + 2).expect("it owes work");
				found.push(owed.seed);
			}
		});
		found
	};
	// What peers send, or hold back, moves no seed: it is folded from the blocks' own randomness.
	assert_eq!(seeds(true), seeds(false));
}

#[test]
fn known_flaw_settings_change_terms_that_stand() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		let terms = commitment(1).terms;
		let harsher = CapacityParams {
			slash_rate: Perbill::from_parts(49_000_000),
			own_floor: Perbill::from_percent(15),
			unbonding_epochs: 500,
			vesting_epochs: 1,
			..params()
		};
		assert_ok!(Capacity::apply_params(harsher));
		jump(4);
		settle(1);
		assert_eq!(commitment(1).terms, terms);
		assert_eq!(commitment(1).slashed, 2 * 40 * FLT);
	});
}

#[test]
fn known_flaw_a_lower_limit_freezes_commitments() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		jump(32);
		settle(1);
		// Thirty misses stand; every limit that there is falls below what was promised and done.
		let lower = CapacityParams {
			max_duration_epochs: 5,
			unbonding_epochs: 7,
			challenge_epochs: 1,
			slash_delay_epochs: 1,
			stake_per_unit: 1,
			amnesty_epochs: 0,
			pool_floor: 100,
			..params()
		};
		assert_ok!(Capacity::apply_params(lower));
		pass(&[(1, 4)], &[]);
		assert_eq!(commitment(1).next_to_settle, 31);
		jump(80);
		settle(1);
		assert!(!commitment(1).is_active());
		jump(100);
		assert_ok!(withdraw(PROVIDER, 1));
	});
}
