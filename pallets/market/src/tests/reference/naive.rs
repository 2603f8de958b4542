//! The rules of matching without a book, a queue or a place in either: lists that are gone through
//! whole whenever somebody is looked for.

use crate::{mock::Test, Event, ReleaseReason};
use millrace_primitives::{
	market::{DealSpec, DealStatus, OfferTerms, ProviderFilter, Worker, WorkerStatus},
	peer::PeerId,
	Balance, DealId, EpochIndex, OfferId,
};

/// Ask and age of an offer.
pub(super) type Place = (Balance, OfferId);

/// Assignments in a row that come to nothing, after which an offer is closed.
const LAPSES: u32 = 3;
/// Epochs after the one of its assignment in which a worker can go live.
const TO_GO_LIVE: EpochIndex = 1;
/// Epochs for which a deal does not take a peer again that failed it, gave it notice or was ended.
const EXCLUSION: EpochIndex = 3;

#[derive(Debug)]
pub(super) struct Offer {
	pub(super) id: OfferId,
	pub(super) terms: OfferTerms,
	pub(super) lapses: u32,
}

#[derive(Debug)]
pub(super) struct Peer {
	pub(super) id: PeerId,
	pub(super) provider: u64,
	/// Units that it proved.
	pub(super) units: u32,
	pub(super) offer: Option<Offer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
	pub(super) peer: PeerId,
	offer: OfferId,
	ask: Balance,
	units: u32,
	pub(super) status: WorkerStatus,
}

impl From<Worker> for Seat {
	fn from(worker: Worker) -> Self {
		Self {
			peer: worker.peer,
			offer: worker.offer,
			ask: worker.ask,
			units: worker.units,
			status: worker.status,
		}
	}
}

impl Seat {
	pub(super) fn is_live(&self) -> bool {
		matches!(self.status, WorkerStatus::Live { .. })
	}

	fn is_draining(&self) -> bool {
		matches!(self.status, WorkerStatus::Draining { .. })
	}

	/// Whether its price counts in an epoch, if it goes live now where it is not live yet.
	fn counts(&self, epoch: EpochIndex, now: EpochIndex) -> bool {
		match self.status {
			WorkerStatus::Assigned { .. } => epoch > now,
			WorkerStatus::Live { since } => since <= epoch,
			WorkerStatus::Draining { since, last } => since <= epoch && epoch <= last,
		}
	}
}

#[derive(Debug)]
pub(super) struct Deal {
	pub(super) id: DealId,
	pub(super) spec: DealSpec<u64>,
	pub(super) term_end: Option<EpochIndex>,
	pub(super) escrow: Balance,
	pub(super) status: DealStatus,
	pub(super) seats: Vec<Seat>,
	/// Who makes room for the one that is assigned and cheaper.
	pub(super) moving: Option<PeerId>,
	/// Peers that it does not take, each before an epoch. Nobody once it is ending.
	barred: Vec<(PeerId, EpochIndex)>,
}

impl Deal {
	pub(super) fn new(
		id: DealId,
		spec: DealSpec<u64>,
		escrow: Balance,
		created: EpochIndex,
	) -> Self {
		Self {
			id,
			term_end: spec.term_epochs.map(|epochs| created + epochs),
			spec,
			escrow,
			status: DealStatus::Active,
			seats: Vec::new(),
			moving: None,
			barred: Vec::new(),
		}
	}

	pub(super) fn is_ending(&self) -> bool {
		matches!(self.status, DealStatus::Ending { .. })
	}

	/// Whether it waits for workers, be it for those whom it has found.
	fn waits(&self) -> bool {
		let live = self.seats.iter().filter(|seat| seat.is_live()).count();
		let lacks = live < self.spec.target_workers as usize;
		self.status == DealStatus::Active && (lacks || self.moving.is_some())
	}

	/// Whether it wants one more.
	pub(super) fn wants(&self) -> bool {
		let staying = self.seats.iter().filter(|seat| !seat.is_draining());
		self.status == DealStatus::Active && staying.count() < self.spec.target_workers as usize
	}

