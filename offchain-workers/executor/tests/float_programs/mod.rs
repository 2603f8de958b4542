//! Programs that compute with floats, most of them no numbers, and what they begin with.

use crate::common::module;
use std::fmt::Write;

/// A type of floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Float {
	F32,
	F64,
}

use Float::{F32, F64};

impl Float {
	/// Its name in the text format.
	pub(crate) fn name(self) -> &'static str {
		match self {
			F32 => "f32",
			F64 => "f64",
		}
	}

	/// First letter of the names of its locals.
	fn letter(self) -> char {
		match self {
			F32 => 's',
			F64 => 'd',
		}
	}

	/// Its size.
	fn bytes(self) -> usize {
		match self {
			F32 => 4,
			F64 => 8,
		}
	}

	/// Where its inputs begin.
	fn inputs(self) -> usize {
		match self {
			F32 => 320,
			F64 => 64,
		}
	}

	/// An expression that loads an input.
	pub(crate) fn input(self, index: usize) -> String {
		let at = self.inputs() + self.bytes() * (index % INPUTS);
		format!("({}.load (i32.const {at}))", self.name())
	}

	/// The bits of the canonical NaN.
	pub(crate) fn canonical(self) -> u64 {
		match self {
			F32 => 0x7fc0_0000,
			F64 => 0x7ff8_0000_0000_0000,
		}
	}

	/// The bit of its sign.
	pub(crate) fn sign(self) -> u64 {
		1 << (8 * self.bytes() - 1)
	}
}

/// Inputs of each type.
const INPUTS: usize = 14;

/// NaNs of all kinds, infinities, zeros, and some numbers.
pub(crate) const F64_INPUTS: [u64; INPUTS] = [
	0x7ff8_0000_0000_0000,
	0xfff8_0000_0000_0000,
	0x7ff0_0000_0000_0001,
	0xfff4_0000_0000_0123,
	0x7ff8_0000_00ab_cdef,
	0x7ff0_0000_0000_0000,
	0xfff0_0000_0000_0000,
	0x0000_0000_0000_0000,
	0x8000_0000_0000_0000,
	0x3ff0_0000_0000_0000,
	0xbff8_0000_0000_0000,
	0x7fef_ffff_ffff_ffff,
	0x0000_0000_0000_0001,
	0x4009_21fb_5444_2d18,
];
/// The same.
const F32_INPUTS: [u32; INPUTS] = [
	0x7fc0_0000,
	0xffc0_0000,
	0x7f80_0001,
	0xffa0_0123,
	0x7fca_bcde,
	0x7f80_0000,
	0xff80_0000,
	0x0000_0000,
	0x8000_0000,
	0x3f80_0000,
	0xbfc0_0000,
	0x7f7f_ffff,
	0x0000_0001,
	0x4049_0fdb,
];

/// The inputs as data of a module.
pub(crate) fn data() -> String {
	let mut data = String::new();
	for (float, bytes) in [
		(F64, F64_INPUTS.map(u64::to_le_bytes).concat()),
		(F32, F32_INPUTS.map(u32::to_le_bytes).concat()),
	] {
		write!(data, "(data (i32.const {}) \"", float.inputs()).unwrap();
		for byte in bytes {
			write!(data, "\\{byte:02x}").unwrap();
		}
		data.push_str("\")");
	}
	data
}

/// Writes programs: every byte of the input is a choice, and when they run out, the simplest one.
struct Writer<'a> {
	choices: &'a [u8],
	text: String,
	/// Blocks around the place that is being written, and what each gives.
	blocks: Vec<(u32, Option<Float>)>,
	/// Names that were given to blocks.
	names: u32,
	loops: u32,
	/// Whether it writes the main function, which calls others and may return early.
	main: bool,
}

/// Loops of a function, each with a counter of its own.
const LOOPS: u32 = 4;
/// Locals of each type.
const LOCALS: u8 = 4;
/// Where programs write to, and how many places there are.
const OUTPUTS: usize = 512;
const PLACES: u8 = 32;

