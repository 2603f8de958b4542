//! `millrace invoke`: a call through a gateway.

use crate::{
	commands::access::CallerArgs,
	context::Context,
	errors::{CliError, Kind, Result},
	files,
	http::{self, Answer, Http},
	ui,
};
use bytes::Bytes;
use clap::Args;
use codec::{DecodeAll, Encode};
use millrace_primitives::{
	execution::{response_hash, Request, SignedReceipt},
	DealId, H256,
};
use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};
use std::{path::PathBuf, process::ExitCode};

/// Call a deal through a gateway.
///
/// The response goes to standard output, what the receipt says to standard error. With --json all
/// of it is one object, the response in hexadecimal unless --out names a file.
#[derive(Debug, Args)]
pub(crate) struct InvokeCommand {
	/// The deal.
	deal: DealId,
	/// Path below the deal, with a query if there is one.
	#[arg(default_value = "/")]
	path: String,
	/// HTTP method [default: POST with a body, else GET].
	#[arg(long, short = 'X')]
	method: Option<String>,
	/// Request body: a file, or `-` for standard input.
	#[arg(long, short, value_name = "FILE")]
	data: Option<PathBuf>,
	/// Content type of the body.
	#[arg(long, value_name = "TYPE")]
	content_type: Option<String>,
	/// Write the response here instead of to standard output.
	#[arg(long, short, value_name = "FILE")]
	out: Option<PathBuf>,
	/// Who calls.
	#[command(flatten)]
	caller: CallerArgs,
	/// Keep the receipt here.
	#[arg(long, value_name = "FILE")]
	receipt: Option<PathBuf>,
}

/// A receipt as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedReceipt {
	/// The signed receipt, SCALE in hexadecimal.
	pub(crate) receipt: String,
}

impl SavedReceipt {
	/// The form of a receipt that is kept.
	pub(crate) fn new(receipt: &SignedReceipt) -> Self {
		Self {
			receipt: format!("0x{}", hex::encode(receipt.encode())),
		}
	}

	/// The receipt in it.
	pub(crate) fn decode(&self) -> Result<SignedReceipt> {
		decode_receipt(&self.receipt)
	}
}

/// Does it. A guest that fails is told by the exit status; its output is shown all the same.
pub(crate) async fn run(context: &Context, command: InvokeCommand) -> Result<ExitCode> {
	let body = match &command.data {
		Some(path) => Bytes::from(files::read(path)?),
		None => Bytes::new(),
	};
	let method = match &command.method {
		Some(method) => method
			.to_ascii_uppercase()
			.parse::<::http::Method>()
			.map_err(|_| CliError::usage("bad_method", format!("{method} is no HTTP method")))?,
		None if command.data.is_some() => ::http::Method::POST,
		None => ::http::Method::GET,
	};
	let url = deal_url(&context.settings.gateway, command.deal, &command.path);
	let genesis = match command.caller.signs() {
		true => context.chain().await?.genesis(),
		false => H256::zero(),
	};
	let request = asked(
		&method,
		&command.path,
		command.content_type.as_deref(),
		&body,
	);
	let credential = command.caller.credential(genesis, command.deal, &request)?;
	let has_body = method != ::http::Method::HEAD;
	let spinner = ui::Spinner::start(format!("waiting for deal {}", command.deal));
	let answer = Http::new()
		.send_as(
			method,
			&url,
			command.content_type.as_deref(),
			body,
			credential,
		)
		.await;
	drop(spinner);
	let answer = answer?;
	let receipt = receipt_of(&answer)?;
	if let (Some(path), Some(receipt)) = (&command.receipt, &receipt) {
		let saved = serde_json::to_vec_pretty(&SavedReceipt::new(receipt))
			.map_err(|error| CliError::from(anyhow::Error::from(error)))?;
		context.keep(path, &saved)?;
	}
	let told = tell(context, &answer, receipt.as_ref());
	if let Some(receipt) = &receipt {
		let succeeded = receipt.receipt.status.is_success();
		// A guest that failed has no response; what came describes the failure.
		let response: &[u8] = if succeeded { &answer.body } else { &[] };
		if has_body || !succeeded {
			check_response(receipt, response).map_err(|error| error.details(told.clone()))?;
		}
	}
	let answer = answer
		.success()
		.map_err(|error| error.details(told.clone()))?;
	context.deliver("response", &answer.body, command.out.as_deref(), told)?;
	Ok(ExitCode::SUCCESS)
}

/// Where a gateway serves a deal.
pub(crate) fn deal_url(gateway: &str, deal: DealId, path: &str) -> String {
	let path = path.strip_prefix('/').unwrap_or(path);
	let separator = if path.is_empty() || path.starts_with('?') {
		""
	} else {
		"/"
	};
	http::join(gateway, &format!("/deals/{deal}{separator}{path}"))
}

