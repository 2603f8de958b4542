//! Records of the clock, and the windows in which it folds.

use codec::{Decode, Encode, MaxEncodedLen};
use core::ops::Range;
use millrace_primitives::epoch::EpochLengths;
use scale_info::TypeInfo;

/// Where the clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Tick {
	/// Position of the last counted block in its epoch.
	pub position: u32,
	/// Whether the last block was that one. Its output, known in the next block, is folded then;
	/// the output of a block that does not count is passed over.
	pub counted: bool,
}

/// Positions whose outputs make the next epoch's seed: the last `B`.
pub(crate) fn seed_window(lengths: &EpochLengths) -> Range<u32> {
	lengths.len.saturating_sub(lengths.fold_window)..lengths.len
}

/// Positions whose outputs make the draw: the first `B` after the reports.
pub(crate) fn draw_window(lengths: &EpochLengths) -> Range<u32> {
	lengths.report_window..lengths.report_window.saturating_add(lengths.fold_window)
}
