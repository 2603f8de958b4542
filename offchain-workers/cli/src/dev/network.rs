//! A development network: a node with one validator, two workers and a gateway, on ports that are
//! free.

use super::{
	process::{free_ports, Processes},
	rpc::Rpc,
};
use crate::{
	errors::{CliError, Kind, Result},
	http::{self, Http},
};
use futures::StreamExt;
use millrace_client::{AccountKey, Chain, PeerKeypair, View};
use std::{
	ffi::OsString,
	path::{Path, PathBuf},
	time::{Duration, Instant},
};

/// Time in which a process must answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Pause between attempts to reach a process that starts.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(200);
/// The anchor's program.
const ANCHOR: &str = "millrace-embedded-anchor";
/// Milliseconds of its rounds: a hundredth of Filecoin's.
const ANCHOR_ROUND_MS: u64 = 300;
/// Longest wait for one finalised block before the processes are looked after again.
const BLOCK_LIMIT: Duration = Duration::from_secs(2);

/// A machine of the provider.
#[derive(Debug)]
pub(crate) struct Peer {
	/// Its key.
	pub(crate) key: PeerKeypair,
	/// Where its worker serves.
	pub(crate) url: String,
	key_file: PathBuf,
	listen: String,
}

/// The chain that runs, and how to reach it.
#[derive(Debug)]
pub(crate) struct Running {
	/// The chain.
	pub(crate) chain: Chain,
	/// The node's plain RPC.
	pub(crate) rpc: Rpc,
}

/// The processes, and the keys of those who use them.
#[derive(Debug)]
pub(crate) struct Network {
	processes: Processes,
	folder: PathBuf,
	node_url: String,
	gateway_url: String,
	/// HTTP to gateway and workers.
	pub(crate) http: Http,
}

impl Network {
	/// A network of which nothing runs yet.
	pub(crate) fn new(folder: &Path) -> Self {
		Self {
			processes: Processes::new(folder),
			folder: folder.into(),
			node_url: String::new(),
			gateway_url: String::new(),
			http: Http::new(),
		}
	}

	/// Starts the node and connects to it.
	pub(crate) async fn start_node(&mut self, binary: Option<&Path>) -> Result<Running> {
		let binary = binary.map_or_else(node_binary, Path::to_path_buf);
		let [rpc, network] = free_ports()?;
		self.processes.spawn(
			"node",
			&binary,
			[
				OsString::from("--dev"),
				"--base-path".into(),
				self.folder.join("node").into(),
				"--rpc-port".into(),
				rpc.to_string().into(),
				"--listen-addr".into(),
				format!("/ip4/127.0.0.1/tcp/{network}").into(),
				"--no-prometheus".into(),
				"--no-telemetry".into(),
			],
		)?;
		self.node_url = format!("ws://127.0.0.1:{rpc}");
		let deadline = Instant::now() + START_LIMIT;
		loop {
			self.processes.check()?;
			match Chain::connect(&self.node_url).await {
				Ok(chain) => {
					let rpc = Rpc::new(self.http.clone(), rpc);
					return Ok(Running { chain, rpc });
				}
				Err(error) if Instant::now() > deadline => return Err(error.into()),
				Err(_) => tokio::time::sleep(ATTEMPT_PAUSE).await,
			}
		}
	}

	/// Makes keys for peers, and decides where they will serve.
	pub(crate) fn new_peers(&self) -> Result<Vec<Peer>> {
		let ports: [u16; 2] = free_ports()?;
		let mut peers = Vec::new();
		for (number, port) in (1..).zip(ports) {
			let key_file = self.folder.join(format!("peer-{number}.json"));
			let key = PeerKeypair::generate()?;
			key.save(&key_file)?;
			let listen = format!("127.0.0.1:{port}");
			peers.push(Peer {
				key,
				url: format!("http://{listen}"),
				key_file,
				listen,
			});
		}
		Ok(peers)
	}

	/// Starts a worker for each peer.
	pub(crate) async fn start_workers(&mut self, peers: &[Peer]) -> Result<()> {
		for (number, peer) in (1..).zip(peers) {
			let name = format!("worker-{number}");
			let config = self.folder.join(format!("{name}.toml"));
			// Both share the machine with the node, so each takes one thread and little memory, and
			// packages come from the gateway beside them, which knows where calls come from.
			let text = format!(
				"data_dir = {}\nnode_url = {}\npeer_key = {}\nlisten = {}\npublic_endpoint = {}\n\
				proxies = [\"127.0.0.1\"]\n\n\
				[prover]\nthreads = 1\nmode = \"light\"\n\n[limits]\nallow_private_links = true\n",
				quoted(self.folder.join(&name).display()),
				quoted(&self.node_url),
				quoted(peer.key_file.display()),
				quoted(&peer.listen),
				quoted(&peer.url),
			);
			crate::files::write(&config, text.as_bytes())?;
			let arguments = [
				OsString::from("worker"),
				"run".into(),
				"--config".into(),
				config.into(),
			];
			self.processes.spawn(&name, &own_binary()?, arguments)?;
		}
		for peer in peers {
			self.until_healthy(&peer.url).await?;
		}
		Ok(())
	}

