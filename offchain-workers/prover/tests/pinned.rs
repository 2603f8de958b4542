//! Threads stay on the cores that they are told. In a process of its own, since the system knows
//! threads by their names only.

use millrace_prover::{Cores, Mode, Pin, Prover, ProverConfig, Settings};
use std::{
	collections::{BTreeMap, BTreeSet},
	fs, thread,
	time::{Duration, Instant},
};

/// Cores that each thread of this process may run on, by its name.
fn threads() -> BTreeMap<String, String> {
	let mut found = BTreeMap::new();
	for entry in fs::read_dir("/proc/self/task").expect("this process has threads") {
		let task = entry.expect("it can be listed").path();
		// A thread may end meanwhile.
		let read = |file: &str| fs::read_to_string(task.join(file)).unwrap_or_default();
		let status = read("status");
		let cores = status
			.lines()
			.find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
			.unwrap_or_default();
		found.insert(read("comm").trim().to_string(), cores.trim().to_string());
	}
	found
}

fn until(what: &str, expected: &[(&str, &str)]) {
	let start = Instant::now();
	loop {
		let found = threads();
		let all = expected
			.iter()
			.all(|(name, cores)| found.get(*name).is_some_and(|found| found == cores));
		if all {
			return;
		}
		assert!(
			start.elapsed() < Duration::from_secs(20),
			"{what}: {found:?}"
		);
		thread::sleep(Duration::from_millis(20));
	}
}

#[test]
fn pinned_threads_run_where_they_are_told() {
	let own = threads().into_values().next().expect("there is a thread");
	let cores: Cores = own.parse().expect("the kernel writes lists of cores");
	let Cores::Set(cores) = cores else {
		panic!("the kernel wrote {own}");
	};
	let (first, last) = (cores.first().copied(), cores.last().copied());
	let (Some(first), Some(last)) = (first, last) else {
		panic!("the kernel wrote {own}");
	};
	let dir = tempfile::tempdir().expect("a directory");
	let start = |cores: BTreeSet<usize>, threads: Option<usize>, pin: Pin| {
		let settings = Settings {
			mode: Mode::Light,
			cores: Cores::Set(cores),
			threads,
			pin,
			..Settings::default()
		};
		let dir = dir.path().to_path_buf();
		Prover::start(ProverConfig { dir, settings }).expect("the prover starts")
	};
	let (first_name, last_name) = (first.to_string(), last.to_string());

	// Two threads on the cores in turn, which are one core on the smallest machine.
	let both = BTreeSet::from([first, last]);
	let prover = start(both.clone(), Some(2), Pin::Always);
	until(
		"each has its core",
		&[
			("prover-0", first_name.as_str()),
			("prover-1", last_name.as_str()),
		],
	);
	assert!(prover.progress().pinned);
	drop(prover);

	// Not pinned, they share the cores that are named and take no other one.
	let prover = start(both.clone(), Some(3), Pin::Auto);
	let shared = Cores::Set(both).to_string();
	until(
		"they share the cores",
		&[("prover-0", shared.as_str()), ("prover-2", shared.as_str())],
	);
	assert_eq!(
		(prover.progress().pinned, prover.progress().threads),
		(false, 3)
	);
	drop(prover);

	let prover = start(BTreeSet::from([first]), None, Pin::Auto);
	until("one core, one thread", &[("prover-0", first_name.as_str())]);
	assert!(prover.progress().pinned);
	assert!(!threads().contains_key("prover-1"));
	drop(prover);

	let settings = Settings {
		cores: Cores::Set(BTreeSet::from([first, Cores::MOST])),
		..Settings::default()
	};
	let dir = dir.path().to_path_buf();
	let error = Prover::start(ProverConfig { dir, settings }).expect_err("there is no such core");
	assert!(
		error.to_string().contains(&Cores::MOST.to_string()),
		"{error}"
	);
}
