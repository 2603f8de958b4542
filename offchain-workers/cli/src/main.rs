//! `millrace`: one tool for providers, clients, gateways and development networks.
//!
//! Standard output carries results and nothing else; progress, logs and errors go to standard
//! error. With `--json` it carries exactly one JSON object, which is the error's if the command
//! fails; only `deal watch` writes one a line, as the deal changes. See [`errors`] for the exit
//! status.

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
mod order;
mod ui;

use clap::Parser;
use std::{process::ExitCode, time::Duration};

fn main() -> ExitCode {
	let arguments = match order::expand(std::env::args_os().collect()) {
		Ok(arguments) => arguments,
		Err(error) => {
			error.print(wants_json());
			return error.exit_code();
		}
	};
	let cli = match cli::Cli::try_parse_from(arguments) {
		Ok(cli) => cli,
		Err(error) => return not_parsed(&error),
	};
	let as_json = cli.global.json;
	match run(cli) {
		Ok(code) => code,
		Err(error) => {
			error.print(as_json);
			error.exit_code()
		}
	}
}

/// Whether JSON is asked for, where the command line is not read.
fn wants_json() -> bool {
	std::env::args_os().any(|argument| argument == "--json")
}

/// Says what is wrong with the command line, or what help was asked for.
fn not_parsed(error: &clap::Error) -> ExitCode {
	if error.use_stderr() && wants_json() {
		let text = error.render().to_string();
		let error = errors::CliError::usage("bad_usage", text.trim_end());
		error.print(true);
		return error.exit_code();
	}
	// Nobody is left to tell if that fails.
	let _ = error.print();
	ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
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
