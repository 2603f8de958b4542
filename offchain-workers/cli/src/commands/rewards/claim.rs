//! `millrace rewards claim` and `release`: transactions without a fee, seen to their end.

use super::proofs::{self, Proof};
use crate::{
	commands::wait::{self, Progress},
	context::Context,
	errors::{CliError, Kind, Result},
	ui,
};
use millrace_client::{amounts, calls, AccountId, Call, Chain, SubmitError, View};
use millrace_primitives::{
	rewards::{claim_hash, ProgrammeView, RewardsView},
	H256,
};
use serde_json::json;
use std::path::Path;

/// Claims the signer's reward and waits until it is paid.
pub(super) async fn claim(context: &Context, file: &Path, timeout: u64) -> Result<()> {
	let signer = context.signer()?;
	let account = signer.account();
	let (root, proof) = proofs::find(file, &account)?;
	let proof = proof.ok_or_else(|| not_rewarded(&account))?;
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let rewards = view.rewards().await?;
	let programme = open_programme(&rewards, root)?;
	if view.is_reward_claimed(proof.index).await? {
		let message = format!("the reward of {account} was claimed");
		return Err(CliError::new(Kind::Refused, "ClaimedAlready", message)
			.hint("`millrace rewards status` tells what is locked, and what can be released"));
	}
	let Proof {
		index,
		amount,
		path,
		..
	} = proof;
	let hash = claim_hash(
		chain.genesis(),
		programme.number,
		root,
		index,
		&account,
		amount,
	);
	let signature = signer.sign(&hash.0);
	let call = calls::rewards::claim_for(&account, index, amount, &path, signature);
	let waited = wait::until(&chain, "the claim", timeout, async |view: &View| {
		if view.is_reward_claimed(index).await? {
			return Ok(Progress::Done(view.block()));
		}
		send(&chain, call.clone()).await.map(Progress::Waiting)
	});
	let block = waited
		.await?
		.map_err(|last| not_done("the claim", timeout, &last))?;
	let value = json!({
		"account": account,
		"programme": programme.number,
		"index": index,
		"amount": amount.to_string(),
		"lock_blocks": rewards.lock_blocks,
		"block": block.hash,
	});
	context.emit(&value, || {
		let locked = format!(
			"for {} blocks; then: millrace rewards release {account}",
			rewards.lock_blocks
		);
		ui::pairs([
			("account", account.to_string()),
			("reward", amounts::format(amount)),
			("locked", locked),
		])
	})
}

/// Takes away an account's locks that are over, and waits until they are gone.
pub(super) async fn release(context: &Context, account: AccountId, timeout: u64) -> Result<()> {
	let chain = context.chain().await?;
	if !chain.latest().await?.is_releasable(&account).await? {
		let message = format!("no lock of {account} is over");
		return Err(CliError::not_found("nothing_to_release", message)
			.hint("`millrace rewards status --account` tells what is locked"));
	}
	let call = calls::rewards::release(&account);
	let waited = wait::until(&chain, "the release", timeout, async |view: &View| {
		if !view.is_releasable(&account).await? {
			return Ok(Progress::Done(view.block()));
		}
		send(&chain, call.clone()).await.map(Progress::Waiting)
	});
	let block = waited
		.await?
		.map_err(|last| not_done("the release", timeout, &last))?;
	let balance = chain.at(block.hash).await?.balance(&account).await?;
	let value = json!({
		"account": account,
		"locked": balance.frozen.to_string(),
		"block": block.hash,
	});
	context.emit(&value, || {
		ui::pairs([
			("account", account.to_string()),
			("locked still", amounts::format(balance.frozen)),
		])
	})
}

