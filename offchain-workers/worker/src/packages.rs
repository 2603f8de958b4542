//! Packages: fetched by hash, checked, kept on disk and made ready to run.

use crate::{errors::Refusal, fetch::Fetcher, metrics::Metrics, snapshot::NamedTerms};
use bytes::Bytes;
use futures::TryStreamExt;
use millrace_executor::ModuleInfo;
use millrace_primitives::{execution::package_hash, market::Package, H256};
use millrace_sandbox::{Guests, PrepareError};
use object_store::{local::LocalFileSystem, path::Path, ObjectStore, ObjectStoreExt};
use std::{
	collections::{BTreeMap, BTreeSet},
	fs::File,
	path::PathBuf,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
	sync::{Notify, Semaphore},
	task::spawn_blocking,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};

/// Packages that are made ready at once. Fetches need no turn: a deal has one at a time, the fetcher
/// bounds how long it takes, and slow links must not delay other packages.
const AT_ONCE: usize = 2;
/// Pause after the first failure; each further one doubles it, up to the last.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Pause after a package has taken all the time or memory that it may: one made for that must not
/// keep others from being compiled.
const LATE_RETRY: Duration = Duration::from_secs(15 * 60);

/// Whether what failed is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
	/// The package cannot run today, and so not tomorrow either.
	Never,
	/// Soon, and later each time.
	Soon,
	/// Much later.
	Late,
}

type Failure = (Refusal, Again);

enum Slot {
	/// Waits, is fetched or compiled.
	Loading,
	/// Can be called.
	Ready(ModuleInfo),
	/// Is tried again at a time, unless the module itself is at fault.
	Failed {
		refusal: Refusal,
		again: Option<Instant>,
		failures: u32,
	},
}

/// What is needed. Neither block knows all: the best one may be taken back, and the other one lags.
#[derive(Default)]
struct Needed {
	/// At the last finalised block.
	settled: BTreeSet<H256>,
	/// At the best block.
	ahead: BTreeSet<H256>,
}

/// Everything that can be called, and what is on the way to that.
pub struct Packages {
	guests: Arc<dyn Guests>,
	store: LocalFileSystem,
	fetcher: Fetcher,
	/// Locked before the slots.
	needed: Mutex<Needed>,
	slots: Mutex<BTreeMap<H256, Slot>>,
	/// Told when a package is ready or has failed.
	loaded: Notify,
	/// Turns to make packages ready.
	turns: Semaphore,
	tasks: TaskTracker,
	cancel: CancellationToken,
	metrics: Metrics,
}

impl std::fmt::Debug for Packages {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Packages")
			.field("store", &self.store)
			.field("packages", &self.slots().len())
			.finish_non_exhaustive()
	}
}

