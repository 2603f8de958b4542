//! Writes programs: every byte of the input is a choice, and when they run out, the simplest one.

use millrace_executor::wasi::preview1;
use std::fmt::Write;

/// 64-bit locals of every function that programs work with; the counters of loops come after them.
pub(super) const LOCALS: u32 = 4;
/// Loops of a function. Each has a counter of its own, so that all of them end.
pub(super) const MAX_LOOPS: u32 = 6;
/// A local of type `f64`, behind the counters.
pub(super) const FLOAT: u32 = LOCALS + MAX_LOOPS;

/// Where lists of buffers, subscriptions and texts lie; see `super::data`.
const BUFFERS: u32 = 64;
const SUBSCRIPTIONS: u32 = 256;
const REQUEST: u32 = 1024;
/// Paths, and where they lie.
pub(super) const PATHS: [(u32, &str); 7] = [
	(512, "."),
	(520, "a.txt"),
	(530, "folder"),
	(540, "folder/b.bin"),
	(560, "folder/../a.txt"),
	(580, "../a.txt"),
	(590, "none"),
];
/// What a program asks of a host, if it may; see `super::data`.
pub(super) const HTTP: [(u32, &str); 3] = [
	(
		REQUEST,
		"GET http://a.example/x?y=1\r\naccept: text/plain\r\n\r\n",
	),
	(
		REQUEST + 128,
		"POST http://a.example/\r\ncontent-type: text/plain\r\n\r\nbody",
	),
	(REQUEST + 256, "GET http://b.example/\r\n\r\n"),
];

/// Functions that programs call more often than the rest, and what their arguments stand for: `f` a
/// descriptor, `v` and `c` a list of buffers and its length, `t` the address and `l` the length of a
/// buffer, `s` address and length of a path, `w` and `W` any number, `z` a small one, `u` a list of
/// subscriptions.
const SENSIBLE: [(&str, &str); 21] = [
	("args_get", "tt"),
	("clock_res_get", "zt"),
	("clock_time_get", "zWt"),
	("environ_get", "tt"),
	("environ_sizes_get", "tt"),
	("fd_advise", "fWWz"),
	("fd_close", "f"),
	("fd_fdstat_get", "ft"),
	("fd_filestat_get", "ft"),
	("fd_pread", "fvcWt"),
	("fd_prestat_dir_name", "ftl"),
	("fd_prestat_get", "ft"),
	("fd_read", "fvct"),
	("fd_readdir", "ftlWt"),
	("fd_renumber", "ff"),
	("fd_seek", "fWzt"),
	("fd_tell", "ft"),
	("fd_write", "fvct"),
	("path_filestat_get", "fzst"),
	("path_open", "fzszWWzt"),
	("poll_oneoff", "utzt"),
];

/// What a program may do beside computing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
	/// Nothing: it has memory and functions, no imports and no table.
	Alone,
	/// All that the profile has.
	Everything,
}

#[derive(Debug)]
pub(super) struct Writer<'a> {
	choices: &'a [u8],
	pub(super) text: String,
	reach: Reach,
	/// Function of type `(i64 i64) -> i64` that expressions may call.
	callee: Option<&'a str>,
	/// Labels around the place that is being written.
	depth: u32,
	loops: u32,
}

impl<'a> Writer<'a> {
	pub(super) fn new(choices: &'a [u8], reach: Reach, callee: Option<&'a str>) -> Self {
		Self {
			choices,
			text: String::new(),
			reach,
			callee,
			depth: 0,
			loops: 0,
		}
	}

