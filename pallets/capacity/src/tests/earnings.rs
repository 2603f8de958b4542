//! From the unit to the owner: shares, commission, vesting, claims, and the ledger's deposit.

use super::{amnesty::pass, *};
use crate::{Bucket, CapacityParams, Commitments, Error, Event, HoldReason, Ledgers, Params};
use frame_support::{
	assert_noop, assert_ok,
	traits::{
		fungible::{Inspect, InspectHold, Mutate},
		Get,
	},
};
use millrace_primitives::{
	commitment::{BucketView, EarningsView},
	Balance, FLT,
};
use proptest::prelude::*;
use sp_runtime::{DispatchResult, TokenError};

const OTHER: u64 = DELEGATOR + 1;

fn settle(n: u8) {
	// There may be nothing to settle.
	let _ = Capacity::settle(RuntimeOrigin::signed(PROVIDER), peer(n));
}

fn claim_for(who: u64) -> DispatchResult {
	Capacity::claim(RuntimeOrigin::signed(STRANGER), who)
}

fn buckets(who: u64) -> Vec<(EpochIndex, u32, Balance, Balance)> {
	let ledger = Ledgers::<Test>::get(who).unwrap_or_default();
	let buckets = ledger.buckets.iter();
	buckets
		.map(|bucket| (bucket.start, bucket.epochs, bucket.amount, bucket.taken))
		.collect()
}

/// All that an account has earned and not claimed.
fn earned(who: u64) -> Balance {
	let view = Capacity::earnings(&who);
	view.claimable + view.vesting
}

fn deposit_of(who: u64) -> Balance {
	Balances::balance_on_hold(&HoldReason::Deposit.into(), &who)
}

/// Ten units, 40 % of whose stake are the provider's, for a commission of 10 %.
fn with_delegators(test: impl FnOnce()) {
	ExtBuilder::default().build_and_execute(|| {
		let stakes = [(DELEGATOR, 3_500 * FLT), (OTHER, 2_500 * FLT)];
		commit_with(1, 10, DURATION, &stakes, 10);
		jump(2);
		test();
	});
}

#[test]
fn a_reward_is_shared_by_what_was_signed_less_the_commission() {
	with_delegators(|| {
		assert!(!pass(&[(1, 10)], &[]));
		assert!(!pass(&[(1, 10)], &[]));
		settle(1);
		// Of 10 FLT each part of 2^-128 is carried, so that 4, 3.5 and 2.5 FLT are one unit short; a
		// tenth of the delegators' goes to the provider, rounded down.
		let of_first = 3_500_000_000_000_000_000 - 1 - 349_999_999_999_999_999;
		let of_second = 2_500_000_000_000_000_000 - 1 - 249_999_999_999_999_999;
		let of_provider =
			4_000_000_000_000_000_000 - 1 + 349_999_999_999_999_999 + 249_999_999_999_999_999;
		assert_eq!(buckets(DELEGATOR), vec![(2, 30, of_first, 0)]);
		assert_eq!(buckets(OTHER), vec![(2, 30, of_second, 0)]);
		assert_eq!(buckets(PROVIDER), vec![(2, 30, of_provider, 0)]);
		let rewarded = Capacity::commitment(peer(1)).expect("it stands").rewarded;
		// The second epoch has accrued, and no ledger has it yet.
		assert_eq!(rewarded, 10 * FLT + row_reward(2));
		assert_eq!(of_provider + of_first + of_second, 10 * FLT - 3);
	});
}

fn row_reward(epoch: EpochIndex) -> Balance {
	let row = Capacity::row(epoch).expect("the epoch is remembered");
	row.reward_per_unit() * Balance::from(row.idle)
}

#[test]
fn slashes_do_not_move_shares() {
	with_delegators(|| {
		// Half of the units are missing, which costs the provider's own part 50 FLT an epoch.
		for _ in 0..5 {
			assert!(!pass(&[(1, 5)], &[]));
		}
		settle(1);
		let commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
		assert_eq!(commitment.own.left, 3_750 * FLT);
		assert_eq!(commitment.own.share, 4_000 * FLT);
		// Of 5.5 FLT: 2.2, 1.925 and 1.375 FLT less a unit each, as without any slash.
		assert_eq!(buckets(DELEGATOR)[0].2, 1_732_500_000_000_000_000);
		assert_eq!(buckets(OTHER)[0].2, 1_237_500_000_000_000_000);
		assert_eq!(buckets(PROVIDER)[0].2, 2_529_999_999_999_999_997);
	});
}

