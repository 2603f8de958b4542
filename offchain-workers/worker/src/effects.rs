//! `http-out`: HTTP and HTTPS requests of guests to the hosts that their deal lists.
//!
//! A guest has no network; it asks, and the daemon performs. What it asks is read by the one parser
//! that the guest's world and the judge use, too. Names are resolved once for each connection, and the
//! very address that is connected to must be one of the public internet: there is no setting that
//! lifts this. A redirection is a request of its own and passes the same checks. No proxy is asked, no
//! cookie kept, no connection shared between calls.
//!
//! Whatever a host does is the guest's reply, and recorded: a fault that is named is a reply as well.

use crate::{fetch::barred, metrics::Metrics};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{
	header::{ACCEPT_ENCODING, LOCATION},
	response::Parts,
	HeaderMap, Request, StatusCode,
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::{
	client::legacy::{Client, Error as ClientError},
	rt::TokioExecutor,
};
use millrace_client::web::{Barred, Connector, Reach};
use millrace_executor::{EffectFailure, HttpFault, HttpReply, HttpRequest};
use millrace_primitives::{effects::MAX_EFFECT_REPLY, market::Hosts};
use millrace_sandbox::Effector;
use std::{error::Error, time::Duration};
use tokio::time::timeout;

/// Longest time of one effect, with all that it is led to.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most redirections that are followed.
const REDIRECTIONS: usize = 3;

/// Performs the requests of guests.
#[derive(Clone, Debug)]
pub struct HttpOut {
	client: Client<Connector, Full<Bytes>>,
	metrics: Option<Metrics>,
}

impl Default for HttpOut {
	fn default() -> Self {
		Self::new()
	}
}

impl HttpOut {
	/// Performs requests to the public internet, and nowhere else.
	pub fn new() -> Self {
		Self::reaching(Reach::Public)
	}

	/// The same, counted.
	pub fn counted(metrics: Metrics) -> Self {
		Self {
			metrics: Some(metrics),
			..Self::new()
		}
	}

	fn reaching(reach: Reach) -> Self {
		let client = Client::builder(TokioExecutor::new())
			.pool_max_idle_per_host(0)
			.build(Connector::new(reach, PATIENCE));
		Self {
			client,
			metrics: None,
		}
	}

	/// The reply that is recorded: a host's, or the fault in its place.
	async fn reply(&self, request: HttpRequest, hosts: &Hosts) -> Vec<u8> {
		let outcome = match timeout(PATIENCE, self.follow(request, hosts)).await {
			Ok(outcome) => outcome,
			Err(_) => Err(HttpFault::Slow),
		};
		let label = match &outcome {
			Ok(reply) => class(reply.status),
			Err(fault) => fault.name(),
		};
		if let Some(metrics) = &self.metrics {
			metrics.effects.with_label_values(&[label]).inc();
		}
		match outcome {
			Ok(reply) => reply.to_bytes(),
			Err(fault) => fault.to_bytes(),
		}
	}

	async fn follow(
		&self,
		mut request: HttpRequest,
		hosts: &Hosts,
	) -> Result<HttpReply, HttpFault> {
		for _ in 0..=REDIRECTIONS {
			let response = self
				.client
				.request(upstream(&request)?)
				.await
				.map_err(|error| fault(&error))?;
			let (parts, body) = response.into_parts();
			if let Some(location) = redirection(&request, &parts) {
				request = request
					.redirected(&location, hosts)
					.ok_or(HttpFault::NotAllowedRedirect)?;
				continue;
			}
			let body = Limited::new(body, MAX_EFFECT_REPLY as usize);
			let body = match body.collect().await {
				Ok(body) => body.to_bytes(),
				Err(error) if error.is::<LengthLimitError>() => return Err(HttpFault::TooLarge),
				Err(_) => return Err(HttpFault::Malformed),
			};
			let reply = HttpReply {
				status: parts.status.as_u16(),
				headers: shown(&parts.headers),
				body: body.into(),
			};
			// The head counts as well.
			if reply.to_bytes().len() > MAX_EFFECT_REPLY as usize {
				return Err(HttpFault::TooLarge);
			}
			return Ok(reply);
		}
		Err(HttpFault::NotAllowedRedirect)
	}
}

impl Effector for HttpOut {
	fn perform(
		&self,
		hosts: Hosts,
		request: Vec<u8>,
	) -> BoxFuture<'static, Result<Vec<u8>, EffectFailure>> {
		let out = self.clone();
		Box::pin(async move {
			// The guest's process has checked this. One that has not is not the program that it
			// should be, and asks nobody.
			let request = HttpRequest::parse(&request)
				.ok()
				.filter(|request| request.is_allowed(&hosts))
				.ok_or(EffectFailure::Unavailable)?;
			Ok(out.reply(request, &hosts).await)
		})
	}
}