	/// Starts the gateway.
	pub(crate) async fn start_gateway(&mut self) -> Result<String> {
		let [port] = free_ports()?;
		let listen = format!("127.0.0.1:{port}");
		let config = self.folder.join("gateway.toml");
		// The workers are beside it.
		let text = b"[limits]\nallow_private_endpoints = true\n";
		crate::files::write(&config, text)?;
		self.processes.spawn(
			"gateway",
			&own_binary()?,
			[
				OsString::from("gateway"),
				"run".into(),
				"--config".into(),
				config.into(),
				"--node".into(),
				self.node_url.clone().into(),
				"--data-dir".into(),
				self.folder.join("gateway").into(),
				"--listen".into(),
				listen.clone().into(),
			],
		)?;
		self.gateway_url = format!("http://{listen}");
		let url = self.gateway_url.clone();
		self.until_healthy(&url).await?;
		Ok(url)
	}

	/// Starts an anchor for development, and waits until it answers; its URL.
	pub(crate) async fn start_anchor(&mut self) -> Result<String> {
		let [port] = free_ports()?;
		let listen = format!("127.0.0.1:{port}");
		self.processes.spawn(
			"anchor",
			&beside_or_on_path(ANCHOR),
			[
				OsString::from("--data"),
				self.folder.join("anchor.redb").into(),
				"--listen".into(),
				listen.clone().into(),
				"--round-ms".into(),
				ANCHOR_ROUND_MS.to_string().into(),
			],
		)?;
		let deadline = Instant::now() + START_LIMIT;
		// Whoever listens answers.
		while std::net::TcpStream::connect(&listen).is_err() {
			self.processes.check()?;
			if Instant::now() > deadline {
				let message = format!("the anchor does not listen at {listen}");
				return Err(CliError::new(Kind::Network, "unreachable", message));
			}
			tokio::time::sleep(ATTEMPT_PAUSE).await;
		}
		Ok(format!("http://{listen}"))
	}

	/// Looks at every finalised block until `probe` has found what it looks for.
	pub(crate) async fn until<T>(
		&mut self,
		chain: &Chain,
		what: &str,
		limit: Duration,
		mut probe: impl AsyncFnMut(&View) -> Result<Option<T>>,
	) -> Result<T> {
		let deadline = Instant::now() + limit;
		let mut blocks = chain.finalized();
		loop {
			self.processes.check()?;
			if let Ok(Some(block)) = tokio::time::timeout(BLOCK_LIMIT, blocks.next()).await {
				let view = chain.at(block.hash).await?;
				if let Some(found) = probe(&view).await? {
					return Ok(found);
				}
			}
			if Instant::now() > deadline {
				let message = format!("{what}: not within {} s", limit.as_secs());
				return Err(CliError::new(Kind::Failure, "step_timeout", message));
			}
		}
	}

	/// An error if a process has ended.
	pub(crate) fn check(&mut self) -> Result<()> {
		self.processes.check()
	}

	/// The log files.
	pub(crate) fn logs(&self) -> Vec<String> {
		self.processes.logs()
	}

	/// Where everything is reached, in words.
	pub(crate) fn urls(&self) -> String {
		format!("node     {}\ngateway  {}", self.node_url, self.gateway_url)
	}

	/// Ends everything.
	pub(crate) async fn stop(&mut self) {
		self.processes.stop().await;
	}

	async fn until_healthy(&mut self, url: &str) -> Result<()> {
		let url = http::join(url, "/healthz");
		let deadline = Instant::now() + START_LIMIT;
		loop {
			self.processes.check()?;
			match self.http.get(&url).await {
				Ok(_) => return Ok(()),
				Err(error) if Instant::now() > deadline => return Err(error),
				Err(_) => tokio::time::sleep(ATTEMPT_PAUSE).await,
			}
		}
	}
}

/// An account of the development chain.
pub(crate) fn account(name: &str) -> Result<AccountKey> {
	Ok(AccountKey::from_suri(name)?)
}

fn own_binary() -> Result<PathBuf> {
	std::env::current_exe().map_err(|error| CliError::from(anyhow::Error::from(error)))
}

/// The node beside this program, else the one that the PATH leads to.
fn node_binary() -> PathBuf {
	beside_or_on_path("millrace-node")
}

/// A program beside this one, else the one that the PATH leads to.
fn beside_or_on_path(name: &str) -> PathBuf {
	own_binary()
		.ok()
		.and_then(|own| own.parent().map(|folder| folder.join(name)))
		.filter(|path| path.is_file())
		.unwrap_or_else(|| name.into())
}

/// A string of TOML; its escapes are those of JSON.
fn quoted(text: impl std::fmt::Display) -> String {
	serde_json::Value::from(text.to_string()).to_string()
}
