//! The guest's world: WASI preview1, reduced to what a result may depend on.
//!
//! The request is on standard input and in CGI variables, the response goes to standard output.
//! There are no files and no network, the clock stands still, and randomness is a stream from the
//! call's seed. Every function of preview1 is there; those that have nothing to offer answer
//! `ENOSYS`.
//!
//! Nothing here knows an engine: a binding hands over guest memory as [`GuestMemory`] and the gas
//! that is left as a [`Meter`], so that results and gas are the same under any of them.

mod functions;
mod memory;
mod meter;
pub mod preview1;
mod random;

pub use memory::{Fault, GuestMemory};
pub use meter::{Exit, Meter};

use crate::limits::MAX_STDERR_BYTES;
use millrace_primitives::execution::{Request, MAX_RESPONSE_BYTES};
use millrace_primitives::H256;
use random::RandomStream;

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
	/// The function is not there.
	pub const NOSYS: Self = Self(52);
	/// The file descriptor is a pipe, which has no position.
	pub const SPIPE: Self = Self(70);

	/// The number that the guest sees.
	pub fn raw(self) -> i32 {
		i32::from(self.0)
	}
}

/// Everything outside the guest's memory that one call reads or leaves behind.
#[derive(Debug)]
pub struct Wasi {
	stdin: Vec<u8>,
	/// How much of standard input has been read.
	taken: usize,
	stdout: Vec<u8>,
	response_limit: usize,
	stderr: Vec<u8>,
	/// Whether each of the three standard descriptors is still open.
	open: [bool; 3],
	arguments: Vec<Vec<u8>>,
	environment: Vec<Vec<u8>>,
	clock_ns: u64,
	random: RandomStream,
}

impl Wasi {
	/// The world of one call.
	pub fn new(request: &Request, response_bytes: u32, clock_ms: u64, seed: H256) -> Self {
		let length = request.body.len().to_string();
		let variables: [(&str, &str); 6] = [
			("GATEWAY_INTERFACE", "Millrace/1"),
			("REQUEST_METHOD", &request.method),
			("PATH_INFO", &request.path),
			("QUERY_STRING", &request.query),
			("CONTENT_TYPE", &request.content_type),
			("CONTENT_LENGTH", &length),
		];
		Self {
			stdin: request.body.clone(),
			taken: 0,
			stdout: Vec::new(),
			response_limit: response_bytes.min(MAX_RESPONSE_BYTES) as usize,
			stderr: Vec::new(),
			open: [true; 3],
			arguments: vec![b"guest".to_vec()],
			environment: variables
				.iter()
				.map(|(name, value)| format!("{name}={value}").into_bytes())
				.collect(),
			clock_ns: clock_ms.saturating_mul(1_000_000),
			random: RandomStream::new(seed),
		}
	}

	/// What the guest wrote on standard output and standard error.
	pub fn into_output(self) -> (Vec<u8>, Vec<u8>) {
		(self.stdout, self.stderr)
	}

	/// How much more of standard error is kept.
	fn stderr_room(&self) -> usize {
		MAX_STDERR_BYTES.saturating_sub(self.stderr.len())
	}
}
