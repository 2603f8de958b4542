//! A process that runs the calls of a deal.

use super::allowance::{processor_time, Allowance};
use super::launched::{describe, LaunchError};
use super::packages::Ready;
use super::spawner::Spawner;
use crate::protocol::{Answer, Hello, Order, Tier};
use millrace_primitives::H256;
use rustix::fd::{AsFd, OwnedFd};
use std::io::Error;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::{watch, Semaphore};
use tokio::time::{interval, timeout, MissedTickBehavior};

/// Longest time until a process takes calls.
const START_WALL: Duration = Duration::from_secs(10);
/// How long a process may take to end that was told to, or that has closed a line.
const LAST_WAIT: Duration = Duration::from_millis(500);
/// How often it is looked at whether a process computes without calls.
const LOOK: Duration = Duration::from_secs(1);
/// How a process ends that does.
const OVERDRAWN: &str = "killed: it took more of the processor than its calls";

/// Such a process. It ends when nobody holds it any more.
#[derive(Debug)]
pub(super) struct Process {
	package: H256,
	places: u32,
	pid: u32,
	lines: Arc<Lines>,
	/// Calls that run.
	busy: AtomicU32,
	used: Mutex<Instant>,
	/// Whether it was killed although nothing was wrong with the process itself.
	innocent: AtomicBool,
	/// `true` kills it.
	kill: watch::Sender<bool>,
	/// How it ended, once it has.
	end: watch::Receiver<Option<String>>,
	/// The package stays in memory as long as the process.
	ready: Arc<Ready>,
}

/// Data sockets on which nothing is said at the moment; closed when the process has ended.
#[derive(Debug)]
struct Lines {
	free: Semaphore,
	/// With each, since when nothing is.
	sockets: Mutex<Vec<(UnixStream, Instant)>>,
	/// What calls on the others let the process compute.
	allowance: Mutex<Allowance>,
}

impl Process {
	/// Starts a process for so many calls at once, and counts it for as long as it lives.
	pub(super) async fn start(
		spawner: &Spawner,
		ours: &Hello,
		ready: Arc<Ready>,
		places: u32,
		alive: &Arc<AtomicUsize>,
	) -> Result<Self, LaunchError> {
		let mut sockets = Vec::new();
		let mut theirs: Vec<OwnedFd> = Vec::new();
		for _ in 0..places {
			let (our_end, their_end) = StdUnixStream::pair()?;
			our_end.set_nonblocking(true)?;
			sockets.push((UnixStream::from_std(our_end)?, Instant::now()));
			theirs.push(their_end.into());
		}
		let order = Order::Execute {
			places,
			info: ready.info.clone(),
			files: ready.files.clone(),
		};
		let mut launched = spawner.launch("execute").await?;
		let counted = Counted::new(alive);
		let descriptors: Vec<_> = std::iter::once(ready.code.as_fd())
			.chain(theirs.iter().map(AsFd::as_fd))
			.collect();
		let begun = timeout(START_WALL, async {
			launched.order(ours, &order, &descriptors).await?;
			launched.answer(ours).await
		});
		match begun.await {
			Ok(Ok(Answer::Ready)) => {}
			Ok(Ok(_)) => return Err(LaunchError::Failed("it answers something else".into())),
			Ok(Err(LaunchError::Io(_))) => {
				let end = launched.end().await.map_or("killed".into(), describe);
				return Err(LaunchError::Failed(format!(
					"the process ended early: {end}"
				)));
			}
			Ok(Err(error)) => return Err(error),
			Err(_) => {
				return Err(LaunchError::Failed(format!(
					"the process was not ready within {START_WALL:?}"
				)))
			}
		}
		let pid = launched.child.id().unwrap_or(0);
		// Making itself ready is none of its calls' affair.
		let had = launched.child.id().and_then(processor_time);
		let lines = Arc::new(Lines {
			free: Semaphore::new(sockets.len()),
			sockets: Mutex::new(sockets),
			allowance: Mutex::new(Allowance::new(
				places,
				had.unwrap_or_default(),
				Instant::now(),
			)),
		});
		let (kill, killed) = watch::channel(false);
		let (ended, end) = watch::channel(None);
		tokio::spawn(watch_over(
			launched.child,
			launched.control,
			killed,
			ended,
			lines.clone(),
			counted,
		));
		Ok(Self {
			package: ready.hash,
			places,
			pid,
			lines,
			busy: AtomicU32::new(0),
			used: Mutex::new(Instant::now()),
			innocent: AtomicBool::new(false),
			kill,
			end,
			ready,
		})
	}

	/// The process' id.
	pub(super) fn pid(&self) -> u32 {
		self.pid
	}

	/// Whether it takes calls.
	pub(super) fn lives(&self) -> bool {
		!self.lines.free.is_closed()
	}

	/// How well its code was compiled.
	pub(super) fn tier(&self) -> Tier {
		self.ready.tier
	}

	/// Whether it is for these calls.
	pub(super) fn is_for(&self, package: &H256, places: u32) -> bool {
		self.package == *package && self.places == places
	}

	/// Whether it ended by its own doing.
	pub(super) fn died(&self) -> bool {
		!self.lives() && !self.innocent.load(Ordering::Acquire)
	}

