//! JSON-RPC over HTTP, to one server.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{header::CONTENT_TYPE, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use millrace_client::web::{self, Connector, Reach, UrlError};
use serde_json::{json, Value};
use std::{
	error::Error,
	fmt,
	sync::atomic::{AtomicU64, Ordering},
	time::Duration,
};

/// Largest answer: blocks with all their transactions, on anchors that are busy.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;
/// Longest wait for an answer. Public servers of Filecoin take several seconds for a call.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Begins what Filecoin's nodes append to a refusal: the bytes of the contract's error.
const FVM_ERROR: &str = "vm error=[0x";

/// Why a server gave no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
	/// It cannot be reached, or does not answer in time.
	#[error("{server} cannot be reached: {reason}")]
	Unreachable {
		/// The server.
		server: String,
		/// What the transport says.
		reason: String,
	},
	/// It has had too many requests.
	#[error("{server} takes no more requests for now: HTTP status {status}")]
	Busy {
		/// The server.
		server: String,
		/// The status.
		status: u16,
	},
	/// It answers with an error.
	#[error("{server} refuses {method}: {message} ({code})")]
	Refused {
		/// The server.
		server: String,
		/// What was asked.
		method: String,
		/// The error's number.
		code: i64,
		/// The error's text.
		message: String,
		/// What the contract says, if it was the contract that refused.
		revert: Option<Vec<u8>>,
	},
	/// It answers something else than was asked for.
	#[error("{server} answers {method} in another form: {reason}")]
	Malformed {
		/// The server.
		server: String,
		/// What was asked.
		method: String,
		/// What is wrong with the answer.
		reason: String,
	},
}

impl RpcError {
	/// Whether the contract itself refused, so that any other server would say the same.
	pub fn is_revert(&self) -> bool {
		matches!(
			self,
			Self::Refused {
				revert: Some(_),
				..
			}
		)
	}

	/// Whether the server says that it knows the transaction already.
	pub fn is_known(&self) -> bool {
		let known = [
			"already known",
			"already imported",
			"already in mempool",
			"known transaction",
		];
		self.says(&known)
	}

	/// Whether another transaction of this nonce is in its pool, for which this one pays too little more.
	pub fn is_underpriced(&self) -> bool {
		self.says(&["underpriced", "minimum gas fee", "replace by fee", "rbf"])
	}

	/// Whether a transaction of this nonce is in a block.
	pub fn is_stale_nonce(&self) -> bool {
		self.says(&[
			"nonce too low",
			"minimum expected nonce",
			"nonce is too low",
		])
	}

	/// Whether the server says that a round has no block, as Filecoin's do.
	pub fn is_null_round(&self) -> bool {
		self.says(&["null round"])
	}

	fn says(&self, any: &[&str]) -> bool {
		let Self::Refused { message, .. } = self else {
			return false;
		};
		let message = message.to_lowercase();
		any.iter().any(|text| message.contains(text))
	}
}

/// Something that answers JSON-RPC.
pub trait Transport: fmt::Debug + Send + Sync {
	/// Its name, without anything secret.
	fn name(&self) -> &str;

	/// Asks it.
	fn request<'a>(
		&'a self,
		method: &'a str,
		params: Value,
	) -> BoxFuture<'a, Result<Value, RpcError>>;
}

/// A server behind a URL.
pub struct Rpc {
	url: http::Uri,
	name: String,
	client: Client<Connector, Full<Bytes>>,
	next_id: AtomicU64,
}

impl Rpc {
	/// The server of a URL. Nothing is connected to yet.
	pub fn new(url: &str) -> Result<Self, UrlError> {
		let url = web::url(url)?;
		// A path often is what shows who pays for the server.
		let name = url.host().unwrap_or_default().to_string();
		let name = match url.port_u16() {
			Some(port) => format!("{name}:{port}"),
			None => name,
		};
		// Whoever runs this wrote the URL.
		let connector = Connector::new(Reach::Anywhere, CONNECT_TIMEOUT);
		Ok(Self {
			url,
			name,
			client: Client::builder(TokioExecutor::new()).build(connector),
			next_id: AtomicU64::new(1),
		})
	}

	async fn exchange(&self, method: &str, params: Value) -> Result<Value, RpcError> {
		let id = self.next_id.fetch_add(1, Ordering::Relaxed);
		let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
		let request = Request::builder()
			.method(Method::POST)
			.uri(self.url.clone())
			.header(CONTENT_TYPE, "application/json")
			.body(Full::new(Bytes::from(body.to_string())))
			.map_err(|error| self.unreachable(error.to_string()))?;
		let response = self
			.client
			.request(request)
			.await
			.map_err(|error| self.unreachable(told(&error)))?;
		let (head, body) = response.into_parts();
		let body = Limited::new(body, MAX_ANSWER_BYTES)
			.collect()
			.await
			.map_err(|error| self.unreachable(error.to_string()))?
			.to_bytes();
		let busy = [
			StatusCode::TOO_MANY_REQUESTS,
			StatusCode::BAD_GATEWAY,
			StatusCode::SERVICE_UNAVAILABLE,
			StatusCode::GATEWAY_TIMEOUT,
		];
		if busy.contains(&head.status) {
			let (server, status) = (self.name.clone(), head.status.as_u16());
			return Err(RpcError::Busy { server, status });
		}
		// Some servers answer errors of theirs by a status of HTTP, with the same object.
		let answer = serde_json::from_slice(&body)
			.map_err(|_| self.malformed(method, format!("no JSON, HTTP status {}", head.status)))?;
		self.result(method, answer)
	}