const CONSTANTS: [&str; 9] = [
	"0",
	"-0",
	"1",
	"-2.5",
	"inf",
	"-inf",
	"nan",
	"-nan",
	"nan:0x200123",
];

impl<'a> Writer<'a> {
	fn new(choices: &'a [u8], main: bool) -> Self {
		Self {
			choices,
			text: String::new(),
			blocks: Vec::new(),
			names: 0,
			loops: 0,
			main,
		}
	}

	fn choose(&mut self, among: u8) -> u8 {
		match self.choices.split_first() {
			Some((choice, rest)) => {
				self.choices = rest;
				choice % among
			}
			None => 0,
		}
	}

	fn float(&mut self) -> Float {
		[F64, F32][usize::from(self.choose(2))]
	}

	fn local(&mut self, float: Float) -> String {
		format!("${}{}", float.letter(), self.choose(LOCALS))
	}

	/// A place in memory of its own.
	fn place(&mut self) -> usize {
		OUTPUTS + 8 * usize::from(self.choose(PLACES))
	}

	/// An operator with its operands.
	fn form(&mut self, operator: &str, operands: &[Float], nesting: u32) {
		write!(self.text, "({operator} ").unwrap();
		for float in operands {
			self.value(*float, nesting);
			self.text.push(' ');
		}
		self.text.push(')');
	}

	fn leaf(&mut self, float: Float) {
		let text = match self.choose(5) {
			0..=2 => format!("(local.get {})", self.local(float)),
			3 => {
				let index = self.choose(CONSTANTS.len() as u8);
				let constant = CONSTANTS[usize::from(index)];
				format!("({}.const {constant})", float.name())
			}
			_ => {
				let index = self.choose(INPUTS as u8);
				float.input(usize::from(index))
			}
		};
		self.text.push_str(&text);
	}

	/// An expression of a type.
	fn value(&mut self, float: Float, nesting: u32) {
		let Some(nesting) = nesting.checked_sub(1) else {
			return self.leaf(float);
		};
		let name = float.name();
		match self.choose(22) {
			0 | 1 => self.leaf(float),
			2..=7 => {
				let operators = ["add", "sub", "mul", "div", "min", "max"];
				let operator = operators[usize::from(self.choose(6))];
				self.form(&format!("{name}.{operator}"), &[float, float], nesting);
			}
			8 | 9 => {
				let operators = ["sqrt", "ceil", "floor", "trunc", "nearest"];
				let operator = operators[usize::from(self.choose(5))];
				self.form(&format!("{name}.{operator}"), &[float], nesting);
			}
			10 => {
				let operator = ["neg", "abs"][usize::from(self.choose(2))];
				self.form(&format!("{name}.{operator}"), &[float], nesting);
			}
			11 => self.form(&format!("{name}.copysign"), &[float, float], nesting),
			12 | 13 => {
				let ty = if self.choose(2) == 0 {
					String::new()
				} else {
					format!("(result {name})")
				};
				write!(self.text, "(select {ty} ").unwrap();
				self.value(float, nesting);
				self.value(float, nesting);
				self.condition(nesting);
				self.text.push(')');
			}
			14 | 15 => {
				let local = self.local(float);
				self.form(&format!("local.tee {local}"), &[float], nesting);
			}
			16 => match float {
				F32 => self.form("f32.demote_f64", &[F64], nesting),
				F64 => self.form("f64.promote_f32", &[F32], nesting),
			},
			17 => {
				let block = self.open(Some(float));
				write!(self.text, "(block $b{block} (result {name}) ").unwrap();
				self.statements(nesting);
				if self.choose(2) == 0 {
					self.value(float, nesting);
				} else {
					// It gives its value on, whether it branches or not.
					write!(self.text, "(br_if $b{block} ").unwrap();
					self.value(float, nesting);
					self.condition(nesting);
					self.text.push(')');
				}
				self.close();
			}
			18 => {
				write!(self.text, "(if (result {name}) ").unwrap();
				self.condition(nesting);
				self.text.push_str(" (then ");
				self.value(float, nesting);
				self.text.push_str(") (else ");
				self.statements(nesting);
				self.value(float, nesting);
				self.text.push_str("))");
			}
			19 if self.main => {
				let callee = ["$narrow", "$wide"][usize::from(float == F64)];
				self.form(&format!("call {callee}"), &[F64, F32], nesting);
			}
			20 if self.main && float == F64 => {
				self.text
					.push_str("(call_indirect (param f64 f32) (result f64) ");
				self.value(F64, nesting);
				self.value(F32, nesting);
				self.text.push_str("(i32.const 0))");
			}
			_ => write!(self.text, "(global.get ${name})").unwrap(),
		}
	}

