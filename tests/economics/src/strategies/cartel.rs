//! What only a hand with a large part of all units can do.

use crate::{
	agents::{parameters, Plan, Strategy, View},
	work::Dice,
};
use serde_json::{Map, Value};

/// First epoch of the tricks: the chain has an ordinary epoch to compare with by then.
const BEGINS: u32 = 5;

/// Falls silent together, so that the epoch is excused, and works only in the epochs in which the
/// amnesty ends.
#[derive(Clone, Copy, Debug)]
pub struct AmnestyCartel {
	/// Works in one of so many epochs.
	pub every: u32,
}

impl Strategy for AmnestyCartel {
	fn name(&self) -> &'static str {
		"amnesty_cartel"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("every", self.every.into())])
	}

	fn plan(&self, view: &View, dice: &mut Dice) -> Plan {
		if view.epoch < BEGINS || view.epoch % self.every == 0 {
			Plan::honest(view, dice)
		} else {
			Plan::silent()
		}
	}
}

/// Reports without the solutions of some units, so that the target becomes easier, and works at the
/// easier target: in bursts, or always a little.
#[derive(Clone, Copy, Debug)]
pub struct WithholdAndEase {
	/// Part of its units whose solutions it withholds.
	pub part: f64,
	/// Epochs in which it withholds.
	pub epochs: u32,
	/// Epochs of work after them.
	pub pause: u32,
}

impl Strategy for WithholdAndEase {
	fn name(&self) -> &'static str {
		"withhold_and_ease"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([
			("part", self.part.into()),
			("epochs", self.epochs.into()),
			("pause", self.pause.into()),
		])
	}

	fn plan(&self, view: &View, dice: &mut Dice) -> Plan {
		let plan = Plan::honest(view, dice);
		let cycle = self.epochs + self.pause;
		let withholds = view
			.epoch
			.checked_sub(BEGINS)
			.is_some_and(|since| since % cycle < self.epochs);
		if !withholds {
			return plan;
		}
		// Only solutions that reporting peers owe count for the target, so it reports. Nothing is
		// withheld besides what bad luck misses anyway.
		let withheld = dice.round(self.part * f64::from(view.owed.idle));
		let kept = view.owed.idle - withheld.min(view.owed.idle);
		let worked = f64::from(kept) / f64::from(view.owed.idle.max(1));
		Plan {
			idle: plan.idle.min(kept),
			hashed: plan.hashed * worked,
			..plan
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::chain::Owed;

	#[test]
	fn a_part_is_withheld_on_average_and_its_hashing_saved() {
		let view = View {
			epoch: BEGINS,
			owed: Owed { idle: 8, busy: 0 },
			// Bad luck misses nothing.
			found_by_core: 64.0,
			ease: 1.0,
		};
		let always = |part| WithholdAndEase {
			part,
			epochs: 1,
			pause: 0,
		};
		let whole = always(1.0).plan(&view, &mut Dice::new(1, 0, 0));
		assert_eq!((whole.reports, whole.idle, whole.hashed), (true, 0, 0.0));

		let (mut withheld, mut saved) = (0, 0.0);
		for agent in 0..10_000 {
			let plan = always(0.1).plan(&view, &mut Dice::new(1, agent, 0));
			withheld += 8 - plan.idle;
			saved += 8.0 - plan.hashed;
		}
		assert!((7_800..8_200).contains(&withheld), "{withheld}");
		assert!((saved - f64::from(withheld)).abs() < 1e-6);
	}

	#[test]
	fn bursts_begin_late_and_come_again() {
		let bursts = WithholdAndEase {
			part: 1.0,
			epochs: 2,
			pause: 3,
		};
		let silent: Vec<u32> = (1..=BEGINS + 6)
			.filter(|epoch| {
				let view = View {
					epoch: *epoch,
					owed: Owed { idle: 8, busy: 0 },
					found_by_core: 64.0,
					ease: 1.0,
				};
				bursts.plan(&view, &mut Dice::new(1, 0, 0)).idle == 0
			})
			.collect();
		assert_eq!(silent, [5, 6, 10, 11]);
	}
}
