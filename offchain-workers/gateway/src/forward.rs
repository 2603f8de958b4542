//! Calls at workers: one after the other until one answers with a receipt that holds.
//!
//! A guest of a deal that lists no hosts has no outside effects, so a call of it may be made again
//! elsewhere whatever its method is. Where hosts are listed, a call that may have run is made again
//! only if its method promises that this does no harm.
//! What the guest itself did, its failures included, is an answer and is handed on; only what
//! went wrong around it leads to the next worker.

use crate::{
	config::Limits,
	errors::{GatewayError, WorkerRefusal},
	keep::Keeper,
	metrics::Metrics,
	probes::Suspicions,
	routing::{Clock, LiveWorker, Route},
	verify::{self, Expected, Rejection},
	vouchers::{Drawn, Vouchers},
};
use axum::http::{header, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
	client::legacy::Client,
	rt::{TokioExecutor, TokioTimer},
};
use millrace_client::{
	vouchers::{self, VOUCHER_HEADER},
	web::{Connector, Reach},
};
use millrace_primitives::{
	billing::Voucher,
	execution::{Request, SignedReceipt},
	peer::PeerId,
	H256,
};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard},
	time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// Connections that are kept open to one worker between calls.
const IDLE_CONNECTIONS: usize = 32;
/// Time after which an idle connection is closed; shorter than servers commonly wait.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Largest description of a failure that is read of a worker, in bytes.
const MAX_ERROR_BYTES: usize = 64 * 1024;
/// Pause before workers that are not live yet, or not any more, are tried again with those that serve
/// in the epochs beside: all follow the same blocks.
const BORDER_PAUSE: Duration = Duration::from_millis(500);
/// Workers that one call is tried at.
const MAX_ATTEMPTS: usize = 8;
/// Time after which it is tried to connect to a worker that did not answer, before it is suspected.
const SECOND_LOOK: Duration = Duration::from_millis(500);
/// What workers say before they give a call its number.
const NOT_RUN: &[&str] = &[
	"access_denied",
	"bad_request",
	"body_incomplete",
	"body_too_large",
	"chain_unreachable",
	"deal_ended",
	"deal_unfunded",
	"deal_unknown",
	"directory_too_new",
	"key_not_active",
	"no_worker",
	"package_invalid",
	"package_unavailable",
	"payment_required",
];

/// A worker's answer whose receipt holds.
#[derive(Debug)]
pub struct Answer {
	/// The worker.
	pub peer: PeerId,
	/// HTTP status: 200 where the guest succeeded, 502 where it failed.
	pub status: StatusCode,
	/// The worker's headers.
	pub headers: HeaderMap,
	/// The receipt, which holds.
	pub receipt: SignedReceipt,
	/// The guest's response, or the description of its failure.
	pub body: Bytes,
}

/// Why a worker gave no answer.
#[derive(Debug)]
enum Failure {
	/// It could not be reached.
	Unreachable(String),
	/// It was reached, but did not finish an answer.
	Broken(String),
	/// It refused, without having run the guest, and said why if it could.
	Refused(StatusCode, Option<WorkerRefusal>),
	/// Its answer is none.
	Rejected(Rejection),
}

impl Failure {
	fn code(&self) -> &'static str {
		match self {
			Self::Unreachable(_) => "unreachable",
			Self::Broken(_) => "broken",
			Self::Refused(..) if self.is_busy() => "busy",
			Self::Refused(..) => "refused",
			Self::Rejected(_) => "rejected",
		}
	}
}

impl Failure {
	/// Whether the worker does not know yet that it is live, or knows already that it has left: news
	/// of an epoch's border may reach it a moment after it reached the gateway, or before.
	fn is_behind(&self) -> bool {
		matches!(self, Self::Refused(_, Some(words)) if words.code == "no_worker")
	}

	/// Whether the worker wants a higher voucher before it gives the call its number.
	fn is_unpaid(&self) -> bool {
		matches!(self, Self::Refused(_, Some(words)) if words.code == "payment_required")
	}

	/// Whether it has no place for any call now. That it takes no more of this caller is another thing.
	fn is_busy(&self) -> bool {
		let Self::Refused(StatusCode::TOO_MANY_REQUESTS, words) = self else {
			return false;
		};
		!words.as_ref().is_some_and(WorkerRefusal::is_rate_limited)
	}

	/// Whether the guest surely did not run: nothing reached the worker, or it says so.
	fn is_before_the_call(&self) -> bool {
		match self {
			Self::Unreachable(_) | Self::Refused(StatusCode::TOO_MANY_REQUESTS, _) => true,
			Self::Refused(_, Some(words)) => NOT_RUN.contains(&words.code.as_str()),
			Self::Refused(_, None) | Self::Broken(_) | Self::Rejected(_) => false,
		}
	}

