//! What the rules give: payments, burns, refund and rewards, computed apart from the chain.

use super::rpc::RewardRow;
use millrace_primitives::{
	commitment::BucketView, market::DealTerms, peer::PeerId, Balance, EpochIndex, U256,
};
use std::collections::BTreeMap;

/// What is known of a worker when its deal has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerTerm {
	/// Whose unit is at work.
	pub(crate) peer: PeerId,
	/// Price of one epoch.
	pub(crate) epoch_price: Balance,
	/// First paid epoch.
	pub(crate) since: EpochIndex,
}

/// What became of an escrow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
	/// To the provider.
	pub(crate) paid: Balance,
	/// Burnt.
	pub(crate) burnt: Balance,
	/// Back to the client.
	pub(crate) refunded: Balance,
}

/// What a deal must come to that its owner stopped early, all of whose workers reported every epoch.
///
/// Each live worker is paid for the epochs from its first one up to the last, if there are any, and
/// by the closing deposit for one more. Of each single payment a part burns. What is left of escrow
/// and closing deposit goes back.
pub(crate) fn stopped_deal(
	escrow: Balance,
	closing_deposit: Balance,
	terms: &DealTerms,
	last: EpochIndex,
	workers: &[WorkerTerm],
) -> Option<Outcome> {
	let mut outcome = Outcome::default();
	let mut left = escrow;
	let mut deposit = closing_deposit;
	for worker in workers {
		for _ in worker.since..=last {
			let amount = worker.epoch_price.min(left);
			left = left.checked_sub(amount)?;
			outcome.pay(terms, amount)?;
		}
		let amount = worker.epoch_price.min(deposit);
		deposit = deposit.checked_sub(amount)?;
		outcome.pay(terms, amount)?;
	}
	outcome.refunded = left.checked_add(deposit)?;
	Some(outcome)
}

impl Outcome {
	fn pay(&mut self, terms: &DealTerms, amount: Balance) -> Option<()> {
		let (paid, burnt) = terms.split(amount);
		self.paid = self.paid.checked_add(paid)?;
		self.burnt = self.burnt.checked_add(burnt)?;
		Some(())
	}
}

/// Reward of an idle unit: its share of the pool and of what earlier pools left over, rounded down,
/// up to the limit.
pub(crate) fn reward_per_unit(row: &RewardRow) -> Option<Balance> {
	let pool = row.pool.checked_add(row.carried)?;
	let share = pool.checked_div(Balance::from(row.idle)).unwrap_or(0);
	Some(share.min(row.max_per_unit))
}

/// Rewards of all idle units of some epochs.
pub(crate) fn rewards(rows: &[RewardRow]) -> Option<Balance> {
	rows.iter().try_fold(0 as Balance, |sum, row| {
		let reward = reward_per_unit(row)?.checked_mul(Balance::from(row.idle))?;
		sum.checked_add(reward)
	})
}

/// Periods of the time in which a reward vests. What is earned in one of them vests together.
const PERIODS: u32 = 30;

/// What has come to the ledger of the only owner of a commitment, by the first epoch after the
/// period in which it was earned.
///
/// `earned` has each settled epoch of the commitment in its order. A reward is divided by the
/// shares, of which the owner has all, in parts of 2^-128; neither what does not divide nor what is
/// less than a unit is lost. The last period comes to the ledger when the next one begins.
pub(crate) fn ledger(
	earned: &[(EpochIndex, Balance)],
	shares: Balance,
	vesting_epochs: u32,
) -> Option<BTreeMap<EpochIndex, Balance>> {
	let length = vesting_epochs.div_ceil(PERIODS).max(1);
	let shares = U256::from(shares);
	let mut ledger = BTreeMap::new();
	let mut period = earned.first().map_or(0, |(epoch, _)| epoch / length);
	let (mut per_share, mut carry, mut dust) = (U256::zero(), U256::zero(), U256::zero());
	for (epoch, reward) in earned {
		if epoch / length > period {
			let whole = per_share.checked_mul(shares)?.checked_add(dust)?;
			let amount = Balance::try_from(whole >> 128).ok()?;
			if amount > 0 {
				let start = period.checked_add(1)?.checked_mul(length)?;
				ledger.insert(start, amount);
			}
			dust = whole & U256::from(Balance::MAX);
			per_share = U256::zero();
			period = epoch / length;
		}
		let whole = (U256::from(*reward) << 128).checked_add(carry)?;
		per_share = per_share.checked_add(whole.checked_div(shares)?)?;
		carry = whole.checked_rem(shares)?;
	}
	Some(ledger)
}

