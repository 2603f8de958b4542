//! `millrace`: one tool for providers, clients, gateways and development networks.
//!
//! Standard output carries results and nothing else; progress, logs and errors go to standard
//! error. See [`errors`] for the exit status.

mod arguments;
mod cli;
mod commands;
mod config;
mod context;
mod dev;
mod errors;
mod files;
mod http;
mod logs;
mod ui;

use clap::Parser;
use std::{process::ExitCode, time::Duration};

fn main() -> ExitCode {
	let cli = cli::Cli::parse();
	let as_json = cli.global.json;
	match run(cli) {
		Ok(code) => code,
		Err(error) => {
			error.print(as_json);
			error.exit_code()
		}
	}
}

fn run(cli: cli::Cli) -> errors::Result<ExitCode> {
	logs::init(&cli);
	let runtime = tokio::runtime::Builder::new_multi_thread()
		.enable_all()
		.build()
		.map_err(|error| errors::CliError::from(anyhow::Error::from(error)))?;
	let outcome = runtime.block_on(commands::dispatch(cli));
	// A thread that waits for standard input must not keep the process.
	runtime.shutdown_timeout(Duration::from_secs(1));
	outcome
}