/// The request as it is sent.
fn upstream(request: &HttpRequest) -> Result<Request<Full<Bytes>>, HttpFault> {
	let mut upstream = Request::builder()
		.method(request.method.as_str())
		.uri(request.url())
		.header(ACCEPT_ENCODING, "identity");
	for (name, value) in &request.headers {
		upstream = upstream.header(name.as_str(), value.as_str());
	}
	let body = Full::new(Bytes::copy_from_slice(&request.body));
	// A path of signs that no server takes.
	upstream.body(body).map_err(|_| HttpFault::Malformed)
}

/// Where the reply leads to. One that would have the body sent again elsewhere is the guest's to
/// follow.
fn redirection(request: &HttpRequest, parts: &Parts) -> Option<String> {
	let leads = match parts.status {
		StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => true,
		StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => request.method != "POST",
		_ => false,
	};
	let location = parts.headers.get(LOCATION).filter(|_| leads)?;
	Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// The headers that guests get to see.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
	let seen = headers
		.iter()
		.filter(|(name, _)| HttpReply::shows(name.as_str()));
	seen.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
		.collect()
}

/// What went wrong before there was a head of a reply.
fn fault(error: &ClientError) -> HttpFault {
	match barred(error) {
		Some(Barred::NotPublic(_)) => return HttpFault::Private,
		Some(Barred::Slow(_)) => return HttpFault::Slow,
		Some(Barred::NoCertificates(_)) => return HttpFault::Unreachable,
		None => {}
	}
	match spoken(error) {
		Some(error) if error.is_parse_too_large() => HttpFault::TooLarge,
		Some(error) if error.is_parse() => HttpFault::Malformed,
		_ => HttpFault::Unreachable,
	}
}

/// What HTTP itself says, among the causes of an error.
fn spoken<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a hyper::Error> {
	match error.downcast_ref::<hyper::Error>() {
		Some(error) => Some(error),
		None => spoken(error.source()?),
	}
}

