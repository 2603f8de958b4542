//! `millrace worker`: the provider's daemon.

use crate::{
	cli::Global,
	commands::until_stopped,
	config,
	errors::{CliError, Result},
};
use clap::Subcommand;
use millrace_worker::WorkerConfig;
use tokio_util::sync::CancellationToken;

/// The provider's daemon.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
	/// Prove, serve and report for one peer until it is stopped.
	///
	/// Reads --config, then MILLRACE_WORKER_ variables (MILLRACE_WORKER_PROVER__THREADS sets
	/// `threads` in `[prover]`), then the options here.
	Run {
		/// Folder of everything that must survive a restart.
		#[arg(long, value_name = "DIR")]
		data_dir: Option<String>,
		/// The peer's key file.
		#[arg(long, value_name = "FILE")]
		peer_key: Option<String>,
		/// Address to listen at, such as 0.0.0.0:8650.
		#[arg(long, value_name = "ADDRESS")]
		listen: Option<String>,
	},
}

/// Does it.
pub(crate) async fn run(global: &Global, command: WorkerCommand) -> Result<()> {
	let WorkerCommand::Run {
		data_dir,
		peer_key,
		listen,
	} = command;
	let options = [
		("node_url", global.node.clone()),
		("data_dir", data_dir),
		("peer_key", peer_key),
		("listen", listen),
	];
	let config: WorkerConfig = config::daemon(global, "MILLRACE_WORKER_", &options)?;
	let stop = CancellationToken::new();
	let guard = stop.clone();
	tokio::spawn(async move {
		until_stopped().await;
		guard.cancel();
	});
	millrace_worker::run(config, stop)
		.await
		.map_err(CliError::daemon)
}
