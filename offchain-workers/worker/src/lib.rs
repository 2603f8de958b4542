//! # Millrace worker
//!
//! The provider's daemon, one process per peer. It follows finalised blocks and does what the
//! chain says that its peer owes: it searches solutions, fetches packages, goes live in deals,
//! serves calls over HTTP, reports each epoch once and answers audits. What is harmless if a block is
//! taken back it does before the block is final: see [`ahead`].
//!
//! It may be killed at any instruction. A receipt is on disk before its client sees it; a report is
//! on disk before it is sent; everything else is compared with the chain at the next block. The
//! page of [`ledger`] says how calls that ran at the time leave no gap.

pub mod access;
pub mod ahead;
pub mod audit;
pub mod birth;
pub mod calls;
pub mod commit;
pub mod config;
pub mod duties;
pub mod effects;
pub mod errors;
pub mod evidence;
pub mod fetch;
pub mod gates;
pub mod http;
pub mod ledger;
pub mod metrics;
pub mod pace;
pub mod packages;
pub mod probes;
pub mod receipts;
pub mod reconcile;
pub mod report;
pub mod snapshot;
pub mod staged;
pub mod vouchers;

pub use config::{
	ConfigError, Limits, ProverSettings, SandboxMode, SandboxSettings, WatchConfig, WorkerConfig,
};

use access::Doorkeeper;
use ahead::Ahead;
use anyhow::{anyhow, Context, Result};
use calls::{CallParts, Calls, Identity};
use commit::Committer;
use duties::Outbox;
use effects::HttpOut;
use fetch::Fetcher;
use ledger::Ledger;
use metrics::Metrics;
use millrace_client::{Chain, ConnectError, KeyError, PeerKeypair};
use millrace_executor::EngineConfig;
use millrace_http::server::{self, Bounds};
use millrace_prover::{Progress, Prover, ProverConfig};
use millrace_sandbox::{
	Guests, InProcess, PrepareLimits, Protection, Sandbox, SandboxConfig, SandboxError,
};
use packages::Packages;
use receipts::ReceiptStore;
use reconcile::{Memory, Reconciler};
use std::{
	io,
	net::SocketAddr,
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};
use tokio::{
	net::TcpListener,
	sync::{mpsc, watch, Semaphore},
	task::spawn_blocking,
	time::{interval, sleep, Instant},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};
use vouchers::Vouchers;

/// Most guests' processes of a worker at a time: as many deals as a peer commonly works for.
const MAX_PROCESSES: usize = 256;
/// The same of a watcher, which runs one call after the other.
const WATCH_PROCESSES: usize = 4;
/// Pause between attempts to reach the node at the start.
const CONNECT_PAUSE: Duration = Duration::from_secs(2);
/// Time that the last receipts have to enter the database at the end.
const SETTLE: Duration = Duration::from_secs(5);
/// Pause between two looks at the search.
const LOOK: Duration = Duration::from_secs(1);
/// Pause between two lines about it in the log.
const SAY: Duration = Duration::from_secs(60);

/// What a program around the daemon wants to hear, and what it does in the daemon's place.
#[derive(Debug, Default)]
pub struct Hooks {
	/// Told once a second where the search stands; the log says nothing of it then.
	pub progress: Option<watch::Sender<Progress>>,
	/// Runs the guests, in place of what `[sandbox]` says.
	pub guests: Option<Arc<dyn Guests>>,
}

/// Runs a worker until `cancel` is cancelled, or until its disk or machine fails.
///
/// On cancellation no further connection is accepted and open calls are given
/// [`Limits::shutdown_ms`] to end.
///
/// Needs a runtime of several threads. A configuration that cannot be used is told as a
/// [`ConfigError`].
pub async fn run(config: WorkerConfig, cancel: CancellationToken) -> Result<()> {
	run_with(config, cancel, Hooks::default()).await
}

