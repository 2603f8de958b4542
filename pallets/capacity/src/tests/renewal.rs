//! Renewals: who signs goes on under the new terms, who does not leaves at the end it signed for.

use super::*;
use crate::{
	ActiveStakes, CapacityParams, Delegations, Departures, Error, Event, HoldReason, Leaver,
	Leaving, Rounds,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	commitment::{RoundKind, StakeOffer},
	traits::{Offence, StakeSlasher},
	views::CommitmentStatus,
	FLT,
};
use sp_runtime::Perbill;

fn extend(duration: u32, offer: StakeOffer<u64>) -> DispatchResult {
	plain(Capacity::extend(signed(PROVIDER), peer(1), duration, offer))
}

/// Ten units of the first peer for ten epochs: up to and without epoch 11.
fn commit_ten() {
	commit_with(
		1,
		10,
		10,
		&[(DELEGATOR, 5_000 * FLT), (DELEGATOR + 1, 3_000 * FLT)],
		10,
	);
}

/// All stakers keep what they have for another eight epochs.
fn all_sign_on() {
	assert_ok!(extend(8, shared(20, 10)));
	assert_ok!(pledge(PROVIDER, 1, 2_000 * FLT, 0));
	assert_ok!(pledge(DELEGATOR, 1, 5_000 * FLT, 0));
	assert_ok!(pledge(DELEGATOR + 1, 1, 3_000 * FLT, 0));
	assert!(commitment(1).change.is_some());
}

fn slash(epoch: EpochIndex, part: u32) -> Balance {
	let offence = Offence {
		epoch,
		part: Perbill::from_percent(part),
		fails: false,
		reporter: None,
	};
	Capacity::slash(peer(1), offence)
}

fn settle() {
	assert_ok!(Capacity::settle(signed(PROVIDER), peer(1)));
}

/// (left, share, added) of a stake, in FLT.
fn money(part: crate::Part) -> (Balance, Balance, Balance) {
	(part.left / FLT, part.share / FLT, part.added / FLT)
}

/// The first peer's ten units are renewed in epoch 11 for twenty epochs under dearer terms: the
/// provider adds to its stake, one delegator takes a part of its away, one leaves, and one comes.
pub(super) fn renewed() {
	commit_ten();
	for epoch in 1..=7 {
		serve(1, epoch);
	}
	let dearer = CapacityParams {
		stake_per_unit: 1_100 * FLT,
		vesting_epochs: 60,
		..params()
	};
	assert_ok!(Capacity::apply_params(dearer));
	let (own, commission) = (Perbill::from_percent(25), Perbill::from_percent(5));
	let terms = Capacity::renewal_terms(peer(1), 20, own, commission);
	assert_ok!(extend(20, shared(25, 5)));
	assert_eq!(Some(round_terms(1)), terms);
	let seen = Capacity::round(peer(1)).expect("a round is open");
	assert_eq!(
		(seen.needed, seen.reserved, seen.room, seen.deadline),
		(11_000 * FLT, 2_750 * FLT, 8_250 * FLT, 10)
	);
	assert_ok!(pledge(PROVIDER, 1, 2_000 * FLT, 750 * FLT));
	assert_ok!(pledge(DELEGATOR, 1, 4_000 * FLT, 0));
	serve(1, 8);
	serve(1, 9);
	// What the second delegator could have kept is free in the last epoch.
	assert_ok!(pledge(DELEGATOR + 2, 1, 0, 4_250 * FLT));
	serve(1, 10);
	settle();
}

