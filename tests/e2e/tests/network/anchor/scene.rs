//! A chain of four validators, an anchor with the contracts, and relayers.

use millrace_client::{AccountKey, Chain, View};
use millrace_e2e::{
	command, eventually,
	fault_proxy::FaultProxy,
	network::{folder, free_ports, little_work},
	spec, until,
	validator::Nodes,
	Anvil, Http, Network, Node, Process, Ran,
};
use millrace_primitives::Balance;
use serde_json::{json, Value};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};
use tempfile::TempDir;

/// Key that holds FLT on the anchor. The first one deploys, so that the contract is where the chain expects
/// it; those from the third on are the relayers'.
pub(super) const HOLDER: &str = "dev:1";
/// Its address.
const HOLDER_ADDRESS: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// Longest wait for what takes a few sessions, on a busy machine.
pub(super) const WAIT: Duration = Duration::from_secs(300);
/// Longest wait for what takes a few blocks.
pub(super) const SHORT: Duration = Duration::from_secs(60);
/// Milliseconds of a slot.
const SLOT_MS: u64 = 600;
/// Slots of a session: 12 s, and too few for anybody to be found silent.
const SESSION_SLOTS: u64 = 20;
/// The anchor calls blocks final that are six behind its head: a part of it can be taken back.
const ANVIL_SLOTS: u64 = 3;
/// Blocks of an epoch, of which a job takes a few.
const EPOCH_BLOCKS: u32 = 36;
/// Accounts of the chain that report offences.
const REPORTERS: [&str; 4] = ["//Eve", "//Ferdie", "//Alice", "//Bob"];
/// The validators.
const NAMES: [&str; 4] = ["alice", "bob", "charlie", "dave"];

/// Who runs the relayers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relays {
	/// Each validator's node.
	InNodes,
	/// The test: it can end them.
	Beside,
}

/// All of it.
pub(super) struct Scene {
	pub(super) anvil: Anvil,
	pub(super) proxy: FaultProxy,
	pub(super) chain: Chain,
	_nodes: Vec<Node>,
	first: Option<Node>,
	ws: String,
	relays: Vec<Process>,
	settings: Vec<PathBuf>,
	/// URLs of the nodes, in the order of the validators' names.
	pub(super) urls: Vec<String>,
	metrics: u16,
	http: Http,
	/// Where the tool runs.
	pub(super) path: PathBuf,
	// The last field: it is dropped when everything that writes into it has been killed.
	folder: Option<TempDir>,
}

impl Scene {
	/// Starts validators and anchor, deploys the contracts and starts the relayers.
	pub(super) async fn start(relays: Relays) -> Self {
		Self::with_epochs(relays, EPOCH_BLOCKS).await
	}

	/// The same with epochs of so many blocks.
	pub(super) async fn with_epochs(relays: Relays, blocks: u32) -> Self {
		let folder = folder();
		let path = folder.path().to_path_buf();
		let anvil = Anvil::start(&path, ANVIL_SLOTS).await;
		let proxy = FaultProxy::start(&anvil.url).await;
		let [metrics] = free_ports();
		let settings: Vec<PathBuf> = (0..NAMES.len())
			.map(|index| write_settings(&path, index, [&anvil.url, &proxy.url], metrics))
			.collect();
		let mut patch = little_work();
		patch["timing"] = json!({ "slotMs": SLOT_MS, "sessionSlots": SESSION_SLOTS });
		// Daemons act on final blocks, of which these validators are some behind the best one.
		patch["epochs"]["lengths"] = json!({
			"len": blocks, "report_window": 12, "fold_window": 2, "answer_window": 16,
		});
		let spec = spec::patched(&path, "local", "anchored", &patch);
		let spec = spec::built(&spec).display().to_string();
		let mut network = Nodes::of(&path, &spec);
		let mut nodes = Vec::new();
		for (name, settings) in NAMES.iter().zip(&settings) {
			let key = format!("--{name}");
			let settings = settings.display().to_string();
			let mut options = vec![key.as_str()];
			if relays == Relays::InNodes {
				options.extend(["--anchor-relay", settings.as_str()]);
			}
			nodes.push(network.validator(name, &options).await);
		}
		let mut first = nodes.remove(0);
		let chain = first.connect().await;
		let mut urls = vec![first.ws()];
		urls.extend(nodes.iter().map(Node::ws));
		let mut scene = Self {
			ws: first.ws(),
			first: Some(first),
			anvil,
			proxy,
			chain,
			_nodes: nodes,
			relays: Vec::new(),
			settings,
			urls,
			metrics,
			http: Http::default(),
			path,
			folder: Some(folder),
		};
		scene.deploy().await;
		if relays == Relays::Beside {
			scene.start_relays();
		}
		scene
	}

