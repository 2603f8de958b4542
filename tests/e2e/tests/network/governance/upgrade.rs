//! The runtime is upgraded by a referendum, with a migration, while a deal is served: no block, no call,
//! no receipt and no payment is lost. Another referendum of the same track begins a programme of
//! developer rewards, which are claimed under the next version.

use super::{
	rewards::{old_lock, Programme},
	vote::{aye, enacted, propose},
};
use crate::worker_killed::every_receipt_is_reported;
use codec::{Decode, Encode};
use futures::future::join_all;
use millrace_client::{ChainEvent, View};
use millrace_e2e::{
	binaries,
	deal::specification,
	eventually, guests,
	load::{Load, Seen},
	network::{account, folder, little_work, quick_chain_with},
	provider::EPOCHS,
	until, Deal, Events, Gateway, Network, Node, Provider, Rpc,
};
use millrace_primitives::{
	peer::PeerId, referenda::ReferendumIndex, validators::SessionIndex, Balance, BlockNumber,
	EpochIndex, H256,
};
use serde_json::json;
use sp_crypto_hashing::twox_128;
use std::{collections::BTreeSet, time::Duration};
use tokio::join;

/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 30;
/// Time of a slot, and of one of the mainnet.
const SLOT_MS: u64 = 500;
const MAINNET_SLOT_MS: u64 = 3_000;
/// Twenty calls a second.
const PERIOD: Duration = Duration::from_millis(50);
/// Epochs at the ceiling that the escrow pays: more than the test takes.
const PREPAID: u32 = 40;
/// Who votes, and with how many whole FLT of a hundred million.
const VOTERS: [&str; 5] = ["//Alice", "//Charlie", "//Dave", "//Eve", "//Ferdie"];
const VOTES: Balance = 95_000_000;
/// Longest wait for anything that takes part of an epoch.
const SHORT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_by_referendum_under_load_loses_no_block_no_receipt_and_no_payment() {
	let mut genesis = little_work();
	genesis["vesting"] = old_lock();
	let folder = folder();
	let chain = quick_chain_with(folder.path(), EPOCH_BLOCKS, &genesis);
	// The pause of an upgrade is that of its compilation.
	let node = Node::compiling(folder.path(), "node", &["--dev", "--chain", &chain]);
	let network = Network::around(folder, node).await;
	let events = Events::open(&network.chain, 1);
	// Two units each: one works for the deal, the other one is idle.
	let provider = Provider::register(&network, "//Bob", 2, 2).await;
	let _workers = provider.start_workers(&network).await;
	let gateway = Gateway::start(&network).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	let client = account("//Charlie");
	let deal = Deal::create(&network, &client, &specification(&package, 2), PREPAID).await;
	deal.until_live(&network, 2, EPOCH_BLOCKS).await;

	let (referendum, rewards) = are_voted_for(&network).await;
	let load = Load::start(&network.http, gateway.deal(deal.id), PERIOD);
	both_answer(&load, &provider.ids(), 0).await;
	let first = network.rpc.finalized_number().await;
	let applied = is_applied(&network, &events, referendum).await;
	the_migration_has_run(&network, applied).await;
	// Through the rest of the epoch, and into the next one.
	let epoch = epoch_of(&network, applied).await;
	both_answer(&load, &provider.ids(), epoch + 1).await;
	let last = network.rpc.finalized_number().await;
	// Fails if one of the calls did.
	let seen = load.finish().await;

	no_block_is_missing(&network.rpc, first, last).await;
	let early = |seen: &Seen| seen.receipt.receipt.block <= applied;
	assert!(seen.iter().any(early) && !seen.iter().all(early));
	join!(
		every_receipt_is_reported(&network, &provider, &deal, &seen),
		rewards.is_claimed(&network, &events),
	);
}

/// Proposes the next version and a programme of rewards by the tool, and votes for both with nearly half
/// of all FLT; the referendum of the version, and the programme.
async fn are_voted_for(network: &Network) -> (ReferendumIndex, Programme) {
	let code = binaries::next_runtime().display().to_string();
	let upgrade = ["upgrade", code.as_str()];
	let (referendum, rewards) = join!(
		propose(network, "//Alice", &upgrade),
		Programme::propose(network)
	);
	// The version last: calls begin when all have voted for it.
	let of_rewards = rewards.referendum;
	let votes = VOTERS.map(|voter| async move {
		aye(network, voter, of_rewards, VOTES).await;
		aye(network, voter, referendum, VOTES).await;
	});
	join_all(votes).await;
	(referendum, rewards)
}

