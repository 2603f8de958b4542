//! What samples of a point came to, compared with honest work.

use crate::{chain::parameters, grid::Point, run::Outcome};
use millrace_primitives::{EpochIndex, FLT};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Part of the samples that must end below honest work.
pub const BAR: f64 = 0.99;
/// Standard deviations by which the mean of the first samples must be below honest work for these to
/// settle a point. With a confidence of 95 %, 99 % of a normal distribution lie below the mean of ten
/// of its samples and 3.98 of their deviations; with thirty samples the confidence is above 99 %.
const CLEARLY: f64 = 4.0;

/// What a point came to in networks of one size, at one cost of hashing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
	/// Always "economics".
	pub measure: String,
	/// The way to cheat.
	pub cheat: String,
	/// Its parameters, who tries it, and `h`: the cost of hashing as a part of the reward.
	pub point: Map<String, Value>,
	/// Peers of the network.
	pub peers: u32,
	/// Epochs.
	pub epochs: EpochIndex,
	/// Samples that were asked for; fewer were made if the first ones settled it.
	pub wanted: u32,
	/// Samples.
	pub samples: usize,
	/// Part of them that ended with less than honest work.
	pub below: f64,
	/// 99th percentile of what the cheat has more than honest work, in FLT for each unit.
	pub margin_p99: f64,
	/// The mean of it.
	pub margin_mean: f64,
	/// Its standard deviation, as far as the samples show it.
	pub margin_spread: f64,
	/// Median of what honest work brings, in FLT for each unit.
	pub honest_median: f64,
	/// Median of what the cheat brings.
	pub cheat_median: f64,
	/// Most that a stranger lost for each FLT of the cheat's own loss.
	pub harm: f64,
	/// Whether it only shows what luck can do.
	pub luck: bool,
	/// Seconds that the point took, all costs of hashing together.
	pub seconds: f64,
	/// [`parameters`] that it was measured under.
	pub parameters: String,
}

impl Row {
	/// The cost of hashing, as a part of the reward.
	pub fn hashing(&self) -> f64 {
		self.point.get("h").and_then(Value::as_f64).unwrap_or(0.0)
	}

	/// Whether the bar holds; it always does where there is none.
	pub fn holds(&self) -> bool {
		self.luck || self.below >= BAR
	}

	/// Whether its samples, if they are ten or more, leave no doubt: all end below honest work, and their
	/// mean far enough below it for all that they vary.
	pub fn is_clear(&self) -> bool {
		self.below >= 1.0 && self.margin_mean + CLEARLY * self.margin_spread < 0.0
	}

	/// Names what was measured, but for the cost of hashing.
	pub fn key(&self) -> String {
		let mut point = self.point.clone();
		point.remove("h");
		key(&self.cheat, &point, self.peers, self.luck)
	}
}

/// Names a point in networks of one size.
pub fn key(cheat: &str, point: &Map<String, Value>, peers: u32, luck: bool) -> String {
	format!("{cheat} {} {peers} {luck}", Value::from(point.clone()))
}

/// Compares samples at one cost of hashing.
pub(crate) fn row(
	point: &Point,
	peers: u32,
	part: f64,
	pairs: &[(Outcome, Outcome)],
	group: usize,
) -> Row {
	let reward = pallet_capacity::CapacityParams::default().reward_target_per_unit;
	let hashing = part * reward as f64 / FLT as f64;
	let mean = |sum: f64, of: usize| sum / of.max(1) as f64;
	let nets: Vec<(f64, f64)> = pairs
		.chunks(group)
		.map(|chunk| {
			let sums = chunk.iter().fold((0.0, 0.0), |sums, (cheat, honest)| {
				(sums.0 + cheat.net(hashing), sums.1 + honest.net(hashing))
			});
			(mean(sums.0, chunk.len()), mean(sums.1, chunk.len()))
		})
		.collect();
	let margins: Vec<f64> = nets.iter().map(|(cheat, honest)| cheat - honest).collect();
	let below = margins.iter().filter(|margin| **margin < 0.0).count();
	let margin_mean = mean(margins.iter().sum(), margins.len());
	let squares = margins.iter().map(|margin| (margin - margin_mean).powi(2));
	let margin_spread = mean(squares.sum(), margins.len().saturating_sub(1)).sqrt();
	let mut parameters_of_point = point.parameters();
	parameters_of_point.insert("h".into(), part.into());
	Row {
		measure: "economics".into(),
		cheat: point.strategy.name().into(),
		point: parameters_of_point,
		peers,
		epochs: 0,
		wanted: 0,
		samples: nets.len(),
		below: mean(below as f64, nets.len()),
		margin_p99: percentile(&margins, 0.99),
		margin_mean,
		margin_spread,
		honest_median: percentile(&nets.iter().map(|net| net.1).collect::<Vec<_>>(), 0.5),
		cheat_median: percentile(&nets.iter().map(|net| net.0).collect::<Vec<_>>(), 0.5),
		harm: pairs
			.iter()
			.fold(0.0, |most, (cheat, _)| cheat.harm.max(most)),
		luck: point.luck,
		seconds: 0.0,
		parameters: parameters(),
	}
}

/// The smallest number that so large a part of all is not above.
fn percentile(numbers: &[f64], part: f64) -> f64 {
	let mut sorted = numbers.to_vec();
	sorted.sort_by(f64::total_cmp);
	let rank = (part * sorted.len() as f64).ceil() as usize;
	sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Margins over honest work, where honest work has nothing and hashing costs nothing.
	fn of_margins(margins: &[f64]) -> Row {
		let point = &crate::grid::whole()[0];
		let pairs: Vec<(Outcome, Outcome)> = margins
			.iter()
			.map(|margin| {
				let cheat = Outcome {
					gain: *margin,
					..Outcome::default()
				};
				(cheat, Outcome::default())
			})
			.collect();
		row(point, 1_000, 0.5, &pairs, 1)
	}

	#[test]
	fn few_samples_settle_only_what_is_far_below() {
		let ten = |spread: f64| {
			let margins: Vec<f64> = (0..10)
				.map(|at| {
					if at % 2 == 0 {
						-1.0 - spread
					} else {
						-1.0 + spread
					}
				})
				.collect();
			of_margins(&margins)
		};
		// The deviation of ten, five at each side, is the square root of 10/9 times theirs.
		let row = ten(0.2);
		assert!((row.margin_mean + 1.0).abs() < 1e-9);
		assert!((row.margin_spread - 0.2 * (10f64 / 9.0).sqrt()).abs() < 1e-9);
		assert!(row.is_clear());
		assert!(ten(0.23).is_clear() && !ten(0.24).is_clear());
		// One that gains leaves a doubt, however little it is.
		let mut margins = [-1.0; 100];
		assert!(of_margins(&margins).is_clear());
		margins[99] = 0.0;
		assert!(!of_margins(&margins).is_clear());
		assert!(of_margins(&margins).holds());
	}

	#[test]
	fn percentiles_are_members_of_the_sample() {
		let numbers: Vec<f64> = (1..=200).rev().map(f64::from).collect();
		assert_eq!(percentile(&numbers, 0.5), 100.0);
		assert_eq!(percentile(&numbers, 0.99), 198.0);
		assert_eq!(percentile(&[3.0], 0.99), 3.0);
		assert_eq!(percentile(&[], 0.5), 0.0);
	}
}
