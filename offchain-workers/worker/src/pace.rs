//! Whether the prover is fast enough for what an epoch owes.

use millrace_primitives::epoch::EpochInfo;
use millrace_prover::{Mode, Progress};

/// Shortest search whose rate says anything.
const LEAST_SECONDS: f64 = 10.0;

/// The rate of the search beside the one that finds an epoch's solutions in an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
	/// Hashes per second.
	pub rate: f64,
	/// Hashes per second that are needed on average.
	pub needed: f64,
}

impl Pace {
	/// `None` while too little was measured, or of another epoch.
	pub fn of(progress: &Progress, info: &EpochInfo) -> Option<Self> {
		let is_measured = progress.searching_seconds >= LEAST_SECONDS;
		(is_measured && progress.epoch == Some(info.index)).then(|| Self {
			rate: progress.rate,
			needed: needed(progress, info),
		})
	}

	/// Whether units will be missed, epoch after epoch.
	pub fn is_too_slow(&self) -> bool {
		self.rate < self.needed
	}

	/// What an operator is told then.
	pub fn advice(&self, progress: &Progress) -> String {
		let faster = match progress.mode {
			Mode::Fast => "give the prover more cores",
			// Whoever has the memory uses it.
			Mode::Light | Mode::Auto => {
				"use fast mode, which is several times as fast and needs 2.3 GiB of free memory, or \
				 give the prover more cores"
			}
		};
		format!(
			"the prover is too slow: {:.1} hashes a second, and the {} solutions of this epoch need \
			 {:.1}, so units will be missed; {faster}, or commit fewer units",
			self.rate,
			progress.owed(),
			self.needed,
		)
	}
}

/// Hashes per second that find all that is owed in what an epoch leaves beside filling memory.
pub fn needed(progress: &Progress, info: &EpochInfo) -> f64 {
	let epoch = info.slot_ms as f64 * f64::from(info.lengths.len) / 1_000.0;
	progress.expected_hashes / (epoch - progress.fill_seconds).max(1.0)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::snapshot::tests::duties;

	#[test]
	fn a_rate_is_judged_once_it_is_measured() {
		// 20 blocks of a second each.
		let info = duties(5, Vec::new()).epoch.info;
		let progress = |rate: f64, seconds: f64| Progress {
			epoch: Some(5),
			owed_idle: 64,
			expected_hashes: 1_800.0,
			fill_seconds: 2.0,
			rate,
			searching_seconds: seconds,
			mode: Mode::Light,
			..Progress::default()
		};
		assert_eq!(Pace::of(&progress(50.0, 9.9), &info), None);
		let slow = Pace::of(&progress(99.0, 10.0), &info).expect("it is measured");
		assert_eq!(
			slow,
			Pace {
				rate: 99.0,
				needed: 100.0
			}
		);
		assert!(slow.is_too_slow());
		let enough = Pace::of(&progress(100.0, 10.0), &info).expect("it is measured");
		assert!(!enough.is_too_slow());
		let other = Progress {
			epoch: Some(4),
			..progress(50.0, 60.0)
		};
		assert_eq!(Pace::of(&other, &info), None);
		// An epoch that is shorter than the filling.
		let long = Progress {
			fill_seconds: 60.0,
			..progress(50.0, 60.0)
		};
		assert_eq!(needed(&long, &info), 1_800.0);
	}

	#[test]
	fn the_advice_fits_the_mode() {
		let pace = Pace {
			rate: 12.0,
			needed: 200.0,
		};
		let advice = |mode: Mode| {
			let progress = Progress {
				owed_busy: 8,
				mode,
				..Progress::default()
			};
			pace.advice(&progress)
		};
		let light = advice(Mode::Light);
		for part in [
			"12.0 hashes",
			"8 solutions",
			"200.0",
			"fast mode",
			"fewer units",
		] {
			assert!(light.contains(part), "{light}");
		}
		assert!(!advice(Mode::Fast).contains("fast mode"));
	}
}
