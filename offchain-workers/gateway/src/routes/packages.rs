//! `PUT /packages` and `GET /packages/{hash}`.

use super::read_body;
use crate::{errors::GatewayError, App};
use axum::{
	body::Body,
	extract::{Path, State},
	http::{header, StatusCode},
	response::{IntoResponse, Response},
	Json,
};
use millrace_primitives::{execution::MAX_PACKAGE_BYTES, H256};
use serde::Serialize;
use std::sync::Arc;

/// Answer to an upload.
#[derive(Debug, Serialize)]
struct Stored {
	hash: H256,
	size: u64,
	url: String,
}

/// Stores the module in the body: 201 when it is new, 200 when it was here already.
pub(crate) async fn put(State(app): State<Arc<App>>, body: Body) -> Result<Response, GatewayError> {
	let limit = u64::from(MAX_PACKAGE_BYTES);
	let module = read_body(body, limit, app.config.limits.body_timeout()).await?;
	// Whoever sends slowly keeps nobody from uploading: a place is for checking and storing alone.
	let _place = app.uploads.try_acquire().map_err(|_| GatewayError::Busy)?;
	let size = module.len() as u64;
	let (hash, is_new) = app.packages.put(module).await?;
	let status = match is_new {
		true => StatusCode::CREATED,
		false => StatusCode::OK,
	};
	if is_new {
		app.metrics.stored_packages.inc();
		tracing::info!(?hash, size, "stored a package");
	}
	let url = format!("{}/packages/{hash:?}", app.public_url);
	Ok((status, Json(Stored { hash, size, url })).into_response())
}

/// Hands out a module. It can be cached for ever: its name is its content's.
pub(crate) async fn get(
	State(app): State<Arc<App>>,
	Path(hash): Path<String>,
) -> Result<Response, GatewayError> {
	let hash = parse_hash(&hash)?;
	let module = app
		.packages
		.get(hash)
		.await?
		.ok_or(GatewayError::PackageUnknown(hash))?;
	let headers = [
		(header::CONTENT_TYPE, "application/wasm"),
		(header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
	];
	Ok((headers, module).into_response())
}

fn parse_hash(text: &str) -> Result<H256, GatewayError> {
	let mut hash = H256::zero();
	hex::decode_to_slice(text.trim_start_matches("0x"), hash.as_bytes_mut())
		.map_err(|_| GatewayError::BadRequest(format!("\"{text}\" is no package hash")))?;
	Ok(hash)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_hash_is_read_with_and_without_its_prefix() {
		let hash = H256::repeat_byte(0xab);
		assert_eq!(parse_hash(&format!("{hash:?}")).ok(), Some(hash));
		assert_eq!(parse_hash(&hex::encode(hash)).ok(), Some(hash));
		assert!(parse_hash("0xab").is_err());
		assert!(parse_hash("../etc/passwd").is_err());
	}

	#[test]
	fn an_upload_is_answered_with_full_hash_and_url() {
		let hash = H256::repeat_byte(1);
		let stored = Stored {
			hash,
			size: 8,
			url: format!("http://g/packages/{hash:?}"),
		};
		let json = serde_json::to_value(&stored).expect("it is plain data");
		assert_eq!(json["hash"], format!("{hash:?}"));
		assert_eq!(
			json["url"],
			format!("http://g/packages/0x{}", "01".repeat(32))
		);
	}
}
