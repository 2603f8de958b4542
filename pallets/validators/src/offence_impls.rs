//! Equivocation: remembered here, taken by capacity when it settles.

use crate::{
	rules, Banned, Config, Entry, Event, LeaveReason, Pallet, Record, Records, Sessions,
	WeightInfo, BAN_SESSIONS, SESSION_RING,
};
use alloc::vec::Vec;
use millrace_primitives::{
	traits::{EpochClock, Equivocations},
	validators::SessionIndex,
	EpochIndex,
};
use sp_runtime::{Perbill, Weight};

impl<T: Config> Equivocations<T::AccountId> for Pallet<T> {
	fn next(provider: &T::AccountId) -> u32 {
		Records::<T>::get(provider).map_or(0, |record| record.next)
	}

	fn since(provider: &T::AccountId, from: u32) -> Vec<(EpochIndex, Perbill)> {
		Records::<T>::get(provider)
			.into_iter()
			.flat_map(|record| record.entries)
			.filter(|entry| entry.serial >= from)
			.map(|entry| (entry.epoch, entry.part))
			.collect()
	}

	fn weight() -> Weight {
		T::WeightInfo::since()
	}
}

impl<T: Config> Pallet<T> {
	/// An account equivocated in a session, and the fraction of its stake is what that costs.
	///
	/// All that is reported of one session counts once, by its worst fraction: BABE and GRANDPA
	/// both report, and each new offender of a slot raises the fraction of those before it.
	pub fn on_equivocation(who: &T::AccountId, fraction: Perbill, session: SessionIndex) -> Weight {
		let current = T::Sessions::current();
		let mut record = Records::<T>::get(who).unwrap_or_default();
		let before = record.worst_of(session);
		if fraction > before {
			let epoch = Self::epoch_of(session).unwrap_or_else(|| T::Clock::current().index);
			record.set_worst(session, fraction, current);
			record.add(session, epoch, rules::part_between(before, fraction));
			Records::<T>::insert(who, record);
			Self::leave_list(core::slice::from_ref(who), LeaveReason::Equivocated);
			Banned::<T>::insert(who, current.saturating_add(BAN_SESSIONS));
			Self::deposit_event(Event::Equivocated {
				who: who.clone(),
				session,
				epoch,
				fraction,
			});
		}
		T::Sessions::disable(who, fraction);
		T::WeightInfo::on_equivocation()
	}
}

impl Record {
	/// Worst fraction of a session so far.
	fn worst_of(&self, session: SessionIndex) -> Perbill {
		self.worst
			.iter()
			.find(|(of, _)| *of == session)
			.map_or(Perbill::zero(), |(_, fraction)| *fraction)
	}

	/// Notes the worst fraction of a session and forgets sessions of which nothing can be proven any
	/// more. Where there are still too many, the oldest makes room.
	fn set_worst(&mut self, session: SessionIndex, fraction: Perbill, current: SessionIndex) {
		self.worst
			.retain(|(of, _)| *of != session && of.saturating_add(SESSION_RING) > current);
		if self.worst.is_full() {
			let oldest = self.worst.iter().map(|(of, _)| *of).min();
			self.worst.retain(|(of, _)| Some(*of) != oldest);
		}
		let noted = self.worst.try_push((session, fraction)).is_ok();
		debug_assert!(noted, "there is room for one");
	}

	/// Adds what a session's equivocation takes. Where there is no room, the two oldest become one
	/// that takes as much as both: they are those that all commitments have most likely paid.
	fn add(&mut self, session: SessionIndex, epoch: EpochIndex, part: Perbill) {
		if self.entries.is_full() {
			let oldest = self.entries.remove(0);
			if let Some(entry) = self.entries.get_mut(0) {
				entry.part = rules::both(oldest.part, entry.part);
				entry.epoch = entry.epoch.max(oldest.epoch);
			}
		}
		let entry = Entry {
			serial: self.next,
			session,
			epoch,
			part,
		};
		let added = self.entries.try_push(entry).is_ok();
		debug_assert!(added, "there is room for one");
		self.next = self.next.saturating_add(1);
	}
}
