//! What the gateway answers, by path.

pub mod deals;
pub mod health;
pub mod packages;

use crate::{errors::GatewayError, App};
use axum::{
	body::Body,
	routing::{any, get, put},
	Router,
};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use std::{error::Error, sync::Arc, time::Duration};
use tokio::time::timeout;

/// All paths.
pub(crate) fn router(app: Arc<App>) -> Router {
	Router::new()
		.route("/deals/{id}", any(deals::call))
		.route("/deals/{id}/", any(deals::call))
		.route("/deals/{id}/{*path}", any(deals::call))
		.route("/packages", put(packages::put))
		.route("/packages/{hash}", get(packages::get))
		.route("/healthz", get(health::healthz))
		.route("/metrics", get(health::metrics))
		.fallback(|| async { GatewayError::NotFound })
		.method_not_allowed_fallback(|| async { GatewayError::MethodNotAllowed })
		.with_state(app)
}

/// Reads a whole body of bounded length in bounded time.
async fn read_body(body: Body, limit: u64, time: Duration) -> Result<Bytes, GatewayError> {
	let bytes = usize::try_from(limit).unwrap_or(usize::MAX);
	match timeout(time, axum::body::to_bytes(body, bytes)).await {
		Ok(Ok(body)) => Ok(body),
		Ok(Err(error))
			if error
				.source()
				.is_some_and(|source| source.is::<LengthLimitError>()) =>
		{
			Err(GatewayError::BodyTooLarge { limit })
		}
		Ok(Err(_)) | Err(_) => Err(GatewayError::BodyIncomplete),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn a_body_is_bounded_in_length_and_time() {
		let second = Duration::from_secs(1);
		let whole = read_body(Body::from("1234"), 4, second)
			.await
			.expect("it fits");
		assert_eq!(&whole[..], b"1234");
		let long = read_body(Body::from("12345"), 4, second)
			.await
			.expect_err("it does not");
		assert_eq!(long.code(), "body_too_large");
		let never = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
		let slow = read_body(never, 4, Duration::from_millis(20))
			.await
			.expect_err("it stalls");
		assert_eq!(slow.code(), "body_incomplete");
	}
}
