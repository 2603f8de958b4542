//! The cost table of engine profile 1. Part of the profile: see the crate's page.
//!
//! One gas is about one simple instruction. Structure (`block`, `loop`, `else`, `end`) is free:
//! every way round a loop passes a branch, which is not.

use crate::validate::ModuleInfo;
use millrace_primitives::Gas;
use wasmparser::Operator;

/// Any call, before the guest's first instruction.
pub const START: Gas = 20_000;
/// A page of memory, at the start or grown: 64 KiB that are zeroed and touched.
pub const MEMORY_PAGE: Gas = 8_192;
/// Bytes that bulk instructions and host calls move for one gas, as a power of two.
pub const BULK_BYTES_SHIFT: u32 = 3;
/// Values that are cleared or moved at once for one gas, as a power of two: locals that a function
/// declares, which the judge clears at each call; results of a call; what a branch carries along.
pub const VALUES_SHIFT: u32 = 2;
/// An element that a table instruction moves or a table grows by.
pub const TABLE_ELEMENT: Gas = 2;
/// A call to the host, on top of what it moves.
pub const HOST_CALL: Gas = 200;
/// A buffer of a read or write.
pub const IO_VECTOR: Gas = 8;
/// A random byte.
pub const RANDOM_BYTE: Gas = 8;
/// An entry of a folder that is listed: its path is hashed.
pub const DIRECTORY_ENTRY: Gas = 64;
/// Something that a poll waits for.
pub const SUBSCRIPTION: Gas = 8;
/// An effect outside the guest, on top of what it moves.
pub const EFFECT: Gas = 200_000;

/// An instruction that [`TABLE`] does not name.
pub const OTHER: Gas = 1;

/// What instructions cost, by their names in the text format.
pub const TABLE: [(Gas, &[&str]); 7] = [
	// Structure.
	(0, &["block", "loop", "else", "end"]),
	(
		2,
		&[
			"memory.size",
			// A jump that the processor cannot foresee.
			"br_table",
			// Arithmetic that can make a NaN is followed by its canonicalisation.
			"f32.add",
			"f32.sub",
			"f32.mul",
			"f64.add",
			"f64.sub",
			"f64.mul",
		],
	),
	(
		4,
		&[
			// One that misses the caches takes a hundred times as long as one that does not.
			"i32.load",
			"i64.load",
			"f32.load",
			"f64.load",
			"i32.load8_s",
			"i32.load8_u",
			"i32.load16_s",
			"i32.load16_u",
			"i64.load8_s",
			"i64.load8_u",
			"i64.load16_s",
			"i64.load16_u",
			"i64.load32_s",
			"i64.load32_u",
			"i32.store",
			"i64.store",
			"f32.store",
			"f64.store",
			"i32.store8",
			"i32.store16",
			"i64.store8",
			"i64.store16",
			"i64.store32",
			"call",
			"i32.div_s",
			"i32.div_u",
			"i32.rem_s",
			"i32.rem_u",
			"i32.popcnt",
			"i64.popcnt",
			"f32.min",
			"f32.max",
			"f64.min",
			"f64.max",
		],
	),
	(
		8,
		&[
			"i64.div_s",
			"i64.div_u",
			"i64.rem_s",
			"i64.rem_u",
			"f32.div",
			"f64.div",
			"f32.sqrt",
			"f64.sqrt",
			"table.get",
			"table.set",
		],
	),
	(
		12,
		&[
			// The callee is looked up and its signature compared.
			"call_indirect",
			// Where the processor cannot round, it is a call into the runtime.
			"f32.ceil",
			"f32.floor",
			"f32.trunc",
			"f32.nearest",
			"f64.ceil",
			"f64.floor",
			"f64.trunc",
			"f64.nearest",
		],
	),
	(
		40,
		&[
			// The part that does not depend on the length: a call into the runtime.
			"memory.copy",
			"memory.fill",
			"memory.init",
			"data.drop",
			"table.copy",
			"table.fill",
			"table.init",
			"elem.drop",
			"ref.func",
		],
	),
	(1_000, &["memory.grow", "table.grow"]),
];

/// Cost of moving bytes between host and guest.
pub fn bytes(length: u32) -> Gas {
	Gas::from(length) >> BULK_BYTES_SHIFT
}

/// Cost of clearing or moving values at once, on top of the instruction that does.
pub(crate) fn values(count: u32) -> Gas {
	Gas::from(count) >> VALUES_SHIFT
}

