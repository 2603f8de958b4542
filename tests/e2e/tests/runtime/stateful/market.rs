//! Clients order, providers offer, and whoever likes pushes what is due in the market.

use super::{chain::send, work::by_gas, world::World};
use crate::errors::scene::{asked, order, peer};
use millrace_primitives::{
	market::{DealSpec, DealStatus, OfferTerms, GAS_BILLED},
	peer::PeerId,
	Balance, DealId, FLT,
};
use millrace_runtime::Runtime;
use pallet_market::{Call, DealKey, Deals, Offers, Probes, Specs, Workers};

/// Deals that there are at once.
const MOST_DEALS: usize = 24;

impl World {
	/// The owner of a machine posts its offer, or changes or withdraws it.
	pub(super) fn offer(&mut self) -> bool {
		let (n, owner) = self.machine();
		let peer = peer(n);
		let least = asked().ask;
		let ask = least + Balance::from(self.dice.below(5)) * least / 4;
		let terms = OfferTerms {
			ask: ask.next_multiple_of(pallet_market::Params::<Runtime>::get().ask_tick),
			capabilities: GAS_BILLED,
			..asked()
		};
		if !Offers::<Runtime>::contains_key(peer) {
			return send(owner, Call::<Runtime>::post_offer { peer, terms });
		}
		match self.dice.one_in(3) {
			true => send(owner, Call::<Runtime>::withdraw_offer { peer }),
			false => send(owner, Call::<Runtime>::update_offer { peer, terms }),
		}
	}

	/// A client orders a deal: some run out of escrow, some ask for a bond, some pay for gas alone.
	pub(super) fn create_deal(&mut self) -> bool {
		if Specs::<Runtime>::iter_keys().count() >= MOST_DEALS {
			return self.stop();
		}
		let workers = self.dice.from_to(1, 3);
		let any = order(workers, self.dice.from_to(1, 2));
		let spec = DealSpec {
			worker_bond: Balance::from(self.dice.below(3)) * FLT / 10,
			..any
		};
		let spec = match self.rare.one_in(3) {
			true => DealSpec {
				capabilities: GAS_BILLED,
				billing: by_gas(),
				..spec
			},
			false => spec,
		};
		let epochs = Balance::from(self.dice.from_to(2, 12));
		let escrow = spec.price_ceiling * Balance::from(workers) * epochs;
		let client = self.client();
		send(client, Call::<Runtime>::create_deal { spec, escrow })
	}

	pub(super) fn top_up(&mut self) -> bool {
		let who = self.anybody();
		let amount = asked().ask * Balance::from(self.dice.from_to(1, 30));
		self.deal()
			.is_some_and(|deal| send(who, Call::<Runtime>::top_up { deal, amount }))
	}

	/// A client ends a deal, or anybody one whose time is over, or says that its escrow is used up.
	pub(super) fn stop(&mut self) -> bool {
		let (who, client) = (self.anybody(), self.client());
		let Some(deal) = self.deal() else {
			return false;
		};
		if self.dice.one_in(3) && send(who, Call::<Runtime>::begin_grace { deal }) {
			return true;
		}
		send(client, Call::<Runtime>::stop { deal })
	}

	pub(super) fn close(&mut self) -> bool {
		let is_ending = |id: &DealId| {
			let deal = Deals::<Runtime>::get(DealKey::from(*id));
			deal.is_some_and(|deal| matches!(deal.status, DealStatus::Ending { .. }))
		};
		let ending: Vec<DealId> = Specs::<Runtime>::iter_keys().filter(is_ending).collect();
		let who = self.anybody();
		self.dice
			.pick(&ending)
			.is_some_and(|deal| send(who, Call::<Runtime>::close { deal }))
	}

	pub(super) fn match_deal(&mut self) -> bool {
		let who = self.anybody();
		self.deal()
			.is_some_and(|deal| send(who, Call::<Runtime>::match_deal { deal }))
	}

	/// Somebody points to a worker that is lost or did not go live, or its client ends it.
	pub(super) fn push_worker(&mut self) -> bool {
		let (who, client) = (self.anybody(), self.client());
		let Some((deal, peer)) = self.worker() else {
			return false;
		};
		match self.dice.below(3) {
			0 => send(client, Call::<Runtime>::end_worker { deal, peer }),
			1 => send(who, Call::<Runtime>::release_worker { deal, peer }),
			_ => send(who, Call::<Runtime>::replace { deal, peer }),
		}
	}

	/// Somebody asks a worker over the chain, or says that nobody answered.
	pub(super) fn probe(&mut self) -> bool {
		let who = self.anybody();
		let open: Vec<(DealId, PeerId)> = Probes::<Runtime>::iter_keys().collect();
		let overdue = self.dice.pick(&open).filter(|_| self.dice.one_in(2));
		if let Some((deal, peer)) = overdue {
			return send(who, Call::<Runtime>::fail_probe { deal, peer });
		}
		let body = Default::default();
		self.worker()
			.is_some_and(|(deal, peer)| send(who, Call::<Runtime>::probe { deal, peer, body }))
	}

	fn deal(&mut self) -> Option<DealId> {
		let all: Vec<DealId> = Specs::<Runtime>::iter_keys().collect();
		self.dice.pick(&all)
	}

	fn worker(&mut self) -> Option<(DealId, PeerId)> {
		let all: Vec<_> = Workers::<Runtime>::iter_keys().collect();
		self.dice.pick(&all)
	}
}
