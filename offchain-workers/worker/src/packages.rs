//! Packages: fetched by hash, checked, kept on disk and loaded.

use crate::{errors::Refusal, fetch::Fetcher, metrics::Metrics};
use bytes::Bytes;
use futures::TryStreamExt;
use millrace_executor::{Engine, LoadError, Module};
use millrace_primitives::{execution::package_hash, market::Package, H256};
use object_store::{local::LocalFileSystem, path::Path, ObjectStore, ObjectStoreExt};
use std::{
	collections::{BTreeMap, BTreeSet},
	path::PathBuf,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::Semaphore, task::spawn_blocking};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

/// Packages that are compiled at once. Fetches need no turn: a deal has one at a time, the fetcher
/// bounds how long it takes, and slow links must not delay other packages.
const AT_ONCE: usize = 2;
/// Pause after the first failure; each further one doubles it, up to the last.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

enum Slot {
	/// Waits, is fetched or compiled.
	Loading,
	/// Can be called.
	Ready(Arc<Module>),
	/// Is tried again at a time, unless the module itself is at fault.
	Failed {
		refusal: Refusal,
		again: Option<Instant>,
		failures: u32,
	},
}

/// Everything that can be called, and what is on the way to that.
pub struct Packages {
	engine: Arc<Engine>,
	store: LocalFileSystem,
	fetcher: Fetcher,
	slots: Mutex<BTreeMap<H256, Slot>>,
	/// Turns to compile.
	turns: Arc<Semaphore>,
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
}

impl Packages {
	/// Packages in a directory, of which none is loaded yet.
	pub fn open(
		dir: PathBuf,
		engine: Arc<Engine>,
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
			engine,
			store: LocalFileSystem::new_with_prefix(&dir)?.with_fsync(true),
			fetcher,
			slots: Mutex::default(),
			turns: Arc::new(Semaphore::new(AT_ONCE)),
			tasks,
			cancel,
			metrics,
		})
	}

	/// Says which packages are needed: missing ones are fetched, others are unloaded. Returns at
	/// once and may be repeated.
	pub fn want(self: &Arc<Self>, wanted: &[&Package]) {
		let hashes: BTreeSet<H256> = wanted.iter().map(|package| package.hash).collect();
		let mut slots = self.slots();
		// What is being loaded ends by itself; it is unloaded at the next call.
		slots.retain(|hash, slot| hashes.contains(hash) || matches!(slot, Slot::Loading));
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

	/// The module of a package, if it can be called.
	pub fn module(&self, hash: H256) -> Result<Arc<Module>, Refusal> {
		match self.slots().get(&hash) {
			Some(Slot::Ready(module)) => Ok(module.clone()),
			Some(Slot::Failed { refusal, .. }) => Err(refusal.clone()),
			Some(Slot::Loading) | None => {
				Err(Refusal::PackageUnavailable("it is being fetched".into()))
			}
		}
	}

	/// The module of a package that need not be wanted any more, from memory or disk.
	pub async fn recall(&self, hash: H256) -> Result<Arc<Module>, Refusal> {
		if let Ok(module) = self.module(hash) {
			return Ok(module);
		}
		let bytes = self.stored(hash).await.ok_or_else(|| {
			Refusal::PackageUnavailable("it is not in the directory of packages".into())
		})?;
		self.compile(bytes).await
	}

	/// Deletes packages that are neither wanted nor younger than `age`.
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
			if !wanted && file.last_modified.timestamp() < oldest {
				info!(package = %file.location, "an old package is deleted");
				self.store.delete(&file.location).await?;
			}
		}
		Ok(())
	}

	async fn load(&self, package: Package, failures: u32) {
		let slot = match self.obtain(&package).await {
			Ok(module) => {
				info!(package = ?package.hash, size = package.size, "a package is ready");
				Slot::Ready(module)
			}
			Err(refusal) => {
				warn!(package = ?package.hash, "a package is not ready: {refusal}");
				// A module that cannot run today cannot run tomorrow either.
				let permanent = matches!(refusal, Refusal::PackageInvalid(_));
				let pause = RETRY.0.saturating_mul(1 << failures.min(16)).min(RETRY.1);
				Slot::Failed {
					refusal,
					again: (!permanent).then(|| Instant::now() + pause),
					failures: failures.saturating_add(1),
				}
			}
		};
		let mut slots = self.slots();
		slots.insert(package.hash, slot);
		self.count(&slots);
	}

	async fn obtain(&self, package: &Package) -> Result<Arc<Module>, Refusal> {
		let bytes = match self.stored(package.hash).await {
			Some(bytes) => bytes,
			None => {
				let bytes = self.fetch(package).await?;
				let stored = self
					.store
					.put(&location(package.hash), bytes.clone().into())
					.await;
				stored.map_err(|error| {
					Refusal::PackageUnavailable(format!("it cannot be stored: {error}"))
				})?;
				bytes
			}
		};
		self.compile(bytes).await
	}

	/// The package on disk, if it is there and whole.
	async fn stored(&self, hash: H256) -> Option<Bytes> {
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

	async fn compile(&self, bytes: Bytes) -> Result<Arc<Module>, Refusal> {
		let engine = self.engine.clone();
		// There always are turns: the semaphore is never closed.
		let turn = self.turns.clone().acquire_owned().await;
		let work = move || {
			// Given back when the work ends, not when nobody waits for it any more.
			let _turn = turn;
			engine.load(&bytes)
		};
		match spawn_blocking(work).await {
			Ok(Ok(module)) => Ok(module),
			Ok(Err(error @ LoadError::Compile(_))) => {
				Err(Refusal::PackageUnavailable(error.to_string()))
			}
			Ok(Err(error)) => Err(Refusal::PackageInvalid(error.to_string())),
			Err(error) => Err(Refusal::PackageUnavailable(error.to_string())),
		}
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

fn location(hash: H256) -> Path {
	Path::from(format!("{}.wasm", hex::encode(hash)))
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_executor::EngineConfig;
	use millrace_primitives::market::{Abi, Link};

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

	#[tokio::test]
	async fn slow_links_do_not_delay_other_packages() {
		let dir = tempfile::tempdir().expect("a directory");
		let module =
			wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#)
				.expect("the module is well-formed");
		let ready = package(package_hash(&module), module.len() as u32, Vec::new());
		let name = format!("{}.wasm", hex::encode(ready.hash));
		std::fs::write(dir.path().join(name), &module).expect("a file");
		let engine = Engine::new(EngineConfig {
			max_concurrent_calls: 1,
			..EngineConfig::default()
		});
		let cancel = CancellationToken::new();
		let packages = Packages::open(
			dir.path().into(),
			Arc::new(engine.expect("an engine")),
			Fetcher::new(Duration::from_secs(600), true),
			TaskTracker::new(),
			cancel.clone(),
			Metrics::new().expect("the names are distinct"),
		);
		let packages = Arc::new(packages.expect("it opens"));
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
