//! `millrace-embedded-anchor`: an anchor for development, in one process.

use anyhow::Context as _;
use clap::Parser;
use millrace_embedded_anchor::{router, Chain, Settings, Store};
use millrace_http::server::{self, Bounds};
use std::{
	net::{IpAddr, SocketAddr},
	path::PathBuf,
	sync::{Arc, Mutex, PoisonError},
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What it says at the start, and whoever reads its help.
const BANNER: &str = "This anchor ADDS NO SECURITY: whoever runs it decides what is in it. It is for development alone.";
/// Connections at once.
const CONNECTIONS: usize = 64;
/// Longest time of a connection without a request, and of answers at the end.
const IDLE: Duration = Duration::from_secs(30);

/// An anchor for development, in one process: an EVM with tipsets, like Filecoin's as far as a relayer can
/// tell. IT ADDS NO SECURITY: whoever runs it decides what is in it.
#[derive(Debug, Parser)]
#[command(name = "millrace-embedded-anchor", version)]
struct Options {
	/// File of its tipsets, which is made where it is not there.
	#[arg(long, value_name = "FILE")]
	data: PathBuf,
	/// Where it listens: on this machine alone.
	#[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8545")]
	listen: SocketAddr,
	/// Milliseconds of a round.
	#[arg(long, default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(50..))]
	round_ms: u64,
	/// Rounds of a hundred that have no tipset.
	#[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(..=90))]
	null_percent: u8,
	/// Rounds after which a tipset is final: some ten with fast finality, 900 without.
	#[arg(long, default_value_t = 10)]
	finality: u64,
	/// Chain id.
	#[arg(long, default_value_t = 31_337)]
	chain_id: u64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
	let options = Options::parse();
	tracing_subscriber::fmt()
		.with_writer(std::io::stderr)
		.with_env_filter(
			tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(
				// Nothing else is said where nobody asks for more.
				|_| tracing_subscriber::EnvFilter::new("info"),
			),
		)
		.init();
	eprintln!("{BANNER}");
	let ip: IpAddr = options.listen.ip();
	anyhow::ensure!(
		ip.is_loopback(),
		"{ip} is not of this machine: it would be taken for an anchor"
	);
	let settings = Settings {
		chain_id: options.chain_id,
		null_percent: options.null_percent,
		finality: options.finality,
	};
	let store = Store::open(&options.data)?;
	let chain = Arc::new(Mutex::new(Chain::open(settings, store, now())?));
	let listener = TcpListener::bind(options.listen)
		.await
		.with_context(|| format!("cannot listen at {}", options.listen))?;
	let stop = CancellationToken::new();
	let guard = stop.clone();
	tokio::spawn(async move {
		// A service that is asked to stop is killed where this cannot be waited for.
		let _ = tokio::signal::ctrl_c().await;
		guard.cancel();
	});
	let bounds = Bounds {
		connections: CONNECTIONS,
		idle: IDLE,
		drain: IDLE,
	};
	tokio::spawn(server::serve(
		listener,
		router(chain.clone()),
		bounds,
		stop.clone(),
	));
	tracing::info!(listen = %options.listen, round_ms = options.round_ms, "rounds begin");
	let mut rounds = tokio::time::interval(Duration::from_millis(options.round_ms));
	loop {
		tokio::select! {
			() = stop.cancelled() => return Ok(()),
			_ = rounds.tick() => {
				chain.lock().unwrap_or_else(PoisonError::into_inner).tick(now())?;
			}
		}
	}
}

/// The time, in seconds.
fn now() -> u64 {
	SystemTime::now()
		.duration_since(UNIX_EPOCH)
		.map_or(0, |since| since.as_secs())
}
