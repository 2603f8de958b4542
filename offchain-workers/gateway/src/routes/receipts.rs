//! `GET /receipts/{deal}`: the receipts that the gateway keeps of a deal.
//!
//! Whoever has a receipt can ask the worker for the request that it is of, so receipts are for those
//! who hold one of the gateway's keys.

use crate::{errors::GatewayError, App};
use axum::{
	extract::{rejection::QueryRejection, Path, Query, State},
	http::{header, HeaderMap},
	Json,
};
use codec::Encode;
use millrace_primitives::{
	execution::{response_hash, SignedReceipt},
	peer::PeerId,
	DealId, EpochIndex,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Most receipts in an answer.
const PAGE: usize = 256;

/// Which receipts are asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
	/// The first number; those of the answer before and one more, to go on.
	#[serde(default)]
	from: u64,
	/// Most receipts.
	#[serde(default = "page")]
	limit: usize,
}

fn page() -> usize {
	PAGE
}

/// Receipts in the order in which they came.
#[derive(Debug, Serialize)]
pub(crate) struct Receipts {
	receipts: Vec<Row>,
	/// Where to go on; nothing where this was the last page.
	#[serde(skip_serializing_if = "Option::is_none")]
	next: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Row {
	number: u64,
	peer: PeerId,
	epoch: EpochIndex,
	seq: u32,
	/// SCALE in hexadecimal.
	receipt: String,
}

impl From<(u64, SignedReceipt)> for Row {
	fn from((number, signed): (u64, SignedReceipt)) -> Self {
		Self {
			number,
			peer: signed.receipt.peer,
			epoch: signed.receipt.epoch,
			seq: signed.receipt.seq,
			receipt: format!("0x{}", hex::encode(signed.encode())),
		}
	}
}

/// A page of a deal's receipts.
pub(crate) async fn of_deal(
	State(app): State<Arc<App>>,
	Path(deal): Path<String>,
	asked: Result<Query<Asked>, QueryRejection>,
	headers: HeaderMap,
) -> Result<Json<Receipts>, GatewayError> {
	if !is_allowed(&app.config.receipts.keys, &headers) {
		return Err(GatewayError::KeyMissing);
	}
	let deal: DealId = deal
		.parse()
		.map_err(|_| GatewayError::BadRequest(format!("\"{deal}\" is no deal number")))?;
	let Query(asked) = asked.map_err(|error| GatewayError::BadRequest(error.to_string()))?;
	let most = asked.limit.clamp(1, PAGE);
	let kept = app.kept.clone();
	let found = spawn_blocking(move || kept.of_deal(deal, asked.from, most)).await;
	let found = match found {
		Ok(Ok(found)) => found,
		Ok(Err(error)) => return Err(failed(&error.to_string())),
		Err(error) => return Err(failed(&error.to_string())),
	};
	let last = found.last().map(|(number, _)| *number);
	let next = last.filter(|_| found.len() == most);
	Ok(Json(Receipts {
		next: next.and_then(|number| number.checked_add(1)),
		receipts: found.into_iter().map(Row::from).collect(),
	}))
}

fn failed(error: &str) -> GatewayError {
	tracing::error!("kept receipts cannot be read: {error}");
	GatewayError::Internal("kept receipts cannot be read".into())
}

/// Whether the headers bring one of the keys. Hashes are compared, so that the time that it takes
/// tells nothing of a key.
fn is_allowed(keys: &[String], headers: &HeaderMap) -> bool {
	let brought = headers
		.get(header::AUTHORIZATION)
		.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
	let Some(brought) = brought.map(response_hash) else {
		return false;
	};
	keys.iter()
		.any(|key| response_hash(key.as_bytes()) == brought)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::verify::tests::sign;
	use axum::http::HeaderValue;
	use codec::DecodeAll;
	use millrace_client::PeerKeypair;
	use millrace_primitives::execution::{CallStatus, Request};

	#[test]
	fn receipts_are_for_those_who_hold_a_key() {
		let keys = ["first key, a long one".to_string(), "second".to_string()];
		let allowed = |keys: &[String], value: &'static str| {
			let value = HeaderValue::from_static(value);
			is_allowed(
				keys,
				&HeaderMap::from_iter([(header::AUTHORIZATION, value)]),
			)
		};
		assert!(allowed(&keys, "Bearer first key, a long one"));
		assert!(allowed(&keys, "Bearer second"));
		for wrong in [
			"Bearer ",
			"Bearer secon",
			"Basic second",
			"second",
			"bearer second",
		] {
			assert!(!allowed(&keys, wrong), "{wrong}");
		}
		assert!(!allowed(&[], "Bearer "));
		assert!(!is_allowed(&keys, &HeaderMap::new()));
	}

	#[test]
	fn a_row_has_the_receipt_whole() {
		let key = PeerKeypair::from_seed([1; 32], None);
		let signed = sign(&key, &Request::default(), b"", CallStatus::Exited(0));
		let row = serde_json::to_value(Row::from((9, signed.clone()))).expect("it is plain data");
		assert_eq!(row["number"], 9);
		assert_eq!(row["seq"], 0);
		let text = row["receipt"].as_str().expect("it is text");
		let bytes = hex::decode(text.trim_start_matches("0x")).expect("it is hexadecimal");
		assert_eq!(SignedReceipt::decode_all(&mut &bytes[..]), Ok(signed));
	}
}
