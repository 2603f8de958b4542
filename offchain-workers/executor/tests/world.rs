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
fn the_clock_stands_still_while_the_guest_works() {
	let output = run(&command(
		r#"(local i32) (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 100)))
		(loop (br_if 0 (i32.lt_u
			(local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 100000))))
		(drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 108)))
		(call $write (i32.const 1) (i32.const 100) (i32.const 16))"#,
	));
	let expected = (CLOCK_MS * 1_000_000).to_le_bytes();
	assert_eq!(output.response, [expected, expected].concat());
}

/// Text that writes a subscription to a clock: 48 bytes at `at`.
fn clock_subscription(at: u32, name: u64, clock: u32, ns: u64, absolute: bool) -> String {
	let flags = u32::from(absolute);
	format!(
		"(i64.store (i32.const {at}) (i64.const {name})) \
		(i32.store8 (i32.const {}) (i32.const 0)) \
		(i32.store (i32.const {}) (i32.const {clock})) \
		(i64.store (i32.const {}) (i64.const {ns})) \
		(i32.store16 (i32.const {}) (i32.const {flags}))",
		at + 8,
		at + 16,
		at + 24,
		at + 40
	)
}

/// Text that writes a subscription to a descriptor.
fn fd_subscription(at: u32, name: u64, kind: u8, fd: u32) -> String {
	format!(
		"(i64.store (i32.const {at}) (i64.const {name})) \
		(i32.store8 (i32.const {}) (i32.const {kind})) \
		(i32.store (i32.const {}) (i32.const {fd}))",
		at + 8,
		at + 16
	)
}

/// Polls what was written from 1000 on, and writes out the answer, how much happened, the events, and
/// the time after it. Events go to 4000.
fn poll(subscriptions: &[String]) -> (u32, Vec<[u8; 32]>, u64) {
	let count = subscriptions.len();
	let output = run_with(
		&command(&format!(
			"{} (i32.store (i32.const 100) (call $poll_oneoff \
				(i32.const 1000) (i32.const 4000) (i32.const {count}) (i32.const 104))) \
			(drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 108))) \
			(call $write (i32.const 1) (i32.const 100) (i32.const 16)) \
			(call $write (i32.const 1) (i32.const 4000) (i32.const {}))",
			subscriptions.join(" "),
			32 * count
		)),
		&request(b"body"),
		limits(PLENTY),
	)
	.unwrap();
	assert_eq!(output.status, CallStatus::Exited(0));
	let (head, events) = output.response.split_at(16);
	let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
	let events = events
		.chunks(32)
		.take(number(4) as usize)
		.map(|event| event.try_into().unwrap())
		.collect();
	let time = u64::from_le_bytes(head[8..16].try_into().unwrap());
	(number(0), events, time)
}

/// An event, as preview1 writes it.
fn event(name: u64, errno: u16, kind: u8, bytes: u64) -> [u8; 32] {
	let mut record = [0; 32];
	record[..8].copy_from_slice(&name.to_le_bytes());
	record[8..10].copy_from_slice(&errno.to_le_bytes());
	record[10] = kind;
	record[16..24].copy_from_slice(&bytes.to_le_bytes());
	record
}

#[test]
fn sleeping_moves_the_clock_to_the_first_time_that_is_waited_for() {
	let now = CLOCK_MS * 1_000_000;
	let (errno, events, time) = poll(&[
		clock_subscription(1000, 7, 1, 5_000, false),
		clock_subscription(1048, 8, 0, now + 300, true),
		clock_subscription(1096, 9, 3, 300, false),
	]);
	assert_eq!(errno, 0);
	assert_eq!(events, [event(8, 0, 0, 0), event(9, 0, 0, 0)]);
	assert_eq!(time, now + 300);
	// A time that has passed is over at once; the end of time is no overflow.
	let (errno, events, time) = poll(&[
		clock_subscription(1000, 7, 0, 1, true),
		clock_subscription(1048, 8, 0, u64::MAX, false),
	]);
	assert_eq!((errno, time), (0, now));
	assert_eq!(events, [event(7, 0, 0, 0)]);
	let (_, _, time) = poll(&[clock_subscription(1000, 7, 0, u64::MAX, false)]);
	assert_eq!(time, u64::MAX);
}

