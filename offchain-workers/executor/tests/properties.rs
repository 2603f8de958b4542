//! The meter changes nothing but the meter: random programs do the same with and without it.

mod common;

use common::{engine, limits, request, run_with, PLENTY};
use millrace_executor::CallOutput;
use millrace_primitives::execution::CallStatus;
use proptest::prelude::*;
use std::fmt::Write;
use wasmtime::{Caller, Config, Extern, Linker, Module, Store, Trap};

/// Writes programs: every byte of the input is a choice, and when they run out, the simplest one.
struct Writer<'a> {
	choices: &'a [u8],
	text: String,
	/// Labels around the place that is being written.
	depth: u32,
	/// Counters of loops; each loop has its own, so that all of them end.
	loops: u32,
}

const MAX_LOOPS: u32 = 4;
/// Locals of every function: four to work with, then the counters, which are 32-bit.
const LOCALS: u32 = 4;

impl Writer<'_> {
	fn choose(&mut self, among: u8) -> u8 {
		match self.choices.split_first() {
			Some((choice, rest)) => {
				self.choices = rest;
				choice % among
			}
			None => 0,
		}
	}

	fn local(&mut self) -> u32 {
		u32::from(self.choose(LOCALS as u8))
	}

	/// An expression of type i64.
	fn value(&mut self, nesting: u32) {
		if nesting == 0 {
			let local = self.local();
			write!(self.text, "(local.get {local})").unwrap();
			return;
		}
		let binary = [
			"add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "rotl", "div_u", "rem_s",
		];
		match self.choose(20) {
			0 | 1 => self.value(0),
			2 => {
				let number = i64::from(self.choose(255)) - 100;
				write!(self.text, "(i64.const {number})").unwrap();
			}
			3 => self.wrapped("(i64.clz ", nesting, ")"),
			4 => self.wrapped("(i64.extend_i32_u (i32.wrap_i64 ", nesting, "))"),
			5 => self.wrapped(
				"(i64.load (i32.and (i32.wrap_i64 ",
				nesting,
				") (i32.const 0xffff)))",
			),
			6 => self.wrapped(
				"(i64.reinterpret_f64 (f64.sqrt (f64.convert_i64_s ",
				nesting,
				")))",
			),
			7 => self.wrapped("(i64.trunc_sat_f64_s (f64.reinterpret_i64 ", nesting, "))"),
			8 if self.depth > 0 => {
				// The callee has no callee: depth 0 there.
				self.text.push_str("(call $helper ");
				self.value(nesting - 1);
				self.text.push(' ');
				self.value(nesting - 1);
				self.text.push(')');
			}
			choice => {
				let operator = binary[usize::from(choice) % binary.len()];
				write!(self.text, "(i64.{operator} ").unwrap();
				self.value(nesting - 1);
				self.text.push(' ');
				self.value(nesting - 1);
				self.text.push(')');
			}
		}
	}

	fn wrapped(&mut self, before: &str, nesting: u32, after: &str) {
		self.text.push_str(before);
		self.value(nesting - 1);
		self.text.push_str(after);
	}

	fn condition(&mut self) {
		self.text.push_str("(i32.wrap_i64 ");
		self.value(2);
		self.text.push(')');
	}

	fn statements(&mut self, nesting: u32) {
		for _ in 0..=self.choose(4) {
			self.statement(nesting);
		}
	}

	fn statement(&mut self, nesting: u32) {
		match self.choose(if nesting == 0 { 5 } else { 10 }) {
			0 | 1 => {
				let local = self.local();
				write!(self.text, "(local.set {local} ").unwrap();
				self.value(3);
				self.text.push_str(")\n");
			}
			2 => {
				self.text.push_str("(i64.store (i32.and (i32.wrap_i64 ");
				self.value(2);
				self.text.push_str(") (i32.const 0xfff8)) ");
				self.value(2);
				self.text.push_str(")\n");
			}
			3 => {
				let length = u32::from(self.choose(200)) * 16;
				writeln!(
					self.text,
					"(memory.copy (i32.const 1000) (i32.const 2000) (i32.const {length}))"
				)
				.unwrap();
			}
			4 if self.depth > 1 => {
				let label = u32::from(self.choose(self.depth.min(250) as u8));
				self.text.push_str("(br_if ");
				// Never to a loop: those are left by their own counter alone.
				write!(self.text, "$b{label} ").unwrap();
				self.condition();
				self.text.push_str(")\n");
			}
			5 | 6 => {
				self.text.push_str("(if ");
				self.condition();
				self.text.push_str(" (then\n");
				self.statements(nesting - 1);
				self.text.push_str(") (else\n");
				self.statements(nesting - 1);
				self.text.push_str("))\n");
			}
			7 if self.loops < MAX_LOOPS => {
				let counter = LOCALS + self.loops;
				self.loops += 1;
				writeln!(
					self.text,
					"(local.set {counter} (i64.const 0)) (loop $l{counter}"
				)
				.unwrap();
				self.statements(nesting - 1);
				writeln!(
					self.text,
					"(br_if $l{counter} (i64.lt_u (local.tee {counter} \
					(i64.add (local.get {counter}) (i64.const 1))) (i64.const 5))))"
				)
				.unwrap();
			}
			8 => {
				let label = self.depth;
				self.depth += 1;
				writeln!(self.text, "(block $b{label}").unwrap();
				self.statements(nesting - 1);
				self.text.push_str(")\n");
				self.depth -= 1;
			}
			9 if self.depth > 0 => self.text.push_str("(br_if $b0 (i32.const 0))\n"),
			_ => self.text.push_str("nop\n"),
		}
	}
}

