//! Compiled modules: as a value, and in a folder that nobody else writes to.

use crate::engine::Engine;
use crate::validate::ModuleInfo;
use crate::INSTRUMENTATION;
use codec::{DecodeAll, Encode};
use millrace_primitives::execution::PROFILE_V1;
use millrace_primitives::{hash, H256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use thiserror::Error;

/// A package that is ready to run on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
	/// What is known of it.
	pub info: ModuleInfo,
	/// Its files: the content of [`crate::FILES_SECTION`], empty if it has none.
	pub files: Vec<u8>,
	/// The compiled module; empty where it is in a file of its own.
	pub code: Vec<u8>,
}

/// Why a folder for compiled modules cannot be used. That costs time, nothing else.
#[derive(Debug, Error)]
#[error("the folder {} for compiled modules: {error}", .folder.display())]
pub struct ArtifactError {
	/// The folder.
	pub folder: PathBuf,
	/// What the system says.
	#[source]
	pub error: io::Error,
}

/// Version of the layout of a `.meta` file.
const META_VERSION: u8 = 1;
/// Numbers the files that this process is writing.
static WRITING: AtomicU64 = AtomicU64::new(0);
/// Age at which a draft belongs to a process that was killed over it.
const DRAFT_LIFE: Duration = Duration::from_secs(3_600);

/// What a `.meta` file says of the code beside it.
type Meta = (u8, H256, u64, ModuleInfo, Vec<u8>);

/// Compiled modules in a folder that nobody else writes to.
///
/// Each is two files, named by all that they depend on: the package, the profile, the
/// instrumentation, this version and the engine with its processor. `.cwasm` is what wasmtime wrote
/// and nothing else, so that it can be mapped; `.meta` holds its hash and the rest, and is written
/// last. So what was cut short, damaged or made by another version is not taken; the hash is no
/// protection against someone who can write to the folder on purpose.
///
/// The folder is bounded: each new module pushes those out that were not used for longest. One that
/// is open does not need its files any more.
#[derive(Debug)]
pub struct ArtifactFolder {
	folder: PathBuf,
	max_bytes: u64,
	/// [`Engine::compatibility`] of the engine that the modules are for.
	engine: H256,
}

impl ArtifactFolder {
	/// Opens a folder, making it if need be, for modules of an engine like this one.
	pub fn open(
		folder: impl Into<PathBuf>,
		max_bytes: u64,
		engine: &Engine,
	) -> Result<Self, ArtifactError> {
		let folder = folder.into();
		match make(&folder) {
			Ok(()) => Ok(Self {
				folder,
				max_bytes,
				engine: engine.compatibility(),
			}),
			Err(error) => Err(ArtifactError { folder, error }),
		}
	}

	/// The compiled form of a package, if it is there and whole: without its code, which is in the
	/// file.
	pub fn find(&self, package: &H256) -> Option<(Artifact, File)> {
		let name = self.name(package);
		let meta = self.path(name, "meta");
		let bytes = fs::read(&meta).ok()?;
		let Some((artifact, code)) = self.read(name, &bytes) else {
			tracing::warn!(path = %meta.display(), "a compiled module is damaged and made again");
			return None;
		};
		// Its time of change says when it was last used; file systems are often mounted without
		// times of access.
		let used = File::options()
			.write(true)
			.open(&meta)
			.and_then(|file| file.set_modified(SystemTime::now()));
		if let Err(error) = used {
			tracing::debug!(path = %meta.display(), %error, "its use was not noted");
		}
		Some((artifact, code))
	}

	fn read(&self, name: H256, meta: &[u8]) -> Option<(Artifact, File)> {
		let (version, checksum, length, info, files) = Meta::decode_all(&mut &meta[..]).ok()?;
		let mut code = File::open(self.path(name, "cwasm")).ok()?;
		let mut content = Vec::new();
		code.read_to_end(&mut content).ok()?;
		let whole = version == META_VERSION
			&& length == content.len() as u64
			&& checksum == checksum_of(name, &content, &info, &files);
		let artifact = Artifact {
			info,
			files,
			code: Vec::new(),
		};
		whole.then_some((artifact, code))
	}

