//! Whatever is wrong has its own error at the layer where its user stands: HTTP status and code,
//! exit status and code, dispatch error.

mod chain;
mod doors;
mod receipts;
mod tool;

use millrace_client::calls;
use millrace_e2e::{
	command::millrace,
	deal::specification,
	guests,
	http::Answer,
	network::{account, Stored},
	provider::{settle, ASK},
	Deal, Gateway, Network, Process, Provider, Ran,
};
use millrace_primitives::{market::CallLimits, DealId};
use std::{path::PathBuf, time::Duration};

/// Limits that the odd guest meets quickly: memory of 16 pages, requests of a kibibyte.
const TIGHT: CallLimits = CallLimits {
	gas: 5_000_000,
	memory_bytes: 1024 * 1024,
	request_bytes: 1024,
	response_bytes: 64 * 1024,
};
/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 26;
/// Longest run of the tool.
const MINUTE: Duration = Duration::from_secs(60);
/// 32 bytes in hexadecimal.
const ELEVENS: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// What the checks work with.
struct Scene {
	_workers: Vec<Process>,
	gateway: Gateway,
	provider: Provider,
	/// Runs the odd guest under tight limits.
	odd: Deal,
	/// Prepaid for two epochs.
	short: Deal,
	/// Offers less than anybody asks.
	cheap: Deal,
	// The last field: what writes into its folder goes before it.
	network: Network,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_wrong_has_its_own_error() {
	let network = Network::quick(EPOCH_BLOCKS).await;
	let provider = Provider::register(&network, "//Bob", 1, 2).await;
	let liar = Provider::register(&network, "//Ferdie", 1, 1).await;
	let workers = provider.start_workers(&network).await;
	let gateway = Gateway::start(&network).await;
	let package = gateway.upload(&network.http, guests::odd()).await;
	let (odd, short, cheap) = deals(&network, &package).await;
	let scene = Scene {
		_workers: workers,
		gateway,
		provider,
		odd,
		short,
		cheap,
		network,
	};

	tool::packages_are_refused(&scene).await;
	tool::the_tool_refuses(&scene).await;
	chain::a_key_needs_its_own_proof(&scene).await;
	let slash = chain::a_forged_opening_is_found_out(&scene, &liar).await;

	let ids = scene.provider.ids();
	settle(&scene.network, &ids, scene.provider.first_epoch).await;
	scene.odd.until_live(&scene.network, 1, 10).await;
	chain::the_chain_refuses(&scene).await;
	doors::requests_are_refused(&scene).await;
	doors::guests_fail_with_a_receipt(&scene).await;
	receipts::receipts_are_checked(&scene).await;

	let client = account("//Charlie");
	let stop = calls::market::stop(scene.odd.id);
	scene
		.network
		.chain
		.submit(&client, stop)
		.await
		.expect("the owner may stop it");
	doors::deals_without_money_or_time_are_not_served(&scene).await;
	chain::a_slash_that_waited_burns_once(&scene, &liar, &slash).await;
}

/// Three orders of one worker each.
async fn deals(network: &Network, package: &Stored) -> (Deal, Deal, Deal) {
	let client = account("//Charlie");
	let mut spec = specification(package, 1);
	spec.limits = TIGHT;
	let odd = Deal::create(network, &client, &spec, 40).await;
	spec.price_ceiling = ASK;
	let short = Deal::create(network, &client, &spec, 2).await;
	spec.price_ceiling = ASK - 1;
	let cheap = Deal::create(network, &client, &spec, 2).await;
	(odd, short, cheap)
}

impl Scene {
	async fn tool(&self, arguments: &[&str]) -> Ran {
		let (node, gateway) = (self.network.node.ws(), &self.gateway.url);
		let common = ["--json", "--node", &node, "--gateway", gateway];
		let all = common.iter().chain(arguments);
		millrace(self.network.folder(), MINUTE, all).await
	}

	/// The tool fails with a status and a code.
	async fn tool_fails(&self, arguments: &[&str], status: i32, code: &str) {
		let ran = self.tool(arguments).await;
		assert_eq!(
			ran.error(),
			(status, code.into()),
			"millrace {arguments:?}: {ran:?}"
		);
	}

	fn file(&self, name: &str, content: &[u8]) -> String {
		let path: PathBuf = self.network.folder().join(name);
		std::fs::write(&path, content).expect("the folder is writable");
		path.display().to_string()
	}

	/// URLs of a deal at the gateway and at the worker.
	fn doors(&self, deal: DealId) -> [String; 2] {
		let worker = &self.provider.peers[0].url;
		[self.gateway.deal(deal), format!("{worker}/deals/{deal}")]
	}

	async fn call(&self, url: &str, body: &str) -> Answer {
		let answer = self.network.http.post(url, body.to_string()).await;
		answer.unwrap_or_else(|error| panic!("{url}: {error}"))
	}

	async fn get(&self, url: &str) -> (u16, String) {
		let answer = self.network.http.get(url).await;
		answer
			.unwrap_or_else(|error| panic!("{url}: {error}"))
			.error()
	}
}
