//! Runs the runtime's Wasm, and tells our host functions for whom.

use crate::service::HostFunctions;
use millrace_host::{as_caller, Caller};
use sc_executor::{
	error::Error, HeapAllocStrategy, RuntimeVersion, RuntimeVersionOf, WasmExecutor,
	DEFAULT_HEAP_ALLOC_STRATEGY,
};
use sc_service::config::ExecutorConfiguration;
use sp_core::traits::{CallContext, CodeExecutor, Externalities, ReadRuntimeVersion, RuntimeCode};
use std::{path::PathBuf, sync::OnceLock};

/// Where compiled runtimes are kept, if anywhere.
static COMPILED: OnceLock<PathBuf> = OnceLock::new();

/// Has executors that are made from now on keep compiled runtimes in a folder. The first one counts.
pub(crate) fn keep_compiled(folder: PathBuf) {
	let _ = COMPILED.set(folder);
}

/// Runs the runtime's Wasm, and tells our host functions for whom.
///
/// The runtime runs on the thread of whoever calls it, so the caller is known by the thread.
#[derive(Clone)]
pub(crate) struct Executor(WasmExecutor<HostFunctions>);

impl Executor {
	/// Over the SDK's executor, as it is configured.
	pub(crate) fn configured(config: &ExecutorConfiguration) -> Self {
		let Some(folder) = COMPILED.get() else {
			return Self::new(sc_service::new_wasm_executor(config));
		};
		// The same, which has no way to say where.
		let strategy = config
			.default_heap_pages
			.and_then(|pages| pages.try_into().ok())
			.map_or(DEFAULT_HEAP_ALLOC_STRATEGY, |extra_pages| {
				HeapAllocStrategy::Static { extra_pages }
			});
		let executor = WasmExecutor::builder()
			.with_execution_method(config.wasm_method)
			.with_onchain_heap_alloc_strategy(strategy)
			.with_offchain_heap_alloc_strategy(strategy)
			.with_max_runtime_instances(config.max_runtime_instances)
			.with_runtime_cache_size(config.runtime_cache_size)
			.with_cache_path(folder)
			.build();
		Self::new(executor)
	}

	/// Over the SDK's executor.
	pub(crate) fn new(executor: WasmExecutor<HostFunctions>) -> Self {
		Self(executor)
	}
}

impl CodeExecutor for Executor {
	type Error = Error;

	fn call(
		&self,
		ext: &mut dyn Externalities,
		runtime_code: &RuntimeCode,
		method: &str,
		data: &[u8],
		context: CallContext,
	) -> (Result<Vec<u8>, Error>, bool) {
		as_caller(caller_of(context), || {
			self.0.call(ext, runtime_code, method, data, context)
		})
	}
}

impl RuntimeVersionOf for Executor {
	fn runtime_version(
		&self,
		ext: &mut dyn Externalities,
		runtime_code: &RuntimeCode,
	) -> Result<RuntimeVersion, Error> {
		self.0.runtime_version(ext, runtime_code)
	}
}

impl ReadRuntimeVersion for Executor {
	fn read_runtime_version(
		&self,
		wasm_code: &[u8],
		ext: &mut dyn Externalities,
	) -> Result<Vec<u8>, String> {
		self.0.read_runtime_version(wasm_code, ext)
	}
}

fn caller_of(context: CallContext) -> Caller {
	match context {
		CallContext::Onchain { import: true } => Caller::Import,
		CallContext::Onchain { import: false } => Caller::Author,
		CallContext::Offchain => Caller::Offchain,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_core::traits::WrappedRuntimeCode;
	use std::thread;

	/// A runtime that asks for the hash of eight zeros under the zero seed, and returns the answer.
	const ASKING: &str = r#"
		(module
			(import "env" "ext_random_x_hash_version_1"
				(func $hash (param i32 i64) (result i64)))
			(memory (export "memory") 2)
			(global (export "__heap_base") i32 (i32.const 4096))
			(func (export "ask") (param i32 i32) (result i64)
				(call $hash
					(i32.const 1024)
					(i64.or
						(i64.shl (i64.const 8) (i64.const 32))
						(i64.const 2048)))))
	"#;

	/// The answer's SCALE encoding: one byte of `None`, or one byte and a hash.
	fn ask(executor: &Executor, code: &[u8], context: CallContext) -> Vec<u8> {
		let fetcher = WrappedRuntimeCode(code.into());
		let runtime_code = RuntimeCode {
			code_fetcher: &fetcher,
			heap_pages: None,
			hash: vec![1],
		};
		let mut state = sp_io::TestExternalities::default();
		let mut ext = state.ext();
		let (answer, _) = executor.call(&mut ext, &runtime_code, "ask", &[], context);
		answer.expect("the module runs")
	}

	#[test]
	fn blocks_are_answered_and_the_rest_only_under_current_seeds() {
		let executor = Executor::new(WasmExecutor::builder().build());
		let code = wat::parse_str(ASKING).expect("that is a module");
		let import = CallContext::Onchain { import: true };
		let author = CallContext::Onchain { import: false };
		// Both go on at once, over instances of one module.
		thread::scope(|scope| {
			scope.spawn(|| {
				for _ in 0..50 {
					assert_eq!(ask(&executor, &code, CallContext::Offchain), [0]);
				}
			});
			for _ in 0..5 {
				assert_eq!(ask(&executor, &code, import).len(), 33);
			}
		});
		let answer = ask(&executor, &code, import);
		assert_eq!(ask(&executor, &code, author), answer);
		assert_eq!(ask(&executor, &code, CallContext::Offchain), [0]);
		millrace_host::admit(&[Default::default()]);
		assert_eq!(ask(&executor, &code, CallContext::Offchain), answer);
		let counts = millrace_host::statistics();
		assert_eq!((counts.fills, counts.refused), (1, 51));
	}

	/// A runtime that asks for the replay of nothing, and returns the answer.
	const JUDGING: &str = r#"
		(module
			(import "env" "ext_replay_run_version_1"
				(func $run (param i32 i64 i64) (result i64)))
			(memory (export "memory") 2)
			(global (export "__heap_base") i32 (i32.const 4096))
			(func (export "ask") (param i32 i32) (result i64)
				(call $run (i32.const 1) (i64.const 1024) (i64.const 1024))))
	"#;

	#[test]
	fn only_blocks_have_calls_run_again() {
		let executor = Executor::new(WasmExecutor::builder().build());
		let code = wat::parse_str(JUDGING).expect("that is a module");
		// Some answer, which is inconclusive, without gas.
		let inconclusive = [1, 4, 0, 0, 0, 0, 0, 0, 0, 0];
		for import in [true, false] {
			let answer = ask(&executor, &code, CallContext::Onchain { import });
			assert_eq!(answer, inconclusive);
		}
		assert_eq!(ask(&executor, &code, CallContext::Offchain), [0]);
	}
}
