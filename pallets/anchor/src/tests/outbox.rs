//! Messages to the anchor.

use crate::{mock::*, Error, Event, LeafExtra, NextNonce, OutboxRoot, MAX_OUTGOING_PER_BLOCK};
use binary_merkle_tree::{merkle_proof, merkle_root};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	anchor::{keccak, messages::MessageData, tree, H160},
	H256,
};
use sp_consensus_beefy::mmr::BeefyDataProvider;
use sp_runtime::traits::Keccak256;

fn data(bytes: &[u8]) -> MessageData {
	MessageData::truncate_from(bytes.to_vec())
}

#[test]
fn a_withdrawal_locks_its_amount_and_burns_its_fee() {
	build_and_execute(|| {
		let issuance = Balances::total_issuance();
		assert_ok!(Anchor::withdraw(signed(ALICE), EVE, 1_000));
		assert_eq!(free(ALICE), ENDOWMENT - 1_007);
		assert_eq!(Balances::total_issuance(), issuance - 7);
		let status = Anchor::status();
		assert_eq!((status.there, status.parked), (1_000, 0));
		assert_eq!(status.allowances.withdrawn, 1_000);
		assert_eq!(
			events(),
			[Event::WithdrawalSent {
				nonce: 0,
				who: ALICE,
				recipient: EVE,
				amount: 1_000,
				fee: 7
			}]
		);
		next_block();
		let entry = Anchor::message(0).unwrap();
		let expected = [
			&[0][..],
			&[7; 32],
			&31_337u64.to_be_bytes(),
			&[0xcc; 20],
			&0u64.to_be_bytes(),
			&[0xee; 20],
			&1_000u128.to_be_bytes(),
		]
		.concat();
		assert_eq!(entry.message, expected);
		assert_eq!((entry.block, entry.index, entry.count), (1, 0, 1));
		assert_eq!(entry.root, keccak(&expected));
	});
}

#[test]
fn a_message_names_its_sender_and_costs_its_bytes() {
	build_and_execute(|| {
		let target = H160::repeat_byte(9);
		assert_ok!(Anchor::send(signed(BOB), target, data(b"abc")));
		assert_eq!(free(BOB), ENDOWMENT - 7 - 3 * 2);
		next_block();
		let message = Anchor::message(0).unwrap().message;
		assert_eq!(message[0], 1);
		assert_eq!(message[69..101], bytes_of(BOB));
		assert_eq!(message[101..121], [9; 20]);
		assert_eq!(&message[121..], b"abc");
		assert_eq!(Anchor::status().there, 0);
	});
}

#[test]
fn what_could_not_be_claimed_or_paid_is_refused() {
	build_and_execute(|| {
		let withdraw = |to, amount| Anchor::withdraw(signed(ALICE), to, amount);
		assert_noop!(withdraw(H160::zero(), 1_000), Error::<Test>::ZeroAddress);
		assert_noop!(withdraw(EVE, 99), Error::<Test>::TooLittle);
		assert_noop!(withdraw(EVE, 0), Error::<Test>::TooLittle);
		let send = Anchor::send(signed(ALICE), H160::zero(), data(b"a"));
		assert_noop!(send, Error::<Test>::ZeroAddress);
		crate::Anchor::<Test>::kill();
		assert_noop!(withdraw(EVE, 1_000), Error::<Test>::NoAnchor);
	});
}