	/// Whether one more at the ceiling can be paid besides what may be owed for the epoch that is
	/// closed, and for the present and the next one. Asked while the epoch before this is closed.
	fn affords(&self, now: EpochIndex) -> bool {
		let more = self.spec.price_ceiling * Balance::from(self.spec.units_per_worker);
		self.owed(now, now + 1) + more <= self.escrow
	}

	/// What may be owed for the epochs from the one before on.
	fn owed(&self, now: EpochIndex, last: EpochIndex) -> Balance {
		(now - 1..=last)
			.flat_map(|epoch| {
				self.seats
					.iter()
					.filter(move |seat| seat.counts(epoch, now))
			})
			.map(|seat| seat.ask * Balance::from(seat.units))
			.sum()
	}

	/// Whether two epochs of one more can be paid besides all others, and the term goes on after them.
	fn affords_move(&self, ask: Balance, now: EpochIndex) -> bool {
		let more = 2 * ask * Balance::from(self.spec.units_per_worker);
		self.owed(now, now + 2) + more <= self.escrow
			&& self.term_end.is_none_or(|end| now + 2 < end)
	}

	/// Whether one more at the ceiling fits into the next epoch, which may cost twice what all wanted
	/// workers cost at most.
	fn has_room(&self, now: EpochIndex) -> bool {
		let paid: Balance = self
			.seats
			.iter()
			.filter(|seat| seat.counts(now + 1, now))
			.map(|seat| seat.ask * Balance::from(seat.units))
			.sum();
		let one = self.spec.price_ceiling * Balance::from(self.spec.units_per_worker);
		paid + one <= 2 * one * Balance::from(self.spec.target_workers)
	}

	/// Whether it looks for a worker.
	pub(super) fn seeks(&self, now: EpochIndex) -> bool {
		let in_term = self.term_end.is_none_or(|end| now < end);
		self.wants() && in_term && self.has_room(now) && self.affords(now)
	}
}

#[derive(Debug, Default)]
pub(super) struct Naive {
	pub(super) peers: Vec<Peer>,
	/// In the order of their creation.
	pub(super) deals: Vec<Deal>,
}

impl Naive {
	pub(super) fn peer(&self, id: PeerId) -> &Peer {
		let found = self.peers.iter().find(|peer| peer.id == id);
		found.expect("there are no others")
	}

	fn peer_mut(&mut self, id: PeerId) -> &mut Peer {
		let found = self.peers.iter_mut().find(|peer| peer.id == id);
		found.expect("there are no others")
	}

	pub(super) fn deal(&self, id: DealId) -> &Deal {
		let found = self.deals.iter().find(|deal| deal.id == id);
		found.expect("it stands")
	}

	fn deal_mut(&mut self, id: DealId) -> &mut Deal {
		let found = self.deals.iter_mut().find(|deal| deal.id == id);
		found.expect("it stands")
	}

	fn seat_mut(&mut self, deal: DealId, peer: PeerId) -> &mut Seat {
		let mut seats = self.deal_mut(deal).seats.iter_mut();
		seats.find(|seat| seat.peer == peer).expect("it has one")
	}

	/// Seats of a peer, each with whether its deal is ending.
	fn seats_of(&self, peer: PeerId) -> impl Iterator<Item = (&Seat, bool)> {
		self.deals.iter().flat_map(move |deal| {
			let seats = deal.seats.iter().filter(move |seat| seat.peer == peer);
			seats.map(move |seat| (seat, deal.is_ending()))
		})
	}

	/// Proven units of a peer that no deal has.
	fn free_units(&self, peer: &Peer) -> u32 {
		let taken = self.seats_of(peer.id).filter(|(_, ending)| !ending);
		let taken: u32 = taken.map(|(seat, _)| seat.units).sum();
		peer.units.saturating_sub(taken)
	}

