//! The engine that interprets: the judge's.

use super::{fingerprint, Counters, Stage, Stop, TrapKind, Value};
use millrace_executor::limits::{MAX_STACK, MAX_TABLE_ELEMENTS};
use millrace_executor::{replay_config, GAS_EXPORT, STACK_EXPORT};
use millrace_primitives::execution::MAX_MEMORY_BYTES;
use millrace_primitives::H256;
use std::fmt;
use wasmi::errors::{ErrorKind, InstantiationError};
use wasmi::{
	Engine, Error, Func, Global, Instance, Linker, Module, Nullable, Store, StoreLimits,
	StoreLimitsBuilder, TrapCode, Val, F32, F64,
};

/// Wasmi under the settings of the executor. Each has an engine of its own, since an engine keeps
/// the code of every module that it ever translated.
pub struct Interpreted {
	engine: Engine,
	store: Store<StoreLimits>,
	linker: Linker<StoreLimits>,
	instances: Vec<Instance>,
}

impl fmt::Debug for Interpreted {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Interpreted")
			.field("instances", &self.instances.len())
			.finish_non_exhaustive()
	}
}

fn store(engine: &Engine) -> Store<StoreLimits> {
	let limits = StoreLimitsBuilder::new()
		.memory_size(MAX_MEMORY_BYTES as usize)
		.table_elements(MAX_TABLE_ELEMENTS as usize)
		.build();
	let mut store = Store::new(engine, limits);
	store.limiter(|limits| limits);
	store
}

fn linker(engine: &Engine) -> Linker<StoreLimits> {
	let mut linker = Linker::new(engine);
	linker.allow_shadowing(true);
	linker
}

impl Interpreted {
	/// Gas and stack of an instance that has a meter.
	fn meter(&self, instance: Instance) -> Option<(Global, Global)> {
		Some((
			instance.get_global(&self.store, GAS_EXPORT)?,
			instance.get_global(&self.store, STACK_EXPORT)?,
		))
	}

	fn function(&self, instance: usize, export: &str) -> Option<Func> {
		self.instances.get(instance)?.get_func(&self.store, export)
	}
}

impl Stage for Interpreted {
	type Code = Module;

	fn new(_wide: bool) -> Self {
		let engine = Engine::new(&replay_config());
		Self {
			store: store(&engine),
			linker: linker(&engine),
			instances: Vec::new(),
			engine,
		}
	}

	fn compile(&self, metered: &[u8]) -> Result<Module, String> {
		Module::new(&self.engine, metered).map_err(|error| error.to_string())
	}

	fn clear(&mut self) {
		self.instances.clear();
		self.linker = linker(&self.engine);
		self.store = store(&self.engine);
	}

	fn instantiate(&mut self, code: &Module) -> Result<usize, Stop> {
		let instance = self
			.linker
			.instantiate_and_start(&mut self.store, code)
			.map_err(|error| stop(&error))?;
		self.instances.push(instance);
		Ok(self.instances.len() - 1)
	}

	fn register(&mut self, name: &str, instance: usize) -> Result<(), String> {
		let instance = *self.instances.get(instance).ok_or("no such instance")?;
		self.linker
			.instance(&mut self.store, name, instance)
			.map(drop)
			.map_err(|error| error.to_string())
	}

	fn refill(&mut self, gas: i64) {
		for instance in self.instances.clone() {
			if let Some((gas_global, stack)) = self.meter(instance) {
				gas_global
					.set(&mut self.store, Val::I64(gas))
					.expect("the gas global is a mutable i64");
				stack
					.set(&mut self.store, Val::I64(MAX_STACK))
					.expect("the stack global is a mutable i64");
			}
		}
	}

	fn counters(&mut self) -> Vec<Counters> {
		let meters = self.instances.iter().filter_map(|one| self.meter(*one));
		meters
			.map(|(gas, stack)| Counters {
				gas: gas.get(&self.store).i64().unwrap_or(i64::MIN),
				stack: stack.get(&self.store).i64().unwrap_or(i64::MIN),
			})
			.collect()
	}

	fn invoke(
		&mut self,
		instance: usize,
		export: &str,
		arguments: &[Value],
	) -> Result<Vec<Value>, Stop> {
		let function = self
			.function(instance, export)
			.ok_or_else(|| Stop::Broken(format!("no function {export:?}")))?;
		let arguments: Vec<Val> = arguments.iter().map(argument).collect();
		let count = function.ty(&self.store).results().len();
		let mut results = vec![Val::I32(0); count];
		function
			.call(&mut self.store, &arguments, &mut results)
			.map_err(|error| stop(&error))?;
		Ok(results.iter().map(value).collect())
	}

	fn global(&mut self, instance: usize, name: &str) -> Option<Value> {
		let global = self
			.instances
			.get(instance)?
			.get_global(&self.store, name)?;
		Some(value(&global.get(&self.store)))
	}

	fn memory(&mut self, instance: usize, name: &str) -> Option<H256> {
		let memory = self
			.instances
			.get(instance)?
			.get_memory(&self.store, name)?;
		Some(fingerprint(memory.data(&self.store)))
	}
}

fn argument(value: &Value) -> Val {
	match *value {
		Value::I32(bits) => Val::I32(bits as i32),
		Value::I64(bits) => Val::I64(bits as i64),
		Value::F32(bits) => Val::F32(F32::from_bits(bits)),
		Value::F64(bits) => Val::F64(F64::from_bits(bits)),
		Value::Function(_) | Value::Foreign => Val::FuncRef(Nullable::Null),
	}
}

fn value(value: &Val) -> Value {
	match value {
		Val::I32(number) => Value::I32(*number as u32),
		Val::I64(number) => Value::I64(*number as u64),
		Val::F32(number) => Value::F32(number.to_bits()),
		Val::F64(number) => Value::F64(number.to_bits()),
		Val::FuncRef(function) => Value::Function(!function.is_null()),
		_ => Value::Foreign,
	}
}

fn stop(error: &Error) -> Stop {
	let outside_of_table = matches!(
		error.kind(),
		ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. })
	);
	let kind = match error.as_trap_code() {
		_ if outside_of_table => TrapKind::Table,
		Some(TrapCode::UnreachableCodeReached) => TrapKind::Unreachable,
		Some(TrapCode::MemoryOutOfBounds) => TrapKind::Memory,
		Some(TrapCode::TableOutOfBounds) => TrapKind::Table,
		Some(TrapCode::IndirectCallToNull) => TrapKind::NullCall,
		Some(TrapCode::BadSignature) => TrapKind::Signature,
		Some(TrapCode::IntegerOverflow) => TrapKind::Overflow,
		Some(TrapCode::IntegerDivisionByZero) => TrapKind::DivisionByZero,
		Some(TrapCode::BadConversionToInteger) => TrapKind::Conversion,
		_ => return Stop::Broken(error.to_string()),
	};
	Stop::Trap(kind)
}
