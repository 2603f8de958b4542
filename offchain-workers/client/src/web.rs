//! HTTP and HTTPS to servers whose URLs strangers wrote.
//!
//! [`Connector`] is what hyper's client connects by. It checks the very addresses that it connects
//! to, so that neither a name that leads elsewhere later nor a way of writing a number gets around
//! the check. hyper's client follows no redirection and knows no proxy.

use crate::net::is_public;
use futures::future::BoxFuture;
use http::{uri::Scheme, Uri};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, MaybeHttpsStream};
use hyper_util::{
	client::legacy::connect::{
		dns::{GaiResolver, Name},
		HttpConnector,
	},
	rt::TokioIo,
};
use rustls::ClientConfig;
use std::{
	error::Error,
	net::{IpAddr, SocketAddr},
	sync::{Arc, OnceLock},
	task::{Context, Poll},
	time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// Where a [`Connector`] may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
	/// Anywhere: URLs that the user of this program wrote, and networks on one machine.
	Anywhere,
	/// Addresses of the public internet: URLs that strangers wrote.
	Public,
}

impl Reach {
	fn admits(self, ip: IpAddr) -> bool {
		self == Self::Anywhere || is_public(ip)
	}
}

/// Why a text is not a URL that is connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
	/// It is something else than an absolute URL.
	#[error("\"{0}\" is no URL with a host; write http://host:port or https://host")]
	NotAbsolute(String),
	/// Its scheme is neither http nor https.
	#[error("\"{0}\" begins with neither http:// nor https://")]
	NotHttp(String),
	/// It has a part that must not be there.
	#[error("\"{0}\" must have no \"{1}\": leave out user names, queries and fragments")]
	Surplus(String, char),
}

/// Why nothing is connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Barred {
	/// A stranger's URL leads into a network that is not public.
	#[error("{0} is or leads to no address of the public internet")]
	NotPublic(String),
	/// The system cannot say which certificates count.
	#[error("https needs the system's certificates of authorities: {0}; install ca-certificates")]
	NoCertificates(String),
	/// The server did not answer in time.
	#[error("connecting took longer than {0:?}")]
	Slow(Duration),
}

/// Reads the URL of something on a server.
pub fn url(text: &str) -> Result<Uri, UrlError> {
	let not_absolute = || UrlError::NotAbsolute(text.into());
	if text.contains('#') {
		return Err(UrlError::Surplus(text.into(), '#'));
	}
	let uri: Uri = text.parse().map_err(|_| not_absolute())?;
	let (scheme, authority) = uri.scheme().zip(uri.authority()).ok_or_else(not_absolute)?;
	if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
		return Err(UrlError::NotHttp(text.into()));
	}
	if authority.as_str().contains('@') {
		return Err(UrlError::Surplus(text.into(), '@'));
	}
	if authority.host().is_empty() {
		return Err(not_absolute());
	}
	Ok(uri)
}

/// Reads the URL of a server that paths are put behind. What is returned has no slash at its end.
pub fn base_url(text: &str) -> Result<&str, UrlError> {
	if let Some(surplus) = text.chars().find(|c| matches!(c, '?' | '#' | '@')) {
		return Err(UrlError::Surplus(text.into(), surplus));
	}
	url(text)?;
	Ok(text.trim_end_matches('/'))
}

/// Whether a URL leads into this machine or its network, as far as can be seen without asking for
/// the address of a name.
pub fn is_private(text: &str) -> bool {
	url(text).is_ok_and(|uri| match literal(&uri) {
		Some(ip) => !is_public(ip),
		None => uri
			.host()
			.is_some_and(|host| host.eq_ignore_ascii_case("localhost")),
	})
}

/// Connects to servers, by TLS where the URL says so.
#[derive(Clone, Debug)]
pub struct Connector {
	http: HttpConnector<Resolver>,
	reach: Reach,
	patience: Duration,
	/// Read from the system at the first https URL: many processes never see one.
	tls: Arc<OnceLock<Result<Arc<ClientConfig>, String>>>,
}

impl Connector {
	/// A connector that gives each connection so much time, its handshakes included.
	pub fn new(reach: Reach, patience: Duration) -> Self {
		let system = GaiResolver::new();
		let mut http = HttpConnector::new_with_resolver(Resolver { reach, system });
		// The schemes are told apart here.
		http.enforce_http(false);
		http.set_nodelay(true);
		http.set_connect_timeout(Some(patience));
		Self {
			http,
			reach,
			patience,
			tls: Arc::default(),
		}
	}
}

