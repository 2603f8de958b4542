//! Compiled programs, interpreted ones and rows agree on inputs that nobody chose.

use millrace_randomx::{Cache, Code, Machine, Options, Pages};
use proptest::prelude::*;

/// Each case fills two caches and interprets eight hashes: four seconds. `PROPTEST_CASES` asks for
/// more.
const CASES: u32 = 2;

fn cases() -> u32 {
	let asked = std::env::var("PROPTEST_CASES").ok();
	asked.and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

fn machine(key: &[u8], code: Code) -> Machine {
	let options = Options {
		code,
		pages: Pages::Transparent,
	};
	let cache = Cache::new(key, options).expect("a cache fits");
	Machine::light(cache).expect("a machine fits")
}

proptest! {
	#![proptest_config(ProptestConfig {
		cases: cases(),
		// A case costs seconds: a smaller counterexample is not worth minutes.
		max_shrink_iters: 8,
		..ProptestConfig::default()
	})]

	#[test]
	fn all_ways_to_hash_agree(
		key in prop::collection::vec(any::<u8>(), 1..=60),
		inputs in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=256), 8),
	) {
		let (mut compiled, mut interpreted) =
			(machine(&key, Code::Compiled), machine(&key, Code::Interpreted));
		let expected: Vec<_> = inputs.iter().map(|input| interpreted.hash(input)).collect();
		let hashes: Vec<_> = inputs.iter().map(|input| compiled.hash(input)).collect();
		prop_assert_eq!(&hashes, &expected);
		let mut row = compiled.row(&inputs[0]);
		let mut hashes: Vec<_> = inputs[1..].iter().map(|input| row.next(input)).collect();
		hashes.push(row.last());
		prop_assert_eq!(&hashes, &expected);
	}
}
