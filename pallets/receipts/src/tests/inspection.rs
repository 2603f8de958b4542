//! What can be seen to be false, and what cannot.

use super::*;
use frame_support::assert_noop;
use millrace_primitives::{
	challenge::LeafProof,
	execution::{package_hash, response_hash, CallStatus, CallTerms, UNVERIFIED},
	peer::PeerId,
};

/// What a challenge by inspection comes to.
fn outcome(change: impl FnOnce(&mut Receipt)) -> DispatchResult {
	let (case, evidence) = seen_false(change);
	challenge(ALICE, case, evidence)
}

fn assert_false(change: impl FnOnce(&mut Receipt)) {
	build_and_execute(|| {
		let (case, evidence) = seen_false(change);
		commit(ALICE, case);
		pass(2);
		events();
		let info = reveal(ALICE, case, evidence).expect("it is false");
		assert_eq!(
			info.actual_weight,
			Some(<() as crate::WeightInfo>::reveal())
		);
		assert_eq!(
			events(),
			vec![Event::ChallengeProven {
				case,
				leader: ALICE,
				contest_until: System::block_number() + 8
			}]
		);
		assert_eq!(held(ALICE, HoldReason::Challenge), 0);
		assert!(Receipts::has_open_case(peer()));
	});
}

fn assert_not(why: Error<Test>, change: impl FnOnce(&mut Receipt)) {
	build_and_execute(|| {
		assert_eq!(outcome(change), error(why));
		// It cost the fee. The bond is still there, for the right evidence.
		assert_eq!(held(ALICE, HoldReason::Challenge), bond());
		assert!(!Receipts::has_open_case(peer()));
	});
}

#[test]
fn an_honest_receipt_is_not_false() {
	assert_not(Error::NotFalse, |_| {});
	assert_not(Error::NotFalse, |receipt| receipt.seq = 1_000);
	assert_not(Error::NotFalse, |receipt| receipt.block = 40);
	assert_not(Error::NotFalse, |receipt| {
		receipt.status = CallStatus::Trapped;
		receipt.response = response_hash(&[]);
	});
	assert_not(Error::NotFalse, |receipt| {
		receipt.status = CallStatus::OutOfGas;
		receipt.response = response_hash(&[]);
	});
}

#[test]
fn a_block_outside_of_the_epoch_is_false() {
	// The key counts from 25 on; the epoch has blocks 21 to 40.
	assert_false(|receipt| receipt.block = 41);
	assert_false(|receipt| {
		receipt.epoch = 2;
		receipt.seed = MockClock::seed(2).expect("the mock knows all seeds");
		receipt.block = 40;
	});
}

#[test]
fn a_response_of_a_failed_call_is_false() {
	assert_false(|receipt| receipt.status = CallStatus::Trapped);
	assert_false(|receipt| receipt.status = CallStatus::Exited(1));
}

#[test]
fn another_profile_is_false() {
	assert_false(|receipt| receipt.profile = 2);
	// The deal says that its calls can be run again.
	assert_false(|receipt| receipt.profile |= UNVERIFIED);
	// Profiles that nobody knows need no deal.
	build_and_execute(|| {
		DealStands::set(false);
		assert_ok!(outcome(|receipt| receipt.profile = 2));
	});
}

#[test]
fn a_bill_above_the_deal_is_false() {
	assert_false(|receipt| receipt.gas = MOST_GAS + 1);
	assert_false(|receipt| {
		receipt.status = CallStatus::OutOfGas;
		receipt.response = response_hash(&[]);
		receipt.gas = MOST_GAS - 1;
	});
}

#[test]
fn another_package_other_terms_or_effects_without_hosts_are_false() {
	assert_false(|receipt| receipt.package = H256::zero());
	assert_false(|receipt| receipt.terms = H256::zero());
	assert_false(|receipt| receipt.transcript = H256::zero());
}

/// A receipt of a call that ran what the deal had before an update.
fn of_before(receipt: &mut Receipt, terms: &CallTerms) {
	receipt.package = terms.package;
	receipt.terms = terms.hash(receipt.genesis);
}

