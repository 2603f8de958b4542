//! Which results of arithmetic can be seen to the bit.
//!
//! A NaN in is a NaN out of arithmetic, whatever its bits; comparisons and conversions to integers do
//! not ask for them either. Everything else does: memory, integers of the same bits, globals, callees,
//! callers, and whatever waits where control joins. Signs and choices (`neg`, `abs`, `copysign`,
//! `select`) only pass bits on: what they give is seen if what they were given is to be.
//!
//! A local passes on whatever it is set to anywhere in the function, wherever it is read. That needs no
//! order of execution, so loops need no second look; and it finds nearly all of what compilers put out,
//! whose locals hold sums and products on their way to other sums and products.
//!
//! The walk goes over each operator once, and then over each such way once.

use crate::error::InstrumentError;
use wasmparser::{
	BinaryReaderError, FuncValidator, FunctionBody, Operator, ValType, WasmModuleResources,
};

/// A type of floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Float {
	/// `f32`.
	F32,
	/// `f64`.
	F64,
}

/// A result that must have the one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
	/// Where the operator ends that gives it.
	pub(super) at: usize,
	/// Its type.
	pub(super) float: Float,
}

/// Whether there is any result in a function that could need it. Most functions have none.
pub(super) fn computes(body: &FunctionBody<'_>) -> Result<bool, BinaryReaderError> {
	let mut operators = body.get_operators_reader()?;
	while !operators.eof() {
		if arithmetic(&operators.read()?).is_some() {
			return Ok(true);
		}
	}
	Ok(false)
}

/// Validates a function and says which of its results must have the one form, in the order of the
/// code.
pub(super) fn marks<T: WasmModuleResources>(
	function: &mut FuncValidator<T>,
	body: &FunctionBody<'_>,
) -> Result<Vec<Mark>, InstrumentError> {
	let mut reader = body.get_binary_reader();
	function.read_locals(&mut reader)?;
	let mut walk = Walk::new(function.len_locals() as usize);
	while !reader.eof() {
		let start = reader.original_position();
		let operator = reader.read_operator()?;
		let arity = operator.operator_arity(&function.visitor(start));
		walk.floor = function
			.get_control_frame(0)
			.map_or(0, |frame| frame.height);
		function.op(start, &operator)?;
		let Some((takes, _)) = arity else {
			let message = format!("what {operator:?} takes is not known");
			return Err(InstrumentError::Encoding(message));
		};
		walk.is_float = matches!(
			function.get_operand_type(0),
			Some(Some(ValType::F32 | ValType::F64))
		);
		walk.operator(&operator, takes, reader.original_position());
		// What an operator gives that is not known to the walk has bits of its own. Where control
		// cannot come, the validator's stack may be shorter than what was taken and given.
		walk.stack
			.resize(function.operand_stack_height() as usize, None);
	}
	function.finish(reader.original_position())?;
	Ok(walk.finish())
}

/// The type of an operator's result, if that is of arithmetic: any bits of a NaN are right for it.
fn arithmetic(operator: &Operator<'_>) -> Option<Float> {
	use Operator as O;
	match operator {
		O::F32Add
		| O::F32Sub
		| O::F32Mul
		| O::F32Div
		| O::F32Min
		| O::F32Max
		| O::F32Sqrt
		| O::F32Ceil
		| O::F32Floor
		| O::F32Trunc
		| O::F32Nearest
		| O::F32DemoteF64 => Some(Float::F32),
		O::F64Add
		| O::F64Sub
		| O::F64Mul
		| O::F64Div
		| O::F64Min
		| O::F64Max
		| O::F64Sqrt
		| O::F64Ceil
		| O::F64Floor
		| O::F64Trunc
		| O::F64Nearest
		| O::F64PromoteF32 => Some(Float::F64),
		_ => None,
	}
}

/// Whether an operator does the same with every NaN, and gives no float.
fn is_blind(operator: &Operator<'_>) -> bool {
	use Operator as O;
	matches!(
		operator,
		O::Drop
			| O::F32Eq
			| O::F32Ne
			| O::F32Lt
			| O::F32Gt
			| O::F32Le
			| O::F32Ge
			| O::F64Eq
			| O::F64Ne
			| O::F64Lt
			| O::F64Gt
			| O::F64Le
			| O::F64Ge
			| O::I32TruncF32S
			| O::I32TruncF32U
			| O::I32TruncF64S
			| O::I32TruncF64U
			| O::I64TruncF32S
			| O::I64TruncF32U
			| O::I64TruncF64S
			| O::I64TruncF64U
			| O::I32TruncSatF32S
			| O::I32TruncSatF32U
			| O::I32TruncSatF64S
			| O::I32TruncSatF64U
			| O::I64TruncSatF32S
			| O::I64TruncSatF32U
			| O::I64TruncSatF64S
			| O::I64TruncSatF64U
	)
}

