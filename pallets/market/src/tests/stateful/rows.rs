//! Deals and workers as the events tell of them.

use crate::{mock::MockPeers, GraceSpan};
use millrace_primitives::{
	market::DealSpec, peer::PeerId, traits::PeerRegistry, Balance, EpochIndex,
};
use std::collections::BTreeMap;

pub(super) fn provider_of(peer: PeerId) -> u64 {
	MockPeers::provider_of(peer).expect("whoever is in use is registered")
}

/// A worker as the events tell of it.
pub(super) struct Seat {
	pub(super) price: Balance,
	/// Last epoch in which it can go live.
	pub(super) deadline: EpochIndex,
	/// First epoch that it is paid for, once it is live.
	pub(super) since: Option<EpochIndex>,
	/// Last epoch that it is paid for, once there is notice.
	pub(super) last: Option<EpochIndex>,
	/// What is held of its provider for it.
	pub(super) bond: Balance,
}

impl Seat {
	/// Whether an epoch is one of those that it serves.
	pub(super) fn serves(&self, epoch: EpochIndex) -> bool {
		self.since.is_some_and(|since| since <= epoch) && self.last.is_none_or(|last| epoch <= last)
	}
}

/// A deal as the events tell of it.
pub(super) struct Row {
	pub(super) owner: u64,
	pub(super) spec: DealSpec<u64>,
	/// Last epoch of its term.
	pub(super) term_end: Option<EpochIndex>,
	/// Last epoch at all, once it is stopped.
	pub(super) last: Option<EpochIndex>,
	pub(super) early: bool,
	/// The last time without escrow.
	pub(super) grace: Option<GraceSpan>,
	/// Whether that was not ended by escrow.
	pub(super) in_grace: bool,
	/// To whom its owner wants to give it.
	pub(super) heir: Option<u64>,
	pub(super) escrow: Balance,
	pub(super) closing: Balance,
	pub(super) deposit: Balance,
	pub(super) paid: Balance,
	pub(super) burnt: Balance,
	pub(super) workers: BTreeMap<PeerId, Seat>,
}

impl Row {
	pub(super) fn pays(&self, epoch: EpochIndex) -> bool {
		let ends = self.grace.filter(|_| self.in_grace).map(|span| span.until);
		[self.term_end, self.last, ends]
			.into_iter()
			.flatten()
			.all(|last| epoch <= last)
	}

	/// Whether a peer's worker serves an epoch that the deal has.
	pub(super) fn is_due(&self, peer: PeerId, epoch: EpochIndex) -> bool {
		let seat = self.workers.get(&peer);
		seat.is_some_and(|seat| seat.serves(epoch)) && self.last.is_none_or(|last| epoch <= last)
	}

	/// What a worker that served an epoch gets for it, and whether that is of the closing deposit.
	pub(super) fn amount(&self, seat: &Seat, epoch: EpochIndex) -> (Balance, bool) {
		match self.grace {
			Some(span) if span.contains(epoch) => ((seat.price / 2).min(self.closing), true),
			_ => (seat.price.min(self.escrow), false),
		}
	}

	/// Whether a worker that serves an epoch would be paid all of it.
	pub(super) fn would_pay(&self, seat: &Seat, epoch: EpochIndex) -> bool {
		let covered = match self.grace {
			Some(span) if span.contains(epoch) => self.closing >= seat.price / 2,
			_ => self.escrow >= seat.price,
		};
		covered && self.pays(epoch)
	}

	/// Price of an epoch at the ceiling.
	pub(super) fn ceiling(&self) -> Balance {
		self.spec.price_ceiling
			* Balance::from(self.spec.units_per_worker)
			* Balance::from(self.spec.target_workers)
	}

	/// Price of an epoch of its live workers that have no notice.
	pub(super) fn rate(&self) -> Balance {
		let stays = |seat: &&Seat| seat.since.is_some() && seat.last.is_none();
		let staying = self.workers.values().filter(stays);
		staying.map(|seat| seat.price).sum()
	}

	/// Most that its workers can get for the epochs of the last grace.
	pub(super) fn most_in_grace(&self) -> Balance {
		let epochs = self.grace.map_or(0, |span| span.until - span.from + 1);
		let halves = self.workers.values().map(|seat| seat.price / 2);
		Balance::from(epochs) * halves.sum::<Balance>()
	}

	/// Workers of a provider.
	pub(super) fn seats_of(&self, provider: u64) -> usize {
		self.workers
			.keys()
			.filter(|peer| provider_of(**peer) == provider)
			.count()
	}
}
