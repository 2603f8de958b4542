//! Packages by hash: what clients upload and workers fetch. Only what can run is stored, and only
//! under the hash of its bytes, so a stored package can be neither wrong nor replaced.
//!
//! The store is bounded. A new package displaces those that were not asked for for longest, but
//! none that was uploaded within the last day: whoever uploads can rely on as much time to make a
//! deal and have it fetched.

use crate::errors::GatewayError;
use anyhow::Context;
use bytes::Bytes;
use futures::TryStreamExt;
use millrace_primitives::{
	execution::{package_hash, MAX_PACKAGE_BYTES},
	H256,
};
use object_store::{
	local::LocalFileSystem, path::Path as Location, ObjectStore, ObjectStoreExt, PutOptions,
};
use std::{
	collections::HashMap,
	fs, io,
	path::Path,
	sync::{Mutex, MutexGuard},
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::Mutex as AsyncMutex, task::spawn_blocking};

/// Reasons that an answer to a bad upload lists; there is one for every import.
const MAX_REASONS: usize = 16;
/// Time for which an upload is kept whatever comes after it.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Least bytes that a package counts with: a file costs more than its content.
pub(crate) const MIN_COST: u64 = 64 * 1024;

/// The package store.
#[derive(Debug)]
pub struct PackageStore {
	files: LocalFileSystem,
	capacity: u64,
	index: Mutex<Index>,
	/// One writer at a time, so that nobody else takes the room that one has made.
	writing: AsyncMutex<()>,
}

impl PackageStore {
	/// Opens the store in a directory, which is created, for at most so many bytes.
	pub async fn open(directory: &Path, capacity: u64) -> anyhow::Result<Self> {
		let owned = directory.to_path_buf();
		spawn_blocking(move || {
			fs::create_dir_all(&owned)?;
			sweep(&owned)
		})
		.await?
		.context("the directory cannot be used")?;
		let files = LocalFileSystem::new_with_prefix(directory)?.with_fsync(true);
		let found: Vec<_> = files.list(None).try_collect().await?;
		let mut index = Index::default();
		for file in found {
			let Some(hash) = hash_of(&file.location) else {
				continue;
			};
			let seconds = u64::try_from(file.last_modified.timestamp()).unwrap_or(0);
			let stored = UNIX_EPOCH + Duration::from_secs(seconds);
			index.insert(hash, Entry::new(file.size, stored));
		}
		Ok(Self {
			files,
			capacity,
			index: Mutex::new(index),
			writing: AsyncMutex::new(()),
		})
	}

	/// Validates and stores a module. Storing it again is no error and keeps it for another day;
	/// the second value says whether it is new.
	pub async fn put(&self, module: Bytes) -> Result<(H256, bool), GatewayError> {
		self.put_at(module, SystemTime::now()).await
	}

	async fn put_at(&self, module: Bytes, now: SystemTime) -> Result<(H256, bool), GatewayError> {
		if module.len() > MAX_PACKAGE_BYTES as usize {
			return Err(GatewayError::BodyTooLarge {
				limit: u64::from(MAX_PACKAGE_BYTES),
			});
		}
		// A look at the first bytes spares the validator what is obviously something else.
		if !module.starts_with(b"\0asm\x01\0\0\0") {
			let reason = "it does not begin like a WebAssembly module";
			return Err(GatewayError::PackageInvalid(reason.into()));
		}
		let hash = package_hash(&module);
		if self.read(hash).await?.is_some() {
			self.renew(hash, now).await;
			return Ok((hash, false));
		}
		let checked = module.clone();
		spawn_blocking(move || validate(&checked))
			.await
			.map_err(|error| GatewayError::Internal(error.to_string()))??;

		let _turn = self.writing.lock().await;
		let entry = Entry::new(module.len() as u64, now);
		self.make_room(hash, entry.cost, now).await?;
		// Written beside its place, brought to the disk and renamed: it is there whole or not.
		self.files
			.put_opts(&location(hash), module.into(), PutOptions::default())
			.await
			.map_err(internal)?;
		self.index().insert(hash, entry);
		Ok((hash, true))
	}

	/// A stored module. One that the disk has spoilt counts as missing.
	pub async fn get(&self, hash: H256) -> Result<Option<Bytes>, GatewayError> {
		let found = self.read(hash).await?;
		if found.is_some() {
			self.index().used(hash, SystemTime::now());
		}
		Ok(found)
	}

	async fn read(&self, hash: H256) -> Result<Option<Bytes>, GatewayError> {
		let found = match self.files.get(&location(hash)).await {
			Err(object_store::Error::NotFound { .. }) => return Ok(None),
			outcome => outcome.map_err(internal)?,
		};
		let has_size = found.meta.size <= u64::from(MAX_PACKAGE_BYTES);
		let module = match has_size {
			true => found.bytes().await.map_err(internal)?,
			false => Bytes::new(),
		};
		if package_hash(&module) != hash {
			tracing::error!(?hash, "a stored package is damaged; upload it again");
			return Ok(None);
		}
		Ok(Some(module))
	}

	/// Lets a package that is here already count as uploaded now, also after a restart.
	async fn renew(&self, hash: H256, now: SystemTime) {
		self.index().stored(hash, now);
		let path = self.files.path_to_filesystem(&location(hash));
		let renewed = spawn_blocking(move || {
			let file = fs::File::options().write(true).open(path?)?;
			file.set_modified(now)?;
			Ok::<_, anyhow::Error>(())
		});
		match renewed.await {
			Ok(Ok(())) => {}
			Ok(Err(error)) => tracing::warn!(?hash, %error, "a package's time was not written"),
			Err(error) => tracing::warn!(?hash, %error, "a package's time was not written"),
		}
	}

