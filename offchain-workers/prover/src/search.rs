//! The threads: one that prepares what is asked for, the others search.
//!
//! The manager compares the wanted task with the present one. It retracts the present one, waits
//! until every thread has let go of its machine (one hash at most), so that there is never the
//! memory of two keys at once, reads what is solved, fills the memory and gives it out.

use crate::{
	board::Board,
	config::Mode,
	engine::{Machine, Memory},
	error::ProverError,
	store::{Find, Store},
	task::{Progress, Task},
};
use millrace_primitives::capacity::meets;
use std::{
	collections::hash_map::RandomState,
	hash::BuildHasher,
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering},
		Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
	},
	time::{Duration, Instant},
};
use tracing::{error, info};

/// Pause before a task is tried again that could not be prepared or searched.
const RETRY: Duration = Duration::from_secs(10);

/// A task that is searched.
struct Job {
	board: Arc<Mutex<Board>>,
	memory: Arc<Memory>,
	retired: AtomicBool,
	/// Counts solutions, so that threads on one puzzle see that it was solved.
	solved: AtomicU64,
}

/// What the search did since a task began.
struct Span {
	board: Arc<Mutex<Board>>,
	started: Instant,
	hashes_before: u64,
}

#[derive(Default)]
struct Control {
	wanted: Option<Task>,
	present: Option<Task>,
	job: Option<Arc<Job>>,
	span: Option<Span>,
	attached: usize,
	/// Why a thread gave the present job up.
	failed: Option<ProverError>,
	trouble: Option<String>,
	stopping: bool,
}

impl Control {
	fn is_superseded(&self, task: &Task) -> bool {
		self.stopping || self.wanted.as_ref() != Some(task)
	}
}

