//! Receipts that a report leaves out, and numbers that are used twice.

use super::*;
use crate::{refusal, OpenCases, Shows, ShowsOf, MAX_COMMITS, MAX_SHOWS};
use frame_support::assert_noop;

/// A report of three receipts, and its tree.
fn reported() -> (Report, Tree) {
	report(&[receipt(0), receipt(1), receipt(2)])
}

/// A receipt that shares its number with one of the report.
fn unreported(seq: u32) -> Receipt {
	Receipt {
		gas: 7,
		..receipt(seq)
	}
}

fn shown(report: &Report, tree: &Tree, seq: u32) -> Shown {
	Shown {
		report: report.clone(),
		path: tree.path(seq.into()).expect("there is such a leaf"),
	}
}

#[test]
fn a_number_beyond_the_report_is_proven_at_once() {
	build_and_execute(|| {
		let (report, _) = reported();
		let (case, evidence) = omitted(receipt(3), &report);
		assert_ok!(challenge(ALICE, case, evidence));
		assert_eq!(held(ALICE, HoldReason::Challenge), 0);
		conclude(1, OffenceKind::Omission);
		let slashes = Slashes::get();
		assert_eq!(slashes.len(), 1);
		assert_eq!(slashes[0].amount, STAKE / 20);
		assert!(!slashes[0].offence.fails);
	});
}

#[test]
fn a_shown_leaf_refutes() {
	build_and_execute(|| {
		let (report, tree) = reported();
		let (case, evidence) = omitted(receipt(2), &report);
		commit(ALICE, case);
		pass(2);
		events();
		assert_ok!(reveal(ALICE, case, evidence));
		let deadline = System::block_number() + 8;
		assert_eq!(
			events(),
			vec![Event::LeafAsked {
				case,
				seq: 2,
				who: ALICE,
				deadline
			}]
		);
		assert_eq!(held(ALICE, HoldReason::Challenge), bond());
		assert_eq!(Receipts::owed_evidence(peer()).show, vec![case]);
		let view = Receipts::cases(peer());
		assert_eq!((view.len(), view[0].case, view[0].proven), (1, case, false));
		assert_eq!(view[0].concludes, deadline + 1);

		pass(3);
		let before = issuance();
		let shown = shown(&report, &tree, 2);
		let valid = send(show_call(case, shown.clone())).expect("it is there");
		assert_eq!(valid.priority, u64::MAX);
		assert_eq!(valid.longevity, 5);
		assert!(valid.propagate);
		let tag = ("millrace-show", peer(), case.subject).encode();
		assert_eq!(valid.provides, vec![tag]);
		let weight = <() as crate::WeightInfo>::show()
			.saturating_add(<() as crate::WeightInfo>::authorize_show());
		let given = half_of(bond() - Balance::from(weight.ref_time()));
		let burnt = bond() - given;
		assert_eq!(
			events(),
			vec![Event::ChallengeRefuted {
				case,
				who: ALICE,
				burnt,
				provider: given
			}]
		);
		assert_eq!(free(ALICE), ENDOWMENT - bond());
		assert_eq!(free(PROVIDER), ENDOWMENT + given);
		assert_eq!(issuance(), before - burnt);
		assert!(!Receipts::has_open_case(peer()));
		assert!(Receipts::owed_evidence(peer()).show.is_empty());
		assert_eq!(send(show_call(case, shown)), refused(refusal::NOT_ASKED));
	});
}

#[test]
fn silence_proves() {
	build_and_execute(|| {
		let (report, _) = reported();
		let subject = unreported(1);
		let (case, evidence) = omitted(subject, &report);
		assert_ok!(challenge(ALICE, case, evidence));
		let close = || Receipts::close_show(by(STRANGER), peer(), case.subject);
		pass(8);
		assert_noop!(close(), Error::<Test>::StillOpen);
		pass(1);
		// Too late to show anything; nothing is owed any more.
		assert!(Receipts::owed_evidence(peer()).show.is_empty());
		events();
		assert_ok!(close());
		assert_eq!(
			events(),
			vec![Event::ChallengeProven {
				case,
				leader: ALICE,
				contest_until: System::block_number() + 8
			}]
		);
		assert_eq!(held(ALICE, HoldReason::Challenge), 0);
		assert_noop!(close(), Error::<Test>::NoShow);
		assert_eq!(OpenCases::<Test>::get(peer()), 1);
		conclude(1, OffenceKind::Omission);
		assert_eq!(OpenCases::<Test>::get(peer()), 0);
		assert_eq!(
			Slashes::get()[0].offence.reporter,
			Some((ALICE, params().reward))
		);
	});
}

