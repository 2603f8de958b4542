//! Runs guests in the daemon itself: for whoever runs nobody's packages but their own.

use crate::{Effector, GuestCall, GuestError, Guests, PrepareError, Protection};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use millrace_executor::{
	CallOutput, EffectFailure, Effects, Engine, EngineConfig, EngineError, LoadError, ModuleInfo,
};
use millrace_primitives::market::Hosts;
use millrace_primitives::DealId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Longest time of a call, where nothing is said: here, a guest cannot be ended otherwise.
const WALL_CLOCK: Duration = Duration::from_secs(30);

/// Runs guests on threads of this process.
#[derive(Debug)]
pub struct InProcess {
	engine: Engine,
}

impl InProcess {
	/// Sets an engine up. It keeps as many packages ready as the settings say.
	pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
		let engine = Engine::new(EngineConfig {
			max_wall_clock: config.max_wall_clock.or(Some(WALL_CLOCK)),
			..config
		})?;
		Ok(Self { engine })
	}
}

impl Guests for InProcess {
	fn prepare(&self, package: Bytes) -> BoxFuture<'_, Result<ModuleInfo, PrepareError>> {
		let engine = self.engine.clone();
		async move {
			let loaded = spawn_blocking(move || engine.load(&package)).await;
			match loaded.map_err(|error| PrepareError::Host(error.to_string()))? {
				Ok(module) => Ok(module.info().clone()),
				Err(LoadError::Refused(reasons)) => Err(PrepareError::Refused(
					reasons.iter().map(ToString::to_string).collect(),
				)),
				Err(error) => Err(PrepareError::Host(error.to_string())),
			}
		}
		.boxed()
	}

	fn call(&self, call: GuestCall) -> BoxFuture<'_, Result<CallOutput, GuestError>> {
		async move {
			let module = self.engine.cached(&call.package);
			let module = module.ok_or(GuestError::NotPrepared)?;
			let effects = Blocking {
				hosts: call.input.hosts.clone(),
				effector: call.effects,
				runtime: Handle::current(),
			};
			let (done, ended) = oneshot::channel::<Result<CallOutput, EngineError>>();
			let done = move |result: Result<CallOutput, EngineError>| {
				// Nobody waits any more for a call that was given up.
				let _ = done.send(result);
			};
			self.engine
				.submit(module, call.input, Box::new(effects), Box::new(done))
				.map_err(guest_error)?;
			match ended.await {
				Ok(result) => result.map_err(guest_error),
				Err(_) => Err(GuestError::Host("the thread of the call is gone".into())),
			}
		}
		.boxed()
	}

	/// There are no processes to end.
	fn keep(&self, _deals: &BTreeSet<DealId>) {}

	fn describe(&self) -> Protection {
		Protection::None
	}
}

fn guest_error(error: EngineError) -> GuestError {
	match error {
		EngineError::Busy(_) => GuestError::Busy,
		EngineError::RequestTooLarge { size, max } => GuestError::RequestTooLarge { size, max },
		EngineError::TimedOut(after) => GuestError::TimedOut(after),
		EngineError::Effect(failure) => GuestError::Effect(failure),
		error => GuestError::Host(error.to_string()),
	}
}

/// Performs effects for a guest that waits for them on a thread of its own.
struct Blocking {
	hosts: Hosts,
	effector: Arc<dyn Effector>,
	runtime: Handle,
}

impl Effects for Blocking {
	fn perform(&mut self, request: &[u8]) -> Result<Vec<u8>, EffectFailure> {
		let performed = self.effector.perform(self.hosts.clone(), request.to_vec());
		self.runtime.block_on(performed)
	}
}
