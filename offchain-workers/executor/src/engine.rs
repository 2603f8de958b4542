//! The engine: wasmtime with settings that leave results to the module alone.

use crate::binding::{self, Host};
use crate::cache::{DiskCache, MemoryCache};
use crate::call::{Call, CallInput, CallOutput};
use crate::error::{EngineError, LoadError};
use crate::instrument::inject;
use crate::limits;
use crate::runners::Runners;
use crate::validate::{validate, ModuleInfo};
use crate::wasi::Wasi;
use millrace_primitives::execution::{package_hash, MAX_MEMORY_BYTES};
use millrace_primitives::H256;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use wasmtime::{
	Config, InstanceAllocationStrategy, InstancePre, Linker, OptLevel, PoolingAllocationConfig,
	Strategy,
};

/// How often the engine looks whether a call has taken too long.
const TICK: Duration = Duration::from_millis(20);

/// Memory of a guest that is zeroed and kept, rather than given back, when its call ends.
const KEEP_RESIDENT_BYTES: usize = 1024 * 1024;

/// Settings of an engine. None of them can change a result; some decide whether there is one.
#[derive(Clone, Debug)]
pub struct EngineConfig {
	/// Most calls at a time; further ones are refused as [`EngineError::Busy`].
	pub max_concurrent_calls: u32,
	/// Longest time of a call; it then ends as [`EngineError::TimedOut`].
	pub max_wall_clock: Duration,
	/// Compiled modules that are kept in memory.
	pub cached_modules: usize,
	/// Folder for compiled modules that no other user can write to; without one they are not kept.
	pub cache_folder: Option<PathBuf>,
	/// Bytes that the folder may hold; what was not used for longest goes first.
	pub cache_bytes: u64,
}

impl Default for EngineConfig {
	fn default() -> Self {
		Self {
			max_concurrent_calls: 32,
			max_wall_clock: Duration::from_secs(30),
			cached_modules: 64,
			cache_folder: None,
			cache_bytes: 1024 * 1024 * 1024,
		}
	}
}

/// Compiles modules and runs calls. Cheap to clone; usable from any thread.
#[derive(Clone)]
pub struct Engine {
	inner: Arc<Inner>,
}

struct Inner {
	config: EngineConfig,
	wasmtime: wasmtime::Engine,
	linker: Linker<Host>,
	memory: MemoryCache,
	disk: Option<DiskCache>,
	/// Held while compiling, so that no module is compiled twice at a time.
	compiling: Mutex<()>,
	runners: Runners,
}

impl fmt::Debug for Engine {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Engine")
			.field("config", &self.inner.config)
			.finish_non_exhaustive()
	}
}

/// A module that is ready to be called.
pub struct Module {
	hash: H256,
	info: ModuleInfo,
	compiled: InstancePre<Host>,
}

impl Module {
	/// Hash of the package.
	pub fn hash(&self) -> H256 {
		self.hash
	}

	/// What is known of it.
	pub fn info(&self) -> &ModuleInfo {
		&self.info
	}
}

impl fmt::Debug for Module {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Module")
			.field("hash", &self.hash)
			.finish_non_exhaustive()
	}
}

