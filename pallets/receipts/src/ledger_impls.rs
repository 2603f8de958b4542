//! The rings: what goes in, and what can be asked.

use crate::{Config, Event, Opened, Opening, Pallet, Ring, WeightInfo, RING};
use alloc::vec::Vec;
use frame_support::{pallet_prelude::Weight, BoundedVec};
use millrace_primitives::{
	audit::ReceiptOpening,
	execution::SignedReceipt,
	peer::PeerId,
	report::Report,
	traits::{PeerUse, ReceiptLedger},
	views::ReportRecord,
	EpochIndex, H256,
};

impl<T: Config> ReceiptLedger for Pallet<T> {
	fn on_report(peer: PeerId, epoch: EpochIndex, report: H256) {
		Ring::<T>::insert(
			peer,
			Self::slot_of(epoch),
			ReportRecord {
				epoch,
				hash: report,
			},
		);
	}

	fn report_hash(peer: PeerId, epoch: EpochIndex) -> Option<H256> {
		Self::report(peer, epoch).map(|record| record.hash)
	}

	fn open(peer: PeerId, report: &Report, draw: H256, receipts: &[ReceiptOpening]) -> bool {
		let epoch = report.epoch;
		let (held, refused) = Self::inspect(peer, report, draw, receipts);
		// One that does not hold does not save the peer from answering for the others.
		if let (false, Ok(receipts)) = (held.is_empty(), BoundedVec::try_from(held)) {
			let kept = u32::try_from(receipts.len()).unwrap_or(u32::MAX);
			Opened::<T>::insert(peer, Self::slot_of(epoch), Opening { epoch, receipts });
			Self::deposit_event(Event::ReceiptsOpened { peer, epoch, kept });
		}
		if let Some(reason) = refused {
			Self::deposit_event(Event::OpeningRefused {
				peer,
				epoch,
				reason,
			});
		}
		refused.is_none()
	}

	fn open_weight() -> Weight {
		T::WeightInfo::open()
	}
}

impl<T: Config> PeerUse for Pallet<T> {
	/// Never: receipts only tell of a peer's past.
	fn in_use(_: PeerId) -> bool {
		false
	}

	fn forget(peer: PeerId) {
		// A ring has as many slots as the limit, so nothing is left for another call.
		let _ = Ring::<T>::clear_prefix(peer, RING, None);
		let _ = Opened::<T>::clear_prefix(peer, RING, None);
	}

	fn weight() -> Weight {
		T::WeightInfo::forget()
	}
}

impl<T: Config> Pallet<T> {
	/// What the chain keeps of a peer's report of an epoch, as long as it is remembered.
	pub fn report(peer: PeerId, epoch: EpochIndex) -> Option<ReportRecord> {
		Ring::<T>::get(peer, Self::slot_of(epoch)).filter(|record| record.epoch == epoch)
	}

	/// Receipts that a peer opened in its audit of an epoch, as long as they are remembered.
	pub fn opened(peer: PeerId, epoch: EpochIndex) -> Vec<SignedReceipt> {
		Opened::<T>::get(peer, Self::slot_of(epoch))
			.filter(|opening| opening.epoch == epoch)
			.map(|opening| opening.receipts.into_inner())
			.unwrap_or_default()
	}

	fn slot_of(epoch: EpochIndex) -> u32 {
		epoch.checked_rem(RING).unwrap_or(0)
	}

	/// Checks the pallet's invariants: every record stands in the slot of its epoch, which is over, and
	/// belongs to a registered peer; what was opened is of the peer and the epoch under which it is
	/// kept, each receipt once and in order; nothing empty is kept.
	#[cfg(any(feature = "try-runtime", test))]
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		use frame_support::ensure;
		use millrace_primitives::traits::{EpochClock, PeerRegistry};

		let now = T::Clock::current().index;
		let is_registered = |peer| T::Peers::provider_of(peer).is_some();
		for (peer, slot, record) in Ring::<T>::iter() {
			ensure!(is_registered(peer), "a report of an unknown peer");
			ensure!(
				slot == Self::slot_of(record.epoch),
				"a report in another epoch's slot"
			);
			ensure!(record.epoch < now, "a report of an epoch that is not over");
		}
		for (peer, slot, opening) in Opened::<T>::iter() {
			ensure!(is_registered(peer), "an opening of an unknown peer");
			ensure!(
				slot == Self::slot_of(opening.epoch),
				"an opening in another epoch's slot"
			);
			ensure!(
				opening.epoch < now,
				"an opening of an epoch that is not over"
			);
			ensure!(!opening.receipts.is_empty(), "an opening of nothing");
			let numbers = opening.receipts.iter().map(|signed| signed.receipt.seq);
			ensure!(
				numbers
					.clone()
					.zip(numbers.skip(1))
					.all(|(one, next)| one < next),
				"receipts of an opening are not in order"
			);
			for signed in &opening.receipts {
				ensure!(
					signed.receipt.peer == peer && signed.receipt.epoch == opening.epoch,
					"a receipt under another peer or epoch"
				);
			}
		}
		Ok(())
	}
}
