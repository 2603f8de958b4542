//! Packages over HTTP and HTTPS: one bounded request to a public host, nothing followed.

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use millrace_client::web::{self, Barred, Connector, Reach, UrlError};
use std::{error::Error, time::Duration};
use tokio::time::timeout;

/// Why a package did not come.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
	/// The link is no URL that the daemon fetches.
	#[error(transparent)]
	BadLink(#[from] UrlError),
	/// The link leads into a network that is not public.
	#[error("{link}: {reason}; private hosts are asked where limits.allow_private_links is set")]
	Barred {
		/// The link.
		link: String,
		/// Why.
		reason: Barred,
	},
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

/// A client for packages.
#[derive(Clone, Debug)]
pub struct Fetcher {
	client: Client<Connector, Empty<Bytes>>,
	patience: Duration,
}

impl Fetcher {
	/// A client that gives each link so much time. Without `allow_private` it connects to addresses
	/// of the public internet alone: links are written by clients, and must not lead them into the
	/// provider's network.
	pub fn new(patience: Duration, allow_private: bool) -> Self {
		let reach = if allow_private {
			Reach::Anywhere
		} else {
			Reach::Public
		};
		let client = Client::builder(TokioExecutor::new())
			.pool_max_idle_per_host(0)
			.build(Connector::new(reach, patience));
		Self { client, patience }
	}

	/// The body at a link, if it is no longer than `limit`. The link is what a client wrote on the
	/// chain: nothing of it is trusted, and the answer is told to nobody.
	pub async fn fetch(&self, link: &[u8], limit: u32) -> Result<Bytes, FetchError> {
		let text = String::from_utf8_lossy(link).into_owned();
		let uri = web::url(&text)?;
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
				return Err(match barred(&error) {
					Some(reason @ Barred::NotPublic(_)) => FetchError::Barred { link, reason },
					Some(reason) => FetchError::Unreachable {
						link,
						reason: reason.to_string(),
					},
					None => FetchError::Unreachable {
						link,
						reason: error.to_string(),
					},
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

/// Why nothing was connected to, among the causes of an error.
pub(crate) fn barred(error: &(dyn Error + 'static)) -> Option<Barred> {
	match error.downcast_ref::<Barred>() {
		Some(barred) => Some(barred.clone()),
		None => barred(error.source()?),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use axum::{routing::get, Router};

	async fn serve() -> String {
		listen(Router::new().route("/module", get(|| async { "0123456789" }))).await
	}

	async fn listen(router: Router) -> String {
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
		let fetcher = Fetcher::new(Duration::from_secs(10), true);
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
	async fn links_into_the_own_machine_and_network_are_not_followed() {
		let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
			.await
			.expect("a port");
		let port = listener.local_addr().expect("it is bound").port();
		let fetcher = Fetcher::new(Duration::from_secs(10), false);
		for link in [
			format!("http://127.0.0.1:{port}/module"),
			format!("http://localhost:{port}/module"),
			format!("http://127.1:{port}/module"),
			format!("http://2130706433:{port}/module"),
			format!("http://[::1]:{port}/module"),
			format!("http://[::ffff:127.0.0.1]:{port}/module"),
			format!("http://0.0.0.0:{port}/module"),
			"http://10.0.0.1/module".into(),
			"http://169.254.169.254/latest/meta-data".into(),
			format!("https://127.0.0.1:{port}/module"),
		] {
			let result = fetcher.fetch(link.as_bytes(), 9).await;
			assert!(
				matches!(result, Err(FetchError::Barred { .. })),
				"{link}: {result:?}"
			);
		}
		let asked = timeout(Duration::from_millis(50), listener.accept()).await;
		assert!(asked.is_err(), "nobody has connected");
	}

	#[tokio::test]
	async fn no_redirection_is_followed() {
		let elsewhere = serve().await;
		let leads = [(http::header::LOCATION, format!("{elsewhere}/module"))];
		let router = Router::new().fallback(move || async move { (StatusCode::FOUND, leads) });
		let server = listen(router).await;
		let fetcher = Fetcher::new(Duration::from_secs(10), true);
		let result = fetcher.fetch(server.as_bytes(), 10).await;
		let found = matches!(
			result,
			Err(FetchError::Status {
				status: StatusCode::FOUND,
				..
			})
		);
		assert!(found, "{result:?}");
	}

	#[tokio::test]
	async fn a_server_learns_its_name_and_the_whole_path() {
		let echo = |request: axum::extract::Request| async move {
			let host = request.headers()[http::header::HOST]
				.to_str()
				.expect("text");
			format!("{host} {}", request.uri())
		};
		let server = listen(Router::new().fallback(echo)).await;
		let fetcher = Fetcher::new(Duration::from_secs(10), true);
		let link = format!("{server}/a/b?c=d");
		let body = fetcher.fetch(link.as_bytes(), 100).await.expect("it fits");
		let host = server.trim_start_matches("http://");
		assert_eq!(body, format!("{host} /a/b?c=d"));
	}

	#[tokio::test]
	async fn what_is_no_link_is_not_asked() {
		let fetcher = Fetcher::new(Duration::from_secs(10), true);
		for link in [
			"file:///etc/passwd",
			"http://user@127.0.0.1/",
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