/// [`run`] for a program that wants to hear more.
pub async fn run_with(
	config: WorkerConfig,
	cancel: CancellationToken,
	mut hooks: Hooks,
) -> Result<()> {
	config.check()?;
	let key = PeerKeypair::load(&config.peer_key).map_err(no_key)?;
	tokio::fs::create_dir_all(&config.data_dir)
		.await
		.map_err(|error| ConfigError::Directory {
			key: "data_dir",
			path: config.data_dir.clone(),
			why: error.to_string(),
		})?;
	let listener = TcpListener::bind(config.listen)
		.await
		.map_err(|error| no_listener(config.listen, error))?;
	let guests = match hooks.guests.take() {
		Some(guests) => guests,
		None => guests(&config, config.data_dir.join("modules"), MAX_PROCESSES).await?,
	};
	if guests.describe() == Protection::None {
		warn!("guests run in the daemon's own process: an engine that fails hands them its key");
	}
	let Some(chain) = connect(&config.node_url, &cancel).await? else {
		return Ok(());
	};
	let identity = Identity {
		genesis: chain.genesis(),
		peer: key.id(),
		key: Arc::new(key),
	};
	let address = listener.local_addr()?;
	info!(peer = %identity.peer, genesis = ?identity.genesis, %address, "the worker starts");
	check_endpoint(&chain, &config, &identity).await;

	// Ends the daemon's parts: with the caller's token, or when one of them fails.
	let stop = cancel.child_token();
	let mut worker = Worker::start(&config, chain, identity, guests, stop.clone()).await?;
	let told = tell(worker.prover.clone(), hooks, stop.clone());
	worker.tasks.spawn(told);
	let outcome = match worker.watch(&config, &stop).await {
		Ok(()) => worker.serve(listener, &config, stop.clone()).await,
		Err(error) => Err(error),
	};
	stop.cancel();
	worker.finish(&config).await;
	outcome
}

/// What runs guests as `[sandbox]` says, with a folder for what is made of their packages.
async fn guests(
	config: &WorkerConfig,
	folder: PathBuf,
	max_processes: usize,
) -> Result<Arc<dyn Guests>> {
	let limits = &config.limits;
	match config.sandbox.mode {
		SandboxMode::Off => {
			let settings = EngineConfig {
				max_concurrent_calls: u32::try_from(limits.concurrent_calls).unwrap_or(u32::MAX),
				max_wall_clock: Some(limits.guest_timeout()),
				cache_folder: Some(folder),
				cache_bytes: limits.module_bytes,
				cached_modules: max_processes,
				..EngineConfig::default()
			};
			let guests = spawn_blocking(move || InProcess::new(settings)).await??;
			Ok(Arc::new(guests))
		}
		SandboxMode::Process => {
			let settings = SandboxConfig {
				program: config.sandbox.program.clone(),
				folder,
				folder_bytes: limits.module_bytes,
				idle: config.sandbox.idle(),
				max_processes,
				prepare: PrepareLimits::default(),
				call_wall: limits.guest_timeout(),
			};
			match Sandbox::start(settings).await {
				Ok(sandbox) => Ok(Arc::new(sandbox)),
				// The operator can mend these, or say that guests may run without.
				Err(
					error @ (SandboxError::NoProgram(_)
					| SandboxError::OtherVersion { .. }
					| SandboxError::Unprotected(_)),
				) => Err(ConfigError::Sandbox(error.to_string()).into()),
				Err(error @ SandboxError::Host(_)) => Err(error.into()),
			}
		}
	}
}

fn no_key(error: KeyError) -> ConfigError {
	ConfigError::PeerKey(match error {
		// Says itself what to do.
		KeyError::Exposed { .. } => error.to_string(),
		_ => format!("{error}; name the file that `millrace key generate peer` wrote"),
	})
}

/// An address that this machine or user does not have is a mistake in the configuration; that another
/// process has it is none.
fn no_listener(address: SocketAddr, error: io::Error) -> anyhow::Error {
	match error.kind() {
		io::ErrorKind::AddrNotAvailable | io::ErrorKind::PermissionDenied => ConfigError::Listen {
			address,
			why: error.to_string(),
		}
		.into(),
		_ => anyhow::Error::new(error).context(format!(
			"cannot listen at {address}; end what listens there, or set `listen`"
		)),
	}
}

