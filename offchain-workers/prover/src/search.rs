//! The threads: one that prepares what is asked for, one that counts seconds, the others search.
//!
//! Whenever another task is wanted the manager retracts the present one, waits until every thread
//! has let go of its machine (one hash at most), reads what is solved, fills the memory if the key is
//! another one, and gives it out. When none is wanted it gives the memory back.

use crate::{
	board::Board,
	config::{Mode, Settings},
	cores::settle,
	error::ProverError,
	memory::{Filling, Held, Memory},
	progress::Progress,
	rate::{hashes_per_solution, Window},
	store::{Find, Store},
	task::Task,
};
use millrace_primitives::{capacity::meets, EpochIndex, H256};
use millrace_randomx::{allowed, Dataset, Machine, Pages};
use std::{
	collections::hash_map::RandomState,
	hash::BuildHasher,
	mem,
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering},
		Arc, Condvar, Mutex, MutexGuard, PoisonError,
	},
	time::{Duration, Instant},
};
use tracing::{error, info};

/// Pause before a task is tried again that could not be prepared or searched.
const RETRY: Duration = Duration::from_secs(10);
/// Time between two counts of hashes.
const TICK: Duration = Duration::from_secs(1);
/// Stands for a number of filled items while nothing is filled.
const NOT_FILLING: u64 = u64::MAX;

/// A task that is searched.
pub(crate) struct Job {
	board: Arc<Mutex<Board>>,
	memory: Memory,
	retired: AtomicBool,
	/// Counts solutions, so that threads on one puzzle see that it was solved.
	solved: AtomicU64,
}

impl Job {
	/// Ready to be searched.
	pub(crate) fn new(board: Arc<Mutex<Board>>, memory: Memory) -> Self {
		Self {
			board,
			memory,
			retired: AtomicBool::new(false),
			solved: AtomicU64::new(0),
		}
	}

	/// Makes every thread stop with the hash that it is at.
	pub(crate) fn retire(&self) {
		self.retired.store(true, Ordering::Release);
	}
}

/// The task that is shown, and when it was complete.
struct Span {
	board: Arc<Mutex<Board>>,
	complete_after: Option<f64>,
}

/// What is known of the memory that was filled last.
#[derive(Default)]
struct Filled {
	mode: Mode,
	pages: Pages,
	fills: u64,
	seconds: f64,
}

#[derive(Default)]
struct Control {
	wanted: Option<Task>,
	/// The manager has seen what is wanted, and done what it takes.
	seen: bool,
	job: Option<Arc<Job>>,
	span: Option<Span>,
	/// The epoch that is wanted, and since when.
	began: Option<(EpochIndex, Instant)>,
	window: Window,
	filled: Filled,
	attached: usize,
	/// The present job was completed; told to the manager.
	complete: bool,
	/// Why a thread gave the present job up.
	failed: Option<ProverError>,
	trouble: Option<String>,
	stopping: bool,
}

impl Control {
	fn is_superseded(&self, task: &Task) -> bool {
		self.stopping || self.wanted.as_ref() != Some(task)
	}

	/// Whether memory of this key is of no use any more. Other numbers of units need no other.
	fn is_past(&self, key: H256) -> bool {
		self.stopping || self.wanted.as_ref().is_none_or(|task| task.key != key)
	}

	fn retire(&mut self) {
		if let Some(job) = self.job.take() {
			job.retire();
		}
		self.window.end();
	}

	/// The shown task is complete.
	fn complete_now(&mut self) {
		let began = self.began;
		if let Some(span) = &mut self.span {
			span.complete_after = began.map(|(_, since)| since.elapsed().as_secs_f64());
		}
	}
}

