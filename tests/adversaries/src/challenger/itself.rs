//! A peer that charges itself: its provider's second account takes the bounty of what the first one
//! loses.

use super::{told, Challenger};
use anyhow::{Context, Result};
use millrace_client::{calls, AccountId, PeerKeypair, View};
use millrace_primitives::{
	challenge::{CaseId, Charge, Evidence},
	execution::{
		empty_transcript, response_hash, CallStatus, ProfileId, Receipt, Request, SignedReceipt,
	},
	views::CommitmentStatus,
	BlockNumber, H256,
};
use serde_json::Value;

/// A profile that there is not: whoever reads it sees that the receipt is false.
const NO_PROFILE: ProfileId = 77;

/// Signs a false receipt, challenges it, and waits for the bounty.
pub(super) async fn itself(challenger: &Challenger, key: &PeerKeypair) -> Result<Value> {
	let peer = key.id();
	let signed = challenger
		.until("the commitment binds", async |view: &View| {
			let epoch = view.epoch().await?.info.index;
			let Some(commitment) = view.commitment(peer).await? else {
				return Ok(None);
			};
			match commitment.status {
				CommitmentStatus::Active { start, .. } if start <= epoch => {
					Ok(Some(forged(view, key).await?))
				}
				_ => Ok(None),
			}
		})
		.await?;
	let receipt = &signed.receipt;
	let case = CaseId {
		peer,
		epoch: receipt.epoch,
		charge: Charge::Inspection,
		subject: receipt.hash(),
	};
	let evidence = Evidence::Inspection {
		receipt: signed.clone(),
		leaf: None,
	};
	let included = challenger.press(&case, Some(&evidence)).await?;
	let (_, _, until) = included
		.find::<(CaseId, AccountId, BlockNumber)>("Receipts", "ChallengeProven")
		.context("the challenge is not proven")?;
	challenger
		.until("the contest is over", async |view: &View| {
			Ok((view.block().number >= until).then_some(()))
		})
		.await?;
	let kind = case.charge.kind();
	let conclude = calls::receipts::conclude(peer, case.epoch, kind);
	let concluded = challenger.submit(conclude).await?;

	let slash = challenger
		.until("the slash is due", async |view: &View| {
			let epoch = view.epoch().await?.info.index;
			let slashes = view.slashes(peer).await?;
			let due = slashes.into_iter().find(|slash| slash.due <= epoch);
			Ok(due.map(|slash| slash.slash))
		})
		.await?;
	challenger
		.submit(calls::capacity::apply_slash(peer, slash))
		.await?;
	Ok(told(&concluded))
}

/// A receipt of a call that never was, signed by the peer, of the epoch of a block.
async fn forged(view: &View, key: &PeerKeypair) -> Result<SignedReceipt> {
	let status = view.epoch().await?;
	let receipt = Receipt {
		genesis: view.genesis(),
		seed: status.seed,
		deal: 0,
		peer: key.id(),
		epoch: status.info.index,
		seq: 0,
		package: H256::zero(),
		profile: NO_PROFILE,
		terms: H256::zero(),
		request: Request::default().hash(),
		response: response_hash(b""),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 0,
		block: view.block().number,
	};
	Ok(SignedReceipt {
		signature: key.sign_hash(receipt.hash()),
		receipt,
	})
}
