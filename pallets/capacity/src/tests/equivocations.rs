//! Equivocations of providers: each commitment pays once, of the stake that stood then.

use super::{rounds::grown, *};
use crate::{
	Delegations, Departures, Error, Event, HoldReason, Rounds, WaitingSlashes, WeightInfo,
};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, traits::fungible::Inspect};
use millrace_primitives::{
	traits::{Offence, StakeSlasher, MAX_EQUIVOCATIONS},
	views::CommitmentStatus,
	FLT,
};
use sp_runtime::Perbill;

/// Ten units of the first peer from epoch 1 on, of whose 10,000 FLT the provider brings a fifth.
fn commit_ten(duration: u32) {
	let others = [(DELEGATOR, 5_000 * FLT), (DELEGATOR + 1, 3_000 * FLT)];
	commit_with(1, 10, duration, &others, 0);
}

/// Dispatches a call as a block does: whole, or not at all.
fn dispatch(call: Call<Test>, who: u64) -> DispatchResult {
	plain(call.dispatch_bypass_filter(signed(who)))
}

fn settle(who: u64, n: u8) -> DispatchResult {
	dispatch(Call::settle { peer: peer(n) }, who)
}

fn withdraw(who: u64) -> DispatchResult {
	dispatch(Call::withdraw { peer: peer(1) }, who)
}

fn issuance() -> Balance {
	<Balances as Inspect<u64>>::total_issuance()
}

/// What is left of the provider's part and of the delegators' stakes.
fn left(n: u8) -> (Balance, Vec<Balance>) {
	let stakes = Delegations::<Test>::get(peer(n));
	let delegated = stakes.iter().map(|stake| stake.part.left).collect();
	(commitment(n).own.left, delegated)
}

/// What all equivocations that were charged since the last look took, in their order.
fn charged() -> Vec<Balance> {
	events()
		.into_iter()
		.filter_map(|event| match event {
			Event::EquivocationCharged { amount, .. } => Some(amount),
			_ => None,
		})
		.collect()
}

#[test]
fn a_part_of_what_is_left_is_taken_once_and_waits() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten(DURATION);
		jump(2);
		equivocate(PROVIDER, 1, 10);
		let before = issuance();
		events();
		assert_ok!(settle(STRANGER, 1));
		assert_eq!(
			events(),
			vec![
				Event::SlashWaits {
					peer: peer(1),
					slash: 0,
					epoch: 1,
					amount: 1_000 * FLT,
					due: 4
				},
				Event::EquivocationCharged {
					peer: peer(1),
					epoch: 1,
					amount: 1_000 * FLT
				},
			]
		);
		// The provider's own floor is what is left of its part.
		assert!(commitment(1).is_active());
		assert_eq!(left(1), (1_000 * FLT, vec![5_000 * FLT, 3_000 * FLT]));
		assert_eq!(commitment(1).next_to_settle, 1);
		assert_eq!(WorkCalls::get(), vec![]);
		assert_eq!(StakeCalls::get().last(), Some(&(PROVIDER, 9_000 * FLT)));
		assert_noop!(settle(STRANGER, 1), Error::<Test>::NothingToSettle);

		assert_eq!(held(PROVIDER, HoldReason::Stake), 2_000 * FLT);
		jump(4);
		assert_ok!(Capacity::apply_slash(signed(PROVIDER), peer(1), 0));
		assert_eq!(held(PROVIDER, HoldReason::Stake), 1_000 * FLT);
		assert_eq!(issuance(), before - 1_000 * FLT);
	});
}

#[test]
fn delegators_pay_what_the_provider_has_not_and_the_commitment_fails() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten(DURATION);
		jump(2);
		equivocate(PROVIDER, 1, 25);
		assert_ok!(settle(STRANGER, 1));
		let paid = |thousandths: Balance| thousandths * FLT / 1_000;
		let expected = vec![5_000 * FLT - paid(312_500), 3_000 * FLT - paid(187_500)];
		assert_eq!(left(1), (0, expected));
		assert_eq!(
			commitment(1).status,
			CommitmentStatus::Unbonding {
				until: 9,
				failed: true
			}
		);
		// No epoch was settled.
		assert_eq!(
			WorkCalls::get(),
			vec![WorkCall::Over {
				peer: peer(1),
				failed: true
			}]
		);
		assert_eq!(StakeCalls::get().last(), Some(&(PROVIDER, 0)));
		let row = WaitingSlashes::<Test>::get(peer(1), 0).expect("it waits");
		assert_eq!(row.amount(), 2_500 * FLT);
	});
}

