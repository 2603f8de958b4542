//! The prover with real RandomX in light mode and an easy target.

use millrace_primitives::{
	capacity::{meets, WorkRates},
	peer::PeerId,
	H256, U256,
};
use millrace_prover::{Code, Mode, Pages, Proofs, Prover, ProverConfig, Settings, Task};
use randomx_rs::{RandomXCache, RandomXFlag, RandomXVM};
use std::{
	env,
	io::{BufRead, BufReader},
	path::Path,
	process::{Command, Stdio},
	thread,
	time::{Duration, Instant},
};

/// Names the directory to the process that is going to be killed.
const VICTIM: &str = "MILLRACE_PROVER_VICTIM";
/// Tells a process to give up executable memory.
const NO_CODE: &str = "MILLRACE_PROVER_WITHOUT_CODE";
/// Generous: a light hash takes 40 to 100 ms and a puzzle 4 hashes.
const PATIENCE: Duration = Duration::from_secs(240);

fn task(epoch: u32, idle: u32, busy: u32) -> Task {
	Task {
		epoch,
		key: H256::repeat_byte(0x51),
		genesis: H256::repeat_byte(0x11),
		peer: PeerId(H256::repeat_byte(0x22)),
		target: U256::MAX >> 2,
		rates: WorkRates { idle: 4, busy: 1 },
		idle,
		busy,
	}
}

fn start(dir: &Path, threads: usize) -> Prover {
	let settings = Settings {
		mode: Mode::Light,
		threads: Some(threads),
		..Settings::default()
	};
	let dir = dir.to_path_buf();
	Prover::start(ProverConfig { dir, settings }).expect("the prover starts")
}

fn wait_until(prover: &Prover, done: impl Fn(u64) -> bool) {
	let start = Instant::now();
	loop {
		let progress = prover.progress();
		if done(progress.found_idle + progress.found_busy) {
			return;
		}
		assert!(progress.trouble.is_none(), "{progress:?}");
		assert!(start.elapsed() < PATIENCE, "too slow: {progress:?}");
		thread::sleep(Duration::from_millis(20));
	}
}

/// The last find is on the board a moment before the search knows that it is over.
fn until_complete(prover: &Prover) {
	let start = Instant::now();
	while prover.progress().complete_after.is_none() {
		assert!(
			start.elapsed() < Duration::from_secs(10),
			"it is not complete"
		);
		thread::sleep(Duration::from_millis(10));
	}
	assert_eq!(prover.progress().rate, 0.0);
}

/// Checks every nonce with RandomX's own machine, apart from the prover's.
fn verify(task: &Task, proofs: &Proofs) {
	let flags = RandomXFlag::get_recommended_flags();
	let cache = RandomXCache::new(flags, task.key.as_bytes()).expect("a cache fits");
	let machine = RandomXVM::new(flags, Some(cache), None).expect("a machine fits");
	let rates = task.rates;
	assert_eq!(
		proofs.nonces.len() as u64,
		rates.leaves(proofs.proven_idle, proofs.proven_busy)
	);
	for (index, nonce) in proofs.nonces.iter().enumerate() {
		let (unit, k) = rates
			.leaf(proofs.proven_idle, proofs.proven_busy, index as u64)
			.expect("there are as many nonces as leaves");
		let owed = task.index(unit, k).expect("the solution is owed");
		let puzzle = task.puzzle(owed).expect("the solution is owed");
		let hash = machine
			.calculate_hash(&puzzle.input(*nonce))
			.expect("the input is not empty");
		let hash: [u8; 32] = hash.try_into().expect("RandomX hashes have 32 bytes");
		assert!(meets(&hash, task.target), "unit {unit}, k {k}");
	}
}

