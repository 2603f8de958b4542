//! What a guest may have done outside of itself: the seam, and the text of the one capability.
//!
//! A guest asks and is answered in text of the form of HTTP/1.1. The request is read by
//! [`HttpRequest::parse`] alone: by the guest's world, by whoever performs it and by the judge, so
//! that none of them can be led to see another request than the others.
//!
//! ```text
//! GET http://api.example/v1?q=1          200
//! accept: text/plain                     content-type: text/plain
//!
//!                                        body
//! ```
//!
//! Every line ends with a carriage return and a line feed; an empty one stands before the body. In
//! place of a status the reply may say [`HttpFault`]: those are replies like any other, recorded and
//! replayed. An [`EffectFailure`] is none: it ends the call as the host's failure.

use crate::wasi::Errno;
use millrace_primitives::market::{is_host, Hosts};
use thiserror::Error;

/// Performs effects, one at a time.
pub trait Effects: Send {
	/// Performs one and tells its reply. Blocks; an `Err` ends the call as the host's failure, and
	/// nothing of it may be signed.
	///
	/// The request is one that [`HttpRequest::parse`] takes, to a host that the deal lists. The
	/// reply has no more than [`millrace_primitives::effects::MAX_EFFECT_REPLY`] bytes.
	fn perform(&mut self, request: &[u8]) -> Result<Vec<u8>, EffectFailure>;
}

/// Performs none: for calls of deals that list no hosts.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEffects;

impl Effects for NoEffects {
	fn perform(&mut self, _: &[u8]) -> Result<Vec<u8>, EffectFailure> {
		Err(EffectFailure::Unavailable)
	}
}

/// Why an effect came to nothing that could be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EffectFailure {
	/// There is nobody to perform it.
	#[error("nobody performs effects here")]
	Unavailable,
	/// Whoever performs effects went away over it.
	#[error("whoever performs effects has stopped")]
	Stopped,
	/// The reply has more bytes than any may have.
	#[error("the reply to an effect is too long")]
	ReplyTooLong,
	/// The record of the call holds another effect at this place, or none.
	#[error("the effect is not the one that was recorded")]
	NotRecorded,
}

impl EffectFailure {
	/// A number for it, to send between processes.
	pub fn code(self) -> u8 {
		match self {
			Self::Unavailable => 0,
			Self::Stopped => 1,
			Self::ReplyTooLong => 2,
			Self::NotRecorded => 3,
		}
	}

	/// What such a number stands for. Nobody is asked again because of a number that is unknown.
	pub fn from_code(code: u8) -> Self {
		match code {
			0 => Self::Unavailable,
			2 => Self::ReplyTooLong,
			3 => Self::NotRecorded,
			_ => Self::Stopped,
		}
	}
}

/// Methods that a guest may use.
const METHODS: [&str; 3] = ["GET", "HEAD", "POST"];
/// Schemes that it may use.
const SCHEMES: [&str; 2] = ["http", "https"];
/// Most headers of a request and of a reply.
const MAX_HEADERS: usize = 16;
/// Headers of a request; those that begin with `x-` besides. What frames the message or names the
/// other side is whoever performs it to write.
const REQUEST_HEADERS: [&str; 6] = [
	"accept",
	"accept-language",
	"authorization",
	"content-type",
	"if-none-match",
	"user-agent",
];
/// Headers of a reply that the guest gets to see; those that begin with `x-` besides.
const REPLY_HEADERS: [&str; 3] = ["content-type", "etag", "location"];

/// A request that a guest may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
	/// `GET`, `HEAD` or `POST`.
	pub method: String,
	/// `http` or `https`.
	pub scheme: String,
	/// The authority, as deals list it: name or address, and a port or none.
	pub host: String,
	/// Path and query, beginning with `/`.
	pub target: String,
	/// Headers, their names in lower case, in the order given.
	pub headers: Vec<(String, String)>,
	/// Body; empty unless the method is `POST`.
	pub body: Vec<u8>,
}

impl HttpRequest {
	/// Reads what a guest asks. All of the bytes are used; what is not exactly of the form is
	/// refused as [`Errno::INVAL`].
	pub fn parse(bytes: &[u8]) -> Result<Self, Errno> {
		Self::read(bytes).ok_or(Errno::INVAL)
	}

