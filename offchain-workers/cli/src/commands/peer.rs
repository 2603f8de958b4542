//! `millrace peer`: machines and their commitments.

mod rounds;
mod slashes;
mod status;

use crate::{
	arguments,
	context::Context,
	errors::{CliError, Result},
	ui,
};
use clap::Subcommand;
use millrace_client::{
	amounts, calls,
	web::{self, UrlError},
	AccountId, Call, PeerKeypair,
};
use millrace_primitives::{
	commitment::SlashId,
	peer::{key_proof, PeerId},
	Balance, EpochIndex,
};
use rounds::{CommitArgs, ExtendArgs, GrowArgs, StakeArgs};
use serde_json::json;
use std::path::PathBuf;

pub(crate) use status::describe;

/// Machines and their commitments.
#[derive(Debug, Subcommand)]
pub(crate) enum PeerCommand {
	/// Register a machine under the signing provider; holds a deposit.
	Register {
		/// The machine's key file.
		#[arg(long, value_name = "FILE")]
		peer_key: PathBuf,
		/// URL under which its worker daemon is reached.
		#[arg(long, value_name = "URL")]
		endpoint: String,
	},
	/// Move a machine to another URL.
	SetEndpoint {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
		/// The new URL.
		endpoint: String,
	},
	/// Give a machine a new key, which counts from the next block on.
	RotateKey {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
		/// The new key's file: `millrace key generate peer FILE --peer PEER`.
		#[arg(long, value_name = "FILE")]
		new_key: PathBuf,
	},
	/// Commit units and stake for them, in one transaction; others may bring a part of the stake.
	Commit(CommitArgs),
	/// Put stake behind somebody's machine, under the terms that it asks for; any account may.
	Stake(StakeArgs),
	/// Commit more units of a machine that is committed already.
	Grow(GrowArgs),
	/// Commit a machine for longer. Delegators who do not sign leave at the end they signed for.
	Extend(ExtendArgs),
	/// Take back a commitment, growth or extension that has not all its stake. The provider may at
	/// any time, and any account once it has lapsed.
	Cancel {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// Settle closed epochs now; any account may.
	Settle {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// Pay out all stake that is unbonded, to whoever owns it; any account may.
	Withdraw {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// List the slashes that wait.
	Slashes {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// Let a slash happen that has waited long enough; any account may.
	ApplySlash {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
		/// The slash: see `millrace peer slashes`.
		slash: SlashId,
	},
	/// Show key, commitment, stakes, work owed, audit and deals.
	Status {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// Remove a machine on which nothing stands any more.
	Remove {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
}

/// Does it.
pub(crate) async fn run(context: &Context, command: PeerCommand) -> Result<()> {
	match command {
		PeerCommand::Register { peer_key, endpoint } => {
			check_endpoint(&endpoint)?;
			let key = PeerKeypair::load(&peer_key)?;
			let chain = context.chain().await?;
			let proof = key.sign_hash(key_proof(chain.genesis(), &context.signer()?.account()));
			let call = calls::providers::register_peer(key.public(), proof, &endpoint);
			context.submit(&chain, call).await?;
			let value = json!({ "peer": key.id(), "endpoint": endpoint });
			context.emit(&value, || format!("registered {}", key.id()))
		}
		PeerCommand::RotateKey { peer, new_key } => {
			let key = PeerKeypair::load(&new_key)?;
			let chain = context.chain().await?;
			let proof = key.sign_hash(key_proof(chain.genesis(), &context.signer()?.account()));
			let call = calls::providers::rotate_key(peer, key.public(), proof);
			submit(context, peer, call, "key rotated").await
		}
		PeerCommand::SetEndpoint { peer, endpoint } => {
			check_endpoint(&endpoint)?;
			let call = calls::providers::set_endpoint(peer, &endpoint);
			submit(context, peer, call, "endpoint set").await
		}
		PeerCommand::Commit(args) => rounds::commit(context, args).await,
		PeerCommand::Stake(args) => rounds::stake(context, args).await,
		PeerCommand::Grow(args) => rounds::grow(context, args).await,
		PeerCommand::Extend(args) => rounds::extend(context, args).await,
		PeerCommand::Cancel { peer } => {
			submit(context, peer, calls::capacity::cancel(peer), "cancelled").await
		}
		PeerCommand::Settle { peer } => {
			submit(context, peer, calls::capacity::settle(peer), "settled").await
		}
		PeerCommand::Withdraw { peer } => withdraw(context, peer).await,
		PeerCommand::Slashes { peer } => slashes::list(context, peer).await,
		PeerCommand::ApplySlash { peer, slash } => slashes::apply(context, peer, slash).await,
		PeerCommand::Remove { peer } => {
			let call = calls::providers::remove_peer(peer);
			submit(context, peer, call, "removed").await
		}
		PeerCommand::Status { peer } => status::show(context, peer).await,
	}
}

/// Refuses what gateways would not call.
fn check_endpoint(endpoint: &str) -> Result<()> {
	let bad = |error: UrlError| CliError::usage("bad_endpoint", error.to_string());
	web::base_url(endpoint).map(|_| ()).map_err(bad)
}

async fn submit(context: &Context, peer: PeerId, call: Call, done: &str) -> Result<()> {
	let chain = context.chain().await?;
	let included = context.submit(&chain, call).await?;
	let value = json!({ "peer": peer, "block": included.block });
	context.emit(&value, || format!("{done}: {peer}"))
}

/// Pays the stake out; tells who got how much of it, and what the signer got for it.
async fn withdraw(context: &Context, peer: PeerId) -> Result<()> {
	let chain = context.chain().await?;
	let call = calls::capacity::withdraw(peer);
	let included = context.submit(&chain, call).await?;
	let paid: Vec<Paid> = included.all("Capacity", "StakeWithdrawn");
	let bounties: Vec<Paid> = included.all("Capacity", "BountyPaid");
	let bounty: Balance = bounties.iter().map(|(_, _, amount)| amount).sum();
	let value = json!({
		"peer": peer,
		"block": included.block,
		"bounty": bounty.to_string(),
		"paid": paid
			.iter()
			.map(|(_, staker, amount)| json!({ "staker": staker, "amount": amount.to_string() }))
			.collect::<Vec<_>>(),
	});
	context.emit(&value, || {
		let rows = paid
			.iter()
			.map(|(_, staker, amount)| vec![staker.to_string(), amounts::format(*amount)]);
		ui::table(["staker", "withdrawn"], rows)
	})
}

/// Fields of `StakeWithdrawn` and `BountyPaid`: peer, to whom, how much.
type Paid = (PeerId, AccountId, Balance);

/// The peer has no commitment that can be changed.
fn no_commitment(peer: PeerId) -> CliError {
	let message = format!("peer {peer} has no commitment that stands");
	CliError::not_found("commitment_unknown", message)
		.hint("`millrace peer commit` makes one; `millrace peer status` shows where it stands")
}

fn epoch(index: EpochIndex) -> String {
	format!("epoch {index}")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_endpoint_is_the_url_of_a_server() {
		for endpoint in ["http://203.0.113.7:8650", "https://mill.example/worker/"] {
			assert!(check_endpoint(endpoint).is_ok(), "{endpoint}");
		}
		for endpoint in [
			"203.0.113.7:8650",
			"ws://h",
			"http://h/?a",
			"http://u@h",
			"http://h#",
		] {
			let error = check_endpoint(endpoint).expect_err("gateways do not call that");
			assert_eq!(error.code, "bad_endpoint", "{endpoint}");
		}
	}

	#[test]
	fn who_has_no_commitment_is_told_how_to_make_one() {
		let error = no_commitment(PeerId(millrace_primitives::H256::zero()));
		assert_eq!(error.code, "commitment_unknown");
		assert!(error.hint.is_some_and(|hint| hint.contains("peer commit")));
	}
}
