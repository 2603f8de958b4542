//! # Millrace gateway
//!
//! The clients' HTTP door: any method on `/deals/{id}` and below is answered by a live worker of
//! the deal, by another one if the first fails, and never by one whose receipt does not hold.
//!
//! The gateway keeps no state that a client depends on, except the packages that were uploaded to
//! it. It holds no key and no money, unless it is told to watch, to probe or to sign vouchers: several of
//! them can stand side by side.

pub mod config;
pub mod errors;
pub mod forward;
pub mod keep;
pub mod metrics;
mod omissions;
pub mod packages;
pub mod probes;
pub mod routes;
pub mod routing;
pub mod verify;
pub mod vouchers;

pub use config::{
	ConfigError, GatewayConfig, Limits, ReceiptsConfig, SandboxMode, SandboxSettings,
};

use crate::{
	errors::GatewayError,
	forward::Forwarder,
	keep::{Keeper, KeptReceipts},
	metrics::Metrics,
	packages::PackageStore,
	probes::{Prober, Suspicions},
	routing::Routing,
	vouchers::Vouchers,
};
use anyhow::Context;
use futures::StreamExt;
use millrace_client::{access::Rates, web, AccountKey, Block, Chain, ConnectError, PeerKeypair};
use millrace_executor::EngineConfig;
use millrace_http::server::{self, Bounds};
use millrace_primitives::{
	epoch::{EpochStatus, Phase},
	EpochIndex, H256,
};
use millrace_sandbox::{Guests, InProcess, Sandbox, SandboxConfig, SandboxError};
use millrace_watcher::{Received, WatchConfig};
use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
	net::TcpListener,
	sync::{mpsc, Semaphore},
	task::spawn_blocking,
	time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// First and longest pause between attempts to reach the node at start.
const CONNECT_PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// Longest time that open calls are given when the gateway is asked to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time that what runs beside them is given then.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// Receipts that wait for the watcher.
const WATCH_QUEUE: usize = 4_096;
/// Guests' processes of the watcher, which runs one call after the other.
const WATCH_PROCESSES: usize = 4;

/// What all request handlers share.
#[derive(Debug)]
pub(crate) struct App {
	pub(crate) config: GatewayConfig,
	pub(crate) chain: Chain,
	pub(crate) routing: Routing,
	pub(crate) forwarder: Forwarder,
	pub(crate) packages: PackageStore,
	pub(crate) metrics: Arc<Metrics>,
	/// Receipts of calls that went through this gateway.
	pub(crate) kept: Arc<KeptReceipts>,
	/// Figures of the watcher that looks for them in reports, if there is one.
	pub(crate) watch: Option<millrace_watcher::Metrics>,
	/// What runs beside the calls.
	pub(crate) tasks: TaskTracker,
	/// Deals that may be looked up on the chain at once.
	pub(crate) lookups: Semaphore,
	/// Calls that workers may be waited for at once.
	pub(crate) calls: Semaphore,
	/// How often each caller calls deals that have a rate.
	pub(crate) rates: Rates,
	/// Uploads that may be checked and stored at once.
	pub(crate) uploads: Semaphore,
	/// URL that clients and workers reach this gateway under; empty where it is not known.
	pub(crate) public_url: String,
}

/// Runs a gateway until it is cancelled or cannot go on.
pub async fn run(config: GatewayConfig, cancel: CancellationToken) -> anyhow::Result<()> {
	config.check()?;
	let voucher_key = voucher_key(&config)?;
	let packages = PackageStore::open(&config.packages(), config.limits.package_store_bytes)
		.await
		.with_context(|| format!("packages in {}", config.packages().display()))?;
	let listener = TcpListener::bind(config.listen)
		.await
		.with_context(|| format!("cannot listen at {}", config.listen))?;
	let address = listener.local_addr()?;
	let Some(chain) = until(&cancel, connect(&config.node_url))
		.await
		.transpose()?
	else {
		return Ok(());
	};

	let public_url = public_url(&config, address);
	if web::is_private(&public_url) {
		tracing::warn!(
			url = %public_url,
			"links to packages lead to this machine or its network; set public_url for others"
		);
	}

	let metrics = Arc::new(Metrics::new()?);
	let genesis = chain.genesis();
	let vouchers = voucher_key.map(|key| Vouchers::new(genesis, key));
	let kept = keep(&config, genesis).await?;
	let tasks = TaskTracker::new();
	let suspicions = start_prober(&config, &chain, &metrics, &tasks, &cancel)?;
	let (watcher, watch) = match config.watch() {
		Some(watch) => {
			let figures = millrace_watcher::Metrics::new()?;
			let start = start_watcher(&config, watch, &chain, figures.clone(), &tasks, &cancel);
			(Some(start.await?), Some(figures))
		}
		None => (None, None),
	};
	let (keeper, keeping) = Keeper::start(kept.clone(), watcher, metrics.clone())?;
	let app = Arc::new(App {
		routing: Routing::new(genesis, config.limits.cached_deals),
		forwarder: Forwarder::new(genesis, &config.limits, metrics.clone(), keeper)
			.with_vouchers(vouchers)
			.with_suspicions(suspicions),
		kept,
		watch,
		tasks: tasks.clone(),
		lookups: Semaphore::new(routing::PARALLEL_READS),
		calls: Semaphore::new(config.limits.concurrent_calls),
		rates: Rates::new(config.limits.counted_invokers),
		uploads: Semaphore::new(config.limits.concurrent_uploads),
		public_url,
		config,
		chain,
		packages,
		metrics,
	});
	tracing::info!(%address, genesis = ?app.chain.genesis(), "gateway listens");

	let follower = tokio::spawn(follow(app.clone(), cancel.clone()));
	let bounds = Bounds {
		connections: app.config.limits.connections,
		idle: app.config.limits.idle_timeout(),
		drain: DRAIN_TIMEOUT,
	};
	server::serve(listener, routes::router(app), bounds, cancel.clone()).await;
	let followed = follower
		.await
		.context("the task that follows the chain failed");
	tasks.close();
	let ended = async {
		tasks.wait().await;
		// With the last call the last keeper is gone.
		spawn_blocking(move || keeping.join()).await
	};
	if timeout(END_TIMEOUT, ended).await.is_err() {
		tracing::warn!("the last receipts may not be kept");
	}
	followed
}

