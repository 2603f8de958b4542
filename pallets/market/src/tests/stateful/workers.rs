//! What is done to workers: by their peers, by their deals' owners, by anybody.

use super::{
	ops::{Caller, Duty, PEERS},
	within,
	world::World,
};
use crate::{mock::*, Call, Exclusions, Offers, Params, WeightInfo};
use frame_support::pallet_prelude::{Authorize, TransactionSource};
use millrace_primitives::{
	market::OfferTerms,
	peer::PeerId,
	report::MAX_DEALS_PER_PEER,
	traits::{Capacity, EpochClock, PeerRegistry},
	Balance, DealId, Gas,
};
use sp_runtime::DispatchError;

/// One of those that there are.
pub(super) fn one<R: Copy>(found: &[R], pick: u8) -> Option<R> {
	found.get(usize::from(pick) % found.len().max(1)).copied()
}

impl World<'_> {
	pub(super) fn go_live(&mut self, pick: u8, duty: Duty) {
		let found = one(&self.ledger.assigned(), pick);
		let (deal, peer, deadline) =
			found.unwrap_or((self.deal(pick), self.peer(pick % PEERS), Epoch::get()));
		let n = self.number(peer);
		let (signer, named, until) = match duty {
			Duty::WrongKey => ((n + 1) % PEERS, peer, deadline),
			Duty::WrongEpoch => (n, peer, deadline.wrapping_add(1)),
			Duty::Unregistered => (n, PeerId::default(), deadline),
			_ => (n, peer, deadline),
		};
		let signature = go_live_signature(signer, deal, until);
		let call = Call::<Test>::go_live {
			peer: named,
			deal,
			signature,
		};
		let in_time = found.is_some() && Epoch::get() <= deadline;
		let is_right = match duty {
			Duty::From(caller) => {
				let origin = caller.origin(PROVIDER);
				if !matches!(caller, Caller::Authorized) {
					let result = Market::go_live(origin, named, deal, signature);
					assert_eq!(result, Err(DispatchError::BadOrigin));
				}
				return;
			}
			Duty::Unchecked => in_time,
			Duty::Right => {
				let provider = MockPeers::provider_of(peer);
				let row = self.ledger.deals.get(&deal);
				let affords = provider.zip(row).is_some_and(|(provider, row)| {
					self.ledger.spendable(provider) >= row.spec.worker_bond
				});
				let is_right = in_time && affords;
				assert_eq!(is_authorized(call), is_right);
				is_right
			}
			Duty::WrongKey | Duty::WrongEpoch | Duty::Unregistered => {
				assert!(!is_authorized(call));
				false
			}
		};
		if is_right {
			go_live(peer, deal);
		}
		self.note("go live", is_right);
	}

	pub(super) fn drain(&mut self, pick: u8, duty: Duty) {
		let found = one(&self.ledger.live(), pick);
		let (deal, peer, since) =
			found.unwrap_or((self.deal(pick), self.peer(pick % PEERS), Epoch::get()));
		let n = self.number(peer);
		let (signer, named, first) = match duty {
			Duty::WrongKey => ((n + 1) % PEERS, peer, since),
			Duty::WrongEpoch => (n, peer, since.wrapping_add(1)),
			Duty::Unregistered => (n, PeerId::default(), since),
			_ => (n, peer, since),
		};
		let signature = drain_signature(signer, deal, first);
		let call = Call::<Test>::drain {
			peer: named,
			deal,
			signature,
		};
		let is_right = match duty {
			Duty::From(caller) => {
				let origin = caller.origin(PROVIDER);
				if !matches!(caller, Caller::Authorized) {
					let result = Market::drain(origin, named, deal, signature);
					assert_eq!(result, Err(DispatchError::BadOrigin));
				}
				return;
			}
			Duty::Unchecked => found.is_some(),
			Duty::Right => {
				assert_eq!(is_authorized(call), found.is_some());
				found.is_some()
			}
			Duty::WrongKey | Duty::WrongEpoch | Duty::Unregistered => {
				assert!(!is_authorized(call));
				false
			}
		};
		if is_right {
			drain(peer, deal);
			assert!(is_excluded(deal, peer));
			// Notice is given once.
			let again = Call::<Test>::drain {
				peer,
				deal,
				signature: drain_signature(n, deal, since),
			};
			assert!(!is_authorized(again));
		}
		self.note("drain", is_right);
	}

	/// A worker redeems a voucher of a deal that is billed by gas, or tries to.
	pub(super) fn redeem(&mut self, pick: u8, duty: Duty, more: Gas) {
		let mut found = Vec::new();
		for (id, row) in &self.ledger.deals {
			for (peer, seat) in &row.workers {
				let by_gas = row.spec.billing.full_gas().is_some();
				if let Some(since) = seat.since.filter(|_| by_gas) {
					let before = seat.redeemed == Some(Epoch::get());
					found.push((*id, *peer, since, seat.vouchered, before));
				}
			}
		}
		let missing = (self.deal(pick), self.peer(pick % PEERS), 0, 0, true);
		let (deal, peer, since, vouchered, before) = one(&found, pick).unwrap_or(missing);
		let n = self.number(peer);
		let (signer, named, first) = match duty {
			Duty::WrongKey => ((n + 1) % PEERS, peer, since),
			Duty::WrongEpoch => (n, peer, since.wrapping_add(1)),
			Duty::Unregistered => (n, PeerId::default(), since),
			_ => (n, peer, since),
		};
		let cumulative = vouchered.saturating_add(more);
		let signature = redeem_signature(signer, deal, first, cumulative);
		let voucher = voucher(VOUCHER_KEY, deal, peer, first, cumulative);
		let call = Call::<Test>::redeem {
			peer: named,
			deal,
			voucher,
			signature,
		};
		let is_higher = more > 0 && !before && !found.is_empty();
		let is_right = match duty {
			Duty::From(caller) => {
				let origin = caller.origin(PROVIDER);
				if !matches!(caller, Caller::Authorized) {
					let result = Market::redeem(origin, named, deal, voucher, signature);
					assert_eq!(result, Err(DispatchError::BadOrigin));
				}
				return;
			}
			Duty::Right | Duty::Unchecked => {
				assert_eq!(is_authorized(call), is_higher);
				is_higher
			}
			Duty::WrongKey | Duty::WrongEpoch | Duty::Unregistered => {
				assert!(!is_authorized(call));
				false
			}
		};
		if is_right {
			redeem(peer, deal, cumulative);
		}
		self.note("redeem", is_right);
	}

	/// A higher ask is notice to all live workers of the peer that have a lower one, another change to
	/// none.
	pub(super) fn update_offer(&mut self, caller: Caller, n: u8, terms: OfferTerms) {
		let (peer, owner) = (self.peer(n), self.provider(n).unwrap_or(PROVIDER));
		let ask = |peer| Offers::<Test>::get(peer).map(|offer| offer.terms.ask);
		let before = ask(peer);
		let mut stay = self.live_of(peer);
		let result = Market::update_offer(caller.origin(owner), peer, terms);
		let bound = <() as WeightInfo>::update_offer(MAX_DEALS_PER_PEER);
		let result = within(bound, result);
		let is_raise = result.is_ok() && before < Some(terms.ask);
		if result.is_ok() {
			assert_eq!(ask(peer), Some(terms.ask));
		}
		self.called("update offer", caller, result);
		self.sync();
		let is_as_dear = |deal: &DealId| {
			let row = &self.ledger.deals[deal];
			let units = Balance::from(row.spec.units_per_worker);
			row.workers[&peer].price >= terms.ask.saturating_mul(units)
		};
		stay.retain(|deal| !is_raise || is_as_dear(deal));
		assert_eq!(self.live_of(peer), stay);
	}

	/// A peer offers on such terms, whether it has an offer or not.
	pub(super) fn offer_on(&mut self, n: u8, terms: OfferTerms) {
		if self.ledger.offers.contains_key(&self.peer(n)) {
			return self.update_offer(Caller::Entitled, n, terms);
		}
		let provider = self.provider(n).unwrap_or(PROVIDER);
		let result = Market::post_offer(RuntimeOrigin::signed(provider), self.peer(n), terms);
		self.called("post offer", Caller::Entitled, result);
		self.sync();
	}

	/// Deals in which a peer is live and has no notice.
	fn live_of(&self, peer: PeerId) -> Vec<DealId> {
		let mut live = self.ledger.live();
		live.retain(|(_, of, _)| *of == peer);
		live.into_iter().map(|(deal, ..)| deal).collect()
	}

	pub(super) fn end_worker(&mut self, caller: Caller, pick: u8) {
		let mut stand = Vec::new();
		for (id, row) in &self.ledger.deals {
			for (peer, seat) in &row.workers {
				let may_end = row.last.is_none() && seat.last.is_none();
				stand.push((*id, *peer, row.owner, may_end));
			}
		}
		let missing = (self.deal(pick), self.peer(0), CLIENT, false);
		let (deal, peer, owner, may_end) = one(&stand, pick).unwrap_or(missing);
		let result = Market::end_worker(caller.origin(owner), deal, peer);
		assert_eq!(result.is_ok(), may_end && caller.is(owner));
		assert!(result.is_err() || is_excluded(deal, peer));
		self.called("end worker", caller, result);
	}

	/// Takes out a worker that is overdue, or drained.
	pub(super) fn release(&mut self, caller: Caller, pick: u8, late: bool) {
		let mut candidates = self.ledger.assigned();
		let assigned = candidates.len();
		candidates.extend(self.ledger.draining());
		let at = usize::from(pick) % candidates.len().max(1);
		let origin = caller.origin(STRANGER);
		let Some((deal, peer, end)) = candidates.get(at).copied() else {
			let result = Market::release_worker(origin, self.deal(pick), self.peer(0));
			assert!(result.is_err());
			return self.called(
				"release worker",
				caller,
				within(Market::release_weight(), result),
			);
		};
		let drains = at >= assigned;
		let is_over = || match drains {
			true => MockEpochs::last_closed() >= Some(end),
			false => Epoch::get() > end,
		};
		if late && end < Epoch::get() + 4 {
			while !is_over() {
				self.next_block();
			}
		}
		// One that drains is settled first, in one step.
		let settles = !drains || SettlesAtOnce::get() || MockCapacity::is_settled(peer);
		let result = Market::release_worker(origin, deal, peer);
		assert!(result.is_err() || (is_over() && caller.signs()));
		assert!(result.is_ok() || !(is_over() && caller.signs() && settles));
		self.called(
			"release worker",
			caller,
			within(Market::release_weight(), result),
		);
	}

	/// An epoch is over that a live worker served and that its peer alone did not report.
	pub(super) fn miss(&mut self, pick: u8) {
		let Some((_, peer, since)) = one(&self.ledger.live(), pick) else {
			return;
		};
		if Epoch::get() < since {
			self.serve_and_check(u8::MAX);
		}
		self.serve_and_check(!(1u8 << self.number(peer)));
	}

	/// Takes out a worker that did not report, or tries to take out one that is not lost.
	pub(super) fn replace(&mut self, caller: Caller, pick: u8) {
		let silent = self.ledger.silent();
		let all: Vec<_> = self
			.ledger
			.deals
			.iter()
			.flat_map(|(id, row)| row.workers.keys().map(move |peer| (*id, *peer)))
			.collect();
		let missing = (self.deal(pick), self.peer(0));
		let found = one(&silent, pick).or(one(&all, pick));
		let (deal, peer) = found.unwrap_or(missing);
		let missed = MockCapacity::missed(peer, Epoch::get() - 1);
		let settled = MockCapacity::is_settled(peer);

		let result = Market::replace(caller.origin(STRANGER), deal, peer);
		let result = within(Market::replace_weight(), result);
		let is_silent = silent.contains(&(deal, peer));
		assert!(result.is_err() || is_silent);
		// What is settled before may use up what the epoch would be paid from.
		assert!(result.is_ok() || !(is_silent && missed && settled && caller.signs()));
		self.ledger.pusher = match caller {
			Caller::Entitled => Some(STRANGER),
			Caller::Account(who) => Some(who),
			_ => None,
		};
		self.called("replace", caller, result);
		self.sync();
		self.ledger.pusher = None;
	}
}

/// Whether a deal does not take a peer from now on.
fn is_excluded(deal: DealId, peer: PeerId) -> bool {
	let epochs = Params::<Test>::get().exclusion_epochs;
	let until = Epoch::get().saturating_add(epochs);
	Exclusions::<Test>::get(deal).contains(&(peer, until))
}

/// Whether a duty may enter a block.
pub(super) fn is_authorized(call: Call<Test>) -> bool {
	let answer = RuntimeCall::Market(call).authorize(TransactionSource::External);
	answer.expect("it is a duty").is_ok()
}
