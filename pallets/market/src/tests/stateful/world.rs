//! What stands around the market: peers, their commitments and their reports, and the clock.

use super::{
	ledger::Ledger,
	ops::{Caller, PEERS},
	rows::gas_of,
	Tally,
};
use crate::{mock::*, Event, NextDeal};
use frame_support::dispatch::DispatchResult;
use millrace_primitives::{
	epoch::Phase,
	peer::PeerId,
	traits::{Capacity, EpochClock, PeerRegistry, PeerUse, WorkLedger},
	Balance, DealId, EpochIndex,
};
use sp_runtime::DispatchError;
use std::collections::BTreeMap;

/// What capacity knows of a commitment.
pub(super) struct Commitment {
	pub(super) units: u32,
	/// First epoch that it owes.
	pub(super) since: EpochIndex,
	/// The epoch that was reported last, the units proven in it, whether it is void.
	pub(super) reported: Option<(EpochIndex, u32, bool)>,
}

pub(super) struct World<'a> {
	pub(super) peers: Vec<PeerId>,
	pub(super) ledger: Ledger,
	pub(super) commitments: BTreeMap<u8, Commitment>,
	/// Units of peers at work at the start of epochs.
	pub(super) at_work: BTreeMap<(PeerId, EpochIndex), u32>,
	pub(super) tally: &'a Tally,
}

impl<'a> World<'a> {
	pub(super) fn new(tally: &'a Tally) -> Self {
		let ledger = Ledger::new();
		let mut commitments = BTreeMap::new();
		let mut peers = Vec::new();
		for n in 0..PEERS {
			peers.push(register(n, PROVIDER + u64::from(n % 3), 4));
			let commitment = Commitment {
				units: 4,
				since: Epoch::get(),
				reported: None,
			};
			commitments.insert(n, commitment);
		}
		Self {
			peers,
			ledger,
			commitments,
			at_work: BTreeMap::new(),
			tally,
		}
	}

	pub(super) fn note(&self, name: &'static str, succeeded: bool) {
		let name = if succeeded { name } else { "a refusal" };
		*self.tally.borrow_mut().entry(name).or_default() += 1;
	}

	/// Notes how a call went that only accounts may make.
	pub(super) fn called(&self, name: &'static str, caller: Caller, result: DispatchResult) {
		if !caller.signs() {
			assert_eq!(result, Err(DispatchError::BadOrigin), "{name}");
		}
		self.note(name, result.is_ok());
	}

	pub(super) fn peer(&self, n: u8) -> PeerId {
		self.peers[usize::from(n)]
	}

	pub(super) fn number(&self, peer: PeerId) -> u8 {
		let found = self.peers.iter().position(|other| *other == peer);
		found.expect("there are no others") as u8
	}

	pub(super) fn provider(&self, n: u8) -> Option<u64> {
		MockPeers::provider_of(self.peer(n))
	}

	/// Whether a peer is registered and has no commitment.
	pub(super) fn is_free(&self, n: u8) -> bool {
		self.provider(n).is_some() && !self.commitments.contains_key(&n)
	}

	/// Makes a commitment that begins with the next epoch; false if it cannot.
	pub(super) fn commit(&mut self, n: u8, units: u32) -> bool {
		let is_free = self.is_free(n);
		if is_free {
			let commitment = Commitment {
				units,
				since: Epoch::get() + 1,
				reported: None,
			};
			self.commitments.insert(n, commitment);
		}
		is_free
	}

	/// A deal that stands, or one that does not.
	pub(super) fn deal(&self, pick: u8) -> DealId {
		let stands = self.ledger.deals.len();
		let at = usize::from(pick) % (stands + 1);
		let found = self.ledger.deals.keys().nth(at).copied();
		found.unwrap_or(NextDeal::<Test>::get() + DealId::from(pick))
	}

	/// The first peer from one on for which something holds, or that one.
	pub(super) fn pick(&self, from: u8, holds: impl Fn(u8) -> bool) -> u8 {
		(0..PEERS)
			.map(|step| (from + step) % PEERS)
			.find(|n| holds(*n))
			.unwrap_or(from)
	}

	/// Books what happened.
	pub(super) fn sync(&mut self) {
		for settled in take_settled() {
			self.note_settled(settled);
		}
		for event in System::read_events_for_pallet::<Event<Test>>() {
			let name = self.ledger.apply(event);
			self.note(name, true);
		}
		System::reset_events();
	}

	fn note_settled(&mut self, settled: Settled) {
		if !settled.void {
			self.ledger.note_billed(settled.peer, settled.epoch);
		}
		let last = self.ledger.settled.entry(settled.peer).or_default();
		*last = settled.epoch.max(*last);
		if settled.over {
			self.note("a commitment over", true);
			let n = self.number(settled.peer);
			self.commitments.remove(&n);
			self.forget_work(settled.peer);
		}
	}

	pub(super) fn forget_work(&mut self, peer: PeerId) {
		self.at_work.retain(|(other, _), _| *other != peer);
	}

	pub(super) fn check(&self) {
		if let Err(error) = Market::do_try_state() {
			panic!("{error:?}");
		}
		self.ledger.check();
		let now = Epoch::get();
		for peer in &self.peers {
			for epoch in [now - 1, now] {
				let expected = self.at_work.get(&(*peer, epoch)).copied();
				assert_eq!(Market::busy_units(*peer, epoch), expected.unwrap_or(0));
			}
			let stands = self.ledger.offers.contains_key(peer);
			let works = !self.ledger.deals_of(*peer).is_empty();
			assert_eq!(Market::in_use(*peer), stands || works);
		}
	}