/// The request as worker and guest will see it: what a key signs.
fn asked(method: &::http::Method, path: &str, content_type: Option<&str>, body: &[u8]) -> Request {
	let (path, query) = path.split_once('?').unwrap_or((path, ""));
	Request {
		method: method.to_string(),
		path: format!("/{}", path.strip_prefix('/').unwrap_or(path)),
		query: query.into(),
		content_type: content_type.unwrap_or_default().into(),
		body: body.to_vec(),
	}
}

/// The receipt in an answer's headers; an answer that reached no guest has none.
pub(crate) fn receipt_of(answer: &Answer) -> Result<Option<SignedReceipt>> {
	answer
		.header("x-millrace-receipt")
		.map(decode_receipt)
		.transpose()
}

/// Checks that a response is the one that its receipt names.
pub(crate) fn check_response(receipt: &SignedReceipt, response: &[u8]) -> Result<()> {
	if receipt.receipt.response == response_hash(response) {
		return Ok(());
	}
	Err(CliError::new(
		Kind::Verification,
		"response_hash",
		"the response is not the one that the receipt names",
	))
}

/// Reads a receipt from hexadecimal.
pub(crate) fn decode_receipt(text: &str) -> Result<SignedReceipt> {
	let text = text.trim();
	let broken = |reason: String| {
		CliError::new(
			Kind::Verification,
			"receipt_undecodable",
			format!("no receipt: {reason}"),
		)
	};
	let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text))
		.map_err(|error| broken(error.to_string()))?;
	SignedReceipt::decode_all(&mut &bytes[..]).map_err(|error| broken(error.to_string()))
}

/// Text in which `%` and two digits stand for a byte.
fn percent_decode(text: &str) -> String {
	let mut bytes = Vec::with_capacity(text.len());
	let mut rest = text.as_bytes();
	while let Some((first, after)) = rest.split_first() {
		let escaped = match (first, after) {
			(b'%', [high, low, ..]) => hex::decode([*high, *low]).ok(),
			_ => None,
		};
		match escaped {
			Some(byte) => {
				bytes.extend(byte);
				rest = after.get(2..).unwrap_or_default();
			}
			None => {
				bytes.push(*first);
				rest = after;
			}
		}
	}
	String::from_utf8_lossy(&bytes).into_owned()
}

/// Says what came beside the response on standard error, since standard output has the response;
/// gives it as fields of the one JSON object.
fn tell(context: &Context, answer: &Answer, receipt: Option<&SignedReceipt>) -> Map<String, Value> {
	let stderr = answer.header("x-millrace-stderr").map(percent_decode);
	let fields = receipt.map(|signed| &signed.receipt);
	if !context.json() {
		if let Some(stderr) = stderr.as_deref().filter(|text| !text.is_empty()) {
			eprintln!("{}", stderr.trim_end());
		}
		if let Some(receipt) = fields {
			eprintln!(
				"receipt: peer {}, epoch {}, number {}, {:?}, {} gas, block {}",
				receipt.peer,
				receipt.epoch,
				receipt.seq,
				receipt.status,
				receipt.gas,
				receipt.block,
			);
		}
	}
	let mut told = Map::new();
	told.insert("receipt".into(), json!(fields));
	told.insert("stderr".into(), json!(stderr));
	told
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn paths_are_joined_with_one_slash() {
		assert_eq!(deal_url("http://gate:1/", 7, "/"), "http://gate:1/deals/7");
		assert_eq!(
			deal_url("http://gate:1", 7, "/a/b?c=d"),
			"http://gate:1/deals/7/a/b?c=d"
		);
		assert_eq!(
			deal_url("http://gate:1", 7, "?c=d"),
			"http://gate:1/deals/7?c=d"
		);
	}

	#[test]
	fn what_is_signed_is_what_the_guest_will_see() {
		let of = |path: &str| {
			let request = asked(&::http::Method::POST, path, None, b"in");
			(request.path, request.query)
		};
		let pair = |path: &str, query: &str| (path.to_string(), query.to_string());
		assert_eq!(of("/"), pair("/", ""));
		assert_eq!(of(""), pair("/", ""));
		assert_eq!(of("a%20b/c?d=e?f"), pair("/a%20b/c", "d=e?f"));
		assert_eq!(of("/a/"), pair("/a/", ""));
		assert_eq!(of("?d"), pair("/", "d"));
	}

	#[test]
	fn standard_error_is_read_from_its_header() {
		assert_eq!(percent_decode("100%25 sure%0A"), "100% sure\n");
		assert_eq!(percent_decode("%zz %"), "%zz %");
	}

	#[test]
	fn what_is_no_receipt_is_refused() {
		assert_eq!(
			decode_receipt("0x00").expect_err("too short").code,
			"receipt_undecodable"
		);
		assert_eq!(
			decode_receipt("zz").expect_err("no hex").code,
			"receipt_undecodable"
		);
	}
}
