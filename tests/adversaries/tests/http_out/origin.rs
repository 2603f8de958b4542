//! Servers that do what they are told, and count who comes.

use std::sync::{
	atomic::{AtomicUsize, Ordering},
	Arc, Mutex, PoisonError,
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
};

/// Longest head that is read.
const MAX_HEAD: usize = 16 * 1024;

/// What a server answers.
pub(crate) enum Reply {
	/// These very bytes.
	Raw(String),
	/// Nothing, while the client waits.
	Silence,
}

impl Reply {
	/// A body.
	pub(crate) fn text(body: &str) -> Self {
		let length = body.len();
		Self::Raw(format!(
			"HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
		))
	}

	/// A redirection.
	pub(crate) fn leads(location: &str) -> Self {
		Self::Raw(format!(
			"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\
			connection: close\r\n\r\n"
		))
	}
}

/// A server.
pub(crate) struct Origin {
	connections: Arc<AtomicUsize>,
	asked: Arc<Mutex<Vec<String>>>,
}

impl Origin {
	/// Serves at the port of HTTP of an address; `reply` is given the path.
	pub(crate) async fn serve(
		address: [u8; 4],
		reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
	) -> Self {
		Self::serve_at(address, 80, reply).await
	}

	/// The same at another port.
	pub(crate) async fn serve_at(
		address: [u8; 4],
		port: u16,
		reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
	) -> Self {
		let listener = TcpListener::bind((std::net::Ipv4Addr::from(address), port)).await;
		let listener = listener.expect("the address is this network's");
		let origin = Self {
			connections: Arc::default(),
			asked: Arc::default(),
		};
		let (connections, asked) = (origin.connections.clone(), origin.asked.clone());
		let reply = Arc::new(reply);
		tokio::spawn(async move {
			while let Ok((stream, _)) = listener.accept().await {
				connections.fetch_add(1, Ordering::SeqCst);
				let (asked, reply) = (asked.clone(), reply.clone());
				tokio::spawn(async move { answer(stream, &asked, &*reply).await });
			}
		});
		origin
	}

	/// How many have connected.
	pub(crate) fn connections(&self) -> usize {
		self.connections.load(Ordering::SeqCst)
	}

	/// Methods and paths that were asked for, in their order.
	pub(crate) fn asked(&self) -> Vec<String> {
		let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
		asked.clone()
	}
}

async fn answer(
	mut stream: TcpStream,
	asked: &Mutex<Vec<String>>,
	reply: &(impl Fn(&str) -> Reply + Sync),
) {
	let mut head = Vec::new();
	while !head.windows(4).any(|four| four == b"\r\n\r\n") && head.len() < MAX_HEAD {
		let mut part = [0; 1024];
		match stream.read(&mut part).await {
			Ok(0) | Err(_) => return,
			Ok(length) => head.extend_from_slice(&part[..length]),
		}
	}
	let head = String::from_utf8_lossy(&head).into_owned();
	let mut words = head.split(' ');
	let (method, path) = (words.next(), words.next());
	let (method, path) = (method.unwrap_or_default(), path.unwrap_or_default());
	let line = format!("{method} {path}");
	asked
		.lock()
		.unwrap_or_else(PoisonError::into_inner)
		.push(line);
	match reply(path) {
		// Who is gone need not be answered.
		Reply::Raw(text) => drop(stream.write_all(text.as_bytes()).await),
		Reply::Silence => std::future::pending().await,
	}
}
