//! The arithmetic of slashes, scores and rewards: functions of numbers alone.

use crate::types::{EpochRow, Terms};
use millrace_primitives::{Balance, U256};

/// One full miss in the fixed-point numbers of failure scores.
pub const FULL_MISS: u64 = 1 << 32;
/// A commitment whose score is above 24 full misses has failed.
pub const FAILURE_LIMIT: u64 = 24 * FULL_MISS;
/// `2^(−1/24)` in units of `2^-32`: a score halves in 24 epochs.
const DECAY: u64 = 4_172_697_914;

/// What missed units cost, rounded up.
pub fn miss_slash(terms: &Terms, missed: u32) -> Balance {
	terms
		.slash_rate
		.mul_ceil(terms.stake_per_unit.saturating_mul(Balance::from(missed)))
}

/// What an audit costs that is failed or not answered, on top of the misses.
///
/// Faking must lose against honest missing: the slash is three times what a faked report saves
/// (the reward and the miss slash of each unit), divided by the chance to be drawn, and between 5 %
/// and all of the committed stake.
///
/// The chance is taken as `k·u / (W + k·u)` with k draws, u of W units. Since drawing goes on for at
/// least k attempts, each of which hits the peer with u/W, its chance is at least
/// `1 − (1 − u/W)^k`, which is never below that fraction; the slash errs to the higher side.
pub fn audit_slash(terms: &Terms, units: u32, row: &EpochRow, proven: u32) -> Balance {
	let committed = U256::from(terms.stake_per_unit).saturating_mul(U256::from(units));
	let saved_per_unit = row.reward_per_unit().saturating_add(miss_slash(terms, 1));
	let tripled =
		U256::from(saved_per_unit).saturating_mul(U256::from(u64::from(units).saturating_mul(3)));
	let due = if row.audits >= row.reports {
		tripled
	} else {
		let hits = U256::from(row.audits).saturating_mul(U256::from(proven));
		let chances = U256::from(row.units).saturating_add(hits);
		div_ceil(tripled.saturating_mul(chances), hits)
	};
	let least = div_ceil(committed, U256::from(20u32));
	due.max(least)
		.min(committed)
		.try_into()
		.unwrap_or(Balance::MAX)
}

fn div_ceil(dividend: U256, divisor: U256) -> U256 {
	match (dividend.checked_div(divisor), dividend.checked_rem(divisor)) {
		(Some(quotient), Some(rest)) if rest.is_zero() => quotient,
		(Some(quotient), _) => quotient.saturating_add(U256::one()),
		(None, _) => U256::MAX,
	}
}

/// Failure score after one more epoch: what was there, decayed, and the part of the units that was
/// missed now.
///
/// Whoever misses everything from a score of zero is at 24.06 full misses after 40 epochs, so that
/// silence fails a commitment within [`crate::MAX_SETTLED_PER_STEP`].
pub fn next_score(score: u64, missed: u32, units: u32) -> u64 {
	let decayed = u128::from(score).saturating_mul(u128::from(DECAY)) >> 32;
	let added = u128::from(FULL_MISS)
		.saturating_mul(u128::from(missed))
		.checked_div(u128::from(units))
		.unwrap_or(0);
	u64::try_from(decayed.saturating_add(added)).unwrap_or(u64::MAX)
}

/// Score after so many wholly missed epochs.
pub fn score_of_silence(epochs: u32) -> u64 {
	(0..epochs).fold(0, |score, _| next_score(score, 1, 1))
}

/// Whether a commitment has failed: too many misses, or half of the committed stake gone.
pub fn has_failed(score: u64, slashed: Balance, committed: Balance) -> bool {
	score > FAILURE_LIMIT || slashed >= committed.div_ceil(2)
}

/// Reward of one idle unit: its share of the pool, up to a limit, rounded down.
pub fn reward_per_unit(pool: Balance, idle: u64, limit: Balance) -> Balance {
	pool.checked_div(Balance::from(idle))
		.unwrap_or(0)
		.min(limit)
}

/// Most reward of one unit: 1.1 times the target.
pub fn max_reward_per_unit(reward_target: Balance) -> Balance {
	reward_target.saturating_add(reward_target.saturating_div(10))
}