#[test]
fn everything_owed_is_found_and_verifies() {
	let dir = tempfile::tempdir().expect("a directory");
	let prover = start(dir.path(), 2);
	let task = task(7, 2, 3);
	prover.set_task(Some(task.clone()));
	wait_until(&prover, |found| found == 11);
	let proofs = prover.finish(7).expect("reads");
	assert_eq!((proofs.proven_idle, proofs.proven_busy), (2, 3));
	assert_eq!(
		prover.nonces(7, task.rates, 2, 3).expect("reads"),
		Some(proofs.nonces.clone())
	);
	verify(&task, &proofs);
	let progress = prover.progress();
	assert!(progress.is_complete());
	assert_eq!((progress.proven_idle, progress.proven_busy), (2, 3));
	assert_eq!((progress.units_idle, progress.units_busy), (2, 3));
	assert_eq!((progress.found(), progress.owed()), (11, 11));
	assert_eq!(
		(progress.mode, progress.threads, progress.fills),
		(Mode::Light, 2, 1)
	);
	assert_eq!(progress.expected_hashes, 44.0);
	assert_eq!((progress.eta_seconds, progress.filling), (None, None));
	assert!(
		progress.hashes >= 11 && progress.fill_seconds > 0.0,
		"{progress:?}"
	);
	until_complete(&prover);
	// What was never worked for proves nothing.
	assert_eq!(prover.finish(8).expect("reads"), Proofs::default());
}

#[test]
fn a_restarted_prover_resumes_and_a_finished_one_computes_nothing() {
	let dir = tempfile::tempdir().expect("a directory");
	let task = task(7, 2, 0);
	let prover = start(dir.path(), 2);
	prover.set_task(Some(task.clone()));
	wait_until(&prover, |found| found >= 3);
	drop(prover);

	let prover = start(dir.path(), 2);
	prover.set_task(Some(task.clone()));
	wait_until(&prover, |found| found >= 3);
	wait_until(&prover, |found| found == 8);
	let proofs = prover.finish(7).expect("reads");
	verify(&task, &proofs);
	drop(prover);

	let prover = start(dir.path(), 2);
	prover.set_task(Some(task));
	wait_until(&prover, |found| found == 8);
	assert_eq!(prover.finish(7).expect("reads"), proofs);
	until_complete(&prover);
	let progress = prover.progress();
	assert_eq!(
		(progress.hashes, progress.fills),
		(0, 0),
		"nothing was computed"
	);
}

/// A worker that resumes by an index hands in what it had found for another epoch.
#[test]
fn known_flaw_stale_solutions_after_a_restart() {
	let dir = tempfile::tempdir().expect("a directory");
	let old = task(7, 1, 0);
	let prover = start(dir.path(), 2);
	prover.set_task(Some(old.clone()));
	wait_until(&prover, |found| found == 4);
	drop(prover);

	// The same epoch of a chain that was reset, and the next epoch: other keys, other solutions.
	for epoch in [7, 8] {
		let prover = start(dir.path(), 2);
		let next = Task {
			key: H256::repeat_byte(0x60 + epoch as u8),
			..task(epoch, 1, 0)
		};
		// Nothing of the other key counts, however early the report is cut.
		prover.set_task(Some(next.clone()));
		wait_until(&prover, |found| found == 4);
		let proofs = prover.finish(epoch).expect("reads");
		assert_eq!(proofs.proven_idle, 1);
		verify(&next, &proofs);
	}
}

/// A prover must not give up when it has fewer cores than units.
#[test]
fn known_flaw_cores_below_units_abort_proving() {
	let dir = tempfile::tempdir().expect("a directory");
	let prover = start(dir.path(), 1);
	let task = task(7, 64, 0);
	prover.set_task(Some(task.clone()));
	wait_until(&prover, |found| found >= 8);
	let proofs = prover.finish(7).expect("reads");
	// One thread goes from unit to unit: what it has found is a prefix.
	assert!(proofs.proven_idle >= 2, "{}", proofs.proven_idle);
	verify(&task, &proofs);
}