/// What is charged before the guest runs: the instance and the memory that it begins with.
pub fn start(module: &ModuleInfo) -> Gas {
	let memory = Gas::from(module.memory_pages).saturating_mul(MEMORY_PAGE);
	START
		.saturating_add(memory)
		.saturating_add(bytes(module.size))
}

/// How the cost of a bulk instruction grows with its length operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
	/// One gas for `1 << BULK_BYTES_SHIFT` bytes.
	Bytes,
	/// So much gas for each unit.
	Units(Gas),
}

/// The growth of the operators that have a length operand on top of the stack.
pub(crate) fn growth(operator: &Operator<'_>) -> Option<Growth> {
	use Operator as O;
	match operator {
		O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => Some(Growth::Bytes),
		O::MemoryGrow { .. } => Some(Growth::Units(MEMORY_PAGE)),
		O::TableCopy { .. } | O::TableFill { .. } | O::TableInit { .. } | O::TableGrow { .. } => {
			Some(Growth::Units(TABLE_ELEMENT))
		}
		_ => None,
	}
}

/// What the table says of an instruction, by the name of wasmparser's visitor of it.
const fn listed(visitor: &str) -> Gas {
	let mut row = 0;
	while row < TABLE.len() {
		let (gas, names) = TABLE[row];
		let mut at = 0;
		while at < names.len() {
			if is_visitor_of(visitor.as_bytes(), names[at].as_bytes()) {
				return gas;
			}
			at += 1;
		}
		row += 1;
	}
	OTHER
}

/// Whether a visitor is that of an instruction: `visit_i32_div_s` is that of `i32.div_s`.
const fn is_visitor_of(visitor: &[u8], name: &[u8]) -> bool {
	const PREFIX: usize = "visit_".len();
	if visitor.len() != PREFIX + name.len() {
		return false;
	}
	let mut at = 0;
	while at < name.len() {
		let letter = if name[at] == b'.' { b'_' } else { name[at] };
		if visitor[PREFIX + at] != letter {
			return false;
		}
		at += 1;
	}
	true
}

macro_rules! define_cost {
	($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
		/// Cost of an operator, without what grows with its length operand.
		pub(crate) fn cost(operator: &Operator<'_>) -> Gas {
			match operator {
				$( Operator::$op { .. } => const { listed(stringify!($visit)) }, )*
				// The list above is whole; the enumeration is only marked as open.
				_ => OTHER,
			}
		}

		/// The visitors of all operators.
		#[cfg(test)]
		const VISITORS: &[&str] = &[$( stringify!($visit) ),*];
	};
}

wasmparser::for_each_operator!(define_cost);

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn structure_is_free_and_work_is_not() {
		assert_eq!(cost(&Operator::End), 0);
		assert_eq!(cost(&Operator::Else), 0);
		assert_eq!(cost(&Operator::Nop), 1);
		assert_eq!(cost(&Operator::Br { relative_depth: 0 }), 1);
		assert_eq!(cost(&Operator::I32DivS), 4);
		assert_eq!(cost(&Operator::I64DivU), 8);
		assert_eq!(cost(&Operator::MemorySize { mem: 0 }), 2);
		assert_eq!(cost(&Operator::MemoryGrow { mem: 0 }), 1_000);
	}

	#[test]
	fn every_name_of_the_table_is_an_instruction_and_stands_there_once() {
		let mut names: Vec<&str> = TABLE
			.iter()
			.flat_map(|(_, names)| names.iter().copied())
			.collect();
		for name in &names {
			assert!(
				VISITORS
					.iter()
					.any(|visitor| is_visitor_of(visitor.as_bytes(), name.as_bytes())),
				"{name}"
			);
		}
		let count = names.len();
		names.sort_unstable();
		names.dedup();
		assert_eq!(names.len(), count);
	}

	#[test]
	fn branches_and_calls_are_never_free() {
		for visitor in [
			"visit_br",
			"visit_br_if",
			"visit_br_table",
			"visit_if",
			"visit_return",
			"visit_unreachable",
			"visit_call",
			"visit_call_indirect",
		] {
			assert!(VISITORS.contains(&visitor), "{visitor}");
			assert!(listed(visitor) > 0, "{visitor}");
		}
	}

	#[test]
	fn lengths_are_charged_by_what_moves() {
		let copy = Operator::MemoryCopy {
			dst_mem: 0,
			src_mem: 0,
		};
		let grow = Operator::MemoryGrow { mem: 0 };
		assert_eq!(growth(&copy), Some(Growth::Bytes));
		assert_eq!(growth(&grow), Some(Growth::Units(MEMORY_PAGE)));
		assert_eq!(growth(&Operator::Nop), None);
	}
}
