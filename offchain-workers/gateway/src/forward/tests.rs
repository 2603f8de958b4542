//! Calls at workers that answer, refuse, lie or are silent.

use super::*;
use crate::verify::tests::{clock, headers, live, route, sign};
use axum::Router;
use millrace_client::{vouchers::Payee, PeerKeypair};
use millrace_primitives::{execution::CallStatus, market::WorkerStatus};
use std::sync::atomic::{AtomicUsize, Ordering};

fn forwarder(limits: Limits) -> Forwarder {
	// The workers of these tests are on this machine.
	let limits = Limits {
		allow_private_endpoints: true,
		..limits
	};
	let metrics = Arc::new(Metrics::new().expect("no two have one name"));
	let keeper = Keeper::none(metrics.clone());
	Forwarder::new(H256::zero(), &limits, metrics, keeper)
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
	let keeper = Keeper::none(metrics.clone());
	let forwarder = Forwarder::new(H256::zero(), &Limits::default(), metrics, keeper);
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
async fn who_takes_the_place_of_a_worker_that_has_left_answers_at_the_border() {
	let words = r#"{"error":{"code":"no_worker","message":"m","hint":"h"}}"#;
	let gone = upstream(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), words).await;
	let (left, next) = (live(&key(1), &gone), honest(2).await);
	let epoch = clock().epoch;
	let row = |worker: &LiveWorker, status| {
		let mut row = crate::routing::tests::worker(1, 0);
		(row.worker.peer, row.worker.status, row.key) = (worker.peer, status, worker.key);
		row.endpoint = worker
			.endpoint
			.as_bytes()
			.to_vec()
			.try_into()
			.expect("short");
		row
	};
	let last = WorkerStatus::Draining {
		since: 0,
		last: epoch,
	};
	// It goes live in the next epoch, which it has seen and the gateway has not.
	let first = WorkerStatus::Live { since: epoch + 2 };
	let rows = vec![row(&left, last), row(&next, first)];
	let view = crate::routing::tests::deal(7, rows);
	let route = Route::new(H256::zero(), &view, Arc::default());
	let workers = route.candidates(epoch).expect("one is not over yet");
	assert_eq!(workers, [left]);
	let answer = forwarder(Limits::default())
		.call(&route, &clock(), workers, &request())
		.await
		.expect("the other one serves");
	assert_eq!(answer.peer, next.peer);
}

/// A deal whose guests may ask another host.
fn asking() -> Route {
	let mut view = crate::routing::tests::deal(7, Vec::new());
	let host = b"a.example".to_vec().try_into().expect("it is short");
	view.spec.hosts.try_push(host).expect("it is the first");
	Route::new(H256::zero(), &view, Arc::default())
}

/// A worker that counts its calls and answers each alike.
async fn counting(status: StatusCode, body: &'static str) -> (String, Arc<AtomicUsize>) {
	let calls = Arc::new(AtomicUsize::new(0));
	let counted = calls.clone();
	let answer = move || async move {
		counted.fetch_add(1, Ordering::Relaxed);
		(status, body)
	};
	(serve(Router::new().fallback(answer)).await, calls)
}

#[tokio::test]
async fn a_call_that_may_have_run_elsewhere_is_not_made_again() {
	let words = r#"{"error":{"code":"epoch_ended","message":"m","hint":"h"}}"#;
	let late = StatusCode::SERVICE_UNAVAILABLE;
	for (status, body) in [(late, words), (late, "?"), (StatusCode::OK, "no receipt")] {
		let (first, _) = counting(status, body).await;
		let (second, calls) = counting(status, body).await;
		let workers = vec![live(&key(1), &first), live(&key(2), &second)];
		let forwarder = forwarder(Limits::default());
		let outcome = forwarder
			.call(&asking(), &clock(), workers.clone(), &request())
			.await;
		outcome.expect_err("the first one fails");
		assert_eq!(calls.load(Ordering::Relaxed), 0, "{body}");
		// A method that does no harm, and a deal whose guests ask nobody.
		let get = Request {
			method: "GET".into(),
			..request()
		};
		for (route, request) in [(asking(), get), (route(), request())] {
			let before = calls.load(Ordering::Relaxed);
			let outcome = forwarder
				.call(&route, &clock(), workers.clone(), &request)
				.await;
			outcome.expect_err("both fail");
			assert_eq!(calls.load(Ordering::Relaxed), before + 1, "{body}");
		}
	}
}

