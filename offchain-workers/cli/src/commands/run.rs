//! `millrace run`: a package on this machine, under the workers' engine profile.

use crate::{
	arguments,
	commands::package,
	context::Context,
	errors::{CliError, Kind, Result},
	files,
};
use clap::Args;
use millrace_executor::{CallInput, CallOutput, Engine, EngineConfig};
use millrace_primitives::{
	execution::{CallStatus, Request, MAX_MEMORY_BYTES, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES},
	market::CallLimits,
	Gas, H256,
};
use serde_json::json;
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Longest time of a local call; gas ends most of them before.
const LONGEST: Duration = Duration::from_secs(300);

/// Run a package locally under the workers' engine profile.
///
/// The response goes to standard output; status, gas and the guest's standard error go to standard
/// error. The exit status is 0 if the guest exits with 0.
#[derive(Debug, Args)]
pub(crate) struct RunCommand {
	/// The module.
	module: PathBuf,
	/// Path below the deal, with a query if there is one.
	#[arg(long, default_value = "/")]
	path: String,
	/// HTTP method [default: POST with a body, else GET].
	#[arg(long, short = 'X')]
	method: Option<String>,
	/// Request body: a file, or `-` for standard input.
	#[arg(long, short, value_name = "FILE")]
	input: Option<PathBuf>,
	/// Content type of the body.
	#[arg(long, value_name = "TYPE", default_value = "")]
	content_type: String,
	/// Write the response here instead of to standard output.
	#[arg(long, short, value_name = "FILE")]
	out: Option<PathBuf>,
	/// Gas of the call.
	#[arg(long, default_value_t = 10_000_000_000)]
	gas: Gas,
	/// Memory of the guest in MiB.
	#[arg(long, value_name = "MIB", default_value_t = MAX_MEMORY_BYTES / (1024 * 1024))]
	memory: u32,
	/// Largest response in KiB.
	#[arg(long, value_name = "KIB", default_value_t = MAX_RESPONSE_BYTES / 1024)]
	response: u32,
	/// The guest's clock in milliseconds since 1970 [default: now].
	#[arg(long, value_name = "MS")]
	clock: Option<u64>,
	/// Seed of the guest's randomness.
	#[arg(long, value_name = "HASH", value_parser = arguments::hash)]
	seed: Option<H256>,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: RunCommand) -> Result<ExitCode> {
	let module = files::read(&command.module)?;
	package::validate(&module)?;
	let body = command.input.as_deref().map(files::read).transpose()?;
	let request = request(&command, body);
	let limits = CallLimits {
		gas: command.gas,
		memory_bytes: command
			.memory
			.saturating_mul(1024 * 1024)
			.min(MAX_MEMORY_BYTES),
		request_bytes: MAX_REQUEST_BYTES,
		response_bytes: command
			.response
			.saturating_mul(1024)
			.min(MAX_RESPONSE_BYTES),
	};
	let clock_ms = command.clock.unwrap_or_else(now_ms);
	let seed = command.seed.unwrap_or_default();
	let input = CallInput {
		request: &request,
		limits,
		clock_ms,
		seed,
	};
	let output = call(&module, &input)?;
	tell(context, &output);
	if let Some(error) = failure(output.status) {
		return Err(error);
	}
	files::write(
		command.out.as_deref().unwrap_or(Path::new("-")),
		&output.response,
	)?;
	Ok(ExitCode::SUCCESS)
}

fn request(command: &RunCommand, body: Option<Vec<u8>>) -> Request {
	let default_method = if body.is_some() { "POST" } else { "GET" };
	let (path, query) = command
		.path
		.split_once('?')
		.unwrap_or((command.path.as_str(), ""));
	let slash = if path.starts_with('/') { "" } else { "/" };
	Request {
		method: command
			.method
			.clone()
			.unwrap_or_else(|| default_method.into()),
		path: format!("{slash}{path}"),
		query: query.into(),
		content_type: command.content_type.clone(),
		body: body.unwrap_or_default(),
	}
}

fn call(module: &[u8], input: &CallInput<'_>) -> Result<CallOutput> {
	let config = EngineConfig {
		max_concurrent_calls: 1,
		max_wall_clock: LONGEST,
		..EngineConfig::default()
	};
	let failed = |code: &str, message: String| CliError::new(Kind::Failure, code, message);
	let engine = Engine::new(config).map_err(|error| failed("engine", error.to_string()))?;
	let module = engine
		.load(module)
		.map_err(|error| failed("package_invalid", error.to_string()))?;
	engine
		.call(&module, input)
		.map_err(|error| failed("engine", error.to_string()))
}

/// Says what happened, on standard error: standard output has the response.
fn tell(context: &Context, output: &CallOutput) {
	let stderr = String::from_utf8_lossy(&output.stderr);
	if context.json() {
		let told = json!({ "status": output.status, "gas": output.gas, "stderr": stderr });
		eprintln!("{told}");
		return;
	}
	if !stderr.is_empty() {
		eprintln!("{}", stderr.trim_end());
	}
	eprintln!("status: {:?}, gas: {}", output.status, output.gas);
}

/// The guest's failure, under the code that a gateway gives it.
fn failure(status: CallStatus) -> Option<CliError> {
	let (code, message) = match status {
		CallStatus::Exited(0) => return None,
		CallStatus::Exited(code) => (
			"guest_failed",
			format!("the function exited with code {code}"),
		),
		CallStatus::Trapped => ("guest_trapped", "the function trapped".into()),
		CallStatus::OutOfGas => (
			"guest_out_of_gas",
			"the function used up its gas; raise it with --gas".into(),
		),
		CallStatus::StackOverflow => (
			"guest_stack_overflow",
			"the function's stack passed the profile's limit".into(),
		),
		CallStatus::ResponseTooLarge => (
			"response_too_large",
			"the function wrote more than --response allows".into(),
		),
	};
	Some(CliError::new(Kind::Failure, code, message))
}

fn now_ms() -> u64 {
	let since = SystemTime::now()
		.duration_since(UNIX_EPOCH)
		.unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn only_a_guest_that_exits_with_0_succeeds() {
		assert!(failure(CallStatus::Exited(0)).is_none());
		let codes = [
			(CallStatus::Exited(3), "guest_failed"),
			(CallStatus::Trapped, "guest_trapped"),
			(CallStatus::OutOfGas, "guest_out_of_gas"),
			(CallStatus::StackOverflow, "guest_stack_overflow"),
			(CallStatus::ResponseTooLarge, "response_too_large"),
		];
		for (status, code) in codes {
			assert_eq!(failure(status).expect("that is a failure").code, code);
		}
	}
}