#[test]
fn rewards_vest_linearly_and_whoever_asks_the_owner_is_paid() {
	with_delegators(|| {
		assert!(!pass(&[(1, 10)], &[]));
		jump(4);
		settle(1);
		let amount = buckets(OTHER)[0].2;
		let issuance = Balances::total_issuance();
		let before = Balances::free_balance(OTHER);
		events();
		// Two of thirty epochs, rounded down.
		assert_ok!(claim_for(OTHER));
		assert_eq!(
			events(),
			vec![Event::RewardClaimed {
				account: OTHER,
				amount: amount * 2 / 30
			}]
		);
		assert_eq!(Balances::free_balance(OTHER), before + amount * 2 / 30);
		assert_eq!(Balances::total_issuance(), issuance + amount * 2 / 30);
		assert_noop!(claim_for(OTHER), Error::<Test>::NothingToClaim);
		assert_noop!(claim_for(STRANGER), Error::<Test>::NothingToClaim);

		jump(17);
		assert_ok!(claim_for(OTHER));
		assert_eq!(Balances::free_balance(OTHER), before + amount / 2);
		jump(31);
		let view = Capacity::earnings(&OTHER);
		assert_eq!(
			view,
			EarningsView {
				claimable: amount * 29 / 30 - amount / 2,
				vesting: amount - amount * 29 / 30,
				deposit: LEDGER_DEPOSIT,
				places: 1,
				buckets: vec![BucketView {
					start: 2,
					epochs: 30,
					amount,
					taken: amount / 2
				}]
			}
		);
		jump(32);
		assert_ok!(claim_for(OTHER));
		assert_eq!(Balances::free_balance(OTHER), before + amount);
		assert_eq!(buckets(OTHER), vec![]);
		assert_noop!(claim_for(OTHER), Error::<Test>::NothingToClaim);
	});
}

#[test]
fn rewards_of_a_period_vest_together_from_its_end_on() {
	let params = CapacityParams {
		vesting_epochs: 90,
		..params()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		commit(1, 20);
		jump(2);
		let mut sums = vec![0, 0, 0];
		for epoch in 1..9 {
			assert!(!pass(&[(1, 20)], &[]));
			sums[epoch / 3] += row_reward(epoch as EpochIndex);
		}
		assert_eq!(buckets(PROVIDER).len(), 2, "the third is not over");
		jump(12);
		settle(1);
		// Alone the provider has whole units but for the last, which divides with the others.
		let found = buckets(PROVIDER);
		let starts: Vec<_> = found.iter().map(|bucket| (bucket.0, bucket.1)).collect();
		assert_eq!(starts, vec![(3, 90), (6, 90), (9, 90)]);
		for (bucket, sum) in found.iter().zip(&sums) {
			assert!(
				bucket.2 <= *sum && bucket.2 + 1 >= *sum,
				"{bucket:?} of {sum}"
			);
		}
		let total: Balance = found.iter().map(|bucket| bucket.2).sum();
		let all: Balance = sums.iter().sum();
		assert!(
			total <= all && total + 1 >= all,
			"one unit at most is under way"
		);
	});
}

#[test]
fn a_ledger_pays_its_deposit_as_long_as_it_is_needed() {
	with_delegators(|| {
		assert_eq!(deposit_of(OTHER), LEDGER_DEPOSIT);
		assert!(!pass(&[(1, 10)], &[]));
		// Silence fails it; what was earned stays earned.
		jump(60);
		settle(1);
		let withdraw = || match Capacity::withdraw(RuntimeOrigin::signed(PROVIDER), peer(1)) {
			Ok(_) => Ok(()),
			Err(failed) => Err(failed.error),
		};
		assert_noop!(withdraw(), Error::<Test>::StillBonded);
		jump(70);
		assert_ok!(withdraw());
		assert_eq!(Commitments::<Test>::get(peer(1)), None);
		assert_eq!(staked(OTHER), 0);
		// The peer goes, and the ledger does not.
		Registered::mutate(|peers| peers.remove(&peer(1)));
		crate::Audits::<Test>::remove(peer(1));
		assert_eq!(
			(deposit_of(OTHER), earned(OTHER) > 0),
			(LEDGER_DEPOSIT, true)
		);
		let (before, amount) = (Balances::total_balance(&OTHER), earned(OTHER));
		assert_ok!(claim_for(OTHER));
		assert_eq!(Balances::total_balance(&OTHER), before + amount);
		assert_eq!((deposit_of(OTHER), Ledgers::<Test>::get(OTHER)), (0, None));
		assert_eq!(Balances::free_balance(OTHER), ENDOWMENT + amount);
	});
}

#[test]
fn whoever_cannot_pay_for_a_ledger_cannot_stake() {
	ExtBuilder::default().build_and_execute(|| {
		let provider = RuntimeOrigin::signed(PROVIDER);
		let offer = shared(50, 0);
		let terms = Capacity::start_terms(2, DURATION, offer.own_part, offer.commission);
		assert_ok!(Capacity::create(provider, peer(1), 2, DURATION, offer));
		// Enough to stake, and not for the deposit.
		Balances::set_balance(&DELEGATOR, 1_000 * FLT + LEDGER_DEPOSIT);
		let call = Call::<Test>::stake {
			peer: peer(1),
			terms,
			keep: 0,
			add: 1_000 * FLT,
		};
		let stake = || match call
			.clone()
			.dispatch_bypass_filter(RuntimeOrigin::signed(DELEGATOR))
		{
			Ok(_) => Ok(()),
			Err(failed) => Err(failed.error),
		};
		assert_noop!(stake(), TokenError::FundsUnavailable);
		let more = <<Test as pallet_balances::Config>::ExistentialDeposit as Get<Balance>>::get();
		Balances::set_balance(&DELEGATOR, 1_000 * FLT + LEDGER_DEPOSIT + more);
		assert_ok!(stake());
		assert_eq!(Capacity::earnings(&DELEGATOR).places, 1);
	});
}

