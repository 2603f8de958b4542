//! `millrace peer`: machines and their commitments.

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
	Call, PeerKeypair,
};
use millrace_primitives::{
	market::WorkerStatus,
	peer::{key_proof, PeerId},
	views::CommitmentStatus,
	EpochIndex,
};
use serde_json::json;
use std::path::PathBuf;

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
	/// Commit units and stake for them, in one transaction.
	Commit {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
		/// Units: one physical core, 4 GiB of memory, 16 GiB of disk each.
		#[arg(long)]
		units: u32,
		/// Epochs that the commitment lasts.
		#[arg(long)]
		epochs: u32,
	},
	/// Settle closed epochs now; any account may.
	Settle {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// Pay out the stake of a commitment that is over and unbonded.
	Withdraw {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// Show key, commitment, work owed, audit and deals.
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
		PeerCommand::Commit {
			peer,
			units,
			epochs,
		} => {
			let call = calls::utility::batch_all(vec![
				calls::capacity::create(peer, units, epochs),
				calls::capacity::stake(peer),
			]);
			submit(context, peer, call, "committed").await
		}
		PeerCommand::Settle { peer } => {
			submit(context, peer, calls::capacity::settle(peer), "settled").await
		}
		PeerCommand::Withdraw { peer } => {
			submit(context, peer, calls::capacity::withdraw(peer), "withdrawn").await
		}
		PeerCommand::Remove { peer } => {
			submit(
				context,
				peer,
				calls::providers::remove_peer(peer),
				"removed",
			)
			.await
		}
		PeerCommand::Status { peer } => status(context, peer).await,
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

async fn status(context: &Context, peer: PeerId) -> Result<()> {
	let view = context.chain().await?.latest().await?;
	let registered = view.peer(peer).await?.ok_or_else(|| {
		CliError::not_found("peer_unknown", format!("no peer {peer} is registered"))
	})?;
	let commitment = view.commitment(peer).await?;
	let duties = view.duties(peer).await?;
	let endpoint = String::from_utf8_lossy(&registered.endpoint).into_owned();
	let value = json!({
		"peer": peer,
		"provider": registered.provider,
		"key": millrace_primitives::H256(registered.key),
		"endpoint": endpoint,
		"commitment": commitment,
		"duties": duties,
	});
	context.emit(&value, || {
		let mut rows = vec![
			("peer", peer.to_string()),
			("provider", registered.provider.to_string()),
			("endpoint", endpoint.clone()),
			(
				"key",
				format!("{:?}", millrace_primitives::H256(registered.key)),
			),
			("epoch", duties.epoch.info.index.to_string()),
		];
		match &commitment {
			Some(commitment) => rows.extend([
				("commitment", describe(&commitment.status)),
				("units", commitment.units.to_string()),
				("stake", amounts::format(commitment.stake)),
				("slashed", amounts::format(commitment.slashed)),
				("rewarded", amounts::format(commitment.rewarded)),
				("settled before", epoch(commitment.next_to_settle)),
			]),
			None => rows.push(("commitment", "none".into())),
		}
		if let Some(work) = &duties.work {
			let solutions = work.rates.leaves(work.idle, work.busy);
			let owed = format!(
				"{} idle, {} busy: {solutions} solutions",
				work.idle, work.busy
			);
			rows.push(("owes", owed));
		}
		if let Some(audit) = &duties.audit {
			rows.push((
				"audit",
				format!("{:?} ({})", audit.status, epoch(audit.epoch)),
			));
		}
		for assignment in &duties.assignments {
			let state = match assignment.worker.status {
				WorkerStatus::Assigned { deadline } => format!("to go live by {}", epoch(deadline)),
				WorkerStatus::Live { since } => format!("live, paid from {}", epoch(since)),
			};
			rows.push(("deal", format!("{} {state}", assignment.deal)));
		}
		ui::pairs(rows)
	})
}

/// Where a commitment stands, in words.
pub(crate) fn describe(status: &CommitmentStatus) -> String {
	match status {
		CommitmentStatus::Pending { deadline } => {
			format!("waits for its stake until {}", epoch(*deadline))
		}
		CommitmentStatus::Active { start, end } => {
			format!("active from {} up to {}", epoch(*start), epoch(*end))
		}
		CommitmentStatus::Unbonding { until, failed } => {
			let how = if *failed { "failed" } else { "ended" };
			format!("{how}; stake can be withdrawn from {}", epoch(*until))
		}
	}
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
}
