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

/// Parts of solutions and targets are counted in millionths.
const WHOLE: u128 = 1_000_000;
/// Missing solutions that a target tolerates which has settled.
const TOLERATED: u128 = 1_000;
/// What one tolerates besides that is infinitely easier.
const MOST_BEYOND: u128 = WHOLE / 20;
/// Most by which a target becomes easier in an epoch.
const MOST_EASED: u128 = WHOLE / 10;

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

/// How hard an epoch's solutions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difficulty {
	/// The target.
	pub target: U256,
	/// Where the target has settled: what it has been for months.
	pub settled: U256,
}

impl Difficulty {
	/// A network begins at its class's reference.
	pub fn at(reference: U256) -> Self {
		Self {
			target: reference,
			settled: reference,
		}
	}

	/// That of the epoch after, by what was owed and proven in the latest epoch of which all reports
	/// are in.
	///
	/// The target moves by a quarter of the difference between the part of the owed solutions that
	/// is missing and the part that it tolerates: easier where more is missing, harder where less
	/// is. So whatever is withheld to ease it, and however, it is eased for as long as has been paid
	/// for. It becomes at most 10 % easier, and less than 1 % harder, as it tolerates at most 3.85 %.
	/// What is settled follows it, by a 5,000th of the difference upwards and a 1,000th downwards.
	/// Both lie within ×/÷ 2 of the reference, and stay where nothing is owed.
	pub fn next(self, reference: U256, proven: u64, owed: u64) -> Self {
		let missing = u128::from(owed.saturating_sub(proven)).saturating_mul(WHOLE);
		let Some(missing) = missing.checked_div(u128::from(owed)) else {
			return self.within(reference);
		};
		let Self { target, settled } = self;
		let tolerated = self.tolerated();
		let step = |part: u128| (target / WHOLE).saturating_mul(U256::from(part));
		let eased = missing.saturating_sub(tolerated) / 4;
		let next = Self {
			target: target
				.saturating_add(step(eased.min(MOST_EASED)))
				.saturating_sub(step(tolerated.saturating_sub(missing) / 4)),
			settled: settled
				.saturating_add(target.saturating_sub(settled) / 5_000)
				.saturating_sub(settled.saturating_sub(target) / 1_000),
		};
		next.within(reference)
	}

	/// Part of the owed solutions, in millionths, that may be missing before the target becomes
	/// easier: a thousandth where it has settled, and above it a twentieth of the part by which
	/// it is easier.
	///
	/// A target that is easier by that part saves as much of the hashing, to everybody. Missed
	/// units cost ten times as much as hashing, so a hand with a third of all units that keeps the
	/// target up pays for it half as much again as it saves.
	fn tolerated(self) -> u128 {
		let above = self.target.saturating_sub(self.settled);
		let part = above
			.checked_div(self.target / MOST_BEYOND)
			.unwrap_or_default()
			.min(MOST_BEYOND.into());
		part.low_u128().saturating_add(TOLERATED)
	}

	fn within(self, reference: U256) -> Self {
		let (least, most) = (reference / 2, reference.saturating_mul(U256::from(2)));
		Self {
			target: self.target.clamp(least, most),
			settled: self.settled.clamp(least, most),
		}
	}
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

	const REFERENCE: u64 = 1_000_000_000;

	/// Target and settled target after one epoch.
	fn next(target: u64, settled: u64, proven: u64, owed: u64) -> (u64, u64) {
		let difficulty = Difficulty {
			target: target.into(),
			settled: settled.into(),
		};
		let next = difficulty.next(REFERENCE.into(), proven, owed);
		(next.target.as_u64(), next.settled.as_u64())
	}

	#[test]
	fn a_settled_target_moves_by_a_quarter_of_what_misses_beyond_a_thousandth() {
		let target = |proven, owed| next(REFERENCE, REFERENCE, proven, owed);
		assert_eq!(target(0, 0), (REFERENCE, REFERENCE));
		assert_eq!(target(1_000, 1_000), (999_750_000, REFERENCE));
		assert_eq!(target(999, 1_000), (REFERENCE, REFERENCE));
		assert_eq!(target(9_989, 10_000), (1_000_025_000, REFERENCE));
		assert_eq!(target(950, 1_000), (1_012_250_000, REFERENCE));
		assert_eq!(target(599, 1_000), (1_100_000_000, REFERENCE));
		assert_eq!(target(0, 1_000), (1_100_000_000, REFERENCE));
		// A peer cannot prove more than it owes, and would change nothing.
		assert_eq!(target(1_001, 1_000), (999_750_000, REFERENCE));
	}

