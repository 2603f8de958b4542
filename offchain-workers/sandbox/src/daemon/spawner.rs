//! Starts processes, from a thread of its own.
//!
//! A process is killed by the kernel when the thread that started it ends. So one thread starts all of
//! them, and lives as long as the sandbox; then nothing is left behind, however the daemon ends.

use super::launched::Launched;
use rustix::fd::OwnedFd;
use std::io::{Error, Result};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{channel, Sender};
use std::thread;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The thread.
#[derive(Debug)]
pub(super) struct Spawner {
	wanted: Sender<Wanted>,
}

/// A process that is wanted.
#[derive(Debug)]
struct Wanted {
	purpose: &'static str,
	control: OwnedFd,
	reply: oneshot::Sender<Result<Child>>,
}

impl Spawner {
	/// Starts the thread. The runtime that it is called in looks after the processes.
	pub(super) fn start(program: PathBuf) -> Result<Self> {
		let (wanted, all) = channel::<Wanted>();
		let runtime = Handle::current();
		thread::Builder::new()
			.name("millrace-spawner".into())
			.spawn(move || {
				let _runtime = runtime.enter();
				for wanted in all {
					let child = spawn(&program, wanted.purpose, wanted.control);
					// Nobody waits any more: the process goes with the message.
					let _ = wanted.reply.send(child);
				}
			})?;
		Ok(Self { wanted })
	}

	/// Starts a process that waits for its order.
	pub(super) async fn launch(&self, purpose: &'static str) -> Result<Launched> {
		let (ours, theirs) = StdUnixStream::pair()?;
		ours.set_nonblocking(true)?;
		let (reply, child) = oneshot::channel();
		let wanted = Wanted {
			purpose,
			control: theirs.into(),
			reply,
		};
		let gone = || Error::other("the thread that starts processes has ended");
		self.wanted.send(wanted).map_err(|_| gone())?;
		let child = child.await.map_err(|_| gone())??;
		Ok(Launched::new(UnixStream::from_std(ours)?, child, purpose))
	}
}

/// Nothing is inherited but the control socket, and a pipe for what may be worth a line in the log. No
/// function is to run between fork and exec: with one, the daemon's page tables would be copied each
/// time.
fn spawn(program: &Path, purpose: &str, control: OwnedFd) -> Result<Child> {
	Command::new(program)
		.arg(purpose)
		.env_clear()
		.current_dir("/")
		.stdin(Stdio::from(control))
		.stdout(Stdio::null())
		.stderr(Stdio::piped())
		.process_group(0)
		.kill_on_drop(true)
		.spawn()
}
