//! The prover with real RandomX in light mode and an easy target.

use millrace_primitives::{
	capacity::{meets, WorkRates},
	peer::PeerId,
	H256, U256,
};
use millrace_prover::{Mode, Proofs, Prover, ProverConfig, Task};
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
	let config = ProverConfig {
		dir: dir.to_path_buf(),
		threads,
		mode: Mode::Light,
	};
	Prover::start(config).expect("the prover starts")
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
	assert!(progress.hashes >= 11);
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
	assert_eq!(prover.progress().hashes, 0);
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
	let output = BufReader::new(child.stdout.take().expect("standard output is piped"));
	let found = output
		.lines()
		.map_while(Result::ok)
		.filter_map(|line| line.rsplit("found ").next()?.parse::<u64>().ok())
		.find(|found| *found >= 6)
		.expect("the process finds solutions");
	thread::sleep(Duration::from_secs(1));
	child.kill().expect("the process is killed");
	child.wait().expect("the process ends");

	let prover = start(dir.path(), 2);
	let task = task(7, 1_000, 0);
	prover.set_task(Some(task.clone()));
	wait_until(&prover, |resumed| resumed >= found);
	// What was there before anything new was computed.
	let proofs = prover.finish(7).expect("reads");
	assert!(proofs.proven_idle >= 1);
	verify(&task, &proofs);
}
