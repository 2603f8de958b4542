//! Modules with a meter and without a world, in wasmtime as it comes.
#![allow(
	dead_code,
	unreachable_pub,
	reason = "every test file uses another part of this module"
)]

use millrace_executor::limits::NATIVE_STACK_BYTES;
use millrace_executor::{inject, GAS_EXPORT, STACK_EXPORT};
use wasmtime::{Config, Engine, Extern, Global, Instance, Module, Store, Trap, Val};

/// An instance whose gas is set and whose counters can be read.
pub struct Bare {
	store: Store<()>,
	instance: Instance,
}

impl Bare {
	/// A module in the text format, without imports.
	pub fn new(wat: &str, gas: i64) -> Self {
		Self::with_imports(wat, gas, |_| Vec::new())
	}

	/// A module in the text format, with what it imports.
	pub fn with_imports(
		wat: &str,
		gas: i64,
		imports: impl FnOnce(&mut Store<()>) -> Vec<Extern>,
	) -> Self {
		let module = wat::parse_str(wat).expect("the test's module is well-formed");
		let metered = inject(&module).expect("the meter goes in");
		let mut config = Config::new();
		config.max_wasm_stack(NATIVE_STACK_BYTES);
		let engine = Engine::new(&config).unwrap();
		let module = Module::from_binary(&engine, &metered).expect("the result is valid");
		let mut store = Store::new(&engine, ());
		let imports = imports(&mut store);
		let instance = Instance::new(&mut store, &module, &imports).unwrap();
		let mut this = Self { store, instance };
		this.global(GAS_EXPORT)
			.set(&mut this.store, Val::I64(gas))
			.unwrap();
		this
	}

	/// Calls an export with 32-bit arguments. An import's failure is told as no trap.
	pub fn call(&mut self, name: &str, arguments: &[i32]) -> Result<Vec<i64>, Option<Trap>> {
		let function = self
			.instance
			.get_func(&mut self.store, name)
			.expect("there is such an export");
		let arguments: Vec<Val> = arguments.iter().map(|value| Val::I32(*value)).collect();
		let results = function.ty(&self.store).results().len();
		let mut results = vec![Val::I32(0); results];
		match function.call(&mut self.store, &arguments, &mut results) {
			Ok(()) => Ok(results.iter().map(number).collect()),
			Err(error) => Err(error.downcast_ref::<Trap>().copied()),
		}
	}

	/// The gas that is left.
	pub fn gas(&mut self) -> i64 {
		self.number(GAS_EXPORT)
	}

	/// The stack that is left.
	pub fn stack(&mut self) -> i64 {
		self.number(STACK_EXPORT)
	}

	/// An exported global.
	pub fn number(&mut self, name: &str) -> i64 {
		let value = self.global(name).get(&mut self.store);
		number(&value)
	}

	/// A global that was imported.
	pub fn value_of(&mut self, global: Global) -> i64 {
		let value = global.get(&mut self.store);
		number(&value)
	}

	/// All of the exported memory.
	pub fn memory(&mut self) -> Vec<u8> {
		let memory = self
			.instance
			.get_memory(&mut self.store, "memory")
			.expect("there is a memory");
		memory.data(&self.store).to_vec()
	}

	fn global(&mut self, name: &str) -> Global {
		self.instance
			.get_global(&mut self.store, name)
			.expect("there is such a global")
	}
}

fn number(value: &Val) -> i64 {
	match value {
		Val::I32(value) => i64::from(*value),
		Val::I64(value) => *value,
		other => panic!("an integer is wanted, not {other:?}"),
	}
}

/// Runs with the native stack that the counted one needs behind it.
pub fn with_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
	std::thread::Builder::new()
		.stack_size(NATIVE_STACK_BYTES + 16 * 1024 * 1024)
		.spawn(work)
		.unwrap()
		.join()
		.unwrap()
}
