//! Packages that mean harm, and what is to become of them.

use crate::modules::{command, module, PLENTY};
use codec::Encode;
use millrace_primitives::execution::CallStatus;

/// Such a package.
pub(crate) struct Hostile {
	pub(crate) name: &'static str,
	pub(crate) package: Vec<u8>,
	pub(crate) gas: u64,
	pub(crate) outcome: Outcome,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
	/// It is not taken at all.
	Refused,
	/// Its call ends so.
	Ends(CallStatus),
	/// Something else, which must not be.
	Trouble(String),
}

/// Paths that are none of a package's.
pub(crate) const OUTSIDE: [&str; 6] = [
	"../../etc/passwd",
	"a/../../etc/passwd",
	"/etc/passwd",
	"/proc/self/environ",
	"own\0/../../etc/passwd",
	"..",
];

fn text(name: &'static str, text: String, gas: u64, outcome: Outcome) -> Hostile {
	let package = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
	Hostile {
		name,
		package,
		gas,
		outcome,
	}
}

/// All of them.
pub(crate) fn corpus() -> Vec<Hostile> {
	let ends = Outcome::Ends;
	vec![
		text(
			"memory_bomb",
			// Takes a page, writes to all of it, and again, until there is none.
			command(
				r#"(local $at i32)
				(loop $more
					(local.set $at (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
					(if (i32.lt_s (local.get $at) (i32.const 0)) (then (unreachable)))
					(memory.fill (local.get $at) (i32.const 1) (i32.const 65536))
					(br $more))"#,
			),
			PLENTY,
			ends(CallStatus::Trapped),
		),
		text(
			"gas_exhaustion",
			command("(loop $for_ever (br $for_ever))"),
			PLENTY,
			ends(CallStatus::OutOfGas),
		),
		text(
			"deep_recursion",
			module(
				"1",
				r#"(func $deep (param i64 i64) (result i64)
					(i64.add (local.get 0)
						(call $deep (local.get 1) (i64.add (local.get 0) (i64.const 1)))))
				(func (export "_start") (drop (call $deep (i64.const 1) (i64.const 2))))"#,
			),
			PLENTY,
			ends(CallStatus::StackOverflow),
		),
		text(
			"huge_table",
			module("1", r#"(table 10000000 funcref) (func (export "_start"))"#),
			PLENTY,
			Outcome::Refused,
		),
		text(
			"table_bomb",
			module(
				"1",
				r#"(table 1 funcref)
				(func (export "_start") (loop $more
					(br_if $more (i32.ge_s (table.grow (ref.null func) (i32.const 64))
						(i32.const 0)))))"#,
			),
			PLENTY,
			ends(CallStatus::Exited(0)),
		),
		branch_bomb(),
		many_functions(),
		long_function(),
		text(
			"output_flood",
			command("(loop $more (call $write (i32.const 0) (i32.const 65536)) (br $more))"),
			PLENTY,
			ends(CallStatus::ResponseTooLarge),
		),
		text(
			"host_call_flood",
			command(
				r#"(loop $more
					(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 64)))
					(call $write (i32.const 0) (i32.const 0))
					(br $more))"#,
			),
			PLENTY / 10,
			ends(CallStatus::OutOfGas),
		),
		text(
			"random_flood",
			command(
				"(loop $more (drop (call $random_get (i32.const 64) (i32.const 65536))) (br $more))",
			),
			PLENTY / 10,
			ends(CallStatus::OutOfGas),
		),
		path_escape(),
		segment_bomb(),
		text(
			"segment_outside",
			module(
				"1",
				r#"(data (i32.const 65535) "ab") (func (export "_start"))"#,
			),
			PLENTY,
			ends(CallStatus::Trapped),
		),
		text(
			"effects_without_hosts",
			// It is told that there are none, and says so.
			command("(if (call $ask (i32.const 0) (i32.const 1) (i32.const 64)) (then (unreachable)))"),
			PLENTY,
			ends(CallStatus::Trapped),
		),
		Hostile {
			name: "no_module",
			package: vec![0xff; 1024 * 1024],
			gas: PLENTY,
			outcome: Outcome::Refused,
		},
	]
}

