//! Figures of measurements.

use std::time::Duration;

/// A time in milliseconds.
pub fn ms(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}

/// A percentile by the nearest rank: always a value that occurred.
pub fn percentile(values: &[f64], percent: usize) -> f64 {
	let mut values = values.to_vec();
	values.sort_by(f64::total_cmp);
	let rank = (values.len() * percent).div_ceil(100).max(1);
	*values.get(rank - 1).expect("something was measured")
}

/// The median, by the nearest rank.
pub fn median(values: &[f64]) -> f64 {
	percentile(values, 50)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn percentiles_are_values_that_occurred() {
		let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
		assert_eq!(median(&values), 100.0);
		assert_eq!(percentile(&values, 99), 198.0);
		assert_eq!(percentile(&[7.0], 99), 7.0);
	}
}
