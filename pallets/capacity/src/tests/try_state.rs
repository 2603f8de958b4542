//! What the check of the invariants sees.

use super::*;
use crate::{Audits, HoldReason};
use frame_support::{
	assert_ok,
	traits::{fungible::MutateHold, tokens::Precision},
};
use millrace_primitives::{traits::PeerUse, FLT};

#[test]
fn a_hold_without_a_commitment_is_seen() {
	ExtBuilder::default().build_and_execute(|| {
		let reason = RuntimeHoldReason::Capacity(HoldReason::Stake);
		let seen = Err("the hold is not the sum of the stakes".into());
		commit(1, 2);
		assert_ok!(Capacity::do_try_state());

		assert_ok!(<Balances as MutateHold<u64>>::hold(&reason, &STRANGER, FLT));
		assert_eq!(Capacity::do_try_state(), seen);
		let free = |who, amount| {
			<Balances as MutateHold<u64>>::release(&reason, who, amount, Precision::Exact)
		};
		assert_ok!(free(&STRANGER, FLT));
		assert_ok!(Capacity::do_try_state());

		assert_ok!(free(&PROVIDER, 1));
		assert_eq!(Capacity::do_try_state(), seen);
		assert_ok!(<Balances as MutateHold<u64>>::hold(&reason, &PROVIDER, 1));
	});
}

#[test]
fn a_peer_that_is_forgotten_leaves_no_audit() {
	ExtBuilder::default().build_and_execute(|| {
		let provider = RuntimeOrigin::signed(PROVIDER);
		assert_ok!(Capacity::create(provider.clone(), peer(1), 2, 5));
		assert_ok!(Capacity::stake(provider.clone(), peer(1)));
		go_to(2, 0);
		assert_ok!(send(report_call(1, claim(1, 2, 0))));
		close(5);
		assert_ok!(Capacity::settle(provider.clone(), peer(1)));
		go_to(14, 0);
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
