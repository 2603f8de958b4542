//! A small network in which a few peers and their clients deal with each other, among strangers.

use crate::{
	background::{Background, Copied},
	chain::{in_world, Claim, Setup, World},
	work::settled_ratio,
};
use millrace_primitives::{peer::PeerId, Balance, DealId};
use sp_runtime::Perbill;

/// Strangers' peers: so many that nobody who is silent here is excused.
const STRANGERS: u32 = 1_000;
/// Epochs that commitments last at least; the shortest ones that there are last longer.
const EPOCHS: u32 = 1;
/// Blocks that the matcher and the patrol take for the little that there is to do, with some to spare:
/// each of them goes first in every second one.
const SOME_BLOCKS: u32 = 4;
const SEED: u64 = 1;
/// Accounts of clients, and of others who have no peer.
const CLIENTS: u64 = 24;

/// A peer with its provider, who has no other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seller {
	pub(super) owner: u64,
	pub(super) peer: PeerId,
}

/// The network.
#[derive(Debug)]
pub(super) struct Town<'a> {
	pub(super) world: &'a mut World,
	pub(super) sellers: Vec<Seller>,
	background: Background,
}

/// Runs something among peers of so many units each, whose units are proven.
pub(super) fn in_town<R>(units: &[u32], run: impl FnOnce(&mut Town<'_>) -> R) -> R {
	let setup = Setup {
		seed: SEED,
		accounts: units.len() as u64 + CLIENTS,
		lengths: pallet_epochs::DEFAULT_LENGTHS,
		audited: false,
	};
	in_world(setup, |world| {
		let simulated = units.len() as u32;
		let background = Background::new(STRANGERS, 0, SEED);
		background.enter(world, simulated, settled_ratio());
		let sellers = units
			.iter()
			.zip(1u64..)
			.map(|(units, owner)| {
				let peer = world.register(owner);
				world.create(owner, peer, *units, EPOCHS, Perbill::one());
				world.pledge(owner, peer, world.stake_of(*units));
				Seller { owner, peer }
			})
			.collect();
		world.next_epoch();
		background.fill_pool(world, 1, simulated);
		let mut town = Town {
			world,
			sellers,
			background,
		};
		// What is proven in the first epoch is known when it is closed.
		town.pass(&[]);
		run(&mut town)
	})
}

impl Town<'_> {
	/// The account of a client; there are two dozen.
	pub(super) fn client(&self, number: u64) -> u64 {
		self.sellers.len() as u64 + 1 + number
	}

	/// The next epoch: all peers but the silent ones report the one before, with all deals that they
	/// work for.
	pub(super) fn turn(&mut self, silent: &[PeerId]) {
		self.world.next_epoch();
		let epoch = self.world.epoch() - 1;
		let simulated = self.sellers.len() as u32;
		let nobody = Copied {
			reports: false,
			proven: 0.0,
		};
		self.background.report(self.world, epoch, nobody, simulated);
		for seller in &self.sellers {
			if silent.contains(&seller.peer) {
				continue;
			}
			let Some(owed) = self.world.owed(seller.peer) else {
				continue;
			};
			let deals = self.world.deals_of(seller.peer);
			let claim = Claim {
				idle: owed.idle,
				busy: owed.busy,
				fakes: 0.0,
				deals: &deals,
			};
			self.world.report(seller.peer, claim);
		}
		self.blocks(SOME_BLOCKS);
	}

	/// On to where it is known who was silent, and what the chain does about it.
	pub(super) fn patrol(&mut self) {
		let lengths = self.world.lengths();
		self.world
			.go_to(lengths.report_window + lengths.fold_window);
		self.blocks(SOME_BLOCKS);
	}

	/// On to where the epoch before is closed, and settled by everybody.
	pub(super) fn rest(&mut self) {
		let lengths = self.world.lengths();
		self.world.go_to(lengths.close_position());
		for seller in &self.sellers {
			self.world.settle(seller.peer);
		}
		self.blocks(SOME_BLOCKS);
	}

	/// From one epoch's rest to the next one's.
	pub(super) fn pass(&mut self, silent: &[PeerId]) {
		self.turn(silent);
		self.patrol();
		self.rest();
	}

	/// So many blocks.
	pub(super) fn blocks(&mut self, number: u32) {
		for _ in 0..number {
			self.world.market_block();
		}
	}

	/// Offers a seller's units.
	pub(super) fn post(&mut self, number: usize, ask: Balance, max_worker_bond: Balance) {
		let Seller { owner, peer } = self.sellers[number];
		self.world.post(owner, peer, ask, max_worker_bond);
	}

	/// Whether a peer works for a deal, live or not.
	pub(super) fn works(&self, deal: DealId, peer: PeerId) -> bool {
		self.world
			.workers(deal)
			.iter()
			.any(|worker| worker.peer == peer)
	}

	/// Workers of a deal that are paid for an epoch if they report it.
	pub(super) fn due(&self, deal: DealId, epoch: u32) -> usize {
		let workers = self.world.workers(deal);
		workers.iter().filter(|worker| worker.is_due(epoch)).count()
	}
}