	fn read(bytes: &[u8]) -> Option<Self> {
		let (head, body) = split_head(bytes)?;
		let mut lines = head.split("\r\n");
		let (method, url) = lines.next()?.split_once(' ')?;
		if !METHODS.contains(&method) || (method != "POST" && !body.is_empty()) {
			return None;
		}
		let (scheme, host, target) = parse_url(url)?;
		let mut headers = Vec::new();
		for line in lines {
			let (name, value) = line.split_once(": ")?;
			let allowed = is_one_of(name, &REQUEST_HEADERS);
			let again = headers.iter().any(|(known, _)| known == name);
			if !allowed || again || !is_value(value) || headers.len() == MAX_HEADERS {
				return None;
			}
			headers.push((name.to_owned(), value.to_owned()));
		}
		Some(Self {
			method: method.to_owned(),
			scheme,
			host,
			target,
			headers,
			body: body.to_vec(),
		})
	}

	/// Its address.
	pub fn url(&self) -> String {
		format!("{}://{}{}", self.scheme, self.host, self.target)
	}

	/// Whether these hosts are to be asked it. Names are compared as text: `a.example` and
	/// `a.example:80` are two hosts.
	pub fn is_allowed(&self, hosts: &Hosts) -> bool {
		hosts
			.iter()
			.any(|host| host.as_slice() == self.host.as_bytes())
	}

	/// The request that a redirection leads to: the same headers, without a body, as `GET` unless it
	/// was `HEAD`. `None` where the address is not one that [`HttpRequest::parse`] takes, or no host
	/// of the deal's.
	///
	/// `authorization` does not go along to another host.
	pub fn redirected(&self, location: &str, hosts: &Hosts) -> Option<Self> {
		let absolute = if location.starts_with("//") {
			format!("{}:{location}", self.scheme)
		} else if location.starts_with('/') {
			format!("{}://{}{location}", self.scheme, self.host)
		} else {
			location.to_owned()
		};
		let (scheme, host, target) = parse_url(&absolute)?;
		let same = host == self.host && scheme == self.scheme;
		let mut headers = self.headers.clone();
		headers.retain(|(name, _)| name != "content-type" && (same || name != "authorization"));
		let method = if self.method == "HEAD" { "HEAD" } else { "GET" };
		let next = Self {
			method: method.into(),
			scheme,
			host,
			target,
			headers,
			body: Vec::new(),
		};
		next.is_allowed(hosts).then_some(next)
	}
}

/// A reply of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
	/// Status, as of HTTP.
	pub status: u16,
	/// Headers, their names in lower case; see [`HttpReply::shows`].
	pub headers: Vec<(String, String)>,
	/// Body.
	pub body: Vec<u8>,
}

impl HttpReply {
	/// Whether guests get to see a header of this name, which is in lower case.
	pub fn shows(name: &str) -> bool {
		is_one_of(name, &REPLY_HEADERS)
	}

	/// What the guest is told. Headers that it does not get to see, and those that cannot be written
	/// on one line, are left out.
	pub fn to_bytes(&self) -> Vec<u8> {
		let mut text = format!("{}\r\n", self.status);
		let shown = self
			.headers
			.iter()
			.filter(|(name, value)| Self::shows(name) && is_value(value));
		for (name, value) in shown.take(MAX_HEADERS) {
			text.push_str(&format!("{name}: {value}\r\n"));
		}
		text.push_str("\r\n");
		let mut bytes = text.into_bytes();
		bytes.extend_from_slice(&self.body);
		bytes
	}
}

/// Why a host's reply is none that the guest may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFault {
	/// It leads to a host that the deal does not list, or in circles.
	NotAllowedRedirect,
	/// The host cannot be reached.
	Unreachable,
	/// The host's address is a private one.
	Private,
	/// The reply is too large.
	TooLarge,
	/// The reply takes too long.
	Slow,
	/// The reply is not HTTP.
	Malformed,
}

impl HttpFault {
	/// Its name in the reply.
	pub fn name(self) -> &'static str {
		match self {
			Self::NotAllowedRedirect => "not_allowed_redirect",
			Self::Unreachable => "unreachable",
			Self::Private => "private",
			Self::TooLarge => "too_large",
			Self::Slow => "slow",
			Self::Malformed => "malformed",
		}
	}

	/// What the guest is told.
	pub fn to_bytes(self) -> Vec<u8> {
		format!("fault: {}\r\n\r\n", self.name()).into_bytes()
	}
}

/// Head and body of a message. The head is without its last line's end.
fn split_head(bytes: &[u8]) -> Option<(&str, &[u8])> {
	let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
	let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
	Some((head, bytes.get(end + 4..)?))
}

