//! The daemon's side: who may run where, and what becomes of processes.

mod allowance;
mod conversation;
mod launched;
mod packages;
mod process;
mod spawner;

use crate::protocol::{Answer, Attempt, Hello, Order, Tier, MAX_PLACES};
use crate::{GuestCall, GuestError, Guests, PrepareError, Protection, SandboxConfig, SandboxError};
use bytes::Bytes;
use conversation::{converse, Record, Trouble};
use futures::future::{BoxFuture, FutureExt};
use launched::{describe, LaunchError};
use millrace_executor::{ArtifactFolder, CallOutput, Engine, EngineConfig, ModuleInfo};
use millrace_primitives::execution::package_hash;
use millrace_primitives::{DealId, H256};
use packages::Packages;
use process::Process;
use spawner::Spawner;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::{spawn_blocking, JoinSet};
use tokio::time::{sleep, timeout};

/// Name of the program.
const PROGRAM: &str = "millrace-guest";
/// Longest time for the probe.
const PROBE_WALL: Duration = Duration::from_secs(10);
/// Processes of a deal that may die in [`RESTS`] before the deal rests for as long.
const DEATHS: usize = 3;
/// See [`DEATHS`].
const RESTS: Duration = Duration::from_secs(60);
/// Times that a call looks for a process which then ends before it has begun.
const TRIES: usize = 4;

/// Runs guests in processes of their own.
///
/// Who drops it ends them all.
#[derive(Debug)]
pub struct Sandbox {
	inner: Arc<Inner>,
	/// Packages that can be called and are compiled better.
	improving: Mutex<JoinSet<()>>,
}

#[derive(Debug)]
struct Inner {
	config: SandboxConfig,
	protection: Protection,
	/// What this program is, which its processes must be too.
	hello: Hello,
	spawner: Spawner,
	packages: Packages,
	deals: Mutex<BTreeMap<DealId, Arc<AsyncMutex<Deal>>>>,
	/// Processes that run calls or wait for them.
	alive: Arc<AtomicUsize>,
}

/// A deal that was called.
#[derive(Debug, Default)]
struct Deal {
	process: Option<Arc<Process>>,
	/// When its last processes died.
	deaths: Vec<Instant>,
	/// Until when it gets no other one.
	rests_until: Option<Instant>,
}

impl Sandbox {
	/// Sets a sandbox up, and makes sure that it is one: a process that is locked in like those of
	/// guests tries what they must not be able to.
	pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
		let program = locate(config.program.as_deref())?;
		let host = |error: &dyn std::fmt::Display| SandboxError::Host(error.to_string());
		let spawner = Spawner::start(program).map_err(|error| host(&error))?;
		let (folder, folder_bytes) = (config.folder.clone(), config.folder_bytes);
		let ours = spawn_blocking(move || {
			let engine = Engine::new(EngineConfig {
				max_concurrent_calls: 1,
				max_wall_clock: None,
				..EngineConfig::default()
			});
			let engine = engine.map_err(|error| error.to_string())?;
			let folder = ArtifactFolder::open(folder, folder_bytes, &engine);
			let folder = folder.map_err(|error| error.to_string())?;
			Ok::<_, String>((Hello::own(&engine), folder))
		});
		// The two have nothing to do with each other, and a daemon is waited for.
		let (protection, ours) = futures::join!(probe(&spawner), ours);
		let protection = protection?;
		let (hello, folder) = ours
			.map_err(|error| host(&error))?
			.map_err(SandboxError::Host)?;
		let inner = Arc::new(Inner {
			protection,
			hello,
			spawner,
			packages: Packages::new(folder, config.prepare),
			deals: Mutex::default(),
			alive: Arc::default(),
			config,
		});
		tokio::spawn(tidy_up(Arc::downgrade(&inner), inner.config.idle));
		Ok(Self {
			inner,
			improving: Mutex::default(),
		})
	}

	/// The deals whose processes run, and the processes' ids.
	pub fn processes(&self) -> Vec<(DealId, u32)> {
		let mut processes = Vec::new();
		for (deal, entry) in self.inner.all_deals() {
			// One that is locked is being started.
			let Ok(entry) = entry.try_lock() else {
				continue;
			};
			let process = entry.process.as_ref().filter(|process| process.lives());
			processes.extend(process.map(|process| (deal, process.pid())));
		}
		processes
	}
}

