//! Bodies that fit, that are too long and that do not come, also over a socket.

use super::*;
use crate::{
	error::error_body,
	server::{serve, Bounds},
};
use axum::{
	http::StatusCode,
	response::{IntoResponse, Response},
	routing::put,
	Router,
};
use futures::stream;
use std::{io, net::SocketAddr};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
	time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);
/// Most bytes that the server here takes.
const LIMIT: u64 = 1 << 20;

async fn take(body: Body) -> Response {
	match read(body, LIMIT, LONG).await {
		Ok(body) => body.len().to_string().into_response(),
		Err(BodyError::TooLarge) => {
			let body = error_body("body_too_large", "it is too long", "send less");
			(StatusCode::PAYLOAD_TOO_LARGE, body).into_response()
		}
		Err(BodyError::Incomplete) => StatusCode::REQUEST_TIMEOUT.into_response(),
	}
}

async fn start() -> SocketAddr {
	let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
	let address = listener.local_addr().expect("it is bound");
	let router = Router::new().route("/", put(take));
	let bounds = Bounds {
		connections: 8,
		idle: LONG,
		drain: LONG,
	};
	tokio::spawn(serve(listener, router, bounds, CancellationToken::new()));
	address
}

/// Sends all of a request before it reads the answer.
async fn send(address: SocketAddr, header: &str, parts: [&[u8]; 3]) -> String {
	let mut stream = TcpStream::connect(address).await.expect("it listens");
	let head = format!("PUT / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{header}\r\n\r\n");
	let mut answer = Vec::new();
	let exchange = async {
		stream.write_all(head.as_bytes()).await?;
		for part in parts {
			stream.write_all(part).await?;
		}
		stream.read_to_end(&mut answer).await
	};
	timeout(LONG, exchange)
		.await
		.expect("in time")
		.expect("the connection does not break");
	String::from_utf8(answer).expect("it is text")
}

/// A body that never ends, in parts of this many bytes.
fn endless(part: usize) -> Body {
	let part = Bytes::from(vec![0; part]);
	Body::from_stream(stream::repeat_with(move || {
		Ok::<_, io::Error>(part.clone())
	}))
}

#[tokio::test]
async fn who_sends_all_of_a_long_body_before_reading_is_told_that_it_is_too_long() {
	let address = start().await;
	let body = vec![b'x'; 4 << 20];
	let announced = format!("content-length: {}", body.len());
	let chunk = format!("{:x}\r\n", body.len());
	for answer in [
		send(address, &announced, [b"", &body, b""]).await,
		send(
			address,
			"transfer-encoding: chunked",
			[chunk.as_bytes(), &body, b"\r\n0\r\n\r\n"],
		)
		.await,
	] {
		let (head, body) = answer.split_once("\r\n\r\n").expect("that is HTTP");
		assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
		let value: serde_json::Value = serde_json::from_str(body).expect("it is JSON");
		assert_eq!(value["error"]["code"], "body_too_large");
	}
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken_over_a_socket() {
	let address = start().await;
	let body = vec![b'x'; 1 << 20];
	let announced = format!("content-length: {}", body.len());
	let answer = send(address, &announced, [b"", &body, b""]).await;
	assert!(answer.ends_with("\r\n\r\n1048576"), "{answer}");
}

#[tokio::test]
async fn a_body_is_bounded_to_the_byte() {
	let whole = read(Body::from("1234"), 4, LONG).await;
	assert_eq!(whole, Ok(Bytes::from_static(b"1234")));
	let parts = |bytes: &'static str| {
		let parts = bytes.split_inclusive(',').map(Ok::<_, io::Error>);
		Body::from_stream(stream::iter(parts))
	};
	let whole = read(parts("1,23"), 4, LONG).await;
	assert_eq!(whole, Ok(Bytes::from_static(b"1,23")));
	let long = read(parts("1,234"), 4, LONG).await;
	assert_eq!(long, Err(BodyError::TooLarge));
	// No time is needed to see what is announced.
	let announced = read(Body::from("12345"), 4, Duration::ZERO).await;
	assert_eq!(announced, Err(BodyError::TooLarge));
}

#[tokio::test]
async fn a_body_that_stalls_or_breaks_off_is_incomplete() {
	let never = Body::from_stream(stream::pending::<Result<Bytes, io::Error>>());
	let slow = read(never, 4, Duration::from_millis(20)).await;
	assert_eq!(slow, Err(BodyError::Incomplete));
	let broken = stream::iter([
		Ok(Bytes::from_static(b"1")),
		Err(io::Error::from(io::ErrorKind::ConnectionReset)),
	]);
	let broken = read(Body::from_stream(broken), 4, LONG).await;
	assert_eq!(broken, Err(BodyError::Incomplete));
}

#[tokio::test]
async fn throwing_away_has_an_end_in_length_and_time() {
	let began = Instant::now();
	let endless = read(endless(1 << 20), 4, LONG).await;
	assert_eq!(endless, Err(BodyError::TooLarge));
	let first = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"12345"))]);
	let stalling = Body::from_stream(futures::StreamExt::chain(first, stream::pending()));
	let stalling = read(stalling, 4, LONG).await;
	assert_eq!(stalling, Err(BodyError::TooLarge));
	assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
}
