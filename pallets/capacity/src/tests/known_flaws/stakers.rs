//! Flaws of delegation, ends and prices.

use super::*;
use crate::{CapacityParams, Error};
use frame_support::{
	assert_noop,
	traits::{fungible::Inspect, LockableCurrency, WithdrawReasons},
};
use millrace_primitives::{
	commitment::{StakeOffer, MAX_DELEGATORS},
	views::CommitmentStatus,
};

const OTHER: u64 = DELEGATOR + 1;

#[test]
fn known_flaw_anyones_deposit_becomes_the_delegation() {
	ExtBuilder::default().build_and_execute(|| {
		let invited = vec![DELEGATOR].try_into().expect("one fits");
		let offer = StakeOffer {
			invited,
			..shared(50, 10)
		};
		assert_ok!(Capacity::create(
			signed(PROVIDER),
			peer(1),
			10,
			DURATION,
			offer
		));
		// Whoever comes first and was not asked is refused, with any amount.
		for amount in [1, 5_000 * FLT] {
			assert_noop!(pledge(OTHER, 0, amount), Error::<Test>::NotInvited);
		}
		// Whoever was asked signs these terms, and no others.
		let mut terms = Rounds::<Test>::get(peer(1)).expect("it is open").terms;
		terms.terms.commission = Default::default();
		let other = Capacity::stake(signed(DELEGATOR), peer(1), terms, 0, 5_000 * FLT);
		assert_eq!(
			other.expect_err("nobody offered that").error,
			Error::<Test>::TermsDiffer.into()
		);
		assert_ok!(pledge(DELEGATOR, 0, 5_000 * FLT));
		assert_ok!(pledge(PROVIDER, 0, 5_000 * FLT));
		assert!(commitment(1).is_active());
	});
}

/// Ten units until epoch 21 of which two delegators hold three tenths each, renewed in epoch 18 by
/// all but the first of them.
fn renewed_without_the_first() {
	let stakes = [(DELEGATOR, 3_000 * FLT), (OTHER, 3_000 * FLT)];
	commit_with(1, 10, 20, &stakes, 0);
	jump(2);
	for _ in 1..=16 {
		pass(&[(1, 10)], &[]);
	}
	assert_ok!(Capacity::extend(
		signed(PROVIDER),
		peer(1),
		30,
		shared(40, 0)
	));
	assert_ok!(pledge(PROVIDER, 4_000 * FLT, 3_000 * FLT));
	assert_ok!(pledge(OTHER, 3_000 * FLT, 0));
	for _ in 17..=20 {
		pass(&[(1, 10)], &[]);
	}
}

#[test]
fn known_flaw_a_delegator_cannot_leave_alone() {
	ExtBuilder::default().build_and_execute(|| {
		renewed_without_the_first();
		for _ in 21..=29 {
			pass(&[(1, 10)], &[]);
		}
		// The end that it signed for was 21, unbonding takes 8; nobody else has to do anything.
		let before = Balances::free_balance(DELEGATOR);
		assert_ok!(withdraw(DELEGATOR, 1));
		assert_eq!(Balances::free_balance(DELEGATOR), before + 3_000 * FLT);
		assert!(commitment(1).is_active());
		assert_eq!(staked(OTHER), 3_000 * FLT);
	});
}

#[test]
fn known_flaw_no_renewal() {
	ExtBuilder::default().build_and_execute(|| {
		renewed_without_the_first();
		pass(&[(1, 10)], &[]);
		settle(1);
		assert_eq!(
			commitment(1).status,
			CommitmentStatus::Active { start: 1, end: 51 }
		);
		assert_eq!((commitment(1).slashed, commitment(1).score.0), (0, 0));
		assert_eq!(commitment(1).own.left, 7_000 * FLT);
	});
}

#[test]
fn known_flaw_one_delegator_blocks_the_others() {
	ExtBuilder::default().build_and_execute(|| {
		let stakes = [(DELEGATOR, 3_000 * FLT), (OTHER, 3_000 * FLT)];
		commit_with(1, 10, 20, &stakes, 0);
		// One has all of its balance locked for something else, and says nothing.
		Balances::set_lock(
			*b"lock/all",
			&DELEGATOR,
			Balance::MAX,
			WithdrawReasons::all(),
		);
		jump(23);
		settle(1);
		jump(50);
		assert_ok!(withdraw(OTHER, 1));
		for who in [PROVIDER, DELEGATOR, OTHER] {
			assert_eq!(staked(who), 0);
		}
		assert_eq!(Balances::free_balance(OTHER), ENDOWMENT);
		assert_eq!(Balances::total_balance(&DELEGATOR), ENDOWMENT);
	});
}

#[test]
fn known_flaw_no_delay_after_failure() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		jump(42);
		settle(1);
		assert_eq!(
			commitment(1).status,
			CommitmentStatus::Unbonding {
				until: 49,
				failed: true
			}
		);
		for epoch in 42..49 {
			jump(epoch);
			assert_noop!(withdraw(PROVIDER, 1), Error::<Test>::StillBonded);
		}
		jump(49);
		assert_ok!(withdraw(PROVIDER, 1));
	});
}

#[test]
fn known_flaw_one_delegator_only() {
	ExtBuilder::default().build_and_execute(|| {
		let stakes: Vec<_> = (0..u64::from(MAX_DELEGATORS))
			.map(|place| (DELEGATOR + place, 1_000 * FLT))
			.collect();
		commit_with(1, 10, DURATION, &stakes, 5);
		jump(2);
		pass(&[(1, 10)], &[]);
		jump(4);
		settle(1);
		for (who, amount) in stakes {
			assert_eq!(staked(who), amount);
			assert!(Capacity::earnings(&who).vesting > 0);
		}
	});
}

#[test]
fn known_flaw_price_moves_stakes_that_stand() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 10);
		let dearer = CapacityParams {
			stake_per_unit: 5_000 * FLT,
			..params()
		};
		assert_ok!(Capacity::apply_params(dearer));
		jump(2);
		// Growth is at the price agreed to.
		assert_ok!(Capacity::grow(
			signed(PROVIDER),
			peer(1),
			2,
			Default::default()
		));
		let round = Rounds::<Test>::get(peer(1)).expect("it is open");
		assert_eq!(round.needed, 2_000 * FLT);
		// No stake is asked for, and a miss costs what it did.
		pass(&[(1, 9)], &[]);
		settle(1);
		assert_eq!(commitment(1).committed(), 10_000 * FLT);
		assert_eq!(commitment(1).slashed, 10 * FLT);
	});
}
