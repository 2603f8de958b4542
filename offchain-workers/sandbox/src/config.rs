//! Settings of the sandbox, and why it does not start.

use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// Settings of a [`crate::Sandbox`].
#[derive(Clone, Debug)]
pub struct SandboxConfig {
	/// The program `millrace-guest`; without it, the one beside the program that is running.
	pub program: Option<PathBuf>,
	/// Folder for compiled packages that no other user can write to.
	pub folder: PathBuf,
	/// Bytes that it may hold; what was not used for longest goes first.
	pub folder_bytes: u64,
	/// A deal's process ends when it had nothing to do for so long.
	pub idle: Duration,
	/// Most processes that wait for calls or run them; for one more, the longest idle ends.
	pub max_processes: usize,
	/// What compiling a package may take.
	pub prepare: PrepareLimits,
	/// Longest time that a guest computes for one call. Time in which the daemon performs its effects
	/// does not count.
	pub call_wall: Duration,
}

impl SandboxConfig {
	/// The usual settings.
	pub fn new(folder: PathBuf) -> Self {
		Self {
			program: None,
			folder,
			folder_bytes: 1024 * 1024 * 1024,
			idle: Duration::from_secs(30),
			max_processes: 256,
			prepare: PrepareLimits::default(),
			call_wall: Duration::from_secs(30),
		}
	}
}

/// What compiling one package may take.
#[derive(Clone, Copy, Debug)]
pub struct PrepareLimits {
	/// Processor time, of all threads together; whole seconds count.
	pub cpu: Duration,
	/// Time.
	pub wall: Duration,
	/// Memory.
	pub memory_bytes: u64,
	/// Packages that are compiled at once.
	pub at_once: usize,
}

impl Default for PrepareLimits {
	fn default() -> Self {
		Self {
			cpu: Duration::from_secs(60),
			wall: Duration::from_secs(90),
			memory_bytes: 2 * 1024 * 1024 * 1024,
			at_once: 1,
		}
	}
}

/// Why there is no sandbox.
#[derive(Debug, Error)]
pub enum SandboxError {
	/// The program is not where it should be.
	#[error("there is no program {0}: install millrace-guest beside this program, or name it")]
	NoProgram(PathBuf),
	/// The program belongs to another version of the daemon.
	#[error("millrace-guest is {found}, and {wanted} is wanted: install both from one version")]
	OtherVersion {
		/// What the program says of itself.
		found: String,
		/// What this program is.
		wanted: String,
	},
	/// A process could do what it must not be able to.
	#[error("guests cannot be locked in on this machine: {0}")]
	Unprotected(String),
	/// The host failed.
	#[error("the sandbox cannot be set up: {0}")]
	Host(String),
}
