//! The judge: runs a call again in an interpreter, inside of block import.
//!
//! It sees the same module with the same meter, the same world and the same limits, so it finds the
//! same status, response and gas. It goes no further than the receipt claims, so that what it costs
//! is known before; effects are not performed but read from their record.

mod binding;
mod limits;

pub use limits::config;

use crate::archive::Files;
use crate::call::CallOutput;
use crate::effects::{EffectFailure, Effects};
use crate::growth::GrowthLimits;
use crate::instrument::{GAS_EXPORT, STACK_EXPORT};
use crate::outcome::{Budget, Ended};
use crate::validate::{judged, Reason};
use crate::wasi::{Exit, Wasi};
use binding::Host;
use millrace_primitives::effects::{effect_hash, EffectRecord};
use millrace_primitives::execution::{response_hash, CallStatus};
use millrace_primitives::replay::{ReplayInput, ReplayOutcome, Replayed};
use millrace_primitives::Gas;
use std::panic::catch_unwind;
use wasmi::errors::{ErrorKind, InstantiationError};
use wasmi::{Engine, Error, Global, Linker, Module, Store, TrapCode, Val};

/// Runs a call again, as far as its receipt claims, and tells what comes of it.
///
/// The same everywhere.
///
/// # Panics
///
/// Where the machine has no memory for what the call was granted: a node that cannot judge must stop
/// rather than judge otherwise than the rest.
pub fn replay(package: &[u8], input: &ReplayInput) -> Replayed {
	let invalid = Replayed {
		outcome: ReplayOutcome::PackageInvalid,
		gas: 0,
	};
	let Ok((info, _, module)) = judged(package) else {
		return invalid;
	};
	let Ok(files) = Files::of(package) else {
		return invalid;
	};
	let wasi = Wasi::new(
		&input.request,
		input.limits.response_bytes,
		input.clock_ms,
		input.seed,
	);
	let record = Record(input.transcript.0.clone().into_iter());
	let host = Host {
		wasi: wasi
			.with_files(files)
			.with_effects(input.hosts.clone(), Box::new(record)),
		growth: GrowthLimits::new(input.limits.memory_bytes),
		guest: None,
	};
	let gas = input.limits.gas.min(input.claimed_gas);
	match Budget::open(&info, gas, &host.growth) {
		Ok(budget) => run(&module, budget, host, input),
		Err(end) => conclude(end, host.wasi, input),
	}
}

/// Validates a module with its meter, and translates every function of it for the judge. Where the translator
/// panics it does so everywhere, before anything has run: that is a refusal like any other.
pub fn translate(metered: &[u8]) -> Result<Module, Reason> {
	let translated = catch_unwind(|| Module::new(&Engine::new(&config()), metered));
	let message = match translated {
		Ok(Ok(module)) => return Ok(module),
		Ok(Err(error)) => error.to_string(),
		Err(_) => "its translator fails".into(),
	};
	Err(Reason::NotReplayable { message })
}

/// What an effect was answered.
struct Record(std::vec::IntoIter<EffectRecord>);

impl Effects for Record {
	fn perform(&mut self, request: &[u8]) -> Result<Vec<u8>, EffectFailure> {
		self.0
			.next()
			.filter(|record| record.request == effect_hash(request))
			.map(|record| record.reply)
			.ok_or(EffectFailure::NotRecorded)
	}
}

fn run(module: &Module, budget: Budget, host: Host, input: &ReplayInput) -> Replayed {
	let mut store = Store::new(module.engine(), host);
	store.limiter(|host| &mut host.growth);
	let mut counters = None;
	let ended = start(module, &mut store, budget.left, &mut counters);
	let (gas, stack) = match counters {
		Some((gas, stack)) => (read(gas, &store), read(stack, &store)),
		// The guest's data did not fit in its memory: nothing has run.
		None => (budget.left as i64, 0),
	};
	let host = store.into_data();
	if let Some(failure) = host.growth.failure() {
		panic!("the judge has no memory for what a call was granted: {failure}");
	}
	let ended = match &ended {
		Ok(()) => Some(Ended::Returned),
		Err(error) => classify(error),
	};
	let spent = budget.used(gas);
	let Some(ended) = ended else {
		return Replayed {
			outcome: ReplayOutcome::Inconclusive,
			gas: spent,
		};
	};
	match budget.close(ended, gas, stack) {
		Ok(end) => conclude(end, host.wasi, input),
		Err(_) => Replayed {
			outcome: ReplayOutcome::OtherEffects,
			gas: spent,
		},
	}
}

