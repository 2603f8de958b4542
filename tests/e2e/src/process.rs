//! One process with its log.

use crate::binaries;
use std::{
	cell::{Cell, RefCell},
	ffi::{OsStr, OsString},
	fs::OpenOptions,
	panic,
	path::{Path, PathBuf},
	process::Stdio,
	sync::Once,
	time::Duration,
};
use tokio::{
	process::{Child, Command},
	time::timeout,
};

/// Lines of a log that a failed test shows: few, since a test may have a score of processes.
const SHOWN_LINES: usize = 12;

thread_local! {
	/// Processes that this thread has started and that are there.
	static RUNNING: Cell<usize> = const { Cell::new(0) };
	/// What this thread has panicked with.
	static FAILURE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A process that ends with its test, whatever way the test ends.
#[derive(Debug)]
pub struct Process {
	name: String,
	child: Child,
	log: PathBuf,
}

impl Process {
	/// Starts a program. Its output is added to `name.log` in the folder.
	///
	/// The program is started through the tool's own tether, so that the kernel ends it also when
	/// the test itself is killed. Call it on the test's thread: the kernel goes by the thread.
	pub fn start<A: AsRef<OsStr>>(
		folder: &Path,
		name: &str,
		program: &Path,
		arguments: impl IntoIterator<Item = A>,
	) -> Self {
		keep_failures();
		let log = folder.join(format!("{name}.log"));
		let out = OpenOptions::new()
			.create(true)
			.append(true)
			.open(&log)
			.expect("the test's folder is writable");
		let errors = out.try_clone().expect("a file can be opened twice");
		let mut command = Command::new(binaries::millrace());
		command
			.args(["tether", "--"])
			.arg(program)
			.args(arguments)
			.stdin(Stdio::null())
			.stdout(out)
			.stderr(errors)
			// A group of its own: Ctrl-C reaches the test alone, which then ends the others.
			.process_group(0)
			.kill_on_drop(true);
		isolate(&mut command, folder);
		let child = command
			.spawn()
			.unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
		RUNNING.set(RUNNING.get() + 1);
		Self {
			name: name.into(),
			child,
			log,
		}
	}

	/// Kills the process with SIGKILL and waits until it is gone.
	pub async fn kill(&mut self) {
		self.child
			.start_kill()
			.unwrap_or_else(|error| panic!("{} cannot be killed: {error}", self.name));
		self.child
			.wait()
			.await
			.unwrap_or_else(|error| panic!("{} is not gone: {error}", self.name));
	}

	/// Its number, while it has not been waited for.
	pub fn id(&self) -> Option<u32> {
		self.child.id()
	}

	/// Waits until it ends by itself; its exit status, or nothing if a signal ended it.
	pub async fn ended(&mut self, limit: Duration) -> Option<i32> {
		timeout(limit, self.child.wait())
			.await
			.unwrap_or_else(|_| panic!("{} has not ended within {limit:?}", self.name))
			.unwrap_or_else(|error| panic!("{}: {error}", self.name))
			.code()
	}

	/// Fails the test if the process has ended.
	pub fn assert_running(&mut self) {
		match self.child.try_wait() {
			Ok(None) => {}
			ended => panic!("{} has ended: {ended:?}", self.name),
		}
	}

	/// Everything that the process has written.
	pub fn log(&self) -> String {
		let bytes = std::fs::read(&self.log).unwrap_or_default();
		String::from_utf8_lossy(&bytes).into_owned()
	}

	fn tail(&self) -> String {
		let log = self.log();
		let lines: Vec<&str> = log.lines().collect();
		lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
	}
}

impl Drop for Process {
	fn drop(&mut self) {
		// It may have ended already.
		let _ = self.child.start_kill();
		let left = RUNNING.get().saturating_sub(1);
		RUNNING.set(left);
		if std::thread::panicking() {
			eprintln!("\n--- the end of {}'s log\n{}\n---", self.name, self.tail());
			if left == 0 {
				// Once more, where nobody has to look for it.
				let why = FAILURE.take();
				eprintln!("\n--- why the test has failed\n{why}\n---");
			}
		}
	}
}

/// Keeps what a thread panics with, so that it can be told behind the logs.
fn keep_failures() {
	static ONCE: Once = Once::new();
	ONCE.call_once(|| {
		let before = panic::take_hook();
		panic::set_hook(Box::new(move |info| {
			FAILURE.set(info.to_string());
			before(info);
		}));
	});
}

/// Keeps whatever the developer has set for these programs out of a test.
pub(crate) fn isolate(command: &mut Command, folder: &Path) {
	let ours = |name: &OsString| name.to_string_lossy().starts_with("MILLRACE_");
	for (name, _) in std::env::vars_os().filter(|(name, _)| ours(name)) {
		command.env_remove(name);
	}
	command.env_remove("RUST_LOG");
	command.env("XDG_CONFIG_HOME", folder);
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_failure_is_known_behind_the_logs() {
		keep_failures();
		let failed = panic::catch_unwind(|| {
			panic!("not in time");
		});
		assert!(failed.is_err());
		let why = FAILURE.take();
		assert!(why.contains("not in time"), "{why}");
		assert!(why.contains(file!()), "{why}");
	}
}
