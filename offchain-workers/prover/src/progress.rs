//! Where the search stands.

use crate::config::Mode;
use millrace_primitives::EpochIndex;
use millrace_randomx::{Code, Pages};

/// Where the search stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
	/// The epoch that is worked for.
	pub epoch: Option<EpochIndex>,
	/// Solutions owed by idle units.
	pub owed_idle: u64,
	/// Solutions owed by units at work.
	pub owed_busy: u64,
	/// Solutions found for idle units.
	pub found_idle: u64,
	/// Solutions found for units at work.
	pub found_busy: u64,
	/// Idle units that owe.
	pub units_idle: u32,
	/// Units at work that owe.
	pub units_busy: u32,
	/// Idle units that are complete, counted from the first one on.
	pub proven_idle: u32,
	/// Units at work that are complete, counted from the first one on.
	pub proven_busy: u32,
	/// Hashes that all that is owed takes on average.
	pub expected_hashes: f64,
	/// Hashes computed since the start of the process.
	pub hashes: u64,
	/// Hashes per second over the last 30 s; 0 while nothing is searched, and in its first second.
	pub rate: f64,
	/// Seconds for which the present search has been running.
	pub searching_seconds: f64,
	/// Seconds until everything is found, on average.
	pub eta_seconds: Option<f64>,
	/// Seconds from the first task of the epoch until everything was found.
	pub complete_after: Option<f64>,
	/// Threads that search.
	pub threads: usize,
	/// Whether each of them stays on one core.
	pub pinned: bool,
	/// How they compute; what was asked for until memory was filled.
	pub mode: Mode,
	/// How RandomX' programs run.
	pub code: Code,
	/// Pages behind the memory that was filled last.
	pub pages: Pages,
	/// Part of the dataset that is filled, from 0 to 1, while it is being filled.
	pub filling: Option<f32>,
	/// Caches and datasets that were filled since the start of the process.
	pub fills: u64,
	/// Seconds that the last one took.
	pub fill_seconds: f64,
	/// Why nothing is searched although something is owed.
	pub trouble: Option<String>,
}

impl Default for Progress {
	/// Of a prover without threads that was never told a task.
	fn default() -> Self {
		Self {
			epoch: None,
			owed_idle: 0,
			owed_busy: 0,
			found_idle: 0,
			found_busy: 0,
			units_idle: 0,
			units_busy: 0,
			proven_idle: 0,
			proven_busy: 0,
			expected_hashes: 0.0,
			hashes: 0,
			rate: 0.0,
			searching_seconds: 0.0,
			eta_seconds: None,
			complete_after: None,
			threads: 0,
			pinned: false,
			mode: Mode::Auto,
			code: Code::Compiled,
			pages: Pages::Ordinary,
			filling: None,
			fills: 0,
			fill_seconds: 0.0,
			trouble: None,
		}
	}
}

impl Progress {
	/// Solutions owed.
	pub fn owed(&self) -> u64 {
		self.owed_idle.saturating_add(self.owed_busy)
	}

	/// Solutions found.
	pub fn found(&self) -> u64 {
		self.found_idle.saturating_add(self.found_busy)
	}

	/// Whether everything that is owed was found.
	pub fn is_complete(&self) -> bool {
		self.found_idle == self.owed_idle && self.found_busy == self.owed_busy
	}

	/// Puts `eta_seconds` from the other fields.
	pub(crate) fn estimate(&mut self) {
		let missing = self.owed().saturating_sub(self.found());
		if missing > 0 && self.rate > 0.0 {
			let part = missing as f64 / self.owed() as f64;
			self.eta_seconds = Some(self.expected_hashes * part / self.rate);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_rest_is_estimated_while_something_is_searched() {
		let eta = |found: u64, rate: f64| {
			let mut progress = Progress {
				owed_idle: 30,
				owed_busy: 10,
				found_idle: found,
				expected_hashes: 4_000.0,
				rate,
				..Progress::default()
			};
			progress.estimate();
			progress.eta_seconds
		};
		assert_eq!(eta(0, 100.0), Some(40.0));
		assert_eq!(eta(30, 100.0), Some(10.0));
		assert_eq!(eta(40, 100.0), None);
		assert_eq!(eta(0, 0.0), None);
	}
}