/// The state of the walk over one body.
#[derive(Debug)]
struct Walk {
	/// For each value on the stack, which node's bits it has. Others are as they must be.
	stack: Vec<Option<usize>>,
	/// Height below which the present operator takes nothing.
	floor: usize,
	/// Whether the value on top, behind the present operator, is a float.
	is_float: bool,
	flow: Flow,
	/// Nodes of results, in the order of the code.
	results: Vec<(usize, Mark)>,
}

impl Walk {
	/// The first nodes are those of the locals, by their indices.
	fn new(locals: usize) -> Self {
		Self {
			stack: Vec::new(),
			floor: 0,
			is_float: false,
			flow: Flow {
				nodes: vec![Node::default(); locals],
				..Flow::default()
			},
			results: Vec::new(),
		}
	}

	/// Takes an operator that validates, takes so many values, and ends here.
	fn operator(&mut self, operator: &Operator<'_>, takes: u32, at: usize) {
		use Operator as O;
		match operator {
			O::LocalGet { local_index } => {
				let local = self.is_float.then_some(*local_index as usize);
				self.stack.push(local);
			}
			O::LocalSet { local_index } => {
				let value = self.pop();
				self.flow.pass(value, *local_index as usize);
			}
			O::LocalTee { local_index } => {
				let value = self.pop();
				self.flow.pass(value, *local_index as usize);
				self.stack.push(value);
			}
			O::F32Neg | O::F64Neg | O::F32Abs | O::F64Abs => {}
			O::F32Copysign | O::F64Copysign => {
				// A NaN has a sign, too. The other operand's bits are passed on.
				let sign = self.pop();
				self.flow.see(sign);
			}
			O::Select | O::TypedSelect { .. } => {
				let _condition = self.pop();
				let (second, first) = (self.pop(), self.pop());
				let value = match (first, second) {
					(Some(_), Some(_)) => {
						let either = self.flow.node();
						self.flow.pass(first, either);
						self.flow.pass(second, either);
						Some(either)
					}
					_ => first.or(second),
				};
				self.stack.push(value);
			}
			_ => {
				let result = arithmetic(operator);
				let blind = result.is_some() || is_blind(operator);
				for _ in 0..takes {
					let value = self.pop();
					if !blind {
						self.flow.see(value);
					}
				}
				if let Some(float) = result {
					let node = self.flow.node();
					self.results.push((node, Mark { at, float }));
					self.stack.push(Some(node));
				}
			}
		}
	}

	/// Takes a value. Where control cannot come there may be none.
	fn pop(&mut self) -> Option<usize> {
		if self.stack.len() > self.floor {
			self.stack.pop().flatten()
		} else {
			None
		}
	}

	fn finish(mut self) -> Vec<Mark> {
		self.flow.spread();
		let nodes = &self.flow.nodes;
		self.results
			.into_iter()
			.filter(|(node, _)| nodes[*node].seen)
			.map(|(_, mark)| mark)
			.collect()
	}
}

/// Where bits go.
#[derive(Debug, Default)]
struct Flow {
	nodes: Vec<Node>,
	/// Ways, each with the node that bits come from, and the way before it to the same node.
	ways: Vec<(usize, Option<usize>)>,
	/// Nodes that are seen, but not yet where their bits come from.
	open: Vec<usize>,
}

/// A local, a result of arithmetic, or a choice between two of these.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
	/// Whether its bits can be seen.
	seen: bool,
	/// The last way that leads to it.
	last: Option<usize>,
}

impl Flow {
	fn node(&mut self) -> usize {
		self.nodes.push(Node::default());
		self.nodes.len() - 1
	}

	/// A value's bits go to a node.
	fn pass(&mut self, value: Option<usize>, to: usize) {
		if let Some(from) = value {
			let before = self.nodes[to].last.replace(self.ways.len());
			self.ways.push((from, before));
		}
	}

	/// A value's bits can be seen.
	fn see(&mut self, value: Option<usize>) {
		if let Some(node) = value {
			if !std::mem::replace(&mut self.nodes[node].seen, true) {
				self.open.push(node);
			}
		}
	}

