//! Bounties out of one's own pocket.

use crate::{
	agents::{parameters, Agent, Plan, Strategy, View},
	chain::World,
	work::Dice,
};
use serde_json::{Map, Value};

/// First epoch in which it reports itself.
const CHALLENGES: u32 = 5;

/// Is silent and pushes its own settlements from another account, or reports itself for an offence.
#[derive(Clone, Copy, Debug)]
pub struct SelfBounty {
	/// Whether it reports itself.
	pub challenge: bool,
}

impl Strategy for SelfBounty {
	fn name(&self) -> &'static str {
		"self_bounty"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("challenge", self.challenge.into())])
	}

	fn plan(&self, view: &View, dice: &mut Dice) -> Plan {
		if self.challenge {
			Plan::honest(view, dice)
		} else {
			Plan::silent()
		}
	}

	fn act(&self, world: &mut World, me: &mut Agent, _: u32) {
		if self.challenge && world.epoch() == CHALLENGES {
			world.challenge(me.second(), me.peer);
		}
		let fee = world.settle_by(me.second(), me.peer).unwrap_or(0);
		me.spent += fee + world.apply_slashes(me.second(), me.peer);
	}

	fn outlives_commitment(&self) -> bool {
		true
	}
}
