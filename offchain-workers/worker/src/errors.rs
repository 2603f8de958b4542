//! What callers are told, and what ends the daemon.

use axum::{
	http::{header, HeaderValue, StatusCode},
	response::{IntoResponse, Response},
};
use millrace_client::{
	access::Denied,
	vouchers::{to_header, VOUCHER_HEADER},
};
use millrace_http::error::error_body;
use millrace_primitives::{billing::Voucher, DealId, EpochIndex, H256};

/// Why a request is not answered as asked. Every variant has a code of its own, which does not
/// change, and says what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
	/// No such page.
	#[error("there is nothing here")]
	NotFound,
	/// The path exists, the method does not.
	#[error("this path does not take that method")]
	MethodNotAllowed,
	/// A part of the path is not what it must be.
	#[error("{0}")]
	BadRequest(String),
	/// The peer does not work for the deal.
	#[error("this worker does not serve deal {0}")]
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
	/// The deal is billed by gas, and the client has not signed for this call's.
	#[error("the vouchers for deal {deal} do not cover this call")]
	PaymentRequired {
		/// The deal.
		deal: DealId,
		/// The highest voucher, for a client that brings a lower one.
		shown: Option<Voucher>,
	},
	/// The peer is matched with the deal, but does not serve it yet.
	#[error("this worker does not serve deal {0} yet")]
	NotLive(DealId),
	/// The peer has left the deal, with notice.
	#[error("this worker left deal {deal} with epoch {last}")]
	Drained {
		/// The deal.
		deal: DealId,
		/// The last epoch that it was paid for.
		last: EpochIndex,
	},
	/// The chain does not take signatures from the daemon's key.
	#[error("the chain does not take signatures from this worker's key")]
	KeyNotActive,
	/// The data directory does not know every call of the epoch.
	#[error(
		"this worker's data directory is newer than the epoch; it serves from epoch {from} on"
	)]
	DirectoryTooNew {
		/// The first epoch in which it serves.
		from: EpochIndex,
	},
	/// The daemon does not know where the chain stands.
	#[error("this worker has not seen a finalised block for too long")]
	ChainUnreachable,
	/// What reaches the guest beside the body is too long.
	#[error(
		"path, query and content type have more than {limit} bytes, or the method is too long"
	)]
	RequestHeadTooLarge {
		/// Most bytes of path, query and content type together.
		limit: usize,
	},
	/// The body is longer than the deal allows.
	#[error("the request is longer than the {limit} bytes that the deal allows")]
	BodyTooLarge {
		/// The deal's limit.
		limit: u32,
	},
	/// The body did not arrive whole or in time.
	#[error("the request's body did not arrive")]
	BodyIncomplete,
	/// The package does not run under the profile.
	#[error("the package cannot be run: {0}")]
	PackageInvalid(String),
	/// The package is not here yet.
	#[error("the package is not here: {0}")]
	PackageUnavailable(String),
	/// The deal is not for everybody, and the caller did not show that it is for them.
	#[error("{0}")]
	AccessDenied(#[from] Denied),
	/// The caller has made as many calls as the deal lets it.
	#[error("the deal takes no more calls of this caller for {seconds} s")]
	RateLimited {
		/// Time until it takes one more, rounded up.
		seconds: u64,
	},
	/// Every place is taken, in the queue too.
	#[error("this worker is busy")]
	Busy,
	/// The caller would have to wait too long.
	#[error("the call took longer than this worker lets a client wait")]
	CallTimeout,
	/// The epoch changed while the call waited, or its report was cut before the call ended.
	#[error("the epoch ended during the call")]
	EpochEnded,
	/// The machine failed, not the guest.
	#[error("the worker's machine failed")]
	Internal,
	/// The receipt's epoch is not reported.
	#[error("epoch {0} is not reported yet")]
	NotReported(EpochIndex),
	/// There is no such receipt.
	#[error("there is no receipt {seq} in epoch {epoch}")]
	ReceiptUnknown {
		/// The epoch.
		epoch: EpochIndex,
		/// The number in it.
		seq: u32,
	},
	/// The receipt is kept, and what it is of is not any more.
	#[error("the call of receipt {seq} in epoch {epoch} is not kept any more")]
	EvidenceGone {
		/// The epoch.
		epoch: EpochIndex,
		/// The number in it.
		seq: u32,
	},
	/// There is no such package here.
	#[error("there is no package {0:?} here")]
	PackageUnknown(H256),
}

