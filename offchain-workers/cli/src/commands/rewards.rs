//! `millrace rewards`: the tree over a list of rewards, claims, and how a programme stands.

mod claim;
mod list;
mod proofs;
mod status;
mod tree;

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
use std::path::PathBuf;
use tree::TreeArgs;

/// Seconds in which a free transaction comes into a block that is final, unless blocks are full.
const TIMEOUT: u64 = 120;

/// Developer rewards: the tree over a list, claims, and how a programme stands.
#[derive(Debug, Subcommand)]
pub(crate) enum RewardsCommand {
	/// Build the tree over a list of rewards: its root, their number and their sum. Needs no node unless
	/// a call is asked for.
	Tree(TreeArgs),
	/// Claim the signing account's reward. It costs no fee and needs no balance.
	Claim {
		/// The programme's list (CSV), or the proofs that `rewards tree` wrote (JSON); `-` for standard
		/// input.
		file: PathBuf,
		/// Give up after so many seconds.
		#[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT)]
		timeout: u64,
	},
	/// Take away locks of an account that are over, so that its FLT can be spent. It costs no fee; any
	/// account may.
	Release {
		/// The account; the signing account without it.
		#[arg(value_parser = parse_account)]
		account: Option<AccountId>,
		/// Give up after so many seconds.
		#[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT)]
		timeout: u64,
	},
	/// Show the programme; with a file, also where an account stands in it.
	Status {
		/// The programme's list (CSV), or the proofs that `rewards tree` wrote (JSON); `-` for standard
		/// input.
		file: Option<PathBuf>,
		/// The account; the signing account without it.
		#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
		account: Option<AccountId>,
	},
	/// End a programme whose last block has passed: what was not claimed goes to the treasury; any
	/// account may.
	End,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: RewardsCommand) -> Result<()> {
	match command {
		RewardsCommand::Tree(args) => tree::run(context, &args).await,
		RewardsCommand::Claim { file, timeout } => claim::claim(context, &file, timeout).await,
		RewardsCommand::Release { account, timeout } => {
			claim::release(context, context.account_or_signer(account)?, timeout).await
		}
		RewardsCommand::Status { file, account } => {
			status::run(context, file.as_deref(), account).await
		}
		RewardsCommand::End => end(context).await,
	}
}

/// Fields of `ProgrammeEnded`: number, claims, what was paid, what the treasury got.
type Ended = (u32, u32, Balance, Balance);

async fn end(context: &Context) -> Result<()> {
	let chain = context.chain().await?;
	let included = context.submit(&chain, calls::rewards::end()).await?;
	let (number, claims, paid, to_treasury): Ended = included
		.find("DeveloperRewards", "ProgrammeEnded")
		.ok_or_else(|| missing_event("ProgrammeEnded"))?;
	let value = json!({
		"programme": number,
		"claims": claims,
		"paid": paid.to_string(),
		"to_treasury": to_treasury.to_string(),
		"block": included.block,
	});
	context.emit(&value, || {
		ui::pairs([
			("programme", number.to_string()),
			("claims", claims.to_string()),
			("paid", amounts::format(paid)),
			("to the treasury", amounts::format(to_treasury)),
		])
	})
}
