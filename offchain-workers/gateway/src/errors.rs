//! What callers are told.

use axum::{
	http::{header, HeaderMap, HeaderValue, StatusCode},
	response::{IntoResponse, Response},
};
use millrace_client::{access::Denied, ReadError};
use millrace_http::error::error_body;
use millrace_primitives::{DealId, EpochIndex, H256};
use serde::Deserialize;
use std::time::Duration;

/// Why a request is not answered as asked. Every variant has a code of its own, which does not
/// change, and says what the caller can do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GatewayError {
	/// No such page.
	#[error("there is nothing here")]
	NotFound,
	/// The path exists, the method does not.
	#[error("this path does not take that method")]
	MethodNotAllowed,
	/// A part of the request is not what it must be.
	#[error("{0}")]
	BadRequest(String),
	/// The chain has no such deal.
	#[error("deal {0} does not exist")]
	DealUnknown(DealId),
	/// The deal is over.
	#[error("deal {deal} ended with epoch {last}")]
	DealEnded {
		/// The deal.
		deal: DealId,
		/// Its last epoch.
		last: EpochIndex,
	},
	/// The deal's escrow is used up.
	#[error("the escrow of deal {deal} paid until epoch {paid_until}")]
	DealUnfunded {
		/// The deal.
		deal: DealId,
		/// The last paid epoch.
		paid_until: EpochIndex,
	},
	/// The deal has no worker that serves in this epoch.
	#[error("deal {0} has no live worker")]
	NoWorker(DealId),
	/// The deal's live workers were tried, and none answered.
	#[error("none of the {tried} live workers of deal {deal} answered; the last: {last}")]
	WorkersFailed {
		/// The deal.
		deal: DealId,
		/// How many were tried.
		tried: usize,
		/// What the last one did.
		last: String,
	},
	/// No worker answered, and this is what the last one of them says of it.
	#[error("{}", .0.message)]
	Refused(WorkerRefusal),
	/// Path, query and content type are longer together than the limit.
	#[error("path, query and content type are longer than {limit} bytes together")]
	RequestHeadTooLarge {
		/// The limit.
		limit: usize,
	},
	/// The body is longer than the limit.
	#[error("the body is longer than the {limit} bytes that are allowed")]
	BodyTooLarge {
		/// The limit.
		limit: u64,
	},
	/// The body did not arrive whole or in time.
	#[error("the request's body did not arrive")]
	BodyIncomplete,
	/// The module does not run under the profile.
	#[error("the package cannot be run: {0}")]
	PackageInvalid(String),
	/// There is no such package here.
	#[error("there is no package {0:?} here")]
	PackageUnknown(H256),
	/// The package store is full, and nothing in it may make room yet.
	#[error("the gateway's package store is full, and packages are kept for a day at least")]
	StoreFull,
	/// The deal is not for everybody, and the caller did not show that it is for them.
	#[error("{0}")]
	AccessDenied(#[from] Denied),
	/// The caller has made as many calls as the deal lets it.
	#[error("the deal takes no more calls of this caller for {seconds} s")]
	RateLimited {
		/// Time until it takes one more, rounded up.
		seconds: u64,
	},
	/// Receipts are for those who hold a key.
	#[error("the receipts of a deal are for those who hold one of the gateway's keys")]
	KeyMissing,
	/// Too much is under way, here or at all workers.
	#[error("too many calls are under way")]
	Busy,
	/// No worker answered in time.
	#[error("no worker answered within {seconds} seconds")]
	CallTimeout {
		/// The limit.
		seconds: u64,
	},
	/// The chain cannot be read.
	#[error("the chain cannot be read: {0}")]
	ChainUnreachable(String),
	/// The gateway's machine failed.
	#[error("the gateway failed: {0}")]
	Internal(String),
}

/// Longest text of a worker that is handed on, in bytes.
const MAX_WORDS: usize = 1024;

/// A worker's own words for not having run the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRefusal {
	/// HTTP status.
	pub status: StatusCode,
	/// Machine-readable name.
	pub code: String,
	/// What is wrong.
	pub message: String,
	/// What the caller can do.
	pub hint: String,
	/// Seconds after which it can be called again, if it says so.
	pub retry_after: Option<u64>,
}

impl WorkerRefusal {
	/// Reads a worker's error body, unless it says more than errors do.
	pub fn read(status: StatusCode, body: &[u8]) -> Option<Self> {
		#[derive(Deserialize)]
		struct Body {
			error: Words,
		}
		#[derive(Deserialize)]
		struct Words {
			code: String,
			message: String,
			#[serde(default)]
			hint: String,
		}
		let Words {
			code,
			message,
			hint,
		} = serde_json::from_slice::<Body>(body).ok()?.error;
		let is_error = status.is_client_error() || status.is_server_error();
		let texts = [&code, &message, &hint];
		if !is_error || texts.iter().any(|text| text.len() > MAX_WORDS) {
			return None;
		}
		Some(Self {
			status,
			code,
			message,
			hint,
			retry_after: None,
		})
	}
}

