//! Which key signs for a peer at which block.

use crate::{mock::*, Error, Event, KeyInterval, Keys};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use millrace_primitives::{
	peer::{PeerId, MAX_KEYS},
	traits::PeerRegistry,
};
use proptest::prelude::*;

fn rotate(peer: PeerId, seed: u16) -> DispatchResult {
	Registry::rotate_key(signed(ALICE), peer, key(seed), proof(seed, ALICE))
}

/// A peer of Alice, registered in block 1.
fn alices_peer() -> PeerId {
	register_provider(ALICE);
	register_peer(ALICE, 0)
}

#[test]
fn a_first_key_counts_from_the_next_block() {
	ExtBuilder.build_and_execute(|| {
		let peer = alices_peer();
		assert_eq!(Registry::key_at(peer, 0), None);
		assert_eq!(Registry::key_at(peer, 1), None);
		assert_eq!(Registry::key_at(peer, 2), Some(key(0)));
		assert_eq!(Registry::key_at(PeerId::default(), 2), None);
	});
}

#[test]
fn each_block_has_one_key() {
	ExtBuilder.build_and_execute(|| {
		let peer = alices_peer();
		System::set_block_number(10);
		assert_ok!(rotate(peer, 1));
		assert_eq!(
			events().last(),
			Some(&Event::KeyRotated {
				peer,
				key: key(1),
				since: 11
			})
		);
		assert_eq!(Registry::key_at(peer, 10), Some(key(0)));
		assert_eq!(Registry::key_at(peer, 11), Some(key(1)));
		let view = Registry::peer(peer).unwrap();
		assert_eq!((view.key, view.key_since), (key(1), 11));
		// The name stays the first key's.
		assert_eq!(peer, PeerId::from_key(&key(0)));
		assert_eq!(
			Keys::<Test>::get(peer).into_inner(),
			vec![
				KeyInterval {
					key: key(0),
					since: 2,
					until: Some(10)
				},
				KeyInterval {
					key: key(1),
					since: 11,
					until: None
				},
			]
		);
	});
}

#[test]
fn a_key_that_does_not_count_yet_is_not_replaced() {
	ExtBuilder.build_and_execute(|| {
		let peer = alices_peer();
		assert_noop!(rotate(peer, 1), Error::<Test>::KeyNotYetInForce);
		System::set_block_number(2);
		assert_ok!(rotate(peer, 1));
		assert_noop!(rotate(peer, 2), Error::<Test>::KeyNotYetInForce);
		System::set_block_number(3);
		assert_ok!(rotate(peer, 2));
		assert_eq!(Registry::key_at(peer, 3), Some(key(1)));
	});
}

#[test]
fn a_remembered_key_serves_no_other_peer() {
	ExtBuilder.build_and_execute(|| {
		let peer = alices_peer();
		let other = register_peer(ALICE, 9);
		System::set_block_number(2);
		assert_noop!(rotate(peer, 9), Error::<Test>::KeyInUse);
		assert_noop!(rotate(peer, 0), Error::<Test>::KeyInUse);
		assert_ok!(rotate(peer, 1));
		System::set_block_number(3);
		// Neither as a peer of its own, nor for another one, nor back to an old key.
		assert_noop!(
			Registry::register_peer(signed(ALICE), key(1), proof(1, ALICE), endpoint("http://a")),
			Error::<Test>::KeyInUse
		);
		assert_noop!(rotate(other, 1), Error::<Test>::KeyInUse);
		assert_noop!(rotate(other, 0), Error::<Test>::KeyInUse);
		assert_noop!(rotate(peer, 0), Error::<Test>::KeyInUse);
	});
}

#[test]
fn too_many_rotations_wait_for_the_oldest_key_to_be_forgotten() {
	ExtBuilder.build_and_execute(|| {
		let peer = alices_peer();
		let last = MAX_KEYS as u16 - 1;
		for seed in 1..=last {
			System::set_block_number(u32::from(seed) + 1);
			assert_ok!(rotate(peer, seed));
		}
		// The first key ended in block 2 and is remembered for 100 more.
		System::set_block_number(102);
		assert_noop!(rotate(peer, last + 1), Error::<Test>::TooManyKeys);
		assert_eq!(Registry::key_at(peer, 2), Some(key(0)));
		System::set_block_number(103);
		assert_ok!(rotate(peer, last + 1));
		assert_eq!(Registry::key_at(peer, 2), None);
		assert_eq!(Registry::key_at(peer, 3), Some(key(1)));
		// The forgotten key is free again, even for the peer that it names.
		System::set_block_number(104);
		assert_ok!(rotate(peer, 0));
	});
}

#[test]
fn a_forgotten_first_key_does_not_give_its_name_away() {
	ExtBuilder.build_and_execute(|| {
		let peer = alices_peer();
		System::set_block_number(2);
		assert_ok!(rotate(peer, 1));
		System::set_block_number(200);
		assert_ok!(rotate(peer, 2));
		assert_noop!(
			Registry::register_peer(signed(ALICE), key(0), proof(0, ALICE), endpoint("http://a")),
			Error::<Test>::PeerExists
		);
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(32))]

	/// Against a list that keeps the key of every single block.
	#[test]
	fn keys_agree_with_a_list_of_blocks(
		steps in prop::collection::vec((0u32..40, 1u16..14), 1..30),
	) {
		ExtBuilder.build_and_execute(|| {
			let peer = alices_peer();
			let mut blocks = vec![None, None];
			let mut present = 0;
			for (wait, seed) in steps {
				for _ in 0..wait {
					blocks.push(Some(present));
				}
				let now = blocks.len() as u32 - 1;
				System::set_block_number(now);
				if rotate(peer, seed).is_ok() {
					present = seed;
				}
				Registry::do_try_state().unwrap();
				for block in now.saturating_sub(KeyMemoryBlocks::get())..=now {
					let expected = blocks[block as usize].map(key);
					assert_eq!(Registry::key_at(peer, block), expected, "at block {block}");
				}
				assert_eq!(Registry::key_at(peer, now + 1), Some(key(present)));
			}
		});
	}
}
