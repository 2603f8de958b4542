//! What the daemon tells Prometheus.

mod prover;

pub use prover::ProverMetrics;

use millrace_primitives::execution::CallStatus;
use prometheus::{
	core::Collector, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts,
	Registry, TextEncoder,
};

/// The daemon's metrics, in a registry of their own.
#[derive(Clone, Debug)]
pub struct Metrics {
	registry: Registry,
	/// Calls that ran, by how the guest ended.
	pub calls: IntCounterVec,
	/// Requests that were refused, by code.
	pub refused: IntCounterVec,
	/// Seconds from a call's admission to its answer.
	pub call_seconds: Histogram,
	/// Seconds that guests ran.
	pub guest_seconds: Histogram,
	/// Gas used by guests.
	pub gas: IntCounter,
	/// Calls that run or wait.
	pub open_calls: IntGauge,
	/// Receipts in one commit.
	pub commit_receipts: Histogram,
	/// Seconds that commits took.
	pub commit_seconds: Histogram,
	/// Requests and responses that made room for younger ones before their time.
	pub bodies_pushed_out: IntCounter,
	/// Effects that guests asked for, by outcome: the class of the reply's status, or the fault.
	pub effects: IntCounterVec,
	/// Last finalised block that was seen.
	pub block: IntGauge,
	/// Its epoch.
	pub epoch: IntGauge,
	/// Deals that are served now.
	pub deals: IntGauge,
	/// Packages that are loaded.
	pub packages: IntGauge,
	/// Duties that were sent, by kind and outcome.
	pub duties: IntCounterVec,
	/// The search for solutions.
	pub prover: ProverMetrics,
}

impl Metrics {
	/// New metrics, all at zero.
	pub fn new() -> Result<Self, prometheus::Error> {
		let registry = Registry::new();
		Ok(Self {
			calls: counters(&registry, "calls_total", "Calls that ran", &["status"])?,
			refused: counters(&registry, "refused_total", "Requests refused", &["code"])?,
			call_seconds: seconds(&registry, "call_seconds", "Time from admission to answer")?,
			guest_seconds: seconds(&registry, "guest_seconds", "Time that guests ran")?,
			gas: register(
				&registry,
				IntCounter::new(name("gas_total"), "Gas used by guests")?,
			)?,
			open_calls: gauge(&registry, "open_calls", "Calls that run or wait")?,
			commit_receipts: register(
				&registry,
				Histogram::with_opts(
					HistogramOpts::new(name("commit_receipts"), "Receipts in one durable commit")
						.buckets(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]),
				)?,
			)?,
			commit_seconds: seconds(&registry, "commit_seconds", "Time of one durable commit")?,
			bodies_pushed_out: register(
				&registry,
				IntCounter::new(
					name("bodies_pushed_out_total"),
					"Requests that made room before their challenge period was over",
				)?,
			)?,
			effects: counters(
				&registry,
				"effects_total",
				"Effects that guests asked for",
				&["outcome"],
			)?,
			block: gauge(
				&registry,
				"finalized_block",
				"Last finalised block that was seen",
			)?,
			epoch: gauge(&registry, "epoch", "Epoch of the last finalised block")?,
			deals: gauge(&registry, "deals", "Deals that are served now")?,
			packages: gauge(&registry, "packages", "Packages that are loaded")?,
			duties: counters(
				&registry,
				"duties_total",
				"Duties sent",
				&["kind", "outcome"],
			)?,
			prover: ProverMetrics::new(&registry)?,
			registry,
		})
	}

	/// Everything in Prometheus' text format.
	pub fn render(&self) -> Result<String, prometheus::Error> {
		TextEncoder::new().encode_to_string(&self.registry.gather())
	}

	/// Counts a call that ran.
	pub fn call_ended(&self, status: CallStatus, gas: u64, guest_seconds: f64) {
		self.calls.with_label_values(&[status_name(status)]).inc();
		self.gas.inc_by(gas);
		self.guest_seconds.observe(guest_seconds);
	}
}

/// How a call ended, without the exit code: a bounded set of labels.
pub(crate) fn status_name(status: CallStatus) -> &'static str {
	match status {
		CallStatus::Exited(0) => "success",
		CallStatus::Exited(_) => "exited",
		CallStatus::Trapped => "trapped",
		CallStatus::OutOfGas => "out_of_gas",
		CallStatus::StackOverflow => "stack_overflow",
		CallStatus::ResponseTooLarge => "response_too_large",
	}
}

fn name(metric: &str) -> String {
	format!("millrace_worker_{metric}")
}

fn register<M: Collector + Clone + 'static>(
	registry: &Registry,
	metric: M,
) -> Result<M, prometheus::Error> {
	registry.register(Box::new(metric.clone()))?;
	Ok(metric)
}

fn gauge(registry: &Registry, metric: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
	register(registry, IntGauge::new(name(metric), help)?)
}

fn floating(registry: &Registry, metric: &str, help: &str) -> Result<Gauge, prometheus::Error> {
	register(registry, Gauge::new(name(metric), help)?)
}

fn counters(
	registry: &Registry,
	metric: &str,
	help: &str,
	labels: &[&str],
) -> Result<IntCounterVec, prometheus::Error> {
	register(
		registry,
		IntCounterVec::new(Opts::new(name(metric), help), labels)?,
	)
}

fn seconds(registry: &Registry, metric: &str, help: &str) -> Result<Histogram, prometheus::Error> {
	let buckets = prometheus::exponential_buckets(0.000_5, 2.0, 17)?;
	let options = HistogramOpts::new(name(metric), help).buckets(buckets);
	register(registry, Histogram::with_opts(options)?)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_counted_is_shown() {
		let metrics = Metrics::new().expect("the names are distinct and valid");
		metrics.call_ended(CallStatus::Exited(3), 50, 0.01);
		let text = metrics.render().expect("it is text");
		assert!(
			text.contains("millrace_worker_calls_total{status=\"exited\"} 1"),
			"{text}"
		);
		assert!(text.contains("millrace_worker_gas_total 50"), "{text}");
	}
}
