//! Slashes that burn and slashes that wait: who pays, who is paid, and what is left.

use super::*;
use crate::{
	ActiveStakes, CapacityParams, Delegations, Error, Event, HoldReason, WaitingSlashes,
	WeightInfo, MAX_PARTS,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use millrace_primitives::{
	traits::{Offence, StakeSlasher},
	views::CommitmentStatus,
	FLT,
};
use sp_runtime::{DispatchError, Perbill};

/// Ten units of the first peer, of whose 10,000 FLT the provider brings a fifth.
fn commit_ten() {
	commit_with(
		1,
		10,
		DURATION,
		&[(DELEGATOR, 5_000 * FLT), (DELEGATOR + 1, 3_000 * FLT)],
		0,
	);
}

fn offend(epoch: EpochIndex, part: Perbill, reporter: Option<u64>) -> Balance {
	let offence = Offence {
		epoch,
		part,
		fails: false,
		reporter: reporter.map(|who| (who, Perbill::from_percent(30))),
	};
	Capacity::slash(peer(1), offence)
}

fn apply(who: u64, slash: u64) -> DispatchResult {
	Capacity::apply_slash(signed(who), peer(1), slash)
}

fn issuance() -> Balance {
	<Balances as Inspect<u64>>::total_issuance()
}

fn delegated() -> Vec<Balance> {
	let stakes = Delegations::<Test>::get(peer(1));
	stakes.iter().map(|stake| stake.part.left).collect()
}

#[test]
fn misses_burn_of_the_providers_part_and_pay_who_settles() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		pass(2);
		let before = issuance();
		events();
		assert_ok!(Capacity::settle(signed(STRANGER), peer(1)));
		let bounty = 2 * Balance::from(<() as WeightInfo>::settle().ref_time());
		assert!(0 < bounty && bounty < 2 * FLT);
		assert_eq!(
			events(),
			vec![
				Event::BountyPaid {
					peer: peer(1),
					pusher: STRANGER,
					amount: bounty
				},
				Event::SilenceSettled {
					peer: peer(1),
					first: 1,
					last: 2,
					excused: 0,
					slashed: 200 * FLT
				},
			]
		);
		assert_eq!(issuance(), before - 200 * FLT + bounty);
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT + bounty);
		assert_eq!(held(PROVIDER, HoldReason::Stake), 1_800 * FLT);
		assert_eq!(held(DELEGATOR, HoldReason::Stake), 5_000 * FLT);
		let now = commitment(1);
		assert_eq!((now.own.left, now.others), (1_800 * FLT, 8_000 * FLT));
		assert_eq!((now.slashed, now.waiting), (200 * FLT, 0));
		assert_eq!(now.own.share, 2_000 * FLT);
		assert_eq!(ActiveStakes::<Test>::get(PROVIDER), 9_800 * FLT);
		assert_eq!(StakeCalls::get().last(), Some(&(PROVIDER, 9_800 * FLT)));
	});
}

#[test]
fn whoever_has_a_stake_settles_for_nothing() {
	for who in [PROVIDER, DELEGATOR, DELEGATOR + 1] {
		ExtBuilder::default().build_and_execute(|| {
			commit_ten();
			pass(2);
			let before = issuance();
			let free = Balances::free_balance(who);
			assert_ok!(Capacity::settle(signed(who), peer(1)));
			assert_eq!(issuance(), before - 200 * FLT);
			assert_eq!(Balances::free_balance(who), free);
		});
	}
}

#[test]
fn a_bounty_is_never_more_than_a_hundredth() {
	let params = CapacityParams {
		stake_per_unit: 1_000,
		..params()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		commit(1, 10);
		pass(3);
		let before = issuance();
		// Three epochs at 100 units of FLT each.
		assert_ok!(Capacity::settle(signed(STRANGER), peer(1)));
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT + 3);
		assert_eq!(issuance(), before - 297);
		pass(4);
		assert_ok!(Capacity::settle(signed(STRANGER), peer(1)));
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT + 4);
	});
}

