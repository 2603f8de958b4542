//! How the registry changes and what it answers.

use crate::{pallet::*, types::is_endpoint, KeyInterval, Name, PeerRecord, ProviderRecord};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use millrace_primitives::{
	peer::{key_proof, Endpoint, PeerId, PeerKey, PeerSignature},
	traits::{EpochClock, PeerRegistry, PeerUse},
	views::PeerView,
	BlockNumber,
};
use sp_core::ed25519;
use sp_runtime::{ArithmeticError, DispatchError, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// A peer with its present key.
	pub fn peer(peer: PeerId) -> Option<PeerView<T::AccountId>> {
		let PeerRecord {
			provider, endpoint, ..
		} = Peers::<T>::get(peer)?;
		let present = Keys::<T>::get(peer).last().copied()?;
		Some(PeerView {
			peer,
			provider,
			key: present.key,
			key_since: present.since,
			endpoint,
		})
	}

	/// The peers of a provider, in the order of their registration.
	pub fn peers_of(provider: &T::AccountId) -> Vec<PeerView<T::AccountId>> {
		PeersOf::<T>::get(provider)
			.into_iter()
			.filter_map(Self::peer)
			.collect()
	}

	pub(crate) fn do_register_provider(who: T::AccountId, name: Name) -> DispatchResult {
		ensure!(
			!Providers::<T>::contains_key(&who),
			Error::<T>::AlreadyProvider
		);
		ensure!(core::str::from_utf8(&name).is_ok(), Error::<T>::BadName);
		let deposit = T::ProviderDeposit::get();
		T::Currency::hold(&HoldReason::ProviderDeposit.into(), &who, deposit)?;
		Providers::<T>::insert(&who, ProviderRecord { name, deposit });
		Self::deposit_event(Event::ProviderRegistered { provider: who });
		Ok(())
	}

	pub(crate) fn do_remove_provider(who: T::AccountId) -> DispatchResult {
		let record = Providers::<T>::take(&who).ok_or(Error::<T>::NotProvider)?;
		ensure!(!PeersOf::<T>::contains_key(&who), Error::<T>::HasPeers);
		let reason = HoldReason::ProviderDeposit.into();
		T::Currency::release(&reason, &who, record.deposit, Precision::Exact)?;
		Self::deposit_event(Event::ProviderRemoved { provider: who });
		Ok(())
	}

	pub(crate) fn do_register_peer(
		who: T::AccountId,
		key: PeerKey,
		proof: PeerSignature,
		endpoint: Endpoint,
	) -> DispatchResult {
		ensure!(Providers::<T>::contains_key(&who), Error::<T>::NotProvider);
		ensure!(is_endpoint(&endpoint), Error::<T>::BadEndpoint);
		let peer = PeerId::from_key(&key);
		ensure!(!Peers::<T>::contains_key(peer), Error::<T>::PeerExists);
		Self::ensure_free_and_proven(&who, &key, &proof)?;

		PeersOf::<T>::try_append(&who, peer).map_err(|()| Error::<T>::TooManyPeers)?;
		let deposit = T::PeerDeposit::get();
		T::Currency::hold(&HoldReason::PeerDeposit.into(), &who, deposit)?;
		let since = Self::next_block()?;
		Keys::<T>::try_append(
			peer,
			KeyInterval {
				key,
				since,
				until: None,
			},
		)
		.map_err(|()| Error::<T>::TooManyKeys)?;
		KeyOwners::<T>::insert(key, peer);
		Peers::<T>::insert(
			peer,
			PeerRecord {
				provider: who.clone(),
				endpoint,
				deposit,
			},
		);
		Self::deposit_event(Event::PeerRegistered {
			peer,
			provider: who,
			key,
			since,
		});
		Ok(())
	}

	pub(crate) fn do_set_endpoint(
		who: T::AccountId,
		peer: PeerId,
		endpoint: Endpoint,
	) -> DispatchResult {
		let record = Self::owned(&who, peer)?;
		ensure!(is_endpoint(&endpoint), Error::<T>::BadEndpoint);
		Peers::<T>::insert(
			peer,
			PeerRecord {
				endpoint: endpoint.clone(),
				..record
			},
		);
		Self::deposit_event(Event::EndpointSet { peer, endpoint });
		Ok(())
	}

	pub(crate) fn do_rotate_key(
		who: T::AccountId,
		peer: PeerId,
		key: PeerKey,
		proof: PeerSignature,
	) -> DispatchResult {
		Self::owned(&who, peer)?;
		Self::ensure_free_and_proven(&who, &key, &proof)?;
		let (now, since) = (Self::this_block(), Self::next_block()?);
		let answerable_since = T::AnswerableSince::get();
		Keys::<T>::try_mutate(peer, |intervals| -> DispatchResult {
			intervals.retain(|interval| {
				let forgotten = interval.is_forgotten(answerable_since);
				if forgotten {
					KeyOwners::<T>::remove(interval.key);
				}
				!forgotten
			});
			let present = intervals.last_mut().ok_or(Error::<T>::UnknownPeer)?;
			ensure!(present.since <= now, Error::<T>::KeyNotYetInForce);
			present.until = Some(now);
			intervals
				.try_push(KeyInterval {
					key,
					since,
					until: None,
				})
				.map_err(|_| Error::<T>::TooManyKeys)?;
			Ok(())
		})?;
		KeyOwners::<T>::insert(key, peer);
		Self::deposit_event(Event::KeyRotated { peer, key, since });
		Ok(())
	}

	/// Nothing stands on the peer, so nothing that its keys signed can be challenged any more:
	/// they go with it, and so does what others remember of it.
	pub(crate) fn do_remove_peer(who: T::AccountId, peer: PeerId) -> DispatchResult {
		let record = Self::owned(&who, peer)?;
		ensure!(!T::PeerUse::in_use(peer), Error::<T>::PeerInUse);
		let reason = HoldReason::PeerDeposit.into();
		T::Currency::release(&reason, &who, record.deposit, Precision::Exact)?;
		for interval in Keys::<T>::take(peer) {
			KeyOwners::<T>::remove(interval.key);
		}
		PeersOf::<T>::mutate_exists(&who, |row| {
			if let Some(peers) = row {
				peers.retain(|other| *other != peer);
			}
			if row.as_ref().is_some_and(|peers| peers.is_empty()) {
				*row = None;
			}
		});
		Peers::<T>::remove(peer);
		T::PeerUse::forget(peer);
		Self::deposit_event(Event::PeerRemoved {
			peer,
			provider: who,
		});
		Ok(())
	}

	/// The peer's record, if it is `who`'s.
	fn owned(who: &T::AccountId, peer: PeerId) -> Result<PeerRecord<T::AccountId>, DispatchError> {
		let record = Peers::<T>::get(peer).ok_or(Error::<T>::UnknownPeer)?;
		ensure!(record.provider == *who, Error::<T>::NotOwner);
		Ok(record)
	}

	/// That no peer has the key, and that its holder wants it to serve `who`.
	fn ensure_free_and_proven(
		who: &T::AccountId,
		key: &PeerKey,
		proof: &PeerSignature,
	) -> DispatchResult {
		ensure!(!KeyOwners::<T>::contains_key(key), Error::<T>::KeyInUse);
		let signed = key_proof(T::Clock::genesis(), who);
		let proven = sp_io::crypto::ed25519_verify(
			&ed25519::Signature::from_raw(*proof),
			signed.as_bytes(),
			&ed25519::Public::from_raw(*key),
		);
		ensure!(proven, Error::<T>::BadKeyProof);
		Ok(())
	}

	fn this_block() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	fn next_block() -> Result<BlockNumber, ArithmeticError> {
		Self::this_block()
			.checked_add(1)
			.ok_or(ArithmeticError::Overflow)
	}

	/// What holds at the end of every block:
	///
	/// 1. Peers and lists agree both ways: each peer stands once in its provider's list, every
	///    listed peer is its provider's, and there is no empty list and none of a stranger. Names
	///    are UTF-8, endpoints are URLs.
	/// 2. What is held of an account for each reason is the sum of its records' deposits; of whoever
	///    is no provider, nothing.
	/// 3. A peer's intervals follow each other without overlap, none is empty, and the last one
	///    alone is open, from the next block on at the latest.
	/// 4. Each remembered key belongs to the one peer that remembers it, and no other key has an
	///    owner.
	#[cfg(any(feature = "std", feature = "try-runtime"))]
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		use frame_support::traits::fungible::InspectHold;

		let mut listed = 0usize;
		for (provider, peers) in PeersOf::<T>::iter() {
			ensure!(
				Providers::<T>::contains_key(&provider),
				"a list of peers has no provider"
			);
			ensure!(!peers.is_empty(), "an empty list of peers is kept");
			let mut distinct = peers.to_vec();
			distinct.sort_unstable();
			distinct.dedup();
			ensure!(distinct.len() == peers.len(), "a peer is listed twice");
			for peer in &peers {
				let owner = Peers::<T>::get(peer).map(|record| record.provider);
				ensure!(
					owner.as_ref() == Some(&provider),
					"a listed peer is not its provider's"
				);
			}
			listed = listed.saturating_add(peers.len());
		}
		ensure!(
			Peers::<T>::iter_keys().count() == listed,
			"a peer is not listed"
		);
		ensure!(
			Peers::<T>::iter_values().all(|record| is_endpoint(&record.endpoint)),
			"an endpoint is no URL"
		);

		let held = |who: &T::AccountId, reason: HoldReason| {
			T::Currency::balance_on_hold(&reason.into(), who)
		};
		for who in frame_system::Account::<T>::iter_keys() {
			ensure!(
				Providers::<T>::contains_key(&who)
					|| (held(&who, HoldReason::ProviderDeposit) == 0
						&& held(&who, HoldReason::PeerDeposit) == 0),
				"something is held of whoever is no provider"
			);
		}
		for (provider, record) in Providers::<T>::iter() {
			ensure!(
				core::str::from_utf8(&record.name).is_ok(),
				"a name is not UTF-8"
			);
			ensure!(
				held(&provider, HoldReason::ProviderDeposit) == record.deposit,
				"the hold for a provider is not its deposit"
			);
			let deposits = PeersOf::<T>::get(&provider)
				.into_iter()
				.filter_map(Peers::<T>::get)
				.try_fold(0, |sum: crate::Balance, peer| sum.checked_add(peer.deposit));
			ensure!(
				Some(held(&provider, HoldReason::PeerDeposit)) == deposits,
				"the hold for peers is not the sum of their deposits"
			);
		}

		let next_block = Self::next_block()?;
		let mut remembered = 0usize;
		for peer in Peers::<T>::iter_keys() {
			let intervals = Keys::<T>::get(peer);
			ensure!(
				intervals.last().is_some_and(|last| last.until.is_none()),
				"a peer has no present key"
			);
			ensure!(
				intervals
					.iter()
					.all(|interval| interval.since <= next_block),
				"a key counts too late"
			);
			for (at, interval) in intervals.iter().enumerate() {
				ensure!(
					KeyOwners::<T>::get(interval.key) == Some(peer),
					"a remembered key belongs to another peer"
				);
				let Some(next) = at.checked_add(1).and_then(|next| intervals.get(next)) else {
					continue;
				};
				ensure!(
					interval
						.until
						.is_some_and(|until| interval.since <= until && until < next.since),
					"intervals of keys overlap or are empty"
				);
			}
			remembered = remembered.saturating_add(intervals.len());
		}
		ensure!(
			Keys::<T>::iter_keys().count() == listed,
			"keys of a peer that is gone are kept"
		);
		ensure!(
			KeyOwners::<T>::iter_keys().count() == remembered,
			"a forgotten key has an owner"
		);
		Ok(())
	}
}

impl<T: Config> PeerRegistry<T::AccountId> for Pallet<T> {
	fn provider_of(peer: PeerId) -> Option<T::AccountId> {
		Peers::<T>::get(peer).map(|record| record.provider)
	}

	fn key_at(peer: PeerId, block: BlockNumber) -> Option<PeerKey> {
		let intervals = Keys::<T>::get(peer);
		intervals
			.iter()
			.find(|interval| interval.covers(block))
			.map(|interval| interval.key)
	}
}
