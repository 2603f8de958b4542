//! Benchmarks. The pallet has no calls; what it does for others is measured where it needs no market.

use crate::{Config, Pallet, Ring, RING};
use frame_benchmarking::v2::*;
use millrace_primitives::{
	audit::{drawn_receipts, ReceiptOpening},
	execution::{empty_transcript, CallStatus, Receipt, SignedReceipt, PROFILE_V1},
	merkle::Tree,
	peer::PeerId,
	report::Report,
	traits::{EpochClock, ReceiptLedger},
	H256,
};

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn on_report() {
		let peer = PeerId(H256::repeat_byte(1));

		#[block]
		{
			Pallet::<T>::on_report(peer, RING, H256::repeat_byte(2));
		}

		assert!(Ring::<T>::contains_key(peer, 0));
	}

	/// Receipts without a market behind them: all paths are walked and all storage is read but the
	/// market's, which the weight adds by hand.
	#[benchmark]
	fn open() {
		let peer = PeerId(H256::repeat_byte(1));
		let draw = H256::repeat_byte(2);
		let receipts = 1u32 << 10;
		let receipt = |seq| Receipt {
			genesis: T::Clock::genesis(),
			seed: T::Clock::seed(0).unwrap_or_default(),
			deal: 0,
			peer,
			epoch: 0,
			seq,
			package: H256::zero(),
			profile: PROFILE_V1,
			request: H256::zero(),
			response: H256::zero(),
			transcript: empty_transcript(),
			status: CallStatus::Exited(0),
			gas: 0,
			block: T::Clock::current().start,
		};
		let tree = Tree::new((0..receipts).map(|seq| receipt(seq).hash()));
		let report = Report {
			receipts,
			receipts_root: tree.root(),
			..Report::empty(0)
		};
		let openings: alloc::vec::Vec<_> = drawn_receipts(draw, peer, receipts.into())
			.into_iter()
			.filter_map(|index| {
				let receipt = receipt(u32::try_from(index).ok()?);
				let receipt = SignedReceipt {
					receipt,
					signature: [0; 64],
				};
				Some(ReceiptOpening {
					receipt,
					path: tree.path(index)?,
				})
			})
			.collect();

		#[block]
		{
			Pallet::<T>::open(peer, &report, draw, &openings);
		}
	}
}
