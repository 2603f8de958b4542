//! `ANY /deals/{id}` and below: a call of a deal.

use super::read_body;
use crate::{
	errors::GatewayError,
	forward::Answer,
	routing::{Clock, Route},
	verify::RECEIPT_HEADER,
	App,
};
use axum::{
	extract::{Request as HttpRequest, State},
	http::{header, request::Parts, HeaderMap, HeaderName, HeaderValue, Uri},
	response::{IntoResponse, Response},
};
use millrace_client::access::{client_address, now_seconds, Claim, Credential, FORWARDED_HEADER};
use millrace_http::server::Caller;
use millrace_primitives::{
	execution::{Request, UNVERIFIED},
	DealId,
};
use std::{net::IpAddr, sync::Arc, time::Instant};
use tokio::time::timeout;

/// Names the worker that answered.
const PEER_HEADER: HeaderName = HeaderName::from_static("x-millrace-peer");
/// Says whether the chain can run the call again: `replay` or `none`.
const VERIFIED_HEADER: HeaderName = HeaderName::from_static("x-millrace-verified");
/// The headers in which a worker describes a call.
const WORKER_HEADERS: [&str; 5] = [
	"content-type",
	RECEIPT_HEADER,
	"x-millrace-status",
	"x-millrace-gas",
	"x-millrace-stderr",
];
/// Most bytes that path, query and content type have together; workers take no more.
const MAX_HEAD_BYTES: usize = 8 * 1024;
/// Longest header of a worker that is handed on: common clients take no more.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// Answers a call with what the first worker says whose receipt holds.
pub(crate) async fn call(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
	let outcome = answer(&app, request).await;
	let label = outcome
		.as_ref()
		.map_or_else(|error| error.code(), |_| "answered");
	app.metrics.calls.with_label_values(&[label]).inc();
	match outcome {
		Ok(answer) => into_response(answer),
		Err(error) => error.into_response(),
	}
}

async fn answer(app: &App, request: HttpRequest) -> Result<Answer, GatewayError> {
	let (parts, body) = request.into_parts();
	let (deal, request) = head(&parts)?;
	let (route, clock) = route(app, deal).await?;
	// Who may not call, or has nobody to call, is told so before the body is read.
	let from = Caller::of(&parts.extensions).0;
	let address = client_address(from, &parts.headers, &app.config.proxies);
	let claim = Claim::of(&route.access, &parts.headers, address)?;
	let workers = route.candidates(clock.epoch)?;
	let limit = u64::from(route.limits.request_bytes);
	let body = read_body(body, limit, app.config.limits.body_timeout()).await?;
	let request = Request {
		body: body.into(),
		..request
	};
	let genesis = app.chain.genesis();
	let invoker = claim.confirm(genesis, deal, || request.hash(), now_seconds())?;
	// Whoever sends slowly keeps nobody from calling: a place is for waiting for workers alone.
	let _place = app.calls.try_acquire().map_err(|_| GatewayError::Busy)?;
	app.rates
		.take(deal, invoker, route.rate)
		.map_err(GatewayError::rate_limited)?;
	let caller = for_workers(&route, &parts.headers, address);
	let started = Instant::now();
	let answer = app
		.forwarder
		.call_for(&route, &clock, workers, &request, &caller)
		.await?;
	app.metrics.latency.observe(started.elapsed().as_secs_f64());
	Ok(answer)
}

/// What shows workers who calls: what the deal asks for, and where it comes from if that is counted.
/// Nothing else of a client's headers concerns them.
fn for_workers(route: &Route, headers: &HeaderMap, address: IpAddr) -> HeaderMap {
	let mut caller = HeaderMap::new();
	if let Some(Credential { name, value }) = Credential::forwarded(&route.access, headers) {
		caller.insert(name, value);
	}
	if route.access.is_open() && route.rate.is_some() {
		if let Ok(address) = HeaderValue::try_from(address.to_string()) {
			caller.insert(FORWARDED_HEADER, address);
		}
	}
	caller
}

/// The deal that is called, and the request without its body.
fn head(parts: &Parts) -> Result<(DealId, Request), GatewayError> {
	let (deal, path) = target(&parts.uri)?;
	let query = parts.uri.query().unwrap_or_default();
	let content_type = match parts.headers.get(header::CONTENT_TYPE) {
		Some(value) => value
			.to_str()
			.map_err(|_| GatewayError::BadRequest("the content type is not plain ASCII".into()))?,
		None => "",
	};
	if path.len() + query.len() + content_type.len() > MAX_HEAD_BYTES {
		return Err(GatewayError::RequestHeadTooLarge {
			limit: MAX_HEAD_BYTES,
		});
	}
	let request = Request {
		method: parts.method.to_string(),
		path,
		query: query.into(),
		content_type: content_type.into(),
		body: Vec::new(),
	};
	Ok((deal, request))
}

