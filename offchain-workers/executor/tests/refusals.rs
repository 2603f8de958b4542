//! Packages that are refused, each for its own reason and in a package that is fine otherwise.

mod common;

use common::{command, engine, module, run};
use millrace_executor::archive::attach;
use millrace_executor::limits::{
	MAX_ALL_LOCALS, MAX_BLOCK_PARAMS, MAX_DATA_SEGMENTS, MAX_ELEMENT_SEGMENTS, MAX_EXPORTS,
	MAX_FUNCTIONS, MAX_FUNCTION_BYTES, MAX_GLOBALS, MAX_LOCALS, MAX_LOCALS_BY_BRANCHES,
	MAX_LOOP_NESTING, MAX_MODULE_BYTES, MAX_MOVED_VALUES, MAX_NESTING, MAX_PARAMS, MAX_RESULTS,
	MAX_SEGMENT_ELEMENTS, MAX_TABLE_TARGETS, MAX_TYPES,
};
use millrace_executor::validate::whole;
use millrace_executor::{instrument, validate, LoadError, Reason, FILES_SECTION};
use millrace_primitives::execution::CallStatus;
use wasm_encoder::{CustomSection, Section};

/// Codes of all reasons against a module.
fn codes_of(module: &[u8]) -> Vec<&'static str> {
	let Err(reasons) = validate(module) else {
		return Vec::new();
	};
	// The whole check validates otherwise, and says the same.
	assert_eq!(whole(module).err().as_ref(), Some(&reasons));
	reasons.iter().map(Reason::code).collect()
}

/// Codes of all reasons against a module in the text format.
fn codes(wat: &str) -> Vec<&'static str> {
	codes_of(&wat::parse_str(wat).expect("the test's module is well-formed"))
}

const START: &str = "(func (export \"_start\"))";
const MEMORY: &str = "(memory (export \"memory\") 1)";
const TABLE: &str = "(table 4 8 funcref)";

/// A module with some of everything that may be in one, and with parts of it given.
struct Full<'a> {
	import: &'a str,
	memory: &'a str,
	table: &'a str,
	start: &'a str,
	more: &'a str,
}

impl Default for Full<'_> {
	fn default() -> Self {
		Self {
			import: "",
			memory: MEMORY,
			table: TABLE,
			start: START,
			more: "",
		}
	}
}

impl Full<'_> {
	fn text(&self) -> String {
		let Self {
			import,
			memory,
			table,
			start,
			more,
		} = self;
		format!(
			r#"(module
				(type $t (func (param i32) (result i32 i64)))
				(import "wasi_snapshot_preview1" "fd_write"
					(func $fd_write (param i32 i32 i32 i32) (result i32)))
				(import "millrace" "effect_call" (func (param i32 i32 i32) (result i32)))
				(import "millrace" "effect_read" (func (param i32 i32) (result i32)))
				{import} {memory} {table}
				(global (mut i32) (i32.add (i32.const 1) (i32.const 2)))
				(global (export "g") f64 (f64.const 1))
				(elem (i32.const 1) func $full)
				(elem func $full)
				(data (i32.const 8) "abc")
				(data "def")
				(func $full (type $t) (local i64 f32)
					(block (block (br_table 0 1 0 (local.get 0))))
					(loop (br_if 0 (i32.const 0)))
					(i32.const 1) (i64.const 2))
				{start} {more})"#
		)
	}

	fn codes(&self) -> Vec<&'static str> {
		codes(&self.text())
	}
}

fn with(more: &str) -> Vec<&'static str> {
	Full {
		more,
		..Full::default()
	}
	.codes()
}

fn with_import(import: &str) -> Vec<&'static str> {
	Full {
		import,
		..Full::default()
	}
	.codes()
}

#[test]
fn a_plain_command_is_fine() {
	assert!(codes(&command("nop")).is_empty());
	let info = validate(&wat::parse_str(module("3", START)).unwrap()).unwrap();
	assert_eq!(info.memory_pages, 3);
	assert_eq!(info.functions, 2);
	assert_eq!(info.files, 0);
	assert!(info.imports.contains(&"fd_write".to_owned()));
}

