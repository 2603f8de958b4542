//! Packages that are paid by their bytes: large, deep, or made of what takes long to translate.

use super::packed;
use crate::corpus::Noise;
use crate::world;
use std::fmt::Write;
use wasm_encoder::{
	CodeSection, CustomSection, ExportKind, ExportSection, Function, FunctionSection,
	MemorySection, MemoryType, Module, Section, TypeSection, ValType,
};

/// Bytes of a custom section's frame around a short name: how far [`large`] may miss.
const FRAME_BYTES: usize = 16;

/// A package of about so many bytes, no more, made of functions such as compilers put out: loops,
/// branches, calls, loads and stores, integers and floats. Its call answers `ready`.
///
/// A million bytes are some thousands of functions.
pub fn large(bytes: usize) -> Vec<u8> {
	let mut noise = Noise::new(6);
	let mut functions: Vec<String> = Vec::new();
	let mut module = assembled(&functions);
	// The text says roughly how many functions it takes; what is missing is filled up.
	while module.len() + 2_048 < bytes {
		let missing = bytes - module.len();
		let average = match functions.len() {
			0 => 400,
			count => module.len() / count + 1,
		};
		for _ in 0..(missing / average / 2).max(1) {
			let index = functions.len();
			let callee = (index > 0).then(|| format!("$f{}", noise.below(index as u64)));
			let length = 40 + noise.below(260) as usize;
			let choices = noise.bytes(length);
			functions.push(world::function(
				&format!("$f{index}"),
				callee.as_deref(),
				&choices,
			));
		}
		module = assembled(&functions);
	}
	while module.len() > bytes && !functions.is_empty() {
		functions.truncate(functions.len() * 49 / 50);
		module = assembled(&functions);
	}
	if let Some(padding) = bytes.checked_sub(module.len() + FRAME_BYTES) {
		CustomSection {
			name: "padding".into(),
			data: vec![0; padding].into(),
		}
		.append_to(&mut module);
	}
	module
}

fn assembled(functions: &[String]) -> Vec<u8> {
	let functions: String = functions.concat();
	let text = format!(
		r#"(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $fd_write (param i32 i32 i32 i32) (result i32)))
			(memory (export "memory") 2)
			(global $count (mut i64) (i64.const 0))
			(data $passive "what is copied from here")
			(data (i32.const 0) "\08\00\00\00\05\00\00\00ready")
			{functions}
			(func (export "_start")
				(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))"#
	);
	wat::parse_str(text).expect("the text is that of a module")
}

/// Packages near the largest size or another limit of the profile, by name; [`large`] is besides.
pub fn shapes() -> Vec<(&'static str, Vec<u8>)> {
	vec![
		("tiny_functions", tiny_functions()),
		("straight_functions", straight_functions()),
		("many_locals", many_locals()),
		("branch_tables", branch_tables()),
		("nested", nested()),
		("loop_heads", loop_heads()),
		("small_segments", small_segments()),
		("one_segment", one_segment()),
		("recursion", recursion()),
		("empty_loop", empty_loop()),
	]
}

fn module(items: &str, start: &str) -> Vec<u8> {
	packed(&format!(
		r#"(module (memory (export "memory") 1)
			{items}
			(func (export "_start") {start}))"#
	))
}

/// As many functions as there may be, each called once, so that each is translated on its own.
fn tiny_functions() -> Vec<u8> {
	let (mut functions, mut calls) = (String::new(), String::new());
	let body = "(drop (i32.const 1))".repeat(10);
	for index in 0..19_900 {
		writeln!(functions, "(func $f{index} {body})").expect("a string takes any text");
		write!(calls, "(call $f{index})").expect("a string takes any text");
	}
	module(&functions, &calls)
}

/// Four functions of nearly the largest size, without a branch.
fn straight_functions() -> Vec<u8> {
	let body = "(local.set 0 (i64.add (local.get 0) (i64.const 1)))".repeat(32_000);
	let mut functions = String::new();
	for index in 0..4 {
		writeln!(functions, "(func $f{index} (local i64) {body})").expect("a string takes text");
	}
	module(&functions, "(call $f0) (call $f1) (call $f2) (call $f3)")
}

