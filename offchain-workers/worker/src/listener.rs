//! A listener that keeps the number of open connections bounded.

use axum::serve::Listener;
use std::{
	io,
	net::SocketAddr,
	pin::Pin,
	sync::Arc,
	task::{Context, Poll},
	time::Duration,
};
use tokio::{
	io::{AsyncRead, AsyncWrite, ReadBuf},
	net::{TcpListener, TcpStream},
	sync::{OwnedSemaphorePermit, Semaphore},
	time::sleep,
};
use tracing::warn;

/// Pause after the system refused a connection, commonly for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(500);

/// Accepts a connection only while fewer than the bound are open; others wait in the backlog.
#[derive(Debug)]
pub struct BoundedListener {
	listener: TcpListener,
	places: Arc<Semaphore>,
}

impl BoundedListener {
	/// A listener with so many places, at least one.
	pub fn new(listener: TcpListener, connections: usize) -> Self {
		let places = connections.clamp(1, Semaphore::MAX_PERMITS);
		Self {
			listener,
			places: Arc::new(Semaphore::new(places)),
		}
	}
}

impl Listener for BoundedListener {
	type Io = Connection;
	type Addr = SocketAddr;

	async fn accept(&mut self) -> (Connection, SocketAddr) {
		// The semaphore is never closed; without a place a connection is accepted all the same.
		let place = self.places.clone().acquire_owned().await.ok();
		loop {
			match self.listener.accept().await {
				Ok((stream, address)) => {
					// Answers are whole; waiting for more to send only delays them.
					let _ = stream.set_nodelay(true);
					return (
						Connection {
							stream,
							_place: place,
						},
						address,
					);
				}
				Err(error) => {
					warn!("a connection was not accepted: {error}");
					sleep(PAUSE).await;
				}
			}
		}
	}

	fn local_addr(&self) -> io::Result<SocketAddr> {
		self.listener.local_addr()
	}
}

/// A connection and its place.
#[derive(Debug)]
pub struct Connection {
	stream: TcpStream,
	_place: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Connection {
	fn poll_read(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
		buffer: &mut ReadBuf<'_>,
	) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_read(context, buffer)
	}
}

impl AsyncWrite for Connection {
	fn poll_write(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
		bytes: &[u8],
	) -> Poll<io::Result<usize>> {
		Pin::new(&mut self.stream).poll_write(context, bytes)
	}

	fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_flush(context)
	}

	fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_shutdown(context)
	}

	fn poll_write_vectored(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
		buffers: &[io::IoSlice<'_>],
	) -> Poll<io::Result<usize>> {
		Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
	}

	fn is_write_vectored(&self) -> bool {
		self.stream.is_write_vectored()
	}
}
