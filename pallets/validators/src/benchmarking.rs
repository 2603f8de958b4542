//! Benchmarks of the calls and of what the runtime wires, each at its bounds.

use crate::{
	Authored, Banned, Bootstrapped, Call, Candidate, Candidates, Config, Entry, Genesis, Pallet,
	Params, Planned, Record, Records, Seats, Sessions, Silent, SitOut, Standing, ValidatorsParams,
	Written, BAN_SESSIONS, MAX_CANDIDATES, MAX_VALIDATORS,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use millrace_primitives::{
	traits::{Equivocations, OnStake, MAX_EQUIVOCATIONS},
	Balance, FLT,
};
use sp_runtime::Perbill;

/// What benchmarks need of the runtime around the pallet.
pub trait BenchmarkHelper<AccountId> {
	/// An account of its own for each index, with session keys and so much active stake, of which
	/// nobody is told.
	fn candidate(index: u32, stake: Balance) -> AccountId;
	/// Seats so many validators with keys in the present session; who they are.
	fn seat(count: u32) -> Vec<AccountId>;
}

/// Numbers of candidates begin here, away from those of seats.
const FIRST: u32 = 1_000;
/// Least stake of the candidates that are on the list.
const STAKE: Balance = 1_000_000 * FLT;

/// An account that is not on the list, with more stake than any that is.
fn newcomer<T: Config>() -> T::AccountId {
	T::BenchmarkHelper::candidate(FIRST.saturating_sub(1), STAKE.saturating_mul(2))
}

/// Puts an account at the end of the list.
fn list<T: Config>(who: &T::AccountId, stake: Balance) -> Result<(), BenchmarkError> {
	let row = Candidate {
		who: who.clone(),
		stake,
		since: 0,
	};
	Candidates::<T>::try_append(row)
		.map_err(|()| BenchmarkError::Stop("more candidates than may be"))?;
	Standing::<T>::insert(who, ());
	Ok(())
}

/// A list of so many candidates, the last of whom it answers.
fn fill<T: Config>(candidates: u32) -> Result<T::AccountId, BenchmarkError> {
	Params::<T>::put(ValidatorsParams::default());
	let mut last = None;
	for index in 0..candidates {
		let above = Balance::from(candidates.saturating_sub(index));
		let stake = STAKE.saturating_add(above);
		let who = T::BenchmarkHelper::candidate(FIRST.saturating_add(index), stake);
		list::<T>(&who, stake)?;
		last = Some(who);
	}
	last.ok_or(BenchmarkError::Stop("a list of nobody"))
}

/// A record at its bounds, of sessions from the first one on.
fn full_record() -> Record {
	let mut record = Record {
		next: MAX_EQUIVOCATIONS,
		..Default::default()
	};
	for serial in 0..MAX_EQUIVOCATIONS {
		let part = Perbill::from_percent(1);
		let entry = Entry {
			serial,
			session: serial,
			epoch: serial,
			part,
		};
		let _ = record.entries.try_push(entry);
		let _ = record.worst.try_push((serial, part));
	}
	record
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn validate() -> Result<(), BenchmarkError> {
		let outbid = fill::<T>(MAX_CANDIDATES)?;
		let who = newcomer::<T>();
		// A ban that is over.
		Banned::<T>::insert(&who, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(Standing::<T>::contains_key(&who));
		assert!(!Standing::<T>::contains_key(&outbid));
		Ok(())
	}

	#[benchmark]
	fn chill() -> Result<(), BenchmarkError> {
		let who = fill::<T>(MAX_CANDIDATES)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(!Standing::<T>::contains_key(&who));
		Ok(())
	}

	#[benchmark]
	fn purge_keys() -> Result<(), BenchmarkError> {
		let seats = T::BenchmarkHelper::seat(MAX_VALIDATORS);
		let seats = Seats::<T::AccountId>::truncate_from(seats);
		Planned::<T>::put((T::Sessions::current(), seats));
		let who = newcomer::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(!T::Sessions::has_keys(&who));
		Ok(())
	}

	/// The last of a full list becomes the first.
	#[benchmark]
	fn on_stake() -> Result<(), BenchmarkError> {
		let who = fill::<T>(MAX_CANDIDATES)?;

		#[block]
		{
			Pallet::<T>::on_active_stake(&who, STAKE.saturating_mul(2));
		}

		let first = Candidates::<T>::get().into_iter().next();
		assert_eq!(first.map(|row| row.who), Some(who));
		Ok(())
	}

	#[benchmark]
	fn since() {
		let who = newcomer::<T>();
		Records::<T>::insert(&who, full_record());
		let next;
		let entries;

		#[block]
		{
			next = <Pallet<T> as Equivocations<_>>::next(&who);
			entries = <Pallet<T> as Equivocations<_>>::since(&who, 0);
		}

		assert_eq!(next, MAX_EQUIVOCATIONS);
		assert!(entries.len() as u32 == MAX_EQUIVOCATIONS);
	}

	/// All seats change hands as far as they may, since everybody sits out.
	#[benchmark]
	fn plan(c: Linear<1, MAX_CANDIDATES>) -> Result<(), BenchmarkError> {
		fill::<T>(c)?;
		let seats = T::BenchmarkHelper::seat(MAX_VALIDATORS);
		let seats = Seats::<T::AccountId>::truncate_from(seats);
		Genesis::<T>::put(seats.clone());
		Planned::<T>::put((T::Sessions::current(), seats.clone()));
		SitOut::<T>::put(seats);
		Bootstrapped::<T>::put(true);
		let planned;

		#[block]
		{
			planned = Pallet::<T>::plan(2);
		}

		assert!(planned.is_some_and(|seats| !seats.is_empty()));
		Ok(())
	}

	/// Everybody was silent for the second time, and leaves the list.
	#[benchmark]
	fn close_session(s: Linear<1, MAX_VALIDATORS>) -> Result<(), BenchmarkError> {
		fill::<T>(MAX_CANDIDATES.saturating_sub(MAX_VALIDATORS))?;
		let seats = T::BenchmarkHelper::seat(s);
		for who in &seats {
			list::<T>(who, 1)?;
			Authored::<T>::insert(who, 1);
			Silent::<T>::insert(who, 1);
		}
		Written::<T>::put(s.saturating_mul(1_000));
		Bootstrapped::<T>::put(true);

		#[block]
		{
			Pallet::<T>::close_session(1);
		}

		assert_eq!(SitOut::<T>::get().len(), seats.len());
		assert!(seats.iter().all(|who| !Standing::<T>::contains_key(who)));
		Ok(())
	}

	#[benchmark]
	fn note_author() {
		let who = newcomer::<T>();

		#[block]
		{
			Pallet::<T>::note_author(who.clone());
		}

		assert_eq!(Authored::<T>::get(&who), 1);
	}

	/// A seat's ninth equivocation, of a session of which nothing was known.
	#[benchmark]
	fn on_equivocation() -> Result<(), BenchmarkError> {
		fill::<T>(MAX_CANDIDATES.saturating_sub(1))?;
		let seats = T::BenchmarkHelper::seat(MAX_VALIDATORS);
		let who = seats.last().ok_or("seats were made")?;
		list::<T>(who, 1)?;
		Records::<T>::insert(who, full_record());
		let until = T::Sessions::current().saturating_add(BAN_SESSIONS);

		#[block]
		{
			Pallet::<T>::on_equivocation(who, Perbill::from_percent(50), MAX_EQUIVOCATIONS);
		}

		assert!(!Standing::<T>::contains_key(who));
		assert_eq!(Banned::<T>::get(who), Some(until));
		Ok(())
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::mock::ExtBuilder::default().build(),
		crate::mock::Test
	);
}
