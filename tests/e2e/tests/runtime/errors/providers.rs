//! Errors of the registry.

use super::scene::{
	assert_all_raised, by, commit, done, endpoint, key, next_block, on_dev_chain, peer, proof,
	refuses, register, registration, ALICE, BOB,
};
use millrace_primitives::peer::{MAX_KEYS, MAX_PEERS};
use millrace_runtime::Runtime;

type Providers = pallet_providers::Call<Runtime>;

fn named(name: &[u8]) -> Providers {
	let name = name.to_vec().try_into().expect("it is short");
	Providers::register_provider { name }
}

/// The n-th machine gets the key of another, which says that it serves Alice.
fn rotation(n: u16, other: u16) -> Providers {
	Providers::rotate_key {
		peer: peer(n),
		new_key: key(other),
		proof: proof(other, ALICE),
	}
}

fn moved(n: u16, url: &str) -> Providers {
	Providers::set_endpoint {
		peer: peer(n),
		endpoint: endpoint(url),
	}
}

#[test]
fn every_error_of_providers_is_raised() {
	on_dev_chain(|| {
		let (alice, bob) = (by(ALICE), by(BOB));
		refuses!(
			Providers::NotProvider,
			alice.clone(),
			registration(1, ALICE)
		);
		refuses!(
			Providers::NotProvider,
			alice.clone(),
			Providers::remove_provider {}
		);
		refuses!(Providers::BadName, alice.clone(), named(&[0xff]));
		done(alice.clone(), named(b"Alice"));
		refuses!(Providers::AlreadyProvider, alice.clone(), named(b"Alice"));

		for url in [
			"",
			"ftp://peer.example",
			"https://",
			"https://a@b",
			"https://a?b",
		] {
			let wrong = Providers::register_peer {
				key: key(1),
				proof: proof(1, ALICE),
				endpoint: endpoint(url),
			};
			refuses!(Providers::BadEndpoint, alice.clone(), wrong);
		}
		// The key serves Bob, and its holder has not said that it would serve Alice.
		refuses!(Providers::BadKeyProof, alice.clone(), registration(1, BOB));
		done(alice.clone(), registration(1, ALICE));
		refuses!(Providers::PeerExists, alice.clone(), registration(1, ALICE));
		done(alice.clone(), registration(2, ALICE));

		refuses!(Providers::UnknownPeer, bob.clone(), moved(9, "https://a"));
		refuses!(Providers::NotOwner, bob.clone(), moved(1, "https://a"));
		refuses!(Providers::BadEndpoint, alice.clone(), moved(1, "a"));
		refuses!(
			Providers::HasPeers,
			alice.clone(),
			Providers::remove_provider {}
		);

		refuses!(Providers::KeyInUse, alice.clone(), rotation(1, 2));
		refuses!(
			Providers::KeyNotYetInForce,
			alice.clone(),
			rotation(1, 1_001)
		);
		for other in 1..MAX_KEYS as u16 {
			next_block();
			done(alice.clone(), rotation(1, 1_000 + other));
		}
		next_block();
		refuses!(Providers::TooManyKeys, alice.clone(), rotation(1, 2_000));

		commit(ALICE, 3, 1, 6);
		let peer = peer(3);
		refuses!(
			Providers::PeerInUse,
			alice.clone(),
			Providers::remove_peer { peer }
		);
		for n in 4..=MAX_PEERS as u16 {
			register(ALICE, n);
		}
		refuses!(
			Providers::TooManyPeers,
			alice.clone(),
			registration(MAX_PEERS as u16 + 1, ALICE)
		);
		assert_all_raised("Providers", &[]);
	});
}
