//! Solutions that nobody worked for, and audits that nobody answers.

use crate::{
	agents::{parameters, Plan, Strategy, View},
	work::Dice,
};
use serde_json::{Map, Value};

/// Makes up a part of the solutions and claims all of them.
#[derive(Clone, Copy, Debug)]
pub struct FakeLeaves {
	/// The part.
	pub part: f64,
}

impl Strategy for FakeLeaves {
	fn name(&self) -> &'static str {
		"fake_leaves"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("part", self.part.into())])
	}

	fn fears_audits(&self) -> bool {
		true
	}

	fn plan(&self, view: &View, _: &mut Dice) -> Plan {
		Plan::faked(view, self.part)
	}
}

/// Reports and does not answer when it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct SkipAudit {
	/// Whether it has at least done the work.
	pub honest: bool,
}

impl Strategy for SkipAudit {
	fn name(&self) -> &'static str {
		"skip_audit"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("honest", self.honest.into())])
	}

	fn fears_audits(&self) -> bool {
		true
	}

	fn plan(&self, view: &View, dice: &mut Dice) -> Plan {
		let plan = if self.honest {
			Plan::honest(view, dice)
		} else {
			Plan::faked(view, 1.0)
		};
		Plan {
			answers: false,
			..plan
		}
	}
}