/// Hands a free transaction to the pool; what passes by itself is told, what does not is an error.
async fn send(chain: &Chain, call: Call) -> Result<String> {
	match chain.submit_duty(call).await {
		Ok(_) => Ok("it is in the pool".into()),
		Err(SubmitError::Refused {
			code: Some(code),
			reason,
		}) => match refusal(code) {
			Some((name, message)) => Err(CliError::new(Kind::Refused, name, message)),
			// The pool looks at a later block than the one that was read: the next one shows why.
			None => Ok(reason),
		},
		Err(error @ SubmitError::Refused { .. }) => Ok(error.to_string()),
		Err(error) if error.is_transient() => Ok(error.to_string()),
		Err(error) => Err(error.into()),
	}
}

/// What the pool says that no later block changes by itself, by the chain's own names.
fn refusal(code: u8) -> Option<(&'static str, &'static str)> {
	Some(match code {
		60 => ("NoProgramme", "there is no programme any more"),
		61 => ("ProgrammeOver", "the programme's last block has passed"),
		62 => ("NotInTree", "the reward is not in the programme's tree"),
		64 => (
			"PoolExhausted",
			"less than the reward is left of what the programme pays",
		),
		65 => (
			"TooManyLocks",
			"the account has as many locks as there can be; wait until one is over, or merge two",
		),
		66 => (
			"NotPayable",
			"the account does not exist yet, and the reward is too small to begin with",
		),
		67 => (
			"bad_signature",
			"the chain does not take the signature for the account's",
		),
		_ => return None,
	})
}

/// The programme that pays rewards of this tree now.
fn open_programme(rewards: &RewardsView, root: H256) -> Result<ProgrammeView> {
	let programme = rewards
		.programme
		.ok_or_else(|| CliError::not_found("no_programme", "there is no programme of rewards"))?;
	if programme.root != root {
		let message = format!(
			"the file's root is {root:?}, and that of programme {} is {:?}",
			programme.number, programme.root
		);
		return Err(CliError::new(Kind::Verification, "other_tree", message)
			.hint("take that programme's list"));
	}
	if rewards.block > programme.ends {
		let message = format!("the programme ended with block {}", programme.ends);
		return Err(CliError::new(Kind::Refused, "ProgrammeOver", message));
	}
	Ok(programme)
}

/// An account has no reward in a file.
pub(super) fn not_rewarded(account: &AccountId) -> CliError {
	CliError::not_found(
		"not_rewarded",
		format!("{account} has no reward in the file"),
	)
	.hint("give the account that the list names with --key")
}

fn not_done(what: &str, timeout: u64, last: &str) -> CliError {
	let message = format!("{what} is in no final block after {timeout} s: {last}");
	CliError::new(Kind::Failure, "not_included", message).hint("give it again; twice does no harm")
}

#[cfg(test)]
mod tests {
	use super::*;

	fn rewards(block: u32) -> RewardsView {
		RewardsView {
			block,
			programme: Some(ProgrammeView {
				number: 3,
				root: H256::repeat_byte(1),
				rewards: 2,
				total: 10,
				paid: 0,
				claims: 0,
				ends: 50,
			}),
			pot: 10,
			lock_blocks: 100,
			sweeping: false,
		}
	}

	#[test]
	fn a_claim_is_for_the_tree_that_the_chain_has_and_in_time() {
		let root = H256::repeat_byte(1);
		let programme = open_programme(&rewards(50), root).expect("it is in time");
		assert_eq!(programme.number, 3);
		let code = |rewards: &RewardsView, root| {
			open_programme(rewards, root)
				.expect_err("it is refused")
				.code
		};
		assert_eq!(code(&rewards(51), root), "ProgrammeOver");
		assert_eq!(code(&rewards(50), H256::zero()), "other_tree");
		let none = RewardsView {
			programme: None,
			..rewards(50)
		};
		assert_eq!(code(&none, root), "no_programme");
	}

	#[test]
	fn what_time_heals_is_waited_for() {
		// Claimed already and nothing to release: the next block shows it.
		for code in [63, 68, 1] {
			assert_eq!(refusal(code), None);
		}
		assert!((60..=67)
			.filter(|code| *code != 63)
			.all(|code| refusal(code).is_some()));
	}
}
