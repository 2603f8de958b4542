//! One call: a fresh instance, run to its end, and what is to be told of it.

use crate::binding::Host;
use crate::error::EngineError;
use crate::instrument::{GAS_EXPORT, STACK_EXPORT};
use crate::limits::{MAX_GAS, PAGE_BYTES};
use crate::wasi::{Exit, Wasi};
use crate::{cost, ModuleInfo};
use millrace_primitives::execution::{CallStatus, Request};
use millrace_primitives::market::CallLimits;
use millrace_primitives::{Gas, H256};
use std::time::Duration;
use wasmtime::{Global, InstancePre, Store, Trap, Val};

/// What a call's outcome depends on, beside the module.
#[derive(Clone, Copy, Debug)]
pub struct CallInput<'a> {
	/// What the guest is asked.
	pub request: &'a Request,
	/// What the call may use.
	pub limits: CallLimits,
	/// The guest's clock, in milliseconds since 1970.
	pub clock_ms: u64,
	/// Seed of the guest's randomness.
	pub seed: H256,
}

/// How a call ended. All of it is the guest's doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOutput {
	/// How it ended.
	pub status: CallStatus,
	/// What the guest wrote on standard output if it succeeded. Whatever else happened, there is no
	/// response: what was written on the way is dropped.
	pub response: Vec<u8>,
	/// The beginning of what it wrote on standard error, however it ended.
	pub stderr: Vec<u8>,
	/// Gas that it used: all of its limit if it ran out.
	pub gas: Gas,
}

/// A call that is ready to run on a thread of its own.
pub(crate) struct Call {
	pub(crate) module: InstancePre<Host>,
	pub(crate) info: ModuleInfo,
	pub(crate) limits: CallLimits,
	pub(crate) wasi: Wasi,
	/// Epochs of the engine until the call is ended, and the time that stands for.
	pub(crate) deadline: (u64, Duration),
}

impl Call {
	/// Runs the call on the calling thread, which must have the stack for it.
	pub(crate) fn run(self) -> Result<CallOutput, EngineError> {
		let limit = self.limits.gas.min(MAX_GAS);
		let start = cost::start(&self.info);
		let host = Host::new(self.wasi, self.limits.memory_bytes);
		let Some(left) = limit.checked_sub(start) else {
			return Ok(output(CallStatus::OutOfGas, limit, host));
		};
		if self.info.memory_pages as usize * PAGE_BYTES as usize > host.growth.memory_bytes() {
			return Ok(output(CallStatus::Trapped, start, host));
		}

		let mut store = Store::new(self.module.module().engine(), host);
		store.limiter(|host| &mut host.growth);
		store.set_epoch_deadline(self.deadline.0);
		let mut counters = None;
		let ended = run(&self.module, &mut store, left, &mut counters);
		let (gas, stack) = match counters {
			Some((gas, stack)) => (read(gas, &mut store), read(stack, &mut store)),
			// The guest's data did not fit in its memory: nothing has run.
			None => (left as i64, 0),
		};
		let host = store.into_data();
		if let Some(failure) = host.growth.failure() {
			return Err(EngineError::Host(failure.to_owned()));
		}
		let status = match ended {
			Ok(()) => CallStatus::Exited(0),
			Err(error) => classify(&error, gas, stack, self.deadline.1)?,
		};
		let used = match status {
			CallStatus::OutOfGas => limit,
			_ => limit - gas.max(0) as Gas,
		};
		Ok(output(status, used, host))
	}
}

/// Makes the instance and runs `_start`. The counters are found as soon as there is an instance.
fn run(
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

/// What an end other than returning means. Traps that a module can cause are the guest's, by the
/// specification of Wasm; anything else is the host's.
fn classify(
	error: &wasmtime::Error,
	gas: i64,
	stack: i64,
	wall_clock: Duration,
) -> Result<CallStatus, EngineError> {
	if let Some(exit) = error.downcast_ref::<Exit>() {
		return Ok(match exit {
			Exit::Code(code) => CallStatus::Exited(*code),
			Exit::OutOfGas => CallStatus::OutOfGas,
			Exit::ResponseTooLarge => CallStatus::ResponseTooLarge,
		});
	}
	match error.downcast_ref::<Trap>() {
		Some(Trap::UnreachableCodeReached) if gas < 0 => Ok(CallStatus::OutOfGas),
		Some(Trap::UnreachableCodeReached) if stack < 0 => Ok(CallStatus::StackOverflow),
		Some(
			Trap::UnreachableCodeReached
			| Trap::MemoryOutOfBounds
			| Trap::TableOutOfBounds
			| Trap::IndirectCallToNull
			| Trap::BadSignature
			| Trap::IntegerOverflow
			| Trap::IntegerDivisionByZero
			| Trap::BadConversionToInteger,
		) => Ok(CallStatus::Trapped),
		Some(Trap::Interrupt) => Err(EngineError::TimedOut(wall_clock)),
		// The counted stack is the smaller one, so a guest never gets here; see `limits`.
		Some(Trap::StackOverflow) => Err(EngineError::Host(
			"the native stack ran out before the counted one".into(),
		)),
		_ => Err(EngineError::Host(format!("{error:#}"))),
	}
}

fn output(status: CallStatus, gas: Gas, host: Host) -> CallOutput {
	let (stdout, stderr) = host.wasi.into_output();
	let response = if status.is_success() {
		stdout
	} else {
		Vec::new()
	};
	CallOutput {
		status,
		response,
		stderr,
		gas,
	}
}
