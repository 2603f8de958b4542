//! Benchmarks of what the pallet does for others; it has no calls.

use crate::{Config, Opened, Opening, Pallet, Ring, RING};
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use millrace_primitives::{
	audit::{drawn_receipts, ReceiptOpening},
	execution::{empty_transcript, CallStatus, Receipt, SignedReceipt, PROFILE_V1},
	merkle::Tree,
	peer::{PeerId, PeerSignature},
	report::Report,
	traits::{EpochClock, PeerUse, ReceiptLedger, WorkInspector},
	views::ReportRecord,
	DealId, EpochIndex, H256,
};

/// Receipts in a report: more than four a second in an epoch of an hour.
const RECEIPTS: u32 = 1 << 14;

/// What benchmarks need of the runtime around the pallet.
pub trait BenchmarkHelper {
	/// Puts the clock into the answer window of epoch 2, and brings into being a peer whose key
	/// counts since epoch 0 and that works since epoch 1 for a deal.
	fn worker() -> (PeerId, DealId);
	/// Signature of such a peer's key.
	fn sign(peer: PeerId, hash: H256) -> PeerSignature;
}

/// A receipt of the last block before the present epoch.
fn receipt<T: Config>(peer: PeerId, deal: DealId, epoch: EpochIndex, seq: u32) -> Receipt {
	Receipt {
		genesis: T::Clock::genesis(),
		seed: T::Clock::seed(epoch).unwrap_or_default(),
		deal,
		peer,
		epoch,
		seq,
		package: T::Work::call_terms(deal).map_or(H256::zero(), |(package, _)| package),
		profile: PROFILE_V1,
		request: H256::zero(),
		response: H256::zero(),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 0,
		block: T::Clock::current().start.saturating_sub(1),
	}
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// Everything that is opened holds, so that all of it is looked at.
	#[benchmark]
	fn open() -> Result<(), BenchmarkError> {
		let (peer, deal) = T::BenchmarkHelper::worker();
		let first = receipt::<T>(peer, deal, 1, 0);
		let with_seq = |seq| Receipt {
			seq,
			..first.clone()
		};
		let tree = Tree::new((0..RECEIPTS).map(|seq| with_seq(seq).hash()));
		let report = Report {
			receipts: RECEIPTS,
			receipts_root: tree.root(),
			..Report::empty(1)
		};
		let draw = H256::repeat_byte(2);
		let mut openings = Vec::new();
		for index in drawn_receipts(draw, peer, RECEIPTS.into()) {
			let receipt = with_seq(u32::try_from(index).map_err(|_| "the index is below all")?);
			let signature = T::BenchmarkHelper::sign(peer, receipt.hash());
			openings.push(ReceiptOpening {
				receipt: SignedReceipt { receipt, signature },
				path: tree.path(index).ok_or("the index is below all")?,
			});
		}

		#[block]
		{
			Pallet::<T>::open(peer, &report, draw, &openings);
		}

		assert_eq!(Pallet::<T>::opened(peer, 1).len(), openings.len());
		Ok(())
	}

	#[benchmark]
	fn forget() -> Result<(), BenchmarkError> {
		let (peer, deal) = T::BenchmarkHelper::worker();
		for epoch in 0..RING {
			let hash = H256::repeat_byte(2);
			Ring::<T>::insert(peer, epoch, ReportRecord { epoch, hash });
			let opened = SignedReceipt {
				receipt: receipt::<T>(peer, deal, epoch, 0),
				signature: [0; 64],
			};
			let opening = Opening {
				epoch,
				receipts: vec![opened; 2].try_into().map_err(|_| "two fit")?,
			};
			Opened::<T>::insert(peer, epoch, opening);
		}

		#[block]
		{
			<Pallet<T> as PeerUse>::forget(peer);
		}

		assert!(Ring::<T>::iter_prefix(peer).next().is_none());
		assert!(Opened::<T>::iter_prefix(peer).next().is_none());
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