#[tokio::test]
async fn a_call_that_surely_has_not_run_is_made_elsewhere() {
	let words = r#"{"error":{"code":"package_unavailable","message":"m","hint":"h"}}"#;
	let (down, _) = counting(StatusCode::SERVICE_UNAVAILABLE, words).await;
	let (busy, _) = counting(StatusCode::TOO_MANY_REQUESTS, "").await;
	let (last, calls) = counting(StatusCode::SERVICE_UNAVAILABLE, words).await;
	let workers = vec![
		live(&key(1), "http://127.0.0.1:1"),
		live(&key(2), &down),
		live(&key(3), &busy),
		live(&key(4), &last),
	];
	let outcome = forwarder(Limits::default())
		.call(&asking(), &clock(), workers, &request())
		.await;
	outcome.expect_err("all fail");
	assert_eq!(calls.load(Ordering::Relaxed), 1);
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

#[tokio::test]
async fn a_worker_is_shown_who_calls_and_is_not_busy_when_it_counts_the_caller_out() {
	let words = r#"{"error":{"code":"rate_limited","message":"m","hint":"h"}}"#;
	let seen = Arc::new(Mutex::new(Vec::new()));
	let noted = seen.clone();
	let answer = move |request: axum::extract::Request| async move {
		let value = request.headers().get("x-forwarded-for").cloned();
		noted.lock().expect("nobody panics").push(value);
		let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static("9"))]);
		(StatusCode::TOO_MANY_REQUESTS, headers, words)
	};
	let endpoint = serve(Router::new().fallback(answer)).await;
	let forwarder = forwarder(Limits::default());
	let name = header::HeaderName::from_static("x-forwarded-for");
	let caller = HeaderMap::from_iter([(name, HeaderValue::from_static("192.0.2.1"))]);
	let outcome = forwarder
		.call_for(
			&route(),
			&clock(),
			vec![live(&key(1), &endpoint)],
			&request(),
			&caller,
		)
		.await;
	let Err(GatewayError::Refused(refusal)) = outcome else {
		panic!("{outcome:?}")
	};
	assert!(refusal.is_rate_limited());
	assert_eq!(refusal.retry_after, Some(9));
	let seen = seen.lock().expect("nobody panics").clone();
	assert_eq!(seen, vec![Some(HeaderValue::from_static("192.0.2.1"))]);
}

/// A worker that answers calls with a voucher for at least so much gas, and shows a voucher else.
async fn thrifty(number: u8, least: u64, shown: Voucher, asked: Arc<AtomicUsize>) -> LiveWorker {
	let answer = move |request: axum::extract::Request| {
		asked.fetch_add(1, Ordering::Relaxed);
		async move {
			let (parts, body) = request.into_parts();
			let body = axum::body::to_bytes(body, 1_024)
				.await
				.expect("it is short");
			let brought = vouchers::from_headers(&parts.headers);
			if brought.is_none_or(|voucher| voucher.cumulative < least) {
				let words = r#"{"error":{"code":"payment_required","message":"m","hint":"h"}}"#;
				let mut headers = HeaderMap::new();
				headers.insert(VOUCHER_HEADER, vouchers::to_header(&shown));
				return (StatusCode::PAYMENT_REQUIRED, headers, words);
			}
			let seen = Request {
				body: body.to_vec(),
				..self::request()
			};
			let signed = sign(&key(number), &seen, b"out", CallStatus::Exited(0));
			(StatusCode::OK, headers(&signed), "out")
		}
	};
	let endpoint = serve(Router::new().fallback(answer)).await;
	live(&key(number), &endpoint)
}

fn payee(worker: &PeerKeypair) -> Payee {
	Payee {
		genesis: H256::zero(),
		deal: 7,
		peer: worker.id(),
		since: 0,
	}
}

#[tokio::test]
async fn a_worker_that_shows_a_higher_voucher_is_asked_once_more() {
	let own = crate::vouchers::tests::key();
	let route = crate::vouchers::tests::billed(own.public());
	let shown = payee(&key(1)).sign(&own, 9_000);
	let asked = Arc::new(AtomicUsize::new(0));
	let workers = vec![thrifty(1, 9_001, shown, asked.clone()).await];
	let vouchers = Vouchers::new(H256::zero(), own);
	let forwarder = forwarder(Limits::default()).with_vouchers(Some(vouchers));
	for calls in [2, 3] {
		let answer = forwarder
			.call(&route, &clock(), workers.clone(), &request())
			.await
			.expect("the voucher is high enough");
		assert_eq!(answer.peer, key(1).id());
		assert_eq!(asked.load(Ordering::Relaxed), calls);
	}
}