#[test]
fn a_package_with_everything_is_fine() {
	let module = wat::parse_str(Full::default().text()).unwrap();
	let (info, metered) = whole(&module).expect("it can run");
	assert_eq!(info, validate(&module).unwrap());
	assert_eq!(metered, instrument(&module).unwrap());
	assert_eq!(info.imports, ["fd_write", "effect_call", "effect_read"]);
	assert!(info.size as usize == module.len() && info.functions == 2);

	let files = [("a".to_owned(), vec![1]), ("b/c".to_owned(), vec![2])];
	let package = attach(&module, &files).unwrap();
	let (info, with_files) = whole(&package).expect("it can run");
	assert_eq!((info.size as usize, info.files), (package.len(), 2));
	assert_eq!(with_files, metered, "files are no part of the code");
}

#[test]
fn what_is_no_core_module_is_not_read() {
	assert_eq!(codes_of(b"<html>"), ["not_wasm"]);
	assert_eq!(codes_of(b"\0asm\x0d\0\x01\0"), ["component_not_module"]);
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
		"\"millrace\" \"fd_close\" (func (param i32) (result i32))",
		"\"wasi_snapshot_preview1\" \"effect_read\" (func (param i32 i32) (result i32))",
		"\"env\" \"g\" (global i32)",
		"\"env\" \"effect_call\" (func (param i32 i32 i32) (result i32))",
	] {
		let import = format!("(import {import})");
		assert_eq!(with_import(&import), ["forbidden_import"], "{import}");
	}
	let table = Full {
		import: "(import \"env\" \"t\" (table 4 funcref))",
		table: "",
		..Full::default()
	};
	assert_eq!(table.codes(), ["forbidden_import"]);
	let memory = Full {
		import: "(import \"env\" \"m\" (memory 1)) (export \"memory\" (memory 0))",
		memory: "",
		..Full::default()
	};
	assert_eq!(memory.codes(), ["forbidden_import"]);
}

#[test]
fn an_imported_function_must_have_its_own_signature() {
	for import in [
		"\"wasi_snapshot_preview1\" \"fd_close\" (func (param i64) (result i32))",
		"\"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32) (result i32))",
		"\"millrace\" \"effect_read\" (func (param i32 i32 i32) (result i32))",
		"\"millrace\" \"effect_call\" (func (param i32 i32 i32))",
	] {
		let import = format!("(import {import})");
		assert_eq!(with_import(&import), ["import_signature"], "{import}");
	}
}

#[test]
fn commands_need_a_start_and_a_memory() {
	assert_eq!(codes("(module)"), ["no_start", "no_memory"]);
	for start in [
		"",
		"(func (export \"_start\") (param i32))",
		"(func (export \"_start\") (result i32) (i32.const 1))",
		"(func (export \"start\"))",
		"(global (export \"_start\") i32 (i32.const 1))",
	] {
		let full = Full {
			start,
			..Full::default()
		};
		assert_eq!(full.codes(), ["no_start"], "{start}");
	}
	for memory in ["(memory 1)", "(memory (export \"mem\") 1)"] {
		let full = Full {
			memory,
			..Full::default()
		};
		assert_eq!(full.codes(), ["no_memory"], "{memory}");
	}
}

#[test]
fn start_sections_are_refused() {
	assert_eq!(with("(func $f) (start $f)"), ["start_section"]);
}

#[test]
fn memories_and_tables_have_limits() {
	let memory = |pages: u32| {
		let memory = format!("(memory (export \"memory\") {pages})");
		Full {
			memory: &memory,
			..Full::default()
		}
		.codes()
	};
	assert!(memory(2_048).is_empty());
	assert_eq!(memory(2_049), ["memory_too_large"]);
	let table = |table: &str| {
		Full {
			table,
			..Full::default()
		}
		.codes()
	};
	assert!(table("(table 16384 funcref)").is_empty());
	assert_eq!(table("(table 16385 funcref)"), ["table_too_large"]);
	assert_eq!(
		table("(table 4 funcref) (table 1 funcref)"),
		["too_many"],
		"compilers make one"
	);
}

