//! How long governance takes. Everything is counted in hours, and genesis says how many blocks an hour
//! has: the mainnet's are hours, those of a development chain are short enough to be watched.

use crate::{timing::GovernanceHourBlocks, BlockNumber, Runtime};
use frame_support::parameter_types;

/// Minutes of an hour.
const MINUTES: BlockNumber = 60;
/// Hours of a day.
const HOURS: BlockNumber = 24;

/// So many hours in blocks.
pub fn hours(hours: BlockNumber) -> BlockNumber {
	GovernanceHourBlocks::<Runtime>::get().saturating_mul(hours)
}

/// So many minutes in blocks: at least one.
pub fn minutes(minutes: BlockNumber) -> BlockNumber {
	(hours(minutes) / MINUTES).max(1)
}

/// So many days in blocks.
pub fn days(days: BlockNumber) -> BlockNumber {
	hours(days.saturating_mul(HOURS))
}

parameter_types! {
	/// Blocks after which a referendum that was not decided on is dropped.
	pub UndecidingTimeout: BlockNumber = days(14);
	/// Blocks that conviction locks a vote for, times its multiplier.
	pub VoteLockingPeriod: BlockNumber = days(7);
	/// Blocks between the treasury's payments of approved proposals.
	pub SpendPeriod: BlockNumber = days(1);
	/// Blocks in which an approved spend can be claimed.
	pub PayoutPeriod: BlockNumber = days(30);
	/// Blocks of safe mode.
	pub EnterDuration: BlockNumber = hours(4);
	/// Blocks by which safe mode is made longer.
	pub ExtendDuration: BlockNumber = hours(2);
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_hour_is_an_hour_of_the_mainnet_or_what_genesis_says() {
		sp_io::TestExternalities::default().execute_with(|| {
			assert_eq!((minutes(1), hours(1), days(1)), (20, 1_200, 28_800));
			GovernanceHourBlocks::<Runtime>::put(1);
			assert_eq!((minutes(1), minutes(30), hours(1), days(1)), (1, 1, 1, 24));
			assert_eq!(EnterDuration::get(), 4);
		});
	}

	#[test]
	fn no_period_wraps_around() {
		sp_io::TestExternalities::default().execute_with(|| {
			GovernanceHourBlocks::<Runtime>::put(BlockNumber::MAX);
			let longest = [
				hours(1),
				days(14),
				UndecidingTimeout::get(),
				PayoutPeriod::get(),
			];
			assert_eq!(longest, [BlockNumber::MAX; 4]);
		});
	}
}
