//! What a program does and costs, worked out apart from the meter: every instruction is priced when
//! it is executed, and nothing is known of runs, modes or counters.
//!
//! Only the instructions that [`program`] writes are understood.

use std::fmt::Write;
use wasmparser::{BlockType, Operator, Parser, Payload};

/// Functions of a program. Each may call those behind it, so that there is no recursion.
const FUNCTIONS: u32 = 4;
/// Loops in one function, each with a counter of its own.
const LOOPS: u32 = 3;
/// Locals to work with: the two parameters, and two more. The counters come behind them.
const LOCALS: u32 = 4;

/// Price of an instruction, without what grows with a length.
fn price(operator: &Operator<'_>) -> u64 {
	match operator {
		Operator::Block { .. } | Operator::Loop { .. } | Operator::Else | Operator::End => 0,
		Operator::BrTable { .. } => 2,
		Operator::I32Load { .. } | Operator::I32Store { .. } | Operator::Call { .. } => 4,
		Operator::MemoryFill { .. } => 40,
		_ => 1,
	}
}

/// A function as it was read.
struct Function<'a> {
	parameters: usize,
	results: usize,
	locals: usize,
	code: Vec<Operator<'a>>,
	/// Of what opens a block, and of `else`: where the block ends.
	ends: Vec<usize>,
	/// Of `if`: where its `else` is.
	elses: Vec<Option<usize>>,
}

/// Where a branch goes.
struct Label {
	to: usize,
	height: usize,
	arity: usize,
}

/// A program and what it has done so far.
pub(crate) struct Evaluator<'a> {
	functions: Vec<Function<'a>>,
	memory: Vec<u8>,
	gas: u64,
	/// Instructions that may still be executed.
	patience: u64,
}

impl<'a> Evaluator<'a> {
	/// Reads a module of one memory page.
	pub(crate) fn new(module: &'a [u8], patience: u64) -> Self {
		let (mut types, mut declared, mut functions) = (Vec::new(), Vec::new(), Vec::new());
		for payload in Parser::new(0).parse_all(module) {
			match payload.unwrap() {
				Payload::TypeSection(section) => {
					types.extend(section.into_iter_err_on_gc_types().map(Result::unwrap));
				}
				Payload::FunctionSection(section) => {
					declared.extend(section.into_iter().map(Result::unwrap));
				}
				Payload::CodeSectionEntry(body) => {
					let ty = &types[declared[functions.len()] as usize];
					let groups = body.get_locals_reader().unwrap();
					let locals: u32 = groups.into_iter().map(|group| group.unwrap().0).sum();
					let operators = body.get_operators_reader().unwrap();
					let code: Vec<_> = operators.into_iter().map(Result::unwrap).collect();
					let (ends, elses) = structure(&code);
					functions.push(Function {
						parameters: ty.params().len(),
						results: ty.results().len(),
						locals: locals as usize,
						code,
						ends,
						elses,
					});
				}
				_ => {}
			}
		}
		Self {
			functions,
			memory: vec![0; 65_536],
			gas: 0,
			patience,
		}
	}

	/// What the first function returns and what that costs; nothing if it takes too long.
	pub(crate) fn run(mut self, arguments: &[i32]) -> Option<(Vec<i32>, u64)> {
		let results = self.call(0, arguments.to_vec())?;
		Some((results, self.gas))
	}

	fn call(&mut self, index: usize, mut locals: Vec<i32>) -> Option<Vec<i32>> {
		let function = &self.functions[index];
		// Four locals are cleared for one gas. No branch and no call here gives as many values.
		self.gas += function.locals as u64 / 4;
		locals.resize(function.parameters + function.locals, 0);
		let mut stack: Vec<i32> = Vec::new();
		let mut labels = vec![Label {
			to: function.code.len(),
			height: 0,
			arity: function.results,
		}];
		let mut next = 0;
		while next < self.functions[index].code.len() {
			self.patience = self.patience.checked_sub(1)?;
			let function = &self.functions[index];
			let at = next;
			let operator = function.code[at].clone();
			self.gas += price(&operator);
			next += 1;
			let mut branch = None;
			match operator {
				Operator::Block { blockty } => labels.push(Label {
					to: function.ends[at] + 1,
					height: stack.len(),
					arity: arity(blockty),
				}),
				Operator::Loop { .. } => labels.push(Label {
					to: at,
					height: stack.len(),
					arity: 0,
				}),
				Operator::If { blockty } => {
					let condition = stack.pop()?;
					labels.push(Label {
						to: function.ends[at] + 1,
						height: stack.len(),
						arity: arity(blockty),
					});
					if condition == 0 {
						next = match function.elses[at] {
							Some(other) => other + 1,
							None => function.ends[at],
						};
					}
				}
				Operator::Else => next = function.ends[at],
				Operator::End => drop(labels.pop()),
				Operator::Br { relative_depth } => branch = Some(relative_depth),
				Operator::BrIf { relative_depth } => {
					branch = (stack.pop()? != 0).then_some(relative_depth);
				}
				Operator::BrTable { targets } => {
					let chosen = stack.pop()? as u32 as usize;
					let target = targets.targets().nth(chosen);
					branch = Some(target.map_or(targets.default(), Result::unwrap));
				}
				Operator::Return => branch = Some(labels.len() as u32 - 1),
				Operator::Call { function_index } => {
					let callee = function_index as usize;
					let parameters = self.functions[callee].parameters;
					let arguments = stack.split_off(stack.len() - parameters);
					stack.extend(self.call(callee, arguments)?);
				}
				Operator::MemoryFill { .. } => {
					let (length, value, to) = (stack.pop()?, stack.pop()?, stack.pop()?);
					self.gas += length as u64 / 8;
					let to = to as usize;
					self.memory[to..to + length as usize].fill(value as u8);
				}
				other => self.simple(&other, &mut stack, &mut locals)?,
			}
			if let Some(depth) = branch {
				let kept = labels.len() - 1 - depth as usize;
				let label = &labels[kept];
				next = label.to;
				let values = stack.split_off(stack.len() - label.arity);
				stack.truncate(label.height);
				stack.extend(values);
				labels.truncate(kept);
			}
		}
		Some(stack)
	}

