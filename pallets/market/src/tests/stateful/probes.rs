//! Calls that are asked of workers over the chain, and what comes of them.

use super::{
	ledger::{Ledger, PROBE},
	ops::{Caller, Duty, PEERS},
	rows::provider_of,
	within,
	workers::{is_authorized, one},
	world::World,
};
use crate::{mock::*, Call, Event, Params, WeightInfo, FAILURE_MEMORY};
use frame_support::assert_ok;
use millrace_primitives::{
	market::MAX_WORKERS,
	peer::PeerId,
	probe::{Moment, ProbeBody},
	Balance, BlockNumber, DealId, EpochIndex,
};
use sp_runtime::DispatchError;

/// An open probe.
pub(super) struct Open {
	prober: u64,
	bond: Balance,
	/// What of it burns if there is an answer.
	burn: Balance,
	/// The epoch that it was made in.
	epoch: EpochIndex,
	/// First paid epoch of the worker that was asked.
	since: EpochIndex,
	pub(super) deadline: Moment,
}

impl Ledger {
	/// Workers that are paid for the present epoch, as long as there is escrow.
	fn due(&self) -> Vec<(DealId, PeerId)> {
		let now = Epoch::get();
		let mut due = Vec::new();
		for (id, row) in self.deals.iter().filter(|(_, row)| row.pays(now)) {
			let serve = row.workers.iter().filter(|(_, seat)| seat.serves(now));
			due.extend(serve.map(|(peer, _)| (*id, *peer)));
		}
		due
	}

	/// Whether the worker that was asked is still there.
	fn is_probed(&self, deal: DealId, peer: PeerId) -> bool {
		let seat = self.deals.get(&deal).and_then(|row| row.workers.get(&peer));
		let open = self.probes.get(&(deal, peer));
		open.is_some_and(|open| seat.is_some_and(|seat| seat.since == Some(open.since)))
	}

	/// Whether a peer failed a deal that goes on, and not long ago; notes that it did.
	fn fails_again(&mut self, deal: DealId, peer: PeerId) -> bool {
		let now = Epoch::get();
		let epochs = Params::<Test>::get().exclusion_epochs;
		let until = now.saturating_add(epochs.saturating_mul(FAILURE_MEMORY));
		let before = self.failures.insert((deal, peer), until);
		before.is_some_and(|until| until > now)
	}

	/// Books what happened to a probe.
	pub(super) fn note_probe(&mut self, event: Event<Test>) -> &'static str {
		match event {
			Event::ProbeMade {
				deal,
				peer,
				prober,
				bond,
				deadline,
			} => {
				let params = Params::<Test>::get();
				assert_eq!(bond, params.probe_bond);
				let part = Balance::from(params.probe_burn.deconstruct());
				assert!(self.due().contains(&(deal, peer)));
				if bond > 0 {
					self.hold(prober, PROBE, bond);
				}
				let since = self.deals[&deal].workers[&peer].since;
				let open = Open {
					prober,
					bond,
					burn: (bond * part).div_ceil(1_000_000_000),
					epoch: Epoch::get(),
					since: since.expect("it is live"),
					deadline,
				};
				assert!(self.probes.insert((deal, peer), open).is_none());
				"a probe made"
			}
			Event::ProbeAnswered {
				deal,
				peer,
				prober,
				paid,
				burnt,
				..
			} => {
				assert!(self.is_probed(deal, peer));
				let open = self.probes.remove(&(deal, peer)).expect("it was open");
				assert_eq!((prober, paid + burnt), (open.prober, open.bond));
				assert_eq!(burnt, open.burn);
				if open.bond > 0 {
					self.part(prober, provider_of(peer), (paid, burnt));
				}
				"a probe answered"
			}
			Event::ProbeFailed {
				deal,
				peer,
				prober,
				last,
				forfeits,
			} => {
				assert!(self.is_probed(deal, peer));
				self.give_back(deal, peer, prober, last + 1);
				let goes_on = self.deals[&deal].last.is_none();
				let again = goes_on && self.fails_again(deal, peer);
				assert_eq!(forfeits, again);
				let now = Epoch::get();
				let row = self.row(deal);
				let seat = row.workers.get_mut(&peer).expect("it works");
				assert!(!forfeits || seat.bond == 0);
				if goes_on && seat.last.is_none() {
					row.moving = None;
				}
				seat.last = Some(last);
				seat.failed = Some(now);
				"a probe failed"
			}
			Event::ProbeDropped { deal, peer, prober } => {
				assert!(!self.is_probed(deal, peer));
				let epoch = self.probes[&(deal, peer)].epoch;
				self.give_back(deal, peer, prober, epoch);
				"a probe dropped"
			}
			_ => unreachable!("it is of a probe"),
		}
	}

	/// Books a bond that its prober has back.
	fn give_back(&mut self, deal: DealId, peer: PeerId, prober: u64, epoch: EpochIndex) {
		let open = self.probes.remove(&(deal, peer)).expect("it was open");
		assert_eq!((prober, epoch), (open.prober, open.epoch));
		if open.bond > 0 {
			self.release(prober, PROBE, open.bond);
		}
	}
}

