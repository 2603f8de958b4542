//! Challengers that cheat: who challenges what is true, who copies what others have found, and who
//! charges a peer of its own.
//!
//! The program ends when its challenge has come to an end, and prints what the chain said.

mod copy;
mod itself;
mod lie;

use anyhow::{bail, Context, Result};
use clap::{Parser, Subcommand};
use futures::StreamExt;
use millrace_client::{calls, AccountKey, Call, Chain, Included, PeerKeypair, SubmitError, View};
use millrace_primitives::{
	challenge::{commitment, CaseId, Evidence},
	hash,
	peer::PeerId,
	H256,
};
use serde_json::{json, Value};
use std::{path::PathBuf, time::Duration};
use tokio::time::{sleep, timeout};

/// Attempts at a transaction that comes too early.
const ATTEMPTS: u32 = 40;
/// Pause between them.
const PAUSE: Duration = Duration::from_millis(400);
/// Longest wait for the chain to come to something.
const PATIENCE: Duration = Duration::from_secs(300);
/// What the chain says to whom is too early.
const TOO_EARLY: [&str; 4] = ["TooEarly", "BlockTaken", "ContestOpen", "SlashNotDue"];

/// Options of the program.
#[derive(Debug, Parser)]
pub struct Options {
	/// WebSocket URL of a node.
	#[arg(long)]
	node: String,
	/// The account that pays: the name of a development account, or a key file.
	#[arg(long)]
	key: String,
	/// What it does.
	#[command(subcommand)]
	how: How,
}

/// What a challenger does.
#[derive(Debug, Subcommand)]
pub enum How {
	/// Says of a true receipt that another result comes of its call.
	Lie(Target),
	/// Says of a receipt that the report leaves it out, which holds it.
	Claim(Target),
	/// Waits for somebody's reveal against a peer, and challenges the same.
	Copy {
		/// HTTP URL of a node: its pool is looked at.
		#[arg(long)]
		rpc: String,
		/// The peer.
		#[arg(long)]
		peer: String,
	},
	/// Signs a false receipt with the key of a peer of its own, and challenges it before anybody
	/// else can.
	Itself {
		/// Key file of the peer.
		#[arg(long)]
		peer_key: PathBuf,
	},
}

/// A true receipt.
#[derive(Debug, clap::Args)]
pub struct Target {
	/// The receipt: SCALE in hexadecimal.
	#[arg(long)]
	receipt: String,
	/// URL of the peer.
	#[arg(long)]
	door: String,
}

/// Does it.
pub async fn run(options: Options) -> Result<Value> {
	let key = AccountKey::from_name_or_file(&options.key)?;
	let challenger = Challenger {
		chain: Chain::connect(&options.node).await?,
		key,
	};
	match options.how {
		How::Lie(target) => lie::lie(&challenger, &target).await,
		How::Claim(target) => lie::claim(&challenger, &target).await,
		How::Copy { rpc, peer } => copy::copy(&challenger, &rpc, peer_id(&peer)?).await,
		How::Itself { peer_key } => {
			itself::itself(&challenger, &PeerKeypair::load(&peer_key)?).await
		}
	}
}

/// An account at a chain.
struct Challenger {
	chain: Chain,
	key: AccountKey,
}

impl Challenger {
	/// Commits to a case and reveals it.
	async fn press(&self, case: &CaseId, evidence: Option<&Evidence>) -> Result<Included> {
		let account = self.key.account();
		// Nobody else is to find it out before it is revealed; a test need not keep it from itself.
		let salt = hash::tagged("millrace/adversary", &(&account, case));
		let name = commitment(self.chain.genesis(), &account, case, salt);
		self.submit(calls::receipts::commit(name)).await?;
		self.submit(calls::receipts::reveal(case, salt, evidence))
			.await
	}

	/// Submits a call, again and again while it comes too early.
	async fn submit(&self, call: Call) -> Result<Included> {
		for _ in 0..ATTEMPTS {
			match self.chain.submit(&self.key, call.clone()).await {
				Err(SubmitError::Dispatch { error, .. }) if TOO_EARLY.contains(&error.as_str()) => {
					sleep(PAUSE).await;
				}
				outcome => return Ok(outcome?),
			}
		}
		bail!("{call} is still too early")
	}

	/// Looks at every final block until something is found.
	async fn until<T>(
		&self,
		what: &str,
		mut probe: impl AsyncFnMut(&View) -> Result<Option<T>>,
	) -> Result<T> {
		let looking = async {
			let mut blocks = self.chain.finalized();
			while let Some(block) = blocks.next().await {
				let view = self.chain.at(block.hash).await?;
				if let Some(found) = probe(&view).await? {
					return Ok(found);
				}
			}
			bail!("there are no more blocks")
		};
		timeout(PATIENCE, looking)
			.await
			.with_context(|| format!("{what}: not in time"))?
	}
}

/// What the chain said to a challenge.
fn told(included: &Included) -> Value {
	let names = included.events.iter();
	let names = names.filter(|event| event.pallet == "Receipts");
	let names: Vec<&str> = names.map(|event| event.name.as_str()).collect();
	json!({ "block": included.number, "events": names })
}

fn peer_id(text: &str) -> Result<PeerId> {
	let mut id = H256::zero();
	let digits = text.trim_start_matches("0x");
	hex::decode_to_slice(digits, &mut id.0).with_context(|| format!("{text} is no peer"))?;
	Ok(PeerId(id))
}
