//! The schedule: most that can be given out in a year and in an epoch, functions of numbers alone.
//!
//! Year 0 has a fifth of the reserve, each following year four fifths of the one before. All years
//! together have less than the reserve, however many there are:
//!
//! ```text
//! 1/5 × (1 + 4/5 + (4/5)² + …) = 1
//! ```

use millrace_primitives::{Balance, EpochIndex};

/// Epochs of a year: 365.25 days of epochs of an hour.
pub const EPOCHS_PER_YEAR: u32 = 8_766;
/// One of so many parts: year 0 has it of the reserve, and each year loses it to the next.
pub const PARTS: Balance = 5;

/// Most that can be given out in a year, rounded down.
pub fn of_year(reserve: Balance, year: u32) -> Balance {
	let mut amount = part_of(reserve);
	for _ in 0..year {
		// After some 400 years there is nothing left to lose.
		if amount == 0 {
			break;
		}
		amount = amount.saturating_sub(amount.div_ceil(PARTS));
	}
	amount
}

/// Most that can be given out in an epoch, rounded down.
pub fn of_epoch(reserve: Balance, epoch: EpochIndex) -> Balance {
	let year = epoch.checked_div(EPOCHS_PER_YEAR).unwrap_or(0);
	of_year(reserve, year)
		.checked_div(Balance::from(EPOCHS_PER_YEAR))
		.unwrap_or(0)
}

fn part_of(amount: Balance) -> Balance {
	amount.checked_div(PARTS).unwrap_or(0)
}
