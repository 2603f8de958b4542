//! Nobody registers a key that is not theirs.

use crate::{mock::*, Error};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{peer::PeerSignature, H256};
use proptest::prelude::*;

fn register(who: u64, seed: u16, proof: PeerSignature) -> frame_support::dispatch::DispatchResult {
	Registry::register_peer(signed(who), key(seed), proof, endpoint("http://a"))
}

#[test]
fn a_proof_is_bound_to_its_key() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		assert_noop!(
			register(ALICE, 1, proof(2, ALICE)),
			Error::<Test>::BadKeyProof
		);
	});
}

#[test]
fn a_proof_is_bound_to_its_provider() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		assert_noop!(
			register(ALICE, 1, proof(1, BOB)),
			Error::<Test>::BadKeyProof
		);
	});
}

#[test]
fn a_proof_is_bound_to_its_chain() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		let elsewhere = proof_for(H256([8; 32]), 1, ALICE);
		assert_noop!(register(ALICE, 1, elsewhere), Error::<Test>::BadKeyProof);
		assert_ok!(register(ALICE, 1, proof(1, ALICE)));
	});
}

#[test]
fn rotation_asks_for_the_new_keys_proof() {
	ExtBuilder.build_and_execute(|| {
		register_provider(ALICE);
		let peer = register_peer(ALICE, 1);
		System::set_block_number(2);
		for wrong in [
			proof(1, ALICE),
			proof(2, BOB),
			proof_for(H256([8; 32]), 2, ALICE),
			[0; 64],
		] {
			assert_noop!(
				Registry::rotate_key(signed(ALICE), peer, key(2), wrong),
				Error::<Test>::BadKeyProof
			);
		}
		assert_ok!(Registry::rotate_key(
			signed(ALICE),
			peer,
			key(2),
			proof(2, ALICE)
		));
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn a_changed_proof_does_not_pass(at in 0usize..64, bit in 0u8..8) {
		ExtBuilder.build_and_execute(|| {
			register_provider(ALICE);
			let mut changed = proof(1, ALICE);
			changed[at] ^= 1 << bit;
			assert_noop!(register(ALICE, 1, changed), Error::<Test>::BadKeyProof);
		});
	}
}