impl Refusal {
	/// Machine-readable name.
	pub fn code(&self) -> &'static str {
		match self {
			Self::NotFound => "not_found",
			Self::MethodNotAllowed => "method_not_allowed",
			Self::BadRequest(_) => "bad_request",
			Self::DealUnknown(_) => "deal_unknown",
			Self::DealEnded { .. } => "deal_ended",
			Self::DealUnfunded { .. } => "deal_unfunded",
			Self::PaymentRequired { .. } => "payment_required",
			Self::NotLive(_) | Self::Drained { .. } => "no_worker",
			Self::KeyNotActive => "key_not_active",
			Self::DirectoryTooNew { .. } => "directory_too_new",
			Self::ChainUnreachable => "chain_unreachable",
			Self::RequestHeadTooLarge { .. } => "request_head_too_large",
			Self::BodyTooLarge { .. } => "body_too_large",
			Self::BodyIncomplete => "body_incomplete",
			Self::PackageInvalid(_) => "package_invalid",
			Self::PackageUnavailable(_) => "package_unavailable",
			Self::AccessDenied(_) => "access_denied",
			Self::RateLimited { .. } => "rate_limited",
			Self::Busy => "busy",
			Self::CallTimeout => "call_timeout",
			Self::EpochEnded => "epoch_ended",
			Self::Internal => "internal",
			Self::NotReported(_) => "not_reported",
			Self::ReceiptUnknown { .. } => "receipt_unknown",
			Self::EvidenceGone { .. } => "evidence_gone",
			Self::PackageUnknown(_) => "package_unknown",
		}
	}

	/// HTTP status.
	pub fn status(&self) -> StatusCode {
		match self {
			Self::NotFound
			| Self::DealUnknown(_)
			| Self::NotReported(_)
			| Self::ReceiptUnknown { .. }
			| Self::PackageUnknown(_) => StatusCode::NOT_FOUND,
			Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
			Self::BadRequest(_) => StatusCode::BAD_REQUEST,
			Self::DealEnded { .. } | Self::EvidenceGone { .. } => StatusCode::GONE,
			Self::DealUnfunded { .. } | Self::PaymentRequired { .. } => {
				StatusCode::PAYMENT_REQUIRED
			}
			Self::NotLive(_)
			| Self::Drained { .. }
			| Self::KeyNotActive
			| Self::DirectoryTooNew { .. }
			| Self::ChainUnreachable
			| Self::PackageUnavailable(_)
			| Self::EpochEnded => StatusCode::SERVICE_UNAVAILABLE,
			Self::RequestHeadTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
			Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
			Self::BodyIncomplete => StatusCode::REQUEST_TIMEOUT,
			Self::PackageInvalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
			Self::AccessDenied(_) => StatusCode::UNAUTHORIZED,
			Self::Busy | Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
			Self::CallTimeout => StatusCode::GATEWAY_TIMEOUT,
			Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
		}
	}

	/// What the caller can do.
	pub fn hint(&self) -> &'static str {
		match self {
			Self::NotFound => "calls go to /deals/{id}, receipts are at /receipts/{epoch}/{seq}",
			Self::MethodNotAllowed => "use GET here; any method is taken below /deals/{id}",
			Self::BadRequest(_) => {
				"deals, epochs and sequence numbers are decimal numbers, hashes 0x and 64 digits"
			}
			Self::DealUnknown(_) => "look up the deal's workers on the chain, or use a gateway",
			Self::DealEnded { .. } => "create a new deal",
			Self::DealUnfunded { .. } => "top up the deal; it is served again from then on",
			Self::PaymentRequired { .. } => {
				"call through a gateway that holds the deal's voucher key, or send x-millrace-voucher"
			}
			Self::NotLive(_) => "call another worker, or this one later: from the next epoch on at the latest",
			Self::Drained { .. } => "call another worker of the deal",
			Self::KeyNotActive => {
				"call another worker; the provider must register or rotate the peer's key"
			}
			Self::DirectoryTooNew { .. } => "call another worker, or this one from that epoch on",
			Self::ChainUnreachable => "call another worker, or try again later",
			Self::RequestHeadTooLarge { .. } => "send it in the request's body",
			Self::BodyTooLarge { .. } => "send less, or create a deal with a higher request limit",
			Self::BodyIncomplete => "send the whole body without pauses",
			Self::PackageInvalid(_) => "run `millrace run` on the module to see what it needs",
			Self::PackageUnavailable(_) => "check the package's links, then try again",
			Self::AccessDenied(denied) => denied.hint(),
			Self::RateLimited { .. } => {
				"call again after that time; the deal's owner can raise the rate"
			}
			Self::Busy => "try again later, or call another worker",
			Self::CallTimeout => "call again with less work",
			Self::EpochEnded => "call again",
			Self::Internal => "call another worker; the provider finds the reason in the log",
			Self::NotReported(_) => "proofs exist once the worker has reported the epoch",
			Self::ReceiptUnknown { .. } => "check epoch, number and hash of the receipt",
			Self::EvidenceGone { .. } => "demand it on the chain",
			Self::PackageUnknown(_) => "fetch it from the links of its deal",
		}
	}
}

