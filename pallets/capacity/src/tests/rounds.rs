//! Rounds: who may bring how much under which terms, and how a commitment grows by them.

use super::*;
use crate::{
	ActiveStakes, Change, Delegations, Error, Event, HoldReason, Part, Rounds, Stake,
	WaitingSlashes,
};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, Mutate},
};
use millrace_primitives::{
	capacity::MAX_UNITS,
	commitment::{Invited, RoundKind, StakeOffer},
	traits::{Offence, StakeSlasher},
	FLT,
};
use sp_runtime::{DispatchError, Perbill, TokenError};

/// A round for ten units of the first peer, of which the provider brings a fifth.
fn open() {
	let offer = shared(20, 10);
	let created = Capacity::create(signed(PROVIDER), peer(1), 10, DURATION, offer);
	created.expect("the peer is free");
}

fn grow(n: u8, more: u32) -> DispatchResult {
	plain(Capacity::grow(
		signed(PROVIDER),
		peer(n),
		more,
		Invited::default(),
	))
}

fn part(left: Balance, share: Balance, added: Balance) -> Part {
	Part {
		left: left * FLT,
		share: share * FLT,
		added: added * FLT,
		dust: 0,
	}
}

#[test]
fn stakers_sign_exactly_the_rounds_terms() {
	ExtBuilder::default().build_and_execute(|| {
		open();
		let right = round_terms(1);
		let (own, commission) = (Perbill::from_percent(20), Perbill::from_percent(10));
		assert_eq!(right, Capacity::start_terms(10, DURATION, own, commission));
		let others: [fn(&mut StakerTerms); 13] = [
			|signed| signed.kind = RoundKind::Growth,
			|signed| signed.units += 1,
			|signed| signed.duration_epochs += 1,
			|signed| signed.end += 1,
			|signed| signed.terms.stake_per_unit += 1,
			|signed| signed.terms.slash_rate = Perbill::one(),
			|signed| signed.terms.own_part = Perbill::one(),
			|signed| signed.terms.own_floor = Perbill::zero(),
			|signed| signed.terms.commission = Perbill::zero(),
			|signed| signed.terms.unbonding_epochs += 1,
			|signed| signed.terms.challenge_epochs += 1,
			|signed| signed.terms.slash_delay_epochs += 1,
			|signed| signed.terms.vesting_epochs += 1,
		];
		for spoil in others {
			let mut wrong = right;
			spoil(&mut wrong);
			for who in [PROVIDER, DELEGATOR] {
				let signs = Capacity::stake(signed(who), peer(1), wrong, 0, 2_000 * FLT);
				assert_noop!(plain(signs), Error::<Test>::TermsDiffer);
			}
		}
		let signs = Capacity::stake(signed(DELEGATOR), peer(1), right, 0, 2_000 * FLT);
		assert_ok!(signs);
	});
}

#[test]
fn a_part_of_the_stake_is_reserved_for_the_provider() {
	ExtBuilder::default().build_and_execute(|| {
		open();
		let seen = Capacity::round(peer(1)).expect("a round is open");
		let least = (8_000 * FLT).div_ceil(7);
		assert_eq!(
			(seen.needed, seen.reserved, seen.room, seen.least),
			(10_000 * FLT, 2_000 * FLT, 8_000 * FLT, Some(least))
		);
		let refused = |who, add, error: Error<Test>| {
			assert_noop!(pledge(who, 1, 0, add), error);
		};
		refused(PROVIDER, 0, Error::StakeTooSmall);
		refused(PROVIDER, 2_000 * FLT - 1, Error::OwnPartTooSmall);
		refused(PROVIDER, 10_000 * FLT + 1, Error::StakeTooMuch);
		refused(PROVIDER, Balance::MAX, Error::StakeTooMuch);
		refused(DELEGATOR, 0, Error::StakeTooSmall);
		refused(DELEGATOR, least - 1, Error::StakeTooSmall);
		refused(DELEGATOR, 8_000 * FLT + 1, Error::StakeTooMuch);
		refused(DELEGATOR, Balance::MAX, Error::StakeTooMuch);

		// The provider may bring more, and what delegators can bring shrinks by it.
		assert_ok!(pledge(PROVIDER, 1, 0, 3_000 * FLT));
		refused(DELEGATOR, 7_000 * FLT + 1, Error::StakeTooMuch);
		assert_ok!(pledge(DELEGATOR, 1, 0, least));
		// Who has a place may add as little as it likes.
		assert_ok!(pledge(DELEGATOR, 1, 0, 1));
		let rest = 7_000 * FLT - least - 1;
		let seen = Capacity::round(peer(1)).expect("a round is open");
		assert_eq!((seen.room, seen.least), (rest, Some(rest.div_ceil(6))));
		assert!(!seen.agreed);
		refused(PROVIDER, rest + 1, Error::StakeTooMuch);
		assert_ok!(pledge(STRANGER, 1, 0, rest));
		assert_eq!(Capacity::round(peer(1)), None);
		assert_eq!(commitment(1).own.left, 3_000 * FLT);
		assert_eq!(commitment(1).shares, 10_000 * FLT);
	});
}

