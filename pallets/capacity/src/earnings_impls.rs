//! Rewards on their way to their owners: from the epoch to the commitment, from there to the ledger
//! of each staker, where they vest, and to the account once somebody claims them.

use crate::{
	rules, Bucket, CommitmentOf, Config, Delegations, Earnings, Error, Event, HoldReason, Ledgers,
	Pallet, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
	defensive, ensure,
	pallet_prelude::{DispatchResult, Weight},
	traits::{fungible::MutateHold, tokens::Precision, Defensive, DefensiveSaturating, Get},
};
use millrace_primitives::{
	commitment::{BucketView, EarningsView, MAX_STAKERS},
	peer::PeerId,
	traits::{Emission, EpochClock},
	Balance, EpochIndex, U256,
};
use sp_core::U512;

/// One unit of FLT in the fixed-point numbers of rewards per share: 2^128.
const ONE: U256 = U256([0, 0, 1, 0]);

impl<T: Config> Pallet<T> {
	/// Counts one more place of an account; opens its ledger, for a deposit, if it has none.
	pub(crate) fn take_place(who: &T::AccountId) -> DispatchResult {
		Ledgers::<T>::try_mutate(who, |ledger| {
			if let Some(ledger) = ledger {
				ledger.places = ledger.places.defensive_saturating_add(1);
				return Ok(());
			}
			let deposit = T::LedgerDeposit::get();
			if deposit > 0 {
				T::Currency::hold(&HoldReason::Deposit.into(), who, deposit)?;
			}
			*ledger = Some(Earnings {
				deposit,
				places: 1,
				..Default::default()
			});
			Ok(())
		})
	}

	/// Counts one place less; closes the ledger once it is empty.
	pub(crate) fn leave_place(who: &T::AccountId) {
		let Some(mut ledger) = Ledgers::<T>::get(who).defensive() else {
			return;
		};
		ledger.places = ledger.places.defensive_saturating_sub(1);
		Self::store_ledger(who, ledger);
	}

	/// Stores a ledger, or closes it if it is empty: the deposit is free again.
	fn store_ledger(who: &T::AccountId, ledger: Earnings) {
		if ledger.places > 0 || ledger.free > 0 || !ledger.buckets.is_empty() {
			Ledgers::<T>::insert(who, ledger);
			return;
		}
		Ledgers::<T>::remove(who);
		if ledger.deposit > 0 {
			let released = T::Currency::release(
				&HoldReason::Deposit.into(),
				who,
				ledger.deposit,
				Precision::Exact,
			);
			if let Err(error) = released {
				defensive!("the deposit of a ledger is held", error);
			}
		}
	}

	/// Credits a commitment with the reward of an epoch. The weight that bringing those of an
	/// earlier period to the ledgers took.
	pub(crate) fn credit(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		epoch: EpochIndex,
		reward: Balance,
	) -> Weight {
		let mut weight = Weight::zero();
		let period = rules::period_of(epoch, commitment.terms.vesting_epochs);
		if period != commitment.accrual.period {
			weight = Self::flush_weight(commitment);
			Self::flush(peer, commitment);
			commitment.accrual.period = period;
		}
		commitment.rewarded = commitment.rewarded.defensive_saturating_add(reward);

		// What does not divide by the shares is carried: it is below their number, or was so before
		// they changed.
		let accrual = &mut commitment.accrual;
		let shares = U256::from(commitment.shares);
		let all = U256::from(reward)
			.saturating_mul(ONE)
			.saturating_add(U256::from(accrual.carry));
		let (Some(each), Some(rest)) = (all.checked_div(shares), all.checked_rem(shares)) else {
			defensive!("an active commitment has shares");
			return weight;
		};
		accrual.per_share = accrual.per_share.saturating_add(each);
		accrual.carry = Balance::try_from(rest).unwrap_or(0);
		weight
	}

	/// Brings what has accrued to the owners' ledgers.
	///
	/// Shares are what was signed, not what slashes left of it. A delegator pays the commission to
	/// the provider; what is under one unit of FLT stays with each.
	pub(crate) fn flush(peer: PeerId, commitment: &mut CommitmentOf<T>) {
		let per_share = core::mem::take(&mut commitment.accrual.per_share);
		if per_share.is_zero() {
			return;
		}
		let vesting = commitment.terms.vesting_epochs;
		let start = commitment
			.accrual
			.period
			.saturating_add(1)
			.saturating_mul(rules::period_epochs(vesting));

		let mut of_provider;
		(of_provider, commitment.own.dust) =
			earned(commitment.own.share, per_share, commitment.own.dust);
		if commitment.shares != commitment.own.share {
			let mut stakes = Delegations::<T>::get(peer);
			for stake in stakes.iter_mut() {
				let amount;
				(amount, stake.part.dust) = earned(stake.part.share, per_share, stake.part.dust);
				let commission = commitment.terms.commission.mul_floor(amount);
				of_provider = of_provider.defensive_saturating_add(commission);
				let own = amount.saturating_sub(commission);
				Self::vest(&stake.staker, start, vesting, own);
			}
			Delegations::<T>::insert(peer, stakes);
		}
		Self::vest(&commitment.provider, start, vesting, of_provider);
	}

