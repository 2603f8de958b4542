//! Modules that are refused, each for its own reason.

mod common;

use common::{command, engine, module};
use millrace_executor::limits::{MAX_FUNCTION_BYTES, MAX_MODULE_BYTES};
use millrace_executor::{instrument, validate, LoadError, Reason};

/// Codes of all reasons against a module in the text format.
fn codes(wat: &str) -> Vec<&'static str> {
	let module = wat::parse_str(wat).expect("the test's module is well-formed");
	match validate(&module) {
		Ok(_) => Vec::new(),
		Err(reasons) => reasons.iter().map(Reason::code).collect(),
	}
}

const START: &str = "(func (export \"_start\"))";
const MEMORY: &str = "(memory (export \"memory\") 1)";

#[test]
fn a_plain_command_is_fine() {
	assert!(codes(&command("nop")).is_empty());
	let info = validate(&wat::parse_str(module("3", START)).unwrap()).unwrap();
	assert_eq!(info.memory_pages, 3);
	assert_eq!(info.functions, 2);
	assert!(info.imports.contains(&"fd_write".to_owned()));
}

#[test]
fn imports_outside_the_allowed_set_are_named() {
	let wat = format!("(module (import \"env\" \"open\" (func)) {MEMORY} {START})");
	let reasons = validate(&wat::parse_str(wat).unwrap()).unwrap_err();
	let expected = Reason::ForbiddenImport {
		module: "env".into(),
		name: "open".into(),
	};
	assert_eq!(reasons, [expected]);
	for import in [
		"\"wasi_snapshot_preview1\" \"fd_open\" (func)",
		"\"wasi_unstable\" \"fd_close\" (func (param i32) (result i32))",
		"\"env\" \"g\" (global i32)",
		"\"env\" \"t\" (table 1 funcref)",
	] {
		assert_eq!(
			codes(&format!("(module (import {import}) {MEMORY} {START})")),
			["forbidden_import"],
			"{import}"
		);
	}
}

#[test]
fn a_wasi_function_must_have_its_own_signature() {
	let wat = format!(
		"(module (import \"wasi_snapshot_preview1\" \"fd_close\" (func (param i64) (result i32))) \
		{MEMORY} {START})"
	);
	assert_eq!(codes(&wat), ["import_signature"]);
}

#[test]
fn commands_need_a_start_and_a_memory() {
	assert_eq!(codes("(module)"), ["no_start", "no_memory"]);
	assert_eq!(
		codes(&format!(
			"(module {MEMORY} (func (export \"_start\") (param i32)))"
		)),
		["no_start"]
	);
	assert_eq!(
		codes(&format!("(module (memory 1) {START})")),
		["no_memory"]
	);
}

#[test]
fn start_sections_are_refused() {
	assert_eq!(
		codes(&format!("(module {MEMORY} {START} (func $f) (start $f))")),
		["start_section"]
	);
}

#[test]
fn sizes_have_limits() {
	assert_eq!(
		codes(&format!(
			"(module (memory (export \"memory\") 2049) {START})"
		)),
		["memory_too_large"]
	);
	assert_eq!(
		codes(&format!("(module {MEMORY} {START} (table 16385 funcref))")),
		["table_too_large"]
	);
	assert_eq!(
		codes(&format!(
			"(module {MEMORY} {START} (table 1 funcref) (table 1 funcref))"
		)),
		["too_many"]
	);
	let long = "nop ".repeat(MAX_FUNCTION_BYTES + 1);
	assert_eq!(codes(&command(&long)), ["function_too_large"]);
	let data = "a".repeat(MAX_MODULE_BYTES);
	assert_eq!(
		codes(&module(
			"32",
			&format!("(data (i32.const 0) \"{data}\") {START}")
		)),
		["too_large"]
	);
}

#[test]
fn names_of_the_meter_are_kept() {
	for name in ["millrace:gas", "millrace:stack"] {
		let wat = format!("(module {MEMORY} {START} (func (export \"{name}\")))");
		assert_eq!(codes(&wat), ["reserved_export"]);
	}
}

#[test]
fn proposals_that_are_off_are_told_from_rubbish() {
	for items in [
		"(func (result v128) (v128.const i64x2 0 0))",
		"(func $f (return_call $f))",
		"(table 1 externref)",
		"(memory 1)",
		"(func (result i64) (i64.atomic.load (i32.const 0)))",
		"(global i32 (i32.add (i32.const 1) (i32.const 2)))",
	] {
		let wat = format!("(module {MEMORY} {START} {items})");
		assert!(
			codes(&wat).contains(&"proposal_off"),
			"{items}: {:?}",
			codes(&wat)
		);
	}
	let ill_typed = format!("(module {MEMORY} (func (export \"_start\") (i32.const 1)))");
	assert_eq!(codes(&ill_typed), ["malformed"]);
}

#[test]
fn what_compilers_use_by_default_is_on() {
	let items = r#"
		(func (param i32) (result i32 i32) (local.get 0) (i32.extend8_s (local.get 0)))
		(func (param f64) (result i64) (i64.trunc_sat_f64_s (local.get 0)))
		(func (memory.copy (i32.const 0) (i32.const 1) (i32.const 2)))
		(func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d))
		(data $d "x")
		(global (export "g") (mut i32) (i32.const 0))
		(table 2 funcref)
		(func (drop (table.size 0)))
		(func $nothing)
		(func (result i32 i64) (call $nothing) (i32.const 1) (return (i32.const 2) (i64.const 3)))
		(func (param i64) (result i32 i64) (call $nothing) (i32.const 1) (i64.const 2))"#;
	let wat = module("", &format!("{items} {START}"));
	assert!(codes(&wat).is_empty());
	engine()
		.load(&wat::parse_str(wat).unwrap())
		.expect("it compiles");
}

#[test]
fn instrumented_modules_are_valid_and_cannot_be_instrumented_again() {
	let once =
		instrument(&wat::parse_str(command("(loop (br_if 0 (i32.const 0)))")).unwrap()).unwrap();
	let reasons = validate(&once).unwrap_err();
	assert!(
		reasons
			.iter()
			.all(|reason| reason.code() == "reserved_export"),
		"{reasons:?}"
	);
}

#[test]
fn refusals_reach_the_caller_of_the_engine() {
	assert!(matches!(
		engine().load(b"rubbish"),
		Err(LoadError::Refused(_))
	));
}
