//! Logs: to standard error, `RUST_LOG` decides where it is set.

use crate::cli::{Cli, Command};
use tracing_subscriber::EnvFilter;

/// Begins to log. Daemons say what they do, commands only what is wrong.
pub(crate) fn init(cli: &Cli) {
	let daemon = matches!(cli.command, Command::Worker(_) | Command::Gateway(_));
	let level = match (daemon, cli.global.verbose) {
		(false, 0) => "warn",
		(true, 0) => "info",
		(_, 1) => {
			"millrace=debug,millrace_client=debug,millrace_worker=debug,\
			millrace_gateway=debug,millrace_prover=debug,millrace_executor=debug,info"
		}
		_ => "debug",
	};
	let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
	let logs = tracing_subscriber::fmt()
		.with_writer(std::io::stderr)
		.with_env_filter(filter);
	if cli.global.log_json {
		logs.json().init();
	} else {
		logs.init();
	}
}
