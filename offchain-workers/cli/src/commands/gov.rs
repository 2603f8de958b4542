//! `millrace gov`: parameters, referenda and votes.

mod deposits;
pub(super) mod params;
mod propose;
mod status;
mod tracks;
mod value;
mod vote;

use crate::{
	context::{parse_account, Context},
	errors::{CliError, Result},
};
use clap::Subcommand;
use deposits::RefundArgs;
use millrace_client::{AccountId, View};
use millrace_primitives::referenda::{ReferendumIndex, ReferendumView};
use params::ParamsArgs;
use propose::ProposeCommand;
use status::StatusArgs;
use vote::{DelegateArgs, UndelegateArgs, VoteArgs};

/// Parameters, referenda and votes.
#[derive(Debug, Subcommand)]
pub(crate) enum GovCommand {
	/// Show the parameters that a vote can change: value, unit, bounds, default, meaning, and what was
	/// voted and is not in force yet.
	Params(ParamsArgs),
	/// Show the tracks: what a referendum on each takes, and for how many blocks.
	Tracks,
	/// Propose something to all who have FLT. Holds a deposit for the submission, and one for the
	/// decision.
	#[command(subcommand)]
	Propose(Box<ProposeCommand>),
	/// Vote on a referendum with what the account owns, staked FLT included. A later vote takes the place
	/// of the one before.
	Vote(VoteArgs),
	/// Take a vote away.
	Unvote {
		/// The referendum.
		referendum: ReferendumIndex,
	},
	/// Let another account vote with your FLT.
	Delegate(DelegateArgs),
	/// Take delegations back. Conviction locks them for a while.
	Undelegate(UndelegateArgs),
	/// Take away the votes that lock nothing any more, and free what they locked.
	Unlock {
		/// The account; the signing account without it. Of others, no votes are taken away.
		#[arg(value_parser = parse_account)]
		account: Option<AccountId>,
	},
	/// Show how an account votes, and what that locks.
	Votes {
		/// The account; the signing account without it.
		#[arg(value_parser = parse_account)]
		account: Option<AccountId>,
	},
	/// Show where referenda stand: phase, votes, what they miss, and what became of those that were
	/// approved.
	Status(StatusArgs),
	/// Place the deposit without which a referendum is not decided on; any account may.
	Deposit {
		/// The referendum.
		referendum: ReferendumIndex,
	},
	/// Give the deposits of a referendum that is over back to those who made them; any account may.
	Refund(RefundArgs),
	/// Pay out what the treasury was told to spend; any account may.
	Payout {
		/// Number of the spend, as `gov status` of its referendum tells it.
		spend: u32,
	},
}

/// Does it.
pub(crate) async fn run(context: &Context, command: GovCommand) -> Result<()> {
	match command {
		GovCommand::Params(args) => params::run(context, &args).await,
		GovCommand::Tracks => tracks::run(context).await,
		GovCommand::Propose(command) => propose::run(context, *command).await,
		GovCommand::Vote(args) => vote::vote(context, &args).await,
		GovCommand::Unvote { referendum } => vote::unvote(context, referendum).await,
		GovCommand::Delegate(args) => vote::delegate(context, &args).await,
		GovCommand::Undelegate(args) => vote::undelegate(context, &args).await,
		GovCommand::Unlock { account } => vote::unlock(context, account).await,
		GovCommand::Votes { account } => {
			vote::show(context, context.account_or_signer(account)?).await
		}
		GovCommand::Status(args) => status::run(context, &args).await,
		GovCommand::Deposit { referendum } => deposits::place(context, referendum).await,
		GovCommand::Refund(args) => deposits::refund(context, &args).await,
		GovCommand::Payout { spend } => deposits::payout(context, spend).await,
	}
}

/// A referendum, or an error that says that there is none.
async fn get(view: &View, referendum: ReferendumIndex) -> Result<ReferendumView<AccountId>> {
	view.referendum(referendum).await?.ok_or_else(|| {
		let message = format!("there is no referendum {referendum}");
		CliError::not_found("referendum_unknown", message).hint("see `millrace gov status`")
	})
}