#[test]
fn numbers_have_limits_to_the_unit() {
	let types = |count: usize| format!("(func (param {}))", "i32 ".repeat(count));
	let results = |count: usize| format!("(func (result {}) unreachable)", "i32 ".repeat(count));
	// The type of a block counts as well.
	let blocks = |count: usize| {
		let many = "i32 ".repeat(count);
		format!("(func (block (result {many}) unreachable) unreachable)")
	};
	let data = |count: usize| "(data \"\")".repeat(count);
	let segments = |count: usize| "(elem func)".repeat(count);
	let elements = |count: usize| format!("(elem func {})", "0 ".repeat(count));
	let locals = |count: usize| format!("(func (param i32) (local {}))", "i64 ".repeat(count));
	let nesting =
		|count: usize| format!("(func {} {})", "block ".repeat(count), "end ".repeat(count));
	let loops = |count: usize| format!("(func {} {})", "loop ".repeat(count), "end ".repeat(count));
	let block_params = |count: usize| {
		let (push, drop) = ("i32.const 0 ".repeat(count), "drop ".repeat(count));
		format!(
			"(func {push} block (param {}) {drop} end)",
			"i32 ".repeat(count)
		)
	};
	let targets = |count: usize| {
		format!(
			"(func (param i32) block local.get 0 br_table {} end)",
			"0 ".repeat(count)
		)
	};
	let limits: [(&dyn Fn(usize) -> String, usize, &str); 11] = [
		(&types, MAX_PARAMS, "parameters in one signature"),
		(&results, MAX_RESULTS, "results in one signature"),
		(&blocks, MAX_RESULTS, "results in one signature"),
		(&data, MAX_DATA_SEGMENTS, "data segments"),
		(&segments, MAX_ELEMENT_SEGMENTS, "element segments"),
		(&elements, MAX_SEGMENT_ELEMENTS, "elements in its segments"),
		// One is the parameter.
		(&locals, MAX_LOCALS as usize - 1, "locals in one function"),
		(&nesting, MAX_NESTING, "labels around one instruction"),
		(&loops, MAX_LOOP_NESTING, "loops around one instruction"),
		(&block_params, MAX_BLOCK_PARAMS, "parameters of one block"),
		(&targets, MAX_TABLE_TARGETS, "targets in one br_table"),
	];
	for (items, most, name) in limits {
		let reasons = |count: usize| {
			let wat = format!("(module (func) {MEMORY} {START} {})", items(count));
			validate(&wat::parse_str(wat).unwrap())
				.err()
				.unwrap_or_default()
		};
		assert!(reasons(most).is_empty(), "{name}");
		let over = reasons(most + 1);
		assert!(
			matches!(&over[..], [Reason::TooMany { what, count, max }]
				if *what == name && count == &(max + 1)),
			"{name}: {over:?}"
		);
		// In a package of everything it is the only reason as well.
		assert_eq!(with(&items(most + 1)), ["too_many"], "{name}");
	}
}

#[test]
fn other_numbers_have_limits() {
	let exports: String = (0..MAX_EXPORTS)
		.map(|index| format!("(export \"{index}\" (func $full))"))
		.collect();
	let targets = "0 ".repeat(MAX_TABLE_TARGETS);
	let table = format!("(func (param i32) block local.get 0 br_table {targets} end)");
	let locals = format!("(func (local {}))", "i64 ".repeat(MAX_LOCALS as usize));
	for (name, more) in [
		("types", "(type (func))".repeat(MAX_TYPES)),
		("functions", "(func)".repeat(MAX_FUNCTIONS)),
		("globals", "(global i32 (i32.const 0))".repeat(MAX_GLOBALS)),
		("exports", exports),
		// Each table may be there, but not five.
		("targets of br_table", table.repeat(5)),
		// Those of the other functions come on top.
		(
			"locals in all functions",
			locals.repeat(MAX_ALL_LOCALS / MAX_LOCALS as usize),
		),
	] {
		let full = Full {
			more: &more,
			..Full::default()
		};
		let reasons = validate(&wat::parse_str(full.text()).unwrap()).unwrap_err();
		assert!(
			matches!(&reasons[..], [Reason::TooMany { what, .. }] if *what == name),
			"{name}: {reasons:?}"
		);
	}
	assert!(with(&table.repeat(3)).is_empty());
	assert!(with(&locals.repeat(MAX_ALL_LOCALS / MAX_LOCALS as usize - 1)).is_empty());
}

