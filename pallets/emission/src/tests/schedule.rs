//! Years and epochs in numbers.

use crate::schedule::{of_epoch, of_year, EPOCHS_PER_YEAR};
use millrace_primitives::{Balance, EpochIndex, FLT};
use proptest::prelude::*;

const RESERVE: Balance = 300_000_000 * FLT;
const README: &str = include_str!("../../README.md");

/// An amount as people write it, with a sign after each three digits before the point.
fn written(amount: Balance) -> String {
	let (whole, rest) = (amount / FLT, amount % FLT);
	let digits = whole.to_string();
	let mut text = String::new();
	for (index, digit) in digits.chars().enumerate() {
		if index > 0 && (digits.len() - index).is_multiple_of(3) {
			text.push(',');
		}
		text.push(digit);
	}
	// Two places, rounded down.
	format!("{text}.{:02}", rest / (FLT / 100))
}

#[test]
fn the_first_year_has_a_fifth_and_each_other_four_fifths_of_the_one_before() {
	assert_eq!(of_year(RESERVE, 0), 60_000_000 * FLT);
	assert_eq!(of_year(RESERVE, 1), 48_000_000 * FLT);
	assert_eq!(of_year(RESERVE, 2), 38_400_000 * FLT);
	assert_eq!(of_year(RESERVE, 10), 6_442_450_944 * FLT / 1_000);
	// Rounded down, also where little is left.
	let years: Vec<Balance> = (0..6).map(|year| of_year(26, year)).collect();
	assert_eq!(years, [5, 4, 3, 2, 1, 0]);
}

#[test]
fn a_year_is_shared_equally_by_its_epochs() {
	let first = 60_000_000 * FLT / 8_766;
	for epoch in [0, 1, 8_765] {
		assert_eq!(of_epoch(RESERVE, epoch), first, "{epoch}");
	}
	let second = 48_000_000 * FLT / 8_766;
	for epoch in [8_766, 2 * 8_766 - 1] {
		assert_eq!(of_epoch(RESERVE, epoch), second, "{epoch}");
	}
}

#[test]
fn it_ends_and_never_overflows() {
	assert_eq!(of_epoch(RESERVE, EpochIndex::MAX), 0);
	assert_eq!(of_year(Balance::MAX, u32::MAX), 0);
	assert_eq!(of_year(Balance::MAX, 0), Balance::MAX / 5);
	assert_eq!((of_year(0, 0), of_epoch(0, 0)), (0, 0));
}

#[test]
fn all_epochs_together_have_nearly_the_reserve_and_never_more() {
	let mut all: Balance = 0;
	for year in 0..1_000 {
		all += of_epoch(RESERVE, year * EPOCHS_PER_YEAR) * Balance::from(EPOCHS_PER_YEAR);
		assert!(all < RESERVE, "year {year}");
	}
	assert!(RESERVE - all < FLT / 1_000, "{}", RESERVE - all);
}

/// The table of the README.
#[test]
fn the_table_of_the_readme() {
	let mut all = 0;
	for year in 0..10 {
		let (amount, epoch) = (
			of_year(RESERVE, year),
			of_epoch(RESERVE, year * EPOCHS_PER_YEAR),
		);
		all += amount;
		let row = format!(
			"| {year} | {} | {} | {} |",
			written(amount),
			written(epoch),
			written(RESERVE - all)
		);
		assert!(README.contains(&row), "the README should have: {row}");
	}
}

proptest! {
	#[test]
	fn no_reserve_is_ever_used_up(reserve in any::<Balance>(), years in 1u32..600) {
		let mut all: Balance = 0;
		for year in 0..years {
			let amount = of_year(reserve, year);
			prop_assert!(amount <= reserve / 5);
			all = all.checked_add(amount).expect("less than the reserve");
		}
		prop_assert!(all < reserve || reserve == 0);
	}

	#[test]
	fn no_epoch_has_more_than_one_before(reserve in any::<Balance>(), epoch in 0..EpochIndex::MAX) {
		prop_assert!(of_epoch(reserve, epoch + 1) <= of_epoch(reserve, epoch));
	}
}
