//! What the gateway answers, by path.

pub mod deals;
pub mod health;
pub mod packages;
pub mod receipts;

use crate::{errors::GatewayError, App};
use axum::{
	body::Body,
	routing::{any, get, put},
	Router,
};
use bytes::Bytes;
use millrace_http::body::{self, BodyError};
use std::{sync::Arc, time::Duration};

/// All paths.
pub(crate) fn router(app: Arc<App>) -> Router {
	Router::new()
		.route("/deals/{id}", any(deals::call))
		.route("/deals/{id}/", any(deals::call))
		.route("/deals/{id}/{*path}", any(deals::call))
		.route("/packages", put(packages::put))
		.route("/packages/{hash}", get(packages::get))
		.route("/receipts/{deal}", get(receipts::of_deal))
		.route("/healthz", get(health::healthz))
		.route("/metrics", get(health::metrics))
		.fallback(|| async { GatewayError::NotFound })
		.method_not_allowed_fallback(|| async { GatewayError::MethodNotAllowed })
		.with_state(app)
}

/// Reads a whole body of bounded length in bounded time.
async fn read_body(body: Body, limit: u64, time: Duration) -> Result<Bytes, GatewayError> {
	body::read(body, limit, time)
		.await
		.map_err(|error| match error {
			BodyError::TooLarge => GatewayError::BodyTooLarge { limit },
			BodyError::Incomplete => GatewayError::BodyIncomplete,
		})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn a_body_that_is_not_taken_has_a_code() {
		let time = Duration::from_millis(20);
		let whole = read_body(Body::from("1234"), 4, time).await;
		assert_eq!(&whole.expect("it fits")[..], b"1234");
		let long = read_body(Body::from("12345"), 4, time).await;
		assert_eq!(long.expect_err("it does not").code(), "body_too_large");
		let never = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
		let slow = read_body(never, 4, time).await;
		assert_eq!(slow.expect_err("it stalls").code(), "body_incomplete");
	}
}