	/// Deletes packages until one of this cost fits; none where that is not enough.
	async fn make_room(&self, hash: H256, cost: u64, now: SystemTime) -> Result<(), GatewayError> {
		let displaced = self
			.index()
			.displaced(hash, cost, self.capacity, now)
			.ok_or(GatewayError::StoreFull)?;
		for old in displaced {
			match self.files.delete(&location(old)).await {
				Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
				Err(error) => return Err(internal(error)),
			}
			self.index().remove(old);
			tracing::info!(package = ?old, "a package made room for a new one");
		}
		Ok(())
	}

	fn index(&self) -> MutexGuard<'_, Index> {
		// Each change is one insertion, removal or assignment with its sum.
		self.index.lock().unwrap_or_else(|e| e.into_inner())
	}
}

/// A stored package.
#[derive(Clone, Copy, Debug)]
struct Entry {
	/// Bytes that it counts with.
	cost: u64,
	/// When it was last uploaded.
	stored: SystemTime,
	/// When it was last asked for; forgotten by a restart.
	used: SystemTime,
}

impl Entry {
	fn new(size: u64, stored: SystemTime) -> Self {
		Self {
			cost: size.max(MIN_COST),
			stored,
			used: stored,
		}
	}

	/// Whether it may make room; a time that is yet to come counts as now.
	fn can_go(&self, now: SystemTime) -> bool {
		now.duration_since(self.stored).unwrap_or_default() >= KEPT
	}
}

/// What is stored.
#[derive(Debug, Default)]
struct Index {
	packages: HashMap<H256, Entry>,
	/// What they count with together.
	cost: u64,
}

impl Index {
	fn insert(&mut self, hash: H256, entry: Entry) {
		self.remove(hash);
		self.cost = self.cost.saturating_add(entry.cost);
		self.packages.insert(hash, entry);
	}

	fn remove(&mut self, hash: H256) {
		if let Some(entry) = self.packages.remove(&hash) {
			self.cost = self.cost.saturating_sub(entry.cost);
		}
	}

	fn used(&mut self, hash: H256, now: SystemTime) {
		if let Some(entry) = self.packages.get_mut(&hash) {
			entry.used = now;
		}
	}

	fn stored(&mut self, hash: H256, now: SystemTime) {
		if let Some(entry) = self.packages.get_mut(&hash) {
			entry.stored = now;
			entry.used = now;
		}
	}

	/// The packages that must go for one of this cost, those first that were not used for longest;
	/// nothing if all that may go are not enough.
	fn displaced(
		&self,
		hash: H256,
		cost: u64,
		capacity: u64,
		now: SystemTime,
	) -> Option<Vec<H256>> {
		// A damaged package is replaced by its whole self.
		let replaced = self.packages.get(&hash).map_or(0, |entry| entry.cost);
		let others = self.cost.saturating_sub(replaced);
		let mut surplus = others.saturating_add(cost).saturating_sub(capacity);
		let mut old: Vec<(SystemTime, H256, u64)> = self
			.packages
			.iter()
			.filter(|(other, entry)| surplus > 0 && **other != hash && entry.can_go(now))
			.map(|(other, entry)| (entry.used, *other, entry.cost))
			.collect();
		old.sort_unstable();
		let mut displaced = Vec::new();
		for (_, other, cost) in old {
			if surplus == 0 {
				break;
			}
			surplus = surplus.saturating_sub(cost);
			displaced.push(other);
		}
		(surplus == 0).then_some(displaced)
	}
}

fn validate(module: &[u8]) -> Result<(), GatewayError> {
	// All that workers and the chain will ask of it.
	millrace_executor::whole(module)
		.map(|_| ())
		.map_err(|reasons| {
			let shown: Vec<String> = reasons
				.iter()
				.take(MAX_REASONS)
				.map(|reason| reason.to_string())
				.collect();
			GatewayError::PackageInvalid(shown.join("; "))
		})
}

fn location(hash: H256) -> Location {
	Location::from(format!("{}.wasm", hex::encode(hash)))
}

/// The package that a file is of, if it is one of ours.
fn hash_of(file: &Location) -> Option<H256> {
	let mut hash = H256::zero();
	let digits = file.as_ref().strip_suffix(".wasm")?;
	hex::decode_to_slice(digits, hash.as_bytes_mut()).ok()?;
	Some(hash)
}

/// Deletes what a gateway that was killed has left half written: beside its place, under the name
/// of the package with `#` and a number.
fn sweep(directory: &Path) -> io::Result<()> {
	for file in fs::read_dir(directory)? {
		let file = file?;
		let name = file.file_name();
		let half = name.to_str().and_then(|name| name.rsplit_once('#'));
		let ours = half.is_some_and(|(name, number)| {
			hash_of(&Location::from(name)).is_some() && number.parse::<u64>().is_ok()
		});
		if ours {
			fs::remove_file(file.path())?;
		}
	}
	Ok(())
}

fn internal(error: object_store::Error) -> GatewayError {
	tracing::error!(%error, "the package store failed");
	GatewayError::Internal("the package store failed".into())
}

#[cfg(test)]
mod tests;
