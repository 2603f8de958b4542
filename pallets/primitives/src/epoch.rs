//! Epochs and the windows in them.
//!
//! Positions count the blocks since an epoch's start that carry transactions; blocks that hold
//! inherents only (multi-block migrations) move no window.
//!
//! ```text
//! epoch e+1:  |-- reports of e --|-- draw folds --|-- audit answers --|-- rest --|
//! position:   0                  R               R+B                R+B+A       len
//! ```

use crate::{hash, BlockNumber, EpochIndex, H256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Lengths of an epoch and its windows, in blocks.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EpochLengths {
	/// Blocks of an epoch.
	pub len: u32,
	/// `R`: blocks in which reports of the epoch before are taken.
	pub report_window: u32,
	/// `B`: blocks whose VRF outputs are folded into a seed or a draw.
	pub fold_window: u32,
	/// `A`: blocks in which audits are answered. At least 2: peers are drawn in its first half, and
	/// whoever is drawn in a block can only answer in a later one.
	pub answer_window: u32,
}

impl EpochLengths {
	/// Whether the windows follow each other inside an epoch: R + B + A + 2 ≤ len, none empty, and
	/// a block to answer in after one to be drawn in.
	pub fn fits(&self) -> bool {
		let sum = u64::from(self.report_window)
			+ u64::from(self.fold_window)
			+ u64::from(self.answer_window);
		self.report_window > 0
			&& self.fold_window > 0
			&& self.answer_window >= 2
			&& sum + 2 <= u64::from(self.len)
	}

	/// The window that a position lies in.
	pub fn phase(&self, position: u32) -> Phase {
		let draw = self.report_window;
		let answer = draw.saturating_add(self.fold_window);
		let rest = answer.saturating_add(self.answer_window);
		match position {
			p if p < draw => Phase::Report,
			p if p < answer => Phase::Draw,
			p if p < rest => Phase::Answer,
			_ => Phase::Rest,
		}
	}

	/// First position at which the epoch before is closed: all its audits are answered or missed.
	pub fn close_position(&self) -> u32 {
		self.report_window
			.saturating_add(self.fold_window)
			.saturating_add(self.answer_window)
	}
}

/// What the chain does at a position of an epoch.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum Phase {
	/// Reports of the epoch before are taken.
	Report,
	/// The draw of the epoch before is being folded.
	Draw,
	/// Audits of the epoch before are answered.
	Answer,
	/// The epoch before is closed.
	Rest,
}

/// An epoch, frozen at its start.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EpochInfo {
	/// Index, counted from 0.
	pub index: EpochIndex,
	/// Its first block.
	pub start: BlockNumber,
	/// Time of its start in milliseconds since 1970: the timestamp of the block before its first
	/// one, so that the first block's own transactions can know it. Of epoch 0 it is the first
	/// block's own, known when that block ends.
	pub start_ms: u64,
	/// Time between slots in milliseconds.
	pub slot_ms: u64,
	/// Its lengths.
	pub lengths: EpochLengths,
}

impl EpochInfo {
	/// The clock that a guest sees in a call executed at `block`, in milliseconds since 1970.
	pub fn clock_ms(&self, block: BlockNumber) -> u64 {
		let blocks = u64::from(block.saturating_sub(self.start));
		self.start_ms
			.saturating_add(self.slot_ms.saturating_mul(blocks))
	}
}

/// Where the chain stands: what `epochs_current` and the daemons read.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EpochStatus {
	/// The epoch of the block.
	pub info: EpochInfo,
	/// Counted blocks since its start.
	pub position: u32,
	/// The window that the position lies in.
	pub phase: Phase,
	/// Its seed: the RandomX key of its work.
	pub seed: H256,
	/// The draw over the reports of the epoch before, once it is folded.
	pub draw: Option<H256>,
}

/// Beginning of a fold of VRF outputs.
pub fn fold_start(tag: &str, genesis: H256, epoch: EpochIndex) -> H256 {
	hash::tagged(tag, &(genesis, epoch))
}

/// One more output folded in.
pub fn fold(accumulator: H256, output: H256) -> H256 {
	hash::tagged("millrace/fold/v1", &(accumulator, output))
}

/// Tag of the fold that ends in an epoch's seed.
pub const SEED_TAG: &str = "millrace/seed/v1";
/// Tag of the fold that ends in an epoch's draw.
pub const DRAW_TAG: &str = "millrace/draw/v1";

#[cfg(test)]
mod tests {
	use super::*;

	const DEV: EpochLengths = EpochLengths {
		len: 20,
		report_window: 6,
		fold_window: 2,
		answer_window: 8,
	};

	#[test]
	fn windows_follow_each_other_without_gap_or_overlap() {
		let phases: alloc::vec::Vec<_> = (0..20).map(|p| DEV.phase(p)).collect();
		assert!(phases[..6].iter().all(|p| *p == Phase::Report));
		assert!(phases[6..8].iter().all(|p| *p == Phase::Draw));
		assert!(phases[8..16].iter().all(|p| *p == Phase::Answer));
		assert!(phases[16..].iter().all(|p| *p == Phase::Rest));
		assert_eq!(DEV.close_position(), 16);
	}

	#[test]
	fn lengths_that_do_not_fit_are_refused() {
		assert!(DEV.fits());
		assert!(EpochLengths { len: 18, ..DEV }.fits());
		assert!(!EpochLengths { len: 17, ..DEV }.fits());
		assert!(!EpochLengths {
			fold_window: 0,
			..DEV
		}
		.fits());
		assert!(!EpochLengths {
			answer_window: u32::MAX,
			..DEV
		}
		.fits());
		// Whoever is drawn in the only block of the window could not answer in it.
		let answers = |answer_window| EpochLengths {
			answer_window,
			..DEV
		};
		assert!(answers(2).fits());
		assert!(!answers(1).fits());
		assert!(!answers(0).fits());
	}

	#[test]
	fn the_guest_clock_moves_by_slots() {
		let info = EpochInfo {
			index: 3,
			start: 60,
			start_ms: 1_000,
			slot_ms: 500,
			lengths: DEV,
		};
		assert_eq!(info.clock_ms(60), 1_000);
		assert_eq!(info.clock_ms(64), 3_000);
		assert_eq!(info.clock_ms(1), 1_000);
	}
}
