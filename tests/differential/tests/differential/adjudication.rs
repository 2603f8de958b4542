//! How long the judge takes at the chain's cap, for the dearest program that a search finds, and what
//! the cap is in time of the engine that compiles.

use millrace_differential::deep;
use millrace_differential::mix::search::{search, Settings};
use millrace_differential::mix::{self, large, shapes, timed};
use millrace_executor::{CallInput, Engine, EngineConfig, NoEffects};
use millrace_primitives::execution::{
	arbitration_gas, replay_ps, CallStatus, Request, ARBITRATION_GAS,
};
use millrace_primitives::market::{CallLimits, Hosts};
use millrace_primitives::replay::ReplayOutcome;
use millrace_primitives::H256;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

/// Replays of which the longest counts.
const RUNS: usize = 11;
const MIB: f64 = 1024.0 * 1024.0;

#[test]
fn the_committed_worst_mix_is_a_package_that_does_not_end() {
	let package = mix::worst();
	assert_eq!(millrace_executor::validate(&package).err(), None);
	let (_, outcome, _) = deep(|| timed(&package, ARBITRATION_GAS / 2));
	assert_eq!(outcome, ReplayOutcome::TakesMore);
}

/// Searches for `MILLRACE_SEARCH_GENERATIONS` rounds, by default 60. What it finds replaces
/// `worst.wat` if it takes longer.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_adjudication() {
	let generations = match env::var("MILLRACE_SEARCH_GENERATIONS") {
		Ok(text) => text.parse().expect("a number of rounds"),
		Err(_) => 60,
	};
	let settings = Settings {
		cap: ARBITRATION_GAS,
		population: 24,
		generations,
		seed: 1,
	};
	deep(|| {
		let found = search(settings, |generation, best| {
			eprintln!(
				"{generation}: {:.1} ms at the cap, {:.2} ns per gas in the loop; {}",
				best.ms_at_cap,
				best.loop_ns_per_gas,
				best.genome.describe()
			);
		});
		let best = found.first().expect("a search finds something");
		let longest = |package: &[u8]| {
			(0..RUNS)
				.map(|_| ms(timed(package, ARBITRATION_GAS).0))
				.fold(0.0, f64::max)
		};
		let (found_ms, committed_ms) =
			(longest(&best.genome.package(true)), longest(&mix::worst()));
		if found_ms > committed_ms {
			let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("worst.wat");
			fs::write(path, best.genome.text(true) + "\n").expect("the text can be written");
		}
		let (endless_ms, package_ms_per_mib) = bench_shapes();
		let max_ms = found_ms.max(committed_ms).max(endless_ms);
		let measured = json!({
			"measure": "adjudication",
			"ns_per_gas": max_ms * 1e6 / ARBITRATION_GAS as f64,
			"cap_gas": ARBITRATION_GAS,
			"max_ms": max_ms,
			"committed_ms": committed_ms,
			"package_ms_per_mib": package_ms_per_mib,
			"worst": best.genome.describe(),
		});
		println!("{measured}");
		bench_guests();
	});
}

/// The longest replay at the cap of those that do not end, and the most milliseconds that a mebibyte
/// of the others takes on top of its gas.
fn bench_shapes() -> (f64, f64) {
	let (mut endless_ms, mut package_ms_per_mib) = (0f64, 0f64);
	let real = ("real", large(1_000_000));
	for (name, package) in shapes::shapes().into_iter().chain([real]) {
		let (time, outcome, gas) = (0..RUNS)
			.map(|_| timed(&package, ARBITRATION_GAS))
			.max_by_key(|(time, _, _)| *time)
			.expect("there are runs");
		let took = ms(time);
		let priced = replay_ps(package.len() as u32, gas) as f64;
		eprintln!(
			"{name}: {} bytes, {gas} gas, {took:.1} ms of {:.1} that it pays for; {outcome:?}",
			package.len(),
			priced / 1e9
		);
		if outcome == ReplayOutcome::TakesMore {
			endless_ms = endless_ms.max(took);
		} else {
			let alone = took - replay_ps(0, gas) as f64 / 1e9;
			package_ms_per_mib = package_ms_per_mib.max(alone * MIB / package.len() as f64);
		}
	}
	(endless_ms, package_ms_per_mib)
}

/// What the cap is for real functions.
fn bench_guests() {
	let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests");
	let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
	let photo = read(guests.join("samples/photo.png"));
	let text = read(root.join("README.md"));
	let words = b"river mill stone water".to_vec();
	let engine = Engine::new(EngineConfig {
		max_wall_clock: None,
		..EngineConfig::default()
	})
	.expect("the engine can be set up");
	for (guest, body) in [
		("thumbnail", &photo),
		("markdown", &text),
		("checksum", &photo),
		("search", &words),
		("solver", &Vec::new()),
	] {
		let package = read(guests.join(format!("out/{guest}.wasm")));
		let module = engine.load(&package).expect("a sample is a package");
		let request = Request {
			method: "POST".into(),
			path: "/".into(),
			body: body.clone(),
			..Request::default()
		};
		let hosts = Hosts::default();
		let input = CallInput {
			request: &request,
			limits: CallLimits {
				gas: 1_000_000_000_000,
				memory_bytes: 128 * 1024 * 1024,
				request_bytes: 4 * 1024 * 1024,
				response_bytes: 4 * 1024 * 1024,
			},
			hosts: &hosts,
			clock_ms: 0,
			seed: H256::zero(),
		};
		let mut times = Vec::new();
		let mut gas = 0;
		for _ in 0..101 {
			let begun = Instant::now();
			let output = engine
				.call_here(&module, &input, Box::new(NoEffects))
				.expect("the host does its part");
			times.push(ms(begun.elapsed()));
			assert_eq!(output.status, CallStatus::Exited(0), "{guest}");
			gas = output.gas;
		}
		times.sort_by(f64::total_cmp);
		let gas_per_ms = gas as f64 / times[times.len() / 2];
		let measured = json!({
			"measure": "cap_in_wasmtime",
			"guest": guest,
			"gas": gas,
			"gas_per_ms": gas_per_ms,
			"cap_gas": arbitration_gas(package.len() as u32),
			"cap_ms": arbitration_gas(package.len() as u32) as f64 / gas_per_ms,
		});
		println!("{measured}");
	}
}

fn read(path: PathBuf) -> Vec<u8> {
	fs::read(&path).unwrap_or_else(|error| {
		panic!(
			"{}: {error}; scripts/guests.sh builds the sample functions",
			path.display()
		)
	})
}

fn ms(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}
