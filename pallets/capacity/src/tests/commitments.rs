//! Creation, the first round, lapse, cancellation and the end of a commitment; parameters.

use super::*;
use crate::{ActiveStakes, CapacityParams, Error, Event, HoldReason, Params, WeightInfo};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	capacity::{WorkRates, MAX_UNITS},
	commitment::RoundKind,
	governance::Contradiction,
	traits::PeerUse,
	views::CommitmentStatus,
	FLT,
};
use sp_runtime::{DispatchError, Perbill, TokenError};

fn provider() -> RuntimeOrigin {
	RuntimeOrigin::signed(PROVIDER)
}

fn create(n: u8, units: u32, duration: u32) -> DispatchResult {
	Capacity::create(provider(), peer(n), units, duration, solo())
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
		let full = Perbill::one();
		let terms = Capacity::start_terms(3, DURATION, full, Perbill::zero());
		assert_ok!(create(1, 3, DURATION));
		assert!(Capacity::in_use(peer(1)));
		assert_eq!(status(1), CommitmentStatus::Pending { deadline: 2 });
		assert_eq!(round_terms(1), terms);
		assert_eq!(held(PROVIDER, HoldReason::Stake), 0);
		assert_eq!(held(PROVIDER, HoldReason::Deposit), ROUND_DEPOSIT);

		go_to(2, 19);
		assert_ok!(pledge(PROVIDER, 1, 0, 3_000 * FLT));
		let (start, end) = (3, 3 + DURATION);
		assert_eq!(status(1), CommitmentStatus::Active { start, end });
		assert_eq!(held(PROVIDER, HoldReason::Stake), 3_000 * FLT);
		assert_eq!(held(PROVIDER, HoldReason::Deposit), LEDGER_DEPOSIT);
		assert_eq!(ActiveStakes::<Test>::get(PROVIDER), 3_000 * FLT);
		assert_eq!(StakeCalls::get(), vec![(PROVIDER, 3_000 * FLT)]);
		assert_eq!(
			events(),
			vec![
				Event::CommitmentCreated {
					peer: peer(1),
					provider: PROVIDER,
					units: 3,
					deadline: 2
				},
				Event::RoundOpened {
					peer: peer(1),
					terms,
					needed: 3_000 * FLT,
					deadline: 2
				},
				Event::StakePledged {
					peer: peer(1),
					staker: PROVIDER,
					keep: 0,
					add: 3_000 * FLT
				},
				Event::Staked {
					peer: peer(1),
					amount: 3_000 * FLT,
					start,
					end
				},
			]
		);
		let again = || plain(Capacity::stake(provider(), peer(1), terms, 0, FLT));
		assert_noop!(again(), Error::<Test>::NoRound);
		assert_noop!(
			plain(Capacity::cancel(provider(), peer(1))),
			Error::<Test>::NoRound
		);
	});
}

#[test]
fn creation_is_refused_with_a_reason() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(create(9, 1, DURATION), Error::<Test>::UnknownPeer);
		assert_noop!(
			Capacity::create(signed(STRANGER), peer(1), 1, DURATION, solo()),
			Error::<Test>::NotProvider
		);
		for units in [0, MAX_UNITS + 1] {
			assert_noop!(create(1, units, DURATION), Error::<Test>::UnitsOutOfRange);
		}
		for duration in [4, 1_001] {
			assert_noop!(create(1, 1, duration), Error::<Test>::DurationOutOfRange);
		}
		assert_noop!(
			Capacity::create(provider(), peer(1), 1, 5, shared(19, 0)),
			Error::<Test>::OwnPartOutOfRange
		);
		assert_ok!(create(1, 1, 5));
		assert_noop!(create(1, 1, 5), Error::<Test>::AlreadyCommitted);
	});
}

#[test]
fn a_stake_beyond_all_balances_is_refused_at_creation() {
	let params = CapacityParams {
		stake_per_unit: u128::MAX / 2,
		..params()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		assert_noop!(create(1, 3, DURATION), Error::<Test>::StakeTooLarge);
	});
}

#[test]
fn nobody_stakes_what_it_has_not() {
	ExtBuilder::default().build_and_execute(|| {
		let terms = Capacity::start_terms(1, DURATION, Perbill::one(), Perbill::zero());
		let early = || plain(Capacity::stake(provider(), peer(1), terms, 0, FLT));
		assert_noop!(early(), Error::<Test>::NoCommitment);
		assert_ok!(create(1, 2_000, DURATION));
		assert_noop!(
			pledge(PROVIDER, 1, 0, 2_000_000 * FLT),
			DispatchError::Token(TokenError::FundsUnavailable)
		);
	});
}

#[test]
fn a_round_lapses_and_whoever_clears_it_is_paid_out_of_its_deposit() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(Capacity::create(
			provider(),
			peer(1),
			10,
			DURATION,
			shared(20, 0)
		));
		assert_ok!(pledge(PROVIDER, 1, 0, 2_000 * FLT));
		assert_ok!(pledge(DELEGATOR, 1, 0, 3_000 * FLT));
		go_to(2, 19);
		let cancel = |who| plain(Capacity::cancel(signed(who), peer(1)));
		assert_noop!(cancel(STRANGER), Error::<Test>::NotLapsed);
		assert_noop!(cancel(DELEGATOR), Error::<Test>::NotLapsed);
		go_to(3, 0);
		assert_noop!(pledge(PROVIDER, 1, 0, 5_000 * FLT), Error::<Test>::Lapsed);
		events();
		assert_ok!(cancel(STRANGER));
		let bounty = 2 * u128::from(<() as WeightInfo>::cancel(2).ref_time());
		assert!(0 < bounty && bounty < ROUND_DEPOSIT / 100);
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT + bounty);
		assert_eq!(Balances::free_balance(PROVIDER), ENDOWMENT - bounty);
		assert_eq!(Balances::free_balance(DELEGATOR), ENDOWMENT);
		assert_eq!((places(PROVIDER), places(DELEGATOR)), (0, 0));
		assert_eq!(Commitments::<Test>::get(peer(1)), None);
		assert_eq!(
			events(),
			vec![
				Event::RoundCancelled {
					peer: peer(1),
					kind: RoundKind::Start,
					bounty
				},
				Event::CommitmentCancelled { peer: peer(1) },
			]
		);
		assert_noop!(cancel(STRANGER), Error::<Test>::NoRound);
	});
}

