//! Gas becomes dear while a checkpoint waits for a block.

use super::scene::{Scene, SHORT};
use millrace_e2e::{eventually, network::free_ports};
use serde_json::{json, Value};

const GWEI: u64 = 1_000_000_000;
/// A base fee that stays above what a relayer pays at most, 100 gwei, for twenty blocks.
const SPIKE: u64 = 2_000 * GWEI;
/// One that is below that, and stays far above what was offered before the spike.
const DEAR: u64 = 30 * GWEI;

/// Only one relayer is there, and gas becomes dear after it has sent a checkpoint: first dearer than it may
/// pay, then so dear that what it has sent would never be in a block. The contract has the checkpoint all the
/// same, without anybody's help. No other relayer may run.
pub(super) async fn is_outlived(scene: &Scene) {
	let anvil = &scene.anvil;
	let stood = set_of_contract(scene).await;
	let [metrics] = free_ports();
	let servers = [&anvil.url, &scene.proxy.url];
	// Its turn comes at once, and it is quick to pay more.
	let text = format!(
		"listen = \"127.0.0.1:{metrics}\"\n[anchor]\nrpcs = {servers:?}\nkey = \"dev:7\"\n\
		 poll_ms = 500\nstagger_seconds = 1\nbump_seconds = 4\nheartbeat_seconds = 600\n"
	);
	let settings = scene.path.join("relay-alone.toml");
	std::fs::write(&settings, text).expect("the test's folder is writable");

	// No block takes what it sends before the price has risen.
	anvil.pause().await;
	let mut relay = scene.start_relay("relay-alone", &settings, &scene.urls[0], "//Dave");
	let first = eventually("a checkpoint is sent", SHORT, async || {
		let waiting = anvil.waiting().await;
		waiting.ok_or_else(|| "nothing waits for a block".to_string())
	})
	.await;
	let offered = quantity(&first["maxFeePerGas"]);
	assert!(offered < DEAR / 4, "{first}");
	anvil.set_base_fee(SPIKE).await;
	anvil.resume().await;
	scene.until_alarm_at(metrics, "fee_limit", 1.0).await;
	assert_eq!(set_of_contract(scene).await, stood, "nobody has paid");

	anvil.set_base_fee(DEAR).await;
	scene.until_contract_set(stood + 1).await;
	scene.until_alarm_at(metrics, "fee_limit", 0.0).await;
	relay.assert_running();
	relay.kill().await;

	// What was sent first is in no block: another one has its number.
	let hash = &first["hash"];
	let receipt = anvil
		.result("eth_getTransactionReceipt", json!([hash]))
		.await;
	assert_eq!(receipt, Value::Null);
	let asked = json!([first["from"], "latest"]);
	let sent = anvil.result("eth_getTransactionCount", asked).await;
	assert!(quantity(&sent) > quantity(&first["nonce"]), "{sent}");
}

/// The set that the contract believes.
async fn set_of_contract(scene: &Scene) -> u64 {
	let status = scene.status().await;
	let set = &status["contract"]["status"]["set_id"];
	set.as_u64().expect("a number")
}

/// A number as the anchor's servers have it.
fn quantity(value: &Value) -> u64 {
	let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
	let digits = digits.unwrap_or_else(|| panic!("{value} is no number"));
	u64::from_str_radix(digits, 16).expect("hexadecimal digits")
}
