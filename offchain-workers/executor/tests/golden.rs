//! The instrumentation of profile 1 is frozen: the same module becomes the same bytes for ever.
//!
//! Receipts are judged by the code that this crate puts in. A change of a single byte is a new
//! [`INSTRUMENTATION`], and one that changes gas, traps or results is a new profile.

mod common;

use common::{command, module};
use millrace_executor::{cost, instrument, INSTRUMENTATION};
use millrace_primitives::hash::blake2_256;
use std::fmt::Write;

/// One line for each text: its name and the hash of what it becomes.
const GOLDEN: &str = include_str!("golden.txt");

/// The texts, each for another part of what is put in.
fn texts() -> [(&'static str, String); 12] {
	let start = "(func (export \"_start\"))";
	[
		("empty", command("")),
		("run", command("(drop (i32.add (i32.const 1) (i32.load (i32.const 8))))")),
		(
			"choice",
			command("(if (i32.const 1) (then nop) (else nop nop)) (block (br_if 0 (i32.const 1)) nop) nop"),
		),
		(
			"loop",
			command("(loop (br_if 0 (i32.const 0)) (block (loop nop (br 1)) nop))"),
		),
		(
			"calls",
			module(
				"",
				"(func $f (param i32) (result i32) (call $g (local.get 0))) \
				(func $g (param i32) (result i32) (loop (br_if 0 (i32.const 0))) (call $f (local.get 0))) \
				(func (export \"_start\") (drop (call $f (i32.const 1))))",
			),
		),
		(
			"indirect",
			module(
				"",
				"(type $t (func (result i64))) (table 4 8 funcref) (elem (i32.const 1) $a $b) \
				(func $a (result i64) (i64.const 1)) (func $b (result i64) (loop) (return (i64.const 2))) \
				(func (export \"_start\") (drop (call_indirect (type $t) (i32.const 1))))",
			),
		),
		(
			"bulk",
			module(
				"",
				"(data $d \"abc\") (table 2 9 funcref) (elem $e func $f) \
				(func $f (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop $d) \
				(memory.copy (i32.const 9) (i32.const 0) (i32.const 3)) \
				(table.init $e (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $e)) \
				(func (export \"_start\") (loop \
				(memory.fill (i32.const 0) (i32.const 0) (i32.const 9)) \
				(drop (memory.grow (i32.const 1))) \
				(drop (table.grow (ref.null func) (i32.const 1))) (call $f)))",
			),
		),
		(
			"results",
			module(
				"",
				&format!(
					"(func $two (param i64) (result i32 f64) (call $none) (return (i32.const 1) (f64.const 2))) \
					(func $also (result i32 f64) (loop) (br 0 (i32.const 1) (f64.const 2))) (func $none) {start}"
				),
			),
		),
		(
			"table",
			command(
				"(block (block (block (br_table 0 1 2 (i32.const 1))) nop) nop (return)) unreachable",
			),
		),
		(
			"dead",
			command(
				"(loop (return) (memory.grow (i32.const 1)) drop (loop (br 0)) (call $proc_exit (i32.const 1)))",
			),
		),
		(
			"floats",
			command(
				"(local f64) (local.set 0 (f64.sqrt (f64.mul (f64.const 3) (f64.nearest (local.get 0))))) \
				(drop (i64.trunc_sat_f64_s (f64.max (local.get 0) (f64.const nan))))",
			),
		),
		(
			"globals",
			module(
				"2",
				&format!(
					"(global $a (mut i32) (i32.add (i32.const 2) (i32.const 3))) \
					(global $b f32 (f32.const nan:0x200001)) (export \"a\" (global $a)) \
					(data (i32.const 8) \"abc\") (func (global.set $a (i32.popcnt (global.get $a)))) {start}"
				),
			),
		),
	]
}

#[test]
fn a_change_is_a_new_instrumentation() {
	let mut lines = format!("instrumentation {INSTRUMENTATION}\n");
	for (name, text) in texts() {
		let module = wat::parse_str(&text).expect("the test's module is well-formed");
		let metered = instrument(&module).expect("the test's module can run");
		writeln!(lines, "{name} {:?}", blake2_256(&metered)).unwrap();
	}
	assert!(
		lines == GOLDEN,
		"the meter has changed: that is a new INSTRUMENTATION, whose tests/golden.txt is\n{lines}"
	);
}

/// The table of the crate's page.
fn table() -> String {
	let mut table = String::from("| Gas | Instructions |\n|---|---|\n");
	for (gas, names) in cost::TABLE {
		let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
		writeln!(table, "| {gas} | {} |", names.join(", ")).unwrap();
	}
	writeln!(table, "| {} | every other |", cost::OTHER).unwrap();
	table
}

#[test]
fn the_table_is_in_the_readme() {
	let page = include_str!("../README.md");
	let table = table();
	assert!(
		page.contains(&table),
		"the cost table of README.md is not that of the code:\n{table}"
	);
}
