//! Providers come and go.

use crate::{mock::*, Error, Event, Name, Providers};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn name(bytes: &[u8]) -> Name {
	Name::try_from(bytes.to_vec()).unwrap()
}

#[test]
fn a_provider_registers_and_leaves() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(Registry::register_provider(
			signed(ALICE),
			name("Mühle".as_bytes())
		));
		assert_eq!(
			Providers::<Test>::get(ALICE).unwrap().name,
			name("Mühle".as_bytes())
		);
		assert_ok!(Registry::remove_provider(signed(ALICE)));
		assert_eq!(Providers::<Test>::get(ALICE), None);
		assert_eq!(
			events(),
			vec![
				Event::ProviderRegistered { provider: ALICE },
				Event::ProviderRemoved { provider: ALICE },
			]
		);
	});
}

#[test]
fn a_provider_registers_once() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		assert_noop!(
			Registry::register_provider(signed(ALICE), name(b"again")),
			Error::<Test>::AlreadyProvider
		);
	});
}

#[test]
fn a_name_is_utf8() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(
			Registry::register_provider(signed(ALICE), name(&[0xff, 0xfe])),
			Error::<Test>::BadName
		);
	});
}

#[test]
fn only_a_provider_without_peers_leaves() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(
			Registry::remove_provider(signed(ALICE)),
			Error::<Test>::NotProvider
		);
		register_provider(ALICE);
		let peer = register_peer(ALICE, 1);
		assert_noop!(
			Registry::remove_provider(signed(ALICE)),
			Error::<Test>::HasPeers
		);
		assert_ok!(Registry::remove_peer(signed(ALICE), peer));
		assert_ok!(Registry::remove_provider(signed(ALICE)));
	});
}

#[test]
fn calls_want_a_signed_origin() {
	ExtBuilder.build_and_execute(|| {
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(
				Registry::register_provider(origin.clone(), Name::default()),
				DispatchError::BadOrigin
			);
			assert_noop!(
				Registry::remove_peer(origin, peer(1)),
				DispatchError::BadOrigin
			);
		}
	});
}