	/// Finds all that is seen because its bits go to where they are.
	fn spread(&mut self) {
		while let Some(node) = self.open.pop() {
			let mut next = self.nodes[node].last;
			while let Some(way) = next {
				let (from, before) = self.ways[way];
				self.see(Some(from));
				next = before;
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::validate::FEATURES;
	use wasmparser::{FuncValidatorAllocations, Parser, Payload, ValidPayload, Validator};

	/// Of each result of arithmetic in a function with four float locals, whether it is marked. Two
	/// are parameters: `$a` and `$s`.
	fn marked(body: &str) -> Vec<bool> {
		let wat = format!(
			"(module (memory 1) (table 1 funcref) (global $g (mut f64) (f64.const 0)) \
			(func $f (param $a f64) (param $s f32) (result f64) (local $b f64) (local $c f64) \
			(local $t f32) (local $i i32) {body})\
			(func $take (param f64) (result f64) (local.get 0)))"
		);
		let module = wat::parse_str(wat).expect("the test's module is well-formed");
		let mut validator = Validator::new_with_features(FEATURES);
		for payload in Parser::new(0).parse_all(&module) {
			let payload = payload.unwrap();
			if let ValidPayload::Func(function, body) = validator.payload(&payload).unwrap() {
				let mut function = function.into_validator(FuncValidatorAllocations::default());
				let marks = marks(&mut function, &body).unwrap();
				let mut results = Vec::new();
				let mut operators = body.get_operators_reader().unwrap();
				while !operators.eof() {
					let operator = operators.read().unwrap();
					let at = operators.original_position();
					if let Some(float) = arithmetic(&operator) {
						results.push(marks.contains(&Mark { at, float }));
					}
				}
				assert!(marks.is_sorted_by_key(|mark| mark.at));
				return results;
			}
		}
		panic!("a function is wanted");
	}

	/// The same of a body that does not care what it returns.
	fn within(body: &str) -> Vec<bool> {
		marked(&format!("{body} (local.get $a)"))
	}

	const SUM: &str = "(f64.add (local.get $a) (local.get $a))";

	#[test]
	fn what_computes_no_floats_is_known_at_once() {
		let first = |body: &str| {
			let wat = format!("(module (memory 1) (func (param f64) (result f64) {body}))");
			let module = wat::parse_str(wat).expect("the test's module is well-formed");
			let bodies = Parser::new(0).parse_all(&module);
			let mut bodies = bodies.filter_map(|payload| match payload.unwrap() {
				Payload::CodeSectionEntry(body) => Some(body),
				_ => None,
			});
			let body = bodies.next().unwrap();
			computes(&body).unwrap()
		};
		assert!(!first(
			"(f64.store (i32.const 0) (f64.neg (local.get 0))) (f64.const 1)"
		));
		assert!(first(
			"(drop (f64.lt (f64.const 1) (local.get 0))) (f64.sqrt (local.get 0))"
		));
	}

	#[test]
	fn what_shows_bits_wants_them_canonical() {
		for place in [
			"(f64.store (i32.const 0) SUM)",
			"(f32.store (i32.const 0) (f32.sqrt (local.get $s)))",
			"(drop (i64.reinterpret_f64 SUM))",
			"(drop (i32.reinterpret_f32 (f32.nearest (local.get $s))))",
			"(global.set $g SUM)",
			"(drop (call $take SUM))",
			"(call_indirect (param f64) SUM (i32.const 0))",
			"(return SUM)",
			"(br 0 SUM)",
			"(drop (br_if 0 SUM (local.get $i)))",
			"(drop (block (result f64) (br_table 0 1 SUM (local.get $i))))",
			"(drop (block (result f64) SUM))",
			"(drop (loop (result f64) SUM))",
			"(drop (if (result f64) (local.get $i) (then SUM) (else (local.get $a))))",
			"(drop (if (result f64) (local.get $i) (then (local.get $a)) (else SUM)))",
			// The sign of a NaN can be seen in what it is given to.
			"(drop (f64.copysign (local.get $b) SUM))",
		] {
			assert_eq!(within(&place.replace("SUM", SUM)), [true], "{place}");
		}
		assert_eq!(marked(SUM), [true]);
	}

	#[test]
	fn arithmetic_comparisons_and_conversions_do_not_see_bits() {
		for place in [
			"(drop SUM)",
			"(drop (f64.lt SUM (local.get $b)))",
			"(drop (f64.ne (local.get $b) SUM))",
			"(drop (i32.trunc_f64_s SUM))",
			"(drop (i64.trunc_sat_f64_u SUM))",
			"(drop (f64.eq (f64.neg SUM) (f64.abs (local.get $b))))",
			"(drop (i32.load (i32.trunc_f64_u SUM)))",
			"(local.set $b SUM)",
			"(drop (local.tee $b SUM))",
			"(drop (select SUM (local.get $b) (local.get $i)))",
		] {
			assert_eq!(within(&place.replace("SUM", SUM)), [false], "{place}");
		}
		// Only the last of a chain is seen.
		assert_eq!(
			within(
				"(f32.store (i32.const 0) (f32.demote_f64 (f64.sqrt (f64.max (local.get $a) \
				(f64.promote_f32 (f32.trunc (local.get $s)))))))"
			),
			[false, false, false, false, true]
		);
	}

	#[test]
	fn signs_and_choices_pass_on_what_is_wanted_of_them() {
		for place in [
			"(return (f64.neg SUM))",
			"(return (f64.abs (f64.neg SUM)))",
			"(return (f64.copysign SUM (local.get $b)))",
			"(return (select SUM (local.get $b) (local.get $i)))",
			"(return (select (local.get $b) SUM (local.get $i)))",
			"(return (select (result f64) (f64.load (i32.const 0)) SUM (local.get $i)))",
		] {
			assert_eq!(within(&place.replace("SUM", SUM)), [true], "{place}");
		}
		let both = "(select SUM SUM (f64.lt SUM SUM))".replace("SUM", SUM);
		assert_eq!(
			within(&format!("(return {both})")),
			[true, true, false, false]
		);
		assert_eq!(within(&format!("(drop (f64.floor {both}))")), [false; 5]);
	}

	#[test]
	fn locals_pass_on_what_is_wanted_of_them_anywhere() {
		let accumulate = "(loop (local.set $b (f64.add (local.get $b) (f64.load (local.get $i)))) \
			(br_if 0 (f64.lt (local.get $b) (local.get $a))))";
		assert_eq!(within(accumulate), [false]);
		assert_eq!(
			within(&format!(
				"{accumulate} (f64.store (i32.const 0) (local.get $b))"
			)),
			[true]
		);
		// The code that reads may stand before the code that sets.
		assert_eq!(
			within(&format!(
				"(loop (f64.store (i32.const 0) (local.get $b)) (local.set $b {SUM}) \
				(br_if 0 (local.get $i)))"
			)),
			[true]
		);
		// From local to local, and on.
		let chain = format!("(local.set $b {SUM}) (local.set $c (f64.neg (local.get $b)))");
		assert_eq!(within(&chain), [false]);
		assert_eq!(within(&format!("{chain} (return (local.get $c))")), [true]);
		assert_eq!(within(&format!("{chain} (return (local.get $a))")), [false]);
		// A parameter is a local like any other; what it began with has the caller's bits.
		assert_eq!(
			marked(&format!("(local.set $a {SUM}) (local.get $a)")),
			[true]
		);
		// A tee gives what it was given, whatever becomes of the local.
		assert_eq!(within(&format!("(return (local.tee $b {SUM}))")), [true]);
		assert_eq!(
			within(&format!(
				"(drop (local.tee $b {SUM})) (return (local.get $b))"
			)),
			[true]
		);
		// One that is set to itself.
		assert_eq!(within("(local.set $b (local.get $b))"), [false; 0]);
		// Integers have no part in it.
		assert_eq!(
			within(
				"(local.set $i (f64.lt (f64.sqrt (local.get $a)) (local.get $b))) \
				(br_if 0 (local.get $a) (local.get $i)) drop"
			),
			[false]
		);
	}

	#[test]
	fn what_waits_below_a_block_is_still_known_behind_it() {
		assert_eq!(
			within(&format!(
				"{SUM} (block (br_if 0 (local.get $i)) (f64.store (i32.const 0) (local.get $a))) \
				(drop (f64.gt (f64.const 1)))"
			)),
			[false]
		);
		assert_eq!(
			within(&format!(
				"(i32.const 0) {SUM} (if (local.get $i) (then (drop (f64.sqrt (local.get $a))))) \
				(f64.store)"
			)),
			[true, false]
		);
	}

	#[test]
	fn code_that_is_never_reached_touches_nothing_below() {
		// Its operands come from nowhere, not from the sum.
		for dead in [
			"(f64.store)",
			"(f64.copysign) drop",
			"(select) (return)",
			"(local.set $b) (local.tee $c) drop",
			"(call $take) return",
			"(block (drop (f64.add (local.get $b) (local.get $b))))",
			"(f64.neg) (br 1)",
		] {
			let body = format!("{SUM} (block (br 0) {dead}) drop");
			assert!(!within(&body)[0], "{dead}");
		}
		let body = format!("{SUM} (if (local.get $i) (then unreachable) (else nop)) drop");
		assert_eq!(within(&body), [false]);
		// And behind it control goes on with what was there.
		let body = format!("{SUM} (block (br 0) (f64.add) drop) return");
		assert!(marked(&body)[0]);
	}
}