/// The deal in a path, and the rest of the path as it was sent.
fn target(uri: &Uri) -> Result<(DealId, String), GatewayError> {
	let below = uri
		.path()
		.strip_prefix("/deals/")
		.ok_or(GatewayError::NotFound)?;
	let (deal, path) = match below.split_once('/') {
		Some((deal, rest)) => (deal, format!("/{rest}")),
		None => (below, "/".to_string()),
	};
	// Signs, which a number might be parsed with, are no part of a deal's name.
	let is_number = !deal.is_empty() && deal.bytes().all(|byte| byte.is_ascii_digit());
	let number = is_number.then(|| deal.parse::<DealId>().ok()).flatten();
	let number =
		number.ok_or_else(|| GatewayError::BadRequest(format!("\"{deal}\" is no deal number")))?;
	Ok((number, path))
}

/// The deal's route, remembered or read from the chain now. Only so many are read at once: anybody
/// can ask for any number.
async fn route(app: &App, deal: DealId) -> Result<(Arc<Route>, Clock), GatewayError> {
	if let Some(known) = known(app, deal) {
		return known;
	}
	let lookup = async {
		let _turn = app.lookups.acquire().await;
		// Somebody else may have asked in the meantime.
		if let Some(known) = known(app, deal) {
			return known;
		}
		let view = app.chain.latest().await?;
		if app.routing.clock().seen.is_none() {
			app.routing
				.set_clock(view.block().number, &view.epoch().await?);
		}
		let found = view.deal(deal).await?;
		let route = app.routing.set(deal, view.block().number, found.as_ref());
		let route = route.ok_or(GatewayError::DealUnknown(deal))?;
		Ok((route, app.routing.clock()))
	};
	match timeout(app.config.limits.refresh_timeout(), lookup).await {
		Ok(outcome) => outcome,
		Err(_) => Err(GatewayError::ChainUnreachable(
			"the node does not answer in time".into(),
		)),
	}
}

/// What is remembered of a deal. Without a block seen there is no epoch to choose workers by.
fn known(app: &App, deal: DealId) -> Option<Result<(Arc<Route>, Clock), GatewayError>> {
	let clock = app.routing.clock();
	clock.seen?;
	let route = app.routing.get(deal)?;
	Some(match route {
		Some(route) => Ok((route, clock)),
		None => Err(GatewayError::DealUnknown(deal)),
	})
}

