//! What a daemon and its processes say to each other.
//!
//! Each process has a control socket, its standard input. The daemon sends `Hello ‖ Order` as one
//! [`frame`], with the descriptors that belong to it; the process answers `Hello ‖ Answer`. A process
//! that executes has a data socket besides for each guest that it may run at once: on it go
//! [`ToGuest::Call`] and [`FromGuest::Done`] in turns, with effects between them.
//!
//! The daemon takes the process for an enemy: what it says is bounded, and compared with what the
//! daemon knows itself. The process takes the daemon at its word.

pub mod descriptors;
pub mod frame;

use codec::{Decode, Encode};
use millrace_executor::{CallOutput, Engine, ModuleInfo, OwnedInput, INSTRUMENTATION};
use millrace_primitives::effects::{Transcript, MAX_TRANSCRIPT_BYTES};
use millrace_primitives::execution::{CallStatus, Request, MAX_RESPONSE_BYTES};
use millrace_primitives::market::{CallLimits, Hosts};
use millrace_primitives::{Gas, H256};

/// Most guests that a process runs at once: their sockets go into one message.
pub const MAX_PLACES: u32 = 64;
/// Most descriptors that come with an order: the compiled package, and a socket for each place.
pub const MAX_DESCRIPTORS: usize = MAX_PLACES as usize + 1;
/// Longest frame from the daemon: an order with a package's files, or a call with its request.
pub const MAX_ORDER: usize = 64 * 1024 * 1024;
/// Longest frame on a data socket from a process: a response, and what comes with it.
pub const MAX_DONE: usize = MAX_RESPONSE_BYTES as usize + 2 * MAX_TRANSCRIPT_BYTES as usize;
/// Longest frame on a control socket from a process.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// Most bytes of compiled code that a process may come up with.
pub const MAX_CODE: u64 = 128 * 1024 * 1024;

/// What both sides must have in common: they share files and this protocol.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
	/// Version of this crate.
	pub version: String,
	/// How modules are metered.
	pub instrumentation: u32,
	/// Version, settings and processor of the engine.
	pub engine: H256,
}

impl Hello {
	/// What this program is.
	pub fn own(engine: &Engine) -> Self {
		Self {
			engine: engine.compatibility(),
			..Self::without_engine()
		}
	}

	/// What it is, as far as that is known without an engine.
	pub fn without_engine() -> Self {
		Self {
			version: env!("CARGO_PKG_VERSION").into(),
			instrumentation: INSTRUMENTATION,
			engine: H256::zero(),
		}
	}

	/// In words.
	pub fn describe(&self) -> String {
		let Self {
			version,
			instrumentation,
			engine,
		} = self;
		format!("version {version} (instrumentation {instrumentation}, engine {engine:?})")
	}
}

/// What a process is for. It does that and nothing else until it ends.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Order {
	/// To compile the package that comes as the next frame: its bytes, as they are.
	Prepare {
		/// How well.
		tier: Tier,
		/// Seconds of processor time.
		cpu_seconds: u64,
		/// Memory, in bytes.
		memory_bytes: u64,
	},
	/// To run calls. Descriptors: the compiled package, then as many sockets as there are places.
	Execute {
		/// Calls at once.
		places: u32,
		/// What is known of the package.
		info: ModuleInfo,
		/// The package's files.
		files: Vec<u8>,
	},
	/// To try what must not work.
	Probe {
		/// What to try last, when it ends the process.
		last: Attempt,
	},
}

/// How well a package is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Tier {
	/// So that it can be called soon.
	Quick,
	/// So that its calls are fast.
	Full,
}

/// What a process says to its order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
	/// The two have another version; see the [`Hello`] before it.
	OtherVersion,
	/// Calls may come.
	Ready,
	/// The package is compiled. The code follows, as it is.
	Prepared {
		/// What is known of it.
		info: ModuleInfo,
		/// Its files.
		files: Vec<u8>,
		/// Length of the code.
		code_bytes: u64,
	},
	/// The package cannot run; every reason, in words.
	Refused(Vec<String>),
	/// What could be tried.
	Probed {
		/// Version of Landlock that is in force.
		landlock_abi: u32,
		/// What worked although it must not.
		worked: Vec<Attempt>,
	},
	/// The host failed.
	Failed(String),
}

