//! Peers are registered, moved and removed.

use crate::{mock::*, Error, Event, KeyOwners, Keys, Peers, PeersOf, WeightInfo};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use millrace_primitives::{
	peer::{PeerId, MAX_PEERS},
	traits::PeerRegistry,
	views::PeerView,
};

#[test]
fn a_peer_is_registered_under_the_hash_of_its_key() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		let url = endpoint("http://[::1]:9000");
		assert_ok!(Registry::register_peer(
			signed(ALICE),
			key(1),
			proof(1, ALICE),
			url.clone()
		));
		let peer = PeerId::from_key(&key(1));
		assert_eq!(Registry::provider_of(peer), Some(ALICE));
		assert_eq!(
			Registry::peer(peer),
			Some(PeerView {
				peer,
				provider: ALICE,
				key: key(1),
				key_since: 2,
				endpoint: url
			})
		);
		assert_eq!(
			events().last(),
			Some(&Event::PeerRegistered {
				peer,
				provider: ALICE,
				key: key(1),
				since: 2
			})
		);
	});
}

#[test]
fn a_providers_peers_are_listed_in_order() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		register_provider(BOB);
		for seed in [3, 1, 2] {
			register_peer(ALICE, seed);
		}
		register_peer(BOB, 4);
		let names = |provider| {
			Registry::peers_of(&provider)
				.into_iter()
				.map(|view| view.peer)
				.collect::<Vec<_>>()
		};
		assert_eq!(names(ALICE), vec![peer(3), peer(1), peer(2)]);
		assert_eq!(names(BOB), vec![peer(4)]);
		assert_ok!(Registry::remove_peer(signed(ALICE), peer(1)));
		assert_eq!(names(ALICE), vec![peer(3), peer(2)]);
		assert!(Registry::peers_of(&POOR).is_empty());
	});
}

#[test]
fn only_providers_register_peers() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(
			Registry::register_peer(signed(ALICE), key(1), proof(1, ALICE), endpoint("http://a")),
			Error::<Test>::NotProvider
		);
	});
}

#[test]
fn a_name_is_taken_once() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		register_provider(BOB);
		register_peer(ALICE, 1);
		for who in [ALICE, BOB] {
			assert_noop!(
				Registry::register_peer(signed(who), key(1), proof(1, who), endpoint("http://a")),
				Error::<Test>::PeerExists
			);
		}
	});
}

#[test]
fn a_removed_name_is_open_to_whoever_proves_the_key() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		register_provider(BOB);
		let peer = register_peer(ALICE, 1);
		System::set_block_number(5);
		assert_ok!(Registry::remove_peer(signed(ALICE), peer));
		assert_eq!(Registry::peer(peer), None);
		assert_eq!(register_peer(BOB, 1), peer);
		assert_eq!(Registry::provider_of(peer), Some(BOB));
		// What the key signed for its first owner does not count for the second.
		assert_eq!(Registry::key_at(peer, 5), None);
		assert_eq!(Registry::key_at(peer, 6), Some(key(1)));
	});
}

#[test]
fn removal_leaves_nothing_behind() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		let peer = register_peer(ALICE, 1);
		System::set_block_number(2);
		assert_ok!(Registry::rotate_key(
			signed(ALICE),
			peer,
			key(2),
			proof(2, ALICE)
		));
		assert!(Forgotten::get().is_empty());
		assert_ok!(Registry::remove_peer(signed(ALICE), peer));
		assert_eq!(
			events().last(),
			Some(&Event::PeerRemoved {
				peer,
				provider: ALICE
			})
		);
		// What others remember of it goes with it.
		assert_eq!(Forgotten::get(), vec![peer]);
		assert_eq!(Peers::<Test>::iter().count(), 0);
		assert_eq!(PeersOf::<Test>::iter().count(), 0);
		assert_eq!(Keys::<Test>::iter().count(), 0);
		assert_eq!(KeyOwners::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_peer_in_use_stays() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		let peer = register_peer(ALICE, 1);
		InUse::set(vec![peer]);
		assert_noop!(
			Registry::remove_peer(signed(ALICE), peer),
			Error::<Test>::PeerInUse
		);
		assert!(Forgotten::get().is_empty());
		InUse::set(vec![]);
		assert_ok!(Registry::remove_peer(signed(ALICE), peer));
	});
}

#[test]
fn removal_is_charged_for_what_others_do() {
	let call = crate::Call::<Test>::remove_peer { peer: peer(1) };
	assert_eq!(
		call.get_dispatch_info().call_weight,
		<() as WeightInfo>::remove_peer() + USE_WEIGHT
	);
}

#[test]
fn only_its_owner_changes_a_peer() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		register_provider(BOB);
		let peer = register_peer(ALICE, 1);
		System::set_block_number(2);
		let url = endpoint("http://b");
		for (who, id, error) in [
			(BOB, peer, Error::<Test>::NotOwner),
			(ALICE, PeerId::default(), Error::<Test>::UnknownPeer),
		] {
			assert_noop!(Registry::remove_peer(signed(who), id), error);
		}
		assert_noop!(
			Registry::set_endpoint(signed(BOB), peer, url),
			Error::<Test>::NotOwner
		);
		assert_noop!(
			Registry::rotate_key(signed(BOB), peer, key(2), proof(2, BOB)),
			Error::<Test>::NotOwner
		);
	});
}

#[test]
fn an_endpoint_moves() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		let peer = register_peer(ALICE, 1);
		let url = endpoint("https://elsewhere.example:8443/millrace");
		assert_ok!(Registry::set_endpoint(signed(ALICE), peer, url.clone()));
		assert_eq!(Registry::peer(peer).unwrap().endpoint, url);
		assert_eq!(
			events().last(),
			Some(&Event::EndpointSet {
				peer,
				endpoint: url
			})
		);
	});
}

#[test]
fn an_endpoint_is_a_visible_url_that_a_path_can_follow() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		let peer = register_peer(ALICE, 1);
		for url in [
			"",
			"http://",
			"https://",
			"ftp://a",
			"HTTP://a",
			"http://a b",
			"http://ä",
			"a",
			"http://a/?x=1",
			"http://a/#x",
			"https://b@a",
			"https://b:c@a/",
		] {
			assert_noop!(
				Registry::set_endpoint(signed(ALICE), peer, endpoint(url)),
				Error::<Test>::BadEndpoint
			);
			assert_noop!(
				Registry::register_peer(signed(ALICE), key(2), proof(2, ALICE), endpoint(url)),
				Error::<Test>::BadEndpoint
			);
		}
	});
}

#[test]
fn a_provider_owns_a_bounded_number_of_peers() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		let bound = MAX_PEERS as u16;
		for seed in 0..bound {
			register_peer(ALICE, seed);
		}
		let one_more = || {
			let (key, proof) = (key(bound), proof(bound, ALICE));
			Registry::register_peer(signed(ALICE), key, proof, endpoint("http://a"))
		};
		assert_noop!(one_more(), Error::<Test>::TooManyPeers);
		assert_ok!(Registry::remove_peer(signed(ALICE), peer(7)));
		assert_ok!(one_more());
		assert_eq!(Registry::peers_of(&ALICE).len() as u32, MAX_PEERS);
	});
}