/// Why the directory of packages cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PackageStoreError {
	/// It cannot be made.
	#[error("{path}: {source}")]
	Directory {
		/// The directory.
		path: PathBuf,
		/// Why.
		source: std::io::Error,
	},
	/// It cannot be read or written.
	#[error("the directory of packages fails: {0}")]
	Store(#[from] object_store::Error),
	/// A file in it cannot be written.
	#[error("a package cannot be written: {0}")]
	File(#[from] std::io::Error),
}

impl Packages {
	/// Packages in a directory, of which none is loaded yet.
	pub fn open(
		dir: PathBuf,
		guests: Arc<dyn Guests>,
		fetcher: Fetcher,
		tasks: TaskTracker,
		cancel: CancellationToken,
		metrics: Metrics,
	) -> Result<Self, PackageStoreError> {
		std::fs::create_dir_all(&dir).map_err(|source| PackageStoreError::Directory {
			path: dir.clone(),
			source,
		})?;
		Ok(Self {
			guests,
			store: LocalFileSystem::new_with_prefix(&dir)?.with_fsync(true),
			fetcher,
			needed: Mutex::default(),
			slots: Mutex::default(),
			loaded: Notify::new(),
			turns: Semaphore::new(AT_ONCE),
			tasks,
			cancel,
			metrics,
		})
	}

	/// Says which packages are needed at a finalised block: missing ones are fetched, others are
	/// unloaded. Returns at once and may be repeated.
	pub fn want(self: &Arc<Self>, wanted: &[&Package]) {
		let mut needed = self.needed();
		needed.settled = wanted.iter().map(|package| package.hash).collect();
		self.take_up(&needed, wanted);
	}

	/// The same at the best block. What is needed at either is kept.
	pub fn want_ahead(self: &Arc<Self>, wanted: &[&Package]) {
		let mut needed = self.needed();
		needed.ahead = wanted.iter().map(|package| package.hash).collect();
		self.take_up(&needed, wanted);
	}

	/// Waits until a package is ready or has failed, or was or had since this was last waited for. One
	/// waits at a time.
	pub async fn loaded(&self) {
		self.loaded.notified().await;
	}

	fn take_up(self: &Arc<Self>, needed: &Needed, wanted: &[&Package]) {
		let is_needed = |hash: &H256| needed.settled.contains(hash) || needed.ahead.contains(hash);
		let mut slots = self.slots();
		// What is being loaded ends by itself; it is unloaded at the next call.
		slots.retain(|hash, slot| is_needed(hash) || matches!(slot, Slot::Loading));
		for package in wanted {
			let failures = match slots.get(&package.hash) {
				None => 0,
				Some(Slot::Failed {
					again: Some(again),
					failures,
					..
				}) if *again <= Instant::now() => *failures,
				Some(_) => continue,
			};
			slots.insert(package.hash, Slot::Loading);
			let (packages, package) = (self.clone(), (*package).clone());
			self.tasks.spawn(async move {
				let cancel = packages.cancel.clone();
				tokio::select! {
					() = cancel.cancelled() => {},
					() = packages.load(package, failures) => {},
				}
			});
		}
		self.count(&slots);
	}

	/// What is known of a package, if it can be called.
	pub fn module(&self, hash: H256) -> Result<ModuleInfo, Refusal> {
		match self.slots().get(&hash) {
			Some(Slot::Ready(module)) => Ok(module.clone()),
			other => Err(not_ready(other)),
		}
	}

	/// Whether a package can be called.
	pub fn ready(&self, hash: H256) -> Result<(), Refusal> {
		match self.slots().get(&hash) {
			Some(Slot::Ready(_)) => Ok(()),
			other => Err(not_ready(other)),
		}
	}

	/// Whether the package of one of these can be called.
	pub fn any_ready(&self, choices: &[NamedTerms]) -> bool {
		choices
			.iter()
			.any(|named| self.ready(named.terms.package).is_ok())
	}

	/// Whether a package could not be had or made ready, the last time that it was tried.
	pub fn has_failed(&self, hash: H256) -> bool {
		matches!(self.slots().get(&hash), Some(Slot::Failed { .. }))
	}

	/// Makes a package ready that need not be wanted any more, if it is not.
	pub async fn recall(&self, hash: H256) -> Result<(), Refusal> {
		if self.ready(hash).is_ok() {
			return Ok(());
		}
		self.prepare_again(hash).await
	}

	/// Makes a package ready from disk, whatever is remembered of it: what was made of it may have
	/// made room for others.
	pub async fn prepare_again(&self, hash: H256) -> Result<(), Refusal> {
		let bytes = self.stored(hash).await.ok_or_else(|| {
			Refusal::PackageUnavailable("it is not in the directory of packages".into())
		})?;
		match self.prepare(bytes).await {
			Ok(_) => Ok(()),
			Err((refusal, _)) => Err(refusal),
		}
	}

	/// Deletes packages that were not wanted for `age`. Until then they can be demanded: receipts outlive
	/// their deals.
	pub async fn prune(&self, age: Duration) -> Result<(), PackageStoreError> {
		let now = SystemTime::now()
			.duration_since(UNIX_EPOCH)
			.unwrap_or_default();
		let oldest = i64::try_from(now.saturating_sub(age).as_secs()).unwrap_or(i64::MAX);
		let files: Vec<_> = self.store.list(None).try_collect().await?;
		for file in files {
			let wanted = self
				.slots()
				.keys()
				.any(|hash| file.location == location(*hash));
			if wanted {
				self.touch(&file.location).await;
			} else if file.last_modified.timestamp() < oldest {
				info!(package = %file.location, "an old package is deleted");
				self.store.delete(&file.location).await?;
			}
		}
		Ok(())
	}

	/// Notes that a package is wanted now, also for after a restart.
	async fn touch(&self, location: &Path) {
		let path = self.store.path_to_filesystem(location);
		let touched = spawn_blocking(move || {
			let file = File::options().write(true).open(path?)?;
			file.set_modified(SystemTime::now())?;
			Ok::<_, PackageStoreError>(())
		});
		let outcome = match touched.await {
			Ok(outcome) => outcome.map_err(|error| error.to_string()),
			Err(error) => Err(error.to_string()),
		};
		if let Err(error) = outcome {
			warn!(package = %location, "a package may be deleted too early: {error}");
		}
	}

	async fn load(&self, package: Package, failures: u32) {
		let slot = match self.obtain(&package).await {
			Ok(module) => {
				info!(package = ?package.hash, size = package.size, "a package is ready");
				Slot::Ready(module)
			}
			Err((refusal, again)) => {
				if package.links.is_empty() {
					debug!(package = ?package.hash, "a past package is not ready: {refusal}");
				} else {
					warn!(package = ?package.hash, "a package is not ready: {refusal}");
				}
				let soon = RETRY.0.saturating_mul(1 << failures.min(16)).min(RETRY.1);
				let again = match again {
					Again::Never => None,
					Again::Soon => Some(Instant::now() + soon),
					Again::Late => Some(Instant::now() + LATE_RETRY),
				};
				Slot::Failed {
					refusal,
					again,
					failures: failures.saturating_add(1),
				}
			}
		};
		let mut slots = self.slots();
		slots.insert(package.hash, slot);
		self.count(&slots);
		drop(slots);
		self.loaded.notify_one();
	}

	async fn obtain(&self, package: &Package) -> Result<ModuleInfo, Failure> {
		let soon = |refusal| (refusal, Again::Soon);
		let bytes = match self.stored(package.hash).await {
			Some(bytes) => bytes,
			// One of before an update, which nobody fetches any more.
			None if package.links.is_empty() => {
				let reason = "it is not in the directory of packages".into();
				return Err(soon(Refusal::PackageUnavailable(reason)));
			}
			None => {
				let bytes = self.fetch(package).await.map_err(soon)?;
				let stored = self
					.store
					.put(&location(package.hash), bytes.clone().into())
					.await;
				stored.map_err(|error| {
					soon(Refusal::PackageUnavailable(format!(
						"it cannot be stored: {error}"
					)))
				})?;
				bytes
			}
		};
		self.prepare(bytes).await
	}

	/// The package on disk, if it is there and whole.
	pub async fn stored(&self, hash: H256) -> Option<Bytes> {
		let found = self.store.get(&location(hash)).await.ok()?;
		let bytes = found.bytes().await.ok()?;
		if package_hash(&bytes) == hash {
			return Some(bytes);
		}
		warn!(package = ?hash, "a stored package is damaged and fetched again");
		None
	}

	async fn fetch(&self, package: &Package) -> Result<Bytes, Refusal> {
		let mut reason = "the deal names no link".to_owned();
		for link in &package.links {
			match self.fetcher.fetch(link, package.size).await {
				Ok(bytes) if bytes.len() as u64 != u64::from(package.size) => {
					reason = format!("{} bytes came instead of {}", bytes.len(), package.size);
				}
				Ok(bytes) if package_hash(&bytes) != package.hash => {
					reason = "what came has another hash".into();
				}
				Ok(bytes) => return Ok(bytes),
				Err(error) => reason = error.to_string(),
			}
		}
		Err(Refusal::PackageUnavailable(reason))
	}

	async fn prepare(&self, bytes: Bytes) -> Result<ModuleInfo, Failure> {
		// There always are turns: the semaphore is never closed.
		let _turn = self.turns.acquire().await;
		let unavailable = |error: &PrepareError| Refusal::PackageUnavailable(error.to_string());
		match self.guests.prepare(bytes).await {
			Ok(module) => Ok(module),
			Err(PrepareError::Refused(reasons)) => {
				Err((Refusal::PackageInvalid(reasons.join("; ")), Again::Never))
			}
			Err(error @ (PrepareError::Crashed(_) | PrepareError::TooSlow(_))) => {
				Err((unavailable(&error), Again::Late))
			}
			Err(error @ PrepareError::Host(_)) => Err((unavailable(&error), Again::Soon)),
		}
	}

	fn needed(&self) -> MutexGuard<'_, Needed> {
		// Each change is of a whole set.
		self.needed.lock().unwrap_or_else(PoisonError::into_inner)
	}

	fn slots(&self) -> MutexGuard<'_, BTreeMap<H256, Slot>> {
		// Each change is one insertion or removal.
		self.slots.lock().unwrap_or_else(PoisonError::into_inner)
	}

	fn count(&self, slots: &BTreeMap<H256, Slot>) {
		let ready = slots
			.values()
			.filter(|slot| matches!(slot, Slot::Ready(_)))
			.count();
		self.metrics.packages.set(ready as i64);
	}
}

