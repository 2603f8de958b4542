//! The pallet against [`model`], which settles every epoch of every peer at once and shares no code
//! with it: 10,000 histories, settled whenever somebody happens to look, agree to the unit.

mod history;
mod model;
mod numbers;
mod peer;
mod world;

use self::{
	history::{history, parameters, History, Reached, PEERS, RATES, RESTLESS},
	world::{now, World},
};
use super::*;
use proptest::{prelude::*, test_runner::TestRunner};
use std::cell::RefCell;

/// What a peer does about reports at the time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
	Full,
	Part,
	Silent,
}

/// Lives through a history on both sides.
fn play(history: &History) -> Reached {
	let mut reached = Reached::default();
	ExtBuilder::default()
		.peers(PEERS as u8)
		.params(parameters(history, RATES[2]))
		.build_and_execute(|| {
			let issued = Balances::total_issuance();
			let mut world = World::found(history);
			let mut habits = [Habit::Full; PEERS];
			world.open();
			for (deeds, event) in &history.epochs {
				world.open();
				let epoch = now() - 1;
				let mut reports = [None; PEERS];
				for (index, deed) in deeds.iter().enumerate() {
					let [low, high, habit, audit, missing, touch, ..] = deed.to_le_bytes();
					let rate = RESTLESS[history.setups[index].restless];
					if u16::from_le_bytes([low, high]) % 1_000 < rate {
						habits[index] =
							[Habit::Full, Habit::Part, Habit::Silent][usize::from(habit % 3)];
					}
					let out = history.outages.iter().any(|(first, length, survivor)| {
						(*first..first + length).contains(&epoch) && *survivor != index
					});
					let status = match audit % 20 {
						0..=16 => AuditStatus::Passed,
						17..=18 => AuditStatus::Failed,
						_ => AuditStatus::Open,
					};
					if !out && habits[index] != Habit::Silent {
						let missing = match habits[index] {
							Habit::Part => 1 + u32::from(missing % 9),
							_ => 0,
						};
						reports[index] = world.report(index, missing, status);
					}
					if touch % 20 == 19 {
						world.settle(index);
					}
				}
				world.close(reports);
				for (index, deed) in deeds.iter().enumerate() {
					if deed.to_le_bytes()[6] % 20 == 19 {
						world.settle(index);
					}
				}
				world.event(*event);
			}
			world.finish(issued);
			reached = world.reached;
		});
	reached
}

/// Plays so many histories, and sees to it that they reach everything that there is.
fn histories(cases: u32) {
	let all = RefCell::new(Reached::default());
	let config = ProptestConfig {
		source_file: Some(file!()),
		..ProptestConfig::with_cases(cases)
	};
	TestRunner::new(config)
		.run(&history(), |history| {
			let (one, mut all) = (play(&history), all.borrow_mut());
			all.growths += one.growths;
			all.renewals += one.renewals;
			all.left += one.left;
			all.voided += one.voided;
			all.failed += one.failed;
			all.ended += one.ended;
			all.excused += one.excused;
			all.waited += one.waited;
			all.applied += one.applied;
			all.sent_back += one.sent_back;
			all.late += one.late;
			all.claims += one.claims;
			Ok(())
		})
		.unwrap_or_else(|failed| panic!("{failed}"));
	let all = all.into_inner();
	let counts = [
		all.growths,
		all.renewals,
		all.left,
		all.voided,
		all.failed,
		all.ended,
		all.excused,
		all.waited,
		all.applied,
		all.sent_back,
		all.late,
		all.claims,
	];
	assert!(counts.iter().all(|count| *count > 0), "{all:?}");
}

// 2,500 histories of four peers, in parts that run beside each other.

#[test]
fn ten_thousand_histories_first_part() {
	histories(625);
}

#[test]
fn ten_thousand_histories_second_part() {
	histories(625);
}

#[test]
fn ten_thousand_histories_third_part() {
	histories(625);
}

#[test]
fn ten_thousand_histories_fourth_part() {
	histories(625);
}

#[test]
fn the_model_weighs_misses_as_the_pallet_does() {
	for epoch in 24..72 {
		let score = crate::rules::Score::default().after_epoch(epoch, 1, 1);
		assert_eq!(score.0, (1 << 32) * peer::weight(epoch));
	}
}