	/// Keeps the compiled form of a package, and makes room for it; returns the file with its code.
	pub fn keep(&self, package: &H256, artifact: &Artifact) -> Result<File, ArtifactError> {
		let name = self.name(package);
		let Artifact { info, files, code } = artifact;
		let meta = (
			META_VERSION,
			checksum_of(name, code, info, files),
			code.len() as u64,
			info,
			files,
		);
		self.write(name, "cwasm", code)
			.and_then(|()| self.write(name, "meta", &meta.encode()))
			.and_then(|()| self.make_room(Some(name)))
			.and_then(|()| File::open(self.path(name, "cwasm")))
			.map_err(|error| self.failed(error))
	}

	/// Deletes what was not used for longest until the rest fits.
	pub fn prune(&self) -> Result<(), ArtifactError> {
		self.make_room(None).map_err(|error| self.failed(error))
	}

	fn failed(&self, error: io::Error) -> ArtifactError {
		ArtifactError {
			folder: self.folder.clone(),
			error,
		}
	}

	/// Writes a file that appears by renaming.
	fn write(&self, name: H256, extension: &str, content: &[u8]) -> io::Result<()> {
		let count = WRITING.fetch_add(1, Ordering::Relaxed);
		let draft = format!("{name:x}.{}.{count}.new", process::id());
		let draft = self.folder.join(draft);
		let path = self.path(name, extension);
		let written = fs::write(&draft, content).and_then(|()| fs::rename(&draft, path));
		if written.is_err() {
			let _ = fs::remove_file(&draft);
		}
		written
	}

	/// Deletes what was not used for longest until the rest fits; never what is `kept`.
	fn make_room(&self, kept: Option<H256>) -> io::Result<()> {
		let kept = kept.map(|name| self.path(name, "meta"));
		let mut bytes = 0u64;
		let mut others = Vec::new();
		for entry in fs::read_dir(&self.folder)? {
			let path = entry?.path();
			// Gone already: another process with this folder was faster.
			let Ok(metadata) = fs::metadata(&path) else {
				continue;
			};
			let changed = metadata.modified()?;
			let old = changed.elapsed().is_ok_and(|age| age > DRAFT_LIFE);
			match path.extension().and_then(|extension| extension.to_str()) {
				Some("meta") => {
					let code = fs::metadata(path.with_extension("cwasm"));
					let size = metadata.len() + code.map_or(0, |code| code.len());
					bytes = bytes.saturating_add(size);
					if Some(&path) != kept.as_ref() {
						others.push((changed, size, path));
					}
				}
				// Code without a word about it was cut short before that was written.
				Some("cwasm") if old && !path.with_extension("meta").exists() => remove(&path)?,
				Some("new") if old => remove(&path)?,
				_ => {}
			}
		}
		others.sort();
		for (_, size, path) in others {
			if bytes <= self.max_bytes {
				break;
			}
			remove(&path)?;
			remove(&path.with_extension("cwasm"))?;
			bytes = bytes.saturating_sub(size);
		}
		Ok(())
	}

	fn name(&self, package: &H256) -> H256 {
		let version = env!("CARGO_PKG_VERSION");
		hash::tagged(
			"millrace/artifact/v1",
			&(package, PROFILE_V1, INSTRUMENTATION, version, self.engine),
		)
	}

	fn path(&self, name: H256, extension: &str) -> PathBuf {
		self.folder.join(format!("{name:x}.{extension}"))
	}
}

/// Makes a folder that is its owner's alone. One that is there already stays as it is.
fn make(folder: &Path) -> io::Result<()> {
	let mut builder = fs::DirBuilder::new();
	builder.recursive(true);
	#[cfg(unix)]
	std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
	builder.create(folder)
}

/// Over the code, and over all that stands beside its hash.
fn checksum_of(name: H256, code: &[u8], info: &ModuleInfo, files: &[u8]) -> H256 {
	hash::tagged(
		"millrace/artifact-content/v1",
		&(name, hash::blake2_256(code), info, files),
	)
}

fn remove(path: &Path) -> io::Result<()> {
	match fs::remove_file(path) {
		Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
		_ => Ok(()),
	}
}
