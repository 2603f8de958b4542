//! A development chain, anchored on an EVM, with one relayer.

use millrace_anchor::{contract::Status, evm::Address, Contract, RelayConfig};
use millrace_e2e::{binaries, command, eventually, Anvil, Network, Process, Ran};
use millrace_primitives::Balance;
use serde_json::Value;
use std::{path::Path, time::Duration};

/// Longest run of a command, and longest wait for the first signed block.
pub(crate) const LIMIT: Duration = Duration::from_secs(180);
/// Key that holds FLT on the anchor. The first one deploys, so that the contract is where the chain expects it.
pub(crate) const HOLDER: &str = "dev:1";
/// Its address.
pub(crate) const HOLDER_ADDRESS: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// Number of the relayer's key.
pub(crate) const RELAYER: usize = 3;
/// The anchor's blocks, one a second, are final when they are twice as many behind its head.
const ANVIL_SLOTS: u64 = 3;

/// All of it.
pub(crate) struct Anchored<A = Anvil> {
	// Before the network, whose folder the others write into.
	pub(crate) relay: Process,
	pub(crate) anchor: A,
	pub(crate) network: Network,
	/// The contract as the anchor's server tells of it.
	pub(crate) contract: Contract,
	/// URL of the anchor.
	url: String,
}

/// A withdrawal that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
	/// Number of its message.
	pub(crate) nonce: u64,
	/// Block of the chain that it is in.
	pub(crate) block: u32,
}

impl Anchored<Anvil> {
	/// Starts it with the chain as it is named.
	pub(crate) async fn start() -> Self {
		Self::beside(Network::dev().await).await
	}

	/// Starts it beside a chain, with a relayer as it is without a configuration.
	pub(crate) async fn beside(network: Network) -> Self {
		let anvil = Anvil::start(network.folder(), ANVIL_SLOTS).await;
		let url = anvil.url.clone();
		let key = format!("dev:{RELAYER}");
		Self::on(network, anvil, url, &["--anchor-key", &key]).await
	}
}

impl<A> Anchored<A> {
	/// Starts it beside a chain and an anchor that has nothing of it yet, with a relayer of these options. The
	/// contract is the one that the chain's preset names.
	pub(crate) async fn on(network: Network, anchor: A, url: String, options: &[&str]) -> Self {
		eventually("a block is signed", LIMIT, async || {
			let newest = millrace_anchor::ours::newest(&network.chain).await;
			newest
				.map_err(|error| error.to_string())?
				.ok_or_else(|| "none is".to_string())
		})
		.await;
		let deploy = ["anchor", "deploy", "--anchor-key", "dev:0"];
		let deploy = [&deploy[..], &["--anchor", &url]].concat();
		tool(&network, &deploy).await.succeeded();
		let view = network.chain.latest().await.expect("the node is up");
		let named = view.anchor().await.expect("it can be read").anchor;
		let named = named.expect("the preset names one");
		let config = RelayConfig::of(vec![url.clone()]);
		let reads = config.reads().expect("that is a URL");
		Self {
			relay: start_relay(&network, &url, options),
			anchor,
			network,
			contract: Contract::new(reads, Address(named.contract.0)),
			url,
		}
	}

	/// Starts a relayer again, which was killed.
	pub(crate) fn restart_relay(&mut self, options: &[&str]) {
		self.relay = start_relay(&self.network, &self.url, options);
	}

	/// Runs the tool with the chain's node.
	pub(crate) async fn tool(&self, arguments: &[&str]) -> Ran {
		tool(&self.network, arguments).await
	}

	/// Runs it with the anchor besides.
	pub(crate) async fn anchor_tool(&self, arguments: &[&str]) -> Ran {
		let all = [arguments, &["--anchor", &self.url]].concat();
		self.tool(&all).await
	}

	/// Locks FLT for the holder.
	pub(crate) async fn withdraw(&self, amount: &str) -> Sent {
		let withdraw = ["anchor", "withdraw", amount, "--to", HOLDER_ADDRESS];
		let withdraw = [&withdraw[..], &["--key", "//Charlie"]].concat();
		let told = self.tool(&withdraw).await.succeeded().json();
		let number = |name: &str| told[name].as_u64().expect("a number");
		Sent {
			nonce: number("nonce"),
			block: u32::try_from(number("number")).expect("it is a block's"),
		}
	}

	/// Claims a withdrawal that a checkpoint covers.
	pub(crate) async fn claim(&self, nonce: u64) -> Ran {
		let nonce = nonce.to_string();
		let claim = ["anchor", "claim", &nonce, "--anchor-key", HOLDER];
		self.anchor_tool(&claim).await
	}

	/// Burns FLT of the holder for an account of the chain.
	pub(crate) async fn deposit(&self, amount: &str, to: &str) -> Value {
		let deposit = ["anchor", "deposit", amount, "--to", to];
		let deposit = [&deposit[..], &["--anchor-key", HOLDER]].concat();
		self.anchor_tool(&deposit).await.succeeded().json()
	}

	/// Where the contract stands.
	pub(crate) async fn status(&self) -> Result<Status, String> {
		let status = self.contract.status().await;
		status.map_err(|error| error.to_string())
	}

	/// Waits until a checkpoint covers the messages of a block; where the contract stands then.
	pub(crate) async fn until_covered(&self, block: u32) -> Status {
		let what = format!("a checkpoint covers block {block}");
		eventually(&what, LIMIT, async || {
			let status = self.status().await?;
			match status.latest_block > block && !status.root.is_zero() {
				true => Ok(status),
				false => Err(format!("the last one is of block {}", status.latest_block)),
			}
		})
		.await
	}

	/// FLT on the anchor, and FLT that is locked for it on the chain.
	pub(crate) async fn both_sides(&self) -> (Balance, Balance) {
		let minted = self.contract.flt_balance(None).await;
		let view = self.network.chain.latest().await.expect("the node is up");
		let locked = view.anchor().await.expect("it can be read").there;
		(minted.expect("the anchor answers"), locked)
	}
}

/// Runs the tool with a chain's node.
async fn tool(network: &Network, arguments: &[&str]) -> Ran {
	let node = network.node.ws();
	let all = [arguments, &["--node", &node, "--json"]].concat();
	command::millrace(network.folder(), LIMIT, all).await
}

fn start_relay(network: &Network, url: &str, options: &[&str]) -> Process {
	let node = network.node.ws();
	let relay = ["anchor", "relay", "--node", &node, "--anchor", url];
	let all = [&relay[..], options].concat();
	Process::start(network.folder(), "relay", &binaries::millrace(), all)
}

/// Writes the configuration of a relayer that is quick, and tells its figures at a port; the file's path.
pub(crate) fn quick_relay(folder: &Path, metrics: u16) -> String {
	let text = format!(
		"listen = \"127.0.0.1:{metrics}\"\n[anchor]\nkey = \"dev:{RELAYER}\"\npoll_ms = 300\n\
		 stagger_seconds = 1\nbump_seconds = 5\nheartbeat_seconds = 600\n"
	);
	let path = folder.join("relay.toml");
	std::fs::write(&path, text).expect("the test's folder is writable");
	path.display().to_string()
}
