//! A development chain, anchored on an EVM, with one relayer as it is without a configuration.

use millrace_e2e::{binaries, command, eventually, Anvil, Network, Process, Ran};
use std::time::Duration;

/// Longest run of a command, and longest wait for the first signed block.
pub(crate) const LIMIT: Duration = Duration::from_secs(180);
/// The anchor's blocks, one a second, are final when they are twice as many behind its head.
const ANVIL_SLOTS: u64 = 3;

/// All of it.
pub(crate) struct Anchored {
	// Before the network, whose folder the others write into.
	pub(crate) relay: Process,
	pub(crate) anvil: Anvil,
	pub(crate) network: Network,
}

impl Anchored {
	/// Starts it with the chain as it is named.
	pub(crate) async fn start() -> Self {
		Self::beside(Network::dev().await).await
	}

	/// Starts it beside a chain. The contract is the one that the chain's preset names.
	pub(crate) async fn beside(network: Network) -> Self {
		let anvil = Anvil::start(network.folder(), ANVIL_SLOTS).await;
		eventually("a block is signed", LIMIT, async || {
			let newest = millrace_anchor::ours::newest(&network.chain).await;
			newest
				.map_err(|error| error.to_string())?
				.ok_or_else(|| "none is".to_string())
		})
		.await;
		let node = network.node.ws();
		let place = ["--node", &node, "--anchor", &anvil.url];
		let deploy = ["anchor", "deploy", "--anchor-key", "dev:0", "--json"];
		let arguments = [&deploy[..], &place].concat();
		command::millrace(network.folder(), LIMIT, arguments)
			.await
			.succeeded();
		let relay = ["anchor", "relay", "--anchor-key", "dev:3"];
		let relay = Process::start(
			network.folder(),
			"relay",
			&binaries::millrace(),
			[&relay[..], &place].concat(),
		);
		Self {
			relay,
			anvil,
			network,
		}
	}

	/// Runs the tool with the chain's node.
	pub(crate) async fn tool(&self, arguments: &[&str]) -> Ran {
		let node = self.network.node.ws();
		let all = [arguments, &["--node", &node, "--json"]].concat();
		command::millrace(self.network.folder(), LIMIT, all).await
	}

	/// Runs it with the anchor besides.
	pub(crate) async fn anchor_tool(&self, arguments: &[&str]) -> Ran {
		let all = [arguments, &["--anchor", &self.anvil.url]].concat();
		self.tool(&all).await
	}
}