	fn is_eligible(&self, deal: &Deal, peer: &Peer, offer: &Offer, now: EpochIndex) -> bool {
		let (spec, terms) = (&deal.spec, &offer.terms);
		let is_wanted = match &spec.providers {
			ProviderFilter::Any => true,
			ProviderFilter::Allow(listed) => listed.contains(&peer.provider),
			ProviderFilter::Deny(listed) => !listed.contains(&peer.provider),
		};
		let of_provider = |seat: &&Seat| self.peer(seat.peer).provider == peer.provider;
		let seats = deal.seats.iter().filter(of_provider).count();
		let is_barred = |(barred, end): &(PeerId, EpochIndex)| *barred == peer.id && now < *end;
		terms.class == spec.class
			&& (spec.regions.is_empty() || spec.regions.contains(&terms.region))
			&& terms.ask <= spec.price_ceiling
			&& spec.capabilities & !terms.capabilities == 0
			&& spec.worker_bond <= terms.max_worker_bond
			&& is_wanted
			&& deal.seats.iter().all(|seat| seat.peer != peer.id)
			&& seats < spec.max_workers_per_provider as usize
			&& !deal.barred.iter().any(is_barred)
			&& spec.units_per_worker <= self.free_units(peer)
	}

	/// Offers that a deal could take, the cheapest and among equals the oldest first.
	pub(super) fn eligible(&self, deal: &Deal, now: EpochIndex) -> Vec<(Place, PeerId)> {
		let place = |peer: &Peer| {
			let offer = peer.offer.as_ref()?;
			let fits = self.is_eligible(deal, peer, offer, now);
			fits.then_some(((offer.terms.ask, offer.id), peer.id))
		};
		let mut eligible: Vec<_> = self.peers.iter().filter_map(place).collect();
		eligible.sort();
		eligible
	}

	/// Every deal that waits has its turn once, those after the one whose turn was last before the
	/// others: it gives up who did not go live and takes whom it finds.
	pub(super) fn pass(&mut self, now: EpochIndex, last: Option<DealId>) {
		let waiting = self.deals.iter().filter(|deal| deal.waits());
		let mut turns: Vec<_> = waiting.map(|deal| deal.id).collect();
		turns.sort_by_key(|id| (last.is_some_and(|last| *id <= last), *id));
		for id in turns {
			let is_overdue = |seat: &&Seat| matches!(seat.status, WorkerStatus::Assigned { deadline } if deadline < now);
			let overdue = self.deal(id).seats.iter().filter(is_overdue);
			let overdue: Vec<_> = overdue.map(|seat| seat.peer).collect();
			for peer in overdue {
				self.release(id, peer, ReleaseReason::NotLive, now);
			}
			while self.deal(id).seeks(now) {
				let eligible = self.eligible(self.deal(id), now);
				let Some((_, cheapest)) = eligible.first() else {
					break;
				};
				self.assign(id, *cheapest, now);
			}
		}
	}

	/// Who makes room in a deal that wants cheaper workers, and for whom: the first that fits behind a
	/// place.
	pub(super) fn cheaper(
		&self,
		deal: &Deal,
		after: Option<Place>,
		now: EpochIndex,
	) -> Option<(PeerId, PeerId, Balance)> {
		let kept = 1_000_000_000 - Balance::from(deal.spec.rematch?.deconstruct());
		let is_filled = deal.seats.len() == deal.spec.target_workers as usize
			&& deal.seats.iter().all(Seat::is_live)
			&& deal.status == DealStatus::Active;
		let dearest = deal
			.seats
			.iter()
			.max_by_key(|seat| (seat.ask, seat.offer))?;
		let mut ahead = self.eligible(deal, now).into_iter();
		let ((ask, _), to) = ahead.find(|(place, _)| Some(*place) > after)?;
		let is_cheaper = ask < dearest.ask && ask * 1_000_000_000 <= dearest.ask * kept;
		(is_filled && is_cheaper).then_some((dearest.peer, to, ask))
	}

	/// Every deal that can, and whose owner wants it, begins to move to somebody cheaper.
	pub(super) fn rematch(&mut self, now: EpochIndex) {
		let ids: Vec<_> = self.deals.iter().map(|deal| deal.id).collect();
		for id in ids {
			let deal = self.deal(id);
			let found = self.cheaper(deal, None, now);
			let moves = found.filter(|(.., ask)| deal.affords_move(*ask, now));
			if let Some((from, to, _)) = moves {
				self.assign(id, to, now);
				self.deal_mut(id).moving = Some(from);
			}
		}
	}

