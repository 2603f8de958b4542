//! The pallet, and beside it what the rules make of the same market.

use super::{
	naive::{Deal, Naive, Offer, Peer, Seat},
	ops::{Op, Order, Setup, OWNERS},
};
use crate::{
	mock::*, BookPlace, Cursor, Deals, Event, LastOffer, NextDeal, Offers, Patrol, PatrolPlace,
	Unfilled,
};
use frame_support::{
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	market::{OfferTerms, WorkerStatus},
	peer::PeerId,
	views::Subject,
	Balance, DealId, EpochIndex,
};
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
};

/// How often what came to pass.
pub(super) type Tally = RefCell<BTreeMap<&'static str, u32>>;

pub(super) struct World<'a> {
	naive: Naive,
	served: BTreeSet<(PeerId, EpochIndex)>,
	/// The epoch in which a deal's workers changed for the last time.
	changed: EpochIndex,
	tally: &'a Tally,
}

fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}

fn client() -> RuntimeOrigin {
	RuntimeOrigin::signed(CLIENT)
}

impl<'a> World<'a> {
	pub(super) fn found(setup: &Setup, tally: &'a Tally) -> Self {
		let mut world = Self {
			naive: Naive::default(),
			served: BTreeSet::new(),
			changed: 0,
			tally,
		};
		for (number, (units, terms)) in setup.peers.iter().enumerate() {
			let provider = PROVIDER + number as u64 % OWNERS;
			world.naive.peers.push(Peer {
				id: register(number as u8, provider, *units),
				provider,
				units: *units,
				offer: None,
			});
			if let Some(terms) = terms {
				assert!(world.post(number, *terms), "the peer has no offer yet");
			}
		}
		for order in &setup.orders {
			assert!(world.create(order), "the order is sound");
		}
		world.follow();
		world
	}

	fn note(&self, name: &'static str) {
		*self.tally.borrow_mut().entry(name).or_default() += 1;
	}

	fn post(&mut self, number: usize, terms: OfferTerms) -> bool {
		let peer = &mut self.naive.peers[number];
		let origin = RuntimeOrigin::signed(peer.provider);
		let posted = Market::post_offer(origin, peer.id, terms).is_ok();
		assert_eq!(posted, peer.offer.is_none());
		if posted {
			peer.offer = Some(Offer {
				id: LastOffer::<Test>::get(),
				terms,
				lapses: 0,
			});
		}
		posted
	}

	fn update(&mut self, number: usize, terms: OfferTerms) -> bool {
		let peer = &mut self.naive.peers[number];
		let origin = RuntimeOrigin::signed(peer.provider);
		let updated = Market::update_offer(origin, peer.id, terms).is_ok();
		assert_eq!(updated, peer.offer.is_some());
		if let Some(offer) = &mut peer.offer {
			offer.terms = terms;
		}
		updated
	}

	fn create(&mut self, Order { spec, epochs }: &Order) -> bool {
		let price = spec.epoch_price_ceiling().expect("it is small");
		let escrow = price * epochs;
		let id = NextDeal::<Test>::get();
		let created = Market::create_deal(client(), spec.clone(), escrow).is_ok();
		if created {
			let deal = Deal::new(id, spec.clone(), escrow, Epoch::get());
			self.naive.deals.push(deal);
		}
		created
	}

	fn peer(&self, pick: u8) -> usize {
		usize::from(pick) % self.naive.peers.len()
	}

	/// A deal that stands, if there is any.
	fn deal(&self, pick: u8) -> DealId {
		let at = usize::from(pick).checked_rem(self.naive.deals.len());
		at.map_or(DealId::MAX, |at| self.naive.deals[at].id)
	}

	/// One of the workers for whom something holds.
	fn seat(
		&self,
		pick: u8,
		holds: impl Fn(&Deal, WorkerStatus) -> bool,
	) -> Option<(DealId, PeerId)> {
		let mut seats = Vec::new();
		for deal in &self.naive.deals {
			let held = deal.seats.iter().filter(|seat| holds(deal, seat.status));
			seats.extend(held.map(|seat| (deal.id, seat.peer)));
		}
		let at = usize::from(pick).checked_rem(seats.len())?;
		seats.get(at).copied()
	}

