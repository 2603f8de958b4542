//! Packages by hash: what clients upload and workers fetch. Only what can run is stored, and only
//! under the hash of its bytes, so a stored package can be neither wrong nor replaced.

use crate::errors::GatewayError;
use anyhow::Context;
use bytes::Bytes;
use futures::TryStreamExt;
use millrace_primitives::{
	execution::{package_hash, MAX_PACKAGE_BYTES},
	H256,
};
use object_store::{
	local::LocalFileSystem, path::Path as Location, GetOptions, ObjectStore, PutOptions,
};
use std::{
	path::Path,
	sync::atomic::{AtomicU64, Ordering},
};

/// Reasons that an answer to a bad upload lists; there is one for every import.
const MAX_REASONS: usize = 16;

/// The package store.
#[derive(Debug)]
pub struct PackageStore {
	store: LocalFileSystem,
	capacity: u64,
	/// Bytes that are stored or being written.
	used: AtomicU64,
}

impl PackageStore {
	/// Opens the store in a directory, which is created, for at most so many bytes.
	pub async fn open(directory: &Path, capacity: u64) -> anyhow::Result<Self> {
		tokio::fs::create_dir_all(directory)
			.await
			.context("the directory cannot be created")?;
		let store = LocalFileSystem::new_with_prefix(directory)?.with_fsync(true);
		let used = store
			.list(None)
			.try_fold(0u64, |sum, object| async move {
				Ok(sum.saturating_add(object.size))
			})
			.await?;
		Ok(Self {
			store,
			capacity,
			used: used.into(),
		})
	}

	/// Validates and stores a module. Storing it again is no error; the second value says whether
	/// it is new.
	pub async fn put(&self, module: Bytes) -> Result<(H256, bool), GatewayError> {
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
		let (hash, size) = (package_hash(&module), module.len() as u64);
		if self.get(hash).await?.is_some() {
			return Ok((hash, false));
		}
		let checked = module.clone();
		tokio::task::spawn_blocking(move || validate(&checked))
			.await
			.map_err(|error| GatewayError::Internal(error.to_string()))??;
		self.reserve(size)?;
		let location = location(hash);
		let put = self
			.store
			.put_opts(&location, module.into(), PutOptions::default());
		if let Err(error) = put.await {
			self.used.fetch_sub(size, Ordering::Relaxed);
			return Err(internal(error));
		}
		Ok((hash, true))
	}

	/// A stored module. One that the disk has spoilt counts as missing.
	pub async fn get(&self, hash: H256) -> Result<Option<Bytes>, GatewayError> {
		let found = match self
			.store
			.get_opts(&location(hash), GetOptions::default())
			.await
		{
			Err(object_store::Error::NotFound { .. }) => return Ok(None),
			outcome => outcome.map_err(internal)?,
		};
		let module = found.bytes().await.map_err(internal)?;
		if package_hash(&module) != hash {
			tracing::error!(?hash, "a stored package is damaged; upload it again");
			return Ok(None);
		}
		Ok(Some(module))
	}

	fn reserve(&self, size: u64) -> Result<(), GatewayError> {
		let grown = |used: u64| used.checked_add(size).filter(|sum| *sum <= self.capacity);
		self.used
			.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown)
			.map(|_| ())
			.map_err(|_| GatewayError::StoreFull)
	}
}

fn validate(module: &[u8]) -> Result<(), GatewayError> {
	millrace_executor::validate(module)
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

fn internal(error: object_store::Error) -> GatewayError {
	tracing::error!(%error, "the package store failed");
	GatewayError::Internal("the package store failed".into())
}

#[cfg(test)]
mod tests {
	use super::*;

	/// A command that does nothing: memory and `_start` are exported.
	const NOTHING: &[u8] = &[
		0, b'a', b's', b'm', 1, 0, 0, 0, // magic and version
		1, 4, 1, 0x60, 0, 0, // type 0: no parameters, no results
		3, 2, 1, 0, // function 0 is of type 0
		5, 3, 1, 0, 1, // one memory of at least one page
		7, 19, 2, 6, b'm', b'e', b'm', b'o', b'r', b'y', 2, 0, 6, b'_', b's', b't', b'a', b'r',
		b't', 0, 0, // exports
		10, 4, 1, 2, 0, 0x0b, // body of function 0: end
	];

	async fn store(folder: &Path, capacity: u64) -> PackageStore {
		PackageStore::open(folder, capacity)
			.await
			.expect("the folder is ours")
	}

	fn code(outcome: Result<(H256, bool), GatewayError>) -> &'static str {
		outcome.expect_err("it is refused").code()
	}

	#[tokio::test]
	async fn a_module_is_stored_once_and_under_its_hash() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let packages = store(folder.path(), 1_000).await;
		let module = Bytes::from_static(NOTHING);
		let hash = package_hash(NOTHING);
		assert_eq!(packages.get(hash).await.expect("it is read"), None);
		assert_eq!(
			packages.put(module.clone()).await.expect("it runs"),
			(hash, true)
		);
		assert_eq!(
			packages.put(module.clone()).await.expect("it runs"),
			(hash, false)
		);
		assert_eq!(packages.get(hash).await.expect("it is read"), Some(module));
		let again = store(folder.path(), 1_000).await;
		assert_eq!(again.used.load(Ordering::Relaxed), NOTHING.len() as u64);
	}

	#[tokio::test]
	async fn what_cannot_run_is_not_stored() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let packages = store(folder.path(), 1 << 30).await;
		let text = packages.put(Bytes::from_static(b"hello")).await;
		assert_eq!(code(text), "package_invalid");
		let mut cut = NOTHING.to_vec();
		cut.pop();
		assert_eq!(code(packages.put(cut.into()).await), "package_invalid");
		let large = vec![0; MAX_PACKAGE_BYTES as usize + 1];
		assert_eq!(code(packages.put(large.into()).await), "body_too_large");
	}

	#[tokio::test]
	async fn a_full_store_says_so() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let packages = store(folder.path(), 8).await;
		assert_eq!(
			code(packages.put(Bytes::from_static(NOTHING)).await),
			"store_full"
		);
	}

	#[tokio::test]
	async fn a_damaged_package_is_not_handed_out_and_can_be_stored_again() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let packages = store(folder.path(), 1_000).await;
		let (hash, _) = packages
			.put(Bytes::from_static(NOTHING))
			.await
			.expect("it runs");
		let file = folder.path().join(format!("{}.wasm", hex::encode(hash)));
		std::fs::write(file, b"\0asm").expect("the file is ours");
		assert_eq!(packages.get(hash).await.expect("it is read"), None);
		let again = packages
			.put(Bytes::from_static(NOTHING))
			.await
			.expect("it runs");
		assert_eq!(again, (hash, true));
	}
}
