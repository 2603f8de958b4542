//! How a gateway is set up.

use crate::packages::MIN_COST;
use millrace_client::web::{self, UrlError};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};
use tokio::sync::Semaphore;

/// Times, in milliseconds: up to a day. Clocks can count that far ahead on every system.
const TIMES: RangeInclusive<u64> = 1..=24 * 60 * 60 * 1_000;
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
	/// Directory of packages; `packages` in the data directory when it is not given.
	#[serde(default)]
	pub package_dir: Option<PathBuf>,
	/// Bounds of what the gateway takes on.
	#[serde(default)]
	pub limits: Limits,
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
}

impl GatewayConfig {
	/// Refuses what would serve nobody.
	pub fn check(&self) -> Result<(), ConfigError> {
		if let Some(url) = &self.public_url {
			web::base_url(url).map_err(ConfigError::PublicUrl)?;
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
