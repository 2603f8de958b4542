//! Developer rewards by the command line: the tool makes a tree of a list, a vote begins the programme,
//! and who is on the list claims. What is claimed is there to the unit, and locked for two months.

use super::vote::{enacted, propose, run};
use millrace_client::{
	amounts,
	calls::{balances, rewards},
	AccountId, ChainEvent, SubmitError, View,
};
use millrace_e2e::{events::fields, network::account, Events, Network, Ran};
use millrace_primitives::{referenda::ReferendumIndex, Balance, BlockNumber, FLT};
use pallet_developer_rewards::refusal;
use serde_json::{json, Value};
use std::time::Duration;
use tokio::join;

/// The list, in the network's folder, the tool's proofs of it, and the same with more for the first.
const LIST: &str = "list.csv";
const PROOFS: &str = "proofs.json";
const FORGED: &str = "forged.csv";
/// Who is on it, and has nothing else. The third one does not claim.
const REWARDED: [(&str, Balance); 3] = [
	("//First", 1_234 * FLT + 567_890_123_456_789_012),
	("//Second", 20 * FLT + FLT / 2),
	("//Third", FLT / 1_000),
];
/// Who is not.
const STRANGER: &str = "//Stranger";
/// Who proposes the programme: nobody else of the test sends anything for this account meanwhile.
const PROPOSER: &str = "//Dave";
/// Last block of the programme: later than the test, and within four years of such a chain.
const ENDS: BlockNumber = 30_000;
/// Two months of thirty days, whose hours are a block each on development chains.
const TWO_MONTHS: BlockNumber = 2 * 30 * 24;
/// Whose FLT is locked at genesis up to the first block, all but this. Two months are longer than a
/// test: what ends a lock is shown with this one.
const OLD_LOCK: &str = "//Bob";
const NOT_LOCKED: Balance = 50_000_000 * FLT;
/// Longest wait for the events of a block that the tool has seen.
const MINUTE: Duration = Duration::from_secs(60);

/// Genesis of pallet-vesting with a lock that is over as soon as there is a block.
pub(super) fn old_lock() -> Value {
	let who = account(OLD_LOCK).address();
	json!({ "vesting": [[who, 0, 1, NOT_LOCKED]] })
}

/// A programme that is proposed.
#[derive(Debug)]
pub(super) struct Programme {
	/// The referendum that begins it.
	pub(super) referendum: ReferendumIndex,
	/// Root of its tree.
	root: Value,
}

impl Programme {
	/// Has the tool build the tree, and proposes the call that it shows.
	pub(super) async fn propose(network: &Network) -> Self {
		write(network, LIST, REWARDED);
		let ends = ENDS.to_string();
		let tree = ["tree", LIST, "--out", PROOFS, "--ends", &ends];
		let told = done(network, PROPOSER, &tree).await;
		let expected = (&json!(3), &json!(promised().to_string()));
		assert_eq!((&told["rewards"], &told["total"]), expected, "{told}");
		let call = told["call"].as_str().expect("the call is asked for");
		let raw = ["raw", call, "--track", "root"];
		Self {
			referendum: propose(network, PROPOSER, &raw).await,
			root: told["root"].clone(),
		}
	}

	/// Waits until the vote has begun it, and claims: once from the list, once from the proofs.
	pub(super) async fn is_claimed(&self, network: &Network, events: &Events) {
		let (_, outcome) = enacted(events, self.referendum).await;
		assert_eq!(outcome, Ok(()));
		let told = done(network, REWARDED[0].0, &["status", LIST]).await;
		let own = (&told["reward"]["of_programme"], &told["reward"]["claimed"]);
		assert_eq!(own, (&json!(true), &json!(false)), "{told}");
		self.stands_at(&told, 0);

		// One after the other: a block in which the pot pays twice would tell less.
		claims(network, events, 0, LIST).await;
		claims(network, events, 1, PROOFS).await;
		join!(
			cannot_be_spent(network, 0),
			what_is_not_due_is_refused(network),
			an_old_lock_is_taken_away(network),
		);

		let told = done(network, REWARDED[0].0, &["status", LIST]).await;
		let locks = (&told["locked"], &told["releasable"]);
		let amount = REWARDED[0].1.to_string();
		assert_eq!(locks, (&json!(amount), &json!(false)), "{told}");
		assert_eq!(told["reward"]["claimed"], true, "{told}");
		self.stands_at(&told, 2);
	}

	/// The programme that the tool shows is this one, and has paid the first rewards of the list.
	fn stands_at(&self, told: &Value, claims: usize) {
		let paid: Balance = REWARDED[..claims].iter().map(|(_, amount)| amount).sum();
		let expected = json!({
			"number": 0,
			"root": self.root,
			"rewards": REWARDED.len(),
			"total": promised().to_string(),
			"paid": paid.to_string(),
			"claims": claims,
			"ends": ENDS,
		});
		assert_eq!(told["rewards"]["programme"], expected, "{told}");
	}
}

