//! How a gateway is set up.

use crate::{
	packages::MIN_COST,
	probes::{ProbeConfig, MIN_BUDGET},
};
use millrace_client::{
	amounts::AmountError,
	web::{self, UrlError},
};
use millrace_watcher::WatchConfig;
use serde::{Deserialize, Serialize};
use std::{
	net::{IpAddr, SocketAddr},
	ops::RangeInclusive,
	path::PathBuf,
	time::Duration,
};
use tokio::sync::Semaphore;

/// Times, in milliseconds: up to a day. Clocks can count that far ahead on every system.
const TIMES: RangeInclusive<u64> = 1..=24 * 60 * 60 * 1_000;
/// Least bytes of receipts: about two thousand.
const MIN_RECEIPT_BYTES: u64 = 1024 * 1024;
/// Shortest key to receipts.
const MIN_KEY: usize = 16;
/// Numbers of places: as many as can be counted.
const PLACES: RangeInclusive<u64> = 1..=Semaphore::MAX_PERMITS as u64;

/// Everything that [`crate::run`] needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
	/// Directory of everything that must survive a restart.
	pub data_dir: PathBuf,
	/// WebSocket URL of a Millrace node.
	#[serde(default = "default_node")]
	pub node_url: String,
	/// Address that the gateway listens at.
	#[serde(default = "default_listen")]
	pub listen: SocketAddr,
	/// URL under which clients and workers reach it; `http://` and the address when it is not
	/// given. It stands in the answers to uploads.
	#[serde(default)]
	pub public_url: Option<String>,
	/// Addresses of the proxies in front of it: what they say of where a call comes from, in
	/// `x-forwarded-for`, is believed. Rates of open deals are counted by address.
	#[serde(default)]
	pub proxies: Vec<IpAddr>,
	/// Directory of packages; `packages` in the data directory when it is not given.
	#[serde(default)]
	pub package_dir: Option<PathBuf>,
	/// Key file, as `millrace key generate peer` writes it, that signs vouchers for the calls of deals
	/// that are billed by gas and name its public key. Without one it calls no such deal.
	#[serde(default)]
	pub voucher_key: Option<PathBuf>,
	/// The account from which workers that do not answer are probed; without one, none is.
	#[serde(default)]
	pub probe: Option<ProbeConfig>,
	/// Bounds of what the gateway takes on.
	#[serde(default)]
	pub limits: Limits,
	/// The receipts of its calls.
	#[serde(default)]
	pub receipts: ReceiptsConfig,
	/// Whether false and missing receipts are challenged.
	#[serde(default)]
	pub watch: Option<WatchConfig>,
	/// Where the watcher runs guests; without one the gateway runs none.
	#[serde(default)]
	pub sandbox: SandboxSettings,
}

/// The receipts of a gateway's calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReceiptsConfig {
	/// Directory; `receipts` in the data directory when it is not given.
	pub dir: Option<PathBuf>,
	/// Bytes that are kept; those that came first go first.
	pub max_bytes: u64,
	/// Whoever brings one of these sees receipts at `/receipts/{deal}`; without any, nobody does.
	pub keys: Vec<String>,
}

impl Default for ReceiptsConfig {
	fn default() -> Self {
		Self {
			dir: None,
			max_bytes: 1024 * 1024 * 1024,
			keys: Vec::new(),
		}
	}
}

/// Where the watcher runs guests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
	/// In processes of their own, or in the gateway's.
	pub mode: SandboxMode,
	/// The program `millrace-guest`; the one beside this program when it is not given.
	pub program: Option<PathBuf>,
}

/// Where the watcher runs guests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxMode {
	/// In processes that can do nothing but compute. The gateway does not watch where that cannot be
	/// had.
	#[default]
	Process,
	/// In the gateway's own process.
	Off,
}

