//! `millrace watch`: receipts that are run again, and challenges of those that are false.

use crate::{
	cli::Global,
	commands::until_stopped,
	config,
	errors::{CliError, Result},
};
use anyhow::Context as _;
use axum::{http::StatusCode, routing::get, Router};
use clap::Args;
use millrace_client::{Chain, ConnectError};
use millrace_executor::EngineConfig;
use millrace_http::server::{self, Bounds};
use millrace_primitives::peer::PeerId;
use millrace_sandbox::{Guests, InProcess, Sandbox, SandboxConfig};
use millrace_watcher::{Metrics, WatchConfig};
use millrace_worker::config::{SandboxMode, SandboxSettings};
use serde::Deserialize;
use std::{
	net::SocketAddr,
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

/// Where every key stands.
const MANUAL: &str = "docs/watch.md has every key with its default and bounds";
/// Pause between attempts to reach the node at the start.
const CONNECT_PAUSE: Duration = Duration::from_secs(2);
/// Processes of guests that wait for calls: a watcher runs few calls of many packages.
const MAX_PROCESSES: usize = 16;
/// Connections of those who read the figures.
const CONNECTIONS: usize = 16;
/// Longest time of a connection without a request, and of answers at the end.
const IDLE: Duration = Duration::from_secs(30);

/// Run receipts again and challenge those that are false, until it is stopped.
///
/// Reads --config, then MILLRACE_WATCH_ variables (MILLRACE_WATCH_WATCH__MODE sets `mode` in
/// `[watch]`), then the options here. The account pays bonds and fees, and earns bounties.
#[derive(Debug, Args)]
pub(crate) struct WatchCommand {
	/// Account that pays bonds and earns bounties: a key file, or a development name such as //Dave
	/// [default: --key].
	#[arg(long, value_name = "KEY")]
	account: Option<String>,
	/// A peer that is never challenged, by its id or key file; can be given several times. The
	/// account's own peers never are.
	#[arg(long, value_name = "FILE", value_parser = crate::arguments::peer)]
	own: Vec<PeerId>,
	/// Folder of what must survive a restart [default: millrace/watch in the user's data folder].
	#[arg(long, value_name = "DIR")]
	data_dir: Option<String>,
	/// Serve the figures at /metrics of this address, such as 127.0.0.1:9620.
	#[arg(long, value_name = "ADDRESS")]
	listen: Option<SocketAddr>,
	/// Run guests in this process. Packages are strangers': only where the sandbox cannot be had.
	#[arg(long)]
	no_sandbox: bool,
}

/// The daemon's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DaemonConfig {
	/// WebSocket URL of a node.
	#[serde(default = "default_node")]
	node_url: String,
	/// Address at which the figures are served.
	#[serde(default)]
	listen: Option<SocketAddr>,
	/// Where guests run.
	#[serde(default)]
	sandbox: SandboxSettings,
	/// What is watched, and who pays.
	watch: WatchConfig,
}

/// Does it.
pub(crate) async fn run(global: &Global, command: WatchCommand) -> Result<()> {
	let config = read(global, command)?;
	let stop = CancellationToken::new();
	let guard = stop.clone();
	tokio::spawn(async move {
		until_stopped().await;
		guard.cancel();
	});
	watch(config, stop).await.map_err(failed)
}

async fn watch(config: DaemonConfig, stop: CancellationToken) -> anyhow::Result<()> {
	let metrics = Metrics::new()?;
	let listener = match config.listen {
		Some(address) => Some(
			TcpListener::bind(address)
				.await
				.with_context(|| format!("cannot listen at {address}"))?,
		),
		None => None,
	};
	let guests = guests(&config.sandbox, &config.watch.data_dir).await?;
	let Some(chain) = connect(&config.node_url, &stop).await? else {
		return Ok(());
	};
	if let Some(listener) = listener {
		let shown = metrics.clone();
		serve_figures(listener, move || shown.render().ok(), stop.clone());
	}
	// Nobody gives this daemon receipts: it watches what audits open.
	let (_, received) = mpsc::channel(1);
	millrace_watcher::run_with(config.watch, chain, guests, received, stop, metrics).await?;
	Ok(())
}

