//! Packages that are ready: in the folder, and those in use also here.

use super::launched::{describe, LaunchError, Launched};
use super::spawner::Spawner;
use crate::protocol::{frame, Answer, Hello, Order, Tier, MAX_CODE};
use crate::{PrepareError, PrepareLimits};
use bytes::Bytes;
use millrace_executor::{validate, Artifact, ArtifactFolder, ModuleInfo};
use millrace_primitives::execution::MAX_PACKAGE_BYTES;
use millrace_primitives::H256;
use rustix::fs::{memfd_create, MemfdFlags};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// For how long a package that no process runs is kept at hand: until then, its next process need not
/// read all of its code to see that it is whole.
const AT_HAND: Duration = Duration::from_secs(300);

/// A package that processes can be started for.
#[derive(Debug)]
pub(super) struct Ready {
	/// Its hash.
	pub(super) hash: H256,
	/// What is known of it.
	pub(super) info: ModuleInfo,
	/// Its files.
	pub(super) files: Vec<u8>,
	/// Its code.
	pub(super) code: File,
	/// How well that was compiled.
	pub(super) tier: Tier,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Packages {
	folder: Arc<ArtifactFolder>,
	at_hand: Mutex<HashMap<H256, (Arc<Ready>, Instant)>>,
	limits: PrepareLimits,
	/// For packages that wait to be called.
	turns: Semaphore,
	/// For those that can be called and are compiled better: one at a time.
	better: Semaphore,
}

impl Packages {
	pub(super) fn new(folder: ArtifactFolder, limits: PrepareLimits) -> Self {
		Self {
			folder: Arc::new(folder),
			at_hand: Mutex::default(),
			turns: Semaphore::new(limits.at_once.max(1)),
			better: Semaphore::new(1),
			limits,
		}
	}

	/// A package that is ready.
	pub(super) async fn find(&self, package: H256) -> Option<Arc<Ready>> {
		if let Some((ready, used)) = self.at_hand().get_mut(&package) {
			*used = Instant::now();
			return Some(ready.clone());
		}
		let folder = self.folder.clone();
		let found = spawn_blocking(move || folder.find(&package)).await.ok()?;
		let (artifact, code) = found?;
		Some(self.take(package, artifact, code, Tier::Full))
	}

	/// Whether there is better code of a package than that of a tier.
	pub(super) fn has_better(&self, package: &H256, tier: Tier) -> bool {
		let has_full = || {
			let at_hand = self.at_hand();
			at_hand
				.get(package)
				.is_some_and(|(ready, _)| ready.tier == Tier::Full)
		};
		tier == Tier::Quick && has_full()
	}

	/// Has a package at hand from here on.
	fn take(&self, hash: H256, artifact: Artifact, code: File, tier: Tier) -> Arc<Ready> {
		let ready = Arc::new(Ready {
			hash,
			info: artifact.info,
			files: artifact.files,
			code,
			tier,
		});
		let entry = (ready.clone(), Instant::now());
		self.at_hand().insert(hash, entry);
		ready
	}

	/// Makes a package ready, in a process of its own, unless it is. Its code may be quickly made:
	/// [`Self::improve`] is next then.
	pub(super) async fn prepare(
		&self,
		hash: H256,
		package: Bytes,
		spawner: &Spawner,
		ours: &Hello,
	) -> Result<Arc<Ready>, PrepareError> {
		if let Some(ready) = self.find(hash).await {
			return Ok(ready);
		}
		let _turn = self.turns.acquire().await.map_err(host)?;
		if let Some(ready) = self.find(hash).await {
			return Ok(ready);
		}
		let artifact = self.compile(package, Tier::Quick, spawner, ours).await?;
		// It is not kept: what lies in the folder is as good as it gets.
		let code = in_memory(&artifact.code).map_err(host)?;
		Ok(self.take(hash, artifact, code, Tier::Quick))
	}

	/// Compiles a package well that was prepared quickly, and keeps it. Calls go on meanwhile.
	pub(super) async fn improve(
		&self,
		hash: H256,
		package: Bytes,
		spawner: &Spawner,
		ours: &Hello,
	) -> Result<(), PrepareError> {
		let _turn = self.better.acquire().await.map_err(host)?;
		if self.has_better(&hash, Tier::Quick) {
			return Ok(());
		}
		let artifact = self.compile(package, Tier::Full, spawner, ours).await?;
		let folder = self.folder.clone();
		let (artifact, code) = spawn_blocking(move || {
			let code = folder.keep(&hash, &artifact);
			code.map(|code| (artifact, code))
		})
		.await
		.map_err(host)?
		.map_err(host)?;
		self.take(hash, artifact, code, Tier::Full);
		Ok(())
	}

