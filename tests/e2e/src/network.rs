//! Nodes, a development network around one of them, and gateways.

use crate::{binaries, command, eventually, spec, Http, Process, Ran, Rpc};
use millrace_client::{AccountKey, Chain};
use millrace_primitives::H256;
use serde_json::{json, Value};
use std::{
	collections::BTreeSet,
	net::TcpListener,
	path::{Path, PathBuf},
	sync::Mutex,
	time::Duration,
};
use tempfile::TempDir;

/// Time in which a process must answer for the first time, on a busy machine.
const START: Duration = Duration::from_secs(60);
/// Longest run of a subcommand of the node.
const SUBCOMMAND: Duration = Duration::from_secs(300);
/// Blocks of a quick chain's epoch outside of the window for answers: nine for reports, two for the
/// draw, two of rest.
const QUICK_REST: u32 = 9 + 2 + 2;

/// Ports that a test was given: most are taken a moment later only, and none is given twice.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Ports that are free now, and differ from all that this test was given before.
pub fn free_ports<const N: usize>() -> [u16; N] {
	let mut given = GIVEN.lock().expect("no test panics while it looks");
	std::array::from_fn(|_| loop {
		let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there are free ports");
		let address = listener.local_addr().expect("it is bound");
		if given.insert(address.port()) {
			break address.port();
		}
	})
}

/// An account of the development chains.
pub fn account(name: &str) -> AccountKey {
	AccountKey::from_suri(name).expect("that is a development name")
}

/// Writes the specification of a development chain whose slots take half a second and whose epochs
/// have so many blocks; the path of the file.
///
/// Daemons act on final blocks, which are two blocks and a vote behind the best one. So the windows
/// have more blocks than the named chain's, and leave daemons nearly as much time.
pub fn quick_chain(folder: &Path, epoch_blocks: u32) -> String {
	quick_chain_with(folder, epoch_blocks, &json!({}))
}

/// The same with other values in its genesis, besides.
pub fn quick_chain_with(folder: &Path, epoch_blocks: u32, more: &Value) -> String {
	let lengths = json!({
		"len": epoch_blocks,
		"report_window": 9,
		"fold_window": 2,
		"answer_window": epoch_blocks - QUICK_REST,
	});
	let mut patch = json!({
		"timing": { "slotMs": 500 },
		"epochs": { "lengths": lengths },
	});
	spec::merge(&mut patch, more);
	let path = spec::built(&spec::patched(folder, "dev", "quick", &patch));
	path.display().to_string()
}

/// Values for the genesis of a quick chain under which a unit owes one solution, so that a busy
/// machine finds it in time.
pub fn little_work() -> Value {
	json!({ "capacity": { "params": { "rates": { "idle": 1, "busy": 1 } } } })
}

/// A node, which keeps its ports and its data when it is started again.
#[derive(Debug)]
pub struct Node {
	folder: PathBuf,
	name: String,
	arguments: Vec<String>,
	process: Process,
	metrics_port: Option<u16>,
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

	/// Starts a node with some options of its own; ports, folder and the rest are added. It takes its
	/// compiled runtime from others, if there was one.
	pub fn start(folder: &Path, name: &str, options: &[&str]) -> Self {
		let kept = compiled_runtimes();
		let all = [options, &["--compiled-runtimes", &kept][..]].concat();
		Self::begin(folder, name, &all, false)
	}

	/// The same, and it tells its metrics.
	pub fn metered(folder: &Path, name: &str, options: &[&str]) -> Self {
		let kept = compiled_runtimes();
		let all = [options, &["--compiled-runtimes", &kept][..]].concat();
		Self::begin(folder, name, &all, true)
	}

	/// Starts one that compiles each runtime by itself, as everybody's does.
	pub fn compiling(folder: &Path, name: &str, options: &[&str]) -> Self {
		Self::begin(folder, name, options, false)
	}

