//! Challenges of what is true.

use super::{told, Challenger, Target};
use crate::fetch::Fetch;
use anyhow::{anyhow, Result};
use codec::{DecodeAll, Encode};
use millrace_client::ReceiptProof;
use millrace_primitives::{
	challenge::{CaseId, Charge, Evidence},
	effects::Transcript,
	execution::{CallTerms, Request, SignedReceipt},
};
use serde_json::Value;

/// What a peer's door tells of a call.
type CallData = (SignedReceipt, Request, Transcript, CallTerms);

/// Has a call run again whose receipt is true.
pub(super) async fn lie(challenger: &Challenger, target: &Target) -> Result<Value> {
	let signed = receipt(&target.receipt)?;
	let receipt = &signed.receipt;
	let (fetch, door) = (Fetch::new(), target.door.trim_end_matches('/'));
	let (epoch, seq, hash) = (receipt.epoch, receipt.seq, receipt.hash());
	let url = format!("{door}/receipts/{epoch}/{seq}/evidence?receipt={hash:?}");
	let answer = fetch.get(&url).await?;
	let (_, request, transcript, terms) = CallData::decode_all(&mut &answer[..])?;
	let package = fetch
		.get(&format!("{door}/packages/{:?}", receipt.package))
		.await?;
	let evidence = Evidence::Replay {
		terms,
		package: bounded(package.to_vec())?,
		request: bounded(request.encode())?,
		transcript: bounded(transcript.encode())?,
		receipt: signed.clone(),
	};
	let case = case(&signed, Charge::Replay);
	Ok(told(&challenger.press(&case, Some(&evidence)).await?))
}

/// Asks for the leaf of a receipt that the report holds.
pub(super) async fn claim(challenger: &Challenger, target: &Target) -> Result<Value> {
	let signed = receipt(&target.receipt)?;
	let receipt = &signed.receipt;
	let door = target.door.trim_end_matches('/');
	let url = format!("{door}/receipts/{}/{}", receipt.epoch, receipt.seq);
	let proof: ReceiptProof = serde_json::from_slice(&Fetch::new().get(&url).await?)?;
	let case = case(&signed, Charge::Omitted);
	let evidence = Evidence::Omitted {
		report: proof.report,
		receipt: signed,
	};
	Ok(told(&challenger.press(&case, Some(&evidence)).await?))
}

fn case(signed: &SignedReceipt, charge: Charge) -> CaseId {
	CaseId {
		peer: signed.receipt.peer,
		epoch: signed.receipt.epoch,
		charge,
		subject: signed.receipt.hash(),
	}
}

fn receipt(text: &str) -> Result<SignedReceipt> {
	let bytes = hex::decode(text.trim_start_matches("0x"))?;
	Ok(SignedReceipt::decode_all(&mut &bytes[..])?)
}

fn bounded<T: TryFrom<Vec<u8>>>(bytes: Vec<u8>) -> Result<T> {
	T::try_from(bytes).map_err(|_| anyhow!("more bytes than evidence can have"))
}