/// Bounds of what a gateway takes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
	/// Connections that are open at once; when there are more, those that idle make room.
	pub connections: usize,
	/// Longest time that a connection may stay without a whole request head, new or between two
	/// requests, and that a client may take nothing of an answer.
	pub idle_timeout_ms: u64,
	/// Calls that workers are waited for at once; one more is answered with 429.
	pub concurrent_calls: usize,
	/// Uploads that are checked and stored at once; one more is answered with 429.
	pub concurrent_uploads: usize,
	/// Deals whose workers are remembered; the one that was not called for longest goes first.
	pub cached_deals: usize,
	/// Callers whose calls are counted, of deals that have a rate; those who called least make room.
	pub counted_invokers: usize,
	/// Longest time that a client waits for an answer, over all workers that are tried.
	pub call_timeout_ms: u64,
	/// Longest time that one worker is waited for.
	pub attempt_timeout_ms: u64,
	/// Longest time that connecting to a worker may take.
	pub connect_timeout_ms: u64,
	/// Longest time that a request's body may take to arrive.
	pub body_timeout_ms: u64,
	/// Longest time that one refresh of all remembered deals may take, and that a call waits for
	/// what the chain says of its deal.
	pub refresh_timeout_ms: u64,
	/// Time for which a worker that could not be reached is tried after all others.
	pub set_aside_ms: u64,
	/// The same for a worker whose receipt did not hold.
	pub distrust_ms: u64,
	/// Bytes of packages that are stored. Those that were not asked for for longest make room for
	/// new ones, but none that was uploaded within the last day; a small one counts as 64 KiB.
	pub package_store_bytes: u64,
	/// Whether workers are called on this machine and its network too. Their endpoints are written
	/// by strangers: this lets them send requests there.
	pub allow_private_endpoints: bool,
}

impl Default for Limits {
	fn default() -> Self {
		Self {
			connections: 1_024,
			idle_timeout_ms: 30_000,
			concurrent_calls: 1_024,
			concurrent_uploads: 8,
			cached_deals: 1_024,
			counted_invokers: 65_536,
			call_timeout_ms: 60_000,
			attempt_timeout_ms: 35_000,
			connect_timeout_ms: 2_000,
			body_timeout_ms: 10_000,
			refresh_timeout_ms: 10_000,
			set_aside_ms: 5_000,
			distrust_ms: 60_000,
			package_store_bytes: 4 * 1024 * 1024 * 1024,
			allow_private_endpoints: false,
		}
	}
}

impl Limits {
	pub(crate) fn idle_timeout(&self) -> Duration {
		Duration::from_millis(self.idle_timeout_ms)
	}

	pub(crate) fn call_timeout(&self) -> Duration {
		Duration::from_millis(self.call_timeout_ms)
	}

	pub(crate) fn attempt_timeout(&self) -> Duration {
		Duration::from_millis(self.attempt_timeout_ms)
	}

	pub(crate) fn connect_timeout(&self) -> Duration {
		Duration::from_millis(self.connect_timeout_ms)
	}

	pub(crate) fn body_timeout(&self) -> Duration {
		Duration::from_millis(self.body_timeout_ms)
	}

	pub(crate) fn refresh_timeout(&self) -> Duration {
		Duration::from_millis(self.refresh_timeout_ms)
	}

	pub(crate) fn set_aside(&self) -> Duration {
		Duration::from_millis(self.set_aside_ms)
	}

	pub(crate) fn distrust(&self) -> Duration {
		Duration::from_millis(self.distrust_ms)
	}
}

/// What cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
	/// A number in `[limits]` with which nobody would be served, or that cannot be counted.
	#[error("limits.{key} is {value}; it must be from {} to {}", .bounds.start(), .bounds.end())]
	OutOfBounds {
		/// Which.
		key: &'static str,
		/// What it is.
		value: u64,
		/// What it may be.
		bounds: RangeInclusive<u64>,
	},
	/// Links below that URL would lead nowhere.
	#[error("public_url: {0}")]
	PublicUrl(UrlError),
	/// No receipt of use would be kept.
	#[error("receipts.max_bytes is {0}; it must be at least {least}", least = MIN_RECEIPT_BYTES)]
	ReceiptBytes(u64),
	/// A key that can be guessed.
	#[error("a key of receipts.keys has less than {least} characters", least = MIN_KEY)]
	ShortKey,
	/// The key that signs vouchers cannot be read.
	#[error("voucher_key: {0}; name the file that `millrace key generate peer` wrote")]
	VoucherKey(String),
	/// The account that pays for probes cannot be used.
	#[error("probe.key_file: {0}; name the key file of an account that has FLT")]
	ProbeKey(String),
	/// The budget is no amount.
	#[error("probe.budget_per_day: {0}")]
	ProbeBudget(AmountError),
	/// The budget pays for no probe.
	#[error("probe.budget_per_day is below the bond of one probe, 1 FLT; leave [probe] out to make none")]
	ProbeBudgetTooLow,
	/// The watcher cannot run so.
	#[error(transparent)]
	Watch(#[from] millrace_watcher::ConfigError),
	/// The watcher's guests cannot be locked in.
	#[error(
		"sandbox: {0}; mode = \"off\" in [sandbox] runs what is watched in the gateway's own process"
	)]
	Sandbox(String),
}

