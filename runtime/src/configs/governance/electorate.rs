//! How much FLT could vote.

use crate::{
	configs::supply::TreasurySavings, AccountId, Anchor, Balance, Balances, DeveloperRewards,
	Emission, Market,
};
use frame_support::traits::{fungible::Inspect, Get};

/// All FLT but what stands in accounts that nobody has the key of: the treasury, which is inactive, and
/// the pots. Support is a part of this. Were pots counted, thresholds would be out of reach in the first
/// years, in which they hold almost half of the supply.
#[derive(Debug)]
pub struct Electorate;

impl Get<Balance> for Electorate {
	fn get() -> Balance {
		[
			Emission::pot(),
			DeveloperRewards::pot(),
			TreasurySavings::get(),
			Market::pot(),
			Anchor::pot(),
		]
		.iter()
		.fold(
			<Balances as Inspect<AccountId>>::active_issuance(),
			|rest, pot| rest.saturating_sub(Balances::total_balance(pot)),
		)
		// Nobody's vote is a part of nothing.
		.max(1)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use frame_support::traits::fungible::Mutate;
	use millrace_primitives::FLT;

	#[test]
	fn what_has_no_owner_is_no_part_of_the_electorate() {
		sp_io::TestExternalities::default().execute_with(|| {
			assert_eq!(Electorate::get(), 1);
			for who in [
				AccountId::new([1; 32]),
				Emission::pot(),
				DeveloperRewards::pot(),
				TreasurySavings::get(),
				Market::pot(),
				Anchor::pot(),
			] {
				Balances::mint_into(&who, 7 * FLT).unwrap();
			}
			assert_eq!(Electorate::get(), 7 * FLT);
		});
	}
}
