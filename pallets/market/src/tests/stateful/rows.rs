//! Deals and workers as the events tell of them.

use crate::{mock::MockPeers, GraceSpan};
use millrace_primitives::{
	market::{DealSpec, DealTerms},
	peer::PeerId,
	traits::PeerRegistry,
	Balance, BlockNumber, DealId, EpochIndex, Gas, H256,
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
	/// The epoch in which it failed a probe, and after which it leaves.
	pub(super) failed: Option<EpochIndex>,
	/// What is held of its provider for it.
	pub(super) bond: Balance,
	/// Gas of its highest voucher.
	pub(super) vouchered: Gas,
	/// When it redeemed one last.
	pub(super) redeemed: Option<EpochIndex>,
	/// What is billed of that, by the epoch that was settled.
	pub(super) billed: BTreeMap<EpochIndex, Gas>,
}

/// Gas that every peer reports for a deal and an epoch.
pub(super) fn gas_of(deal: DealId, epoch: EpochIndex) -> Gas {
	(deal * 7 + Gas::from(epoch) * 5) % 16
}

impl Seat {
	/// Whether an epoch is one of those that it serves.
	pub(super) fn serves(&self, epoch: EpochIndex) -> bool {
		self.since.is_some_and(|since| since <= epoch) && self.last.is_none_or(|last| epoch <= last)
	}

	/// The epoch after which it leaves, once that is known and closed.
	pub(super) fn leaves(&self) -> Option<EpochIndex> {
		self.last
			.map(|last| self.failed.map_or(last, |failed| failed.max(last)))
	}

	/// Whether it may have answered calls in an epoch, for which it is paid or not.
	pub(super) fn answers(&self, epoch: EpochIndex) -> bool {
		let began = self.since.is_some_and(|since| since <= epoch + 1);
		let stays = self.last.is_none_or(|last| epoch <= last);
		(began && stays) || (began && self.failed.is_some_and(|failed| epoch <= failed))
	}

	/// What is billed of the gas that was reported for an epoch, or was when it was settled.
	pub(super) fn bills(&self, epoch: EpochIndex, reported: Gas) -> Gas {
		let left = self.vouchered - self.billed.values().sum::<Gas>();
		let known = self.billed.get(&epoch).copied();
		known.unwrap_or(reported.min(left))
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
	/// What was in force when it was made.
	pub(super) terms: DealTerms,
	/// To whom its owner wants to give it.
	pub(super) heir: Option<u64>,
	/// Who makes room once the cheaper one is live that is assigned besides.
	pub(super) moving: Option<PeerId>,
	/// The packages that it had, each with the block and the epoch since when.
	pub(super) packages: Vec<(H256, BlockNumber, EpochIndex)>,
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

	/// Whether a peer's worker may have answered calls in an epoch that the deal has.
	pub(super) fn answers(&self, peer: PeerId, epoch: EpochIndex) -> bool {
		let seat = self.workers.get(&peer);
		seat.is_some_and(|seat| seat.answers(epoch)) && self.last.is_none_or(|last| epoch <= last)
	}

	/// What a worker that served an epoch gets for it, and whether that is of the closing deposit.
	pub(super) fn amount(&self, deal: DealId, seat: &Seat, epoch: EpochIndex) -> (Balance, bool) {
		let share = |price: Balance| match self.spec.billing.full_gas() {
			None => price,
			Some(full) => {
				let gas = seat.bills(epoch, gas_of(deal, epoch));
				price * Balance::from(gas.min(full)) / Balance::from(full)
			}
		};
		match self.grace {
			Some(span) if span.contains(epoch) => {
				(share(self.in_grace_of(seat)).min(self.closing), true)
			}
			_ => (share(seat.price).min(self.escrow), false),
		}
	}

	/// Price of an epoch of a worker in grace.
	fn in_grace_of(&self, seat: &Seat) -> Balance {
		seat.price * Balance::from(self.terms.grace_price.deconstruct()) / 1_000_000_000
	}

	/// Whether a worker that serves an epoch would be paid all of it.
	pub(super) fn would_pay(&self, seat: &Seat, epoch: EpochIndex) -> bool {
		let covered = match self.grace {
			Some(span) if span.contains(epoch) => self.closing >= self.in_grace_of(seat),
			_ => self.escrow >= seat.price,
		};
		covered && self.pays(epoch)
	}

	/// Whether a call of a package counts that begins at a block of an epoch: the deal has it, or had it
	/// until an update in this epoch or the one before.
	pub(super) fn counts(&self, package: H256, epoch: EpochIndex, block: BlockNumber) -> bool {
		(0..self.packages.len()).any(|n| {
			let (hash, since, _) = self.packages[n];
			let next = self.packages.get(n + 1);
			let stays = next.is_none_or(|(_, _, updated)| epoch <= updated + 1);
			hash == package && since <= block && stays
		})
	}

	/// Whether an ask is cheaper by the part that was ordered than whoever makes room for it, and nobody
	/// is dearer than that one or is about to leave.
	pub(super) fn check_rematch(&self, from: PeerId, ask: Balance) {
		let billion = 1_000_000_000;
		let part = self.spec.rematch.expect("it was ordered").deconstruct();
		let price = ask * Balance::from(self.spec.units_per_worker);
		let most = self.workers[&from].price;
		assert!(price < most && price * billion <= most * (billion - Balance::from(part)));
		for seat in self.workers.values() {
			assert!(seat.price <= most && seat.since.is_some() && seat.last.is_none());
		}
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
		let prices = self.workers.values().map(|seat| self.in_grace_of(seat));
		Balance::from(epochs) * prices.sum::<Balance>()
	}

	/// Workers of a provider.
	pub(super) fn seats_of(&self, provider: u64) -> usize {
		self.workers
			.keys()
			.filter(|peer| provider_of(**peer) == provider)
			.count()
	}
}
