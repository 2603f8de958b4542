//! What the check of the invariants sees.

use super::*;
use crate::{ActiveStakes, Delegations, HoldReason, Rounds, TotalActiveStake};
use frame_support::{
	assert_ok,
	traits::{fungible::MutateHold, tokens::Precision},
};
use millrace_primitives::{traits::PeerUse, FLT};

/// Spoils what is stored, sees that it is seen, and mends it.
fn sees(what: &'static str, spoil: impl Fn(), mend: impl Fn()) {
	assert_ok!(Capacity::do_try_state());
	spoil();
	assert_eq!(Capacity::do_try_state(), Err(what.into()));
	mend();
	assert_ok!(Capacity::do_try_state());
}

#[test]
fn a_hold_without_a_commitment_is_seen() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		for (reason, what) in [
			(HoldReason::Stake, "the hold is not the sum of the stakes"),
			(
				HoldReason::Deposit,
				"the hold is not the sum of the deposits",
			),
		] {
			let reason = RuntimeHoldReason::Capacity(reason);
			let hold = |who, amount| {
				assert_ok!(<Balances as MutateHold<u64>>::hold(&reason, &who, amount));
			};
			let free = |who, amount| {
				assert_ok!(<Balances as MutateHold<u64>>::release(
					&reason,
					&who,
					amount,
					Precision::Exact
				));
			};
			sees(what, || hold(STRANGER, FLT), || free(STRANGER, FLT));
			sees(what, || free(PROVIDER, 1), || hold(PROVIDER, 1));
		}
	});
}

#[test]
fn books_that_do_not_agree_are_seen() {
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 10, DURATION, &[(DELEGATOR, 5_000 * FLT)], 0);
		let change = |others: fn(&mut crate::Commitment<u64>)| {
			let mut row = commitment(1);
			others(&mut row);
			Commitments::<Test>::insert(peer(1), row);
		};
		sees(
			"stakes do not add up to the commitment's",
			|| change(|row| row.others += 1),
			|| change(|row| row.others -= 1),
		);
		sees(
			"more is left of a stake than was signed for",
			|| change(|row| row.own.added = row.own.left + 1),
			|| change(|row| row.own.added = 0),
		);
		sees(
			"an agreed change without its round",
			|| {
				change(|row| {
					row.change = Some(crate::Change {
						kind: millrace_primitives::commitment::RoundKind::Growth,
						at: 3,
						units: 11,
						end: 101,
					})
				})
			},
			|| change(|row| row.change = None),
		);
		sees(
			"the slashes that wait are not counted",
			|| change(|row| row.waiting_slashes += 1),
			|| change(|row| row.waiting_slashes -= 1),
		);
		sees(
			"a ledger does not count the account's stakes and pledges",
			|| {
				Ledgers::<Test>::mutate(DELEGATOR, |ledger| {
					ledger.as_mut().expect("it has one").places += 1;
				})
			},
			|| {
				Ledgers::<Test>::mutate(DELEGATOR, |ledger| {
					ledger.as_mut().expect("it has one").places -= 1;
				})
			},
		);
		sees(
			"the active stake of a provider is not the sum of its commitments'",
			|| ActiveStakes::<Test>::insert(PROVIDER, 1),
			|| ActiveStakes::<Test>::insert(PROVIDER, 10_000 * FLT),
		);
		sees(
			"the total of active stakes is not their sum",
			|| TotalActiveStake::<Test>::put(1),
			|| TotalActiveStake::<Test>::put(10_000 * FLT),
		);
		let stakes = Delegations::<Test>::get(peer(1));
		sees(
			"stakes, a round or slashes without a commitment",
			|| Delegations::<Test>::insert(peer(2), stakes.clone()),
			|| Delegations::<Test>::remove(peer(2)),
		);
	});
}

#[test]
fn a_pending_commitment_without_its_round_is_seen() {
	ExtBuilder::default().build_and_execute(|| {
		let created = Capacity::create(signed(PROVIDER), peer(1), 1, 5, solo());
		assert_ok!(created);
		let round = Rounds::<Test>::get(peer(1)).expect("a round is open");
		sees(
			"a pending commitment without the round for its start",
			|| Rounds::<Test>::remove(peer(1)),
			|| Rounds::<Test>::insert(peer(1), round.clone()),
		);
	});
}

#[test]
fn a_peer_that_is_forgotten_leaves_no_audit() {
	ExtBuilder::default().build_and_execute(|| {
		let provider = RuntimeOrigin::signed(PROVIDER);
		let created = Capacity::create(provider.clone(), peer(1), 2, 5, solo());
		assert_ok!(created);
		assert_ok!(pledge(PROVIDER, 1, 0, 2_000 * FLT));
		go_to(2, 0);
		assert_ok!(send(report_call(1, claim(1, 2, 0))));
		close(5);
		assert_ok!(Capacity::settle(provider.clone(), peer(1)));
		go_to(14, 0);
		// The audit of its only report was not answered, which costs a slash that waited.
		assert_ok!(Capacity::apply_slash(provider.clone(), peer(1), 0));
		assert_ok!(Capacity::withdraw(provider, peer(1)));
		assert!(!Capacity::in_use(peer(1)));
		assert!(Audits::<Test>::contains_key(peer(1)));

		Registered::mutate(|peers| peers.remove(&peer(1)));
		assert_eq!(
			Capacity::do_try_state(),
			Err("an audit of a peer that is gone".into())
		);
		Capacity::forget(peer(1));
		assert_eq!(Audits::<Test>::get(peer(1)), None);
		assert_ok!(Capacity::do_try_state());
	});
}