	/// What goes on to the next instruction.
	fn simple(
		&mut self,
		operator: &Operator<'_>,
		stack: &mut Vec<i32>,
		locals: &mut [i32],
	) -> Option<()> {
		match operator {
			Operator::Nop => {}
			Operator::Drop => drop(stack.pop()),
			Operator::I32Const { value } => stack.push(*value),
			Operator::LocalGet { local_index } => stack.push(locals[*local_index as usize]),
			Operator::LocalSet { local_index } => locals[*local_index as usize] = stack.pop()?,
			Operator::LocalTee { local_index } => {
				locals[*local_index as usize] = *stack.last()?;
			}
			Operator::I32Eqz => {
				let value = stack.pop()?;
				stack.push(i32::from(value == 0));
			}
			Operator::Select => {
				let (condition, second, first) = (stack.pop()?, stack.pop()?, stack.pop()?);
				stack.push(if condition != 0 { first } else { second });
			}
			Operator::I32Load { .. } => {
				let at = stack.pop()? as usize;
				let bytes = self.memory[at..at + 4].try_into().unwrap();
				stack.push(i32::from_le_bytes(bytes));
			}
			Operator::I32Store { .. } => {
				let (value, at) = (stack.pop()?, stack.pop()? as usize);
				self.memory[at..at + 4].copy_from_slice(&value.to_le_bytes());
			}
			binary => {
				let (second, first) = (stack.pop()?, stack.pop()?);
				stack.push(match binary {
					Operator::I32Add => first.wrapping_add(second),
					Operator::I32Sub => first.wrapping_sub(second),
					Operator::I32Mul => first.wrapping_mul(second),
					Operator::I32And => first & second,
					Operator::I32LtU => i32::from((first as u32) < second as u32),
					other => panic!("{other:?} is not written by these tests"),
				});
			}
		}
		Some(())
	}
}

fn arity(ty: BlockType) -> usize {
	usize::from(matches!(ty, BlockType::Type(_)))
}

/// For each operator that opens a block where it ends, and for `if` where its `else` is.
fn structure(code: &[Operator<'_>]) -> (Vec<usize>, Vec<Option<usize>>) {
	let (mut ends, mut elses) = (vec![0; code.len()], vec![None; code.len()]);
	let mut open = Vec::new();
	for (at, operator) in code.iter().enumerate() {
		match operator {
			Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
				open.push((at, None));
			}
			Operator::Else => {
				let (start, other) = open.last_mut().unwrap();
				elses[*start] = Some(at);
				*other = Some(at);
			}
			// The last one ends the function.
			Operator::End => {
				if let Some((start, other)) = open.pop() {
					ends[start] = at;
					if let Some(other) = other {
						ends[other] = at;
					}
				}
			}
			_ => {}
		}
	}
	(ends, elses)
}

/// Writes programs: every byte of the input is a choice, and when they run out, the simplest one.
struct Writer<'a> {
	choices: &'a [u8],
	text: String,
	/// Index of the function that is being written.
	function: u32,
	/// Labels around the statement that is being written.
	labels: u32,
	loops: u32,
}