/// The pool of the next epoch: at most 1 % closer to the target for so many idle units.
pub fn next_pool(
	pool: Balance,
	idle: u64,
	reward_target: Balance,
	floor: Balance,
	ceiling: Balance,
) -> Balance {
	let wanted = reward_target
		.saturating_mul(Balance::from(idle))
		.max(floor)
		.min(ceiling);
	let step = pool.saturating_div(100);
	wanted
		.max(pool.saturating_sub(step))
		.min(pool.saturating_add(step))
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{capacity::WorkRates, FLT};
	use proptest::prelude::*;
	use sp_runtime::Perbill;

	fn terms() -> Terms {
		Terms {
			stake_per_unit: 100 * FLT,
			slash_rate: Perbill::from_parts(1_000_000),
			unbonding_epochs: 504,
			challenge_epochs: 24,
		}
	}

	fn row(audits: u32, reports: u32, units: u64) -> EpochRow {
		EpochRow {
			epoch: 0,
			target: U256::MAX,
			rates: WorkRates { idle: 4, busy: 1 },
			pool: FLT,
			max_reward_per_unit: FLT / 100,
			audits,
			reports,
			units,
			idle: units,
			leaves_owed: 0,
			leaves_proven: 0,
		}
	}

	#[test]
	fn silence_fails_after_forty_epochs_and_not_before() {
		assert!(score_of_silence(39) <= FAILURE_LIMIT);
		assert!(score_of_silence(40) > FAILURE_LIMIT);
	}

	#[test]
	fn a_score_halves_in_twenty_four_epochs() {
		let score = (0..24).fold(FULL_MISS, |score, _| next_score(score, 0, 1));
		assert!(score.abs_diff(FULL_MISS / 2) < 64, "{score}");
	}

	#[test]
	fn misses_are_slashed_rounded_up() {
		assert_eq!(miss_slash(&terms(), 3), 3 * FLT / 10);
		let odd = Terms {
			stake_per_unit: 1,
			..terms()
		};
		assert_eq!(miss_slash(&odd, 1), 1);
		assert_eq!(miss_slash(&odd, 0), 0);
	}

	#[test]
	fn an_audit_that_everybody_gets_costs_the_least() {
		// 3 × (0.01 + 0.1) FLT a unit is 0.33 % of the stake, below the least of 5 %.
		assert_eq!(audit_slash(&terms(), 10, &row(5, 5, 50), 10), 50 * FLT);
	}

	#[test]
	fn a_rare_audit_costs_more_and_never_more_than_everything() {
		// One draw among 1,000 units, 10 of them the peer's: a chance of 10 / 1,010, so that
		// 10 × 0.303 FLT (its share of the pool is 0.001 FLT a unit) become 306.03 FLT.
		assert_eq!(
			audit_slash(&terms(), 10, &row(1, 100, 1_000), 10),
			30_603 * FLT / 100
		);
		assert_eq!(
			audit_slash(&terms(), 10, &row(1, 100, 1_000_000), 1),
			1_000 * FLT
		);
	}

	#[test]
	fn half_of_the_stake_gone_is_failure() {
		assert!(!has_failed(0, 49, 100));
		assert!(has_failed(0, 50, 100));
		assert!(has_failed(FAILURE_LIMIT + 1, 0, 100));
	}

	proptest! {
		#[test]
		fn rewards_never_exceed_the_pool(pool in any::<u64>(), idle in 1u64..1_000_000) {
			let pool = Balance::from(pool);
			let paid = reward_per_unit(pool, idle, Balance::MAX) * Balance::from(idle);
			prop_assert!(paid <= pool && pool - paid < Balance::from(idle));
		}

		#[test]
		fn the_pool_moves_by_a_hundredth_at_most(
			pool in 100u128..u128::from(u64::MAX), idle in any::<u32>(), target in any::<u32>(),
		) {
			let next = next_pool(
				pool, u64::from(idle), Balance::from(target), 100, Balance::from(u64::MAX),
			);
			prop_assert!(next.abs_diff(pool) <= pool / 100);
		}
	}
}