/// What a process must not be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Attempt {
	/// Open a file that everybody can read.
	Open,
	/// Make a socket.
	Socket,
	/// Become another program.
	Exec,
	/// Make another process.
	Fork,
	/// Send a signal to the daemon.
	Signal,
	/// Make memory executable.
	Code,
	/// Make a thread.
	Thread,
}

impl Attempt {
	/// All of them.
	pub const ALL: [Self; 7] = [
		Self::Open,
		Self::Socket,
		Self::Exec,
		Self::Fork,
		Self::Signal,
		Self::Code,
		Self::Thread,
	];

	/// In words, after "a process can".
	pub fn describe(self) -> &'static str {
		match self {
			Self::Open => "open files",
			Self::Socket => "make sockets",
			Self::Exec => "start programs",
			Self::Fork => "make processes",
			Self::Signal => "send signals",
			Self::Code => "make memory executable",
			Self::Thread => "make threads",
		}
	}
}

/// From the daemon, on a data socket.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ToGuest {
	/// Run this call.
	Call {
		/// What the guest is asked.
		request: Request,
		/// What the call may use.
		limits: CallLimits,
		/// Hosts that it may ask.
		hosts: Hosts,
		/// The guest's clock.
		clock_ms: u64,
		/// Seed of its randomness.
		seed: H256,
	},
	/// The reply to an effect, or [`millrace_executor::EffectFailure::code`].
	Effect(Result<Vec<u8>, u8>),
}

impl ToGuest {
	/// A call as a frame, without a copy of its request.
	pub fn call(input: &OwnedInput) -> Vec<u8> {
		let mut frame = vec![0; frame::HEADER];
		frame.push(0);
		(*input.request).encode_to(&mut frame);
		input.limits.encode_to(&mut frame);
		input.hosts.encode_to(&mut frame);
		input.clock_ms.encode_to(&mut frame);
		input.seed.encode_to(&mut frame);
		frame::finish(frame)
	}
}

/// From a process, on a data socket.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum FromGuest {
	/// The guest asks for an effect.
	Effect(Vec<u8>),
	/// The call has ended. An error is the host's.
	Done(Result<Output, String>),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Output {
	/// Its status.
	pub status: CallStatus,
	/// Its response.
	pub response: Vec<u8>,
	/// What it wrote on standard error.
	pub stderr: Vec<u8>,
	/// Gas that it used.
	pub gas: Gas,
	/// Its effects.
	pub transcript: Transcript,
}

impl From<CallOutput> for Output {
	fn from(output: CallOutput) -> Self {
		Self {
			status: output.status,
			response: output.response,
			stderr: output.stderr,
			gas: output.gas,
			transcript: output.transcript,
		}
	}
}

impl From<Output> for CallOutput {
	fn from(output: Output) -> Self {
		Self {
			status: output.status,
			response: output.response,
			stderr: output.stderr,
			gas: output.gas,
			transcript: output.transcript,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::DecodeAll;
	use millrace_primitives::market::Host;
	use std::sync::Arc;

	#[test]
	fn a_call_is_sent_as_the_message_that_it_is() {
		let request = Request {
			method: "POST".into(),
			body: vec![7; 1_000],
			..Default::default()
		};
		let limits = CallLimits {
			gas: 1,
			memory_bytes: 2,
			request_bytes: 3,
			response_bytes: 4,
		};
		let host: Host = b"a.example".to_vec().try_into().unwrap();
		let hosts: Hosts = vec![host].try_into().unwrap();
		let input = OwnedInput {
			request: Arc::new(request.clone()),
			limits,
			hosts: hosts.clone(),
			clock_ms: 5,
			seed: H256::repeat_byte(6),
		};
		let message = ToGuest::Call {
			request,
			limits,
			hosts,
			clock_ms: 5,
			seed: H256::repeat_byte(6),
		};
		let sent = ToGuest::call(&input);
		assert_eq!(sent, frame::encode(&message));
		assert_eq!(
			ToGuest::decode_all(&mut &sent[frame::HEADER..]).unwrap(),
			message
		);
	}

	#[test]
	fn the_greeting_is_read_alone() {
		// Whatever a version changes behind it, the other one can say so.
		let bytes = (Hello::without_engine(), Answer::Ready).encode();
		let hello = Hello::decode(&mut &bytes[..]).unwrap();
		assert_eq!(hello, Hello::without_engine());
		assert!(hello.describe().contains(env!("CARGO_PKG_VERSION")));
	}
}