	/// The next block, in which an epoch may begin or close.
	pub(super) fn next_block(&mut self) {
		let (epoch, position) = (Epoch::get(), Position::get() + 1);
		if position < LENGTHS.len {
			at(epoch, position);
		} else {
			at(epoch + 1, 0);
			self.begin_epoch();
		}
		if Position::get() == LENGTHS.report_window {
			self.note_silence();
		}
		if Position::get() == LENGTHS.close_position() {
			self.close_epoch();
		}
	}

	/// The report window is over: who owed a report and did not send it has missed it. Every fifth
	/// epoch is forgiven to all.
	fn note_silence(&self) {
		let ended = Epoch::get() - 1;
		for (n, commitment) in &self.commitments {
			let reported = commitment.reported.map(|(epoch, ..)| epoch);
			let owed = commitment.since <= ended && reported != Some(ended);
			if owed && ended % 5 != 0 {
				miss(self.peer(*n), ended);
			}
		}
	}

	fn begin_epoch(&mut self) {
		let now = Epoch::get();
		for peer in &self.peers {
			self.at_work
				.insert((*peer, now), self.ledger.at_work(*peer, now));
		}
		self.at_work.retain(|(_, epoch), _| *epoch + 2 > now);
	}

	fn close_epoch(&mut self) {
		let ended = Epoch::get() - 1;
		for (n, commitment) in &self.commitments {
			if commitment.since > ended {
				continue;
			}
			let reported = commitment.reported.filter(|(epoch, ..)| *epoch == ended);
			let (units, void) = reported.map_or((0, false), |(_, units, void)| (units, void));
			let proven = if void { 0 } else { units };
			leave_closed(self.peers[usize::from(*n)], (ended, proven, void));
		}
	}

	/// Blocks up to a position of this epoch or the next one.
	fn go_to(&mut self, position: u32) {
		self.next_block();
		while Position::get() != position {
			self.next_block();
		}
	}

	/// Settles a peer; what is paid is what it served and is owed.
	pub(super) fn settle(&mut self, peer: PeerId) -> bool {
		let mut settled_any = false;
		while !MockCapacity::is_settled(peer) {
			MockCapacity::settle(peer);
			for settled in take_settled() {
				let dues = if settled.void {
					Vec::new()
				} else {
					self.ledger.dues(peer, settled.epoch)
				};
				let dues: Balance = dues.into_iter().map(|(_, amount, _)| amount).sum();
				let dues = (dues > 0).then_some((settled.epoch, dues));
				let paid = |event: Event<Test>| match event {
					Event::ReportPaid {
						peer: of,
						epoch,
						paid,
						burnt,
					} => {
						assert_eq!(of, peer);
						Some((epoch, paid + burnt))
					}
					_ => None,
				};
				let events = System::read_events_for_pallet::<Event<Test>>();
				let paid: Vec<_> = events.into_iter().filter_map(paid).collect();
				assert_eq!(paid, Vec::from_iter(dues));
				self.note_settled(settled);
			}
			self.sync();
			settled_any = true;
		}
		settled_any
	}

	/// A report as capacity takes it; it counts for no deal unless all units were proven.
	pub(super) fn report(&mut self, n: u8, missing: u32, void: bool, mask: u8) -> bool {
		let (peer, ended) = (self.peer(n), Epoch::get() - 1);
		let may_report = |commitment: &Commitment| {
			let before = commitment.reported.map(|(epoch, ..)| epoch);
			commitment.since <= ended && before != Some(ended)
		};
		if MockEpochs::phase() != Phase::Report || !self.commitments.get(&n).is_some_and(may_report)
		{
			return false;
		}
		self.settle(peer);
		// It may have ended in what was settled.
		let Some(commitment) = self.commitments.get_mut(&n) else {
			return false;
		};
		let proven = commitment.units.saturating_sub(missing);
		commitment.reported = Some((ended, proven, void));
		let mut listed = Vec::new();
		if missing == 0 {
			listed = self.ledger.deals_of(peer);
			listed.retain(|deal| (mask >> (deal % 8)) & 1 == 1);
			// One that it does not work for, or that there is not.
			listed.push(NextDeal::<Test>::get() + DealId::from(mask));
		}
		let with_gas: Vec<_> = listed
			.iter()
			.map(|deal| (*deal, gas_of(*deal, ended)))
			.collect();
		report_gas(peer, ended, &with_gas);
		self.ledger.note_report(peer, ended, &listed, void);
		true
	}

	/// An epoch begins in which those of the mask report the one before; it closes.
	pub(super) fn serve(&mut self, mask: u8, settles: bool) {
		self.go_to(0);
		for n in (0..PEERS).filter(|n| (mask >> n) & 1 == 1) {
			self.report(n, 0, false, u8::MAX);
		}
		self.go_to(LENGTHS.close_position());
		for n in (0..PEERS).filter(|_| settles) {
			self.settle(self.peer(n));
		}
	}

	/// An epoch that those of the mask report, and that is settled: the books agree after it.
	pub(super) fn serve_and_check(&mut self, mask: u8) {
		self.serve(mask, true);
		self.sync();
		self.check();
	}
}
