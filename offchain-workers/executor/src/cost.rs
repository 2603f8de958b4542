//! The cost table of engine profile 1. Part of the profile: see the crate's page.
//!
//! One gas is about one simple instruction. Structure (`block`, `loop`, `else`, `end`) is free:
//! every way round a loop passes a branch, which is not.

use crate::limits::{FRAME_BYTES, VALUE_BYTES};
use crate::validate::ModuleInfo;
use finite_wasm::max_stack::SizeConfig;
use finite_wasm::prefix_sum_vec::PrefixSumVec;
use finite_wasm::Fee;
use millrace_primitives::Gas;
use wasmparser::ValType;

/// Any call, before the guest's first instruction.
pub const START: Gas = 20_000;
/// A page of memory, at the start or grown: 64 KiB that are zeroed and touched.
pub const MEMORY_PAGE: Gas = 8_192;
/// Bytes that bulk instructions and host calls move for one gas, as a power of two.
pub const BULK_BYTES_SHIFT: u32 = 3;
/// An element that a table instruction moves or a table grows by.
pub const TABLE_ELEMENT: Gas = 2;
/// A call to the host, on top of what it moves.
pub const HOST_CALL: Gas = 200;
/// A buffer of a read or write.
pub const IO_VECTOR: Gas = 8;
/// A random byte.
pub const RANDOM_BYTE: Gas = 8;

/// Cost of moving bytes between host and guest.
pub fn bytes(length: u32) -> Gas {
	Gas::from(length) >> BULK_BYTES_SHIFT
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
pub(crate) fn growth(operator: &wasmparser::Operator<'_>) -> Option<Growth> {
	use wasmparser::Operator as O;
	match operator {
		O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => Some(Growth::Bytes),
		O::MemoryGrow { .. } => Some(Growth::Units(MEMORY_PAGE)),
		O::TableCopy { .. } | O::TableFill { .. } | O::TableInit { .. } | O::TableGrow { .. } => {
			Some(Growth::Units(TABLE_ELEMENT))
		}
		_ => None,
	}
}

macro_rules! cost_of {
	(visit_block) => {
		0
	};
	(visit_loop) => {
		0
	};
	(visit_else) => {
		0
	};
	(visit_end) => {
		0
	};
	(visit_call) => {
		4
	};
	(visit_call_indirect) => {
		8
	};
	(visit_br_table) => {
		2
	};
	(visit_i32_div_s) => {
		4
	};
	(visit_i32_div_u) => {
		4
	};
	(visit_i32_rem_s) => {
		4
	};
	(visit_i32_rem_u) => {
		4
	};
	(visit_i64_div_s) => {
		8
	};
	(visit_i64_div_u) => {
		8
	};
	(visit_i64_rem_s) => {
		8
	};
	(visit_i64_rem_u) => {
		8
	};
	(visit_i32_popcnt) => {
		4
	};
	(visit_i64_popcnt) => {
		4
	};
	// Arithmetic that can make a NaN is followed by its canonicalisation.
	(visit_f32_add) => {
		2
	};
	(visit_f32_sub) => {
		2
	};
	(visit_f32_mul) => {
		2
	};
	(visit_f64_add) => {
		2
	};
	(visit_f64_sub) => {
		2
	};
	(visit_f64_mul) => {
		2
	};
	(visit_f32_min) => {
		4
	};
	(visit_f32_max) => {
		4
	};
	(visit_f64_min) => {
		4
	};
	(visit_f64_max) => {
		4
	};
	(visit_f32_div) => {
		8
	};
	(visit_f64_div) => {
		8
	};
	(visit_f32_sqrt) => {
		8
	};
	(visit_f64_sqrt) => {
		8
	};
	// On baseline x86-64 rounding is a call into the runtime.
	(visit_f32_ceil) => {
		12
	};
	(visit_f32_floor) => {
		12
	};
	(visit_f32_trunc) => {
		12
	};
	(visit_f32_nearest) => {
		12
	};
	(visit_f64_ceil) => {
		12
	};
	(visit_f64_floor) => {
		12
	};
	(visit_f64_trunc) => {
		12
	};
	(visit_f64_nearest) => {
		12
	};
	// The part that does not depend on the length: a call into the runtime.
	(visit_memory_copy) => {
		40
	};
	(visit_memory_fill) => {
		40
	};
	(visit_memory_init) => {
		40
	};
	(visit_data_drop) => {
		40
	};
	(visit_table_copy) => {
		40
	};
	(visit_table_fill) => {
		40
	};
	(visit_table_init) => {
		40
	};
	(visit_elem_drop) => {
		40
	};
	(visit_table_get) => {
		8
	};
	(visit_table_set) => {
		8
	};
	(visit_ref_func) => {
		40
	};
	(visit_memory_grow) => {
		1_000
	};
	(visit_table_grow) => {
		1_000
	};
	($other:ident) => {
		1
	};
}

macro_rules! define_costs {
	($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
		$(
			fn $visit(&mut self $($(, _: $argty)*)?) -> Self::Output {
				Fee::constant(cost_of!($visit))
			}
		)*
	};
}

/// The constant part of every operator's cost.
#[derive(Debug)]
pub(crate) struct OperatorCosts;

impl<'a> wasmparser::VisitOperator<'a> for OperatorCosts {
	type Output = Fee;

	fn simd_visitor(
		&mut self,
	) -> Option<&mut dyn wasmparser::VisitSimdOperator<'a, Output = Self::Output>> {
		Some(self)
	}

	wasmparser::for_each_visit_operator!(define_costs);
}

impl<'a> wasmparser::VisitSimdOperator<'a> for OperatorCosts {
	wasmparser::for_each_visit_simd_operator!(define_costs);
}

/// The counted size of a frame, without the part that grows with the code.
#[derive(Debug)]
pub(crate) struct FrameSizes;

impl SizeConfig for FrameSizes {
	fn size_of_value(&self, _: ValType) -> u8 {
		VALUE_BYTES
	}

	fn size_of_function_activation(&self, locals: &PrefixSumVec<ValType, u32>) -> u64 {
		let count = locals.max_index().map_or(0, |last| u64::from(*last) + 1);
		FRAME_BYTES + count * u64::from(VALUE_BYTES)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn structure_is_free_and_work_is_not() {
		use wasmparser::VisitOperator;
		let mut costs = OperatorCosts;
		assert_eq!(costs.visit_end(), Fee::ZERO);
		assert_eq!(costs.visit_else(), Fee::ZERO);
		assert_eq!(costs.visit_br(0), Fee::constant(1));
		assert_eq!(costs.visit_i64_div_u(), Fee::constant(8));
	}

	#[test]
	fn lengths_are_charged_by_what_moves() {
		let copy = wasmparser::Operator::MemoryCopy {
			dst_mem: 0,
			src_mem: 0,
		};
		let grow = wasmparser::Operator::MemoryGrow { mem: 0 };
		assert_eq!(growth(&copy), Some(Growth::Bytes));
		assert_eq!(growth(&grow), Some(Growth::Units(MEMORY_PAGE)));
		assert_eq!(growth(&wasmparser::Operator::Nop), None);
	}
}