#[test]
fn a_small_one_burns_at_once_and_pays_who_settles() {
	for (who, pays) in [(STRANGER, true), (PROVIDER, false), (DELEGATOR, false)] {
		ExtBuilder::default().build_and_execute(|| {
			commit_ten(DURATION);
			jump(2);
			equivocate(PROVIDER, 1, 4);
			let (before, free) = (issuance(), Balances::free_balance(who));
			assert_ok!(settle(who, 1));
			let bounty = match pays {
				true => 2 * Balance::from(<() as WeightInfo>::settle().ref_time()),
				false => 0,
			};
			assert!(bounty < 4 * FLT);
			assert_eq!(Balances::free_balance(who), free + bounty);
			assert_eq!(issuance(), before - 400 * FLT + bounty);
			assert_eq!(left(1).0, 1_600 * FLT);
			assert_eq!(commitment(1).slashed, 400 * FLT);
		});
	}
}

#[test]
fn governance_can_send_it_back() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten(DURATION);
		jump(2);
		equivocate(PROVIDER, 1, 10);
		assert_ok!(settle(STRANGER, 1));
		let (before, free) = (issuance(), Balances::free_balance(PROVIDER));
		assert_ok!(Capacity::cancel_slash(signed(GOVERNOR), peer(1), 0));
		assert_eq!(Balances::free_balance(PROVIDER), free + 1_000 * FLT);
		assert_eq!(issuance(), before);
		// It is not asked for again.
		assert_noop!(settle(STRANGER, 1), Error::<Test>::NothingToSettle);
		assert_eq!(left(1).0, 1_000 * FLT);
	});
}

#[test]
fn a_commitment_that_began_later_is_spared() {
	ExtBuilder::default().build_and_execute(|| {
		// Known before the commitment was, or found out later: it is for the time before.
		equivocate(PROVIDER, 0, 50);
		commit_ten(5);
		jump(2);
		assert_noop!(settle(STRANGER, 1), Error::<Test>::NothingToSettle);
		equivocate(PROVIDER, 0, 50);
		events();
		assert_ok!(settle(STRANGER, 1));
		assert_eq!(events(), vec![]);
		assert_eq!(left(1), (2_000 * FLT, vec![5_000 * FLT, 3_000 * FLT]));
		assert_noop!(settle(STRANGER, 1), Error::<Test>::NothingToSettle);

		// Nor does it answer when it is over.
		pass(5);
		assert_ok!(settle(PROVIDER, 1));
		assert!(!commitment(1).is_active());
		equivocate(PROVIDER, 0, 50);
		assert_ok!(settle(PROVIDER, 1));
		assert_eq!(left(1).0, 1_500 * FLT);
	});
}

#[test]
fn a_pending_commitment_pays_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(Capacity::create(
			signed(PROVIDER),
			peer(1),
			1,
			10,
			shared(20, 0)
		));
		assert_ok!(pledge(PROVIDER, 1, 0, 200 * FLT));
		equivocate(PROVIDER, 0, 100);
		assert_noop!(settle(STRANGER, 1), Error::<Test>::NothingToSettle);
		assert_ok!(pledge(DELEGATOR, 1, 0, 800 * FLT));
		assert!(commitment(1).is_active());
		assert_noop!(settle(STRANGER, 1), Error::<Test>::NothingToSettle);
		assert_eq!(left(1), (200 * FLT, vec![800 * FLT]));
	});
}

#[test]
fn stake_that_unbonds_pays_before_it_is_free() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten(5);
		pass(5);
		assert_ok!(settle(PROVIDER, 1));
		assert_eq!(left(1).0, 1_500 * FLT);
		equivocate(PROVIDER, 5, 50);
		jump(14);
		// What waits is found by whoever wants to withdraw, and must be settled to stay.
		assert_noop!(withdraw(PROVIDER), Error::<Test>::SlashesWait);
		events();
		assert_ok!(settle(STRANGER, 1));
		assert_eq!(charged(), vec![4_750 * FLT]);
		let thousandths = |amount: Balance| amount * FLT / 1_000;
		let expected = vec![thousandths(2_968_750), thousandths(1_781_250)];
		assert_eq!(left(1), (0, expected));
		assert_noop!(withdraw(PROVIDER), Error::<Test>::SlashesWait);
		jump(16);
		assert_ok!(Capacity::apply_slash(signed(PROVIDER), peer(1), 0));
		assert_ok!(withdraw(PROVIDER));
		let lost = |who| ENDOWMENT - Balances::free_balance(who);
		assert_eq!(lost(PROVIDER), 2_000 * FLT);
		assert_eq!(lost(DELEGATOR), thousandths(2_031_250));
		assert_eq!(lost(DELEGATOR + 1), thousandths(1_218_750));
	});
}

