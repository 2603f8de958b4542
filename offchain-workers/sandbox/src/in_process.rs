//! Runs guests in the daemon itself: for whoever runs nobody's packages but their own.

use crate::{Effector, GuestCall, GuestError, Guests, PrepareError, Protection, Then};
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
			let (done, ended) = oneshot::channel::<Result<CallOutput, GuestError>>();
			let then = move |outcome| {
				// Nobody waits any more for a call that was given up.
				let _ = done.send(outcome);
			};
			if self.call_then(call, Box::new(then)).await.is_some() {
				return Err(GuestError::NotPrepared);
			}
			let gone = |_| Err(GuestError::Host("the thread of the call is gone".into()));
			ended.await.unwrap_or_else(gone)
		}
		.boxed()
	}

	/// The guest has ended on a thread of the engine, and there it goes on.
	fn call_then(&self, call: GuestCall, then: Then) -> BoxFuture<'_, Option<Then>> {
		async move {
			let Some(module) = self.engine.cached(&call.package) else {
				return Some(then);
			};
			let effects = Blocking {
				hosts: call.input.hosts.clone(),
				effector: call.effects,
				runtime: Handle::current(),
			};
			self.engine
				.submit(&module, call.input, Box::new(effects), move |result| {
					then(result.map_err(guest_error));
				});
			None
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

#[cfg(test)]
mod tests {
	use super::*;
	use crate::NoEffector;
	use millrace_executor::OwnedInput;
	use millrace_primitives::execution::{package_hash, CallStatus, Request};
	use millrace_primitives::market::CallLimits;
	use millrace_primitives::H256;

	fn call(package: H256) -> GuestCall {
		GuestCall {
			deal: 1,
			package,
			places: 1,
			input: OwnedInput {
				request: Arc::default(),
				limits: CallLimits {
					gas: 1_000_000,
					memory_bytes: 1 << 20,
					request_bytes: 64,
					response_bytes: 64,
				},
				hosts: Hosts::default(),
				clock_ms: 0,
				seed: H256::zero(),
			},
			effects: Arc::new(NoEffector),
		}
	}

	/// Where the outcome of a call goes on, and what it is; `None`: it came back.
	async fn goes_on(
		guests: &InProcess,
		call: GuestCall,
	) -> Option<(Option<String>, Result<CallStatus, GuestError>)> {
		let (told, heard) = oneshot::channel();
		let then: Then = Box::new(move |outcome| {
			let thread = std::thread::current().name().map(String::from);
			let _ = told.send((thread, outcome.map(|output| output.status)));
		});
		let unprepared = guests.call_then(call, then).await;
		// Dropped with what came back.
		drop(unprepared);
		heard.await.ok()
	}

	#[tokio::test]
	async fn a_call_goes_on_where_its_guest_has_ended() {
		let guests = InProcess::new(EngineConfig::default()).unwrap();
		let text = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
		let module = wat::parse_str(text).unwrap();
		let package = package_hash(&module);
		assert!(goes_on(&guests, call(package)).await.is_none());
		guests.prepare(Bytes::from(module)).await.unwrap();
		let (thread, outcome) = goes_on(&guests, call(package)).await.unwrap();
		assert_eq!(thread.as_deref(), Some("millrace-guest"));
		assert_eq!(outcome.unwrap(), CallStatus::Exited(0));
		// One that cannot begin is told as well.
		let mut long = call(package);
		long.input.limits.request_bytes = 0;
		long.input.request = Arc::new(Request {
			body: vec![0],
			..Default::default()
		});
		let (_, outcome) = goes_on(&guests, long).await.unwrap();
		assert!(
			matches!(
				outcome,
				Err(GuestError::RequestTooLarge { size: 1, max: 0 })
			),
			"{outcome:?}"
		);
	}
}
