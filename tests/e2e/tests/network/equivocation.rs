//! Two nodes that validate with one key: both write blocks for one slot, the chain sees the proof, and
//! the account behind the key loses stake to the unit, its seat and for a while the right to one.
//!
//! Before that, one of the four validators is killed and comes back: see [`crate::validators`].

use crate::validators::{finality_goes_on_without_one_and_it_catches_up, until_together};
use codec::Decode;
use millrace_client::{calls, AccountId, AccountKey, Chain, Included, SubmitError, View};
use millrace_e2e::{
	network::{account, folder},
	spec, until,
	validator::{stake, Nodes, Staked},
	Node,
};
use millrace_primitives::{
	commitment::SlashId,
	peer::PeerId,
	validators::{EquivocationView, SessionIndex},
	views::CommitmentStatus,
	Balance, EpochIndex, FLT,
};
use serde_json::json;
use sp_arithmetic::Perbill;
use std::{collections::BTreeSet, time::Duration};
use tokio::join;

/// Milliseconds of a slot: a proof has the whole of a next session, of 12 s, to enter the chain.
const SLOT_MS: u64 = 600;
/// Slots of a session: few, and too few for anybody to be found silent.
const SESSION_SLOTS: u64 = 20;
/// Epochs that a slash waits.
const DELAY: EpochIndex = 1;
/// Longest wait for what takes a few sessions or epochs, on a busy machine.
const WAIT: Duration = Duration::from_secs(300);
/// Units of Dave, at 100 FLT each.
const UNITS: u32 = 4;
/// Sessions for which an equivocation keeps an account from standing.
const BAN: SessionIndex = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finality_outlives_one_of_four_and_two_nodes_with_one_key_lose_stake() {
	let folder = folder();
	// Nobody reports here, so that epochs may be as short as they like.
	let lengths = json!({ "len": 10, "report_window": 3, "fold_window": 1, "answer_window": 3 });
	let patch = json!({
		"timing": { "slotMs": SLOT_MS, "sessionSlots": SESSION_SLOTS },
		"epochs": { "lengths": lengths },
		"capacity": { "params": { "slash_delay_epochs": DELAY } },
	});
	let spec = spec::patched(folder.path(), "local", "equivocation", &patch);
	let spec = spec::built(&spec).display().to_string();
	let mut nodes = Nodes::of(folder.path(), &spec);
	let mut alice = nodes.validator("alice", &["--alice"]).await;
	let bob = nodes.validator("bob", &["--bob"]).await;
	let mut charlie = nodes.validator("charlie", &["--charlie"]).await;
	let original = nodes.validator("dave", &["--dave"]).await;
	let chain = alice.connect().await;
	let [one, two, three, four] = [&alice, &bob, &charlie, &original].map(Node::rpc);
	until_together(&[one.clone(), two.clone(), three, four.clone()]).await;
	let rest = [one, two, four];

	let dave = stake(&chain, "//Dave", UNITS, true).await;
	assert_eq!(dave.stake, 400 * FLT);
	let (start, ()) = join!(
		until_session_under_stake(&chain, &dave),
		finality_goes_on_without_one_and_it_catches_up(&mut charlie, &rest)
	);
	let _again = nodes.validator("dave-again", &["--dave"]).await;
	let id = dave.account.account();
	let what = "the chain knows that Dave equivocated";
	let known = until(&chain, what, WAIT, async |view: &View| {
		let known = view.validator(&id).await?;
		Ok((!known.equivocations.is_empty()).then_some(known))
	})
	.await;
	let first = &known.equivocations[0];
	// (3 · 1 / 4)².
	assert_eq!(first.part, Perbill::from_parts(562_500_000));
	assert!(first.epoch >= start, "{first:?}");
	assert_eq!(known.rank, None);
	assert!(
		known
			.banned_until
			.is_some_and(|until| until >= first.session + BAN),
		"{known:?}"
	);

	let (taken, ()) = join!(
		the_stake_is_taken(&chain, &dave),
		the_others_go_on(&chain, &id)
	);
	let view = chain.latest().await.expect("the node is up");
	let now = view.validator(&id).await.expect("it can be read");
	assert_eq!(now.active_stake, 0, "the commitment is over");
	assert!(taken > dave.stake / 2);

	let again = chain.submit(&dave.account, calls::validators::validate());
	assert_refused(again.await, "Banned");
	// However many slots and rounds there were: a session counts once.
	let view = chain.latest().await.expect("the node is up");
	let now = view.validator(&id).await.expect("it can be read");
	let sessions: BTreeSet<_> = now.equivocations.iter().map(|one| one.session).collect();
	assert_eq!(sessions.len(), now.equivocations.len(), "{now:?}");
	assert!(sessions.len() <= 3, "a set is planned one session ahead");
	for one in &now.equivocations {
		assert_eq!(one.part, first.part, "{one:?}");
	}
}