#[test]
fn more_busy_units_need_no_new_memory() {
	let dir = tempfile::tempdir().expect("a directory");
	let prover = start(dir.path(), 2);
	prover.set_task(Some(task(7, 1_000, 0)));
	wait_until(&prover, |found| found >= 1);
	for (idle, busy) in [(996, 4), (990, 10), (1_000, 0)] {
		let before = prover.progress().hashes;
		prover.set_task(Some(task(7, idle, busy)));
		let start = Instant::now();
		loop {
			let progress = prover.progress();
			if (progress.units_idle, progress.units_busy) == (idle, busy)
				&& progress.hashes > before + 4
			{
				break;
			}
			assert!(
				start.elapsed() < PATIENCE,
				"it does not follow: {progress:?}"
			);
			thread::sleep(Duration::from_millis(10));
		}
		assert_eq!(prover.progress().fills, 1, "{idle} idle, {busy} at work");
	}
	// Another seed does need it.
	prover.set_task(Some(Task {
		key: H256::repeat_byte(0x52),
		..task(8, 1, 0)
	}));
	wait_until(&prover, |found| found == 4);
	assert_eq!(prover.progress().fills, 2);
}

#[test]
fn memory_is_given_back_when_nothing_is_owed() {
	let dir = tempfile::tempdir().expect("a directory");
	let prover = start(dir.path(), 2);
	let task = task(7, 1_000, 0);
	prover.set_task(Some(task.clone()));
	wait_until(&prover, |found| found >= 1);
	assert_eq!(prover.progress().fills, 1);
	// It takes a moment, and shows in that the same seed has to be filled again.
	let filled_again = (0..20).any(|_| {
		prover.set_task(None);
		thread::sleep(Duration::from_secs(1));
		prover.set_task(Some(task.clone()));
		let start = Instant::now();
		while prover.progress().searching_seconds == 0.0 {
			assert!(start.elapsed() < PATIENCE, "nothing is searched");
			thread::sleep(Duration::from_millis(10));
		}
		prover.progress().fills > 1
	});
	assert!(filled_again, "it is kept");
}

/// Not a test by itself: the process of the next test, which gives up executable memory.
#[test]
fn without_code() {
	let Some(dir) = env::var_os(NO_CODE) else {
		return;
	};
	let unused: libc::c_ulong = 0;
	let gain = libc::c_ulong::from(libc::PR_MDWE_REFUSE_EXEC_GAIN);
	// SAFETY: takes numbers only, and forbids this process to make pages executable.
	let refused = unsafe { libc::prctl(libc::PR_SET_MDWE, gain, unused, unused, unused) };
	if refused != 0 {
		println!("this kernel knows no PR_SET_MDWE, so nothing is tested");
		return;
	}
	let prover = start(Path::new(&dir), 2);
	let task = task(7, 1, 0);
	prover.set_task(Some(task));
	wait_until(&prover, |found| found == 4);
	assert_eq!(prover.progress().code, Code::Interpreted);
	// Checked by the other process, whose machines are compiled.
	prover.finish(7).expect("reads");
	println!("interpreted and done");
}

#[test]
fn interpreted_prover_proves() {
	let dir = tempfile::tempdir().expect("a directory");
	let output = Command::new(env::current_exe().expect("this test has a path"))
		.args(["without_code", "--exact", "--nocapture"])
		.env(NO_CODE, dir.path())
		.output()
		.expect("the process starts");
	let text = String::from_utf8_lossy(&output.stdout).into_owned();
	assert!(output.status.success(), "{text}");
	if text.contains("nothing is tested") {
		println!("{text}");
		return;
	}
	assert!(text.contains("interpreted and done"), "{text}");
	let prover = start(dir.path(), 1);
	verify(&task(7, 1, 0), &prover.finish(7).expect("reads"));
}