#[test]
fn a_leaf_is_shown_of_the_peers_own_report_in_time_and_signed() {
	build_and_execute(|| {
		let (honest, tree) = reported();
		let (case, evidence) = omitted(receipt(2), &honest);
		let good = shown(&honest, &tree, 2);
		let nothing = refused(refusal::NOT_ASKED);
		assert_eq!(send(show_call(case, good.clone())), nothing);
		assert_ok!(challenge(ALICE, case, evidence));

		let mut call = show_call(case, good.clone());
		if let Call::show { signature, .. } = &mut call {
			signature[0] ^= 1;
		}
		assert_eq!(send(call), refused(refusal::BAD_SIGNATURE));
		let elsewhere = CaseId { epoch: 2, ..case };
		assert_eq!(send(show_call(elsewhere, good.clone())), nothing);
		let charge = Charge::DoubleSeq;
		let another = CaseId { charge, ..case };
		assert_eq!(send(show_call(another, good.clone())), nothing);
		let unknown = CaseId {
			peer: other(),
			..case
		};
		assert_eq!(
			send(show_call(unknown, good.clone())),
			refused(refusal::UNKNOWN_PEER)
		);
		let other_leaf = shown(&honest, &tree, 1);
		assert_eq!(
			send(show_call(case, other_leaf)),
			refused(refusal::BAD_PATH)
		);
		// A report made up around the leaf is none.
		let made_up = Tree::new([receipt(0), receipt(0), receipt(2)].map(|one| one.hash()));
		let forged = Report {
			receipts_root: made_up.root(),
			..honest.clone()
		};
		assert_eq!(
			send(show_call(case, shown(&forged, &made_up, 2))),
			refused(refusal::OTHER_REPORT)
		);
		pass(9);
		assert_eq!(send(show_call(case, good)), refused(refusal::WINDOW_CLOSED));
		assert_ok!(Receipts::close_show(by(BOB), peer(), case.subject));
	});
}

#[test]
fn thirty_two_false_claims_do_not_shield() {
	build_and_execute(|| {
		// The peer's friends ask for leaves that are there, and it answers none of them.
		let receipts: Vec<_> = (0..40).map(receipt).collect();
		let (report, _) = report(&receipts);
		for (n, friend) in [(0, BOB), (16, STRANGER)] {
			let claims: Vec<_> = receipts[n..n + MAX_COMMITS as usize]
				.iter()
				.map(|receipt| omitted(receipt.clone(), &report))
				.collect();
			for (case, _) in &claims {
				commit(friend, *case);
			}
			pass(2);
			for (case, evidence) in claims {
				assert_ok!(reveal(friend, case, evidence));
			}
		}
		assert_eq!(ShowsOf::<Test>::get(peer()), 32);
		let (case, evidence) = omitted(unreported(39), &report);
		assert_ok!(challenge(ALICE, case, evidence));
		// What comes first is told first.
		let owed = Receipts::owed_evidence(peer()).show;
		assert_eq!((owed.len(), owed[32]), (33, case));
		pass(9);
		assert_ok!(Receipts::close_show(by(ALICE), peer(), case.subject));
		conclude(1, OffenceKind::Omission);
		assert_eq!(
			Slashes::get()[0].offence.reporter,
			Some((ALICE, params().reward))
		);
		// The rest is moot.
		let subjects: Vec<_> = Shows::<Test>::iter_key_prefix(peer()).collect();
		for subject in subjects {
			assert_ok!(Receipts::close_show(by(ALICE), peer(), subject));
		}
		assert_eq!(held(BOB, HoldReason::Challenge), 0);
		assert_eq!(Slashes::get().len(), 1);
	});
}

#[test]
fn claims_against_a_peer_are_bounded() {
	build_and_execute(|| {
		let (report, _) = reported();
		let (case, evidence) = omitted(receipt(0), &report);
		commit(ALICE, case);
		pass(2);
		ShowsOf::<Test>::insert(peer(), MAX_SHOWS);
		assert_eq!(
			plain(reveal(ALICE, case, evidence.clone())),
			error(Error::TooManyShows)
		);
		ShowsOf::<Test>::remove(peer());
		assert_ok!(reveal(ALICE, case, evidence));
	});
}