	/// What the caller is told: what is behind a stranger's endpoint is nobody's business.
	fn told(&self) -> String {
		match self {
			Self::Unreachable(_) => "it cannot be reached".into(),
			Self::Broken(_) => "it did not finish its answer".into(),
			Self::Refused(..) | Self::Rejected(_) => self.to_string(),
		}
	}
}

impl std::fmt::Display for Failure {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Self::Unreachable(reason) => write!(f, "it cannot be reached: {reason}"),
			Self::Broken(reason) => write!(f, "it did not finish its answer: {reason}"),
			Self::Refused(status, _) => write!(f, "it refused with status {status}"),
			Self::Rejected(rejection) => write!(f, "{rejection}"),
		}
	}
}

/// Makes calls at workers.
#[derive(Debug)]
pub struct Forwarder {
	client: Client<Connector, Full<Bytes>>,
	genesis: H256,
	limits: Limits,
	metrics: Arc<Metrics>,
	keeper: Keeper,
	/// What calls of deals that are billed by gas are paid with, if the gateway has a key for it.
	vouchers: Option<Vouchers>,
	/// Where it is told who does not answer, if such workers are probed.
	suspicions: Option<Arc<Suspicions>>,
	/// Until when each worker that failed is tried after all others.
	aside: Mutex<HashMap<PeerId, Instant>>,
}

impl Forwarder {
	/// A forwarder for workers of one chain, which hands their receipts to a keeper.
	pub fn new(genesis: H256, limits: &Limits, metrics: Arc<Metrics>, keeper: Keeper) -> Self {
		let reach = match limits.allow_private_endpoints {
			true => Reach::Anywhere,
			false => Reach::Public,
		};
		let connector = Connector::new(reach, limits.connect_timeout());
		let client = Client::builder(TokioExecutor::new())
			.pool_timer(TokioTimer::new())
			.pool_idle_timeout(IDLE_TIMEOUT)
			.pool_max_idle_per_host(IDLE_CONNECTIONS)
			.build(connector);
		Self {
			client,
			genesis,
			limits: limits.clone(),
			metrics,
			keeper,
			vouchers: None,
			suspicions: None,
			aside: Mutex::default(),
		}
	}

	/// The same with vouchers for deals that are billed by gas.
	pub fn with_vouchers(self, vouchers: Option<Vouchers>) -> Self {
		Self { vouchers, ..self }
	}

	/// The same, which tells of workers that do not answer.
	pub fn with_suspicions(self, suspicions: Option<Suspicions>) -> Self {
		let suspicions = suspicions.map(Arc::new);
		Self { suspicions, ..self }
	}

	/// Makes a call at the first of these workers that answers.
	pub async fn call(
		&self,
		route: &Route,
		clock: &Clock,
		workers: Vec<LiveWorker>,
		request: &Request,
	) -> Result<Answer, GatewayError> {
		self.call_for(route, clock, workers, request, &HeaderMap::new())
			.await
	}

	/// The same with headers that show workers who calls.
	pub async fn call_for(
		&self,
		route: &Route,
		clock: &Clock,
		workers: Vec<LiveWorker>,
		request: &Request,
		caller: &HeaderMap,
	) -> Result<Answer, GatewayError> {
		let started = Instant::now();
		let mut tried = 0usize;
		let mut last = None;
		let mut all_busy = true;
		let mut turn = self.in_order(workers);
		turn.truncate(MAX_ATTEMPTS);
		let mut waited = false;
		loop {
			let mut behind = Vec::new();
			for worker in turn {
				let left = self.limits.call_timeout().saturating_sub(started.elapsed());
				if left.is_zero() {
					break;
				}
				tried = tried.saturating_add(1);
				let expected = Expected {
					genesis: self.genesis,
					clock,
					route,
					worker: &worker,
					request,
				};
				let attempt = timeout(
					left.min(self.limits.attempt_timeout()),
					self.attempt(&expected, caller),
				);
				let failure = match attempt.await {
					Ok(Ok(answer)) => {
						self.count("answered");
						return Ok(answer);
					}
					Ok(Err(failure)) => failure,
					Err(_) => Failure::Broken("it took too long".into()),
				};
				tracing::warn!(peer = %worker.peer, deal = route.deal, %failure, "a worker failed");
				self.count(failure.code());
				all_busy &= failure.is_busy();
				self.set_aside(worker.peer, &failure);
				self.suspect(route, &worker, &failure);
				let may_go_on = failure.is_before_the_call() || route.may_repeat(&request.method);
				if failure.is_behind() {
					behind.push(worker);
				}
				last = Some(failure);
				if !may_go_on {
					waited = true;
					break;
				}
			}
			if behind.is_empty() || waited {
				break;
			}
			// A worker whose last epoch is over refuses for good: then its successor serves.
			turn = self.in_order(route.neighbours(clock.epoch));
			turn.extend(behind);
			turn.truncate(MAX_ATTEMPTS);
			waited = true;
			sleep(BORDER_PAUSE).await;
		}
		match last {
			Some(_) if all_busy => Err(GatewayError::Busy),
			Some(_) if started.elapsed() >= self.limits.call_timeout() => {
				Err(GatewayError::CallTimeout {
					seconds: self.limits.call_timeout().as_secs(),
				})
			}
			Some(Failure::Refused(_, Some(words))) => Err(GatewayError::Refused(words)),
			Some(last) => {
				let last = last.told();
				Err(GatewayError::WorkersFailed {
					deal: route.deal,
					tried,
					last,
				})
			}
			None => Err(GatewayError::NoWorker(route.deal)),
		}
	}

