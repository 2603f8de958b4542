//! What is done to deals by their owners and heirs, and when the escrow is used up.

use super::{
	ops::{Caller, Duty, Order, PEERS},
	within,
	workers::one,
	world::World,
};
use crate::{mock::*, Params, WeightInfo};
use millrace_primitives::{
	market::{OfferTerms, Package, MAX_WORKERS},
	Balance, DealId, H256,
};

/// Epochs that a deal is served at most until its escrow is used up.
const MOST_SERVED: u8 = 6;

/// One of some packages. Without bytes, the first is none.
pub(super) fn package_of(number: u8) -> Package {
	let mut package = spec(1, 1).package;
	(package.hash, package.size) = (H256::repeat_byte(number), number.into());
	package
}

impl World<'_> {
	pub(super) fn create(
		&mut self,
		caller: Caller,
		owner: u64,
		order: &Order,
		epochs: u8,
		missing: u128,
	) {
		if self.ledger.deals.len() >= 10 {
			return;
		}
		let spec = order.spec();
		let price = spec.epoch_price_ceiling().unwrap_or(u128::MAX);
		let escrow = price.saturating_mul(epochs.into()).saturating_sub(missing);
		let result = Market::create_deal(caller.origin(owner), spec, escrow);
		self.called("create deal", caller, result);
	}

	/// Who has a deal, or would have it.
	fn owner_of(&self, deal: DealId) -> u64 {
		self.ledger.deals.get(&deal).map_or(CLIENT, |row| row.owner)
	}

	/// A deal that is in grace, if there is one.
	fn deal_in_grace(&self, pick: u8) -> Option<DealId> {
		let rows = self.ledger.deals.iter();
		let in_grace: Vec<DealId> = rows
			.filter(|(_, row)| row.in_grace && row.last.is_none())
			.map(|(id, _)| *id)
			.collect();
		one(&in_grace, pick)
	}

	/// What ends the grace of a deal and pays for so many epochs: first its closing deposit is to be
	/// whole again.
	fn lacks(&self, deal: DealId, epochs: u8) -> Balance {
		self.ledger.deals.get(&deal).map_or(0, |row| {
			let deposit = row.ceiling() + row.most_in_grace();
			deposit.saturating_sub(row.closing) + row.rate() * Balance::from(epochs)
		})
	}

	/// Adds an amount to any deal, or to one in grace what it lacks for some epochs.
	pub(super) fn top_up(
		&mut self,
		caller: Caller,
		pick: u8,
		amount: Balance,
		in_grace: Option<u8>,
	) {
		let found = in_grace.and_then(|epochs| {
			let deal = self.deal_in_grace(pick)?;
			Some((deal, self.lacks(deal, epochs)))
		});
		let (deal, amount) = found.unwrap_or_else(|| (self.deal(pick), amount));
		self.bring(caller, deal, amount);
	}

	fn bring(&mut self, caller: Caller, deal: DealId, amount: Balance) {
		let result = Market::top_up(caller.origin(STRANGER), deal, amount);
		let result = within(Market::top_up_weight(), result);
		self.called("top up", caller, result);
		self.sync();
	}

	pub(super) fn resize(&mut self, caller: Caller, pick: u8, (least, target): (u32, u32)) {
		let deal = self.deal(pick);
		let owner = self.owner_of(deal);
		let result = Market::resize(caller.origin(owner), deal, least, target);
		let result = within(<() as WeightInfo>::resize(MAX_WORKERS), result);
		if result.is_ok() {
			assert!(caller.is(owner) && 0 < least && least <= target && target <= 256);
		}
		let resized = result.is_ok();
		self.called("resize", caller, result);
		self.sync();
		if let Some(row) = self.ledger.deals.get(&deal).filter(|_| resized) {
			let staying = row.workers.values().filter(|seat| seat.last.is_none());
			assert!(staying.count() <= target as usize);
			assert_eq!(row.spec.target_workers, target);
		}
	}

	pub(super) fn name_heir(&mut self, caller: Caller, pick: u8, heir: Option<u64>) {
		let deal = self.deal(pick);
		let owner = self.owner_of(deal);
		let stands = self.ledger.deals.contains_key(&deal);
		let result = Market::name_heir(caller.origin(owner), deal, heir);
		assert_eq!(result.is_ok(), stands && caller.is(owner));
		self.called("name heir", caller, result);
	}

	/// The heir of a deal takes it over, or somebody tries to.
	pub(super) fn take_deal(&mut self, caller: Caller, pick: u8) {
		let given: Vec<DealId> = self
			.ledger
			.deals
			.iter()
			.filter(|(_, row)| row.heir.is_some())
			.map(|(id, _)| *id)
			.collect();
		let found = given.get(usize::from(pick) % given.len().max(1));
		let deal = found.copied().unwrap_or_else(|| self.deal(pick));
		let row = self.ledger.deals.get(&deal);
		let heir = row.and_then(|row| row.heir);
		let result = Market::take_deal(caller.origin(heir.unwrap_or(STRANGER)), deal);
		assert!(result.is_err() || heir.is_some_and(|heir| caller.is(heir)));
		self.called("take deal", caller, result);
	}

	pub(super) fn update_package(&mut self, caller: Caller, pick: u8, package: u8) {
		let deal = self.deal(pick);
		let owner = self.owner_of(deal);
		let result = Market::update_package(caller.origin(owner), deal, package_of(package));
		assert!(result.is_err() || (caller.is(owner) && package > 0));
		self.called("update package", caller, result);
	}

	/// Tells whether grace begins.
	pub(super) fn begin_grace(&mut self, caller: Caller, deal: DealId) -> bool {
		let result = Market::begin_grace(caller.origin(STRANGER), deal);
		let result = within(<() as WeightInfo>::begin_grace(MAX_WORKERS), result);
		let begins = result.is_ok();
		self.called("begin grace", caller, result);
		self.sync();
		begins
	}

	/// Peers commit and offer again. Whoever can be matched is, and goes live.
	pub(super) fn staff(&mut self, pick: u8) {
		let mut commits = false;
		for n in 0..PEERS {
			commits |= self.commit(n, 4);
			let stands = self.ledger.offers.contains_key(&self.peer(n));
			if self.provider(n).is_some() && !stands {
				self.offer_on(n, terms(15));
			}
		}
		if commits {
			self.serve_and_check(u8::MAX);
			self.serve_and_check(u8::MAX);
		}
		self.poll(500_000_000_000);
		self.sync();
		for _ in self.ledger.assigned() {
			self.go_live(pick, Duty::Right);
			self.sync();
		}
	}

	/// Deals that go on, with live workers, and want cheaper ones.
	fn wants_cheaper(&self) -> Vec<DealId> {
		let rows = self.ledger.deals.iter();
		rows.filter(|(_, row)| {
			let goes_on = row.last.is_none() && !row.in_grace;
			row.spec.rematch.is_some() && goes_on && row.rate() > 0
		})
		.map(|(id, _)| *id)
		.collect()
	}

	/// A deal has all the workers that it wants, and escrow. Then a peer that is none of them is cheaper
	/// than they are.
	pub(super) fn cheapen(&mut self, pick: u8, from: u8) {
		self.staff(pick);
		let Some(deal) = one(&self.wants_cheaper(), pick) else {
			return self.note("resize", false);
		};
		let at = self.ledger.deals.keys().position(|id| *id == deal);
		let row = &self.ledger.deals[&deal];
		let (live, rate, spec) = (row.workers.len() as u32, row.rate(), row.spec.clone());
		self.resize(Caller::Entitled, at.expect("it stands") as u8, (1, live));
		self.sync();
		self.bring(Caller::Entitled, deal, rate * Balance::from(MOST_SERVED));

		let n = self.pick(from, |n| {
			let works = self.ledger.deals[&deal].workers.contains_key(&self.peer(n));
			self.provider(n).is_some() && self.commitments.contains_key(&n) && !works
		});
		let offers = OfferTerms {
			class: spec.class,
			region: spec.regions.first().copied().unwrap_or_default(),
			ask: Params::<Test>::get().min_price,
			capabilities: spec.capabilities | 1,
			max_worker_bond: spec.worker_bond,
		};
		self.offer_on(n, offers);
		self.serve_and_check(u8::MAX);
		self.patrol();
	}

	/// Deals that live workers use up soon.
	fn short_of_escrow(&self) -> Vec<DealId> {
		let now = Epoch::get();
		let rows = self.ledger.deals.iter();
		rows.filter(|(_, row)| {
			let goes_on = row.last.is_none() && row.term_end.is_none_or(|end| end > now);
			let covered = row.rate() * Balance::from(MOST_SERVED);
			goes_on && !row.in_grace && row.escrow < covered
		})
		.map(|(id, _)| *id)
		.collect()
	}

	/// A deal is served until its escrow is used up, and for some epochs more. Then it may get what it
	/// lacks.
	pub(super) fn use_up(&mut self, caller: Caller, pick: u8, epochs: u8, brings: Option<u8>) {
		self.staff(pick);
		let Some(deal) = one(&self.short_of_escrow(), pick) else {
			return self.note("begin grace", false);
		};
		for _ in 0..MOST_SERVED {
			self.serve_and_check(u8::MAX);
			if self.begin_grace(caller, deal) {
				break;
			}
		}
		for _ in 0..epochs {
			self.serve_and_check(u8::MAX);
		}
		if let Some(epochs) = brings {
			self.bring(caller, deal, self.lacks(deal, epochs));
			self.serve_and_check(u8::MAX);
		}
	}
}