/// Hands over status, body and what the worker says of the call, each header once: the receipt that
/// was checked is the first. Nothing else of the worker's headers concerns the client.
fn into_response(answer: Answer) -> Response {
	let mut response = (answer.status, answer.body).into_response();
	let headers = response.headers_mut();
	headers.remove(header::CONTENT_TYPE);
	for name in WORKER_HEADERS {
		match answer.headers.get(name) {
			Some(value) if value.len() <= MAX_HEADER_BYTES => {
				headers.insert(name, value.clone());
			}
			_ => {}
		}
	}
	let verified = match answer.receipt.receipt.profile & UNVERIFIED {
		0 => "replay",
		_ => "none",
	};
	headers.insert(VERIFIED_HEADER, HeaderValue::from_static(verified));
	if let Ok(peer) = HeaderValue::from_str(&answer.peer.to_string()) {
		headers.insert(PEER_HEADER, peer);
	}
	response
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::routing;
	use crate::verify::tests::sign;
	use axum::http::StatusCode;
	use millrace_client::PeerKeypair;
	use millrace_primitives::{
		access::{Access, Invokers, RateLimit},
		execution::CallStatus,
		peer::PeerId,
		H256,
	};

	fn parsed(uri: &str) -> Result<(DealId, String), &'static str> {
		target(&uri.parse().expect("that is a URI")).map_err(|error| error.code())
	}

	#[test]
	fn the_path_below_the_deal_is_what_the_guest_sees() {
		assert_eq!(parsed("/deals/7"), Ok((7, "/".into())));
		assert_eq!(parsed("/deals/7/"), Ok((7, "/".into())));
		assert_eq!(parsed("/deals/7?x=1"), Ok((7, "/".into())));
		assert_eq!(parsed("/deals/7/a%2Fb//c/?x"), Ok((7, "/a%2Fb//c/".into())));
	}

	#[test]
	fn what_is_no_deal_number_is_refused() {
		for uri in [
			"/deals/x",
			"/deals/+7",
			"/deals/-1",
			"/deals/",
			"/deals/99999999999999999999",
		] {
			assert_eq!(parsed(uri), Err("bad_request"), "{uri}");
		}
	}

	#[test]
	fn a_head_is_bounded_in_all_its_parts_together() {
		let parts = |path: usize, query: usize, content_type: usize| {
			let uri = format!("/deals/7/{}?{}", "p".repeat(path), "q".repeat(query));
			let request = axum::http::Request::builder()
				.uri(uri)
				.header(header::CONTENT_TYPE, "c".repeat(content_type));
			let request = request
				.body(axum::body::Body::empty())
				.expect("it is valid");
			head(&request.into_parts().0)
				.map(|(deal, request)| (deal, request.path.len()))
				.map_err(|error| error.code())
		};
		let (third, slash) = (MAX_HEAD_BYTES / 3, 1);
		let rest = MAX_HEAD_BYTES - 2 * third - slash;
		assert_eq!(parts(third, third, rest), Ok((7, third + slash)));
		for (path, query, content_type) in [(1, 0, 0), (0, 1, 0), (0, 0, 1)] {
			assert_eq!(
				parts(third + path, third + query, rest + content_type),
				Err("request_head_too_large")
			);
		}
	}

	#[test]
	fn an_answer_carries_the_receipt_and_its_worker_and_nothing_foreign() {
		let mut headers = HeaderMap::new();
		headers.insert("x-millrace-receipt", HeaderValue::from_static("0x00"));
		headers.append("x-millrace-receipt", HeaderValue::from_static("0x01"));
		headers.insert("x-millrace-gas", HeaderValue::from_static("7"));
		headers.insert("x-millrace-other", HeaderValue::from_static("x"));
		let long = "x".repeat(MAX_HEADER_BYTES + 1);
		let long = HeaderValue::from_str(&long).expect("letters are valid");
		headers.insert("x-millrace-stderr", long);
		headers.insert("content-type", HeaderValue::from_static("image/png"));
		headers.insert("set-cookie", HeaderValue::from_static("a=b"));
		headers.insert("x-millrace-verified", HeaderValue::from_static("none"));
		let peer = PeerId(H256::repeat_byte(1));
		let signer = PeerKeypair::from_seed([1; 32], None);
		let request = Request::default();
		let receipt = sign(&signer, &request, b"png", CallStatus::Exited(0));
		let body = bytes::Bytes::from_static(b"png");
		let response = into_response(Answer {
			peer,
			status: StatusCode::OK,
			headers,
			receipt,
			body,
		});
		// What the receipt says counts, and not what the worker says of it.
		assert_eq!(response.headers()["x-millrace-verified"], "replay");
		let receipts: Vec<_> = response
			.headers()
			.get_all("x-millrace-receipt")
			.iter()
			.collect();
		assert_eq!(receipts, ["0x00"], "the one that was checked");
		assert_eq!(response.headers()["x-millrace-gas"], "7");
		assert_eq!(response.headers()["content-type"], "image/png");
		assert_eq!(
			response.headers()["x-millrace-peer"],
			peer.to_string().as_str()
		);
		for name in ["set-cookie", "x-millrace-other", "x-millrace-stderr"] {
			assert!(response.headers().get(name).is_none(), "{name}");
		}
	}

	#[test]
	fn workers_are_shown_what_the_deal_asks_for_and_nothing_else() {
		let mut headers = HeaderMap::new();
		let token = HeaderValue::from_static("Bearer a-token-of-many-letters");
		headers.insert(header::AUTHORIZATION, token);
		headers.insert("x-millrace-invoker", HeaderValue::from_static("0x00"));
		headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.9"));
		headers.insert(header::COOKIE, HeaderValue::from_static("a=b"));
		let mut view = routing::tests::deal(7, Vec::new());
		let shown = |view: &routing::tests::View| {
			let route = Route::new(H256::zero(), view, Arc::default());
			let shown = for_workers(&route, &headers, IpAddr::from([192, 0, 2, 1]));
			let pair = shown.iter().next().map(|(name, value)| {
				let value = value.to_str().expect("it is text");
				format!("{name}: {value}")
			});
			assert!(shown.len() < 2);
			pair.unwrap_or_default()
		};
		// Where nothing is counted, the client's address is nobody's business.
		assert_eq!(shown(&view), "");
		view.spec.rate = Some(RateLimit {
			calls: 1,
			per_seconds: 1,
		});
		assert_eq!(shown(&view), "x-forwarded-for: 192.0.2.1");
		let one: Invokers = vec![H256::zero()].try_into().expect("one fits");
		view.spec.access = Access::Tokens(one.clone());
		assert_eq!(
			shown(&view),
			"authorization: Bearer a-token-of-many-letters"
		);
		view.spec.access = Access::Keys(one);
		assert_eq!(shown(&view), "x-millrace-invoker: 0x00");
	}
}
