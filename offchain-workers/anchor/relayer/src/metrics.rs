//! What a relayer tells Prometheus. One process has one relayer, so its figures are the process's.

use prometheus::{
	core::Collector, Gauge, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Something that a person should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
	/// Servers of the anchor contradict each other.
	Divergent,
	/// One server alone could make up what validators sign, so they sign nothing.
	FewServers,
	/// No checkpoint was accepted for long.
	Late,
	/// The contract is frozen.
	Frozen,
	/// A block has been signed that is not of this chain's finalised ones.
	Fork,
	/// The anchor has taken back what it had called final, or what the chain had taken.
	Regressed,
	/// The account's coins are used up.
	Funds,
	/// Gas costs more than the limit.
	FeeLimit,
	/// The contract is another chain's, or the chain names another contract.
	WrongContract,
}

impl Alarm {
	/// All of them.
	pub const ALL: [Self; 9] = [
		Self::Divergent,
		Self::FewServers,
		Self::Late,
		Self::Frozen,
		Self::Fork,
		Self::Regressed,
		Self::Funds,
		Self::FeeLimit,
		Self::WrongContract,
	];

	/// Its name for machines.
	pub fn name(self) -> &'static str {
		match self {
			Self::Divergent => "divergent",
			Self::FewServers => "few_servers",
			Self::Late => "late",
			Self::Frozen => "frozen",
			Self::Fork => "fork",
			Self::Regressed => "regressed",
			Self::Funds => "funds",
			Self::FeeLimit => "fee_limit",
			Self::WrongContract => "wrong_contract",
		}
	}
}

/// The figures, in a registry of their own.
#[derive(Clone, Debug)]
pub struct Metrics {
	registry: Registry,
	/// Block of the last checkpoint.
	pub checkpoint_block: IntGauge,
	/// Blocks of the chain that are final and behind no checkpoint.
	pub lag_blocks: IntGauge,
	/// Set that the contract believes.
	pub set_id: IntGauge,
	/// Sessions that the contract has to catch up with.
	pub sets_behind: IntGauge,
	/// Messages from the anchor that the chain has not taken.
	pub inbox_waiting: IntGauge,
	/// Coins of the account, in units of 10^18.
	pub funds: Gauge,
	/// Checkpoints that these coins pay for, at the price of the last one.
	pub runway_checkpoints: Gauge,
	/// Transactions on the anchor, by call and outcome.
	pub transactions: IntCounterVec,
	/// Votes and deliveries on the chain, by kind and outcome.
	pub duties: IntCounterVec,
	/// Offences that were reported, by side.
	pub reports: IntCounterVec,
	/// Failures to read, by side.
	pub failures: IntCounterVec,
	alarms: IntGaugeVec,
}

impl Metrics {
	/// New figures, all at zero.
	pub fn new() -> Result<Self, prometheus::Error> {
		let registry = Registry::new();
		let whole = |metric: &str, help: &str| {
			register(&registry, IntGauge::new(name(metric), help.to_string())?)
		};
		let part = |metric: &str, help: &str| {
			register(&registry, Gauge::new(name(metric), help.to_string())?)
		};
		let counters = |metric: &str, help: &str, labels: &[&str]| {
			let counters = IntCounterVec::new(Opts::new(name(metric), help.to_string()), labels)?;
			register(&registry, counters)
		};
		let alarms = Opts::new(name("alarm"), "1 while somebody should look at it");
		let metrics = Self {
			checkpoint_block: whole("checkpoint_block", "Block of the last checkpoint")?,
			lag_blocks: whole("lag_blocks", "Final blocks behind no checkpoint")?,
			set_id: whole("set_id", "Set that the contract believes")?,
			sets_behind: whole(
				"sets_behind",
				"Sessions that the contract has to catch up with",
			)?,
			inbox_waiting: whole("inbox_waiting", "Messages that the chain has not taken")?,
			funds: part("funds", "Coins of the account")?,
			runway_checkpoints: part("runway_checkpoints", "Checkpoints that the coins pay for")?,
			transactions: counters(
				"transactions",
				"Transactions on the anchor",
				&["call", "outcome"],
			)?,
			duties: counters("duties", "Votes and deliveries", &["kind", "outcome"])?,
			reports: counters("reports", "Offences reported", &["side"])?,
			failures: counters("failures", "Failures to read", &["side"])?,
			alarms: register(&registry, IntGaugeVec::new(alarms, &["kind"])?)?,
			registry,
		};
		for alarm in Alarm::ALL {
			metrics.set_alarm(alarm, false);
		}
		Ok(metrics)
	}

	/// Raises an alarm or ends it.
	pub fn set_alarm(&self, alarm: Alarm, raised: bool) {
		let gauge = self.alarms.with_label_values(&[alarm.name()]);
		gauge.set(i64::from(raised));
	}

	/// Whether an alarm is raised.
	pub fn is_raised(&self, alarm: Alarm) -> bool {
		self.alarms.with_label_values(&[alarm.name()]).get() != 0
	}

	/// Everything in Prometheus' text format.
	pub fn render(&self) -> Result<String, prometheus::Error> {
		TextEncoder::new().encode_to_string(&self.registry.gather())
	}
}

fn name(metric: &str) -> String {
	format!("millrace_anchor_{metric}")
}

fn register<M: Collector + Clone + 'static>(
	registry: &Registry,
	metric: M,
) -> Result<M, prometheus::Error> {
	registry.register(Box::new(metric.clone()))?;
	Ok(metric)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_counted_is_shown() {
		let metrics = Metrics::new().expect("the names are distinct and valid");
		metrics
			.transactions
			.with_label_values(&["submit", "done"])
			.inc();
		metrics.lag_blocks.set(3);
		metrics.set_alarm(Alarm::Fork, true);
		let text = metrics.render().expect("it is text");
		for line in [
			"millrace_anchor_transactions{call=\"submit\",outcome=\"done\"} 1",
			"millrace_anchor_lag_blocks 3",
			"millrace_anchor_alarm{kind=\"fork\"} 1",
			"millrace_anchor_alarm{kind=\"late\"} 0",
		] {
			assert!(text.contains(line), "{text}");
		}
		assert!(metrics.is_raised(Alarm::Fork) && !metrics.is_raised(Alarm::Late));
	}
}
