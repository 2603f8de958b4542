//! Developer rewards: what they are paid from, who signs for them, and how long they are locked.

use super::governance::{periods::days, TreasuryAccount};
use crate::{weights, Balances, BlockNumber, Epochs, Runtime, Signature};
use frame_support::{parameter_types, PalletId};
use millrace_primitives::{traits::EpochClock, H256};
use pallet_developer_rewards::VestingLocks;
use sp_runtime::traits::Verify;

/// Days for which a claimed reward is locked: two months of thirty.
const LOCK_DAYS: BlockNumber = 60;
/// Days of the longest programme: four years. A mistyped end keeps no other programme away for ever.
const LONGEST_DAYS: BlockNumber = 4 * 365;

parameter_types! {
	/// Names the pot that developers are rewarded from.
	pub const DeveloperPotId: PalletId = PalletId(*b"mr/devrw");
	/// Names the chain that a claim is signed for.
	pub GenesisHash: H256 = <Epochs as EpochClock>::genesis();
	/// Blocks for which a claimed reward is locked.
	pub RewardLockBlocks: BlockNumber = days(LOCK_DAYS);
	/// Blocks of the longest programme.
	pub LongestProgramme: BlockNumber = days(LONGEST_DAYS);
}

impl pallet_developer_rewards::Config for Runtime {
	type Currency = Balances;
	type Locks = VestingLocks<Runtime>;
	type Signature = Signature;
	type Signer = <Signature as Verify>::Signer;
	type Genesis = GenesisHash;
	type Treasury = TreasuryAccount;
	type PotId = DeveloperPotId;
	type LockBlocks = RewardLockBlocks;
	type LongestProgramme = LongestProgramme;
	type WeightInfo = weights::pallet_developer_rewards::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarking::Scene;
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{allocation::MONTH_BLOCKS, DeveloperRewards, Market, Treasury};

	#[test]
	fn a_reward_is_locked_for_two_months_of_the_mainnet() {
		sp_io::TestExternalities::default().execute_with(|| {
			assert_eq!(RewardLockBlocks::get(), 2 * MONTH_BLOCKS);
			assert!(LongestProgramme::get() > RewardLockBlocks::get());
		});
	}

	#[test]
	fn the_pot_is_no_other_pot() {
		sp_io::TestExternalities::default().execute_with(|| {
			let others = [
				Market::pot(),
				crate::Anchor::pot(),
				crate::Emission::pot(),
				Treasury::account_id(),
			];
			assert!(!others.contains(&DeveloperRewards::pot()));
		});
	}
}
