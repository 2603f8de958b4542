//! Blocks, migrations and new lengths in any order: calls may be refused, the clock may not err.

use super::model::{lengths, Model};
use crate::{mock::*, Event, PendingLengths, RING_SLOTS};
use millrace_primitives::{epoch::EpochLengths, traits::EpochClock, BlockNumber, EpochIndex, H256};
use proptest::{
	prelude::*,
	test_runner::{Config, TestRunner},
};
use std::{cell::RefCell, collections::BTreeMap, time::Instant};

/// What must have come to something in a run, or it says nothing.
const NAMES: [&str; 6] = [
	"block",
	"migration",
	"an epoch started",
	"a draw folded",
	"lengths set",
	"bad lengths",
];

#[derive(Clone, Debug)]
enum Op {
	/// Blocks with such an output.
	Blocks {
		count: u32,
		output: Option<[u8; 32]>,
	},
	/// Blocks in which a migration runs.
	Migration {
		count: u32,
		output: Option<[u8; 32]>,
	},
	SetLengths(EpochLengths),
}

/// Lengths that are wrong in one way, by one where that is possible.
fn bad_lengths() -> impl Strategy<Value = EpochLengths> {
	(lengths(), 0u8..8).prop_map(|(good, flaw)| {
		let sum = good.report_window + good.fold_window + good.answer_window;
		let mut bad = good;
		match flaw {
			0 => bad.report_window = 0,
			1 => bad.fold_window = 0,
			2 => bad.answer_window = 0,
			3 => bad.answer_window = 1,
			4 => bad.len = sum + 1,
			5 => bad.len = 0,
			6 => bad.answer_window = u32::MAX,
			_ => (bad.report_window, bad.fold_window) = (u32::MAX, u32::MAX),
		}
		bad
	})
}

fn op() -> impl Strategy<Value = Op> {
	let output = || prop::option::weighted(0.9, any::<[u8; 32]>());
	let any_lengths = prop_oneof![3 => lengths(), 1 => bad_lengths()];
	prop_oneof![
		10 => (1u32..6, output()).prop_map(|(count, output)| Op::Blocks { count, output }),
		2 => (1u32..4, output()).prop_map(|(count, output)| Op::Migration { count, output }),
		3 => any_lengths.prop_map(Op::SetLengths),
	]
}

/// How often what succeeded.
type Tally = RefCell<BTreeMap<&'static str, u32>>;

struct World<'a> {
	model: Model,
	/// Output of the last block.
	before: Option<[u8; 32]>,
	/// First block and seed of each epoch, as they were when it began.
	starts: BTreeMap<EpochIndex, (BlockNumber, H256)>,
	/// Draw of each epoch, as it was when it was folded.
	draws: BTreeMap<EpochIndex, H256>,
	tally: &'a Tally,
}

impl World<'_> {
	fn note(&self, name: &'static str) {
		*self.tally.borrow_mut().entry(name).or_default() += 1;
	}

	fn block(&mut self, output: Option<[u8; 32]>, migrates: bool) {
		Migrating::set(migrates);
		next_block(self.before);
		self.before = output;
		if migrates {
			assert!(events().is_empty());
			return self.model.check();
		}
		let number = System::block_number();
		self.model.push(number, H256(output.unwrap_or_default()));
		self.model.check();

		let (epoch, position) = self.model.now().expect("a block counted");
		let mut expected: Vec<Event<Test>> = Vec::new();
		if position == 0 {
			let seed = Epochs::seed(epoch).expect("it began");
			expected.push(Event::EpochStarted {
				index: epoch,
				start: number,
				seed,
			});
			self.starts.insert(epoch, (number, seed));
			self.note("an epoch started");
		}
		if epoch > 0 && Some(position) == self.model.draw_at() {
			let draw = Epochs::draw(epoch - 1).expect("it is folded");
			let epoch = epoch - 1;
			expected.push(Event::DrawFolded { epoch, draw });
			self.draws.insert(epoch, draw);
			self.note("a draw folded");
		}
		assert_eq!(events(), expected);
	}

	fn set_lengths(&mut self, lengths: EpochLengths) {
		let sum = u64::from(lengths.report_window)
			+ u64::from(lengths.fold_window)
			+ u64::from(lengths.answer_window);
		let fits = lengths.report_window >= 1
			&& lengths.fold_window >= 1
			&& lengths.answer_window >= 2
			&& sum + 2 <= u64::from(lengths.len);
		let result = Epochs::schedule_lengths(lengths);
		if fits {
			assert_eq!(result, Ok(()));
			self.model.pending = Some(lengths);
			self.note("lengths set");
		} else {
			assert!(result.is_err());
			self.note("bad lengths");
		}
		assert_eq!(PendingLengths::<Test>::get(), self.model.pending);
	}

	/// The rings remember what was said, for as many epochs as they have slots.
	fn check_rings(&self) {
		for (epoch, (start, seed)) in self.starts.iter().rev().take(RING_SLOTS as usize + 2) {
			let is_kept = self.starts.len() as u32 - epoch <= RING_SLOTS;
			assert_eq!(Epochs::start_of(*epoch), is_kept.then_some(*start));
			assert_eq!(Epochs::seed(*epoch), is_kept.then_some(*seed));
		}
		for (epoch, draw) in self.draws.iter().rev().take(RING_SLOTS as usize + 2) {
			let is_kept = self.draws.len() as u32 - epoch <= RING_SLOTS;
			assert_eq!(Epochs::draw(*epoch), is_kept.then_some(*draw));
		}
		let next = self.starts.len() as u32;
		assert_eq!((Epochs::start_of(next), Epochs::seed(next)), (None, None));
		assert_eq!(Epochs::draw(self.draws.len() as u32), None);
	}

	fn apply(&mut self, op: Op) {
		match op {
			Op::Blocks { count, output } => {
				(0..count).for_each(|_| self.block(output, false));
				self.note("block");
			}
			Op::Migration { count, output } => {
				(0..count).for_each(|_| self.block(output, true));
				self.note("migration");
			}
			Op::SetLengths(lengths) => self.set_lengths(lengths),
		}
	}
}

/// Runs histories; how often what succeeded in them.
fn run(cases: u32, steps: usize) -> BTreeMap<&'static str, u32> {
	let tally = Tally::default();
	let mut runner = TestRunner::new(Config {
		cases,
		source_file: Some(file!()),
		..Config::default()
	});
	let histories = (lengths(), prop::collection::vec(op(), steps));
	let outcome = runner.run(&histories, |(first, ops)| {
		ExtBuilder::lengths(first).build_and_execute(|| {
			let mut world = World {
				model: Model::new(first),
				before: None,
				starts: BTreeMap::new(),
				draws: BTreeMap::new(),
				tally: &tally,
			};
			for op in ops {
				world.apply(op);
				Epochs::do_try_state().unwrap();
				world.check_rings();
			}
		});
		Ok(())
	});
	if let Err(error) = outcome {
		panic!("{error}");
	}
	tally.into_inner()
}

#[test]
fn anything_may_happen_in_any_order() {
	let tally = run(16, 120);
	for name in NAMES {
		assert!(tally.contains_key(name), "never: {name}, of {tally:?}");
	}
}

#[test]
#[ignore = "long, run by scripts/bench.sh"]
fn bench_stateful_epochs() {
	let begun = Instant::now();
	let (runs, steps) = (256, 500);
	run(runs, steps);
	println!(
		r#"{{"measure":"stateful","pallet":"epochs","runs":{runs},"steps":{steps},"seconds":{:.1}}}"#,
		begun.elapsed().as_secs_f64()
	);
}
