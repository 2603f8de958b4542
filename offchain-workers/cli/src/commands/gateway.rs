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
	/// key), then the options here. The data directory must be given.
	Run {
		/// Folder of packages.
		#[arg(long, value_name = "DIR")]
		data_dir: Option<String>,
		/// Address to listen at, such as 0.0.0.0:8090 [default: 127.0.0.1:8090].
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
	config
		.check()
		.map_err(|error| CliError::usage("bad_config", error.to_string()))?;
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

#[cfg(test)]
mod tests {
	use super::*;
	use crate::errors::Kind;

	#[tokio::test]
	async fn a_value_out_of_its_bounds_is_wrong_use() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("gateway.toml");
		std::fs::write(&path, "[limits]\nconcurrent_calls = 0\n").expect("the folder is writable");
		let global = Global {
			config: Some(path),
			node: Some("ws://127.0.0.1:1".into()),
			..Global::default()
		};
		let command = GatewayCommand::Run {
			data_dir: Some(folder.path().display().to_string()),
			listen: Some("127.0.0.1:0".into()),
		};
		let error = run(&global, command).await.expect_err("nobody is served");
		assert_eq!(
			(error.kind, error.code.as_str()),
			(Kind::Usage, "bad_config")
		);
		assert!(error.message.contains("from 1 to"), "{error}");
	}
}
