//! Every path of money, to the unit: what everybody has afterwards, and what was made and burnt.

use super::*;
use crate::POSTED_PRICE;
use millrace_primitives::{execution::replay_ps, replay::ReplayOutcome, FLT};

/// What all accounts have, free and on hold: provider, delegator, Alice, Bob, stranger.
fn balances() -> [i128; 5] {
	[PROVIDER, DELEGATOR, ALICE, BOB, STRANGER]
		.map(|who| <Balances as Inspect<u64>>::total_balance(&who) as i128)
}

/// Asserts what each gains or loses by something, and that nothing else is made or burnt. Nothing is on
/// hold at its end.
fn assert_moves(expected: [i128; 5], what: impl FnOnce()) {
	build_and_execute(|| {
		let (before, made) = (balances(), issuance() as i128);
		what();
		let mut moved = balances();
		for (now, then) in moved.iter_mut().zip(before) {
			*now -= then;
		}
		assert_eq!(moved, expected);
		assert_eq!(issuance() as i128 - made, expected.iter().sum::<i128>());
		for who in PROVIDER..=STRANGER {
			assert_eq!(held(who, HoldReason::Challenge), 0);
			assert_eq!(held(who, HoldReason::Demand), 0);
		}
		assert!(!Receipts::has_open_case(peer()));
	});
}

fn flt(amount: i128) -> i128 {
	amount * FLT as i128
}

/// The bond of the tests.
fn whole_bond() -> i128 {
	params().bond as i128
}

#[test]
fn fraud_costs_half_the_stake_and_pays_the_first() {
	// 500 FLT: 200 of the provider, 300 of the delegator; 150 to whoever was first.
	assert_moves([flt(-200), flt(-300), flt(150), 0, 0], || {
		let (case, evidence) = overbilled();
		commit(ALICE, case);
		pass(1);
		commit(BOB, case);
		pass(2);
		assert_ok!(reveal(BOB, case, evidence));
		assert_ok!(reveal(ALICE, case, None::<Evidence>));
		conclude(1, OffenceKind::Fraud);
	});
}

#[test]
fn an_omission_costs_a_twentieth() {
	assert_moves([flt(-50), 0, flt(15), 0, 0], || {
		let (report, _) = report(&[receipt(0)]);
		let (case, evidence) = omitted(receipt(1), &report);
		assert_ok!(challenge(ALICE, case, evidence));
		conclude(1, OffenceKind::Omission);
	});
}

#[test]
fn withholding_costs_a_twentieth_and_gives_all_back() {
	assert_moves([flt(-50), 0, 0, flt(15), 0], || {
		open(&[receipt(0)]);
		let wanted = Wanted::Package;
		assert_ok!(Receipts::demand(by(BOB), peer(), 1, 0, wanted));
		pass(11);
		let call = Receipts::expire_demand(by(STRANGER), peer(), 1, 0, wanted);
		assert_ok!(plain(call));
	});
}

#[test]
fn all_offences_of_an_epoch_together() {
	// 500 and 50 and 50 FLT, of which the provider has 200.
	let provider = flt(-200);
	let delegator = flt(-400);
	// The first takes all that is the provider's; the others pay no bounty.
	assert_moves([provider, delegator, flt(150), 0, 0], || {
		let (report, _) = report(&[receipt(0)]);
		open(&[receipt(0)]);
		let (case, evidence) = overbilled();
		assert_ok!(challenge(ALICE, case, evidence));
		conclude(1, OffenceKind::Fraud);
		let (case, evidence) = omitted(receipt(1), &report);
		assert_ok!(challenge(BOB, case, evidence));
		conclude(1, OffenceKind::Omission);
		let wanted = Wanted::Request;
		assert_ok!(Receipts::demand(by(STRANGER), peer(), 1, 0, wanted));
		pass(11);
		assert_ok!(plain(Receipts::expire_demand(
			by(STRANGER),
			peer(),
			1,
			0,
			wanted
		)));
	});
}