#[test]
fn seven_delegators_have_a_place_and_each_can_take_its_part() {
	ExtBuilder::default().build_and_execute(|| {
		open();
		let mut brought = Vec::new();
		for (place, who) in (DELEGATOR..DELEGATOR + 7).enumerate() {
			let seen = Capacity::round(peer(1)).expect("a round is open");
			let least = seen.room.div_ceil(7 - place as Balance);
			assert_eq!(seen.least, Some(least));
			assert_ok!(pledge(who, 1, 0, least));
			brought.push(Stake {
				staker: who,
				part: Part::new(least),
			});
		}
		let seen = Capacity::round(peer(1)).expect("a round is open");
		assert_eq!((seen.room, seen.least), (0, None));
		assert_noop!(pledge(STRANGER, 1, 0, 1), Error::<Test>::NoPlace);
		assert_noop!(pledge(DELEGATOR, 1, 0, 1), Error::<Test>::StakeTooMuch);
		assert_ok!(pledge(PROVIDER, 1, 0, 2_000 * FLT));

		assert_eq!(Delegations::<Test>::get(peer(1)).into_inner(), brought);
		assert_eq!(commitment(1).others, 8_000 * FLT);
		for stake in brought {
			assert_eq!(held(stake.staker, HoldReason::Stake), stake.part.left);
			assert_eq!(held(stake.staker, HoldReason::Deposit), LEDGER_DEPOSIT);
			assert_eq!(staked(stake.staker), stake.part.left);
			assert_eq!(places(stake.staker), 1);
		}
		assert_eq!(ActiveStakes::<Test>::get(PROVIDER), 10_000 * FLT);
	});
}

#[test]
fn a_provider_may_ask_for_certain_delegators() {
	ExtBuilder::default().build_and_execute(|| {
		let offer = StakeOffer {
			invited: vec![DELEGATOR].try_into().expect("one fits"),
			..shared(20, 0)
		};
		let origin = signed(PROVIDER);
		assert_ok!(Capacity::create(origin, peer(1), 10, DURATION, offer));
		assert_noop!(
			pledge(STRANGER, 1, 0, 8_000 * FLT),
			Error::<Test>::NotInvited
		);
		assert_ok!(pledge(DELEGATOR, 1, 0, 8_000 * FLT));
		assert_ok!(pledge(PROVIDER, 1, 0, 2_000 * FLT));
		assert!(commitment(1).is_active());
	});
}

#[test]
fn nothing_is_kept_but_in_a_renewal() {
	ExtBuilder::default().build_and_execute(|| {
		open();
		for who in [PROVIDER, DELEGATOR] {
			assert_noop!(pledge(who, 1, 1, 2_000 * FLT), Error::<Test>::KeepTooMuch);
		}
		assert_ok!(Capacity::cancel(signed(PROVIDER), peer(1)));
		commit(1, 10);
		jump(2);
		assert_ok!(grow(1, 1));
		assert_noop!(pledge(PROVIDER, 1, 1, 0), Error::<Test>::KeepTooMuch);
	});
}

#[test]
fn who_cannot_pay_for_its_ledger_leaves_no_trace() {
	ExtBuilder::default().build_and_execute(|| {
		open();
		let poor = 50;
		let funds = 8_000 * FLT + LEDGER_DEPOSIT;
		assert_ok!(<Balances as Mutate<u64>>::mint_into(&poor, funds));
		let unaffordable = DispatchError::Token(TokenError::FundsUnavailable);
		assert_noop!(pledge(poor, 1, 0, 8_000 * FLT), unaffordable);
		// The account must go on to exist.
		assert_ok!(<Balances as Mutate<u64>>::mint_into(&poor, 1));
		assert_ok!(pledge(poor, 1, 0, 8_000 * FLT));
		assert_eq!(<Balances as Inspect<u64>>::balance(&poor), 1);
	});
}