#[test]
fn a_commitment_fails_when_the_providers_part_is_under_its_floor() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		pass(10);
		assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
		// Just at the floor of a tenth.
		assert_eq!(commitment(1).own.left, 1_000 * FLT);
		assert!(commitment(1).is_active());
		pass(19);
		assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
		let now = commitment(1);
		assert_eq!((now.own.left, now.others), (900 * FLT, 8_000 * FLT));
		assert_eq!(now.next_to_settle, 12);
		assert_eq!(
			now.status,
			CommitmentStatus::Unbonding {
				until: 20,
				failed: true
			}
		);
		// It was found in epoch 20: what was signed until then can still be challenged.
		assert_eq!((now.known_over, now.withdrawable()), (20, Some(27)));
		assert_eq!(ActiveStakes::<Test>::get(PROVIDER), 0);
	});
}

#[test]
fn a_slash_that_waits_has_left_the_stake_and_burns_when_it_is_due() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(3);
		let before = issuance();
		events();
		assert_eq!(offend(2, Perbill::from_percent(30), None), 3_000 * FLT);
		assert_eq!(
			events(),
			vec![
				// The epoch before is settled first.
				Event::SilenceSettled {
					peer: peer(1),
					first: 1,
					last: 1,
					excused: 0,
					slashed: 100 * FLT
				},
				Event::SlashWaits {
					peer: peer(1),
					slash: 0,
					epoch: 2,
					amount: 3_000 * FLT,
					due: 5
				},
				Event::OffenceCharged {
					peer: peer(1),
					epoch: 2,
					amount: 3_000 * FLT
				},
				// Nothing is left of the provider's part.
				Event::CommitmentEnded {
					peer: peer(1),
					failed: true
				},
			]
		);
		// 1,900 FLT of the provider, and of the rest each delegator's part.
		let now = commitment(1);
		assert_eq!((now.own.left, now.others), (0, 6_900 * FLT));
		assert_eq!(
			delegated(),
			vec![
				5_000 * FLT - 687_500 * FLT / 1_000,
				3_000 * FLT - 412_500 * FLT / 1_000
			]
		);
		assert_eq!((now.waiting, now.waiting_slashes), (3_000 * FLT, 1));
		assert_eq!(now.slashed, 3_100 * FLT);
		assert_eq!(held(PROVIDER, HoldReason::Stake), 1_900 * FLT);
		assert_eq!(staked(PROVIDER), 1_900 * FLT);
		assert_eq!(held(DELEGATOR, HoldReason::Stake), 5_000 * FLT);
		assert_eq!(issuance(), before - 100 * FLT);
		let view = Capacity::slashes(peer(1));
		assert_eq!(view.len(), 1);
		assert_eq!((view[0].slash, view[0].epoch, view[0].due), (0, 2, 5));
		assert_eq!(view[0].amount, 3_000 * FLT);

		go_to(4, 19);
		assert_noop!(apply(STRANGER, 0), Error::<Test>::SlashNotDue);
		assert_noop!(apply(STRANGER, 1), Error::<Test>::UnknownSlash);
		go_to(5, 0);
		events();
		assert_ok!(apply(STRANGER, 0));
		let bounty = 2 * Balance::from(<() as WeightInfo>::apply_slash(3).ref_time());
		assert!(0 < bounty && bounty < 30 * FLT);
		let burnt = 3_000 * FLT - bounty;
		assert_eq!(
			events(),
			vec![Event::SlashApplied {
				peer: peer(1),
				slash: 0,
				burnt,
				reporter: 0,
				bounty
			}]
		);
		assert_eq!(issuance(), before - 100 * FLT - burnt);
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT + bounty);
		assert_eq!(held(PROVIDER, HoldReason::Stake), 0);
		assert_eq!(
			held(DELEGATOR, HoldReason::Stake),
			5_000 * FLT - 687_500 * FLT / 1_000
		);
		let now = commitment(1);
		assert_eq!((now.waiting, now.waiting_slashes), (0, 0));
		assert_eq!(now.slashed, 3_100 * FLT);
		assert_noop!(apply(STRANGER, 0), Error::<Test>::UnknownSlash);
	});
}

