//! Offers, deals and their workers, block by block.

use super::{duty, order, signed, World};
use crate::runtime::{Balances, Market, Runtime};
use frame_support::{
	traits::{fungible::Inspect, Hooks},
	weights::WeightMeter,
};
use millrace_primitives::{
	execution::{CallStatus, Receipt, SignedReceipt, PROFILE_V1},
	market::{DealSpec, DealStatus, OfferTerms, ProviderFilter, Worker},
	peer::PeerId,
	Balance, DealId, EpochIndex, CPU_V1, H256,
};
use pallet_market::{Deal, DealKey, Deals, NextDeal, Offers, PeerDeals};

/// What a client orders, as far as ways to cheat differ in it: one worker of any provider.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
	/// Units of the worker.
	pub units: u32,
	/// Highest price of a unit and epoch.
	pub ceiling: Balance,
	/// Bond that the worker holds.
	pub bond: Balance,
	/// Epochs at the ceiling that the escrow covers.
	pub epochs: u32,
}

// What the chain does.
impl World {
	/// The next block, with what the market does in it by itself.
	pub fn market_block(&mut self) {
		self.next_block();
		Market::on_poll(self.block, &mut WeightMeter::new());
	}
}

// Offers.
impl World {
	/// Offers the units of a peer.
	pub fn post(&mut self, owner: u64, peer: PeerId, ask: Balance, max_worker_bond: Balance) {
		let terms = terms(ask, max_worker_bond);
		Market::post_offer(signed(owner), peer, terms).expect("the peer is not offered yet");
	}

	/// Changes the ask of an offer.
	pub fn change_ask(&mut self, owner: u64, peer: PeerId, ask: Balance) {
		Market::update_offer(signed(owner), peer, terms(ask, 0)).expect("the peer is offered");
	}

	/// Whether a peer is offered.
	pub fn is_offered(&self, peer: PeerId) -> bool {
		Offers::<Runtime>::contains_key(peer)
	}
}

// Deals.
impl World {
	/// Orders a deal.
	pub fn place_order(&mut self, client: u64, wanted: Wanted) -> DealId {
		let spec = DealSpec {
			providers: ProviderFilter::Any,
			worker_bond: wanted.bond,
			..order(client, wanted.units, wanted.ceiling)
		};
		let epoch_price = wanted.ceiling * Balance::from(wanted.units);
		let id = NextDeal::<Runtime>::get();
		Market::create_deal(
			signed(client),
			spec,
			epoch_price * Balance::from(wanted.epochs),
		)
		.expect("the client is rich and the order sound");
		id
	}

	/// Ends a deal with the present epoch, by its owner.
	pub fn stop(&mut self, owner: u64, deal: DealId) {
		Market::stop(signed(owner), deal).expect("the deal goes on and its workers are settled");
	}

	/// Closes a stopped deal whose last epoch is closed.
	pub fn close(&mut self, account: u64, deal: DealId) {
		Market::close(signed(account), deal).expect("the last epoch is closed");
	}

	/// Adds escrow to a deal.
	pub fn top_up(&mut self, account: u64, deal: DealId, amount: Balance) {
		Market::top_up(signed(account), deal, amount).expect("it is enough, and in time");
	}

	/// Begins the grace of a deal, if that can be; anybody may.
	pub fn begin_grace(&mut self, account: u64, deal: DealId) {
		// Most deals have escrow, or are in grace already.
		let _ = Market::begin_grace(signed(account), deal);
	}

	/// The last epoch of a deal's grace, if it is in one.
	pub fn grace_until(&self, deal: DealId) -> Option<EpochIndex> {
		let row = row(deal)?;
		let in_grace = row.status == DealStatus::Grace;
		row.grace.filter(|_| in_grace).map(|span| span.until)
	}

	/// What a deal has cost its owner so far: paid and burnt. Of one that is closed nothing is known.
	pub fn cost_of(&self, deal: DealId) -> Balance {
		row(deal).map_or(0, |row| row.paid + row.burnt)
	}
}

// Workers.
impl World {
	/// The workers of a deal.
	pub fn workers(&self, deal: DealId) -> Vec<Worker> {
		Market::worker_rows(deal)
	}

	/// The deals that a peer works for, as a report lists them.
	pub fn deals_of(&self, peer: PeerId) -> Vec<DealId> {
		let mut deals = PeerDeals::<Runtime>::get(peer).into_inner();
		deals.sort_unstable();
		deals
	}

	/// An assigned worker goes live.
	pub fn goes_live(&mut self, peer: PeerId, deal: DealId) {
		Market::go_live(duty(), peer, deal, [0; 64]).expect("the peer is assigned");
	}

	/// A live worker gives notice.
	pub fn leaves(&mut self, peer: PeerId, deal: DealId) {
		Market::drain(duty(), peer, deal, [0; 64]).expect("the peer is live");
	}

	/// The owner ends a worker.
	pub fn end_worker(&mut self, owner: u64, deal: DealId, peer: PeerId) {
		Market::end_worker(signed(owner), deal, peer).expect("the peer works and has no notice");
	}
}

// Probes.
impl World {
	/// Asks a call of a worker; whether the chain takes it.
	pub fn probe(&mut self, account: u64, deal: DealId, peer: PeerId) -> bool {
		Market::probe(signed(account), deal, peer, Default::default()).is_ok()
	}

	/// A worker answers what it is asked. What makes a receipt the right one is looked at by what
	/// authorises it, which is played.
	pub fn answer_probe(&mut self, peer: PeerId, deal: DealId) {
		let receipt = Receipt {
			genesis: H256::zero(),
			seed: H256::zero(),
			deal,
			peer,
			epoch: self.epoch(),
			seq: 0,
			package: H256::zero(),
			profile: PROFILE_V1,
			terms: H256::zero(),
			request: H256::zero(),
			response: H256::zero(),
			transcript: H256::zero(),
			status: CallStatus::Exited(0),
			gas: 0,
			block: self.block,
		};
		let answer = SignedReceipt {
			receipt,
			signature: [0; 64],
		};
		Market::answer_probe(duty(), peer, deal, answer).expect("the worker is probed");
	}
}

// Money.
impl World {
	/// What an account has, free and on hold, with the escrow and deposits of deals that it owns. Not
	/// the rewards of its units, which nothing on the market changes.
	pub fn cash(&self, account: u64, deals: &[DealId]) -> Balance {
		let held = deals
			.iter()
			.filter_map(|deal| row(*deal))
			.filter(|row| row.owner == account)
			.map(|row| row.escrow + row.closing_deposit);
		<Balances as Inspect<u64>>::total_balance(&account) + held.sum::<Balance>()
	}
}

fn row(deal: DealId) -> Option<Deal<u64>> {
	Deals::<Runtime>::get(DealKey::from(deal))
}

fn terms(ask: Balance, max_worker_bond: Balance) -> OfferTerms {
	OfferTerms {
		class: CPU_V1,
		region: 1,
		ask,
		capabilities: 0,
		max_worker_bond,
	}
}
