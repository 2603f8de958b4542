//! What a watcher tells Prometheus. One process has one watcher, so its figures are the process's.

use prometheus::{
	core::Collector, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// The figures, in a registry of their own.
#[derive(Clone, Debug)]
pub struct Metrics {
	registry: Registry,
	/// Receipts that were looked at, by what came of it.
	pub checked: IntCounterVec,
	/// Receipts that are false, omitted or signed twice, by charge.
	pub found: IntCounterVec,
	/// Data that were demanded.
	pub demands: IntCounter,
	/// Bonds that are held.
	pub bonds_held: IntGauge,
	/// Challenges that are over, by how they ended.
	pub challenges: IntCounterVec,
	/// Received receipts that were not taken on for want of room.
	pub dropped: IntCounter,
}

impl Metrics {
	/// New figures, all at zero.
	pub fn new() -> Result<Self, prometheus::Error> {
		let registry = Registry::new();
		Ok(Self {
			checked: counters(&registry, "checked", "Receipts looked at", "outcome")?,
			found: counters(&registry, "false", "Receipts that are false", "charge")?,
			demands: register(
				&registry,
				IntCounter::new(name("demands"), "Data that were demanded")?,
			)?,
			bonds_held: register(
				&registry,
				IntGauge::new(name("bonds_held"), "Bonds that are held")?,
			)?,
			challenges: counters(&registry, "challenges", "Challenges that are over", "end")?,
			dropped: register(
				&registry,
				IntCounter::new(name("dropped"), "Received receipts that found no room")?,
			)?,
			registry,
		})
	}

	/// Everything in Prometheus' text format.
	pub fn render(&self) -> Result<String, prometheus::Error> {
		TextEncoder::new().encode_to_string(&self.registry.gather())
	}
}

fn name(metric: &str) -> String {
	format!("millrace_watch_{metric}")
}

fn register<M: Collector + Clone + 'static>(
	registry: &Registry,
	metric: M,
) -> Result<M, prometheus::Error> {
	registry.register(Box::new(metric.clone()))?;
	Ok(metric)
}

fn counters(
	registry: &Registry,
	metric: &str,
	help: &str,
	label: &str,
) -> Result<IntCounterVec, prometheus::Error> {
	register(
		registry,
		IntCounterVec::new(Opts::new(name(metric), help), &[label])?,
	)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_counted_is_shown() {
		let metrics = Metrics::new().expect("the names are distinct and valid");
		metrics.checked.with_label_values(&["true"]).inc();
		metrics.found.with_label_values(&["replay"]).inc();
		metrics.bonds_held.set(2);
		let text = metrics.render().expect("it is text");
		for line in [
			"millrace_watch_checked{outcome=\"true\"} 1",
			"millrace_watch_false{charge=\"replay\"} 1",
			"millrace_watch_demands 0",
			"millrace_watch_bonds_held 2",
		] {
			assert!(text.contains(line), "{text}");
		}
	}
}
