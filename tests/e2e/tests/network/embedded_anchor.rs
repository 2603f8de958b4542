//! The relayer beside an anchor as Filecoin is: rounds without a tipset, receipts that come a tipset late, and a
//! lag of finality. Both are killed in the middle, and nothing is lost or there twice.

use crate::anchored::{quick_relay, Anchored, LIMIT, RELAYER};
use millrace_anchor::evm::AnchorKey;
use millrace_client::AccountKey;
use millrace_e2e::{
	embedded_anchor::Rounds,
	eventually,
	network::{account, free_ports},
	EmbeddedAnchor, Network,
};
use millrace_primitives::{Balance, FLT};
use serde_json::Value;

/// Some six seconds until a tipset is final: longer than a deposit takes from there to the chain's accounts.
const ROUNDS: Rounds = Rounds {
	ms: 400,
	null_percent: 30,
	finality: 15,
};
/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 30;

/// A chain beside such an anchor.
struct Scene {
	anchored: Anchored<EmbeddedAnchor>,
	/// The relayer's configuration.
	settings: String,
	/// Port of its figures.
	metrics: u16,
	/// Its address on the anchor.
	relayer: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flt_goes_both_ways_over_null_rounds_and_deaths_of_anchor_and_relayer() {
	let mut scene = Scene::start().await;

	// A message brings a checkpoint, and by that it is claimed.
	let sent = scene.anchored.withdraw("100 FLT").await;
	scene.anchored.until_covered(sent.block).await;
	scene.claims(sent.nonce, 100).await;
	assert_eq!(scene.anchored.both_sides().await, (100 * FLT, 100 * FLT));

	// The anchor is away for a while before a deposit is final there; the relayer is not.
	let to = account("//Returned");
	let round = scene.deposit("40 FLT", &to, 1).await;
	scene.anchored.anchor.kill().await;
	scene.until_unread().await;
	scene.anchored.anchor.restart().await;
	scene.until_taken(1, round).await;
	assert_eq!(scene.free(&to).await, 40 * FLT, "to the unit");
	assert_eq!(scene.anchored.both_sides().await, (60 * FLT, 60 * FLT));
	scene.anchored.relay.assert_running();
	scene.assert_well().await;

	// The relayer dies with a checkpoint under way, and the anchor behind it; the relayer is back first.
	let before = scene.sent().await;
	let sent = scene.anchored.withdraw("5 FLT").await;
	scene.until_sent(before).await;
	scene.anchored.relay.kill().await;
	let round = scene.deposit("20 FLT", &to, 2).await;
	scene.anchored.anchor.kill().await;
	scene.anchored.restart_relay(&["--config", &scene.settings]);
	eventually("the relayer is there", LIMIT, async || {
		scene.figures().await.map(|_| ())
	})
	.await;
	scene.anchored.anchor.restart().await;
	scene.anchored.until_covered(sent.block).await;
	scene.claims(sent.nonce, 45).await;
	scene.until_taken(2, round).await;
	assert_eq!(scene.free(&to).await, 60 * FLT, "each once");
	assert_eq!(scene.anchored.both_sides().await, (45 * FLT, 45 * FLT));
	scene.anchored.relay.assert_running();
	scene.assert_well().await;

	// It has looked through all rounds, some of which there were not.
	assert!(scene.anchored.anchor.null_rounds().await > 0);
	let figures = scene.figures().await.expect("the relayer answers");
	assert!(!figures.contains(r#"failures{side="scan"}"#), "{figures}");
}

impl Scene {
	async fn start() -> Self {
		let network = Network::quick(EPOCH_BLOCKS).await;
		let anchor = EmbeddedAnchor::start(network.folder(), ROUNDS).await;
		let [metrics] = free_ports();
		let settings = quick_relay(network.folder(), metrics);
		let url = anchor.url.clone();
		let options = ["--config", settings.as_str()];
		let anchored = Anchored::on(network, anchor, url, &options).await;
		let relayer = AnchorKey::development(RELAYER).expect("there are ten");
		Self {
			anchored,
			settings,
			metrics,
			relayer: relayer.address().to_string(),
		}
	}

	/// Claims a withdrawal, whereafter the holder has so many FLT.
	async fn claims(&self, nonce: u64, has: Balance) {
		let claimed = self.anchored.claim(nonce).await.succeeded().json();
		assert_eq!(claimed["balance"], (has * FLT).to_string(), "{claimed}");
	}

	/// Deposits for an account, which makes so many messages; the deposit's round.
	async fn deposit(&self, amount: &str, to: &AccountKey, messages: u64) -> u64 {
		let made: Value = self.anchored.deposit(amount, &to.address()).await;
		assert_eq!(made["messages"], messages, "{made}");
		made["epoch"].as_u64().expect("a number")
	}

	/// Waits until the chain has taken so many messages, the last of which is of a round: it is final there when
	/// that is seen here.
	async fn until_taken(&self, nonce: u64, round: u64) {
		let what = format!("{nonce} messages are taken");
		eventually(&what, LIMIT, async || {
			let view = self.anchored.network.chain.latest().await;
			let view = view.map_err(|error| error.to_string())?;
			let ours = view.anchor().await.map_err(|error| error.to_string())?;
			// Asked for behind that: it only grows.
			let last_final = self.anchored.anchor.finalized().await;
			let state = format!(
				"{} are; round {last_final} is final, and the message is of round {round}",
				ours.taken.nonce
			);
			if ours.taken.nonce < nonce {
				return Err(state);
			}
			assert!(last_final >= round, "{state}");
			Ok(())
		})
		.await;
	}

	/// Waits until the relayer has found the anchor away.
	async fn until_unread(&self) {
		eventually("a look at the anchor has failed", LIMIT, async || {
			let figures = self.figures().await?;
			match figures.contains(r#"failures{side="read"}"#) {
				true => Ok(()),
				false => Err("none has".into()),
			}
		})
		.await;
	}

	/// Transactions of the relayer.
	async fn sent(&self) -> u64 {
		self.anchored.anchor.sent(&self.relayer).await
	}

	/// Waits until it has sent more than so many.
	async fn until_sent(&self, before: u64) {
		eventually("a checkpoint is under way", LIMIT, async || {
			match self.sent().await {
				sent if sent > before => Ok(()),
				sent => Err(format!("{sent} transactions were sent")),
			}
		})
		.await;
	}

	async fn free(&self, account: &AccountKey) -> Balance {
		let view = self.anchored.network.chain.latest().await;
		let view = view.expect("the node is up");
		let balance = view.balance(&account.account()).await;
		balance.expect("it can be read").free
	}

	/// What the relayer tells of itself.
	async fn figures(&self) -> Result<String, String> {
		let url = format!("http://127.0.0.1:{}/metrics", self.metrics);
		let answer = self.anchored.network.http.get(&url).await?;
		Ok(String::from_utf8_lossy(&answer.body).into_owned())
	}

	/// Nobody needs to look at it.
	async fn assert_well(&self) {
		let figures = self.figures().await.expect("the relayer answers");
		let alarms = figures
			.lines()
			.filter(|line| line.starts_with("millrace_anchor_alarm{"));
		let alarms: Vec<&str> = alarms.collect();
		assert!(!alarms.is_empty(), "{figures}");
		let raised = |line: &&str| !line.ends_with(" 0");
		assert!(!alarms.iter().any(raised), "{alarms:?}");
	}
}
