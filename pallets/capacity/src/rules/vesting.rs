//! When rewards vest: in periods, a thirtieth of the vesting time each.

use crate::types::Bucket;
use millrace_primitives::{Balance, EpochIndex, U256};

/// Periods in the time over which a reward vests.
const PERIODS: u32 = 30;

/// Epochs of a period: all rewards of one begin to vest together, at its end.
pub fn period_epochs(vesting_epochs: u32) -> u32 {
	vesting_epochs.div_ceil(PERIODS).max(1)
}

/// The period of an epoch.
pub fn period_of(epoch: EpochIndex, vesting_epochs: u32) -> u32 {
	// A period is never empty.
	epoch
		.checked_div(period_epochs(vesting_epochs))
		.unwrap_or(0)
}

/// What of a bucket has vested: linear in time, rounded down, so never early.
pub fn vested(bucket: &Bucket, now: EpochIndex) -> Balance {
	let elapsed = now.saturating_sub(bucket.start);
	if elapsed >= bucket.epochs {
		return bucket.amount;
	}
	U256::from(bucket.amount)
		.saturating_mul(U256::from(elapsed))
		.checked_div(U256::from(bucket.epochs))
		// Less than the amount, since less than all of the time has passed.
		.and_then(|vested| Balance::try_from(vested).ok())
		.unwrap_or(bucket.amount)
}