/// Ten units of the first peer with two delegators, and a growth by five that is agreed in epoch 2.
pub(super) fn grown() {
	commit_with(
		1,
		10,
		DURATION,
		&[(DELEGATOR, 5_000 * FLT), (DELEGATOR + 1, 3_000 * FLT)],
		10,
	);
	jump(2);
	let terms = Capacity::growth_terms(peer(1), 5).expect("the commitment binds");
	assert_ok!(grow(1, 5));
	assert_eq!(round_terms(1), terms);
	assert_eq!(
		(terms.units, terms.duration_epochs, terms.end),
		(15, 0, 1 + DURATION)
	);
	assert_eq!(terms.terms, commitment(1).terms);
	let seen = Capacity::round(peer(1)).expect("a round is open");
	assert_eq!(
		(seen.needed, seen.reserved, seen.room, seen.deadline),
		(5_000 * FLT, 1_000 * FLT, 4_000 * FLT, 4)
	);
	// Five places are free, and whoever has one needs no other.
	assert_eq!(seen.least, Some(800 * FLT));
	assert_ok!(pledge(DELEGATOR, 1, 0, 500 * FLT));
	assert_ok!(pledge(DELEGATOR, 1, 0, 500 * FLT));
	assert_noop!(
		pledge(DELEGATOR + 2, 1, 0, 600 * FLT - 1),
		Error::<Test>::StakeTooSmall
	);
	assert_ok!(pledge(DELEGATOR + 2, 1, 0, 3_000 * FLT));
	assert_ok!(pledge(PROVIDER, 1, 0, 1_000 * FLT));
}

#[test]
fn a_growth_binds_from_the_next_epoch() {
	ExtBuilder::default().build_and_execute(|| {
		grown();
		let change = Change {
			kind: RoundKind::Growth,
			at: 3,
			units: 15,
			end: 1 + DURATION,
		};
		assert_eq!(commitment(1).change, Some(change));
		assert_eq!(held(PROVIDER, HoldReason::Deposit), LEDGER_DEPOSIT);
		assert_eq!(places(PROVIDER), 2);
		assert_noop!(pledge(DELEGATOR, 1, 0, 1), Error::<Test>::RoundAgreed);
		assert_noop!(
			plain(Capacity::cancel(signed(PROVIDER), peer(1))),
			Error::<Test>::RoundAgreed
		);
		let now = commitment(1);
		assert_eq!((now.units_at(2), now.units_at(3)), (10, 15));
		assert_eq!(
			Capacity::work_of(peer(1), 2).map(|owed| owed.idle),
			Some(10)
		);

		// Epochs 1 and 2 cost what they cost before: 100 FLT each, of the provider's part.
		pass(2);
		events();
		assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
		assert!(events().contains(&Event::ChangeApplied {
			peer: peer(1),
			change
		}));
		let now = commitment(1);
		assert_eq!(now.own, part(2_800, 3_000, 1_000));
		assert_eq!(
			Delegations::<Test>::get(peer(1)).into_inner(),
			vec![
				Stake {
					staker: DELEGATOR,
					part: part(6_000, 6_000, 1_000)
				},
				Stake {
					staker: DELEGATOR + 1,
					part: part(3_000, 3_000, 0)
				},
				Stake {
					staker: DELEGATOR + 2,
					part: part(3_000, 3_000, 3_000)
				},
			]
		);
		assert_eq!((now.units, now.others), (15, 12_000 * FLT));
		assert_eq!(now.shares, 15_000 * FLT);
		assert_eq!((now.changed, now.change), (Some(3), None));
		assert_eq!(now.committed_before, 10_000 * FLT);
		assert_eq!(Rounds::<Test>::get(peer(1)), None);
		assert_eq!(ActiveStakes::<Test>::get(PROVIDER), 14_800 * FLT);
		for who in [PROVIDER, DELEGATOR, DELEGATOR + 1, DELEGATOR + 2] {
			assert_eq!(places(who), 1);
		}

		// From epoch 3 on a miss costs 150 FLT.
		pass(3);
		assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
		assert_eq!(commitment(1).own, part(2_650, 3_000, 1_000));
	});
}

#[test]
fn a_growth_that_is_agreed_to_before_the_first_epoch_binds_from_the_second() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		crate::Params::<Test>::mutate(|params| params.min_duration_epochs = 1);
		// Agreed in epoch 0, so that both begin with epoch 1.
		commit_with(1, 10, 5, &[], 0);
		commit_with(2, 10, 1, &[], 0);
		assert_noop!(grow(2, 1), Error::<Test>::NotActive);
		assert_ok!(grow(1, 5));
		assert_ok!(pledge(PROVIDER, 1, 0, 5_000 * FLT));
		let change = commitment(1).change.expect("the round is full");
		assert_eq!((change.at, change.end), (2, 6));
		let now = commitment(1);
		assert_eq!((now.units_at(1), now.units_at(2)), (10, 15));

		// The first epoch costs 1 % of the ten units, the second one of all fifteen.
		pass(1);
		assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
		assert_eq!(commitment(1).left(), 14_900 * FLT);
		assert_eq!((commitment(1).units, commitment(1).changed), (15, Some(2)));
		pass(2);
		assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
		assert_eq!(commitment(1).left(), 14_750 * FLT);
	});
}

