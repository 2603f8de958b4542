//! The command line tool as a user meets it.

use crate::{binaries, process::isolate};
use serde_json::Value;
use std::{ffi::OsStr, path::Path, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// What a run of the tool came to.
#[derive(Clone, Debug)]
pub struct Ran {
	/// Exit status; -1 for a signal.
	pub status: i32,
	/// Standard output.
	pub stdout: Vec<u8>,
	/// Standard error.
	pub stderr: String,
}

/// Runs `millrace` with these arguments in a folder, at most so long.
pub async fn millrace<A: AsRef<OsStr>>(
	folder: &Path,
	limit: Duration,
	arguments: impl IntoIterator<Item = A>,
) -> Ran {
	run(&binaries::millrace(), folder, limit, arguments).await
}

/// Runs a program with these arguments in a folder, at most so long.
pub async fn run<A: AsRef<OsStr>>(
	program: &Path,
	folder: &Path,
	limit: Duration,
	arguments: impl IntoIterator<Item = A>,
) -> Ran {
	let mut command = Command::new(program);
	command
		.args(arguments)
		.current_dir(folder)
		.stdin(Stdio::null())
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.process_group(0)
		.kill_on_drop(true);
	isolate(&mut command, folder);
	let what = format!("{command:?}");
	let output = timeout(limit, command.output())
		.await
		.unwrap_or_else(|_| panic!("{what}: not done within {} s", limit.as_secs()))
		.unwrap_or_else(|error| panic!("{what}: {error}"));
	Ran {
		status: output.status.code().unwrap_or(-1),
		stdout: output.stdout,
		stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
	}
}

impl Ran {
	/// The one JSON object on standard output.
	pub fn json(&self) -> Value {
		let value: Value = serde_json::from_slice(&self.stdout)
			.unwrap_or_else(|error| panic!("standard output is no JSON ({error}): {self:?}"));
		assert!(value.is_object(), "no object: {self:?}");
		value
	}

	/// Exit status and machine-readable code of the error; the code is empty where there is none.
	pub fn error(&self) -> (i32, String) {
		let told = self.json();
		let error = &told["error"];
		let code = error["code"].as_str().unwrap_or_default();
		if error.is_object() {
			let message = error["message"].as_str().unwrap_or_default();
			assert!(
				!message.is_empty(),
				"the error {code} has no message: {self:?}"
			);
		}
		(self.status, code.to_string())
	}

	/// Fails unless the tool has succeeded.
	pub fn succeeded(self) -> Self {
		assert_eq!(
			self.status,
			0,
			"{}\n{}",
			String::from_utf8_lossy(&self.stdout),
			self.stderr
		);
		self
	}
}
