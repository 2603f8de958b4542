//! The daemon's HTTP door, with real guests and without a chain.

mod common;

use axum::http::{response::Parts, HeaderName, HeaderValue, Request as HttpRequest, StatusCode};
use bytes::Bytes;
use codec::{Decode, DecodeAll};
use common::{
	assignment, duties, first_key, limits, package, snapshot, world, world_of, World, DEAL, EPOCH,
	GENESIS, MODULE,
};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use millrace_client::{
	access::Credential,
	verify_peer_signature,
	vouchers::{self, Payee, VOUCHER_HEADER},
	PeerKeypair, ReceiptProof,
};
use millrace_http::server::{self, Bounds};
use millrace_primitives::{
	access::{token_hash, Access, Invokers, RateLimit},
	billing::Billing,
	effects::Transcript,
	execution::{response_hash, CallStatus, CallTerms, Request, SignedReceipt},
	merkle, H256,
};
use millrace_prover::{Mode, Prover, ProverConfig, Settings};
use millrace_worker::{
	http::{router, Door, PROOFS_AT_ONCE},
	report::{Capacity, Tally},
	snapshot::Snapshot,
	vouchers::Vouchers,
	Limits,
};
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
	sync::Semaphore,
	time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// A module that writes a word and exits with this code.
fn writing(code: u32) -> Vec<u8> {
	let text = format!(
		r#"(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $write (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
			(memory (export "memory") 1)
			(data (i32.const 0) "\10\00\00\00\05\00\00\00")
			(data (i32.const 16) "hello")
			(func (export "_start")
				(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
				(call $exit (i32.const {code}))))"#
	);
	wat::parse_str(text).expect("the module is well-formed")
}

const EMPTY: &[u8] = &[];
/// One byte more than the deal allows.
const TOO_LONG: &[u8] = &[0; 65];

async fn ask(server: &str, method: &str, path: &str, body: &'static [u8]) -> (Parts, Bytes) {
	ask_as(server, method, path, body, None).await
}

async fn ask_as(
	server: &str,
	method: &str,
	path: &str,
	body: &'static [u8],
	credential: Option<Credential>,
) -> (Parts, Bytes) {
	let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
	let mut request = HttpRequest::builder()
		.method(method)
		.uri(format!("{server}{path}"))
		.body(Full::new(Bytes::from_static(body)))
		.expect("a request");
	if let Some(Credential { name, value }) = credential {
		request.headers_mut().insert(name, value);
	}
	let (parts, body) = client
		.request(request)
		.await
		.expect("an answer")
		.into_parts();
	(parts, body.collect().await.expect("it is whole").to_bytes())
}

/// Opens the door of a world; returns its address, and its turns to put proofs together.
async fn open_door(world: &World, dir: &Path) -> (String, Arc<Semaphore>) {
	let prover = Prover::start(ProverConfig {
		dir: dir.join("p"),
		settings: Settings {
			mode: Mode::Light,
			threads: Some(1),
			..Settings::default()
		},
	});
	let proofs = Arc::new(Semaphore::new(PROOFS_AT_ONCE));
	let router = router(Arc::new(Door {
		calls: world.calls.clone(),
		doorkeeper: world.doorkeeper.clone(),
		store: world.store.clone(),
		packages: world.packages.clone(),
		prover: Arc::new(prover.expect("it starts")),
		metrics: world.metrics.clone(),
		watch: None,
		peer: world.identity.peer,
		body_timeout: Duration::from_secs(5),
		proofs: proofs.clone(),
	}));
	let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
		.await
		.expect("a port");
	let address = listener.local_addr().expect("it is bound");
	let bounds = Bounds {
		connections: 64,
		idle: Duration::from_secs(60),
		drain: Duration::from_secs(5),
	};
	let stop = CancellationToken::new();
	tokio::spawn(server::serve(listener, router, bounds, stop));
	(format!("http://{address}"), proofs)
}

