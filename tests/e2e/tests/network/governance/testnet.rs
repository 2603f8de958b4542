//! The chain of the test network: it begins from a file, makes blocks, and has no key above the votes.

use millrace_e2e::{eventually, network::folder, spec, validator::Nodes};
use serde_json::{json, Value};
use sp_crypto_hashing::twox_128;
use std::time::Duration;

/// Longest wait for a block of one validator's alone, of several that have slots of three seconds.
const BLOCKS: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_test_network_begins_from_a_file_without_a_sudo_key() {
	let folder = folder();
	let file = spec::patched(folder.path(), "testnet", "testnet", &json!({}));
	let text = std::fs::read_to_string(&file).expect("it is written");
	let written: Value = serde_json::from_str(&text).expect("a specification is JSON");
	let genesis = &written["genesis"]["runtimeGenesis"]["patch"];
	assert!(genesis["balances"].is_object(), "the file has the genesis");
	assert_eq!(genesis["sudo"]["key"], Value::Null);

	let chain = file.display().to_string();
	let mut nodes = Nodes::of(folder.path(), &chain);
	// The others are not there, so that it must write blocks alone, and none is final.
	let options = ["--alice", "--force-authoring"];
	let node = nodes.validator("node", &options).await;
	let rpc = node.rpc();
	let best = eventually("a block is made", BLOCKS, async || {
		let best = rpc.best().await;
		match rpc.number(best).await {
			0 => Err("there is the first one alone".to_string()),
			_ => Ok(best),
		}
	})
	.await;

	let name = rpc.result("system_chain", json!([])).await;
	assert_eq!(name, written["name"]);
	let key = |item: &str| [twox_128(b"Sudo"), twox_128(item.as_bytes())].concat();
	assert_eq!(rpc.storage(&key("Key"), best).await, None);
	// The pallet itself is there, and answers to nobody.
	let version = rpc.storage(&key(":__STORAGE_VERSION__:"), best).await;
	assert!(version.is_some(), "its keys are looked for under its name");
}
