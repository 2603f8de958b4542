//! Units at work owe an eighth of the solutions: deals that are there for that alone.

use crate::{
	agents::{parameters, Agent, Plan, Strategy, View},
	chain::World,
	work::Dice,
};
use millrace_primitives::{Balance, FLT};
use serde_json::{Map, Value};

/// Puts units of an agent's peer to work for a client, once they are proven.
fn work_for(
	world: &mut World,
	me: &mut Agent,
	client: u64,
	units: u32,
	price: Balance,
	epochs: u32,
) {
	if me.deals.is_empty() && world.proven_units(me.peer) >= units && !world.is_over(me.peer) {
		let deal = world.deal(client, me.owner(), me.peer, units, price, epochs);
		me.deals.extend(deal);
	}
}

/// Rents its own units at the least price, so that they owe an eighth of the work.
#[derive(Clone, Copy, Debug)]
pub struct SelfDeal {
	/// Part of its units.
	pub part: f64,
}

impl Strategy for SelfDeal {
	fn name(&self) -> &'static str {
		"self_deal"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("part", self.part.into())])
	}

	fn act(&self, world: &mut World, me: &mut Agent, epochs: u32) {
		let units = (f64::from(me.units) * self.part) as u32;
		work_for(world, me, me.second(), units, 0, epochs);
	}
}

/// Takes a stranger's deal that calls for nothing, and makes up the little that its units still owe.
#[derive(Clone, Copy, Debug)]
pub struct ParkedDeal {
	/// What the stranger pays for a unit and epoch, in FLT.
	pub price: f64,
}

impl Strategy for ParkedDeal {
	fn name(&self) -> &'static str {
		"parked_deal"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("price", self.price.into())])
	}

	fn fears_audits(&self) -> bool {
		true
	}

	fn plan(&self, view: &View, dice: &mut Dice) -> Plan {
		if view.owed.busy > 0 {
			Plan::faked(view, 1.0)
		} else {
			Plan::honest(view, dice)
		}
	}

	fn act(&self, world: &mut World, me: &mut Agent, epochs: u32) {
		let twin = HonestWorker { price: self.price };
		twin.act(world, me, epochs);
	}

	fn twin(&self) -> Box<dyn Strategy> {
		Box::new(HonestWorker { price: self.price })
	}
}

/// Takes the same deal and does what its units owe.
#[derive(Clone, Copy, Debug)]
pub struct HonestWorker {
	/// What the stranger pays for a unit and epoch, in FLT.
	pub price: f64,
}

impl Strategy for HonestWorker {
	fn name(&self) -> &'static str {
		"honest_worker"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([("price", self.price.into())])
	}

	fn act(&self, world: &mut World, me: &mut Agent, epochs: u32) {
		let price = (self.price * FLT as f64) as Balance;
		work_for(world, me, me.other(), me.units, price, epochs);
	}
}
