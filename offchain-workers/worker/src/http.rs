//! The HTTP door.

use crate::{
	calls::{Answer, Calls},
	errors::{Refusal, StoreError},
	metrics::{Metrics, ProverMetrics},
	packages::Packages,
	receipts::ReceiptStore,
};
use axum::{
	body::{Body, Bytes},
	extract::{Path, Request as HttpRequest, State},
	http::{header, request::Parts, HeaderName, HeaderValue, StatusCode},
	response::{IntoResponse, Response},
	routing::{any, get},
	Json, Router,
};
use codec::Encode;
use millrace_client::ReceiptProof;
use millrace_http::{
	body::{self, BodyError},
	error::error_body,
};
use millrace_primitives::{
	execution::{CallStatus, Request},
	peer::PeerId,
	DealId, EpochIndex,
};
use millrace_prover::{Progress, Prover};
use serde_json::{json, Value};
use std::{sync::Arc, time::Duration};
use tokio::{
	sync::Semaphore,
	task::spawn_blocking,
	time::{timeout, Instant},
};
use tracing::error;

/// Carries the signed receipt: SCALE in hexadecimal.
const RECEIPT: HeaderName = HeaderName::from_static("x-millrace-receipt");
/// Says how the guest ended.
const STATUS: HeaderName = HeaderName::from_static("x-millrace-status");
/// Says how much gas it used.
const GAS: HeaderName = HeaderName::from_static("x-millrace-gas");
/// Carries the beginning of what it wrote to standard error, percent-encoded.
const STDERR: HeaderName = HeaderName::from_static("x-millrace-stderr");
/// Bytes of standard error that are sent: common servers take headers of 8 KiB, and each byte may
/// need three.
const MAX_STDERR: usize = 2 * 1024;

/// Most bytes of path, query and content type together. All of them reach the guest, and whoever
/// challenges a receipt must bring them before the chain.
const MAX_HEAD_BYTES: usize = 8 * 1024;
/// Longest method, which reaches the guest too.
const MAX_METHOD_BYTES: usize = 32;
/// Proofs that are put together at once: the tree of an epoch may have to be built for one.
pub const PROOFS_AT_ONCE: usize = 2;
/// Longest wait for a turn to put a proof together.
const PROOF_PATIENCE: Duration = Duration::from_secs(5);

/// What the handlers need.
#[derive(Debug)]
pub struct Door {
	/// Runs calls.
	pub calls: Arc<Calls>,
	/// Holds receipts.
	pub store: Arc<ReceiptStore>,
	/// Holds packages.
	pub packages: Arc<Packages>,
	/// Finds solutions.
	pub prover: Arc<Prover>,
	/// Counts.
	pub metrics: Metrics,
	/// The peer.
	pub peer: PeerId,
	/// Longest time that a body may take to arrive.
	pub body_timeout: Duration,
	/// Turns to put proofs together: [`PROOFS_AT_ONCE`].
	pub proofs: Arc<Semaphore>,
}

/// The routes.
pub fn router(door: Arc<Door>) -> Router {
	Router::new()
		.route("/deals/{id}", any(call))
		.route("/deals/{id}/", any(call))
		.route("/deals/{id}/{*path}", any(call))
		.route("/receipts/{epoch}/{seq}", get(receipt))
		.route("/healthz", get(health))
		.route("/metrics", get(metrics))
		.fallback(|| async { Refusal::NotFound })
		.method_not_allowed_fallback(|| async { Refusal::MethodNotAllowed })
		.with_state(door)
}

async fn call(State(door): State<Arc<Door>>, request: HttpRequest) -> Response {
	let started = Instant::now();
	match serve(&door, request).await {
		Ok(answer) => {
			door.metrics
				.call_seconds
				.observe(started.elapsed().as_secs_f64());
			respond(answer)
		}
		Err(refusal) => {
			door.metrics
				.refused
				.with_label_values(&[refusal.code()])
				.inc();
			refusal.into_response()
		}
	}
}

async fn serve(door: &Door, request: HttpRequest) -> Result<Answer, Refusal> {
	let (parts, body) = request.into_parts();
	let (deal, path) = split_path(parts.uri.path())?;
	let head = guest_request(&parts, path)?;
	let limit = door.calls.request_bytes(deal)?;
	let body = read_body(body, limit, door.body_timeout).await?;
	let admission = door.calls.admit(deal)?;
	door.calls
		.execute(admission, Request { body, ..head })
		.await
}

