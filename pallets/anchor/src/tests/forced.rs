//! Forced messages.

use crate::{mock::*, Event, ForcedQueue, ForcedRefusal, Pallet, WeightInfo, FORCED_PER_BLOCK};
use codec::Encode;
use frame_support::{
	assert_ok,
	dispatch::GetDispatchInfo,
	traits::{Get, Hooks},
	weights::{Weight, WeightMeter},
};
use millrace_primitives::Balance;

/// More than any call of these tests costs.
const FEE: Balance = 100_000_000_000;

fn eve() -> u64 {
	Anchor::account_of(EVE).unwrap()
}

/// The anchor has more than any test needs.
fn fund() {
	let params = crate::AnchorParams {
		withdraw_per_epoch: ENDOWMENT,
		release_per_epoch: ENDOWMENT,
		..params()
	};
	assert_ok!(Anchor::apply_params(params));
	lock(ENDOWMENT / 2);
}

fn transfer(amount: Balance) -> RuntimeCall {
	RuntimeCall::Balances(pallet_balances::Call::transfer_allow_death {
		dest: BOB,
		value: amount,
	})
}

/// What a call costs of its fee.
fn price(call: &RuntimeCall) -> Balance {
	let weight = <() as WeightInfo>::run_forced() + call.get_dispatch_info().call_weight;
	Balance::from(weight.ref_time()) + BYTE_FEE * call.encoded_size() as Balance
}

#[test]
fn an_address_on_the_anchor_has_calls_made_for_its_account() {
	build_and_execute(|| {
		fund();
		let call = transfer(1_234);
		force(FEE, call.encode());
		bring_all();
		assert_eq!(free(BOB), ENDOWMENT, "not before its turn");
		assert_eq!(Anchor::forced().len(), 1);
		let issuance = Balances::total_issuance();
		next_block();
		assert_eq!(free(BOB), ENDOWMENT + 1_234);
		let burnt = price(&call);
		assert_eq!(free(eve()), FEE - burnt - 1_234);
		assert_eq!(Balances::total_issuance(), issuance - burnt);
		assert!(events().contains(&Event::ForcedCalled {
			nonce: 0,
			who: eve(),
			burnt,
			result: Ok(()),
		}));
		assert!(ForcedQueue::<Test>::get().is_empty());
	});
}

#[test]
fn a_call_that_fails_is_paid_for_all_the_same() {
	build_and_execute(|| {
		fund();
		let call = transfer(FEE * 2);
		force(FEE, call.encode());
		bring_all();
		next_block();
		assert_eq!(free(BOB), ENDOWMENT);
		assert_eq!(free(eve()), FEE - price(&call));
		let failed = events()
			.into_iter()
			.any(|event| matches!(event, Event::ForcedCalled { result: Err(_), .. }));
		assert!(failed);
	});
}

#[test]
fn what_is_no_call_and_what_does_not_pay_is_refused() {
	build_and_execute(|| {
		fund();
		let call = transfer(1);
		force(FEE, vec![0xff; 9]);
		force(price(&call) - 1, call.encode());
		force(0, call.encode());
		bring_all();
		next_block();
		let refused: Vec<_> = events()
			.into_iter()
			.filter_map(|event| match event {
				Event::ForcedRefused { nonce, reason, .. } => Some((nonce, reason)),
				_ => None,
			})
			.collect();
		assert_eq!(
			refused,
			[
				(0, ForcedRefusal::NoCall),
				(1, ForcedRefusal::FeeTooLow),
				(2, ForcedRefusal::FeeTooLow),
			]
		);
		assert_eq!(free(BOB), ENDOWMENT);
		// To look at it and its bytes is paid for; the rest of the fee is the sender's.
		let looked = Balance::from(<() as WeightInfo>::run_forced().ref_time());
		let second = price(&call) - 1 - (looked + BYTE_FEE * call.encoded_size() as Balance);
		assert_eq!(free(eve()), FEE - looked - 9 * BYTE_FEE + second);
	});
}