#[tokio::test]
async fn a_worker_that_no_voucher_is_enough_for_is_passed_over() {
	let own = crate::vouchers::tests::key();
	let route = crate::vouchers::tests::billed(own.public());
	let stranger = PeerKeypair::from_seed([3; 32], None);
	for (signer, asks) in [(&own, 2), (&stranger, 1)] {
		let shown = payee(&key(1)).sign(signer, 9_000);
		let asked = Arc::new(AtomicUsize::new(0));
		let workers = vec![thrifty(1, u64::MAX, shown, asked.clone()).await];
		let vouchers = Vouchers::new(H256::zero(), crate::vouchers::tests::key());
		let forwarder = forwarder(Limits::default()).with_vouchers(Some(vouchers));
		let outcome = forwarder.call(&route, &clock(), workers, &request()).await;
		let error = outcome.expect_err("it answers nobody");
		assert_eq!(error.status(), StatusCode::PAYMENT_REQUIRED);
		assert_eq!(asked.load(Ordering::Relaxed), asks);
	}
}

#[tokio::test]
async fn a_gateway_without_the_key_brings_no_voucher() {
	let own = crate::vouchers::tests::key();
	let route = crate::vouchers::tests::billed(own.public());
	let shown = payee(&key(1)).sign(&own, 9_000);
	let asked = Arc::new(AtomicUsize::new(0));
	let workers = vec![thrifty(1, 0, shown, asked.clone()).await];
	let outcome = forwarder(Limits::default())
		.call(&route, &clock(), workers, &request())
		.await;
	assert!(
		matches!(outcome, Err(GatewayError::Refused(words)) if words.code == "payment_required")
	);
	assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// An address at which nobody listens.
async fn nobody() -> std::net::SocketAddr {
	let free = tokio::net::TcpListener::bind("127.0.0.1:0").await;
	let free = free.and_then(|listener| listener.local_addr());
	free.expect("a free port")
}

#[tokio::test]
async fn a_worker_that_is_away_twice_is_suspected_and_one_that_refuses_is_not() {
	let (suspicions, mut heard) = Suspicions::new();
	let forwarder = forwarder(Limits::default()).with_suspicions(Some(suspicions));
	let refuses = upstream(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), "no").await;
	let nobody = format!("http://{}", nobody().await);
	let workers = vec![live(&key(1), &nobody), live(&key(2), &refuses)];
	let (way, now, asked) = (route(), clock(), request());
	let outcome = forwarder.call(&way, &now, workers, &asked).await;
	assert!(outcome.is_err());
	assert!(heard.try_recv().is_err(), "once is no proof");
	// No other call is needed.
	let suspect = timeout(Duration::from_secs(30), heard.recv()).await;
	let suspect = suspect.expect("it is looked at once more");
	assert_eq!(suspect, Some((way.deal, key(1).id())));
	sleep(2 * SECOND_LOOK).await;
	assert!(heard.try_recv().is_err(), "and not again");
}

#[tokio::test]
async fn a_worker_that_is_back_at_the_second_look_is_not_suspected() {
	let (suspicions, mut heard) = Suspicions::new();
	let forwarder = forwarder(Limits::default()).with_suspicions(Some(suspicions));
	let address = nobody().await;
	let workers = vec![live(&key(1), &format!("http://{address}"))];
	let (way, now, asked) = (route(), clock(), request());
	let outcome = forwarder.call(&way, &now, workers, &asked).await;
	assert!(outcome.is_err());
	let listener = tokio::net::TcpListener::bind(address).await;
	let listener = listener.expect("the port is still free");
	let looked = Arc::new(AtomicUsize::new(0));
	let counted = looked.clone();
	let answer = move || async move {
		counted.fetch_add(1, Ordering::Relaxed);
		StatusCode::SERVICE_UNAVAILABLE
	};
	let router = Router::new().fallback(answer);
	tokio::spawn(async move { axum::serve(listener, router).await });
	sleep(4 * SECOND_LOOK).await;
	assert!(heard.try_recv().is_err());
	assert_eq!(looked.load(Ordering::Relaxed), 1);
}
