//! What equivocation costs, and how it is remembered.

use crate::{mock::*, rules, Banned, Event, LeaveReason, Records, Standing, SESSION_RING};
use millrace_primitives::{
	traits::{Equivocations, MAX_EQUIVOCATIONS},
	EpochIndex,
};
use proptest::prelude::*;
use sp_runtime::Perbill;

fn percent(part: u32) -> Perbill {
	Perbill::from_percent(part)
}

fn offend(who: u64, part: u32, session: u32) {
	Validators::on_equivocation(&who, percent(part), session);
}

fn since(who: u64, from: u32) -> Vec<(EpochIndex, Perbill)> {
	<Validators as Equivocations<u64>>::since(&who, from)
}

fn next(who: u64) -> u32 {
	<Validators as Equivocations<u64>>::next(&who)
}

/// What is left of so much when all equivocations are taken, one after the other.
fn left_of(stake: u128, who: u64) -> u128 {
	since(who, 0)
		.into_iter()
		.fold(stake, |left, (_, part)| left - part.mul_ceil(left))
}

#[test]
fn an_equivocation_is_remembered_and_ends_a_candidacy() {
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!((next(1), since(1, 0)), (0, vec![]));
		stand(1, 20);
		CurrentEpoch::set(5);
		rotate_by(2);
		CurrentEpoch::set(6);
		let weight = Validators::on_equivocation(&1, Perbill::from_parts(562_500_000), 2);
		assert_eq!(weight, <() as crate::WeightInfo>::on_equivocation());

		assert_eq!(next(1), 1);
		assert_eq!(since(1, 0), vec![(5, Perbill::from_parts(562_500_000))]);
		assert_eq!(since(1, 1), vec![]);
		assert!(!Standing::<Test>::contains_key(1));
		assert_eq!(Banned::<Test>::get(1), Some(26));
		assert_eq!(Disabled::get(), vec![(1, Perbill::from_parts(562_500_000))]);
		let reported = events();
		assert_eq!(
			reported[reported.len() - 2..],
			[
				Event::CandidateLeft {
					who: 1,
					reason: LeaveReason::Equivocated,
				},
				Event::Equivocated {
					who: 1,
					session: 2,
					epoch: 5,
					fraction: Perbill::from_parts(562_500_000),
				},
			]
		);
	});
}

#[test]
fn one_session_counts_once() {
	ExtBuilder::default().build_and_execute(|| {
		offend(1, 10, 0);
		let reported = events().len();
		offend(1, 10, 0);
		offend(1, 5, 0);
		assert_eq!(since(1, 0), vec![(0, percent(10))]);
		assert_eq!(events().len(), reported);
		assert_eq!(Disabled::get().len(), 3, "it is disabled again");
	});
}

#[test]
fn a_raised_fraction_takes_the_difference() {
	ExtBuilder::default().build_and_execute(|| {
		offend(1, 10, 0);
		offend(1, 28, 0);
		assert_eq!(since(1, 0), vec![(0, percent(10)), (0, percent(20))]);
		assert_eq!(left_of(1_000_000, 1), 720_000);
		offend(1, 100, 0);
		assert_eq!(since(1, 2), vec![(0, percent(100))]);
		assert_eq!(left_of(1_000_000, 1), 0);
		offend(1, 100, 0);
		assert_eq!(next(1), 3);
	});
}

#[test]
fn two_sessions_count_twice() {
	ExtBuilder::default().build_and_execute(|| {
		offend(1, 10, 0);
		CurrentEpoch::set(1);
		rotate();
		offend(1, 10, 1);
		offend(2, 10, 1);
		assert_eq!(since(1, 0), vec![(0, percent(10)), (1, percent(10))]);
		assert_eq!(since(1, 1), vec![(1, percent(10))]);
		assert_eq!(since(2, 0), vec![(1, percent(10))]);
	});
}

