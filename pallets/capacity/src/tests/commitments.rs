//! Creation, stake, lapse, cancellation, end and withdrawal; parameters.

use super::*;
use crate::{CapacityParams, Commitments, Error, Event, HoldReason, Params};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use millrace_primitives::{
	capacity::{WorkRates, MAX_UNITS},
	traits::PeerUse,
	views::CommitmentStatus,
	FLT,
};
use sp_runtime::{DispatchError, TokenError};

fn provider() -> RuntimeOrigin {
	RuntimeOrigin::signed(PROVIDER)
}

fn held() -> u128 {
	Balances::balance_on_hold(&RuntimeHoldReason::Capacity(HoldReason::Stake), &PROVIDER)
}

fn status(n: u8) -> CommitmentStatus {
	Capacity::commitment(peer(n))
		.expect("the peer has a commitment")
		.status
}

#[test]
fn a_commitment_waits_for_its_stake_and_binds_from_the_next_epoch() {
	ExtBuilder::default().build_and_execute(|| {
		assert!(!Capacity::in_use(peer(1)));
		assert_ok!(Capacity::create(provider(), peer(1), 3, DURATION));
		assert!(Capacity::in_use(peer(1)));
		assert_eq!(status(1), CommitmentStatus::Pending { deadline: 2 });
		assert_eq!(held(), 0);

		go_to(2, 19);
		assert_ok!(Capacity::stake(provider(), peer(1)));
		assert_eq!(
			status(1),
			CommitmentStatus::Active {
				start: 3,
				end: 3 + DURATION
			}
		);
		assert_eq!(held(), 3_000 * FLT);
		assert_eq!(
			events(),
			vec![
				Event::CommitmentCreated {
					peer: peer(1),
					provider: PROVIDER,
					units: 3,
					deadline: 2
				},
				Event::Staked {
					peer: peer(1),
					amount: 3_000 * FLT,
					start: 3,
					end: 3 + DURATION
				},
			]
		);
		assert_noop!(
			Capacity::stake(provider(), peer(1)),
			Error::<Test>::NotPending
		);
		assert_noop!(
			Capacity::cancel(provider(), peer(1)),
			Error::<Test>::NotPending
		);
	});
}

#[test]
fn creation_is_refused_with_a_reason() {
	ExtBuilder::default().build_and_execute(|| {
		let create =
			|origin, n, units, duration| Capacity::create(origin, peer(n), units, duration);
		assert_noop!(
			create(provider(), 9, 1, DURATION),
			Error::<Test>::UnknownPeer
		);
		assert_noop!(
			create(RuntimeOrigin::signed(STRANGER), 1, 1, DURATION),
			Error::<Test>::NotProvider
		);
		assert_noop!(
			create(provider(), 1, 0, DURATION),
			Error::<Test>::UnitsOutOfRange
		);
		assert_noop!(
			create(provider(), 1, MAX_UNITS + 1, DURATION),
			Error::<Test>::UnitsOutOfRange
		);
		assert_noop!(
			create(provider(), 1, 1, 4),
			Error::<Test>::DurationOutOfRange
		);
		assert_noop!(
			create(provider(), 1, 1, 1_001),
			Error::<Test>::DurationOutOfRange
		);
		assert_ok!(create(provider(), 1, 1, 5));
		assert_noop!(create(provider(), 1, 1, 5), Error::<Test>::AlreadyCommitted);
	});
}

#[test]
fn a_stake_beyond_all_balances_is_refused_at_creation() {
	let params = CapacityParams {
		stake_per_unit: u128::MAX / 2,
		..params()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		assert_noop!(
			Capacity::create(provider(), peer(1), 3, DURATION),
			Error::<Test>::StakeTooLarge
		);
	});
}

#[test]
fn the_stake_comes_from_the_provider_and_whole() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			Capacity::stake(provider(), peer(1)),
			Error::<Test>::NoCommitment
		);
		assert_ok!(Capacity::create(provider(), peer(1), 2_000, DURATION));
		assert_noop!(
			Capacity::stake(RuntimeOrigin::signed(STRANGER), peer(1)),
			Error::<Test>::NotProvider
		);
		assert_noop!(
			Capacity::stake(provider(), peer(1)),
			DispatchError::Token(TokenError::FundsUnavailable)
		);
	});
}

