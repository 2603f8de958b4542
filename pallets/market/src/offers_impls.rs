//! Offers and the book that they stand in.

use crate::{
	pallet::*,
	types::{BookKey, Offer},
};
use frame_support::{ensure, pallet_prelude::DispatchResult};
use millrace_primitives::{
	market::{OfferTerms, Region, ResourceClass},
	peer::PeerId,
	traits::{Capacity, PeerRegistry},
	CPU_V1,
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
		ensure!(Self::is_known_class(terms.class), Error::<T>::UnknownClass);
		let params = Params::<T>::get();
		ensure!(terms.ask >= params.min_price, Error::<T>::PriceBelowMinimum);

		Self::enter_region(terms.class, terms.region)?;
		Self::hold(HoldReason::OfferDeposit, &who, params.offer_deposit)?;
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
				deposit: params.offer_deposit,
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

	pub(crate) fn do_withdraw_offer(who: T::AccountId, peer: PeerId) -> DispatchResult {
		let offer = Offers::<T>::get(peer).ok_or(Error::<T>::NoOffer)?;
		ensure!(offer.provider == who, Error::<T>::NotProvider);
		Self::release(HoldReason::OfferDeposit, &who, offer.deposit)?;
		Self::leave_region(offer.terms.class, offer.terms.region);
		Book::<T>::remove(offer.key());
		Offers::<T>::remove(peer);
		Self::deposit_event(Event::OfferWithdrawn {
			peer,
			offer: offer.id,
		});
		Ok(())
	}

	/// Whether units of a class exist.
	pub(crate) fn is_known_class(class: ResourceClass) -> bool {
		class == CPU_V1
	}

	/// Units of a peer that are proven and not taken.
	pub(crate) fn free_units(peer: PeerId) -> u32 {
		T::Capacity::proven_units(peer).saturating_sub(Loads::<T>::get(peer).taken)
	}

	/// Puts a peer's offer into the book if it has free proven units, else takes it out.
	pub(crate) fn refresh_book(peer: PeerId) {
		let Some(offer) = Offers::<T>::get(peer) else {
			return;
		};
		let key: BookKey = offer.key();
		let stands = Book::<T>::contains_key(key);
		match Self::free_units(peer) {
			0 if stands => Book::<T>::remove(key),
			0 => {}
			_ if stands => {}
			_ => {
				Book::<T>::insert(key, peer);
				Self::note_more_units();
			}
		}
	}

	/// Wakes the deals that sleep: another walk may find more.
	pub(crate) fn note_more_units() {
		// A version only ever has to differ from the last one that a deal saw.
		BookVersion::<T>::mutate(|version| *version = version.wrapping_add(1));
	}

	/// Counts one more offer in a region.
	fn enter_region(class: ResourceClass, region: Region) -> DispatchResult {
		KnownRegions::<T>::try_mutate(class, |regions| -> DispatchResult {
			if let Some((_, offers)) = regions.iter_mut().find(|(known, _)| *known == region) {
				*offers = offers.checked_add(1).ok_or(Error::<T>::Arithmetic)?;
				return Ok(());
			}
			regions
				.try_push((region, 1))
				.map_err(|_| Error::<T>::TooManyRegions.into())
		})
	}

	/// Counts one offer less in a region.
	fn leave_region(class: ResourceClass, region: Region) {
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
