//! `millrace provider`: the account that owns peers.

use crate::{
	commands::deal::missing_event,
	context::{parse_account, Context},
	errors::Result,
	ui,
};
use clap::Subcommand;
use millrace_client::{amounts, calls, AccountId};
use millrace_primitives::Balance;
use serde_json::json;

/// The account that owns peers.
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
	/// Register the signing account; holds a deposit.
	Register {
		/// A name for people, at most 64 bytes.
		name: String,
	},
	/// Show balance, earnings, peers and their commitments.
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
	let mut rows = Vec::new();
	let mut peers = Vec::new();
	for peer in view.peers_of(&account).await? {
		let commitment = view.commitment(peer.peer).await?;
		let endpoint = String::from_utf8_lossy(&peer.endpoint).into_owned();
		rows.push(match &commitment {
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
	let value = json!({
		"provider": account,
		"balance": balance,
		"earnings": earnings,
		"peers": peers,
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
		format!("{head}\n\n{peers}")
	})
}
