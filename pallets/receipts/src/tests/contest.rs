//! Who gets the bounty, and who gets nothing.

use super::*;
use crate::OpenCases;
use frame_support::assert_noop;
use millrace_primitives::FLT;

#[test]
fn the_earliest_commit_gets_the_bounty() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		commit(ALICE, case);
		pass(3);
		commit(BOB, case);
		pass(2);
		assert_ok!(reveal(BOB, case, evidence.clone()));
		let first = System::block_number();
		pass(8);
		events();
		assert_ok!(reveal(ALICE, case, None::<Evidence>));
		let leads = true;
		assert_eq!(
			events(),
			vec![Event::ChallengeJoined {
				case,
				who: ALICE,
				leads
			}]
		);
		let view = Receipts::cases(peer());
		assert_eq!((view[0].leader, view[0].first_reveal), (ALICE, first));
		assert_eq!(view[0].concludes, first + 9);
		assert!(view[0].proven && !view[0].concluded);
		pass(1);
		assert_ok!(Receipts::conclude(
			by(STRANGER),
			peer(),
			1,
			OffenceKind::Fraud
		));
		assert_eq!(
			Slashes::get()[0].offence.reporter,
			Some((ALICE, params().reward))
		);
		assert!(Receipts::cases(peer())[0].concluded);
		assert_eq!(
			(
				held(ALICE, HoldReason::Challenge),
				held(BOB, HoldReason::Challenge)
			),
			(0, 0)
		);
	});
}

#[test]
fn who_leads_stays_where_another_is_as_early() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		commit(ALICE, case);
		commit(BOB, case);
		pass(2);
		assert_ok!(reveal(BOB, case, evidence));
		events();
		assert_ok!(reveal(ALICE, case, None::<Evidence>));
		let leads = false;
		assert_eq!(
			events(),
			vec![Event::ChallengeJoined {
				case,
				who: ALICE,
				leads
			}]
		);
		assert_eq!(Receipts::cases(peer())[0].leader, BOB);
		assert_eq!(held(ALICE, HoldReason::Challenge), 0);
	});
}

#[test]
fn who_copies_a_reveal_gets_nothing() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		commit(ALICE, case);
		pass(2);
		// Bob sees Alice's reveal before it stands in a block, and makes sure that it does not. He
		// even proves the same receipt false in another way.
		let receipt = match &evidence {
			Evidence::Inspection { receipt, .. } => receipt.clone(),
			_ => unreachable!("it is one"),
		};
		let copied = CaseId {
			charge: Charge::Replay,
			..case
		};
		commit(BOB, copied);
		pass(2);
		assert_ok!(reveal(BOB, copied, replay_of(receipt)));
		assert_eq!(Receipts::cases(peer())[0].leader, BOB);
		assert_ok!(reveal(ALICE, case, evidence));
		conclude(1, OffenceKind::Fraud);
		assert_eq!(
			Slashes::get()[0].offence.reporter,
			Some((ALICE, params().reward))
		);
		assert_eq!(free(BOB), ENDOWMENT);
	});
}

#[test]
fn after_the_contest_nobody_takes_the_lead() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		commit(ALICE, case);
		pass(1);
		commit(BOB, case);
		pass(2);
		assert_ok!(reveal(BOB, case, evidence));
		pass(9);
		events();
		assert_ok!(reveal(ALICE, case, None::<Evidence>));
		let moot = Event::ChallengeMoot { case, who: ALICE };
		assert_eq!(events(), vec![moot]);
		assert_eq!(Receipts::cases(peer())[0].leader, BOB);
		assert_eq!(held(ALICE, HoldReason::Challenge), 0);
	});
}

#[test]
fn a_second_receipt_of_the_epoch_is_moot() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		let (second, other) = seen_false(|receipt| {
			receipt.gas = MOST_GAS + 1;
			receipt.seq = 1;
		});
		// Though it was committed to before.
		commit(ALICE, second);
		pass(1);
		assert_ok!(challenge(BOB, case, evidence));
		events();
		assert_ok!(reveal(ALICE, second, other));
		let moot = Event::ChallengeMoot {
			case: second,
			who: ALICE,
		};
		assert_eq!(events(), vec![moot.clone()]);
		assert_eq!(held(ALICE, HoldReason::Challenge), 0);
		assert_eq!(OpenCases::<Test>::get(peer()), 1);
		conclude(1, OffenceKind::Fraud);

		// As it is when the first is concluded, and even without evidence.
		commit(ALICE, second);
		pass(2);
		events();
		assert_ok!(reveal(ALICE, second, None::<Evidence>));
		assert_eq!(events(), vec![moot]);
		assert_eq!(Slashes::get().len(), 1);
	});
}