#[test]
fn an_unstaked_commitment_lapses_and_anybody_may_clear_it() {
	ExtBuilder::default().build_and_execute(|| {
		let stranger = RuntimeOrigin::signed(STRANGER);
		assert_ok!(Capacity::create(provider(), peer(1), 1, DURATION));
		go_to(2, 19);
		assert_noop!(
			Capacity::cancel(stranger.clone(), peer(1)),
			Error::<Test>::NotLapsed
		);
		go_to(3, 0);
		assert_noop!(Capacity::stake(provider(), peer(1)), Error::<Test>::Lapsed);
		assert_ok!(Capacity::cancel(stranger.clone(), peer(1)));
		assert_eq!(Commitments::<Test>::get(peer(1)), None);
		assert_noop!(
			Capacity::cancel(stranger, peer(1)),
			Error::<Test>::NoCommitment
		);
	});
}

#[test]
fn a_provider_cancels_at_once() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(Capacity::create(provider(), peer(1), 1, DURATION));
		assert_ok!(Capacity::cancel(provider(), peer(1)));
		assert_ok!(Capacity::create(provider(), peer(1), 2, DURATION));
	});
}

#[test]
fn a_commitment_ends_unbonds_and_is_withdrawn() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(Capacity::create(provider(), peer(1), 2, 5));
		assert_ok!(Capacity::stake(provider(), peer(1)));
		for epoch in 1..6 {
			go_to(epoch + 1, 0);
			let done = work(1, epoch, 2, 0);
			assert_ok!(send(report_call(1, done.report.clone())));
			go_to_answers(epoch);
			assert_ok!(send(answer_call(1, answer(1, &done))));
		}
		let stranger = RuntimeOrigin::signed(STRANGER);
		assert_noop!(
			Capacity::withdraw(stranger.clone(), peer(1)),
			Error::<Test>::StillActive
		);
		close(5);
		assert_ok!(Capacity::settle(stranger.clone(), peer(1)));
		assert_eq!(
			status(1),
			CommitmentStatus::Unbonding {
				until: 14,
				failed: false
			}
		);
		assert_eq!(
			WorkCalls::get().last(),
			Some(&WorkCall::Over { peer: peer(1) })
		);

		go_to(13, 19);
		assert_noop!(
			Capacity::withdraw(stranger.clone(), peer(1)),
			Error::<Test>::StillBonded
		);
		go_to(14, 0);
		assert_ok!(Capacity::withdraw(stranger, peer(1)));
		assert_eq!(held(), 0);
		assert_eq!(Balances::free_balance(PROVIDER), ENDOWMENT);
		assert!(!Capacity::in_use(peer(1)));
	});
}

#[test]
fn terms_freeze_at_creation() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(Capacity::create(provider(), peer(1), 2, DURATION));
		let dearer = CapacityParams {
			stake_per_unit: 5_000 * FLT,
			..params()
		};
		assert_ok!(Capacity::set_params(RuntimeOrigin::root(), dearer));
		assert_ok!(Capacity::stake(provider(), peer(1)));
		assert_eq!(held(), 2_000 * FLT);
	});
}

#[test]
fn only_root_sets_parameters_and_only_sensible_ones() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			Capacity::set_params(provider(), params()),
			DispatchError::BadOrigin
		);
		let root = RuntimeOrigin::root;
		let short = CapacityParams {
			unbonding_epochs: 6,
			..params()
		};
		assert_noop!(
			Capacity::set_params(root(), short),
			Error::<Test>::BadParams
		);
		let stuck = CapacityParams {
			pool_floor: 99,
			..params()
		};
		assert_noop!(
			Capacity::set_params(root(), stuck),
			Error::<Test>::BadParams
		);
		// 2^32 solutions of a peer are the most that paths can tell apart.
		let deep = |rates| CapacityParams { rates, ..params() };
		let (most, one) = (1 << 16, 1);
		for (idle, busy) in [(most + 1, one), (one, most + 1)] {
			assert_noop!(
				Capacity::set_params(root(), deep(WorkRates { idle, busy })),
				Error::<Test>::BadParams
			);
		}
		let deepest = WorkRates {
			idle: most,
			busy: most,
		};
		assert_ok!(Capacity::set_params(root(), deep(deepest)));
		let good = CapacityParams {
			unbonding_epochs: 7,
			..params()
		};
		assert_ok!(Capacity::set_params(root(), good));
		assert_eq!(Params::<Test>::get(), good);
	});
}
