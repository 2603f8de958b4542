//! Work as a matter of luck: how many solutions cores find in an epoch, and where targets settle.

use millrace_primitives::{capacity::Difficulty, U256};

/// Solutions that an idle unit owes.
pub const LEAVES_OF_UNIT: f64 = 32.0;
/// Units of a peer, one on each of its cores. Its cores search together.
pub const UNITS_OF_PEER: u32 = 8;
/// Solutions that a core finds in an epoch at the class's reference: it needs half of an epoch for
/// those of one unit.
const FOUND_AT_REFERENCE: f64 = 2.0 * LEAVES_OF_UNIT;
/// Below so many expected solutions the Poisson distribution is drawn from directly.
const FEW: f64 = 30.0;

/// A row of random numbers (splitmix64): the same for the same seed on every machine.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
	/// The numbers of one agent in one epoch of one run. Two runs that differ in what agents do share
	/// their luck.
	pub fn new(seed: u64, agent: u64, epoch: u64) -> Self {
		let mut dice = Self(seed);
		for part in [agent, epoch] {
			dice.0 = dice.word() ^ part;
		}
		dice
	}

	fn word(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^ (mixed >> 31)
	}

	/// A number from 0 up to and without 1.
	pub fn part(&mut self) -> f64 {
		(self.word() >> 11) as f64 / (1u64 << 53) as f64
	}

	/// Whether something of this chance happens.
	pub fn happens(&mut self, chance: f64) -> bool {
		self.part() < chance
	}

	/// A number that is rounded up or down, so that the mean stays what it is.
	pub fn round(&mut self, number: f64) -> u32 {
		let down = number.floor();
		down as u32 + u32::from(self.happens(number - down))
	}

	/// A number of the standard normal distribution.
	pub fn normal(&mut self) -> f64 {
		// Never the logarithm of zero.
		let radius = (-2.0 * (1.0 - self.part()).ln()).sqrt();
		radius * (std::f64::consts::TAU * self.part()).cos()
	}

	/// A number of events of which so many are expected.
	pub fn count(&mut self, expected: f64) -> f64 {
		if expected > FEW {
			return (expected + expected.sqrt() * self.normal())
				.round()
				.max(0.0);
		}
		let (limit, mut product, mut events) = ((-expected).exp(), self.part(), 0.0);
		while product > limit {
			product *= self.part();
			events += 1.0;
		}
		events
	}
}

/// Where the target of the simulated network of honest peers stands, as a multiple of the class's
/// reference: followed by the pallet's own rule until it has settled.
pub fn settled_ratio() -> f64 {
	const OWED: u64 = 1_000_000_000;
	let reference = U256::one() << 200;
	let mut difficulty = Difficulty::at(reference);
	let mut sum = 0.0;
	for step in 0..4_000 {
		let missing = missing_part(ratio(difficulty.target, reference));
		let proven = OWED - (OWED as f64 * missing) as u64;
		difficulty = difficulty.next(reference, proven, OWED);
		if step >= 3_000 {
			sum += ratio(difficulty.target, reference);
		}
	}
	sum / 1_000.0
}

/// One target as a multiple of another.
pub fn ratio(target: U256, reference: U256) -> f64 {
	// Both are near each other, so that the same bits of both tell enough.
	let shift = reference.bits().saturating_sub(50);
	(target >> shift).low_u64() as f64 / (reference >> shift).low_u64() as f64
}

/// A target that is so many times another.
pub fn scaled(reference: U256, ratio: f64) -> U256 {
	(reference >> 32).saturating_mul(U256::from((ratio * 4_294_967_296.0) as u64))
}

/// Solutions that a core is expected to find in an epoch at a target, given as a multiple of the
/// reference.
pub fn found_by_core(ratio: f64) -> f64 {
	FOUND_AT_REFERENCE * ratio
}

/// Part of its units that an honest peer is expected to miss.
fn missing_part(ratio: f64) -> f64 {
	moments(ratio).0 / f64::from(UNITS_OF_PEER)
}