	async fn deploy(&self) {
		self.until_signed_block().await;
		let ran = self
			.tool(&["anchor", "deploy", "--anchor-key", "dev:0", "--json"])
			.await;
		let told = ran.succeeded().json();
		let named = self
			.chain
			.latest()
			.await
			.expect("the node is up")
			.anchor()
			.await;
		let named = named
			.expect("it can be read")
			.anchor
			.expect("the preset names one");
		let contract = told["contract"]
			.as_str()
			.expect("an address")
			.to_lowercase();
		assert_eq!(
			contract,
			format!("{:?}", named.contract),
			"it is where the chain expects it"
		);
	}

	/// A network around the first node, for what works with one.
	pub(super) async fn network(mut self) -> (Network, Self) {
		let folder = self.folder.take().expect("it is asked for once");
		let node = self.first.take().expect("it is asked for once");
		(Network::around(folder, node).await, self)
	}

	/// Starts a relayer for each validator.
	pub(super) fn start_relays(&mut self) {
		let validators = self.settings.iter().zip(&self.urls).zip(REPORTERS);
		let relays: Vec<Process> = validators
			.enumerate()
			.map(|(index, ((settings, url), reporter))| {
				self.start_relay(&format!("relay-{index}"), settings, url, reporter)
			})
			.collect();
		self.relays.extend(relays);
	}

	/// Starts a relayer with its configuration, at a node.
	pub(super) fn start_relay(
		&self,
		name: &str,
		settings: &Path,
		url: &str,
		reporter: &str,
	) -> Process {
		let program = millrace_e2e::binaries::millrace();
		let settings = settings.display().to_string();
		let arguments = [
			"anchor", "relay", "--config", &settings, "--node", url, "--key", reporter,
		];
		Process::start(&self.path, name, &program, arguments)
	}

	/// Kills all of them.
	pub(super) async fn stop_relays(&mut self) {
		for relay in &mut self.relays {
			relay.kill().await;
		}
		self.relays.clear();
	}

	/// Runs the tool with the chain's node and the anchor.
	pub(super) async fn tool(&self, arguments: &[&str]) -> Ran {
		let mut all = vec!["--node", self.ws.as_str()];
		all.extend(arguments);
		if !arguments.contains(&"withdraw") {
			all.extend(["--anchor", self.anvil.url.as_str()]);
		}
		command::millrace(&self.path, WAIT, all).await
	}

	/// Locks FLT of an account for the holder; the message's number.
	pub(super) async fn withdraw(&self, name: &str, amount: &str) -> u64 {
		let arguments = [
			"anchor",
			"withdraw",
			amount,
			"--to",
			HOLDER_ADDRESS,
			"--key",
			name,
			"--json",
		];
		let told = self.tool(&arguments).await.succeeded().json();
		told["nonce"].as_u64().expect("a number")
	}

	/// Claims a withdrawal once a checkpoint covers it.
	pub(super) async fn claim(&self, nonce: u64) -> Value {
		let nonce = nonce.to_string();
		let arguments = [
			"anchor",
			"claim",
			&nonce,
			"--wait",
			"240",
			"--anchor-key",
			HOLDER,
			"--json",
		];
		self.tool(&arguments).await.succeeded().json()
	}

	/// Deposits for an account and waits until the chain has taken it.
	pub(super) async fn deposit(&self, amount: &str, to: &str) -> Value {
		let arguments = [
			"anchor",
			"deposit",
			amount,
			"--to",
			to,
			"--wait",
			"240",
			"--anchor-key",
			HOLDER,
			"--json",
		];
		self.tool(&arguments).await.succeeded().json()
	}

	/// Deposits for an account.
	pub(super) async fn deposit_only(&self, amount: &str, to: &str) -> Value {
		let arguments = [
			"anchor",
			"deposit",
			amount,
			"--to",
			to,
			"--anchor-key",
			HOLDER,
			"--json",
		];
		self.tool(&arguments).await.succeeded().json()
	}

