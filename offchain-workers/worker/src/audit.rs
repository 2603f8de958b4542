//! Answers to audits: the drawn leaves of a report, opened.

use crate::{errors::StoreError, receipts::ReceiptStore, report::proofs_tree};
use millrace_primitives::{
	audit::{drawn_receipts, drawn_solutions, AuditAnswer, ReceiptOpening, SolutionOpening},
	peer::PeerId,
	EpochIndex, H256,
};
use millrace_prover::{Prover, ProverError};

/// Why an audit cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
	/// The store failed.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The prover's store failed.
	#[error(transparent)]
	Prover(#[from] ProverError),
	/// This daemon did not make the report.
	#[error("the report of epoch {0} is not in the data directory; was it made elsewhere?")]
	NoReport(EpochIndex),
	/// A solution that was reported is gone.
	#[error("solutions of epoch {0} are missing; was the data directory replaced?")]
	MissingSolution(EpochIndex),
	/// A receipt that was reported is gone.
	#[error("receipt {seq} of epoch {epoch} is missing; was the data directory replaced?")]
	MissingReceipt {
		/// The epoch.
		epoch: EpochIndex,
		/// Its number.
		seq: u32,
	},
}

/// Opens the leaves that a draw asks for. The same draw gives the same answer. Reads the disk.
pub fn answer(
	store: &ReceiptStore,
	prover: &Prover,
	peer: PeerId,
	epoch: EpochIndex,
	draw: H256,
) -> Result<AuditAnswer, AuditError> {
	let stored = store.report(epoch)?.ok_or(AuditError::NoReport(epoch))?;
	let (report, rates) = (stored.report, stored.rates);
	let (idle, busy) = (report.proven_idle, report.proven_busy);
	let mut answer = AuditAnswer {
		report,
		solutions: Default::default(),
		receipts: Default::default(),
	};

	let drawn = drawn_solutions(draw, peer, rates.leaves(idle, busy));
	if !drawn.is_empty() {
		let missing = || AuditError::MissingSolution(epoch);
		let nonces = prover
			.nonces(epoch, rates, idle, busy)?
			.ok_or_else(missing)?;
		let tree = proofs_tree(&nonces);
		for index in drawn {
			let nonce = usize::try_from(index)
				.ok()
				.and_then(|index| nonces.get(index));
			let (nonce, path) = nonce.copied().zip(tree.path(index)).ok_or_else(missing)?;
			// As many are drawn as the answer holds.
			let _ = answer.solutions.try_push(SolutionOpening { nonce, path });
		}
	}
	for index in drawn_receipts(draw, peer, u64::from(answer.report.receipts)) {
		// Below the number of receipts, which is 32 bits wide.
		let seq = index as u32;
		let (receipt, path) = store
			.proof(&answer.report, seq)?
			.ok_or(AuditError::MissingReceipt { epoch, seq })?;
		let _ = answer.receipts.try_push(ReceiptOpening { receipt, path });
	}
	Ok(answer)
}