/// Makes the instance and runs `_start`. The counters are found as soon as there is an instance.
fn start(
	module: &Module,
	store: &mut Store<Host>,
	gas: Gas,
	counters: &mut Option<(Global, Global)>,
) -> Result<(), Error> {
	let mut linker = Linker::new(module.engine());
	binding::link(&mut linker)?;
	let instance = linker.instantiate_and_start(&mut *store, module)?;
	let missing = || Error::new("the module came without its meter");
	let gas_global = instance
		.get_global(&*store, GAS_EXPORT)
		.ok_or_else(missing)?;
	let stack_global = instance
		.get_global(&*store, STACK_EXPORT)
		.ok_or_else(missing)?;
	gas_global.set(&mut *store, Val::I64(gas as i64))?;
	*counters = Some((gas_global, stack_global));
	let memory = instance.get_memory(&*store, "memory").ok_or_else(missing)?;
	store.data_mut().guest = Some((memory, gas_global));
	instance
		.get_typed_func::<(), ()>(&*store, "_start")?
		.call(&mut *store, ())
}

fn read(counter: Global, store: &Store<Host>) -> i64 {
	counter.get(store).i64().unwrap_or(0)
}

/// What stopped the guest; `None` if it was a limit of the judge.
fn classify(error: &Error) -> Option<Ended> {
	if let Some(exit) = error.downcast_ref::<Exit>() {
		return Some(Ended::Exit(*exit));
	}
	let Some(trap) = error.as_trap_code() else {
		return match error.kind() {
			ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) => {
				Some(Ended::Trapped)
			}
			_ => None,
		};
	};
	match trap {
		TrapCode::UnreachableCodeReached => Some(Ended::Unreachable),
		TrapCode::MemoryOutOfBounds
		| TrapCode::TableOutOfBounds
		| TrapCode::IndirectCallToNull
		| TrapCode::BadSignature
		| TrapCode::IntegerOverflow
		| TrapCode::IntegerDivisionByZero
		| TrapCode::BadConversionToInteger => Some(Ended::Trapped),
		TrapCode::OutOfSystemMemory => panic!("the judge has no memory left"),
		// The counted stack is the smaller one, so a guest never gets to the first of these; the
		// others are of things that the judge does not use.
		TrapCode::StackOverflow | TrapCode::OutOfFuel | TrapCode::GrowthOperationLimited => None,
	}
}

/// What the end of a call means for its receipt.
fn conclude((status, gas): (CallStatus, Gas), mut wasi: Wasi, input: &ReplayInput) -> Replayed {
	let output = CallOutput::new((status, gas), &mut wasi);
	let outcome = if status == CallStatus::OutOfGas && input.claimed_gas < input.limits.gas {
		ReplayOutcome::TakesMore
	} else if output.transcript.0.len() != input.transcript.0.len() {
		ReplayOutcome::OtherEffects
	} else {
		ReplayOutcome::Ended {
			status,
			response: response_hash(&output.response),
			gas,
		}
	};
	Replayed { outcome, gas }
}

#[cfg(test)]
mod tests {
	use super::*;

