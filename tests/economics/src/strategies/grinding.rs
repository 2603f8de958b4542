//! Draws that are chosen.

use crate::{
	agents::{parameters, Plan, Strategy, View},
	work::Dice,
};
use serde_json::{Map, Value};

/// Makes solutions up, and leaves slots at the end of the draw's window empty where that keeps its
/// peer from being drawn.
#[derive(Clone, Copy, Debug)]
pub struct GrindFold {
	/// Part of all slots that it holds.
	pub slots: f64,
	/// Part of the solutions that it makes up.
	pub part: f64,
}

impl Strategy for GrindFold {
	fn name(&self) -> &'static str {
		"grind_fold"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("slots", self.slots.into()), ("part", self.part.into())])
	}

	fn fears_audits(&self) -> bool {
		true
	}

	fn plan(&self, view: &View, _: &mut Dice) -> Plan {
		Plan::faked(view, self.part)
	}

	fn slots(&self) -> f64 {
		self.slots
	}
}