fn code(body: &Bytes) -> String {
	let value: serde_json::Value = serde_json::from_slice(body).expect("it is JSON");
	value["error"]["code"].as_str().expect("a code").to_owned()
}

fn receipt(parts: &Parts) -> SignedReceipt {
	let text = parts.headers["x-millrace-receipt"]
		.to_str()
		.expect("it is text");
	let bytes = hex::decode(text.trim_start_matches("0x")).expect("it is hexadecimal");
	SignedReceipt::decode(&mut &bytes[..]).expect("it is a receipt")
}

#[tokio::test(flavor = "multi_thread")]
async fn any_method_is_answered_and_head_without_the_body() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world_of(dir.path(), limits(), first_key(), &writing(0)).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let mut shown = Vec::new();
	for method in ["GET", "HEAD", "OPTIONS", "PURGE"] {
		let (parts, body) = ask(&server, method, "/deals/7/x", EMPTY).await;
		assert_eq!(parts.status, StatusCode::OK, "{method}");
		let expected = if method == "HEAD" { "" } else { "hello" };
		assert_eq!(body, expected, "{method}");
		assert_eq!(parts.headers["content-length"], "5", "{method}");
		let SignedReceipt { receipt, signature } = receipt(&parts);
		let sent = Request {
			method: method.into(),
			path: "/x".into(),
			..Request::default()
		};
		assert_eq!(receipt.request, sent.hash(), "{method}");
		// Of the response that a GET would have had.
		assert_eq!(receipt.response, response_hash(b"hello"), "{method}");
		let key = world.identity.key.public();
		assert!(verify_peer_signature(&key, receipt.hash(), &signature));
		let names: BTreeSet<String> = parts.headers.keys().map(ToString::to_string).collect();
		shown.push(names);
	}
	assert!(
		shown.windows(2).all(|pair| pair[0] == pair[1]),
		"the same headers: {shown:?}"
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_fails_has_an_empty_response() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world_of(dir.path(), limits(), first_key(), &writing(3)).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let (parts, body) = ask(&server, "GET", "/deals/7", EMPTY).await;
	assert_eq!(parts.status, StatusCode::BAD_GATEWAY);
	assert_eq!(code(&body), "guest_failed");
	let SignedReceipt { receipt, .. } = receipt(&parts);
	assert_eq!(receipt.status, CallStatus::Exited(3));
	assert_eq!(receipt.response, response_hash(b""));
	assert!(receipt.fits_status(), "the chain would refuse it");
	let kept = world.store.body((EPOCH, 0)).expect("reads").expect("kept");
	assert!(kept.response.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_too_new_says_when_it_serves() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let health = || async {
		let (_, body) = ask(&server, "GET", "/healthz", EMPTY).await;
		serde_json::from_slice::<serde_json::Value>(&body).expect("it is JSON")
	};
	let open = health().await;
	assert!(open["serves_from"].is_null(), "{open}");
	assert_eq!(open["deals_ready"], 1);
	assert_eq!(open["sandbox"]["mode"], "off");

	let key = world.identity.key.public();
	let closed = Snapshot::new(110, &duties(key, package(MODULE)), &key).with_closed(true);
	world.snapshots.send_replace(Some(Arc::new(closed)));
	let closed = health().await;
	assert_eq!(closed["serves_from"], EPOCH + 1);
	assert_eq!(closed["deals_ready"], 0);
	assert_eq!(closed["ok"], true);
	let (parts, body) = ask(&server, "GET", "/deals/7", EMPTY).await;
	assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
	assert_eq!(code(&body), "directory_too_new");
	assert_eq!(world.store.next_seq(EPOCH).expect("reads"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_takes_nobodys_place() {
	let dir = tempfile::tempdir().expect("a directory");
	let one = Limits {
		concurrent_calls: 1,
		queued_calls: 0,
		queued_calls_per_deal: 0,
		..Limits::default()
	};
	let world = world(dir.path(), one).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let address = server.trim_start_matches("http://");
	let mut slow = TcpStream::connect(address).await.expect("it listens");
	let head =
		"POST /deals/7 HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\na";
	slow.write_all(head.as_bytes()).await.expect("it is taken");
	sleep(Duration::from_millis(200)).await;
	for _ in 0..3 {
		let (parts, _) = ask(&server, "POST", "/deals/7", b"whole").await;
		assert_eq!(parts.status, StatusCode::OK);
	}
	slow.write_all(b"b").await.expect("it is taken");
	let mut answer = String::new();
	slow.read_to_string(&mut answer).await.expect("it is text");
	assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_are_put_together_a_few_at_a_time() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let (server, proofs) = open_door(&world, dir.path()).await;
	let all = proofs.clone().acquire_many_owned(PROOFS_AT_ONCE as u32);
	let all = all.await.expect("never closed");
	let (parts, body) = ask(&server, "GET", "/receipts/5/0", EMPTY).await;
	assert_eq!(parts.status, StatusCode::TOO_MANY_REQUESTS);
	assert_eq!(code(&body), "busy");
	drop(all);
	let (_, body) = ask(&server, "GET", "/receipts/5/0", EMPTY).await;
	assert_eq!(code(&body), "not_reported");
	assert_eq!(proofs.available_permits(), PROOFS_AT_ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_answers_with_receipts_and_typed_errors() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let (server, _) = open_door(&world, dir.path()).await;

	let (parts, body) = ask(&server, "POST", "/deals/7/a%20b?c=d", b"hello").await;
	assert_eq!((parts.status, body.len()), (StatusCode::OK, 0));
	assert_eq!(parts.headers["x-millrace-status"], "exited:0");
	assert_eq!(parts.headers["x-millrace-verified"], "replay");
	let receipt = receipt(&parts);
	let sent = Request {
		method: "POST".into(),
		path: "/a%20b".into(),
		query: "c=d".into(),
		content_type: String::new(),
		body: b"hello".to_vec(),
	};
	assert_eq!(receipt.receipt.request, sent.hash());

	let long = format!("/deals/7/{}", "p".repeat(8 * 1024));
	for (method, path, body, status, expected) in [
		("GET", &long[..], EMPTY, 431, "request_head_too_large"),
		("GET", "/deals/8", EMPTY, 404, "deal_unknown"),
		("GET", "/deals/x", EMPTY, 400, "bad_request"),
		("POST", "/deals/7", TOO_LONG, 413, "body_too_large"),
		("GET", "/nowhere", EMPTY, 404, "not_found"),
		("PUT", "/healthz", EMPTY, 405, "method_not_allowed"),
		("GET", "/receipts/5/0", EMPTY, 404, "not_reported"),
	] {
		let (parts, body) = ask(&server, method, path, body).await;
		assert_eq!(
			(parts.status.as_u16(), code(&body).as_str()),
			(status, expected),
			"{path}"
		);
	}

	let make = |tally: Tally| tally.into_report(EPOCH, &Capacity::none());
	world.store.report_once(EPOCH, make).expect("stores");
	let (parts, body) = ask(&server, "GET", "/receipts/5/0", EMPTY).await;
	assert_eq!(parts.status, StatusCode::OK);
	let proof: ReceiptProof = serde_json::from_slice(&body).expect("it is a proof");
	assert_eq!(proof.receipt, receipt);
	let leaf = proof.receipt.receipt.hash();
	let root = proof.report.receipts_root;
	assert!(merkle::verify(
		root,
		proof.report.receipts.into(),
		0,
		&leaf.0,
		&proof.path
	));
	let (_, body) = ask(&server, "GET", "/receipts/5/1", EMPTY).await;
	assert_eq!(code(&body), "receipt_unknown");

	let (parts, _) = ask(&server, "GET", "/healthz", EMPTY).await;
	assert_eq!(parts.status, StatusCode::OK);
	let (_, body) = ask(&server, "GET", "/metrics", EMPTY).await;
	let text = String::from_utf8(body.to_vec()).expect("it is text");
	assert!(
		text.contains("millrace_worker_calls_total{status=\"success\"} 1"),
		"{text}"
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_for_those_who_know_the_receipt() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let (server, proofs) = open_door(&world, dir.path()).await;
	let (parts, _) = ask(&server, "POST", "/deals/7/a", b"hello").await;
	let signed = receipt(&parts);
	let hash = signed.receipt.hash();
	let path = format!("/receipts/5/0/evidence?receipt={hash:?}");
	// It need not be reported yet.
	let (parts, body) = ask(&server, "GET", &path, EMPTY).await;
	assert_eq!(parts.status, StatusCode::OK);
	type Evidence = (SignedReceipt, Request, Transcript, CallTerms);
	let (shown, request, transcript, terms) =
		Evidence::decode_all(&mut &body[..]).expect("it is evidence");
	assert_eq!(shown, signed);
	assert_eq!(request.body, b"hello");
	assert_eq!(request.hash(), signed.receipt.request);
	assert_eq!(transcript.hash(), signed.receipt.transcript);
	assert!(signed.receipt.fits_terms(signed.receipt.genesis, &terms));

	let other = H256::zero();
	for (path, status, expected) in [
		(
			format!("/receipts/5/0/evidence?receipt={other:?}"),
			404,
			"receipt_unknown",
		),
		(
			format!("/receipts/5/1/evidence?receipt={hash:?}"),
			404,
			"receipt_unknown",
		),
		(
			format!("/receipts/4/0/evidence?receipt={hash:?}"),
			404,
			"receipt_unknown",
		),
		("/receipts/5/0/evidence".into(), 400, "bad_request"),
		(
			"/receipts/5/0/evidence?receipt=0x12".into(),
			400,
			"bad_request",
		),
		(
			format!("/receipts/5/x/evidence?receipt={hash:?}"),
			400,
			"bad_request",
		),
	] {
		let (parts, body) = ask(&server, "GET", &path, EMPTY).await;
		let found = (parts.status.as_u16(), code(&body));
		assert_eq!(found, (status, expected.to_owned()), "{path}");
	}
	let all = proofs.clone().acquire_many_owned(PROOFS_AT_ONCE as u32);
	let _all = all.await.expect("never closed");
	let (_, body) = ask(&server, "GET", &path, EMPTY).await;
	assert_eq!(code(&body), "busy");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_made_room_is_gone() {
	let dir = tempfile::tempdir().expect("a directory");
	let small = Limits {
		stored_bytes: 1,
		..limits()
	};
	let world = world(dir.path(), small).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let (parts, _) = ask(&server, "POST", "/deals/7/a", b"hello").await;
	let hash = receipt(&parts).receipt.hash();
	let path = format!("/receipts/5/0/evidence?receipt={hash:?}");
	// The bound is the database's, which has a receipt a moment after it is promised.
	let gone = async {
		loop {
			let (parts, body) = ask(&server, "GET", &path, EMPTY).await;
			if parts.status != StatusCode::OK {
				break (parts.status, code(&body));
			}
			sleep(Duration::from_millis(50)).await;
		}
	};
	let gone = timeout(Duration::from_secs(30), gone).await;
	let expected = (StatusCode::GONE, "evidence_gone".into());
	assert_eq!(gone.expect("it makes room"), expected);
	// It is counted with the next receipt.
	ask(&server, "POST", "/deals/7/a", b"hello").await;
	let (_, body) = ask(&server, "GET", "/metrics", EMPTY).await;
	let text = String::from_utf8(body.to_vec()).expect("it is text");
	let counted = "millrace_worker_bodies_pushed_out_total 1";
	assert!(text.contains(counted), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_are_there_for_whoever_wants_to_run_them() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let hash = package(MODULE).hash;
	let (parts, body) = ask(&server, "GET", &format!("/packages/{hash:?}"), EMPTY).await;
	assert_eq!(parts.status, StatusCode::OK);
	assert_eq!(body, MODULE);
	let other = format!("/packages/{:?}", H256::zero());
	for (path, expected) in [
		(other.as_str(), "package_unknown"),
		("/packages/x", "bad_request"),
	] {
		let (_, body) = ask(&server, "GET", path, EMPTY).await;
		assert_eq!(code(&body), expected);
	}
}

/// The world's deal is for these from now on.
async fn close_deal(world: &World, access: Access, rate: Option<RateLimit>) {
	let mut deal = assignment(DEAL, package(MODULE));
	(deal.access, deal.rate) = (access, rate);
	let deals = vec![deal];
	let noted = world.doorkeeper.note(EPOCH, &deals, &world.store).await;
	noted.expect("no panic").expect("it is stored");
	let seen = snapshot(&world.identity, deals);
	world.snapshots.send_replace(Some(seen));
}

fn only(invoker: H256) -> Invokers {
	vec![invoker].try_into().expect("one fits")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_that_is_billed_by_gas_is_served_as_far_as_its_vouchers_go() {
	let dir = tempfile::tempdir().expect("a directory");
	let module = writing(0);
	let world = world_of(dir.path(), limits(), first_key(), &module).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let client = PeerKeypair::from_seed([7; 32], None);
	let mut deal = assignment(DEAL, package(&module));
	deal.billing = Billing::Gas {
		full_gas: 1,
		voucher_key: client.public(),
	};
	let limit = deal.limits.gas;
	let seen = snapshot(&world.identity, vec![deal.clone()]);
	world.snapshots.send_replace(Some(seen));
	let payee = Payee {
		genesis: GENESIS,
		deal: DEAL,
		peer: world.identity.peer,
		since: EPOCH,
	};
	let call = |cumulative: Option<u64>| {
		let voucher = cumulative.map(|cumulative| Credential {
			name: VOUCHER_HEADER,
			value: vouchers::to_header(&payee.sign(&client, cumulative)),
		});
		ask_as(&server, "POST", "/deals/7", b"hello", voucher)
	};

	let (parts, body) = call(None).await;
	assert_eq!(parts.status, StatusCode::PAYMENT_REQUIRED);
	assert_eq!(code(&body), "payment_required");
	assert!(vouchers::from_headers(&parts.headers).is_none());
	let (parts, _) = call(Some(limit - 1)).await;
	assert_eq!(parts.status, StatusCode::PAYMENT_REQUIRED);
	let shown = vouchers::from_headers(&parts.headers).expect("it is the client's own");
	assert_eq!(shown, payee.sign(&client, limit - 1));
	assert_eq!(world.store.next_seq(EPOCH).expect("reads"), 0);

	let (parts, _) = call(Some(limit)).await;
	assert_eq!(parts.status, StatusCode::OK);
	// On the disk before the answer.
	let stored = Vouchers::open(dir.path(), GENESIS, world.identity.peer).expect("it opens");
	let expected = (EPOCH, payee.sign(&client, limit));
	assert_eq!(stored.redeemable(&deal), Some(expected));
	let gas = receipt(&parts).receipt.gas;
	assert!(gas > 0);
	let (parts, _) = call(Some(limit)).await;
	assert_eq!(parts.status, StatusCode::PAYMENT_REQUIRED);
	let (parts, _) = call(Some(limit + gas)).await;
	assert_eq!(parts.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_brings_a_token_calls_as_often_as_the_deal_lets_it_and_has_the_evidence() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let token = || Credential::token("a-token-of-many-letters");
	let access = Access::Tokens(only(token_hash(b"a-token-of-many-letters")));
	let rate = RateLimit {
		calls: 2,
		per_seconds: 3_600,
	};
	close_deal(&world, access, Some(rate)).await;
	let call = |credential| ask_as(&server, "POST", "/deals/7", b"hello", credential);

	// Neither a stranger nor the wrong token costs the deal a call.
	for wrong in [None, Credential::token("another-token-of-many-letters")] {
		let (parts, body) = call(wrong).await;
		assert_eq!(parts.status, StatusCode::UNAUTHORIZED);
		assert_eq!(code(&body), "access_denied");
	}
	let (parts, _) = call(token()).await;
	assert_eq!(parts.status, StatusCode::OK);
	let hash = receipt(&parts).receipt.hash();
	assert_eq!(call(token()).await.0.status, StatusCode::OK);
	let (parts, body) = call(token()).await;
	assert_eq!(parts.status, StatusCode::TOO_MANY_REQUESTS);
	assert_eq!(code(&body), "rate_limited");
	let later: u64 = parts.headers["retry-after"]
		.to_str()
		.expect("it is text")
		.parse()
		.expect("it is a number");
	assert!((1_700..=1_800).contains(&later), "{later}");
	assert_eq!(world.store.next_seq(EPOCH).expect("reads"), 2);

	// What was called is nobody else's business, even when the deal is open again.
	let path = format!("/receipts/5/0/evidence?receipt={hash:?}");
	close_deal(&world, Access::Open, None).await;
	let (parts, body) = ask(&server, "GET", &path, EMPTY).await;
	assert_eq!(parts.status, StatusCode::UNAUTHORIZED);
	assert_eq!(code(&body), "access_denied");
	let (parts, _) = ask_as(&server, "GET", &path, EMPTY, token()).await;
	assert_eq!(parts.status, StatusCode::OK);
	assert_eq!(call(None).await.0.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_signs_the_call_that_is_made_and_no_other() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let key = PeerKeypair::from_seed([3; 32], None);
	close_deal(&world, Access::Keys(only(H256(key.public()))), None).await;
	let request = Request {
		method: "POST".into(),
		path: "/a".into(),
		query: "b=c".into(),
		content_type: String::new(),
		body: b"hello".to_vec(),
	};
	let signed = || Credential::signed(&key, GENESIS, DEAL, request.hash());
	let call = |path, body| ask_as(&server, "POST", path, body, signed());
	let (parts, _) = call("/deals/7/a?b=c", b"hello").await;
	assert_eq!(parts.status, StatusCode::OK);
	let shown = receipt(&parts).receipt;
	assert_eq!(shown.request, request.hash());
	for (path, body) in [
		("/deals/7/a?b=d", &b"hello"[..]),
		("/deals/7/a?b=c", &b"other"[..]),
	] {
		let (parts, body) = call(path, body).await;
		assert_eq!(parts.status, StatusCode::UNAUTHORIZED);
		assert_eq!(code(&body), "access_denied");
	}
	// The same signature is for what the call was of.
	let path = format!("/receipts/5/0/evidence?receipt={:?}", shown.hash());
	let (parts, _) = ask_as(&server, "GET", &path, EMPTY, signed()).await;
	assert_eq!(parts.status, StatusCode::OK);
	let (parts, _) = ask(&server, "GET", &path, EMPTY).await;
	assert_eq!(parts.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_an_open_deal_are_counted_by_the_address_that_a_known_gateway_tells() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let (server, _) = open_door(&world, dir.path()).await;
	let rate = RateLimit {
		calls: 1,
		per_seconds: 3_600,
	};
	close_deal(&world, Access::Open, Some(rate)).await;
	let from = |address: &'static str| {
		let credential = Credential {
			name: HeaderName::from_static("x-forwarded-for"),
			value: HeaderValue::from_static(address),
		};
		ask_as(&server, "GET", "/deals/7", EMPTY, Some(credential))
	};
	for (address, status) in [
		("192.0.2.1", StatusCode::OK),
		("192.0.2.1", StatusCode::TOO_MANY_REQUESTS),
		("192.0.2.2", StatusCode::OK),
		// What the client itself wrote before is not believed.
		("192.0.2.3, 192.0.2.2", StatusCode::TOO_MANY_REQUESTS),
	] {
		assert_eq!(from(address).await.0.status, status, "{address}");
	}
}
