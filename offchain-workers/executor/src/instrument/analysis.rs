//! Where a function pays for what it runs, and how much stack it takes.
//!
//! One walk over the body validates it, follows the height of its operand stack, and cuts it into
//! runs. Control enters a run at its first instruction alone and leaves it behind its last: so a
//! run ends behind what may branch and where branches arrive. Loads, divisions and calls do not end
//! one, although they may trap or not come back: the rest of the run is then paid for in vain.
//!
//! The first run also pays for the locals that the function declares.

use crate::cost::{cost, growth, values};
use millrace_primitives::Gas;
use std::ops::Range;
use wasmparser::{
	BinaryReaderError, BlockType, CompositeInnerType, FrameKind, FuncType, FuncValidator,
	FunctionBody, Operator, WasmModuleResources,
};

/// What the meter of a function does.
#[derive(Debug, Default)]
pub(crate) struct FunctionPlan {
	/// What is paid, in the order of the code.
	pub(crate) runs: Vec<Run>,
	/// Greatest height of the operand stack.
	pub(crate) operands: u32,
	/// Locals, parameters included.
	pub(crate) locals: u32,
	/// Whether there is a loop.
	pub(crate) has_loop: bool,
	/// Whether anything is called.
	pub(crate) calls: bool,
	/// Whether there is an instruction whose cost depends on its length operand.
	pub(crate) bulk: bool,
	/// Code that is known to be unreachable, by offsets: it stays as it is.
	pub(crate) dead: Vec<Range<usize>>,
}

/// Code that is paid for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
	/// Offset of the first operator that it pays for: it is paid right before that.
	pub(crate) at: usize,
	/// What it costs.
	pub(crate) gas: u64,
}

/// Validates a function and says what its meter does.
pub(crate) fn plan<T: WasmModuleResources>(
	function: &mut FuncValidator<T>,
	body: &FunctionBody<'_>,
) -> Result<FunctionPlan, BinaryReaderError> {
	let mut reader = body.get_binary_reader();
	let parameters = function.len_locals();
	function.read_locals(&mut reader)?;
	let mut walk = Walk::default();
	let gas = values(function.len_locals() - parameters);
	if gas > 0 {
		let at = reader.original_position();
		walk.open = Some(Run { at, gas });
	}
	while !reader.eof() {
		let at = reader.original_position();
		let operator = reader.read_operator()?;
		let dead = function
			.get_control_frame(0)
			.is_some_and(|frame| frame.unreachable);
		let gas = cost(&operator) + values(moved(function, &operator));
		function.op(at, &operator)?;
		walk.operator(at, &operator, gas, dead)?;
		let height = function.operand_stack_height();
		walk.plan.operands = walk.plan.operands.max(height);
	}
	let end = reader.original_position();
	function.finish(end)?;
	walk.plan.locals = function.len_locals();
	Ok(walk.finish(end))
}

/// Values that an operator moves at once: along with a branch, or out of a callee.
///
/// The operator need not validate.
fn moved<T: WasmModuleResources>(function: &FuncValidator<T>, operator: &Operator<'_>) -> u32 {
	let types = function.resources();
	let results = |ty: Option<u32>| {
		let ty = ty.and_then(|ty| signature(types, ty));
		ty.map_or(0, |ty| ty.results().len() as u32)
	};
	match operator {
		Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
			carried(function, *relative_depth)
		}
		Operator::BrTable { targets } => carried(function, targets.default()),
		Operator::Return => carried(function, function.control_stack_height().saturating_sub(1)),
		Operator::Call { function_index } => results(types.type_index_of_function(*function_index)),
		Operator::CallIndirect { type_index, .. } => results(Some(*type_index)),
		_ => 0,
	}
}

/// Values that a branch to a label carries.
fn carried<T: WasmModuleResources>(function: &FuncValidator<T>, depth: u32) -> u32 {
	let Some(frame) = function.get_control_frame(depth as usize) else {
		return 0;
	};
	let again = frame.kind == FrameKind::Loop;
	match frame.block_type {
		BlockType::Empty => 0,
		BlockType::Type(_) => u32::from(!again),
		BlockType::FuncType(ty) => signature(function.resources(), ty).map_or(0, |ty| {
			let values = if again { ty.params() } else { ty.results() };
			values.len() as u32
		}),
	}
}

fn signature<T: WasmModuleResources>(types: &T, ty: u32) -> Option<&FuncType> {
	match &types.sub_type_at(ty)?.composite_type.inner {
		CompositeInnerType::Func(ty) => Some(ty),
		_ => None,
	}
}

/// What an `end` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
	/// A block, or the function.
	Block {
		/// Whether a branch goes to its end. All that do stand before it.
		named: bool,
	},
	/// A loop.
	Loop,
	/// An `if`, with or without `else`.
	If,
}

