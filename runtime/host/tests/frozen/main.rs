//! What the judge answers is the chain's for good: whoever syncs a year later replays the challenges
//! of today. Each case of [`cases`] was judged once, and the answer is committed.
//!
//! A test that fails here means a fork: a changed cost, injection, validation or WASI function needs
//! another engine profile, and the one that is here stays as it is.

mod cases;

use cases::{cases, Case};
use codec::{DecodeAll, Encode};
use millrace_host::Native;
use millrace_primitives::{
	execution::PROFILE_V1,
	replay::{ReplayInput, Replayed},
	traits::Replayer,
};
use std::{collections::BTreeSet, fs, path::PathBuf};

/// Least number of cases.
const LEAST: usize = 40;

/// What was asked and what the answer was.
type Vector = (Vec<u8>, ReplayInput, Replayed);

fn folder() -> PathBuf {
	PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/frozen/vectors"))
}

fn committed() -> Vec<(String, Vector)> {
	let entries = fs::read_dir(folder()).expect("the vectors are part of the repository");
	let mut vectors: Vec<_> = entries
		.map(|entry| {
			let path = entry.expect("the folder can be read").path();
			let name = path.file_stem().expect("it is a file").to_string_lossy();
			let bytes = fs::read(&path).expect("the file can be read");
			let vector = Vector::decode_all(&mut &bytes[..]);
			(
				name.into_owned(),
				vector.expect("nothing else stands there"),
			)
		})
		.collect();
	vectors.sort_by(|(one, _), (other, _)| one.cmp(other));
	vectors
}

fn judge(package: &[u8], input: &ReplayInput) -> Replayed {
	Native::replay(PROFILE_V1, package, input).expect("a block is answered")
}

#[test]
fn the_judge_answers_as_it_always_has() {
	let vectors = committed();
	assert!(vectors.len() >= LEAST, "only {} vectors", vectors.len());
	for (name, (package, input, answer)) in &vectors {
		assert_eq!(judge(package, input), *answer, "{name}: this is a fork");
	}
}

#[test]
fn every_case_is_committed_and_says_what_it_is_there_for() {
	let vectors = committed();
	let known: BTreeSet<&str> = vectors.iter().map(|(name, _)| name.as_str()).collect();
	let cases = cases();
	let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
	assert_eq!(names.len(), cases.len(), "a name stands for one case");
	assert!(cases.len() >= LEAST);
	for case in &cases {
		assert!(known.contains(case.name), "{} was never judged", case.name);
	}
	for (name, (_, _, answer)) in &vectors {
		let case = cases.iter().find(|case| case.name == name);
		let case = case.unwrap_or_else(|| panic!("{name} is no case any more"));
		assert!((case.expects)(&answer.outcome), "{name}: {answer:?}");
	}
}

/// Judges the cases that have no answer yet. Never one that has.
#[test]
#[ignore = "writes what later runs are held to"]
fn write_vectors() {
	fs::create_dir_all(folder()).expect("the folder can be made");
	for Case {
		name,
		package,
		input,
		expects,
	} in cases()
	{
		let path = folder().join(format!("{name}.scale"));
		if path.exists() {
			continue;
		}
		let answer = judge(&package, &input);
		assert!(expects(&answer.outcome), "{name}: {answer:?}");
		let vector: Vector = (package, input, answer);
		fs::write(path, vector.encode()).expect("the file can be written");
	}
}