#[test]
fn growth_is_refused_with_a_reason() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		assert_noop!(grow(9, 1), Error::<Test>::UnknownPeer);
		assert_noop!(grow(2, 1), Error::<Test>::NoCommitment);
		let other = Capacity::grow(signed(STRANGER), peer(1), 1, Invited::default());
		assert_noop!(plain(other), Error::<Test>::NotProvider);
		open();
		assert_noop!(grow(1, 1), Error::<Test>::NotActive);
		assert_ok!(Capacity::cancel(signed(PROVIDER), peer(1)));

		grown();
		assert_noop!(grow(1, 1), Error::<Test>::RoundOpen);
		// Applied in epoch 3: what came then must have answered for seven epochs.
		pass(7);
		assert_noop!(grow(1, 1), Error::<Test>::ChangedTooRecently);
		jump(9);
		assert_noop!(grow(1, 0), Error::<Test>::UnitsOutOfRange);
		assert_noop!(grow(1, MAX_UNITS - 14), Error::<Test>::UnitsOutOfRange);
		assert_ok!(grow(1, 2));
		assert_noop!(grow(1, 2), Error::<Test>::RoundOpen);
	});
}

#[test]
fn a_provider_that_lost_much_must_be_able_to_make_up_for_it_by_the_growth() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 10);
		pass(2);
		// All stake is its own: 11 units take 11,000 FLT of it, and 9,800 FLT are left.
		assert_noop!(grow(1, 1), Error::<Test>::OwnPartTooSmall);
	});
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 10, DURATION, &[(DELEGATOR, 5_000 * FLT)], 0);
		pass(2);
		// Half of the stake must be its own, so that of two units' stake 1,200 FLT are.
		assert_noop!(grow(1, 0), Error::<Test>::UnitsOutOfRange);
		assert_ok!(grow(1, 2));
		let seen = Capacity::round(peer(1)).expect("a round is open");
		assert_eq!((seen.needed, seen.reserved), (2_000 * FLT, 1_200 * FLT));
	});
}

#[test]
fn a_growth_leaves_an_epoch_to_grow_for() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit_with(1, 10, 5, &[(DELEGATOR, 5_000 * FLT)], 0);
		commit_with(2, 10, 5, &[(DELEGATOR, 5_000 * FLT)], 0);
		jump(4);
		assert_ok!(grow(1, 1));
		assert_eq!(Capacity::round(peer(1)).map(|seen| seen.deadline), Some(4));
		jump(5);
		assert_noop!(grow(2, 1), Error::<Test>::NotActive);
		assert_noop!(pledge(DELEGATOR, 1, 0, FLT), Error::<Test>::Lapsed);
		// Whoever clears a round that lapsed leaves the commitment as it is.
		assert_ok!(Capacity::cancel(signed(STRANGER), peer(1)));
		assert!(commitment(1).is_active());
	});
}

#[test]
fn a_growth_for_which_too_little_stake_is_left_is_void() {
	ExtBuilder::default().build_and_execute(|| {
		open();
		assert_ok!(pledge(DELEGATOR, 1, 0, 5_000 * FLT));
		assert_ok!(pledge(PROVIDER, 1, 0, 5_000 * FLT));
		jump(2);
		assert_ok!(grow(1, 10));
		assert_ok!(pledge(DELEGATOR, 1, 0, 10_000 * FLT));
		assert!(commitment(1).change.is_some());

		// 3,500 FLT go at once, and 200 FLT of misses: the provider's 1,300 FLT are enough for ten
		// units, and too little for twenty.
		let offence = Offence {
			epoch: 2,
			part: Perbill::from_percent(35),
			fails: false,
			reporter: None,
		};
		assert_eq!(Capacity::slash(peer(1), offence), 3_500 * FLT);
		pass(2);
		events();
		assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
		assert!(events().contains(&Event::ChangeVoided {
			peer: peer(1),
			at: 3
		}));
		let now = commitment(1);
		assert!(now.is_active());
		assert_eq!((now.units, now.change, now.changed), (10, None, None));
		assert_eq!((now.own.left, now.others), (1_300 * FLT, 5_000 * FLT));

		// The round is like one that lapsed.
		assert_noop!(grow(1, 1), Error::<Test>::RoundOpen);
		let other = || plain(Capacity::cancel(signed(STRANGER), peer(1)));
		assert_noop!(other(), Error::<Test>::NotLapsed);
		jump(5);
		let before = Balances::free_balance(DELEGATOR);
		assert_ok!(other());
		assert_eq!(Balances::free_balance(DELEGATOR), before + 10_000 * FLT);
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT);
		assert_eq!(places(DELEGATOR), 1);
		assert_eq!(WaitingSlashes::<Test>::iter().count(), 1);
	});
}
