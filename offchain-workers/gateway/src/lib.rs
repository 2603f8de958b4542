//! # Millrace gateway
//!
//! The clients' HTTP door: any method on `/deals/{id}` and below is answered by a live worker of
//! the deal, by another one if the first fails, and never by one whose receipt does not hold.
//!
//! The gateway keeps no state that a client depends on, except the packages that were uploaded to
//! it. It holds no key and no money: several of them can stand side by side.

pub mod config;
pub mod errors;
pub mod forward;
pub mod metrics;
pub mod packages;
pub mod routes;
pub mod routing;
pub mod verify;

pub use config::{ConfigError, GatewayConfig, Limits};

use crate::{
	errors::GatewayError, forward::Forwarder, metrics::Metrics, packages::PackageStore,
	routing::Routing,
};
use anyhow::Context;
use futures::StreamExt;
use millrace_client::{web, Chain, ConnectError};
use millrace_http::server::{self, Bounds};
use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
	net::TcpListener,
	sync::Semaphore,
	time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// First and longest pause between attempts to reach the node at start.
const CONNECT_PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// Longest time that open calls are given when the gateway is asked to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// What all request handlers share.
#[derive(Debug)]
pub(crate) struct App {
	pub(crate) config: GatewayConfig,
	pub(crate) chain: Chain,
	pub(crate) routing: Routing,
	pub(crate) forwarder: Forwarder,
	pub(crate) packages: PackageStore,
	pub(crate) metrics: Arc<Metrics>,
	/// Deals that may be looked up on the chain at once.
	pub(crate) lookups: Semaphore,
	/// Calls that workers may be waited for at once.
	pub(crate) calls: Semaphore,
	/// Uploads that may be checked and stored at once.
	pub(crate) uploads: Semaphore,
	/// URL that clients and workers reach this gateway under; empty where it is not known.
	pub(crate) public_url: String,
}

/// Runs a gateway until it is cancelled or cannot go on.
pub async fn run(config: GatewayConfig, cancel: CancellationToken) -> anyhow::Result<()> {
	config.check()?;
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
	let app = Arc::new(App {
		routing: Routing::new(config.limits.cached_deals),
		forwarder: Forwarder::new(chain.genesis(), &config.limits, metrics.clone()),
		lookups: Semaphore::new(routing::PARALLEL_READS),
		calls: Semaphore::new(config.limits.concurrent_calls),
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
	follower
		.await
		.context("the task that follows the chain failed")
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
	while let Some(Some(block)) = until(&cancel, blocks.next()).await {
		let refreshed = timeout(app.config.limits.refresh_timeout(), app.refresh(block.hash));
		let Some(outcome) = until(&cancel, refreshed).await else {
			return;
		};
		match outcome {
			Ok(Ok(())) => {
				app.metrics.finalized_block.set(i64::from(block.number));
				app.metrics.cached_deals.set(app.routing.len() as i64);
			}
			Ok(Err(error)) => tracing::warn!(%error, number = block.number, "no refresh"),
			Err(_) => tracing::warn!(number = block.number, "the refresh took too long"),
		}
	}
}

impl App {
	/// Reads the clock and all deals that were lately called.
	async fn refresh(&self, block: millrace_primitives::H256) -> Result<(), GatewayError> {
		let view = self.chain.at(block).await?;
		self.routing
			.set_clock(view.block().number, &view.epoch().await?);
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
		Ok(())
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
	fn a_gateway_knows_when_its_links_lead_nowhere_for_others() {
		assert!(web::is_private(&url(None, "127.0.0.1:8090")));
		assert!(!web::is_private(&url(None, "0.0.0.0:8090")));
		assert!(!web::is_private(&url(
			Some("https://gate/"),
			"127.0.0.1:8090"
		)));
	}
}