/// Starts to probe workers that do not answer, if there is an account for it; where calls tell of them.
fn start_prober(
	config: &GatewayConfig,
	chain: &Chain,
	metrics: &Arc<Metrics>,
	tasks: &TaskTracker,
	cancel: &CancellationToken,
) -> Result<Option<Suspicions>, ConfigError> {
	let Some(probe) = &config.probe else {
		return Ok(None);
	};
	let key = AccountKey::from_name_or_file(&probe.key_file.to_string_lossy());
	let key = key.map_err(|error| ConfigError::ProbeKey(error.to_string()))?;
	let per_day = probe.budget().map_err(ConfigError::ProbeBudget)?;
	let (suspicions, heard) = Suspicions::new();
	let metrics = metrics.clone();
	let prober = Prober::new(chain.clone(), key, metrics, per_day, probe.max_per_epoch);
	tasks.spawn(prober.run(heard, cancel.clone()));
	Ok(Some(suspicions))
}

/// The key that signs vouchers, if one is named.
fn voucher_key(config: &GatewayConfig) -> Result<Option<PeerKeypair>, ConfigError> {
	let Some(path) = &config.voucher_key else {
		return Ok(None);
	};
	let key = PeerKeypair::load(path);
	key.map(Some)
		.map_err(|error| ConfigError::VoucherKey(error.to_string()))
}

/// The receipts of earlier calls.
async fn keep(config: &GatewayConfig, genesis: H256) -> anyhow::Result<Arc<KeptReceipts>> {
	let (dir, max_bytes) = (config.kept_receipts(), config.receipts.max_bytes);
	let shown = dir.display().to_string();
	let opened = spawn_blocking(move || KeptReceipts::open(&dir, genesis, max_bytes));
	let kept = opened
		.await?
		.with_context(|| format!("receipts in {shown}"))?;
	Ok(Arc::new(kept))
}

/// Starts the watcher; where it is handed receipts.
async fn start_watcher(
	config: &GatewayConfig,
	watch: WatchConfig,
	chain: &Chain,
	figures: millrace_watcher::Metrics,
	tasks: &TaskTracker,
	cancel: &CancellationToken,
) -> anyhow::Result<mpsc::Sender<Received>> {
	let guests = guests(config, watch.data_dir.join("modules")).await?;
	let (sender, received) = mpsc::channel(WATCH_QUEUE);
	let (chain, stop) = (chain.clone(), cancel.clone());
	let watching = millrace_watcher::run_with(watch, chain, guests, received, stop, figures);
	tasks.spawn(async move {
		if let Err(error) = watching.await {
			tracing::error!("the watcher has stopped, and calls go on without it: {error}");
		}
	});
	Ok(sender)
}

/// What runs guests for the watcher, with a folder for what is made of their packages.
async fn guests(config: &GatewayConfig, folder: PathBuf) -> anyhow::Result<Arc<dyn Guests>> {
	match config.sandbox.mode {
		SandboxMode::Off => {
			let settings = EngineConfig {
				cache_folder: Some(folder),
				..EngineConfig::default()
			};
			let guests = spawn_blocking(move || InProcess::new(settings)).await??;
			Ok(Arc::new(guests))
		}
		SandboxMode::Process => {
			let settings = SandboxConfig {
				program: config.sandbox.program.clone(),
				max_processes: WATCH_PROCESSES,
				..SandboxConfig::new(folder)
			};
			match Sandbox::start(settings).await {
				Ok(sandbox) => Ok(Arc::new(sandbox)),
				Err(error @ SandboxError::Host(_)) => Err(error.into()),
				// The operator can mend the others, or say that guests may run without.
				Err(error) => Err(ConfigError::Sandbox(error.to_string()).into()),
			}
		}
	}
}