	/// Weight of a flush, for the stakers that there may be; nothing where nothing has accrued.
	pub(crate) fn flush_weight(commitment: &CommitmentOf<T>) -> Weight {
		if commitment.accrual.per_share.is_zero() {
			return Weight::zero();
		}
		let alone = commitment.shares == commitment.own.share;
		T::WeightInfo::flush(if alone { 1 } else { MAX_STAKERS })
	}

	/// Enters a reward into the ledger of its owner.
	fn vest(who: &T::AccountId, start: EpochIndex, epochs: u32, amount: Balance) {
		if amount == 0 {
			return;
		}
		let Some(mut ledger) = Ledgers::<T>::get(who).defensive() else {
			return;
		};
		ledger.add(start, epochs, amount, T::Clock::current().index);
		Ledgers::<T>::insert(who, ledger);
	}

	/// Pays what has vested of an account's rewards.
	pub(crate) fn do_claim(who: T::AccountId) -> DispatchResult {
		let mut ledger = Ledgers::<T>::get(&who).ok_or(Error::<T>::NothingToClaim)?;
		let amount = ledger.take_vested(T::Clock::current().index);
		ensure!(amount > 0, Error::<T>::NothingToClaim);
		T::Emission::pay(&who, amount)?;
		Self::store_ledger(&who, ledger);
		Self::deposit_event(Event::RewardClaimed {
			account: who,
			amount,
		});
		Ok(())
	}

	/// What an account has earned and not claimed.
	pub fn earnings(who: &T::AccountId) -> EarningsView {
		let ledger = Ledgers::<T>::get(who).unwrap_or_default();
		let now = T::Clock::current().index;
		let buckets: Vec<_> = ledger
			.buckets
			.iter()
			.map(|bucket| BucketView {
				start: bucket.start,
				epochs: bucket.epochs,
				amount: bucket.amount,
				taken: bucket.taken,
			})
			.collect();
		let vesting = ledger.buckets.iter().fold(0, |sum: Balance, bucket| {
			let rest = bucket.amount.saturating_sub(rules::vested(bucket, now));
			sum.saturating_add(rest)
		});
		EarningsView {
			claimable: ledger.clone().take_vested(now),
			vesting,
			deposit: ledger.deposit,
			places: ledger.places,
			buckets,
		}
	}
}

/// What a share has earned at so much per unit of share, with what it had under one unit of FLT:
/// whole units, and the rest in 2^-128.
pub(crate) fn earned(share: Balance, per_share: U256, dust: u128) -> (Balance, u128) {
	let exact = U256::from(share)
		.full_mul(per_share)
		.saturating_add(U512::from(dust));
	// A share's part of rewards that are balances together, so that nothing stands above.
	let U512([rest_low, rest_high, low, high, ..]) = exact;
	(joined(high, low), joined(rest_high, rest_low))
}

fn joined(high: u64, low: u64) -> u128 {
	(u128::from(high) << 64) | u128::from(low)
}

impl Earnings {
	/// Adds a reward that vests from `start` on over so many epochs. Buckets are ordered by start and
	/// length; equal ones are one.
	fn add(&mut self, start: EpochIndex, epochs: u32, amount: Balance, now: EpochIndex) {
		if self.join(start, epochs, amount) {
			return;
		}
		if self.buckets.is_full() {
			// Whoever never claims: what has vested wholly needs no bucket any more.
			let free = &mut self.free;
			self.buckets.retain(|bucket| {
				let vests = rules::vested(bucket, now) < bucket.amount;
				if !vests {
					let rest = bucket.amount.saturating_sub(bucket.taken);
					*free = free.saturating_add(rest);
				}
				vests
			});
		}
		let place = self
			.buckets
			.iter()
			.position(|bucket| (bucket.start, bucket.epochs) > (start, epochs))
			.unwrap_or(self.buckets.len());
		let bucket = Bucket {
			start,
			epochs,
			amount,
			taken: 0,
		};
		if self.buckets.try_insert(place, bucket).is_err() {
			self.join_last(bucket);
		}
	}

	/// Adds to the bucket of the same start and length, if there is one.
	fn join(&mut self, start: EpochIndex, epochs: u32, amount: Balance) -> bool {
		let same = self
			.buckets
			.iter_mut()
			.find(|bucket| (bucket.start, bucket.epochs) == (start, epochs));
		let Some(bucket) = same else {
			return false;
		};
		bucket.amount = bucket.amount.saturating_add(amount);
		true
	}

	/// Without a place of its own, which only a change of the vesting time can bring about, a reward
	/// joins the last bucket: it vests from the later start on, over the longer time of both.
	fn join_last(&mut self, newcomer: Bucket) {
		let Some(last) = self.buckets.last_mut() else {
			return;
		};
		// What was claimed of it leaves the bucket, or it would be more than has vested.
		let rest = last.amount.saturating_sub(last.taken);
		*last = Bucket {
			start: last.start.max(newcomer.start),
			epochs: last.epochs.max(newcomer.epochs),
			amount: rest.saturating_add(newcomer.amount),
			taken: 0,
		};
	}

	/// Takes all that has vested, and says how much that is. Buckets that have vested wholly go.
	fn take_vested(&mut self, now: EpochIndex) -> Balance {
		let mut taken = core::mem::take(&mut self.free);
		for bucket in self.buckets.iter_mut() {
			let vested = rules::vested(bucket, now);
			taken = taken.saturating_add(vested.saturating_sub(bucket.taken));
			bucket.taken = vested;
		}
		self.buckets.retain(|bucket| bucket.taken < bucket.amount);
		taken
	}
}
