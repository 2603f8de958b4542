//! An anchor as Filecoin is, as far as a relayer can tell: the embedded one.

use crate::{
	anvil::{ask, quantity},
	binaries, eventually,
	network::free_ports,
	Http, Process,
};
use serde_json::{json, Value};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// Time in which it must answer for the first time.
const START: Duration = Duration::from_secs(60);

/// Its rounds.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
	/// Milliseconds of each.
	pub ms: u64,
	/// Of a hundred, so many have no tipset.
	pub null_percent: u8,
	/// So many behind the newest state, tipsets are final.
	pub finality: u64,
}

/// The anchor, which keeps its port and its tipsets when it is started again.
#[derive(Debug)]
pub struct EmbeddedAnchor {
	process: Process,
	folder: PathBuf,
	arguments: Vec<String>,
	http: Http,
	/// Its URL.
	pub url: String,
}

impl EmbeddedAnchor {
	/// Starts one, with its tipsets in the folder.
	pub async fn start(folder: &Path, rounds: Rounds) -> Self {
		let [port] = free_ports();
		let listen = format!("127.0.0.1:{port}");
		let options = [
			("--data", folder.join("anchor.redb").display().to_string()),
			("--listen", listen.clone()),
			("--round-ms", rounds.ms.to_string()),
			("--null-percent", rounds.null_percent.to_string()),
			("--finality", rounds.finality.to_string()),
		];
		let arguments = options.map(|(name, value)| [name.to_string(), value]);
		let arguments = arguments.concat();
		let mut anchor = Self {
			process: launch(folder, &arguments),
			folder: folder.into(),
			arguments,
			http: Http::default(),
			url: format!("http://{listen}"),
		};
		anchor.until_up().await;
		anchor
	}

	/// Kills it with SIGKILL.
	pub async fn kill(&mut self) {
		self.process.kill().await;
	}

	/// Starts it again, with the tipsets that it had, and waits until it answers.
	pub async fn restart(&mut self) {
		self.process = launch(&self.folder, &self.arguments);
		self.until_up().await;
	}

	async fn until_up(&mut self) {
		let (process, http, url) = (&mut self.process, &self.http, &self.url);
		eventually("the embedded anchor answers", START, async || {
			process.assert_running();
			ask(http, url, "eth_chainId", json!([])).await
		})
		.await;
	}

	/// Asks it what must have an answer.
	pub async fn result(&self, method: &str, params: Value) -> Value {
		ask(&self.http, &self.url, method, params)
			.await
			.unwrap_or_else(|error| panic!("{method}: {error}"))
	}

	/// Round of the last tipset that is final.
	pub async fn finalized(&self) -> u64 {
		let asked = json!(["finalized", false]);
		let tipset = self.result("eth_getBlockByNumber", asked).await;
		quantity(&tipset["number"])
	}

	/// Transactions of an account that were executed or are in the newest tipset.
	pub async fn sent(&self, address: &str) -> u64 {
		let asked = json!([address, "pending"]);
		quantity(&self.result("eth_getTransactionCount", asked).await)
	}

	/// How many of the rounds up to the newest state have no tipset.
	pub async fn null_rounds(&self) -> usize {
		let newest = quantity(&self.result("eth_blockNumber", json!([])).await);
		let mut missing = 0;
		for round in 1..newest {
			let asked = json!([format!("{round:#x}"), false]);
			match ask(&self.http, &self.url, "eth_getBlockByNumber", asked).await {
				Ok(_) => {}
				Err(error) if error.contains("null round") => missing += 1,
				Err(error) => panic!("round {round}: {error}"),
			}
		}
		missing
	}
}

fn launch(folder: &Path, arguments: &[String]) -> Process {
	let program = binaries::embedded_anchor();
	Process::start(folder, "embedded-anchor", &program, arguments)
}
