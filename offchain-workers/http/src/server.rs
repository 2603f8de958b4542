//! The HTTP server: a bounded number of connections, none of which is kept for doing nothing.
//!
//! A connection without a whole head of a request is closed after a while, be it new or between two
//! requests, and so is one whose client takes nothing of its answer. While all places are taken,
//! whoever comes displaces the connection that has been without a request and without a byte for
//! longest. So open sockets alone keep nobody out.

use axum::{extract::Request, http::Extensions, Router};
use hyper::{
	body::Incoming,
	server::conn::http1,
	service::{service_fn, Service},
};
use hyper_util::{
	rt::{TokioIo, TokioTimer},
	service::TowerToHyperService,
};
use std::{
	collections::BTreeMap,
	future::Future,
	io,
	net::IpAddr,
	pin::Pin,
	sync::{
		atomic::{AtomicBool, AtomicUsize, Ordering},
		Arc, Mutex, MutexGuard,
	},
	task::{Context, Poll},
	time::Duration,
};
use tokio::{
	io::{AsyncRead, AsyncWrite, ReadBuf},
	net::{TcpListener, TcpStream},
	sync::{Notify, OwnedSemaphorePermit, Semaphore},
	time::{sleep, timeout, Instant, Sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Largest head of a request, and how much of an answer is buffered, in bytes.
const MAX_BUFFER_BYTES: usize = 64 * 1024;
/// Pause after the system refused a connection, commonly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
/// Time without a byte after which a connection can be displaced: less would hit those that have
/// only just come.
const SETTLED: Duration = Duration::from_millis(500);
/// Wait for a place before it is looked again for somebody to displace.
const PLACE_PAUSE: Duration = Duration::from_millis(100);

/// Who a request comes from: found among its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller(pub IpAddr);

impl Caller {
	/// That of a request; of one that came by no connection of [`serve`], nobody's address.
	pub fn of(extensions: &Extensions) -> Self {
		let caller = extensions.get::<Self>().copied();
		caller.unwrap_or(Self(IpAddr::from([0; 4])))
	}
}

/// What the server takes on.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
	/// Connections that are open at once, at least one.
	pub connections: usize,
	/// Longest time that a connection may be without a whole head of a request, and that a client
	/// may take nothing of an answer.
	pub idle: Duration,
	/// Longest time that calls under way are given at the end.
	pub drain: Duration,
}

/// Serves until it is cancelled and the calls under way have ended or were given up.
pub async fn serve(
	listener: TcpListener,
	router: Router,
	bounds: Bounds,
	cancel: CancellationToken,
) {
	let mut http = http1::Builder::new();
	http.timer(TokioTimer::new())
		.header_read_timeout(bounds.idle)
		.max_buf_size(MAX_BUFFER_BYTES);
	let places = Arc::new(Places::new(bounds.connections));
	let tasks = TaskTracker::new();
	loop {
		let (stream, place) = tokio::select! {
			() = cancel.cancelled() => break,
			next = next_connection(&listener, &places) => next,
		};
		let (http, router, cancel) = (http.clone(), router.clone(), cancel.clone());
		tasks.spawn(attend(http, stream, place, router, bounds, cancel));
	}
	drop(listener);
	tasks.close();
	tasks.wait().await;
}

async fn next_connection(listener: &TcpListener, places: &Arc<Places>) -> (TcpStream, Place) {
	loop {
		match listener.accept().await {
			Ok((stream, _)) => {
				// Answers are whole; waiting for more to send only delays them.
				let _ = stream.set_nodelay(true);
				return (stream, places.take().await);
			}
			Err(error) => {
				tracing::warn!(%error, "a connection was not accepted");
				sleep(ACCEPT_PAUSE).await;
			}
		}
	}
}

/// Serves one connection until it ends, is displaced or the server stops.
async fn attend(
	http: http1::Builder,
	stream: TcpStream,
	place: Place,
	router: Router,
	bounds: Bounds,
	cancel: CancellationToken,
) {
	let seat = place.seat.clone();
	let visited = seat.clone();
	let caller = stream.peer_addr().ok();
	let caller = caller.map(|address| Caller(address.ip()));
	let service = service_fn(move |mut request: Request<Incoming>| {
		if let Some(caller) = caller {
			request.extensions_mut().insert(caller);
		}
		let visit = Visit::new(visited.clone());
		let answer = TowerToHyperService::new(router.clone()).call(request);
		async move {
			let answer = answer.await;
			drop(visit);
			answer
		}
	});
	let watched = Watched {
		stream,
		seat: seat.clone(),
		patience: bounds.idle,
		stalled: None,
	};
	let connection = http.serve_connection(TokioIo::new(watched), service);
	tokio::pin!(connection);
	let outcome = loop {
		tokio::select! {
			outcome = connection.as_mut() => break outcome,
			// Whoever has begun a request in the meantime keeps the place.
			() = seat.leave.notified() => {
				if !seat.is_busy() {
					break Ok(());
				}
			},
			() = cancel.cancelled() => {
				// Whoever has asked for nothing yet is not waited for.
				if !seat.has_asked() {
					break Ok(());
				}
				// Ends at once between two requests, else with the answer under way.
				connection.as_mut().graceful_shutdown();
				let ending = timeout(bounds.drain, connection.as_mut()).await;
				if ending.is_err() && seat.is_busy() {
					tracing::warn!("a client was still waiting for an answer");
				}
				break ending.unwrap_or(Ok(()));
			},
		}
	};
	if let Err(error) = outcome {
		tracing::debug!(%error, "a connection ended early");
	}
}

/// The places, and who has them.
#[derive(Debug)]
struct Places {
	free: Arc<Semaphore>,
	/// In the order of their coming.
	taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
	next: u64,
	seats: BTreeMap<u64, Arc<Seat>>,
}

impl Places {
	fn new(connections: usize) -> Self {
		let places = connections.clamp(1, Semaphore::MAX_PERMITS);
		Self {
			free: Arc::new(Semaphore::new(places)),
			taken: Mutex::default(),
		}
	}

	/// A place, as soon as one is free; makes one free if it can.
	async fn take(self: &Arc<Self>) -> Place {
		let permit = loop {
			if let Ok(permit) = self.free.clone().try_acquire_owned() {
				break Some(permit);
			}
			self.make_room();
			// Whoever is asked leaves at once; where nobody can be, somebody ends sooner or later.
			let next = timeout(PLACE_PAUSE, self.free.clone().acquire_owned());
			if let Ok(permit) = next.await {
				// The semaphore is never closed; without a permit there is a place all the same.
				break permit.ok();
			}
		};
		let seat = Arc::new(Seat::new());
		let mut taken = self.taken();
		let number = taken.next;
		taken.next = number.wrapping_add(1);
		taken.seats.insert(number, seat.clone());
		drop(taken);
		Place {
			places: self.clone(),
			number,
			seat,
			_permit: permit,
		}
	}

	/// Asks whoever has done nothing for longest to leave.
	fn make_room(&self) {
		let taken = self.taken();
		let idle = taken.seats.values().filter(|seat| !seat.is_busy());
		let longest = idle.max_by_key(|seat| seat.still());
		if let Some(seat) = longest.filter(|seat| seat.still() >= SETTLED) {
			seat.leave.notify_one();
		}
	}

	fn taken(&self) -> MutexGuard<'_, Taken> {
		self.taken.lock().unwrap_or_else(|e| e.into_inner())
	}
}

