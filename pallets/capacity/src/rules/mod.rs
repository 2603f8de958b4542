//! The arithmetic of slashes, scores and rewards: functions of numbers alone.

mod pool;
mod score;
mod silence;
mod slash;
#[cfg(test)]
mod tests;
mod vesting;

pub use pool::{max_reward_per_unit, next_pool, reward_per_unit};
pub use score::{silence_fails_in_every_phase, Score, SILENT_EPOCHS};
pub use silence::{silence, Purse, Silence};
pub use slash::{audit_slash, audits, capped_reward, chance, miss_slash};
pub use vesting::{period_epochs, period_of, vested};

use millrace_primitives::U256;

/// The quotient rounded up; the largest number where the divisor is zero.
fn div_ceil(dividend: U256, divisor: U256) -> U256 {
	match (dividend.checked_div(divisor), dividend.checked_rem(divisor)) {
		(Some(quotient), Some(rest)) if rest.is_zero() => quotient,
		(Some(quotient), _) => quotient.saturating_add(U256::one()),
		(None, _) => U256::MAX,
	}
}