#[test]
fn locals_are_counted_with_the_branches_among_them() {
	let locals = "i64 ".repeat(MAX_LOCALS as usize);
	let most = MAX_LOCALS_BY_BRANCHES / MAX_LOCALS as usize;
	for branch in ["block end ", "loop end ", "i32.const 0 br_if 0 "] {
		let function = |count: usize| format!("(func (local {locals}) {})", branch.repeat(count));
		assert!(with(&function(most)).is_empty(), "{branch}");
		let reasons = {
			let more = function(most + 1);
			let full = Full {
				more: &more,
				..Full::default()
			};
			validate(&wat::parse_str(full.text()).unwrap()).unwrap_err()
		};
		assert!(
			matches!(
				&reasons[..],
				[Reason::TooMany {
					what: "locals times branches in one function",
					..
				}]
			),
			"{branch}: {reasons:?}"
		);
	}
}

#[test]
fn what_calls_blocks_and_branches_move_has_a_limit() {
	let (many, results) = ("i32 ".repeat(MAX_PARAMS), "i64 ".repeat(MAX_RESULTS));
	let values = "i64.const 1 ".repeat(MAX_RESULTS);
	let types = format!(
		"(type $many (func (param {many}))) (func $many (type $many)) \
		(type $values (func (result {results}))) (func $values (type $values) unreachable)"
	);
	for (code, moves) in [
		("call $many ", MAX_PARAMS),
		("i32.const 0 call_indirect (type $many) ", MAX_PARAMS),
		("call $values ", MAX_RESULTS),
		("return ", MAX_RESULTS),
		("br 0 ", MAX_RESULTS),
		("i32.const 0 br_if 0 ", MAX_RESULTS),
		("block (type $values) unreachable end ", MAX_RESULTS),
		(
			"i32.const 0 if (type $values) unreachable else unreachable end ",
			MAX_RESULTS,
		),
	] {
		let codes = |count: usize| {
			// Nothing of it is ever reached, so nothing has to be pushed for it.
			let functions: String = (0..4)
				.map(|_| {
					let code = code.repeat(count / 4);
					format!("(func (type $values) unreachable {code} unreachable)")
				})
				.collect();
			with(&format!("{types} {functions}"))
		};
		let most = MAX_MOVED_VALUES / moves;
		assert!(codes(most - 8).is_empty(), "{code}");
		assert_eq!(codes(most + 8), ["too_many"], "{code}");
	}
	// A table moves them for each of its targets, as far as a compiler is concerned.
	let targets = "0 ".repeat(MAX_TABLE_TARGETS / 4);
	let table = format!(
		"(func (type $values) block (type $values) {values} i32.const 0 br_table {targets} end)"
	);
	let tables = |count: usize| with(&format!("{types} {}", table.repeat(count)));
	let most = MAX_MOVED_VALUES / (MAX_TABLE_TARGETS / 4 * MAX_RESULTS);
	assert!(tables(most - 1).is_empty());
	assert_eq!(tables(most), ["too_many"]);
}

#[test]
fn a_switch_of_many_cases_is_fine() {
	// As compilers write it: a block for each case, one within the other, and a jump out of all.
	let switch = |cases: usize| {
		let targets: String = (0..cases).map(|case| format!("{case} ")).collect();
		let returns: String = (0..cases)
			.map(|case| format!("end i32.const {case} return "))
			.collect();
		let function = format!(
			"(func $switch (param i32) (result i32) {} local.get 0 br_table {targets} {returns} \
			unreachable)",
			"block ".repeat(cases)
		);
		let one = cases / 2;
		let start = format!(
			"(func (export \"_start\") \
			(if (i32.ne (call $switch (i32.const {one})) (i32.const {one})) (then unreachable)))"
		);
		module("", &format!("{function} {start}"))
	};
	assert!(whole(&wat::parse_str(switch(MAX_NESTING)).unwrap()).is_ok());
	assert_eq!(run(&switch(3_000)).status, CallStatus::Exited(0));
}

#[test]
fn sizes_have_limits() {
	let long = format!("(func {})", "nop ".repeat(MAX_FUNCTION_BYTES + 1));
	assert_eq!(with(&long), ["function_too_large"]);
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
		for item in [
			format!("(func (export \"{name}\"))"),
			format!("(global (export \"{name}\") (mut i64) (i64.const 1))"),
		] {
			assert_eq!(with(&item), ["reserved_export"], "{item}");
		}
	}
}

