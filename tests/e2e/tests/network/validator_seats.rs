//! A stake becomes a seat, by the command line, while a validator that is killed loses its own; the
//! chain goes on finalising all the while.

use millrace_client::{AccountId, Chain, View};
use millrace_e2e::{
	command::millrace,
	eventually,
	network::{account, folder},
	spec, until,
	validator::{stake, Nodes},
	Node, Ran,
};
use millrace_primitives::{validators::SessionIndex, Balance, FLT};
use serde_json::{json, Value};
use std::{collections::BTreeMap, path::Path, time::Duration};
use tokio::join;

/// Milliseconds of a slot.
const SLOT_MS: u64 = 600;
/// Slots of a session: so many that each of four seats, one of them dead, is
/// expected to write more than the seven blocks without which nobody is found silent.
const SESSION_SLOTS: u64 = 45;
/// Blocks of an epoch: more than the test takes, so that nothing is owed for any stake.
const EPOCH_BLOCKS: u32 = 2_000;
/// Longest wait for what takes a few sessions, on a busy machine.
const SESSIONS: Duration = Duration::from_secs(400);
/// Longest run of the tool, and longest wait for some blocks.
const MINUTE: Duration = Duration::from_secs(60);
/// Units that each of the two stakes for: the second reaches what decides that stake gives seats.
const UNITS: u32 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stake_becomes_a_seat_and_silence_loses_one() {
	let folder = folder();
	let patch = json!({
		"timing": { "slotMs": SLOT_MS, "sessionSlots": SESSION_SLOTS },
		"epochs": { "lengths": { "len": EPOCH_BLOCKS } },
	});
	let spec = spec::patched(folder.path(), "local", "seats", &patch);
	let spec = spec::built(&spec).display().to_string();
	let mut nodes = Nodes::of(folder.path(), &spec);
	let mut alice = nodes.validator("alice", &["--alice"]).await;
	// Its keystore is closed to everybody.
	let safe = ["--bob", "--rpc-methods", "safe"];
	let bob = nodes.validator("bob", &safe).await;
	let mut charlie = nodes.validator("charlie", &["--charlie"]).await;
	let _dave = nodes.validator("dave", &["--dave"]).await;
	let eve = nodes.validator("eve", &[]).await;
	let chain = charlie.connect().await;
	let tool = Tool {
		folder: folder.path(),
	};

	// Alice, who validates since genesis, and Eve, who does not, stake and stand.
	let (of_alice, of_eve) = join!(
		stake(&chain, "//Alice", UNITS, true),
		stand(&tool, &chain, &eve)
	);
	let what = "both stand";
	let view = until(&chain, what, MINUTE, async |view: &View| {
		let stand = [rank(view, "//Alice").await, rank(view, "//Eve").await];
		Ok(stand.iter().all(Option::is_some).then(|| view.clone()))
	})
	.await;
	let all = view.validators().await.expect("it can be read");
	assert_eq!(all.total_stake, of_alice.stake + of_eve);
	assert!(all.standing_stake <= all.total_stake, "{all:?}");
	assert!(all.standing_stake >= all.bootstrap_stake, "{all:?}");
	let before = owned(&view, "//Alice").await;
	alice.kill().await;
	let killed_at = view.block().number;

	let (seats, ()) = join!(
		until_both_have_happened(&chain),
		keys_alone_and_back(&tool, &chain, &bob, &eve)
	);
	one_seat_changes_a_session(&seats);

	// Silence costs the seat and nothing else.
	let view = chain.latest().await.expect("the node is up");
	assert!(view.block().number > killed_at + 20, "finality has gone on");
	let silent = view
		.validator(&id("//Alice"))
		.await
		.expect("it can be read");
	assert_eq!(silent.active_stake, of_alice.stake);
	assert!(silent.equivocations.is_empty(), "{silent:?}");
	assert_eq!(owned(&view, "//Alice").await, before);
	// Whoever sits in no later session may still sit in this one.
	let left = tool.done("//Alice", &charlie, &["chill", "--purge"]).await;
	assert_eq!(left["left"], true, "{left}");
	let sits = !left["seated_until_session"].is_null();
	assert_eq!(left["purged"], !sits, "{left}");

	// Eve's node has the keys that she writes blocks with, and no other has.
	let status = tool.done("//Eve", &eve, &["status"]).await;
	assert_eq!(status["node_has_keys"], true, "{status}");
	assert_eq!(status["account"]["seated"], true, "{status}");
	assert_eq!(status["chain"]["bootstrapped"], true, "{status}");
	let elsewhere = tool.done("//Eve", &charlie, &["status"]).await;
	assert_eq!(elsewhere["node_has_keys"], false, "{elsewhere}");
	let untold = tool.done("//Eve", &bob, &["status"]).await;
	assert_eq!(untold["node_has_keys"], Value::Null, "{untold}");
}

/// Eve stakes, and then has her node make keys and stands with them; her stake.
async fn stand(tool: &Tool<'_>, chain: &Chain, node: &Node) -> Balance {
	let staked = stake(chain, "//Eve", UNITS, false).await;
	// Her own node must have seen it.
	let what = "Eve's node knows her stake";
	eventually(what, MINUTE, async || {
		let found = tool.done("//Eve", node, &["status"]).await;
		match found["account"]["active_stake"] == staked.stake.to_string() {
			true => Ok(()),
			false => Err(found.to_string()),
		}
	})
	.await;
	let made = tool.done("//Eve", node, &["keys"]).await;
	assert_eq!(made["candidate"], true, "{made}");
	assert_eq!(made["account"], json!(id("//Eve")), "{made}");
	// Two keys of 32 bytes and one of 33.
	let keys = made["keys"].as_str().unwrap_or_default();
	assert_eq!(keys.len(), 2 + 2 * (32 + 32 + 33), "{made}");
	staked.stake
}

