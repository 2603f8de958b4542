//! Inspection of opened receipts: everything that can be seen to be false without running the call.

use crate::{Config, OpeningError, Pallet};
use alloc::vec::Vec;
use frame_support::ensure;
use millrace_primitives::{
	audit::{drawn_receipts, ReceiptOpening},
	execution::{Receipt, SignedReceipt, PROFILE_V1},
	merkle,
	peer::PeerId,
	report::Report,
	traits::{EpochClock, PeerRegistry, WorkInspector},
	H256,
};
use sp_core::ed25519;

impl<T: Config> Pallet<T> {
	/// The receipts that hold, and why the first that does not hold does not.
	pub(crate) fn inspect(
		peer: PeerId,
		report: &Report,
		draw: H256,
		openings: &[ReceiptOpening],
	) -> (Vec<SignedReceipt>, Option<OpeningError>) {
		let drawn = drawn_receipts(draw, peer, u64::from(report.receipts));
		let mut refused = (drawn.len() != openings.len()).then_some(OpeningError::Count);
		let mut held = Vec::new();
		for (index, opening) in drawn.into_iter().zip(openings) {
			match Self::inspect_one(peer, report, index, opening) {
				Ok(()) => held.push(opening.receipt.clone()),
				Err(reason) => refused = refused.or(Some(reason)),
			}
		}
		(held, refused)
	}

	fn inspect_one(
		peer: PeerId,
		report: &Report,
		index: u64,
		opening: &ReceiptOpening,
	) -> Result<(), OpeningError> {
		let SignedReceipt { receipt, signature } = &opening.receipt;
		let leaf = receipt.hash();
		ensure!(
			merkle::verify(
				report.receipts_root,
				u64::from(report.receipts),
				index,
				leaf.as_bytes(),
				&opening.path,
			),
			OpeningError::Path
		);
		ensure!(u64::from(receipt.seq) == index, OpeningError::Sequence);
		ensure!(
			receipt.genesis == T::Clock::genesis(),
			OpeningError::Genesis
		);
		ensure!(receipt.peer == peer, OpeningError::Peer);
		ensure!(receipt.epoch == report.epoch, OpeningError::Epoch);
		ensure!(
			T::Clock::seed(report.epoch) == Some(receipt.seed),
			OpeningError::Seed
		);
		ensure!(Self::is_inside_epoch(receipt), OpeningError::Block);
		let key = T::Peers::key_at(peer, receipt.block).ok_or(OpeningError::Signature)?;
		ensure!(
			sp_io::crypto::ed25519_verify(
				&ed25519::Signature::from_raw(*signature),
				leaf.as_bytes(),
				&ed25519::Public::from_raw(key),
			),
			OpeningError::Signature
		);
		Self::inspect_work(receipt)
	}

	/// Whether the receipt's block is one of its epoch, which must be the one before the current.
	///
	/// The end is where the current epoch starts: migrations make an epoch longer than its length.
	fn is_inside_epoch(receipt: &Receipt) -> bool {
		T::Clock::previous().is_some_and(|previous| {
			previous.index == receipt.epoch
				&& (previous.start..T::Clock::current().start).contains(&receipt.block)
		})
	}

	/// What the market knows. Of a deal that is gone, only that the peer worked for it.
	fn inspect_work(receipt: &Receipt) -> Result<(), OpeningError> {
		ensure!(
			T::Work::is_worker(receipt.peer, receipt.deal, receipt.epoch),
			OpeningError::Worker
		);
		if let Some((package, most_gas)) = T::Work::call_terms(receipt.deal) {
			ensure!(receipt.package == package, OpeningError::Package);
			ensure!(receipt.gas <= most_gas, OpeningError::Gas);
		}
		ensure!(receipt.profile == PROFILE_V1, OpeningError::Profile);
		ensure!(receipt.fits_status(), OpeningError::Outcome);
		Ok(())
	}
}