	/// A value that is its own address, at a distance that takes more than two bytes: the translator has both in
	/// one register, and no instruction for that. If this fails, it has one.
	#[test]
	fn what_the_translator_fails_on_is_refused() {
		let store = |offset: u32| {
			let text = format!(
				r#"(module (memory 4) (func (param i32)
					(i32.store offset={offset} (local.tee 0 (i32.add (local.get 0) (i32.const 4)))
						(local.get 0))))"#
			);
			translate(&wat::parse_str(text).unwrap()).map(|_| ())
		};
		assert_eq!(store(65_535), Ok(()));
		let refused = Reason::NotReplayable {
			message: "its translator fails".into(),
		};
		assert_eq!(store(65_536), Err(refused));
	}

	/// Other features of the same crate would make it take what no other judge takes, and anything in
	/// the build can turn them on.
	#[test]
	fn the_judge_takes_neither_text_nor_vectors() {
		let text = "(module (memory 1))";
		let module = wat::parse_str(text).unwrap();
		assert!(translate(&module).is_ok());
		assert!(translate(text.as_bytes()).is_err());
		for text in [
			"(module (func (param v128)))",
			"(module (func (drop (v128.const i32x4 0 0 0 0))))",
			"(module (memory i64 1))",
			"(module (memory 1) (memory 1))",
			"(module (func $f (return_call $f)))",
		] {
			let module = wat::parse_str(text).unwrap();
			assert!(translate(&module).is_err(), "{text}");
		}
	}

	#[test]
	fn numbers_that_are_none_have_one_form() {
		let wat = r#"(module
			(func (export "f") (param i32) (result i32)
				(i32.reinterpret_f32 (f32.add (f32.reinterpret_i32 (local.get 0)) (f32.const 1))))
			(func (export "g") (param i64) (result i32)
				(i32.reinterpret_f32 (f32.demote_f64 (f64.reinterpret_i64 (local.get 0)))))
			(func (export "h") (param i32) (result i64)
				(i64.reinterpret_f64 (f64.promote_f32 (f32.reinterpret_i32 (local.get 0)))))
			(func (export "m") (param i64) (result i64)
				(i64.reinterpret_f64 (f64.min (f64.reinterpret_i64 (local.get 0)) (f64.const 1))))
			(func (export "n") (param i64) (result i64)
				(i64.reinterpret_f64 (f64.nearest (f64.reinterpret_i64 (local.get 0))))))"#;
		let engine = Engine::new(&config());
		let module = Module::new(&engine, wat::parse_str(wat).unwrap()).unwrap();
		let mut store = Store::new(&engine, ());
		let linker = Linker::new(&engine);
		let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
		const SINGLE: i32 = 0x7fc0_0000;
		const DOUBLE: i64 = 0x7ff8_0000_0000_0000;
		// A NaN that signals, with its sign and a payload.
		let (single, double) = (0xffa0_1234_u32 as i32, 0xfff4_0000_1234_5678_u64 as i64);
		let f = instance.get_typed_func::<i32, i32>(&store, "f").unwrap();
		assert_eq!(f.call(&mut store, single).unwrap(), SINGLE);
		let g = instance.get_typed_func::<i64, i32>(&store, "g").unwrap();
		assert_eq!(g.call(&mut store, double).unwrap(), SINGLE);
		let h = instance.get_typed_func::<i32, i64>(&store, "h").unwrap();
		assert_eq!(h.call(&mut store, single).unwrap(), DOUBLE);
		for name in ["m", "n"] {
			let f = instance.get_typed_func::<i64, i64>(&store, name).unwrap();
			assert_eq!(f.call(&mut store, double).unwrap(), DOUBLE, "{name}");
		}
	}

	/// Why no block may have parameters: where it has, this version of the judge leaves a local that
	/// lies below them where it is, and saves it only on the way that changes it. If this fails, it
	/// does so no longer.
	#[test]
	fn a_local_below_the_parameters_of_a_block_is_mistaken() {
		// Leaves 7 wherever the other function keeps its values.
		const FILL: &str = r#"(func (export "fill") (param i32 i32) (result i32)
			(local i32 i32 i32 i32)
			i32.const 7 local.set 2 i32.const 7 local.set 3
			i32.const 7 local.set 4 i32.const 7 local.set 5 i32.const 0)"#;
		let answer = |before: &str, parameters: &str, after: &str| {
			let wat = format!(
				r#"(module {FILL} (func (export "f") (param i32 i32) (result i32)
					local.get 0 {before}
					block {parameters} {after} local.get 1 br_if 0 i32.const 9 local.set 0 end))"#
			);
			let engine = Engine::new(&config());
			let module = Module::new(&engine, wat::parse_str(wat).unwrap()).unwrap();
			let mut store = Store::new(&engine, ());
			let linker = Linker::new(&engine);
			let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
			let function = |name| {
				instance
					.get_typed_func::<(i32, i32), i32>(&store, name)
					.unwrap()
			};
			let (fill, f) = (function("fill"), function("f"));
			[1, 0].map(|branch| {
				fill.call(&mut store, (0, 0)).unwrap();
				f.call(&mut store, (5, branch)).unwrap()
			})
		};
		assert_eq!(answer("", "", ""), [5, 5]);
		assert_eq!(
			answer("i32.const 8", "(param i32)", "drop"),
			[7, 5],
			"blocks may have parameters"
		);
	}
}