/// Classes of statuses: a bounded set of labels.
fn class(status: u16) -> &'static str {
	match status / 100 {
		2 => "2xx",
		3 => "3xx",
		4 => "4xx",
		5 => "5xx",
		_ => "other",
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use axum::{routing::any, Router};
	use millrace_primitives::market::Host;
	use std::sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	};
	use tokio::{
		io::{AsyncReadExt, AsyncWriteExt},
		net::TcpListener,
	};

	/// A server on this machine; its authority, and how many connected to it.
	async fn origin(router: Router) -> (String, Arc<AtomicUsize>) {
		let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
		let host = listener.local_addr().expect("it is bound").to_string();
		let hits = Arc::new(AtomicUsize::new(0));
		let counted = hits.clone();
		let router = router.layer(axum::middleware::from_fn(
			move |request: axum::extract::Request, next: axum::middleware::Next| {
				counted.fetch_add(1, Ordering::Relaxed);
				next.run(request)
			},
		));
		tokio::spawn(async move { axum::serve(listener, router).await });
		(host, hits)
	}

	fn hosts(names: &[&str]) -> Hosts {
		let hosts: Vec<Host> = names
			.iter()
			.map(|name| name.as_bytes().to_vec().try_into().expect("it is short"))
			.collect();
		hosts.try_into().expect("they are few")
	}

	async fn perform(out: &HttpOut, listed: &[&str], request: &str) -> String {
		let reply = out
			.perform(hosts(listed), request.as_bytes().to_vec())
			.await;
		String::from_utf8(reply.expect("it is performed")).expect("it is text")
	}

	/// Performs anywhere: the servers of these tests are on this machine.
	fn anywhere() -> HttpOut {
		HttpOut::reaching(Reach::Anywhere)
	}

	#[tokio::test]
	async fn a_listed_host_is_asked_what_the_guest_asks() {
		let echo = |request: axum::extract::Request| async move {
			let (parts, body) = request.into_parts();
			let body = axum::body::to_bytes(body, 1_024)
				.await
				.expect("it is short");
			let key = parts.headers["x-key"].to_str().expect("text").to_owned();
			let coding = parts.headers["accept-encoding"].to_str().expect("text");
			let body = String::from_utf8_lossy(&body);
			let said = format!("{} {} {key} {coding} {body}", parts.method, parts.uri);
			([("x-said", "1"), ("set-cookie", "a=b")], said)
		};
		let (host, hits) = origin(Router::new().fallback(echo)).await;
		let request = format!("POST http://{host}/a?b\r\nx-key: 7\r\n\r\nbody");
		let reply = perform(&anywhere(), &[&host], &request).await;
		let (head, body) = reply.split_once("\r\n\r\n").expect("it has a head");
		assert_eq!(body, "POST /a?b 7 identity body");
		assert!(
			head.starts_with("200\r\n") && head.contains("x-said: 1"),
			"{head}"
		);
		assert!(!head.contains("cookie"), "{head}");
		assert_eq!(hits.load(Ordering::Relaxed), 1);
	}

	#[tokio::test]
	async fn what_no_guest_could_ask_is_not_performed() {
		let (host, hits) = origin(Router::new().fallback(|| async { "no" })).await;
		for request in [
			format!("GET http://{host}/\r\nhost: other\r\n\r\n"),
			format!("PUT http://{host}/\r\n\r\n"),
			"GET http://unlisted.example/\r\n\r\n".into(),
			"nothing".into(),
		] {
			let outcome = anywhere()
				.perform(hosts(&[&host]), request.into_bytes())
				.await;
			assert_eq!(outcome, Err(EffectFailure::Unavailable));
		}
		assert_eq!(hits.load(Ordering::Relaxed), 0);
	}

	#[tokio::test]
	async fn addresses_of_this_machine_are_private_without_a_packet() {
		let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
		let port = listener.local_addr().expect("it is bound").port();
		for host in [
			format!("127.0.0.1:{port}"),
			format!("localhost:{port}"),
			format!("[::1]:{port}"),
			format!("[::ffff:7f00:1]:{port}"),
			"10.0.0.1".into(),
			"169.254.169.254".into(),
		] {
			// Another spelling of an address is no host at all.
			let request = format!("GET http://{host}/\r\n\r\n");
			let reply = HttpOut::new()
				.perform(hosts(&[&host]), request.into_bytes())
				.await;
			let private = Ok(HttpFault::Private.to_bytes());
			let refused = [private, Err(EffectFailure::Unavailable)];
			assert!(refused.contains(&reply), "{host}: {reply:?}");
		}
		let asked = timeout(Duration::from_millis(50), listener.accept()).await;
		assert!(asked.is_err(), "nobody has connected");
	}

	/// A server that leads elsewhere with this status.
	async fn leading(status: StatusCode, location: String) -> (String, Arc<AtomicUsize>) {
		let leads = [(LOCATION, location)];
		origin(Router::new().fallback(move || async move { (status, leads) })).await
	}

	#[tokio::test]
	async fn redirections_are_followed_to_listed_hosts_alone() {
		let method = |request: axum::extract::Request| async move { request.method().to_string() };
		let (end, hits) = origin(Router::new().fallback(method)).await;
		let (first, _) = leading(StatusCode::FOUND, format!("http://{end}/")).await;
		let request = format!("POST http://{first}/\r\n\r\nbody");
		let reply = perform(&anywhere(), &[&first, &end], &request).await;
		assert!(reply.ends_with("\r\n\r\nGET"), "{reply}");
		let reply = perform(&anywhere(), &[&first], &request).await;
		assert_eq!(reply, "fault: not_allowed_redirect\r\n\r\n");
		assert_eq!(hits.load(Ordering::Relaxed), 1);
		// A body is not sent to where the guest has not sent it.
		let (again, _) = leading(StatusCode::TEMPORARY_REDIRECT, format!("http://{end}/")).await;
		let request = format!("POST http://{again}/\r\n\r\nbody");
		let reply = perform(&anywhere(), &[&again, &end], &request).await;
		assert!(reply.starts_with("307\r\n"), "{reply}");
		assert_eq!(hits.load(Ordering::Relaxed), 1);
	}

	#[tokio::test]
	async fn a_circle_ends() {
		let (host, hits) = leading(StatusCode::SEE_OTHER, "/again".into()).await;
		let request = format!("GET http://{host}/\r\n\r\n");
		let reply = perform(&anywhere(), &[&host], &request).await;
		assert_eq!(reply, "fault: not_allowed_redirect\r\n\r\n");
		assert_eq!(hits.load(Ordering::Relaxed), REDIRECTIONS + 1);
	}

	#[tokio::test]
	async fn a_reply_is_bounded_with_its_head() {
		let sized = |size: usize| async move {
			let router = Router::new().route("/", any(move || async move { vec![b'x'; size] }));
			let (host, _) = origin(router).await;
			let request = format!("GET http://{host}/\r\n\r\n");
			perform(&anywhere(), &[&host], &request).await
		};
		let most = MAX_EFFECT_REPLY as usize;
		// Status and type take some.
		assert!(sized(most - 100).await.starts_with("200\r\n"));
		for size in [most, most + 1, 10 * most] {
			assert_eq!(sized(size).await, "fault: too_large\r\n\r\n");
		}
	}

	#[tokio::test]
	async fn what_is_no_http_and_nobody_are_told_apart() {
		let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
		let host = listener.local_addr().expect("it is bound").to_string();
		let request = format!("GET http://{host}/\r\n\r\n");
		let server = async {
			let (mut stream, _) = listener.accept().await.expect("it is connected to");
			let mut head = [0; 16];
			stream.read_exact(&mut head).await.expect("it is asked");
			stream
				.write_all(b"SSH-2.0-x\r\n\r\n")
				.await
				.expect("it is told");
		};
		let out = anywhere();
		let listed = [host.as_str()];
		let (reply, ()) = tokio::join!(perform(&out, &listed, &request), server);
		assert_eq!(reply, "fault: malformed\r\n\r\n");
		drop(listener);
		let reply = perform(&out, &listed, &request).await;
		assert_eq!(reply, "fault: unreachable\r\n\r\n");
	}
}
