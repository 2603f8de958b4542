//! `millrace gateway`: the clients' HTTP door.

use crate::{
	cli::Global,
	commands::until_stopped,
	config,
	errors::{CliError, Result},
};
use clap::Subcommand;
use millrace_gateway::GatewayConfig;
use tokio_util::sync::CancellationToken;

/// The clients' HTTP door.
#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
	/// Serve packages and route calls to live workers until it is stopped.
	///
	/// Reads --config, then MILLRACE_GATEWAY_ variables (two underscores between a table and its
	/// key), then the options here.
	Run {
		/// Folder of packages.
		#[arg(long, value_name = "DIR")]
		data_dir: Option<String>,
		/// Address to listen at, such as 0.0.0.0:8090.
		#[arg(long, value_name = "ADDRESS")]
		listen: Option<String>,
	},
}

/// Does it.
pub(crate) async fn run(global: &Global, command: GatewayCommand) -> Result<()> {
	let GatewayCommand::Run { data_dir, listen } = command;
	let options = [
		("node_url", global.node.clone()),
		("data_dir", data_dir),
		("listen", listen),
	];
	let config: GatewayConfig = config::daemon(global, "MILLRACE_GATEWAY_", &options)?;
	let stop = CancellationToken::new();
	let guard = stop.clone();
	tokio::spawn(async move {
		until_stopped().await;
		guard.cancel();
	});
	millrace_gateway::run(config, stop)
		.await
		.map_err(CliError::daemon)
}
