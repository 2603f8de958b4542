//! Harm to those who stake with a provider.

use crate::{
	agents::{parameters, Agent, Plan, Strategy, View},
	chain::World,
	work::Dice,
};
use serde_json::{Map, Value};
use sp_runtime::Perbill;

/// Opens rounds, lets another put stake into them and never fills them.
#[derive(Clone, Copy, Debug)]
pub struct GriefPending;

impl Strategy for GriefPending {
	fn name(&self) -> &'static str {
		"grief_pending"
	}

	fn prepare(&self, world: &mut World, me: &mut Agent, epochs: u32) {
		let own_part = Perbill::from_percent(20);
		world.create(me.owner(), me.peer, me.units, epochs, own_part);
		// A quarter of everything: more than the missing stake divided by the free places.
		world.pledge(me.other(), me.peer, world.stake_of(me.units) / 4);
	}

	fn act(&self, world: &mut World, me: &mut Agent, epochs: u32) {
		if world.has_lapsed(me.peer) {
			world.cancel(me.other(), me.peer);
		}
		if !world.has_commitment(me.peer) {
			self.prepare(world, me, epochs);
		}
	}

	fn outlives_commitment(&self) -> bool {
		true
	}
}

/// Lets a commitment fail in which another has most of the stake.
#[derive(Clone, Copy, Debug)]
pub struct GriefFail {
	/// Its own part of the stake, in percent.
	pub own_percent: u32,
	/// Whether it lies rather than being silent: audits cost more than misses.
	pub fakes: bool,
}

impl Strategy for GriefFail {
	fn name(&self) -> &'static str {
		"grief_fail"
	}

	fn point(&self) -> Map<String, Value> {
		parameters([
			("own_percent", self.own_percent.into()),
			("fakes", self.fakes.into()),
		])
	}

	fn prepare(&self, world: &mut World, me: &mut Agent, epochs: u32) {
		let own_part = Perbill::from_percent(self.own_percent);
		let stake = world.stake_of(me.units);
		let own = own_part.mul_ceil(stake);
		world.create(me.owner(), me.peer, me.units, epochs, own_part);
		world.pledge(me.owner(), me.peer, own);
		world.pledge(me.other(), me.peer, stake - own);
	}

	fn fears_audits(&self) -> bool {
		self.fakes
	}

	fn plan(&self, view: &View, _: &mut Dice) -> Plan {
		if self.fakes {
			Plan::faked(view, 1.0)
		} else {
			Plan::silent()
		}
	}
}
