//! How a gateway is set up.

use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Everything that [`crate::run`] needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
	/// Directory of everything that must survive a restart.
	pub data_dir: PathBuf,
	/// WebSocket URL of a Millrace node.
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

impl GatewayConfig {
	/// Directory of packages.
	pub fn packages(&self) -> PathBuf {
		self.package_dir
			.clone()
			.unwrap_or_else(|| self.data_dir.join("packages"))
	}
}

fn default_listen() -> SocketAddr {
	SocketAddr::from(([127, 0, 0, 1], 8090))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_least_that_must_be_said() {
		let text = r#"{"data_dir": "d", "node_url": "ws://127.0.0.1:9944"}"#;
		let config: GatewayConfig = serde_json::from_str(text).expect("two fields are enough");
		assert_eq!(config.packages(), PathBuf::from("d/packages"));
		assert_eq!(config.limits, Limits::default());
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
