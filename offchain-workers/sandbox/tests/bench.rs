//! What processes cost: figures for scripts/bench.sh.

mod common;

use bytes::Bytes;
use common::*;
use millrace_primitives::execution::package_hash;
use millrace_sandbox::Guests;
use serde_json::json;
use std::time::{Duration, Instant};
use wasmtime::{Engine, Linker, Module, Store};

/// Bytes of the module that stands for a large one.
const LARGE: usize = 1_000_000;

/// Time to make an instance of a module of 1 MB that is compiled already, with the engine's settings.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_instantiate() {
	const INSTANCES: usize = 10_000;
	let metered = millrace_executor::instrument(&large(LARGE)).expect("it can run");
	let settings = millrace_executor::settings(2).expect("they are known");
	let engine = Engine::new(&settings).expect("there is room for it");
	let module = Module::from_binary(&engine, &metered).expect("it compiles");
	let mut linker = Linker::<()>::new(&engine);
	linker
		.define_unknown_imports_as_traps(&module)
		.expect("all imports are functions");
	let ready = linker.instantiate_pre(&module).expect("nothing is missing");
	let mut times = Vec::with_capacity(INSTANCES);
	for _ in 0..INSTANCES {
		let begun = Instant::now();
		let mut store = Store::new(&engine, ());
		ready.instantiate(&mut store).expect("there is a place");
		times.push(begun.elapsed());
		drop(store);
	}
	let p50_us = percentile(&mut times, 50).as_secs_f64() * 1e6;
	println!(
		"{}",
		json!({
			"measure": "instantiate",
			"module_bytes": LARGE,
			"instances": INSTANCES,
			"p50_us": rounded(p50_us),
		})
	);
}

/// Time from a call whose process was killed to its answer by the next process, with a package of
/// 1 MB.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_respawn() {
	const TIMES: usize = 31;
	let (_folder, sandbox) = sandbox().await;
	let mut times = Vec::new();
	let module = large(LARGE);
	let package = package_hash(&module);
	sandbox
		.prepare(Bytes::from(module))
		.await
		.expect("it can run");
	sandbox.settle().await;
	for number in 0..TIMES as u64 {
		// A deal each: one whose processes die as fast would rest.
		response(&sandbox, call(number, package, PLENTY)).await;
		killed(&sandbox, number).await;
		wait_until("noticed", || pid_of(&sandbox, number).is_none()).await;
		let begun = Instant::now();
		response(&sandbox, call(number, package, PLENTY)).await;
		times.push(begun.elapsed());
	}
	let p50_ms = ms(percentile(&mut times, 50));
	let max_ms = ms(percentile(&mut times, 100));
	println!(
		"{}",
		json!({
			"measure": "respawn",
			"module_bytes": LARGE,
			"times": TIMES,
			"p50_ms": rounded(p50_ms),
			"max_ms": rounded(max_ms),
		})
	);
}

/// Calls of an empty guest through one process, from as many tasks as it has places.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_sandbox_calls() {
	const SECONDS: u64 = 5;
	let (_folder, sandbox) = sandbox().await;
	let package = prepared(&sandbox, &command("")).await;
	for places in [1, 2, 4] {
		let until = Instant::now() + Duration::from_secs(SECONDS);
		let tasks = (0..places).map(|_| async {
			let mut times = Vec::new();
			while Instant::now() < until {
				let mut call = call(1, package, PLENTY);
				call.places = places;
				let begun = Instant::now();
				response(&sandbox, call).await;
				times.push(begun.elapsed());
			}
			times
		});
		let mut times = futures::future::join_all(tasks).await.concat();
		let per_second = times.len() as f64 / SECONDS as f64;
		let p50_us = percentile(&mut times, 50).as_secs_f64() * 1e6;
		let p99_us = percentile(&mut times, 99).as_secs_f64() * 1e6;
		println!(
			"{}",
			json!({
				"measure": "sandbox_calls",
				"places": places,
				"per_second": rounded(per_second),
				"p50_us": rounded(p50_us),
				"p99_us": rounded(p99_us),
			})
		);
	}
}

/// Memory of this process and its children after 100 deals with a package each were called once: at
/// once, and when their idle time is over.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_sandbox_memory() {
	const DEALS: u64 = 100;
	let idle = Duration::from_secs(20);
	let (_folder, sandbox) = sandbox_with(|config| config.idle = idle).await;
	let mut packages = Vec::new();
	for deal in 0..DEALS {
		let package = prepared(&sandbox, &command(&format!("(drop (i64.const {deal}))"))).await;
		packages.push(package);
	}
	for (deal, package) in packages.into_iter().enumerate() {
		response(&sandbox, call(deal as u64, package, PLENTY)).await;
	}
	let processes = sandbox.processes();
	let running: u64 = processes.iter().map(|(_, pid)| pss_kib(*pid)).sum();
	let daemon = pss_kib(std::process::id());
	tokio::time::sleep(idle + Duration::from_secs(3)).await;
	assert!(sandbox.processes().is_empty());
	println!(
		"{}",
		json!({
			"measure": "sandbox_memory",
			"deals": DEALS,
			"processes": processes.len(),
			"running_mib": rounded(mib(running + daemon)),
			"idle_mib": rounded(mib(pss_kib(std::process::id()))),
		})
	);
}

/// Proportional share of memory of a process; of guests only root gets to see it.
fn pss_kib(pid: u32) -> u64 {
	let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
	let rollup = rollup.expect("this is to be run by root");
	let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
	let number = line.and_then(|line| line.split_whitespace().next());
	number
		.and_then(|number| number.parse().ok())
		.expect("the kernel tells it")
}

/// Figures with two digits behind the point.
fn rounded(figure: f64) -> f64 {
	(figure * 100.0).round() / 100.0
}

fn mib(kib: u64) -> f64 {
	kib as f64 / 1024.0
}

fn ms(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}

/// The time that so many percent of these do not exceed.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
	times.sort();
	times[(times.len() * percent / 100).min(times.len() - 1)]
}