	fn begin(folder: &Path, name: &str, options: &[&str], metered: bool) -> Self {
		let [rpc_port, network_port, metrics_port] = free_ports();
		let base = folder.join(name).display().to_string();
		let listen = format!("/ip4/127.0.0.1/tcp/{network_port}");
		let port = rpc_port.to_string();
		let metrics = metrics_port.to_string();
		let mut added = vec![
			"--base-path",
			&base,
			"--rpc-port",
			&port,
			"--listen-addr",
			&listen,
			"--no-telemetry",
			"--no-mdns",
		];
		match metered {
			true => added.extend(["--prometheus-port", metrics.as_str()]),
			false => added.push("--no-prometheus"),
		}
		let all = options.iter().copied().chain(added);
		let arguments: Vec<String> = all.map(str::to_string).collect();
		Self {
			process: Process::start(folder, name, &binaries::node(), &arguments),
			folder: folder.into(),
			name: name.into(),
			arguments,
			metrics_port: metered.then_some(metrics_port),
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

	/// One of its metrics, all labels together. The node must have been started to tell them.
	pub async fn metric(&self, name: &str) -> f64 {
		let port = self
			.metrics_port
			.expect("the node was started to tell them");
		let url = format!("http://127.0.0.1:{port}/metrics");
		let answer = Http::default().get(&url).await.expect("the node answers");
		let text = String::from_utf8_lossy(&answer.body).into_owned();
		let values: Vec<f64> = text
			.lines()
			.filter_map(|line| line.strip_prefix(name))
			.filter(|rest| rest.starts_with([' ', '{']))
			.filter_map(|rest| rest.rsplit(' ').next()?.parse().ok())
			.collect();
		assert!(!values.is_empty(), "there is no metric {name} in\n{text}");
		values.iter().sum()
	}

	/// Runs a subcommand over its data; it must have been killed.
	pub async fn command(&self, subcommand: &[&str]) -> Ran {
		let mut options = self.arguments.iter().map(String::as_str);
		let mut chain = vec!["--dev"];
		while let Some(option) = options.next() {
			if option == "--chain" {
				chain = vec![option, options.next().unwrap_or_default()];
			}
		}
		subcommand_of_node(&self.folder, &self.name, &chain, subcommand).await
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

/// Folder of the runtimes that nodes have compiled.
fn compiled_runtimes() -> String {
	binaries::kept().join("runtimes").display().to_string()
}

/// Runs a subcommand of the node over the data of this name, of a chain that `chain` names by
/// options.
pub async fn subcommand_of_node(
	folder: &Path,
	name: &str,
	chain: &[&str],
	subcommand: &[&str],
) -> Ran {
	let base = folder.join(name).display().to_string();
	let data = ["--base-path", base.as_str()];
	let arguments = [subcommand, chain, &data[..]].concat();
	command::run(&binaries::node(), folder, SUBCOMMAND, arguments).await
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
		let node = Node::dev(folder.path());
		Self::around(folder, node).await
	}

	/// Starts a quick one, with epochs of so many blocks.
	pub async fn quick(epoch_blocks: u32) -> Self {
		let folder = folder();
		let chain = quick_chain(folder.path(), epoch_blocks);
		let node = Node::start(folder.path(), "node", &["--dev", "--chain", &chain]);
		Self::around(folder, node).await
	}

	/// Starts a quick one with other values in its genesis, and gives the chain's specification
	/// besides, for further nodes.
	pub async fn quick_with(epoch_blocks: u32, more: &Value) -> (Self, String) {
		let folder = folder();
		let chain = quick_chain_with(folder.path(), epoch_blocks, more);
		let node = Node::start(folder.path(), "node", &["--dev", "--chain", &chain]);
		(Self::around(folder, node).await, chain)
	}

	/// The same around a node that was started in the folder.
	pub async fn around(folder: TempDir, mut node: Node) -> Self {
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
		Self::configured(network, "", "").await
	}

	/// Starts one that keeps its receipts for a watcher of its own, which is paid for by an account
	/// and looks at all of them.
	pub async fn watching(network: &Network, account: &str) -> Self {
		let watch = format!("[watch]\naccount = \"{account}\"\nmode = \"own\"\n");
		Self::configured(network, "", &watch).await
	}

	/// Starts one that probes workers which do not answer it, from a development account.
	pub async fn probing(network: &Network, account: &str) -> Self {
		let probe = format!("[probe]\nkey_file = \"{account}\"\n");
		Self::configured(network, "", &probe).await
	}

	/// Starts one that signs vouchers with the key in a file.
	pub async fn signing(network: &Network, key: &Path) -> Self {
		let key = format!("voucher_key = {:?}\n", key.display().to_string());
		Self::configured(network, &key, "").await
	}

	/// Starts one with more keys and sections in its configuration.
	async fn configured(network: &Network, keys: &str, sections: &str) -> Self {
		let [port] = free_ports();
		let listen = format!("127.0.0.1:{port}");
		let url = format!("http://{listen}");
		let data = network.folder().join("gateway").display().to_string();
		let config = network.folder().join("gateway.toml");
		// The workers are beside it.
		let text = format!("{keys}[limits]\nallow_private_endpoints = true\n\n{sections}");
		std::fs::write(&config, text).expect("the test's folder is writable");
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

	/// One of its figures, named with its labels; zero while there is none of these labels.
	pub async fn figure(&self, http: &Http, name: &str) -> u64 {
		let url = format!("{}/metrics", self.url);
		let answer = http.get(&url).await.expect("the gateway answers");
		assert_eq!(answer.status, 200, "{answer:?}");
		let text = String::from_utf8_lossy(&answer.body).into_owned();
		let mut values = text
			.lines()
			.filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
		let value = values.next().map(str::parse::<u64>);
		value.map_or(0, |value| value.expect("it is a whole number"))
	}

	/// URL of a deal.
	pub fn deal(&self, deal: u64) -> String {
		format!("{}/deals/{deal}", self.url)
	}
}
