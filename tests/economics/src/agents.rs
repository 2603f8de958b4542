//! Peers that are simulated one by one, and what they decide.

use crate::{
	chain::{Owed, World},
	work::{Dice, LEAVES_OF_UNIT},
};
use millrace_primitives::{peer::PeerId, Balance, DealId, EpochIndex};
use serde_json::{Map, Value};
use sp_runtime::Perbill;

/// Accounts that each agent has: its provider's, a second one of the same owner, and a stranger's
/// that does as it is asked.
const ACCOUNTS: u64 = 3;

/// One peer and who stands behind it.
#[derive(Clone, Debug)]
pub struct Agent {
	/// Number among the agents of a run, from 0 on.
	pub number: u64,
	/// Its peer.
	pub peer: PeerId,
	/// Units of its peer.
	pub units: u32,
	/// Deals that its peer works for.
	pub deals: Vec<DealId>,
	/// Hashing that it paid for, in unit-epochs at the target at which honest networks settle.
	pub hashed: f64,
	/// Fees that it paid.
	pub spent: Balance,
}

impl Agent {
	/// The agent of a number, with a registered peer of so many units.
	pub fn new(world: &mut World, number: u64, units: u32) -> Self {
		let mut agent = Self {
			number,
			peer: PeerId::default(),
			units,
			deals: Vec::new(),
			hashed: 0.0,
			spent: 0,
		};
		agent.peer = world.register(agent.owner());
		agent
	}

	/// Accounts that so many agents need.
	pub fn accounts(agents: u32) -> u64 {
		u64::from(agents) * ACCOUNTS
	}

	/// The provider's account.
	pub fn owner(&self) -> u64 {
		self.number * ACCOUNTS + 1
	}

	/// Another account of the same owner.
	pub fn second(&self) -> u64 {
		self.owner() + 1
	}

	/// The account of a stranger: a client, or somebody who stakes with it.
	pub fn other(&self) -> u64 {
		self.owner() + 2
	}

	/// Everything that its owner has.
	pub fn wealth(&self, world: &World) -> Balance {
		[self.owner(), self.second()]
			.into_iter()
			.map(|account| world.wealth(account, &[self.peer], &self.deals))
			.sum()
	}

	/// Everything that the stranger has.
	pub fn wealth_of_other(&self, world: &World) -> Balance {
		world.wealth(self.other(), &[self.peer], &[])
	}

	/// Commits all units with stake of its own alone.
	pub fn commit(&self, world: &mut World, epochs: u32) {
		world.create(self.owner(), self.peer, self.units, epochs, Perbill::one());
		world.pledge(self.owner(), self.peer, world.stake_of(self.units));
	}
}

/// What an agent sees when it decides about an epoch that it owes.
#[derive(Clone, Copy, Debug)]
pub struct View {
	/// The epoch, counted from 1: the first one that is owed.
	pub epoch: EpochIndex,
	/// Units that it owes.
	pub owed: Owed,
	/// Solutions that a core finds in an epoch at the present target.
	pub found_by_core: f64,
	/// The present target as a multiple of the one at which honest networks settle.
	pub ease: f64,
}

impl View {
	/// Unit-epochs of hashing that all that is owed takes.
	pub fn whole(&self) -> f64 {
		let busy = f64::from(self.owed.busy) / 8.0;
		(f64::from(self.owed.idle) + busy) / self.ease
	}
}

/// What an agent does about an epoch that it owes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
	/// Whether it reports at all.
	pub reports: bool,
	/// Idle units that it claims to have proven.
	pub idle: u32,
	/// Units at work that it claims to have proven.
	pub busy: u32,
	/// Part of the claimed solutions that are made up.
	pub fakes: f64,
	/// Whether it answers if it is drawn.
	pub answers: bool,
	/// Hashing that it pays for, as [`Agent::hashed`].
	pub hashed: f64,
}

impl Plan {
	/// Searches with one core for each unit, and reports what was found.
	pub fn honest(view: &View, dice: &mut Dice) -> Self {
		let units = f64::from(view.owed.idle + view.owed.busy);
		Self::searched(view, units, view.whole(), dice)
	}

	/// Searches with so many cores at such a cost, and reports what was found: idle units first.
	pub fn searched(view: &View, cores: f64, hashed: f64, dice: &mut Dice) -> Self {
		let found = dice.count(cores * view.found_by_core);
		let idle = ((found / LEAVES_OF_UNIT) as u32).min(view.owed.idle);
		let rest = (found - f64::from(idle) * LEAVES_OF_UNIT).max(0.0);
		let busy = ((rest * 8.0 / LEAVES_OF_UNIT) as u32).min(view.owed.busy);
		Self {
			reports: true,
			idle,
			busy,
			fakes: 0.0,
			answers: true,
			hashed,
		}
	}

	/// Works for all but a part of the solutions, makes that part up, and claims all.
	pub fn faked(view: &View, fakes: f64) -> Self {
		Self {
			reports: true,
			idle: view.owed.idle,
			busy: view.owed.busy,
			fakes,
			answers: true,
			hashed: (1.0 - fakes) * view.whole(),
		}
	}

	/// Does nothing and says nothing.
	pub fn silent() -> Self {
		Self {
			reports: false,
			idle: 0,
			busy: 0,
			fakes: 0.0,
			answers: false,
			hashed: 0.0,
		}
	}

	/// Units that it claims.
	pub fn proven(&self) -> u32 {
		if self.reports {
			self.idle + self.busy
		} else {
			0
		}
	}
}

/// A way to behave, at one point of its own parameters.
pub trait Strategy: Send + Sync {
	/// Its name: that of its section in docs/ECONOMICS.md and of its row in the table.
	fn name(&self) -> &'static str;

	/// Its parameters.
	fn point(&self) -> Map<String, Value> {
		Map::new()
	}

	/// What it does in the first epoch, before anything is owed.
	fn prepare(&self, world: &mut World, me: &mut Agent, epochs: u32) {
		me.commit(world, epochs);
	}

	/// What it does about an epoch that it owes.
	fn plan(&self, view: &View, dice: &mut Dice) -> Plan {
		Plan::honest(view, dice)
	}

	/// What else it does, once in each epoch, when the one before is closed.
	fn act(&self, _world: &mut World, _me: &mut Agent, _epochs: u32) {}

	/// Whether audits can find it out. Where they cannot, none are drawn.
	fn fears_audits(&self) -> bool {
		false
	}

	/// Part of the validators' slots that it holds to grind the draw with.
	fn slots(&self) -> f64 {
		0.0
	}

	/// Whether it goes on after its commitment is over.
	fn outlives_commitment(&self) -> bool {
		false
	}

	/// What it is compared with: the same peers at honest work.
	fn twin(&self) -> Box<dyn Strategy> {
		Box::new(Honest)
	}
}

/// Does the work, reports it, answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;

impl Strategy for Honest {
	fn name(&self) -> &'static str {
		"honest"
	}
}

/// The parameters of a point, by name.
pub fn parameters<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
	pairs
		.into_iter()
		.map(|(name, value)| (name.to_owned(), value))
		.collect()
}