/// Units that an honest peer misses: expected, and expected of the square.
fn moments(ratio: f64) -> (f64, f64) {
	let expected = found_by_core(ratio) * f64::from(UNITS_OF_PEER);
	(1..=UNITS_OF_PEER).fold((0.0, 0.0), |(first, second), missing| {
		let enough = LEAVES_OF_UNIT * f64::from(UNITS_OF_PEER - missing + 1);
		let chance = below((enough - 0.5 - expected) / expected.sqrt());
		(first + chance, second + f64::from(2 * missing - 1) * chance)
	})
}

/// Units that so many honest peers miss together in an epoch.
pub fn missed_by(peers: u32, ratio: f64, dice: &mut Dice) -> f64 {
	if peers <= 256 {
		let expected = found_by_core(ratio) * f64::from(UNITS_OF_PEER);
		let miss = |dice: &mut Dice| {
			let proven = (dice.count(expected) / LEAVES_OF_UNIT).floor();
			(f64::from(UNITS_OF_PEER) - proven).max(0.0)
		};
		return (0..peers).map(|_| miss(dice)).sum();
	}
	let (first, second) = moments(ratio);
	let spread = (f64::from(peers) * (second - first * first).max(0.0)).sqrt();
	let sum = f64::from(peers) * first + spread * dice.normal();
	sum.round().clamp(0.0, f64::from(peers * UNITS_OF_PEER))
}

/// Chance that a number of the standard normal distribution is below `x` (Abramowitz and Stegun,
/// 7.1.26: right to 10^-7).
fn below(x: f64) -> f64 {
	let z = x.abs() / std::f64::consts::SQRT_2;
	let t = 1.0 / (1.0 + 0.327_591_1 * z);
	let polynomial = [
		1.061_405_429,
		-1.453_152_027,
		1.421_413_741,
		-0.284_496_736,
		0.254_829_592,
	]
	.iter()
	.fold(0.0, |sum, factor| (sum + factor) * t);
	let upper = polynomial * (-z * z).exp() / 2.0;
	if x < 0.0 {
		upper
	} else {
		1.0 - upper
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_normal_distribution_is_known_at_its_tables_points() {
		for (x, expected) in [
			(0.0, 0.5),
			(1.0, 0.841_345),
			(-2.0, 0.022_750),
			(-3.0, 0.001_350),
		] {
			assert!((below(x) - expected).abs() < 1e-6, "{x}: {}", below(x));
		}
	}

	#[test]
	fn counts_have_the_mean_and_the_spread_that_they_should() {
		for expected in [2.0, 300.0] {
			let mut dice = Dice::new(7, 1, 1);
			let counts: Vec<f64> = (0..20_000).map(|_| dice.count(expected)).collect();
			let mean = counts.iter().sum::<f64>() / 20_000.0;
			let spread = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / 20_000.0;
			// Five standard deviations of each.
			assert!((mean - expected).abs() < 5.0 * (expected / 20_000.0).sqrt());
			assert!((spread / expected - 1.0).abs() < 0.06, "{spread}");
		}
	}

	#[test]
	fn targets_settle_where_one_in_a_thousand_is_missed() {
		let ratio = settled_ratio();
		assert!((0.5..1.0).contains(&ratio), "{ratio}");
		let missing = missing_part(ratio);
		assert!((0.000_7..0.001_5).contains(&missing), "{missing}");
	}

	#[test]
	fn many_peers_miss_as_single_ones_do() {
		let (ratio, mut few, mut many) = (settled_ratio(), Dice::new(1, 0, 0), Dice::new(2, 0, 0));
		let one_by_one: f64 = (0..400).map(|_| missed_by(250, ratio, &mut few)).sum();
		let at_once: f64 = (0..100).map(|_| missed_by(1_000, ratio, &mut many)).sum();
		// About 800 each, with a spread of a few dozen.
		assert!(
			(one_by_one - at_once).abs() < 250.0,
			"{one_by_one} {at_once}"
		);
	}

	#[test]
	fn a_target_is_scaled_and_read_back() {
		let reference = U256::MAX / 20_833;
		for part in [0.5, 0.6, 1.0, 1.9] {
			assert!((ratio(scaled(reference, part), reference) - part).abs() < 1e-6);
		}
	}
}