	#[test]
	fn an_eased_target_tolerates_more_and_comes_back_faster() {
		// A fifth of the hashing is saved: 1 % more is tolerated.
		assert_eq!(
			next(1_250_000_000, REFERENCE, 989, 1_000),
			(1_250_000_000, 1_000_050_000)
		);
		assert_eq!(
			next(1_250_000_000, REFERENCE, 1_000, 1_000).0,
			1_250_000_000 - 1_250 * 2_750
		);
		// A half, and 2.5 %.
		assert_eq!(next(2_000_000_000, REFERENCE, 974, 1_000).0, 2_000_000_000);
		assert_eq!(
			next(2_000_000_000, REFERENCE, 1_000, 1_000),
			(2_000_000_000 - 2_000 * 6_500, 1_000_200_000)
		);
		// Below the settled one there is nothing to come back from.
		assert_eq!(
			next(800_000_000, REFERENCE, 1_000, 1_000),
			(800_000_000 - 800 * 250, 999_800_000)
		);
	}

	#[test]
	fn targets_stay_near_the_reference() {
		assert_eq!(next(1_990_000_000, REFERENCE, 0, 1).0, 2 * REFERENCE);
		assert_eq!(next(500_000_100, REFERENCE, 1, 1).0, REFERENCE / 2);
		// Another reference holds from the next epoch on, whether anybody reports or not.
		let moved = (2 * REFERENCE, 2 * REFERENCE);
		assert_eq!(next(9 * REFERENCE, 8 * REFERENCE, 0, 0), moved);
		assert_eq!(next(9 * REFERENCE, 8 * REFERENCE, 1, 1), moved);
	}

	#[test]
	fn the_largest_and_the_smallest_numbers_do_not_overflow() {
		for reference in [U256::MAX, U256::MAX / 4, U256::from(2), U256::zero()] {
			let (least, most) = (U256::zero(), U256::MAX);
			for (target, settled) in [(least, most), (most, least), (most, most)] {
				let difficulty = Difficulty { target, settled };
				for (proven, owed) in [(0, u64::MAX), (u64::MAX, u64::MAX), (0, 1), (0, 0)] {
					let next = difficulty.next(reference, proven, owed);
					let most = reference.saturating_mul(U256::from(2));
					assert!(next.target <= most && next.settled <= most);
				}
			}
		}
		let reference = U256::MAX / 4;
		let harder = Difficulty::at(reference).next(reference, u64::MAX, u64::MAX);
		assert_eq!(harder.target, reference - reference / 1_000_000 * 250);
	}

	proptest! {
		#[test]
		fn a_step_is_small_and_more_that_is_missing_never_makes_it_harder(
			target in REFERENCE / 2..=2 * REFERENCE,
			settled in REFERENCE / 2..=2 * REFERENCE,
			owed in 1u64..1 << 40,
			parts in any::<[u64; 2]>(),
		) {
			let [one, other] = parts.map(|part| part % (owed + 1));
			let (less, more) = (one.min(other), one.max(other));
			let (easier, follows) = next(target, settled, less, owed);
			let (harder, same) = next(target, settled, more, owed);
			prop_assert!(easier >= harder);
			prop_assert!(easier <= target + target / 10 && harder >= target - target / 100);
			// What is settled goes by the target alone, towards it and not beyond.
			prop_assert_eq!(follows, same);
			prop_assert!((settled.min(target)..=settled.max(target)).contains(&follows));
		}

		/// Whatever is withheld, and whenever: the target is eased no further than what is missing,
		/// beyond what is tolerated meanwhile, pays for at a quarter.
		#[test]
		fn every_way_to_ease_a_target_costs_the_same(
			missing in prop::collection::vec(0u64..400_000, 1..300),
		) {
			let reference = U256::from(REFERENCE) << 64;
			let (mut now, mut tolerated, mut withheld) = (Difficulty::at(reference), 0.0, 0.0);
			for missing in missing {
				tolerated += now.tolerated() as f64 / 1e6;
				withheld += missing as f64 / 1e6;
				now = now.next(reference, 1_000_000 - missing, 1_000_000);
				// At its bounds a target moves by less than it should; nothing is to be shown there.
				if now.target <= reference / 2 {
					return Ok(());
				}
			}
			let eased = ((now.target >> 64).as_u64() as f64 / REFERENCE as f64).ln();
			prop_assert!(4.0 * eased <= withheld - tolerated + 2e-3, "{eased}");
		}

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