#[test]
fn the_package_before_an_update_is_true_until_its_time_is_over() {
	build_and_execute(|| {
		let before = update(28, 1);
		let not_false = error(Error::NotFalse);
		for block in [27, 28, 40] {
			let change = |receipt: &mut Receipt| {
				of_before(receipt, &before);
				receipt.block = block;
			};
			assert_eq!(outcome(change), not_false, "{block}");
		}
		assert_eq!(outcome(|receipt| receipt.block = 28), not_false);
	});
	build_and_execute(|| {
		let before = update(28, 0);
		assert_ok!(outcome(|receipt| of_before(receipt, &before)));
	});
	// Under its own terms, and no others.
	build_and_execute(|| {
		update(28, 1);
		assert_ok!(outcome(|receipt| receipt.package = package_hash(b"before")));
	});
}

#[test]
fn a_package_from_before_its_update_is_false() {
	build_and_execute(|| {
		update(28, 1);
		assert_ok!(outcome(|receipt| receipt.block = 27));
	});
}

#[test]
fn a_package_that_may_be_forgotten_convicts_nobody() {
	build_and_execute(|| {
		update(28, 1);
		History::mutate(|history| history.forgotten = Some(1));
		let change = |receipt: &mut Receipt| receipt.package = H256::zero();
		assert_eq!(outcome(change), error(Error::NotFalse));
	});
	build_and_execute(|| {
		update(28, 1);
		History::mutate(|history| history.forgotten = Some(0));
		assert_ok!(outcome(|receipt| receipt.package = H256::zero()));
	});
}

#[test]
fn a_closed_deal_convicts_nobody() {
	let changes: [fn(&mut Receipt); 5] = [
		|receipt| receipt.gas = MOST_GAS + 1,
		|receipt| receipt.package = H256::zero(),
		|receipt| receipt.terms = H256::zero(),
		|receipt| receipt.transcript = H256::zero(),
		// Nor does a deal that the peer never worked for.
		|receipt| receipt.deal = DEAL + 1,
	];
	for change in changes {
		build_and_execute(|| {
			DealStands::set(false);
			assert_eq!(outcome(change), error(Error::NotFalse));
		});
	}
}

#[test]
fn another_forks_signature_convicts_nobody() {
	assert_not(Error::BadEvidence, |receipt| {
		receipt.gas += 1;
		receipt.seed = H256::zero();
	});
	assert_not(Error::BadEvidence, |receipt| {
		receipt.gas += 1;
		receipt.genesis = H256::zero();
	});
	// Before its key counted, nobody signs for a peer.
	assert_not(Error::BadEvidence, |receipt| receipt.block = KEY_SINCE - 1);
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		let Evidence::Inspection { mut receipt, leaf } = evidence else {
			unreachable!("it is one");
		};
		receipt.signature[0] ^= 1;
		let evidence = Evidence::Inspection { receipt, leaf };
		assert_eq!(challenge(ALICE, case, evidence), error(Error::BadEvidence));
	});
}

#[test]
fn a_rotated_key_is_judged_at_its_block() {
	let new = sp_core::ed25519::Pair::from_seed(&[9; 32]);
	for (block, signer, counts) in [
		(34, pair(), true),
		(34, new, false),
		(35, new, true),
		(35, pair(), false),
	] {
		build_and_execute(|| {
			Rotated::mutate(|rotated| rotated.insert(peer(), (35, new.public().0)));
			let receipt = Receipt {
				gas: MOST_GAS + 1,
				block,
				..receipt(0)
			};
			let case = case_of(Charge::Inspection, &receipt);
			let evidence = Evidence::Inspection {
				receipt: sign_by(&signer, receipt),
				leaf: None,
			};
			let expected = if counts {
				Ok(())
			} else {
				error(Error::BadEvidence)
			};
			assert_eq!(challenge(ALICE, case, evidence), expected);
		});
	}
}

/// The charge that a receipt does not stand where its number says.
fn at_leaf(receipt: Receipt, report: &Report, tree: &Tree, index: u32) -> (CaseId, Evidence) {
	let case = case_of(Charge::Inspection, &receipt);
	let leaf = LeafProof {
		report: report.clone(),
		index,
		path: tree.path(index.into()).expect("there is such a leaf"),
	};
	let evidence = Evidence::Inspection {
		receipt: sign(receipt),
		leaf: Some(leaf),
	};
	(case, evidence)
}

#[test]
fn a_receipt_at_another_leaf_is_false() {
	build_and_execute(|| {
		let receipts = [receipt(0), receipt(2), receipt(1)];
		let (honest, tree) = report(&receipts);
		for (index, outcome) in [(0, error(Error::NotFalse)), (1, Ok(()))] {
			let receipt = receipts[index as usize].clone();
			let (case, evidence) = at_leaf(receipt, &honest, &tree, index);
			assert_eq!(challenge(ALICE, case, evidence), outcome);
		}
	});
}