/// As many locals as there may be together, in as many functions as there may be, in few bytes.
fn many_locals() -> Vec<u8> {
	const COUNT: u32 = 19_900;
	let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
	types.ty().function([], []);
	let mut code = CodeSection::new();
	for _ in 0..COUNT {
		functions.function(0);
		let mut body = Function::new([(13, ValType::I64)]);
		body.instructions().end();
		code.function(&body);
	}
	functions.function(0);
	let mut start = Function::new([]);
	for index in 0..COUNT {
		start.instructions().call(index);
	}
	start.instructions().end();
	code.function(&start);
	let mut memories = MemorySection::new();
	memories.memory(MemoryType {
		minimum: 1,
		maximum: None,
		memory64: false,
		shared: false,
		page_size_log2: None,
	});
	let mut exports = ExportSection::new();
	exports.export("memory", ExportKind::Memory, 0);
	exports.export("_start", ExportKind::Func, COUNT);
	let mut module = Module::new();
	module
		.section(&types)
		.section(&functions)
		.section(&memories)
		.section(&exports)
		.section(&code);
	module.finish()
}

/// The longest table of targets, to labels that take as many results as any may have. A second one
/// would move more values than may be moved.
fn branch_tables() -> Vec<u8> {
	let results = "i64 ".repeat(32);
	let values = "(i64.const 1)".repeat(32);
	let drops = "drop ".repeat(32);
	let targets = "0 1 ".repeat(8_000);
	let table = format!(
		"(block (result {results}) (block (result {results}) {values} \
		(br_table {targets} (i32.const 1)))) {drops}"
	);
	module("", &table)
}

/// Blocks within blocks, as deep as they may be.
fn nested() -> Vec<u8> {
	let one = format!("{}{}", "block ".repeat(16_000), "end ".repeat(16_000));
	let mut functions = String::new();
	let mut calls = String::new();
	for index in 0..18 {
		writeln!(functions, "(func $f{index} {one})").expect("a string takes any text");
		write!(calls, "(call $f{index})").expect("a string takes any text");
	}
	module(&functions, &calls)
}

/// Loops that do not go round, as many as the limit of the meter's growth leaves.
fn loop_heads() -> Vec<u8> {
	let body = format!("(loop {})", "nop ".repeat(8)).repeat(20_000);
	let mut functions = String::new();
	for index in 0..4 {
		writeln!(functions, "(func $f{index} {body})").expect("a string takes any text");
	}
	module(&functions, "(call $f0) (call $f1) (call $f2) (call $f3)")
}

/// As many data segments as there may be.
fn small_segments() -> Vec<u8> {
	let mut segments = String::new();
	for index in 0..4_000 {
		writeln!(segments, "(data (i32.const {index}) \"x\")").expect("a string takes any text");
	}
	module(&segments, "")
}

/// All of the bytes in one data segment.
fn one_segment() -> Vec<u8> {
	let text = "x".repeat(1_000_000);
	packed(&format!(
		"(module (memory (export \"memory\") 16) (data (i32.const 0) \"{text}\") \
		(func (export \"_start\")))"
	))
}

/// The deepest recursion that the counted stack allows, again and again: it does not come to its end.
fn recursion() -> Vec<u8> {
	module(
		"(func $f (param i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) \
		(i32.const 1))))))",
		"(loop (call $f (i32.const 9000)) (br 0))",
	)
}

/// The loop that pays least for a round.
fn empty_loop() -> Vec<u8> {
	module("", "(loop (br 0))")
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::deep;
	use crate::mix::timed;
	use millrace_primitives::execution::{response_hash, CallStatus, MAX_PACKAGE_BYTES};
	use millrace_primitives::replay::ReplayOutcome;

	#[test]
	fn a_large_module_has_its_size_and_answers() {
		let package = large(200_000);
		assert!(package.len() <= 200_000 && package.len() > 199_000);
		assert!(millrace_executor::validate(&package).unwrap().functions > 200);
		let (_, outcome, _) = deep(|| timed(&package, 2_000_000));
		let ReplayOutcome::Ended {
			status, response, ..
		} = outcome
		else {
			panic!("{outcome:?}")
		};
		assert_eq!(status, CallStatus::Exited(0));
		assert_eq!(response, response_hash(b"ready"));
	}

	#[test]
	fn the_largest_modules_fit_into_a_package() {
		for (name, package) in shapes() {
			assert!(package.len() <= MAX_PACKAGE_BYTES as usize, "{name}");
			assert_eq!(millrace_executor::validate(&package).err(), None, "{name}");
		}
	}
}
