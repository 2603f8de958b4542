//! Puts the meter into a module.
//!
//! Two mutable globals are added: the gas that is left, as of the last time that a function told, and
//! the stack that is left. A run, which is code that runs from its first instruction to its last if
//! nothing traps, is paid for at its first. Functions without loops take that from the global
//! itself. Functions with loops keep what is left in a local, and tell it at the head of each loop
//! and wherever somebody else could ask: before calls, when they end, and before `unreachable`.
//!
//! | Who takes too much is stopped | by a test |
//! |---|---|
//! | without a loop | of the first run |
//! | with loops | of a first run before them, and at each loop's head |
//! | that calls | when it ends, so that deep recursion cannot run on while it comes back |
//! | in a bulk instruction | for its length, before anything moves |
//!
//! Between two tests lies at most what one function runs without going round, and what its last
//! callee does after its own last test. The test is a jump over `unreachable`; the negative global
//! tells why. A trap is billed up to the last time that its function told, which the code says, so
//! that every engine bills the same.
//!
//! Functions that call also take their frame from the stack's global, and give it back at their end.
//! The code is inline, and nothing of it calls the host.

mod analysis;
mod body;
mod meter;
mod sections;

use crate::error::InstrumentError;
use crate::validate::FEATURES;
use body::Source;
#[cfg(feature = "engine")]
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sections::Sections;
use wasm_encoder::Function;
use wasmparser::{
	FuncToValidate, FuncValidatorAllocations, Parser, ValidPayload, Validator, ValidatorResources,
};

/// Export of the global that holds the gas that is left; negative when it ran out.
pub const GAS_EXPORT: &str = "millrace:gas";
/// Export of the global that holds the stack that is left; negative when it ran out.
pub const STACK_EXPORT: &str = "millrace:stack";

/// Checks that a package can run, and puts the meter in. Custom sections are dropped.
pub fn instrument(module: &[u8]) -> Result<Vec<u8>, InstrumentError> {
	crate::validate(module).map_err(InstrumentError::Refused)?;
	inject(module)
}

/// Puts the meter into any module that validates with the profile's proposals, a package or not.
///
/// The gas global begins at zero: who makes the instance sets it. Whatever a start section calls
/// runs before that, so no package may have one.
pub fn inject(module: &[u8]) -> Result<Vec<u8>, InstrumentError> {
	let (mut sections, functions) = read(module)?;
	let mut allocations = FuncValidatorAllocations::default();
	for function in functions {
		sections.body(&function.metered(&mut allocations)?);
	}
	Ok(sections.finish())
}

/// [`inject`] on all the threads that compile.
#[cfg(feature = "engine")]
pub(crate) fn inject_at_once(module: &[u8]) -> Result<Vec<u8>, InstrumentError> {
	let (mut sections, functions) = read(module)?;
	let metered: Vec<_> = functions
		.into_par_iter()
		.map_init(
			FuncValidatorAllocations::default,
			|allocations, function| function.metered(allocations),
		)
		.collect();
	for function in metered {
		sections.body(&function?);
	}
	Ok(sections.finish())
}

/// Validates all of a module but its functions.
fn read(module: &[u8]) -> Result<(Sections<'_>, Vec<Unmetered<'_>>), InstrumentError> {
	let mut parser = Parser::new(0);
	parser.set_features(FEATURES);
	let mut validator = Validator::new_with_features(FEATURES);
	let mut sections = Sections::new(module);
	let mut functions = Vec::new();
	for payload in parser.parse_all(module) {
		let payload = payload?;
		match validator.payload(&payload)? {
			ValidPayload::Func(function, body) => functions.push(Unmetered {
				source: sections.source(function.ty, body)?,
				function,
			}),
			_ => sections.payload(&payload)?,
		}
	}
	Ok((sections, functions))
}

/// A function that has no meter yet. What becomes of it depends on no other one.
struct Unmetered<'m> {
	function: FuncToValidate<ValidatorResources>,
	source: Source<'m>,
}

impl Unmetered<'_> {
	/// Validates it and writes it with its meter.
	fn metered(
		self,
		allocations: &mut FuncValidatorAllocations,
	) -> Result<Function, InstrumentError> {
		let mut function = self.function.into_validator(std::mem::take(allocations));
		let plan = analysis::plan(&mut function, &self.source.body)?;
		*allocations = function.into_allocations();
		self.source.write(&plan)
	}
}

#[cfg(all(test, feature = "engine"))]
mod tests {
	use super::*;

	#[test]
	fn at_once_or_one_after_the_other_is_the_same() {
		// Results of several kinds, whose types are added in the order of the functions.
		let functions: String = (0..200)
			.map(|number| {
				let results = "i32 ".repeat(number % 7);
				let values = "(i32.const 1) ".repeat(number % 7);
				format!("(func (result {results}) (loop (br_if 0 (i32.const 0))) {values})")
			})
			.collect();
		let module = wat::parse_str(format!("(module {functions})")).unwrap();
		assert_eq!(inject_at_once(&module).unwrap(), inject(&module).unwrap());
		// The first error is told, whoever meets one first.
		let wrong = functions.replace("(i32.const 0)", "(i64.const 0)");
		let wrong = wat::parse_str(format!("(module {wrong})")).unwrap();
		let told = |result: Result<Vec<u8>, InstrumentError>| result.unwrap_err().to_string();
		assert_eq!(told(inject_at_once(&wrong)), told(inject(&wrong)));
	}
}