impl Sandbox {
	/// Compiles a package better while it can be called already.
	fn improve(&self, hash: H256, package: Bytes) {
		let inner = self.inner.clone();
		let mut improving = self.improving();
		while improving.try_join_next().is_some() {}
		improving.spawn(async move {
			let (packages, spawner, hello) = (&inner.packages, &inner.spawner, &inner.hello);
			if let Err(error) = packages.improve(hash, package, spawner, hello).await {
				tracing::warn!(%error, package = ?hash, "a package stays as slow as it is");
			}
		});
	}

	fn improving(&self) -> MutexGuard<'_, JoinSet<()>> {
		self.improving
			.lock()
			.unwrap_or_else(PoisonError::into_inner)
	}
}

impl Guests for Sandbox {
	fn prepare(&self, package: Bytes) -> BoxFuture<'_, Result<ModuleInfo, PrepareError>> {
		let inner = &self.inner;
		async move {
			let hash = package_hash(&package);
			let (packages, spawner, hello) = (&inner.packages, &inner.spawner, &inner.hello);
			let ready = packages
				.prepare(hash, package.clone(), spawner, hello)
				.await?;
			if ready.tier == Tier::Quick {
				self.improve(hash, package);
			}
			Ok(ready.info.clone())
		}
		.boxed()
	}

	fn settle(&self) -> BoxFuture<'_, ()> {
		async {
			let mut improving = std::mem::take(&mut *self.improving());
			while improving.join_next().await.is_some() {}
		}
		.boxed()
	}

	fn call(&self, call: GuestCall) -> BoxFuture<'_, Result<CallOutput, GuestError>> {
		let inner = self.inner.clone();
		async move {
			let (size, max) = (
				call.input.request.body.len(),
				call.input.limits.request_bytes,
			);
			if size > max as usize {
				return Err(GuestError::RequestTooLarge { size, max });
			}
			// What is ready is told at once: the process must not wait until another thread has woken.
			let mut call = inner.call(call).boxed();
			if let Some(outcome) = (&mut call).now_or_never() {
				return outcome;
			}
			// The rest by itself: whoever waits for the call may go, and the line must not be left in
			// the midst of it.
			tokio::spawn(call)
				.await
				.unwrap_or_else(|error| Err(GuestError::Host(error.to_string())))
		}
		.boxed()
	}

	fn keep(&self, deals: &BTreeSet<DealId>) {
		self.inner.deals().retain(|deal, _| deals.contains(deal));
	}

	fn describe(&self) -> Protection {
		self.inner.protection
	}
}

impl Inner {
	/// Runs a call, and once more if its process ended over it.
	async fn call(self: Arc<Self>, call: GuestCall) -> Result<CallOutput, GuestError> {
		let places = call.places.clamp(1, MAX_PLACES);
		let wall = self.config.call_wall;
		let mut record = Record::default();
		let mut lost = false;
		for _ in 0..TRIES {
			let process = self.process(&call, places).await?;
			let Some(mut line) = process.clone().line().await else {
				continue;
			};
			let Some(socket) = line.socket() else {
				continue;
			};
			record.rewind();
			match converse(socket, &call, &mut record, wall).await {
				Ok(output) => {
					line.give_back();
					return Ok(output);
				}
				Err(Trouble::Over(error)) => {
					line.give_back();
					return Err(error);
				}
				Err(Trouble::TooSlow) => {
					process.kill(true);
					return Err(GuestError::TimedOut(wall));
				}
				Err(Trouble::Lie(lie)) => {
					tracing::error!(deal = call.deal, lie, "a guest process is not what it was");
					process.kill(false);
					return Err(GuestError::Crashed(lie.into()));
				}
				Err(Trouble::Lost) => {
					let end = process.loss().await;
					tracing::warn!(
						deal = call.deal,
						%end,
						"a guest process has ended over a call"
					);
					if lost {
						return Err(GuestError::Crashed(end));
					}
					lost = true;
				}
			}
		}
		Err(GuestError::Busy)
	}

