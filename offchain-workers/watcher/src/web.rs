//! Bounded requests to servers that strangers named.

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use millrace_client::web::{self, Connector, Reach, UrlError};
use std::{error::Error, time::Duration};
use tokio::time::timeout;

/// Longest time that one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why something did not come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
	/// That is no URL that is fetched.
	#[error(transparent)]
	BadUrl(#[from] UrlError),
	/// The server is not there, is not public, or broke off.
	#[error("{url}: {reason}")]
	Unreachable {
		/// What was asked for.
		url: String,
		/// What went wrong.
		reason: String,
	},
	/// The server answered with something else.
	#[error("{url} answers with {status}")]
	Status {
		/// What was asked for.
		url: String,
		/// The answer's status.
		status: StatusCode,
	},
	/// The answer is longer than what was asked for can be.
	#[error("{url} sends more than {limit} bytes")]
	TooLarge {
		/// What was asked for.
		url: String,
		/// The most that it can be.
		limit: usize,
	},
	/// The server is too slow.
	#[error("{url} did not answer within {} s", PATIENCE.as_secs())]
	Slow {
		/// What was asked for.
		url: String,
	},
}

/// A client without state: nothing is followed, nothing is kept.
#[derive(Clone, Debug)]
pub struct Web {
	client: Client<Connector, Empty<Bytes>>,
}

impl Web {
	/// A client that connects as far as this.
	pub fn new(reach: Reach) -> Self {
		let client = Client::builder(TokioExecutor::new())
			.pool_max_idle_per_host(0)
			.build(Connector::new(reach, PATIENCE));
		Self { client }
	}

	/// The body at a URL, if it is no longer than `limit`. Nothing of it is trusted.
	pub async fn get(&self, url: &str, limit: usize) -> Result<Bytes, WebError> {
		let uri = web::url(url)?;
		match timeout(PATIENCE, self.fetch(uri, url, limit)).await {
			Ok(outcome) => outcome,
			Err(_) => Err(WebError::Slow { url: url.into() }),
		}
	}

	async fn fetch(&self, uri: Uri, url: &str, limit: usize) -> Result<Bytes, WebError> {
		let url = url.to_owned();
		let response = match self.client.get(uri).await {
			Ok(response) => response,
			Err(error) => {
				let reason = told(&error);
				return Err(WebError::Unreachable { url, reason });
			}
		};
		let status = response.status();
		if status != StatusCode::OK {
			return Err(WebError::Status { url, status });
		}
		match Limited::new(response.into_body(), limit).collect().await {
			Ok(body) => Ok(body.to_bytes()),
			Err(error) if error.is::<LengthLimitError>() => Err(WebError::TooLarge { url, limit }),
			Err(error) => Err(WebError::Unreachable {
				url,
				reason: error.to_string(),
			}),
		}
	}
}

/// What is at the bottom of an error: the outer ones only say that there was one.
fn told(error: &(dyn Error + 'static)) -> String {
	match error.source() {
		Some(source) => told(source),
		None => error.to_string(),
	}
}

/// A path below an endpoint.
pub fn below(endpoint: &[u8], path: &str) -> String {
	let endpoint = String::from_utf8_lossy(endpoint);
	format!("{}{path}", endpoint.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
	use super::*;
	use tokio::{
		io::{AsyncReadExt, AsyncWriteExt},
		net::TcpListener,
	};

	/// A server that gives each connection these bytes.
	async fn serve(answer: &'static str) -> String {
		let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
		let address = listener.local_addr().expect("it is bound");
		tokio::spawn(async move {
			while let Ok((mut stream, _)) = listener.accept().await {
				let mut request = [0; 1024];
				let _ = stream.read(&mut request).await;
				let _ = stream.write_all(answer.as_bytes()).await;
			}
		});
		format!("http://{address}")
	}

	#[tokio::test]
	async fn an_answer_comes_whole_or_not_at_all() {
		let url = serve("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n0123").await;
		let web = Web::new(Reach::Anywhere);
		assert_eq!(web.get(&url, 4).await, Ok(Bytes::from_static(b"0123")));
		let long = web.get(&url, 3).await;
		assert!(
			matches!(long, Err(WebError::TooLarge { limit: 3, .. })),
			"{long:?}"
		);
		let url = serve("HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n").await;
		let moved = web.get(&url, 4).await;
		assert!(matches!(moved, Err(WebError::Status { .. })), "{moved:?}");
	}

	#[tokio::test]
	async fn strangers_do_not_lead_into_this_machine() {
		let url = serve("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n0123").await;
		let barred = Web::new(Reach::Public).get(&url, 4).await;
		assert!(
			matches!(&barred, Err(WebError::Unreachable { reason, .. }) if reason.contains("public")),
			"{barred:?}"
		);
		let other = Web::new(Reach::Anywhere).get("file:///etc/passwd", 4).await;
		assert!(matches!(other, Err(WebError::BadUrl(_))), "{other:?}");
	}

	#[test]
	fn paths_are_joined_with_one_slash() {
		assert_eq!(below(b"http://h:1/", "/a"), "http://h:1/a");
		assert_eq!(below(b"http://h:1", "/a"), "http://h:1/a");
	}
}
