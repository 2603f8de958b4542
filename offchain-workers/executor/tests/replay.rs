//! The judge finds what the engine found, goes no further than claimed, and says so.

mod common;

use common::{
	both, command, ended, for_judge, input, limits, module, package, request, run_with, PLENTY,
};
use millrace_executor::{cost, replay, validate, NoEffects, OwnedInput};
use millrace_primitives::execution::{CallStatus, Request};
use millrace_primitives::market::CallLimits;
use millrace_primitives::replay::{ReplayOutcome, Replayed};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn guests() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests")
}

fn sample(name: &str) -> Vec<u8> {
	let path = guests().join(format!("out/{name}.wasm"));
	std::fs::read(&path)
		.unwrap_or_else(|error| panic!("{}: {error}; scripts/guests.sh makes it", path.display()))
}

#[test]
fn the_judge_agrees_on_every_sample_guest() {
	let photo = std::fs::read(guests().join("samples/photo.png")).expect("it is in the repository");
	for (name, body) in [
		("thumbnail", photo),
		("markdown", b"# Title\n\n*text*\n".to_vec()),
		("checksum", vec![7; 10_000]),
		("solver", b"10\n".to_vec()),
		// It looks through the files of its package.
		("search", b"river mill stone water".to_vec()),
	] {
		let request = Request {
			method: "POST".into(),
			path: "/".into(),
			content_type: if name == "thumbnail" {
				"image/png"
			} else {
				"text/plain"
			}
			.into(),
			body,
			..Request::default()
		};
		let input = OwnedInput {
			request: Arc::new(request),
			..input(&Request::default(), large())
		};
		let package = sample(name);
		let output = both(&package, input, Box::new(NoEffects)).expect("the host does its part");
		assert_eq!(output.status, CallStatus::Exited(0), "{name}");
		assert!(!output.response.is_empty(), "{name}");
	}
}

/// Limits that the sample guests do not meet.
fn large() -> CallLimits {
	CallLimits {
		gas: 10_000_000_000,
		memory_bytes: 128 * 1024 * 1024,
		request_bytes: 4 * 1024 * 1024,
		response_bytes: 4 * 1024 * 1024,
	}
}

/// A guest for every way to end, with the gas that it gets.
fn every_end() -> Vec<(Vec<u8>, u64, CallStatus)> {
	let trap = CallStatus::Trapped;
	let table = |body: &str| {
		module(
			"",
			&format!(
				"(table 2 funcref) (type $t (func)) (func $g (param i32)) (elem (i32.const 0) $g) \
				(func (export \"_start\") {body})"
			),
		)
	};
	let ends = [
		(command("nop"), PLENTY, CallStatus::Exited(0)),
		(
			command("(call $proc_exit (i32.const 9))"),
			PLENTY,
			CallStatus::Exited(9),
		),
		(
			command("(call $write (i32.const 1) (i32.const 0) (i32.const 65536))"),
			PLENTY,
			CallStatus::Exited(0),
		),
		(command("unreachable"), PLENTY, trap),
		(
			command("(drop (i32.div_s (i32.const 1) (i32.const 0)))"),
			PLENTY,
			trap,
		),
		(
			command("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))"),
			PLENTY,
			trap,
		),
		(
			command("(drop (i32.trunc_f32_s (f32.const nan)))"),
			PLENTY,
			trap,
		),
		(command("(drop (i64.load (i32.const 65532)))"), PLENTY, trap),
		(
			command("(memory.fill (i32.const 65530) (i32.const 0) (i32.const 7))"),
			PLENTY,
			trap,
		),
		(
			table("(call_indirect (type $t) (i32.const 0))"),
			PLENTY,
			trap,
		),
		(
			table("(call_indirect (type $t) (i32.const 1))"),
			PLENTY,
			trap,
		),
		(
			table("(call_indirect (type $t) (i32.const 2))"),
			PLENTY,
			trap,
		),
		(
			module(
				"",
				"(data (i32.const 65535) \"ab\") (func (export \"_start\"))",
			),
			PLENTY,
			trap,
		),
		(
			module(
				"",
				"(table 1 funcref) (func $f) (elem (i32.const 1) $f) (func (export \"_start\"))",
			),
			PLENTY,
			trap,
		),
		(module("300", "(func (export \"_start\"))"), PLENTY, trap),
		(command("(loop (br 0))"), 1_000_000, CallStatus::OutOfGas),
		(
			command("(loop (drop (call $random_get (i32.const 0) (i32.const 60000))) (br 0))"),
			2_000_000,
			CallStatus::OutOfGas,
		),
		(command("nop"), 10, CallStatus::OutOfGas),
		(
			module(
				"",
				"(func $f (call $f)) (func (export \"_start\") (call $f))",
			),
			PLENTY,
			CallStatus::StackOverflow,
		),
		(
			command("(loop (call $write (i32.const 1) (i32.const 0) (i32.const 60000)) (br 0))"),
			PLENTY,
			CallStatus::ResponseTooLarge,
		),
	];
	ends.into_iter()
		.map(|(text, gas, status)| (package(&text), gas, status))
		.collect()
}

