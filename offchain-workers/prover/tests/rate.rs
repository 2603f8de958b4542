//! The prover's rate against RandomX' own.

use millrace_prover::{bench, Mode, Settings};
use serde_json::json;
use std::fs;

/// Least part of the plain rate that the prover must reach.
const LEAST: f64 = 0.98;
/// Free memory below which fast mode is left out.
const FAST_GIB: f64 = 6.0;

fn free_gib() -> f64 {
	let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
	let line = text
		.lines()
		.find_map(|line| line.strip_prefix("MemAvailable:"));
	let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
	kilobytes.unwrap_or(0.0) / (1024.0 * 1024.0)
}

#[test]
#[ignore = "takes minutes of a machine that does nothing else: run by scripts/bench.sh"]
fn bench_prover_rate() {
	let mut missed = Vec::new();
	for (mode, seconds) in [(Mode::Light, 12), (Mode::Fast, 8)] {
		if mode == Mode::Fast && free_gib() < FAST_GIB {
			println!("fast mode is left out: less than {FAST_GIB} GiB are free");
			continue;
		}
		let settings = Settings {
			mode,
			..Settings::default()
		};
		let measured = bench::measure(&settings, seconds, 5).expect("the memory is there");
		println!(
			"{}",
			json!({
				"measure": "prover_rate",
				"mode": measured.mode,
				"threads": measured.threads,
				"pinned": measured.pinned,
				"code": measured.code,
				"pages": measured.pages,
				"fill_seconds": measured.fill_seconds,
				"plain_rate": measured.plain,
				"prover_rate": measured.prover,
				"ratio": measured.ratio,
			})
		);
		if measured.ratio < LEAST {
			missed.push(measured);
		}
	}
	assert!(
		missed.is_empty(),
		"below {LEAST} of the plain rate: {missed:?}"
	);
}