impl Engine {
	/// Sets an engine up and takes address space for all its places, but no memory yet.
	pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
		let setup = |error: wasmtime::Error| EngineError::Setup(format!("{error:#}"));
		let settings = settings(config.max_concurrent_calls).map_err(setup)?;
		let wasmtime = wasmtime::Engine::new(&settings).map_err(setup)?;
		let mut linker = Linker::new(&wasmtime);
		binding::link(&mut linker).map_err(setup)?;
		let disk = match &config.cache_folder {
			Some(folder) => {
				let disk = DiskCache::open(folder.clone(), config.cache_bytes, &wasmtime);
				Some(disk.map_err(|error| {
					EngineError::Setup(format!(
						"the folder {} for modules: {error}",
						folder.display()
					))
				})?)
			}
			None => None,
		};
		start_clock(&wasmtime)?;
		let inner = Inner {
			memory: MemoryCache::new(config.cached_modules),
			runners: Runners::new(config.max_concurrent_calls),
			compiling: Mutex::new(()),
			config,
			wasmtime,
			linker,
			disk,
		};
		Ok(Self {
			inner: Arc::new(inner),
		})
	}

	/// The module of a package, if it is in memory.
	pub fn cached(&self, package: &H256) -> Option<Arc<Module>> {
		self.inner.memory.get(package)
	}

	/// Makes a package ready: validates, instruments and compiles it, or finds it in a cache.
	///
	/// Takes about a second per megabyte the first time: call it where blocking is allowed.
	pub fn load(&self, package: &[u8]) -> Result<Arc<Module>, LoadError> {
		let hash = package_hash(package);
		if let Some(module) = self.cached(&hash) {
			return Ok(module);
		}
		let _compiling = self
			.inner
			.compiling
			.lock()
			.unwrap_or_else(PoisonError::into_inner);
		if let Some(module) = self.cached(&hash) {
			return Ok(module);
		}
		let info = validate(package).map_err(LoadError::Refused)?;
		let failed = |error: wasmtime::Error| LoadError::Compile(format!("{error:#}"));
		// Instrumented even if the result is compiled already: what was compiled is known by what it
		// was compiled from, so that no change of the instrumentation can be overlooked.
		let metered = inject(package)?;
		let disk = self.inner.disk.as_ref();
		let kept = disk.and_then(|disk| disk.read(&self.inner.wasmtime, &metered));
		let compiled = match kept {
			Some(compiled) => compiled,
			None => {
				let compiled = wasmtime::Module::from_binary(&self.inner.wasmtime, &metered)
					.map_err(failed)?;
				if let Some(disk) = disk {
					disk.write(&metered, &compiled);
				}
				compiled
			}
		};
		let compiled = self
			.inner
			.linker
			.instantiate_pre(&compiled)
			.map_err(failed)?;
		let module = Arc::new(Module {
			hash,
			info,
			compiled,
		});
		self.inner.memory.insert(module.clone());
		Ok(module)
	}

	/// Runs a call and waits for its end: call it where blocking is allowed.
	pub fn call(&self, module: &Module, input: &CallInput<'_>) -> Result<CallOutput, EngineError> {
		let (size, max) = (input.request.body.len(), input.limits.request_bytes);
		if size > max as usize {
			return Err(EngineError::RequestTooLarge { size, max });
		}
		let wall_clock = self.inner.config.max_wall_clock;
		// One tick more than asked for, because the present one has begun already.
		let ticks = wall_clock
			.as_millis()
			.div_ceil(TICK.as_millis())
			.saturating_add(1);
		let call = Call {
			module: module.compiled.clone(),
			info: module.info.clone(),
			limits: input.limits,
			wasi: Wasi::new(
				input.request,
				input.limits.response_bytes,
				input.clock_ms,
				input.seed,
			),
			deadline: (u64::try_from(ticks).unwrap_or(u64::MAX / 2), wall_clock),
		};
		self.inner.runners.run(move || call.run())?
	}
}

/// The settings of wasmtime. What a guest can see does not depend on them: gas and stack are counted
/// in the module, limits are below the pool's, proposals are checked before.
fn settings(places: u32) -> wasmtime::Result<Config> {
	let mut config = Config::new();
	config
		.strategy(Strategy::Cranelift)
		.cranelift_opt_level(OptLevel::Speed);
	config.cranelift_nan_canonicalization(true);
	config.consume_fuel(false).epoch_interruption(true);
	config.max_wasm_stack(limits::NATIVE_STACK_BYTES);
	config.wasm_backtrace(false).generate_address_map(false);
	config.memory_init_cow(true);
	// An explicit target keeps the features of this machine's processor out, so that compiled
	// modules run on any other.
	if cfg!(all(
		target_arch = "x86_64",
		target_os = "linux",
		target_env = "gnu"
	)) {
		config.target("x86_64-unknown-linux-gnu")?;
	}
	config.wasm_simd(false).wasm_relaxed_simd(false);
	config.wasm_memory64(false).wasm_multi_memory(false);
	config.wasm_tail_call(false).wasm_extended_const(false);
	config
		.wasm_wide_arithmetic(false)
		.wasm_custom_page_sizes(false);

	let mut pool = PoolingAllocationConfig::new();
	pool.total_core_instances(places)
		.total_memories(places)
		.total_tables(places);
	pool.max_memories_per_module(1)
		.max_memory_size(MAX_MEMORY_BYTES as usize);
	pool.max_tables_per_module(limits::MAX_TABLES as u32);
	pool.table_elements(limits::MAX_TABLE_ELEMENTS as usize);
	pool.max_core_instance_size(4 * 1024 * 1024);
	pool.max_unused_warm_slots(places);
	pool.linear_memory_keep_resident(KEEP_RESIDENT_BYTES);
	config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
	Ok(config)
}

/// Starts the thread that ends calls which take too long. It ends with the engine.
fn start_clock(engine: &wasmtime::Engine) -> Result<(), EngineError> {
	let engine = engine.weak();
	thread::Builder::new()
		.name("millrace-clock".into())
		.spawn(move || {
			while let Some(engine) = engine.upgrade() {
				engine.increment_epoch();
				drop(engine);
				thread::sleep(TICK);
			}
		})
		.map(drop)
		.map_err(|error| EngineError::Setup(format!("no thread for the clock: {error}")))
}