#[test]
fn an_earlier_commitment_takes_a_claim_over() {
	build_and_execute(|| {
		let (report, _) = reported();
		let (case, evidence) = omitted(unreported(1), &report);
		commit(ALICE, case);
		pass(1);
		commit(BOB, case);
		pass(1);
		commit(STRANGER, case);
		pass(2);
		assert_ok!(reveal(BOB, case, evidence.clone()));
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
		assert_eq!(held(BOB, HoldReason::Challenge), 0);
		assert_eq!(held(ALICE, HoldReason::Challenge), bond());
		// A later one does not, and loses nothing.
		assert_ok!(reveal(STRANGER, case, evidence));
		assert_eq!(
			events(),
			vec![Event::ChallengeMoot {
				case,
				who: STRANGER
			}]
		);
		assert_eq!(held(STRANGER, HoldReason::Challenge), 0);
		assert_eq!(OpenCases::<Test>::get(peer()), 1);
		pass(9);
		assert_ok!(Receipts::close_show(by(BOB), peer(), case.subject));
		conclude(1, OffenceKind::Omission);
		assert_eq!(
			Slashes::get()[0].offence.reporter,
			Some((ALICE, params().reward))
		);
	});
}

#[test]
fn not_without_a_report() {
	build_and_execute(|| {
		let never_sent = Report::empty(1);
		let (case, evidence) = omitted(receipt(0), &never_sent);
		assert_eq!(challenge(ALICE, case, evidence), error(Error::NoReport));
		let (case, evidence) = double(7);
		assert_eq!(challenge(ALICE, case, evidence), error(Error::NoReport));
	});
	build_and_execute(|| {
		reported();
		let (case, evidence) = omitted(receipt(3), &Report::empty(1));
		assert_eq!(challenge(ALICE, case, evidence), error(Error::OtherReport));
	});
}

#[test]
fn two_epochs_and_no_later() {
	for (epoch, outcome) in [(4, Ok(())), (5, error(Error::PeriodOver))] {
		build_and_execute(|| {
			let (report, _) = reported();
			CurrentEpoch::set(epoch);
			let (case, evidence) = omitted(receipt(3), &report);
			assert_eq!(challenge(ALICE, case, evidence), outcome);
		});
		build_and_execute(|| {
			reported();
			CurrentEpoch::set(epoch);
			let (case, evidence) = double(7);
			assert_eq!(challenge(ALICE, case, evidence), outcome);
		});
	}
}

/// Two receipts of one number, of which the second took so much gas.
fn double(gas: u64) -> (CaseId, Evidence) {
	let (first, second) = (receipt(1), Receipt { gas, ..receipt(1) });
	let case = CaseId {
		subject: first.hash().min(second.hash()),
		..case_of(Charge::DoubleSeq, &first)
	};
	let (first, second) = (sign(first), sign(second));
	(case, Evidence::DoubleSeq { first, second })
}

#[test]
fn two_receipts_of_one_number_are_an_omission() {
	build_and_execute(|| {
		reported();
		let (case, evidence) = double(7);
		assert_ok!(challenge(ALICE, case, evidence));
		conclude(1, OffenceKind::Omission);
		assert_eq!(Slashes::get()[0].amount, STAKE / 20);
	});
}

#[test]
fn the_same_receipt_twice_or_two_numbers_are_none() {
	build_and_execute(|| {
		reported();
		let (case, evidence) = double(MOST_GAS);
		assert_eq!(challenge(ALICE, case, evidence), error(Error::NotFalse));
		let (first, second) = (receipt(2), receipt(3));
		let case = CaseId {
			subject: first.hash().min(second.hash()),
			..case_of(Charge::DoubleSeq, &first)
		};
		let (first, second) = (sign(first), sign(second));
		let evidence = Evidence::DoubleSeq { first, second };
		assert_eq!(challenge(ALICE, case, evidence), error(Error::NotFalse));
		// The larger of both hashes names no case.
		let (case, evidence) = double(7);
		let Evidence::DoubleSeq { first, second } = &evidence else {
			unreachable!("it is one");
		};
		let subject = first.receipt.hash().max(second.receipt.hash());
		let case = CaseId { subject, ..case };
		assert_eq!(challenge(BOB, case, evidence), error(Error::OtherCase));
	});
}

#[test]
fn both_receipts_are_signed_on_this_fork() {
	build_and_execute(|| {
		reported();
		let (case, evidence) = double(7);
		let Evidence::DoubleSeq { first, mut second } = evidence else {
			unreachable!("it is one");
		};
		second.signature[5] ^= 1;
		let evidence = Evidence::DoubleSeq { first, second };
		assert_eq!(challenge(ALICE, case, evidence), error(Error::BadEvidence));

		let first = receipt(1);
		let second = Receipt {
			seed: H256::zero(),
			..receipt(1)
		};
		let case = CaseId {
			subject: first.hash().min(second.hash()),
			..case_of(Charge::DoubleSeq, &first)
		};
		let (first, second) = (sign(first), sign(second));
		let evidence = Evidence::DoubleSeq { first, second };
		assert_eq!(challenge(ALICE, case, evidence), error(Error::BadEvidence));
	});
}
