//! What RandomX costs a node: `scripts/bench.sh bench` runs it.

use millrace_host::Machine;
use millrace_primitives::{capacity::Puzzle, peer::PeerId, H256};
use millrace_randomx::{Cache, Options};
use std::time::{Duration, Instant};

/// Caches that are filled.
const FILLS: u8 = 5;
/// Hashes under each key.
const HASHES: u64 = 40;
/// Units that are verified whole.
const UNITS: u8 = 5;
/// Solutions of a unit in an epoch, where each of them is verified.
const SOLUTIONS: u64 = 30;

/// Time to fill the cache of a key, its allocation included, and time of a light-mode hash of a
/// puzzle's input over a filled cache: what an import takes for each solution that an audit opens.
/// One thread.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_randomx() {
	let (mut fills, mut hashes) = (Vec::new(), Vec::new());
	for key in 0..FILLS {
		let begun = Instant::now();
		let mut machine = machine(key);
		fills.push(ms(begun.elapsed()));
		// The first hash touches memory that no other one has touched.
		machine.hash(&input(0));
		for nonce in 1..=HASHES {
			let input = input(nonce);
			let begun = Instant::now();
			machine.hash(&input);
			hashes.push(ms(begun.elapsed()));
		}
	}
	println!(
		"{{\"measure\":\"randomx\",\"fills\":{},\"fill_p50_ms\":{:.0},\
		\"hashes\":{},\"light_hash_p50_ms\":{:.2}}}",
		fills.len(),
		median(&mut fills),
		hashes.len(),
		median(&mut hashes),
	);
}

/// What a chain pays for a unit and epoch that verifies each solution on chain, over a cache of its
/// own for each unit: the comparison for what ours pays. One thread.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_verify_everything() {
	let mut units = Vec::new();
	for unit in 0..UNITS {
		let begun = Instant::now();
		let mut machine = machine(unit);
		for nonce in 0..SOLUTIONS {
			machine.hash(&input(nonce));
		}
		units.push(ms(begun.elapsed()));
	}
	println!(
		"{{\"measure\":\"verify_everything\",\"units\":{},\"solutions\":{SOLUTIONS},\
		\"unit_p50_ms\":{:.0}}}",
		units.len(),
		median(&mut units),
	);
}

/// A machine as a node has it, over a cache that is filled now.
fn machine(key: u8) -> Machine {
	let cache = Cache::new(&[key; 32], Options::default()).expect("a cache fits");
	Machine::light(cache).expect("a machine fits")
}

fn input(nonce: u64) -> Vec<u8> {
	let puzzle = Puzzle {
		genesis: H256::repeat_byte(1),
		peer: PeerId(H256::repeat_byte(2)),
		unit: 0,
		k: 0,
	};
	puzzle.input(nonce)
}

fn ms(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}

fn median(values: &mut [f64]) -> f64 {
	values.sort_by(f64::total_cmp);
	values[values.len() / 2]
}
