//! The code that is put into one function.

use super::analysis::FunctionPlan;
use crate::cost::{growth, Growth, BULK_BYTES_SHIFT};
use wasm_encoder::{BlockType, InstructionSink, ValType};
use wasmparser::Operator;

/// Indices of the two globals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters {
	pub(super) gas: u32,
	pub(super) stack: u32,
}

/// Writes the meter of one function.
#[derive(Debug)]
pub(super) struct Meter {
	counters: Counters,
	/// Whether the gas that is left is kept in a local between two times that it is told.
	local: bool,
	/// What is taken from the stack, by functions that call.
	frame: Option<i64>,
	/// Whether there are instructions whose length is paid for.
	bulk: bool,
	/// Whether what has been paid so far is tested, or will be before anything else happens.
	tested: bool,
	/// An `i64` local: the gas that is left.
	left: u32,
	/// An `i64` local: the stack that is left while the function runs.
	below: u32,
	/// An `i32` local: the length operand of a bulk instruction.
	length: u32,
}

impl Meter {
	/// The meter of a function that has so many locals without it.
	pub(super) fn new(counters: Counters, plan: &FunctionPlan, frame: i64, locals: u32) -> Self {
		let below = locals + 1;
		Self {
			counters,
			local: plan.has_loop,
			frame: plan.calls.then_some(frame),
			bulk: plan.bulk,
			tested: false,
			left: locals,
			below,
			length: below + u32::from(plan.calls),
		}
	}

	/// The locals that it adds.
	pub(super) fn locals(&self) -> Vec<(u32, ValType)> {
		let wide = 1 + u32::from(self.frame.is_some());
		let mut locals = vec![(wide, ValType::I64)];
		if self.bulk {
			locals.push((1, ValType::I32));
		}
		locals
	}

	/// Whether something is done when the function ends.
	pub(super) fn has_end(&self) -> bool {
		self.local || self.frame.is_some()
	}

	/// When the function begins: takes its frame, and learns what gas is left.
	pub(super) fn begin(&self, code: &mut InstructionSink<'_>) {
		if let Some(frame) = self.frame {
			code.global_get(self.counters.stack)
				.i64_const(frame)
				.i64_sub()
				.local_tee(self.below)
				.global_set(self.counters.stack)
				.local_get(self.below);
			stop_if_negative(code);
		}
		if self.local {
			code.global_get(self.counters.gas).local_set(self.left);
		}
	}

	/// When the function ends: tells what gas is left, gives its frame back, and stops whoever has
	/// taken too much on the way back from a callee.
	pub(super) fn end(&self, code: &mut InstructionSink<'_>) {
		self.tell(code);
		if let Some(frame) = self.frame {
			code.local_get(self.below)
				.i64_const(frame)
				.i64_add()
				.global_set(self.counters.stack);
			if self.local {
				code.local_get(self.left);
			} else {
				code.global_get(self.counters.gas);
			}
			stop_if_negative(code);
		}
	}

	/// Takes what a run costs.
	pub(super) fn pay(&mut self, code: &mut InstructionSink<'_>, gas: u64) {
		let test = !self.tested;
		self.tested = true;
		if self.local {
			code.local_get(self.left);
		} else {
			code.global_get(self.counters.gas);
		}
		code.i64_const(gas as i64).i64_sub();
		self.settle(code, test);
	}

	/// What comes before an operator that can be reached.
	pub(super) fn before(&self, code: &mut InstructionSink<'_>, operator: &Operator<'_>) {
		match operator {
			Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::Unreachable => {
				self.tell(code)
			}
			_ => {
				if let Some(growth) = growth(operator) {
					self.pay_length(code, growth);
				}
			}
		}
	}

	/// What comes behind an operator that can be reached.
	pub(super) fn after(&mut self, code: &mut InstructionSink<'_>, operator: &Operator<'_>) {
		if !self.local {
			return;
		}
		match operator {
			Operator::Loop { .. } => {
				self.tell(code);
				code.local_get(self.left);
				stop_if_negative(code);
				self.tested = true;
			}
			Operator::Call { .. } | Operator::CallIndirect { .. } => {
				code.global_get(self.counters.gas).local_set(self.left);
			}
			_ => {}
		}
	}

	/// Takes gas for the length on top of the operand stack, and leaves it there.
	fn pay_length(&self, code: &mut InstructionSink<'_>, growth: Growth) {
		code.local_tee(self.length);
		if self.local {
			code.local_get(self.left);
		} else {
			code.global_get(self.counters.gas);
		}
		code.local_get(self.length).i64_extend_i32_u();
		match growth {
			Growth::Bytes => code.i64_const(i64::from(BULK_BYTES_SHIFT)).i64_shr_u(),
			Growth::Units(gas) => code.i64_const(gas as i64).i64_mul(),
		};
		code.i64_sub();
		self.settle(code, true);
	}

	/// Keeps what is left, from the operand stack; with a test also tells it and stops who has none.
	fn settle(&self, code: &mut InstructionSink<'_>, test: bool) {
		match (self.local, test) {
			(true, false) => {
				code.local_set(self.left);
			}
			(false, false) => {
				code.global_set(self.counters.gas);
			}
			(_, true) => {
				code.local_tee(self.left)
					.global_set(self.counters.gas)
					.local_get(self.left);
				stop_if_negative(code);
			}
		}
	}

	/// Tells what gas is left, where only this function knows.
	fn tell(&self, code: &mut InstructionSink<'_>) {
		if self.local {
			code.local_get(self.left).global_set(self.counters.gas);
		}
	}
}

/// Traps if the number on top of the operand stack is negative, and drops it.
fn stop_if_negative(code: &mut InstructionSink<'_>) {
	code.i64_const(0).i64_lt_s();
	code.if_(BlockType::Empty).unreachable().end();
}