/// Why a package cannot be called yet.
fn not_ready(slot: Option<&Slot>) -> Refusal {
	match slot {
		Some(Slot::Failed { refusal, .. }) => refusal.clone(),
		_ => Refusal::PackageUnavailable("it is being fetched".into()),
	}
}

fn location(hash: H256) -> Path {
	Path::from(format!("{}.wasm", hex::encode(hash)))
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::future::BoxFuture;
	use millrace_executor::CallOutput;
	use millrace_primitives::{
		market::{Abi, Link},
		DealId,
	};
	use millrace_sandbox::{GuestCall, GuestError, Protection};
	use std::sync::atomic::{AtomicUsize, Ordering};

	fn package(hash: H256, size: u32, links: Vec<String>) -> Package {
		let links: Vec<Link> = links
			.into_iter()
			.map(|link| Link::try_from(link.into_bytes()).expect("a short link"))
			.collect();
		Package {
			hash,
			size,
			links: links.try_into().expect("few links"),
			abi: Abi::default(),
		}
	}

	/// Makes nothing ready, or everything; runs nothing.
	#[derive(Debug)]
	struct Workshop {
		asked: AtomicUsize,
		fails: fn() -> Option<PrepareError>,
	}

	impl Guests for Workshop {
		fn prepare(&self, package: Bytes) -> BoxFuture<'_, Result<ModuleInfo, PrepareError>> {
			self.asked.fetch_add(1, Ordering::Relaxed);
			Box::pin(async move {
				match (self.fails)() {
					Some(error) => Err(error),
					None => Ok(millrace_executor::validate(&package).expect("it can run")),
				}
			})
		}

		fn call(&self, _: GuestCall) -> BoxFuture<'_, Result<CallOutput, GuestError>> {
			Box::pin(async { Err(GuestError::NotPrepared) })
		}

		fn keep(&self, _: &BTreeSet<DealId>) {}

		fn describe(&self) -> Protection {
			Protection::None
		}
	}

	fn workshop(fails: fn() -> Option<PrepareError>) -> Arc<Workshop> {
		Arc::new(Workshop {
			asked: AtomicUsize::new(0),
			fails,
		})
	}

	fn module() -> Vec<u8> {
		wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#)
			.expect("the module is well-formed")
	}

	fn open(
		dir: &std::path::Path,
		guests: Arc<Workshop>,
		cancel: CancellationToken,
	) -> Arc<Packages> {
		let packages = Packages::open(
			dir.into(),
			guests,
			Fetcher::new(Duration::from_secs(600), true),
			TaskTracker::new(),
			cancel,
			Metrics::new().expect("the names are distinct"),
		);
		Arc::new(packages.expect("it opens"))
	}

	/// A package that is in the directory already.
	fn stored(dir: &std::path::Path) -> Package {
		let module = module();
		let stored = package(package_hash(&module), module.len() as u32, Vec::new());
		let name = format!("{}.wasm", hex::encode(stored.hash));
		std::fs::write(dir.join(name), &module).expect("a file");
		stored
	}

	/// When the first failure of making a package ready is tried again.
	async fn again(fails: fn() -> Option<PrepareError>) -> (Refusal, Option<Duration>) {
		let dir = tempfile::tempdir().expect("a directory");
		let package = stored(dir.path());
		let packages = open(dir.path(), workshop(fails), CancellationToken::new());
		packages.load(package.clone(), 0).await;
		let slots = packages.slots();
		let Some(Slot::Failed { refusal, again, .. }) = slots.get(&package.hash) else {
			panic!("it fails");
		};
		let pause = again.map(|at| at.saturating_duration_since(Instant::now()));
		(refusal.clone(), pause)
	}

	#[tokio::test]
	async fn a_package_that_eats_time_waits_longer_than_one_that_met_trouble() {
		let (refusal, pause) =
			again(|| Some(PrepareError::Refused(vec!["a".into(), "b".into()]))).await;
		assert_eq!(refusal, Refusal::PackageInvalid("a; b".into()));
		assert_eq!(pause, None);
		let (_, pause) = again(|| Some(PrepareError::Host("no process".into()))).await;
		assert!(pause.is_some_and(|pause| pause <= RETRY.0));
		let (_, pause) = again(|| Some(PrepareError::TooSlow(RETRY.1))).await;
		assert!(pause.is_some_and(|pause| pause > RETRY.1));
		let (refusal, pause) = again(|| Some(PrepareError::Crashed("signal 9".into()))).await;
		assert!(pause.is_some_and(|pause| pause > RETRY.1));
		assert_eq!(refusal.code(), "package_unavailable");
	}

	#[tokio::test]
	async fn what_is_ready_is_made_ready_again_only_when_asked_for() {
		let dir = tempfile::tempdir().expect("a directory");
		let package = stored(dir.path());
		let guests = workshop(|| None);
		let packages = open(dir.path(), guests.clone(), CancellationToken::new());
		packages.load(package.clone(), 0).await;
		assert!(packages
			.module(package.hash)
			.is_ok_and(|info| info.functions == 1));
		packages.recall(package.hash).await.expect("it is ready");
		assert_eq!(guests.asked.load(Ordering::Relaxed), 1);
		packages
			.prepare_again(package.hash)
			.await
			.expect("it is there");
		assert_eq!(guests.asked.load(Ordering::Relaxed), 2);
		let unknown = packages
			.recall(H256::zero())
			.await
			.expect_err("it is nowhere");
		assert_eq!(unknown.code(), "package_unavailable");
	}

	#[tokio::test]
	async fn a_package_is_kept_from_when_it_was_last_wanted() {
		let dir = tempfile::tempdir().expect("a directory");
		let package = stored(dir.path());
		let path = dir
			.path()
			.join(format!("{}.wasm", hex::encode(package.hash)));
		let hour = Duration::from_secs(3_600);
		let long_ago = SystemTime::now() - 100 * hour;
		let age = || {
			let file = File::options().write(true).open(&path);
			file.and_then(|file| file.set_modified(long_ago))
				.expect("it is ours");
		};
		age();
		let packages = open(dir.path(), workshop(|| None), CancellationToken::new());
		packages.load(package.clone(), 0).await;
		packages.prune(hour).await.expect("the directory is fine");
		// The deal is over; what it ran can still be demanded.
		packages.want(&[]);
		packages.prune(hour).await.expect("the directory is fine");
		assert!(packages.stored(package.hash).await.is_some());
		age();
		packages.prune(hour).await.expect("the directory is fine");
		assert!(packages.stored(package.hash).await.is_none());
	}

	#[tokio::test]
	async fn slow_links_do_not_delay_other_packages() {
		let dir = tempfile::tempdir().expect("a directory");
		let ready = stored(dir.path());
		let cancel = CancellationToken::new();
		let packages = open(dir.path(), workshop(|| None), cancel.clone());
		// Connections are taken, and never answered.
		let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
			.await
			.expect("a port");
		let link = format!("http://{}/", silent.local_addr().expect("it is bound"));
		let slow: Vec<_> = (1..=4)
			.map(|byte| package(H256::repeat_byte(byte), 1, vec![link.clone()]))
			.collect();
		packages.want(&slow.iter().collect::<Vec<_>>());
		let mut open = Vec::new();
		for _ in &slow {
			let asked = tokio::time::timeout(Duration::from_secs(60), silent.accept()).await;
			let asked = asked.expect("every link is followed");
			open.push(asked.expect("a connection"));
		}
		let all: Vec<_> = slow.iter().chain([&ready]).collect();
		packages.want(&all);
		let loaded = async {
			while packages.module(ready.hash).is_err() {
				tokio::time::sleep(Duration::from_millis(10)).await;
			}
		};
		tokio::time::timeout(Duration::from_secs(60), loaded)
			.await
			.expect("it need not wait for the links");
		cancel.cancel();
		drop(open);
	}
}
