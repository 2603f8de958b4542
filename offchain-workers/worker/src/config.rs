//! How a worker daemon is set up.

use http::Uri;
use millrace_client::web::{base_url, UrlError};
use millrace_primitives::execution::MAX_MEMORY_BYTES;
use millrace_prover::{Cores, Settings};
use serde::{de::Error as _, Deserialize, Deserializer, Serialize};
use std::{
	net::{IpAddr, SocketAddr},
	ops::RangeInclusive,
	path::{Path, PathBuf},
	thread,
	time::Duration,
};

/// The `[prover]` section.
pub use millrace_prover::Settings as ProverSettings;
/// The `[watch]` section.
pub use millrace_watcher::WatchConfig;

/// Least retention: the epoch that is being reported and audited, and the one before, whose report
/// shows at a start whether the directory is the one that ran last.
pub const MIN_RETENTION_EPOCHS: u32 = 2;

/// Most epochs that may be kept.
const MAX_RETENTION_EPOCHS: u32 = 1_000_000;
/// Most guests at once: the engine sets address space aside for each of them.
const MAX_RUNNING: u64 = 4_096;
/// Most of anything that is counted besides.
const MAX_COUNT: u64 = 1_000_000;
/// Longest of all times: a day.
const MAX_MS: u64 = 24 * 60 * 60 * 1_000;
/// Most bytes of anything that is kept: an exbibyte.
const MAX_BYTES: u64 = 1 << 60;

/// Everything that [`crate::run`] needs. One process serves one peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
	/// Directory of everything that must survive a restart; owned by one process at a time.
	pub data_dir: PathBuf,
	/// WebSocket URL of a Millrace node.
	#[serde(default = "default_node")]
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
	/// Addresses of gateways and other proxies that are believed in what they say of where a call
	/// comes from, in `x-forwarded-for`. Rates of open deals are counted by address; those of a gateway
	/// that is not named here are all counted as one caller's.
	#[serde(default)]
	pub proxies: Vec<IpAddr>,
	/// Directory of packages; `packages` in the data directory when it is not given.
	#[serde(default)]
	pub package_dir: Option<PathBuf>,
	/// The capacity prover.
	#[serde(default)]
	pub prover: ProverSettings,
	/// Bounds of what the daemon takes on.
	#[serde(default)]
	pub limits: Limits,
	/// Where guests run.
	#[serde(default)]
	pub sandbox: SandboxSettings,
	/// Whether other peers' receipts are run again, and false ones challenged.
	#[serde(default)]
	pub watch: Option<WatchConfig>,
}

/// Where guests run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
	/// In processes of their own, or in the daemon's.
	pub mode: SandboxMode,
	/// The program `millrace-guest`; the one beside this program when it is not given.
	pub program: Option<PathBuf>,
	/// Time after which a deal's process without calls ends.
	pub idle_ms: u64,
}

/// Where guests run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxMode {
	/// In processes that can do nothing but compute. The daemon does not start where that cannot be
	/// had.
	#[default]
	Process,
	/// In the daemon's own process: an engine that fails lets a guest have the peer's key.
	Off,
}

impl Default for SandboxSettings {
	fn default() -> Self {
		Self {
			mode: SandboxMode::Process,
			program: None,
			idle_ms: 30_000,
		}
	}
}

impl SandboxSettings {
	pub(crate) fn idle(&self) -> Duration {
		Duration::from_millis(self.idle_ms)
	}
}

/// Bounds of what the daemon takes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
	/// Guests that run at once.
	pub concurrent_calls: usize,
	/// Guests of one deal that run at once for each unit that is paid for.
	pub calls_per_unit: usize,
	/// Calls that wait for a place; one more is answered with 429.
	pub queued_calls: usize,
	/// Those of one deal.
	pub queued_calls_per_deal: usize,
	/// Memory that all guests may use at once; a call waits until its deal's part is free. Half of
	/// what is free at the start when it is not given.
	pub guest_memory_bytes: Option<u64>,
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
	/// Callers whose calls are counted, of deals that have a rate; those who called least make room.
	pub counted_invokers: usize,
	/// Connections that are open at once; when there are more, those that idle make room.
	pub connections: usize,
	/// Longest time that fetching a package from one link may take.
	pub fetch_timeout_ms: u64,
	/// Whether packages are fetched from hosts of this machine and its network too. Links are
	/// written by clients: this lets them send requests there.
	pub allow_private_links: bool,
	/// Bytes of compiled modules that are kept; those that were not used for longest go first.
	pub module_bytes: u64,
	/// Bytes of requests and responses that are kept for challengers; the oldest go first. Who cannot
	/// show them when they are demanded is slashed: the log warns when it comes to that.
	pub stored_bytes: u64,
	/// Epochs for which receipts, reports and unused packages are kept: more than the challenge
	/// period, and at least [`MIN_RETENTION_EPOCHS`].
	#[serde(deserialize_with = "epochs")]
	pub retention_epochs: u32,
	/// Longest time that open calls are given when the daemon is asked to stop.
	pub shutdown_ms: u64,
}

