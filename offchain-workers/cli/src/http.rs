//! HTTP and HTTPS to gateways and workers: bounded answers, a time limit, and their errors as ours.

use crate::errors::{CliError, Kind, Result};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use millrace_client::{
	access::Credential,
	web::{self, Connector, Reach},
};
use serde::Deserialize;
use serde_json::Map;
use std::time::Duration;

/// Largest answer: the largest response of a guest, with room for errors around it.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Longest wait for an answer: a guest's gas is used up well before.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Longest wait for a connection: a host that is away is told from a guest that takes long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A client that keeps its connections.
#[derive(Clone, Debug)]
pub(crate) struct Http {
	client: Client<Connector, Full<Bytes>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
	/// Status of the answer.
	pub(crate) status: StatusCode,
	/// Its headers.
	pub(crate) headers: HeaderMap,
	/// Its body.
	pub(crate) body: Bytes,
}

/// The form of every error of gateways and workers.
#[derive(Debug, Deserialize)]
struct ErrorBody {
	error: ErrorFields,
}

#[derive(Debug, Deserialize)]
struct ErrorFields {
	code: String,
	message: String,
	hint: Option<String>,
}

impl Http {
	/// A client without connections yet.
	pub(crate) fn new() -> Self {
		// Whoever runs this tool may reach whatever the machine reaches.
		let connector = Connector::new(Reach::Anywhere, CONNECT_TIMEOUT);
		Self {
			client: Client::builder(TokioExecutor::new()).build(connector),
		}
	}

	/// Sends a request and reads the whole answer, whatever its status.
	pub(crate) async fn send(
		&self,
		method: Method,
		url: &str,
		content_type: Option<&str>,
		body: Bytes,
	) -> Result<Answer> {
		self.send_as(method, url, content_type, body, None).await
	}

	/// The same with what shows who sends it.
	pub(crate) async fn send_as(
		&self,
		method: Method,
		url: &str,
		content_type: Option<&str>,
		body: Bytes,
		credential: Option<Credential>,
	) -> Result<Answer> {
		let uri = web::url(url)?;
		let mut request = Request::builder().method(method).uri(uri);
		if let Some(content_type) = content_type {
			request = request.header(http::header::CONTENT_TYPE, content_type);
		}
		if let Some(Credential { name, value }) = credential {
			request = request.header(name, value);
		}
		let request = request
			.body(Full::new(body))
			.map_err(|error| CliError::usage("bad_request", error.to_string()))?;
		tokio::time::timeout(TIMEOUT, self.exchange(request))
			.await
			.map_err(|_| unreachable_at(url, &format!("no answer within {} s", TIMEOUT.as_secs())))?
			.map_err(|reason| unreachable_at(url, &reason))
	}

	/// Fetches a URL; anything but success is an error.
	pub(crate) async fn get(&self, url: &str) -> Result<Answer> {
		self.send(Method::GET, url, None, Bytes::new())
			.await?
			.success()
	}

	async fn exchange(&self, request: Request<Full<Bytes>>) -> std::result::Result<Answer, String> {
		let response = self.client.request(request).await.map_err(|error| {
			// The outer error only says "client error (Connect)", the one below it "dns error".
			let mut causes = Vec::new();
			let mut next = std::error::Error::source(&error);
			while let Some(cause) = next {
				causes.push(cause.to_string());
				next = cause.source();
			}
			match causes.is_empty() {
				true => error.to_string(),
				false => causes.join(": "),
			}
		})?;
		let (head, body) = response.into_parts();
		let body = Limited::new(body, MAX_ANSWER_BYTES)
			.collect()
			.await
			.map_err(|error| error.to_string())?
			.to_bytes();
		Ok(Answer {
			status: head.status,
			headers: head.headers,
			body,
		})
	}
}

impl Answer {
	/// The answer if it is a success, else the error that it carries.
	pub(crate) fn success(self) -> Result<Self> {
		if self.status.is_success() {
			return Ok(self);
		}
		Err(self.error())
	}

	/// A header as text.
	pub(crate) fn header(&self, name: &str) -> Option<&str> {
		self.headers.get(name)?.to_str().ok()
	}

	/// The error that an answer without success carries.
	pub(crate) fn error(&self) -> CliError {
		let kind = match self.status {
			StatusCode::NOT_FOUND => Kind::NotFound,
			StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Kind::Network,
			_ => Kind::Failure,
		};
		match serde_json::from_slice::<ErrorBody>(&self.body) {
			Ok(ErrorBody { error }) => CliError {
				kind,
				code: error.code,
				message: error.message,
				hint: error.hint,
				details: Map::new(),
			},
			Err(_) => CliError::new(kind, "http_error", format!("HTTP status {}", self.status)),
		}
	}
}

/// Joins a base URL and a path that begins with a slash.
pub(crate) fn join(base: &str, path: &str) -> String {
	format!("{}{path}", base.trim_end_matches('/'))
}

fn unreachable_at(url: &str, reason: &str) -> CliError {
	CliError::new(Kind::Network, "unreachable", format!("{url}: {reason}"))
		.hint("see that the daemon runs, and that the URL is the right one")
}

#[cfg(test)]
mod tests {
	use super::*;

	fn answer(status: StatusCode, body: &'static str) -> Answer {
		Answer {
			status,
			headers: HeaderMap::new(),
			body: Bytes::from_static(body.as_bytes()),
		}
	}

	#[test]
	fn an_error_keeps_its_code() {
		let body = r#"{"error":{"code":"deal_unknown","message":"no deal 7","hint":"see deals"}}"#;
		let error = answer(StatusCode::NOT_FOUND, body).error();
		assert_eq!(
			(error.kind, error.code.as_str()),
			(Kind::NotFound, "deal_unknown")
		);
		assert_eq!(error.hint.as_deref(), Some("see deals"));
	}

	#[test]
	fn an_error_of_another_form_is_one_all_the_same() {
		let error = answer(StatusCode::BAD_GATEWAY, "<html>").error();
		assert_eq!(
			(error.kind, error.code.as_str()),
			(Kind::Failure, "http_error")
		);
	}

	#[tokio::test]
	async fn other_schemes_are_refused() {
		let error = Http::new()
			.get("ftp://localhost/")
			.await
			.expect_err("that is not spoken");
		assert_eq!((error.kind, error.code.as_str()), (Kind::Usage, "bad_url"));
	}

	#[tokio::test]
	async fn https_is_spoken() {
		let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
			.await
			.expect("there is a free port");
		let address = listener.local_addr().expect("it is bound");
		let server = async {
			let (stream, _) = listener.accept().await.expect("it is connected to");
			drop(stream);
		};
		let url = format!("https://{address}/");
		let http = Http::new();
		let (outcome, ()) = tokio::join!(http.get(&url), async {
			// Where the system has no certificates, nothing is connected to, and the error says so.
			let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
		});
		let error = outcome.expect_err("nobody answers");
		assert_eq!(
			(error.kind, error.code.as_str()),
			(Kind::Network, "unreachable"),
			"{error}"
		);
	}
}
