//! Work that others do.

use crate::{
	agents::{parameters, Plan, Strategy, View},
	work::Dice,
};
use serde_json::{Map, Value};

/// Buys its solutions, and keeps its own cores for something else. What is bought can come too late.
#[derive(Clone, Copy, Debug)]
pub struct Outsourced {
	/// What bought hashing costs, where one's own costs 1.
	pub premium: f64,
	/// Chance that the solutions of a unit come too late.
	pub late: f64,
}

impl Strategy for Outsourced {
	fn name(&self) -> &'static str {
		"outsourced"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("premium", self.premium.into()), ("late", self.late.into())])
	}

	fn plan(&self, view: &View, dice: &mut Dice) -> Plan {
		let plan = Plan::honest(view, dice);
		let late = (0..plan.idle).filter(|_| dice.happens(self.late)).count();
		Plan {
			idle: plan.idle - late as u32,
			hashed: plan.hashed * self.premium,
			..plan
		}
	}
}
