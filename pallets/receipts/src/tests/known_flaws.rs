//! What the rules allow and a reader might not expect. Each is said in the README.

use super::*;
use millrace_primitives::replay::ReplayOutcome;

#[test]
fn to_withhold_is_cheaper_than_to_be_found_out() {
	build_and_execute(|| {
		// A peer that lied, and whose data nobody but itself has, pays a twentieth instead of half.
		open(&[receipt(0)]);
		let wanted = Wanted::Request;
		assert_ok!(Receipts::demand(by(ALICE), peer(), 1, 0, wanted));
		pass(11);
		assert_ok!(plain(Receipts::expire_demand(
			by(ALICE),
			peer(),
			1,
			0,
			wanted
		)));
		assert_eq!(Slashes::get()[0].amount, STAKE / 20);
		// Whoever has the data can still show the lie: the client has.
		Outcome::set(Some(ReplayOutcome::TakesMore));
		let (case, evidence) = replayed();
		assert_ok!(challenge(BOB, case, evidence));
		conclude(1, OffenceKind::Fraud);
		assert_eq!(Slashes::get()[1].amount, STAKE / 2);
	});
}

#[test]
fn a_peer_that_is_away_is_punished_for_a_false_claim() {
	build_and_execute(|| {
		let (report, _) = report(&[receipt(0)]);
		let (case, evidence) = omitted(receipt(0), &report);
		assert_ok!(challenge(ALICE, case, evidence));
		pass(9);
		assert_ok!(Receipts::close_show(by(ALICE), peer(), case.subject));
		conclude(1, OffenceKind::Omission);
		// The slash waits in the capacity pallet, and governance can send it back.
		assert_eq!(Slashes::get()[0].amount, STAKE / 20);
	});
}

#[test]
fn a_garbled_name_of_terms_is_seen_only_while_the_deal_stands() {
	for (stands, outcome) in [(true, Ok(())), (false, error(Error::NotFalse))] {
		build_and_execute(|| {
			DealStands::set(stands);
			let (case, evidence) = seen_false(|receipt| receipt.terms = H256::zero());
			assert_eq!(challenge(ALICE, case, evidence), outcome);
		});
	}
}