#[test]
fn proposals_that_are_off_are_told_from_rubbish() {
	for items in [
		"(func (result v128) (v128.const i64x2 0 0))",
		"(func $f (return_call $f))",
		"(func (param externref))",
		"(func (result i64) (i64.atomic.load (i32.const 0)))",
		"(tag) (func (throw 0))",
		"(type (struct))",
	] {
		let codes = with(items);
		assert!(codes.contains(&"proposal_off"), "{items}: {codes:?}");
	}
	for memory in [
		"(memory (export \"memory\") 1) (memory 1)",
		"(memory (export \"memory\") i64 1)",
		"(memory (export \"memory\") 1 2 shared)",
	] {
		let codes = codes(&format!("(module {memory} {START})"));
		assert!(codes.contains(&"proposal_off"), "{memory}: {codes:?}");
	}
	assert_eq!(with("(func (i32.const 1))"), ["malformed"]);
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
		(global i64 (i64.mul (i64.const 2) (i64.sub (i64.const 3) (i64.const 4))))
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

/// A custom section.
fn section(name: &str, data: &[u8]) -> Vec<u8> {
	let mut bytes = Vec::new();
	CustomSection {
		name: name.into(),
		data: data.into(),
	}
	.append_to(&mut bytes);
	bytes
}

#[test]
fn files_come_once_and_last_and_keep_their_rules() {
	let module = wat::parse_str(Full::default().text()).unwrap();
	let after = |sections: &[Vec<u8>]| codes_of(&[module.clone(), sections.concat()].concat());
	// One file, named "a", without content.
	let files = section(FILES_SECTION, &[4, 4, b'a', 0]);
	let other = section("name of another", b"x");
	assert!(after(&[files.clone()]).is_empty());
	assert!(after(&[other.clone(), files.clone()]).is_empty());
	assert_eq!(
		after(&[files.clone(), files.clone()]),
		["duplicate_section"]
	);
	assert_eq!(after(&[files.clone(), other]), ["files"]);
	assert_eq!(after(&[section(FILES_SECTION, b"rubbish")]), ["files"]);
	// It may not come before the module's own sections either.
	let early = [&module[..8], &files, &module[8..]].concat();
	assert_eq!(codes_of(&early), ["files"]);
}

#[test]
fn a_package_the_judge_cannot_take_is_refused() {
	// More values at a time than the judge has places for in one function.
	let many = format!("(func {} unreachable)", "memory.size ".repeat(66_000));
	let full = Full {
		more: &many,
		..Full::default()
	};
	let package = wat::parse_str(full.text()).unwrap();
	assert!(validate(&package).is_ok());
	let reasons = whole(&package).unwrap_err();
	let codes: Vec<_> = reasons.iter().map(Reason::code).collect();
	assert_eq!(codes, ["not_replayable"]);
	assert!(matches!(
		engine().load(&package),
		Err(LoadError::Refused(refused)) if refused == reasons
	));
}

#[test]
fn code_that_is_nothing_but_loops_grows_too_much() {
	let loops = |count: usize| format!("(func {})", "loop end ".repeat(count));
	let verdict = |count: usize| {
		let text = loops(count);
		let full = Full {
			more: &text,
			..Full::default()
		};
		let module = wat::parse_str(full.text()).unwrap();
		assert!(validate(&module).is_ok());
		whole(&module).map(|(info, _)| info)
	};
	assert!(verdict(1_000).is_ok());
	assert!(matches!(
		verdict(80_000).unwrap_err()[..],
		[Reason::TooMany {
			what: "bytes with its meter",
			..
		}]
	));
}

#[test]
fn instrumented_modules_are_valid_and_cannot_be_instrumented_again() {
	let once =
		instrument(&wat::parse_str(command("(loop (br_if 0 (i32.const 0)))")).unwrap()).unwrap();
	assert_eq!(codes_of(&once), ["reserved_export"; 2]);
}

#[test]
fn refusals_reach_the_caller_of_the_engine() {
	assert!(matches!(
		engine().load(b"rubbish"),
		Err(LoadError::Refused(_))
	));
}
