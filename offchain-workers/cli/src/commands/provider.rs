//! `millrace provider`: the account that owns peers.

use crate::{
	context::{parse_account, Context},
	errors::Result,
	ui,
};
use clap::Subcommand;
use millrace_client::{amounts, calls, AccountId};
use serde_json::json;

/// The account that owns peers.
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
	/// Register the signing account; holds a deposit.
	Register {
		/// A name for people, at most 64 bytes.
		name: String,
	},
	/// Show balance, credited reward, peers and their commitments.
	Status {
		/// The provider; the signing account without it.
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
	}
}

async fn status(context: &Context, account: AccountId) -> Result<()> {
	let view = context.chain().await?.latest().await?;
	let balance = view.balance(&account).await?;
	let credited = view.credited(&account).await?;
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
		"credited": credited.to_string(),
		"peers": peers,
	});
	context.emit(&value, || {
		let head = ui::pairs([
			("provider", account.to_string()),
			("free", amounts::format(balance.free)),
			("held", amounts::format(balance.held)),
			("credited", amounts::format(credited)),
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
