//! Where each way to cheat is tried: its own parameters, who tries it, and how large the network is.

use crate::{
	agents::Strategy,
	strategies::{
		AmnestyCartel, FakeLeaves, GriefFail, GriefPending, GrindFold, MissOnPurpose, OneAsMany,
		Outsourced, ParkedDeal, SelfBounty, SelfDeal, SkipAudit, WithholdAndEase,
	},
	work::UNITS_OF_PEER,
};
use serde_json::{Map, Value};

/// Peers of the networks.
pub const SIZES: [u32; 6] = [10, 100, 1_000, 10_000, 30_000, 100_000];

/// Epochs of a run.
pub const EPOCHS: u32 = 1_000;

/// Samples of a point, unless fewer leave no doubt. If none of so many ends above honest work, at
/// least 99 % of all seeds do not, with a confidence of 95 %.
pub const SAMPLES: u32 = 300;

/// Cost of a unit-epoch of hashing, as parts of its reward. Not the whole reward: an honest unit that
/// earns no more than that loses by its bad luck and leaves.
pub const HASHING: [f64; 3] = [0.25, 0.5, 0.95];

/// The largest hand whose silence is not excused. What larger ones do is [`AmnestyCartel`]'s.
const THIRD: f64 = 1.0 / 3.0;
/// From about 7,600 peers on as many are drawn as deter, so that each is drawn with the same chance,
/// which 10,000 and 100,000 show. Whoever lies is not tried in networks of this size between them.
const BETWEEN: u32 = 30_000;

/// Peers of a hand that are simulated at most; the others do as they do.
const SIMULATED: u32 = 10;
/// Peers of a hand that owns ten.
const TEN: u32 = 10;
/// Most independent cheats in one run.
const CHEATS: u32 = 50;
/// The same where it is a matter of luck whether a cheat is found out; and most peers of all
/// independent hands of ten in one run. Each claims to have proven everything, so that they make no
/// difference to each other.
const LIARS: u32 = 300;
/// Fewest samples of a point, if so many are wanted.
const LEAST: u32 = 30;
/// The same where each sample is a mean over ten peers of one hand.
const LEAST_OF_TENS: u32 = 10;

/// Who tries it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hand {
	/// One peer. Several in one run are independent of each other, and together no more than a
	/// hundredth of the network where it has a hundred peers; three hundredths where they lie.
	Lone,
	/// One peer of a single unit.
	Unit,
	/// Ten peers in one hand, counted together.
	Ten,
	/// A part of all peers in one hand, which act together: never more of them than the part.
	Share(f64),
}

impl Hand {
	/// Its name in results.
	pub fn name(&self) -> String {
		match self {
			Self::Lone => "lone".into(),
			Self::Unit => "one unit".into(),
			Self::Ten => "ten".into(),
			Self::Share(part) => format!("{} %", (part * 100.0).round()),
		}
	}
}

/// How a point is simulated in a network of a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
	/// Peers that are simulated in a run.
	pub agents: u32,
	/// Units of each.
	pub units: u32,
	/// Peers of the hand besides.
	pub copies: u32,
	/// Simulated peers that make one sample.
	pub group: u32,
	/// Most runs: as many as make the samples that are wanted.
	pub runs: u32,
}

/// One way to cheat with its parameters, and who tries it.
pub struct Point {
	/// The way.
	pub strategy: Box<dyn Strategy>,
	/// Who tries it.
	pub hand: Hand,
	/// Whether it only shows what luck can do: then there is no bar.
	pub luck: bool,
}

impl std::fmt::Debug for Point {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "{} {:?}", self.strategy.name(), self.parameters())
	}
}

impl Point {
	fn new(strategy: impl Strategy + 'static, hand: Hand) -> Self {
		Self {
			strategy: Box::new(strategy),
			hand,
			luck: false,
		}
	}

	fn luck(strategy: impl Strategy + 'static, hand: Hand) -> Self {
		Self {
			luck: true,
			..Self::new(strategy, hand)
		}
	}

	/// Its parameters, with who tries it.
	pub fn parameters(&self) -> Map<String, Value> {
		let mut parameters = self.strategy.point();
		parameters.insert("hand".into(), self.hand.name().into());
		parameters
	}