#[test]
fn who_signs_goes_on_and_who_does_not_leaves() {
	ExtBuilder::default().build_and_execute(|| {
		renewed();
		let now = commitment(1);
		assert_eq!(now.status, CommitmentStatus::Active { start: 1, end: 31 });
		assert_eq!((now.change, now.changed), (None, Some(11)));
		assert_eq!(now.terms.stake_per_unit, 1_100 * FLT);
		assert_eq!(now.terms.own_part, Perbill::from_percent(25));
		assert_eq!(now.terms.commission, Perbill::from_percent(5));
		assert_eq!(now.terms.vesting_epochs, 60);
		assert_eq!(now.committed(), 11_000 * FLT);
		assert_eq!(now.committed_before, 10_000 * FLT);
		assert_eq!(money(now.own), (2_750, 2_750, 750));
		assert_eq!((now.others, now.shares), (8_250 * FLT, 11_000 * FLT));
		let stakes: Vec<_> = Delegations::<Test>::get(peer(1))
			.into_iter()
			.map(|stake| (stake.staker, money(stake.part)))
			.collect();
		assert_eq!(
			stakes,
			vec![
				(DELEGATOR, (4_000, 4_000, 0)),
				(DELEGATOR + 2, (4_250, 4_250, 4_250))
			]
		);
		let leaver = |staker, left: Balance| Leaver {
			staker,
			left: left * FLT,
		};
		let rows = vec![leaver(DELEGATOR, 1_000), leaver(DELEGATOR + 1, 3_000)];
		assert_eq!(
			Departures::<Test>::get(peer(1)),
			Some(Leaving {
				at: 11,
				// The unbonding that they signed for.
				until: 19,
				rows: rows.try_into().expect("two fit")
			})
		);
		assert_eq!(Rounds::<Test>::get(peer(1)), None);
		assert_eq!(ActiveStakes::<Test>::get(PROVIDER), 11_000 * FLT);
		assert_eq!(held(DELEGATOR, HoldReason::Stake), 5_000 * FLT);
		let all = [PROVIDER, DELEGATOR, DELEGATOR + 1, DELEGATOR + 2];
		assert_eq!(all.map(places), [1, 2, 1, 1]);
		let view = Capacity::commitment(peer(1)).expect("it binds");
		assert_eq!((view.delegators.len(), view.leaving.len()), (2, 2));

		// Those who left are paid when they need not answer any more, and nobody else is.
		jump(18);
		let withdraw = |who| plain(Capacity::withdraw(signed(who), peer(1)));
		assert_noop!(withdraw(DELEGATOR), Error::<Test>::StillActive);
		jump(19);
		let free = |who| Balances::free_balance(who);
		let before = all.map(free);
		assert_ok!(withdraw(DELEGATOR));
		assert_eq!(
			all.map(free),
			[
				before[0],
				before[1] + 1_000 * FLT,
				before[2] + 3_000 * FLT,
				before[3]
			]
		);
		assert_eq!(Departures::<Test>::get(peer(1)), None);
		assert_eq!(all.map(places), [1, 1, 0, 1]);
		assert_noop!(withdraw(DELEGATOR), Error::<Test>::StillActive);
	});
}

#[test]
fn a_renewal_is_refused_with_a_reason() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		let of = |who, n, offer| plain(Capacity::extend(signed(who), peer(n), 8, offer));
		assert_noop!(of(PROVIDER, 9, solo()), Error::<Test>::UnknownPeer);
		assert_noop!(of(STRANGER, 1, solo()), Error::<Test>::NotProvider);
		assert_noop!(of(PROVIDER, 2, solo()), Error::<Test>::NoCommitment);
		commit_ten();
		jump(4);
		// Who leaves must be free before somebody else can leave.
		for duration in [7, 1_001] {
			assert_noop!(
				extend(duration, shared(20, 10)),
				Error::<Test>::DurationOutOfRange
			);
		}
		assert_noop!(extend(8, shared(19, 10)), Error::<Test>::OwnPartOutOfRange);
		assert_ok!(extend(8, shared(20, 10)));
		assert_noop!(extend(8, shared(20, 10)), Error::<Test>::RoundOpen);
		jump(11);
		assert_ok!(Capacity::cancel(signed(PROVIDER), peer(1)));
		assert_noop!(extend(8, shared(20, 10)), Error::<Test>::NotActive);
	});
}

