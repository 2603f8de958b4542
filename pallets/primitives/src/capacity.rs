//! Capacity proofs: what a unit owes, what a solution is, how targets move.

use crate::{peer::PeerId, H256, U256};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Numbers of units at work begin here, those of idle units at 0: a solution for the one is
/// never one for the other.
pub const BUSY_UNITS: u32 = 1 << 31;

/// Most units of a peer.
pub const MAX_UNITS: u32 = 1 << 16;

/// What a solution solves. The encoding ends in the nonce, so a prover rewrites 8 bytes a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Puzzle {
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// The peer that owes the work.
	pub peer: PeerId,
	/// Number of the unit.
	pub unit: u32,
	/// Number of the solution, below what the unit owes.
	pub k: u32,
}

impl Puzzle {
	/// RandomX input of a nonce. The key is the epoch's seed.
	pub fn input(&self, nonce: u64) -> Vec<u8> {
		(self, nonce).encode()
	}
}

/// Whether a RandomX hash, read as a little-endian 256-bit number, meets the target.
pub fn meets(hash: &[u8; 32], target: U256) -> bool {
	U256::from_little_endian(hash) <= target
}

/// Solutions that units owe in an epoch.
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
pub struct WorkRates {
	/// `m`: solutions of an idle unit.
	pub idle: u32,
	/// Solutions of a unit at work: `m / 8`, at least 1, so that parked deals need hardware.
	pub busy: u32,
}

impl WorkRates {
	/// Leaves of the tree that proves so many units.
	pub fn leaves(&self, proven_idle: u32, proven_busy: u32) -> u64 {
		let idle = u64::from(proven_idle).saturating_mul(u64::from(self.idle));
		let busy = u64::from(proven_busy).saturating_mul(u64::from(self.busy));
		idle.saturating_add(busy)
	}

	/// Unit and k of the leaf at `index`: idle units first, in order (unit, k).
	pub fn leaf(&self, proven_idle: u32, proven_busy: u32, index: u64) -> Option<(u32, u32)> {
		let idle_leaves = self.leaves(proven_idle, 0);
		let (offset, rate, first) = match index.checked_sub(idle_leaves) {
			None => (index, self.idle, 0),
			Some(rest) if index < self.leaves(proven_idle, proven_busy) => {
				(rest, self.busy, BUSY_UNITS)
			}
			Some(_) => return None,
		};
		let unit = u32::try_from(offset.checked_div(u64::from(rate))?).ok()?;
		let k = u32::try_from(offset.checked_rem(u64::from(rate))?).ok()?;
		Some((first.checked_add(unit)?, k))
	}
}

/// The target of an epoch from that of the one before and the reports of two before.
///
/// When nearly all owed work arrives (98 % or more), the next target is 1 % harder; when under
/// 90 % does, easier by the part that is missing, at most 10 %. Without reports it stays. The
/// result lies within ×/÷ 2 of the class's reference.
pub fn next_target(current: U256, reference: U256, proven: u64, owed: u64) -> U256 {
	let moved = if owed == 0 {
		current
	} else {
		let percent = proven
			.min(owed)
			.saturating_mul(100)
			.checked_div(owed)
			.unwrap_or(100);
		let hundredth = current / 100;
		match percent {
			98.. => current.saturating_sub(hundredth),
			90..=97 => current,
			low => {
				current.saturating_add(hundredth.saturating_mul(U256::from((100 - low).min(10))))
			}
		}
	};
	moved.clamp(reference / 2, reference.saturating_mul(U256::from(2)))
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn the_nonce_is_the_inputs_last_eight_bytes() {
		let puzzle = Puzzle {
			genesis: H256::repeat_byte(1),
			peer: PeerId::default(),
			unit: 7,
			k: 2,
		};
		let (one, two) = (puzzle.input(1), puzzle.input(u64::MAX));
		let split = one.len() - 8;
		assert_eq!(one[..split], two[..split]);
		assert_eq!(two[split..], [0xff; 8]);
	}

	#[test]
	fn hashes_are_little_endian_numbers() {
		let mut hash = [0u8; 32];
		hash[0] = 2;
		assert!(meets(&hash, U256::from(2)));
		assert!(!meets(&hash, U256::from(1)));
	}

	#[test]
	fn targets_move_a_little_and_stay_near_the_reference() {
		let reference = U256::from(1_000_000u64);
		assert_eq!(next_target(reference, reference, 0, 0), reference);
		assert_eq!(
			next_target(reference, reference, 98, 100),
			U256::from(990_000u64)
		);
		assert_eq!(next_target(reference, reference, 95, 100), reference);
		assert_eq!(
			next_target(reference, reference, 85, 100),
			U256::from(1_100_000u64)
		);
		assert_eq!(
			next_target(reference, reference, 0, 100),
			U256::from(1_100_000u64)
		);
		let mut target = reference;
		for _ in 0..200 {
			target = next_target(target, reference, 100, 100);
		}
		assert_eq!(target, reference / 2);
	}

	proptest! {
		#[test]
		fn leaves_are_numbered_in_order_of_unit_and_k(
			idle in 0u32..40, busy in 0u32..40, m in 1u32..40,
		) {
			let rates = WorkRates { idle: m, busy: (m / 8).max(1) };
			let mut naive = Vec::new();
			for unit in 0..idle {
				naive.extend((0..rates.idle).map(|k| (unit, k)));
			}
			for unit in 0..busy {
				naive.extend((0..rates.busy).map(|k| (BUSY_UNITS + unit, k)));
			}
			prop_assert_eq!(rates.leaves(idle, busy), naive.len() as u64);
			for (index, expected) in naive.iter().enumerate() {
				prop_assert_eq!(rates.leaf(idle, busy, index as u64), Some(*expected));
			}
			prop_assert_eq!(rates.leaf(idle, busy, naive.len() as u64), None);
		}
	}
}