	/// How it is simulated among so many peers; `None` where it makes no sense.
	pub fn cast(&self, peers: u32, samples: u32) -> Option<Cast> {
		let lies = self.strategy.fears_audits();
		if (self.luck && peers < 100_000) || (lies && peers == BETWEEN) {
			return None;
		}
		let agents = if lies {
			(peers * 3 / 100).clamp(1, LIARS)
		} else {
			(peers / 100).clamp(1, CHEATS)
		};
		let whole = Cast {
			agents,
			units: UNITS_OF_PEER,
			copies: 0,
			group: 1,
			runs: 0,
		};
		let cast = match self.hand {
			Hand::Lone => whole,
			Hand::Unit => Cast { units: 1, ..whole },
			Hand::Ten if peers < 10 * TEN => return None,
			Hand::Ten => Cast {
				agents: (peers / 10).clamp(TEN, LIARS) / TEN * TEN,
				group: TEN,
				..whole
			},
			Hand::Share(part) => {
				// Not one less where a product is only nearly whole.
				let hand = (f64::from(peers) * part + 1e-6).floor() as u32;
				if hand == 0 {
					return None;
				}
				let agents = hand.min(SIMULATED);
				Cast {
					agents,
					copies: hand - agents,
					group: agents,
					..whole
				}
			}
		};
		let runs = samples.div_ceil(cast.agents / cast.group).max(1);
		Some(Cast { runs, ..cast })
	}

	/// Fewest samples that can settle the point; more are made only where these do not.
	pub fn least(&self, peers: u32) -> u32 {
		match self.hand {
			Hand::Share(_) if peers >= 100 => LEAST_OF_TENS,
			_ => LEAST,
		}
	}
}

/// The whole grid.
pub fn whole() -> Vec<Point> {
	let mut points = Vec::new();
	for part in [1.0, 0.25, 0.125] {
		points.push(Point::new(FakeLeaves { part }, Hand::Lone));
	}
	for part in [1.0, 0.03125] {
		points.push(Point::new(FakeLeaves { part }, Hand::Ten));
	}
	for (missed, of) in [(1, 24), (1, 3), (2, 3), (1, 1)] {
		points.push(Point::new(MissOnPurpose { missed, of }, Hand::Lone));
	}
	// More than a third in a network of every size.
	for part in [0.4, 0.6] {
		for every in [2, 5] {
			points.push(Point::new(AmnestyCartel { every }, Hand::Share(part)));
		}
	}
	// All units of more than a third would be excused, and move nothing: a cartel under the amnesty.
	for share in [0.1, THIRD] {
		// Parts of all solutions: a little more than what a settled target tolerates, and as much as
		// it tolerates when it is eased by a tenth.
		let [little, more] =
			[0.001_2, 0.005].map(|missing: f64| (missing / share * 10_000.0).round() / 10_000.0);
		let ways = [
			(1.0, 1, 400),
			(1.0, 4, 50),
			(1.0, 10, 800),
			(0.1, 4, 50),
			(0.1, 10, 800),
			(little, 1, 0),
			(more, 1, 0),
		];
		points.extend(withholding(share, &ways));
	}
	for (premium, late) in [(1.05, 0.0), (1.05, 0.01), (2.0, 0.05)] {
		points.push(Point::new(Outsourced { premium, late }, Hand::Lone));
	}
	for units_per_core in [1.25, 1.5, 2.0, 4.0] {
		points.push(Point::new(OneAsMany { units_per_core }, Hand::Lone));
	}
	// Who has made everything up, too, loses as `FakeLeaves` does: no answer of it could pass.
	let honest = true;
	points.push(Point::new(SkipAudit { honest }, Hand::Lone));
	// Fewer slots spare less.
	for (slots, part) in [(0.33, 1.0), (0.33, 0.125)] {
		points.push(Point::new(GrindFold { slots, part }, Hand::Lone));
	}
	let (slots, part) = (0.33, 0.125);
	points.push(Point::new(GrindFold { slots, part }, Hand::Ten));
	for part in [0.5, 1.0] {
		points.push(Point::new(SelfDeal { part }, Hand::Lone));
	}
	for price in [0.01, 0.2] {
		points.push(Point::new(ParkedDeal { price }, Hand::Lone));
	}
	points.push(Point::new(GriefPending, Hand::Lone));
	for (own_percent, fakes) in [(20, false), (20, true)] {
		points.push(Point::new(GriefFail { own_percent, fakes }, Hand::Lone));
	}
	for challenge in [false, true] {
		points.push(Point::new(SelfBounty { challenge }, Hand::Lone));
	}
	points.push(Point::luck(FakeLeaves { part: 0.0625 }, Hand::Lone));
	points.push(Point::luck(FakeLeaves { part: 0.03125 }, Hand::Lone));
	points.push(Point::luck(FakeLeaves { part: 1.0 }, Hand::Unit));
	points.push(Point::luck(FakeLeaves { part: 0.125 }, Hand::Unit));
	points
}

/// Ways to ease the target for a hand with a share of all units: the part of its units that it
/// withholds, for how many epochs, and for how many it works then.
fn withholding(share: f64, ways: &[(f64, u32, u32)]) -> Vec<Point> {
	ways.iter()
		.map(|(part, epochs, pause)| {
			let strategy = WithholdAndEase {
				part: *part,
				epochs: *epochs,
				pause: *pause,
			};
			Point::new(strategy, Hand::Share(share))
		})
		.collect()
}

