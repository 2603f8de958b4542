//! # Millrace sandbox
//!
//! Runs guests in processes of their own that can do nothing but compute.
//!
//! A daemon sees [`Guests`] and no more of how: [`Sandbox`] is the one for those who take packages
//! from strangers, [`InProcess`] the one for those who run their own. Both give the same answers.
//!
//! The engine keeps a guest within its memory. The processes are for the day on which it does not:
//! what compiles packages and what runs them are two more programs than the daemon, without its keys,
//! its files and its network, under a filter of system calls that leaves them memory, time and the
//! sockets that they were given. Each deal has a process of its own, so that what a package makes of
//! it is that deal's affair alone.
//!
//! - [`protocol`] is what the daemon and its processes say to each other.
//! - [`guest`] is the processes' side: all of the program `millrace-guest`.

mod config;
mod daemon;
mod in_process;

pub mod guest;
pub mod protocol;

pub use config::{PrepareLimits, SandboxConfig, SandboxError};
pub use daemon::Sandbox;
pub use in_process::InProcess;

use bytes::Bytes;
use futures::future::{ready, BoxFuture, FutureExt};
use millrace_executor::{CallOutput, EffectFailure, ModuleInfo, OwnedInput};
use millrace_primitives::market::Hosts;
use millrace_primitives::{DealId, H256};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Runs guests. The daemon knows no more of how.
pub trait Guests: Send + Sync + Debug {
	/// Makes a package ready; returns what is known of it. Idempotent: what is ready is not made
	/// again.
	fn prepare(&self, package: Bytes) -> BoxFuture<'_, Result<ModuleInfo, PrepareError>>;

	/// Waits until all packages that are ready are compiled as well as they will be: those that can be
	/// called are so soon, and get faster a little later.
	fn settle(&self) -> BoxFuture<'_, ()> {
		ready(()).boxed()
	}

	/// Runs a call to its end. Who drops the future does not stop the guest.
	fn call(&self, call: GuestCall) -> BoxFuture<'_, Result<CallOutput, GuestError>>;

	/// The same for who goes on where the guest has ended, rather than be woken somewhere else. If the
	/// package is not prepared, `then` comes back. Who drops the future may have dropped `then` with it.
	fn call_then(&self, call: GuestCall, then: Then) -> BoxFuture<'_, Option<Then>> {
		let call = self.call(call);
		async move {
			match call.await {
				Err(GuestError::NotPrepared) => Some(then),
				outcome => {
					then(outcome);
					None
				}
			}
		}
		.boxed()
	}

	/// Ends the processes of deals that are not among these, when their calls have ended.
	fn keep(&self, deals: &BTreeSet<DealId>);

	/// What stands between guests and this machine, beside the engine.
	fn describe(&self) -> Protection;
}

/// Gets what comes of a call: on a thread of an engine, or on one of a runtime with several. It may
/// block either, the latter by [`tokio::task::block_in_place`].
pub type Then = Box<dyn FnOnce(Result<CallOutput, GuestError>) + Send>;

/// A call of a deal.
#[derive(Debug)]
pub struct GuestCall {
	/// The deal.
	pub deal: DealId,
	/// Hash of its package, which was prepared before.
	pub package: H256,
	/// Guests of the deal that run at once, at most.
	pub places: u32,
	/// What the result depends on, beside the package.
	pub input: OwnedInput,
	/// Performs the guest's effects.
	pub effects: Arc<dyn Effector>,
}

/// Performs effects for guests: in the daemon, not in their process.
pub trait Effector: Send + Sync + Debug {
	/// Performs one. The request is one that the executor's parser takes, to one of the hosts.
	fn perform(
		&self,
		hosts: Hosts,
		request: Vec<u8>,
	) -> BoxFuture<'static, Result<Vec<u8>, EffectFailure>>;
}

/// Performs none: for deals that list no hosts.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEffector;

impl Effector for NoEffector {
	fn perform(
		&self,
		_hosts: Hosts,
		_request: Vec<u8>,
	) -> BoxFuture<'static, Result<Vec<u8>, EffectFailure>> {
		ready(Err(EffectFailure::Unavailable)).boxed()
	}
}

/// Why a package is not ready.
#[derive(Debug, Error)]
pub enum PrepareError {
	/// It cannot run under the profile; every reason, in words.
	#[error("the package cannot run: {}", .0.join("; "))]
	Refused(Vec<String>),
	/// The process that compiled it died of it.
	#[error("the process that compiled the package died: {0}")]
	Crashed(String),
	/// It takes longer to compile than any package may.
	#[error("the package took more than {0:?} to compile")]
	TooSlow(Duration),
	/// The host failed; the package may be fine.
	#[error("the package could not be prepared: {0}")]
	Host(String),
}

/// Why a call has no result. Nothing about it may be signed.
#[derive(Debug, Error)]
pub enum GuestError {
	/// The package is not ready, or not any more: prepare it and call again.
	#[error("the package is not prepared")]
	NotPrepared,
	/// All processes are taken, or those of this deal have died too often of late; try again.
	#[error("no process is free for the call")]
	Busy,
	/// The guest computed longer than this host allows, whatever gas it had left.
	#[error("the call was ended after {0:?} of wall-clock time")]
	TimedOut(Duration),
	/// The process died, or said what no process of ours says.
	#[error("the process of the call died: {0}")]
	Crashed(String),
	/// The caller let a body through that is over the call's limit.
	#[error("the request has {size} bytes; the limit of the call is {max}")]
	RequestTooLarge {
		/// Bytes of the body.
		size: usize,
		/// Most bytes.
		max: u32,
	},
	/// An effect could not be performed.
	#[error(transparent)]
	Effect(#[from] EffectFailure),
	/// The host failed.
	#[error("the host failed: {0}")]
	Host(String),
}

/// What stands between guests and this machine, beside the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
	/// Nothing: guests run in the daemon.
	None,
	/// Processes of their own.
	Process {
		/// Version of Landlock that keeps them from files and networks.
		landlock_abi: u32,
		/// Whether system calls are filtered.
		seccomp: bool,
	},
}
