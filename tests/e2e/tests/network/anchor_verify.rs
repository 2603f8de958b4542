//! A receipt is checked down to the anchor: with node, worker and anchor there, and later with none of them; and
//! a message is proven to the contract by what the tool prints.

mod proof;

use crate::anchored::{Anchored, LIMIT};
use millrace_e2e::{
	command,
	deal::specification,
	eventually, guests,
	network::{account, little_work},
	provider::{settle, EPOCHS},
	Deal, Gateway, Network, Provider, Ran,
};
use serde_json::Value;

/// A node that nobody has started.
const NOWHERE: &str = "ws://127.0.0.1:1";
/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 26;
/// Latest position of an epoch from which it still sees a call.
const EARLY: u32 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_checked_down_to_the_anchor_and_again_without_any_connection() {
	let (network, _) = Network::quick_with(EPOCH_BLOCKS, &little_work()).await;
	let anchored = Anchored::beside(network).await;
	let network = &anchored.network;
	let message = proof::withdraw(&anchored).await;
	let provider = Provider::register(network, "//Bob", 1, 1).await;
	let _workers = provider.start_workers(network).await;
	let gateway = Gateway::start(network).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	let client = account("//Charlie");
	let deal = Deal::create(network, &client, &specification(&package, 1), 20).await;
	settle(network, &provider.ids(), provider.first_epoch).await;
	deal.until_live(network, 1, EARLY).await;
	let path = |name: &str| network.folder().join(name).display().to_string();
	let (data, receipt, bundle) = (path("in.txt"), path("receipt.json"), path("bundle.json"));
	std::fs::write(&data, "call me").expect("the test's folder is writable");
	let id = deal.id.to_string();
	let out = path("out.txt");
	let invoke = ["invoke", &id, "--data", &data, "--receipt", &receipt];
	let invoke = [&invoke[..], &["--out", &out, "--gateway", &gateway.url]].concat();
	eventually("the call is answered", EPOCHS, async || {
		let ran = anchored.tool(&invoke).await;
		match ran.status {
			0 => Ok(()),
			_ => Err(ran.stderr),
		}
	})
	.await;

	let verify = ["anchor", "verify", &receipt, "--keep", &bundle];
	let checked = eventually("a checkpoint covers the report", EPOCHS, async || {
		let ran = anchored.anchor_tool(&verify).await;
		match ran.status {
			0 => Ok(ran.json()),
			_ => Err(format!("{ran:?}")),
		}
	})
	.await;
	assert_eq!(checked["verified"], true);
	let root = checked["checked"]["root"].as_str().expect("a hash");

	// Nobody is there to be asked.
	let offline = async |file: &str, root: &str| -> Ran {
		let arguments = ["anchor", "verify", file, "--root", root];
		let all = [&arguments[..], &["--node", NOWHERE, "--json"]].concat();
		command::millrace(network.folder(), LIMIT, all).await
	};
	let again = offline(&bundle, root).await.succeeded().json();
	assert_eq!(again["checked"], checked["checked"]);
	let other = format!("0x{}", "11".repeat(32));
	let refused = offline(&bundle, &other).await.error();
	assert_eq!(refused, (6, "anchor_other_root".into()));

	let bytes = std::fs::read(&bundle).expect("it was kept");
	let kept: Value = serde_json::from_slice(&bytes).expect("it is JSON");
	let forged = path("forged.json");
	for field in ["header", "leaf"] {
		let mut changed = kept.clone();
		let mut text = kept[field].as_str().expect("bytes as text").to_string();
		let last = match text.pop() {
			Some('0') => '1',
			_ => '0',
		};
		text.push(last);
		changed[field] = text.into();
		std::fs::write(&forged, changed.to_string()).expect("the test's folder is writable");
		let (status, code) = offline(&forged, root).await.error();
		assert_eq!(status, 6, "{field}: {code}");
	}
	proof::is_taken(&anchored, message).await;
}
