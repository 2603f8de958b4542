//! Votes, delegations, and what they lock.

use super::{get, status, tracks};
use crate::{
	arguments,
	context::{parse_account, Context},
	errors::{CliError, Result},
	ui,
};
use clap::{Args, ValueEnum};
use millrace_client::{amounts, calls, AccountId, Call};
use millrace_primitives::{
	referenda::{Ballot, ReferendumIndex, TrackId, TrackLock, VoteLock, VotingRules, VotingView},
	Balance,
};
use serde_json::json;

/// Votes of one transaction: more would not fit a block.
const MAX_BATCH: usize = 100;

/// Options of `gov vote`.
#[derive(Debug, Args)]
pub(crate) struct VoteArgs {
	/// The referendum.
	referendum: ReferendumIndex,
	/// For, against, or neither: who abstains supports that it is decided.
	#[arg(value_enum)]
	side: Side,
	/// FLT that votes, such as "100 FLT": up to all that the account owns.
	#[arg(long, value_name = "AMOUNT", value_parser = arguments::amount)]
	amount: Balance,
	/// From 0, a tenth of a vote for each FLT and no lock, to 6 votes and a lock of 32 periods if it
	/// wins. Who does not say has one vote and one period; who abstains has none.
	#[arg(long, value_parser = clap::value_parser!(u8).range(0..=6))]
	conviction: Option<u8>,
}

/// What a vote says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
	/// In favour.
	Aye,
	/// Against.
	Nay,
	/// Neither.
	Abstain,
}

impl VoteArgs {
	fn ballot(&self) -> Result<Ballot> {
		let aye = match (self.side, self.conviction) {
			(Side::Abstain, Some(_)) => {
				let message = "who abstains has no conviction; leave --conviction out";
				return Err(CliError::usage("no_conviction", message));
			}
			(Side::Abstain, None) => {
				return Ok(Ballot::Split {
					aye: 0,
					nay: 0,
					abstain: self.amount,
				});
			}
			(side, _) => side == Side::Aye,
		};
		Ok(Ballot::Side {
			aye,
			conviction: self.conviction.unwrap_or(1),
			balance: self.amount,
		})
	}
}

/// Options of `gov delegate`.
#[derive(Debug, Args)]
pub(crate) struct DelegateArgs {
	/// Who votes with it.
	#[arg(value_parser = parse_account)]
	to: AccountId,
	/// FLT that votes, such as "100 FLT": up to all that the account owns.
	#[arg(long, value_name = "AMOUNT", value_parser = arguments::amount)]
	amount: Balance,
	/// From 0 to 6, as for a vote; it locks from the day on that the delegation is taken back.
	#[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=6))]
	conviction: u8,
	/// On this track alone; can be given several times. On all without it.
	#[arg(long, value_name = "NAME")]
	track: Vec<String>,
}

/// Options of `gov undelegate`.
#[derive(Debug, Args)]
pub(crate) struct UndelegateArgs {
	/// On this track alone; can be given several times. On all without it.
	#[arg(long, value_name = "NAME")]
	track: Vec<String>,
}

/// Votes.
pub(super) async fn vote(context: &Context, args: &VoteArgs) -> Result<()> {
	let ballot = args.ballot()?;
	let referendum = args.referendum;
	let chain = context.chain().await?;
	let call = calls::governance::vote(referendum, &ballot);
	let included = context.submit(&chain, call).await?;
	let view = chain.at(included.block).await?;
	let found = get(&view, referendum).await?;
	let next = status::next(&found, view.block().number);
	let tally = found.ongoing.map(|ongoing| ongoing.tally);
	let value = json!({
		"referendum": referendum,
		"ballot": ballot,
		"block": included.block,
		"tally": tally,
		"next": next,
	});
	context.emit(&value, || {
		let mut rows = vec![
			("referendum", referendum.to_string()),
			("vote", of_ballot(&ballot)),
		];
		if let Some(tally) = &tally {
			let (ayes, nays) = (amounts::format(tally.ayes), amounts::format(tally.nays));
			rows.push(("votes", format!("{ayes} in favour, {nays} against")));
		}
		rows.push(("next", next));
		ui::pairs(rows)
	})
}

