//! Threads that guests run on.
//!
//! A guest may need far more native stack than the threads of a daemon have, and wasmtime runs it on
//! the stack of its caller. So each call is handed to a thread with a stack for the worst case; the
//! pages are only touched by guests that go deep. Threads are kept and used again.

use crate::error::EngineError;
use crate::limits::NATIVE_STACK_BYTES;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{channel, sync_channel, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Stack beside the guest's: for wasmtime, host calls, and one frame of a function without calls.
const HOST_STACK_BYTES: usize = 8 * 1024 * 1024;

type Job = Box<dyn FnOnce() + Send>;

/// A bounded number of threads.
#[derive(Debug)]
pub(crate) struct Runners {
	max: u32,
	busy: AtomicU32,
	idle: Mutex<Vec<Sender<Job>>>,
}

impl Runners {
	pub(crate) fn new(max: u32) -> Self {
		Self {
			max,
			busy: AtomicU32::new(0),
			idle: Mutex::new(Vec::new()),
		}
	}

	/// Runs a job and waits for it; refuses at once when all places are taken.
	pub(crate) fn run<T: Send + 'static>(
		&self,
		work: impl FnOnce() -> T + Send + 'static,
	) -> Result<T, EngineError> {
		let _place = Place::take(&self.busy, self.max).ok_or(EngineError::Busy(self.max))?;
		let runner = match self
			.idle
			.lock()
			.unwrap_or_else(PoisonError::into_inner)
			.pop()
		{
			Some(runner) => runner,
			None => spawn()?,
		};
		let (send, receive) = sync_channel(1);
		let job: Job = Box::new(move || {
			// The caller waits for this, so it is there to receive it.
			let _ = send.send(work());
		});
		let lost = || EngineError::Host("the thread of the call ended before it".into());
		runner.send(job).map_err(|_| lost())?;
		let result = receive.recv().map_err(|_| lost())?;
		self.idle
			.lock()
			.unwrap_or_else(PoisonError::into_inner)
			.push(runner);
		Ok(result)
	}
}

/// One of the places for calls, given back when dropped.
struct Place<'a>(&'a AtomicU32);

impl<'a> Place<'a> {
	fn take(busy: &'a AtomicU32, max: u32) -> Option<Self> {
		busy.fetch_update(Ordering::AcqRel, Ordering::Acquire, |busy| {
			(busy < max).then_some(busy + 1)
		})
		.ok()
		.map(|_| Self(busy))
	}
}

impl Drop for Place<'_> {
	fn drop(&mut self) {
		self.0.fetch_sub(1, Ordering::AcqRel);
	}
}

/// Starts a thread that runs what it is sent, until its sender is dropped.
fn spawn() -> Result<Sender<Job>, EngineError> {
	let (send, receive) = channel::<Job>();
	thread::Builder::new()
		.name("millrace-guest".into())
		.stack_size(NATIVE_STACK_BYTES + HOST_STACK_BYTES)
		.spawn(move || receive.into_iter().for_each(|job| job()))
		.map_err(|error| EngineError::Host(format!("no thread for the call: {error}")))?;
	Ok(send)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn results_come_back_and_threads_are_used_again() {
		let runners = Runners::new(2);
		let first = runners.run(|| thread::current().id()).unwrap();
		let second = runners.run(|| thread::current().id()).unwrap();
		assert_eq!(first, second);
	}

	#[test]
	fn no_more_run_than_there_are_places() {
		let runners = Runners::new(0);
		assert!(matches!(runners.run(|| ()), Err(EngineError::Busy(0))));
	}

	#[test]
	fn a_panic_is_the_hosts_failure_and_frees_its_place() {
		let runners = Runners::new(1);
		let failed = runners.run::<()>(|| panic!("on purpose"));
		assert!(matches!(failed, Err(EngineError::Host(_))));
		assert!(runners.run(|| ()).is_ok());
	}
}
