//! `ANY /deals/{id}` and below: a call of a deal.

use super::read_body;
use crate::{
	errors::GatewayError,
	forward::Answer,
	routing::{Clock, Route},
	App,
};
use axum::{
	extract::{Request as HttpRequest, State},
	http::{header, HeaderName, HeaderValue, Uri},
	response::{IntoResponse, Response},
};
use millrace_primitives::{execution::Request, DealId};
use std::{sync::Arc, time::Instant};

/// Names the worker that answered.
const PEER_HEADER: HeaderName = HeaderName::from_static("x-millrace-peer");
/// Beginning of the headers in which a worker describes a call.
const WORKER_HEADERS: &str = "x-millrace-";

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
	let _place = app.calls.try_acquire().map_err(|_| GatewayError::Busy)?;
	let (parts, body) = request.into_parts();
	let (deal, path) = target(&parts.uri)?;
	let (route, clock) = route(app, deal).await?;
	// Who has nobody to call is told so before the body is read.
	let workers = route.candidates(clock.epoch)?;
	let limit = u64::from(route.limits.request_bytes);
	let body = read_body(body, limit, app.config.limits.body_timeout()).await?;
	let content_type = match parts.headers.get(header::CONTENT_TYPE) {
		Some(value) => value
			.to_str()
			.map_err(|_| GatewayError::BadRequest("the content type is not plain ASCII".into()))?,
		None => "",
	};
	let request = Request {
		method: parts.method.to_string(),
		path,
		query: parts.uri.query().unwrap_or_default().into(),
		content_type: content_type.into(),
		body: body.into(),
	};
	let started = Instant::now();
	let answer = app
		.forwarder
		.call(&route, &clock, workers, &request)
		.await?;
	app.metrics.latency.observe(started.elapsed().as_secs_f64());
	Ok(answer)
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

/// The deal's route, remembered or read from the chain now.
async fn route(app: &App, deal: DealId) -> Result<(Arc<Route>, Clock), GatewayError> {
	let clock = app.routing.clock();
	let known = match app.routing.get(deal) {
		// Without a block seen there is no epoch to choose workers by.
		Some(known) if clock.seen.is_some() => known,
		_ => {
			let view = app.chain.latest().await?;
			if app.routing.clock().seen.is_none() {
				app.routing
					.set_clock(view.block().number, &view.epoch().await?);
			}
			let found = view.deal(deal).await?;
			app.routing.set(deal, view.block().number, found.as_ref());
			app.routing.get(deal).flatten()
		}
	};
	let route = known.ok_or(GatewayError::DealUnknown(deal))?;
	Ok((route, app.routing.clock()))
}

/// Hands over status, body, content type and what the worker says of the call; nothing else of
/// the worker's headers concerns the client.
fn into_response(answer: Answer) -> Response {
	let mut response = (answer.status, answer.body).into_response();
	let headers = response.headers_mut();
	headers.remove(header::CONTENT_TYPE);
	for (name, value) in &answer.headers {
		if *name == header::CONTENT_TYPE || name.as_str().starts_with(WORKER_HEADERS) {
			headers.append(name, value.clone());
		}
	}
	if let Ok(peer) = HeaderValue::from_str(&answer.peer.to_string()) {
		headers.insert(PEER_HEADER, peer);
	}
	response
}

#[cfg(test)]
mod tests {
	use super::*;
	use axum::http::{HeaderMap, StatusCode};
	use millrace_primitives::{peer::PeerId, H256};

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
	fn an_answer_carries_the_receipt_and_its_worker_and_nothing_foreign() {
		let mut headers = HeaderMap::new();
		headers.insert("x-millrace-receipt", HeaderValue::from_static("0x00"));
		headers.insert("content-type", HeaderValue::from_static("image/png"));
		headers.insert("set-cookie", HeaderValue::from_static("a=b"));
		let peer = PeerId(H256::repeat_byte(1));
		let body = bytes::Bytes::from_static(b"png");
		let response = into_response(Answer {
			peer,
			status: StatusCode::OK,
			headers,
			body,
		});
		assert_eq!(response.headers()["x-millrace-receipt"], "0x00");
		assert_eq!(response.headers()["content-type"], "image/png");
		assert_eq!(
			response.headers()["x-millrace-peer"],
			peer.to_string().as_str()
		);
		assert!(response.headers().get("set-cookie").is_none());
	}
}
