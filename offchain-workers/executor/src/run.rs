//! One call in wasmtime: a fresh instance, run to its end.

use crate::binding::Host;
use crate::call::CallOutput;
use crate::error::EngineError;
use crate::instrument::{GAS_EXPORT, STACK_EXPORT};
use crate::outcome::{Budget, Ended};
use crate::validate::ModuleInfo;
use crate::wasi::{Exit, Wasi};
use millrace_primitives::market::CallLimits;
use millrace_primitives::Gas;
use std::time::Duration;
use wasmtime::{Global, InstancePre, Store, Trap, Val};

/// A call that is ready to run on a thread of its own.
pub(crate) struct Run {
	pub(crate) module: InstancePre<Host>,
	pub(crate) info: ModuleInfo,
	pub(crate) limits: CallLimits,
	pub(crate) wasi: Wasi,
	/// Epochs of the engine until the call is ended, and the time that stands for.
	pub(crate) deadline: Option<(u64, Duration)>,
}

impl Run {
	/// Runs the call on the calling thread, which must have the stack for it. `done` gets what came of
	/// it before the guest's memory is made ready for the next one.
	pub(crate) fn run<T>(self, done: impl FnOnce(Result<CallOutput, EngineError>) -> T) -> T {
		let mut host = Host::new(self.wasi, self.limits.memory_bytes);
		let budget = match Budget::open(&self.info, self.limits.gas, &host.growth) {
			Ok(budget) => budget,
			Err(end) => return done(Ok(CallOutput::new(end, &mut host.wasi))),
		};
		let mut store = Store::new(self.module.module().engine(), host);
		store.limiter(|host| &mut host.growth);
		if let Some((epochs, _)) = self.deadline {
			store.set_epoch_deadline(epochs);
		}
		let mut counters = None;
		let ended = start(&self.module, &mut store, budget.left, &mut counters);
		let (gas, stack) = match counters {
			Some((gas, stack)) => (read(gas, &mut store), read(stack, &mut store)),
			// The guest's data did not fit in its memory: nothing has run.
			None => (budget.left as i64, 0),
		};
		let ended = match ended {
			Ok(()) => Ok(Ended::Returned),
			Err(error) => classify(&error, self.deadline),
		};
		done(conclude(store.data_mut(), budget, ended, gas, stack))
	}
}

/// What came of a call that stopped so, with so much left in its counters.
fn conclude(
	host: &mut Host,
	budget: Budget,
	ended: Result<Ended, EngineError>,
	gas: i64,
	stack: i64,
) -> Result<CallOutput, EngineError> {
	if let Some(failure) = host.growth.failure() {
		return Err(EngineError::Host(failure.to_owned()));
	}
	let end = budget.close(ended?, gas, stack)?;
	Ok(CallOutput::new(end, &mut host.wasi))
}

/// Makes the instance and runs `_start`. The counters are found as soon as there is an instance.
fn start(
	module: &InstancePre<Host>,
	store: &mut Store<Host>,
	gas: Gas,
	counters: &mut Option<(Global, Global)>,
) -> wasmtime::Result<()> {
	let instance = module.instantiate(&mut *store)?;
	let missing = || wasmtime::Error::msg("the module was compiled without its meter");
	let gas_global = instance
		.get_global(&mut *store, GAS_EXPORT)
		.ok_or_else(missing)?;
	let stack_global = instance
		.get_global(&mut *store, STACK_EXPORT)
		.ok_or_else(missing)?;
	gas_global.set(&mut *store, Val::I64(gas as i64))?;
	*counters = Some((gas_global, stack_global));
	let memory = instance
		.get_memory(&mut *store, "memory")
		.ok_or_else(missing)?;
	let host = store.data_mut();
	host.memory = Some(memory);
	host.gas = Some(gas_global);
	instance
		.get_typed_func::<(), ()>(&mut *store, "_start")?
		.call(&mut *store, ())
}

fn read(counter: Global, store: &mut Store<Host>) -> i64 {
	counter.get(store).i64().unwrap_or(0)
}

/// What stopped the guest. Traps that a module can cause are the guest's, by the specification of
/// Wasm; anything else is the host's.
fn classify(
	error: &wasmtime::Error,
	deadline: Option<(u64, Duration)>,
) -> Result<Ended, EngineError> {
	if let Some(exit) = error.downcast_ref::<Exit>() {
		return Ok(Ended::Exit(*exit));
	}
	match (error.downcast_ref::<Trap>(), deadline) {
		(Some(Trap::UnreachableCodeReached), _) => Ok(Ended::Unreachable),
		(
			Some(
				Trap::MemoryOutOfBounds
				| Trap::TableOutOfBounds
				| Trap::IndirectCallToNull
				| Trap::BadSignature
				| Trap::IntegerOverflow
				| Trap::IntegerDivisionByZero
				| Trap::BadConversionToInteger,
			),
			_,
		) => Ok(Ended::Trapped),
		(Some(Trap::Interrupt), Some((_, wall_clock))) => Err(EngineError::TimedOut(wall_clock)),
		// The counted stack is the smaller one, so a guest never gets here; see `limits`.
		(Some(Trap::StackOverflow), _) => Err(EngineError::Host(
			"the native stack ran out before the counted one".into(),
		)),
		_ => Err(EngineError::Host(format!("{error:#}"))),
	}
}
