//! What the pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{Balance, BlockNumber, H256};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Bytes of a row of claims.
const ROW_BYTES: usize = 128;
/// Rewards whose claims share a row: one bit each.
pub const REWARDS_PER_ROW: u32 = 1_024;

const _: () = assert!(REWARDS_PER_ROW as usize == ROW_BYTES * 8);

/// Which rewards of a row were claimed, a bit for each, the least significant one of a byte first.
pub type Row = [u8; ROW_BYTES];

/// A row of which nothing was claimed.
pub(crate) const EMPTY_ROW: Row = [0; ROW_BYTES];

/// A programme as it is begun.
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
	Serialize,
	Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewProgramme {
	/// Root of the tree over its rewards.
	pub root: H256,
	/// Rewards in the tree.
	pub rewards: u32,
	/// Sum of all of them, in smallest units of FLT.
	#[serde(with = "millrace_primitives::decimal")]
	pub total: Balance,
	/// Last block in which one can be claimed.
	pub ends: BlockNumber,
}

/// The programme that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Programme {
	/// Its number, counted from 0.
	pub number: u32,
	/// What it was begun with, which never changes.
	pub terms: NewProgramme,
	/// What was paid.
	pub paid: Balance,
	/// Rewards that were claimed.
	pub claims: u32,
}

impl Programme {
	/// What may still be claimed.
	pub fn left(&self) -> Balance {
		self.terms.total.saturating_sub(self.paid)
	}
}

/// Rows of a programme that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Leftover {
	/// The programme.
	pub number: u32,
	/// The first row that may still be there.
	pub next: u32,
	/// Rows that it could have.
	pub rows: u32,
}

/// Rows that so many rewards take.
pub(crate) const fn rows_of(rewards: u32) -> u32 {
	rewards.div_ceil(REWARDS_PER_ROW)
}

/// Where a claim is noted: its row, the byte in it, and the bit of that byte.
pub(crate) fn place_of(index: u32) -> (u32, usize, u8) {
	let row = index.checked_div(REWARDS_PER_ROW).unwrap_or_default();
	let bit = index.checked_rem(REWARDS_PER_ROW).unwrap_or_default();
	let byte = usize::try_from(bit.checked_div(8).unwrap_or_default()).unwrap_or_default();
	let mask = 1u8
		.checked_shl(bit.checked_rem(8).unwrap_or_default())
		.unwrap_or_default();
	(row, byte, mask)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_reward_has_a_bit_of_its_own() {
		let places: std::collections::BTreeSet<_> = (0..3_000).map(place_of).collect();
		assert_eq!(places.len(), 3_000);
		assert!(places
			.iter()
			.all(|(row, byte, mask)| *row < 3 && *byte < ROW_BYTES && mask.count_ones() == 1));
		assert_eq!(place_of(1_023), (0, 127, 128));
		assert_eq!(place_of(1_024), (1, 0, 1));
		assert_eq!([1, 1_024, 1_025, 3_000].map(rows_of), [1, 1, 2, 3]);
	}
}
