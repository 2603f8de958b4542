//! Threads that guests run on.
//!
//! A guest may need far more native stack than the threads of a daemon have, and wasmtime runs it on
//! the stack of its caller. So each call is handed to a thread with a stack for the worst case; the
//! pages are only touched by guests that go deep. Threads are kept and used again.

use crate::error::EngineError;
use crate::limits::NATIVE_STACK_BYTES;
use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Stack beside the guest's: for wasmtime, host calls, and one frame of a function without calls.
const HOST_STACK_BYTES: usize = 8 * 1024 * 1024;

/// Work, and who gets what comes of it; told why when no thread could be made for it.
type Job = Box<dyn FnOnce(Result<(), EngineError>) + Send>;

/// A bounded number of threads. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Runners {
	max: u32,
	shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
	state: Mutex<State>,
	work: Condvar,
}

impl std::fmt::Debug for Shared {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Shared").finish_non_exhaustive()
	}
}

#[derive(Default)]
struct State {
	/// Never more than there are threads that wait, or are being started, for them.
	jobs: VecDeque<Job>,
	/// Threads that wait for a job.
	idle: usize,
	/// Jobs that wait or run.
	busy: u32,
	closed: bool,
}

impl Shared {
	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Runs jobs until there will be no more.
	fn run(&self) {
		let mut state = self.state();
		loop {
			if let Some(job) = state.jobs.pop_front() {
				drop(state);
				job(Ok(()));
				state = self.state();
			} else if state.closed {
				return;
			} else {
				state.idle += 1;
				state = self
					.work
					.wait(state)
					.unwrap_or_else(PoisonError::into_inner);
				state.idle -= 1;
			}
		}
	}
}

impl Runners {
	pub(crate) fn new(max: u32) -> Self {
		Self {
			max,
			shared: Arc::default(),
		}
	}

	/// Hands work to a thread. `done` gets what comes of it on the same thread, when the place of the
	/// work is free again; or at once why it is not done, which is so when all places are taken. Work
	/// that panics is the host's failure.
	pub(crate) fn submit<T: Send + 'static>(
		&self,
		work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
		done: impl FnOnce(Result<T, EngineError>) + Send + 'static,
	) {
		let mut state = self.shared.state();
		if state.busy >= self.max {
			drop(state);
			return done(Err(EngineError::Busy(self.max)));
		}
		let place = Place(self.shared.clone());
		state.busy += 1;
		let waiting = state.idle > state.jobs.len();
		state
			.jobs
			.push_back(Box::new(move |begun: Result<(), EngineError>| {
				let result = begun.and_then(|()| {
					catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
						Err(EngineError::Host(
							"the thread of the call panicked over it".into(),
						))
					})
				});
				drop(place);
				// Who cannot take the result has lost it, not the thread.
				let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
			}));
		if waiting {
			// Without the lock, which is the first that the thread needs.
			drop(state);
			return self.shared.work.notify_one();
		}
		if let Err(error) = spawn(self.shared.clone()) {
			let job = state.jobs.pop_back();
			// The job gives its place back; that needs the lock.
			drop(state);
			if let Some(job) = job {
				job(Err(error));
			}
		}
	}
}

impl Drop for Runners {
	fn drop(&mut self) {
		self.shared.state().closed = true;
		self.shared.work.notify_all();
	}
}

/// One of the places for calls, given back when dropped.
struct Place(Arc<Shared>);

impl Drop for Place {
	fn drop(&mut self) {
		self.0.state().busy -= 1;
	}
}

/// Starts a thread that runs jobs.
fn spawn(shared: Arc<Shared>) -> Result<(), EngineError> {
	thread::Builder::new()
		.name("millrace-guest".into())
		.stack_size(NATIVE_STACK_BYTES + HOST_STACK_BYTES)
		.spawn(move || shared.run())
		.map(drop)
		.map_err(|error| EngineError::Host(format!("no thread for the call: {error}")))
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::mpsc::sync_channel;

	fn run<T: Send + 'static>(
		runners: &Runners,
		work: impl FnOnce() -> T + Send + 'static,
	) -> Result<T, EngineError> {
		let (send, receive) = sync_channel(1);
		runners.submit(|| Ok(work()), move |result| send.send(result).unwrap());
		receive.recv().unwrap()
	}

	#[test]
	fn results_come_back_and_threads_are_used_again() {
		let runners = Runners::new(2);
		let first = run(&runners, || thread::current().id()).unwrap();
		while runners.shared.state().idle == 0 {
			thread::yield_now();
		}
		let second = run(&runners, || thread::current().id()).unwrap();
		assert_eq!(first, second);
	}

	#[test]
	fn no_more_run_than_there_are_places() {
		let runners = Runners::new(0);
		assert!(matches!(run(&runners, || ()), Err(EngineError::Busy(0))));
		let runners = Runners::new(1);
		let (go, wait) = sync_channel::<()>(0);
		let (send, receive) = sync_channel(1);
		let work = move || Ok(wait.recv().unwrap());
		runners.submit(work, move |result| send.send(result).unwrap());
		assert!(matches!(run(&runners, || ()), Err(EngineError::Busy(1))));
		go.send(()).unwrap();
		receive.recv().unwrap().unwrap();
		assert!(run(&runners, || ()).is_ok());
	}

	#[test]
	fn who_is_told_may_block_the_thread_and_hand_over_more_work() {
		let runners = Arc::new(Runners::new(1));
		let (send, receive) = sync_channel(0);
		let again = runners.clone();
		runners.submit(
			|| Ok(()),
			move |_| {
				// The one place is free, and another thread takes it.
				send.send(run(&again, || ())).unwrap();
			},
		);
		assert!(receive.recv().unwrap().is_ok());
	}

	#[test]
	fn a_panic_is_the_hosts_failure_and_frees_its_place() {
		let runners = Runners::new(1);
		let failed = run::<()>(&runners, || panic!("on purpose"));
		assert!(matches!(failed, Err(EngineError::Host(_))));
		assert!(run(&runners, || ()).is_ok());
	}

	#[test]
	fn many_at_once_all_come_back() {
		let runners = Runners::new(8);
		let (send, receive) = sync_channel(8);
		for number in 0..8 {
			let send = send.clone();
			runners.submit(move || Ok(number), move |result| send.send(result).unwrap());
		}
		let mut all: Vec<i32> = (0..8).map(|_| receive.recv().unwrap().unwrap()).collect();
		all.sort_unstable();
		assert_eq!(all, [0, 1, 2, 3, 4, 5, 6, 7]);
	}
}