#[test]
fn a_higher_commission_takes_notice() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(10);
		assert_noop!(extend(8, shared(20, 11)), Error::<Test>::NoticeTooShort);
		assert_ok!(extend(8, shared(20, 9)));
	});
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(9);
		assert_ok!(extend(8, shared(20, 11)));
		// The present term's commission stays what it is.
		assert_eq!(commitment(1).terms.commission, Perbill::from_percent(10));
	});
}

#[test]
fn what_is_kept_is_there_and_is_said_once() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		jump(4);
		assert_ok!(extend(8, shared(20, 10)));
		// Epochs 1 and 2 are settled: 200 FLT of the provider's part are gone.
		let refused = |who, keep| {
			assert_noop!(pledge(who, 1, keep, 0), Error::<Test>::KeepTooMuch);
		};
		refused(PROVIDER, 1_800 * FLT + 1);
		refused(DELEGATOR, 5_000 * FLT + 1);
		refused(DELEGATOR + 2, 1);
		assert_ok!(pledge(DELEGATOR, 1, 2_000 * FLT, 0));
		refused(DELEGATOR, 1);
		assert_ok!(pledge(PROVIDER, 1, 1_800 * FLT, 200 * FLT));
	});
}

/// (room, kept, least of a new delegator) of the first peer's round, in FLT.
fn room() -> (Balance, Balance, Option<Balance>) {
	let seen = Capacity::round(peer(1)).expect("a round is open");
	let least = seen.least.map(|least| least / FLT);
	(seen.room / FLT, seen.kept / FLT, least)
}

#[test]
fn who_stays_keeps_its_place_and_room_until_the_last_epoch() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		serve(1, 1);
		assert_ok!(extend(8, shared(20, 10)));
		let seen = Capacity::round(peer(1)).expect("a round is open");
		assert_eq!(seen.deadline, 4);
		assert_eq!(room(), (8_000, 8_000, None));
		// Nobody who is faster takes it.
		let late = || pledge(DELEGATOR + 2, 1, 0, FLT);
		assert_noop!(late(), Error::<Test>::StakeTooMuch);
		assert_ok!(pledge(DELEGATOR, 1, 5_000 * FLT, 0));
		assert_eq!(room(), (3_000, 3_000, None));
		jump(3);
		assert_noop!(late(), Error::<Test>::StakeTooMuch);
		assert_noop!(pledge(DELEGATOR, 1, 0, 1), Error::<Test>::StakeTooMuch);

		// Who has stayed away until now can keep nobody else out.
		jump(4);
		assert_eq!(room(), (3_000, 0, Some(500)));
		assert_noop!(late(), Error::<Test>::StakeTooSmall);
		assert_ok!(pledge(DELEGATOR + 2, 1, 0, 3_000 * FLT));
		let stays = pledge(DELEGATOR + 1, 1, 3_000 * FLT, 0);
		assert_noop!(stays, Error::<Test>::StakeTooMuch);
	});
}

#[test]
fn who_stays_takes_no_room_of_others_who_may() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		serve(1, 1);
		assert_ok!(extend(8, shared(20, 10)));
		assert_ok!(pledge(PROVIDER, 1, 2_000 * FLT, 1_000 * FLT));
		// Of the 7,000 that are open the other delegator has no less a right than this one.
		assert_noop!(
			pledge(DELEGATOR, 1, 5_000 * FLT, 1),
			Error::<Test>::StakeTooMuch
		);
		assert_ok!(pledge(DELEGATOR, 1, 5_000 * FLT, 0));
		assert_eq!(room(), (2_000, 2_000, None));
		assert_noop!(
			pledge(DELEGATOR + 1, 1, 3_000 * FLT, 0),
			Error::<Test>::StakeTooMuch
		);
		assert_ok!(pledge(DELEGATOR + 1, 1, 2_000 * FLT, 0));
		assert!(commitment(1).change.is_some());
	});
}

