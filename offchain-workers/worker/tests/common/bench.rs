//! What measurements of the worker share.

use super::World;
use millrace_http::server::{self, Bounds};
use millrace_prover::{Mode, Prover, ProverConfig, Settings};
use millrace_sandbox::{Sandbox, SandboxConfig};
use millrace_worker::{
	http::{router, Door, PROOFS_AT_ONCE},
	Limits,
};
use std::{
	env,
	error::Error,
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Processes in a folder, by the program beside this test's folder.
pub async fn sandbox(folder: PathBuf, idle: Duration) -> Outcome<Arc<Sandbox>> {
	let test = env::current_exe()?;
	let program = test
		.ancestors()
		.map(|folder| folder.join("millrace-guest"))
		.find(|program| program.is_file())
		.ok_or("there is no millrace-guest: cargo build --release --workspace --bins")?;
	let settings = SandboxConfig {
		program: Some(program),
		idle,
		..SandboxConfig::new(folder)
	};
	Ok(Arc::new(Sandbox::start(settings).await?))
}

/// Bounds of a worker of two units.
pub fn two_at_once() -> Limits {
	Limits {
		concurrent_calls: 2,
		..Limits::default()
	}
}

/// Opens a worker's door; returns its address.
pub async fn open_door(world: &World, dir: &Path, stop: &CancellationToken) -> Outcome<String> {
	let settings = Settings {
		mode: Mode::Light,
		threads: Some(1),
		..Settings::default()
	};
	let prover = Prover::start(ProverConfig {
		dir: dir.join("prover"),
		settings,
	})?;
	let router = router(Arc::new(Door {
		calls: world.calls.clone(),
		doorkeeper: world.doorkeeper.clone(),
		store: world.store.clone(),
		packages: world.packages.clone(),
		prover: Arc::new(prover),
		metrics: world.metrics.clone(),
		watch: None,
		peer: world.identity.peer,
		body_timeout: Duration::from_secs(5),
		proofs: Arc::new(Semaphore::new(PROOFS_AT_ONCE)),
	}));
	let listener = TcpListener::bind("127.0.0.1:0").await?;
	let address = listener.local_addr()?;
	let bounds = Bounds {
		connections: 1_024,
		idle: Duration::from_secs(60),
		drain: Duration::from_secs(5),
	};
	tokio::spawn(server::serve(listener, router, bounds, stop.clone()));
	Ok(address.to_string())
}

/// The module with a custom section of its own, and so another hash.
pub fn marked(module: &[u8], number: u64) -> Vec<u8> {
	// Behind the magic number and the version: files have to be the last section.
	let (head, rest) = module.split_at(8);
	// A section of type 0: a name of one byte, and the number.
	[head, &[0, 10, 1, b'n'], &number.to_le_bytes(), rest].concat()
}

/// In milliseconds.
pub fn ms(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}

/// The middle one.
pub fn median(values: &mut [f64]) -> f64 {
	values.sort_by(f64::total_cmp);
	values[values.len() / 2]
}
