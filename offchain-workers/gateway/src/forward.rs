//! Calls at workers: one after the other until one answers with a receipt that holds.
//!
//! A guest has no outside effects, so a call may be made again elsewhere whatever its method is.
//! What the guest itself did, its failures included, is an answer and is handed on; only what
//! went wrong around it leads to the next worker.

use crate::{
	config::Limits,
	errors::{GatewayError, WorkerRefusal},
	metrics::Metrics,
	routing::{Clock, LiveWorker, Route},
	verify::{self, Expected, Rejection},
};
use axum::http::{header, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
	client::legacy::Client,
	rt::{TokioExecutor, TokioTimer},
};
use millrace_client::web::{Connector, Reach};
use millrace_primitives::{execution::Request, peer::PeerId, H256};
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
/// Pause before workers that are not live yet are tried again: they follow the same blocks.
const BORDER_PAUSE: Duration = Duration::from_millis(500);
/// Workers that one call is tried at.
const MAX_ATTEMPTS: usize = 8;

/// A worker's answer whose receipt holds.
#[derive(Debug)]
pub struct Answer {
	/// The worker.
	pub peer: PeerId,
	/// HTTP status: 200 where the guest succeeded, 502 where it failed.
	pub status: StatusCode,
	/// The worker's headers.
	pub headers: HeaderMap,
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
			Self::Refused(StatusCode::TOO_MANY_REQUESTS, _) => "busy",
			Self::Refused(..) => "refused",
			Self::Rejected(_) => "rejected",
		}
	}
}

impl Failure {
	/// Whether the worker does not know yet that it is live: news of an epoch's border may reach it
	/// a moment after it reached the gateway.
	fn is_behind(&self) -> bool {
		matches!(self, Self::Refused(_, Some(words)) if words.code == "no_worker")
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
	/// Until when each worker that failed is tried after all others.
	aside: Mutex<HashMap<PeerId, Instant>>,
}

impl Forwarder {
	/// A forwarder for workers of one chain.
	pub fn new(genesis: H256, limits: &Limits, metrics: Arc<Metrics>) -> Self {
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
			aside: Mutex::default(),
		}
	}

	/// Makes a call at the first of these workers that answers.
	pub async fn call(
		&self,
		route: &Route,
		clock: &Clock,
		workers: Vec<LiveWorker>,
		request: &Request,
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
					self.attempt(&expected),
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
				all_busy &= matches!(failure, Failure::Refused(StatusCode::TOO_MANY_REQUESTS, _));
				self.set_aside(worker.peer, &failure);
				if failure.is_behind() {
					behind.push(worker);
				}
				last = Some(failure);
			}
			if behind.is_empty() || waited {
				break;
			}
			(turn, waited) = (behind, true);
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

	/// Drops what is remembered of failures that do not count any more.
	pub fn forget_old_failures(&self) {
		let now = Instant::now();
		self.lock().retain(|_, until| *until > now);
	}

