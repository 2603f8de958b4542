//! What stands before an honest worker, holds its key, and signs or withholds what the worker would
//! not.
//!
//! The worker's own books stay in order: it reports every call that it has run. What the proxy signs
//! besides is what the report does not show.

use crate::fetch::Fetch;
use anyhow::Result;
use axum::{
	body::Body,
	extract::{Request, State},
	response::{IntoResponse, Response},
	Router,
};
use clap::{Parser, ValueEnum};
use codec::{DecodeAll, Encode};
use http::{
	header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
	HeaderName, HeaderValue, StatusCode,
};
use millrace_client::PeerKeypair;
use millrace_primitives::execution::{Receipt, SignedReceipt};
use std::{
	net::SocketAddr,
	path::PathBuf,
	sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;

/// Added to the number of a receipt that no report will show.
pub const BEYOND: u32 = 1_000_000;
/// One call in so many is answered with another receipt than the worker's.
pub const EVERY: u32 = 3;
/// Carries the signed receipt.
const RECEIPT: HeaderName = HeaderName::from_static("x-millrace-receipt");
/// Largest body that is passed on.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// What the proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum How {
	/// Hands out receipts that the report does not hold: under numbers that it never reaches.
	Omit,
	/// Hands out receipts under the number of the call before.
	Double,
	/// Gives challengers neither the data of calls nor packages.
	Withhold,
}

/// Options of the program.
#[derive(Debug, Parser)]
pub struct Options {
	/// Where it listens.
	#[arg(long)]
	listen: SocketAddr,
	/// URL of the worker.
	#[arg(long)]
	upstream: String,
	/// Key file of the peer.
	#[arg(long)]
	key: PathBuf,
	/// What it does.
	#[arg(long, value_enum)]
	how: How,
}

struct Proxy {
	upstream: String,
	key: PeerKeypair,
	how: How,
	fetch: Fetch,
	calls: Mutex<Calls>,
}

/// What the proxy remembers of the calls so far.
#[derive(Default)]
struct Calls {
	answered: u32,
	last: Option<Receipt>,
}

/// Serves until it is killed.
pub async fn run(options: Options) -> Result<()> {
	let proxy = Proxy {
		key: PeerKeypair::load(&options.key)?,
		upstream: options.upstream,
		how: options.how,
		fetch: Fetch::new(),
		calls: Mutex::default(),
	};
	let router = Router::new().fallback(serve).with_state(Arc::new(proxy));
	let listener = TcpListener::bind(options.listen).await?;
	axum::serve(listener, router).await?;
	Ok(())
}

async fn serve(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
	if proxy.how == How::Withhold && is_evidence(request.uri().path()) {
		return StatusCode::NOT_FOUND.into_response();
	}
	match proxy.pass(request).await {
		Ok(response) => response.map(Body::from),
		Err(error) => {
			tracing::warn!("the worker does not answer: {error:#}");
			StatusCode::BAD_GATEWAY.into_response()
		}
	}
}

/// Whether challengers ask for it.
fn is_evidence(path: &str) -> bool {
	path.ends_with("/evidence") || path.starts_with("/packages/")
}

impl Proxy {
	/// Passes a request on, and changes the receipt of the answer.
	async fn pass(&self, request: Request) -> Result<http::Response<bytes::Bytes>> {
		let (head, body) = request.into_parts();
		let body = axum::body::to_bytes(body, MAX_BODY).await?;
		let target = head.uri.path_and_query().map_or("/", |part| part.as_str());
		let mut upstream = http::Request::builder()
			.method(head.method)
			.uri(format!("{}{target}", self.upstream));
		if let Some(content_type) = head.headers.get(CONTENT_TYPE) {
			upstream = upstream.header(CONTENT_TYPE, content_type);
		}
		let mut response = self.fetch.send(upstream.body(body)?).await?;
		let headers = response.headers_mut();
		for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
			headers.remove(name);
		}
		if let Some(changed) = headers.get(&RECEIPT).and_then(|value| self.changed(value)) {
			headers.insert(RECEIPT, changed);
		}
		Ok(response)
	}

	/// The receipt that is handed out in the place of the worker's, if it is another one.
	fn changed(&self, value: &HeaderValue) -> Option<HeaderValue> {
		let bytes = hex::decode(value.to_str().ok()?.strip_prefix("0x")?).ok()?;
		let mut receipt = SignedReceipt::decode_all(&mut &bytes[..]).ok()?.receipt;
		let number = {
			let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
			calls.number(self.how, &receipt)?
		};
		receipt.seq = number;
		let signed = SignedReceipt {
			signature: self.key.sign_hash(receipt.hash()),
			receipt,
		};
		HeaderValue::try_from(format!("0x{}", hex::encode(signed.encode()))).ok()
	}
}

impl Calls {
	/// The number under which a receipt is handed out, if it is not its own.
	fn number(&mut self, how: How, receipt: &Receipt) -> Option<u32> {
		self.answered = self.answered.saturating_add(1);
		let before = self.last.replace(receipt.clone());
		if !self.answered.is_multiple_of(EVERY) {
			return None;
		}
		match how {
			How::Omit => Some(receipt.seq.saturating_add(BEYOND)),
			How::Double => before
				.filter(|before| before.epoch == receipt.epoch)
				.map(|before| before.seq),
			How::Withhold => None,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{
		execution::{empty_transcript, response_hash, CallStatus, PROFILE_V1},
		peer::PeerId,
		EpochIndex, H256,
	};

	fn receipt(epoch: EpochIndex, seq: u32) -> Receipt {
		Receipt {
			genesis: H256::zero(),
			seed: H256::zero(),
			deal: 1,
			peer: PeerId::default(),
			epoch,
			seq,
			package: H256::zero(),
			profile: PROFILE_V1,
			terms: H256::zero(),
			request: H256::zero(),
			response: response_hash(b""),
			transcript: empty_transcript(),
			status: CallStatus::Exited(0),
			gas: 1,
			block: 1,
		}
	}

	fn numbers(how: How, receipts: &[(EpochIndex, u32)]) -> Vec<Option<u32>> {
		let mut calls = Calls::default();
		receipts
			.iter()
			.map(|(epoch, seq)| calls.number(how, &receipt(*epoch, *seq)))
			.collect()
	}

	#[test]
	fn one_receipt_in_three_has_another_number() {
		let calls = [(3, 0), (3, 1), (3, 2), (3, 3), (3, 4), (4, 0)];
		let beyond = |seq| Some(seq + BEYOND);
		assert_eq!(
			numbers(How::Omit, &calls),
			[None, None, beyond(2), None, None, beyond(0)]
		);
		// Numbers of two epochs are not the same number.
		assert_eq!(
			numbers(How::Double, &calls),
			[None, None, Some(1), None, None, None]
		);
		assert_eq!(numbers(How::Withhold, &calls), [None; 6]);
	}

	#[test]
	fn challengers_and_clients_ask_for_different_things() {
		assert!(is_evidence("/receipts/3/0/evidence"));
		assert!(is_evidence("/packages/0x00"));
		for path in ["/receipts/3/0", "/deals/1", "/healthz"] {
			assert!(!is_evidence(path), "{path}");
		}
	}
}
