//! Offers and the book that they stand in.

use crate::{
	pallet::*,
	types::{BookKey, Offer, MAX_KNOWN_REGIONS},
};
use frame_support::{ensure, pallet_prelude::DispatchResult};
use millrace_primitives::{
	market::{OfferTerms, Region, ResourceClass},
	peer::PeerId,
	traits::{Capacity, PeerRegistry},
	Balance, OfferId, CPU_V1,
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_post_offer(
		who: T::AccountId,
		peer: PeerId,
		terms: OfferTerms,
	) -> DispatchResult {
		let provider = T::Peers::provider_of(peer).ok_or(Error::<T>::UnknownPeer)?;
		ensure!(provider == who, Error::<T>::NotProvider);
		ensure!(!Offers::<T>::contains_key(peer), Error::<T>::OfferExists);
		Self::check_terms(&terms)?;
		Self::check_tick(terms.ask)?;

		let params = Params::<T>::get();
		let deposit = params.offer_deposit;
		Self::enter_region(terms.class, terms.region)?;
		Self::hold(HoldReason::OfferDeposit, &who, deposit)?;
		let id = LastOffer::<T>::get()
			.checked_add(1)
			.ok_or(Error::<T>::Arithmetic)?;
		LastOffer::<T>::put(id);
		Offers::<T>::insert(
			peer,
			Offer {
				id,
				provider,
				terms,
				deposit,
				lapses: 0,
				max_lapses: params.max_lapses,
			},
		);
		Self::refresh_book(peer);
		Self::deposit_event(Event::OfferPosted {
			peer,
			offer: id,
			ask: terms.ask,
		});
		Ok(())
	}

	/// Checks that a new ask is on the grid.
	pub(crate) fn check_tick(ask: Balance) -> DispatchResult {
		let tick = Params::<T>::get().ask_tick;
		ensure!(ask.checked_rem(tick) == Some(0), Error::<T>::AskOffTick);
		Ok(())
	}

	/// Checks everything that can be wrong with an offer's terms, whenever its ask was made.
	pub(crate) fn check_terms(terms: &OfferTerms) -> DispatchResult {
		ensure!(Self::is_known_class(terms.class), Error::<T>::UnknownClass);
		ensure!(
			Self::is_known_region(terms.region),
			Error::<T>::UnknownRegion
		);
		ensure!(
			terms.ask >= Params::<T>::get().min_price,
			Error::<T>::PriceBelowMinimum
		);
		Ok(())
	}

	pub(crate) fn do_withdraw_offer(who: T::AccountId, peer: PeerId) -> DispatchResult {
		let offer = Offers::<T>::get(peer).ok_or(Error::<T>::NoOffer)?;
		ensure!(offer.provider == who, Error::<T>::NotProvider);
		Self::remove_offer(peer, &offer)?;
		Self::deposit_event(Event::OfferWithdrawn {
			peer,
			offer: offer.id,
		});
		Ok(())
	}

	/// Takes an offer out of all that knows of it and releases its deposit.
	fn remove_offer(peer: PeerId, offer: &Offer<T::AccountId>) -> DispatchResult {
		Self::release(HoldReason::OfferDeposit, &offer.provider, offer.deposit)?;
		Self::leave_region(offer.terms.class, offer.terms.region);
		Book::<T>::remove(offer.key());
		Offers::<T>::remove(peer);
		Ok(())
	}

	/// An assignment that was taken from an offer came to nothing: too many in a row close it, so
	/// that a machine that is away stands in nobody's way.
	pub(crate) fn note_lapse(peer: PeerId, id: OfferId) -> DispatchResult {
		let Some(mut offer) = Offers::<T>::get(peer).filter(|offer| offer.id == id) else {
			return Ok(());
		};
		offer.lapses = offer.lapses.saturating_add(1);
		if offer.lapses < offer.max_lapses {
			Offers::<T>::insert(peer, offer);
			return Ok(());
		}
		Self::remove_offer(peer, &offer)?;
		Self::deposit_event(Event::OfferClosed { peer, offer: id });
		Ok(())
	}

	/// A worker that was taken from an offer went live.
	pub(crate) fn note_live(peer: PeerId, id: OfferId) {
		let lapsed = Offers::<T>::get(peer).filter(|offer| offer.id == id && offer.lapses > 0);
		if let Some(offer) = lapsed {
			Offers::<T>::insert(peer, Offer { lapses: 0, ..offer });
		}
	}

	/// Whether units of a class exist.
	pub(crate) fn is_known_class(class: ResourceClass) -> bool {
		class == CPU_V1
	}

	/// Whether a region's code exists.
	pub(crate) fn is_known_region(region: Region) -> bool {
		u32::from(region) < MAX_KNOWN_REGIONS
	}

	/// Units of a peer that were proven in its last settled epoch and are not taken.
	pub(crate) fn free_units(peer: PeerId) -> u32 {
		T::Capacity::proven_units(peer).saturating_sub(Loads::<T>::get(peer).taken)
	}

	/// Puts a peer's offer into the book if the peer has free proven units, else takes it out.
	pub(crate) fn refresh_book(peer: PeerId) {
		let Some(offer) = Offers::<T>::get(peer) else {
			return;
		};
		let key: BookKey = offer.key();
		let is_free = Self::free_units(peer) > 0;
		match (is_free, Book::<T>::contains_key(key)) {
			(true, false) => {
				Book::<T>::insert(key, peer);
				Self::note_more_units();
			}
			(false, true) => Book::<T>::remove(key),
			(true, true) | (false, false) => {}
		}
	}

	/// Wakes the deals that sleep: another walk may find more.
	pub(crate) fn note_more_units() {
		// A version only ever has to differ from the last one that a deal saw.
		BookVersion::<T>::mutate(|version| *version = version.wrapping_add(1));
	}

	/// Counts one more offer in a region.
	pub(crate) fn enter_region(class: ResourceClass, region: Region) -> DispatchResult {
		KnownRegions::<T>::try_mutate(class, |regions| -> DispatchResult {
			if let Some((_, offers)) = regions.iter_mut().find(|(known, _)| *known == region) {
				*offers = offers.checked_add(1).ok_or(Error::<T>::Arithmetic)?;
				return Ok(());
			}
			// There are no more codes than the list has places.
			regions
				.try_push((region, 1))
				.map_err(|_| Error::<T>::Arithmetic.into())
		})
	}

	/// Counts one offer less in a region.
	pub(crate) fn leave_region(class: ResourceClass, region: Region) {
		KnownRegions::<T>::mutate_exists(class, |known| {
			let Some(regions) = known.as_mut() else {
				return;
			};
			if let Some((_, offers)) = regions.iter_mut().find(|(known, _)| *known == region) {
				*offers = offers.saturating_sub(1);
			}
			regions.retain(|(_, offers)| *offers > 0);
			if regions.is_empty() {
				*known = None;
			}
		});
	}
}