	/// Drops what is remembered of failures that do not count any more, and of workers that nobody calls.
	pub fn forget_old_failures(&self) {
		let now = Instant::now();
		self.lock().retain(|_, until| *until > now);
		if let Some(vouchers) = &self.vouchers {
			vouchers.forget_idle();
		}
	}

	/// Makes a call at a worker, with a voucher where the deal needs one. A worker that has a higher one
	/// than the gateway knew of is asked once more.
	async fn attempt(
		&self,
		expected: &Expected<'_>,
		caller: &HeaderMap,
	) -> Result<Answer, Failure> {
		let Expected { route, worker, .. } = *expected;
		let draw = || self.vouchers.as_ref()?.draw(route, worker);
		let (outcome, shown, drawn) = self.exchange(expected, caller, draw()).await;
		if !drawn.is_some_and(|drawn| settle(&outcome, shown, drawn)) {
			return outcome;
		}
		let (outcome, _, drawn) = self.exchange(expected, caller, draw()).await;
		if let Some(drawn) = drawn {
			settle(&outcome, None, drawn);
		}
		outcome
	}

	/// One request and its answer; with a refusal, the voucher that the worker shows.
	async fn exchange(
		&self,
		expected: &Expected<'_>,
		caller: &HeaderMap,
		drawn: Option<Drawn>,
	) -> (Result<Answer, Failure>, Option<Voucher>, Option<Drawn>) {
		let mut headers = caller.clone();
		if let Some(drawn) = &drawn {
			headers.insert(VOUCHER_HEADER, vouchers::to_header(drawn.voucher()));
		}
		let mut shown = None;
		let outcome = self.ask(expected, headers, &mut shown).await;
		(outcome, shown, drawn)
	}

	async fn ask(
		&self,
		expected: &Expected<'_>,
		headers: HeaderMap,
		shown: &mut Option<Voucher>,
	) -> Result<Answer, Failure> {
		let mut request =
			upstream_request(expected).map_err(|error| Failure::Unreachable(error.to_string()))?;
		request.headers_mut().extend(headers);
		let response = self.client.request(request).await.map_err(|error| {
			let reason = with_source(&error);
			match error.is_connect() {
				true => Failure::Unreachable(reason),
				false => Failure::Broken(reason),
			}
		})?;
		let (parts, body) = response.into_parts();
		let limit = (expected.route.limits.response_bytes as usize).max(MAX_ERROR_BYTES);
		let body = Limited::new(body, limit)
			.collect()
			.await
			.map_err(|error| Failure::Broken(error.to_string()))?
			.to_bytes();
		let is_answer = parts.headers.contains_key(verify::RECEIPT_HEADER);
		if !is_answer && !parts.status.is_success() {
			*shown = vouchers::from_headers(&parts.headers);
			let words = WorkerRefusal::read(parts.status, &body);
			let words = words.map(|words| words.with_headers(&parts.headers));
			return Err(Failure::Refused(parts.status, words));
		}
		let checked = verify::check(expected, parts.status, &parts.headers, &body);
		let signed = match checked {
			Ok(signed) => signed,
			Err(rejection) => {
				self.metrics
					.rejected_receipts
					.with_label_values(&[rejection.code()])
					.inc();
				if let Some(held) = verify::held_against(expected, &parts.headers, rejection) {
					self.keeper.keep(held, expected.request);
				}
				return Err(Failure::Rejected(rejection));
			}
		};
		self.keeper.keep(signed.clone(), expected.request);
		// Only the receipt is signed: which success or failure the worker calls it is not.
		let status = match signed.receipt.status.is_success() {
			true => StatusCode::OK,
			false => StatusCode::BAD_GATEWAY,
		};
		Ok(Answer {
			peer: expected.worker.peer,
			status,
			headers: parts.headers,
			receipt: signed,
			body,
		})
	}