/// Tells where the search stands: the program around the daemon, or else the log.
async fn tell(prover: Arc<Prover>, hooks: Hooks, stop: CancellationToken) {
	let mut looks = interval(LOOK);
	let mut said = Instant::now();
	loop {
		tokio::select! {
			() = stop.cancelled() => return,
			_ = looks.tick() => {},
		}
		let progress = prover.progress();
		match &hooks.progress {
			// Whoever listens has the last word; nobody need listen.
			Some(listener) => drop(listener.send_replace(progress)),
			None if said.elapsed() >= SAY && progress.rate > 0.0 => {
				said = Instant::now();
				info!(
					epoch = progress.epoch,
					found = progress.found(),
					owed = progress.owed(),
					rate = progress.rate,
					seconds_left = progress.eta_seconds,
					"solutions are searched"
				);
			}
			None => {}
		}
	}
}

/// Connects; `None` when cancelled before. A node that is not there yet is waited for, one of
/// another chain is an error.
async fn connect(url: &str, cancel: &CancellationToken) -> Result<Option<Chain>> {
	loop {
		let attempt = tokio::select! {
			() = cancel.cancelled() => return Ok(None),
			attempt = Chain::connect(url) => attempt,
		};
		match attempt {
			Ok(chain) => return Ok(Some(chain)),
			Err(error @ ConnectError::Unreachable { .. }) => {
				warn!("waiting for the node: {error}");
				tokio::select! {
					() = cancel.cancelled() => return Ok(None),
					() = sleep(CONNECT_PAUSE) => {},
				}
			}
			Err(error) => return Err(error.into()),
		}
	}
}

/// Warns when clients are sent elsewhere than the operator thinks.
async fn check_endpoint(chain: &Chain, config: &WorkerConfig, identity: &Identity) {
	let Some(expected) = &config.public_endpoint else {
		return;
	};
	let found = match chain.latest().await {
		Ok(view) => view.peer(identity.peer).await,
		Err(error) => Err(error),
	};
	match found {
		Ok(Some(peer)) if peer.endpoint.as_slice() != expected.as_bytes() => {
			let found = String::from_utf8_lossy(&peer.endpoint).into_owned();
			warn!(%expected, %found, "the chain sends clients to another endpoint");
		}
		Ok(_) => {}
		Err(error) => warn!("the endpoint was not compared with the chain's: {error}"),
	}
}

/// The daemon's parts.
struct Worker {
	chain: Chain,
	identity: Identity,
	store: Arc<ReceiptStore>,
	ledger: Arc<Ledger>,
	prover: Arc<Prover>,
	packages: Arc<Packages>,
	calls: Arc<Calls>,
	doorkeeper: Arc<Doorkeeper>,
	snapshots: watch::Sender<Option<Arc<snapshot::Snapshot>>>,
	metrics: Metrics,
	/// Figures of the watcher, if there is one.
	watch: Option<millrace_watcher::Metrics>,
	/// Work that does not end with the request that began it.
	tasks: TaskTracker,
	/// Cancelled when receipts cannot be stored any more.
	disk_failed: CancellationToken,
}