	fn condition(&mut self, nesting: u32) {
		let float = self.float();
		let name = float.name();
		match self.choose(5) {
			0..=2 => {
				let operators = ["lt", "ge", "eq", "ne", "gt", "le"];
				let operator = operators[usize::from(self.choose(6))];
				let nesting = nesting.saturating_sub(1);
				self.form(&format!("{name}.{operator}"), &[float, float], nesting);
			}
			3 => self.form(&format!("i32.trunc_sat_{name}_s"), &[float], nesting),
			// What it is depends on the bits of a NaN.
			_ => match float {
				F32 => {
					self.text.push_str("(i32.and (i32.const 0x80001fff) ");
					self.form("i32.reinterpret_f32", &[F32], nesting);
					self.text.push(')');
				}
				F64 => {
					self.text.push_str("(i64.lt_s (i64.const 0) ");
					self.form("i64.reinterpret_f64", &[F64], nesting);
					self.text.push(')');
				}
			},
		}
	}

	fn open(&mut self, gives: Option<Float>) -> u32 {
		let name = self.names;
		self.names += 1;
		self.blocks.push((name, gives));
		name
	}

	fn close(&mut self) {
		self.blocks.pop();
		self.text.push(')');
	}

	fn statements(&mut self, nesting: u32) {
		for _ in 0..self.choose(4) {
			self.statement(nesting);
		}
	}

	fn statement(&mut self, nesting: u32) {
		let float = self.float();
		let name = float.name();
		let choices = if nesting == 0 { 6 } else { 15 };
		let inner = nesting.saturating_sub(1);
		match self.choose(choices) {
			0..=2 => {
				let local = self.local(float);
				self.form(&format!("local.set {local}"), &[float], nesting);
			}
			3 => {
				let place = self.place();
				write!(self.text, "({name}.store (i32.const {place}) ").unwrap();
				self.value(float, nesting);
				self.text.push(')');
			}
			4 => self.form("drop", &[float], nesting),
			5 => self.form(&format!("global.set ${name}"), &[float], nesting),
			6 | 7 => {
				self.text.push_str("(if ");
				self.condition(inner);
				self.text.push_str(" (then ");
				self.statements(inner);
				self.text.push_str(") (else ");
				self.statements(inner);
				self.text.push_str("))");
			}
			8 | 9 if self.loops < LOOPS => {
				let counter = self.loops;
				self.loops += 1;
				write!(
					self.text,
					"(local.set $n{counter} (i32.const 0)) (loop $l{counter} "
				)
				.unwrap();
				self.statements(inner);
				write!(
					self.text,
					"(br_if $l{counter} (i32.lt_u (local.tee $n{counter} \
					(i32.add (local.get $n{counter}) (i32.const 1))) (i32.const 4))))"
				)
				.unwrap();
			}
			10 => {
				let block = self.open(None);
				write!(self.text, "(block $b{block} ").unwrap();
				self.statements(inner);
				self.close();
			}
			11 | 12 if !self.blocks.is_empty() => self.branch(inner),
			13 if self.main => {
				self.text.push_str("(if ");
				self.condition(inner);
				self.text.push_str(" (then ");
				self.form("return", &[F64], inner);
				self.text.push_str("))");
			}
			_ => {
				let place = self.place();
				let integer = ["i32", "i64"][usize::from(float == F64)];
				write!(
					self.text,
					"({integer}.store (i32.const {place}) ({integer}.reinterpret_{name} "
				)
				.unwrap();
				self.value(float, nesting);
				self.text.push_str("))");
			}
		}
	}

