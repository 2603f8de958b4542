//! Flaws of pools, rewards and vesting.

use super::*;
use crate::{CapacityParams, Ledgers};
use frame_support::traits::fungible::Inspect;
use millrace_primitives::audit::AuditStatus;

fn pool(epoch: EpochIndex) -> Balance {
	Capacity::row(epoch).expect("it is remembered").pool
}

fn total_of_all() -> Balance {
	(PROVIDER..DELEGATOR + 7)
		.map(|who| Balances::total_balance(&who))
		.sum()
}

#[test]
fn known_flaw_pool_in_the_wrong_unit() {
	let params = CapacityParams {
		pool_floor: FLT,
		..params()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		commit(1, 100);
		jump(2);
		// A hundred units have 0.01 FLT each, far below the target of 1 FLT: the pool grows.
		for epoch in 1..20 {
			pass(&[(1, 100)], &[]);
			assert!(epoch < 2 || pool(epoch + 2) > pool(epoch + 1));
		}
		// One unit would have more than the target: it shrinks.
		for epoch in 20..30 {
			pass(&[(1, 1)], &[]);
			assert!(epoch < 22 || pool(epoch + 2) < pool(epoch + 1));
		}
	});
}

#[test]
fn known_flaw_units_at_work_earn_the_pool() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 10);
		commit(2, 10);
		BusyUnits::mutate(|busy| busy.insert(peer(2), 10));
		jump(2);
		assert_ok!(duty(report_call(1, claim(1, 10, 0))));
		assert_ok!(duty(report_call(2, claim(1, 0, 10))));
		close_quickly(1);
		for n in 1..=2 {
			crate::Audits::<Test>::mutate(peer(n), |audit| {
				audit.as_mut().expect("both are drawn").status = AuditStatus::Passed;
			});
			settle(n);
		}
		// All of the pool for the idle ones, as if there were no others.
		assert_eq!(commitment(1).rewarded, 10 * FLT);
		assert_eq!((commitment(2).rewarded, commitment(2).slashed), (0, 0));
	});
}

#[test]
fn known_flaw_dead_commitments_inflate_the_pool() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 20);
		commit(2, 500);
		jump(2);
		pass(&[(1, 20), (2, 500)], &[]);
		// The large one falls silent, and nobody ever settles it.
		for _ in 0..6 {
			pass(&[(1, 20)], &[]);
		}
		let row = Capacity::row(7).expect("it is remembered");
		assert_eq!((row.idle, row.units), (20, 20));
		assert!(commitment(2).is_active());
		// The pool heads for what twenty units are meant to have.
		jump(100);
		assert!(pool(99) <= 20 * FLT);
	});
}

#[test]
fn known_flaw_rewards_lost_with_the_peer() {
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 10, 20, &[(DELEGATOR, 5_000 * FLT)], 0);
		jump(2);
		for _ in 0..20 {
			pass(&[(1, 10)], &[]);
		}
		settle(1);
		jump(40);
		assert_ok!(withdraw(PROVIDER, 1));
		Registered::mutate(|peers| peers.clear());
		crate::Audits::<Test>::remove(peer(1));
		let earned = Capacity::earnings(&DELEGATOR);
		let due = earned.claimable + earned.vesting;
		assert!(due > 90 * FLT);
		jump(80);
		let before = Balances::total_balance(&DELEGATOR);
		assert_ok!(Capacity::claim(signed(STRANGER), DELEGATOR));
		assert_eq!(Balances::total_balance(&DELEGATOR), before + due);
		assert_eq!(Ledgers::<Test>::get(DELEGATOR), None);
	});
}

#[test]
fn known_flaw_the_next_owner_inherits_rewards() {
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 10, 20, &[], 0);
		jump(2);
		for _ in 0..20 {
			pass(&[(1, 10)], &[]);
		}
		settle(1);
		jump(40);
		assert_ok!(withdraw(PROVIDER, 1));
		let earned = Capacity::earnings(&PROVIDER);
		// The very same peer is registered by somebody else.
		Registered::mutate(|peers| {
			peers
				.values_mut()
				.for_each(|(owner, _)| *owner = DELEGATOR + 6)
		});
		commit(1, 10);
		assert_eq!(commitment(1).rewarded, 0);
		let next = Capacity::earnings(&(DELEGATOR + 6));
		assert_eq!((next.claimable, next.vesting), (0, 0));
		assert_eq!(Capacity::earnings(&PROVIDER), earned);
	});
}

#[test]
fn known_flaw_vesting_loses_dust() {
	// 7 units over 30 epochs are nothing in most of them, and 7 in the end; of this stake they are a
	// whole number of 2^-128 each.
	let params = CapacityParams {
		stake_per_unit: 1 << 60,
		reward_target_per_unit: 7,
		pool_floor: 100,
		..params()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		commit(1, 1);
		jump(2);
		pass(&[(1, 1)], &[]);
		let before = Balances::total_issuance();
		let mut claims = 0;
		for epoch in 4..40 {
			jump(epoch);
			if epoch == 4 {
				settle(1);
			}
			claims += u32::from(Capacity::claim(signed(STRANGER), PROVIDER).is_ok());
		}
		let burnt = commitment(1).slashed;
		assert_eq!(Balances::total_issuance(), before + 7 - burnt);
		assert!(claims > 1);
	});
}

#[test]
fn known_flaw_slashed_stake_goes_to_the_owner() {
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 10, DURATION, &[(DELEGATOR, 5_000 * FLT)], 0);
		let (issuance, owned) = (Balances::total_issuance(), total_of_all());
		jump(12);
		settle(1);
		assert_eq!(commitment(1).slashed, 1_000 * FLT);
		// It is gone: from its owner, from all, and from what there is.
		assert_eq!(Balances::total_issuance(), issuance - 1_000 * FLT);
		assert_eq!(total_of_all(), owned - 1_000 * FLT);
		assert_eq!(total_of_all(), Balances::total_issuance());
	});
}

#[test]
fn known_flaw_rewards_wait_for_donations() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 20);
		jump(2);
		pass(&[(1, 20)], &[]);
		jump(40);
		settle(1);
		// No account had to be filled: what is paid is made now, and for this owner.
		let (issuance, before) = (Balances::total_issuance(), Balances::free_balance(PROVIDER));
		assert_eq!(issuance, total_of_all());
		assert_ok!(Capacity::claim(signed(STRANGER), PROVIDER));
		let paid = Balances::free_balance(PROVIDER) - before;
		assert_eq!(paid, 10 * FLT - 1);
		assert_eq!(Balances::total_issuance(), issuance + paid);
	});
}