	/// What the tool says of both sides.
	pub(super) async fn try_status(&self) -> Result<Value, String> {
		let ran = self.tool(&["anchor", "status", "--json"]).await;
		match ran.status {
			0 => Ok(ran.json()),
			_ => Err(ran.stderr),
		}
	}

	pub(super) async fn status(&self) -> Value {
		eventually("both sides answer", SHORT, async || self.try_status().await).await
	}

	/// FLT on the anchor.
	pub(super) async fn minted(&self) -> Balance {
		let status = self.status().await;
		let text = status["contract"]["minted"].as_str().expect("digits");
		text.parse().expect("digits")
	}

	/// Messages of the anchor that the chain has taken.
	pub(super) async fn taken(&self) -> u64 {
		let view = self.chain.latest().await.expect("the node is up");
		view.anchor().await.expect("it can be read").taken.nonce
	}

	/// Waits until it has taken so many.
	pub(super) async fn until_taken(&self, nonce: u64) {
		let what = format!("{nonce} messages are taken");
		until(&self.chain, &what, WAIT, async |view: &View| {
			Ok((view.anchor().await?.taken.nonce >= nonce).then_some(()))
		})
		.await;
	}

	/// Free balance of an account.
	pub(super) async fn free(&self, account: &AccountKey) -> Balance {
		let view = self.chain.latest().await.expect("the node is up");
		view.balance(&account.account())
			.await
			.expect("it can be read")
			.free
	}

	/// Waits until validators have signed a block; its number.
	pub(super) async fn until_signed_block(&self) -> u32 {
		eventually(
			"a block is signed",
			WAIT,
			async || match millrace_anchor::ours::newest(&self.chain).await {
				Ok(Some(signed)) => Ok(signed.number),
				Ok(None) => Err("none is".into()),
				Err(error) => Err(error.to_string()),
			},
		)
		.await
	}

	/// Waits until the chain is in a set.
	pub(super) async fn until_chain_set(&self, set: u64) {
		let what = format!("set {set} signs");
		until(&self.chain, &what, WAIT, async |view: &View| {
			let current = view.checkpoint_set().await?.map(|set| set.id);
			Ok(current.is_some_and(|current| current >= set).then_some(()))
		})
		.await;
	}

	/// Waits until the contract believes a set; the one that it believes then.
	pub(super) async fn until_contract_set(&self, set: u64) -> u64 {
		let what = format!("the contract believes set {set}");
		eventually(&what, WAIT, async || {
			let status = self.try_status().await?;
			match status["contract"]["status"]["set_id"].as_u64() {
				Some(found) if found >= set => Ok(found),
				_ => Err(status["contract"]["status"].to_string()),
			}
		})
		.await
	}

	/// Waits until the first relayer has an alarm, or has it no more.
	pub(super) async fn until_alarm(&self, kind: &str, value: f64) {
		self.until_alarm_at(self.metrics, kind, value).await;
	}

	/// Waits until the relayer that tells its figures at a port has an alarm, or has it no more.
	pub(super) async fn until_alarm_at(&self, port: u16, kind: &str, value: f64) {
		let url = format!("http://127.0.0.1:{port}/metrics");
		let line = format!("millrace_anchor_alarm{{kind=\"{kind}\"}} {value}");
		eventually(&line.clone(), SHORT, async || {
			let answer = self.http.get(&url).await?;
			let text = String::from_utf8_lossy(&answer.body).into_owned();
			match text.lines().any(|found| found == line) {
				true => Ok(()),
				false => Err(text.lines().filter(|line| line.contains("alarm")).collect()),
			}
		})
		.await;
	}
}

/// Writes a relayer's configuration: quick, of two servers that must agree, and with a key of its own. The
/// first one tells its figures.
fn write_settings(folder: &Path, index: usize, servers: [&str; 2], metrics: u16) -> PathBuf {
	let listen = match index {
		0 => format!("listen = \"127.0.0.1:{metrics}\"\n"),
		_ => String::new(),
	};
	let text = format!(
		"{listen}[anchor]\nrpcs = {servers:?}\nkey = \"dev:{}\"\npoll_ms = 500\n\
		 stagger_seconds = 6\nbump_seconds = 20\nheartbeat_seconds = 600\n",
		index + 3
	);
	let path = folder.join(format!("relay-{index}.toml"));
	std::fs::write(&path, text).expect("the test's folder is writable");
	path
}