	/// Whether anything is left to choose by.
	pub(super) fn has_choices(&self) -> bool {
		!self.choices.is_empty()
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

	fn push(&mut self, text: &str) {
		self.text.push_str(text);
	}

	fn local(&mut self) -> u32 {
		u32::from(self.choose(LOCALS as u8))
	}

	/// An operator with so many operands, written by `operand`.
	fn operator(&mut self, name: &str, operands: u32, nesting: u32, operand: fn(&mut Self, u32)) {
		write!(self.text, "({name}").expect("a string takes any text");
		for _ in 0..operands {
			self.push(" ");
			operand(self, nesting.saturating_sub(1));
		}
		self.push(")");
	}

	/// Another expression, wrapped.
	fn wrapped(&mut self, before: &str, nesting: u32, operand: fn(&mut Self, u32), after: &str) {
		self.push(before);
		operand(self, nesting.saturating_sub(1));
		self.push(after);
	}

	/// An expression of type `i64`.
	pub(super) fn value(&mut self, nesting: u32) {
		if nesting == 0 {
			let local = self.local();
			write!(self.text, "(local.get {local})").expect("a string takes any text");
			return;
		}
		let binary = [
			"add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr",
			"div_u", "div_s", "rem_u", "rem_s",
		];
		let unary = [
			"clz",
			"ctz",
			"popcnt",
			"extend8_s",
			"extend16_s",
			"extend32_s",
		];
		match self.choose(32) {
			0 | 1 => self.value(0),
			2 => {
				let number = i64::from(self.choose(255)) - 100;
				write!(self.text, "(i64.const {number})").expect("a string takes any text");
			}
			3 => {
				let number = 1u64 << self.choose(64);
				write!(self.text, "(i64.const {number})").expect("a string takes any text");
			}
			4 | 5 => {
				let name = unary[usize::from(self.choose(unary.len() as u8))];
				self.operator(&format!("i64.{name}"), 1, nesting, Self::value);
			}
			6 => self.wrapped("(i64.extend_i32_u ", nesting, Self::number, ")"),
			7 => self.wrapped("(i64.extend_i32_s ", nesting, Self::number, ")"),
			8 => self.wrapped("(i64.load ", nesting, Self::address, ")"),
			9 => self.wrapped("(i64.load16_s offset=3 ", nesting, Self::address, ")"),
			10 => self.wrapped("(i64.reinterpret_f64 ", nesting, Self::float, ")"),
			11 => self.wrapped("(i64.trunc_sat_f64_s ", nesting, Self::float, ")"),
			12 => self.wrapped("(i64.trunc_sat_f64_u ", nesting, Self::float, ")"),
			13 => self.wrapped("(i64.trunc_f64_s ", nesting, Self::float, ")"),
			14 => {
				self.push("(select ");
				self.value(nesting - 1);
				self.push(" ");
				self.value(nesting - 1);
				self.push(" ");
				self.number(nesting - 1);
				self.push(")");
			}
			15 | 16 => match self.callee {
				Some(callee) => {
					self.operator(&format!("call {callee}"), 2, nesting, Self::value);
				}
				None => self.value(0),
			},
			17 if self.reach == Reach::Everything => {
				self.push("(call_indirect (type $pair) ");
				self.value(nesting - 1);
				self.push(" ");
				self.value(nesting - 1);
				self.wrapped(" (i32.and (i32.const 7) ", nesting, Self::number, "))");
			}
			18 => {
				let local = self.local();
				write!(self.text, "(local.tee {local} ").expect("a string takes any text");
				self.value(nesting - 1);
				self.push(")");
			}
			19 => self.push("(global.get $count)"),
			20 => {
				// Two results, of which the sum is taken.
				self.push("(i64.add (block (result i64 i64) ");
				self.value(nesting - 1);
				self.push(" ");
				self.value(nesting - 1);
				self.push("))");
			}
			choice => {
				let name = binary[usize::from(choice) % binary.len()];
				self.operator(&format!("i64.{name}"), 2, nesting, Self::value);
			}
		}
	}

	/// An expression of type `i32`.
	fn number(&mut self, nesting: u32) {
		let binary = [
			"add", "sub", "mul", "and", "xor", "shl", "shr_u", "rotl", "div_s", "rem_u", "eq",
			"lt_s", "ge_u",
		];
		match self.choose(16) {
			_ if nesting == 0 => {
				let number = i32::from(self.choose(255)) - 20;
				write!(self.text, "(i32.const {number})").expect("a string takes any text");
			}
			0..=2 => self.wrapped("(i32.wrap_i64 ", nesting, Self::value, ")"),
			3 => self.operator("i64.lt_s", 2, nesting, Self::value),
			4 => self.operator("i64.eqz", 1, nesting, Self::value),
			5 => self.operator("f64.lt", 2, nesting, Self::float),
			6 => self.wrapped("(i32.trunc_sat_f64_u ", nesting, Self::float, ")"),
			7 => self.wrapped("(i32.load8_u ", nesting, Self::address, ")"),
			8 => self.push("(memory.size)"),
			9 => self.operator("i32.popcnt", 1, nesting, Self::number),
			10 if self.reach == Reach::Everything => self.push("(table.size $t)"),
			11 if self.reach == Reach::Everything => self.wrapped(
				"(ref.is_null (table.get $t (i32.and (i32.const 15) ",
				nesting,
				Self::number,
				")))",
			),
			choice => {
				let name = binary[usize::from(choice) * 7 % binary.len()];
				self.operator(&format!("i32.{name}"), 2, nesting, Self::number);
			}
		}
	}

	/// An expression of type `f64`.
	fn float(&mut self, nesting: u32) {
		let binary = ["add", "sub", "mul", "div", "min", "max", "copysign"];
		let unary = ["sqrt", "neg", "abs", "ceil", "floor", "trunc", "nearest"];
		match self.choose(16) {
			_ if nesting == 0 => write!(self.text, "(local.get {FLOAT})").expect("text"),
			0 | 1 => self.wrapped("(f64.convert_i64_s ", nesting, Self::value, ")"),
			2 => self.wrapped("(f64.convert_i32_u ", nesting, Self::number, ")"),
			3 | 4 => self.wrapped("(f64.reinterpret_i64 ", nesting, Self::value, ")"),
			5 => self.wrapped(
				"(f64.promote_f32 (f32.demote_f64 ",
				nesting,
				Self::float,
				"))",
			),
			6 => self.wrapped(
				"(f64.promote_f32 (f32.reinterpret_i32 ",
				nesting,
				Self::number,
				"))",
			),
			7 => self.wrapped("(f64.load ", nesting, Self::address, ")"),
			8..=11 => {
				let name = unary[usize::from(self.choose(unary.len() as u8))];
				self.operator(&format!("f64.{name}"), 1, nesting, Self::float);
			}
			_ => {
				let name = binary[usize::from(self.choose(binary.len() as u8))];
				self.operator(&format!("f64.{name}"), 2, nesting, Self::float);
			}
		}
	}

	/// An address, nearly always one inside of the first page.
	fn address(&mut self, nesting: u32) {
		if self.choose(32) == 31 {
			return self.number(nesting);
		}
		self.wrapped("(i32.and (i32.const 0xffff) ", nesting, Self::number, ")");
	}

	/// A length for what moves many bytes.
	fn length(&mut self, nesting: u32) {
		self.wrapped("(i32.and (i32.const 0x3ff) ", nesting, Self::number, ")");
	}

	/// Some statements.
	pub(super) fn statements(&mut self, nesting: u32) {
		for _ in 0..=self.choose(5) {
			self.statement(nesting);
		}
	}

	fn statement(&mut self, nesting: u32) {
		match self.choose(if nesting == 0 { 8 } else { 16 }) {
			0 | 1 => {
				let local = self.local();
				write!(self.text, "(local.set {local} ").expect("a string takes any text");
				self.value(3);
				self.push(")\n");
			}
			2 => {
				self.push("(i64.store ");
				self.address(2);
				self.push(" ");
				self.value(2);
				self.push(")\n");
			}
			3 => {
				self.wrapped(&format!("(local.set {FLOAT} "), 4, Self::float, ")\n");
			}
			4 => self.bulk(),
			5 | 6 if self.reach == Reach::Everything => self.host_call(),
			7 if self.reach == Reach::Everything => self.table(),
			8 | 9 => {
				self.push("(if ");
				self.number(2);
				self.push(" (then\n");
				self.statements(nesting - 1);
				self.push(") (else\n");
				self.statements(nesting - 1);
				self.push("))\n");
			}
			10 | 11 if self.loops < MAX_LOOPS => self.repeated(nesting),
			12 => {
				let label = self.depth;
				self.depth += 1;
				writeln!(self.text, "(block $b{label}").expect("a string takes any text");
				self.statements(nesting - 1);
				self.push(")\n");
				self.depth -= 1;
			}
			13 if self.depth > 0 => {
				// Never to a loop: those are left by their own counter alone.
				let label = u32::from(self.choose(self.depth.min(250) as u8));
				write!(self.text, "(br_if $b{label} ").expect("a string takes any text");
				self.number(2);
				self.push(")\n");
			}
			14 if self.depth > 0 => {
				let last = self.depth - 1;
				write!(self.text, "(block (br_table 0 $b{last} 0 ").expect("text");
				self.number(2);
				self.push("))\n");
			}
			15 => self.push("(global.set $count (i64.add (global.get $count) (i64.const 1)))\n"),
			_ => self.push("nop\n"),
		}
	}

	fn repeated(&mut self, nesting: u32) {
		let counter = LOCALS + self.loops;
		self.loops += 1;
		let rounds = self.choose(20) + 1;
		writeln!(
			self.text,
			"(local.set {counter} (i64.const 0)) (loop $l{counter}"
		)
		.expect("a string takes any text");
		self.statements(nesting - 1);
		writeln!(
			self.text,
			"(br_if $l{counter} (i64.lt_u (local.tee {counter} (i64.add (local.get {counter}) \
			(i64.const 1))) (i64.const {rounds}))))"
		)
		.expect("a string takes any text");
	}

	/// An instruction that moves many bytes, or grows the memory.
	fn bulk(&mut self) {
		match self.choose(6) {
			0 | 1 => {
				self.push("(memory.copy ");
				self.address(1);
				self.address(1);
				self.length(2);
			}
			2 => {
				self.push("(memory.fill ");
				self.address(1);
				self.number(1);
				self.length(2);
			}
			3 => {
				let from = self.choose(20);
				let length = self.choose(24);
				self.push("(memory.init $passive ");
				self.address(1);
				write!(self.text, "(i32.const {from}) (i32.const {length})").expect("text");
			}
			4 => {
				let pages = self.choose(6);
				self.push("(local.set 0 (i64.extend_i32_s (memory.grow ");
				write!(self.text, "(i32.const {pages})))").expect("a string takes any text");
			}
			// After this, only nothing can be taken from it.
			_ => match self.choose(8) {
				0 => self.push("(data.drop $passive"),
				_ => self.push("(nop"),
			},
		}
		self.push(")\n");
	}

	/// An instruction on the table.
	fn table(&mut self) {
		match self.choose(6) {
			0 => {
				self.push("(table.set $t (i32.and (i32.const 15) ");
				self.number(1);
				self.push(") (ref.func $helper))\n");
			}
			1 => {
				self.push("(table.set $t (i32.and (i32.const 7) ");
				self.number(1);
				self.push(") (ref.null func))\n");
			}
			2 => {
				let count = self.choose(20);
				writeln!(
					self.text,
					"(local.set 1 (i64.extend_i32_s (table.grow $t (ref.func $other) \
					(i32.const {count}))))"
				)
				.expect("a string takes any text");
			}
			3 => {
				let (at, count) = (self.choose(12), self.choose(6));
				writeln!(
					self.text,
					"(table.fill $t (i32.const {at}) (ref.func $helper) (i32.const {count}))"
				)
				.expect("a string takes any text");
			}
			4 => {
				let (to, from, count) = (self.choose(10), self.choose(10), self.choose(5));
				writeln!(
					self.text,
					"(table.copy $t $t (i32.const {to}) (i32.const {from}) (i32.const {count}))"
				)
				.expect("a string takes any text");
			}
			_ => {
				let (to, count) = (self.choose(10), self.choose(4));
				writeln!(
					self.text,
					"(table.init $t $functions (i32.const {to}) (i32.const 0) (i32.const {count}))"
				)
				.expect("a string takes any text");
			}
		}
	}

	/// A call to the host, whose answer goes into a local.
	fn host_call(&mut self) {
		match self.choose(16) {
			0 => {
				self.push("(if (i32.eqz ");
				self.number(2);
				self.push(") (then (call $proc_exit ");
				self.number(1);
				self.push(")))\n");
			}
			1 => {
				let length = self.choose(255);
				self.push("(drop (call $random_get ");
				self.address(1);
				writeln!(self.text, " (i32.const {length})))").expect("a string takes any text");
			}
			2 | 3 => self.effect(),
			4 => {
				// Any function with any numbers: most of them are not there.
				let index = usize::from(self.choose(preview1::FUNCTIONS.len() as u8));
				let (name, parameters, results) = preview1::FUNCTIONS[index];
				if results.is_empty() {
					return;
				}
				self.begin_answer(name);
				for letter in parameters.chars() {
					match letter {
						'i' => self.number(1),
						_ => self.value(1),
					}
				}
				self.push(")))\n");
			}
			_ => {
				let index = usize::from(self.choose(SENSIBLE.len() as u8));
				let (name, arguments) = SENSIBLE[index];
				self.begin_answer(name);
				for letter in arguments.chars() {
					self.argument(letter);
				}
				self.push(")))\n");
			}
		}
	}

	fn begin_answer(&mut self, name: &str) {
		let local = self.local();
		write!(
			self.text,
			"(local.set {local} (i64.extend_i32_u (call ${name} "
		)
		.expect("a string takes any text");
	}

	fn argument(&mut self, letter: char) {
		// Now and then it is anything at all.
		if self.choose(32) == 31 && letter != 's' {
			return match letter {
				'W' => self.value(1),
				_ => self.number(1),
			};
		}
		match letter {
			'f' => {
				let fd = self.choose(6);
				write!(self.text, "(i32.const {fd}) ").expect("a string takes any text");
			}
			'v' => write!(self.text, "(i32.const {BUFFERS}) ").expect("text"),
			'u' => write!(self.text, "(i32.const {SUBSCRIPTIONS}) ").expect("text"),
			'c' | 'z' => {
				let count = self.choose(4);
				write!(self.text, "(i32.const {count}) ").expect("a string takes any text");
			}
			't' => {
				let at = 4096 + 64 * u32::from(self.choose(16));
				write!(self.text, "(i32.const {at}) ").expect("a string takes any text");
			}
			'l' => {
				let length = self.choose(200);
				write!(self.text, "(i32.const {length}) ").expect("a string takes any text");
			}
			's' => {
				let (at, path) = PATHS[usize::from(self.choose(PATHS.len() as u8))];
				let length = path.len();
				write!(self.text, "(i32.const {at}) (i32.const {length}) ").expect("text");
			}
			'W' => {
				let number = i64::from(self.choose(40)) - 4;
				write!(self.text, "(i64.const {number}) ").expect("a string takes any text");
			}
			_ => self.number(1),
		}
	}

	/// Asks a host, or reads on in the last reply.
	fn effect(&mut self) {
		let local = self.local();
		write!(self.text, "(local.set {local} (i64.extend_i32_u ").expect("text");
		if self.choose(2) == 0 {
			let (at, request) = HTTP[usize::from(self.choose(HTTP.len() as u8))];
			let length = request.len();
			write!(
				self.text,
				"(call $effect_call (i32.const {at}) (i32.const {length}) (i32.const 4096))"
			)
			.expect("a string takes any text");
		} else {
			let length = self.choose(100);
			write!(
				self.text,
				"(call $effect_read (i32.const 5000) (i32.const {length}))"
			)
			.expect("a string takes any text");
		}
		self.push("))\n");
	}
}
