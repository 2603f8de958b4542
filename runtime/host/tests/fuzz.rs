//! The host function over inputs and callers that nobody chose.

use millrace_host::{admit, as_caller, statistics, warm, Caller, Native, MAX_INPUT_BYTES};
use millrace_primitives::{traits::RandomX, H256};
use proptest::prelude::*;
use std::{
	collections::HashMap,
	sync::{Mutex, Once, PoisonError},
};

/// The first two are current.
const SEEDS: [H256; 3] = [
	H256::repeat_byte(1),
	H256::repeat_byte(2),
	H256::repeat_byte(3),
];

/// What was answered to a block, by seed and length of the input.
static ANSWERS: Mutex<Option<HashMap<(H256, usize), [u8; 32]>>> = Mutex::new(None);

fn fill() {
	static FILLED: Once = Once::new();
	FILLED.call_once(|| {
		admit(&SEEDS[..2]);
		for seed in &SEEDS[..2] {
			warm(*seed).expect("a cache fits");
		}
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

	#[test]
	fn only_length_and_currency_decide_whether_there_is_an_answer(
		index in 0..SEEDS.len(),
		length in prop_oneof![Just(0), Just(1), Just(MAX_INPUT_BYTES), 0usize..=300],
		caller in prop_oneof![
			Just(Caller::Import),
			Just(Caller::Author),
			Just(Caller::Offchain),
		],
	) {
		fill();
		let seed = SEEDS[index];
		let input = vec![length as u8; length];
		let before = statistics();
		let answer = as_caller(caller, || Native::hash(seed, input));
		let after = statistics();

		let bounded = (1..=MAX_INPUT_BYTES).contains(&length);
		let current = index < 2;
		prop_assert_eq!(answer.is_some(), bounded && (current || caller != Caller::Offchain));
		// Only a block's question under a seed that is not current makes anything.
		let made = bounded && !current && caller != Caller::Offchain;
		prop_assert!(after.fills == before.fills || made);
		prop_assert!(after.caches <= 3);
		let refused = bounded && answer.is_none();
		prop_assert_eq!(after.refused, before.refused + u64::from(refused));
		if let Some(answer) = answer {
			let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
			let answers = answers.get_or_insert_with(HashMap::new);
			let known = *answers.entry((seed, length)).or_insert(answer);
			prop_assert_eq!(answer, known, "whoever asks is answered the same");
		}
	}
}