/// Scheme, authority and the rest of an address. There is no user in an authority that is a host, and
/// no fragment in the rest.
fn parse_url(url: &str) -> Option<(String, String, String)> {
	let (scheme, rest) = url.split_once("://")?;
	let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
	let target = match path.as_bytes() {
		[] => "/".to_owned(),
		[b'/', ..] => path.to_owned(),
		_ => format!("/{path}"),
	};
	let plain = target.bytes().all(|byte| byte.is_ascii_graphic());
	let whole = plain && !target.contains(['#', '\\']);
	(SCHEMES.contains(&scheme) && is_host(host.as_bytes()) && whole)
		.then(|| (scheme.to_owned(), host.to_owned(), target))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
	let own = name.strip_prefix("x-").is_some_and(|rest| {
		!rest.is_empty()
			&& rest
				.bytes()
				.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
	});
	// Proxies read some of those as names of who asks, or of where to.
	let forwarded = name.starts_with("x-forwarded-") || name == "x-real-ip";
	names.contains(&name) || (own && !forwarded)
}

/// Text on one line that neither begins nor ends with a space.
fn is_value(value: &str) -> bool {
	value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.trim_matches(' ') == value
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::market::Host;

	fn hosts(names: &[&str]) -> Hosts {
		let hosts: Vec<Host> = names
			.iter()
			.map(|name| name.as_bytes().to_vec().try_into().unwrap())
			.collect();
		hosts.try_into().unwrap()
	}

	#[test]
	fn a_request_is_read_to_the_last_byte() {
		let request = HttpRequest::parse(
			b"POST http://a.example:81/p?q=1 2\r\naccept: text/plain\r\nx-key: 1\r\n\r\nbody\r\n\r\nmore",
		);
		assert_eq!(request, Err(Errno::INVAL), "a space in the address");
		let request = HttpRequest::parse(
			b"POST http://a.example:81/p?q=1\r\naccept: text/plain\r\nx-key: 1\r\n\r\nbody\r\n\r\nmore",
		)
		.unwrap();
		assert_eq!(request.method, "POST");
		assert_eq!(request.host, "a.example:81");
		assert_eq!(request.target, "/p?q=1");
		assert_eq!(
			request.headers,
			[("accept", "text/plain"), ("x-key", "1")]
				.map(|(name, value)| (name.to_owned(), value.to_owned()))
		);
		assert_eq!(request.body, b"body\r\n\r\nmore");
		assert_eq!(request.url(), "http://a.example:81/p?q=1");
		let least = HttpRequest::parse(b"GET https://[2001:db8::1]?q\r\n\r\n").unwrap();
		assert_eq!(least.url(), "https://[2001:db8::1]/?q");
		assert!(least.headers.is_empty());
	}

	#[test]
	fn what_could_be_read_in_two_ways_is_refused() {
		for request in [
			"",
			"GET http://a.example/",
			"GET http://a.example/\r\n",
			"GET http://a.example/\n\n",
			"get http://a.example/\r\n\r\n",
			"PUT http://a.example/\r\n\r\n",
			"CONNECT http://a.example/\r\n\r\n",
			"GET  http://a.example/\r\n\r\n",
			"GET http://a.example/ HTTP/1.1\r\n\r\n",
			"GET ftp://a.example/\r\n\r\n",
			"GET HTTP://a.example/\r\n\r\n",
			"GET //a.example/\r\n\r\n",
			"GET /\r\n\r\n",
			"GET http://\r\n\r\n",
			"GET http:///p\r\n\r\n",
			"GET http://A.example/\r\n\r\n",
			"GET http://a.example./\r\n\r\n",
			"GET http://user@a.example/\r\n\r\n",
			"GET http://user:word@a.example/\r\n\r\n",
			"GET http://a.example:080/\r\n\r\n",
			"GET http://0x7f.1/\r\n\r\n",
			"GET http://127.1/\r\n\r\n",
			"GET http://[::1%25lo]/\r\n\r\n",
			"GET http://a.example#b.example/\r\n\r\n",
			"GET http://a.example\\@b.example/\r\n\r\n",
			"GET http://a.example/#part\r\n\r\n",
			"GET http://a.example/\u{e9}\r\n\r\n",
			"GET http://a.example/\r\n\r\nbody",
			"HEAD http://a.example/\r\n\r\nbody",
			"GET http://a.example/\r\nHost: b.example\r\n\r\n",
			"GET http://a.example/\r\nhost: b.example\r\n\r\n",
			"GET http://a.example/\r\ncontent-length: 3\r\n\r\n",
			"GET http://a.example/\r\ntransfer-encoding: chunked\r\n\r\n",
			"GET http://a.example/\r\nconnection: close\r\n\r\n",
			"GET http://a.example/\r\ncookie: a=b\r\n\r\n",
			"GET http://a.example/\r\nx-forwarded-for: 10.0.0.1\r\n\r\n",
			"GET http://a.example/\r\nx-: 1\r\n\r\n",
			"GET http://a.example/\r\nx-a b: 1\r\n\r\n",
			"GET http://a.example/\r\nAccept: a\r\n\r\n",
			"GET http://a.example/\r\naccept : a\r\n\r\n",
			"GET http://a.example/\r\naccept:a\r\n\r\n",
			"GET http://a.example/\r\naccept:  a\r\n\r\n",
			"GET http://a.example/\r\naccept: a \r\n\r\n",
			"GET http://a.example/\r\naccept: a\nhost: b\r\n\r\n",
			"GET http://a.example/\r\naccept: a\r\naccept: b\r\n\r\n",
			"GET http://a.example/\r\n accept: a\r\n\r\n",
			"GET http://a.example/\r\naccept: \u{e9}\r\n\r\n",
		] {
			assert_eq!(
				HttpRequest::parse(request.as_bytes()),
				Err(Errno::INVAL),
				"{request:?}"
			);
		}
		let many: String = (0..17).map(|n| format!("x-{n}: a\r\n")).collect();
		let many = format!("GET http://a.example/\r\n{many}\r\n");
		assert_eq!(HttpRequest::parse(many.as_bytes()), Err(Errno::INVAL));
		assert_eq!(
			HttpRequest::parse(b"GET http://a\xff.example/\r\n\r\n"),
			Err(Errno::INVAL)
		);
	}

	#[test]
	fn a_host_is_listed_as_it_is_written() {
		let request = |url: &str| HttpRequest::parse(format!("GET {url}\r\n\r\n").as_bytes());
		let listed = hosts(&["a.example", "b.example:8080"]);
		let allowed = |url: &str| request(url).unwrap().is_allowed(&listed);
		assert!(allowed("http://a.example/"));
		assert!(allowed("https://a.example/p"));
		assert!(allowed("http://b.example:8080"));
		assert!(!allowed("http://b.example/"));
		assert!(!allowed("http://a.example:80/"));
		assert!(!allowed("http://c.a.example/"));
		assert!(!allowed("http://a.example.c/"));
	}

	#[test]
	fn a_redirection_is_checked_like_a_request() {
		let listed = hosts(&["a.example", "b.example"]);
		let post = HttpRequest::parse(
			b"POST http://a.example/p\r\nauthorization: key\r\ncontent-type: a\r\naccept: a\r\n\r\nbody",
		)
		.unwrap();
		let to = |location: &str| post.redirected(location, &listed);
		let next = to("/q?r").unwrap();
		assert_eq!(next.url(), "http://a.example/q?r");
		assert_eq!((next.method.as_str(), next.body.len()), ("GET", 0));
		let names = |request: &HttpRequest| -> Vec<String> {
			request
				.headers
				.iter()
				.map(|(name, _)| name.clone())
				.collect()
		};
		assert_eq!(names(&next), ["authorization", "accept"]);
		assert_eq!(names(&to("http://b.example/").unwrap()), ["accept"]);
		assert_eq!(names(&to("https://a.example/").unwrap()), ["accept"]);
		assert_eq!(to("//b.example/x").unwrap().url(), "http://b.example/x");
		for elsewhere in [
			"http://c.example/",
			"http://a.example@c.example/",
			"//c.example/",
			"ftp://a.example/",
			"relative",
			"",
			"/a b",
		] {
			assert_eq!(to(elsewhere), None, "{elsewhere}");
		}
	}

	#[test]
	fn replies_show_what_they_may() {
		let reply = HttpReply {
			status: 404,
			headers: vec![
				("content-type".into(), "text/plain".into()),
				("set-cookie".into(), "a=b".into()),
				("x-a".into(), "two\r\nlines".into()),
				("x-b".into(), "1".into()),
			],
			body: b"none".to_vec(),
		};
		assert_eq!(
			reply.to_bytes(),
			b"404\r\ncontent-type: text/plain\r\nx-b: 1\r\n\r\nnone"
		);
		assert_eq!(HttpFault::Slow.to_bytes(), b"fault: slow\r\n\r\n");
	}

	#[test]
	fn failures_keep_their_numbers() {
		for failure in [
			EffectFailure::Unavailable,
			EffectFailure::Stopped,
			EffectFailure::ReplyTooLong,
			EffectFailure::NotRecorded,
		] {
			assert_eq!(EffectFailure::from_code(failure.code()), failure);
		}
		assert_eq!(EffectFailure::from_code(255), EffectFailure::Stopped);
	}
}
