//! Values as numbers, so that all can be compared with their bounds and shown alike.

use millrace_primitives::{governance::ParameterKind, U256};
use sp_runtime::Perbill;

/// A value of a parameter.
pub trait Number: Copy {
	/// What it is.
	const KIND: ParameterKind;

	/// The number that it is; of a part, its billionths.
	fn number(self) -> U256;
}

impl Number for u32 {
	const KIND: ParameterKind = ParameterKind::U32;

	fn number(self) -> U256 {
		self.into()
	}
}

impl Number for u64 {
	const KIND: ParameterKind = ParameterKind::U64;

	fn number(self) -> U256 {
		self.into()
	}
}

impl Number for u128 {
	const KIND: ParameterKind = ParameterKind::Flt;

	fn number(self) -> U256 {
		self.into()
	}
}

impl Number for Perbill {
	const KIND: ParameterKind = ParameterKind::Part;

	fn number(self) -> U256 {
		self.deconstruct().into()
	}
}

impl Number for U256 {
	const KIND: ParameterKind = ParameterKind::U256;

	fn number(self) -> U256 {
		self
	}
}
