//! Updates of a deal's package in place: calls may run the one before until the end of the next epoch,
//! so that workers fetch the new one while they serve.

use crate::{pallet::*, types::DealKey};
use core::mem;
use frame_support::{ensure, pallet_prelude::DispatchResult};
use millrace_primitives::{
	execution::CallTerms,
	market::{DealStatus, Package},
	packages::{PackageHistory, PastPackage},
	traits::{Capacity, EpochClock},
	DealId, EpochIndex,
};
use sp_runtime::SaturatedConversion;

/// Epochs after the one of an update in which the package before it still counts.
const STAGED_EPOCHS: EpochIndex = 1;
/// Epochs for which a package is remembered beyond the last in which a receipt of it can be challenged.
const MARGIN_EPOCHS: EpochIndex = 1;

impl<T: Config> Pallet<T> {
	/// Gives a deal another package, or other links to the one that it has.
	pub(crate) fn do_update_package(
		who: T::AccountId,
		id: DealId,
		package: Package,
	) -> DispatchResult {
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		match deal.status {
			DealStatus::Active => {}
			DealStatus::Grace => return Err(Error::<T>::DealInGrace.into()),
			DealStatus::Ending { .. } => return Err(Error::<T>::DealEnding.into()),
		}
		ensure!(who == deal.owner, Error::<T>::NotOwner);
		Self::check_package(&package)?;
		let mut spec = Specs::<T>::get(id).ok_or(Error::<T>::UnknownDeal)?;
		ensure!(package.abi == spec.package.abi, Error::<T>::AbiChanged);

		let hash = package.hash;
		let before = mem::replace(&mut spec.package, package);
		let mut until = None;
		// What calls run under names no links: these alone can change at any time.
		if (before.hash, before.size) != (hash, spec.package.size) {
			let now = T::Epochs::current().index;
			let last = now.saturating_add(STAGED_EPOCHS);
			let mut history = Packages::<T>::get(id);
			let is_first = history.past.last().is_none_or(|past| past.until < last);
			ensure!(is_first, Error::<T>::UpdatedThisEpoch);
			Self::forget_packages(&mut history, now);
			let past = PastPackage {
				hash: before.hash,
				size: before.size,
				profile: deal.profile,
				from: history.since,
				until: last,
			};
			let pushed = history.past.try_push(past);
			pushed.map_err(|_| Error::<T>::TooManyUpdates)?;
			history.since = frame_system::Pallet::<T>::block_number().saturated_into();
			Packages::<T>::insert(id, history);
			let terms = CallTerms::new(id, &spec.package, spec.limits, spec.hosts.clone());
			deal.profile = terms.profile;
			Deals::<T>::insert(key, deal);
			until = Some(last);
		}
		Specs::<T>::insert(id, spec);
		Self::deposit_event(Event::PackageUpdated {
			deal: id,
			package: hash,
			before: before.hash,
			until,
		});
		Ok(())
	}

	/// Forgets packages of which no receipt can be challenged any more.
	///
	/// A commitment may have agreed to a longer time. What is remembered is up to when something was
	/// forgotten, so that nothing of before is called false for it.
	fn forget_packages(history: &mut PackageHistory, now: EpochIndex) {
		// The report is taken in the epoch after, and can be challenged from then.
		let kept = T::Capacity::challenge_epochs()
			.saturating_add(1)
			.saturating_add(MARGIN_EPOCHS);
		let mut forgotten = history.forgotten;
		history.past.retain(|past| {
			let is_kept = past.until.saturating_add(kept) >= now;
			if !is_kept {
				forgotten = forgotten.max(Some(past.until));
			}
			is_kept
		});
		history.forgotten = forgotten;
	}

	/// That packages are remembered of deals alone, in their order.
	#[cfg(any(feature = "std", feature = "try-runtime"))]
	pub(crate) fn check_packages() -> DispatchResult {
		let now = T::Epochs::current().index;
		let block: millrace_primitives::BlockNumber =
			frame_system::Pallet::<T>::block_number().saturated_into();
		for (id, history) in Packages::<T>::iter() {
			ensure!(
				Deals::<T>::contains_key(DealKey::from(id)),
				"deals alone remember packages"
			);
			ensure!(
				(1..=block).contains(&history.since) && !history.past.is_empty(),
				"a deal that was updated has its package since then"
			);
			let mut from = 0;
			let mut until = history.forgotten;
			for past in history.past {
				ensure!(
					from <= past.from && past.from < history.since,
					"packages followed each other"
				);
				ensure!(
					until < Some(past.until) && past.until <= now.saturating_add(1),
					"packages counted one longer than the other, and not for ever"
				);
				(from, until) = (past.from, Some(past.until));
			}
		}
		Ok(())
	}
}
