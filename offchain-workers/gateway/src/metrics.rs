//! Figures for Prometheus.

use prometheus::{
	Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// Upper bounds of the latency histogram in seconds: from a cached guest on this machine to the
/// longest call that a gateway waits for.
const LATENCY_BUCKETS: [f64; 13] = [
	0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0,
];

/// All figures of a gateway.
#[derive(Debug)]
pub struct Metrics {
	registry: Registry,
	/// Calls by outcome: `answered`, or the code of the error.
	pub calls: IntCounterVec,
	/// Attempts at workers by outcome.
	pub attempts: IntCounterVec,
	/// Answers whose receipt did not hold, by reason.
	pub rejected_receipts: IntCounterVec,
	/// Time from a whole request to its answer.
	pub latency: Histogram,
	/// Deals that are remembered.
	pub cached_deals: IntGauge,
	/// Last finalised block that the routes are of.
	pub finalized_block: IntGauge,
	/// Packages that were stored.
	pub stored_packages: IntCounter,
	/// Receipts that are kept.
	pub kept_receipts: IntCounter,
	/// Receipts that found no room on their way to the disk.
	pub dropped_receipts: IntCounter,
	/// Receipts that found no room at the watcher.
	pub unwatched_receipts: IntCounter,
	/// Receipts that were looked for in reports, by what came of it.
	pub checked_receipts: IntCounterVec,
	/// Workers that did not answer and were to be probed, by what came of it.
	pub probes: IntCounterVec,
}

impl Metrics {
	/// Registers them all.
	pub fn new() -> Result<Self, prometheus::Error> {
		let registry = Registry::new();
		let counters = |name: &str, help: &str, label: &str| {
			let counters = IntCounterVec::new(Opts::new(name, help), &[label])?;
			registry.register(Box::new(counters.clone()))?;
			Ok::<_, prometheus::Error>(counters)
		};
		let calls = counters(
			"millrace_gateway_calls_total",
			"Calls by outcome: answered, or the code of the error",
			"outcome",
		)?;
		let attempts = counters(
			"millrace_gateway_attempts_total",
			"Attempts at workers by outcome",
			"outcome",
		)?;
		let rejected_receipts = counters(
			"millrace_gateway_rejected_receipts_total",
			"Answers whose receipt did not hold, by reason",
			"reason",
		)?;
		let latency = Histogram::with_opts(
			HistogramOpts::new(
				"millrace_gateway_call_seconds",
				"Time from a whole request to its answer",
			)
			.buckets(LATENCY_BUCKETS.to_vec()),
		)?;
		let cached_deals =
			IntGauge::new("millrace_gateway_cached_deals", "Deals that are remembered")?;
		let finalized_block = IntGauge::new(
			"millrace_gateway_finalized_block",
			"Last finalised block that the routes are of",
		)?;
		let stored_packages = IntCounter::new(
			"millrace_gateway_stored_packages_total",
			"Packages that were stored",
		)?;
		let counter = |name: &str, help: &str| {
			let counter = IntCounter::new(name, help)?;
			registry.register(Box::new(counter.clone()))?;
			Ok::<_, prometheus::Error>(counter)
		};
		let kept_receipts = counter("millrace_gateway_kept_receipts_total", "Receipts kept")?;
		let dropped_receipts = counter(
			"millrace_gateway_dropped_receipts_total",
			"Receipts that were not kept for want of room or disk",
		)?;
		let unwatched_receipts = counter(
			"millrace_gateway_unwatched_receipts_total",
			"Receipts that the watcher had no room for",
		)?;
		let checked_receipts = counters(
			"millrace_gateway_checked_receipts_total",
			"Receipts that were looked for in reports, by what came of it",
			"outcome",
		)?;
		let probes = counters(
			"millrace_gateway_probes_total",
			"Workers that did not answer and were to be probed, by what came of it",
			"outcome",
		)?;
		registry.register(Box::new(latency.clone()))?;
		registry.register(Box::new(cached_deals.clone()))?;
		registry.register(Box::new(finalized_block.clone()))?;
		registry.register(Box::new(stored_packages.clone()))?;
		Ok(Self {
			registry,
			calls,
			attempts,
			rejected_receipts,
			latency,
			cached_deals,
			finalized_block,
			stored_packages,
			kept_receipts,
			dropped_receipts,
			unwatched_receipts,
			checked_receipts,
			probes,
		})
	}

	/// All of them in Prometheus' text format.
	pub fn render(&self) -> Result<String, prometheus::Error> {
		TextEncoder::new().encode_to_string(&self.registry.gather())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn figures_are_written_as_text() {
		let metrics = Metrics::new().expect("no two have one name");
		metrics.calls.with_label_values(&["answered"]).inc();
		let text = metrics.render().expect("it is text");
		assert!(
			text.contains("millrace_gateway_calls_total{outcome=\"answered\"} 1"),
			"{text}"
		);
	}
}