#[test]
fn who_pays_for_a_slash_gets_no_bounty_for_applying_it() {
	for who in [PROVIDER, DELEGATOR] {
		ExtBuilder::default().build_and_execute(|| {
			commit_ten();
			jump(3);
			offend(2, Perbill::from_percent(30), None);
			jump(5);
			let (before, free) = (issuance(), Balances::free_balance(who));
			assert_ok!(apply(who, 0));
			assert_eq!(issuance(), before - 3_000 * FLT);
			assert_eq!(Balances::free_balance(who), free);
		});
	}
}

#[test]
fn governance_sends_a_slash_back_but_not_the_commitment() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(3);
		offend(2, Perbill::from_percent(30), Some(STRANGER));
		let cancel = |who| Capacity::cancel_slash(signed(who), peer(1), 0);
		for who in [PROVIDER, DELEGATOR, STRANGER] {
			assert_noop!(cancel(who), DispatchError::BadOrigin);
		}
		let free = |who| Balances::free_balance(who);
		let (own, other) = (free(PROVIDER), free(DELEGATOR));
		let before = issuance();
		// Until it is applied, and so even when it is due.
		jump(6);
		events();
		assert_ok!(cancel(GOVERNOR));
		assert_eq!(
			events(),
			vec![Event::SlashCancelled {
				peer: peer(1),
				slash: 0,
				amount: 3_000 * FLT
			}]
		);
		assert_eq!(free(PROVIDER), own + 1_900 * FLT);
		assert_eq!(free(DELEGATOR), other + 687_500 * FLT / 1_000);
		assert_eq!(issuance(), before);
		let now = commitment(1);
		assert!(!now.is_active());
		assert_eq!((now.own.left, now.waiting_slashes), (0, 0));
		assert_noop!(cancel(GOVERNOR), Error::<Test>::UnknownSlash);
		assert_noop!(apply(STRANGER, 0), Error::<Test>::UnknownSlash);
	});
}

#[test]
fn delegators_lose_in_proportion_rounded_up() {
	let params = CapacityParams {
		stake_per_unit: 1_000,
		..params()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		let stakes = [
			(DELEGATOR, 3_333),
			(DELEGATOR + 1, 2_667),
			(DELEGATOR + 2, 2_000),
		];
		commit_with(1, 10, DURATION, &stakes, 0);
		jump(2);
		// 2,000 of the provider, 500 of the others: 208.3, 166.7 and 125.
		assert_eq!(offend(1, Perbill::from_percent(25), None), 2_501);
		assert_eq!(delegated(), vec![3_333 - 209, 2_667 - 167, 2_000 - 125]);
		let row = WaitingSlashes::<Test>::get(peer(1), 0).expect("it waits");
		assert_eq!(
			row.parts.into_inner(),
			vec![
				(PROVIDER, 2_000),
				(DELEGATOR, 209),
				(DELEGATOR + 1, 167),
				(DELEGATOR + 2, 125)
			]
		);
		assert_eq!(commitment(1).slashed, 2_501);
	});
}

#[test]
fn so_many_slashes_can_wait() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(2);
		let mut taken = 0;
		for _ in 0..30 {
			taken += offend(1, Perbill::from_percent(5), None);
		}
		// Twenty take everything, and what takes nothing is not kept.
		assert_eq!(taken, 10_000 * FLT);
		let now = commitment(1);
		assert_eq!((now.left(), now.waiting_slashes), (0, 20));
		assert_eq!(now.waiting, 10_000 * FLT);
		assert_eq!(Capacity::slashes(peer(1)).len(), 20);
		let slashes: Vec<_> = Capacity::slashes(peer(1));
		assert!(slashes.windows(2).all(|pair| pair[0].slash < pair[1].slash));
		jump(4);
		let before = issuance();
		for slash in 0..20 {
			assert_ok!(apply(PROVIDER, slash));
		}
		assert_eq!(issuance(), before - 10_000 * FLT);
		assert_eq!(staked(DELEGATOR), 0);
	});
}

#[test]
fn a_slash_is_weighed_by_its_bound() {
	let weight = <() as WeightInfo>::apply_slash(MAX_PARTS);
	assert!(<() as WeightInfo>::apply_slash(1).all_lte(weight));
	assert!(<Capacity as StakeSlasher<u64>>::slash_weight()
		.all_gte(<() as WeightInfo>::wait_slash(MAX_PARTS)));
}