	/// Notes that it is about to be used.
	pub(super) fn touch(&self) {
		*lock(&self.used) = Instant::now();
	}

	/// For how long it has had nothing to do; `None`: it has.
	pub(super) fn idle(&self) -> Option<Duration> {
		let idle = self.busy.load(Ordering::Acquire) == 0;
		idle.then(|| lock(&self.used).elapsed())
	}

	/// A line for a call, as soon as there is one. `None`: the process has ended before.
	pub(super) async fn line(self: Arc<Self>) -> Option<Line> {
		self.busy.fetch_add(1, Ordering::AcqRel);
		// From here on it is counted back, also where this future is dropped.
		let mut line = Line {
			socket: None,
			process: self,
		};
		let lines = line.process.lines.clone();
		lines.free.acquire().await.ok()?.forget();
		let rested = lock(&lines.sockets).pop();
		let (socket, since) = rested?;
		lock(&lines.allowance).take(since, Instant::now());
		line.socket = Some(socket);
		Some(line)
	}

	/// Ends the process and the calls that run in it. Those of an innocent one are run again, and it is
	/// not held against its deal.
	pub(super) fn kill(&self, innocent: bool) {
		if self.lives() {
			self.innocent.store(innocent, Ordering::Release);
		}
		self.lines.free.close();
		self.kill.send_replace(true);
	}

	/// How a process ended that has closed a line. If it has not ended, it is made to.
	pub(super) async fn loss(&self) -> String {
		let mut end = self.end.clone();
		if timeout(LAST_WAIT, end.wait_for(Option::is_some))
			.await
			.is_err()
		{
			self.kill(false);
		}
		let ended = end.wait_for(Option::is_some).await;
		ended.map_or_else(
			|_| "nobody has seen how".into(),
			|words| words.clone().unwrap_or_default(),
		)
	}
}

/// One of the sockets of a process, for one call.
///
/// A line that is not given back was left in the midst of a call: nothing can be said on it any more,
/// and the process is ended.
#[derive(Debug)]
pub(super) struct Line {
	socket: Option<UnixStream>,
	process: Arc<Process>,
}

impl Line {
	/// The socket.
	pub(super) fn socket(&mut self) -> Option<&mut UnixStream> {
		self.socket.as_mut()
	}

	/// Gives the line back for the next call.
	pub(super) fn give_back(mut self) {
		if let Some(socket) = self.socket.take() {
			let (lines, now) = (&self.process.lines, Instant::now());
			lock(&lines.allowance).give_back(now);
			lock(&lines.sockets).push((socket, now));
			lines.free.add_permits(1);
		}
	}
}

impl Drop for Line {
	fn drop(&mut self) {
		if self.socket.is_some() {
			self.process.kill(false);
		}
		self.process.touch();
		self.process.busy.fetch_sub(1, Ordering::AcqRel);
	}
}

/// Counts a process among those that live.
struct Counted(Arc<AtomicUsize>);

impl Counted {
	fn new(alive: &Arc<AtomicUsize>) -> Self {
		alive.fetch_add(1, Ordering::AcqRel);
		Self(alive.clone())
	}
}

impl Drop for Counted {
	fn drop(&mut self) {
		self.0.fetch_sub(1, Ordering::AcqRel);
	}
}

/// Waits for the end of a process, and ends it when that is asked for: by a signal, or, when nobody
/// holds it any more, by closing its control socket. One that computes without calls is ended unasked.
async fn watch_over(
	mut child: Child,
	control: UnixStream,
	mut kill: watch::Receiver<bool>,
	ended: watch::Sender<Option<String>>,
	lines: Arc<Lines>,
	_counted: Counted,
) {
	let asked = async {
		// An error: the process was let go of.
		kill.wait_for(|kill| *kill).await.is_ok()
	};
	let pid = child.id();
	let mut overdrawn = false;
	let status = tokio::select! {
		status = child.wait() => status,
		now = asked => end(&mut child, control, now).await,
		() = computes_without_calls(pid, &lines) => {
			tracing::error!(pid, "a guest process is not what it was: it computes without calls");
			overdrawn = true;
			// No call takes a line any more.
			lines.free.close();
			end(&mut child, control, true).await
		}
	};
	lines.free.close();
	lock(&lines.sockets).clear();
	let words = match status {
		Ok(_) if overdrawn => OVERDRAWN.to_owned(),
		Ok(status) => describe(status),
		Err(error) => error.to_string(),
	};
	ended.send_replace(Some(words));
}

/// Waits until a process has taken more of the processor than its calls give it. It must not be waited
/// for in the meantime: its number could be another one's.
async fn computes_without_calls(pid: Option<u32>, lines: &Lines) {
	let mut looks = interval(LOOK);
	looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
	loop {
		looks.tick().await;
		// One that has ended computes nothing, and is noticed elsewhere.
		let Some(had) = pid.and_then(processor_time) else {
			continue;
		};
		if !lock(&lines.allowance).is_kept(had, Instant::now()) {
			return;
		}
	}
}

async fn end(child: &mut Child, control: UnixStream, now: bool) -> Result<ExitStatus, Error> {
	drop(control);
	if !now {
		if let Ok(status) = timeout(LAST_WAIT, child.wait()).await {
			return status;
		}
	}
	child.start_kill()?;
	child.wait().await
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
