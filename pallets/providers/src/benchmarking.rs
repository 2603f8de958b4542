//! Benchmarks of the registry, each at its bounds.

use super::*;
use alloc::{format, vec};
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	Get,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use millrace_primitives::peer::key_proof;
use sp_core::{crypto::KeyTypeId, ed25519};
use sp_io::crypto::{ed25519_generate, ed25519_sign};

/// Where the keystore has the keys of peers: secrets stay on the host's side.
const KEYS: KeyTypeId = KeyTypeId(*b"mrbm");

/// A block in which every key counts that was registered before.
const LATER: BlockNumber = 1_000;

/// A key of the keystore, and its proof for a provider.
fn key_of<T: Config>(
	number: u8,
	provider: &T::AccountId,
) -> Result<(PeerKey, PeerSignature), BenchmarkError> {
	let key = ed25519_generate(KEYS, Some(format!("//peer{number}").into_bytes()));
	let message = key_proof(T::Clock::genesis(), provider);
	let proof: ed25519::Signature = ed25519_sign(KEYS, &key, message.as_bytes())
		.ok_or("the keystore made the key a moment ago")?;
	Ok((key.0, proof.0))
}

fn endpoint() -> Endpoint {
	let mut url = b"https://".to_vec();
	url.resize(Endpoint::bound(), b'a');
	Endpoint::truncate_from(url)
}

/// An account that can pay for itself and all its peers.
fn funded<T: Config>() -> T::AccountId {
	let who: T::AccountId = whitelisted_caller();
	let peers = T::PeerDeposit::get().saturating_mul(Balance::from(MAX_PEERS));
	let needed = T::ProviderDeposit::get()
		.saturating_add(peers)
		.saturating_add(T::Currency::minimum_balance());
	T::Currency::set_balance(&who, needed.saturating_mul(2));
	who
}

fn provider<T: Config>() -> Result<T::AccountId, BenchmarkError> {
	let who = funded::<T>();
	Pallet::<T>::do_register_provider(who.clone(), Name::default())?;
	Ok(who)
}

/// A provider with one peer, and so many others in its list.
fn provider_with_peer<T: Config>(others: u32) -> Result<(T::AccountId, PeerId), BenchmarkError> {
	let who = provider::<T>()?;
	let (key, proof) = key_of::<T>(1, &who)?;
	Pallet::<T>::do_register_peer(who.clone(), key, proof, endpoint())?;
	list_others::<T>(&who, others)?;
	Ok((who, PeerId::from_key(&key)))
}

fn list_others<T: Config>(who: &T::AccountId, others: u32) -> Result<(), BenchmarkError> {
	for other in 0..others {
		let mut key = [0xff; 32];
		key[..4].copy_from_slice(&other.to_le_bytes());
		PeersOf::<T>::try_append(who, PeerId::from_key(&key))
			.map_err(|()| BenchmarkError::Stop("more peers than a provider may have"))?;
	}
	Ok(())
}

/// Fills the peer's keys, all but the last one replaced before the first block, so that they can be
/// forgotten wherever the chain stands.
fn fill_keys<T: Config>(peer: PeerId) {
	Keys::<T>::mutate(peer, |intervals| {
		while !intervals.is_full() {
			let key = [0xf0 | intervals.len() as u8; 32];
			KeyOwners::<T>::insert(key, peer);
			let replaced = KeyInterval {
				key,
				since: 0,
				until: Some(0),
			};
			intervals
				.try_insert(0, replaced)
				.expect("the row is not full");
		}
	});
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_provider() {
		let who = funded::<T>();

		#[extrinsic_call]
		_(
			RawOrigin::Signed(who.clone()),
			Name::truncate_from(vec![b'a'; MAX_NAME as usize]),
		);

		assert!(Providers::<T>::contains_key(&who));
	}

	#[benchmark]
	fn remove_provider() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(!Providers::<T>::contains_key(&who));
		Ok(())
	}

	#[benchmark]
	fn register_peer() -> Result<(), BenchmarkError> {
		let who = provider::<T>()?;
		list_others::<T>(&who, MAX_PEERS - 1)?;
		let (key, proof) = key_of::<T>(1, &who)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who), key, proof, endpoint());

		assert!(Peers::<T>::contains_key(PeerId::from_key(&key)));
		Ok(())
	}

	#[benchmark]
	fn set_endpoint() -> Result<(), BenchmarkError> {
		let (who, peer) = provider_with_peer::<T>(0)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who), peer, endpoint());

		assert!(Peers::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn rotate_key() -> Result<(), BenchmarkError> {
		let (who, peer) = provider_with_peer::<T>(0)?;
		fill_keys::<T>(peer);
		frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::from(LATER));
		let (key, proof) = key_of::<T>(2, &who)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who), peer, key, proof);

		assert_eq!(Keys::<T>::get(peer).len(), 2);
		Ok(())
	}

	#[benchmark]
	fn remove_peer() -> Result<(), BenchmarkError> {
		let (who, peer) = provider_with_peer::<T>(MAX_PEERS - 1)?;
		fill_keys::<T>(peer);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), peer);

		assert!(!Peers::<T>::contains_key(peer));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder.build(), crate::mock::Test);
}
