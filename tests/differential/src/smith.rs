//! Cases of any shape that validates, made by wasm-smith from bytes.

use crate::bare::{Module, Pair, Plan, Unusable};
use crate::stage::Value;
use crate::Tally;
use arbitrary::Unstructured;
use wasm_smith::Config;
use wasmparser::{BlockType, FuncType, Operator, Parser, Payload, ValType};

/// Gas of a case that is not cut short: a few milliseconds of the interpreter.
const GAS: u64 = 200_000;

/// What the profile takes, and sizes that leave time for many cases.
fn config() -> Config {
	Config {
		allow_start_export: false,
		export_everything: true,
		max_imports: 0,
		min_funcs: 1,
		max_funcs: 10,
		max_instructions: 150,
		max_exports: 100,
		min_memories: 1,
		max_memories: 1,
		memory_max_size_required: true,
		max_memory32_bytes: 4 * 1024 * 1024,
		max_tables: 1,
		max_table_elements: 1_000,
		max_tags: 0,
		bulk_memory_enabled: true,
		multi_value_enabled: true,
		saturating_float_to_int_enabled: true,
		sign_extension_ops_enabled: true,
		extended_const_enabled: true,
		// With reference types come `externref`s, which the profile does not take; what it takes of
		// them is in `world`.
		reference_types_enabled: false,
		simd_enabled: false,
		relaxed_simd_enabled: false,
		tail_call_enabled: false,
		exceptions_enabled: false,
		gc_enabled: false,
		threads_enabled: false,
		shared_everything_threads_enabled: false,
		memory64_enabled: false,
		custom_page_sizes_enabled: false,
		wide_arithmetic_enabled: false,
		canonicalize_nans: false,
		..Config::default()
	}
}

/// The module that bytes stand for, and what is left of them; `None` if they stand for none.
fn module(data: &[u8]) -> Option<(Vec<u8>, Unstructured<'_>)> {
	let mut rest = Unstructured::new(data);
	let module = wasm_smith::Module::new(config(), &mut rest).ok()?;
	Some((module.to_bytes(), rest))
}

/// Whether a block of a module has parameters. No package may have such a block: the judge takes a
/// local that lies below the parameters for one of them.
fn has_block_parameters(module: &[u8]) -> bool {
	let mut types: Vec<FuncType> = Vec::new();
	for payload in Parser::new(0).parse_all(module).map_while(Result::ok) {
		match payload {
			Payload::TypeSection(section) => {
				types.extend(section.into_iter_err_on_gc_types().map_while(Result::ok));
			}
			Payload::CodeSectionEntry(body) => {
				let Ok(operators) = body.get_operators_reader() else {
					return false;
				};
				let takes = |ty: u32| {
					types
						.get(ty as usize)
						.is_some_and(|ty| !ty.params().is_empty())
				};
				for operator in operators.into_iter().map_while(Result::ok) {
					if let Operator::Block {
						blockty: BlockType::FuncType(ty),
					}
					| Operator::Loop {
						blockty: BlockType::FuncType(ty),
					}
					| Operator::If {
						blockty: BlockType::FuncType(ty),
					} = operator
					{
						if takes(ty) {
							return true;
						}
					}
				}
			}
			_ => {}
		}
	}
	false
}

fn argument(ty: &ValType, rest: &mut Unstructured<'_>) -> Value {
	// When the bytes are used up, all further numbers are zero.
	let mut number = || rest.arbitrary::<u64>().unwrap_or(0);
	match ty {
		ValType::I32 => Value::I32(number() as u32),
		ValType::I64 => Value::I64(number()),
		ValType::F32 => Value::F32(number() as u32),
		ValType::F64 => Value::F64(number()),
		_ => Value::Function(false),
	}
}

/// Runs the case that bytes stand for: every export once with plenty of gas, and again with the gas
/// cut somewhere. `Err` tells a difference.
///
/// The calling thread must have [`crate::STACK_BYTES`].
pub fn check(data: &[u8]) -> Result<Tally, String> {
	let Some((bytes, mut rest)) = module(data) else {
		return Ok(Tally::default());
	};
	if has_block_parameters(&bytes) {
		return Ok(Tally::default());
	}
	let module = match Module::new(&bytes) {
		Ok(module) => module,
		Err(Unusable::Judge(_)) => return Ok(Tally::default()),
		Err(Unusable::Meter(error)) => return Err(format!("the meter refuses it: {error}")),
	};
	let calls = module
		.functions()
		.iter()
		.map(|function| {
			let arguments = function.parameters.iter();
			let arguments = arguments.map(|ty| argument(ty, &mut rest)).collect();
			(function.name.clone(), arguments)
		})
		.collect();
	let cut: u64 = rest.arbitrary().unwrap_or(0);

	let mut plan = Plan { calls, gas: GAS };
	let mut pair = Pair::new(module)?;
	let observed = pair.run(&plan)?;
	let mut tally = observed.tally();
	plan.gas = cut % (observed.used(&plan) + 1);
	tally += pair.run(&plan)?.tally();
	Ok(tally)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::corpus::Noise;
	use crate::deep;

	#[test]
	fn most_bytes_stand_for_a_module_that_the_meter_takes() {
		let mut noise = Noise::new(1);
		let made = (0..100)
			.filter_map(|_| module(&noise.bytes(2_000)).map(|(module, _)| module))
			.filter(|bytes| Module::new(bytes).is_ok())
			.count();
		assert!(made >= 60, "{made} of 100");
	}

	#[test]
	fn a_case_is_run_twice() {
		let mut noise = Noise::new(2);
		let tally = deep(|| {
			let mut tally = Tally::default();
			// Some of them have blocks with parameters, and are left out.
			for _ in 0..60 {
				tally += check(&noise.bytes(1_500)).unwrap();
			}
			tally
		});
		assert!(tally.cases >= 20 && tally.cases % 2 == 0, "{tally:?}");
		assert!(tally.out_of_gas > 0, "{tally:?}");
	}

	#[test]
	fn no_bytes_are_too_few() {
		assert!(deep(|| check(&[])).is_ok());
	}
}
