//! The processes of a development network: started with a log file each, watched, and ended
//! together, whatever way this process ends.

use crate::errors::{CliError, Kind, Result};
use rustix::process::{kill_process_group, Pid, Signal};
use std::{
	ffi::OsString,
	fs::File,
	io::{Read, Seek, SeekFrom},
	net::TcpListener,
	path::{Path, PathBuf},
	process::Stdio,
	time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// Time that a process is given to end cleanly.
const GRACE: Duration = Duration::from_secs(10);

/// Lines of a log that an error shows.
const SHOWN_LINES: usize = 12;
/// Bytes at the end of a log in which they are looked for.
const TAIL_BYTES: u64 = 64 * 1024;

/// A group of processes.
#[derive(Debug)]
pub(crate) struct Processes {
	folder: PathBuf,
	running: Vec<Process>,
}

#[derive(Debug)]
struct Process {
	name: String,
	child: Child,
	log: PathBuf,
}

impl Processes {
	/// An empty group, with its logs in a folder.
	pub(crate) fn new(folder: &Path) -> Self {
		Self {
			folder: folder.into(),
			running: Vec::new(),
		}
	}

	/// Starts a program, tied to this process: see [`super::tether`].
	///
	/// Call it on the main thread: the kernel counts the thread that starts a child as its parent.
	pub(crate) fn spawn(
		&mut self,
		name: &str,
		program: &Path,
		arguments: impl IntoIterator<Item = OsString>,
	) -> Result<()> {
		let log = self.folder.join(format!("{name}.log"));
		let failed = |error: std::io::Error| {
			let message = format!("cannot start {name} ({}): {error}", program.display());
			CliError::new(Kind::Failure, "not_started", message)
		};
		let out = File::create(&log).map_err(failed)?;
		let errors = out.try_clone().map_err(failed)?;
		let child = Command::new(std::env::current_exe().map_err(failed)?)
			.arg("tether")
			.arg("--")
			.arg(program)
			.args(arguments)
			.stdin(Stdio::null())
			.stdout(out)
			.stderr(errors)
			// A group of its own: Ctrl-C reaches this process alone, which then ends the others.
			.process_group(0)
			.kill_on_drop(true)
			.spawn()
			.map_err(failed)?;
		self.running.push(Process {
			name: name.into(),
			child,
			log,
		});
		Ok(())
	}

	/// An error if one of them has ended.
	pub(crate) fn check(&mut self) -> Result<()> {
		for process in &mut self.running {
			let ended = match process.child.try_wait() {
				Ok(None) => continue,
				Ok(Some(status)) => status.to_string(),
				Err(error) => error.to_string(),
			};
			let message = format!(
				"{} has ended ({ended})\n{}",
				process.name,
				tail(&process.log)
			);
			return Err(CliError::new(Kind::Failure, "process_ended", message)
				.hint(format!("its log: {}", process.log.display())));
		}
		Ok(())
	}

	/// The log files.
	pub(crate) fn logs(&self) -> Vec<String> {
		self.running
			.iter()
			.map(|process| process.log.display().to_string())
			.collect()
	}

	/// Asks all of them to end, the last one first, and kills those that do not.
	pub(crate) async fn stop(&mut self) {
		let deadline = Instant::now() + GRACE;
		for process in self.running.iter().rev() {
			signal(&process.child, Signal::TERM);
		}
		for process in self.running.iter_mut().rev() {
			let left = deadline.saturating_duration_since(Instant::now());
			if tokio::time::timeout(left, process.child.wait())
				.await
				.is_err()
			{
				signal(&process.child, Signal::KILL);
				let _ = process.child.wait().await;
			}
		}
		self.running.clear();
	}
}

impl Drop for Processes {
	fn drop(&mut self) {
		for process in &self.running {
			signal(&process.child, Signal::KILL);
		}
	}
}

/// Sends a signal to the group that a child leads, unless the child has been waited for: then its
/// number may be somebody else's.
fn signal(child: &Child, signal: Signal) {
	let pid = child
		.id()
		.and_then(|id| i32::try_from(id).ok())
		.and_then(Pid::from_raw);
	if let Some(pid) = pid {
		let _ = kill_process_group(pid, signal);
	}
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
	let mut text = Vec::new();
	// A log that cannot be read is shown as an empty one.
	let _ = File::open(log).and_then(|mut file| {
		let length = file.metadata()?.len();
		file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
		file.take(TAIL_BYTES).read_to_end(&mut text)
	});
	let text = String::from_utf8_lossy(&text);
	let lines: Vec<_> = text.lines().collect();
	let from = lines.len().saturating_sub(SHOWN_LINES);
	lines
		.iter()
		.skip(from)
		.map(|line| format!("    {line}"))
		.collect::<Vec<_>>()
		.join("\n")
}

/// Ports that are free now. They are taken together, so that they differ.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
	let failed = |error: std::io::Error| CliError::from(anyhow::Error::from(error));
	let mut listeners = Vec::new();
	let mut ports = [0; N];
	for port in &mut ports {
		let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
		*port = listener.local_addr().map_err(failed)?.port();
		listeners.push(listener);
	}
	Ok(ports)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn free_ports_differ() {
		let [first, second, third] = free_ports().expect("there are free ports");
		assert!(first != second && second != third && first != third);
	}

	#[test]
	fn a_tail_is_the_end_of_a_log() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let log = folder.path().join("log");
		let lines: Vec<_> = (0..20).map(|line| line.to_string()).collect();
		std::fs::write(&log, lines.join("\n")).expect("the folder is writable");
		assert!(tail(&log).starts_with("    8\n"));
		assert!(tail(&log).ends_with("    19"));
		let long = format!("{}\nend", "x".repeat(4 * TAIL_BYTES as usize));
		std::fs::write(&log, long).expect("the folder is writable");
		assert!(tail(&log).ends_with("x\n    end"));
		assert!(tail(&log).len() < 2 * TAIL_BYTES as usize);
	}
}
