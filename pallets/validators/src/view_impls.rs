//! Whole pictures at one block, for clients.

use crate::{
	rules, Authored, Banned, Bootstrapped, Candidates, Config, Pallet, Params, Planned, Records,
	Sessions, Silent, Stakes,
};
use millrace_primitives::validators::{EquivocationView, SeatView, ValidatorView, ValidatorsView};

impl<T: Config> Pallet<T> {
	/// Who validates, and what a seat takes.
	pub fn validators() -> ValidatorsView<T::AccountId> {
		let params = Params::<T>::get();
		let total_stake = T::Stakes::total();
		let seated = T::Sessions::seated();
		let expected = Self::expected_blocks(seated.len());
		let seats = seated
			.into_iter()
			.map(|who| SeatView {
				stake: T::Stakes::active(&who),
				authored: Authored::<T>::get(&who),
				disabled: T::Sessions::is_disabled(&who),
				who,
			})
			.collect();
		let able = Self::able_candidates();
		let candidates = u32::try_from(Candidates::<T>::get().len()).unwrap_or(u32::MAX);
		ValidatorsView {
			session: T::Sessions::current(),
			bootstrapped: Bootstrapped::<T>::get(),
			total_stake,
			standing_stake: rules::sum(&able),
			bootstrap_stake: params.bootstrap_stake,
			needed: rules::needed(&able, total_stake, &params),
			max_validators: params.max_validators,
			candidates,
			expected,
			seats,
			planned: Planned::<T>::get()
				.map(|(_, seats)| seats.into_inner())
				.unwrap_or_default(),
		}
	}

	/// Where one account stands.
	pub fn validator(who: &T::AccountId) -> ValidatorView {
		let seated = T::Sessions::seated();
		let rank = Candidates::<T>::get()
			.iter()
			.position(|row| row.who == *who)
			.and_then(|place| u32::try_from(place).ok());
		let equivocations = Records::<T>::get(who)
			.into_iter()
			.flat_map(|record| record.entries)
			.map(|entry| EquivocationView {
				session: entry.session,
				epoch: entry.epoch,
				part: entry.part,
			})
			.collect();
		ValidatorView {
			active_stake: T::Stakes::active(who),
			rank,
			keys: T::Sessions::keys(who),
			seated: seated.contains(who),
			planned: Planned::<T>::get().is_some_and(|(_, seats)| seats.contains(who)),
			disabled: T::Sessions::is_disabled(who),
			silent_sessions: Silent::<T>::get(who),
			banned_until: Banned::<T>::get(who).filter(|_| Self::is_banned(who)),
			authored: Authored::<T>::get(who),
			expected: Self::expected_blocks(seated.len()),
			equivocations,
		}
	}
}