#[test]
fn an_account_keeps_what_keeps_it_in_being() {
	build_and_execute(|| {
		let params = crate::AnchorParams {
			withdraw_per_epoch: u128::MAX,
			..params()
		};
		assert_ok!(Anchor::apply_params(params));
		let most = ENDOWMENT - EXISTENTIAL_DEPOSIT - 7;
		let too_much = withdraw(ALICE, EVE, most + 1);
		assert_eq!(too_much, Err(Error::<Test>::FundsTooLow.into()));
		assert_eq!(free(ALICE), ENDOWMENT);
		assert_eq!(NextNonce::<Test>::get(), 0);
		assert_ok!(withdraw(ALICE, EVE, most));
		assert_eq!(free(ALICE), EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn no_more_goes_out_in_an_epoch_than_may() {
	build_and_execute(|| {
		lock(999_900);
		let over = withdraw(BOB, EVE, 101);
		assert_eq!(over, Err(Error::<Test>::OutflowLimit.into()));
		assert_eq!(free(BOB), ENDOWMENT, "nor is anything burnt");
		assert_ok!(withdraw(BOB, EVE, 100));
		CurrentEpoch::set(4);
		lock(1_000_000);
		assert_eq!(Anchor::status().allowances.withdrawn, 1_000_000);
		assert_eq!(Anchor::status().there, 2_000_000);
	});
}

#[test]
fn the_root_and_the_paths_are_those_of_the_sdk() {
	build_and_execute(|| {
		for count in [1, 2, 3, 5, 8, 33] {
			let first = Anchor::status().next_nonce;
			for i in 0..count {
				assert_ok!(Anchor::send(signed(ALICE), EVE, data(&[i as u8; 5])));
			}
			assert!(Anchor::message(first).is_none(), "more messages may come");
			next_block();
			let entries = Anchor::messages(first, 100);
			assert_eq!(entries.len() as u32, count);
			let messages: Vec<_> = entries.iter().map(|entry| entry.message.clone()).collect();
			let root = merkle_root::<Keccak256, _>(&messages);
			assert_eq!(OutboxRoot::<Test>::get(), root);
			for (index, entry) in entries.iter().enumerate() {
				let proof = merkle_proof::<Keccak256, _, _>(&messages, index as u32);
				assert_eq!(entry.path, proof.proof);
				assert_eq!((entry.index, entry.count), (index as u32, count));
				assert_eq!(entry.root, root);
				let found = tree::root_of(
					keccak(&entry.message),
					entry.index,
					entry.count,
					&entry.path,
				);
				assert_eq!(found, Some(root));
			}
			next_block();
			assert_eq!(OutboxRoot::<Test>::get(), H256::zero());
		}
	});
}

#[test]
fn a_leaf_has_the_root_of_the_block_before_and_its_time() {
	build_and_execute(|| {
		lock(1_000);
		next_block();
		let root = Anchor::message(0).unwrap().root;
		assert_eq!(LeafExtra::<Test>::extra_data(), (root, TIME));
		next_block();
		assert_eq!(LeafExtra::<Test>::extra_data(), (H256::zero(), TIME));
	});
}

#[test]
fn a_block_sends_no_more_than_it_may_and_the_next_one_goes_on() {
	build_and_execute(|| {
		for _ in 0..MAX_OUTGOING_PER_BLOCK {
			assert_ok!(Anchor::send(signed(ALICE), EVE, data(b"a")));
		}
		let one_more = || Anchor::send(signed(ALICE), EVE, data(b"a"));
		assert_noop!(one_more(), Error::<Test>::OutboxFull);
		next_block();
		assert_ok!(one_more());
		next_block();
		let last = Anchor::message(u64::from(MAX_OUTGOING_PER_BLOCK)).unwrap();
		assert_eq!((last.block, last.index, last.count), (2, 0, 1));
		let full = Anchor::message(0).unwrap();
		assert_eq!(full.count, MAX_OUTGOING_PER_BLOCK);
	});
}

#[test]
fn a_view_has_a_hundred_messages_at_most() {
	build_and_execute(|| {
		for _ in 0..4 {
			for _ in 0..30 {
				assert_ok!(Anchor::send(signed(ALICE), EVE, data(b"a")));
			}
			next_block();
		}
		assert_eq!(Anchor::messages(0, u32::MAX).len(), 100);
		assert_eq!(Anchor::messages(110, 100).len(), 10);
		assert_eq!(Anchor::messages(0, 3).len(), 3);
		assert!(Anchor::messages(120, 100).is_empty());
	});
}