/// The state of the walk over one body.
struct Walk {
	plan: FunctionPlan,
	frames: Vec<Frame>,
	/// The run that the present operator belongs to.
	open: Option<Run>,
	/// Where the present unreachable code begins.
	dead_from: Option<usize>,
}

impl Default for Walk {
	fn default() -> Self {
		Self {
			plan: FunctionPlan::default(),
			frames: vec![Frame::Block { named: false }],
			open: None,
			dead_from: None,
		}
	}
}

impl Walk {
	/// Takes an operator that validates, and costs so much where it can be reached.
	fn operator(
		&mut self,
		at: usize,
		operator: &Operator<'_>,
		gas: Gas,
		dead: bool,
	) -> Result<(), BinaryReaderError> {
		if dead {
			self.dead_from.get_or_insert(at);
		} else {
			self.alive(at);
			if gas > 0 {
				self.open.get_or_insert(Run { at, gas: 0 }).gas += gas;
			}
			self.plan.bulk |= growth(operator).is_some();
		}
		match operator {
			Operator::Block { .. } => self.frames.push(Frame::Block { named: false }),
			Operator::Loop { .. } => {
				self.plan.has_loop = true;
				self.frames.push(Frame::Loop);
				self.close();
			}
			Operator::If { .. } => {
				self.frames.push(Frame::If);
				self.close();
			}
			Operator::Else | Operator::Return | Operator::Unreachable => self.close(),
			Operator::End => {
				// Whoever comes to the end of a block that nobody branches to came through it.
				if self.frames.pop() != Some(Frame::Block { named: false }) {
					self.close();
				}
			}
			Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
				self.name(*relative_depth);
				self.close();
			}
			Operator::BrTable { targets } => {
				self.name(targets.default());
				for target in targets.targets() {
					self.name(target?);
				}
				self.close();
			}
			Operator::Call { .. } | Operator::CallIndirect { .. } => self.plan.calls = true,
			_ => {}
		}
		Ok(())
	}

	/// Remembers that a branch goes to a label.
	fn name(&mut self, depth: u32) {
		let index = self.frames.len().checked_sub(1 + depth as usize);
		if let Some(Frame::Block { named }) = index.and_then(|index| self.frames.get_mut(index)) {
			*named = true;
		}
	}

	/// Ends the present run behind the present operator.
	fn close(&mut self) {
		self.plan.runs.extend(self.open.take());
	}

	/// Ends unreachable code.
	fn alive(&mut self, at: usize) {
		if let Some(from) = self.dead_from.take() {
			self.plan.dead.push(from..at);
		}
	}

	fn finish(mut self, end: usize) -> FunctionPlan {
		self.close();
		self.alive(end);
		self.plan
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::validate::FEATURES;
	use wasmparser::{FuncValidatorAllocations, Parser, ValidPayload, Validator};

	/// The plan of the first function of a module in the text format.
	fn plan_of(wat: &str) -> FunctionPlan {
		let module = wat::parse_str(wat).expect("the test's module is well-formed");
		let mut validator = Validator::new_with_features(FEATURES);
		for payload in Parser::new(0).parse_all(&module) {
			let payload = payload.unwrap();
			if let ValidPayload::Func(function, body) = validator.payload(&payload).unwrap() {
				let mut function = function.into_validator(FuncValidatorAllocations::default());
				return plan(&mut function, &body).unwrap();
			}
		}
		panic!("a function is wanted");
	}

	fn costs(body: &str) -> Vec<u64> {
		let wat = format!(
			"(module (memory 1) (func (param i32) (local i32) {body}) (func $f (result i32) (i32.const 1)))"
		);
		plan_of(&wat).runs.iter().map(|run| run.gas).collect()
	}

	#[test]
	fn loads_divisions_and_calls_do_not_split_a_run() {
		// Constant, load, constant, division, drop, call, drop, nop.
		assert_eq!(
			costs("(drop (i32.div_u (i32.load (i32.const 0)) (i32.const 3))) (drop (call $f)) nop"),
			[1 + 4 + 1 + 4 + 1 + 4 + 1 + 1]
		);
	}

	#[test]
	fn blocks_split_only_where_a_branch_arrives() {
		assert_eq!(costs("nop (block nop) nop"), [3]);
		assert_eq!(
			costs("nop (block nop (br_if 0 (local.get 0)) nop) nop"),
			// Up to the branch; behind it; behind the end that it goes to.
			[1 + 1 + 2, 1, 1]
		);
		assert_eq!(
			costs("(block (block nop (br_if 1 (local.get 0)) nop) nop) nop"),
			// The inner block is not named by the branch, so its end splits nothing.
			[1 + 2, 2, 1]
		);
		assert_eq!(
			costs("(block (block (block (br_table 0 2 (local.get 0))) nop) nop) nop"),
			[1 + 2, 2, 1]
		);
	}

	#[test]
	fn loops_and_choices_split_on_both_sides() {
		assert_eq!(costs("nop (loop nop) nop"), [1, 1, 1]);
		assert_eq!(
			costs("nop (if (local.get 0) (then nop nop) (else nop)) nop"),
			[1 + 1 + 1, 2, 1, 1]
		);
		assert_eq!(costs("(if (local.get 0) (then nop)) nop"), [1 + 1, 1, 1]);
	}

	#[test]
	fn what_cannot_be_reached_costs_nothing() {
		assert_eq!(costs("nop unreachable nop nop"), [2]);
		assert_eq!(costs("return nop (block nop)"), [1, 1]);
		let plan = plan_of("(module (func nop unreachable nop nop) )");
		assert_eq!(plan.dead.len(), 1);
		assert!(plan.dead[0].start > plan.runs[0].at);
		// Behind a block that no branch leaves and that does not end: paid by nobody.
		assert_eq!(costs("(block unreachable) nop"), [1, 1]);
	}

	#[test]
	fn declared_locals_are_paid_with_the_first_run() {
		let gas = |locals: usize, body: &str| {
			let locals = "i64 ".repeat(locals);
			let wat = format!("(module (func (param i64 i64 i64 i64) (local {locals}) {body}))");
			let runs = plan_of(&wat).runs;
			runs.iter().map(|run| run.gas).collect::<Vec<_>>()
		};
		assert_eq!(gas(8, "nop"), [2 + 1]);
		assert_eq!(gas(8, ""), [2]);
		assert!(gas(3, "").is_empty());
		// Once, and not in each round.
		assert_eq!(gas(8, "(loop nop)"), [2, 1]);
		assert_eq!(gas(8, "(block (loop nop (br 0)))"), [2, 2]);
		assert_eq!(gas(8, "unreachable"), [2 + 1]);
		assert_eq!(gas(16_000, "nop"), [4_000 + 1]);
	}

	#[test]
	fn what_moves_at_once_is_paid_with_what_moves_it() {
		let eight = "i32 ".repeat(8);
		let (push, drop) = ("(i32.const 1)".repeat(8), "drop ".repeat(8));
		let gas = |body: &str| {
			let wat = format!(
				"(module (type $t (func (result {eight}))) (table 1 funcref) \
				(func (result {eight}) {body}) (func $many (type $t) {push}))"
			);
			let runs = plan_of(&wat).runs;
			runs.iter().map(|run| run.gas).collect::<Vec<_>>()
		};
		assert_eq!(gas("(call $many)"), [4 + 2]);
		assert_eq!(gas("(call_indirect (type $t) (i32.const 0))"), [1 + 12 + 2]);
		assert_eq!(gas(&format!("{push} return")), [8 + 1 + 2]);
		assert_eq!(gas(&format!("{push} (br 0)")), [8 + 1 + 2]);
		assert_eq!(
			gas(&format!("(block {push} (br 1)) unreachable")),
			[8 + 1 + 2, 1]
		);
		assert_eq!(
			gas(&format!("{push} (br_if 0 (i32.const 1))")),
			[8 + 1 + 1 + 2]
		);
		assert_eq!(
			gas(&format!(
				"(block (result {eight}) {push} (br_table 0 1 0 (i32.const 1)))"
			)),
			[8 + 1 + 2 + 2]
		);
		// To a loop, the parameters; into it they only stay where they are.
		assert_eq!(
			gas(&format!(
				"{push} (loop (param {eight}) (i32.const 1) (br_if 0 (i32.const 1)) {drop} drop) {push}"
			)),
			[8, 1 + 1 + 1 + 2, 9, 8]
		);
		// Fewer than four are free, and what is never reached as well.
		assert_eq!(
			gas("(drop (block (result i32) (br 0 (i32.const 1)))) unreachable"),
			[2, 2]
		);
		assert_eq!(gas("unreachable return (call $many)"), [1]);
	}

	#[test]
	fn sizes_and_kinds_are_told() {
		let plan = plan_of(
			"(module (func (param i32 i64) (local f32) \
			(drop (i32.add (i32.const 1) (i32.add (i32.const 2) (i32.const 3))))))",
		);
		assert_eq!((plan.operands, plan.locals), (3, 3));
		assert!(!plan.has_loop && !plan.calls && !plan.bulk);
		let plan = plan_of(
			"(module (memory 1) (func (loop) (call 0) \
			(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))",
		);
		assert!(plan.has_loop && plan.calls && plan.bulk);
	}
}
