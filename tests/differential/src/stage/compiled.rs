//! The engine that compiles.

use super::{fingerprint, Counters, Stage, Stop, TrapKind, Value};
use millrace_executor::limits::{MAX_STACK, MAX_TABLE_ELEMENTS};
use millrace_executor::{canonical, settings, GAS_EXPORT, STACK_EXPORT};
use millrace_primitives::execution::MAX_MEMORY_BYTES;
use millrace_primitives::H256;
use std::fmt;
use std::sync::OnceLock;
use wasmtime::{
	Engine, Func, Global, Instance, InstanceAllocationStrategy, Linker, Module, OptLevel, Store,
	StoreLimits, StoreLimitsBuilder, Trap, Val,
};

/// Instances that may live at a time: more than any test has threads.
const PLACES: u32 = 16;

/// One program in so many, by its length, is compiled in a hurry: both compilers' code must do the
/// same.
const QUICK_ONE_IN: usize = 4;

/// Wasmtime under the settings of the executor.
pub struct Compiled {
	store: Store<StoreLimits>,
	linker: Linker<StoreLimits>,
	instances: Vec<Instance>,
	wide: bool,
}

impl fmt::Debug for Compiled {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Compiled")
			.field("instances", &self.instances.len())
			.finish_non_exhaustive()
	}
}

/// One engine for the process: setting its pool up takes longer than most cases.
fn engine(wide: bool) -> &'static Engine {
	static POOLED: OnceLock<Engine> = OnceLock::new();
	static WIDE: OnceLock<Engine> = OnceLock::new();
	let cell = if wide { &WIDE } else { &POOLED };
	cell.get_or_init(|| set_up(wide, OptLevel::Speed))
}

/// The compiler in a hurry, whose code runs on [`engine`].
fn quick(wide: bool) -> &'static Engine {
	static POOLED: OnceLock<Engine> = OnceLock::new();
	static WIDE: OnceLock<Engine> = OnceLock::new();
	let cell = if wide { &WIDE } else { &POOLED };
	cell.get_or_init(|| set_up(wide, OptLevel::None))
}

fn set_up(wide: bool, level: OptLevel) -> Engine {
	let mut config = settings(PLACES).expect("the settings fit this machine");
	config.cranelift_opt_level(level);
	// The modules are small, and so are the threads few.
	config.parallel_compilation(false);
	if wide {
		config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
	}
	Engine::new(&config).expect("the engine can be set up")
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

impl Compiled {
	/// Gas and stack of an instance that has a meter.
	fn meter(&mut self, instance: Instance) -> Option<(Global, Global)> {
		Some((
			instance.get_global(&mut self.store, GAS_EXPORT)?,
			instance.get_global(&mut self.store, STACK_EXPORT)?,
		))
	}

	fn function(&mut self, instance: usize, export: &str) -> Option<Func> {
		self.instances
			.get(instance)?
			.get_func(&mut self.store, export)
	}
}

impl Stage for Compiled {
	type Code = Module;

	fn new(wide: bool) -> Self {
		let engine = engine(wide);
		Self {
			store: store(engine),
			linker: linker(engine),
			instances: Vec::new(),
			wide,
		}
	}

	fn compile(&self, metered: &[u8]) -> Result<Module, String> {
		let module = canonical(metered).map_err(|error| error.to_string())?;
		let engine = self.store.engine();
		let compiled = if metered.len() % QUICK_ONE_IN == 0 {
			quick(self.wide)
				.precompile_module(&module)
				.and_then(|code| {
					// SAFETY: it is what a compiler of this very process has just made.
					unsafe { Module::deserialize(engine, code) }
				})
		} else {
			Module::from_binary(engine, &module)
		};
		compiled.map_err(|error| format!("{error:#}"))
	}

	fn clear(&mut self) {
		let engine = self.store.engine().clone();
		self.instances.clear();
		self.linker = linker(&engine);
		self.store = store(&engine);
	}

	fn instantiate(&mut self, code: &Module) -> Result<usize, Stop> {
		let instance = self
			.linker
			.instantiate(&mut self.store, code)
			.map_err(|error| stop(&error))?;
		self.instances.push(instance);
		Ok(self.instances.len() - 1)
	}

	fn register(&mut self, name: &str, instance: usize) -> Result<(), String> {
		let instance = *self.instances.get(instance).ok_or("no such instance")?;
		self.linker
			.instance(&mut self.store, name, instance)
			.map(drop)
			.map_err(|error| format!("{error:#}"))
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
		let mut counters = Vec::new();
		for instance in self.instances.clone() {
			if let Some((gas, stack)) = self.meter(instance) {
				counters.push(Counters {
					gas: gas.get(&mut self.store).i64().unwrap_or(i64::MIN),
					stack: stack.get(&mut self.store).i64().unwrap_or(i64::MIN),
				});
			}
		}
		counters
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
			.get_global(&mut self.store, name)?;
		Some(value(&global.get(&mut self.store)))
	}

	fn memory(&mut self, instance: usize, name: &str) -> Option<H256> {
		let memory = self
			.instances
			.get(instance)?
			.get_memory(&mut self.store, name)?;
		Some(fingerprint(memory.data(&self.store)))
	}
}

fn argument(value: &Value) -> Val {
	match *value {
		Value::I32(bits) => Val::I32(bits as i32),
		Value::I64(bits) => Val::I64(bits as i64),
		Value::F32(bits) => Val::F32(bits),
		Value::F64(bits) => Val::F64(bits),
		Value::Function(_) | Value::Foreign => Val::FuncRef(None),
	}
}

fn value(value: &Val) -> Value {
	match value {
		Val::I32(number) => Value::I32(*number as u32),
		Val::I64(number) => Value::I64(*number as u64),
		Val::F32(bits) => Value::F32(*bits),
		Val::F64(bits) => Value::F64(*bits),
		Val::FuncRef(function) => Value::Function(function.is_some()),
		_ => Value::Foreign,
	}
}

fn stop(error: &wasmtime::Error) -> Stop {
	let kind = match error.downcast_ref::<Trap>() {
		Some(Trap::UnreachableCodeReached) => TrapKind::Unreachable,
		Some(Trap::MemoryOutOfBounds) => TrapKind::Memory,
		Some(Trap::TableOutOfBounds) => TrapKind::Table,
		Some(Trap::IndirectCallToNull) => TrapKind::NullCall,
		Some(Trap::BadSignature) => TrapKind::Signature,
		Some(Trap::IntegerOverflow) => TrapKind::Overflow,
		Some(Trap::IntegerDivisionByZero) => TrapKind::DivisionByZero,
		Some(Trap::BadConversionToInteger) => TrapKind::Conversion,
		_ => return Stop::Broken(format!("{error:#}")),
	};
	Stop::Trap(kind)
}