/// Fast mode finds what light mode verifies, and takes its memory from the system once.
#[test]
#[ignore = "takes 2.3 GiB and a minute or two of all cores: run by scripts/bench.sh"]
fn bench_fast_mode() {
	let dir = tempfile::tempdir().expect("a directory");
	let settings = Settings {
		mode: Mode::Fast,
		..Settings::default()
	};
	let dir = dir.path().to_path_buf();
	let prover = Prover::start(ProverConfig { dir, settings }).expect("the prover starts");
	let mut filled = Vec::new();
	for epoch in [7, 8] {
		let task = Task {
			key: H256::repeat_byte(0x70 + epoch as u8),
			..task(epoch, 1, 1)
		};
		prover.set_task(Some(task.clone()));
		let mut seen = 0.0f32;
		let start = Instant::now();
		while prover.progress().found() < 5 || prover.progress().epoch != Some(epoch) {
			let progress = prover.progress();
			assert!(progress.trouble.is_none(), "{progress:?}");
			assert!(start.elapsed() < 2 * PATIENCE, "too slow: {progress:?}");
			seen = seen.max(progress.filling.unwrap_or(0.0));
			thread::sleep(Duration::from_millis(20));
		}
		assert!(seen > 0.5, "the filling was shown only up to {seen}");
		verify(&task, &prover.finish(epoch).expect("reads"));
		// Once complete, more units at work need no other dataset.
		let more = Task { busy: 3, ..task };
		prover.set_task(Some(more));
		wait_until(&prover, |found| found == 7);
		let progress = prover.progress();
		assert_eq!(progress.mode, Mode::Fast);
		filled.push((progress.fills, progress.pages));
	}
	let pages: Pages = filled[0].1;
	assert_eq!(filled, [(1, pages), (2, pages)]);
}

#[test]
fn a_new_task_takes_over_at_once_and_the_old_epoch_stays_readable() {
	let dir = tempfile::tempdir().expect("a directory");
	let prover = start(dir.path(), 2);
	// Far more than can be found.
	prover.set_task(Some(task(7, 1_000, 0)));
	// Two threads solve in any order, so a number of solutions alone makes no whole unit.
	let start = Instant::now();
	while prover.finish(7).expect("reads").proven_idle == 0 {
		assert!(start.elapsed() < PATIENCE, "too slow for one unit");
		thread::sleep(Duration::from_millis(20));
	}
	let next = Task {
		key: H256::repeat_byte(0x52),
		..task(8, 1, 0)
	};
	prover.set_task(Some(next.clone()));
	let start = Instant::now();
	while prover.progress().epoch != Some(8) {
		assert!(
			start.elapsed() < Duration::from_secs(5),
			"still at the old task"
		);
		thread::sleep(Duration::from_millis(10));
	}
	wait_until(&prover, |found| found == 4);
	verify(&next, &prover.finish(8).expect("reads"));
	assert!(prover.finish(7).expect("reads").proven_idle >= 1);
	prover.set_task(None);
	assert_eq!(prover.progress().epoch, None);
}

/// Not a test by itself: the process that the next test kills.
#[test]
fn victim() {
	let Some(dir) = env::var_os(VICTIM) else {
		return;
	};
	let prover = start(Path::new(&dir), 2);
	prover.set_task(Some(task(7, 1_000, 0)));
	loop {
		let progress = prover.progress();
		println!("found {}", progress.found_idle);
		thread::sleep(Duration::from_millis(50));
	}
}

#[test]
fn a_killed_prover_loses_no_solution_older_than_a_second() {
	let dir = tempfile::tempdir().expect("a directory");
	let mut child = Command::new(env::current_exe().expect("this test has a path"))
		.args(["victim", "--exact", "--nocapture"])
		.env(VICTIM, dir.path())
		.stdout(Stdio::piped())
		.spawn()
		.expect("the process starts");
	// It is read from until the kill: who prints into a closed pipe panics.
	let output = BufReader::new(child.stdout.take().expect("standard output is piped"));
	let mut lines = output.lines().map_while(Result::ok);
	// So many that a thread's bad luck with one of the first unit's four is out of the question.
	let found = lines
		.by_ref()
		.filter_map(|line| line.rsplit("found ").next()?.parse::<u64>().ok())
		.find(|found| *found >= 16)
		.expect("the process finds solutions");
	thread::sleep(Duration::from_secs(1));
	child.kill().expect("the process is killed");
	child.wait().expect("the process ends");
	drop(lines);

	let prover = start(dir.path(), 2);
	let task = task(7, 1_000, 0);
	prover.set_task(Some(task.clone()));
	wait_until(&prover, |resumed| resumed >= found);
	// What was there before anything new was computed.
	let proofs = prover.finish(7).expect("reads");
	assert!(proofs.proven_idle >= 1);
	verify(&task, &proofs);
}