/// A program that computes for a while, and writes its locals and some memory out.
fn program(choices: &[u8]) -> String {
	let (helper, main) = choices.split_at(choices.len() / 3);
	let locals = "i64 ".repeat((LOCALS + MAX_LOOPS) as usize);
	let mut writer = Writer {
		choices: helper,
		text: String::new(),
		depth: 0,
		loops: 0,
	};
	writer.value(4);
	let helper = writer.text;
	let mut writer = Writer {
		choices: main,
		text: String::new(),
		depth: 1,
		loops: 0,
	};
	writer.statements(4);
	let main = writer.text;
	let mut stores = String::new();
	for local in 0..LOCALS {
		let at = 16 + 8 * local;
		write!(stores, "(i64.store (i32.const {at}) (local.get {local}))").unwrap();
	}
	format!(
		r#"(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $fd_write (param i32 i32 i32 i32) (result i32)))
			(memory (export "memory") 2)
			(func $helper (param i64 i64) (result i64) (local {locals})
				{helper})
			(func (export "_start") (local {locals})
				(local.set 1 (i64.const 77)) (local.set 2 (i64.const -3))
				(block $b0
				{main})
				{stores}
				(i32.store (i32.const 0) (i32.const 16))
				(i32.store (i32.const 4) (i32.const 4096))
				(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#
	)
}

/// The outcome in wasmtime as it comes, without a meter.
fn plain(module: &[u8]) -> (CallStatus, Vec<u8>) {
	let mut config = Config::new();
	config.cranelift_nan_canonicalization(true);
	let engine = wasmtime::Engine::new(&config).unwrap();
	let mut linker = Linker::new(&engine);
	linker
		.func_wrap("wasi_snapshot_preview1", "fd_write", write_out)
		.unwrap();
	let module = Module::from_binary(&engine, module).unwrap();
	let mut store = Store::new(&engine, Vec::new());
	let instance = linker.instantiate(&mut store, &module).unwrap();
	let start = instance
		.get_typed_func::<(), ()>(&mut store, "_start")
		.unwrap();
	match start.call(&mut store, ()) {
		Ok(()) => (CallStatus::Exited(0), store.into_data()),
		Err(error) if error.downcast_ref::<Trap>().is_some() => (CallStatus::Trapped, Vec::new()),
		Err(error) => panic!("{error:#}"),
	}
}

/// As much of `fd_write` as the programs need: one buffer, to standard output.
fn write_out(mut caller: Caller<'_, Vec<u8>>, _: i32, list: i32, _: i32, _: i32) -> i32 {
	let memory = caller.get_export("memory").and_then(Extern::into_memory);
	let (bytes, output) = memory.unwrap().data_and_store_mut(&mut caller);
	let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
	let (at, length) = (number(list as usize), number(list as usize + 4));
	output.extend_from_slice(&bytes[at..at + length]);
	0
}

fn metered(text: &str, gas: u64) -> CallOutput {
	run_with(text, &request(b""), limits(gas)).unwrap()
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

	#[test]
	fn the_meter_preserves_results(choices in prop::collection::vec(any::<u8>(), 0..400)) {
		let text = program(&choices);
		let with = metered(&text, PLENTY);
		let (status, response) = plain(&wat::parse_str(&text).unwrap());
		prop_assert_eq!(with.status, status);
		prop_assert_eq!(&with.response, &response);

		// Exactly the gas that it used is enough, and one less is not.
		let enough = metered(&text, with.gas);
		prop_assert_eq!(&enough, &with);
		let short = metered(&text, with.gas - 1);
		prop_assert_eq!(short.status, CallStatus::OutOfGas);
		prop_assert_eq!(short.gas, with.gas - 1);
	}

	#[test]
	fn rubbish_is_refused_without_a_panic(
		choices in prop::collection::vec(any::<u8>(), 0..100),
		at in any::<prop::sample::Index>(),
		byte in any::<u8>(),
	) {
		let mut module = wat::parse_str(program(&choices)).unwrap();
		let at = at.index(module.len());
		module[at] = byte;
		// Whatever is not refused must compile.
		if millrace_executor::validate::whole(&module).is_ok() {
			prop_assert!(engine().load(&module).is_ok());
		}
	}
}
