//! One call: what is said between the daemon and the process that runs it.
//!
//! The process is an enemy. Whatever it says is measured by what an honest process can say; and what
//! the daemon knows itself, the effects that it performed, is taken from the daemon alone.

use crate::protocol::{frame, FromGuest, Output, ToGuest, MAX_DONE};
use crate::{GuestCall, GuestError};
use codec::{DecodeAll, Encode};
use millrace_executor::limits::{MAX_GAS, MAX_STDERR_BYTES};
use millrace_executor::{CallOutput, EffectFailure, HttpRequest};
use millrace_primitives::effects::{
	effect_hash, EffectRecord, Transcript, MAX_EFFECTS, MAX_EFFECT_REPLY, MAX_EFFECT_REQUEST,
	MAX_TRANSCRIPT_BYTES,
};
use millrace_primitives::execution::CallStatus;
use millrace_primitives::market::CallLimits;
use std::future::Future;
use std::io::{Error, ErrorKind};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Bytes of the longest record of an effect: there is to be room for it before one is performed.
const LONGEST_RECORD: usize = 32 + 4 + MAX_EFFECT_REPLY as usize;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Trouble {
	/// The call came to an end without one; the process is fine.
	Over(GuestError),
	/// The guest has computed for too long.
	TooSlow,
	/// The process is gone.
	Lost,
	/// The process says what no process of ours says.
	Lie(&'static str),
}

impl From<Error> for Trouble {
	fn from(error: Error) -> Self {
		match error.kind() {
			ErrorKind::InvalidData => Self::Lie("it sent more than there can be to send"),
			_ => Self::Lost,
		}
	}
}

/// Effects of a call that were performed. They outlive a process: a call that is run again gets the
/// replies that it got before.
#[derive(Debug, Default)]
pub(super) struct Record {
	performed: Vec<EffectRecord>,
	/// Those of them that the present run has asked for.
	asked: usize,
	/// Why the present run cannot have a result.
	failure: Option<EffectFailure>,
}

impl Record {
	/// Begins another run.
	pub(super) fn rewind(&mut self) {
		self.asked = 0;
		self.failure = None;
	}

	/// The reply to an effect; see [`crate::Effector`].
	async fn reply(
		&mut self,
		call: &GuestCall,
		request: Vec<u8>,
	) -> Result<Result<Vec<u8>, EffectFailure>, Trouble> {
		let hosts = &call.input.hosts;
		if request.len() > MAX_EFFECT_REQUEST as usize || self.asked >= MAX_EFFECTS as usize {
			return Err(Trouble::Lie("it asked for more than a guest may"));
		}
		if !HttpRequest::parse(&request).is_ok_and(|request| request.is_allowed(hosts)) {
			return Err(Trouble::Lie("it asked for what a guest may not"));
		}
		let hash = effect_hash(&request);
		if let Some(known) = self.performed.get(self.asked) {
			if known.request != hash {
				return Err(Trouble::Lie(
					"it asked for something else than the first time",
				));
			}
			self.asked += 1;
			return Ok(Ok(known.reply.clone()));
		}
		if self.performed.encoded_size() + LONGEST_RECORD > MAX_TRANSCRIPT_BYTES as usize {
			return Err(Trouble::Lie("it asked for more than a guest may"));
		}
		let reply = match call.effects.perform(hosts.clone(), request).await {
			Ok(reply) if reply.len() > MAX_EFFECT_REPLY as usize => {
				Err(EffectFailure::ReplyTooLong)
			}
			reply => reply,
		};
		if let Ok(reply) = &reply {
			self.performed.push(EffectRecord {
				request: hash,
				reply: reply.clone(),
			});
			self.asked += 1;
		}
		self.failure = reply.as_ref().err().copied();
		Ok(reply)
	}

	/// What a process says of the end of a call, if it can be.
	fn check(&self, output: Output, limits: &CallLimits) -> Result<CallOutput, Trouble> {
		let most = limits.gas.min(MAX_GAS);
		let gas = match output.status {
			CallStatus::OutOfGas => output.gas == most,
			_ => output.gas <= most,
		};
		if !gas {
			return Err(Trouble::Lie("it bills other gas than it can have used"));
		}
		let length = output.response.len();
		if length > limits.response_bytes as usize || (length > 0 && !output.status.is_success()) {
			return Err(Trouble::Lie("it answers what the call cannot answer"));
		}
		if output.stderr.len() > MAX_STDERR_BYTES {
			return Err(Trouble::Lie("it sent more than there can be to send"));
		}
		// All that were performed: a second run that asks for fewer is none of the same call.
		let transcript = Transcript(self.performed.clone());
		let complete = self.asked == self.performed.len() && self.failure.is_none();
		if !complete || output.transcript != transcript {
			return Err(Trouble::Lie("it tells other effects than it had"));
		}
		Ok(CallOutput {
			transcript,
			..CallOutput::from(output)
		})
	}
}

/// Has a call run on a line. The guest may compute for so long; what the daemon does for it does not
/// count.
pub(super) async fn converse(
	line: &mut UnixStream,
	call: &GuestCall,
	record: &mut Record,
	mut left: Duration,
) -> Result<CallOutput, Trouble> {
	let mut message = ToGuest::call(&call.input);
	loop {
		let heard = within(&mut left, async {
			line.write_all(&message).await?;
			frame::receive(line, MAX_DONE).await
		})
		.await?;
		let heard = FromGuest::decode_all(&mut &heard[..])
			.map_err(|_| Trouble::Lie("what it said is no message"))?;
		match heard {
			FromGuest::Effect(request) if record.failure.is_none() => {
				let reply = record.reply(call, request).await?;
				message = frame::encode(&ToGuest::Effect(reply.map_err(EffectFailure::code)));
			}
			FromGuest::Effect(_) => {
				return Err(Trouble::Lie("it goes on after an effect has failed"));
			}
			FromGuest::Done(Ok(output)) => return record.check(output, &call.input.limits),
			FromGuest::Done(Err(reason)) => {
				return Err(Trouble::Over(match record.failure {
					Some(failure) => GuestError::Effect(failure),
					None => GuestError::Host(reason),
				}));
			}
		}
	}
}

/// Waits for some work of the process, and takes the time off.
async fn within<T>(
	left: &mut Duration,
	work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Trouble> {
	let begun = Instant::now();
	let done = timeout(*left, work).await;
	*left = left.saturating_sub(begun.elapsed());
	Ok(done.map_err(|_| Trouble::TooSlow)??)
}

#[cfg(test)]
mod tests;