/// Waits for a session that begins in an epoch that Dave's stake answers for; the first such epoch.
async fn until_session_under_stake(chain: &Chain, dave: &Staked) -> EpochIndex {
	let staked = dave.included.find("Capacity", "Staked");
	let (_, _, start, _): (PeerId, Balance, EpochIndex, EpochIndex) = staked.expect("it has begun");
	let mut last: Option<SessionIndex> = None;
	let what = "a session begins under the stake";
	until(chain, what, WAIT, async |view: &View| {
		let session = view.validators().await?.session;
		let owed = view.epoch().await?.info.index >= start;
		let begun = last.is_some_and(|before| before < session);
		if owed && last.is_none() {
			last = Some(session);
		}
		Ok(begun.then_some(()))
	})
	.await;
	start
}

/// Ferdie settles, waits and applies: what Dave loses is what the rules say, and nobody else loses or
/// gains but by fees and bounties. What was taken.
async fn the_stake_is_taken(chain: &Chain, dave: &Staked) -> Balance {
	let ferdie = account("//Ferdie");
	let peer = dave.peer;
	let before = Books::at(
		&chain.latest().await.expect("the node is up"),
		dave,
		&ferdie,
	)
	.await;
	let settled = send(chain, &ferdie, calls::capacity::settle(peer)).await;
	let view = chain.at(settled.block).await.expect("it is final");
	let known = view.validator(&dave.account.account()).await;
	let known = known.expect("it can be read").equivocations;

	type Waits = (PeerId, SlashId, EpochIndex, Balance, EpochIndex);
	let waiting: Vec<Waits> = all(&settled, "SlashWaits");
	let amounts: Vec<Balance> = waiting.iter().map(|(_, _, _, amount, _)| *amount).collect();
	let expected = parts_of(dave.stake, &known);
	assert!(!amounts.is_empty(), "{:?}", settled.events);
	// One more may have been reported in the very block, behind the settlement.
	assert_eq!(amounts, expected[..amounts.len()], "{known:?}");
	for ((_, _, epoch, _, due), one) in waiting.iter().zip(&known) {
		assert_eq!(*epoch, one.epoch);
		let now = view.epoch().await.expect("it can be read").info.index;
		assert_eq!(*due, now + DELAY);
	}
	let ended: Option<(PeerId, bool)> = settled.find("Capacity", "CommitmentEnded");
	assert_eq!(
		ended,
		Some((peer, true)),
		"more than half of the stake is gone"
	);
	let commitment = view.commitment(peer).await.expect("it can be read");
	let commitment = commitment.expect("it unbonds");
	assert!(matches!(
		commitment.status,
		CommitmentStatus::Unbonding { failed: true, .. }
	));

	// Epochs that nobody reported may have cost misses besides.
	type Silence = (PeerId, EpochIndex, EpochIndex, u32, Balance);
	let silence: Vec<Silence> = all(&settled, "SilenceSettled");
	let misses: Balance = silence.iter().map(|(.., slashed)| slashed).sum();
	let pushed: Vec<(PeerId, AccountId, Balance)> = all(&settled, "BountyPaid");
	let mut bounties: Balance = pushed.iter().map(|(.., amount)| amount).sum();
	let mut burnt = misses - bounties;
	let mut fees = fee(&settled);

	let due = waiting.iter().map(|(.., due)| *due).max();
	until(chain, "the slash is due", WAIT, async |view: &View| {
		let now = view.epoch().await?.info.index;
		Ok((Some(now) >= due).then_some(()))
	})
	.await;
	let mut last = settled.block;
	for (_, slash, _, amount, _) in &waiting {
		let applied = send(chain, &ferdie, calls::capacity::apply_slash(peer, *slash)).await;
		type Applied = (PeerId, SlashId, Balance, Balance, Balance);
		let told: Option<Applied> = applied.find("Capacity", "SlashApplied");
		let (_, _, burns, reporter, bounty) = told.expect("it is applied");
		assert_eq!(burns + bounty, *amount);
		assert_eq!(reporter, 0, "nobody is rewarded for the report");
		assert!(0 < bounty && bounty <= amount / 100);
		burnt += burns;
		bounties += bounty;
		fees += fee(&applied);
		last = applied.block;
	}

	let after = Books::at(&chain.at(last).await.expect("it is final"), dave, &ferdie).await;
	let taken: Balance = amounts.iter().sum();
	assert_eq!(before.dave - after.dave, taken + misses);
	assert_eq!(before.ferdie + bounties, after.ferdie + fees);
	assert_eq!(before.issuance - after.issuance, burnt + fees);
	taken
}