/// Deal and rest of `/deals/{id}/…`. The rest stays as it was sent, percent signs and all, since a
/// receipt names its hash.
fn split_path(path: &str) -> Result<(DealId, String), Refusal> {
	let mut segments = path.splitn(4, '/').skip(2);
	let id = segments.next().unwrap_or_default();
	let deal = id
		.parse()
		.map_err(|_| Refusal::BadRequest(format!("\"{id}\" is no deal")))?;
	Ok((deal, format!("/{}", segments.next().unwrap_or_default())))
}

/// What the guest is asked, without the body.
fn guest_request(parts: &Parts, path: String) -> Result<Request, Refusal> {
	let content_type = parts.headers.get(header::CONTENT_TYPE);
	let request = Request {
		method: parts.method.as_str().to_owned(),
		path,
		query: parts.uri.query().unwrap_or_default().to_owned(),
		content_type: content_type
			.and_then(|value| value.to_str().ok())
			.unwrap_or_default()
			.to_owned(),
		body: Vec::new(),
	};
	let bytes = request.path.len() + request.query.len() + request.content_type.len();
	if bytes > MAX_HEAD_BYTES || request.method.len() > MAX_METHOD_BYTES {
		return Err(Refusal::RequestHeadTooLarge {
			limit: MAX_HEAD_BYTES,
		});
	}
	Ok(request)
}

async fn read_body(body: Body, limit: u32, time: Duration) -> Result<Vec<u8>, Refusal> {
	match body::read(body, limit.into(), time).await {
		Ok(body) => Ok(body.into()),
		Err(BodyError::TooLarge) => Err(Refusal::BodyTooLarge { limit }),
		Err(BodyError::Incomplete) => Err(Refusal::BodyIncomplete),
	}
}

fn respond(answer: Answer) -> Response {
	let Answer {
		receipt,
		response,
		stderr,
	} = answer;
	let (status, gas) = (receipt.receipt.status, receipt.receipt.gas);
	let mut http = match failure(status) {
		None => {
			let content_type = [(header::CONTENT_TYPE, "application/octet-stream")];
			(StatusCode::OK, content_type, response).into_response()
		}
		Some((code, message, hint)) => {
			(StatusCode::BAD_GATEWAY, error_body(code, &message, hint)).into_response()
		}
	};
	let headers = http.headers_mut();
	let mut insert = |name: HeaderName, value: String| {
		// Digits, letters and percent signs only.
		if let Ok(value) = HeaderValue::try_from(value) {
			headers.insert(name, value);
		}
	};
	insert(RECEIPT, format!("0x{}", hex::encode(receipt.encode())));
	insert(STATUS, status_text(status));
	insert(GAS, gas.to_string());
	if !stderr.is_empty() {
		insert(
			STDERR,
			percent_encode(&stderr[..stderr.len().min(MAX_STDERR)]),
		);
	}
	http
}

/// Code, message and hint of a guest's failure.
fn failure(status: CallStatus) -> Option<(&'static str, String, &'static str)> {
	let failed = match status {
		CallStatus::Exited(0) => return None,
		CallStatus::Exited(code) => (
			"guest_failed",
			format!("the function exited with code {code}"),
			"its standard error is in the header x-millrace-stderr",
		),
		CallStatus::Trapped => (
			"guest_trapped",
			"the function trapped".into(),
			"run it with `millrace run` on the same request to see where",
		),
		CallStatus::OutOfGas => (
			"guest_out_of_gas",
			"the function used up the deal's gas for a call".into(),
			"send less, or create a deal with a higher gas limit",
		),
		CallStatus::StackOverflow => (
			"guest_stack_overflow",
			"the function's stack passed the profile's limit".into(),
			"recurse less deeply",
		),
		CallStatus::ResponseTooLarge => (
			"response_too_large",
			"the function wrote more than the deal allows for a response".into(),
			"ask for less, or create a deal with a higher response limit",
		),
	};
	Some(failed)
}

fn status_text(status: CallStatus) -> String {
	match status {
		CallStatus::Exited(code) => format!("exited:{code}"),
		CallStatus::Trapped => "trapped".into(),
		CallStatus::OutOfGas => "out_of_gas".into(),
		CallStatus::StackOverflow => "stack_overflow".into(),
		CallStatus::ResponseTooLarge => "response_too_large".into(),
	}
}