#[test]
fn one_account_has_one_ledger_for_all_its_stakes() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit_with(1, 10, DURATION, &[(DELEGATOR, 5_000 * FLT)], 0);
		commit_with(2, 10, DURATION, &[(DELEGATOR, 5_000 * FLT)], 50);
		assert_eq!(Capacity::earnings(&DELEGATOR).places, 2);
		assert_eq!(deposit_of(DELEGATOR), LEDGER_DEPOSIT);
		jump(2);
		assert!(!pass(&[(1, 10), (2, 10)], &[]));
		jump(4);
		settle(1);
		settle(2);
		// Half of 5 FLT less a unit, twice, and the second time half of it as commission.
		let found = buckets(DELEGATOR);
		assert_eq!(found, vec![(2, 30, 15 * FLT / 4 - 1, 0)]);
		assert_eq!(buckets(PROVIDER), vec![(2, 30, 25 * FLT / 4 - 3, 0)]);
	});
}

#[test]
fn a_ledger_that_is_full_lets_go_of_what_has_vested() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 20);
		jump(2);
		let mut all = 0;
		for epoch in 1..=70 {
			assert!(!pass(&[(1, 20)], &[]));
			all += row_reward(epoch);
		}
		jump(73);
		settle(1);
		let ledger = Ledgers::<Test>::get(PROVIDER).expect("it has earned");
		assert!(ledger.free > 0);
		assert!(ledger.buckets.len() <= crate::MAX_BUCKETS as usize);
		let whole: Balance = ledger.buckets.iter().map(|bucket| bucket.amount).sum();
		assert!(ledger.free + whole <= all && ledger.free + whole + 1 >= all);
		jump(200);
		let before = Balances::total_balance(&PROVIDER);
		assert_ok!(claim_for(PROVIDER));
		let paid = Balances::total_balance(&PROVIDER) - before;
		assert!(paid <= all && paid + 1 >= all, "{paid} of {all}");
	});
}

#[test]
fn rewards_of_two_vesting_times_find_room_and_none_vests_early() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 10);
		let longer = CapacityParams {
			vesting_epochs: 60,
			..params()
		};
		assert_ok!(Capacity::apply_params(longer));
		commit(2, 10);
		assert_eq!(Params::<Test>::get().vesting_epochs, 60);
		jump(2);
		let mut all = 0;
		for epoch in 1..=60u32 {
			assert!(!pass(&[(1, 10), (2, 10)], &[]));
			settle(1);
			settle(2);
			all += row_reward(epoch);
			Capacity::do_try_state().expect("the invariants hold");
			// Now and then something is taken out of a bucket that is joined later.
			if epoch.is_multiple_of(17) {
				let before = Balances::total_issuance();
				assert_ok!(claim_for(PROVIDER));
				all -= Balances::total_issuance() - before;
			}
		}
		jump(64);
		settle(1);
		settle(2);
		let found = earned(PROVIDER);
		assert!(found <= all && found + 4 >= all, "{found} of {all}");
		jump(200);
		let before = Balances::total_issuance();
		assert_ok!(claim_for(PROVIDER));
		assert_eq!(Balances::total_issuance() - before, found);
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	/// Whenever it is claimed: never more than has vested, and all in the end.
	#[test]
	fn claims_add_up(
		amount in 1u128..1_000_000,
		epochs in 1u32..50,
		start in 1u32..20,
		claims in prop::collection::btree_set(1u32..90, 0..12),
	) {
		ExtBuilder::default().build_and_execute(|| {
			commit(1, 1);
			Ledgers::<Test>::mutate(PROVIDER, |ledger| {
				let bucket = Bucket { start, epochs, amount, taken: 0 };
				let ledger = ledger.as_mut().expect("a staker has one");
				ledger.buckets.try_push(bucket).expect("it is empty");
			});
			let before = Balances::total_issuance();
			for now in claims {
				CurrentEpoch::set(now);
				let elapsed = Balance::from(now.saturating_sub(start).min(epochs));
				let vested = amount * elapsed / Balance::from(epochs);
				let paid = Balances::total_issuance() - before;
				assert_eq!(Capacity::earnings(&PROVIDER).claimable, vested - paid);
				assert_eq!(claim_for(PROVIDER).is_ok(), vested > paid);
				assert_eq!(Balances::total_issuance() - before, vested);
			}
			CurrentEpoch::set(100);
			let _ = claim_for(PROVIDER);
			assert_eq!(Balances::total_issuance() - before, amount);
			CurrentEpoch::set(0);
		});
	}
}
