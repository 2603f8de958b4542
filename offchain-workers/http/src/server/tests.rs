//! The server against clients that want something and clients that only sit there.

use super::*;
use axum::routing::get;
use std::net::SocketAddr;
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	task::JoinHandle,
};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);
/// Bytes of an answer that fits into no buffer of the system.
const LARGE: usize = 64 * 1024 * 1024;

struct Server {
	address: SocketAddr,
	cancel: CancellationToken,
	task: JoinHandle<()>,
}

impl Server {
	async fn start(connections: usize, idle: Duration) -> Self {
		Self::with(Bounds {
			connections,
			idle,
			drain: LONG,
		})
		.await
	}

	async fn with(bounds: Bounds) -> Self {
		let listener = TcpListener::bind("127.0.0.1:0")
			.await
			.expect("there is a free port");
		let address = listener.local_addr().expect("it is bound");
		let slow = || async {
			sleep(Duration::from_secs(2)).await;
			"slow"
		};
		let router = Router::new()
			.route("/", get(|| async { "quick" }))
			.route("/caller", get(caller))
			.route("/slow", get(slow))
			.route("/never", get(std::future::pending::<()>))
			.route("/large", get(|| async { vec![b'x'; LARGE] }));
		let cancel = CancellationToken::new();
		let task = tokio::spawn(serve(listener, router, bounds, cancel.clone()));
		Self {
			address,
			cancel,
			task,
		}
	}

	async fn connect(&self) -> TcpStream {
		TcpStream::connect(self.address)
			.await
			.expect("the server listens")
	}

	/// A connection on which this was sent.
	async fn send(&self, text: &str) -> TcpStream {
		let mut stream = self.connect().await;
		stream
			.write_all(text.as_bytes())
			.await
			.expect("the server reads");
		stream
	}

	/// The end of what is answered to a request for a path.
	async fn get(&self, path: &str) -> String {
		let mut stream = self.connect().await;
		ask(&mut stream, path, "close").await;
		let mut answer = String::new();
		timeout(LONG, stream.read_to_string(&mut answer))
			.await
			.expect("the server answers")
			.expect("the answer is whole");
		let (_, body) = answer.split_once("\r\n\r\n").expect("that is HTTP");
		body.into()
	}
}

async fn caller(request: Request) -> String {
	Caller::of(request.extensions()).0.to_string()
}

async fn ask(stream: &mut TcpStream, path: &str, connection: &str) {
	let head = format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: {connection}\r\n\r\n");
	stream
		.write_all(head.as_bytes())
		.await
		.expect("the server reads");
}

/// Reads one whole answer and leaves the connection open.
async fn answer(stream: &mut TcpStream, end: &str) {
	let mut all = Vec::new();
	while !all.ends_with(end.as_bytes()) {
		let byte = timeout(LONG, stream.read_u8())
			.await
			.expect("the server answers");
		all.push(byte.expect("the connection is open"));
	}
}

