//! What misses and audits cost, and how many audits it takes to deter.

use super::div_ceil;
use crate::types::EpochRow;
use millrace_primitives::{commitment::CommitmentTerms, Balance, U256};

/// What missed units cost, rounded up.
pub fn miss_slash(terms: &CommitmentTerms, missed: u32) -> Balance {
	terms
		.slash_rate
		.mul_ceil(terms.stake_per_unit.saturating_mul(Balance::from(missed)))
}

/// A peer's chance to be drawn, from below, as (numerator, denominator).
///
/// It is that of the draw that took place. Where all were to be drawn, the list is walked from a
/// random place, so that d of n are a uniform choice: d/n. Else d distinct peers took at least d
/// attempts, each of which hits the peer with u of W units: at least 1 − (1 − u/W)^d, which is
/// never below du/(W + du). A draw that was cut short makes the chance smaller, and the slash that
/// is divided by it larger.
pub fn chance(row: &EpochRow, proven: u32) -> (U256, U256) {
	if row.audits >= row.reports {
		return (U256::from(row.drawn), U256::from(row.reports));
	}
	let hits = U256::from(row.drawn).saturating_mul(U256::from(proven));
	(hits, U256::from(row.units).saturating_add(hits))
}

/// What an audit costs that is failed or not answered, on top of the misses.
///
/// Faking must lose against honest missing: the slash is three times what a faked report saves
/// (the reward and the miss slash of each unit), divided by the chance to be drawn, and between the
/// least part that was agreed to and all of what is committed.
pub fn audit_slash(terms: &CommitmentTerms, units: u32, row: &EpochRow, proven: u32) -> Balance {
	let committed = terms.stake_per_unit.saturating_mul(Balance::from(units));
	let saved = row.reward_per_unit().saturating_add(miss_slash(terms, 1));
	let tripled = tripled(saved).saturating_mul(U256::from(units));
	let (hits, of) = chance(row, proven);
	// Without a hit the quotient is the largest number there is, and so all is taken.
	let due = div_ceil(tripled.saturating_mul(of), hits);
	let least = U256::from(terms.least_audit_slash.mul_ceil(committed));
	due.max(least)
		.min(committed.into())
		.try_into()
		.unwrap_or(Balance::MAX)
}

/// How many reports of an epoch are audited: as many as deter, at least as many as the row asks
/// for, at most as many as can be answered.
///
/// With k draws a peer of one unit of W is drawn with a chance of at least k/(W + k). Its audit
/// slash stays below its stake s, where no slash could follow what a fake saves, if that chance is
/// at least y/s, with y three times what the fake saves.
pub fn audits(row: &EpochRow, answerable: u32) -> u32 {
	let all = row.reports;
	let saved = saved_by_fake(row);
	let stake = U256::from(row.stake_per_unit);
	let deterring = match stake.checked_sub(saved) {
		Some(rest) if !rest.is_zero() => {
			let wanted = div_ceil(saved.saturating_mul(U256::from(row.units)), rest);
			u32::try_from(wanted).unwrap_or(all)
		}
		_ => all,
	};
	deterring.max(row.audits).min(all).min(answerable)
}

/// The most that a unit is rewarded with, so that the audits that are drawn deter.
///
/// It is below the row's own maximum only where they would not.
pub fn capped_reward(row: &EpochRow) -> Balance {
	let audits = U256::from(row.audits);
	let chances = if row.audits >= row.reports {
		audits
	} else {
		audits.saturating_add(U256::from(row.units))
	};
	// What may be lost at most, times the chance to lose it.
	let risk = U256::from(row.stake_per_unit).saturating_mul(audits);
	if saved_by_fake(row).saturating_mul(chances) <= risk {
		return row.max_reward_per_unit;
	}
	let bearable = risk
		.checked_div(chances.saturating_mul(U256::from(3u32)))
		.and_then(|most| Balance::try_from(most).ok())
		.unwrap_or(0);
	bearable
		.saturating_sub(row.miss_cost)
		.min(row.max_reward_per_unit)
}

/// Three times what faking one unit saves: its reward, and the cost of a miss.
fn saved_by_fake(row: &EpochRow) -> U256 {
	tripled(row.reward_per_unit().saturating_add(row.miss_cost))
}

fn tripled(amount: Balance) -> U256 {
	U256::from(amount).saturating_mul(U256::from(3u32))
}
