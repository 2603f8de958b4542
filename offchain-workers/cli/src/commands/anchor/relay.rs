//! The relayer's daemon.

use crate::{
	cli::Global,
	commands::{anchor::Servers, until_stopped, watch},
	config,
	errors::{CliError, Result},
};
use anyhow::Context as _;
use clap::Args;
use millrace_anchor::{Metrics, RelayConfig, RelayError};
use serde::Deserialize;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where every key stands.
const MANUAL: &str = "docs/anchor.md has every key with its default and bounds";

/// What the relayer is set up by.
///
/// Reads --config, then MILLRACE_RELAY_ variables (MILLRACE_RELAY_ANCHOR__POLL_MS sets `poll_ms` in
/// `[anchor]`), then the options here.
#[derive(Debug, Args)]
pub(crate) struct RelayArgs {
	/// Account of the chain that reports offences: a key file, or a development name such as //Dave
	/// [default: --key].
	#[arg(long, value_name = "KEY")]
	account: Option<String>,
	/// Serve the figures at /metrics of this address, such as 127.0.0.1:9630.
	#[arg(long, value_name = "ADDRESS")]
	listen: Option<SocketAddr>,
	#[command(flatten)]
	servers: Servers,
}

/// The daemon's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DaemonConfig {
	/// WebSocket URL of a node.
	#[serde(default = "watch::default_node")]
	node_url: String,
	/// Address at which the figures are served.
	#[serde(default)]
	listen: Option<SocketAddr>,
	/// The anchor.
	anchor: RelayConfig,
}

/// Does it.
pub(crate) async fn relay(global: &Global, args: RelayArgs) -> Result<()> {
	let config = read(global, args)?;
	let stop = CancellationToken::new();
	let guard = stop.clone();
	tokio::spawn(async move {
		until_stopped().await;
		guard.cancel();
	});
	let metrics = Metrics::new().map_err(CliError::daemon)?;
	if let Some(address) = config.listen {
		let listener = TcpListener::bind(address)
			.await
			.with_context(|| format!("cannot listen at {address}"))
			.map_err(CliError::daemon)?;
		let shown = metrics.clone();
		watch::serve_figures(listener, move || shown.render().ok(), stop.clone());
	}
	let connected = watch::connect(&config.node_url, &stop).await;
	let Some(chain) = connected.map_err(CliError::daemon)? else {
		return Ok(());
	};
	millrace_anchor::run(config.anchor, chain, stop, metrics).await?;
	Ok(())
}

/// The configuration, once it can be used.
fn read(global: &Global, args: RelayArgs) -> Result<DaemonConfig> {
	let servers = args.servers;
	let options = [
		("node_url", global.node.clone()),
		("anchor.account", args.account.or(global.key.clone())),
		("anchor.key", servers.anchor_key),
		(
			"anchor.contract",
			servers.contract.map(|contract| contract.to_string()),
		),
		("listen", args.listen.map(|address| address.to_string())),
	];
	let lists = [("anchor.rpcs", servers.rpcs)];
	let config: DaemonConfig =
		config::daemon_with_lists(global, "MILLRACE_RELAY_", &options, &lists)
			.map_err(|error| error.hint(format!("--anchor names a server; {MANUAL}")))?;
	config
		.anchor
		.check()
		.map_err(|error| CliError::from(RelayError::from(error)).hint(MANUAL))?;
	Ok(config)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::cli::Cli;
	use clap::Parser;

	fn config(text: &str, options: &[&str]) -> Result<DaemonConfig> {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let file = folder.path().join("relay.toml");
		std::fs::write(&file, text).expect("a file");
		let file = file.display().to_string();
		let line = ["millrace", "anchor", "relay", "--config", &file];
		let cli = Cli::try_parse_from(line.iter().chain(options)).expect("it is a command line");
		let crate::cli::Command::Anchor(command) = cli.command else {
			panic!("it is another command");
		};
		let crate::commands::anchor::AnchorCommand::Relay(args) = *command else {
			panic!("it is another command");
		};
		read(&cli.global, args)
	}

	#[test]
	fn servers_are_enough() {
		let urls = "http://a:1,http://b:1";
		let plain = config("", &["--anchor", urls, "--key", "//Dave"]).expect("enough");
		assert_eq!(plain.anchor.rpcs, ["http://a:1", "http://b:1"]);
		assert_eq!(plain.anchor.account.as_deref(), Some("//Dave"));
		assert_eq!(plain.anchor.key, None);
		let none = config("", &[]).expect_err("nobody to ask");
		assert!(none.hint.is_some_and(|hint| hint.contains("--anchor")));
	}

	#[test]
	fn the_file_says_the_rest_and_options_go_before_it() {
		let text = "[anchor]\nrpcs = [\"http://a:1\"]\nkey = \"dev:0\"\npoll_ms = 500\n";
		let read = config(text, &["--anchor-key", "dev:1"]).expect("it is whole");
		assert_eq!(read.anchor.key.as_deref(), Some("dev:1"));
		assert_eq!((read.anchor.poll_ms, read.anchor.rpcs.len()), (500, 1));
		let wrong = format!("{text}poll = 1\n");
		assert_eq!(
			config(&wrong, &[]).expect_err("misspelt").code,
			"bad_config"
		);
		let twice = "[anchor]\nrpcs = [\"http://a:1\", \"http://a:1\"]\n";
		assert_eq!(
			config(twice, &[]).expect_err("one server").code,
			"bad_anchor"
		);
	}
}
