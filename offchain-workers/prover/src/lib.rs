//! # Millrace prover
//!
//! Finds the RandomX solutions that a peer owes in an epoch and keeps them on disk.
//!
//! A prover is told what is owed as often as one likes ([`Prover::set_task`]) and does nothing when
//! that is what it does already; so a daemon may repeat the chain's word at every finalised block.
//! Threads take puzzles in the order in which they count, since only a prefix of complete units can
//! be reported. A solution is on disk within a second; a prover that starts again with the same
//! task goes on where the killed one was.

pub mod bench;

mod board;
mod config;
mod cores;
mod error;
mod memory;
mod progress;
mod rate;
mod room;
mod search;
mod store;
mod task;

pub use config::{Mode, Pin, ProverConfig, Settings};
pub use cores::{Cores, NoCores};
pub use error::ProverError;
pub use millrace_randomx::{Code, Pages};
pub use progress::Progress;
pub use task::{Proofs, Task};

use cores::{list, plan, Topology};
use millrace_primitives::{capacity::WorkRates, EpochIndex};
use search::Search;
use std::{
	fmt,
	sync::Arc,
	thread::{self, JoinHandle},
};
use store::Store;

/// A running prover. Dropping it ends its threads and writes what they found.
pub struct Prover {
	search: Arc<Search>,
	threads: Vec<JoinHandle<()>>,
}

impl Prover {
	/// Opens the solutions of `config.dir` and starts the threads, which wait for a task.
	pub fn start(config: ProverConfig) -> Result<Self, ProverError> {
		let ProverConfig { dir, settings } = config;
		let plan = planned(&settings)?;
		let search = Search::new(Store::open(&dir)?, settings, plan.clone());
		// From here on dropping the prover ends whatever threads are there.
		let mut prover = Self {
			search: Arc::new(search),
			threads: Vec::new(),
		};
		prover.spawn("prover".into(), Search::manage)?;
		prover.spawn("prover-clock".into(), Search::tick)?;
		for (number, core) in plan.into_iter().enumerate() {
			prover.spawn(format!("prover-{number}"), move |search| search.work(core))?;
		}
		Ok(prover)
	}

	fn spawn(
		&mut self,
		name: String,
		run: impl FnOnce(&Search) + Send + 'static,
	) -> Result<(), ProverError> {
		let search = self.search.clone();
		let thread = thread::Builder::new()
			.name(name)
			.spawn(move || run(&search))
			.map_err(ProverError::Thread)?;
		self.threads.push(thread);
		Ok(())
	}

	/// Says what is owed; `None` when nothing is. Returns at once and may be repeated.
	pub fn set_task(&self, task: Option<Task>) {
		self.search.want(task);
	}

	/// Where the search stands.
	pub fn progress(&self) -> Progress {
		self.search.progress()
	}

	/// Writes out what was found and returns what an epoch's report proves. Reads the disk, so it
	/// must not be called on an asynchronous runtime's thread.
	///
	/// An epoch that was never worked for, or is long over, proves nothing.
	pub fn finish(&self, epoch: EpochIndex) -> Result<Proofs, ProverError> {
		self.search.store().flush()?;
		self.search.store().proofs(epoch)
	}

	/// The nonces of the leaves of a report that proved so many units, in order; `None` when one
	/// of them is not stored. Stays the same after more solutions were found.
	pub fn nonces(
		&self,
		epoch: EpochIndex,
		rates: WorkRates,
		proven_idle: u32,
		proven_busy: u32,
	) -> Result<Option<Vec<u64>>, ProverError> {
		self.search
			.store()
			.nonces(epoch, rates, proven_idle, proven_busy)
	}
}

/// One entry for each thread: the core that it stays on, if any.
fn planned(settings: &Settings) -> Result<Vec<Option<usize>>, ProverError> {
	let machine = Topology::read();
	let foreign = settings.cores.foreign_to(&machine);
	if !foreign.is_empty() {
		return Err(ProverError::Cores {
			foreign: list(&foreign),
			allowed: list(&machine.allowed),
		});
	}
	Ok(plan(settings, &machine))
}

impl Drop for Prover {
	fn drop(&mut self) {
		self.search.stop();
		for thread in self.threads.drain(..) {
			// A thread that panicked has said so already.
			let _ = thread.join();
		}
	}
}

impl fmt::Debug for Prover {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Prover")
			.field("progress", &self.progress())
			.finish_non_exhaustive()
	}
}