impl Service<Uri> for Connector {
	type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
	type Error = BoxError;
	type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

	fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
		self.http.poll_ready(context).map_err(BoxError::from)
	}

	fn call(&mut self, uri: Uri) -> Self::Future {
		// A literal address never meets the resolver.
		if let Some(ip) = literal(&uri).filter(|ip| !self.reach.admits(*ip)) {
			return refuse(Barred::NotPublic(ip.to_string()));
		}
		let connecting: Self::Future = if uri.scheme() == Some(&Scheme::HTTPS) {
			match self.tls.get_or_init(system_tls).clone() {
				Ok(config) => HttpsConnector::from((self.http.clone(), config)).call(uri),
				Err(reason) => return refuse(Barred::NoCertificates(reason)),
			}
		} else {
			let connecting = self.http.call(uri);
			Box::pin(async move {
				match connecting.await {
					Ok(stream) => Ok(MaybeHttpsStream::Http(stream)),
					Err(error) => Err(BoxError::from(error)),
				}
			})
		};
		let patience = self.patience;
		Box::pin(async move {
			match timeout(patience, connecting).await {
				Ok(outcome) => outcome,
				Err(_) => Err(BoxError::from(Barred::Slow(patience))),
			}
		})
	}
}

/// The system's resolver, of whose answers only those count that may be connected to.
#[derive(Clone, Debug)]
struct Resolver {
	reach: Reach,
	system: GaiResolver,
}

impl Service<Name> for Resolver {
	type Response = std::vec::IntoIter<SocketAddr>;
	type Error = BoxError;
	type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

	fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
		self.system.poll_ready(context).map_err(BoxError::from)
	}

	fn call(&mut self, name: Name) -> Self::Future {
		let (reach, host) = (self.reach, name.to_string());
		let lookup = self.system.call(name);
		Box::pin(async move {
			let found = match lookup.await {
				Ok(found) => found,
				Err(error) => return Err(BoxError::from(error)),
			};
			let admitted: Vec<SocketAddr> =
				found.filter(|address| reach.admits(address.ip())).collect();
			match admitted.is_empty() {
				true => Err(BoxError::from(Barred::NotPublic(host))),
				false => Ok(admitted.into_iter()),
			}
		})
	}
}

fn refuse<T: 'static>(reason: Barred) -> BoxFuture<'static, Result<T, BoxError>> {
	Box::pin(async move { Err(BoxError::from(reason)) })
}

/// The address that a URL's host is written as, if it is no name.
fn literal(uri: &Uri) -> Option<IpAddr> {
	let host = uri.host()?;
	let bare = host
		.strip_prefix('[')
		.and_then(|host| host.strip_suffix(']'));
	bare.unwrap_or(host).parse().ok()
}