/// Somebody who has nothing, not even an account, claims a reward. The pot pays it, no fee is taken,
/// and all of it is locked.
async fn claims(network: &Network, events: &Events, index: u32, file: &str) {
	let (name, amount) = REWARDED[index as usize];
	let told = done(network, name, &["claim", file]).await;
	let reward = (&told["index"], &told["amount"], &told["lock_blocks"]);
	let expected = (
		&json!(index),
		&json!(amount.to_string()),
		&json!(TWO_MONTHS),
	);
	assert_eq!(reward, expected, "{told}");

	type Claimed = (u32, u32, AccountId, Balance, BlockNumber);
	let read = |event: &ChainEvent| {
		let claimed = fields::<Claimed>(event, "DeveloperRewards", "Claimed")?;
		(claimed.1 == index).then_some(claimed)
	};
	let what = format!("the claim of {name} is read");
	let (block, claimed) = events.until(&what, MINUTE, read).await;
	let who = account(name).account();
	assert_eq!(claimed, (0, index, who, amount, block + TWO_MONTHS));

	let (before, after) = (at(network, block - 1).await, at(network, block).await);
	assert_eq!(pot(&before).await - pot(&after).await, amount);
	let had = before.balance(&who).await.expect("it can be read");
	assert_eq!(had.total(), 0, "{name} has nothing before");
	let has = after.balance(&who).await.expect("it can be read");
	let expected = (amount, 0, amount);
	assert_eq!((has.free, has.held, has.frozen), expected, "{name}");
}

/// What is locked is neither sent nor used for the fee of sending it.
async fn cannot_be_spent(network: &Network, index: usize) {
	let (name, amount) = REWARDED[index];
	let to = account(STRANGER).account();
	let call = balances::transfer(&to, amount / 2);
	let outcome = network.chain.submit(&account(name), call).await;
	assert!(
		matches!(&outcome, Err(SubmitError::Refused { .. })),
		"{outcome:?}"
	);
}

/// Each refusal has its name: a second claim, a stranger's, one of another list, a lock that runs, and
/// the end of a programme that runs.
async fn what_is_not_due_is_refused(network: &Network) {
	let mut more = REWARDED;
	more[2].1 += 1;
	write(network, FORGED, more);
	let (first, third) = (REWARDED[0].0, REWARDED[2].0);
	join!(
		refused(network, first, &["claim", LIST], (3, "ClaimedAlready")),
		refused(network, STRANGER, &["claim", LIST], (4, "not_rewarded")),
		refused(network, third, &["claim", FORGED], (6, "other_tree")),
	);
	join!(
		refused(network, first, &["release"], (4, "nothing_to_release")),
		refused(network, PROPOSER, &["end"], (3, "ProgrammeRuns")),
	);
	// Not even by a call of its own, without the tool.
	let who = account(first).account();
	let outcome = network.chain.submit_duty(rewards::release(&who)).await;
	let over = Some(refusal::NOTHING_TO_RELEASE);
	assert!(
		matches!(&outcome, Err(SubmitError::Refused { code, .. }) if *code == over),
		"{outcome:?}"
	);
}

/// Somebody who has nothing takes a lock away that is over, for its owner.
async fn an_old_lock_is_taken_away(network: &Network) {
	let owner = account(OLD_LOCK).account();
	let view = network.chain.latest().await.expect("the node is up");
	let locked = view.balance(&owner).await.expect("it can be read");
	assert!(locked.frozen > 0, "{locked:?}");
	let told = done(network, STRANGER, &["release", OLD_LOCK]).await;
	assert_eq!(told["locked"], "0", "{told}");
}

/// Writes a list as people do.
fn write<const N: usize>(network: &Network, file: &str, rewarded: [(&str, Balance); N]) {
	let line = |(name, amount): (&str, Balance)| {
		let address = account(name).address();
		format!("{address},{}\n", amounts::format(amount))
	};
	let text = format!("account,amount\n{}", rewarded.map(line).concat());
	std::fs::write(network.folder().join(file), text).expect("the test's folder is writable");
}

/// All that the list promises.
fn promised() -> Balance {
	REWARDED.iter().map(|(_, amount)| amount).sum()
}

/// What the pot has to pay with.
async fn pot(view: &View) -> Balance {
	view.rewards().await.expect("they can be read").pot
}

async fn at(network: &Network, block: BlockNumber) -> View {
	let hash = network.rpc.block_hash(block).await;
	let hash = hash.unwrap_or_else(|| panic!("there is no block {block}"));
	network.chain.at(hash).await.expect("it is final")
}

/// Runs `millrace rewards` for an account.
async fn tool(network: &Network, key: &str, arguments: &[&str]) -> Ran {
	run(network, key, "rewards", arguments).await
}

/// The tool does it.
async fn done(network: &Network, key: &str, arguments: &[&str]) -> Value {
	tool(network, key, arguments).await.succeeded().json()
}

/// The tool fails with a status and a code.
async fn refused(network: &Network, key: &str, arguments: &[&str], expected: (i32, &str)) {
	let ran = tool(network, key, arguments).await;
	let (status, code) = expected;
	assert_eq!(
		ran.error(),
		(status, code.into()),
		"{arguments:?} of {key}: {ran:?}"
	);
}
