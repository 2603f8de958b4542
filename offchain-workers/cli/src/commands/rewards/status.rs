//! `millrace rewards status`: the programme, and where an account stands in it.

use super::{claim::not_rewarded, proofs};
use crate::{context::Context, errors::Result, ui};
use millrace_client::{amounts, AccountId};
use millrace_primitives::{rewards::RewardsView, Balance};
use serde_json::json;
use std::path::Path;

/// What an account gets of a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Own {
	index: u32,
	amount: Balance,
	/// Whether the file is of the programme that stands.
	is_of_programme: bool,
	claimed: bool,
}

/// Shows it.
pub(super) async fn run(
	context: &Context,
	file: Option<&Path>,
	account: Option<AccountId>,
) -> Result<()> {
	// Without an account there is the programme to show.
	let named = account.is_some() || file.is_some() || context.settings.key.is_some();
	let account = match named {
		true => Some(context.account_or_signer(account)?),
		false => None,
	};
	let view = context.chain().await?.latest().await?;
	let rewards = view.rewards().await?;
	let own = match (file, &account) {
		(Some(file), Some(account)) => {
			let (root, proof) = proofs::find(file, account)?;
			let proof = proof.ok_or_else(|| not_rewarded(account))?;
			let is_of_programme = rewards
				.programme
				.is_some_and(|programme| programme.root == root);
			Some(Own {
				index: proof.index,
				amount: proof.amount,
				is_of_programme,
				claimed: is_of_programme && view.is_reward_claimed(proof.index).await?,
			})
		}
		_ => None,
	};
	let locks = match &account {
		Some(account) => Some((
			view.balance(account).await?.frozen,
			view.is_releasable(account).await?,
		)),
		None => None,
	};
	let value = json!({
		"rewards": rewards,
		"account": account,
		"reward": own.map(|own| json!({
			"index": own.index,
			"amount": own.amount.to_string(),
			"of_programme": own.is_of_programme,
			"claimed": own.claimed,
		})),
		"locked": locks.map(|(locked, _)| locked.to_string()),
		"releasable": locks.map(|(_, over)| over),
	});
	context.emit(&value, || {
		let mut rows = of_programme(&rewards);
		rows.extend(account.map(|account| ("account", account.to_string())));
		rows.extend(own.map(|own| ("reward", of_own(&own))));
		rows.extend(locks.map(|(locked, over)| {
			let over = if over {
				"; some of it can be released"
			} else {
				""
			};
			("locked", format!("{}{over}", amounts::format(locked)))
		}));
		ui::pairs(rows)
	})
}

fn of_programme(rewards: &RewardsView) -> Vec<(&'static str, String)> {
	let pot = ("pot", amounts::format(rewards.pot));
	let Some(programme) = &rewards.programme else {
		let state = match rewards.sweeping {
			true => "none; the one before is being swept",
			false => "none",
		};
		return vec![("programme", state.into()), pot];
	};
	let left = programme.total.saturating_sub(programme.paid);
	let ends = match programme.ends.checked_sub(rewards.block) {
		Some(blocks) => format!("with block {}, in {blocks} blocks", programme.ends),
		None => format!(
			"with block {}: `millrace rewards end` ends it",
			programme.ends
		),
	};
	vec![
		("programme", programme.number.to_string()),
		("root", format!("{:?}", programme.root)),
		(
			"claims",
			format!("{} of {}", programme.claims, programme.rewards),
		),
		("paid", amounts::format(programme.paid)),
		("left", amounts::format(left)),
		("ends", ends),
		("locks for", format!("{} blocks", rewards.lock_blocks)),
		pot,
	]
}

fn of_own(own: &Own) -> String {
	let state = match (own.is_of_programme, own.claimed) {
		(false, _) => "of a list that is not the programme's",
		(true, true) => "claimed",
		(true, false) => "not claimed",
	};
	format!("{}, {state}", amounts::format(own.amount))
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{rewards::ProgrammeView, FLT, H256};

	fn rewards() -> RewardsView {
		RewardsView {
			block: 40,
			programme: Some(ProgrammeView {
				number: 0,
				root: H256::repeat_byte(1),
				rewards: 2,
				total: 10 * FLT,
				paid: 4 * FLT,
				claims: 1,
				ends: 50,
			}),
			pot: 6 * FLT,
			lock_blocks: 100,
			sweeping: false,
		}
	}

	fn value(rewards: &RewardsView, name: &str) -> String {
		let rows = of_programme(rewards);
		let row = rows.into_iter().find(|(row, _)| *row == name);
		row.map(|(_, value)| value).unwrap_or_default()
	}

	#[test]
	fn a_programme_says_what_is_left_and_when_it_ends() {
		assert_eq!(value(&rewards(), "left"), "6 FLT");
		assert_eq!(value(&rewards(), "claims"), "1 of 2");
		assert_eq!(value(&rewards(), "ends"), "with block 50, in 10 blocks");
		let over = RewardsView {
			block: 51,
			..rewards()
		};
		assert!(value(&over, "ends").contains("rewards end"));
		let none = RewardsView {
			programme: None,
			sweeping: true,
			..rewards()
		};
		assert!(value(&none, "programme").contains("swept"));
	}

	#[test]
	fn a_reward_of_another_list_is_told() {
		let own = Own {
			index: 0,
			amount: FLT,
			is_of_programme: false,
			claimed: false,
		};
		assert!(of_own(&own).contains("not the programme's"));
		let claimed = Own {
			is_of_programme: true,
			claimed: true,
			..own
		};
		assert_eq!(of_own(&claimed), "1 FLT, claimed");
	}
}