#[test]
fn descriptors_are_ready_at_once_and_time_stands_still() {
	let (errno, events, time) = poll(&[
		clock_subscription(1000, 1, 0, 5_000, false),
		fd_subscription(1048, 2, 1, 0),
		fd_subscription(1096, 3, 2, 1),
		fd_subscription(1144, 4, 1, 9),
	]);
	assert_eq!((errno, time), (0, CLOCK_MS * 1_000_000));
	assert_eq!(
		events,
		[event(2, 0, 1, 4), event(3, 0, 2, 0), event(4, 8, 1, 0)]
	);
	// A clock that there is not is an error at once.
	let (errno, events, time) = poll(&[
		clock_subscription(1000, 1, 4, 5_000, false),
		clock_subscription(1048, 2, 0, 5_000, false),
	]);
	assert_eq!((errno, time), (0, CLOCK_MS * 1_000_000));
	assert_eq!(events, [event(1, 28, 0, 0)]);
}

#[test]
fn a_poll_that_makes_no_sense_is_refused() {
	assert_eq!(poll(&[]).0, 28);
	assert_eq!(poll(&[fd_subscription(1000, 1, 3, 0)]).0, 28);
	let many: Vec<String> = (0..65)
		.map(|_| clock_subscription(1000, 1, 0, 1, false))
		.collect();
	assert_eq!(poll(&many).0, 28);
	let outside = command(
		"(call $proc_exit (call $poll_oneoff \
			(i32.const 65530) (i32.const 0) (i32.const 1) (i32.const 0)))",
	);
	assert_eq!(run(&outside).status, CallStatus::Exited(21));
}

#[test]
fn streams_can_be_closed_and_renumbered() {
	let guest = |body: &str| {
		let text = format!(
			r#"(module
				(import "wasi_snapshot_preview1" "fd_write"
					(func $fd_write (param i32 i32 i32 i32) (result i32)))
				(import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
				(import "wasi_snapshot_preview1" "fd_renumber"
					(func $fd_renumber (param i32 i32) (result i32)))
				(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
				(import "wasi_snapshot_preview1" "fd_allocate"
					(func $fd_allocate (param i32 i64 i64) (result i32)))
				(memory (export "memory") 1)
				(func $write (param i32) (result i32)
					(i32.store (i32.const 4) (i32.const 1))
					(call $fd_write (local.get 0) (i32.const 0) (i32.const 1) (i32.const 8)))
				(func (export "_start") {body}))"#
		);
		run(&text)
	};
	let exit = |before: &str, call: &str| match guest(&format!("{before} (call $proc_exit {call})"))
		.status
	{
		CallStatus::Exited(code) => code,
		other => panic!("{other:?}"),
	};
	let write = "(call $write (i32.const 1))";
	assert_eq!(exit("", "(call $fd_close (i32.const 3))"), 8);
	assert_eq!(exit("", write), 0);
	assert_eq!(exit("(drop (call $fd_close (i32.const 1)))", write), 8);
	let nowhere = "(call $fd_renumber (i32.const 1) (i32.const 9))";
	assert_eq!(exit("", nowhere), 8);
	// What would change a file does not exist for streams.
	let allocate = "(call $fd_allocate (i32.const 1) (i64.const 0) (i64.const 1))";
	assert_eq!(exit("", allocate), 52);
	let moved = guest(
		"(drop (call $fd_renumber (i32.const 1) (i32.const 2))) (drop (call $write (i32.const 2)))",
	);
	assert_eq!((moved.response, moved.stderr), (vec![0], vec![]));
}

#[test]
fn what_is_not_there_says_so() {
	let code = |call: &str| match run(&command(&format!("(call $proc_exit {call})"))).status {
		CallStatus::Exited(code) => code,
		other => panic!("{other:?}"),
	};
	let zero = "(i32.const 0)";
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
