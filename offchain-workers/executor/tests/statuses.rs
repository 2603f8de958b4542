//! Every way in which a call can end.

mod common;

use common::{command, limits, module, request, run, run_with, PLENTY};
use millrace_executor::limits::MAX_STDERR_BYTES;
use millrace_executor::EngineError;
use millrace_primitives::execution::CallStatus;

#[test]
fn returning_is_success() {
	let output = run(&command("nop"));
	assert_eq!(output.status, CallStatus::Exited(0));
	assert!(output.response.is_empty() && output.stderr.is_empty());
	assert!(output.gas > 0);
}

#[test]
fn only_a_guest_that_exits_with_0_has_a_response() {
	let exit = |code: u32| {
		run(&command(&format!(
			r#"(i32.store8 (i32.const 100) (i32.const 65))
			(call $write (i32.const 1) (i32.const 100) (i32.const 1))
			(call $write (i32.const 2) (i32.const 100) (i32.const 1))
			(call $proc_exit (i32.const {code})) unreachable"#
		)))
	};
	let success = exit(0);
	assert_eq!(success.status, CallStatus::Exited(0));
	assert_eq!(success.response, b"A");
	for code in [1, 7, u32::MAX] {
		let failure = exit(code);
		assert_eq!(failure.status, CallStatus::Exited(code));
		assert!(failure.response.is_empty(), "{code}");
		assert_eq!(failure.stderr, b"A");
		assert_eq!(failure.gas, success.gas, "what it wrote is paid for");
	}
}

