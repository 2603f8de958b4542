//! One call: what goes in, and what comes out.

use millrace_primitives::effects::Transcript;
use millrace_primitives::execution::{CallStatus, Request};
use millrace_primitives::market::{CallLimits, Hosts};
use millrace_primitives::{Gas, H256};
use std::sync::Arc;

/// What a call's outcome depends on, beside the module and the replies to its effects.
#[derive(Clone, Copy, Debug)]
pub struct CallInput<'a> {
	/// What the guest is asked.
	pub request: &'a Request,
	/// What the call may use.
	pub limits: CallLimits,
	/// Hosts that the guest may ask.
	pub hosts: &'a Hosts,
	/// The guest's clock, in milliseconds since 1970.
	pub clock_ms: u64,
	/// Seed of the guest's randomness.
	pub seed: H256,
}

/// The same, to be sent to another thread.
#[derive(Clone, Debug)]
pub struct OwnedInput {
	/// What the guest is asked.
	pub request: Arc<Request>,
	/// What the call may use.
	pub limits: CallLimits,
	/// Hosts that the guest may ask.
	pub hosts: Hosts,
	/// The guest's clock, in milliseconds since 1970.
	pub clock_ms: u64,
	/// Seed of the guest's randomness.
	pub seed: H256,
}

impl CallInput<'_> {
	/// A copy to be sent to another thread.
	pub fn to_owned_input(&self) -> OwnedInput {
		OwnedInput {
			request: Arc::new(self.request.clone()),
			limits: self.limits,
			hosts: self.hosts.clone(),
			clock_ms: self.clock_ms,
			seed: self.seed,
		}
	}
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
	/// The effects that happened, however it ended.
	pub transcript: Transcript,
}
