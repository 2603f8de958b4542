//! What the books list: who works for whom, who is silent, and what is owed.

use super::{ledger::Ledger, rows::Row};
use crate::mock::*;
use millrace_primitives::{
	epoch::Phase, peer::PeerId, traits::EpochClock, Balance, DealId, EpochIndex,
};

impl Ledger {
	/// Workers that are not live yet.
	pub(super) fn assigned(&self) -> Vec<(DealId, PeerId, EpochIndex)> {
		let mut assigned = Vec::new();
		for (id, row) in &self.deals {
			for (peer, seat) in &row.workers {
				if seat.since.is_none() {
					assigned.push((*id, *peer, seat.deadline));
				}
			}
		}
		assigned
	}

	/// Workers that are live and have no notice, of deals that are not stopped, with the first epoch
	/// that each is paid for.
	pub(super) fn live(&self) -> Vec<(DealId, PeerId, EpochIndex)> {
		let mut live = Vec::new();
		for (id, row) in self.deals.iter().filter(|(_, row)| row.last.is_none()) {
			for (peer, seat) in &row.workers {
				if let (Some(since), None) = (seat.since, seat.last) {
					live.push((*id, *peer, since));
				}
			}
		}
		live
	}

	/// Workers that have notice or failed a probe, of deals that are not stopped, with the epoch after
	/// which each leaves.
	pub(super) fn draining(&self) -> Vec<(DealId, PeerId, EpochIndex)> {
		let mut draining = Vec::new();
		for (id, row) in self.deals.iter().filter(|(_, row)| row.last.is_none()) {
			for (peer, seat) in &row.workers {
				draining.extend(seat.leaves().map(|last| (*id, *peer, last)));
			}
		}
		draining
	}

	/// Workers that did not report the epoch before though they served in it and would be paid, and
	/// that can no longer do so.
	pub(super) fn silent(&self) -> Vec<(DealId, PeerId)> {
		let ended = Epoch::get() - 1;
		let mut silent = Vec::new();
		for (id, row) in &self.deals {
			for (peer, seat) in &row.workers {
				let is_due = row.is_due(*peer, ended) && row.would_pay(seat, ended);
				if is_due && self.is_late(*id, *peer) {
					silent.push((*id, *peer));
				}
			}
		}
		silent
	}

	/// Whether a peer did not report a deal for the epoch before, and can no longer do so: it reports
	/// once, and within the window.
	pub(super) fn is_late(&self, deal: DealId, peer: PeerId) -> bool {
		match self.listed.get(&(peer, Epoch::get() - 1)) {
			Some(listed) => !listed.contains(&deal),
			None => MockEpochs::phase() != Phase::Report,
		}
	}

	/// Deals that a peer works for.
	pub(super) fn deals_of(&self, peer: PeerId) -> Vec<DealId> {
		let works = |(_, row): &(&DealId, &Row)| row.workers.contains_key(&peer);
		self.deals.iter().filter(works).map(|(id, _)| *id).collect()
	}

	/// Units of a peer that are at work in an epoch that begins.
	pub(super) fn at_work(&self, peer: PeerId, epoch: EpochIndex) -> u32 {
		self.deals
			.values()
			.filter(|row| row.last.is_none() && row.is_due(peer, epoch))
			.map(|row| row.spec.units_per_worker)
			.sum()
	}

	/// What a peer is owed for an epoch that is settled now, by each deal, and whether that is of the
	/// closing deposit.
	pub(super) fn dues(&self, peer: PeerId, epoch: EpochIndex) -> Vec<(DealId, Balance, bool)> {
		let served = self.served.get(&(peer, epoch)).into_iter().flatten();
		served
			.filter_map(|id| {
				let row = self.deals.get(id)?;
				let seat = row.workers.get(&peer)?;
				let (amount, is_grace) = row.amount(*id, seat, epoch);
				let due = seat.serves(epoch) && row.pays(epoch);
				(due && amount > 0).then_some((*id, amount, is_grace))
			})
			.collect()
	}

	/// Whether a deal owes a peer an epoch that it served and that is not settled.
	pub(super) fn owes(&self, deal: DealId, peer: PeerId) -> bool {
		let settled = self.settled.get(&peer).copied();
		let open = self
			.served
			.keys()
			.filter(|(of, epoch)| *of == peer && settled.is_none_or(|settled| settled < *epoch));
		open.flat_map(|(_, epoch)| self.dues(peer, *epoch))
			.any(|(by, ..)| by == deal)
	}
}
