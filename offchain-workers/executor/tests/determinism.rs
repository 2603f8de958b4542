//! The same call is the same everywhere: again, with other caches, and in another process.

mod common;

use common::{engine, limits, module, request, PLENTY};
use millrace_executor::{CallInput, CallOutput, Engine};
use millrace_primitives::execution::CallStatus;
use millrace_primitives::market::Hosts;
use millrace_primitives::{hash, H256};
use std::process::Command;

/// Set in the process that the test starts of itself.
const CHILD: &str = "MILLRACE_DETERMINISM_CHILD";

/// Floats that make NaNs, randomness, time, recursion, growth and bulk moves, all written out.
fn mixture() -> Vec<u8> {
	let wat = module(
		"2",
		r#"(func $fib (param i32) (result i32)
			(if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
				(then (local.get 0))
				(else (i32.add
					(call $fib (i32.sub (local.get 0) (i32.const 1)))
					(call $fib (i32.sub (local.get 0) (i32.const 2)))))))
		(func (export "_start")
			(f64.store (i32.const 100) (f64.div (f64.const 0) (f64.const 0)))
			(f32.store (i32.const 108) (f32.sub (f32.const inf) (f32.const inf)))
			(f64.store (i32.const 112) (f64.sqrt (f64.const -1)))
			(i32.store (i32.const 120) (call $fib (i32.const 15)))
			(drop (call $random_get (i32.const 124) (i32.const 100)))
			(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 224)))
			(i32.store (i32.const 232) (memory.grow (i32.const 3)))
			(memory.copy (i32.const 300) (i32.const 100) (i32.const 200))
			(f64.store (i32.const 500) (f64.nearest (f64.const 2.5)))
			(call $write (i32.const 1) (i32.const 100) (i32.const 500))
			(call $write (i32.const 2) (i32.const 100) (i32.const 50)))"#,
	);
	wat::parse_str(wat).expect("the test's module is well-formed")
}

fn outcome(engine: &Engine) -> CallOutput {
	let module = engine.load(&mixture()).expect("the module can run");
	let request = request(b"body");
	let seed = H256::repeat_byte(3);
	let input = CallInput {
		request: &request,
		limits: limits(PLENTY),
		hosts: &Hosts::default(),
		clock_ms: 12_345,
		seed,
	};
	engine
		.call(&module, &input)
		.expect("the host does its part")
}

fn digest(output: &CallOutput) -> H256 {
	let CallOutput {
		status,
		response,
		stderr,
		gas,
		transcript,
	} = output;
	let told = (status, response, stderr, gas, transcript);
	hash::tagged("test/outcome", &told)
}

#[test]
fn a_hundred_runs_and_another_process_agree() {
	let first = outcome(engine());
	assert_eq!(first.status, CallStatus::Exited(0));
	assert_eq!(first.response.len(), 500);
	if std::env::var_os(CHILD).is_some() {
		println!("outcome {:x}", digest(&first));
		return;
	}
	for _ in 0..100 {
		assert_eq!(outcome(engine()), first);
	}
	let child = Command::new(std::env::current_exe().unwrap())
		.args([
			"--exact",
			"a_hundred_runs_and_another_process_agree",
			"--nocapture",
		])
		.env(CHILD, "1")
		.output()
		.unwrap();
	let told = String::from_utf8_lossy(&child.stdout);
	assert!(child.status.success(), "{told}");
	assert!(
		told.contains(&format!("outcome {:x}", digest(&first))),
		"{told}"
	);
}

#[test]
fn calls_at_the_same_time_agree() {
	let first = outcome(engine());
	std::thread::scope(|scope| {
		for _ in 0..8 {
			scope.spawn(|| assert_eq!(outcome(engine()), first));
		}
	});
}

#[test]
fn the_seed_the_clock_and_the_request_are_what_a_result_depends_on() {
	let module = engine().load(&mixture()).unwrap();
	let run = |seed: u8, clock_ms: u64| {
		let request = request(b"body");
		let seed = H256::repeat_byte(seed);
		let input = CallInput {
			request: &request,
			limits: limits(PLENTY),
			hosts: &Hosts::default(),
			clock_ms,
			seed,
		};
		engine().call(&module, &input).unwrap()
	};
	let base = run(1, 1);
	assert_ne!(run(2, 1).response, base.response);
	assert_ne!(run(1, 2).response, base.response);
	// Neither decides how much work it is.
	assert_eq!(run(2, 2).gas, base.gas);
}

#[test]
fn gas_is_what_the_cost_table_says() {
	use millrace_executor::cost;
	let run = |body: &str| {
		let bytes = wat::parse_str(common::command(body)).unwrap();
		let module = engine().load(&bytes).unwrap();
		let request = request(b"");
		let seed = H256::zero();
		let input = CallInput {
			request: &request,
			limits: limits(PLENTY),
			hosts: &Hosts::default(),
			clock_ms: 0,
			seed,
		};
		let output = engine().call(&module, &input).unwrap();
		output.gas - cost::start(module.info())
	};
	assert_eq!(run(""), 0);
	assert_eq!(run("(drop (i32.const 1))"), 2);
	assert_eq!(
		run("(drop (i64.div_u (i64.const 6) (i64.const 3)))"),
		1 + 1 + 8 + 1
	);
	assert_eq!(
		run("(drop (i32.load (i32.const 0))) (drop (memory.size))"),
		6 + 3
	);
	// Only the branch that is taken costs.
	assert_eq!(run("(if (i32.const 0) (then (drop (i32.const 1))))"), 2);
	assert_eq!(run("(if (i32.const 1) (then (drop (i32.const 1))))"), 4);
	assert_eq!(
		run("(memory.fill (i32.const 0) (i32.const 0) (i32.const 80))"),
		3 + 40 + 10
	);
	let host = 3 + 4 + cost::HOST_CALL + 10 * cost::RANDOM_BYTE;
	assert_eq!(
		run("(drop (call $random_get (i32.const 0) (i32.const 10)))"),
		host
	);
	// Ten rounds of six instructions and a branch, and what stands before.
	let rounds = "(local i32) (loop (local.set 0 (i32.add (local.get 0) (i32.const 1))) \
		(br_if 0 (i32.lt_u (local.get 0) (i32.const 10))))";
	assert_eq!(run(rounds), 10 * 8);
}