/// Many targets, and many results that a branch to each of them moves.
fn branch_bomb() -> Hostile {
	let results = "i64 ".repeat(1_000);
	let values = "(i64.const 1)".repeat(1_000);
	let targets = "0 ".repeat(10_000);
	let body = format!(
		"(func $many (result {results}) (block (result {results})
			{values} (i32.const 3) (br_table {targets})))
		(func (export \"_start\"))"
	);
	text("branch_bomb", module("1", &body), PLENTY, Outcome::Refused)
}

/// As many functions as there may be, less those that are imported and two of ours.
fn many_functions() -> Hostile {
	let functions: String = (0..19_900)
		.map(|number| format!("(func (result i32) (i32.const {number}))"))
		.collect();
	let body = format!("{functions} (func (export \"_start\"))");
	text(
		"many_functions",
		module("1", &body),
		PLENTY,
		Outcome::Ends(CallStatus::Exited(0)),
	)
}

/// A function about as long as one may be, each of whose values is needed to the end.
fn long_function() -> Hostile {
	let locals = 2_000;
	let steps: String = (0..24_000)
		.map(|step| {
			let (to, from) = (step * 7 % locals, step * 13 % locals);
			format!("(local.set {to} (i64.add (local.get {from}) (local.get {to})))")
		})
		.collect();
	let body = format!(
		"(func (export \"_start\") (local {}) {steps})",
		"i64 ".repeat(locals)
	);
	text(
		"long_function",
		module("1", &body),
		PLENTY,
		Outcome::Ends(CallStatus::Exited(0)),
	)
}

fn segment_bomb() -> Hostile {
	let segments = "(data (i32.const 0) \"a\")".repeat(50_000);
	let body = format!("{segments} (func (export \"_start\"))");
	text("segment_bomb", module("1", &body), PLENTY, Outcome::Refused)
}

/// A package with a file, which opens that and everything else that it can think of. It writes an
/// error's number, a byte, for each: its own file is the first.
pub(crate) fn path_escape() -> Hostile {
	let paths: Vec<&str> = std::iter::once("own").chain(OUTSIDE).collect();
	let (mut data, mut calls) = (String::new(), String::new());
	let mut at = 4_096;
	for (number, path) in paths.iter().enumerate() {
		let escaped: String = path.bytes().map(|byte| format!("\\{byte:02x}")).collect();
		let length = path.len();
		data.push_str(&format!("(data (i32.const {at}) \"{escaped}\")"));
		calls.push_str(&format!(
			"(i32.store8 (i32.const {}) (call $path_open (i32.const 3) (i32.const 0)
				(i32.const {at}) (i32.const {length}) (i32.const 0) (i64.const 2) (i64.const 0)
				(i32.const 0) (i32.const 64)))",
			1_024 + number
		));
		at += length;
	}
	let count = paths.len();
	let body = format!(
		"{data} (func (export \"_start\") {calls} (call $write (i32.const 1024) (i32.const {count})))"
	);
	let mut hostile = text(
		"path_escape",
		module("1", &body),
		PLENTY,
		Outcome::Ends(CallStatus::Exited(0)),
	);
	hostile
		.package
		.extend(files_section(&[("own", b"content")]));
	hostile
}

/// The section of a package's files.
fn files_section(files: &[(&str, &[u8])]) -> Vec<u8> {
	let files: Vec<(Vec<u8>, Vec<u8>)> = files
		.iter()
		.map(|(path, content)| (path.as_bytes().to_vec(), content.to_vec()))
		.collect();
	let name = millrace_executor::FILES_SECTION.as_bytes();
	let mut content = vec![name.len() as u8];
	content.extend_from_slice(name);
	content.extend(files.encode());
	// Both lengths take one byte.
	assert!(content.len() < 128);
	let mut section = vec![0, content.len() as u8];
	section.extend(content);
	section
}