/// Connects to the node; waits for one that is not up yet, but not for one of another chain.
async fn connect(url: &str) -> Result<Chain, ConnectError> {
	let mut pause = CONNECT_PAUSE.0;
	loop {
		match Chain::connect(url).await {
			Err(error @ ConnectError::Unreachable { .. }) => {
				tracing::warn!(%error, ?pause, "no node yet");
			}
			outcome => return outcome,
		}
		sleep(pause).await;
		pause = (pause * 2).min(CONNECT_PAUSE.1);
	}
}

/// The result of a task, or nothing if the gateway is cancelled before.
async fn until<T>(cancel: &CancellationToken, task: impl Future<Output = T>) -> Option<T> {
	tokio::select! {
		outcome = task => Some(outcome),
		() = cancel.cancelled() => None,
	}
}

/// Brings the routing table up to each finalised block.
async fn follow(app: Arc<App>, cancel: CancellationToken) {
	let mut blocks = app.chain.finalized();
	let mut looked_for = None;
	while let Some(Some(block)) = until(&cancel, blocks.next()).await {
		let refreshed = timeout(app.config.limits.refresh_timeout(), app.refresh(block));
		let Some(outcome) = until(&cancel, refreshed).await else {
			return;
		};
		match outcome {
			Ok(Ok(status)) => {
				app.metrics.finalized_block.set(i64::from(block.number));
				app.metrics.cached_deals.set(app.routing.len() as i64);
				let due = reported(&status).filter(|_| app.watch.is_none());
				if let Some(epoch) = due.filter(|epoch| looked_for != Some(*epoch)) {
					looked_for = Some(epoch);
					let sample = app.kept.take_sample(epoch);
					let looking = omissions::check(app.clone(), block.hash, sample, cancel.clone());
					app.tasks.spawn(looking);
				}
			}
			Ok(Err(error)) => tracing::warn!(%error, number = block.number, "no refresh"),
			Err(_) => tracing::warn!(number = block.number, "the refresh took too long"),
		}
	}
}

/// The epoch whose reports are all in.
fn reported(status: &EpochStatus) -> Option<EpochIndex> {
	match status.phase {
		Phase::Report => None,
		_ => status.info.index.checked_sub(1),
	}
}

impl App {
	/// Reads the clock, which is returned, and all deals that were lately called.
	async fn refresh(&self, block: Block) -> Result<EpochStatus, GatewayError> {
		let view = self.chain.view(block);
		let status = view.epoch().await?;
		self.routing.set_clock(view.block().number, &status);
		futures::stream::iter(self.routing.used())
			.for_each_concurrent(routing::PARALLEL_READS, |deal| {
				let view = &view;
				async move {
					match view.deal(deal).await {
						Ok(found) => {
							self.routing.set(deal, view.block().number, found.as_ref());
						}
						Err(error) => tracing::warn!(%error, deal, "the deal keeps its old route"),
					}
				}
			})
			.await;
		self.forwarder.forget_old_failures();
		Ok(status)
	}
}

/// Where the gateway is reached. One that listens at every address of its machine does not know by
/// which of them, and says nothing rather than something that leads nowhere.
fn public_url(config: &GatewayConfig, address: SocketAddr) -> String {
	match &config.public_url {
		Some(url) => url.trim_end_matches('/').into(),
		None if address.ip().is_unspecified() => String::new(),
		None => format!("http://{address}"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn url(configured: Option<&str>, listen: &str) -> String {
		let config = serde_json::json!({
			"data_dir": "d",
			"node_url": "n",
			"public_url": configured,
		});
		let config = serde_json::from_value(config).expect("that is a configuration");
		public_url(&config, listen.parse().expect("that is an address"))
	}

	#[test]
	fn a_gateway_names_itself_only_where_it_can_be_reached() {
		assert_eq!(url(None, "127.0.0.1:8090"), "http://127.0.0.1:8090");
		assert_eq!(url(None, "0.0.0.0:8090"), "");
		assert_eq!(url(None, "[::]:8090"), "");
		assert_eq!(url(Some("https://gate/"), "0.0.0.0:8090"), "https://gate");
	}

	#[test]
	fn receipts_are_looked_for_when_all_reports_are_in() {
		let mut status = routing::tests::status(5, H256::zero());
		for (phase, due) in [
			(Phase::Report, None),
			(Phase::Draw, Some(4)),
			(Phase::Answer, Some(4)),
			(Phase::Rest, Some(4)),
		] {
			status.phase = phase;
			assert_eq!(reported(&status), due);
		}
		status.info.index = 0;
		assert_eq!(reported(&status), None);
	}

	#[test]
	fn a_gateway_knows_when_its_links_lead_nowhere_for_others() {
		assert!(web::is_private(&url(None, "127.0.0.1:8090")));
		assert!(!web::is_private(&url(None, "0.0.0.0:8090")));
		assert!(!web::is_private(&url(
			Some("https://gate/"),
			"127.0.0.1:8090"
		)));
	}
}