/// Waits until Eve has a seat and has written a block, and Alice was found silent and sits in no later
/// session; the sets of the sessions on the way.
async fn until_both_have_happened(chain: &Chain) -> BTreeMap<SessionIndex, Vec<AccountId>> {
	let mut seats = BTreeMap::new();
	let what = "Eve writes blocks, and Alice is out";
	until(chain, what, SESSIONS, async |view: &View| {
		let all = view.validators().await?;
		seats.insert(
			all.session,
			all.seats.into_iter().map(|seat| seat.who).collect(),
		);
		seats.insert(all.session + 1, all.planned);
		let eve = view.validator(&id("//Eve")).await?;
		let alice = view.validator(&id("//Alice")).await?;
		let writes = eve.seated && eve.planned && eve.authored > 0;
		let out = alice.silent_sessions > 0 && !alice.planned;
		Ok((writes && out).then_some(()))
	})
	.await;
	seats
}

fn one_seat_changes_a_session(seats: &BTreeMap<SessionIndex, Vec<AccountId>>) {
	for (session, set) in seats {
		let Some(next) = seats.get(&(session + 1)) else {
			continue;
		};
		let entered = next.iter().filter(|who| !set.contains(who)).count();
		let left = set.iter().filter(|who| !next.contains(who)).count();
		assert!(entered <= 1 && left <= 1, "{session}: {set:?} {next:?}");
	}
	let (first, last) = (seats.values().next(), seats.values().last());
	let names = |names: &[&str]| names.iter().map(|name| id(name)).collect::<Vec<_>>();
	let genesis = names(&["//Alice", "//Bob", "//Charlie", "//Dave"]);
	assert_eq!(first, Some(&genesis));
	// Bob, the first without stake, has made room for Eve in his place.
	let after = names(&["//Eve", "//Charlie", "//Dave"]);
	assert_eq!(last, Some(&after));
}

/// Ferdie sets keys that he needs for nothing, and takes their deposit back.
async fn keys_alone_and_back(tool: &Tool<'_>, chain: &Chain, safe: &Node, node: &Node) {
	let refused = tool.run("//Ferdie", safe, &["keys"]).await;
	assert_eq!(refused.error(), (5, "unsafe_rpc_refused".into()));
	let refused = tool.run("//Ferdie", node, &["keys"]).await;
	assert_eq!(refused.error(), (3, "StakeTooLow".into()));
	let view = chain.latest().await.expect("the node is up");
	assert_eq!(held_for_keys(&view, "//Ferdie").await, 0);

	let made = tool.done("//Ferdie", node, &["keys", "--only"]).await;
	assert_eq!(made["candidate"], false, "{made}");
	let view = chain_at(chain, &made).await;
	let deposit = held_for_keys(&view, "//Ferdie").await;
	assert!(0 < deposit && deposit < FLT, "{deposit}");
	let refused = tool.run("//Ferdie", node, &["chill"]).await;
	assert_eq!(refused.error(), (3, "NotCandidate".into()));

	let back = tool.done("//Ferdie", node, &["chill", "--purge"]).await;
	let told = ["left", "seated_until_session", "purged"].map(|name| back[name].clone());
	assert_eq!(told, [json!(false), Value::Null, json!(true)], "{back}");
	let view = chain_at(chain, &back).await;
	assert_eq!(held_for_keys(&view, "//Ferdie").await, 0);
	let refused = tool.run("//Ferdie", node, &["chill", "--purge"]).await;
	assert_eq!(refused.error(), (3, "NoKeys".into()));
}

/// The chain at the block that a command tells, as soon as the node of the test has it.
async fn chain_at(chain: &Chain, told: &Value) -> View {
	let block = serde_json::from_value(told["block"].clone()).expect("it has a block");
	eventually("the block is here", MINUTE, async || {
		chain.at(block).await.map_err(|error| error.to_string())
	})
	.await
}

async fn held_for_keys(view: &View, name: &str) -> Balance {
	let holds = view.holds(&id(name)).await.expect("holds can be read");
	let of_keys = holds.iter().filter(|hold| hold.pallet == "Session");
	of_keys.map(|hold| hold.amount).sum()
}

async fn rank(view: &View, name: &str) -> Option<u32> {
	let view = view.validator(&id(name)).await;
	view.expect("it can be read").rank
}

async fn owned(view: &View, name: &str) -> Balance {
	let balance = view.balance(&id(name)).await.expect("it can be read");
	balance.total()
}

fn id(name: &str) -> AccountId {
	account(name).account()
}

/// `millrace validator`, in JSON.
struct Tool<'a> {
	folder: &'a Path,
}

impl Tool<'_> {
	async fn run(&self, key: &str, node: &Node, arguments: &[&str]) -> Ran {
		let url = node.ws();
		let common = ["--json", "--node", &url, "--key", key, "validator"];
		let all = common.iter().chain(arguments);
		millrace(self.folder, MINUTE, all).await
	}

	async fn done(&self, key: &str, node: &Node, arguments: &[&str]) -> Value {
		self.run(key, node, arguments).await.succeeded().json()
	}
}