	/// Lets something happen, unless it is refused.
	pub(super) fn act(&mut self, op: &Op) {
		let happened = match op {
			Op::Post(peer, terms) => self.post(self.peer(*peer), *terms),
			Op::Update(peer, terms) => self.update(self.peer(*peer), *terms),
			Op::Withdraw(peer) => {
				let peer = &self.naive.peers[self.peer(*peer)];
				Market::withdraw_offer(RuntimeOrigin::signed(peer.provider), peer.id).is_ok()
			}
			Op::Units(peer, units) => {
				let number = self.peer(*peer);
				let peer = &mut self.naive.peers[number];
				peer.units = *units;
				set_units(peer.id, *units);
				true
			}
			Op::Fail(peer) => {
				let number = self.peer(*peer);
				let peer = &mut self.naive.peers[number];
				peer.units = 0;
				fail_commitment(peer.id);
				true
			}
			Op::Create(order) => self.create(order),
			Op::TopUp(deal, amount) => Market::top_up(client(), self.deal(*deal), *amount).is_ok(),
			Op::Resize(deal, target) => {
				Market::resize(client(), self.deal(*deal), 1, *target).is_ok()
			}
			Op::Stop(deal) => Market::stop(client(), self.deal(*deal)).is_ok(),
			Op::Close(deal) => Market::close(client(), self.deal(*deal)).is_ok(),
			Op::Match(deal) => {
				let deal = self.deal(*deal);
				let mut visited = false;
				self.watch(|| visited = Market::match_deal(client(), deal).is_ok());
				visited
			}
			Op::Drain(pick) => {
				let has_no_notice = |deal: &Deal, status: WorkerStatus| {
					!deal.is_ending() && matches!(status, WorkerStatus::Live { .. })
				};
				let found = self.seat(*pick, has_no_notice);
				if let Some((deal, peer)) = found {
					drain(peer, deal);
					self.naive.bar(deal, peer, Epoch::get());
				}
				found.is_some()
			}
			Op::EndWorker(pick) => {
				let found = self.seat(*pick, |_, _| true);
				found.is_some_and(|(deal, peer)| {
					let ended = Market::end_worker(client(), deal, peer).is_ok();
					if ended {
						self.naive.bar(deal, peer, Epoch::get());
					}
					ended
				})
			}
			Op::Release(pick) => self
				.seat(*pick, |_, status| {
					!matches!(status, WorkerStatus::Live { .. })
				})
				.is_some_and(|(deal, peer)| Market::release_worker(client(), deal, peer).is_ok()),
			Op::Serve(peer) => self.serve(self.peer(*peer)),
			Op::Miss(pick) => {
				let found = self.seat(*pick, |_, _| true);
				if let Some((_, peer)) = found {
					miss(peer, Epoch::get());
				}
				found.is_some()
			}
		};
		if !happened {
			self.note("a refusal");
		}
		self.follow();
	}

	fn serve(&mut self, number: usize) -> bool {
		let (peer, ended) = (self.naive.peers[number].id, Epoch::get() - 1);
		let is_closed = Position::get() >= LENGTHS.close_position();
		if !is_closed || !self.served.insert((peer, ended)) {
			return false;
		}
		let works = |deal: &&Deal| deal.seats.iter().any(|seat| seat.peer == peer);
		let deals = self.naive.deals.iter().filter(works);
		let deals: Vec<_> = deals.map(|deal| deal.id).collect();
		report_and_settle(peer, ended, &deals);
		true
	}

	/// Takes over what has happened.
	fn follow(&mut self) {
		for event in events() {
			self.follow_one(&event);
		}
	}

	fn follow_one(&mut self, event: &Event<Test>) {
		self.naive.follow(event, Epoch::get());
		if let Event::WorkerMatched { .. }
		| Event::WorkerDraining { .. }
		| Event::WorkerReleased { .. } = event
		{
			self.changed = Epoch::get();
		}
		match event {
			Event::RematchBegun { .. } => self.note("a rematch"),
			Event::OfferClosed { .. } => self.note("an offer closed"),
			Event::WorkerMatched { .. } => self.note("a worker matched"),
			Event::WorkerDraining { .. } => self.note("a worker draining"),
			Event::WorkerReleased { .. } => self.note("a worker released"),
			Event::DealStopped { .. } => self.note("a deal stopped"),
			Event::GraceBegun { .. } => self.note("grace"),
			_ => {}
		}
	}

