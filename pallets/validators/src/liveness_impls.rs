//! Who wrote how much, and who is found silent.

use crate::{
	rules, Authored, Bootstrapped, Config, Event, LeaveReason, Pallet, Params, Seats,
	SessionStarts, Sessions, Silent, SitOut, WeightInfo, Written, SESSION_RING, SILENT_SESSIONS,
};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::pallet_prelude::DispatchClass;
use millrace_primitives::{traits::EpochClock, validators::SessionIndex, EpochIndex};

impl<T: Config> Pallet<T> {
	/// A session begins: notes the epoch.
	pub fn open_session(index: SessionIndex) {
		let epoch = T::Clock::current().index;
		SessionStarts::<T>::insert(Self::slot_of(index), (index, epoch));
	}

	/// A session ends, and [`Sessions::seated`] still says who sat: finds the silent ones. They sit
	/// out the session that is planned next; after two silent sessions in a row they are off the
	/// list, since a dead machine would otherwise come back every other session.
	///
	/// Nobody is judged before stake decides: nobody could take the place.
	pub fn close_session(index: SessionIndex) {
		let authored: BTreeMap<T::AccountId, u32> = Authored::<T>::drain().collect();
		let before: BTreeMap<T::AccountId, u32> = Silent::<T>::drain().collect();
		let seats = T::Sessions::seated();
		let expected = Self::expected_blocks(seats.len());
		Written::<T>::kill();
		if !Bootstrapped::<T>::get() {
			return;
		}
		let least = Params::<T>::get().least_authored;
		let mut silent: Vec<(u32, T::AccountId)> = seats
			.into_iter()
			.filter_map(|who| {
				let wrote = authored.get(&who).copied().unwrap_or_default();
				rules::is_silent(wrote, expected, least).then_some((wrote, who))
			})
			.collect();
		silent.sort_by_key(|(wrote, _)| *wrote);

		let mut gone = Vec::new();
		for (wrote, who) in &silent {
			let before = before.get(who).copied().unwrap_or_default();
			let in_a_row = before.saturating_add(1);
			Silent::<T>::insert(who, in_a_row);
			Self::deposit_event(Event::FoundSilent {
				who: who.clone(),
				session: index,
				authored: *wrote,
				expected,
			});
			if in_a_row >= SILENT_SESSIONS {
				gone.push(who.clone());
			}
		}
		Self::leave_list(&gone, LeaveReason::Silent);
		let sit_out = silent.into_iter().map(|(_, who)| who).collect();
		SitOut::<T>::put(Seats::<T::AccountId>::truncate_from(sit_out));
	}

	/// An account wrote this block.
	pub fn note_author(who: T::AccountId) {
		Authored::<T>::mutate(who, |blocks| *blocks = blocks.saturating_add(1));
		Written::<T>::mutate(|blocks| *blocks = blocks.saturating_add(1));
		frame_system::Pallet::<T>::register_extra_weight_unchecked(
			T::WeightInfo::note_author(),
			DispatchClass::Mandatory,
		);
	}

	/// Blocks that each of so many seats is expected to have written in this session so far.
	pub(crate) fn expected_blocks(seats: usize) -> u32 {
		let seats = u32::try_from(seats).unwrap_or(u32::MAX);
		Written::<T>::get().checked_div(seats).unwrap_or_default()
	}

	/// Epoch in which a session began, as long as it is remembered.
	pub(crate) fn epoch_of(session: SessionIndex) -> Option<EpochIndex> {
		SessionStarts::<T>::get(Self::slot_of(session))
			.filter(|(of, _)| *of == session)
			.map(|(_, epoch)| epoch)
	}

	/// Place of a session in the ring.
	pub(crate) fn slot_of(session: SessionIndex) -> u32 {
		session.checked_rem(SESSION_RING).unwrap_or_default()
	}
}
