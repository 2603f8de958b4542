//! An anchor: an EVM of its own, from npm.

use crate::{binaries, eventually, network::free_ports, npm, Http, Process};
use serde_json::{json, Value};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// Time in which it must answer for the first time.
const START: Duration = Duration::from_secs(60);
/// Blocks between the head and the last final one, for each slot of an epoch.
const FINAL_PER_SLOT: u64 = 2;

/// An EVM.
#[derive(Debug)]
pub struct Anvil {
	_process: Process,
	http: Http,
	/// Its URL.
	pub url: String,
	/// Blocks between its head and what it calls final.
	pub finality: u64,
}

impl Anvil {
	/// Starts one that calls blocks final which are twice as many behind the head as this, with a block each
	/// second.
	pub async fn start(folder: &Path, slots: u64) -> Self {
		let slots_text = slots.to_string();
		let arguments = ["--block-time", "1", "--slots-in-an-epoch", &slots_text];
		Self::launch(folder, slots, &arguments).await
	}

	/// Starts one that makes a block for each transaction.
	pub async fn instant(folder: &Path, timestamp: u64) -> Self {
		let timestamp = timestamp.to_string();
		Self::launch(folder, 1, &["--timestamp", &timestamp, "--silent"]).await
	}

	async fn launch(folder: &Path, slots: u64, more: &[&str]) -> Self {
		let program = program(folder).await;
		let [port] = free_ports();
		let port = port.to_string();
		let mut arguments = vec!["--port", &port, "--hardfork", "prague"];
		arguments.extend(["--gas-limit", "60000000"]);
		arguments.extend(more);
		let mut process = Process::start(folder, "anvil", &program, arguments);
		let anvil_url = format!("http://127.0.0.1:{port}");
		let http = Http::default();
		eventually("anvil answers", START, async || {
			process.assert_running();
			ask(&http, &anvil_url, "eth_chainId", json!([])).await
		})
		.await;
		Self {
			_process: process,
			http,
			url: anvil_url,
			finality: slots * FINAL_PER_SLOT,
		}
	}

	/// Asks it what must have an answer.
	pub async fn result(&self, method: &str, params: Value) -> Value {
		ask(&self.http, &self.url, method, params)
			.await
			.unwrap_or_else(|error| panic!("{method}: {error}"))
	}

	/// Number of its newest block.
	pub async fn head(&self) -> u64 {
		quantity(&self.result("eth_blockNumber", json!([])).await)
	}

	/// Number of the last block that it calls final.
	pub async fn finalized(&self) -> u64 {
		let asked = json!(["finalized", false]);
		let block = self.result("eth_getBlockByNumber", asked).await;
		quantity(&block["number"])
	}

	/// Takes its newest blocks back, and makes as many others without their transactions.
	pub async fn take_back(&self, blocks: u64) {
		self.result("anvil_reorg", json!([blocks, []])).await;
	}

	/// Makes no blocks, until [`Self::resume`].
	pub async fn pause(&self) {
		self.result("evm_setIntervalMining", json!([0])).await;
	}

	/// Makes a block each second again.
	pub async fn resume(&self) {
		self.result("evm_setIntervalMining", json!([1])).await;
	}

	/// Sets the base fee of the next block. In each one behind it, nearly empty as they are, it is lower by an
	/// eighth.
	pub async fn set_base_fee(&self, price: u64) {
		let params = json!([format!("{price:#x}")]);
		self.result("anvil_setNextBlockBaseFeePerGas", params).await;
	}

	/// A transaction that waits for a block, if there is one.
	pub async fn waiting(&self) -> Option<Value> {
		let pool = self.result("txpool_content", json!([])).await;
		let accounts = pool["pending"].as_object()?;
		let mut waiting = accounts.values().filter_map(Value::as_object);
		waiting.find_map(|sent| sent.values().next()).cloned()
	}
}

/// A number as anchors' servers have it.
pub(crate) fn quantity(value: &Value) -> u64 {
	let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
	let digits = digits.unwrap_or_else(|| panic!("{value} is no number"));
	u64::from_str_radix(digits, 16).expect("hexadecimal digits")
}

/// Asks an anchor's server.
pub(crate) async fn ask(
	http: &Http,
	url: &str,
	method: &str,
	params: Value,
) -> Result<Value, String> {
	let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
	let answer = http
		.send(
			::http::Method::POST,
			url,
			"application/json",
			body.to_string(),
		)
		.await?;
	let mut answer: Value =
		serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
	match answer.get("error") {
		Some(error) => Err(error.to_string()),
		None => Ok(answer["result"].take()),
	}
}

/// The program: installed by npm into the test's folder, or else the one on the PATH, for machines that its
/// package is not made for.
async fn program(folder: &Path) -> PathBuf {
	let installed = folder.join("anvil-from-npm");
	std::fs::create_dir_all(&installed).expect("the test's folder is writable");
	npm::install(&binaries::tests().join("e2e/anvil"), &[], &installed).await;
	let program = installed.join("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
	match program.is_file() {
		true => program,
		false => "anvil".into(),
	}
}