	/// The deal's process: the present one if it is for such calls, else another one.
	async fn process(&self, call: &GuestCall, places: u32) -> Result<Arc<Process>, GuestError> {
		let entry = self.deals().entry(call.deal).or_default().clone();
		let mut deal = entry.lock().await;
		match &deal.process {
			Some(process)
				if process.lives()
					&& process.is_for(&call.package, places)
					&& !self.packages.has_better(&call.package, process.tier()) =>
			{
				process.touch();
				return Ok(process.clone());
			}
			Some(process) if process.died() => deal.died(),
			_ => {}
		}
		deal.process = None;
		if deal.rests_until.is_some_and(|until| Instant::now() < until) {
			return Err(GuestError::Busy);
		}
		let ready = self.packages.find(call.package).await;
		let ready = ready.ok_or(GuestError::NotPrepared)?;
		if !self.make_room() {
			return Err(GuestError::Busy);
		}
		let begun = Process::start(&self.spawner, &self.hello, ready, places, &self.alive).await;
		match begun {
			Ok(process) => {
				let process = Arc::new(process);
				deal.process = Some(process.clone());
				Ok(process)
			}
			Err(error) => {
				self.packages.forget(&call.package);
				deal.died();
				Err(GuestError::Host(error.to_string()))
			}
		}
	}

	/// Lets the longest idle process go if there are as many as there may be; `false`: none is idle.
	fn make_room(&self) -> bool {
		if self.alive.load(Ordering::Acquire) < self.config.max_processes {
			return true;
		}
		let longest = self
			.all_deals()
			.into_iter()
			.filter_map(|(_, entry)| {
				// One that is locked is being started, or looked for.
				let deal = entry.try_lock_owned().ok()?;
				let process = deal.process.as_ref().filter(|process| process.lives())?;
				Some((process.idle()?, deal))
			})
			.max_by_key(|(idle, _)| *idle);
		let Some((_, mut deal)) = longest else {
			return false;
		};
		deal.process = None;
		true
	}

	/// Lets go of what was not used for a while.
	fn tidy(&self) {
		for (_, entry) in self.all_deals() {
			let Ok(mut deal) = entry.try_lock_owned() else {
				continue;
			};
			let Some(process) = &deal.process else {
				continue;
			};
			if process.died() {
				deal.died();
				deal.process = None;
			} else if process.idle().is_some_and(|idle| idle >= self.config.idle) {
				deal.process = None;
			}
		}
		self.deals().retain(|_, entry| {
			// Entries are only taken under the lock that is held here.
			let wanted = Arc::strong_count(entry) > 1;
			let deal = entry.try_lock();
			wanted || deal.is_ok_and(|deal| deal.process.is_some() || deal.remembers())
		});
		self.packages.tidy();
	}

	fn all_deals(&self) -> Vec<(DealId, Arc<AsyncMutex<Deal>>)> {
		let deals = self.deals();
		deals
			.iter()
			.map(|(deal, entry)| (*deal, entry.clone()))
			.collect()
	}

