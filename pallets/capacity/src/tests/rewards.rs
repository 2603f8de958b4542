//! From the pool to the unit: what is shared, by whom, and what is carried.

use super::{amnesty::pass, *};
use crate::{CapacityParams, EpochRow};
use frame_support::assert_ok;
use millrace_primitives::{Balance, FLT};
use proptest::prelude::*;

fn row(epoch: EpochIndex) -> EpochRow {
	Capacity::row(epoch).expect("the epoch is remembered")
}

fn rewarded(n: u8) -> Balance {
	let _ = Capacity::settle(RuntimeOrigin::signed(PROVIDER), peer(n));
	Capacity::commitment(peer(n)).expect("it stands").rewarded
}

#[test]
fn the_pool_is_shared_by_idle_units() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 15);
		commit(2, 15);
		BusyUnits::mutate(|busy| busy.insert(peer(2), 10));
		go_to(2, 0);
		let done = [work(1, 1, 15, 0), work(2, 1, 5, 10)];
		for (n, done) in (1..).zip(&done) {
			send(report_call(n, done.report.clone())).expect("the report is due");
		}
		go_to_answers(1);
		for (n, done) in (1..).zip(&done) {
			send(answer_call(n, answer(n, done))).expect("the answer is due");
		}
		close(1);
		assert_eq!(rewarded(1), 15 * FLT / 2);
		assert_eq!(rewarded(2), 5 * FLT / 2);
		assert_eq!(
			Capacity::commitment(peer(2)).expect("it stands").slashed,
			0,
			"units at work are paid by their deals"
		);
	});
}

#[test]
fn the_pool_follows_the_units_of_two_epochs_before() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 100);
		jump(2);
		assert!(!pass(&[(1, 100)], &[]));
		// Epochs 0 to 2 have the floor, epoch 3 knows of a hundred units.
		let pools: Vec<_> = (0..=3).map(|epoch| row(epoch).pool).collect();
		assert_eq!(
			pools,
			vec![10 * FLT, 10 * FLT, 10 * FLT, 10 * FLT + FLT / 10]
		);
		// Nobody reports epoch 2, so that epoch 4 is back at the floor.
		jump(4);
		assert_eq!(row(4).pool, 10 * FLT);
	});
}

#[test]
fn the_schedule_binds_the_pool_at_once_and_it_recovers() {
	ExtBuilder::default().build_and_execute(|| {
		EmissionLimit::set(3 * FLT);
		jump(1);
		assert_eq!(row(1).pool, 3 * FLT);
		EmissionLimit::set(0);
		jump(2);
		assert_eq!(row(2).pool, 0);
		// A step is a hundredth of the floor at least.
		EmissionLimit::set(1_000 * FLT);
		jump(4);
		assert_eq!((row(3).pool, row(4).pool), (FLT / 10, FLT / 5));
		jump(200);
		assert_eq!(row(200).pool, 10 * FLT);
	});
}

#[test]
fn a_chain_may_begin_below_the_floor() {
	ExtBuilder::default().build_and_execute(|| {
		// Genesis was built with the limit that the builder sets.
		assert_eq!(row(0).pool, 10 * FLT);
		crate::EpochRows::<Test>::remove(0);
		EmissionLimit::set(FLT);
		Capacity::open_row(0);
		assert_eq!(row(0).pool, FLT);
	});
}

#[test]
fn a_voided_share_is_nobodys() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 10);
		commit(2, 10);
		jump(2);
		let issuance = Balances::total_issuance();
		assert!(!pass(&[(1, 10), (2, 10)], &[2]));
		assert_eq!((rewarded(1), rewarded(2)), (5 * FLT, 0));
		// Made when it is claimed, and no earlier; what burnt are the second's misses.
		assert_eq!(Balances::total_issuance(), issuance - 100 * FLT);
	});
}

#[test]
fn the_most_that_a_unit_gets_leaves_no_dust() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 3);
		jump(2);
		assert!(!pass(&[(1, 3)], &[]));
		assert_eq!(row(1).reward_per_unit(), FLT * 11 / 10);
		assert_eq!((row(1).dust(), row(3).carried), (0, 0));
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(32))]

	/// Where the maximum does not bind, every unit of every pool is either a reward or carried.
	#[test]
	fn pools_are_rewards_and_dust(
		units in [13u32..60, 1u32..60, 1u32..60],
		target in 1u128..1_000_000,
		missing in prop::collection::vec([0u32..4, 0u32..60, 0u32..60], 1..20),
	) {
		// The floor is what eight units are meant to have, so that with nine and more each has less.
		let params = CapacityParams {
			stake_per_unit: FLT,
			reward_target_per_unit: 1_000 * target,
			pool_floor: 8_000 * target + 7,
			..params()
		};
		ExtBuilder::default().peers(3).params(params).build_and_execute(|| {
			for (n, units) in (1..).zip(units) {
				commit(n, units);
			}
			jump(2);
			let mut pools = 0;
			for misses in &missing {
				let epoch = CurrentEpoch::get() - 1;
				let reports: Vec<_> = (1..)
					.zip(units)
					.zip(misses)
					.map(|((n, units), missing)| (n, units.saturating_sub(*missing)))
					.collect();
				pass(&reports, &[]);
				assert!(row(epoch).reward_per_unit() < row(epoch).max_reward_per_unit);
				pools += row(epoch).pool;
			}
			let last = CurrentEpoch::get() - 2;
			let paid: Balance = (1..=3).map(rewarded).sum();
			let dust = row(last).dust() + row(last - 1).dust();
			assert_eq!(paid + dust, pools);
			assert_eq!(row(last + 1).carried, row(last - 1).dust());
		});
	}
}

#[test]
fn nobody_is_rewarded_twice_for_an_epoch() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 20);
		jump(2);
		assert!(!pass(&[(1, 20)], &[]));
		let once = rewarded(1);
		assert_eq!(once, 10 * FLT);
		assert_eq!(rewarded(1), once);
		assert_ok!(duty(report_call(1, claim(2, 0, 0))));
		assert_eq!(rewarded(1), once);
	});
}