/// What of an account's earnings has vested by an epoch and was not claimed before.
pub(crate) fn vested(buckets: &[BucketView], now: EpochIndex) -> Option<Balance> {
	buckets.iter().try_fold(0 as Balance, |sum, bucket| {
		let passed = now.saturating_sub(bucket.start).min(bucket.epochs);
		let vested = bucket
			.amount
			.checked_mul(Balance::from(passed))?
			.checked_div(Balance::from(bucket.epochs))?;
		sum.checked_add(vested.checked_sub(bucket.taken)?)
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn nothing_of_an_escrow_is_lost() {
		let workers = [
			WorkerTerm {
				peer: PeerId::default(),
				epoch_price: 1_001,
				since: 4,
			},
			WorkerTerm {
				peer: PeerId::default(),
				epoch_price: 999,
				since: 5,
			},
		];
		let terms = DealTerms::default();
		let outcome = stopped_deal(100_000, 3_000, &terms, 5, &workers).expect("no overflow");
		// Two epochs and a closing one of the first, one and a closing one of the second.
		assert_eq!(outcome.paid, 3 * (1_001 - 21) + 2 * (999 - 20));
		assert_eq!(outcome.burnt, 3 * 21 + 2 * 20);
		assert_eq!(outcome.paid + outcome.burnt + outcome.refunded, 103_000);
	}

	#[test]
	fn a_worker_that_never_was_due_is_paid_the_closing_epoch() {
		let worker = WorkerTerm {
			peer: PeerId::default(),
			epoch_price: 1_000,
			since: 6,
		};
		let terms = DealTerms::default();
		let outcome = stopped_deal(10_000, 1_000, &terms, 5, &[worker]).expect("no overflow");
		assert_eq!(
			outcome,
			Outcome {
				paid: 980,
				burnt: 20,
				refunded: 10_000
			}
		);
	}

	#[test]
	fn rewards_are_shares_up_to_a_limit() {
		let row = RewardRow {
			epoch: 1,
			pool: 98,
			carried: 2,
			max_per_unit: 40,
			idle: 3,
		};
		assert_eq!(reward_per_unit(&row), Some(33));
		assert_eq!(rewards(&[row]), Some(99));
		let capped = RewardRow {
			max_per_unit: 10,
			..row
		};
		assert_eq!(rewards(&[row, capped]), Some(129));
		assert_eq!(rewards(&[RewardRow { idle: 0, ..row }]), Some(0));
	}

	#[test]
	fn what_does_not_divide_comes_with_the_next_period() {
		// A third of 2^128 does not divide: one part of it stays behind, and a whole unit waits for
		// it.
		let earned = [(1, 10), (2, 10), (3, 10), (4, 0)];
		let found = ledger(&earned, 3, 30).expect("no overflow");
		assert_eq!(found, BTreeMap::from([(2, 9), (3, 10), (4, 11)]));
		// Of three in three, nothing is left over.
		let earned = [(1, 9), (2, 9), (3, 0)];
		let found = ledger(&earned, 3, 30).expect("no overflow");
		assert_eq!(found, BTreeMap::from([(2, 9), (3, 9)]));
	}

	#[test]
	fn a_period_is_a_thirtieth_of_the_vesting_time() {
		let earned: Vec<_> = (70..=146).map(|epoch| (epoch, 2)).collect();
		let found = ledger(&earned, 2, 2_160).expect("no overflow");
		// Epochs 70 and 71, then 72 to 143; those since 144 are not there yet.
		assert_eq!(found, BTreeMap::from([(72, 4), (144, 144)]));
		assert_eq!(ledger(&[], 2, 2_160), Some(BTreeMap::new()));
		assert_eq!(ledger(&earned, 0, 2_160), None, "nobody owns it");
	}

	#[test]
	fn earnings_vest_linearly_from_the_end_of_their_period() {
		let bucket = BucketView {
			start: 10,
			epochs: 30,
			amount: 100,
			taken: 0,
		};
		let at = |now| vested(std::slice::from_ref(&bucket), now);
		assert_eq!([at(9), at(10), at(11)], [Some(0), Some(0), Some(3)]);
		assert_eq!([at(39), at(40), at(99)], [Some(96), Some(100), Some(100)]);
		let rest = BucketView {
			taken: 3,
			..bucket.clone()
		};
		assert_eq!(vested(&[bucket.clone(), rest], 12), Some(6 + 3));
	}
}
