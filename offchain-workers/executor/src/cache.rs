//! Compiled modules: the last used ones in memory, more of them in a folder if there is one.

use crate::engine::Module;
use millrace_primitives::{hash, H256};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fs, io, process};

/// Modules in memory; when there are too many, the one that was not used for longest goes.
#[derive(Debug)]
pub(crate) struct MemoryCache {
	max: usize,
	entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
	/// Counts uses.
	now: u64,
	/// By package hash: the module and when it was last used.
	modules: HashMap<H256, (Arc<Module>, u64)>,
}

impl MemoryCache {
	pub(crate) fn new(max: usize) -> Self {
		Self {
			max: max.max(1),
			entries: Mutex::default(),
		}
	}

	pub(crate) fn get(&self, package: &H256) -> Option<Arc<Module>> {
		let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
		entries.now += 1;
		let now = entries.now;
		let (module, used) = entries.modules.get_mut(package)?;
		*used = now;
		Some(module.clone())
	}

	pub(crate) fn insert(&self, module: Arc<Module>) {
		let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
		entries.now += 1;
		let now = entries.now;
		entries.modules.insert(module.hash(), (module, now));
		while entries.modules.len() > self.max {
			let oldest = entries.modules.iter().min_by_key(|(_, (_, used))| *used);
			let Some(package) = oldest.map(|(package, _)| *package) else {
				break;
			};
			entries.modules.remove(&package);
		}
	}
}

/// Compiled modules in a folder that nobody else writes to.
///
/// A file is named by all that its content depends on: the instrumented code and the engine. It
/// begins with a hash over that name and the content, and appears by renaming. So a file that was cut
/// short, damaged or made by another version is not taken; the hash is no protection against someone
/// who can write to the folder on purpose.
///
/// The folder is bounded: each new file pushes those out that were not used for longest. A module
/// that is loaded does not need its file any more.
#[derive(Debug)]
pub(crate) struct DiskCache {
	folder: PathBuf,
	max_bytes: u64,
	/// Stands for the engine: version, target and settings.
	engine: u64,
}

/// Numbers the files that this process is writing.
static WRITING: AtomicU64 = AtomicU64::new(0);

/// Age at which a draft belongs to a process that was killed over it.
const DRAFT_LIFE: Duration = Duration::from_secs(3_600);

impl DiskCache {
	/// Opens a folder, making it if need be.
	pub(crate) fn open(
		folder: PathBuf,
		max_bytes: u64,
		engine: &wasmtime::Engine,
	) -> io::Result<Self> {
		fs::create_dir_all(&folder)?;
		let mut hasher = DefaultHasher::new();
		engine.precompile_compatibility_hash().hash(&mut hasher);
		Ok(Self {
			folder,
			max_bytes,
			engine: hasher.finish(),
		})
	}

	/// The compiled form of an instrumented module, if it is there and whole.
	pub(crate) fn read(
		&self,
		engine: &wasmtime::Engine,
		metered: &[u8],
	) -> Option<wasmtime::Module> {
		let name = self.name(metered);
		let path = self.path(name);
		let file = fs::read(&path).ok()?;
		let content = file.get(32..).unwrap_or_default();
		if file.get(..32) != Some(checksum(name, content).as_bytes()) {
			tracing::warn!(path = %path.display(), "a compiled module is damaged and made again");
			return None;
		}
		// SAFETY: the content is what this very version of the engine serialized, as the hash over
		// it and over everything that it depends on says; the folder is the operator's own.
		match unsafe { wasmtime::Module::deserialize(engine, content) } {
			Ok(module) => {
				// Its time of change says when it was last used; file systems are often mounted
				// without times of access.
				let used = fs::File::options()
					.write(true)
					.open(&path)
					.and_then(|file| file.set_modified(SystemTime::now()));
				if let Err(error) = used {
					tracing::debug!(path = %path.display(), %error, "its use was not noted");
				}
				Some(module)
			}
			Err(error) => {
				tracing::warn!(path = %path.display(), %error, "a compiled module is made again");
				None
			}
		}
	}

	/// Keeps the compiled form of an instrumented module. That it cannot be kept costs time, nothing
	/// else.
	pub(crate) fn write(&self, metered: &[u8], module: &wasmtime::Module) {
		let name = self.name(metered);
		let outcome = self
			.try_write(name, module)
			.and_then(|()| self.make_room(name));
		if let Err(error) = outcome {
			tracing::warn!(folder = %self.folder.display(), %error, "the folder for modules fails");
		}
	}

	fn try_write(&self, name: H256, module: &wasmtime::Module) -> io::Result<()> {
		let content = module.serialize().map_err(io::Error::other)?;
		let mut file = checksum(name, &content).as_bytes().to_vec();
		file.extend_from_slice(&content);
		let count = WRITING.fetch_add(1, Ordering::Relaxed);
		let draft = self
			.folder
			.join(format!("{name:x}.{}.{count}.new", process::id()));
		let written = fs::write(&draft, &file).and_then(|()| fs::rename(&draft, self.path(name)));
		if written.is_err() {
			let _ = fs::remove_file(&draft);
		}
		written
	}

	/// Deletes what was not used for longest until the rest fits; never the file of `kept`.
	fn make_room(&self, kept: H256) -> io::Result<()> {
		let kept = self.path(kept);
		let mut bytes = 0u64;
		let mut others = Vec::new();
		for entry in fs::read_dir(&self.folder)? {
			let entry = entry?;
			let path = entry.path();
			// Gone already: another process with this folder was faster.
			let Ok(metadata) = entry.metadata() else {
				continue;
			};
			let used = metadata.modified()?;
			match path.extension().and_then(|extension| extension.to_str()) {
				Some("cwasm") => {
					bytes = bytes.saturating_add(metadata.len());
					if path != kept {
						others.push((used, metadata.len(), path));
					}
				}
				Some("new") if used.elapsed().is_ok_and(|age| age > DRAFT_LIFE) => remove(&path)?,
				_ => {}
			}
		}
		others.sort();
		for (_, length, path) in others {
			if bytes <= self.max_bytes {
				break;
			}
			remove(&path)?;
			bytes = bytes.saturating_sub(length);
		}
		Ok(())
	}

	fn name(&self, metered: &[u8]) -> H256 {
		let version = env!("CARGO_PKG_VERSION");
		let profile = millrace_primitives::execution::PROFILE_V1;
		hash::tagged(
			"millrace/compiled-name/v1",
			&(hash::blake2_256(metered), profile, version, self.engine),
		)
	}

	fn path(&self, name: H256) -> PathBuf {
		self.folder.join(format!("{name:x}.cwasm"))
	}
}

fn checksum(name: H256, content: &[u8]) -> H256 {
	hash::tagged(
		"millrace/compiled-content/v1",
		&(name, hash::blake2_256(content)),
	)
}

fn remove(path: &Path) -> io::Result<()> {
	match fs::remove_file(path) {
		Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
		_ => Ok(()),
	}
}
