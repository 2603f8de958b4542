//! A deal that is not for everybody: who brings a token, signs with a key or comes too often, at the
//! gateway and at the worker behind it.

use crate::{one_worker::Scene, probed};
use millrace_client::AccountId;
use millrace_e2e::{
	command::{millrace, Ran},
	deal::specification,
	eventually,
	network::Stored,
	provider::EPOCHS,
	Deal,
};
use millrace_primitives::{
	access::{token_hash, Access},
	market::DealSpec,
};
use serde_json::Value;
use std::time::Duration;

/// Latest position in an epoch at which the deal is first called.
const LATE: u32 = 20;
/// Longest run of the tool, and longest wait for what takes a few blocks.
const MINUTE: Duration = Duration::from_secs(60);
const TOKEN: &str = "a-token-of-many-letters";

/// What the steps work with.
struct Caller<'a> {
	scene: &'a Scene,
	deal: &'a Deal,
}

impl Caller<'_> {
	/// Runs the tool as the deal's owner.
	async fn millrace(&self, arguments: &[&str]) -> Ran {
		let Scene {
			network, gateway, ..
		} = self.scene;
		let node = network.node.ws();
		let global = [
			"--json",
			"--node",
			&node,
			"--gateway",
			&gateway.url,
			"--key",
			"//Charlie",
		];
		let line = [&global[..], arguments].concat();
		millrace(network.folder(), MINUTE, line).await
	}

	async fn invoke(&self, caller: &[&str]) -> Ran {
		let deal = self.deal.id.to_string();
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
		let deal = self.deal.id.to_string();
		let change = [&["deal", "access", &deal][..], access].concat();
		let told = self.millrace(&change).await.succeeded().json();
		told["spec"].clone()
	}
}

/// An order that is for those who bring a token.
pub(crate) fn order(package: &Stored) -> DealSpec<AccountId> {
	let tokens = vec![token_hash(TOKEN.as_bytes())];
	DealSpec {
		access: Access::Tokens(tokens.try_into().expect("one fits")),
		..specification(package, 1)
	}
}

/// It is for its tokens, then for a key, then open, and then as often as it says. While it is open, its
/// worker is asked over the chain.
pub(crate) async fn is_for_its_tokens_and_keys_and_then_open(scene: &Scene, deal: &Deal) {
	let Scene {
		provider,
		gateway,
		network,
		..
	} = scene;
	deal.until_live(network, 1, LATE).await;
	let folder = network.folder();
	for (name, text) in [("token", TOKEN), ("input.txt", "hello")] {
		std::fs::write(folder.join(name), text).expect("the test's folder is writable");
	}
	let caller = Caller { scene, deal };

	let token = ["--access-token-file", "token"];
	caller.until_let_in(&token).await;
	let denied = (1, "access_denied".to_string());
	assert_eq!(caller.invoke(&[]).await.error(), denied);
	// The worker trusts no gateway, and asks itself.
	let direct = format!("{}/deals/{}", provider.peers[0].url, deal.id);
	let answer = network.http.post(&direct, "hello").await;
	let answer = answer.expect("the worker answers");
	assert_eq!(answer.error(), (401, "access_denied".into()));

	let made = caller.millrace(&["key", "generate", "peer", "caller.json"]);
	made.await.succeeded();
	let key = ["--access-key", "caller.json"];
	let listed = caller.change(&key).await;
	let keys = listed["access"]["keys"].as_array().expect("it is a list");
	assert_eq!(keys.len(), 1);
	caller.until_let_in(&key).await;
	assert_eq!(caller.invoke(&token).await.error(), denied);

	assert_eq!(caller.change(&["--open"]).await["access"], "open");
	caller.until_let_in(&[]).await;
	probed::is_answered(scene, deal).await;
	caller.change(&["--rate", "1/h"]).await;
	let url = gateway.deal(deal.id);
	let limited = eventually("a caller is counted out", EPOCHS, async || {
		let answer = network.http.post(&url, "hello").await?;
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