impl Default for Limits {
	fn default() -> Self {
		Self {
			concurrent_calls: processors(),
			calls_per_unit: 1,
			queued_calls: 256,
			queued_calls_per_deal: 64,
			guest_memory_bytes: None,
			call_timeout_ms: 40_000,
			guest_timeout_ms: 30_000,
			idle_timeout_ms: 30_000,
			body_timeout_ms: 10_000,
			counted_invokers: 65_536,
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
	/// Each number with its key and bounds.
	fn numbers(&self) -> [(&'static str, u64, RangeInclusive<u64>); 15] {
		let (counts, times, bytes) = (1..=MAX_COUNT, 1..=MAX_MS, 1..=MAX_BYTES);
		let retention = MIN_RETENTION_EPOCHS.into()..=MAX_RETENTION_EPOCHS.into();
		[
			(
				"limits.concurrent_calls",
				self.concurrent_calls as u64,
				1..=MAX_RUNNING,
			),
			(
				"limits.calls_per_unit",
				self.calls_per_unit as u64,
				1..=MAX_RUNNING,
			),
			// Without a queue, calls that find no place are refused.
			(
				"limits.queued_calls",
				self.queued_calls as u64,
				0..=MAX_COUNT,
			),
			(
				"limits.queued_calls_per_deal",
				self.queued_calls_per_deal as u64,
				0..=MAX_COUNT,
			),
			(
				"limits.call_timeout_ms",
				self.call_timeout_ms,
				times.clone(),
			),
			(
				"limits.guest_timeout_ms",
				self.guest_timeout_ms,
				times.clone(),
			),
			(
				"limits.idle_timeout_ms",
				self.idle_timeout_ms,
				times.clone(),
			),
			(
				"limits.body_timeout_ms",
				self.body_timeout_ms,
				times.clone(),
			),
			(
				"limits.counted_invokers",
				self.counted_invokers as u64,
				counts.clone(),
			),
			("limits.connections", self.connections as u64, counts),
			(
				"limits.fetch_timeout_ms",
				self.fetch_timeout_ms,
				times.clone(),
			),
			("limits.module_bytes", self.module_bytes, bytes.clone()),
			("limits.stored_bytes", self.stored_bytes, bytes),
			(
				"limits.retention_epochs",
				self.retention_epochs.into(),
				retention,
			),
			("limits.shutdown_ms", self.shutdown_ms, times),
		]
	}

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
	/// A number is out of its bounds.
	#[error("{key} is {value}; it must be from {least} to {most}")]
	Bounds {
		/// The number's key.
		key: &'static str,
		/// What it is.
		value: i128,
		/// The least that it may be.
		least: i128,
		/// The most that it may be.
		most: i128,
	},
	/// The prover would search on cores that are not there.
	#[error(
		"prover.cores names {0}, which this process may not run on; name cores that `lscpu -e` shows, \
		 or write \"all\""
	)]
	Cores(Cores),
	/// No node can be there.
	#[error("node_url is \"{0}\"; it must be a WebSocket URL such as ws://127.0.0.1:9944")]
	NodeUrl(String),
	/// No gateway can call that.
	#[error("public_endpoint: {0}")]
	Endpoint(UrlError),
	/// A directory is none, or cannot be made.
	#[error("{key} is \"{path}\": {why}; name a directory that this user may write to")]
	Directory {
		/// The directory's key.
		key: &'static str,
		/// What it is.
		path: PathBuf,
		/// What is wrong with it.
		why: String,
	},
	/// Nothing can listen there.
	#[error(
		"listen is {address}: {why}; name an address of this machine and a port that this user may \
		 take, such as 0.0.0.0:8650"
	)]
	Listen {
		/// The address.
		address: SocketAddr,
		/// What the system says.
		why: String,
	},
	/// The peer's key cannot be read.
	#[error("peer_key: {0}")]
	PeerKey(String),
	/// Guests cannot be locked in.
	#[error(
		"sandbox: {0}; mode = \"off\" in [sandbox] runs guests in the daemon's own process, which \
		 trusts each of them with the peer's key"
	)]
	Sandbox(String),
	/// The watcher cannot run so.
	#[error(transparent)]
	Watch(#[from] millrace_watcher::ConfigError),
}

