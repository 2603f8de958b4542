//! Compiled modules: the last used ones in memory, all of them in a folder if there is one.

use crate::engine::Module;
use millrace_primitives::{hash, H256};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
/// A file is named by all that its content depends on, begins with a hash over that name and the
/// content, and appears by renaming. So a file that was cut short, damaged or made by another version
/// is not taken; the hash is no protection against someone who can write to the folder on purpose.
#[derive(Debug)]
pub(crate) struct DiskCache {
	folder: PathBuf,
	/// Stands for the engine: version, target and settings.
	engine: u64,
}

/// Numbers the files that this process is writing.
static WRITING: AtomicU64 = AtomicU64::new(0);

impl DiskCache {
	/// Opens a folder, making it if need be.
	pub(crate) fn open(folder: PathBuf, engine: &wasmtime::Engine) -> io::Result<Self> {
		fs::create_dir_all(&folder)?;
		let mut hasher = DefaultHasher::new();
		engine.precompile_compatibility_hash().hash(&mut hasher);
		Ok(Self {
			folder,
			engine: hasher.finish(),
		})
	}

	/// The module of a package, if it is there and whole.
	pub(crate) fn read(
		&self,
		engine: &wasmtime::Engine,
		package: H256,
	) -> Option<wasmtime::Module> {
		let name = self.name(package);
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
			Ok(module) => Some(module),
			Err(error) => {
				tracing::warn!(path = %path.display(), %error, "a compiled module is made again");
				None
			}
		}
	}

	/// Keeps the module of a package. That it cannot be kept costs time, nothing else.
	pub(crate) fn write(&self, package: H256, module: &wasmtime::Module) {
		if let Err(error) = self.try_write(package, module) {
			tracing::warn!(folder = %self.folder.display(), %error, "a compiled module was not kept");
		}
	}

	fn try_write(&self, package: H256, module: &wasmtime::Module) -> io::Result<()> {
		let content = module.serialize().map_err(io::Error::other)?;
		let name = self.name(package);
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

	fn name(&self, package: H256) -> H256 {
		let version = env!("CARGO_PKG_VERSION");
		let profile = millrace_primitives::execution::PROFILE_V1;
		hash::tagged(
			"millrace/compiled-name/v1",
			&(package, profile, version, self.engine),
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
