//! The pool of rewards. Amounts are FLT for an epoch, and FLT for a unit and an epoch.

use millrace_primitives::Balance;

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

/// The pool of the next epoch: at most a hundredth closer to the target for so many idle units, and
/// never above what the schedule of emission allows.
///
/// A step is at least a hundredth of the floor, so that a pool which the schedule once pressed to
/// nothing recovers.
pub fn next_pool(
	pool: Balance,
	idle: u64,
	reward_target: Balance,
	floor: Balance,
	limit: Balance,
) -> Balance {
	let wanted = reward_target.saturating_mul(Balance::from(idle)).max(floor);
	let step = pool.max(floor).saturating_div(100);
	wanted
		.max(pool.saturating_sub(step))
		.min(pool.saturating_add(step))
		.min(limit)
}
