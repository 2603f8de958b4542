//! How near the prover comes to what RandomX can do.

use crate::{
	board::Board,
	config::{Mode, Settings},
	cores::settle,
	error::ProverError,
	memory::{Filling, Held, Memory},
	planned,
	search::{Job, Search},
	store::Store,
	task::Task,
	Code, Pages,
};
use millrace_primitives::{
	capacity::{Puzzle, WorkRates},
	peer::PeerId,
	H256, U256,
};
use millrace_randomx::allowed;
use std::{
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering},
		Arc, Mutex,
	},
	thread,
	time::{Duration, Instant},
};

/// Time between two looks at a counter.
const LOOK: Duration = Duration::from_micros(500);
/// Longest wait for a first hash: an interpreted one on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// The key of the measurement.
const KEY: H256 = H256::repeat_byte(0x51);

/// Hash rates of RandomX alone and of the prover, over the same memory, threads and cores, in
/// turns.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
	/// Hashes per second of RandomX' own benchmark loop; the median of the rounds.
	pub plain: f64,
	/// The same of the prover.
	pub prover: f64,
	/// The second over the first, each round's for itself; the median of the rounds.
	pub ratio: f64,
	/// Seconds that filling the memory took.
	pub fill_seconds: f64,
	/// How it was computed: light or fast.
	pub mode: Mode,
	/// How RandomX' programs ran.
	pub code: Code,
	/// Pages behind the memory.
	pub pages: Pages,
	/// Threads.
	pub threads: usize,
	/// Whether each stayed on one core.
	pub pinned: bool,
}

/// Measures for so many seconds and rounds each.
///
/// A round measures both, one right after the other, and each round begins with the other one. What
/// else the machine does while some rounds last then falls on both rates of these rounds, and not on
/// the ratio.
pub fn measure(settings: &Settings, seconds: u64, rounds: usize) -> Result<Measured, ProverError> {
	let plan = planned(settings)?;
	let started = Instant::now();
	let memory = Held::default().fill(
		KEY,
		&Filling {
			settings,
			plan: &plan,
			filled: &AtomicU64::new(0),
			stop: &|| false,
		},
	)?;
	let fill_seconds = started.elapsed().as_secs_f64();
	let dir = tempfile::tempdir().map_err(|source| ProverError::Directory {
		dir: std::env::temp_dir(),
		source,
	})?;
	let bench = Bench {
		search: Search::new(Store::open(dir.path())?, settings.clone(), plan.clone()),
		settings,
		plan: &plan,
		memory: &memory,
		time: Duration::from_secs(seconds.max(1)),
	};
	let mut measured = Vec::new();
	for round in 0..rounds.max(1) {
		measured.push(if round % 2 == 0 {
			let plain = bench.plain()?;
			(plain, bench.prover()?)
		} else {
			let prover = bench.prover()?;
			(bench.plain()?, prover)
		});
	}
	let (plain, prover, ratio) = middle(&measured);
	Ok(Measured {
		plain,
		prover,
		ratio,
		fill_seconds,
		mode: memory.mode(),
		code: allowed(),
		pages: memory.pages(),
		threads: plan.len(),
		pinned: plan.iter().all(Option::is_some),
	})
}

struct Bench<'a> {
	search: Search,
	settings: &'a Settings,
	plan: &'a [Option<usize>],
	memory: &'a Memory,
	time: Duration,
}

impl Bench<'_> {
	/// RandomX' own loop: the next nonce, its hash, nothing else.
	fn plain(&self) -> Result<f64, ProverError> {
		let (nonces, stop) = (AtomicU64::new(0), AtomicBool::new(false));
		let task = task();
		let Some(puzzle) = task.puzzle(0) else {
			return Ok(0.0);
		};
		let mine = || plain(self.memory, puzzle, &nonces, &stop);
		self.run(&mine, &nonces, &|| stop.store(true, Ordering::Relaxed))
	}

	/// The prover's search for what cannot be found.
	fn prover(&self) -> Result<f64, ProverError> {
		let board = Arc::new(Mutex::new(Board::new(task(), [])));
		let job = Job::new(board, self.memory.clone());
		let mine = || self.search.mine(&job);
		self.run(&mine, self.search.hashes(), &|| job.retire())
	}

	/// The rate at which the threads count.
	fn run(
		&self,
		mine: &(dyn Fn() -> Result<(), ProverError> + Sync),
		counter: &AtomicU64,
		stop: &dyn Fn(),
	) -> Result<f64, ProverError> {
		thread::scope(|scope| {
			let threads: Vec<_> = self
				.plan
				.iter()
				.map(|core| {
					scope.spawn(move || {
						settle(*core, self.settings);
						mine()
					})
				})
				.collect();
			let rate = rate(counter, self.time, self.plan.len() as u64);
			stop();
			for thread in threads {
				// A thread that panicked ends the measurement.
				match thread.join() {
					Ok(outcome) => outcome?,
					Err(panic) => std::panic::resume_unwind(panic),
				}
			}
			Ok(rate)
		})
	}
}