#[test]
fn a_leaf_is_of_the_peers_own_report() {
	build_and_execute(|| {
		let (honest, tree) = report(&[receipt(0), receipt(1)]);
		let made_up = [receipt(1), receipt(0)];
		let other_tree = Tree::new(made_up.iter().map(Receipt::hash));
		let forged = Report {
			receipts_root: other_tree.root(),
			..honest.clone()
		};
		let (case, evidence) = at_leaf(receipt(1), &forged, &other_tree, 0);
		assert_eq!(challenge(ALICE, case, evidence), error(Error::OtherReport));
		let (case, evidence) = at_leaf(receipt(1), &honest, &tree, 0);
		assert_eq!(challenge(BOB, case, evidence), error(Error::BadEvidence));
	});
	build_and_execute(|| {
		let tree = Tree::new([receipt(1).hash()]);
		let unreported = Report {
			receipts: 1,
			receipts_root: tree.root(),
			..Report::empty(1)
		};
		let (case, evidence) = at_leaf(receipt(1), &unreported, &tree, 0);
		assert_eq!(challenge(ALICE, case, evidence), error(Error::NoReport));
	});
}

#[test]
fn the_period_is_that_of_the_stake() {
	for (epoch, outcome) in [(6, Ok(())), (7, error(Error::PeriodOver))] {
		build_and_execute(|| {
			CurrentEpoch::set(epoch);
			let (case, evidence) = overbilled();
			assert_eq!(challenge(ALICE, case, evidence), outcome);
		});
	}
	// Without stake there is nothing to take.
	build_and_execute(|| {
		StakesOf::mutate(|stakes| stakes.clear());
		let (case, evidence) = overbilled();
		assert_eq!(challenge(ALICE, case, evidence), error(Error::PeriodOver));
	});
	// Nor before it came.
	build_and_execute(|| {
		StakesOf::mutate(|stakes| stakes.values_mut().for_each(|stake| stake.began = 2));
		let (case, evidence) = overbilled();
		assert_eq!(challenge(ALICE, case, evidence), error(Error::PeriodOver));
	});
}

#[test]
fn a_receipt_of_the_present_epoch_can_be_challenged_at_once() {
	build_and_execute(|| {
		CurrentEpoch::set(1);
		let (case, evidence) = overbilled();
		assert_ok!(challenge(ALICE, case, evidence));
	});
}

#[test]
fn a_first_reveal_needs_evidence() {
	build_and_execute(|| {
		let (case, _) = overbilled();
		commit(ALICE, case);
		pass(2);
		assert_eq!(
			plain(reveal(ALICE, case, None::<Evidence>)),
			error(Error::NoEvidence)
		);
		// It can still be brought.
		let (_, evidence) = overbilled();
		assert_ok!(reveal(ALICE, case, evidence));
	});
}

#[test]
fn an_older_case_in_the_slot_is_concluded_first() {
	build_and_execute(|| {
		let (case, evidence) = overbilled();
		assert_ok!(challenge(ALICE, case, evidence));
		let later = 1 + crate::RING;
		CurrentEpoch::set(later);
		let receipt = Receipt {
			gas: MOST_GAS + 1,
			..receipt_of(peer(), later, 0)
		};
		let case = case_of(Charge::Inspection, &receipt);
		let (receipt, leaf) = (sign(receipt), None);
		let evidence = Evidence::Inspection { receipt, leaf };
		commit(ALICE, case);
		pass(2);
		let older = error(Error::OlderCaseOpen);
		assert_eq!(plain(reveal(ALICE, case, evidence.clone())), older);
		conclude(1, OffenceKind::Fraud);
		assert_ok!(reveal(ALICE, case, evidence));
		assert_noop!(
			Receipts::conclude(by(ALICE), peer(), 1, OffenceKind::Fraud),
			Error::<Test>::PeriodOver
		);
	});
}

#[test]
fn a_peer_that_is_not_registered_cannot_be_challenged() {
	build_and_execute(|| {
		let peer = PeerId(H256::repeat_byte(3));
		let (case, evidence) = overbilled();
		let case = CaseId { peer, ..case };
		assert_eq!(challenge(ALICE, case, evidence), error(Error::PeriodOver));
	});
}
