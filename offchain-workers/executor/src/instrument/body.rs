//! Writes one function again, with its meter.

use super::analysis::FunctionPlan;
use super::meter::{Counters, Meter};
use crate::error::InstrumentError;
use crate::limits::{CODE_BYTES_PER_FRAME_BYTE, FRAME_BYTES, VALUE_BYTES};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{BlockType, Function};
use wasmparser::{FunctionBody, Operator};

/// What is needed to write a function again.
#[derive(Debug)]
pub(super) struct Source<'m> {
	/// The module.
	pub(super) module: &'m [u8],
	/// The function in it.
	pub(super) body: FunctionBody<'m>,
	/// Number of its parameters.
	pub(super) parameters: u32,
	/// Type of a block that leaves what it returns.
	pub(super) results: BlockType,
	/// The globals of the meter.
	pub(super) counters: Counters,
}

impl Source<'_> {
	/// Writes it with a meter that does so much.
	///
	/// No index changes, so every operator stays as it is, to the byte. Only `return` becomes a
	/// branch to where the function ends, where there is something to do at its end.
	pub(super) fn write(&self, plan: &FunctionPlan) -> Result<Function, InstrumentError> {
		let mut locals = Vec::new();
		let mut count = self.parameters;
		for group in self.body.get_locals_reader()? {
			let (many, ty) = group?;
			locals.push((many, RoundtripReencoder.val_type(ty)?));
			count += many;
		}
		let mut meter = Meter::new(self.counters, plan, self.frame(plan), count);
		locals.extend(meter.locals());
		let mut function = Function::new(locals);

		meter.begin(&mut function.instructions());
		if meter.has_end() {
			// Whoever branches to the function's own label arrives at the end of this block.
			function.instructions().block(self.results);
		}
		let mut runs = plan.runs.iter().peekable();
		let mut dead = plan.dead.iter().peekable();
		// Labels of the function itself around the operator.
		let mut depth = 0u32;
		let mut operators = self.body.get_operators_reader()?;
		while !operators.eof() {
			let (operator, start) = operators.read_with_offset()?;
			let end = operators.original_position();
			let mut code = function.instructions();
			if let Some(run) = runs.next_if(|run| run.at == start) {
				meter.pay(&mut code, run.gas);
			}
			match operator {
				Operator::End if operators.eof() && meter.has_end() => {
					code.end();
					meter.end(&mut code);
					code.end();
					break;
				}
				Operator::Return if meter.has_end() => {
					code.br(depth);
					continue;
				}
				Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
				Operator::End => depth = depth.saturating_sub(1),
				_ => {}
			}
			while dead.next_if(|range| range.end <= start).is_some() {}
			let live = dead.peek().is_none_or(|range| start < range.start);
			if live {
				meter.before(&mut code, &operator);
			}
			let bytes = self.module.get(start..end).unwrap_or_default();
			function.raw(bytes.iter().copied());
			if live {
				meter.after(&mut function.instructions(), &operator);
			}
		}
		Ok(function)
	}

	/// Counted size of the function's frame.
	fn frame(&self, plan: &FunctionPlan) -> i64 {
		let values = u64::from(plan.locals) + u64::from(plan.operands);
		let code = self.body.range().len() as u64 / CODE_BYTES_PER_FRAME_BYTE;
		(FRAME_BYTES + values * u64::from(VALUE_BYTES) + code) as i64
	}
}