/// Escapes everything but visible ASCII and the space; the percent sign too.
fn percent_encode(bytes: &[u8]) -> String {
	let mut text = String::with_capacity(bytes.len());
	for byte in bytes {
		match byte {
			b'%' => text.push_str("%25"),
			b' '..=b'~' => text.push(char::from(*byte)),
			_ => text.push_str(&format!("%{byte:02X}")),
		}
	}
	text
}

async fn receipt(
	State(door): State<Arc<Door>>,
	Path((epoch, seq)): Path<(String, String)>,
) -> Result<Json<ReceiptProof>, Refusal> {
	let number = |text: &str| {
		text.parse::<u32>()
			.map_err(|_| Refusal::BadRequest(format!("\"{text}\" is no number")))
	};
	let (epoch, seq) = (number(&epoch)?, number(&seq)?);
	let turn = timeout(PROOF_PATIENCE, door.proofs.clone().acquire_owned()).await;
	let Ok(Ok(turn)) = turn else {
		return Err(Refusal::Busy);
	};
	let store = door.store.clone();
	let proof = spawn_blocking(move || {
		// Given back when the work ends, not when the client gives up.
		let _turn = turn;
		prove(&store, epoch, seq)
	});
	match proof.await {
		Ok(outcome) => outcome.map(Json),
		Err(error) => {
			error!("a thread failed: {error}");
			Err(Refusal::Internal)
		}
	}
}

fn prove(store: &ReceiptStore, epoch: EpochIndex, seq: u32) -> Result<ReceiptProof, Refusal> {
	let failed = |error: StoreError| {
		error!("the store cannot be read: {error}");
		Refusal::Internal
	};
	let report = store
		.report(epoch)
		.map_err(failed)?
		.ok_or(Refusal::NotReported(epoch))?
		.report;
	let proof = store.proof(&report, seq).map_err(failed)?;
	let (receipt, path) = proof.ok_or(Refusal::ReceiptUnknown { epoch, seq })?;
	Ok(ReceiptProof {
		report,
		receipt,
		path,
	})
}

async fn health(State(door): State<Arc<Door>>) -> Response {
	let snapshot = door.calls.snapshot();
	let fresh = snapshot
		.as_ref()
		.is_some_and(|snapshot| snapshot.is_fresh());
	let progress = door.prover.progress();
	let deals = snapshot.as_ref().map_or(0, |snapshot| {
		let ready = snapshot
			.due()
			.filter(|deal| !snapshot.closed && door.packages.module(deal.package.hash).is_ok());
		ready.count()
	});
	let body = json!({
		"ok": fresh,
		"peer": door.peer,
		"key_active": snapshot.as_ref().is_some_and(|snapshot| snapshot.key_active),
		// The epoch from which on calls are served, while the data directory is too new for them.
		"serves_from": snapshot
			.as_ref()
			.filter(|snapshot| snapshot.closed)
			.map(|snapshot| snapshot.epoch.info.index.saturating_add(1)),
		"block": snapshot.as_ref().map(|snapshot| snapshot.block),
		"epoch": snapshot.as_ref().map(|snapshot| snapshot.epoch.info.index),
		"block_age_seconds": snapshot.as_ref().map(|snapshot| snapshot.age().as_secs()),
		"deals_ready": deals,
		"prover": prover(&progress, &door.metrics.prover),
	});
	let status = if fresh {
		StatusCode::OK
	} else {
		StatusCode::SERVICE_UNAVAILABLE
	};
	(status, Json(body)).into_response()
}

/// Where the search stands, and whether it is fast enough.
fn prover(progress: &Progress, metrics: &ProverMetrics) -> Value {
	json!({
		"mode": progress.mode,
		"threads": progress.threads,
		"epoch": progress.epoch,
		"found": progress.found(),
		"owed": progress.owed(),
		"filling": progress.filling,
		"rate": progress.rate,
		"rate_needed": metrics.rate_needed.get(),
		// Units will be missed: the measured rate is below the one that is needed.
		"too_slow": metrics.too_slow.get() != 0,
		"eta_seconds": progress.eta_seconds,
		"trouble": progress.trouble,
	})
}