/// A taken place; free again when it is dropped.
#[derive(Debug)]
struct Place {
	places: Arc<Places>,
	number: u64,
	seat: Arc<Seat>,
	_permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
	fn drop(&mut self) {
		self.places.taken().seats.remove(&self.number);
	}
}

/// What a connection does.
#[derive(Debug)]
struct Seat {
	/// Requests under way.
	requests: AtomicUsize,
	/// Whether there ever was one.
	asked: AtomicBool,
	/// When a byte last went either way.
	moved: Mutex<Instant>,
	/// Told when the place is needed.
	leave: Notify,
}

impl Seat {
	fn new() -> Self {
		Self {
			requests: AtomicUsize::new(0),
			asked: AtomicBool::new(false),
			moved: Mutex::new(Instant::now()),
			leave: Notify::new(),
		}
	}

	fn is_busy(&self) -> bool {
		self.requests.load(Ordering::Relaxed) > 0
	}

	fn has_asked(&self) -> bool {
		self.asked.load(Ordering::Relaxed)
	}

	/// Time without a byte.
	fn still(&self) -> Duration {
		self.moved().elapsed()
	}

	fn moves(&self) {
		*self.moved() = Instant::now();
	}

	fn moved(&self) -> MutexGuard<'_, Instant> {
		self.moved.lock().unwrap_or_else(|e| e.into_inner())
	}
}

/// A request under way.
struct Visit(Arc<Seat>);

impl Visit {
	fn new(seat: Arc<Seat>) -> Self {
		seat.asked.store(true, Ordering::Relaxed);
		seat.requests.fetch_add(1, Ordering::Relaxed);
		Self(seat)
	}
}

impl Drop for Visit {
	fn drop(&mut self) {
		self.0.requests.fetch_sub(1, Ordering::Relaxed);
	}
}

/// A stream that notes when it moves, and that fails when nothing of an answer is taken for long.
#[derive(Debug)]
struct Watched {
	stream: TcpStream,
	seat: Arc<Seat>,
	patience: Duration,
	/// Runs while a write waits.
	stalled: Option<Pin<Box<Sleep>>>,
}

impl Watched {
	fn wrote(
		&mut self,
		context: &mut Context<'_>,
		written: Poll<io::Result<usize>>,
	) -> Poll<io::Result<usize>> {
		if written.is_ready() {
			self.stalled = None;
			self.seat.moves();
			return written;
		}
		let patience = self.patience;
		let stalled = self
			.stalled
			.get_or_insert_with(|| Box::pin(sleep(patience)));
		match stalled.as_mut().poll(context) {
			Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
			Poll::Pending => Poll::Pending,
		}
	}
}

impl AsyncRead for Watched {
	fn poll_read(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
		buffer: &mut ReadBuf<'_>,
	) -> Poll<io::Result<()>> {
		let read = Pin::new(&mut self.stream).poll_read(context, buffer);
		if read.is_ready() {
			self.seat.moves();
		}
		read
	}
}

impl AsyncWrite for Watched {
	fn poll_write(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
		bytes: &[u8],
	) -> Poll<io::Result<usize>> {
		let written = Pin::new(&mut self.stream).poll_write(context, bytes);
		self.wrote(context, written)
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
		bytes: &[io::IoSlice<'_>],
	) -> Poll<io::Result<usize>> {
		let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
		self.wrote(context, written)
	}

	fn is_write_vectored(&self) -> bool {
		self.stream.is_write_vectored()
	}
}

#[cfg(test)]
mod tests;
