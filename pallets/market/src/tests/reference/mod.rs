//! The pallet against [`naive`], which shares no code with it: 10,000 markets have the same workers at
//! the same prices. And whatever happens while the matcher has little time: nobody is passed over, and
//! no deal waits for ever while somebody fits.

mod naive;
mod ops;
mod world;

use self::{
	ops::{history, market},
	world::{Tally, World},
};
use crate::mock::*;
use proptest::test_runner::{Config, TestRunner};

/// Epochs in which nobody comes to a deal or leaves it, after which nobody waits any more: as many as it
/// takes until all who had notice have left and all who were excluded are not any more, and one in which
/// every deal is walked.
const QUIET_EPOCHS: u32 = 8;
/// Most epochs without anything from outside until then. A deal that moves to somebody cheaper leaves a
/// place to others, who move to it; every such step makes some deal cheaper.
const MOST_EPOCHS: u32 = 400;
/// Time for some looks in each of their blocks.
const QUIET_TIME: u64 = 40_000_000_000;

fn config(cases: u32) -> Config {
	Config {
		source_file: Some(file!()),
		..Config::with_cases(cases)
	}
}

fn has_seen(tally: &Tally, names: &[&'static str]) {
	let tally = tally.borrow();
	let unseen: Vec<_> = names
		.iter()
		.filter(|name| !tally.contains_key(*name))
		.collect();
	assert!(unseen.is_empty(), "never: {unseen:?}");
}

/// Matches so many markets.
fn markets(cases: u32) {
	let tally = Tally::default();
	let outcome = TestRunner::new(config(cases)).run(&market(), |(setup, rounds)| {
		build_and_execute(|| {
			let mut world = World::found(&setup, &tally);
			for (number, round) in rounds.iter().enumerate() {
				world.round(&round.ops);
				world.ask(number as u8);
				world.go_live(round.live);
			}
		});
		Ok(())
	});
	outcome.unwrap_or_else(|failed| panic!("{failed}"));
	has_seen(
		&tally,
		&[
			"a refusal",
			"a worker matched",
			"a worker given up",
			"a worker draining",
			"a worker released",
			"a rematch",
			"a deal stopped",
		],
	);
}

// 10,000 markets, in parts that run beside each other.

#[test]
fn ten_thousand_markets_first_part() {
	markets(2_500);
}

#[test]
fn ten_thousand_markets_second_part() {
	markets(2_500);
}

#[test]
fn ten_thousand_markets_third_part() {
	markets(2_500);
}

#[test]
fn ten_thousand_markets_fourth_part() {
	markets(2_500);
}

#[test]
fn nobody_is_passed_over_and_no_deal_waits_for_ever_while_somebody_fits() {
	let tally = Tally::default();
	let outcome = TestRunner::new(config(96)).run(&history(), |(setup, steps)| {
		build_and_execute(|| {
			let mut world = World::found(&setup, &tally);
			for step in &steps {
				world.act(&step.op);
				for _ in 0..step.blocks {
					world.block(step.time);
				}
				world.go_live(step.live);
			}
			let begun = Epoch::get();
			let mut end = begun + QUIET_EPOCHS;
			while (Epoch::get(), Position::get()) != (end, LENGTHS.len - 1) {
				world.block(QUIET_TIME);
				world.go_live(u32::MAX);
				end = end.max(world.changed() + QUIET_EPOCHS);
				assert!(Epoch::get() < begun + MOST_EPOCHS, "it never comes to rest");
			}
			world.nobody_waits_for_nothing();
		});
		Ok(())
	});
	outcome.unwrap_or_else(|failed| panic!("{failed}"));
	has_seen(
		&tally,
		&[
			"a refusal",
			"a worker matched",
			"a worker draining",
			"a worker released",
			"a rematch",
			"a deal stopped",
			"a deal that nobody fits",
		],
	);
}