async fn metrics(State(door): State<Arc<Door>>) -> Response {
	let metrics = &door.metrics;
	metrics.prover.show(&door.prover.progress());
	match metrics.render() {
		Ok(text) => {
			let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
			(content_type, Bytes::from(text)).into_response()
		}
		Err(error) => {
			error!("the metrics cannot be shown: {error}");
			Refusal::Internal.into_response()
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_path_is_split_after_the_deal_and_stays_as_sent() {
		assert_eq!(split_path("/deals/7"), Ok((7, "/".into())));
		assert_eq!(split_path("/deals/7/"), Ok((7, "/".into())));
		assert_eq!(
			split_path("/deals/7/a%20b//c/"),
			Ok((7, "/a%20b//c/".into()))
		);
		assert!(matches!(
			split_path("/deals/seven"),
			Err(Refusal::BadRequest(_))
		));
		assert!(matches!(
			split_path("/deals/-1/x"),
			Err(Refusal::BadRequest(_))
		));
	}

	#[test]
	fn what_reaches_the_guest_beside_the_body_is_bounded_to_the_byte() {
		let ask = |method: &str, path: usize, query: usize, content_type: usize| {
			let path = format!("/{}", "p".repeat(path - 1));
			let (parts, ()) = axum::http::Request::builder()
				.method(method)
				.uri(format!("/deals/7{path}?{}", "q".repeat(query)))
				.header(header::CONTENT_TYPE, "c".repeat(content_type))
				.body(())
				.expect("a request")
				.into_parts();
			guest_request(&parts, path).map(|request| request.query.len())
		};
		let refusal = Err(Refusal::RequestHeadTooLarge { limit: 8_192 });
		assert_eq!(ask("GET", 4_000, 4_000, 192), Ok(4_000));
		assert_eq!(ask("GET", 4_001, 4_000, 192), refusal);
		assert_eq!(ask("GET", 4_000, 4_001, 192), refusal);
		assert_eq!(ask("GET", 4_000, 4_000, 193), refusal);
		assert_eq!(ask(&"M".repeat(32), 1, 0, 0), Ok(0));
		assert_eq!(ask(&"M".repeat(33), 1, 0, 0), refusal);
	}

	#[test]
	fn standard_error_survives_a_header() {
		let text = percent_encode("50 % of \u{e4}\n".as_bytes());
		assert_eq!(text, "50 %25 of %C3%A4%0A");
		assert!(HeaderValue::try_from(text).is_ok());
	}

	#[test]
	fn the_search_is_told_with_these_fields() {
		let metrics = Metrics::new().expect("the names are distinct and valid");
		metrics.prover.rate_needed.set(100.0);
		metrics.prover.too_slow.set(1);
		let progress = Progress {
			epoch: Some(7),
			owed_idle: 8,
			owed_busy: 2,
			found_idle: 4,
			found_busy: 1,
			rate: 12.5,
			eta_seconds: Some(30.0),
			threads: 4,
			mode: millrace_prover::Mode::Light,
			filling: Some(0.5),
			trouble: Some("no memory".into()),
			..Progress::default()
		};
		assert_eq!(
			prover(&progress, &metrics.prover),
			json!({
				"mode": "light", "threads": 4, "epoch": 7, "found": 5, "owed": 10, "filling": 0.5,
				"rate": 12.5, "rate_needed": 100.0, "too_slow": true, "eta_seconds": 30.0,
				"trouble": "no memory",
			})
		);
	}

	#[tokio::test]
	async fn a_body_that_is_not_taken_is_refused() {
		let time = Duration::from_millis(20);
		let whole = read_body(Body::from("1234"), 4, time).await;
		assert_eq!(whole, Ok(b"1234".to_vec()));
		let long = read_body(Body::from("12345"), 4, time).await;
		assert_eq!(long, Err(Refusal::BodyTooLarge { limit: 4 }));
		let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();
		let slow = read_body(Body::from_stream(never), 4, time).await;
		assert_eq!(slow, Err(Refusal::BodyIncomplete));
	}

	#[test]
	fn every_way_to_fail_has_its_code() {
		let codes = [
			CallStatus::Exited(1),
			CallStatus::Trapped,
			CallStatus::OutOfGas,
			CallStatus::StackOverflow,
			CallStatus::ResponseTooLarge,
		]
		.map(|status| failure(status).map(|(code, _, _)| code));
		assert_eq!(
			codes,
			[
				Some("guest_failed"),
				Some("guest_trapped"),
				Some("guest_out_of_gas"),
				Some("guest_stack_overflow"),
				Some("response_too_large"),
			]
		);
		assert!(failure(CallStatus::Exited(0)).is_none());
	}
}