/// Takes a vote away, of which it need not be known whether its referendum is over.
pub(super) async fn unvote(context: &Context, referendum: ReferendumIndex) -> Result<()> {
	let account = context.signer()?.account();
	let chain = context.chain().await?;
	let voting = chain.latest().await?.voting(&account).await?;
	let vote = voting
		.votes
		.iter()
		.find(|vote| vote.referendum == referendum);
	let vote = vote.ok_or_else(|| {
		let message = format!("{account} has no vote on referendum {referendum}");
		CliError::not_found("vote_unknown", message).hint("see `millrace gov votes`")
	})?;
	let call = calls::governance::remove_vote(vote.track, referendum);
	let included = context.submit(&chain, call).await?;
	let value = json!({
		"referendum": referendum,
		"ballot": vote.ballot,
		"block": included.block,
	});
	context.emit(&value, || {
		format!(
			"the vote on referendum {referendum} is gone: {}; `millrace gov unlock` frees what nothing \
			 locks any more",
			of_ballot(&vote.ballot)
		)
	})
}

/// Lets another account vote.
pub(super) async fn delegate(context: &Context, args: &DelegateArgs) -> Result<()> {
	let chain = context.chain().await?;
	let rules = chain.latest().await?.voting_rules().await?;
	let ids = chosen(&rules, &args.track)?;
	let calls: Vec<_> = ids
		.iter()
		.map(|id| calls::governance::delegate(*id, &args.to, args.conviction, args.amount))
		.collect();
	let included = context.submit(&chain, together(calls)).await?;
	let names = names(&rules, &ids);
	let value = json!({
		"to": args.to,
		"amount": args.amount.to_string(),
		"conviction": args.conviction,
		"tracks": names,
		"block": included.block,
	});
	context.emit(&value, || {
		let amount = amounts::format(args.amount);
		format!("{} votes with {amount} on {}", args.to, names.join(", "))
	})
}

/// Takes delegations back.
pub(super) async fn undelegate(context: &Context, args: &UndelegateArgs) -> Result<()> {
	let account = context.signer()?.account();
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let rules = view.voting_rules().await?;
	let voting = view.voting(&account).await?;
	let wanted = chosen(&rules, &args.track)?;
	let ids: Vec<_> = voting
		.delegations
		.iter()
		.map(|delegation| delegation.track)
		.filter(|track| wanted.contains(track))
		.collect();
	if ids.is_empty() {
		let message = format!("{account} delegates nothing there");
		return Err(CliError::not_found("no_delegation", message).hint("see `millrace gov votes`"));
	}
	let calls: Vec<_> = ids
		.iter()
		.map(|id| calls::governance::undelegate(*id))
		.collect();
	let included = context.submit(&chain, together(calls)).await?;
	let names = names(&rules, &ids);
	let value = json!({ "account": account, "tracks": names, "block": included.block });
	context.emit(&value, || {
		format!("{account} votes itself on {}", names.join(", "))
	})
}

/// Frees what votes do not lock any more, and takes away those of the signer that lock nothing.
pub(super) async fn unlock(context: &Context, account: Option<AccountId>) -> Result<()> {
	let signer = context.signer()?.account();
	let account = account.unwrap_or(signer);
	let chain = context.chain().await?;
	let before = chain.latest().await?.voting(&account).await?;
	let calls = freeing(&before, &account, account == signer);
	if calls.is_empty() {
		let message = format!("nothing that {account} votes with can be freed now");
		return Err(CliError::not_found("nothing_to_free", message)
			.hint("`millrace gov votes` tells what locks it, and until when"));
	}
	let included = context.submit(&chain, together(calls)).await?;
	let after = chain.at(included.block).await?.voting(&account).await?;
	let (was, is) = (locked(&before.locks), locked(&after.locks));
	let value = json!({
		"account": account,
		"freed": was.saturating_sub(is).to_string(),
		"locked": is.to_string(),
		"block": included.block,
	});
	context.emit(&value, || {
		ui::pairs([
			("freed", amounts::format(was.saturating_sub(is))),
			("still locked", amounts::format(is)),
		])
	})
}

/// Shows how an account votes.
pub(super) async fn show(context: &Context, account: AccountId) -> Result<()> {
	let view = context.chain().await?.latest().await?;
	let rules = view.voting_rules().await?;
	let voting = view.voting(&account).await?;
	let owned = view.balance(&account).await?.total();
	let value = json!({
		"account": account,
		"owned": owned.to_string(),
		"locked": locked(&voting.locks).to_string(),
		"voting": voting,
	});
	context.emit(&value, || {
		let head = ui::pairs([
			("account", account.to_string()),
			("can vote with", amounts::format(owned)),
			("locked by votes", amounts::format(locked(&voting.locks))),
		]);
		[head, describe(&rules, &voting)].join("\n\n")
	})
}

