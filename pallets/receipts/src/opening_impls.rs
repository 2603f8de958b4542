//! Inspection of opened receipts: everything that can be seen to be false without running the call.

use crate::{judge_impls::is_known, Config, OpeningError, Pallet};
use alloc::vec::Vec;
use frame_support::ensure;
use millrace_primitives::{
	audit::{drawn_receipts, ReceiptOpening},
	execution::{Receipt, SignedReceipt},
	merkle,
	packages::NoTerms,
	peer::PeerId,
	report::Report,
	traits::{EpochClock, WorkInspector},
	H256,
};

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
		let SignedReceipt { receipt, .. } = &opening.receipt;
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
		ensure!(
			Self::is_signed(&opening.receipt, leaf),
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

	/// What the market knows. Of a deal that is gone, or whose package of then is forgotten, only that the
	/// peer worked for it.
	fn inspect_work(receipt: &Receipt) -> Result<(), OpeningError> {
		ensure!(
			T::Work::is_worker(receipt.peer, receipt.deal, receipt.epoch),
			OpeningError::Worker
		);
		let genesis = T::Clock::genesis();
		let terms = match Self::terms_of(receipt) {
			Ok(terms) => Some(terms),
			Err(NoTerms::OtherPackage) => return Err(OpeningError::Package),
			Err(NoTerms::Unknown) => None,
		};
		let profile = match &terms {
			Some(terms) => {
				ensure!(receipt.gas <= terms.limits.gas, OpeningError::Gas);
				receipt.profile == terms.profile
			}
			None => is_known(receipt.profile),
		};
		ensure!(profile, OpeningError::Profile);
		ensure!(receipt.fits_status(), OpeningError::Outcome);
		if let Some(terms) = terms {
			ensure!(receipt.terms == terms.hash(genesis), OpeningError::Terms);
			// What is left of them: all gas where it ran out, and no effects without hosts.
			ensure!(receipt.fits_terms(genesis, &terms), OpeningError::Outcome);
		}
		Ok(())
	}
}