#[test]
fn the_judge_agrees_on_every_status() {
	for (index, (package, gas, status)) in every_end().into_iter().enumerate() {
		let input = input(&request(b"body"), limits(gas));
		let output = both(&package, input, Box::new(NoEffects)).unwrap();
		assert_eq!(output.status, status, "{index}");
	}
}

#[test]
fn it_goes_no_further_than_claimed() {
	for (index, (package, gas, _)) in every_end().into_iter().enumerate() {
		let input = input(&request(b"body"), limits(gas));
		let output = both(&package, input.clone(), Box::new(NoEffects)).unwrap();
		let mut claim = for_judge(&input, &output);
		for less in [output.gas - 1, output.gas / 2, 0] {
			claim.claimed_gas = less;
			let replayed = replay(&package, &claim);
			assert_eq!(
				replayed.outcome,
				ReplayOutcome::TakesMore,
				"{index}: {less}"
			);
			assert!(replayed.gas <= less, "{index}: {less}");
		}
		// A claim of too much is seen as what it is, for no more than it takes.
		claim.claimed_gas = output.gas + 1;
		let replayed = replay(&package, &claim);
		assert_eq!(replayed.outcome, ended(&output), "{index}");
		assert_eq!(replayed.gas, output.gas, "{index}");
	}
}

#[test]
fn a_package_that_cannot_run_is_invalid() {
	let input = input(&request(b""), limits(PLENTY));
	let good = package(&command("nop"));
	let output = both(&good, input.clone(), Box::new(NoEffects)).unwrap();
	let claim = for_judge(&input, &output);
	let mut cut = good.clone();
	cut.truncate(cut.len() - 1);
	for package in [
		Vec::new(),
		b"(module)".to_vec(),
		cut,
		package("(module)"),
		package("(module (memory (export \"memory\") 1) (func (export \"_start\") (result i32) i32.const 1))"),
	] {
		assert!(validate(&package).is_err());
		let replayed = replay(&package, &claim);
		let invalid = Replayed {
			outcome: ReplayOutcome::PackageInvalid,
			gas: 0,
		};
		assert_eq!(replayed, invalid);
	}
}

#[test]
fn everything_that_a_result_depends_on_is_heeded() {
	let text = command(
		r#"(drop (call $random_get (i32.const 100) (i32.const 8)))
		(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 108)))
		(i32.store (i32.const 0) (i32.const 116))
		(i32.store (i32.const 4) (i32.const 4))
		(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
		(call $write (i32.const 1) (i32.const 100) (i32.const 20))"#,
	);
	let package = package(&text);
	let input = input(&request(b"body"), limits(PLENTY));
	let output = both(&package, input.clone(), Box::new(NoEffects)).unwrap();
	let claim = for_judge(&input, &output);
	let mut others = [claim.clone(), claim.clone(), claim];
	others[0].seed.0[0] ^= 1;
	others[1].clock_ms += 1;
	others[2].request.body[0] ^= 1;
	for other in others {
		let outcome = replay(&package, &other).outcome;
		assert!(matches!(outcome, ReplayOutcome::Ended { .. }));
		assert_ne!(outcome, ended(&output));
	}
}

#[test]
fn recursion_of_every_shape_ends_by_the_counted_stack_in_both() {
	let many = "i64 ".repeat(500);
	let values: String = (0..200).map(|n| format!("(i64.const {n}) ")).collect();
	let drops = "drop ".repeat(200);
	for items in [
		format!("(func $f (local {many}) (call $f))"),
		format!("(func $f {values} (call $f) {drops})"),
		"(func $f (call $g)) (func $g (call $f))".into(),
		"(func $f (param i32) (result i32) (i32.add (local.get 0) (call $f (local.get 0)))) \
			(func $start (drop (call $f (i32.const 1))))"
			.into(),
	] {
		let first = if items.contains("$start") {
			"$start"
		} else {
			"$f"
		};
		let text = module(
			"",
			&format!("{items} (func (export \"_start\") (call {first}))"),
		);
		let output = run_with(&text, &request(b""), limits(PLENTY)).unwrap();
		assert_eq!(output.status, CallStatus::StackOverflow, "{items}");
	}
}

#[test]
fn a_judge_that_stops_at_once_spends_what_it_was_allowed() {
	let package = package(&command("nop"));
	let input = input(&request(b""), limits(PLENTY));
	let output = both(&package, input.clone(), Box::new(NoEffects)).unwrap();
	assert_eq!(output.gas, cost::start(&validate(&package).unwrap()) + 1);
	let mut claim = for_judge(&input, &output);
	claim.claimed_gas = 7;
	let stopped = Replayed {
		outcome: ReplayOutcome::TakesMore,
		gas: 7,
	};
	assert_eq!(replay(&package, &claim), stopped);
}
