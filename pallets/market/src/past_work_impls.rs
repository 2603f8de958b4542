//! Memory of workers that have left. A row may go in the midst of an epoch, while the receipts of that
//! epoch and of the one before are still to be opened in audits: who signed them was a worker, and must
//! not be called a fraud because the market has forgotten it.
//!
//! A peer works for no more deals in two epochs than one report holds. So what audits may ask about
//! always has room, and nobody can make the chain forget it by short deals.

use crate::{pallet::*, types::*};
use frame_support::defensive_assert;
use millrace_primitives::{
	market::{DealStatus, Worker, WorkerStatus},
	peer::PeerId,
	report::MAX_DEALS_PER_PEER,
	traits::{Capacity, EpochClock},
	DealId, EpochIndex,
};

/// Epochs beyond the challenge period for which a worker that has left is remembered.
const MARGIN_EPOCHS: EpochIndex = 2;

impl<T: Config> Pallet<T> {
	/// Remembers a worker whose row is about to go, if it was live: in which epochs it served.
	pub(crate) fn remember_work(id: DealId, deal: &Deal<T::AccountId>, worker: &Worker) {
		let now = T::Epochs::current().index;
		let (since, until) = match worker.status {
			WorkerStatus::Assigned { .. } => return,
			WorkerStatus::Live { since } => (since, now),
			// One that failed a probe may have answered calls after its last paid epoch.
			WorkerStatus::Draining { since, last } => {
				let failed = Self::failed_in(id, worker.peer);
				(since, failed.map_or(last, |failed| failed.max(last)))
			}
		};
		let until = match deal.status {
			DealStatus::Ending { last } => until.min(last),
			DealStatus::Active | DealStatus::Grace => until,
		};
		let work = PastWork {
			deal: id,
			first: since.saturating_sub(1),
			last: until.min(now),
		};
		let kept = T::Capacity::challenge_epochs().saturating_add(MARGIN_EPOCHS);
		PastWorks::<T>::mutate(worker.peer, |works| {
			works.retain(|past| past.last.saturating_add(kept) >= now);
			if works.is_full() {
				Self::forget_oldest(works, now);
			}
			let pushed = works.try_push(work);
			defensive_assert!(pushed.is_ok(), "room was made before");
		});
	}

	/// Makes room by the work that ended first, which no audit asks about any more.
	fn forget_oldest(works: &mut PastWorkList, now: EpochIndex) {
		let oldest = works
			.iter()
			.enumerate()
			.min_by_key(|(_, past)| past.last)
			.map(|(place, past)| (place, past.may_be_opened(now)));
		if let Some((place, may_be_opened)) = oldest {
			defensive_assert!(
				!may_be_opened,
				"a peer works for no more than a report holds"
			);
			works.remove(place);
		}
	}

	/// Whether a peer that has left a deal since worked for it in an epoch.
	pub(crate) fn has_worked(peer: PeerId, id: DealId, epoch: EpochIndex) -> bool {
		PastWorks::<T>::get(peer)
			.iter()
			.any(|past| past.deal == id && past.contains(epoch))
	}

	/// Whether a peer can take another deal: those that it works for, and those that it has left and of
	/// which receipts may still be opened, are fewer than one report holds.
	pub(crate) fn has_room(peer: PeerId, deals: &DealList) -> bool {
		let now = T::Epochs::current().index;
		let works = PastWorks::<T>::get(peer);
		let open = works.iter().filter(|past| past.may_be_opened(now)).count();
		(deals.len().saturating_add(open) as u64) < u64::from(MAX_DEALS_PER_PEER)
	}

	/// That work is remembered of peers that there are, of epochs that began, and no more of it than can
	/// be.
	#[cfg(any(feature = "std", feature = "try-runtime"))]
	pub(crate) fn check_past_work() -> frame_support::pallet_prelude::DispatchResult {
		use frame_support::ensure;
		use millrace_primitives::traits::PeerRegistry;

		let now = T::Epochs::current().index;
		for (peer, works) in PastWorks::<T>::iter() {
			ensure!(
				T::Peers::provider_of(peer).is_some() && !works.is_empty(),
				"past work is of peers that there are"
			);
			ensure!(
				works.iter().all(|past| past.first <= past.last
					&& past.last <= now
					&& past.deal < NextDeal::<T>::get()),
				"past work is of epochs that began, and of deals that there were"
			);
			let open = works.iter().filter(|past| past.may_be_opened(now)).count();
			let deals = PeerDeals::<T>::get(peer).len();
			ensure!(
				(open.saturating_add(deals) as u64) <= u64::from(MAX_DEALS_PER_PEER),
				"a peer works for no more deals than a report holds"
			);
		}
		Ok(())
	}
}