#[test]
fn each_epoch_and_each_kind_is_paid_for() {
	build_and_execute(|| {
		let (fraud, false_receipt) = overbilled();
		let (report, _) = report(&[receipt(0)]);
		let (omission, missing) = omitted(receipt(1), &report);
		let (later, in_two) = seen_false(|receipt| {
			*receipt = Receipt {
				gas: MOST_GAS + 1,
				..receipt_of(peer(), 2, 0)
			};
		});
		assert_ok!(challenge(ALICE, fraud, false_receipt));
		assert_ok!(challenge(ALICE, omission, missing));
		assert_ok!(challenge(ALICE, later, in_two));
		assert_eq!(OpenCases::<Test>::get(peer()), 3);
		conclude(1, OffenceKind::Fraud);
		conclude(1, OffenceKind::Omission);
		conclude(2, OffenceKind::Fraud);
		assert_eq!(OpenCases::<Test>::get(peer()), 0);
		let epochs: Vec<_> = Slashes::get()
			.iter()
			.map(|slash| slash.offence.epoch)
			.collect();
		assert_eq!(epochs, vec![1, 1, 2]);
	});
}

#[test]
fn once_per_epoch() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		let conclude_now = || Receipts::conclude(by(STRANGER), peer(), 1, OffenceKind::Fraud);
		assert_noop!(conclude_now(), Error::<Test>::NoCase);
		assert_ok!(challenge(ALICE, case, evidence));
		assert_noop!(conclude_now(), Error::<Test>::ContestOpen);
		pass(8);
		assert_noop!(conclude_now(), Error::<Test>::ContestOpen);
		pass(1);
		events();
		assert_ok!(conclude_now());
		assert_eq!(
			events(),
			vec![Event::CaseConcluded {
				peer: peer(),
				epoch: 1,
				kind: OffenceKind::Fraud,
				leader: ALICE,
				amount: STAKE / 2
			}]
		);
		assert_noop!(conclude_now(), Error::<Test>::NoCase);
		for kind in [OffenceKind::Omission, OffenceKind::Withholding] {
			assert_noop!(
				Receipts::conclude(by(ALICE), peer(), 1, kind),
				Error::<Test>::NoCase
			);
		}
		assert_eq!(Slashes::get().len(), 1);
	});
}

#[test]
fn a_case_keeps_the_penalty_and_the_reward_that_it_was_proven_under() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		assert_ok!(challenge(ALICE, case, evidence));
		let params = crate::ReceiptsParams {
			fraud: sp_runtime::Perbill::one(),
			contest_blocks: 100,
			reward: sp_runtime::Perbill::zero(),
			..params()
		};
		assert_ok!(Receipts::apply_params(params));
		conclude(1, OffenceKind::Fraud);
		assert_eq!(Slashes::get()[0].amount, STAKE / 2);
		let thirty = sp_runtime::Perbill::from_percent(30);
		assert_eq!(Slashes::get()[0].offence.reporter, Some((ALICE, thirty)));
	});
}

/// What the provider, the delegator and the challenger have more or less after a false receipt of a
/// peer with such stakes, whose owner has the challenger's account, too.
fn challenged_by_itself(own: Balance, others: Balance, challenger: u64) -> (i128, i128) {
	let mut lost = (0, 0);
	build_and_execute(|| {
		StakesOf::mutate(|stakes| {
			let stake = stakes.get_mut(&peer()).expect("it has some");
			(stake.own, stake.others) = (own, others);
		});
		let family = || -> i128 {
			let mut accounts = vec![PROVIDER, challenger];
			accounts.dedup();
			accounts.iter().map(|who| free(*who) as i128).sum()
		};
		let before = (family(), free(DELEGATOR) as i128);
		let (case, evidence) = overbilled();
		assert_ok!(challenge(challenger, case, evidence));
		conclude(1, OffenceKind::Fraud);
		lost = (family() - before.0, free(DELEGATOR) as i128 - before.1);
	});
	lost
}

#[test]
fn a_peer_that_challenges_itself_loses() {
	let flt = |amount: i128| amount * FLT as i128;
	for challenger in [PROVIDER, ALICE] {
		// All stake is its own: of 500 FLT it gets back 150.
		let lost = challenged_by_itself(STAKE, 0, challenger);
		assert_eq!(lost, (flt(-350), 0));
		// A fifth is: it pays 200 FLT and the delegator 300.
		let lost = challenged_by_itself(STAKE / 5, STAKE / 5 * 4, challenger);
		assert_eq!(lost, (flt(-50), flt(-300)));
		// Down to 15 % the bounty is less than what it pays, below it is as much: it never gains.
		let lost = challenged_by_itself(STAKE / 10, STAKE / 5 * 4, challenger);
		assert_eq!(lost, (0, flt(-400)));
	}
	// A delegator that challenges loses its stake, and gets less than a third of what all lose.
	let lost = challenged_by_itself(STAKE / 5, STAKE / 5 * 4, DELEGATOR);
	assert_eq!(lost.0, flt(-350));
}