impl Worker {
	async fn start(
		config: &WorkerConfig,
		chain: Chain,
		identity: Identity,
		guests: Arc<dyn Guests>,
		stop: CancellationToken,
	) -> Result<Self> {
		let metrics = Metrics::new()?;
		let tasks = TaskTracker::new();
		let (config, (genesis, peer)) = (config.clone(), (identity.genesis, identity.peer));
		// Opening repairs what a kill left, but reads the disk.
		let opening = config.clone();
		let (store, prover, doorkeeper, vouchers) = spawn_blocking(move || -> Result<_> {
			let dir = &opening.data_dir;
			let store = ReceiptStore::open(dir, genesis, peer, opening.limits.stored_bytes)
				.with_context(|| format!("cannot use the data directory {}", dir.display()))?;
			let prover = Prover::start(ProverConfig {
				dir: dir.join("prover"),
				settings: opening.prover.clone(),
			})?;
			let counted = opening.limits.counted_invokers;
			let doorkeeper = Doorkeeper::new(genesis, opening.proxies, counted, &store)?;
			let vouchers = Vouchers::open(dir, genesis, peer)?;
			Ok((
				Arc::new(store),
				Arc::new(prover),
				Arc::new(doorkeeper),
				Arc::new(vouchers),
			))
		})
		.await??;

		let ledger = Arc::new(Ledger::default());
		let open = store.open_calls()?;
		if !open.is_empty() {
			info!(calls = open.len(), "interrupted calls are completed");
		}
		ledger.restore(open);
		let disk_failed = CancellationToken::new();
		let committer = Committer::start(
			store.clone(),
			ledger.clone(),
			metrics.clone(),
			disk_failed.clone(),
		)?;
		let packages = Arc::new(Packages::open(
			config.packages(),
			guests.clone(),
			Fetcher::new(
				config.limits.fetch_timeout(),
				config.limits.allow_private_links,
			),
			tasks.clone(),
			stop,
			metrics.clone(),
		)?);
		let (snapshots, seen) = watch::channel(None);
		let calls = Arc::new(Calls::new(CallParts {
			identity: identity.clone(),
			guests,
			effects: Arc::new(HttpOut::counted(metrics.clone())),
			packages: packages.clone(),
			ledger: ledger.clone(),
			store: store.clone(),
			committer,
			vouchers,
			snapshots: seen,
			limits: config.limits.clone(),
			metrics: metrics.clone(),
			tasks: tasks.clone(),
		}));
		Ok(Self {
			chain,
			identity,
			store,
			ledger,
			prover,
			packages,
			calls,
			doorkeeper,
			snapshots,
			metrics,
			watch: None,
			tasks,
			disk_failed,
		})
	}

	/// Begins to watch other peers, if the configuration asks for it. What stops the watcher does not
	/// stop the worker.
	async fn watch(&mut self, config: &WorkerConfig, stop: &CancellationToken) -> Result<()> {
		let Some(mut watch) = config.watch() else {
			return Ok(());
		};
		watch.own.push(self.identity.peer);
		// Apart from the worker's own, so that each keeps the deals that it needs.
		let folder: &Path = &watch.data_dir;
		let guests = guests(config, folder.join("modules"), WATCH_PROCESSES).await?;
		// Nobody hands receipts to a worker.
		let (_, received) = mpsc::channel(1);
		let figures = millrace_watcher::Metrics::new()?;
		self.watch = Some(figures.clone());
		let (chain, stop) = (self.chain.clone(), stop.clone());
		let watching = millrace_watcher::run_with(watch, chain, guests, received, stop, figures);
		self.tasks.spawn(async move {
			if let Err(error) = watching.await {
				error!("the watcher has stopped, and the worker goes on without it: {error}");
			}
		});
		Ok(())
	}

