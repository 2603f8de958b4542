//! The engine: wasmtime with settings that leave results to the module alone.

use crate::archive::{self, Files};
use crate::artifact::{Artifact, ArtifactError, ArtifactFolder};
use crate::binding::{self, Host};
use crate::cache::MemoryCache;
use crate::call::{CallInput, CallOutput, OwnedInput};
use crate::effects::{Effects, NoEffects};
use crate::error::{EngineError, LoadError};
use crate::limits;
use crate::nan;
use crate::run::Run;
use crate::runners::Runners;
use crate::validate::{Candidate, ModuleInfo};
use crate::wasi::Wasi;
use millrace_primitives::execution::{package_hash, MAX_MEMORY_BYTES};
use millrace_primitives::{hash, H256};
use std::fmt;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use wasmtime::{
	Config, InstanceAllocationStrategy, InstancePre, Linker, OptLevel, PoolingAllocationConfig,
	Strategy,
};

/// How often the engine looks whether a call has taken too long.
const TICK: Duration = Duration::from_millis(20);

/// Memory of a guest that is zeroed and kept, rather than given back, when its call ends: taking a page
/// anew costs several times as much as zeroing it. Compilers put the stack first, a MiB of it; what a
/// guest uses lies at the end of that and behind it.
const KEEP_RESIDENT_BYTES: usize = 8 * 1024 * 1024;
/// The same of a guest's table.
const KEEP_RESIDENT_TABLE_BYTES: usize = 64 * 1024;

/// Settings of an engine. None of them can change a result; some decide whether there is one.
#[derive(Clone, Debug)]
pub struct EngineConfig {
	/// Most calls at a time; further ones are refused as [`EngineError::Busy`].
	pub max_concurrent_calls: u32,
	/// Longest time of a call; it then ends as [`EngineError::TimedOut`]. `None` for whoever can end
	/// the process instead: the code then has no look at the clock in each loop.
	pub max_wall_clock: Option<Duration>,
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
			max_wall_clock: None,
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
	/// Packages that were compiled.
	compiled: AtomicU64,
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
	info: ModuleInfo,
	files: Files,
	compiled: InstancePre<Host>,
}

impl Module {
	/// What is known of it.
	pub fn info(&self) -> &ModuleInfo {
		&self.info
	}

	/// Its compiled form.
	pub fn compiled(&self) -> &InstancePre<Host> {
		&self.compiled
	}
}

impl fmt::Debug for Module {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Module")
			.field("info", &self.info)
			.finish_non_exhaustive()
	}
}