#[test]
fn a_provider_cancels_at_once_and_gets_everything_back() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(Capacity::create(
			provider(),
			peer(1),
			2,
			DURATION,
			shared(50, 0)
		));
		assert_ok!(pledge(PROVIDER, 1, 0, 1_500 * FLT));
		assert_ok!(Capacity::cancel(provider(), peer(1)));
		assert_eq!(Balances::free_balance(PROVIDER), ENDOWMENT);
		assert_ok!(create(1, 2, DURATION));
	});
}

#[test]
fn a_commitment_ends_unbonds_and_is_withdrawn() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(1, 2, 5));
		assert_ok!(pledge(PROVIDER, 1, 0, 2_000 * FLT));
		for epoch in 1..6 {
			go_to(epoch + 1, 0);
			let done = work(1, epoch, 2, 0);
			assert_ok!(send(report_call(1, done.report.clone())));
			go_to_answers(epoch);
			assert_ok!(send(answer_call(1, answer(1, &done))));
		}
		let withdraw = || plain(Capacity::withdraw(provider(), peer(1)));
		assert_noop!(withdraw(), Error::<Test>::StillActive);
		close(5);
		assert_ok!(Capacity::settle(signed(STRANGER), peer(1)));
		assert_eq!(
			status(1),
			CommitmentStatus::Unbonding {
				until: 14,
				failed: false
			}
		);
		assert_eq!(
			WorkCalls::get().last(),
			Some(&WorkCall::Over {
				peer: peer(1),
				failed: false
			})
		);
		assert_eq!(StakeCalls::get().last(), Some(&(PROVIDER, 0)));
		let view = Capacity::commitment(peer(1)).expect("the peer has a commitment");
		assert_eq!(view.withdrawable, Some(14));
		// Two units in five epochs, at the most that a unit can get.
		assert_eq!(view.rewarded, 11 * FLT);
		assert_eq!((view.slashed, view.score_permille), (0, 0));

		go_to(13, 19);
		assert_noop!(withdraw(), Error::<Test>::StillBonded);
		go_to(14, 0);
		assert_ok!(withdraw());
		assert_eq!(held(PROVIDER, HoldReason::Stake), 0);
		// The ledger of the rewards stays, and with it its deposit.
		assert_eq!(Balances::free_balance(PROVIDER), ENDOWMENT - LEDGER_DEPOSIT);
		assert_eq!(places(PROVIDER), 0);
		assert!(!Capacity::in_use(peer(1)));
	});
}

#[test]
fn terms_freeze_at_creation() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(1, 2, DURATION));
		let dearer = CapacityParams {
			stake_per_unit: 5_000 * FLT,
			..params()
		};
		assert_ok!(Capacity::apply_params(dearer));
		assert_ok!(pledge(PROVIDER, 1, 0, 2_000 * FLT));
		assert_eq!(held(PROVIDER, HoldReason::Stake), 2_000 * FLT);
		assert_eq!(commitment(1).committed(), 2_000 * FLT);
	});
}

#[test]
fn only_sensible_parameters_are_taken() {
	ExtBuilder::default().build_and_execute(|| {
		let set = Capacity::apply_params;
		let spoil: [fn(&mut CapacityParams); 20] = [
			|params| params.stake_per_unit = 0,
			|params| params.unbonding_epochs = 6,
			|params| params.unbonding_epochs = (1 << 20) + 1,
			|params| params.max_duration_epochs = (1 << 20) + 1,
			|params| params.max_duration_epochs = 4,
			|params| params.pending_epochs = 0,
			|params| params.pool_floor = 99,
			|params| {
				params.slash_rate = Perbill::from_percent(5);
				params.own_floor = Perbill::from_percent(10);
			},
			|params| {
				params.slash_rate = Perbill::from_percent(4);
				params.own_floor = Perbill::from_percent(3);
			},
			|params| params.own_floor = params.min_own_part,
			|params| params.slash_delay_epochs = params.unbonding_epochs,
			|params| params.vesting_epochs = 0,
			|params| params.amnesty_epochs = 17,
			|params| params.amnesty_part = Perbill::one(),
			|params| params.stake_floor = Perbill::one(),
			|params| params.least_audit_slash = Perbill::from_parts(49_999_999),
			|params| params.pool_step = Perbill::zero(),
			|params| params.bounty_part = Perbill::from_percent(11),
			// 2^32 solutions of a peer are the most that paths can tell apart.
			|params| params.rates.idle = (1 << 16) + 1,
			|params| params.rates.busy = (1 << 16) + 1,
		];
		for (index, spoil) in spoil.iter().enumerate() {
			let mut bad = params();
			spoil(&mut bad);
			assert!(!bad.is_valid(), "case {index}");
			assert_noop!(set(bad), Contradiction);
		}
		let most = 1 << 16;
		let good = CapacityParams {
			unbonding_epochs: 7,
			rates: WorkRates {
				idle: most,
				busy: most,
			},
			slash_rate: Perbill::from_parts(49_999_999),
			amnesty_epochs: 16,
			..params()
		};
		assert_ok!(set(good));
		assert_eq!(Params::<Test>::get(), good);
	});
}