impl WorkerRefusal {
	/// The same, with what its answer's headers say of when to call again.
	pub fn with_headers(mut self, headers: &HeaderMap) -> Self {
		let seconds = headers
			.get(header::RETRY_AFTER)
			.and_then(|value| value.to_str().ok());
		self.retry_after = seconds.and_then(|text| text.parse().ok());
		self
	}

	/// Whether the caller has made as many calls as the deal lets it, as far as the worker knows.
	pub fn is_rate_limited(&self) -> bool {
		self.code == "rate_limited"
	}
}

impl GatewayError {
	/// The caller has to wait so long.
	pub(crate) fn rate_limited(wait: Duration) -> Self {
		let seconds = wait.as_secs();
		let begun = u64::from(wait.subsec_nanos() > 0);
		Self::RateLimited {
			seconds: seconds.saturating_add(begun).max(1),
		}
	}

	/// Name in figures; that of a worker's refusal is the worker's own in the answer.
	pub fn code(&self) -> &'static str {
		match self {
			Self::NotFound => "not_found",
			Self::MethodNotAllowed => "method_not_allowed",
			Self::BadRequest(_) => "bad_request",
			Self::DealUnknown(_) => "deal_unknown",
			Self::DealEnded { .. } => "deal_ended",
			Self::DealUnfunded { .. } => "deal_unfunded",
			Self::NoWorker(_) => "no_worker",
			Self::WorkersFailed { .. } => "workers_failed",
			Self::Refused(_) => "worker_refused",
			Self::RequestHeadTooLarge { .. } => "request_head_too_large",
			Self::BodyTooLarge { .. } => "body_too_large",
			Self::BodyIncomplete => "body_incomplete",
			Self::PackageInvalid(_) => "package_invalid",
			Self::PackageUnknown(_) => "package_unknown",
			Self::StoreFull => "store_full",
			Self::AccessDenied(_) => "access_denied",
			Self::RateLimited { .. } => "rate_limited",
			Self::KeyMissing => "key_missing",
			Self::Busy => "busy",
			Self::CallTimeout { .. } => "call_timeout",
			Self::ChainUnreachable(_) => "chain_unreachable",
			Self::Internal(_) => "internal",
		}
	}

	/// HTTP status.
	pub fn status(&self) -> StatusCode {
		match self {
			Self::NotFound | Self::DealUnknown(_) | Self::PackageUnknown(_) => {
				StatusCode::NOT_FOUND
			}
			Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
			Self::BadRequest(_) => StatusCode::BAD_REQUEST,
			Self::DealEnded { .. } => StatusCode::GONE,
			Self::DealUnfunded { .. } => StatusCode::PAYMENT_REQUIRED,
			Self::NoWorker(_) | Self::ChainUnreachable(_) => StatusCode::SERVICE_UNAVAILABLE,
			Self::WorkersFailed { .. } => StatusCode::BAD_GATEWAY,
			Self::Refused(refusal) => refusal.status,
			Self::RequestHeadTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
			Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
			Self::BodyIncomplete => StatusCode::REQUEST_TIMEOUT,
			Self::PackageInvalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
			Self::StoreFull => StatusCode::INSUFFICIENT_STORAGE,
			Self::KeyMissing | Self::AccessDenied(_) => StatusCode::UNAUTHORIZED,
			Self::Busy | Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
			Self::CallTimeout { .. } => StatusCode::GATEWAY_TIMEOUT,
			Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
		}
	}

	/// What the caller can do.
	pub fn hint(&self) -> &'static str {
		match self {
			Self::NotFound => "calls go to /deals/{id}, packages to /packages",
			Self::MethodNotAllowed => "PUT /packages stores, GET /packages/{hash} fetches",
			Self::BadRequest(_) => "deals are decimal numbers, package hashes 0x and 64 digits",
			Self::DealUnknown(_) => "check the number; a deal is known once its block is final",
			Self::DealEnded { .. } => "create a new deal",
			Self::DealUnfunded { .. } => "top up the deal; it is served again from then on",
			Self::NoWorker(_) => {
				"wait until a worker is live; `millrace deal why-not` says why none is"
			}
			Self::WorkersFailed { .. } => "call again; the deal's owner can add workers",
			Self::Refused(_) => "see what the worker says",
			Self::RequestHeadTooLarge { .. } => "send the long part in the body",
			Self::BodyTooLarge { .. } => "send less, or create a deal with a higher limit",
			Self::BodyIncomplete => "send the whole body without pauses",
			Self::PackageInvalid(_) => "run `millrace run` on the module to see what it needs",
			Self::PackageUnknown(_) => "upload it with PUT /packages",
			Self::StoreFull => {
				"upload again later or at another gateway, or name a web server by --link"
			}
			Self::KeyMissing => "send `authorization: Bearer KEY`; the operator sets receipts.keys",
			Self::AccessDenied(denied) => denied.hint(),
			Self::RateLimited { .. } => {
				"call again after that time; the deal's owner can raise the rate"
			}
			Self::Busy => "try again later",
			Self::CallTimeout { .. } => "call again with less work",
			Self::ChainUnreachable(_) => "try again later; the gateway waits for its node",
			Self::Internal(_) => "try again; the operator finds the reason in the log",
		}
	}
}

