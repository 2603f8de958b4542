//! Commitments: what they bind, when they are revealed, and what silence costs.

use super::*;
use crate::{CommitsOf, MAX_COMMITS};
use frame_support::assert_noop;

#[test]
fn a_commit_is_for_one_account_one_case_one_salt() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		commit(ALICE, case);
		assert_eq!(held(ALICE, HoldReason::Challenge), bond());
		assert_eq!(
			events(),
			vec![Event::ChallengeCommitted {
				who: ALICE,
				commitment: name_of(ALICE, case),
				bond: bond()
			}]
		);
		assert_noop!(
			Receipts::commit(by(ALICE), name_of(ALICE, case)),
			Error::<Test>::AlreadyCommitted
		);
		pass(2);
		let none = error(Error::NoCommit);
		assert_eq!(plain(reveal(BOB, case, evidence.clone())), none);
		let salt = H256::zero();
		let boxed = Some(Box::new(evidence.clone()));
		assert_eq!(plain(Receipts::reveal(by(ALICE), case, salt, boxed)), none);
		let mut others = [case; 4];
		others[0].peer = other();
		others[1].epoch = 2;
		others[2].charge = Charge::Replay;
		others[3].subject = H256::zero();
		for other in others {
			assert_eq!(plain(reveal(ALICE, other, evidence.clone())), none);
		}

		// It is for one challenge: the second of the same needs another.
		assert_ok!(reveal(ALICE, case, evidence.clone()));
		assert_eq!((commits(ALICE), CommitsOf::<Test>::get(ALICE)), (0, 0));
		assert_eq!(held(ALICE, HoldReason::Challenge), 0);
		assert_eq!(plain(reveal(ALICE, case, evidence)), none);
	});
}

#[test]
fn evidence_must_be_of_what_was_committed_to() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		let elsewhere = error(Error::OtherCase);
		let wrong = [
			CaseId {
				charge: Charge::Replay,
				..case
			},
			CaseId {
				charge: Charge::Omitted,
				..case
			},
			CaseId {
				subject: H256::zero(),
				..case
			},
		];
		report(&[receipt(0)]);
		for case in wrong {
			assert_eq!(challenge(ALICE, case, evidence.clone()), elsewhere);
		}
		// Another peer's stake answers for itself.
		let peer = register(&sp_core::ed25519::Pair::from_seed(&[2; 32]));
		let case = CaseId { peer, ..case };
		assert_eq!(challenge(ALICE, case, evidence.clone()), elsewhere);
		let (case, _) = overbilled();
		let case = CaseId { epoch: 2, ..case };
		assert_eq!(challenge(ALICE, case, evidence), elsewhere);
		assert_eq!(held(ALICE, HoldReason::Challenge), 5 * bond());
	});
}

#[test]
fn too_early_and_too_late_are_refused() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		commit(ALICE, case);
		commit(BOB, case);
		pass(1);
		assert_eq!(
			plain(reveal(ALICE, case, evidence.clone())),
			error(Error::TooEarly)
		);
		pass(15);
		assert_ok!(reveal(ALICE, case, evidence.clone()));
		pass(1);
		assert_eq!(plain(reveal(BOB, case, evidence)), error(Error::TooLate));
	});
}

#[test]
fn who_does_not_reveal_pays_a_tenth() {
	build_and_execute(|| {
		let (case, _) = overbilled();
		let name = name_of(ALICE, case);
		commit(ALICE, case);
		let before = issuance();
		let forget = || Receipts::forget_commit(by(STRANGER), ALICE, name);
		pass(16);
		assert_noop!(forget(), Error::<Test>::StillRevealable);
		pass(1);
		events();
		assert_ok!(forget());
		// Rounded up.
		let burnt = FLT_TENTH + 1;
		assert_eq!(
			events(),
			vec![Event::CommitForfeited {
				who: ALICE,
				commitment: name,
				burnt
			}]
		);
		assert_eq!(free(ALICE), ENDOWMENT - burnt);
		assert_eq!(held(ALICE, HoldReason::Challenge), 0);
		assert_eq!(issuance(), before - burnt);
		assert_noop!(forget(), Error::<Test>::NoCommit);
	});
}

/// A tenth of ten FLT.
const FLT_TENTH: Balance = millrace_primitives::FLT;

#[test]
fn a_commitment_keeps_the_terms_that_it_was_made_under() {
	build_and_execute(|| {
		let (case, _) = overbilled();
		commit(ALICE, case);
		let params = crate::ReceiptsParams {
			bond: 1,
			unrevealed: sp_runtime::Perbill::one(),
			reveal_within_blocks: 3,
			..params()
		};
		assert_ok!(Receipts::apply_params(params));
		let forget = || Receipts::forget_commit(by(ALICE), ALICE, name_of(ALICE, case));
		pass(16);
		assert_noop!(forget(), Error::<Test>::StillRevealable);
		pass(1);
		assert_ok!(forget());
		assert_eq!(free(ALICE), ENDOWMENT - FLT_TENTH - 1);
	});
}

#[test]
fn sixteen_at_most() {
	build_and_execute(|| {
		for n in 0..MAX_COMMITS {
			let name = H256::from_low_u64_be(n.into());
			assert_ok!(Receipts::commit(by(ALICE), name));
		}
		let one_more = || Receipts::commit(by(ALICE), H256::repeat_byte(1));
		assert_noop!(one_more(), Error::<Test>::TooManyCommits);
		assert_ok!(Receipts::commit(by(BOB), H256::repeat_byte(1)));
		pass(17);
		let first = H256::zero();
		assert_ok!(Receipts::forget_commit(by(BOB), ALICE, first));
		assert_ok!(one_more());
	});
}

#[test]
fn who_cannot_pay_the_bond_cannot_commit() {
	build_and_execute(|| {
		let poor = 77;
		assert!(Receipts::commit(by(poor), H256::zero()).is_err());
		assert_eq!(commits(poor), 0);
	});
}

#[test]
fn a_migration_moves_no_window() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		commit(ALICE, case);
		pass(10);
		Migrating::set(true);
		pass(50);
		Migrating::set(false);
		pass(6);
		assert_ok!(reveal(ALICE, case, evidence));
		let view = Receipts::cases(peer());
		assert_eq!(view[0].first_reveal, System::block_number());
		assert_eq!(view[0].concludes, System::block_number() + 9);
		let conclude = || Receipts::conclude(by(BOB), peer(), 1, OffenceKind::Fraud);
		Migrating::set(true);
		pass(9);
		Migrating::set(false);
		assert_noop!(conclude(), Error::<Test>::ContestOpen);
		pass(9);
		assert_ok!(conclude());
	});
}