	/// Lets go of a package that processes do not start with: the folder will say if it is whole.
	pub(super) fn forget(&self, package: &H256) {
		self.at_hand().remove(package);
	}

	/// Lets go of packages that no process has run for a while.
	pub(super) fn tidy(&self) {
		self.at_hand()
			.retain(|_, (ready, used)| Arc::strong_count(ready) > 1 || used.elapsed() < AT_HAND);
	}

	fn at_hand(&self) -> MutexGuard<'_, HashMap<H256, (Arc<Ready>, Instant)>> {
		self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
	}

	async fn compile(
		&self,
		package: Bytes,
		tier: Tier,
		spawner: &Spawner,
		ours: &Hello,
	) -> Result<Artifact, PrepareError> {
		if package.len() > MAX_PACKAGE_BYTES as usize {
			// Refused by its size alone, in the same words as by a process.
			let reasons = validate(&package).err().unwrap_or_default();
			return Err(PrepareError::Refused(
				reasons.iter().map(ToString::to_string).collect(),
			));
		}
		let mut launched = spawner.launch("prepare").await.map_err(host)?;
		let talk = self.talk(&mut launched, &package, tier, ours);
		let outcome = timeout(self.limits.wall, talk).await;
		let ended = match outcome {
			Err(_) => Err(PrepareError::TooSlow(self.limits.wall)),
			Ok(Ok(Ok(artifact))) => Ok(artifact),
			Ok(Ok(Err(reasons))) => Err(PrepareError::Refused(reasons)),
			Ok(Err(LaunchError::Io(_))) => Err(match launched.end().await {
				Some(status) if status.signal() == Some(libc::SIGXCPU) => {
					PrepareError::TooSlow(self.limits.cpu)
				}
				Some(status) => PrepareError::Crashed(describe(status)),
				None => PrepareError::Crashed("it hung up".into()),
			}),
			Ok(Err(LaunchError::Nonsense(error))) => Err(PrepareError::Crashed(error.to_string())),
			Ok(Err(error)) => Err(PrepareError::Host(error.to_string())),
		};
		// It has nothing more to do, whatever it thinks of that; and nobody waits until its memory is
		// given back.
		let mut child = launched.child;
		tokio::spawn(async move { child.kill().await });
		ended
	}

	/// What a process makes of a package: the artifact, or why there can be none.
	async fn talk(
		&self,
		launched: &mut Launched,
		package: &[u8],
		tier: Tier,
		ours: &Hello,
	) -> Result<Result<Artifact, Vec<String>>, LaunchError> {
		let order = Order::Prepare {
			tier,
			cpu_seconds: self.limits.cpu.as_secs().max(1),
			memory_bytes: self.limits.memory_bytes,
		};
		launched.order(ours, &order, &[]).await?;
		let mut message = vec![0; frame::HEADER];
		message.extend_from_slice(package);
		launched.control.write_all(&frame::finish(message)).await?;
		match launched.answer(ours).await? {
			Answer::Prepared {
				info,
				files,
				code_bytes,
			} if code_bytes <= MAX_CODE => {
				let mut code = Vec::new();
				let control = &mut launched.control;
				control.take(code_bytes).read_to_end(&mut code).await?;
				if code.len() as u64 != code_bytes {
					return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
				}
				Ok(Ok(Artifact { info, files, code }))
			}
			Answer::Refused(reasons) => Ok(Err(reasons)),
			_ => Err(LaunchError::Nonsense("it answers something else".into())),
		}
	}
}

fn host(error: impl std::fmt::Display) -> PrepareError {
	PrepareError::Host(error.to_string())
}

/// A file that lies in no folder, of which nobody but who gets its descriptor can know.
fn in_memory(content: &[u8]) -> io::Result<File> {
	let mut file = File::from(memfd_create("millrace-code", MemfdFlags::CLOEXEC)?);
	file.write_all(content)?;
	Ok(file)
}
