//! The rings: what goes in, and what can be asked.

use crate::{
	Answered, Cases, Clients, Config, Event, OpenCases, Opened, Opening, OpeningClients, Pallet,
	Ring, WeightInfo, RING,
};
use alloc::vec::Vec;
use frame_support::{pallet_prelude::Weight, traits::ConstU32, BoundedVec};
use millrace_primitives::{
	audit::{ReceiptOpening, RECEIPTS_PER_AUDIT},
	execution::SignedReceipt,
	peer::PeerId,
	report::Report,
	traits::{DealClients, PeerUse, ReceiptLedger},
	views::ReportRecord,
	EpochIndex, H256,
};

/// Most cases that are remembered of a peer: one for each epoch of the ring and kind, of which
/// withheld data are noted elsewhere.
const CASES: u32 = RING.saturating_mul(2);

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
			Self::note_clients(peer, epoch, &receipts);
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

	fn has_open_case(peer: PeerId) -> bool {
		OpenCases::<T>::get(peer) > 0
	}
}

impl<T: Config> PeerUse for Pallet<T> {
	/// While something stands against it. All else only tells of a peer's past.
	fn in_use(peer: PeerId) -> bool {
		Self::has_open_case(peer)
	}

	fn forget(peer: PeerId) {
		// A ring has as many slots as the limit, so nothing is left for another call.
		let _ = Ring::<T>::clear_prefix(peer, RING, None);
		let _ = Opened::<T>::clear_prefix(peer, RING, None);
		let _ = Clients::<T>::clear_prefix(peer, RING, None);
		let _ = Answered::<T>::clear_prefix(peer, RING, None);
		let _ = Cases::<T>::clear_prefix(peer, CASES, None);
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

	/// Keeps whose business the opened receipts are. It takes the place of what the slot had before.
	fn note_clients(peer: PeerId, epoch: EpochIndex, receipts: &[SignedReceipt]) {
		let clients: Vec<_> = receipts
			.iter()
			.filter_map(|signed| {
				let client = T::Clients::private_client(signed.receipt.deal)?;
				Some((signed.receipt.seq, client))
			})
			.collect();
		let slot = Self::slot_of(epoch);
		// No more receipts are opened than that.
		let clients = BoundedVec::<_, ConstU32<RECEIPTS_PER_AUDIT>>::truncate_from(clients);
		if clients.is_empty() {
			Clients::<T>::remove(peer, slot);
		} else {
			Clients::<T>::insert(peer, slot, OpeningClients { epoch, clients });
		}
	}

	/// Who alone may demand data of a receipt that was opened; `None`: anybody.
	pub fn client_of(peer: PeerId, epoch: EpochIndex, seq: u32) -> Option<T::AccountId> {
		let noted = Clients::<T>::get(peer, Self::slot_of(epoch));
		let mut clients = noted
			.filter(|noted| noted.epoch == epoch)?
			.clients
			.into_iter();
		clients.find(|(of, _)| *of == seq).map(|(_, client)| client)
	}

	/// Receipts that a peer opened in its audit of an epoch, as long as they are remembered and not
	/// void.
	pub fn opened(peer: PeerId, epoch: EpochIndex) -> Vec<SignedReceipt> {
		Opened::<T>::get(peer, Self::slot_of(epoch))
			.filter(|opening| opening.epoch == epoch)
			.map(|opening| opening.receipts.into_inner())
			.unwrap_or_default()
	}
}