#[test]
fn a_whole_stake_stays_however_small_it_is() {
	ExtBuilder::default().build_and_execute(|| {
		let stakes = [(DELEGATOR, 7_000 * FLT), (DELEGATOR + 1, 1_000 * FLT)];
		commit_with(1, 10, 10, &stakes, 10);
		serve(1, 1);
		assert_ok!(extend(8, shared(20, 10)));
		jump(4);
		assert_eq!(
			Capacity::round(peer(1)).and_then(|seen| seen.least),
			Some((8_000 * FLT).div_ceil(7))
		);
		// A part of it would be a crumb.
		let keeps = |keep| pledge(DELEGATOR + 1, 1, keep, 0);
		assert_noop!(keeps(1_000 * FLT - 1), Error::<Test>::StakeTooSmall);
		assert_ok!(keeps(1_000 * FLT));
	});
}

#[test]
fn seven_who_stay_away_keep_seven_places_until_the_last_epoch() {
	ExtBuilder::default().build_and_execute(|| {
		let stakes: Vec<_> = (0..7)
			.map(|place| (DELEGATOR + place, 1_000 * FLT))
			.collect();
		commit_with(1, 10, 10, &stakes, 10);
		serve(1, 1);
		assert_ok!(extend(8, shared(20, 10)));
		let late = |amount| pledge(STRANGER, 1, 0, amount);
		assert_noop!(late(1_000 * FLT), Error::<Test>::NoPlace);
		for (who, _) in &stakes[..3] {
			assert_ok!(pledge(*who, 1, 1_000 * FLT, 0));
		}
		assert_noop!(late(1_000 * FLT), Error::<Test>::NoPlace);
		jump(4);
		assert_eq!(room(), (5_000, 0, Some(1_250)));
		assert_ok!(late(1_250 * FLT));
	});
}

#[test]
fn nothing_is_kept_for_who_may_not_sign() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		serve(1, 1);
		let offer = StakeOffer {
			invited: vec![DELEGATOR + 2].try_into().expect("one fits"),
			..shared(20, 10)
		};
		assert_ok!(extend(8, offer));
		assert_eq!(room().1, 0);
		assert_ok!(pledge(DELEGATOR + 2, 1, 0, 8_000 * FLT));
		assert_ok!(pledge(PROVIDER, 1, 2_000 * FLT, 0));
		assert!(commitment(1).change.is_some());
	});
}

#[test]
fn changes_keep_their_distance() {
	ExtBuilder::default().build_and_execute(|| {
		renewed();
		jump(16);
		let grow = || {
			let invited = Default::default();
			plain(Capacity::grow(signed(PROVIDER), peer(1), 2, invited))
		};
		assert_noop!(grow(), Error::<Test>::ChangedTooRecently);
		// The next term's end is far enough.
		assert_ok!(extend(20, shared(25, 5)));
		assert_ok!(Capacity::cancel(signed(PROVIDER), peer(1)));
		jump(17);
		assert_ok!(grow());
	});
}

#[test]
fn a_slash_before_the_end_lowers_what_is_kept() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		serve(1, 1);
		all_sign_on();
		assert_eq!(slash(2, 3), 300 * FLT);
		for epoch in 2..=10 {
			serve(1, epoch);
		}
		settle();
		let now = commitment(1);
		assert_eq!(now.status, CommitmentStatus::Active { start: 1, end: 19 });
		assert_eq!(money(now.own), (1_700, 1_700, 0));
		assert_eq!((now.others, now.shares), (8_000 * FLT, 9_700 * FLT));
		assert_eq!(Departures::<Test>::get(peer(1)), None);
		assert_eq!([PROVIDER, DELEGATOR, DELEGATOR + 1].map(places), [1, 1, 1]);
	});
}