impl Engine {
	/// Sets an engine up and takes address space for all its places, but no memory yet.
	pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
		let setup = |error: wasmtime::Error| EngineError::Setup(format!("{error:#}"));
		let mut settings = settings(config.max_concurrent_calls).map_err(setup)?;
		settings.epoch_interruption(config.max_wall_clock.is_some());
		let wasmtime = wasmtime::Engine::new(&settings).map_err(setup)?;
		let mut linker = Linker::new(&wasmtime);
		binding::link(&mut linker).map_err(setup)?;
		if config.max_wall_clock.is_some() {
			start_clock(&wasmtime)?;
		}
		let engine = Self {
			inner: Arc::new(Inner {
				memory: MemoryCache::new(config.cached_modules),
				runners: Runners::new(config.max_concurrent_calls),
				compiling: Mutex::new(()),
				compiled: AtomicU64::new(0),
				config,
				wasmtime,
				linker,
			}),
		};
		// A folder that cannot be used is noticed here, not at the first package.
		engine
			.folder()
			.map_err(|error| EngineError::Setup(error.to_string()))?;
		Ok(engine)
	}

	/// Stands for all that compiled code depends on beside the module with its meter: what
	/// [`canonical`](crate::canonical) does to that, version and settings of the compiler, and the
	/// processor.
	pub fn compatibility(&self) -> H256 {
		let mut hasher = DefaultHasher::new();
		self.inner
			.wasmtime
			.precompile_compatibility_hash()
			.hash(&mut hasher);
		hash::tagged("millrace/engine/v1", &(hasher.finish(), nan::PASS))
	}

	/// How many packages it has compiled.
	pub fn compiled(&self) -> u64 {
		self.inner.compiled.load(Ordering::Relaxed)
	}

	/// The module of a package, if it is in memory.
	pub fn cached(&self, package: &H256) -> Option<Arc<Module>> {
		self.inner.memory.get(package)
	}

	/// Makes a package ready: validates it, puts the meter in, asks whether the judge can take it,
	/// makes its floats canonical where they can be seen, and compiles it. All that can be done at
	/// once is, on the threads that compile.
	///
	/// Takes about a second per megabyte: call it where blocking is allowed.
	pub fn prepare(&self, package: &[u8]) -> Result<Artifact, LoadError> {
		self.prepare_by(&self.inner.wasmtime, package)
	}

	/// The same by a compiler in a hurry: ready sooner, with code that is slower and does the same.
	pub fn prepare_quickly(
		&self,
		compiler: &QuickCompiler,
		package: &[u8],
	) -> Result<Artifact, LoadError> {
		self.prepare_by(&compiler.0, package)
	}

	fn prepare_by(
		&self,
		compiler: &wasmtime::Engine,
		package: &[u8],
	) -> Result<Artifact, LoadError> {
		let candidate = Candidate::new(package).map_err(LoadError::Refused)?;
		let (injected, scanned) = rayon::join(|| candidate.inject_at_once(), || candidate.scan());
		let (info, metered) = candidate
			.metered(scanned, injected)
			.map_err(LoadError::Refused)?;
		// Nearly all that come as far as here are taken by the judge: the compiler does not wait for it.
		let (code, judged) = rayon::join(|| self.compile(compiler, &metered), || judge(&metered));
		judged?;
		Ok(Artifact {
			info,
			files: archive::section(package).to_vec(),
			code: code?,
		})
	}

	/// Compiles a module with its meter.
	fn compile(&self, compiler: &wasmtime::Engine, metered: &[u8]) -> Result<Vec<u8>, LoadError> {
		let code = compiler
			.precompile_module(&nan::canonical(metered)?)
			.map_err(failed)?;
		self.inner.compiled.fetch_add(1, Ordering::Relaxed);
		Ok(code)
	}

	/// Opens a package that was made ready before. Its code is in the file, from which it is mapped;
	/// that of the artifact is not looked at.
	///
	/// # Safety
	///
	/// The file holds [`Artifact::code`] as this very build made it, for an engine of the same
	/// [`Engine::compatibility`]; nobody changes it while the module lives.
	pub unsafe fn open(&self, artifact: Artifact, code: File) -> Result<Module, LoadError> {
		// SAFETY: the caller says so.
		let compiled =
			unsafe { wasmtime::Module::deserialize_open_file(&self.inner.wasmtime, code) };
		self.module(artifact, compiled)
	}

	/// Opens what this engine has just made.
	fn open_own(&self, artifact: Artifact) -> Result<Module, LoadError> {
		// SAFETY: the code is what this engine serialized, and has not left this process.
		let compiled =
			unsafe { wasmtime::Module::deserialize(&self.inner.wasmtime, &artifact.code) };
		self.module(artifact, compiled)
	}

	fn module(
		&self,
		artifact: Artifact,
		compiled: wasmtime::Result<wasmtime::Module>,
	) -> Result<Module, LoadError> {
		let compiled = self
			.inner
			.linker
			.instantiate_pre(&compiled.map_err(failed)?)
			.map_err(failed)?;
		let files =
			Files::read(&artifact.files).map_err(|reason| LoadError::Refused(vec![reason]))?;
		Ok(Module {
			info: artifact.info,
			files,
			compiled,
		})
	}

	/// Makes a package ready, or finds it in memory or in the folder.
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
		let module = Arc::new(self.find_or_prepare(&hash, package)?);
		self.inner.memory.insert(hash, module.clone());
		Ok(module)
	}

	fn find_or_prepare(&self, hash: &H256, package: &[u8]) -> Result<Module, LoadError> {
		let folder = self.folder().unwrap_or_else(|error| {
			tracing::warn!(%error, "compiled modules are not kept");
			None
		});
		if let Some((artifact, code)) = folder.as_ref().and_then(|folder| folder.find(hash)) {
			// SAFETY: the folder is the operator's own; the file's name and hash say that this very
			// version made it for an engine like this one.
			match unsafe { self.open(artifact, code) } {
				Ok(module) => return Ok(module),
				Err(error) => tracing::warn!(%error, "a compiled module is made again"),
			}
		}
		let artifact = self.prepare(package)?;
		if let Some(Err(error)) = folder.map(|folder| folder.keep(hash, &artifact)) {
			tracing::warn!(%error, "a compiled module is not kept");
		}
		self.open_own(artifact)
	}

	fn folder(&self) -> Result<Option<ArtifactFolder>, ArtifactError> {
		let config = &self.inner.config;
		let Some(folder) = &config.cache_folder else {
			return Ok(None);
		};
		ArtifactFolder::open(folder, config.cache_bytes, self).map(Some)
	}

	/// Runs a call on the calling thread, which must have [`limits::NATIVE_STACK_BYTES`] of stack and
	/// 8 MiB besides.
	pub fn call_here(
		&self,
		module: &Module,
		input: &CallInput<'_>,
		effects: Box<dyn Effects>,
	) -> Result<CallOutput, EngineError> {
		self.call_here_then(module, input.to_owned_input(), effects, |result| result)
	}

	/// The same; `done` gets what came of it before the guest's memory is made ready for the next call.
	pub fn call_here_then<T>(
		&self,
		module: &Module,
		input: OwnedInput,
		effects: Box<dyn Effects>,
		done: impl FnOnce(Result<CallOutput, EngineError>) -> T,
	) -> T {
		match self.run(module, input, effects) {
			Ok(run) => run.run(done),
			Err(error) => done(Err(error)),
		}
	}

	/// Runs a call on a thread of the engine. `done` is called there and may block it; or it is called
	/// at once where the call cannot begin, as when all places are taken.
	pub fn submit(
		&self,
		module: &Module,
		input: OwnedInput,
		effects: Box<dyn Effects>,
		done: impl FnOnce(Result<CallOutput, EngineError>) + Send + 'static,
	) {
		match self.run(module, input, effects) {
			Ok(run) => {
				let runners = &self.inner.runners;
				runners.submit(move || run.run(|result| result), done);
			}
			Err(error) => done(Err(error)),
		}
	}

	/// Runs a call without effects on a thread of the engine and waits for its end: call it where
	/// blocking is allowed.
	pub fn call(&self, module: &Module, input: &CallInput<'_>) -> Result<CallOutput, EngineError> {
		let (send, receive) = sync_channel(1);
		// The caller waits for this, so it is there to receive it.
		let done = move |result| drop(send.send(result));
		self.submit(module, input.to_owned_input(), Box::new(NoEffects), done);
		receive
			.recv()
			.unwrap_or_else(|_| Err(EngineError::Host("the thread of the call is gone".into())))
	}

	fn run(
		&self,
		module: &Module,
		input: OwnedInput,
		effects: Box<dyn Effects>,
	) -> Result<Run, EngineError> {
		let (size, max) = (input.request.body.len(), input.limits.request_bytes);
		if size > max as usize {
			return Err(EngineError::RequestTooLarge { size, max });
		}
		let wasi = Wasi::shared(
			input.request,
			input.limits.response_bytes,
			input.clock_ms,
			input.seed,
		);
		Ok(Run {
			module: module.compiled.clone(),
			info: module.info.clone(),
			limits: input.limits,
			wasi: wasi
				.with_files(module.files.clone())
				.with_effects(input.hosts, effects),
			deadline: self.inner.config.max_wall_clock.map(|wall_clock| {
				// One tick more than asked for, because the present one has begun already.
				let ticks = wall_clock
					.as_millis()
					.div_ceil(TICK.as_millis())
					.saturating_add(1);
				(u64::try_from(ticks).unwrap_or(u64::MAX / 2), wall_clock)
			}),
		})
	}
}

