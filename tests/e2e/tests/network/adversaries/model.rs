//! What the rules take and give, computed apart from the chain.

use millrace_primitives::{
	execution::{replay_ps, REPLAY_PS_PER_BYTE, REPLAY_PS_PER_GAS, REPLAY_PS_PER_PACKAGE},
	Balance, Gas,
};

/// Price of a picosecond of computation, in smallest units: the chain's at genesis.
const WEIGHT_FEE: Balance = 10_000_000;

/// What an offence takes, and of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slash {
	/// Of the provider.
	pub(super) own: Balance,
	/// Of the delegator.
	pub(super) other: Balance,
	/// What the challenger gets of it. The rest burns, but for the fee's worth that whoever applies
	/// the slash gets.
	pub(super) reward: Balance,
}

impl Slash {
	/// A part of what is committed, in hundredths: the provider's stake pays first.
	pub(super) fn of(percent: Balance, committed: Balance, own: Balance) -> Self {
		let due = committed * percent / 100;
		let own = due.min(own);
		Self {
			own,
			other: due - own,
			reward: (due * 30 / 100).min(own),
		}
	}

	/// All of it.
	pub(super) fn sum(&self) -> Balance {
		self.own + self.other
	}
}

/// What a unit costs that is missed in an epoch, of its stake: a hundredth on development chains.
pub(super) fn miss(stake: Balance) -> Balance {
	stake / 100
}

/// What a replay costs whoever was wrong to ask for it.
pub(super) fn replay_cost(package_bytes: u32, gas: Gas) -> Balance {
	Balance::from(replay_ps(package_bytes, gas)) * WEIGHT_FEE
}

/// Where the bond of a false challenge goes: what burns, and what the accused provider gets.
pub(super) fn lost_bond(bond: Balance, cost: Balance) -> (Balance, Balance) {
	let given = bond.saturating_sub(cost) / 2;
	(bond - given, given)
}

#[test]
fn the_provider_pays_first_and_the_bounty_is_part_of_that() {
	let alone = Slash::of(50, 100, 100);
	assert_eq!((alone.own, alone.other, alone.reward), (50, 0, 15));
	let shared = Slash::of(50, 100, 20);
	assert_eq!((shared.own, shared.other, shared.reward), (20, 30, 15));
	// Of a provider with little of its own nobody is rewarded with more than that.
	let thin = Slash::of(50, 100, 10);
	assert_eq!((thin.own, thin.other, thin.reward), (10, 40, 10));
	assert_eq!(thin.sum(), 50);
	assert_eq!(Slash::of(5, 100, 20).reward, 1);
	// What it has missed it has no more.
	let missed = Slash::of(50, 100, 20 - miss(100));
	assert_eq!((missed.own, missed.other, missed.reward), (19, 31, 15));
}

#[test]
fn a_false_challenge_pays_its_replay_and_half_of_the_rest_to_the_accused() {
	assert_eq!(lost_bond(100, 20), (60, 40));
	assert_eq!(lost_bond(101, 20), (61, 40));
	assert_eq!(lost_bond(100, 200), (100, 0));
	let cost = replay_cost(3, 5);
	let expected = REPLAY_PS_PER_PACKAGE + 3 * REPLAY_PS_PER_BYTE + 5 * REPLAY_PS_PER_GAS;
	assert_eq!(cost, Balance::from(expected) * WEIGHT_FEE);
}