/// What the provider gets and the liar loses where a refutation costs so much.
fn refuted_at(cost: u64) -> [i128; 5] {
	let given = (whole_bond() - i128::from(cost)) / 2;
	[given, 0, -whole_bond(), 0, 0]
}

#[test]
fn a_liar_pays_each_time() {
	let cost = replay_ps(PACKAGE.len() as u32, MOST_GAS);
	let once = refuted_at(cost);
	assert_moves(once, || {
		let (case, evidence) = replayed();
		assert_ok!(challenge(ALICE, case, evidence));
	});
	assert_moves(once.map(|moved| 3 * moved), || {
		for _ in 0..3 {
			let (case, evidence) = replayed();
			assert_ok!(challenge(ALICE, case, evidence));
		}
	});
}

#[test]
fn a_false_claim_of_omission_costs_the_bond() {
	let weight = <() as crate::WeightInfo>::show()
		.saturating_add(<() as crate::WeightInfo>::authorize_show());
	assert_moves(refuted_at(weight.ref_time()), || {
		let (report, tree) = report(&[receipt(0)]);
		let (case, evidence) = omitted(receipt(0), &report);
		assert_ok!(challenge(ALICE, case, evidence));
		let path = tree.path(0).expect("there is a leaf");
		assert_ok!(send(show_call(case, Shown { report, path })));
	});
}

#[test]
fn a_provider_that_challenges_its_own_peer_falsely_gets_half_back() {
	let cost = replay_ps(PACKAGE.len() as u32, MOST_GAS);
	let given = (whole_bond() - i128::from(cost)) / 2;
	assert_moves([given - whole_bond(), 0, 0, 0, 0], || {
		let (case, evidence) = replayed();
		assert_ok!(challenge(PROVIDER, case, evidence));
	});
}

#[test]
fn who_does_not_reveal_loses_a_tenth_and_nobody_gains() {
	let tenth = whole_bond() / 10 + 1;
	assert_moves([0, 0, -tenth, 0, 0], || {
		let (case, _) = overbilled();
		commit(ALICE, case);
		pass(17);
		assert_ok!(Receipts::forget_commit(
			by(STRANGER),
			ALICE,
			name_of(ALICE, case)
		));
	});
}

#[test]
fn the_price_of_what_is_posted_burns_and_nothing_else() {
	let data = request().encode();
	let price = (data.len() as Balance * BYTE_FEE) as i128;
	assert_moves([0, 0, -price, 0, 0], || {
		open(&[receipt(0)]);
		let wanted = Wanted::Request;
		assert_ok!(Receipts::demand(by(ALICE), peer(), 1, 0, wanted));
		assert_ok!(send(post_call(0, wanted, request().hash(), data)));
	});
	// Of a package of four bytes it is that of the row.
	assert_moves([0, 0, -(POSTED_PRICE as i128), 0, 0], || {
		open(&[receipt(0)]);
		let wanted = Wanted::Package;
		assert_ok!(Receipts::demand(by(ALICE), peer(), 1, 0, wanted));
		assert_ok!(send(post_call(0, wanted, package(), PACKAGE.to_vec())));
	});
}

#[test]
fn moot_and_inconclusive_challenges_cost_nothing() {
	assert_moves([0; 5], || {
		Outcome::set(Some(ReplayOutcome::Inconclusive));
		let (case, evidence) = replayed();
		assert_ok!(challenge(ALICE, case, evidence));
	});
	assert_moves([flt(-200), flt(-300), flt(150), 0, 0], || {
		let (case, evidence) = overbilled();
		assert_ok!(challenge(ALICE, case, evidence));
		conclude(1, OffenceKind::Fraud);
		for who in [BOB, STRANGER, ALICE] {
			let (case, evidence) = overbilled();
			assert_ok!(challenge(who, case, evidence));
		}
	});
}
