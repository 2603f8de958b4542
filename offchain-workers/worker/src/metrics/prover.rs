//! What the prover shows.

use super::{floating, gauge, name, register};
use millrace_prover::{Code, Mode, Pages, Progress};
use prometheus::{Gauge, IntCounter, IntGauge, IntGaugeVec, Opts, Registry};
use std::sync::{Arc, Mutex, PoisonError};

/// The prover's metrics.
#[derive(Clone, Debug)]
pub struct ProverMetrics {
	solutions: IntGaugeVec,
	solutions_owed: IntGaugeVec,
	units_proven: IntGaugeVec,
	units_owed: IntGaugeVec,
	hashes: IntCounter,
	rate: Gauge,
	/// Hashes per second that find an epoch's solutions in an epoch.
	pub rate_needed: Gauge,
	/// Whether the search is slower than that.
	pub too_slow: IntGauge,
	threads: IntGauge,
	pinned: IntGauge,
	fast: IntGauge,
	pages: IntGauge,
	interpreted: IntGauge,
	fill_seconds: Gauge,
	complete_seconds: Gauge,
	trouble: IntGauge,
	/// Held while the figures are brought up to date, so that no hash is counted twice.
	turn: Arc<Mutex<()>>,
}

impl ProverMetrics {
	pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
		let kinds = |metric: &str, help: &str| {
			register(
				registry,
				IntGaugeVec::new(Opts::new(name(metric), help), &["kind"])?,
			)
		};
		let whole = |metric: &str, help: &str| gauge(registry, metric, help);
		let float = |metric: &str, help: &str| floating(registry, metric, help);
		Ok(Self {
			solutions: kinds("prover_solutions", "Solutions found for the present epoch")?,
			solutions_owed: kinds("prover_solutions_owed", "Solutions owed for it")?,
			units_proven: kinds("prover_units_proven", "Units whose solutions are all found")?,
			units_owed: kinds("prover_units_owed", "Units that owe solutions")?,
			hashes: register(
				registry,
				IntCounter::new(
					name("prover_hashes_total"),
					"RandomX hashes since the start",
				)?,
			)?,
			rate: float(
				"prover_hash_rate",
				"Hashes per second, 0 when none are owed",
			)?,
			rate_needed: float(
				"prover_hash_rate_needed",
				"Hashes per second that find an epoch's solutions in an epoch",
			)?,
			too_slow: whole(
				"prover_too_slow",
				"1 when the measured rate is below the needed one",
			)?,
			threads: whole("prover_threads", "Threads that search")?,
			pinned: whole("prover_pinned", "1 when each thread stays on one core")?,
			fast: whole("prover_fast", "1 in fast mode, 0 in light mode")?,
			pages: whole(
				"prover_pages",
				"Pages of the memory: 0 ordinary, 1 transparent huge, 2 reserved huge",
			)?,
			interpreted: whole(
				"prover_interpreted",
				"1 when RandomX may not compile, and is about seven times slower",
			)?,
			fill_seconds: float(
				"prover_fill_seconds",
				"Time that filling the memory took last",
			)?,
			complete_seconds: float(
				"prover_complete_seconds",
				"Time from the task to its last solution, of the epoch that was completed last",
			)?,
			trouble: whole(
				"prover_trouble",
				"1 when solutions are owed and cannot be searched",
			)?,
			turn: Arc::default(),
		})
	}

	/// Brings everything but `too_slow` and `rate_needed` up to date.
	pub fn show(&self, progress: &Progress) {
		let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
		let kinds = |metric: &IntGaugeVec, idle: u64, busy: u64| {
			for (kind, value) in [("idle", idle), ("busy", busy)] {
				let value = i64::try_from(value).unwrap_or(i64::MAX);
				metric.with_label_values(&[kind]).set(value);
			}
		};
		kinds(&self.solutions, progress.found_idle, progress.found_busy);
		kinds(&self.solutions_owed, progress.owed_idle, progress.owed_busy);
		kinds(
			&self.units_proven,
			progress.proven_idle.into(),
			progress.proven_busy.into(),
		);
		kinds(
			&self.units_owed,
			progress.units_idle.into(),
			progress.units_busy.into(),
		);
		self.hashes
			.inc_by(progress.hashes.saturating_sub(self.hashes.get()));
		self.rate.set(progress.rate);
		self.threads
			.set(i64::try_from(progress.threads).unwrap_or(i64::MAX));
		self.pinned.set(progress.pinned.into());
		self.fast.set((progress.mode == Mode::Fast).into());
		self.pages.set(match progress.pages {
			Pages::Ordinary => 0,
			Pages::Transparent => 1,
			Pages::Reserved => 2,
		});
		self.interpreted
			.set((progress.code == Code::Interpreted).into());
		self.fill_seconds.set(progress.fill_seconds);
		if let Some(seconds) = progress.complete_after {
			self.complete_seconds.set(seconds);
		}
		self.trouble.set(progress.trouble.is_some().into());
	}
}

#[cfg(test)]
mod tests {
	use crate::metrics::Metrics;
	use millrace_prover::{Code, Mode, Pages, Progress};

	#[test]
	fn the_search_is_shown_under_these_names() {
		let metrics = Metrics::new().expect("the names are distinct and valid");
		let progress = Progress {
			epoch: Some(7),
			owed_idle: 64,
			owed_busy: 8,
			found_idle: 33,
			found_busy: 4,
			units_idle: 2,
			units_busy: 2,
			proven_idle: 1,
			proven_busy: 1,
			hashes: 900,
			rate: 12.5,
			complete_after: Some(60.0),
			threads: 4,
			pinned: true,
			mode: Mode::Fast,
			code: Code::Interpreted,
			pages: Pages::Reserved,
			fill_seconds: 57.5,
			trouble: Some("no memory".into()),
			..Progress::default()
		};
		metrics.prover.show(&progress);
		metrics.prover.rate_needed.set(100.0);
		metrics.prover.too_slow.set(1);
		let later = Progress {
			hashes: 1_000,
			complete_after: None,
			..progress
		};
		metrics.prover.show(&later);
		let text = metrics.render().expect("it is text");
		for line in [
			"prover_solutions{kind=\"idle\"} 33",
			"prover_solutions{kind=\"busy\"} 4",
			"prover_solutions_owed{kind=\"idle\"} 64",
			"prover_solutions_owed{kind=\"busy\"} 8",
			"prover_units_proven{kind=\"idle\"} 1",
			"prover_units_proven{kind=\"busy\"} 1",
			"prover_units_owed{kind=\"idle\"} 2",
			"prover_units_owed{kind=\"busy\"} 2",
			"prover_hashes_total 1000",
			"prover_hash_rate 12.5",
			"prover_hash_rate_needed 100",
			"prover_too_slow 1",
			"prover_threads 4",
			"prover_pinned 1",
			"prover_fast 1",
			"prover_pages 2",
			"prover_interpreted 1",
			"prover_fill_seconds 57.5",
			"prover_complete_seconds 60",
			"prover_trouble 1",
		] {
			let line = format!("millrace_worker_{line}");
			assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
		}
	}
}
