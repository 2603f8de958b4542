//! The pool of rewards. Amounts are FLT for an epoch, and FLT for a unit and an epoch.

use millrace_primitives::Balance;
use sp_runtime::Perbill;

/// Reward of one idle unit: its share of the pool, up to a limit, rounded down.
pub fn reward_per_unit(pool: Balance, idle: u64, limit: Balance) -> Balance {
	pool.checked_div(Balance::from(idle))
		.unwrap_or(0)
		.min(limit)
}

/// Most reward of one unit: the target, and a part of it besides.
pub fn max_reward_per_unit(reward_target: Balance, headroom: Perbill) -> Balance {
	reward_target.saturating_add(headroom.mul_floor(reward_target))
}

/// The pool of the next epoch: at most a step, which is a part of it, closer to the target for so many
/// idle units, and never above what the schedule of emission allows.
///
/// A step is at least as large a part of the floor, so that a pool which the schedule once pressed to
/// nothing recovers.
pub fn next_pool(
	pool: Balance,
	idle: u64,
	reward_target: Balance,
	floor: Balance,
	step: Perbill,
	limit: Balance,
) -> Balance {
	let wanted = reward_target.saturating_mul(Balance::from(idle)).max(floor);
	let step = step.mul_floor(pool.max(floor));
	wanted
		.max(pool.saturating_sub(step))
		.min(pool.saturating_add(step))
		.min(limit)
}
