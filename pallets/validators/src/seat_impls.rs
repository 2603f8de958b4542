//! Seats: who sits in the session after the next.

use crate::{
	rules, Bootstrapped, Candidates, Config, Event, Genesis, LeaveReason, Pallet, Params, Planned,
	Seats, Sessions, SitOut, Stakes, Standing, ValidatorsParams, MIN_SEATS,
};
use alloc::vec::Vec;
use millrace_primitives::{validators::SessionIndex, Balance};

impl<T: Config> Pallet<T> {
	/// Seats of a session that is being planned; `None` before genesis is complete.
	///
	/// The same set as before is returned as one, too: `historical` then commits to it, so that
	/// equivocation can be proven.
	pub fn plan(index: SessionIndex) -> Option<Vec<T::AccountId>> {
		let genesis = Genesis::<T>::get();
		if genesis.is_empty() {
			return None;
		}
		let params = Params::<T>::get();
		let seats = if Self::is_bootstrapped(&params) {
			Self::change_seats(index, &params, &genesis)
		} else {
			genesis.into_inner()
		};
		SitOut::<T>::kill();
		Planned::<T>::put((index, Seats::<T::AccountId>::truncate_from(seats.clone())));
		Some(seats)
	}

	/// Whether stake decides. Only stake that stands counts: where others than candidates staked
	/// enough, a few small candidates would get all seats. Once stake decides, it does for ever:
	/// otherwise whoever withdraws could bring the genesis set back.
	fn is_bootstrapped(params: &ValidatorsParams) -> bool {
		if Bootstrapped::<T>::get() {
			return true;
		}
		let standing_stake = rules::sum(&Self::able_candidates());
		let reached = standing_stake >= params.bootstrap_stake;
		if reached {
			Bootstrapped::<T>::put(true);
			Self::deposit_event(Event::Bootstrapped { standing_stake });
		}
		reached
	}

	fn change_seats(
		index: SessionIndex,
		params: &ValidatorsParams,
		genesis: &[T::AccountId],
	) -> Vec<T::AccountId> {
		let seated = Planned::<T>::get()
			.map(|(_, seats)| seats.into_inner())
			.filter(|seats| !seats.is_empty())
			.unwrap_or_else(T::Sessions::seated);
		let sit_out = SitOut::<T>::get();
		let mut candidates = Self::able_candidates();
		candidates.retain(|(who, _)| !sit_out.contains(who));
		let claims = rules::claimants(&candidates, T::Stakes::total(), params);
		let claimants: Vec<_> = candidates
			.into_iter()
			.take(claims)
			.map(|(who, _)| who)
			.collect();
		let leaving = Self::leaving(&seated, &claimants, &sit_out, params, genesis);
		let floor = usize::try_from(MIN_SEATS.min(params.max_validators))
			.unwrap_or(usize::MAX)
			.min(genesis.len());
		let change = rules::next_seats(&seated, &leaving, &claimants, params, floor);

		Self::deposit_event(Event::SeatsPlanned {
			session: index,
			seats: count(&change.seats),
			entered: count(&change.entered),
			left: count(&change.left),
		});
		for who in change.entered {
			let session = index;
			Self::deposit_event(Event::SeatGained { who, session });
		}
		for (who, reason) in change.left {
			Self::deposit_event(Event::SeatLost {
				who,
				session: index,
				reason,
			});
		}
		change.seats
	}

	/// Candidates with keys and without ban, most stake first.
	pub(crate) fn able_candidates() -> Vec<(T::AccountId, Balance)> {
		Candidates::<T>::get()
			.into_iter()
			.filter(|row| !Self::is_banned(&row.who) && T::Sessions::has_keys(&row.who))
			.map(|row| (row.who, row.stake))
			.collect()
	}

	/// Those of the seated who have no claim, with the reason, those to go first first.
	fn leaving(
		seated: &[T::AccountId],
		claimants: &[T::AccountId],
		sit_out: &[T::AccountId],
		params: &ValidatorsParams,
		genesis: &[T::AccountId],
	) -> Vec<(T::AccountId, LeaveReason)> {
		let mut leaving: Vec<_> = seated
			.iter()
			.filter(|who| !claimants.contains(who))
			.map(|who| {
				let stake = T::Stakes::active(who);
				let enough = stake >= params.min_seat_stake;
				let silent = sit_out.iter().position(|other| other == who);
				// Whoever sits since genesis need never have stood: it makes room for others, and
				// does not go before they come.
				let stands = genesis.contains(who) || Standing::<T>::contains_key(who);
				let (reason, order) = if Self::is_banned(who) {
					(LeaveReason::Equivocated, 0)
				} else if !T::Sessions::has_keys(who) {
					(LeaveReason::NoKeys, 0)
				} else if let Some(place) = silent {
					// Fewest blocks first, as they were noted.
					let place = Balance::try_from(place).unwrap_or(Balance::MAX);
					(LeaveReason::Silent, place)
				} else if enough && !stands {
					(LeaveReason::Chilled, 0)
				} else if enough {
					(LeaveReason::Outbid, stake)
				} else {
					(LeaveReason::TooLittleStake, stake)
				};
				(who.clone(), reason, order)
			})
			.collect();
		leaving.sort_by_key(|(_, reason, order)| (reason.rank(), *order));
		leaving
			.into_iter()
			.map(|(who, reason, _)| (who, reason))
			.collect()
	}
}

/// How many, for an event.
fn count<A>(accounts: &[A]) -> u32 {
	u32::try_from(accounts.len()).unwrap_or(u32::MAX)
}