impl WorkerConfig {
	/// Refuses what would harm the provider, or can only be a mistake.
	pub fn check(&self) -> Result<(), ConfigError> {
		let Limits {
			retention_epochs, ..
		} = self.limits;
		if retention_epochs < MIN_RETENTION_EPOCHS {
			return Err(ConfigError::Retention(retention_epochs));
		}
		for (key, value, bounds) in self.limits.numbers() {
			within(key, value, &bounds)?;
		}
		if let Some(bytes) = self.limits.guest_memory_bytes {
			let bounds = u64::from(MAX_MEMORY_BYTES)..=MAX_BYTES;
			within("limits.guest_memory_bytes", bytes, &bounds)?;
		}
		within("sandbox.idle_ms", self.sandbox.idle_ms, &(1..=MAX_MS))?;
		if let Some(program) = &self.sandbox.program {
			if self.sandbox.mode == SandboxMode::Process && !program.is_file() {
				let text = format!("there is no program {}", program.display());
				return Err(ConfigError::Sandbox(text));
			}
		}
		if let Some(watch) = self.watch() {
			watch.check()?;
		}
		if let Some(threads) = self.prover.threads {
			within("prover.threads", threads, &Settings::THREADS)?;
		}
		within("prover.nice", self.prover.nice, &Settings::NICE)?;
		let foreign = self.prover.foreign_cores();
		if !foreign.is_empty() {
			return Err(ConfigError::Cores(Cores::Set(foreign)));
		}
		if !is_websocket(&self.node_url) {
			return Err(ConfigError::NodeUrl(self.node_url.clone()));
		}
		if let Some(endpoint) = &self.public_endpoint {
			base_url(endpoint).map_err(ConfigError::Endpoint)?;
		}
		is_directory("data_dir", &self.data_dir)?;
		is_directory("package_dir", &self.packages())
	}

	/// The watcher's section, with a directory.
	pub fn watch(&self) -> Option<WatchConfig> {
		let mut watch = self.watch.clone()?;
		if watch.data_dir.as_os_str().is_empty() {
			watch.data_dir = self.data_dir.join("watch");
		}
		Some(watch)
	}

	/// Directory of packages.
	pub fn packages(&self) -> PathBuf {
		self.package_dir
			.clone()
			.unwrap_or_else(|| self.data_dir.join("packages"))
	}
}

/// Refuses a number that is out of bounds.
fn within<T>(key: &'static str, value: T, bounds: &RangeInclusive<T>) -> Result<(), ConfigError>
where
	T: Copy + PartialOrd + TryInto<i128>,
{
	if bounds.contains(&value) {
		return Ok(());
	}
	// Every type that numbers have here fits.
	let wide = |number: T| number.try_into().unwrap_or(i128::MAX);
	Err(ConfigError::Bounds {
		key,
		value: wide(value),
		least: wide(*bounds.start()),
		most: wide(*bounds.end()),
	})
}

fn is_websocket(url: &str) -> bool {
	url.parse::<Uri>().is_ok_and(|uri| {
		let host = uri.host().is_some_and(|host| !host.is_empty());
		host && matches!(uri.scheme_str(), Some("ws" | "wss"))
	})
}

/// Refuses what is there and no directory. One that is missing is made.
fn is_directory(key: &'static str, path: &Path) -> Result<(), ConfigError> {
	let why = match path.metadata() {
		_ if path.as_os_str().is_empty() => "it is empty",
		Ok(found) if !found.is_dir() => "it is no directory",
		_ => return Ok(()),
	};
	Err(ConfigError::Directory {
		key,
		path: path.to_path_buf(),
		why: why.into(),
	})
}

/// A number of epochs; one that is too large for its type is told the same bounds as others.
fn epochs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
	let epochs = u64::deserialize(deserializer)?;
	u32::try_from(epochs).map_err(|_| {
		D::Error::custom(format!(
			"limits.retention_epochs is {epochs}; it must be from {MIN_RETENTION_EPOCHS} to \
			 {MAX_RETENTION_EPOCHS}"
		))
	})
}

fn default_node() -> String {
	"ws://127.0.0.1:9944".into()
}

fn default_listen() -> SocketAddr {
	SocketAddr::from(([127, 0, 0, 1], 8650))
}

fn processors() -> usize {
	thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests;
