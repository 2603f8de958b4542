//! What the guest sees of the world.

mod common;

use common::{command, limits, module, request, run, run_with, CLOCK_MS, PLENTY};
use millrace_primitives::execution::CallStatus;

#[test]
fn the_body_is_on_standard_input_and_ends() {
	// Copies standard input to standard output, 7 bytes at a time.
	let copy = command(
		r#"(loop $more
			(i32.store (i32.const 0) (i32.const 100))
			(i32.store (i32.const 4) (i32.const 7))
			(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
			(if (i32.load (i32.const 8)) (then
				(call $write (i32.const 1) (i32.const 100) (i32.load (i32.const 8)))
				(br $more))))"#,
	);
	let body: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
	let output = run_with(&copy, &request(&body), limits(PLENTY)).unwrap();
	assert_eq!(output.status, CallStatus::Exited(0));
	assert_eq!(output.response, body);
}

#[test]
fn the_request_is_in_cgi_variables() {
	let environment = command(
		r#"(drop (call $environ_get (i32.const 100) (i32.const 200)))
		(call $write (i32.const 1) (i32.const 200) (i32.const 200))"#,
	);
	let output = run_with(&environment, &request(b"hello"), limits(PLENTY)).unwrap();
	let text = String::from_utf8(output.response).unwrap();
	let variables: Vec<_> = text
		.split('\0')
		.filter(|variable| !variable.is_empty())
		.collect();
	assert_eq!(
		variables,
		[
			"GATEWAY_INTERFACE=Millrace/1",
			"REQUEST_METHOD=POST",
			"PATH_INFO=/a/b",
			"QUERY_STRING=x=1",
			"CONTENT_TYPE=text/plain",
			"CONTENT_LENGTH=5",
		]
	);
}

#[test]
fn the_clock_stands_still() {
	let output = run(&command(
		r#"(drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 100)))
		(drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 108)))
		(call $write (i32.const 1) (i32.const 100) (i32.const 16))"#,
	));
	let expected = (CLOCK_MS * 1_000_000).to_le_bytes();
	assert_eq!(output.response, [expected, expected].concat());
}

#[test]
fn what_is_not_there_says_so() {
	let code = |call: &str| match run(&command(&format!("(call $proc_exit {call})"))).status {
		CallStatus::Exited(code) => code,
		other => panic!("{other:?}"),
	};
	let zero = "(i32.const 0)";
	assert_eq!(
		code(&format!("(call $poll_oneoff {zero} {zero} {zero} {zero})")),
		52
	);
	assert_eq!(
		code(&format!("(call $fd_prestat_get (i32.const 3) {zero})")),
		8
	);
	assert_eq!(
		code(&format!(
			"(call $fd_seek {zero} (i64.const 0) {zero} {zero})"
		)),
		70
	);
	assert_eq!(
		code(&format!(
			"(call $fd_seek (i32.const 3) (i64.const 0) {zero} {zero})"
		)),
		8
	);
	assert_eq!(
		code(&format!(
			"(call $clock_time_get (i32.const 9) (i64.const 0) {zero})"
		)),
		28
	);
	assert_eq!(
		code("(call $random_get (i32.const 65530) (i32.const 7))"),
		21
	);
	assert_eq!(
		code(&format!(
			"(call $fd_write (i32.const 0) {zero} {zero} {zero})"
		)),
		8
	);
	assert_eq!(
		code(&format!(
			"(call $fd_write (i32.const 1) {zero} (i32.const 1025) {zero})"
		)),
		28
	);
	assert_eq!(
		code(&format!(
			"(call $fd_write (i32.const 1) (i32.const -4) (i32.const 1) {zero})"
		)),
		21
	);
}

#[test]
fn calls_leave_nothing_behind() {
	// Counts in memory and in a global: the next call must not see it.
	let counting = module(
		"",
		r#"(global $calls (mut i32) (i32.const 0))
		(func (export "_start")
			(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
			(i32.store (i32.const 500) (i32.add (i32.load (i32.const 500)) (i32.const 1)))
			(call $proc_exit (i32.add (global.get $calls) (i32.load (i32.const 500)))))"#,
	);
	for _ in 0..5 {
		assert_eq!(run(&counting).status, CallStatus::Exited(2));
	}
}