	fn result(&self, method: &str, mut answer: Value) -> Result<Value, RpcError> {
		match answer.get("error") {
			Some(error) if !error.is_null() => Err(refused(&self.name, method, error)),
			_ => match answer.get_mut("result") {
				Some(result) => Ok(result.take()),
				None => Err(self.malformed(method, "neither result nor error".into())),
			},
		}
	}

	fn unreachable(&self, reason: String) -> RpcError {
		let server = self.name.clone();
		RpcError::Unreachable { server, reason }
	}

	fn malformed(&self, method: &str, reason: String) -> RpcError {
		RpcError::Malformed {
			server: self.name.clone(),
			method: method.into(),
			reason,
		}
	}
}

impl Transport for Rpc {
	fn name(&self) -> &str {
		&self.name
	}

	fn request<'a>(
		&'a self,
		method: &'a str,
		params: Value,
	) -> BoxFuture<'a, Result<Value, RpcError>> {
		Box::pin(async move {
			let exchange = self.exchange(method, params);
			match tokio::time::timeout(TIMEOUT, exchange).await {
				Ok(outcome) => outcome,
				Err(_) => Err(self.unreachable(format!("no answer within {TIMEOUT:?}"))),
			}
		})
	}
}

impl fmt::Debug for Rpc {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Rpc")
			.field("name", &self.name)
			.finish_non_exhaustive()
	}
}

/// A server's error as ours.
fn refused(server: &str, method: &str, error: &Value) -> RpcError {
	let message = error
		.get("message")
		.and_then(Value::as_str)
		.unwrap_or_default();
	RpcError::Refused {
		server: server.into(),
		method: method.into(),
		code: error
			.get("code")
			.and_then(Value::as_i64)
			.unwrap_or_default(),
		message: message.into(),
		revert: revert(message, error.get("data")),
	}
}

/// The bytes that a contract refused with.
fn revert(message: &str, data: Option<&Value>) -> Option<Vec<u8>> {
	let given = match data {
		Some(Value::String(text)) => text.strip_prefix("0x"),
		// Some servers put it one level lower.
		Some(Value::Object(fields)) => fields
			.get("data")
			.and_then(Value::as_str)
			.and_then(|text| text.strip_prefix("0x")),
		_ => None,
	};
	let appended = || {
		let (_, rest) = message.split_once(FVM_ERROR)?;
		rest.split(']').next()
	};
	let digits = given.or_else(appended)?;
	hex::decode(digits).ok()
}

/// An error with everything that caused it: the outermost says little.
fn told(error: &(dyn Error + 'static)) -> String {
	match error.source() {
		Some(source) => told(source),
		None => error.to_string(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn error(value: Value) -> RpcError {
		refused("s", "eth_call", &value)
	}

	#[test]
	fn what_a_contract_says_is_found_wherever_servers_put_it() {
		let expected = vec![0x12, 0x34, 0x56, 0x78];
		for value in [
			json!({"code": 3, "message": "execution reverted", "data": "0x12345678"}),
			json!({"code": 3, "message": "reverted", "data": {"data": "0x12345678"}}),
			json!({"code": 1, "message": "message execution failed (exit=[33], \
				vm error=[0x12345678])"}),
		] {
			let RpcError::Refused { revert, .. } = error(value.clone()) else {
				panic!("that is a refusal");
			};
			assert_eq!(revert, Some(expected.clone()), "{value}");
		}
		let plain = error(json!({"code": 12, "message": "requested epoch was a null round (7)"}));
		assert!(!plain.is_revert() && plain.is_null_round());
	}

	#[test]
	fn answers_of_pools_are_told_apart() {
		let says = |message: &str| error(json!({ "code": -32000, "message": message }));
		assert!(says("already known").is_known());
		assert!(says("replacement transaction underpriced").is_underpriced());
		assert!(says("nonce too low: next nonce 4, tx nonce 3").is_stale_nonce());
		assert!(!says("insufficient funds").is_known());
	}

	#[test]
	fn a_name_shows_no_secret_of_a_url() {
		let rpc = Rpc::new("https://rpc.example/v1/secret-token").expect("it is a URL");
		assert_eq!(rpc.name(), "rpc.example");
		assert!(!format!("{rpc:?}").contains("secret"));
	}

	#[tokio::test]
	async fn a_server_that_is_away_is_an_error_and_no_hang() {
		let rpc = Rpc::new("http://127.0.0.1:1").expect("it is a URL");
		let error = rpc.request("eth_chainId", json!([])).await;
		assert!(
			matches!(error, Err(RpcError::Unreachable { .. })),
			"{error:?}"
		);
	}
}
