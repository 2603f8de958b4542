//! What RandomX costs a node: `scripts/bench.sh bench` runs it.

use millrace_host::Machine;
use millrace_primitives::{capacity::Puzzle, peer::PeerId, H256};
use std::time::{Duration, Instant};

/// Caches that are filled.
const FILLS: u8 = 5;
/// Hashes under each key.
const HASHES: u64 = 40;

/// Time to fill the cache of a key, its allocation included, and time of a light-mode hash of a
/// puzzle's input over a filled cache: what an import takes for each solution that an audit opens.
/// One thread.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_randomx() {
	let puzzle = Puzzle {
		genesis: H256::repeat_byte(1),
		peer: PeerId(H256::repeat_byte(2)),
		unit: 0,
		k: 0,
	};
	let (mut fills, mut hashes) = (Vec::new(), Vec::new());
	for key in 0..FILLS {
		let begun = Instant::now();
		let mut machine = Machine::new(&[key; 32]).expect("RandomX runs here");
		fills.push(ms(begun.elapsed()));
		// The first hash touches memory that no other one has touched.
		machine.hash(&puzzle.input(0)).expect("it is not empty");
		for nonce in 1..=HASHES {
			let input = puzzle.input(nonce);
			let begun = Instant::now();
			machine.hash(&input).expect("it is not empty");
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

fn ms(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}

fn median(values: &mut [f64]) -> f64 {
	values.sort_by(f64::total_cmp);
	values[values.len() / 2]
}