fn system_tls() -> Result<Arc<ClientConfig>, String> {
	let provider = Arc::new(rustls::crypto::ring::default_provider());
	let config = ClientConfig::builder_with_provider(provider)
		.with_safe_default_protocol_versions()
		.map_err(|error| error.to_string())?
		.with_native_roots()
		.map_err(|error| error.to_string())?
		.with_no_client_auth();
	Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::FutureExt;
	use tokio::{io::AsyncReadExt, net::TcpListener};

	const PATIENCE: Duration = Duration::from_secs(10);

	async fn listener() -> (TcpListener, u16) {
		let listener = TcpListener::bind("127.0.0.1:0")
			.await
			.expect("there is a free port");
		let port = listener.local_addr().expect("it is bound").port();
		(listener, port)
	}

	/// An error with everything that caused it.
	fn told(error: &(dyn Error + 'static)) -> String {
		match error.source() {
			Some(source) => format!("{error}: {}", told(source)),
			None => error.to_string(),
		}
	}

	async fn connect(connector: &mut Connector, url: &str) -> Result<(), String> {
		let uri = super::url(url).expect("that is a URL");
		match connector.call(uri).await {
			Ok(_) => Ok(()),
			Err(error) => Err(told(&*error)),
		}
	}

	/// A connector that trusts nobody, whatever the machine of the test trusts.
	fn distrustful(patience: Duration) -> Connector {
		let connector = Connector::new(Reach::Anywhere, patience);
		let provider = Arc::new(rustls::crypto::ring::default_provider());
		let config = ClientConfig::builder_with_provider(provider)
			.with_safe_default_protocol_versions()
			.expect("the provider knows them")
			.with_root_certificates(rustls::RootCertStore::empty())
			.with_no_client_auth();
		let outcome = connector.tls.set(Ok(Arc::new(config)));
		assert!(outcome.is_ok(), "it is new");
		connector
	}

	#[tokio::test]
	async fn a_strangers_url_does_not_lead_into_this_machine() {
		let (listener, port) = listener().await;
		let mut connector = Connector::new(Reach::Public, PATIENCE);
		for host in [
			"127.0.0.1",
			"localhost",
			"[::1]",
			"[::ffff:127.0.0.1]",
			"127.1",
			"2130706433",
			"0.0.0.0",
		] {
			for scheme in ["http", "https"] {
				let url = format!("{scheme}://{host}:{port}");
				let error = connect(&mut connector, &url)
					.await
					.expect_err("that is this machine");
				// A short form of an address is no name that a certificate could be for.
				let refusals = ["public internet", "ca-certificates", "invalid dns name"];
				assert!(
					refusals.iter().any(|refusal| error.contains(refusal)),
					"{url}: {error}"
				);
			}
		}
		assert!(
			listener.accept().now_or_never().is_none(),
			"nothing was connected to"
		);
	}

	#[tokio::test]
	async fn whoever_may_go_anywhere_does() {
		let (listener, port) = listener().await;
		let mut connector = Connector::new(Reach::Anywhere, PATIENCE);
		for host in ["127.0.0.1", "localhost"] {
			let url = format!("http://{host}:{port}");
			assert_eq!(connect(&mut connector, &url).await, Ok(()), "{url}");
			listener.accept().await.expect("it was connected to");
		}
	}

	#[tokio::test]
	async fn https_is_spoken_where_a_url_says_so() {
		let (listener, port) = listener().await;
		let mut connector = distrustful(PATIENCE);
		let url = format!("https://127.0.0.1:{port}");
		let server = async {
			let (mut stream, _) = listener.accept().await.expect("it is connected to");
			stream.read_u8().await.expect("the client speaks first")
		};
		let (outcome, first) = tokio::join!(connect(&mut connector, &url), server);
		// The type of a TLS record that is a handshake.
		assert_eq!(first, 22);
		outcome.expect_err("the server hung up");
	}

	#[tokio::test]
	async fn a_handshake_that_does_not_end_is_given_up() {
		let (_listener, port) = listener().await;
		let mut connector = distrustful(Duration::from_millis(100));
		let url = format!("https://127.0.0.1:{port}");
		let error = connect(&mut connector, &url)
			.await
			.expect_err("nobody answers");
		assert!(error.contains("longer than 100ms"), "{error}");
	}

	#[test]
	fn what_is_no_url_of_a_server_is_refused() {
		assert_eq!(base_url("http://h:1/"), Ok("http://h:1"));
		assert_eq!(base_url("https://h/below//"), Ok("https://h/below"));
		for text in ["", "h:1", "/h", "http://", "http://:1", "http://h h", "h"] {
			let refused = matches!(base_url(text), Err(UrlError::NotAbsolute(_)));
			assert!(refused, "{text}: {:?}", base_url(text));
		}
		for text in ["ftp://h", "ws://h"] {
			assert_eq!(base_url(text), Err(UrlError::NotHttp(text.into())));
		}
		for (text, surplus) in [
			("http://h/?x", '?'),
			("http://h#x", '#'),
			("http://user@h", '@'),
			("http://h/a@b", '@'),
		] {
			assert_eq!(base_url(text), Err(UrlError::Surplus(text.into(), surplus)));
		}
	}

	#[test]
	fn something_on_a_server_may_have_a_query() {
		assert!(url("https://h/pkg@1/m.wasm?token=1").is_ok());
		for text in ["https://user:word@h/m", "https://h/m#x"] {
			assert!(
				matches!(url(text), Err(UrlError::Surplus(..))),
				"{text}: {:?}",
				url(text)
			);
		}
	}

	#[test]
	fn urls_that_others_cannot_follow_are_told_apart() {
		for text in [
			"http://127.0.0.1:8090/packages/0x00",
			"http://[::1]:8090",
			"http://LocalHost:8090/m",
			"https://10.0.0.1/m",
			"http://0.0.0.0:8090",
		] {
			assert!(is_private(text), "{text}");
		}
		for text in [
			"https://gate.example/packages/0x00",
			"http://1.1.1.1/m",
			"/packages/0x00",
			"",
		] {
			assert!(!is_private(text), "{text}");
		}
	}
}
