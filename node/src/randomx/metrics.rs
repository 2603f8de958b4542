//! What the host functions have done, for Prometheus. Read when it is asked for.

use millrace_host::{statistics, Statistics};
use substrate_prometheus_endpoint::{
	MetricSource, Opts, PrometheusError, Registry, SourcedCounter, SourcedGauge,
};

/// Kinds of callers, in the order of [`Statistics::hashes`].
const CALLERS: [&str; 3] = ["import", "author", "offchain"];

/// One of the statistics.
#[derive(Clone, Copy)]
struct Value(fn(&Statistics) -> f64);

impl MetricSource for Value {
	type N = f64;

	fn collect(&self, mut set: impl FnMut(&[&str], f64)) {
		set(&[], (self.0)(&statistics()));
	}
}

/// Hashes by caller.
#[derive(Clone, Copy)]
struct Hashes;

impl MetricSource for Hashes {
	type N = u64;

	fn collect(&self, mut set: impl FnMut(&[&str], u64)) {
		for (caller, hashes) in CALLERS.into_iter().zip(statistics().hashes) {
			set(&[caller], hashes);
		}
	}
}

/// Adds everything to a registry.
pub(super) fn register(registry: &Registry) -> Result<(), PrometheusError> {
	let gauge = |name: &str, help: &str, value: fn(&Statistics) -> f64| {
		let metric = SourcedGauge::new(&Opts::new(name, help), Value(value))?;
		registry.register(Box::new(metric))
	};
	let counter = |name: &str, help: &str, value: fn(&Statistics) -> f64| {
		let metric = SourcedCounter::new(&Opts::new(name, help), Value(value))?;
		registry.register(Box::new(metric))
	};
	gauge(
		"millrace_randomx_caches",
		"RandomX caches that are filled, of 256 MiB each",
		|seen| seen.caches.into(),
	)?;
	counter(
		"millrace_randomx_fills_total",
		"RandomX caches that were filled",
		|seen| seen.fills as f64,
	)?;
	counter(
		"millrace_randomx_cold_fills_total",
		"RandomX caches that a block waited for",
		|seen| seen.cold_fills as f64,
	)?;
	gauge(
		"millrace_randomx_fill_seconds",
		"Time that the last fill of a RandomX cache took",
		|seen| seen.fill_ms_last as f64 / 1e3,
	)?;
	let hashes = Opts::new(
		"millrace_randomx_hashes_total",
		"RandomX hashes by whom they were for",
	)
	.variable_label("caller");
	registry.register(Box::new(SourcedCounter::new(&hashes, Hashes)?))?;
	counter(
		"millrace_randomx_refused_total",
		"Questions of RPC, pool and offchain workers under seeds that are not current",
		|seen| seen.refused as f64,
	)?;
	gauge(
		"millrace_randomx_interpreted",
		"Whether RandomX runs without compiled code, seven times slower",
		|seen| f64::from(u8::from(seen.interpreted)),
	)?;
	gauge(
		"millrace_randomx_pages",
		"Pages of the last cache: 0 ordinary, 1 transparent huge ones, 2 reserved huge ones",
		|seen| f64::from(seen.pages as u8),
	)?;
	counter(
		"millrace_replays_total",
		"Challenged calls that were run again for blocks",
		|seen| seen.replays.count as f64,
	)?;
	gauge(
		"millrace_replay_seconds",
		"Time that the last replay of a challenged call took",
		|seen| seen.replays.ms_last as f64 / 1e3,
	)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_metric_is_there_under_its_name() {
		let registry = Registry::new();
		register(&registry).expect("the names differ");
		let mut found = Vec::new();
		for family in registry.gather() {
			let metrics = family.get_metric().len();
			found.push((family.get_name().to_string(), metrics));
		}
		let found: Vec<(&str, usize)> = found
			.iter()
			.map(|(name, metrics)| (name.as_str(), *metrics))
			.collect();
		let expected = [
			("millrace_randomx_caches", 1),
			("millrace_randomx_cold_fills_total", 1),
			("millrace_randomx_fill_seconds", 1),
			("millrace_randomx_fills_total", 1),
			("millrace_randomx_hashes_total", 3),
			("millrace_randomx_interpreted", 1),
			("millrace_randomx_pages", 1),
			("millrace_randomx_refused_total", 1),
			("millrace_replay_seconds", 1),
			("millrace_replays_total", 1),
		];
		assert_eq!(found, expected);
		assert!(register(&registry).is_err(), "nothing is registered twice");
	}
}
