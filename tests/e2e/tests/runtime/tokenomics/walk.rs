//! The months of a chain's life: what of each share can be spent by then, at most.

use crate::{
	errors::scene::{account, by, done, duty, root, EVE},
	presets::genesis,
};
use frame_support::traits::{
	fungible::Inspect,
	tokens::{Fortitude, Preservation},
};
use millrace_primitives::{
	merkle::Tree, rewards::leaf, traits::Emission as _, Balance, EpochIndex,
};
use millrace_runtime::{
	allocation::{with_development_keys, Grant, Share, MONTH_BLOCKS, SUPPLY},
	AccountId, Balances, DeveloperRewards, Emission, Epochs, Runtime, System,
};
use pallet_capacity::{
	rules::{period_epochs, vested},
	Bucket,
};
use pallet_developer_rewards::NewProgramme;
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
		let developers = Developers::claim();
		(0..=last)
			.map(|number| {
				System::set_block_number(number * MONTH_BLOCKS);
				let unlocked = Share::ALL.map(|share| match share {
					Share::DeveloperRewards => developers.unlocked(number),
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
	free(who)
}

/// What an account can spend as it stands.
fn free(who: &AccountId) -> Balance {
	Balances::reducible_balance(who, Preservation::Expendable, Fortitude::Polite)
}

/// Rewards of developers, all of which are claimed at once.
struct Developers {
	/// Who claimed them.
	account: AccountId,
	/// How much that is.
	claimed: Balance,
}

impl Developers {
	/// A programme over all that the pot can pay, for one developer who has nothing else and claims it.
	fn claim() -> Self {
		const DEVELOPER: &str = "//Developer";
		type Call = pallet_developer_rewards::Call<Runtime>;
		let (account, claimed) = (account(DEVELOPER), DeveloperRewards::payable());
		let tree = Tree::new([leaf(0, &account, claimed)]);
		let terms = NewProgramme {
			root: tree.root(),
			rewards: 1,
			total: claimed,
			ends: MONTH_BLOCKS,
		};
		done(root(), Call::start { terms });
		let claim = Call::claim {
			index: 0,
			amount: claimed,
			path: tree.path(0).expect("it is in the tree"),
		};
		done(by(DEVELOPER), claim);

		// It has come out of the pot, which keeps what every account must have.
		let pot = DeveloperRewards::pot();
		let share = Share::DeveloperRewards.amount();
		let kept = <Balances as Inspect<AccountId>>::minimum_balance();
		let has = |who: &AccountId| <Balances as Inspect<AccountId>>::total_balance(who);
		assert_eq!((has(&account), has(&pot)), (claimed, kept));
		assert_eq!(claimed + kept, share);
		assert_eq!(Balances::total_issuance(), SUPPLY);
		assert_eq!(free(&account), 0, "it is locked from the claim on");
		Self { account, claimed }
	}

	/// What of them can be spent behind a month's last block, which is that of the lock, too.
	fn unlocked(&self, month: u32) -> Balance {
		type Call = pallet_developer_rewards::Call<Runtime>;
		let end = System::block_number();
		System::set_block_number(end + 1);
		if DeveloperRewards::is_releasable(&self.account) {
			let account = self.account.clone();
			done(duty(), Call::release { account });
		}
		let unlocked = free(&self.account);
		System::set_block_number(end);

		let locked = <Runtime as pallet_developer_rewards::Config>::LockBlocks::get();
		let expected = match month * MONTH_BLOCKS < locked {
			true => 0,
			false => self.claimed,
		};
		assert_eq!(unlocked, expected, "in month {month}");
		unlocked
	}
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
