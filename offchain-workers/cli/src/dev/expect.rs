//! What the rules give: payments, burns, refund and rewards, computed apart from the chain.

use super::rpc::RewardRow;
use millrace_primitives::{market::split_payment, Balance, EpochIndex};

/// What is known of a worker when its deal has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerTerm {
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
			outcome.pay(amount)?;
		}
		let amount = worker.epoch_price.min(deposit);
		deposit = deposit.checked_sub(amount)?;
		outcome.pay(amount)?;
	}
	outcome.refunded = left.checked_add(deposit)?;
	Some(outcome)
}

impl Outcome {
	fn pay(&mut self, amount: Balance) -> Option<()> {
		let (paid, burnt) = split_payment(amount);
		self.paid = self.paid.checked_add(paid)?;
		self.burnt = self.burnt.checked_add(burnt)?;
		Some(())
	}
}

/// Rewards of all idle units of some epochs: each gets its share of the pool, rounded down, up to
/// the limit.
pub(crate) fn rewards(rows: &[RewardRow]) -> Option<Balance> {
	rows.iter().try_fold(0 as Balance, |sum, row| {
		let share = row.pool.checked_div(Balance::from(row.idle)).unwrap_or(0);
		let reward = share
			.min(row.max_per_unit)
			.checked_mul(Balance::from(row.idle))?;
		sum.checked_add(reward)
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn nothing_of_an_escrow_is_lost() {
		let workers = [
			WorkerTerm {
				epoch_price: 1_001,
				since: 4,
			},
			WorkerTerm {
				epoch_price: 999,
				since: 5,
			},
		];
		let outcome = stopped_deal(100_000, 3_000, 5, &workers).expect("no overflow");
		// Two epochs and a closing one of the first, one and a closing one of the second.
		assert_eq!(outcome.paid, 3 * (1_001 - 21) + 2 * (999 - 20));
		assert_eq!(outcome.burnt, 3 * 21 + 2 * 20);
		assert_eq!(outcome.paid + outcome.burnt + outcome.refunded, 103_000);
	}

	#[test]
	fn a_worker_that_never_was_due_is_paid_the_closing_epoch() {
		let worker = WorkerTerm {
			epoch_price: 1_000,
			since: 6,
		};
		let outcome = stopped_deal(10_000, 1_000, 5, &[worker]).expect("no overflow");
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
			pool: 100,
			max_per_unit: 40,
			idle: 3,
		};
		assert_eq!(rewards(&[row]), Some(99));
		assert_eq!(
			rewards(&[RewardRow {
				max_per_unit: 10,
				..row
			}]),
			Some(30)
		);
		assert_eq!(rewards(&[RewardRow { idle: 0, ..row }]), Some(0));
	}
}
