//! How a programme begins and ends, and what is swept after it.

use crate::{
	pallet::*,
	types::{rows_of, Leftover, NewProgramme, Programme},
	Locks, WeightInfo, MAX_REWARDS, ROWS_PER_SWEEP,
};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get, Weight},
	traits::{
		fungible::{Inspect, Mutate},
		tokens::{Fortitude, Preservation, Provenance},
	},
	weights::WeightMeter,
};
use millrace_primitives::{
	rewards::{ProgrammeView, RewardsView},
	Balance, BlockNumber,
};
use sp_runtime::{traits::AccountIdConversion, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// The account that rewards are paid from.
	pub fn pot() -> T::AccountId {
		T::PotId::get().into_account_truncating()
	}

	/// What the pot has to pay with: all but its existential deposit.
	pub fn payable() -> Balance {
		let pot = Self::pot();
		T::Currency::reducible_balance(&pot, Preservation::Preserve, Fortitude::Polite)
	}

	/// The present block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// Begins a programme, if there is none and it can be paid.
	pub(crate) fn begin(terms: NewProgramme) -> Result<(), Error<T>> {
		ensure!(!Standing::<T>::exists(), Error::<T>::ProgrammeStands);
		ensure!(!Leftovers::<T>::exists(), Error::<T>::RowsLeft);
		let NewProgramme {
			root,
			rewards,
			total,
			ends,
		} = terms;
		let fits = (1..=MAX_REWARDS).contains(&rewards) && total > 0;
		ensure!(fits, Error::<T>::BadSize);
		let now = Self::now();
		ensure!(ends > now, Error::<T>::EndsTooSoon);
		let latest = now.saturating_add(T::LongestProgramme::get());
		ensure!(ends <= latest, Error::<T>::EndsTooLate);
		ensure!(total <= Self::payable(), Error::<T>::PotTooSmall);

		let number = NextNumber::<T>::get();
		let next = number.checked_add(1).ok_or(Error::<T>::Arithmetic)?;
		NextNumber::<T>::put(next);
		Standing::<T>::put(Programme {
			number,
			terms,
			paid: 0,
			claims: 0,
		});
		Self::deposit_event(Event::ProgrammeStarted {
			number,
			root,
			rewards,
			total,
			ends,
		});
		Ok(())
	}

	/// Ends a programme that is over.
	pub(crate) fn do_end() -> DispatchResult {
		let programme = Standing::<T>::get().ok_or(Error::<T>::NoProgramme)?;
		let over = Self::now() > programme.terms.ends;
		ensure!(over, Error::<T>::ProgrammeRuns);
		let to_treasury = Self::give_to_treasury(programme.left())?;
		Standing::<T>::kill();
		Leftovers::<T>::put(Leftover {
			number: programme.number,
			next: 0,
			rows: rows_of(programme.terms.rewards),
		});
		Self::deposit_event(Event::ProgrammeEnded {
			number: programme.number,
			claims: programme.claims,
			paid: programme.paid,
			to_treasury,
		});
		Ok(())
	}

	/// Moves so much of the pot to the treasury; nothing where the treasury cannot hold it, so that the
	/// programme ends all the same.
	fn give_to_treasury(amount: Balance) -> Result<Balance, sp_runtime::DispatchError> {
		let treasury = T::Treasury::get();
		let takes = T::Currency::can_deposit(&treasury, amount, Provenance::Extant)
			.into_result()
			.is_ok();
		if amount == 0 || !takes {
			return Ok(0);
		}
		T::Currency::transfer(&Self::pot(), &treasury, amount, Preservation::Preserve)
	}

	/// Sweeps a bounded number of rows for whoever asks.
	pub(crate) fn do_sweep() -> DispatchResult {
		ensure!(Leftovers::<T>::exists(), Error::<T>::NothingToSweep);
		Self::sweep_rows(ROWS_PER_SWEEP);
		Ok(())
	}

	/// Sweeps as many rows as the weight allows, at most [`ROWS_PER_SWEEP`]; the weight that it took.
	pub(crate) fn sweep_within(remaining: Weight) -> Weight {
		let mut meter = WeightMeter::with_limit(remaining);
		if meter.try_consume(T::DbWeight::get().reads(1)).is_err() || !Leftovers::<T>::exists() {
			return meter.consumed();
		}
		let mut rows = ROWS_PER_SWEEP;
		while rows > 0 {
			if meter.try_consume(T::WeightInfo::sweep(rows)).is_ok() {
				Self::sweep_rows(rows);
				break;
			}
			rows = rows.checked_div(2).unwrap_or_default();
		}
		meter.consumed()
	}

	/// Sweeps at most so many rows.
	pub(crate) fn sweep_rows(most: u32) {
		let Some(leftover) = Leftovers::<T>::get() else {
			return;
		};
		let Leftover { number, next, rows } = leftover;
		let end = rows.min(next.saturating_add(most));
		for row in next..end {
			Claimed::<T>::remove(number, row);
		}
		if end < rows {
			Leftovers::<T>::put(Leftover {
				next: end,
				..leftover
			});
		} else {
			Leftovers::<T>::kill();
			Self::deposit_event(Event::ProgrammeSwept { number });
		}
	}

	/// How rewards stand, for clients.
	pub fn rewards() -> RewardsView {
		RewardsView {
			block: Self::now(),
			programme: Standing::<T>::get().map(|programme| ProgrammeView {
				number: programme.number,
				root: programme.terms.root,
				rewards: programme.terms.rewards,
				total: programme.terms.total,
				paid: programme.paid,
				claims: programme.claims,
				ends: programme.terms.ends,
			}),
			pot: Self::payable(),
			lock_blocks: T::LockBlocks::get(),
			sweeping: Leftovers::<T>::exists(),
		}
	}

	/// Whether a reward of the programme that stands was claimed.
	pub fn is_claimed(index: u32) -> bool {
		Standing::<T>::get().is_some_and(|programme| Self::is_claimed_of(programme.number, index))
	}

	/// Whether a lock of an account is over.
	pub fn is_releasable(account: &T::AccountId) -> bool {
		T::Locks::is_over(account)
	}
}
