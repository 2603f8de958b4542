//! `millrace worker`: the provider's daemon.

use crate::{
	cli::Global,
	commands::until_stopped,
	config,
	errors::{CliError, Result},
	ui::ProverBar,
};
use clap::Subcommand;
use millrace_worker::{ConfigError, Hooks, WorkerConfig};
use std::net::SocketAddr;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Where every key stands.
const MANUAL: &str =
	"docs/run-a-provider.md, under Configuration, has every key with its default and bounds";

/// The provider's daemon.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
	/// Prove, serve and report for one peer until it is stopped.
	///
	/// Reads --config, then MILLRACE_WORKER_ variables (MILLRACE_WORKER_PROVER__THREADS sets
	/// `threads` in `[prover]`), then the options here. Data directory and peer key must be given.
	Run {
		/// Folder of everything that must survive a restart.
		#[arg(long, value_name = "DIR", value_parser = given)]
		data_dir: Option<String>,
		/// The peer's key file.
		#[arg(long, value_name = "FILE", value_parser = given)]
		peer_key: Option<String>,
		/// Address to listen at, such as 0.0.0.0:8650 [default: 127.0.0.1:8650].
		#[arg(long, value_name = "ADDRESS", value_parser = address)]
		listen: Option<SocketAddr>,
		/// Run other peers' receipts again too; this account pays the bonds of challenges and earns
		/// bounties. The same as `account` in `[watch]`.
		#[arg(long, value_name = "KEY", value_parser = given)]
		watch: Option<String>,
	},
}

fn address(text: &str) -> std::result::Result<SocketAddr, String> {
	text.parse().map_err(|_| {
		"write an IP address and a port, such as 0.0.0.0:8650 or [::]:8650".to_string()
	})
}

fn given(text: &str) -> std::result::Result<String, String> {
	match text {
		"" => Err("write a path".into()),
		_ => Ok(text.into()),
	}
}

/// Does it.
pub(crate) async fn run(global: &Global, command: WorkerCommand) -> Result<()> {
	let config = read(global, command)?;
	let stop = CancellationToken::new();
	let guard = stop.clone();
	tokio::spawn(async move {
		until_stopped().await;
		guard.cancel();
	});
	let mut hooks = Hooks::default();
	let mut bar = None;
	if ProverBar::is_wanted(global.log_json) {
		let (sender, receiver) = watch::channel(Default::default());
		hooks.progress = Some(sender);
		bar = Some(ProverBar::start(receiver));
	}
	let outcome = millrace_worker::run_with(config, stop, hooks).await;
	drop(bar);
	outcome.map_err(failed)
}

/// The configuration, once it can be used.
fn read(global: &Global, command: WorkerCommand) -> Result<WorkerConfig> {
	let WorkerCommand::Run {
		data_dir,
		peer_key,
		listen,
		watch,
	} = command;
	let options = [
		("node_url", global.node.clone()),
		("data_dir", data_dir),
		("peer_key", peer_key),
		("listen", listen.map(|address| address.to_string())),
		("watch.account", watch),
	];
	let config: WorkerConfig =
		config::daemon(global, "MILLRACE_WORKER_", &options).map_err(|error| error.hint(MANUAL))?;
	config.check().map_err(|error| failed(error.into()))?;
	Ok(config)
}