impl GatewayConfig {
	/// Refuses what would serve nobody.
	pub fn check(&self) -> Result<(), ConfigError> {
		if let Some(url) = &self.public_url {
			web::base_url(url).map_err(ConfigError::PublicUrl)?;
		}
		if self.receipts.max_bytes < MIN_RECEIPT_BYTES {
			return Err(ConfigError::ReceiptBytes(self.receipts.max_bytes));
		}
		if self.receipts.keys.iter().any(|key| key.len() < MIN_KEY) {
			return Err(ConfigError::ShortKey);
		}
		if let Some(watch) = self.watch() {
			watch.check()?;
		}
		if let Some(probe) = &self.probe {
			let budget = probe.budget().map_err(ConfigError::ProbeBudget)?;
			if budget < MIN_BUDGET {
				return Err(ConfigError::ProbeBudgetTooLow);
			}
		}
		let limits = &self.limits;
		let numbers = [
			("connections", limits.connections as u64, PLACES),
			("idle_timeout_ms", limits.idle_timeout_ms, TIMES),
			("concurrent_calls", limits.concurrent_calls as u64, PLACES),
			(
				"concurrent_uploads",
				limits.concurrent_uploads as u64,
				PLACES,
			),
			("cached_deals", limits.cached_deals as u64, PLACES),
			("counted_invokers", limits.counted_invokers as u64, PLACES),
			("call_timeout_ms", limits.call_timeout_ms, TIMES),
			("attempt_timeout_ms", limits.attempt_timeout_ms, TIMES),
			("connect_timeout_ms", limits.connect_timeout_ms, TIMES),
			("body_timeout_ms", limits.body_timeout_ms, TIMES),
			("refresh_timeout_ms", limits.refresh_timeout_ms, TIMES),
			("set_aside_ms", limits.set_aside_ms, TIMES),
			("distrust_ms", limits.distrust_ms, TIMES),
			(
				"package_store_bytes",
				limits.package_store_bytes,
				MIN_COST..=u64::MAX,
			),
		];
		for (key, value, bounds) in numbers {
			if !bounds.contains(&value) {
				return Err(ConfigError::OutOfBounds { key, value, bounds });
			}
		}
		Ok(())
	}

	/// The watcher's section, with a directory.
	pub fn watch(&self) -> Option<WatchConfig> {
		let mut watch = self.watch.clone()?;
		if watch.data_dir.as_os_str().is_empty() {
			watch.data_dir = self.data_dir.join("watch");
		}
		Some(watch)
	}

	/// Directory of receipts.
	pub fn kept_receipts(&self) -> PathBuf {
		self.receipts
			.dir
			.clone()
			.unwrap_or_else(|| self.data_dir.join("receipts"))
	}

	/// Directory of packages.
	pub fn packages(&self) -> PathBuf {
		self.package_dir
			.clone()
			.unwrap_or_else(|| self.data_dir.join("packages"))
	}
}

fn default_node() -> String {
	"ws://127.0.0.1:9944".into()
}