#[test]
fn traps_of_wasm_are_the_guests() {
	let table = module(
		"",
		"(table 1 funcref) (type $t (func)) (func (export \"_start\") \
		(call_indirect (type $t) (i32.const 0)))",
	);
	for body in [
		command("unreachable"),
		command("(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
		command("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))"),
		command("(drop (i32.load (i32.const 65536)))"),
		command("(drop (i32.load (i32.const -1)))"),
		command("(drop (i32.trunc_f64_s (f64.const nan)))"),
		command("(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2))"),
		table,
	] {
		let output = run(&body);
		assert_eq!(output.status, CallStatus::Trapped, "{body}");
		assert!(output.response.is_empty());
	}
}

#[test]
fn a_stopped_guest_has_no_response_but_its_stderr() {
	let output = run(&command(
		r#"(call $write (i32.const 1) (i32.const 100) (i32.const 5))
		(call $write (i32.const 2) (i32.const 100) (i32.const 3)) unreachable"#,
	));
	assert_eq!(output.status, CallStatus::Trapped);
	assert!(output.response.is_empty());
	assert_eq!(output.stderr, [0; 3]);
}

#[test]
fn an_endless_loop_runs_out_of_gas() {
	let output = run_with(&command("(loop (br 0))"), &request(b""), limits(1_000_000)).unwrap();
	assert_eq!(output.status, CallStatus::OutOfGas);
	assert_eq!(output.gas, 1_000_000);
}

#[test]
fn gas_that_does_not_even_start_the_guest_is_used_up() {
	let output = run_with(&command("nop"), &request(b""), limits(10)).unwrap();
	assert_eq!((output.status, output.gas), (CallStatus::OutOfGas, 10));
}

#[test]
fn host_calls_can_run_out_of_gas() {
	let endless =
		command("(loop (drop (call $random_get (i32.const 0) (i32.const 60000))) (br 0))");
	let output = run_with(&endless, &request(b""), limits(2_000_000)).unwrap();
	assert_eq!(
		(output.status, output.gas),
		(CallStatus::OutOfGas, 2_000_000)
	);
}

#[test]
fn long_bulk_instructions_run_out_of_gas_before_they_move_anything() {
	let endless =
		command("(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br 0))");
	let output = run_with(&endless, &request(b""), limits(1_000_000)).unwrap();
	assert_eq!(output.status, CallStatus::OutOfGas);
	// Far fewer instructions than gas: the length is what costs.
	let once = command("(memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))");
	let none = command("(memory.fill (i32.const 0) (i32.const 1) (i32.const 0))");
	let (once, none) = (run(&once), run(&none));
	assert!(
		once.gas >= none.gas + 65_536 / 8 - 8,
		"{} {}",
		once.gas,
		none.gas
	);
}

#[test]
fn endless_recursion_overflows_the_counted_stack() {
	for items in [
		"(func $f (call $f)) (func (export \"_start\") (call $f))",
		"(func $f (param i64 i64 i64 i64) (result i64) \
			(i64.add (local.get 0) (call $f (local.get 1) (local.get 2) (local.get 3) (local.get 0)))) \
			(func (export \"_start\") (drop (call $f (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4))))",
		"(table 1 funcref) (elem (i32.const 0) $f) (type $t (func)) \
			(func $f (call_indirect (type $t) (i32.const 0))) (func (export \"_start\") (call $f))",
	] {
		let output = run(&module("", items));
		assert_eq!(output.status, CallStatus::StackOverflow, "{items}");
		assert!(output.gas < PLENTY);
	}
}

#[test]
fn returning_by_every_way_gives_the_frame_back() {
	// A million calls, deeper than the stack if a frame stayed behind.
	for leave in [
		"return",
		"(br 0)",
		"(br_if 0 (i32.const 1))",
		"(block (br 1))",
		"nop",
	] {
		let output = run(&module(
			"",
			&format!(
				r#"(func $inner) (func $f (call $inner) {leave})
				(func (export "_start") (local i32)
					(loop (call $f)
						(local.set 0 (i32.add (local.get 0) (i32.const 1)))
						(br_if 0 (i32.lt_u (local.get 0) (i32.const 1000000)))))"#
			),
		));
		assert_eq!(output.status, CallStatus::Exited(0), "{leave}");
	}
}

#[test]
fn the_response_has_a_limit_to_the_byte() {
	let write = |length: u32| {
		module(
			"32",
			&format!(
				"(func (export \"_start\") \
			(call $write (i32.const 1) (i32.const 0) (i32.const {length})))"
			),
		)
	};
	let fits = run(&write(1024 * 1024));
	assert_eq!(
		(fits.status, fits.response.len()),
		(CallStatus::Exited(0), 1024 * 1024)
	);
	let over = run(&write(1024 * 1024 + 1));
	assert_eq!(
		(over.status, over.response.len()),
		(CallStatus::ResponseTooLarge, 0)
	);
}

#[test]
fn standard_error_is_cut_without_telling_the_guest() {
	let output = run(&command(
		"(call $write (i32.const 2) (i32.const 0) (i32.const 20000))",
	));
	assert_eq!(output.status, CallStatus::Exited(0));
	assert_eq!(output.stderr.len(), MAX_STDERR_BYTES);
}

#[test]
fn memory_grows_to_the_calls_limit_and_no_further() {
	let grow = |pages: u32| {
		command(&format!(
			"(call $proc_exit (memory.grow (i32.const {pages})))"
		))
	};
	// 16 MiB are 256 pages, of which the module has one.
	assert_eq!(run(&grow(255)).status, CallStatus::Exited(1));
	assert_eq!(run(&grow(256)).status, CallStatus::Exited(u32::MAX));
}

#[test]
fn a_module_that_begins_with_too_much_memory_traps() {
	let output = run(&module("300", "(func (export \"_start\"))"));
	assert_eq!(output.status, CallStatus::Trapped);
}

#[test]
fn data_that_does_not_fit_traps() {
	let output = run(&module(
		"1",
		"(data (i32.const 65535) \"ab\") (func (export \"_start\"))",
	));
	assert_eq!(output.status, CallStatus::Trapped);
}

#[test]
fn tables_grow_to_the_profiles_limit_and_no_further() {
	let grow = |elements: u32| {
		module(
			"",
			&format!(
				"(table 1 funcref) (func (export \"_start\") \
			(call $proc_exit (table.grow 0 (ref.null func) (i32.const {elements}))))"
			),
		)
	};
	assert_eq!(run(&grow(16_383)).status, CallStatus::Exited(1));
	assert_eq!(run(&grow(16_384)).status, CallStatus::Exited(u32::MAX));
}

#[test]
fn a_body_over_the_limit_is_the_callers_mistake() {
	let body = vec![0; 64 * 1024 + 1];
	let refused = run_with(&command("nop"), &request(&body), limits(PLENTY));
	assert!(matches!(refused, Err(EngineError::RequestTooLarge { .. })));
}