	/// The workers, those that lately failed last.
	fn in_order(&self, mut workers: Vec<LiveWorker>) -> Vec<LiveWorker> {
		let now = Instant::now();
		let aside = self.lock();
		workers.sort_by_key(|worker| aside.get(&worker.peer).is_some_and(|until| *until > now));
		workers
	}

	fn set_aside(&self, peer: PeerId, failure: &Failure) {
		let time = match failure {
			Failure::Unreachable(_) | Failure::Broken(_) => self.limits.set_aside(),
			Failure::Rejected(_) => self.limits.distrust(),
			// A worker that says so answers at once: trying it costs nothing.
			Failure::Refused(..) => return,
		};
		self.lock().insert(peer, Instant::now() + time);
	}

	/// Tells of a worker that did not answer. One that answers something else is reached. Soon afterwards
	/// it is seen whether anybody takes a connection; one that does and is slow may only be busy, and
	/// other calls will tell.
	fn suspect(&self, route: &Route, worker: &LiveWorker, failure: &Failure) {
		let is_silent = matches!(failure, Failure::Unreachable(_) | Failure::Broken(_));
		let Some(suspicions) = self.suspicions.clone().filter(|_| is_silent) else {
			return;
		};
		let (deal, peer) = (route.deal, worker.peer);
		let is_first = suspicions.note(deal, peer);
		let Some(turn) = suspicions.look().filter(|_| is_first) else {
			return;
		};
		let (client, endpoint) = (self.client.clone(), worker.endpoint.clone());
		let patience = self.limits.connect_timeout().saturating_mul(2);
		tokio::spawn(async move {
			let _turn = turn;
			sleep(SECOND_LOOK).await;
			if is_away(&client, &endpoint, patience).await {
				suspicions.note(deal, peer);
			}
		});
	}

	fn count(&self, outcome: &str) {
		self.metrics.attempts.with_label_values(&[outcome]).inc();
	}

	fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, Instant>> {
		self.aside.lock().unwrap_or_else(|e| e.into_inner())
	}
}

/// Whether a worker cannot be connected to. One that is slow to answer is there.
async fn is_away(
	client: &Client<Connector, Full<Bytes>>,
	endpoint: &str,
	patience: Duration,
) -> bool {
	let asked = axum::http::Request::get(format!("{endpoint}/healthz")).body(Full::default());
	let Ok(asked) = asked else {
		return false;
	};
	let outcome = timeout(patience, client.request(asked)).await;
	matches!(outcome, Ok(Err(error)) if error.is_connect())
}

/// Books what came of a call that brought a voucher. Whether a higher one is worth a try.
fn settle(outcome: &Result<Answer, Failure>, shown: Option<Voucher>, drawn: Drawn) -> bool {
	match (outcome, shown) {
		(Ok(answer), _) => drawn.spend(answer.receipt.receipt.gas),
		(Err(failure), Some(shown)) if failure.is_unpaid() => return drawn.learn(&shown),
		(Err(failure), _) if failure.is_before_the_call() => drawn.release(),
		// It may have run: lost.
		(Err(_), _) => drop(drawn),
	}
	false
}

/// The request that makes a worker rebuild exactly what is expected: method, path below the deal,
/// query, content type and body.
fn upstream_request(
	expected: &Expected<'_>,
) -> Result<axum::http::Request<Full<Bytes>>, axum::http::Error> {
	let (deal, request) = (expected.route.deal, expected.request);
	let mut target = format!("{}/deals/{deal}", expected.worker.endpoint);
	if request.path != "/" {
		target.push_str(&request.path);
	}
	if !request.query.is_empty() {
		target.push('?');
		target.push_str(&request.query);
	}
	let uri = Uri::try_from(target)?;
	let mut upstream = axum::http::Request::builder()
		.method(Method::from_bytes(request.method.as_bytes())?)
		.uri(uri)
		.body(Full::new(Bytes::copy_from_slice(&request.body)))?;
	if !request.content_type.is_empty() {
		let value = HeaderValue::from_str(&request.content_type)?;
		upstream.headers_mut().insert(header::CONTENT_TYPE, value);
	}
	Ok(upstream)
}

/// An error with what caused it, which is where the operating system speaks.
fn with_source(error: &dyn std::error::Error) -> String {
	match error.source() {
		Some(source) => format!("{error}: {}", with_source(source)),
		None => error.to_string(),
	}
}

#[cfg(test)]
mod tests;