#[test]
fn a_growth_that_came_later_is_spared() {
	ExtBuilder::default().build_and_execute(|| {
		grown();
		pass(2);
		assert_ok!(settle(PROVIDER, 1));
		equivocate(PROVIDER, 2, 50);
		events();
		assert_ok!(settle(PROVIDER, 1));
		// Half of 1,800 FLT of the provider's, 5,000 and 3,000 of the delegators'.
		assert_eq!(charged(), vec![4_900 * FLT]);
		let expected = vec![
			4_062_500 * FLT / 1_000,
			1_837_500 * FLT / 1_000,
			3_000 * FLT,
		];
		assert_eq!(left(1), (1_000 * FLT, expected));
		assert!(!commitment(1).is_active());
	});
}

#[test]
fn it_is_taken_before_a_later_change_is_in_effect() {
	ExtBuilder::default().build_and_execute(|| {
		grown();
		equivocate(PROVIDER, 2, 4);
		pass(2);
		events();
		assert_ok!(settle(PROVIDER, 1));
		assert_eq!(charged(), vec![400 * FLT]);
		// 400 FLT, and 200 of two epochs; then come the 1,000 of the growth.
		let own = commitment(1).own;
		assert_eq!((own.left, own.added), (2_400 * FLT, 1_000 * FLT));
		assert_eq!(commitment(1).units, 15);
	});
}

#[test]
fn each_commitment_of_the_provider_pays_and_nobody_elses() {
	ExtBuilder::default().peers(3).build_and_execute(|| {
		Registered::mutate(|peers| {
			peers.get_mut(&peer(3)).expect("it is registered").0 = STRANGER;
		});
		commit(1, 10);
		commit(2, 4);
		commit(3, 4);
		jump(2);
		equivocate(PROVIDER, 1, 10);
		events();
		assert_ok!(settle(STRANGER, 1));
		// A report settles as well.
		assert_ok!(duty(report_call(2, claim(1, 4, 0))));
		assert_eq!(charged(), vec![1_000 * FLT, 400 * FLT]);
		assert_noop!(settle(STRANGER, 3), Error::<Test>::NothingToSettle);
		assert_eq!(left(3).0, 4_000 * FLT);
	});
}

#[test]
fn parts_come_to_the_same_one_by_one_and_together() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 10);
		commit(2, 10);
		jump(2);
		// First 10 %, then what raises it to 55 %.
		equivocate(PROVIDER, 1, 10);
		events();
		assert_ok!(settle(STRANGER, 1));
		equivocate(PROVIDER, 1, 50);
		assert_ok!(settle(STRANGER, 1));
		assert_eq!(charged(), vec![1_000 * FLT, 4_500 * FLT]);
		assert_ok!(settle(STRANGER, 2));
		assert_eq!(charged(), vec![1_000 * FLT, 4_500 * FLT]);
		assert_eq!(left(1).0, left(2).0);
		// No more than half of what is committed is left.
		assert!(!commitment(1).is_active() && !commitment(2).is_active());
	});
}

#[test]
fn equivocations_are_weighed() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten(DURATION);
		jump(2);
		equivocate(PROVIDER, 1, 1);
		equivocate(PROVIDER, 1, 1);
		let call = Call::<Test>::settle { peer: peer(1) };
		let declared = call.get_dispatch_info().call_weight;
		let done = call.dispatch_bypass_filter(signed(STRANGER));
		let took = done.expect("there is something to take").actual_weight;
		let settle = <() as WeightInfo>::settle();
		let expected = settle.saturating_add(Capacity::equivocations_weight(2));
		assert_eq!(took, Some(expected));
		let all = settle.saturating_add(Capacity::equivocations_weight(MAX_EQUIVOCATIONS));
		assert!(all.all_lte(declared));
	});
}

/// The ten units end with epoch 10, and are renewed from epoch 11 on: of the provider's 2,000 FLT 500
/// stay and 1,500 come, of the first delegator's 5,000 stay 4,000, the second one's 3,000 leave, and
/// 4,000 of a third come. Epoch 11 has begun, and epoch 10 is not closed.
fn between_two_terms() {
	commit_ten(10);
	(1..=9).for_each(|epoch| serve(1, epoch));
	let extended = Capacity::extend(signed(PROVIDER), peer(1), 8, shared(20, 0));
	assert_ok!(plain(extended));
	assert_ok!(pledge(PROVIDER, 1, 500 * FLT, 1_500 * FLT));
	assert_ok!(pledge(DELEGATOR, 1, 4_000 * FLT, 0));
	assert_ok!(pledge(DELEGATOR + 2, 1, 0, 4_000 * FLT));
	jump(11);
	assert!(commitment(1).change.is_some_and(|change| change.at == 11));
}

fn offence(epoch: EpochIndex, percent: u32) -> Offence<u64> {
	Offence {
		epoch,
		part: Perbill::from_percent(percent),
		fails: false,
		reporter: None,
	}
}