impl From<ReadError> for GatewayError {
	fn from(error: ReadError) -> Self {
		Self::ChainUnreachable(error.to_string())
	}
}

impl IntoResponse for GatewayError {
	fn into_response(self) -> Response {
		let (code, hint) = match &self {
			Self::Refused(refusal) => (&refusal.code[..], &refusal.hint[..]),
			own => (own.code(), own.hint()),
		};
		let body = error_body(code, &self.to_string(), hint);
		let mut response = (self.status(), body).into_response();
		let later = match &self {
			Self::Busy => Some(1),
			Self::RateLimited { seconds } => Some(*seconds),
			Self::Refused(refusal) => refusal.retry_after,
			_ => None,
		};
		if let Some(seconds) = later {
			response
				.headers_mut()
				.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
		}
		response
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn an_error_is_json_with_code_message_and_hint() {
		let response = GatewayError::DealUnfunded {
			deal: 7,
			paid_until: 3,
		}
		.into_response();
		assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
		let bytes = axum::body::to_bytes(response.into_body(), 4096)
			.await
			.expect("it is short");
		let value: serde_json::Value = serde_json::from_slice(&bytes).expect("it is JSON");
		assert_eq!(value["error"]["code"], "deal_unfunded");
		assert!(value["error"]["message"]
			.as_str()
			.is_some_and(|text| text.contains("deal 7")));
		assert!(value["error"]["hint"]
			.as_str()
			.is_some_and(|text| text.contains("top up")));
	}

	#[tokio::test]
	async fn a_workers_refusal_is_told_in_its_own_words() {
		let status = StatusCode::UNPROCESSABLE_ENTITY;
		let words = br#"{"error":{"code":"package_invalid","message":"m","hint":"h"}}"#;
		let refusal = WorkerRefusal::read(status, words).expect("it has the form of all errors");
		let response = GatewayError::Refused(refusal).into_response();
		assert_eq!(response.status(), status);
		let bytes = axum::body::to_bytes(response.into_body(), 4096)
			.await
			.expect("it is short");
		let value: serde_json::Value = serde_json::from_slice(&bytes).expect("it is JSON");
		assert_eq!(value["error"]["code"], "package_invalid");
		assert_eq!(WorkerRefusal::read(status, b"<html>"), None);
		assert_eq!(WorkerRefusal::read(StatusCode::FOUND, words), None);
		let long = error_body("c", &"m".repeat(MAX_WORDS + 1), "h")
			.0
			.to_string();
		assert_eq!(WorkerRefusal::read(status, long.as_bytes()), None);
	}

	#[tokio::test]
	async fn who_has_called_too_often_is_told_when_to_call_again() {
		for (millis, seconds) in [(1, "1"), (1_000, "1"), (1_001, "2"), (90_500, "91")] {
			let error = GatewayError::rate_limited(Duration::from_millis(millis));
			assert_eq!(error.code(), "rate_limited");
			let response = error.into_response();
			assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
			assert_eq!(response.headers()[header::RETRY_AFTER], seconds);
		}
		// The same where a worker says so.
		let words = br#"{"error":{"code":"rate_limited","message":"m","hint":"h"}}"#;
		let refusal = WorkerRefusal::read(StatusCode::TOO_MANY_REQUESTS, words);
		let refusal = refusal.expect("it has the form of all errors");
		assert!(refusal.is_rate_limited());
		let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static("7"))]);
		let response = GatewayError::Refused(refusal.with_headers(&headers)).into_response();
		assert_eq!(response.headers()[header::RETRY_AFTER], "7");
	}

	#[test]
	fn who_may_not_call_is_told_what_is_missing() {
		let error = GatewayError::from(Denied::Token);
		assert_eq!(
			(error.status(), error.code()),
			(StatusCode::UNAUTHORIZED, "access_denied")
		);
		assert!(error.hint().contains("Bearer"));
	}
}