/// Everything until the server has closed a connection.
async fn rest(stream: &mut TcpStream) -> String {
	let mut rest = Vec::new();
	// A reset is an end, too.
	let _ = timeout(LONG, stream.read_to_end(&mut rest))
		.await
		.expect("the server closes it");
	String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn idle_sockets_keep_nobody_out() {
	let server = Server::start(2, LONG).await;
	let mut idle = Vec::new();
	for begun in ["", "GET / HT"] {
		idle.push(server.send(begun).await);
	}
	for _ in 0..4 {
		assert_eq!(server.get("/").await, "quick");
	}
	let mut crowd = Vec::new();
	for _ in 0..8 {
		crowd.push(server.connect().await);
	}
	assert_eq!(
		timeout(LONG, server.get("/")).await.expect("in time"),
		"quick"
	);
}

#[tokio::test]
async fn neither_do_those_that_have_asked_before() {
	let server = Server::start(4, LONG).await;
	let mut idle = Vec::new();
	for begun in ["", "", "", "G", "GET / HTTP/1.1\r\nhost: h\r\n"] {
		idle.push(server.send(begun).await);
	}
	for _ in 0..4 {
		let mut stream = server.connect().await;
		ask(&mut stream, "/", "keep-alive").await;
		answer(&mut stream, "quick").await;
		idle.push(stream);
	}
	for _ in 0..20 {
		assert_eq!(server.get("/").await, "quick");
	}
}

#[tokio::test]
async fn whoever_is_being_served_is_not_displaced() {
	let server = Server::start(1, LONG).await;
	let (slow, quick) = tokio::join!(server.get("/slow"), async {
		sleep(Duration::from_millis(200)).await;
		server.get("/").await
	});
	assert_eq!((slow.as_str(), quick.as_str()), ("slow", "quick"));
}

#[tokio::test]
async fn a_connection_without_a_whole_request_is_closed() {
	let server = Server::start(8, Duration::from_millis(500)).await;
	let mut new = server.connect().await;
	let mut half = server.send("GET / HTTP/1.1\r\nhost: h\r\n").await;
	let mut kept = server.connect().await;
	ask(&mut kept, "/", "keep-alive").await;
	answer(&mut kept, "quick").await;
	for stream in [&mut new, &mut half, &mut kept] {
		let text = rest(stream).await;
		assert!(!text.contains("200 OK"), "{text}");
	}
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
	let server = Server::start(8, Duration::from_millis(300)).await;
	let mut stream = server.connect().await;
	ask(&mut stream, "/large", "close").await;
	sleep(Duration::from_secs(2)).await;
	let mut taken = 0;
	let mut buffer = vec![0; 1 << 20];
	// Whatever was on the way arrives, and then the end.
	while let Ok(read) = timeout(LONG, stream.read(&mut buffer))
		.await
		.expect("the server closes it")
	{
		if read == 0 {
			break;
		}
		taken += read;
	}
	assert!(taken < LARGE, "{taken} bytes came");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_keeps_no_place() {
	let server = Server::start(1, Duration::from_millis(500)).await;
	let mut deaf = server.connect().await;
	ask(&mut deaf, "/large", "close").await;
	assert_eq!(server.get("/").await, "quick");
	drop(deaf);
}

#[tokio::test]
async fn a_server_that_is_stopped_finishes_what_is_under_way() {
	let server = Server::start(8, LONG).await;
	let mut new = server.connect().await;
	let mut half = server.send("GET / HT").await;
	let mut kept = server.connect().await;
	ask(&mut kept, "/", "keep-alive").await;
	answer(&mut kept, "quick").await;
	let slow = async {
		let body = server.get("/slow").await;
		assert_eq!(body, "slow");
	};
	let stop = async {
		sleep(Duration::from_millis(500)).await;
		server.cancel.cancel();
	};
	tokio::join!(slow, stop);
	// Nobody else is waited for: all of this takes less than the drain.
	let ended = timeout(LONG / 2, server.task).await;
	ended.expect("it ends").expect("it does not panic");
	for stream in [&mut new, &mut half, &mut kept] {
		assert_eq!(rest(stream).await, "");
	}
	assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_server_that_is_stopped_waits_for_a_bounded_time() {
	let server = Server::with(Bounds {
		connections: 8,
		idle: LONG,
		drain: Duration::from_millis(500),
	})
	.await;
	let mut endless = server.connect().await;
	ask(&mut endless, "/never", "close").await;
	sleep(Duration::from_millis(500)).await;
	server.cancel.cancel();
	timeout(LONG, server.task)
		.await
		.expect("it ends")
		.expect("it does not panic");
	assert_eq!(rest(&mut endless).await, "");
}

#[tokio::test]
async fn a_request_says_where_it_comes_from() {
	let server = Server::start(2, LONG).await;
	assert_eq!(server.get("/caller").await, "127.0.0.1");
	let other = Request::new(axum::body::Body::empty());
	assert_eq!(caller(other).await, "0.0.0.0");
}