/// What parts take one after the other, each of what is left, rounded up.
fn parts_of(stake: Balance, parts: &[EquivocationView]) -> Vec<Balance> {
	let mut left = stake;
	let take = |one: &EquivocationView| {
		let amount = one.part.mul_ceil(left);
		left -= amount;
		amount
	};
	parts.iter().map(take).collect()
}

/// Waits until Dave has no seat, and then for some blocks that the other three finalise.
async fn the_others_go_on(chain: &Chain, dave: &AccountId) {
	let what = "Dave has no seat";
	let height = until(chain, what, WAIT, async |view: &View| {
		let now = view.validator(dave).await?;
		let sits = now.seated || now.planned;
		Ok((!sits).then_some(view.block().number))
	})
	.await;
	let what = "the others finalise blocks";
	let seats = until(chain, what, WAIT, async |view: &View| {
		let all = view.validators().await?;
		Ok((view.block().number >= height + 10).then_some(all.seats))
	})
	.await;
	let seats: Vec<AccountId> = seats.into_iter().map(|seat| seat.who).collect();
	let names = ["//Alice", "//Bob", "//Charlie"];
	assert_eq!(seats, names.map(|name| account(name).account()));
}

async fn send(chain: &Chain, who: &AccountKey, call: calls::Call) -> Included {
	let what = call.to_string();
	let sent = chain.submit(who, call).await;
	sent.unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// Fields of all of capacity's events of a name.
fn all<T: Decode>(included: &Included, name: &str) -> Vec<T> {
	let found = included.events.iter();
	found
		.filter(|event| event.pallet == "Capacity" && event.name == name)
		.map(|event| T::decode(&mut &event.fields[..]).expect("the fields are known"))
		.collect()
}

fn fee(included: &Included) -> Balance {
	let paid = included.find("TransactionPayment", "TransactionFeePaid");
	let (_, fee, _): (AccountId, Balance, Balance) = paid.expect("it has cost a fee");
	fee
}

fn assert_refused(outcome: Result<Included, SubmitError>, name: &str) {
	assert!(
		matches!(&outcome, Err(SubmitError::Dispatch { error, .. }) if error == name),
		"{outcome:?}"
	);
}

/// What there is, and what of it the two own.
struct Books {
	issuance: Balance,
	dave: Balance,
	ferdie: Balance,
}

impl Books {
	async fn at(view: &View, dave: &Staked, ferdie: &AccountKey) -> Self {
		let of = async |who: &AccountKey| {
			let balance = view.balance(&who.account()).await.expect("it can be read");
			balance.total()
		};
		Self {
			issuance: view.total_issuance().await.expect("it can be read"),
			dave: of(&dave.account).await,
			ferdie: of(ferdie).await,
		}
	}
}
