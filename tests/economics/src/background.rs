//! The rest of the network: peers that are not simulated one by one.
//!
//! They stand in the chain's lists of reports, so that the pallet draws among them, and in the
//! totals of each epoch, so that targets, pools and amnesties follow them. Their entries are written
//! once: each is a peer that always proves its units. What honest ones miss by bad luck is in the
//! totals of solutions alone, which targets follow.

use crate::{
	chain::{stranger, EpochRow, Listed, World},
	work::{self, Dice, LEAVES_OF_UNIT, UNITS_OF_PEER},
};
use millrace_primitives::EpochIndex;
use pallet_capacity::CapacityParams;

/// What the peers do in an epoch that a hand owns besides those that are simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Copied {
	/// Whether they report.
	pub reports: bool,
	/// Part of their solutions that they prove.
	pub proven: f64,
}

/// The peers that are not simulated one by one.
#[derive(Clone, Debug)]
pub struct Background {
	/// Honest ones.
	strangers: u32,
	/// Those of the hand that is simulated, which do as its simulated peers do.
	copies: u32,
	/// Entries behind the strangers' that simulated peers may have overwritten, in each list.
	overwritten: [u32; 2],
	seed: u64,
}

impl Background {
	/// So many strangers and copies of simulated peers.
	pub fn new(strangers: u32, copies: u32, seed: u64) -> Self {
		Self {
			strangers,
			copies,
			overwritten: [0; 2],
			seed,
		}
	}

	/// Enters all peers into both lists of reports, and lets the chain stand where it has settled: at
	/// the given target, and with the pool that goes with so many units.
	pub fn enter(&self, world: &mut World, simulated: u32, ratio: f64) {
		if world.is_audited() {
			for epoch in 0..2 {
				self.list(world, epoch, 0, self.strangers + self.copies);
			}
		}
		let peers = self.strangers + self.copies + simulated;
		let reference = world.reference();
		world.set_row(0, |row| {
			row.target = work::scaled(reference, ratio);
			row.settled = row.target;
			row.idle = u64::from(peers) * u64::from(UNITS_OF_PEER);
		});
		self.fill_pool(world, 0, simulated);
	}

	/// Gives an epoch the pool at which a network of so many units settles: what the parameters aim
	/// at for each unit, but never less than the floor.
	pub fn fill_pool(&self, world: &mut World, epoch: EpochIndex, simulated: u32) {
		let units =
			u128::from(self.strangers + self.copies + simulated) * u128::from(UNITS_OF_PEER);
		let params = CapacityParams::default();
		world.set_row(epoch, |row| {
			row.pool = (params.reward_target_per_unit * units).max(params.pool_floor);
		});
	}

	fn list(&self, world: &mut World, epoch: EpochIndex, from: u32, to: u32) {
		for index in from..to {
			world.set_listed(
				epoch,
				index,
				Listed {
					peer: stranger(index),
					running_total: u64::from(index + 1) * u64::from(UNITS_OF_PEER),
				},
			);
		}
	}

	/// Reports an epoch for all of them, before the simulated peers do, of which there are so many.
	pub fn report(&mut self, world: &mut World, epoch: EpochIndex, copied: Copied, simulated: u32) {
		let listed = if copied.reports && copied.proven > 0.0 {
			self.copies
		} else {
			0
		};
		let overwritten = &mut self.overwritten[(epoch & 1) as usize];
		let spoilt = (*overwritten).min(listed);
		// Simulated peers enter themselves behind those that are listed.
		*overwritten = if listed < self.copies { simulated } else { 0 };
		if world.is_audited() {
			self.list(world, epoch, self.strangers, self.strangers + spoilt);
		}

		let ratio = work::ratio(world.row(epoch).target, world.reference());
		let mut dice = Dice::new(self.seed, u64::MAX, u64::from(epoch));
		let missed = work::missed_by(self.strangers, ratio, &mut dice) * LEAVES_OF_UNIT;
		let leaves = |peers: u32| f64::from(peers * UNITS_OF_PEER) * LEAVES_OF_UNIT;
		let reporting = if copied.reports { self.copies } else { 0 };
		let owed = leaves(self.strangers) + leaves(reporting);
		let proven = leaves(self.strangers) - missed + leaves(reporting) * copied.proven;

		let reports = self.strangers + listed;
		let units = u64::from(reports) * u64::from(UNITS_OF_PEER);
		world.set_row(epoch, |row: &mut EpochRow| {
			row.reports = reports;
			row.units = units;
			row.idle = units;
			row.leaves_owed = owed as u64;
			row.leaves_proven = proven.max(0.0) as u64;
		});
	}
}