/// What the threads share.
pub(crate) struct Search {
	control: Mutex<Control>,
	changed: Condvar,
	store: Store,
	mode: Mode,
	threads: usize,
	hashes: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	// Nothing that is guarded here is left half-written by a panic.
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Search {
	pub(crate) fn new(store: Store, mode: Mode, threads: usize) -> Self {
		Self {
			control: Mutex::default(),
			changed: Condvar::new(),
			store,
			mode,
			threads,
			hashes: AtomicU64::new(0),
		}
	}

	pub(crate) fn store(&self) -> &Store {
		&self.store
	}

	pub(crate) fn want(&self, task: Option<Task>) {
		let mut control = lock(&self.control);
		if control.wanted != task {
			control.wanted = task;
			// What was prepared for another task is given up even if that task is wanted again
			// before the manager looks.
			control.present = None;
			control.span = None;
			control.trouble = None;
			// The threads stop with the hash that they are at; the manager does the rest.
			self.retire(&mut control);
			self.changed.notify_all();
		}
	}

	pub(crate) fn stop(&self) {
		let mut control = lock(&self.control);
		control.stopping = true;
		self.retire(&mut control);
		self.changed.notify_all();
	}

	pub(crate) fn progress(&self) -> Progress {
		let control = lock(&self.control);
		let hashes = self.hashes.load(Ordering::Relaxed);
		let mut progress = Progress {
			hashes,
			trouble: control.trouble.clone(),
			..Progress::default()
		};
		let Some(span) = &control.span else {
			return progress;
		};
		let board = lock(&span.board);
		let seconds = span.started.elapsed().as_secs_f64();
		progress.epoch = Some(board.task().epoch);
		(progress.owed_idle, progress.owed_busy) = board.owed();
		(progress.found_idle, progress.found_busy) = board.found();
		(progress.proven_idle, progress.proven_busy) = board.proven();
		if control.job.is_some() && seconds > 0.0 {
			progress.rate = hashes.saturating_sub(span.hashes_before) as f64 / seconds;
		}
		progress
	}

	fn retire(&self, control: &mut Control) {
		if let Some(job) = control.job.take() {
			job.retired.store(true, Ordering::Release);
		}
	}

	fn wait<'a>(&self, control: MutexGuard<'a, Control>) -> MutexGuard<'a, Control> {
		self.changed
			.wait(control)
			.unwrap_or_else(PoisonError::into_inner)
	}

	/// The manager's loop.
	pub(crate) fn manage(&self) {
		let mut memory: Weak<Memory> = Weak::new();
		loop {
			let mut control = lock(&self.control);
			while !control.stopping && control.failed.is_none() && control.wanted == control.present
			{
				control = self.wait(control);
			}
			if let (Some(error), Some(task)) = (control.failed.take(), control.wanted.clone()) {
				drop(control);
				self.pause(&task, &error);
				continue;
			}
			self.retire(&mut control);
			while control.attached > 0 {
				control = self.wait(control);
			}
			if control.stopping {
				return;
			}
			control.present = control.wanted.clone();
			control.span = None;
			control.trouble = None;
			let Some(task) = control.present.clone() else {
				continue;
			};
			drop(control);

			match self.prepare(&task, &memory) {
				Ok(kept) => memory = kept,
				Err(ProverError::Superseded) => {}
				Err(error) => self.pause(&task, &error),
			}
		}
	}

	/// Reads what is solved of a task and gives the rest out to the threads.
	fn prepare(&self, task: &Task, known: &Weak<Memory>) -> Result<Weak<Memory>, ProverError> {
		let board = Board::new(task.clone(), self.store.begin(task)?);
		let complete = board.is_complete();
		let board = Arc::new(Mutex::new(board));
		let superseded = || lock(&self.control).is_superseded(task);
		let span = |board: &Arc<Mutex<Board>>| Span {
			board: board.clone(),
			started: Instant::now(),
			hashes_before: self.hashes.load(Ordering::Relaxed),
		};
		{
			let mut control = lock(&self.control);
			if control.is_superseded(task) {
				return Err(ProverError::Superseded);
			}
			control.span = Some(span(&board));
		}
		if complete {
			return Ok(Weak::new());
		}
		let memory = match known.upgrade() {
			Some(memory) if memory.key() == task.key => memory,
			stale => {
				drop(stale);
				let started = Instant::now();
				let memory = Memory::build(task.key, self.mode, self.threads, &superseded)?;
				let seconds = started.elapsed().as_secs_f64();
				info!(epoch = task.epoch, mode = ?self.mode, seconds, "RandomX memory is filled");
				memory
			}
		};
		let kept = Arc::downgrade(&memory);
		let mut control = lock(&self.control);
		if control.is_superseded(task) {
			return Err(ProverError::Superseded);
		}
		control.span = Some(span(&board));
		control.job = Some(Arc::new(Job {
			board,
			memory,
			retired: AtomicBool::new(false),
			solved: AtomicU64::new(0),
		}));
		self.changed.notify_all();
		Ok(kept)
	}

	/// Waits a while after trouble, then lets the manager try the task again.
	fn pause(&self, task: &Task, trouble: &ProverError) {
		error!(epoch = task.epoch, "no capacity is proven: {trouble}");
		let mut control = lock(&self.control);
		if !control.is_superseded(task) {
			control.trouble = Some(trouble.to_string());
		}
		let until = Instant::now() + RETRY;
		while !control.is_superseded(task) {
			let left = until.saturating_duration_since(Instant::now());
			if left.is_zero() {
				break;
			}
			control = self
				.changed
				.wait_timeout(control, left)
				.unwrap_or_else(PoisonError::into_inner)
				.0;
		}
		// Anything but the wanted task: the manager's loop begins anew.
		control.present = None;
	}

	/// A searching thread's loop.
	pub(crate) fn work(&self) {
		loop {
			let mut control = lock(&self.control);
			let job = loop {
				if control.stopping {
					return;
				}
				if let Some(job) = &control.job {
					break job.clone();
				}
				control = self.wait(control);
			};
			control.attached += 1;
			drop(control);

			let outcome = self.mine(&job);

			let mut control = lock(&self.control);
			let is_present = control
				.job
				.as_ref()
				.is_some_and(|other| Arc::ptr_eq(other, &job));
			if is_present {
				// Complete or failed: either way nothing is left to do with this job, and its
				// memory is freed when the last thread lets go of it.
				control.job = None;
				job.retired.store(true, Ordering::Release);
				control.failed = outcome.err();
			}
			drop(job);
			control.attached -= 1;
			self.changed.notify_all();
		}
	}

	/// Searches until the job is complete or retired.
	fn mine(&self, job: &Job) -> Result<(), ProverError> {
		let mut machine = Machine::new(job.memory.clone())?;
		while !job.retired.load(Ordering::Acquire) {
			let Some(index) = lock(&job.board).take() else {
				return Ok(());
			};
			self.solve(job, &mut machine, index)?;
		}
		Ok(())
	}

	/// Searches one puzzle until somebody has solved it or the job is retired.
	fn solve(&self, job: &Job, machine: &mut Machine, index: u64) -> Result<(), ProverError> {
		let (puzzle, epoch, target) = {
			let board = lock(&job.board);
			let task = board.task();
			let Some(puzzle) = task.puzzle(index) else {
				return Ok(());
			};
			(puzzle, task.epoch, task.target)
		};
		// A random beginning, so that threads on one puzzle, and a process that was restarted,
		// try other nonces.
		let mut nonce = RandomState::new().hash_one(index);
		let mut input = puzzle.input(nonce);
		let tail = input.len() - size_of::<u64>();
		let mut seen = job.solved.load(Ordering::Acquire);
		loop {
			let hash = machine.hash(&input);
			self.hashes.fetch_add(1, Ordering::Relaxed);
			if meets(&hash, target) {
				if !lock(&job.board).is_solved(index) {
					// Handed to the store first: what the board calls found is on its way to disk.
					self.store.add(Find {
						epoch,
						unit: puzzle.unit,
						k: puzzle.k,
						nonce,
					})?;
					lock(&job.board).solve(index);
					job.solved.fetch_add(1, Ordering::AcqRel);
				}
				return Ok(());
			}
			if job.retired.load(Ordering::Acquire) {
				lock(&job.board).release(index);
				return Ok(());
			}
			let solved = job.solved.load(Ordering::Acquire);
			if solved != seen {
				seen = solved;
				if lock(&job.board).is_solved(index) {
					return Ok(());
				}
			}
			nonce = nonce.wrapping_add(1);
			input[tail..].copy_from_slice(&nonce.to_le_bytes());
		}
	}
}