/// A configuration that cannot be used is wrong use, anything else a failure.
fn failed(error: anyhow::Error) -> CliError {
	match error.downcast_ref::<ConfigError>() {
		Some(error) => CliError::usage("bad_config", error.to_string()).hint(MANUAL),
		None => CliError::daemon(error),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{cli::Cli, errors::Kind};
	use clap::{CommandFactory, Parser};
	use std::path::Path;

	/// Reads what a command line and a configuration file say.
	fn config(folder: &Path, text: &str, options: &[&str]) -> Result<WorkerConfig> {
		let file = folder.join("worker.toml");
		std::fs::write(&file, text).expect("a file");
		let file = file.display().to_string();
		let line = ["millrace", "worker", "run", "--config", &file];
		let cli = Cli::try_parse_from(line.iter().chain(options)).expect("it is a command line");
		let crate::cli::Command::Worker(command) = cli.command else {
			panic!("it is another command");
		};
		read(&cli.global, command)
	}

	#[test]
	fn what_cannot_be_used_is_wrong_use_and_says_what_to_do() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let refusal = |text: &str, options: &[&str]| {
			let text = format!("data_dir = \"d\"\npeer_key = \"p\"\n{text}");
			let error = config(folder.path(), &text, options).expect_err("it cannot be used");
			assert_eq!(
				(error.kind, error.code.as_str()),
				(Kind::Usage, "bad_config")
			);
			assert_eq!(error.kind as u8, 2);
			assert!(error
				.hint
				.as_deref()
				.is_some_and(|hint| hint.contains("docs/")));
			error.message
		};
		for (text, said) in [
			(
				"[limits]\nconnections = 0",
				"limits.connections is 0; it must be from 1 to",
			),
			(
				"[limits]\nqueued_calls = 2305843009213693952",
				"it must be from 0 to 1000000",
			),
			("[limits]\nconnections = -1", "connections"),
			("[limits]\nretention_epochs = 1", "at least 2"),
			(
				"[prover]\nthreads = 0",
				"prover.threads is 0; it must be from 1 to",
			),
			("[prover]\ncores = \"1023\"", "prover.cores names 1023"),
			("[prover]\ncores = \"none\"", "\"0-3,8\""),
			("[prover]\nmode = \"quick\"", "quick"),
			("listen = \"here\"", "listen"),
			("node_url = \"node\"", "ws://127.0.0.1:9944"),
			("public_endpoint = \"node\"", "http://host:port"),
		] {
			let message = refusal(text, &[]);
			assert!(message.contains(said), "{text}: {message}");
		}
		let message = refusal("", &["--node", "http://127.0.0.1:1"]);
		assert!(message.contains("WebSocket URL such as ws://"), "{message}");
	}

	#[test]
	fn options_and_defaults_make_a_configuration() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let config = config(
			folder.path(),
			"[prover]\nthreads = 1\nmode = \"light\"\n",
			&["--data-dir", "d", "--peer-key", "p", "--listen", "[::1]:1"],
		)
		.expect("it can be used");
		assert_eq!(config.node_url, "ws://127.0.0.1:9944");
		assert_eq!(config.listen.to_string(), "[::1]:1");
		assert_eq!(config.prover.threads, Some(1));
		assert_eq!(config.watch, None);
	}

	#[test]
	fn an_account_makes_a_worker_watch() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let options = ["--data-dir", "d", "--peer-key", "p", "--watch", "//Dave"];
		let watched = |text: &str| {
			let config = config(folder.path(), text, &options).expect("it can be used");
			config.watch.expect("it watches")
		};
		assert_eq!(watched("").account, Path::new("//Dave"));
		let watch = watched("[watch]\naccount = \"other\"\nmax_open_bonds = 9\n");
		assert_eq!(watch.account, Path::new("//Dave"));
		assert_eq!(watch.max_open_bonds, 9);
	}

	#[tokio::test]
	async fn what_shows_only_at_the_start_is_wrong_use_too() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let missing = folder.path().join("peer.json").display().to_string();
		let options = ["--data-dir", "d", "--peer-key", missing.as_str()];
		let config = config(folder.path(), "", &options).expect("it is well-formed");
		let outcome = millrace_worker::run(config, CancellationToken::new()).await;
		let error = failed(outcome.expect_err("there is no key"));
		assert_eq!(error.kind, Kind::Usage);
		assert!(
			error.message.contains("millrace key generate peer"),
			"{}",
			error.message
		);
		// A disk that fails is no wrong use.
		assert_eq!(
			failed(anyhow::anyhow!("the disk failed")).kind,
			Kind::Failure
		);
	}

	#[test]
	fn a_flag_that_cannot_be_meant_is_refused_with_what_to_write() {
		for (options, said) in [
			(["--listen", "here"], "such as 0.0.0.0:8650"),
			(["--data-dir", ""], "write a path"),
			(["--peer-key", ""], "write a path"),
			(["--watch", ""], "write a path"),
		] {
			let line = ["millrace", "worker", "run"];
			let error = Cli::try_parse_from(line.iter().chain(&options)).expect_err("refused");
			assert_eq!(error.exit_code(), 2);
			assert!(error.to_string().contains(said), "{error}");
		}
	}

	#[test]
	fn the_help_shows_each_default_once() {
		let mut cli = Cli::command();
		cli.build();
		let run = cli
			.find_subcommand_mut("worker")
			.and_then(|worker| worker.find_subcommand_mut("run"))
			.expect("there is such a command");
		for help in [
			run.render_help().to_string(),
			run.render_long_help().to_string(),
		] {
			let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
			for default in [
				"ws://127.0.0.1:9944",
				"http://127.0.0.1:8090",
				"127.0.0.1:8650",
			] {
				let shown = help.matches(&format!("[default: {default}]")).count();
				assert_eq!(shown, 1, "{default} in\n{help}");
				assert_eq!(help.matches(default).count(), 1, "{default} in\n{help}");
			}
		}
	}
}