/// A compiler that leaves optimisations out: what it makes runs on any [`Engine`] without a wall clock.
#[derive(Clone)]
pub struct QuickCompiler(wasmtime::Engine);

impl QuickCompiler {
	/// Sets it up.
	pub fn new() -> Result<Self, EngineError> {
		settings(1)
			.and_then(|mut settings| {
				settings.cranelift_opt_level(OptLevel::None);
				wasmtime::Engine::new(&settings)
			})
			.map(Self)
			.map_err(|error| EngineError::Setup(format!("{error:#}")))
	}
}

impl fmt::Debug for QuickCompiler {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("QuickCompiler").finish_non_exhaustive()
	}
}

fn failed(error: wasmtime::Error) -> LoadError {
	LoadError::Compile(format!("{error:#}"))
}

/// Whether the judge can take a module with its meter.
#[cfg(feature = "replay")]
fn judge(metered: &[u8]) -> Result<(), LoadError> {
	crate::replay::translate(metered)
		.map(drop)
		.map_err(|reason| LoadError::Refused(vec![reason]))
}

/// There is no judge here to ask.
#[cfg(not(feature = "replay"))]
fn judge(_metered: &[u8]) -> Result<(), LoadError> {
	Ok(())
}

/// The settings of wasmtime, for so many calls at a time. What a guest can see does not depend on
/// them: gas and stack are counted in the module, limits are below the pool's, proposals are checked
/// before, and NaNs have one form in what [`canonical`](crate::canonical) gives: only that may be
/// compiled. Code is compiled for this very processor.
pub fn settings(places: u32) -> wasmtime::Result<Config> {
	let mut config = Config::new();
	config
		.strategy(Strategy::Cranelift)
		.cranelift_opt_level(OptLevel::Speed);
	config.cranelift_nan_canonicalization(false);
	config.consume_fuel(false).epoch_interruption(false);
	config.max_wasm_stack(limits::NATIVE_STACK_BYTES);
	config.wasm_backtrace(false).generate_address_map(false);
	config.native_unwind_info(false);
	config.memory_init_cow(true);
	config.wasm_simd(false).wasm_relaxed_simd(false);
	config.wasm_memory64(false).wasm_multi_memory(false);
	config.wasm_tail_call(false).wasm_extended_const(true);
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
	pool.table_keep_resident(KEEP_RESIDENT_TABLE_BYTES);
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