#[test]
fn a_renewed_term_answers_for_itself_before_it_is_in_effect() {
	ExtBuilder::default().build_and_execute(|| {
		between_two_terms();
		assert_eq!(Capacity::slash(peer(1), offence(11, 10)), 1_000 * FLT);
		// Of what the provider brings.
		assert_eq!(left(1), (2_000 * FLT, vec![5_000 * FLT, 3_000 * FLT]));
		let round = Rounds::<Test>::get(peer(1)).expect("it is full");
		let own = &round.pledges[0];
		assert_eq!((own.keep, own.add), (500 * FLT, 500 * FLT));
		assert_eq!((round.needed, round.reserved), (9_000 * FLT, 1_000 * FLT));
		assert_ok!(Capacity::do_try_state());

		serve(1, 10);
		assert_ok!(settle(PROVIDER, 1));
		let own = commitment(1).own;
		assert_eq!(
			(own.left, own.share, own.added),
			(1_000 * FLT, 1_000 * FLT, 500 * FLT)
		);
		assert_eq!(left(1).1, vec![4_000 * FLT, 4_000 * FLT]);
		let leaving = Departures::<Test>::get(peer(1)).expect("some leave");
		let rows: Vec<_> = leaving
			.rows
			.iter()
			.map(|row| (row.staker, row.left / FLT))
			.collect();
		assert_eq!(
			rows,
			vec![
				(PROVIDER, 1_500),
				(DELEGATOR, 1_000),
				(DELEGATOR + 1, 3_000)
			]
		);
		assert_eq!(held(PROVIDER, HoldReason::Stake), 3_500 * FLT);
	});
}

#[test]
fn whoever_leaves_pays_nothing_for_the_next_term() {
	ExtBuilder::default().build_and_execute(|| {
		between_two_terms();
		equivocate(PROVIDER, 11, 50);
		events();
		assert_ok!(settle(PROVIDER, 1));
		// The provider's 2,000 FLT of the new term, and 3,000 of the 8,000 of the two who are in it.
		assert_eq!(charged(), vec![5_000 * FLT]);
		let row = WaitingSlashes::<Test>::get(peer(1), 0).expect("it waits");
		assert_eq!(
			row.parts.into_inner(),
			vec![
				(PROVIDER, 1_500 * FLT),
				(PROVIDER, 500 * FLT),
				(DELEGATOR + 2, 1_500 * FLT),
				(DELEGATOR, 1_500 * FLT)
			]
		);
		assert_eq!(left(1), (1_500 * FLT, vec![3_500 * FLT, 3_000 * FLT]));
		assert_eq!(staked(DELEGATOR + 2), 4_000 * FLT);
		assert_eq!(held(DELEGATOR + 2, HoldReason::Stake), 4_000 * FLT);
		assert_ok!(Capacity::do_try_state());

		// Nothing is left of the provider's part of the new term: it is void, and its round is over.
		serve(1, 10);
		assert_ok!(settle(PROVIDER, 1));
		assert_eq!(
			commitment(1).status,
			CommitmentStatus::Unbonding {
				until: 19,
				failed: false
			}
		);
		assert_ok!(Capacity::cancel(signed(PROVIDER), peer(1)));
		assert_eq!(held(DELEGATOR + 2, HoldReason::Stake), 1_500 * FLT);
		// The old term's stakes still answer for the old term.
		assert_eq!(Capacity::slash(peer(1), offence(10, 15)), 1_500 * FLT);
		assert_eq!(left(1).0, 0);
	});
}

#[test]
fn the_old_term_answers_for_itself_while_the_next_has_begun() {
	ExtBuilder::default().build_and_execute(|| {
		between_two_terms();
		assert_eq!(Capacity::slash(peer(1), offence(10, 10)), 1_000 * FLT);
		assert_eq!(left(1), (1_000 * FLT, vec![5_000 * FLT, 3_000 * FLT]));
		let round = Rounds::<Test>::get(peer(1)).expect("it is full");
		assert_eq!(
			(round.needed, round.pledges[0].add),
			(10_000 * FLT, 1_500 * FLT)
		);
	});
}

#[test]
fn a_growth_answers_for_itself_before_it_is_in_effect() {
	ExtBuilder::default().build_and_execute(|| {
		grown();
		jump(3);
		// 6 % of the 15,000 FLT of epoch 3, of what the provider brings.
		assert_eq!(Capacity::slash(peer(1), offence(3, 6)), 900 * FLT);
		assert_eq!(left(1), (1_900 * FLT, vec![5_000 * FLT, 3_000 * FLT]));
		assert_ok!(Capacity::do_try_state());
		close_quickly(2);
		assert_ok!(settle(PROVIDER, 1));
		let own = commitment(1).own;
		assert_eq!(
			(own.left, own.share, own.added),
			(1_900 * FLT, 2_100 * FLT, 100 * FLT)
		);
		assert_eq!(left(1).1, vec![6_000 * FLT, 3_000 * FLT, 3_000 * FLT]);
		assert_eq!(commitment(1).units, 15);
	});
}