fn default_listen() -> SocketAddr {
	SocketAddr::from(([127, 0, 0, 1], 8090))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_least_that_must_be_said() {
		let text = r#"{"data_dir": "d"}"#;
		let config: GatewayConfig = serde_json::from_str(text).expect("one field is enough");
		assert_eq!(config.node_url, "ws://127.0.0.1:9944");
		assert_eq!(config.packages(), PathBuf::from("d/packages"));
		assert_eq!(config.limits, Limits::default());
		assert_eq!(config.kept_receipts(), PathBuf::from("d/receipts"));
		assert_eq!(config.receipts, ReceiptsConfig::default());
		assert_eq!(config.watch(), None);
		assert_eq!(config.sandbox.mode, SandboxMode::Process);
		assert_eq!(config.voucher_key, None);
	}

	#[test]
	fn receipts_and_watcher_are_checked() {
		let check = |text: &str| {
			let text = format!(r#"{{"data_dir": "d", {text}}}"#);
			let config: GatewayConfig = serde_json::from_str(&text).expect("it is well-formed");
			config.check().map_err(|error| error.to_string())
		};
		let refused = |text: &str, said: &str| {
			let error = check(text).expect_err(text);
			assert!(error.contains(said), "{error}");
		};
		assert_eq!(check(r#""receipts": {"max_bytes": 1048576}"#), Ok(()));
		refused(r#""receipts": {"max_bytes": 1048575}"#, "at least 1048576");
		assert_eq!(
			check(r#""receipts": {"keys": ["0123456789abcdef"]}"#),
			Ok(())
		);
		refused(
			r#""receipts": {"keys": ["0123456789abcde"]}"#,
			"less than 16",
		);
		assert_eq!(check(r#""watch": {"account": "k"}"#), Ok(()));
		refused(r#""watch": {"account": ""}"#, "watch.account");
		assert_eq!(check(r#""probe": {"key_file": "k"}"#), Ok(()));
		refused(
			r#""probe": {"key_file": "k", "budget_per_day": "24"}"#,
			"24 FLT",
		);
		refused(
			r#""probe": {"key_file": "k", "budget_per_day": "0.5 FLT"}"#,
			"leave [probe] out",
		);
	}

	fn limits(text: &str) -> Result<(), ConfigError> {
		let text = format!(r#"{{"data_dir": "d", "node_url": "n", "limits": {text}}}"#);
		let config: GatewayConfig = serde_json::from_str(&text).expect("it is well-formed");
		config.check()
	}

	#[test]
	fn every_number_has_bounds() {
		assert_eq!(limits("{}"), Ok(()));
		let all = serde_json::to_value(Limits::default()).expect("it is plain data");
		for (key, value) in all.as_object().expect("it is a table") {
			if value.is_number() {
				let error = limits(&format!(r#"{{"{key}": 0}}"#)).expect_err(key);
				let text = error.to_string();
				assert!(text.starts_with(&format!("limits.{key} is 0; ")), "{text}");
			}
		}
	}

	#[test]
	fn what_cannot_be_counted_is_refused_with_its_bound() {
		let most = Semaphore::MAX_PERMITS;
		for key in ["connections", "concurrent_calls", "concurrent_uploads"] {
			assert_eq!(limits(&format!(r#"{{"{key}": {most}}}"#)), Ok(()));
			let error = limits(&format!(r#"{{"{key}": {}}}"#, most + 1)).expect_err(key);
			let bound = format!("it must be from 1 to {most}");
			assert!(error.to_string().ends_with(&bound), "{error}");
		}
		assert_eq!(limits(r#"{"idle_timeout_ms": 86400000}"#), Ok(()));
		assert_eq!(
			limits(r#"{"idle_timeout_ms": 86400001}"#).map_err(|error| error.to_string()),
			Err("limits.idle_timeout_ms is 86400001; it must be from 1 to 86400000".into())
		);
	}

	#[test]
	fn a_public_url_leads_somewhere() {
		let text = r#"{"data_dir": "d", "node_url": "n", "public_url": "gate.example"}"#;
		let config: GatewayConfig = serde_json::from_str(text).expect("it is well-formed");
		let error = config.check().expect_err("it has no scheme").to_string();
		assert!(error.starts_with("public_url: \"gate.example\""), "{error}");
	}

	#[test]
	fn endpoints_in_the_own_network_are_not_called_unless_asked_for() {
		assert!(!Limits::default().allow_private_endpoints);
	}

	#[test]
	fn a_misspelt_field_is_an_error() {
		let text = r#"{"data_dir": "d", "node_url": "n", "limits": {"timeout": 3}}"#;
		assert!(serde_json::from_str::<GatewayConfig>(text).is_err());
	}
}