	async fn attempt(&self, expected: &Expected<'_>) -> Result<Answer, Failure> {
		let request =
			upstream_request(expected).map_err(|error| Failure::Unreachable(error.to_string()))?;
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
			let words = WorkerRefusal::read(parts.status, &body);
			return Err(Failure::Refused(parts.status, words));
		}
		let checked = verify::check(expected, parts.status, &parts.headers, &body);
		let signed = checked.map_err(|rejection| {
			self.metrics
				.rejected_receipts
				.with_label_values(&[rejection.code()])
				.inc();
			Failure::Rejected(rejection)
		})?;
		// Only the receipt is signed: which success or failure the worker calls it is not.
		let status = match signed.receipt.status.is_success() {
			true => StatusCode::OK,
			false => StatusCode::BAD_GATEWAY,
		};
		Ok(Answer {
			peer: expected.worker.peer,
			status,
			headers: parts.headers,
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

	fn count(&self, outcome: &str) {
		self.metrics.attempts.with_label_values(&[outcome]).inc();
	}

	fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, Instant>> {
		self.aside.lock().unwrap_or_else(|e| e.into_inner())
	}
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
mod tests {
	use super::*;
	use crate::verify::tests::{clock, headers, live, route, sign};
	use axum::Router;
	use millrace_client::PeerKeypair;
	use millrace_primitives::execution::CallStatus;
	use std::sync::atomic::{AtomicUsize, Ordering};

	fn forwarder(limits: Limits) -> Forwarder {
		// The workers of these tests are on this machine.
		let limits = Limits {
			allow_private_endpoints: true,
			..limits
		};
		let metrics = Arc::new(Metrics::new().expect("no two have one name"));
		Forwarder::new(H256::zero(), &limits, metrics)
	}

	fn request() -> Request {
		Request {
			method: "POST".into(),
			path: "/a%20b/c".into(),
			query: "x=1&y=%2F".into(),
			content_type: "text/plain".into(),
			body: b"in".to_vec(),
		}
	}

	fn key(number: u8) -> PeerKeypair {
		PeerKeypair::from_seed([number; 32], None)
	}

	async fn serve(router: Router) -> String {
		let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
			.await
			.expect("a free port");
		let address = listener.local_addr().expect("it is bound");
		tokio::spawn(async move { axum::serve(listener, router).await });
		format!("http://{address}")
	}

	/// An upstream that answers every call alike.
	async fn upstream(status: StatusCode, headers: HeaderMap, body: &'static str) -> String {
		let answer = move || async move { (status, headers, body) };
		serve(Router::new().fallback(answer)).await
	}

	/// A worker that signs what it receives.
	async fn honest(number: u8) -> LiveWorker {
		let answer = move |request: axum::extract::Request| async move {
			let (parts, body) = request.into_parts();
			let body = axum::body::to_bytes(body, 1_024)
				.await
				.expect("it is short");
			let content_type = parts.headers.get(header::CONTENT_TYPE).expect("it is sent");
			let seen = Request {
				method: parts.method.to_string(),
				path: parts
					.uri
					.path()
					.strip_prefix("/deals/7")
					.expect("it is the deal")
					.into(),
				query: parts.uri.query().unwrap_or_default().into(),
				content_type: content_type.to_str().expect("it is text").into(),
				body: body.to_vec(),
			};
			let signed = sign(&key(number), &seen, b"out", CallStatus::Exited(0));
			(headers(&signed), "out")
		};
		let endpoint = serve(Router::new().fallback(answer)).await;
		live(&key(number), &endpoint)
	}

	#[tokio::test]
	async fn an_answer_is_handed_over_with_its_worker() {
		let forwarder = forwarder(Limits::default());
		let workers = vec![honest(1).await];
		let answer = forwarder
			.call(&route(), &clock(), workers, &request())
			.await
			.expect("it is honest");
		assert_eq!((answer.peer, &answer.body[..]), (key(1).id(), &b"out"[..]));
	}

	#[tokio::test]
	async fn the_next_worker_answers_where_one_is_gone_or_refuses() {
		let forwarder = forwarder(Limits::default());
		let gone = live(&key(1), "http://127.0.0.1:1");
		let busy = upstream(StatusCode::TOO_MANY_REQUESTS, HeaderMap::new(), "").await;
		let down = upstream(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), "").await;
		let workers = vec![
			gone,
			live(&key(2), &busy),
			live(&key(3), &down),
			honest(4).await,
		];
		let answer = forwarder
			.call(&route(), &clock(), workers.clone(), &request())
			.await
			.expect("the fourth answers");
		assert_eq!(answer.peer, key(4).id());
		// The one that could not be reached is now tried last.
		assert_eq!(
			forwarder.in_order(workers).last().map(|w| w.peer),
			Some(key(1).id())
		);
	}

	#[tokio::test]
	async fn a_worker_whose_receipt_does_not_hold_is_passed_over_and_counted() {
		let forwarder = forwarder(Limits::default());
		let lie = sign(&key(1), &request(), b"truth", CallStatus::Exited(0));
		let liar = upstream(StatusCode::OK, headers(&lie), "lie").await;
		let mute = upstream(StatusCode::OK, HeaderMap::new(), "out").await;
		let workers = vec![live(&key(1), &liar), live(&key(2), &mute), honest(3).await];
		let answer = forwarder
			.call(&route(), &clock(), workers, &request())
			.await
			.expect("the third is honest");
		assert_eq!(answer.peer, key(3).id());
		let rejected = |reason| {
			forwarder
				.metrics
				.rejected_receipts
				.with_label_values(&[reason])
				.get()
		};
		assert_eq!((rejected("other_response"), rejected("unreadable")), (1, 1));
	}

	#[tokio::test]
	async fn a_strangers_endpoint_does_not_lead_into_the_gateways_network() {
		let hits = Arc::new(AtomicUsize::new(0));
		let counted = hits.clone();
		let inside = serve(Router::new().fallback(move || async move {
			counted.fetch_add(1, Ordering::Relaxed);
			"secret"
		}))
		.await;
		let port = inside.rsplit(':').next().expect("it has a port");
		let metrics = Arc::new(Metrics::new().expect("no two have one name"));
		let forwarder = Forwarder::new(H256::zero(), &Limits::default(), metrics);
		let workers = (1..)
			.zip(["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1"])
			.map(|(number, host)| live(&key(number), &format!("http://{host}:{port}")))
			.collect();
		let outcome = forwarder
			.call(&route(), &clock(), workers, &request())
			.await;
		let Err(GatewayError::WorkersFailed { tried, last, .. }) = outcome else {
			panic!("{outcome:?}")
		};
		assert_eq!((tried, &last[..]), (4, "it cannot be reached"));
		assert_eq!(hits.load(Ordering::Relaxed), 0);
	}

	#[tokio::test]
	async fn a_redirection_is_not_followed() {
		let hits = Arc::new(AtomicUsize::new(0));
		let counted = hits.clone();
		let elsewhere = serve(Router::new().fallback(move || async move {
			counted.fetch_add(1, Ordering::Relaxed);
			"elsewhere"
		}))
		.await;
		let location = HeaderValue::from_str(&elsewhere).expect("a URL is a header");
		let headers = HeaderMap::from_iter([(header::LOCATION, location)]);
		let away = upstream(StatusCode::TEMPORARY_REDIRECT, headers, "").await;
		let outcome = forwarder(Limits::default())
			.call(&route(), &clock(), vec![live(&key(1), &away)], &request())
			.await;
		assert_eq!(
			outcome.expect_err("it is no answer").code(),
			"workers_failed"
		);
		assert_eq!(hits.load(Ordering::Relaxed), 0);
	}

	#[tokio::test]
	async fn a_failure_whose_receipt_names_a_response_is_no_answer() {
		let forwarder = forwarder(Limits::default());
		let odd = sign(&key(1), &request(), b"{}", CallStatus::Exited(3));
		let odd = upstream(StatusCode::BAD_GATEWAY, headers(&odd), "{}").await;
		let outcome = forwarder
			.call(&route(), &clock(), vec![live(&key(1), &odd)], &request())
			.await;
		assert_eq!(outcome.expect_err("it is none").code(), "workers_failed");
	}

	#[tokio::test]
	async fn the_receipt_decides_over_the_status_and_not_the_worker() {
		let forwarder = forwarder(Limits::default());
		let done = sign(&key(1), &request(), b"out", CallStatus::Exited(0));
		let done = upstream(StatusCode::PARTIAL_CONTENT, headers(&done), "out").await;
		let answer = forwarder
			.call(&route(), &clock(), vec![live(&key(1), &done)], &request())
			.await
			.expect("its receipt holds");
		assert_eq!(answer.status, StatusCode::OK);
	}

	#[tokio::test]
	async fn a_guests_failure_is_its_answer() {
		let forwarder = forwarder(Limits::default());
		let trap = sign(&key(1), &request(), b"", CallStatus::Trapped);
		let failed = upstream(StatusCode::BAD_GATEWAY, headers(&trap), "{}").await;
		let workers = vec![live(&key(1), &failed), honest(2).await];
		let answer = forwarder
			.call(&route(), &clock(), workers, &request())
			.await
			.expect("it is signed");
		assert_eq!(
			(answer.peer, answer.status),
			(key(1).id(), StatusCode::BAD_GATEWAY)
		);
	}

	#[tokio::test]
	async fn workers_that_are_all_busy_or_all_gone_are_told_apart() {
		let forwarder = forwarder(Limits::default());
		let busy = upstream(StatusCode::TOO_MANY_REQUESTS, HeaderMap::new(), "").await;
		let code = |outcome: Result<Answer, GatewayError>| outcome.expect_err("none").code();
		let outcome = forwarder
			.call(&route(), &clock(), vec![live(&key(1), &busy)], &request())
			.await;
		assert_eq!(code(outcome), "busy");
		let gone = vec![live(&key(2), "http://127.0.0.1:1")];
		let outcome = forwarder.call(&route(), &clock(), gone, &request()).await;
		assert_eq!(code(outcome), "workers_failed");
	}

	#[tokio::test]
	async fn the_last_workers_own_words_reach_the_caller() {
		let words = r#"{"error":{"code":"package_unavailable","message":"m","hint":"h"}}"#;
		let status = StatusCode::SERVICE_UNAVAILABLE;
		let down = upstream(status, HeaderMap::new(), words).await;
		let outcome = forwarder(Limits::default())
			.call(&route(), &clock(), vec![live(&key(1), &down)], &request())
			.await;
		let Err(GatewayError::Refused(refusal)) = outcome else {
			panic!("{outcome:?}")
		};
		assert_eq!(
			(refusal.status, &refusal.code[..]),
			(status, "package_unavailable")
		);
	}

	#[tokio::test]
	async fn a_worker_that_hears_of_the_border_late_is_tried_once_more() {
		let words = r#"{"error":{"code":"no_worker","message":"m","hint":"h"}}"#;
		let calls = Arc::new(AtomicUsize::new(0));
		let counted = calls.clone();
		let late = move || async move {
			counted.fetch_add(1, Ordering::Relaxed);
			(StatusCode::SERVICE_UNAVAILABLE, words)
		};
		let late = serve(Router::new().fallback(late)).await;
		let outcome = forwarder(Limits::default())
			.call(&route(), &clock(), vec![live(&key(1), &late)], &request())
			.await;
		assert_eq!(
			outcome.expect_err("it never is live").code(),
			"worker_refused"
		);
		assert_eq!(calls.load(Ordering::Relaxed), 2, "and not a third time");
	}

	#[tokio::test]
	async fn a_silent_worker_costs_its_attempt_and_no_more() {
		let limits = Limits {
			attempt_timeout_ms: 100,
			..Limits::default()
		};
		let forwarder = forwarder(limits);
		let silent = serve(Router::new().fallback(std::future::pending::<&'static str>)).await;
		let workers = vec![live(&key(1), &silent), honest(2).await];
		let answer = forwarder
			.call(&route(), &clock(), workers, &request())
			.await
			.expect("the second answers");
		assert_eq!(answer.peer, key(2).id());
	}
}
