//! Random cases on both engines.

use millrace_differential::corpus::{self, Noise};
use millrace_differential::{deep, smith, world, Tally, STACK_BYTES};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

/// Processors that the cases are run on.
const THREADS: u64 = 2;
/// Cases that a measurement runs, at least.
const CASES: u64 = 100_000;
/// Random cases that a minute runs at least, on machines ten times as slow as those that were seen.
const CASES_A_MINUTE: u64 = 1_000;
/// Cases of each kind of end that it wants to see, in percent.
const SHARE: u64 = 5;

/// What makes a case of bytes and runs it, by the name of its corpus; and most bytes of one.
type Kind = (&'static str, fn(&[u8]) -> Result<Tally, String>, u64);
const KINDS: [Kind; 2] = [("smith", smith::check, 5_000), ("world", world::check, 900)];

/// Runs for `MILLRACE_FUZZ_SECONDS`, by default a minute, from the seed
/// `MILLRACE_FUZZ_SEED`, by default another one each time.
#[test]
fn engines_agree_for_a_minute() {
	let seconds = number("MILLRACE_FUZZ_SECONDS").unwrap_or(60);
	println!("committed: {:?}", committed());
	let seed = seed();
	let until = Instant::now() + Duration::from_secs(seconds);
	let tally = random(seed, &|_| Instant::now() >= until);
	println!("seed {seed}: {tally:?}");
	let least = CASES_A_MINUTE * seconds / 60;
	assert!(
		tally.cases >= least,
		"only {} random cases of {least}",
		tally.cases
	);
}

#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_differential() {
	let begun = Instant::now();
	let mut tally = committed();
	let already = tally.cases;
	let seed = seed();
	tally += random(seed, &|tally| tally.cases + already >= CASES);
	for (what, count) in [("trapped", tally.traps), ("ran out", tally.out_of_gas)] {
		if count * 100 < tally.cases * SHARE {
			eprintln!(
				"only {count} of {} cases {what}: they prove less",
				tally.cases
			);
		}
	}
	println!(
		"{{\"measure\":\"differential\",\"cases\":{},\"differences\":0,\"traps\":{},\
		\"out_of_gas\":{},\"stack_overflows\":{},\"seconds\":{},\"seed\":{seed}}}",
		tally.cases,
		tally.traps,
		tally.out_of_gas,
		tally.stack_overflows,
		begun.elapsed().as_secs()
	);
}

fn number(variable: &str) -> Option<u64> {
	let text = env::var(variable).ok()?;
	match text.parse() {
		Ok(number) => Some(number),
		Err(_) => panic!("{variable}={text} is no number"),
	}
}

fn seed() -> u64 {
	number("MILLRACE_FUZZ_SEED").unwrap_or_else(|| {
		SystemTime::now()
			.duration_since(UNIX_EPOCH)
			.map_or(0, |since| since.as_nanos() as u64)
	})
}

/// The committed inputs.
fn committed() -> Tally {
	let mut tally = Tally::default();
	for kind in KINDS {
		let files = corpus::committed(kind.0).expect("the corpus can be read");
		tally += deep(|| {
			let mut tally = Tally::default();
			for (path, data) in &files {
				match run(kind, data) {
					Ok(case) => tally += case,
					Err(difference) => panic!("{}: {difference}", path.display()),
				}
			}
			tally
		});
	}
	tally
}

/// Noise, and committed inputs with noise in them, until it is `done`.
fn random(seed: u64, done: &(dyn Fn(&Tally) -> bool + Sync)) -> Tally {
	let committed: Vec<Vec<Vec<u8>>> = KINDS
		.iter()
		.map(|kind| {
			let files = corpus::committed(kind.0).expect("the corpus can be read");
			files.into_iter().map(|(_, bytes)| bytes).collect()
		})
		.collect();
	let all: Mutex<(Tally, Vec<String>)> = Mutex::default();
	thread::scope(|scope| {
		for number in 0..THREADS {
			let (committed, all) = (&committed, &all);
			let work = move || {
				let mut noise = Noise::new(seed.wrapping_add(number));
				loop {
					let index = noise.below(KINDS.len() as u64) as usize;
					let files = &committed[index];
					let data = if noise.below(4) == 0 && !files.is_empty() {
						let which = noise.below(files.len() as u64) as usize;
						noise.mutated(&files[which])
					} else {
						let length = noise.below(KINDS[index].2) as usize;
						noise.bytes(length)
					};
					let outcome = run(KINDS[index], &data);
					let mut all = all.lock().expect("no thread panics with the tally");
					match outcome {
						Ok(case) => all.0 += case,
						Err(difference) => {
							let path = keep(KINDS[index].0, &data);
							all.1.push(format!(
								"{difference}\nthe input is in {}; put it into corpus/{} to run it \
								again",
								path.display(),
								KINDS[index].0
							));
						}
					}
					if !all.1.is_empty() || done(&all.0) {
						break;
					}
				}
			};
			thread::Builder::new()
				.stack_size(STACK_BYTES)
				.spawn_scoped(scope, work)
				.expect("the machine has room for another thread");
		}
	});
	let (tally, differences) = all.into_inner().expect("no thread panics with the tally");
	assert!(
		differences.is_empty(),
		"seed {seed}:\n{}",
		differences.join("\n\n")
	);
	tally
}

/// Runs a case; a panic is a difference, too.
fn run(kind: Kind, data: &[u8]) -> Result<Tally, String> {
	panic::catch_unwind(AssertUnwindSafe(|| kind.1(data)))
		.unwrap_or_else(|_| Err("a panic, whose message is above".into()))
}

/// Writes an input where the build does not clean up.
fn keep(kind: &str, data: &[u8]) -> PathBuf {
	let name = millrace_primitives::hash::blake2_256(data);
	let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{kind}-{name:x}"));
	fs::write(&path, data).expect("the target folder can be written");
	path
}