/// This block.
fn moment() -> Moment {
	Moment {
		epoch: Epoch::get(),
		position: Position::get(),
	}
}

impl World<'_> {
	pub(super) fn probe(&mut self, caller: Caller, pick: u8, bytes: usize) {
		let mut due = self.ledger.due();
		if due.is_empty() && pick % 4 == 0 {
			self.staff(pick);
			self.serve_and_check(u8::MAX);
			due = self.ledger.due();
		}
		let missing = (self.deal(pick), self.peer(pick % PEERS));
		let (deal, peer) = one(&due, pick).unwrap_or(missing);
		let is_open = self.ledger.probes.contains_key(&(deal, peer));
		let body = ProbeBody::truncate_from(vec![0; bytes]);
		let result = Market::probe(caller.origin(STRANGER), deal, peer, body);
		let result = within(<() as WeightInfo>::probe(MAX_WORKERS), result);
		if result.is_ok() {
			assert!(due.contains(&(deal, peer)) && !is_open);
			let limit = self.ledger.deals[&deal].spec.limits.request_bytes;
			assert!(bytes <= limit as usize);
		}
		self.called("probe", caller, result);
	}

	/// An open probe, if there is one.
	fn asked(&self, pick: u8) -> Option<(DealId, PeerId)> {
		let open: Vec<_> = self.ledger.probes.keys().copied().collect();
		one(&open, pick)
	}

	pub(super) fn answer_probe(&mut self, pick: u8, duty: Duty) {
		let Some((deal, peer)) = self.asked(pick) else {
			return self.note("answer probe", false);
		};
		let n = self.number(peer);
		let mut receipt = answer_of(n, deal);
		let signer = match duty {
			Duty::WrongKey => (n + 1) % PEERS,
			_ => n,
		};
		match duty {
			Duty::WrongEpoch => receipt.block = BlockNumber::MAX,
			Duty::Unregistered => receipt.peer = PeerId::default(),
			_ => {}
		}
		let receipt = signed_by(signer, receipt);
		let call = Call::<Test>::answer_probe {
			peer,
			deal,
			receipt: receipt.clone(),
		};
		let in_time = moment() <= self.ledger.probes[&(deal, peer)].deadline;
		let may = in_time && self.ledger.is_probed(deal, peer);
		let is_right = match duty {
			Duty::From(caller) => {
				let origin = caller.origin(PROVIDER);
				if !matches!(caller, Caller::Authorized) {
					let result = Market::answer_probe(origin, peer, deal, receipt);
					assert_eq!(result, Err(DispatchError::BadOrigin));
				}
				return;
			}
			Duty::Right | Duty::Unchecked => {
				assert_eq!(is_authorized(call), may);
				may
			}
			Duty::WrongKey | Duty::WrongEpoch | Duty::Unregistered => {
				assert!(!is_authorized(call));
				false
			}
		};
		if is_right {
			let origin = frame_system::RawOrigin::Authorized.into();
			assert_ok!(Market::answer_probe(origin, peer, deal, receipt));
		}
		self.note("answer probe", is_right);
	}

	/// The commitment of one that was asked fails.
	pub(super) fn fail_asked(&mut self, pick: u8) {
		if let Some((_, peer)) = self.asked(pick) {
			self.fail(self.number(peer));
		}
	}

	/// Decides a probe whose time is over, or tries to decide one that can still be answered.
	pub(super) fn fail_probe(&mut self, caller: Caller, pick: u8, late: bool) {
		let origin = caller.origin(STRANGER);
		let Some((deal, peer)) = self.asked(pick) else {
			let result = Market::fail_probe(origin, self.deal(pick), self.peer(pick % PEERS));
			assert!(result.is_err());
			return self.called("fail probe", caller, result);
		};
		let deadline = self.ledger.probes[&(deal, peer)].deadline;
		while late && moment() <= deadline {
			self.next_block();
		}
		let is_over = moment() > deadline || !self.ledger.is_probed(deal, peer);
		let result = Market::fail_probe(origin, deal, peer);
		assert_eq!(result.is_ok(), is_over && caller.signs());
		self.called("fail probe", caller, result);
	}
}