impl Writer<'_> {
	fn choose(&mut self, among: u32) -> u32 {
		match self.choices.split_first() {
			Some((choice, rest)) => {
				self.choices = rest;
				u32::from(*choice) % among
			}
			None => 0,
		}
	}

	fn put(&mut self, text: &str) {
		self.text.push_str(text);
	}

	fn value(&mut self, nesting: u32) {
		let choice = if nesting == 0 { 0 } else { self.choose(12) };
		let rest = nesting.saturating_sub(1);
		match choice {
			0 | 1 => {
				let local = self.choose(LOCALS);
				write!(self.text, "(local.get {local})").unwrap();
			}
			2 | 3 => {
				let number = self.choose(7);
				write!(self.text, "(i32.const {number})").unwrap();
			}
			4 => self.around("(i32.eqz ", rest, 1),
			5 => {
				self.put("(i32.load ");
				self.around("(i32.and (i32.const 0xfff) ", rest, 1);
				self.put(")");
			}
			6 => self.around("(select ", rest, 3),
			7 => {
				self.put("(if (result i32) ");
				self.value(rest);
				self.around("(then ", rest, 1);
				self.around("(else ", rest, 1);
				self.put(")");
			}
			8 => {
				self.put("(block (result i32) ");
				self.around("(br_if 0 ", rest, 2);
				self.put(")");
			}
			9 if self.function + 1 < FUNCTIONS => {
				let callee = self.function + 1 + self.choose(FUNCTIONS - self.function - 1);
				self.around(&format!("(call {callee} "), rest, 2);
			}
			other => {
				let name = ["add", "sub", "mul", "and", "lt_u"][(other % 5) as usize];
				self.around(&format!("(i32.{name} "), rest, 2);
			}
		}
	}

	/// An instruction with so many operands.
	fn around(&mut self, head: &str, nesting: u32, operands: u32) {
		self.put(head);
		for _ in 0..operands {
			self.value(nesting);
		}
		self.put(")");
	}

	fn statements(&mut self, nesting: u32) {
		for _ in 0..=self.choose(4) {
			self.statement(nesting);
		}
	}

	/// Statements with one more label around them.
	fn inside(&mut self, nesting: u32) {
		self.labels += 1;
		self.statements(nesting);
		self.labels -= 1;
	}

	fn statement(&mut self, nesting: u32) {
		match self.choose(if nesting == 0 { 8 } else { 12 }) {
			0 | 1 => {
				let local = self.choose(LOCALS);
				self.around(&format!("(local.set {local} "), 3, 1);
			}
			2 => {
				self.put("(i32.store ");
				self.around("(i32.and (i32.const 0xfff) ", 2, 1);
				self.value(2);
				self.put(")");
			}
			3 => self.around("(drop ", 3, 1),
			4 if self.labels > 0 => {
				let label = self.choose(self.labels);
				self.around(&format!("(br_if {label} "), 2, 1);
			}
			5 if self.labels > 0 => {
				let (first, second) = (self.choose(self.labels), self.choose(self.labels));
				self.around(&format!("(br_table {first} {second} "), 2, 1);
			}
			6 => {
				let length = 16 * self.choose(200);
				write!(
					self.text,
					"(memory.fill (i32.const 64) (i32.const 3) (i32.const {length}))"
				)
				.unwrap();
			}
			7 if self.choose(4) == 3 => self.around("(return ", 2, 1),
			8 => {
				self.put("(if ");
				self.value(2);
				self.put("(then ");
				self.inside(nesting - 1);
				self.put(") (else ");
				self.inside(nesting - 1);
				self.put("))");
			}
			9 | 10 if self.loops < LOOPS => {
				let counter = LOCALS + self.loops;
				self.loops += 1;
				write!(self.text, "(local.set {counter} (i32.const 0)) (loop ").unwrap();
				self.inside(nesting - 1);
				write!(
					self.text,
					"(br_if 0 (i32.lt_u (local.tee {counter} \
					(i32.add (local.get {counter}) (i32.const 1))) (i32.const 4))))"
				)
				.unwrap();
			}
			11 => {
				self.put("(block ");
				self.inside(nesting - 1);
				self.put(")");
			}
			_ => self.put("nop "),
		}
		self.put("\n");
	}
}

/// A program in the text format. Its export `main` takes two numbers and returns one; it need not
/// end, but it never traps.
pub(crate) fn program(choices: &[u8]) -> String {
	let locals = "i32 ".repeat((LOCALS - 2 + LOOPS) as usize);
	let mut text = String::from("(module (memory 1) (export \"main\" (func 0))\n");
	let share = choices.len().div_ceil(FUNCTIONS as usize).max(1);
	let mut shares = choices.chunks(share);
	for function in 0..FUNCTIONS {
		let mut writer = Writer {
			choices: shares.next().unwrap_or_default(),
			text: String::new(),
			function,
			labels: 0,
			loops: 0,
		};
		writer.statements(3);
		writer.value(3);
		let body = writer.text;
		writeln!(
			text,
			"(func (param i32 i32) (result i32) (local {locals})\n{body})"
		)
		.unwrap();
	}
	text.push(')');
	text
}
