//! The guest's world: WASI preview1, reduced to what a result may depend on.
//!
//! The request is on standard input and in CGI variables, the response goes to standard output. The
//! files of the package are a folder that can only be read, randomness is a stream from the call's
//! seed, and the clock moves only when the guest sleeps. Every function of preview1 is there; those
//! that have nothing to offer answer `ENOSYS`, those that would change files `EROFS`. Whatever else
//! happens outside is asked for by [`crate::effects`].
//!
//! What is wrong with a call is told in this order, which is part of the profile: gas, and what it is
//! reckoned from; the descriptor; what it may be used for; addresses, and what lies there; the rest.
//! A position or the clock only moves when the call succeeds; bytes that were moved before it failed
//! stay moved.
//!
//! Nothing here knows an engine: a binding hands over guest memory as [`GuestMemory`] and the gas
//! that is left as a [`Meter`], so that results and gas are the same under any of them.

mod descriptors;
mod effects;
mod files;
mod functions;
mod memory;
mod meter;
mod poll;
pub mod preview1;
mod random;
#[cfg(any(feature = "engine", feature = "replay"))]
pub(crate) mod table;

pub use memory::{Fault, GuestMemory};
pub use meter::{Exit, Meter};

use crate::archive::Files;
use crate::effects::{Effects, NoEffects};
use crate::limits::MAX_STDERR_BYTES;
use descriptors::{Descriptors, Fd};
use millrace_primitives::effects::Transcript;
use millrace_primitives::execution::{Request, MAX_RESPONSE_BYTES};
use millrace_primitives::market::Hosts;
use millrace_primitives::H256;
use random::RandomStream;
use std::fmt;
use std::sync::Arc;

/// An error number of preview1; 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(u16);

impl Errno {
	/// No error.
	pub const SUCCESS: Self = Self(0);
	/// The file descriptor is not open, or not for this.
	pub const BADF: Self = Self(8);
	/// An address is outside the guest's memory.
	pub const FAULT: Self = Self(21);
	/// An argument makes no sense.
	pub const INVAL: Self = Self(28);
	/// The file descriptor is a folder.
	pub const ISDIR: Self = Self(31);
	/// Too many file descriptors are open.
	pub const MFILE: Self = Self(33);
	/// A path or name is too long.
	pub const NAMETOOLONG: Self = Self(37);
	/// There is no room for it.
	pub const NOBUFS: Self = Self(42);
	/// There is no such file.
	pub const NOENT: Self = Self(44);
	/// The function is not there.
	pub const NOSYS: Self = Self(52);
	/// A folder is wanted.
	pub const NOTDIR: Self = Self(54);
	/// The package's files cannot be changed.
	pub const ROFS: Self = Self(69);
	/// The file descriptor is a pipe, which has no position.
	pub const SPIPE: Self = Self(70);
	/// It leads out of what the guest was given.
	pub const NOTCAPABLE: Self = Self(76);

	/// The number that the guest sees.
	pub fn raw(self) -> i32 {
		i32::from(self.0)
	}
}

/// What a host call answers, or why it ends the guest.
type Answer = Result<Errno, Exit>;

/// Why a host call stops early.
enum Stop {
	Errno(Errno),
	Exit(Exit),
}

impl From<Errno> for Stop {
	fn from(errno: Errno) -> Self {
		Self::Errno(errno)
	}
}

impl From<Exit> for Stop {
	fn from(exit: Exit) -> Self {
		Self::Exit(exit)
	}
}

impl From<Fault> for Stop {
	fn from(_: Fault) -> Self {
		Self::Errno(Errno::FAULT)
	}
}

fn answer(result: Result<(), Stop>) -> Answer {
	match result {
		Ok(()) => Ok(Errno::SUCCESS),
		Err(Stop::Errno(errno)) => Ok(errno),
		Err(Stop::Exit(exit)) => Err(exit),
	}
}

/// Everything outside the guest's memory that one call reads or leaves behind.
pub struct Wasi {
	request: Arc<Request>,
	/// How much of standard input has been read.
	taken: usize,
	stdout: Vec<u8>,
	response_limit: usize,
	stderr: Vec<u8>,
	descriptors: Descriptors,
	files: Files,
	arguments: Vec<Vec<u8>>,
	environment: Vec<Vec<u8>>,
	clock_ns: u64,
	random: RandomStream,
	hosts: Hosts,
	effects: Box<dyn Effects>,
	transcript: Transcript,
	/// How much of the last reply has been read.
	reply_read: usize,
}

impl Wasi {
	/// The world of one call, without files and without hosts to ask.
	pub fn new(request: &Request, response_bytes: u32, clock_ms: u64, seed: H256) -> Self {
		Self::shared(Arc::new(request.clone()), response_bytes, clock_ms, seed)
	}

	/// The same, without a copy of the request.
	pub fn shared(request: Arc<Request>, response_bytes: u32, clock_ms: u64, seed: H256) -> Self {
		let length = request.body.len().to_string();
		let variables: [(&str, &str); 6] = [
			("GATEWAY_INTERFACE", "Millrace/1"),
			("REQUEST_METHOD", &request.method),
			("PATH_INFO", &request.path),
			("QUERY_STRING", &request.query),
			("CONTENT_TYPE", &request.content_type),
			("CONTENT_LENGTH", &length),
		];
		let environment = variables
			.iter()
			.map(|(name, value)| format!("{name}={value}").into_bytes())
			.collect();
		Self {
			request,
			taken: 0,
			stdout: Vec::new(),
			response_limit: response_bytes.min(MAX_RESPONSE_BYTES) as usize,
			stderr: Vec::new(),
			descriptors: Descriptors::new(),
			files: Files::default(),
			arguments: vec![b"guest".to_vec()],
			environment,
			clock_ns: clock_ms.saturating_mul(1_000_000),
			random: RandomStream::new(seed),
			hosts: Hosts::default(),
			effects: Box::new(NoEffects),
			transcript: Transcript::default(),
			reply_read: 0,
		}
	}

	/// Gives the guest files, as a folder named `/` that is open from the start if there are any.
	pub fn with_files(mut self, files: Files) -> Self {
		if !files.is_empty() {
			self.descriptors.open(Fd::Folder {
				path: String::new(),
				preopened: true,
			});
		}
		self.files = files;
		self
	}

	/// Lets the guest ask these hosts, by way of whoever performs it.
	pub fn with_effects(mut self, hosts: Hosts, effects: Box<dyn Effects>) -> Self {
		self.hosts = hosts;
		self.effects = effects;
		self
	}

	/// What the guest wrote on standard output and standard error.
	pub fn into_output(mut self) -> (Vec<u8>, Vec<u8>) {
		self.take_output()
	}

	/// Takes that.
	pub(crate) fn take_output(&mut self) -> (Vec<u8>, Vec<u8>) {
		(
			std::mem::take(&mut self.stdout),
			std::mem::take(&mut self.stderr),
		)
	}

	/// Takes the record of the effects that happened.
	pub fn take_transcript(&mut self) -> Transcript {
		std::mem::take(&mut self.transcript)
	}

	/// How much more of standard error is kept.
	fn stderr_room(&self) -> usize {
		MAX_STDERR_BYTES.saturating_sub(self.stderr.len())
	}
}

impl fmt::Debug for Wasi {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Wasi")
			.field("request", &self.request)
			.field("descriptors", &self.descriptors)
			.field("clock_ns", &self.clock_ns)
			.field("hosts", &self.hosts)
			.finish_non_exhaustive()
	}
}