/// Where guests run.
async fn guests(settings: &SandboxSettings, folder: &Path) -> anyhow::Result<Arc<dyn Guests>> {
	let guests: Arc<dyn Guests> = match settings.mode {
		SandboxMode::Process => {
			let config = SandboxConfig {
				program: settings.program.clone(),
				idle: Duration::from_millis(settings.idle_ms),
				max_processes: MAX_PROCESSES,
				..SandboxConfig::new(folder.join("modules"))
			};
			let sandbox = Sandbox::start(config).await.context(
				"guests cannot be locked in; --no-sandbox runs them in this process, which trusts \
				 every stranger's package with the account's key",
			)?;
			Arc::new(sandbox)
		}
		SandboxMode::Off => Arc::new(InProcess::new(EngineConfig {
			max_concurrent_calls: 2,
			..EngineConfig::default()
		})?),
	};
	Ok(guests)
}

/// Connects; `None` when it is stopped before. A node that is not there yet is waited for.
pub(crate) async fn connect(url: &str, stop: &CancellationToken) -> anyhow::Result<Option<Chain>> {
	loop {
		let attempt = tokio::select! {
			() = stop.cancelled() => return Ok(None),
			attempt = Chain::connect(url) => attempt,
		};
		match attempt {
			Ok(chain) => return Ok(Some(chain)),
			Err(error @ ConnectError::Unreachable { .. }) => {
				tracing::warn!("waiting for the node: {error}");
				tokio::select! {
					() = stop.cancelled() => return Ok(None),
					() = sleep(CONNECT_PAUSE) => {},
				}
			}
			Err(error) => return Err(error.into()),
		}
	}
}

/// Serves a daemon's figures at /metrics until it is stopped.
pub(crate) fn serve_figures(
	listener: TcpListener,
	render: impl Fn() -> Option<String> + Clone + Send + Sync + 'static,
	stop: CancellationToken,
) {
	let figures = move || {
		let text = render();
		async move {
			let text = text.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
			Ok::<_, StatusCode>(([("content-type", "text/plain; version=0.0.4")], text))
		}
	};
	let router = Router::new().route("/metrics", get(figures));
	let bounds = Bounds {
		connections: CONNECTIONS,
		idle: IDLE,
		drain: IDLE,
	};
	tokio::spawn(server::serve(listener, router, bounds, stop));
}

/// The configuration, once it can be used.
fn read(global: &Global, command: WatchCommand) -> Result<DaemonConfig> {
	let options = [
		("node_url", global.node.clone()),
		("watch.account", command.account.or(global.key.clone())),
		("watch.data_dir", command.data_dir),
		("listen", command.listen.map(|address| address.to_string())),
	];
	let mut config: DaemonConfig = config::daemon(global, "MILLRACE_WATCH_", &options)
		.map_err(|error| error.hint(format!("--account names who pays; {MANUAL}")))?;
	config.watch.own.extend(command.own);
	if command.no_sandbox {
		config.sandbox.mode = SandboxMode::Off;
	}
	if config.watch.data_dir.as_os_str().is_empty() {
		config.watch.data_dir = default_folder()
			.ok_or_else(|| CliError::usage("bad_config", "there is no folder; give --data-dir"))?;
	}
	config
		.watch
		.check()
		.map_err(|error| CliError::usage("bad_config", error.to_string()).hint(MANUAL))?;
	Ok(config)
}

/// `$XDG_DATA_HOME/millrace/watch` or `~/.local/share/millrace/watch`.
fn default_folder() -> Option<PathBuf> {
	let folder = std::env::var_os("XDG_DATA_HOME")
		.map(PathBuf::from)
		.or_else(|| {
			std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"))
		})?;
	Some(folder.join("millrace/watch"))
}