	/// Assigned workers of a mask go live; at most 32 are told apart.
	pub(super) fn go_live(&mut self, mask: u32) {
		let now = Epoch::get();
		let in_time = |status: WorkerStatus| match status {
			WorkerStatus::Assigned { deadline } => now <= deadline,
			WorkerStatus::Live { .. } | WorkerStatus::Draining { .. } => false,
		};
		let mut assigned = Vec::new();
		for deal in &self.naive.deals {
			let seats = deal.seats.iter().filter(|seat| in_time(seat.status));
			assigned.extend(seats.map(|seat| (deal.id, seat.peer)));
		}
		for (number, (deal, peer)) in assigned.into_iter().enumerate() {
			if (mask >> (number % 32)) & 1 == 1 {
				go_live(peer, deal);
			}
		}
		self.follow();
	}

	/// What the deals have and where they stand is theirs to say: payments are tested elsewhere.
	fn read_accounts(&mut self) {
		for deal in &mut self.naive.deals {
			let row = Market::deal_of(deal.id).expect("it stands");
			assert_eq!(row.status, deal.status, "deal {}", deal.id);
			deal.escrow = row.escrow;
		}
		assert_eq!(Deals::<Test>::iter().count(), self.naive.deals.len());
	}

	/// An epoch in which the matcher has all the time that it needs: it finds whom the rules find.
	pub(super) fn round(&mut self, ops: &[Op]) {
		at_rest_of(Epoch::get() + 1);
		for op in ops {
			self.act(op);
		}
		self.read_accounts();
		let turn = Cursor::<Test>::get();
		run_matcher();
		for event in events() {
			match event {
				Event::WorkerMatched { .. } => self.note("a worker matched"),
				Event::WorkerReleased { .. } => self.note("a worker given up"),
				Event::OfferClosed { .. } => self.note("an offer closed"),
				other => panic!("the matcher does nothing of this kind: {other:?}"),
			}
		}
		self.naive.pass(Epoch::get(), turn);
		self.compare();
		run_matcher();
		let more = events();
		assert!(more.is_empty(), "quiet until something happens: {more:?}");
		self.rematch();
	}

	/// Every deal is held against the book: those move that the rules move.
	fn rematch(&mut self) {
		Market::compare_prices(&mut Patrol::default(), &mut WeightMeter::new());
		for event in events() {
			match event {
				Event::RematchBegun { .. } => self.note("a rematch"),
				Event::WorkerMatched { .. } => {}
				other => panic!("a search does nothing of this kind: {other:?}"),
			}
		}
		self.naive.rematch(Epoch::get());
		self.compare();
	}

	/// The epoch in which a deal's workers changed for the last time.
	pub(super) fn changed(&self) -> EpochIndex {
		self.changed
	}

	/// The same workers at the same prices, and the same offers.
	fn compare(&self) {
		for deal in &self.naive.deals {
			let mut expected = deal.seats.clone();
			expected.sort_by_key(|seat| seat.peer);
			let rows = Market::worker_rows(deal.id).into_iter();
			let mut found: Vec<_> = rows.map(Seat::from).collect();
			found.sort_by_key(|seat| seat.peer);
			assert_eq!(found, expected, "deal {}", deal.id);
		}
		let with_offer = self.naive.peers.iter().filter(|peer| peer.offer.is_some());
		let expected: BTreeSet<_> = with_offer.map(|peer| peer.id).collect();
		assert_eq!(
			Offers::<Test>::iter_keys().collect::<BTreeSet<_>>(),
			expected
		);
	}

