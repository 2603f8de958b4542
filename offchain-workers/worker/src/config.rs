//! How a worker daemon is set up.

use millrace_prover::Mode;
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf, thread, time::Duration};

/// Least retention: the epoch that is being reported and audited, and the one before, whose report
/// shows at a start whether the directory is the one that ran last.
pub const MIN_RETENTION_EPOCHS: u32 = 2;

/// Everything that [`crate::run`] needs. One process serves one peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
	/// Directory of everything that must survive a restart; owned by one process at a time.
	pub data_dir: PathBuf,
	/// WebSocket URL of a Millrace node.
	pub node_url: String,
	/// Key file of the peer, readable by the owner only.
	pub peer_key: PathBuf,
	/// Address that the HTTP door listens at.
	#[serde(default = "default_listen")]
	pub listen: SocketAddr,
	/// URL under which clients reach that door. When it is given and the chain says something
	/// else, the daemon warns: only the provider's account can change what the chain says.
	#[serde(default)]
	pub public_endpoint: Option<String>,
	/// Directory of packages; `packages` in the data directory when it is not given.
	#[serde(default)]
	pub package_dir: Option<PathBuf>,
	/// The capacity prover.
	#[serde(default)]
	pub prover: ProverSettings,
	/// Bounds of what the daemon takes on.
	#[serde(default)]
	pub limits: Limits,
}

/// The capacity prover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProverSettings {
	/// Threads that search.
	pub threads: usize,
	/// How they compute.
	pub mode: Mode,
}

impl Default for ProverSettings {
	fn default() -> Self {
		Self {
			threads: processors(),
			mode: Mode::Light,
		}
	}
}

/// Bounds of what the daemon takes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
	/// Guests that run at once.
	pub concurrent_calls: usize,
	/// Calls that wait for a place; one more is answered with 429.
	pub queued_calls: usize,
	/// Longest time that a client waits for an answer, the wait for a place included. A guest
	/// that began runs on, and its receipt enters the report.
	pub call_timeout_ms: u64,
	/// Longest time that a guest runs; it gives no receipt then. More than the gas of the deals
	/// that the peer takes can need on this machine.
	pub guest_timeout_ms: u64,
	/// Longest time that a connection may stay without a whole request head, new or between two
	/// requests, and that a client may take nothing of an answer. More than the 20 s for which
	/// gateways keep idle connections.
	pub idle_timeout_ms: u64,
	/// Longest time that a request's body may take to arrive.
	pub body_timeout_ms: u64,
	/// Connections that are open at once; when there are more, those that idle make room.
	pub connections: usize,
	/// Longest time that fetching a package from one link may take.
	pub fetch_timeout_ms: u64,
	/// Whether packages are fetched from hosts of this machine and its network too. Links are
	/// written by clients: this lets them send requests there.
	pub allow_private_links: bool,
	/// Bytes of compiled modules that are kept; those that were not used for longest go first.
	pub module_bytes: u64,
	/// Bytes of requests and responses that are kept for challengers; the oldest go first.
	pub stored_bytes: u64,
	/// Epochs for which receipts, reports and unused packages are kept: more than the challenge
	/// period, and at least [`MIN_RETENTION_EPOCHS`].
	pub retention_epochs: u32,
	/// Longest time that open calls are given when the daemon is asked to stop.
	pub shutdown_ms: u64,
}

impl Default for Limits {
	fn default() -> Self {
		Self {
			concurrent_calls: processors(),
			queued_calls: 64,
			call_timeout_ms: 40_000,
			guest_timeout_ms: 30_000,
			idle_timeout_ms: 30_000,
			body_timeout_ms: 10_000,
			connections: 1_024,
			fetch_timeout_ms: 30_000,
			allow_private_links: false,
			module_bytes: 1024 * 1024 * 1024,
			stored_bytes: 1024 * 1024 * 1024,
			retention_epochs: 30,
			shutdown_ms: 10_000,
		}
	}
}

impl Limits {
	pub(crate) fn call_timeout(&self) -> Duration {
		Duration::from_millis(self.call_timeout_ms)
	}

	pub(crate) fn guest_timeout(&self) -> Duration {
		Duration::from_millis(self.guest_timeout_ms)
	}

	pub(crate) fn idle_timeout(&self) -> Duration {
		Duration::from_millis(self.idle_timeout_ms)
	}

	pub(crate) fn body_timeout(&self) -> Duration {
		Duration::from_millis(self.body_timeout_ms)
	}

	pub(crate) fn fetch_timeout(&self) -> Duration {
		Duration::from_millis(self.fetch_timeout_ms)
	}

	pub(crate) fn shutdown(&self) -> Duration {
		Duration::from_millis(self.shutdown_ms)
	}
}

/// What cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
	/// Receipts would be dropped before they are reported and audited.
	#[error(
		"limits.retention_epochs is {0}; it must be at least {least}, since an epoch is reported and \
		 audited in the one after it",
		least = MIN_RETENTION_EPOCHS
	)]
	Retention(u32),
}

impl WorkerConfig {
	/// Refuses what would harm the provider.
	pub fn check(&self) -> Result<(), ConfigError> {
		match self.limits.retention_epochs {
			epochs if epochs < MIN_RETENTION_EPOCHS => Err(ConfigError::Retention(epochs)),
			_ => Ok(()),
		}
	}

	/// Directory of packages.
	pub fn packages(&self) -> PathBuf {
		self.package_dir
			.clone()
			.unwrap_or_else(|| self.data_dir.join("packages"))
	}
}

fn default_listen() -> SocketAddr {
	SocketAddr::from(([127, 0, 0, 1], 8650))
}

fn processors() -> usize {
	thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_least_that_must_be_said() {
		let config: WorkerConfig = serde_json::from_str(
			r#"{"data_dir": "d", "node_url": "ws://127.0.0.1:9944", "peer_key": "peer.json"}"#,
		)
		.expect("three fields are enough");
		assert_eq!(config.packages(), PathBuf::from("d/packages"));
		assert!(config.limits.concurrent_calls > 0);
	}

	#[test]
	fn receipts_are_kept_until_their_epoch_is_audited() {
		let config = |epochs: u32| -> WorkerConfig {
			let text = format!(
				r#"{{"data_dir": "d", "node_url": "n", "peer_key": "p",
				"limits": {{"retention_epochs": {epochs}}}}}"#
			);
			serde_json::from_str(&text).expect("it is well-formed")
		};
		assert_eq!(config(2).check(), Ok(()));
		assert_eq!(config(1).check(), Err(ConfigError::Retention(1)));
		let text = ConfigError::Retention(0).to_string();
		assert!(text.contains("limits.retention_epochs is 0"), "{text}");
		assert!(text.contains("at least 2"), "{text}");
	}

	#[test]
	fn links_into_the_own_network_are_not_followed_unless_asked_for() {
		assert!(!Limits::default().allow_private_links);
	}

	#[test]
	fn a_misspelt_field_is_an_error() {
		let text = r#"{"data_dir": "d", "node_url": "n", "peer_key": "p", "limits": {"queue": 3}}"#;
		assert!(serde_json::from_str::<WorkerConfig>(text).is_err());
	}
}
