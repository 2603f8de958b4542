//! `millrace provider`: the account that owns peers.

mod next;

use crate::{
	commands::deal::missing_event,
	context::{parse_account, Context},
	errors::Result,
	ui,
};
use clap::Subcommand;
use millrace_client::{amounts, calls, AccountBalance, AccountId};
use millrace_primitives::Balance;
use next::{Standing, Step};
use serde_json::json;

/// The account that owns peers.
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
	/// Register the signing account; holds a deposit.
	Register {
		/// A name for people, at most 64 bytes.
		name: String,
	},
	/// Show balance, earnings, peers and their commitments, and what must be done next, if anything.
	Status {
		/// The provider; the signing account without it.
		#[arg(value_parser = parse_account)]
		account: Option<AccountId>,
	},
	/// Pay out the rewards of a staker, provider or delegator, that have vested; any account may.
	Claim {
		/// The staker; the signing account without it.
		#[arg(value_parser = parse_account)]
		account: Option<AccountId>,
	},
	/// Remove the signing account's registration; all its peers must be gone.
	Remove,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: ProviderCommand) -> Result<()> {
	match command {
		ProviderCommand::Register { name } => {
			let chain = context.chain().await?;
			let included = context
				.submit(&chain, calls::providers::register_provider(&name))
				.await?;
			let account = context.signer()?.address();
			context.emit(
				&json!({ "provider": account, "block": included.block }),
				|| format!("registered {account}"),
			)
		}
		ProviderCommand::Remove => {
			let chain = context.chain().await?;
			let included = context
				.submit(&chain, calls::providers::remove_provider())
				.await?;
			context.emit(&json!({ "block": included.block }), || "removed".into())
		}
		ProviderCommand::Status { account } => {
			status(context, context.account_or_signer(account)?).await
		}
		ProviderCommand::Claim { account } => {
			claim(context, context.account_or_signer(account)?).await
		}
	}
}

async fn claim(context: &Context, account: AccountId) -> Result<()> {
	let chain = context.chain().await?;
	let included = context
		.submit(&chain, calls::capacity::claim(&account))
		.await?;
	let (_, amount): Claimed = included
		.find("Capacity", "RewardClaimed")
		.ok_or_else(|| missing_event("RewardClaimed"))?;
	let value = json!({
		"account": account,
		"amount": amount.to_string(),
		"block": included.block,
	});
	context.emit(&value, || {
		format!("{} paid to {account}", amounts::format(amount))
	})
}

/// Fields of `RewardClaimed`: to whom, how much.
pub(crate) type Claimed = (AccountId, Balance);

async fn status(context: &Context, account: AccountId) -> Result<()> {
	let view = context.chain().await?.latest().await?;
	let balance = view.balance(&account).await?;
	let earnings = view.earnings(&account).await?;
	let holds = view.holds(&account).await?;
	let registered = holds
		.iter()
		.any(|hold| (&*hold.pallet, &*hold.reason) == REGISTRATION);
	let registered_peers = view.peers_of(&account).await?;
	let mut next = Vec::new();
	let mut rows = Vec::new();
	let mut peers = Vec::new();
	for peer in &registered_peers {
		let standing = Standing::read(&view, peer, spendable(&balance)).await?;
		next.extend(standing.steps());
		let commitment = &standing.commitment;
		let endpoint = String::from_utf8_lossy(&peer.endpoint).into_owned();
		rows.push(match commitment {
			Some(commitment) => vec![
				peer.peer.to_string(),
				endpoint.clone(),
				commitment.units.to_string(),
				amounts::format(commitment.stake),
				amounts::format(commitment.rewarded),
				super::peer::describe(&commitment.status),
			],
			None => vec![
				peer.peer.to_string(),
				endpoint.clone(),
				"0".into(),
				amounts::format(0),
				amounts::format(0),
				"no commitment".into(),
			],
		});
		peers.push(json!({ "peer": peer.peer, "endpoint": endpoint, "commitment": commitment }));
	}
	next.extend(next::of_account(
		registered,
		registered_peers.len(),
		&earnings,
	));
	let value = json!({
		"provider": account,
		"balance": balance,
		"earnings": earnings,
		"peers": peers,
		"next": next,
	});
	context.emit(&value, || {
		let head = ui::pairs([
			("provider", account.to_string()),
			("free", amounts::format(balance.free)),
			("held", amounts::format(balance.held)),
			("claimable", amounts::format(earnings.claimable)),
			("vesting", amounts::format(earnings.vesting)),
		]);
		let peers = ui::table(
			[
				"peer",
				"endpoint",
				"units",
				"stake",
				"rewarded",
				"commitment",
			],
			rows,
		);
		format!("{head}\n\n{peers}\n\n{}", of_next(&next))
	})
}

/// What is held of every provider: pallet and reason.
const REGISTRATION: (&str, &str) = ("Providers", "ProviderDeposit");

/// What can still be held for bonds; what is held already counts towards locks.
fn spendable(balance: &AccountBalance) -> Balance {
	let locked = balance.frozen.saturating_sub(balance.held);
	balance.free.saturating_sub(locked)
}

/// What to do next, in words.
fn of_next(next: &[Step]) -> String {
	if next.is_empty() {
		return "nothing to do: the workers do the rest while they run".into();
	}
	let rows = next.iter().map(|step| {
		vec![
			step.peer
				.map_or_else(|| "the account".into(), |peer| peer.to_string()),
			step.why.clone(),
			step.until
				.map_or_else(String::new, |epoch| format!("epoch {epoch}")),
			step.command.clone(),
		]
	});
	ui::table(["what to do next", "why", "until", "by"], rows)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn locks_are_met_by_what_is_held_first() {
		let spends = |free, held, frozen| spendable(&AccountBalance { free, held, frozen });
		assert_eq!(spends(10, 0, 0), 10);
		assert_eq!(spends(10, 5, 4), 10);
		assert_eq!(spends(10, 5, 8), 7);
		assert_eq!(spends(10, 5, 99), 0);
	}

	#[test]
	fn who_has_nothing_to_do_is_told_so() {
		assert!(of_next(&[]).starts_with("nothing to do"));
		let step = Step {
			peer: None,
			code: "claimable",
			why: "5 FLT can be claimed".into(),
			command: "millrace provider claim".into(),
			until: Some(7),
		};
		let text = of_next(&[step]);
		for part in ["the account", "5 FLT", "epoch 7", "provider claim"] {
			assert!(text.contains(part), "{text}");
		}
	}
}