#[test]
fn a_renewal_for_which_too_little_stake_is_left_is_void() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		serve(1, 1);
		let stricter = CapacityParams {
			own_floor: Perbill::from_percent(15),
			..params()
		};
		assert_ok!(Capacity::apply_params(stricter));
		all_sign_on();
		// 1,300 FLT of the provider are above a tenth of the stake, and below 15 %.
		assert_eq!(slash(2, 7), 700 * FLT);
		for epoch in 2..=10 {
			serve(1, epoch);
		}
		events();
		settle();
		let seen = events();
		assert!(seen.contains(&Event::ChangeVoided {
			peer: peer(1),
			at: 11
		}));
		assert!(seen.contains(&Event::CommitmentEnded {
			peer: peer(1),
			failed: false
		}));
		assert_eq!(
			commitment(1).status,
			CommitmentStatus::Unbonding {
				until: 19,
				failed: false
			}
		);

		jump(19);
		let withdraw = || plain(Capacity::withdraw(signed(PROVIDER), peer(1)));
		assert_noop!(withdraw(), Error::<Test>::SlashesWait);
		assert_ok!(Capacity::apply_slash(signed(PROVIDER), peer(1), 0));
		assert_noop!(withdraw(), Error::<Test>::RoundOpen);
		events();
		assert_ok!(Capacity::cancel(signed(STRANGER), peer(1)));
		assert_eq!(
			events(),
			vec![Event::RoundCancelled {
				peer: peer(1),
				kind: RoundKind::Renewal,
				bounty: 0
			}]
		);
		assert_ok!(withdraw());
		for who in [PROVIDER, DELEGATOR, DELEGATOR + 1] {
			assert_eq!(held(who, HoldReason::Stake), 0);
			assert_eq!(places(who), 0);
		}
	});
}

#[test]
fn the_next_renewal_pays_those_who_left_with_the_last() {
	ExtBuilder::default().build_and_execute(|| {
		commit_ten();
		serve(1, 1);
		assert_ok!(extend(8, shared(20, 10)));
		assert_ok!(pledge(PROVIDER, 1, 2_000 * FLT, 3_000 * FLT));
		assert_ok!(pledge(DELEGATOR, 1, 5_000 * FLT, 0));
		for epoch in 2..=11 {
			serve(1, epoch);
		}
		settle();
		assert_eq!(held(DELEGATOR + 1, HoldReason::Stake), 3_000 * FLT);
		assert_ok!(extend(8, shared(20, 10)));
		assert_ok!(pledge(PROVIDER, 1, 5_000 * FLT, 0));
		assert_ok!(pledge(DELEGATOR, 1, 5_000 * FLT, 0));
		for epoch in 12..=18 {
			serve(1, epoch);
		}
		events();
		settle();
		assert!(events().contains(&Event::StakeWithdrawn {
			peer: peer(1),
			staker: DELEGATOR + 1,
			amount: 3_000 * FLT
		}));
		assert_eq!(held(DELEGATOR + 1, HoldReason::Stake), 0);
		assert_eq!(places(DELEGATOR + 1), 0);
		assert_eq!(Departures::<Test>::get(peer(1)), None);
		assert_eq!(commitment(1).end_at(), Some(27));
	});
}

#[test]
fn who_left_before_is_paid_although_others_wait_for_a_slash() {
	ExtBuilder::default().build_and_execute(|| {
		renewed();
		for epoch in 11..=30 {
			serve(1, epoch);
		}
		assert_eq!(slash(29, 5), 550 * FLT);
		jump(39);
		let withdraw = |who| plain(Capacity::withdraw(signed(who), peer(1)));
		assert_ok!(withdraw(DELEGATOR + 1));
		assert_eq!(Departures::<Test>::get(peer(1)), None);
		assert_eq!(held(DELEGATOR + 1, HoldReason::Stake), 0);
		assert_eq!(held(DELEGATOR, HoldReason::Stake), 4_000 * FLT);
		assert_noop!(withdraw(DELEGATOR), Error::<Test>::SlashesWait);
		assert_ok!(Capacity::apply_slash(signed(PROVIDER), peer(1), 0));
		assert_ok!(withdraw(DELEGATOR));
		assert_eq!(held(DELEGATOR, HoldReason::Stake), 0);
	});
}