/// Waits until each of these peers has answered a call in this epoch or a later one.
async fn both_answer(load: &Load, peers: &[PeerId], epoch: EpochIndex) {
	eventually("both workers answer", EPOCHS, async || {
		let seen = load.seen();
		let receipts = seen.iter().map(|seen| &seen.receipt.receipt);
		let late = receipts.filter(|receipt| receipt.epoch >= epoch);
		let answered: BTreeSet<PeerId> = late.map(|receipt| receipt.peer).collect();
		match answered.len() == peers.len() {
			true => Ok(()),
			false => Err(format!("{} calls, of late {answered:?}", seen.len())),
		}
	})
	.await;
}

/// Waits until the referendum has put the code in place; the block that did, once the next one, which
/// runs under it, is final.
async fn is_applied(
	network: &Network,
	events: &Events,
	referendum: ReferendumIndex,
) -> BlockNumber {
	let (block, outcome) = enacted(events, referendum).await;
	assert_eq!(outcome, Ok(()));
	let said = events.of(block..=block).await;
	let updated = |event: &ChainEvent| event.pallet == "System" && event.name == "CodeUpdated";
	assert!(said.iter().any(updated), "{said:?}");
	let what = "the chain goes on";
	until(&network.chain, what, SHORT, async |view: &View| {
		Ok((view.block().number > block).then_some(()))
	})
	.await;
	block
}

/// The runtime of the next version runs from the block after this one on, and what it stores in
/// another form is what stood there before.
async fn the_migration_has_run(network: &Network, applied: BlockNumber) {
	let [before, old, new] = [
		hash(&network.rpc, applied - 1).await,
		hash(&network.rpc, applied).await,
		hash(&network.rpc, applied + 1).await,
	];
	let version = async |block: H256| {
		let told = network
			.rpc
			.result("state_getRuntimeVersion", json!([block]))
			.await;
		told["specVersion"]
			.as_u64()
			.expect("a runtime has a version")
	};
	assert_eq!(version(new).await, version(before).await + 1);

	let storage = async |pallet: &str, item: &str, block: H256| {
		let key = [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat();
		network.rpc.storage(&key, block).await.unwrap_or_default()
	};
	let form = async |block: H256| {
		let bytes = storage("Validators", ":__STORAGE_VERSION__:", block).await;
		u16::decode(&mut &bytes[..]).unwrap_or_default()
	};
	assert_eq!((form(old).await, form(new).await), (0, 1));
	let keys = storage("Validators", "SeatedKeys", old).await;
	assert!(!keys.is_empty(), "the seats have keys");
	let session = storage("Session", "CurrentIndex", new).await;
	let session = SessionIndex::decode(&mut &session[..]).expect("there is a session");
	assert_eq!(
		storage("Validators", "SeatedKeys", new).await,
		[session.encode(), keys].concat()
	);
}

/// Blocks come one behind the other, and no pause between them would cost the mainnet more than one
/// slot: code is compiled before it runs for the first time, which takes as long whatever the slots are.
async fn no_block_is_missing(rpc: &Rpc, first: BlockNumber, last: BlockNumber) {
	let mut slot = rpc.slot(first).await;
	for number in first + 1..=last {
		let next = rpc.slot(number).await;
		assert!(
			next > slot,
			"block {number} is of slot {next}, after {slot}"
		);
		let pause = (next - slot) * SLOT_MS;
		assert!(
			pause <= 2 * MAINNET_SLOT_MS,
			"block {number} came {pause} ms after the one before"
		);
		slot = next;
	}
}

async fn hash(rpc: &Rpc, block: BlockNumber) -> H256 {
	let hash = rpc.block_hash(block).await;
	hash.unwrap_or_else(|| panic!("there is no block {block}"))
}

async fn epoch_of(network: &Network, block: BlockNumber) -> EpochIndex {
	let hash = hash(&network.rpc, block).await;
	network.rpc.epoch(hash).await.info.index
}
