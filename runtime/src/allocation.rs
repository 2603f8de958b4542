//! The supply at genesis: who has how much of it, and when it unlocks.
//!
//! docs/TOKENOMICS.md tells the same to people. A test walks through the months of a chain and
//! compares both.

#![warn(missing_docs, unreachable_pub)]

use crate::{
	configs::{money::ExistentialDeposit, supply::TreasurySavings},
	AccountId, Balance, BlockNumber,
};
use alloc::{vec, vec::Vec};
use millrace_primitives::FLT;
use sp_keyring::Sr25519Keyring;

/// All FLT that there is at genesis, and the most that there ever is.
pub const SUPPLY: Balance = 1_000_000_000 * FLT;
/// Blocks of a month of thirty days on the mainnet.
pub const MONTH_BLOCKS: BlockNumber = 30 * 24 * 1_200;
/// What each validator of genesis is given to pay fees with.
const VALIDATOR_GRANT: Balance = 100_000 * FLT;

/// What the supply is divided into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
	/// For developers, who claim it.
	DeveloperRewards,
	/// The reserve that capacity is rewarded from.
	Capacity,
	/// For who builds the network.
	Team,
	/// For who paid for building it.
	Backers,
	/// For what votes decide on.
	Treasury,
	/// For who brings others: grants, exchanges, the first validators.
	Ecosystem,
}

/// How what is locked of a share unlocks: not at all at first, then evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlocking {
	/// Months in which nothing does.
	pub after_months: BlockNumber,
	/// Months over which all of it does then.
	pub over_months: BlockNumber,
}

impl Share {
	/// All of them.
	pub const ALL: [Self; 6] = [
		Self::DeveloperRewards,
		Self::Capacity,
		Self::Team,
		Self::Backers,
		Self::Treasury,
		Self::Ecosystem,
	];

	/// How much it is.
	pub const fn amount(self) -> Balance {
		let millions = match self {
			Self::DeveloperRewards => 50,
			Self::Capacity => 300,
			Self::Team | Self::Backers => 200,
			Self::Treasury => 100,
			Self::Ecosystem => 150,
		};
		millions * 1_000_000 * FLT
	}

	/// What of it can be spent from the first block on.
	pub const fn free(self) -> Balance {
		let millions = match self {
			Self::Treasury => 20,
			Self::Ecosystem => 30,
			_ => 0,
		};
		millions * 1_000_000 * FLT
	}

	/// How the rest unlocks. `None`: a pallet gives it out by its own rules.
	pub const fn unlocking(self) -> Option<Unlocking> {
		let (after_months, over_months) = match self {
			Self::DeveloperRewards | Self::Capacity => return None,
			Self::Team => (12, 36),
			Self::Backers => (12, 24),
			Self::Treasury | Self::Ecosystem => (0, 60),
		};
		Some(Unlocking {
			after_months,
			over_months,
		})
	}
}

/// What an account has at genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
	/// Of which share.
	pub share: Share,
	/// Who.
	pub account: AccountId,
	/// How much.
	pub amount: Balance,
	/// What of it unlocks as [`Share::unlocking`] says.
	pub locked: Balance,
}

impl Grant {
	fn free(share: Share, account: AccountId, amount: Balance) -> Self {
		Self {
			share,
			account,
			amount,
			locked: 0,
		}
	}

	fn locked(share: Share, account: AccountId, amount: Balance) -> Self {
		Self {
			locked: amount,
			..Self::free(share, account, amount)
		}
	}

	/// The entry of pallet-vesting's genesis: from which block on, over how many, and what is free
	/// before.
	pub(crate) fn schedule(&self) -> Option<(AccountId, BlockNumber, BlockNumber, Balance)> {
		let unlocking = self.share.unlocking().filter(|_| self.locked > 0)?;
		Some((
			self.account.clone(),
			unlocking.after_months.saturating_mul(MONTH_BLOCKS),
			unlocking.over_months.saturating_mul(MONTH_BLOCKS),
			self.amount.saturating_sub(self.locked),
		))
	}
}

/// What stands in accounts that nobody has a key of: both pots that pallets give out, and what keeps
/// the pots of all escrow and of all FLT that is at the anchor, so that they are there before the first
/// deal and the first withdrawal.
pub(crate) fn pots() -> Vec<Grant> {
	let (developers, capacity) = (Share::DeveloperRewards, Share::Capacity);
	let kept = |pot| Grant::free(Share::Treasury, pot, ExistentialDeposit::get());
	vec![
		Grant::free(
			developers,
			crate::DeveloperRewards::pot(),
			developers.amount(),
		),
		Grant::free(capacity, crate::Emission::pot(), capacity.amount()),
		kept(crate::Market::pot()),
		kept(crate::Anchor::pot()),
	]
}

/// The whole supply, with well-known development keys in the place of people.
pub fn with_development_keys(validators: &[AccountId]) -> Vec<Grant> {
	use Sr25519Keyring::{AliceStash, BobStash, CharlieStash, DaveStash, Eve};
	let mut grants = pots();
	for (share, people) in [
		(Share::Team, [AliceStash, BobStash]),
		(Share::Backers, [CharlieStash, DaveStash]),
	] {
		for person in people {
			let half = share.amount().saturating_div(2);
			grants.push(Grant::locked(share, person.to_account_id(), half));
		}
	}

	let treasury = Share::Treasury;
	let kept = grants
		.iter()
		.filter(|grant| grant.share == treasury)
		.fold(0, |sum: Balance, grant| sum.saturating_add(grant.amount));
	grants.push(Grant::free(
		treasury,
		crate::Treasury::account_id(),
		treasury.free().saturating_sub(kept),
	));
	let savings = treasury.amount().saturating_sub(treasury.free());
	grants.push(Grant::locked(treasury, TreasurySavings::get(), savings));

	let ecosystem = Share::Ecosystem;
	let mut left = ecosystem.amount();
	for validator in validators {
		grants.push(Grant::free(ecosystem, validator.clone(), VALIDATOR_GRANT));
		left = left.saturating_sub(VALIDATOR_GRANT);
	}
	grants.push(Grant {
		locked: ecosystem.amount().saturating_sub(ecosystem.free()),
		..Grant::free(ecosystem, Eve.to_account_id(), left)
	});
	grants
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::genesis_presets::validator_accounts;
	use std::collections::BTreeSet;

	#[test]
	fn the_shares_are_the_supply() {
		let all: Balance = Share::ALL.iter().map(|share| share.amount()).sum();
		assert_eq!(all, SUPPLY);
		let free: Balance = Share::ALL.iter().map(|share| share.free()).sum();
		assert_eq!(free, SUPPLY / 20, "5 % can circulate at once");
	}

	#[test]
	fn the_grants_are_the_shares() {
		let grants = with_development_keys(&validator_accounts(4));
		let accounts: BTreeSet<_> = grants.iter().map(|grant| &grant.account).collect();
		assert_eq!(accounts.len(), grants.len(), "an account has one grant");
		for share in Share::ALL {
			let of_share = || grants.iter().filter(move |grant| grant.share == share);
			let amount: Balance = of_share().map(|grant| grant.amount).sum();
			assert_eq!(amount, share.amount(), "{share:?}");
			let locked: Balance = of_share().map(|grant| grant.locked).sum();
			let expected = match share.unlocking() {
				Some(_) => share.amount() - share.free(),
				None => 0,
			};
			assert_eq!(locked, expected, "{share:?}");
		}
	}
}