	fn assign(&mut self, id: DealId, peer: PeerId, now: EpochIndex) {
		let offer = self.peer(peer).offer.as_ref().expect("it was taken");
		let seat = Seat {
			peer,
			offer: offer.id,
			ask: offer.terms.ask,
			units: self.deal(id).spec.units_per_worker,
			status: WorkerStatus::Assigned {
				deadline: now + TO_GO_LIVE,
			},
		};
		self.deal_mut(id).seats.push(seat);
	}

	fn release(&mut self, id: DealId, peer: PeerId, reason: ReleaseReason, now: EpochIndex) {
		let deal = self.deal_mut(id);
		let found = deal.seats.iter().position(|seat| seat.peer == peer);
		let seat = deal.seats.remove(found.expect("it had one"));
		deal.moving = None;
		let (bars, lapses) = match reason {
			ReleaseReason::NotLive | ReleaseReason::BondUnavailable | ReleaseReason::Lost => {
				(true, true)
			}
			ReleaseReason::CommitmentFailed => (true, false),
			ReleaseReason::DealStopped
			| ReleaseReason::DealClosed
			| ReleaseReason::CommitmentOver
			| ReleaseReason::Drained
			| ReleaseReason::DealOver
			| ReleaseReason::Ended => (false, false),
		};
		if bars {
			self.bar(id, peer, now);
		}
		let offer = &mut self.peer_mut(peer).offer;
		if let Some(lapsed) = offer.as_mut().filter(|offer| offer.id == seat.offer) {
			lapsed.lapses += u32::from(lapses);
			if lapsed.lapses >= LAPSES {
				*offer = None;
			}
		}
	}

	/// A deal does not take a peer for a while.
	pub(super) fn bar(&mut self, id: DealId, peer: PeerId, now: EpochIndex) {
		let deal = self.deal_mut(id);
		if !deal.is_ending() {
			deal.barred.push((peer, now + EXCLUSION));
		}
	}

	/// Notes what has happened.
	pub(super) fn follow(&mut self, event: &Event<Test>, now: EpochIndex) {
		match event {
			Event::OfferWithdrawn { peer, .. } | Event::OfferClosed { peer, .. } => {
				self.peer_mut(*peer).offer = None;
			}
			Event::DealStopped { deal, last, .. } => {
				let deal = self.deal_mut(*deal);
				deal.status = DealStatus::Ending { last: *last };
				deal.barred.clear();
			}
			Event::GraceBegun { deal, .. } => self.deal_mut(*deal).status = DealStatus::Grace,
			Event::GraceEnded { deal, .. } => self.deal_mut(*deal).status = DealStatus::Active,
			Event::DealResized {
				deal,
				target_workers,
				..
			} => self.deal_mut(*deal).spec.target_workers = *target_workers,
			Event::DealClosed { deal, .. } => self.deals.retain(|other| other.id != *deal),
			Event::RematchBegun { deal, from, .. } => {
				self.deal_mut(*deal).moving = Some(*from);
			}
			Event::WorkerMatched { deal, peer, .. } => self.assign(*deal, *peer, now),
			Event::WorkerLive { deal, peer, since } => {
				let seat = self.seat_mut(*deal, *peer);
				seat.status = WorkerStatus::Live { since: *since };
				let taken = seat.offer;
				let offer = self.peer_mut(*peer).offer.as_mut();
				if let Some(offer) = offer.filter(|offer| offer.id == taken) {
					offer.lapses = 0;
				}
			}
			Event::WorkerDraining {
				deal, peer, last, ..
			} => {
				let seat = self.seat_mut(*deal, *peer);
				let WorkerStatus::Live { since } = seat.status else {
					panic!("only who is live has notice to give: {seat:?}");
				};
				seat.status = WorkerStatus::Draining { since, last: *last };
				self.deal_mut(*deal).moving = None;
			}
			Event::WorkerReleased { deal, peer, reason } => {
				self.release(*deal, *peer, *reason, now);
			}
			_ => {}
		}
	}
}
