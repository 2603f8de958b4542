//! The HTTP door.

use crate::{
	access::{Doorkeeper, Visitor},
	calls::{Answer, Calls},
	errors::{Refusal, StoreError},
	metrics::{Metrics, ProverMetrics},
	packages::Packages,
	receipts::ReceiptStore,
};
use axum::{
	body::{Body, Bytes},
	extract::{rejection::QueryRejection, Path, Query, Request as HttpRequest, State},
	http::{header, request::Parts, HeaderMap, HeaderName, HeaderValue, StatusCode},
	response::{IntoResponse, Response},
	routing::{any, get},
	Json, Router,
};
use codec::Encode;
use millrace_client::{vouchers, ReceiptProof};
use millrace_http::{
	body::{self, BodyError},
	error::error_body,
};
use millrace_primitives::{
	execution::{CallStatus, Receipt, Request, UNVERIFIED},
	peer::PeerId,
	DealId, EpochIndex, H256,
};
use millrace_prover::{Progress, Prover};
use millrace_sandbox::Protection;
use serde::Deserialize;
use serde_json::{json, Value};
use std::{sync::Arc, time::Duration};
use tokio::{
	sync::{OwnedSemaphorePermit, Semaphore},
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
/// Says whether the chain can run the call again: `replay` or `none`.
const VERIFIED: HeaderName = HeaderName::from_static("x-millrace-verified");
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
/// Proofs and evidence that are put together at once: the tree of an epoch may have to be built for
/// one.
pub const PROOFS_AT_ONCE: usize = 2;
/// Longest wait for a turn to put one together.
const PROOF_PATIENCE: Duration = Duration::from_secs(5);

/// What the handlers need.
#[derive(Debug)]
pub struct Door {
	/// Runs calls.
	pub calls: Arc<Calls>,
	/// Lets callers in.
	pub doorkeeper: Arc<Doorkeeper>,
	/// Holds receipts.
	pub store: Arc<ReceiptStore>,
	/// Holds packages.
	pub packages: Arc<Packages>,
	/// Finds solutions.
	pub prover: Arc<Prover>,
	/// Counts.
	pub metrics: Metrics,
	/// The watcher's counts, if there is one.
	pub watch: Option<millrace_watcher::Metrics>,
	/// The peer.
	pub peer: PeerId,
	/// Longest time that a body may take to arrive.
	pub body_timeout: Duration,
	/// Turns to put proofs and evidence together: [`PROOFS_AT_ONCE`].
	pub proofs: Arc<Semaphore>,
}

/// The routes.
pub fn router(door: Arc<Door>) -> Router {
	Router::new()
		.route("/deals/{id}", any(call))
		.route("/deals/{id}/", any(call))
		.route("/deals/{id}/{*path}", any(call))
		.route("/receipts/{epoch}/{seq}", get(receipt))
		.route("/receipts/{epoch}/{seq}/evidence", get(evidence))
		.route("/packages/{hash}", get(package))
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
	let visitor = meet(door, deal, &parts)?;
	let body = read_body(body, limit, door.body_timeout).await?;
	let request = Request { body, ..head };
	let mut admission = door.calls.admit(deal)?;
	door.doorkeeper.let_in(&visitor, &request)?;
	let voucher = vouchers::from_headers(&parts.headers);
	door.calls.pay(&mut admission, voucher)?;
	door.calls.execute(admission, request).await
}

/// Who calls, before the body is here.
fn meet(door: &Door, deal: DealId, parts: &Parts) -> Result<Visitor, Refusal> {
	let snapshot = door.calls.snapshot().ok_or(Refusal::ChainUnreachable)?;
	let assignment = snapshot.serves(deal)?;
	door.doorkeeper.meet(assignment, parts)
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
	let mut insert = |name: HeaderName, value: Vec<u8>| {
		// Digits, letters and percent signs only.
		if let Ok(value) = HeaderValue::try_from(value) {
			headers.insert(name, value);
		}
	};
	insert(RECEIPT, in_hex(&receipt.encode()));
	insert(STATUS, status_text(status).into());
	insert(GAS, gas.to_string().into());
	let verified = match receipt.receipt.profile & UNVERIFIED {
		0 => "replay",
		_ => "none",
	};
	insert(VERIFIED, verified.into());
	if !stderr.is_empty() {
		insert(
			STDERR,
			percent_encode(&stderr[..stderr.len().min(MAX_STDERR)]).into(),
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

/// Bytes in hexadecimal, written in place: a receipt has hundreds.
fn in_hex(bytes: &[u8]) -> Vec<u8> {
	let mut text = vec![b'0'; 2 + 2 * bytes.len()];
	text[1] = b'x';
	// Fails for another length only.
	let _ = hex::encode_to_slice(bytes, &mut text[2..]);
	text
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
	let (epoch, seq) = (number(&epoch)?, number(&seq)?);
	let store = door.store.clone();
	in_turn(&door, move || prove(&store, epoch, seq))
		.await
		.map(Json)
}

fn number(text: &str) -> Result<u32, Refusal> {
	text.parse()
		.map_err(|_| Refusal::BadRequest(format!("\"{text}\" is no number")))
}

fn hash(text: &str) -> Result<H256, Refusal> {
	let mut hash = H256::zero();
	let digits = text.trim_start_matches("0x");
	hex::decode_to_slice(digits, hash.as_bytes_mut())
		.map_err(|_| Refusal::BadRequest(format!("\"{text}\" is no hash")))?;
	Ok(hash)
}

async fn turn(door: &Door) -> Result<OwnedSemaphorePermit, Refusal> {
	match timeout(PROOF_PATIENCE, door.proofs.clone().acquire_owned()).await {
		Ok(Ok(turn)) => Ok(turn),
		_ => Err(Refusal::Busy),
	}
}

/// Does what takes time and disk, a few at a time.
async fn in_turn<T: Send + 'static>(
	door: &Door,
	work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
	let turn = turn(door).await?;
	let work = spawn_blocking(move || {
		// Given back when the work ends, not when the client gives up.
		let _turn = turn;
		work()
	});
	match work.await {
		Ok(outcome) => outcome,
		Err(error) => {
			error!("a thread failed: {error}");
			Err(Refusal::Internal)
		}
	}
}

/// What `GET …/evidence` is asked with.
#[derive(Debug, Deserialize)]
struct Asked {
	/// The receipt's hash: only who has the receipt, or saw it on the chain, knows it.
	receipt: String,
}

/// Everything that a replay of a call depends on, beside the package: SCALE of the signed receipt, the
/// request, the transcript and the terms.
async fn evidence(
	State(door): State<Arc<Door>>,
	Path((epoch, seq)): Path<(String, String)>,
	asked: Result<Query<Asked>, QueryRejection>,
	headers: HeaderMap,
) -> Result<Response, Refusal> {
	let (epoch, seq) = (number(&epoch)?, number(&seq)?);
	let Query(asked) =
		asked.map_err(|_| Refusal::BadRequest("name the receipt's hash: ?receipt=0x…".into()))?;
	let asked = hash(&asked.receipt)?;
	let (store, keeper) = (door.store.clone(), door.doorkeeper.clone());
	let may_have = move |receipt: &Receipt| keeper.shows(receipt, &headers);
	let bytes = in_turn(&door, move || gather(&store, epoch, seq, asked, may_have)).await?;
	let content_type = [(header::CONTENT_TYPE, "application/octet-stream")];
	Ok((content_type, bytes).into_response())
}

fn gather(
	store: &ReceiptStore,
	epoch: EpochIndex,
	seq: u32,
	asked: H256,
	may_have: impl FnOnce(&Receipt) -> Result<(), Refusal>,
) -> Result<Vec<u8>, Refusal> {
	let receipt = store
		.receipt((epoch, seq))
		.map_err(unreadable)?
		.filter(|signed| signed.receipt.hash() == asked)
		.ok_or(Refusal::ReceiptUnknown { epoch, seq })?;
	may_have(&receipt.receipt)?;
	let body = store
		.body((epoch, seq))
		.map_err(unreadable)?
		.ok_or(Refusal::EvidenceGone { epoch, seq })?;
	let call = &body.call;
	Ok((&receipt, &*call.request, &body.transcript, &call.terms).encode())
}

/// A package of a deal that the peer works for or has worked for.
async fn package(
	State(door): State<Arc<Door>>,
	Path(name): Path<String>,
) -> Result<Response, Refusal> {
	let hash = hash(&name)?;
	let _turn = turn(&door).await?;
	let bytes = door.packages.stored(hash).await;
	let bytes = bytes.ok_or(Refusal::PackageUnknown(hash))?;
	let headers = [
		(header::CONTENT_TYPE, "application/wasm"),
		(header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
	];
	Ok((headers, bytes).into_response())
}

fn unreadable(error: StoreError) -> Refusal {
	error!("the store cannot be read: {error}");
	Refusal::Internal
}

fn prove(store: &ReceiptStore, epoch: EpochIndex, seq: u32) -> Result<ReceiptProof, Refusal> {
	let report = store
		.report(epoch)
		.map_err(unreadable)?
		.ok_or(Refusal::NotReported(epoch))?
		.report;
	let proof = store.proof(&report, seq).map_err(unreadable)?;
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
		let ready = snapshot.serving().filter(|deal| {
			!snapshot.closed && door.packages.any_ready(snapshot.choices(deal.deal))
		});
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
		"sandbox": sandbox(door.calls.protection()),
		"prover": prover(&progress, &door.metrics.prover),
	});
	let status = if fresh {
		StatusCode::OK
	} else {
		StatusCode::SERVICE_UNAVAILABLE
	};
	(status, Json(body)).into_response()
}

/// What stands between guests and this machine.
fn sandbox(protection: Protection) -> Value {
	match protection {
		Protection::None => json!({ "mode": "off" }),
		Protection::Process {
			landlock_abi,
			seccomp,
		} => json!({ "mode": "process", "landlock_abi": landlock_abi, "seccomp": seccomp }),
	}
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
	let mut shown = metrics.render();
	if let (Ok(text), Some(watch)) = (&mut shown, &door.watch) {
		match watch.render() {
			Ok(more) => text.push_str(&more),
			Err(error) => error!("the watcher's metrics cannot be shown: {error}"),
		}
	}
	match shown {
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
mod tests;
