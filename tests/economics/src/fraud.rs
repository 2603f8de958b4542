//! What a false receipt is worth, in closed form: no simulation is needed where nothing depends on
//! what others do.
//!
//! Whoever lies about a call saves what the call would have cost it: nothing else, since workers are
//! paid by the epoch and not by the gas. An audit opens two receipts of the epoch, somebody runs both
//! again, and a false one costs half of the stake.

use crate::{
	grid::{HASHING, SIZES},
	table::drawn,
	work::UNITS_OF_PEER,
};
use millrace_primitives::{audit::RECEIPTS_PER_AUDIT, FLT};
use pallet_capacity::CapacityParams;
use pallet_receipts::ReceiptsParams;

/// Part of a unit that work owes no hashing for: what calls can take of it.
const SERVING: f64 = 7.0 / 8.0;

/// A peer that lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fraud {
	/// Peers of the network.
	pub peers: u32,
	/// Units of the liar, all of them at work.
	pub units: u32,
	/// Part of its calls that it lies about.
	pub part: f64,
	/// Cost of a unit-epoch of its machine, as a part of a unit's reward.
	pub cost: f64,
}

impl Fraud {
	/// Most that it saves in an epoch, in FLT: its machine was to be busy with calls all the time.
	pub fn saves(&self) -> f64 {
		let reward = flt(CapacityParams::default().reward_target_per_unit);
		SERVING * self.part * self.cost * reward * f64::from(self.units)
	}

	/// Chance that an audit of the epoch opens one of the lies.
	pub fn is_seen(&self) -> f64 {
		let missed = (1.0 - self.part).powi(RECEIPTS_PER_AUDIT as i32);
		drawn(self.peers, self.units) * (1.0 - missed)
	}

	/// What it loses in the mean of an epoch, in FLT: stake alone, and not what the rest of its
	/// commitment would have earned.
	pub fn loses(&self) -> f64 {
		let stake = flt(CapacityParams::default().stake_per_unit) * f64::from(self.units);
		let part = ReceiptsParams::default().fraud.deconstruct();
		self.is_seen() * stake * f64::from(part) / 1e9
	}

	/// What the lie is worth in an epoch.
	pub fn value(&self) -> f64 {
		self.saves() - self.loses()
	}
}

/// Every network, every cost of a machine, lone units and whole peers, and lies of all sizes.
pub fn all() -> Vec<Fraud> {
	let mut all = Vec::new();
	for peers in SIZES {
		for units in [1, UNITS_OF_PEER] {
			for part in [0.001, 0.01, 0.1, 0.5, 1.0] {
				for cost in HASHING {
					all.push(Fraud {
						peers,
						units,
						part,
						cost,
					});
				}
			}
		}
	}
	all
}

/// The lie that loses least for what it saves, as a row of docs/ECONOMICS.md.
pub fn row() -> String {
	let ratio = |fraud: &Fraud| fraud.loses() / fraud.saves();
	let worst = all()
		.into_iter()
		.min_by(|one, other| ratio(one).total_cmp(&ratio(other)))
		.expect("there are many");
	format!(
		"| fraud | units {}, part {} | {} | {} | {:.4} % | {:.4} | {:.4} | {:.1} |",
		worst.units,
		worst.part,
		worst.peers,
		worst.cost,
		worst.is_seen() * 100.0,
		worst.saves(),
		worst.loses(),
		ratio(&worst),
	)
}

fn flt(amount: u128) -> f64 {
	amount as f64 / FLT as f64
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_lie_about_calls_never_pays() {
		for fraud in all() {
			assert!(fraud.value() < 0.0, "{fraud:?}: {}", fraud.value());
			// The margin of the audit's own slash, at the least.
			assert!(fraud.loses() > 3.0 * fraud.saves(), "{fraud:?}");
		}
	}

	#[test]
	fn small_lies_are_seen_twice_as_often_as_they_are_large() {
		let fraud = |part| Fraud {
			peers: 100_000,
			units: 1,
			part,
			cost: 0.95,
		};
		let drawn = drawn(100_000, 1);
		assert!((fraud(1.0).is_seen() - drawn).abs() < 1e-12);
		assert!((fraud(0.001).is_seen() / drawn - 0.002).abs() < 2e-6);
		assert!((fraud(0.5).is_seen() / drawn - 0.75).abs() < 1e-12);
		// A unit is drawn with a chance of 0.33 %, and half of its stake is 50 FLT.
		assert!((fraud(1.0).loses() - 0.165).abs() < 0.002);
		assert!((fraud(1.0).saves() - 0.0083).abs() < 0.0001);
	}

	/// Who owns no machine at all saves what the deal pays for it.
	#[test]
	fn who_has_no_machine_must_be_called_by_somebody_that_looks() {
		let fraud = Fraud {
			peers: 100_000,
			units: 1,
			part: 1.0,
			cost: 0.95,
		};
		// Up to this price of a unit-epoch the audits alone are enough.
		assert!(fraud.loses() > 0.16);
	}
}