	fn deals(&self) -> MutexGuard<'_, BTreeMap<DealId, Arc<AsyncMutex<Deal>>>> {
		self.deals.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Deal {
	/// Notes that a process died of itself. Too many at once, and there is no other one for a while:
	/// starting them is work that others pay for.
	fn died(&mut self) {
		let now = Instant::now();
		self.deaths
			.retain(|death| now.duration_since(*death) < RESTS);
		self.deaths.push(now);
		if self.deaths.len() >= DEATHS {
			self.deaths.clear();
			self.rests_until = Some(now + RESTS);
		}
	}

	/// Whether its past matters still.
	fn remembers(&self) -> bool {
		let rests = self.rests_until.is_some_and(|until| Instant::now() < until);
		rests || self.deaths.iter().any(|death| death.elapsed() < RESTS)
	}
}

/// Lets go of what was not used for a while, again and again, as long as there is a sandbox.
async fn tidy_up(inner: Weak<Inner>, idle: Duration) {
	let pause = (idle / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
	loop {
		sleep(pause).await;
		match inner.upgrade() {
			Some(inner) => inner.tidy(),
			None => return,
		}
	}
}

/// The program: where it was said to be, or beside the one that is running.
fn locate(program: Option<&Path>) -> Result<PathBuf, SandboxError> {
	let program = match program {
		Some(program) => program.to_owned(),
		None => std::env::current_exe()
			.map_err(|error| SandboxError::Host(error.to_string()))?
			.with_file_name(PROGRAM),
	};
	if program.is_file() {
		Ok(program)
	} else {
		Err(SandboxError::NoProgram(program))
	}
}

/// Has a process try what it must not be able to do, the last thing with its life.
async fn probe(spawner: &Spawner) -> Result<Protection, SandboxError> {
	let ours = Hello::without_engine();
	let order = Order::Probe {
		last: Attempt::Socket,
	};
	let probed = timeout(PROBE_WALL, async {
		let mut launched = spawner.launch("probe").await?;
		launched.order(&ours, &order, &[]).await?;
		let answer = launched.answer(&ours).await;
		Ok::<_, LaunchError>((answer, launched.end().await))
	});
	let unprotected = |reason: String| Err(SandboxError::Unprotected(reason));
	let (answer, end) = match probed.await {
		Ok(Ok(probed)) => probed,
		Ok(Err(error)) => return Err(SandboxError::Host(error.to_string())),
		Err(_) => return unprotected(format!("the probe took more than {PROBE_WALL:?}")),
	};
	let end = end.unwrap_or_default();
	match answer {
		Ok(Answer::Probed {
			landlock_abi,
			worked,
		}) => {
			if !worked.is_empty() {
				let worked: Vec<_> = worked.iter().map(|attempt| attempt.describe()).collect();
				return unprotected(format!("a process can {}", worked.join(", ")));
			}
			if end.signal() != Some(libc::SIGSYS) {
				let end = describe(end);
				return unprotected(format!("a forbidden system call does not kill: {end}"));
			}
			Ok(Protection::Process {
				landlock_abi,
				seccomp: true,
			})
		}
		Ok(_) => unprotected("the probe answers something else".into()),
		Err(LaunchError::OtherVersion { found, wanted }) => {
			Err(SandboxError::OtherVersion { found, wanted })
		}
		Err(LaunchError::Failed(reason)) => unprotected(reason),
		Err(error) => unprotected(format!("{error}; the probe {}", describe(end))),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_deal_rests_when_its_processes_die_again_and_again() {
		let mut deal = Deal::default();
		assert!(!deal.remembers());
		deal.died();
		deal.died();
		assert!(deal.rests_until.is_none());
		assert!(deal.remembers());
		deal.died();
		assert!(deal.rests_until.is_some());
		assert!(deal.remembers());
	}

	#[test]
	fn the_program_is_where_it_was_said_to_be() {
		assert!(matches!(
			locate(Some(Path::new("/nowhere/at/all"))),
			Err(SandboxError::NoProgram(path)) if path == Path::new("/nowhere/at/all")
		));
		let itself = std::env::current_exe().unwrap();
		assert_eq!(locate(Some(&itself)).unwrap(), itself);
	}
}