/// What the user can set right is wrong use, anything else a failure.
fn failed(error: anyhow::Error) -> CliError {
	match error.downcast_ref::<millrace_watcher::WatchError>() {
		Some(
			error @ (millrace_watcher::WatchError::Config(_)
			| millrace_watcher::WatchError::Account(_)),
		) => CliError::usage("bad_config", error.to_string()).hint(MANUAL),
		_ => CliError::daemon(error),
	}
}

/// Where a node is looked for.
pub(crate) fn default_node() -> String {
	"ws://127.0.0.1:9944".into()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{cli::Cli, errors::Kind};
	use clap::Parser;
	use millrace_watcher::Mode;

	fn config(text: &str, options: &[&str]) -> Result<DaemonConfig> {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let file = folder.path().join("watch.toml");
		std::fs::write(&file, text).expect("a file");
		let file = file.display().to_string();
		let line = ["millrace", "watch", "--config", &file];
		let cli = Cli::try_parse_from(line.iter().chain(options)).expect("it is a command line");
		let crate::cli::Command::Watch(command) = cli.command else {
			panic!("it is another command");
		};
		read(&cli.global, command)
	}

	#[test]
	fn an_account_is_enough() {
		let plain = config("", &["--account", "//Dave", "--data-dir", "d"]).expect("enough");
		assert_eq!(plain.watch.account, Path::new("//Dave"));
		assert_eq!(plain.watch.data_dir, Path::new("d"));
		assert_eq!(plain.sandbox.mode, SandboxMode::Process);
		assert_eq!(plain.node_url, "ws://127.0.0.1:9944");
		// The key that signs elsewhere signs here.
		let keyed = config("", &["--key", "//Eve", "--data-dir", "d"]).expect("enough");
		assert_eq!(keyed.watch.account, Path::new("//Eve"));
		let none = config("", &[]).expect_err("nobody pays");
		assert_eq!((none.kind, none.code.as_str()), (Kind::Usage, "bad_config"));
		assert!(none.hint.is_some_and(|hint| hint.contains("--account")));
	}

	#[test]
	fn the_file_says_the_rest_and_options_go_before_it() {
		let text = "listen = \"127.0.0.1:1\"\n[sandbox]\nmode = \"off\"\n\
			[watch]\naccount = \"//Dave\"\nmode = \"own\"\nmax_open_bonds = 2\ndata_dir = \"d\"\n";
		let id = format!("0x{}", "11".repeat(32));
		let read = config(text, &["--account", "//Eve", "--own", &id]).expect("it is whole");
		assert_eq!(read.watch.account, Path::new("//Eve"));
		assert_eq!((read.watch.mode, read.watch.max_open_bonds), (Mode::Own, 2));
		assert_eq!(read.watch.own.len(), 1);
		assert_eq!(read.sandbox.mode, SandboxMode::Off);
		assert!(read.listen.is_some());
		let wrong = format!("{text}bonds = 1\n");
		assert_eq!(
			config(&wrong, &[]).expect_err("misspelt").code,
			"bad_config"
		);
		let none = "[watch]\naccount = \"//Dave\"\nmax_open_bonds = 0\n";
		let refused = config(none, &["--data-dir", "d"]).expect_err("no bond");
		assert!(refused.message.contains("from 1 to"), "{refused}");
	}

	#[tokio::test]
	async fn a_key_that_is_not_there_is_wrong_use() {
		let missing = millrace_watcher::WatchError::from(
			millrace_client::AccountKey::load(Path::new("no-such-file.json"))
				.expect_err("there is none"),
		);
		assert_eq!(failed(missing.into()).kind, Kind::Usage);
		assert_eq!(
			failed(anyhow::anyhow!("the disk failed")).kind,
			Kind::Failure
		);
	}
}
