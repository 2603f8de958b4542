//! Nodes, a development network around one of them, and gateways.

use crate::{binaries, eventually, Http, Process, Rpc};
use millrace_client::{AccountKey, Chain};
use millrace_primitives::H256;
use serde_json::json;
use std::{
	net::TcpListener,
	path::{Path, PathBuf},
	time::Duration,
};
use tempfile::TempDir;

/// Time in which a process must answer for the first time, on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Ports that are free now. They are taken together, so that they differ.
pub fn free_ports<const N: usize>() -> [u16; N] {
	let bind = |_| TcpListener::bind(("127.0.0.1", 0)).expect("there are free ports");
	let listeners: [TcpListener; N] = std::array::from_fn(bind);
	listeners.map(|listener| {
		let address = listener.local_addr().expect("it is bound");
		address.port()
	})
}

/// An account of the development chains.
pub fn account(name: &str) -> AccountKey {
	AccountKey::from_suri(name).expect("that is a development name")
}

/// A node, which keeps its ports and its data when it is started again.
#[derive(Debug)]
pub struct Node {
	folder: PathBuf,
	name: String,
	arguments: Vec<String>,
	process: Process,
	/// Port of its RPC.
	pub rpc_port: u16,
	/// Port of its network.
	pub network_port: u16,
}

impl Node {
	/// Starts a chain of one validator.
	pub fn dev(folder: &Path) -> Self {
		Self::start(folder, "node", &["--dev"])
	}

	/// Starts a node with some options of its own; ports, folder and the rest are added.
	pub fn start(folder: &Path, name: &str, options: &[&str]) -> Self {
		let [rpc_port, network_port] = free_ports();
		let base = folder.join(name).display().to_string();
		let listen = format!("/ip4/127.0.0.1/tcp/{network_port}");
		let port = rpc_port.to_string();
		let added = [
			"--base-path",
			&base,
			"--rpc-port",
			&port,
			"--listen-addr",
			&listen,
			"--no-prometheus",
			"--no-telemetry",
			"--no-mdns",
		];
		let all = options.iter().copied().chain(added);
		let arguments: Vec<String> = all.map(str::to_string).collect();
		Self {
			process: Process::start(folder, name, &binaries::node(), &arguments),
			folder: folder.into(),
			name: name.into(),
			arguments,
			rpc_port,
			network_port,
		}
	}

	/// Kills it with SIGKILL.
	pub async fn kill(&mut self) {
		self.process.kill().await;
	}

	/// Starts it again, as it was.
	pub fn restart(&mut self) {
		let (folder, name) = (self.folder.clone(), self.name.clone());
		self.process = Process::start(&folder, &name, &binaries::node(), &self.arguments);
	}

	/// URL of its WebSocket.
	pub fn ws(&self) -> String {
		format!("ws://127.0.0.1:{}", self.rpc_port)
	}

	/// Its RPC.
	pub fn rpc(&self) -> Rpc {
		Rpc::new(self.rpc_port)
	}

	/// Address of its network, for the options of other nodes. It must be up.
	pub async fn address(&self) -> String {
		let id = self.rpc().result("system_localPeerId", json!([])).await;
		let id = id.as_str().expect("a node has a name");
		format!("/ip4/127.0.0.1/tcp/{}/p2p/{id}", self.network_port)
	}

	/// Everything that it has logged.
	pub fn log(&self) -> String {
		self.process.log()
	}

	/// Waits until it answers.
	pub async fn until_up(&mut self) {
		let (rpc, process) = (Rpc::new(self.rpc_port), &mut self.process);
		let what = format!("{} answers", self.name);
		eventually(&what, START, async || {
			process.assert_running();
			rpc.try_call("system_health", json!([]))
				.await?
				.map_err(|fault| format!("{fault:?}"))
		})
		.await;
	}

	/// Waits until it answers, and connects.
	pub async fn connect(&mut self) -> Chain {
		self.until_up().await;
		let url = self.ws();
		eventually("the node takes a connection", START, async || {
			Chain::connect(&url)
				.await
				.map_err(|error| error.to_string())
		})
		.await
	}
}

/// A chain of one validator and what a test needs to work with it.
#[derive(Debug)]
pub struct Network {
	/// The node.
	pub node: Node,
	/// The chain.
	pub chain: Chain,
	/// The node's RPC.
	pub rpc: Rpc,
	/// HTTP to daemons.
	pub http: Http,
	// The last field: it is dropped when everything that writes into it has been killed.
	folder: TempDir,
}

impl Network {
	/// Starts it.
	pub async fn dev() -> Self {
		let folder = folder();
		let mut node = Node::dev(folder.path());
		let chain = node.connect().await;
		Self {
			rpc: node.rpc(),
			node,
			chain,
			http: Http::default(),
			folder,
		}
	}

	/// Folder of all data and logs.
	pub fn folder(&self) -> &Path {
		self.folder.path()
	}
}

/// A temporary folder.
pub fn folder() -> TempDir {
	tempfile::Builder::new()
		.prefix("millrace-e2e-")
		.tempdir()
		.expect("there is room for temporary files")
}

/// A gateway.
#[derive(Debug)]
pub struct Gateway {
	_process: Process,
	/// Its URL.
	pub url: String,
}

/// A module that a gateway stores.
#[derive(Clone, Debug)]
pub struct Stored {
	/// Its hash.
	pub hash: H256,
	/// Its size in bytes.
	pub size: u32,
	/// Where workers fetch it.
	pub url: String,
}

impl Gateway {
	/// Starts a gateway and waits until it knows where the chain stands.
	pub async fn start(network: &Network) -> Self {
		let [port] = free_ports();
		let listen = format!("127.0.0.1:{port}");
		let url = format!("http://{listen}");
		let data = network.folder().join("gateway").display().to_string();
		let config = network.folder().join("gateway.toml");
		// The workers are beside it.
		std::fs::write(&config, "[limits]\nallow_private_endpoints = true\n")
			.expect("the test's folder is writable");
		let config = config.display().to_string();
		let node = network.node.ws();
		let arguments = [
			"gateway",
			"run",
			"--config",
			&config,
			"--node",
			&node,
			"--data-dir",
			&data,
			"--listen",
			&listen,
		];
		let program = binaries::millrace();
		let mut process = Process::start(network.folder(), "gateway", &program, arguments);
		let health = format!("{url}/healthz");
		eventually("the gateway is healthy", START, async || {
			process.assert_running();
			let answer = network.http.get(&health).await?;
			match answer.status {
				200 => Ok(()),
				status => Err(format!("its health is {status}")),
			}
		})
		.await;
		Self {
			_process: process,
			url,
		}
	}

	/// Uploads a module.
	pub async fn upload(&self, http: &Http, module: Vec<u8>) -> Stored {
		let url = format!("{}/packages", self.url);
		let answer = http.put(&url, module).await.expect("the gateway answers");
		assert!(matches!(answer.status, 200 | 201), "{answer:?}");
		let body = answer.json();
		let stored = Stored {
			hash: serde_json::from_value(body["hash"].clone()).expect("the answer has a hash"),
			size: serde_json::from_value(body["size"].clone()).expect("the answer has a size"),
			url: body["url"].as_str().expect("the answer has a URL").into(),
		};
		let back = http.get(&stored.url).await.expect("the gateway answers");
		assert_eq!(back.status, 200, "what was uploaded can be fetched");
		stored
	}

	/// URL of a deal.
	pub fn deal(&self, deal: u64) -> String {
		format!("{}/deals/{deal}", self.url)
	}
}