	/// A branch out of a block, with or without code behind it that is never reached.
	fn branch(&mut self, nesting: u32) {
		let index = usize::from(self.choose(self.blocks.len().min(250) as u8));
		let (block, gives) = self.blocks[index];
		let operands: Vec<Float> = gives.into_iter().collect();
		let choice = self.choose(5);
		if choice < 3 {
			self.text
				.push_str(if gives.is_some() { "(drop " } else { "" });
			write!(self.text, "(br_if $b{block} ").unwrap();
			for float in operands {
				self.value(float, nesting);
			}
			self.condition(nesting);
			self.text.push_str(if gives.is_some() { "))" } else { ")" });
			return;
		}
		self.text.push_str("(if ");
		self.condition(nesting);
		self.text.push_str(" (then ");
		if choice == 3 {
			self.form(&format!("br $b{block}"), &operands, nesting);
			self.text.push_str(" (f64.add) (local.set $d0)");
		} else {
			write!(self.text, "(br_table $b{block} $b{block} ").unwrap();
			for float in operands {
				self.value(float, nesting);
			}
			self.text.push_str("(i32.const 1))");
		}
		self.text.push_str("))");
	}
}

/// A program that computes with floats for a while, and writes out what it stored.
pub(crate) fn program(choices: &[u8]) -> String {
	let (helpers, main) = choices.split_at(choices.len() / 4);
	let (wide, narrow) = helpers.split_at(helpers.len() / 2);
	let helper = |choices: &[u8], float: Float| {
		let mut writer = Writer::new(choices, false);
		writer.statements(2);
		writer.value(float, 3);
		writer.text
	};
	let (wide, narrow) = (helper(wide, F64), helper(narrow, F32));
	let mut writer = Writer::new(main, true);
	for _ in 0..4 {
		writer.statements(4);
	}
	writer.value(F64, 4);
	let main = writer.text;
	let counters: String = (0..LOOPS)
		.map(|number| format!("(local $n{number} i32)"))
		.collect();
	let declared = "(local $d2 f64) (local $s2 f32) (local $d3 f64) (local $s3 f32)";
	let helper_locals = format!("(local $d1 f64) (local $s1 f32) {declared} {counters}");
	// Every call gets other inputs; what it gives goes behind what it stores.
	let mut calls = String::new();
	for (call, first) in [1, 3, 5, 9, 12].into_iter().enumerate() {
		let at = OUTPUTS + 8 * usize::from(PLACES) + 8 * call;
		let arguments = [
			F64.input(first),
			F64.input(first + 4),
			F32.input(first + 1),
			F32.input(first + 7),
		];
		let arguments = arguments.concat();
		write!(
			calls,
			"(f64.store (i32.const {at}) (call $main {arguments}))"
		)
		.unwrap();
	}
	let items = format!(
		"{} (global $f64 (mut f64) (f64.const 0)) (global $f32 (mut f32) (f32.const 0)) \
		(table 1 funcref) (elem (i32.const 0) $wide) \
		(func $wide (param $d0 f64) (param $s0 f32) (result f64) {helper_locals} {wide}) \
		(func $narrow (param $d0 f64) (param $s0 f32) (result f32) {helper_locals} {narrow}) \
		(func $main (param $d0 f64) (param $d1 f64) (param $s0 f32) (param $s1 f32) (result f64) \
		{declared} {counters} {main}) \
		(func (export \"_start\") {calls} \
		(f64.store (i32.const 960) (global.get $f64)) (f32.store (i32.const 968) (global.get $f32)) \
		(call $write (i32.const 1) (i32.const {OUTPUTS}) (i32.const 512)))",
		data()
	);
	module("", &items)
}
