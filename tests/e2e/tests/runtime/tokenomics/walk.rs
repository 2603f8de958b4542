//! The months of a chain's life: what of each share can be spent by then, at most.

use crate::{
	errors::scene::{by, done, EVE},
	presets::genesis,
};
use frame_support::traits::{
	fungible::Inspect,
	tokens::{Fortitude, Preservation},
};
use millrace_primitives::{traits::Emission as _, Balance, EpochIndex};
use millrace_runtime::{
	allocation::{with_development_keys, Grant, Share, MONTH_BLOCKS},
	AccountId, Balances, BlockNumber, Emission, Epochs, Runtime, System,
};
use pallet_capacity::{
	rules::{period_epochs, vested},
	Bucket,
};
use sp_runtime::MultiAddress;

/// What can be spent at the end of a month.
#[derive(Clone, Debug)]
pub(super) struct Month {
	/// Its number; 0 is genesis.
	pub(super) number: u32,
	/// By share, in the order of [`Share::ALL`].
	pub(super) unlocked: [Balance; Share::ALL.len()],
}

impl Month {
	/// All shares together.
	pub(super) fn together(&self) -> Balance {
		self.unlocked.iter().sum()
	}

	/// Of one share.
	pub(super) fn of(&self, share: Share) -> Balance {
		let index = Share::ALL.iter().position(|other| *other == share);
		self.unlocked[index.expect("all are listed")]
	}
}

/// Lives through a chain of the testnet's preset up to a month.
pub(super) fn walk(last: u32) -> Vec<Month> {
	sp_io::TestExternalities::new(genesis("testnet")).execute_with(|| {
		let validators = pallet_session::Validators::<Runtime>::get();
		let grants = with_development_keys(&validators);
		let mut rewards = Rewards::new();
		(0..=last)
			.map(|number| {
				System::set_block_number(number * MONTH_BLOCKS);
				let unlocked = Share::ALL.map(|share| match share {
					Share::DeveloperRewards => developer_rewards(number * MONTH_BLOCKS),
					Share::Capacity => rewards.unlocked(number),
					_ => grants
						.iter()
						.filter(|grant| grant.share == share)
						.map(spendable)
						.sum(),
				});
				Month { number, unlocked }
			})
			.collect()
	})
}

/// What an account can spend once somebody has said that it shall be unlocked.
fn spendable(grant: &Grant) -> Balance {
	let who: &AccountId = &grant.account;
	if pallet_vesting::Vesting::<Runtime>::contains_key(who) {
		let target = MultiAddress::Id(who.clone());
		done(
			by(EVE),
			pallet_vesting::Call::<Runtime>::vest_other { target },
		);
	}
	Balances::reducible_balance(who, Preservation::Expendable, Fortitude::Polite)
}

/// All of them, once what was claimed at once is unlocked.
fn developer_rewards(block: BlockNumber) -> Balance {
	let locked = <Runtime as pallet_developer_rewards::Config>::LockBlocks::get();
	if block < locked {
		return 0;
	}
	Share::DeveloperRewards.amount()
}

/// Rewards of capacity, if each epoch's pool is as large as may be and all of it is earned.
struct Rewards {
	epochs_per_month: u32,
	vesting_epochs: u32,
	/// First epoch that has no pool yet.
	next: EpochIndex,
	/// By period.
	buckets: Vec<Bucket>,
}

impl Rewards {
	fn new() -> Self {
		Self {
			epochs_per_month: MONTH_BLOCKS / Epochs::status().info.lengths.len,
			vesting_epochs: pallet_capacity::Params::<Runtime>::get().vesting_epochs,
			next: 0,
			buckets: Vec::new(),
		}
	}

	/// Goes on to the end of a month, and says what has vested by then.
	fn unlocked(&mut self, month: u32) -> Balance {
		let now = month * self.epochs_per_month;
		while self.next < now {
			self.earn(self.next);
			self.next += 1;
		}
		self.buckets.iter().map(|bucket| vested(bucket, now)).sum()
	}

	fn earn(&mut self, epoch: EpochIndex) {
		let pool = Emission::limit(epoch);
		Emission::promise(pool);
		let period = period_epochs(self.vesting_epochs);
		let start = (epoch / period + 1) * period;
		match self.buckets.last_mut() {
			Some(bucket) if bucket.start == start => bucket.amount += pool,
			_ => self.buckets.push(Bucket {
				start,
				epochs: self.vesting_epochs,
				amount: pool,
				taken: 0,
			}),
		}
	}
}