	/// Follows the chain and answers clients until it is stopped or something fails.
	async fn serve(
		&self,
		listener: TcpListener,
		config: &WorkerConfig,
		stop: CancellationToken,
	) -> Result<()> {
		let outbox = Outbox::new(
			self.chain.clone(),
			self.tasks.clone(),
			stop.clone(),
			self.metrics.clone(),
		);
		let ahead = Ahead::new(self.identity.clone(), self.packages.clone());
		self.tasks.spawn(ahead.run(
			self.chain.clone(),
			outbox.clone(),
			self.snapshots.subscribe(),
			stop.clone(),
		));
		let reconciler = Reconciler {
			chain: self.chain.clone(),
			identity: self.identity.clone(),
			store: self.store.clone(),
			ledger: self.ledger.clone(),
			prover: self.prover.clone(),
			packages: self.packages.clone(),
			calls: self.calls.clone(),
			doorkeeper: self.doorkeeper.clone(),
			outbox,
			snapshots: self.snapshots.clone(),
			limits: config.limits.clone(),
			metrics: self.metrics.clone(),
			tasks: self.tasks.clone(),
			memory: Memory::default(),
		};
		let router = http::router(Arc::new(http::Door {
			calls: self.calls.clone(),
			doorkeeper: self.doorkeeper.clone(),
			store: self.store.clone(),
			packages: self.packages.clone(),
			prover: self.prover.clone(),
			metrics: self.metrics.clone(),
			watch: self.watch.clone(),
			peer: self.identity.peer,
			body_timeout: config.limits.body_timeout(),
			proofs: Arc::new(Semaphore::new(http::PROOFS_AT_ONCE)),
		}));
		let bounds = Bounds {
			connections: config.limits.connections,
			idle: config.limits.idle_timeout(),
			drain: config.limits.shutdown(),
		};
		let mut door = tokio::spawn(server::serve(listener, router, bounds, stop.clone()));
		tokio::select! {
			outcome = reconciler.run(stop.clone()) => outcome.context("the chain is not followed")?,
			() = self.disk_failed.cancelled() => {
				// What was answered before is safe; a restart finds all of it.
				return Err(anyhow!("receipts cannot be stored; see the log"));
			},
			// Ends by itself only when it is stopped and nobody waits any more.
			outcome = &mut door => return outcome.context("the HTTP server failed"),
		}
		// Stopped: idle connections are closed at once, open requests end first, within the bound.
		door.await.context("the HTTP server failed")
	}

	/// Lets work under way end and closes the stores.
	async fn finish(self, config: &WorkerConfig) {
		self.tasks.close();
		if tokio::time::timeout(config.limits.shutdown(), self.tasks.wait())
			.await
			.is_err()
		{
			warn!("some work was left unfinished; it is taken up at the next start");
		}
		let stored = self.disk_failed.clone();
		// Dropping joins threads.
		if spawn_blocking(move || drop(self)).await.is_err() {
			warn!("a thread failed while the worker stopped");
		}
		// Cancelled when nobody stores receipts any more, and the database has all of them or
		// never will.
		if tokio::time::timeout(SETTLE, stored.cancelled())
			.await
			.is_err()
		{
			warn!("receipts are left in the journal; the next start brings them into the database");
		}
		info!("the worker has stopped");
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_prover::{Mode, Settings};

	#[test]
	fn an_address_that_is_not_there_is_a_mistake_and_one_that_is_taken_is_none() {
		let address = SocketAddr::from(([203, 0, 113, 7], 8650));
		let told = |kind: io::ErrorKind| no_listener(address, kind.into());
		for kind in [
			io::ErrorKind::AddrNotAvailable,
			io::ErrorKind::PermissionDenied,
		] {
			let error = told(kind);
			assert!(error.downcast_ref::<ConfigError>().is_some(), "{error}");
			assert!(error.to_string().contains("203.0.113.7:8650"), "{error}");
		}
		let error = told(io::ErrorKind::AddrInUse);
		assert!(error.downcast_ref::<ConfigError>().is_none());
		assert!(error.to_string().contains("end what listens there"));
	}

	#[tokio::test]
	async fn a_program_around_the_daemon_hears_of_the_search() {
		let dir = tempfile::tempdir().expect("a directory");
		let settings = Settings {
			mode: Mode::Light,
			threads: Some(3),
			..Settings::default()
		};
		let dir = dir.path().to_path_buf();
		let prover = Prover::start(ProverConfig { dir, settings }).expect("it starts");
		let (sender, mut heard) = watch::channel(Progress::default());
		let hooks = Hooks {
			progress: Some(sender),
			..Hooks::default()
		};
		let stop = CancellationToken::new();
		let telling = tokio::spawn(tell(Arc::new(prover), hooks, stop.clone()));
		for _ in 0..2 {
			heard.changed().await.expect("it goes on");
			assert_eq!(heard.borrow_and_update().threads, 3);
		}
		stop.cancel();
		telling.await.expect("it ends");
		// Whoever listens learns that it is over.
		while heard.changed().await.is_ok() {}
	}
}