/// What the threads share.
pub(crate) struct Search {
	control: Mutex<Control>,
	changed: Condvar,
	store: Store,
	settings: Settings,
	/// A core, or none, for each thread.
	plan: Vec<Option<usize>>,
	/// Whether the system let every thread stay where it should.
	granted: AtomicBool,
	hashes: AtomicU64,
	filled_items: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	// Nothing that is guarded here is left half-written by a panic.
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Search {
	pub(crate) fn new(store: Store, settings: Settings, plan: Vec<Option<usize>>) -> Self {
		let filled = Filled {
			mode: settings.mode,
			..Filled::default()
		};
		Self {
			control: Mutex::new(Control {
				filled,
				..Control::default()
			}),
			changed: Condvar::new(),
			store,
			settings,
			plan,
			granted: AtomicBool::new(true),
			hashes: AtomicU64::new(0),
			filled_items: AtomicU64::new(NOT_FILLING),
		}
	}

	pub(crate) fn store(&self) -> &Store {
		&self.store
	}

	/// Counts hashes.
	pub(crate) fn hashes(&self) -> &AtomicU64 {
		&self.hashes
	}

	pub(crate) fn want(&self, task: Option<Task>) {
		let mut control = lock(&self.control);
		if control.wanted != task {
			let epoch = task.as_ref().map(|task| task.epoch);
			if control.began.map(|(epoch, _)| epoch) != epoch {
				control.began = epoch.map(|epoch| (epoch, Instant::now()));
			}
			control.wanted = task;
			// What was prepared for another task is given up even if that task is wanted again
			// before the manager looks.
			control.seen = false;
			control.span = None;
			control.trouble = None;
			// The threads stop with the hash that they are at; the manager does the rest.
			control.retire();
			self.changed.notify_all();
		}
	}

	pub(crate) fn stop(&self) {
		let mut control = lock(&self.control);
		control.stopping = true;
		control.retire();
		self.changed.notify_all();
	}

	pub(crate) fn progress(&self) -> Progress {
		let control = lock(&self.control);
		let (now, hashes) = (Instant::now(), self.hashes.load(Ordering::Relaxed));
		let filled_items = match self.filled_items.load(Ordering::Relaxed) {
			NOT_FILLING => None,
			items => Some(items),
		};
		let filled = &control.filled;
		let mut progress = Progress {
			hashes,
			rate: control.window.rate(now, hashes),
			searching_seconds: control.window.seconds(now),
			threads: self.plan.len(),
			pinned: self.is_pinned(),
			mode: filled.mode,
			code: allowed(),
			pages: filled.pages,
			filling: filled_items.map(|items| (items as f32 / Dataset::items() as f32).min(1.0)),
			fills: filled.fills,
			fill_seconds: filled.seconds,
			trouble: control.trouble.clone(),
			..Progress::default()
		};
		let Some(span) = &control.span else {
			return progress;
		};
		let board = lock(&span.board);
		let task = board.task();
		progress.epoch = Some(task.epoch);
		progress.complete_after = span.complete_after;
		(progress.units_idle, progress.units_busy) = (task.idle, task.busy);
		(progress.owed_idle, progress.owed_busy) = board.owed();
		(progress.found_idle, progress.found_busy) = board.found();
		(progress.proven_idle, progress.proven_busy) = board.proven();
		progress.expected_hashes = progress.owed() as f64 * hashes_per_solution(task.target);
		progress.estimate();
		progress
	}

	fn is_pinned(&self) -> bool {
		self.plan.iter().all(Option::is_some) && self.granted.load(Ordering::Relaxed)
	}

	fn wait<'a>(&self, control: MutexGuard<'a, Control>) -> MutexGuard<'a, Control> {
		self.changed
			.wait(control)
			.unwrap_or_else(PoisonError::into_inner)
	}

	fn wait_for<'a>(
		&self,
		control: MutexGuard<'a, Control>,
		time: Duration,
	) -> MutexGuard<'a, Control> {
		self.changed
			.wait_timeout(control, time)
			.unwrap_or_else(PoisonError::into_inner)
			.0
	}

	/// The manager's loop.
	pub(crate) fn manage(&self) {
		settle(None, &self.settings);
		let mut held = Held::default();
		loop {
			let mut control = lock(&self.control);
			while !control.stopping && control.failed.is_none() && !control.complete && control.seen
			{
				control = self.wait(control);
			}
			if mem::take(&mut control.complete) {
				drop(control);
				held.rest();
				continue;
			}
			if let (Some(error), Some(task)) = (control.failed.take(), control.wanted.clone()) {
				drop(control);
				self.pause(&task, &error);
				continue;
			}
			control.retire();
			while control.attached > 0 {
				control = self.wait(control);
			}
			if control.stopping {
				return;
			}
			control.seen = true;
			control.span = None;
			control.trouble = None;
			let wanted = control.wanted.clone();
			drop(control);
			let Some(task) = wanted else {
				held.clear();
				continue;
			};
			match self.prepare(&task, &mut held) {
				Ok(()) | Err(ProverError::Superseded) => {}
				Err(error) => self.pause(&task, &error),
			}
		}
	}

	/// Reads what is solved of a task and gives the rest out to the threads.
	fn prepare(&self, task: &Task, held: &mut Held) -> Result<(), ProverError> {
		let board = Board::new(task.clone(), self.store.begin(task)?);
		let complete = board.is_complete();
		let board = Arc::new(Mutex::new(board));
		{
			let mut control = lock(&self.control);
			if control.is_superseded(task) {
				return Err(ProverError::Superseded);
			}
			control.span = Some(Span {
				board: board.clone(),
				complete_after: None,
			});
			if complete {
				control.complete_now();
			}
		}
		if complete {
			held.rest();
			return Ok(());
		}
		let memory = match held.of(task.key) {
			Some(memory) => memory,
			None => self.fill(task, held)?,
		};
		let mut control = lock(&self.control);
		if control.is_superseded(task) {
			return Err(ProverError::Superseded);
		}
		control
			.window
			.begin(Instant::now(), self.hashes.load(Ordering::Relaxed));
		control.job = Some(Arc::new(Job::new(board, memory)));
		self.changed.notify_all();
		Ok(())
	}

	fn fill(&self, task: &Task, held: &mut Held) -> Result<Memory, ProverError> {
		let started = Instant::now();
		let outcome = held.fill(
			task.key,
			&Filling {
				settings: &self.settings,
				plan: &self.plan,
				filled: &self.filled_items,
				stop: &|| lock(&self.control).is_past(task.key),
			},
		);
		self.filled_items.store(NOT_FILLING, Ordering::Relaxed);
		let memory = outcome?;
		let (mode, pages) = (memory.mode(), memory.pages());
		let seconds = started.elapsed().as_secs_f64();
		info!(
			epoch = task.epoch,
			?mode,
			?pages,
			seconds,
			"RandomX memory is filled"
		);
		let mut control = lock(&self.control);
		control.filled = Filled {
			mode,
			pages,
			fills: control.filled.fills.saturating_add(1),
			seconds,
		};
		Ok(memory)
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
			control = self.wait_for(control, left);
		}
		// The manager's loop begins anew.
		control.seen = false;
	}

	/// Notes once a second how many hashes there are, while something is searched.
	pub(crate) fn tick(&self) {
		let mut control = lock(&self.control);
		let mut next = Instant::now();
		while !control.stopping {
			if control.job.is_none() {
				control = self.wait(control);
				next = Instant::now() + TICK;
				continue;
			}
			let now = Instant::now();
			if now >= next {
				let hashes = self.hashes.load(Ordering::Relaxed);
				control.window.sample(now, hashes);
				next = now + TICK;
			}
			control = self.wait_for(control, next.saturating_duration_since(now));
		}
	}

	/// A searching thread's loop.
	pub(crate) fn work(&self, core: Option<usize>) {
		if !settle(core, &self.settings) {
			self.granted.store(false, Ordering::Relaxed);
		}
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
				// Complete or failed: either way nothing is left to do with this job.
				control.retire();
				match outcome {
					Ok(()) => {
						control.complete = true;
						control.complete_now();
					}
					Err(error) => control.failed = Some(error),
				}
			}
			drop(job);
			control.attached -= 1;
			self.changed.notify_all();
		}
	}

	/// Searches until the job is complete or retired.
	pub(crate) fn mine(&self, job: &Job) -> Result<(), ProverError> {
		let mut machine = job.memory.machine()?;
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
		let mut row = machine.row(&input);
		loop {
			let next = nonce.wrapping_add(1);
			input[tail..].copy_from_slice(&next.to_le_bytes());
			// The hash of `nonce`; that of `next` is begun at the same time.
			let hash = row.next(&input);
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
			nonce = next;
		}
	}
}
