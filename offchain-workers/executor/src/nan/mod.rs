//! Gives floats that are no numbers one form wherever their bits can be seen.
//!
//! What bits arithmetic gives to a NaN differs between processors. Under the profile it is always the
//! canonical one. The judge gives that to every result; the compiler gets a module that gives it to
//! those results whose bits anybody can see. Most go on to more arithmetic, to comparisons and to
//! conversions, where one NaN is as good as another: see [`marks`].
//!
//! Behind a result `t` that can be seen stands
//!
//! ```text
//! local.tee t   f64.const nan   local.get t   local.get t   f64.ge   select
//! ```
//!
//! Only a NaN is not `t >= t`. The compiler makes one comparison and a jump of it on x86-64, and the
//! jump is never taken where there are no NaNs: nothing that comes later waits for it, while the
//! compiler's own pass has every operation wait for three more. It is `ge` because one flag tells that;
//! `eq` takes two.
//!
//! Signatures, indices and exports stay, and so do functions without such results, to the byte. A
//! function has at most two locals more than its frame was counted with, one of each type, and they
//! live no longer than the sequence above.

mod marks;

use crate::error::InstrumentError;
use crate::validate::FEATURES;
use marks::{Float, Mark};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{CodeSection, Function, Section, ValType};
use wasmparser::{
	FuncValidatorAllocations, FunctionBody, Parser, Payload, ValidPayload, Validator,
};

/// Number of this pass. What was compiled behind another one is compiled again.
pub(crate) const PASS: u32 = 1;

const F32_NAN: f32 = f32::from_bits(0x7fc0_0000);
const F64_NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0000);

/// The module for the compiler: one with its meter, whose floats look the same on every processor.
///
/// Whatever compiles a metered module for results that count must compile this. Functions that compute
/// no floats are not validated here but by the compiler.
pub fn canonical(metered: &[u8]) -> Result<Vec<u8>, InstrumentError> {
	let mut parser = Parser::new(0);
	parser.set_features(FEATURES);
	let mut validator = Validator::new_with_features(FEATURES);
	let mut allocations = FuncValidatorAllocations::default();
	let mut code = CodeSection::new();
	let mut changed = false;
	// Where the section before ends, and the bytes of the code section with its head.
	let (mut end, mut place) = (0, 0..0);
	for payload in parser.parse_all(metered) {
		let payload = payload?;
		if let ValidPayload::Func(function, body) = validator.payload(&payload)? {
			if !marks::computes(&body)? {
				code.raw(body.as_bytes());
				continue;
			}
			let mut function = function.into_validator(allocations);
			let marks = marks::marks(&mut function, &body)?;
			let locals = function.len_locals();
			allocations = function.into_allocations();
			if marks.is_empty() {
				code.raw(body.as_bytes());
			} else {
				changed = true;
				code.function(&written(metered, &body, &marks, locals)?);
			}
			continue;
		}
		match &payload {
			Payload::Version { range, .. } => end = range.end,
			Payload::CodeSectionStart { range, .. } => {
				place = end..range.end;
				end = range.end;
			}
			other => {
				if let Some((_, range)) = other.as_section() {
					end = range.end;
				}
			}
		}
	}
	if !changed {
		return Ok(metered.to_vec());
	}
	let mut module = metered.get(..place.start).unwrap_or_default().to_vec();
	code.append_to(&mut module);
	module.extend_from_slice(metered.get(place.end..).unwrap_or_default());
	Ok(module)
}

/// Writes a function with so many locals again, with what its marks ask for.
fn written(
	module: &[u8],
	body: &FunctionBody<'_>,
	marks: &[Mark],
	locals: u32,
) -> Result<Function, InstrumentError> {
	let mut groups = Vec::new();
	for group in body.get_locals_reader()? {
		let (many, ty) = group?;
		groups.push((many, RoundtripReencoder.val_type(ty)?));
	}
	let has = |float: Float| marks.iter().any(|mark| mark.float == float);
	let (narrow, wide) = (locals, locals + u32::from(has(Float::F32)));
	for (float, ty) in [(Float::F32, ValType::F32), (Float::F64, ValType::F64)] {
		if has(float) {
			groups.push((1, ty));
		}
	}
	let mut function = Function::new(groups);
	let mut from = body.get_operators_reader()?.original_position();
	for mark in marks {
		let bytes = module.get(from..mark.at).unwrap_or_default();
		function.raw(bytes.iter().copied());
		from = mark.at;
		let mut code = function.instructions();
		match mark.float {
			Float::F32 => code
				.local_tee(narrow)
				.f32_const(F32_NAN)
				.local_get(narrow)
				.local_get(narrow)
				.f32_ge(),
			Float::F64 => code
				.local_tee(wide)
				.f64_const(F64_NAN)
				.local_get(wide)
				.local_get(wide)
				.f64_ge(),
		};
		code.select();
	}
	let rest = module.get(from..body.range().end).unwrap_or_default();
	function.raw(rest.iter().copied());
	Ok(function)
}

#[cfg(test)]
mod tests {
	use super::*;
	use wasmparser::Operator;

	fn parsed(wat: &str) -> Vec<u8> {
		wat::parse_str(wat).expect("the test's module is well-formed")
	}

	/// What the pass makes of a module in the text format; it must validate.
	fn passed(wat: &str) -> Vec<u8> {
		let module = canonical(&parsed(wat)).unwrap();
		Validator::new_with_features(FEATURES)
			.validate_all(&module)
			.unwrap();
		module
	}

