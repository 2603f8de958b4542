//! Providers promise capacity and others stake on it; anybody pushes what is due.

use super::{
	chain::send,
	votes::by_root,
	world::{World, ALL, CLIENTS},
};
use crate::errors::scene::{account, now, offer, peer, registration, BOB};
use millrace_primitives::{commitment::SlashId, peer::PeerId, Balance};
use millrace_runtime::{AccountId, Capacity, Providers, Runtime};
use pallet_capacity::{Call, Commitments, Rounds, WaitingSlashes};
use sp_runtime::Perbill;

impl World {
	/// An owner takes the next step towards a commitment of a machine.
	pub(super) fn commit(&mut self) -> bool {
		let (n, owner) = self.machine();
		if !pallet_providers::Providers::<Runtime>::contains_key(account(owner)) {
			let name = Default::default();
			return send(
				owner,
				pallet_providers::Call::<Runtime>::register_provider { name },
			);
		}
		if Providers::peer(peer(n)).is_none() {
			return send(owner, registration(n, owner));
		}
		let (units, duration_epochs) = (self.dice.from_to(1, 4), self.dice.from_to(5, 9));
		// Alone, or with Bob.
		let own = if self.dice.one_in(2) { 100 } else { 40 };
		let invited: &[&str] = if own == 100 { &[] } else { &CLIENTS };
		let part = Perbill::from_percent;
		let terms = Capacity::start_terms(units, duration_epochs, part(own), part(10));
		let created = send(
			owner,
			Call::<Runtime>::create {
				peer: peer(n),
				units,
				duration_epochs,
				offer: offer(own, 10, invited),
			},
		);
		if created {
			self.rounds.insert(n, terms);
		}
		created
	}

	/// The owner of a machine or Bob brings its part of the stake.
	pub(super) fn stake(&mut self) -> bool {
		let open = |n: &u16| Rounds::<Runtime>::contains_key(peer(*n));
		let rounds: Vec<u16> = self.rounds.keys().copied().filter(open).collect();
		let Some(n) = self.dice.pick(&rounds) else {
			return false;
		};
		let Some(owner) = Providers::peer(peer(n)).map(|view| view.provider) else {
			return false;
		};
		let terms = self.rounds[&n];
		let whole = terms.terms.stake_per_unit * Balance::from(terms.units);
		let own = terms.terms.own_part.mul_ceil(whole);
		let (who, add) = match own == whole || self.dice.one_in(2) {
			true => (name_of(&owner), own),
			false => (BOB, whole - own),
		};
		send(
			who,
			Call::<Runtime>::stake {
				peer: peer(n),
				terms,
				keep: 0,
				add,
			},
		)
	}

	pub(super) fn cancel(&mut self) -> bool {
		let (peer, who) = (peer(self.machine().0), self.anybody());
		send(who, Call::<Runtime>::cancel { peer })
	}

	pub(super) fn settle(&mut self) -> bool {
		let (peer, who) = (peer(self.machine().0), self.anybody());
		send(who, Call::<Runtime>::settle { peer })
	}

	pub(super) fn withdraw(&mut self) -> bool {
		let over: Vec<PeerId> = Commitments::<Runtime>::iter()
			.filter(|(_, commitment)| commitment.withdrawable().is_some_and(|at| at <= now().0))
			.map(|(peer, _)| peer)
			.collect();
		let who = self.anybody();
		self.dice
			.pick(&over)
			.is_some_and(|peer| send(who, Call::<Runtime>::withdraw { peer }))
	}

	pub(super) fn claim(&mut self) -> bool {
		let (who, pusher) = (account(self.anybody()), self.anybody());
		send(pusher, Call::<Runtime>::claim { who })
	}

	pub(super) fn apply_slash(&mut self) -> bool {
		let who = self.anybody();
		self.waiting_slash()
			.is_some_and(|(peer, slash)| send(who, Call::<Runtime>::apply_slash { peer, slash }))
	}

	/// Governance sends a slash back, now and then.
	pub(super) fn cancel_slash(&mut self) -> bool {
		if !self.dice.one_in(4) {
			return false;
		}
		self.waiting_slash().is_some_and(|(peer, slash)| {
			by_root(Call::<Runtime>::cancel_slash { peer, slash }.into())
		})
	}

	fn waiting_slash(&mut self) -> Option<(PeerId, SlashId)> {
		let all: Vec<_> = WaitingSlashes::<Runtime>::iter_keys().collect();
		self.dice.pick(&all)
	}
}

/// The name of an account that somebody has the key of.
pub(super) fn name_of(who: &AccountId) -> &'static str {
	ALL.into_iter()
		.find(|name| account(name) == *who)
		.expect("owners are among them")
}
