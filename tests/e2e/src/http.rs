//! HTTP as any client speaks it.

use bytes::Bytes;
use codec::DecodeAll;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{
	client::legacy::{connect::HttpConnector, Client},
	rt::TokioExecutor,
};
use millrace_primitives::execution::SignedReceipt;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// Longest wait for one answer: longer than a gateway lets a client wait.
const PATIENCE: Duration = Duration::from_secs(70);

/// A client that keeps its connections.
#[derive(Clone, Debug)]
pub struct Http {
	client: Client<HttpConnector, Full<Bytes>>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
	/// HTTP status.
	pub status: u16,
	/// Headers.
	pub headers: HeaderMap,
	/// Body.
	pub body: Bytes,
}

impl Default for Http {
	fn default() -> Self {
		Self {
			client: Client::builder(TokioExecutor::new()).build_http(),
		}
	}
}

impl Http {
	/// Sends a request and reads the whole answer. The error is the transport's.
	pub async fn send(
		&self,
		method: Method,
		url: &str,
		content_type: &str,
		body: impl Into<Bytes>,
	) -> Result<Answer, String> {
		let mut request = Request::builder().method(method).uri(url);
		if !content_type.is_empty() {
			request = request.header(http::header::CONTENT_TYPE, content_type);
		}
		let request = request
			.body(Full::new(body.into()))
			.map_err(|error| error.to_string())?;
		let exchange = async {
			let response = self
				.client
				.request(request)
				.await
				.map_err(|error| format!("{url}: {error:?}"))?;
			let (head, body) = response.into_parts();
			let body = body
				.collect()
				.await
				.map_err(|error| format!("{url}: {error}"))?
				.to_bytes();
			Ok::<_, String>(Answer {
				status: head.status.as_u16(),
				headers: head.headers,
				body,
			})
		};
		timeout(PATIENCE, exchange)
			.await
			.map_err(|_| format!("{url}: no answer in time"))?
	}

	/// `GET`.
	pub async fn get(&self, url: &str) -> Result<Answer, String> {
		self.send(Method::GET, url, "", Bytes::new()).await
	}

	/// `POST` of plain text.
	pub async fn post(&self, url: &str, body: impl Into<Bytes>) -> Result<Answer, String> {
		self.send(Method::POST, url, "text/plain", body).await
	}

	/// `PUT` of a module.
	pub async fn put(&self, url: &str, body: impl Into<Bytes>) -> Result<Answer, String> {
		self.send(Method::PUT, url, "application/wasm", body).await
	}
}

impl Answer {
	/// The body as JSON; null if it is none.
	pub fn json(&self) -> Value {
		serde_json::from_slice(&self.body).unwrap_or_default()
	}

	/// Status and machine-readable code of an error; the code is empty where there is none.
	pub fn error(&self) -> (u16, String) {
		let body = self.json();
		let error = &body["error"];
		if let Some(code) = error["code"].as_str() {
			for field in ["message", "hint"] {
				let text = error[field].as_str().unwrap_or_default();
				assert!(!text.is_empty(), "the error {code} has no {field}: {body}");
			}
		}
		let code = error["code"].as_str().unwrap_or_default();
		(self.status, code.to_string())
	}

	/// A header as text; empty where there is none.
	pub fn header(&self, name: &str) -> &str {
		self.headers
			.get(name)
			.and_then(|value| value.to_str().ok())
			.unwrap_or_default()
	}

	/// The receipt in the headers.
	pub fn receipt(&self) -> Option<SignedReceipt> {
		let text = self.header("x-millrace-receipt").strip_prefix("0x")?;
		let bytes = hex::decode(text).ok()?;
		SignedReceipt::decode_all(&mut &bytes[..]).ok()
	}
}
