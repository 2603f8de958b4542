//! A deal that is not for everybody: who brings a token, signs with a key or comes too often, at the
//! gateway and at the worker behind it.

use millrace_e2e::{
	command::{millrace, Ran},
	deal::specification,
	eventually, guests,
	network::{account, little_work},
	provider::EPOCHS,
	Deal, Gateway, Network, Process, Provider,
};
use millrace_primitives::{
	access::{token_hash, Access},
	market::DealSpec,
	DealId,
};
use serde_json::Value;
use std::time::Duration;

/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 26;
/// Latest position in an epoch at which the deal is first called.
const LATE: u32 = 20;
/// Epochs at the ceiling that the escrow pays.
const PREPAID: u32 = 40;
/// Longest run of the tool, and longest wait for what takes a few blocks.
const MINUTE: Duration = Duration::from_secs(60);
const TOKEN: &str = "a-token-of-many-letters";

/// What the steps work with.
struct Scene {
	_workers: Vec<Process>,
	gateway: Gateway,
	deal: DealId,
	/// The last field: what writes into its folder goes before it.
	network: Network,
}

impl Scene {
	/// Runs the tool as the deal's owner.
	async fn millrace(&self, arguments: &[&str]) -> Ran {
		let node = self.network.node.ws();
		let global = [
			"--json",
			"--node",
			&node,
			"--gateway",
			&self.gateway.url,
			"--key",
			"//Charlie",
		];
		let line = [&global[..], arguments].concat();
		millrace(self.network.folder(), MINUTE, line).await
	}

	async fn invoke(&self, caller: &[&str]) -> Ran {
		let deal = self.deal.to_string();
		let call = ["invoke", &deal, "/a?b=c", "--data", "input.txt"];
		self.millrace(&[&call[..], caller].concat()).await
	}

	/// Calls until gateway and worker have heard that this caller may.
	async fn until_let_in(&self, caller: &[&str]) {
		let what = format!("{caller:?} is let in");
		eventually(&what, MINUTE, async || {
			let ran = self.invoke(caller).await;
			match ran.status {
				0 => Ok(()),
				_ => Err(format!("{:?}", ran.error())),
			}
		})
		.await;
	}

	/// Changes who may call; the specification as it is then.
	async fn change(&self, access: &[&str]) -> Value {
		let deal = self.deal.to_string();
		let change = [&["deal", "access", &deal][..], access].concat();
		let told = self.millrace(&change).await.succeeded().json();
		told["spec"].clone()
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_deal_is_for_its_tokens_and_keys_and_an_open_one_as_often_as_it_says() {
	let (network, _) = Network::quick_with(EPOCH_BLOCKS, &little_work()).await;
	let provider = Provider::register(&network, "//Bob", 1, 1).await;
	let workers = provider.start_workers(&network).await;
	let gateway = Gateway::start(&network).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	let tokens = vec![token_hash(TOKEN.as_bytes())];
	let spec = DealSpec {
		access: Access::Tokens(tokens.try_into().expect("one fits")),
		..specification(&package, 1)
	};
	let deal = Deal::create(&network, &account("//Charlie"), &spec, PREPAID).await;
	deal.until_live(&network, 1, LATE).await;
	let folder = network.folder();
	for (name, text) in [("token", TOKEN), ("input.txt", "hello")] {
		std::fs::write(folder.join(name), text).expect("the test's folder is writable");
	}
	let scene = Scene {
		_workers: workers,
		gateway,
		deal: deal.id,
		network,
	};

	let token = ["--access-token-file", "token"];
	scene.until_let_in(&token).await;
	let denied = (1, "access_denied".to_string());
	assert_eq!(scene.invoke(&[]).await.error(), denied);
	// The worker trusts no gateway, and asks itself.
	let direct = format!("{}/deals/{}", provider.peers[0].url, deal.id);
	let answer = scene.network.http.post(&direct, "hello").await;
	let answer = answer.expect("the worker answers");
	assert_eq!(answer.error(), (401, "access_denied".into()));

	let made = scene.millrace(&["key", "generate", "peer", "caller.json"]);
	made.await.succeeded();
	let key = ["--access-key", "caller.json"];
	let listed = scene.change(&key).await;
	let keys = listed["access"]["keys"].as_array().expect("it is a list");
	assert_eq!(keys.len(), 1);
	scene.until_let_in(&key).await;
	assert_eq!(scene.invoke(&token).await.error(), denied);

	assert_eq!(scene.change(&["--open"]).await["access"], "open");
	scene.until_let_in(&[]).await;
	scene.change(&["--rate", "1/h"]).await;
	let url = scene.gateway.deal(deal.id);
	let limited = eventually("a caller is counted out", EPOCHS, async || {
		let answer = scene.network.http.post(&url, "hello").await?;
		match answer.error() {
			(429, code) if code == "rate_limited" => Ok(answer),
			other => Err(format!("{other:?}")),
		}
	});
	let limited = limited.await;
	let seconds: u64 = limited
		.header("retry-after")
		.parse()
		.expect("it is a number");
	assert!((3_000..=3_600).contains(&seconds), "{seconds}");
}
