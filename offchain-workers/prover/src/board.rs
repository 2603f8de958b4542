//! Which puzzles are solved, and which one a thread takes next.
//!
//! Only a prefix of complete units counts, so puzzles are given out in order. When every unsolved
//! puzzle has a thread, a free thread joins the one with the fewest, so that the last puzzles of
//! an epoch take no longer than all threads together need.

use crate::task::Task;
use std::collections::BTreeMap;

/// The puzzles of a task. A bit per puzzle: 256 KiB for the largest peer.
#[derive(Debug)]
pub(crate) struct Board {
	task: Task,
	solved: Vec<u64>,
	total: u64,
	found: u64,
	found_idle: u64,
	/// Lowest unsolved index, or `total`.
	frontier: u64,
	/// Threads on a puzzle, by its index; never more entries than threads.
	taken: BTreeMap<u64, u32>,
}

impl Board {
	/// The board of a task of which some (unit, k) are solved already.
	pub(crate) fn new(task: Task, solved: impl IntoIterator<Item = (u32, u32)>) -> Self {
		let total = task.solutions();
		let words = usize::try_from(total.div_ceil(64)).unwrap_or(usize::MAX);
		let mut board = Self {
			task,
			solved: vec![0; words],
			total,
			found: 0,
			found_idle: 0,
			frontier: 0,
			taken: BTreeMap::new(),
		};
		for (unit, k) in solved {
			if let Some(index) = board.task.index(unit, k) {
				board.solve(index);
			}
		}
		board
	}

	pub(crate) fn task(&self) -> &Task {
		&self.task
	}

	pub(crate) fn is_complete(&self) -> bool {
		self.found == self.total
	}

	pub(crate) fn is_solved(&self, index: u64) -> bool {
		self.solved[(index / 64) as usize] & (1 << (index % 64)) != 0
	}

	/// Takes a puzzle to work on; `None` when all are solved.
	pub(crate) fn take(&mut self) -> Option<u64> {
		let free = (self.frontier..self.total)
			.find(|index| !self.is_solved(*index) && !self.taken.contains_key(index));
		let index = match free {
			Some(index) => index,
			None => {
				*self
					.taken
					.iter()
					.min_by_key(|(index, threads)| (**threads, **index))?
					.0
			}
		};
		*self.taken.entry(index).or_default() += 1;
		Some(index)
	}

	/// Gives a puzzle back unsolved.
	pub(crate) fn release(&mut self, index: u64) {
		if let Some(threads) = self.taken.get_mut(&index) {
			*threads -= 1;
			if *threads == 0 {
				self.taken.remove(&index);
			}
		}
	}

	/// Records a solution; false when the puzzle was solved before.
	pub(crate) fn solve(&mut self, index: u64) -> bool {
		self.taken.remove(&index);
		if self.is_solved(index) {
			return false;
		}
		self.solved[(index / 64) as usize] |= 1 << (index % 64);
		self.found += 1;
		if index < self.task.rates.leaves(self.task.idle, 0) {
			self.found_idle += 1;
		}
		while self.frontier < self.total && self.is_solved(self.frontier) {
			self.frontier += 1;
		}
		true
	}

	/// Solutions found: of idle units, of units at work.
	pub(crate) fn found(&self) -> (u64, u64) {
		(self.found_idle, self.found - self.found_idle)
	}

	/// Solutions owed: by idle units, by units at work.
	pub(crate) fn owed(&self) -> (u64, u64) {
		let idle = self.task.rates.leaves(self.task.idle, 0);
		(idle, self.total - idle)
	}

	/// Complete units from the first one on: idle, at work.
	pub(crate) fn proven(&self) -> (u32, u32) {
		let (idle, _) = self.owed();
		let units = |solutions: u64, rate: u32| {
			let complete = solutions.checked_div(u64::from(rate)).unwrap_or(0);
			u32::try_from(complete).unwrap_or(u32::MAX)
		};
		let first_busy_gap = (idle.max(self.frontier)..self.total)
			.find(|index| !self.is_solved(*index))
			.unwrap_or(self.total);
		(
			units(self.frontier.min(idle), self.task.rates.idle),
			units(first_busy_gap - idle, self.task.rates.busy),
		)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{
		capacity::{WorkRates, BUSY_UNITS},
		peer::PeerId,
		H256, U256,
	};

	fn task(idle: u32, busy: u32) -> Task {
		Task {
			epoch: 3,
			key: H256::zero(),
			genesis: H256::zero(),
			peer: PeerId::default(),
			target: U256::MAX,
			rates: WorkRates { idle: 4, busy: 1 },
			idle,
			busy,
		}
	}

	#[test]
	fn puzzles_are_given_out_in_order_and_then_shared() {
		let mut board = Board::new(task(1, 1), []);
		let first: Vec<_> = (0..5).map(|_| board.take()).collect();
		assert_eq!(first, (0..5).map(Some).collect::<Vec<_>>());
		// All are taken: the next two threads help, each with another puzzle.
		assert_eq!((board.take(), board.take()), (Some(0), Some(1)));
		assert!(board.solve(0));
		assert!(!board.solve(0), "a second solution of a puzzle is none");
		assert_eq!(board.take(), Some(2));
	}

	#[test]
	fn a_puzzle_that_is_given_back_comes_first_again() {
		let mut board = Board::new(task(2, 0), []);
		assert_eq!((board.take(), board.take()), (Some(0), Some(1)));
		board.release(0);
		assert_eq!(board.take(), Some(0));
	}

	#[test]
	fn only_a_prefix_of_complete_units_is_proven() {
		let mut board = Board::new(
			task(2, 2),
			[(0, 0), (0, 1), (0, 3), (1, 0), (BUSY_UNITS + 1, 0)],
		);
		assert_eq!(board.proven(), (0, 0));
		assert_eq!(board.found(), (4, 1));
		assert_eq!(board.take(), Some(2));
		board.solve(2);
		assert_eq!(board.proven(), (1, 0));
		board.solve(8);
		assert_eq!(board.proven(), (1, 2));
		for index in 5..8 {
			assert!(!board.is_complete());
			board.solve(index);
		}
		assert!(board.is_complete());
		assert_eq!((board.proven(), board.take()), ((2, 2), None));
	}

	#[test]
	fn solutions_that_are_not_owed_are_passed_over() {
		let board = Board::new(task(1, 0), [(7, 0), (0, 9), (BUSY_UNITS, 0)]);
		assert_eq!(board.found(), (0, 0));
		assert_eq!(board.owed(), (4, 0));
	}

	#[test]
	fn nothing_owed_is_complete() {
		assert!(Board::new(task(0, 0), []).is_complete());
	}
}
