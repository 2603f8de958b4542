//! The list of candidates: who comes, who goes, and where each stands.

use crate::{
	Banned, Candidate, Candidates, Config, Error, Event, LeaveReason, Pallet, Params, Planned,
	Sessions, Stakes, Standing, ValidatorsParams, WeightInfo, MAX_CANDIDATES,
};
use frame_support::{ensure, pallet_prelude::DispatchResult, traits::ConstU32, BoundedVec};
use millrace_primitives::{governance::Contradiction, traits::OnStake, Balance};
use sp_runtime::Weight;

/// Candidates, most stake first.
type List<T> =
	BoundedVec<Candidate<<T as frame_system::Config>::AccountId>, ConstU32<MAX_CANDIDATES>>;

impl<T: Config> OnStake<T::AccountId> for Pallet<T> {
	/// One read for whoever is no candidate: nearly all providers, whose reports it lies in the way
	/// of.
	fn on_active_stake(provider: &T::AccountId, active: Balance) {
		if !Standing::<T>::contains_key(provider) {
			return;
		}
		if active == 0 {
			Self::leave_list(core::slice::from_ref(provider), LeaveReason::TooLittleStake);
			return;
		}
		Candidates::<T>::mutate(|list| {
			let Some(place) = list.iter().position(|row| row.who == *provider) else {
				return;
			};
			let mut row = list.remove(place);
			row.stake = active;
			Self::put_in_place(list, row);
		});
	}

	fn weight() -> Weight {
		T::WeightInfo::on_stake()
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_validate(who: T::AccountId) -> DispatchResult {
		// Who equivocated may have lost all stake by it: the ban is what to be told first.
		ensure!(!Self::is_banned(&who), Error::<T>::Banned);
		ensure!(
			!Standing::<T>::contains_key(&who),
			Error::<T>::AlreadyCandidate
		);
		let stake = T::Stakes::active(&who);
		ensure!(
			stake >= Params::<T>::get().min_seat_stake,
			Error::<T>::StakeTooLow
		);
		ensure!(T::Sessions::has_keys(&who), Error::<T>::NoKeys);

		let mut list = Candidates::<T>::get();
		let mut outbid = None;
		if list.is_full() {
			let lowest = list.last().map_or(0, |row| row.stake);
			ensure!(stake > lowest, Error::<T>::ListFull);
			outbid = list.pop();
		}
		let row = Candidate {
			who: who.clone(),
			stake,
			since: T::Sessions::current(),
		};
		Self::put_in_place(&mut list, row);
		Candidates::<T>::put(list);
		Standing::<T>::insert(&who, ());
		Banned::<T>::remove(&who);
		if let Some(row) = outbid {
			Standing::<T>::remove(&row.who);
			Self::deposit_event(Event::CandidateOutbid { who: row.who });
		}
		Self::deposit_event(Event::CandidateEntered { who, stake });
		Ok(())
	}

	pub(crate) fn do_chill(who: T::AccountId) -> DispatchResult {
		ensure!(Standing::<T>::contains_key(&who), Error::<T>::NotCandidate);
		Self::leave_list(&[who], LeaveReason::Chilled);
		Ok(())
	}

	pub(crate) fn do_purge_keys(who: T::AccountId) -> DispatchResult {
		ensure!(!Standing::<T>::contains_key(&who), Error::<T>::IsCandidate);
		let planned = Planned::<T>::get().is_some_and(|(_, seats)| seats.contains(&who));
		ensure!(
			!planned
				&& !T::Sessions::queued().contains(&who)
				&& !T::Sessions::seated().contains(&who),
			Error::<T>::StillSeated
		);
		ensure!(T::Sessions::has_keys(&who), Error::<T>::NoKeys);
		T::Sessions::purge_keys(&who)?;
		Self::deposit_event(Event::KeysPurged { who });
		Ok(())
	}

	/// Sets the parameters for the sessions that are planned from now on. Candidates stay on the list
	/// whatever the new parameters are.
	pub fn apply_params(params: ValidatorsParams) -> Result<(), Contradiction> {
		ensure!(params.is_valid(), Contradiction);
		Params::<T>::put(params);
		Self::deposit_event(Event::ParamsSet { params });
		Ok(())
	}

	/// Takes accounts off the list, those that are on it.
	pub(crate) fn leave_list(leaving: &[T::AccountId], reason: LeaveReason) {
		let mut any = false;
		for who in leaving {
			if Standing::<T>::take(who).is_some() {
				any = true;
				let who = who.clone();
				Self::deposit_event(Event::CandidateLeft { who, reason });
			}
		}
		if any {
			Candidates::<T>::mutate(|list| list.retain(|row| !leaving.contains(&row.who)));
		}
	}

	/// Whether an equivocation keeps an account from standing.
	pub(crate) fn is_banned(who: &T::AccountId) -> bool {
		Banned::<T>::get(who).is_some_and(|until| until > T::Sessions::current())
	}

	/// Puts a row where its stake belongs, in a list that has room for it.
	fn put_in_place(list: &mut List<T>, row: Candidate<T::AccountId>) {
		let place = list.partition_point(|other| other.is_above(&row));
		let inserted = list.try_insert(place, row).is_ok();
		debug_assert!(inserted, "the caller has made room");
	}
}
