//! What a peer owes in an epoch, and what was found of it.

use codec::{Decode, Encode};
use millrace_primitives::{
	capacity::{Puzzle, WorkRates, BUSY_UNITS},
	peer::PeerId,
	EpochIndex, H256, U256,
};

/// The work of one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Task {
	/// The epoch.
	pub epoch: EpochIndex,
	/// Its RandomX key: the epoch's seed.
	pub key: H256,
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// The peer that owes it.
	pub peer: PeerId,
	/// Highest hash that counts.
	pub target: U256,
	/// Solutions that each unit owes.
	pub rates: WorkRates,
	/// Idle units.
	pub idle: u32,
	/// Units at work.
	pub busy: u32,
}

impl Task {
	/// Solutions that are owed in all.
	pub fn solutions(&self) -> u64 {
		self.rates.leaves(self.idle, self.busy)
	}

	/// The puzzle of a solution's index, in the order in which solutions count.
	pub fn puzzle(&self, index: u64) -> Option<Puzzle> {
		let (unit, k) = self.rates.leaf(self.idle, self.busy, index)?;
		Some(Puzzle {
			genesis: self.genesis,
			peer: self.peer,
			unit,
			k,
		})
	}

	/// Index of a unit's k-th solution, unless it is not owed.
	pub fn index(&self, unit: u32, k: u32) -> Option<u64> {
		let (number, units, rate, before) = match unit.checked_sub(BUSY_UNITS) {
			Some(busy) => (
				busy,
				self.busy,
				self.rates.busy,
				self.rates.leaves(self.idle, 0),
			),
			None => (unit, self.idle, self.rates.idle, 0),
		};
		if number >= units || k >= rate {
			return None;
		}
		let inside = u64::from(number)
			.checked_mul(u64::from(rate))?
			.checked_add(u64::from(k))?;
		before.checked_add(inside)
	}

	/// Whether a solution of the one is a solution of the other: all that enters a hash or is
	/// compared with it agrees. The numbers of units may differ.
	pub(crate) fn shares_solutions(&self, other: &Self) -> bool {
		(self.epoch, self.key, self.genesis, self.peer, self.target)
			== (
				other.epoch,
				other.key,
				other.genesis,
				other.peer,
				other.target,
			)
	}
}

/// What a report proves of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
	/// Idle units of which every solution was found, counted from the first one on.
	pub proven_idle: u32,
	/// Units at work of which every solution was found, counted from the first one on.
	pub proven_busy: u32,
	/// Their nonces, in the order of [`WorkRates::leaf`].
	pub nonces: Vec<u64>,
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	proptest! {
		#[test]
		fn index_and_puzzle_are_inverse(idle in 0u32..20, busy in 0u32..20, m in 1u32..20) {
			let task = Task {
				epoch: 1,
				key: H256::zero(),
				genesis: H256::zero(),
				peer: PeerId::default(),
				target: U256::MAX,
				rates: WorkRates { idle: m, busy: (m / 8).max(1) },
				idle,
				busy,
			};
			for index in 0..task.solutions() {
				let puzzle = task.puzzle(index).expect("index is below the number of solutions");
				prop_assert_eq!(task.index(puzzle.unit, puzzle.k), Some(index));
			}
			prop_assert_eq!(task.puzzle(task.solutions()), None);
			prop_assert_eq!(task.index(idle, 0), None);
			prop_assert_eq!(task.index(BUSY_UNITS + busy, 0), None);
		}
	}
}
