//! Less work than is owed, without a lie.

use crate::{
	agents::{parameters, Plan, Strategy, View},
	work::Dice,
};
use serde_json::{Map, Value};

/// Is silent in some epochs of each row of them.
#[derive(Clone, Copy, Debug)]
pub struct MissOnPurpose {
	/// How many.
	pub missed: u32,
	/// Of how many.
	pub of: u32,
}

impl Strategy for MissOnPurpose {
	fn name(&self) -> &'static str {
		"miss_on_purpose"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("missed", self.missed.into()), ("of", self.of.into())])
	}

	fn plan(&self, view: &View, dice: &mut Dice) -> Plan {
		if view.epoch % self.of < self.missed {
			Plan::silent()
		} else {
			Plan::honest(view, dice)
		}
	}
}

/// Promises more units than it has cores.
#[derive(Clone, Copy, Debug)]
pub struct OneAsMany {
	/// How many times as many.
	pub units_per_core: f64,
}

impl Strategy for OneAsMany {
	fn name(&self) -> &'static str {
		"one_as_many"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("units_per_core", self.units_per_core.into())])
	}

	fn plan(&self, view: &View, dice: &mut Dice) -> Plan {
		let units = f64::from(view.owed.idle + view.owed.busy);
		let saved = view.whole() / self.units_per_core;
		Plan::searched(view, units / self.units_per_core, saved, dice)
	}
}