fn plain(
	memory: &Memory,
	puzzle: Puzzle,
	nonces: &AtomicU64,
	stop: &AtomicBool,
) -> Result<(), ProverError> {
	let mut machine = memory.machine()?;
	let mut input = puzzle.input(0);
	let tail = input.len() - size_of::<u64>();
	let mut row = machine.row(&input);
	while !stop.load(Ordering::Relaxed) {
		let nonce = nonces.fetch_add(1, Ordering::Relaxed);
		input[tail..].copy_from_slice(&nonce.to_le_bytes());
		std::hint::black_box(row.next(&input));
	}
	Ok(())
}

/// Hashes per second, from the moment of one count to that of another, once every thread is warm.
fn rate(counter: &AtomicU64, time: Duration, threads: u64) -> f64 {
	let warm = counter.load(Ordering::Relaxed) + 2 * threads;
	let Some((began, first)) = past(counter, warm) else {
		return 0.0;
	};
	thread::sleep(time);
	let Some((ended, last)) = past(counter, counter.load(Ordering::Relaxed) + 1) else {
		return 0.0;
	};
	(last - first) as f64 / (ended - began).as_secs_f64()
}

/// Waits until a counter has come so far.
fn past(counter: &AtomicU64, count: u64) -> Option<(Instant, u64)> {
	let until = Instant::now() + PATIENCE;
	loop {
		let (now, found) = (Instant::now(), counter.load(Ordering::Relaxed));
		if found >= count {
			return Some((now, found));
		}
		if now >= until {
			return None;
		}
		thread::sleep(LOOK);
	}
}

/// 64 idle units of which nothing can be found.
fn task() -> Task {
	Task {
		epoch: 1,
		key: KEY,
		genesis: H256::repeat_byte(0x11),
		peer: PeerId(H256::repeat_byte(0x22)),
		target: U256::zero(),
		rates: WorkRates { idle: 32, busy: 4 },
		idle: 64,
		busy: 0,
	}
}

/// Of rounds (plain, prover): the medians of both, and that of the second over the first.
fn middle(rounds: &[(f64, f64)]) -> (f64, f64, f64) {
	let of = |value: fn(&(f64, f64)) -> f64| median(rounds.iter().map(value).collect());
	(
		of(|(plain, _)| *plain),
		of(|(_, prover)| *prover),
		// What was not measured reaches nothing.
		of(|(plain, prover)| if *plain > 0.0 { prover / plain } else { 0.0 }),
	)
}

fn median(mut values: Vec<f64>) -> f64 {
	values.sort_by(f64::total_cmp);
	let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
	let at = |index: usize| values.get(index).copied().unwrap_or(0.0);
	(at(low) + at(high)) / 2.0
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::cores::Cores;

	#[test]
	fn the_median_is_in_the_middle() {
		assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
		assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
		assert_eq!(median(vec![]), 0.0);
	}

	#[test]
	fn load_that_comes_and_goes_does_not_move_the_ratio() {
		// Half of the rounds have a fifth of the machine, and one loses it in the middle.
		let rounds = [
			(100.0, 99.0),
			(20.0, 19.8),
			(20.0, 99.0),
			(20.0, 19.8),
			(100.0, 99.0),
		];
		let (_, _, ratio) = middle(&rounds);
		assert!((ratio - 0.99).abs() < 1e-9, "{ratio}");
	}

	#[test]
	fn a_rate_that_was_not_measured_is_no_rate_that_is_reached() {
		assert_eq!(middle(&[(0.0, 5.0)]).2, 0.0);
		assert_eq!(middle(&[(0.0, 0.0)]).2, 0.0);
	}

	#[test]
	fn both_loops_count_hashes() {
		let settings = Settings {
			mode: Mode::Light,
			threads: Some(1),
			pages: Pages::Ordinary,
			..Settings::default()
		};
		let measured = measure(&settings, 1, 1).expect("a cache fits");
		assert_eq!((measured.mode, measured.threads), (Mode::Light, 1));
		// How far they are apart is measured on a machine that does nothing else: `tests/rate.rs`.
		assert!(
			measured.plain > 0.0 && measured.prover > 0.0 && measured.ratio > 0.0,
			"{measured:?}"
		);
	}

	#[test]
	fn a_core_that_is_not_there_is_refused() {
		let settings = Settings {
			cores: Cores::Set([Cores::MOST].into()),
			..Settings::default()
		};
		let outcome = measure(&settings, 1, 1);
		assert!(
			matches!(outcome, Err(ProverError::Cores { .. })),
			"{outcome:?}"
		);
	}
}
