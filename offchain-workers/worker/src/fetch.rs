//! Packages over HTTP: one bounded request, nothing followed.

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_util::{
	client::legacy::{connect::HttpConnector, Client},
	rt::TokioExecutor,
};
use std::time::Duration;
use tokio::time::timeout;

/// Why a package did not come.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
	/// The link is no URL that the daemon fetches.
	#[error("{0} is no http:// URL; workers fetch over plain HTTP and check the hash")]
	BadLink(String),
	/// The server is not there or broke off.
	#[error("{link}: {reason}")]
	Unreachable {
		/// The link.
		link: String,
		/// Why.
		reason: String,
	},
	/// The server answered with something else than the package.
	#[error("{link} answers with {status}")]
	Status {
		/// The link.
		link: String,
		/// The answer's status.
		status: StatusCode,
	},
	/// The answer is longer than the package.
	#[error("{link} sends more than the {limit} bytes of the package")]
	TooLarge {
		/// The link.
		link: String,
		/// Size of the package.
		limit: u32,
	},
	/// The server is too slow.
	#[error("{link} did not answer within {seconds} s")]
	Slow {
		/// The link.
		link: String,
		/// The bound.
		seconds: u64,
	},
}

/// An HTTP client for packages.
#[derive(Clone, Debug)]
pub struct Fetcher {
	client: Client<HttpConnector, Empty<Bytes>>,
	patience: Duration,
}

impl Fetcher {
	/// A client that gives each link so much time.
	pub fn new(patience: Duration) -> Self {
		let client = Client::builder(TokioExecutor::new())
			.pool_max_idle_per_host(0)
			.build_http();
		Self { client, patience }
	}

	/// The body at a link, if it is no longer than `limit`. The link is what a client wrote on the
	/// chain: nothing of it is trusted, and the answer is told to nobody.
	pub async fn fetch(&self, link: &[u8], limit: u32) -> Result<Bytes, FetchError> {
		let text = String::from_utf8_lossy(link).into_owned();
		let uri: Uri = match text.parse() {
			Ok(uri) => uri,
			Err(_) => return Err(FetchError::BadLink(text)),
		};
		if uri.scheme_str() != Some("http") {
			return Err(FetchError::BadLink(text));
		}
		let seconds = self.patience.as_secs();
		match timeout(self.patience, self.get(uri, &text, limit)).await {
			Ok(outcome) => outcome,
			Err(_) => Err(FetchError::Slow {
				link: text,
				seconds,
			}),
		}
	}

	async fn get(&self, uri: Uri, link: &str, limit: u32) -> Result<Bytes, FetchError> {
		let link = link.to_owned();
		let response = match self.client.get(uri).await {
			Ok(response) => response,
			Err(error) => {
				return Err(FetchError::Unreachable {
					link,
					reason: error.to_string(),
				});
			}
		};
		let status = response.status();
		if status != StatusCode::OK {
			return Err(FetchError::Status { link, status });
		}
		match Limited::new(response.into_body(), limit as usize)
			.collect()
			.await
		{
			Ok(body) => Ok(body.to_bytes()),
			Err(error) if error.is::<LengthLimitError>() => {
				Err(FetchError::TooLarge { link, limit })
			}
			Err(error) => Err(FetchError::Unreachable {
				link,
				reason: error.to_string(),
			}),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use axum::{routing::get, Router};

	async fn serve() -> String {
		let router = Router::new().route("/module", get(|| async { "0123456789" }));
		let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
			.await
			.expect("a port");
		let address = listener.local_addr().expect("it is bound");
		tokio::spawn(async move { axum::serve(listener, router).await });
		format!("http://{address}")
	}

	#[tokio::test]
	async fn a_package_comes_whole_or_not_at_all() {
		let server = serve().await;
		let fetcher = Fetcher::new(Duration::from_secs(10));
		let link = format!("{server}/module");
		let body = fetcher
			.fetch(link.as_bytes(), 10)
			.await
			.expect("ten bytes fit");
		assert_eq!(body, Bytes::from_static(b"0123456789"));
		let result = fetcher.fetch(link.as_bytes(), 9).await;
		assert!(
			matches!(result, Err(FetchError::TooLarge { limit: 9, .. })),
			"{result:?}"
		);
		let result = fetcher.fetch(format!("{server}/other").as_bytes(), 9).await;
		assert!(
			matches!(result, Err(FetchError::Status { .. })),
			"{result:?}"
		);
	}

	#[tokio::test]
	async fn what_is_no_http_link_is_not_asked() {
		let fetcher = Fetcher::new(Duration::from_secs(10));
		for link in [
			"file:///etc/passwd",
			"https://127.0.0.1/",
			"no link",
			"\u{7f}",
		] {
			let result = fetcher.fetch(link.as_bytes(), 9).await;
			assert!(
				matches!(result, Err(FetchError::BadLink(_))),
				"{link}: {result:?}"
			);
		}
		let result = fetcher.fetch(b"http://127.0.0.1:1/", 9).await;
		assert!(
			matches!(result, Err(FetchError::Unreachable { .. })),
			"{result:?}"
		);
	}
}
