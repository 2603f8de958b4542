//! How fast the search is: hashes per second over a short while.

use millrace_primitives::U256;
use std::{
	collections::VecDeque,
	time::{Duration, Instant},
};

/// Time that the rate is taken over.
const SPAN: Duration = Duration::from_secs(30);
/// Least time that says anything.
const LEAST: Duration = Duration::from_secs(1);

/// Counts of hashes, a second apart.
#[derive(Debug, Default)]
pub(crate) struct Window {
	began: Option<Instant>,
	samples: VecDeque<(Instant, u64)>,
}

impl Window {
	/// A search begins.
	pub(crate) fn begin(&mut self, now: Instant, hashes: u64) {
		self.began = Some(now);
		self.samples.clear();
		self.samples.push_back((now, hashes));
	}

	/// Nothing is searched any more.
	pub(crate) fn end(&mut self) {
		*self = Self::default();
	}

	/// Notes the count.
	pub(crate) fn sample(&mut self, now: Instant, hashes: u64) {
		if self.began.is_none() {
			return;
		}
		self.samples.push_back((now, hashes));
		// The oldest of those that are left is the last that is old enough.
		while self.samples.len() > 2 && self.age(1, now) >= SPAN {
			self.samples.pop_front();
		}
	}

	fn age(&self, index: usize, now: Instant) -> Duration {
		let sample = self.samples.get(index);
		sample.map_or(Duration::ZERO, |(at, _)| now.saturating_duration_since(*at))
	}

	/// Hashes per second; 0 before a second has passed.
	pub(crate) fn rate(&self, now: Instant, hashes: u64) -> f64 {
		let Some((_, before)) = self.samples.front() else {
			return 0.0;
		};
		let age = self.age(0, now);
		if age < LEAST {
			return 0.0;
		}
		hashes.saturating_sub(*before) as f64 / age.as_secs_f64()
	}

	/// Seconds since the search began.
	pub(crate) fn seconds(&self, now: Instant) -> f64 {
		let passed = |began| now.saturating_duration_since(began).as_secs_f64();
		self.began.map_or(0.0, passed)
	}
}

/// Hashes that a solution takes on average.
pub(crate) fn hashes_per_solution(target: U256) -> f64 {
	let limbs = target.0.iter().rev();
	let target = limbs.fold(0.0, |sum, limb| sum * 2f64.powi(64) + *limb as f64);
	2f64.powi(256) / (target + 1.0)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_rate_is_that_of_the_last_half_minute() {
		let start = Instant::now();
		let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
		let mut window = Window::default();
		window.sample(at(0.0), 9);
		assert_eq!(window.rate(at(1.0), 9), 0.0);
		window.begin(at(0.0), 500);
		assert_eq!(window.rate(at(0.5), 600), 0.0, "too early to say");
		assert_eq!(window.rate(at(2.0), 700), 100.0);
		// A minute at 100 a second, then at 10.
		let count =
			|second: u32| 500 + u64::from(second.min(60) * 100 + second.saturating_sub(60) * 10);
		for second in 1..=200 {
			window.sample(at(f64::from(second)), count(second));
			assert!(window.samples.len() <= 32, "{}", window.samples.len());
			let rate = window.rate(at(f64::from(second)), count(second));
			let expected = match second {
				..=60 => 100.0..=100.0,
				61..=89 => 10.0..=100.0,
				_ => 10.0..=10.0,
			};
			assert!(expected.contains(&rate), "{rate} in second {second}");
		}
		assert_eq!(window.seconds(at(200.0)), 200.0);
		window.end();
		assert_eq!(
			(window.rate(at(201.0), 9_999), window.seconds(at(201.0))),
			(0.0, 0.0)
		);
	}

	#[test]
	fn a_target_says_how_many_hashes_are_needed() {
		assert_eq!(hashes_per_solution(U256::MAX), 1.0);
		assert_eq!(hashes_per_solution(U256::MAX >> 2), 4.0);
		assert_eq!(hashes_per_solution(U256::MAX >> 20), 1_048_576.0);
		assert_eq!(hashes_per_solution(U256::zero()), 2f64.powi(256));
	}
}