#[test]
fn the_epoch_is_that_in_which_the_session_began() {
	ExtBuilder::default().build_and_execute(|| {
		let last = SESSION_RING + 8;
		for session in 1..=last {
			CurrentEpoch::set(session * 2);
			rotate();
		}
		let now = last * 3;
		CurrentEpoch::set(now);
		offend(1, 1, last);
		offend(1, 1, 9);
		// Of this one nothing is remembered.
		offend(1, 1, 8);
		let epochs: Vec<_> = since(1, 0).into_iter().map(|(epoch, _)| epoch).collect();
		assert_eq!(epochs, vec![last * 2, 18, now]);
	});
}

#[test]
fn a_full_record_keeps_what_all_take_together() {
	ExtBuilder::default().build_and_execute(|| {
		for session in 0..10 {
			CurrentEpoch::set(session);
			offend(1, 10, session);
			rotate();
		}
		assert_eq!(next(1), 10);
		let entries = since(1, 0);
		assert_eq!(entries.len() as u32, MAX_EQUIVOCATIONS);
		// Whoever has paid the first eight pays for the last two alone.
		assert_eq!(since(1, 8).len(), 2);
		assert_eq!(entries[0].1, Perbill::from_rational(271u32, 1_000));
		// Nine tenths of it, ten times.
		assert_eq!(left_of(10_000_000_000, 1), 3_486_784_401);
		let record = Records::<Test>::get(1).unwrap();
		let serials: Vec<_> = record.entries.iter().map(|entry| entry.serial).collect();
		assert_eq!(serials, (2..10).collect::<Vec<_>>());
	});
}

#[test]
fn a_banned_seat_is_the_first_to_go() {
	ExtBuilder::default()
		.genesis((1..=4).collect())
		.build_and_execute(|| {
			for who in 1..=4 {
				stand(who, 50);
			}
			rotate_by(1);
			offend(3, 1, 1);
			assert_eq!(rotate_by(1), vec![1, 2, 4]);
			assert_eq!(lost(), vec![(3, LeaveReason::Equivocated)]);
			assert_eq!(Validators::validator(&3).banned_until, Some(25));
		});
}

#[test]
fn a_set_without_replacement_keeps_its_equivocator() {
	ExtBuilder::default()
		.genesis(vec![1, 2, 3])
		.build_and_execute(|| {
			for who in 1..=3 {
				stand(who, 50);
			}
			rotate_by(1);
			offend(3, 1, 1);
			assert_eq!(rotate_by(2), vec![1, 2, 3]);
			stand(4, 50);
			assert_eq!(rotate_by(1), vec![1, 2, 4]);
		});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	/// However fractions of sessions are raised, what is taken is what the worst of each session
	/// come to, and never less.
	#[test]
	fn what_is_taken_is_the_worst_of_each_session(
		reports in prop::collection::vec((0u32..5, 1u32..=1_000_000_000), 1..20),
	) {
		ExtBuilder::default().build_and_execute(|| {
			let mut worst = [Perbill::zero(); 5];
			for (session, fraction) in reports {
				let fraction = Perbill::from_parts(fraction);
				Validators::on_equivocation(&1, fraction, session);
				let known = &mut worst[session as usize];
				*known = fraction.max(*known);
			}
			let stake: u128 = 1_000_000_000_000_000_000_000_000;
			let exact = worst.iter().fold(stake as f64, |left, fraction| {
				left * f64::from(1_000_000_000 - fraction.deconstruct()) / 1e9
			});
			let left = left_of(stake, 1) as f64;
			assert!(left <= exact * (1.0 + 1e-12), "{left} is left, not {exact}");
			// Each of twenty parts is rounded up by less than a billionth of what is left.
			assert!(exact - left <= stake as f64 * 60e-9, "{left} is left, not {exact}");
		});
	}

	#[test]
	fn parts_one_after_the_other_come_to_the_whole(
		first in 0u32..=1_000_000_000,
		second in 0u32..=1_000_000_000,
	) {
		let (before, after) = (Perbill::from_parts(first), Perbill::from_parts(second));
		let part = rules::part_between(before, after);
		let taken = rules::both(before, part);
		if after <= before {
			prop_assert_eq!(part, Perbill::zero());
		} else {
			prop_assert!(taken >= after);
			prop_assert!(taken.deconstruct() - after.deconstruct() <= 2);
		}
	}
}
