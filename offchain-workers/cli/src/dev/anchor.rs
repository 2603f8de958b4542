//! The end of the demo: the chain is anchored, and every receipt is checked down to the checkpoint.

use super::{network::Network, report::Checkpoint};
use crate::{
	commands::anchor::beginning,
	errors::{CliError, Kind, Result},
};
use millrace_anchor::{
	candidate,
	contract::Call,
	evm::{Address, AnchorKey},
	max_transaction_bytes, verify, Candidate, Contract, Opened, Progress, RelayConfig, RelayError,
	SendRules, Sender,
};
use millrace_client::{Chain, ReceiptProof};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Longest wait for what takes a few rounds of the anchor, or a few blocks of the chain.
const LIMIT: Duration = Duration::from_secs(120);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// The key that deploys: its first contract is the one that development chains name.
const DEPLOYER: &str = "dev:0";

/// Starts an anchor, deploys the contracts, brings them a checkpoint, and checks receipts down to it.
pub(super) async fn checkpoint(
	network: &mut Network,
	chain: &Chain,
	receipts: &[ReceiptProof],
) -> Result<Checkpoint> {
	let url = network.start_anchor().await?;
	let config = RelayConfig {
		key: Some(DEPLOYER.into()),
		..RelayConfig::of(vec![url])
	};
	deploy(&config, chain).await?;
	let Opened {
		contract, sender, ..
	} = millrace_anchor::open(&config, chain).await?;
	let mut sender = sender.ok_or_else(|| failed("there is no key for the anchor"))?;

	let found = later(chain, &contract).await?;
	let call = Call::Submit(found.submission);
	let receipt = match sender.complete(&call, LIMIT).await? {
		Progress::Done(receipt) => receipt,
		Progress::Refused(refusal) => return Err(refusal.into()),
		_ => return Err(failed("the checkpoint did not come to be on the anchor")),
	};
	let root = contract.root_at(found.block, receipt.block).await?;
	for proof in receipts {
		let bundle = verify::fetch(chain, proof.clone(), found.block).await?;
		let checked = bundle.check()?;
		if checked.root != root {
			let message = format!(
				"a receipt leads to root {:?}, and the anchor has {root:?}",
				checked.root
			);
			return Err(CliError::new(
				Kind::Verification,
				"anchor_other_root",
				message,
			));
		}
	}
	Ok(Checkpoint {
		block: found.block,
		set_id: found.set.id,
		contract: contract.address().to_string(),
		gas: receipt.gas,
		receipts: receipts.len() as u32,
	})
}

async fn deploy(config: &RelayConfig, chain: &Chain) -> Result<()> {
	let settings = beginning(chain).await?;
	let reads = config.reads().map_err(RelayError::from)?;
	let chain_id = reads.chain_id().await?;
	let rules = SendRules {
		chain_id,
		limits: config.fee_limits(),
		bump_after: LIMIT,
		max_bytes: max_transaction_bytes(chain_id),
	};
	let key = AnchorKey::from_name_or_file(DEPLOYER).map_err(RelayError::from)?;
	let nobody = Contract::new(reads, Address::default());
	Sender::new(nobody, key, rules)
		.deploy(settings.deployment(), LIMIT)
		.await?;
	Ok(())
}

/// The first checkpoint that the contract would take.
async fn later(chain: &Chain, contract: &Contract) -> Result<Candidate> {
	let deadline = Instant::now() + LIMIT;
	loop {
		let status = contract.status().await?;
		if let Some(found) = candidate(chain, &status).await? {
			return Ok(found);
		}
		if Instant::now() > deadline {
			return Err(failed("the validators sign no further block"));
		}
		sleep(PAUSE).await;
	}
}

fn failed(message: &str) -> CliError {
	CliError::new(Kind::Failure, "not_anchored", message)
}