/// Calls that free what can be freed: votes that lock nothing are taken away first, where they are the
/// signer's own.
fn freeing(voting: &VotingView<AccountId>, account: &AccountId, own: bool) -> Vec<Call> {
	let over: Vec<_> = voting
		.votes
		.iter()
		.filter(|vote| own && vote.lock == VoteLock::Free)
		.take(MAX_BATCH)
		.collect();
	let mut calls: Vec<_> = over
		.iter()
		.map(|vote| calls::governance::remove_vote(vote.track, vote.referendum))
		.collect();
	let tracks = voting.locks.iter().filter(|lock| {
		lock.needed < lock.locked || over.iter().any(|vote| vote.track == lock.track)
	});
	calls.extend(tracks.map(|lock| calls::governance::unlock(lock.track, account)));
	calls
}

/// The tracks of these names, or all.
fn chosen(rules: &VotingRules, wanted: &[String]) -> Result<Vec<TrackId>> {
	if wanted.is_empty() {
		return Ok(rules.tracks.iter().map(|track| track.id).collect());
	}
	wanted
		.iter()
		.map(|name| tracks::find(rules, name).map(|track| track.id))
		.collect()
}

fn names(rules: &VotingRules, ids: &[TrackId]) -> Vec<String> {
	ids.iter().map(|id| tracks::name_of(rules, *id)).collect()
}

/// Calls in one transaction.
fn together(mut calls: Vec<Call>) -> Call {
	match (calls.len(), calls.pop()) {
		(1, Some(only)) => only,
		(_, last) => {
			calls.extend(last);
			calls::utility::batch_all(calls)
		}
	}
}

/// What votes lock of an account: the locks of the tracks lie over one another.
fn locked(locks: &[TrackLock]) -> Balance {
	locks.iter().map(|lock| lock.locked).max().unwrap_or(0)
}

fn of_ballot(ballot: &Ballot) -> String {
	match *ballot {
		Ballot::Side {
			aye,
			conviction,
			balance,
		} => {
			let side = if aye { "aye" } else { "nay" };
			let amount = amounts::format(balance);
			format!("{side} with {amount}, conviction {conviction}")
		}
		Ballot::Split { aye, nay, abstain } => {
			let parts = [("aye", aye), ("nay", nay), ("abstains", abstain)]
				.into_iter()
				.filter(|(_, amount)| *amount > 0)
				.map(|(side, amount)| format!("{side} with {}", amounts::format(amount)));
			parts.collect::<Vec<_>>().join(", ")
		}
	}
}

