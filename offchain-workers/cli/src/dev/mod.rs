//! `millrace dev`: the whole market on one machine, from the first block to the refund.

pub(crate) mod tether;

mod anchor;
mod expect;
mod flow;
mod money;
mod network;
mod observer;
mod process;
mod report;
mod rewards;
mod rpc;

use crate::{
	cli::Global,
	commands::until_stopped,
	context::write_line,
	errors::{CliError, Kind, Result},
	ui::Steps,
};
use clap::Args;
use network::Network;
use report::Report;
use serde_json::{Map, Value};
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
};

/// Run the demo: a chain, a provider with two peers, a gateway and a client, on this machine.
///
/// The provider stakes and proves; the client uploads a package, makes a deal, calls it, checks every
/// receipt against the chain and ends the deal, and the provider's rewards are claimed. A checkpoint goes
/// to an anchor in a process of its own, and every receipt is checked down to it. Then stakes, payments, refund and rewards are computed again from the rules, and compared with what
/// the chain did. The exit status is not 0 if anything differs.
// scripts/demo.sh gives its own paths first, and the caller may give others after them.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct DevCommand {
	/// Leave everything running at the end, and print the URLs; Ctrl-C ends it.
	#[arg(long)]
	keep: bool,
	/// Folder for all data and logs, which then stays [default: a temporary one].
	#[arg(long, value_name = "DIR")]
	data_dir: Option<PathBuf>,
	/// The node's program [default: millrace-node beside this program, else on the PATH].
	#[arg(long, value_name = "FILE")]
	node_binary: Option<PathBuf>,
	/// Module that the deal runs.
	#[arg(
		long,
		value_name = "FILE",
		default_value = "tests/guests/out/thumbnail.wasm"
	)]
	package: PathBuf,
	/// Body of each call.
	#[arg(
		long,
		value_name = "FILE",
		default_value = "tests/guests/samples/photo.png"
	)]
	input: PathBuf,
	/// Folder for the responses [default: `responses` in the data folder, which is then kept].
	#[arg(long, value_name = "DIR")]
	out: Option<PathBuf>,
	/// Number of calls.
	#[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
	calls: u32,
	/// Units of each peer.
	#[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
	units: u32,
}

/// Does it.
pub(crate) async fn run(global: &Global, command: DevCommand) -> Result<ExitCode> {
	for file in [&command.package, &command.input] {
		if !file.is_file() {
			let message = format!("there is no file {}", file.display());
			return Err(CliError::usage("file_missing", message)
				.hint("scripts/demo.sh builds the samples; --package and --input take others"));
		}
	}
	let folder = data_folder(command.data_dir.as_deref())?;
	let out = command
		.out
		.clone()
		.unwrap_or_else(|| folder.join("responses"));
	std::fs::create_dir_all(&out).map_err(|error| unwritable(&out, &error))?;

	let steps = Steps::start();
	steps.done(&format!("data and logs in {}", folder.display()));
	let mut network = Network::new(&folder);
	let outcome = tokio::select! {
		outcome = flow::run(&mut network, &command, &out, &steps) => outcome,
		() = until_stopped() => {
			Err(CliError::new(Kind::Failure, "interrupted", "stopped before the end"))
		}
	};
	let report = match outcome {
		Ok(report) => report,
		Err(error) => {
			let logs = network.logs();
			network.stop().await;
			let hint = error
				.hint
				.clone()
				.unwrap_or_else(|| format!("logs: {}", logs.join(", ")));
			return Err(error.hint(hint));
		}
	};
	let urls = network.urls();
	steps.done("done");
	drop(steps);
	let outcome = conclude(global, &report, &folder);
	if command.keep {
		eprintln!("{urls}\nCtrl-C ends everything.");
		until_stopped().await;
	}
	network.stop().await;
	outcome
}

/// Shows the report. In JSON that of a demo which failed stands in its error: there is one object.
fn conclude(global: &Global, report: &Report, folder: &Path) -> Result<ExitCode> {
	let details = match serde_json::to_value(report) {
		Ok(Value::Object(details)) => details,
		Ok(_) => Map::new(),
		Err(error) => return Err(CliError::from(anyhow::Error::from(error))),
	};
	if !global.json {
		write_line(&report.table());
	} else if report.ok {
		write_line(&format!("{:#}", Value::Object(details.clone())));
	}
	if report.ok {
		return Ok(ExitCode::SUCCESS);
	}
	let mismatches = report.mismatches.join("; ");
	Err(CliError::new(Kind::Verification, "demo_failed", mismatches)
		.hint(format!("data and logs are in {}", folder.display()))
		.details(details))
}

/// The folder that is asked for, which must be empty, or a new temporary one.
///
/// It is not removed: it has the responses and the logs that the result is judged by.
fn data_folder(wanted: Option<&Path>) -> Result<PathBuf> {
	let Some(folder) = wanted else {
		return tempfile::Builder::new()
			.prefix("millrace-dev-")
			.tempdir()
			.map(tempfile::TempDir::keep)
			.map_err(|error| unwritable(&std::env::temp_dir(), &error));
	};
	std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
	let mut entries = std::fs::read_dir(folder).map_err(|error| unwritable(folder, &error))?;
	if entries.next().is_some() {
		let message = format!("{} is not empty", folder.display());
		return Err(CliError::usage("folder_not_empty", message)
			.hint("every run makes a chain of its own: name a new folder"));
	}
	// Children have other working folders in mind when they see a relative path.
	folder
		.canonicalize()
		.map_err(|error| unwritable(folder, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
	let message = format!("cannot write {}: {error}", path.display());
	CliError::new(Kind::Failure, "file_unwritable", message)
}