	/// The bodies of a module's functions.
	fn bodies(module: &[u8]) -> Vec<Vec<u8>> {
		let mut bodies = Vec::new();
		for payload in Parser::new(0).parse_all(module) {
			if let Payload::CodeSectionEntry(body) = payload.unwrap() {
				bodies.push(body.as_bytes().to_vec());
			}
		}
		bodies
	}

	/// Whoever changes this changes [`PASS`].
	#[test]
	fn the_sequence_is_this_one() {
		let module = passed(
			"(module (func (param f64 f32) (result f64) \
			(f32.store (i32.const 0) (f32.sqrt (local.get 1))) \
			(f64.add (local.get 0) (local.get 0))) (memory 1))",
		);
		let mut body: Vec<u8> = vec![2, 1, 0x7d, 1, 0x7c];
		body.extend([0x41, 0, 0x20, 1, 0x91]);
		body.extend([
			0x22, 2, 0x43, 0, 0, 0xc0, 0x7f, 0x20, 2, 0x20, 2, 0x60, 0x1b,
		]);
		body.extend([0x38, 2, 0, 0x20, 0, 0x20, 0, 0xa0]);
		body.extend([0x22, 3, 0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]);
		body.extend([0x20, 3, 0x20, 3, 0x66, 0x1b, 0x0b]);
		assert_eq!(bodies(&module), [body]);
		assert_eq!(PASS, 1);
	}

	#[test]
	fn what_nobody_sees_stays_to_the_byte() {
		let module = parsed(
			"(module (memory 1) (global $g (mut f64) (f64.const nan:0x123)) \
			(func (param f64) (result i32) (f64.lt (f64.mul (local.get 0) (f64.const 2)) (f64.const 1))) \
			(func (global.set $g (f64.load (i32.const 0)))) (data (i32.const 0) \"abc\"))",
		);
		assert_eq!(canonical(&module).unwrap(), module);
		assert_eq!(canonical(b"\0asm\x01\0\0\0").unwrap(), b"\0asm\x01\0\0\0");
	}

	#[test]
	fn only_functions_with_marks_change_and_no_other_section() {
		let wat = "(module (import \"a\" \"b\" (func (param f32))) (memory (export \"m\") 1) \
			(func (export \"f\") (param f32) (local i32 i32 f64) \
			(call 0 (f32.neg (f32.add (local.get 0) (local.get 0))))) \
			(func (result i64) (i64.const 7)) (data (i32.const 3) \"abc\") (@custom \"c\" \"d\"))";
		let (before, after) = (parsed(wat), passed(wat));
		let (old, new) = (bodies(&before), bodies(&after));
		assert_ne!(old[0], new[0]);
		assert_eq!(old[1], new[1]);
		// Everything around the code is as it was: what is behind it includes a custom section.
		let code = |module: &[u8]| {
			Parser::new(0)
				.parse_all(module)
				.find_map(|payload| match payload.unwrap() {
					Payload::CodeSectionStart { range, .. } => Some(range),
					_ => None,
				})
				.unwrap()
		};
		let (was, is) = (code(&before), code(&after));
		assert_eq!(before[was.end..], after[is.end..]);
		assert!(before.len() > was.end);
		// The section's head is its number and a length of one byte.
		assert_eq!(before[..was.start - 1], after[..is.start - 1]);
	}

	#[test]
	fn locals_are_added_by_type() {
		let added = |body: &str| {
			let wat = format!("(module (memory 1) (func (param i32) (local i64) {body}))");
			let (before, after) = (bodies(&parsed(&wat)), bodies(&passed(&wat)));
			after[0][0] - before[0][0]
		};
		let f32 = "(f32.store (i32.const 0) (f32.sqrt (f32.load (i32.const 0))))";
		let f64 = "(f64.store (i32.const 0) (f64.sqrt (f64.load (i32.const 0))))";
		assert_eq!(added(""), 0);
		assert_eq!(added(f32), 1);
		assert_eq!(added(f64), 1);
		assert_eq!(added(&format!("{f32} {f64} {f32}")), 2);
	}

	#[test]
	fn metered_code_is_taken_and_what_does_not_validate_is_not() {
		let module = parsed(
			"(module (memory 1) (func (export \"f\") (param f64) (result f64) (local f64) \
			(loop (local.set 1 (f64.add (local.get 1) (local.get 0))) \
			(br_if 0 (f64.lt (local.get 1) (f64.const 9)))) (return (local.get 1))))",
		);
		let metered = crate::instrument::inject(&module).unwrap();
		let module = canonical(&metered).unwrap();
		Validator::new_with_features(FEATURES)
			.validate_all(&module)
			.unwrap();
		let mut selects = 0;
		for payload in Parser::new(0).parse_all(&module) {
			if let Payload::CodeSectionEntry(body) = payload.unwrap() {
				for operator in body.get_operators_reader().unwrap() {
					selects += u32::from(matches!(operator.unwrap(), Operator::Select));
				}
			}
		}
		assert_eq!(selects, 1);
		let wrong = parsed("(module (func (result f64) (f32.add (f32.const 1) (f32.const 2))))");
		assert!(matches!(
			canonical(&wrong),
			Err(InstrumentError::Invalid(_))
		));
	}
}
