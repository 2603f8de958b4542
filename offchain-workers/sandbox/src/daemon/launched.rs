//! A process and its control socket, from its order to its answer.

use crate::protocol::{descriptors, frame, Answer, Hello, Order, MAX_ANSWER};
use codec::{Decode, DecodeAll};
use rustix::fd::BorrowedFd;
use std::io::Error;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;
use thiserror::Error as ThisError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::time::timeout;

/// Bytes of a process' words that are logged.
const MAX_WORDS: u64 = 4 * 1024;
/// How long a process that has closed its socket may take to be gone.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// A process that was started.
#[derive(Debug)]
pub(super) struct Launched {
	pub(super) control: UnixStream,
	pub(super) child: Child,
}

/// Why there is no answer to an order.
#[derive(Debug, ThisError)]
pub(super) enum LaunchError {
	#[error("{0}")]
	Io(#[from] Error),
	#[error("the process is {found}, and {wanted} is wanted")]
	OtherVersion { found: String, wanted: String },
	#[error("{0}")]
	Failed(String),
	#[error("what the process says is no answer: {0}")]
	Nonsense(#[from] codec::Error),
}

impl Launched {
	/// What the process says for people goes to the log.
	pub(super) fn new(control: UnixStream, mut child: Child, purpose: &'static str) -> Self {
		if let Some(words) = child.stderr.take() {
			tokio::spawn(log(words, child.id(), purpose));
		}
		Self { control, child }
	}

	/// Sends the order, and the descriptors that it is about with its first bytes.
	pub(super) async fn order(
		&mut self,
		ours: &Hello,
		order: &Order,
		sent: &[BorrowedFd<'_>],
	) -> Result<(), LaunchError> {
		let frame = frame::encode(&(ours, order));
		let (header, rest) = frame.split_at(frame::HEADER);
		descriptors::send(&self.control, header, sent)?;
		self.control.write_all(rest).await?;
		Ok(())
	}

	/// Receives the answer of a process of this very build.
	pub(super) async fn answer(&mut self, ours: &Hello) -> Result<Answer, LaunchError> {
		let frame = frame::receive(&mut self.control, MAX_ANSWER).await?;
		let mut rest = &frame[..];
		let theirs = Hello::decode(&mut rest)?;
		// A process that has not come as far as its engine says the rest.
		let early = Hello::without_engine();
		if theirs != *ours && theirs != early {
			return Err(LaunchError::OtherVersion {
				found: theirs.describe(),
				wanted: ours.describe(),
			});
		}
		match Answer::decode_all(&mut rest)? {
			Answer::Failed(reason) => Err(LaunchError::Failed(reason)),
			Answer::OtherVersion => Err(LaunchError::Failed(
				"it takes this program for another version".into(),
			)),
			answer => Ok(answer),
		}
	}

	/// How a process ended that has closed its socket; `None`: it has not ended, and is killed.
	pub(super) async fn end(&mut self) -> Option<ExitStatus> {
		match timeout(LAST_WAIT, self.child.wait()).await {
			Ok(status) => status.ok(),
			Err(_) => {
				let _ = self.child.kill().await;
				None
			}
		}
	}
}

/// Logs the first of what a process says, and reads on, so that the process is not held up by it.
async fn log(mut words: impl AsyncRead + Unpin, pid: Option<u32>, purpose: &'static str) {
	let mut first = Vec::new();
	let _ = (&mut words).take(MAX_WORDS).read_to_end(&mut first).await;
	if !first.is_empty() {
		let said = String::from_utf8_lossy(&first);
		tracing::warn!(
			pid,
			purpose,
			said = said.trim_end(),
			"a guest process speaks"
		);
	}
	let _ = tokio::io::copy(&mut words, &mut tokio::io::sink()).await;
}

/// How a process ended, in words.
pub(super) fn describe(status: ExitStatus) -> String {
	match (status.signal(), status.code()) {
		(Some(libc::SIGSYS), _) => "killed for a forbidden system call".into(),
		(Some(libc::SIGXCPU), _) => "killed for its use of the processor".into(),
		(Some(libc::SIGKILL), _) => "killed".into(),
		(Some(libc::SIGABRT), _) => "aborted: out of memory, or a bug".into(),
		(Some(signal), _) => format!("killed by signal {signal}"),
		(None, Some(code)) => format!("exited with code {code}"),
		(None, None) => "ended".into(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn ends_are_told_in_words() {
		let killed_by = |signal| describe(ExitStatus::from_raw(signal));
		assert!(killed_by(libc::SIGSYS).contains("forbidden system call"));
		assert_eq!(killed_by(libc::SIGSEGV), "killed by signal 11");
		assert_eq!(describe(ExitStatus::from_raw(3 << 8)), "exited with code 3");
	}
}