fn describe(rules: &VotingRules, voting: &VotingView<AccountId>) -> String {
	let votes = voting.votes.iter().map(|vote| {
		vec![
			vote.referendum.to_string(),
			tracks::name_of(rules, vote.track),
			of_ballot(&vote.ballot),
			match vote.lock {
				VoteLock::Ongoing => "while it goes on".to_string(),
				VoteLock::Until(block) => format!("until block {block}"),
				VoteLock::Free => "no more; see `millrace gov unlock`".to_string(),
			},
		]
	});
	let mut parts = vec![ui::table(["referendum", "track", "vote", "locked"], votes)];
	if !voting.delegations.is_empty() {
		let rows = voting.delegations.iter().map(|delegation| {
			vec![
				tracks::name_of(rules, delegation.track),
				delegation.to.to_string(),
				amounts::format(delegation.balance),
				delegation.conviction.to_string(),
			]
		});
		parts.push(ui::table(
			["track", "delegated to", "amount", "conviction"],
			rows,
		));
	}
	if !voting.locks.is_empty() {
		let rows = voting.locks.iter().map(|lock| {
			let past = match lock.past {
				0 => String::new(),
				past => format!("{} until block {}", amounts::format(past), lock.past_until),
			};
			vec![
				tracks::name_of(rules, lock.track),
				amounts::format(lock.locked),
				amounts::format(lock.needed),
				past,
			]
		});
		let header = ["track", "locks", "needs now", "of the past"];
		parts.push(ui::table(header, rows));
	}
	parts.join("\n\n")
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;
	use millrace_primitives::{
		referenda::{DelegationView, VoteView},
		FLT,
	};

	#[derive(Debug, Parser)]
	struct Line {
		#[command(flatten)]
		args: VoteArgs,
	}

	fn args(line: &[&str]) -> VoteArgs {
		let line = [&["test", "3"][..], line].concat();
		Line::try_parse_from(line).expect("it is a vote").args
	}

	fn vote(referendum: ReferendumIndex, track: TrackId, lock: VoteLock) -> VoteView {
		VoteView {
			referendum,
			track,
			ballot: Ballot::Side {
				aye: true,
				conviction: 2,
				balance: 5 * FLT,
			},
			lock,
		}
	}

	fn lock(track: TrackId, locked: Balance, needed: Balance) -> TrackLock {
		TrackLock {
			track,
			locked: locked * FLT,
			needed: needed * FLT,
			past: 0,
			past_until: 0,
		}
	}

	fn who() -> AccountId {
		AccountId::from([7; 32])
	}

	#[test]
	fn one_vote_is_what_nobody_names() {
		let ballot = args(&["aye", "--amount", "5 FLT"])
			.ballot()
			.expect("it is one");
		let expected = Ballot::Side {
			aye: true,
			conviction: 1,
			balance: 5 * FLT,
		};
		assert_eq!(ballot, expected);
		let against = args(&["nay", "--amount", "5 FLT", "--conviction", "0"]);
		let expected = Ballot::Side {
			aye: false,
			conviction: 0,
			balance: 5 * FLT,
		};
		assert_eq!(against.ballot().expect("it is one"), expected);
		assert_eq!(of_ballot(&expected), "nay with 5 FLT, conviction 0");
	}

	#[test]
	fn who_abstains_has_no_conviction() {
		let ballot = args(&["abstain", "--amount", "2 FLT"]).ballot();
		let expected = Ballot::Split {
			aye: 0,
			nay: 0,
			abstain: 2 * FLT,
		};
		assert_eq!(ballot.expect("it is one"), expected);
		assert_eq!(of_ballot(&expected), "abstains with 2 FLT");
		let torn = args(&["abstain", "--amount", "2 FLT", "--conviction", "1"]);
		assert_eq!(torn.ballot().expect_err("it is none").code, "no_conviction");
	}

	#[test]
	fn what_locks_nothing_is_taken_away_and_the_rest_stays() {
		let voting = VotingView {
			votes: vec![
				vote(1, 0, VoteLock::Free),
				vote(2, 0, VoteLock::Ongoing),
				vote(3, 4, VoteLock::Until(9)),
			],
			delegations: Vec::new(),
			locks: vec![lock(0, 5, 5), lock(4, 5, 5), lock(2, 3, 0)],
		};
		let expected = vec![
			calls::governance::remove_vote(0, 1),
			calls::governance::unlock(0, &who()),
			calls::governance::unlock(2, &who()),
		];
		assert_eq!(freeing(&voting, &who(), true), expected);
		// Nobody takes another's votes away.
		let expected = vec![calls::governance::unlock(2, &who())];
		assert_eq!(freeing(&voting, &who(), false), expected);
		assert_eq!(locked(&voting.locks), 5 * FLT);
	}

	#[test]
	fn several_calls_are_one_transaction_and_one_is_itself() {
		let one = calls::governance::undelegate(1);
		assert_eq!(together(vec![one.clone()]), one);
		let both = vec![one, calls::governance::undelegate(2)];
		assert_eq!(together(both.clone()), calls::utility::batch_all(both));
	}

	#[test]
	fn tracks_are_chosen_by_name_or_all() {
		let rules = tracks::sample();
		assert_eq!(chosen(&rules, &[]).expect("all"), [0, 4]);
		assert_eq!(chosen(&rules, &["market".into()]).expect("one"), [4]);
		assert!(chosen(&rules, &["nothing".into()]).is_err());
	}

	#[test]
	fn the_tables_say_what_locks() {
		let voting = VotingView {
			votes: vec![vote(3, 4, VoteLock::Until(9))],
			delegations: vec![DelegationView {
				track: 0,
				to: who(),
				conviction: 1,
				balance: 2 * FLT,
			}],
			locks: vec![lock(4, 5, 5)],
		};
		let text = describe(&tracks::sample(), &voting);
		for part in ["until block 9", "market", "delegated to", "needs now"] {
			assert!(text.contains(part), "{part}: {text}");
		}
	}
}
