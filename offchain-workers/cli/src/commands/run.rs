//! `millrace run`: a package on this machine, under the workers' engine profile.

use crate::{
	arguments,
	commands::{package, spec::LimitArgs},
	context::Context,
	errors::{CliError, Kind, Result},
	files, ui,
};
use bytes::Bytes;
use clap::Args;
use millrace_executor::{CallOutput, EngineConfig, OwnedInput};
use millrace_primitives::{
	execution::{
		package_hash, response_hash, CallStatus, Request, MAX_MEMORY_BYTES, MAX_REQUEST_BYTES,
		MAX_RESPONSE_BYTES,
	},
	market::{CallLimits, Hosts},
	replay::{ReplayInput, ReplayOutcome},
	H256,
};
use millrace_sandbox::{GuestCall, Guests, InProcess, NoEffector};
use serde_json::{json, Map, Value};
use std::{
	path::PathBuf,
	process::ExitCode,
	sync::Arc,
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::task::spawn_blocking;

/// Longest time of a local call; gas ends most of them before.
const LONGEST: Duration = Duration::from_secs(300);

/// Run a package locally under the workers' engine profile.
///
/// The response goes to standard output; status, gas and the guest's standard error go to standard
/// error. With --json all of it is one object, the response in hexadecimal unless --out names a
/// file. The limits are those that a deal has where nothing else is said. Hosts are asked by workers
/// alone: here a guest is told that it may ask none. The exit status is 0 if the guest exits with 0.
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
	/// What the call may use.
	#[command(flatten)]
	limits: LimitArgs,
	/// The guest's clock in milliseconds since 1970 [default: now].
	#[arg(long, value_name = "MS")]
	clock: Option<u64>,
	/// Seed of the guest's randomness.
	#[arg(long, value_name = "HASH", value_parser = arguments::hash)]
	seed: Option<H256>,
	/// Have the chain's judge run the call too, and compare.
	#[arg(long)]
	judge: bool,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: RunCommand) -> Result<ExitCode> {
	let module = files::read(&command.module)?;
	package::validate(&module)?;
	let body = command.input.as_deref().map(files::read).transpose()?;
	let request = request(&command, body);
	let limits = bounded(command.limits.limits());
	let size = request.body.len();
	if size > limits.request_bytes as usize {
		let limit = limits.request_bytes;
		let message = format!("the input has {size} bytes, and a request may have {limit}");
		return Err(CliError::new(Kind::Failure, "body_too_large", message)
			.hint("--request raises the limit, here and in `millrace deal create`"));
	}
	let clock_ms = command.clock.unwrap_or_else(now_ms);
	let seed = command.seed.unwrap_or_default();
	let input = OwnedInput {
		request: Arc::new(request),
		limits,
		hosts: Hosts::default(),
		clock_ms,
		seed,
	};
	let spinner = ui::Spinner::start("the function runs");
	let output = call(&module, input.clone()).await;
	drop(spinner);
	let output = output?;
	let mut told = tell(context, &output);
	if command.judge {
		let spinner = ui::Spinner::start("the judge runs");
		let judged = judge(module, input, &output).await;
		drop(spinner);
		let seconds = judged.map_err(|error| error.details(told.clone()))?;
		if !context.json() {
			eprintln!("the judge agrees, after {seconds:.3} s");
		}
		told.insert("judge_seconds".into(), json!(seconds));
	}
	if let Some(error) = failure(output.status) {
		return Err(error.details(told));
	}
	context.deliver("response", &output.response, command.out.as_deref(), told)?;
	Ok(ExitCode::SUCCESS)
}

/// Limits, none of them above what a deal can have.
fn bounded(limits: CallLimits) -> CallLimits {
	CallLimits {
		memory_bytes: limits.memory_bytes.min(MAX_MEMORY_BYTES),
		request_bytes: limits.request_bytes.min(MAX_REQUEST_BYTES),
		response_bytes: limits.response_bytes.min(MAX_RESPONSE_BYTES),
		..limits
	}
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

async fn call(module: &[u8], input: OwnedInput) -> Result<CallOutput> {
	let config = EngineConfig {
		max_concurrent_calls: 1,
		max_wall_clock: Some(LONGEST),
		..EngineConfig::default()
	};
	let failed = |code: &str, message: String| CliError::new(Kind::Failure, code, message);
	let guests = InProcess::new(config).map_err(|error| failed("engine", error.to_string()))?;
	guests
		.prepare(Bytes::copy_from_slice(module))
		.await
		.map_err(|error| failed("package_invalid", error.to_string()))?;
	let call = GuestCall {
		deal: 0,
		package: package_hash(module),
		places: 1,
		input,
		effects: Arc::new(NoEffector),
	};
	guests
		.call(call)
		.await
		.map_err(|error| failed("engine", error.to_string()))
}

/// Has the judge run the call as far as the engine says that it goes. The seconds that it took.
async fn judge(module: Vec<u8>, input: OwnedInput, output: &CallOutput) -> Result<f64> {
	let input = ReplayInput {
		request: (*input.request).clone(),
		transcript: output.transcript.clone(),
		limits: input.limits,
		hosts: input.hosts,
		clock_ms: input.clock_ms,
		seed: input.seed,
		claimed_gas: output.gas,
	};
	let started = Instant::now();
	let judged = spawn_blocking(move || millrace_executor::replay(&module, &input)).await;
	let found = judged
		.map_err(|error| CliError::new(Kind::Failure, "engine", error.to_string()))?
		.outcome;
	let expected = ReplayOutcome::Ended {
		status: output.status,
		response: response_hash(&output.response),
		gas: output.gas,
	};
	if found != expected {
		let message = format!("the judge says {found:?}, and the engine {expected:?}");
		return Err(
			CliError::new(Kind::Verification, "judge_disagrees", message)
				.hint("please report it, with the package and the request"),
		);
	}
	Ok(started.elapsed().as_secs_f64())
}

/// Says what happened on standard error, since standard output has the response; gives it as fields
/// of the one JSON object.
fn tell(context: &Context, output: &CallOutput) -> Map<String, Value> {
	let stderr = String::from_utf8_lossy(&output.stderr);
	if !context.json() {
		if !stderr.is_empty() {
			eprintln!("{}", stderr.trim_end());
		}
		eprintln!("status: {:?}, gas: {}", output.status, output.gas);
	}
	let mut told = Map::new();
	told.insert("status".into(), json!(output.status));
	told.insert("gas".into(), output.gas.into());
	told.insert("stderr".into(), stderr.into());
	told
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
	use crate::commands::spec::DEFAULT_LIMITS;

	#[test]
	fn a_run_has_the_limits_of_a_deal_and_none_above_the_protocols() {
		assert_eq!(bounded(DEFAULT_LIMITS), DEFAULT_LIMITS);
		let endless = CallLimits {
			gas: u64::MAX,
			memory_bytes: u32::MAX,
			request_bytes: u32::MAX,
			response_bytes: u32::MAX,
		};
		let most = CallLimits {
			gas: u64::MAX,
			memory_bytes: MAX_MEMORY_BYTES,
			request_bytes: MAX_REQUEST_BYTES,
			response_bytes: MAX_RESPONSE_BYTES,
		};
		assert_eq!(bounded(endless), most);
	}

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