/// One point of each way, at which few epochs tell.
pub fn quick() -> Vec<Point> {
	vec![
		Point::new(FakeLeaves { part: 0.125 }, Hand::Lone),
		Point::new(MissOnPurpose { missed: 1, of: 3 }, Hand::Lone),
		Point::new(AmnestyCartel { every: 5 }, Hand::Share(0.4)),
		Point::new(
			WithholdAndEase {
				part: 1.0,
				epochs: 1,
				pause: 400,
			},
			Hand::Share(0.1),
		),
		Point::new(
			Outsourced {
				premium: 1.05,
				late: 0.0,
			},
			Hand::Lone,
		),
		Point::new(
			OneAsMany {
				units_per_core: 1.25,
			},
			Hand::Lone,
		),
		Point::new(SkipAudit { honest: true }, Hand::Lone),
		Point::new(
			GrindFold {
				slots: 0.1,
				part: 1.0,
			},
			Hand::Lone,
		),
		Point::new(SelfDeal { part: 1.0 }, Hand::Lone),
		Point::new(ParkedDeal { price: 0.05 }, Hand::Lone),
		Point::new(GriefPending, Hand::Lone),
		Point::new(
			GriefFail {
				own_percent: 20,
				fakes: true,
			},
			Hand::Lone,
		),
		Point::new(SelfBounty { challenge: false }, Hand::Lone),
	]
}

/// Names of all ways, in the order of the grid.
pub fn names() -> Vec<&'static str> {
	let mut names: Vec<_> = whole().iter().map(|point| point.strategy.name()).collect();
	let mut seen = std::collections::BTreeSet::new();
	names.retain(|name| seen.insert(*name));
	names
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_quick_grid_has_every_way_once() {
		let quick: Vec<_> = quick().iter().map(|point| point.strategy.name()).collect();
		assert_eq!(quick, names());
	}

	#[test]
	fn no_point_stands_twice_in_the_grid() {
		let mut seen = std::collections::BTreeSet::new();
		for point in whole() {
			let kind = if point.luck { "luck" } else { "bar" };
			let name = format!("{kind} {} {:?}", point.strategy.name(), point.parameters());
			assert!(seen.insert(name.clone()), "{name} stands twice");
		}
	}

	#[test]
	fn casts_fit_into_their_networks() {
		for point in whole() {
			for peers in SIZES {
				let Some(cast) = point.cast(peers, 100) else {
					continue;
				};
				assert!(cast.agents + cast.copies < peers, "{point:?} {peers}");
				assert!(cast.runs > 0 && cast.agents % cast.group == 0);
			}
		}
		let liar = &whole()[0];
		assert_eq!(liar.cast(1_000, 300).unwrap().runs, 10);
		let cast = liar.cast(100_000, 300).unwrap();
		assert_eq!((cast.agents, cast.runs), (300, 1));
		let cartel = Point::new(AmnestyCartel { every: 2 }, Hand::Share(0.4));
		let cast = cartel.cast(100_000, 300).unwrap();
		assert_eq!((cast.agents, cast.copies, cast.runs), (10, 39_990, 300));
	}

	/// Peers in the hand of a point.
	fn hand(point: &Point, peers: u32) -> u32 {
		let cast = point.cast(peers, 300).expect("a share is tried everywhere");
		cast.agents + cast.copies
	}

	#[test]
	fn a_share_is_never_rounded_up() {
		for (part, peers, expected) in [
			(0.1, 10, 1),
			(0.1, 100, 10),
			(0.34, 10, 3),
			(0.4, 10, 4),
			(0.6, 100_000, 60_000),
			(THIRD, 100, 33),
			(THIRD, 30_000, 10_000),
		] {
			let point = Point::new(AmnestyCartel { every: 2 }, Hand::Share(part));
			assert_eq!(hand(&point, peers), expected, "{part} of {peers}");
		}
	}

	/// An epoch is excused where more than a third of all units is missing.
	#[test]
	fn cartels_are_excused_and_bursts_are_not() {
		let points = whole();
		let mut largest = 0;
		for peers in SIZES {
			for point in &points {
				match point.strategy.name() {
					"amnesty_cartel" => assert!(3 * hand(point, peers) > peers),
					"withhold_and_ease" => {
						assert!(3 * hand(point, peers) <= peers);
						largest = largest.max(hand(point, peers));
					}
					_ => {}
				}
			}
			assert!(3 * (largest + 1) > peers, "a third of {peers} is tried");
		}
	}
}
