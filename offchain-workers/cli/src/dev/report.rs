//! What a demo comes to: one JSON object, or a table.

use crate::ui;
use millrace_client::amounts;
use millrace_primitives::Balance;
use serde::Serialize;

/// Everything that the demo measured. Amounts are decimal strings of the smallest unit.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
	/// Whether every step was done, every receipt verified and every balance is right.
	pub(crate) ok: bool,
	/// Height of the last finalised block.
	pub(crate) blocks: u32,
	/// Blocks between the best and the last finalised one, as the median over the run.
	pub(crate) finality_lag_blocks: u32,
	/// Epochs that passed.
	pub(crate) epochs: u32,
	/// Units committed, of all peers.
	pub(crate) units: u32,
	/// Solutions that an idle unit owed and proved in an epoch.
	pub(crate) solutions_per_unit: u32,
	/// Audits that the chain drew, checked and passed.
	pub(crate) audits_verified: u32,
	/// Calls that were made.
	pub(crate) calls: u32,
	/// Calls that were answered with success.
	pub(crate) calls_ok: u32,
	/// Receipts that stand under the root on the chain.
	pub(crate) receipts_verified: u32,
	/// Time from request to whole response through the gateway.
	pub(crate) latency_ms: Latency,
	/// Gas of all calls.
	pub(crate) gas_total: u64,
	/// The checkpoint at the end.
	pub(crate) checkpoint: Checkpoint,
	/// Money.
	pub(crate) flt: Money,
	/// Duration of the run.
	pub(crate) elapsed_seconds: f64,
	/// What did not come out as the rules give it.
	pub(crate) mismatches: Vec<String>,
	/// Where the responses were written.
	pub(crate) responses: String,
}

/// A checkpoint on the anchor, which adds no security here: it runs on this machine.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Checkpoint {
	/// The block.
	pub(crate) block: u32,
	/// The set that signed it.
	pub(crate) set_id: u64,
	/// The contract that has it.
	pub(crate) contract: String,
	/// Gas of the checkpoint there.
	pub(crate) gas: u64,
	/// Receipts that were checked down to it.
	pub(crate) receipts: u32,
}

/// Percentiles of latencies.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Latency {
	/// The median.
	pub(crate) p50: f64,
	/// The 99th percentile.
	pub(crate) p99: f64,
}

/// Money of the deal and the provider.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Money {
	/// Escrow and closing deposit: paid + burnt + refunded.
	#[serde(with = "millrace_primitives::decimal")]
	pub(crate) escrowed: Balance,
	/// What the provider's account grew by.
	#[serde(with = "millrace_primitives::decimal")]
	pub(crate) paid_to_provider: Balance,
	/// Burnt of the payments.
	#[serde(with = "millrace_primitives::decimal")]
	pub(crate) burnt: Balance,
	/// What the rules give for `paid_to_provider`.
	#[serde(with = "millrace_primitives::decimal")]
	pub(crate) expected_paid: Balance,
	/// Back to the client.
	#[serde(with = "millrace_primitives::decimal")]
	pub(crate) refunded: Balance,
	/// Rewards of both commitments.
	#[serde(with = "millrace_primitives::decimal")]
	pub(crate) reward_credited: Balance,
	/// Of them, what had vested and was paid to the provider.
	#[serde(with = "millrace_primitives::decimal")]
	pub(crate) reward_claimed: Balance,
}

impl Latency {
	/// Of times in milliseconds, by the nearest rank.
	pub(crate) fn of(mut times_ms: Vec<f64>) -> Self {
		times_ms.sort_by(f64::total_cmp);
		let rank = |percent: usize| {
			let rank = (times_ms.len() * percent).div_ceil(100).max(1);
			let time = times_ms.get(rank - 1).copied().unwrap_or_default();
			(time * 1_000.0).round() / 1_000.0
		};
		Self {
			p50: rank(50),
			p99: rank(99),
		}
	}
}

impl Report {
	/// The table that ends a run.
	pub(crate) fn table(&self) -> String {
		let money = &self.flt;
		let rows = [
			(
				"result",
				if self.ok {
					"ok".into()
				} else {
					"FAILED".to_string()
				},
			),
			("blocks", self.blocks.to_string()),
			(
				"finality lag",
				format!("{} blocks", self.finality_lag_blocks),
			),
			("epochs", self.epochs.to_string()),
			("units", self.units.to_string()),
			("solutions per unit", self.solutions_per_unit.to_string()),
			("audits verified", self.audits_verified.to_string()),
			(
				"calls",
				format!("{} of {} answered", self.calls_ok, self.calls),
			),
			("receipts verified", self.receipts_verified.to_string()),
			(
				"checkpoint",
				format!(
					"block {} on the anchor, {} receipts below it",
					self.checkpoint.block, self.checkpoint.receipts
				),
			),
			("latency p50", format!("{:.1} ms", self.latency_ms.p50)),
			("latency p99", format!("{:.1} ms", self.latency_ms.p99)),
			("gas", self.gas_total.to_string()),
			("escrowed", amounts::format(money.escrowed)),
			(
				"paid to the provider",
				amounts::format(money.paid_to_provider),
			),
			(
				"expected by the rules",
				amounts::format(money.expected_paid),
			),
			("burnt", amounts::format(money.burnt)),
			("refunded", amounts::format(money.refunded)),
			("reward credited", amounts::format(money.reward_credited)),
			("reward claimed", amounts::format(money.reward_claimed)),
			("elapsed", format!("{:.1} s", self.elapsed_seconds)),
			("responses", self.responses.clone()),
		];
		ui::table(
			["measure", "value"],
			rows.map(|(name, value)| vec![name.to_string(), value]),
		)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn percentiles_are_times_that_occurred() {
		let latency = Latency::of((1..=20).map(f64::from).collect());
		assert_eq!((latency.p50, latency.p99), (10.0, 20.0));
		let latency = Latency::of(vec![]);
		assert_eq!((latency.p50, latency.p99), (0.0, 0.0));
	}

	#[test]
	fn the_object_has_the_fields_that_programs_read() {
		let value = serde_json::to_value(Report::default()).expect("it is plain data");
		for field in [
			"ok",
			"blocks",
			"finality_lag_blocks",
			"epochs",
			"units",
			"solutions_per_unit",
			"audits_verified",
			"calls",
			"calls_ok",
			"receipts_verified",
			"latency_ms",
			"gas_total",
			"checkpoint",
			"flt",
			"elapsed_seconds",
		] {
			assert!(value.get(field).is_some(), "{field}");
		}
		assert_eq!(value["flt"]["escrowed"], "0");
	}
}
