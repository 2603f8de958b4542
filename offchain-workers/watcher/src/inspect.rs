//! What can be said of a receipt without running its call.

use millrace_client::{verify_peer_signature, ReadError, View};
use millrace_primitives::{
	challenge::{CaseId, Charge, Evidence},
	execution::{SignedReceipt, PROFILE_V1, UNVERIFIED},
	packages::NoTerms,
	H256,
};

/// The case that evidence makes.
pub fn case_of(evidence: &Evidence) -> CaseId {
	let case = |charge, signed: &SignedReceipt, subject: H256| CaseId {
		peer: signed.receipt.peer,
		epoch: signed.receipt.epoch,
		charge,
		subject,
	};
	match evidence {
		Evidence::Inspection { receipt, .. } => {
			case(Charge::Inspection, receipt, receipt.receipt.hash())
		}
		Evidence::Replay { receipt, .. } => case(Charge::Replay, receipt, receipt.receipt.hash()),
		Evidence::Omitted { receipt, .. } => case(Charge::Omitted, receipt, receipt.receipt.hash()),
		Evidence::DoubleSeq { first, second } => {
			let subject = first.receipt.hash().min(second.receipt.hash());
			case(Charge::DoubleSeq, first, subject)
		}
	}
}

/// The receipts in evidence.
pub(crate) fn receipts_of(evidence: &Evidence) -> Vec<&SignedReceipt> {
	match evidence {
		Evidence::Inspection { receipt, .. }
		| Evidence::Replay { receipt, .. }
		| Evidence::Omitted { receipt, .. } => vec![receipt],
		Evidence::DoubleSeq { first, second } => vec![first, second],
	}
}

/// Whether the peer signed the receipt, on this chain and fork: nothing else convicts it.
pub async fn is_authentic(view: &View, signed: &SignedReceipt) -> Result<bool, ReadError> {
	let receipt = &signed.receipt;
	if receipt.genesis != view.genesis() || view.seed(receipt.epoch).await? != Some(receipt.seed) {
		return Ok(false);
	}
	let key = view.key_at(receipt.peer, receipt.block).await?;
	Ok(key.is_some_and(|key| verify_peer_signature(&key, receipt.hash(), &signed.signature)))
}

/// What is false about a receipt on its face, in words. `None` says only that the call must be run
/// again to know.
pub async fn falsehood(
	view: &View,
	signed: &SignedReceipt,
) -> Result<Option<&'static str>, ReadError> {
	let receipt = &signed.receipt;
	if !receipt.fits_status() {
		return Ok(Some(
			"it names a response that a call of its status cannot have",
		));
	}
	if receipt.profile & !UNVERIFIED != PROFILE_V1 {
		return Ok(Some("it names an engine profile that there is not"));
	}
	if let Some(info) = view.past_epoch(receipt.epoch).await? {
		// Where the next epoch has not begun, every block behind the start is one of this.
		let next = match receipt.epoch.checked_add(1) {
			Some(next) => view.past_epoch(next).await?,
			None => None,
		};
		let behind = next.is_some_and(|next| receipt.block >= next.start);
		if receipt.block < info.start || behind {
			return Ok(Some("its block is none of its epoch"));
		}
	}
	// A deal that is over says nothing any more.
	Ok(match view.call_terms(receipt).await? {
		Ok(terms) if receipt.fits_terms(receipt.genesis, &terms) => None,
		Ok(_) => Some("it does not keep to the terms of its deal"),
		Err(NoTerms::OtherPackage) => Some("its package was not the deal's at its block"),
		Err(NoTerms::Unknown) => None,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::records::tests::signed;
	use millrace_primitives::{peer::PeerId, report::Report};

	#[test]
	fn a_case_is_named_by_its_receipt() {
		let peer = PeerId(H256::repeat_byte(7));
		let (one, two) = (signed(peer, 4, 5, b"a"), signed(peer, 4, 5, b"b"));
		let inspection = case_of(&Evidence::Inspection {
			receipt: one.clone(),
			leaf: None,
		});
		assert_eq!(inspection.subject, one.receipt.hash());
		assert_eq!(
			(inspection.peer, inspection.epoch, inspection.charge),
			(peer, 4, Charge::Inspection)
		);
		let omitted = case_of(&Evidence::Omitted {
			receipt: one.clone(),
			report: Report::empty(4),
		});
		assert_eq!(omitted.charge, Charge::Omitted);
		// Of two receipts it is the same case whichever comes first.
		let double = |first: &SignedReceipt, second: &SignedReceipt| {
			case_of(&Evidence::DoubleSeq {
				first: first.clone(),
				second: second.clone(),
			})
		};
		assert_eq!(double(&one, &two), double(&two, &one));
	}
}