	/// What the pallet says of a deal is what the rules say.
	pub(super) fn ask(&self, pick: u8) {
		let now = Epoch::get();
		let id = self.deal(pick);
		let Some(deal) = self.naive.deals.iter().find(|deal| deal.id == id) else {
			return;
		};
		let why = Market::why_not(Subject::Deal(id), None);
		let eligible = self.naive.eligible(deal, now);
		let offers = self.naive.peers.iter().filter(|peer| peer.offer.is_some());
		let refused: u32 = why.reasons.iter().map(|(_, count)| count).sum();
		assert_eq!(why.eligible as usize, eligible.len(), "{why:?}");
		assert_eq!(why.looked_at as usize, offers.count(), "{why:?}");
		assert_eq!(why.eligible + refused, why.looked_at, "{why:?}");
		assert_eq!(why.content.is_none(), deal.seeks(now), "{why:?}");
		for (_, peer) in eligible {
			let alone = Market::why_not(Subject::Deal(id), Some(peer));
			assert_eq!((alone.looked_at, alone.eligible), (1, 1));
		}
	}

	/// Sees to it that nobody is passed over in what runs: the offer that a deal takes is the first
	/// from where its walk stood which it could take.
	fn watch(&mut self, run: impl FnOnce()) {
		let mut places: BTreeMap<DealId, Option<BookPlace>> = Unfilled::<Test>::iter()
			.map(|(key, vacancy)| (key.id(), vacancy.after))
			.collect();
		let patrol = PatrolPlace::<Test>::get();
		let search = patrol.search.filter(|_| patrol.epoch == Epoch::get());
		run();
		for event in events() {
			match &event {
				// The deal is walked from the cheapest offer again.
				Event::WorkerReleased { deal, .. } | Event::WorkerDraining { deal, .. } => {
					places.insert(*deal, None);
				}
				Event::RematchBegun { deal, from, to } => {
					let begun = search.filter(|search| search.deal == *deal);
					let after = begun.map(|search| search.after);
					let found = self
						.naive
						.cheaper(self.naive.deal(*deal), after, Epoch::get());
					let moves = found.map(|(from, to, _)| (from, to));
					assert_eq!(moves, Some((*from, *to)), "deal {deal}");
				}
				// It follows what was looked at just now.
				Event::WorkerMatched { deal, .. } if self.naive.deal(*deal).moving.is_some() => {}
				Event::WorkerMatched { deal, peer, ask } => {
					let after = places.get(deal).copied().flatten();
					self.check_match(*deal, *peer, *ask, after);
				}
				_ => {}
			}
			self.follow_one(&event);
		}
	}

	fn check_match(&self, id: DealId, peer: PeerId, ask: Balance, after: Option<BookPlace>) {
		let deal = self.naive.deal(id);
		assert!(deal.wants(), "deal {id} wants nobody");
		let eligible = self.naive.eligible(deal, Epoch::get());
		let mut ahead = eligible.iter().filter(|(place, _)| Some(*place) > after);
		let (place, found) = ahead.next().expect("it is one of them");
		assert_eq!((*found, place.0), (peer, ask), "deal {id} passes one over");
		if eligible.iter().any(|(place, _)| Some(*place) <= after) {
			self.note("an offer behind a walk");
		}
	}

	/// A block in which the market has so much time.
	pub(super) fn block(&mut self, time: u64) {
		let position = Position::get() + 1;
		if position < LENGTHS.len {
			at(Epoch::get(), position);
		} else {
			at(Epoch::get() + 1, 0);
		}
		self.watch(|| {
			let limit = Weight::from_parts(time, u64::MAX);
			let mut meter = WeightMeter::with_limit(limit);
			Market::on_poll(System::block_number(), &mut meter);
			assert!(meter.consumed().all_lte(limit));
		});
	}

	/// At the end of an epoch no deal waits for what it could have.
	pub(super) fn nobody_waits_for_nothing(&mut self) {
		assert_eq!(Position::get(), LENGTHS.len - 1);
		self.read_accounts();
		self.compare();
		let now = Epoch::get();
		for deal in self.naive.deals.iter().filter(|deal| deal.seeks(now)) {
			self.note("a deal that nobody fits");
			let eligible = self.naive.eligible(deal, now);
			assert!(eligible.is_empty(), "{deal:?} waits for {eligible:?}");
		}
	}
}
