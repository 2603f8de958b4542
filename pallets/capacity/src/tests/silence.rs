//! Long silences through the chain: one step, one slash, one event.

use super::*;
use crate::{
	rules::{self, Score, SILENT_EPOCHS},
	Commitments, EpochRows, Event, HoldReason,
};
use frame_support::{assert_ok, traits::fungible::InspectHold};
use millrace_primitives::{
	commitment::StakeOffer, traits::Capacity as _, views::CommitmentStatus, Balance, FLT,
};
use sp_runtime::Perbill;

fn settle() {
	assert_ok!(Capacity::settle(RuntimeOrigin::signed(PROVIDER), peer(1)));
}

fn status() -> CommitmentStatus {
	Capacity::commitment(peer(1)).expect("it stands").status
}

#[test]
fn a_silence_of_any_length_is_one_step() {
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 2, 900, &[], 0);
		jump(2_500);
		events();
		settle();
		// 40 epochs at 1 % of 2,000 FLT; what follows is nobody's.
		assert_eq!(
			events(),
			vec![
				Event::SilenceSettled {
					peer: peer(1),
					first: 1,
					last: SILENT_EPOCHS,
					excused: 0,
					slashed: 800 * FLT
				},
				Event::CommitmentEnded {
					peer: peer(1),
					failed: true
				}
			]
		);
		assert_eq!(
			status(),
			CommitmentStatus::Unbonding {
				until: 49,
				failed: true
			}
		);
		assert!(Capacity::is_settled(peer(1)));
	});
}

#[test]
fn a_silence_to_the_end_is_no_failure() {
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 2, 39, &[], 0);
		jump(60);
		events();
		settle();
		assert_eq!(
			events(),
			vec![
				Event::SilenceSettled {
					peer: peer(1),
					first: 1,
					last: 39,
					excused: 0,
					slashed: 780 * FLT
				},
				Event::CommitmentEnded {
					peer: peer(1),
					failed: false
				}
			]
		);
	});
}

#[test]
fn whoever_has_little_of_its_own_fails_by_its_own_part() {
	ExtBuilder::default().build_and_execute(|| {
		// 20 % of 2,000 FLT: eleven misses of 20 FLT bring it under 10 %, and the delegator pays
		// nothing.
		commit_with(1, 2, 100, &[(DELEGATOR, 1_600 * FLT)], 0);
		jump(30);
		settle();
		let commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
		assert_eq!(
			(commitment.own.left, commitment.others),
			(180 * FLT, 1_600 * FLT)
		);
		assert_eq!(
			commitment.status,
			CommitmentStatus::Unbonding {
				until: 12 + 8,
				failed: true
			}
		);
		let held = Balances::balance_on_hold(&HoldReason::Stake.into(), &DELEGATOR);
		assert_eq!(held, 1_600 * FLT);
	});
}

#[test]
fn without_a_price_silence_fails_by_the_score_alone() {
	let params = crate::CapacityParams {
		slash_rate: Perbill::zero(),
		..params()
	};
	ExtBuilder::default().params(params).build_and_execute(|| {
		commit(1, 2);
		jump(90);
		settle();
		let commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
		assert_eq!((commitment.slashed, commitment.next_to_settle), (0, 41));
		assert!(!commitment.is_active());
	});
}

#[test]
fn the_score_is_that_of_the_epochs_one_by_one() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		let mut score = Score::default();
		for epoch in 1..=70u32 {
			jump(epoch + 1);
			// Every seventh epoch is reported in part.
			if epoch.is_multiple_of(7) {
				assert_ok!(duty(report_call(1, claim(epoch, 0, 0))));
			}
			score = score.after_epoch(epoch, 4, 4);
			if score.is_over(epoch) {
				close_quickly(epoch);
				settle();
				let commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
				assert_eq!((commitment.score, epoch), (score, SILENT_EPOCHS));
				assert!(!commitment.is_active());
				return;
			}
		}
		panic!("nobody misses everything for ever");
	});
}

#[test]
fn excused_epochs_in_a_silence_cost_nothing() {
	let params = crate::CapacityParams {
		amnesty_epochs: 4,
		..params()
	};
	ExtBuilder::default()
		.peers(2)
		.params(params)
		.build_and_execute(|| {
			commit(1, 4);
			commit(2, 4);
			jump(2);
			for n in 1..=2 {
				assert_ok!(duty(report_call(n, claim(1, 4, 0))));
			}
			// Nobody reports epochs 2 to 9: four are excused, the fifth is what is left for usual.
			jump(11);
			let excused = (0..=10).filter(|epoch| {
				let row = EpochRows::<Test>::get(epoch).expect("the epoch is remembered");
				row.excused
			});
			assert_eq!(excused.collect::<Vec<_>>(), vec![2, 3, 4, 5]);
			events();
			settle();
			let misses = events().into_iter().find_map(|event| match event {
				Event::SilenceSettled {
					first,
					last,
					excused,
					slashed,
					..
				} => Some((first, last, excused, slashed)),
				_ => None,
			});
			assert_eq!(misses, Some((2, 9, 4, 4 * 40 * FLT)));
			// The score of four misses, and not of eight.
			let commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
			let mut score = Score::default();
			score = score.after_epoch(1, 4, 4).aged(1, 5);
			assert_eq!(commitment.score, score.after_silence(6, 4));
		});
}

#[test]
fn delegators_are_never_touched_by_misses_while_the_commitment_lives() {
	for percent in [20u32, 33, 50, 80] {
		ExtBuilder::default().build_and_execute(|| {
			let offer = StakeOffer {
				own_part: Perbill::from_percent(percent),
				..shared(20, 0)
			};
			let needed: Balance = 3_000 * FLT;
			let own = needed * Balance::from(percent) / 100;
			let provider = RuntimeOrigin::signed(PROVIDER);
			let terms = Capacity::start_terms(3, DURATION, offer.own_part, offer.commission);
			assert_ok!(Capacity::create(
				provider.clone(),
				peer(1),
				3,
				DURATION,
				offer
			));
			assert_ok!(Capacity::stake(provider, peer(1), terms, 0, own));
			let delegator = RuntimeOrigin::signed(DELEGATOR);
			let rest = needed - own;
			assert_ok!(Capacity::stake(delegator, peer(1), terms, 0, rest));
			jump(60);
			settle();
			let commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
			assert_eq!(commitment.others, rest);
			let missed = commitment.next_to_settle - 1;
			let each = rules::miss_slash(&commitment.terms, 3);
			assert_eq!(commitment.slashed, Balance::from(missed) * each);
			assert!(matches!(
				commitment.status,
				CommitmentStatus::Unbonding { failed: true, .. }
			));
		});
	}
}
