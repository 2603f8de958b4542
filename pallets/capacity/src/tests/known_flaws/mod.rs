//! What is wrong in comparable systems, one test for each: none of it exists here.

mod rewards;
mod stakers;
mod work;

use super::{amnesty::pass, *};
use crate::{Commitment, Commitments, Rounds};
use frame_support::assert_ok;
use millrace_primitives::{Balance, FLT};
use sp_runtime::DispatchResult;

fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// Settles the n-th peer, without a bounty; there may be nothing to settle.
fn settle(n: u8) {
	let _ = Capacity::settle(signed(PROVIDER), peer(n));
}

/// What the chain keeps of the n-th peer's commitment.
fn commitment(n: u8) -> Commitment<u64> {
	Commitments::<Test>::get(peer(n)).expect("it stands")
}

/// Signs the first peer's round as it stands.
fn pledge(who: u64, keep: Balance, add: Balance) -> DispatchResult {
	let terms = Rounds::<Test>::get(peer(1)).expect("it is open").terms;
	match Capacity::stake(signed(who), peer(1), terms, keep, add) {
		Ok(_) => Ok(()),
		Err(failed) => Err(failed.error),
	}
}

fn withdraw(who: u64, n: u8) -> DispatchResult {
	match Capacity::withdraw(signed(who), peer(n)) {
		Ok(_) => Ok(()),
		Err(failed) => Err(failed.error),
	}
}