#[test]
fn a_call_has_no_more_rights_than_its_account() {
	build_and_execute(|| {
		fund();
		let calls = [
			RuntimeCall::Anchor(crate::Call::pause { blocks: 1 }),
			RuntimeCall::System(frame_system::Call::kill_prefix {
				prefix: vec![],
				subkeys: 1,
			}),
			RuntimeCall::Anchor(crate::Call::vote {
				voter: 0,
				vote: vote_on(9, acc(0)),
				signature: [0; 65],
			}),
		];
		for call in &calls {
			force(FEE, call.encode());
		}
		bring_all();
		next_block();
		let outcomes: Vec<_> = events()
			.into_iter()
			.filter_map(|event| match event {
				Event::ForcedCalled { result, .. } => Some(result),
				_ => None,
			})
			.collect();
		let bad_origin = Err(sp_runtime::DispatchError::BadOrigin);
		assert_eq!(outcomes.len(), calls.len());
		assert!(outcomes.iter().all(|outcome| *outcome == bad_origin));
		assert!(!Anchor::is_paused());
	});
}

#[test]
fn a_forced_withdrawal_stands_in_the_leaf_of_its_block() {
	build_and_execute(|| {
		fund();
		next_block();
		let call = RuntimeCall::Anchor(crate::Call::withdraw {
			recipient: EVE,
			amount: 500,
		});
		force(FEE, call.encode());
		bring_all();
		next_block();
		let nonce = Anchor::status().next_nonce - 1;
		assert!(Anchor::message(nonce).is_none(), "its block goes on");
		next_block();
		let entry = Anchor::message(nonce).unwrap();
		assert_eq!((entry.block, entry.count), (3, 1));
		assert_eq!(crate::OutboxRoot::<Test>::get(), entry.root);
	});
}

#[test]
fn turns_come_in_order_and_a_few_at_a_time() {
	build_and_execute(|| {
		fund();
		for amount in 1..=6 {
			force(FEE, transfer(amount * 1_000).encode());
		}
		bring_all();
		next_block();
		assert_eq!(free(BOB), ENDOWMENT + 10_000);
		assert_eq!(Anchor::status().forced, 6 - FORCED_PER_BLOCK);
		next_block();
		assert_eq!(free(BOB), ENDOWMENT + 21_000);
	});
}

#[test]
fn a_block_without_room_leaves_it_to_the_next() {
	build_and_execute(|| {
		fund();
		force(FEE, transfer(1_000).encode());
		bring_all();
		let run = |limit| {
			let mut meter = WeightMeter::with_limit(limit);
			Anchor::on_poll(System::block_number(), &mut meter);
			meter.consumed()
		};
		let look = <() as WeightInfo>::look_for_forced();
		let overhead = <() as WeightInfo>::run_forced();
		let call = transfer(1_000).get_dispatch_info().call_weight;
		assert_eq!(run(Weight::zero()), Weight::zero());
		assert_eq!(run(look), look);
		let nearly = look + overhead + call - Weight::from_parts(1, 0);
		assert_eq!(run(nearly), look);
		assert_eq!(free(BOB), ENDOWMENT);
		let all = look + overhead + call;
		assert_eq!(run(all), all);
		assert_eq!(free(BOB), ENDOWMENT + 1_000);
	});
}

#[test]
fn a_pause_stops_turns() {
	build_and_execute(|| {
		fund();
		force(FEE, transfer(1_000).encode());
		bring_all();
		assert_ok!(Anchor::pause(RuntimeOrigin::root(), 3));
		blocks(3);
		assert_eq!(free(BOB), ENDOWMENT);
		next_block();
		assert_eq!(free(BOB), ENDOWMENT + 1_000);
	});
}

#[test]
fn the_rest_of_a_fee_flows_out_no_faster_than_deposits() {
	build_and_execute(|| {
		fund();
		let params = crate::AnchorParams {
			release_per_epoch: 1_000,
			..Anchor::params()
		};
		assert_ok!(Anchor::apply_params(params));
		force(FEE, vec![0xff]);
		bring_all();
		next_block();
		assert_eq!(free(eve()), 1_000);
		let waiting = &Anchor::parked(0, 10)[0];
		assert_eq!((waiting.nonce, waiting.recipient), (0, eve()));
	});
}

#[test]
fn the_heaviest_call_leaves_most_of_a_block() {
	build_and_execute(|| {
		let most = Pallet::<Test>::most_forced_weight();
		let limits: frame_system::limits::BlockWeights =
			<Test as frame_system::Config>::BlockWeights::get();
		assert_eq!(most.ref_time(), limits.max_block.ref_time() / 10);
		assert!(transfer(1).get_dispatch_info().call_weight.all_lte(most));
	});
}