impl IntoResponse for Refusal {
	fn into_response(self) -> Response {
		let body = error_body(self.code(), &self.to_string(), self.hint());
		let mut response = (self.status(), body).into_response();
		if let Self::PaymentRequired {
			shown: Some(voucher),
			..
		} = &self
		{
			let headers = response.headers_mut();
			headers.insert(VOUCHER_HEADER, to_header(voucher));
		}
		let later = match self {
			Self::Busy => Some(1),
			Self::RateLimited { seconds } => Some(seconds),
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

/// Trouble with what is on disk. The daemon stops at it: a restart loses nothing, going on might.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// The database failed.
	#[error("the store failed: {0}; check that the disk has space and is healthy")]
	Database(Box<redb::Error>),
	/// The journal failed.
	#[error("the journal of receipts failed: {0}; check that the disk has space and is healthy")]
	Journal(std::io::Error),
	/// Something failed before, and what the disk has is not known.
	#[error("the store has failed before and takes nothing until a restart; see the log")]
	Stopped,
	/// A record cannot be read. Not even then is a backup of help: it would give numbers a second
	/// time, see [`crate::birth`].
	#[error(
		"a {0} in the store cannot be read; check the disk, move the data directory away and start \
		 with an empty one, which serves from the next epoch on. Do not restore a backup of it"
	)]
	Damaged(&'static str),
	/// The directory was used for another chain or peer.
	#[error(
		"the data directory belongs to another chain or peer; use a new directory, or the peer's \
		 own key and the chain that it was used with"
	)]
	OtherIdentity,
	/// The directory cannot be used.
	#[error("{path}: {source}")]
	Directory {
		/// The directory.
		path: std::path::PathBuf,
		/// Why.
		source: std::io::Error,
	},
}

/// Any error of the database as a [`StoreError`].
pub(crate) fn database<E: Into<redb::Error>>(error: E) -> StoreError {
	StoreError::Database(Box::new(error.into()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use http_body_util::BodyExt;

	#[tokio::test]
	async fn a_refusal_is_json_with_code_message_and_hint() {
		let response = Refusal::DealUnfunded {
			deal: 7,
			paid_until: 3,
		}
		.into_response();
		assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
		let bytes = response
			.into_body()
			.collect()
			.await
			.expect("the body is whole")
			.to_bytes();
		let value: serde_json::Value = serde_json::from_slice(&bytes).expect("it is JSON");
		assert_eq!(value["error"]["code"], "deal_unfunded");
		assert!(value["error"]["message"]
			.as_str()
			.expect("a text")
			.contains("deal 7"));
		assert!(value["error"]["hint"]
			.as_str()
			.expect("a text")
			.contains("top up"));
	}

	#[test]
	fn who_brings_too_low_a_voucher_is_shown_the_highest() {
		let voucher = Voucher {
			cumulative: 3,
			signature: [5; 64],
		};
		let refusal = |shown| Refusal::PaymentRequired { deal: 7, shown };
		let response = refusal(Some(voucher)).into_response();
		assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
		assert_eq!(response.headers()[VOUCHER_HEADER], to_header(&voucher));
		let response = refusal(None).into_response();
		assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
		assert!(!response.headers().contains_key(VOUCHER_HEADER));
	}

	#[test]
	fn a_busy_worker_says_when_to_come_back() {
		let response = Refusal::Busy.into_response();
		assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
		assert_eq!(response.headers()[header::RETRY_AFTER], "1");
	}
}
